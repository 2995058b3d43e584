//! Reading a policy. Its digest goes into every record, so that a record says under which rules it came about.

use crate::{Collector, StationError, quarantine};
use model::{Digest, Policy, QuarantinePolicy};
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
    let policy: Policy =
        toml::from_str(text).map_err(|error| error.to_string().replace('\n', " ").trim().to_owned())?;
    let collector = policy.evidence.syslog.as_deref().map(str::parse::<Collector>);
    collector.transpose().map_err(|message| format!("[evidence] syslog: {message}"))?;
    check_quarantine(&policy.quarantine)?;
    Ok(LoadedPolicy { policy, digest: Digest::new(Sha256::digest(text.as_bytes()).into()) })
}

/// What serde cannot see of the quarantine's part.
fn check_quarantine(quarantine: &QuarantinePolicy) -> Result<(), String> {
    quarantine::parse_recipients(quarantine).map_err(|error| error.to_string())?;
    let persons = quarantine::parse_approvers(quarantine).map_err(|error| error.to_string())?;
    if !(1..=2).contains(&quarantine.approvals) {
        return Err("quarantine.approvals is 1 or 2".to_owned());
    }
    if !persons.is_empty() && persons.len() < usize::from(quarantine.approvals) {
        return Err("quarantine.approvals asks for more persons than [[quarantine.approvers]] names".to_owned());
    }
    if quarantine.at_least > quarantine.retention {
        return Err("quarantine.at_least is longer than quarantine.retention".to_owned());
    }
    Ok(())
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

    /// The policy that people start from.
    const EXAMPLE: &str = include_str!("../../docs/policy.toml");

    #[test]
    fn the_example_says_what_the_standard_policy_says_and_holds_stale_rules() {
        let mut standard = Policy::standard();
        standard.engines.stale = model::Stale::Hold;
        assert_eq!(parse_policy(EXAMPLE).unwrap().policy, standard);
    }

    #[test]
    fn what_a_policy_leaves_out_is_blocked() {
        let loaded = parse_policy("zone = \"turbine\"\n[formats.word]\n").unwrap();
        assert_eq!(loaded.policy.action(Format::Docm), RuleAction::Rebuild);
        assert_eq!(loaded.policy.action(Format::Jpeg), RuleAction::Block);
    }

    #[test]
    fn a_typo_anywhere_stops_the_station() {
        for (good, typo) in
            [("stale =", "stael ="), ("links =", "link ="), ("zone =", "zones ="), ("[names]", "[name]")]
        {
            let error = parse_policy(&EXAMPLE.replacen(good, typo, 1)).unwrap_err();
            assert!(!error.contains('\n') && !error.is_empty(), "{error}");
        }
        assert!(parse_policy("zone = \"x\"\n[evidence]\nsyslog = \"udp://host\"\n").unwrap_err().contains("syslog"));
    }
}
