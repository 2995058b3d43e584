//! How an engine is: starting, ready, degraded or down, and why. An engine that is down is asked again after a while that
//! doubles each time, so that it comes back without a restart.

use engines::Answer;
use model::EngineVerdict;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ours: a daemon that is being restarted is back about then.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Ours: nobody waits longer for an engine that is up again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not asked yet.
    Starting,
    /// Its last answer was one.
    Ready,
    /// It is there, but its last answer was none.
    Degraded,
    /// It is not there.
    Down,
}

/// What an engine has done since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// Objects it was asked about.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects in which it found something.
    pub detections: u64,
    /// Objects that it did not scan.
    pub failures: u64,
    /// Wall-clock milliseconds, of all objects.
    pub ms: f64,
}

/// How one engine is, for a face to show.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineHealth {
    /// Its id.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// Name or number of its rules.
    pub rules_id: String,
    /// Their date (`YYYY-MM-DD`); empty where nobody can tell.
    pub rules_date: String,
    /// Whether it tells that date at all; where it does not, its age is held against nobody.
    pub tells_age: bool,
    /// How it is.
    pub state: State,
    /// Why it is degraded or down.
    pub reason: Option<String>,
    /// What it has done.
    pub counters: Counters,
}

/// The health of one engine.
pub(super) struct Health(Mutex<Inner>);

struct Inner {
    state: State,
    reason: Option<String>,
    pause: Duration,
    /// When it may be looked for again, while it is down.
    next: Instant,
    counters: Counters,
}

impl Health {
    pub(super) fn new() -> Self {
        let counters = Counters::default();
        Self(Mutex::new(Inner {
            state: State::Starting,
            reason: None,
            pause: FIRST_PAUSE,
            next: Instant::now(),
            counters,
        }))
    }

    /// A lock that a thread died with still guards numbers that are whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> (State, Option<String>, Counters) {
        let inner = self.lock();
        (inner.state, inner.reason.clone(), inner.counters)
    }

    /// Looks whether the engine is there, whatever was known before.
    pub(super) fn look(&self, check: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        let found = check();
        let mut inner = self.lock();
        match &found {
            Ok(()) => inner.there(),
            Err(why) => inner.down(why),
        }
        found
    }

    /// Whether the engine may be asked now. One that is down is looked for when its pause is over, by one thread at a time.
    pub(super) fn gate(&self, check: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        {
            let mut inner = self.lock();
            match inner.state {
                State::Ready | State::Degraded => return Ok(()),
                State::Down if Instant::now() < inner.next => return Err(inner.why()),
                State::Down => inner.next = later(LONGEST_PAUSE),
                State::Starting => {}
            }
        }
        self.look(check)
    }

    /// Counts an answer. After one that is no scan, `check` says whether the engine is still there.
    pub(super) fn note(&self, answer: &Answer, len: u64, ms: f64, check: impl FnOnce() -> Result<(), String>) {
        let gone = answer.error().map(|why| (why.to_owned(), check()));
        let mut inner = self.lock();
        let count = &mut inner.counters;
        count.objects = count.objects.saturating_add(1);
        count.bytes = count.bytes.saturating_add(len);
        count.ms += ms;
        count.detections = count.detections.saturating_add(u64::from(answer.worst().is_some()));
        count.failures = count.failures.saturating_add(u64::from(answer.verdict() == EngineVerdict::NotScanned));
        match gone {
            None => inner.ready(),
            Some((why, Ok(()))) => inner.set(State::Degraded, Some(why)),
            Some((_, Err(why))) => inner.down(&why),
        }
    }
}

impl Inner {
    fn set(&mut self, state: State, reason: Option<String>) {
        self.state = state;
        self.reason = reason;
    }

    fn ready(&mut self) {
        self.set(State::Ready, None);
        self.pause = FIRST_PAUSE;
    }

    /// It is there; one that failed on its last object has yet to show that it works.
    fn there(&mut self) {
        match self.state {
            State::Degraded => {}
            State::Starting | State::Ready | State::Down => self.ready(),
        }
    }

    fn down(&mut self, why: &str) {
        self.set(State::Down, Some(why.to_owned()));
        self.next = later(self.pause);
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
    }

    fn why(&self) -> String {
        self.reason.clone().unwrap_or_else(|| "it is down".to_owned())
    }
}

fn later(pause: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(pause).unwrap_or(now)
}

/// How many objects an engine looks at side by side.
pub(super) struct Slots {
    /// 0 for as many as there are.
    most: u32,
    taken: Mutex<u32>,
    given_back: Condvar,
}

/// A place at an engine, given back when it is dropped.
pub(super) struct Slot<'a>(&'a Slots);

impl Slots {
    pub(super) fn new(most: u32) -> Self {
        Self { most, taken: Mutex::new(0), given_back: Condvar::new() }
    }

    /// Waits for a place. Every object has its time limit, so every place comes back.
    pub(super) fn take(&self) -> Slot<'_> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while self.most > 0 && *taken >= self.most {
            taken = self.given_back.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken = taken.saturating_add(1);
        Slot(self)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(1);
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn state(health: &Health) -> State {
        health.now().0
    }

    #[test]
    fn an_engine_goes_down_waits_and_comes_back() {
        let health = Health::new();
        assert_eq!(state(&health), State::Starting);
        health.look(|| Ok(())).unwrap();
        health.note(&Answer::not_scanned("odd object", vec![], 0), 7, 1.0, || Ok(()));
        assert_eq!((state(&health), health.now().1.as_deref()), (State::Degraded, Some("odd object")));
        assert!(health.gate(|| panic!("it is there")).is_ok());
        health.look(|| Ok(())).unwrap();
        assert_eq!(state(&health), State::Degraded, "being there is not working");
        health.note(&Answer::scanned(vec![], 7), 7, 1.0, || panic!("it answered"));
        assert_eq!(state(&health), State::Ready);
        health.note(&Answer::not_scanned("gone", vec![], 0), 7, 1.0, || Err("no socket".into()));
        assert_eq!(state(&health), State::Down);
        assert_eq!(health.gate(|| panic!("not yet")), Err("no socket".to_owned()));
        std::thread::sleep(FIRST_PAUSE);
        assert!(health.gate(|| Err("still no socket".into())).is_err());
        std::thread::sleep(FIRST_PAUSE);
        assert!(health.gate(|| panic!("the pause doubled")).is_err());
        std::thread::sleep(FIRST_PAUSE);
        assert!(health.gate(|| Ok(())).is_ok());
        assert_eq!(state(&health), State::Ready);
        let counters = health.now().2;
        assert_eq!((counters.objects, counters.bytes, counters.failures, counters.detections), (3, 21, 2, 0));
    }

    #[test]
    fn no_more_objects_at_a_time_than_there_are_slots() {
        let (slots, now, most) = (Slots::new(3), AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let _slot = slots.take();
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(2));
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}
