//! Finding records again.

use crate::store::Journal;
use crate::{JournalError, Kind, Record};
use model::Digest;
use rusqlite::types::Value;
use std::path::Path;

/// What to look for; every field that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// A file that came in or went out.
    pub digest: Option<Digest>,
    /// A session.
    pub session: Option<String>,
    /// A kind.
    pub kind: Option<Kind>,
    /// Not before (RFC 3339).
    pub since: Option<String>,
    /// Before (RFC 3339).
    pub until: Option<String>,
    /// From this number on.
    pub from: Option<u64>,
    /// At most so many.
    pub most: Option<u32>,
}

impl Query {
    fn sql(&self) -> (String, Vec<Value>) {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        let mut add = |condition: &str, value: Value| {
            conditions.push(condition.to_owned());
            values.push(value);
        };
        if let Some(digest) = self.digest {
            add("(input = ?1 OR output = ?1)", Value::Blob(digest.as_bytes().to_vec()));
        } else {
            // Keeps the numbers of the other places.
            add("?1 IS NULL", Value::Null);
        }
        let mut more = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                let place = format!("?{}", values.len().saturating_add(1));
                conditions.push(condition.replace('?', &place));
                values.push(value);
            }
        };
        more("session = ?", self.session.clone().map(Value::Text));
        more("time >= ?", self.since.clone().map(Value::Text));
        more("time < ?", self.until.clone().map(Value::Text));
        more("seq >= ?", self.from.map(|from| Value::Integer(crate::store::as_i64(from))));
        if let Some(kind) = self.kind {
            // A constant, so that the index of its kind can serve; beside a digest, whose few records come faster, not.
            let term = if self.digest.is_some() { "+kind" } else { "kind" };
            conditions.push(format!("{term} = '{}'", kind.name()));
        }
        let most = self.most.map_or(String::new(), |most| format!(" LIMIT {most}"));
        let columns = "seq, time, kind, session, input, output, body, digest";
        (format!("SELECT {columns} FROM records WHERE {} ORDER BY seq{most}", conditions.join(" AND ")), values)
    }

    /// Hands every record that fits to `each`, in their order, until it says `false`.
    ///
    /// # Errors
    /// [`JournalError`] where the journal in `folder` cannot be read.
    pub fn run(&self, folder: &Path, mut each: impl FnMut(Record) -> bool) -> Result<(), JournalError> {
        let connection = Journal::read(folder)?;
        let (sql, values) = self.sql();
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let digest = |bytes: Option<Vec<u8>>| bytes.and_then(|b| <[u8; 32]>::try_from(b).ok()).map(Digest::new);
            let record = Record {
                seq: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                time: row.get(1)?,
                kind: row.get(2)?,
                session: row.get(3)?,
                input: digest(row.get(4)?),
                output: digest(row.get(5)?),
                body: row.get(6)?,
                digest: digest(row.get(7)?).unwrap_or(Digest::new([0; 32])),
            };
            if !each(record) {
                break;
            }
        }
        Ok(())
    }

    /// All records that fit.
    ///
    /// # Errors
    /// [`JournalError`] where the journal in `folder` cannot be read.
    pub fn all(&self, folder: &Path) -> Result<Vec<Record>, JournalError> {
        let mut found = Vec::new();
        self.run(folder, |record| {
            found.push(record);
            true
        })?;
        Ok(found)
    }
}
