//! The way of a file, from intake to release. Every face runs this and nothing else.

use crate::StationError;
use crate::canaries::CanaryResult;
use crate::inputs::Entry;
use crate::intake::{Intake, IntakeError, digest_of, take_in};
use crate::journal::Report;
use crate::names::{Allocator, Planned, folder_keys, groups};
use crate::outbox::Outbox;
use crate::policy::LoadedPolicy;
use crate::quarantine::Quarantine;
use crate::record;
use crate::roles::{
    Made, RECONSTRUCT, ReconstructAnswer, ReconstructJob, VERIFY, VerifyAnswer, VerifyError, VerifyJob,
};
use crate::scan::{EngineSet, Object, Scanned};
use crate::tokens::{CleanScan, Verified, release};
use jail::{Done, Growing, Job, JobFailure, JobLimits, Launcher, Sealed, SpoolDir, Usage, Zygote};
use model::{Digest, FindingAction, Findings, Outcome, OutputRow, Policy, Reason, ReasonCode, ReportLine, Stale};
use rayon::prelude::*;
use signatures::Signatures;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

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
    /// The time by which the rules' age is told.
    pub now: SystemTime,
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

/// A running station: its jails are up and its engines are loaded.
pub struct Station {
    policy: LoadedPolicy,
    reconstruct: Zygote,
    verify: Zygote,
    engines: EngineSet,
    spool: SpoolDir,
    threads: rayon::ThreadPool,
    nonce: AtomicU64,
    fixed_point: bool,
    hold: Option<Reason>,
}

/// The right to send files through the lane: a station gives it out when its canaries came through.
pub struct Session<'a>(&'a Station);

impl Session<'_> {
    /// Cleans every entry. Each ends in exactly one line; `stop` ends the run early, and the entries that were not
    /// begun say so.
    pub fn run(&self, entries: &[Entry], to: &Destination<'_>, progress: &dyn Progress, stop: &AtomicBool) -> Run {
        self.0.run(entries, to, progress, stop)
    }
}

/// Where a run's files go.
pub struct Destination<'a> {
    /// The outbound share.
    pub outbox: &'a Outbox,
    /// Where originals of withheld files go, if anywhere.
    pub quarantine: Option<&'a Quarantine>,
    /// The report's journal, if one is kept.
    pub report: Option<&'a Report>,
}

impl Station {
    /// Starts the jails and the engines. Nothing is opened before every layer of the sandbox stands.
    ///
    /// # Errors
    /// [`StationError`] with what to do next.
    pub fn start(settings: Settings) -> Result<Self, StationError> {
        let Settings { policy, jobs, spool, fixed_point, launcher, now } = settings;
        let zygote = |role| Zygote::start(&launcher, role).map_err(|e| StationError::Jail(e.to_string()));
        let (reconstruct, verify) = (zygote(RECONSTRUCT)?, zygote(VERIFY)?);
        let place = |source| StationError::Place { what: "spool", path: spool.clone(), source };
        let spool = std::fs::create_dir_all(&spool).and_then(|()| SpoolDir::new(&spool)).map_err(place)?;
        let signatures = Signatures::built_in()
            .map_err(|error| StationError::Engine { engine: "signatures".into(), message: error.to_string() })?;
        let engines = EngineSet::start(&launcher, &spool, jobs, &policy.policy, &signatures)?;
        let hold = stale(&engines, &policy.policy, now)?;
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .thread_name(|n| format!("station-{n}"))
            .build()
            .map_err(|e| StationError::Jail(e.to_string()))?;
        let nonce = AtomicU64::new(1);
        Ok(Self { policy, reconstruct, verify, engines, spool, threads, nonce, fixed_point, hold })
    }

    /// The engines that look, for a face to show.
    #[must_use]
    pub fn engines(&self) -> &EngineSet {
        &self.engines
    }

    /// The Landlock ABI that the jails stand on.
    #[must_use]
    pub fn landlock_abi(&self) -> i32 {
        self.reconstruct.sandbox().landlock_abi
    }

    /// Begins a session: the canaries go through the lane first.
    ///
    /// # Errors
    /// [`StationError::OutOfService`] with the canary that was missed; the next call asks them again.
    pub fn session(&self) -> Result<Session<'_>, StationError> {
        let missed = |result: CanaryResult| result.missed.map(|why| format!("{}: {why}", result.name));
        match self.canaries()?.into_iter().find_map(missed) {
            Some(canary) => Err(StationError::OutOfService { canary }),
            None => Ok(Session(self)),
        }
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

    fn run(&self, entries: &[Entry], to: &Destination<'_>, progress: &dyn Progress, stop: &AtomicBool) -> Run {
        let planned: Vec<Planned> = entries.iter().map(|entry| Planned::of(&entry.shown)).collect();
        let (groups, folders) = (groups(&planned), folder_keys(&planned));
        let (done, lines) = (AtomicUsize::new(0), Mutex::new(vec![None; entries.len()]));
        let clean_group = |group: &Vec<usize>| {
            let mut names = Allocator::new(&folders);
            for index in group {
                let (Some(entry), Some(plan)) = (entries.get(*index), planned.get(*index)) else { continue };
                let line = self.clean(entry, plan, &mut names, to, stop);
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
    ) -> ReportLine {
        let mut line = record::unjudged(&entry.shown);
        if stop.load(Ordering::Relaxed) {
            let reason = Reason::new(ReasonCode::Interrupted, "the run was stopped before this file was judged");
            record::withhold(&mut line, Outcome::Failed, reason);
            return self.ended(line, None, to);
        }
        let started = Instant::now();
        let intake = match take_in(entry, &self.spool, self.policy.policy.limits.input_bytes) {
            Ok(intake) => intake,
            Err(error) => {
                let (outcome, reason) = intake_refusal(error);
                record::withhold(&mut line, outcome, reason);
                return self.ended(line, None, to);
            }
        };
        line.ms.intake = millis(started);
        line.sha256 = Some(intake.digest);
        line.size = intake.sealed.len();
        if let Some(reason) = &self.hold {
            record::withhold(&mut line, Outcome::Blocked, reason.clone());
        } else if let Err((outcome, reason)) = self.judge(&mut line, &intake, plan, names, to) {
            record::withhold(&mut line, outcome, reason);
        }
        self.ended(line, Some(&intake), to)
    }

    /// Scan and reconstruct side by side, then verify and scan the output side by side, then release.
    pub(crate) fn judge(
        &self,
        line: &mut ReportLine,
        intake: &Intake,
        plan: &Planned,
        names: &mut Allocator<'_>,
        to: &Destination<'_>,
    ) -> Result<(), (Outcome, Reason)> {
        let input = Object { sealed: &intake.sealed, offset: 0, len: intake.sealed.len(), name: "the input" };
        let (timed_scan, timed_job) = rayon::join(
            || timed(|| self.engines.scan(&input, Some(intake.digest))),
            || timed(|| self.reconstruct(&plan.name, &intake.sealed)),
        );
        let ((mut scanned, scan_ms), (job, reconstruct_ms)) = (timed_scan, timed_job);
        line.ms.scan = scan_ms;
        line.ms.reconstruct = reconstruct_ms;
        record::engines(line, &scanned);
        let rebuilt = job.map_err(|failure| record::jail_failure(&failure));
        if let Ok(done) = &rebuilt {
            spent(line, &done.usage);
            let (exported, ms) = timed(|| self.scan_exports(done));
            line.ms.scan += ms;
            scanned.absorb(exported);
            record::engines(line, &scanned);
        }
        // A detection outweighs whatever else there is to say about the file.
        if scanned.is_malicious() {
            return Err(refused(&scanned));
        }
        let done = rebuilt?;
        let answer = ReconstructAnswer::read(&done.answer).map_err(protocol)?;
        line.format = Some(answer.format);
        line.ms.identify = answer.identify_ms;
        line.findings = with_names(answer.findings, plan);
        line.children = answer.children;
        let made = answer.result?;
        if !scanned.not_scanned.is_empty() {
            return Err(refused(&scanned));
        }
        let output = self.output(done.output)?;
        let digest = digest_of(&output).map_err(|e| station(&e))?;
        let known = (digest == intake.digest).then_some(&scanned);
        let (verified, clean) = self.prove(line, output, digest, made, known)?;
        self.release(line, &verified, clean, made, plan, names, to)
    }

    fn reconstruct(&self, name: &str, input: &Sealed) -> Result<Done, JobFailure> {
        let (policy, fixed_point) = (self.policy.policy.clone(), self.fixed_point);
        let job = ReconstructJob { name: name.to_owned(), policy, fixed_point };
        self.job(&self.reconstruct, input, &job)
    }

    fn job(&self, zygote: &Zygote, input: &Sealed, header: &impl serde::Serialize) -> Result<Done, JobFailure> {
        let header = serde_json::to_vec(header).map_err(|e| JobFailure::Station(e.into()))?;
        let limits = &self.policy.policy.limits;
        let limits = JobLimits {
            memory_bytes: limits.memory_bytes,
            cpu_seconds: u64::from(limits.seconds),
            wall: Duration::from_secs(u64::from(limits.seconds)),
            output_bytes: limits.expanded_bytes,
            spool_bytes: limits.expanded_bytes,
        };
        zygote.run(Job { input, header: &header, limits, spool: &self.spool })
    }

    /// Exported objects are scanned like files: members, decoded layers, what was dropped.
    fn scan_exports(&self, done: &Done) -> Scanned {
        let scan = |export: &jail::Export| {
            let name = format!("{} (depth {})", export.name, export.depth);
            let (sealed, offset, len) = (&done.spool, export.offset, export.len);
            self.engines.scan(&Object { sealed, offset, len, name: &name }, None)
        };
        done.exports.par_iter().map(scan).reduce(Scanned::default, Scanned::and)
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
        output: Sealed,
        digest: Digest,
        made: Made,
        known: Option<&Scanned>,
    ) -> Result<(Verified, CleanScan), (Outcome, Reason)> {
        let nonce = self.nonce.fetch_add(1, Ordering::Relaxed);
        let asked = VerifyJob { nonce, dialect: made.format, policy: self.policy.policy.clone() };
        let object = Object { sealed: &output, offset: 0, len: output.len(), name: "the output" };
        let scan = || known.cloned().map_or_else(|| timed(|| self.engines.scan(&object, Some(digest))), |s| (s, 0.0));
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
        let mut intent = |path: &str| to.report.map_or(Ok(()), |report| report.intent(&input, path, digest));
        let mut next = |from| names.next(plan, made.format, from);
        let placed = release(verified, clean, to.outbox, &plan.folders, &mut next, &mut intent)
            .map_err(|error| (Outcome::Failed, Reason::new(ReasonCode::Station, &error.to_string())))?;
        let size = verified.file().len();
        let (format, method) = (made.format, made.method);
        record::released(line, OutputRow { path: placed.path, sha256: digest, size, format, method });
        line.ms.release = millis(started);
        Ok(())
    }

    /// The end of every line: quarantine where it was withheld, and the journal.
    fn ended(&self, mut line: ReportLine, intake: Option<&Intake>, to: &Destination<'_>) -> ReportLine {
        if let (Some(quarantine), Some(intake), Some(reason)) = (to.quarantine, intake, line.reason.clone())
            && let Err(error) = quarantine.keep(&intake.sealed, intake.digest, &line.input, &reason)
        {
            let text = format!("{} (and the quarantine cannot be written: {error})", reason.text);
            record::withhold(&mut line, Outcome::Failed, Reason::new(ReasonCode::Station, &text));
        }
        if let Some(report) = to.report
            && let Err(error) = report.done(&line)
            && line.verdict != Outcome::Released
        {
            let text = format!("the report's journal cannot be written: {error}");
            record::withhold(&mut line, Outcome::Failed, Reason::new(ReasonCode::Station, &text));
        }
        line
    }
}

/// Rules that are older than policy allows: a reason to hold every file, an error, or nothing.
fn stale(engines: &EngineSet, policy: &Policy, now: SystemTime) -> Result<Option<Reason>, StationError> {
    let allowed_days = policy.engines.max_rule_age;
    for (engine, date) in engines.rule_dates() {
        let age_days = days_since(&date, now);
        if age_days <= u64::from(allowed_days) {
            continue;
        }
        match policy.engines.stale {
            Stale::Warn => {}
            Stale::Hold => {
                let text = format!(
                    "the rules of {engine} are {age_days} days old, the policy allows {allowed_days}; update them first"
                );
                return Ok(Some(Reason::new(ReasonCode::NotScanned, &text)));
            }
            Stale::Stop => return Err(StationError::Stale { engine, age_days, allowed_days }),
        }
    }
    Ok(None)
}

/// Whole days from `date` (`YYYY-MM-DD`) to `now`; a date that is none is infinitely old.
fn days_since(date: &str, now: SystemTime) -> u64 {
    let today = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs() / 86_400);
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (Some(Some(year)), Some(Some(month)), Some(Some(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return u64::MAX;
    };
    let Some(built) = days_from_civil(year, month, day) else { return u64::MAX };
    today.saturating_sub(built)
}

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar; `None` before that or where it is no day.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let before_march = i64::from(month <= 2);
    let year = year.checked_sub(before_march)?;
    let leap_days = year.checked_div(4)?.checked_sub(year.checked_div(100)?)?.checked_add(year.checked_div(400)?)?;
    // The year is counted from March, so that the leap day is its last.
    let march_month = month.checked_add(9)?.checked_rem(12)?;
    let in_year = march_month.checked_mul(153)?.checked_add(2)?.checked_div(5)?.checked_add(day)?.checked_sub(1)?;
    let days = year.checked_mul(365)?.checked_add(leap_days)?.checked_add(in_year)?.checked_sub(719_468)?;
    u64::try_from(days).ok()
}

fn with_names(findings: Vec<model::Finding>, plan: &Planned) -> Vec<model::Finding> {
    let mut all = Findings::new();
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
        IntakeError::Entry(reason) => {
            let judged = matches!(reason.code, ReasonCode::SymbolicLink | ReasonCode::SpecialFile);
            (if judged { Outcome::Blocked } else { Outcome::Failed }, reason)
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_rules_is_told_in_days() {
        let at = |days: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + 3_600);
        assert_eq!(days_from_civil(1970, 1, 1), Some(0));
        assert_eq!(days_from_civil(2000, 3, 1), Some(11_017));
        assert_eq!(days_from_civil(2024, 2, 29), Some(19_782));
        assert_eq!(days_since("2024-02-29", at(19_792)), 10);
        assert_eq!(days_since("2024-02-29", at(1)), 0, "rules from the future are not old");
        for no_date in ["", "yesterday", "2024-13-01", "2024-01-01-01"] {
            assert_eq!(days_since(no_date, at(20_000)), u64::MAX, "{no_date}");
        }
    }
}
