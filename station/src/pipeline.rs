//! The way of a file, from intake to release. Every face runs this and nothing else.

use crate::StationError;
use crate::canaries::CanaryResult;
use crate::force::{InForce, Starter};
use crate::inputs::Entry;
use crate::intake::{Intake, IntakeError, digest_of, take_in};
use crate::ledger::{SessionLog, Step, file_row};
use crate::names::{Allocator, Planned, folder_keys, groups};
use crate::outbox::{Outbox, OutboxError};
use crate::passwords::read_passwords;
use crate::policy::LoadedPolicy;
use crate::quarantine::{Kept, Quarantine};
use crate::record;
use crate::report::Report;
use crate::roles::{
    Made, RECONSTRUCT, ReconstructAnswer, ReconstructJob, VERIFY, VerifyAnswer, VerifyError, VerifyJob,
};
use crate::scan::{Cache, EngineHealth, EngineSet, Object, Roster, Scanned};
use crate::tokens::{CleanScan, Consent, Verified, release, release_original};
use engines::structure::Noted;
use jail::{Done, Growing, Job, JobFailure, JobLimits, Launcher, Sealed, SpoolDir, Usage, Zygote};
use model::{Digest, FindingAction, Findings, Method, Outcome, OutputRow, Policy, Reason, ReasonCode, ReportLine};
use rayon::prelude::*;
use sanitizer::Passwords;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use zeroize::Zeroizing;

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

/// The right to send files through the lane: a station gives it out when its canaries came through.
pub struct Session<'a> {
    station: &'a Station,
    terms: Terms,
}

/// What a session began with.
pub(crate) struct Terms {
    /// Who must look at every object.
    roster: Roster,
    /// What was handed over for the session, and then the station's own.
    passwords: [Passwords; 2],
}

/// What one file is judged with.
pub(crate) struct Means<'a> {
    /// Who must look at every object.
    pub roster: &'a Roster,
    /// What may be tried on what is encrypted: the file's own passwords, the session's, the station's.
    pub passwords: Vec<Passwords>,
}

impl Terms {
    fn means(&self, own: &Passwords) -> Means<'_> {
        Means { roster: &self.roster, passwords: std::iter::once(own).chain(&self.passwords).cloned().collect() }
    }
}

impl Session<'_> {
    /// What a person should know of this session: of the signatures ([`Station::warnings`]), and engines that were left
    /// out since they could not look at canaries. Every line of the report says it too.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.station.warnings_for(&self.terms)
    }

    /// Takes the passwords that somebody hands over for the files of this session, in the place of earlier ones. They are
    /// tried after those of an entry and before the station's own, stay in memory and end with the session.
    pub fn hand_over(&mut self, passwords: Passwords) {
        let [handed, _] = &mut self.terms.passwords;
        *handed = passwords;
    }

    /// Cleans every entry. Each ends in exactly one line; `stop` ends the run early, and the entries that were not
    /// begun say so.
    pub fn run(&self, entries: &[Entry], to: &Destination<'_>, progress: &dyn Progress, stop: &AtomicBool) -> Run {
        self.station.run(entries, to, progress, stop, &self.terms)
    }

    /// Cleans bytes that the station holds sealed already, as the input `shown`.
    pub(crate) fn run_sealed(&self, shown: &str, intake: Intake, to: &Destination<'_>) -> Run {
        self.station.run_sealed(shown, &intake, to, &self.terms)
    }

    /// Lets an original out as it came in, with the consent of two.
    pub(crate) fn run_original(&self, shown: &str, intake: &Intake, consent: &Consent, to: &Destination<'_>) -> Run {
        self.station.run_original(shown, intake, consent, to, &self.terms)
    }

    pub(crate) fn spool(&self) -> &SpoolDir {
        self.station.spool()
    }

    pub(crate) fn spool_base(&self) -> &Path {
        self.station.spool_base()
    }
}

/// Where a run's files go.
pub struct Destination<'a> {
    /// The outbound share.
    pub outbox: &'a Outbox,
    /// Where originals of withheld files go, if anywhere.
    pub quarantine: Option<&'a Quarantine<'a>>,
    /// The report's journal, if one is kept.
    pub report: Option<&'a Report>,
    /// The session's record in the station's journal. Only canaries, measurements and tests go without.
    pub log: Option<&'a SessionLog<'a>>,
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

    /// Begins a session: the canaries go through the lane first.
    ///
    /// # Errors
    /// [`StationError::OutOfService`] with the canary that was missed; the next call asks them again. What policy says
    /// of rules that have grown too old since the station started.
    pub fn session(&self) -> Result<Session<'_>, StationError> {
        let missed = |result: CanaryResult| result.missed.map(|why| format!("{}: {why}", result.name));
        // What is wrong with a new set is in the warnings, and the old one stays.
        let _ = self.refresh();
        self.force.judge(self.clock.now())?;
        let passwords = [Passwords::default(), self.own_passwords()?];
        let (roster, canaries) = self.muster()?;
        match canaries.into_iter().find_map(missed) {
            Some(canary) => Err(StationError::OutOfService { canary }),
            None => Ok(Session { station: self, terms: Terms { roster, passwords } }),
        }
    }

    /// The passwords that the policy points to, read anew: who changes them need not start the station again.
    fn own_passwords(&self) -> Result<Passwords, StationError> {
        self.policy.policy.passwords.file.as_deref().map_or_else(|| Ok(Passwords::default()), read_passwords)
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

    fn run(
        &self,
        entries: &[Entry],
        to: &Destination<'_>,
        progress: &dyn Progress,
        stop: &AtomicBool,
        terms: &Terms,
    ) -> Run {
        let unrecorded = to.log.and_then(|log| log.received(&inputs_of(entries)).err());
        if let Some(error) = unrecorded {
            let lines = entries.iter().map(|entry| record::unrecorded(&entry.shown, &error)).collect();
            return Run { lines };
        }
        let planned: Vec<Planned> = entries.iter().map(|entry| Planned::of(&entry.shown)).collect();
        let (groups, folders) = (groups(&planned), folder_keys(&planned));
        let (done, lines) = (AtomicUsize::new(0), Mutex::new(vec![None; entries.len()]));
        let clean_group = |group: &Vec<usize>| {
            let mut names = Allocator::new(&folders);
            for index in group {
                let (Some(entry), Some(plan)) = (entries.get(*index), planned.get(*index)) else { continue };
                self.refreshed(to);
                let line = self.clean(entry, plan, &mut names, to, stop, terms);
                let finished = done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                progress.finished(finished, entries.len(), &line);
                if let Ok(mut lines) = lines.lock()
                    && let Some(slot) = lines.get_mut(*index)
                {
                    *slot = Some(line);
                }
            }
        };
        self.threads.install(|| groups.par_iter().with_max_len(1).for_each(clean_group));
        let lines = lines.into_inner().unwrap_or_default();
        // Conservation: an entry that somehow got no line is failed, never forgotten.
        let line_of =
            |(entry, line): (&Entry, Option<ReportLine>)| line.unwrap_or_else(|| record::unjudged(&entry.shown));
        let padded = lines.into_iter().chain(std::iter::repeat_n(None, entries.len()));
        Run { lines: entries.iter().zip(padded).map(line_of).collect() }
    }

    fn clean(
        &self,
        entry: &Entry,
        plan: &Planned,
        names: &mut Allocator<'_>,
        to: &Destination<'_>,
        stop: &AtomicBool,
        terms: &Terms,
    ) -> ReportLine {
        let mut line = record::unjudged(&entry.shown);
        line.warnings = self.warnings_for(terms);
        line.findings.clone_from(&entry.findings);
        if stop.load(Ordering::Relaxed) {
            let reason = Reason::new(ReasonCode::Interrupted, "the run was stopped before this file was judged");
            record::withhold(&mut line, Outcome::Failed, reason);
            return self.ended(line, None, to, stop);
        }
        let started = Instant::now();
        let intake = match take_in(entry, &self.spool, self.policy.policy.limits.input_bytes) {
            Ok(intake) => intake,
            Err(error) => {
                let (outcome, reason) = intake_refusal(error);
                record::withhold(&mut line, outcome, reason);
                return self.ended(line, None, to, stop);
            }
        };
        line.ms.intake = millis(started);
        self.taken(&mut line, &intake, plan, names, to, &terms.means(&entry.passwords));
        self.ended(line, Some(&intake), to, stop)
    }

    fn run_sealed(&self, shown: &str, intake: &Intake, to: &Destination<'_>, terms: &Terms) -> Run {
        let mut line = record::unjudged(shown.as_bytes());
        if let Some(Err(error)) = to.log.map(|log| log.received(std::slice::from_ref(&line.input))) {
            return Run { lines: vec![record::unrecorded(shown.as_bytes(), &error)] };
        }
        line.warnings = self.warnings_for(terms);
        let plan = Planned::of(shown.as_bytes());
        let folders = folder_keys(std::slice::from_ref(&plan));
        let means = terms.means(&Passwords::default());
        self.taken(&mut line, intake, &plan, &mut Allocator::new(&folders), to, &means);
        Run { lines: vec![self.ended(line, Some(intake), to, &AtomicBool::new(false))] }
    }

    /// What is sealed is judged, unless every file is held.
    fn taken(
        &self,
        line: &mut ReportLine,
        intake: &Intake,
        plan: &Planned,
        names: &mut Allocator<'_>,
        to: &Destination<'_>,
        means: &Means<'_>,
    ) {
        line.sha256 = Some(intake.digest);
        line.size = intake.sealed.len();
        if let Err((outcome, reason)) = step(to, line, Step::Sealed) {
            record::withhold(line, outcome, reason);
        } else if let Some(reason) = self.force.hold() {
            record::withhold(line, Outcome::Blocked, reason);
        } else if let Err((outcome, reason)) = self.judge(line, intake, plan, names, to, means) {
            record::withhold(line, outcome, reason);
        }
    }

    /// Scan and reconstruct side by side, then verify and scan the output side by side, then release.
    pub(crate) fn judge(
        &self,
        line: &mut ReportLine,
        intake: &Intake,
        plan: &Planned,
        names: &mut Allocator<'_>,
        to: &Destination<'_>,
        means: &Means<'_>,
    ) -> Result<(), (Outcome, Reason)> {
        // Input, exported objects and output are looked at with the same signatures, whatever comes meanwhile.
        let force = self.force.get();
        let engines = &force.engines;
        let (scanned, answered) = self.look(line, engines, intake, plan, means);
        // A detection outweighs whatever else there is to say about the file.
        if scanned.is_malicious() {
            return Err(refused(&scanned));
        }
        let (done, answer) = answered?;
        line.format = Some(answer.format);
        line.ms.identify = answer.identify_ms;
        line.findings = with_names(std::mem::take(&mut line.findings), answer.findings, plan);
        line.children = answer.children;
        let made = answer.result?;
        if !scanned.not_scanned.is_empty() {
            return Err(refused(&scanned));
        }
        step(to, line, Step::Judged)?;
        let output = self.output(done.output)?;
        let digest = digest_of(&output).map_err(|e| station(&e))?;
        let known = (digest == intake.digest).then_some(&scanned);
        let (verified, clean) = self.prove(line, engines, (output, digest), made, known, means.roster)?;
        self.release(line, &verified, clean, made, plan, names, to)
    }

    /// Engines and the reconstruct jail look at the input, then the engines at everything that came out of it.
    fn look(
        &self,
        line: &mut ReportLine,
        engines: &EngineSet,
        intake: &Intake,
        plan: &Planned,
        means: &Means<'_>,
    ) -> (Scanned, Answered) {
        let roster = means.roster;
        let input = Object { sealed: &intake.sealed, offset: 0, len: intake.sealed.len(), name: "the input" };
        let (timed_scan, timed_job) = rayon::join(
            || timed(|| engines.scan(&input, Some(intake.digest), roster)),
            || timed(|| self.reconstruct(&plan.name, &intake.sealed, &means.passwords)),
        );
        let ((mut scanned, scan_ms), (job, reconstruct_ms)) = (timed_scan, timed_job);
        line.ms.scan = scan_ms;
        line.ms.reconstruct = reconstruct_ms;
        record::engines(line, &scanned);
        let rebuilt = job.map_err(|failure| record::jail_failure(&failure));
        if let Ok(done) = &rebuilt {
            spent(line, &done.usage);
            let (exported, ms) = timed(|| scan_exports(engines, done, roster));
            line.ms.scan += ms;
            scanned.absorb(exported);
            record::engines(line, &scanned);
        }
        let answered = rebuilt.and_then(|done| answer_of(done, &line.input));
        scanned.absorb(judged(engines, &input, &answered));
        record::engines(line, &scanned);
        (scanned, answered)
    }

    /// Lets an original out as it came in. Two persons have agreed to that; here it is only seen that every engine has
    /// looked at it and at all that is in it, and that none calls any of it malicious.
    pub(crate) fn run_original(
        &self,
        shown: &str,
        intake: &Intake,
        consent: &Consent,
        to: &Destination<'_>,
        terms: &Terms,
    ) -> Run {
        let mut line = record::unjudged(shown.as_bytes());
        if let Some(Err(error)) = to.log.map(|log| log.received(std::slice::from_ref(&line.input))) {
            return Run { lines: vec![record::unrecorded(shown.as_bytes(), &error)] };
        }
        line.warnings = self.warnings_for(terms);
        line.sha256 = Some(intake.digest);
        line.size = intake.sealed.len();
        if let Err((outcome, reason)) = self.original(&mut line, intake, consent, to, terms) {
            record::withhold(&mut line, outcome, reason);
        }
        Run { lines: vec![self.ended(line, Some(intake), to, &AtomicBool::new(false))] }
    }

    fn original(
        &self,
        line: &mut ReportLine,
        intake: &Intake,
        consent: &Consent,
        to: &Destination<'_>,
        terms: &Terms,
    ) -> Result<(), (Outcome, Reason)> {
        if let Some(reason) = self.force.hold() {
            return Err((Outcome::Blocked, reason));
        }
        let force = self.force.get();
        let plan = Planned::of(line.input.as_bytes());
        let (scanned, answered) = self.look(line, &force.engines, intake, &plan, &terms.means(&Passwords::default()));
        let clean = CleanScan::mint(intake.digest, &scanned).ok_or_else(|| refused(&scanned))?;
        let (_, answer) = answered?;
        line.format = Some(answer.format);
        line.findings = with_names(std::mem::take(&mut line.findings), answer.findings, &plan);
        line.children = answer.children;
        let (format, method, size) = (answer.format, Method::Original, intake.sealed.len());
        let folders = folder_keys(std::slice::from_ref(&plan));
        let mut names = Allocator::new(&folders);
        let mut intent = |path: &str| {
            let output = OutputRow { path: path.to_owned(), sha256: intake.digest, size, format, method };
            let row = file_row(line, &output).ok_or_else(|| std::io::Error::other("the input has no digest"))?;
            to.log.map_or(Ok(()), |log| log.verified(line, row))
        };
        let mut next = |from| names.next(&plan, format, from);
        let placed = release_original(&intake.sealed, clean, consent, to.outbox, &plan.folders, &mut next, &mut intent)
            .map_err(|error| station(&error))?;
        record::released(line, OutputRow { path: placed.path, sha256: intake.digest, size, format, method });
        Ok(())
    }

    fn reconstruct(&self, name: &str, input: &Sealed, passwords: &[Passwords]) -> Result<Done, JobFailure> {
        let (policy, fixed_point) = (self.jail_policy(), self.fixed_point);
        let job = ReconstructJob { name: name.to_owned(), policy, passwords: passwords.to_vec(), fixed_point };
        self.job(&self.reconstruct, input, &job)
    }

    /// What the jails need of the policy: which programs and servers a site has, and where its passwords lie, is no
    /// business of theirs.
    fn jail_policy(&self) -> Policy {
        let (engines, quarantine) = (model::EnginePolicy::default(), model::QuarantinePolicy::default());
        let policy = self.policy.policy.clone();
        let passwords = model::PasswordPolicy { file: None, ..policy.passwords };
        let (share, evidence) = (model::SharePolicy::default(), model::EvidencePolicy::default());
        Policy { engines, quarantine, passwords, share, evidence, ..policy }
    }

    fn job(&self, zygote: &Zygote, input: &Sealed, header: &impl serde::Serialize) -> Result<Done, JobFailure> {
        // Wiped, since it may hold passwords; with room for all of it, so that it leaves no copies as it grows.
        let mut text = Zeroizing::new(Vec::with_capacity(jail::HEADER_MAX));
        serde_json::to_writer(&mut *text, header).map_err(|e| JobFailure::Station(e.into()))?;
        let limits = &self.policy.policy.limits;
        let limits = JobLimits {
            memory_bytes: limits.memory_bytes,
            cpu_seconds: u64::from(limits.seconds),
            wall: Duration::from_secs(u64::from(limits.seconds)),
            output_bytes: limits.expanded_bytes,
            spool_bytes: limits.expanded_bytes,
        };
        zygote.run(Job { input: input.into(), header: &text, limits, spool: &self.spool })
    }

    /// The sealed output; a job that wrote nothing has an empty one.
    fn output(&self, output: Option<Sealed>) -> Result<Sealed, (Outcome, Reason)> {
        match output {
            Some(output) => Ok(output),
            None => Growing::create(&self.spool, 0).and_then(Growing::seal).map_err(|e| station(&e)),
        }
    }

    /// The second reader and the engines look at the sealed output, side by side. Where the output is the input byte
    /// for byte, the engines have looked at it already (`known`).
    fn prove(
        &self,
        line: &mut ReportLine,
        engines: &EngineSet,
        (output, digest): (Sealed, Digest),
        made: Made,
        known: Option<&Scanned>,
        roster: &Roster,
    ) -> Result<(Verified, CleanScan), (Outcome, Reason)> {
        let nonce = self.nonce.fetch_add(1, Ordering::Relaxed);
        let asked = VerifyJob { nonce, dialect: made.format, policy: self.jail_policy() };
        let object = Object { sealed: &output, offset: 0, len: output.len(), name: "the output" };
        let scan =
            || known.cloned().map_or_else(|| timed(|| engines.scan(&object, Some(digest), roster)), |s| (s, 0.0));
        let (timed_job, timed_scan) = rayon::join(|| timed(|| self.job(&self.verify, &output, &asked)), scan);
        let ((job, verify_ms), (scanned, scan_ms)) = (timed_job, timed_scan);
        line.ms.verify = verify_ms;
        line.ms.scan += scan_ms;
        if known.is_none() {
            let mut rows = Scanned { rows: std::mem::take(&mut line.engines), not_scanned: Vec::new() };
            rows.absorb(scanned.clone());
            line.engines = rows.rows;
        }
        let done = job.map_err(|failure| record::jail_failure(&failure))?;
        spent(line, &done.usage);
        let accepted = VerifyAnswer::accepted(&done.answer, &asked, output.len()).map_err(|error| match error {
            VerifyError::Rejected(rule) => (Outcome::Blocked, Reason::new(ReasonCode::VerifierRejected, &rule)),
            VerifyError::Protocol(what) => protocol(what),
        })?;
        let clean = CleanScan::mint(digest, &scanned).ok_or_else(|| refused(&scanned))?;
        Ok((Verified::mint(accepted, digest, output), clean))
    }

    #[expect(clippy::too_many_arguments, reason = "two tokens, and where they go")]
    fn release(
        &self,
        line: &mut ReportLine,
        verified: &Verified,
        clean: CleanScan,
        made: Made,
        plan: &Planned,
        names: &mut Allocator<'_>,
        to: &Destination<'_>,
    ) -> Result<(), (Outcome, Reason)> {
        let started = Instant::now();
        let input = line.input.clone();
        let digest = verified.digest();
        let (format, method, size) = (made.format, made.method, verified.file().len());
        let mut intent = |path: &str| {
            to.report.map_or(Ok(()), |report| report.intent(&input, path, digest))?;
            let output = OutputRow { path: path.to_owned(), sha256: digest, size, format, method };
            let row = file_row(line, &output).ok_or_else(|| std::io::Error::other("the input has no digest"))?;
            to.log.map_or(Ok(()), |log| log.verified(line, row))
        };
        let mut next = |from| names.next(plan, made.format, from);
        let placed = release(verified, clean, to.outbox, &plan.folders, &mut next, &mut intent)
            .map_err(|error| not_placed(&error))?;
        record::released(line, OutputRow { path: placed.path, sha256: digest, size, format, method });
        line.ms.release = millis(started);
        Ok(())
    }

    /// The end of every line: quarantine where it was withheld, and the journal.
    fn ended(
        &self,
        mut line: ReportLine,
        intake: Option<&Intake>,
        to: &Destination<'_>,
        stop: &AtomicBool,
    ) -> ReportLine {
        if let (Some(quarantine), Some(intake), Some(reason)) = (to.quarantine, intake, line.reason.clone()) {
            let session = to.log.map_or("", SessionLog::id);
            match quarantine.keep(&intake.sealed, &line, session) {
                Ok(Kept::Stored(_) | Kept::Already(_)) => {}
                Ok(Kept::NotKept(why)) => {
                    let text = format!("{} (its original was not kept: {why})", reason.text);
                    line.reason = Some(Reason::new(reason.code, &text));
                    if self.policy.policy.quarantine.full == model::Full::Stop {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                Err(error) => {
                    let text = format!("{} (and its original was not kept: {error})", reason.text);
                    record::withhold(&mut line, Outcome::Failed, Reason::new(ReasonCode::Station, &text));
                }
            }
        }
        if let Some(report) = to.report
            && let Err(error) = report.done(&line)
            && line.verdict != Outcome::Released
        {
            let text = format!("the report's journal cannot be written: {error}");
            record::withhold(&mut line, Outcome::Failed, Reason::new(ReasonCode::Station, &text));
        }
        if let Some(log) = to.log
            && !record::is_undecided(&line)
            && let Err(error) = log.outcome(&line)
            && line.verdict != Outcome::Released
        {
            record::withhold(&mut line, Outcome::Failed, Reason::new(ReasonCode::Station, &error));
        }
        line
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other failure left no file behind")]
fn not_placed(error: &OutboxError) -> (Outcome, Reason) {
    let code = match error {
        OutboxError::Undecided(_) => ReasonCode::Undecided,
        _ => ReasonCode::Station,
    };
    (Outcome::Failed, Reason::new(code, &error.to_string()))
}

fn inputs_of(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| record::unjudged(&entry.shown).input).collect()
}

/// Notes a step in the journal, where one is kept.
fn step(to: &Destination<'_>, line: &ReportLine, step: Step) -> Result<(), (Outcome, Reason)> {
    to.log.map_or(Ok(()), |log| log.step(line, step)).map_err(|error| station(&error))
}

/// Exported objects are scanned like files: members, decoded layers, what was dropped.
fn scan_exports(engines: &EngineSet, done: &Done, roster: &Roster) -> Scanned {
    let scan = |export: &jail::Export| {
        let name = format!("{} (depth {})", export.name, export.depth);
        let (sealed, offset, len) = (&done.spool, export.offset, export.len);
        engines.scan(&Object { sealed, offset, len, name: &name }, None, roster)
    };
    done.exports.par_iter().map(scan).reduce(Scanned::default, Scanned::and)
}

fn open_cache(folder: Option<PathBuf>, policy: &Policy) -> Result<Option<Arc<Cache>>, StationError> {
    let open = |path: PathBuf| {
        let opened = Cache::open(&path, policy);
        opened.map(Arc::new).map_err(|source| StationError::Place { what: "cache", path, source })
    };
    folder.map(open).transpose()
}

type Answered = Result<(Done, ReconstructAnswer), (Outcome, Reason)>;

/// The answer of a reconstruct job. The jail was told the name that was made safe; what deceived is in the one that came.
fn answer_of(done: Done, came_as: &str) -> Answered {
    let mut answer = ReconstructAnswer::read(&done.answer).map_err(protocol)?;
    for fact in sanitizer::facts::names::look(came_as) {
        answer.facts.add(fact, "", "the file's name", 1);
    }
    Ok((done, answer))
}

/// What the engines say that judge by what the reconstruct job noted. A job that did not end noted nothing, which is
/// not the same as that there was nothing.
fn judged(engines: &EngineSet, input: &Object<'_>, answered: &Answered) -> Scanned {
    let noted = answered.as_ref().map_err(|(_, reason)| reason.text.as_str()).map(|(_, answer)| Noted {
        facts: &answer.facts,
        findings: &answer.findings,
        children: &answer.children,
        len: input.len,
    });
    engines.judge(input, noted)
}

fn with_names(known: Vec<model::Finding>, findings: Vec<model::Finding>, plan: &Planned) -> Vec<model::Finding> {
    let mut all = Findings::new();
    for finding in known {
        all.add_count(&finding.id, finding.action, &finding.at, finding.count);
    }
    for id in &plan.changed {
        all.add(id, FindingAction::Neutralised, "the file's name");
    }
    for finding in findings {
        all.add_count(&finding.id, finding.action, &finding.at, finding.count);
    }
    all.into_rows()
}

fn intake_refusal(error: IntakeError) -> (Outcome, Reason) {
    match error {
        IntakeError::Station(text) => (Outcome::Failed, Reason::new(ReasonCode::Station, &text)),
        IntakeError::Entry(reason) => (outcome_of(reason.code), reason),
    }
}

/// What a medium's reader refuses was judged; what it could not read was not.
fn outcome_of(code: ReasonCode) -> Outcome {
    use ReasonCode as R;
    match code {
        R::SymbolicLink
        | R::SpecialFile
        | R::Malformed
        | R::UnsupportedFeature
        | R::NoReconstructor
        | R::BlockedType
        | R::UnknownType
        | R::Encrypted
        | R::Ambiguous
        | R::TypeMismatch
        | R::Policy => Outcome::Blocked,
        R::Detection
        | R::NotScanned
        | R::VerifierRejected
        | R::Limit
        | R::TimeOut
        | R::Crash
        | R::Memory
        | R::Protocol
        | R::Unreadable
        | R::Undecided
        | R::Changed
        | R::Internal
        | R::Station
        | R::Interrupted => Outcome::Failed,
    }
}

fn refused(scanned: &Scanned) -> (Outcome, Reason) {
    let unexplained = || (Outcome::Failed, Reason::new(ReasonCode::NotScanned, "the scan did not end"));
    record::scan_refusal(scanned).unwrap_or_else(unexplained)
}

fn protocol(what: String) -> (Outcome, Reason) {
    (Outcome::Failed, Reason::new(ReasonCode::Protocol, &what))
}

fn station(error: &dyn std::fmt::Display) -> (Outcome, Reason) {
    (Outcome::Failed, Reason::new(ReasonCode::Station, &error.to_string()))
}

fn spent(line: &mut ReportLine, usage: &Usage) {
    line.cpu_ms += usage.cpu.as_secs_f64() * 1000.0;
    line.peak_bytes = line.peak_bytes.max(usage.peak_bytes);
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let result = work();
    (result, millis(started))
}
