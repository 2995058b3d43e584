//! GIF: GIF89a. The dialect is in `docs/formats/gif.md`.

use super::picture::canvas;
use crate::bits::{Bits, low};
use crate::cursor::Cursor;
use crate::{Limits, Rejection};
use model::{Format, Policy};

/// A GIF of our dialect.
pub fn verify(bytes: &[u8], _format: Format, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let mut file = Cursor::new(bytes);
    file.expect(b"GIF89a", "GIF89a 17: header")?;
    let screen = Screen::read(&mut file, policy)?;
    if file.rest().starts_with(&[0x21, 0xFF]) {
        file.expect(b"\x21\xFF\x0BNETSCAPE2.0\x03\x01", "our dialect: NETSCAPE2.0 is the only application extension")?;
        file.u16_le("loop count")?;
        file.expect(&[0], "GIF89a 16: block terminator")?;
    }
    let mut data = Vec::new();
    loop {
        frame(&mut file, &screen, &mut data, limits)?;
        if file.rest().first() == Some(&0x3B) {
            break;
        }
    }
    file.expect(&[0x3B], "GIF89a 27: trailer")?;
    file.end("the trailer")
}

/// The logical screen descriptor (18).
struct Screen {
    width: u16,
    height: u16,
    /// Bits of an index into the global table, if there is one.
    table: Option<u8>,
}

impl Screen {
    fn read(file: &mut Cursor<'_>, policy: &Policy) -> Result<Self, Rejection> {
        let (width, height) = (file.u16_le("screen")?, file.u16_le("screen")?);
        canvas(width.into(), height.into(), policy)?;
        let (packed, background) = (file.u8("screen")?, file.u8("screen")?);
        if packed & 0x78 != 0x70 {
            return Err(file.reject("our dialect: colour resolution 7, not sorted"));
        }
        let table = table_bits(packed);
        if table.is_none() && packed & 7 != 0 {
            return Err(file.reject("our dialect: size of a table that is not there"));
        }
        if usize::from(background) >= table.map_or(1, entries) {
            return Err(file.reject("GIF89a 18: background colour index"));
        }
        file.expect(&[0], "our dialect: aspect ratio is 0")?;
        take_table(file, table)?;
        Ok(Self { width, height, table })
    }
}

/// Bits of an index, where the flag says that there is a table.
const fn table_bits(packed: u8) -> Option<u8> {
    if packed & 0x80 == 0 { None } else { Some((packed & 7).saturating_add(1)) }
}

const fn entries(bits: u8) -> usize {
    1 << (bits & 15)
}

fn take_table(file: &mut Cursor<'_>, bits: Option<u8>) -> Result<(), Rejection> {
    if let Some(bits) = bits {
        file.take(entries(bits).saturating_mul(3), "colour table")?;
    }
    Ok(())
}

/// Graphic control extension, image descriptor, table, image. `data` is room for the compressed data, used again.
fn frame(file: &mut Cursor<'_>, screen: &Screen, data: &mut Vec<u8>, limits: &mut Limits) -> Result<(), Rejection> {
    file.expect(&[0x21, 0xF9, 4], "our dialect: graphic control extension or trailer expected")?;
    let packed = file.u8("graphic control")?;
    if packed & 0xE2 != 0 || packed >> 2 > 3 {
        return Err(file.reject("GIF89a 23: reserved bits, disposal or user input"));
    }
    let _delay = file.u16_le("graphic control")?;
    if file.u8("graphic control")? != 0 && packed & 1 == 0 {
        return Err(file.reject("our dialect: transparent index without its flag"));
    }
    file.expect(&[0, 0x2C], "our dialect: image descriptor expected")?;
    let (x, y) = (file.u16_le("image")?, file.u16_le("image")?);
    let (width, height) = (file.u16_le("image")?, file.u16_le("image")?);
    let inside = |at: u16, len: u16, whole: u16| len > 0 && at.checked_add(len).is_some_and(|end| end <= whole);
    if !inside(x, width, screen.width) || !inside(y, height, screen.height) {
        return Err(file.reject("GIF89a 20: image outside the screen"));
    }
    let packed = file.u8("image")?;
    let local = table_bits(packed);
    if packed & 0x78 != 0 || (local.is_none() && packed != 0) {
        return Err(file.reject("our dialect: interlaced, sorted or reserved bits"));
    }
    take_table(file, local)?;
    let bits = local.or(screen.table).ok_or_else(|| file.reject("GIF89a 19: no colour table"))?;
    file.expect(&[bits.max(2)], "GIF89a 22: LZW minimum code size")?;
    sub_blocks(file, data)?;
    let pixels = usize::from(width).saturating_mul(usize::from(height));
    limits.spend(pixels)?;
    lzw(data, bits, pixels).map_err(|r| r.inside("image"))
}

/// Joins sub-blocks (15): each of 255 bytes but the last.
fn sub_blocks(file: &mut Cursor<'_>, data: &mut Vec<u8>) -> Result<(), Rejection> {
    data.clear();
    let mut last = 255;
    loop {
        let len = file.u8("GIF89a 15: block size")?;
        if len == 0 {
            return Ok(());
        }
        if last != 255 {
            return Err(file.reject("our dialect: short sub-block before the last"));
        }
        data.extend_from_slice(file.take(usize::from(len), "GIF89a 15: sub-block")?);
        last = len;
    }
}

/// Variable-length-code LZW (appendix F). Only the lengths of the strings are followed: whatever comes out is made of
/// the literals that come in, and these are looked at.
fn lzw(data: &[u8], table: u8, pixels: usize) -> Result<(), Rejection> {
    let mut bits = Bits::new(data);
    let first = u32::from(table.max(2));
    let (clear, end) = (1usize << first, (1usize << first).saturating_add(1));
    let mut lens = [1u16; 4096];
    let mut free = end.saturating_add(1);
    let mut width = first.saturating_add(1);
    let mut before: Option<u16> = None;
    let mut missing = pixels;
    if code(&mut bits, width)? != clear {
        return Err(bits.reject("GIF89a appendix F: clear code expected"));
    }
    loop {
        let code = code(&mut bits, width)?;
        if code == clear {
            if before.is_none() {
                return Err(bits.reject("our dialect: clear code after clear code"));
            }
            (free, width, before) = (end.saturating_add(1), first.saturating_add(1), None);
            continue;
        }
        if code == end {
            break;
        }
        let len = match (lens.get(code), before) {
            (Some(len), _) if code < clear && code < entries(table) => *len,
            (Some(len), _) if code > end && code < free => *len,
            (Some(_), Some(before)) if code > end && code == free => before.saturating_add(1),
            _ => return Err(bits.reject("GIF89a appendix F: code or index out of range")),
        };
        missing = missing.checked_sub(usize::from(len)).ok_or_else(|| bits.reject("more pixels than the image has"))?;
        if let (Some(before), Some(slot)) = (before, lens.get_mut(free)) {
            *slot = before.saturating_add(1);
            free = free.saturating_add(1);
            if free == 1 << width && width < 12 {
                width = width.saturating_add(1);
            }
        }
        before = Some(len);
    }
    if missing != 0 {
        return Err(bits.reject("fewer pixels than the image has"));
    }
    bits.align()?;
    if bits.consumed() != data.len() {
        return Err(bits.reject("our dialect: data after the end code"));
    }
    Ok(())
}

#[inline(always)]
fn code(bits: &mut Bits<'_>, width: u32) -> Result<usize, Rejection> {
    bits.refill();
    let code = low(bits.held, width);
    bits.drop(width)?;
    Ok(code as usize)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "tests")]
mod tests;
