//! What engines look for: rule sets and hash lists, with the identity that goes into every record.
//!
//! Here are only texts, digests and the folder they lie in. Nothing is scanned and nothing is compiled: libyara's compiled
//! rules are bytecode, and the engine that makes and loads them is in the crate `engines`. What is trusted is what was
//! built into the executable, and bundles that pinned keys signed.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "tests compute on values of their own"
    )
)]

pub mod bundle;
pub mod hash;
pub mod keys;
mod manifest;
mod own;
mod rule_set;
mod sealed;
pub mod split;
pub mod store;
pub mod trust;

pub use hash::HashSets;
pub use rule_set::{RuleSet, Source};

/// Version of this program, as a bundle's minimum version is held against it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Everything that the engines of a station are fed with.
#[derive(Clone, Debug)]
pub struct Signatures {
    /// Rules for engines that read rules.
    pub rules: RuleSet,
    /// Digests of files that may never pass, and of files that somebody vouches for.
    pub hashes: HashSets,
}

impl Signatures {
    /// What was built into this executable.
    ///
    /// # Errors
    /// [`SignatureError`] where what was built in breaks its own form; a test sees to it that it doesn't.
    pub fn built_in() -> Result<Self, SignatureError> {
        Ok(Self { rules: own::rules()?, hashes: HashSets::new(vec![own::known_bad()?]) })
    }
}

/// Why a rule set or a list is refused. One bad line refuses the whole: a list that is half there looks complete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The manifest beside the rules or lists.
    #[error("manifest: {what}")]
    Manifest {
        /// What is wrong with it.
        what: String,
    },
    /// A list of digests, or the index made of it.
    #[error("hash list: {what}")]
    HashIndex {
        /// What is wrong with it.
        what: String,
    },
    /// The set of rule files.
    #[error("rule set: {what}")]
    RuleSet {
        /// What is wrong with it.
        what: String,
    },
}
