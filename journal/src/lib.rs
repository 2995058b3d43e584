//! The journal: what the station saw, judged and let out, as records that hang together.
//!
//! Each record carries the digest of the one before it; a [`Checkpoint`] over all of them, signed with the station's
//! key, is written outside the database. Whoever holds a checkpoint finds every record before it that was changed,
//! removed, put elsewhere or cut off ([`verify`]). Records are kept in SQLite (WAL, `synchronous=FULL`): an append has
//! returned only when it is on the disk, and several threads' appends share one commit.
//!
//! Old bodies can be pruned and names erased: their digests stay, and a signed gap record says what went and why.
#![forbid(unsafe_code)]

mod error;
mod persons;
mod prune;
mod record;
mod search;
mod store;
mod verify;

pub use error::JournalError;
pub use evidence::Checkpoint;
pub use persons::Person;
pub use prune::Pruned;
pub use record::{Kind, New, Record};
pub use search::Query;
pub use store::{Appended, Journal};
pub use verify::{Fault, Verified, verify};
