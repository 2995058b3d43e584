//! The store: one folder with the sets that this station took in, which of them is in force, and whom it trusts.
//!
//! ```text
//! STORE/station.key          seals the records below; readable by its owner alone
//!       trust  state  current   sealed records, each replaced whole
//!       journal.jsonl        what was done, when, by whom and why
//!       sets/DIGEST/         a set: never changed once it has its name; DIGEST is the bundle's
//!       compiled/DIGEST      rules as the scan jails load them, sealed
//!       clamav               the databases in force, for clamd: a link into the set
//!       incoming/            where `update` looks for bundles
//! ```
//!
//! `current` is the one switch. It is replaced by a rename after everything it points to was synced; whoever is killed at
//! any moment leaves either the old set in force or the new one, and both are whole.

mod records;
mod sets;

pub use records::{Act, Current, Highest, State};
pub use sets::{InForce, OpenIndex, Stage, StoredSet};

use crate::sealed::{StationKey, sync_folder, write_whole};
use crate::trust::{Trust, Untrusted};
use rustix::fs::FlockOperation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const KEY: &str = "station.key";
const TRUST: &str = "trust";
const STATE: &str = "state";
const CURRENT: &str = "current";
const SETS: &str = "sets";
const COMPILED: &str = "compiled";
const INCOMING: &str = "incoming";
const CLAMAV: &str = "clamav";

/// Why a bundle is not taken. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Its signatures.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The file itself.
    #[error("{0}; copy it again, and ask its maker if that does not help")]
    Broken(String),
    /// It is larger than any bundle.
    #[error("it has {size} bytes, a bundle has at most {most}; is this the right file?")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        most: u64,
    },
    /// It is for others.
    #[error("it is for channel {theirs:?}, this station takes channel {ours:?}; get the bundle that is meant for it")]
    Channel {
        /// The bundle's.
        theirs: String,
        /// The station's.
        ours: String,
    },
    /// There was a newer one.
    #[error("it is number {sequence}, and number {highest} was taken in already; get a newer one, or use 'rollback'")]
    Older {
        /// Its number.
        sequence: u64,
        /// The highest ever.
        highest: u64,
    },
    /// Two bundles of one number.
    #[error("another bundle with number {sequence} was taken in before; ask its maker for one with a new number")]
    SameNumber {
        /// Its number.
        sequence: u64,
    },
    /// It takes the ground from under itself.
    #[error("it revokes the keys that it is signed with; its maker must sign with keys that stay")]
    RevokesItself,
    /// It counts no more.
    #[error("it expired on {on}, and this station has seen {today}; get a newer one")]
    Expired {
        /// First day on which it counts no more.
        on: String,
        /// The latest day that the station has seen.
        today: String,
    },
    /// Its rules don't work here.
    #[error("its rules can't be used: {0}; ask its maker for a new one")]
    Rules(String),
    /// A sample of its own is not told right, or one of ours.
    #[error("it fails its trial: {0}; ask its maker for a new one")]
    Trial(String),
}

/// What goes wrong with a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is none.
    #[error("there is no signature store at {0}; 'sallyport signatures trust add KEY' makes one")]
    Missing(PathBuf),
    /// A bundle is refused.
    #[error("{bundle} is refused: {why}")]
    Refused {
        /// Which one.
        bundle: String,
        /// Why.
        why: Refusal,
    },
    /// Asked for something that there is not.
    #[error("{0}")]
    Usage(String),
    /// A place can't be read or written.
    #[error("{path} cannot be {verb}: {source}; check its disk and permissions")]
    Place {
        /// "read" or "written".
        verb: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A record or a set is not as this station wrote it.
    #[error("{0} is damaged or was not written by this station; restore the store, or move it away and import anew")]
    Damaged(PathBuf),
    /// A jail that was to do the work.
    #[error("the sandbox does not work, so nothing was opened: {0}")]
    Jail(String),
}

impl StoreError {
    /// 2 for what the caller gave us, 3 for what the station is at fault for.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Missing(_) | Self::Refused { .. } | Self::Usage(_) => 2,
            Self::Place { .. } | Self::Damaged(_) | Self::Jail(_) => 3,
        }
    }

    /// [`StoreError::Refused`] for the bundle of this name.
    #[must_use]
    pub fn refused(bundle: &str, why: impl Into<Refusal>) -> Self {
        Self::Refused { bundle: bundle.to_owned(), why: why.into() }
    }
}

fn unread(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + '_ {
    |source| StoreError::Place { verb: "read", path: path.to_owned(), source }
}

fn unwritten(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + '_ {
    |source| StoreError::Place { verb: "written", path: path.to_owned(), source }
}

/// A store that is there.
#[derive(Clone)]
pub struct Store {
    dir: PathBuf,
    key: StationKey,
}

/// The right to change a store: one process at a time has it.
pub struct Lock {
    _file: File,
}

impl Store {
    /// Opens the store at `dir`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is none.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(KEY);
        match StationKey::read(&path) {
            Ok(key) => Ok(Self { dir: dir.to_owned(), key }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(StoreError::Missing(dir.to_owned())),
            Err(error) => Err(unread(&path)(error)),
        }
    }

    /// Opens the store at `dir`, or makes an empty one that trusts nobody.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn open_or_make(dir: &Path) -> Result<Self, StoreError> {
        match Self::open(dir) {
            Err(StoreError::Missing(_)) => {}
            other => return other,
        }
        let folder = |name: &str| {
            let path = dir.join(name);
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o755).create(&path);
            made.map_err(unwritten(&path))
        };
        [SETS, COMPILED, INCOMING].into_iter().try_for_each(folder)?;
        let lock = lock(dir)?;
        // Somebody else may have made it while we waited.
        if let Ok(store) = Self::open(dir) {
            return Ok(store);
        }
        let key = StationKey::new().map_err(unread(Path::new("/dev/urandom")))?;
        let store = Self { dir: dir.to_owned(), key };
        store.put(&lock, TRUST, &Trust::default())?;
        store.put(&lock, STATE, &State::default())?;
        // Last: a store is there once its key is.
        let path = dir.join(KEY);
        write_whole(&path, store.key.bytes(), 0o600).map_err(unwritten(&path))?;
        Ok(store)
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where `update` looks for bundles when nobody says where.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.dir.join(INCOMING)
    }

    /// Waits for the right to change the store, and removes what others left when they were killed.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn lock(&self) -> Result<Lock, StoreError> {
        let lock = lock(&self.dir)?;
        self.sweep();
        Ok(lock)
    }

    /// Half-written files and folders have names that nobody reads; failing to remove one harms nothing.
    fn sweep(&self) {
        let is_part = |name: &str| name.ends_with(".part");
        for folder in [self.dir.clone(), self.dir.join(SETS), self.dir.join(COMPILED)] {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.file_name().to_str().is_some_and(is_part) {
                    let path = entry.path();
                    let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
                }
            }
        }
    }

    fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let path = self.dir.join(name);
        match std::fs::read(&path) {
            Ok(record) => self.key.of_record(name, &record).map(Some).ok_or(StoreError::Damaged(path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unread(&path)(error)),
        }
    }

    fn put(&self, _lock: &Lock, name: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let path = self.dir.join(name);
        let record = self.key.to_record(name, value).map_err(unwritten(&path))?;
        write_whole(&path, &record, 0o644).map_err(unwritten(&path))
    }

    /// Whom this station trusts.
    ///
    /// # Errors
    /// The record is missing or damaged.
    pub fn trust(&self) -> Result<Trust, StoreError> {
        self.get(TRUST)?.ok_or_else(|| StoreError::Damaged(self.dir.join(TRUST)))
    }

    /// Changes whom it trusts.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn set_trust(&self, lock: &Lock, trust: &Trust) -> Result<(), StoreError> {
        self.put(lock, TRUST, trust)
    }
}

fn lock(dir: &Path) -> Result<Lock, StoreError> {
    let path = dir.join("lock");
    let file = File::options().create(true).append(true).open(&path).map_err(unwritten(&path))?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(|e| unwritten(&path)(e.into()))?;
    Ok(Lock { _file: file })
}

fn sync(folder: &Path) -> Result<(), StoreError> {
    sync_folder(folder).map_err(unwritten(folder))
}

#[cfg(test)]
mod tests;
