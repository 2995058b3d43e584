//! A checkpoint: how many records a journal has and the Merkle root over them, as a signed note (C2SP
//! `tlog-checkpoint` and `signed-note`). Written down outside the station, it pins every record before it.

use crate::merkle::Hash;
use crate::{EvidenceError, PublicKey, StationKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

const WHAT: &str = "the checkpoint";
/// The signature type of Ed25519 in signed notes.
const ED25519: u8 = 1;

/// Size and root of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which journal: the station's name, a line without `+` and blanks.
    pub origin: String,
    /// Number of records.
    pub size: u64,
    /// Merkle root over them.
    pub root: Hash,
    /// When (RFC 3339, UTC); an extension line.
    pub time: String,
}

impl Checkpoint {
    fn body(&self) -> String {
        format!("{}\n{}\n{}\n{}\n", self.origin, self.size, BASE64_STANDARD.encode(self.root), self.time)
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, key: &StationKey) -> String {
        let body = self.body();
        let tagged = [&key_hash(&self.origin, &key.public())[..], &key.sign(body.as_bytes())].concat();
        format!("{body}\n\u{2014} {} {}\n", self.origin, BASE64_STANDARD.encode(tagged))
    }

    /// Reads a note that `key` signed.
    ///
    /// # Errors
    /// [`EvidenceError`] where it has another form or the signature does not hold.
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, EvidenceError> {
        let refuse = |rule: &str| EvidenceError::form(WHAT, rule);
        let (body, signature) = note.split_once("\n\n").ok_or_else(|| refuse("no signature"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root), Some(time), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(refuse("a name, a size, a root and a time are needed"));
        };
        let root = BASE64_STANDARD.decode(root).ok().and_then(|root| Hash::try_from(root).ok());
        let checkpoint = Self {
            origin: origin.to_owned(),
            size: size.parse().map_err(|_| refuse("the size is no number"))?,
            root: root.ok_or_else(|| refuse("the root is not 32 bytes"))?,
            time: time.to_owned(),
        };
        let tagged = signature
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.strip_prefix(origin)?.strip_prefix(' ')?.strip_suffix('\n'))
            .and_then(|digits| BASE64_STANDARD.decode(digits).ok())
            .ok_or_else(|| refuse("the signature line is none"))?;
        let expected = key_hash(origin, key);
        let signature = tagged.strip_prefix(&expected).and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        let signature = signature.ok_or_else(|| EvidenceError::Untrusted { what: WHAT, by: "another key".into() })?;
        // The body as we would write it: no second form of a number or of base64 is signed.
        if checkpoint.body() != format!("{body}\n") || !key.verifies(checkpoint.body().as_bytes(), &signature) {
            return Err(EvidenceError::Signature { what: WHAT });
        }
        Ok(checkpoint)
    }
}

/// The first four bytes of a hash over name, algorithm and key (C2SP signed-note).
fn key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.as_bytes()).finalize();
    let mut head = [0; 4];
    head.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_goes_both_ways_and_no_changed_byte_is_taken() {
        let key = StationKey::from_seed(&[3; 32]);
        let checkpoint = Checkpoint {
            origin: "gate-3.plant".into(),
            size: 4711,
            root: [9; 32],
            time: "2026-01-31T12:00:00Z".into(),
        };
        let note = checkpoint.sign(&key);
        assert_eq!(Checkpoint::open(&note, &key.public()), Ok(checkpoint));
        assert!(Checkpoint::open(&note, &StationKey::from_seed(&[4; 32]).public()).is_err());
        for at in 0..note.len() {
            let mut bent = note.clone().into_bytes();
            bent[at] ^= 1;
            let taken = String::from_utf8(bent).is_ok_and(|bent| Checkpoint::open(&bent, &key.public()).is_ok());
            assert!(!taken, "byte {at}");
        }
    }
}
