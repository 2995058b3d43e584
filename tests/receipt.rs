//! The receipt of a session, as an engineer finds it on the share: it says what happened, common tools check it, and
//! whoever changes it is found out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod common;

use common::World;
use std::path::{Path, PathBuf};

fn session(world: &World) -> PathBuf {
    let policy = world.at("policy.toml");
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.toml")).unwrap();
    std::fs::write(&policy, format!("contact = \"control room, 4711\"\n{}", text.replace("contact =", "# contact =")))
        .unwrap();
    for (name, bytes) in samples::demo_stick() {
        world.put(name, &bytes);
    }
    world.clean(&["--purpose", "WO-17", "--receipt", "--policy", policy.to_str().unwrap()]);
    let receipts = world.out().join("sallyport-receipts");
    std::fs::read_dir(receipts).unwrap().next().unwrap().unwrap().path()
}

fn verify(world: &World) -> std::process::Output {
    let trust = world.at(".local/state/sallyport/allowed_signers");
    world.sallyport().arg("verify").arg(world.out()).arg("--trust").arg(trust).output().unwrap()
}

#[test]
fn the_receipt_lies_on_the_share_and_says_what_happened() {
    let world = World::new();
    let folder = session(&world);
    let html = std::fs::read_to_string(folder.join("RECEIPT.html")).unwrap();
    let (_, lines) = world.clean(&[]);
    for line in &lines {
        let name = line.output.as_ref().map_or(&line.input, |output| &output.path);
        assert!(html.contains(&model::shown(name)), "{name}");
        assert!(html.contains(&line.sha256.unwrap().to_string()), "{name}");
    }
    for words in ["control room, 4711", "WO-17", "yara", "sallyport-manifests/00000001"] {
        assert!(html.contains(words), "{words}");
    }
    let note = std::fs::read_to_string(folder.join("CHECKPOINT.txt")).unwrap();
    assert!(html.contains(note.lines().nth(2).unwrap()), "the root stands on the page");
    assert!(std::fs::read(folder.join("RECEIPT.pdf")).unwrap().starts_with(b"%PDF-1."));
}

#[test]
fn common_tools_check_it_and_a_changed_one_is_found_out() {
    let world = World::new();
    let folder = session(&world);
    assert_eq!(verify(&world).status.code(), Some(0), "{:?}", verify(&world));
    let signers = world.at(".local/state/sallyport/allowed_signers");
    let principal = std::fs::read_to_string(&signers).unwrap();
    let principal = principal.split(' ').next().unwrap();
    let script = format!(
        "sha256sum -c SHA256SUMS && ssh-keygen -Y verify -f {} -I {principal} -n sallyport-receipt -s SHA256SUMS.sig < SHA256SUMS",
        signers.display()
    );
    #[expect(clippy::disallowed_methods, reason = "the test plays the person who checks by hand")]
    let checked = std::process::Command::new("sh").args(["-c", &script]).current_dir(&folder).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");

    let html = folder.join("RECEIPT.html");
    let text = std::fs::read_to_string(&html).unwrap();
    std::fs::write(&html, text.replacen("may be taken", "may be token", 1)).unwrap();
    let told = verify(&world);
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8(told.stdout).unwrap().contains("RECEIPT.html is not what was signed"));
    std::fs::write(&html, text).unwrap();
    std::fs::write(folder.join("RECEIPT.txt"), "take everything").unwrap();
    assert_eq!(verify(&world).status.code(), Some(1), "a page that nobody signed");
    std::fs::remove_file(folder.join("RECEIPT.txt")).unwrap();
    // The signature over the release's sums does not make a receipt.
    let manifest = std::fs::read_dir(world.out().join("sallyport-manifests")).unwrap().next().unwrap().unwrap().path();
    for name in ["SHA256SUMS", "SHA256SUMS.sig"] {
        std::fs::copy(manifest.join(name), folder.join(name)).unwrap();
    }
    assert_eq!(verify(&world).status.code(), Some(1));
}

#[test]
fn it_can_be_made_again_and_is_the_same() {
    let world = World::new();
    let folder = session(&world);
    let (id, again) = (folder.file_name().unwrap().to_str().unwrap(), world.at("again"));
    let made = world.sallyport().args(["audit", "receipt", id, "--out"]).arg(&again).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    assert_eq!(common::files_below(&again), common::files_below(&folder));
    let mut unknown = world.sallyport();
    unknown.args(["audit", "receipt", "20000101T000000Z-00000000", "--out"]).arg(&again);
    assert_eq!(unknown.output().unwrap().status.code(), Some(3));
}

/// A share that goes away after the last file: the session is whole, the receipt is owed and comes with the next start.
#[test]
fn a_receipt_that_is_owed_comes_with_the_next_start() {
    let world = World::new();
    let folder = session(&world);
    let mark = world
        .at(".local/state/sallyport/sessions")
        .join(format!("{}.lock", folder.file_name().unwrap().to_str().unwrap()));
    assert!(!mark.exists(), "nothing is owed");
    let before = common::files_below(&folder);
    // As a kill between the checkpoint and the receipt leaves it.
    std::fs::remove_file(folder.join("SHA256SUMS.sig")).unwrap();
    std::fs::remove_file(folder.join("RECEIPT.pdf")).unwrap();
    std::fs::write(&mark, "").unwrap();
    world.clean(&[]);
    assert_eq!(common::files_below(&folder), before);
    assert!(!mark.exists());
    assert_eq!(verify(&world).status.code(), Some(0));
}
