//! The way of a file, from intake to release. Every face runs this and nothing else.

use crate::StationError;
use crate::force::{InForce, Starter};
use crate::policy::LoadedPolicy;
use crate::record;
use crate::roles::{RECONSTRUCT, VERIFY};
use crate::scan::{Cache, EngineHealth, Roster};
use jail::{Launcher, SpoolDir, Zygote};
use model::{Outcome, Policy, Reason, ReportLine};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Instant, SystemTime};

mod lane;
mod original;
mod run;
mod session;

pub use session::{Destination, Session};
pub(crate) use session::{Means, Terms};

/// What a station is started with.
#[derive(Debug)]
pub struct Settings {
    /// What the zone allows.
    pub policy: LoadedPolicy,
    /// How many files are worked on side by side.
    pub jobs: usize,
    /// A folder of the station's user for copies that are too large for memory.
    pub spool: PathBuf,
    /// Whether an input that is our own dialect already passes as it is. Off only to measure and to test.
    pub fixed_point: bool,
    /// The executable that jails are started from.
    pub launcher: Launcher,
    /// A folder of the station's user where engines' answers are kept between runs, if they are.
    pub cache: Option<PathBuf>,
    /// The time by which the rules' age is told.
    pub now: SystemTime,
    /// The signature store; without one the built-in rules are in force alone.
    pub signatures: Option<PathBuf>,
}

/// Told after each input, from whichever thread finished it.
pub trait Progress: Sync {
    /// `line` is the `done`th of `total`.
    fn finished(&self, done: usize, total: usize, line: &ReportLine);
}

impl Progress for () {
    fn finished(&self, _: usize, _: usize, _: &ReportLine) {}
}

/// Counts over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Inputs.
    pub inputs: usize,
    /// Of them released, blocked and failed; the three add up to `inputs`.
    pub released: usize,
    /// Judged and refused.
    pub blocked: usize,
    /// Could not be judged.
    pub failed: usize,
    /// Failed for a fault of the station itself.
    pub station_faults: usize,
}

/// What a run brought: one line an input, in the inputs' order.
#[derive(Debug)]
pub struct Run {
    /// The report.
    pub lines: Vec<ReportLine>,
}

impl Run {
    /// Counts the outcomes.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let count = |outcome| self.lines.iter().filter(|line| line.verdict == outcome).count();
        Summary {
            inputs: self.lines.len(),
            released: count(Outcome::Released),
            blocked: count(Outcome::Blocked),
            failed: count(Outcome::Failed),
            station_faults: self.lines.iter().filter(|line| record::is_station_fault(line)).count(),
        }
    }
}

/// The time by which the rules' age is told: what it was at the start and what went by since, or what the machine says
/// now, whichever is later. A clock that is set back revives nothing.
struct Clock {
    at_start: SystemTime,
    since: Instant,
}

impl Clock {
    fn now(&self) -> SystemTime {
        let passed = self.at_start.checked_add(self.since.elapsed()).unwrap_or(self.at_start);
        passed.max(SystemTime::now())
    }
}

/// A running station: its jails are up and its engines are loaded.
pub struct Station {
    policy: LoadedPolicy,
    reconstruct: Zygote,
    verify: Zygote,
    force: InForce,
    spool: SpoolDir,
    threads: rayon::ThreadPool,
    nonce: AtomicU64,
    fixed_point: bool,
    clock: Clock,
}

impl Station {
    /// Starts the jails and the engines. Nothing is opened before every layer of the sandbox stands.
    ///
    /// # Errors
    /// [`StationError`] with what to do next.
    pub fn start(settings: Settings) -> Result<Self, StationError> {
        let Settings { policy, jobs, spool, fixed_point, launcher, cache, now, signatures } = settings;
        let zygote = |role| Zygote::start(&launcher, role).map_err(|e| StationError::Jail(e.to_string()));
        let (reconstruct, verify) = (zygote(RECONSTRUCT)?, zygote(VERIFY)?);
        let place = |source| StationError::Place { what: "spool", path: spool.clone(), source };
        let spool = std::fs::create_dir_all(&spool).and_then(|()| SpoolDir::new(&spool)).map_err(place)?;
        let cache = open_cache(cache, &policy.policy)?;
        let (spool_too, terms, store) = (spool.clone(), policy.policy.clone(), signatures);
        let starter = Starter { launcher, spool: spool_too, jobs, policy: terms, store, cache };
        let force = InForce::start(starter, now)?;
        let clock = Clock { at_start: now, since: Instant::now() };
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .thread_name(|n| format!("station-{n}"))
            .build()
            .map_err(|e| StationError::Jail(e.to_string()))?;
        let nonce = AtomicU64::new(1);
        let station = Self { policy, reconstruct, verify, force, spool, threads, nonce, fixed_point, clock };
        // A list that cannot be read is better known now than when somebody stands there.
        station.own_passwords().map(|_| station)
    }

    /// What looks now, for a face to show; a refresh may put something else in its place.
    #[must_use]
    pub fn rule_dates(&self) -> Vec<(String, String)> {
        self.force.get().engines.rule_dates()
    }

    /// What a person should know about the signatures in force although policy lets files pass: too old, expired, signed
    /// by whom nobody trusts any more; a newer set in the store that does not start. Every line of the report that was
    /// judged meanwhile says it too.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.force.warnings()
    }

    fn warnings_for(&self, terms: &Terms) -> Vec<String> {
        let left_out = terms.roster.left_out().iter();
        let left_out = left_out.map(|(engine, why)| format!("the engine {engine} is left out of this session: {why}"));
        self.warnings().into_iter().chain(left_out).collect()
    }

    /// Why policy holds every file, where the signatures in force are such.
    #[must_use]
    pub fn hold(&self) -> Option<Reason> {
        self.force.hold()
    }

    /// Takes over the set that is in force in the signature store, where it is another one. A run does so between two
    /// files; a face that idles does it now and then. Says whether it took one over.
    ///
    /// # Errors
    /// [`StationError`], once for each thing that is wrong; the old set stays in force then, and [`Station::warnings`]
    /// say so for as long as that is so.
    pub fn refresh(&self) -> Result<bool, StationError> {
        self.force.refresh(self.clock.now()).map(|taken| taken.is_some())
    }

    /// [`Station::refresh`], with what came of it in the journal.
    fn refreshed(&self, to: &Destination<'_>) {
        let body = match self.force.refresh(self.clock.now()) {
            Ok(None) => return,
            Ok(Some(set)) => serde_json::json!({ "signatures": set, "taken_over": true }),
            Err(error) => serde_json::json!({
                "signatures": null, "taken_over": false, "error": error.to_string(), "warnings": self.warnings(),
            }),
        };
        // A journal that can't be written withholds the file at its next step.
        let _ = to.log.map(|log| log.configuration(body));
    }

    /// How each engine is, for a face to show.
    #[must_use]
    pub fn health(&self) -> Vec<EngineHealth> {
        self.force.get().engines.health()
    }

    /// Who would have to look at every object of a session that began now.
    pub(crate) fn roster(&self) -> Roster {
        self.force.get().engines.begin()
    }

    /// The same without engines of others that `failed` and that policy does not require.
    pub(crate) fn without(&self, roster: &Roster, failed: &BTreeMap<String, String>) -> Roster {
        self.force.get().engines.without(roster, failed)
    }

    /// The Landlock ABI that the jails stand on.
    #[must_use]
    pub fn landlock_abi(&self) -> i32 {
        self.reconstruct.sandbox().landlock_abi
    }

    pub(crate) fn spool(&self) -> &SpoolDir {
        &self.spool
    }

    pub(crate) fn spool_base(&self) -> &Path {
        self.spool.path().parent().unwrap_or(Path::new("/var/tmp"))
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy.policy
    }

    pub(crate) fn threads(&self) -> &rayon::ThreadPool {
        &self.threads
    }
}

fn open_cache(folder: Option<PathBuf>, policy: &Policy) -> Result<Option<Arc<Cache>>, StationError> {
    let open = |path: PathBuf| {
        let opened = Cache::open(&path, policy);
        opened.map(Arc::new).map_err(|source| StationError::Place { what: "cache", path, source })
    };
    folder.map(open).transpose()
}
