//! Looking digests up in a set.

use super::layout::{HEADER_LEN, Header, Places, Section};
use super::{Algorithm, FileDigest, Purpose};
use crate::manifest::is_name;
use model::Digest;
use sha2::{Digest as _, Sha256};
use std::ops::Deref;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The part of a set that is held in memory. It must never change: sealed memory, or memory of our own.
pub type Front = Arc<dyn Deref<Target = [u8]> + Send + Sync>;

/// The whole file of a set, for the second look.
pub trait ReadAt: Send + Sync {
    /// Fills `buffer` from `offset` of the file.
    ///
    /// # Errors
    /// Fewer bytes are there, or the disk failed.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()>;

    /// Size of the file in bytes.
    ///
    /// # Errors
    /// It can't be told.
    fn size(&self) -> std::io::Result<u64>;
}

impl ReadAt for std::fs::File {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }

    fn size(&self) -> std::io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for Vec<u8> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = self.get(start..start.saturating_add(buffer.len()));
        buffer.copy_from_slice(found.ok_or(std::io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn size(&self) -> std::io::Result<u64> {
        Ok(self.len() as u64)
    }
}

/// Why a set can't be used, or a look-up not be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashIndexError {
    /// It is not what a builder wrote.
    #[error("the hash index is damaged: {what}; import its list again")]
    Damaged {
        /// What is wrong with it.
        what: &'static str,
    },
    /// It was written by another version of this program.
    #[error("the hash index is of version {version}, this program knows version 1; import its list again")]
    Version {
        /// What it says.
        version: u32,
    },
    /// The file can't be read.
    #[error("the hash index cannot be read: {error}")]
    Read {
        /// What the system says.
        error: String,
    },
}

fn damaged(what: &'static str) -> HashIndexError {
    HashIndexError::Damaged { what }
}

fn unread(error: &std::io::Error) -> HashIndexError {
    HashIndexError::Read { error: error.to_string() }
}

/// Length of the front of the set whose file begins with `header`, [`HEADER_LEN`] bytes: what to seal and map.
///
/// # Errors
/// [`HashIndexError`] where this is not the header of a set.
pub fn front_len(header: &[u8]) -> Result<u64, HashIndexError> {
    let places = Header::decode(header)?.places();
    places.map(|places| places.front_len).ok_or_else(|| damaged("it says that it is larger than any set"))
}

/// A set of digests, ready for look-ups from many threads.
#[derive(Clone)]
pub struct HashIndex {
    header: Header,
    places: Places,
    sha256: Digest,
    front: Front,
    file: Arc<dyn ReadAt>,
}

impl std::fmt::Debug for HashIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HashIndex").field("header", &self.header).finish_non_exhaustive()
    }
}

impl HashIndex {
    /// Opens the set whose first [`front_len`] bytes are `front` and whose whole is `file`.
    ///
    /// The header, all sizes and all bucket tables are checked; keys and records are when they are looked at. That the
    /// file as a whole is the one that was imported is the affair of [`HashIndex::check_whole`] and of the store.
    ///
    /// # Errors
    /// [`HashIndexError`] with what to do.
    pub fn open(front: Front, file: Arc<dyn ReadAt>) -> Result<Self, HashIndexError> {
        let bytes: &[u8] = &front;
        let header = Header::decode(bytes)?;
        let places = header.places().ok_or_else(|| damaged("it says that it is larger than any set"))?;
        if bytes.len() as u64 != places.front_len {
            return Err(damaged("its front has another length than its header says"));
        }
        if file.size().map_err(|error| unread(&error))? != places.len {
            return Err(damaged("it has another length than its header says"));
        }
        places.sections.iter().try_for_each(|section| check_buckets(bytes, section))?;
        let sha256 = Digest::new(Sha256::digest(bytes.get(..HEADER_LEN).unwrap_or_default()).into());
        Ok(Self { header, places, sha256, front, file })
    }

    /// Opens a set that is in memory as a whole: the lists that are built in, and tests.
    ///
    /// # Errors
    /// As [`HashIndex::open`].
    pub fn in_memory(bytes: Vec<u8>) -> Result<Self, HashIndexError> {
        let front = usize::try_from(front_len(&bytes)?).unwrap_or(usize::MAX);
        let front = bytes.get(..front).ok_or_else(|| damaged("it is shorter than its front"))?.to_vec();
        Self::open(Arc::new(front), Arc::new(bytes))
    }

    /// Reads all of it and holds it against the digests in its header: for activation, not for every start.
    ///
    /// # Errors
    /// [`HashIndexError`] where a byte is another than was written, or can't be read.
    pub fn check_whole(&self) -> Result<(), HashIndexError> {
        let rest = self.front.get(HEADER_LEN..).unwrap_or_default();
        if Sha256::digest(rest).as_slice() != self.header.front_sha256 {
            return Err(damaged("its front does not match its digest"));
        }
        let mut hash = Sha256::new();
        let mut block = vec![0; 1 << 20];
        let mut at = self.places.front_len;
        while at < self.places.len {
            let left = usize::try_from(self.places.len.saturating_sub(at)).unwrap_or(usize::MAX);
            let n = left.min(block.len());
            let part = block.get_mut(..n).unwrap_or_default();
            self.file.read_exact_at(part, at).map_err(|error| unread(&error))?;
            hash.update(&*part);
            at = at.saturating_add(n as u64);
        }
        if hash.finalize().as_slice() != self.header.back_sha256 {
            return Err(damaged("its records do not match their digest"));
        }
        Ok(())
    }

    /// The name of the entry for a file with this digest.
    ///
    /// # Errors
    /// [`HashIndexError`] where the set can't tell: whoever asked has not looked the file up.
    pub fn find(&self, digest: &FileDigest) -> Result<Option<String>, HashIndexError> {
        let Some(section) = self.places.sections.iter().find(|s| s.algorithm == digest.algorithm()) else {
            return Err(damaged("it has no part for this kind of digest"));
        };
        let first = digest.as_bytes().first_chunk::<8>().ok_or_else(|| damaged("a digest is short"))?;
        let (bucket, key) = section.place(*first);
        let (from, to) = (self.number(section, bucket)?, self.number(section, bucket.saturating_add(1))?);
        let keys = table(&self.front, section.keys_at, section.count).and_then(|keys| keys.get(from..to));
        let Some(range) = equal_range(keys.ok_or_else(|| damaged("a bucket lies outside"))?, key)? else {
            return Ok(None);
        };
        for at in range {
            let record = self.record(section, from.saturating_add(at))?;
            let (found, name) = record.split_at_checked(section.algorithm.size()).unwrap_or_default();
            if found == digest.as_bytes() {
                return self.name(name).map(Some);
            }
            if found.first_chunk::<8>().map(|first| section.place(*first)) != Some((bucket, key)) {
                return Err(damaged("a record does not belong to its key"));
            }
        }
        Ok(None)
    }

    /// Entries before `bucket`.
    fn number(&self, section: &Section, bucket: u64) -> Result<usize, HashIndexError> {
        let buckets = table(&self.front, section.buckets_at, bucket_count(section));
        let number = buckets.and_then(|buckets| buckets.get(usize::try_from(bucket).ok()?).copied());
        let number = number.map(u32::from_le_bytes).ok_or_else(|| damaged("a bucket is missing"))?;
        usize::try_from(number).map_err(|_| damaged("a bucket lies outside"))
    }

    /// The second look.
    fn record(&self, section: &Section, at: usize) -> Result<Vec<u8>, HashIndexError> {
        let len = section.record_len();
        let offset = (at as u64).checked_mul(len).and_then(|offset| section.records_at.checked_add(offset));
        let offset = offset.ok_or_else(|| damaged("a record lies outside"))?;
        let mut record = vec![0; usize::try_from(len).unwrap_or(0)];
        self.file.read_exact_at(&mut record, offset).map_err(|error| unread(&error))?;
        Ok(record)
    }

    fn name(&self, number: &[u8]) -> Result<String, HashIndexError> {
        let number = number.first_chunk().map(|n| u32::from_le_bytes(*n)).filter(|n| *n < self.header.names);
        let number = number.ok_or_else(|| damaged("an entry has no name"))?;
        let mut bounds = [0; 8];
        let offset = self.places.names_at.saturating_add(u64::from(number).saturating_mul(4));
        self.file.read_exact_at(&mut bounds, offset).map_err(|error| unread(&error))?;
        let [a, b, c, d, e, f, g, h] = bounds;
        let (from, to) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        let len = to.checked_sub(from).filter(|len| (1..=128).contains(len) && to <= self.header.name_bytes);
        let mut name = vec![0; len.and_then(|len| usize::try_from(len).ok()).ok_or_else(|| damaged("a name"))?];
        let offset = self.places.name_bytes_at.saturating_add(u64::from(from));
        self.file.read_exact_at(&mut name, offset).map_err(|error| unread(&error))?;
        let name = String::from_utf8(name).ok().filter(|name| is_name(name));
        name.ok_or_else(|| damaged("a name is none"))
    }

    /// Name of the set.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.header.id
    }

    /// When its newest entry was added (`YYYY-MM-DD`).
    #[must_use]
    pub fn date(&self) -> &str {
        &self.header.date
    }

    /// What it is good for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.header.purpose
    }

    /// Number of entries of one kind.
    #[must_use]
    pub fn count(&self, algorithm: Algorithm) -> u64 {
        self.places.sections.iter().filter(|section| section.algorithm == algorithm).map(|section| section.count).sum()
    }

    /// Number of all entries.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.header.counts.iter().sum()
    }

    /// Bytes that are held in memory.
    #[must_use]
    pub fn bytes_in_memory(&self) -> u64 {
        self.places.front_len
    }

    /// Digest of the set: of its header, which holds digests of all the rest.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.sha256
    }
}

const fn bucket_count(section: &Section) -> u64 {
    (1_u64 << section.bits).saturating_add(1)
}

/// `count` numbers at `at`.
fn table(front: &[u8], at: u64, count: u64) -> Option<&[[u8; 4]]> {
    let (at, count) = (usize::try_from(at).ok()?, usize::try_from(count).ok()?);
    let bytes = front.get(at..at.checked_add(count.checked_mul(4)?)?)?;
    Some(bytes.as_chunks::<4>().0)
}

fn check_buckets(front: &[u8], section: &Section) -> Result<(), HashIndexError> {
    let buckets = table(front, section.buckets_at, bucket_count(section)).ok_or_else(|| damaged("a table is short"))?;
    let mut last = 0;
    for number in buckets.iter().map(|number| u32::from_le_bytes(*number)) {
        if number < last {
            return Err(damaged("its buckets are out of order"));
        }
        last = number;
    }
    let first = buckets.first().map(|number| u32::from_le_bytes(*number));
    if first != Some(0) || u64::from(last) != section.count {
        return Err(damaged("its buckets do not hold all entries"));
    }
    Ok(())
}

/// Where `key` stands among the keys of a bucket. The whole bucket is read: a few cache lines, and an order that is
/// broken is noticed where a binary search would miss an entry.
fn equal_range(keys: &[[u8; 4]], key: u32) -> Result<Option<std::ops::Range<usize>>, HashIndexError> {
    let (mut last, mut from, mut to) = (0, None, 0);
    for (at, found) in keys.iter().map(|key| u32::from_le_bytes(*key)).enumerate() {
        if found < last {
            return Err(damaged("its keys are out of order"));
        }
        last = found;
        if found == key {
            from.get_or_insert(at);
            to = at.saturating_add(1);
        }
    }
    Ok(from.map(|from| from..to))
}

/// All sets that are in force.
#[derive(Clone, Debug, Default)]
pub struct HashSets {
    sets: Vec<HashIndex>,
    date: Option<String>,
}

impl HashSets {
    /// The sets in the order of their names: reports then do not depend on the order in which they were found.
    #[must_use]
    pub fn new(mut sets: Vec<HashIndex>) -> Self {
        sets.sort_by(|a, b| (a.id(), a.sha256()).cmp(&(b.id(), b.sha256())));
        Self { sets, date: None }
    }

    /// The same, where the sets came together on `date` (`YYYY-MM-DD`): built-in ones are as young as what they came with.
    #[must_use]
    pub fn dated(self, date: &str) -> Self {
        Self { date: Some(date.to_owned()), ..self }
    }

    /// The sets.
    #[must_use]
    pub fn sets(&self) -> &[HashIndex] {
        &self.sets
    }

    /// Whether a look-up needs a digest of this kind.
    #[must_use]
    pub fn need(&self, algorithm: Algorithm) -> bool {
        self.sets.iter().any(|set| set.count(algorithm) > 0)
    }

    /// Digest over all sets.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        let mut hash = Sha256::new();
        self.sets.iter().for_each(|set| hash.update(set.sha256().as_bytes()));
        Digest::new(hash.finalize().into())
    }

    /// When the newest entry of a known-bad set was added; `1970-01-01` where there is none.
    #[must_use]
    pub fn date(&self) -> &str {
        if let Some(date) = &self.date {
            return date;
        }
        let bad = self.sets.iter().filter(|set| set.purpose() == Purpose::KnownBad);
        bad.map(HashIndex::date).max().unwrap_or("1970-01-01")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Builder;

    /// Digest `n` of a list: spread over all buckets, and the same in every run.
    fn digest(n: u64) -> FileDigest {
        FileDigest::Sha256(Sha256::digest(n.to_le_bytes()).into())
    }

    fn file(count: u64) -> Vec<u8> {
        let mut builder = Builder::new("test", "2026-01-31", Purpose::KnownBad).unwrap();
        // Not in order.
        (0..count).rev().for_each(|n| builder.add(digest(n), Some(&format!("name-{}", n % 7))));
        builder.add(FileDigest::Md5([7; 16]), None);
        builder.add(FileDigest::Sha1([9; 20]), Some("one"));
        builder.to_bytes().unwrap()
    }

    #[test]
    fn every_entry_is_found_under_its_name_and_nothing_else_is() {
        for count in [0, 1, 31, 1_000, 20_000] {
            let index = HashIndex::in_memory(file(count)).unwrap();
            index.check_whole().unwrap();
            assert_eq!(index.entries(), count + 2);
            for n in 0..count {
                assert_eq!(index.find(&digest(n)).unwrap(), Some(format!("name-{}", n % 7)));
                assert_eq!(index.find(&digest(n + count)).unwrap(), None);
            }
            assert_eq!(index.find(&FileDigest::Md5([7; 16])).unwrap().as_deref(), Some("test"));
            assert_eq!(index.find(&FileDigest::Sha1([9; 20])).unwrap().as_deref(), Some("one"));
            assert_eq!(index.find(&FileDigest::Sha1([8; 20])).unwrap(), None);
        }
    }

    /// What the front can't tell apart, the second look does.
    #[test]
    fn digests_that_differ_at_their_end_only_are_told_apart() {
        let mut builder = Builder::new("test", "2026-01-31", Purpose::KnownBad).unwrap();
        let twin = |end: u8| FileDigest::Sha256(std::array::from_fn(|i| if i == 31 { end } else { 0xaa }));
        [1, 3, 5].into_iter().for_each(|end| builder.add(twin(end), Some(&format!("end-{end}"))));
        let index = HashIndex::in_memory(builder.to_bytes().unwrap()).unwrap();
        for end in 0..8 {
            let wanted = [1, 3, 5].contains(&end).then(|| format!("end-{end}"));
            assert_eq!(index.find(&twin(end)).unwrap(), wanted);
        }
    }

    #[test]
    fn the_same_entries_make_the_same_file() {
        let mut names = ["b", "a", "c"];
        let mut make = || {
            names.rotate_left(1);
            let mut builder = Builder::new("test", "2026-01-31", Purpose::KnownGood).unwrap();
            names.iter().for_each(|name| builder.add(digest(name.len() as u64), Some(name)));
            names
                .iter()
                .zip(2..)
                .for_each(|(name, n)| builder.add(digest(n + u64::from(name.as_bytes()[0])), Some(name)));
            builder
        };
        let twice = |builder: Builder| HashIndex::in_memory(builder.to_bytes().unwrap()).unwrap();
        let index = twice(make());
        assert_eq!(index.find(&digest(1)).unwrap().as_deref(), Some("a"), "of doubles, the first name stays");
        let mut forward = Builder::new("test", "2026-01-31", Purpose::KnownBad).unwrap();
        let mut backward = Builder::new("test", "2026-01-31", Purpose::KnownBad).unwrap();
        (0..100).for_each(|n| forward.add(digest(n), Some(&format!("n{n}"))));
        (0..100).rev().for_each(|n| backward.add(digest(n), Some(&format!("n{n}"))));
        assert_eq!(forward.to_bytes().unwrap(), backward.to_bytes().unwrap());
    }

    #[test]
    fn a_set_without_entries_is_not_written() {
        let builder = Builder::new("test", "2026-01-31", Purpose::KnownBad).unwrap();
        assert!(builder.to_bytes().is_err());
    }

    /// Any byte changed anywhere: refused when opened, or noticed by the whole check; a look-up never panics and never
    /// finds an entry under a wrong digest.
    #[test]
    fn a_damaged_file_is_noticed() {
        let good = file(200);
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x41;
            let Ok(index) = HashIndex::in_memory(bytes) else { continue };
            assert!(index.check_whole().is_err(), "byte {at}");
            (0..8).for_each(|n| assert!(matches!(index.find(&digest(n + 5_000)), Ok(None) | Err(_))));
            (0..8).for_each(|n| drop(index.find(&digest(n))));
        }
        for len in (0..good.len()).step_by(97) {
            assert!(HashIndex::in_memory(good[..len].to_vec()).is_err(), "{len}");
        }
    }

    #[test]
    fn keys_out_of_order_are_an_error_and_no_miss() {
        assert_eq!(equal_range(&[[1, 0, 0, 0], [3, 0, 0, 0], [3, 0, 0, 0]], 3), Ok(Some(1..3)));
        assert_eq!(equal_range(&[[1, 0, 0, 0]], 2), Ok(None));
        assert!(equal_range(&[[3, 0, 0, 0], [1, 0, 0, 0]], 1).is_err());
    }
}
