//! Addresses that may leave a document (GEN-20): http, https, mailto.

use crate::switches::{Filter, off};

/// An address of ours, written anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebAddress(String);

/// Ours: what browsers and mail programs take.
const MAX_CHARS: usize = 2083;

impl WebAddress {
    /// Reads an address: trimmed, scheme in lower case, without white space, controls, quotes and backslashes.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        if off(Filter::OoxAddresses) {
            return Some(Self(raw.to_owned()));
        }
        let trimmed = raw.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        let (scheme, rest) = trimmed.split_once(':')?;
        let scheme = scheme.to_ascii_lowercase();
        let rest = match scheme.as_str() {
            "http" | "https" => rest.strip_prefix("//").filter(|r| !r.is_empty() && !r.starts_with('/'))?,
            "mailto" => rest,
            _ => return None,
        };
        let bad = |c: char| {
            c.is_control()
                || matches!(c, '"' | '<' | '>' | '\\' | '`')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        if rest.is_empty() || rest.chars().count() > MAX_CHARS || rest.contains(bad) {
            return None;
        }
        let slashes = if scheme == "mailto" { "" } else { "//" };
        let mut address = format!("{scheme}:{slashes}");
        for c in rest.chars() {
            if c.is_whitespace() { address.push_str("%20") } else { address.push(c) }
        }
        Some(Self(address))
    }

    /// Whether an address is as we would write it: where it stands in a formula or instruction, which stays as it is.
    #[must_use]
    pub fn is_canonical(raw: &str) -> bool {
        Self::parse(raw).is_some_and(|address| address.0 == raw)
    }

    /// The address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::WebAddress;

    #[test]
    fn only_the_web_and_mail_can_be_reached() {
        let parse = |raw| WebAddress::parse(raw).map(|a| a.as_str().to_owned());
        assert_eq!(parse(" HTTPS://example.org/a b "), Some("https://example.org/a%20b".into()));
        assert_eq!(parse("mailto:a@example.org"), Some("mailto:a@example.org".into()));
        for bad in [
            "file:///c:/x",
            "\\\\host\\x",
            "javascript:1",
            "http:a",
            "https:\\\\x",
            "ftp://x",
            "x",
            "http://",
            "ms-word:ofe|u|http://x",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
