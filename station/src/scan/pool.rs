//! The scan jails of one engine: started when they are needed, one a core at most, reused, and replaced after
//! [`MOST_OBJECTS`] objects and whenever they misbehave.

use super::Object;
use engines::{Answer, Request};
use jail::{JobFailure, Launcher, ScanJail, ScanLimits, Sealed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Ours: a jail that has seen this many foreign objects makes room for a fresh one.
const MOST_OBJECTS: u32 = 2_000;
/// Ours: a scan jail holds the rules (346 MB for 8,777 public ones) and maps objects without copying them.
const SCAN_MEMORY_BYTES: u64 = 2 << 30;
/// Ours: 8,777 rules load in six seconds on a busy core.
const LOAD_WALL: Duration = Duration::from_secs(120);
/// Ours: libyara counts whole seconds; the jail's own clock must not strike first.
const GRACE: Duration = Duration::from_secs(5);

/// The scan jails of one engine.
pub(super) struct Pool {
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
    pub(super) fn start(launcher: &Launcher, setup: &'static str, rules: Sealed, most: usize) -> Result<Self, String> {
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

    pub(super) fn scan(&self, object: &Object<'_>, seconds: u32) -> Answer {
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
