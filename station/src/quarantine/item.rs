//! One held original: a folder with `original.age`, `item.json` and the station's signature over that.

use super::QuarantineError;
use evidence::sshsig::{self, Purpose};
use evidence::{PublicKey, StationKey};
use model::{Digest, EngineRow, Format, Outcome, Reason, ReportLine};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The encrypted original.
pub(super) const ORIGINAL: &str = "original.age";
/// What is known of it.
pub(super) const ITEM: &str = "item.json";
/// The signature over [`ITEM`], for `ssh-keygen -Y verify -n sallyport-quarantine`.
pub(super) const SIGNATURE: &str = "item.json.sig";
/// Version of the form.
const VERSION: u32 = 1;
/// Ours: what `item.json` may be long; names and reasons are capped where they come from.
const MOST_BYTES: u64 = 1 << 20;
/// Ours: detections that are told one by one.
const MOST_DETECTIONS: usize = 50;

/// What is known of a held original. Written once, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    version: u32,
    /// Its id, and the name of its folder.
    pub item: String,
    /// When it was put there (RFC 3339, UTC).
    pub kept: String,
    /// The station that did.
    pub station: String,
    /// In which session.
    pub session: String,
    /// The zone it was on its way to.
    pub zone: String,
    /// Path on the medium, as the report names it. May hold personal data: it goes with the item.
    pub name: String,
    /// SHA-256 of the original.
    pub sha256: Digest,
    /// Bytes of the original.
    pub size: u64,
    /// What it is, where a jail could say.
    pub format: Option<Format>,
    /// Blocked or failed.
    pub verdict: Outcome,
    /// Why.
    pub reason: Reason,
    /// Ids of what was met in it.
    pub findings: Vec<String>,
    /// What engines named in it.
    pub detections: Vec<String>,
    /// Digest of the policy.
    pub policy: Digest,
    /// Engine by engine the digest of its rules.
    pub rules: BTreeMap<String, String>,
    /// Who can open it.
    pub recipients: Vec<String>,
    /// Whether that is the station itself.
    pub station_key: bool,
    /// The encrypted file.
    pub encrypted: Encrypted,
}

/// Digest and size of `original.age`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encrypted {
    /// SHA-256.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
}

/// Where and under which terms an item comes about.
pub(super) struct Origin<'a> {
    pub station: &'a str,
    pub session: &'a str,
    pub zone: &'a str,
    pub policy: Digest,
    pub recipients: Vec<String>,
    pub station_key: bool,
    pub kept: String,
}

impl Item {
    pub(super) fn new(id: String, origin: Origin<'_>, of: &Held<'_>, encrypted: Encrypted) -> Self {
        let line = of.line;
        let findings: BTreeSet<String> = line.findings.iter().map(|finding| finding.id.clone()).collect();
        let named = |row: &EngineRow| {
            let bad = row.matches.iter().filter(|found| found.malicious);
            bad.map(|found| format!("{} ({})", found.rule, row.engine)).collect::<Vec<_>>()
        };
        Self {
            version: VERSION,
            item: id,
            kept: origin.kept,
            station: origin.station.to_owned(),
            session: origin.session.to_owned(),
            zone: origin.zone.to_owned(),
            name: line.input.clone(),
            sha256: of.digest,
            size: line.size,
            format: line.format,
            verdict: line.verdict,
            reason: of.reason.clone(),
            findings: findings.into_iter().collect(),
            detections: line.engines.iter().flat_map(named).take(MOST_DETECTIONS).collect(),
            policy: origin.policy,
            rules: line.engines.iter().map(|row| (row.engine.clone(), row.rules.clone())).collect(),
            recipients: origin.recipients,
            station_key: origin.station_key,
            encrypted,
        }
    }

    /// Writes and syncs the two files beside the encrypted one: the digest of `item.json`.
    pub(super) fn write(&self, folder: &Path, key: &StationKey) -> std::io::Result<Digest> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        private(&folder.join(ITEM), text.as_bytes())?;
        let signature = sshsig::sign(key, Purpose::Quarantine, text.as_bytes());
        private(&folder.join(SIGNATURE), signature.as_bytes())?;
        File::open(folder)?.sync_all()?;
        Ok(digest(text.as_bytes()))
    }

    /// Reads the item in `folder`, which must be called `id`: signed by this station, of our form, with its original of
    /// the right length. The digest of its `item.json` comes with it.
    pub(super) fn read(folder: &Path, id: &str, key: &PublicKey) -> Result<(Self, Digest), QuarantineError> {
        let damaged = |what: String| QuarantineError::Damaged { item: id.to_owned(), what };
        let text = text(&folder.join(ITEM)).map_err(|error| damaged(format!("{ITEM}: {error}")))?;
        let signature =
            self::text(&folder.join(SIGNATURE)).map_err(|error| damaged(format!("{SIGNATURE}: {error}")))?;
        match sshsig::verify(&signature, Purpose::Quarantine, text.as_bytes()) {
            Ok(by) if by == *key => {}
            Ok(by) => return Err(damaged(format!("it is signed by the key {}, not by this station's", by.id()))),
            Err(_) => return Err(damaged("the station's signature over it does not hold".to_owned())),
        }
        let item: Self = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if item.version != VERSION || item.item != id {
            return Err(damaged("it belongs to another item, or is of another version".to_owned()));
        }
        let size = std::fs::symlink_metadata(folder.join(ORIGINAL)).ok().filter(std::fs::Metadata::is_file);
        if size.is_none_or(|meta| meta.len() != item.encrypted.size) {
            return Err(damaged("its original is missing or of another length".to_owned()));
        }
        Ok((item, digest(text.as_bytes())))
    }
}

/// What was withheld, as far as an item tells of it.
pub(super) struct Held<'a> {
    pub line: &'a ReportLine,
    pub digest: Digest,
    pub reason: &'a Reason,
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// A new file of mode 0600, synced.
pub(super) fn private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new file of mode 0600.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

fn text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    if file.take(MOST_BYTES).read_to_string(&mut text)? as u64 == MOST_BYTES {
        return Err(std::io::Error::other("it is too long"));
    }
    Ok(text)
}
