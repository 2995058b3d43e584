//! The words that every room of the project shares: formats, outcomes, findings, policy, limits and the report.
//!
//! This crate does no I/O and knows no file format beyond its name. Everything here is a plain value, so that a
//! jail, the station and a face (command line, kiosk, gateway) mean the same thing by the same word.
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

mod budget;
mod digest;
mod engine_policy;
mod export;
mod fact;
mod finding;
mod format;
mod names;
mod outcome;
mod policy;
mod quarantine_policy;
mod refusal;
mod report;
mod share_policy;
mod shown;
pub mod time;
mod untrusted;
mod vectors;

pub use budget::{Budget, LimitKind};
pub use digest::Digest;
pub use engine_policy::{ClamdMode, ClamdPolicy, EnginePolicy, ExternalPolicy, FileAs, Stale};
pub use export::ExportKind;
pub use fact::{Fact, Facts, Sighting};
pub use finding::{Finding, FindingAction, Findings};
pub use format::{Format, RiskClass};
pub use names::{SafeName, safe_component, safe_extension};
pub use outcome::{Method, Outcome, Reason, ReasonCode};
pub use policy::{
    Comments, Encrypted, EvidencePolicy, Forms, Hidden, Limits, Links, Macros, Metadata, Mismatch, NamePolicy,
    NoneFits, Office, PasswordPolicy, PdfPolicy, Picture, Policy, Rule, RuleAction, TextPolicy, Tracked,
    WithheldMember, ZipPolicy,
};
pub use quarantine_policy::{Approver, Full, QuarantinePolicy, WithoutRecipients};
pub use refusal::{Locked, Refusal};
pub use report::{Child, EngineRow, EngineVerdict, Match, OutputRow, ReportLine, Timings};
pub use share_policy::SharePolicy;
pub use shown::shown;
pub use untrusted::Untrusted;
pub use vectors::{VECTORS, Vector, vector};
