//! From a page's samples to one of the few kinds that are written.

use super::chunks::Samples;
use super::page::{Format, Page, Photometric};
use super::write::{Kind, Out};
use crate::formats::raster::{self, Colour, Depth, Pixels, Profile};
use model::{Budget, Refusal};

/// Converts a page. `profile` is the embedded one.
pub(super) fn convert(
    page: &Page,
    samples: Samples,
    profile: Option<&[u8]>,
    budget: &mut Budget,
) -> Result<Out, Refusal> {
    let shape = Shape::of(page, &samples);
    let mut samples = samples;
    budget.spend_bytes(samples.data.len() as u64)?;
    if shape.keep < page.samples {
        samples.data =
            keep(&samples.data, samples.bytes.saturating_mul(page.samples), samples.bytes.saturating_mul(shape.keep));
    }
    let mut out = match page.photometric {
        Photometric::Palette => palette(page, samples.data),
        Photometric::WhiteIsZero | Photometric::BlackIsZero => grey(page, samples),
        Photometric::Rgb => true_colour(page, samples),
        Photometric::YCbCr => {
            if !samples.rgb {
                samples.data.chunks_exact_mut(shape.keep.max(1)).for_each(ycc);
            }
            true_colour(page, samples)
        }
        Photometric::Lab => {
            let data = lab(&samples.data, samples.bytes, shape.keep);
            true_colour(page, Samples { bytes: 1, data, rgb: true })
        }
        Photometric::Inks => inks(page, samples, profile, budget)?,
    };
    if page.photometric != Photometric::Inks {
        to_srgb(&mut out, profile, budget)?;
    }
    out.alpha = shape.alpha;
    Ok(lay(page, out))
}

/// How many samples of a pixel stay, and what the last one is.
struct Shape {
    keep: usize,
    alpha: Option<u16>,
}

impl Shape {
    fn of(page: &Page, samples: &Samples) -> Self {
        let colours = page.photometric.colours();
        // Alpha is kept with the kinds of samples that readers know it for.
        let fits = page.format == Format::Unsigned && matches!(page.bits, 8 | 16);
        let alpha = page.alpha.filter(|_| fits && page.photometric != Photometric::Palette && !samples.rgb);
        Self { keep: colours.saturating_add(usize::from(alpha.is_some())), alpha }
    }
}

fn keep(data: &[u8], from: usize, to: usize) -> Vec<u8> {
    data.chunks_exact(from.max(1)).flat_map(|pixel| pixel.iter().take(to).copied()).collect()
}

fn out(page: &Page, kind: Kind, bits: u16, format: u16, data: Vec<u8>) -> Out {
    let (width, height) = (page.width, page.height);
    let (subfile, resolution) = (page.subfile, page.resolution);
    Out { width, height, kind, bits, format, alpha: None, palette: Vec::new(), subfile, resolution, data }
}

/// 8-bit indices; entries that the table lacks are black.
fn palette(page: &Page, indices: Vec<u8>) -> Out {
    let entries = 1usize << page.bits.min(8);
    let wide = page.palette.iter().any(|&v| v > 255);
    // Old writers stored bytes where the standard wants 16 bits.
    let scale = |v: u16| if wide { v } else { v.saturating_mul(257) };
    let mut table = vec![0u16; 768];
    for (plane, values) in table.chunks_exact_mut(256).zip(page.palette.chunks(entries)) {
        plane.iter_mut().zip(values).for_each(|(to, from)| *to = scale(*from));
    }
    let mut out = out(page, Kind::Palette, 8, 1, indices);
    out.palette = table;
    out
}

fn grey(page: &Page, samples: Samples) -> Out {
    let mut data = samples.data;
    let inverted = page.photometric == Photometric::WhiteIsZero;
    let alpha =
        page.samples > 1 && page.alpha.is_some() && matches!(page.bits, 8 | 16) && page.format == Format::Unsigned;
    if page.bits == 1 {
        if inverted {
            data.iter_mut().for_each(|v| *v = 1u8.wrapping_sub(*v));
        }
        // Packed when it is written, after the orientation.
        return out(page, Kind::Grey, 1, 1, data);
    }
    if page.bits < 8 {
        let factor = if page.bits == 2 { 85 } else { 17 };
        data.iter_mut().for_each(|v| *v = v.wrapping_mul(factor));
    }
    if inverted && page.format == Format::Unsigned {
        let step = samples.bytes.saturating_mul(if alpha { 2 } else { 1 }).max(1);
        data.chunks_exact_mut(step).flat_map(|p| p.iter_mut().take(samples.bytes)).for_each(|v| *v = !*v);
    }
    let (bits, format, data) = readable(page.format, samples.bytes, data, false);
    out(page, Kind::Grey, bits, format, data)
}

fn true_colour(page: &Page, samples: Samples) -> Out {
    let mut data = samples.data;
    if page.bits < 8 {
        let factor = match page.bits {
            1 => 255,
            2 => 85,
            _ => 17,
        };
        data.iter_mut().for_each(|v| *v = v.wrapping_mul(factor));
    }
    let (bits, format, data) = readable(page.format, samples.bytes, data, true);
    out(page, Kind::Rgb, bits, format, data)
}

/// Kinds of samples that common readers open: grey up to 32 bits of any format, colour of 8 and 16 unsigned bits.
fn readable(format: Format, bytes: usize, data: Vec<u8>, colour: bool) -> (u16, u16, Vec<u8>) {
    match (format, bytes, colour) {
        (Format::Unsigned, 1, _) => (8, 1, data),
        (Format::Unsigned, 2, _) => (16, 1, data),
        // Signed grey stays what it is; colours are moved up so that the least is 0.
        (Format::Signed, 1, false) => (8, 2, data),
        (Format::Signed, 2, false) => (16, 2, data),
        (Format::Signed, 4, false) => (32, 2, data),
        (Format::Signed, 8, false) => (32, 2, high(&data, 8, 4)),
        (Format::Unsigned, 4, false) => (32, 1, data),
        (Format::Unsigned, 8, false) => (32, 1, high(&data, 8, 4)),
        (Format::Float, 2, false) => (32, 3, floats::<2>(&data, half).flat_map(f32::to_le_bytes).collect()),
        (Format::Float, 4, false) => (32, 3, data),
        (Format::Float, _, false) => (32, 3, floats::<8>(&data, double).flat_map(f32::to_le_bytes).collect()),
        (Format::Unsigned, wide, true) => (16, 1, high(&data, wide, 2)),
        (Format::Signed, 1, true) => (8, 1, data.iter().map(|v| v ^ 0x80).collect()),
        (Format::Signed, wide, true) => {
            let mut data = high(&data, wide, 2);
            data.chunks_exact_mut(2).filter_map(|v| v.last_mut()).for_each(|v| *v ^= 0x80);
            (16, 1, data)
        }
        (Format::Float, 2, true) => (16, 1, floats::<2>(&data, half).flat_map(unit).collect()),
        (Format::Float, 4, true) => (16, 1, floats::<4>(&data, f32::from_le_bytes).flat_map(unit).collect()),
        (Format::Float, _, true) => (16, 1, floats::<8>(&data, double).flat_map(unit).collect()),
        (Format::Signed | Format::Unsigned, _, false) => (32, 1, high(&data, bytes, 4)),
    }
}

/// The high `to` bytes of little-endian samples of `from` bytes.
fn high(data: &[u8], from: usize, to: usize) -> Vec<u8> {
    data.chunks_exact(from.max(1)).flat_map(|v| v.iter().skip(from.saturating_sub(to)).copied()).collect()
}

fn floats<const N: usize>(data: &[u8], read: fn([u8; N]) -> f32) -> impl Iterator<Item = f32> {
    data.as_chunks::<N>().0.iter().map(move |v| read(*v))
}

/// A sample of 0 to 1 in 16 bits.
fn unit(value: f32) -> [u8; 2] {
    to_u16(value).to_le_bytes()
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 0..=65535; NaN becomes 0")]
fn to_u16(value: f32) -> u16 {
    (value.clamp(0.0, 1.0) * 65_535.0).round() as u16
}

#[expect(clippy::cast_possible_truncation, reason = "a sample that 32 bits can't hold becomes infinite")]
fn double(bytes: [u8; 8]) -> f32 {
    f64::from_le_bytes(bytes) as f32
}

/// IEEE 754 half precision.
fn half(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
    let (exponent, fraction) = ((bits >> 10) & 31, f32::from(bits & 0x3FF) / 1024.0);
    let size = match exponent {
        0 => fraction * 2f32.powi(-14),
        31 if fraction > 0.0 => f32::NAN,
        31 => f32::INFINITY,
        e => (1.0 + fraction) * 2f32.powi(i32::from(e).saturating_sub(15)),
    };
    if bits & 0x8000 != 0 { -size } else { size }
}

fn ycc(pixel: &mut [u8]) {
    if let Some(first) = pixel.first_chunk_mut::<3>() {
        *first = crate::formats::jpeg::ycc_to_rgb(*first);
    }
}

/// CIE L*a*b* (D50) to 8-bit sRGB.
fn lab(data: &[u8], bytes: usize, keep: usize) -> Vec<u8> {
    let pixel = |p: &[u8]| {
        let value = |i: usize| -> f32 {
            let at = i.saturating_mul(bytes);
            match bytes {
                1 => {
                    let v = p.get(at).copied().unwrap_or(0);
                    if i == 0 { f32::from(v) / 2.55 } else { f32::from(v.cast_signed()) }
                }
                _ => {
                    let v = p.get(at..).and_then(|b| b.first_chunk::<2>()).map_or(0, |b| u16::from_le_bytes(*b));
                    if i == 0 { f32::from(v) / 655.35 } else { f32::from(v.cast_signed()) / 256.0 }
                }
            }
        };
        let mut out = vec![];
        out.extend(lab_to_srgb(value(0), value(1), value(2)));
        if keep > 3 {
            out.push(p.get(4usize.saturating_mul(bytes).saturating_sub(1)).copied().unwrap_or(u8::MAX));
        }
        out
    };
    data.chunks_exact(bytes.saturating_mul(keep).max(1)).flat_map(pixel).collect()
}

/// CIE 15, 8.2.1 backwards; D50 to sRGB's primaries by the Bradford matrix of IEC 61966-2-1's common implementations.
fn lab_to_srgb(l: f32, a: f32, b: f32) -> [u8; 3] {
    let fy = (l + 16.0) / 116.0;
    let back = |f: f32| {
        if f > 6.0 / 29.0 { f * f * f } else { (f - 4.0 / 29.0) * 108.0 / 841.0 }
    };
    let (x, y, z) = (0.9642 * back(fy + a / 500.0), back(fy), 0.8251 * back(fy - b / 200.0));
    let linear = [
        3.134_187 * x - 1.617_209 * y - 0.490_694 * z,
        -0.978_749 * x + 1.916_13 * y + 0.033_433 * z,
        0.071_964 * x - 0.228_994 * y + 1.405_754 * z,
    ];
    linear.map(|v| {
        let v = v.clamp(0.0, 1.0);
        let coded = if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
        let [_, high] = to_u16(coded).to_le_bytes();
        high
    })
}

/// CMYK (with straight alpha) to RGB(A): by the profile, else as readers do without one.
fn inks(page: &Page, samples: Samples, profile: Option<&[u8]>, budget: &mut Budget) -> Result<Out, Refusal> {
    let Samples { bytes, data, .. } = samples;
    let data = if bytes == 2 { high(&data, 2, 1) } else { data };
    let step = data.len().checked_div((page.width as usize).saturating_mul(page.height as usize)).unwrap_or(4).max(4);
    let alpha: Vec<u8> =
        if step > 4 { data.chunks_exact(step).filter_map(|p| p.get(4).copied()).collect() } else { Vec::new() };
    let inks = if step > 4 { keep(&data, step, 4) } else { data };
    let mut pixels = Pixels::new8(page.width, page.height, Colour::Cmyk, inks)?;
    let profile = match profile {
        Some(profile) => Profile::icc(profile, budget)?,
        None => None,
    };
    if let Some(profile) = profile {
        profile.to_srgb(&mut pixels, budget)?;
    }
    let mut rgb = if pixels.colour == Colour::Cmyk { raster::cmyk_to_rgb(&pixels.samples) } else { pixels.samples };
    if !alpha.is_empty() {
        rgb = rgb.chunks_exact(3).zip(&alpha).flat_map(|(p, a)| p.iter().copied().chain([*a])).collect();
    }
    Ok(out(page, Kind::Rgb, 8, 1, rgb))
}

/// Grey and RGB of 8 and 16 bits, and palettes, by the profile.
fn to_srgb(out: &mut Out, profile: Option<&[u8]>, budget: &mut Budget) -> Result<(), Refusal> {
    let Some(profile) = profile.filter(|_| out.format == 1 && out.bits <= 16) else {
        return Ok(());
    };
    let Some(profile) = Profile::icc(profile, budget)? else {
        return Ok(());
    };
    let pixels = (out.width as usize).saturating_mul(out.height as usize).max(1);
    let bytes = usize::from(out.bits.div_ceil(8));
    let channels = out.data.len().checked_div(pixels.saturating_mul(bytes)).unwrap_or(1);
    let colour = match (out.kind, channels) {
        (Kind::Palette, _) => return palette_to_srgb(out, &profile, budget),
        (Kind::Grey, 1) => Colour::Grey,
        (Kind::Grey, _) => Colour::GreyAlpha,
        (Kind::Rgb, 3) => Colour::Rgb,
        (Kind::Rgb, _) => Colour::Rgba,
    };
    if !profile.changes(colour) || out.bits == 1 {
        return Ok(());
    }
    let depth = if out.bits == 16 { Depth::Sixteen } else { Depth::Eight };
    let mut samples = std::mem::take(&mut out.data);
    let swap = |samples: &mut [u8]| samples.chunks_exact_mut(bytes.max(1)).for_each(<[u8]>::reverse);
    swap(&mut samples);
    let mut pixels = Pixels { width: out.width, height: out.height, colour, depth, samples };
    profile.to_srgb(&mut pixels, budget)?;
    out.data = pixels.samples;
    swap(&mut out.data);
    Ok(())
}

fn palette_to_srgb(out: &mut Out, profile: &Profile, budget: &mut Budget) -> Result<(), Refusal> {
    if !profile.changes(Colour::Rgb) {
        return Ok(());
    }
    let plane = |n: usize| out.palette.iter().skip(n.saturating_mul(256)).take(256);
    let colours = plane(0).zip(plane(1)).zip(plane(2));
    let samples = colours.flat_map(|((r, g), b)| [*r, *g, *b]).flat_map(u16::to_be_bytes).collect();
    let mut pixels = Pixels { width: 256, height: 1, colour: Colour::Rgb, depth: Depth::Sixteen, samples };
    profile.to_srgb(&mut pixels, budget)?;
    let values: Vec<u16> = pixels.samples.as_chunks::<2>().0.iter().map(|v| u16::from_be_bytes(*v)).collect();
    out.palette = (0..3).flat_map(|plane| values.iter().skip(plane).step_by(3).copied()).collect();
    Ok(())
}

/// Applies the orientation tag.
fn lay(page: &Page, mut out: Out) -> Out {
    if page.orientation == raster::Orientation::UPRIGHT {
        return out;
    }
    let pixels = (out.width as usize).saturating_mul(out.height as usize).max(1);
    let step = out.data.len().checked_div(pixels).unwrap_or(1).max(1);
    out.data = page.orientation.apply(&out.data, out.width, out.height, step);
    (out.width, out.height) = page.orientation.size(out.width, out.height);
    if page.orientation.turns() {
        out.resolution = out.resolution.map(|(x, y, unit)| (y, x, unit));
    }
    out
}
