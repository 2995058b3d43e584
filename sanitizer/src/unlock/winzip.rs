//! WinZip's AES encryption of ZIP members (AE-1 and AE-2; APPNOTE 4.3.5 names it as method 99).
//!
//! `salt | two bytes that tell most wrong passwords | data, counter mode | ten bytes of HMAC-SHA-1 over the data`. Key,
//! authentication key and the two bytes come out of PBKDF2 (RFC 8018, 5.2), a thousand rounds a block of twenty bytes.

use super::aes::Aes;
use hmac::{Hmac, KeyInit, Mac};
use model::{Budget, Refusal};
use sha1::Sha1;

/// Length of the authentication code.
const CODE: usize = 10;
const ROUNDS: u64 = 1000;
/// One SHA-1.
const SUM: usize = 20;

/// Length of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// 128 bits.
    Aes128,
    /// 192 bits.
    Aes192,
    /// 256 bits.
    Aes256,
}

impl Strength {
    /// By the number in the extra field.
    pub const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Aes128),
            2 => Some(Self::Aes192),
            3 => Some(Self::Aes256),
            _ => None,
        }
    }

    const fn key(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// Bytes around the data: salt, check and code.
    pub const fn overhead(self) -> usize {
        (self.key() / 2).saturating_add(2).saturating_add(CODE)
    }
}

/// The parts of a member's data.
pub struct Sealed<'a> {
    strength: Strength,
    salt: &'a [u8],
    check: &'a [u8],
    data: &'a [u8],
    code: &'a [u8],
}

/// What a password brought forth.
pub enum Tried {
    /// Not this one.
    Wrong,
    /// The two bytes fit, the authentication code does not: one wrong password in 65,536, or altered data.
    Altered,
    /// The bytes before they were encrypted.
    Plain(Vec<u8>),
}

impl<'a> Sealed<'a> {
    /// Takes the data of a member apart; `None` where it is too short.
    pub fn of(data: &'a [u8], strength: Strength) -> Option<Self> {
        let (salt, rest) = data.split_at_checked(strength.key() / 2)?;
        let (check, rest) = rest.split_at_checked(2)?;
        let (data, code) = rest.split_at_checked(rest.len().checked_sub(CODE)?)?;
        Some(Self { strength, salt, check, data, code })
    }

    /// Tries one password. Nothing is deciphered before the code over all the data fits.
    ///
    /// # Errors
    /// [`Refusal`] where the budget has no rounds or bytes left.
    pub fn open(&self, password: &[u8], budget: &mut Budget) -> Result<Tried, Refusal> {
        let internal = || Refusal::internal("unlock: HMAC takes any key");
        let size = self.strength.key();
        let long = size.saturating_mul(2).saturating_add(2);
        let blocks = long.div_ceil(SUM);
        // The check stands in the last block: a wrong password costs that one alone.
        let block = |number: usize, budget: &mut Budget| {
            budget.spend_key_iterations(ROUNDS)?;
            pbkdf2_block(password, self.salt, number).ok_or_else(internal)
        };
        let last = block(blocks, budget)?;
        let from = size.saturating_mul(2).saturating_sub(blocks.saturating_sub(1).saturating_mul(SUM));
        if last.get(from..from.saturating_add(2)) != Some(self.check) {
            return Ok(Tried::Wrong);
        }
        let mut derived = Vec::with_capacity(blocks.saturating_mul(SUM));
        for number in 1..blocks {
            derived.extend(block(number, budget)?);
        }
        derived.extend(last);
        let (Some(key), Some(authentication)) = (derived.get(..size), derived.get(size..size.saturating_mul(2))) else {
            return Err(internal());
        };
        let mut mac = Hmac::<Sha1>::new_from_slice(authentication).map_err(|_| internal())?;
        mac.update(self.data);
        if mac.verify_truncated_left(self.code).is_err() {
            return Ok(Tried::Altered);
        }
        budget.spend_bytes(self.data.len() as u64)?;
        let mut plain = self.data.to_vec();
        Aes::new(key).ok_or_else(internal)?.counter(&mut plain);
        Ok(Tried::Plain(plain))
    }
}

/// One block of PBKDF2 with HMAC-SHA-1, counted from one.
fn pbkdf2_block(password: &[u8], salt: &[u8], number: usize) -> Option<[u8; SUM]> {
    let keyed = Hmac::<Sha1>::new_from_slice(password).ok()?;
    let number = u32::try_from(number).ok()?;
    let mut sum: [u8; SUM] =
        keyed.clone().chain_update(salt).chain_update(number.to_be_bytes()).finalize().into_bytes().into();
    let mut block = sum;
    for _ in 1..ROUNDS {
        sum = keyed.clone().chain_update(sum).finalize().into_bytes().into();
        block.iter_mut().zip(sum).for_each(|(byte, more)| *byte ^= more);
    }
    Some(block)
}
