//! Fax codings: modified Huffman (2), T.4 (3), T.6 (4).
//!
//! Source: ITU-T T.4, T.6; TIFF 6.0 sections 10 and 11. The code tables are those of the `fax` crate; the rows are built here,
//! because line ends, two-dimensional T.4 and damaged rows have to be dealt with as scanners' files need it.

use super::page::Compression;
use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader};
use model::Refusal;
use std::convert::Infallible;

/// Positions in a row at which the colour changes; it begins with white.
type Changes = Vec<u32>;

struct Rows<R> {
    bits: ByteReader<R>,
    width: u32,
}

/// Rows of `width` pixels, packed, black as 1. Rows that the data lacks are left out.
pub(super) fn decode(raw: &[u8], coding: Compression, width: usize, rows: usize) -> Result<Vec<u8>, Refusal> {
    let width = u32::try_from(width).map_err(|_| Refusal::unsupported("a fax of that width"))?;
    // The tables look some bits ahead of the last code.
    let padded = raw.iter().copied().chain([0; 4]).map(Ok::<u8, Infallible>);
    let Ok(bits) = ByteReader::new(padded);
    let mut reader = Rows { bits, width };
    let mut out = Vec::new();
    let mut above: Changes = Vec::new();
    for _ in 0..rows {
        let changes = match coding {
            Compression::Huffman => {
                let over = reader.bits.bits_to_byte_boundary();
                let Ok(()) = reader.bits.consume(over);
                reader.one_dimensional()
            }
            Compression::Fax3 { two_dimensional } => match reader.line_end(two_dimensional) {
                true => reader.two_dimensional(&above),
                false => reader.one_dimensional(),
            },
            Compression::Fax4 => reader.two_dimensional(&above),
            Compression::None | Compression::Lzw | Compression::Jpeg | Compression::Deflate | Compression::PackBits => {
                return Err(Refusal::internal("fax: coding"));
            }
        };
        let Some(changes) = changes else { break };
        paint(&changes, width, &mut out);
        above = changes;
    }
    Ok(out)
}

impl<R: Iterator<Item = Result<u8, Infallible>>> Rows<R> {
    fn skip(&mut self, bits: u8) {
        let Ok(()) = self.bits.consume(bits);
    }

    /// Skips fill and end-of-line codes; whether the row behind them is coded against the one above.
    fn line_end(&mut self, tagged: bool) -> bool {
        let mut against_above = false;
        loop {
            match self.bits.peek(12) {
                Some(0) => self.skip(1),
                Some(1) => {
                    self.skip(12);
                    if tagged {
                        against_above = self.bits.peek(1) == Some(0);
                        self.skip(1);
                    }
                }
                _ => return against_above,
            }
        }
    }

    fn run(&mut self, dark: bool) -> Option<u32> {
        let mut length = 0u32;
        loop {
            let code = if dark { black::decode(&mut self.bits)? } else { white::decode(&mut self.bits)? };
            length = length.saturating_add(code.into());
            if code < 64 {
                return Some(length);
            }
            if length > self.width {
                return None;
            }
        }
    }

    fn one_dimensional(&mut self) -> Option<Changes> {
        let (mut at, mut dark, mut changes) = (0u32, false, Vec::new());
        while at < self.width {
            let Some(run) = self.run(dark) else {
                // A row that breaks off keeps what it has; one without any code is the end.
                return (!changes.is_empty()).then_some(changes);
            };
            at = at.saturating_add(run);
            changes.push(at.min(self.width));
            dark = !dark;
        }
        Some(changes)
    }

    fn two_dimensional(&mut self, above: &[u32]) -> Option<Changes> {
        let (mut changes, mut dark) = (Changes::new(), false);
        // The imaginary change in front of the row (T.4, 4.2.1.1).
        let mut a0: Option<u32> = None;
        let mut index = 0usize;
        while a0.is_none_or(|a| a < self.width) {
            let here = a0.unwrap_or(0);
            // b1: the first change above, right of a0, to the other colour. Changes to black have even indices.
            index = index.saturating_sub(2);
            let to_the_right = |b: u32| a0.is_none_or(|a| b > a);
            while let Some(&b) = above.get(index) {
                if (index % 2 == 1) == dark && to_the_right(b) {
                    break;
                }
                index = index.saturating_add(1);
            }
            let b1 = above.get(index).copied().unwrap_or(self.width);
            let b2 = above.get(index.saturating_add(1)).copied().unwrap_or(self.width);
            match mode::decode(&mut self.bits)? {
                Mode::Pass => a0 = Some(b2),
                Mode::Vertical(delta) => {
                    let a1 = b1.saturating_add_signed(delta.into()).min(self.width).max(here);
                    changes.push(a1);
                    dark = !dark;
                    a0 = Some(a1);
                }
                Mode::Horizontal => {
                    let first = here.saturating_add(self.run(dark)?).min(self.width);
                    let second = first.saturating_add(self.run(!dark)?).min(self.width);
                    changes.extend([first, second]);
                    a0 = Some(second);
                }
                Mode::Extension | Mode::EOF => return None,
            }
            // Codes that don't advance can't go on for ever: a row has no more changes than pixels.
            if changes.len() > (self.width as usize).saturating_add(2) {
                return None;
            }
        }
        Some(changes)
    }
}

fn paint(changes: &[u32], width: u32, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start.saturating_add((width as usize).div_ceil(8)), 0);
    let row = out.get_mut(start..).unwrap_or_default();
    for pair in changes.chunks(2) {
        let [from, to] = match *pair {
            [from, to] => [from, to],
            [..] => continue,
        };
        fill(row, from as usize, to as usize);
    }
    if let ([.., from], true) = (changes, changes.len() % 2 == 1) {
        fill(row, *from as usize, width as usize);
    }
}

/// Sets the bits `from..to` of a row.
fn fill(row: &mut [u8], from: usize, to: usize) {
    let mut at = from;
    while at < to {
        let Some(byte) = row.get_mut(at / 8) else { return };
        if at.is_multiple_of(8) && to.saturating_sub(at) >= 8 {
            *byte = u8::MAX;
            at = at.saturating_add(8);
        } else {
            *byte |= 0x80 >> (at % 8);
            at = at.saturating_add(1);
        }
    }
}
