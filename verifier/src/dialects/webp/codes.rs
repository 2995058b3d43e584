//! Prefix codes of lossless WebP (RFC 9649, 3.7.2).

use crate::bits::Bits;
use crate::prefix::{Table, plain_entry};
use crate::{Limits, Rejection};

/// Bits that a first table looks at.
const FIRST: u32 = 8;

/// One prefix code.
pub(super) enum Code {
    /// A code of one symbol takes no bits.
    Single(u32),
    Table(Box<Table<{ 1 << FIRST }>>),
}

impl Code {
    /// The next symbol. The caller has refilled: a code takes up to 15 bits.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u32, Rejection> {
        match self {
            Self::Single(symbol) => Ok(*symbol),
            Self::Table(table) => {
                let entry = table.look(bits.held);
                if entry == 0 {
                    return Err(bits.reject("RFC 9649 3.7.2: no such code"));
                }
                bits.drop(entry & 15)?;
                Ok(entry >> 16)
            }
        }
    }

    /// Reads a code over `alphabet` symbols.
    pub(super) fn read(bits: &mut Bits<'_>, alphabet: usize, limits: &mut Limits) -> Result<Self, Rejection> {
        // What a table takes, at most.
        limits.spend(alphabet.saturating_add(1 << (FIRST + 2)))?;
        if bits.get(1)? == 1 { Self::simple(bits, alphabet) } else { Self::normal(bits, alphabet) }
    }

    /// 3.7.2.1.1: one or two symbols.
    fn simple(bits: &mut Bits<'_>, alphabet: usize) -> Result<Self, Rejection> {
        let two = bits.get(1)? == 1;
        let width = if bits.get(1)? == 1 { 8 } else { 1 };
        let symbol = bits.get(width)?;
        let second = if two { Some(bits.get(8)?) } else { None };
        let outside = |symbol: u32| symbol as usize >= alphabet;
        if outside(symbol) || second.is_some_and(outside) || second == Some(symbol) {
            return Err(bits.reject("RFC 9649 3.7.2.1.1: symbols of a simple code"));
        }
        let Some(second) = second else { return Ok(Self::Single(symbol)) };
        let mut lens = vec![0; alphabet];
        for symbol in [symbol, second] {
            if let Some(len) = lens.get_mut(symbol as usize) {
                *len = 1;
            }
        }
        Self::build(&lens).map_err(|rule| bits.reject(rule))
    }

    /// 3.7.2.1.2: lengths that are themselves coded.
    fn normal(bits: &mut Bits<'_>, alphabet: usize) -> Result<Self, Rejection> {
        const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let mut kinds = [0u8; 19];
        let count = bits.get(4)?.saturating_add(4) as usize;
        for kind in ORDER.into_iter().take(count) {
            let len = bits.get(3)?;
            if let Some(slot) = kinds.get_mut(kind) {
                *slot = u8::try_from(len).unwrap_or_default();
            }
        }
        let kinds = Self::build(&kinds).map_err(|rule| bits.reject(rule))?;
        let mut left = alphabet;
        if bits.get(1)? == 1 {
            let width = bits.get(3)?.saturating_mul(2).saturating_add(2);
            left = bits.get(width)?.saturating_add(2) as usize;
            if left > alphabet {
                return Err(bits.reject("RFC 9649 3.7.2.1.2: max_symbol"));
            }
        }
        let lens = lengths(bits, &kinds, alphabet, left)?;
        Self::build(&lens).map_err(|rule| bits.reject(rule))
    }

    fn build(lens: &[u8]) -> Result<Self, &'static str> {
        let mut used = lens.iter().zip(0u32..).filter(|(len, _)| **len != 0);
        if let (Some((len, symbol)), None) = (used.next(), used.next()) {
            return if *len == 1 { Ok(Self::Single(symbol)) } else { Err("RFC 9649 3.7.2.1: length of a single code") };
        }
        let mut table = Table::new(FIRST);
        table.build(lens, |symbol| Some(plain_entry(symbol)))?;
        Ok(Self::Table(Box::new(table)))
    }
}

/// The lengths of `alphabet` codes, of which `left` are told (a repeat counts once).
fn lengths(bits: &mut Bits<'_>, kinds: &Code, alphabet: usize, left: usize) -> Result<Vec<u8>, Rejection> {
    let mut lens = Vec::with_capacity(alphabet);
    let mut before = 8u8;
    for _ in 0..left {
        if lens.len() == alphabet {
            break;
        }
        bits.refill();
        let (len, times) = match kinds.symbol(bits)? {
            16 => (before, bits.get(2)?.saturating_add(3)),
            17 => (0, bits.get(3)?.saturating_add(3)),
            18 => (0, bits.get(7)?.saturating_add(11)),
            len => {
                let len = u8::try_from(len).unwrap_or_default();
                before = if len == 0 { before } else { len };
                (len, 1)
            }
        };
        lens.resize(lens.len().saturating_add(times as usize), len);
        if lens.len() > alphabet {
            return Err(bits.reject("RFC 9649 3.7.2.1.2: repeats past the alphabet"));
        }
    }
    lens.resize(alphabet, 0);
    Ok(lens)
}
