//! What stops a journal.

use std::path::PathBuf;

/// Why the journal cannot be used. Release stops then (IEC 62443-3-3 SR 2.10): what cannot be recorded may not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The database refuses.
    #[error("the journal cannot be written: {0}; check the disk it lies on")]
    Database(#[from] rusqlite::Error),
    /// A file beside it cannot be read or written.
    #[error("{path} cannot be written: {source}; check the disk it lies on")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The database is not one of ours, or damaged.
    #[error(
        "the journal {path} is damaged: {what}; keep it for the investigation and let `sallyport audit verify` say more"
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Another thread failed while it held the journal.
    #[error("the journal was lost in an earlier failure; start the station again")]
    Lost,
}
