//! The manifest of a release: an in-toto Statement, version 1, whose subjects are the released files.

use crate::{EvidenceError, PublicKey, StationKey, dsse, time};
use model::{Digest, Format, Method, Outcome, ReasonCode};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Names of the three files of a manifest, in its folder.
pub const MANIFEST: &str = "MANIFEST.dsse.json";
/// The sums, relative to the share's root.
pub const SUMS: &str = "SHA256SUMS";
/// The SSH signature over them.
pub const SUMS_SIGNATURE: &str = "SHA256SUMS.sig";
/// The minisign signature over them, where the station has such a key.
pub const SUMS_MINISIG: &str = "SHA256SUMS.minisig";
/// The folder on a share that holds a folder a session.
pub const FOLDER: &str = "sallyport-manifests";
/// The folder on a share that holds a receipt a session.
pub const RECEIPTS: &str = "sallyport-receipts";
/// What lies in a receipt's folder, beside [`SUMS`] and [`SUMS_SIGNATURE`] over them: the page for the screen, the page
/// for paper, the checkpoint.
pub const RECEIPT_FILES: [&str; 3] = ["RECEIPT.html", "RECEIPT.pdf", "CHECKPOINT.txt"];

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The meaning of the predicate: docs/evidence.md.
const PREDICATE: &str = "https://sallyport.invalid/release/v1";
const WHAT: &str = "the manifest";

/// What a station says about one session that it released files from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// Who says it.
    pub station: StationRow,
    /// About which session.
    pub session: Session,
    /// What was released; the subjects of the statement are these, by their path.
    pub files: Vec<FileRow>,
    /// What came in and was not released.
    pub held: Vec<Held>,
    /// SHA-256 of [`SUMS_MINISIG`], which is made before the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minisig: Option<Digest>,
}

/// The station and what it judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StationRow {
    /// Its name.
    pub name: String,
    /// Version of its software.
    pub software: String,
    /// The zone that the files are for.
    pub zone: String,
    /// SHA-256 of the policy.
    pub policy: Digest,
    /// Engine, and digest and date of its rules.
    pub rules: BTreeMap<String, String>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Number of this release among all of this station, from 1, without gaps.
    pub sequence: u64,
    /// SHA-256 of the statement before it; `null` for the first.
    pub previous: Option<Digest>,
    /// When it was released (RFC 3339, UTC).
    pub time: String,
    /// Whether the clock could be trusted then.
    pub clock: Clock,
    /// Whoever brought the files, as policy wants it named; `null` where nobody was asked.
    pub operator: Option<String>,
    /// Why; `null` where nobody was asked.
    pub purpose: Option<String>,
}

/// What is known of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// The kernel says that it is kept in step with others.
    Synchronised,
    /// It runs by itself.
    Free,
    /// It is behind a time that was seen before.
    Behind,
}

/// A file that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// Path on the medium, as the report names it.
    pub path: String,
    /// SHA-256 of the sealed copy.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
    /// What it was.
    pub format: Format,
}

/// A file that went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileRow {
    /// Path below the share's root.
    pub path: String,
    /// SHA-256 of the released bytes.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
    /// What it is.
    pub format: Format,
    /// How it came about.
    pub method: Method,
    /// From what.
    pub source: Source,
    /// Number of findings by what was done about them.
    pub findings: BTreeMap<String, u64>,
}

/// A file that came in and did not go out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Held {
    /// Path on the medium, as the report names it.
    pub path: String,
    /// SHA-256 of the sealed copy, where there was one.
    pub sha256: Option<Digest>,
    /// Blocked or failed.
    pub verdict: Outcome,
    /// Why.
    pub reason: ReasonCode,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Release,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: BTreeMap<String, Digest>,
}

impl Release {
    /// The statement in its one form: keys in order, no blanks.
    ///
    /// # Errors
    /// [`EvidenceError::Form`] where it says what may not be said, see [`Release::open`].
    pub fn statement(&self) -> Result<Vec<u8>, EvidenceError> {
        self.check()?;
        let statement = Statement {
            kind: STATEMENT.to_owned(),
            subject: self.files.iter().map(subject).collect(),
            predicate_type: PREDICATE.to_owned(),
            predicate: self.clone(),
        };
        // Through a value, whose maps are sorted.
        let value = serde_json::to_value(statement).map_err(|e| EvidenceError::form(WHAT, e.to_string()))?;
        serde_json::to_vec(&value).map_err(|e| EvidenceError::form(WHAT, e.to_string()))
    }

    /// The signed envelope, with the digest that the next release names.
    ///
    /// # Errors
    /// [`EvidenceError::Form`] where it says what may not be said.
    pub fn seal(&self, key: &StationKey) -> Result<(String, Digest), EvidenceError> {
        let statement = self.statement()?;
        Ok((dsse::seal(key, dsse::IN_TOTO, &statement), digest(&statement)))
    }

    /// Opens an envelope that one of `trusted` signed: the release, the digest of its statement, and the key.
    ///
    /// # Errors
    /// [`EvidenceError`] where the signature does not hold, the statement has another form than ours, its subjects are
    /// not its files, a path leads out of the share, two rows name one path, or the time is none.
    pub fn open(envelope: &[u8], trusted: &[PublicKey]) -> Result<(Self, Digest, PublicKey), EvidenceError> {
        let refuse = |rule: &str| EvidenceError::form(WHAT, rule);
        let (payload, key) = dsse::open(envelope, dsse::IN_TOTO, trusted)?;
        let statement: Statement =
            serde_json::from_slice(&payload).map_err(|e| refuse(&format!("not our statement: {e}")))?;
        if statement.kind != STATEMENT || statement.predicate_type != PREDICATE {
            return Err(refuse("another kind of statement"));
        }
        let release = statement.predicate;
        if !statement.subject.iter().eq(release.files.iter().map(subject).collect::<Vec<_>>().iter()) {
            return Err(refuse("its subjects are not its files"));
        }
        release.check()?;
        Ok((release, digest(&payload), key))
    }

    fn check(&self) -> Result<(), EvidenceError> {
        let refuse = |rule: String| Err(EvidenceError::form(WHAT, rule));
        let mut paths = BTreeSet::new();
        for file in &self.files {
            if !is_below(&file.path) {
                return refuse(format!("{:?} is no path below a share", file.path));
            }
            if !paths.insert(&file.path) {
                return refuse(format!("{:?} stands twice", file.path));
            }
        }
        if let Some(held) = self.held.iter().find(|held| held.verdict == Outcome::Released) {
            return refuse(format!("{:?} is called held and released", held.path));
        }
        if time::parse(&self.session.time).is_none() || self.session.sequence == 0 {
            return refuse("no time or no number".into());
        }
        Ok(())
    }

    /// The list for `sha256sum -c`.
    #[must_use]
    pub fn sums(&self) -> String {
        crate::sums::write(&self.files.iter().map(|file| (file.path.clone(), file.sha256)).collect())
    }
}

fn subject(file: &FileRow) -> Subject {
    Subject { name: file.path.clone(), digest: [("sha256".to_owned(), file.sha256)].into() }
}

fn digest(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest::new(sha2::Sha256::digest(bytes).into())
}

/// A relative path without empty, `.` and `..` parts and without control characters.
fn is_below(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release {
        let source = Source { path: "a.docm".into(), sha256: Digest::new([1; 32]), size: 9, format: Format::Docm };
        Release {
            station: StationRow {
                name: "gate-3".into(),
                software: "0.1.0".into(),
                zone: "plant".into(),
                policy: Digest::new([2; 32]),
                rules: [("yara".to_owned(), "…".to_owned())].into(),
            },
            session: Session {
                id: "s".into(),
                sequence: 7,
                previous: Some(Digest::new([3; 32])),
                time: "2026-11-23T12:00:00Z".into(),
                clock: Clock::Free,
                operator: None,
                purpose: None,
            },
            files: vec![FileRow {
                path: "b/a.docx".into(),
                sha256: Digest::new([4; 32]),
                size: 8,
                format: Format::Docx,
                method: Method::Rebuilt,
                source,
                findings: [("removed".to_owned(), 2)].into(),
            }],
            held: vec![Held {
                path: "x.exe".into(),
                sha256: None,
                verdict: Outcome::Blocked,
                reason: ReasonCode::BlockedType,
            }],
            minisig: None,
        }
    }

    #[test]
    fn a_release_goes_both_ways_and_has_one_form() {
        let key = StationKey::from_seed(&[1; 32]);
        let (envelope, digest) = release().seal(&key).unwrap();
        assert_eq!(Release::open(envelope.as_bytes(), &[key.public()]), Ok((release(), digest, key.public())));
        assert_eq!(release().statement().unwrap(), release().statement().unwrap());
        assert_eq!(release().sums(), format!("{}  b/a.docx\n", Digest::new([4; 32])));
    }

    #[test]
    fn what_may_not_be_said_is_not_said_and_not_taken() {
        let key = StationKey::from_seed(&[1; 32]);
        for path in ["", "/etc/passwd", "../x", "a//b", "a/./b", "a\0"] {
            let mut bad = release();
            bad.files[0].path = path.into();
            assert!(bad.statement().is_err(), "{path:?}");
        }
        let mut twice = release();
        twice.files.push(twice.files[0].clone());
        assert!(twice.statement().is_err());
        // A statement with a good signature by a station that was taken over is still held to its form.
        let good = String::from_utf8(release().statement().unwrap()).unwrap();
        for (from, to) in [
            ("b/a.docx\",\"sha256", "../a.docx\",\"sha256"),
            ("\"sequence\":7", "\"sequence\":0"),
            ("{\"_type\"", "{\"x\":1,\"_type\""),
        ] {
            let bent = good.replacen(from, to, 1);
            assert_ne!(bent, good, "{from}");
            let envelope = dsse::seal(&key, dsse::IN_TOTO, bent.as_bytes());
            assert!(Release::open(envelope.as_bytes(), &[key.public()]).is_err(), "{to}");
        }
    }
}
