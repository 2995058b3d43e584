//! PDF: ISO 32000-1 in the small dialect of `docs/formats/pdf.md`.
//!
//! First the file's frame (`file`): every byte belongs to an object of canonical text, the cross-reference table or the
//! trailer. Then the graph from the catalogue on (`graph`), each object against the closed list of keys of the one type
//! that its slot has; an object that is reached as two types, or not at all, is rejected. Streams are decoded and read
//! by what they are: pictures by their size, content by a closed list of operators, fonts by their tables.

mod calculator;
mod cmap;
mod colour;
mod content;
mod document;
mod file;
mod font;
mod graph;
mod paint;
mod program;
mod value;

use crate::{Limits, Rejection};
use model::{Format, Policy};

/// A PDF of our dialect.
pub fn verify(bytes: &[u8], _format: Format, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let file = file::File::read(bytes, limits)?;
    graph::Graph::new(file, policy, limits).walk()
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "tests")]
mod tests;
