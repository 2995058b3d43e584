//! A folder of this machine, local or mounted.
//!
//! A share can be local, SMB, NFS or FUSE. What it can do is probed once, on a file of our own: `renameat2` with
//! `RENAME_NOREPLACE`, else link and unlink, else an exclusive claim of the name and a rename over it (safe with one
//! writer only, and said so).
//!
//! The root is opened once and never again by its path: where a mounted share vanishes, the path leads to the folder
//! that it was mounted on, and files would land on the station's own disk.

use crate::temporary::{self, is_temporary};
use crate::{Folder, Found, Share, Upload};
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// How a finished file gets its final name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// A rename that refuses to replace: `renameat2(RENAME_NOREPLACE)`, or the server's own.
    NoReplace,
    /// `link` and `unlink`.
    Link,
    /// An exclusive empty file under the final name, then a rename over it: one writer only.
    Claim,
}

/// A folder, probed.
#[derive(Debug)]
pub struct Local {
    root: OwnedFd,
    naming: Naming,
}

const OPEN_FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

impl Local {
    /// Opens (and makes, where missing) the folder at `path`, probes it, and clears leftovers.
    ///
    /// # Errors
    /// What the share says; nothing is left in it then.
    pub fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let mut local = Self { root, naming: Naming::NoReplace };
        clear_leftovers(&local.root)?;
        local.naming = local.probe()?;
        Ok(local)
    }

    /// The same, giving names in this way whatever the probe said: for tests.
    #[must_use]
    pub fn naming_by(self, naming: Naming) -> Self {
        Self { naming, ..self }
    }

    fn probe(&self) -> io::Result<Naming> {
        let (from, to) = (temporary::new(), temporary::new());
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
}

impl Share for Local {
    fn folder<'s>(&'s self, folders: &[String], make: bool) -> io::Result<Option<Box<dyn Folder + 's>>> {
        let mut at = rustix::fs::openat(&self.root, ".", OPEN_FOLDER, Mode::empty())?;
        for folder in folders {
            if make {
                let mode = Mode::RWXU | Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH;
                match rustix::fs::mkdirat(&at, folder, mode) {
                    Ok(()) => rustix::fs::fsync(&at)?,
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            at = match rustix::fs::openat(&at, folder, OPEN_FOLDER, Mode::empty()) {
                Ok(at) => at,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) if !make => return Ok(None),
                Err(error) => return Err(error.into()),
            };
        }
        Ok(Some(Box::new(LocalFolder { fd: at, naming: self.naming })))
    }

    fn temporary_name(&self) -> String {
        temporary::new()
    }

    fn naming(&self) -> Naming {
        self.naming
    }

    fn comes_back(&self) -> bool {
        false
    }
}

struct LocalFolder {
    fd: OwnedFd,
    naming: Naming,
}

impl Folder for LocalFolder {
    fn create<'f>(&'f self, name: &str) -> io::Result<Box<dyn Upload + 'f>> {
        let create = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        let fd = rustix::fs::openat(&self.fd, name, create, mode)?;
        // A second station that clears leftovers must not take a file that is being written for one. A share without
        // locks has one writer.
        let _ = rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive);
        Ok(Box::new(LocalUpload(File::from(fd))))
    }

    fn look<'f>(&'f self, name: &str) -> io::Result<Found<'f>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let fd = match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            Err(Errno::LOOP | Errno::NXIO) => return Ok(Found::Other),
            Err(error) => return Err(error.into()),
        };
        let file = File::from(fd);
        Ok(if file.metadata()?.is_file() { Found::File(Box::new(file)) } else { Found::Other })
    }

    fn give_name(&self, from: &str, to: &str) -> io::Result<()> {
        let fd = &self.fd;
        match self.naming {
            Naming::NoReplace => rustix::fs::renameat_with(fd, from, fd, to, RenameFlags::NOREPLACE)?,
            Naming::Link => {
                rustix::fs::linkat(fd, from, fd, to, AtFlags::empty())?;
                // The name is given; what is left of the other one goes at the next start.
                let _ = rustix::fs::unlinkat(fd, from, AtFlags::empty());
            }
            Naming::Claim => {
                let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                drop(rustix::fs::openat(fd, to, create, Mode::RUSR | Mode::WUSR)?);
                if let Err(error) = rustix::fs::renameat(fd, from, fd, to) {
                    // The claim is ours, and empty: nobody must take it for the file.
                    let _ = rustix::fs::unlinkat(fd, to, AtFlags::empty());
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.fd)?)
    }
}

/// Held open, and with it the lock, until the file has its name.
struct LocalUpload(File);

impl Write for LocalUpload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Upload for LocalUpload {
    fn finish(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

/// Removes temporary files of ours that no living station holds a lock on, in the whole tree.
fn clear_leftovers(root: &OwnedFd) -> io::Result<()> {
    let mut open = vec![(
        rustix::fs::openat(root, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?,
        0u8,
    )];
    while let Some((folder, deep)) = open.pop() {
        for entry in rustix::fs::Dir::read_from(&folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if entry.file_type() == rustix::fs::FileType::Directory && name != "." && name != ".." && deep < 64 {
                if let Ok(inner) = rustix::fs::openat(&folder, name, OPEN_FOLDER, Mode::empty()) {
                    open.push((inner, deep.saturating_add(1)));
                }
            } else if is_temporary(name) {
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

    #[test]
    fn leftovers_of_a_killed_run_go_and_files_of_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("x")).unwrap();
        std::fs::write(dir.path().join("x/.sallyport-1-0.part"), "half").unwrap();
        std::fs::write(dir.path().join("x/mine.part"), "whole").unwrap();
        Local::open(dir.path()).unwrap();
        assert!(!dir.path().join("x/.sallyport-1-0.part").exists());
        assert!(dir.path().join("x/mine.part").exists());
    }

    #[test]
    fn a_claim_whose_rename_fails_leaves_no_empty_file_under_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::open(dir.path()).unwrap().naming_by(Naming::Claim);
        let folder = local.folder(&[], true).unwrap().unwrap();
        assert_eq!(folder.give_name("missing", "a.txt").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!dir.path().join("a.txt").exists());
    }
}
