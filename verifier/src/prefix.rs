//! Prefix codes of at most 15 bits as tables, for deflate (RFC 1951, 3.2.2) and lossless WebP (RFC 9649, 3.7.2.1).

// An entry is 0 where no code leads. Else bits 0-3 hold the length of the code, 4-7 the number of extra bits, 8-11 the
// kind, 16-31 the literal, the base of the length or distance, or the place of the second table.
pub(crate) const LITERAL: u32 = 1 << 8;
pub(crate) const BASE: u32 = 2 << 8;
pub(crate) const END: u32 = 4 << 8;
pub(crate) const SECOND: u32 = 8 << 8;

/// The entry of a symbol that is its own value.
pub(crate) const fn plain_entry(symbol: u32) -> u32 {
    LITERAL | symbol << 16
}

/// The entry of a length or distance from `base` on, with `extra` bits to follow.
pub(crate) const fn base_entry(base: u32, extra: u32) -> u32 {
    BASE | base << 16 | extra << 4
}

/// A prefix code (RFC 1951, 3.2.2) as tables: `N = 1 << bits` entries for short codes, and second tables for the others.
pub(crate) struct Table<const N: usize> {
    first: [u32; N],
    second: Vec<u32>,
    bits: u32,
}

/// Longest code.
const MAX_BITS: u32 = 15;

impl<const N: usize> Table<N> {
    pub(crate) const fn new(bits: u32) -> Self {
        Self { first: [0; N], second: Vec::new(), bits }
    }

    pub(crate) fn clear(&mut self) {
        self.first.fill(0);
        self.second.clear();
    }

    /// Builds the tables for the code with these lengths (0: symbol not used).
    #[expect(clippy::arithmetic_side_effects, reason = "bound: lengths <= 15, at most 320 of them")]
    pub(crate) fn build(&mut self, lens: &[u8], entry: fn(u32) -> Option<u32>) -> Result<(), &'static str> {
        self.clear();
        let mut counts = [0u32; 16];
        for len in lens {
            *counts.get_mut(usize::from(*len)).ok_or("RFC 1951 3.2.2: length over 15")? += 1;
        }
        counts[0] = 0;
        let mut next = [0u32; 17];
        for (len, count) in (1..).zip(counts.iter().skip(1)) {
            let code = next.get(len).copied().unwrap_or_default() + count;
            if let Some(slot) = next.get_mut(len + 1) {
                *slot = code << 1;
            }
        }
        // After the last length the next code is one more than all ones, or the code has holes (or is full twice over).
        // A single code of one bit is the hole that 3.2.7 allows.
        let full = next[16] == 1 << 16;
        let single = counts.iter().sum::<u32>() == 1 && counts[1] == 1;
        if !full && !single {
            return Err("RFC 1951 3.2.2: code is not complete");
        }
        for (symbol, len) in (0u32..).zip(lens.iter().map(|len| u32::from(*len))).filter(|(_, len)| *len != 0) {
            let slot = next.get_mut(len as usize).ok_or("RFC 1951 3.2.2")?;
            let code = *slot;
            *slot += 1;
            if let Some(entry) = entry(symbol) {
                self.place(code.reverse_bits() >> (32 - len), len, entry | len);
            }
        }
        Ok(())
    }

    /// Enters one code, whose first bit is the lowest of `code`.
    #[expect(clippy::arithmetic_side_effects, reason = "bound: bits and len are at most 15, second tables at most 144")]
    fn place(&mut self, code: u32, len: u32, entry: u32) {
        if len <= self.bits {
            for slot in self.first.iter_mut().skip(code as usize).step_by(1 << len) {
                *slot = entry;
            }
            return;
        }
        let width = 1usize << (MAX_BITS - self.bits);
        let Some(link) = self.first.get_mut((code & ((1 << self.bits) - 1)) as usize) else {
            return;
        };
        if *link == 0 {
            let place = u32::try_from(self.second.len() / width).unwrap_or_default();
            *link = SECOND | place << 16;
            self.second.resize(self.second.len() + width, 0);
        }
        let from = (*link >> 16) as usize * width;
        let rest = (code >> self.bits) as usize;
        let table = self.second.get_mut(from..from + width).unwrap_or_default();
        for slot in table.iter_mut().skip(rest).step_by(1 << (len - self.bits)) {
            *slot = entry;
        }
    }

    /// The entry for the code at the low end of `held`, 0 where there is none.
    #[inline(always)]
    #[expect(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "bound: N is a power of two")]
    #[expect(clippy::cast_possible_truncation, reason = "bound: masked")]
    pub(crate) fn look(&self, held: u64) -> u32 {
        let entry = self.first[held as usize & (N - 1)];
        if entry & SECOND == 0 {
            return entry;
        }
        let width = MAX_BITS - self.bits;
        let place = (entry >> 16 << width) as usize + ((held >> self.bits) as usize & ((1 << width) - 1));
        self.second.get(place).copied().unwrap_or_default()
    }
}
