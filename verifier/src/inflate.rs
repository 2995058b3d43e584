//! Inflate (RFC 1951) and the zlib wrapper (RFC 1950), strict: padding bits are zero, codes are complete, nothing is
//! repaired. Output passes through a fixed window to a sink, so that a picture need not be held to be checked.

use crate::bits::{Bits, low};
use crate::prefix::{BASE, END, LITERAL, Table, base_entry, plain_entry};
use crate::{Limits, Rejection};

/// How far back a match may reach (RFC 1951, 2).
const WINDOW: usize = 32 * 1024;
/// The buffer: the window and three more of it before it has to be moved.
const BUFFER: usize = 4 * WINDOW;
/// Longest match, and the seven bytes that copying by eights may write past it.
const MARGIN: usize = 258 + 8;

/// Takes decoded bytes as they come.
pub(crate) type Sink<'s> = dyn FnMut(&[u8]) -> Result<(), Rejection> + 's;

/// Inflates a raw stream from the start of `data` to at most `max` bytes. Returns them, and how many bytes of `data`
/// the stream took; what follows is the caller's to judge.
///
/// # Errors
/// A broken rule, more than `max` bytes, or more than `limits` allow.
pub(crate) fn inflate_raw(data: &[u8], max: usize, limits: &mut Limits) -> Result<(Vec<u8>, usize), Rejection> {
    let mut out = Vec::new();
    let consumed = inflate_to(data, limits, &mut |chunk| append(&mut out, chunk, max))?;
    Ok((out, consumed))
}

/// Inflates a zlib stream from the start of `data`, as [`inflate_raw`].
///
/// # Errors
/// As [`inflate_raw`], or a wrong header or Adler-32.
#[allow(dead_code, reason = "for streams that are held whole, as in PDF")]
pub(crate) fn zlib(data: &[u8], max: usize, limits: &mut Limits) -> Result<(Vec<u8>, usize), Rejection> {
    let mut out = Vec::new();
    let consumed = zlib_to(data, limits, &mut |chunk| append(&mut out, chunk, max))?;
    Ok((out, consumed))
}

fn append(out: &mut Vec<u8>, chunk: &[u8], max: usize) -> Result<(), Rejection> {
    if chunk.len() > max.saturating_sub(out.len()) {
        return Err(Rejection::new(out.len(), "inflate: longer than declared"));
    }
    out.extend_from_slice(chunk);
    Ok(())
}

/// Inflates a zlib stream into `sink`, and returns how many bytes of `data` it took.
///
/// # Errors
/// As [`zlib`], or what `sink` says.
pub(crate) fn zlib_to(data: &[u8], limits: &mut Limits, sink: &mut Sink<'_>) -> Result<usize, Rejection> {
    let Some(([cmf, flg], body)) = data.split_first_chunk::<2>() else {
        return Err(Rejection::new(0, "RFC 1950 2.2: header"));
    };
    // Deflate with the whole window and no preset dictionary is all that we write.
    if *cmf != 0x78 || u16::from_be_bytes([*cmf, *flg]) % 31 != 0 || flg & 0x20 != 0 {
        return Err(Rejection::new(0, "RFC 1950 2.2: CMF and FLG"));
    }
    let mut sum = Adler::default();
    let taken = inflate_to(body, limits, &mut |chunk| {
        sum.add(chunk);
        sink(chunk)
    })?;
    let trailer = body.get(taken..).and_then(<[u8]>::first_chunk::<4>);
    if trailer.map(|t| u32::from_be_bytes(*t)) != Some(sum.value()) {
        return Err(Rejection::new(taken.saturating_add(2), "RFC 1950 2.2: ADLER32"));
    }
    Ok(taken.saturating_add(6))
}

/// Inflates a raw stream into `sink`, and returns how many bytes of `data` it took.
///
/// # Errors
/// As [`inflate_raw`], or what `sink` says.
pub(crate) fn inflate_to(data: &[u8], limits: &mut Limits, sink: &mut Sink<'_>) -> Result<usize, Rejection> {
    let mut bits = Bits::new(data);
    let mut out = Out { buffer: vec![0; BUFFER], at: 0, sent: 0, limits, sink };
    let mut codes = Codes::new();
    loop {
        let last = bits.get(1)? == 1;
        match bits.get(2)? {
            0 => stored(&mut bits, &mut out)?,
            1 => {
                codes.fixed()?;
                block(&mut bits, &codes, &mut out)?;
            }
            2 => {
                codes.read(&mut bits)?;
                block(&mut bits, &codes, &mut out)?;
            }
            _ => return Err(bits.reject("RFC 1951 3.2.3: BTYPE 11")),
        }
        if last {
            break;
        }
    }
    out.send()?;
    bits.align()?;
    Ok(bits.consumed())
}

/// Decoded bytes: the window behind `at`, of which all before `sent` have gone to the sink.
struct Out<'a, 's> {
    buffer: Vec<u8>,
    at: usize,
    sent: usize,
    limits: &'a mut Limits,
    sink: &'a mut Sink<'s>,
}

impl Out<'_, '_> {
    /// Hands over what is new.
    fn send(&mut self) -> Result<(), Rejection> {
        let new = self.buffer.get(self.sent..self.at).unwrap_or_default();
        self.limits.spend(new.len())?;
        (self.sink)(new)?;
        self.sent = self.at;
        Ok(())
    }

    /// Makes room for a longest match by moving the window to the front.
    #[cold]
    fn make_room(&mut self) -> Result<(), Rejection> {
        self.send()?;
        let from = self.at.saturating_sub(WINDOW);
        self.buffer.copy_within(from..self.at, 0);
        self.at = self.at.saturating_sub(from);
        self.sent = self.at;
        Ok(())
    }

    /// Appends bytes that are stored as they are.
    fn append(&mut self, mut bytes: &[u8]) -> Result<(), Rejection> {
        while !bytes.is_empty() {
            if self.at > BUFFER.saturating_sub(MARGIN) {
                self.make_room()?;
            }
            let room = self.buffer.get_mut(self.at..).unwrap_or_default();
            let n = room.len().min(bytes.len());
            let (now, later) = bytes.split_at(n);
            for (to, from) in room.iter_mut().zip(now) {
                *to = *from;
            }
            self.at = self.at.saturating_add(n);
            bytes = later;
        }
        Ok(())
    }
}

/// RFC 1951, 3.2.4.
fn stored(bits: &mut Bits<'_>, out: &mut Out<'_, '_>) -> Result<(), Rejection> {
    bits.align()?;
    let (len, complement) = (bits.get(16)?, bits.get(16)?);
    if len != complement ^ 0xFFFF {
        return Err(bits.reject("RFC 1951 3.2.4: NLEN"));
    }
    out.append(bits.bytes(len as usize)?)
}

/// Bits that the first table of literals and lengths looks at.
const LIT_BITS: u32 = 11;
/// Bits that the first table of distances looks at.
const DIST_BITS: u32 = 9;

/// The two codes of a block.
struct Codes {
    lit: Box<Table<{ 1 << LIT_BITS }>>,
    dist: Box<Table<{ 1 << DIST_BITS }>>,
    /// The tables hold the fixed codes.
    fixed: bool,
}

impl Codes {
    fn new() -> Self {
        Self { lit: Box::new(Table::new(LIT_BITS)), dist: Box::new(Table::new(DIST_BITS)), fixed: false }
    }

    /// RFC 1951, 3.2.6.
    fn fixed(&mut self) -> Result<(), Rejection> {
        if self.fixed {
            return Ok(());
        }
        let mut lit = [8u8; 288];
        for (symbol, len) in lit.iter_mut().enumerate() {
            *len = match symbol {
                144..=255 => 9,
                256..=279 => 7,
                _ => 8,
            };
        }
        self.lit.build(&lit, lit_entry).map_err(|rule| Rejection::new(0, rule))?;
        self.dist.build(&[5; 32], dist_entry).map_err(|rule| Rejection::new(0, rule))?;
        self.fixed = true;
        Ok(())
    }

    /// RFC 1951, 3.2.7.
    fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), Rejection> {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        self.fixed = false;
        let lits = bits.get(5)?.saturating_add(257) as usize;
        let dists = bits.get(5)?.saturating_add(1) as usize;
        let kinds = bits.get(4)?.saturating_add(4) as usize;
        if lits > 286 || dists > 30 {
            return Err(bits.reject("RFC 1951 3.2.7: HLIT or HDIST"));
        }
        let mut kind_lens = [0u8; 19];
        for kind in ORDER.into_iter().take(kinds) {
            let len = bits.get(3)?;
            if let Some(slot) = kind_lens.get_mut(kind) {
                *slot = u8::try_from(len).unwrap_or_default();
            }
        }
        let mut kind_table = Table::<128>::new(7);
        kind_table.build(&kind_lens, |symbol| Some(plain_entry(symbol))).map_err(|rule| bits.reject(rule))?;
        let lens = code_lengths(bits, &kind_table, lits.saturating_add(dists))?;
        let (lit, dist) = lens.split_at_checked(lits).unwrap_or_default();
        if lit.get(256) == Some(&0) {
            return Err(bits.reject("RFC 1951 3.2.7: no code for the end of the block"));
        }
        self.lit.build(lit, lit_entry).map_err(|rule| bits.reject(rule))?;
        match dist.iter().filter(|len| **len != 0).count() {
            // "One distance code of zero bits means that there are no distance codes used at all."
            0 => self.dist.clear(),
            _ => self.dist.build(dist, dist_entry).map_err(|rule| bits.reject(rule))?,
        }
        Ok(())
    }
}

/// The code lengths of both codes, in one run.
fn code_lengths(bits: &mut Bits<'_>, kinds: &Table<128>, total: usize) -> Result<Vec<u8>, Rejection> {
    let mut lens: Vec<u8> = Vec::with_capacity(total);
    while lens.len() < total {
        bits.refill();
        let entry = kinds.look(bits.held);
        if entry == 0 {
            return Err(bits.reject("RFC 1951 3.2.7: code length code"));
        }
        bits.drop(entry & 15)?;
        let (len, times) = match entry >> 16 {
            16 => {
                let last = lens.last().copied().ok_or_else(|| bits.reject("RFC 1951 3.2.7: nothing to repeat"))?;
                (last, bits.get(2)?.saturating_add(3))
            }
            17 => (0, bits.get(3)?.saturating_add(3)),
            18 => (0, bits.get(7)?.saturating_add(11)),
            len => (u8::try_from(len).unwrap_or_default(), 1),
        };
        lens.resize(lens.len().saturating_add(times as usize), len);
    }
    if lens.len() != total {
        return Err(bits.reject("RFC 1951 3.2.7: repeats past the end"));
    }
    Ok(lens)
}

/// RFC 1951, 3.2.5: lengths 3 to 10 have no extra bits, then each four symbols one more, and the last is 258;
/// `None` for the two symbols that never occur.
#[expect(clippy::arithmetic_side_effects, reason = "bound: symbol - 257 is 8 to 27 where it is computed with")]
fn lit_entry(symbol: u32) -> Option<u32> {
    match symbol {
        0..=255 => Some(plain_entry(symbol)),
        256 => Some(END),
        257..=264 => Some(base_entry(symbol - 254, 0)),
        265..=284 => {
            let index = symbol - 257;
            let extra = index / 4 - 1;
            Some(base_entry(((4 + index % 4) << extra) + 3, extra))
        }
        285 => Some(base_entry(258, 0)),
        _ => None,
    }
}

/// RFC 1951, 3.2.5: distances 1 to 4 have no extra bits, then each pair of symbols one more.
#[expect(clippy::arithmetic_side_effects, reason = "bound: symbol < 30")]
fn dist_entry(symbol: u32) -> Option<u32> {
    match symbol {
        0..=3 => Some(base_entry(symbol + 1, 0)),
        4..=29 => {
            let extra = symbol / 2 - 1;
            let base = ((2 + symbol % 2) << extra) + 1;
            Some(base_entry(base, extra))
        }
        _ => None,
    }
}

/// The symbols of one block, to its end.
///
/// One refill gives 56 bits, and a length with its distance takes at most 15 + 5 + 15 + 13.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "bound: at <= BUFFER - MARGIN at the head of the loop, counts <= 63"
)]
#[expect(clippy::cast_possible_truncation, reason = "bound: the value of a literal is a byte")]
fn block(bits: &mut Bits<'_>, codes: &Codes, out: &mut Out<'_, '_>) -> Result<(), Rejection> {
    let mut at = out.at;
    let outcome = loop {
        if at > BUFFER - MARGIN {
            out.at = at;
            out.make_room()?;
            at = out.at;
        }
        bits.refill();
        let mut entry = codes.lit.look(bits.held);
        if entry & LITERAL != 0 {
            bits.drop(entry & 15)?;
            put(&mut out.buffer, at, (entry >> 16) as u8);
            at += 1;
            // A second literal fits into the same refill; a length might not.
            entry = codes.lit.look(bits.held);
            if entry & LITERAL != 0 {
                bits.drop(entry & 15)?;
                put(&mut out.buffer, at, (entry >> 16) as u8);
                at += 1;
                continue;
            }
            bits.refill();
        }
        if entry & BASE == 0 {
            if entry & END == 0 {
                break Err(bits.reject("RFC 1951 3.2.5: no such literal or length"));
            }
            break bits.drop(entry & 15);
        }
        bits.drop(entry & 15)?;
        let extra = entry >> 4 & 15;
        let len = ((entry >> 16) + low(bits.held, extra)) as usize;
        bits.drop(extra)?;
        let entry = codes.dist.look(bits.held);
        if entry == 0 {
            break Err(bits.reject("RFC 1951 3.2.5: no such distance"));
        }
        bits.drop(entry & 15)?;
        let extra = entry >> 4 & 15;
        let distance = ((entry >> 16) + low(bits.held, extra)) as usize;
        bits.drop(extra)?;
        if distance > at {
            break Err(bits.reject("RFC 1951 3.2.3: distance before the start"));
        }
        repeat(&mut out.buffer, at, distance, len);
        at += len;
    };
    out.at = at;
    outcome
}

#[inline(always)]
fn put(buffer: &mut [u8], at: usize, byte: u8) {
    if let Some(slot) = buffer.get_mut(at) {
        *slot = byte;
    }
}

/// Copies `len` bytes from `distance` back; may write up to 7 bytes more, which later bytes overwrite.
#[inline(always)]
#[expect(clippy::arithmetic_side_effects, reason = "bound: 0 < distance <= at <= BUFFER - MARGIN, len <= 258")]
#[expect(clippy::indexing_slicing, reason = "bound: at + len + 7 < BUFFER")]
fn repeat(buffer: &mut [u8], at: usize, distance: usize, len: usize) {
    let (mut from, mut to) = (at - distance, at);
    let end = at + len;
    if distance >= 8 {
        while to < end {
            let mut eight = [0u8; 8];
            eight.copy_from_slice(&buffer[from..from + 8]);
            buffer[to..to + 8].copy_from_slice(&eight);
            from += 8;
            to += 8;
        }
    } else if distance == 1 {
        let byte = buffer[from];
        buffer[at..end].fill(byte);
    } else {
        while to < end {
            buffer[to] = buffer[from];
            from += 1;
            to += 1;
        }
    }
}

/// Adler-32 (RFC 1950, 8.2).
pub(crate) struct Adler {
    a: u32,
    b: u32,
}

impl Default for Adler {
    fn default() -> Self {
        Self { a: 1, b: 0 }
    }
}

impl Adler {
    /// Adds bytes, 32 a step so that the compiler can use vectors.
    #[expect(clippy::arithmetic_side_effects, reason = "bound: at most 5536 bytes between reductions, as RFC 1950 9")]
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        const MODULUS: u32 = 65_521;
        for run in bytes.chunks(5536) {
            let (blocks, rest) = run.as_chunks::<32>();
            for block in blocks {
                let (mut sum, mut weighed) = (0u32, 0u32);
                for (byte, weight) in block.iter().zip((1..=32u32).rev()) {
                    sum += u32::from(*byte);
                    weighed += u32::from(*byte) * weight;
                }
                self.b += 32 * self.a + weighed;
                self.a += sum;
            }
            for byte in rest {
                self.a += u32::from(*byte);
                self.b += self.a;
            }
            self.a %= MODULUS;
            self.b %= MODULUS;
        }
    }

    pub(crate) const fn value(&self) -> u32 {
        self.b << 16 | self.a
    }
}

#[cfg(test)]
mod tests;
