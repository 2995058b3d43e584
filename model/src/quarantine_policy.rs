//! The part of a policy that speaks of the quarantine: for whom originals are kept, how long, and who may ask for one.

use crate::policy::{days, size};
use serde::{Deserialize, Serialize};

/// For whom originals of withheld files are kept, how long, and how many persons let one out again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuarantinePolicy {
    /// age recipients (`age1…`) of the security team: who can open an original. The station cannot.
    pub recipients: Vec<String>,
    /// What happens where no recipient is named.
    pub without_recipients: WithoutRecipients,
    /// Days after which an original may be purged.
    #[serde(deserialize_with = "days")]
    pub retention: u32,
    /// Days before which an original never goes to make room for another.
    #[serde(deserialize_with = "days")]
    pub at_least: u32,
    /// Bytes that all originals together may take, encrypted.
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// What happens to an original that finds no room.
    pub full: Full,
    /// How many of `approvers` must approve before a rebuilt copy leaves: 1 or 2. An original as it is always takes 2.
    pub approvals: u8,
    /// Hours after which a request has expired.
    pub request_hours: u32,
    /// Who may approve.
    pub approvers: Vec<Approver>,
}

impl Default for QuarantinePolicy {
    fn default() -> Self {
        Self {
            recipients: Vec::new(),
            without_recipients: WithoutRecipients::StationKey,
            retention: 90,
            at_least: 7,
            size: 20 << 30,
            full: Full::Withhold,
            approvals: 2,
            request_hours: 72,
            approvers: Vec::new(),
        }
    }
}

/// What happens where a quarantine is asked for and no recipient is named. Nothing is ever kept in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutRecipients {
    /// Originals are encrypted to a key that the station makes and keeps: nothing is lost, but whoever owns the station
    /// can open them. Each run warns of it, each item says it.
    StationKey,
    /// No run begins.
    Refuse,
}

/// What happens to an original that finds no room. The file is withheld in any case, and the record says what was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Full {
    /// Its original is not kept; the run goes on.
    Withhold,
    /// Its original is not kept; nothing more is taken in.
    Stop,
}

/// A person who may approve releases from the quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// Name, as `--as` gives it.
    pub name: String,
    /// Ed25519 public key as `ssh-keygen` writes it: `ssh-ed25519 AAAA…`.
    pub key: String,
}
