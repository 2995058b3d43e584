//! The blocks of a GIF file (GIF89a, clauses 17 to 27).

use super::{Canvas, Frame};
use crate::switches::{Filter, off};
use model::{Budget, Refusal};
use weezl::{BitOrder, decode::Decoder};

/// A colour table: 2, 4, 8, … 256 entries.
pub(super) type Table = Vec<[u8; 3]>;

/// What else was seen: each is a finding.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extras {
    pub(super) comments: u64,
    pub(super) texts: u64,
    pub(super) applications: u64,
    /// LZW data that gave too few pixels.
    pub(super) short: u64,
    /// Bytes between blocks.
    pub(super) stray: u64,
}

/// Graphic control extension (clause 23).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Control {
    pub(super) disposal: u8,
    pub(super) delay: u16,
    pub(super) transparent: Option<u8>,
}

/// A reader of one file.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) canvas: Canvas,
    pub(super) extras: Extras,
    control: Control,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let broken = || Refusal::malformed(0, "GIF89a 17, 18: header and screen descriptor");
        let (head, _) = bytes.split_first_chunk::<13>().ok_or_else(broken)?;
        let [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', w0, w1, h0, h1, packed, background, _] = *head else {
            return Err(broken());
        };
        let canvas = Canvas {
            width: u16::from_le_bytes([w0, w1]),
            height: u16::from_le_bytes([h0, h1]),
            background,
            table: None,
            plays: None,
        };
        let mut reader = Self { bytes, at: 13, canvas, extras: Extras::default(), control: Control::default() };
        if packed & 0x80 != 0 {
            reader.canvas.table = Some(reader.table(packed & 7).ok_or_else(broken)?);
        }
        Ok(reader)
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(n)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn table(&mut self, bits: u8) -> Option<Table> {
        let entries = 2usize << (bits & 7);
        let (colours, _) = self.take(entries.checked_mul(3)?)?.as_chunks::<3>();
        Some(colours.to_vec())
    }

    /// The data of the sub-blocks that follow, joined. A missing terminator ends them at the end of the file.
    fn sub_blocks(&mut self, budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
        let mut data = Vec::new();
        while let Some(length) = self.byte().filter(|&n| n > 0) {
            let length = usize::from(length).min(self.bytes.len().saturating_sub(self.at));
            budget.spend_bytes(length as u64)?;
            data.extend_from_slice(self.take(length).unwrap_or_default());
        }
        Ok(data)
    }

    /// The next frame, `None` behind the last one.
    pub(super) fn frame(&mut self, budget: &mut Budget) -> Result<Option<Frame>, Refusal> {
        loop {
            match self.byte() {
                Some(0x2C) => return self.image(budget),
                Some(0x21) => self.extension(budget)?,
                Some(0x3B) | None => return Ok(None),
                // Zeros stand between the blocks of some encoders; viewers skip what they don't know.
                Some(other) => self.extras.stray = self.extras.stray.saturating_add(u64::from(other != 0)),
            }
        }
    }

    fn extension(&mut self, budget: &mut Budget) -> Result<(), Refusal> {
        let Some(label) = self.byte() else { return Ok(()) };
        if label == 0xFF && self.bytes.get(self.at) == Some(&11) {
            let name = self.take(12).unwrap_or_default();
            let data = self.sub_blocks(budget)?;
            match (name.get(1..), data.as_slice()) {
                (Some(b"NETSCAPE2.0" | b"ANIMEXTS1.0"), [1, low, high, ..]) => {
                    self.canvas.plays.get_or_insert(u16::from_le_bytes([*low, *high]));
                }
                _ => self.extras.applications = self.extras.applications.saturating_add(1),
            }
            return Ok(());
        }
        let data = self.sub_blocks(budget)?;
        match label {
            0xF9 => {
                if let [packed, d0, d1, index, ..] = *data.as_slice() {
                    // 4 was meant to be 3 by encoders that counted bits; 5 to 7 mean nothing.
                    let disposal = match (packed >> 2) & 7 {
                        n if off(Filter::GifDisposal) => n,
                        n @ 0..=3 => n,
                        4 => 3,
                        _ => 0,
                    };
                    let transparent = (packed & 1 != 0).then_some(index);
                    self.control = Control { disposal, delay: u16::from_le_bytes([d0, d1]), transparent };
                }
            }
            0xFE => self.extras.comments = self.extras.comments.saturating_add(1),
            0x01 => {
                self.extras.texts = self.extras.texts.saturating_add(1);
                self.control = Control::default();
            }
            _ => self.extras.applications = self.extras.applications.saturating_add(1),
        }
        Ok(())
    }

    fn image(&mut self, budget: &mut Budget) -> Result<Option<Frame>, Refusal> {
        // A file that is cut inside of an image descriptor shows what came before.
        let Some(&[x0, x1, y0, y1, w0, w1, h0, h1, packed]) = self.take(9).and_then(|b| b.first_chunk::<9>()) else {
            return Ok(None);
        };
        let u16_of = |a, b| u16::from_le_bytes([a, b]);
        let (width, height) = (u16_of(w0, w1), u16_of(h0, h1));
        let table = if packed & 0x80 != 0 { self.table(packed & 7) } else { None };
        let Some(size) = self.byte() else { return Ok(None) };
        if width == 0 || height == 0 {
            return Err(Refusal::malformed(self.at as u64, "GIF89a 20: an image without pixels"));
        }
        if !(1..=11).contains(&size) {
            return Err(Refusal::malformed(self.at as u64, "GIF89a Appendix F: minimum code size"));
        }
        let total = super::raster::claim(width.into(), height.into(), 1, budget)?;
        let data = self.sub_blocks(budget)?;
        let control = std::mem::take(&mut self.control);
        let mut indices = vec![control.transparent.unwrap_or(0); total];
        let got = lzw(&data, size, &mut indices);
        if got < total {
            if got == 0 {
                return Err(Refusal::malformed(self.at as u64, "GIF89a 22: no pixel in the image data"));
            }
            self.extras.short = self.extras.short.saturating_add(1);
        }
        if packed & 0x40 != 0 {
            indices = deinterlace(&indices, width, height);
        }
        let (x, y) = (u16_of(x0, x1), u16_of(y0, y1));
        Ok(Some(Frame { x, y, width, height, control, table, indices }))
    }
}

/// Decodes as many indices as there are or as fit, and says how many.
fn lzw(data: &[u8], size: u8, out: &mut [u8]) -> usize {
    let mut decoder = Decoder::new(BitOrder::Lsb, size);
    let (mut from, mut to) = (0usize, 0usize);
    while let (Some(input), Some(room)) = (data.get(from..), out.get_mut(to..)) {
        let result = decoder.decode_bytes(input, room);
        from = from.saturating_add(result.consumed_in);
        to = to.saturating_add(result.consumed_out);
        let stuck = result.consumed_in == 0 && result.consumed_out == 0;
        if stuck || to >= out.len() || !matches!(result.status, Ok(weezl::LzwStatus::Ok)) {
            break;
        }
    }
    to
}

/// Rows in their order from rows in the four passes of Appendix E.
fn deinterlace(indices: &[u8], width: u16, height: u16) -> Vec<u8> {
    let (width, height) = (usize::from(width), usize::from(height));
    let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
    let order = passes.into_iter().flat_map(|(start, step)| (start..height).step_by(step));
    let mut out = vec![0; indices.len()];
    for (row, to) in indices.chunks_exact(width).zip(order) {
        let start = to.saturating_mul(width);
        if let Some(place) = out.get_mut(start..start.saturating_add(width)) {
            place.copy_from_slice(row);
        }
    }
    out
}
