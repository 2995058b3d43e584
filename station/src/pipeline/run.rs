//! A run: every entry ends in exactly one line.

use super::lane::{millis, outcome_of, station};
use super::session::{Destination, Means, Terms};
use super::{Progress, Run, Station};
use crate::inputs::Entry;
use crate::intake::{Intake, IntakeError, take_in};
use crate::ledger::{SessionLog, Step};
use crate::names::{Allocator, Planned, folder_keys, groups};
use crate::quarantine::Kept;
use crate::record;
use model::{Outcome, Reason, ReasonCode, ReportLine};
use rayon::prelude::*;
use sanitizer::Passwords;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

fn inputs_of(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| record::unjudged(&entry.shown).input).collect()
}

/// Notes a step in the journal, where one is kept.
pub(super) fn step(to: &Destination<'_>, line: &ReportLine, step: Step) -> Result<(), (Outcome, Reason)> {
    to.log.map_or(Ok(()), |log| log.step(line, step)).map_err(|error| station(&error))
}

fn intake_refusal(error: IntakeError) -> (Outcome, Reason) {
    match error {
        IntakeError::Station(text) => (Outcome::Failed, Reason::new(ReasonCode::Station, &text)),
        IntakeError::Entry(reason) => (outcome_of(reason.code), reason),
    }
}

impl Station {
    pub(super) fn run(
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

    pub(super) fn run_sealed(&self, shown: &str, intake: &Intake, to: &Destination<'_>, terms: &Terms) -> Run {
        let mut line = match self.announced(shown, to, terms) {
            Ok(line) => line,
            Err(run) => return run,
        };
        let plan = Planned::of(shown.as_bytes());
        let folders = folder_keys(std::slice::from_ref(&plan));
        let means = terms.means(&Passwords::default());
        self.taken(&mut line, intake, &plan, &mut Allocator::new(&folders), to, &means);
        Run { lines: vec![self.ended(line, Some(intake), to, &AtomicBool::new(false))] }
    }

    /// The line of one input that the station holds already, recorded as received; or the run that ends since it cannot be.
    pub(super) fn announced(&self, shown: &str, to: &Destination<'_>, terms: &Terms) -> Result<ReportLine, Run> {
        let mut line = record::unjudged(shown.as_bytes());
        if let Some(Err(error)) = to.log.map(|log| log.received(std::slice::from_ref(&line.input))) {
            return Err(Run { lines: vec![record::unrecorded(shown.as_bytes(), &error)] });
        }
        line.warnings = self.warnings_for(terms);
        Ok(line)
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

    /// The end of every line: quarantine where it was withheld, and the journal.
    pub(super) fn ended(
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
