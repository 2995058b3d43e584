//! Tokens of content streams, CMaps and calculator functions (ISO 32000-1 clause 7.2 and 7.8.2).

/// One token. Strings and names are decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Token<'a> {
    /// A number.
    Num(f64),
    /// A string, literal or hexadecimal.
    Str(Vec<u8>),
    /// A name without its slash.
    Name(Vec<u8>),
    /// `[`
    Open,
    /// `]`
    Close,
    /// `<<`
    DictOpen,
    /// `>>`
    DictClose,
    /// `{`
    BraceOpen,
    /// `}`
    BraceClose,
    /// Anything else: operators, `true`, `null`.
    Word(&'a [u8]),
}

/// A cursor over bytes that nobody has vouched for. Every step moves forward.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    data: &'a [u8],
    at: usize,
}

/// White space of table 1.
pub const fn is_space(b: u8) -> bool {
    matches!(b, 0 | 9 | 10 | 12 | 13 | 32)
}

const fn is_delimiter(b: u8) -> bool {
    matches!(b, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

const fn is_regular(b: u8) -> bool {
    !is_space(b) && !is_delimiter(b)
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of `data`.
    pub const fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.data.get(self.at..).unwrap_or_default()
    }

    /// Moves on.
    pub fn skip(&mut self, n: usize) {
        self.at = self.at.saturating_add(n).min(self.data.len());
    }

    fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let b = self.peek()?;
        self.skip(1);
        Some(b)
    }

    fn skip_space(&mut self) {
        while let Some(b) = self.peek() {
            if b == b'%' {
                while self.peek().is_some_and(|b| b != b'\n' && b != b'\r') {
                    self.skip(1);
                }
            } else if is_space(b) {
                self.skip(1);
            } else {
                return;
            }
        }
    }

    /// The next token, `None` at the end.
    pub fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.skip_space();
            let b = self.peek()?;
            match b {
                b'/' => return Some(self.name()),
                b'(' => return Some(Token::Str(self.literal())),
                b'<' if self.rest().starts_with(b"<<") => return Some(self.mark(2, Token::DictOpen)),
                b'<' => return Some(Token::Str(self.hexadecimal())),
                b'>' if self.rest().starts_with(b">>") => return Some(self.mark(2, Token::DictClose)),
                b'[' => return Some(self.mark(1, Token::Open)),
                b']' => return Some(self.mark(1, Token::Close)),
                b'{' => return Some(self.mark(1, Token::BraceOpen)),
                b'}' => return Some(self.mark(1, Token::BraceClose)),
                // A stray closing mark: readers step over it.
                b')' | b'>' => self.skip(1),
                _ => return Some(self.word()),
            }
        }
    }

    fn mark(&mut self, n: usize, token: Token<'a>) -> Token<'a> {
        self.skip(n);
        token
    }

    fn regular(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let n = rest.iter().position(|b| !is_regular(*b)).unwrap_or(rest.len());
        self.skip(n);
        rest.get(..n).unwrap_or_default()
    }

    fn name(&mut self) -> Token<'a> {
        self.skip(1);
        let raw = self.regular();
        let mut name = Vec::with_capacity(raw.len());
        let mut i = 0usize;
        while let Some(&b) = raw.get(i) {
            let pair = raw.get(i.saturating_add(1)..i.saturating_add(3)).and_then(hex_pair);
            match (b, pair) {
                (b'#', Some(byte)) => {
                    name.push(byte);
                    i = i.saturating_add(3);
                }
                _ => {
                    name.push(b);
                    i = i.saturating_add(1);
                }
            }
        }
        Token::Name(name)
    }

    fn word(&mut self) -> Token<'a> {
        let start = self.at;
        let word = self.regular();
        if !word.first().is_some_and(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.')) {
            return Token::Word(word);
        }
        let (value, used) = number(word);
        // "1.5w" and "0Tc" are a number and an operator to every reader; "1-2" is "1" and the rest is dropped.
        if used > 0 && used < word.len() && word.get(used).is_some_and(|b| b.is_ascii_alphabetic()) {
            self.at = start.saturating_add(used);
        }
        value.map_or(Token::Word(word), Token::Num)
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        self.skip(1);
        let mut out = Vec::new();
        let mut high: Option<u8> = None;
        while let Some(b) = self.bump() {
            if b == b'>' {
                break;
            }
            let Some(digit) = hex_digit(b) else { continue };
            high = match high {
                None => Some(digit),
                Some(h) => {
                    out.push(h << 4 | digit);
                    None
                }
            };
        }
        out.extend(high.map(|h| h << 4));
        out
    }

    fn literal(&mut self) -> Vec<u8> {
        self.skip(1);
        let mut out = Vec::new();
        let mut depth = 0u32;
        while let Some(b) = self.bump() {
            match b {
                b'(' => {
                    depth = depth.saturating_add(1);
                    out.push(b);
                }
                b')' if depth == 0 => break,
                b')' => {
                    depth = depth.saturating_sub(1);
                    out.push(b);
                }
                b'\\' => self.escape(&mut out),
                b'\r' => {
                    out.push(b'\n');
                    if self.peek() == Some(b'\n') {
                        self.skip(1);
                    }
                }
                _ => out.push(b),
            }
        }
        out
    }

    fn escape(&mut self, out: &mut Vec<u8>) {
        let Some(b) = self.bump() else { return };
        match b {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'\n' => {}
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.skip(1);
                }
            }
            b'0'..=b'7' => {
                let mut value = b & 7;
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    value = value << 3 | (digit & 7);
                    self.skip(1);
                }
                out.push(value);
            }
            other => out.push(other),
        }
    }
}

fn hex_digit(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    match pair {
        [high, low] => Some(hex_digit(*high)? << 4 | hex_digit(*low)?),
        _ => None,
    }
}

/// Reads a number the way viewers do: several signs count as one, what follows the number is not part of it.
/// Returns the bytes used.
fn number(word: &[u8]) -> (Option<f64>, usize) {
    let mut at = 0usize;
    let mut negative = false;
    while let Some(sign @ (b'+' | b'-')) = word.get(at) {
        negative |= *sign == b'-';
        at = at.saturating_add(1);
    }
    let mut value = 0.0f64;
    let mut scale = 0.0f64;
    let mut digits = 0usize;
    while let Some(b) = word.get(at) {
        match b {
            b'0'..=b'9' => {
                digits = digits.saturating_add(1);
                let digit = f64::from(b & 15);
                if scale == 0.0 {
                    value = value * 10.0 + digit;
                } else {
                    value += digit * scale;
                    scale /= 10.0;
                }
            }
            b'.' if scale == 0.0 => scale = 0.1,
            // "12-34" in broken files: the first part counts.
            b'-' if digits > 0 => return (Some(signed(value, negative)), word.len()),
            _ => break,
        }
        at = at.saturating_add(1);
    }
    if digits == 0 && scale == 0.0 && at == 0 {
        return (None, 0);
    }
    (Some(signed(value, negative)), at)
}

fn signed(value: f64, negative: bool) -> f64 {
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(data: &[u8]) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(data);
        std::iter::from_fn(|| lexer.next()).collect()
    }

    #[test]
    fn strings_and_names_are_decoded() {
        assert_eq!(tokens(b"(a\\(b(c)\\101\\n)"), [Token::Str(b"a(b(c)A\n".to_vec())]);
        assert_eq!(tokens(b"<4 1 4>"), [Token::Str(b"A\x40".to_vec())]);
        assert_eq!(tokens(b"/J#61va#"), [Token::Name(b"Java#".to_vec())]);
    }

    #[test]
    fn numbers_are_read_as_viewers_read_them() {
        assert_eq!(tokens(b"--5"), [Token::Num(-5.0)]);
        assert_eq!(tokens(b"1.5w"), [Token::Num(1.5), Token::Word(b"w")]);
        assert_eq!(tokens(b".5 -.25 4."), [Token::Num(0.5), Token::Num(-0.25), Token::Num(4.0)]);
        assert_eq!(tokens(b"T*%x\n]"), [Token::Word(b"T*"), Token::Close]);
    }

    #[test]
    fn no_bytes_make_it_stand_still_or_panic() {
        for seed in 0u32..2000 {
            let mut x = seed.wrapping_mul(2_654_435_761) | 1;
            let data: Vec<u8> = (0..64)
                .map(|_| {
                    x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b"()<>[]{}/%#\\ 0.-+a\n\r"[(x >> 24) as usize % 20]
                })
                .collect();
            assert!(tokens(&data).len() <= 64);
        }
    }
}
