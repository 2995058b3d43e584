//! Colours to sRGB. The profile is used once and goes.
//!
//! Source: ICC.1:2022. A profile that can't be read or doesn't fit the samples is ignored,
//! as viewers do; one that changes no colour by more than [`CLOSE`] is sRGB in all but name, and the samples stay exactly
//! what they are.

use super::{Colour, Depth, Pixels};
use model::{Budget, Refusal};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Ours: a difference of two in 255 is what rounding in a profile's tables brings about.
const CLOSE: u8 = 2;
/// Pixels that are converted at a time.
const BATCH: usize = 1 << 14;

/// Colours that are not (known to be) sRGB.
pub(crate) struct Profile(ColorProfile);

impl Profile {
    /// Reads an ICC profile; `None` where it can't be used.
    pub(crate) fn icc(bytes: &[u8], budget: &mut Budget) -> Result<Option<Self>, Refusal> {
        // Tables are read into 16- or 32-bit numbers.
        budget.spend_bytes((bytes.len() as u64).saturating_mul(4))?;
        Ok(ColorProfile::new_from_slice(bytes).ok().map(Self))
    }

    /// Whether samples of this colour would come out different: else they can stay exactly what they are.
    pub(crate) fn changes(&self, colour: Colour) -> bool {
        match (self.0.color_space, colour) {
            (DataColorSpace::Gray, Colour::Grey | Colour::GreyAlpha) => self.grey8().is_some(),
            (DataColorSpace::Rgb, Colour::Rgb | Colour::Rgba) => self.is_srgb() == Some(false),
            (DataColorSpace::Cmyk, Colour::Cmyk) => true,
            _ => false,
        }
    }

    /// Converts in place; inks become RGB. Returns whether anything changed.
    ///
    /// # Errors
    /// The budget's.
    pub(crate) fn to_srgb(&self, pixels: &mut Pixels, budget: &mut Budget) -> Result<bool, Refusal> {
        let converted = match (self.0.color_space, pixels.colour) {
            (DataColorSpace::Gray, Colour::Grey | Colour::GreyAlpha) => self.grey(pixels),
            (DataColorSpace::Rgb, Colour::Rgb | Colour::Rgba) => self.rgb(pixels),
            (DataColorSpace::Cmyk, Colour::Cmyk) if pixels.depth == Depth::Eight => {
                budget.spend_bytes(pixels.samples.len() as u64)?;
                self.inks(pixels)
            }
            _ => None,
        };
        Ok(converted.is_some())
    }

    fn grey(&self, pixels: &mut Pixels) -> Option<()> {
        let step = pixels.colour.channels();
        match pixels.depth {
            Depth::Eight => {
                let table = self.grey8()?;
                for pixel in pixels.samples.chunks_exact_mut(step) {
                    let sample = pixel.first_mut()?;
                    *sample = *table.get(usize::from(*sample))?;
                }
            }
            Depth::Sixteen => {
                self.grey8()?;
                let from: Vec<u16> = (0..=u16::MAX).collect();
                let mut to = vec![0u16; from.len().checked_mul(3)?];
                let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
                let transform = self.0.create_transform_16bit(Layout::Gray, &srgb, Layout::Rgb, options).ok()?;
                transform.transform(&from, &mut to).ok()?;
                for pixel in pixels.samples.chunks_exact_mut(step.checked_mul(2)?) {
                    let sample = pixel.first_chunk_mut::<2>()?;
                    let at = usize::from(u16::from_be_bytes(*sample)).checked_mul(3)?;
                    *sample = to.get(at)?.to_be_bytes();
                }
            }
        }
        Some(())
    }

    /// The curve as a table, `None` where it is sRGB's.
    fn grey8(&self) -> Option<Vec<u8>> {
        let from: Vec<u8> = (0..=u8::MAX).collect();
        let mut to = vec![0u8; 768];
        let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
        let transform = self.0.create_transform_8bit(Layout::Gray, &srgb, Layout::Rgb, options).ok()?;
        transform.transform(&from, &mut to).ok()?;
        let table: Vec<u8> = to.chunks_exact(3).filter_map(|p| p.first().copied()).collect();
        let same = table.iter().zip(&from).all(|(a, b)| a.abs_diff(*b) <= CLOSE);
        (!same).then_some(table)
    }

    fn rgb(&self, pixels: &mut Pixels) -> Option<()> {
        if self.is_srgb()? {
            return None;
        }
        let alpha = pixels.colour == Colour::Rgba;
        let layout = if alpha { Layout::Rgba } else { Layout::Rgb };
        let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
        let batch = BATCH.checked_mul(pixels.pixel_bytes())?;
        match pixels.depth {
            Depth::Eight => {
                let transform = self.0.create_transform_8bit(layout, &srgb, layout, options).ok()?;
                let mut from = Vec::with_capacity(batch);
                for part in pixels.samples.chunks_mut(batch) {
                    from.clear();
                    from.extend_from_slice(part);
                    transform.transform(&from, part).ok()?;
                }
            }
            Depth::Sixteen => {
                let transform = self.0.create_transform_16bit(layout, &srgb, layout, options).ok()?;
                for part in pixels.samples.chunks_mut(batch) {
                    let (pairs, _) = part.as_chunks_mut::<2>();
                    let from: Vec<u16> = pairs.iter().map(|p| u16::from_be_bytes(*p)).collect();
                    let mut to = vec![0u16; from.len()];
                    transform.transform(&from, &mut to).ok()?;
                    pairs.iter_mut().zip(&to).for_each(|(pair, value)| *pair = value.to_be_bytes());
                }
            }
        }
        Some(())
    }

    fn is_srgb(&self) -> Option<bool> {
        const STEPS: [u8; 9] = [0, 32, 64, 96, 128, 160, 192, 224, 255];
        let grid =
            || STEPS.iter().flat_map(|&r| STEPS.iter().flat_map(move |&g| STEPS.iter().map(move |&b| [r, g, b])));
        let from: Vec<u8> = grid().flatten().collect();
        let mut to = vec![0u8; from.len()];
        let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
        let transform = self.0.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options).ok()?;
        transform.transform(&from, &mut to).ok()?;
        Some(from.iter().zip(&to).all(|(a, b)| a.abs_diff(*b) <= CLOSE))
    }

    fn inks(&self, pixels: &mut Pixels) -> Option<()> {
        let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
        let transform = self.0.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, options).ok()?;
        let mut to = vec![0u8; (pixels.samples.len() / 4).checked_mul(3)?];
        let parts = pixels.samples.chunks(BATCH.checked_mul(4)?).zip(to.chunks_mut(BATCH.checked_mul(3)?));
        for (from, to) in parts {
            transform.transform(from, to).ok()?;
        }
        pixels.samples = to;
        pixels.colour = Colour::Rgb;
        Some(())
    }
}
