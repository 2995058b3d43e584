use super::*;
use crate::Signatures;
use crate::bundle::{BundleFile, BundleManifest, FileKind};
use crate::hash::{HashIndex, HashIndexError};
use crate::keys::{LockedKey, SigningKey, generate};
use crate::trust::Trust;
use model::{Digest, time};
use sha2::{Digest as _, Sha256};

const DAY: u64 = 86_400;
const RULE: &[u8] = b"rule of_the_set { condition: false }";

fn digest(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

fn act(day: &str) -> Act {
    Act { who: "test".into(), now: time::days(day).unwrap() * DAY }
}

fn manifest(sequence: u64) -> BundleManifest {
    let file = |path: &str, bytes: &[u8]| BundleFile {
        path: path.into(),
        size: bytes.len() as u64,
        sha256: digest(bytes),
        licence: None,
        source: None,
        attribution: None,
    };
    BundleManifest {
        format: 1,
        id: "plant".into(),
        channel: "main".into(),
        sequence,
        date: "2026-01-31".into(),
        created: "2026-02-01".into(),
        expires: None,
        minimum_version: "0.1.0".into(),
        licence: String::new(),
        source: String::new(),
        attribution: String::new(),
        next_keys: vec![],
        revoked_keys: vec![],
        rules: 1,
        files: vec![file("clamav/x.hdb", b"x"), file("rules/a.yar", RULE)],
        left_out: vec![],
    }
}

fn no_lists(_: std::fs::File) -> Result<HashIndex, HashIndexError> {
    panic!("there is no list in these sets")
}

struct World {
    _dir: tempfile::TempDir,
    store: Store,
    key: SigningKey,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_make(&dir.path().join("store")).unwrap();
    let key = LockedKey::new(generate(None).unwrap().secret).open().unwrap().unwrap();
    let mut trust = Trust::default();
    trust.add(&key.public().unwrap(), "2026-01-01", "test").unwrap();
    store.set_trust(&store.lock().unwrap(), &trust).unwrap();
    World { _dir: dir, store, key }
}

impl World {
    /// What an import does, after signature and unpacking.
    fn take(&self, manifest: &BundleManifest, day: &str) -> Result<StoredSet, StoreError> {
        let (lock, act) = (self.store.lock()?, act(day));
        let json = manifest.to_json().unwrap();
        let bundle = digest(&json);
        let signers = vec![self.key.id()];
        self.store.admits((manifest, &signers), &bundle, "a bundle", act.now)?;
        let stage = self.store.stage(&lock, &bundle)?;
        stage.write("rules/a.yar", &mut &RULE[..])?;
        stage.write("clamav/x.hdb", &mut &b"x"[..])?;
        let set = self.store.seal(&stage, bundle, (manifest.clone(), &json), signers, &act)?;
        self.store.take_in(&lock, stage, &set, &act)
    }

    fn put_in_force(&self, set: &StoredSet) {
        self.store.switch(&self.store.lock().unwrap(), set, &act("2026-02-02"), "test").unwrap();
    }

    fn in_force(&self) -> Option<u64> {
        self.store.in_force().unwrap().map(|force| force.set.manifest.sequence)
    }
}

fn why(result: Result<StoredSet, StoreError>) -> Refusal {
    match result {
        Err(StoreError::Refused { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_set_is_taken_in_put_in_force_and_read() {
    let world = world();
    assert_eq!(world.in_force(), None);
    let set = world.take(&manifest(1), "2026-02-02").unwrap();
    assert_eq!(world.in_force(), None, "taken in is not in force");
    world.put_in_force(&set);
    assert_eq!(world.in_force(), Some(1));
    let built_in = Signatures::built_in().unwrap();
    let together = world.store.in_force().unwrap().unwrap().set.signatures(&built_in, &no_lists).unwrap();
    assert_eq!(together.rules.sources().len(), built_in.rules.sources().len() + 1);
    assert_eq!((together.rules.id(), together.rules.date()), ("plant", "2026-01-31"));
    assert_eq!(together.hashes.sets().len(), built_in.hashes.sets().len());
    assert_eq!(together.hashes.date(), "2026-01-31");
    assert_eq!(std::fs::read(world.store.dir().join("clamav/x.hdb")).unwrap(), b"x");
    assert_eq!(set.manifest.of_kind(FileKind::Rules).count(), 1);
}

#[test]
fn the_number_never_goes_back() {
    let world = world();
    world.take(&manifest(5), "2026-02-02").unwrap();
    assert_eq!(why(world.take(&manifest(4), "2026-02-02")), Refusal::Older { sequence: 4, highest: 5 });
    world.take(&manifest(5), "2026-02-02").unwrap();
    let other = BundleManifest { source: "elsewhere".into(), ..manifest(5) };
    assert_eq!(why(world.take(&other, "2026-02-02")), Refusal::SameNumber { sequence: 5 });
    let other = BundleManifest { channel: "lab".into(), ..manifest(9) };
    assert!(matches!(why(world.take(&other, "2026-02-02")), Refusal::Channel { .. }));
    world.take(&manifest(6), "2026-02-02").unwrap();
}

#[test]
fn a_clock_that_was_reset_revives_nothing() {
    let world = world();
    let limited = BundleManifest { expires: Some("2026-03-01".into()), ..manifest(1) };
    let set = world.take(&limited, "2026-02-28").unwrap();
    let (trust, at) = (world.store.trust().unwrap(), |day| world.store.time(act(day).now).unwrap());
    assert_eq!(set.trouble(&trust, at("2026-02-28")), None);
    assert!(matches!(set.trouble(&trust, at("2026-03-01")), Some(Refusal::Expired { .. })));
    // The clock goes back; the station has seen March.
    assert!(matches!(set.trouble(&trust, at("2026-02-28")), Some(Refusal::Expired { .. })));
    let next = BundleManifest { sequence: 2, ..limited };
    assert!(matches!(why(world.take(&next, "2026-01-01")), Refusal::Expired { .. }));
    world.store.reset_time(&world.store.lock().unwrap(), &act("2026-02-28"), "battery").unwrap();
    world.take(&next, "2026-02-28").unwrap();
}

#[test]
fn keys_turn_with_a_bundle_and_what_a_revoked_key_signed_is_in_trouble() {
    let world = world();
    let next = LockedKey::new(generate(None).unwrap().secret).open().unwrap().unwrap();
    let brings = BundleManifest { next_keys: vec![next.public().unwrap().to_base64()], ..manifest(1) };
    let set = world.take(&brings, "2026-02-02").unwrap();
    assert!(world.store.trust().unwrap().keys.iter().any(|key| key.id == next.id()));
    let suicide = BundleManifest { revoked_keys: vec![world.key.id()], ..manifest(2) };
    assert_eq!(why(world.take(&suicide, "2026-02-02")), Refusal::RevokesItself);
    let mut trust = world.store.trust().unwrap();
    trust.revoke(&world.key.id(), "2026-02-03", "stolen");
    world.store.set_trust(&world.store.lock().unwrap(), &trust).unwrap();
    assert!(matches!(set.trouble(&trust, 0), Some(Refusal::Untrusted(_))));
}

#[test]
fn what_was_changed_in_the_store_is_not_read() {
    let world = world();
    let set = world.take(&manifest(1), "2026-02-02").unwrap();
    world.put_in_force(&set);
    let built_in = Signatures::built_in().unwrap();
    let folder = world.store.dir().join("sets").join(set.bundle.to_string());
    for (file, path) in [("state", world.store.dir().join("state")), ("trust", world.store.dir().join("trust"))] {
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&good[..], b" "].concat()).unwrap();
        assert!(world.store.state().is_err() || world.store.trust().is_err(), "{file}");
        std::fs::write(&path, good).unwrap();
    }
    for name in ["current", "sets/x/bundle.json", "sets/x/set", "sets/x/rules/a.yar"] {
        let path = name.strip_prefix("sets/x/").map_or_else(|| world.store.dir().join(name), |name| folder.join(name));
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 1;
        std::fs::write(&path, bad).unwrap();
        let read = world.store.in_force().and_then(|force| force.unwrap().set.signatures(&built_in, &no_lists));
        assert!(matches!(read, Err(StoreError::Damaged(_))), "{name}");
        std::fs::write(&path, good).unwrap();
    }
    std::fs::remove_file(world.store.dir().join("state")).unwrap();
    assert!(matches!(world.store.state(), Err(StoreError::Damaged(_))), "a lost state is not a fresh start");
}

#[test]
fn compiled_rules_are_read_only_as_they_were_written() {
    let world = world();
    let (one, two) = (digest(b"1"), digest(b"2"));
    world.store.keep_compiled(&world.store.lock().unwrap(), &one, b"bytecode").unwrap();
    assert_eq!(world.store.compiled(&one).as_deref(), Some(&b"bytecode"[..]));
    let folder = world.store.dir().join("compiled");
    let on_disk = std::fs::read(folder.join(one.to_string())).unwrap();
    assert!(!on_disk.windows(4).any(|window| window == b"byte"), "masked");
    std::fs::copy(folder.join(one.to_string()), folder.join(two.to_string())).unwrap();
    assert_eq!(world.store.compiled(&two), None, "another's under this name");
    std::fs::write(folder.join(one.to_string()), b"short").unwrap();
    assert_eq!(world.store.compiled(&one), None);
}

#[test]
fn old_sets_go_but_the_last_ones_stay() {
    let world = world();
    for sequence in 1..=9 {
        let set = world.take(&manifest(sequence), "2026-02-02").unwrap();
        world.put_in_force(&set);
    }
    let left: Vec<u64> = world.store.sets().unwrap().iter().map(|set| set.manifest.sequence).collect();
    assert_eq!(left, [5, 6, 7, 8, 9]);
    assert_eq!(world.in_force(), Some(9));
}
