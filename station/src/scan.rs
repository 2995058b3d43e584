//! Scanning: every engine of the registry, side by side, on the input, on what was exported from it and on the output.
//!
//! Engines with native code or bytecode run in scan jails: one jail a core, closed before it loads its rules, reused,
//! replaced after [`MOST_OBJECTS`] objects and whenever it misbehaves. Engines that touch no byte run here.
//!
//! The verdict of a scan is a pair: the worst detection, and who did not look. An ordering of the two would let one
//! hide the other.

use crate::StationError;
use engines::{Answer, Descriptor, ENGINES, Engine, Home, Provenance, Request, Sample};
use jail::{JobFailure, Launcher, ScanJail, ScanLimits, Sealed, SpoolDir};
use model::{Digest, EngineRow, EngineVerdict, Match, Policy};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use signatures::Signatures;
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ours: a jail that has seen this many foreign objects makes room for a fresh one.
const MOST_OBJECTS: u32 = 2_000;
/// Ours: a scan jail holds the rules (346 MB for 8,777 public ones) and maps objects without copying them.
const SCAN_MEMORY_BYTES: u64 = 2 << 30;
/// Ours: 8,777 rules load in six seconds on a busy core.
const LOAD_WALL: Duration = Duration::from_secs(120);
/// Ours: libyara counts whole seconds; the jail's own clock must not strike first.
const GRACE: Duration = Duration::from_secs(5);

/// Something to look at: a range of sealed bytes.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// The sealed bytes.
    pub sealed: &'a Sealed,
    /// Where the object begins in them.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// What the report calls it.
    pub name: &'a str,
}

/// What all engines said about one object or several.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// One row an engine, in the registry's order.
    pub rows: Vec<EngineRow>,
    /// Engines that did not look at all bytes, and why.
    pub not_scanned: Vec<(String, String)>,
}

impl Scanned {
    /// Whether any engine calls anything malicious, whatever the others did.
    #[must_use]
    pub fn is_malicious(&self) -> bool {
        self.rows.iter().any(|row| row.verdict == EngineVerdict::Malicious || row.matches.iter().any(|m| m.malicious))
    }

    /// Takes over what was said about another object of the same input.
    pub fn absorb(&mut self, other: Self) {
        for row in other.rows {
            match self.rows.iter_mut().find(|known| known.engine == row.engine) {
                Some(known) => merge(known, row),
                None => self.rows.push(row),
            }
        }
        self.not_scanned.extend(other.not_scanned);
    }

    /// [`Scanned::absorb`] for folds.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.absorb(other);
        self
    }
}

/// Ours: matches that one row lists; a person reads the first few.
const MOST_MATCHES: usize = 64;

/// `bytes` stays that of the first object, the input: what was exported from it is counted in its own right.
fn merge(known: &mut EngineRow, row: EngineRow) {
    known.verdict = known.verdict.max(row.verdict);
    known.ms += row.ms;
    known.error = known.error.take().or(row.error);
    let room = MOST_MATCHES.saturating_sub(known.matches.len());
    for found in row.matches.into_iter().take(room) {
        if !known.matches.contains(&found) {
            known.matches.push(found);
        }
    }
}

/// The engines of this station, started.
pub struct EngineSet {
    engines: Vec<Running>,
    seconds: u32,
}

struct Running {
    provenance: Provenance,
    home: RunningHome,
}

enum RunningHome {
    Jails(Pool),
    Station(Box<dyn Engine>),
}

impl EngineSet {
    /// Starts every engine of the registry with the built-in signatures.
    ///
    /// # Errors
    /// [`StationError`] where the policy requires an engine that there is not, or one does not start.
    pub(crate) fn start(
        launcher: &Launcher,
        spool: &SpoolDir,
        jobs: usize,
        policy: &Policy,
    ) -> Result<Self, StationError> {
        let known: Vec<&str> = ENGINES.iter().map(|descriptor| descriptor.id.0).collect();
        if let Some(engine) = policy.engines.required.iter().find(|engine| !known.contains(&engine.as_str())) {
            return Err(StationError::UnknownEngine { engine: engine.clone(), known: known.join(", ") });
        }
        let refuse = |message: String| StationError::Engine { engine: "signatures".into(), message };
        let signatures = Signatures::built_in().map_err(|error| refuse(error.to_string()))?;
        let start = |descriptor: &Descriptor| {
            let refuse = |message| StationError::Engine { engine: descriptor.id.to_string(), message };
            let home = match descriptor.home {
                Home::Station { open } => RunningHome::Station(open(&signatures)),
                Home::ScanJail { compile, .. } => {
                    let compiled = compile(&signatures.rules).map_err(|error| refuse(error.to_string()))?;
                    let rules = Sealed::from_bytes(spool, &compiled).map_err(|error| refuse(error.to_string()))?;
                    let pool = Pool::start(launcher, descriptor.id.0, rules, jobs).map_err(refuse)?;
                    RunningHome::Jails(pool)
                }
            };
            Ok(Running { provenance: (descriptor.provenance)(&signatures), home })
        };
        let engines = ENGINES.iter().map(start).collect::<Result<_, StationError>>()?;
        Ok(Self { engines, seconds: policy.limits.seconds })
    }

    /// Engine and date of its rules.
    #[must_use]
    pub fn rule_dates(&self) -> Vec<(String, String)> {
        self.engines.iter().map(|e| (e.provenance.engine.to_string(), e.provenance.rules_date.clone())).collect()
    }

    /// Asks all engines about `object` at the same time. `digest` saves hashing it again where it is known.
    #[must_use]
    pub fn scan(&self, object: &Object<'_>, digest: Option<Digest>) -> Scanned {
        let digest = match digest.map_or_else(|| digest_of_range(object), Ok) {
            Ok(digest) => digest,
            Err(error) => return self.unread(object, &error),
        };
        let rows: Vec<EngineRow> = self.engines.par_iter().map(|engine| self.ask(engine, object, digest)).collect();
        let missing = |row: &EngineRow| row.error.clone().map(|why| (row.engine.clone(), why));
        let not_scanned = rows.iter().filter_map(missing).collect();
        Scanned { rows, not_scanned }
    }

    /// Nobody looked: the sealed copy itself could not be read.
    fn unread(&self, object: &Object<'_>, error: &std::io::Error) -> Scanned {
        let row = |engine: &Running| {
            let answer = Answer::not_scanned(&format!("the sealed copy cannot be read: {error}"), Vec::new(), 0);
            row_of(&engine.provenance, answer, object, 0.0)
        };
        let rows: Vec<EngineRow> = self.engines.iter().map(row).collect();
        let not_scanned = rows.iter().map(|row| (row.engine.clone(), error.to_string())).collect();
        Scanned { rows, not_scanned }
    }

    fn ask(&self, engine: &Running, object: &Object<'_>, sha256: Digest) -> EngineRow {
        let started = Instant::now();
        let answer = match &engine.home {
            RunningHome::Jails(pool) => pool.scan(object, self.seconds),
            RunningHome::Station(engine) => match object.sealed.reopen() {
                Ok(fd) => {
                    engine.scan(&Sample { sha256, len: object.len, object: fd.as_fd(), timeout_secs: self.seconds })
                }
                Err(error) => Answer::not_scanned(&error.to_string(), Vec::new(), 0),
            },
        };
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        row_of(&engine.provenance, answer.about(object.len), object, ms)
    }
}

fn row_of(provenance: &Provenance, answer: Answer, object: &Object<'_>, ms: f64) -> EngineRow {
    let matched = |detection: &engines::Detection| Match {
        rule: detection.rule.clone(),
        object: object.name.to_owned(),
        malicious: detection.severity == engines::Severity::Malicious,
    };
    EngineRow {
        engine: provenance.engine.to_string(),
        version: provenance.version.to_owned(),
        rules: provenance.rules.to_string(),
        rules_date: provenance.rules_date.clone(),
        verdict: answer.verdict(),
        error: answer.error().map(str::to_owned),
        bytes: answer.bytes_read(),
        matches: answer.detections().iter().map(matched).collect(),
        ms,
    }
}

fn digest_of_range(object: &Object<'_>) -> std::io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut block = vec![0u8; usize::try_from(object.len.min(128 * 1024)).unwrap_or(0)];
    let mut done = 0u64;
    while done < object.len {
        let left = object.len.saturating_sub(done);
        let n = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let part = block.get_mut(..n).unwrap_or_default();
        object.sealed.read_exact_at(part, object.offset.saturating_add(done))?;
        hash.update(&*part);
        done = done.saturating_add(n as u64);
    }
    Ok(Digest::new(hash.finalize().into()))
}

/// The scan jails of one engine.
struct Pool {
    launcher: Launcher,
    setup: &'static str,
    rules: Sealed,
    most: usize,
    idle: Mutex<Idle>,
    returned: Condvar,
}

/// Jails that wait for work, and how many there are in all.
struct Idle {
    jails: Vec<Worker>,
    living: usize,
}

struct Worker {
    jail: ScanJail,
    objects: u32,
}

impl Pool {
    /// Starts the first jail, so that rules that do not load stop the station and not a file.
    fn start(launcher: &Launcher, setup: &'static str, rules: Sealed, most: usize) -> Result<Self, String> {
        let idle = Mutex::new(Idle { jails: Vec::new(), living: 0 });
        let pool = Self { launcher: launcher.clone(), setup, rules, most, idle, returned: Condvar::new() };
        let worker = pool.worker()?;
        let mut idle = pool.lock();
        idle.living = 1;
        idle.jails.push(worker);
        drop(idle);
        Ok(pool)
    }

    fn worker(&self) -> Result<Worker, String> {
        let limits = ScanLimits { memory_bytes: SCAN_MEMORY_BYTES, start_wall: LOAD_WALL };
        let jail =
            ScanJail::start(&self.launcher, crate::roles::SCAN, self.setup.as_bytes(), Some(&self.rules), limits);
        Ok(Worker { jail: jail.map_err(|error| error.to_string())?, objects: 0 })
    }

    /// A lock that a thread died with still guards a list of jails that are whole.
    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scan(&self, object: &Object<'_>, seconds: u32) -> Answer {
        let mut worker = match self.take() {
            Ok(worker) => worker,
            Err(why) => return Answer::not_scanned(&why, Vec::new(), 0),
        };
        let request = Request { len: object.len, timeout_secs: seconds }.encode();
        let wall = Duration::from_secs(u64::from(seconds)).saturating_add(GRACE);
        let asked = worker.jail.ask(object.sealed, object.offset, object.len, &request, wall);
        let answer = asked.map_err(|failure: JobFailure| failure.to_string());
        let answer = answer.and_then(|bytes| engines::decode(&bytes).map_err(|error| error.to_string()));
        worker.objects = worker.objects.saturating_add(1);
        match answer {
            Ok(answer) => {
                self.give_back((worker.objects < MOST_OBJECTS).then_some(worker));
                answer
            }
            Err(why) => {
                self.give_back(None);
                Answer::not_scanned(&why, Vec::new(), 0)
            }
        }
    }

    fn take(&self) -> Result<Worker, String> {
        let mut idle = self.lock();
        loop {
            if let Some(worker) = idle.jails.pop() {
                return Ok(worker);
            }
            if idle.living < self.most {
                idle.living = idle.living.saturating_add(1);
                drop(idle);
                return self.worker().inspect_err(|_| self.give_back(None));
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a jail back; `None` where it is to be replaced.
    fn give_back(&self, worker: Option<Worker>) {
        let mut idle = self.lock();
        match worker {
            Some(worker) => idle.jails.push(worker),
            None => idle.living = idle.living.saturating_sub(1),
        }
        self.returned.notify_one();
    }
}
