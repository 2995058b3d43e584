//! The part of a policy that speaks of engines: which must look, how old their rules may be, and how engines outside the
//! jails are reached.

use crate::policy::{days, size};
use serde::{Deserialize, Serialize};

/// Engines that policy insists on, the age their rules may have, and how those outside the jails are reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnginePolicy {
    /// Ids of engines without which nothing is released.
    pub required: Vec<String>,
    /// How many engines must have looked at each object, whichever they are.
    pub quorum: u32,
    /// Age of the rules at which `stale` takes effect, in days.
    #[serde(deserialize_with = "days")]
    pub max_rule_age: u32,
    /// What happens with rules older than that.
    pub stale: Stale,
    /// ClamAV's daemon.
    pub clamd: ClamdPolicy,
    /// Command-line scanners of the site.
    pub external: Vec<ExternalPolicy>,
}

impl Default for EnginePolicy {
    fn default() -> Self {
        Self {
            required: vec!["yara".into(), "hashes".into()],
            quorum: 1,
            max_rule_age: 30,
            stale: Stale::Warn,
            clamd: ClamdPolicy::default(),
            external: Vec::new(),
        }
    }
}

/// What to do when rules are older than the policy allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stale {
    /// Say so in the report.
    Warn,
    /// Withhold every file.
    Hold,
    /// Refuse to start.
    Stop,
}

/// ClamAV's daemon on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClamdPolicy {
    /// Whether it is asked.
    pub mode: ClamdMode,
    /// Its Unix socket; where none is named, that of its configuration, else Debian's.
    pub socket: Option<String>,
    /// Its configuration: says what its limits are. Where it can't be read, the smallest defaults count.
    pub config: String,
    /// Objects that it may look at side by side.
    pub parallel: u32,
}

impl Default for ClamdPolicy {
    fn default() -> Self {
        Self { mode: ClamdMode::Auto, socket: None, config: "/etc/clamav/clamd.conf".into(), parallel: 4 }
    }
}

/// Whether clamd is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClamdMode {
    /// Where it runs; else the report says that it was absent.
    Auto,
    /// Never, and no report speaks of it.
    Off,
}

/// A command-line scanner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalPolicy {
    /// Its name in reports and in `required`: lower-case letters, digits, hyphens.
    pub name: String,
    /// Absolute path of the program.
    pub path: String,
    /// Its arguments; `{file}` stands for the object's path and must be there.
    pub args: Vec<String>,
    /// Exit statuses that mean: looked at all of it and found nothing.
    pub clean: Vec<u8>,
    /// Exit statuses that mean: found something that must not pass.
    #[serde(default)]
    pub malicious: Vec<u8>,
    /// Exit statuses that mean: found something that a person should see.
    #[serde(default)]
    pub suspicious: Vec<u8>,
    /// Texts that its output must have for a clean answer to count.
    #[serde(default)]
    pub clean_output: Vec<String>,
    /// Texts that make the answer malicious, whatever the exit status.
    #[serde(default)]
    pub malicious_output: Vec<String>,
    /// How its output names what it found: one line, with `{name}` between what stands before and after.
    #[serde(default)]
    pub detection: Option<String>,
    /// Arguments that make it say its version; the first line of the output is shown.
    #[serde(default)]
    pub version: Vec<String>,
    /// How what it says with `version` names the day of its rules: what stands before and after `{date}` on its line.
    #[serde(default)]
    pub rules_date: Option<String>,
    /// A file, or a folder of files, that it keeps its rules in: the newest was written on the day of its rules.
    #[serde(default)]
    pub rules_file: Option<String>,
    /// Seconds that it may take for one object.
    #[serde(default = "sixty")]
    pub seconds: u32,
    /// Objects that it may look at side by side.
    #[serde(default = "two")]
    pub parallel: u32,
    /// Data memory of one process.
    #[serde(default = "two_gib", deserialize_with = "size")]
    pub memory_bytes: u64,
    /// How it gets the object.
    #[serde(default)]
    pub file: FileAs,
}

/// How a command-line scanner gets the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileAs {
    /// As a path below `/proc/self/fd`: nothing is written.
    #[default]
    Descriptor,
    /// As a file in a private folder, for scanners that want a real path.
    Copy,
}

const fn sixty() -> u32 {
    60
}

const fn two() -> u32 {
    2
}

const fn two_gib() -> u64 {
    2 << 30
}
