//! One record and its canonical form, the bytes that are hashed.

use model::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A session begins: station, policy, engines, person, medium.
    SessionBegin,
    /// A session ends, with its sums.
    SessionEnd,
    /// A job goes from one state to the next.
    Job,
    /// A file has its outcome: the whole line of the report.
    File,
    /// A manifest was signed.
    Manifest,
    /// Rules or policy changed.
    Configuration,
    /// A person of the station's staff did something.
    Operator,
    /// Something went into or out of the quarantine.
    Quarantine,
    /// Bodies of older records were pruned, or a name erased.
    Gap,
}

impl Kind {
    /// All kinds with their stable names.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::SessionBegin, "session-begin"),
        (Self::SessionEnd, "session-end"),
        (Self::Job, "job"),
        (Self::File, "file"),
        (Self::Manifest, "manifest"),
        (Self::Configuration, "configuration"),
        (Self::Operator, "operator"),
        (Self::Quarantine, "quarantine"),
        (Self::Gap, "gap"),
    ];

    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// A record that is to be appended.
#[derive(Clone, Debug)]
pub struct New {
    /// What it is about.
    pub kind: Kind,
    /// Which session it belongs to; empty where none.
    pub session: String,
    /// SHA-256 of the file that came in, to be searched by.
    pub input: Option<Digest>,
    /// SHA-256 of the file that went out, to be searched by.
    pub output: Option<Digest>,
    /// Everything else.
    pub body: Value,
}

impl New {
    /// A record about a session and no file.
    #[must_use]
    pub fn about(kind: Kind, session: &str, body: Value) -> Self {
        Self { kind, session: session.to_owned(), input: None, output: None, body }
    }
}

/// A record as it lies in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Number, from 1, without gaps.
    pub seq: u64,
    /// When it was written (RFC 3339, UTC).
    pub time: String,
    /// What it is about; see [`Kind::name`].
    pub kind: String,
    /// Which session it belongs to; empty where none.
    pub session: String,
    /// SHA-256 of the file that came in.
    pub input: Option<Digest>,
    /// SHA-256 of the file that went out.
    pub output: Option<Digest>,
    /// JSON; `None` where it was pruned.
    pub body: Option<String>,
    /// Digest of this record, which the next one carries.
    pub digest: Digest,
}

/// Digest of a record over its canonical form: a line for each field, then the body as it stands.
#[must_use]
pub(crate) fn digest(record: &Fields<'_>, previous: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut head = String::with_capacity(320);
    let hex = |head: &mut String, bytes: Option<&[u8]>| {
        match bytes {
            Some(bytes) => bytes.iter().for_each(|byte| {
                for nibble in [byte >> 4, byte & 15] {
                    head.push(char::from(b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or(b'?')));
                }
            }),
            None => head.push('-'),
        }
        head.push('\n');
    };
    head.push_str("sallyport-record 1\n");
    head.push_str(&record.seq.to_string());
    head.push('\n');
    for field in [record.time, record.kind, record.session] {
        // No field holds a line break: `Journal::append` refuses it.
        head.push_str(field);
        head.push('\n');
    }
    hex(&mut head, record.input);
    hex(&mut head, record.output);
    hex(&mut head, Some(previous));
    hash.update(head.as_bytes());
    hash.update(record.body);
    hash.finalize().into()
}

/// The hashed fields, borrowed from wherever they lie.
pub(crate) struct Fields<'a> {
    pub seq: u64,
    pub time: &'a str,
    pub kind: &'a str,
    pub session: &'a str,
    pub input: Option<&'a [u8]>,
    pub output: Option<&'a [u8]>,
    pub body: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<'a>() -> Fields<'a> {
        Fields { seq: 7, time: "t", kind: "file", session: "s", input: Some(&[1; 32]), output: None, body: b"{}" }
    }

    #[test]
    fn every_field_is_in_the_digest() {
        let base = digest(&fields(), &[0; 32]);
        let others = [
            digest(&Fields { seq: 8, ..fields() }, &[0; 32]),
            digest(&Fields { time: "u", ..fields() }, &[0; 32]),
            digest(&Fields { kind: "job", ..fields() }, &[0; 32]),
            digest(&Fields { session: "", ..fields() }, &[0; 32]),
            digest(&Fields { input: None, ..fields() }, &[0; 32]),
            digest(&Fields { input: None, output: Some(&[1; 32]), ..fields() }, &[0; 32]),
            digest(&Fields { body: b"[]", ..fields() }, &[0; 32]),
            digest(&fields(), &[1; 32]),
        ];
        assert!(others.iter().all(|other| *other != base));
        // Fixed once and for all: journals of years ago must still verify.
        let hex: String = base.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "dec1a63522aef9767afc1b7c92df46a7690e08d1cbe2267a2a395fa62a476059");
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        for (kind, name) in Kind::ALL {
            assert_eq!((kind.name(), Kind::of(name)), (name, Some(kind)));
        }
    }
}
