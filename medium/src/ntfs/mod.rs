//! NTFS, as its on-disk structures are described by the Linux-NTFS project's documentation.
//!
//! Our own reader: the crate that there is knows neither streams nor what was never written, and would bring fourteen crates
//! into a jail. Folders are read as the set of index blocks in use, not as a tree, so an index cannot go in circles.

mod record;

use crate::bytes::{from_utf16, u8_at, u16_at, u32_at, u64_at, utf16_name};
use crate::listing::{Kind, Place};
use crate::source::{Sink, Source, damaged, stream, too_much, unsupported};
use crate::system::{Entry, FileSystem, Folder, Notes};
use model::{FindingAction, Findings, Reason, ReasonCode};
use record::{
    ATTRIBUTE_LIST, Attribute, BITMAP, DATA, INDEX_ALLOCATION, INDEX_ROOT, REPARSE_POINT, Runs, VOLUME_NAME, Value,
    attributes, fix_up, merged, reference, zeros,
};
use std::collections::{BTreeSet, HashSet};

const ROOT: u64 = 5;
const BITMAP_FILE: u64 = 6;
const VOLUME_FILE: u64 = 3;
/// Records below belong to the file system itself.
const RESERVED: u64 = 24;
/// `$I30`, the name of a folder's index.
const I30: &[u8] = b"$\0I\x003\x000\0";
/// Ours: a folder's index, a list of attributes, a bitmap: more of them than any sound volume has.
const INDEX_BYTES: u64 = 512 << 20;
const LIST_BYTES: u64 = 256 << 10;
const BITMAP_BYTES: u64 = 32 << 20;
/// Ours: records of one file.
const EXTENSIONS: usize = 512;
/// Ours: of a master file table beyond this size the deleted records are not counted.
const TABLE_BYTES: u64 = 512 << 20;

const IN_USE: u16 = 1;
const IS_FOLDER: u16 = 2;
const COMPRESSED: u16 = 0x00ff;
const ENCRYPTED: u16 = 0x4000;
const HIDDEN: u32 = 2;
const SYSTEM: u32 = 4;
/// Name space of names of eight and three.
const DOS: u8 = 2;

pub(crate) struct Ntfs {
    source: Source,
    cluster: u64,
    clusters: u64,
    record: u64,
    table: Runs,
    /// Folders met: one that is met again is a loop or a hard link, which folders must not have.
    folders: HashSet<u64>,
}

/// A file as its records tell it.
struct File {
    is_folder: bool,
    attributes: Vec<Attribute>,
}

impl File {
    fn find(&self, kind: u32, name: &[u8]) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.is(kind, name))
    }
}

/// A name in a folder.
struct Named {
    record: u64,
    sequence: u16,
    space: u8,
    flags: u32,
    name: Vec<u8>,
}

impl Ntfs {
    pub(crate) fn open(source: Source) -> Result<Self, Reason> {
        let boot = source.array::<512>(0)?;
        let impossible = || damaged("impossible sizes of sectors, clusters or records");
        let sector = u64::from(u16_at(&boot, 11));
        // Beyond 128 the number is a power of two, negated.
        let per_cluster = match u8_at(&boot, 13) {
            many @ 0..=128 => u64::from(many),
            power => 1_u64.checked_shl(u32::from(power).abs_diff(256)).unwrap_or(0),
        };
        let cluster = sector.saturating_mul(per_cluster);
        let sized = |raw: u8| match i8::from_le_bytes([raw]) {
            many @ 1.. => u64::from(many.unsigned_abs()).saturating_mul(cluster),
            power => 1_u64.checked_shl(power.unsigned_abs().into()).unwrap_or(0),
        };
        let record = sized(u8_at(&boot, 64));
        let sound = sector.is_power_of_two() && (256..=4096).contains(&sector);
        let sound = sound && cluster.is_power_of_two() && (512..=2 << 20).contains(&cluster);
        if !sound || !matches!(record, 512 | 1024 | 2048 | 4096) {
            return Err(impossible());
        }
        let size = u64_at(&boot, 40).checked_mul(sector).ok_or_else(impossible)?;
        if size > source.len() {
            return Err(damaged("the volume says that it is larger than the room it has (USB-15)"));
        }
        let at = u64_at(&boot, 48).checked_mul(cluster).ok_or_else(impossible)?;
        let (clusters, folders) = (size.checked_div(cluster).unwrap_or(0), HashSet::new());
        let table = Runs { first: 0, list: Vec::new(), size: 0, written: 0 };
        let mut ntfs = Self { source, cluster, clusters, record, table, folders };
        let mut first = ntfs.source.bytes(at, record)?;
        fix_up(&mut first)?;
        let own = attributes(&first)?;
        if own.iter().any(|attribute| attribute.kind == ATTRIBUTE_LIST) {
            return Err(unsupported(
                "an NTFS volume whose master file table is in too many pieces; copy the files anew",
            ));
        }
        match own.into_iter().find(|attribute| attribute.is(DATA, b"")).map(|attribute| attribute.value) {
            Some(Value::Runs(runs)) => ntfs.table = runs,
            Some(Value::Resident(_)) | None => return Err(damaged("no master file table")),
        }
        Ok(ntfs)
    }

    /// The byte ranges of the first `len` bytes of a value in clusters; none stands for a hole.
    fn ranges(&self, runs: &Runs, len: u64) -> Result<Vec<(Option<u64>, u64)>, Reason> {
        let (mut ranges, mut left) = (Vec::new(), len);
        for (first, count) in &runs.list {
            if left == 0 {
                break;
            }
            if first.is_some_and(|first| first.checked_add(*count).is_none_or(|end| end > self.clusters)) {
                return Err(damaged("a file's clusters lie beyond the volume"));
            }
            let bytes = count.saturating_mul(self.cluster).min(left);
            ranges.push((first.map(|first| first.saturating_mul(self.cluster)), bytes));
            left = left.saturating_sub(bytes);
        }
        if left == 0 { Ok(ranges) } else { Err(damaged("a file has fewer clusters than bytes")) }
    }

    /// A value of at most `most` bytes, whole.
    fn value(&self, attribute: &Attribute, most: u64) -> Result<Vec<u8>, Reason> {
        match &attribute.value {
            Value::Resident(bytes) => Ok(bytes.clone()),
            Value::Runs(runs) if runs.size > most => {
                Err(too_much("a structure of the volume is larger than any sound one"))
            }
            Value::Runs(runs) => {
                let mut bytes = Vec::new();
                self.give(runs, &mut |piece| {
                    bytes.extend_from_slice(piece);
                    Ok(())
                })?;
                Ok(bytes)
            }
        }
    }

    /// Streams a value: what was never written as zeros, whatever lies there.
    fn give(&self, runs: &Runs, sink: Sink<'_>) -> Result<(), Reason> {
        let written = runs.written.min(runs.size);
        for (at, len) in self.ranges(runs, written)? {
            match at {
                Some(at) => stream(&self.source, &[(at, len)], &mut *sink)?,
                None => zeros(len, &mut *sink)?,
            }
        }
        zeros(runs.size.saturating_sub(written), sink)
    }

    /// A record, fixed up.
    fn raw_record(&self, number: u64) -> Result<Vec<u8>, Reason> {
        let nowhere = || damaged("a file record that is not there");
        let mut at = number.checked_mul(self.record).ok_or_else(nowhere)?;
        if at.checked_add(self.record).is_none_or(|end| end > self.table.written) {
            return Err(nowhere());
        }
        let mut bytes = Vec::new();
        // A record may be smaller than a cluster or larger, and then lie in two runs.
        for (first, count) in &self.table.list {
            let len = count.saturating_mul(self.cluster);
            if at >= len {
                at = at.saturating_sub(len);
                continue;
            }
            let need = self.record.saturating_sub(u64::try_from(bytes.len()).unwrap_or(0));
            let first = first.ok_or_else(nowhere)?.saturating_mul(self.cluster);
            bytes.extend(self.source.bytes(first.saturating_add(at), need.min(len.saturating_sub(at)))?);
            at = 0;
            if u64::try_from(bytes.len()).unwrap_or(0) >= self.record {
                break;
            }
        }
        if !bytes.starts_with(b"FILE") {
            return Err(damaged("a file record that is none"));
        }
        fix_up(&mut bytes)?;
        Ok(bytes)
    }

    /// A file with all its attributes, where it still is the one that was meant.
    fn file(&self, number: u64, sequence: u16) -> Result<File, Reason> {
        let raw = self.raw_record(number)?;
        let flags = u16_at(&raw, 22);
        if flags & IN_USE == 0 || u16_at(&raw, 16) != sequence || u64_at(&raw, 32) != 0 {
            return Err(damaged("a name points to a file record that is another's or free"));
        }
        let mut all = attributes(&raw)?;
        if let Some(list) = all.iter().find(|attribute| attribute.kind == ATTRIBUTE_LIST) {
            let list = self.value(list, LIST_BYTES)?;
            for extension in listed(&list, number)? {
                let raw = self.raw_record(extension)?;
                if reference(u64_at(&raw, 32)) != (number, sequence) || u16_at(&raw, 22) & IN_USE == 0 {
                    return Err(damaged("a piece of a file's records is another's"));
                }
                all.extend(attributes(&raw)?);
            }
            all = merged(all)?;
        }
        Ok(File { is_folder: flags & IS_FOLDER != 0, attributes: all })
    }

    /// All names in a folder's index: those in its root, and those in its blocks that are in use.
    fn names(&self, folder: &File, most: u64) -> Result<Vec<Named>, Reason> {
        let root = folder.find(INDEX_ROOT, I30).ok_or_else(|| damaged("a folder without an index"))?;
        let root = self.value(root, LIST_BYTES)?;
        let mut names = Vec::new();
        index_entries(root.get(16..).unwrap_or_default(), &mut names, most)?;
        let Some(blocks) = folder.find(INDEX_ALLOCATION, I30) else { return Ok(names) };
        let used = folder.find(BITMAP, I30).ok_or_else(|| damaged("a folder's index without its bitmap"))?;
        let used = self.value(used, LIST_BYTES)?;
        let size = usize::try_from(u32_at(&root, 8)).unwrap_or(0);
        if !matches!(size, 512..=65_536) || !size.is_power_of_two() {
            return Err(damaged("a folder's index has blocks of an impossible size"));
        }
        let mut all = self.value(blocks, INDEX_BYTES)?;
        for (number, block) in all.chunks_exact_mut(size).enumerate() {
            if u8_at(&used, number / 8) >> (number % 8) & 1 == 0 {
                continue;
            }
            if !block.starts_with(b"INDX") {
                return Err(damaged("a block of a folder's index is none"));
            }
            fix_up(block)?;
            index_entries(block.get(24..).unwrap_or_default(), &mut names, most)?;
        }
        Ok(names)
    }

    fn entry(&self, named: Named) -> Entry {
        let mut entry = Entry::new(named.name, Kind::File);
        entry.hidden = named.flags & HIDDEN != 0;
        entry.system = named.flags & SYSTEM != 0;
        entry.place = Some(Place::Ntfs(named.record, named.sequence));
        let file = match self.file(named.record, named.sequence) {
            Ok(file) if named.record >= RESERVED => file,
            Ok(_) => {
                entry.kind = Kind::Refused(damaged("a name points to a record of the file system itself"));
                return entry;
            }
            Err(reason) => {
                entry.kind = Kind::Refused(reason);
                return entry;
            }
        };
        let streams = file.attributes.iter().filter(|attribute| attribute.kind == DATA && !attribute.name.is_empty());
        entry.streams = u32::try_from(streams.count()).unwrap_or(u32::MAX);
        if entry.streams > 0 {
            entry.found.push(("USB-09", FindingAction::Removed));
        }
        let data = file.find(DATA, b"");
        if file.attributes.iter().any(|attribute| attribute.kind == REPARSE_POINT) {
            entry.kind = Kind::Link;
            entry.found.push(("USB-24", FindingAction::Blocked));
        } else if file.is_folder {
            entry.kind = Kind::Folder;
        } else if let Some(reason) = data.and_then(unread) {
            entry.kind = Kind::Refused(reason);
        } else {
            entry.size = data.map_or(0, Attribute::len);
        }
        entry
    }

    /// Records of the master file table that were somebody's and are free (USB-12).
    fn count_deleted(&self) -> Result<u64, Reason> {
        if self.table.size > TABLE_BYTES {
            return Ok(0);
        }
        let size = usize::try_from(self.record).unwrap_or(1024);
        let (mut rest, mut number, mut deleted) = (Vec::new(), 0_u64, 0_u64);
        self.give(&self.table, &mut |piece| {
            rest.extend_from_slice(piece);
            let whole = rest.len().saturating_sub(rest.len().checked_rem(size).unwrap_or(0));
            for raw in rest.get(..whole).unwrap_or_default().chunks_exact(size) {
                // A sequence number of one is that of a record that nobody had yet.
                let free = raw.starts_with(b"FILE") && u16_at(raw, 22) & IN_USE == 0 && u16_at(raw, 16) > 1;
                deleted = deleted.saturating_add(u64::from(free && number >= RESERVED));
                number = number.saturating_add(1);
            }
            rest.drain(..whole);
            Ok(())
        })?;
        Ok(deleted)
    }

    fn count_free(&self) -> Result<Option<u64>, Reason> {
        let raw = self.raw_record(BITMAP_FILE)?;
        let file = self.file(BITMAP_FILE, u16_at(&raw, 16))?;
        let Some(bitmap) = file.find(DATA, b"").filter(|bitmap| bitmap.len() <= BITMAP_BYTES) else { return Ok(None) };
        let bits = self.value(bitmap, BITMAP_BYTES)?;
        let whole = usize::try_from(self.clusters / 8).unwrap_or(0);
        let used = bits.iter().take(whole).fold(0_u64, |sum, byte| sum.saturating_add(byte.count_ones().into()));
        let counted = u64::try_from(whole).unwrap_or(0).saturating_mul(8);
        Ok(Some(counted.saturating_sub(used).saturating_mul(self.cluster)))
    }

    fn label(&self) -> Result<Vec<u8>, Reason> {
        let raw = self.raw_record(VOLUME_FILE)?;
        let file = self.file(VOLUME_FILE, u16_at(&raw, 16))?;
        let name = file.find(VOLUME_NAME, b"").map(|name| self.value(name, 256)).transpose()?;
        Ok(utf16_name(&name.unwrap_or_default(), false))
    }
}

/// The records that a list of attributes names, but for the file's own.
fn listed(list: &[u8], own: u64) -> Result<BTreeSet<u64>, Reason> {
    let (mut rest, mut found) = (list, BTreeSet::new());
    while rest.len() >= 26 {
        let len = usize::from(u16_at(rest, 4));
        let (record, _) = reference(u64_at(rest, 16));
        found.extend((record != own).then_some(record));
        rest = rest.get(len..).filter(|_| len >= 26).ok_or_else(|| damaged("a list of attributes makes no sense"))?;
        if found.len() > EXTENSIONS {
            return Err(too_much("a file with more than 512 records"));
        }
    }
    Ok(found)
}

/// The names behind an index node's header.
fn index_entries(node: &[u8], names: &mut Vec<Named>, most: u64) -> Result<(), Reason> {
    let broken = || damaged("an index entry reaches beyond its node");
    let number = |at| usize::try_from(u32_at(node, at)).unwrap_or(usize::MAX);
    let mut rest = node.get(number(0)..number(4)).ok_or_else(broken)?;
    loop {
        let (len, key, flags) = (usize::from(u16_at(rest, 8)), usize::from(u16_at(rest, 10)), u16_at(rest, 12));
        let raw = rest.get(..len).filter(|raw| raw.len() >= 16).ok_or_else(broken)?;
        if flags & 2 != 0 {
            return Ok(());
        }
        let key = raw.get(16..key.saturating_add(16)).filter(|key| key.len() >= 66).ok_or_else(broken)?;
        let units = usize::from(u8_at(key, 64)).saturating_mul(2);
        let name = key.get(66..units.saturating_add(66)).ok_or_else(broken)?;
        let (record, sequence) = reference(u64_at(raw, 0));
        let name = from_utf16(name.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)));
        names.push(Named { record, sequence, space: u8_at(key, 65), flags: u32_at(key, 56), name });
        if u64::try_from(names.len()).unwrap_or(u64::MAX) > most {
            return Err(too_much("the medium has more entries than the policy allows"));
        }
        rest = rest.get(len..).unwrap_or_default();
    }
}

fn unread(data: &Attribute) -> Option<Reason> {
    if data.flags & ENCRYPTED != 0 {
        return Some(Reason::new(ReasonCode::Encrypted, "the file is encrypted by its file system (EFS)"));
    }
    let text = "the file is compressed by its file system, which is not read; copy it without compression";
    (data.flags & COMPRESSED != 0).then(|| unsupported(text))
}

impl FileSystem for Ntfs {
    fn root(&self) -> Place {
        Place::Ntfs(ROOT, 5)
    }

    fn list(&mut self, place: &Place, folder: &mut Folder) -> Result<(), Reason> {
        let Place::Ntfs(number, sequence) = *place else { return Err(damaged("a place of another file system")) };
        if !self.folders.insert(number) {
            return Err(damaged("a folder is in two places, or within itself"));
        }
        // Names of eight and three stand beside the long ones, so twice as many may come as count.
        let names = self.names(&self.file(number, sequence)?, folder.left().saturating_mul(2).saturating_add(64))?;
        let long: HashSet<u64> = names.iter().filter(|named| named.space != DOS).map(|named| named.record).collect();
        for named in names {
            let own = number == ROOT && named.record < RESERVED && (named.name.starts_with(b"$") || named.name == b".");
            if !own && (named.space != DOS || !long.contains(&named.record)) {
                folder.push(self.entry(named))?;
            }
        }
        Ok(())
    }

    fn stream(&mut self, place: &Place, size: u64, sink: Sink<'_>) -> Result<(), Reason> {
        let Place::Ntfs(number, sequence) = *place else { return Err(damaged("a place of another file system")) };
        let file = self.file(number, sequence)?;
        match file.find(DATA, b"") {
            None if size == 0 => Ok(()),
            None => Err(damaged("a file without content")),
            Some(data) => match (unread(data), &data.value) {
                (Some(reason), _) => Err(reason),
                (None, Value::Resident(bytes)) => sink(bytes),
                (None, Value::Runs(runs)) => self.give(runs, sink),
            },
        }
    }

    fn notes(&mut self) -> Notes {
        let mut findings = Findings::new();
        let boot = self.source.array::<512>(0).unwrap_or([0; 512]);
        if boot.get(84..510).unwrap_or_default().iter().any(|byte| *byte != 0) {
            findings.add("USB-13", FindingAction::Removed, "boot sector of the volume");
        }
        let deleted = self.count_deleted().unwrap_or(0);
        let (label, free) = (self.label().unwrap_or_default(), self.count_free().unwrap_or(None));
        Notes { label, free, deleted, findings }
    }
}
