//! The only way to a PNG file: our own types in, our dialect out (`docs/formats/png.md`).

use flate2::{Compression, Crc, write::ZlibEncoder};
use model::{Budget, Refusal};
use std::io::Write;

/// Ours: drawings and screens in full colour. Higher levels gain next to nothing on filtered rows.
const LEVEL: u32 = 3;
/// Flat pictures (palettes, one bit) are small and repeat themselves: there the higher level costs little and halves the file.
const LEVEL_FLAT: u32 = 6;

/// Colour types of PNG 11.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Grey,
    Rgb,
    Indexed,
    GreyAlpha,
    Rgba,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Grey => 0,
            Self::Rgb => 2,
            Self::Indexed => 3,
            Self::GreyAlpha => 4,
            Self::Rgba => 6,
        }
    }

    pub(super) const fn channels(self) -> usize {
        match self {
            Self::Grey | Self::Indexed => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// What a viewer is told about the colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    /// Nothing.
    Untold,
    /// That they are sRGB.
    Srgb,
    /// gAMA, and cHRM: white, red, green, blue, x and y each; times 100,000.
    Measured { gamma: u32, chromaticities: Option<[u32; 8]> },
}

/// Everything in front of the pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) kind: Kind,
    /// Bits of a sample.
    pub(super) bits: u8,
    pub(super) palette: Vec<[u8; 3]>,
    pub(super) transparency: Vec<u8>,
    pub(super) colours: Colours,
    /// Pixels a unit and whether the unit is the metre.
    pub(super) density: Option<(u32, u32, bool)>,
}

impl Header {
    pub(super) const fn bits_per_pixel(&self) -> usize {
        self.kind.channels().saturating_mul(self.bits as usize)
    }
}

/// Frames and plays of an animation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Animation {
    pub(super) frames: u32,
    pub(super) plays: u32,
}

/// Where, when and how a frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) delay: (u16, u16),
    pub(super) dispose: u8,
    pub(super) blend: u8,
}

/// A file in the making.
pub(super) struct Writer {
    out: Vec<u8>,
    sequence: u32,
    images: u32,
    bits_per_pixel: usize,
    flat: bool,
}

impl Writer {
    pub(super) fn new(header: &Header, animation: Option<Animation>) -> Self {
        let bits_per_pixel = header.bits_per_pixel();
        let flat = header.kind == Kind::Indexed || header.bits < 8;
        let mut writer = Self { out: Vec::new(), sequence: 0, images: 0, bits_per_pixel, flat };
        writer.out.extend_from_slice(b"\x89PNG\r\n\x1a\n");
        let mut ihdr = Vec::with_capacity(13);
        ihdr.extend_from_slice(&header.width.to_be_bytes());
        ihdr.extend_from_slice(&header.height.to_be_bytes());
        ihdr.extend_from_slice(&[header.bits, header.kind.code(), 0, 0, 0]);
        writer.chunk(b"IHDR", &[&ihdr]);
        if let Some(animation) = animation {
            writer.chunk(b"acTL", &[&animation.frames.to_be_bytes(), &animation.plays.to_be_bytes()]);
        }
        match header.colours {
            Colours::Untold => {}
            Colours::Srgb => writer.chunk(b"sRGB", &[&[0]]),
            Colours::Measured { gamma, chromaticities } => {
                writer.chunk(b"gAMA", &[&gamma.to_be_bytes()]);
                if let Some(points) = chromaticities {
                    writer.chunk(b"cHRM", &[points.map(u32::to_be_bytes).as_flattened()]);
                }
            }
        }
        if let Some((x, y, metre)) = header.density {
            writer.chunk(b"pHYs", &[&x.to_be_bytes(), &y.to_be_bytes(), &[u8::from(metre)]]);
        }
        if header.kind == Kind::Indexed {
            writer.chunk(b"PLTE", &[header.palette.as_flattened()]);
        }
        if !header.transparency.is_empty() {
            writer.chunk(b"tRNS", &[&header.transparency]);
        }
        writer
    }

    /// Adds one image: the default image without `control`, a frame with it. `rows` are packed rows from the top, each
    /// of them `row` bytes.
    pub(super) fn image(&mut self, control: Option<Control>, rows: &[u8], row: usize) -> Result<(), Refusal> {
        if let Some(control) = control {
            self.control(control);
        }
        let data = self.compress(rows, row)?;
        if self.images == 0 {
            self.chunk(b"IDAT", &[&data]);
        } else {
            let sequence = self.next_sequence();
            self.chunk(b"fdAT", &[&sequence, &data]);
        }
        self.images = self.images.saturating_add(1);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.chunk(b"IEND", &[]);
        self.out
    }

    fn control(&mut self, c: Control) {
        let mut body = Vec::with_capacity(26);
        body.extend_from_slice(&self.next_sequence());
        for side in [c.width, c.height, c.x, c.y] {
            body.extend_from_slice(&side.to_be_bytes());
        }
        body.extend_from_slice(&c.delay.0.to_be_bytes());
        body.extend_from_slice(&c.delay.1.to_be_bytes());
        body.extend_from_slice(&[c.dispose, c.blend]);
        self.chunk(b"fcTL", &[&body]);
    }

    fn next_sequence(&mut self) -> [u8; 4] {
        let bytes = self.sequence.to_be_bytes();
        self.sequence = self.sequence.saturating_add(1);
        bytes
    }

    fn chunk(&mut self, kind: &[u8; 4], parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|p| p.len()).sum();
        let mut crc = Crc::new();
        crc.update(kind);
        self.out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        self.out.extend_from_slice(kind);
        for part in parts {
            crc.update(part);
            self.out.extend_from_slice(part);
        }
        self.out.extend_from_slice(&crc.sum().to_be_bytes());
    }

    fn compress(&self, rows: &[u8], row: usize) -> Result<Vec<u8>, Refusal> {
        let broken = |_| Refusal::internal("PNG: deflate");
        let mut filtered = Vec::with_capacity(rows.len().saturating_add(rows.len().checked_div(row).unwrap_or(0)));
        let mut filter = Filter::new(row, self.bits_per_pixel.div_ceil(8));
        let mut above: &[u8] = &[];
        for line in rows.chunks_exact(row.max(1)) {
            if self.flat {
                filtered.push(0);
                filtered.extend_from_slice(line);
            } else {
                filtered.extend_from_slice(filter.best(line, above));
            }
            above = line;
        }
        let data = if !self.flat && is_noisy(&filtered) {
            fdeflate::compress_to_vec(&filtered)
        } else {
            let level = Compression::new(if self.flat { LEVEL_FLAT } else { LEVEL });
            let mut zlib = ZlibEncoder::new(Vec::with_capacity(filtered.len() / 4), level);
            zlib.write_all(&filtered).map_err(broken)?;
            zlib.finish().map_err(broken)?
        };
        // PNG 5.3: a chunk's length is at most 2^31 - 1; four bytes of it may be a sequence number.
        if data.len() > 0x7FFF_FFF0 { Err(Refusal::unsupported("a PNG frame of over 2 GiB")) } else { Ok(data) }
    }
}

/// The filters of PNG 9.2 for one row after the other; the one with the least sum of absolute differences is taken.
struct Filter {
    step: usize,
    /// Filtered candidates of Sub, Up and Paeth, each behind its filter byte.
    tried: [Vec<u8>; 3],
    zeros: Vec<u8>,
}

impl Filter {
    fn new(row: usize, step: usize) -> Self {
        let candidate = |kind: u8| {
            let mut line = vec![0; row.saturating_add(1)];
            if let Some(first) = line.first_mut() {
                *first = kind;
            }
            line
        };
        Self { step, tried: [candidate(1), candidate(2), candidate(4)], zeros: vec![0; row] }
    }

    fn best(&mut self, line: &[u8], above: &[u8]) -> &[u8] {
        let above = if above.is_empty() { &self.zeros } else { above };
        let [sub, up, paeth] = &mut self.tried;
        let (start, rest) = line.split_at(self.step.min(line.len()));
        let (above_start, above_rest) = above.split_at(self.step.min(above.len()));
        for ((to, x), a) in first_pixel(sub, start, &[]).iter_mut().zip(rest).zip(line) {
            *to = x.wrapping_sub(*a);
        }
        for ((to, x), b) in first_pixel(up, start, above_start).iter_mut().zip(rest).zip(above_rest) {
            *to = x.wrapping_sub(*b);
        }
        let places = first_pixel(paeth, start, above_start).iter_mut().zip(rest);
        for ((((to, x), a), b), c) in places.zip(line).zip(above_rest).zip(above) {
            *to = x.wrapping_sub(predict(*a, *b, *c));
        }
        let costs = [cost(sub), cost(up), cost(paeth)];
        let [sub, up, paeth] = &self.tried;
        if costs[1] <= costs[0] && costs[1] <= costs[2] {
            up
        } else if costs[0] <= costs[2] {
            sub
        } else {
            paeth
        }
    }
}

/// Fills in the first pixel, which has nothing to its left, and gives back the place of the others.
fn first_pixel<'l>(line: &'l mut [u8], start: &[u8], above: &[u8]) -> &'l mut [u8] {
    let samples = line.get_mut(1..).unwrap_or_default();
    let (first, rest) = samples.split_at_mut(start.len().min(samples.len()));
    first.iter_mut().zip(start).for_each(|(to, x)| *to = *x);
    first.iter_mut().zip(above).for_each(|(to, b)| *to = to.wrapping_sub(*b));
    rest
}

/// Whether the rows are a photograph's: few samples are predicted exactly, so that matches are rare and only the
/// frequencies of the bytes are worth coding. A fast coder for just that is 30 times as fast and a tenth larger.
fn is_noisy(filtered: &[u8]) -> bool {
    let zeros: usize = filtered.chunks(4096).map(|part| part.iter().filter(|&&b| b == 0).count()).sum();
    zeros.saturating_mul(3) < filtered.len()
}

fn cost(line: &[u8]) -> u64 {
    // Partial sums of 64 bytes fit in 16 bits, which the machine adds up many at a time.
    let partial =
        |part: &[u8]| part.iter().fold(0u16, |sum, v| sum.wrapping_add(u16::from(v.cast_signed().unsigned_abs())));
    line.chunks(64).map(|part| u64::from(partial(part))).sum()
}

/// PNG 9.4.
#[expect(clippy::arithmetic_side_effects, reason = "sums and differences of three bytes in 16 bits")]
fn predict(a: u8, b: u8, c: u8) -> u8 {
    let (pa, pb) = (i16::from(b) - i16::from(c), i16::from(a) - i16::from(c));
    let (near_a, near_b, near_c) = (pa.abs(), pb.abs(), (pa + pb).abs());
    if near_a <= near_b && near_a <= near_c {
        a
    } else if near_b <= near_c {
        b
    } else {
        c
    }
}

/// What compressing a picture of this size may hold besides it.
pub(super) fn claim(row: usize, height: u32, budget: &mut Budget) -> Result<(), Refusal> {
    // The filtered rows, and the compressed ones.
    budget.spend_bytes((row as u64).saturating_mul(u64::from(height)).saturating_mul(2))
}
