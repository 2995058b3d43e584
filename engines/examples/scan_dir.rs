//! Scans every file under the folders given with the built-in rules and prints which rule hit which file: for looking
//! at false positives and at speed. Loads compiled rules outside a jail, so only for rules and files that you trust.
//!
//! `scan_dir FOLDER...`
#![expect(clippy::expect_used, reason = "a tool for development: it may stop")]

use engines::Resident;
use engines::yara::{compile, load};
use model::Untrusted;
use signatures::Signatures;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("folder").filter_map(|e| e.ok().map(|e| e.path())).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

fn main() {
    let start = Instant::now();
    let compiled = compile(&Signatures::built_in().expect("signatures").rules).expect("rules compile");
    let compile_ms = start.elapsed().as_secs_f64() * 1000.0;
    let start = Instant::now();
    let rules = load(&compiled).expect("rules load");
    let load_ms = start.elapsed().as_secs_f64() * 1000.0;
    let mut paths = Vec::new();
    std::env::args_os().skip(1).for_each(|folder| files(Path::new(&folder), &mut paths));
    let (mut bytes, mut seconds) = (0u64, 0f64);
    for path in &paths {
        let object = std::fs::read(path).expect("file");
        let start = Instant::now();
        let answer = rules.scan(Untrusted::new(&object), 60).about(object.len() as u64);
        seconds += start.elapsed().as_secs_f64();
        bytes = bytes.saturating_add(object.len() as u64);
        if let Some(why) = answer.error() {
            println!("not-scanned\t{why}\t{}", path.display());
        }
        for detection in answer.detections() {
            println!("{:?}\t{}\t{}", detection.severity, detection.rule, path.display());
        }
    }
    eprintln!(
        "{} rules, {} bytes compiled in {compile_ms:.1} ms, loaded in {load_ms:.1} ms; {} files, {bytes} bytes in {seconds:.2} s",
        rules.rule_count(),
        compiled.len(),
        paths.len(),
    );
}
