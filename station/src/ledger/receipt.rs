//! The receipt of a session: made from what the journal says, so that it can be made again at any time.

use super::recover::Found;
use super::{Ledger, internal, refuse};
use crate::StationError;
use crate::outbox::Outbox;
use evidence::release::{RECEIPT_FILES, RECEIPTS, SUMS, SUMS_SIGNATURE};
use evidence::sshsig::{self, Purpose};
use evidence::{Clock, sums, time};
use model::{EngineVerdict, ReportLine};
use receipt::{Engine, Manifest, Receipt};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The files of a receipt, by name; the signature last.
pub type Files = Vec<(&'static str, Vec<u8>)>;

impl Ledger {
    /// The receipt of a session that has ended: the same bytes each time.
    ///
    /// # Errors
    /// [`StationError`] where the journal does not know the session, pruned it, or cannot be read.
    pub fn receipt_of(&self, session: &str) -> Result<Files, StationError> {
        let found = Found::read(&self.journal, session).map_err(|what| internal(&what))?;
        files(self, session, &found)
    }
}

/// Puts the receipt of an ended session on the share, where one is asked for, and takes the session's mark away. The
/// folder there.
pub(super) fn settle(ledger: &Ledger, session: &str, outbox: Option<&Outbox>) -> Result<Option<String>, StationError> {
    let folders = [RECEIPTS.to_owned(), session.to_owned()];
    if let Some(outbox) = outbox {
        for (name, bytes) in ledger.receipt_of(session)? {
            outbox.put(&folders, name, &bytes).map_err(|error| StationError::outbox(outbox.place_name(), &error))?;
        }
    }
    let path = ledger.lock_path(session);
    std::fs::remove_file(&path).map_err(|source| ledger.place(path, source))?;
    Ok(outbox.map(|_| folders.join("/")))
}

fn files(ledger: &Ledger, session: &str, found: &Found) -> Result<Files, StationError> {
    let receipt = receipt(ledger, session, found)?;
    let pdf = receipt::pdf(&receipt)
        .map_err(|error| StationError::Receipt { session: session.to_owned(), message: error.to_string() })?;
    let [html_name, pdf_name, checkpoint_name] = RECEIPT_FILES;
    let mut files: Files = vec![
        (html_name, receipt::html(&receipt).into_bytes()),
        (pdf_name, pdf),
        (checkpoint_name, receipt.checkpoint.into_bytes()),
    ];
    let mut digests = BTreeMap::new();
    for (name, bytes) in &files {
        let digest = crate::intake::digest_of_stream(&mut bytes.as_slice()).map_err(|error| internal(&error))?;
        digests.insert((*name).to_owned(), digest);
    }
    let sums = sums::write(&digests);
    let signature = sshsig::sign(ledger.journal.key(), Purpose::Receipt, sums.as_bytes());
    files.push((SUMS, sums.into_bytes()));
    files.push((SUMS_SIGNATURE, signature.into_bytes()));
    Ok(files)
}

fn receipt(ledger: &Ledger, session: &str, found: &Found) -> Result<Receipt, StationError> {
    let end = found.end.as_ref().ok_or_else(|| internal(&format!("the session {session} has not ended")))?;
    let about = &found.about;
    let position: BTreeMap<&str, usize> = found.inputs.iter().map(String::as_str).zip(0..).collect();
    let mut lines = found.lines.clone();
    lines.sort_by_key(|line| position.get(line.input.as_str()).copied().unwrap_or(usize::MAX));
    Ok(Receipt {
        station: about.station.clone(),
        software: about.software.clone(),
        zone: about.zone.clone(),
        policy: about.policy,
        session: session.to_owned(),
        began: found.began.clone(),
        ended: end.time.clone(),
        clock: in_words(about.clock).to_owned(),
        visit: visit(found),
        contact: about.contact.clone(),
        engines: engines(&lines, &found.began),
        lines,
        manifest: found.signed.as_ref().map(|signed| Manifest {
            folder: signed.folder.clone(),
            sequence: signed.sequence,
            statement: signed.statement,
            signature: signed.signature.clone(),
        }),
        checkpoint: ledger.journal.checkpoint_over(end.seq).map_err(refuse)?,
        interrupted: end.recovered,
    })
}

const fn in_words(clock: Clock) -> &'static str {
    match clock {
        Clock::Synchronised => "the clock is kept in step",
        Clock::Free => "the clock runs by itself",
        Clock::Behind => "the clock was behind a time that was seen before",
    }
}

/// Whoever came stands here as the journal has it: a commitment, not a name.
fn visit(found: &Found) -> Vec<(String, String)> {
    let about = &found.about;
    let said = [("Brought by", &about.operator), ("Approved by", &about.approver), ("Purpose", &about.purpose)];
    let mut rows: Vec<(String, String)> =
        said.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value.clone()?))).collect();
    if let Some(Value::Object(medium)) = &about.medium {
        rows.extend(medium.iter().map(|(key, value)| (format!("Medium, {key}"), plainly(value))));
    }
    rows.push(("Outbound share".to_owned(), about.outbox.clone()));
    rows
}

fn plainly(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plainly).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// Each engine with each rule set that looked, and how old that was when the session began.
fn engines(lines: &[ReportLine], began: &str) -> Vec<Engine> {
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    for row in lines.iter().flat_map(|line| &line.engines) {
        let name = format!("{} {}", row.engine, row.version);
        let rules = if row.absent {
            "was not there".to_owned()
        } else if row.rules_date.is_empty() {
            "does not tell how old its rules are".to_owned()
        } else {
            match time::parse(began).and_then(|began| time::age(&row.rules_date, began)) {
                Some(days) => format!("rules of {}, {days} days old", row.rules_date),
                None => format!("rules of {}", row.rules_date),
            }
        };
        let rules = if row.verdict == EngineVerdict::NotScanned && !row.absent {
            format!("{rules}; did not scan every file")
        } else {
            rules
        };
        told.insert((name.trim_end().to_owned(), rules));
    }
    told.into_iter().map(|(name, rules)| Engine { name, rules }).collect()
}
