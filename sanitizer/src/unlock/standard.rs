//! Standard encryption of Office 2007 ([MS-OFFCRYPTO] 2.3.4.5 to 2.3.4.9): SHA-1, 50,000 rounds, AES block by block. It
//! has no proof that the package is unaltered; the CRC-32 of every part is held against it when the package is read.

use super::Password;
use super::aes::{Aes, Block};
use crate::zip_read::u32_at;
use model::{Budget, Locked, Refusal};
use sha1::{Digest, Sha1};

const ROUNDS: u32 = 50_000;

/// What the description says.
pub struct Standard {
    /// Bytes of the key.
    key: usize,
    salt: Block,
    verifier: Block,
    verifier_hash: [u8; 32],
}

impl Standard {
    /// Reads the stream `EncryptionInfo` (2.3.4.5).
    ///
    /// # Errors
    /// [`Locked::Method`] for ciphers other than AES, [`Refusal::Malformed`] where it breaks its format.
    pub fn read(info: &[u8]) -> Result<Self, Refusal> {
        let broken = || Refusal::malformed(0, "[MS-OFFCRYPTO] 2.3.4.5: the description of standard encryption");
        let header = usize::try_from(u32_at(info, 8).ok_or_else(broken)?).map_err(|_| broken())?;
        let (header, verifier) = info.get(12..).and_then(|rest| rest.split_at_checked(header)).ok_or_else(broken)?;
        let key = match u32_at(header, 8).ok_or_else(broken)? {
            0x660e => 16,
            0x660f => 24,
            0x6610 => 32,
            _ => return Err(Refusal::Encrypted(Locked::method("a cipher of Office other than AES"))),
        };
        if !matches!(u32_at(header, 12), Some(0 | 0x8004)) || u32_at(verifier, 0) != Some(16) {
            return Err(broken());
        }
        let block = |at: usize| verifier.get(at..).and_then(|rest| rest.first_chunk::<16>()).ok_or_else(broken);
        let hash = verifier.get(40..).and_then(|rest| rest.first_chunk::<32>()).ok_or_else(broken)?;
        Ok(Self { key, salt: *block(4)?, verifier: *block(20)?, verifier_hash: *hash })
    }

    /// The key, where the verifier says that the password fits (2.3.4.7, 2.3.4.9).
    ///
    /// # Errors
    /// Where the budget has no rounds left.
    pub fn key(&self, password: &Password, budget: &mut Budget) -> Result<Option<Vec<u8>>, Refusal> {
        budget.spend_key_iterations(ROUNDS.into())?;
        let mut sum = Sha1::new().chain_update(self.salt).chain_update(password.utf_16()).finalize();
        for round in 0..ROUNDS {
            sum = Sha1::new().chain_update(round.to_le_bytes()).chain_update(sum).finalize();
        }
        let sum = Sha1::new().chain_update(sum).chain_update(0_u32.to_le_bytes()).finalize();
        let half = |fill: u8| {
            let mut pad = [fill; 64];
            pad.iter_mut().zip(sum).for_each(|(byte, sum)| *byte ^= sum);
            Sha1::digest(pad)
        };
        let mut key = [half(0x36), half(0x5c)].concat();
        key.truncate(self.key);
        let Some(aes) = Aes::new(&key) else { return Err(Refusal::internal("unlock: length of a key")) };
        let (mut verifier, mut hash) = (self.verifier, self.verifier_hash);
        aes.ecb(&mut verifier);
        aes.ecb(&mut hash);
        Ok(hash.starts_with(&Sha1::digest(verifier)).then_some(key))
    }
}

/// The package, block by block (2.3.4.4).
///
/// # Errors
/// [`Refusal::Internal`] for a key of a length that is none.
pub fn decrypt(key: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal> {
    let aes = Aes::new(key).ok_or_else(|| Refusal::internal("unlock: length of a key"))?;
    let mut plain = data.as_chunks::<16>().0.as_flattened().to_vec();
    aes.ecb(&mut plain);
    Ok(plain)
}
