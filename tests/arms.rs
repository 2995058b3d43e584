//! Accept arms: whatever the second reader accepts, some golden output needs. Each way to accept something is switched off
//! in turn, and a golden output must then be refused; an arm that none of them needs accepts what we may never write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, computes on values of its own and starts the compiler"
)]

#[path = "arms/schemata.rs"]
mod schemata;

mod common;

use common::{cases, soak};
use model::{Policy, Untrusted};
use sanitizer::Quiet;
use schemata::{Arm, Schemata};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const MANIFEST: &str = r#"[package]
name = "verifier"
version = "0.0.0"
edition = "2024"

[[bin]]
name = "run"
path = "src/run.rs"

[dependencies]
model = { path = "MODEL" }
sha2 = "0.11"

[profile.dev]
opt-level = 1
debug = false

[workspace]
"#;

/// Writes the crate of all mutants and builds it: the path of its program.
fn build(schemata: &Schemata, root: &Path) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("arms");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    };
    write("Cargo.toml", &MANIFEST.replace("MODEL", root.join("model").to_str().unwrap()));
    write("Cargo.lock", &std::fs::read_to_string(root.join("Cargo.lock")).unwrap());
    for (name, text) in &schemata.files {
        let text = if name == "lib.rs" { format!("{text}\npub mod arms;\n") } else { text.clone() };
        write(&format!("src/{name}"), &text);
    }
    write("src/arms.rs", &format!("{}\nconst ARMS: usize = {};\n", include_str!("arms/on.rs"), schemata.arms.len()));
    write("src/run.rs", include_str!("arms/run.rs"));
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("RUSTFLAGS", "--cap-lints=allow")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("target/debug/run")
}

/// A file that we wrote: its format and where it lies.
struct Written {
    format: String,
    path: PathBuf,
    met: Vec<usize>,
}

/// What the sanitizer makes of the golden cases.
fn outputs(into: &Path) -> Vec<Written> {
    let policy = Policy::standard();
    let mut written = Vec::new();
    for (format, case, name, input) in cases::cases() {
        if let Ok(rebuilt) = sanitizer::clean(name, Untrusted::new(&input), &policy, &mut Quiet).result {
            let path = into.join(format!("{format}-{case}"));
            std::fs::write(&path, &rebuilt.bytes).unwrap();
            written.push(Written { format: rebuilt.format.id().to_owned(), path, met: Vec::new() });
        }
    }
    written
}

fn run(program: &Path, off: usize, files: &[&Written], list: &Path) -> String {
    let lines: Vec<String> = files.iter().map(|f| format!("{} {}\n", f.format, f.path.display())).collect();
    std::fs::write(list, lines.concat()).unwrap();
    let told = list.with_extension("told");
    let stdout = std::fs::File::create(&told).unwrap();
    let mut child = Command::new(program).arg(off.to_string()).arg(list).stdout(stdout).spawn().unwrap();
    // A loop that has lost its way out accepts nothing either.
    let mut waited = 0;
    while child.try_wait().unwrap().is_none() {
        waited += 1;
        if waited > 5000 {
            child.kill().unwrap();
            child.wait().unwrap();
            return "killed: does not end".into();
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    std::fs::read_to_string(&told).unwrap()
}

/// Whether a table's word could matter to a file.
fn concerns(arm: &Arm, format: &str) -> bool {
    let office = ["docx", "dotx", "xlsx", "xltx", "pptx", "ppsx", "potx"].contains(&format);
    match arm.file.strip_prefix("dialects/").and_then(|rest| rest.split_once('/')) {
        Some(("ooxml", _)) => office || format == "zip",
        Some(("pdf", _)) => format == "pdf" || format == "zip",
        _ => true,
    }
}

#[test]
fn every_accept_arm_is_needed_by_a_golden_output() {
    if !soak() {
        eprintln!("\n*** accept arms: only with SALLYPORT_SOAK=1 (make soak) ***\n");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schemata = schemata::of(&root.join("verifier/src"));
    let program = build(&schemata, root);
    let dir = tempfile::tempdir().unwrap();
    let mut files = outputs(dir.path());
    let all: Vec<&Written> = files.iter().collect();
    let told = run(&program, 0, &all, &dir.path().join("list"));
    let mets: Vec<Vec<usize>> = told
        .lines()
        .zip(&files)
        .map(|(line, file)| {
            let met = line.strip_prefix("accepted ").unwrap_or_else(|| panic!("{}: {line}", file.path.display()));
            met.split(' ').map(|n| n.parse().unwrap()).collect()
        })
        .collect();
    for (file, met) in files.iter_mut().zip(mets) {
        file.met = met;
    }
    let next = AtomicUsize::new(1);
    let survivors = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let (next, survivors, files, arms, dir, program) =
                (&next, &survivors, &files, &schemata.arms, dir.path(), &program);
            scope.spawn(move || {
                let list = dir.join(format!("list{worker}"));
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(arm) = arms.get(n - 1) else { return };
                    let useful = |f: &&Written| if arm.met { f.met.contains(&n) } else { concerns(arm, &f.format) };
                    let candidates: Vec<&Written> = files.iter().filter(useful).collect();
                    let killed = !candidates.is_empty() && !run(program, n, &candidates, &list).starts_with("survived");
                    if !killed {
                        let met = !candidates.is_empty() && arm.met;
                        survivors.lock().unwrap().insert(n, met);
                    }
                }
            });
        }
    });
    let survivors = survivors.into_inner().unwrap();
    let total = schemata.arms.len();
    let reasons = kept();
    println!("accept arms: killed {} of {total}; survivors, all with a reason unless told:", total - survivors.len());
    let mut without = 0;
    let mut alive = BTreeSet::new();
    for (n, met) in &survivors {
        let arm = &schemata.arms[n - 1];
        let reason = reasons.get(&(arm.file.as_str(), arm.what.as_str()));
        alive.insert((arm.file.as_str(), arm.what.as_str()));
        without += usize::from(reason.is_none());
        let (met, reason) = (if *met { " (met)" } else { "" }, reason.unwrap_or(&"NO REASON"));
        println!("  {}:{} {}{met}: {reason}", arm.file, arm.line, arm.what);
    }
    assert_eq!(without, 0, "arms that no golden output needs: delete them, or add a golden case that needs them");
    let stale: Vec<_> = reasons.keys().filter(|key| !alive.contains(*key)).collect();
    assert!(stale.is_empty(), "tests/arms/kept.tsv lists arms that are needed, or gone: {stale:?}");
}

/// Reasons by file and arm.
fn kept() -> BTreeMap<(&'static str, &'static str), &'static str> {
    let rows = include_str!("arms/kept.tsv").lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let mut cells = row.split('\t');
        let mut next = || cells.next().unwrap_or_else(|| panic!("file, arm, reason: {row}"));
        ((next(), next()), next())
    })
    .collect()
}
