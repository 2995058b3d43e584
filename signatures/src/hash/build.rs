//! Writing a set.

use super::layout::{HEADER_LEN, Header, MOST_ENTRIES, Places, Section, bucket_bits, place};
use super::{FileDigest, HashIndexError, MOST_NAME_BYTES, Purpose};
use crate::SignatureError;
use crate::manifest::{check_date, check_name, is_name};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

type Entries<const N: usize> = Vec<([u8; N], u32)>;

/// Collects entries, about 36 bytes each, and writes them in the order in which they are looked up. The same entries
/// give the same file, whatever their order.
#[derive(Debug)]
pub struct Builder {
    id: String,
    date: String,
    purpose: Purpose,
    md5: Entries<16>,
    sha1: Entries<20>,
    sha256: Entries<32>,
    names: HashMap<Box<str>, u32>,
}

impl Builder {
    /// Starts a set. `id` names entries that have no name of their own; `date` is that of the newest one.
    ///
    /// # Errors
    /// [`SignatureError`] on a bad name or date.
    pub fn new(id: &str, date: &str, purpose: Purpose) -> Result<Self, SignatureError> {
        check_name(id)?;
        check_date(date)?;
        let (id, date, names) = (id.to_owned(), date.to_owned(), HashMap::new());
        Ok(Self { id, date, purpose, md5: Vec::new(), sha1: Vec::new(), sha256: Vec::new(), names })
    }

    /// Adds an entry. `name` becomes what a report may show; without one the entry is called like its set.
    pub fn add(&mut self, digest: FileDigest, name: Option<&str>) {
        let name = name.and_then(super::name_of);
        let name = name.as_deref().unwrap_or_else(|| self.id.get(..self.id.len().min(MOST_NAME_BYTES)).unwrap_or("x"));
        let number = match self.names.get(name) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                self.names.insert(name.into(), number);
                number
            }
        };
        match digest {
            FileDigest::Md5(bytes) => self.md5.push((bytes, number)),
            FileDigest::Sha1(bytes) => self.sha1.push((bytes, number)),
            FileDigest::Sha256(bytes) => self.sha256.push((bytes, number)),
        }
    }

    /// What the set will be good for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Entries that were added, doubles included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.md5.len().saturating_add(self.sha1.len()).saturating_add(self.sha256.len())
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the set to `out`, which must be empty, and tells how many entries it has. Of doubles, the name that
    /// comes first in the alphabet stays.
    ///
    /// # Errors
    /// `out` can't be written; `InvalidInput` for a set without entries (it would call everything clean) or with too
    /// many.
    pub fn write(mut self, out: impl Write + Seek) -> io::Result<u64> {
        let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidInput, text.to_owned());
        let names = self.sorted_names();
        sort(&mut self.md5, &names.ranks);
        sort(&mut self.sha1, &names.ranks);
        sort(&mut self.sha256, &names.ranks);
        let counts = [self.md5.len() as u64, self.sha1.len() as u64, self.sha256.len() as u64];
        if counts == [0; 3] {
            return Err(invalid("a set without a digest"));
        }
        let (Ok(name_count), Ok(name_bytes)) = (u32::try_from(names.texts.len()), u32::try_from(names.bytes())) else {
            return Err(invalid("more names than a set can hold; leave them out"));
        };
        let mut header = Header {
            purpose: self.purpose,
            counts,
            names: name_count,
            name_bytes,
            date: self.date,
            id: self.id,
            front_sha256: [0; 32],
            back_sha256: [0; 32],
        };
        let too_many = || invalid(&format!("more than {MOST_ENTRIES} entries; make several sets of it"));
        let Places { sections: [md5, sha1, sha256], .. } = header.places().ok_or_else(too_many)?;
        let mut out = Hashed { out, hash: Sha256::new() };
        out.out.write_all(&[0; HEADER_LEN])?;
        header.front_sha256 = out.part(|out| {
            front(out, &self.md5, &md5)?;
            front(out, &self.sha1, &sha1)?;
            front(out, &self.sha256, &sha256)
        })?;
        header.back_sha256 = out.part(|out| {
            records(out, &self.md5)?;
            records(out, &self.sha1)?;
            records(out, &self.sha256)?;
            names.write(out)
        })?;
        out.out.seek(SeekFrom::Start(0))?;
        out.out.write_all(&header.encode())?;
        out.out.flush()?;
        Ok(counts.iter().sum())
    }

    /// Writes the set to memory.
    ///
    /// # Errors
    /// As [`Builder::write`].
    pub fn to_bytes(self) -> io::Result<Vec<u8>> {
        let mut out = io::Cursor::new(Vec::new());
        self.write(&mut out)?;
        Ok(out.into_inner())
    }

    fn sorted_names(&mut self) -> Names {
        let mut texts: Vec<(Box<str>, u32)> = std::mem::take(&mut self.names).into_iter().collect();
        texts.sort();
        let mut ranks = vec![0; texts.len()];
        for ((_, number), rank) in texts.iter().zip(0_u32..) {
            if let Some(slot) = usize::try_from(*number).ok().and_then(|number| ranks.get_mut(number)) {
                *slot = rank;
            }
        }
        Names { texts: texts.into_iter().map(|(text, _)| text).collect(), ranks }
    }
}

/// Names in their order, and the rank of each by the number it was given.
struct Names {
    texts: Vec<Box<str>>,
    ranks: Vec<u32>,
}

impl Names {
    fn bytes(&self) -> usize {
        self.texts.iter().map(|text| text.len()).sum()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut at = 0_u32;
        out.write_all(&at.to_le_bytes())?;
        for text in &self.texts {
            debug_assert!(is_name(text));
            at = at.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
            out.write_all(&at.to_le_bytes())?;
        }
        self.texts.iter().try_for_each(|text| out.write_all(text.as_bytes()))
    }
}

fn sort<const N: usize>(entries: &mut Entries<N>, ranks: &[u32]) {
    for (_, name) in entries.iter_mut() {
        *name = usize::try_from(*name).ok().and_then(|number| ranks.get(number)).copied().unwrap_or(0);
    }
    entries.sort_unstable();
    entries.dedup_by_key(|(digest, _)| *digest);
}

/// Buckets, then keys.
fn front<const N: usize>(out: &mut impl Write, entries: &Entries<N>, section: &Section) -> io::Result<()> {
    debug_assert_eq!(section.bits, bucket_bits(entries.len() as u64));
    let places =
        || entries.iter().map(|(digest, _)| place(section.bits, digest.first_chunk().copied().unwrap_or_default()));
    let mut all = places().map(|(bucket, _)| bucket).peekable();
    let mut before = 0_u32;
    for bucket in 0..=(1_u64 << section.bits) {
        while all.next_if(|found| *found < bucket).is_some() {
            before = before.saturating_add(1);
        }
        out.write_all(&before.to_le_bytes())?;
    }
    places().try_for_each(|(_, key)| out.write_all(&key.to_le_bytes()))
}

fn records<const N: usize>(out: &mut impl Write, entries: &Entries<N>) -> io::Result<()> {
    for (digest, name) in entries {
        out.write_all(digest)?;
        out.write_all(&name.to_le_bytes())?;
    }
    Ok(())
}

/// Digests what passes through.
struct Hashed<W> {
    out: W,
    hash: Sha256,
}

impl<W: Write> Hashed<W> {
    /// Writes one part, in large blocks, and gives its digest.
    fn part(&mut self, write: impl FnOnce(&mut BufWriter<&mut Self>) -> io::Result<()>) -> io::Result<[u8; 32]> {
        let mut out = BufWriter::with_capacity(1 << 20, &mut *self);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        Ok(std::mem::take(&mut self.hash).finalize().into())
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl From<HashIndexError> for SignatureError {
    fn from(error: HashIndexError) -> Self {
        Self::HashIndex { what: error.to_string() }
    }
}
