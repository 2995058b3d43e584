//! One file a subcommand.

pub mod clean;
