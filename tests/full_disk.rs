//! A share that fills up and files that may not be read: what was written whole stays, nothing else appears, and every
//! input still has its line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking, and computes on values of its own"
)]
#![expect(clippy::disallowed_methods, reason = "the test plays the person who starts programs")]

mod common;

use common::{World, code, files_below, line, read_report};
use model::{Outcome, ReasonCode, ReportLine};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// A stick whose text files need more room than the small disk has.
fn stick() -> World {
    let world = World::new();
    for n in 0..40 {
        world.put(&format!("log-{n:02}.txt"), format!("line {n} of the log\n").repeat(1_000).as_bytes());
    }
    world
}

const SMALL_DISK_KIB: u32 = 200;

/// Whether this machine lets a test mount a small disk of its own (user and mount namespaces).
fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    let may = tried.is_ok_and(|output| output.status.success());
    if !may {
        eprintln!("\n*** NOT TESTED: no small disk can be mounted here (unshare -rm mount -t tmpfs) ***\n");
    }
    may
}

/// Runs `sallyport clean` with `folder` on a disk of [`SMALL_DISK_KIB`], whose files are copied to `kept` afterwards.
fn clean_onto_small_disk(world: &World, folder: &Path, more: &[&str]) -> (Output, Vec<(String, Vec<u8>)>) {
    std::fs::create_dir_all(folder).unwrap();
    let (kept, program) = (world.at("kept"), env!("CARGO_BIN_EXE_sallyport"));
    let script = format!(
        "mount -t tmpfs -o size={SMALL_DISK_KIB}k tmpfs \"$1\" || exit 99; shift; kept=\"$1\"; disk=\"$2\"; shift 2
         \"$@\"; status=$?; cp -a \"$disk\" \"$kept\"; exit $status"
    );
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &script, "sh"]).arg(folder).arg(&kept).arg(folder);
    command.arg(program).arg("clean").arg(world.input()).arg("--out").arg(world.out()).args(more);
    command.env("HOME", world.dir.path()).env_remove("XDG_STATE_HOME").env_remove("XDG_CACHE_HOME");
    let output = command.output().unwrap();
    assert_ne!(output.status.code(), Some(99), "{output:?}");
    (output, files_below(&kept))
}

/// Each released line has its file, whole; each file has its line.
fn assert_lines_and_files_agree(lines: &[ReportLine], files: &[(String, Vec<u8>)]) {
    let mut in_report: Vec<(String, u64)> =
        lines.iter().filter_map(|line| line.output.as_ref()).map(|out| (out.path.clone(), out.size)).collect();
    in_report.sort();
    let on_disk: Vec<(String, u64)> = files.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect();
    assert_eq!(in_report, on_disk);
}

#[test]
fn a_share_that_fills_up_keeps_whole_files_only_and_the_rest_say_so() {
    if !may_mount() {
        return;
    }
    let world = stick();
    let report = world.at("report.jsonl");
    let arguments = ["--report", report.to_str().unwrap()];
    let (output, files) = clean_onto_small_disk(&world, &world.out(), &arguments);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let lines = read_report(&report);
    assert_eq!(lines.len(), 40);
    assert_lines_and_files_agree(&lines, &files);
    assert!((1..20).contains(&files.len()), "{} files on a disk for some ten", files.len());
    for line in lines.iter().filter(|line| line.verdict != Outcome::Released) {
        assert_eq!((line.verdict, code(line)), (Outcome::Failed, Some(ReasonCode::Station)), "{}", line.input);
        assert!(line.reason.as_ref().unwrap().text.contains("No space left"), "{:?}", line.reason);
    }
}

/// What cannot be kept for the security team is a fault of the station, said on the file's own line.
#[test]
fn a_quarantine_that_fills_up_is_told_and_changes_no_release() {
    if !may_mount() {
        return;
    }
    let world = stick();
    // Blocked for what they are, each larger than the disk has room for two of.
    for n in 0..3 {
        world.put(&format!("tool-{n}.exe"), &[&b"MZ"[..], &vec![n; 150 << 10]].concat());
    }
    let (quarantine, report) = (world.at("quarantine"), world.at("report.jsonl"));
    let arguments = ["--quarantine", quarantine.to_str().unwrap(), "--report", report.to_str().unwrap()];
    let (output, _) = clean_onto_small_disk(&world, &quarantine, &arguments);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let lines = read_report(&report);
    let released = lines.iter().filter(|line| line.verdict == Outcome::Released).count();
    assert_eq!((lines.len(), released), (43, 40));
    let unkept = lines.iter().filter(|line| code(line) == Some(ReasonCode::Station)).count();
    assert_eq!(unkept, 2, "one fits, two do not");
    assert_lines_and_files_agree(&lines, &world.released());
}

/// A report without room stops the run before a file is released that it could not name.
#[test]
fn a_report_without_room_releases_nothing_that_it_does_not_name() {
    if !may_mount() {
        return;
    }
    let world = stick();
    for n in 0..400 {
        world.put(&format!("more/note-{n:03}.txt"), format!("note {n}\n").as_bytes());
    }
    let disk = world.at("evidence");
    let report = disk.join("report.jsonl");
    let (output, evidence) = clean_onto_small_disk(&world, &disk, &["--report", report.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let journal = evidence.iter().find(|(name, _)| name == "report.jsonl.journal").expect("a journal remains");
    let journal = String::from_utf8_lossy(&journal.1);
    let released = world.released();
    assert!(released.len() < 440, "the disk was not too small");
    for (name, _) in &released {
        assert!(journal.contains(name.as_str()), "{name} was released and no record names it");
    }
}

/// What cannot be recorded is not released (IEC 62443-3-3 SR 2.10).
#[test]
fn a_journal_without_room_releases_nothing_that_it_does_not_know() {
    if !may_mount() {
        return;
    }
    let world = stick();
    for n in 0..400 {
        world.put(&format!("more/note-{n:03}.txt"), format!("note {n}\n").as_bytes());
    }
    let (state, report) = (world.at("state"), world.at("report.jsonl"));
    let arguments = ["--state", state.to_str().unwrap(), "--report", report.to_str().unwrap()];
    let (output, kept) = clean_onto_small_disk(&world, &state, &arguments);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let lines = read_report(&report);
    let released = lines.iter().filter(|line| line.verdict == Outcome::Released).count();
    assert!(released < 440, "the disk was not too small");
    assert_lines_and_files_agree(&lines, &world.released());
    // With more room, the next start finds what happened: each file that lies on the share has its record.
    let roomy = world.at("roomy");
    for (name, bytes) in kept.iter().filter(|(name, _)| !name.ends_with(".lock")) {
        std::fs::create_dir_all(roomy.join(name).parent().unwrap()).unwrap();
        std::fs::write(roomy.join(name), bytes).unwrap();
    }
    std::fs::create_dir_all(roomy.join("sessions")).unwrap();
    let next = world.at("next");
    std::fs::create_dir(&next).unwrap();
    std::fs::write(next.join("a.txt"), "next\n").unwrap();
    let mut command = world.sallyport();
    command.arg("clean").arg(&next).arg("--out").arg(world.out()).arg("--state").arg(&roomy);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut verify = world.sallyport();
    verify.arg("verify").arg(world.out()).arg("--trust").arg(roomy.join("station.pub"));
    let checked = verify.output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn a_file_that_may_not_be_read_is_failed_and_says_so() {
    let world = World::new();
    world.put("open.txt", b"for everybody\n");
    world.put("secret.txt", b"for nobody\n");
    std::fs::set_permissions(world.input().join("secret.txt"), std::fs::Permissions::from_mode(0o000)).unwrap();
    let report = world.at("report.jsonl");
    // Root reads everything: without these two rights it is a user like any other.
    let lost = "-dac_override,-dac_read_search";
    let mut command = if std::fs::read(world.input().join("secret.txt")).is_ok() {
        let mut command = Command::new("setpriv");
        command.arg(format!("--bounding-set={lost}")).arg(format!("--inh-caps={lost}"));
        command.arg(env!("CARGO_BIN_EXE_sallyport"));
        command
    } else {
        Command::new(env!("CARGO_BIN_EXE_sallyport"))
    };
    command.env("HOME", world.dir.path()).env_remove("XDG_STATE_HOME").env_remove("XDG_CACHE_HOME");
    command.arg("clean").arg(world.input()).arg("--out").arg(world.out()).arg("--report").arg(&report);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let lines = read_report(&report);
    assert_eq!(line(&lines, "open.txt").verdict, Outcome::Released);
    let secret = line(&lines, "secret.txt");
    assert_eq!((secret.verdict, code(secret)), (Outcome::Failed, Some(ReasonCode::Unreadable)), "{secret:?}");
    assert_eq!(world.released().len(), 1);
}
