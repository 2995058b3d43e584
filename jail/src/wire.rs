//! The messages between the station and its jails: fixed little-endian fields in SEQPACKET datagrams, so that a message
//! arrives whole or not at all, with the descriptors it speaks of.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

/// Largest header of a job, request or setup of a scan jail: policy digests and names, not content.
pub const HEADER_MAX: usize = 64 << 10;
/// Room for the fixed fields before a header.
pub(crate) const FIXED_MAX: usize = 64;
/// Largest message on any of the sockets.
pub(crate) const MESSAGE_MAX: usize = HEADER_MAX + FIXED_MAX;
/// Descriptors in one message: input, output, spool, reply.
pub(crate) const FDS_MAX: usize = 4;

/// First byte of what a jail says when it starts.
pub(crate) const SAYS_READY: u8 = b'R';
/// First byte of why it can't.
pub(crate) const SAYS_NO: u8 = b'N';

/// A pair of connected sockets, closed on exec.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends `parts` as one message with `fds`.
pub(crate) fn send(socket: BorrowedFd<'_>, parts: &[&[u8]], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other("too many descriptors for one message"));
    }
    let whole: usize = parts.iter().map(|p| p.len()).sum();
    let parts: Vec<IoSlice<'_>> = parts.iter().map(|p| IoSlice::new(p)).collect();
    loop {
        match rustix::net::sendmsg(socket, &parts, &mut ancillary, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            Ok(sent) if sent == whole => return Ok(()),
            Ok(_) => return Err(io::Error::other("message cut short")),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Receives one message into `buffer`; `None` at the end of the conversation.
pub(crate) fn receive<'b>(
    socket: BorrowedFd<'_>,
    buffer: &'b mut [u8],
) -> io::Result<Option<(&'b mut [u8], Vec<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut reset = false;
    let message = loop {
        match rustix::net::recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            // The other side ended with a message of ours unread; what it said before still lies here.
            Err(Errno::CONNRESET) if !reset => reset = true,
            other => break other?,
        }
    };
    let mut fds = Vec::new();
    for part in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = part {
            fds.extend(received);
        }
    }
    if message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::Error::other("message longer than the protocol allows"));
    }
    if message.bytes == 0 {
        return Ok(None);
    }
    let bytes = buffer.get_mut(..message.bytes).ok_or_else(|| io::Error::other("kernel said more than it gave"))?;
    Ok(Some((bytes, fds)))
}

/// Waits until `socket` has something to read (or was hung up), at most until `deadline`; says whether it has.
pub(crate) fn wait_readable(socket: BorrowedFd<'_>, deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut polled = [PollFd::from_borrowed_fd(socket, PollFlags::IN)];
        match rustix::event::poll(&mut polled, Some(&timespec(left))) {
            Err(Errno::INTR) => {}
            Ok(0) if left > Duration::ZERO => {}
            other => return Ok(other? > 0),
        }
    }
}

/// A timeout for `poll`.
pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

/// Lays numbers side by side.
pub(crate) fn pack<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// Takes `N` numbers off the front of `bytes`.
pub(crate) fn unpack<const N: usize>(bytes: &[u8]) -> Option<([u64; N], &[u8])> {
    let mut numbers = [0; N];
    let mut rest = bytes;
    for number in &mut numbers {
        let (first, after) = rest.split_first_chunk::<8>()?;
        *number = u64::from_le_bytes(*first);
        rest = after;
    }
    Some((numbers, rest))
}

/// Fixed part of a job, before its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobOrder {
    pub memory_bytes: u64,
    pub cpu_seconds: u64,
    pub wall: Duration,
    /// Largest file, whichever (RLIMIT_FSIZE).
    pub file_bytes: u64,
    pub output_bytes: u64,
    pub spool_bytes: u64,
    /// The input is no sealed file: it is read, never mapped.
    pub unsealed: bool,
}

impl JobOrder {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let wall = u64::try_from(self.wall.as_millis()).unwrap_or(u64::MAX);
        let unsealed = u64::from(self.unsealed);
        let Self { memory_bytes, cpu_seconds, file_bytes, output_bytes, spool_bytes, .. } = self;
        pack([memory_bytes, cpu_seconds, wall, file_bytes, output_bytes, spool_bytes, unsealed])
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ([memory_bytes, cpu_seconds, wall, file_bytes, output_bytes, spool_bytes, unsealed], rest) = unpack(bytes)?;
        let (wall, unsealed) = (Duration::from_millis(wall), unsealed != 0);
        Some((Self { memory_bytes, cpu_seconds, wall, file_bytes, output_bytes, spool_bytes, unsealed }, rest))
    }
}

/// Fixed part of an order to the spawner, before program and arguments, each ended by a NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpawnOrder {
    pub wall: Duration,
    pub memory_bytes: u64,
}

impl SpawnOrder {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        pack([u64::try_from(self.wall.as_millis()).unwrap_or(u64::MAX), self.memory_bytes])
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ([wall, memory_bytes], rest) = unpack(bytes)?;
        Some((Self { wall: Duration::from_millis(wall), memory_bytes }, rest))
    }
}

/// How a job's process ended, as its zygote saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Exited(i32),
    Killed(i32),
    TimedOut,
    /// It was never forked; the operating system's error number.
    NotStarted(i32),
}

/// A zygote's answer on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobReply {
    pub ending: Ending,
    pub cpu: Duration,
    pub peak_bytes: u64,
}

impl JobReply {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let (kind, number) = match self.ending {
            Ending::Exited(code) => (0, code),
            Ending::Killed(signal) => (1, signal),
            Ending::TimedOut => (2, 0),
            Ending::NotStarted(error) => (3, error),
        };
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        pack([kind, number, u64::try_from(self.cpu.as_micros()).unwrap_or(u64::MAX), self.peak_bytes])
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([kind, number, micros, peak_bytes], []) = unpack(bytes)? else {
            return None;
        };
        let number = i32::try_from(number).unwrap_or(-1);
        let ending = match kind {
            0 => Ending::Exited(number),
            1 => Ending::Killed(number),
            2 => Ending::TimedOut,
            3 => Ending::NotStarted(number),
            _ => return None,
        };
        Some(Self { ending, cpu: Duration::from_micros(micros), peak_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn orders_and_replies_survive_the_way() {
        let wall = Duration::from_millis(1500);
        let (spool_bytes, unsealed) = (u64::MAX, true);
        let order =
            JobOrder { memory_bytes: 1, cpu_seconds: 2, wall, file_bytes: 3, output_bytes: 4, spool_bytes, unsealed };
        let mut bytes = order.to_bytes();
        assert!(bytes.len() <= FIXED_MAX);
        bytes.extend_from_slice(b"header");
        assert_eq!(JobOrder::from_bytes(&bytes), Some((order, b"header".as_slice())));
        assert_eq!(JobOrder::from_bytes(&bytes[..40]), None);
        for ending in [Ending::Exited(101), Ending::Killed(9), Ending::TimedOut, Ending::NotStarted(11)] {
            let reply = JobReply { ending, cpu: wall, peak_bytes: 7 };
            assert_eq!(JobReply::from_bytes(&reply.to_bytes()), Some(reply));
        }
        assert_eq!(JobReply::from_bytes(&pack([9, 0, 0, 0])), None);
        assert_eq!(JobReply::from_bytes(b""), None);
    }

    #[test]
    fn a_message_brings_its_descriptors_and_an_end_is_seen() {
        let (here, there) = pair().unwrap();
        send(here.as_fd(), &[b"two ", b"parts"], &[here.as_fd(), there.as_fd()]).unwrap();
        drop(here);
        let mut buffer = [0; 64];
        let (bytes, fds) = receive(there.as_fd(), &mut buffer).unwrap().unwrap();
        assert_eq!((&*bytes, fds.len()), (b"two parts".as_slice(), 2));
        drop(fds);
        assert!(receive(there.as_fd(), &mut buffer).unwrap().is_none());
    }

    #[test]
    fn last_words_are_heard_though_ours_were_not() {
        let (here, there) = pair().unwrap();
        send(here.as_fd(), &[b"unread"], &[]).unwrap();
        send(there.as_fd(), &[b"last words"], &[]).unwrap();
        drop(there);
        let mut buffer = [0; 64];
        assert_eq!(receive(here.as_fd(), &mut buffer).unwrap().unwrap().0, b"last words".as_slice());
        assert!(receive(here.as_fd(), &mut buffer).unwrap().is_none());
    }

    #[test]
    fn a_message_that_does_not_fit_is_an_error() {
        let (here, there) = pair().unwrap();
        send(here.as_fd(), &[&[0; 65]], &[]).unwrap();
        assert!(receive(there.as_fd(), &mut [0; 64]).is_err());
    }
}
