//! The receipt of a session: what a person takes home, and what an auditor files. HTML for the screen, PDF for paper.
//!
//! Both are drawn from the same blocks ([`compose`]), so they say the same. Bytes in, bytes out: no file, no clock, and
//! the same session gives the same bytes. Names and reasons are foreign text: the HTML escapes them and forbids itself
//! every script and every fetch, the PDF draws them as glyphs and holds no action.
#![forbid(unsafe_code)]

mod compose;
mod html;
mod pdf;
mod qr;

pub use html::html;
pub use pdf::{PdfError, pdf};

use model::{Digest, ReportLine};

/// What is known of a session when it has ended.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Name of the station.
    pub station: String,
    /// Version of its software.
    pub software: String,
    /// The zone that the files are for.
    pub zone: String,
    /// SHA-256 of the policy.
    pub policy: Digest,
    /// The session's id.
    pub session: String,
    /// When it began and ended (RFC 3339, UTC).
    pub began: String,
    /// See `began`.
    pub ended: String,
    /// What is known of the clock, in words.
    pub clock: String,
    /// What a person would ask about the visit: label and value, in order.
    pub visit: Vec<(String, String)>,
    /// Whom to ask about what was held.
    pub contact: Option<String>,
    /// Who looked.
    pub engines: Vec<Engine>,
    /// The session's report, in the inputs' order.
    pub lines: Vec<ReportLine>,
    /// The manifest; `None` where nothing was released.
    pub manifest: Option<Manifest>,
    /// The signed checkpoint over the journal, as text.
    pub checkpoint: String,
    /// Whether the session was cut off and ended afterwards.
    pub interrupted: bool,
}

/// An engine that looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Its id and version.
    pub name: String,
    /// The date of its rules, and how old they were; what there is to say.
    pub rules: String,
}

/// Where the proof of the release lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its folder below the share.
    pub folder: String,
    /// Its number among all of this station.
    pub sequence: u64,
    /// SHA-256 of the statement.
    pub statement: Digest,
    /// The SSH signature over the sums, armoured.
    pub signature: String,
}

#[cfg(test)]
mod tests;
