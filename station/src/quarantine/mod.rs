//! The quarantine: originals of what was withheld, encrypted to the security team, with what is known of them.
//!
//! An item is a folder; it appears under its name only whole, synced and recorded in the journal, and it goes only with
//! a record. What a kill interrupts is ended or undone by the next who opens the quarantine ([`recover`]). Items are put,
//! removed and approved under one lock; while one is being encrypted others go on.

mod error;
mod item;
mod recover;
mod release;
mod request;
mod room;
mod seal;
#[cfg(test)]
mod tests;

pub use error::QuarantineError;
pub use item::Item;
pub use release::{Reclean, Released};
pub(crate) use request::persons as parse_approvers;
pub use request::{Action, Approved, Granted, Refusal, Request, Wanted};
pub use room::Removed;
pub(crate) use seal::parse as parse_recipients;
pub use seal::{Identities, Recipients, keygen};

use crate::LoadedPolicy;
use crate::ledger::Ledger;
use evidence::time;
use item::{Encrypted, Held, ITEM, ORIGINAL, Origin};
use jail::Sealed;
use journal::{Kind, New, Query};
use model::{Digest, QuarantinePolicy, ReportLine};
use serde_json::{Value, json};
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Folders of items that are being written, that are about to appear, and that are about to go.
const PART: &str = ".part-";
const PUT: &str = ".put-";
const GONE: &str = ".gone-";
/// Folder of what is left of items that went.
const TOMBSTONES: &str = "gone";
/// Digits of the digest in an id.
const ID_DIGITS: usize = 16;

/// A quarantine that is open.
#[derive(Debug)]
pub struct Quarantine<'a> {
    folder: PathBuf,
    ledger: &'a Ledger,
    policy: LoadedPolicy,
    recipients: Option<Recipients>,
}

/// What became of an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is a new item of this id.
    Stored(String),
    /// The same bytes, for the same recipients, are this item already.
    Already(String),
    /// There is no room; why.
    NotKept(String),
}

/// What lies in the quarantine, and what is wrong with the rest.
#[derive(Debug, Default)]
pub struct Listing {
    /// Whole items, oldest first.
    pub items: Vec<Item>,
    /// Damaged ones.
    pub damaged: Vec<QuarantineError>,
}

/// A record about an item.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number in the journal.
    pub seq: u64,
    /// When (RFC 3339, UTC).
    pub time: String,
    /// What: `put`, `evict`, `request`, …
    pub event: String,
    /// Everything else.
    pub body: Value,
}

impl<'a> Quarantine<'a> {
    /// Opens (and makes, where missing, with mode 0700) the quarantine at `path` to put originals there.
    ///
    /// # Errors
    /// [`QuarantineError`]; no file may be taken in then.
    pub fn open(path: &Path, policy: &LoadedPolicy, ledger: &'a Ledger) -> Result<Self, QuarantineError> {
        let recipients = Recipients::of(&policy.policy.quarantine, ledger.folder())?;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| io(path, source))?;
        let mut quarantine = Self::existing(path, policy, ledger)?;
        quarantine.recipients = Some(recipients);
        Ok(quarantine)
    }

    /// Opens the quarantine at `path` to read it, to let something out, or to purge.
    ///
    /// # Errors
    /// [`QuarantineError::Usage`] where there is none.
    pub fn existing(path: &Path, policy: &LoadedPolicy, ledger: &'a Ledger) -> Result<Self, QuarantineError> {
        if !path.is_dir() {
            let text = format!("there is no quarantine at {}; name its folder with --quarantine", path.display());
            return Err(QuarantineError::Usage(text));
        }
        let quarantine = Self { folder: path.to_owned(), ledger, policy: policy.clone(), recipients: None };
        let tombstones = path.join(TOMBSTONES);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&tombstones).map_err(|e| io(&tombstones, e))?;
        quarantine.recover()?;
        Ok(quarantine)
    }

    /// What a person should know before files are taken in.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        self.recipients.as_ref().is_some_and(Recipients::of_station).then_some(
            "the policy names no recipient for the quarantine: originals are encrypted to a key of this station, which \
             whoever owns it can use; `sallyport quarantine keygen` makes one for the security team",
        )
    }

    fn terms(&self) -> &QuarantinePolicy {
        &self.policy.policy.quarantine
    }

    fn io(&self, source: std::io::Error) -> QuarantineError {
        io(&self.folder, source)
    }

    /// Held while items appear, go or are approved; other processes wait.
    fn lock(&self) -> Result<File, QuarantineError> {
        self.lock_as("lock")
    }

    fn lock_as(&self, name: &str) -> Result<File, QuarantineError> {
        let lock = File::options().create(true).append(true).mode(0o600).open(self.folder.join(name));
        lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|error| self.io(error))
    }

    fn sync(&self) -> Result<(), QuarantineError> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(|error| self.io(error))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), QuarantineError> {
        std::fs::rename(self.folder.join(from), self.folder.join(to)).map_err(|error| self.io(error))?;
        self.sync()
    }

    /// Keeps the original of `line`, which was withheld in `session`.
    ///
    /// # Errors
    /// [`QuarantineError`] where the disk or the journal refuse; nothing half is left under an item's name.
    pub fn keep(&self, original: &Sealed, line: &ReportLine, session: &str) -> Result<Kept, QuarantineError> {
        let (Some(digest), Some(reason), Some(recipients)) = (line.sha256, &line.reason, &self.recipients) else {
            return Err(QuarantineError::Usage(
                "only what was sealed and withheld goes into the quarantine".to_owned(),
            ));
        };
        let held = Held { line, digest, reason };
        let expected = seal::encrypted_size(original.len(), recipients);
        let lock = self.lock()?;
        if let Some(ended) = self.without_new(&held, session, expected, recipients)? {
            return Ok(ended);
        }
        let part = Part::make(&self.folder).map_err(|error| self.io(error))?;
        drop(lock);
        let sealed = item::create(&part.path.join(ORIGINAL))
            .and_then(|to| seal::encrypt(&mut original.reader(), recipients, to))
            .map_err(|error| self.io(error))?;
        let encrypted = Encrypted { sha256: sealed.0, size: sealed.1 };
        // Others may have put the same bytes there meanwhile, or taken the room.
        let _lock = self.lock()?;
        if let Some(ended) = self.without_new(&held, session, encrypted.size, recipients)? {
            return Ok(ended);
        }
        let id = self.free_id(digest)?;
        let origin = Origin {
            station: self.ledger.name(),
            session,
            zone: &self.policy.policy.zone,
            policy: self.policy.digest,
            recipients: recipients.names(),
            station_key: recipients.of_station(),
            kept: time::format(self.moment()?),
        };
        let item = Item::new(id.clone(), origin, &held, encrypted);
        let meta = item.write(&part.path, self.ledger.journal().key()).map_err(|error| self.io(error))?;
        part.become_named(&self.folder.join(format!("{PUT}{id}"))).map_err(|error| self.io(error))?;
        self.sync()?;
        let body = json!({
            "event": "put", "item": id, "meta": meta, "zone": item.zone, "reason": reason.code,
            "size": item.size, "recipients": item.recipients, "station_key": item.station_key,
        });
        self.record(session, digest, body)?;
        self.rename(&format!("{PUT}{id}"), &id)?;
        Ok(Kept::Stored(id))
    }

    /// What ends it without a new item: the same bytes are there, or there is no room.
    fn without_new(
        &self,
        held: &Held<'_>,
        session: &str,
        size: u64,
        recipients: &Recipients,
    ) -> Result<Option<Kept>, QuarantineError> {
        if let Some(item) = self.same(held.digest, recipients)? {
            self.record(session, held.digest, json!({ "event": "again", "item": item, "reason": held.reason.code }))?;
            return Ok(Some(Kept::Already(item)));
        }
        let Err(why) = self.make_room(size)? else { return Ok(None) };
        let body = json!({ "event": "not-kept", "why": why, "reason": held.reason.code, "size": held.line.size });
        self.record(session, held.digest, body)?;
        Ok(Some(Kept::NotKept(why)))
    }

    /// A whole item of these bytes for these recipients.
    fn same(&self, digest: Digest, recipients: &Recipients) -> Result<Option<String>, QuarantineError> {
        let names = recipients.names();
        for id in self.ids()?.into_iter().filter(|id| id.starts_with(&stem(digest))) {
            if self.read(&id).is_ok_and(|item| item.sha256 == digest && item.recipients == names) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The first number that no item with this digest has or had.
    fn free_id(&self, digest: Digest) -> Result<String, QuarantineError> {
        let taken = |id: &str| {
            let names = [id.to_owned(), format!("{PUT}{id}"), format!("{GONE}{id}"), format!("{TOMBSTONES}/{id}.json")];
            names.iter().any(|name| self.folder.join(name).symlink_metadata().is_ok())
        };
        let ids = (1u32..=u32::MAX).map(|n| format!("{}-{n}", stem(digest)));
        ids.into_iter().find(|id| !taken(id)).ok_or_else(|| self.io(std::io::ErrorKind::AlreadyExists.into()))
    }

    /// Ids of what lies there, in order.
    fn ids(&self) -> Result<Vec<String>, QuarantineError> {
        let entries = std::fs::read_dir(&self.folder).map_err(|error| self.io(error))?;
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| self.io(error))?.file_name();
            ids.extend(name.to_str().filter(|name| is_id(name)).map(str::to_owned));
        }
        ids.sort();
        Ok(ids)
    }

    fn read(&self, id: &str) -> Result<Item, QuarantineError> {
        self.read_at(id, id).map(|(item, _)| item)
    }

    fn read_at(&self, folder: &str, id: &str) -> Result<(Item, Digest), QuarantineError> {
        Item::read(&self.folder.join(folder), id, &self.ledger.journal().key().public())
    }

    /// Everything that lies there.
    ///
    /// # Errors
    /// [`QuarantineError::Io`].
    pub fn list(&self) -> Result<Listing, QuarantineError> {
        let mut listing = Listing::default();
        for id in self.ids()? {
            match self.read(&id) {
                Ok(item) => listing.items.push(item),
                // Went meanwhile, with its record.
                Err(_) if self.folder.join(&id).symlink_metadata().is_err() => {}
                Err(error) => listing.damaged.push(error),
            }
        }
        listing.items.sort_by(|a, b| (&a.kept, &a.item).cmp(&(&b.kept, &b.item)));
        Ok(listing)
    }

    /// The one item whose id begins with `text`.
    ///
    /// # Errors
    /// [`QuarantineError::Usage`] where there is none or more than one; [`QuarantineError::Damaged`].
    pub fn find(&self, text: &str) -> Result<Item, QuarantineError> {
        let text = text.trim().to_ascii_lowercase();
        let ids = self.ids()?;
        if ids.contains(&text) {
            return self.read(&text);
        }
        let mut fits = ids.iter().filter(|id| text.len() >= 4 && id.starts_with(&text));
        match (fits.next(), fits.next()) {
            (Some(id), None) => self.read(id),
            (None, _) => {
                Err(QuarantineError::Usage(format!("there is no item {text:?}; `quarantine list` shows them")))
            }
            (Some(_), Some(_)) => Err(QuarantineError::Usage(format!("{text:?} fits several items; give more of it"))),
        }
    }

    /// Reads the encrypted original through: whether it is what was put there.
    ///
    /// # Errors
    /// [`QuarantineError::Damaged`].
    pub fn check(&self, item: &Item) -> Result<(), QuarantineError> {
        let damaged = |what: String| QuarantineError::Damaged { item: item.item.clone(), what };
        let path = self.folder.join(&item.item).join(ORIGINAL);
        let digest = File::open(&path).and_then(|mut file| crate::intake::digest_of_stream(&mut file));
        match digest {
            Ok(digest) if digest == item.encrypted.sha256 => Ok(()),
            Ok(_) => Err(damaged("its original has other bytes than were put there".to_owned())),
            Err(error) => Err(damaged(error.to_string())),
        }
    }

    /// What the journal says of the bytes of an item, oldest first.
    ///
    /// # Errors
    /// [`QuarantineError::Journal`].
    pub fn events(&self, digest: Digest) -> Result<Vec<Event>, QuarantineError> {
        let query = Query { digest: Some(digest), kind: Some(Kind::Quarantine), ..Query::default() };
        self.query(&query)
    }

    fn query(&self, query: &Query) -> Result<Vec<Event>, QuarantineError> {
        let journal = self.ledger.journal();
        let records = query.all(journal.folder()).map_err(|error| QuarantineError::Journal(error.to_string()))?;
        let event = |record: journal::Record| {
            // A pruned body says nothing any more: an event of that age decides nothing.
            let body: Value = serde_json::from_str(record.body.as_deref()?).ok()?;
            let event = body.get("event")?.as_str()?.to_owned();
            Some(Event { seq: record.seq, time: record.time, event, body })
        };
        Ok(records.into_iter().filter_map(event).collect())
    }

    /// On the disk when this returns: the number of the record.
    fn record(&self, session: &str, digest: Digest, body: Value) -> Result<u64, QuarantineError> {
        let new = New { kind: Kind::Quarantine, session: session.to_owned(), input: Some(digest), output: None, body };
        let appended = self.ledger.journal().append(vec![new]);
        let appended = appended.map_err(|error| QuarantineError::Journal(error.to_string()))?;
        Ok(appended.first().map_or(0, |record| record.seq))
    }

    /// Now, but never before the last record: a clock that was set back makes no request younger.
    fn moment(&self) -> Result<u64, QuarantineError> {
        let latest = self.ledger.journal().latest_time();
        let latest = latest.map_err(|error| QuarantineError::Journal(error.to_string()))?;
        Ok(latest.and_then(|text| time::parse(&text)).map_or_else(crate::ledger::now, |t| t.max(crate::ledger::now())))
    }
}

/// A folder in which an item is being written; it goes unless it gets its name.
struct Part {
    path: PathBuf,
    /// Locked as the sign that somebody works on it.
    _folder: File,
}

impl Part {
    fn make(below: &Path) -> std::io::Result<Self> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let path = below.join(format!("{PART}{}-{serial}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        let folder = File::open(&path)?;
        folder.lock()?;
        Ok(Self { path, _folder: folder })
    }

    fn become_named(mut self, name: &Path) -> std::io::Result<()> {
        std::fs::rename(&self.path, name)?;
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // What stays is swept by the next who opens the quarantine.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

fn stem(digest: Digest) -> String {
    digest.to_string().chars().take(ID_DIGITS).collect()
}

/// Sixteen hexadecimal digits, `-`, a number: nothing else is an item, whatever a path may hold.
fn is_id(name: &str) -> bool {
    let Some((stem, number)) = name.split_once('-') else { return false };
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    stem.len() == ID_DIGITS && stem.bytes().all(hex) && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

fn io(path: &Path, source: std::io::Error) -> QuarantineError {
    QuarantineError::Io { path: path.to_owned(), source }
}

/// Size of what is encrypted in an item's folder, whatever its state; 0 where there is none.
fn size_of(folder: &Path) -> u64 {
    [ORIGINAL, ITEM].iter().filter_map(|name| folder.join(name).symlink_metadata().ok()).map(|meta| meta.len()).sum()
}
