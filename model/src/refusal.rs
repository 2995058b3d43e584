//! Why a reconstructor did not rebuild a file.

use crate::{LimitKind, Outcome, Reason, ReasonCode};
use std::borrow::Cow;

/// Why something encrypted was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locked {
    /// Nobody handed a password over.
    NoPassword,
    /// None of the passwords opens it.
    NoneFits {
        /// How many were tried.
        tried: usize,
    },
    /// It is encrypted in a way that is not read here.
    Method {
        /// The way, in words.
        what: Cow<'static, str>,
    },
    /// Policy says so, whoever has a password.
    Forbidden,
    /// Trying a password takes more rounds of hashing than the policy allows one input.
    TooCostly {
        /// The rounds of one password.
        asked: u64,
        /// The rounds that were left.
        allowed: u64,
    },
}

impl Locked {
    /// A way of encryption that is not read here.
    #[must_use]
    pub const fn method(what: &'static str) -> Self {
        Self::Method { what: Cow::Borrowed(what) }
    }

    /// What to say where `tried` passwords did not open it.
    #[must_use]
    pub const fn after(tried: usize) -> Self {
        if tried == 0 { Self::NoPassword } else { Self::NoneFits { tried } }
    }
}

/// A refusal says *whose* fault it is: the file's, ours, the budget's. Every one means that nothing is released.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The file breaks its own format. `rule` cites the clause: "PNG 5.6: IHDR shall be first".
    Malformed {
        /// Byte offset in the file or part, as near as the parser knows.
        offset: u64,
        /// The rule that was broken.
        rule: Cow<'static, str>,
    },
    /// Legal, but we do not rebuild it.
    Unsupported {
        /// The feature in words.
        feature: Cow<'static, str>,
    },
    /// There is no reconstructor for this format, or none for what the bytes are.
    NoReconstructor {
        /// The format in words.
        format: &'static str,
    },
    /// Executables, scripts, shortcuts, installers, disk images: never rebuilt, by the name of what they are.
    BlockedType {
        /// The type in words.
        what: &'static str,
    },
    /// Content that no rule recognises.
    UnknownType,
    /// Name and content are of different risk classes (GEN-01).
    TypeMismatch {
        /// What the content is.
        content: &'static str,
        /// What the name promises.
        name: &'static str,
    },
    /// Password-protected or encrypted, and nobody here can look inside.
    Encrypted(Locked),
    /// Two types in one file, and it is not clear which one a reader would take.
    Ambiguous {
        /// What else the file is.
        what: Cow<'static, str>,
    },
    /// Policy says no.
    Policy {
        /// The key and value of the policy that said so.
        rule: Cow<'static, str>,
    },
    /// The file asked for more than the policy allows.
    Limit {
        /// Which limit.
        limit: LimitKind,
        /// What the file asked for.
        asked: u64,
        /// What was left.
        allowed: u64,
    },
    /// Our mistake. The file is withheld and the report asks for a sample.
    Internal {
        /// The place in the code.
        place: Cow<'static, str>,
    },
}

impl Refusal {
    /// A broken rule at `offset`.
    pub fn malformed(offset: u64, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed { offset, rule: rule.into() }
    }

    /// A legal feature that we do not rebuild.
    pub fn unsupported(feature: impl Into<Cow<'static, str>>) -> Self {
        Self::Unsupported { feature: feature.into() }
    }

    /// Our own mistake at `place`.
    pub fn internal(place: impl Into<Cow<'static, str>>) -> Self {
        Self::Internal { place: place.into() }
    }

    /// The outcome and the reason that a report gives for this refusal.
    #[must_use]
    pub fn reason(&self) -> (Outcome, Reason) {
        let (outcome, code) = match self {
            Self::Malformed { .. } => (Outcome::Blocked, ReasonCode::Malformed),
            Self::Unsupported { .. } => (Outcome::Blocked, ReasonCode::UnsupportedFeature),
            Self::NoReconstructor { .. } => (Outcome::Blocked, ReasonCode::NoReconstructor),
            Self::BlockedType { .. } => (Outcome::Blocked, ReasonCode::BlockedType),
            Self::UnknownType => (Outcome::Blocked, ReasonCode::UnknownType),
            Self::TypeMismatch { .. } => (Outcome::Blocked, ReasonCode::TypeMismatch),
            Self::Encrypted(_) => (Outcome::Blocked, ReasonCode::Encrypted),
            Self::Ambiguous { .. } => (Outcome::Blocked, ReasonCode::Ambiguous),
            Self::Policy { .. } => (Outcome::Blocked, ReasonCode::Policy),
            Self::Limit { .. } => (Outcome::Failed, ReasonCode::Limit),
            Self::Internal { .. } => (Outcome::Failed, ReasonCode::Internal),
        };
        (outcome, Reason::new(code, &self.to_string()))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed { offset, rule } => write!(f, "malformed at byte {offset}: {rule}"),
            Self::Unsupported { feature } => write!(f, "not rebuilt: {feature}"),
            Self::NoReconstructor { format } => write!(f, "no reconstructor for {format}"),
            Self::BlockedType { what } => write!(f, "{what} may not pass"),
            Self::UnknownType => f.write_str("nobody here knows what this file is"),
            Self::TypeMismatch { content, name } => write!(f, "the name says {name}, the content is {content}"),
            Self::Encrypted(locked) => locked.fmt(f),
            Self::Ambiguous { what } => write!(f, "the file is two things at once: also {what}"),
            Self::Policy { rule } => write!(f, "the policy forbids it: {rule}"),
            Self::Limit { limit, asked, allowed } => write!(f, "{limit} limit: {asked} asked, {allowed} allowed"),
            Self::Internal { place } => write!(f, "internal error in {place}: please send the file to the maintainers"),
        }
    }
}

impl std::fmt::Display for Locked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoPassword => f.write_str(
                "encrypted or password-protected, and no password was handed over: give the password, or bring it \
                 without one",
            ),
            Self::NoneFits { tried } => write!(
                f,
                "encrypted or password-protected, and no password fits ({tried} tried): ask the sender for the right \
                 one, or bring it without one"
            ),
            Self::Method { what } => write!(
                f,
                "encrypted in a way that is not opened here ({what}), whatever the password: bring it without encryption"
            ),
            Self::Forbidden => f.write_str(
                "encrypted or password-protected, which the policy forbids (passwords: encrypted): bring it without",
            ),
            Self::TooCostly { asked, allowed } => write!(
                f,
                "encrypted, and trying a password takes {asked} rounds of hashing where {allowed} are left \
                 (limits: key_iterations): bring it without a password"
            ),
        }
    }
}

impl std::error::Error for Refusal {}
