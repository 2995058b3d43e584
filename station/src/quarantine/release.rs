//! Out of the quarantine: with the team's identity, through the same lane as any file.

use super::item::ORIGINAL;
use super::{Action, Identities, Item, Quarantine, QuarantineError, Refusal, Request, seal};
use crate::canaries::Folder;
use crate::intake::Intake;
use crate::outbox::Outbox;
use crate::pipeline::{Destination, Run, Session};
use crate::tokens::Consent;
use crate::{SessionLog, StationError};
use jail::SpoolDir;
use model::{Outcome, ReportLine};
use serde_json::json;
use std::fs::File;

/// What a release brought.
#[derive(Debug)]
pub struct Released {
    /// One line.
    pub run: Run,
    /// The request that was used.
    pub request: Request,
}

/// What would become of an item today.
#[derive(Debug)]
pub struct Reclean {
    /// Its id.
    pub item: String,
    /// Its line, had it come in now; or why it cannot be opened.
    pub line: Result<ReportLine, QuarantineError>,
}

impl Quarantine<'_> {
    /// Decrypts an original into sealed bytes and holds them against what was kept.
    fn unseal(&self, item: &Item, with: &Identities, spool: &SpoolDir) -> Result<Intake, QuarantineError> {
        self.check(item)?;
        let path = self.folder.join(&item.item).join(ORIGINAL);
        let file = File::open(&path).map_err(|source| super::io(&path, source))?;
        let opened = seal::decrypt(file, with, spool, item.size);
        let (sealed, digest) = opened.map_err(|why| QuarantineError::Usage(format!("{}: {why}", item.item)))?;
        if digest != item.sha256 || sealed.len() != item.size {
            let what = "what is in it is not what was withheld".to_owned();
            return Err(QuarantineError::Damaged { item: item.item.clone(), what });
        }
        Ok(Intake { sealed, digest })
    }

    /// Cleans an item again and releases the rebuilt copy, if the lane lets it pass now and the request that `granted`
    /// gives holds. What is withheld again stays, and the request stays open.
    ///
    /// # Errors
    /// [`QuarantineError`]; nothing was released then.
    pub fn release(
        &self,
        item: &Item,
        with: &Identities,
        session: &Session<'_>,
        to: &Destination<'_>,
        log: &SessionLog<'_>,
    ) -> Result<Released, QuarantineError> {
        // Two who release at once must not both use one request; those who put originals there go on.
        let _lock = self.lock_as("release.lock")?;
        let request = self.granted(item, Action::Rebuilt)?.request().clone();
        let intake = self.unseal(item, with, session.spool())?;
        let run = session.run_sealed(&item.name, intake, to);
        let line = run.lines.first();
        let outcome = line.map_or(Outcome::Failed, |line| line.verdict);
        let event = if outcome == Outcome::Released { "released" } else { "withheld-again" };
        self.record_end(item, &request, event, line, log)?;
        Ok(Released { run, request })
    }

    /// Releases an original as it came in: two have approved exactly that, and every engine finds nothing today. The
    /// request is used up before the file appears.
    ///
    /// # Errors
    /// [`QuarantineError`]; nothing was released then. Where an engine says no, the line of the run says so, and the
    /// request is used up all the same.
    pub fn release_original(
        &self,
        item: &Item,
        with: &Identities,
        session: &Session<'_>,
        to: &Destination<'_>,
        log: &SessionLog<'_>,
    ) -> Result<Released, QuarantineError> {
        let _lock = self.lock_as("release.lock")?;
        let granted = self.granted(item, Action::Original)?;
        let consent = Consent::mint(&granted).ok_or(Refusal::NotAsked)?;
        let request = granted.request().clone();
        let intake = self.unseal(item, with, session.spool())?;
        let by = request.approved_by(self.terms());
        let by = by.iter().map(|name| super::request::commitment(self.ledger, name)).collect::<Result<Vec<_>, _>>()?;
        let body = json!({
            "event": "release-original", "request": request.id, "item": item.item, "approved-by": by,
            "warning": "the original leaves as it came in: nothing was rebuilt and nothing was verified",
        });
        self.record(log.id(), item.sha256, body)?;
        let run = session.run_original(&item.name, &intake, &consent, to);
        let line = run.lines.first();
        let left = line.is_some_and(|line| line.output.is_some());
        self.record_end(item, &request, if left { "original-left" } else { "original-refused" }, line, log)?;
        Ok(Released { run, request })
    }

    /// What became of a release that a request asked for.
    fn record_end(
        &self,
        item: &Item,
        request: &Request,
        event: &str,
        line: Option<&ReportLine>,
        log: &SessionLog<'_>,
    ) -> Result<(), QuarantineError> {
        let body = json!({
            "event": event, "request": request.id, "item": item.item,
            "output": line.and_then(|line| line.output.as_ref()), "why": line.and_then(|line| line.reason.as_ref()),
        });
        self.record(log.id(), item.sha256, body).map(drop)
    }

    /// Says what would become of each of `items` under the rules and the policy of today; nothing is released.
    ///
    /// # Errors
    /// [`StationError::Place`] where the station's own folder cannot be written.
    pub fn reclean(
        &self,
        items: &[Item],
        with: &Identities,
        session: &Session<'_>,
        each: &mut dyn FnMut(&Item, &Reclean),
    ) -> Result<(), StationError> {
        for item in items {
            let folder = Folder::make(session.spool_base())?;
            let outbox = Outbox::open(folder.path()).map_err(|error| StationError::outbox(folder.path(), &error))?;
            let to = Destination { outbox: &outbox, quarantine: None, report: None, log: None };
            let line = self.unseal(item, with, session.spool()).and_then(|intake| {
                let run = session.run_sealed(&item.name, intake, &to);
                let lost = || QuarantineError::Usage("the lane gave no answer".to_owned());
                run.lines.into_iter().next().ok_or_else(lost)
            });
            each(item, &Reclean { item: item.item.clone(), line });
        }
        Ok(())
    }
}
