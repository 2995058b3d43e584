//! The directories of a TIFF file: bounded, without following anything twice.
//!
//! Source: TIFF 6.0 section 2; BigTIFF. Only the tags that say how pixels are stored are read.

use model::Refusal;
use std::ops::Range;

/// Ours: more pages than any scanner feeds; a loop of directories ends much earlier, at the first one seen twice.
const MOST_PAGES: usize = 4096;
/// Ours: TIFF 6.0 and its supplements define a few hundred tags.
const MOST_TAGS: u64 = 4096;
/// Ours: a strip a row of the largest picture.
const MOST_VALUES: u64 = 4 << 20;

/// One entry of a directory: tag, type, number and place of its values.
#[derive(Clone, Debug)]
struct Entry {
    tag: u16,
    kind: u16,
    values: Range<usize>,
}

/// One directory.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    entries: Vec<Entry>,
}

/// A file and its byte order.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) little: bool,
    big: bool,
}

impl<'a> File<'a> {
    /// Reads the header and all directories of the main chain.
    pub(super) fn open(bytes: &'a [u8]) -> Result<(Self, Vec<Directory>), Refusal> {
        let no_header = || Refusal::malformed(0, "TIFF 6.0, section 2: no header");
        let (little, big) = match bytes.get(..4).ok_or_else(no_header)? {
            [b'I', b'I', 42, 0] => (true, false),
            [b'M', b'M', 0, 42] => (false, false),
            [b'I', b'I', 43, 0] => (true, true),
            [b'M', b'M', 0, 43] => (false, true),
            _ => return Err(no_header()),
        };
        let file = Self { bytes, little, big };
        let mut next = file.offset(if big { 8 } else { 4 }).ok_or_else(no_header)?;
        let mut seen: Vec<usize> = Vec::new();
        let mut pages = Vec::new();
        while next != 0 {
            if seen.contains(&next) {
                // Viewers stop here too: there are no more pages than these.
                break;
            }
            if pages.len() >= MOST_PAGES {
                return Err(Refusal::unsupported("a TIFF of so many pages"));
            }
            seen.push(next);
            let Some((directory, following)) = file.directory(next) else {
                if pages.is_empty() {
                    return Err(Refusal::malformed(next as u64, "TIFF 6.0, section 2: broken directory"));
                }
                // The link leads nowhere: no reader finds a page there, so none is lost.
                break;
            };
            pages.push(directory);
            next = following;
        }
        if pages.is_empty() {
            return Err(Refusal::malformed(4, "TIFF 6.0, section 2: at least one directory"));
        }
        Ok((file, pages))
    }

    fn number(&self, at: usize, width: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(width)?)?;
        let push = |n: u64, b: &u8| n.wrapping_shl(8) | u64::from(*b);
        Some(if self.little { bytes.iter().rev().fold(0, push) } else { bytes.iter().fold(0, push) })
    }

    fn offset(&self, at: usize) -> Option<usize> {
        usize::try_from(self.number(at, if self.big { 8 } else { 4 })?).ok()
    }

    /// The directory at `at`, and the offset of the next one.
    fn directory(&self, at: usize) -> Option<(Directory, usize)> {
        let (head, size, inline) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.number(at, head)?;
        if count > MOST_TAGS {
            return None;
        }
        let mut entries = Vec::new();
        let mut at = at.checked_add(head)?;
        for _ in 0..count {
            let tag = u16::try_from(self.number(at, 2)?).ok()?;
            let kind = u16::try_from(self.number(at.checked_add(2)?, 2)?).ok()?;
            let number = self.number(at.checked_add(4)?, inline)?;
            let place = at.checked_add(4)?.checked_add(inline)?;
            if let Some(values) = self.values(kind, number, place, inline) {
                entries.push(Entry { tag, kind, values });
            }
            at = at.checked_add(size)?;
        }
        // A file may end right behind its last directory's entries.
        Some((Directory { entries }, self.offset(at).unwrap_or(0)))
    }

    fn values(&self, kind: u16, number: u64, place: usize, inline: usize) -> Option<Range<usize>> {
        let length = usize::try_from(number.checked_mul(width(kind)? as u64)?).ok()?;
        let start = if length <= inline { place } else { self.offset(place)? };
        let end = start.checked_add(length)?;
        (end <= self.bytes.len()).then_some(start..end)
    }

    fn entry<'d>(&self, directory: &'d Directory, tag: u16) -> Option<&'d Entry> {
        directory.entries.iter().find(|e| e.tag == tag)
    }

    /// The unsigned whole numbers of a tag.
    pub(super) fn numbers(&self, directory: &Directory, tag: u16) -> Option<Vec<u64>> {
        let entry = self.entry(directory, tag)?;
        let width = match entry.kind {
            1 | 7 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            _ => return None,
        };
        let count = entry.values.len().checked_div(width)?;
        if count as u64 > MOST_VALUES {
            return None;
        }
        (0..count).map(|i| self.number(entry.values.start.checked_add(i.checked_mul(width)?)?, width)).collect()
    }

    /// The first number of a tag.
    pub(super) fn number_of(&self, directory: &Directory, tag: u16) -> Option<u64> {
        let entry = self.entry(directory, tag)?;
        let width = match entry.kind {
            1 | 7 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            _ => return None,
        };
        self.number(entry.values.start, width).filter(|_| entry.values.len() >= width)
    }

    /// Numerators and denominators of a tag.
    pub(super) fn rationals(&self, directory: &Directory, tag: u16) -> Vec<(u32, u32)> {
        let Some(entry) = self.entry(directory, tag).filter(|e| e.kind == 5) else {
            return Vec::new();
        };
        let pair = |at: usize| {
            let of = |at| self.number(at, 4).and_then(|n| u32::try_from(n).ok());
            Some((of(at)?, of(at.checked_add(4)?)?))
        };
        entry.values.clone().step_by(8).take(16).filter_map(pair).collect()
    }

    /// The bytes of a tag.
    pub(super) fn raw(&self, directory: &Directory, tag: u16) -> Option<&'a [u8]> {
        self.bytes.get(self.entry(directory, tag)?.values.clone())
    }
}

impl Directory {
    /// All tags, as they come.
    pub(super) fn tags(&self) -> impl Iterator<Item = u16> {
        self.entries.iter().map(|e| e.tag)
    }
}

/// Bytes of a value of this type.
const fn width(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}
