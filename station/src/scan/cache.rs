//! Answers that were given before: what an engine said about the same bytes, with the same rules, under the same policy,
//! by the same build. Kept on disk between runs, bounded, and authenticated with a key of this station alone: an entry
//! that is damaged or that somebody else wrote is as if it were not there.
//!
//! Only whole scans are kept. What failed, timed out or read short is asked again.

use engines::Answer;
use hmac::{Hmac, KeyInit, Mac};
use model::{Digest, Policy};
use sha2::Sha256;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Ours: with at most 30 KB an entry, and mostly under 100 bytes, some tens of megabytes.
const MOST_ENTRIES: usize = 200_000;
/// Ours: the largest answer that the engines' wire knows, and its tag.
const MOST_ENTRY_BYTES: u64 = 64 * 1024;
const TAG: usize = 32;
const KEY_NAME: &str = "station.key";
const ENTRY_SUFFIX: &str = ".answer";

/// Answers on disk.
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; 32],
    /// What decides beside engine and object: the policy and this very program.
    ground: Vec<u8>,
    entries: AtomicUsize,
    most: usize,
    next: AtomicU64,
}

impl Cache {
    /// Opens the folder, or makes it with a key of its own.
    ///
    /// # Errors
    /// It can't be written, or somebody else can read its key.
    pub(crate) fn open(folder: &Path, policy: &Policy) -> io::Result<Self> {
        let build = crate::intake::digest_of_stream(&mut File::open(std::env::current_exe()?)?)?;
        Self::with(folder, policy, build, MOST_ENTRIES)
    }

    fn with(folder: &Path, policy: &Policy, build: Digest, most: usize) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let key = key(&folder.join(KEY_NAME))?;
        let mut ground = build.as_bytes().to_vec();
        ground.extend(serde_json::to_vec(policy)?);
        let entries = std::fs::read_dir(folder)?.count();
        let folder = folder.to_owned();
        Ok(Self { folder, key, ground, entries: AtomicUsize::new(entries), most, next: AtomicU64::new(0) })
    }

    /// Name of the entry for what `engine` (its own text of all that decides its answers) says about an object.
    pub(crate) fn name(&self, engine: &str, sha256: Digest, len: u64) -> String {
        let parts: [&[u8]; 4] = [&self.ground, engine.as_bytes(), sha256.as_bytes(), &len.to_le_bytes()];
        Digest::new(self.tag(b"name", &parts)).to_string()
    }

    /// The answer of that name, if it is whole and ours.
    pub(crate) fn get(&self, name: &str) -> Option<Answer> {
        let mut bytes = Vec::new();
        File::open(self.path(name)).ok()?.take(MOST_ENTRY_BYTES).read_to_end(&mut bytes).ok()?;
        let (tag, answer) = bytes.split_first_chunk::<TAG>()?;
        let same = self.mac(b"answer", &[name.as_bytes(), answer])?.verify_slice(tag).is_ok();
        let answer = if same { engines::decode(answer).ok()? } else { return None };
        answer.error().is_none().then_some(answer)
    }

    /// Keeps an answer, if it is a whole scan. A cache that can't be written is one that remembers nothing.
    pub(crate) fn put(&self, name: &str, answer: &Answer) {
        if answer.error().is_some() {
            return;
        }
        let bytes = engines::encode(answer);
        let tag = self.tag(b"answer", &[name.as_bytes(), &bytes]);
        if self.entries.load(Ordering::Relaxed) >= self.most {
            self.make_room();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let aside = self.folder.join(format!("{}-{number}.part", std::process::id()));
        let written = File::options().write(true).create_new(true).mode(0o600).open(&aside);
        let written = written.and_then(|mut file| file.write_all(&[&tag[..], &bytes].concat()));
        if written.and_then(|()| std::fs::rename(&aside, self.path(name))).is_ok() {
            self.entries.fetch_add(1, Ordering::Relaxed);
        } else {
            let _ = std::fs::remove_file(&aside);
        }
    }

    /// Drops the oldest half: rare, and one walk over the folder.
    fn make_room(&self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        let aged = |entry: std::fs::DirEntry| Some((entry.metadata().ok()?.mtime(), entry.path()));
        let ours = |entry: &std::fs::DirEntry| entry.file_name() != KEY_NAME;
        let mut all: Vec<(i64, PathBuf)> = entries.filter_map(Result::ok).filter(ours).filter_map(aged).collect();
        all.sort();
        let drop = all.len().div_ceil(2);
        for (_, path) in all.iter().take(drop) {
            let _ = std::fs::remove_file(path);
        }
        self.entries.store(all.len().saturating_sub(drop), Ordering::Relaxed);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{ENTRY_SUFFIX}"))
    }

    fn mac(&self, what: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        // Each part is led by its length, so that nothing can be moved from one into the next.
        for part in std::iter::once(&what).chain(parts) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        Some(mac)
    }

    /// HMAC takes a key of any length, so there always is a tag; were there none, nothing would match it.
    fn tag(&self, what: &[u8], parts: &[&[u8]]) -> [u8; TAG] {
        self.mac(what, parts).map_or([0; TAG], |mac| mac.finalize().into_bytes().into())
    }
}

/// Reads the station's key, or makes one.
fn key(path: &Path) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    match File::options().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            File::open("/dev/urandom")?.read_exact(&mut key)?;
            file.write_all(&key)?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut file = File::open(path)?;
            if file.metadata()?.mode() & 0o077 != 0 {
                return Err(io::Error::other("others can read the key of this cache; remove the folder"));
            }
            file.read_exact(&mut key)?;
        }
        Err(error) => return Err(error),
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engines::{Detection, RuleMeta, Severity};
    use std::os::unix::fs::PermissionsExt;

    const BUILD: Digest = Digest::new([1; 32]);
    const OBJECT: Digest = Digest::new([2; 32]);

    fn open(folder: &Path) -> Cache {
        Cache::with(folder, &Policy::standard(), BUILD, 100).unwrap()
    }

    fn answer() -> Answer {
        let meta = RuleMeta::new(Some(7), Some("MIT"), None);
        Answer::scanned(vec![Detection::new("Rule", Severity::Suspicious).unwrap().with(meta)], 5)
    }

    #[test]
    fn only_the_same_of_everything_finds_an_answer_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("cache");
        let cache = open(&folder);
        let name = cache.name("yara 1", OBJECT, 5);
        assert_eq!(cache.get(&name), None);
        cache.put(&name, &answer());
        assert_eq!(open(&folder).get(&name), Some(answer()), "the next run");
        let mut policy = Policy::standard();
        policy.limits.seconds += 1;
        let others = [
            cache.name("yara 2", OBJECT, 5),
            cache.name("yara 1", BUILD, 5),
            cache.name("yara 1", OBJECT, 6),
            Cache::with(&folder, &policy, BUILD, 100).unwrap().name("yara 1", OBJECT, 5),
            Cache::with(&folder, &Policy::standard(), OBJECT, 100).unwrap().name("yara 1", OBJECT, 5),
        ];
        assert!(others.iter().all(|other| *other != name && cache.get(other).is_none()));
    }

    #[test]
    fn what_failed_is_not_kept_and_what_is_damaged_or_foreign_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let cache = open(dir.path());
        let name = cache.name("yara", OBJECT, 5);
        cache.put(&name, &Answer::not_scanned("time-out", vec![], 0));
        assert_eq!(cache.get(&name), None);
        cache.put(&name, &answer());
        let whole = std::fs::read(cache.path(&name)).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(cache.path(&name), &bytes).unwrap();
            assert_eq!(cache.get(&name), None, "byte {at}");
            std::fs::write(cache.path(&name), &whole[..at]).unwrap();
            assert_eq!(cache.get(&name), None, "cut at {at}");
        }
        std::fs::write(cache.path(&name), &whole).unwrap();
        assert_eq!(cache.get(&name), Some(answer()));
        let other = cache.name("yara", BUILD, 5);
        std::fs::copy(cache.path(&name), cache.path(&other)).unwrap();
        assert_eq!(cache.get(&other), None, "an answer about another object");
        std::fs::write(dir.path().join(KEY_NAME), [9; 32]).unwrap();
        assert_eq!(open(dir.path()).get(&name), None, "another station's");
        std::fs::write(cache.path(&name), b"").unwrap();
        cache.put(&name, &answer());
        assert_eq!(cache.get(&name), Some(answer()), "written anew");
    }

    #[test]
    fn it_is_private_and_does_not_grow_beyond_its_bound() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("cache");
        let cache = open(&folder);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(KEY_NAME))), (0o700, 0o600));
        for n in 0..250 {
            cache.put(&cache.name("yara", OBJECT, n), &answer());
        }
        assert!(std::fs::read_dir(&folder).unwrap().count() <= 101);
        let last = cache.name("yara", OBJECT, 249);
        assert_eq!(cache.get(&last), Some(answer()));
        std::fs::set_permissions(folder.join(KEY_NAME), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Cache::with(&folder, &Policy::standard(), BUILD, 100).is_err());
    }
}
