//! Untrusted bytes in, new bytes and findings out.
//!
//! One door: [`clean`]. It identifies the bytes, asks the policy, and hands them to the reconstructor that the
//! registry has for their format. A container asks its [`Cx`] to clean each member through the same door, under the
//! same budget.
//!
//! Invariant: this crate opens no file, asks no clock, starts no thread and has no `unsafe`. It runs inside a jail and
//! must not need anything but its input.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::wildcard_enum_match_arm,
        reason = "tests compute on values of their own"
    )
)]

mod cx;
pub mod facts;
pub mod formats;
mod identify;
pub mod ole;
mod registry;
mod switches;
mod unlock;
pub mod zip_read;
pub mod zip_write;

pub use cx::{Cx, Host, Quiet};
pub use identify::{Identity, identify};
pub use registry::{RECONSTRUCTORS, reconstructor};
pub use unlock::{Password, PasswordError, Passwords};

use model::{Child, Format, Method, Outcome, Policy, Refusal, Untrusted};

/// Rebuilds one family of formats from the parts that policy allows.
///
/// An implementation parses the input into its own types, drops what those types cannot express, names each thing it
/// dropped as a finding, and writes a new file from its types alone. It copies no span of the input that it has not
/// parsed, does no I/O, and gives the same bytes for the same input and policy. It spends `cx.budget` before it
/// allocates and never panics on purpose.
pub trait Reconstructor: Sync {
    /// The formats that it takes.
    fn formats(&self) -> &'static [Format];

    /// Parses `input` and writes it anew. `format` is one of [`Reconstructor::formats`], found by content.
    ///
    /// # Errors
    /// A [`Refusal`] that says whose fault it is; nothing is released then.
    fn reconstruct(&self, input: Untrusted<'_>, format: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal>;
}

/// A new file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it is: the verifier's dialect, and where its extension comes from.
    pub format: Format,
    /// How it came about.
    pub method: Method,
}

impl Rebuilt {
    /// A file written anew in `format`.
    #[must_use]
    pub const fn new(bytes: Vec<u8>, format: Format) -> Self {
        Self { bytes, format, method: Method::Rebuilt }
    }
}

/// What became of one input, top level or member.
#[derive(Clone, Debug)]
pub struct Cleaned {
    /// What the content is.
    pub format: Format,
    /// The new file, or why there is none.
    pub result: Result<Rebuilt, Refusal>,
    /// What was met.
    pub findings: Vec<model::Finding>,
    /// Members of a container, in their order.
    pub children: Vec<Child>,
}

impl Cleaned {
    /// This input as a member of a container, for the report.
    #[must_use]
    pub fn child(&self, name: &str) -> Child {
        let (verdict, reason, method) = match &self.result {
            Ok(rebuilt) => (Outcome::Released, None, Some(rebuilt.method)),
            Err(refusal) => {
                let (outcome, reason) = refusal.reason();
                (outcome, Some(reason), None)
            }
        };
        let name = name.chars().filter(|c| !c.is_control()).take(255).collect();
        let (findings, children) = (self.findings.clone(), self.children.clone());
        Child { name, format: self.format, verdict, reason, method, findings, children }
    }
}

/// Builds the tables that every job of a fresh process would build anew. Sees no input.
pub fn prepare() {
    std::sync::LazyLock::force(&model::VECTORS);
    formats::ooxml::prepare();
}

/// Cleans one top-level input. `name` is only compared with the content (GEN-01) and never opened.
#[must_use]
pub fn clean(name: &str, input: Untrusted<'_>, policy: &Policy, host: &mut dyn Host) -> Cleaned {
    cx::Cx::top(policy, host, |cx| cx.clean(name, input))
}

/// Whether a refusal of a member may be answered with a tombstone, or must withhold the whole container: a budget
/// that is spent is spent for all, and our own mistake is nothing to build on.
#[must_use]
pub const fn spoils_the_container(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Limit { .. } | Refusal::Internal { .. })
}
