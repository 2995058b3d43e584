//! What a large hash set costs: `cargo run --release -p station --example measure_hashes [ENTRIES [FOLDER]]`.
//!
//! Builds a set (default: 10 million SHA-256 entries) in FOLDER (default: the system's temporary one), opens it as the
//! station does, and looks up digests that are in it and digests that are not.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement on a file of its own"
)]

use jail::SpoolDir;
use signatures::hash::{Builder, FileDigest, Purpose};
use std::fs::File;
use std::time::Instant;

/// Digest `n`: spread like a real one, by the finaliser of a 64-bit mixer, and quick to make.
fn digest(n: u64) -> FileDigest {
    let mut bytes = [0; 32];
    for (part, lane) in bytes.chunks_exact_mut(8).zip(0_u64..) {
        let mut x = n.wrapping_mul(4).wrapping_add(lane).wrapping_add(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        part.copy_from_slice(&(x ^ (x >> 31)).to_be_bytes());
    }
    FileDigest::Sha256(bytes)
}

/// Resident bytes: of this process alone, and of files and shared memory.
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    };
    (of("RssAnon:"), of("RssFile:") + of("RssShmem:"))
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().map_or(10_000_000, |n| n.parse().unwrap());
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let path = folder.join("measure.hashes");

    let start = Instant::now();
    let mut builder = Builder::new("measure", "2026-01-31", Purpose::KnownBad).unwrap();
    (0..count).for_each(|n| builder.add(digest(n), Some(["Family-A", "Family-B"][usize::from(n % 2 == 0)])));
    builder.write(File::create(&path).unwrap()).unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    println!("build   {:8.0} ms   {:.2} bytes an entry on disk", millis(start), size as f64 / count as f64);

    let spool = SpoolDir::new(&folder).unwrap();
    let before = resident();
    for _ in 0..3 {
        let start = Instant::now();
        let index = station::hash_sets::open(&spool, File::open(&path).unwrap()).unwrap();
        println!("open    {:8.2} ms", millis(start));
        drop(index);
    }
    let index = station::hash_sets::open(&spool, File::open(&path).unwrap()).unwrap();
    let start = Instant::now();
    index.check_whole().unwrap();
    println!("check   {:8.0} ms   (all digests of the file, at activation)", millis(start));

    let asked = count.min(1_000_000);
    for (what, offset) in [("miss", count), ("hit", 0)] {
        let start = Instant::now();
        let found = (0..asked).filter(|n| index.find(&digest(n * (count / asked) + offset)).unwrap().is_some()).count();
        println!("{what:<6}  {:8.0} ns a look-up, {found} of {asked} found", millis(start) * 1e6 / asked as f64);
        assert_eq!(found as u64, if offset == 0 { asked } else { 0 });
    }
    let after = resident();
    println!(
        "memory  {:.2} bytes an entry mapped; resident now: own {:.2}, mapped {:.2} an entry",
        index.bytes_in_memory() as f64 / count as f64,
        after.0.saturating_sub(before.0) as f64 / count as f64,
        after.1.saturating_sub(before.1) as f64 / count as f64,
    );
    drop(index);
    std::fs::remove_file(&path).unwrap();
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
