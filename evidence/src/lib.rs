//! What proves a release without trusting the station: signed manifests of what was let out, and signed checkpoints of
//! the journal. Made by the station, checked by anybody with common tools, or by `sallyport-verify` on the other side.
//!
//! * [`Release`]: an in-toto Statement in a DSSE envelope ([`dsse`]);
//! * [`sums`] and [`sshsig`]: `SHA256SUMS` and a signature that `ssh-keygen -Y verify` checks;
//! * [`Checkpoint`]: a C2SP signed note over an RFC 6962 Merkle root ([`merkle`]).
//!
//! Bytes in, bytes out: no file, no clock and no source of chance is touched here. Everything that is read is untrusted
//! until its signature was checked, and is then still held to its closed form.
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod dsse;
mod error;
pub mod key;
pub mod merkle;
pub mod release;
pub mod sshsig;
pub mod sums;
pub use model::time;

pub use checkpoint::Checkpoint;
pub use error::EvidenceError;
pub use key::{PublicKey, StationKey};
pub use release::{Clock, FileRow, Held, Release, Session, Source, StationRow};
