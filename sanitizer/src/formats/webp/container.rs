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
    metadata: u64,
    unknown: u64,
}

/// Walks over the chunks; the decoder decides whether they are right.
pub(super) fn walk(bytes: &[u8]) -> Result<Found, Refusal> {
    let Some(&[b'R', b'I', b'F', b'F', s0, s1, s2, s3, b'W', b'E', b'B', b'P']) = bytes.first_chunk::<12>() else {
        return Err(Refusal::malformed(0, "WebP: no RIFF header"));
    };
    let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
    let end = size.saturating_add(8).min(bytes.len());
    let mut found =
        Found { end, width: 1, height: 1, orientation: Orientation::UPRIGHT, profile: None, metadata: 0, unknown: 0 };
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
            b"VP8 " | b"VP8L" | b"ANIM" | b"ANMF" | b"ALPH" => {}
            _ => found.unknown = found.unknown.saturating_add(1),
        }
        at = start.saturating_add(length).saturating_add(length % 2);
    }
    Ok(found)
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
