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
/// Bytes copied at a time: large enough that the calls don't count, small enough for a cache.
const COPY_BLOCK: u64 = 256 << 10;
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
    /// Makes a folder of mode 0700 under `base`, and removes those left by owners that were killed.
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
                return Ok(Self(Arc::new(Spool { path, folder, next: AtomicU64::new(0) })));
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

/// Removes spool folders that nobody holds locked.
fn sweep(base: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(base)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(SPOOL_PREFIX.as_bytes()) {
            continue;
        }
        let Ok(folder) = open_folder(&entry.path()) else {
            continue;
        };
        if rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok() {
            // Copies for programs of others may lie in it; nothing in there has an owner any more.
            let _ = std::fs::remove_dir_all(entry.path());
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
        let backing = if expected_bytes <= MEMORY_EXPECTED { Backing::Memory } else { Backing::Spool };
        Self::with_backing(spool, backing)
    }

    pub(crate) fn with_backing(spool: &SpoolDir, backing: Backing) -> io::Result<Self> {
        let fd = match backing {
            Backing::Memory => memfd()?,
            Backing::Spool => spool.nameless_file()?,
        };
        Ok(Self { file: File::from(fd), backing, written: 0, spool: spool.clone() })
    }

    /// Moves what was written so far to the spool.
    fn leave_memory(&mut self) -> io::Result<()> {
        let mut file = File::from(self.spool.nameless_file()?);
        let mut reader = AtOffset { file: &self.file, offset: 0 };
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
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "a writer of these bytes is still open"))
}

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let after = self.written.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
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

    /// Seals a copy of the `len` bytes at `offset`.
    ///
    /// # Errors
    /// As [`Growing::create`], or this is shorter than that.
    pub fn part(&self, spool: &SpoolDir, offset: u64, len: u64) -> io::Result<Self> {
        if offset.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut growing = Growing::create(spool, len)?;
        let copied = io::copy(&mut AtOffset { file: &self.file, offset }.take(len), &mut growing)?;
        if copied != len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        growing.seal()
    }

    /// Seals a copy of the first `len` bytes of `file`, whatever happens to the file afterwards.
    ///
    /// # Errors
    /// As [`Growing::create`]; `UnexpectedEof` where the file is shorter.
    pub fn head_of(spool: &SpoolDir, file: &File, len: u64) -> io::Result<Self> {
        let mut growing = Growing::create(spool, len)?;
        let mut block = vec![0; usize::try_from(len.min(COPY_BLOCK)).unwrap_or(0)];
        let mut done = 0;
        while done < len {
            let n = usize::try_from(len.saturating_sub(done)).unwrap_or(usize::MAX).min(block.len());
            let part = block.get_mut(..n).unwrap_or_default();
            file.read_exact_at(part, done)?;
            growing.write_all(part)?;
            done = done.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        }
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
    #[expect(unsafe_code, reason = "the promise that `map_file` asks for is what this type stands for")]
    pub fn map(&self) -> io::Result<SealedMap> {
        // SAFETY: only `Growing::seal` makes this type, after the kernel took the write seals or granted a read lease on
        // a file without a name whose last writer is gone; `len` was read after that.
        unsafe { SealedMap::map_file(self.file.as_fd(), 0, self.len) }
    }

    /// Reads from the start, with an offset of its own.
    #[must_use]
    pub fn reader(&self) -> SealedReader<'_> {
        SealedReader(AtOffset { file: &self.file, offset: 0 })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> PathBuf {
        std::env::current_exe().unwrap().parent().unwrap().to_path_buf()
    }

    fn both() -> [Growing; 2] {
        let spool = SpoolDir::new(&base()).unwrap();
        [Growing::create(&spool, 0).unwrap(), Growing::create(&spool, MEMORY_EXPECTED + 1).unwrap()]
    }

    #[test]
    fn sealed_bytes_are_those_written_and_cannot_be_changed() {
        for mut growing in both() {
            growing.write_all(b"first ").unwrap();
            growing.write_all(b"second").unwrap();
            let sealed = growing.seal().unwrap();
            assert_eq!(&*sealed.map().unwrap(), b"first second");
            let mut read = String::new();
            sealed.reader().read_to_string(&mut read).unwrap();
            assert_eq!(read, "first second");
            let mut part = [0; 3];
            sealed.read_exact_at(&mut part, 6).unwrap();
            assert_eq!(&part, b"sec");
            assert!(sealed.read_exact_at(&mut part, 10).is_err());
            assert!(rustix::io::pwrite(&sealed.file, b"X", 0).is_err());
            assert!(rustix::fs::ftruncate(&sealed.file, 0).is_err());
        }
    }

    #[test]
    fn a_part_is_a_copy_of_that_range_and_no_other() {
        let spool = SpoolDir::new(&base()).unwrap();
        for mut growing in both() {
            growing.write_all(b"first second third").unwrap();
            let whole = growing.seal().unwrap();
            assert_eq!(&*whole.part(&spool, 6, 6).unwrap().map().unwrap(), b"second");
            assert!(whole.part(&spool, 18, 0).unwrap().is_empty());
            for (offset, len) in [(0, 19), (18, 1), (u64::MAX, 2)] {
                assert!(whole.part(&spool, offset, len).is_err());
            }
        }
    }

    #[test]
    fn each_reader_has_its_own_offset() {
        for mut growing in both() {
            growing.write_all(b"bytes").unwrap();
            let sealed = growing.seal().unwrap();
            for _ in 0..2 {
                let mut all = Vec::new();
                File::from(sealed.reopen().unwrap()).read_to_end(&mut all).unwrap();
                assert_eq!(all, b"bytes");
            }
        }
    }

    #[test]
    fn the_head_of_a_file_is_copied_and_a_short_file_is_noticed() {
        let spool = SpoolDir::new(&base()).unwrap();
        let mut file = File::from(spool.nameless_file().unwrap());
        let bytes: Vec<u8> = (0..600_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        file.write_all(&bytes).unwrap();
        let sealed = Sealed::head_of(&spool, &file, 599_999).unwrap();
        file.write_all_at(b"changed later", 0).unwrap();
        assert_eq!(&*sealed.map().unwrap(), &bytes[..599_999]);
        assert!(Sealed::head_of(&spool, &file, 600_001).is_err());
    }

    #[test]
    fn nothing_is_a_fine_object() {
        for growing in both() {
            let sealed = growing.seal().unwrap();
            assert!(sealed.is_empty() && sealed.map().unwrap().is_empty());
        }
    }

    #[test]
    fn a_writer_that_stays_open_is_noticed() {
        let [_, mut in_spool] = both();
        in_spool.write_all(b"bytes").unwrap();
        let kept = in_spool.as_fd().try_clone_to_owned().unwrap();
        assert_eq!(in_spool.seal().unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(kept);
    }

    #[test]
    fn a_writer_kept_of_sealed_memory_writes_no_more() {
        let [mut in_memory, _] = both();
        in_memory.write_all(b"bytes").unwrap();
        let kept = in_memory.as_fd().try_clone_to_owned().unwrap();
        let sealed = in_memory.seal().unwrap();
        assert!(rustix::io::pwrite(&kept, b"X", 0).is_err());
        assert_eq!(&*sealed.map().unwrap(), b"bytes");
    }

    #[test]
    #[expect(unsafe_code, reason = "makes the mapping that must be noticed")]
    fn a_writable_mapping_is_noticed() {
        use rustix::mm::{MapFlags, ProtFlags};
        for mut growing in both() {
            growing.write_all(b"bytes").unwrap();
            let protection = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: a new mapping of no consequence, never read or written.
            let kept = unsafe {
                rustix::mm::mmap(std::ptr::null_mut(), 5, protection, MapFlags::SHARED, &growing.file, 0).unwrap()
            };
            assert_eq!(growing.seal().unwrap_err().kind(), io::ErrorKind::ResourceBusy);
            // SAFETY: the mapping just made, to which no reference exists.
            unsafe { rustix::mm::munmap(kept, 5).unwrap() };
        }
    }

    #[test]
    fn a_source_that_changes_later_does_not_matter() {
        let path = base().join(format!("changing-source-{}", std::process::id()));
        std::fs::write(&path, b"as it was").unwrap();
        for mut growing in both() {
            io::copy(&mut File::open(&path).unwrap(), &mut growing).unwrap();
            let sealed = growing.seal().unwrap();
            let before = sealed.map().unwrap();
            std::fs::write(&path, b"otherwise, and longer").unwrap();
            assert_eq!(&*before, b"as it was");
            assert_eq!(&*sealed.map().unwrap(), b"as it was");
            std::fs::write(&path, b"as it was").unwrap();
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_outgrows_memory_moves_to_the_spool_whole() {
        let [mut growing, _] = both();
        let chunk: Vec<u8> = (0..1_000_003_u32).map(|n| n.to_le_bytes()[0]).collect();
        let rounds = usize::try_from(MEMORY_MOST).unwrap() / chunk.len() + 2;
        for _ in 0..rounds {
            growing.write_all(&chunk).unwrap();
        }
        assert_eq!(growing.backing, Backing::Spool);
        let map = growing.seal().unwrap().map().unwrap();
        assert_eq!(map.len(), rounds * chunk.len());
        assert!(map.chunks(chunk.len()).all(|part| part == chunk));
    }

    #[test]
    fn a_spool_folder_is_private_and_goes() {
        use std::os::unix::fs::PermissionsExt;
        let spool = SpoolDir::new(&base()).unwrap();
        let path = spool.path().to_path_buf();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
        let growing = Growing::create(&spool, u64::MAX).unwrap();
        drop(spool);
        assert!(path.exists(), "still in use");
        assert_eq!(path.read_dir().unwrap().count(), 0, "files have no names");
        drop(growing);
        assert!(!path.exists());
    }

    #[test]
    fn folders_of_the_dead_are_swept_and_others_not() {
        let base = base().join(format!("sweep-{}", std::process::id()));
        std::fs::create_dir(&base).unwrap();
        let living = SpoolDir::new(&base).unwrap();
        let dead = base.join(format!("{SPOOL_PREFIX}dead"));
        let other = base.join("other");
        std::fs::create_dir(&dead).unwrap();
        std::fs::create_dir(&other).unwrap();
        let second = SpoolDir::new(&base).unwrap();
        assert!(!dead.exists() && other.exists() && living.path().exists() && second.path().exists());
        drop((living, second));
        std::fs::remove_dir_all(&base).unwrap();
    }
}
