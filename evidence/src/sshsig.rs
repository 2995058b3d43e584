//! Signatures that `ssh-keygen -Y verify` checks (OpenSSH, PROTOCOL.sshsig), Ed25519 only.

use crate::key::{unarmoured, wrapped};
use crate::{EvidenceError, PublicKey, StationKey};
use sha2::{Digest as _, Sha512};

/// What a signature is for: one that was given for something else does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The sums of released files.
    Release,
    /// The sums of a session's receipt.
    Receipt,
    /// A person's word that a held file may leave the quarantine.
    Approval,
    /// What a station says of an original that it holds.
    Quarantine,
}

impl Purpose {
    /// The namespace, `-n` of `ssh-keygen -Y`.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Release => "sallyport-release",
            Self::Receipt => "sallyport-receipt",
            Self::Approval => "sallyport-approval",
            Self::Quarantine => "sallyport-quarantine",
        }
    }
}

const MAGIC: &[u8] = b"SSHSIG";
const LABEL: &str = "SSH SIGNATURE";
const ALGORITHM: &[u8] = b"ssh-ed25519";
const HASH: &[u8] = b"sha512";
const VERSION: u32 = 1;

/// The armoured signature over `message`.
#[must_use]
pub fn sign(key: &StationKey, purpose: Purpose, message: &[u8]) -> String {
    let signature = key.sign(&to_be_signed(purpose, message));
    let mut blob = MAGIC.to_vec();
    blob.extend(VERSION.to_be_bytes());
    string(&mut blob, &key_blob(&key.public()));
    string(&mut blob, purpose.namespace().as_bytes());
    string(&mut blob, b"");
    string(&mut blob, HASH);
    let mut inner = Vec::new();
    string(&mut inner, ALGORITHM);
    string(&mut inner, &signature);
    string(&mut blob, &inner);
    format!("-----BEGIN {LABEL}-----\n{}-----END {LABEL}-----\n", wrapped(&blob, 70))
}

/// Checks an armoured signature over `message` and says whose it is.
///
/// # Errors
/// [`EvidenceError`] where it has another form than [`sign`] writes, or does not hold.
pub fn verify(armoured: &str, purpose: Purpose, message: &[u8]) -> Result<PublicKey, EvidenceError> {
    let refuse = |rule: &str| EvidenceError::form("the SSH signature", rule);
    let blob = unarmoured(armoured, LABEL).ok_or_else(|| refuse("no armoured block"))?;
    let mut rest = blob.strip_prefix(MAGIC).ok_or_else(|| refuse("the preamble is missing"))?;
    let (version, after) = rest.split_first_chunk::<4>().ok_or_else(|| refuse("it ends early"))?;
    rest = after;
    if u32::from_be_bytes(*version) != VERSION {
        return Err(refuse("another version"));
    }
    let key = read_key_blob(take(&mut rest).ok_or_else(|| refuse("it ends early"))?)?;
    for (field, expected) in [("namespace", purpose.namespace().as_bytes()), ("reserved", b""), ("hash", HASH)] {
        if take(&mut rest) != Some(expected) {
            return Err(refuse(&format!("another {field}")));
        }
    }
    let mut inner = take(&mut rest).ok_or_else(|| refuse("it ends early"))?;
    let algorithm = take(&mut inner);
    let signature = take(&mut inner).and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    match (algorithm == Some(ALGORITHM), signature, inner.is_empty() && rest.is_empty()) {
        (true, Some(signature), true) if key.verifies(&to_be_signed(purpose, message), &signature) => Ok(key),
        (true, Some(_), true) => Err(EvidenceError::Signature { what: "the SSH signature" }),
        (true | false, Some(_) | None, true | false) => Err(refuse("no Ed25519 signature, or something after it")),
    }
}

fn to_be_signed(purpose: Purpose, message: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    string(&mut out, purpose.namespace().as_bytes());
    string(&mut out, b"");
    string(&mut out, HASH);
    string(&mut out, &Sha512::digest(message));
    out
}

/// A public key in SSH's wire form (RFC 8709, 4).
pub(crate) fn key_blob(key: &PublicKey) -> Vec<u8> {
    let mut blob = Vec::new();
    string(&mut blob, ALGORITHM);
    string(&mut blob, key.as_bytes());
    blob
}

pub(crate) fn read_key_blob(mut blob: &[u8]) -> Result<PublicKey, EvidenceError> {
    let refuse = || EvidenceError::form("a public key", "no Ed25519 key in SSH's form");
    let algorithm = take(&mut blob);
    let bytes = take(&mut blob).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or_else(refuse)?;
    if algorithm != Some(ALGORITHM) || !blob.is_empty() {
        return Err(refuse());
    }
    PublicKey::from_bytes(&bytes)
}

/// A string of RFC 4251, 5: its length in four bytes, then its bytes.
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

pub(crate) fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, after) = rest.split_first_chunk::<4>()?;
    let (bytes, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    *rest = after;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_names_its_key_and_no_changed_byte_is_taken() {
        let key = StationKey::from_seed(&[7; 32]);
        let armoured = sign(&key, Purpose::Release, b"sums");
        assert_eq!(verify(&armoured, Purpose::Release, b"sums"), Ok(key.public()));
        assert_eq!(
            verify(&armoured, Purpose::Release, b"Sums"),
            Err(EvidenceError::Signature { what: "the SSH signature" })
        );
        let blob = unarmoured(&armoured, LABEL).unwrap();
        let armour = |blob: &[u8]| format!("-----BEGIN {LABEL}-----\n{}-----END {LABEL}-----\n", wrapped(blob, 70));
        for at in 0..blob.len() {
            let mut bent = blob.clone();
            bent[at] ^= 1;
            // A changed key byte may name another key, under which the signature does not hold.
            assert!(verify(&armour(&bent), Purpose::Release, b"sums").is_err(), "byte {at}");
            assert!(verify(&armour(&blob[..at]), Purpose::Release, b"sums").is_err(), "cut at {at}");
        }
        assert!(verify(&armour(&[&blob[..], b"\0"].concat()), Purpose::Release, b"sums").is_err());
        for other in [Purpose::Receipt, Purpose::Approval] {
            assert!(verify(&armoured, other, b"sums").is_err(), "{other:?}");
        }
        assert!(verify("", Purpose::Release, b"sums").is_err());
    }
}
