//! Sets: staged, taken in, put in force, read.

use super::{Act, CLAMAV, COMPILED, Current, Highest, Lock, Refusal, SETS, Store, StoreError, sync, unread, unwritten};
use crate::bundle::{BundleManifest, FileKind, MANIFEST_NAME, mask};
use crate::hash::{HashIndex, HashIndexError};
use crate::trust::Trust;
use crate::{HashSets, RuleSet, Signatures, Source};
use model::{Digest, time};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Ours: sets that stay for a rollback, the one in force included.
const MOST_SETS: usize = 5;

const RECORD: &str = "set";

/// What the station notes about a set when it takes it in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    bundle: Digest,
    manifest: Digest,
    signers: Vec<String>,
    taken_in: u64,
}

/// A set in the store.
#[derive(Clone, Debug)]
pub struct StoredSet {
    /// Digest of its bundle, which is its name.
    pub bundle: Digest,
    /// What it says about itself.
    pub manifest: BundleManifest,
    /// Ids of the keys that signed it.
    pub signers: Vec<String>,
    /// When it was taken in, in seconds since 1970.
    pub taken_in: u64,
    folder: PathBuf,
}

/// The set in force.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The set.
    pub set: StoredSet,
    /// The record that says so.
    pub current: Current,
}

/// Opens an index of digests; where its memory comes from is the caller's affair.
pub type OpenIndex<'a> = dyn Fn(File) -> Result<HashIndex, HashIndexError> + 'a;

/// A set that is being written, under a name that nobody reads.
pub struct Stage {
    folder: PathBuf,
}

impl Stage {
    /// Writes a file of the bundle. `path` is one that its manifest names.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&self, path: &str, from: &mut dyn Read) -> Result<(), StoreError> {
        let path = self.folder.join(path);
        let mut write = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut file = File::options().write(true).create_new(true).open(&path)?;
            std::io::copy(from, &mut file)?;
            file.sync_all()
        };
        write().map_err(unwritten(&path))
    }

    fn sync_folders(&self) -> Result<(), StoreError> {
        let mut open = vec![self.folder.clone()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).map_err(unread(&folder))? {
                let path = entry.map_err(unread(&folder))?.path();
                if path.is_dir() {
                    open.push(path);
                }
            }
            sync(&folder)?;
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Gone already where it was taken in; else the next one who locks the store sweeps it.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl StoredSet {
    /// Bytes of one of its files, checked against the manifest; samples come unmasked.
    ///
    /// # Errors
    /// It can't be read, or is not what was taken in.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, StoreError> {
        let place = self.folder.join(path);
        let mut bytes = std::fs::read(&place).map_err(unread(&place))?;
        let named = self.manifest.files.iter().find(|file| file.path == path);
        let Some(named) = named.filter(|named| named.sha256.as_bytes()[..] == Sha256::digest(&bytes)[..]) else {
            return Err(StoreError::Damaged(place));
        };
        match named.kind() {
            Some(FileKind::MustHit | FileKind::MustNotHit) => mask(&mut bytes),
            Some(FileKind::Rules | FileKind::List | FileKind::ClamAv) | None => {}
        }
        Ok(bytes)
    }

    /// One of its files, read once and held against the manifest.
    fn checked(&self, path: &str) -> Result<File, StoreError> {
        let place = self.folder.join(path);
        let mut file = File::open(&place).map_err(unread(&place))?;
        let mut hash = Sha256::new();
        let mut block = vec![0; 1 << 20];
        while let n @ 1.. = file.read(&mut block).map_err(unread(&place))? {
            hash.update(block.get(..n).unwrap_or_default());
        }
        let named = self.manifest.files.iter().find(|file| file.path == path);
        if named.is_none_or(|named| named.sha256.as_bytes()[..] != hash.finalize()[..]) {
            return Err(StoreError::Damaged(place));
        }
        Ok(file)
    }

    /// Why it may not be in force today, if so: expired, or signed with keys that no longer are enough.
    #[must_use]
    pub fn trouble(&self, trust: &Trust, time: u64) -> Option<Refusal> {
        if let Err(untrusted) = trust.enough(&self.signers) {
            return Some(untrusted.into());
        }
        expired(&self.manifest, time)
    }

    /// Its rules and lists, together with those that are built in: those always stay.
    ///
    /// # Errors
    /// A file is damaged, or a list is no index that this version knows.
    pub fn signatures(&self, built_in: &Signatures, open: &OpenIndex<'_>) -> Result<Signatures, StoreError> {
        let damaged = |path: &str| StoreError::Damaged(self.folder.join(path));
        let mut sources = built_in.rules.sources().to_vec();
        for file in self.manifest.of_kind(FileKind::Rules) {
            let text = String::from_utf8(self.read(&file.path)?).map_err(|_| damaged(&file.path))?;
            sources.push(Source { name: namespace(&file.path), text });
        }
        let (id, day) = (&self.manifest.id, &self.manifest.date);
        let wrong = |_| damaged(MANIFEST_NAME);
        let rules = RuleSet::new(id, day, sources).map_err(wrong)?;
        let mut lists = built_in.hashes.sets().to_vec();
        for file in self.manifest.of_kind(FileKind::List) {
            let index = open(self.checked(&file.path)?)
                .map_err(|error| StoreError::refused(id, Refusal::Rules(format!("{}: {error}", file.path))))?;
            lists.push(index);
        }
        Ok(Signatures { rules, hashes: HashSets::new(lists).dated(day) })
    }
}

/// `rules/a/b.yar` is `a.b` behind a word that no built-in file begins with.
fn namespace(path: &str) -> String {
    let inner = path.strip_prefix("rules/").unwrap_or(path);
    format!("set.{}", inner.strip_suffix(".yar").unwrap_or(inner).replace('/', "."))
}

/// Trust after this bundle, and why a key that it brings does not count.
fn turned(before: &Trust, manifest: &BundleManifest, day: &str) -> (Trust, Vec<String>) {
    let (mut trust, mut not_taken) = (before.clone(), Vec::new());
    let by = format!("{} number {}", manifest.id, manifest.sequence);
    for key in manifest.next_keys.iter().filter_map(|key| crate::keys::PublicKey::parse(key).ok()) {
        not_taken.extend(trust.add(&key, day, &by).err());
    }
    for id in &manifest.revoked_keys {
        trust.revoke(id, day, &by);
    }
    (trust, not_taken)
}

fn expired(manifest: &BundleManifest, time: u64) -> Option<Refusal> {
    let on = manifest.expires.as_ref()?;
    let today = time::day_of(time);
    // Days are written so that their order is that of the text.
    (*on <= today).then(|| Refusal::Expired { on: on.clone(), today })
}

impl Store {
    /// Whether a bundle that says `manifest` about itself may be taken in now.
    ///
    /// # Errors
    /// [`StoreError::Refused`], or the records can't be read.
    pub fn admits(
        &self,
        (manifest, signers): (&BundleManifest, &[String]),
        bundle: &Digest,
        name: &str,
        now: u64,
    ) -> Result<(), StoreError> {
        let refused = |why: Refusal| Err(StoreError::refused(name, why));
        let (trust, state) = (self.trust()?, self.state()?);
        if manifest.channel != trust.channel {
            return refused(Refusal::Channel { theirs: manifest.channel.clone(), ours: trust.channel });
        }
        if turned(&trust, manifest, "").0.enough(signers).is_err() {
            return refused(Refusal::RevokesItself);
        }
        if let Some(expired) = expired(manifest, now.max(state.latest_time)) {
            return refused(expired);
        }
        match state.highest.get(&manifest.channel) {
            Some(highest) if manifest.sequence < highest.sequence => {
                refused(Refusal::Older { sequence: manifest.sequence, highest: highest.sequence })
            }
            Some(highest) if manifest.sequence == highest.sequence && *bundle != highest.bundle => {
                refused(Refusal::SameNumber { sequence: manifest.sequence })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Begins to write a set.
    ///
    /// # Errors
    /// The disk.
    pub fn stage(&self, _lock: &Lock, bundle: &Digest) -> Result<Stage, StoreError> {
        let folder = self.dir().join(SETS).join(format!("{bundle}.part"));
        std::fs::create_dir(&folder).map_err(unwritten(&folder))?;
        Ok(Stage { folder })
    }

    /// Ends the writing: the set is whole and synced, still under a name that nobody reads.
    ///
    /// # Errors
    /// The disk.
    pub fn seal(
        &self,
        stage: &Stage,
        bundle: Digest,
        (manifest, json): (BundleManifest, &[u8]),
        signers: Vec<String>,
        act: &Act,
    ) -> Result<StoredSet, StoreError> {
        stage.write(MANIFEST_NAME, &mut &json[..])?;
        let digest = Digest::new(Sha256::digest(json).into());
        let record = Record { bundle, manifest: digest, signers: signers.clone(), taken_in: act.now };
        let path = stage.folder.join(RECORD);
        let record = self.key.to_record(RECORD, &record).map_err(unwritten(&path))?;
        stage.write(RECORD, &mut &record[..])?;
        stage.sync_folders()?;
        Ok(StoredSet { bundle, manifest, signers, taken_in: act.now, folder: stage.folder.clone() })
    }

    /// Takes a sealed set in: from here on no older one is. The keys that it brings and revokes count from here on too.
    ///
    /// # Errors
    /// The disk. Whatever was done by then is whole, and doing it again completes it.
    pub fn take_in(&self, lock: &Lock, stage: Stage, set: &StoredSet, act: &Act) -> Result<StoredSet, StoreError> {
        let manifest = &set.manifest;
        self.note(act, &format!("took in {} number {}", manifest.id, manifest.sequence), Some(set.bundle), "")?;
        let mut state = self.state()?;
        let highest = Highest { sequence: manifest.sequence, bundle: set.bundle };
        state.highest.insert(manifest.channel.clone(), highest);
        state.latest_time = state.latest_time.max(act.now);
        self.set_state(lock, &state)?;
        self.turn_keys(lock, set, act)?;
        let folder = self.dir().join(SETS).join(set.bundle.to_string());
        // There already where the same bundle comes again.
        if !folder.exists() {
            std::fs::rename(&stage.folder, &folder).map_err(unwritten(&folder))?;
            sync(&self.dir().join(SETS))?;
        }
        drop(stage);
        Ok(StoredSet { folder, ..set.clone() })
    }

    fn turn_keys(&self, lock: &Lock, set: &StoredSet, act: &Act) -> Result<(), StoreError> {
        let before = self.trust()?;
        let (trust, not_taken) = turned(&before, &set.manifest, &time::day_of(act.now));
        for why in not_taken {
            self.note(act, &format!("a next key was not taken: {why}"), Some(set.bundle), "")?;
        }
        if trust == before {
            return Ok(());
        }
        self.note(act, "turned keys", Some(set.bundle), "")?;
        self.set_trust(lock, &trust)
    }

    /// Puts a set of the store in force: the one switch.
    ///
    /// # Errors
    /// The disk; the old set stays in force then.
    pub fn switch(&self, lock: &Lock, set: &StoredSet, act: &Act, why: &str) -> Result<(), StoreError> {
        let before = self.current()?;
        let previous = match &before {
            Some(current) if current.set == set.bundle => current.previous,
            Some(current) => Some(current.set),
            None => None,
        };
        let manifest = &set.manifest;
        self.note(act, &format!("puts in force {} number {}", manifest.id, manifest.sequence), Some(set.bundle), why)?;
        self.set_current(lock, &Current { set: set.bundle, previous, since: act.now })?;
        self.link_clamav(set)?;
        self.prune(set, previous);
        Ok(())
    }

    /// The databases for clamd: a link that always leads into a whole set.
    fn link_clamav(&self, set: &StoredSet) -> Result<(), StoreError> {
        let link = self.dir().join(CLAMAV);
        if set.manifest.of_kind(FileKind::ClamAv).next().is_none() {
            return match std::fs::remove_file(&link) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritten(&link)(error)),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let part = self.dir().join(format!("{CLAMAV}.part"));
        let _ = std::fs::remove_file(&part);
        let target = Path::new(SETS).join(set.bundle.to_string()).join("clamav");
        std::os::unix::fs::symlink(target, &part).map_err(unwritten(&part))?;
        std::fs::rename(&part, &link).map_err(unwritten(&link))?;
        sync(self.dir())
    }

    /// Old sets go, but for those that a rollback may ask for. One that can't be removed harms nothing.
    fn prune(&self, set: &StoredSet, previous: Option<Digest>) {
        let Ok(sets) = self.sets() else { return };
        let old = sets.iter().rev().filter(|one| one.bundle != set.bundle && Some(one.bundle) != previous);
        for one in old.skip(MOST_SETS.saturating_sub(2)) {
            // First a name that nobody reads: a set is never there in part.
            let part = self.dir().join(SETS).join(format!("{}.part", one.bundle));
            if std::fs::rename(&one.folder, &part).is_ok() {
                let _ = std::fs::remove_dir_all(&part);
            }
        }
    }

    /// All sets of the store, by number.
    ///
    /// # Errors
    /// The folder can't be read, or a set in it is damaged.
    pub fn sets(&self) -> Result<Vec<StoredSet>, StoreError> {
        let folder = self.dir().join(SETS);
        let mut sets = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(unread(&folder))? {
            let name = entry.map_err(unread(&folder))?.file_name();
            if let Some(bundle) = name.to_str().and_then(Digest::from_hex) {
                sets.push(self.set(&bundle)?);
            }
        }
        sets.sort_by_key(|set| (set.manifest.sequence, set.taken_in, set.bundle));
        Ok(sets)
    }

    /// The set with this bundle.
    ///
    /// # Errors
    /// It is not there, or damaged.
    pub fn set(&self, bundle: &Digest) -> Result<StoredSet, StoreError> {
        let folder = self.dir().join(SETS).join(bundle.to_string());
        let damaged = || StoreError::Damaged(folder.clone());
        let path = folder.join(RECORD);
        let record = std::fs::read(&path).map_err(unread(&path))?;
        let record: Record = self.key.of_record(RECORD, &record).ok_or_else(damaged)?;
        let path = folder.join(MANIFEST_NAME);
        let json = std::fs::read(&path).map_err(unread(&path))?;
        if record.bundle != *bundle || record.manifest.as_bytes()[..] != Sha256::digest(&json)[..] {
            return Err(damaged());
        }
        let manifest = BundleManifest::parse(&json, crate::VERSION).map_err(|_| damaged())?;
        let Record { bundle, signers, taken_in, .. } = record;
        Ok(StoredSet { bundle, manifest, signers, taken_in, folder })
    }

    /// The set in force; none where it is the built-in one alone.
    ///
    /// # Errors
    /// A record or the set is damaged: never is another one taken in its place.
    pub fn in_force(&self) -> Result<Option<InForce>, StoreError> {
        let Some(current) = self.current()? else { return Ok(None) };
        Ok(Some(InForce { set: self.set(&current.set)?, current }))
    }

    /// What was compiled of rules before, if it is as this station wrote it. `of` names rules and compiler.
    #[must_use]
    pub fn compiled(&self, of: &Digest) -> Option<Vec<u8>> {
        let mut bytes = std::fs::read(self.dir().join(COMPILED).join(of.to_string())).ok()?;
        let code = Digest::new(*bytes.first_chunk::<32>()?);
        bytes.drain(..32);
        mask(&mut bytes);
        self.key.sealed(&format!("compiled {of}"), &bytes, &code).then_some(bytes)
    }

    /// Keeps what was compiled, and no more than a few others.
    ///
    /// # Errors
    /// The disk.
    pub fn keep_compiled(&self, _lock: &Lock, of: &Digest, compiled: &[u8]) -> Result<(), StoreError> {
        let folder = self.dir().join(COMPILED);
        let path = folder.join(of.to_string());
        let no_code = || unwritten(&path)(std::io::Error::other("no HMAC"));
        let code = self.key.seal(&format!("compiled {of}"), compiled).ok_or_else(no_code)?;
        // Masked like samples: what rules look for stands in them in plain form.
        let mut masked = compiled.to_vec();
        mask(&mut masked);
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let write = || {
            let mut file = File::create(&part)?;
            file.write_all(code.as_bytes())?;
            file.write_all(&masked)?;
            file.sync_all()?;
            std::fs::rename(&part, &path)
        };
        write().map_err(unwritten(&path))?;
        sync(&folder)?;
        let mut others: Vec<_> = std::fs::read_dir(&folder).map_err(unread(&folder))?.flatten().collect();
        others.sort_by_key(|entry| std::cmp::Reverse(entry.metadata().and_then(|data| data.modified()).ok()));
        for old in others.iter().skip(MOST_SETS) {
            let _ = std::fs::remove_file(old.path());
        }
        Ok(())
    }
}
