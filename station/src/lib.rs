//! The one pipeline that every face runs: intake, jails, engines, verification, release, report.
//!
//! The station is trusted and therefore parses nothing that comes from outside: not a file, not a member, not a byte
//! that a jail exported. What it reads of a jail is the length-capped answer of its own protocol. Formats are
//! the business of `sanitizer` and `verifier`, which run in jails; here are only their answers.
#![forbid(unsafe_code)]

mod canaries;
mod errors;
mod force;
pub mod hash_sets;
pub mod inputs;
mod intake;
mod ledger;
mod medium;
mod names;
mod outbox;
mod passwords;
mod pipeline;
mod policy;
pub mod quarantine;
mod record;
mod report;
pub mod roles;
pub mod rules;
mod scan;
mod tokens;

pub use canaries::CanaryResult;
pub use errors::StationError;
pub use intake::{Intake, IntakeError, take_in};
pub use ledger::{Collector, Ended, Identity, Ledger, Recovered, SessionLog, Visit};
pub use medium::{Listed, Medium, UsbDevice, finding_in_words, volume_in_words};
pub use outbox::{Outbox, OutboxError, Placed};
pub use passwords::{passwords_from, read_passwords};
pub use pipeline::{Destination, Progress, Run, Session, Settings, Station, Summary};
pub use policy::{LoadedPolicy, load_policy, parse_policy, standard_policy};
pub use quarantine::Quarantine;
pub use report::Report;
pub use sanitizer::{PasswordError, Passwords};
pub use scan::{Counters, EngineHealth, State};
pub use shares::Address;
pub use tokens::{CleanScan, Verified, release};
