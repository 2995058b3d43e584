//! The zygote: a small single-threaded process that forks a closed one for every job, watches its clock and reaps it.
//!
//! It reads messages of the station only (jobs hold no socket), so it needs no defence against them beyond fail-stop.
//! Everything happens in one poll over the control socket, the jobs' pidfds and their reply sockets.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::inside::JobFn;
use crate::room;
use crate::seccomp::Filter;
use crate::sys::{self, Forked, SingleThreaded};
use crate::wire::{self, Ending, JobOrder, JobReply, MESSAGE_MAX};

/// A job in flight.
pub(crate) struct Running {
    pid: Pid,
    /// It leads a process group of its own, which ends with it.
    leads: bool,
    pidfd: OwnedFd,
    reply: OwnedFd,
    deadline: Instant,
    timed_out: bool,
    /// Nobody waits for it any more.
    abandoned: bool,
}

impl Running {
    /// A child that was just forked.
    pub(crate) fn new(pid: Pid, leads: bool, reply: OwnedFd, wall: Duration) -> io::Result<Self> {
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        let now = Instant::now();
        let deadline = now.checked_add(wall).unwrap_or(now);
        Ok(Self { pid, leads, pidfd, reply, deadline, timed_out: false, abandoned: false })
    }

    fn kill(&self) {
        self.kill_group();
        // It may have ended already; the pidfd can't mean another process.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Its number stands for its group as long as it was not reaped.
    fn kill_group(&self) {
        if self.leads {
            // The group is gone already where nobody else was in it.
            let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// Whether it has ended; it stays to be reaped.
    fn has_ended(&self) -> io::Result<bool> {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.pid), options)?.is_some())
    }

    fn over_time(&self, now: Instant) -> bool {
        !self.timed_out && now >= self.deadline
    }
}

/// Starts what a message asks for; nothing where it could not, which was told.
pub(crate) type Begin<'a> = &'a mut dyn FnMut(&[u8], Vec<OwnedFd>) -> io::Result<Option<Running>>;

/// Serves until the station hangs up: forks a closed process for each job.
pub(crate) fn serve(control: BorrowedFd<'_>, tasks: &OwnedFd, filter: &Filter, job: JobFn) -> io::Result<()> {
    room::note_panics();
    attend(control, &mut |message, fds| begin(message, fds, tasks, filter, job))
}

/// Starts what the station asks for, watches clocks and hang-ups, and tells how each child ended.
pub(crate) fn attend(control: BorrowedFd<'_>, begin: Begin<'_>) -> io::Result<()> {
    let mut running: Vec<Running> = Vec::new();
    let mut buffer = vec![0; MESSAGE_MAX];
    loop {
        let ready = wait(control, &running)?;
        let now = Instant::now();
        for job in running.iter_mut().filter(|job| job.over_time(now)) {
            job.timed_out = true;
            job.kill();
        }
        for (job, events) in running.iter_mut().zip(&ready.replies) {
            if events.intersects(PollFlags::HUP | PollFlags::ERR) && !job.abandoned {
                job.abandoned = true;
                job.kill();
            }
        }
        reap(&mut running)?;
        if ready.control {
            let Some((message, fds)) = wire::receive(control, &mut buffer)? else {
                break;
            };
            running.extend(begin(message, fds)?);
            // The next job's process shall not find this one's header.
            message.fill(0);
        }
    }
    for job in &running {
        job.kill();
    }
    Ok(())
}

/// What `wait` saw.
struct Ready {
    control: bool,
    /// Of each running job's reply socket, in order.
    replies: Vec<PollFlags>,
}

fn wait(control: BorrowedFd<'_>, running: &[Running]) -> io::Result<Ready> {
    let next = running.iter().filter(|job| !job.timed_out).map(|job| job.deadline).min();
    // A millisecond more than left: poll rounds its way, and a turn too early would spin.
    let left = next.map(|at| at.saturating_duration_since(Instant::now()).saturating_add(Duration::from_millis(1)));
    let mut polled: Vec<PollFd<'_>> = vec![PollFd::from_borrowed_fd(control, PollFlags::IN)];
    for job in running {
        polled.push(PollFd::new(&job.pidfd, PollFlags::IN));
        if !job.abandoned {
            polled.push(PollFd::new(&job.reply, PollFlags::empty()));
        }
    }
    match rustix::event::poll(&mut polled, left.map(wire::timespec).as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut events = polled.iter().map(PollFd::revents);
    let control = events.next().is_some_and(|events| !events.is_empty());
    let mut replies = Vec::with_capacity(running.len());
    for job in running {
        let _ended = events.next();
        replies.push(if job.abandoned { PollFlags::empty() } else { events.next().unwrap_or(PollFlags::empty()) });
    }
    Ok(Ready { control, replies })
}

/// Reaps the jobs that have ended and tells whoever waits.
fn reap(running: &mut Vec<Running>) -> io::Result<()> {
    let mut still = Vec::with_capacity(running.len());
    for job in running.drain(..) {
        if job.leads && job.has_ended()? {
            job.kill_group();
        }
        let Some(ended) = sys::reap(job.pid)? else {
            still.push(job);
            continue;
        };
        let ending = match ended.signal {
            Some(_) if job.timed_out => Ending::TimedOut,
            Some(signal) => Ending::Killed(signal),
            None => Ending::Exited(ended.code),
        };
        tell(&job.reply, JobReply { ending, cpu: ended.cpu, peak_bytes: ended.peak_bytes });
    }
    *running = still;
    Ok(())
}

pub(crate) fn tell(reply: &OwnedFd, answer: JobReply) {
    // Whoever waited may be gone; then nobody needs to know.
    let _ = rustix::io::write(reply, &answer.to_bytes());
}

/// Forks a job.
fn begin(
    message: &[u8],
    fds: Vec<OwnedFd>,
    tasks: &OwnedFd,
    filter: &Filter,
    job: JobFn,
) -> io::Result<Option<Running>> {
    let garbled = || io::Error::other("garbled job");
    let (order, header) = JobOrder::from_bytes(message).ok_or_else(garbled)?;
    let [input, output, spool, reply] = <[OwnedFd; wire::FDS_MAX]>::try_from(fds).map_err(|_| garbled())?;
    let alone = SingleThreaded::check(tasks.as_fd())?;
    let zygote = rustix::process::getpid();
    match sys::fork(&alone) {
        Ok(Forked::Child) => room::run(room::Given { zygote, order, header, output, spool, filter }, input, job),
        Ok(Forked::Parent(pid)) => Running::new(pid, false, reply, order.wall).map(Some),
        Err(error) => {
            let ending = Ending::NotStarted(error.raw_os_error().unwrap_or(0));
            tell(&reply, JobReply { ending, cpu: Duration::ZERO, peak_bytes: 0 });
            Ok(None)
        }
    }
}
