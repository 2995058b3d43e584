//! The life of signatures on a station: bundles are checked, unpacked, compiled and tried in jails, and only what came
//! through all of it is put in force.

mod build;
mod import;
mod jobs;
mod load;
mod trial;
mod workshop;

pub use build::{Built, Details, build};
pub use import::{Imported, Mode, Offered, activate, import, is_news, rollback, sequence_hint, update};
pub(crate) use jobs::{SIGNATURES, signatures_role};
pub(crate) use load::{InUse, load};
pub use workshop::{ReceiveError, Workshop};
