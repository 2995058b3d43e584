//! The process of one job: it closes itself, runs, leaves its answer in the spool and ends.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::{Pid, Resource, Rlimit, Signal};

use crate::frames::{ANSWER_MAX, DEPTH_MAX, FrameHeader, NAME_MAX, Role};
use crate::inside::{self, JobFn};
use crate::sealed::SealedMap;
use crate::seccomp::Filter;
use crate::sys;
use crate::wire::JobOrder;

/// Exit statuses of jobs, beside [`sys::EXIT_OUT_OF_MEMORY`]. Claims of an untrusted process: they name the failure, and
/// success takes a well-formed spool too.
pub(crate) const EXIT_ANSWERED: i32 = 0;
pub(crate) const EXIT_PANICKED: i32 = 101;
pub(crate) const EXIT_GAVE_UP: i32 = 103;
pub(crate) const EXIT_NOT_CLOSED: i32 = 104;
pub(crate) const EXIT_OUTPUT_FULL: i32 = 105;

/// Stack of a job: parsers recurse, to the depth that the policy allows.
const STACK_BYTES: u64 = 64 << 20;
/// Highest descriptor number of a job, and then some.
const DESCRIPTORS: u64 = 64;

/// Where a panic is noted; -1 outside of jobs.
static PANIC_NOTE: AtomicI32 = AtomicI32::new(-1);

/// All that a job gets.
pub(crate) struct Given<'a> {
    pub zygote: Pid,
    pub order: JobOrder,
    pub header: &'a [u8],
    pub output: OwnedFd,
    pub spool: OwnedFd,
    pub filter: &'a Filter,
}

/// What a job sees of the world.
pub struct Room<'a> {
    header: &'a [u8],
    input: Option<SealedMap>,
    medium: Option<Medium>,
    outlet: Outlet<'a>,
}

/// A device or an image of one: bytes that may change under the reader.
#[derive(Debug)]
pub struct Medium {
    file: File,
    len: u64,
}

impl Medium {
    /// Its size in bytes, as it was when the job began.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing of it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills `buffer` from `at`.
    ///
    /// # Errors
    /// What the device says; it is shorter than that.
    pub fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, at)
    }
}

/// Where a job puts what it makes.
pub struct Outlet<'a> {
    output: BorrowedFd<'a>,
    output_left: u64,
    spool: BorrowedFd<'a>,
    spool_left: u64,
    /// The next object's id.
    next_id: u32,
    /// Id of the latest object at each depth; the first is the input.
    latest: Vec<u32>,
}

impl<'a> Room<'a> {
    /// What the station says about the job.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        self.header
    }

    /// The input, whole; nothing where the job was given a medium.
    #[must_use]
    pub fn input(&self) -> &[u8] {
        self.input.as_deref().unwrap_or_default()
    }

    /// The medium, where the job was given one; once.
    pub fn take_medium(&mut self) -> Option<Medium> {
        self.medium.take()
    }

    /// The input to read and the outlet to write to, at the same time.
    pub fn split(&mut self) -> (&[u8], &mut Outlet<'a>) {
        (self.input.as_deref().unwrap_or_default(), &mut self.outlet)
    }

    /// [`Outlet::write_output`].
    ///
    /// # Errors
    /// The same.
    pub fn write_output(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.outlet.write_output(bytes)
    }

    /// [`Outlet::export`].
    ///
    /// # Errors
    /// The same.
    pub fn export(&mut self, kind: u32, depth: u32, name: &str, bytes: &[u8]) -> io::Result<u32> {
        self.outlet.export(kind, depth, name, bytes)
    }
}

impl Outlet<'_> {
    /// Appends to the output. Ends the process when the limit is reached.
    ///
    /// # Errors
    /// The spool's disk is full or failing.
    pub fn write_output(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output_left = spend(self.output_left, bytes.len());
        write_whole(self.output, &[bytes])
    }

    /// Hands an object found in the input out to the engines; gives its id. `depth` is 1 for what lies directly in the
    /// input; the object belongs to the latest one exported a level above. A name beyond 512 bytes is cut. Ends the
    /// process when the limit is reached.
    ///
    /// # Errors
    /// The spool's disk is full or failing, or there is no object to belong to.
    pub fn export(&mut self, kind: u32, depth: u32, name: &str, bytes: &[u8]) -> io::Result<u32> {
        let no_place = || io::Error::other("object exported below one that wasn't");
        let level = usize::try_from(depth).ok().filter(|_| depth <= DEPTH_MAX).ok_or_else(no_place)?;
        let parent = level.checked_sub(1).and_then(|above| self.latest.get(above)).copied().ok_or_else(no_place)?;
        let id = self.next_id;
        self.next_id = id.checked_add(1).ok_or_else(no_place)?;
        self.latest.truncate(level);
        self.latest.push(id);
        self.spool_left = spend(self.spool_left, bytes.len());
        let name = name.get(..name.floor_char_boundary(NAME_MAX)).unwrap_or_default();
        write_frame(self.spool, Role::Export, (id, parent, depth, kind), name, bytes)?;
        Ok(id)
    }
}

/// An honest job ends here at its limit; a dishonest one at RLIMIT_FSIZE, or at the station's own look at the sizes.
fn spend(left: u64, len: usize) -> u64 {
    let left = u64::try_from(len).ok().and_then(|len| left.checked_sub(len));
    left.unwrap_or_else(|| sys::exit_now(EXIT_OUTPUT_FULL))
}

fn write_frame(
    spool: BorrowedFd<'_>,
    role: Role,
    (id, parent, depth, kind): (u32, u32, u32, u32),
    name: &str,
    bytes: &[u8],
) -> io::Result<()> {
    let name_len = u32::try_from(name.len()).unwrap_or(u32::MAX);
    let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let header = FrameHeader { role, id, parent, depth, kind, name_len, len };
    write_whole(spool, &[&header.to_bytes(), name.as_bytes(), bytes])
}

/// Writes all parts in as few calls as the kernel allows.
fn write_whole(file: BorrowedFd<'_>, parts: &[&[u8]]) -> io::Result<()> {
    let mut parts: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut left = parts.as_mut_slice();
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match rustix::io::writev(file, left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut left, count),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Makes a panic of this process (and of those it forks) end it with a status that says so.
pub(crate) fn note_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let spool = PANIC_NOTE.swap(-1, Ordering::Relaxed);
        if spool >= 0 {
            // On the stack: the heap may be what is broken. The message isn't noted, it may hold content.
            let mut text = [0_u8; 200];
            let mut rest = text.as_mut_slice();
            if let Some(place) = panic.location() {
                let _ = write!(rest, "panic at {}:{}", place.file(), place.line());
            }
            let unused = rest.len();
            let used = text.get(..text.len().saturating_sub(unused)).and_then(|t| str::from_utf8(t).ok());
            let _ = write_frame(sys::borrow(spool), Role::Panic, (0, 0, 0, 0), "", used.unwrap_or_default().as_bytes());
        }
        sys::exit_now(EXIT_PANICKED)
    }));
}

/// Closes the process just forked, runs `job` in it and ends it.
pub(crate) fn run(given: Given<'_>, input: OwnedFd, job: JobFn) -> ! {
    let Ok(mut room) = enter(&given, input) else { sys::exit_now(EXIT_NOT_CLOSED) };
    let result = job(&mut room);
    PANIC_NOTE.store(-1, Ordering::Relaxed);
    let (role, bytes, status) = match result {
        Ok(answer) if u64::try_from(answer.len()).is_ok_and(|len| len <= ANSWER_MAX) => {
            (Role::Answer, answer, EXIT_ANSWERED)
        }
        Ok(_) => (Role::GaveUp, b"the answer is longer than the protocol allows".to_vec(), EXIT_GAVE_UP),
        Err(text) => (Role::GaveUp, text.into_bytes(), EXIT_GAVE_UP),
    };
    let bytes = bytes.get(..bytes.len().min(usize::try_from(ANSWER_MAX).unwrap_or(0))).unwrap_or_default();
    match write_frame(given.spool.as_fd(), role, (0, 0, 0, 0), "", bytes) {
        Ok(()) => sys::exit_now(status),
        Err(_) => sys::exit_now(EXIT_OUTPUT_FULL),
    }
}

/// Puts up the job's own walls. The zygote's (Landlock, its filter, no capabilities) are inherited.
fn enter<'a>(given: &'a Given<'a>, input: OwnedFd) -> Result<Room<'a>, String> {
    let text = |error: io::Error| error.to_string();
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| e.to_string())?;
    if rustix::process::getppid() != Some(given.zygote) {
        return Err("the zygote is gone".into());
    }
    // The null device of stdout replaces the control socket.
    rustix::stdio::dup2_stdin(rustix::stdio::stdout()).map_err(|e| e.to_string())?;
    let own = [input.as_fd(), given.output.as_fd(), given.spool.as_fd()];
    sys::close_all_but(&own).map_err(text)?;
    let (input, medium) = if given.order.unsealed {
        let len = rustix::fs::seek(&input, rustix::fs::SeekFrom::End(0)).map_err(|e| e.to_string())?;
        (None, Some(Medium { file: File::from(input), len }))
    } else {
        (Some(map_input(input.as_fd()).map_err(text)?), None)
    };
    set_limits(&given.order).map_err(text)?;
    PANIC_NOTE.store(std::os::fd::AsRawFd::as_raw_fd(&given.spool), Ordering::Relaxed);
    Filter::own_tgkill(rustix::process::getpid())?.install()?;
    given.filter.install()?;
    Ok(Room {
        header: given.header,
        input,
        medium,
        outlet: Outlet {
            output: given.output.as_fd(),
            output_left: given.order.output_bytes,
            spool: given.spool.as_fd(),
            spool_left: given.order.spool_bytes,
            next_id: 1,
            latest: vec![0],
        },
    })
}

#[expect(unsafe_code, reason = "maps what the station sealed")]
fn map_input(input: BorrowedFd<'_>) -> io::Result<SealedMap> {
    let len = rustix::fs::seek(input, rustix::fs::SeekFrom::End(0))?;
    // SAFETY: a zygote is sent descriptors by its station only, which sends a reopened `Sealed` as the input of a job that
    // is not said to be unsealed; the length is that of the file itself.
    unsafe { SealedMap::map_file(input, 0, len) }
}

fn set_limits(order: &JobOrder) -> io::Result<()> {
    inside::limit_memory(order.memory_bytes)?;
    inside::set_limit(Resource::Fsize, order.file_bytes)?;
    inside::set_limit(Resource::Nofile, DESCRIPTORS)?;
    // SIGXCPU at the soft limit, SIGKILL at the hard one.
    let hard = order.cpu_seconds.saturating_add(1);
    rustix::process::setrlimit(Resource::Cpu, Rlimit { current: Some(order.cpu_seconds), maximum: Some(hard) })?;
    let stack = rustix::process::getrlimit(Resource::Stack).maximum.map_or(STACK_BYTES, |most| most.min(STACK_BYTES));
    Ok(rustix::process::setrlimit(Resource::Stack, Rlimit { current: Some(stack), maximum: Some(stack) })?)
}
