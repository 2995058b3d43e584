//! Limits that are spent: one budget for a top-level input and everything inside it.

use crate::{Limits, Locked, Refusal};
use std::io::Read;

/// Which limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// Bytes that decompression and decoding brought forth.
    ExpandedBytes,
    /// Members, parts, objects, frames.
    Entries,
    /// Containers in containers.
    Depth,
    /// Pixels of one picture.
    Pixels,
    /// Bytes of the input itself.
    InputBytes,
    /// Nesting inside one file: elements, arrays, forms.
    Nesting,
    /// Rounds of hashing that turn passwords into keys.
    KeyIterations,
}

impl std::fmt::Display for LimitKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ExpandedBytes => "expanded bytes",
            Self::Entries => "entries",
            Self::Depth => "depth",
            Self::Pixels => "pixels",
            Self::InputBytes => "input bytes",
            Self::Nesting => "nesting",
            Self::KeyIterations => "key iterations",
        })
    }
}

/// What is left of the policy's limits. Spending is the only way to use it, and it never goes up again.
#[derive(Clone, Debug)]
pub struct Budget {
    expanded_bytes: u64,
    entries: u64,
    depth: u8,
    pixels: u64,
    key_iterations: u64,
}

impl Budget {
    /// The whole of what `limits` allow one top-level input.
    #[must_use]
    pub const fn new(limits: &Limits) -> Self {
        Self {
            expanded_bytes: limits.expanded_bytes,
            entries: limits.entries,
            depth: limits.depth,
            pixels: limits.pixels,
            key_iterations: limits.key_iterations,
        }
    }

    /// Spends `n` bytes of expansion.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where fewer are left; the budget is then empty.
    pub fn spend_bytes(&mut self, n: u64) -> Result<(), Refusal> {
        spend(&mut self.expanded_bytes, n, LimitKind::ExpandedBytes)
    }

    /// Spends `n` members, parts, objects or frames.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where fewer are left; the budget is then empty.
    pub fn spend_entries(&mut self, n: u64) -> Result<(), Refusal> {
        spend(&mut self.entries, n, LimitKind::Entries)
    }

    /// Spends `n` rounds of hashing on trying a password.
    ///
    /// # Errors
    /// [`Locked::TooCostly`] where fewer are left; none are then. Only what is encrypted needs them, so this refuses
    /// one file and spoils no container.
    pub fn spend_key_iterations(&mut self, n: u64) -> Result<(), Refusal> {
        let allowed = self.key_iterations;
        let costly = |_| Refusal::Encrypted(Locked::TooCostly { asked: n, allowed });
        spend(&mut self.key_iterations, n, LimitKind::KeyIterations).map_err(costly)
    }

    /// Checks that a picture of this size may be held at all, and spends `bytes_per_pixel` for each of its pixels.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the picture is larger than the policy's `pixels`, or the bytes are not there.
    pub fn spend_pixels(&mut self, width: u32, height: u32, bytes_per_pixel: u32) -> Result<(), Refusal> {
        let pixels = u64::from(width).saturating_mul(u64::from(height));
        if pixels > self.pixels {
            return Err(Refusal::Limit { limit: LimitKind::Pixels, asked: pixels, allowed: self.pixels });
        }
        self.spend_bytes(pixels.saturating_mul(u64::from(bytes_per_pixel)))
    }

    /// What `limits` allow an input of `len` bytes: a small file has no business to become gigabytes (GEN-05), so what
    /// it may expand to also depends on what it brought.
    #[must_use]
    pub fn for_input(limits: &Limits, len: u64) -> Self {
        let expanded_bytes = limits.expanded_bytes.min(Self::plausible(len));
        Self { expanded_bytes, ..Self::new(limits) }
    }

    /// Ours: 1 GiB for any file (three of the largest pictures that policy allows), or 200 times what came in. Text and
    /// sheets compress 5 to 50 fold; deflate ends at 1032.
    #[must_use]
    pub fn plausible(len: u64) -> u64 {
        len.saturating_mul(200).max(1 << 30)
    }

    /// Bytes of expansion that are left: the cap to hand to a decoder that has one of its own.
    #[must_use]
    pub const fn bytes_left(&self) -> u64 {
        self.expanded_bytes
    }

    /// Pixels that one picture may have.
    #[must_use]
    pub const fn pixels_allowed(&self) -> u64 {
        self.pixels
    }

    /// Runs `work` one container deeper. Bytes and entries are spent from this same budget.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the policy's depth is used up, else what `work` returns.
    pub fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let below =
            self.depth.checked_sub(1).ok_or(Refusal::Limit { limit: LimitKind::Depth, asked: 1, allowed: 0 })?;
        self.depth = below;
        let result = work(self);
        self.depth = below.saturating_add(1);
        result
    }

    /// Reads `from` to its end, spending each byte before more is asked for. The buffer grows with what is really
    /// there, never with what a header promises.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the stream is longer than what is left, [`Refusal::Malformed`] where it can't be read.
    pub fn read(&mut self, mut from: impl Read) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::new();
        let mut block = [0u8; 32 * 1024];
        loop {
            let n = match from.read(&mut block) {
                Ok(0) => return Ok(out),
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Refusal::malformed(out.len() as u64, format!("stream ends early: {error}"))),
            };
            self.spend_bytes(n as u64)?;
            out.extend_from_slice(block.get(..n).unwrap_or_default());
        }
    }
}

fn spend(left: &mut u64, n: u64, limit: LimitKind) -> Result<(), Refusal> {
    match left.checked_sub(n) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => {
            let allowed = std::mem::take(left);
            Err(Refusal::Limit { limit, asked: n, allowed })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Budget {
        Budget { expanded_bytes: 100, entries: 2, depth: 1, pixels: 50, key_iterations: 10 }
    }

    #[test]
    fn what_is_spent_stays_spent_and_an_overdraft_empties_the_purse() {
        let mut budget = small();
        budget.spend_bytes(60).unwrap();
        assert!(budget.spend_bytes(60).is_err());
        assert!(budget.spend_bytes(1).is_err(), "no second try after an overdraft");
    }

    #[test]
    fn trying_passwords_is_paid_for_and_ends_with_a_reason_of_its_own() {
        let mut budget = small();
        budget.spend_key_iterations(6).unwrap();
        let refused = budget.spend_key_iterations(5).unwrap_err();
        assert_eq!(refused, Refusal::Encrypted(Locked::TooCostly { asked: 5, allowed: 4 }));
        assert!(budget.spend_key_iterations(1).is_err(), "no second try after an overdraft");
        budget.spend_bytes(100).unwrap();
    }

    #[test]
    fn a_stream_is_read_only_as_far_as_the_budget_goes() {
        let mut budget = small();
        assert_eq!(budget.read(&[7u8; 80][..]).unwrap().len(), 80);
        assert!(matches!(budget.read(std::io::repeat(0)), Err(Refusal::Limit { .. })));
    }

    #[test]
    fn depth_comes_back_on_the_way_up_but_bytes_do_not() {
        let mut budget = small();
        budget.deeper(|b| b.spend_bytes(40)).unwrap();
        budget.deeper(|b| b.spend_bytes(40)).unwrap();
        assert_eq!(budget.bytes_left(), 20);
        assert!(budget.deeper(|b| b.deeper(|_| Ok(()))).is_err());
    }

    #[test]
    fn a_small_file_may_not_become_gigabytes() {
        let limits = crate::Policy::standard().limits;
        assert_eq!(Budget::for_input(&limits, 1_000).bytes_left(), 1 << 30);
        assert_eq!(Budget::for_input(&limits, 10 << 20).bytes_left(), 2_000 << 20);
        assert_eq!(Budget::for_input(&limits, 4 << 30).bytes_left(), limits.expanded_bytes);
    }

    #[test]
    fn a_huge_picture_is_refused_before_it_is_held() {
        let mut budget = small();
        assert!(budget.spend_pixels(u32::MAX, u32::MAX, 4).is_err());
        assert!(budget.spend_pixels(5, 5, 4).is_ok());
    }
}
