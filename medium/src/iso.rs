//! ISO 9660 (ECMA-119), with Rock Ridge (IEEE P1282) where it is, else Joliet where it is.
//!
//! A disc may hold two trees, of which one reader sees the one and another the other. Both are walked; a file that only the
//! tree we do not follow shows refuses the disc (USB-21).

use crate::bytes::{array_at, trimmed, u8_at, utf16_name};
use crate::listing::{Kind, Place};
use crate::source::{Sink, Source, damaged, stream, too_much, unsupported};
use crate::system::{Entry, FileSystem, Folder, Notes};
use model::{FindingAction, Findings, Reason, ReasonCode};
use std::collections::{BTreeSet, HashSet};

const SECTOR: u64 = 2048;
/// Ours: descriptors are few; their list ends with one of type 255.
const DESCRIPTORS: u64 = 32;
/// Ours: a folder of this size has half a million entries.
const FOLDER_BYTES: u64 = 32 << 20;
/// Ours: continuations of one entry's system use area.
const CONTINUATIONS: usize = 16;

/// Ours: extents of one file; each holds up to 4 GiB.
const PIECES: usize = 256;

const ASSOCIATED: u8 = 0x04;
const MORE: u8 = 0x80;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Plain,
    Joliet,
    RockRidge,
}

pub(crate) struct Iso {
    source: Source,
    names: Names,
    root: (u64, u64),
    /// The tree that is not followed, where there are two.
    other: Option<((u64, u64), Names)>,
    /// Bytes that Rock Ridge puts before each system use area.
    skip: usize,
    label: Vec<u8>,
    folders: HashSet<u64>,
    findings: Findings,
}

/// One directory record.
struct Record {
    name: Vec<u8>,
    flags: u8,
    /// First byte and length of its extent.
    extent: (u64, u64),
    interleaved: bool,
    system_use: Vec<u8>,
}

impl Iso {
    pub(crate) fn open(source: Source) -> Result<Self, Reason> {
        let (mut primary, mut joliet, mut findings) = (None, None, Findings::new());
        for number in 16..DESCRIPTORS.saturating_add(16) {
            let sector = source.array::<2048>(number.saturating_mul(SECTOR))?;
            if array_at(&sector, 1) != *b"CD001" {
                return Err(damaged("the list of volume descriptors does not end"));
            }
            match u8_at(&sector, 0) {
                0 => findings.add("USB-14", FindingAction::Removed, "boot record of the disc"),
                1 if primary.is_none() => primary = Some(sector),
                2 if matches!(&array_at(&sector, 88), b"%/@" | b"%/C" | b"%/E") && joliet.is_none() => {
                    joliet = Some(sector);
                }
                255 => break,
                _ => {}
            }
        }
        let primary = primary.ok_or_else(|| damaged("no primary volume descriptor"))?;
        if u16::from_le_bytes(array_at(&primary, 128)) != 2048 {
            return Err(unsupported("an ISO 9660 volume with blocks other than 2048 bytes"));
        }
        let blocks = u64::from(u32::from_le_bytes(array_at(&primary, 80)));
        if blocks.saturating_mul(SECTOR) > source.len() {
            return Err(damaged("the volume says that it is larger than the room it has (USB-15)"));
        }
        if source.bytes(0, 32_768)?.iter().any(|byte| *byte != 0) {
            findings.add("USB-13", FindingAction::Removed, "system area of the disc");
        }
        let root_of = |sector: &[u8; 2048]| record(sector.get(156..190).unwrap_or_default(), &source).map(|r| r.extent);
        let root = root_of(&primary)?;
        let wide = joliet.as_ref().map(root_of).transpose()?;
        let label = trimmed(primary.get(40..72).unwrap_or_default()).to_vec();
        let (names, folders) = (Names::Plain, HashSet::new());
        let mut iso = Self { source, names, root, other: None, skip: 0, label, folders, findings };
        if let Some(skip) = iso.rock_ridge()? {
            (iso.names, iso.skip) = (Names::RockRidge, skip);
            iso.other = wide.map(|root| (root, Names::Joliet));
        } else if let Some(wide) = wide {
            (iso.names, iso.root, iso.other) = (Names::Joliet, wide, Some((root, Names::Plain)));
            if let Some(sector) = &joliet {
                iso.label = trimmed(&utf16_name(sector.get(40..72).unwrap_or_default(), true)).to_vec();
            }
        }
        iso.compare_trees()?;
        Ok(iso)
    }

    /// Whether the root's first record announces Rock Ridge, and what it says to skip.
    fn rock_ridge(&self) -> Result<Option<usize>, Reason> {
        let first = self.records(self.root)?.into_iter().next().map(|record| record.system_use).unwrap_or_default();
        let announced = array_at(&first, 0) == *b"SP" && array_at(&first, 4) == *b"\xbe\xef";
        Ok(announced.then(|| usize::from(u8_at(&first, 6))))
    }

    /// All records of a folder, its own and its parent's among them.
    fn records(&self, (start, len): (u64, u64)) -> Result<Vec<Record>, Reason> {
        if len > FOLDER_BYTES {
            return Err(too_much("a folder of the disc is larger than 32 MiB"));
        }
        let bytes = self.source.bytes(start, len)?;
        let mut records = Vec::new();
        for sector in bytes.chunks(usize::try_from(SECTOR).unwrap_or(2048)) {
            let mut rest = sector;
            while let Some(len) = rest.first().map(|len| usize::from(*len)).filter(|len| *len > 0) {
                let raw = rest.get(..len).ok_or_else(|| damaged("a directory record crosses a sector"))?;
                records.push(record(raw, &self.source)?);
                rest = rest.get(len..).unwrap_or_default();
            }
        }
        Ok(records)
    }

    /// The extents of all files below `root`.
    fn extents(&self, root: (u64, u64)) -> Result<BTreeSet<(u64, u64)>, Reason> {
        let (mut found, mut seen, mut open) = (BTreeSet::new(), HashSet::from([root.0]), vec![root]);
        while let Some(folder) = open.pop() {
            for record in self.records(folder)?.into_iter().skip(2) {
                if record.flags & 2 == 0 {
                    // Links and empty files have no bytes that could differ.
                    found.extend((record.extent.1 > 0).then_some(record.extent));
                } else if seen.insert(record.extent.0) {
                    open.push(record.extent);
                }
            }
        }
        Ok(found)
    }

    fn compare_trees(&mut self) -> Result<(), Reason> {
        let Some((other, names)) = self.other else { return Ok(()) };
        let (here, there) = (self.extents(self.root)?, self.extents(other)?);
        let hidden = there.difference(&here).count();
        if hidden > 0 {
            let tree = if names == Names::Joliet { "Joliet" } else { "plain" };
            let text =
                format!("{hidden} files of the disc are in its {tree} tree only: readers may see different files");
            return Err(Reason::new(ReasonCode::Ambiguous, &text));
        }
        Ok(())
    }

    /// What Rock Ridge says of a record.
    fn rock(&self, record: &Record) -> Result<Rock, Reason> {
        let mut rock = Rock::default();
        let mut area = record.system_use.get(self.skip..).unwrap_or_default().to_vec();
        for _ in 0..CONTINUATIONS {
            let (mut rest, mut next) = (area.as_slice(), None);
            while rest.len() >= 4 {
                let len = usize::from(u8_at(rest, 2));
                let Some(raw) = rest.get(..len).filter(|raw| raw.len() >= 4) else { break };
                match &array_at(raw, 0) {
                    b"NM" if u8_at(raw, 4) & 0x06 == 0 => {
                        rock.name.get_or_insert_default().extend_from_slice(raw.get(5..).unwrap_or_default());
                    }
                    b"SL" => rock.kind = Some(Kind::Link),
                    b"PX" if rock.kind.is_none() => rock.kind = special(u32::from_le_bytes(array_at(raw, 4))),
                    b"CL" => {
                        rock.moved_to = Some(u64::from(u32::from_le_bytes(array_at(raw, 4))).saturating_mul(SECTOR))
                    }
                    b"RE" => rock.moved_here = true,
                    b"CE" => {
                        let number = |at| u64::from(u32::from_le_bytes(array_at(raw, at)));
                        next = Some((number(4).saturating_mul(SECTOR).saturating_add(number(12)), number(20)));
                    }
                    _ => {}
                }
                rest = rest.get(len..).unwrap_or_default();
            }
            let Some((at, len)) = next else { return Ok(rock) };
            area = self.source.bytes(at, len.min(SECTOR))?;
        }
        Err(damaged("an entry's extensions go in a circle"))
    }

    fn entry(&self, parts: &[Record]) -> Result<Option<Entry>, Reason> {
        let Some(record) = parts.first() else { return Ok(None) };
        let rock = if self.names == Names::RockRidge { self.rock(record)? } else { Rock::default() };
        if rock.moved_here {
            return Ok(None);
        }
        let name = match (rock.name, self.names) {
            (Some(name), _) => name,
            (None, Names::Joliet) => without_version(utf16_name(&record.name, true)),
            (None, Names::Plain | Names::RockRidge) => without_version(record.name.clone()),
        };
        let is_folder = record.flags & 2 != 0 || rock.moved_to.is_some();
        let mut entry = Entry::new(name, rock.kind.unwrap_or(if is_folder { Kind::Folder } else { Kind::File }));
        entry.hidden = record.flags & 1 != 0;
        if matches!(entry.kind, Kind::Link | Kind::Special) {
            entry.found.push(("USB-24", FindingAction::Blocked));
        }
        if parts.iter().any(|part| part.interleaved) {
            entry.kind =
                Kind::Refused(unsupported("a file whose bytes are interleaved with others', which is not read"));
        }
        if record.flags & ASSOCIATED != 0 {
            entry.kind = Kind::Refused(unsupported("a resource fork of another file"));
            entry.found.push(("USB-09", FindingAction::Removed));
        }
        if parts.len() > PIECES {
            entry.kind = Kind::Refused(unsupported("a file in more pieces than any disc needs"));
        }
        let mut extents: Vec<(u64, u64)> = parts.iter().map(|part| part.extent).collect();
        if let Some(at) = rock.moved_to {
            let own = self.source.bytes(at, 34)?;
            extents = vec![self::record(&own, &self.source)?.extent];
        }
        if entry.kind == Kind::File {
            entry.size = extents.iter().fold(0, |sum, (_, len)| sum.saturating_add(*len));
        }
        entry.place = (extents.len() <= PIECES).then_some(Place::Iso(extents));
        Ok(Some(entry))
    }
}

/// What Rock Ridge adds to a record.
#[derive(Default)]
struct Rock {
    name: Option<Vec<u8>>,
    kind: Option<Kind>,
    moved_to: Option<u64>,
    moved_here: bool,
}

/// The type bits of a POSIX mode, where they are not a file's or a folder's.
const fn special(mode: u32) -> Option<Kind> {
    match mode & 0o170_000 {
        0o120_000 => Some(Kind::Link),
        0o010_000 | 0o020_000 | 0o060_000 | 0o140_000 => Some(Kind::Special),
        _ => None,
    }
}

fn record(raw: &[u8], source: &Source) -> Result<Record, Reason> {
    let name_len = usize::from(u8_at(raw, 32));
    let after = name_len.saturating_add(33);
    if raw.len() < 34 || after > raw.len() {
        return Err(damaged("a directory record is too short"));
    }
    let number = |at| u64::from(u32::from_le_bytes(array_at(raw, at)));
    let attributes = u64::from(u8_at(raw, 1));
    let start = number(2).saturating_add(attributes).saturating_mul(SECTOR);
    let extent = (start, number(10));
    if extent.1 > 0 && start.checked_add(extent.1).is_none_or(|end| end > source.len()) {
        return Err(damaged("a file of the disc lies beyond its end"));
    }
    Ok(Record {
        name: raw.get(33..after).unwrap_or_default().to_vec(),
        flags: u8_at(raw, 25),
        extent,
        interleaved: u8_at(raw, 26) != 0 || u8_at(raw, 27) != 0,
        // One byte of padding where the name's length is even.
        system_use: raw.get(after.saturating_add(usize::from(name_len % 2 == 0))..).unwrap_or_default().to_vec(),
    })
}

/// `NAME.EXT;1` is `NAME.EXT`, and `NAME.;1` is `NAME`.
fn without_version(name: Vec<u8>) -> Vec<u8> {
    let at = name.iter().rposition(|byte| *byte == b';');
    let version = at.and_then(|at| name.get(at.saturating_add(1)..)).unwrap_or_default();
    let cut = at.filter(|_| !version.is_empty() && version.iter().all(u8::is_ascii_digit));
    let mut name = match cut {
        Some(at) => name.get(..at).unwrap_or_default().to_vec(),
        None => name,
    };
    if cut.is_some() && name.last() == Some(&b'.') {
        name.pop();
    }
    name
}

impl FileSystem for Iso {
    fn root(&self) -> Place {
        Place::Iso(vec![self.root])
    }

    fn list(&mut self, place: &Place, folder: &mut Folder) -> Result<(), Reason> {
        let Place::Iso(extents) = place else { return Err(damaged("a place of another file system")) };
        let [extent] = extents.as_slice() else { return Err(damaged("a folder in several pieces")) };
        if !self.folders.insert(extent.0) {
            return Err(damaged("a folder is in two places, or within itself"));
        }
        let mut parts: Vec<Record> = Vec::new();
        // The first two records are the folder itself and its parent.
        for record in self.records(*extent)?.into_iter().skip(2) {
            let more = record.flags & MORE != 0;
            parts.push(record);
            if !more {
                if let Some(entry) = self.entry(&parts)? {
                    folder.push(entry)?;
                }
                parts.clear();
            }
        }
        if parts.is_empty() { Ok(()) } else { Err(damaged("a file of several extents has no last one")) }
    }

    fn stream(&mut self, place: &Place, _size: u64, sink: Sink<'_>) -> Result<(), Reason> {
        let Place::Iso(extents) = place else { return Err(damaged("a place of another file system")) };
        stream(&self.source, extents, sink)
    }

    fn notes(&mut self) -> Notes {
        let findings = std::mem::take(&mut self.findings);
        Notes { label: self.label.clone(), free: None, deleted: 0, findings }
    }

    fn folds_case(&self) -> bool {
        self.names != Names::RockRidge
    }
}
