//! Scanning: every engine of the policy, all at once, on the input, on what was exported from it and on the output.
//!
//! Engines with native code or bytecode run in scan jails: one jail a core, closed before it loads its rules, reused,
//! replaced now and then and whenever it misbehaves. Engines that touch no byte run here. Programs of others get a sealed
//! copy, each in a thread of its own that does nothing but wait for them.
//!
//! An engine that was there when the session began must look at every object, whether policy requires it or not: else one
//! file that kills an engine would pass, and all that come after it. One that was absent from the start has a row that says
//! so.

mod cache;
mod health;
mod object;
mod pool;
mod programs;
mod scanned;
mod start;

pub(crate) use cache::Cache;
pub use health::{Counters, EngineHealth, State};
pub use object::Object;
pub use scanned::Scanned;
pub(crate) use start::CompileRules;

use engines::structure::{Judged, Noted};
use engines::{Answer, Engine, Provenance, Sample};
use health::{Health, Slots};
use jail::SpoolDir;
use model::{Digest, EngineRow, EngineVerdict};
use object::{Alone, Digests, Wanted, digests};
use pool::Pool;
use rayon::prelude::*;
use scanned::row_of;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

/// The engines of this station, started with one set of signatures. An update starts a second set beside this one and
/// then takes its place.
pub struct EngineSet {
    engines: Vec<Running>,
    judges: Vec<Judge>,
    spool: SpoolDir,
    seconds: u32,
    required: Vec<String>,
    quorum: usize,
    wanted: Wanted,
    cache: Option<Arc<Cache>>,
}

/// Ids of the engines that must look at every object of a session: those that policy requires, and those that were there
/// when it began. Holds for every set of engines that the session meets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    names: BTreeSet<String>,
    /// Engines that were there and could not look at a canary, and why: they are not asked.
    left_out: BTreeMap<String, String>,
    /// Whether every engine is to look by itself, whatever it said before: canaries ask for it.
    afresh: bool,
}

impl Roster {
    /// The same for objects about which no earlier answer counts.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self { afresh: true, ..self.clone() }
    }

    /// Why engines that are there are left out, by their ids.
    #[must_use]
    pub fn left_out(&self) -> &BTreeMap<String, String> {
        &self.left_out
    }
}

/// An engine that looks at no object, but at what the reconstruct job noted about the input.
struct Judge {
    provenance: Provenance,
    judge: fn(&Noted<'_>) -> Vec<Judged>,
}

/// One engine.
struct Running {
    id: String,
    home: Place,
    health: Health,
    slots: Slots,
}

/// Where it runs.
enum Place {
    Jails { provenance: Provenance, pool: Box<Pool> },
    Station(Box<dyn Engine>),
    Outside(Box<dyn Engine>),
}

impl Running {
    fn new(home: Place) -> Self {
        let most = match &home {
            // The pool counts its jails.
            Place::Jails { .. } | Place::Station(_) => 0,
            Place::Outside(engine) => engine.parallel(),
        };
        let mut running = Self { id: String::new(), home, health: Health::new(), slots: Slots::new(most) };
        running.id = running.provenance().engine.to_string();
        running
    }

    fn provenance(&self) -> Provenance {
        match &self.home {
            Place::Jails { provenance, .. } => provenance.clone(),
            Place::Station(engine) | Place::Outside(engine) => engine.provenance(),
        }
    }

    fn check(&self) -> Result<(), String> {
        match &self.home {
            Place::Jails { .. } => Ok(()),
            Place::Station(engine) | Place::Outside(engine) => engine.check(),
        }
    }

    fn is_outside(&self) -> bool {
        matches!(self.home, Place::Outside(_))
    }

    fn tells_age(&self) -> bool {
        match &self.home {
            Place::Jails { .. } => true,
            Place::Station(engine) | Place::Outside(engine) => engine.tells_age(),
        }
    }

    fn look(&self, object: &Object<'_>, sample: &Sample<'_>) -> Answer {
        let answer = match &self.home {
            Place::Jails { pool, .. } => pool.scan(object, sample.timeout_secs),
            Place::Station(engine) | Place::Outside(engine) => engine.scan(sample),
        };
        answer.about(object.len)
    }

    /// Text of all that decides its answers beside the object, where it can tell.
    fn cache_key(&self) -> Option<String> {
        match &self.home {
            Place::Jails { provenance, .. } => Some(format!("{provenance:?}")),
            // It looks up a digest: so would the cache.
            Place::Station(_) => None,
            Place::Outside(engine) => engine.cache_key().map(|key| format!("{} {key}", self.id)),
        }
    }

    /// What it says about an object, or said before.
    fn answer(&self, object: &Object<'_>, sample: &Sample<'_>, cache: Option<&Cache>) -> Answer {
        let known = cache.and_then(|cache| Some((cache, cache.name(&self.cache_key()?, sample.sha256, sample.len))));
        if let Some(answer) = known.as_ref().and_then(|(cache, name)| cache.get(name)) {
            return answer.about(object.len);
        }
        let started = Instant::now();
        let slot = self.slots.take();
        let answer = self.look(object, sample);
        drop(slot);
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        self.health.note(&answer, object.len, ms, || self.check());
        if let Some((cache, name)) = known {
            cache.put(&name, &answer);
        }
        answer
    }

    /// The row of this engine about one object. There always is one.
    fn row(&self, object: &Object<'_>, sample: &Sample<'_>, roster: &Roster, cache: Option<&Cache>) -> EngineRow {
        let started = Instant::now();
        let millis = || started.elapsed().as_secs_f64() * 1000.0;
        let there = match roster.left_out.get(&self.id) {
            Some(why) => Err(why.clone()),
            None => self.health.gate(|| self.check()),
        };
        let absent = !roster.names.contains(&self.id);
        if let Err(why) = there {
            let why = if absent { format!("absent since the session began: {why}") } else { why };
            let row = row_of(self.provenance(), &Answer::not_scanned(&why, Vec::new(), 0), object, millis());
            return EngineRow { absent, ..row };
        }
        let answer = self.answer(object, sample, cache);
        // One that came back during the session may help, and is not relied on.
        let row = row_of(self.provenance(), &answer, object, millis());
        EngineRow { absent: absent && row.verdict == EngineVerdict::NotScanned, ..row }
    }

    /// Nobody looked: the sealed copy itself could not be read.
    fn unread(&self, object: &Object<'_>, error: &std::io::Error) -> EngineRow {
        let why = format!("the sealed copy cannot be read: {error}");
        row_of(self.provenance(), &Answer::not_scanned(&why, Vec::new(), 0), object, 0.0)
    }
}

impl EngineSet {
    /// The same, with answers that are kept between runs.
    #[must_use]
    pub(crate) fn with_cache(mut self, cache: Option<Arc<Cache>>) -> Self {
        self.cache = cache;
        self
    }

    /// Begins a session: looks which engines are there, all at once.
    #[must_use]
    pub fn begin(&self) -> Roster {
        let there = side_by_side(&self.engines, |engine| engine.health.look(|| engine.check()).is_ok());
        let there = self.engines.iter().zip(there).filter(|(_, there)| *there).map(|(engine, _)| engine.id.clone());
        Roster { names: there.chain(self.required.iter().cloned()).collect(), ..Roster::default() }
    }

    /// The same session without the engines of others that `failed` at canaries, as id and reason: they count as absent
    /// from the start. Engines that policy requires and our own always stay.
    #[must_use]
    pub fn without(&self, roster: &Roster, failed: &BTreeMap<String, String>) -> Roster {
        let may_go = |id: &String| {
            let outside = self.engines.iter().any(|engine| engine.is_outside() && engine.id == *id);
            outside && !self.required.contains(id)
        };
        let mut without = roster.clone();
        for (id, why) in failed.iter().filter(|(id, _)| may_go(id)) {
            without.names.remove(id);
            without.left_out.insert(id.clone(), why.clone());
        }
        without
    }

    /// How each engine is, in the registry's order.
    #[must_use]
    pub fn health(&self) -> Vec<EngineHealth> {
        let health = |engine: &Running| {
            let Provenance { version, rules_id, rules_date, .. } = engine.provenance();
            let (state, reason, counters) = engine.health.now();
            EngineHealth {
                engine: engine.id.clone(),
                version,
                rules_id,
                rules_date,
                tells_age: engine.tells_age(),
                state,
                reason,
                counters,
            }
        };
        self.engines.iter().map(health).collect()
    }

    /// Engine and date of its rules, of every engine that is there and tells it.
    #[must_use]
    pub fn rule_dates(&self) -> Vec<(String, String)> {
        let told = self.engines.iter().filter(|engine| engine.tells_age() && engine.health.now().0 != State::Down);
        told.map(|engine| (engine.id.clone(), engine.provenance().rules_date)).collect()
    }

    /// Asks the engines that look at no object about what the reconstruct job noted; `noted` says why it noted nothing
    /// where it did not come to an end.
    #[must_use]
    pub fn judge(&self, input: &Object<'_>, noted: Result<Noted<'_>, &str>) -> Scanned {
        let mut all = Scanned::default();
        for Judge { provenance, judge } in &self.judges {
            let started = Instant::now();
            let judged = match &noted {
                Ok(noted) => judge(noted),
                Err(why) => vec![(String::new(), Answer::not_scanned(why, Vec::new(), 0))],
            };
            let ms = started.elapsed().as_secs_f64() * 1000.0;
            for (file, answer) in judged {
                let name = if file.is_empty() { input.name } else { file.as_str() };
                all.absorb(Scanned::of(vec![row_of(provenance.clone(), &answer, &Object { name, ..*input }, ms)]));
            }
        }
        all
    }

    /// Asks all engines about `object` at the same time. `digest` saves hashing it again where it is known.
    #[must_use]
    pub fn scan(&self, object: &Object<'_>, digest: Option<Digest>, roster: &Roster) -> Scanned {
        let rows: Vec<EngineRow> = match digests(object, digest, self.wanted) {
            Ok(Digests { sha256, md5, sha1 }) => {
                let alone = Alone::new(object, &self.spool);
                let sample = Sample { sha256, md5, sha1, len: object.len, object: &alone, timeout_secs: self.seconds };
                let cache = self.cache.as_deref().filter(|_| !roster.afresh);
                side_by_side(&self.engines, |engine| engine.row(object, &sample, roster, cache))
            }
            Err(error) => self.engines.iter().map(|engine| engine.unread(object, &error)).collect(),
        };
        let Scanned { rows, mut not_scanned } = Scanned::of(rows);
        let looked = rows.iter().filter(|row| row.verdict != EngineVerdict::NotScanned).count();
        if looked < self.quorum && not_scanned.is_empty() {
            let why = format!("{looked} engines looked at {}, the policy asks for {}", object.name, self.quorum);
            not_scanned.push(("quorum".to_owned(), why));
        }
        Scanned { rows, not_scanned }
    }
}

/// Runs `work` for all engines at once: those outside in threads of their own, which only wait, and the others on the
/// station's. The results come in the engines' order, one for each.
fn side_by_side<T: Send>(engines: &[Running], work: impl Fn(&Running) -> T + Sync) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let waiting: Vec<_> = engines
            .iter()
            .map(|engine| {
                let thread = std::thread::Builder::new().name(engine.id.clone()).stack_size(512 << 10);
                engine.is_outside().then(|| thread.spawn_scoped(scope, move || work(engine)).ok()).flatten()
            })
            .collect();
        // Also those for which there was no thread.
        let mut own = engines
            .par_iter()
            .zip(&waiting)
            .filter(|(_, waiting)| waiting.is_none())
            .map(|(engine, _)| work(engine))
            .collect::<Vec<T>>()
            .into_iter();
        let mut results = Vec::with_capacity(engines.len());
        for (engine, waiting) in engines.iter().zip(waiting) {
            let result = match waiting {
                Some(thread) => thread.join().ok(),
                None => own.next(),
            };
            results.push(result.unwrap_or_else(|| work(engine)));
        }
        results
    })
}
