//! The small records of a store, and its journal.

use super::{CURRENT, Lock, STATE, Store, StoreError, unwritten};
use model::{Digest, time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;

/// What must never go back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The highest bundle of each channel that was ever taken in.
    pub highest: BTreeMap<String, Highest>,
    /// The latest time that was ever seen, in seconds since 1970: a clock that was reset does not revive old rules.
    pub latest_time: u64,
}

/// The highest bundle of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Highest {
    /// Its number.
    pub sequence: u64,
    /// Its digest.
    pub bundle: Digest,
}

/// Which set is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Current {
    /// Digest of its bundle.
    pub set: Digest,
    /// The one before.
    pub previous: Option<Digest>,
    /// Since when, in seconds since 1970.
    pub since: u64,
}

/// Who does something, when.
#[derive(Clone, Debug)]
pub struct Act {
    /// The person, as the system knows them.
    pub who: String,
    /// Seconds since 1970 by the machine's clock.
    pub now: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    who: &'a str,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<Digest>,
    #[serde(skip_serializing_if = "str::is_empty")]
    why: &'a str,
}

impl Store {
    /// What must never go back.
    ///
    /// # Errors
    /// The record is missing or damaged: without it an old bundle would be taken for a new one.
    pub fn state(&self) -> Result<State, StoreError> {
        self.get(STATE)?.ok_or_else(|| StoreError::Damaged(self.dir().join(STATE)))
    }

    pub(super) fn set_state(&self, lock: &Lock, state: &State) -> Result<(), StoreError> {
        self.put(lock, STATE, state)
    }

    /// The time that counts: the machine's, or the latest ever seen where that is later. Notes it when it moved on by
    /// more than an hour.
    ///
    /// # Errors
    /// The state can't be read or written.
    pub fn time(&self, now: u64) -> Result<u64, StoreError> {
        let seen = self.state()?.latest_time;
        if now > seen.saturating_add(3_600) {
            let lock = self.lock()?;
            // Read again: it may have changed while we waited.
            let mut state = self.state()?;
            state.latest_time = state.latest_time.max(now);
            self.set_state(&lock, &state)?;
        }
        Ok(now.max(seen))
    }

    /// Sets the latest time seen back to the machine's clock: for a clock that was once far ahead.
    ///
    /// # Errors
    /// The state can't be read or written.
    pub fn reset_time(&self, lock: &Lock, act: &Act, why: &str) -> Result<(), StoreError> {
        let mut state = self.state()?;
        self.note(act, &format!("latest time set back from {}", time::format(state.latest_time)), None, why)?;
        state.latest_time = act.now;
        self.set_state(lock, &state)
    }

    /// Which set is in force; none where it is the built-in one alone.
    ///
    /// # Errors
    /// The record is damaged.
    pub fn current(&self) -> Result<Option<Current>, StoreError> {
        self.get(CURRENT)
    }

    pub(super) fn set_current(&self, lock: &Lock, current: &Current) -> Result<(), StoreError> {
        self.put(lock, CURRENT, current)
    }

    /// Adds a line to the journal, synced.
    ///
    /// # Errors
    /// It can't be written: then what it speaks of must not be done.
    pub fn note(&self, act: &Act, what: &str, set: Option<Digest>, why: &str) -> Result<(), StoreError> {
        let path = self.dir().join("journal.jsonl");
        let line = Line { at: time::format(act.now), who: &act.who, what, set, why };
        let write = || {
            let mut json = serde_json::to_vec(&line)?;
            json.push(b'\n');
            let mut file = std::fs::File::options().create(true).append(true).open(&path)?;
            file.write_all(&json)?;
            file.sync_data()
        };
        write().map_err(unwritten(&path))
    }
}
