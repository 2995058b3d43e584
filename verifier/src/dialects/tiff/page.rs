//! One page: its directory, its values, its strips.

use super::align;
use crate::cursor::Cursor;
use crate::dialects::picture::{canvas, padding_mask, row_bytes};
use crate::inflate::zlib_to;
use crate::{Limits, Rejection};
use model::Policy;

const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

/// The fields of a directory (TIFF 6.0, 8 and 18), numbers widened. Empty: the field is not there.
#[derive(Default)]
struct Fields {
    subfile: Vec<u32>,
    width: Vec<u32>,
    height: Vec<u32>,
    bits: Vec<u32>,
    compression: Vec<u32>,
    photometric: Vec<u32>,
    offsets: Vec<u32>,
    samples: Vec<u32>,
    rows_per_strip: Vec<u32>,
    byte_counts: Vec<u32>,
    x_resolution: Vec<u32>,
    y_resolution: Vec<u32>,
    resolution_unit: Vec<u32>,
    predictor: Vec<u32>,
    colour_map: Vec<u32>,
    extra: Vec<u32>,
    format: Vec<u32>,
}

impl Fields {
    /// Where the values of `tag` go, and the type that they have in our dialect.
    fn place(&mut self, tag: u16) -> Option<(&mut Vec<u32>, u16)> {
        Some(match tag {
            254 => (&mut self.subfile, LONG),
            256 => (&mut self.width, LONG),
            257 => (&mut self.height, LONG),
            258 => (&mut self.bits, SHORT),
            259 => (&mut self.compression, SHORT),
            262 => (&mut self.photometric, SHORT),
            273 => (&mut self.offsets, LONG),
            277 => (&mut self.samples, SHORT),
            278 => (&mut self.rows_per_strip, LONG),
            279 => (&mut self.byte_counts, LONG),
            282 => (&mut self.x_resolution, RATIONAL),
            283 => (&mut self.y_resolution, RATIONAL),
            296 => (&mut self.resolution_unit, SHORT),
            317 => (&mut self.predictor, SHORT),
            320 => (&mut self.colour_map, SHORT),
            338 => (&mut self.extra, SHORT),
            339 => (&mut self.format, SHORT),
            _ => return None,
        })
    }

    /// Reads a directory and the values behind it. Returns also where it says that the next one is.
    fn read(file: &mut Cursor<'_>, limits: &mut Limits) -> Result<(Self, u32), Rejection> {
        let count = file.u16_le("TIFF 6.0 2: directory")?;
        let (entries, _) = file.take(usize::from(count).saturating_mul(12), "TIFF 6.0 2: entries")?.as_chunks::<12>();
        let next = file.u32_le("TIFF 6.0 2: next directory")?;
        let mut fields = Self::default();
        let mut last = 0;
        for entry in entries {
            let mut entry = Cursor::new(entry);
            let (tag, kind) = (entry.u16_le("tag")?, entry.u16_le("type")?);
            let (count, field) = (entry.u32_le("count")?, entry.array::<4>("value")?);
            if tag <= last {
                return Err(file.reject(format!("TIFF 6.0 2: tag {tag} out of order")));
            }
            last = tag;
            let place = fields.place(tag).filter(|place| place.1 == kind);
            let (values, _) = place.ok_or_else(|| file.reject(format!("our dialect: tag {tag} of type {kind}")))?;
            *values = numbers(file, kind, count, field, limits)?;
        }
        Ok((fields, next))
    }
}

/// The values of one entry: in its field, left-justified, or where the file has been read to.
fn numbers(
    file: &mut Cursor<'_>,
    kind: u16,
    count: u32,
    field: [u8; 4],
    limits: &mut Limits,
) -> Result<Vec<u32>, Rejection> {
    let width = match kind {
        SHORT => 2,
        RATIONAL => 8,
        _ => 4,
    };
    let len = (count as usize).saturating_mul(width);
    let bytes = if len <= 4 {
        let (value, rest) = field.split_at(len);
        if rest.iter().any(|byte| *byte != 0) {
            return Err(file.reject("our dialect: the rest of an inline value is 0"));
        }
        value
    } else {
        if u32::from_le_bytes(field) as usize != file.at() {
            return Err(file.reject("our dialect: values follow the directory without gaps"));
        }
        file.take(len, "values")?
    };
    limits.spend(len.saturating_mul(2))?;
    Ok(if kind == SHORT {
        bytes.as_chunks::<2>().0.iter().map(|value| u16::from_le_bytes(*value).into()).collect()
    } else {
        bytes.as_chunks::<4>().0.iter().map(|value| u32::from_le_bytes(*value)).collect()
    })
}

/// Reads one page, and returns where it says that the next one is.
pub(super) fn read(file: &mut Cursor<'_>, policy: &Policy, limits: &mut Limits) -> Result<u32, Rejection> {
    let (fields, next) = Fields::read(file, limits)?;
    let page = Page::new(&fields).map_err(|rule| file.reject(rule))?;
    canvas(page.width, page.height, policy)?;
    if fields.offsets.len() != fields.byte_counts.len() || fields.offsets.len() != page.strips() {
        return Err(file.reject("our dialect: number of strips"));
    }
    let mut left = page.height;
    for (offset, len) in fields.offsets.iter().zip(&fields.byte_counts) {
        align(file)?;
        if *offset as usize != file.at() {
            return Err(file.reject("our dialect: strips follow without gaps"));
        }
        let strip = file.take(*len as usize, "strip")?;
        let rows = left.min(page.rows_per_strip);
        page.strip(strip, rows, limits).map_err(|r| r.inside("strip"))?;
        left = left.saturating_sub(rows);
    }
    Ok(next)
}

struct Page {
    width: u32,
    height: u32,
    /// Of a pixel.
    bits: u32,
    rows_per_strip: u32,
}

impl Page {
    fn new(fields: &Fields) -> Result<Self, &'static str> {
        let (&[width], &[height], &[rows_per_strip]) =
            (&fields.width[..], &fields.height[..], &fields.rows_per_strip[..])
        else {
            return Err("TIFF 6.0 8: size and RowsPerStrip");
        };
        if !matches!(fields.subfile[..], [] | [1..=3]) {
            return Err("our dialect: NewSubfileType");
        }
        if fields.compression != [8] {
            return Err("our dialect: Compression is Deflate");
        }
        if rows_per_strip == 0 || rows_per_strip > height {
            return Err("our dialect: RowsPerStrip");
        }
        let bits = colours(fields)?;
        resolution(fields)?;
        Ok(Self { width, height, bits, rows_per_strip })
    }

    const fn strips(&self) -> usize {
        self.height.div_ceil(if self.rows_per_strip == 0 { 1 } else { self.rows_per_strip }) as usize
    }

    /// Exactly one zlib stream of exactly these rows.
    fn strip(&self, data: &[u8], rows: u32, limits: &mut Limits) -> Result<(), Rejection> {
        let row = row_bytes(self.width, self.bits)?;
        let mut left = (row as u64).checked_mul(rows.into()).ok_or_else(|| Rejection::new(0, "strip too long"))?;
        let padding = padding_mask(self.width, self.bits);
        // Bytes until the last of a row has been seen.
        let mut to_edge = row;
        let taken = zlib_to(data, limits, &mut |chunk| {
            left = left.checked_sub(chunk.len() as u64).ok_or_else(|| Rejection::new(0, "more than its rows"))?;
            if padding == 0 {
                return Ok(());
            }
            for byte in chunk {
                to_edge = to_edge.saturating_sub(1);
                if to_edge == 0 {
                    if byte & padding != 0 {
                        return Err(Rejection::new(0, "our dialect: padding bits are 0"));
                    }
                    to_edge = row;
                }
            }
            Ok(())
        })?;
        if left != 0 || taken != data.len() {
            return Err(Rejection::new(taken, "our dialect: one zlib stream of exactly its rows"));
        }
        Ok(())
    }
}

/// What samples there are; returns the bits of a pixel.
fn colours(fields: &Fields) -> Result<u32, &'static str> {
    let (&[photometric], &[samples]) = (&fields.photometric[..], &fields.samples[..]) else {
        return Err("TIFF 6.0 8: PhotometricInterpretation and SamplesPerPixel");
    };
    let colours: u32 = match photometric {
        1 | 3 => 1,
        2 => 3,
        _ => return Err("our dialect: PhotometricInterpretation"),
    };
    let alpha = match fields.extra[..] {
        [] => 0,
        [1 | 2] => 1,
        _ => return Err("TIFF 6.0 18: ExtraSamples"),
    };
    if samples != colours.saturating_add(alpha) {
        return Err("our dialect: SamplesPerPixel");
    }
    let alike = |values: &[u32]| values.len() == samples as usize && values.iter().min() == values.iter().max();
    let bits = fields.bits.first().copied().unwrap_or_default();
    if !alike(&fields.bits) || !matches!((bits, photometric, alpha), (1, 1, 0) | (8, ..) | (16 | 32, 1 | 2, _)) {
        return Err("our dialect: BitsPerSample");
    }
    let format = fields.format.first().copied();
    if format.is_some() && !alike(&fields.format) {
        return Err("our dialect: SampleFormat");
    }
    if !matches!((format, bits), (None, _) | (Some(2), 8..) | (Some(3), 16..)) {
        return Err("our dialect: SampleFormat");
    }
    let predicted = matches!((bits, photometric), (8 | 16, 1 | 2));
    if !(fields.predictor.is_empty() || fields.predictor == [2] && predicted) {
        return Err("our dialect: Predictor");
    }
    if fields.colour_map.len() != if photometric == 3 { 768 } else { 0 } {
        return Err("TIFF 6.0 5: ColorMap");
    }
    Ok(samples.saturating_mul(bits))
}

/// All three fields, or none.
fn resolution(fields: &Fields) -> Result<(), &'static str> {
    match (&fields.x_resolution[..], &fields.y_resolution[..], &fields.resolution_unit[..]) {
        (&[], &[], &[]) | (&[(1..), (1..)], &[(1..), (1..)], &[1..=3]) => Ok(()),
        _ => Err("our dialect: resolution"),
    }
}
