//! The two tokens without which nothing leaves, and the one function that takes them.
//!
//! `Verified` is minted from the one-shot answer of a verify jail that the station started for this output; `CleanScan`
//! from the answers of all engines about it. Both are minted in one function each, both name the digest of the sealed
//! bytes, and neither has another constructor:
//!
//! ```compile_fail
//! let forged = station::CleanScan { digest: model::Digest::new([0; 32]) };
//! ```
//! ```compile_fail
//! fn forge(file: jail::Sealed) -> station::Verified {
//!     station::Verified { digest: model::Digest::new([0; 32]), file }
//! }
//! ```
//! ```compile_fail
//! fn without_a_scan(file: station::Verified, outbox: &station::Outbox) {
//!     let _ = station::release(file, outbox, &[], &mut |_| String::new());
//! }
//! ```

use crate::outbox::{Outbox, OutboxError, Placed};
use crate::scan::Scanned;
use jail::Sealed;
use model::Digest;

/// The sealed output with this digest passed the verifier.
#[must_use]
#[derive(Debug)]
pub struct Verified {
    digest: Digest,
    file: Sealed,
}

/// All engines that had to look at the bytes with this digest did, and none calls them malicious.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanScan {
    digest: Digest,
}

impl Verified {
    /// The one place that mints it. `accepted` is what the verify jail answered about exactly this `file`; the digest
    /// was taken by the station after the file had been sealed.
    pub(crate) fn mint(accepted: crate::roles::Accepted, digest: Digest, file: Sealed) -> Self {
        let crate::roles::Accepted(()) = accepted;
        Self { digest, file }
    }

    /// SHA-256 of the sealed bytes.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The sealed bytes.
    #[must_use]
    pub const fn file(&self) -> &Sealed {
        &self.file
    }
}

impl CleanScan {
    /// The one place that mints it.
    pub(crate) fn mint(digest: Digest, scanned: &Scanned) -> Option<Self> {
        let clean = scanned.not_scanned.is_empty() && !scanned.is_malicious();
        clean.then_some(Self { digest })
    }
}

/// Two persons have approved that the bytes with this digest leave the quarantine as they came in.
#[derive(Debug)]
pub(crate) struct Consent {
    digest: Digest,
}

impl Consent {
    /// The one place that mints it: from a request whose signatures were just checked.
    pub(crate) fn mint(granted: &crate::quarantine::Granted) -> Option<Self> {
        granted.of_original().map(|digest| Self { digest })
    }
}

/// Writes an original into the outbox: the one way past the second reader. It takes the consent of two persons and a
/// clean scan of the same bytes.
///
/// # Errors
/// As [`release`].
pub(crate) fn release_original(
    file: &Sealed,
    scan: CleanScan,
    consent: &Consent,
    outbox: &Outbox,
    folders: &[String],
    next_name: &mut dyn FnMut(u32) -> (String, u32),
    intent: &mut dyn FnMut(&str) -> std::io::Result<()>,
) -> Result<Placed, OutboxError> {
    if scan.digest != consent.digest {
        return Err(OutboxError::TokenMismatch);
    }
    outbox.place(file, scan.digest, folders, next_name, intent)
}

/// Writes a verified and scanned file into the outbox. `next_name` gives the file's name, and another one where a
/// different file of that name lies there already.
///
/// # Errors
/// [`OutboxError::TokenMismatch`] where the two tokens speak of different bytes; else what the outbox says.
pub fn release(
    file: &Verified,
    scan: CleanScan,
    outbox: &Outbox,
    folders: &[String],
    next_name: &mut dyn FnMut(u32) -> (String, u32),
    intent: &mut dyn FnMut(&str) -> std::io::Result<()>,
) -> Result<Placed, OutboxError> {
    if file.digest != scan.digest {
        return Err(OutboxError::TokenMismatch);
    }
    outbox.place(&file.file, file.digest, folders, next_name, intent)
}
