//! Starting our own executable as a jail.
//!
//! By posix_spawn (std's `Command` without `pre_exec`): forking a station with hundreds of megabytes costs 34 ms. The child
//! gets the control socket as its standard input, null devices beside it, an empty environment, and closes itself.
//!
//! All jails are started by one thread that lives as long as the station does, because they ask to be killed when the
//! *thread* that started them ends (PR_SET_PDEATHSIG). So no jail, however hostile, outlives its station; the end of the
//! control socket is the orderly way.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::client::{Job, JobLimits, Zygote};
use crate::failure::{JailError, JobFailure, tame};
use crate::inside::{MARKER, PROBE_CLOSED, PROBE_OPEN, PROBE_ROLE};
use crate::sealed::{Sealed, SpoolDir};
use crate::wire::{self, MESSAGE_MAX, SAYS_NO, SAYS_READY};

/// A zygote has nothing to load; this is for a machine that is swapping.
const START_WALL: Duration = Duration::from_secs(20);

/// Which executable becomes a jail, and how.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// A program whose `main` begins with [`crate::become_jail_if_asked`].
    pub executable: PathBuf,
    /// Use no newer Landlock ABI than this: for tests. 0 stands for a kernel without Landlock, and fails.
    pub landlock_abi_at_most: Option<i32>,
}

impl Launcher {
    /// This very program.
    ///
    /// # Errors
    /// No /proc.
    pub fn of_this_program() -> io::Result<Self> {
        Ok(Self::new(std::env::current_exe()?))
    }

    /// The program at `executable`.
    #[must_use]
    pub fn new(executable: PathBuf) -> Self {
        Self { executable, landlock_abi_at_most: None }
    }
}

/// What a jail said about its own walls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// The Landlock ABI in force, 1 or more. For the record.
    pub landlock_abi: i32,
}

/// A started jail process and the socket to it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub control: OwnedFd,
}

impl Process {
    /// Starts the executable in `mode` for `role`.
    pub(crate) fn start(launcher: &Launcher, mode: &str, role: &str) -> io::Result<Self> {
        let (here, there) = wire::pair()?;
        let mut command = command(launcher);
        command.arg(MARKER).arg(mode).arg(role);
        if let Some(abi) = launcher.landlock_abi_at_most {
            command.arg(abi.to_string());
        }
        command.env_clear().stdin(Stdio::from(there)).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { child: spawn(command)?, control: here })
    }

    /// Waits for the first message: ready with some bytes, or why not.
    pub(crate) fn await_ready(&mut self, wall: Duration) -> Result<Vec<u8>, JailError> {
        let silent = |text: String| JailError::Silent(text);
        let deadline = Instant::now().checked_add(wall).unwrap_or_else(Instant::now);
        let heard = wire::wait_readable(self.control.as_fd(), deadline).map_err(JailError::Spawn)?;
        if !heard {
            return Err(silent(format!("nothing for {} s", wall.as_secs())));
        }
        let mut buffer = vec![0; MESSAGE_MAX];
        let message = wire::receive(self.control.as_fd(), &mut buffer).map_err(|error| silent(error.to_string()))?;
        match message.as_ref().and_then(|(bytes, _)| bytes.split_first()) {
            Some((&SAYS_READY, rest)) => Ok(rest.to_vec()),
            Some((&SAYS_NO, rest)) => Err(JailError::Layer(tame(rest))),
            Some(_) => Err(silent("unknown first message".into())),
            None => {
                let status = self.end();
                Err(silent(status.map_or_else(|error| error.to_string(), |status| status.to_string())))
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills the process unless it has ended, and reaps it.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        // A hang-up is seen a moment before the exit status; that status tells more than our own kill.
        for _ in 0..50 {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            let mut polled = [rustix::event::PollFd::new(&self.control, rustix::event::PollFlags::empty())];
            let hung_up = rustix::event::poll(&mut polled, Some(&wire::timespec(Duration::ZERO)))? > 0;
            if !hung_up {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its jobs, if any, die with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where our own executable is started again")]
fn command(launcher: &Launcher) -> Command {
    Command::new(&launcher.executable)
}

type Order = (Command, Sender<io::Result<Child>>);

/// Hands a command to the thread that starts jails.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<Option<std::sync::Mutex<Sender<Order>>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (orders, inbox) = channel();
        let thread = std::thread::Builder::new().name("jail-starter".into()).stack_size(256 << 10);
        thread.spawn(move || start_jails(&inbox)).ok().map(|_| std::sync::Mutex::new(orders))
    });
    let gone = || io::Error::other("the thread that starts jails is gone");
    let orders = starter.as_ref().ok_or_else(gone)?;
    let (answer, started) = channel();
    orders.lock().map_err(|_| gone())?.send((command, answer)).map_err(|_| gone())?;
    started.recv().map_err(|_| gone())?
}

fn start_jails(inbox: &Receiver<Order>) {
    for (mut command, answer) in inbox {
        let started = command.spawn();
        // Closes our copy of the jail's end of the socket before the answer: else its end would go unnoticed.
        drop(command);
        let _ = answer.send(started);
    }
}

impl Zygote {
    /// Starts the zygote of `role`, and waits until it is closed.
    ///
    /// # Errors
    /// It can't be started, or one of the required layers is missing.
    pub fn start(launcher: &Launcher, role: &str) -> Result<Self, JailError> {
        let mut process = Process::start(launcher, crate::inside::MODE_ZYGOTE, role).map_err(JailError::Spawn)?;
        let ready = process.await_ready(START_WALL)?;
        let Some(([abi], [])) = wire::unpack(&ready) else {
            return Err(JailError::Silent("unreadable first message".into()));
        };
        let landlock_abi = i32::try_from(abi).unwrap_or(0);
        if landlock_abi < 1 {
            return Err(JailError::Layer("Landlock is missing".into()));
        }
        Self::of(process, Sandbox { landlock_abi }).map_err(JailError::Spawn)
    }
}

/// The check at a station's start: a jail comes up, a job in it works, and one that asks for a socket is killed for it.
///
/// # Errors
/// Anything else: then nothing may be opened on this machine.
pub fn probe(launcher: &Launcher, spool: &SpoolDir) -> Result<Sandbox, JailError> {
    let zygote = Zygote::start(launcher, PROBE_ROLE)?;
    let layer = |text: &str| JailError::Layer(text.into());
    let input = Sealed::from_bytes(spool, b"probe").map_err(JailError::Spawn)?;
    let limits = JobLimits {
        memory_bytes: 64 << 20,
        cpu_seconds: 5,
        wall: START_WALL,
        output_bytes: 1 << 20,
        spool_bytes: 1 << 20,
    };
    let run = |header| zygote.run(Job { input: (&input).into(), header, limits, spool });
    match run(PROBE_OPEN) {
        Ok(done) if done.answer == b"probe" => {}
        Ok(_) => return Err(layer("a trial job gave a wrong answer")),
        Err(failure) => return Err(JailError::Layer(format!("a trial job failed: {failure}"))),
    }
    match run(PROBE_CLOSED) {
        Err(JobFailure::Crash { signal: Some(libc::SIGSYS), .. }) => Ok(zygote.sandbox()),
        Err(failure) => Err(JailError::Layer(format!("a trial job that asks for a socket: {failure}"))),
        Ok(_) => Err(layer("a trial job got a socket")),
    }
}
