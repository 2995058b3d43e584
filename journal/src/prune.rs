//! Pruning: bodies of old records go, their digests stay, and a signed gap record says what went and why.

use crate::store::as_i64;
use crate::{Journal, JournalError, Kind, New};

use evidence::PublicKey;
use rusqlite::params;
use serde_json::{Value, json};

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// First number of the range.
    pub from: u64,
    /// Last number of the range.
    pub to: u64,
    /// Bodies that went.
    pub bodies: u64,
}

impl Journal {
    /// Takes the bodies of the records of `kinds` that are older than `before` (RFC 3339), up to the first younger one;
    /// the gap record is written first, so that a cut between the two leaves an explained body and not an unexplained
    /// hole. Gap records are never pruned. With a `class`, only records of sessions of that retention class go.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn prune(
        &self,
        kinds: &[Kind],
        before: &str,
        class: Option<&str>,
        why: &str,
    ) -> Result<Option<Pruned>, JournalError> {
        let to: Option<i64> = self.with(|connection| {
            let sql = "SELECT max(seq) FROM records WHERE time < ?1";
            Ok(connection.query_row(sql, params![before], |row| row.get(0))?)
        })?;
        let Some(to) = to.and_then(|to| u64::try_from(to).ok()) else { return Ok(None) };
        let mut kinds: Vec<Kind> = kinds.iter().copied().filter(|kind| *kind != Kind::Gap).collect();
        // A session's first record says its class: it goes last.
        kinds.sort_by_key(|kind| *kind == Kind::SessionBegin);
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let of = class.map(|class| format!(" of class {class}")).unwrap_or_default();
        let said = format!("1..{to} {}{of} {why}", names.join(","));
        let signature = hex(&self.key().sign(signed(1, to, &said).as_bytes()));
        let body = json!({ "from": 1, "to": to, "said": said, "signature": signature });
        self.append(vec![New::about(Kind::Gap, "", body)])?;
        let bodies = self.with(|connection| {
            let transaction = connection.transaction()?;
            let mut bodies = 0usize;
            for name in &names {
                let sql = "UPDATE records SET body = NULL WHERE seq <= ?1 AND kind = ?2 AND body IS NOT NULL
                           AND (?3 IS NULL OR session IN (SELECT session FROM records
                                WHERE kind = 'session-begin' AND json_extract(body, '$.retention') = ?3))";
                bodies = bodies.saturating_add(transaction.execute(sql, params![as_i64(to), name, class])?);
            }
            transaction.commit()?;
            Ok(bodies)
        })?;
        Ok(Some(Pruned { from: 1, to, bodies: bodies as u64 }))
    }
}

fn signed(from: u64, to: u64, said: &str) -> String {
    format!("sallyport-gap 1\n{from}\n{to}\n{said}\n")
}

/// The range of a gap record that `key` signed.
pub(crate) fn read(body: &str, key: &PublicKey) -> Option<(u64, u64)> {
    let body: Value = serde_json::from_str(body).ok()?;
    let (from, to, said) = (body.get("from")?.as_u64()?, body.get("to")?.as_u64()?, body.get("said")?.as_str()?);
    let digits = body.get("signature")?.as_str()?;
    let byte = |at: usize| digits.get(at..at.checked_add(2)?).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..64usize).map(|n| byte(n.checked_mul(2)?)).collect();
    let signature = <[u8; 64]>::try_from(bytes?).ok()?;
    (digits.len() == 128 && key.verifies(signed(from, to, said).as_bytes(), &signature)).then_some((from, to))
}
