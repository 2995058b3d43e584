//! Media through the real jail: every byte of every file on every file system; loops and lies; mutated images.
//!
//! Its own `main`: this program is also the executable that jails are started from.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod exfat_writer;
mod images;
mod lies;
mod mutants;

use images::{SYSTEMS, image};
use jail::{Launcher, SpoolDir};
use model::Limits;
use sha2::{Digest, Sha256};
use station::inputs::{Entry, collect_media};
use station::{Listed, Medium, StationError, take_in};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn main() {
    jail::become_jail_if_asked(&station::roles::ROLES);
    let tests: [(&str, fn()); 5] = [
        ("every file of every file system comes as it was", every_file_comes_as_it_was),
        ("a partitioned stick", lies::partitions),
        ("loops and lies", lies::all),
        ("what is not read says why", lies::strangers),
        ("mutated images end within their limits", mutants::all),
    ];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, test) in tests {
        if wanted.is_empty() || wanted.iter().any(|want| name.contains(want.as_str())) {
            let began = std::time::Instant::now();
            test();
            println!("test {name} ... ok ({:.1} s)", began.elapsed().as_secs_f64());
        }
    }
}

/// A medium that was listed, through a jail.
pub fn listed(path: &Path) -> Result<Listed, StationError> {
    let (launcher, limits) = (Launcher::of_this_program().unwrap(), Limits::default());
    let spool = path.parent().unwrap().join("spool");
    Medium::open(path, &launcher, &spool, &limits)?.list(limits.entries)
}

/// What became of each entry: the digest of what was taken in, or the reason's code in words.
pub fn outcomes(listed: &Listed) -> BTreeMap<String, Result<[u8; 32], String>> {
    let spool = SpoolDir::new(listed.path().parent().unwrap()).unwrap();
    let entries = collect_media(std::slice::from_ref(listed)).unwrap();
    let mut outcomes = BTreeMap::new();
    for entry in &entries {
        let name = String::from_utf8_lossy(&entry.shown).into_owned();
        let before = outcomes.insert(name.clone(), outcome(entry, &spool));
        assert!(before.is_none(), "two entries have the path {name}");
    }
    outcomes
}

fn outcome(entry: &Entry, spool: &SpoolDir) -> Result<[u8; 32], String> {
    match take_in(entry, spool, 1 << 30) {
        Ok(intake) => {
            let digest: [u8; 32] = Sha256::digest(&*intake.sealed.map().unwrap()).into();
            assert_eq!(intake.digest, model::Digest::new(digest), "what was hashed is what was sealed");
            Ok(digest)
        }
        Err(station::IntakeError::Entry(reason)) => Err(format!("{:?}: {}", reason.code, reason.text)),
        Err(station::IntakeError::Station(text)) => panic!("the station failed: {text}"),
    }
}

/// 305 files: empty, one byte, around the sizes of sectors and clusters, some large; long names, other scripts, deep.
pub fn mixed_files(at: &Path) -> BTreeMap<String, [u8; 32]> {
    let mut made = BTreeMap::new();
    let mut put = |name: String, len: usize| {
        let bytes: Vec<u8> =
            (0..len).map(|n| ((n as u32).wrapping_mul(2_654_435_761) >> 13) as u8 ^ len as u8).collect();
        let path = at.join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &bytes).unwrap();
        made.insert(name, Sha256::digest(&bytes).into());
    };
    let sizes = [0, 1, 511, 512, 513, 2047, 2048, 2049, 4095, 4096, 4097, 32_768, 33_000, 65_537, 100_001];
    for n in 0..260 {
        put(format!("folder{}/file {n}.bin", n % 7), sizes[n % sizes.len()]);
    }
    let deep: String = (0..12).map(|n| format!("level {n}/")).collect();
    for n in 0..10 {
        put(format!("{deep}deep {n}.txt"), 100 + n);
        put(format!("Prüfung/Größe {n} äöü ß.txt"), 1000 * n);
        put(format!("图纸/泵站 {n} 设计图.dwg"), 777 * n);
        put(format!("{}{n}.txt", "long name ".repeat(9)), 50 * n);
    }
    put("large.bin".into(), 5 << 20);
    put("larger.bin".into(), (9 << 20) + 17);
    put(".dotfile".into(), 3);
    put("UPPER.TXT".into(), 40);
    put("mixed.Case.Name".into(), 41);
    assert_eq!(made.len(), 305);
    made
}

fn every_file_comes_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    let made = mixed_files(&source);
    for system in SYSTEMS {
        let Some(image) = image(system, &source, dir.path(), 96) else { continue };
        let listed = listed(&image).unwrap();
        let volume = &listed.facts().volumes[0];
        let mut outcomes = outcomes(&listed);
        outcomes.retain(|name, _| !name.starts_with("rr_moved"));
        let names: Vec<&String> = outcomes.keys().filter(|name| !made.contains_key(*name)).collect();
        assert!(names.is_empty(), "{system}: not from the source: {names:?}");
        for (name, digest) in &made {
            assert_eq!(outcomes.get(name), Some(&Ok(*digest)), "{system}: {name}");
        }
        println!("{system}: {}", station::volume_in_words(volume));
        for finding in &listed.facts().findings {
            println!("  {}", station::finding_in_words(finding));
        }
        assert_eq!(outcomes.len(), 305, "{system}");
        std::fs::remove_file(image).unwrap();
    }
}

/// A folder's single image of a few files, for tests that damage it.
pub fn small_files(at: &Path) -> PathBuf {
    let source = at.join("small");
    for (name, len) in [("a/one.txt", 3000), ("a/b/two.txt", 70), ("three.bin", 20_000), ("empty", 0)] {
        let path = source.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, vec![name.len() as u8; len]).unwrap();
    }
    source
}
