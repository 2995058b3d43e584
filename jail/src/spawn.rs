//! The station's side of the spawner: have a program of others run to its end, and see what it said.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use crate::failure::JailError;
use crate::inside::MODE_SPAWNER;
use crate::launch::{Launcher, Process};
use crate::wire::{self, Ending, HEADER_MAX, JobReply, SpawnOrder};

/// Stands for the object's path in an argument.
pub const OBJECT: &str = "{file}";
/// It has nothing to load; this is for a machine that is swapping.
const START_WALL: Duration = Duration::from_secs(20);
/// The spawner keeps the time; it gets this much longer to say so before it is held for dead.
const GRACE: Duration = Duration::from_secs(15);
/// A pipe's worth.
const BLOCK: usize = 64 * 1024;

/// A program to run.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Absolute path.
    pub path: &'a Path,
    /// Its arguments; [`OBJECT`] stands for a path to `object`.
    pub args: &'a [String],
    /// A read-only descriptor that it inherits.
    pub object: Option<BorrowedFd<'a>>,
    /// Time by the clock on the wall; its whole process group ends then.
    pub wall: Duration,
    /// Data memory of one process (RLIMIT_DATA).
    pub memory_bytes: u64,
    /// Bytes of output, both streams, after which it is stopped.
    pub output_bytes: u64,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status; 127 also where it could not be started.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Stopped for its time.
    TimedOut,
    /// Stopped for its output.
    Flooded,
}

/// What a program left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// Standard output and error, as they came, cut at the limit.
    pub output: Vec<u8>,
}

/// A running spawner. Any number of threads may have programs run at once.
#[derive(Debug)]
pub struct Spawner {
    process: Mutex<Process>,
    control: OwnedFd,
}

impl Spawner {
    /// Starts it.
    ///
    /// # Errors
    /// [`JailError`] where it does not come up.
    pub fn start(launcher: &Launcher) -> Result<Self, JailError> {
        let mut process = Process::start(launcher, MODE_SPAWNER, "programs").map_err(JailError::Spawn)?;
        process.await_ready(START_WALL)?;
        let control = process.control.try_clone().map_err(JailError::Spawn)?;
        rustix::net::sockopt::set_socket_timeout(&control, rustix::net::sockopt::Timeout::Send, Some(GRACE))
            .map_err(|error| JailError::Spawn(error.into()))?;
        Ok(Self { process: Mutex::new(process), control })
    }

    /// Its process id, for diagnostics.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    /// Whether its process still runs; where not, start another.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).is_alive()
    }

    /// Runs a program to its end. Its process group is gone when this returns.
    ///
    /// # Errors
    /// It could not be started, or the spawner is gone.
    pub fn run(&self, program: &Program<'_>) -> io::Result<Ran> {
        let words = words(program)?;
        let order = SpawnOrder { wall: program.wall, memory_bytes: program.memory_bytes };
        let (heard, said) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&heard, rustix::fs::OFlags::NONBLOCK)?;
        let (here, there) = wire::pair()?;
        let fds: Vec<BorrowedFd<'_>> = program.object.into_iter().chain([said.as_fd(), there.as_fd()]).collect();
        wire::send(self.control.as_fd(), &[&order.to_bytes(), &words], &fds)?;
        drop((said, there));
        let deadline = program.wall.checked_add(GRACE).and_then(|wall| Instant::now().checked_add(wall));
        let mut listener = Listener { heard: Some(heard), most: program.output_bytes, output: Vec::new() };
        listener.until_it_ends(&here, deadline.unwrap_or_else(Instant::now))
    }
}

/// Program and arguments, each ended by a NUL.
fn words(program: &Program<'_>) -> io::Result<Vec<u8>> {
    let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidInput, text.to_owned());
    let path = program.path.to_str().ok_or_else(|| invalid("the program's path is not UTF-8"))?;
    let mut words = Vec::new();
    for word in std::iter::once(path).chain(program.args.iter().map(String::as_str)) {
        if word.contains('\0') {
            return Err(invalid("an argument holds a NUL"));
        }
        words.extend_from_slice(word.as_bytes());
        words.push(0);
    }
    if words.len() > HEADER_MAX { Err(invalid("the arguments are too long")) } else { Ok(words) }
}

/// Reads what a program writes until the spawner says how it ended.
struct Listener {
    /// Gone at the end of the output.
    heard: Option<OwnedFd>,
    most: u64,
    output: Vec<u8>,
}

impl Listener {
    fn until_it_ends(&mut self, reply: &OwnedFd, deadline: Instant) -> io::Result<Ran> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::Error::other("the spawner doesn't answer"));
            }
            let mut polled = vec![PollFd::new(reply, PollFlags::IN)];
            if let Some(heard) = &self.heard {
                polled.push(PollFd::new(heard, PollFlags::IN));
            }
            match rustix::event::poll(&mut polled, Some(&wire::timespec(left))) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let ended = polled.first().is_some_and(|reply| !reply.revents().is_empty());
            // Also at the end: what it wrote last still lies in the pipe.
            if self.read()? {
                // Hanging up makes the spawner end the whole group.
                return Ok(Ran { ended: Ended::Flooded, output: std::mem::take(&mut self.output) });
            }
            if ended {
                let ended = ending(reply)?;
                return Ok(Ran { ended, output: std::mem::take(&mut self.output) });
            }
        }
    }

    /// Reads all there is; says whether it was too much.
    fn read(&mut self) -> io::Result<bool> {
        let mut block = vec![0; BLOCK];
        while let Some(heard) = &self.heard {
            match rustix::io::read(heard, &mut block) {
                Ok(0) => self.heard = None,
                Ok(count) => {
                    let room = usize::try_from(self.most).unwrap_or(usize::MAX).saturating_sub(self.output.len());
                    self.output.extend_from_slice(block.get(..count.min(room)).unwrap_or_default());
                    if count > room {
                        return Ok(true);
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}

fn ending(reply: &OwnedFd) -> io::Result<Ended> {
    let mut buffer = [0; 64];
    let Some((bytes, _)) = wire::receive(reply.as_fd(), &mut buffer)? else {
        return Err(io::Error::other("the spawner ended"));
    };
    let reply = JobReply::from_bytes(bytes).ok_or_else(|| io::Error::other("the spawner's reply can't be read"))?;
    match reply.ending {
        Ending::Exited(status) => Ok(Ended::Status(status)),
        Ending::Killed(signal) => Ok(Ended::Signal(signal)),
        Ending::TimedOut => Ok(Ended::TimedOut),
        Ending::NotStarted(error) => Err(io::Error::from_raw_os_error(error)),
    }
}
