//! What stops a run before or while it goes: each says what to do next.

use std::path::PathBuf;

/// Why a station cannot run at all. Withheld files are no error: they are lines of the report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StationError {
    /// An input that was named does not exist or cannot be looked at.
    #[error("input {path} cannot be opened: {source}; check the path and plug the stick in again")]
    Input {
        /// The input as it was named.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A medium could not be listed.
    #[error("the medium {path} cannot be read: {why}; nothing of it was taken in")]
    Medium {
        /// The device or image.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The outbox lies inside an input, or an input inside the outbox: cleaned files would be taken in again.
    #[error("the outbox {outbox} and the input {input} lie inside each other; choose an outbox elsewhere")]
    OutboxInsideInput {
        /// The outbox.
        outbox: PathBuf,
        /// The input.
        input: PathBuf,
    },
    /// The policy does not say what it should.
    #[error("the policy {path} cannot be used: {message}")]
    Policy {
        /// The file.
        path: PathBuf,
        /// Key and place, from the TOML reader.
        message: String,
    },
    /// The file of passwords cannot be used.
    #[error("the passwords in {path} cannot be used: {message}")]
    Passwords {
        /// The file.
        path: PathBuf,
        /// Why; never a password.
        message: String,
    },
    /// The policy asks for an engine that this station does not have.
    #[error("the policy requires the engine {engine:?}, which this station does not have; known: {known}")]
    UnknownEngine {
        /// As the policy names it.
        engine: String,
        /// What there is.
        known: String,
    },
    /// The policy's part about engines makes no sense.
    #[error("the policy cannot be used: {0}")]
    EnginePolicy(String),
    /// Policy says `stale = "stop"` and the rules are too old.
    #[error("the rules of {engine} are {age_days} days old, the policy allows {allowed_days}; update them first")]
    Stale {
        /// Which engine.
        engine: String,
        /// How old.
        age_days: u64,
        /// How old they may be.
        allowed_days: u32,
    },
    /// The outbox cannot be written.
    #[error("{path}: {message}")]
    Outbox {
        /// The folder.
        path: PathBuf,
        /// What went wrong, and what to do.
        message: String,
    },
    /// The report, quarantine or spool cannot be written.
    #[error("{what} {path} cannot be written: {source}; choose another place")]
    Place {
        /// Which one.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The journal cannot be read or written: what cannot be recorded is not released.
    #[error("{0}")]
    Journal(String),
    /// The sums of a session do not add up; it stays open.
    #[error("the session {session} cannot be closed: no outcome is recorded for {}; run `sallyport audit verify`", .missing.join(", "))]
    Conservation {
        /// Its id.
        session: String,
        /// Inputs without an outcome.
        missing: Vec<String>,
    },
    /// The receipt of a session that ended well cannot be drawn.
    #[error("session {session} ended and is recorded, but {message}")]
    Receipt {
        /// Its id.
        session: String,
        /// Why.
        message: String,
    },
    /// The quarantine.
    #[error(transparent)]
    Quarantine(#[from] crate::quarantine::QuarantineError),
    /// The share failed while files were given their names; the session stays open until somebody has looked.
    #[error(
        "the session {session} stays open: whether {} lie on the share is not known; the next start looks there and \
         ends it",
        .files.join(", ")
    )]
    Undecided {
        /// Its id.
        session: String,
        /// Inputs whose files may lie there.
        files: Vec<String>,
    },
    /// A jail cannot start: without one nothing is opened.
    #[error("the sandbox does not start, so no file was opened: {0}")]
    Jail(String),
    /// A canary was missed: the lane does not see what it must see, so nothing may pass it.
    #[error(
        "out of service, no file was opened: the canary {canary}; run `sallyport doctor` and call the station's keeper"
    )]
    OutOfService {
        /// Its name, and what became of it.
        canary: String,
    },
    /// The signature store.
    #[error("signatures: {0}")]
    Store(#[from] signatures::store::StoreError),
    /// Policy says `stale = "stop"`, and the set in force should not be any more.
    #[error("the signatures in force should not be any more: {0}")]
    Trouble(String),
    /// An engine cannot start.
    #[error("the engine {engine} does not start: {message}")]
    Engine {
        /// Which engine.
        engine: String,
        /// Why.
        message: String,
    },
}

impl StationError {
    /// The share at `path` refused; `error` is what it says.
    pub fn outbox(path: impl Into<PathBuf>, error: &dyn std::fmt::Display) -> Self {
        Self::Outbox { path: path.into(), message: error.to_string() }
    }

    /// The exit status of the table in the command line's contract.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Input { .. }
            | Self::OutboxInsideInput { .. }
            | Self::Policy { .. }
            | Self::Passwords { .. }
            | Self::UnknownEngine { .. }
            | Self::EnginePolicy(_) => 2,
            Self::Stale { .. } | Self::Trouble(_) | Self::Medium { .. } => 1,
            Self::Store(error) => error.exit_status(),
            Self::Quarantine(error) => error.exit_status(),
            Self::Outbox { .. }
            | Self::Place { .. }
            | Self::Jail(_)
            | Self::Journal(_)
            | Self::Conservation { .. }
            | Self::Receipt { .. }
            | Self::Undecided { .. }
            | Self::OutOfService { .. }
            | Self::Engine { .. } => 3,
        }
    }
}
