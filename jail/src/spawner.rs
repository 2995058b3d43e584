//! The spawner: a small single-threaded process that starts programs of others for the station, watches their clocks and
//! ends whole process groups. What it starts is outside the jails, yet without capabilities, without a way to gain
//! privileges, without our environment, and within limits.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::io::FdFlags;
use rustix::process::{DumpableBehavior, Resource, Signal};

use crate::inside::set_limit;
use crate::spawn::OBJECT;
use crate::sys::{self, Forked, SingleThreaded};
use crate::wire::{Ending, JobReply, SpawnOrder};
use crate::zygote::{self, Running};

/// Status of a child whose program could not be started; shells use the same.
const EXIT_NOT_STARTED: i32 = 127;
/// Ours: beyond the wall clock it can't get anyway, on several cores.
const CPU_FACTOR: u64 = 8;
/// Ours: a scanner's own temporary files.
const FILE_BYTES: u64 = 4 << 30;
const OPEN_FILES: u64 = 1024;
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Serves until the station hangs up.
pub(crate) fn serve(control: BorrowedFd<'_>, tasks: &OwnedFd) -> io::Result<()> {
    zygote::attend(control, &mut |message, fds| begin(message, fds, tasks))
}

fn begin(message: &[u8], mut fds: Vec<OwnedFd>, tasks: &OwnedFd) -> io::Result<Option<Running>> {
    let garbled = || io::Error::other("garbled order");
    let (order, words) = SpawnOrder::from_bytes(message).ok_or_else(garbled)?;
    let words: Vec<&str> = std::str::from_utf8(words).map_err(|_| garbled())?.split_terminator('\0').collect();
    let (program, arguments) = words.split_first().ok_or_else(garbled)?;
    let reply = fds.pop().ok_or_else(garbled)?;
    let output = fds.pop().ok_or_else(garbled)?;
    let object = fds.pop();
    let alone = SingleThreaded::check(tasks.as_fd())?;
    match sys::fork(&alone) {
        Ok(Forked::Child) => {
            drop(reply);
            let error = become_program(program, arguments, object.as_ref(), &output, order);
            let text = format!("{program} cannot be started: {error}\n");
            // Where nobody reads any more there is nobody to tell.
            let _ = rustix::io::write(&output, text.as_bytes());
            sys::exit_now(EXIT_NOT_STARTED)
        }
        Ok(Forked::Parent(pid)) => Running::new(pid, true, reply, order.wall).map(Some),
        Err(error) => {
            let ending = Ending::NotStarted(error.raw_os_error().unwrap_or(0));
            zygote::tell(&reply, JobReply { ending, cpu: Duration::ZERO, peak_bytes: 0 });
            Ok(None)
        }
    }
}

/// Returns only where it failed.
fn become_program(
    program: &str,
    arguments: &[&str],
    object: Option<&OwnedFd>,
    output: &OwnedFd,
    order: SpawnOrder,
) -> io::Error {
    let closed = || -> io::Result<(OwnedFd, OwnedFd)> {
        rustix::process::setpgid(None, None)?;
        // Dies with the spawner, which dies with the station.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?;
        let seconds = order.wall.as_secs().saturating_add(1);
        set_limit(Resource::Cpu, seconds.saturating_mul(CPU_FACTOR))?;
        set_limit(Resource::Data, order.memory_bytes)?;
        set_limit(Resource::Fsize, FILE_BYTES)?;
        set_limit(Resource::Nofile, OPEN_FILES)?;
        if let Some(object) = object {
            // The one descriptor beside the three that goes on into the program.
            rustix::io::fcntl_setfd(object, FdFlags::empty())?;
        }
        Ok((output.try_clone()?, output.try_clone()?))
    };
    let (out, err) = match closed() {
        Ok(pair) => pair,
        Err(error) => return error,
    };
    let path = object.map(|object| format!("/proc/self/fd/{}", object.as_raw_fd())).unwrap_or_default();
    #[expect(clippy::disallowed_methods, reason = "the one place where programs of others are started")]
    let mut command = Command::new(program);
    command.env_clear().env("PATH", PATH).env("LANG", "C.UTF-8").current_dir("/");
    command.args(arguments.iter().map(|argument| argument.replace(OBJECT, &path)));
    command.stdin(Stdio::null()).stdout(Stdio::from(out)).stderr(Stdio::from(err));
    command.exec()
}
