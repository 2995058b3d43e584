//! BMP: BITMAPFILEHEADER with BITMAPINFOHEADER or BITMAPV4HEADER. The dialect is in `docs/formats/bmp.md`.

use super::picture::{canvas, indices_ok, padding_mask, row_bytes};
use crate::cursor::Cursor;
use crate::{Limits, Rejection};
use model::{Format, Policy};

/// Red, green, blue and alpha masks, then the colour space: all that BITMAPV4HEADER adds and is not 0.
const MASKS_AND_SPACE: &[u8] = b"\0\0\xFF\0\0\xFF\0\0\xFF\0\0\0\0\0\0\xFFBGRs";

/// A BMP of our dialect.
pub fn verify(bytes: &[u8], _format: Format, policy: &Policy, _limits: &mut Limits) -> Result<(), Rejection> {
    let mut file = Cursor::new(bytes);
    file.expect(b"BM", "BITMAPFILEHEADER: bfType")?;
    if u64::from(file.u32_le("bfSize")?) != bytes.len() as u64 {
        return Err(file.reject("BITMAPFILEHEADER: bfSize is not the length of the file"));
    }
    file.expect(&[0; 4], "BITMAPFILEHEADER: bfReserved1, bfReserved2")?;
    let offset = file.u32_le("bfOffBits")?;
    let image = Image::read(&mut file, policy)?;
    if offset as usize != file.at() {
        return Err(file.reject("our dialect: gap before the pixels"));
    }
    image.pixels(&mut file)?;
    file.end("the pixels")
}

struct Image {
    width: u32,
    height: u32,
    bits: u32,
    entries: usize,
    size: u32,
}

impl Image {
    /// The header and the palette.
    fn read(file: &mut Cursor<'_>, policy: &Policy) -> Result<Self, Rejection> {
        let header = file.u32_le("biSize")?;
        let (width, height) = (file.u32_le("biWidth")?, file.u32_le("biHeight")?);
        if i32::try_from(width).is_err() || i32::try_from(height).is_err() {
            return Err(file.reject("our dialect: width and height are positive"));
        }
        canvas(width, height, policy)?;
        file.expect(&[1, 0], "biPlanes is 1")?;
        let bits = u32::from(file.u16_le("biBitCount")?);
        let compression = file.u32_le("biCompression")?;
        if !matches!((header, bits, compression), (40, 1 | 4 | 8 | 24, 0) | (108, 32, 3)) {
            return Err(file.reject("our dialect: header, bits and compression"));
        }
        let size = file.u32_le("biSizeImage")?;
        let (x, y) = (file.u32_le("biXPelsPerMeter")?, file.u32_le("biYPelsPerMeter")?);
        if i32::try_from(x).is_err() || i32::try_from(y).is_err() {
            return Err(file.reject("our dialect: resolution is not negative"));
        }
        let used = file.u32_le("biClrUsed")?;
        file.expect(&[0; 4], "our dialect: biClrImportant is 0")?;
        if header == 108 {
            file.expect(MASKS_AND_SPACE, "our dialect: masks of BGRA, sRGB")?;
            file.expect(&[0; 48], "our dialect: end points and gammas are 0")?;
        }
        let fits = if bits <= 8 { (1..=1u32 << bits).contains(&used) } else { used == 0 };
        if !fits {
            return Err(file.reject("our dialect: biClrUsed"));
        }
        let (colours, _) = file.take((used as usize).saturating_mul(4), "palette")?.as_chunks::<4>();
        if colours.iter().any(|[.., reserved]| *reserved != 0) {
            return Err(file.reject("RGBQUAD: rgbReserved is 0"));
        }
        Ok(Self { width, height, bits, entries: colours.len(), size })
    }

    /// Rows, padded to four bytes with zeros.
    fn pixels(&self, file: &mut Cursor<'_>) -> Result<(), Rejection> {
        let row = row_bytes(self.width, self.bits)?;
        let stride = row.checked_next_multiple_of(4).ok_or_else(|| file.reject("row too long"))?;
        if (stride as u64).checked_mul(u64::from(self.height)) != Some(u64::from(self.size)) {
            return Err(file.reject("our dialect: biSizeImage"));
        }
        let pixels = file.take(self.size as usize, "pixels")?;
        let indexed = self.bits <= 8 && (self.entries < 1 << self.bits || padding_mask(self.width, self.bits) != 0);
        if stride == row && !indexed {
            return Ok(());
        }
        for line in pixels.chunks_exact(stride) {
            let (samples, padding) = line.split_at(row);
            if padding.iter().any(|byte| *byte != 0) {
                return Err(file.reject("our dialect: row padding is 0"));
            }
            if indexed && !indices_ok(samples, self.width, self.bits, self.entries) {
                return Err(file.reject("our dialect: index outside the palette, or padding bits not 0"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "tests")]
mod tests;
