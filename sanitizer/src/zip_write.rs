//! A ZIP writer that can express only what we want to be read (ISO/IEC 21320-1, and less).
//!
//! Local headers and central directory agree by construction: both are written from one record. There are no extra
//! fields, comments, data descriptors, attributes or times; methods are stored and deflate; names are UTF-8 (bit 11).
//! The same members give the same bytes. ZIP64 is not written: what would need it is refused.

use flate2::{Compression, Crc, write::DeflateEncoder};
use model::{LimitKind, Refusal};
use std::io::Write;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
/// 2.0: deflate and folders (APPNOTE 4.4.3).
const VERSION: u16 = 20;
/// Bit 11: the name is UTF-8 (APPNOTE 4.4.4).
const UTF8_NAME: u16 = 1 << 11;
/// 1980-01-01, the first day that the format knows (ARC-12).
const DOS_DATE: u16 = 0x21;
/// MS-DOS attribute of a folder.
const FOLDER: u32 = 0x10;

/// Collects members and writes the archive. See the module for what it can't say.
#[derive(Debug, Default)]
pub struct ZipWriter {
    out: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

/// What local header and central directory both say about a member.
struct Record<'a> {
    name: &'a str,
    method: u16,
    crc: u32,
    packed: u32,
    size: u32,
    attributes: u32,
}

impl ZipWriter {
    /// An empty archive.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, deflated where that makes it smaller.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the archive would need ZIP64.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let at = self.out.len();
        let header = header_len(name);
        self.out.resize(at.saturating_add(header), 0);
        let mut encoder = DeflateEncoder::new(std::mem::take(&mut self.out), Compression::default());
        let internal = |_| Refusal::internal("zip_write: deflate into memory");
        encoder.write_all(bytes).map_err(internal)?;
        self.out = encoder.finish().map_err(internal)?;
        let packed = self.out.len().saturating_sub(at).saturating_sub(header);
        self.out.truncate(if packed < bytes.len() { self.out.len() } else { at });
        if packed >= bytes.len() {
            return self.add_stored(name, bytes);
        }
        let record = record(name, 8, bytes, packed)?;
        let head = record.local();
        if let Some(place) = self.out.get_mut(at..at.saturating_add(header)) {
            place.copy_from_slice(&head);
        }
        self.list(&record, at)
    }

    /// Adds a file as it is: for what is compressed already.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the archive would need ZIP64.
    pub fn add_stored(&mut self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let at = self.out.len();
        let record = record(name, 0, bytes, bytes.len())?;
        self.out.extend_from_slice(&record.local());
        self.out.extend_from_slice(bytes);
        self.list(&record, at)
    }

    /// Adds a folder. `name` may or may not end in a slash.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the archive would need ZIP64.
    pub fn add_dir(&mut self, name: &str) -> Result<(), Refusal> {
        let at = self.out.len();
        let name = format!("{}/", name.trim_end_matches('/'));
        let record = Record { attributes: FOLDER, ..record(&name, 0, &[], 0)? };
        self.out.extend_from_slice(&record.local());
        self.list(&record, at)
    }

    /// How many bytes there are so far, without the directory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was added yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Writes the central directory and its end record.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the archive would need ZIP64.
    pub fn finish(mut self) -> Result<Vec<u8>, Refusal> {
        let start = fits(self.out.len())?;
        let size = fits(self.directory.len())?;
        self.out.append(&mut self.directory);
        self.out.extend_from_slice(&END);
        self.out.extend_from_slice(&[0; 4]);
        self.out.extend_from_slice(&self.count.to_le_bytes());
        self.out.extend_from_slice(&self.count.to_le_bytes());
        self.out.extend_from_slice(&size.to_le_bytes());
        self.out.extend_from_slice(&start.to_le_bytes());
        self.out.extend_from_slice(&[0; 2]);
        fits(self.out.len())?;
        Ok(self.out)
    }

    fn list(&mut self, record: &Record<'_>, at: usize) -> Result<(), Refusal> {
        let next = self.count.checked_add(1).filter(|n| *n < u16::MAX);
        self.count = next.ok_or(Refusal::Limit { limit: LimitKind::Entries, asked: 0xffff, allowed: 0xfffe })?;
        let at = fits(at)?;
        let directory = &mut self.directory;
        directory.extend_from_slice(&CENTRAL);
        directory.extend_from_slice(&VERSION.to_le_bytes());
        directory.extend_from_slice(&record.common());
        // Extra length, comment length, disk, internal attributes: all nothing.
        directory.extend_from_slice(&[0; 8]);
        directory.extend_from_slice(&record.attributes.to_le_bytes());
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(record.name.as_bytes());
        Ok(())
    }
}

impl Record<'_> {
    /// The fields that both headers share: from "version needed" to "file name length" (APPNOTE 4.3.7, 4.3.12).
    fn common(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        for half in [VERSION, UTF8_NAME, self.method, 0, DOS_DATE] {
            out.extend_from_slice(&half.to_le_bytes());
        }
        for word in [self.crc, self.packed, self.size] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        // `record` has seen to it that the name is short enough.
        out.extend_from_slice(&u16::try_from(self.name.len()).unwrap_or(0).to_le_bytes());
        out
    }

    fn local(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(header_len(self.name));
        out.extend_from_slice(&LOCAL);
        out.extend_from_slice(&self.common());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(self.name.as_bytes());
        out
    }
}

const fn header_len(name: &str) -> usize {
    name.len().saturating_add(30)
}

fn record<'a>(name: &'a str, method: u16, bytes: &[u8], packed: usize) -> Result<Record<'a>, Refusal> {
    if u16::try_from(name.len()).is_err() {
        return Err(Refusal::unsupported("a member name over 65535 bytes"));
    }
    let mut crc = Crc::new();
    crc.update(bytes);
    Ok(Record { name, method, crc: crc.sum(), packed: fits(packed)?, size: fits(bytes.len())?, attributes: 0 })
}

/// Ours: 0xFFFFFFFF means "see ZIP64", so the largest number that is one is just below.
fn fits(n: usize) -> Result<u32, Refusal> {
    let allowed = u64::from(u32::MAX).saturating_sub(1);
    let refusal = Refusal::Limit { limit: LimitKind::ExpandedBytes, asked: n as u64, allowed };
    u32::try_from(n).ok().filter(|n| *n != u32::MAX).ok_or(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read};

    fn sample() -> Vec<u8> {
        let mut zip = ZipWriter::new();
        zip.add_dir("folder").unwrap();
        zip.add("folder/ümlaut.txt", "hello ".repeat(100).as_bytes()).unwrap();
        zip.add("tiny.txt", b"x").unwrap();
        zip.add_stored("raw.bin", &[7; 100]).unwrap();
        zip.finish().unwrap()
    }

    #[test]
    fn another_reader_finds_the_same_members() {
        let mut zip = zip::ZipArchive::new(Cursor::new(sample())).unwrap();
        let mut seen = Vec::new();
        for i in 0..zip.len() {
            let mut file = zip.by_index(i).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            let stored = file.compression() == zip::CompressionMethod::Stored;
            seen.push((file.name().unwrap().into_owned(), bytes.len(), stored));
        }
        let expected =
            [("folder/", 0, true), ("folder/ümlaut.txt", 600, false), ("tiny.txt", 1, true), ("raw.bin", 100, true)];
        assert_eq!(seen, expected.map(|(n, l, s)| (n.to_owned(), l, s)));
    }

    #[test]
    fn the_same_members_give_the_same_bytes_and_an_empty_archive_is_one() {
        assert_eq!(sample(), sample());
        assert_eq!(ZipWriter::new().finish().unwrap().len(), 22);
    }
}
