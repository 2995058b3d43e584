//! WebP: the container of RFC 9649, with lossless images only. The dialect is in `docs/formats/webp.md`.

mod codes;
mod lossless;

use super::picture::canvas;
use crate::cursor::Cursor;
use crate::{Limits, Rejection};
use model::{Format, Policy};

/// A WebP of our dialect.
pub fn verify(bytes: &[u8], _format: Format, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let mut file = Cursor::new(bytes);
    file.expect(b"RIFF", "RFC 9649 2.4: RIFF")?;
    let len = file.u32_le("RIFF")? as usize;
    if len.checked_add(8) != Some(bytes.len()) || len & 1 == 1 {
        return Err(file.reject("RFC 9649 2.4: the length of the file, which is even"));
    }
    file.expect(b"WEBP", "RFC 9649 2.4: WEBP")?;
    if file.rest().starts_with(b"VP8L") {
        let image = chunk(&mut file, b"VP8L")?;
        lossless::read(image, policy, limits).map_err(|r| r.inside("VP8L"))?;
    } else {
        animation(&mut file, policy, limits)?;
    }
    file.end("the image")
}

/// The data of the next chunk (2.3), which is of this kind; the byte that pads it is 0.
fn chunk<'a>(file: &mut Cursor<'a>, kind: &[u8; 4]) -> Result<&'a [u8], Rejection> {
    file.expect(kind, &format!("our dialect: {} expected", kind.escape_ascii()))?;
    let len = file.u32_le("RFC 9649 2.3: chunk size")? as usize;
    let data = file.take(len, "RFC 9649 2.3: chunk")?;
    if len & 1 == 1 {
        file.expect(&[0], "RFC 9649 2.3: padding is 0")?;
    }
    Ok(data)
}

fn u24(data: &mut Cursor<'_>) -> Result<u32, Rejection> {
    let [a, b, c] = data.array("24 bits")?;
    Ok(u32::from_le_bytes([a, b, c, 0]))
}

/// VP8X, ANIM and frames (2.7).
fn animation(file: &mut Cursor<'_>, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let mut header = Cursor::new(chunk(file, b"VP8X")?);
    let flags = header.u8("VP8X")?;
    header.expect(&[0; 3], "RFC 9649 2.7: reserved bits of VP8X are 0")?;
    let (width, height) = (u24(&mut header)?.saturating_add(1), u24(&mut header)?.saturating_add(1));
    header.end("VP8X")?;
    canvas(width, height, policy)?;
    let mut loops = Cursor::new(chunk(file, b"ANIM")?);
    loops.expect(&[0; 4], "our dialect: background colour is 0")?;
    loops.u16_le("loop count")?;
    loops.end("ANIM")?;
    let mut alpha = false;
    let mut first = true;
    while first || !file.rest().is_empty() {
        let mut data = Cursor::new(chunk(file, b"ANMF")?);
        let frame = frame(&mut data, policy, limits).map_err(|r| r.inside("ANMF"))?;
        let inside = |at: u32, len: u32, whole: u32| at.checked_add(len).is_some_and(|end| end <= whole);
        if !inside(frame.x, frame.width, width) || !inside(frame.y, frame.height, height) {
            return Err(file.reject("RFC 9649 2.7: frame outside the canvas"));
        }
        if first && (frame.width, frame.height) != (width, height) {
            return Err(file.reject("our dialect: the first frame spans the canvas"));
        }
        alpha |= frame.alpha;
        first = false;
    }
    if flags != if alpha { 0x12 } else { 0x02 } {
        return Err(file.reject("RFC 9649 2.7: flags of VP8X"));
    }
    Ok(())
}

struct Frame {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    alpha: bool,
}

/// One ANMF: neither blended nor disposed of.
fn frame(data: &mut Cursor<'_>, policy: &Policy, limits: &mut Limits) -> Result<Frame, Rejection> {
    let (x, y) = (u24(data)?.saturating_mul(2), u24(data)?.saturating_mul(2));
    let (width, height) = (u24(data)?.saturating_add(1), u24(data)?.saturating_add(1));
    let _duration = u24(data)?;
    data.expect(&[2], "our dialect: neither blended nor disposed of")?;
    let image = lossless::read(chunk(data, b"VP8L")?, policy, limits).map_err(|r| r.inside("VP8L"))?;
    data.end("VP8L")?;
    if (image.width, image.height) != (width, height) {
        return Err(data.reject("RFC 9649 2.7: the image has another size than its frame"));
    }
    Ok(Frame { x, y, width, height, alpha: image.alpha })
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "tests")]
mod tests;
