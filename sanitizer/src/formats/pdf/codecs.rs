//! Picture codecs of PDF (ISO 32000-1 clauses 7.4.6 to 7.4.9): to bare samples.

use super::filters::{Kind, Parms};
use crate::formats::raster::{self, Cmyk};
use crate::switches::{Filter, off};
use model::{Budget, Refusal};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// Samples in rows that start on a byte.
#[derive(Debug)]
pub struct Samples {
    pub width: u32,
    pub height: u32,
    pub components: usize,
    pub bits: u32,
    pub data: Vec<u8>,
    /// An alpha channel that the codec carried, 8 bits.
    pub alpha: Option<Vec<u8>>,
    /// A JPEG with one chroma sample for four pixels.
    pub quarter: bool,
}

impl Samples {
    /// Bytes of a row; `None` where it overflows.
    pub fn row(width: u32, components: usize, bits: u32) -> Option<usize> {
        Some((width as usize).checked_mul(components)?.checked_mul(bits as usize)?.div_ceil(8))
    }

    /// Makes the data as long as its sizes say: cut, or filled with zeros.
    pub fn exact(mut self) -> Option<Self> {
        let row = Self::row(self.width, self.components, self.bits)?;
        let size = row.checked_mul(self.height as usize)?;
        if !off(Filter::PdfSampleCounts) {
            self.data.resize(size, 0);
        }
        Some(self)
    }
}

/// Decodes `data`; `None` where it is damaged beyond use. `width` and `height` are those of the image dictionary.
///
/// # Errors
/// [`Refusal::Limit`] where the picture is larger than policy allows.
pub fn decode(
    kind: Kind,
    data: &[u8],
    parms: &Parms,
    width: u32,
    height: u32,
    budget: &mut Budget,
) -> Result<Option<Samples>, Refusal> {
    match kind {
        Kind::Dct => dct(data, parms, budget),
        Kind::Jpx => jpx(data, budget),
        Kind::Ccitt => {
            budget.spend_pixels(width, height, 1)?;
            Ok(ccitt(data, parms, width, height))
        }
        Kind::Jbig2 => jbig2(data, parms, width, height, budget),
        Kind::Hex | Kind::Ascii85 | Kind::Lzw | Kind::Flate | Kind::RunLength | Kind::Crypt => Ok(None),
    }
}

fn dct(data: &[u8], parms: &Parms, budget: &mut Budget) -> Result<Option<Samples>, Refusal> {
    // A line end may stand before the picture, the second half of the one after `ID`.
    let start = data.windows(2).take(64).position(|w| w == [0xFF, 0xD8]).unwrap_or(0);
    let data = data.get(start..).unwrap_or_default();
    let quarter = quarter_chroma(data);
    // The careful decoder first; what it refuses as damaged, viewers still show in part.
    if parms.color_transform.is_none() {
        match raster::decode_jpeg(data, Cmyk::AsStored, budget) {
            Ok(pixels) => {
                let (width, height, components) = (pixels.width, pixels.height, pixels.colour.channels());
                let data = pixels.samples;
                return Ok(Samples { width, height, components, bits: 8, data, alpha: None, quarter }.exact());
            }
            Err(refusal @ Refusal::Limit { .. }) => return Err(refusal),
            Err(Refusal::Malformed { .. }) => {}
            // What it calls unsupported, the lenient one decodes wrongly.
            Err(_) => return Ok(None),
        }
    }
    Ok(lenient_dct(data, parms, budget)?.map(|samples| Samples { quarter, ..samples }))
}

/// Whether the first component of the frame has two samples for one of the others, both ways.
fn quarter_chroma(data: &[u8]) -> bool {
    let mut at = 2usize;
    while let Some([0xFF, marker, high, low]) = data.get(at..at.saturating_add(4)) {
        if matches!(marker, 0xC0..=0xC2) {
            return data.get(at.saturating_add(11)).is_some_and(|b| b >> 4 >= 2 && b & 15 >= 2);
        }
        at = at.saturating_add(2).saturating_add(usize::from(u16::from_be_bytes([*high, *low])));
    }
    false
}

fn lenient_dct(data: &[u8], parms: &Parms, budget: &mut Budget) -> Result<Option<Samples>, Refusal> {
    let options = DecoderOptions::default().set_max_width(65_535).set_max_height(65_535);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    if decoder.decode_headers().is_err() {
        return Ok(None);
    }
    let (Some(input), Some((width, height))) = (decoder.input_colorspace(), decoder.dimensions()) else {
        return Ok(None);
    };
    let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else {
        return Ok(None);
    };
    budget.spend_pixels(width, height, 4)?;
    let (out, components) = match input {
        ColorSpace::YCbCr if parms.color_transform == Some(0) => (ColorSpace::YCbCr, 3),
        ColorSpace::Luma | ColorSpace::LumaA => (ColorSpace::Luma, 1),
        ColorSpace::CMYK if decoder.info().is_some_and(|i| i.components == 3) => (ColorSpace::RGB, 3),
        ColorSpace::CMYK => (ColorSpace::CMYK, 4),
        ColorSpace::YCCK => (ColorSpace::YCCK, 4),
        _ => (ColorSpace::RGB, 3),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(out));
    let Ok(mut data) = decoder.decode() else {
        return Ok(None);
    };
    if out == ColorSpace::YCCK {
        data.as_chunks_mut::<4>().0.iter_mut().for_each(ycck);
    }
    Ok(Samples { width, height, components, bits: 8, data, alpha: None, quarter: false }.exact())
}

/// YCCK to CMYK as Adobe stores it: the first three inverted (T.872).
fn ycck(pixel: &mut [u8; 4]) {
    let [y, cb, cr, _] = pixel.map(f32::from);
    let cmy = [
        255.0 - (y + 1.402 * (cr - 128.0)),
        255.0 - (y - 0.344_14 * (cb - 128.0) - 0.714_14 * (cr - 128.0)),
        255.0 - (y + 1.772 * (cb - 128.0)),
    ];
    for (to, from) in pixel.iter_mut().zip(cmy) {
        *to = byte(from);
    }
}

/// Rounds into 0..=255.
pub fn byte(value: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bound: clamped to a byte")]
    {
        value.round().clamp(0.0, 255.0) as u8
    }
}

fn jpx(data: &[u8], budget: &mut Budget) -> Result<Option<Samples>, Refusal> {
    let settings =
        hayro_jpeg2000::DecodeSettings { resolve_palette_indices: true, strict: false, target_resolution: None };
    let Ok(image) = hayro_jpeg2000::Image::new(data, &settings) else {
        return Ok(None);
    };
    let (width, height) = (image.width(), image.height());
    let colors = usize::from(image.color_space().num_channels());
    let channels = colors.saturating_add(usize::from(image.has_alpha()));
    // The decoder works on 32-bit coefficients, some three copies of them.
    let cost = u32::try_from(channels.saturating_mul(12)).unwrap_or(u32::MAX);
    budget.spend_pixels(width, height, cost)?;
    if channels == 0 {
        return Ok(None);
    }
    let mut context = hayro_jpeg2000::DecoderContext::default();
    let has_alpha = image.has_alpha();
    let Ok(bitmap) = image.decode(&mut context) else {
        return Ok(None);
    };
    let mut data = bitmap.data_u8();
    let mut alpha = None;
    if has_alpha {
        alpha = Some(data.chunks_exact(channels).filter_map(|p| p.last().copied()).collect());
        data = data.chunks_exact(channels).flat_map(|p| p.iter().take(colors).copied()).collect();
    }
    Ok(Samples { width, height, components: colors, bits: 8, data, alpha, quarter: false }.exact())
}

/// One-bit rows that a decoder fills from the left.
struct Bits {
    data: Vec<u8>,
    stride: usize,
    width: usize,
    height: usize,
    row: usize,
    column: usize,
}

impl Bits {
    fn new(width: u32, height: u32, fill: u8) -> Option<Self> {
        let (width, height) = (width as usize, height as usize);
        let stride = width.div_ceil(8);
        Some(Self { data: vec![fill; stride.checked_mul(height)?], stride, width, height, row: 0, column: 0 })
    }

    /// Flips the pixels from `start` to before `end` of the present row.
    fn flip(&mut self, start: usize, end: usize) {
        let from = self.row.saturating_mul(self.stride);
        let end = end.min(self.width);
        let Some(row) = self.data.get_mut(from..from.saturating_add(self.stride)) else {
            return;
        };
        let mut x = start;
        while x < end {
            let Some(byte) = row.get_mut(x / 8) else { return };
            if x.is_multiple_of(8) && end.saturating_sub(x) >= 8 {
                *byte = !*byte;
                x = x.saturating_add(8);
            } else {
                *byte ^= 0x80 >> (x % 8);
                x = x.saturating_add(1);
            }
        }
    }
}

impl hayro_ccitt::Decoder for Bits {
    fn push_row(&mut self, changes: &[u32]) {
        if self.row < self.height {
            for span in changes.chunks(2) {
                let start = span.first().copied().unwrap_or(0) as usize;
                let end = span.get(1).map_or(self.width, |e| *e as usize);
                self.flip(start, end);
            }
        }
        self.row = self.row.saturating_add(1);
    }
}

impl hayro_jbig2::Decoder for Bits {
    fn push_pixel(&mut self, black: bool) {
        self.push_pixels(black, 1);
    }

    fn push_pixel_chunk(&mut self, black: bool, chunk_count: u32) {
        self.push_pixels(black, (chunk_count as usize).saturating_mul(8));
    }

    fn next_line(&mut self) {
        self.row = self.row.saturating_add(1);
        self.column = 0;
    }
}

impl Bits {
    fn push_pixels(&mut self, black: bool, n: usize) {
        let end = self.column.saturating_add(n);
        if black {
            self.flip(self.column, end);
        }
        self.column = end;
    }

    fn samples(self, width: u32, height: u32) -> Option<Samples> {
        Samples { width, height, components: 1, bits: 1, data: self.data, alpha: None, quarter: false }.exact()
    }
}

fn ccitt(data: &[u8], parms: &Parms, width: u32, height: u32) -> Option<Samples> {
    let settings = hayro_ccitt::DecodeSettings {
        columns: parms.columns.unwrap_or(1728).min(65_535),
        rows: height,
        end_of_block: parms.end_of_block,
        end_of_line: parms.end_of_line,
        rows_are_byte_aligned: parms.byte_align,
        encoding: match parms.k {
            0 => hayro_ccitt::EncodingMode::Group3_1D,
            1.. => hayro_ccitt::EncodingMode::Group3_2D,
            _ => hayro_ccitt::EncodingMode::Group4,
        },
        strict: false,
    };
    let mut bits = Bits::new(width, height, if parms.black_is_1 { 0 } else { 0xFF })?;
    let mut context = hayro_ccitt::DecoderContext::new(settings);
    let result = hayro_ccitt::decode(data, &mut bits, &mut context);
    if result.is_err() && bits.row == 0 {
        return None;
    }
    bits.samples(width, height)
}

fn jbig2(data: &[u8], parms: &Parms, width: u32, height: u32, budget: &mut Budget) -> Result<Option<Samples>, Refusal> {
    let settings = hayro_jbig2::DecodeSettings { strict: false };
    let globals = match &parms.globals {
        Some(globals) => hayro_jbig2::Globals::new(globals, &settings).ok(),
        None => None,
    };
    let Ok(page) = hayro_jbig2::Page::new_embedded(data, globals.as_ref(), &settings) else {
        return Ok(None);
    };
    budget.spend_pixels(page.width(), page.height(), 2)?;
    budget.spend_pixels(width, height, 1)?;
    let Some(mut bits) = Bits::new(width, height, 0xFF) else {
        return Ok(None);
    };
    if page.decode(&mut bits).is_err() {
        return Ok(None);
    }
    Ok(bits.samples(width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_black_become_zero_bits() {
        let mut bits = Bits::new(20, 2, 0xFF).unwrap();
        hayro_ccitt::Decoder::push_row(&mut bits, &[1, 18]);
        hayro_ccitt::Decoder::push_row(&mut bits, &[16]);
        assert_eq!(bits.data, [0x80, 0, 0x3F, 0xFF, 0xFF, 0x0F]);
    }

    #[test]
    fn ycck_without_colour_is_inverted_grey() {
        let mut pixel = [200, 128, 128, 7];
        ycck(&mut pixel);
        assert_eq!(pixel, [55, 55, 55, 7]);
    }
}
