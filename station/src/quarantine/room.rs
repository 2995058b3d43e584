//! Room: what is old goes first, what is young stays, and nothing goes without a record and a tombstone.

use super::{GONE, Item, Quarantine, QuarantineError, TOMBSTONES, item, size_of};
use evidence::time;
use model::Digest;
use serde_json::{Value, json};
use std::time::SystemTime;

const DAY: u64 = 86_400;

/// An item that went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its id.
    pub item: String,
    /// Bytes of its original.
    pub size: u64,
}

impl Quarantine<'_> {
    /// Makes room for `need` bytes, oldest items first; the inner error says why there is none.
    pub(super) fn make_room(&self, need: u64) -> Result<Result<(), String>, QuarantineError> {
        let terms = self.terms();
        if need > terms.size {
            return Ok(Err("it is larger than the whole quarantine may be".to_owned()));
        }
        let mut there = self.by_age()?;
        let mut used = there.iter().fold(0u64, |sum, (_, _, size)| sum.saturating_add(*size));
        if used.saturating_add(need) <= terms.size {
            return Ok(Ok(()));
        }
        there.sort();
        let until = self.days_ago(terms.at_least)?;
        for (_, id, size) in there {
            // What is damaged stays for the investigation.
            let Ok(item) = self.read(&id) else { continue };
            if item.kept > until {
                break;
            }
            if self.is_wanted(&item)? {
                continue;
            }
            self.remove(&item, "evict", "room for a younger one")?;
            used = used.saturating_sub(size);
            if used.saturating_add(need) <= terms.size {
                return Ok(Ok(()));
            }
        }
        let days = terms.at_least;
        Ok(Err(format!("the quarantine is full, and nothing in it that may go is older than {days} days")))
    }

    /// When each item was written as its folder says, its id, and its bytes. The folder's time only puts them in order;
    /// what may go is told by the signed one.
    fn by_age(&self) -> Result<Vec<(SystemTime, String, u64)>, QuarantineError> {
        let age = |id: String| {
            let folder = self.folder.join(&id);
            let written = folder.symlink_metadata().and_then(|meta| meta.modified()).map_err(|error| self.io(error))?;
            Ok((written, id, size_of(&folder)))
        };
        self.ids()?.into_iter().map(age).collect()
    }

    /// Purges what is older than policy's retention, and not asked for.
    ///
    /// # Errors
    /// [`QuarantineError`]; what was purged before has its records.
    pub fn purge_expired(&self) -> Result<Vec<Removed>, QuarantineError> {
        let _lock = self.lock()?;
        let until = self.days_ago(self.terms().retention)?;
        let mut gone = Vec::new();
        for item in self.list()?.items {
            if item.kept <= until && !self.is_wanted(&item)? {
                let why = format!("retention of {} days", self.terms().retention);
                gone.push(self.remove(&item, "purge", &why)?);
            }
        }
        Ok(gone)
    }

    /// Purges one item, whatever its age; damaged ones too, by their whole id.
    ///
    /// # Errors
    /// [`QuarantineError`].
    pub fn purge(&self, id: &str, why: &str) -> Result<Removed, QuarantineError> {
        let _lock = self.lock()?;
        match self.find(id) {
            Ok(item) => self.remove(&item, "purge", why),
            Err(QuarantineError::Damaged { item, what }) => self.remove_damaged(&item, why, &what),
            Err(error) => Err(error),
        }
    }

    fn days_ago(&self, days: u32) -> Result<String, QuarantineError> {
        Ok(time::format(self.moment()?.saturating_sub(u64::from(days).saturating_mul(DAY))))
    }

    fn remove(&self, item: &Item, event: &str, why: &str) -> Result<Removed, QuarantineError> {
        let body = json!({
            "event": event, "item": item.item, "why": why, "kept": item.kept, "size": item.size,
            "reason": item.reason.code,
        });
        self.take_away(&item.item, &item.session, item.sha256, body)?;
        Ok(Removed { item: item.item.clone(), size: item.size })
    }

    /// Nothing that a damaged item says of itself is believed; its records are found by its id.
    fn remove_damaged(&self, id: &str, why: &str, what: &str) -> Result<Removed, QuarantineError> {
        let put = self.puts()?.into_iter().find(|(item, _)| item == id);
        let digest = put.map_or(Digest::new([0; 32]), |(_, digest)| digest);
        let size = size_of(&self.folder.join(id));
        let body = json!({ "event": "purge", "item": id, "why": why, "damaged": what, "size": size });
        self.take_away(id, "", digest, body)?;
        Ok(Removed { item: id.to_owned(), size })
    }

    /// Out of sight first, then the record, then the bytes: a kill in between is undone or ended by the next.
    fn take_away(&self, id: &str, session: &str, digest: Digest, body: Value) -> Result<(), QuarantineError> {
        self.rename(id, &format!("{GONE}{id}"))?;
        let seq = self.record(session, digest, body.clone())?;
        self.bury(id, digest, &body, seq)
    }

    /// Writes the tombstone and deletes the bytes; again where it was done before.
    pub(super) fn bury(&self, id: &str, digest: Digest, body: &Value, seq: u64) -> Result<(), QuarantineError> {
        let tombstone = self.folder.join(TOMBSTONES).join(format!("{id}.json"));
        let part = tombstone.with_extension("part");
        let mut text = json!({ "sha256": digest, "record": seq });
        if let (Some(text), Some(body)) = (text.as_object_mut(), body.as_object()) {
            text.extend(body.clone());
        }
        let write = || -> std::io::Result<()> {
            let _ = std::fs::remove_file(&part);
            item::private(&part, format!("{text}\n").as_bytes())?;
            std::fs::rename(&part, &tombstone)?;
            std::fs::File::open(self.folder.join(TOMBSTONES))?.sync_all()?;
            std::fs::remove_dir_all(self.folder.join(format!("{GONE}{id}")))
        };
        write().map_err(|error| self.io(error))?;
        self.sync()
    }
}
