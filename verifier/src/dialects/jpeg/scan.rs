//! The entropy-coded segment (T.81, F.2.2): bits, most significant first, with FF stuffed.

use super::tables::Huffman;
use crate::Rejection;

/// Of a component: its codes, and the DC coefficient of its last block.
#[derive(Clone)]
pub(super) struct Component {
    dc: &'static Huffman,
    ac: &'static Huffman,
    before: i32,
}

impl Component {
    pub(super) const fn new(dc: &'static Huffman, ac: &'static Huffman) -> Self {
        Self { dc, ac, before: 0 }
    }
}

/// The bits of the scan.
pub(super) struct Scan<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, from the top.
    held: u64,
    /// How many bits of `held` count. Bits below may already hold the same data again.
    count: u32,
}

impl<'a> Scan<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, held: 0, count: 0 }
    }

    pub(super) fn reject(&self, rule: &str) -> Rejection {
        Rejection::new(self.at, rule)
    }

    /// Holds at least 32 bits, or all up to the next marker.
    #[inline(always)]
    #[expect(clippy::arithmetic_side_effects, reason = "bound: count < 32 and at + 8 <= data.len()")]
    fn refill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some(eight) = self.data.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_be_bytes(*eight);
            // No byte is FF: in the complement no byte is 0.
            if (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 == 0 {
                self.held |= word >> self.count;
                self.at += ((63 - self.count) >> 3) as usize;
                self.count |= 56;
                return;
            }
        }
        self.refill_slowly();
    }

    #[cold]
    #[expect(clippy::arithmetic_side_effects, reason = "bound: count <= 56 before each step, at < data.len()")]
    fn refill_slowly(&mut self) {
        if self.count == 0 {
            self.held = 0;
        } else {
            self.held &= u64::MAX << (64 - self.count);
        }
        while self.count <= 56 {
            let byte = match self.data.get(self.at..) {
                Some([0xFF, 0, ..]) => {
                    self.at += 2;
                    0xFF
                }
                Some([0xFF, ..] | []) | None => return,
                Some([byte, ..]) => {
                    self.at += 1;
                    *byte
                }
            };
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    #[inline(always)]
    #[expect(clippy::arithmetic_side_effects, reason = "bound: n <= count, and n <= 27")]
    fn drop(&mut self, n: u32) -> Result<(), Rejection> {
        if n > self.count {
            return Err(self.reject("T.81 F.2.2: scan ends before its last MCU"));
        }
        self.held <<= n;
        self.count -= n;
        Ok(())
    }

    /// The next code's value and length.
    #[inline(always)]
    fn code(&mut self, table: &Huffman) -> Result<(u32, u32), Rejection> {
        self.refill();
        let entry = u32::from(table.look((self.held >> 48) as u16));
        if entry == 0 {
            return Err(self.reject("T.81 F.2.2.3: no such code"));
        }
        Ok((entry & 0xFF, entry >> 8))
    }

    /// One block (F.2.2.1, F.2.2.2). A run of zeros must end in a coefficient: an encoder that has none left says EOB.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "bound: sizes <= 15, k <= 63 + 16, |DC| <= 2047 before each step"
    )]
    pub(super) fn block(&mut self, component: &mut Component) -> Result<(), Rejection> {
        let (size, len) = self.code(component.dc)?;
        self.drop(len)?;
        component.before += self.difference(size)?;
        if component.before.abs() > 2047 {
            return Err(self.reject("T.81 F.1.2.1: DC coefficient out of range"));
        }
        let mut k = 1u32;
        let mut zeros = false;
        while k < 64 {
            let (value, len) = self.code(component.ac)?;
            let (run, size) = (value >> 4, value & 15);
            self.drop(len + size)?;
            if size != 0 {
                k += run + 1;
                zeros = false;
                continue;
            }
            if run == 0 {
                if zeros {
                    return Err(self.reject("our dialect: EOB behind a run of zeros"));
                }
                return Ok(());
            }
            k += 16;
            zeros = true;
        }
        if k > 64 || zeros {
            return Err(self.reject("T.81 F.2.2.2: coefficient outside the block"));
        }
        Ok(())
    }

    /// The DC difference of `size` bits (F.2.2.1, EXTEND).
    #[inline(always)]
    #[expect(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "bound: size <= 11")]
    fn difference(&mut self, size: u32) -> Result<i32, Rejection> {
        if size == 0 {
            return Ok(0);
        }
        let bits = (self.held >> (64 - size)) as i32;
        self.drop(size)?;
        Ok(if bits < 1 << (size - 1) { bits - (1 << size) + 1 } else { bits })
    }

    /// After the last MCU: bits that pad are 1 (F.1.2.3), and nothing else comes before the marker. Returns where that is.
    pub(super) fn finish(mut self) -> Result<usize, Rejection> {
        self.refill();
        let padding = self.count & 7;
        if self.count != padding {
            return Err(self.reject("our dialect: data after the last MCU"));
        }
        if self.held.leading_ones() < padding {
            return Err(self.reject("T.81 F.1.2.3: padding bits are not 1"));
        }
        Ok(self.at)
    }
}
