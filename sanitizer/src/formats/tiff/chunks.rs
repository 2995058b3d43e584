//! Strips and tiles: decompressed, put together, one sample after the other.

use super::ifd::File;
use super::page::{Compression, Format, Page, Photometric};
use crate::formats::jpeg;
use crate::formats::raster;
use flate2::{Decompress, FlushDecompress};
use model::{Budget, Refusal};
use weezl::BitOrder;

/// A page's samples, interleaved, rows without gaps, the low byte first.
pub(super) struct Samples {
    /// Bytes of a sample: 1, 2, 4 or 8. Fewer than 8 bits are one byte, not scaled; 10 to 14 bits are two, scaled.
    pub(super) bytes: usize,
    pub(super) data: Vec<u8>,
    /// Whether the samples are RGB already (JPEG and subsampled YCbCr).
    pub(super) rgb: bool,
}

/// Decodes all chunks of a page.
pub(super) fn decode(
    file: &File<'_>,
    page: &Page,
    tables: Option<&[u8]>,
    budget: &mut Budget,
) -> Result<Samples, Refusal> {
    let bytes = page.bits.div_ceil(8).next_power_of_two();
    let pixel = bytes.saturating_mul(page.samples);
    let total = raster::claim(page.width, page.height, pixel, budget)?;
    let mut data = vec![0u8; total];
    let (across, down) = page.grid();
    let planes = if page.planar { page.samples } else { 1 };
    let in_chunk = if page.planar { 1 } else { page.samples };
    let mut rgb = false;
    for plane in 0..planes {
        for row in 0..down {
            for column in 0..across {
                let index =
                    plane.saturating_mul(down).saturating_add(row).saturating_mul(across).saturating_add(column);
                let top = row.saturating_mul(page.chunk.1 as usize);
                // A strip may be short, a tile is always whole.
                let left_over = (page.height as usize).saturating_sub(top);
                let rows = if page.tiled { page.chunk.1 as usize } else { left_over.min(page.chunk.1 as usize) };
                let chunk = Chunk { page, tables, rows, samples: in_chunk, little: file.little };
                let raw = raw(file, page, index)?;
                let (samples, converted) = chunk.decode(raw, budget)?;
                rgb |= converted;
                let left = column.saturating_mul(page.chunk.0 as usize);
                let place = Place { left, top, rows: rows.min(left_over), plane, bytes, in_chunk, pixel };
                place.copy(&samples, page, &mut data);
            }
        }
    }
    Ok(Samples { bytes, data, rgb })
}

/// The bytes of a chunk as they stand in the file.
fn raw<'a>(file: &File<'a>, page: &Page, index: usize) -> Result<&'a [u8], Refusal> {
    let outside = || Refusal::malformed(0, "TIFF 6.0: a strip or tile outside of the file");
    let offset = page.offsets.get(index).and_then(|o| usize::try_from(*o).ok()).ok_or_else(outside)?;
    let rest = file.bytes.get(offset..).ok_or_else(outside)?;
    let count = page.counts.get(index).and_then(|c| usize::try_from(*c).ok()).filter(|c| *c > 0);
    // Counts are missing or too large in old files: the decoder takes what it needs.
    Ok(rest.get(..count.unwrap_or(rest.len())).unwrap_or(rest))
}

/// Where a chunk's samples go.
struct Place {
    left: usize,
    top: usize,
    rows: usize,
    plane: usize,
    bytes: usize,
    in_chunk: usize,
    pixel: usize,
}

impl Place {
    fn copy(&self, samples: &[u8], page: &Page, data: &mut [u8]) {
        let from_row = (page.chunk.0 as usize).saturating_mul(self.in_chunk).saturating_mul(self.bytes).max(1);
        let to_row = (page.width as usize).saturating_mul(self.pixel).max(1);
        let columns = (page.width as usize).saturating_sub(self.left).min(page.chunk.0 as usize);
        let rows = data.chunks_exact_mut(to_row).skip(self.top).take(self.rows);
        for (to, from) in rows.zip(samples.chunks_exact(from_row)) {
            let to = to.get_mut(self.left.saturating_mul(self.pixel)..).unwrap_or_default();
            if page.planar {
                let pixels = to.chunks_exact_mut(self.pixel).zip(from.chunks_exact(self.bytes)).take(columns);
                let start = self.plane.saturating_mul(self.bytes);
                for (pixel, sample) in pixels {
                    if let Some(place) = pixel.get_mut(start..start.saturating_add(self.bytes)) {
                        place.copy_from_slice(sample);
                    }
                }
            } else {
                let length = columns.saturating_mul(self.pixel);
                if let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) {
                    to.copy_from_slice(from);
                }
            }
        }
    }
}

/// One strip or tile.
struct Chunk<'a> {
    page: &'a Page,
    tables: Option<&'a [u8]>,
    rows: usize,
    /// Samples of a pixel in this chunk.
    samples: usize,
    little: bool,
}

impl Chunk<'_> {
    fn width(&self) -> usize {
        self.page.chunk.0 as usize
    }

    /// Bytes of a row, packed.
    fn row(&self) -> usize {
        self.width().saturating_mul(self.samples).saturating_mul(self.page.bits).div_ceil(8)
    }

    fn decode(&self, raw: &[u8], budget: &mut Budget) -> Result<(Vec<u8>, bool), Refusal> {
        if self.page.compression == Compression::Jpeg {
            return self.jpeg(raw, budget);
        }
        let subsampled = self.page.photometric == Photometric::YCbCr && !self.page.planar;
        let expected = if subsampled { self.units() } else { self.row().saturating_mul(self.rows) };
        budget.spend_bytes((expected as u64).saturating_mul(2))?;
        let reversed: Vec<u8>;
        let raw = if self.page.reversed_bits {
            budget.spend_bytes(raw.len() as u64)?;
            reversed = raw.iter().map(|b| b.reverse_bits()).collect();
            &reversed
        } else {
            raw
        };
        let mut data = self.expand(raw, expected)?;
        if subsampled {
            return Ok((self.ycbcr(&data), true));
        }
        self.unpredict(&mut data)?;
        Ok((self.samples(data), false))
    }

    fn expand(&self, raw: &[u8], expected: usize) -> Result<Vec<u8>, Refusal> {
        let mut out = match self.page.compression {
            Compression::None => raw.get(..expected.min(raw.len())).unwrap_or_default().to_vec(),
            Compression::PackBits => packbits(raw, expected),
            Compression::Lzw => lzw(raw, expected)?,
            Compression::Deflate => inflate(raw, expected),
            Compression::Huffman | Compression::Fax3 { .. } | Compression::Fax4 => {
                super::fax::decode(raw, self.page.compression, self.width(), self.rows)?
            }
            Compression::Jpeg => Vec::new(),
        };
        // Viewers show what is there; nothing at all is no picture.
        if out.is_empty() && expected > 0 {
            return Err(Refusal::malformed(0, "TIFF 6.0: a strip or tile without data"));
        }
        if out.len() < expected / 2 {
            return Err(Refusal::malformed(0, "TIFF 6.0: a strip or tile ends early"));
        }
        out.resize(expected, 0);
        Ok(out)
    }

    /// Undoes predictor 2 (section 14) and 3 (Technical Note 3), and puts the low byte first.
    fn unpredict(&self, data: &mut [u8]) -> Result<(), Refusal> {
        let (bytes, samples) = (self.page.bits / 8, self.samples);
        let row = self.row().max(1);
        // Only LZW and Deflate have predictors.
        let predictor = match self.page.compression {
            Compression::Lzw | Compression::Deflate => self.page.predictor,
            Compression::None
            | Compression::Huffman
            | Compression::Fax3 { .. }
            | Compression::Fax4
            | Compression::Jpeg
            | Compression::PackBits => 1,
        };
        match (predictor, self.page.bits) {
            (3, 16 | 32 | 64) if self.page.format == Format::Float => {
                for line in data.chunks_exact_mut(row) {
                    unpredict_float(line, bytes, samples);
                }
                return Ok(());
            }
            (1 | 2, _) => {}
            _ => return Err(Refusal::unsupported("predictor of this TIFF")),
        }
        if !self.little && bytes > 1 {
            data.chunks_exact_mut(bytes).for_each(<[u8]>::reverse);
        }
        if predictor == 2 {
            let add = |line: &mut [u8]| match self.page.bits {
                8 => add_left::<1>(line, samples),
                16 => add_left::<2>(line, samples),
                32 => add_left::<4>(line, samples),
                64 => add_left::<8>(line, samples),
                _ => {}
            };
            data.chunks_exact_mut(row).for_each(add);
        }
        Ok(())
    }

    /// Whole bytes a sample.
    fn samples(&self, data: Vec<u8>) -> Vec<u8> {
        let row = self.row().max(1);
        let per_row = self.width().saturating_mul(self.samples);
        match self.page.bits {
            1 | 2 | 4 => {
                let width = u32::try_from(per_row).unwrap_or(u32::MAX);
                raster::unpack(&data, width, self.page.bits)
            }
            bits @ (10 | 12 | 14) => {
                let shift = 16usize.saturating_sub(bits);
                data.chunks_exact(row)
                    .flat_map(|line| odd_bits(line, bits, per_row))
                    .flat_map(|v| (v << shift).to_le_bytes())
                    .collect()
            }
            _ => data,
        }
    }

    /// Bytes of the data units of subsampled YCbCr (section 21).
    fn units(&self) -> usize {
        let (h, v) = self.page.subsampling;
        let across = self.width().div_ceil(h.max(1));
        let down = self.rows.div_ceil(v.max(1));
        across.saturating_mul(down).saturating_mul(h.saturating_mul(v).saturating_add(2))
    }

    fn ycbcr(&self, data: &[u8]) -> Vec<u8> {
        let (h, v) = self.page.subsampling;
        let (width, rows) = (self.width(), self.rows);
        let across = width.div_ceil(h.max(1)).max(1);
        let mut out = vec![0u8; width.saturating_mul(rows).saturating_mul(3)];
        for (index, unit) in data.chunks_exact(h.saturating_mul(v).saturating_add(2)).enumerate() {
            let (column, row) = (index.checked_rem(across).unwrap_or(0), index.checked_div(across).unwrap_or(0));
            let Some(([cb, cr], luma)) = unit.split_last_chunk::<2>().map(|(l, c)| (*c, l)) else {
                continue;
            };
            for (i, &y) in luma.iter().enumerate() {
                let x = column.saturating_mul(h).saturating_add(i.checked_rem(h).unwrap_or(0));
                let line = row.saturating_mul(v).saturating_add(i.checked_div(h).unwrap_or(0));
                if x < width && line < rows {
                    let at = line.saturating_mul(width).saturating_add(x).saturating_mul(3);
                    if let Some(place) = out.get_mut(at..at.saturating_add(3)) {
                        place.copy_from_slice(&jpeg::ycc_to_rgb([y, cb, cr]));
                    }
                }
            }
        }
        out
    }

    fn jpeg(&self, raw: &[u8], budget: &mut Budget) -> Result<(Vec<u8>, bool), Refusal> {
        let mut stream = vec![0xFF, 0xD8];
        let tables = self.tables.unwrap_or_default();
        let tables = tables.strip_prefix(&[0xFF, 0xD8]).unwrap_or(tables);
        stream.extend_from_slice(tables.strip_suffix(&[0xFF, 0xD9]).unwrap_or(tables));
        stream.extend_from_slice(raw.strip_prefix(&[0xFF, 0xD8]).unwrap_or(raw));
        let ycc = self.page.photometric == Photometric::YCbCr;
        let pixels = jpeg::decode_components(&stream, ycc, budget)?;
        let (width, height) = (pixels.width as usize, pixels.height as usize);
        if pixels.colour.channels() != self.samples || self.page.bits != 8 {
            return Err(Refusal::unsupported("JPEG in a TIFF with other samples than the page"));
        }
        // A strip's frame may be smaller or larger than the strip: the part in common counts.
        let (from, to) = (width.saturating_mul(self.samples), self.width().saturating_mul(self.samples));
        if width < self.width() || height < self.rows {
            return Err(Refusal::malformed(0, "TIFF, Technical Note 2: a JPEG smaller than its strip or tile"));
        }
        let rows = pixels.samples.chunks_exact(from.max(1)).take(self.rows);
        let data = rows.filter_map(|line| line.get(..to)).flatten().copied().collect();
        Ok((data, ycc))
    }
}

/// Adds to each sample the one of the pixel to its left, in `N` little-endian bytes.
fn add_left<const N: usize>(line: &mut [u8], samples: usize) {
    let (values, _) = line.as_chunks_mut::<N>();
    for i in samples..values.len() {
        let Some(left) = values.get(i.saturating_sub(samples)).copied() else {
            continue;
        };
        if let Some(value) = values.get_mut(i) {
            let mut carry = 0u16;
            for (byte, add) in value.iter_mut().zip(left) {
                let sum = u16::from(*byte).saturating_add(u16::from(add)).saturating_add(carry);
                let [low, high] = sum.to_le_bytes();
                (*byte, carry) = (low, high.into());
            }
        }
    }
}

/// Bytes are summed along the row, then gathered: the high bytes of all samples come first.
fn unpredict_float(line: &mut [u8], bytes: usize, samples: usize) {
    for i in samples..line.len() {
        let left = line.get(i.saturating_sub(samples)).copied().unwrap_or(0);
        if let Some(byte) = line.get_mut(i) {
            *byte = byte.wrapping_add(left);
        }
    }
    let planes = line.to_vec();
    let count = line.len().checked_div(bytes).unwrap_or(0);
    for (i, sample) in line.chunks_exact_mut(bytes.max(1)).enumerate() {
        for (k, byte) in sample.iter_mut().rev().enumerate() {
            *byte = planes.get(k.saturating_mul(count).saturating_add(i)).copied().unwrap_or(0);
        }
    }
}

/// Samples of 10, 12 or 14 bits, high bit first.
fn odd_bits(line: &[u8], bits: usize, count: usize) -> Vec<u16> {
    let bit = |at: usize| line.get(at / 8).map_or(0, |b| b.wrapping_shl(u32::try_from(at % 8).unwrap_or(0)) >> 7);
    let sample =
        |i: usize| (0..bits).fold(0u16, |v, k| (v << 1) | u16::from(bit(i.saturating_mul(bits).saturating_add(k))));
    (0..count).map(sample).collect()
}

/// Section 9.
fn packbits(raw: &[u8], expected: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(expected);
    let mut rest = raw;
    while let Some((&code, behind)) = rest.split_first() {
        if out.len() >= expected {
            break;
        }
        match code {
            0..=127 => {
                let (literal, behind) = behind.split_at(usize::from(code).saturating_add(1).min(behind.len()));
                out.extend_from_slice(literal);
                rest = behind;
            }
            128 => rest = behind,
            129..=255 => {
                let Some((&value, behind)) = behind.split_first() else {
                    break;
                };
                let end = out.len().saturating_add(257usize.saturating_sub(usize::from(code)));
                out.resize(end, value);
                rest = behind;
            }
        }
    }
    out.truncate(expected);
    out
}

/// Section 13.
fn lzw(raw: &[u8], expected: usize) -> Result<Vec<u8>, Refusal> {
    // Before 1988 the bits were the other way round; such files start with a clear code in that order.
    if raw.starts_with(&[0]) && raw.get(1).is_some_and(|b| b & 1 != 0) {
        return Err(Refusal::unsupported("old-style LZW in a TIFF"));
    }
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let mut out = vec![0u8; expected];
    let (mut from, mut to) = (0usize, 0usize);
    while let (Some(input), Some(room)) = (raw.get(from..), out.get_mut(to..)) {
        let result = decoder.decode_bytes(input, room);
        from = from.saturating_add(result.consumed_in);
        to = to.saturating_add(result.consumed_out);
        let stuck = result.consumed_in == 0 && result.consumed_out == 0;
        if stuck || to >= expected || !matches!(result.status, Ok(weezl::LzwStatus::Ok)) {
            break;
        }
    }
    out.truncate(to);
    Ok(out)
}

fn inflate(raw: &[u8], expected: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(expected);
    let mut zlib = Decompress::new(true);
    // The vector never grows past its capacity: what the stream holds beyond the chunk is not asked for.
    let _ = zlib.decompress_vec(raw, &mut out, FlushDecompress::Finish);
    out
}
