//! Whose bundles count: pinned keys, how many of them must have signed, and which count no more.

use crate::keys::{PublicKey, Signature};
use serde::{Deserialize, Serialize};

/// Ours: keys that a station pins.
const MOST_KEYS: usize = 32;

/// A station's trust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Bundles of this channel only.
    pub channel: String,
    /// How many different keys must have signed a bundle.
    pub required: usize,
    /// Keys that count.
    pub keys: Vec<TrustedKey>,
    /// Keys that count no more, whoever brings them back.
    pub revoked: Vec<RevokedKey>,
}

/// A pinned key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// Its id.
    pub id: String,
    /// The key (base64).
    pub key: String,
    /// Since when.
    pub since: String,
    /// Who or what brought it.
    pub by: String,
}

/// A revoked key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokedKey {
    /// Its id.
    pub id: String,
    /// Since when.
    pub since: String,
    /// Why.
    pub why: String,
}

impl Default for Trust {
    fn default() -> Self {
        Self { channel: "main".to_owned(), required: 1, keys: Vec::new(), revoked: Vec::new() }
    }
}

/// Why a bundle's signatures are not enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Untrusted {
    /// No key is pinned.
    #[error("this station trusts no key yet: get the maker's key on another way and run 'signatures trust add'")]
    NoKey,
    /// No signature file lies beside it.
    #[error("it has no signature: its .minisig file must lie beside it")]
    NoSignature,
    /// A signature file has another form.
    #[error("{name}: {why}; copy it again")]
    BadSignature {
        /// The file.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A pinned key's signature is not over these bytes.
    #[error(
        "the signature of key {id} does not fit: the file was damaged or changed; copy it again, and ask its maker"
    )]
    Changed {
        /// The key.
        id: String,
    },
    /// Only revoked keys signed.
    #[error("it is signed with key {id}, which was revoked on {since}: {why}; ask its maker for a new one")]
    Revoked {
        /// The key.
        id: String,
        /// Since when.
        since: String,
        /// Why.
        why: String,
    },
    /// Other keys signed.
    #[error("it is signed with key {id}, which this station does not trust; is it from the right maker?")]
    Unknown {
        /// The key.
        id: String,
    },
    /// Too few keys signed.
    #[error("it has {have} of the {required} signatures that this station asks for; get the missing .minisig files")]
    TooFew {
        /// Different pinned keys that signed.
        have: usize,
        /// How many must.
        required: usize,
    },
}

impl Trust {
    /// The keys that signed `bytes`, if they are enough. `signatures` are names and texts of signature files.
    ///
    /// # Errors
    /// [`Untrusted`].
    pub fn signers(&self, signatures: &[(String, String)], bytes: &[u8]) -> Result<Vec<String>, Untrusted> {
        if self.keys.is_empty() {
            return Err(Untrusted::NoKey);
        }
        if signatures.is_empty() {
            return Err(Untrusted::NoSignature);
        }
        let mut signers: Vec<String> = Vec::new();
        let mut not_counted = None;
        for (name, text) in signatures {
            let bad = |error: crate::keys::KeyError| Untrusted::BadSignature { name: name.clone(), why: error.0 };
            let signature = Signature::parse(text).map_err(bad)?;
            let id = signature.key_id();
            if let Some(key) = self.revoked.iter().find(|key| key.id == id) {
                not_counted = Some(Untrusted::Revoked { id, since: key.since.clone(), why: key.why.clone() });
                continue;
            }
            let Some(key) = self.keys.iter().find(|key| key.id == id) else {
                not_counted = not_counted.or(Some(Untrusted::Unknown { id }));
                continue;
            };
            let key = PublicKey::parse(&key.key).map_err(bad)?;
            if !key.signed(&signature, bytes) {
                return Err(Untrusted::Changed { id });
            }
            if !signers.contains(&id) {
                signers.push(id);
            }
        }
        if signers.is_empty() {
            return Err(not_counted.unwrap_or(Untrusted::NoSignature));
        }
        self.enough(&signers)?;
        signers.sort();
        Ok(signers)
    }

    /// Whether keys that signed once still are enough today.
    ///
    /// # Errors
    /// [`Untrusted`].
    pub fn enough(&self, signers: &[String]) -> Result<(), Untrusted> {
        let counts = |id: &&String| self.keys.iter().any(|key| &key.id == *id) && !self.is_revoked(id);
        let have = signers.iter().filter(counts).count();
        if have >= self.required.max(1) {
            return Ok(());
        }
        let revoked = signers.iter().find_map(|id| self.revoked.iter().find(|key| &key.id == id));
        Err(match revoked {
            Some(key) => Untrusted::Revoked { id: key.id.clone(), since: key.since.clone(), why: key.why.clone() },
            None => Untrusted::TooFew { have, required: self.required.max(1) },
        })
    }

    fn is_revoked(&self, id: &str) -> bool {
        self.revoked.iter().any(|key| key.id == id)
    }

    /// Pins `key`. One that is pinned already stays as it is.
    ///
    /// # Errors
    /// It was revoked, or there are too many.
    pub fn add(&mut self, key: &PublicKey, since: &str, by: &str) -> Result<(), String> {
        let id = key.id();
        if self.is_revoked(&id) {
            return Err(format!("key {id} was revoked and stays so: its maker must make a new one"));
        }
        if self.keys.iter().any(|known| known.id == id && known.key != key.to_base64()) {
            return Err(format!("another key with the id {id} is trusted already"));
        }
        if self.keys.iter().any(|known| known.id == id) {
            return Ok(());
        }
        if self.keys.len() >= MOST_KEYS {
            return Err(format!("{MOST_KEYS} keys are trusted already: revoke old ones first"));
        }
        self.keys.push(TrustedKey { id, key: key.to_base64(), since: since.to_owned(), by: by.to_owned() });
        Ok(())
    }

    /// Revokes the key `id`, known or not, for good.
    pub fn revoke(&mut self, id: &str, since: &str, why: &str) {
        self.keys.retain(|key| key.id != id);
        if !self.is_revoked(id) {
            self.revoked.push(RevokedKey { id: id.to_owned(), since: since.to_owned(), why: why.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{LockedKey, SigningKey, generate};

    fn keys(n: usize) -> Vec<SigningKey> {
        (0..n).map(|_| LockedKey::new(generate(None).unwrap().secret).open().unwrap().unwrap()).collect()
    }

    fn by(keys: &[&SigningKey], bytes: &[u8]) -> Vec<(String, String)> {
        keys.iter().map(|key| (key.id(), key.sign(bytes, "x").unwrap())).collect()
    }

    #[test]
    fn as_many_different_keys_as_required_must_have_signed() {
        let keys = keys(4);
        let mut trust = Trust { required: 2, ..Trust::default() };
        assert_eq!(trust.signers(&by(&[&keys[0]], b"x"), b"x"), Err(Untrusted::NoKey));
        for key in &keys[..3] {
            trust.add(&key.public().unwrap(), "2026-01-01", "test").unwrap();
        }
        let signers = |of: &[&SigningKey]| trust.signers(&by(of, b"x"), b"x");
        assert_eq!(signers(&[]), Err(Untrusted::NoSignature));
        assert_eq!(signers(&[&keys[0]]), Err(Untrusted::TooFew { have: 1, required: 2 }));
        assert_eq!(signers(&[&keys[0], &keys[0]]), Err(Untrusted::TooFew { have: 1, required: 2 }));
        assert_eq!(signers(&[&keys[0], &keys[3]]), Err(Untrusted::TooFew { have: 1, required: 2 }));
        assert_eq!(signers(&[&keys[3]]), Err(Untrusted::Unknown { id: keys[3].id() }));
        assert_eq!(signers(&[&keys[0], &keys[2], &keys[3]]).unwrap().len(), 2);
        let mut forged = by(&[&keys[0], &keys[1]], b"x");
        forged[1].1 = keys[1].sign(b"y", "x").unwrap();
        assert_eq!(trust.signers(&forged, b"x"), Err(Untrusted::Changed { id: keys[1].id() }));
    }

    #[test]
    fn a_revoked_key_counts_no_more_and_never_again() {
        let keys = keys(2);
        let mut trust = Trust::default();
        for key in &keys {
            trust.add(&key.public().unwrap(), "2026-01-01", "test").unwrap();
        }
        let signers = trust.signers(&by(&[&keys[0]], b"x"), b"x").unwrap();
        trust.revoke(&keys[0].id(), "2026-02-02", "stolen");
        assert!(matches!(trust.signers(&by(&[&keys[0]], b"x"), b"x"), Err(Untrusted::Revoked { .. })));
        assert!(matches!(trust.enough(&signers), Err(Untrusted::Revoked { .. })), "what it signed before");
        assert!(trust.add(&keys[0].public().unwrap(), "2026-03-03", "test").is_err());
        assert!(trust.signers(&by(&[&keys[0], &keys[1]], b"x"), b"x").is_ok(), "the other one still counts");
    }
}
