//! Inside a scan jail: closed first, then rules loaded, then one object after the other.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::time::ClockId;

use crate::inside::{self, ScanFn};
use crate::room;
use crate::sealed::SealedMap;
use crate::wire::{self, HEADER_MAX, MESSAGE_MAX};

/// Largest answer on one object: it travels in one message.
pub(crate) const SCAN_ANSWER_MAX: usize = HEADER_MAX;

/// What a scan jail is started with.
pub(crate) struct Setup {
    pub memory_bytes: u64,
    text: Vec<u8>,
    rules: Option<(OwnedFd, u64)>,
}

impl Setup {
    /// Sends the setup; the counterpart of `receive`.
    pub(crate) fn send(
        control: BorrowedFd<'_>,
        memory_bytes: u64,
        text: &[u8],
        rules: Option<(BorrowedFd<'_>, u64)>,
    ) -> std::io::Result<()> {
        let fixed = wire::pack([memory_bytes, rules.map_or(0, |(_, len)| len)]);
        let fds: Vec<_> = rules.into_iter().map(|(fd, _)| fd).collect();
        wire::send(control, &[&fixed, text], &fds)
    }

    /// Waits for it.
    pub(crate) fn receive(control: BorrowedFd<'_>) -> Result<Self, String> {
        let mut buffer = vec![0; MESSAGE_MAX];
        let message = wire::receive(control, &mut buffer).map_err(|error| error.to_string())?;
        let (message, mut fds) = message.ok_or("no setup")?;
        let ([memory_bytes, rules_len], text) = wire::unpack(message).ok_or("garbled setup")?;
        Ok(Self { memory_bytes, text: text.to_vec(), rules: fds.pop().map(|fd| (fd, rules_len)) })
    }
}

/// What a scanner sees of the world.
pub struct ScanRoom<'a> {
    control: BorrowedFd<'a>,
    setup: Vec<u8>,
    rules: Option<SealedMap>,
}

impl ScanRoom<'_> {
    /// What the station says at the start.
    #[must_use]
    pub fn setup(&self) -> &[u8] {
        &self.setup
    }

    /// The rules, mapped. Authenticated by the station, yet loaded only in here.
    #[must_use]
    pub fn rules(&self) -> Option<&[u8]> {
        self.rules.as_deref()
    }

    /// Reports `ready` (what was loaded) and answers requests until the station hangs up.
    ///
    /// # Errors
    /// The station's messages can't be understood, or an answer is longer than 64 KiB.
    pub fn serve(&mut self, ready: &[u8], mut scan: impl FnMut(&[u8], &[u8]) -> Vec<u8>) -> Result<(), String> {
        inside::say_ready(self.control, ready)?;
        let mut buffer = vec![0; MESSAGE_MAX];
        loop {
            let message = wire::receive(self.control, &mut buffer).map_err(|error| error.to_string())?;
            let Some((message, mut fds)) = message else {
                return Ok(());
            };
            let before = cpu_nanos();
            let ([nonce, offset, len], request) = wire::unpack(message).ok_or("garbled request")?;
            let object = fds.pop().ok_or("no object")?;
            let bytes = map_range(object.as_fd(), offset, len)?;
            let answer = scan(request, &bytes);
            if answer.len() > SCAN_ANSWER_MAX {
                return Err("answer too long".into());
            }
            let seen = u64::try_from(bytes.len()).unwrap_or(0);
            let fixed = wire::pack([nonce, seen, cpu_nanos().saturating_sub(before)]);
            let message = [fixed, answer].concat();
            // A plain write: sending is not among a jail's calls.
            rustix::io::write(self.control, &message).map_err(|error| error.to_string())?;
        }
    }
}

pub(crate) fn cpu_nanos() -> u64 {
    let now = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}

/// Maps a range after looking that the object is long enough: a short one must not read as a clean one.
#[expect(unsafe_code, reason = "maps what the station sealed")]
fn map_range(object: BorrowedFd<'_>, offset: u64, len: u64) -> Result<SealedMap, String> {
    let size = rustix::fs::seek(object, rustix::fs::SeekFrom::End(0)).map_err(|error| error.to_string())?;
    if offset.checked_add(len).is_none_or(|end| end > size) {
        return Err("object shorter than the range asked for".into());
    }
    // SAFETY: descriptors come from the station only, which sends reopened `Sealed` ones; the range was just checked
    // against the size, which can't change.
    unsafe { SealedMap::map_file(object, offset, len) }.map_err(|error| error.to_string())
}

/// Runs the scanner; the process is closed by now.
pub(crate) fn run(control: BorrowedFd<'_>, setup: Setup, scan: ScanFn) -> Result<(), String> {
    room::note_panics();
    let rules = setup.rules.map(|(fd, len)| map_range(fd.as_fd(), 0, len)).transpose()?;
    scan(&mut ScanRoom { control, setup: setup.text, rules })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::{Sealed, SpoolDir};

    #[test]
    fn a_short_object_is_not_mapped() {
        let program = std::env::current_exe().unwrap();
        let spool = SpoolDir::new(program.parent().unwrap()).unwrap();
        let object = Sealed::from_bytes(&spool, b"short").unwrap().reopen().unwrap();
        assert_eq!(&*map_range(object.as_fd(), 1, 4).unwrap(), b"hort");
        for (offset, len) in [(0, 6), (5, 1), (u64::MAX, 2)] {
            assert!(map_range(object.as_fd(), offset, len).is_err());
        }
    }
}
