//! What the journal costs: appending file records in batches with full durability, reading all of it through, and
//! finding one digest. `cargo bench -p journal --bench journal [-- RECORDS [FOLDER]]` (default: 200,000 in a temporary
//! folder).
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a measurement"
)]

use evidence::StationKey;
use journal::{Journal, Kind, New, Query, verify};
use model::Digest;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::time::Instant;

/// As many as the station has in flight when it reads a stick.
const BATCH: u64 = 64;

fn record(n: u64) -> New {
    let digest =
        |salt: u8| Digest::new(Sha256::new().chain_update(n.to_le_bytes()).chain_update([salt]).finalize().into());
    New {
        kind: Kind::File,
        session: format!("session-{}", n / 1_000),
        input: Some(digest(0)),
        output: Some(digest(1)),
        body: json!({
            "input": format!("reports/2026/week-{}/inspection-{n}.docx", n % 52), "size": n * 17 % 90_000, "format": "docx",
            "verdict": "released", "reason": null, "output": {"path": format!("reports/inspection-{n}.docx"), "method": "rebuilt"},
            "engines": [{"engine": "yara", "version": "4.5.5", "rules_date": "2026-11-23", "verdict": "clean"},
                        {"engine": "hashes", "version": "0.1.0", "rules_date": "2026-11-23", "verdict": "clean"}],
            "findings": [{"id": "OOX-03", "action": "removed", "count": 1}], "ms": {"scan": 1.25, "reconstruct": 2.5},
        }),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let records: u64 = arguments.next().map_or(200_000, |n| n.parse().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let folder = arguments.next().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let journal = Journal::open(&folder, "bench", StationKey::from_seed(&[1; 32])).unwrap();
    for batch in [BATCH, 4_096] {
        let half = records / 2;
        let start = Instant::now();
        for first in (0..half).step_by(batch as usize) {
            journal.append((first..half.min(first + batch)).map(record).collect()).unwrap();
        }
        rate(&format!("append, {batch} a commit"), half, start);
    }
    journal.checkpoint().unwrap();
    let bytes = std::fs::metadata(folder.join("journal.db")).unwrap().len();
    println!("{:<28}{:>12.0} bytes a record", "size", bytes as f64 / records as f64);
    let start = Instant::now();
    let verified = verify(&folder, &journal.key().public(), &[]).unwrap();
    assert!(verified.faults.is_empty(), "{:?}", verified.faults);
    rate("verify", verified.records, start);
    let wanted = record(records / 3).input;
    let start = Instant::now();
    let found = Query { digest: wanted, ..Query::default() }.all(&folder).unwrap();
    println!("{:<28}{:>12.2} ms ({} found)", "search by digest", start.elapsed().as_secs_f64() * 1e3, found.len());
}

fn rate(what: &str, records: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!("{what:<28}{:>12.0} records/s ({records} in {seconds:.1} s)", records as f64 / seconds);
}
