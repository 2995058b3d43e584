//! A reader that can't leave its slice: every step forward is bounded, and says the rule it broke.

use crate::Rejection;

/// A place in a slice. Offsets are counted from the start of that slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// Bytes read so far.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// What is still to be read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.data.get(self.at..).unwrap_or_default()
    }

    /// A rejection at this place.
    pub(crate) fn reject(&self, rule: impl Into<String>) -> Rejection {
        Rejection::new(self.at, rule)
    }

    /// The next `n` bytes; `rule` names what they were to be.
    pub(crate) fn take(&mut self, n: usize, rule: &str) -> Result<&'a [u8], Rejection> {
        let (taken, _) = self.rest().split_at_checked(n).ok_or_else(|| self.reject(format!("{rule}: file ends")))?;
        self.at = self.at.saturating_add(n);
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, rule: &str) -> Result<[u8; N], Rejection> {
        let (taken, _) = self.rest().split_first_chunk().ok_or_else(|| self.reject(format!("{rule}: file ends")))?;
        self.at = self.at.saturating_add(N);
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self, rule: &str) -> Result<u8, Rejection> {
        self.array::<1>(rule).map(|[byte]| byte)
    }

    pub(crate) fn u16_le(&mut self, rule: &str) -> Result<u16, Rejection> {
        self.array(rule).map(u16::from_le_bytes)
    }

    pub(crate) fn u16_be(&mut self, rule: &str) -> Result<u16, Rejection> {
        self.array(rule).map(u16::from_be_bytes)
    }

    pub(crate) fn u32_le(&mut self, rule: &str) -> Result<u32, Rejection> {
        self.array(rule).map(u32::from_le_bytes)
    }

    pub(crate) fn u32_be(&mut self, rule: &str) -> Result<u32, Rejection> {
        self.array(rule).map(u32::from_be_bytes)
    }

    /// Exactly these bytes.
    pub(crate) fn expect(&mut self, bytes: &[u8], rule: &str) -> Result<(), Rejection> {
        if self.rest().starts_with(bytes) {
            self.at = self.at.saturating_add(bytes.len());
            return Ok(());
        }
        Err(self.reject(rule))
    }

    /// Nothing may follow.
    pub(crate) fn end(&self, rule: &str) -> Result<(), Rejection> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.reject(format!("bytes after {rule}"))) }
    }
}
