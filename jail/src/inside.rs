//! The first steps of a process that was started as a jail: it closes itself, then serves.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};

use crate::room::Room;
use crate::scan_room::ScanRoom;
use crate::seccomp::Filter;
use crate::wire::{self, SAYS_NO, SAYS_READY};
use crate::{landlocked, scan_room, spawner, sys, zygote};

/// First argument of a jail process. Nobody types this; who does gets an error for want of a control socket.
pub(crate) const MARKER: &str = "--become-sallyport-jail";
pub(crate) const MODE_ZYGOTE: &str = "zygote";
pub(crate) const MODE_SCAN: &str = "scan";
pub(crate) const MODE_SPAWNER: &str = "spawner";
/// The role behind [`crate::probe`], which every program has.
pub(crate) const PROBE_ROLE: &str = "probe";
pub(crate) const PROBE_OPEN: &[u8] = b"answer";
pub(crate) const PROBE_CLOSED: &[u8] = b"socket";

/// Exit status of a jail that couldn't begin.
const EXIT_NO_JAIL: i32 = 3;

/// A job: runs in a process of its own, inside all layers. The bytes returned are its answer (4 MiB at most); an error is
/// a short text for people.
pub type JobFn = fn(&mut Room<'_>) -> Result<Vec<u8>, String>;
/// A scanner: loads its rules and then calls [`ScanRoom::serve`].
pub type ScanFn = fn(&mut ScanRoom<'_>) -> Result<(), String>;

/// What this program can be as a jail.
pub struct Roles {
    /// Roles for zygotes.
    pub jobs: &'static [(&'static str, JobFn)],
    /// Roles for scan jails.
    pub scanners: &'static [(&'static str, ScanFn)],
    /// Runs once in a zygote, closed and before its first job, with the name of its role: builds tables that every job
    /// would otherwise build anew. It sees no foreign byte, and must start no thread.
    pub prepare: fn(&str),
}

/// Turns this process into a jail if it was started as one, and then never returns. The first thing in `main`: before any
/// thread, any file, any argument parsing.
pub fn become_jail_if_asked(roles: &Roles) {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != MARKER) {
        return;
    }
    let arguments: Vec<String> = arguments.filter_map(|a| a.into_string().ok()).collect();
    let control = rustix::stdio::stdin();
    let error = match serve(roles, control, &arguments) {
        Ok(()) => sys::exit_now(0),
        Err(error) => error,
    };
    let mut message = vec![SAYS_NO];
    message.extend_from_slice(error.as_bytes());
    let _ = rustix::io::write(control, &message);
    sys::exit_now(EXIT_NO_JAIL)
}

fn serve(roles: &Roles, control: BorrowedFd<'_>, arguments: &[String]) -> Result<(), String> {
    let (mode, role, abi) = match arguments {
        [mode, role] => (mode.as_str(), role.as_str(), None),
        [mode, role, abi] => (mode.as_str(), role.as_str(), Some(abi.parse::<i32>().map_err(|e| e.to_string())?)),
        _ => return Err("a jail is started by the station only".into()),
    };
    match mode {
        MODE_ZYGOTE => {
            let job = find(roles.jobs, role).or_else(|| (role == PROBE_ROLE).then_some(answer_probe as JobFn));
            let job = job.ok_or("no such role")?;
            let tasks = isolate(control).map_err(|error| error.to_string())?;
            let filter = Filter::job()?;
            let landlock_abi = close(abi, &Filter::zygote()?)?;
            (roles.prepare)(role);
            sys::SingleThreaded::check(tasks.as_fd()).map_err(|error| error.to_string())?;
            let ready = wire::pack([u64::try_from(landlock_abi).unwrap_or(0)]);
            say_ready(control, &ready)?;
            zygote::serve(control, &tasks, &filter, job).map_err(|error| error.to_string())
        }
        MODE_SCAN => {
            let scan = find(roles.scanners, role).ok_or("no such role")?;
            isolate(control).map_err(|error| error.to_string())?;
            let setup = scan_room::Setup::receive(control)?;
            // The first look at the clock finds the vDSO by calls that are forbidden later.
            let _ = scan_room::cpu_nanos();
            limit_memory(setup.memory_bytes).map_err(|error| error.to_string())?;
            Filter::own_tgkill(rustix::process::getpid())?.install()?;
            close(abi, &Filter::scan()?)?;
            scan_room::run(control, setup, scan)
        }
        MODE_SPAWNER => {
            let tasks = isolate(control).map_err(|error| error.to_string())?;
            say_ready(control, &[])?;
            spawner::serve(control, &tasks).map_err(|error| error.to_string())
        }
        _ => Err("no such mode".into()),
    }
}

fn find<T: Copy>(roles: &[(&str, T)], role: &str) -> Option<T> {
    roles.iter().find(|(name, _)| *name == role).map(|(_, act)| *act)
}

fn answer_probe(room: &mut Room<'_>) -> Result<Vec<u8>, String> {
    if room.header() == PROBE_CLOSED {
        use rustix::net::{AddressFamily, SocketType, socket};
        return socket(AddressFamily::UNIX, SocketType::STREAM, None).map(|_| Vec::new()).map_err(|e| e.to_string());
    }
    Ok(room.input().to_vec())
}

/// Cuts the ties to whoever started us: terminal, working folder, signals, descriptors, debuggers, capabilities.
/// Gives the directory of this process's threads, opened while that is still possible.
fn isolate(control: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    sys::close_all_but(&[control])?;
    // Asked for first, then checked: a station that died before we asked has hung up.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut polled = [rustix::event::PollFd::from_borrowed_fd(control, rustix::event::PollFlags::empty())];
    if rustix::event::poll(&mut polled, Some(&wire::timespec(std::time::Duration::ZERO)))? > 0 {
        return Err(io::Error::other("the station is gone"));
    }
    rustix::process::setsid()?;
    rustix::process::chdir("/")?;
    sys::set_signals();
    set_limit(Resource::Core, 0)?;
    let nothing = rustix::thread::CapabilitySet::empty();
    let nothing = rustix::thread::CapabilitySets { effective: nothing, permitted: nothing, inheritable: nothing };
    rustix::thread::set_capabilities(None, nothing)?;
    rustix::thread::set_no_new_privs(true)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tasks = rustix::fs::open("/proc/self/task", flags, Mode::empty())?;
    // Nobody but root may look into us from here on. After the open: it hands our /proc files to root.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(tasks)
}

/// Landlock, the filter of answers, then the list of calls.
fn close(abi: Option<i32>, list: &Filter) -> Result<i32, String> {
    let landlock_abi = landlocked::close(abi)?;
    // Asked while seccomp would still allow it: the only moment when Landlock alone can be seen to hold.
    let root = rustix::fs::open("/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    if root.err() != Some(rustix::io::Errno::ACCESS) {
        return Err("Landlock did not take effect: a folder could be opened".into());
    }
    Filter::not_implemented()?.install()?;
    list.install()?;
    Ok(landlock_abi)
}

pub(crate) fn say_ready(control: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), String> {
    let message = [&[SAYS_READY], bytes].concat();
    rustix::io::write(control, &message).map(|_| ()).map_err(|error| error.to_string())
}

/// Sets a limit and takes away the right to raise it. A lower one in force stays.
pub(crate) fn set_limit(resource: Resource, value: u64) -> io::Result<()> {
    let hard = rustix::process::getrlimit(resource).maximum.map_or(value, |maximum| maximum.min(value));
    Ok(rustix::process::setrlimit(resource, Rlimit { current: Some(hard), maximum: Some(hard) })?)
}

/// Private writable memory. RLIMIT_AS would count mapped input and reserved address space too.
pub(crate) fn limit_memory(bytes: u64) -> io::Result<()> {
    set_limit(Resource::Data, bytes)
}
