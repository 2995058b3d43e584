//! Font programs (ISO 32000-1 clause 9.9). Their frames are read and written anew, their tables and charstrings are
//! the original's: the listed risk of `docs/formats/pdf.md` §5.

use super::cff;
use super::value::{Dict, Val};
use crate::switches::{Filter, off};

/// A font program ready to be written.
pub struct Program {
    pub dict: Dict,
    pub data: Vec<u8>,
    /// The catalogue row that says what was kept.
    pub risk: &'static str,
}

/// Tables that a viewer of PDF needs; all others go (SVG, CBDT, COLR, GSUB, name, …).
const TABLES: &[&[u8; 4]] = &[
    b"CFF ", b"OS/2", b"cmap", b"cvt ", b"fpgm", b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"post",
    b"prep", b"vhea", b"vmtx",
];

/// Reads a program by its first bytes; `None` where it is none that we know.
pub fn read(data: &[u8], subtype: Option<&[u8]>) -> Option<Program> {
    match data.get(..4)? {
        [0, 1, 0, 0] | b"true" | b"OTTO" | b"ttcf" => sfnt(data, subtype),
        [1, 0..=4, 4..=64, 1..=4] => cff(data, subtype),
        [b'%', b'!', ..] | [0x80, 1, ..] => type1(data),
        _ => None,
    }
}

/// A program that cannot be read is none.
pub fn unread(data: &[u8]) -> Option<Program> {
    let dict = Dict::new().with("Length1", Val::size(data.len()));
    off(Filter::PdfFontPrograms).then(|| Program { dict, data: data.to_vec(), risk: "PDF-70" })
}

fn u16_at(data: &[u8], at: usize) -> Option<usize> {
    let bytes = data.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_be_bytes(bytes.try_into().ok()?)))
}

fn u32_at(data: &[u8], at: usize) -> Option<usize> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
}

fn sfnt(data: &[u8], subtype: Option<&[u8]>) -> Option<Program> {
    let base = if data.starts_with(b"ttcf") { u32_at(data, 12)? } else { 0 };
    let version: [u8; 4] = data.get(base..base.checked_add(4)?)?.try_into().ok()?;
    let count = u16_at(data, base.checked_add(4)?)?.min(64);
    let mut tables: Vec<([u8; 4], Vec<u8>)> = Vec::new();
    for i in 0..count {
        let entry = base.checked_add(12)?.checked_add(i.checked_mul(16)?)?;
        let Some(tag) = data.get(entry..).and_then(|e| e.first_chunk::<4>()) else {
            break;
        };
        if !TABLES.contains(&tag) && !off(Filter::PdfFontTables) {
            continue;
        }
        let (offset, len) = (u32_at(data, entry.checked_add(8)?)?, u32_at(data, entry.checked_add(12)?)?);
        // A table that runs past the end is cut there, as font readers do.
        let end = offset.checked_add(len)?.min(data.len());
        let Some(table) = data.get(offset..end) else { continue };
        if !table.is_empty() && tables.iter().all(|(t, _)| t != tag) {
            tables.push((*tag, table.to_vec()));
        }
    }
    let has = |tag: &[u8; 4]| tables.iter().any(|(t, _)| t == tag);
    let is_cff = has(b"CFF ");
    if tables.iter().any(|(tag, table)| tag == b"CFF " && !cff::is_sound(table)) && !off(Filter::PdfCff) {
        return None;
    }
    if !(is_cff || has(b"glyf") && has(b"loca") && has(b"head") || off(Filter::PdfFontParts)) {
        return None;
    }
    tables.sort_by_key(|(tag, _)| *tag);
    let version = if version == *b"ttcf" { [0, 1, 0, 0] } else { version };
    let open_type = is_cff || (subtype == Some(b"OpenType") && version == *b"OTTO");
    let data = write_sfnt(version, tables)?;
    let mut dict = Dict::new();
    if open_type {
        dict.set("Subtype", Val::name("OpenType"));
    } else {
        dict.set("Length1", Val::size(data.len()));
    }
    Some(Program { dict, data, risk: "PDF-70" })
}

fn checksum(table: &[u8]) -> u32 {
    table.chunks(4).fold(0u32, |sum, chunk| {
        let mut word = [0u8; 4];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        sum.wrapping_add(u32::from_be_bytes(word))
    })
}

fn write_sfnt(version: [u8; 4], mut tables: Vec<([u8; 4], Vec<u8>)>) -> Option<Vec<u8>> {
    for (tag, table) in &mut tables {
        if tag == b"head" {
            table.get_mut(8..12)?.fill(0);
        }
    }
    let n = u16::try_from(tables.len()).ok()?;
    let power = n.checked_ilog2().unwrap_or(0);
    let range = 16u16.checked_shl(power)?;
    let mut out = version.to_vec();
    for value in [n, range, u16::try_from(power).ok()?, n.checked_mul(16)?.checked_sub(range)?] {
        out.extend_from_slice(&value.to_be_bytes());
    }
    let mut offset = tables.len().checked_mul(16)?.checked_add(12)?;
    for (tag, table) in &tables {
        out.extend_from_slice(tag);
        for value in [checksum(table), u32::try_from(offset).ok()?, u32::try_from(table.len()).ok()?] {
            out.extend_from_slice(&value.to_be_bytes());
        }
        offset = offset.checked_add(table.len().checked_next_multiple_of(4)?)?;
    }
    let mut head = None;
    for (tag, table) in &tables {
        if tag == b"head" {
            head = Some(out.len());
        }
        out.extend_from_slice(table);
        out.resize(out.len().checked_next_multiple_of(4)?, 0);
    }
    if let Some(head) = head {
        let adjustment = 0xB1B0_AFBAu32.wrapping_sub(checksum(&out));
        let at = head.checked_add(8)?;
        out.get_mut(at..at.checked_add(4)?)?.copy_from_slice(&adjustment.to_be_bytes());
    }
    Some(out)
}

/// A bare CFF (Adobe technical note 5176).
fn cff(data: &[u8], subtype: Option<&[u8]>) -> Option<Program> {
    if !cff::is_sound(data) && !off(Filter::PdfCff) {
        return None;
    }
    let subtype = if subtype == Some(b"CIDFontType0C") { "CIDFontType0C" } else { "Type1C" };
    let dict = Dict::new().with("Subtype", Val::name(subtype));
    Some(Program { dict, data: data.to_vec(), risk: "PDF-71" })
}

/// Finds the clear text, the encrypted part and the trailer of a Type 1 program, with or without PFB segments.
fn type1(data: &[u8]) -> Option<Program> {
    let joined = if data.first() == Some(&0x80) { pfb(data)? } else { data.to_vec() };
    let mark = joined.windows(5).position(|w| w == b"eexec")?.checked_add(5)?;
    let space = joined.get(mark..)?.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
    // At most one line end belongs to the clear text; encrypted bytes may look like white space.
    let clear = mark.checked_add(space.min(if joined.get(mark..)?.starts_with(b"\r\n") { 2 } else { 1 }))?;
    let tail = trailer(&joined, clear);
    let dict = Dict::new()
        .with("Length1", Val::size(clear))
        .with("Length2", Val::size(tail.checked_sub(clear)?))
        .with("Length3", Val::size(joined.len().checked_sub(tail)?));
    Some(Program { dict, data: joined, risk: "PDF-69" })
}

/// Where the 512 zeros and `cleartomark` begin; the end where there is none.
fn trailer(data: &[u8], clear: usize) -> usize {
    let Some(mark) = data.windows(11).rposition(|w| w == b"cleartomark").filter(|m| *m > clear) else {
        return data.len();
    };
    let zeros = data.get(clear..mark).unwrap_or_default();
    let run = zeros.iter().rev().take_while(|b| matches!(b, b'0' | b'\r' | b'\n' | b' ')).count();
    mark.saturating_sub(run)
}

fn pfb(data: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while let [0x80, 1 | 2, a, b, c, d, tail @ ..] = rest {
        let len = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?.min(tail.len());
        let (segment, after) = tail.split_at_checked(len)?;
        out.extend_from_slice(segment);
        rest = after;
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small_sfnt(extra: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut tables: Vec<([u8; 4], Vec<u8>)> =
            [b"glyf", b"loca"].iter().map(|t| (**t, vec![7u8; 5])).chain([(*b"head", vec![1u8; 54])]).collect();
        tables.extend(extra.iter().map(|(t, d)| (**t, d.to_vec())));
        write_sfnt([0, 1, 0, 0], tables).unwrap()
    }

    #[test]
    fn unknown_tables_go_and_checksums_are_right() {
        let program = read(&small_sfnt(&[(b"SVG ", b"<script/>"), (b"prep", b"xy")]), None).unwrap();
        assert!(!program.data.windows(7).any(|w| w == b"<script"));
        assert_eq!(checksum(&program.data), 0xB1B0_AFBA);
        let again = read(&program.data, None).unwrap();
        assert_eq!(again.data, program.data);
    }

    #[test]
    fn a_font_that_cannot_be_walked_is_none() {
        assert!(read(b"GIF89a", None).is_none());
        assert!(read(&[1, 0, 4, 1, 0, 1, 9], None).is_none());
        let whole = small_sfnt(&[]);
        for cut in 0..whole.len() {
            let _ = read(whole.get(..cut).unwrap(), None);
        }
    }

    #[test]
    fn segments_of_type_1_are_found() {
        let program = read(b"%!PS\ncurrentfile eexec\nXYZ\n0000\ncleartomark\n", None).unwrap();
        assert_eq!(program.dict.get("Length1"), Some(&Val::int(23)));
        assert_eq!(program.dict.get("Length2"), Some(&Val::int(3)));
    }
}
