//! Partition tables: none, master boot record with extended partitions, GUID partition table (UEFI 2.10, chapter 5).
//!
//! Our own reader: its findings (USB-06) are about tables that overlap, disagree or hide, which others repair or skip.

use crate::bytes::{array_at, u8_at, u32_at, u64_at, utf16_name};
use crate::listing::Table;
use crate::source::{Source, damaged, too_much, unsupported};
use crate::system::fat_system;
use model::{FindingAction, Findings, Reason, ReasonCode};

/// A master boot record counts in these; a GPT in what its medium has.
const SECTOR: u64 = 512;
/// Ours: more partitions than any stick has, and a bound for chains that go in circles.
const MOST: usize = 64;

/// One partition.
pub(crate) struct Partition {
    pub start: u64,
    pub len: u64,
    pub kind: String,
    /// Why it is not read, whatever is in it.
    pub refused: Option<Reason>,
}

/// How a medium is divided.
pub(crate) struct Division {
    pub table: Table,
    pub partitions: Vec<Partition>,
    /// Bytes that no partition covers.
    pub outside: u64,
    /// Why nothing of the medium is read.
    pub refused: Option<Reason>,
}

fn ambiguous(what: &str) -> Reason {
    Reason::new(ReasonCode::Ambiguous, &format!("the partitions are not what any reader would agree on: {what}"))
}

/// Reads how the medium is divided.
pub(crate) fn divide(source: &Source, findings: &mut Findings) -> Result<Division, Reason> {
    let whole = |refused| Division {
        table: Table::None,
        partitions: vec![Partition { start: 0, len: source.len(), kind: "the whole medium".into(), refused: None }],
        outside: 0,
        refused,
    };
    if source.len() < SECTOR {
        return Err(unsupported("a medium of less than one sector"));
    }
    let first = source.array::<512>(0)?;
    let entries = primary_entries(&first, source.len());
    let volume = fat_system(&first) || matches!(&array_at(&first, 3), b"EXFAT   " | b"NTFS    ");
    let disc = source.array::<6>(32_768).is_ok_and(|mark| mark == *b"\x01CD001");
    let Some(entries) = entries else {
        if hidden_table(source)? {
            findings.add("USB-06", FindingAction::Blocked, "partition table");
            return Ok(whole(Some(ambiguous("there is a GPT, and no master boot record that announces it"))));
        }
        return Ok(whole(None));
    };
    if volume || disc {
        findings.add("USB-06", FindingAction::Blocked, "first sector");
        return Ok(whole(Some(ambiguous("the medium is one volume and has a partition table too"))));
    }
    if first.get(..440).unwrap_or_default().iter().any(|byte| *byte != 0) {
        findings.add("USB-13", FindingAction::Removed, "master boot record");
    }
    let mut division = if entries.iter().any(|entry| entry.kind == 0xee) {
        guid_table(source, &entries, findings)?
    } else {
        boot_record(source, &entries)?
    };
    if division.partitions.is_empty() {
        return Err(unsupported("a partition table without partitions"));
    }
    division.partitions.sort_by_key(|partition| partition.start);
    judge(&mut division, source.len(), findings);
    Ok(division)
}

/// What holds for either table: nothing overlaps, nothing reaches beyond.
fn judge(division: &mut Division, size: u64, findings: &mut Findings) {
    let mut reached = 0_u64;
    for partition in &mut division.partitions {
        let end = partition.start.checked_add(partition.len).filter(|end| *end <= size);
        if end.is_none() {
            findings.add("USB-06", FindingAction::Blocked, "partition table");
            partition.refused = Some(damaged("a partition reaches beyond the end of the medium"));
            partition.len = size.saturating_sub(partition.start);
        } else if partition.start < reached {
            findings.add("USB-06", FindingAction::Blocked, "partition table");
            division.refused = Some(ambiguous("two of them overlap"));
        }
        division.outside = division.outside.saturating_add(partition.start.saturating_sub(reached));
        reached = reached.max(end.unwrap_or(size));
        if partition.refused.is_some() {
            findings.add("USB-06", FindingAction::Blocked, &partition.kind);
        }
    }
    division.outside = division.outside.saturating_add(size.saturating_sub(reached));
}

/// An entry of a master boot record, in sectors.
struct Entry {
    kind: u8,
    start: u64,
    len: u64,
}

/// The four entries in use, if this is a table at all: a signature, and entries that could be meant as such.
fn primary_entries(sector: &[u8; 512], size: u64) -> Option<Vec<Entry>> {
    if array_at(sector, 510) != [0x55, 0xaa] {
        return None;
    }
    let mut found = Vec::new();
    for raw in sector.get(446..510)?.as_chunks::<16>().0 {
        let entry = Entry { kind: u8_at(raw, 4), start: u32_at(raw, 8).into(), len: u32_at(raw, 12).into() };
        if entry.kind == 0 && entry.len == 0 {
            continue;
        }
        let sound = matches!(u8_at(raw, 0), 0 | 0x80) && entry.kind != 0 && entry.len > 0 && entry.start > 0;
        if !sound || entry.start.saturating_mul(SECTOR) >= size {
            return None;
        }
        found.push(entry);
    }
    (!found.is_empty()).then_some(found)
}

const fn is_extended(kind: u8) -> bool {
    matches!(kind, 0x05 | 0x0f | 0x85)
}

fn boot_record(source: &Source, entries: &[Entry]) -> Result<Division, Reason> {
    let mut partitions = Vec::new();
    let mut extended = None;
    for entry in entries {
        if !is_extended(entry.kind) {
            partitions.push(partition(entry, 0));
        } else if extended.replace(entry.start).is_some() {
            return Err(ambiguous("there are two extended ones"));
        }
    }
    if let Some(base) = extended {
        logical(source, base, &mut partitions)?;
    }
    Ok(Division { table: Table::Mbr, partitions, outside: 0, refused: None })
}

/// The chain of logical partitions.
fn logical(source: &Source, base: u64, partitions: &mut Vec<Partition>) -> Result<(), Reason> {
    let mut at = base;
    for _ in 0..MOST {
        let sector = source.array::<512>(at.saturating_mul(SECTOR))?;
        if array_at(&sector, 510) != [0x55, 0xaa] {
            return Err(damaged("the chain of logical partitions breaks off"));
        }
        let raw = |number: usize| sector.get(number.saturating_mul(16).saturating_add(446)..).unwrap_or_default();
        let entry =
            |raw: &[u8]| Entry { kind: u8_at(raw, 4), start: u32_at(raw, 8).into(), len: u32_at(raw, 12).into() };
        let (own, next) = (entry(raw(0)), entry(raw(1)));
        if own.kind != 0 && own.len > 0 {
            partitions.push(partition(&own, at));
        }
        if next.kind == 0 || next.len == 0 {
            return Ok(());
        }
        let further = base.saturating_add(next.start);
        if !is_extended(next.kind) || further <= at {
            return Err(ambiguous("the chain of logical partitions goes back, or to what is none"));
        }
        at = further;
    }
    Err(too_much("more than 64 logical partitions"))
}

fn partition(entry: &Entry, base: u64) -> Partition {
    /// Types that hide a volume from some systems, or belong to firmware and recovery.
    const HIDDEN: [u8; 14] = [0x11, 0x12, 0x14, 0x16, 0x17, 0x1b, 0x1c, 0x1e, 0x27, 0x84, 0xdb, 0xde, 0xef, 0xfe];
    let hidden = HIDDEN.contains(&entry.kind);
    let text = "a hidden, system or recovery partition, which is not read; files of people belong elsewhere";
    Partition {
        start: base.saturating_add(entry.start).saturating_mul(SECTOR),
        len: entry.len.saturating_mul(SECTOR),
        kind: format!("type {:#04x}", entry.kind),
        refused: hidden.then(|| unsupported(text)),
    }
}

/// A GPT without the record that protects it.
fn hidden_table(source: &Source) -> Result<bool, Reason> {
    let at = |at: u64| source.array::<8>(at).is_ok_and(|mark| mark == *b"EFI PART");
    Ok(source.len() >= 8192 && (at(512) || at(4096)))
}

fn guid_table(source: &Source, entries: &[Entry], findings: &mut Findings) -> Result<Division, Reason> {
    let mut division = Division { table: Table::Gpt, partitions: Vec::new(), outside: 0, refused: None };
    if entries.len() != 1 {
        findings.add("USB-06", FindingAction::Blocked, "master boot record");
        division.refused = Some(ambiguous("a GPT, and a master boot record that says otherwise (hybrid)"));
    }
    let sector = [512, 4096].into_iter().find(|at| source.array::<8>(*at).is_ok_and(|mark| mark == *b"EFI PART"));
    let sector = sector.ok_or_else(|| damaged("a master boot record announces a GPT, and there is none"))?;
    let header = header(source, sector, sector)?;
    let last = source.len().checked_div(sector).and_then(|count| count.checked_sub(1)).unwrap_or(0);
    let backup = self::header(source, last.saturating_mul(sector), sector);
    if !backup.is_ok_and(|backup| backup.list_sum == header.list_sum) {
        findings.add("USB-06", FindingAction::Neutralised, "the GPT's copy is missing or differs");
    }
    for raw in header.list.chunks_exact(header.entry) {
        if raw.iter().take(16).all(|byte| *byte == 0) {
            continue;
        }
        if division.partitions.len() >= MOST {
            return Err(too_much("more than 64 partitions"));
        }
        division.partitions.push(guid_partition(raw, sector)?);
    }
    Ok(division)
}

struct Header {
    list: Vec<u8>,
    list_sum: u32,
    entry: usize,
}

fn header(source: &Source, at: u64, sector: u64) -> Result<Header, Reason> {
    let mut raw = source.array::<92>(at)?;
    if array_at(&raw, 0) != *b"EFI PART" || u32_at(&raw, 12) != 92 {
        return Err(damaged("the GPT's header is not one"));
    }
    let sum = u32_at(&raw, 16);
    raw.iter_mut().skip(16).take(4).for_each(|byte| *byte = 0);
    let (count, entry, list_sum) = (u32_at(&raw, 80), u32_at(&raw, 84), u32_at(&raw, 88));
    if crc32fast::hash(&raw) != sum || u64_at(&raw, 24).saturating_mul(sector) != at {
        return Err(damaged("the GPT's header has a wrong checksum or lies in a wrong place"));
    }
    if !matches!(entry, 128 | 256 | 512) || count > 1024 {
        return Err(damaged("the GPT's list has an impossible size"));
    }
    let list = source.bytes(u64_at(&raw, 72).saturating_mul(sector), u64::from(count).saturating_mul(entry.into()))?;
    if crc32fast::hash(&list) != list_sum {
        return Err(damaged("the GPT's list has a wrong checksum"));
    }
    Ok(Header { list, list_sum, entry: usize::try_from(entry).unwrap_or(128) })
}

fn guid_partition(raw: &[u8], sector: u64) -> Result<Partition, Reason> {
    const EFI: [u8; 16] = *b"\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b";
    const RESERVED: [u8; 16] = *b"\x16\xe3\xc9\xe3\x5c\x0b\xb8\x4d\x81\x7d\xf9\x2d\xf0\x02\x15\xae";
    const RECOVERY: [u8; 16] = *b"\xa4\xbb\x94\xde\xd1\x06\x40\x4d\xa1\x6a\xbf\xd5\x01\x79\xd6\xac";
    let (first, last) = (u64_at(raw, 32), u64_at(raw, 40));
    let count = last.checked_sub(first).and_then(|count| count.checked_add(1));
    let count = count.ok_or_else(|| damaged("a partition ends before it begins"))?;
    let kind: [u8; 16] = array_at(raw, 0);
    // Bit 62: hidden.
    let hidden = u64_at(raw, 48) >> 62 & 1 == 1 || [EFI, RESERVED, RECOVERY].contains(&kind);
    let name = utf16_name(raw.get(56..128).unwrap_or_default(), false);
    let text = "a hidden, system or recovery partition, which is not read; files of people belong elsewhere";
    Ok(Partition {
        start: first.saturating_mul(sector),
        len: count.saturating_mul(sector),
        kind: String::from_utf8_lossy(&name).chars().filter(|c| !c.is_control()).take(36).collect(),
        refused: hidden.then(|| unsupported(text)),
    })
}
