//! The headers of a BMP file, of all ages.
//!
//! Source: Microsoft BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER, BITMAPV5HEADER; OS/2 2.x.

use crate::switches::{Filter, off};
use model::Refusal;
use std::ops::Range;

/// How the pixels are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Rle8,
    Rle4,
    /// Red, green, blue, alpha masks.
    Masks([u32; 4]),
}

/// Everything in front of the pixels, and where they are.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) top_down: bool,
    pub(super) bits: u16,
    pub(super) coding: Coding,
    pub(super) resolution: (u32, u32),
    pub(super) palette: Vec<[u8; 3]>,
    pub(super) pixels: usize,
    /// Bytes between palette and pixels.
    pub(super) gap: bool,
    pub(super) profile: Option<Range<usize>>,
    pub(super) linked_profile: bool,
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(*self.0.get(at..)?.first_chunk()?))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(*self.0.get(at..)?.first_chunk()?))
    }
}

/// Reads the headers and the palette.
pub(super) fn read(bytes: &[u8]) -> Result<Header, Refusal> {
    let broken = || Refusal::malformed(0, "BMP: a header that ends early");
    if !bytes.starts_with(b"BM") {
        return Err(Refusal::malformed(0, "BMP: no BM"));
    }
    let file = Fields(bytes);
    let stated = file.u32(10).ok_or_else(broken)? as usize;
    let dib = Fields(bytes.get(14..).unwrap_or_default());
    let size = dib.u32(0).ok_or_else(broken)?;
    match size {
        12 => core(bytes, &dib, stated).ok_or_else(broken),
        16 | 40 | 52 | 56 | 64 | 108 | 124 => info(bytes, &dib, size, stated)?.ok_or_else(broken),
        _ => Err(Refusal::unsupported("a BMP header of that length")),
    }
}

fn core(bytes: &[u8], dib: &Fields<'_>, stated: usize) -> Option<Header> {
    let (width, height, bits) = (dib.u16(4)?, dib.u16(6)?, dib.u16(10)?);
    // What OS/2 1.x knows; a row of any other depth, of none above all, has no meaning.
    if !matches!(bits, 1 | 4 | 8 | 24) {
        return None;
    }
    let entries = if bits <= 8 { 1usize << bits } else { 0 };
    let mut header = Header {
        width: width.into(),
        height: height.into(),
        top_down: false,
        bits,
        coding: Coding::Plain,
        resolution: (0, 0),
        palette: Vec::new(),
        pixels: 0,
        gap: false,
        profile: None,
        linked_profile: false,
    };
    place(bytes, &mut header, 26, stated, entries, 3)?;
    Some(header)
}

fn info(bytes: &[u8], dib: &Fields<'_>, size: u32, stated: usize) -> Result<Option<Header>, Refusal> {
    let short = size == 16;
    let Some((width, height, bits)) = dib.u32(4).zip(dib.u32(8)).zip(dib.u16(14)).map(|((w, h), b)| (w, h, b)) else {
        return Ok(None);
    };
    let at = |offset: usize| if short { 0 } else { dib.u32(offset).unwrap_or(0) };
    let compression = at(16);
    let os2 = size == 64;
    let in_header = size >= 52 && !os2;
    // Masks stand inside of the longer headers and behind the short one.
    let masks_behind = match compression {
        3 if !in_header && !os2 => 12,
        6 if !in_header => 16,
        _ => 0,
    };
    let mask = |n: usize| dib.u32(40usize.saturating_add(n.saturating_mul(4))).unwrap_or(0);
    let alpha = if size >= 56 || masks_behind == 16 { mask(3) } else { 0 };
    let coding = match (compression, bits) {
        (0, 16) => Coding::Masks([0x7C00, 0x03E0, 0x001F, 0]),
        (0, 1 | 2 | 4 | 8 | 24 | 32) => Coding::Plain,
        (1, 8) => Coding::Rle8,
        (2, 4) => Coding::Rle4,
        (3 | 6, 16 | 32) if !os2 => Coding::Masks([mask(0), mask(1), mask(2), alpha]),
        (4 | 5, _) if !os2 => return Err(Refusal::unsupported("a JPEG or PNG inside of a BMP")),
        _ => return Err(Refusal::unsupported("BMP compression")),
    };
    let negative = height > i32::MAX.unsigned_abs();
    let height = if negative { height.wrapping_neg() } else { height };
    let used = at(32) as usize;
    let full = if bits <= 8 { 1usize << bits } else { 0 };
    let entries = if used == 0 || used > full { full } else { used };
    // A palette of a true-colour picture is a hint for displays that are no more.
    let hints = if bits > 8 { used.min(256) } else { 0 };
    let clamp = |v: u32| if v > i32::MAX.unsigned_abs() && !off(Filter::BmpResolution) { 0 } else { v };
    let mut header = Header {
        width,
        height,
        top_down: negative,
        bits,
        coding,
        resolution: (clamp(at(24)), clamp(at(28))),
        palette: Vec::new(),
        pixels: 0,
        gap: false,
        profile: None,
        linked_profile: false,
    };
    if size == 124 {
        match dib.u32(56) {
            Some(0x4D42_4544) => header.profile = range(dib.u32(112), dib.u32(116), bytes.len()),
            Some(0x4C49_4E4B) => header.linked_profile = true,
            _ => {}
        }
    }
    let behind =
        14usize.saturating_add(size as usize).saturating_add(masks_behind).saturating_add(hints.saturating_mul(4));
    Ok(place(bytes, &mut header, behind, stated, entries, 4).map(|()| header))
}

/// Offset and length from the header's start, as a range of the file.
fn range(offset: Option<u32>, length: Option<u32>, len: usize) -> Option<Range<usize>> {
    let start = (offset? as usize).checked_add(14)?;
    let end = start.checked_add(length? as usize)?;
    (end <= len).then_some(start..end)
}

/// Reads the palette at `start` and decides where the pixels begin.
fn place(bytes: &[u8], header: &mut Header, start: usize, stated: usize, entries: usize, step: usize) -> Option<()> {
    let full = start.saturating_add(entries.saturating_mul(step));
    // An offset into the headers is nonsense; one into the palette makes it shorter.
    let plausible = stated >= start.min(full) && stated < bytes.len();
    header.pixels = if plausible { stated } else { full };
    let end = full.min(header.pixels);
    let colours = bytes.get(start.min(end)..end)?.chunks_exact(step);
    header.palette = colours.filter_map(|c| c.first_chunk::<3>()).map(|&[b, g, r]| [r, g, b]).collect();
    header.gap = header.pixels > full && bytes.get(full..header.pixels).is_some_and(|gap| gap.iter().any(|&b| b != 0));
    Some(())
}
