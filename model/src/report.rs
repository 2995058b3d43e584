//! The report: one object a top-level input, as JSON lines. Its shape is a contract with other programs.

use crate::{Digest, Finding, Format, Method, Outcome, Reason};
use serde::{Deserialize, Serialize};

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportLine {
    /// Path relative to the folder that was given; bytes that are no UTF-8 as `%XX`.
    pub input: String,
    /// The name's raw bytes in base64, only where `input` had to be escaped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input_bytes: Option<String>,
    /// SHA-256 of the sealed copy; `null` where nothing could be read.
    pub sha256: Option<Digest>,
    /// Bytes read.
    pub size: u64,
    /// What the content is; `null` where no jail could say.
    pub format: Option<Format>,
    /// What became of it.
    pub verdict: Outcome,
    /// Why it was withheld; `null` where it was released.
    pub reason: Option<Reason>,
    /// What was released; `null` where it was withheld.
    pub output: Option<OutputRow>,
    /// What was met in it.
    pub findings: Vec<Finding>,
    /// Which engines looked at it.
    pub engines: Vec<EngineRow>,
    /// What a person should know of the station that judged it: signatures that are too old, a newer set that did not
    /// start.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
    /// Members of a container, in their order.
    pub children: Vec<Child>,
    /// Wall-clock milliseconds by step.
    pub ms: Timings,
    /// CPU milliseconds of the jails that worked on it.
    pub cpu_ms: f64,
    /// Highest resident memory of those jails, in bytes.
    pub peak_bytes: u64,
}

/// What was released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRow {
    /// Path relative to the outbox.
    pub path: String,
    /// SHA-256 of the released bytes, read back from the outbox.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
    /// What it is.
    pub format: Format,
    /// How it came about.
    pub method: Method,
}

/// A member of a container. Every member ends in exactly one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Child {
    /// Its name in the container, made safe.
    pub name: String,
    /// What it is.
    pub format: Format,
    /// What became of it.
    pub verdict: Outcome,
    /// Why it was withheld.
    pub reason: Option<Reason>,
    /// How it was rebuilt.
    pub method: Option<Method>,
    /// What was met in it.
    pub findings: Vec<Finding>,
    /// Members of its own.
    pub children: Vec<Child>,
}

/// What one engine answered about one input and everything exported from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineRow {
    /// Stable id: `yara`.
    pub engine: String,
    /// Version of the engine.
    pub version: String,
    /// Name or number of the rule set; empty where the engine tells none.
    #[serde(default)]
    pub rules_id: String,
    /// Digest of the rule set; empty where only the engine itself has it.
    pub rules: String,
    /// When the rule set was built (UTC, `YYYY-MM-DD`); empty where nobody can tell.
    pub rules_date: String,
    /// Worst answer.
    pub verdict: EngineVerdict,
    /// It was not there when the session began: its not scanning is recorded and withholds nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub absent: bool,
    /// Why it did not scan, where it did not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// Bytes that the engine says it has read, of the input.
    pub bytes: u64,
    /// Names of what it matched.
    pub matches: Vec<Match>,
    /// Wall-clock milliseconds.
    pub ms: f64,
}

/// A rule or list entry that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// Name of the rule or list.
    pub rule: String,
    /// What it matched: the input itself, an exported object, or the output.
    pub object: String,
    /// Whether it withholds the file, or only tells a person.
    pub malicious: bool,
    /// Whether it is no detection at all, only told: an entry of a known-good list, a fact of little weight.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub note: bool,
    /// What it means, in one sentence, where the engine tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// How sure the rule's author is, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<u8>,
    /// The rule's licence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub licence: Option<String>,
    /// Where the rule comes from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
}

/// An engine's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineVerdict {
    /// Looked at all bytes and found nothing.
    Clean,
    /// Found something that a person should see.
    Suspicious,
    /// Found something that must not pass.
    Malicious,
    /// Did not look at all bytes: never clean.
    NotScanned,
}

/// Wall-clock milliseconds by step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// Copy, hash and seal.
    pub intake: f64,
    /// Identification, inside the reconstruct jail.
    pub identify: f64,
    /// Engines on the input, the exported objects and the output.
    pub scan: f64,
    /// The reconstruct jail.
    pub reconstruct: f64,
    /// The verify jail.
    pub verify: f64,
    /// Writing to the outbox.
    pub release: f64,
}
