//! The RIFF container: what else a file holds, and how ours is put together.

use super::{Orientation, Part};
use crate::Cx;
use model::{FindingAction, Refusal};
use std::ops::Range;

/// What was seen.
pub(super) struct Found {
    /// End of the RIFF chunk.
    pub(super) end: usize,
    /// As the first header says, before any decoder is asked.
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) orientation: Orientation,
    pub(super) profile: Option<Range<usize>>,
    pub(super) plays: u16,
    pub(super) frames: Vec<Frame>,
    metadata: u64,
    unknown: u64,
}

/// An `ANMF` chunk.
pub(super) struct Frame {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) duration: u32,
    pub(super) blend: bool,
    pub(super) dispose: bool,
    alpha: Option<Range<usize>>,
    /// `VP8 ` or `VP8L`, and the bitstream.
    image: Option<([u8; 4], Range<usize>)>,
}

/// Ours: an hour of pictures at 25 a second would be more than the budget of entries anyway.
const MOST_FRAMES: usize = 90_000;

/// Walks over the chunks; the decoder decides whether they are right.
pub(super) fn walk(bytes: &[u8]) -> Result<Found, Refusal> {
    let Some(&[b'R', b'I', b'F', b'F', s0, s1, s2, s3, b'W', b'E', b'B', b'P']) = bytes.first_chunk::<12>() else {
        return Err(Refusal::malformed(0, "WebP: no RIFF header"));
    };
    let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
    let end = size.saturating_add(8).min(bytes.len());
    let mut found = Found {
        end,
        width: 1,
        height: 1,
        orientation: Orientation::UPRIGHT,
        profile: None,
        plays: 0,
        frames: Vec::new(),
        metadata: 0,
        unknown: 0,
    };
    let mut at = 12usize;
    while let Some(&[k0, k1, k2, k3, l0, l1, l2, l3]) = bytes.get(at..end).and_then(|b| b.first_chunk::<8>()) {
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let start = at.saturating_add(8);
        let body = start..start.saturating_add(length).min(end);
        let data = bytes.get(body.clone()).unwrap_or_default();
        match &[k0, k1, k2, k3] {
            b"VP8X" => {
                if let Some(&[w0, w1, w2, h0, h1, h2]) = data.get(4..).and_then(|d| d.first_chunk::<6>()) {
                    found.width = u32::from_le_bytes([w0, w1, w2, 0]).saturating_add(1);
                    found.height = u32::from_le_bytes([h0, h1, h2, 0]).saturating_add(1);
                }
            }
            b"ICCP" => found.profile = found.profile.or(Some(body)),
            b"EXIF" => {
                found.orientation = Orientation::of_exif(data);
                found.metadata = found.metadata.saturating_add(1);
            }
            b"XMP " => found.metadata = found.metadata.saturating_add(1),
            b"ANIM" => found.plays = data.get(4..).and_then(|d| d.first_chunk()).map_or(0, |p| u16::from_le_bytes(*p)),
            b"ANMF" => {
                if found.frames.len() >= MOST_FRAMES {
                    return Err(Refusal::unsupported("a WebP of so many frames"));
                }
                let (frame, unknown) = read_frame(bytes, body, (found.width, found.height))?;
                found.frames.push(frame);
                found.unknown = found.unknown.saturating_add(unknown);
            }
            b"VP8 " | b"VP8L" | b"ALPH" => {}
            _ => found.unknown = found.unknown.saturating_add(1),
        }
        at = start.saturating_add(length).saturating_add(length % 2);
    }
    Ok(found)
}

/// An `ANMF` chunk and the number of chunks in it that are unknown.
fn read_frame(bytes: &[u8], body: Range<usize>, canvas: (u32, u32)) -> Result<(Frame, u64), Refusal> {
    let short = || Refusal::malformed(body.start as u64, "WebP: ANMF ends early");
    let data = bytes.get(body.clone()).ok_or_else(short)?;
    let (head, _) = data.split_first_chunk::<16>().ok_or_else(short)?;
    let number = |at: usize| match head.get(at..).and_then(|h| h.first_chunk::<3>()) {
        Some(&[a, b, c]) => u32::from_le_bytes([a, b, c, 0]),
        None => 0,
    };
    let mut frame = Frame {
        x: number(0).saturating_mul(2),
        y: number(3).saturating_mul(2),
        width: number(6).saturating_add(1),
        height: number(9).saturating_add(1),
        duration: number(12),
        blend: head[15] & 2 == 0,
        dispose: head[15] & 1 != 0,
        alpha: None,
        image: None,
    };
    let inside = |at: u32, side: u32, whole: u32| at.saturating_add(side) <= whole;
    if !inside(frame.x, frame.width, canvas.0) || !inside(frame.y, frame.height, canvas.1) {
        return Err(Refusal::malformed(body.start as u64, "WebP: a frame outside of the canvas"));
    }
    let (mut at, mut unknown) = (body.start.saturating_add(16), 0u64);
    while let Some(&[k0, k1, k2, k3, l0, l1, l2, l3]) = bytes.get(at..body.end).and_then(|b| b.first_chunk::<8>()) {
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let start = at.saturating_add(8);
        let part = start..start.saturating_add(length).min(body.end);
        match [k0, k1, k2, k3] {
            [b'A', b'L', b'P', b'H'] => frame.alpha = Some(part),
            kind @ ([b'V', b'P', b'8', b' '] | [b'V', b'P', b'8', b'L']) => {
                frame.image.get_or_insert((kind, part));
            }
            _ => unknown = unknown.saturating_add(1),
        }
        at = start.saturating_add(length).saturating_add(length % 2);
    }
    Ok((frame, unknown))
}

/// A file of one frame alone.
pub(super) fn still(bytes: &[u8], frame: &Frame) -> Result<Vec<u8>, Refusal> {
    let (kind, image) = frame.image.clone().ok_or_else(|| Refusal::malformed(12, "WebP: a frame without a picture"))?;
    let image = bytes.get(image).unwrap_or_default();
    let mut body = b"WEBP".to_vec();
    if let (Some(alpha), b"VP8 ") = (frame.alpha.clone(), &kind) {
        let side = |n: u32| three((n as usize).saturating_sub(1));
        let sides = [side(frame.width)?, side(frame.height)?];
        chunk(&mut body, b"VP8X", &[&[0x10, 0, 0, 0], sides.as_flattened()])?;
        chunk(&mut body, b"ALPH", &[bytes.get(alpha).unwrap_or_default()])?;
    }
    chunk(&mut body, &kind, &[image])?;
    let mut out = Vec::with_capacity(body.len().saturating_add(8));
    chunk(&mut out, b"RIFF", &[&body])?;
    Ok(out)
}

impl Found {
    pub(super) fn report(&self, len: usize, cx: &mut Cx<'_>) {
        let trailing = u64::from(self.end < len);
        for (id, place, count) in [
            ("IMG-01", "after the RIFF chunk", trailing),
            ("GEN-03", "after the RIFF chunk", trailing),
            ("IMG-02", "EXIF, XMP", self.metadata),
            ("IMG-13", "unknown chunk", self.unknown),
            ("IMG-20", "ICCP", u64::from(self.profile.is_some())),
        ] {
            cx.found_count(id, FindingAction::Removed, place, count);
        }
    }
}

fn three(n: usize) -> Result<[u8; 3], Refusal> {
    match u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes() {
        [a, b, c, 0] => Ok([a, b, c]),
        _ => Err(Refusal::unsupported("a WebP number of over 24 bits")),
    }
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], parts: &[&[u8]]) -> Result<(), Refusal> {
    let length: usize = parts.iter().map(|p| p.len()).sum();
    let length = u32::try_from(length).map_err(|_| Refusal::unsupported("a WebP of over 4 GiB"))?;
    out.extend_from_slice(kind);
    out.extend_from_slice(&length.to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
    if length % 2 == 1 {
        out.push(0);
    }
    Ok(())
}

/// Adds an `ANMF` chunk around the `VP8L` chunk of a frame.
pub(super) fn frame(out: &mut Vec<u8>, part: &Part, duration: u32, vp8l: &[u8]) -> Result<(), Refusal> {
    // Don't blend, don't dispose: the frame replaces what it covers.
    let flags = [0x02];
    let duration = three((duration as usize).min(0xFF_FFFF))?;
    let place = [three(part.x / 2)?, three(part.y / 2)?];
    let size = [three(part.width.saturating_sub(1))?, three(part.height.saturating_sub(1))?];
    chunk(out, b"ANMF", &[place.as_flattened(), size.as_flattened(), &duration, &flags, vp8l])
}

/// The file of an animation.
pub(super) fn animation(width: u32, height: u32, alpha: bool, plays: u16, frames: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut body = b"WEBP".to_vec();
    let flags = if alpha { 0x12 } else { 0x02 };
    let sides = [three((width as usize).saturating_sub(1))?, three((height as usize).saturating_sub(1))?];
    chunk(&mut body, b"VP8X", &[&[flags, 0, 0, 0], sides.as_flattened()])?;
    chunk(&mut body, b"ANIM", &[&[0; 4], &plays.to_le_bytes()])?;
    body.extend_from_slice(frames);
    let mut out = Vec::with_capacity(body.len().saturating_add(8));
    chunk(&mut out, b"RIFF", &[&body])?;
    Ok(out)
}
