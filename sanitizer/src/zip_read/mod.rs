//! Reads ZIP archives (APPNOTE 6.3.10) with the suspicion that two other readers would see two other archives.
//!
//! The central directory is walked, each local header is held against it, and the file must be covered by members,
//! directory and end record without overlap. What makes readers disagree is refused ([`Refusal::Ambiguous`],
//! [`Refusal::Malformed`]); what they all skip (a prefix, bytes after the end, padding) is a finding. ZIP and Office
//! files are both read here. Only stored and deflated members can be read.

mod locked;
mod names;
mod walk;

pub(crate) use names::to_cp437;
pub(crate) use walk::{u16_at, u32_at};

use crate::unlock::{Keys, winzip::Strength};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use model::{Budget, FindingAction, LimitKind, Locked, Refusal};
use std::borrow::Cow;

/// What kind of thing a member is, by its attributes and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder: its name ends in a slash.
    Folder,
    /// A symbolic link, device or pipe (ARC-02, ARC-03).
    Special,
}

/// How a member is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// Traditional PKWARE encryption (APPNOTE 6.1).
    Traditional {
        /// What the last byte of its header may be: of the CRC-32, or of the time where the CRC-32 comes later.
        checks: [u8; 2],
    },
    /// WinZip's AES.
    Aes {
        /// How long its key is.
        strength: Strength,
        /// Whether the CRC-32 is there beside the authentication code (AE-1).
        crc: bool,
    },
    /// Strong encryption, masked headers, a method that nobody knows.
    Unknown,
}

/// One member, as both headers describe it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, decoded; still hostile.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How its data is encrypted, if it is.
    pub cipher: Option<Cipher>,
    /// Compression method (APPNOTE 4.4.5); of what is encrypted with AES, the one underneath.
    pub method: u16,
    /// Bytes once unpacked, as declared.
    pub size: u64,
    /// CRC-32, as declared.
    pub crc: u32,
    data: std::ops::Range<usize>,
}

/// An archive whose structure has been checked in full. Members are unpacked on demand.
#[derive(Debug)]
pub struct Archive<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
    oddities: Vec<(&'static str, FindingAction, String)>,
    notes: Notes,
}

/// Things that carry no content and are never written again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Comments of the archive and of members (ARC-11).
    pub comments: u64,
    /// Members with extra fields (ARC-11).
    pub extra_fields: u64,
    /// Members with a time or attributes of their own (ARC-12).
    pub attributes: u64,
}

/// Ours: what zlib's best case allows is 1032:1; text and logs stay under 200:1, bombs don't (GEN-05, ARC-04).
const RATIO: u64 = 200;
/// Ours: small archives may be as dense as they like; a blank scan or an empty log of this size is still plausible.
const RATIO_FREE: u64 = 16 << 20;

impl<'a> Archive<'a> {
    /// Reads and checks the structure of `bytes`; nothing is unpacked. Spends an entry for each member. For packages,
    /// where a member is found by its name: two members of one name are refused (OOX-01).
    ///
    /// # Errors
    /// [`Refusal::Malformed`] and [`Refusal::Ambiguous`] for a broken or two-faced structure, [`Refusal::Limit`] for
    /// a bomb and for more members than the budget has.
    pub fn open(bytes: &'a [u8], budget: &mut Budget) -> Result<Self, Refusal> {
        let archive = Self::open_any(bytes, budget)?;
        walk::unique(&archive.entries)?;
        Ok(archive)
    }

    /// Like [`Archive::open`], for archives that are written anew with names of our own: members of one name are all
    /// there, one after the other.
    ///
    /// # Errors
    /// As [`Archive::open`], names aside.
    pub fn open_any(bytes: &'a [u8], budget: &mut Budget) -> Result<Self, Refusal> {
        let archive = walk::walk(bytes, budget)?;
        let total = archive.entries.iter().fold(0u64, |sum, e| sum.saturating_add(e.size));
        dense(total, bytes.len() as u64)?;
        Ok(archive)
    }

    /// The members, in the order of the directory.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What was odd about the structure and does not matter for what comes out: rows for [`crate::Cx::found`].
    #[must_use]
    pub fn oddities(&self) -> &[(&'static str, FindingAction, String)] {
        &self.oddities
    }

    /// Comments, extra fields and attributes.
    #[must_use]
    pub const fn notes(&self) -> Notes {
        self.notes
    }

    /// Unpacks a member that is not encrypted. Its size and CRC-32 must be as declared.
    ///
    /// # Errors
    /// [`Refusal::Encrypted`] for one that is, [`Refusal::Unsupported`] for a method other than stored and deflate or a link,
    /// [`Refusal::Limit`] for a bomb, [`Refusal::Malformed`] for damaged data.
    pub fn read(&self, entry: &Entry, budget: &mut Budget) -> Result<Cow<'a, [u8]>, Refusal> {
        let packed = self.bytes.get(entry.data.clone()).unwrap_or_default();
        if entry.cipher.is_some() {
            return Err(Refusal::Encrypted(Locked::method("a part of a package that is encrypted by itself")));
        }
        if entry.kind == Kind::Special {
            return Err(link());
        }
        budget.spend_bytes(entry.size)?;
        let bytes = match entry.method {
            0 if packed.len() as u64 == entry.size => Cow::Borrowed(packed),
            _ => Cow::Owned(expand(entry, packed)?),
        };
        check(entry, &bytes)?;
        Ok(bytes)
    }

    /// Like [`Archive::read`], and opens what is encrypted with one of `keys`.
    ///
    /// # Errors
    /// As there; [`Refusal::Encrypted`] where no password fits.
    pub(crate) fn read_with(&self, entry: &Entry, keys: &Keys, budget: &mut Budget) -> Result<Cow<'a, [u8]>, Refusal> {
        let Some(cipher) = entry.cipher else {
            return self.read(entry, budget);
        };
        if entry.kind == Kind::Special {
            return Err(link());
        }
        let sealed = self.bytes.get(entry.data.clone()).unwrap_or_default();
        locked::read(entry, cipher, sealed, keys, budget).map(Cow::Owned)
    }
}

fn link() -> Refusal {
    Refusal::unsupported("a link or device in an archive")
}

/// Undoes the compression of a member that is not encrypted, or is not any more.
fn expand(entry: &Entry, packed: &[u8]) -> Result<Vec<u8>, Refusal> {
    let at = entry.data.start as u64;
    match entry.method {
        0 if packed.len() as u64 == entry.size => Ok(packed.to_vec()),
        0 => Err(Refusal::malformed(at, "APPNOTE 4.4.8: a stored member has one size")),
        8 => inflate(packed, entry.size, at),
        9 => Err(Refusal::unsupported("deflate64 in an archive")),
        _ => Err(Refusal::unsupported("a compression method other than stored and deflate")),
    }
}

fn check(entry: &Entry, bytes: &[u8]) -> Result<(), Refusal> {
    let mut crc = Crc::new();
    crc.update(bytes);
    if crc.sum() == entry.crc {
        return Ok(());
    }
    Err(Refusal::malformed(entry.data.start as u64, "APPNOTE 4.4.7: CRC-32 of the member"))
}

/// Refuses what unpacks to far more than it is.
fn dense(size: u64, packed: u64) -> Result<(), Refusal> {
    let allowed = packed.saturating_mul(RATIO).max(RATIO_FREE);
    if size > allowed {
        return Err(Refusal::Limit { limit: LimitKind::ExpandedBytes, asked: size, allowed });
    }
    Ok(())
}

/// Unpacks a raw deflate stream that must give `size` bytes and end where `packed` ends.
fn inflate(packed: &[u8], size: u64, at: u64) -> Result<Vec<u8>, Refusal> {
    let malformed = |rule: &'static str| Refusal::malformed(at, rule);
    dense(size, packed.len() as u64)?;
    // RFC 1951 gives at most 258 bytes for two bits: reserve what the bytes we hold can bring forth, no more.
    let reserve = size.min((packed.len() as u64).saturating_mul(1040).saturating_add(64));
    let reserve = usize::try_from(reserve).map_err(|_| malformed("a member larger than memory"))?;
    // One byte more than promised: a stream that goes on is then seen to.
    let mut out = Vec::with_capacity(reserve.saturating_add(1));
    let mut stream = Decompress::new(false);
    let status = stream.decompress_vec(packed, &mut out, FlushDecompress::Finish);
    if !matches!(status, Ok(Status::StreamEnd)) {
        return Err(malformed("RFC 1951: deflate data is damaged or longer than declared"));
    }
    if out.len() as u64 != size {
        return Err(malformed("APPNOTE 4.4.9: uncompressed size"));
    }
    if stream.total_in() != packed.len() as u64 {
        return Err(malformed("bytes after the end of the deflate stream of a member"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
