//! What the picture formats share: decoded samples, their colours, their orientation. Containers that hold pictures of
//! their own (PDF, Office) use the same functions.

mod colour;
mod icc;
mod orientation;
mod packed;

pub(crate) use colour::{cmyk_to_rgb, opaque};
pub(crate) use icc::Profile;
pub(crate) use orientation::Orientation;
pub(crate) use packed::{pack, row_bytes, unpack};

pub(crate) use super::jpeg::{Cmyk, Sampling, decode_jpeg, encode_jpeg};

use model::{Budget, Refusal};

/// What the samples of a pixel mean, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// One sample, 0 is black.
    Grey,
    /// Grey and straight alpha.
    GreyAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and straight alpha.
    Rgba,
    /// Four inks, 0 is none.
    Cmyk,
}

impl Colour {
    /// Samples of a pixel.
    pub(crate) const fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }
}

/// Bits of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// A byte.
    Eight,
    /// Two bytes, the high one first.
    Sixteen,
}

impl Depth {
    /// Bytes of a sample.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::Eight => 1,
            Self::Sixteen => 2,
        }
    }
}

/// A decoded picture: rows from the top, no padding between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pixels {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) colour: Colour,
    pub(crate) depth: Depth,
    pub(crate) samples: Vec<u8>,
}

impl Pixels {
    /// A picture of 8-bit samples.
    ///
    /// # Errors
    /// [`Refusal::Internal`] where the number of samples is not that of the size.
    pub(crate) fn new8(width: u32, height: u32, colour: Colour, samples: Vec<u8>) -> Result<Self, Refusal> {
        let pixels = Self { width, height, colour, depth: Depth::Eight, samples };
        if pixels.is_whole() { Ok(pixels) } else { Err(Refusal::internal("picture of the wrong size")) }
    }

    /// Bytes of a pixel.
    pub(crate) const fn pixel_bytes(&self) -> usize {
        self.colour.channels().saturating_mul(self.depth.bytes())
    }

    /// Whether there are exactly as many samples as the size says.
    pub(crate) fn is_whole(&self) -> bool {
        let bytes = u64::from(self.width).saturating_mul(u64::from(self.height));
        bytes > 0 && bytes.saturating_mul(self.pixel_bytes() as u64) == self.samples.len() as u64
    }

    /// Turns and mirrors the picture so that it needs no orientation any more.
    pub(crate) fn oriented(self, orientation: Orientation, budget: &mut Budget) -> Result<Self, Refusal> {
        if orientation == Orientation::UPRIGHT {
            return Ok(self);
        }
        budget.spend_bytes(self.samples.len() as u64)?;
        let samples = orientation.apply(&self.samples, self.width, self.height, self.pixel_bytes());
        let (width, height) = orientation.size(self.width, self.height);
        Ok(Self { width, height, samples, ..self })
    }
}

/// Samples as bytes, checked against `usize` and the budget before anything is allocated.
pub(crate) fn claim(width: u32, height: u32, pixel_bytes: usize, budget: &mut Budget) -> Result<usize, Refusal> {
    let bytes = u32::try_from(pixel_bytes).map_err(|_| Refusal::internal("bytes of a pixel"))?;
    budget.spend_pixels(width, height, bytes)?;
    let total = u64::from(width).checked_mul(u64::from(height)).and_then(|n| n.checked_mul(u64::from(bytes)));
    total.and_then(|n| usize::try_from(n).ok()).ok_or_else(|| Refusal::unsupported("a picture of that size"))
}
