//! The outbound share: temporary name, sync, read back, compare, rename without replacing, sync of the folder.
//!
//! The one order of steps that every kind of share goes through ([`shares`] has the kinds). After a failure at the moment
//! of naming, only a look tells what became of it; where the share cannot be looked at any more, the file is
//! *undecided*: its job stays open in the journal, and the next start ends it by looking again.

use jail::Sealed;
use model::{Digest, SharePolicy};
use shares::{Address, Folder, Found, Naming, Share, Upload, advice, is_lost};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Ours: how long a lost connection is left alone before the file that lost it is tried once more. A server that
/// restarts its service takes a second or two.
const BACK_OFF: Duration = Duration::from_secs(2);

/// Ours: how often a name may be taken by somebody else although a look said that it was free. A share that says so
/// for ever is broken.
const CONTESTS: u32 = 100;

/// An outbound share, open.
#[derive(Debug)]
pub struct Outbox {
    address: Address,
    share: Box<dyn Share>,
    back_off: Duration,
}

/// What lies in the outbox now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Path below the outbox.
    pub path: String,
    /// The same bytes lay there already under this name, from an earlier run.
    pub already: bool,
}

/// Why a file was not placed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The tokens speak of different bytes.
    #[error("the verified and the scanned bytes are not the same")]
    TokenMismatch,
    /// What was read back is not what was written.
    #[error("what was read back from the outbox is not what was written; check the share's disk")]
    ReadBack,
    /// The share refused.
    #[error("the outbox cannot be written: {}{}", .0, advice(.0))]
    Io(#[from] io::Error),
    /// That the file is about to be released could not be recorded, so it was not.
    #[error("the release cannot be recorded: {}{}", .0, advice(.0))]
    Intent(io::Error),
    /// The share failed while the file was given its name: whether it has it is not known now.
    #[error("whether the file came to lie in the outbox is not known, the next start looks again: {}{}", .0, advice(.0))]
    Undecided(io::Error),
}

impl Outbox {
    /// Opens (and makes, where missing) the folder at `path`, and clears away what an earlier run that was killed left
    /// under a temporary name.
    ///
    /// # Errors
    /// What the share says; nothing is left in it then.
    pub fn open(path: &Path) -> Result<Self, OutboxError> {
        Self::at(&Address::Folder(path.to_owned()), &SharePolicy::default())
    }

    /// The same for a share of any kind; `policy` says how to sign in.
    ///
    /// # Errors
    /// What the share says; nothing is left in it then.
    pub fn at(address: &Address, policy: &SharePolicy) -> Result<Self, OutboxError> {
        Ok(Self { address: address.clone(), share: shares::open(address, policy)?, back_off: BACK_OFF })
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Where it is, for an error or a record: the real path of a folder, the address of anything else.
    #[must_use]
    pub fn place_name(&self) -> PathBuf {
        match self.address.folder() {
            Some(folder) => std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()),
            None => PathBuf::from(self.address.to_string()),
        }
    }

    /// How names are given here.
    #[must_use]
    pub fn naming(&self) -> Naming {
        self.share.naming()
    }

    /// Opens the folder below the root, making what is missing. No link on the way is followed.
    fn folder(&self, folders: &[String]) -> io::Result<Box<dyn Folder + '_>> {
        self.share.folder(folders, true)?.ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Places `file` under a name of `next_name`, unless the same bytes lie there already. `intent` is told the path
    /// before the rename, and a failure of it stops the release.
    ///
    /// # Errors
    /// [`OutboxError`]; no file of that name has appeared then, except where it says that this is not known.
    pub(crate) fn place(
        &self,
        file: &Sealed,
        digest: Digest,
        folders: &[String],
        next_name: &mut dyn FnMut(u32) -> (String, u32),
        intent: &mut dyn FnMut(&str) -> io::Result<()>,
    ) -> Result<Placed, OutboxError> {
        let (name, number) = next_name(1);
        let mut job = Job { digest, folders, next_name, intent, name, number, written: None, naming: false };
        let mut placed = self.try_to_place(file, &mut job);
        if self.may_try_again(&placed) {
            std::thread::sleep(self.back_off);
            placed = self.try_to_place(file, &mut job);
        }
        match placed {
            Err(OutboxError::Io(error)) if job.naming => Err(OutboxError::Undecided(error)),
            Ok(_) | Err(_) => placed,
        }
    }

    fn may_try_again<T>(&self, done: &Result<T, OutboxError>) -> bool {
        matches!(done, Err(OutboxError::Io(error)) if is_lost(error)) && self.share.comes_back()
    }

    fn try_to_place(&self, file: &Sealed, job: &mut Job<'_>) -> Result<Placed, OutboxError> {
        let folder = self.folder(job.folders)?;
        let folder = &*folder;
        if let Some(left) = job.written.take() {
            // From before the connection was lost. Once it is gone, no rename of it can still come through.
            match folder.remove(&left) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    job.written = Some(left);
                    return Err(error.into());
                }
            }
        }
        let mut temporary: Option<Temporary<'_>> = None;
        let mut contests = 0u32;
        loop {
            match digest_of_existing(folder, &job.name)? {
                Existing::Same(found) if found == job.digest => {
                    // Ours, where the answer to the rename was lost.
                    let already = !job.naming;
                    return settled(folder, job, already);
                }
                Existing::Same(_) | Existing::Other => {
                    job.naming = false;
                    (job.name, job.number) = (job.next_name)(job.number.saturating_add(1));
                    continue;
                }
                Existing::None => job.naming = false,
            }
            let ready = match temporary.take() {
                Some(ready) => ready,
                None => {
                    let name = self.share.temporary_name();
                    job.written = Some(name.clone());
                    write_temporary(folder, name, &mut file.reader(), job.digest)?
                }
            };
            let path = job.path();
            (job.intent)(&path).map_err(OutboxError::Intent)?;
            job.naming = true;
            match folder.give_name(&ready.name, &job.name) {
                Ok(()) => {
                    ready.keep();
                    job.written = None;
                    return settled(folder, job, false);
                }
                // Somebody else took the name between our look and the rename, or the rename was done and its answer
                // says otherwise: look again.
                Err(error) if error.kind() == ErrorKind::AlreadyExists && contests < CONTESTS => {
                    contests = contests.saturating_add(1);
                    temporary = Some(ready);
                }
                Err(error) => {
                    // Where a look succeeds it decides.
                    return match digest_of_existing(folder, &job.name) {
                        Ok(Existing::Same(found)) if found == job.digest => settled(folder, job, false),
                        Ok(Existing::Same(_) | Existing::Other | Existing::None) if !is_lost(&error) => {
                            job.naming = false;
                            Err(error.into())
                        }
                        Ok(_) | Err(_) => Err(error.into()),
                    };
                }
            }
        }
    }

    /// Places a small file that the station itself made (a manifest) under exactly this name.
    ///
    /// # Errors
    /// [`OutboxError`]; also where something else lies there.
    pub(crate) fn put(&self, folders: &[String], name: &str, bytes: &[u8]) -> Result<(), OutboxError> {
        let put = self.try_to_put(folders, name, bytes);
        if self.may_try_again(&put) {
            std::thread::sleep(self.back_off);
            return self.try_to_put(folders, name, bytes);
        }
        put
    }

    fn try_to_put(&self, folders: &[String], name: &str, bytes: &[u8]) -> Result<(), OutboxError> {
        let folder = self.folder(folders)?;
        let digest = crate::intake::digest_of_stream(&mut &*bytes)?;
        match digest_of_existing(&*folder, name)? {
            Existing::Same(found) if found == digest => return Ok(folder.sync()?),
            Existing::Same(_) | Existing::Other => return Err(OutboxError::Io(ErrorKind::AlreadyExists.into())),
            Existing::None => {}
        }
        let ready = write_temporary(&*folder, self.share.temporary_name(), &mut &*bytes, digest)?;
        folder.give_name(&ready.name, name)?;
        ready.keep();
        Ok(folder.sync()?)
    }

    /// Digest of what lies at `path` below the root; `None` where no regular file does.
    ///
    /// # Errors
    /// What the share says.
    pub(crate) fn digest_at(&self, path: &str) -> Result<Option<Digest>, OutboxError> {
        let mut folders: Vec<String> = path.split('/').map(str::to_owned).collect();
        let Some(name) = folders.pop() else { return Ok(None) };
        let Some(folder) = self.share.folder(&folders, false)? else { return Ok(None) };
        let found = digest_of_existing(&*folder, &name)?;
        Ok(match found {
            Existing::Same(digest) => Some(digest),
            Existing::None | Existing::Other => None,
        })
    }
}

/// A file on its way, over a reconnection if there is one.
struct Job<'a> {
    digest: Digest,
    folders: &'a [String],
    next_name: &'a mut dyn FnMut(u32) -> (String, u32),
    intent: &'a mut dyn FnMut(&str) -> io::Result<()>,
    /// The name that is tried.
    name: String,
    number: u32,
    /// The temporary name that it may lie under.
    written: Option<String>,
    /// It may have got its name.
    naming: bool,
}

impl Job<'_> {
    fn path(&self) -> String {
        self.folders.iter().map(String::as_str).chain([&*self.name]).collect::<Vec<_>>().join("/")
    }
}

/// The file has its name; the folder must keep it.
fn settled(folder: &dyn Folder, job: &Job<'_>, already: bool) -> Result<Placed, OutboxError> {
    if !already {
        // It lies there, and a power cut may still take it away: the next start looks what became of it.
        folder.sync().map_err(OutboxError::Undecided)?;
    }
    Ok(Placed { path: job.path(), already })
}

fn write_temporary<'f>(
    folder: &'f dyn Folder,
    name: String,
    from: &mut impl Read,
    digest: Digest,
) -> Result<Temporary<'f>, OutboxError> {
    let to = folder.create(&name)?;
    let mut temporary = Temporary { folder, name, to: Some(to), armed: true };
    if let Some(to) = temporary.to.as_mut() {
        let mut block = vec![0u8; BLOCK];
        loop {
            let n = fill(from, &mut block)?;
            if n == 0 {
                break;
            }
            to.write_all(block.get(..n).unwrap_or_default())?;
        }
        to.finish()?;
    }
    match digest_of_existing(folder, &temporary.name)? {
        Existing::Same(found) if found == digest => Ok(temporary),
        Existing::Same(_) | Existing::Other | Existing::None => Err(OutboxError::ReadBack),
    }
}

/// Ours: bytes of one write, a round of requests of a server.
const BLOCK: usize = 256 * 1024;

/// Reads until the block is full or nothing comes any more.
fn fill(from: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0usize;
    while let Some(room) = block.get_mut(filled..).filter(|room| !room.is_empty()) {
        match from.read(room)? {
            0 => break,
            n => filled = filled.saturating_add(n),
        }
    }
    Ok(filled)
}

/// A temporary file that goes away unless it is kept.
struct Temporary<'f> {
    folder: &'f dyn Folder,
    name: String,
    /// Open, and with it locked, until it has its name.
    to: Option<Box<dyn Upload + 'f>>,
    armed: bool,
}

impl Temporary<'_> {
    fn keep(mut self) {
        self.armed = false;
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // Some servers remove nothing that is open.
        drop(self.to.take());
        if self.armed {
            // Nothing to tell anybody: the next start clears it away.
            let _ = self.folder.remove(&self.name);
        }
    }
}

enum Existing {
    None,
    Same(Digest),
    /// Something that is no regular file.
    Other,
}

fn digest_of_existing(folder: &dyn Folder, name: &str) -> io::Result<Existing> {
    Ok(match folder.look(name)? {
        Found::Nothing => Existing::None,
        Found::Other => Existing::Other,
        Found::File(mut file) => Existing::Same(crate::intake::digest_of_stream(&mut file)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jail::{Growing, SpoolDir};
    use sha2::{Digest as _, Sha256};
    use std::sync::atomic::{AtomicBool, Ordering};

    fn sealed(dir: &Path, bytes: &[u8]) -> (Sealed, Digest) {
        let spool = SpoolDir::new(dir).unwrap();
        let mut growing = Growing::create(&spool, bytes.len() as u64).unwrap();
        growing.write_all(bytes).unwrap();
        (growing.seal().unwrap(), Digest::new(Sha256::digest(bytes).into()))
    }

    fn names() -> impl FnMut(u32) -> (String, u32) {
        |n| (if n == 1 { "a.txt".into() } else { format!("a ({n}).txt") }, n)
    }

    #[test]
    fn every_way_of_naming_places_once_and_never_replaces() {
        for naming in [Naming::NoReplace, Naming::Link, Naming::Claim] {
            let (dir, spool) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let share = Box::new(shares::Local::open(dir.path()).unwrap().naming_by(naming));
            let outbox = Outbox { address: Address::Folder(dir.path().to_owned()), share, back_off: Duration::ZERO };
            let put = |bytes: &[u8]| {
                let (file, digest) = sealed(spool.path(), bytes);
                outbox.place(&file, digest, &["x".into()], &mut names(), &mut |_| Ok(())).unwrap()
            };
            assert_eq!(put(b"one"), Placed { path: "x/a.txt".into(), already: false });
            assert_eq!(put(b"one"), Placed { path: "x/a.txt".into(), already: true }, "a rerun is idempotent");
            assert_eq!(put(b"two"), Placed { path: "x/a (2).txt".into(), already: false });
            assert_eq!(std::fs::read(dir.path().join("x/a.txt")).unwrap(), b"one");
            assert_eq!(std::fs::read_dir(dir.path().join("x")).unwrap().count(), 2, "{naming:?} left something");
        }
    }

    #[test]
    fn an_intent_that_cannot_be_written_stops_the_release_and_leaves_nothing() {
        let (dir, spool) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let outbox = Outbox::open(dir.path()).unwrap();
        let (file, digest) = sealed(spool.path(), b"one");
        let refused =
            outbox.place(&file, digest, &[], &mut names(), &mut |_| Err(std::io::ErrorKind::StorageFull.into()));
        assert!(refused.is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_the_outbox_is_not_written_through() {
        let (dir, spool, elsewhere) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let outbox = Outbox::open(dir.path()).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("x")).unwrap();
        let (file, digest) = sealed(spool.path(), b"one");
        assert!(outbox.place(&file, digest, &["x".into()], &mut names(), &mut |_| Ok(())).is_err());
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    /// What a share does at the moment of naming, and after it.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fault {
        AnswerLost,
        OrderLost,
        AnswerLostForGood,
        OrderLostForGood,
        Refused,
        FolderNotSynced,
    }

    /// A local folder behind a bad line.
    #[derive(Debug)]
    struct Flaky {
        inner: shares::Local,
        fault: Fault,
        /// The fault has come.
        struck: AtomicBool,
    }

    struct FlakyFolder<'s>(Box<dyn Folder + 's>, &'s Flaky);

    impl Flaky {
        fn up(&self) -> io::Result<()> {
            let for_good = matches!(self.fault, Fault::AnswerLostForGood | Fault::OrderLostForGood);
            if for_good && self.struck.load(Ordering::Relaxed) {
                return Err(ErrorKind::ConnectionAborted.into());
            }
            Ok(())
        }
    }

    impl Share for Flaky {
        fn folder<'s>(&'s self, folders: &[String], make: bool) -> io::Result<Option<Box<dyn Folder + 's>>> {
            self.up()?;
            let folder = self.inner.folder(folders, make)?;
            Ok(folder.map(|folder| Box::new(FlakyFolder(folder, self)) as Box<dyn Folder>))
        }
        fn temporary_name(&self) -> String {
            self.inner.temporary_name()
        }
        fn naming(&self) -> Naming {
            self.inner.naming()
        }
        fn comes_back(&self) -> bool {
            true
        }
    }

    impl Folder for FlakyFolder<'_> {
        fn create<'f>(&'f self, name: &str) -> io::Result<Box<dyn Upload + 'f>> {
            self.1.up()?;
            self.0.create(name)
        }
        fn look<'f>(&'f self, name: &str) -> io::Result<Found<'f>> {
            self.1.up()?;
            self.0.look(name)
        }
        fn give_name(&self, from: &str, to: &str) -> io::Result<()> {
            if self.1.struck.swap(true, Ordering::Relaxed) {
                return self.0.give_name(from, to);
            }
            match self.1.fault {
                Fault::AnswerLost | Fault::AnswerLostForGood => {
                    self.0.give_name(from, to)?;
                    Err(ErrorKind::ConnectionAborted.into())
                }
                Fault::OrderLost | Fault::OrderLostForGood => Err(ErrorKind::ConnectionAborted.into()),
                Fault::Refused => Err(ErrorKind::PermissionDenied.into()),
                Fault::FolderNotSynced => self.0.give_name(from, to),
            }
        }
        fn remove(&self, name: &str) -> io::Result<()> {
            self.1.up()?;
            self.0.remove(name)
        }
        fn sync(&self) -> io::Result<()> {
            if self.1.fault == Fault::FolderNotSynced {
                return Err(io::Error::from_raw_os_error(5));
            }
            self.0.sync()
        }
    }

    #[test]
    fn a_rename_whose_answer_is_lost_is_settled_by_a_look_and_by_nothing_else() {
        for (fault, undecided, lies_there) in [
            (Fault::AnswerLost, false, true),
            (Fault::OrderLost, false, true),
            (Fault::AnswerLostForGood, true, true),
            (Fault::OrderLostForGood, true, false),
            (Fault::Refused, false, false),
            (Fault::FolderNotSynced, true, true),
        ] {
            let (dir, spool) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let inner = shares::Local::open(dir.path()).unwrap();
            let share = Box::new(Flaky { inner, fault, struck: AtomicBool::new(false) });
            let outbox = Outbox { address: Address::Folder(dir.path().to_owned()), share, back_off: Duration::ZERO };
            let (file, digest) = sealed(spool.path(), b"one");
            let mut intents = Vec::new();
            let placed = outbox.place(&file, digest, &[], &mut names(), &mut |path| {
                intents.push(path.to_owned());
                Ok(())
            });
            assert_eq!(dir.path().join("a.txt").exists(), lies_there, "{fault:?}");
            assert!(intents.iter().all(|path| path == "a.txt") && !intents.is_empty(), "{fault:?}");
            match placed {
                Ok(placed) => assert_eq!(placed, Placed { path: "a.txt".into(), already: false }, "{fault:?}"),
                Err(OutboxError::Undecided(_)) => assert!(undecided, "{fault:?}"),
                Err(error) => assert_eq!((fault, undecided), (Fault::Refused, false), "{error}"),
            }
            let left = std::fs::read_dir(dir.path()).unwrap().count();
            let temporary = usize::from(fault == Fault::OrderLostForGood);
            assert_eq!(left, usize::from(lies_there) + temporary, "{fault:?} left something");
        }
    }
}
