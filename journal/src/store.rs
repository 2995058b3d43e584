//! The database: opening, appending, checkpoints.

use crate::JournalError;
use crate::record::{self, Fields, New};
use evidence::merkle::{Hash, Tree, leaf};
use evidence::{Checkpoint, StationKey, time};
use model::Digest;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Name of the database in the journal's folder.
pub(crate) const DATABASE: &str = "journal.db";
/// Folder of the checkpoints in it.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// Marks a database as ours ("SYJ1").
const APPLICATION_ID: i64 = 0x5359_4a31;
/// What the first record follows.
pub(crate) const GENESIS: [u8; 32] = [0; 32];

const SCHEMA: &str = "
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY,
        time TEXT NOT NULL,
        kind TEXT NOT NULL,
        session TEXT NOT NULL,
        input BLOB,
        output BLOB,
        body TEXT,
        digest BLOB NOT NULL
    ) STRICT;
    CREATE INDEX records_session ON records (session, seq) WHERE session <> '';
    CREATE INDEX records_input ON records (input) WHERE input IS NOT NULL;
    CREATE INDEX records_output ON records (output) WHERE output IS NOT NULL;
    CREATE INDEX records_marks ON records (kind, seq) WHERE kind IN ('session-begin', 'session-end', 'manifest');
    CREATE INDEX records_quarantine ON records (seq) WHERE kind = 'quarantine';
    CREATE TABLE tree (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, peaks BLOB NOT NULL) STRICT;
    CREATE TABLE persons (commitment TEXT PRIMARY KEY, salt BLOB NOT NULL, name TEXT NOT NULL) STRICT;
    INSERT INTO tree VALUES (1, 0, x'');
";

/// The ticket of records that nobody waits for.
const NOBODY: u64 = u64::MAX;

/// A record that is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its number.
    pub seq: u64,
    /// Its digest.
    pub digest: Digest,
}

/// An open journal. Several processes may hold the same one: each append takes SQLite's write lock and reads the end of
/// the chain under it.
pub struct Journal {
    folder: PathBuf,
    origin: String,
    key: StationKey,
    connection: Mutex<Connection>,
    queue: Mutex<Queue>,
    tickets: AtomicU64,
}

/// Appends that wait for a commit, and the results of those that were committed for somebody else.
#[derive(Default)]
struct Queue {
    waiting: Vec<(u64, Vec<New>)>,
    done: BTreeMap<u64, Result<Vec<Appended>, String>>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens (and makes, where missing, with mode 0700) the journal in `folder`. `origin` names the station in its
    /// checkpoints.
    ///
    /// # Errors
    /// [`JournalError`]; nothing may be released then.
    pub fn open(folder: &Path, origin: &str, key: StationKey) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: folder.to_owned(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join(CHECKPOINTS)).map_err(io)?;
        let path = folder.join(DATABASE);
        // Made by us, so that no other user may read it whatever the mask says.
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| JournalError::Io { path: path.clone(), source })?;
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "trusted_schema", false)?;
        prepare(&mut connection, &path)?;
        Ok(Self {
            folder: folder.to_owned(),
            origin: origin.to_owned(),
            key,
            connection: Mutex::new(connection),
            queue: Mutex::default(),
            tickets: AtomicU64::new(0),
        })
    }

    /// Opens a journal to read it: nothing is made, nothing is changed.
    ///
    /// # Errors
    /// [`JournalError`] where there is none, or it is none of ours.
    pub(crate) fn read(folder: &Path) -> Result<Connection, JournalError> {
        let path = folder.join(DATABASE);
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if id != APPLICATION_ID {
            return Err(JournalError::Damaged { path, what: "it is no journal of a station".into() });
        }
        Ok(connection)
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The station's key.
    #[must_use]
    pub const fn key(&self) -> &StationKey {
        &self.key
    }

    /// Appends `records` in their order, all or none. They are on the disk when this returns. Threads that append at
    /// the same time share one commit.
    ///
    /// # Errors
    /// [`JournalError`]: nothing was appended.
    pub fn append(&self, records: Vec<New>) -> Result<Vec<Appended>, JournalError> {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        self.queue.lock().map_err(|_| JournalError::Lost)?.waiting.push((ticket, records));
        // Whoever gets the connection commits for all who wait.
        let mut connection = self.connection.lock().map_err(|_| JournalError::Lost)?;
        let mut queue = self.queue.lock().map_err(|_| JournalError::Lost)?;
        if let Some(result) = queue.done.remove(&ticket) {
            return result.map_err(|what| self.damaged(what));
        }
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        let result = commit(&mut connection, &waiting);
        let mut queue = self.queue.lock().map_err(|_| JournalError::Lost)?;
        drop(connection);
        match result {
            Ok(appended) => {
                let mut mine = Vec::new();
                for ((other, _), appended) in waiting.iter().zip(appended) {
                    if *other == ticket {
                        mine = appended;
                    } else if *other != NOBODY {
                        queue.done.insert(*other, Ok(appended));
                    }
                }
                Ok(mine)
            }
            Err(error) => {
                for (other, _) in waiting.iter().filter(|(other, _)| *other != ticket && *other != NOBODY) {
                    queue.done.insert(*other, Err(error.to_string()));
                }
                Err(error)
            }
        }
    }

    /// Adds `record` to the next append of anybody: it is on the disk when a later [`Journal::append`] has returned, and
    /// lost with a crash before. For steps whose loss costs nothing.
    ///
    /// # Errors
    /// [`JournalError::Lost`].
    pub fn later(&self, record: New) -> Result<(), JournalError> {
        self.queue.lock().map_err(|_| JournalError::Lost)?.waiting.push((NOBODY, vec![record]));
        Ok(())
    }

    /// Sessions that began and did not end, oldest first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open_sessions(&self) -> Result<Vec<String>, JournalError> {
        let sql = "SELECT session FROM records WHERE kind = 'session-begin' AND session NOT IN \
                   (SELECT session FROM records WHERE kind = 'session-end') ORDER BY seq";
        self.with(|connection| {
            let mut statement = connection.prepare(sql)?;
            let sessions = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(sessions)
        })
    }

    /// Body of the last manifest record.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn last_manifest(&self) -> Result<Option<String>, JournalError> {
        let sql = "SELECT body FROM records WHERE kind = 'manifest' ORDER BY seq DESC LIMIT 1";
        self.with(|connection| Ok(connection.query_row(sql, [], |row| row.get(0)).optional()?))
    }

    /// Time of the last record (RFC 3339): a clock that is behind it was set back.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn latest_time(&self) -> Result<Option<String>, JournalError> {
        let sql = "SELECT time FROM records ORDER BY seq DESC LIMIT 1";
        self.with(|connection| Ok(connection.query_row(sql, [], |row| row.get(0)).optional()?))
    }

    fn damaged(&self, what: String) -> JournalError {
        JournalError::Damaged { path: self.folder.join(DATABASE), what }
    }

    /// Runs `work` on the database, alone.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        work(&mut *self.connection.lock().map_err(|_| JournalError::Lost)?)
    }

    /// The oldest checkpoint that knows at least `size` records; a new one where there is none.
    ///
    /// # Errors
    /// As [`Self::checkpoint`].
    pub fn checkpoint_over(&self, size: u64) -> Result<String, JournalError> {
        let folder = self.folder.join(CHECKPOINTS);
        let known = |entry: std::fs::DirEntry| {
            let name = entry.file_name();
            name.to_str()?.strip_suffix(".note")?.parse::<u64>().ok().filter(|known| *known >= size)
        };
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalError::Io { path, source }
        };
        let entries = std::fs::read_dir(&folder).map_err(io(&folder))?;
        match entries.flatten().filter_map(known).min() {
            Some(known) => {
                let path = folder.join(format!("{known:012}.note"));
                std::fs::read_to_string(&path).map_err(io(&path))
            }
            None => Ok(self.checkpoint()?.1),
        }
    }

    /// Signs the journal as it is now, writes the note into the folder of checkpoints, and gives it back for receipts
    /// and for places outside the station.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn checkpoint(&self) -> Result<(Checkpoint, String), JournalError> {
        let tree = self.with(|connection| read_tree(connection))?;
        let checkpoint =
            Checkpoint { origin: self.origin.clone(), size: tree.size(), root: tree.root(), time: time::format(now()) };
        let note = checkpoint.sign(&self.key);
        let path = self.folder.join(CHECKPOINTS).join(format!("{:012}.note", checkpoint.size));
        let write = || -> std::io::Result<()> {
            let part = path.with_extension(format!("part-{}", std::process::id()));
            let mut file = std::fs::File::create(&part)?;
            file.write_all(note.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&part, &path)?;
            std::fs::File::open(self.folder.join(CHECKPOINTS))?.sync_all()
        };
        write().map_err(|source| JournalError::Io { path: path.clone(), source })?;
        Ok((checkpoint, note))
    }
}

pub(crate) fn now() -> u64 {
    time::seconds(SystemTime::now())
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let id: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (id, tables) {
        (0, 0) => {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        (APPLICATION_ID, _) => {}
        _ => {
            let what = "it is no journal of a station".to_owned();
            return Err(JournalError::Damaged { path: path.to_owned(), what });
        }
    }
    Ok(transaction.commit()?)
}

fn commit(connection: &mut Connection, batches: &[(u64, Vec<New>)]) -> Result<Vec<Vec<Appended>>, JournalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut tree = read_tree(&transaction)?;
    let mut previous = last_digest(&transaction)?;
    let stamp = time::format(now());
    let mut all = Vec::with_capacity(batches.len());
    {
        let mut insert = transaction.prepare_cached("INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        for (_, records) in batches {
            let mut appended = Vec::with_capacity(records.len());
            for new in records {
                let seq = tree.size().saturating_add(1);
                let body = new.body.to_string();
                let session: String = new.session.chars().filter(|c| !c.is_control()).collect();
                let input = new.input.as_ref().map(|digest| digest.as_bytes().as_slice());
                let output = new.output.as_ref().map(|digest| digest.as_bytes().as_slice());
                let kind = new.kind.name();
                let fields =
                    Fields { seq, time: &stamp, kind, session: &session, input, output, body: body.as_bytes() };
                previous = record::digest(&fields, &previous);
                tree.push(leaf(&previous));
                insert.execute(params![as_i64(seq), stamp, kind, session, input, output, body, previous])?;
                appended.push(Appended { seq, digest: Digest::new(previous) });
            }
            all.push(appended);
        }
    }
    let peaks: Vec<u8> = tree.peaks().concat();
    transaction.execute("UPDATE tree SET size = ?1, peaks = ?2", params![as_i64(tree.size()), peaks])?;
    transaction.commit()?;
    Ok(all)
}

/// SQLite's integers are signed; a journal of 2^63 records does not exist.
pub(crate) fn as_i64(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn read_tree(connection: &Connection) -> Result<Tree, JournalError> {
    let (size, peaks): (i64, Vec<u8>) =
        connection.query_row("SELECT size, peaks FROM tree", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let peaks = peaks.chunks_exact(32).map(|peak| Hash::try_from(peak).unwrap_or_default()).collect();
    let tree = u64::try_from(size).ok().and_then(|size| Tree::resume(size, peaks));
    tree.ok_or_else(|| JournalError::Damaged { path: DATABASE.into(), what: "its tree is torn".into() })
}

fn last_digest(connection: &Connection) -> Result<[u8; 32], JournalError> {
    let last: Option<Vec<u8>> = connection
        .query_row("SELECT digest FROM records ORDER BY seq DESC LIMIT 1", [], |row| row.get(0))
        .optional()?;
    match last {
        None => Ok(GENESIS),
        Some(digest) => <[u8; 32]>::try_from(digest)
            .map_err(|_| JournalError::Damaged { path: DATABASE.into(), what: "the last record has no digest".into() }),
    }
}
