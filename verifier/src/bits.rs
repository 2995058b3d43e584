//! Bits, least significant first, as deflate and lossless WebP pack them.

use crate::Rejection;

/// Bits, least significant first (RFC 1951, 3.1.1). Past the end zeros are seen, and using one of them is an error.
pub(crate) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    pub(crate) held: u64,
    /// How many bits of `held` are from `data`. Bits above may already hold the same data again.
    count: u32,
}

impl<'a> Bits<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, held: 0, count: 0 }
    }

    pub(crate) fn reject(&self, rule: &str) -> Rejection {
        Rejection::new(self.consumed(), rule)
    }

    /// Whole bytes used, counting a started one.
    pub(crate) fn consumed(&self) -> usize {
        self.at.saturating_sub((self.count >> 3) as usize)
    }

    /// Holds at least 56 bits, or all that are left.
    #[inline(always)]
    #[expect(clippy::arithmetic_side_effects, reason = "bound: count <= 63 and at + 8 <= data.len()")]
    pub(crate) fn refill(&mut self) {
        if let Some(word) = self.data.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            self.held |= u64::from_le_bytes(*word) << self.count;
            self.at += ((63 - self.count) >> 3) as usize;
            self.count |= 56;
        } else {
            self.refill_slowly();
        }
    }

    #[cold]
    #[expect(clippy::arithmetic_side_effects, reason = "bound: count < 56 before each step, at < data.len()")]
    fn refill_slowly(&mut self) {
        // What lies above `count` came with a whole word: drop it, the bytes are read again below.
        self.held &= (1u64 << self.count) - 1;
        while self.count < 56 {
            let Some(byte) = self.data.get(self.at) else { return };
            self.held |= u64::from(*byte) << self.count;
            self.count += 8;
            self.at += 1;
        }
    }

    #[inline(always)]
    #[expect(clippy::arithmetic_side_effects, reason = "bound: n <= count <= 63")]
    pub(crate) fn drop(&mut self, n: u32) -> Result<(), Rejection> {
        if n > self.count {
            return Err(self.reject("RFC 1951: stream ends early"));
        }
        self.held >>= n;
        self.count -= n;
        Ok(())
    }

    /// The next `n` (at most 16) bits.
    pub(crate) fn get(&mut self, n: u32) -> Result<u32, Rejection> {
        self.refill();
        let value = low(self.held, n);
        self.drop(n)?;
        Ok(value)
    }

    /// Skips to a whole byte. The bits between are no place for a message.
    pub(crate) fn align(&mut self) -> Result<(), Rejection> {
        self.refill();
        let n = self.count & 7;
        if low(self.held, n) != 0 {
            return Err(self.reject("RFC 1951: padding bits are not zero"));
        }
        self.drop(n)
    }

    /// The next `n` whole bytes, from an aligned place.
    pub(crate) fn bytes(&mut self, n: usize) -> Result<&'a [u8], Rejection> {
        let from = self.consumed();
        let end = from.saturating_add(n);
        let taken = self.data.get(from..end).ok_or_else(|| self.reject("RFC 1951: stream ends early"))?;
        (self.at, self.held, self.count) = (end, 0, 0);
        Ok(taken)
    }
}

/// The low `n` bits of `held`; n is at most 16.
#[inline(always)]
#[expect(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "bound: n <= 16")]
pub(crate) const fn low(held: u64, n: u32) -> u32 {
    (held & ((1 << n) - 1)) as u32
}
