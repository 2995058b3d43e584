//! Names of people stand beside the chain, not in it: a record holds a commitment (a salted digest), a table holds salt
//! and name. Erasing the row makes the name unrecoverable, and every digest stays as it was.

use crate::prune::hex;
use crate::{Journal, JournalError, Kind, New};
use rusqlite::{OptionalExtension, params};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// A person as records name one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What stands in records.
    pub commitment: String,
}

fn commitment(salt: &[u8], name: &str) -> String {
    let hash = Sha256::new().chain_update("sallyport-person 1\n").chain_update(salt).chain_update(name).finalize();
    hex(hash.get(..16).unwrap_or_default())
}

impl Journal {
    /// The commitment for `name`: the same one as long as the name is known, so that one person's records are found
    /// together.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn person(&self, name: &str) -> Result<Person, JournalError> {
        let known: Option<String> = self.with(|connection| {
            let sql = "SELECT commitment FROM persons WHERE name = ?1";
            Ok(connection.query_row(sql, params![name], |row| row.get(0)).optional()?)
        })?;
        if let Some(commitment) = known {
            return Ok(Person { commitment });
        }
        let mut salt = [0u8; 16];
        rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty())
            .map_err(|error| JournalError::Io { path: "/dev/urandom".into(), source: error.into() })?;
        let commitment = commitment(&salt, name);
        self.with(|connection| {
            let sql = "INSERT INTO persons VALUES (?1, ?2, ?3)";
            Ok(connection.execute(sql, params![commitment, salt, name])?)
        })?;
        Ok(Person { commitment })
    }

    /// The name behind a commitment, where it was not erased.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn name_of(&self, person: &Person) -> Result<Option<String>, JournalError> {
        self.with(|connection| {
            let sql = "SELECT name FROM persons WHERE commitment = ?1";
            Ok(connection.query_row(sql, params![person.commitment], |row| row.get(0)).optional()?)
        })
    }

    /// Erases a name on request. That it was erased, and why, is a record of its own; the name is not in it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn erase(&self, name: &str, why: &str) -> Result<bool, JournalError> {
        let known: Option<String> = self.with(|connection| {
            let sql = "SELECT commitment FROM persons WHERE name = ?1";
            Ok(connection.query_row(sql, params![name], |row| row.get(0)).optional()?)
        })?;
        let Some(commitment) = known else { return Ok(false) };
        let body = json!({ "action": "erase-name", "person": commitment, "why": why });
        self.append(vec![New::about(Kind::Operator, "", body)])?;
        self.with(|connection| {
            // Overwritten, not only unlinked, and not left in the write-ahead log.
            connection.pragma_update(None, "secure_delete", true)?;
            connection.execute("DELETE FROM persons WHERE commitment = ?1", params![commitment])?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(true)
        })
    }
}
