//! The outbound share: temporary name, sync, read back, compare, rename without replacing, sync of the folder.
//!
//! A share can be local, SMB, NFS or FUSE. What it can do is probed once, on a file of our own: `renameat2` with
//! `RENAME_NOREPLACE`, else link and unlink, else an exclusive claim of the name and a rename over it (safe with one
//! writer only, and said so).

use jail::Sealed;
use model::Digest;
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How a finished file gets its final name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `renameat2(RENAME_NOREPLACE)`.
    NoReplace,
    /// `link` and `unlink`.
    Link,
    /// An exclusive empty file under the final name, then a rename over it: one writer only.
    Claim,
}

/// An outbound share, probed.
#[derive(Debug)]
pub struct Outbox {
    path: PathBuf,
    root: OwnedFd,
    naming: Naming,
    serial: AtomicU64,
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
    #[error("the outbox cannot be written: {0}")]
    Io(#[from] std::io::Error),
}

impl From<Errno> for OutboxError {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

/// Our temporary names: hidden, and told from anything a person would write.
const TEMPORARY: (&str, &str) = (".sallyport-", ".part");

impl Outbox {
    /// Opens (and makes, where missing) the outbox at `path`, probes it, and clears away what an earlier run that was
    /// killed left under a temporary name.
    ///
    /// # Errors
    /// What the share says; nothing is left in it then.
    pub fn open(path: &Path) -> Result<Self, OutboxError> {
        std::fs::create_dir_all(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let mut outbox = Self { path: path.to_owned(), root, naming: Naming::NoReplace, serial: AtomicU64::new(0) };
        clear_leftovers(&outbox.root)?;
        outbox.naming = outbox.probe()?;
        Ok(outbox)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How names are given here.
    #[must_use]
    pub const fn naming(&self) -> Naming {
        self.naming
    }

    fn probe(&self) -> Result<Naming, OutboxError> {
        let (from, to) = (self.temporary_name(), self.temporary_name());
        let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        drop(rustix::fs::openat(&self.root, &from, create, Mode::RUSR | Mode::WUSR)?);
        let renamed = rustix::fs::renameat_with(&self.root, &from, &self.root, &to, RenameFlags::NOREPLACE);
        let naming = match renamed {
            Ok(()) => Naming::NoReplace,
            Err(_) => match rustix::fs::linkat(&self.root, &from, &self.root, &to, AtFlags::empty()) {
                Ok(()) => Naming::Link,
                Err(_) => Naming::Claim,
            },
        };
        for name in [&from, &to] {
            match rustix::fs::unlinkat(&self.root, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(naming)
    }

    fn temporary_name(&self) -> String {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        format!("{}{}-{serial}{}", TEMPORARY.0, std::process::id(), TEMPORARY.1)
    }

    /// Opens the folder below the root, making what is missing. No link on the way is followed.
    fn folder(&self, folders: &[String]) -> Result<OwnedFd, OutboxError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut at = rustix::fs::openat(&self.root, ".", flags, Mode::empty())?;
        for folder in folders {
            let made = rustix::fs::mkdirat(&at, folder, Mode::RWXU | Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH);
            match made {
                Ok(()) => rustix::fs::fsync(&at)?,
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            at = rustix::fs::openat(&at, folder, flags, Mode::empty())?;
        }
        Ok(at)
    }

    /// Places `file` under a name of `next_name`, unless the same bytes lie there already. `intent` is told the path
    /// before the rename, and a failure of it stops the release.
    ///
    /// # Errors
    /// [`OutboxError`]; no file of that name has appeared then.
    pub(crate) fn place(
        &self,
        file: &Sealed,
        digest: Digest,
        folders: &[String],
        next_name: &mut dyn FnMut(u32) -> (String, u32),
        intent: &mut dyn FnMut(&str) -> std::io::Result<()>,
    ) -> Result<Placed, OutboxError> {
        let folder = self.folder(folders)?;
        let path_of = |name: &str| folders.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("/");
        let (mut name, mut number) = next_name(1);
        let mut temporary: Option<Temporary<'_>> = None;
        loop {
            match digest_of_existing(&folder, &name)? {
                Existing::Same(found) if found == digest => {
                    return Ok(Placed { path: path_of(&name), already: true });
                }
                Existing::Same(_) | Existing::Other => {
                    (name, number) = next_name(number.saturating_add(1));
                    continue;
                }
                Existing::None => {}
            }
            let ready = match temporary.take() {
                Some(ready) => ready,
                None => self.write_temporary(&folder, &mut file.reader(), digest)?,
            };
            intent(&path_of(&name))?;
            match self.give_name(&folder, &ready.name, &name) {
                Ok(()) => {
                    ready.keep();
                    rustix::fs::fsync(&folder)?;
                    return Ok(Placed { path: path_of(&name), already: false });
                }
                // Somebody else took the name between our look and the rename: look again.
                Err(Errno::EXIST) => temporary = Some(ready),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Places a small file that the station itself made (a manifest) under exactly this name.
    ///
    /// # Errors
    /// [`OutboxError`]; also where something else lies there.
    pub(crate) fn put(&self, folders: &[String], name: &str, bytes: &[u8]) -> Result<(), OutboxError> {
        let folder = self.folder(folders)?;
        let digest = crate::intake::digest_of_stream(&mut &*bytes)?;
        match digest_of_existing(&folder, name)? {
            Existing::Same(found) if found == digest => return Ok(()),
            Existing::Same(_) | Existing::Other => {
                return Err(OutboxError::Io(std::io::ErrorKind::AlreadyExists.into()));
            }
            Existing::None => {}
        }
        let ready = self.write_temporary(&folder, &mut &*bytes, digest)?;
        self.give_name(&folder, &ready.name, name)?;
        ready.keep();
        Ok(rustix::fs::fsync(&folder)?)
    }

    /// Digest of what lies at `path` below the root; `None` where no regular file does.
    ///
    /// # Errors
    /// What the share says.
    pub(crate) fn digest_at(&self, path: &str) -> Result<Option<Digest>, OutboxError> {
        let mut folders: Vec<&str> = path.split('/').collect();
        let Some(name) = folders.pop() else { return Ok(None) };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut at = rustix::fs::openat(&self.root, ".", flags, Mode::empty())?;
        for folder in folders {
            at = match rustix::fs::openat(&at, folder, flags, Mode::empty()) {
                Ok(at) => at,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
        }
        Ok(match digest_of_existing(&at, name)? {
            Existing::Same(digest) => Some(digest),
            Existing::None | Existing::Other => None,
        })
    }

    fn write_temporary<'f>(
        &self,
        folder: &'f OwnedFd,
        from: &mut impl Read,
        digest: Digest,
    ) -> Result<Temporary<'f>, OutboxError> {
        let name = self.temporary_name();
        let create = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        let fd = rustix::fs::openat(folder, &name, create, mode)?;
        let temporary = Temporary { folder, name, armed: true };
        // A second station that clears leftovers must not take a file that is being written for one. A share without
        // locks has one writer.
        let _ = rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive);
        let mut to = std::fs::File::from(fd);
        let mut block = vec![0u8; 128 * 1024];
        loop {
            let n = from.read(&mut block)?;
            if n == 0 {
                break;
            }
            to.write_all(block.get(..n).unwrap_or_default())?;
        }
        to.sync_all()?;
        match digest_of_existing(folder, &temporary.name)? {
            Existing::Same(found) if found == digest => Ok(temporary),
            Existing::Same(_) | Existing::Other | Existing::None => Err(OutboxError::ReadBack),
        }
    }

    fn give_name(&self, folder: &OwnedFd, from: &str, to: &str) -> Result<(), Errno> {
        match self.naming {
            Naming::NoReplace => rustix::fs::renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE),
            Naming::Link => {
                rustix::fs::linkat(folder, from, folder, to, AtFlags::empty())?;
                rustix::fs::unlinkat(folder, from, AtFlags::empty())
            }
            Naming::Claim => {
                let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                drop(rustix::fs::openat(folder, to, create, Mode::RUSR | Mode::WUSR)?);
                rustix::fs::renameat(folder, from, folder, to)
            }
        }
    }
}

/// A temporary file that goes away unless it is kept.
struct Temporary<'f> {
    folder: &'f OwnedFd,
    name: String,
    armed: bool,
}

impl Temporary<'_> {
    fn keep(mut self) {
        self.armed = false;
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if self.armed {
            // Nothing to tell anybody: the next start clears it away.
            let _ = rustix::fs::unlinkat(self.folder, &self.name, AtFlags::empty());
        }
    }
}

enum Existing {
    None,
    Same(Digest),
    /// Something that is no regular file.
    Other,
}

fn digest_of_existing(folder: &OwnedFd, name: &str) -> Result<Existing, OutboxError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let fd = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(Existing::None),
        Err(Errno::LOOP | Errno::NXIO) => return Ok(Existing::Other),
        Err(error) => return Err(error.into()),
    };
    let mut file = std::fs::File::from(fd);
    if !file.metadata()?.is_file() {
        return Ok(Existing::Other);
    }
    Ok(Existing::Same(crate::intake::digest_of_stream(&mut file)?))
}

/// Removes temporary files of ours that no living station holds a lock on, in the whole tree.
fn clear_leftovers(root: &OwnedFd) -> Result<(), OutboxError> {
    let mut open = vec![(
        rustix::fs::openat(root, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?,
        0u8,
    )];
    while let Some((folder, deep)) = open.pop() {
        for entry in rustix::fs::Dir::read_from(&folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if entry.file_type() == rustix::fs::FileType::Directory && name != "." && name != ".." && deep < 64 {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                if let Ok(inner) = rustix::fs::openat(&folder, name, flags, Mode::empty()) {
                    open.push((inner, deep.saturating_add(1)));
                }
            } else if name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1) {
                let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
                let Ok(fd) = rustix::fs::openat(&folder, name, flags, Mode::empty()) else { continue };
                if rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive).is_ok() {
                    rustix::fs::unlinkat(&folder, name, AtFlags::empty())?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jail::{Growing, SpoolDir};
    use sha2::{Digest as _, Sha256};

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
            let mut outbox = Outbox::open(dir.path()).unwrap();
            outbox.naming = naming;
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

    #[test]
    fn leftovers_of_a_killed_run_go_and_files_of_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("x")).unwrap();
        std::fs::write(dir.path().join("x/.sallyport-1-0.part"), "half").unwrap();
        std::fs::write(dir.path().join("x/mine.part"), "whole").unwrap();
        Outbox::open(dir.path()).unwrap();
        assert!(!dir.path().join("x/.sallyport-1-0.part").exists());
        assert!(dir.path().join("x/mine.part").exists());
    }
}
