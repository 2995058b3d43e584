//! The file of a set, version 1. All numbers are little-endian; nothing that follows from something else is stored.
//!
//! ```text
//! front, held in memory        header, 512 bytes (below)
//!   per algorithm              buckets: 2^b + 1 × u32, the number of entries before each bucket; b follows from the count
//!   (MD5, SHA-1, SHA-256)      keys:    count × u32, ascending within a bucket
//! back, read after a hit
//!   per algorithm              records: count × (digest, u32 number of its name), ascending
//!   names                      (names + 1) × u32, where each begins; then their bytes, ascending, each once
//! ```
//! An entry's bucket is the first `b` bits of its digest, its key the 32 bits behind them. Record `n` belongs to key `n`.
//!
//! ```text
//! header   0  magic `SPHASHES`          60  names, u32        208  SHA-256 of the rest of the front
//!          8  version, u32 = 1          64  name bytes, u32   240  SHA-256 of the back
//!         12  purpose, u32: 0 bad,      68  date, 10 bytes    272  zeros
//!             1 good                    78  zeros             480  SHA-256 of the 480 bytes before
//!         16  counts, 3 × u64           80  id, 128 bytes,
//!         40  zeros                         zeros at its end
//! ```

use super::index::HashIndexError;
use super::{Algorithm, Purpose};
use crate::manifest::{check_date, is_name};
use sha2::{Digest as _, Sha256};

/// Size of the header.
pub const HEADER_LEN: usize = 512;
/// Ours: most entries of one algorithm: a front of one GiB.
pub const MOST_ENTRIES: u64 = 1 << 28;

const MAGIC: &[u8; 8] = b"SPHASHES";
const VERSION: u32 = 1;
/// Bytes of the header that its own digest covers.
const COVERED: usize = 480;
/// Ours: a bucket's 16 to 64 keys are one to four cache lines, read in order.
const KEYS_A_BUCKET: u64 = 32;

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub purpose: Purpose,
    /// Entries, in the order of [`Algorithm::ALL`].
    pub counts: [u64; 3],
    pub names: u32,
    pub name_bytes: u32,
    pub date: String,
    pub id: String,
    pub front_sha256: [u8; 32],
    pub back_sha256: [u8; 32],
}

/// Where the entries of one algorithm lie. Bucket and key positions count from the start of the front, records from
/// the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub algorithm: Algorithm,
    pub count: u64,
    pub bits: u32,
    pub buckets_at: u64,
    pub keys_at: u64,
    pub records_at: u64,
}

impl Section {
    /// Bucket and key of a digest that begins with these eight bytes.
    pub fn place(&self, first: [u8; 8]) -> (u64, u32) {
        place(self.bits, first)
    }

    /// Bytes of a record.
    pub const fn record_len(&self) -> u64 {
        (self.algorithm.size() as u64).saturating_add(4)
    }
}

/// See [`Section::place`].
pub(super) fn place(bits: u32, first: [u8; 8]) -> (u64, u32) {
    let number = u64::from_be_bytes(first);
    // A shift by 64, for no bits at all, is no shift in Rust.
    let bucket = number.checked_shr(64_u32.saturating_sub(bits)).unwrap_or(0);
    let behind = number.checked_shl(bits).unwrap_or(0);
    (bucket, (behind >> 32) as u32)
}

/// Number of bits that choose the bucket among `count` entries.
pub(super) const fn bucket_bits(count: u64) -> u32 {
    (count / KEYS_A_BUCKET).saturating_add(1).ilog2()
}

/// Sizes and places, all of which follow from the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub sections: [Section; 3],
    pub front_len: u64,
    pub names_at: u64,
    pub name_bytes_at: u64,
    pub len: u64,
}

impl Header {
    /// `None` where a size is beyond all measure.
    pub fn places(&self) -> Option<Places> {
        let section = |algorithm, count| Section {
            algorithm,
            count,
            bits: bucket_bits(count),
            buckets_at: 0,
            keys_at: 0,
            records_at: 0,
        };
        let [md5, sha1, sha256] = self.counts;
        let [a, b, c] = Algorithm::ALL;
        let mut sections = [section(a, md5), section(b, sha1), section(c, sha256)];
        let mut at = HEADER_LEN as u64;
        for section in &mut sections {
            if section.count > MOST_ENTRIES {
                return None;
            }
            section.buckets_at = at;
            section.keys_at = at.checked_add((1_u64 << section.bits).checked_add(1)?.checked_mul(4)?)?;
            at = section.keys_at.checked_add(section.count.checked_mul(4)?)?;
        }
        let front_len = at;
        for section in &mut sections {
            section.records_at = at;
            at = at.checked_add(section.count.checked_mul(section.record_len())?)?;
        }
        let names_at = at;
        let name_bytes_at = at.checked_add(u64::from(self.names).checked_add(1)?.checked_mul(4)?)?;
        let len = name_bytes_at.checked_add(u64::from(self.name_bytes))?;
        Some(Places { sections, front_len, names_at, name_bytes_at, len })
    }

    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = Vec::with_capacity(HEADER_LEN);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        let purpose: u32 = match self.purpose {
            Purpose::KnownBad => 0,
            Purpose::KnownGood => 1,
        };
        out.extend_from_slice(&purpose.to_le_bytes());
        self.counts.iter().for_each(|count| out.extend_from_slice(&count.to_le_bytes()));
        out.resize(60, 0);
        out.extend_from_slice(&self.names.to_le_bytes());
        out.extend_from_slice(&self.name_bytes.to_le_bytes());
        out.extend_from_slice(self.date.as_bytes());
        out.resize(80, 0);
        out.extend_from_slice(self.id.as_bytes());
        out.resize(208, 0);
        out.extend_from_slice(&self.front_sha256);
        out.extend_from_slice(&self.back_sha256);
        out.resize(COVERED, 0);
        let own = Sha256::digest(&out);
        out.extend_from_slice(&own);
        let mut header = [0; HEADER_LEN];
        header.iter_mut().zip(out).for_each(|(to, from)| *to = from);
        header
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, HashIndexError> {
        let damaged = |what| HashIndexError::Damaged { what };
        let (covered, own) = bytes
            .get(..HEADER_LEN)
            .and_then(|header| header.split_at_checked(COVERED))
            .ok_or_else(|| damaged("it is shorter than its header"))?;
        let mut fields = Fields(covered);
        if fields.take::<8>()? != *MAGIC {
            return Err(damaged("it does not begin like one"));
        }
        let version = fields.u32()?;
        if version != VERSION {
            return Err(HashIndexError::Version { version });
        }
        if Sha256::digest(covered).as_slice() != own {
            return Err(damaged("its header does not match its digest"));
        }
        let purpose = match fields.u32()? {
            0 => Purpose::KnownBad,
            1 => Purpose::KnownGood,
            2.. => return Err(damaged("its purpose is neither bad nor good")),
        };
        let counts = [fields.u64()?, fields.u64()?, fields.u64()?];
        fields.zeros(20)?;
        let (names, name_bytes) = (fields.u32()?, fields.u32()?);
        let date = text(&fields.take::<10>()?);
        fields.zeros(2)?;
        let id = text(&fields.take::<128>()?);
        let (front_sha256, back_sha256) = (fields.take()?, fields.take()?);
        fields.zeros(208)?;
        if check_date(&date).is_err() || !is_name(&id) {
            return Err(damaged("its name or date is none"));
        }
        Ok(Self { purpose, counts, names, name_bytes, date, id, front_sha256, back_sha256 })
    }
}

/// Up to the zeros at the end; whoever calls checks that it is a name.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last.saturating_add(1));
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// Reads one field after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], HashIndexError> {
        let (field, rest) =
            self.0.split_first_chunk::<N>().ok_or(HashIndexError::Damaged { what: "its header is short" })?;
        self.0 = rest;
        Ok(*field)
    }

    fn u32(&mut self) -> Result<u32, HashIndexError> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64, HashIndexError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn zeros(&mut self, count: usize) -> Result<(), HashIndexError> {
        let (unused, rest) = self.0.split_at_checked(count).unwrap_or((&[1], &[]));
        self.0 = rest;
        if unused.iter().any(|b| *b != 0) {
            return Err(HashIndexError::Damaged { what: "its header uses bytes that this version does not" });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            purpose: Purpose::KnownGood,
            counts: [3, 0, 10_000_000],
            names: 2,
            name_bytes: 9,
            date: "2026-01-31".to_owned(),
            id: "test".to_owned(),
            front_sha256: [1; 32],
            back_sha256: [2; 32],
        }
    }

    #[test]
    fn a_header_goes_both_ways_and_every_flipped_bit_is_seen() {
        let bytes = header().encode();
        assert_eq!(Header::decode(&bytes), Ok(header()));
        for at in 0..HEADER_LEN {
            let mut changed = bytes;
            changed[at] ^= 0x10;
            assert!(Header::decode(&changed).is_err(), "byte {at}");
        }
        assert!(Header::decode(&bytes[..HEADER_LEN - 1]).is_err());
    }

    #[test]
    fn bucket_and_key_are_the_first_bits_of_the_digest() {
        let first = 0x8123_4567_89ab_cdef_u64.to_be_bytes();
        assert_eq!(place(0, first), (0, 0x8123_4567));
        assert_eq!(place(4, first), (8, 0x1234_5678));
        assert_eq!(place(16, first), (0x8123, 0x4567_89ab));
    }

    #[test]
    fn ten_million_entries_take_less_than_five_bytes_each() {
        let places = header().places().unwrap();
        assert!(places.front_len < 42_000_000, "{}", places.front_len);
        assert_eq!(Header { counts: [0, MOST_ENTRIES + 1, 0], ..header() }.places(), None);
    }
}
