//! PNG and APNG: rebuilt from pixels.
//!
//! Source: W3C PNG (Third Edition). Kept, dropped, refused and our dialect: `docs/formats/png.md`. The samples stay as
//! they are, packed and indexed ones too, unless a profile or an orientation asks for more.

mod chunks;
mod write;

use super::raster::{self, Colour, Depth, Orientation, Pixels, Profile};
use crate::switches::{Filter, off};
use crate::{Cx, Rebuilt, Reconstructor};
use model::{Budget, Format, Refusal, Untrusted};
use png::{ColorType, DecodeOptions, Decoder, Info, Limits, Transformations, Unit};
use std::io::Cursor;
use write::{Animation, Control, Header, Kind, Writer};

/// PNG pictures, animated ones too.
pub struct Png;

/// Ours: exponents outside of this are no display's and no camera's.
const GAMMAS: std::ops::RangeInclusive<u32> = 10_000..=250_000;

/// Ours: the largest profile in use (CMYK, which PNG has not) takes 3 MiB.
const METADATA_BYTES: usize = 16 << 20;

impl Reconstructor for Png {
    fn formats(&self) -> &'static [Format] {
        &[Format::Png]
    }

    fn reconstruct(&self, input: Untrusted<'_>, _: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let bytes = input.bytes();
        let found = chunks::walk(bytes)?;
        found.report(bytes.len(), cx);
        let picture = bytes.get(..found.end).unwrap_or(bytes);
        let out = if found.has_end {
            rebuild(picture, &found, cx)?
        } else {
            cx.budget.spend_bytes(picture.len() as u64)?;
            rebuild(&[picture, b"\0\0\0\0IEND\xae\x42\x60\x82"].concat(), &found, cx)?
        };
        Ok(Rebuilt::new(out, Format::Png))
    }
}

fn rebuild(picture: &[u8], found: &chunks::Found, cx: &mut Cx<'_>) -> Result<Vec<u8>, Refusal> {
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    // A wrong checksum is a finding of the chunk walk; half of all viewers show such files.
    options.set_ignore_checksums(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(picture), options);
    decoder.set_limits(Limits { bytes: METADATA_BYTES });
    decoder.set_transformations(Transformations::IDENTITY);
    // The size is known before anything of that size is allocated.
    let info = decoder.read_header_info().map_err(broken)?;
    let pixel_bytes = info.color_type.samples().saturating_mul(2);
    raster::claim(info.width, info.height, pixel_bytes, cx.budget)?;
    let mut reader = decoder.read_info().map_err(broken)?;
    let info = reader.info();
    let mut header = header(info);
    let source = Source {
        bits_per_pixel: header.bits_per_pixel(),
        canvas: (header.width, header.height),
        interlaced: info.interlaced,
    };
    let colours = Colours::settle(info, &mut header, cx.budget)?;
    // acTL may promise frames that never come: those that are there are all there is.
    let frames = info.animation_control.map_or(0, |a| a.num_frames.min(found.frames));
    let animation = info.animation_control.filter(|_| frames > 0);
    let animation = animation.map(|a| Animation { frames, plays: a.num_plays });
    let orientation = if animation.is_some() { Orientation::UPRIGHT } else { found.orientation };
    let images = match animation {
        Some(a) if info.frame_control.is_none() => a.frames.saturating_add(1),
        Some(a) => a.frames,
        None => 1,
    };
    let size = reader.output_buffer_size().ok_or_else(|| Refusal::unsupported("a PNG of that size"))?;
    let mut buffer = vec![0u8; size];
    let mut writer = None;
    for number in 0..images {
        if number > 0 {
            cx.budget.spend_entries(1)?;
        }
        let line = reader.next_frame(&mut buffer).map_err(broken)?.line_size;
        let control = reader.info().frame_control.filter(|_| animation.is_some());
        let (width, height) = control.map_or(source.canvas, |c| (c.width, c.height));
        if number > 0 {
            raster::claim(width, height, pixel_bytes, cx.budget)?;
        }
        let mut image = Image { width, height, rows: source.tight(&mut buffer, images == 1, line, width, height) };
        in_palette(&image, &mut header, number > 0)?;
        colours.convert(&mut image, cx.budget)?;
        image.lay(orientation, &mut header);
        let row = raster::row_bytes(image.width, header.bits_per_pixel());
        write::claim(row, image.height, cx.budget)?;
        let writer = writer.get_or_insert_with(|| Writer::new(&header, animation));
        writer.image(control.as_ref().map(frame), &image.rows, row)?;
    }
    let writer = writer.ok_or_else(|| Refusal::internal("PNG without an image"))?;
    Ok(writer.finish())
}

fn broken(error: png::DecodingError) -> Refusal {
    Refusal::malformed(0, format!("PNG: {error}"))
}

fn frame(c: &png::FrameControl) -> Control {
    Control {
        width: c.width,
        height: c.height,
        x: c.x_offset,
        y: c.y_offset,
        delay: (c.delay_num, c.delay_den),
        dispose: c.dispose_op as u8,
        blend: c.blend_op as u8,
    }
}

fn header(info: &Info<'_>) -> Header {
    let kind = match info.color_type {
        ColorType::Grayscale => Kind::Grey,
        ColorType::Rgb => Kind::Rgb,
        ColorType::Indexed => Kind::Indexed,
        ColorType::GrayscaleAlpha => Kind::GreyAlpha,
        ColorType::Rgba => Kind::Rgba,
    };
    let bits = info.bit_depth as u8;
    let entries = 1usize << bits.min(8);
    let (palette, _) = info.palette.as_deref().unwrap_or_default().as_chunks::<3>();
    let palette = if kind == Kind::Indexed { palette.iter().take(entries).copied().collect() } else { Vec::new() };
    let transparency = transparency(info.trns.as_deref().unwrap_or_default(), kind, bits, palette.len());
    let density = info.pixel_dims.map(|d| (d.xppu, d.yppu, d.unit == Unit::Meter));
    Header {
        width: info.width,
        height: info.height,
        kind,
        bits,
        palette,
        transparency,
        colours: write::Colours::Untold,
        density,
    }
}

/// tRNS as PNG 11.3.1.1 has it for this kind; anything else says nothing.
fn transparency(trns: &[u8], kind: Kind, bits: u8, entries: usize) -> Vec<u8> {
    let samples = match kind {
        Kind::Indexed if off(Filter::PngTransparency) => return trns.to_vec(),
        Kind::Indexed => return trns.iter().take(entries).copied().collect(),
        Kind::Grey => 1,
        Kind::Rgb => 3,
        Kind::GreyAlpha | Kind::Rgba => return Vec::new(),
    };
    let mask = if bits >= 16 || off(Filter::PngTransparency) { u16::MAX } else { (1u16 << bits).saturating_sub(1) };
    let (values, _) = trns.as_chunks::<2>();
    let Some(values) = values.get(..samples) else {
        return Vec::new();
    };
    values.iter().flat_map(|v| (u16::from_be_bytes(*v) & mask).to_be_bytes()).collect()
}

/// Indices that the palette lacks are black in every viewer: the palette gets the black that they show.
fn in_palette(image: &Image, header: &mut Header, written: bool) -> Result<(), Refusal> {
    if header.kind != Kind::Indexed || header.palette.len() >= 1 << header.bits.min(8) {
        return Ok(());
    }
    let bits = usize::from(header.bits);
    let most = match bits {
        8 => image.rows.iter().copied().max(),
        _ => raster::unpack(&image.rows, image.width, bits).into_iter().max(),
    };
    let needed = usize::from(most.unwrap_or(0)).saturating_add(1);
    if needed > header.palette.len() && !off(Filter::PngPalette) {
        if written {
            return Err(Refusal::malformed(0, "PNG 11.2.2: a pixel outside of the palette"));
        }
        header.palette.resize(needed, [0; 3]);
    }
    Ok(())
}

/// What must be known of the samples as they come from the decoder.
struct Source {
    bits_per_pixel: usize,
    canvas: (u32, u32),
    interlaced: bool,
}

impl Source {
    /// The rows of one image, without gaps, and with zeros where bits only fill a byte.
    fn tight(&self, buffer: &mut Vec<u8>, last: bool, line: usize, width: u32, height: u32) -> Vec<u8> {
        // The decoder lays an interlaced frame out over the stride of the whole canvas.
        let stride = if self.interlaced { raster::row_bytes(self.canvas.0, self.bits_per_pixel) } else { line };
        let total = line.saturating_mul(height as usize);
        let mut rows;
        if last && stride == line {
            // A still is not copied: it may be most of the memory that there is.
            rows = std::mem::take(buffer);
            rows.truncate(total);
        } else {
            rows = Vec::with_capacity(total.min(buffer.len()));
            let lines = buffer.chunks(stride.max(1)).take(height as usize);
            lines.filter_map(|l| l.get(..line)).for_each(|l| rows.extend_from_slice(l));
        }
        let used = (width as usize).saturating_mul(self.bits_per_pixel) % 8;
        if self.bits_per_pixel < 8 && used > 0 && !off(Filter::PngPadding) {
            let mask = !(u8::MAX.wrapping_shr(u32::try_from(used).unwrap_or(0)));
            for row in rows.chunks_exact_mut(line.max(1)) {
                if let Some(last) = row.last_mut() {
                    *last &= mask;
                }
            }
        }
        rows
    }
}

/// One image of a file, in packed rows.
struct Image {
    width: u32,
    height: u32,
    rows: Vec<u8>,
}

impl Image {
    /// Applies the orientation, and tells the header of the new size.
    fn lay(&mut self, orientation: Orientation, header: &mut Header) {
        if orientation == Orientation::UPRIGHT {
            return;
        }
        let bits = header.bits_per_pixel();
        let bytes =
            if bits < 8 { raster::unpack(&self.rows, self.width, bits) } else { std::mem::take(&mut self.rows) };
        let laid = orientation.apply(&bytes, self.width, self.height, (bits / 8).max(1));
        (self.width, self.height) = orientation.size(self.width, self.height);
        (header.width, header.height) = (self.width, self.height);
        self.rows = if bits < 8 { raster::pack(&laid, self.width, bits) } else { laid };
        if orientation.turns() {
            header.density = header.density.map(|(x, y, metre)| (y, x, metre));
        }
    }
}

/// What has to be done to each image's samples so that they are sRGB.
struct Colours {
    profile: Option<Profile>,
    kind: Kind,
    bits: u8,
    key: Vec<u8>,
}

impl Colours {
    /// Finds the profile that counts (PNG 4.3: iCCP before sRGB before gAMA and cHRM), converts the palette, and
    /// changes the header to what the converted samples will be.
    fn settle(info: &Info<'_>, header: &mut Header, budget: &mut Budget) -> Result<Self, Refusal> {
        let grey = matches!(header.kind, Kind::Grey | Kind::GreyAlpha);
        let profile = match &info.icc_profile {
            Some(icc) => Profile::icc(icc, budget)?,
            None => None,
        };
        header.colours = match (grey, info.icc_profile.is_some() || info.srgb.is_some()) {
            (true, true) => write::Colours::Untold,
            (false, true) => write::Colours::Srgb,
            (_, false) => measured(info, grey),
        };
        let mut profile = profile.filter(|p| p.changes(if grey { Colour::Grey } else { Colour::Rgb }));
        let (kind, bits) = (header.kind, header.bits);
        let mut key = Vec::new();
        if let (Kind::Indexed, Some(p)) = (kind, &profile) {
            let entries = u32::try_from(header.palette.len()).unwrap_or(0);
            let mut colours = Pixels::new8(entries, 1, Colour::Rgb, header.palette.as_flattened().to_vec())?;
            p.to_srgb(&mut colours, budget)?;
            header.palette = colours.samples.as_chunks::<3>().0.to_vec();
            profile = None;
        } else if profile.is_some() {
            header.bits = bits.max(8);
            key = std::mem::take(&mut header.transparency);
            header.kind = match kind {
                Kind::Grey if !key.is_empty() => Kind::GreyAlpha,
                Kind::Rgb if !key.is_empty() => Kind::Rgba,
                Kind::Grey | Kind::Rgb | Kind::Indexed | Kind::GreyAlpha | Kind::Rgba => kind,
            };
        }
        Ok(Self { profile, kind, bits, key })
    }

    fn convert(&self, image: &mut Image, budget: &mut Budget) -> Result<(), Refusal> {
        let Some(profile) = &self.profile else { return Ok(()) };
        let colour = match self.kind {
            Kind::Grey => Colour::Grey,
            Kind::GreyAlpha => Colour::GreyAlpha,
            Kind::Rgb => Colour::Rgb,
            Kind::Rgba => Colour::Rgba,
            Kind::Indexed => return Ok(()),
        };
        let depth = if self.bits == 16 { Depth::Sixteen } else { Depth::Eight };
        let mut samples = std::mem::take(&mut image.rows);
        let mut key: Vec<u8> = self.key.clone();
        if self.bits < 16 {
            key = key.chunks_exact(2).filter_map(|v| v.last().copied()).collect();
        }
        if self.bits < 8 {
            samples = raster::unpack(&samples, image.width, usize::from(self.bits));
            let most = u8::try_from((1u16 << self.bits).saturating_sub(1)).unwrap_or(1).max(1);
            let factor = 255u8.checked_div(most).unwrap_or(1);
            samples.iter_mut().chain(&mut key).for_each(|v| *v = v.saturating_mul(factor));
        }
        let mut pixels = Pixels { width: image.width, height: image.height, colour, depth, samples };
        if !key.is_empty() {
            budget.spend_bytes((pixels.samples.len() as u64).saturating_mul(2))?;
            pixels = keyed(pixels, &key);
        }
        profile.to_srgb(&mut pixels, budget)?;
        image.rows = pixels.samples;
        Ok(())
    }
}

/// The colour key of tRNS as an alpha channel: converted colours could hit the key by chance.
fn keyed(pixels: Pixels, key: &[u8]) -> Pixels {
    let (step, bytes) = (pixels.pixel_bytes(), pixels.depth.bytes());
    let (clear, full) = ([0u8; 2], [u8::MAX; 2]);
    let mut samples = Vec::with_capacity(pixels.samples.len().saturating_mul(2));
    for pixel in pixels.samples.chunks_exact(step) {
        samples.extend_from_slice(pixel);
        let alpha = if pixel == key { &clear } else { &full };
        samples.extend(alpha.iter().take(bytes));
    }
    let colour = if pixels.colour == Colour::Grey { Colour::GreyAlpha } else { Colour::Rgba };
    Pixels { colour, samples, ..pixels }
}

/// gAMA and cHRM stay what they are, as two numbers and eight: not every viewer heeds them, so that converting the
/// samples would change the picture for the others. What says sRGB is written as sRGB.
fn measured(info: &Info<'_>, grey: bool) -> write::Colours {
    const SRGB: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
    let gamma =
        info.gama_chunk.map(png::ScaledFloat::into_scaled).filter(|g| GAMMAS.contains(g) || off(Filter::PngGamma));
    let Some(gamma) = gamma else {
        return write::Colours::Untold;
    };
    let points = info.chrm_chunk.filter(|_| !grey).map(|c| {
        let (w, r, g, b) = (c.white, c.red, c.green, c.blue);
        [w.0, w.1, r.0, r.1, g.0, g.1, b.0, b.1].map(png::ScaledFloat::into_scaled)
    });
    let chromaticities = points.filter(|points| points.iter().all(|&v| v <= 100_000) || off(Filter::PngPoints));
    let near = |points: [u32; 8]| points.iter().zip(SRGB).all(|(&a, b)| a.abs_diff(b) <= 500);
    let as_srgb = gamma.abs_diff(45_455) <= 1_000 && chromaticities.is_none_or(near);
    match (as_srgb, grey) {
        (true, true) => write::Colours::Untold,
        (true, false) => write::Colours::Srgb,
        (false, _) => write::Colours::Measured { gamma, chromaticities },
    }
}

#[cfg(test)]
mod tests;
