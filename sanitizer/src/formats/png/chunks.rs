//! The chunk walk: what else a PNG file holds besides its picture.

use crate::Cx;
use crate::formats::raster::Orientation;
use flate2::Crc;
use model::{FindingAction, Refusal};

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Behind IEND, or the end of the file.
    pub(super) end: usize,
    pub(super) has_end: bool,
    /// fcTL chunks.
    pub(super) frames: u32,
    pub(super) orientation: Orientation,
    exif: u64,
    profiles: u64,
    /// Text, time, suggested palettes, histograms.
    texts: u64,
    unknown: u64,
    /// Chunks behind the pixels that belong before them.
    late: u64,
    checksums: u64,
}

/// Walks over the chunks; the decoder decides whether they are right.
pub(super) fn walk(bytes: &[u8]) -> Result<Found, Refusal> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(Refusal::malformed(0, "PNG 5.2: no signature"));
    }
    let mut found = Found {
        end: bytes.len(),
        has_end: false,
        frames: 0,
        orientation: Orientation::UPRIGHT,
        exif: 0,
        profiles: 0,
        texts: 0,
        unknown: 0,
        late: 0,
        checksums: 0,
    };
    let (mut at, mut pixels) = (8usize, false);
    while let Some((head, rest)) = bytes.get(at..).and_then(|b| b.split_first_chunk::<8>()) {
        let [l3, l2, l1, l0, kind @ ..] = *head;
        let length = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
        let data = rest.get(..length).unwrap_or(rest);
        let mut crc = Crc::new();
        crc.update(&kind);
        crc.update(data);
        let stated = rest.get(length..).and_then(|b| b.first_chunk::<4>());
        let wrong = stated.is_some_and(|&b| u32::from_be_bytes(b) != crc.sum());
        found.checksums = found.checksums.saturating_add(u64::from(wrong));
        at = at.saturating_add(12).saturating_add(length);
        match &kind {
            b"IEND" => {
                found.end = at.min(bytes.len());
                found.has_end = at <= bytes.len();
                break;
            }
            b"IDAT" => pixels = true,
            b"fcTL" => found.frames = found.frames.saturating_add(1),
            b"eXIf" => {
                found.exif = found.exif.saturating_add(1);
                found.orientation = Orientation::of_exif(data);
            }
            b"iCCP" => found.profiles = found.profiles.saturating_add(1),
            b"tEXt" | b"zTXt" | b"iTXt" | b"tIME" | b"sPLT" | b"hIST" => found.texts = found.texts.saturating_add(1),
            b"IHDR" | b"PLTE" | b"tRNS" | b"acTL" | b"fdAT" => {}
            b"gAMA" | b"cHRM" | b"sRGB" | b"sBIT" | b"bKGD" | b"pHYs" | b"cICP" => {
                found.late = found.late.saturating_add(u64::from(pixels));
            }
            _ => found.unknown = found.unknown.saturating_add(1),
        }
    }
    Ok(found)
}

impl Found {
    pub(super) fn report(&self, len: usize, cx: &mut Cx<'_>) {
        let trailing = u64::from(self.end < len);
        for (id, place, count) in [
            ("IMG-01", "after IEND", trailing),
            ("GEN-03", "after IEND", trailing),
            ("IMG-02", "eXIf", self.exif),
            ("IMG-07", "text, time, palettes", self.texts),
            ("IMG-07", "unknown chunk", self.unknown),
            ("IMG-07", "chunk after the pixels", self.late),
            ("IMG-20", "iCCP", self.profiles),
        ] {
            cx.found_count(id, FindingAction::Removed, place, count);
        }
        cx.found_count("IMG-08", FindingAction::ReEncoded, "wrong checksum", self.checksums);
    }
}
