//! Reading a policy. Its digest goes into every record, so that a record says under which rules it came about.

use crate::StationError;
use model::{Digest, Policy};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// A policy and the digest of the text it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedPolicy {
    /// What it says.
    pub policy: Policy,
    /// SHA-256 of the TOML text; of the empty text for the built-in one.
    pub digest: Digest,
}

/// Reads the TOML file at `path`.
///
/// # Errors
/// [`StationError::Policy`] where it cannot be read, is no TOML, or has a key that we do not know: a typo must stop the
/// station, not weaken it.
pub fn load_policy(path: &Path) -> Result<LoadedPolicy, StationError> {
    let refuse = |message: String| StationError::Policy { path: path.to_owned(), message };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    parse_policy(&text).map_err(refuse)
}

/// Reads the text of a policy.
///
/// # Errors
/// One sentence with the key and its line.
pub fn parse_policy(text: &str) -> Result<LoadedPolicy, String> {
    let policy = toml::from_str(text).map_err(|error| error.to_string().replace('\n', " ").trim().to_owned())?;
    Ok(LoadedPolicy { policy, digest: Digest::new(Sha256::digest(text.as_bytes()).into()) })
}

/// What the station does when nobody wrote a policy.
#[must_use]
pub fn standard_policy() -> LoadedPolicy {
    LoadedPolicy { policy: Policy::standard(), digest: Digest::new(Sha256::digest(b"").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Format, RuleAction};

    /// The shape that the design gives as an example, every key of it.
    const EXAMPLE: &str = r#"
        zone = "plant"
        default = "block"
        [limits]
        input_bytes = "4 GiB"
        expanded_bytes = "8 GiB"
        entries = 100_000
        depth = 8
        seconds = 120
        [engines]
        required = ["yara", "hashes"]
        max_rule_age = "30 days"
        stale = "hold"
        [names]
        type_mismatch = "report"
        [formats.pdf]
        action = "rebuild"
        flatten_when_unrebuildable = true
        links = "web"
        forms = "flatten"
        embedded_files = "remove"
        [formats.word]
        macros = "remove"
        comments = "keep"
        tracked_changes = "keep"
        hidden = "report"
        [formats.zip]
        withheld_member = "tombstone"
        [formats.png]
        metadata = "remove"
    "#;

    #[test]
    fn the_example_is_understood_and_what_it_leaves_out_is_blocked() {
        let loaded = parse_policy(EXAMPLE).unwrap();
        assert_eq!(loaded.policy.action(Format::Docm), RuleAction::Rebuild);
        assert_eq!(loaded.policy.action(Format::Jpeg), RuleAction::Block);
        assert_eq!(loaded.policy.limits.input_bytes, 4 << 30);
    }

    #[test]
    fn a_typo_anywhere_stops_the_station() {
        for (good, typo) in [("stale =", "stael ="), ("links =", "link ="), ("zone =", "zones ="), ("[names]", "[name]")] {
            let error = parse_policy(&EXAMPLE.replacen(good, typo, 1)).unwrap_err();
            assert!(!error.contains('\n') && !error.is_empty(), "{error}");
        }
    }
}
