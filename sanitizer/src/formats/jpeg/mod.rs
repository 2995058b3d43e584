//! JPEG: decoded to samples and encoded anew.
//!
//! Source: ITU-T T.81, T.871. Kept, dropped, refused and our dialect: `docs/formats/jpeg.md`.

mod markers;

use super::raster::{self, Colour, Depth, Orientation, Pixels, Profile};
use crate::switches::{Filter, off};
use crate::{Cx, Rebuilt, Reconstructor};
use jpeg_encoder::{ColorType, Encoder, PixelDensity, PixelDensityUnit, SamplingFactor};
use markers::{Frame, Map};
use model::{Budget, FindingAction, Format, Refusal, Untrusted};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// JPEG pictures.
pub struct Jpeg;

/// Annex K's tables at 16 %: second only to the source's own, and pinned by the verifier.
const QUALITY: u8 = 92;

/// Chroma of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// A chroma sample a pixel (4:4:4).
    Full,
    /// One for four pixels (4:2:0).
    Quarter,
}

/// How four-component samples are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cmyk {
    /// As the codestream has them: what a PDF's `Decode` array is applied to.
    AsStored,
    /// 0 is no ink, Adobe's inversion undone.
    Ink,
}

/// Pixel density: unit (0 to 2), x, y.
pub(crate) type Density = (u8, u16, u16);
const NO_DENSITY: Density = (0, 1, 1);

impl Reconstructor for Jpeg {
    fn formats(&self) -> &'static [Format] {
        &[Format::Jpeg]
    }

    fn reconstruct(&self, input: Untrusted<'_>, _: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let bytes = input.bytes();
        let map = markers::walk(bytes)?;
        report(&map, bytes.len(), cx);
        let (mut pixels, damaged) = decode(bytes, &map, Cmyk::Ink, cx.budget)?;
        if damaged {
            cx.found("IMG-05", FindingAction::ReEncoded, "damaged data: a part may be grey");
        }
        if let Some(profile) = map.profile(bytes) {
            if let Some(profile) = Profile::icc(&profile, cx.budget)? {
                profile.to_srgb(&mut pixels, cx.budget)?;
            }
            cx.found("IMG-20", FindingAction::Removed, "ICC profile");
        }
        if pixels.colour == Colour::Cmyk {
            cx.budget.spend_bytes(pixels.samples.len() as u64)?;
            pixels.samples = raster::cmyk_to_rgb(&pixels.samples);
            pixels.colour = Colour::Rgb;
        }
        let exif = map.exif.clone().and_then(|range| bytes.get(range)).unwrap_or_default();
        let orientation = Orientation::of_exif(exif);
        let pixels = pixels.oriented(orientation, cx.budget)?;
        let (unit, x, y) = map
            .density
            .filter(|&(unit, x, y)| unit <= 2 && x > 0 && y > 0 || off(Filter::JpegDensity))
            .unwrap_or(NO_DENSITY);
        let density = if orientation.turns() { (unit, y, x) } else { (unit, x, y) };
        let bytes = encode(&pixels, sampling(&map), density, cx.budget)?;
        Ok(Rebuilt::new(bytes, Format::Jpeg))
    }
}

fn report(map: &Map, len: usize, cx: &mut Cx<'_>) {
    let extras = map.extras;
    let trailing = u64::from(map.end < len);
    for (id, place, count) in [
        ("IMG-01", "after EOI", trailing),
        ("GEN-03", "after EOI", trailing),
        ("IMG-02", "EXIF, XMP, IPTC", extras.metadata),
        ("IMG-03", "JFIF thumbnail", extras.thumbnails),
        ("IMG-04", "comment", extras.comments),
        ("IMG-04", "application segment", extras.unknown_apps),
        ("IMG-04", "between segments", u64::from(extras.stray > 0)),
        ("IMG-24", "MPF", extras.pictures),
    ] {
        cx.found_count(id, FindingAction::Removed, place, count);
    }
    if !map.has_eoi {
        cx.found("IMG-05", FindingAction::ReEncoded, "no EOI");
    }
}

/// Decodes a JPEG stream to 8-bit grey, RGB or CMYK samples. Metadata is ignored, the orientation too.
///
/// # Errors
/// [`Refusal`] where the stream is broken, of a kind that is not decoded, or too large.
pub(crate) fn decode_jpeg(bytes: &[u8], cmyk: Cmyk, budget: &mut Budget) -> Result<Pixels, Refusal> {
    Ok(decode(bytes, &markers::walk(bytes)?, cmyk, budget)?.0)
}

/// Decodes a stream whose container says what its components are (TIFF): YCbCr where `ycc`, else whatever they are.
/// Segments that say otherwise don't count.
///
/// # Errors
/// Those of [`decode_jpeg`].
pub(crate) fn decode_components(bytes: &[u8], ycc: bool, budget: &mut Budget) -> Result<Pixels, Refusal> {
    let mut map = markers::walk(bytes)?;
    map.adobe = None;
    if let Some(frame) = map.frame.as_mut() {
        let ids: [u8; 3] = if ycc { [1, 2, 3] } else { *b"RGB" };
        frame.components.iter_mut().zip(ids).for_each(|(component, id)| component.id = id);
    }
    map.density = None;
    Ok(decode(bytes, &map, Cmyk::AsStored, budget)?.0)
}

/// T.871 clause 7, in 16.16 fixed point.
pub(crate) fn ycc_to_rgb(ycc: [u8; 3]) -> [u8; 3] {
    let [y, cb, cr] = ycc.map(i32::from);
    let (cb, cr) = (cb.saturating_sub(128), cr.saturating_sub(128));
    let scaled = |a: i32, b: i32| a.saturating_mul(b).saturating_add(1 << 15) >> 16;
    let red = y.saturating_add(scaled(cr, 91_881));
    let green = y.saturating_add(scaled(cb, -22_554)).saturating_add(scaled(cr, -46_802));
    let blue = y.saturating_add(scaled(cb, 116_130));
    [red, green, blue].map(|light| u8::try_from(light.clamp(0, 255)).unwrap_or(0))
}

/// Encodes 8-bit grey or RGB samples as our JPEG dialect.
///
/// # Errors
/// [`Refusal::Internal`] for other samples, [`Refusal::Unsupported`] for a side over 65,535 pixels.
pub(crate) fn encode_jpeg(pixels: &Pixels, sampling: Sampling, budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
    encode(pixels, sampling, NO_DENSITY, budget)
}

/// Ours: a picture smaller than one MCU of 4:2:0 on a side has a handful of chroma samples, and each further pass would
/// smear them over it; full chroma costs some hundred bytes there.
const SMALL_SIDE: u16 = 16;

/// The source's own chroma sampling, as near as our dialect has it.
fn sampling(map: &Map) -> Sampling {
    let Some(frame) = &map.frame else { return Sampling::Full };
    match frame.components.first() {
        Some(first) if first.horizontal >= 2 && first.vertical >= 2 && frame.width.min(frame.height) >= SMALL_SIDE => {
            Sampling::Quarter
        }
        Some(_) | None => Sampling::Full,
    }
}

/// The samples, and whether a part of them is only filled in.
fn decode(bytes: &[u8], map: &Map, cmyk: Cmyk, budget: &mut Budget) -> Result<(Pixels, bool), Refusal> {
    let frame = map.frame.as_ref().ok_or_else(|| Refusal::malformed(2, "T.81 B.2.1: no frame"))?;
    decodable(frame, map)?;
    let channels = frame.components.len();
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    let total = raster::claim(width, height, channels, budget)?;
    // The coefficients of a progressive frame are all held, two bytes each.
    if frame.kind == 0xC2 {
        budget.spend_bytes((total as u64).saturating_mul(2))?;
    }
    let wanted = raw_colour(frame, map);
    budget.spend_bytes(bytes.len() as u64)?;
    let stream = map.stream(bytes);
    // First as the standard has it; then as viewers do it, who leave grey what they can't decode.
    let (samples, damaged) = match samples(&stream, wanted, true) {
        Ok(samples) => (samples, false),
        Err(_) => (samples(&stream, wanted, false)?, true),
    };
    let colour = match channels {
        1 => Colour::Grey,
        3 => Colour::Rgb,
        _ => Colour::Cmyk,
    };
    if samples.len() != total {
        return Err(Refusal::malformed(0, "JPEG stream: not the size of its frame"));
    }
    let mut pixels = Pixels::new8(width, height, colour, samples)?;
    if colour == Colour::Cmyk {
        stored_inks(&mut pixels.samples, map.adobe == Some(2));
        if cmyk == Cmyk::Ink && map.adobe.is_some() {
            pixels.samples.iter_mut().for_each(|v| *v = !*v);
        }
    }
    Ok((pixels, damaged))
}

fn samples(stream: &[u8], wanted: ColorSpace, strict: bool) -> Result<Vec<u8>, Refusal> {
    let options = DecoderOptions::new_fast()
        .set_strict_mode(strict)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(wanted);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(stream), options);
    decoder.decode().map_err(|e| Refusal::malformed(0, format!("JPEG stream: {e:?}")))
}

/// What the decoder gets right; everything else is refused and not guessed.
fn decodable(frame: &Frame, map: &Map) -> Result<(), Refusal> {
    if map.scans == 0 {
        return Err(Refusal::malformed(2, "T.81 B.2.1: no scan"));
    }
    // A height of 0 would be told by a DNL segment behind the scan (T.81 B.2.5), which nobody writes.
    if frame.width == 0 || frame.height == 0 {
        return Err(Refusal::malformed(2, "T.81 B.2.2: a frame without a size"));
    }
    if !matches!(frame.kind, 0xC0..=0xC2) {
        return Err(Refusal::unsupported("a lossless, hierarchical or arithmetic JPEG"));
    }
    if frame.precision != 8 {
        return Err(Refusal::unsupported("a JPEG of more than 8 bits a sample"));
    }
    if !matches!(frame.components.len(), 1 | 3 | 4) {
        return Err(Refusal::unsupported("a JPEG of two or more than four components"));
    }
    // The decoder puts the blocks of separate sequential scans into the wrong places where sampling differs.
    if frame.kind != 0xC2 && map.separate_scans && frame.components.iter().any(|c| c.horizontal != 1 || c.vertical != 1)
    {
        return Err(Refusal::unsupported("a sequential JPEG with a scan for each component"));
    }
    Ok(())
}

/// The colour space to ask for: RGB where the decoder converts as everybody does, else the components as they are.
fn raw_colour(frame: &Frame, map: &Map) -> ColorSpace {
    let ids = frame.components.iter().map(|c| c.id);
    match frame.components.len() {
        1 => ColorSpace::Luma,
        // Neither JFIF nor Adobe says what it is: the ids R, G, B mean RGB, and the decoder takes it for YCbCr.
        3 if map.density.is_none() && map.adobe.is_none() && ids.eq(*b"RGB") => ColorSpace::YCbCr,
        3 => ColorSpace::RGB,
        _ if map.adobe == Some(2) => ColorSpace::YCCK,
        _ => ColorSpace::CMYK,
    }
}

/// YCCK to the inks it stands for (T.872, 6.5.3): C, M, Y are what RGB is not; K stays.
fn stored_inks(samples: &mut [u8], ycck: bool) {
    if !ycck {
        return;
    }
    let (pixels, _) = samples.as_chunks_mut::<4>();
    for pixel in pixels {
        let [y, cb, cr, k] = *pixel;
        let [c, m, y] = ycc_to_rgb([y, cb, cr]).map(|light| !light);
        *pixel = [c, m, y, k];
    }
}

fn encode(pixels: &Pixels, sampling: Sampling, density: Density, budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
    let colour = match (pixels.colour, pixels.depth) {
        (Colour::Grey, Depth::Eight) => ColorType::Luma,
        (Colour::Rgb, Depth::Eight) => ColorType::Rgb,
        _ => return Err(Refusal::internal("samples that JPEG does not hold")),
    };
    if !pixels.is_whole() {
        return Err(Refusal::internal("JPEG encoder: size"));
    }
    let side = |n: u32| u16::try_from(n).map_err(|_| Refusal::unsupported("a JPEG wider or higher than 65,535 pixels"));
    let (width, height) = (side(pixels.width)?, side(pixels.height)?);
    budget.spend_bytes((pixels.samples.len() / 2) as u64)?;
    let mut out = Vec::with_capacity(pixels.samples.len() / 6);
    let mut encoder = Encoder::new(&mut out, QUALITY);
    encoder.set_sampling_factor(match sampling {
        Sampling::Full => SamplingFactor::F_1_1,
        Sampling::Quarter => SamplingFactor::F_2_2,
    });
    let (unit, x, y) = density;
    let unit = match unit {
        1 => PixelDensityUnit::Inches,
        2 => PixelDensityUnit::Centimeters,
        _ => PixelDensityUnit::PixelAspectRatio,
    };
    encoder.set_density(PixelDensity { density: (x, y), unit });
    encoder
        .encode(&pixels.samples, width, height, colour)
        .map_err(|e| Refusal::internal(format!("JPEG encoder: {e}")))?;
    Ok(out)
}

#[cfg(test)]
mod tests;
