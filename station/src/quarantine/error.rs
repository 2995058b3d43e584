//! Why the quarantine does not do what it was asked.

use super::Refusal;
use std::path::PathBuf;

/// What stops an act on the quarantine. Withheld files stay withheld in every case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuarantineError {
    /// A file or folder of it cannot be read or written.
    #[error("the quarantine {path} cannot be used: {source}; check the disk it lies on")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What cannot be recorded is not done.
    #[error("the quarantine does nothing that cannot be recorded: {0}")]
    Journal(String),
    /// The policy's part about the quarantine makes no sense, or does not allow this.
    #[error("{0}")]
    Policy(String),
    /// The caller named something that is not there, or that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// An item is not what the station has put there.
    #[error("the item {item} is damaged: {what}; it is not opened, keep it for the investigation")]
    Damaged {
        /// Its id.
        item: String,
        /// What is wrong.
        what: String,
    },
    /// Nobody, or not everybody, has agreed.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
}

impl QuarantineError {
    /// The exit status of the table in the command line's contract.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Damaged { .. } => 1,
            Self::Policy(_) | Self::Usage(_) => 2,
            Self::Io { .. } | Self::Journal(_) => 3,
        }
    }
}
