//! The crate graph: what the second reader stands on, and that no arrow between the rooms points up.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// All that the second reader's product graph may hold: `model` and what it is made of, and a hash.
const VERIFIER: [&str; 20] = [
    "model",
    "sha2", // ours and the hash
    "block-buffer",
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "hybrid-array",
    "libc",
    "typenum", // under the hash
    "cmov",
    "ctutils", // under the hash, where the station authenticates with it (HMAC)
    "serde",
    "serde_core",
    "serde_derive",
    "proc-macro2",
    "quote",
    "syn",
    "unicode-ident", // under `model`: words, no parser
];

/// What a face may stand on: the station, and all below it.
const FACE: &[&str] = &[
    "station",
    "jail",
    "sanitizer",
    "verifier",
    "engines",
    "signatures",
    "evidence",
    "journal",
    "receipt",
    "shares",
    "medium",
    "sallyport-verify",
];

/// Who may stand on whom; the words `model` are everybody's.
const ARROWS: [(&str, &[&str]); 18] = [
    ("model", &[]),
    ("jail", &[]),
    ("sanitizer", &[]),
    ("verifier", &[]),
    ("signatures", &[]),
    ("engines", &["signatures"]),
    ("samples", &[]),
    ("evidence", &[]),
    ("journal", &["evidence"]),
    ("medium", &[]),
    ("receipt", &[]),
    ("sallyport-verify", &["evidence"]),
    ("shares", &["jail"]),
    (
        "station",
        &[
            "jail",
            "sanitizer",
            "verifier",
            "engines",
            "signatures",
            "evidence",
            "journal",
            "medium",
            "receipt",
            "shares",
        ],
    ),
    ("sallyport", FACE),
    ("gateway", FACE),
    ("kiosk-app", FACE),
    ("sallyport-kiosk", FACE),
];

struct Graph {
    names: BTreeMap<String, String>,
    members: BTreeSet<String>,
    /// Dependencies of the product, not of tests and build scripts.
    needs: BTreeMap<String, Vec<String>>,
}

#[expect(clippy::disallowed_methods, reason = "a test asks cargo, nothing else starts a process here")]
fn metadata() -> Value {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn graph() -> Graph {
    let metadata = metadata();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = list(&metadata["packages"]);
    let names = packages.iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
    let members = list(&metadata["workspace_members"]).iter().map(text).collect();
    let normal = |dep: &Value| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
    let needs = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            (text(&node["id"]), list(&node["deps"]).iter().filter(|d| normal(d)).map(|d| text(&d["pkg"])).collect())
        })
        .collect();
    Graph { names, members, needs }
}

#[test]
fn the_second_reader_stands_on_the_shared_words_and_a_hash_alone() {
    let graph = graph();
    let verifier = graph.names.iter().find(|(_, name)| *name == "verifier").unwrap().0.clone();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![verifier.clone()];
    while let Some(id) = waiting.pop() {
        if seen.insert(id.clone()) {
            waiting.extend(graph.needs[&id].iter().cloned());
        }
    }
    seen.remove(&verifier);
    let strangers: Vec<&String> =
        seen.iter().map(|id| &graph.names[id]).filter(|n| !VERIFIER.contains(&n.as_str())).collect();
    assert!(strangers.is_empty(), "not on the list: {strangers:?}");
    assert!(seen.len() >= 3, "a graph without its nodes proves nothing");
}

#[test]
fn no_arrow_between_the_rooms_points_up() {
    let graph = graph();
    for member in &graph.members {
        let name = &graph.names[member];
        let room = ARROWS.iter().find(|(room, _)| room == name);
        let (_, below) = room.unwrap_or_else(|| panic!("{name} has no place in the graph: add it to ARROWS"));
        for need in graph.needs[member].iter().filter(|need| graph.members.contains(*need)) {
            let need = &graph.names[need];
            assert!(need == "model" || below.contains(&need.as_str()), "{name} must not stand on {need}");
        }
    }
}
