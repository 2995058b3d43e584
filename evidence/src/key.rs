//! The station's key: Ed25519 (RFC 8032), in the forms that `openssl` and `ssh-keygen` read.

use crate::EvidenceError;
use crate::sshsig::Purpose;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// DER in front of a seed in PKCS #8 (RFC 8410, 7): version 0, `id-Ed25519`, an octet string in an octet string.
const PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
/// DER in front of a public key in SubjectPublicKeyInfo (RFC 8410, 4).
const SPKI: [u8; 12] = *b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";
const OPENSSH: &str = "OPENSSH PRIVATE KEY";
/// OpenSSH, PROTOCOL.key.
const OPENSSH_MAGIC: &[u8] = b"openssh-key-v1\0";

/// Signs for one station.
pub struct StationKey(SigningKey);

impl std::fmt::Debug for StationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StationKey({})", self.public().id())
    }
}

impl StationKey {
    /// The key of 32 random bytes; whoever calls brings the chance.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads the PKCS #8 form that [`StationKey::to_pem`] and `openssl genpkey -algorithm ed25519` write.
    ///
    /// # Errors
    /// [`EvidenceError::Form`] on everything else.
    pub fn from_pem(text: &str) -> Result<Self, EvidenceError> {
        let refuse = |rule: &str| EvidenceError::form("the station's key", rule);
        let der = unarmoured(text, PRIVATE).ok_or_else(|| refuse("no PEM block of a private key"))?;
        let seed = der.strip_prefix(&PKCS8).and_then(|seed| <[u8; 32]>::try_from(seed).ok());
        seed.map(|seed| Self::from_seed(&seed)).ok_or_else(|| refuse("no Ed25519 key in PKCS #8"))
    }

    /// Reads a person's key: PKCS #8 in PEM, or what `ssh-keygen -t ed25519` writes without a password.
    ///
    /// # Errors
    /// [`EvidenceError::Form`] on everything else; nothing of the key is repeated in it.
    pub fn read(text: &str) -> Result<Self, EvidenceError> {
        match unarmoured(text, OPENSSH) {
            Some(blob) => openssh_seed(&blob).map(|seed| Self::from_seed(&seed)),
            None => Self::from_pem(text),
        }
    }

    /// PKCS #8 in PEM. Secret: a file with mode 0600 and nowhere else.
    #[must_use]
    pub fn to_pem(&self) -> String {
        armoured(&[&PKCS8[..], self.0.as_bytes()].concat(), PRIVATE)
    }

    /// What others know it by.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The 64 bytes of a signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// The public half of a [`StationKey`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

impl PublicKey {
    /// A point of the curve, from its 32 bytes.
    ///
    /// # Errors
    /// [`EvidenceError::Form`] where it is none, or one of small order, for which signatures mean nothing.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, EvidenceError> {
        match VerifyingKey::from_bytes(bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(key)),
            Ok(_) | Err(_) => Err(EvidenceError::form("a public key", "no point of the curve that can be trusted")),
        }
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Short name: the first 16 hexadecimal digits of its SHA-256.
    #[must_use]
    pub fn id(&self) -> String {
        Sha256::digest(self.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// SubjectPublicKeyInfo in PEM, for `openssl`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        armoured(&[&SPKI[..], self.as_bytes()].concat(), PUBLIC)
    }

    /// A line of an `allowed_signers` file (ssh-keygen(1)), which trusts this key for releases and receipts only.
    #[must_use]
    pub fn to_allowed_signer(&self, principal: &str) -> String {
        let blob = BASE64_STANDARD.encode(crate::sshsig::key_blob(self));
        let [release, receipt] = [Purpose::Release, Purpose::Receipt].map(Purpose::namespace);
        format!("{principal} namespaces=\"{release},{receipt}\" ssh-ed25519 {blob}\n")
    }

    /// Reads keys from a file that says whom to trust: PEM blocks as [`PublicKey::to_pem`] writes them, or lines of
    /// `allowed_signers`. Each comes with the name that the line gives it, or else its id.
    ///
    /// # Errors
    /// [`EvidenceError::Form`] where a line is none of these, or where there is no key at all.
    pub fn read_trusted(text: &str) -> Result<Vec<(String, Self)>, EvidenceError> {
        let refuse = |rule: &str| EvidenceError::form("the list of trusted keys", rule);
        if text.trim_start().starts_with("-----BEGIN") {
            let der = unarmoured(text, PUBLIC).ok_or_else(|| refuse("no PEM block of a public key"))?;
            let bytes = der.strip_prefix(&SPKI).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let key = Self::from_bytes(&bytes.ok_or_else(|| refuse("no Ed25519 key"))?)?;
            return Ok(vec![(key.id(), key)]);
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys = lines.map(allowed_signer).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(refuse("there is no key in it")) } else { Ok(keys) }
    }

    /// Whether `signature` is this key's over `message`: the strict check of RFC 8032, without malleable forms.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// The seed in OpenSSH's own form: magic, cipher, kdf, its options, one key, the public half, and then the private part
/// (two equal numbers, algorithm, public half, seed with public half, comment, padding).
fn openssh_seed(blob: &[u8]) -> Result<[u8; 32], EvidenceError> {
    let refuse = |rule: &str| EvidenceError::form("the private key", rule);
    let mut rest = blob.strip_prefix(OPENSSH_MAGIC).ok_or_else(|| refuse("no key of OpenSSH"))?;
    let mut next = || crate::sshsig::take(&mut rest).ok_or_else(|| refuse("it ends early"));
    if (next()?, next()?) != (b"none", b"none") {
        return Err(refuse("it is protected by a password; sign with ssh-keygen -Y sign instead"));
    }
    next()?;
    let mut rest = rest.strip_prefix(&[0, 0, 0, 1]).ok_or_else(|| refuse("not one key"))?;
    let mut next = || crate::sshsig::take(&mut rest).ok_or_else(|| refuse("it ends early"));
    let public = crate::sshsig::read_key_blob(next()?)?;
    let mut private = next()?;
    let (checks, after) = private.split_first_chunk::<8>().ok_or_else(|| refuse("it ends early"))?;
    private = after;
    let algorithm = crate::sshsig::take(&mut private);
    let _ = crate::sshsig::take(&mut private);
    let pair = crate::sshsig::take(&mut private);
    let seed = pair.and_then(|pair| <[u8; 32]>::try_from(pair.get(..32)?).ok()).ok_or_else(|| refuse("no seed"))?;
    let same = checks.first_chunk::<4>() == checks.last_chunk::<4>();
    if !same || algorithm != Some(b"ssh-ed25519") || StationKey::from_seed(&seed).public() != public {
        return Err(refuse("no Ed25519 key, or a damaged one"));
    }
    Ok(seed)
}

fn allowed_signer(line: &str) -> Result<(String, PublicKey), EvidenceError> {
    let refuse = |rule: &str| EvidenceError::form("the list of trusted keys", rule);
    let mut words = line.split_ascii_whitespace();
    let principal = words.next().unwrap_or_default();
    let blob =
        words.skip_while(|word| *word != "ssh-ed25519").nth(1).ok_or_else(|| refuse("a line has no Ed25519 key"))?;
    let bytes = BASE64_STANDARD.decode(blob).map_err(|_| refuse("a key is not base64"))?;
    Ok((principal.to_owned(), crate::sshsig::read_key_blob(&bytes)?))
}

/// Lines of 64 digits between the two marks (RFC 7468).
fn armoured(der: &[u8], label: &str) -> String {
    format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", wrapped(der, 64))
}

/// Base64 in lines of `width` characters, each ended.
pub(crate) fn wrapped(bytes: &[u8], width: usize) -> String {
    let text = BASE64_STANDARD.encode(bytes);
    text.as_bytes().chunks(width).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
}

/// The one block with this label.
pub(crate) fn unarmoured(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let digits: String = body.split_ascii_whitespace().collect();
    BASE64_STANDARD.decode(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StationKey {
        StationKey::from_seed(&[7; 32])
    }

    #[test]
    fn keys_go_through_their_files() {
        let again = StationKey::from_pem(&key().to_pem()).unwrap();
        assert_eq!(again.public(), key().public());
        let trusted = PublicKey::read_trusted(&key().public().to_pem()).unwrap();
        assert_eq!(trusted, [(key().public().id(), key().public())]);
        let other = StationKey::from_seed(&[8; 32]).public();
        let text =
            format!("# gates\n{}{}", key().public().to_allowed_signer("gate-3@plant"), other.to_allowed_signer("b"));
        let trusted = PublicKey::read_trusted(&text).unwrap();
        assert_eq!(trusted, [("gate-3@plant".to_owned(), key().public()), ("b".to_owned(), other)]);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "# nothing\n", "gate ssh-rsa AAAA", "gate ssh-ed25519 !!!", "-----BEGIN PUBLIC KEY-----\n"] {
            assert!(PublicKey::read_trusted(text).is_err(), "{text:?}");
        }
        assert!(StationKey::from_pem(&key().public().to_pem()).is_err());
        // The neutral element: everything verifies under it in some libraries.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(PublicKey::from_bytes(&neutral).is_err());
    }

    #[test]
    fn a_signature_is_over_these_bytes_by_this_key() {
        let signature = key().sign(b"message");
        assert!(key().public().verifies(b"message", &signature));
        assert!(!key().public().verifies(b"Message", &signature));
        assert!(!StationKey::from_seed(&[8; 32]).public().verifies(b"message", &signature));
        for at in 0..64 {
            let mut bent = signature;
            bent[at] ^= 1;
            assert!(!key().public().verifies(b"message", &bent), "bit of byte {at}");
        }
    }
}
