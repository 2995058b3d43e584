//! What is in force: the engines with their signatures, and whether files are held because of those. A running station
//! takes over a new set between two files; a file that is being judged keeps the set that it began with.

use crate::StationError;
use crate::rules::{self, InUse};
use crate::scan::{Cache, CompileRules, EngineSet};
use jail::{Launcher, SpoolDir};
use model::{Digest, Policy, Reason, ReasonCode, Stale, time};
use signatures::Signatures;
use signatures::store::{Store, StoreError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// Engines that are running with one set.
pub(crate) struct Force {
    pub engines: EngineSet,
    /// Digest of the bundle; none where only the built-in rules are in force.
    set: Option<Digest>,
}

/// What policy makes of the signatures in force.
#[derive(Clone, Debug, Default)]
struct Judgement {
    /// Why every file is held.
    hold: Option<Reason>,
    /// What a person should know although policy lets files pass.
    warning: Option<String>,
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
    fn start(&self, now: u64) -> Result<Force, StationError> {
        let Some(dir) = &self.store else {
            let signatures = Signatures::built_in()
                .map_err(|error| StationError::Engine { engine: "signatures".into(), message: error.to_string() })?;
            let engines = self.engines(&signatures, &|compile, rules| compile(rules).map_err(|e| e.to_string()))?;
            return Ok(Force { engines, set: None });
        };
        let InUse { signatures, compiled, set } = rules::load(dir, &self.launcher, &self.spool, now)?;
        let engines = self.engines(&signatures, &|_, _| Ok(compiled.clone()))?;
        Ok(Force { engines, set })
    }

    /// Whether these signatures may be in force at this time: a set that expired, or whose signer counts no more, is
    /// treated like rules that are too old, and so is one about which the store gives no answer.
    fn trouble(&self, force: &Force, now: u64) -> Option<StationError> {
        let look = |dir: &Path| {
            let store = Store::open(dir)?;
            let time = store.time(now)?;
            let trust = store.trust()?;
            let set = force.set.as_ref().map(|set| store.set(set)).transpose()?;
            Ok((time, set.and_then(|set| set.trouble(&trust, time))))
        };
        let looked: Result<_, StoreError> = self.store.as_deref().map_or(Ok((now, None)), look);
        match looked {
            Ok((_, Some(why))) => Some(StationError::Trouble(why.to_string())),
            Ok((time, None)) => stale(&force.engines, &self.policy, time),
            Err(error) => Some(StationError::Trouble(error.to_string())),
        }
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
    judgement: RwLock<Judgement>,
    /// Why the set that the store has in force is not the one that files are looked at with.
    refused: RwLock<Option<String>>,
    seen: Mutex<Seen>,
}

/// What was last looked at in the store.
struct Seen {
    /// A set that does not start is not tried again for every file.
    set: Option<Digest>,
    /// When trust and expiry were.
    judged: Instant,
}

/// Ours: how long a revocation may take to reach a station that runs.
const JUDGE_EVERY: Duration = Duration::from_secs(2);

impl InForce {
    pub(crate) fn start(starter: Starter, now: SystemTime) -> Result<Self, StationError> {
        let force = starter.start(time::seconds(now))?;
        let judgement = judged(&starter.policy, starter.trouble(&force, time::seconds(now)))?;
        let seen = Seen { set: force.set, judged: Instant::now() };
        Ok(Self {
            starter,
            now: RwLock::new(Arc::new(force)),
            judgement: RwLock::new(judgement),
            refused: RwLock::default(),
            seen: Mutex::new(seen),
        })
    }

    pub(crate) fn get(&self) -> Arc<Force> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why every file is held, if it is.
    pub(crate) fn hold(&self) -> Option<Reason> {
        self.judgement.read().unwrap_or_else(PoisonError::into_inner).hold.clone()
    }

    /// What a person should know although files pass.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let judgement = self.judgement.read().unwrap_or_else(PoisonError::into_inner).warning.clone();
        judgement.into_iter().chain(self.refused.read().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    /// Asks again what policy says of the signatures in force: they age, expire, and lose their signers' trust.
    ///
    /// # Errors
    /// Policy says stop. Files that come all the same are held.
    pub(crate) fn judge(&self, now: SystemTime) -> Result<(), StationError> {
        let result = judged(&self.starter.policy, self.starter.trouble(&self.get(), time::seconds(now)));
        let (judgement, stop) = match result {
            Ok(judgement) => (judgement, Ok(())),
            Err(error) => (Judgement { hold: Some(held(&error)), warning: None }, Err(error)),
        };
        *self.judgement.write().unwrap_or_else(PoisonError::into_inner) = judgement;
        stop
    }

    /// Looks whether the store has another set in force, and takes it over. One at a time: who comes while another
    /// does it goes on with what there is. Says what has changed; what went wrong before is told once.
    ///
    /// # Errors
    /// The store can't be read, or the set does not start: the old one stays, and [`InForce::warnings`] say so.
    pub(crate) fn refresh(&self, now: SystemTime) -> Result<Option<Digest>, StationError> {
        let Some(dir) = &self.starter.store else { return Ok(None) };
        let Ok(mut seen) = self.seen.try_lock() else { return Ok(None) };
        let current = match Store::open(dir).and_then(|store| Ok(store.current()?.map(|current| current.set))) {
            Ok(current) => current,
            Err(error) => return self.refuse("the signature store cannot be read", error.into()),
        };
        if current == seen.set {
            if current == self.get().set {
                *self.refused.write().unwrap_or_else(PoisonError::into_inner) = None;
            }
            if seen.judged.elapsed() > JUDGE_EVERY {
                seen.judged = Instant::now();
                // A policy that says stop now holds every file.
                let _ = self.judge(now);
            }
            return Ok(None);
        }
        seen.set = current;
        let force = match self.starter.start(time::seconds(now)) {
            Ok(force) => force,
            Err(error) => return self.refuse(&format!("{} does not start", named(dir, current.as_ref())), error),
        };
        seen.set = force.set;
        seen.judged = Instant::now();
        let taken = force.set;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(force);
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = None;
        let _ = self.judge(now);
        Ok(taken)
    }

    fn refuse(&self, what: &str, error: StationError) -> Result<Option<Digest>, StationError> {
        let text = format!("{what}, so files are looked at with the signatures from before: {error}");
        let mut refused = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        if refused.as_ref() == Some(&text) {
            return Ok(None);
        }
        *refused = Some(text);
        Err(error)
    }
}

/// A set in words, as far as the store can tell them.
fn named(dir: &Path, set: Option<&Digest>) -> String {
    let Some(set) = set else { return "the built-in set of rules".to_owned() };
    match Store::open(dir).and_then(|store| store.set(set)) {
        Ok(stored) => format!("the set {} number {} ({set})", stored.manifest.id, stored.manifest.sequence),
        Err(_) => format!("the set {set}"),
    }
}

/// Rules that are older than policy allows.
fn stale(engines: &EngineSet, policy: &Policy, now: u64) -> Option<StationError> {
    let allowed_days = policy.engines.max_rule_age;
    engines.rule_dates().into_iter().find_map(|(engine, day)| {
        let age_days = time::age_days(&day, now);
        (age_days > u64::from(allowed_days)).then_some(StationError::Stale { engine, age_days, allowed_days })
    })
}

/// What policy makes of it: a reason to hold every file, a warning, or the end.
fn judged(policy: &Policy, found: Option<StationError>) -> Result<Judgement, StationError> {
    let Some(error) = found else { return Ok(Judgement::default()) };
    match policy.engines.stale {
        Stale::Warn => Ok(Judgement { hold: None, warning: Some(error.to_string()) }),
        Stale::Hold => Ok(Judgement { hold: Some(held(&error)), warning: None }),
        Stale::Stop => Err(error),
    }
}

fn held(error: &StationError) -> Reason {
    Reason::new(ReasonCode::NotScanned, &error.to_string())
}
