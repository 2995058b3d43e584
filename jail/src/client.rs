//! The station's side of a zygote: hand over a job, wait, and make something of what it left.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::{JobFailure, tame, tame_utf8};
use crate::frames::{Export, Role, SPOOL_OVERHEAD, Spooled, WalkError, walk};
use crate::launch::{Process, Sandbox};
use crate::room::{EXIT_ANSWERED, EXIT_GAVE_UP, EXIT_NOT_CLOSED, EXIT_OUTPUT_FULL, EXIT_PANICKED};
use crate::sealed::{Backing, Growing, MEMORY_MOST, Sealed, SpoolDir};
use crate::sys::EXIT_OUT_OF_MEMORY;
use crate::wire::{self, Ending, HEADER_MAX, JobOrder, JobReply};

/// Inputs up to this size have their output and spool in memory at first.
const INPUT_IN_MEMORY: u64 = 16 << 20;
/// The zygote keeps the time; it gets this much longer to say so before it is held for dead.
const GRACE: Duration = Duration::from_secs(15);

/// What a job may use.
#[derive(Clone, Copy, Debug)]
pub struct JobLimits {
    /// Private memory beyond its mapped input (RLIMIT_DATA). Some 3 MiB of it are the process itself.
    pub memory_bytes: u64,
    /// Processor time.
    pub cpu_seconds: u64,
    /// Time by the clock on the wall.
    pub wall: Duration,
    /// Size of the output.
    pub output_bytes: u64,
    /// Sum of the exported objects.
    pub spool_bytes: u64,
}

/// What a job reads.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Bytes that nobody changes any more: the job has them mapped.
    Sealed(&'a Sealed),
    /// A device or an image of one, opened to read only. Others may change it, so the job asks for it piece by piece
    /// ([`crate::Room::take_medium`]) and never maps it.
    Medium(BorrowedFd<'a>),
}

impl<'a> From<&'a Sealed> for Input<'a> {
    fn from(sealed: &'a Sealed) -> Self {
        Self::Sealed(sealed)
    }
}

impl Input<'_> {
    fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// Whether output and spool begin in memory. What a job makes of a medium is as long as it was asked to be.
    fn begins_in_memory(&self, most: u64) -> bool {
        match self {
            Self::Sealed(sealed) => sealed.len() <= INPUT_IN_MEMORY,
            Self::Medium(_) => most <= MEMORY_MOST,
        }
    }
}

/// A job to be done.
pub struct Job<'a> {
    /// What it reads.
    pub input: Input<'a>,
    /// What the station says about it, 64 KiB at most.
    pub header: &'a [u8],
    /// What it may use.
    pub limits: JobLimits,
    /// Where large output goes.
    pub spool: &'a SpoolDir,
}

/// What a job used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, user and system, as the kernel counted it.
    pub cpu: Duration,
    /// Largest resident size, mapped input and shared program pages included.
    pub peak_bytes: u64,
}

/// What a finished job left. Its process is gone, and nothing of this can change.
#[derive(Debug)]
pub struct Done {
    /// Its answer: untrusted bytes.
    pub answer: Vec<u8>,
    /// What it built; none where it wrote nothing.
    pub output: Option<Sealed>,
    /// The objects it found, in order.
    pub exports: Vec<Export>,
    /// Where their bytes lie.
    pub spool: Sealed,
    /// What it used.
    pub usage: Usage,
}

/// A running zygote. Any number of threads may run jobs on it at once.
#[derive(Debug)]
pub struct Zygote {
    process: Mutex<Process>,
    /// A copy of the control socket: sending needs no lock, a message goes out whole.
    control: OwnedFd,
    sandbox: Sandbox,
}

impl Zygote {
    pub(crate) fn of(process: Process, sandbox: Sandbox) -> io::Result<Self> {
        let control = process.control.try_clone()?;
        // A zygote that doesn't take a job for this long is stuck; the sender must not be.
        rustix::net::sockopt::set_socket_timeout(&control, rustix::net::sockopt::Timeout::Send, Some(GRACE))?;
        Ok(Self { process: Mutex::new(process), control, sandbox })
    }

    /// Its walls, for the record.
    #[must_use]
    pub fn sandbox(&self) -> Sandbox {
        self.sandbox
    }

    /// Whether its process still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).is_alive()
    }

    /// Ends it and all its jobs at once; whoever waits for one gets a station fault. For Ctrl-C.
    pub fn stop(&self) {
        // Its exit status tells nothing: this is our own kill.
        let _ = self.process.lock().unwrap_or_else(PoisonError::into_inner).end();
    }

    /// Its process id, for diagnostics.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    /// Runs one job in a process of its own, and waits for it.
    ///
    /// Output and spool of a small input are in memory at first. A job that writes more than 64 MiB there, where its
    /// limits allow more, is done again with files: so a small input that swells can't fill the machine's memory, and the
    /// common small file doesn't pay for a file.
    ///
    /// # Errors
    /// See [`JobFailure`]; none of them leaves anything to release.
    pub fn run(&self, job: Job<'_>) -> Result<Done, JobFailure> {
        if job.header.len() > HEADER_MAX {
            return Err(JobFailure::Station(io::ErrorKind::InvalidInput.into()));
        }
        let most = job.limits.output_bytes.max(job.limits.spool_bytes.saturating_add(SPOOL_OVERHEAD));
        if job.input.begins_in_memory(most) {
            let tried = Attempt::new(&job, Backing::Memory, most.min(MEMORY_MOST))?.run(self, &job)?;
            if !(tried.hit_file_limit() && most > MEMORY_MOST) {
                return tried.conclude(&job);
            }
        }
        Attempt::new(&job, Backing::Spool, most)?.run(self, &job)?.conclude(&job)
    }
}

/// The files of one try at a job.
struct Attempt {
    output: Growing,
    spool: Growing,
    file_bytes: u64,
}

impl Attempt {
    fn new(job: &Job<'_>, backing: Backing, file_bytes: u64) -> io::Result<Self> {
        let output = Growing::with_backing(job.spool, backing)?;
        let spool = Growing::with_backing(job.spool, backing)?;
        Ok(Self { output, spool, file_bytes })
    }

    fn run(self, zygote: &Zygote, job: &Job<'_>) -> Result<Tried, JobFailure> {
        let JobLimits { memory_bytes, cpu_seconds, wall, output_bytes, spool_bytes } = job.limits;
        let (file_bytes, unsealed) = (self.file_bytes, !job.input.is_sealed());
        let order = JobOrder { memory_bytes, cpu_seconds, wall, file_bytes, output_bytes, spool_bytes, unsealed };
        let (here, there) = wire::pair()?;
        let reopened = match job.input {
            Input::Sealed(sealed) => Some(sealed.reopen()?),
            Input::Medium(_) => None,
        };
        let input = match (&reopened, job.input) {
            (Some(own), _) => own.as_fd(),
            (None, Input::Medium(medium)) => medium,
            (None, Input::Sealed(_)) => return Err(JobFailure::Station(io::ErrorKind::InvalidInput.into())),
        };
        let fds = [input, self.output.as_fd(), self.spool.as_fd(), there.as_fd()];
        wire::send(zygote.control.as_fd(), &[&order.to_bytes(), job.header], &fds)?;
        // Else the zygote's end would not be the last, and its death go unseen.
        drop(there);
        let deadline = wall.checked_add(GRACE).and_then(|wall| Instant::now().checked_add(wall));
        let gone = |text: &str| JobFailure::Station(io::Error::other(text.to_owned()));
        if !wire::wait_readable(here.as_fd(), deadline.unwrap_or_else(Instant::now))? {
            return Err(gone("the zygote doesn't answer"));
        }
        let mut buffer = [0; 64];
        let reply = match wire::receive(here.as_fd(), &mut buffer) {
            Ok(Some((bytes, _))) => JobReply::from_bytes(bytes),
            Ok(None) => return Err(gone("the zygote ended")),
            Err(error) => return Err(JobFailure::Station(error)),
        };
        let reply = reply.ok_or_else(|| gone("the zygote's reply can't be read"))?;
        Ok(Tried { files: self, reply })
    }
}

/// A try whose process was reaped.
struct Tried {
    files: Attempt,
    reply: JobReply,
}

impl Tried {
    fn hit_file_limit(&self) -> bool {
        self.reply.ending == Ending::Killed(libc::SIGXFSZ)
    }

    /// Seals what it left and judges how it ended.
    fn conclude(self, job: &Job<'_>) -> Result<Done, JobFailure> {
        let limits = &job.limits;
        let crash = |signal, code, place| Err(JobFailure::Crash { signal, code, place });
        match self.reply.ending {
            Ending::Exited(EXIT_ANSWERED) => {}
            Ending::Exited(code @ EXIT_PANICKED) => return crash(None, Some(code), self.panic_place()),
            Ending::Exited(EXIT_GAVE_UP) => return Err(self.gave_up()),
            Ending::Exited(EXIT_OUT_OF_MEMORY) => return Err(JobFailure::Memory(limits.memory_bytes)),
            Ending::Exited(EXIT_OUTPUT_FULL) | Ending::Killed(libc::SIGXFSZ) => return Err(JobFailure::TooMuchOutput),
            Ending::Exited(EXIT_NOT_CLOSED) => {
                return Err(JobFailure::Protocol("the job could not be closed in".into()));
            }
            Ending::Exited(code) => return crash(None, Some(code), None),
            Ending::Killed(libc::SIGXCPU) => return Err(JobFailure::CpuTime(limits.cpu_seconds)),
            Ending::Killed(signal) => return crash(Some(signal), None, None),
            Ending::TimedOut => return Err(JobFailure::TimeOut(limits.wall)),
            Ending::NotStarted(error) => return Err(JobFailure::Station(io::Error::from_raw_os_error(error))),
        }
        let usage = Usage { cpu: self.reply.cpu, peak_bytes: self.reply.peak_bytes };
        let output = self.files.output.seal().map_err(failed_seal)?;
        let spool = self.files.spool.seal().map_err(failed_seal)?;
        if output.len() > limits.output_bytes || spool.len() > limits.spool_bytes.saturating_add(SPOOL_OVERHEAD) {
            return Err(JobFailure::TooMuchOutput);
        }
        let Spooled { exports, last } = walk(&spool).map_err(failed_walk)?;
        let exported = exports.iter().fold(0_u64, |sum, export| sum.saturating_add(export.len));
        match last {
            Some((Role::Answer, answer)) if exported <= limits.spool_bytes => {
                let output = Some(output).filter(|output| !output.is_empty());
                Ok(Done { answer, output, exports, spool, usage })
            }
            Some((Role::Answer, _)) => Err(JobFailure::TooMuchOutput),
            Some(_) | None => Err(JobFailure::Protocol("the job ended without an answer".into())),
        }
    }

    /// The last frame of a job that said it had no result; no more than a text.
    fn note(self) -> Option<(Role, Vec<u8>)> {
        walk(&self.files.spool.seal().ok()?).ok()?.last
    }

    fn panic_place(self) -> Option<String> {
        self.note().filter(|(role, _)| *role == Role::Panic).map(|(_, text)| tame(&text))
    }

    fn gave_up(self) -> JobFailure {
        match self.note() {
            Some((Role::GaveUp, text)) => JobFailure::GaveUp(tame_utf8(&text)),
            Some(_) | None => JobFailure::Protocol("the job gave up without a reason".into()),
        }
    }
}

/// The process is reaped, so a writer that is still there is nothing we know of.
fn failed_seal(error: io::Error) -> JobFailure {
    if error.kind() == io::ErrorKind::ResourceBusy {
        return JobFailure::Protocol("somebody still writes to what the job left".into());
    }
    JobFailure::Station(error)
}

fn failed_walk(error: WalkError) -> JobFailure {
    match error {
        WalkError::Garbage(text) => JobFailure::Protocol(format!("exported objects: {text}")),
        WalkError::Read(error) => JobFailure::Station(error),
    }
}
