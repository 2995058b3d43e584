//! Where the rules of a YARA file lie: enough of the language to leave one rule out and keep the others.
//!
//! Not a parser: what it gets wrong, the compiler refuses again, and then the whole file is left out.

use std::ops::Range;

/// A rule in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSpan {
    /// Its name.
    pub name: String,
    /// Its bytes, modifiers included.
    pub bytes: Range<usize>,
    /// Its lines, counted from 1.
    pub lines: Range<usize>,
}

/// The rules of `text`, in order.
#[must_use]
pub fn rules(text: &str) -> Vec<RuleSpan> {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
    let mut spans = Vec::new();
    let mut start = None;
    while let Some(token) = cursor.next() {
        let word = text.get(token.clone()).unwrap_or_default();
        match word {
            "private" | "global" => start = start.or(Some(token.start)),
            "rule" => {
                let start = start.take().unwrap_or(token.start);
                let name = cursor.next().and_then(|name| text.get(name)).unwrap_or_default().to_owned();
                cursor.skip_body();
                let bytes = start..cursor.at;
                let line = |at: usize| text.bytes().take(at).filter(|b| *b == b'\n').count().saturating_add(1);
                let lines = line(bytes.start)..line(bytes.end).saturating_add(1);
                spans.push(RuleSpan { name, bytes, lines });
            }
            _ => start = None,
        }
    }
    spans
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at.checked_add(ahead)?).copied()
    }

    fn forward(&mut self, n: usize) {
        self.at = self.at.saturating_add(n).min(self.bytes.len());
    }

    /// Moves past the next `end`, or to the end of the text.
    fn past(&mut self, end: &[u8]) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = rest.windows(end.len()).position(|window| window == end);
        self.forward(found.map_or(rest.len(), |at| at.saturating_add(end.len())));
    }

    /// Moves past the next `quote` that no backslash hides.
    fn past_quoted(&mut self, quote: u8) {
        while let Some(byte) = self.peek(0) {
            self.forward(if byte == b'\\' { 2 } else { 1 });
            if byte == quote || byte == b'\n' {
                return;
            }
        }
    }

    /// The next word, string or sign outside of comments.
    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let start = self.at;
            match (self.peek(0)?, self.peek(1)) {
                (b'/', Some(b'/')) => self.past(b"\n"),
                (b'/', Some(b'*')) => {
                    self.forward(2);
                    self.past(b"*/");
                }
                (b'"', _) => {
                    self.forward(1);
                    self.past_quoted(b'"');
                    return Some(start..self.at);
                }
                (byte, _) if byte.is_ascii_whitespace() => self.forward(1),
                (byte, _) if is_word(byte) => {
                    while self.peek(0).is_some_and(is_word) {
                        self.forward(1);
                    }
                    return Some(start..self.at);
                }
                _ => {
                    self.forward(1);
                    return Some(start..self.at);
                }
            }
        }
    }

    /// From behind a rule's name to behind its closing brace.
    fn skip_body(&mut self) {
        let mut depth = 0_usize;
        let mut regex_may_follow = false;
        while let Some(token) = self.next() {
            let word = self.bytes.get(token).unwrap_or_default();
            match word {
                b"{" => depth = depth.saturating_add(1),
                b"}" if depth <= 1 => return,
                b"}" => depth = depth.saturating_sub(1),
                b"/" if regex_may_follow => self.past_quoted(b'/'),
                _ => {}
            }
            regex_may_follow = matches!(word, b"=" | b"(" | b"," | b"matches");
        }
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_whatever_stands_in_them() {
        let text = r#"
import "pe" // rule no { }
/* rule no { } */
private rule one : tag { meta: a = "}{\" rule no {" strings: $h = { 01 (02 | 03) /* } */ 04 } $r = /a{1,2}\/}/ condition: $h }
global private rule two
{
  condition: uint8(0) / 2 == 1 and pe.x matches /}"/i
}
rule three { condition: true }
"#;
        let found = rules(text);
        assert_eq!(found.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["one", "two", "three"]);
        assert!(
            text[found[0].bytes.clone()].starts_with("private rule one")
                && text[found[0].bytes.clone()].ends_with("$h }")
        );
        assert_eq!(found[1].lines, 5..9);
        assert!(text[found[1].bytes.clone()].starts_with("global private"));
    }

    #[test]
    fn garbage_ends() {
        for text in ["rule", "rule x", "rule x {", "rule x { \"", "rule x { /*", "private rule", "\"", "/*", "}{", "é{"]
        {
            let _ = rules(text);
        }
    }
}
