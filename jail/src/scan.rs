//! The station's side of a scan jail.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::failure::{JailError, JobFailure};
use crate::inside::MODE_SCAN;
use crate::launch::{Launcher, Process};
use crate::room::EXIT_PANICKED;
use crate::scan_room::Setup;
use crate::sealed::Sealed;
use crate::sys::EXIT_OUT_OF_MEMORY;
use crate::wire::{self, HEADER_MAX, MESSAGE_MAX};

/// What a scan jail may use.
#[derive(Clone, Copy, Debug)]
pub struct ScanLimits {
    /// Private memory, rules included.
    pub memory_bytes: u64,
    /// Time to load the rules.
    pub start_wall: Duration,
}

/// A scanner in a jail, for one object at a time.
#[derive(Debug)]
pub struct ScanJail {
    /// Gone after the first failure: who misbehaved once is not asked again.
    process: Option<Process>,
    ready: Vec<u8>,
    limits: ScanLimits,
    asked: u64,
    last_cpu: Duration,
}

impl ScanJail {
    /// Starts the scanner of `role` and waits until its rules are loaded. `setup` is 64 KiB at most.
    ///
    /// # Errors
    /// It can't be started, a required layer is missing, or it doesn't become ready in time.
    pub fn start(
        launcher: &Launcher,
        role: &str,
        setup: &[u8],
        rules: Option<&Sealed>,
        limits: ScanLimits,
    ) -> Result<Self, JailError> {
        if setup.len() > HEADER_MAX {
            return Err(JailError::Spawn(io::ErrorKind::InvalidInput.into()));
        }
        let mut process = Process::start(launcher, MODE_SCAN, role).map_err(JailError::Spawn)?;
        let fd = rules.map(Sealed::reopen).transpose().map_err(JailError::Spawn)?;
        let rules = fd.as_ref().map(|fd| fd.as_fd()).zip(rules.map(Sealed::len));
        // An error here is a process that ended already; what it said or how it ended tells why.
        let sent = Setup::send(process.control.as_fd(), limits.memory_bytes, setup, rules);
        let ready = process.await_ready(limits.start_wall)?;
        sent.map_err(JailError::Spawn)?;
        Ok(Self { process: Some(process), ready, limits, asked: 0, last_cpu: Duration::ZERO })
    }

    /// What the scanner reported once its rules were loaded.
    #[must_use]
    pub fn ready(&self) -> &[u8] {
        &self.ready
    }

    /// How many objects it was asked about; the owner recycles it by this.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// Whether it can be asked again.
    #[must_use]
    pub fn is_alive(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::is_alive)
    }

    /// Processor time that the last answer cost, by the jail's own account.
    #[must_use]
    pub fn last_cpu(&self) -> Duration {
        self.last_cpu
    }

    /// Process id, for diagnostics.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Has `len` bytes of `object` at `offset` looked at. `request` is 64 KiB at most, and so is the answer.
    ///
    /// # Errors
    /// Any failure ends the jail, and each later call is a station fault: start another.
    pub fn ask(
        &mut self,
        object: &Sealed,
        offset: u64,
        len: u64,
        request: &[u8],
        wall: Duration,
    ) -> Result<Vec<u8>, JobFailure> {
        let Some(mut process) = self.process.take() else {
            return Err(JobFailure::Station(io::Error::other("this scan jail has ended")));
        };
        let answer = self.converse(&mut process, object, (offset, len), request, wall);
        if answer.is_ok() {
            self.process = Some(process);
        }
        answer
    }

    fn converse(
        &mut self,
        process: &mut Process,
        object: &Sealed,
        (offset, len): (u64, u64),
        request: &[u8],
        wall: Duration,
    ) -> Result<Vec<u8>, JobFailure> {
        if request.len() > HEADER_MAX || offset.checked_add(len).is_none_or(|end| end > object.len()) {
            return Err(JobFailure::Station(io::ErrorKind::InvalidInput.into()));
        }
        self.asked = self.asked.saturating_add(1);
        let deadline = Instant::now().checked_add(wall).unwrap_or_else(Instant::now);
        let fd = object.reopen()?;
        let fixed = wire::pack([self.asked, offset, len]);
        if wire::send(process.control.as_fd(), &[&fixed, request], &[fd.as_fd()]).is_err() {
            return Err(self.death(process));
        }
        if !wire::wait_readable(process.control.as_fd(), deadline)? {
            return Err(JobFailure::TimeOut(wall));
        }
        let mut buffer = vec![0; MESSAGE_MAX];
        let protocol = |text: &str| JobFailure::Protocol(text.into());
        let received = wire::receive(process.control.as_fd(), &mut buffer);
        let Some((message, _)) = received.map_err(|error| JobFailure::Protocol(error.to_string()))? else {
            return Err(self.death(process));
        };
        let ([nonce, seen, nanos], answer) = wire::unpack(message).ok_or_else(|| protocol("garbled answer"))?;
        if nonce != self.asked {
            return Err(protocol("answer to another question"));
        }
        if seen != len {
            return Err(protocol("fewer bytes seen than asked for"));
        }
        self.last_cpu = Duration::from_nanos(nanos);
        Ok(answer.to_vec())
    }

    /// Why a scan jail hung up.
    fn death(&self, process: &mut Process) -> JobFailure {
        match process.end() {
            Ok(status) => self.ended(status),
            Err(error) => JobFailure::Station(error),
        }
    }

    fn ended(&self, status: ExitStatus) -> JobFailure {
        match (status.signal(), status.code()) {
            (None, Some(EXIT_OUT_OF_MEMORY)) => JobFailure::Memory(self.limits.memory_bytes),
            (None, Some(EXIT_PANICKED)) => {
                JobFailure::Crash { signal: None, code: Some(EXIT_PANICKED), place: Some("panic in a scanner".into()) }
            }
            (signal, code) => JobFailure::Crash { signal, code, place: None },
        }
    }
}
