//! Real files of public test suites, whole: one outcome each, nothing leaked, a second pass that changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and computes on values of its own"
)]

mod common;

use common::{World, corpus, soak};
use model::{Method, Outcome, ReasonCode, ReportLine};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The tags of each file, from the corpus's own index.
fn tags(corpus: &Path) -> HashMap<String, Vec<String>> {
    let index = std::fs::read_to_string(corpus.join("INDEX.tsv")).unwrap();
    let row = |line: &str| {
        let mut cells = line.split('\t');
        let path = cells.next()?.to_owned();
        let tags = cells.next_back()?.split([',', ' ']).map(str::to_owned).collect();
        Some((path, tags))
    };
    index.lines().skip(1).filter_map(row).collect()
}

/// Without the fixed point, what does not come out the same: JPEG, which loses a little each time, and what holds one.
fn lossy(line: &ReportLine) -> bool {
    line.output
        .as_ref()
        .is_some_and(|o| !matches!(o.format.id(), "png" | "bmp" | "gif" | "tiff" | "webp" | "txt" | "csv" | "tsv"))
}

#[test]
fn every_real_file_has_one_outcome_and_nothing_that_must_not_pass_does() {
    let Some(corpus) = corpus() else { return };
    let world = World::new();
    let report = world.at("report.jsonl");
    let mut command = world.sallyport();
    command.arg("clean").arg(&corpus).arg("--out").arg(world.out()).arg("--report").arg(&report);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = common::read_report(&report);
    let tags = tags(&corpus);
    let inputs: BTreeMap<&str, usize> = lines.iter().map(|line| (line.input.as_str(), 1)).collect();
    assert_eq!(inputs.len(), lines.len(), "two lines for one input");
    let in_folder: Vec<String> = common::files_below(&corpus).into_iter().map(|(name, _)| name).collect();
    assert_eq!(in_folder.len(), lines.len());
    for line in &lines {
        let tagged = |tag: &str| tags.get(&line.input).is_some_and(|tags| tags.iter().any(|t| t == tag));
        let must_block =
            line.input.starts_with("exec/") || ["eicar", "bomb", "executable"].iter().any(|tag| tagged(tag));
        assert!(!must_block || line.verdict != Outcome::Released, "leaked: {}", line.input);
        let code = common::code(line);
        assert_ne!(code, Some(ReasonCode::Station), "{}: {:?}", line.input, line.reason);
        // The second reader's refusal, a crash, or our own mistake on a file of a public suite is a defect of ours.
        let defects = [ReasonCode::VerifierRejected, ReasonCode::Crash, ReasonCode::Protocol, ReasonCode::Internal];
        assert!(!code.is_some_and(|code| defects.contains(&code)), "{}: {:?}", line.input, line.reason);
        assert!(line.peak_bytes < 512 << 20, "{} took {} MiB", line.input, line.peak_bytes >> 20);
    }
    same_again(&world, &corpus, &lines);
    second_pass(&world, &[]);
}

/// Determinism: one file at a time, from another folder and in another locale, gives the same bytes and the same words.
fn same_again(world: &World, corpus: &Path, first: &[ReportLine]) {
    let (out, report) = (world.at("alone"), world.at("alone.jsonl"));
    let mut command = world.sallyport();
    command.args(["clean", "--jobs", "1"]).arg(corpus).arg("--out").arg(&out).arg("--report").arg(&report);
    command.current_dir("/").env("LC_ALL", "tr_TR.UTF-8").env("TZ", "Asia/Kathmandu").output().unwrap();
    let second = common::read_report(&report);
    assert_eq!(first.len(), second.len());
    for (a, b) in first.iter().zip(&second) {
        assert_eq!((&a.input, a.verdict, &a.reason, &a.output), (&b.input, b.verdict, &b.reason, &b.output));
        assert_eq!((&a.findings, &a.children), (&b.findings, &b.children), "{}", a.input);
    }
}

/// What we wrote ourselves comes out the same from a second pass with the shortcut switched off. (What passed as it was
/// may be another encoder's work: rebuilt, it gets other bytes once.)
#[test]
fn lossless_dialects_are_a_fixed_point_without_the_shortcut() {
    let Some(corpus) = corpus().filter(|_| soak()) else { return };
    let world = World::new();
    let mut command = world.sallyport();
    command.args(["clean", "--no-fixed-point"]).arg(corpus).arg("--out").arg(world.out()).output().unwrap();
    second_pass(&world, &["--no-fixed-point"]);
}

/// Cleans the outbox again: all of it is released, byte for byte the same.
fn second_pass(world: &World, more: &[&str]) {
    let (out, report) = (world.at("again"), world.at("again.jsonl"));
    let _ = std::fs::remove_dir_all(&out);
    // Manifests are the station's own, and no format that it rebuilds.
    let _ = std::fs::remove_dir_all(world.out().join("sallyport-manifests"));
    let mut command = world.sallyport();
    command.arg("clean").arg(world.out()).arg("--out").arg(&out).arg("--report").arg(&report).args(more);
    let output = command.output().unwrap();
    assert!(output.status.code().is_some());
    for line in common::read_report(&report) {
        assert_eq!(line.verdict, Outcome::Released, "{} {more:?}: {:?}", line.input, line.reason);
        let output = line.output.as_ref().unwrap();
        if more.is_empty() {
            assert_eq!(output.method, Method::Passed, "{}", line.input);
            assert_eq!(line.findings, [], "{}", line.input);
        }
        if more.is_empty() || !lossy(&line) {
            assert_eq!(Some(output.sha256), line.sha256, "{} changed {more:?}", line.input);
        }
    }
}
