//! Members that are encrypted: opened with the first password that the member itself proves right.

use super::{Cipher, Entry, check, expand};
use crate::unlock::winzip::{Sealed, Strength, Tried};
use crate::unlock::{Keys, zipcrypto};
use model::{Budget, Locked, Refusal};

/// The member whose `sealed` data is encrypted by `cipher`, unpacked.
pub fn read(
    entry: &Entry,
    cipher: Cipher,
    sealed: &[u8],
    keys: &Keys,
    budget: &mut Budget,
) -> Result<Vec<u8>, Refusal> {
    match cipher {
        Cipher::Traditional { checks } => traditional(entry, &checks, sealed, keys, budget),
        Cipher::Aes { strength, crc } => winzip(entry, (strength, crc), sealed, keys, budget),
        Cipher::Unknown => Err(Refusal::Encrypted(Locked::method("a ZIP method other than ZipCrypto and WinZip AES"))),
    }
}

/// Ours: what trying a traditional password costs, in rounds of hashing.
const TRADITIONAL: u64 = 10;

/// One wrong password in 128 gets past the header; what it brings forth does not unpack to the CRC-32 that is declared.
fn traditional(
    entry: &Entry,
    checks: &[u8],
    sealed: &[u8],
    keys: &Keys,
    budget: &mut Budget,
) -> Result<Vec<u8>, Refusal> {
    let mut last = None;
    let mut paid = false;
    let found = keys.find(|password| {
        for password in password.bytes() {
            budget.spend_key_iterations(TRADITIONAL)?;
            let Some(packed) = zipcrypto::decrypt(sealed, &password, checks) else { continue };
            budget.spend_bytes(packed.len() as u64)?;
            if !std::mem::replace(&mut paid, true) {
                budget.spend_bytes(entry.size)?;
            }
            match expand(entry, &packed).and_then(|bytes| check(entry, &bytes).map(|()| bytes)) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(refusal) => last = Some(refusal),
            }
        }
        Ok(None)
    })?;
    match (found, last) {
        (Some(bytes), _) => Ok(bytes),
        // Whatever the password: this method is not read.
        (None, Some(refusal @ Refusal::Unsupported { .. })) => Err(refusal),
        (None, _) => Err(keys.locked()),
    }
}

fn winzip(
    entry: &Entry,
    (strength, crc): (Strength, bool),
    data: &[u8],
    keys: &Keys,
    budget: &mut Budget,
) -> Result<Vec<u8>, Refusal> {
    let at = entry.data.start as u64;
    let sealed = Sealed::of(data, strength);
    let sealed = sealed.ok_or_else(|| Refusal::malformed(at, "WinZip AES: the data of a member is cut off"))?;
    let mut altered = false;
    let found = keys.find(|password| {
        for password in password.bytes() {
            match sealed.open(&password, budget)? {
                Tried::Wrong => {}
                Tried::Altered => altered = true,
                Tried::Plain(plain) => return Ok(Some(plain)),
            }
        }
        Ok(None)
    })?;
    let Some(packed) = found else {
        let refusal = Refusal::malformed(at, "WinZip AES: a password fits, the authentication code does not");
        return Err(if altered { refusal } else { keys.locked() });
    };
    budget.spend_bytes(entry.size)?;
    let bytes = expand(entry, &packed)?;
    if crc {
        check(entry, &bytes)?;
    }
    Ok(bytes)
}
