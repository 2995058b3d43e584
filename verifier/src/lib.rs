//! The second reader: one strict grammar a dialect.
//!
//! A dialect is the small part of a format that our reconstructors write. Everything else (an unknown chunk, key, tag,
//! a byte after the end, a byte that no rule accounts for) is a rejection, never a warning: it means that the
//! reconstructor was fooled.
//!
//! Invariant: nothing of `sanitizer` and no parser crate. Inflate, XML, ZIP, PDF and the pictures are read by our own
//! small and strict code, written from the specifications. A test walks the crate graph.
#![forbid(unsafe_code)]

mod bits;
mod crc32;
mod cursor;
pub mod dialects;
mod inflate;
mod prefix;
#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "tests")]
mod testing;
mod xml;
mod zip;

use model::{Format, Policy};

/// Why a file is not of our dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Byte offset, as near as the reader knows, in the file or the decoded layer named by `rule`.
    pub offset: u64,
    /// The rule that was broken, with its clause.
    pub rule: String,
}

impl Rejection {
    /// A rejection at `offset`.
    pub fn new(offset: usize, rule: impl Into<String>) -> Self {
        Self { offset: offset as u64, rule: rule.into() }
    }

    /// The same rejection, seen from the container: "in member a.png: …".
    #[must_use]
    pub fn inside(self, place: &str) -> Self {
        let rule = format!("in {place}: {}", self.rule);
        Self { rule, ..self }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not our dialect at byte {}: {}", self.offset, self.rule)
    }
}

impl std::error::Error for Rejection {}

/// What reading may cost: spent over a whole file and everything inside it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that inflating and decoding may still bring forth.
    pub bytes: u64,
    /// Containers in containers.
    pub depth: u8,
}

impl Limits {
    /// The policy's limits.
    #[must_use]
    pub const fn of(policy: &Policy) -> Self {
        Self { bytes: policy.limits.expanded_bytes, depth: policy.limits.depth }
    }

    /// Spends `n` decoded bytes.
    ///
    /// # Errors
    /// A rejection where fewer are left.
    pub fn spend(&mut self, n: usize) -> Result<(), Rejection> {
        self.bytes = self.bytes.checked_sub(n as u64).ok_or_else(|| Rejection::new(0, "expands past the limit"))?;
        Ok(())
    }
}

/// Accepts `bytes` as a whole file of our dialect of `format` under `policy`, or says where it is not.
///
/// # Errors
/// The first [`Rejection`]. A format without a dialect is one.
pub fn verify(bytes: &[u8], format: Format, policy: &Policy) -> Result<(), Rejection> {
    let mut limits = Limits::of(policy);
    // What we write expands no further than what we let a file of that size expand to.
    limits.bytes = limits.bytes.min(model::Budget::plausible(bytes.len() as u64));
    dialects::verify(bytes, format, policy, &mut limits)
}

/// Builds the tables that every job of a fresh process would build anew. Sees no input.
pub fn prepare() {
    dialects::prepare();
}

/// Whether there is a dialect for `format`.
#[must_use]
pub fn supports(format: Format) -> bool {
    dialects::dialect(format).is_some()
}
