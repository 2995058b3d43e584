//! Stream filters (ISO 32000-1 clause 7.4), decoded under the budget. Damaged data gives what could be decoded, as in
//! viewers; a stream that grows past [`MAX_STREAM`] is refused.

use super::walk::{names as names_of, objects};
use flate2::{Decompress, FlushDecompress, Status};
use hayro::hayro_syntax::object::{Dict, Object, Stream};
use model::{Budget, LimitKind, Refusal};
use std::borrow::Cow;

/// Ours: more than any picture that the policy's pixels allow, and what one jail can hold twice.
pub const MAX_STREAM: usize = 192 << 20;
/// Ours: PDF-16. Real files have at most three.
const MAX_FILTERS: usize = 4;

/// A filter of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ASCIIHexDecode.
    Hex,
    /// ASCII85Decode.
    Ascii85,
    /// LZWDecode.
    Lzw,
    /// FlateDecode.
    Flate,
    /// RunLengthDecode.
    RunLength,
    /// CCITTFaxDecode.
    Ccitt,
    /// JBIG2Decode.
    Jbig2,
    /// DCTDecode.
    Dct,
    /// JPXDecode.
    Jpx,
    /// Crypt: already undone by the reader.
    Crypt,
}

impl Kind {
    /// The filter with this name, abbreviated or not.
    pub fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"ASCIIHexDecode" | b"AHx" => Self::Hex,
            b"ASCII85Decode" | b"A85" => Self::Ascii85,
            b"LZWDecode" | b"LZW" => Self::Lzw,
            b"FlateDecode" | b"Fl" => Self::Flate,
            b"RunLengthDecode" | b"RL" => Self::RunLength,
            b"CCITTFaxDecode" | b"CCF" => Self::Ccitt,
            b"JBIG2Decode" => Self::Jbig2,
            b"DCTDecode" | b"DCT" => Self::Dct,
            b"JPXDecode" => Self::Jpx,
            b"Crypt" => Self::Crypt,
            _ => return None,
        })
    }
}

/// Parameters of a filter, of all filters at once: each reads its own.
#[derive(Clone, Debug)]
pub struct Parms {
    /// 1 none, 2 TIFF, 10 and more PNG.
    pub predictor: i64,
    /// Components of a sample, for the predictor.
    pub colors: usize,
    /// Bits of a component, for the predictor.
    pub bits: usize,
    /// Samples of a row; CCITT: 1728 where it is missing.
    pub columns: Option<u32>,
    /// LZW: codes grow one early.
    pub early_change: bool,
    /// CCITT: the scheme.
    pub k: i64,
    /// CCITT: 1 is black.
    pub black_is_1: bool,
    /// CCITT: rows start on a byte.
    pub byte_align: bool,
    /// CCITT: rows end with a mark.
    pub end_of_line: bool,
    /// CCITT: the data ends with a mark.
    pub end_of_block: bool,
    /// JBIG2: shared segments.
    pub globals: Option<Vec<u8>>,
    /// DCT: 0 for no YCbCr.
    pub color_transform: Option<i64>,
}

impl Default for Parms {
    fn default() -> Self {
        Self {
            predictor: 1,
            colors: 1,
            bits: 8,
            columns: None,
            early_change: true,
            k: 0,
            black_is_1: false,
            byte_align: false,
            end_of_line: false,
            end_of_block: true,
            globals: None,
            color_transform: None,
        }
    }
}

impl Parms {
    fn read(dict: &Dict<'_>, budget: &mut Budget) -> Result<Self, Refusal> {
        let int = |key: &str| dict.get::<hayro::hayro_syntax::object::Number>(key).map(|n| n.as_i64());
        let flag = |key: &str, default: bool| dict.get::<bool>(key).unwrap_or(default);
        let size = |key: &str| int(key).and_then(|n| u32::try_from(n).ok());
        let globals = match dict.get::<Stream<'_>>("JBIG2Globals") {
            Some(stream) => Some(decode(&stream, budget)?.data.into_owned()),
            None => None,
        };
        Ok(Self {
            predictor: int("Predictor").unwrap_or(1),
            colors: size("Colors").map_or(1, |n| n as usize),
            bits: size("BitsPerComponent").map_or(8, |n| n as usize),
            columns: size("Columns"),
            early_change: int("EarlyChange").unwrap_or(1) != 0,
            k: int("K").unwrap_or(0),
            black_is_1: flag("BlackIs1", false),
            byte_align: flag("EncodedByteAlign", false),
            end_of_line: flag("EndOfLine", false),
            end_of_block: flag("EndOfBlock", true),
            globals,
            color_transform: int("ColorTransform"),
        })
    }
}

/// A stream after its filters, up to the first one that makes pixels.
pub struct Decoded<'a> {
    /// The bytes.
    pub data: Cow<'a, [u8]>,
    /// The picture codec that is left to undo.
    pub picture: Option<(Kind, Parms)>,
    /// Whether a filter was unknown, or there were too many: the data is then empty.
    pub unknown: bool,
}

/// Undoes the filters of a stream object.
///
/// # Errors
/// [`Refusal::Limit`] where it grows past the budget or [`MAX_STREAM`].
pub fn decode<'a>(stream: &Stream<'a>, budget: &mut Budget) -> Result<Decoded<'a>, Refusal> {
    let dict = stream.dict();
    // External data (/F a string or dictionary): PDF-15. The bytes are not here, and nobody fetches them.
    if matches!(dict.get::<Object<'_>>("F"), Some(Object::String(_) | Object::Dict(_))) {
        return Ok(Decoded { data: Cow::Borrowed(&[]), picture: None, unknown: true });
    }
    let Some(filters) = filters(dict, budget)? else {
        return Ok(Decoded { data: Cow::Borrowed(&[]), picture: None, unknown: true });
    };
    undo(stream.raw_data(), filters, budget)
}

fn filters(dict: &Dict<'_>, budget: &mut Budget) -> Result<Option<Vec<(Kind, Parms)>>, Refusal> {
    let both = |long: &str, short: &str| dict.get::<Object<'_>>(long).or_else(|| dict.get::<Object<'_>>(short));
    let names: Vec<Vec<u8>> = match both("Filter", "F") {
        Some(Object::Name(name)) => vec![name.as_ref().to_vec()],
        Some(Object::Array(array)) => names_of(&array),
        _ => Vec::new(),
    };
    if names.len() > MAX_FILTERS {
        return Ok(None);
    }
    let parms: Vec<Object<'_>> = match both("DecodeParms", "DP") {
        Some(Object::Array(array)) => objects(&array),
        Some(other) => vec![other],
        None => Vec::new(),
    };
    let mut out = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let Some(kind) = Kind::named(name) else {
            return Ok(None);
        };
        let parms = match parms.get(i) {
            Some(Object::Dict(dict)) => Parms::read(dict, budget)?,
            _ => Parms::default(),
        };
        out.push((kind, parms));
    }
    Ok(Some(out))
}

/// Undoes `filters` in order, up to the first picture codec.
///
/// # Errors
/// [`Refusal::Limit`] as in [`decode`].
pub fn undo<'a>(data: Cow<'a, [u8]>, filters: Vec<(Kind, Parms)>, budget: &mut Budget) -> Result<Decoded<'a>, Refusal> {
    let mut data = data;
    let mut filters = filters.into_iter();
    while let Some((kind, parms)) = filters.next() {
        let next = match kind {
            Kind::Crypt => continue,
            Kind::Ccitt | Kind::Jbig2 | Kind::Dct | Kind::Jpx => {
                // Nothing may follow pixels.
                let unknown = filters.any(|(kind, _)| kind != Kind::Crypt);
                return Ok(Decoded { data, picture: Some((kind, parms)), unknown });
            }
            Kind::Flate => predict(inflate(&data, budget)?, &parms, budget)?,
            Kind::Lzw => predict(lzw(&data, parms.early_change, budget)?, &parms, budget)?,
            Kind::Hex => spent(hex(&data), budget)?,
            Kind::Ascii85 => spent(ascii85(&data), budget)?,
            Kind::RunLength => run_length(&data, budget)?,
        };
        data = Cow::Owned(next);
    }
    Ok(Decoded { data, picture: None, unknown: false })
}

fn spent(data: Vec<u8>, budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
    budget.spend_bytes(data.len() as u64)?;
    Ok(data)
}

fn too_long(asked: usize) -> Refusal {
    Refusal::Limit { limit: LimitKind::ExpandedBytes, asked: asked as u64, allowed: MAX_STREAM as u64 }
}

/// Zlib, or bare deflate where the two header bytes are wrong.
fn inflate(data: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
    let start = data.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(0);
    let data = data.get(start..).unwrap_or_default();
    let out = inflate_with(data, true, budget)?;
    match data.get(2..) {
        Some(body) if out.is_empty() && !body.is_empty() => inflate_with(body, false, budget),
        _ => Ok(out),
    }
}

fn inflate_with(data: &[u8], zlib: bool, budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
    const BLOCK: usize = 64 << 10;
    let mut state = Decompress::new(zlib);
    let mut out: Vec<u8> = Vec::new();
    let mut block = vec![0u8; BLOCK.min(data.len().saturating_mul(8).max(256))];
    loop {
        let used = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
        let before = state.total_out();
        let rest = data.get(used..).unwrap_or_default();
        let status = state.decompress(rest, &mut block, FlushDecompress::None);
        let made = usize::try_from(state.total_out().saturating_sub(before)).unwrap_or(0);
        budget.spend_bytes(made as u64)?;
        out.extend_from_slice(block.get(..made).unwrap_or_default());
        if out.len() > MAX_STREAM {
            return Err(too_long(out.len()));
        }
        let consumed = usize::try_from(state.total_in()).unwrap_or(usize::MAX) > used;
        match status {
            Ok(Status::StreamEnd) | Err(_) => return Ok(out),
            Ok(Status::Ok | Status::BufError) if made == 0 && !consumed => return Ok(out),
            Ok(Status::Ok | Status::BufError) => {}
        }
    }
}

/// LZW as in TIFF, codes of 9 to 12 bits, most significant bit first.
fn lzw(data: &[u8], early: bool, budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
    const CLEAR: usize = 256;
    const END: usize = 257;
    let mut out: Vec<u8> = Vec::new();
    // Each entry is a stretch of the output: where it begins, and how long it is.
    let mut table: Vec<(usize, usize)> = Vec::new();
    let mut previous: Option<(usize, usize)> = None;
    let (mut bits, mut have, mut width) = (0u32, 0u32, 9u32);
    let mut input = data.iter();
    let mut charged = 0usize;
    loop {
        while have < width {
            let Some(b) = input.next() else { return Ok(out) };
            bits = bits << 8 | u32::from(*b);
            have = have.saturating_add(8);
        }
        have = have.saturating_sub(width);
        let code = (bits >> have) as usize & mask(width) as usize;
        bits &= mask(have);
        if code == END {
            return Ok(out);
        }
        if code == CLEAR {
            table.clear();
            previous = None;
            width = 9;
            continue;
        }
        let at = out.len();
        let known = code.checked_sub(258).and_then(|i| table.get(i)).copied();
        match (known, previous) {
            (None, _) if code < 256 => out.push(u8::try_from(code).unwrap_or(0)),
            (Some((start, len)), _) => out.extend_from_within(start..start.saturating_add(len)),
            (None, Some((start, len))) if code == table.len().saturating_add(258) => {
                out.extend_from_within(start..start.saturating_add(len));
                let first = out.get(start).copied().unwrap_or(0);
                out.push(first);
            }
            _ => return Ok(out),
        }
        let len = out.len().saturating_sub(at);
        if let Some((start, before)) = previous
            && table.len() < 4096 - 258
        {
            // The entry is the previous stretch and the byte after it, which the output already holds.
            table.push((start, before.saturating_add(1)));
        }
        previous = Some((at, len));
        let next = table.len().saturating_add(258).saturating_add(usize::from(early)).saturating_add(1);
        width = if next > 2048 {
            12
        } else if next > 1024 {
            11
        } else if next > 512 {
            10
        } else {
            9
        };
        if out.len().saturating_sub(charged) > 65_536 {
            budget.spend_bytes(out.len().saturating_sub(charged) as u64)?;
            charged = out.len();
            if charged > MAX_STREAM {
                return Err(too_long(charged));
            }
        }
    }
}

/// The low `n` bits; `n` is below 32.
const fn mask(n: u32) -> u32 {
    !(u32::MAX << n)
}

fn hex(data: &[u8]) -> Vec<u8> {
    let digits = data.iter().take_while(|b| **b != b'>').filter_map(|b| char::from(*b).to_digit(16));
    let mut digits = digits.map(|d| u8::try_from(d).unwrap_or(0));
    let mut out = Vec::with_capacity(data.len() / 2);
    while let Some(high) = digits.next() {
        out.push(high << 4 | digits.next().unwrap_or(0));
    }
    out
}

fn ascii85(data: &[u8]) -> Vec<u8> {
    let data = data.strip_prefix(b"<~").unwrap_or(data);
    let mut out = Vec::with_capacity(data.len());
    let (mut group, mut n) = (0u32, 0u8);
    for b in data {
        match b {
            b'z' if n == 0 => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => {
                group = group.wrapping_mul(85).wrapping_add(u32::from(b.wrapping_sub(b'!')));
                n = n.wrapping_add(1);
                if n == 5 {
                    out.extend_from_slice(&group.to_be_bytes());
                    (group, n) = (0, 0);
                }
            }
            b'~' => break,
            _ => {}
        }
    }
    if n > 1 {
        for _ in n..5 {
            group = group.wrapping_mul(85).wrapping_add(84);
        }
        out.extend(group.to_be_bytes().into_iter().take(usize::from(n).saturating_sub(1)));
    }
    out
}

fn run_length(data: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    let mut rest = data;
    while let Some((&n, tail)) = rest.split_first() {
        let made = match n {
            128 => break,
            0..=127 => {
                let take = (usize::from(n) + 1).min(tail.len());
                let (run, after) = tail.split_at_checked(take).unwrap_or((tail, &[]));
                out.extend_from_slice(run);
                rest = after;
                take
            }
            129..=255 => {
                let Some((&b, after)) = tail.split_first() else { break };
                let count = 257usize.saturating_sub(usize::from(n));
                out.resize(out.len().saturating_add(count), b);
                rest = after;
                count
            }
        };
        budget.spend_bytes(made as u64)?;
        if out.len() > MAX_STREAM {
            return Err(too_long(out.len()));
        }
    }
    Ok(out)
}

/// Predictors of clause 7.4.4.4.
fn predict(data: Vec<u8>, parms: &Parms, budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
    if parms.predictor < 2 {
        return Ok(data);
    }
    let columns = parms.columns.unwrap_or(1) as usize;
    let bits = parms.bits;
    if !matches!(bits, 1 | 2 | 4 | 8 | 16) || parms.colors == 0 || parms.colors > 64 {
        return Ok(data);
    }
    let pixel = parms.colors.saturating_mul(bits);
    let row = columns.saturating_mul(pixel).div_ceil(8);
    if row == 0 || row > MAX_STREAM {
        return Ok(data);
    }
    let step = pixel.div_ceil(8).max(1);
    if parms.predictor == 2 {
        return Ok(tiff(data, row, parms.colors, bits));
    }
    budget.spend_bytes(data.len() as u64)?;
    Ok(png(&data, row, step))
}

fn tiff(mut data: Vec<u8>, row: usize, colors: usize, bits: usize) -> Vec<u8> {
    for line in data.chunks_mut(row) {
        match bits {
            8 => {
                for i in colors..line.len() {
                    let before = i.checked_sub(colors).and_then(|j| line.get(j)).copied().unwrap_or(0);
                    if let Some(b) = line.get_mut(i) {
                        *b = b.wrapping_add(before);
                    }
                }
            }
            16 => {
                let mut before = vec![0u16; colors];
                for (i, pair) in line.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                    if let Some(last) = before.get_mut(i.checked_rem(colors).unwrap_or(0)) {
                        *last = last.wrapping_add(u16::from_be_bytes(*pair));
                        *pair = last.to_be_bytes();
                    }
                }
            }
            _ => tiff_bits(line, colors, bits),
        }
    }
    data
}

fn tiff_bits(line: &mut [u8], colors: usize, bits: usize) {
    let mut before = vec![0u8; colors];
    let mask = (1u8 << bits.min(4)).wrapping_sub(1);
    let per_byte = 8usize.checked_div(bits).unwrap_or(1);
    let mut component = 0usize;
    for byte in line {
        let mut new = 0u8;
        for i in 0..per_byte {
            let shift = 8usize.saturating_sub(bits.saturating_mul(i.saturating_add(1)));
            if let Some(last) = before.get_mut(component) {
                *last = last.wrapping_add(*byte >> shift) & mask;
                new |= *last << shift;
            }
            component = component.saturating_add(1).checked_rem(colors).unwrap_or(0);
        }
        *byte = new;
    }
}

fn png(data: &[u8], row: usize, step: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(data.len());
    let mut above = vec![0u8; row];
    let mut line = vec![0u8; row];
    for chunk in data.chunks(row.saturating_add(1)) {
        let Some((&tag, bytes)) = chunk.split_first() else {
            break;
        };
        if bytes.is_empty() {
            break;
        }
        unfilter(tag, bytes, &above, &mut line, step);
        out.extend_from_slice(line.get(..bytes.len()).unwrap_or_default());
        std::mem::swap(&mut above, &mut line);
    }
    out
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "bound: bytes.len() <= row == above.len() == line.len(); i - step only where i >= step"
)]
fn unfilter(tag: u8, bytes: &[u8], above: &[u8], line: &mut [u8], step: usize) {
    let n = bytes.len().min(above.len()).min(line.len());
    let (bytes, above, line) = (&bytes[..n], &above[..n], &mut line[..n]);
    for i in 0..n {
        let left = if i >= step { line[i - step] } else { 0 };
        let add = match tag {
            1 => left,
            2 => above[i],
            3 => u8::midpoint(left, above[i]),
            4 => paeth(left, above[i], if i >= step { above[i - step] } else { 0 }),
            _ => 0,
        };
        line[i] = bytes[i].wrapping_add(add);
    }
}

fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let (x, y, z) = (i16::from(a), i16::from(b), i16::from(c));
    let p = x.wrapping_add(y).wrapping_sub(z);
    let (da, db, dc) = (p.abs_diff(x), p.abs_diff(y), p.abs_diff(z));
    if da <= db && da <= dc {
        a
    } else if db <= dc {
        b
    } else {
        c
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Policy;

    fn budget() -> Budget {
        Budget::new(&Policy::standard().limits)
    }

    #[test]
    fn text_filters_decode_the_standard_s_examples() {
        assert_eq!(hex(b"4 1 4 2 5>zz"), b"ABP");
        assert_eq!(ascii85(b"87cURD]i,\"Ebo80~>"), b"Hello World!");
        assert_eq!(run_length(&[2, b'a', b'b', b'c', 254, b'x', 128, 9], &mut budget()).unwrap(), b"abcxxx");
        // ISO 32000-1 clause 7.4.4.2, example 2.
        let coded = [0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01];
        assert_eq!(lzw(&coded, true, &mut budget()).unwrap(), [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
    }

    #[test]
    fn damaged_deflate_gives_what_there_is() {
        let mut data = super::super::write::deflate(&b"hello ".repeat(500));
        data.truncate(data.len() - 6);
        assert!(inflate(&data, &mut budget()).unwrap().starts_with(b"hello hello"));
        assert!(inflate(b"not deflate", &mut budget()).unwrap().len() < 100);
    }

    #[test]
    fn a_bomb_stops_at_the_budget() {
        let bomb = super::super::write::deflate(&vec![0u8; 4 << 20]);
        let mut limits = Policy::standard().limits;
        limits.expanded_bytes = 1 << 20;
        assert!(matches!(inflate(&bomb, &mut Budget::new(&limits)), Err(Refusal::Limit { .. })));
    }

    #[test]
    fn predictors_are_undone() {
        assert_eq!(png(&[1, 1, 1, 1, 2, 1, 1, 1], 3, 1), [1, 2, 3, 2, 3, 4]);
        assert_eq!(tiff(vec![1, 1, 1, 5, 1, 1], 3, 1, 8), [1, 2, 3, 5, 6, 7]);
    }
}
