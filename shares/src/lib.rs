//! Places that files are published to, each as the few steps that a publication is made of: open a folder, write under
//! a temporary name, sync, read back, give the name without replacing, remove, look.
//!
//! The order of the steps and what a failure of one means is the station's business (`station::outbox`) and the same for
//! every place. A server is trusted with what it is given, and with nothing else: what it answers is bounded, and what
//! it says of a file is believed only after its bytes were read back and hashed.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "tests compute on values of their own"
    )
)]

mod address;
mod line;
mod local;
mod sftp;
mod smb;
mod steps;
mod temporary;

pub use address::{Address, Server};
pub use local::{Local, Naming};
pub use temporary::is_temporary;

use model::SharePolicy;
use std::io::{self, ErrorKind, Read, Write};

/// A place that files are published to.
pub trait Share: std::fmt::Debug + Send + Sync {
    /// The folder below the share's root, made where it is missing and `make` says so; `None` where it is missing. No
    /// link on the way is followed.
    ///
    /// # Errors
    /// What the share says.
    fn folder<'s>(&'s self, folders: &[String], make: bool) -> io::Result<Option<Box<dyn Folder + 's>>>;

    /// A name for a file that is being written, which nobody else uses.
    fn temporary_name(&self) -> String;

    /// How names are given here.
    fn naming(&self) -> Naming;

    /// Whether it is worth trying a step again after the connection was lost.
    fn comes_back(&self) -> bool;
}

/// A folder of a share.
pub trait Folder {
    /// Makes a file that must not be there yet.
    ///
    /// # Errors
    /// What the share says.
    fn create<'f>(&'f self, name: &str) -> io::Result<Box<dyn Upload + 'f>>;

    /// What lies under `name`.
    ///
    /// # Errors
    /// What the share says.
    fn look<'f>(&'f self, name: &str) -> io::Result<Found<'f>>;

    /// Gives the file `from` the name `to`, which nothing may have.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] where something has it; else what the share says, and then only a look tells what
    /// became of it.
    fn give_name(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the share says; [`ErrorKind::NotFound`] where it is not there.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Names given so far survive a power cut when this returns, where the share can promise that.
    ///
    /// # Errors
    /// What the share says.
    fn sync(&self) -> io::Result<()>;
}

/// A file that is being written.
pub trait Upload: Write {
    /// All that was written is on the other side's disk when this returns, where the share can promise that.
    ///
    /// # Errors
    /// What the share says, also of writes that came before.
    fn finish(&mut self) -> io::Result<()>;
}

/// What lies under a name.
pub enum Found<'f> {
    /// Nothing.
    Nothing,
    /// A regular file, and its bytes.
    File(Box<dyn Read + 'f>),
    /// Something else: a folder, a link, a device.
    Other,
}

/// Opens the share at `address`, and clears away what an earlier run that was killed left under a temporary name.
///
/// # Errors
/// What the share says; it can be written when this returns.
pub fn open(address: &Address, policy: &SharePolicy) -> io::Result<Box<dyn Share>> {
    Ok(match address {
        Address::Folder(path) => Box::new(Local::open(path)?),
        Address::Sftp(server) => Box::new(sftp::Sftp::open(server, policy)?),
        Address::Smb(server) => Box::new(smb::Smb::open(server, policy)?),
    })
}

/// Whether an error says that the connection is gone, so that nobody knows whether the last step was done.
#[must_use]
pub fn is_lost(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::NotConnected
            | ErrorKind::StaleNetworkFileHandle
            | ErrorKind::TimedOut
    )
}

/// What a person can do about an error of a share.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "a person can do nothing in particular about the others")]
pub fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "; make room there, then run again"
        }
        ErrorKind::ReadOnlyFilesystem => "; have it made writable, then run again",
        ErrorKind::PermissionDenied => "; check the rights of the station's account there",
        ErrorKind::StaleNetworkFileHandle => "; the share went away: mount it again, then run again",
        _ if is_lost(error) => "; check server and network, then run again",
        _ => "",
    }
}

/// A server's text, for a person: one line, capped.
fn tame(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

fn error(kind: ErrorKind, text: impl Into<String>) -> io::Error {
    io::Error::new(kind, text.into())
}
