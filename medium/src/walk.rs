//! The walk over a medium: bounded in depth, entries and reads, and in an order that depends on the medium alone.

use crate::listing::{Facts, Item, Kind, Listing, Name, Place, System, Volume};
use crate::partitions::{Partition, divide};
use crate::source::{Allowance, ReadAt, Source, damaged, too_much};
use crate::system::{Entry, FileSystem, Folder, Recognised, harmless, open, recognise, refuse_doubles};
use model::{FindingAction, Findings, Reason, ReasonCode};
use serde::{Deserialize, Serialize};

/// What a walk may spend.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Entries, folders among them.
    pub entries: u64,
}

/// Ours: deeper trees than this are no tree that a person made; the station says the same of folders.
const DEPTH: usize = 64;
/// Ours: longest path in bytes; Windows ends at 32,767 units, Linux at 4,096 bytes.
const PATH_BYTES: usize = 4096;
/// Ours: what a walk of as many entries as a policy allows needs at most, with room; it ends any circle in seconds.
const WALK: Allowance = Allowance { reads: 60_000_000, bytes: 16 << 30 };
/// Ours: for the way to a file; its own bytes come on top.
const WAY: Allowance = Allowance { reads: 2_000_000, bytes: 1 << 30 };

/// Lists what is on a medium. Whatever it says, there is a listing: what cannot be read is an item that says why.
#[must_use]
pub fn look(from: Box<dyn ReadAt>, limits: Limits) -> Listing {
    let source = Source::new(from, WALK);
    let mut walk = Walk { items: Vec::new(), findings: Findings::new(), left: limits.entries };
    let mut facts = Facts { size: source.len(), ..Facts::default() };
    match divide(&source, &mut walk.findings) {
        Err(reason) => walk.refuse_volume(0, "the medium", reason),
        Ok(division) => {
            (facts.table, facts.outside) = (division.table, division.outside);
            let several = division.partitions.len() > 1;
            for (index, partition) in division.partitions.iter().enumerate() {
                let refused = division.refused.as_ref().or(partition.refused.as_ref());
                let number = u32::try_from(index).unwrap_or(u32::MAX);
                let volume = walk.volume(&source, partition, number, several, refused);
                facts.volumes.push(volume);
            }
        }
    }
    facts.findings = walk.findings.into_rows();
    Listing { facts, items: walk.items }
}

/// Which file to read, in the words of its [`Listing`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileAt {
    /// Its volume's first byte.
    pub start: u64,
    /// Its volume's size.
    pub len: u64,
    /// Its volume's file system.
    pub system: System,
    /// Where it lies there.
    pub place: Place,
    /// Its size.
    pub size: u64,
}

/// Streams the bytes of a file: exactly as many as the listing promised, or an error.
///
/// # Errors
/// Why the file is not read; what the sink has by then is not the file.
pub fn read(
    from: Box<dyn ReadAt>,
    file: &FileAt,
    sink: &mut dyn FnMut(&[u8]) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let most = Allowance {
        reads: WAY.reads.saturating_add(file.size >> 8),
        bytes: WAY.bytes.saturating_add(file.size.saturating_mul(2)),
    };
    let source = Source::new(from, most);
    let mut fs = open(source.part(file.start, file.len)?, file.system)?;
    let mut left = file.size;
    let mut counted = |bytes: &[u8]| {
        let more = || damaged("a file has more bytes than its entry says");
        left = left.checked_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX)).ok_or_else(more)?;
        sink(bytes)
    };
    fs.stream(&file.place, file.size, &mut counted).map_err(|reason| source.exhausted().unwrap_or(reason))?;
    if left == 0 { Ok(()) } else { Err(damaged("a file has fewer bytes than its entry says")) }
}

struct Walk {
    items: Vec<Item>,
    findings: Findings,
    left: u64,
}

/// Where a walk is.
struct Here {
    volume: u32,
    parent: Option<u32>,
    depth: usize,
    path_bytes: usize,
}

impl Walk {
    fn refuse_volume(&mut self, volume: u32, name: &str, reason: Reason) {
        let mut entry = Entry::refused(name.as_bytes().to_vec(), reason);
        let id = if matches!(entry.kind, Kind::Refused(ref reason) if reason.code == ReasonCode::Malformed) {
            "USB-07"
        } else {
            "USB-08"
        };
        entry.found.push((id, FindingAction::Blocked));
        self.findings.add(id, FindingAction::Blocked, name);
        self.push(volume, None, entry);
    }

    fn volume(
        &mut self,
        medium: &Source,
        partition: &Partition,
        number: u32,
        several: bool,
        refused: Option<&Reason>,
    ) -> Volume {
        let name = format!("partition {}", number.saturating_add(1));
        let name = if several { name } else { "the medium".to_owned() };
        let mut volume =
            Volume { start: partition.start, size: partition.len, kind: partition.kind.clone(), ..Volume::default() };
        let first = self.items.len();
        let walked = match refused {
            Some(reason) => Err(reason.clone()),
            None => self.walk(medium, number, several.then_some(name.as_str()), &mut volume),
        };
        if let Err(reason) = walked {
            // Nothing of a volume passes whose walk did not end.
            self.items.truncate(first);
            volume.refused = Some(reason.clone());
            self.refuse_volume(number, &name, reason);
        }
        let (entries, folders): (Vec<_>, Vec<_>) =
            self.items.get(first..).unwrap_or_default().iter().partition(|item| item.kind != Kind::Folder);
        let count = |items: &[&Item]| u64::try_from(items.len()).unwrap_or(0);
        (volume.entries, volume.folders) = (count(&entries), count(&folders));
        volume
    }

    fn walk(&mut self, medium: &Source, number: u32, folder: Option<&str>, volume: &mut Volume) -> Result<(), Reason> {
        let source = medium.part(volume.start, volume.size)?;
        let system = match recognise(&source)? {
            Recognised::Readable(system) => system,
            Recognised::Refused(reason) => return Err(reason),
        };
        volume.system = Some(system);
        let mut fs = open(source.clone(), system)?;
        volume.system = Some(fs.precisely(system));
        // The partitions of a divided medium are folders of their own.
        let parent = folder.map(|name| self.push(number, None, Entry::new(name.as_bytes().to_vec(), Kind::Folder)));
        let first = self.items.len();
        let here = Here { volume: number, parent, depth: 0, path_bytes: 0 };
        let root = fs.root();
        volume.deleted = self.folder(fs.as_mut(), &root, &here)?;
        source.exhausted().map_or(Ok(()), Err)?;
        self.afterthoughts(fs.as_mut(), first);
        self.note(fs.as_mut(), number, volume);
        source.exhausted().map_or(Ok(()), Err)
    }

    /// Lists a folder and those below. Gives the number of deleted entries.
    fn folder(&mut self, fs: &mut dyn FileSystem, place: &Place, here: &Here) -> Result<u64, Reason> {
        if here.depth > DEPTH {
            return Err(too_much(&format!("folders are nested more than {DEPTH} deep (USB-23)")));
        }
        let mut folder = Folder::new(self.left);
        fs.list(place, &mut folder)?;
        self.left = folder.left();
        let (mut entries, mut deleted) = (folder.entries, folder.deleted);
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        refuse_doubles(&mut entries, fs.folds_case());
        for entry in entries {
            let path_bytes = here.path_bytes.saturating_add(entry.name.len()).saturating_add(1);
            let below = match (&entry.kind, &entry.place) {
                (Kind::Folder, Some(place)) => Some(place.clone()),
                _ => None,
            };
            let index = self.push(here.volume, here.parent, entry);
            if path_bytes > PATH_BYTES {
                self.refuse(index, too_much("the path is longer than 4,096 bytes (USB-23)"));
                continue;
            }
            let Some(below) = below else { continue };
            let deeper =
                Here { volume: here.volume, parent: Some(index), depth: here.depth.saturating_add(1), path_bytes };
            match self.folder(fs, &below, &deeper) {
                Ok(more) => deleted = deleted.saturating_add(more),
                Err(reason) => {
                    // Half a folder is none: what was found in it goes, and it says why.
                    self.items.truncate(usize::try_from(index).unwrap_or(0).saturating_add(1));
                    self.refuse(index, reason);
                }
            }
        }
        Ok(deleted)
    }

    fn push(&mut self, volume: u32, parent: Option<u32>, entry: Entry) -> u32 {
        let index = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let Entry { name, mut kind, size, hidden, system, streams, place, mut found } = entry;
        let (name, torn) = harmless(name);
        if torn {
            found.push(("USB-22", FindingAction::Neutralised));
        }
        if hidden || system {
            found.push(("USB-22", FindingAction::Neutralised));
        }
        if let (Some(why), Kind::File | Kind::Folder) = (left_behind(name.bytes()), &kind) {
            kind = Kind::Refused(Reason::new(ReasonCode::BlockedType, why));
            found.push(("USB-10", FindingAction::Removed));
        }
        found.dedup();
        let found = found.into_iter().map(|(id, action)| (id.to_owned(), action)).collect();
        self.items.push(Item { parent, volume, name, kind, size, hidden, system, streams, place, found });
        index
    }

    fn refuse(&mut self, index: u32, reason: Reason) {
        if let Some(item) = usize::try_from(index).ok().and_then(|index| self.items.get_mut(index)) {
            let id = if reason.code == ReasonCode::Limit { "USB-23" } else { "USB-21" };
            item.found.push((id.to_owned(), FindingAction::Blocked));
            item.kind = Kind::Refused(reason);
            item.size = 0;
        }
    }

    /// Files whose clusters turned out to be another's too.
    fn afterthoughts(&mut self, fs: &mut dyn FileSystem, first: usize) {
        let count = self.items.len();
        for index in first..count {
            let Some(item) = self.items.get(index) else { continue };
            let (Kind::File, Some(place)) = (&item.kind, &item.place) else { continue };
            if let Some(reason) = fs.afterthought(place, item.size) {
                self.refuse(u32::try_from(index).unwrap_or(u32::MAX), reason);
            }
        }
    }

    fn note(&mut self, fs: &mut dyn FileSystem, number: u32, volume: &mut Volume) {
        let notes = fs.notes();
        let place = |at: &str| format!("volume {}: {at}", number.saturating_add(1));
        for row in notes.findings.into_rows() {
            self.findings.add_count(&row.id, row.action, &place(&row.at), row.count);
        }
        volume.free = notes.free;
        volume.deleted = volume.deleted.saturating_add(notes.deleted);
        if volume.deleted > 0 {
            self.findings.add_count("USB-12", FindingAction::Removed, &place("deleted entries"), volume.deleted);
        }
        let text = String::from_utf8_lossy(&notes.label);
        if text.chars().any(|c| {
            c.is_control() || matches!(c, '/' | '\\' | '<' | '%' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        }) {
            self.findings.add("USB-11", FindingAction::Neutralised, &place("label"));
        }
        let clean: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
        volume.label = Name::Text(clean);
    }
}

/// USB-10: what systems leave on media for themselves, and what they run when one is put in.
fn left_behind(name: &[u8]) -> Option<&'static str> {
    const RUN: [&str; 4] = ["autorun.inf", "autorun.ico", "desktop.ini", "folder.htt"];
    const KEPT: [&str; 10] = [
        "system volume information",
        "$recycle.bin",
        "recycler",
        ".ds_store",
        "thumbs.db",
        ".trashes",
        ".spotlight-v100",
        ".fseventsd",
        ".temporaryitems",
        "found.000",
    ];
    let name = String::from_utf8_lossy(name).to_lowercase();
    let name = name.trim_end_matches([' ', '.']);
    if RUN.contains(&name) {
        return Some("a file that systems obey when a medium is put in or a folder is opened; it stays behind");
    }
    let own = KEPT.contains(&name) || name.starts_with(".trash");
    own.then_some("what an operating system keeps on media for itself; it stays behind")
}
