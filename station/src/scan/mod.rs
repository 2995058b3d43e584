//! Scanning: every engine of the registry, side by side, on the input, on what was exported from it and on the output.
//!
//! Engines with native code or bytecode run in scan jails: one jail a core, closed before it loads its rules, reused,
//! replaced now and then and whenever it misbehaves. Engines that touch no byte run here.

mod object;
mod pool;
mod scanned;

pub use object::Object;
pub use scanned::Scanned;

use crate::StationError;
use engines::{Answer, Descriptor, ENGINES, Engine, EngineError, Home, Provenance, Sample};
use jail::{Launcher, Sealed, SpoolDir};
use model::{Digest, EngineRow, Policy};
use object::{Alone, Digests, Wanted, digests};
use pool::Pool;
use rayon::prelude::*;
use scanned::row_of;
use signatures::{RuleSet, Signatures};
use std::time::Instant;

/// Makes rules ready with an engine's compiler, or has them ready already.
pub(crate) type CompileRules<'a> =
    dyn Fn(fn(&RuleSet) -> Result<Vec<u8>, EngineError>, &RuleSet) -> Result<Vec<u8>, String> + 'a;

/// The engines of this station, started with one set of signatures. An update starts a second set beside this one and
/// then takes its place.
pub struct EngineSet {
    engines: Vec<Running>,
    spool: SpoolDir,
    seconds: u32,
    wanted: Wanted,
}

enum Running {
    Jails { provenance: Provenance, pool: Box<Pool> },
    Station(Box<dyn Engine>),
}

impl Running {
    fn provenance(&self) -> Provenance {
        match self {
            Self::Jails { provenance, .. } => provenance.clone(),
            Self::Station(engine) => engine.provenance(),
        }
    }
}

impl EngineSet {
    /// Starts every engine of the registry with `signatures`.
    ///
    /// # Errors
    /// [`StationError`] where the policy requires an engine that there is not, or one does not start.
    pub(crate) fn start(
        launcher: &Launcher,
        spool: &SpoolDir,
        jobs: usize,
        policy: &Policy,
        signatures: &Signatures,
        compile_rules: &CompileRules<'_>,
    ) -> Result<Self, StationError> {
        let known: Vec<&str> = ENGINES.iter().map(|descriptor| descriptor.id).collect();
        if let Some(engine) = policy.engines.required.iter().find(|engine| !known.contains(&engine.as_str())) {
            return Err(StationError::UnknownEngine { engine: engine.clone(), known: known.join(", ") });
        }
        let start = |descriptor: &Descriptor| {
            let refuse = |message| StationError::Engine { engine: descriptor.id.to_owned(), message };
            Ok(match descriptor.home {
                Home::Station { open } => Running::Station(open(signatures)),
                Home::ScanJail { provenance, compile, .. } => {
                    let compiled = compile_rules(compile, &signatures.rules).map_err(refuse)?;
                    let rules = Sealed::from_bytes(spool, &compiled).map_err(|error| refuse(error.to_string()))?;
                    let pool = Pool::start(launcher, descriptor.id, rules, jobs).map_err(refuse)?;
                    Running::Jails { provenance: provenance(signatures), pool: Box::new(pool) }
                }
            })
        };
        let engines = ENGINES.iter().map(start).collect::<Result<_, StationError>>()?;
        let wanted = Wanted::by(&signatures.hashes);
        Ok(Self { engines, spool: spool.clone(), seconds: policy.limits.seconds, wanted })
    }

    /// Engine and date of its rules.
    #[must_use]
    pub fn rule_dates(&self) -> Vec<(String, String)> {
        let date = |provenance: Provenance| (provenance.engine.to_string(), provenance.rules_date);
        self.engines.iter().map(|engine| date(engine.provenance())).collect()
    }

    /// Asks all engines about `object` at the same time. `digest` saves hashing it again where it is known.
    #[must_use]
    pub fn scan(&self, object: &Object<'_>, digest: Option<Digest>) -> Scanned {
        let rows: Vec<EngineRow> = match digests(object, digest, self.wanted) {
            Ok(Digests { sha256, md5, sha1 }) => {
                let alone = Alone::new(object, &self.spool);
                let sample = Sample { sha256, md5, sha1, len: object.len, object: &alone, timeout_secs: self.seconds };
                self.engines.par_iter().map(|engine| ask(engine, object, &sample)).collect()
            }
            Err(error) => self.engines.iter().map(|engine| unread(engine, object, &error)).collect(),
        };
        let missing = |row: &EngineRow| row.error.clone().map(|why| (row.engine.clone(), why));
        let not_scanned = rows.iter().filter_map(missing).collect();
        Scanned { rows, not_scanned }
    }
}

fn ask(engine: &Running, object: &Object<'_>, sample: &Sample<'_>) -> EngineRow {
    let started = Instant::now();
    let answer = match engine {
        Running::Jails { pool, .. } => pool.scan(object, sample.timeout_secs),
        Running::Station(engine) => engine.scan(sample),
    };
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    row_of(engine.provenance(), &answer.about(object.len), object, ms)
}

/// Nobody looked: the sealed copy itself could not be read.
fn unread(engine: &Running, object: &Object<'_>, error: &std::io::Error) -> EngineRow {
    let why = format!("the sealed copy cannot be read: {error}");
    row_of(engine.provenance(), &Answer::not_scanned(&why, Vec::new(), 0), object, 0.0)
}
