//! The structure: end records, central directory, local headers, and every byte in between.

use super::{Archive, Cipher, Entry, Kind, Notes, names};
use crate::unlock::winzip::Strength;
use model::{Budget, FindingAction, Refusal};
use std::collections::BTreeMap;
use std::ops::Range;

const END: &[u8] = b"PK\x05\x06";
const END_LEN: usize = 22;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_LEN: usize = 30;
const CENTRAL: &[u8] = b"PK\x01\x02";
const CENTRAL_LEN: usize = 46;
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
/// Bit 0 encrypted, bit 6 strong encryption, bit 13 masked local header (APPNOTE 4.4.4).
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// Bit 3: sizes and CRC follow the data.
const STREAMED: u16 = 1 << 3;

/// Little-endian fields at a place; `None` past the end.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|b| u64::from_le_bytes(*b))
}

/// Where the directory lies and how many members it lists.
struct End {
    directory: Range<usize>,
    count: u64,
    /// Bytes before the archive that its offsets don't count.
    shift: usize,
    /// Behind the end record and its comment.
    stop: usize,
    comment: bool,
}

struct Central {
    entry: Entry,
    raw_name: Range<usize>,
    flags: u16,
    /// As the header has it: 99 for AES, whatever is underneath.
    method: u16,
    /// The extra field of AES.
    aes: Option<[u8; 7]>,
    packed: u64,
    local: usize,
}

fn ambiguous(what: &'static str) -> Refusal {
    Refusal::Ambiguous { what: what.into() }
}

/// Reads the whole structure.
pub fn walk<'a>(bytes: &'a [u8], budget: &mut Budget) -> Result<Archive<'a>, Refusal> {
    let end = find_end(bytes)?;
    let mut archive = Archive { bytes, entries: Vec::new(), oddities: Vec::new(), notes: Notes::default() };
    archive.notes.comments = u64::from(end.comment);
    let mut listed = directory(bytes, &end, budget, &mut archive.notes)?;
    let mut spans = Vec::with_capacity(listed.len());
    for central in &mut listed {
        let span = local(bytes, central, end.shift, &mut archive.notes)?;
        spans.push(span);
    }
    spans.sort_by_key(|span| (span.start, span.end));
    cover(bytes, &spans, &end, &mut archive.oddities)?;
    archive.entries = listed.into_iter().map(|central| central.entry).collect();
    Ok(archive)
}

/// APPNOTE 4.3.16. The last signature is taken, as nearly all readers do; that it is the only one is checked too.
fn find_end(bytes: &[u8]) -> Result<End, Refusal> {
    let malformed = |rule: &'static str| Refusal::malformed(bytes.len() as u64, rule);
    let tail_start = bytes.len().saturating_sub(END_LEN.saturating_add(usize::from(u16::MAX)));
    let tail = bytes.get(tail_start..).unwrap_or_default();
    let at = rfind(tail, END).and_then(|at| at.checked_add(tail_start));
    let at = at.ok_or_else(|| malformed("APPNOTE 4.3.16: no end of central directory"))?;
    let short = || malformed("APPNOTE 4.3.16: the end record is cut off");
    let half = |offset: usize| at.checked_add(offset).and_then(|p| u16_at(bytes, p)).ok_or_else(short);
    let word = |offset: usize| at.checked_add(offset).and_then(|p| u32_at(bytes, p)).ok_or_else(short);
    let comment_len = half(20)?;
    let stop = at.checked_add(END_LEN).and_then(|p| p.checked_add(usize::from(comment_len)));
    let stop = stop.filter(|stop| *stop <= bytes.len()).ok_or_else(short)?;
    let (mut disks, mut count) =
        ((u64::from(half(4)?), u64::from(half(6)?)), (u64::from(half(8)?), u64::from(half(10)?)));
    let (mut size, mut offset) = (u64::from(word(12)?), u64::from(word(16)?));
    let mut directory_end = at;
    if let Some(locator) = at.checked_sub(20).filter(|p| bytes.get(*p..).is_some_and(|b| b.starts_with(b"PK\x06\x07")))
    {
        let wide = zip64_end(bytes, locator)?;
        let agree = |narrow: u64, all_ones: u64, wide: u64| narrow == all_ones || narrow == wide;
        let same = agree(count.0, 0xffff, wide.count) && agree(size, 0xffff_ffff, wide.size);
        if !same || !agree(count.1, 0xffff, wide.count) || !agree(offset, 0xffff_ffff, wide.offset) {
            return Err(ambiguous("another archive in its ZIP64 records (APPNOTE 4.4.1.4)"));
        }
        (disks, count, size, offset) = ((0, 0), (wide.count, wide.count), wide.size, wide.offset);
        directory_end = wide.at;
    }
    if disks != (0, 0) || count.0 != count.1 {
        return Err(Refusal::unsupported("an archive split over several files"));
    }
    let start = usize::try_from(size).ok().and_then(|size| directory_end.checked_sub(size));
    let start = start.ok_or_else(|| malformed("APPNOTE 4.4.23: the central directory does not fit"))?;
    let shift = usize::try_from(offset).ok().and_then(|offset| start.checked_sub(offset));
    let shift = shift.ok_or_else(|| malformed("APPNOTE 4.4.24: the central directory is not where it should be"))?;
    Ok(End { directory: start..directory_end, count: count.0, shift, stop, comment: comment_len > 0 })
}

struct Wide {
    at: usize,
    count: u64,
    size: u64,
    offset: u64,
}

/// APPNOTE 4.3.14, 4.3.15. The record must stand right before its locator: elsewhere readers part ways.
fn zip64_end(bytes: &[u8], locator: usize) -> Result<Wide, Refusal> {
    let broken = || Refusal::malformed(locator as u64, "APPNOTE 4.3.15: the ZIP64 end record");
    let at = locator.checked_sub(56).ok_or_else(broken)?;
    let record = bytes.get(at..locator).filter(|r| r.starts_with(b"PK\x06\x06")).ok_or_else(broken)?;
    let pointed = u64_at(bytes, locator.saturating_add(8)).ok_or_else(broken)?;
    // A prefix that the offsets don't count is the only lawful difference.
    if u64_at(record, 4) != Some(44) || pointed > at as u64 || u32_at(record, 16) != Some(0) {
        return Err(broken());
    }
    let counts = (u64_at(record, 24).ok_or_else(broken)?, u64_at(record, 32).ok_or_else(broken)?);
    if counts.0 != counts.1 {
        return Err(broken());
    }
    let (size, offset) = (u64_at(record, 40).ok_or_else(broken)?, u64_at(record, 48).ok_or_else(broken)?);
    Ok(Wide { at, count: counts.0, size, offset })
}

/// APPNOTE 4.3.12: exactly `count` headers that fill the directory.
fn directory(bytes: &[u8], end: &End, budget: &mut Budget, notes: &mut Notes) -> Result<Vec<Central>, Refusal> {
    let mut listed = Vec::new();
    let mut at = end.directory.start;
    while at < end.directory.end {
        budget.spend_entries(1)?;
        let (central, next) = central(bytes, at, end.directory.end, notes)
            .ok_or_else(|| Refusal::malformed(at as u64, "APPNOTE 4.3.12: central directory header"))?;
        listed.push(central);
        at = next;
    }
    if listed.len() as u64 != end.count {
        return Err(ambiguous("an archive with another number of members (APPNOTE 4.4.22)"));
    }
    // A second end record inside the directory or the comment is a second archive for readers that look from the front.
    if bytes.get(end.directory.clone()).is_some_and(|d| find(d, END).is_some()) {
        return Err(ambiguous("an archive with a second end record (APPNOTE 4.3.16)"));
    }
    Ok(listed)
}

fn central(bytes: &[u8], at: usize, stop: usize, notes: &mut Notes) -> Option<(Central, usize)> {
    let head = bytes.get(at..stop)?;
    if !head.starts_with(CENTRAL) {
        return None;
    }
    let (name_len, extra_len, comment_len) = (u16_at(head, 28)?, u16_at(head, 30)?, u16_at(head, 32)?);
    let name_start = at.checked_add(CENTRAL_LEN)?;
    let name_end = name_start.checked_add(usize::from(name_len))?;
    let extra_end = name_end.checked_add(usize::from(extra_len))?;
    let next = extra_end.checked_add(usize::from(comment_len)).filter(|next| *next <= stop)?;
    let raw = bytes.get(name_start..name_end)?;
    let extra = bytes.get(name_end..extra_end)?;
    let (made_by, flags, method) = (u16_at(head, 4)?, u16_at(head, 8)?, u16_at(head, 10)?);
    let attributes = u32_at(head, 38)?;
    let mut sizes = Sizes::new(u32_at(head, 24)?, u32_at(head, 20)?, Some(u32_at(head, 42)?));
    sizes.widen(extra)?;
    if u16_at(head, 34)? != 0 {
        return None;
    }
    notes.comments = notes.comments.saturating_add(u64::from(comment_len > 0));
    notes.extra_fields = notes.extra_fields.saturating_add(u64::from(extra_len > 0));
    let untimed = u32_at(head, 12)? == 0x0021_0000 && matches!(attributes, 0 | 0x10);
    notes.attributes = notes.attributes.saturating_add(u64::from(!untimed));
    let name = names::decode(raw);
    let kind = kind(&name, made_by, attributes);
    let aes = aes_field(extra).filter(|_| method == AES);
    let (crc, time) = (u32_at(head, 16)?, u16_at(head, 12)?);
    let entry = Entry {
        name,
        kind,
        cipher: cipher(flags, method, aes, (crc, time)),
        method: aes.map_or(method, |[.., low, high]| u16::from_le_bytes([low, high])),
        size: sizes.size,
        crc,
        data: 0..0,
    };
    let local = usize::try_from(sizes.offset?).ok()?;
    Some((Central { entry, raw_name: name_start..name_end, flags, method, aes, packed: sizes.packed, local }, next))
}

/// The method of what is encrypted with AES; the real one stands in its extra field.
const AES: u16 = 99;

/// The extra field of AES: version, `AE`, strength, method.
fn aes_field(mut extra: &[u8]) -> Option<[u8; 7]> {
    while let (Some(id), Some(len)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let (field, rest) = extra.get(4..)?.split_at_checked(usize::from(len))?;
        if id == 0x9901 {
            return field.try_into().ok();
        }
        extra = rest;
    }
    None
}

fn cipher(flags: u16, method: u16, aes: Option<[u8; 7]>, (crc, time): (u32, u16)) -> Option<Cipher> {
    match (flags & ENCRYPTED, method, aes) {
        (0, method, _) if method != AES => None,
        (1, AES, Some([version @ 1..=2, 0, b'A', b'E', strength, ..])) => {
            let strength = Strength::of(strength);
            Some(strength.map_or(Cipher::Unknown, |strength| Cipher::Aes { strength, crc: version == 1 }))
        }
        (1, method, _) if method != AES => {
            let crc = crc.to_be_bytes()[0];
            let other = if flags & STREAMED == 0 { crc } else { time.to_be_bytes()[0] };
            Some(Cipher::Traditional { checks: [crc, other] })
        }
        (_, _, _) => Some(Cipher::Unknown),
    }
}

/// Unix modes stand in the upper half where a Unix or macOS tool made the archive; links are believed of any tool,
/// since some readers look at the mode alone.
fn kind(name: &str, made_by: u16, attributes: u32) -> Kind {
    let mode = attributes >> 16 & 0o170_000;
    let unix = matches!(made_by >> 8, 3 | 19);
    match mode {
        0o120_000 => Kind::Special,
        0o020_000 | 0o060_000 | 0o010_000 | 0o140_000 if unix => Kind::Special,
        _ if name.ends_with('/') => Kind::Folder,
        _ => Kind::File,
    }
}

/// Sizes and offset, 32 bits wide or in the ZIP64 extra field (APPNOTE 4.5.3).
struct Sizes {
    size: u64,
    packed: u64,
    offset: Option<u64>,
}

impl Sizes {
    fn new(size: u32, packed: u32, offset: Option<u32>) -> Self {
        Self { size: size.into(), packed: packed.into(), offset: offset.map(u64::from) }
    }

    /// `None` where a field that ZIP64 must hold is missing. Fields of unknown ids are passed over; a list that does
    /// not add up only matters where ZIP64 is needed, since padding tools write such lists.
    fn widen(&mut self, mut extra: &[u8]) -> Option<()> {
        const WIDE: u64 = 0xffff_ffff;
        let offset_wide = self.offset == Some(WIDE);
        if self.size != WIDE && self.packed != WIDE && !offset_wide {
            return Some(());
        }
        while let (Some(id), Some(len)) = (u16_at(extra, 0), u16_at(extra, 2)) {
            let (field, rest) = extra.get(4..)?.split_at_checked(usize::from(len))?;
            extra = rest;
            if id != 1 {
                continue;
            }
            let mut at = 0usize;
            let mut next = || {
                let value = u64_at(field, at);
                at = at.saturating_add(8);
                value
            };
            if self.size == WIDE {
                self.size = next()?;
            }
            if self.packed == WIDE {
                self.packed = next()?;
            }
            if offset_wide {
                self.offset = Some(next()?);
            }
            return Some(());
        }
        None
    }
}

/// Holds the local header against the central one (ARC-05) and returns what the member covers of the file.
fn local(bytes: &[u8], central: &mut Central, shift: usize, notes: &mut Notes) -> Result<Range<usize>, Refusal> {
    let at = central.local.saturating_add(shift);
    let broken = || Refusal::malformed(at as u64, "APPNOTE 4.3.7: local file header");
    if shift > 0 && bytes.get(central.local..).is_some_and(|b| b.starts_with(LOCAL)) {
        return Err(ambiguous("an archive whose offsets can be read in two ways"));
    }
    let head = bytes.get(at..).filter(|b| b.starts_with(LOCAL)).ok_or_else(broken)?;
    let half = |offset| u16_at(head, offset).ok_or_else(broken);
    let word = |offset| u32_at(head, offset).ok_or_else(broken);
    let (flags, method, name_len, extra_len) = (half(6)?, half(8)?, half(26)?, half(28)?);
    let name_end = LOCAL_LEN.saturating_add(usize::from(name_len));
    let data_start = name_end.saturating_add(usize::from(extra_len));
    let name = head.get(LOCAL_LEN..name_end).ok_or_else(broken)?;
    let extra = head.get(name_end..data_start).ok_or_else(broken)?;
    notes.extra_fields = notes.extra_fields.saturating_add(u64::from(extra_len > 0));
    let masked = central.flags & 1 << 13 != 0;
    if !masked && bytes.get(central.raw_name.clone()) != Some(name) {
        return Err(ambiguous("an archive with other names in its local headers (APPNOTE 4.4.17)"));
    }
    unicode_path(name, extra, &central.entry.name)?;
    let encryption_differs = (flags ^ central.flags) & ENCRYPTED != 0;
    let aes_differs = central.aes.is_some() && aes_field(extra) != central.aes;
    if method != central.method || encryption_differs || aes_differs {
        return Err(ambiguous("an archive with other methods in its local headers (APPNOTE 4.4.5)"));
    }
    let mut sizes = Sizes::new(word(22)?, word(18)?, None);
    let crc = word(14)?;
    let streamed = flags & STREAMED != 0;
    sizes.widen(extra).ok_or_else(broken)?;
    let same = (sizes.size, sizes.packed, crc) == (central.entry.size, central.packed, central.entry.crc);
    // Bit 3 lets them be zero (4.4.4); members of AE-2 have no CRC at all.
    let left_out = streamed && [sizes.size, sizes.packed, crc.into()].iter().all(|n| *n == 0);
    let some_left_out = streamed
        && [(sizes.size, central.entry.size), (sizes.packed, central.packed), (crc.into(), central.entry.crc.into())]
            .iter()
            .all(|(here, there)| *here == 0 || here == there);
    if !same && !left_out && !some_left_out && !masked {
        return Err(ambiguous("an archive with other sizes in its local headers (APPNOTE 4.4.7 to 4.4.9)"));
    }
    let data = usize::try_from(central.packed).ok().and_then(|n| data_start.checked_add(n)).ok_or_else(broken)?;
    if data > head.len() {
        return Err(Refusal::malformed(at as u64, "APPNOTE 4.3.8: the data of a member is cut off"));
    }
    let after = if streamed { descriptor(head, data, central, same)? } else { data };
    central.entry.data = at.saturating_add(data_start)..at.saturating_add(data);
    Ok(at..at.saturating_add(after))
}

/// The data descriptor, in its four shapes (APPNOTE 4.3.9): with or without signature, with 4- or 8-byte sizes.
fn descriptor(head: &[u8], data: usize, central: &Central, sizes_in_header: bool) -> Result<usize, Refusal> {
    let signed = head.get(data..).is_some_and(|b| b.starts_with(DESCRIPTOR));
    for (skip, wide) in [(4usize, false), (4, true), (0, false), (0, true)] {
        if skip == 4 && !signed {
            continue;
        }
        let at = data.saturating_add(skip);
        let (packed_at, size_at) = (at.saturating_add(4), at.saturating_add(if wide { 12 } else { 8 }));
        let read = |p| {
            if wide { u64_at(head, p) } else { u32_at(head, p).map(u64::from) }
        };
        let values = (u32_at(head, at), read(packed_at), read(size_at));
        // AE-2 has no CRC-32 that anybody would look at.
        let any_crc = matches!(central.entry.cipher, Some(Cipher::Aes { crc: false, .. }));
        let crc = if any_crc { values.0 } else { Some(central.entry.crc) };
        if values == (crc, Some(central.packed), Some(central.entry.size)) {
            return Ok(size_at.saturating_add(if wide { 8 } else { 4 }));
        }
    }
    // Some writers set the bit, know the sizes and write no descriptor: then nothing is in doubt.
    if sizes_in_header && !signed {
        return Ok(data);
    }
    Err(ambiguous("an archive with other values in a data descriptor (APPNOTE 4.3.9)"))
}

/// The Unicode path field (APPNOTE 4.6.9) gives a member a second name. Readers that honour it must see the same one,
/// but for letters that the first name's code page could not write.
fn unicode_path(raw: &[u8], mut extra: &[u8], name: &str) -> Result<(), Refusal> {
    while let (Some(id), Some(len)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let Some((field, rest)) = extra.get(4..).and_then(|e| e.split_at_checked(usize::from(len))) else {
            break;
        };
        extra = rest;
        let second = field.get(5..).unwrap_or_default();
        if id == 0x7075 && raw.is_ascii() && second != name.as_bytes() {
            return Err(ambiguous("an archive with a second set of names (APPNOTE 4.6.9)"));
        }
    }
    Ok(())
}

/// Every byte belongs to one member, the directory or the end; what does not is a finding, or hides a member.
fn cover(
    bytes: &[u8],
    spans: &[Range<usize>],
    end: &End,
    oddities: &mut Vec<(&'static str, FindingAction, String)>,
) -> Result<(), Refusal> {
    let mut at = 0usize;
    for span in spans.iter().chain(std::iter::once(&end.directory)) {
        if span.start < at {
            return Err(Refusal::malformed(span.start as u64, "members that share bytes (ARC-04: overlapping bomb)"));
        }
        gap(bytes, at..span.start, at == 0, oddities)?;
        at = span.end;
    }
    let trailer = bytes.get(end.stop..).unwrap_or_default();
    if find(trailer, LOCAL).is_some() || find(trailer, CENTRAL).is_some() {
        return Err(ambiguous("a second archive after its end"));
    }
    if !trailer.is_empty() {
        oddities.push(("GEN-03", FindingAction::Removed, format!("{} bytes after the archive", trailer.len())));
    }
    Ok(())
}

fn gap(
    bytes: &[u8],
    range: Range<usize>,
    first: bool,
    oddities: &mut Vec<(&'static str, FindingAction, String)>,
) -> Result<(), Refusal> {
    let gap = bytes.get(range.clone()).unwrap_or_default();
    if gap.is_empty() {
        return Ok(());
    }
    if find(gap, LOCAL).is_some() || find(gap, CENTRAL).is_some() || find(gap, END).is_some() {
        return Err(ambiguous("an archive with members that its directory does not list"));
    }
    let id = if first { "GEN-04" } else { "ARC-05" };
    oddities.push((id, FindingAction::Removed, format!("{} bytes at {}", gap.len(), range.start)));
    Ok(())
}

/// ARC-07: two members of one name, or a file that is also a folder, are two packages to two readers. Part names are
/// compared without case (ECMA-376-2, 6.2.2.3).
pub fn unique(entries: &[Entry]) -> Result<(), Refusal> {
    let mut names = BTreeMap::new();
    for entry in entries {
        let folder = entry.kind == Kind::Folder;
        if let Some(other) = names.insert(names::fold(&entry.name), folder)
            && !(folder && other)
        {
            return Err(ambiguous("an archive with two members of one name (ARC-07)"));
        }
    }
    for name in names.keys() {
        let mut parents = name.match_indices('/').filter_map(|(slash, _)| name.get(..slash));
        if parents.any(|parent| names.get(parent) == Some(&false)) {
            return Err(ambiguous("an archive with a file and a folder of one name (ARC-07)"));
        }
    }
    Ok(())
}

/// First place of a short needle.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(hay, needle)
}

fn rfind(hay: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(hay, needle)
}
