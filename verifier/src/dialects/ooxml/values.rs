//! What attributes may hold: tokens, targets, actions.

use model::{Format, Policy};

/// Ours: longer than any token of the schemas; lists of cell ranges and path data have [`LONG`].
const TOKEN: usize = 4096;
/// Ours: a merged validation over a large sheet has lists of this order.
const LONG: usize = 1 << 20;

/// A token: numbers, enumerations, references, lists of them; nothing that could be a target.
pub(super) fn is_token(value: &str) -> bool {
    let allowed = value.bytes().all(|b| TOKEN_BYTES.get(usize::from(b)).copied().unwrap_or(false));
    allowed && value.len() <= TOKEN && (value.len() < 4 || !looks_active(value))
}

/// A list of ranges or points.
pub(super) fn is_long_token(value: &str) -> bool {
    let allowed = value.bytes().all(|b| TOKEN_BYTES.get(usize::from(b)).copied().unwrap_or(false));
    allowed && value.len() <= LONG && !looks_active(value)
}

static TOKEN_BYTES: [bool; 256] = token_bytes();

const fn token_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut n = 0u8;
    while n < 128 {
        let special = matches!(
            n,
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
        );
        #[expect(clippy::indexing_slicing, reason = "bound: n is below 128")]
        {
            table[n as usize] = n.is_ascii_alphanumeric() || special;
        }
        n = n.saturating_add(1);
    }
    table
}

/// Whether a value could be taken for something to open (GEN-20).
pub(super) fn looks_active(value: &str) -> bool {
    if !value.bytes().any(|b| matches!(b, b':' | b'\\' | b'/')) {
        return false;
    }
    const SCHEMES: [&str; 14] = [
        "javascript:",
        "vbscript:",
        "data:",
        "file:",
        "mhtml:",
        "ms-",
        "search-ms:",
        "smb:",
        "ldap:",
        "res:",
        "its:",
        "mk:",
        "jar:",
        "vnd.",
    ];
    let lower = value.trim_start().to_ascii_lowercase();
    lower.contains("//")
        || lower.contains("\\\\")
        || SCHEMES.iter().any(|s| lower.starts_with(s) && (s.ends_with(':') || lower.contains(':')))
}

/// Which links out of a document the policy lets stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Links(bool);

impl Links {
    /// Links to the web stay.
    #[cfg(test)]
    pub const WEB: Self = Self(true);

    /// What the policy says for documents of `format`.
    pub fn of(policy: &Policy, format: Format) -> Self {
        Self(policy.office(format).is_some_and(|office| office.links == model::Links::Web))
    }

    /// Whether a link may lead to `target`.
    pub fn allow(self, target: &str) -> bool {
        self.0 && is_web_target(target)
    }

    /// The same for a target in a field's instruction or a formula.
    pub fn allow_written(self, target: &str) -> bool {
        self.0 && is_written_target(target)
    }
}

/// A target as people write it into a field or a formula: the scheme in any case, blanks inside.
fn is_written_target(target: &str) -> bool {
    let mut plain: String = target.trim().replace(' ', "_");
    let scheme = plain.find(':').unwrap_or(0);
    if let Some(scheme) = plain.get_mut(..scheme) {
        scheme.make_ascii_lowercase();
    }
    is_web_target(&plain)
}

/// Where a link may lead: http, https or mailto, in lower case, without white space, quotes, angles or backslashes.
fn is_web_target(target: &str) -> bool {
    let server = |rest: &str| !rest.is_empty() && !rest.starts_with('/');
    let web = ["http://", "https://"].iter().filter_map(|scheme| target.strip_prefix(scheme)).any(server);
    let mail = target.strip_prefix("mailto:").is_some_and(|rest| !rest.is_empty());
    let plain = |c: char| !(c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '\\' | '`'));
    (web || mail) && target.chars().all(plain) && !target.contains(is_unseen)
}

/// Characters that reorder text: no text or value has them (TXT-01).
pub(super) const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that are not seen or reorder what is: no address has them.
const fn is_unseen(c: char) -> bool {
    is_bidi(c) || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Actions that stay inside the show (OOX-26).
pub(super) fn is_jump(action: &str) -> bool {
    const SHOW: &str = "ppaction://hlinkshowjump?jump=";
    const JUMPS: [&str; 6] = ["firstslide", "lastslide", "nextslide", "previousslide", "endshow", "lastslideviewed"];
    action == "ppaction://noaction" || action.strip_prefix(SHOW).is_some_and(|jump| JUMPS.contains(&jump))
}

/// What a graphic frame may hold.
pub(super) fn is_graphic(uri: &str) -> bool {
    const DRAWINGML: [&str; 5] = ["chart", "diagram", "lockedCanvas", "picture", "table"];
    const WORD: [&str; 3] = ["wordprocessingShape", "wordprocessingGroup", "wordprocessingCanvas"];
    let of = |base: &str, names: &[&str]| uri.strip_prefix(base).is_some_and(|name| names.contains(&name));
    of("http://schemas.openxmlformats.org/drawingml/2006/", &DRAWINGML)
        || of("http://schemas.microsoft.com/office/word/2010/", &WORD)
}

/// Whose compatibility setting it is: a namespace of the standard or of Word, never a place to go to.
pub(super) fn is_settings_owner(uri: &str) -> bool {
    ["http://schemas.microsoft.com/office/word", "http://schemas.openxmlformats.org/"]
        .iter()
        .any(|of| uri.starts_with(of))
}

/// A defined name that Excel does not run (OOX-05): of the built-in names only those of print, filter and the like.
pub(super) fn is_quiet_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let (builtin, bare) = lower.strip_prefix("_xlnm.").map_or((false, lower.as_str()), |bare| (true, bare));
    const RUN: [&str; 4] = ["auto_open", "auto_close", "auto_activate", "auto_deactivate"];
    const BUILTIN: [&str; 8] = [
        "print_area",
        "print_titles",
        "criteria",
        "extract",
        "_filterdatabase",
        "database",
        "consolidate_area",
        "sheet_title",
    ];
    !RUN.iter().any(|run| bare.starts_with(run)) && (!builtin || BUILTIN.contains(&bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_web_targets_or_nothing() {
        assert!(
            is_web_target("https://example.invalid/a?b=%20#c") && is_web_target("mailto:a@example.invalid?subject=x")
        );
        for bad in [
            "HTTPS://x",
            "file:///c:/x",
            "\\\\h\\s",
            "javascript:alert(1)",
            "https://a b",
            "https://a\u{202e}b",
            "http:\\\\x",
            "",
            "ms-word:ofe|u|http://x",
            "https://x\"y",
            "//x",
            "mhtml:http://x",
            "tel:1",
            "#a",
            "https://x\ny",
            "https:///x",
            "https://",
            "mailto:",
            "https://x/a\u{200b}b",
            "https://x/`",
        ] {
            assert!(!is_web_target(bad), "{bad}");
        }
    }

    #[test]
    fn tokens_cannot_be_targets() {
        assert!(
            is_token("A1:B2")
                && is_token("0.5")
                && is_token("{5C22544A-7EE6-4342-B048-85BDC9FD1C3A}")
                && is_token("m/d/yy")
        );
        for bad in ["http://x", "\\\\x\\y", "javascript:x", "file:x", "a\"b", "<", "ü", "ms-word:x", "data:text/html"]
        {
            assert!(!is_token(bad), "{bad}");
        }
    }

    #[test]
    fn names_and_actions_that_run_are_refused() {
        assert!(
            is_quiet_name("Auto_Type")
                && is_quiet_name("_xlnm.Print_Area")
                && !is_quiet_name("_xlnm.Auto_Open")
                && !is_quiet_name("AUTO_OPEN2")
        );
        assert!(is_jump("ppaction://hlinkshowjump?jump=nextslide") && is_jump("ppaction://noaction"));
        for bad in [
            "ppaction://program",
            "ppaction://macro?name=x",
            "ppaction://hlinkfile",
            "ppaction://hlinkshowjump?jump=x",
            "ppaction://customshow?id=1",
        ] {
            assert!(!is_jump(bad), "{bad}");
        }
    }
}
