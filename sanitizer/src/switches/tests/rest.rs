//! What has no switch, and why.

/// What our types have no place for: with or without a decision it cannot be written.
pub(super) const INEXPRESSIBLE: &[(&str, &str)] = &[];

/// Decisions that hold nothing back which the output could hold.
pub(super) const HARMLESS: &[(&str, &str)] = &[];
