//! What is recorded of a session: in the journal while it goes, in a signed manifest when it ends.
//!
//! A job goes received → sealed → judged → verified → released, blocked or failed. `received`, `verified` and the
//! outcome are on the disk before the lane goes on; the others travel with the next of these. What cannot be recorded
//! is not released (IEC 62443-3-3 SR 2.10). A session ends only when every entry that was seen has its outcome; one that
//! was killed is ended by the next start ([`recover`]).

pub(crate) mod identity;
mod manifest;
mod receipt;
mod recover;
mod syslog;

pub use identity::Identity;
pub(crate) use manifest::file_row;
pub use recover::Recovered;
pub use syslog::Collector;

use crate::outbox::Outbox;
use crate::{LoadedPolicy, Run, StationError};
use evidence::time;
use journal::{Journal, JournalError, Kind, New};
use model::{Digest, Outcome, ReportLine};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use signatures::keys::SigningKey;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Ours: inputs that one record lists.
const INPUTS_A_RECORD: usize = 500;

/// Who came, with what, and why: as far as the face asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visit {
    /// Whoever brought the files; stands in the journal as a commitment, see [`journal::Person`].
    pub operator: Option<String>,
    /// Whoever approved, where the zone asks for two.
    pub approver: Option<String>,
    /// Purpose or work order.
    pub purpose: Option<String>,
    /// The medium: kind, ids, serial, partitions, as its reader says.
    pub medium: Option<Value>,
    /// How long the records are to be kept.
    pub retention: Option<String>,
    /// Whether the session's receipt is put on the share when it ends; one can be made later at any time.
    pub receipt: bool,
}

/// The station's journal and identity.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    name: String,
    minisign: SigningKey,
    journal: Journal,
}

impl Ledger {
    /// Opens (and makes, where missing) identity and journal in `folder`.
    ///
    /// # Errors
    /// [`StationError`]; the station does not start then.
    pub fn open(folder: &Path) -> Result<Self, StationError> {
        let Identity { name, key, minisign } = Identity::open(folder)?;
        let journal = Journal::open(&folder.join("journal"), &name, key).map_err(refuse)?;
        let ledger = Self { folder: folder.to_owned(), name, minisign, journal };
        let sessions = ledger.sessions();
        std::fs::create_dir_all(&sessions).map_err(|source| ledger.place(sessions, source))?;
        Ok(ledger)
    }

    /// The journal itself.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The station's own folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The station's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn sessions(&self) -> PathBuf {
        self.folder.join("sessions")
    }

    /// Held while a session lives, and there until it has its receipt.
    fn lock_path(&self, session: &str) -> PathBuf {
        self.sessions().join(format!("{session}.lock"))
    }

    fn place(&self, path: PathBuf, source: std::io::Error) -> StationError {
        StationError::Place { what: "state", path, source }
    }

    /// Begins a session that lets out to `outbox`.
    ///
    /// # Errors
    /// [`StationError`]: nothing may be let out then.
    pub fn begin(
        &self,
        visit: &Visit,
        policy: &LoadedPolicy,
        rules: BTreeMap<String, String>,
        outbox: &Outbox,
    ) -> Result<SessionLog<'_>, StationError> {
        let id = session_id().map_err(|source| self.place(self.sessions(), source))?;
        let path = self.lock_path(&id);
        let lock = File::create(&path).and_then(|lock| lock.lock().map(|()| lock));
        let lock = lock.map_err(|source| self.place(path, source))?;
        let person = |name: &Option<String>| {
            let known = name.as_deref().map(|name| self.journal.person(name)).transpose();
            known.map(|person| person.map(|person| person.commitment)).map_err(refuse)
        };
        let about = About {
            station: self.name.clone(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            zone: policy.policy.zone.clone(),
            policy: policy.digest,
            rules,
            contact: policy.policy.contact.clone(),
            outbox: outbox.place_name().display().to_string(),
            operator: person(&visit.operator)?,
            approver: person(&visit.approver)?,
            purpose: visit.purpose.clone(),
            medium: visit.medium.clone(),
            clock: self.clock()?,
            receipt: visit.receipt,
            retention: visit.retention.clone().unwrap_or_else(|| "standard".to_owned()),
        };
        let body = serde_json::to_value(&about).map_err(|error| internal(&error))?;
        self.journal.append(vec![New::about(Kind::SessionBegin, &id, body)]).map_err(refuse)?;
        Ok(SessionLog { ledger: self, id, about, collector: collector(policy)?, _lock: lock })
    }

    /// What is known of the clock: set back, kept in step, or running by itself.
    fn clock(&self) -> Result<evidence::Clock, StationError> {
        let latest = self.journal.latest_time().map_err(refuse)?;
        let now = time::format(now());
        Ok(match latest {
            Some(latest) if latest > now => evidence::Clock::Behind,
            Some(_) | None if Path::new("/run/systemd/timesync/synchronized").exists() => evidence::Clock::Synchronised,
            Some(_) | None => evidence::Clock::Free,
        })
    }
}

/// The collector that policy names.
fn collector(policy: &LoadedPolicy) -> Result<Option<Collector>, StationError> {
    let named = policy.policy.evidence.syslog.as_deref().map(str::parse).transpose();
    named.map_err(|message| StationError::Policy { path: PathBuf::from("[evidence] syslog"), message })
}

/// The body of a session's first record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub station: String,
    pub software: String,
    pub zone: String,
    pub policy: Digest,
    pub rules: BTreeMap<String, String>,
    #[serde(default)]
    pub contact: Option<String>,
    pub outbox: String,
    pub operator: Option<String>,
    pub approver: Option<String>,
    pub purpose: Option<String>,
    pub medium: Option<Value>,
    pub clock: evidence::Clock,
    pub retention: String,
    #[serde(default)]
    pub receipt: bool,
}

/// A session that is being recorded.
#[derive(Debug)]
pub struct SessionLog<'a> {
    ledger: &'a Ledger,
    id: String,
    about: About,
    collector: Option<Collector>,
    _lock: File,
}

/// What the end of a session brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The session's id.
    pub session: String,
    /// Folder of its manifest below the outbox; `None` where nothing was released.
    pub manifest: Option<String>,
    /// Folder of its receipt below the outbox; `None` where the visit asked for none.
    pub receipt: Option<String>,
    /// The signed checkpoint over the journal, for receipts and places outside.
    pub checkpoint: String,
    /// Why the checkpoint did not get to the collector of the policy, where it did not.
    pub unsent: Option<String>,
}

/// The steps of a job between `received` and its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// Seen on the medium.
    Received,
    /// Copied, hashed, sealed.
    Sealed,
    /// Scanned and taken apart.
    Judged,
    /// The output passed the second reader and the engines; it is about to get its name.
    Verified,
}

/// What is about to be released: all that a manifest says of a file, so that one can be written after a crash.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intent {
    pub input: String,
    pub step: Step,
    pub file: evidence::FileRow,
}

impl SessionLog<'_> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn append(&self, records: Vec<New>) -> Result<(), StationError> {
        self.ledger.journal.append(records).map(drop).map_err(refuse)
    }

    /// Every entry that was seen, before the first is opened.
    ///
    /// # Errors
    /// [`StationError`].
    pub(crate) fn received(&self, inputs: &[String]) -> Result<(), StationError> {
        let record =
            |some: &[String]| New::about(Kind::Job, &self.id, json!({ "step": Step::Received, "inputs": some }));
        self.append(inputs.chunks(INPUTS_A_RECORD).map(record).collect())
    }

    /// Signatures were taken over in the midst of the session, or could not be.
    ///
    /// # Errors
    /// [`StationError`].
    pub(crate) fn configuration(&self, body: Value) -> Result<(), StationError> {
        self.append(vec![New::about(Kind::Configuration, &self.id, body)])
    }

    /// A step whose loss costs nothing.
    ///
    /// # Errors
    /// One sentence.
    pub(crate) fn step(&self, line: &ReportLine, step: Step) -> Result<(), String> {
        let mut record = New::about(Kind::Job, &self.id, json!({ "input": line.input, "step": step }));
        record.input = line.sha256;
        self.ledger.journal.later(record).map_err(|error| error.to_string())
    }

    /// The last step before a file gets its name: on the disk when this returns.
    ///
    /// # Errors
    /// What the journal says; the file must not be released then.
    pub(crate) fn verified(&self, line: &ReportLine, file: evidence::FileRow) -> std::io::Result<()> {
        let (input, output) = (line.sha256, Some(file.sha256));
        let intent = Intent { input: line.input.clone(), step: Step::Verified, file };
        let body = serde_json::to_value(intent)?;
        let record = New { kind: Kind::Job, session: self.id.clone(), input, output, body };
        self.ledger.journal.append(vec![record]).map(drop).map_err(std::io::Error::other)
    }

    /// The outcome of an entry: the whole line of the report.
    ///
    /// # Errors
    /// One sentence.
    pub(crate) fn outcome(&self, line: &ReportLine) -> Result<(), String> {
        let record = outcome_record(&self.id, line, false).map_err(|error| error.to_string())?;
        self.ledger.journal.append(vec![record]).map(drop).map_err(|error| error.to_string())
    }

    /// Ends the session: sums, manifest, checkpoint, receipt.
    ///
    /// # Errors
    /// [`StationError::Conservation`] with what is missing, [`StationError::Undecided`] where only a look at the share
    /// tells: the session then stays open. Else what journal or outbox say; a receipt that could not be put on the share
    /// is owed, and the next start puts it there.
    pub fn end(&self, run: &Run, outbox: &Outbox) -> Result<Ended, StationError> {
        let recorded = recover::outcomes(&self.ledger.journal, &self.id)?;
        let missing: Vec<String> =
            run.lines.iter().filter(|line| !recorded.contains(&line.input)).map(|line| line.input.clone()).collect();
        let undecided =
            |input: &String| run.lines.iter().any(|line| line.input == *input && crate::record::is_undecided(line));
        if !missing.is_empty() && missing.iter().all(undecided) {
            return Err(StationError::Undecided { session: self.id.clone(), files: missing });
        }
        if !missing.is_empty() || recorded.len() != run.lines.len() {
            return Err(StationError::Conservation { session: self.id.clone(), missing });
        }
        let manifest = manifest::publish(self.ledger, &self.id, &self.about, &run.lines, outbox)?;
        let (checkpoint, note) = self.ledger.close(&self.id, &run.lines, manifest.as_deref(), false)?;
        let sent = self.collector.as_ref().map_or(Ok(()), |collector| collector.send(&checkpoint, &note));
        let unsent = sent.err().map(|error| error.to_string());
        let receipt = receipt::settle(self.ledger, &self.id, self.about.receipt.then_some(outbox))?;
        Ok(Ended { session: self.id.clone(), manifest, receipt, checkpoint: note, unsent })
    }
}

impl Ledger {
    /// The last record of a session, and a checkpoint over all, which is given back.
    fn close(
        &self,
        session: &str,
        lines: &[ReportLine],
        manifest: Option<&str>,
        recovered: bool,
    ) -> Result<(evidence::Checkpoint, String), StationError> {
        let count = |outcome| lines.iter().filter(|line| line.verdict == outcome).count();
        let body = json!({
            "seen": lines.len(),
            "released": count(Outcome::Released),
            "blocked": count(Outcome::Blocked),
            "failed": count(Outcome::Failed),
            "manifest": manifest,
            "recovered": recovered,
        });
        self.journal.append(vec![New::about(Kind::SessionEnd, session, body)]).map_err(refuse)?;
        self.journal.checkpoint().map_err(refuse)
    }
}

fn outcome_record(session: &str, line: &ReportLine, recovered: bool) -> Result<New, serde_json::Error> {
    let body = json!({ "line": serde_json::to_value(line)?, "recovered": recovered });
    let output = line.output.as_ref().map(|output| output.sha256);
    Ok(New { kind: Kind::File, session: session.to_owned(), input: line.sha256, output, body })
}

/// `YYYYMMDDThhmmssZ-` and eight random digits.
fn session_id() -> std::io::Result<String> {
    let mut chance = [0u8; 4];
    rustix::rand::getrandom(&mut chance, rustix::rand::GetRandomFlags::empty())?;
    let stamp: String = time::format(now()).chars().filter(char::is_ascii_alphanumeric).collect();
    Ok(format!("{stamp}-{:08x}", u32::from_le_bytes(chance)))
}

pub(crate) fn now() -> u64 {
    time::seconds(SystemTime::now())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refuse(error: JournalError) -> StationError {
    StationError::Journal(error.to_string())
}

fn internal(error: &dyn std::fmt::Display) -> StationError {
    StationError::Journal(format!("a record cannot be written down: {error}"))
}
