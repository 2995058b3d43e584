//! OLE2 compound files ([MS-CFB]): which application's streams are in the directory. A small reader of names only.

use crate::zip_read::{u16_at, u32_at};
use model::Format;

/// Ours: real documents have hundreds of entries; the names that tell the kind stand near the root.
const MOST_SECTORS: usize = 512;
const MINI_VERSION_SHIFT: std::ops::RangeInclusive<u16> = 9..=12;

/// Which kind of compound file this is.
pub fn of(bytes: &[u8]) -> Format {
    let names = names(bytes).unwrap_or_default();
    let has = |name: &str| names.iter().any(|n| n == name);
    if has("EncryptedPackage") || has("EncryptionInfo") {
        Format::OoxmlEncrypted
    } else if has("WordDocument") {
        Format::Doc
    } else if has("PowerPoint Document") || has("PP40") {
        Format::Ppt
    } else if has("Workbook") || has("Book") {
        Format::Xls
    } else if has("__properties_version1.0") {
        Format::Msg
    } else if installer(bytes, &names) {
        Format::Installer
    } else {
        Format::OleOther
    }
}

/// The names in the directory, following its chain through the allocation table; what is broken ends the list.
fn names(bytes: &[u8]) -> Option<Vec<String>> {
    let shift = u16_at(bytes, 30).filter(|s| MINI_VERSION_SHIFT.contains(s))?;
    let size = 1usize.checked_shl(shift.into())?;
    let sector = |n: u32| {
        let start = usize::try_from(n).ok()?.checked_add(1)?.checked_mul(size)?;
        bytes.get(start..)
    };
    let next = |n: u32| {
        let per_sector = u32::try_from(size / 4).ok()?;
        let table = usize::try_from(n.checked_div(per_sector)?).ok().filter(|t| *t < 109)?;
        let table = u32_at(bytes, table.checked_mul(4)?.checked_add(76)?)?;
        u32_at(sector(table)?, usize::try_from(n.checked_rem(per_sector)?).ok()?.checked_mul(4)?)
    };
    let mut names = Vec::new();
    let mut at = u32_at(bytes, 48)?;
    for _ in 0..MOST_SECTORS {
        let Some(entries) = sector(at) else { break };
        let entries = entries.get(..size.min(entries.len())).unwrap_or_default();
        names.extend(entries.chunks_exact(128).filter_map(name));
        match next(at) {
            Some(following) if following < 0xffff_fffa => at = following,
            Some(_) | None => break,
        }
    }
    Some(names)
}

fn name(entry: &[u8]) -> Option<String> {
    let len = usize::from(u16_at(entry, 64)?).checked_sub(2).filter(|n| *n <= 62 && *n > 0)?;
    let units = entry.get(..len)?.chunks_exact(2).filter_map(|pair| u16_at(pair, 0));
    Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect())
}

/// Windows Installer: by the class of the root entry, or by table names, which it packs into CJK code points.
fn installer(bytes: &[u8], names: &[String]) -> bool {
    const CLASSES: [&[u8; 16]; 3] = [
        b"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46",
        b"\x86\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46",
        b"\x82\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46",
    ];
    let root = || {
        let shift = u16_at(bytes, 30).filter(|s| MINI_VERSION_SHIFT.contains(s))?;
        let sector = usize::try_from(u32_at(bytes, 48)?).ok()?.checked_add(1)?;
        bytes.get(sector.checked_mul(1usize.checked_shl(shift.into())?)?.checked_add(80)?..)
    };
    root().is_some_and(|b| CLASSES.iter().any(|class| b.starts_with(*class)))
        || names.iter().any(|n| n.starts_with('\u{4840}'))
}
