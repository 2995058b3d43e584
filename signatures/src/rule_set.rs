//! A set of rule files as one thing with one digest.

use crate::SignatureError;
use crate::manifest::{check_date, check_name};
use model::Digest;
use sha2::{Digest as _, Sha256};

/// One rule file. Its name is the namespace of its rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Name without folder and ending.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Rule files in the order of their names.
///
/// The texts must come from a place that vouches for them: the executable itself, or a bundle whose signature was
/// checked. This type checks form, not origin.
#[derive(Clone, Debug)]
pub struct RuleSet {
    id: String,
    date: String,
    sha256: Digest,
    sources: Vec<Source>,
}

impl RuleSet {
    /// Puts a set together; the order of `sources` does not matter.
    ///
    /// # Errors
    /// [`SignatureError`] on a bad name or date, on two files of one name, and on no file at all: an engine without
    /// rules calls everything clean.
    pub fn new(id: &str, date: &str, mut sources: Vec<Source>) -> Result<Self, SignatureError> {
        check_name(id)?;
        check_date(date)?;
        sources.iter().try_for_each(|source| check_name(&source.name))?;
        sources.sort();
        if sources.is_empty() {
            return Err(SignatureError::RuleSet { what: "there is no rule file in it".to_owned() });
        }
        if let Some(pair) = sources.array_windows::<2>().find(|[a, b]| a.name == b.name) {
            return Err(SignatureError::RuleSet { what: format!("two files are called {:?}", pair[0].name) });
        }
        let sha256 = digest(&sources);
        Ok(Self { id: id.to_owned(), date: date.to_owned(), sha256, sources })
    }

    /// Name of the set.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When the newest rule was written (`YYYY-MM-DD`).
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Digest over names and texts: two sets with the same rules have the same one.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.sha256
    }

    /// The files, in the order of their names.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
}

impl RuleSet {
    /// The files as one run of bytes, to hand them to a jail.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields = self.sources.iter().flat_map(|source| [&source.name, &source.text]);
        fields.flat_map(|field| [&(field.len() as u64).to_le_bytes()[..], field.as_bytes()].concat()).collect()
    }

    /// The files from such a run. Name and date of the set do not travel.
    ///
    /// # Errors
    /// [`SignatureError`] where the bytes are none, or the files no set.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, SignatureError> {
        let bad = || SignatureError::RuleSet { what: "these bytes are no rule files".to_owned() };
        let mut field = || {
            let (len, rest) = bytes.split_first_chunk::<8>()?;
            let (field, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
            bytes = rest;
            Some((String::from_utf8(field.to_vec()).ok()?, rest.is_empty()))
        };
        let mut sources = Vec::new();
        loop {
            let ((name, _), (text, last)) = field().zip(field()).ok_or_else(bad)?;
            sources.push(Source { name, text });
            if last {
                return Self::new("jail", "1970-01-01", sources);
            }
        }
    }
}

/// Every field is led by its length, so that no text can be moved from one file into the next unnoticed.
fn digest(sources: &[Source]) -> Digest {
    let mut hash = Sha256::new();
    for field in sources.iter().flat_map(|source| [&source.name, &source.text]) {
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field.as_bytes());
    }
    Digest::new(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(files: &[(&str, &str)]) -> Result<RuleSet, SignatureError> {
        let sources = files.iter().map(|(n, t)| Source { name: (*n).to_owned(), text: (*t).to_owned() }).collect();
        RuleSet::new("test", "2026-01-31", sources)
    }

    #[test]
    fn the_digest_is_of_the_rules_whatever_their_order() {
        let one = set(&[("a", "x"), ("b", "y")]).unwrap().sha256();
        assert_eq!(one, set(&[("b", "y"), ("a", "x")]).unwrap().sha256());
        for other in [[("a", "x"), ("b", "z")], [("a", "xb"), ("b", "y")], [("a", "y"), ("b", "x")]] {
            assert_ne!(one, set(&other).unwrap().sha256(), "{other:?}");
        }
        // Fixed once and for all: records of years ago must still name the same rules.
        assert_eq!(one.to_string(), "45e7e7b0176844e5983b149980a409f6de3fb70fb4363d384711465c7b02c191");
    }

    #[test]
    fn files_travel_as_bytes() {
        let one = set(&[("a", "x"), ("b", "")]).unwrap();
        let bytes = one.to_bytes();
        assert_eq!(RuleSet::from_bytes(&bytes).unwrap().sources(), one.sources());
        assert!((0..bytes.len()).filter(|cut| RuleSet::from_bytes(&bytes[..*cut]).is_ok()).eq([18]));
    }

    #[test]
    fn a_set_without_rules_or_with_two_files_of_one_name_is_refused() {
        assert!(set(&[]).is_err());
        assert!(set(&[("a", "x"), ("a", "y")]).is_err());
        assert!(set(&[("../a", "x")]).is_err());
    }
}
