//! Bytes that nobody can change any more, and how they come to be.
//!
//! Small ones are a memfd with all write seals; large ones an unlinked file in a private folder, reopened read-only after
//! the kernel said (by granting a read lease) that no writer is left. Both make mapping sound and make "what was hashed",
//! "what was scanned" and "what was released" the same bytes.
//!
//! A spool must be on a local file system that knows leases (ext4, xfs, btrfs, f2fs, tmpfs); elsewhere sealing fails, and
//! with it the job. A disk that fails under a mapped file kills the reader with SIGBUS: put spools on healthy disks.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;

use crate::sys;

/// Up to this expected size bytes are held in memory: most files, at a fraction of the price of a file.
const MEMORY_EXPECTED: u64 = 16 << 20;
/// A memory-backed object that grows beyond this moves to the spool, so that a wrong guess can't fill the memory.
pub(crate) const MEMORY_MOST: u64 = 64 << 20;
/// Prefix of the folders that [`SpoolDir::new`] makes, and sweeps when their owner died.
const SPOOL_PREFIX: &str = "sallyport-spool-";

/// A private folder for bytes too large for memory. Its files have no names; the folder goes with the last clone.
#[derive(Clone, Debug)]
pub struct SpoolDir(Arc<Spool>);

#[derive(Debug)]
struct Spool {
    path: PathBuf,
    /// Holds an exclusive lock as the sign that the owner lives.
    folder: OwnedFd,
    next: AtomicU64,
}

impl Drop for Spool {
    fn drop(&mut self) {
        // Empty but for a file system without O_TMPFILE and a crash between create and unlink; then it stays and the
        // next start sweeps what it can.
        let _ = std::fs::remove_dir(&self.path);
    }
}

impl SpoolDir {
    /// Makes a folder of mode 0700 under `base`, and removes empty ones left by owners that were killed.
    ///
    /// # Errors
    /// `base` can't be written.
    pub fn new(base: &Path) -> io::Result<Self> {
        sweep(base)?;
        // A sweeper may catch the folder in the instant before it is locked: then make another.
        for _ in 0..16 {
            let name = format!("{SPOOL_PREFIX}{:016x}", RandomState::new().build_hasher().finish());
            let path = base.join(name);
            std::fs::DirBuilder::new().mode(0o700).create(&path)?;
            let Ok(folder) = open_folder(&path) else { continue };
            let locked = rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok();
            if locked && path.symlink_metadata().is_ok() {
                return Ok(Self(Arc::new(Spool {
                    path,
                    folder,
                    next: AtomicU64::new(0),
                })));
            }
        }
        Err(io::Error::other("could not make a spool folder"))
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// A new file without a name. Mode 0400: whoever finds it under /proc can't open it to write, root apart.
    fn nameless_file(&self) -> io::Result<OwnedFd> {
        let folder = &self.0.folder;
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        match rustix::fs::openat(folder, ".", flags | OFlags::TMPFILE, Mode::RUSR) {
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
                let name = self.0.next.fetch_add(1, Ordering::Relaxed).to_string();
                let file = rustix::fs::openat(folder, &name, flags | OFlags::CREATE | OFlags::EXCL, Mode::RUSR)?;
                rustix::fs::unlinkat(folder, &name, rustix::fs::AtFlags::empty())?;
                Ok(file)
            }
            other => Ok(other?),
        }
    }
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Removes empty spool folders that nobody holds locked.
fn sweep(base: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(base)? {
        let entry = entry?;
        if !entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(SPOOL_PREFIX.as_bytes())
        {
            continue;
        }
        let Ok(folder) = open_folder(&entry.path()) else {
            continue;
        };
        if rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = std::fs::remove_dir(entry.path());
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backing {
    Memory,
    Spool,
}

/// Bytes still being written.
#[derive(Debug)]
pub struct Growing {
    file: File,
    backing: Backing,
    written: u64,
    spool: SpoolDir,
}

impl Growing {
    /// Starts an object that is thought to become `expected_bytes` long.
    ///
    /// # Errors
    /// No memory, no descriptors, or the spool can't be written.
    pub fn create(spool: &SpoolDir, expected_bytes: u64) -> io::Result<Self> {
        let backing = if expected_bytes <= MEMORY_EXPECTED {
            Backing::Memory
        } else {
            Backing::Spool
        };
        Self::with_backing(spool, backing)
    }

    pub(crate) fn with_backing(spool: &SpoolDir, backing: Backing) -> io::Result<Self> {
        let fd = match backing {
            Backing::Memory => memfd()?,
            Backing::Spool => spool.nameless_file()?,
        };
        Ok(Self {
            file: File::from(fd),
            backing,
            written: 0,
            spool: spool.clone(),
        })
    }

    /// Moves what was written so far to the spool.
    fn leave_memory(&mut self) -> io::Result<()> {
        let mut file = File::from(self.spool.nameless_file()?);
        let mut reader = AtOffset {
            file: &self.file,
            offset: 0,
        };
        io::copy(&mut reader, &mut file)?;
        self.file = file;
        self.backing = Backing::Spool;
        Ok(())
    }

    /// Ends the writing, for everybody and for good.
    ///
    /// # Errors
    /// Somebody else still has a writable mapping or (in the spool) a writable descriptor.
    pub fn seal(self) -> io::Result<Sealed> {
        let file = match self.backing {
            Backing::Memory => {
                let all = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
                rustix::fs::fcntl_add_seals(&self.file, all)?;
                self.file
            }
            Backing::Spool => {
                let reading = File::from(reopen(self.file.as_fd())?);
                drop(self.file);
                lone_reader(&reading)?;
                reading
            }
        };
        let len = file.metadata()?.len();
        Ok(Sealed { file, len })
    }
}

/// Waits a little for the writer's last copies: a process that is just being started elsewhere in the station holds
/// copies of all descriptors until its exec.
fn lone_reader(file: &File) -> io::Result<()> {
    for _ in 0..200 {
        match sys::prove_no_writer(file.as_fd()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(1)),
            other => return other,
        }
    }
    Err(io::Error::new(
        io::ErrorKind::ResourceBusy,
        "a writer of these bytes is still open",
    ))
}

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let after = self
            .written
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.backing == Backing::Memory && after > MEMORY_MOST {
            self.leave_memory()?;
        }
        let count = self.file.write(bytes)?;
        self.written = self.written.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Growing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn memfd() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Never executable, where the kernel (6.3) knows how to say so.
    match rustix::fs::memfd_create("sallyport", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => Ok(rustix::fs::memfd_create("sallyport", flags)?),
        other => Ok(other?),
    }
}

/// A read-only descriptor of the same file with an offset of its own.
fn reopen(file: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Bytes that no process can change or shorten any more.
#[derive(Debug)]
pub struct Sealed {
    file: File,
    len: u64,
}

impl Sealed {
    /// Seals a copy of `bytes`.
    ///
    /// # Errors
    /// As [`Growing::create`].
    pub fn from_bytes(spool: &SpoolDir, bytes: &[u8]) -> io::Result<Self> {
        let mut growing = Growing::create(spool, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        growing.write_all(bytes)?;
        growing.seal()
    }

    /// Size in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A read-only open file description of its own: a dup would share its offset, and a second reader see nothing.
    ///
    /// # Errors
    /// No descriptors left, or no /proc.
    pub fn reopen(&self) -> io::Result<OwnedFd> {
        reopen(self.file.as_fd())
    }

    /// All bytes, mapped.
    ///
    /// # Errors
    /// No address space left.
    #[expect(
        unsafe_code,
        reason = "the promise that `map_file` asks for is what this type stands for"
    )]
    pub fn map(&self) -> io::Result<SealedMap> {
        // SAFETY: only `Growing::seal` makes this type, after the kernel took the write seals or granted a read lease on
        // a file without a name whose last writer is gone; `len` was read after that.
        unsafe { SealedMap::map_file(self.file.as_fd(), 0, self.len) }
    }

    /// Reads from the start, with an offset of its own.
    #[must_use]
    pub fn reader(&self) -> SealedReader<'_> {
        SealedReader(AtOffset {
            file: &self.file,
            offset: 0,
        })
    }

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// Fewer bytes are there, or the disk failed.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}

struct AtOffset<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for AtOffset<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset = self.offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

/// Reads a [`Sealed`] from the start to the end.
pub struct SealedReader<'a>(AtOffset<'a>);

impl Read for SealedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Sealed bytes in memory.
pub struct SealedMap(sys::Mapping);

impl SealedMap {
    /// Maps a range of a file that this process knows by its descriptor only.
    ///
    /// # Safety
    /// That of [`sys::Mapping::new`]: the bytes must be sealed and the range inside them.
    #[expect(unsafe_code, reason = "hands the contract on to the caller")]
    pub(crate) unsafe fn map_file(file: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<Self> {
        // SAFETY: the caller's promise is the one asked for here.
        unsafe { sys::Mapping::new(file, offset, len) }.map(Self)
    }
}

impl Deref for SealedMap {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.bytes()
    }
}
