//! Passwords: in memory only, wiped when they go. They have no form to be written in; `Debug` gives their number.

use crate::zip_read::to_cp437;
use std::sync::Arc;
use zeroize::Zeroizing;

/// One password.
pub struct Password(Zeroizing<String>);

impl Password {
    /// As it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// One that everybody knows.
    pub(crate) fn known(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// As programs put it into ZIP files: UTF-8, and where that differs, what Windows makes of it (APPNOTE says nothing;
    /// its own dialogs take the ANSI code page, others the one of DOS).
    pub(crate) fn bytes(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let mut all = vec![Zeroizing::new(self.0.as_bytes().to_vec())];
        if !self.0.is_ascii() {
            let (western, _, lossy) = encoding_rs::WINDOWS_1252.encode(&self.0);
            let western = (!lossy).then(|| western.into_owned());
            all.extend(western.into_iter().chain(to_cp437(&self.0)).map(Zeroizing::new));
        }
        all
    }

    /// As Office hashes it ([MS-OFFCRYPTO] 2.3.4.7): UTF-16, little-endian.
    pub(crate) fn utf_16(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.encode_utf16().flat_map(u16::to_le_bytes).collect())
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A list of passwords. Copies share the same memory.
#[derive(Clone)]
pub struct Passwords(Arc<[Password]>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Passwords({})", self.0.len())
    }
}

/// Why a list of passwords is not taken. Says the line, never the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// It is longer than [`Passwords::LONGEST`] bytes.
    Long(usize),
    /// It holds a control character.
    Control(usize),
    /// More than [`Passwords::MOST`] of them.
    Many,
    /// More than [`Passwords::MOST_BYTES`] bytes in all.
    Large,
}

impl std::fmt::Display for PasswordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Long(line) => write!(f, "the password in line {line} has more than {} bytes", Passwords::LONGEST),
            Self::Control(line) => write!(f, "the password in line {line} holds a control character"),
            Self::Many => write!(f, "there are more than {} passwords", Passwords::MOST),
            Self::Large => write!(f, "the passwords have more than {} bytes in all", Passwords::MOST_BYTES),
        }
    }
}

impl std::error::Error for PasswordError {}

impl Passwords {
    /// Ours: each one is tried on every encrypted file; nobody agrees on more with a supplier.
    pub const MOST: usize = 64;
    /// Office takes 255 characters ([MS-OFFCRYPTO] 2.3.4.11), PDF 127 bytes.
    pub const LONGEST: usize = 255;
    /// Ours: three lists (the file's, the session's, the station's) fit into the header of a job.
    pub const MOST_BYTES: usize = 8 * 1024;

    /// A list from a text: one a line, empty lines left out. Blanks belong to a password, the end of a line does not.
    ///
    /// # Errors
    /// [`PasswordError`] where it is too long or holds what nobody types.
    pub fn read(text: &str) -> Result<Self, PasswordError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self::new(text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)))
    }

    /// A list of `passwords`, in this order; empty ones and those said twice are left out.
    ///
    /// # Errors
    /// As [`Passwords::read`].
    pub fn new<'a>(passwords: impl IntoIterator<Item = &'a str>) -> Result<Self, PasswordError> {
        let mut list: Vec<Password> = Vec::new();
        let mut bytes = 0_usize;
        for (line, text) in (1_usize..).zip(passwords) {
            if text.is_empty() || list.iter().any(|known| known.text() == text) {
                continue;
            }
            if text.len() > Self::LONGEST {
                return Err(PasswordError::Long(line));
            }
            if text.chars().any(char::is_control) {
                return Err(PasswordError::Control(line));
            }
            bytes = bytes.saturating_add(text.len());
            list.push(Password(Zeroizing::new(text.to_owned())));
        }
        if list.len() > Self::MOST {
            return Err(PasswordError::Many);
        }
        if bytes > Self::MOST_BYTES {
            return Err(PasswordError::Large);
        }
        Ok(Self(list.into()))
    }

    /// All of `lists`, one after the other; what was said twice is there once.
    #[must_use]
    pub fn joined(lists: &[Self]) -> Self {
        let mut all: Vec<Password> = Vec::new();
        for password in lists.iter().flat_map(Self::list) {
            if all.iter().all(|known| known.text() != password.text()) {
                all.push(Password::known(password.text()));
            }
        }
        Self(all.into())
    }

    /// The passwords, in the order in which they are tried.
    #[must_use]
    pub fn list(&self) -> &[Password] {
        &self.0
    }
}
