//! What a kill interrupted is ended where it was recorded, and undone where it was not.

use super::{GONE, PART, PUT, Quarantine, QuarantineError};
use journal::{Kind, Query};
use model::Digest;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

impl Quarantine<'_> {
    pub(super) fn recover(&self) -> Result<(), QuarantineError> {
        let _lock = self.lock()?;
        for entry in std::fs::read_dir(&self.folder).map_err(|error| self.io(error))? {
            let name = entry.map_err(|error| self.io(error))?.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(PART) {
                self.sweep(name)?;
            } else if let Some(id) = name.strip_prefix(PUT) {
                self.end_put(name, id)?;
            } else if let Some(id) = name.strip_prefix(GONE) {
                self.end_removal(name, id)?;
            }
        }
        Ok(())
    }

    /// Removes what somebody was writing who lives no more.
    fn sweep(&self, name: &str) -> Result<(), QuarantineError> {
        let path = self.folder.join(name);
        match File::open(&path) {
            Ok(folder) if folder.try_lock().is_ok() => std::fs::remove_dir_all(&path).map_err(|error| self.io(error)),
            // Somebody works on it, or it has just got its name.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Nobody else is at it, since we hold the lock: it appears where its record was written, else it never was.
    fn end_put(&self, name: &str, id: &str) -> Result<(), QuarantineError> {
        if let Ok((item, meta)) = self.read_at(name, id) {
            let recorded = self.events(item.sha256)?.into_iter().any(|event| {
                let says = |key: &str, value: &str| event.body.get(key).and_then(Value::as_str) == Some(value);
                event.event == "put" && says("item", id) && says("meta", &meta.to_string())
            });
            if recorded {
                return self.rename(name, id);
            }
        }
        std::fs::remove_dir_all(self.folder.join(name)).map_err(|error| self.io(error))?;
        self.sync()
    }

    /// It is gone where its record was written, else it comes back.
    fn end_removal(&self, name: &str, id: &str) -> Result<(), QuarantineError> {
        let mut last = None;
        let query = Query { kind: Some(Kind::Quarantine), ..Query::default() };
        let digest = self.puts()?.get(id).copied();
        for event in self.query(&query)? {
            if event.body.get("item").and_then(Value::as_str) == Some(id) && event.event != "again" {
                last = Some(event);
            }
        }
        match last {
            Some(event) if event.event == "evict" || event.event == "purge" => {
                self.bury(id, digest.unwrap_or(Digest::new([0; 32])), &event.body, event.seq)
            }
            Some(_) | None => self.rename(name, id),
        }
    }

    /// Every item that was ever put, with its digest.
    pub(super) fn puts(&self) -> Result<BTreeMap<String, Digest>, QuarantineError> {
        let mut puts = BTreeMap::new();
        let query = Query { kind: Some(Kind::Quarantine), ..Query::default() };
        let each = |record: journal::Record| {
            let body: Option<Value> = record.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
            let text = |key: &str| body.as_ref()?.get(key)?.as_str().map(str::to_owned);
            if let (Some("put"), Some(item), Some(digest)) = (text("event").as_deref(), text("item"), record.input) {
                puts.insert(item, digest);
            }
            true
        };
        let ran = query.run(self.ledger.journal().folder(), each);
        ran.map_err(|error| QuarantineError::Journal(error.to_string()))?;
        Ok(puts)
    }

    /// Holds folder and journal against each other: what is missing without a record, and what is there without one.
    ///
    /// # Errors
    /// [`QuarantineError`].
    pub fn audit(&self) -> Result<Vec<String>, QuarantineError> {
        let _lock = self.lock()?;
        let query = Query { kind: Some(Kind::Quarantine), ..Query::default() };
        let mut expected: BTreeMap<String, bool> = BTreeMap::new();
        for event in self.query(&query)? {
            if let Some(item) = event.body.get("item").and_then(Value::as_str) {
                match event.event.as_str() {
                    "put" => expected.insert(item.to_owned(), true),
                    "evict" | "purge" => expected.insert(item.to_owned(), false),
                    _ => None,
                };
            }
        }
        let pruned = self.pruned()?;
        let mut faults = Vec::new();
        let there = self.ids()?;
        for id in &there {
            match expected.get(id) {
                Some(true) => {}
                Some(false) => faults.push(format!("{id} is there, and the journal says that it went")),
                // The record is there, and retention took what it said.
                None if self.read(id).is_ok_and(|item| pruned.contains(&item.sha256)) => {}
                None => faults.push(format!("{id} is there, and no record says how it came")),
            }
            if let Err(error) = self.read(id).and_then(|item| self.check(&item)) {
                faults.push(error.to_string());
            }
        }
        for (id, _) in expected.iter().filter(|(id, there_then)| **there_then && !there.contains(id)) {
            faults.push(format!("{id} is missing, and no record says why"));
        }
        Ok(faults)
    }

    /// Digests of records whose bodies were pruned.
    fn pruned(&self) -> Result<BTreeSet<Digest>, QuarantineError> {
        let mut pruned = BTreeSet::new();
        let query = Query { kind: Some(Kind::Quarantine), ..Query::default() };
        let each = |record: journal::Record| {
            pruned.extend(record.input.filter(|_| record.body.is_none()));
            true
        };
        let ran = query.run(self.ledger.journal().folder(), each);
        ran.map_err(|error| QuarantineError::Journal(error.to_string()))?;
        Ok(pruned)
    }
}
