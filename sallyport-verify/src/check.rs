//! The check itself: manifests first, then every entry of the share against them.

use crate::share::{self, Entry};
use crate::state::{Last, State};
use evidence::release::{FOLDER, MANIFEST, RECEIPT_FILES, RECEIPTS, SUMS, SUMS_MINISIG, SUMS_SIGNATURE};
use evidence::sshsig::Purpose;
use evidence::{PublicKey, Release, sshsig, sums, time};
use model::Digest;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What to hold a share against.
#[derive(Clone, Debug)]
pub struct Options {
    /// Keys whose word counts.
    pub trusted: Vec<PublicKey>,
    /// The zone that files must be meant for; any where it is `None`.
    pub zone: Option<String>,
    /// Days after which a release is too old; none where it is `None`.
    pub max_age_days: Option<u32>,
    /// Whether files may have been taken away.
    pub ignore_missing: bool,
    /// Seconds since 1970.
    pub now: u64,
    /// What was seen before.
    pub state: State,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// Files on the share that were held against a manifest.
    pub files: u64,
    /// Manifests that a trusted key signed.
    pub releases: u64,
    /// What is wrong; empty where all is well.
    pub problems: Vec<Problem>,
    /// What to remember.
    #[serde(skip)]
    pub state: State,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of thing.
    pub kind: ProblemKind,
    /// Where: a path below the share, or the name of a station.
    pub path: String,
    /// In words.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.text)
    }
}

/// Kinds of problems, stable for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A manifest that is damaged, unsigned, or signed by somebody else.
    Manifest,
    /// A receipt that is damaged, unsigned, or signed by somebody else.
    Receipt,
    /// Released for another zone.
    Zone,
    /// Older than allowed, or from the future.
    Age,
    /// A station's releases do not follow one another.
    Sequence,
    /// A file that a manifest names is not there.
    Missing,
    /// A file is not what was released.
    Changed,
    /// A file that no manifest names.
    Extra,
    /// Something on the share that is no file.
    NoFile,
    /// A file cannot be read.
    Unreadable,
}

/// Ours: a release may be this far ahead of our clock.
const SKEW_SECONDS: u64 = 300;
/// Ours: as large as the largest statement.
const MOST_SUMS: u64 = 64 << 20;

/// Holds the share at `dir` against its manifests.
///
/// # Errors
/// What the system says where a folder cannot be listed.
pub fn check(dir: &Path, options: &Options) -> std::io::Result<Checked> {
    let entries = share::list(dir)?;
    let mut problems = Vec::new();
    let mut manifests = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for folder in manifest_folders(&entries) {
        match open(&folder, &entries, options) {
            Ok(manifest) => {
                let minisig = manifest.release.minisig.map(|_| SUMS_MINISIG);
                let names = [MANIFEST, SUMS, SUMS_SIGNATURE].into_iter().chain(minisig);
                known.extend(names.map(|name| format!("{folder}/{name}")));
                fitness(&folder, &manifest.release, options, &mut problems);
                manifests.push(manifest);
            }
            Err(text) => {
                problems.push(Problem { kind: ProblemKind::Manifest, path: format!("{folder}/{MANIFEST}"), text });
            }
        }
    }
    for folder in receipt_folders(&entries) {
        match receipt(&folder, &entries, options) {
            Ok(names) => known.extend(names),
            Err(text) => problems.push(Problem { kind: ProblemKind::Receipt, path: folder, text }),
        }
    }
    let state = sequences(&manifests, &options.state, &mut problems);
    let promised = promised(&manifests);
    let files = hold_against(&entries, &promised, &known, options, &mut problems);
    problems.sort_by(|a, b| (a.kind, &a.path, &a.text).cmp(&(b.kind, &b.path, &b.text)));
    Ok(Checked { files, releases: manifests.len() as u64, problems, state })
}

struct Opened {
    release: Release,
    statement: Digest,
    key: PublicKey,
}

/// Folders below [`FOLDER`] that hold a manifest.
fn manifest_folders(entries: &BTreeMap<String, Entry>) -> Vec<String> {
    let folder = |path: &String| {
        let folder = path.strip_suffix(MANIFEST)?.strip_suffix('/')?;
        folder.strip_prefix(FOLDER).filter(|rest| rest.starts_with('/')).map(|_| folder.to_owned())
    };
    entries.keys().filter_map(folder).collect()
}

/// Folders right below [`RECEIPTS`].
fn receipt_folders(entries: &BTreeMap<String, Entry>) -> BTreeSet<String> {
    let folder = |path: &String| {
        let session = path.strip_prefix(RECEIPTS)?.strip_prefix('/')?.split_once('/')?.0;
        Some(format!("{RECEIPTS}/{session}"))
    };
    entries.keys().filter_map(folder).collect()
}

/// The files of a receipt that a trusted key signed. One that was taken away does no harm; one that was changed does.
fn receipt(folder: &str, entries: &BTreeMap<String, Entry>, options: &Options) -> Result<Vec<String>, String> {
    let text = |name: &str, most: u64| {
        String::from_utf8(read(entries, folder, name, most)?).map_err(|_| format!("{name} is no text"))
    };
    let (list, signature) = (text(SUMS, 4096)?, text(SUMS_SIGNATURE, 4096)?);
    let signer = sshsig::verify(&signature, Purpose::Receipt, list.as_bytes()).map_err(|error| error.to_string())?;
    if !options.trusted.contains(&signer) {
        return Err("signed by a key that is not trusted here".to_owned());
    }
    let mut known = vec![format!("{folder}/{SUMS}"), format!("{folder}/{SUMS_SIGNATURE}")];
    for (name, expected) in sums::read(&list).map_err(|error| error.to_string())? {
        let path = format!("{folder}/{name}");
        match entries.get(&path) {
            _ if !RECEIPT_FILES.contains(&name.as_str()) => return Err(format!("{name} is no part of a receipt")),
            None => {}
            Some(Entry::File(at)) if share::digest(at).is_ok_and(|(_, found)| found == expected) => {}
            Some(Entry::File(_) | Entry::Odd(_)) => return Err(format!("{name} is not what was signed")),
        }
        known.push(path);
    }
    Ok(known)
}

fn read(entries: &BTreeMap<String, Entry>, folder: &str, name: &str, most: u64) -> Result<Vec<u8>, String> {
    match entries.get(&format!("{folder}/{name}")) {
        Some(Entry::File(path)) => share::read_small(path, most).map_err(|error| format!("{name}: {error}")),
        Some(Entry::Odd(why)) => Err(format!("{name}: {why}")),
        None => Err(format!("{name} is missing")),
    }
}

fn open(folder: &str, entries: &BTreeMap<String, Entry>, options: &Options) -> Result<Opened, String> {
    let read = |name: &str, most: u64| read(entries, folder, name, most);
    let envelope = read(MANIFEST, evidence::dsse::MOST_BYTES as u64)?;
    let (release, statement, key) = Release::open(&envelope, &options.trusted).map_err(|error| error.to_string())?;
    let text = String::from_utf8(read(SUMS, MOST_SUMS)?).map_err(|_| format!("{SUMS} is no text"))?;
    sums::read(&text).map_err(|error| error.to_string())?;
    if text != release.sums() {
        return Err(format!("{SUMS} and {MANIFEST} do not say the same"));
    }
    let signature =
        String::from_utf8(read(SUMS_SIGNATURE, 4096)?).map_err(|_| format!("{SUMS_SIGNATURE} is no text"))?;
    let signer = sshsig::verify(&signature, Purpose::Release, text.as_bytes()).map_err(|error| error.to_string())?;
    if signer != key {
        return Err(format!("{SUMS_SIGNATURE} is by another key than {MANIFEST}"));
    }
    if let Some(expected) = release.minisig {
        // By its digest: whoever has the minisign key's public half checks the signature itself with minisign.
        let minisig = read(SUMS_MINISIG, 4096)?;
        if Digest::new(Sha256::digest(minisig).into()) != expected {
            return Err(format!("{SUMS_MINISIG} is not what was released"));
        }
    }
    Ok(Opened { release, statement, key })
}

/// Zone and age.
fn fitness(folder: &str, release: &Release, options: &Options, problems: &mut Vec<Problem>) {
    let mut add = |kind, text| problems.push(Problem { kind, path: folder.to_owned(), text });
    if options.zone.as_ref().is_some_and(|zone| *zone != release.station.zone) {
        add(ProblemKind::Zone, format!("released for the zone {:?}", release.station.zone));
    }
    let released = time::parse(&release.session.time).unwrap_or(0);
    if released > options.now.saturating_add(SKEW_SECONDS) {
        add(
            ProblemKind::Age,
            format!("released at {}, which is still to come: a clock is wrong", release.session.time),
        );
    }
    let days = options.now.saturating_sub(released) / 86_400;
    if options.max_age_days.is_some_and(|most| days > u64::from(most)) {
        add(ProblemKind::Age, format!("released {days} days ago"));
    }
}

/// Each station's releases, from the last one seen before: no number twice, none left out, each naming the one before.
fn sequences(manifests: &[Opened], before: &State, problems: &mut Vec<Problem>) -> State {
    let mut state = before.clone();
    let mut by_key: BTreeMap<String, Vec<&Opened>> = BTreeMap::new();
    for manifest in manifests {
        by_key.entry(manifest.key.id()).or_default().push(manifest);
    }
    for (key, mut releases) in by_key {
        releases.sort_by_key(|opened| opened.release.session.sequence);
        let mut last = state.0.get(&key).copied();
        for opened in releases {
            let session = &opened.release.session;
            let now = Last { sequence: session.sequence, statement: opened.statement };
            let station = &opened.release.station.name;
            if let Some(text) = break_between(last.as_ref(), &now, session.previous) {
                problems.push(Problem { kind: ProblemKind::Sequence, path: station.clone(), text });
            }
            if last.is_none_or(|last| last.sequence < now.sequence) {
                last = Some(now);
            }
        }
        last.map(|last| state.0.insert(key, last));
    }
    state
}

fn break_between(last: Option<&Last>, now: &Last, previous: Option<Digest>) -> Option<String> {
    let last = last?;
    if now.sequence < last.sequence {
        // Cleared away or left from before: what was seen once is no gap.
        return None;
    }
    if now.sequence == last.sequence {
        return (now.statement != last.statement).then(|| format!("two releases have the number {}", now.sequence));
    }
    if now.sequence != last.sequence.saturating_add(1) {
        return Some(format!("after release {} comes {}: what is between is missing", last.sequence, now.sequence));
    }
    (previous != Some(last.statement)).then(|| format!("release {} does not follow the one before it", now.sequence))
}

/// What each path may hold. A path may be released again with other bytes only under another name, so two digests for
/// one path mean that one of them was replaced.
fn promised(manifests: &[Opened]) -> BTreeMap<String, BTreeSet<(u64, Digest)>> {
    let mut promised: BTreeMap<String, BTreeSet<(u64, Digest)>> = BTreeMap::new();
    for file in manifests.iter().flat_map(|manifest| &manifest.release.files) {
        promised.entry(file.path.clone()).or_default().insert((file.size, file.sha256));
    }
    promised
}

fn hold_against(
    entries: &BTreeMap<String, Entry>,
    promised: &BTreeMap<String, BTreeSet<(u64, Digest)>>,
    known: &BTreeSet<String>,
    options: &Options,
    problems: &mut Vec<Problem>,
) -> u64 {
    let mut files = 0u64;
    let mut add = |kind, path: &str, text: String| problems.push(Problem { kind, path: path.to_owned(), text });
    for (path, entry) in entries.iter().filter(|(path, _)| !known.contains(*path)) {
        match (entry, promised.get(path)) {
            (Entry::Odd(why), _) => add(ProblemKind::NoFile, path, (*why).to_owned()),
            (Entry::File(_), None) => add(ProblemKind::Extra, path, "no valid manifest names it".into()),
            (Entry::File(at), Some(expected)) => {
                files = files.saturating_add(1);
                match share::digest(at) {
                    Ok(found) if expected.contains(&found) => {}
                    Ok(_) => add(ProblemKind::Changed, path, "it is not what was released".into()),
                    Err(error) => add(ProblemKind::Unreadable, path, error.to_string()),
                }
            }
        }
    }
    if !options.ignore_missing {
        for path in promised.keys().filter(|path| !entries.contains_key(*path)) {
            add(ProblemKind::Missing, path, "it was released and is not there".into());
        }
    }
    files
}
