//! The trait that the station sees.

use crate::Answer;
use model::Digest;
use std::borrow::Cow;
use std::os::fd::OwnedFd;

/// Stable lower-case name of an engine, as policies and reports write it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineId(Cow<'static, str>);

impl EngineId {
    /// Ours: it stands in a column of a report.
    const MOST_BYTES: usize = 32;

    /// The name of an engine of this build.
    #[must_use]
    pub const fn fixed(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A name from a configuration: a letter, then letters, digits and hyphens, all lower case, 32 bytes at most.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let begins = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        (plain && begins && name.len() <= Self::MOST_BYTES).then(|| Self(Cow::Owned(name.to_owned())))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for EngineId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which tool with which rules gave an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The engine.
    pub engine: EngineId,
    /// Its version.
    pub version: String,
    /// Name or number of its rule set; empty where it has none that it tells.
    pub rules_id: String,
    /// Digest of its rules or list; `None` where only the tool itself has them.
    pub rules: Option<Digest>,
    /// When the rules were written (`YYYY-MM-DD`); empty where nobody can tell, which counts as too old.
    pub rules_date: String,
}

/// Why an engine can't work at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The rules don't compile.
    #[error("rules don't compile: {what}")]
    Compile {
        /// What the compiler says.
        what: String,
    },
    /// The compiled rules can't be loaded.
    #[error("rules can't be loaded: {what}")]
    Load {
        /// What is wrong with them.
        what: String,
    },
    /// There is no engine of this name that a scan jail could run.
    #[error("no engine for a scan jail is called {name:?}")]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
}

/// The sealed bytes of one object.
pub trait Object: Sync {
    /// A read-only open file description of its own, whose file holds the object's bytes and no others: a shared offset
    /// would make the second reader see nothing.
    ///
    /// # Errors
    /// No descriptors left, or the copy of an object inside another can't be made.
    fn open(&self) -> std::io::Result<OwnedFd>;
}

/// One sealed object to look at, which the station has hashed.
#[derive(Clone, Copy)]
pub struct Sample<'a> {
    /// SHA-256 of all bytes, taken from the sealed copy.
    pub sha256: Digest,
    /// MD5 of all bytes, where an engine asks for it.
    pub md5: Option<[u8; 16]>,
    /// SHA-1 of all bytes, where an engine asks for it.
    pub sha1: Option<[u8; 20]>,
    /// Number of bytes.
    pub len: u64,
    /// The sealed copy.
    pub object: &'a dyn Object,
    /// Seconds that one engine may take.
    pub timeout_secs: u32,
}

/// An engine as the station sees it, wherever it runs.
pub trait Engine: Send + Sync {
    /// Which version with which rules. An engine that can change while it runs says what it said last.
    fn provenance(&self) -> Provenance;

    /// Whether it is there and can be asked, with the reason where it can't. Cheap, and free of side effects.
    ///
    /// # Errors
    /// One sentence that says what to do.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// Whether it tells how old its rules are; where it does not, no policy can hold their age against it.
    fn tells_age(&self) -> bool {
        true
    }

    /// How many objects it may look at side by side; 0 for as many as there are.
    fn parallel(&self) -> u32 {
        0
    }

    /// Text that, with the object's digest, decides every answer for as long as it stays the same; `None` where nobody
    /// can tell, and then no answer is kept.
    fn cache_key(&self) -> Option<String> {
        None
    }

    /// Looks at one byte string. It writes nothing, takes no container apart and decides nothing. An engine that is
    /// lost answers every call with [`Answer::not_scanned`]; it never leaves its row out.
    fn scan(&self, sample: &Sample<'_>) -> Answer;
}

#[cfg(test)]
mod tests {
    use super::EngineId;

    #[test]
    fn configured_names_are_plain() {
        for good in ["clamd", "av-2"] {
            assert_eq!(EngineId::named(good).map(|id| id.to_string()).as_deref(), Some(good));
        }
        for bad in ["", "AV", "2av", "-av", "a v", "a_v", "a\n", "é", &"a".repeat(33)] {
            assert_eq!(EngineId::named(bad), None, "{bad}");
        }
    }
}
