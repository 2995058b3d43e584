//! PNG and APNG: W3C PNG (Third Edition). The dialect is in `docs/formats/png.md`.
//!
//! Nothing is held but compressed data that comes in several chunks and, where indices have to be looked at, one row.

use super::picture::{canvas, indices_ok, padding_mask, row_bytes};
use crate::crc32::crc32_of;
use crate::cursor::Cursor;
use crate::inflate::zlib_to;
use crate::{Limits, Rejection};
use model::{Format, Policy};
use std::borrow::Cow;

/// The largest "PNG four-byte unsigned integer" (7.1).
const MAX: u32 = (1 << 31) - 1;

/// A PNG of our dialect.
pub fn verify(bytes: &[u8], _format: Format, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let mut file = Cursor::new(bytes);
    file.expect(b"\x89PNG\r\n\x1A\n", "PNG 5.2: signature")?;
    let mut header = Header::read(&chunk(&mut file)?, policy)?;
    let mut next = chunk(&mut file)?;
    let mut frames = None;
    if next.is(b"acTL") {
        frames = Some(animation(&next)?);
        next = chunk(&mut file)?;
    }
    if next.is(b"sRGB") {
        next.check(next.data == [0] && matches!(header.colour, 2 | 3 | 6), "PNG 11.3.2.5: sRGB is one 0")?;
        next = chunk(&mut file)?;
    } else if next.is(b"gAMA") {
        measured(&next, 1, 10_000..=250_000)?;
        next = chunk(&mut file)?;
        if next.is(b"cHRM") {
            next.check(matches!(header.colour, 2 | 3 | 6), "our dialect: cHRM of grey")?;
            measured(&next, 8, 0..=100_000)?;
            next = chunk(&mut file)?;
        }
    }
    if next.is(b"pHYs") {
        pixel_size(&next)?;
        next = chunk(&mut file)?;
    }
    if next.is(b"PLTE") {
        header.palette(&next)?;
        next = chunk(&mut file)?;
    }
    if header.colour == 3 && header.entries == 0 {
        return Err(next.reject("PNG 11.2.2: PLTE is missing"));
    }
    if next.is(b"tRNS") {
        header.transparency(&next)?;
        next = chunk(&mut file)?;
    }
    let end = images(&mut file, next, &header, frames, limits)?;
    end.check(end.is(b"IEND") && end.data.is_empty(), "our dialect: chunk that has no place here")?;
    file.end("IEND")
}

/// gAMA and cHRM (11.3.2.1, 11.3.2.2): so many numbers, each within a range that means something.
fn measured(chunk: &Chunk<'_>, count: usize, range: std::ops::RangeInclusive<u32>) -> Result<(), Rejection> {
    let (values, rest) = chunk.data.as_chunks::<4>();
    let sound = values.iter().all(|v| range.contains(&u32::from_be_bytes(*v)));
    chunk.check(values.len() == count && rest.is_empty() && sound, "PNG 11.3.2: gAMA or cHRM out of range")
}

/// The still or the frames, to the chunk that is none of them.
fn images<'a>(
    file: &mut Cursor<'a>,
    mut next: Chunk<'a>,
    header: &Header,
    frames: Option<u32>,
    limits: &mut Limits,
) -> Result<Chunk<'a>, Rejection> {
    let mut sequence = 0u32;
    let mut seen = 0u32;
    if frames.is_some() && next.is(b"fcTL") {
        let size = frame(&next, header, &mut sequence)?;
        next.check(size == (header.width, header.height), "PNG 11.3.6.2: the default image spans the canvas")?;
        seen = 1;
        next = chunk(file)?;
    }
    let data = joined(file, &mut next, b"IDAT", |chunk| Ok(chunk.data))?;
    header.image(&data, header.width, header.height, limits)?;
    while frames.is_some() && next.is(b"fcTL") {
        let (width, height) = frame(&next, header, &mut sequence)?;
        seen = seen.saturating_add(1);
        next = chunk(file)?;
        let data = joined(file, &mut next, b"fdAT", |chunk| {
            let mut data = Cursor::new(chunk.data);
            take_number(&mut data, &mut sequence)?;
            Ok(data.rest())
        })?;
        header.image(&data, width, height, limits)?;
    }
    next.check(seen == frames.unwrap_or(0), "PNG 11.3.6.1: num_frames")?;
    Ok(next)
}

/// One chunk (5.3), its CRC checked.
struct Chunk<'a> {
    at: usize,
    kind: [u8; 4],
    data: &'a [u8],
}

impl Chunk<'_> {
    fn is(&self, kind: &[u8; 4]) -> bool {
        self.kind == *kind
    }

    fn reject(&self, rule: &str) -> Rejection {
        Rejection::new(self.at, format!("{rule} (at chunk {})", self.kind.escape_ascii()))
    }

    fn check(&self, holds: bool, rule: &str) -> Result<(), Rejection> {
        if holds { Ok(()) } else { Err(self.reject(rule)) }
    }
}

fn chunk<'a>(file: &mut Cursor<'a>) -> Result<Chunk<'a>, Rejection> {
    let at = file.at();
    let len = file.u32_be("PNG 5.3: length")?;
    let kind: [u8; 4] = file.array("PNG 5.3: type")?;
    let len = usize::try_from(len).map_err(|_| file.reject("PNG 5.3: length"))?;
    let data = file.take(len, "PNG 5.3: data")?;
    if file.u32_be("PNG 5.3: CRC")? != crc32_of(&[&kind, data]) {
        return Err(Rejection::new(at, "PNG 5.3: CRC"));
    }
    Ok(Chunk { at, kind, data })
}

/// The data of a run of chunks of one kind, joined. At least one, and none of them empty (IMG-08).
fn joined<'a>(
    file: &mut Cursor<'a>,
    next: &mut Chunk<'a>,
    kind: &[u8; 4],
    mut payload: impl FnMut(&Chunk<'a>) -> Result<&'a [u8], Rejection>,
) -> Result<Cow<'a, [u8]>, Rejection> {
    let mut data = Cow::Borrowed(&[][..]);
    while next.is(kind) {
        let part = payload(next)?;
        next.check(!part.is_empty(), "our dialect: empty image data")?;
        if data.is_empty() {
            data = Cow::Borrowed(part);
        } else {
            data.to_mut().extend_from_slice(part);
        }
        *next = chunk(file)?;
    }
    next.check(!data.is_empty(), "PNG 5.6: image data, or another chunk of our dialect, expected")?;
    Ok(data)
}

/// IHDR and what of PLTE bears on the image.
struct Header {
    width: u32,
    height: u32,
    depth: u32,
    colour: u8,
    /// Entries of PLTE.
    entries: usize,
}

impl Header {
    fn read(chunk: &Chunk<'_>, policy: &Policy) -> Result<Self, Rejection> {
        let mut data = Cursor::new(chunk.data);
        chunk.check(chunk.is(b"IHDR") && chunk.data.len() == 13, "PNG 11.2.1: IHDR")?;
        let (width, height) = (data.u32_be("IHDR")?, data.u32_be("IHDR")?);
        let (depth, colour) = (data.u8("IHDR")?, data.u8("IHDR")?);
        chunk.check(width <= MAX && height <= MAX, "PNG 11.2.1: size")?;
        canvas(width, height, policy)?;
        let legal = match colour {
            0 => matches!(depth, 1 | 2 | 4 | 8 | 16),
            2 | 4 | 6 => matches!(depth, 8 | 16),
            3 => matches!(depth, 1 | 2 | 4 | 8),
            _ => false,
        };
        chunk.check(legal, "PNG 11.2.1: colour type and bit depth")?;
        chunk.check(data.rest() == [0, 0, 0], "our dialect: compression, filter and interlace methods are 0")?;
        Ok(Self { width, height, depth: u32::from(depth), colour, entries: 0 })
    }

    fn palette(&mut self, chunk: &Chunk<'_>) -> Result<(), Rejection> {
        let (entries, rest) = chunk.data.as_chunks::<3>();
        let fits = (1..=1usize << self.depth.min(8)).contains(&entries.len());
        chunk.check(self.colour == 3 && rest.is_empty() && fits, "PNG 11.2.2: PLTE")?;
        self.entries = entries.len();
        Ok(())
    }

    fn transparency(&self, chunk: &Chunk<'_>) -> Result<(), Rejection> {
        let samples = match self.colour {
            0 => 1,
            2 => 3,
            3 => return chunk.check((1..=self.entries).contains(&chunk.data.len()), "PNG 11.3.1.1: tRNS"),
            _ => 0,
        };
        let (values, rest) = chunk.data.as_chunks::<2>();
        chunk.check(samples != 0 && values.len() == samples && rest.is_empty(), "PNG 11.3.1.1: tRNS")?;
        let inside = values.iter().all(|value| u32::from(u16::from_be_bytes(*value)) < 1 << self.depth);
        chunk.check(inside, "PNG 11.3.1.1: tRNS has bits above the depth")
    }

    /// One image: exactly one zlib stream, of exactly its rows.
    fn image(&self, data: &[u8], width: u32, height: u32, limits: &mut Limits) -> Result<(), Rejection> {
        let samples = match self.colour {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        let bits = self.depth.saturating_mul(samples);
        let mut rows = Rows {
            bytes: row_bytes(width, bits)?,
            left: height,
            flat: self.colour == 3 || self.depth < 8,
            row: Row::Filter,
            look: (self.colour == 3 && self.entries < 1 << self.depth.min(8)) || padding_mask(width, bits) != 0,
            now: Vec::new(),
            width,
            depth: self.depth,
            entries: if self.colour == 3 { self.entries } else { 1 << 8 },
        };
        let taken = zlib_to(data, limits, &mut |chunk| rows.add(chunk)).map_err(|r| r.inside("image data"))?;
        if taken != data.len() {
            return Err(Rejection::new(taken, "PNG 10.1: bytes behind the zlib stream").inside("image data"));
        }
        rows.done()
    }
}

/// Where in a row the next byte lies.
enum Row {
    /// It is the filter type.
    Filter,
    /// It is one of so many bytes that are left of the row.
    Data(usize),
}

/// The rows of one image as they come out of inflate.
struct Rows {
    bytes: usize,
    left: u32,
    /// Rows have no filter.
    flat: bool,
    row: Row,
    /// Samples matter: there are indices that could be out of range, or bits that pad.
    look: bool,
    now: Vec<u8>,
    width: u32,
    depth: u32,
    entries: usize,
}

impl Rows {
    fn add(&mut self, mut chunk: &[u8]) -> Result<(), Rejection> {
        while let Some((first, rest)) = chunk.split_first() {
            match self.row {
                Row::Filter => {
                    if self.left == 0 {
                        return Err(Rejection::new(0, "PNG 10.1: more than the image in its zlib stream"));
                    }
                    if *first > if self.flat { 0 } else { 4 } {
                        return Err(Rejection::new(
                            0,
                            "PNG 9.2: filter type; of indices and of less than a byte, none",
                        ));
                    }
                    self.row = Row::Data(self.bytes);
                    chunk = rest;
                }
                Row::Data(missing) => {
                    let (part, rest) = chunk.split_at(missing.min(chunk.len()));
                    if self.look {
                        self.now.extend_from_slice(part);
                    }
                    chunk = rest;
                    match missing.saturating_sub(part.len()) {
                        0 => self.finish_row()?,
                        missing => self.row = Row::Data(missing),
                    }
                }
            }
        }
        Ok(())
    }

    fn finish_row(&mut self) -> Result<(), Rejection> {
        self.left = self.left.saturating_sub(1);
        self.row = Row::Filter;
        if self.look {
            if !indices_ok(&self.now, self.width, self.depth, self.entries) {
                return Err(Rejection::new(0, "PNG 11.2.2: index outside PLTE, or padding bits not 0"));
            }
            self.now.clear();
        }
        Ok(())
    }

    fn done(&self) -> Result<(), Rejection> {
        if self.left == 0 && matches!(self.row, Row::Filter) {
            return Ok(());
        }
        Err(Rejection::new(0, "PNG 10.1: rows are missing").inside("image data"))
    }
}

fn pixel_size(chunk: &Chunk<'_>) -> Result<(), Rejection> {
    let mut data = Cursor::new(chunk.data);
    let (x, y) = (data.u32_be("pHYs")?, data.u32_be("pHYs")?);
    chunk.check(x <= MAX && y <= MAX && matches!(data.rest(), [0 | 1]), "PNG 11.3.4.3: pHYs")
}

/// acTL: the number of frames.
fn animation(chunk: &Chunk<'_>) -> Result<u32, Rejection> {
    let mut data = Cursor::new(chunk.data);
    let (frames, plays) = (data.u32_be("acTL")?, data.u32_be("acTL")?);
    chunk.check((1..=MAX).contains(&frames) && plays <= MAX && data.rest().is_empty(), "PNG 11.3.6.1: acTL")?;
    Ok(frames)
}

fn take_number(data: &mut Cursor<'_>, sequence: &mut u32) -> Result<(), Rejection> {
    if data.u32_be("sequence number")? != *sequence {
        return Err(data.reject("PNG 11.3.6: sequence number"));
    }
    *sequence = sequence.saturating_add(1);
    Ok(())
}

/// fcTL: the size of the frame, which lies inside the canvas.
fn frame(chunk: &Chunk<'_>, header: &Header, sequence: &mut u32) -> Result<(u32, u32), Rejection> {
    let mut data = Cursor::new(chunk.data);
    chunk.check(chunk.data.len() == 26, "PNG 11.3.6.2: fcTL")?;
    take_number(&mut data, sequence).map_err(|r| chunk.reject(&r.rule))?;
    let (width, height) = (data.u32_be("fcTL")?, data.u32_be("fcTL")?);
    let (x, y) = (data.u32_be("fcTL")?, data.u32_be("fcTL")?);
    let inside = |at: u32, len: u32, whole: u32| len > 0 && at.checked_add(len).is_some_and(|end| end <= whole);
    chunk.check(inside(x, width, header.width) && inside(y, height, header.height), "PNG 11.3.6.2: frame region")?;
    let _delay = data.u32_be("fcTL")?;
    chunk.check(matches!(data.rest(), [0..=2, 0 | 1]), "PNG 11.3.6.2: dispose_op or blend_op")?;
    Ok((width, height))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "tests")]
mod tests;
