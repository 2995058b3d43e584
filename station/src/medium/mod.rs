//! Media: a device or an image of one, read in a jail that holds its read-only descriptor and nothing else.
//!
//! The station never mounts and never parses one. A walk job lists what there is; a read job, a new process for each file,
//! streams that file's bytes into its output, which is sealed like any other. What the jail says is bounded here again.

mod device;
mod entries;
mod role;

pub use device::UsbDevice;
pub use entries::{finding_in_words, volume_in_words};
pub(crate) use role::{MEDIUM, medium_role};

use crate::StationError;
use crate::intake::IntakeError;
use crate::record;
use jail::{Done, Growing, Input, Job, JobFailure, JobLimits, Launcher, Sealed, SpoolDir, Zygote};
use medium::{Facts, FileAt, Limits, Listing};
use model::{Outcome, Reason, ReasonCode};
use role::{Asked, MediumAnswer, MediumJob};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Ours: a listing of 100,000 entries is some 25 MiB.
const LISTING_BYTES: u64 = 48 << 20;
/// Ours: a stick that is slow and full of small files; the processor time is what bounds a hostile one.
const WALK_SECONDS: u64 = 600;
/// Ours: below this rate (bytes a second) a medium is as good as broken.
const SLOWEST: u64 = 1 << 20;
/// Ours: what a reader does at least (bytes a second of processor time), with much room.
const SLOWEST_READER: u64 = 20 << 20;

/// A medium that was opened. Nothing of it was read yet.
#[derive(Debug)]
pub struct Medium {
    zygote: Zygote,
    device: OwnedFd,
    path: PathBuf,
    is_device: bool,
    usb: Option<UsbDevice>,
    spool: SpoolDir,
    memory_bytes: u64,
    seconds: u64,
    nonce: AtomicU64,
}

/// A medium and what is on it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub(crate) medium: Arc<Medium>,
    pub(crate) listing: Arc<Listing>,
}

impl Listed {
    /// What the medium is, for people and for the record.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.listing.facts
    }

    /// All that is on it.
    #[must_use]
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.medium.path
    }
}

impl Medium {
    /// Opens a block device or an image file, to read only, and starts the jail that will read it. A device that is
    /// mounted or otherwise in use is refused; no link is followed.
    ///
    /// # Errors
    /// [`StationError`] with what to do next.
    pub fn open(path: &Path, launcher: &Launcher, spool: &Path, limits: &model::Limits) -> Result<Self, StationError> {
        let refuse = |source: std::io::Error| StationError::Input { path: path.to_owned(), source };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let open = |flags| rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(|e| refuse(e.into()));
        let mut device = open(flags)?;
        let stat = rustix::fs::fstat(&device).map_err(|e| refuse(e.into()))?;
        let mut usb = None;
        let is_device = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => false,
            FileType::BlockDevice => true,
            FileType::Directory
            | FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::Unknown => {
                return Err(refuse(std::io::Error::other("a medium is a block device or an image file")));
            }
        };
        if is_device {
            // Told before a byte of it is read.
            usb = usb_of(stat.st_rdev);
            if let Some((row, why)) = usb.as_ref().and_then(UsbDevice::refused) {
                return Err(StationError::Medium { path: path.to_owned(), why: format!("{row}: {why}") });
            }
            // Alone on it: nobody has it mounted, and nobody mounts it while we read.
            device = open(flags | OFlags::EXCL)?;
        }
        let place = |source| StationError::Place { what: "spool", path: spool.to_owned(), source };
        let spool = std::fs::create_dir_all(spool).and_then(|()| SpoolDir::new(spool)).map_err(place)?;
        let zygote = Zygote::start(launcher, MEDIUM).map_err(|e| StationError::Jail(e.to_string()))?;
        let (memory_bytes, seconds) = (limits.memory_bytes, u64::from(limits.seconds));
        let (path, nonce) = (path.to_owned(), AtomicU64::new(1));
        Ok(Self { zygote, device, path, is_device, usb, spool, memory_bytes, seconds, nonce })
    }

    /// Lists what is on it.
    ///
    /// # Errors
    /// [`StationError::Medium`] where the walk did not end; what is wrong with the medium itself is in the listing.
    pub fn list(self, entries: u64) -> Result<Listed, StationError> {
        let refuse = |why: String| StationError::Medium { path: self.path.clone(), why };
        let limits = JobLimits {
            memory_bytes: self.memory_bytes,
            cpu_seconds: WALK_SECONDS / 2,
            wall: Duration::from_secs(WALK_SECONDS),
            output_bytes: LISTING_BYTES,
            spool_bytes: 0,
        };
        let asked = Asked::Walk(Limits { entries });
        let done = self.run(asked, limits).map_err(|failure| refuse(failure.to_string()))?;
        let (done, answered) = done;
        answered.map_err(|reason| refuse(reason.text))?;
        let garbled = || refuse("the jail's listing is not one".into());
        let output = done.output.ok_or_else(garbled)?;
        let mapped = output.map().map_err(|e| refuse(e.to_string()))?;
        let listing: Listing = serde_json::from_slice(&mapped).map_err(|_| garbled())?;
        drop(mapped);
        let listing = entries::checked(listing, entries).map_err(refuse)?;
        Ok(Listed { medium: Arc::new(self), listing: Arc::new(listing) })
    }

    /// The bytes of one file, sealed: exactly as many as the listing promised.
    pub(crate) fn read(&self, file: &FileAt, spool: &SpoolDir, most: u64) -> Result<Sealed, IntakeError> {
        let size = file.size;
        if size > most {
            let text = format!("input bytes limit: {size} asked, {most} allowed");
            return Err(IntakeError::Entry(Reason::new(ReasonCode::Limit, &text)));
        }
        let limits = JobLimits {
            memory_bytes: self.memory_bytes,
            cpu_seconds: self.seconds.saturating_add(size / SLOWEST_READER),
            wall: Duration::from_secs(self.seconds.saturating_add(size / SLOWEST)),
            output_bytes: size,
            spool_bytes: 0,
        };
        let (done, answered) = self.run(Asked::Read(file.clone()), limits).map_err(failed)?;
        answered.map_err(IntakeError::Entry)?;
        let sealed = match done.output {
            Some(output) => output,
            None => Growing::create(spool, 0)
                .and_then(Growing::seal)
                .map_err(|e| IntakeError::Station(format!("the spool cannot be written: {e}")))?,
        };
        if sealed.len() == size {
            return Ok(sealed);
        }
        let text = format!("the medium's jail gave {} bytes of a file of {size}", sealed.len());
        Err(IntakeError::Entry(Reason::new(ReasonCode::Protocol, &text)))
    }

    fn run(&self, asked: Asked, limits: JobLimits) -> Result<(Done, Result<(), Reason>), JobFailure> {
        let nonce = self.nonce.fetch_add(1, Ordering::Relaxed);
        let job = MediumJob { nonce, asked };
        let header = serde_json::to_vec(&job).map_err(|e| JobFailure::Station(e.into()))?;
        let input = Input::Medium(self.device.as_fd());
        let done = self.zygote.run(Job { input, header: &header, limits, spool: &self.spool })?;
        let answer = MediumAnswer::read(&done.answer, nonce)?;
        Ok((done, answer))
    }

    /// The USB device it is, where it is one.
    #[must_use]
    pub const fn usb(&self) -> Option<&UsbDevice> {
        self.usb.as_ref()
    }

    /// What kind of thing it is, in words.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        if self.is_device { "block device" } else { "image file" }
    }
}

fn usb_of(number: u64) -> Option<UsbDevice> {
    device::usb_device(Path::new("/sys"), (rustix::fs::major(number), rustix::fs::minor(number)))
}

/// A read that did not end is the file's outcome, unless the station itself failed.
fn failed(failure: JobFailure) -> IntakeError {
    if let JobFailure::Station(error) = failure {
        return IntakeError::Station(format!("the medium's jail: {error}"));
    }
    let (_, reason): (Outcome, Reason) = record::jail_failure(&failure);
    IntakeError::Entry(reason)
}
