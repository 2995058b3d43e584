//! What a page's tags say about its pixels, checked before any of them is decoded.

use super::ifd::{Directory, File};
use super::write::Resolution;
use crate::formats::raster::Orientation;
use crate::switches::{Filter, off};
use model::Refusal;

/// How chunks (strips or tiles) are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    /// Modified Huffman without line ends (2).
    Huffman,
    /// T.4.
    Fax3 {
        two_dimensional: bool,
    },
    /// T.6.
    Fax4,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
}

/// Photometric interpretation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Photometric {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Inks,
    YCbCr,
    Lab,
}

impl Photometric {
    /// Samples of a colour, extra ones aside.
    pub(super) const fn colours(self) -> usize {
        match self {
            Self::WhiteIsZero | Self::BlackIsZero | Self::Palette => 1,
            Self::Rgb | Self::YCbCr | Self::Lab => 3,
            Self::Inks => 4,
        }
    }
}

/// What the bits of a sample are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Unsigned,
    Signed,
    Float,
}

/// A page, as its tags describe it.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) subfile: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) bits: usize,
    pub(super) format: Format,
    pub(super) samples: usize,
    pub(super) compression: Compression,
    pub(super) photometric: Photometric,
    pub(super) planar: bool,
    pub(super) reversed_bits: bool,
    pub(super) predictor: u64,
    /// Kind of the first extra sample: 1 associated alpha, 2 straight alpha; `None` for others.
    pub(super) alpha: Option<u16>,
    pub(super) palette: Vec<u16>,
    pub(super) subsampling: (usize, usize),
    pub(super) orientation: Orientation,
    /// X, y, unit.
    pub(super) resolution: Option<Resolution>,
    pub(super) tiled: bool,
    /// Width and height of a chunk.
    pub(super) chunk: (u32, u32),
    pub(super) offsets: Vec<u64>,
    pub(super) counts: Vec<u64>,
}

impl Page {
    pub(super) fn read(file: &File<'_>, directory: &Directory) -> Result<Self, Refusal> {
        let number = |tag| file.number_of(directory, tag);
        let side = |tag| {
            let side = number(tag).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
            side.ok_or_else(|| Refusal::malformed(0, "TIFF 6.0: a page without a size"))
        };
        let (width, height) = (side(256)?, side(257)?);
        let samples = number(277).unwrap_or(1);
        let samples = usize::try_from(samples).ok().filter(|n| (1..=16).contains(n));
        let samples = samples.ok_or_else(|| Refusal::unsupported("so many samples a pixel in a TIFF"))?;
        let same = |values: &[u64]| values.iter().all(|v| Some(v) == values.first());
        // Lists longer than there are samples say no more than their beginning.
        let listed = |tag| {
            let mut values = file.numbers(directory, tag).unwrap_or_else(|| vec![1]);
            values.truncate(samples);
            values
        };
        let (bits, formats) = (listed(258), listed(339));
        if !same(&bits) || !same(&formats) {
            return Err(Refusal::unsupported("samples of different kinds in a TIFF"));
        }
        let bits = bits.first().and_then(|b| usize::try_from(*b).ok()).unwrap_or(1);
        let format = match formats.first() {
            Some(2) => Format::Signed,
            Some(3) => Format::Float,
            _ => Format::Unsigned,
        };
        let compression = compression(number(259).unwrap_or(1), number(292).unwrap_or(0))?;
        let photometric = photometric(number(262), bits, samples)?;
        let extra = file.numbers(directory, 338).and_then(|e| e.first().copied());
        let more = samples > photometric.colours();
        let alpha = match extra {
            Some(1) if more => Some(1),
            Some(2) if more => Some(2),
            // Writers that leave the tag out mean alpha by a fourth sample, and readers take it so.
            None if photometric == Photometric::Rgb && samples == 4 => Some(2),
            _ => None,
        };
        let resolution = resolution(file, directory);
        let subsampling = file.numbers(directory, 530);
        let subsampling = match subsampling.as_deref() {
            Some([h @ (1 | 2 | 4), v @ (1 | 2 | 4), ..]) => (small(*h), small(*v)),
            _ => (2, 2),
        };
        let palette = file.numbers(directory, 320).unwrap_or_default();
        let tiled = number(322).is_some();
        let chunk = if tiled {
            (side(322)?, side(323)?)
        } else {
            let rows = number(278).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
            (width, rows.unwrap_or(height).min(height))
        };
        let offsets = file.numbers(directory, if tiled { 324 } else { 273 }).or_else(|| file.numbers(directory, 273));
        let counts = file.numbers(directory, if tiled { 325 } else { 279 }).or_else(|| file.numbers(directory, 279));
        let page = Self {
            subfile: u32::try_from(number(254).unwrap_or(0) & if off(Filter::TiffSubfile) { !0 } else { 3 })
                .unwrap_or(0),
            width,
            height,
            bits,
            format,
            samples,
            compression,
            photometric,
            planar: samples > 1 && number(284) == Some(2),
            reversed_bits: number(266) == Some(2),
            predictor: number(317).unwrap_or(1),
            alpha,
            palette: palette.into_iter().map(|v| u16::try_from(v).unwrap_or(u16::MAX)).collect(),
            subsampling,
            orientation: number(274)
                .and_then(|v| u16::try_from(v).ok())
                .and_then(Orientation::new)
                .unwrap_or(Orientation::UPRIGHT),
            resolution,
            tiled,
            chunk,
            offsets: offsets.unwrap_or_default(),
            counts: counts.unwrap_or_default(),
        };
        page.check()?;
        Ok(page)
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.samples < self.photometric.colours() {
            return Err(Refusal::malformed(0, "TIFF 6.0: fewer samples than the colours take"));
        }
        let known = match self.format {
            Format::Float => matches!(self.bits, 16 | 32 | 64),
            Format::Signed => matches!(self.bits, 8 | 16 | 32 | 64),
            Format::Unsigned => matches!(self.bits, 1 | 2 | 4 | 8 | 10 | 12 | 14 | 16 | 32 | 64),
        };
        let fits = match self.photometric {
            Photometric::WhiteIsZero | Photometric::BlackIsZero | Photometric::Rgb => true,
            Photometric::Palette => self.bits <= 8 && self.palette.len() >= 3 << self.bits,
            Photometric::Inks => matches!(self.bits, 8 | 16),
            Photometric::YCbCr => self.bits == 8,
            Photometric::Lab => matches!(self.bits, 8 | 16),
        };
        if !known || !fits {
            return Err(Refusal::unsupported("TIFF samples of that kind"));
        }
        if self.offsets.len() < self.chunks() {
            return Err(Refusal::malformed(0, "TIFF 6.0: strips or tiles are missing"));
        }
        Ok(())
    }

    /// Chunks across and down.
    pub(super) fn grid(&self) -> (usize, usize) {
        let across = self.width.div_ceil(self.chunk.0.max(1));
        let down = self.height.div_ceil(self.chunk.1.max(1));
        (across as usize, down as usize)
    }

    fn chunks(&self) -> usize {
        let (across, down) = self.grid();
        let planes = if self.planar { self.samples } else { 1 };
        across.saturating_mul(down).saturating_mul(planes)
    }
}

/// 1, 2 or 4.
fn small(factor: u64) -> usize {
    usize::try_from(factor).unwrap_or(1)
}

fn compression(code: u64, fax_options: u64) -> Result<Compression, Refusal> {
    Ok(match code {
        1 => Compression::None,
        2 => Compression::Huffman,
        3 => Compression::Fax3 { two_dimensional: fax_options & 1 != 0 },
        4 => Compression::Fax4,
        5 => Compression::Lzw,
        7 => Compression::Jpeg,
        8 | 32_946 => Compression::Deflate,
        32_773 => Compression::PackBits,
        6 => return Err(Refusal::unsupported("old-style JPEG in a TIFF")),
        _ => return Err(Refusal::unsupported("compression of this TIFF")),
    })
}

fn photometric(code: Option<u64>, bits: usize, samples: usize) -> Result<Photometric, Refusal> {
    Ok(match code {
        Some(0) => Photometric::WhiteIsZero,
        Some(1 | 4) => Photometric::BlackIsZero,
        Some(2) => Photometric::Rgb,
        Some(3) => Photometric::Palette,
        Some(5) => Photometric::Inks,
        Some(6) => Photometric::YCbCr,
        Some(8) => Photometric::Lab,
        // The tag is required; files without it mean what their samples suggest.
        None if samples >= 3 => Photometric::Rgb,
        None if bits == 1 => Photometric::WhiteIsZero,
        None => Photometric::BlackIsZero,
        Some(_) => return Err(Refusal::unsupported("colours of this TIFF")),
    })
}

fn resolution(file: &File<'_>, directory: &Directory) -> Option<Resolution> {
    let of = |tag| {
        file.rationals(directory, tag).first().copied().filter(|(n, d)| *n > 0 && *d > 0 || off(Filter::TiffResolution))
    };
    let unit = file.number_of(directory, 296).and_then(|u| u16::try_from(u).ok()).unwrap_or(2);
    Some((of(282)?, of(283)?, if (1..=3).contains(&unit) || off(Filter::TiffResolution) { unit } else { 1 }))
}
