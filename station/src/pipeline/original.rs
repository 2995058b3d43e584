//! An original that leaves the quarantine as it came in, with the consent of two.

use super::lane::{refused, station, with_names};
use super::session::{Destination, Terms};
use super::{Run, Station};
use crate::intake::Intake;
use crate::ledger::file_row;
use crate::names::{Allocator, Planned, folder_keys};
use crate::record;
use crate::tokens::{CleanScan, Consent, release_original};
use model::{Method, Outcome, OutputRow, Reason, ReportLine};
use sanitizer::Passwords;
use std::sync::atomic::AtomicBool;

impl Station {
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
        let mut line = match self.announced(shown, to, terms) {
            Ok(line) => line,
            Err(run) => return run,
        };
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
}
