//! Digests that a STIX pattern (STIX 2.1, 9) asks for.
//!
//! Each part of a pattern is read as "a file that matches has one of these digests", or as "says nothing of digests". A
//! digest fixes all bytes of a file, so beside it other comparisons of an `AND` add nothing; of two digests the stronger
//! is kept. A pattern with an operator that could turn the meaning round (`NOT`, `FOLLOWEDBY`) yields nothing.

use crate::hash::FileDigest;

/// Ours: brackets in brackets.
const MOST_DEPTH: u32 = 32;

type Digests = Option<Vec<FileDigest>>;
type Read<T> = Result<T, &'static str>;

/// All digests; none where the pattern is about something else.
pub(super) fn digests(pattern: &str) -> Read<Vec<FileDigest>> {
    let tokens = tokens(pattern)?;
    let mut reader = Reader { tokens: &tokens, depth: 0 };
    let found = reader.alternatives()?;
    if reader.tokens.is_empty() {
        Ok(found.unwrap_or_default())
    } else {
        Err("its pattern goes on where it should end")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A bracket, comma or comparison.
    Sign(&'static str),
    /// A path or a keyword; keywords are in upper case.
    Word(String),
    Text(String),
}

const SIGNS: [&str; 11] = ["[", "]", "(", ")", ",", "!=", "<=", ">=", "=", "<", ">"];

fn tokens(pattern: &str) -> Read<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = pattern.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = if let Some(quoted) = rest.strip_prefix('\'') {
            let (text, after) = quoted_text(quoted)?;
            (Token::Text(text), after)
        } else if let Some((sign, after)) = SIGNS.iter().find_map(|sign| Some((*sign, rest.strip_prefix(*sign)?))) {
            (Token::Sign(sign), after)
        } else if first.is_ascii_alphanumeric() || "_-+.".contains(first) {
            let (word, after) = word(rest)?;
            (Token::Word(word), after)
        } else {
            return Err("its pattern has a character that patterns don't");
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// Text up to the closing quotation mark; a backslash takes the next character as it is.
fn quoted_text(text: &str) -> Read<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => return Ok((out, chars.as_str())),
            '\\' => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    Err("a text in its pattern is not closed")
}

/// An object path may hold quoted parts and indices: `file:hashes.'SHA-256'`, `x:y[*].z`.
fn word(text: &str) -> Read<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-+.:".contains(c))).unwrap_or(rest.len());
        let (part, after) = rest.split_at_checked(end).unwrap_or_default();
        out.push_str(part);
        if let Some(quoted) = after.strip_prefix('\'').filter(|_| part.ends_with('.')) {
            let (key, after) = quoted_text(quoted)?;
            out.push_str(&key);
            rest = after;
        } else if let Some((index, after)) = after.strip_prefix('[').and_then(|index| index.split_once(']')) {
            out.push_str(index);
            rest = after;
        } else {
            return Ok((out, after));
        }
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    depth: u32,
}

impl Reader<'_> {
    fn next(&mut self) -> Read<Token> {
        let (token, rest) = self.tokens.split_first().ok_or("its pattern ends too early")?;
        self.tokens = rest;
        Ok(token.clone())
    }

    fn next_if(&mut self, wanted: &Token) -> bool {
        match self.tokens.split_first() {
            Some((token, rest)) if token == wanted => {
                self.tokens = rest;
                true
            }
            Some(_) | None => false,
        }
    }

    fn word(&mut self, word: &str) -> bool {
        self.next_if(&Token::Word(word.to_owned()))
    }

    fn sign(&mut self, sign: &'static str) -> Read<()> {
        if self.next_if(&Token::Sign(sign)) { Ok(()) } else { Err("its pattern is not one that STIX knows") }
    }

    /// `a OR b`: digests of both. A side that says nothing of digests is no reason to leave out the other.
    fn alternatives(&mut self) -> Read<Digests> {
        let mut found = self.together()?;
        loop {
            if self.word("FOLLOWEDBY") {
                self.together()?;
                found = None;
            } else if self.word("OR") {
                let other = self.together()?;
                found = match (found, other) {
                    (Some(mut a), Some(b)) => {
                        a.extend(b);
                        Some(a)
                    }
                    (a, b) => a.or(b),
                };
            } else {
                return Ok(found);
            }
        }
    }

    /// `a AND b`: the side with the stronger digests.
    fn together(&mut self) -> Read<Digests> {
        let mut found = self.single()?;
        while self.word("AND") {
            let other = self.single()?;
            found = match (found, other) {
                (Some(a), Some(b)) => Some(if b.iter().min() > a.iter().min() { b } else { a }),
                (a, b) => a.or(b),
            };
        }
        Ok(found)
    }

    fn single(&mut self) -> Read<Digests> {
        for (open, close) in [("[", "]"), ("(", ")")] {
            if self.next_if(&Token::Sign(open)) {
                self.depth = self.depth.saturating_add(1);
                if self.depth > MOST_DEPTH {
                    return Err("its pattern is nested too deep");
                }
                let found = self.alternatives()?;
                self.sign(close)?;
                self.depth = self.depth.saturating_sub(1);
                return self.qualified(found);
            }
        }
        self.comparison()
    }

    /// `WITHIN 5 SECONDS`, `REPEATS 2 TIMES`, `START t'…' STOP t'…'` speak of time, and a digest does not care.
    fn qualified(&mut self, found: Digests) -> Read<Digests> {
        loop {
            let arguments = if self.word("WITHIN") || self.word("REPEATS") {
                2
            } else if self.word("START") || self.word("STOP") {
                // `t` and the text.
                2
            } else {
                return Ok(found);
            };
            for _ in 0..arguments {
                self.next()?;
            }
        }
    }

    fn comparison(&mut self) -> Read<Digests> {
        let Token::Word(path) = self.next()? else { return Err("its pattern is not one that STIX knows") };
        if path == "EXISTS" {
            self.next()?;
            return Ok(None);
        }
        let turned_round = self.word("NOT");
        let values = match self.next()? {
            Token::Sign("=") => vec![self.value()?],
            Token::Word(word) if word == "IN" => self.list()?,
            Token::Sign("!=" | "<" | ">" | "<=" | ">=") | Token::Word(_) => {
                self.value()?;
                return Ok(None);
            }
            Token::Sign(_) | Token::Text(_) => return Err("its pattern is not one that STIX knows"),
        };
        let Some(algorithm) = path.strip_prefix("file:hashes.").and_then(super::algorithm) else { return Ok(None) };
        if turned_round {
            return Ok(None);
        }
        let digest = |value: &Token| match value {
            Token::Text(hex) => FileDigest::of_kind(algorithm, hex).ok_or("a digest in its pattern is none"),
            Token::Sign(_) | Token::Word(_) => Err("a digest in its pattern is none"),
        };
        values.iter().map(digest).collect::<Read<_>>().map(Some)
    }

    /// A text, a number, or a prefixed text (`t'…'`, `b'…'`).
    fn value(&mut self) -> Read<Token> {
        let value = self.next()?;
        if let (Token::Word(_), Some((Token::Text(_), rest))) = (&value, self.tokens.split_first()) {
            self.tokens = rest;
        }
        Ok(value)
    }

    fn list(&mut self) -> Read<Vec<Token>> {
        self.sign("(")?;
        let mut values = vec![self.next()?];
        while self.next_if(&Token::Sign(",")) {
            values.push(self.next()?);
        }
        self.sign(")")?;
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::import::tests::digits;

    fn read(pattern: &str) -> Read<Vec<String>> {
        digests(pattern).map(|found| found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn digests_are_found_however_the_pattern_is_put_together() {
        let (a, b, c) = (digits(0xa1, 64), digits(0xb2, 40), digits(0xc3, 32));
        for (pattern, wanted) in [
            (format!("[file:hashes.'SHA-256'='{a}']"), vec![&a]),
            (format!("[file:hashes.MD5 = '{c}' AND file:hashes.'SHA-256' = '{a}' AND file:name = 'x\\'y']"), vec![&a]),
            (format!("[file:hashes.MD5 = '{c}'] OR [file:hashes.\"\" = 'x']").replace("\"\"", "SSDEEP"), vec![&c]),
            (format!("[file:hashes.'SHA-1' IN ('{b}')] OR ([file:hashes.MD5 = '{c}'] WITHIN 5 SECONDS)"), vec![&b, &c]),
            (format!("[file:size > 5 AND (file:hashes.SHA1 = '{b}' OR file:hashes.MD5 = '{c}')]"), vec![&b, &c]),
            (format!("[file:hashes.MD5 = '{c}' AND file:created = t'2026-01-01T00:00:00Z']"), vec![&c]),
        ] {
            assert_eq!(read(&pattern), Ok(wanted.into_iter().cloned().collect()), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_means_something_else_yields_nothing() {
        let a = digits(0xa1, 64);
        for pattern in [
            format!("[file:hashes.'SHA-256' != '{a}']"),
            format!("[file:hashes.'SHA-256' NOT = '{a}']"),
            format!("[file:hashes.'SHA-256' NOT IN ('{a}')]"),
            format!("[file:hashes.'SHA-256' = '{a}'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.1']"),
            "[ipv4-addr:value = '192.0.2.1' AND network-traffic:dst_port = 443]".to_owned(),
            "[file:hashes.MD5 LIKE 'a%']".to_owned(),
        ] {
            assert_eq!(read(&pattern), Ok(Vec::new()), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said_to_be_none() {
        let deep = "(".repeat(100_000);
        for pattern in
            ["[", "[file:hashes.MD5 = 'zz']", "[file:hashes.MD5 = 5]", "[a = 'b", "] [", "[a:b = 'c'] x", &deep]
        {
            assert!(read(pattern).is_err(), "{}", pattern.len());
        }
    }
}
