//! Lists of SHA-256 digests of whole files.
//!
//! Text, strict: empty lines, comments that start with `#` in the first column, and `digest name` with one blank
//! between, in ascending order of the digests, each once. Anything else refuses the list.

use crate::SignatureError;
use crate::manifest::{Manifest, is_name};
use model::Digest;
use sha2::{Digest as _, Sha256};

/// One entry: a file that is known to be bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBad {
    /// SHA-256 of all its bytes.
    pub sha256: Digest,
    /// What a report calls it.
    pub name: String,
}

/// Entries in the order of their digests.
#[derive(Clone, Debug)]
pub struct HashList {
    id: String,
    date: String,
    sha256: Digest,
    entries: Vec<KnownBad>,
}

impl HashList {
    pub(crate) fn parse(manifest: &Manifest, text: &str) -> Result<Self, SignatureError> {
        let mut entries: Vec<KnownBad> = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |rule| SignatureError::HashList { line: number, rule };
            let entry = entry(line).map_err(bad)?;
            if entries.last().is_some_and(|last| last.sha256 >= entry.sha256) {
                return Err(bad("digests stand in ascending order, each once"));
            }
            entries.push(entry);
        }
        let sha256 = Digest::new(Sha256::digest(text.as_bytes()).into());
        Ok(Self { id: manifest.id.clone(), date: manifest.date.clone(), sha256, entries })
    }

    /// The entry for a file with this digest.
    #[must_use]
    pub fn find(&self, sha256: Digest) -> Option<&KnownBad> {
        let at = self.entries.binary_search_by_key(&sha256, |entry| entry.sha256).ok()?;
        self.entries.get(at)
    }

    /// Name of the list.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When the newest entry was added (`YYYY-MM-DD`).
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Digest of the list's text.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.sha256
    }

    /// All entries, in the order of their digests.
    #[must_use]
    pub fn entries(&self) -> &[KnownBad] {
        &self.entries
    }
}

fn entry(line: &str) -> Result<KnownBad, &'static str> {
    let (digest, name) = line.split_once(' ').ok_or("an entry is a digest, a blank and a name")?;
    if digest.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("digests are lower case");
    }
    let sha256 = Digest::from_hex(digest).ok_or("a digest is 64 hexadecimal digits")?;
    if !is_name(name) {
        return Err("a name is letters, digits, '_', '.' and '-', at most 128 of them");
    }
    Ok(KnownBad { sha256, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<HashList, SignatureError> {
        HashList::parse(&Manifest { id: "test".to_owned(), date: "2026-01-31".to_owned() }, text)
    }

    fn hex(byte: u8) -> String {
        Digest::new([byte; 32]).to_string()
    }

    #[test]
    fn entries_are_found_by_digest_and_others_are_not() {
        let list = parse(&format!("# why\n\n{} one\n{} two\n", hex(1), hex(7))).unwrap();
        assert_eq!(list.find(Digest::new([7; 32])).map(|e| e.name.as_str()), Some("two"));
        assert_eq!(list.find(Digest::new([2; 32])), None);
        assert_eq!(parse("").unwrap().find(Digest::new([0; 32])), None);
    }

    #[test]
    fn a_line_that_is_not_quite_right_refuses_the_list() {
        let (a, b) = (hex(0xa1), hex(0xb2));
        for (line, text) in [
            (1, format!("{a}\n")),
            (1, format!("{} x\n", a.to_uppercase())),
            (1, format!("{} x\n", &a[1..])),
            (1, format!("{a} x y\n")),
            (1, format!("{a}  x\n")),
            (1, format!(" {a} x\n")),
            (1, format!("{a} x # comment\n")),
            (2, format!("{b} x\n{a} y\n")),
            (2, format!("{a} x\n{a} y\n")),
        ] {
            match parse(&text) {
                Err(SignatureError::HashList { line: at, .. }) => assert_eq!(at, line, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
