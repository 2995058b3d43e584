//! What is in force: the engines with their signatures, and whether files are held because of those. A running station
//! takes over a new set between two files; a file that is being judged keeps the set that it began with.

use crate::StationError;
use crate::rules::{self, InUse};
use crate::scan::{Cache, CompileRules, EngineSet};
use jail::{Launcher, SpoolDir};
use model::{Digest, Policy, Reason, ReasonCode, Stale};
use signatures::store::Store;
use signatures::{Signatures, date};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

/// Engines that are running, and what else their signatures say.
pub(crate) struct Force {
    pub engines: EngineSet,
    /// Why every file is held.
    pub hold: Option<Reason>,
    /// What a person should know although policy lets files pass.
    pub warning: Option<String>,
    /// Digest of the bundle; none where only the built-in rules are in force.
    set: Option<Digest>,
}

/// What it takes to start engines again.
pub(crate) struct Starter {
    pub launcher: Launcher,
    pub spool: SpoolDir,
    pub jobs: usize,
    pub policy: Policy,
    pub store: Option<PathBuf>,
    pub cache: Option<Arc<Cache>>,
}

impl Starter {
    fn start(&self, now: SystemTime) -> Result<Force, StationError> {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let Some(dir) = &self.store else {
            let signatures = Signatures::built_in()
                .map_err(|error| StationError::Engine { engine: "signatures".into(), message: error.to_string() })?;
            let engines = self.engines(&signatures, &|compile, rules| compile(rules).map_err(|e| e.to_string()))?;
            let (hold, warning) = judged(&self.policy, stale(&engines, &self.policy, seconds))?;
            return Ok(Force { engines, hold, warning, set: None });
        };
        let InUse { signatures, compiled, trouble, set, time } =
            rules::load(dir, &self.launcher, &self.spool, seconds)?;
        let engines = self.engines(&signatures, &|_, _| Ok(compiled.clone()))?;
        // A set that expired or whose signer counts no more is treated like rules that are too old.
        let found = trouble.map(StationError::Trouble).or_else(|| stale(&engines, &self.policy, time));
        let (hold, warning) = judged(&self.policy, found)?;
        Ok(Force { engines, hold, warning, set })
    }

    fn engines(&self, signatures: &Signatures, compile: &CompileRules<'_>) -> Result<EngineSet, StationError> {
        let set = EngineSet::start(&self.launcher, &self.spool, self.jobs, &self.policy, signatures, compile)?;
        let set = set.with_cache(self.cache.clone());
        // Engines outside the jails tell the date of their rules only when asked.
        let _ = set.begin();
        Ok(set)
    }
}

/// The one place that says what is in force.
pub(crate) struct InForce {
    starter: Starter,
    now: RwLock<Arc<Force>>,
    /// The set that was last looked at: one that does not start is not tried again for every file.
    seen: Mutex<Option<Digest>>,
}

impl InForce {
    pub(crate) fn start(starter: Starter, now: SystemTime) -> Result<Self, StationError> {
        let force = starter.start(now)?;
        let seen = Mutex::new(force.set);
        Ok(Self { starter, now: RwLock::new(Arc::new(force)), seen })
    }

    pub(crate) fn get(&self) -> Arc<Force> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the rules in force have grown too old since they were taken over, as policy sees it.
    pub(crate) fn aged(&self, now: SystemTime) -> Result<Option<Reason>, StationError> {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let policy = &self.starter.policy;
        judged(policy, stale(&self.get().engines, policy, seconds)).map(|(hold, _)| hold)
    }

    /// Looks whether the store has another set in force, and takes it over. One at a time: who comes while another
    /// does it goes on with what there is.
    pub(crate) fn refresh(&self, now: SystemTime) -> Result<bool, StationError> {
        let Some(dir) = &self.starter.store else { return Ok(false) };
        let Ok(mut seen) = self.seen.try_lock() else { return Ok(false) };
        let current = Store::open(dir)?.current()?.map(|current| current.set);
        if current == *seen {
            return Ok(false);
        }
        *seen = current;
        let force = self.starter.start(now)?;
        *seen = force.set;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(force);
        Ok(true)
    }
}

/// Rules that are older than policy allows.
fn stale(engines: &EngineSet, policy: &Policy, now: u64) -> Option<StationError> {
    let allowed_days = policy.engines.max_rule_age;
    engines.rule_dates().into_iter().find_map(|(engine, day)| {
        let age_days = days_since(&day, now);
        (age_days > u64::from(allowed_days)).then_some(StationError::Stale { engine, age_days, allowed_days })
    })
}

/// What policy makes of it: a reason to hold every file, a warning, or the end.
fn judged(policy: &Policy, found: Option<StationError>) -> Result<(Option<Reason>, Option<String>), StationError> {
    let Some(error) = found else { return Ok((None, None)) };
    match policy.engines.stale {
        Stale::Warn => Ok((None, Some(error.to_string()))),
        Stale::Hold => Ok((Some(Reason::new(ReasonCode::NotScanned, &error.to_string())), None)),
        Stale::Stop => Err(error),
    }
}

/// Whole days from `day` (`YYYY-MM-DD`) to `now` (seconds since 1970); a day that is none is infinitely long ago.
fn days_since(day: &str, now: u64) -> u64 {
    date::days(day).map_or(u64::MAX, |day| (now / 86_400).saturating_sub(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_rules_is_told_in_days() {
        let at = |days: u64| days * 86_400 + 3_600;
        assert_eq!(days_since("2024-02-29", at(19_792)), 10);
        assert_eq!(days_since("2024-02-29", at(1)), 0, "rules from the future are not old");
        for no_date in ["", "yesterday", "2024-13-01", "2024-01-01-01"] {
            assert_eq!(days_since(no_date, at(20_000)), u64::MAX, "{no_date}");
        }
    }
}
