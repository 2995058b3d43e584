//! WebP: rebuilt from pixels, losslessly, all frames.
//!
//! Source: WebP container specification; RFC 9649. Kept, dropped, refused and our dialect: `docs/formats/webp.md`.
//! There is no encoder for lossy WebP in safe Rust; a lossy picture becomes a lossless one of the very same pixels.

mod container;

use super::raster::{self, Colour, Orientation, Pixels, Profile};
use crate::{Cx, Rebuilt, Reconstructor};
use container::{Found, Frame};
use image_webp::{ColorType, WebPDecoder, WebPEncoder};
use model::{Format, Refusal, Untrusted};
use std::io::Cursor;

/// WebP pictures.
pub struct Webp;

impl Reconstructor for Webp {
    fn formats(&self) -> &'static [Format] {
        &[Format::Webp]
    }

    fn reconstruct(&self, input: Untrusted<'_>, _: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let bytes = input.bytes();
        let found = container::walk(bytes)?;
        found.report(bytes.len(), cx);
        raster::claim(found.width, found.height, 4, cx.budget)?;
        let picture = bytes.get(..found.end).unwrap_or(bytes);
        let mut decoder = WebPDecoder::new(Cursor::new(picture)).map_err(broken)?;
        decoder.set_memory_limit(usize::try_from(cx.budget.bytes_left()).unwrap_or(usize::MAX));
        let (width, height) = decoder.dimensions();
        raster::claim(width, height, 8, cx.budget)?;
        let profile = match found.profile.clone().and_then(|range| bytes.get(range)) {
            Some(icc) => Profile::icc(icc, cx.budget)?,
            None => None,
        };
        let profile = profile.filter(|p| p.changes(Colour::Rgb));
        let out = if decoder.is_animated() {
            animation(bytes, &found, profile.as_ref(), cx)?
        } else {
            still(&mut decoder, profile.as_ref(), &found, cx)?
        };
        Ok(Rebuilt::new(out, Format::Webp))
    }
}

type Decoder<'a> = WebPDecoder<Cursor<&'a [u8]>>;

fn broken(error: image_webp::DecodingError) -> Refusal {
    Refusal::malformed(12, format!("WebP: {error}"))
}

/// A buffer for one picture or composed frame, and its colour.
fn buffer(decoder: &Decoder<'_>) -> Result<(Vec<u8>, Colour), Refusal> {
    let size = decoder.output_buffer_size().ok_or_else(|| Refusal::unsupported("a WebP of that size"))?;
    Ok((vec![0; size], if decoder.has_alpha() { Colour::Rgba } else { Colour::Rgb }))
}

fn still(
    decoder: &mut Decoder<'_>,
    profile: Option<&Profile>,
    found: &Found,
    cx: &mut Cx<'_>,
) -> Result<Vec<u8>, Refusal> {
    let (mut samples, colour) = buffer(decoder)?;
    decoder.read_image(&mut samples).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    let mut pixels = Pixels::new8(width, height, colour, samples)?;
    if let Some(profile) = profile {
        profile.to_srgb(&mut pixels, cx.budget)?;
    }
    let pixels = pixels.oriented(found.orientation, cx.budget)?;
    encode(&pixels)
}

/// Our smallest WebP file around these pixels: `RIFF`, one `VP8L` chunk.
fn encode(pixels: &Pixels) -> Result<Vec<u8>, Refusal> {
    let opaque: Vec<u8>;
    let (samples, colour) = match pixels.colour {
        Colour::Rgba if raster::opaque(&pixels.samples) => {
            opaque = pixels.samples.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
            (&opaque, ColorType::Rgb8)
        }
        Colour::Rgba => (&pixels.samples, ColorType::Rgba8),
        Colour::Rgb => (&pixels.samples, ColorType::Rgb8),
        Colour::Grey | Colour::GreyAlpha | Colour::Cmyk => return Err(Refusal::internal("WebP: colour")),
    };
    if !pixels.is_whole() || pixels.width > 1 << 14 || pixels.height > 1 << 14 {
        return Err(Refusal::unsupported("a WebP frame wider or higher than 16,384 pixels"));
    }
    let mut out = Vec::new();
    let encoder = WebPEncoder::new(&mut out);
    encoder
        .encode(samples, pixels.width, pixels.height, colour)
        .map_err(|e| Refusal::internal(format!("WebP encoder: {e}")))?;
    Ok(out)
}

/// The part of a frame that differs from the one before, from an even corner on.
struct Part {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

fn animation(bytes: &[u8], found: &Found, profile: Option<&Profile>, cx: &mut Cx<'_>) -> Result<Vec<u8>, Refusal> {
    let (width, height) = (found.width, found.height);
    let size = raster::claim(width, height, 4, cx.budget)?;
    let mut canvas = vec![0u8; size];
    let mut before: Option<Vec<u8>> = None;
    let (mut frames, mut alpha) = (Vec::new(), false);
    for frame in &found.frames {
        cx.budget.spend_entries(1)?;
        raster::claim(width, height, 8, cx.budget)?;
        let pixels = frame_pixels(bytes, frame, cx)?;
        draw(&mut canvas, width as usize, frame, &pixels);
        let part = changed(before.as_deref(), &canvas, width as usize, 4);
        let samples = crop(&canvas, &part, width as usize, 4);
        let side = |n: usize| u32::try_from(n).map_err(|_| Refusal::internal("WebP: side"));
        let mut pixels = Pixels::new8(side(part.width)?, side(part.height)?, Colour::Rgba, samples)?;
        if let Some(profile) = profile {
            profile.to_srgb(&mut pixels, cx.budget)?;
        }
        alpha |= !raster::opaque(&pixels.samples);
        let file = encode(&pixels)?;
        // Behind RIFF, length and WEBP there is the VP8L chunk, padded.
        container::frame(&mut frames, &part, frame.duration, file.get(12..).unwrap_or_default())?;
        match &mut before {
            Some(before) => before.copy_from_slice(&canvas),
            None => before = Some(canvas.clone()),
        }
        if frame.dispose {
            clear(&mut canvas, width as usize, frame);
        }
    }
    if found.frames.is_empty() {
        return Err(Refusal::malformed(12, "WebP: an animation without frames"));
    }
    container::animation(width, height, alpha, found.plays, &frames)
}

/// The pixels of one frame: its chunks as a file of their own, so that composing is ours to do.
fn frame_pixels(bytes: &[u8], frame: &Frame, cx: &mut Cx<'_>) -> Result<Pixels, Refusal> {
    let file = container::still(bytes, frame)?;
    cx.budget.spend_bytes(file.len() as u64)?;
    raster::claim(frame.width, frame.height, 4, cx.budget)?;
    let mut decoder = WebPDecoder::new(Cursor::new(file.as_slice())).map_err(broken)?;
    if decoder.dimensions() != (frame.width, frame.height) {
        return Err(Refusal::malformed(12, "WebP: a frame of another size than its picture"));
    }
    let (mut samples, colour) = buffer(&decoder)?;
    decoder.read_image(&mut samples).map_err(broken)?;
    Pixels::new8(frame.width, frame.height, colour, samples)
}

/// The rows of the canvas that a frame covers, as far as it covers them.
fn covered<'c>(canvas: &'c mut [u8], width: usize, frame: &Frame) -> impl Iterator<Item = &'c mut [u8]> {
    let (x, y) = (frame.x as usize, frame.y as usize);
    let (from, length) = (x.saturating_mul(4), (frame.width as usize).saturating_mul(4));
    let rows = canvas.chunks_exact_mut(width.saturating_mul(4).max(1)).skip(y).take(frame.height as usize);
    rows.filter_map(move |row| row.get_mut(from..from.saturating_add(length)))
}

fn clear(canvas: &mut [u8], width: usize, frame: &Frame) {
    covered(canvas, width, frame).for_each(|row| row.fill(0));
}

fn draw(canvas: &mut [u8], width: usize, frame: &Frame, pixels: &Pixels) {
    let step = pixels.colour.channels();
    let rows = pixels.samples.chunks_exact((frame.width as usize).saturating_mul(step).max(1));
    for (to, from) in covered(canvas, width, frame).zip(rows) {
        for (to, from) in to.as_chunks_mut::<4>().0.iter_mut().zip(from.chunks_exact(step)) {
            match *from {
                [r, g, b] => *to = [r, g, b, u8::MAX],
                [r, g, b, a] if frame.blend => *to = over([r, g, b, a], *to),
                [r, g, b, a] => *to = [r, g, b, a],
                [..] => {}
            }
        }
    }
}

/// Straight alpha, source over destination.
#[expect(clippy::arithmetic_side_effects, reason = "products of three bytes; the divisor is checked")]
fn over(source: [u8; 4], below: [u8; 4]) -> [u8; 4] {
    let (a, b) = (u32::from(source[3]), u32::from(below[3]));
    // In 255ths of 255ths.
    let rest = b * (255 - a);
    let total = a * 255 + rest;
    if a == 255 || total == 0 {
        return source;
    }
    let mix = |s: u8, d: u8| (u32::from(s) * a * 255 + u32::from(d) * rest + total / 2) / total;
    let byte = |v: u32| u8::try_from(v).unwrap_or(u8::MAX);
    let [r, g, bl] = [0, 1, 2].map(|i: usize| {
        let pair = source.get(i).copied().zip(below.get(i).copied());
        byte(pair.map_or(0, |(s, d)| mix(s, d)))
    });
    [r, g, bl, byte((total + 127) / 255)]
}

fn changed(before: Option<&[u8]>, now: &[u8], width: usize, step: usize) -> Part {
    let row = width.saturating_mul(step).max(1);
    let height = now.len().checked_div(row).unwrap_or(0);
    let Some(before) = before else {
        return Part { x: 0, y: 0, width, height };
    };
    let (mut left, mut right, mut top, mut bottom) = (width, 0usize, height, 0usize);
    for (y, (a, b)) in before.chunks_exact(row).zip(now.chunks_exact(row)).enumerate() {
        if a == b {
            continue;
        }
        let differs = |(p, q): (&[u8], &[u8])| p != q;
        let mut pixels = a.chunks_exact(step).zip(b.chunks_exact(step));
        let first = pixels.position(differs).unwrap_or(0);
        let mut pixels = a.chunks_exact(step).zip(b.chunks_exact(step));
        let last = pixels.rposition(differs).unwrap_or(0);
        left = left.min(first);
        right = right.max(last.saturating_add(1));
        top = top.min(y);
        bottom = y.saturating_add(1);
    }
    // A frame must have a pixel; places are stored halved.
    let (left, top) = if right == 0 { (0, 0) } else { (left & !1, top & !1) };
    let (right, bottom) = (right.max(1), bottom.max(1));
    Part { x: left, y: top, width: right.saturating_sub(left), height: bottom.saturating_sub(top) }
}

fn crop(canvas: &[u8], part: &Part, width: usize, step: usize) -> Vec<u8> {
    let rows = canvas.chunks_exact(width.saturating_mul(step).max(1)).skip(part.y).take(part.height);
    let (from, length) = (part.x.saturating_mul(step), part.width.saturating_mul(step));
    rows.filter_map(|row| row.get(from..from.saturating_add(length))).flatten().copied().collect()
}

#[cfg(test)]
mod tests;
