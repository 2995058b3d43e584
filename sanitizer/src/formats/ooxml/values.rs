//! Values of attributes and text: what of each kind is taken.

use super::names::{Kind, known_uri};
use crate::switches::{Filter, off};

/// Ours: longer than any token of the schemas.
const TOKEN: usize = 4096;
/// Ours: the longest list that is still one value.
const LIST: usize = 1 << 20;

/// XML 1.0, 2.2: characters that a document may have. Noncharacters at the end of the plane are left out too.
#[must_use]
pub fn allowed(c: char) -> bool {
    off(Filter::OoxCharacters)
        || matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
            && !matches!(c, '\u{7f}'..='\u{9f}')
            && !bidi(c)
}

/// Controls that reorder text, so that a reader sees other words than are there (NAM-01, TXT-01).
const fn bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a reference stands for: the five entities of XML and character references.
#[must_use]
pub fn entity(name: &str) -> Option<char> {
    let number = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let code = match number.strip_prefix('x') {
        Some(hex) if hex.len() <= 8 => u32::from_str_radix(hex, 16).ok()?,
        Some(_) => return None,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

/// Adds text, without characters that XML does not have; line ends as one line feed (XML 1.0, 2.11).
pub fn push_text(raw: &str, out: &mut String) {
    let plain = |b: &u8| (b' '..0x7f).contains(b) || matches!(b, b'\t' | b'\n');
    if raw.as_bytes().iter().all(plain) {
        out.push_str(raw);
        return;
    }
    let mut last = ' ';
    for c in raw.chars() {
        match c {
            '\r' => out.push('\n'),
            '\n' if last == '\r' => {}
            c if allowed(c) => out.push(c),
            _ => {}
        }
        last = c;
    }
}

/// Adds a piece of an attribute: white space becomes a blank.
pub fn push_attribute(raw: &str, out: &mut String) {
    if raw.as_bytes().iter().all(|b| (b' '..0x7f).contains(b)) {
        out.push_str(raw);
        return;
    }
    out.extend(raw.chars().filter(|c| allowed(*c)).map(|c| if c.is_ascii_whitespace() { ' ' } else { c }));
}

/// Decodes the references of an attribute value and normalises white space (XML 1.0, 3.3.3).
#[must_use]
pub fn unescape_into(raw: &str, out: &mut String) -> Option<()> {
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        let (before, after) = rest.split_at_checked(at)?;
        push_attribute(before, out);
        let (name, tail) = after.get(1..)?.split_once(';')?;
        let c = entity(name)?;
        if allowed(c) {
            out.push(c);
        }
        rest = tail;
    }
    push_attribute(rest, out);
    Some(())
}

/// Checks the value of `kind` that starts at `from`, and settles how it is written. `false`: it goes.
#[must_use]
pub fn settle(kind: Kind, name: &str, text: &mut String, from: usize) -> bool {
    let value = text.get(from..).unwrap_or_default();
    match kind {
        Kind::Token => {
            off(Filter::OoxTokens) || value.len() <= if is_list(name) { LIST } else { TOKEN } && is_token(value)
        }
        Kind::Text | Kind::Formula | Kind::Instruction => true,
        Kind::Relationship => value.len() <= 255,
        Kind::Uri => match known_uri(value) {
            Some(uri) => {
                text.truncate(from);
                text.push_str(uri);
                true
            }
            None => off(Filter::OoxUris),
        },
    }
}

const fn token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'_' | b'.'
                | b','
                | b':'
                | b';'
                | b'%'
                | b'#'
                | b'+'
                | b'-'
                | b'*'
                | b'('
                | b')'
                | b'{'
                | b'}'
                | b'['
                | b']'
                | b'@'
                | b'!'
                | b'?'
                | b'~'
                | b'$'
                | b'\''
                | b'/'
                | b'='
                | b' '
        )
}

/// A number, keyword, date, reference or list of such; nothing that could be an address.
fn is_token(value: &str) -> bool {
    value.bytes().all(token_byte) && !value.contains("//") && (!value.contains(':') || !has_scheme(value))
}

/// Lists of ranges or points.
fn is_list(name: &str) -> bool {
    matches!(name, "sqref" | "ref" | "spans" | "path" | "ptsTypes")
}

/// Whether a text that names a place in the document could be taken for something to open (GEN-20).
#[must_use]
pub fn looks_active(value: &str) -> bool {
    value.contains("//") || value.contains('\\') || has_scheme(value)
}

fn has_scheme(value: &str) -> bool {
    const SCHEMES: [&str; 13] = [
        "script:", "data:", "file:", "http:", "https:", "mailto:", "ftp:", "mhtml:", "smb:", "ldap:", "res:", "its:",
        "jar:",
    ];
    let low = value.to_ascii_lowercase();
    let starts = low.trim_start();
    SCHEMES.iter().any(|scheme| low.contains(scheme))
        || ["ms-", "search-ms:", "mk:", "vnd."].iter().any(|start| starts.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_no_addresses() {
        for good in ["", "on", "12.5pt", "A1:B2 C3", "2010-01-01T00:00:00Z", "{05A4C25C-085E}", "-1", "+- 0 a b"] {
            assert!(is_token(good), "{good}");
        }
        for bad in ["http://a", "//host/x", "\\\\host", "javascript:a", "ms-msdt:x", "a|b", "a\"b", "ü"] {
            assert!(!is_token(bad), "{bad}");
        }
    }

    #[test]
    fn text_has_no_characters_that_xml_lacks() {
        let mut out = String::new();
        push_text("a\u{1}b\r\nc\rd\u{fffe}é", &mut out);
        assert_eq!(out, "ab\nc\ndé");
        assert_eq!(entity("#x41"), Some('A'));
        assert_eq!(entity("#xd800"), None);
        assert_eq!(entity("xxe"), None);
    }
}
