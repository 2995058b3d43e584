//! BMP: rebuilt from pixels.
//!
//! Kept, dropped, refused and our dialect: `docs/formats/bmp.md`.

mod header;

use super::raster::{self, Colour, Pixels, Profile};
use crate::switches::{Filter, off};
use crate::{Cx, Rebuilt, Reconstructor};
use header::{Coding, Header};
use model::{FindingAction, Format, Refusal, Untrusted};

/// BMP pictures.
pub struct Bmp;

/// What is written: rows from the top, one byte an index or BGR(A).
struct Picture {
    width: u32,
    height: u32,
    /// 1, 4, 8, 24 or 32.
    bits: u16,
    palette: Vec<[u8; 3]>,
    resolution: (u32, u32),
    samples: Vec<u8>,
}

impl Reconstructor for Bmp {
    fn formats(&self) -> &'static [Format] {
        &[Format::Bmp]
    }

    fn reconstruct(&self, input: Untrusted<'_>, _: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let bytes = input.bytes();
        let header = header::read(bytes)?;
        raster::claim(header.width, header.height, 4, cx.budget)?;
        if header.width == 0 || header.height == 0 {
            return Err(Refusal::malformed(18, "BMP: a picture without pixels"));
        }
        let (mut picture, end) = decode(bytes, &header)?;
        if let Some(profile) = header.profile.clone().and_then(|range| bytes.get(range)) {
            to_srgb(&mut picture, profile, cx)?;
        }
        report(bytes, &header, end, cx);
        cx.budget.spend_bytes(picture.samples.len() as u64)?;
        Ok(Rebuilt::new(write(&picture)?, Format::Bmp))
    }
}

fn report(bytes: &[u8], header: &Header, end: usize, cx: &mut Cx<'_>) {
    // A profile behind the pixels is no trailing data, and neither are the zeros that round a file up.
    let end = header.profile.as_ref().map_or(end, |range| range.end.max(end));
    let rest = bytes.get(end..).unwrap_or_default();
    let trailing = u64::from(rest.len() > 3 || rest.iter().any(|&b| b != 0));
    for (id, place, count) in [
        ("IMG-01", "after the pixels", trailing),
        ("GEN-03", "after the pixels", trailing),
        ("IMG-11", "before the pixels", u64::from(header.gap)),
        ("IMG-11", "linked profile", u64::from(header.linked_profile)),
        ("IMG-20", "profile", u64::from(header.profile.is_some())),
    ] {
        cx.found_count(id, FindingAction::Removed, place, count);
    }
}

/// The pixels from the top, and where they end in the file.
fn decode(bytes: &[u8], header: &Header) -> Result<(Picture, usize), Refusal> {
    let (samples, bits, end) = match header.coding {
        Coding::Rle4 | Coding::Rle8 => {
            let (samples, end) = run_lengths(bytes, header)?;
            (samples, header.bits, end)
        }
        Coding::Plain | Coding::Masks(_) => plain(bytes, header)?,
    };
    let mut palette = header.palette.clone();
    if bits <= 8 {
        // Indices that the palette lacks are black in viewers: it gets the black that they show.
        let most = usize::from(samples.iter().copied().max().unwrap_or(0)).saturating_add(1);
        palette.truncate(1 << bits.min(8));
        if palette.len() < most && !off(Filter::BmpPalette) {
            palette.resize(most, [0; 3]);
        }
    } else {
        palette.clear();
    }
    let (width, height, resolution) = (header.width, header.height, header.resolution);
    Ok((Picture { width, height, bits, palette, resolution, samples }, end))
}

fn plain(bytes: &[u8], header: &Header) -> Result<(Vec<u8>, u16, usize), Refusal> {
    let short = || Refusal::malformed(bytes.len() as u64, "BMP: rows end early");
    let used = raster::row_bytes(header.width, usize::from(header.bits));
    let stride = used.checked_next_multiple_of(4).ok_or_else(short)?;
    let total = stride.checked_mul(header.height as usize).ok_or_else(short)?;
    let end = header.pixels.checked_add(total).ok_or_else(short)?;
    // The padding of the last row is missing in some files.
    let needed = end.saturating_sub(stride.saturating_sub(used));
    if needed > bytes.len() {
        return Err(short());
    }
    let end = end.min(bytes.len());
    let data = bytes.get(header.pixels..end).unwrap_or_default();
    let mut samples = Vec::new();
    let rows = data.chunks(stride).filter_map(|row| row.get(..used));
    let rows: Vec<&[u8]> = if header.top_down { rows.collect() } else { rows.rev().collect() };
    let bits = match (header.coding, header.bits) {
        (Coding::Masks(masks), _) => {
            samples.reserve((header.width as usize).saturating_mul(header.height as usize).saturating_mul(4));
            masked(&rows, header.bits, masks, &mut samples)
        }
        (_, 32) => {
            rows.iter().flat_map(|row| row.as_chunks::<4>().0).for_each(|&[b, g, r, _]| samples.extend([b, g, r]));
            24
        }
        (_, bits @ (1 | 2 | 4)) => {
            rows.iter().for_each(|row| samples.extend(raster::unpack(row, header.width, usize::from(bits))));
            if bits == 2 { 4 } else { bits }
        }
        (_, bits) => {
            samples.reserve(used.saturating_mul(rows.len()));
            rows.iter().for_each(|row| samples.extend_from_slice(row));
            bits
        }
    };
    Ok((samples, bits, end))
}

/// BGR or BGRA from 16- or 32-bit pixels.
fn masked(rows: &[&[u8]], bits: u16, masks: [u32; 4], samples: &mut Vec<u8>) -> u16 {
    let [red, green, blue, alpha] = masks.map(Channel::of);
    let has_alpha = masks[3] != 0;
    let mut push = |pixel: u32| {
        samples.extend([blue.of_pixel(pixel), green.of_pixel(pixel), red.of_pixel(pixel)]);
        if has_alpha {
            samples.push(alpha.of_pixel(pixel));
        }
    };
    for row in rows {
        if bits == 16 {
            row.as_chunks::<2>().0.iter().for_each(|p| push(u16::from_le_bytes(*p).into()));
        } else {
            row.as_chunks::<4>().0.iter().for_each(|p| push(u32::from_le_bytes(*p)));
        }
    }
    if has_alpha { 32 } else { 24 }
}

/// The bits of a mask, scaled to a byte.
#[derive(Clone, Copy)]
struct Channel {
    mask: u32,
    shift: u32,
    most: u64,
}

impl Channel {
    fn of(mask: u32) -> Self {
        let shift = mask.trailing_zeros().min(31);
        Self { mask, shift, most: u64::from(mask.wrapping_shr(shift)).max(1) }
    }

    fn of_pixel(self, pixel: u32) -> u8 {
        let value = u64::from((pixel & self.mask).wrapping_shr(self.shift));
        let scaled = value.saturating_mul(255).saturating_add(self.most / 2).checked_div(self.most);
        u8::try_from(scaled.unwrap_or(0)).unwrap_or(u8::MAX)
    }
}

/// BI_RLE8 and BI_RLE4. What the runs leave out is index 0; what leaves the picture is dropped.
fn run_lengths(bytes: &[u8], header: &Header) -> Result<(Vec<u8>, usize), Refusal> {
    let (width, height) = (header.width as usize, header.height as usize);
    let mut rows = vec![0u8; width.saturating_mul(height)];
    let (mut x, mut y, mut at) = (0usize, 0usize, header.pixels);
    let four = header.coding == Coding::Rle4;
    // Runs count from the bottom, unless the picture is upside down.
    let mut put = |x: usize, y: usize, value: u8| {
        let row = if header.top_down { y } else { height.wrapping_sub(1).wrapping_sub(y) };
        let place = rows.get_mut(row.saturating_mul(width).saturating_add(x));
        if let Some(place) = place.filter(|_| x < width && y < height) {
            *place = value;
        }
    };
    let half = |byte: u8, i: usize| match (four, i % 2) {
        (false, _) => byte,
        (true, 0) => byte >> 4,
        (true, _) => byte & 15,
    };
    while let Some(&[first, second]) = bytes.get(at..).and_then(|b| b.first_chunk::<2>()) {
        at = at.saturating_add(2);
        match (first, second) {
            (0, 0) => (x, y) = (0, y.saturating_add(1)),
            (0, 1) => break,
            (0, 2) => {
                let Some(&[dx, dy]) = bytes.get(at..).and_then(|b| b.first_chunk::<2>()) else {
                    break;
                };
                at = at.saturating_add(2);
                (x, y) = (x.saturating_add(dx.into()), y.saturating_add(dy.into()));
            }
            (0, count) => {
                let count = usize::from(count);
                let length = if four { count.div_ceil(2) } else { count };
                let data = bytes.get(at..).unwrap_or_default();
                for i in 0..count {
                    let byte = data.get(if four { i / 2 } else { i }).copied().unwrap_or(0);
                    put(x, y, half(byte, i));
                    x = x.saturating_add(1);
                }
                at = at.saturating_add(length.next_multiple_of(2));
            }
            (count, value) => {
                for i in 0..usize::from(count) {
                    put(x, y, half(value, i));
                    x = x.saturating_add(1);
                }
            }
        }
        if y > height {
            break;
        }
    }
    Ok((rows, at.min(bytes.len())))
}

fn to_srgb(picture: &mut Picture, profile: &[u8], cx: &mut Cx<'_>) -> Result<(), Refusal> {
    let Some(profile) = Profile::icc(profile, cx.budget)?.filter(|p| p.changes(Colour::Rgb)) else {
        return Ok(());
    };
    let swap = |samples: &mut [u8], step: usize| samples.chunks_exact_mut(step).for_each(|p| p.swap(0, 2));
    if picture.bits <= 8 {
        let entries = u32::try_from(picture.palette.len()).unwrap_or(0);
        let mut colours = Pixels::new8(entries, 1, Colour::Rgb, picture.palette.as_flattened().to_vec())?;
        profile.to_srgb(&mut colours, cx.budget)?;
        picture.palette = colours.samples.as_chunks::<3>().0.to_vec();
        return Ok(());
    }
    let (colour, step) = if picture.bits == 32 { (Colour::Rgba, 4) } else { (Colour::Rgb, 3) };
    let mut samples = std::mem::take(&mut picture.samples);
    swap(&mut samples, step);
    let mut pixels = Pixels::new8(picture.width, picture.height, colour, samples)?;
    profile.to_srgb(&mut pixels, cx.budget)?;
    picture.samples = pixels.samples;
    swap(&mut picture.samples, step);
    Ok(())
}

fn write(picture: &Picture) -> Result<Vec<u8>, Refusal> {
    let too_large = || Refusal::unsupported("a BMP of over 4 GiB");
    let bits = usize::from(picture.bits);
    let used = raster::row_bytes(picture.width, bits);
    let stride = used.checked_next_multiple_of(4).ok_or_else(too_large)?;
    let image = stride.checked_mul(picture.height as usize).ok_or_else(too_large)?;
    let entries = picture.palette.len();
    let head: usize = if bits == 32 { 14 + 108 } else { 14 + 40 };
    let offset = head.saturating_add(entries.saturating_mul(4));
    let total = offset.checked_add(image).ok_or_else(too_large)?;
    let number = |n: usize| u32::try_from(n).map(u32::to_le_bytes).map_err(|_| too_large());
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(b"BM");
    out.extend_from_slice(&number(total)?);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&number(offset)?);
    out.extend_from_slice(&number(head.saturating_sub(14))?);
    out.extend_from_slice(&picture.width.to_le_bytes());
    out.extend_from_slice(&picture.height.to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&picture.bits.to_le_bytes());
    out.extend_from_slice(&if bits == 32 { 3u32 } else { 0 }.to_le_bytes());
    out.extend_from_slice(&number(image)?);
    out.extend_from_slice(&picture.resolution.0.to_le_bytes());
    out.extend_from_slice(&picture.resolution.1.to_le_bytes());
    out.extend_from_slice(&number(entries)?);
    out.extend_from_slice(&[0; 4]);
    if bits == 32 {
        for mask in [0x00FF_0000u32, 0x0000_FF00, 0x0000_00FF, 0xFF00_0000, 0x7352_4742] {
            out.extend_from_slice(&mask.to_le_bytes());
        }
        out.resize(head, 0);
    }
    for [r, g, b] in &picture.palette {
        out.extend_from_slice(&[*b, *g, *r, 0]);
    }
    let row = (picture.width as usize).saturating_mul(if bits > 8 { bits / 8 } else { 1 });
    for line in picture.samples.chunks_exact(row.max(1)).rev() {
        if bits < 8 {
            out.extend_from_slice(&raster::pack(line, picture.width, bits));
        } else {
            out.extend_from_slice(line);
        }
        out.resize(out.len().saturating_add(stride.saturating_sub(used)), 0);
    }
    if out.len() == total { Ok(out) } else { Err(Refusal::internal("BMP: length")) }
}

#[cfg(test)]
mod tests;
