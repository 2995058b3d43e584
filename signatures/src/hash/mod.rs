//! Sets of digests of whole files: known bad ones, which may never pass, and known good ones, which are only told of.
//!
//! A set is one file ([`layout`]) whose small front part is held in memory, about four bytes an entry, and whose full
//! digests and names stay where they are: they are read only where the front says that a digest may be there. What the
//! front denies is not in the set, what it affirms is proven by the second look, so every answer is exact.

mod build;
pub mod import;
mod index;
mod layout;

pub use build::Builder;
pub use index::{Front, HashIndex, HashIndexError, HashSets, ReadAt, front_len};
pub use layout::{HEADER_LEN, MOST_ENTRIES};

/// What a set is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Files that may never pass, in any form.
    KnownBad,
    /// Files that somebody vouches for. A report tells of it; nothing is skipped and nothing overruled because of it.
    KnownGood,
}

/// How a digest was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5 (RFC 1321).
    Md5,
    /// SHA-1 (FIPS 180-4).
    Sha1,
    /// SHA-256 (FIPS 180-4).
    Sha256,
}

impl Algorithm {
    /// All, the weakest first: the order in which a set holds them.
    pub const ALL: [Self; 3] = [Self::Md5, Self::Sha1, Self::Sha256];

    /// Bytes of a digest.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
        })
    }
}

/// The digest of a whole file. A stronger one is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileDigest {
    /// MD5.
    Md5([u8; 16]),
    /// SHA-1.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256([u8; 32]),
}

impl FileDigest {
    /// How it was made.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Md5(_) => Algorithm::Md5,
            Self::Sha1(_) => Algorithm::Sha1,
            Self::Sha256(_) => Algorithm::Sha256,
        }
    }

    /// Its bytes: 16, 20 or 32 of them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Md5(bytes) => bytes,
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }

    /// Parses 32, 40 or 64 hexadecimal digits of either case; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        match text.len() {
            32 => Some(Self::Md5(bytes_of(text)?)),
            40 => Some(Self::Sha1(bytes_of(text)?)),
            64 => Some(Self::Sha256(bytes_of(text)?)),
            _ => None,
        }
    }

    /// The same, where `algorithm` is known from elsewhere.
    #[must_use]
    pub fn of_kind(algorithm: Algorithm, text: &str) -> Option<Self> {
        Self::from_hex(text).filter(|digest| digest.algorithm() == algorithm)
    }
}

impl std::fmt::Display for FileDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_bytes().iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl From<model::Digest> for FileDigest {
    fn from(digest: model::Digest) -> Self {
        Self::Sha256(*digest.as_bytes())
    }
}

fn bytes_of<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut out = [0; N];
    for (to, [high, low]) in out.iter_mut().zip(pairs) {
        *to = digit(*high)? << 4 | digit(*low)?;
    }
    Some(out)
}

/// A text of somebody else as a name that a report may show: other characters become `_`.
#[must_use]
pub fn name_of(text: &str) -> Option<String> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
    let name: String = text.trim().chars().map(plain).take(MOST_NAME_BYTES).collect();
    name.chars().any(|c| c.is_ascii_alphanumeric()).then_some(name)
}

/// Ours: room for a prefix within the longest name that an engine may report.
pub(crate) const MOST_NAME_BYTES: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_tells_how_a_digest_was_made() {
        for (digits, algorithm) in [(32, Algorithm::Md5), (40, Algorithm::Sha1), (64, Algorithm::Sha256)] {
            let digest = FileDigest::from_hex(&"aB".repeat(digits / 2)).unwrap();
            assert_eq!((digest.algorithm(), digest.as_bytes().len()), (algorithm, algorithm.size()));
            assert_eq!(digest.to_string(), "ab".repeat(digits / 2));
        }
        for bad in ["", "ab", &"g".repeat(32), &"a".repeat(33), &"+a".repeat(16), &"é".repeat(16)] {
            assert_eq!(FileDigest::from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_of_others_become_names_that_a_report_may_show() {
        assert_eq!(name_of(" Trojan:Win32/Bad!x ").as_deref(), Some("Trojan_Win32_Bad_x"));
        assert_eq!(name_of("\u{1b}[2J…"), Some("__2J_".to_owned()));
        assert_eq!(name_of("…/…"), None);
        assert_eq!(name_of(&"x".repeat(500)).map(|name| name.len()), Some(MOST_NAME_BYTES));
    }
}
