//! A stick, as an image, from end to end: listed and cleaned without being mounted.

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

use common::{World, code, line, read_report};
use model::{Outcome, ReasonCode};
use std::path::PathBuf;
use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "the test plays the person who formats a stick")]
fn tool(name: &str, arguments: &[&str]) -> bool {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let done = Command::new(name).args(arguments).env("PATH", path).env("LC_ALL", "C.UTF-8").output();
    match done {
        Ok(output) => {
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(_) => {
            eprintln!("\n*** NOT TESTED: {name} is missing (scripts/setup.sh tests installs it) ***\n");
            false
        }
    }
}

/// A FAT stick with some files; none where the tools are missing.
fn stick(world: &World) -> Option<PathBuf> {
    world.put("Übersicht.txt", b"all is well\n");
    world.put("drawings/pump.png", &samples::png_with_text());
    world.put("drawings/setup.exe", &samples::program_stub());
    world.put("autorun.inf", b"[autorun]\r\nopen=setup.exe\r\n");
    world.put("secret.txt", b"hidden\n");
    let image = world.at("stick.img");
    std::fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
    let img = image.to_str().unwrap();
    let at = |name: &str| world.input().join(name).to_str().unwrap().to_owned();
    let copied = tool("mkfs.vfat", &["-n", "PLANT", img])
        && tool(
            "mcopy",
            &["-s", "-i", img, &at("Übersicht.txt"), &at("drawings"), &at("autorun.inf"), &at("secret.txt"), "::"],
        )
        && tool("mattrib", &["-i", img, "+h", "+s", "::secret.txt"]);
    copied.then_some(image)
}

#[test]
fn a_stick_is_cleaned_without_being_mounted() {
    let world = World::new();
    let Some(image) = stick(&world) else { return };
    let report = world.at("report.jsonl");
    let mut command = world.sallyport();
    command.arg("clean").arg("--medium").arg(&image).arg("--out").arg(world.out()).arg("--report").arg(&report);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = read_report(&report);
    assert_eq!(lines.len(), 5, "one line for each entry");
    for (name, outcome, reason) in [
        ("Übersicht.txt", Outcome::Released, None),
        ("drawings/pump.png", Outcome::Released, None),
        ("secret.txt", Outcome::Released, None),
        ("drawings/setup.exe", Outcome::Blocked, Some(ReasonCode::BlockedType)),
        ("autorun.inf", Outcome::Blocked, Some(ReasonCode::BlockedType)),
    ] {
        let line = line(&lines, name);
        assert_eq!((line.verdict, code(line)), (outcome, reason), "{name}: {:?}", line.reason);
    }
    let found = |name: &str, id: &str| line(&lines, name).findings.iter().any(|finding| finding.id == id);
    assert!(found("secret.txt", "USB-22") && found("autorun.inf", "USB-10") && !found("Übersicht.txt", "USB-22"));
    let names: Vec<String> = world.released().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["drawings/pump.png", "secret.txt", "Übersicht.txt"]);
    // The record names the medium, not a folder.
    let output = world.sallyport().args(["audit", "export"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    for piece in ["image file", "FAT", "PLANT", "bytes_free_in_volumes"] {
        assert!(told.contains(piece), "{piece}: {told} {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_stick_is_shown_without_anything_being_taken_in() {
    let world = World::new();
    let Some(image) = stick(&world) else { return };
    let output = world.sallyport().args(["medium", "show"]).arg(&image).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "autorun.inf stays behind: {told}");
    for piece in
        ["\u{201c}PLANT\u{201d}", "Übersicht.txt  12 bytes", "hidden, system", "autorun.inf", "drawings/", "USB-13"]
    {
        assert!(told.contains(piece), "{piece}: {told}");
    }
    let output = world.sallyport().args(["medium", "show", "--json"]).arg(&image).output().unwrap();
    let listing: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listing["facts"]["volumes"][0]["entries"], 5);
    assert!(!world.out().exists());
}

#[test]
fn what_is_no_medium_is_refused_before_anything_is_opened() {
    let world = World::new();
    world.put("a.txt", b"a\n");
    let clean = |medium: PathBuf| {
        let output = world.sallyport().arg("clean").arg("--medium").arg(medium).arg("--out").arg(world.out()).output();
        output.unwrap().status.code()
    };
    assert_eq!(clean(world.at("nowhere.img")), Some(2));
    assert_eq!(clean(world.input()), Some(2), "a folder is no medium");
    assert_eq!(clean(PathBuf::from("/dev/null")), Some(2), "nor is a character device");
    let both =
        world.sallyport().arg("clean").arg(world.input()).arg("--medium").arg("x").arg("--out").arg("y").output();
    assert_eq!(both.unwrap().status.code(), Some(2));
    assert!(!world.out().exists());
}
