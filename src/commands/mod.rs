//! One file a subcommand.

pub mod clean;
pub mod signatures;
