//! Outcomes, reasons and methods: the words of the report.

use serde::{Deserialize, Serialize};

/// What became of an input. Withheld means blocked or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A rebuilt, verified and scanned file lies in the outbox.
    Released,
    /// Judged, and refused.
    Blocked,
    /// Could not be judged: crash, time-out, limit, unreadable.
    Failed,
}

/// How an output came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Parsed into our types and written anew in the same format.
    Rebuilt,
    /// Drawn to pixels and written from them.
    Flattened,
    /// Written anew in another format.
    Converted,
    /// The verifier accepted the input in full as our own dialect: released as it is (the fixed point).
    Passed,
    /// Left the quarantine as it came in, with the consent of two persons.
    Original,
}

/// Stable codes of [`Reason`]. Programs match on these; people read the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// Content and format disagree.
    Malformed,
    /// Legal, but not rebuilt.
    UnsupportedFeature,
    /// No reconstructor for this format.
    NoReconstructor,
    /// Executable, script, shortcut, installer, disk image.
    BlockedType,
    /// Content that no rule recognises.
    UnknownType,
    /// Password-protected.
    Encrypted,
    /// Polyglot.
    Ambiguous,
    /// The declared type and the content are of different risk classes (GEN-01).
    TypeMismatch,
    /// A key of the policy says no.
    Policy,
    /// An engine found something.
    Detection,
    /// A required or healthy engine did not scan all bytes.
    NotScanned,
    /// The second reader refused the rebuilt file: an alarm, since the reconstructor was fooled.
    VerifierRejected,
    /// The policy's limits were spent.
    Limit,
    /// The wall clock ran out.
    TimeOut,
    /// The jail died.
    Crash,
    /// The jail was stopped for its memory.
    Memory,
    /// The jail broke the protocol.
    Protocol,
    /// The input could not be read.
    Unreadable,
    /// The input changed while it was read.
    Changed,
    /// A symbolic link: never followed.
    SymbolicLink,
    /// A socket, device or pipe.
    SpecialFile,
    /// Our own mistake.
    Internal,
    /// The station could not do its part: outbox, disk, jail.
    Station,
    /// The run was interrupted before this file was judged.
    Interrupted,
    /// The share failed while the file was given its name: the next start looks whether it lies there.
    Undecided,
}

/// Why an input was withheld.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// For programs.
    pub code: ReasonCode,
    /// For people; one line, capped.
    pub text: String,
}

impl Reason {
    /// Ours: one line on a screen or in a log.
    const TEXT_CHARS: usize = 300;

    /// A reason with its text; control characters go, and so does what is over the cap.
    #[must_use]
    pub fn new(code: ReasonCode, text: &str) -> Self {
        Self { code, text: text.chars().filter(|c| !c.is_control()).take(Self::TEXT_CHARS).collect() }
    }
}
