//! JPEG: ITU-T T.81, in the JFIF form of T.871. The dialect is in `docs/formats/jpeg.md`.
//!
//! Baseline, one interleaved scan, with the quantisation and Huffman tables of Annex K and no others: the segments before
//! the scan are compared with what they must be, and every code of every block is decoded. Coefficients need not be held.

mod scan;
mod tables;

use super::picture::canvas;
use crate::cursor::Cursor;
use crate::{Limits, Rejection};
use model::{Format, Policy};
use scan::{Component, Scan};

/// The quality at which the tables of Annex K are scaled, as a factor in percent: 200 - 2 x 92.
const SCALE: u16 = 16;

/// A JPEG of our dialect.
pub fn verify(bytes: &[u8], _format: Format, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let mut file = Cursor::new(bytes);
    file.expect(&[0xFF, 0xD8], "T.81 B.2.1: SOI")?;
    jfif(&mut file)?;
    let frame = Frame::read(&mut file, policy)?;
    file.expect(&quantisation(0, &tables::LUMINANCE), "our dialect: DQT 0 is Annex K.1 at 92")?;
    file.expect(&quantisation(1, &tables::CHROMINANCE), "our dialect: DQT 1 is Annex K.2 at 92")?;
    file.expect(&tables::DC_LUMINANCE.segment(0x00), "our dialect: DHT is Annex K.3")?;
    file.expect(&tables::AC_LUMINANCE.segment(0x10), "our dialect: DHT is Annex K.5")?;
    if frame.colour {
        file.expect(&tables::DC_CHROMINANCE.segment(0x01), "our dialect: DHT is Annex K.4")?;
        file.expect(&tables::AC_CHROMINANCE.segment(0x11), "our dialect: DHT is Annex K.6")?;
    }
    let selectors: &[u8] = if frame.colour { &[3, 0, 0, 1, 0x11, 2, 0x11] } else { &[1, 0, 0] };
    let len = u8::try_from(selectors.len()).unwrap_or_default().saturating_add(5);
    file.expect(&[&[0xFF, 0xDA, 0, len], selectors, &[0, 63, 0]].concat(), "T.81 B.2.3: SOS of all components")?;
    let end = frame.scan(file.rest(), limits).map_err(|r| r.inside("scan"))?;
    file.take(end, "scan")?;
    file.expect(&[0xFF, 0xD9], "T.81 B.2.1: EOI expected")?;
    file.end("EOI")
}

/// APP0 (T.871, 10.1) without a thumbnail.
fn jfif(file: &mut Cursor<'_>) -> Result<(), Rejection> {
    file.expect(b"\xFF\xE0\x00\x10JFIF\0\x01\x02", "T.871 10.1: APP0")?;
    let unit = file.u8("APP0")?;
    let (x, y) = (file.u16_be("APP0")?, file.u16_be("APP0")?);
    if unit > 2 || x == 0 || y == 0 {
        return Err(file.reject("T.871 10.1: density"));
    }
    file.expect(&[0, 0], "our dialect: no thumbnail")
}

/// SOF0.
struct Frame {
    width: u32,
    height: u32,
    colour: bool,
    /// The luminance is sampled 2x2.
    quartered: bool,
}

impl Frame {
    fn read(file: &mut Cursor<'_>, policy: &Policy) -> Result<Self, Rejection> {
        file.expect(&[0xFF, 0xC0], "our dialect: SOF0")?;
        let len = file.u16_be("SOF0")?;
        file.expect(&[8], "our dialect: 8 bits a sample")?;
        let (height, width) = (u32::from(file.u16_be("SOF0")?), u32::from(file.u16_be("SOF0")?));
        canvas(width, height, policy)?;
        let frame = |colour, quartered| Ok(Self { width, height, colour, quartered });
        match (len, file.take(usize::from(len).saturating_sub(7), "SOF0")?) {
            (11, [1, 0, 0x11, 0]) => frame(false, false),
            (17, [3, 0, 0x11, 0, 1, 0x11, 1, 2, 0x11, 1]) => frame(true, false),
            (17, [3, 0, 0x22, 0, 1, 0x11, 1, 2, 0x11, 1]) => frame(true, true),
            _ => Err(file.reject("our dialect: components of SOF0")),
        }
    }

    /// Decodes every MCU (A.2.3), and returns how many bytes they took.
    fn scan(&self, data: &[u8], limits: &mut Limits) -> Result<usize, Rejection> {
        let side = if self.quartered { 16 } else { 8 };
        let (across, down) = (self.width.div_ceil(side), self.height.div_ceil(side));
        let luminance = Component::new(&tables::DC_LUMINANCE, &tables::AC_LUMINANCE);
        let chrominance = Component::new(&tables::DC_CHROMINANCE, &tables::AC_CHROMINANCE);
        let mut components = [luminance, chrominance.clone(), chrominance];
        let order: &[usize] = match (self.colour, self.quartered) {
            (false, _) => &[0],
            (true, false) => &[0, 1, 2],
            (true, true) => &[0, 0, 0, 0, 1, 2],
        };
        let mut scan = Scan::new(data);
        for _row in 0..down {
            limits.spend((across as usize).saturating_mul(order.len()).saturating_mul(64))?;
            for _column in 0..across {
                for index in order {
                    let component = components.get_mut(*index).ok_or_else(|| scan.reject("component"))?;
                    scan.block(component)?;
                }
            }
        }
        scan.finish()
    }
}

/// A DQT segment (B.2.4.1) of one 8-bit table: that of Annex K, scaled, in zigzag order.
fn quantisation(id: u8, natural: &[u8; 64]) -> Vec<u8> {
    let mut segment = vec![0xFF, 0xDB, 0, 67, id];
    segment.extend(tables::ZIGZAG.iter().map(|place| {
        let entry = natural.get(usize::from(*place)).copied().unwrap_or_default();
        let scaled = u16::from(entry).saturating_mul(SCALE).saturating_add(50).div_euclid(100);
        u8::try_from(scaled.max(1)).unwrap_or(u8::MAX)
    }));
    segment
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "tests")]
mod tests;
