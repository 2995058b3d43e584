//! Opens what is encrypted, with the passwords that were handed over, so that what is inside is scanned and rebuilt like
//! everything else. Nothing that comes out is encrypted again.
//!
//! A password is believed when the file proves it: the check byte and the CRC-32 of a traditional ZIP member, the
//! authentication code of a WinZip one, the verifier of an Office file, the hash in a PDF. Until then nothing that was
//! deciphered is looked at. What trying costs is paid from the input's budget, so that a file that asks for millions of
//! rounds of hashing cannot hold the station up.

mod aes;
mod agile;
mod office;
mod passwords;
mod standard;
pub(crate) mod winzip;
pub(crate) mod zipcrypto;

pub(crate) use office::open as office;
pub use passwords::{Password, PasswordError, Passwords};

use model::{Encrypted, Locked, Policy, Refusal};
use std::cell::Cell;

/// The passwords of one input, in the order in which they are tried: the one that fitted last comes first, since the
/// members of an archive mostly share theirs. The order follows from the input alone.
#[derive(Debug, Default)]
pub struct Keys {
    passwords: Passwords,
    last: Cell<usize>,
    forbidden: bool,
}

impl Keys {
    /// What `policy` lets be tried of `passwords`.
    pub(crate) fn new(passwords: Passwords, policy: &Policy) -> Self {
        match policy.passwords.encrypted {
            Encrypted::Open => Self { passwords, ..Self::default() },
            Encrypted::Block => Self { forbidden: true, ..Self::default() },
        }
    }

    /// Why nothing was opened, once all were tried.
    pub(crate) fn locked(&self) -> Refusal {
        Refusal::Encrypted(if self.forbidden { Locked::Forbidden } else { Locked::after(self.passwords.list().len()) })
    }

    /// Asks `fits` of one password after the other. The first answer ends it.
    ///
    /// # Errors
    /// What `fits` fails with.
    pub(crate) fn find<T>(
        &self,
        mut fits: impl FnMut(&Password) -> Result<Option<T>, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        let list = self.passwords.list();
        let last = self.last.get();
        for at in std::iter::once(last).chain((0..list.len()).filter(|at| *at != last)) {
            let Some(password) = list.get(at) else { continue };
            if let Some(opened) = fits(password)? {
                self.last.set(at);
                return Ok(Some(opened));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
