//! Taking bundles in and putting them in force. Every step that can fail comes before the first that changes anything.

use super::jobs::RuleJob;
use super::load::{built_in, compiled_id};
use super::trial::{ENGINE, trial};
use super::workshop::Workshop;
use jail::Sealed;
use model::Digest;
use sha2::{Digest as _, Sha256};
use signatures::bundle::BundleManifest;
use signatures::keys::{MOST_KEY_BYTES, Signature};
use signatures::store::{Act, Lock, Refusal, Store, StoreError, StoredSet};
use signatures::trust::Untrusted;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How far a bundle is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Checked and tried; nothing changes.
    Test,
    /// Checked and taken in; the set in force stays.
    Keep,
    /// Checked, tried, taken in and put in force.
    Activate,
}

/// What became of a bundle.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The set.
    pub set: StoredSet,
    /// Whether it is in force now.
    pub in_force: bool,
}

/// A bundle that somebody offers, and the signature files that came with it. Nothing of it is believed yet.
pub struct Offered {
    /// What it is called in messages.
    pub name: String,
    /// Its bytes.
    pub bundle: Sealed,
    /// Name and text of each signature file.
    pub signatures: Vec<(String, String)>,
}

impl Offered {
    /// The bundle at `path`, with the signature files beside it.
    ///
    /// # Errors
    /// They can't be read, or are no bundle's.
    pub fn at(workshop: &Workshop, path: &Path) -> Result<Self, StoreError> {
        let name = path.display().to_string();
        let bundle = workshop.take(path)?.map_err(|why| StoreError::refused(&name, why))?;
        Ok(Self { bundle, signatures: signatures_beside(path)?, name })
    }
}

/// Takes a bundle as far as `mode` says.
///
/// # Errors
/// [`StoreError::Refused`] with the reason; nothing has changed then.
pub fn import(
    store: &Store,
    workshop: &Workshop,
    offered: &Offered,
    act: &Act,
    mode: Mode,
) -> Result<Imported, StoreError> {
    let Offered { name, bundle: sealed, signatures } = offered;
    let lock = store.lock()?;
    let refused = |why| StoreError::refused(name, why);
    let place = |source| StoreError::Place { verb: "read", path: PathBuf::from(name), source };
    let bytes = sealed.map().map_err(place)?;
    let signers = store.trust()?.signers(signatures, &bytes).map_err(|why| refused(why.into()))?;
    let bundle = Digest::new(Sha256::digest(&*bytes).into());
    drop(bytes);
    // Only now is anything unpacked.
    let done = workshop.run(sealed, &RuleJob::Unpack).map_err(|failed| failed.of(name, Refusal::Broken))?;
    let manifest =
        BundleManifest::parse(&done.answer, signatures::VERSION).map_err(|why| refused(Refusal::Broken(why)))?;
    store.admits((&manifest, &signers), &bundle, name, act.now)?;
    let stage = store.stage(&lock, &bundle)?;
    if done.exports.len() != manifest.files.len() {
        return Err(refused(Refusal::Broken("the jail that read it gave another number of files".to_owned())));
    }
    for (export, file) in done.exports.iter().zip(&manifest.files) {
        let bytes = workshop.exported(&done, export)?;
        if export.name != file.path || Sha256::digest(&bytes)[..] != file.sha256.as_bytes()[..] {
            return Err(refused(Refusal::Broken(format!("the jail that read it gave another {}", file.path))));
        }
        stage.write(&file.path, &mut &bytes[..])?;
    }
    let set = store.seal(&stage, bundle, (manifest, &done.answer), signers, act)?;
    if mode != Mode::Keep {
        prove(store, workshop, &lock, &set, name)?;
    }
    if mode == Mode::Test {
        return Ok(Imported { set, in_force: false });
    }
    let set = store.take_in(&lock, stage, &set, act)?;
    if mode == Mode::Activate {
        store.switch(&lock, &set, act, "imported")?;
    }
    Ok(Imported { set, in_force: mode == Mode::Activate })
}

/// Compiles in a jail, and tries. What was compiled is kept for the stations that load it.
fn prove(store: &Store, workshop: &Workshop, lock: &Lock, set: &StoredSet, name: &str) -> Result<(), StoreError> {
    let whole = |file| {
        let index = crate::hash_sets::open(workshop.spool(), file)?;
        index.check_whole().map(|()| index)
    };
    let signatures = set.signatures(&built_in()?, &whole)?;
    let id = compiled_id(&signatures);
    let known = store.compiled(&id);
    let compiled = match &known {
        Some(compiled) => compiled.clone(),
        None => workshop.compile(ENGINE, &signatures.rules).map_err(|failed| failed.of(name, Refusal::Rules))?,
    };
    trial(workshop, set, &signatures, &compiled)?.map_err(|why| StoreError::refused(name, why))?;
    if known.is_none() {
        store.keep_compiled(lock, &id, &compiled)?;
    }
    Ok(())
}

/// Signature files beside a bundle: `FILE.minisig`, and `FILE.ANYTHING.minisig` where several have signed.
fn signatures_beside(path: &Path) -> Result<Vec<(String, String)>, StoreError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let bundle = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = |source| StoreError::Place { verb: "read", path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(place)? {
        let entry = entry.map_err(place)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let between = name.strip_prefix(&bundle).and_then(|rest| rest.strip_suffix(".minisig"));
        if !between.is_some_and(|between| between.is_empty() || (between.starts_with('.') && between.len() > 1)) {
            continue;
        }
        let mut text = Vec::new();
        let file = std::fs::File::open(entry.path()).map_err(place)?;
        file.take(MOST_KEY_BYTES.saturating_add(1)).read_to_end(&mut text).map_err(place)?;
        found.push((name, String::from_utf8_lossy(&text).into_owned()));
        if found.len() > 32 {
            return Err(StoreError::Usage(format!("more than 32 signature files lie beside {}", path.display())));
        }
    }
    found.sort();
    Ok(found)
}

/// Puts a set of the store in force: the one with this number, or the highest.
///
/// # Errors
/// There is none, it is older than the one in force, or it may not be in force any more.
pub fn activate(store: &Store, workshop: &Workshop, number: Option<u64>, act: &Act) -> Result<StoredSet, StoreError> {
    let sets = store.sets()?;
    let wanted = |set: &&StoredSet| number.is_none_or(|number| set.manifest.sequence == number);
    let none =
        || StoreError::Usage("there is no such set in the store; 'signatures list' shows what there is".to_owned());
    let set = sets.iter().rev().find(wanted).ok_or_else(none)?;
    if let Some(force) = store.in_force()?
        && force.set.manifest.sequence > set.manifest.sequence
    {
        let text = format!(
            "number {} is older than number {}, which is in force; use 'signatures rollback' and give a reason",
            set.manifest.sequence, force.set.manifest.sequence
        );
        return Err(StoreError::Usage(text));
    }
    put_in_force(store, workshop, set, act, "activated")
}

/// Goes back to the set that was in force before, or to the one with this number.
///
/// # Errors
/// There is none, or it may not be in force any more.
pub fn rollback(
    store: &Store,
    workshop: &Workshop,
    to: Option<u64>,
    act: &Act,
    reason: &str,
) -> Result<StoredSet, StoreError> {
    let nothing = |text: &str| StoreError::Usage(text.to_owned());
    if reason.trim().is_empty() {
        return Err(nothing("a rollback needs a reason: --reason TEXT"));
    }
    let force = store.in_force()?.ok_or_else(|| nothing("no set is in force, so there is nothing to go back from"))?;
    let set = match to {
        None => {
            let previous = force.current.previous;
            let previous =
                previous.ok_or_else(|| nothing("no set was in force before; choose one with --to NUMBER"))?;
            store.set(&previous)?
        }
        Some(number) => {
            let sets = store.sets()?;
            let found = sets.into_iter().rev().find(|set| set.manifest.sequence == number);
            found.ok_or_else(|| nothing("there is no such set in the store; 'signatures list' shows what there is"))?
        }
    };
    put_in_force(store, workshop, &set, act, reason)
}

fn put_in_force(
    store: &Store,
    workshop: &Workshop,
    set: &StoredSet,
    act: &Act,
    why: &str,
) -> Result<StoredSet, StoreError> {
    let lock = store.lock()?;
    let name = format!("{} number {}", set.manifest.id, set.manifest.sequence);
    let time = act.now.max(store.state()?.latest_time);
    if let Some(trouble) = set.trouble(&store.trust()?, time) {
        return Err(StoreError::refused(&name, trouble));
    }
    prove(store, workshop, &lock, set, &name)?;
    store.switch(&lock, set, act, why)?;
    Ok(set.clone())
}

/// The newest bundle of a folder, taken in and put in force; none where all of them are known.
///
/// # Errors
/// The folder can't be read, or its newest bundle is refused.
pub fn update(store: &Store, workshop: &Workshop, folder: &Path, act: &Act) -> Result<Option<Imported>, StoreError> {
    let Some((hint, path)) = newest(folder)? else { return Ok(None) };
    if !is_news(store, hint)? {
        return Ok(None);
    }
    import(store, workshop, &Offered::at(workshop, &path)?, act, Mode::Activate).map(Some)
}

/// Whether a bundle of this number, as its signature's comment says it ([`sequence_hint`]), is worth looking at. That
/// only saves work: what counts is in the bundle.
///
/// # Errors
/// The store can't be read.
pub fn is_news(store: &Store, hint: Option<u64>) -> Result<bool, StoreError> {
    let highest = store.state()?.highest.get(&store.trust()?.channel).map_or(0, |highest| highest.sequence);
    let in_force = store.in_force()?.map_or(0, |force| force.set.manifest.sequence);
    Ok(hint.is_none_or(|sequence| sequence > highest || sequence > in_force))
}

/// The bundle with the highest number in its signature's comment, or the last by name where none says one.
fn newest(folder: &Path) -> Result<Option<(Option<u64>, PathBuf)>, StoreError> {
    let place = |source| StoreError::Place { verb: "read", path: folder.to_owned(), source };
    let mut best: Option<(Option<u64>, PathBuf)> = None;
    for entry in std::fs::read_dir(folder).map_err(place)? {
        let path = entry.map_err(place)?.path();
        let signature = match signatures_beside(&path) {
            Ok(signatures) => signatures.into_iter().next(),
            Err(StoreError::Usage(_)) => None,
            Err(error) => return Err(error),
        };
        let Some((_, text)) = signature else { continue };
        let candidate = (sequence_hint(&text), path);
        if best.as_ref().is_none_or(|best| *best < candidate) {
            best = Some(candidate);
        }
    }
    match best {
        None => Err(StoreError::refused(&format!("the folder {}", folder.display()), Untrusted::NoSignature)),
        found => Ok(found),
    }
}

/// The bundle's number in the comment of a signature, if it says one.
#[must_use]
pub fn sequence_hint(signature: &str) -> Option<u64> {
    let comment = Signature::parse(signature).ok()?.comment();
    comment.split_whitespace().find_map(|word| word.strip_prefix("sequence:")?.parse().ok())
}
