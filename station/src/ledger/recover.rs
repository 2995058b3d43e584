//! Sessions that a crash left open: each job is found and ended.

use super::manifest::{self, Signed};
use super::{About, Intent, Ledger, Step, outcome_record, refuse};
use crate::outbox::Outbox;
use crate::{StationError, record};
use journal::{Journal, Kind, Query, Record};
use model::{Outcome, OutputRow, Reason, ReasonCode, ReportLine, SharePolicy};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{File, TryLockError};

/// A session that was found open and ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Its id.
    pub session: String,
    /// Files that had got their name before the crash: they are released, with record and manifest.
    pub released: usize,
    /// Files that had no outcome yet: they are failed.
    pub failed: usize,
    /// Why it could not be ended now, and stays open; `None` where it was.
    pub left: Option<String>,
}

impl Ledger {
    /// Ends what a crash left open. A session of a living station is left alone, and so is one whose share is not at
    /// hand: which of its files came to be released can only be read there.
    ///
    /// # Errors
    /// [`StationError`] where the journal cannot be read or written.
    pub fn recover(&self, shares: &SharePolicy) -> Result<Vec<Recovered>, StationError> {
        let mut all = Vec::new();
        let open: BTreeSet<String> = self.journal.open_sessions().map_err(refuse)?.into_iter().collect();
        for session in &open {
            let path = self.lock_path(session);
            let lock = File::create(&path).map_err(|source| self.place(path.clone(), source))?;
            match lock.try_lock() {
                Ok(()) => all.push(self.recover_one(session, shares)?),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(self.place(path, source)),
            }
        }
        self.settle(&open, shares)?;
        Ok(all)
    }

    /// A session that ended and whose mark is still there owes its receipt. What cannot be put on its share now is owed
    /// on: the session itself is whole.
    fn settle(&self, open: &BTreeSet<String>, shares: &SharePolicy) -> Result<(), StationError> {
        let folder = self.sessions();
        let entries = std::fs::read_dir(&folder).map_err(|source| self.place(folder.clone(), source))?;
        for entry in entries {
            let entry = entry.map_err(|source| self.place(folder.clone(), source))?;
            let name = entry.file_name();
            let Some(session) = name.to_str().and_then(|name| name.strip_suffix(".lock")) else { continue };
            let free = File::open(entry.path()).is_ok_and(|lock| lock.try_lock().is_ok());
            if free && !open.contains(session) {
                let _ = self.receipt(session, shares);
            }
        }
        Ok(())
    }

    /// Puts the receipt of an ended session on its share, where its visit asked for one.
    fn receipt(&self, session: &str, shares: &SharePolicy) -> Result<(), StationError> {
        let about = Found::read(&self.journal, session).map_err(|what| super::internal(&what))?.about;
        let outbox = about.receipt.then(|| open_again(&about.outbox, shares)).transpose();
        let outbox = outbox.map_err(|error| StationError::outbox(&about.outbox, &error))?;
        super::receipt::settle(self, session, outbox.as_ref()).map(drop)
    }

    fn recover_one(&self, session: &str, shares: &SharePolicy) -> Result<Recovered, StationError> {
        let left = |why: String| Recovered { session: session.to_owned(), released: 0, failed: 0, left: Some(why) };
        let found = match Found::read(&self.journal, session) {
            Ok(found) => found,
            Err(why) => return Ok(left(why)),
        };
        let outbox = match open_again(&found.about.outbox, shares) {
            Ok(outbox) => outbox,
            Err(error) => return Ok(left(format!("its share {} is not at hand: {error}", found.about.outbox))),
        };
        let mut lines = found.lines;
        let (mut released, mut failed) = (0usize, 0usize);
        for input in found.inputs.iter().filter(|input| !found.outcomes.contains(*input)) {
            let mut line = record::unjudged(input.as_bytes());
            let placed = match found.intents.get(input) {
                Some(intent) => outbox
                    .digest_at(&intent.file.path)
                    .map_err(|error| StationError::outbox(outbox.place_name(), &error))?
                    .filter(|digest| *digest == intent.file.sha256)
                    .map(|_| intent),
                None => None,
            };
            if let Some(intent) = placed {
                as_released(&mut line, intent);
                released = released.saturating_add(1);
            } else {
                let text = "the station stopped before this file was judged";
                record::withhold(&mut line, Outcome::Failed, Reason::new(ReasonCode::Interrupted, text));
                failed = failed.saturating_add(1);
            }
            let record = outcome_record(session, &line, true).map_err(|error| super::internal(&error))?;
            self.journal.append(vec![record]).map_err(refuse)?;
            lines.push(line);
        }
        let folder = match &found.signed {
            Some(signed) => {
                manifest::put(signed, &outbox)?;
                Some(signed.folder.clone())
            }
            None => manifest::publish(self, session, &found.about, &lines, &outbox)?,
        };
        self.close(session, &lines, folder.as_deref(), true)?;
        // Owed where it fails: the next start tries again.
        let _ = super::receipt::settle(self, session, found.about.receipt.then_some(&outbox));
        Ok(Recovered { session: session.to_owned(), released, failed, left: None })
    }
}

fn open_again(recorded: &str, policy: &SharePolicy) -> Result<Outbox, String> {
    let address = shares::Address::of(OsStr::new(recorded))?;
    Outbox::at(&address, policy).map_err(|error| error.to_string())
}

fn as_released(line: &mut ReportLine, intent: &Intent) {
    let file = &intent.file;
    line.sha256 = Some(file.source.sha256);
    line.size = file.source.size;
    line.format = Some(file.source.format);
    let output = OutputRow {
        path: file.path.clone(),
        sha256: file.sha256,
        size: file.size,
        format: file.format,
        method: file.method,
    };
    record::released(line, output);
}

/// What the journal knows of a session.
pub(super) struct Found {
    pub about: About,
    /// When it began.
    pub began: String,
    pub inputs: Vec<String>,
    intents: BTreeMap<String, Intent>,
    outcomes: BTreeSet<String>,
    pub lines: Vec<ReportLine>,
    pub signed: Option<Signed>,
    /// Its last record; `None` while it is open.
    pub end: Option<End>,
}

/// The last record of a session.
pub(super) struct End {
    /// Its number in the journal.
    pub seq: u64,
    /// When.
    pub time: String,
    /// Whether it was ended by a later start.
    pub recovered: bool,
}

impl Found {
    pub(super) fn read(journal: &Journal, session: &str) -> Result<Self, String> {
        let query = Query { session: Some(session.to_owned()), ..Query::default() };
        let (mut about, mut began, mut end) = (None, String::new(), None);
        let (mut inputs, mut intents, mut lines, mut signed) = (Vec::new(), BTreeMap::new(), Vec::new(), None);
        for record in query.all(journal.folder()).map_err(|error| error.to_string())? {
            let body = body(&record)?;
            let odd = |error: serde_json::Error| format!("record {} is not one of ours: {error}", record.seq);
            match Kind::of(&record.kind) {
                Some(Kind::SessionBegin) => {
                    about = Some(serde_json::from_value(body).map_err(odd)?);
                    began = record.time;
                }
                Some(Kind::Job) if body.get("inputs").is_some() => {
                    let some = body.get("inputs").cloned().unwrap_or_default();
                    inputs.extend(serde_json::from_value::<Vec<String>>(some).map_err(odd)?);
                }
                Some(Kind::Job) if body.get("step") == Some(&serde_json::json!(Step::Verified)) => {
                    let intent: Intent = serde_json::from_value(body).map_err(odd)?;
                    intents.insert(intent.input.clone(), intent);
                }
                Some(Kind::File) => {
                    let line = body.get("line").cloned().unwrap_or_default();
                    lines.push(serde_json::from_value::<ReportLine>(line).map_err(odd)?);
                }
                Some(Kind::Manifest) => signed = Some(serde_json::from_value(body).map_err(odd)?),
                Some(Kind::SessionEnd) => {
                    let recovered = body.get("recovered") == Some(&Value::Bool(true));
                    end = Some(End { seq: record.seq, time: record.time, recovered });
                }
                Some(Kind::Job | Kind::Configuration | Kind::Operator | Kind::Quarantine | Kind::Gap) | None => {}
            }
        }
        let about = about.ok_or("its first record is missing")?;
        let outcomes = lines.iter().map(|line| line.input.clone()).collect();
        Ok(Self { about, began, inputs, intents, outcomes, lines, signed, end })
    }
}

fn body(record: &Record) -> Result<Value, String> {
    let text = record.body.as_deref().ok_or_else(|| format!("record {} was pruned", record.seq))?;
    serde_json::from_str(text).map_err(|error| format!("record {} is torn: {error}", record.seq))
}

/// Inputs of a session that have an outcome.
pub(super) fn outcomes(journal: &Journal, session: &str) -> Result<BTreeSet<String>, StationError> {
    let query = Query { session: Some(session.to_owned()), kind: Some(Kind::File), ..Query::default() };
    let input = |record: &Record| {
        let body = body(record)?;
        let input = body.pointer("/line/input").and_then(Value::as_str).map(str::to_owned);
        input.ok_or_else(|| format!("record {} names no input", record.seq))
    };
    let records = query.all(journal.folder()).map_err(refuse)?;
    records.iter().map(input).collect::<Result<_, String>>().map_err(|what| super::internal(&what))
}
