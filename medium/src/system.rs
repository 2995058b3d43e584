//! What a volume holds, and the one face that every file system shows.

use crate::bytes::{array_at, u8_at, u16_at, u32_at};
use crate::listing::{Kind, Name, Place, System};
use crate::source::{Sink, Source, damaged, too_much, unsupported};
use crate::{exfat, ext, fat, iso, ntfs};
use model::{FindingAction, Findings, Reason, ReasonCode};

/// A file system. One instance serves one walk or one read.
pub(crate) trait FileSystem {
    /// The folder that all others are in.
    fn root(&self) -> Place;
    /// Tells `folder` what is in the folder at `place`.
    fn list(&mut self, place: &Place, folder: &mut Folder) -> Result<(), Reason>;
    /// Streams the `size` bytes of a file.
    fn stream(&mut self, place: &Place, size: u64, sink: Sink<'_>) -> Result<(), Reason>;
    /// What there is to say of the volume, asked once, when it was walked.
    fn notes(&mut self) -> Notes;
    /// After the walk: why a file that seemed sound is not.
    fn afterthought(&mut self, _place: &Place, _size: u64) -> Option<Reason> {
        None
    }
    /// The system as it turned out to be.
    fn precisely(&self, recognised: System) -> System {
        recognised
    }
    /// Whether names that differ in case alone are one name to whoever uses such volumes.
    fn folds_case(&self) -> bool {
        true
    }
}

/// What there is to say of a volume.
#[derive(Default)]
pub(crate) struct Notes {
    pub label: Vec<u8>,
    pub free: Option<u64>,
    pub deleted: u64,
    pub findings: Findings,
}

/// The entries of one folder as they are found.
pub(crate) struct Folder {
    pub entries: Vec<Entry>,
    pub deleted: u64,
    left: u64,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Entry {
    pub name: Vec<u8>,
    pub kind: Kind,
    pub size: u64,
    pub hidden: bool,
    pub system: bool,
    pub streams: u32,
    pub place: Option<Place>,
    pub found: Vec<(&'static str, FindingAction)>,
}

impl Entry {
    pub(crate) fn new(name: Vec<u8>, kind: Kind) -> Self {
        let (size, hidden, system, streams) = (0, false, false, 0);
        Self { name, kind, size, hidden, system, streams, place: None, found: Vec::new() }
    }

    /// An entry that is there and not read.
    pub(crate) fn refused(name: Vec<u8>, reason: Reason) -> Self {
        Self::new(name, Kind::Refused(reason))
    }
}

impl Folder {
    pub(crate) const fn new(left: u64) -> Self {
        Self { entries: Vec::new(), deleted: 0, left }
    }

    /// How many more entries there may be.
    pub(crate) const fn left(&self) -> u64 {
        self.left
    }

    pub(crate) fn push(&mut self, entry: Entry) -> Result<(), Reason> {
        let more = || too_much("the medium has more entries than the policy allows");
        self.left = self.left.checked_sub(1).ok_or_else(more)?;
        self.entries.push(entry);
        Ok(())
    }
}

/// What a volume was recognised as.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recognised {
    Readable(System),
    Refused(Reason),
}

/// Tells what is in a volume by its signatures. One that answers to two names is refused: who reads it next may see
/// another one than we did.
pub(crate) fn recognise(source: &Source) -> Result<Recognised, Reason> {
    let head = head(source)?;
    if let Some(reason) = stranger(source, &head) {
        return Ok(Recognised::Refused(reason));
    }
    let candidates = [
        (fat_system(&head), System::Fat32),
        (array_at(&head, 3) == *b"EXFAT   ", System::ExFat),
        (array_at(&head, 3) == *b"NTFS    ", System::Ntfs),
        (looks_ext(&head), System::Ext),
        (looks_iso(source), System::Iso9660),
    ];
    let mut found = candidates.into_iter().filter(|(is, _)| *is).map(|(_, system)| system);
    Ok(match (found.next(), found.next()) {
        (Some(one), None) => Recognised::Readable(one),
        (Some(one), Some(other)) => {
            let text = format!("the volume is {} and {} at once", one.name(), other.name());
            Recognised::Refused(Reason::new(ReasonCode::Ambiguous, &text))
        }
        (None, _) if head.iter().all(|byte| *byte == 0) => {
            Recognised::Refused(unsupported("no file system: the volume begins with zeros"))
        }
        (None, _) => Recognised::Refused(unsupported(
            "no file system that is known here: the volume is not formatted, encrypted, or of a kind that is not read",
        )),
    })
}

/// Opens what was recognised.
pub(crate) fn open(source: Source, system: System) -> Result<Box<dyn FileSystem>, Reason> {
    let exhausted = source.clone();
    let opened: Result<Box<dyn FileSystem>, Reason> = match system {
        System::Fat12 | System::Fat16 | System::Fat32 => fat::Fat::open(source).map(|fs| Box::new(fs) as _),
        System::ExFat => exfat::ExFat::open(source).map(|fs| Box::new(fs) as _),
        System::Ntfs => ntfs::Ntfs::open(source).map(|fs| Box::new(fs) as _),
        System::Ext => ext::Ext::open(source).map(|fs| Box::new(fs) as _),
        System::Iso9660 => iso::Iso::open(source).map(|fs| Box::new(fs) as _),
    };
    opened.map_err(|reason| exhausted.exhausted().unwrap_or(reason))
}

/// The first 4 KiB, fewer where the volume is smaller.
fn head(source: &Source) -> Result<Vec<u8>, Reason> {
    source.bytes(0, source.len().min(4096))
}

/// The parameters of a FAT volume that any reader would insist on.
pub(crate) fn fat_system(head: &[u8]) -> bool {
    let jumps = u8_at(head, 0) == 0xeb || u8_at(head, 0) == 0xe9;
    let sector = matches!(u16_at(head, 11), 512 | 1024 | 2048 | 4096);
    let cluster = u8_at(head, 13).is_power_of_two();
    let tables = matches!(u8_at(head, 16), 1 | 2) && u16_at(head, 14) > 0;
    jumps && sector && cluster && tables && u8_at(head, 21) >= 0xf0
}

fn looks_ext(head: &[u8]) -> bool {
    u16_at(head, 0x438) == 0xef53 && u32_at(head, 0x418) <= 6 && u32_at(head, 0x400) > 0
}

fn looks_iso(source: &Source) -> bool {
    source.array::<6>(32_768).is_ok_and(|mark| mark == *b"\x01CD001")
}

/// Systems that are known and not read (USB-08): encrypted ones, and those of other worlds.
fn stranger(source: &Source, head: &[u8]) -> Option<Reason> {
    /// The GUID that a BitLocker To Go volume carries in its FAT boot sector.
    const TO_GO: [u8; 16] = *b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01";
    let encrypted = |what: &str| {
        let text = format!("the volume is encrypted ({what}); copy the files to one that is not");
        Some(Reason::new(ReasonCode::Encrypted, &text))
    };
    let other = |what: &str| {
        let text = format!("the volume is {what}, which is not read; use FAT, exFAT, NTFS, ext or ISO 9660");
        Some(unsupported(&text))
    };
    let far = |at: u64| source.array::<8>(at).unwrap_or_default();
    if array_at(head, 3) == *b"-FVE-FS-" || array_at(head, 0x1a8) == TO_GO {
        return encrypted("BitLocker");
    }
    if array_at(head, 0) == *b"LUKS\xba\xbe" || array_at(head, 0) == *b"SKUL\xba\xbe" {
        return encrypted("LUKS");
    }
    if array_at(head, 32) == *b"NXSB" {
        return other("APFS");
    }
    if matches!(&array_at(head, 1024), b"H+" | b"HX" | b"BD") {
        return other("HFS or HFS+");
    }
    if array_at(head, 3) == *b"ReFS\0" {
        return other("ReFS");
    }
    if array_at(head, 0) == *b"XFSB" {
        return other("XFS");
    }
    if far(65_600) == *b"_BHRfS_M" {
        return other("Btrfs");
    }
    if array_at(head, 4086) == *b"SWAPSPACE2" {
        return other("swap space");
    }
    if array_at(head, 512) == *b"LABELONE" {
        return other("a part of a volume group (LVM)");
    }
    if u32_at(head, 1024) == 0xf2f5_2010 {
        return other("F2FS");
    }
    if array_at(head, 0) == *b"hsqs" {
        return other("SquashFS");
    }
    if (0..16_u64).any(|n| {
        matches!(
            array_at(&far(32_768_u64.saturating_add(n.saturating_mul(2048))), 1),
            [b'N', b'S', b'R', b'0', b'2' | b'3']
        )
    }) {
        return other("UDF");
    }
    None
}

/// Two entries of a folder that are one name to whoever uses the volume: neither passes (USB-21).
pub(crate) fn refuse_doubles(entries: &mut [Entry], folds_case: bool) {
    let key = |entry: &Entry| {
        if folds_case { String::from_utf8_lossy(&entry.name).to_lowercase().into_bytes() } else { entry.name.clone() }
    };
    let mut seen: std::collections::HashMap<Vec<u8>, u32> = std::collections::HashMap::new();
    for entry in entries.iter() {
        let count = seen.entry(key(entry)).or_default();
        *count = count.saturating_add(1);
    }
    for entry in entries.iter_mut() {
        if seen.get(&key(entry)).is_some_and(|count| *count > 1) {
            entry.kind = Kind::Refused(damaged("two entries of this folder have one name"));
            entry.found.push(("USB-21", FindingAction::Blocked));
        }
    }
}

/// A name as it may stand in a path: `/` and NUL would tear it, `.` and `..` would climb, nothing would vanish.
pub(crate) fn harmless(name: Vec<u8>) -> (Name, bool) {
    let tears = |byte: &u8| matches!(byte, 0 | b'/');
    if !name.iter().any(tears) && !matches!(name.as_slice(), b"" | b"." | b"..") {
        return (name.into(), false);
    }
    let mut safe = Vec::new();
    for byte in &name {
        match byte {
            0 => safe.extend(b"%00"),
            b'/' => safe.extend(b"%2F"),
            b'.' if name.len() <= 2 => safe.extend(b"%2E"),
            byte => safe.push(*byte),
        }
    }
    if safe.is_empty() {
        safe.extend(b"unnamed");
    }
    (safe.into(), true)
}
