//! One file a subcommand.

pub mod audit;
pub mod clean;
pub mod doctor;
pub mod medium;
pub mod package;
pub mod quarantine;
pub mod signatures;
