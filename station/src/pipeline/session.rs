//! A session: what it began with, and where its files go.

use super::{Progress, Run, Station};
use crate::StationError;
use crate::canaries::CanaryResult;
use crate::inputs::Entry;
use crate::intake::Intake;
use crate::ledger::SessionLog;
use crate::outbox::Outbox;
use crate::passwords::read_passwords;
use crate::quarantine::Quarantine;
use crate::report::Report;
use crate::scan::Roster;
use crate::tokens::Consent;
use jail::SpoolDir;
use sanitizer::Passwords;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// The right to send files through the lane: a station gives it out when its canaries came through.
pub struct Session<'a> {
    station: &'a Station,
    terms: Terms,
}

/// What a session began with.
pub(crate) struct Terms {
    /// Who must look at every object.
    pub(super) roster: Roster,
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
    pub(super) fn means(&self, own: &Passwords) -> Means<'_> {
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
    pub(super) fn own_passwords(&self) -> Result<Passwords, StationError> {
        self.policy.policy.passwords.file.as_deref().map_or_else(|| Ok(Passwords::default()), read_passwords)
    }
}
