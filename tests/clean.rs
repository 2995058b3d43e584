//! `sallyport clean`, end to end: the contract of the command line, the outbox and the report.
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

use common::{World, code, line};
use model::{Method, Outcome, ReasonCode};
use std::os::unix::ffi::OsStrExt;

fn demo() -> World {
    let world = World::new();
    for (name, bytes) in samples::demo_stick() {
        world.put(name, &bytes);
    }
    world
}

#[test]
fn the_demo_stick_comes_out_clean_and_whole() {
    let world = demo();
    let (output, lines) = world.clean(&[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(lines.len(), samples::demo_stick().len());
    let withheld = |name: &str| code(line(&lines, name));
    assert_eq!(withheld("setup.exe"), Some(ReasonCode::BlockedType));
    assert_eq!(withheld("Documents.lnk"), Some(ReasonCode::BlockedType));
    assert_eq!(withheld("test-virus.txt"), Some(ReasonCode::Detection));
    for released in [
        "reports/inspection.pdf",
        "reports/letter.docm",
        "reports/measurements.csv",
        "reports/pumps.xlsx",
        "reports/training.pptx",
        "pictures/site.jpg",
        "pictures/diagram.png",
        "pictures/blinker.gif",
        "pictures/logo.bmp",
        "notes.txt",
        "vendor-delivery.zip",
    ] {
        let line = line(&lines, released);
        assert_eq!(line.verdict, Outcome::Released, "{released}: {:?}", line.reason);
    }
    for (name, bytes) in world.released() {
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!holds(samples::CANARY.as_bytes()), "{name} still holds the canary");
    }
    assert!(world.out().join("reports/letter.docx").exists(), "a macro document becomes a plain one");
    let summary = String::from_utf8(output.stdout).unwrap();
    assert!(summary.contains("may be taken") && summary.contains("held back"), "{summary}");
}

#[test]
fn never_a_released_line_without_its_file_and_never_a_file_without_its_line() {
    let world = demo();
    let (_, lines) = world.clean(&[]);
    let mut in_report: Vec<String> = Vec::new();
    for line in &lines {
        match (line.verdict, &line.output, &line.reason) {
            (Outcome::Released, Some(output), None) => {
                let bytes = std::fs::read(world.out().join(&output.path)).unwrap();
                assert_eq!(bytes.len() as u64, output.size);
                assert_eq!(sha256(&bytes), output.sha256.to_string());
                in_report.push(output.path.clone());
            }
            (Outcome::Blocked | Outcome::Failed, None, Some(_)) => {}
            other => panic!("{}: {other:?}", line.input),
        }
        let engines: Vec<&str> = line.engines.iter().map(|row| &*row.engine).collect();
        assert!(engines.contains(&"yara") && engines.contains(&"hashes"), "{}: {engines:?}", line.input);
        assert!(
            line.engines.iter().all(|row| row.absent || row.bytes == line.size),
            "{}: {:?}",
            line.input,
            line.engines
        );
    }
    in_report.sort();
    let in_outbox: Vec<String> = world.released().into_iter().map(|(name, _)| name).collect();
    assert_eq!(in_report, in_outbox);
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn a_second_pass_over_the_outbox_changes_nothing() {
    let world = demo();
    world.clean(&[]);
    let again = World::new();
    for (name, bytes) in world.released() {
        again.put(&name, &bytes);
    }
    let (output, lines) = again.clean(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(world.released(), again.released());
    for line in &lines {
        let output = line.output.as_ref().unwrap();
        assert_eq!(output.method, Method::Passed, "{}", line.input);
        assert_eq!(line.findings, [], "{}", line.input);
        assert_eq!(Some(output.sha256), line.sha256);
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_whatever_runs_beside_it() {
    let world = demo();
    let (_, first) = world.clean(&["--jobs", "1"]);
    let one = world.released();
    std::fs::remove_dir_all(world.out()).unwrap();
    let report = world.at("other.jsonl");
    let output = world
        .sallyport()
        .args(["clean", "../in", "--out", "../out", "--jobs", "7", "--report"])
        .arg(&report)
        .current_dir({
            std::fs::create_dir(world.at("elsewhere")).unwrap();
            world.at("elsewhere")
        })
        .env("TZ", "Asia/Kathmandu")
        .env("LC_ALL", "tr_TR.UTF-8")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(one, world.released());
    let second = common::read_report(&report);
    let strip = |lines: &[model::ReportLine]| -> Vec<_> {
        lines
            .iter()
            .map(|l| (l.input.clone(), l.verdict, l.reason.clone(), l.output.clone(), l.findings.clone()))
            .collect()
    };
    assert_eq!(strip(&first), strip(&second));
}

#[test]
fn a_rerun_is_idempotent() {
    let world = demo();
    world.clean(&[]);
    let first = world.released();
    let (_, lines) = world.clean(&[]);
    assert_eq!(world.released(), first);
    assert_eq!(lines.len(), samples::demo_stick().len());
    assert!(!world.at("report.jsonl.journal").exists());
}

#[test]
fn names_that_clash_both_survive_and_unsafe_ones_are_made_safe() {
    let world = World::new();
    world.put("A/Note.txt", b"one\n");
    world.put("a/note.TXT", b"two\n");
    world.put("con.txt", b"three\n");
    world.put("tab\there.txt", b"four\n");
    let raw = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
    std::fs::write(world.input().join(raw), "five\n").unwrap();
    let (output, lines) = world.clean(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let names: Vec<String> = world.released().into_iter().map(|(name, _)| name).collect();
    let mut folded: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    folded.sort();
    folded.dedup();
    assert_eq!(folded.len(), 5, "{names:?}");
    assert!(names.contains(&"_con.txt".to_owned()) && names.contains(&"tabhere.txt".to_owned()), "{names:?}");
    let raw = line(&lines, "caf%E9.txt");
    assert_eq!(raw.input_bytes.as_deref(), Some("Y2Fm6S50eHQ="));
}

#[test]
fn links_pipes_and_sockets_each_get_an_outcome_and_are_never_opened() {
    let world = World::new();
    let at = |name: &str| world.input().join(name);
    std::os::unix::fs::symlink("/etc/passwd", at("link.txt")).unwrap();
    std::os::unix::fs::symlink("/etc", at("folder-link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    world.put("real.txt", b"real\n");
    let (output, lines) = world.clean(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines.len(), 4);
    assert_eq!(code(line(&lines, "link.txt")), Some(ReasonCode::SymbolicLink));
    assert_eq!(code(line(&lines, "folder-link")), Some(ReasonCode::SymbolicLink));
    assert_eq!(code(line(&lines, "socket")), Some(ReasonCode::SpecialFile));
    assert_eq!(line(&lines, "real.txt").verdict, Outcome::Released);
}

#[test]
fn folders_without_end_are_one_outcome_and_the_rest_goes_on() {
    let world = World::new();
    let deep = (0..80).fold(world.input(), |path, _| path.join("d"));
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("deep.txt"), "deep\n").unwrap();
    world.put("top.txt", b"top\n");
    let (_, lines) = world.clean(&[]);
    assert_eq!(lines.len(), 2);
    assert_eq!(line(&lines, "top.txt").verdict, Outcome::Released);
    let deep = lines.iter().find(|line| line.input != "top.txt").unwrap();
    assert_eq!((deep.verdict, code(deep)), (Outcome::Failed, Some(ReasonCode::Unreadable)));
}

#[test]
fn mistakes_of_the_caller_have_one_sentence_an_exit_status_and_no_trace() {
    let world = World::new();
    world.put("a.txt", b"a\n");
    std::fs::write(world.at("typo.toml"), "zone = \"plant\"\n[limits]\ndeepth = 3\n").unwrap();
    std::fs::write(world.at("engine.toml"), "zone = \"plant\"\n[engines]\nrequired = [\"nosuch\"]\n").unwrap();
    std::fs::write(world.at("file"), "").unwrap();
    let (input, out) = (world.input(), world.out());
    let (input, out) = (input.to_str().unwrap(), out.to_str().unwrap());
    let nowhere = world.at("nowhere");
    let inside = world.input().join("out");
    let (typo, engine, below_file) = (world.at("typo.toml"), world.at("engine.toml"), world.at("file/out"));
    let cases: Vec<(Vec<&str>, i32)> = vec![
        (vec![nowhere.to_str().unwrap(), "--out", out], 2),
        (vec![input, "--out", inside.to_str().unwrap()], 2),
        (vec![input, "--out", out, "--policy", typo.to_str().unwrap()], 2),
        (vec![input, "--out", out, "--policy", engine.to_str().unwrap()], 2),
        (vec![input, "--out", out, "--policy", nowhere.to_str().unwrap()], 2),
        (vec![input, "--out", below_file.to_str().unwrap()], 3),
        (vec![input, "--out", "/proc/no/such/place"], 3),
        (vec![input], 2),
        (vec!["--out", out], 2),
    ];
    for (arguments, status) in cases {
        let output = world.sallyport().arg("clean").args(&arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(!said.is_empty(), "{arguments:?}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(output.stdout.is_empty());
        assert!(!world.out().exists() && !inside.exists(), "{arguments:?} left something");
    }
}

#[test]
fn json_goes_to_standard_output_and_nothing_else_does() {
    let world = World::new();
    world.put("a.txt", b"a\n");
    world.put("b.exe", &samples::program_stub());
    let output =
        world.sallyport().args(["clean", "--json"]).arg(world.input()).arg("--out").arg(world.out()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<model::ReportLine> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line.verdict).collect::<Vec<_>>(), [Outcome::Released, Outcome::Blocked]);
    assert!(output.stderr.is_empty(), "{:?}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_a_policy_does_not_name_is_withheld_and_what_it_names_must_still_be_whole() {
    let world = World::new();
    world.put("a.txt", b"a\n");
    world.put("a.png", &samples::png());
    let policy = world.at("policy.toml");
    std::fs::write(&policy, "zone = \"turbine\"\n[formats.png]\nmetadata = \"remove\"\n").unwrap();
    let (_, lines) = world.clean(&["--policy", policy.to_str().unwrap()]);
    assert_eq!(code(line(&lines, "a.txt")), Some(ReasonCode::Policy));
    assert_eq!(line(&lines, "a.png").verdict, Outcome::Released);
    let no_image = b"\x89PNG\r\n\x1a\nnot a picture";
    world.put("broken.png", no_image);
    let (_, lines) = world.clean(&["--policy", policy.to_str().unwrap()]);
    assert_ne!(line(&lines, "broken.png").verdict, Outcome::Released);
}

/// A log on a full disk, or a terminal that went away: the words are lost, the status and the files are not.
#[test]
fn an_error_output_that_cannot_be_written_changes_nothing() {
    let full = || std::process::Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let world = World::new();
    world.put("a.txt", b"A note.\n");
    let run = |input: &std::path::Path| {
        let mut command = world.sallyport();
        command.arg("clean").arg(input).arg("--out").arg(world.out()).arg("--quarantine").arg(world.at("held"));
        command.stderr(full()).stdout(std::process::Stdio::null()).status().unwrap().code()
    };
    assert_eq!(run(&world.at("nowhere")), Some(2));
    assert_eq!(run(&world.input()), Some(0), "its warning about the quarantine's key is lost, its files are not");
    assert_eq!(world.released().len(), 1);
}
