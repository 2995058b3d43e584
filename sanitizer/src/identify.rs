//! What a file is, by its content. The name is only compared (GEN-01).

use model::{FindingAction, Format, Refusal, Untrusted};

/// What the content is, what else was seen, and whether that alone refuses the file.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The format by content.
    pub format: Format,
    /// Catalogue rows met while looking: id, action, place.
    pub findings: Vec<(&'static str, FindingAction, String)>,
    /// Set where the file may not be rebuilt whatever the policy says: blocked types, unknown content, polyglots that
    /// a reader could take for something of another risk class.
    pub refusal: Option<Refusal>,
}

/// Looks at `input` and compares with `name`.
#[must_use]
pub fn identify(_name: &str, input: Untrusted<'_>) -> Identity {
    let format = if std::str::from_utf8(input.bytes()).is_ok() {
        Format::Txt
    } else {
        Format::Unknown
    };
    Identity {
        format,
        findings: Vec::new(),
        refusal: None,
    }
}
