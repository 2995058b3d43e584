//! What is said of a medium: the words between the jail and the station.

use model::{Finding, FindingAction, Reason};
use serde::{Deserialize, Serialize};

/// All of a medium, in a stable order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// What it is.
    pub facts: Facts,
    /// Every directory entry and every volume that is not read; a folder before what is in it.
    pub items: Vec<Item>,
}

/// What a person and the record are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Size in bytes.
    pub size: u64,
    /// How it is divided.
    pub table: Table,
    /// Its volumes, by their place.
    pub volumes: Vec<Volume>,
    /// Bytes that no volume covers.
    pub outside: u64,
    /// What the catalogue knows of it.
    pub findings: Vec<Finding>,
}

/// How a medium is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Table {
    /// Not at all: one volume from its first byte on.
    #[default]
    None,
    /// Master boot record.
    Mbr,
    /// GUID partition table.
    Gpt,
}

/// One volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// First byte on the medium.
    pub start: u64,
    /// Size in bytes.
    pub size: u64,
    /// The partition's type, as its table states it.
    pub kind: String,
    /// What was recognised.
    pub system: Option<System>,
    /// Its label.
    pub label: Name,
    /// Why it is not read.
    pub refused: Option<Reason>,
    /// Folders.
    pub folders: u64,
    /// Entries that are none.
    pub entries: u64,
    /// Deleted entries; their bytes are not read.
    pub deleted: u64,
    /// Bytes that the file system calls free, where it says so; they are not read.
    pub free: Option<u64>,
}

/// File systems that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// FAT12, by the number of its clusters.
    Fat12,
    /// FAT16.
    Fat16,
    /// FAT32.
    Fat32,
    /// exFAT.
    ExFat,
    /// NTFS.
    Ntfs,
    /// ext2, ext3, ext4.
    Ext,
    /// ISO 9660, with Joliet and Rock Ridge.
    Iso9660,
}

impl System {
    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fat12 => "FAT12",
            Self::Fat16 => "FAT16",
            Self::Fat32 => "FAT32",
            Self::ExFat => "exFAT",
            Self::Ntfs => "NTFS",
            Self::Ext => "ext2/3/4",
            Self::Iso9660 => "ISO 9660",
        }
    }
}

/// A name as bytes: text where it is UTF-8, which most are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Name {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl Default for Name {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl From<Vec<u8>> for Name {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }
}

impl Name {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// One directory entry, or a volume that is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The folder it is in: an earlier index. None at the top.
    pub parent: Option<u32>,
    /// Its volume's index.
    pub volume: u32,
    /// Its name in that folder: never empty, without `/` and NUL, neither `.` nor `..`.
    pub name: Name,
    /// What it is.
    pub kind: Kind,
    /// Size in bytes of a file.
    pub size: u64,
    /// The hidden flag, or a dot before the name where that means the same.
    pub hidden: bool,
    /// The system flag.
    pub system: bool,
    /// Alternate data streams; they are not read.
    pub streams: u32,
    /// Where a file or folder lies.
    pub place: Option<Place>,
    /// Rows of the catalogue.
    pub found: Vec<(String, FindingAction)>,
}

/// What a directory entry is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, junction or other reparse point.
    Link,
    /// A device, pipe or socket.
    Special,
    /// Not read, for this reason.
    Refused(Reason),
}

/// Where something lies in its volume; the reader of its file system alone knows what the numbers mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// FAT: first cluster, 0 for nothing; 1 for a root without clusters.
    Fat(u32),
    /// exFAT: first cluster, whether it lies in one piece, and how many of its bytes are valid.
    ExFat(u32, bool, u64),
    /// NTFS: file record and its sequence number.
    Ntfs(u64, u16),
    /// ext: the path from the root.
    Ext(Name),
    /// ISO 9660: byte ranges of the volume.
    Iso(Vec<(u64, u64)>),
}
