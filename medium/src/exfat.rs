//! exFAT, after Microsoft's "exFAT file system specification" 1.00.

use crate::bytes::{array_at, u8_at, u16_at, u32_at, u64_at, utf16_name};
use crate::clusters::{Clusters, append};
use crate::listing::{Kind, Place};
use crate::source::{Sink, Source, damaged, stream, too_much};
use crate::system::{Entry, FileSystem, Folder, Notes};
use model::{FindingAction, Findings, Reason};

const ENTRY: usize = 32;
/// The specification's bound of a folder: 256 MiB.
const FOLDER_BYTES: u64 = 256 << 20;
/// Ours: a bitmap of free clusters up to this size is counted.
const BITMAP_BYTES: u64 = 32 << 20;
/// Most secondary entries of a set.
const SECONDARY: usize = 18;

const BITMAP: u8 = 0x81;
const LABEL: u8 = 0x83;
const FILE: u8 = 0x85;
const STREAM: u8 = 0xc0;
const NAME: u8 = 0xc1;
/// A type without this bit is not in use.
const IN_USE: u8 = 0x80;
/// Flag of a stream: its clusters follow each other, and the table says nothing of them.
const IN_ONE_PIECE: u8 = 0x02;

pub(crate) struct ExFat {
    source: Source,
    table: u64,
    cluster_bytes: u64,
    heap: u64,
    count: u32,
    root: u32,
    clusters: Clusters,
    label: Vec<u8>,
    bitmap: Option<(u32, u64)>,
    findings: Findings,
}

impl ExFat {
    pub(crate) fn open(source: Source) -> Result<Self, Reason> {
        let boot = source.array::<512>(0)?;
        let (sector_shift, cluster_shift) = (u32::from(u8_at(&boot, 108)), u32::from(u8_at(&boot, 109)));
        if !(9..=12).contains(&sector_shift) || sector_shift.saturating_add(cluster_shift) > 25 {
            return Err(damaged("impossible sizes of sectors or clusters"));
        }
        let in_bytes = |sectors: u64| sectors.checked_mul(1 << sector_shift);
        let sized = |sectors: u64| in_bytes(sectors).ok_or_else(|| damaged("sizes beyond any medium"));
        checked(&source, 1 << sector_shift)?;
        let size = sized(u64_at(&boot, 72))?;
        if size > source.len() {
            return Err(damaged("the volume says that it is larger than the room it has (USB-15)"));
        }
        let (table, table_bytes) = (sized(u32_at(&boot, 80).into())?, sized(u32_at(&boot, 84).into())?);
        let (heap, count) = (sized(u32_at(&boot, 88).into())?, u32_at(&boot, 92));
        let cluster_bytes = 1_u64 << sector_shift.saturating_add(cluster_shift);
        let end = u64::from(count).saturating_mul(cluster_bytes).saturating_add(heap);
        let table_need = u64::from(count).saturating_add(2).saturating_mul(4);
        if end > size || table_need > table_bytes || table.saturating_add(table_bytes) > heap {
            return Err(damaged("its tables and its clusters do not fit the volume"));
        }
        if u8_at(&boot, 110) != 1 {
            return Err(damaged("more than one allocation table, which removable media do not have"));
        }
        let mut findings = Findings::new();
        if boot.get(120..510).unwrap_or_default().iter().any(|byte| !matches!(byte, 0 | 0xf4)) {
            findings.add("USB-13", FindingAction::Removed, "boot sector of the volume");
        }
        let root = u32_at(&boot, 96);
        let (clusters, source) = (Clusters::new(count)?, source.part(0, size)?);
        let (label, bitmap) = (Vec::new(), None);
        Ok(Self { source, table, cluster_bytes, heap, count, root, clusters, label, bitmap, findings })
    }

    fn at(&self, cluster: u32) -> u64 {
        u64::from(cluster.saturating_sub(2)).saturating_mul(self.cluster_bytes).saturating_add(self.heap)
    }

    /// The byte ranges of `size` bytes from the cluster `first` on; without a size, to the chain's end.
    fn ranges(&mut self, first: u32, whole: bool, size: Option<u64>, mark: bool) -> Result<Vec<(u64, u64)>, Reason> {
        let most = size.unwrap_or(FOLDER_BYTES).div_ceil(self.cluster_bytes.max(1));
        if most > u64::from(self.count) && size.is_some() {
            return Err(damaged("a file says that it is larger than the volume"));
        }
        let (mut ranges, mut cluster, mut left) = (Vec::new(), first, size.unwrap_or(u64::MAX));
        for index in 0..most {
            if !self.clusters.has(cluster) {
                return Err(damaged("a chain of clusters leaves the volume"));
            }
            if mark {
                self.clusters.meet(cluster)?;
            }
            append(&mut ranges, self.at(cluster), left.min(self.cluster_bytes));
            left = left.saturating_sub(self.cluster_bytes);
            if index.saturating_add(1) == most && size.is_some() {
                return Ok(ranges);
            }
            cluster = if whole {
                cluster.saturating_add(1)
            } else {
                let at = self.table.saturating_add(u64::from(cluster).saturating_mul(4));
                match u32::from_le_bytes(self.source.array(at)?) {
                    u32::MAX if size.is_none() => return Ok(ranges),
                    u32::MAX => return Err(damaged("a chain of clusters ends before its file does")),
                    next => next,
                }
            };
        }
        if size.is_some() {
            Ok(ranges)
        } else {
            Err(too_much("a folder is larger than exFAT allows, or goes in a circle"))
        }
    }

    /// The set that a file's entry begins.
    fn entry(&mut self, set: &[[u8; ENTRY]]) -> Entry {
        let (head, rest) = (set.first().copied().unwrap_or([0; ENTRY]), set.get(1..).unwrap_or_default());
        let names = rest.get(1..).unwrap_or_default().iter();
        let units: Vec<u8> = names.filter(|e| u8_at(*e, 0) == NAME).flat_map(|e| array_at::<30>(e, 2)).collect();
        let stream = rest.first().copied().unwrap_or([0; ENTRY]);
        let long = usize::from(u8_at(&stream, 3)).saturating_mul(2);
        let name = utf16_name(units.get(..long.min(units.len())).unwrap_or_default(), false);
        if u8_at(&stream, 0) != STREAM || set_sum(set) != u16_at(&head, 2) || long > units.len() || name.is_empty() {
            return refused(name, damaged("an entry's set is incomplete or its checksum is wrong"));
        }
        let attributes = u16_at(&head, 4);
        let (valid, first, size) = (u64_at(&stream, 8), u32_at(&stream, 20), u64_at(&stream, 24));
        let whole = u8_at(&stream, 1) & IN_ONE_PIECE != 0;
        if valid > size {
            return refused(name, damaged("a file has more valid bytes than bytes"));
        }
        let mut entry = Entry::new(name, Kind::File);
        entry.hidden = attributes & 2 != 0;
        entry.system = attributes & 4 != 0;
        // A folder is read by its size, which is why it goes into the place.
        entry.place = Some(Place::ExFat(first, whole, if attributes & 0x10 != 0 { size } else { valid }));
        if attributes & 0x10 != 0 {
            entry.kind = Kind::Folder;
        } else {
            entry.size = size;
            if size > 0
                && let Err(reason) = self.ranges(first, whole, Some(size), true)
            {
                entry.kind = Kind::Refused(reason);
                entry.found.push(("USB-21", FindingAction::Blocked));
            }
        }
        entry
    }

    fn count_free(&mut self) -> Result<Option<u64>, Reason> {
        let Some((first, size)) = self.bitmap.filter(|(_, size)| *size <= BITMAP_BYTES) else { return Ok(None) };
        let mut used = 0_u64;
        let mut left = u64::from(self.count);
        for (start, len) in self.ranges(first, false, Some(size), false)? {
            for byte in self.source.bytes(start, len)? {
                let bits = u32::try_from(left.min(8)).unwrap_or(8);
                let mask = u8::try_from((1_u32 << bits).saturating_sub(1)).unwrap_or(u8::MAX);
                used = used.saturating_add(u64::from((byte & mask).count_ones()));
                left = left.saturating_sub(8);
            }
        }
        Ok(Some(u64::from(self.count).saturating_sub(used).saturating_mul(self.cluster_bytes)))
    }
}

fn refused(name: Vec<u8>, reason: Reason) -> Entry {
    let mut entry = Entry::refused(name, reason);
    entry.found.push(("USB-21", FindingAction::Blocked));
    entry
}

impl FileSystem for ExFat {
    fn root(&self) -> Place {
        Place::ExFat(self.root, false, 0)
    }

    fn list(&mut self, place: &Place, folder: &mut Folder) -> Result<(), Reason> {
        let Place::ExFat(first, whole, size) = *place else { return Err(damaged("a place of another file system")) };
        let ranges = match (first == self.root, size) {
            (true, _) => self.ranges(first, false, None, true)?,
            (false, 0) => return Ok(()),
            (false, size) if size > FOLDER_BYTES => return Err(too_much("a folder is larger than exFAT allows")),
            (false, size) => self.ranges(first, whole, Some(size), true)?,
        };
        let mut set: Vec<[u8; ENTRY]> = Vec::new();
        let mut more = 0_usize;
        for (start, len) in ranges {
            let bytes = self.source.bytes(start, len)?;
            for raw in bytes.as_chunks::<ENTRY>().0 {
                let kind = u8_at(raw, 0);
                if more > 0 {
                    set.push(*raw);
                    more = more.saturating_sub(1);
                } else if kind == 0 {
                    return Ok(());
                } else if kind & IN_USE == 0 {
                    folder.deleted = folder.deleted.saturating_add(u64::from(kind == FILE & !IN_USE));
                } else if kind == FILE {
                    set = vec![*raw];
                    more = usize::from(u8_at(raw, 1));
                    if !(2..=SECONDARY).contains(&more) {
                        return Err(damaged("an entry's set has an impossible length"));
                    }
                } else if kind == LABEL {
                    let len = usize::from(u8_at(raw, 1)).min(11).saturating_mul(2);
                    self.label = utf16_name(raw.get(2..).and_then(|r| r.get(..len)).unwrap_or_default(), false);
                } else if kind == BITMAP {
                    self.bitmap = Some((u32_at(raw, 20), u64_at(raw, 24)));
                }
                if more == 0 && !set.is_empty() {
                    let entry = self.entry(&set);
                    folder.push(entry)?;
                    set.clear();
                }
            }
        }
        if more > 0 { Err(damaged("a folder ends within an entry")) } else { Ok(()) }
    }

    fn stream(&mut self, place: &Place, size: u64, sink: Sink<'_>) -> Result<(), Reason> {
        let Place::ExFat(first, whole, valid) = *place else { return Err(damaged("a place of another file system")) };
        if size == 0 {
            return Ok(());
        }
        let mut left = valid.min(size);
        let mut ranges = self.ranges(first, whole, Some(size), true)?;
        for (_, len) in &mut ranges {
            *len = (*len).min(left);
            left = left.saturating_sub(*len);
        }
        stream(&self.source, &ranges, &mut *sink)?;
        // What was reserved and never written reads as zeros, whatever lies there.
        let zeros = [0; 64 << 10];
        let mut rest = size.saturating_sub(valid.min(size));
        while rest > 0 {
            let count = rest.min(zeros.len() as u64);
            sink(zeros.get(..usize::try_from(count).unwrap_or(0)).unwrap_or_default())?;
            rest = rest.saturating_sub(count);
        }
        Ok(())
    }

    fn notes(&mut self) -> Notes {
        let free = self.count_free().unwrap_or(None);
        Notes { label: self.label.clone(), free, deleted: 0, findings: std::mem::take(&mut self.findings) }
    }

    fn afterthought(&mut self, place: &Place, size: u64) -> Option<Reason> {
        let Place::ExFat(first, whole, _) = *place else { return None };
        if !self.clusters.crossed() || size == 0 {
            return None;
        }
        let ranges = match self.ranges(first, whole, Some(size), false) {
            Ok(ranges) => ranges,
            Err(reason) => return Some(reason),
        };
        let number = |at: u64| at.saturating_sub(self.heap).checked_div(self.cluster_bytes).unwrap_or(0);
        let shared = ranges.iter().any(|(start, len)| {
            let first = number(*start).saturating_add(2);
            let count = len.div_ceil(self.cluster_bytes.max(1));
            (first..first.saturating_add(count)).any(|c| self.clusters.shared(u32::try_from(c).unwrap_or(0)))
        });
        shared.then(|| damaged("something else uses its clusters too"))
    }
}

/// The checksum over the boot region that its last sector repeats.
fn checked(source: &Source, sector: u64) -> Result<(), Reason> {
    let region = source.bytes(0, sector.saturating_mul(11))?;
    // Flags and the share in use change while a volume is mounted; they are left out.
    let summed = region.iter().enumerate().filter(|(at, _)| !matches!(at, 106 | 107 | 112));
    let sum = summed.fold(0_u32, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u32::from(*byte)));
    let stated: [u8; 4] = source.array(sector.saturating_mul(11))?;
    if u32::from_le_bytes(stated) == sum { Ok(()) } else { Err(damaged("the boot region's checksum is wrong")) }
}

fn set_sum(set: &[[u8; ENTRY]]) -> u16 {
    let bytes = set.iter().flatten().enumerate().filter(|(at, _)| !matches!(at, 2 | 3));
    bytes.fold(0, |sum: u16, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)))
}
