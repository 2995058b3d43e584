//! Keys and signatures in minisign's format, so that `minisign -V` and `minisign -S` work on a bundle too.
//!
//! Only prehashed signatures count (Ed25519 over BLAKE2b-512 of the file): a legacy one signs the file itself, and
//! would have to be held in memory whole.

use minisign::{KeyPair, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};
use std::io::Cursor;

/// Longest signature or key file that is looked at; minisign's own stay below 1 KiB.
pub const MOST_KEY_BYTES: u64 = 4096;

/// Characters of a public key in base64: 42 bytes.
const PUBLIC_CHARS: usize = 56;
/// Characters of a signature (74 bytes) and of the signature over its comment (64 bytes).
const SIGNATURE_CHARS: usize = 100;
const GLOBAL_CHARS: usize = 88;

/// Why a key or a signature can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

fn failed(error: &impl std::fmt::Display) -> KeyError {
    KeyError(error.to_string())
}

/// A public key.
#[derive(Clone, Debug)]
pub struct PublicKey(minisign::PublicKey);

impl PublicKey {
    /// Reads a `.pub` file as minisign writes it, or its second line alone.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let no_key = || KeyError("this is no minisign public key: give the .pub file, or its second line".to_owned());
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("untrusted comment:"));
        let line = line.filter(|line| line.len() == PUBLIC_CHARS).ok_or_else(no_key)?;
        minisign::PublicKey::from_base64(line).map(Self).map_err(|_| no_key())
    }

    /// The key's id as minisign shows it: 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        key_id(self.0.keynum())
    }

    /// The key in one line, as [`PublicKey::parse`] takes it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        self.0.to_base64()
    }

    /// Whether `signature` is this key's over `bytes`, comment included.
    #[must_use]
    pub fn signed(&self, signature: &Signature, bytes: &[u8]) -> bool {
        minisign::verify(&self.0, &signature.0, Cursor::new(bytes), true, false, false).is_ok()
    }
}

/// A signature file.
#[derive(Clone)]
pub struct Signature(SignatureBox);

impl Signature {
    /// Reads the four lines of a `.minisig` file.
    ///
    /// # Errors
    /// They have another form. It is checked before any of it is computed with: this comes from outside.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let form = || KeyError("this is no minisign signature".to_owned());
        let lines: Vec<&str> = text.lines().collect();
        let [untrusted, signature, trusted, global] = lines.as_slice() else { return Err(form()) };
        let right = untrusted.starts_with("untrusted comment: ")
            && trusted.starts_with("trusted comment: ")
            && signature.len() == SIGNATURE_CHARS
            && global.len() == GLOBAL_CHARS;
        if !right || text.len() as u64 > MOST_KEY_BYTES {
            return Err(form());
        }
        let parsed = SignatureBox::from_string(text).map_err(|_| form())?;
        if !parsed.is_prehashed() {
            return Err(KeyError("this is a legacy signature: sign with a newer minisign".to_owned()));
        }
        Ok(Self(parsed))
    }

    /// Id of the key that it says it is from.
    #[must_use]
    pub fn key_id(&self) -> String {
        key_id(self.0.keynum())
    }

    /// What was signed with the bytes, once the signature was checked; a hint before.
    #[must_use]
    pub fn comment(&self) -> String {
        self.0.trusted_comment().unwrap_or_default()
    }
}

/// The number is little-endian in the file and shown like minisign shows it.
fn key_id(number: &[u8]) -> String {
    number.iter().rev().map(|byte| format!("{byte:02X}")).collect()
}

/// A new key pair.
pub struct NewKey {
    /// Text of the `.pub` file.
    pub public: String,
    /// Text of the secret key's file.
    pub secret: String,
    /// Id of both.
    pub id: String,
}

/// Makes a key pair. Without a password the secret key lies open in its file.
///
/// # Errors
/// The machine gives no random numbers or no memory (the password is stretched with 1 GiB).
pub fn generate(password: Option<&str>) -> Result<NewKey, KeyError> {
    let pair = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password.to_owned())),
        None => KeyPair::generate_unencrypted_keypair(),
    };
    let KeyPair { pk, sk } = pair.map_err(|e| failed(&e))?;
    let id = key_id(pk.keynum());
    let comment = format!("sallyport secret key {id}");
    let secret = sk.to_box(Some(&comment)).map_err(|e| failed(&e))?.into_string();
    Ok(NewKey { public: pk.to_box().map_err(|e| failed(&e))?.into_string(), secret, id })
}

/// A secret key, ready to sign.
pub struct SigningKey(SecretKey);

/// A secret key as it lies in its file.
pub struct LockedKey(String);

impl LockedKey {
    /// Takes the text of a secret key's file, minisign's or ours.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Reads a key that has no password; `None` where it has one.
    ///
    /// # Errors
    /// It is no secret key.
    pub fn open(&self) -> Result<Option<SigningKey>, KeyError> {
        match SecretKeyBox::from_string(&self.0).and_then(SecretKeyBox::into_unencrypted_secret_key) {
            Ok(key) => Ok(Some(SigningKey(key))),
            Err(error) if error.to_string().contains("might be encrypted") => Ok(None),
            Err(error) => Err(KeyError(format!("this is no minisign secret key: {error}"))),
        }
    }

    /// Reads a key with its password.
    ///
    /// # Errors
    /// The password is wrong, or it is no secret key.
    pub fn unlock(&self, password: &str) -> Result<SigningKey, KeyError> {
        let key = SecretKeyBox::from_string(&self.0).map_err(|e| failed(&e))?;
        key.into_secret_key(Some(password.to_owned())).map(SigningKey).map_err(|e| failed(&e))
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

impl SigningKey {
    /// Id of the key.
    #[must_use]
    pub fn id(&self) -> String {
        key_id(self.0.keynum())
    }

    /// The public half.
    ///
    /// # Errors
    /// The secret key is damaged.
    pub fn public(&self) -> Result<PublicKey, KeyError> {
        let public = minisign::PublicKey::from_secret_key(&self.0).map_err(|e| failed(&e))?;
        // Through text, so that what is returned is what others will read.
        let text = public.to_box().map_err(|e| failed(&e))?;
        PublicKeyBox::into_public_key(text).map(PublicKey).map_err(|e| failed(&e))
    }

    /// Signs `bytes` and `comment`; gives the text of the `.minisig` file.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn sign(&self, bytes: &[u8], comment: &str) -> Result<String, KeyError> {
        let untrusted = format!("signature from sallyport key {}", self.id());
        let signed = minisign::sign(None, &self.0, Cursor::new(bytes), Some(comment), Some(&untrusted));
        signed.map(SignatureBox::into_string).map_err(|e| failed(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_told_from_what_was_not() {
        let new = generate(None).unwrap();
        let key = LockedKey::new(new.secret.clone()).open().unwrap().unwrap();
        let public = PublicKey::parse(&new.public).unwrap();
        assert_eq!((key.id(), public.id(), new.public.contains(&public.id())), (new.id.clone(), new.id, true));
        assert_eq!(PublicKey::parse(&public.to_base64()).unwrap().to_base64(), key.public().unwrap().to_base64());
        let text = key.sign(b"bytes", "channel:main sequence:7").unwrap();
        let signature = Signature::parse(&text).unwrap();
        assert_eq!((signature.key_id(), signature.comment()), (key.id(), "channel:main sequence:7".to_owned()));
        assert!(public.signed(&signature, b"bytes") && !public.signed(&signature, b"byte"));
        let other = PublicKey::parse(&generate(None).unwrap().public).unwrap();
        assert!(!other.signed(&signature, b"bytes"));
        // The comment is signed as well.
        let forged = Signature::parse(&text.replace("sequence:7", "sequence:8")).unwrap();
        assert!(!public.signed(&forged, b"bytes"));
    }

    #[test]
    fn garbage_is_refused_before_it_is_computed_with() {
        let new = generate(None).unwrap();
        let key = LockedKey::new(new.secret).open().unwrap().unwrap();
        let public = PublicKey::parse(&new.public).unwrap();
        let good = key.sign(b"bytes", "x").unwrap();
        let lines: Vec<&str> = good.lines().collect();
        for at in 0..lines.len() {
            for damaged in ["", "x", "AAAA", &"A".repeat(300)] {
                let mut lines = lines.clone();
                lines[at] = damaged;
                assert!(Signature::parse(&lines.join("\n")).is_err(), "line {at}: {damaged}");
            }
        }
        for cut in 0..good.trim_end().len() {
            assert!(Signature::parse(&good[..cut]).is_err_and(|e| !e.0.is_empty()), "{cut}");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1;
            if let Some(signature) = String::from_utf8(bytes).ok().and_then(|text| Signature::parse(&text).ok()) {
                let in_untrusted_comment = at < lines[0].len();
                assert!(in_untrusted_comment || !public.signed(&signature, b"bytes"), "byte {at}");
            }
        }
        assert!(PublicKey::parse("").is_err() && PublicKey::parse("untrusted comment: x\nRWQ").is_err());
        assert!(LockedKey::new("nothing".to_owned()).open().is_err());
    }
}
