//! The one place to touch: a new engine is a module and a line here.

use crate::{Engine, EngineError, Provenance, Resident, Runner, clamd, external, hashes, structure, yara};
use model::EnginePolicy;
use signatures::{RuleSet, Signatures};
use std::sync::Arc;

/// All engines of this build, in the order in which reports name them.
pub static ENGINES: &[Descriptor] =
    &[yara::DESCRIPTOR, hashes::DESCRIPTOR, structure::DESCRIPTOR, clamd::DESCRIPTOR, external::DESCRIPTOR];

/// What the station must know to run an engine.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Its name.
    pub id: &'static str,
    /// Where it runs.
    pub home: Home,
}

/// Loads what an engine's `compile` made.
pub type Load = fn(&[u8]) -> Result<Box<dyn Resident>, EngineError>;

/// Where an engine runs.
#[derive(Clone, Copy, Debug)]
pub enum Home {
    /// In a long-lived scan jail, because it holds native code or bytecode.
    ScanJail {
        /// Which version it is and what it would scan with.
        provenance: fn(&Signatures) -> Provenance,
        /// Makes the rules ready. Reads only rules that the station authenticated and no byte of a sample, so it may
        /// run in the station, once at the start.
        compile: fn(&RuleSet) -> Result<Vec<u8>, EngineError>,
        /// Loads what `compile` made. Bytecode: only inside a jail whose filters are closed.
        load: Load,
    },
    /// In the station, because it touches no byte of a sample.
    Station {
        /// Makes the engine.
        open: fn(&Signatures) -> Box<dyn Engine>,
    },
    /// In a program that is not ours, which gets a sealed copy: none, one or several, as the policy says.
    Outside {
        /// Makes the engines, whether they can be reached or not.
        ///
        /// # Errors
        /// One sentence about the key of the policy that makes no sense.
        open: Open,
    },
    /// In the station, on what the reconstruct job noted about the input; it sees no object.
    Facts {
        /// Which version it is.
        provenance: fn() -> Provenance,
        /// Judges the input and each member of it.
        judge: fn(&structure::Noted<'_>) -> Vec<structure::Judged>,
    },
}

/// Makes the engines outside the jails that a policy speaks of.
pub type Open = fn(&EnginePolicy, &Arc<dyn Runner>) -> Result<Vec<Box<dyn Engine>>, String>;

/// The engine of this name.
#[must_use]
pub fn descriptor(name: &str) -> Option<&'static Descriptor> {
    ENGINES.iter().find(|descriptor| descriptor.id == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_plain_and_each_is_there_once() {
        let names: BTreeSet<&str> = ENGINES.iter().map(|d| d.id).collect();
        assert_eq!(names.len(), ENGINES.len());
        assert!(names.iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        assert!(descriptor("yara").is_some() && descriptor("YARA").is_none());
    }

    #[test]
    fn every_engine_names_its_rules_and_their_date() {
        let signatures = Signatures::built_in().unwrap();
        for descriptor in ENGINES {
            let provenance = match descriptor.home {
                Home::ScanJail { provenance, .. } => provenance(&signatures),
                Home::Station { open } => open(&signatures).provenance(),
                Home::Outside { .. } => continue,
                Home::Facts { provenance, .. } => provenance(),
            };
            assert_eq!(provenance.engine.as_str(), descriptor.id);
            assert!(!provenance.version.is_empty() && !provenance.rules_id.is_empty(), "{provenance:?}");
            let dated = provenance.rules_date.len() == 10 || matches!(descriptor.home, Home::Facts { .. });
            assert!(provenance.rules.is_some() && dated, "{provenance:?}");
        }
    }

    /// The standard policy asks for engines by name.
    #[test]
    fn the_engines_that_policy_requires_exist() {
        for name in &model::Policy::standard().engines.required {
            assert!(descriptor(name).is_some(), "{name}");
        }
    }
}
