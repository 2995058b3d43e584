//! The trait that the station sees, and running several engines side by side.

use crate::Answer;
use model::Digest;
use rayon::prelude::*;
use std::os::fd::BorrowedFd;
use std::time::Instant;

/// Stable lower-case name of an engine, as policies and reports write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineId(pub &'static str);

impl std::fmt::Display for EngineId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// Which tool with which rules gave an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The engine.
    pub engine: EngineId,
    /// Its version.
    pub version: &'static str,
    /// Digest of its rules or list.
    pub rules: Digest,
    /// When the rules were written (`YYYY-MM-DD`).
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

/// One sealed object to look at. The station has hashed it; an engine that reads it uses `pread` or opens a file
/// description of its own, since a shared offset makes the second reader see nothing.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// SHA-256 of all bytes, taken from the sealed copy.
    pub sha256: Digest,
    /// Number of bytes.
    pub len: u64,
    /// The sealed copy.
    pub object: BorrowedFd<'a>,
    /// Seconds that one engine may take.
    pub timeout_secs: u32,
}

/// An engine as the station sees it, wherever it runs.
pub trait Engine: Send + Sync {
    /// Its name.
    fn id(&self) -> EngineId;

    /// Which version with which rules.
    fn provenance(&self) -> Provenance;

    /// Looks at one byte string. It writes nothing, takes no container apart and decides nothing. An engine that is
    /// lost answers every call with [`Answer::not_scanned`]; it never leaves its row out.
    fn scan(&self, sample: &Sample<'_>) -> Answer;
}

/// One engine's part in a scan.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who looked, with what.
    pub provenance: Provenance,
    /// What it said, held against the size of the sample.
    pub answer: Answer,
    /// Wall-clock milliseconds.
    pub ms: f64,
}

/// Asks all `engines` at the same time. One row an engine, in the order given, whoever finishes first.
#[must_use]
pub fn side_by_side(engines: &[Box<dyn Engine>], sample: &Sample<'_>) -> Vec<Row> {
    engines
        .par_iter()
        .map(|engine| {
            let start = Instant::now();
            let answer = engine.scan(sample).about(sample.len);
            Row { provenance: engine.provenance(), answer, ms: start.elapsed().as_secs_f64() * 1000.0 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::EngineVerdict;
    use std::os::fd::AsFd;

    struct Says(&'static str, fn(u64) -> Answer);

    impl Engine for Says {
        fn id(&self) -> EngineId {
            EngineId(self.0)
        }
        fn provenance(&self) -> Provenance {
            Provenance {
                engine: self.id(),
                version: "1",
                rules: Digest::new([0; 32]),
                rules_date: "2026-01-31".to_owned(),
            }
        }
        fn scan(&self, sample: &Sample<'_>) -> Answer {
            (self.1)(sample.len)
        }
    }

    #[test]
    fn every_engine_has_its_row_and_a_short_read_is_never_clean() {
        let engines: Vec<Box<dyn Engine>> = vec![
            Box::new(Says("whole", |len| Answer::scanned(vec![], len))),
            Box::new(Says("short", |len| Answer::scanned(vec![], len - 1))),
            Box::new(Says("lost", |_| Answer::not_scanned("gone", vec![], 0))),
        ];
        let null = std::fs::File::open("/dev/null").unwrap();
        let sample = Sample { sha256: Digest::new([0; 32]), len: 9, object: null.as_fd(), timeout_secs: 1 };
        let rows: Vec<_> =
            side_by_side(&engines, &sample).iter().map(|r| (r.provenance.engine.0, r.answer.verdict())).collect();
        assert_eq!(
            rows,
            [
                ("whole", EngineVerdict::Clean),
                ("short", EngineVerdict::NotScanned),
                ("lost", EngineVerdict::NotScanned),
            ]
        );
    }
}
