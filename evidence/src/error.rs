//! Why evidence is refused.

/// What is wrong with a manifest, a signature, a list of sums or a checkpoint. No kind is better than another: what is
/// refused proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// It does not have its form.
    #[error("{what} is malformed: {rule}")]
    Form {
        /// Which document.
        what: &'static str,
        /// The rule it breaks.
        rule: String,
    },
    /// The signature is not by the key that was asked for, or not over these bytes.
    #[error("the signature of {what} does not hold")]
    Signature {
        /// Which document.
        what: &'static str,
    },
    /// Nobody whom the reader trusts has signed it.
    #[error("{what} is signed by {by}, which is not trusted here")]
    Untrusted {
        /// Which document.
        what: &'static str,
        /// Id of the key, or `nobody`.
        by: String,
    },
}

impl EvidenceError {
    pub(crate) fn form(what: &'static str, rule: impl Into<String>) -> Self {
        Self::Form { what, rule: rule.into() }
    }
}
