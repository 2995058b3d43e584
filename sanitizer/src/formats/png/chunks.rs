//! The chunk walk: what else a PNG file holds besides its picture.

use crate::Cx;
use crate::formats::raster::Orientation;
use model::{FindingAction, Refusal};

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Behind IEND, or the end of the file.
    pub(super) end: usize,
    pub(super) animated: bool,
    pub(super) orientation: Orientation,
    exif: u64,
    profiles: u64,
    /// Text, time, suggested palettes, histograms.
    texts: u64,
    unknown: u64,
    /// Metadata-like chunks with XMP inside are texts too; this counts chunks behind the pixels that say nothing new.
    repeated: u64,
}

/// Walks over the chunks; the decoder decides whether they are right.
pub(super) fn walk(bytes: &[u8]) -> Result<Found, Refusal> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(Refusal::malformed(0, "PNG 5.2: no signature"));
    }
    let mut found = Found {
        end: bytes.len(),
        animated: false,
        orientation: Orientation::UPRIGHT,
        exif: 0,
        profiles: 0,
        texts: 0,
        unknown: 0,
        repeated: 0,
    };
    let (mut at, mut pixels) = (8usize, false);
    while let Some((head, rest)) = bytes.get(at..).and_then(|b| b.split_first_chunk::<8>()) {
        let [l3, l2, l1, l0, kind @ ..] = *head;
        let length = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
        let data = rest.get(..length).unwrap_or(rest);
        at = at.saturating_add(12).saturating_add(length);
        match &kind {
            b"IEND" => {
                found.end = at.min(bytes.len());
                break;
            }
            b"IDAT" => pixels = true,
            b"acTL" => found.animated |= !pixels,
            b"eXIf" => {
                found.exif = found.exif.saturating_add(1);
                found.orientation = Orientation::of_exif(data);
            }
            b"iCCP" => found.profiles = found.profiles.saturating_add(1),
            b"tEXt" | b"zTXt" | b"iTXt" | b"tIME" | b"sPLT" | b"hIST" => found.texts = found.texts.saturating_add(1),
            b"IHDR" | b"PLTE" | b"tRNS" | b"fcTL" | b"fdAT" => {}
            b"gAMA" | b"cHRM" | b"sRGB" | b"sBIT" | b"bKGD" | b"pHYs" | b"cICP" => {
                found.repeated = found.repeated.saturating_add(u64::from(pixels));
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
            ("IMG-07", "chunk after the pixels", self.repeated),
            ("IMG-20", "iCCP", self.profiles),
        ] {
            cx.found_count(id, FindingAction::Removed, place, count);
        }
    }
}
