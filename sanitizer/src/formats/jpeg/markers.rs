//! The marker walk: what a JPEG file consists of, before anything is decoded.
//!
//! Source: ITU-T T.81 Annex B. Segments that matter are noted, the rest is counted so that it can be reported.

use model::Refusal;
use std::ops::Range;

/// A component of the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Component {
    pub(crate) id: u8,
    pub(crate) horizontal: u8,
    pub(crate) vertical: u8,
}

/// The frame header.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Low byte of the SOF marker.
    pub(crate) kind: u8,
    pub(crate) precision: u8,
    pub(crate) height: u16,
    pub(crate) width: u16,
    pub(crate) components: Vec<Component>,
}

/// What else was seen: each is a finding.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras {
    pub(crate) comments: u64,
    /// EXIF, XMP, IPTC and Photoshop resources.
    pub(crate) metadata: u64,
    pub(crate) thumbnails: u64,
    pub(crate) unknown_apps: u64,
    /// Further pictures: MPF.
    pub(crate) pictures: u64,
    pub(crate) profiles: u64,
    /// Bytes between segments that no marker accounts for.
    pub(crate) stray: u64,
}

/// A file, taken apart down to its scans.
#[derive(Clone, Debug, Default)]
pub(crate) struct Map {
    pub(crate) frame: Option<Frame>,
    /// JFIF density: unit, x, y.
    pub(crate) density: Option<(u8, u16, u16)>,
    /// Value of the Adobe segment's transform.
    pub(crate) adobe: Option<u8>,
    pub(crate) exif: Option<Range<usize>>,
    /// Parts of the profile: number, bytes.
    pub(crate) icc: Vec<(u8, Range<usize>)>,
    /// What a decoder needs, in its order: tables, frame, scans with their data.
    pub(crate) needed: Vec<Range<usize>>,
    pub(crate) scans: u32,
    /// A scan of fewer components than the frame has.
    pub(crate) separate_scans: bool,
    /// Where the picture ends: behind EOI, or the end of the file where there is none.
    pub(crate) end: usize,
    pub(crate) has_eoi: bool,
    pub(crate) extras: Extras,
}

/// Ours: an encoder writes ten scans; a bomb writes thousands over one large frame.
const MOST_SCANS: u32 = 128;
const XMP: &[u8] = b"http://ns.adobe.com/";

/// Walks over `bytes` up to the end of the first picture.
pub(crate) fn walk(bytes: &[u8]) -> Result<Map, Refusal> {
    if !bytes.starts_with(&[0xFF, 0xD8]) {
        return Err(Refusal::malformed(0, "T.81 B.2.1: SOI comes first"));
    }
    let mut map = Map { end: bytes.len(), ..Map::default() };
    let mut at = 2usize;
    while let Some((marker, next)) = next_marker(bytes, at, &mut map.extras) {
        at = next;
        match marker {
            0xD9 => {
                map.end = at;
                map.has_eoi = true;
                break;
            }
            // TEM and stray RSTn stand alone; a second SOI is skipped like by everybody.
            0x01 | 0xD0..=0xD8 => continue,
            _ => {}
        }
        let marker_at = at.saturating_sub(2);
        let Some(body) = segment(bytes, at) else {
            // The scans are there, what follows is cut: nothing but missing data.
            if map.scans > 0 {
                break;
            }
            return Err(Refusal::malformed(at as u64, "T.81 B.1.1.4: a segment is longer than the file"));
        };
        at = body.end;
        let data = bytes.get(body.clone()).unwrap_or_default();
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                frame(&mut map, marker, data, body.start)?;
                map.needed.push(marker_at..at);
            }
            // DHT, DAC, DQT, DRI.
            0xC4 | 0xCC | 0xDB | 0xDD => map.needed.push(marker_at..at),
            0xDA => {
                scan(&mut map, data, body.start)?;
                at = skip_entropy(bytes, at);
                map.needed.push(marker_at..at);
            }
            0xE0..=0xEF => application(&mut map, marker, data, &body),
            0xFE => map.extras.comments = map.extras.comments.saturating_add(1),
            _ => {}
        }
    }
    Ok(map)
}

/// The next marker at or behind `at`, and where its segment begins. Bytes in between are counted as stray.
fn next_marker(bytes: &[u8], at: usize, extras: &mut Extras) -> Option<(u8, usize)> {
    let mut at = at;
    loop {
        let rest = bytes.get(at..)?;
        let skipped = rest.iter().position(|&b| b == 0xFF)?;
        extras.stray = extras.stray.saturating_add(skipped as u64);
        let mut next = at.saturating_add(skipped).saturating_add(1);
        while bytes.get(next) == Some(&0xFF) {
            next = next.saturating_add(1);
        }
        let marker = *bytes.get(next)?;
        at = next.saturating_add(1);
        if marker != 0 {
            return Some((marker, at));
        }
        extras.stray = extras.stray.saturating_add(2);
    }
}

/// The body of the segment whose length field is at `at`.
fn segment(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let length = usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?));
    let end = at.checked_add(length)?;
    (length >= 2 && end <= bytes.len()).then(|| at.saturating_add(2)..end)
}

/// Behind the entropy-coded data: at the next marker that is neither a stuffed byte nor a restart.
fn skip_entropy(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    while let Some(rest) = bytes.get(at..) {
        let Some(found) = rest.iter().position(|&b| b == 0xFF) else {
            break;
        };
        let marker = at.saturating_add(found);
        match bytes.get(marker.saturating_add(1)) {
            Some(0 | 0xD0..=0xD7) => at = marker.saturating_add(2),
            Some(0xFF) => at = marker.saturating_add(1),
            _ => return marker,
        }
    }
    bytes.len()
}

fn frame(map: &mut Map, marker: u8, data: &[u8], at: usize) -> Result<(), Refusal> {
    let broken = || Refusal::malformed(at as u64, "T.81 B.2.2: broken frame header");
    if map.frame.is_some() {
        return Err(Refusal::unsupported("a JPEG of several frames"));
    }
    let (&[precision, h1, h0, w1, w0, count], specs) = data.split_first_chunk::<6>().ok_or_else(broken)?;
    let (specs, _) = specs.as_chunks::<3>();
    let specs = specs.get(..usize::from(count)).ok_or_else(broken)?;
    let components: Vec<Component> =
        specs.iter().map(|s| Component { id: s[0], horizontal: s[1] >> 4, vertical: s[1] & 15 }).collect();
    if components.iter().any(|c| !(1..=4).contains(&c.horizontal) || !(1..=4).contains(&c.vertical)) {
        return Err(broken());
    }
    let (height, width) = (u16::from_be_bytes([h1, h0]), u16::from_be_bytes([w1, w0]));
    map.frame = Some(Frame { kind: marker, precision, height, width, components });
    Ok(())
}

fn scan(map: &mut Map, data: &[u8], at: usize) -> Result<(), Refusal> {
    let Some(frame) = &map.frame else {
        return Err(Refusal::malformed(at as u64, "T.81 B.2.1: a scan before the frame"));
    };
    let in_scan = usize::from(data.first().copied().unwrap_or(0));
    map.separate_scans |= in_scan < frame.components.len();
    map.scans = map.scans.saturating_add(1);
    if map.scans > MOST_SCANS {
        return Err(Refusal::unsupported("a JPEG of so many scans"));
    }
    Ok(())
}

fn application(map: &mut Map, marker: u8, data: &[u8], body: &Range<usize>) {
    let extras = &mut map.extras;
    let from = |n: usize| body.start.saturating_add(n)..body.end;
    match marker {
        0xE0 if data.starts_with(b"JFIF\0") => {
            if let Some(&[_, _, unit, x1, x0, y1, y0, tw, th]) = data.get(5..).and_then(|d| d.first_chunk::<9>()) {
                map.density.get_or_insert((unit, u16::from_be_bytes([x1, x0]), u16::from_be_bytes([y1, y0])));
                extras.thumbnails = extras.thumbnails.saturating_add(u64::from(tw > 0 && th > 0));
            }
        }
        0xE0 if data.starts_with(b"JFXX\0") => extras.thumbnails = extras.thumbnails.saturating_add(1),
        0xE1 if data.starts_with(b"Exif\0") => {
            extras.metadata = extras.metadata.saturating_add(1);
            map.exif.get_or_insert(from(6));
        }
        0xE1 if data.starts_with(XMP) => extras.metadata = extras.metadata.saturating_add(1),
        0xE2 if data.starts_with(b"ICC_PROFILE\0") => {
            if let Some(&number) = data.get(12) {
                extras.profiles = 1;
                map.icc.push((number, from(14)));
            }
        }
        0xE2 if data.starts_with(b"MPF\0") => extras.pictures = extras.pictures.saturating_add(1),
        0xED => extras.metadata = extras.metadata.saturating_add(1),
        0xEE if data.starts_with(b"Adobe") && data.len() >= 12 => {
            let transform = data.get(11).copied();
            map.adobe = map.adobe.or(transform);
            extras.unknown_apps = extras.unknown_apps.saturating_add(u64::from(data.len() > 12));
        }
        _ => extras.unknown_apps = extras.unknown_apps.saturating_add(1),
    }
}

impl Map {
    /// A stream of nothing but what a decoder needs: no segment that it could trip over, one Adobe segment that is whole.
    pub(crate) fn stream(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len().saturating_add(20));
        out.extend_from_slice(&[0xFF, 0xD8]);
        if let Some(transform) = self.adobe.filter(|t| *t <= 2) {
            out.extend_from_slice(b"\xFF\xEE\x00\x0EAdobe\0\x64\0\0\0\0");
            out.push(transform);
        }
        for range in &self.needed {
            let part = bytes.get(range.clone()).unwrap_or_default();
            // A scan of one component has one block a unit, whatever its sampling says (T.81 A.2.2).
            match (part, self.frame.as_ref().map(|f| f.components.len())) {
                ([0xFF, 0xC0..=0xC2, _, _, _, _, _, _, _, 1, _, _, table], Some(1)) => {
                    out.extend_from_slice(part.get(..11).unwrap_or_default());
                    out.extend_from_slice(&[0x11, *table]);
                }
                _ => out.extend_from_slice(part),
            }
        }
        out.extend_from_slice(&[0xFF, 0xD9]);
        out
    }

    /// The profile, its parts joined in their order.
    pub(crate) fn profile(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut parts = self.icc.clone();
        parts.sort_by_key(|(number, _)| *number);
        let joined: Vec<u8> =
            parts.iter().filter_map(|(_, range)| bytes.get(range.clone())).flatten().copied().collect();
        (!joined.is_empty()).then_some(joined)
    }
}
