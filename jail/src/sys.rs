//! The few system calls that have no safe wrapper. Everything `unsafe` of the workspace is on this page.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr::NonNull;
use std::time::Duration;

use rustix::mm::{MapFlags, ProtFlags};
use rustix::process::Pid;

/// Exit status of a job that ran out of memory; see [`set_signals`].
pub(crate) const EXIT_OUT_OF_MEMORY: i32 = 102;

/// A multiple of every page size that Linux has: asking for the true one reads /proc, which jails can't.
const PAGE_MOST: u64 = 64 << 10;

/// A read-only private mapping of bytes that nothing can change any more.
pub(crate) struct Mapping {
    /// Start of the range asked for (not of the page it lies in); dangling when `len` is 0.
    start: NonNull<u8>,
    len: usize,
    /// Bytes between the start of the first page and `start`.
    lead: usize,
}

// SAFETY: the pages are never written after `map` by anyone, so sharing and sending references to them is that of `&[u8]`.
unsafe impl Send for Mapping {}
// SAFETY: as above; there is no interior mutability.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` bytes at `offset` of `file`.
    ///
    /// # Safety
    /// Nothing may write to or shorten the file while the mapping lives (a sealed memfd, or an unlinked file that no
    /// writer has open), and the file must be at least `offset + len` bytes long, else reading faults.
    pub(crate) unsafe fn new(file: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<Self> {
        let too_large = || io::Error::from(io::ErrorKind::FileTooLarge);
        let len = usize::try_from(len).map_err(|_| too_large())?;
        if len == 0 {
            return Ok(Self { start: NonNull::dangling(), len: 0, lead: 0 });
        }
        let lead64 = offset % PAGE_MOST;
        let lead = usize::try_from(lead64).map_err(|_| too_large())?;
        let whole = len.checked_add(lead).filter(|n| isize::try_from(*n).is_ok()).ok_or_else(too_large)?;
        let first_page = offset.saturating_sub(lead64);
        // SAFETY: a null hint lets the kernel choose the place, so no existing mapping is replaced.
        let base = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), whole, ProtFlags::READ, MapFlags::PRIVATE, file, first_page)?
        };
        // SAFETY: `lead < whole`, so the result stays inside the mapping just made, whose size fits `isize`.
        let start = unsafe { base.cast::<u8>().add(lead) };
        let start = NonNull::new(start).ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(Self { start, len, lead })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `start..start+len` lies in a live readable mapping (or is empty and aligned), of bytes that by the
        // contract of `new` never change; the lifetime is bound to `self`, which unmaps only when dropped.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: undoes the `add(lead)` of `new`: the address and size are exactly those that `mmap` gave, and no
            // reference into them outlives `self`. A failure could only leak address space.
            let _ = unsafe {
                rustix::mm::munmap(self.start.as_ptr().sub(self.lead).cast(), self.len.saturating_add(self.lead))
            };
        }
    }
}

/// Ends the process at once: no destructors, no `atexit`, nothing a hostile heap could steer.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: `_exit` takes any status, touches no memory and doesn't return.
    unsafe { libc::_exit(status) }
}

/// Shown by someone who counted the threads of this process just now and found one.
pub(crate) struct SingleThreaded(());

impl SingleThreaded {
    /// `tasks` is the directory `/proc/self/task`, opened by this process before it was jailed.
    pub(crate) fn check(tasks: BorrowedFd<'_>) -> io::Result<Self> {
        rustix::fs::seek(tasks, rustix::fs::SeekFrom::Start(0))?;
        let mut space = [std::mem::MaybeUninit::uninit(); 1024];
        let mut entries = rustix::fs::RawDir::new(tasks, &mut space);
        let mut threads = 0_usize;
        while let Some(entry) = entries.next() {
            if !entry?.file_name().to_bytes().starts_with(b".") {
                threads = threads.saturating_add(1);
            }
        }
        if threads == 1 {
            Ok(Self(()))
        } else {
            Err(io::Error::other(format!("{threads} threads where one is allowed")))
        }
    }
}

/// The two sides of a fork.
pub(crate) enum Forked {
    /// In the new process.
    Child,
    /// In the old one.
    Parent(Pid),
}

/// Forks this process, which has one thread only.
pub(crate) fn fork(_proof: &SingleThreaded) -> io::Result<Forked> {
    // SAFETY: with a single thread no lock can be held by somebody who doesn't exist in the child, so the child may go
    // on running any code; descriptors are copied, and each side knows which it owns.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        pid => Pid::from_raw(pid).map(Forked::Parent).ok_or_else(|| io::Error::other("fork gave no process id")),
    }
}

/// How a child ended.
pub(crate) struct Ended {
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// Its exit status otherwise.
    pub code: i32,
    /// Processor time, user and system.
    pub cpu: Duration,
    /// Largest resident size in bytes.
    pub peak_bytes: u64,
}

/// Reaps `child` if it has ended.
pub(crate) fn reap(child: Pid) -> io::Result<Option<Ended>> {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to live, writable locals of the types asked for.
    let pid = unsafe { libc::wait4(child.as_raw_nonzero().get(), &raw mut status, libc::WNOHANG, usage.as_mut_ptr()) };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    if pid == 0 {
        return Ok(None);
    }
    // SAFETY: `rusage` is plain numbers, for which zeroed memory is valid; `wait4` succeeded and filled it.
    let usage = unsafe { usage.assume_init() };
    let time = |t: libc::timeval| {
        let micros = u32::try_from(t.tv_usec).unwrap_or(0).saturating_mul(1000);
        Duration::new(u64::try_from(t.tv_sec).unwrap_or(0), micros)
    };
    Ok(Some(Ended {
        signal: libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status)),
        code: if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -1 },
        cpu: time(usage.ru_utime).saturating_add(time(usage.ru_stime)),
        peak_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0).saturating_mul(1024),
    }))
}

/// Closes every descriptor from 3 up, except `kept`.
pub(crate) fn close_all_but(kept: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut kept: Vec<RawFd> = kept.iter().map(AsRawFd::as_raw_fd).filter(|fd| *fd >= 3).collect();
    kept.sort_unstable();
    let mut first: RawFd = 3;
    for fd in kept {
        close_range(first, fd.saturating_sub(1))?;
        first = fd.saturating_add(1);
    }
    close_range(first, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    if last < first {
        return Ok(());
    }
    let (Ok(from), Ok(to)) = (libc::c_uint::try_from(first), libc::c_uint::try_from(last)) else {
        return Ok(());
    };
    // SAFETY: touches no memory. Closing descriptors that a Rust object owns would break I/O safety; both callers are
    // processes that just began and never use or drop another descriptor than those kept.
    let done = unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

extern "C" fn on_abort(_signal: libc::c_int) {
    // SAFETY: errno is a thread's own plain integer, always readable.
    let errno = unsafe { *libc::__errno_location() };
    if errno == libc::ENOMEM {
        exit_now(EXIT_OUT_OF_MEMORY);
    }
    // SAFETY: async-signal-safe. The handler was reset when it was entered and the signal is blocked while it runs, so the
    // default action strikes when it returns.
    unsafe { libc::raise(libc::SIGABRT) };
}

/// Sets what a jail does on signals, whatever it inherited.
///
/// `SIGSEGV` and `SIGBUS` kill (std would print and abort on a stack overflow, which then looked like an abort).
/// `SIGPIPE` is ignored, so that a vanished station is an error, not a death. `SIGABRT` tells an allocation that failed
/// from a true abort: the allocator leaves `ENOMEM` in errno right before Rust aborts. A label only; either fails the job.
pub(crate) fn set_signals() {
    let handler: extern "C" fn(libc::c_int) = on_abort;
    // SAFETY: `on_abort` calls async-signal-safe functions only; the other dispositions are constants. A zeroed `sigaction`
    // is one with an empty mask. Both calls can only fail on an invalid number or pointer.
    unsafe {
        libc::signal(libc::SIGSEGV, libc::SIG_DFL);
        libc::signal(libc::SIGBUS, libc::SIG_DFL);
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        // One shot: abort's second try, which would first reset the handler by a call that jails may not make, is not needed.
        action.sa_flags = libc::SA_RESETHAND;
        libc::sigaction(libc::SIGABRT, &raw const action, std::ptr::null_mut());
    }
}

/// Takes and gives back a read lease, which the kernel grants only while nobody has the file open for writing.
pub(crate) fn prove_no_writer(file: BorrowedFd<'_>) -> io::Result<()> {
    for lease in [libc::F_RDLCK, libc::F_UNLCK] {
        // SAFETY: `F_SETLEASE` takes an integer and touches no memory of ours.
        if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, lease) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// A descriptor known by its number.
pub(crate) fn borrow(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: used for one number only, the spool of a job, whose owner lives in `room::run`, which never returns. Were it
    // closed all the same, the write that follows would fail or hit another of the job's own files.
    unsafe { BorrowedFd::borrow_raw(number) }
}
