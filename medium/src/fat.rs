//! FAT12, FAT16 and FAT32, after Microsoft's "FAT32 File System Specification" 1.03 and ECMA-107.
//!
//! Our own reader, since its findings (USB-21, USB-22) are about what other readers pass over in silence: clusters that two
//! files share, chains that go in circles, tables that differ, long names that belong to nobody.

use crate::bytes::{array_at, from_utf16, trimmed, u8_at, u16_at, u32_at};
use crate::clusters::{Clusters, append};
use crate::listing::{Kind, Place, System};
use crate::source::{Sink, Source, damaged, stream, too_much};
use crate::system::{Entry, FileSystem, Folder, Notes};
use model::{FindingAction, Findings, Reason, ReasonCode};

/// Bytes of a directory entry.
const ENTRY: usize = 32;
/// The specification's bound of a folder's size.
const FOLDER_BYTES: u64 = 65_536 * 32;
/// Ours: up to this many clusters the free ones are counted; a card of 256 GiB in clusters of 32 KiB has half as many.
const COUNTED: u32 = 1 << 24;
/// The place of a root folder that lies before the clusters (FAT12, FAT16).
const FIXED_ROOT: u32 = 1;

const HIDDEN: u8 = 0x02;
const SYSTEM: u8 = 0x04;
const LABEL: u8 = 0x08;
const FOLDER: u8 = 0x10;
/// The four low attributes together: a piece of a long name.
const LONG_NAME: u8 = 0x0f;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    Twelve,
    Sixteen,
    ThirtyTwo,
}

/// What a table says of a cluster.
enum Next {
    Cluster(u32),
    End,
    Free,
    Bad,
}

pub(crate) struct Fat {
    source: Source,
    width: Width,
    table: u64,
    table_bytes: u64,
    cluster_bytes: u64,
    /// First byte of cluster 2.
    data: u64,
    count: u32,
    root: u32,
    fixed_root: (u64, u64),
    clusters: Clusters,
    label: Vec<u8>,
    findings: Findings,
}

impl Fat {
    pub(crate) fn open(source: Source) -> Result<Self, Reason> {
        let boot = source.array::<512>(0)?;
        let wide = |at: usize| u64::from(u16_at(&boot, at));
        let or_long = |short: u64, long: u32| if short == 0 { u64::from(long) } else { short };
        let (sector, reserved, tables) = (wide(11), wide(14), u64::from(u8_at(&boot, 16)));
        let cluster_bytes = sector.saturating_mul(u64::from(u8_at(&boot, 13)));
        let table_sectors = or_long(wide(22), u32_at(&boot, 36));
        let total = or_long(wide(19), u32_at(&boot, 32));
        let size = total.saturating_mul(sector);
        if size > source.len() {
            return Err(damaged("the volume says that it is larger than the room it has (USB-15)"));
        }
        let (table, table_bytes) = (reserved.saturating_mul(sector), table_sectors.saturating_mul(sector));
        let root_at = table.saturating_add(table_bytes.saturating_mul(tables));
        let root_bytes = wide(17).saturating_mul(ENTRY as u64).next_multiple_of(sector.max(1));
        let data = root_at.saturating_add(root_bytes);
        let room = size.checked_sub(data).filter(|_| cluster_bytes > 0 && table_bytes > 0);
        let room = room.ok_or_else(|| damaged("its tables fill more than the volume"))?;
        let count = u32::try_from(room.checked_div(cluster_bytes).unwrap_or(0));
        let count = count.map_err(|_| damaged("more clusters than FAT can count"))?;
        let width = match count {
            0..4085 => Width::Twelve,
            4085..65_525 => Width::Sixteen,
            _ => Width::ThirtyTwo,
        };
        if (width == Width::ThirtyTwo) != (u16_at(&boot, 22) == 0) {
            return Err(damaged("the number of clusters and the kind of FAT disagree"));
        }
        let entries = u64::from(count).saturating_add(2);
        let needed = match width {
            Width::Twelve => entries.saturating_mul(3).div_ceil(2),
            Width::Sixteen => entries.saturating_mul(2),
            Width::ThirtyTwo => entries.saturating_mul(4),
        };
        if needed > table_bytes {
            return Err(damaged("the allocation table is shorter than the volume"));
        }
        let fat32 = width == Width::ThirtyTwo;
        if fat32 && u16_at(&boot, 40) & 0x80 != 0 && tables > 1 {
            return Err(Reason::new(
                ReasonCode::Ambiguous,
                "the volume calls one of its two allocation tables invalid: readers may differ in which they follow",
            ));
        }
        let mut fat = Self {
            width,
            table,
            table_bytes,
            cluster_bytes,
            data,
            count,
            root: if fat32 { u32_at(&boot, 44) } else { FIXED_ROOT },
            fixed_root: (root_at, root_bytes),
            clusters: Clusters::new(count)?,
            label: trimmed(&array_at::<11>(&boot, if fat32 { 71 } else { 43 })).to_vec(),
            findings: Findings::new(),
            source: source.part(0, size)?,
        };
        if fat.label == b"NO NAME" {
            fat.label.clear();
        }
        if tables > 1 {
            fat.compare_tables()?;
        }
        let code = boot.get(if fat32 { 90 } else { 62 }..510).unwrap_or_default();
        if code.iter().any(|byte| *byte != 0) {
            fat.findings.add("USB-13", FindingAction::Removed, "boot sector of the volume");
        }
        Ok(fat)
    }

    /// The two tables, but for the first two entries, which hold flags that one system sets in one table only (USB-21).
    fn compare_tables(&self) -> Result<(), Reason> {
        const PIECE: u64 = 128 << 10;
        let second = self.table.saturating_add(self.table_bytes);
        let mut at = match self.width {
            Width::Twelve => 3,
            Width::Sixteen => 4,
            Width::ThirtyTwo => 8,
        };
        while at < self.table_bytes {
            let len = PIECE.min(self.table_bytes.saturating_sub(at));
            let one = self.source.bytes(self.table.saturating_add(at), len)?;
            if one != self.source.bytes(second.saturating_add(at), len)? {
                return Err(Reason::new(
                    ReasonCode::Ambiguous,
                    "the volume's two allocation tables differ: readers may see different files; repair the stick first",
                ));
            }
            at = at.saturating_add(len);
        }
        Ok(())
    }

    fn next(&self, cluster: u32) -> Result<Next, Reason> {
        let index = u64::from(cluster);
        let (raw, end) = match self.width {
            Width::Twelve => {
                let at = self.table.saturating_add(index.saturating_add(index / 2));
                let pair = u32::from(u16::from_le_bytes(self.source.array(at)?));
                (if cluster & 1 == 0 { pair & 0xfff } else { pair >> 4 }, 0xff8)
            }
            Width::Sixteen => {
                let at = self.table.saturating_add(index.saturating_mul(2));
                (u32::from(u16::from_le_bytes(self.source.array(at)?)), 0xfff8)
            }
            Width::ThirtyTwo => {
                let at = self.table.saturating_add(index.saturating_mul(4));
                (u32::from_le_bytes(self.source.array(at)?) & 0x0fff_ffff, 0x0fff_fff8)
            }
        };
        Ok(match raw {
            0 => Next::Free,
            raw if raw >= end => Next::End,
            raw if raw.saturating_add(1) == end => Next::Bad,
            raw => Next::Cluster(raw),
        })
    }

    /// The byte ranges of the chain that begins at `first`: of exactly `size` bytes, or of a folder to the chain's end.
    fn ranges(&mut self, first: u32, size: Option<u64>, mark: bool) -> Result<Vec<(u64, u64)>, Reason> {
        let most = match size {
            Some(size) => size.div_ceil(self.cluster_bytes.max(1)),
            None => FOLDER_BYTES.div_ceil(self.cluster_bytes.max(1)),
        };
        if most > u64::from(self.count) && size.is_some() {
            return Err(damaged("a file says that it is larger than the volume"));
        }
        let (mut ranges, mut cluster) = (Vec::new(), first);
        for index in 0..most {
            if !self.clusters.has(cluster) {
                return Err(damaged("a chain of clusters leaves the volume"));
            }
            if mark {
                self.clusters.meet(cluster)?;
            }
            let at = u64::from(cluster.saturating_sub(2)).saturating_mul(self.cluster_bytes);
            append(&mut ranges, self.data.saturating_add(at), self.cluster_bytes);
            let last = index.saturating_add(1) == most;
            cluster = match self.next(cluster)? {
                Next::Cluster(next) => next,
                Next::End if size.is_none() || last => return Ok(clipped(ranges, size)),
                Next::End => return Err(damaged("a chain of clusters ends before its file does")),
                Next::Free => return Err(damaged("a chain of clusters goes through free ones")),
                Next::Bad => return Err(damaged("a chain of clusters goes through one that is marked bad")),
            };
        }
        match size {
            // More clusters than the size needs is what programs leave that reserve room.
            Some(_) => Ok(clipped(ranges, size)),
            None => Err(too_much("a folder is larger than FAT allows, or its chain goes in a circle")),
        }
    }

    fn folder_ranges(&mut self, first: u32) -> Result<Vec<(u64, u64)>, Reason> {
        match first {
            FIXED_ROOT => Ok(vec![self.fixed_root]),
            0 => Err(damaged("a folder has no clusters")),
            first => self.ranges(first, None, true),
        }
    }

    fn count_free(&self) -> Result<Option<u64>, Reason> {
        if self.count > COUNTED {
            return Ok(None);
        }
        let mut free = 0_u64;
        for cluster in 2..self.count.saturating_add(2) {
            if matches!(self.next(cluster)?, Next::Free | Next::Bad) {
                free = free.saturating_add(self.cluster_bytes);
            }
        }
        Ok(Some(free))
    }

    /// One short entry, with the long name that stood before it.
    fn entry(&mut self, raw: &[u8], long: &LongName, at_root: bool) -> Option<Entry> {
        let attributes = u8_at(raw, 11);
        let first = u32::from(u16_at(raw, 20)) << 16 | u32::from(u16_at(raw, 26));
        let first = if self.width == Width::ThirtyTwo { first } else { first & 0xffff };
        let size = u64::from(u32_at(raw, 28));
        if attributes & LABEL != 0 {
            if at_root {
                self.label = trimmed(raw.get(..11).unwrap_or_default()).to_vec();
            }
            if first != 0 || size != 0 || !at_root {
                self.findings.add("USB-22", FindingAction::Removed, "a label that has clusters, or is none");
            }
            return None;
        }
        let short = short_name(raw);
        if short == b"." || short == b".." {
            return None;
        }
        let kind = if attributes & FOLDER != 0 { Kind::Folder } else { Kind::File };
        let mut entry = Entry::new(long.of(raw).unwrap_or(short), kind);
        if long.is_orphan(raw) {
            entry.found.push(("USB-21", FindingAction::Neutralised));
        }
        entry.hidden = attributes & HIDDEN != 0;
        entry.system = attributes & SYSTEM != 0;
        entry.place = Some(Place::Fat(first));
        if entry.kind == Kind::File {
            entry.size = size;
            if size > 0
                && let Err(reason) = self.ranges(first, Some(size), true)
            {
                entry.kind = Kind::Refused(reason);
                entry.found.push(("USB-21", FindingAction::Blocked));
            }
        }
        Some(entry)
    }
}

impl FileSystem for Fat {
    fn root(&self) -> Place {
        Place::Fat(self.root)
    }

    fn list(&mut self, place: &Place, folder: &mut Folder) -> Result<(), Reason> {
        let Place::Fat(first) = *place else { return Err(damaged("a place of another file system")) };
        let at_root = first == self.root;
        let mut long = LongName::default();
        for (start, len) in self.folder_ranges(first)? {
            let bytes = self.source.bytes(start, len)?;
            for raw in bytes.as_chunks::<ENTRY>().0 {
                match u8_at(raw, 0) {
                    0 => return Ok(()),
                    0xe5 => {
                        folder.deleted = folder.deleted.saturating_add(u64::from(u8_at(raw, 11) != LONG_NAME));
                        long = LongName::default();
                    }
                    _ if u8_at(raw, 11) & 0x3f == LONG_NAME => long.take(raw),
                    _ => {
                        if let Some(entry) = self.entry(raw, &long, at_root) {
                            folder.push(entry)?;
                        }
                        long = LongName::default();
                    }
                }
            }
        }
        Ok(())
    }

    fn stream(&mut self, place: &Place, size: u64, sink: Sink<'_>) -> Result<(), Reason> {
        let Place::Fat(first) = *place else { return Err(damaged("a place of another file system")) };
        if size == 0 {
            return Ok(());
        }
        let ranges = self.ranges(first, Some(size), true)?;
        stream(&self.source, &ranges, sink)
    }

    fn notes(&mut self) -> Notes {
        let free = self.count_free().unwrap_or(None);
        Notes { label: self.label.clone(), free, deleted: 0, findings: std::mem::take(&mut self.findings) }
    }

    fn precisely(&self, _recognised: System) -> System {
        match self.width {
            Width::Twelve => System::Fat12,
            Width::Sixteen => System::Fat16,
            Width::ThirtyTwo => System::Fat32,
        }
    }

    fn afterthought(&mut self, place: &Place, size: u64) -> Option<Reason> {
        let Place::Fat(first) = *place else { return None };
        if !self.clusters.crossed() || size == 0 {
            return None;
        }
        let ranges = match self.ranges(first, Some(size), false) {
            Ok(ranges) => ranges,
            Err(reason) => return Some(reason),
        };
        let clusters = ranges.iter().flat_map(|(start, len)| {
            let first = start.saturating_sub(self.data).checked_div(self.cluster_bytes).unwrap_or(0).saturating_add(2);
            let count = len.div_ceil(self.cluster_bytes.max(1));
            (first..first.saturating_add(count)).map(|cluster| u32::try_from(cluster).unwrap_or(0))
        });
        let mut clusters = clusters;
        clusters.any(|cluster| self.clusters.shared(cluster)).then(|| damaged("something else uses its clusters too"))
    }
}

/// Ranges without what is beyond `size`.
fn clipped(mut ranges: Vec<(u64, u64)>, size: Option<u64>) -> Vec<(u64, u64)> {
    let Some(size) = size else { return ranges };
    let total = ranges.iter().fold(0_u64, |sum, (_, len)| sum.saturating_add(*len));
    if let Some((_, len)) = ranges.last_mut() {
        *len = len.saturating_sub(total.saturating_sub(size));
    }
    ranges
}

/// A name of eight and three, in the case that Windows NT's flags ask for. Bytes beyond ASCII stay as they are: which code
/// page they mean stands nowhere.
fn short_name(raw: &[u8]) -> Vec<u8> {
    let lower = |bytes: &[u8], flag: u8| {
        let lower = u8_at(raw, 12) & flag != 0;
        bytes.iter().map(|b| if lower { b.to_ascii_lowercase() } else { *b }).collect::<Vec<u8>>()
    };
    let mut name = lower(trimmed(raw.get(..8).unwrap_or_default()), 0x08);
    if let Some(first) = name.first_mut().filter(|first| **first == 0x05) {
        *first = 0xe5;
    }
    let extension = lower(trimmed(raw.get(8..11).unwrap_or_default()), 0x10);
    if !extension.is_empty() {
        name.push(b'.');
        name.extend(extension);
    }
    name
}

/// The pieces of a long name, as they come: the last one first.
#[derive(Default)]
struct LongName {
    units: Vec<[u16; 13]>,
    checksum: u8,
    /// The number that the next piece must have; 0 where the name is whole.
    awaited: u8,
    broken: bool,
}

impl LongName {
    fn take(&mut self, raw: &[u8]) {
        let (order, checksum) = (u8_at(raw, 0), u8_at(raw, 13));
        let number = order & 0x3f;
        if order & 0x40 != 0 {
            *self = Self { checksum, awaited: number, ..Self::default() };
        }
        if number == 0 || number > 20 || number != self.awaited || checksum != self.checksum {
            self.broken = true;
            return;
        }
        let mut units = [0; 13];
        let places = (1..11).step_by(2).chain((14..26).step_by(2)).chain((28..32).step_by(2));
        for (unit, at) in units.iter_mut().zip(places) {
            *unit = u16_at(raw, at);
        }
        self.units.push(units);
        self.awaited = number.saturating_sub(1);
    }

    fn fits(&self, raw: &[u8]) -> bool {
        let sum = raw.iter().take(11).fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
        !self.broken && self.awaited == 0 && !self.units.is_empty() && sum == self.checksum
    }

    fn of(&self, raw: &[u8]) -> Option<Vec<u8>> {
        let units = self.units.iter().rev().flatten().copied().take_while(|unit| *unit != 0);
        self.fits(raw).then(|| from_utf16(units)).filter(|name| !name.is_empty())
    }

    /// A long name that belongs to another entry, or to none: some readers show it, others do not.
    fn is_orphan(&self, raw: &[u8]) -> bool {
        (self.broken || !self.units.is_empty()) && !self.fits(raw)
    }
}
