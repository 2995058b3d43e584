//! The only way to a TIFF file: our own pages in, our dialect out (`docs/formats/tiff.md`).

use crate::formats::raster;
use flate2::{Compression, write::ZlibEncoder};
use model::Refusal;
use std::io::Write;

/// Ours: what a strip holds before compression, so that a viewer needs little memory and the verifier too.
const STRIP_BYTES: usize = 1 << 18;
/// Ours: see the same constant of PNG.
const LEVEL: u32 = 6;

/// What the samples mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Grey,
    Rgb,
    Palette,
}

/// X, y, unit.
pub(super) type Resolution = ((u32, u32), (u32, u32), u16);

/// A page that can be written.
#[derive(Clone, Debug)]
pub(super) struct Out {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) kind: Kind,
    /// 1 (one byte a sample here), 8, 16 or 32.
    pub(super) bits: u16,
    /// 1 unsigned, 2 signed, 3 floating point.
    pub(super) format: u16,
    /// 1 associated, 2 straight.
    pub(super) alpha: Option<u16>,
    /// 256 reds, 256 greens, 256 blues.
    pub(super) palette: Vec<u16>,
    pub(super) subfile: u32,
    pub(super) resolution: Option<Resolution>,
    /// Interleaved, the low byte first.
    pub(super) data: Vec<u8>,
}

/// A file in the making.
pub(super) struct Writer {
    out: Vec<u8>,
    /// Where the offset of the next directory has to be put.
    link: usize,
}

/// An entry's values, as they are stored.
struct Field {
    tag: u16,
    kind: u16,
    count: usize,
    values: Vec<u8>,
}

impl Field {
    fn shorts(tag: u16, values: &[u16]) -> Self {
        Self { tag, kind: 3, count: values.len(), values: values.iter().flat_map(|v| v.to_le_bytes()).collect() }
    }

    fn longs(tag: u16, values: &[u32]) -> Self {
        Self { tag, kind: 4, count: values.len(), values: values.iter().flat_map(|v| v.to_le_bytes()).collect() }
    }

    fn rational(tag: u16, (numerator, denominator): (u32, u32)) -> Self {
        let values = [numerator.to_le_bytes(), denominator.to_le_bytes()].concat();
        Self { tag, kind: 5, count: 1, values }
    }
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { out: b"II\x2a\0\0\0\0\0".to_vec(), link: 4 }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Adds a page.
    pub(super) fn page(&mut self, page: &Out) -> Result<(), Refusal> {
        let samples = match (page.kind, page.alpha) {
            (Kind::Grey | Kind::Palette, None) => 1,
            (Kind::Grey | Kind::Palette, Some(_)) => 2,
            (Kind::Rgb, None) => 3,
            (Kind::Rgb, Some(_)) => 4,
        };
        let plain = usize::from(page.bits.div_ceil(8)).saturating_mul(samples);
        let expected = (page.width as usize).saturating_mul(page.height as usize).saturating_mul(plain);
        if page.data.len() != expected || expected == 0 {
            return Err(Refusal::internal("TIFF: samples of a page"));
        }
        let predicted = page.kind != Kind::Palette && matches!(page.bits, 8 | 16);
        let (rows, strips) = strips(page, samples, plain, predicted)?;
        let per_sample = |value: u16| vec![value; samples];
        let mut fields = Vec::new();
        if page.subfile != 0 {
            fields.push(Field::longs(254, &[page.subfile]));
        }
        fields.push(Field::longs(256, &[page.width]));
        fields.push(Field::longs(257, &[page.height]));
        fields.push(Field::shorts(258, &per_sample(page.bits)));
        fields.push(Field::shorts(259, &[8]));
        let photometric = match page.kind {
            Kind::Grey => 1,
            Kind::Rgb => 2,
            Kind::Palette => 3,
        };
        fields.push(Field::shorts(262, &[photometric]));
        let lengths = strips.iter().map(|s| u32::try_from(s.len())).collect::<Result<Vec<_>, _>>();
        let lengths = lengths.map_err(|_| too_large())?;
        // The offsets are known when the length of everything in front of the strips is.
        fields.push(Field::longs(273, &lengths));
        fields.push(Field::shorts(277, &[u16::try_from(samples).unwrap_or(1)]));
        fields.push(Field::longs(278, &[rows]));
        fields.push(Field::longs(279, &lengths));
        if let Some((x, y, unit)) = page.resolution {
            fields.push(Field::rational(282, x));
            fields.push(Field::rational(283, y));
            fields.push(Field::shorts(296, &[unit]));
        }
        if predicted {
            fields.push(Field::shorts(317, &[2]));
        }
        if page.kind == Kind::Palette {
            fields.push(Field::shorts(320, &page.palette));
        }
        if let Some(alpha) = page.alpha {
            fields.push(Field::shorts(338, &[alpha]));
        }
        if page.format != 1 {
            fields.push(Field::shorts(339, &per_sample(page.format)));
        }
        self.directory(fields, &strips)
    }

    fn directory(&mut self, mut fields: Vec<Field>, strips: &[Vec<u8>]) -> Result<(), Refusal> {
        self.even();
        let start = self.out.len();
        let head = fields.len().saturating_mul(12).saturating_add(6);
        let values: usize =
            fields.iter().map(|f| f.values.len()).filter(|n| *n > 4).map(|n| n.next_multiple_of(2)).sum();
        let mut at = start.saturating_add(head).saturating_add(values);
        let mut offsets = Vec::with_capacity(strips.len());
        for strip in strips {
            offsets.push(u32::try_from(at).map_err(|_| too_large())?);
            at = at.saturating_add(strip.len().next_multiple_of(2));
        }
        if let Some(field) = fields.iter_mut().find(|f| f.tag == 273) {
            *field = Field::longs(273, &offsets);
        }
        self.link_to(start)?;
        self.out.extend_from_slice(&u16::try_from(fields.len()).unwrap_or(0).to_le_bytes());
        let mut behind = start.saturating_add(head);
        for field in &fields {
            self.out.extend_from_slice(&field.tag.to_le_bytes());
            self.out.extend_from_slice(&field.kind.to_le_bytes());
            self.out.extend_from_slice(&u32::try_from(field.count).map_err(|_| too_large())?.to_le_bytes());
            if field.values.len() > 4 {
                self.out.extend_from_slice(&u32::try_from(behind).map_err(|_| too_large())?.to_le_bytes());
                behind = behind.saturating_add(field.values.len().next_multiple_of(2));
            } else {
                let mut inline = field.values.clone();
                inline.resize(4, 0);
                self.out.extend_from_slice(&inline);
            }
        }
        self.link = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        let values = fields.iter().map(|f| &f.values).filter(|v| v.len() > 4);
        for part in values.chain(strips) {
            self.even();
            self.out.extend_from_slice(part);
        }
        // The file, too, ends at an even offset: docs/formats/tiff.md, 3.
        self.even();
        Ok(())
    }

    /// Everything begins at an even offset.
    fn even(&mut self) {
        if self.out.len() % 2 == 1 {
            self.out.push(0);
        }
    }

    fn link_to(&mut self, at: usize) -> Result<(), Refusal> {
        let at = u32::try_from(at).map_err(|_| too_large())?;
        let end = self.link.saturating_add(4);
        let place = self.out.get_mut(self.link..end).ok_or_else(|| Refusal::internal("TIFF: link"))?;
        place.copy_from_slice(&at.to_le_bytes());
        Ok(())
    }
}

fn too_large() -> Refusal {
    Refusal::unsupported("a TIFF of over 4 GiB")
}

/// Compressed strips, and the rows that each but the last one has.
fn strips(page: &Out, samples: usize, plain: usize, predicted: bool) -> Result<(u32, Vec<Vec<u8>>), Refusal> {
    let row = (page.width as usize).saturating_mul(plain).max(1);
    let packed = if page.bits == 1 { raster::row_bytes(page.width, 1) } else { row };
    let rows = STRIP_BYTES.checked_div(packed.max(1)).unwrap_or(1).clamp(1, page.height as usize);
    let mut out = Vec::new();
    for strip in page.data.chunks(row.saturating_mul(rows)) {
        let broken = |_| Refusal::internal("TIFF: deflate");
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::new(LEVEL));
        if page.bits == 1 {
            zlib.write_all(&raster::pack(strip, page.width, 1)).map_err(broken)?;
        } else if predicted {
            for line in strip.chunks_exact(row) {
                zlib.write_all(&predict(line, samples, page.bits)).map_err(broken)?;
            }
        } else {
            zlib.write_all(strip).map_err(broken)?;
        }
        out.push(zlib.finish().map_err(broken)?);
    }
    Ok((u32::try_from(rows).map_err(|_| too_large())?, out))
}

/// Section 14: each sample less the one to its left.
fn predict(line: &[u8], samples: usize, bits: u16) -> Vec<u8> {
    let first = samples.saturating_mul(usize::from(bits / 8));
    let (start, rest) = line.split_at(first.min(line.len()));
    let mut out = start.to_vec();
    if bits == 16 {
        let (values, _) = rest.as_chunks::<2>();
        let (lefts, _) = line.as_chunks::<2>();
        let less =
            |(v, l): (&[u8; 2], &[u8; 2])| u16::from_le_bytes(*v).wrapping_sub(u16::from_le_bytes(*l)).to_le_bytes();
        out.extend(values.iter().zip(lefts).flat_map(less));
    } else {
        out.extend(rest.iter().zip(line).map(|(v, l)| v.wrapping_sub(*l)));
    }
    out
}
