//! Scanners behind one trait and one registry.
//!
//! An engine looks at one byte string and says what it found; it never takes a container apart and never decides what
//! becomes of a file. Engines that hold native code or bytecode live in a scan jail ([`Home::ScanJail`]): the station
//! makes their rules ready and sends objects in, [`Server`] is what runs on the other side. Those that need no byte but the digest run in the
//! station ([`Home::Station`]). The rest are programs of others, a daemon or a command line ([`Home::Outside`]): they get
//! a sealed copy, and what they say is read as strictly as what a jail says.
//!
//! Invariant: no way leads from an error, a time-out or a short read to [`EngineVerdict::Clean`](model::EngineVerdict).
#![forbid(unsafe_code)]

mod answer;
mod check;
mod clamd;
mod clamd_conf;
mod engine;
mod external;
mod hashes;
mod registry;
mod server;
pub mod structure;
mod wire;
mod written;
pub mod yara;

pub use answer::{
    Answer, Detection, MAX_DETECTIONS, MAX_META_BYTES, MAX_NAME_BYTES, MAX_REASON_BYTES, RuleMeta, Severity,
};
pub use check::{Checked, check};
pub use clamd::Clamd;
pub use engine::{Engine, EngineError, EngineId, Object, Provenance, Sample};
pub use external::{Ended, External, FILE, Order, Ran, Runner};
pub use hashes::Hashes;
pub use registry::{Descriptor, ENGINES, Home, Load, Open, descriptor};
pub use server::{Resident, Server};
pub use wire::{Request, WireError, decode, encode};
