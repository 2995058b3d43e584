//! The lane of one file: scan and reconstruct side by side, verify and scan the output, release.

use super::Station;
use super::run::step;
use super::session::{Destination, Means};
use crate::intake::{Intake, digest_of};
use crate::ledger::{Step, file_row};
use crate::names::{Allocator, Planned};
use crate::outbox::OutboxError;
use crate::record;
use crate::roles::{Made, ReconstructAnswer, ReconstructJob, VerifyAnswer, VerifyError, VerifyJob};
use crate::scan::{EngineSet, Object, Roster, Scanned};
use crate::tokens::{CleanScan, Verified, release};
use engines::structure::Noted;
use jail::{Done, Growing, Job, JobFailure, JobLimits, Sealed, Usage, Zygote};
use model::{Digest, FindingAction, Findings, Outcome, OutputRow, Policy, Reason, ReasonCode, ReportLine};
use rayon::prelude::*;
use sanitizer::Passwords;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

#[expect(clippy::wildcard_enum_match_arm, reason = "every other failure left no file behind")]
fn not_placed(error: &OutboxError) -> (Outcome, Reason) {
    let code = match error {
        OutboxError::Undecided(_) => ReasonCode::Undecided,
        _ => ReasonCode::Station,
    };
    (Outcome::Failed, Reason::new(code, &error.to_string()))
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

pub(super) fn with_names(
    known: Vec<model::Finding>,
    findings: Vec<model::Finding>,
    plan: &Planned,
) -> Vec<model::Finding> {
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

/// What a medium's reader refuses was judged; what it could not read was not.
pub(super) fn outcome_of(code: ReasonCode) -> Outcome {
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

pub(super) fn refused(scanned: &Scanned) -> (Outcome, Reason) {
    let unexplained = || (Outcome::Failed, Reason::new(ReasonCode::NotScanned, "the scan did not end"));
    record::scan_refusal(scanned).unwrap_or_else(unexplained)
}

fn protocol(what: String) -> (Outcome, Reason) {
    (Outcome::Failed, Reason::new(ReasonCode::Protocol, &what))
}

pub(super) fn station(error: &dyn std::fmt::Display) -> (Outcome, Reason) {
    (Outcome::Failed, Reason::new(ReasonCode::Station, &error.to_string()))
}

fn spent(line: &mut ReportLine, usage: &Usage) {
    line.cpu_ms += usage.cpu.as_secs_f64() * 1000.0;
    line.peak_bytes = line.peak_bytes.max(usage.peak_bytes);
}

pub(super) fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let result = work();
    (result, millis(started))
}

impl Station {
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
    pub(super) fn look(
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
}
