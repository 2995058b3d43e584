//! Font programs: the frame of each is walked, so that every table lies inside and none over another. What glyphs do
//! is the listed risk of `docs/formats/pdf.md`, 5.

use crate::Rejection;
use crate::cursor::Cursor;

/// The tables that are kept, ascending.
const TABLES: [&[u8; 4]; 15] = [
    b"CFF ", b"OS/2", b"cmap", b"cvt ", b"fpgm", b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"post",
    b"prep", b"vhea", b"vmtx",
];

/// OpenType 1.9, "Organization of an OpenType font".
pub(super) fn sfnt(data: &[u8], open_type: bool) -> Result<(), Rejection> {
    let mut file = Cursor::new(data);
    let version = file.u32_be("sfnt: version")?;
    let outlines: &[u8; 4] = match (version, open_type) {
        (0x0001_0000, _) | (0x7472_7565, false) => b"glyf",
        (0x4F54_544F, true) => b"CFF ",
        _ => return Err(file.reject("sfnt: version")),
    };
    let count = file.u16_be("sfnt: numTables")?;
    let log = u16::try_from(count.checked_ilog2().unwrap_or_default()).unwrap_or_default();
    let range = 16u16.checked_shl(log.into()).unwrap_or_default();
    let search = [range, log, count.saturating_mul(16).saturating_sub(range)];
    for expected in search {
        if file.u16_be("sfnt: search fields")? != expected {
            return Err(file.reject("sfnt: searchRange, entrySelector, rangeShift"));
        }
    }
    let mut allowed = TABLES.iter();
    let mut end = 12usize.saturating_add(usize::from(count).saturating_mul(16));
    let mut glyphs = false;
    let mut needed = if outlines == b"glyf" { 2 } else { 0 };
    for _table in 0..count {
        let tag: [u8; 4] = file.array("sfnt: tag")?;
        if !allowed.any(|t| **t == tag) {
            return Err(file.reject("dialect §5: table that is not kept, or out of order (PDF-70)"));
        }
        glyphs |= tag == *outlines;
        // Glyphs are found through these (OpenType 1.9, "glyf").
        needed = u8::saturating_sub(needed, u8::from(matches!(&tag, b"head" | b"loca")));
        let sum = file.u32_be("sfnt: checksum")?;
        let (at, len) = (file.u32_be("sfnt: offset")? as usize, file.u32_be("sfnt: length")? as usize);
        // One table behind the other, padded with zeros: no byte is in two tables, or in none.
        let padded = len.checked_next_multiple_of(4).unwrap_or(usize::MAX);
        let table = data.get(at..).and_then(|rest| rest.get(..padded));
        let table = table.filter(|_| at == end).ok_or_else(|| file.reject("sfnt: tables one behind the other"))?;
        end = end.saturating_add(padded);
        let (content, padding) = table.split_at_checked(len).unwrap_or_default();
        let adjustment = if &tag == b"head" { head(content).ok_or_else(|| file.reject("sfnt: head"))? } else { 0 };
        if padding.iter().any(|b| *b != 0) || checksum(table).wrapping_sub(adjustment) != sum {
            return Err(file.reject("sfnt: padding or checksum"));
        }
        if &tag == b"head" && adjustment != 0xB1B0_AFBA_u32.wrapping_sub(checksum(data).wrapping_sub(adjustment)) {
            return Err(file.reject("sfnt: checkSumAdjustment"));
        }
        if &tag == b"CFF " {
            cff(content).map_err(|r| r.inside("CFF"))?;
        }
    }
    if end != data.len() {
        return Err(Rejection::new(end, "sfnt: bytes behind the last table"));
    }
    if glyphs && needed == 0 { Ok(()) } else { Err(Rejection::new(0, "sfnt: no outlines")) }
}

/// checkSumAdjustment.
fn head(table: &[u8]) -> Option<u32> {
    table.get(8..).and_then(<[u8]>::first_chunk::<4>).map(|n| u32::from_be_bytes(*n))
}

/// The sum of words; `table` has whole ones.
fn checksum(table: &[u8]) -> u32 {
    table.as_chunks::<4>().0.iter().fold(0, |sum: u32, word| sum.wrapping_add(u32::from_be_bytes(*word)))
}

/// Technical Note 5176: header, the four INDEXes at its head, and what the Top DICT points to.
pub(super) fn cff(data: &[u8]) -> Result<(), Rejection> {
    let mut file = Cursor::new(data);
    if file.u8("CFF: header")? != 1 {
        return Err(file.reject("CFF 6: major version"));
    }
    file.u8("CFF: header")?;
    let head = usize::from(file.u8("CFF: header")?);
    if !(1..=4).contains(&file.u8("CFF: header")?) {
        return Err(file.reject("CFF 6: offSize"));
    }
    file.take(head.checked_sub(4).ok_or_else(|| file.reject("CFF 6: hdrSize"))?, "CFF: header")?;
    let names = index(&mut file)?;
    let tops = index(&mut file)?;
    if names.len() != 1 || tops.len() != 1 {
        return Err(file.reject("CFF 7, 8: one font"));
    }
    index(&mut file)?;
    index(&mut file)?;
    let top = tops.first().copied().unwrap_or_default();
    let entries = dict(top).ok_or_else(|| Rejection::new(0, "CFF 4: Top DICT"))?;
    points_inside(data, &entries)
}

/// The offsets of a Top DICT (9).
fn points_inside(data: &[u8], entries: &[(u16, Vec<i64>)]) -> Result<(), Rejection> {
    let bad = |rule: &str| Rejection::new(0, rule);
    let at = |value: i64| usize::try_from(value).ok().and_then(|at| data.get(at..)).filter(|rest| !rest.is_empty());
    let mut glyphs = 0;
    for (operator, operands) in entries {
        match (operator, operands.as_slice()) {
            // CharStrings, FDArray.
            (17 | 0x0C24, [offset]) => {
                let rest = at(*offset).ok_or_else(|| bad("CFF 9: offset of an INDEX"))?;
                let found = index(&mut Cursor::new(rest))?.len();
                if *operator == 17 {
                    glyphs = found;
                }
            }
            // Private: size and offset.
            (18, [size, offset]) => private(data, *size, *offset)?,
            // charset and Encoding: 0, 1 and 2 name predefined ones.
            (15 | 16, [0..=2]) => {}
            (15 | 16 | 0x0C25, [offset]) => {
                at(*offset).ok_or_else(|| bad("CFF 9: offset of charset, Encoding or FDSelect"))?;
            }
            (15..=18 | 0x0C24 | 0x0C25, _) => return Err(bad("CFF 9: operands of an offset")),
            // CharstringType.
            (0x0C06, [2]) => {}
            (0x0C06, _) => return Err(bad("CFF 9: CharstringType 2")),
            _ => {}
        }
    }
    if glyphs == 0 { Err(bad("CFF 14: CharStrings")) } else { Ok(()) }
}

/// A Private DICT (15) and its local subroutines (16).
fn private(data: &[u8], size: i64, offset: i64) -> Result<(), Rejection> {
    let range = || {
        let (size, offset) = (usize::try_from(size).ok()?, usize::try_from(offset).ok()?);
        data.get(offset..)?.get(..size)
    };
    let entries = range().and_then(dict).ok_or_else(|| Rejection::new(0, "CFF 15: Private DICT"))?;
    for (operator, operands) in entries {
        if operator != 19 {
            continue;
        }
        let [subrs] = operands.as_slice() else {
            return Err(Rejection::new(0, "CFF 16: Subrs"));
        };
        let start = offset.checked_add(*subrs).and_then(|at| usize::try_from(at).ok());
        let rest = start.and_then(|at| data.get(at..)).ok_or_else(|| Rejection::new(0, "CFF 16: Subrs"))?;
        index(&mut Cursor::new(rest))?;
    }
    Ok(())
}

/// An INDEX (5): its objects.
fn index<'a>(file: &mut Cursor<'a>) -> Result<Vec<&'a [u8]>, Rejection> {
    let count = usize::from(file.u16_be("CFF 5: count")?);
    if count == 0 {
        return Ok(Vec::new());
    }
    let size = usize::from(file.u8("CFF 5: offSize")?);
    if !(1..=4).contains(&size) {
        return Err(file.reject("CFF 5: offSize"));
    }
    let table = file.take(size.saturating_mul(count.saturating_add(1)), "CFF 5: offsets")?;
    let mut offsets = table.chunks_exact(size).map(|o| o.iter().fold(0usize, |n, b| n << 8 | usize::from(*b)));
    let mut before = offsets.next().unwrap_or_default();
    if before != 1 {
        return Err(file.reject("CFF 5: first offset"));
    }
    let mut objects = Vec::with_capacity(count);
    for offset in offsets {
        let len = offset.checked_sub(before).ok_or_else(|| file.reject("CFF 5: offsets ascend"))?;
        objects.push(file.take(len, "CFF 5: object")?);
        before = offset;
    }
    Ok(objects)
}

/// A DICT (4): operators, two bytes as 0Cxx, and their operands; reals as 0, which is no offset.
fn dict(data: &[u8]) -> Option<Vec<(u16, Vec<i64>)>> {
    let mut entries = Vec::new();
    let mut operands = Vec::new();
    let mut bytes = data.iter().copied();
    while let Some(first) = bytes.next() {
        let wide = |byte: u8, from: u8| i64::from(byte.wrapping_sub(from)).wrapping_mul(256);
        let operand = match first {
            12 => {
                entries.push((0x0C00 | u16::from(bytes.next()?), std::mem::take(&mut operands)));
                continue;
            }
            0..=21 => {
                entries.push((u16::from(first), std::mem::take(&mut operands)));
                continue;
            }
            28 => i64::from(i16::from_be_bytes([bytes.next()?, bytes.next()?])),
            29 => i64::from(i32::from_be_bytes([bytes.next()?, bytes.next()?, bytes.next()?, bytes.next()?])),
            30 => {
                while bytes.next()? & 0x0F != 0x0F {}
                0
            }
            32..=246 => i64::from(first).wrapping_sub(139),
            247..=250 => wide(first, 247).wrapping_add(i64::from(bytes.next()?)).wrapping_add(108),
            251..=254 => wide(first, 251).wrapping_add(i64::from(bytes.next()?)).wrapping_neg().wrapping_sub(108),
            22..=27 | 31 | 255 => return None,
        };
        if operands.len() >= 513 {
            return None;
        }
        operands.push(operand);
    }
    operands.is_empty().then_some(entries)
}

/// Adobe Type 1 Font Format, 7: clear text to `eexec`, the encrypted part, and perhaps the zeros behind it.
pub(super) fn type1(data: &[u8], [clear, encrypted, zeros]: [usize; 3]) -> Result<(), Rejection> {
    let bad = |rule: &str| Rejection::new(0, rule);
    if clear.checked_add(encrypted).and_then(|n| n.checked_add(zeros)) != Some(data.len()) {
        return Err(bad("9.9: Length1, Length2 and Length3"));
    }
    let (head, rest) = data.split_at_checked(clear).unwrap_or_default();
    let (_, tail) = rest.split_at_checked(encrypted).unwrap_or_default();
    if !head.starts_with(b"%!") || !head.trim_ascii_end().ends_with(b"eexec") || encrypted == 0 {
        return Err(bad("Type 1: clear text from %! to eexec (PDF-69)"));
    }
    let zeros = tail.iter().filter(|b| **b == b'0').count();
    let mark = tail.iter().filter(|b| !b.is_ascii_whitespace() && **b != b'0').copied().collect::<Vec<u8>>();
    if !tail.is_empty() && (zeros != 512 || mark != b"cleartomark") {
        return Err(bad("Type 1: 512 zeros and cleartomark"));
    }
    Ok(())
}
