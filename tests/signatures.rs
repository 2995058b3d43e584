//! `sallyport signatures` as a person uses it: build, sign, check, take in, put in force, roll back. And as an attacker and
//! a power cut use it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and computes on values of its own"
)]

mod common;

use common::plant::{MARKER, Plant, content, manifest_of, new_key, text, today};
use common::{Chance, World, files_below, line, soak};
use model::{Outcome, ReasonCode};
use serde_json::Value;
use signatures::bundle::{BundleManifest, pack};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A folder as a maker has it: good and broken rules, lists, samples, what is none of them.
fn folder(world: &World) -> PathBuf {
    let put = |name: &str, bytes: &[u8]| {
        let path = world.at("rules-folder").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let rules = format!(
        "import \"pe\"\nrule Marker {{ strings: $a = \"{MARKER}\" condition: $a }}\nrule Broken {{ condition: nowhere }}\n"
    );
    put("rules/marker.yar", rules.as_bytes());
    put("rules/nonsense.yar", b"this is no rule");
    put(
        "forge.zip",
        &zipped("packages/core.yar", b"rule FromAPackage { strings: $a = \"forge-marker\" condition: $a }"),
    );
    put("lists/bad.txt", format!("# ours\n{}  sample.exe\nnonsense\n", "ab".repeat(32)).as_bytes());
    put("samples/must-hit/Marker/a.txt", format!("a {MARKER}").as_bytes());
    put("samples/must-hit/b.txt", b"forge-marker");
    put("samples/must-not-hit/c.txt", b"harmless");
    put("clamav/own.hdb", b"44d88612fea8a8f36de82e1278abb02f:68:Own\n");
    put("README.md", b"read me");
    put("bundle.toml", b"id = \"plant\"\nsequence = 1\ndate = \"2026-01-31\"\nlicence = \"MIT\"\n");
    world.at("rules-folder")
}

fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_folder_becomes_a_bundle_that_a_station_takes_and_works_with() {
    let plant = Plant::trusting_nobody();
    let (dir, bundle) = (folder(&plant.world), plant.world.at("b.tar.zst"));
    let (dir, out) = (dir.to_str().unwrap(), bundle.to_str().unwrap());
    let key = plant.world.at("me");
    plant.ok(&["keygen", key.to_str().unwrap(), "--no-password"]);
    assert_eq!(
        plant.run(&["keygen", key.to_str().unwrap(), "--no-password"]).status.code(),
        Some(2),
        "never over a key"
    );
    let (secret, public) = (plant.world.at("me.key"), plant.world.at("me.pub"));
    let (secret, public) = (secret.to_str().unwrap(), public.to_str().unwrap());
    let today = today();
    let build = ["build", dir, "-o", out, "--key", secret, "--date", &today];
    let said = plant.ok(&build);
    let first = std::fs::read(&bundle).unwrap();
    assert!(said.contains("2 rules in 2 files, 1 lists, 3 samples, 1 databases"), "{said}");
    for left_out in ["rules/marker.yar Broken", "rules/nonsense.yar", "lists/bad.txt entry 3", "README.md"] {
        assert!(said.contains(left_out), "{left_out} is left out silently: {said}");
    }
    plant.ok(&build);
    assert!(first == std::fs::read(&bundle).unwrap(), "the same folder gives the same bytes");
    minisign_agrees(out, public);
    plant.ok(&["trust", "add", public]);
    assert!(plant.ok(&["test", out]).contains("is good"));
    assert_eq!(plant.in_force(), [0; 0], "a test changes nothing");
    plant.ok(&["import", out]);
    assert_eq!(plant.in_force(), [1]);
    assert!(plant.store().join("clamav/own.hdb").is_file(), "databases lie where clamd is told to look");
    // The station works with it, and with what is built in.
    plant.world.put("marked.txt", format!("here is {MARKER}\n").as_bytes());
    plant.world.put("packed.txt", b"forge-marker\n");
    plant.world.put("good.txt", b"nothing\n");
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EI", "CAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    plant.world.put("test.txt", eicar.as_bytes());
    let (_, lines) = plant.world.clean(&["--signatures", plant.store().to_str().unwrap()]);
    for (name, rule) in [("marked.txt", "Marker"), ("packed.txt", "FromAPackage"), ("test.txt", "EICAR")] {
        let line = line(&lines, name);
        assert_eq!(common::code(line), Some(ReasonCode::Detection), "{line:?}");
        assert!(line.engines.iter().any(|row| row.matches.iter().any(|m| m.rule.contains(rule))), "{line:?}");
    }
    let good = line(&lines, "good.txt");
    assert_eq!(good.verdict, Outcome::Released);
    for name in ["yara", "hashes"] {
        let row = good.engines.iter().find(|row| row.engine == name).unwrap();
        assert_eq!(row.rules_date, today, "the report shows how old the rules of {name} are");
    }
}

/// minisign's own program, where it is installed.
fn minisign_agrees(bundle: &str, public: &str) {
    let run = |arguments: &[&str]| {
        #[expect(clippy::disallowed_methods, reason = "the test plays the person who checks by hand")]
        Command::new("minisign").args(arguments).stdin(Stdio::null()).output()
    };
    let Ok(output) = run(&["-V", "-p", public, "-m", bundle]) else {
        eprintln!("\n*** NOT TESTED: minisign is not installed; nobody else checked our signatures ***\n");
        return;
    };
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn what_minisign_signed_is_taken() {
    let plant = Plant::trusting_nobody();
    let (secret, public) = (plant.world.at("m.key"), plant.world.at("m.pub"));
    let (manifest, files) = content(1);
    let bundle = plant.world.at("b.tar.zst");
    std::fs::write(&bundle, pack(&manifest, &files).unwrap()).unwrap();
    let run = |arguments: &[&Path]| {
        #[expect(clippy::disallowed_methods, reason = "the test plays the person who signs by hand")]
        Command::new("minisign").args(arguments).stdin(Stdio::null()).output()
    };
    let flag = Path::new;
    let Ok(made) = run(&[flag("-G"), flag("-W"), flag("-p"), &public, flag("-s"), &secret]) else {
        eprintln!("\n*** NOT TESTED: minisign is not installed; its signatures were not tried ***\n");
        return;
    };
    assert!(made.status.success(), "{}", text(&made.stderr));
    let signed = run(&[flag("-S"), flag("-s"), &secret, flag("-m"), &bundle]).unwrap();
    assert!(signed.status.success(), "{}", text(&signed.stderr));
    plant.ok(&["trust", "add", public.to_str().unwrap()]);
    plant.ok(&["import", bundle.to_str().unwrap()]);
    assert_eq!(plant.in_force(), [1]);
}

#[test]
fn status_says_how_old_the_rules_are_and_fails_where_they_are_stale() {
    let plant = Plant::new();
    let (mut manifest, files) = content(1);
    manifest.date = "2024-02-29".to_owned();
    let old = plant.put("old.tar.zst", &pack(&manifest, &files).unwrap(), &plant.key);
    plant.ok(&["import", &old]);
    let output = plant.run(&["status"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("stale"));
    let json = text(&plant.run(&["status", "--json"]).stdout);
    let row: Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert!(row["age_days"].as_u64().unwrap() > 600 && row["state"] == "in force" && row["licence"] == "MIT");
    assert_eq!(row["signers"][0], plant.key.id());
    plant.ok(&["import", &plant.bundle(2)]);
    assert_eq!(plant.run(&["status"]).status.code(), Some(0));
    // The signer is found out: what it signed is in trouble, and nothing more of it is taken.
    plant.ok(&["trust", "revoke", &plant.key.id(), "--reason", "stolen"]);
    assert_eq!(plant.run(&["status"]).status.code(), Some(1));
    assert!(plant.refused(&["import", &plant.bundle(3)]).contains("trusts no key"));
    let key = plant.world.at("maker.pub");
    assert!(plant.refused(&["trust", "add", key.to_str().unwrap()]).contains("revoked"));
}

#[test]
fn a_rollback_takes_a_reason_and_is_recorded_and_old_bundles_stay_out() {
    let plant = Plant::new();
    for number in [1, 2] {
        plant.ok(&["import", &plant.bundle(number)]);
    }
    assert!(plant.refused(&["import", &plant.bundle(1)]).contains("number 2 was taken in already"));
    assert!(plant.refused(&["activate", "1"]).contains("rollback"));
    assert_eq!(plant.run(&["rollback"]).status.code(), Some(2), "no reason");
    plant.ok(&["rollback", "--reason", "number 2 hits our own drawings"]);
    assert_eq!(plant.in_force(), [1]);
    let journal = std::fs::read_to_string(plant.store().join("journal.jsonl")).unwrap();
    assert!(journal.lines().last().unwrap().contains("hits our own drawings"), "{journal}");
    plant.ok(&["activate"]);
    assert_eq!(plant.in_force(), [2]);
    // A folder that somebody fills: the newest is taken, and once.
    let incoming = plant.world.at("usb");
    std::fs::create_dir(&incoming).unwrap();
    for number in [3, 4] {
        let (manifest, files) = content(number);
        let bytes = pack(&manifest, &files).unwrap();
        let signature = plant.key.sign(&bytes, &format!("channel:main sequence:{number}")).unwrap();
        std::fs::write(incoming.join(format!("{}.tar.zst", 9 - number)), bytes).unwrap();
        std::fs::write(incoming.join(format!("{}.tar.zst.minisig", 9 - number)), signature).unwrap();
    }
    let source = format!("file://{}", incoming.display());
    plant.ok(&["update", "--source", &source]);
    assert_eq!(plant.in_force(), [4]);
    assert!(plant.ok(&["update", "--source", &source]).contains("nothing newer"));
}

#[test]
fn two_signers_can_be_asked_for_and_keys_turn() {
    let plant = Plant::new();
    let (other, next) = (new_key(), new_key());
    plant.ok(&["trust", "add", &other.public().unwrap().to_base64()]);
    plant.ok(&["trust", "require", "2"]);
    let bundle = plant.bundle(1);
    assert!(plant.refused(&["import", &bundle]).contains("1 of the 2 signatures"));
    let second = other.sign(&std::fs::read(&bundle).unwrap(), "second").unwrap();
    std::fs::write(format!("{bundle}.second.minisig"), second).unwrap();
    plant.ok(&["import", &bundle]);
    plant.ok(&["trust", "require", "1"]);
    let (mut manifest, files) = content(2);
    manifest.next_keys = vec![next.public().unwrap().to_base64()];
    plant.ok(&["import", &plant.put("turn.tar.zst", &pack(&manifest, &files).unwrap(), &plant.key)]);
    let (mut manifest, files) = content(3);
    manifest.revoked_keys = vec![plant.key.id()];
    let suicide = plant.put("suicide.tar.zst", &pack(&manifest, &files).unwrap(), &plant.key);
    assert!(plant.refused(&["import", &suicide]).contains("revokes the keys"));
    plant.ok(&["import", &plant.put("turned.tar.zst", &pack(&manifest, &files).unwrap(), &next)]);
    assert!(plant.refused(&["import", &plant.bundle(4)]).contains("revoked"));
}

/// A zstd frame of raw and run-length blocks, so that any archive can be made.
enum Block<'a> {
    Raw(&'a [u8]),
    Run(u8, usize),
}

fn frame(blocks: &[Block<'_>]) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x40];
    let mut block = |kind: u32, len: usize, bytes: &[u8]| {
        out.extend(&(kind << 1 | (len as u32) << 3).to_le_bytes()[..3]);
        out.extend(bytes);
    };
    for one in blocks {
        match one {
            Block::Raw(bytes) => bytes.chunks(100_000).for_each(|part| block(0, part.len(), part)),
            Block::Run(byte, len) => (0..len / 131_072).for_each(|_| block(1, 131_072, &[*byte])),
        }
    }
    out.extend([1, 0, 0]);
    out
}

fn tar_entry(name: &str, size: usize, kind: u8) -> Vec<u8> {
    let mut head = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\x000000000\x000000000\0");
    put(124, format!("{size:011o}\x0000000000000\0        ").as_bytes());
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = head.iter().map(|b| u32::from(*b)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    head
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

#[test]
fn what_is_wrong_with_a_bundle_is_said_in_one_sentence_and_nothing_changes() {
    let plant = Plant::new();
    plant.ok(&["import", &plant.bundle(5)]);
    let stranger = new_key();
    let packed = |spoil: &dyn Fn(&mut BundleManifest)| {
        let (mut manifest, files) = content(6);
        spoil(&mut manifest);
        pack(&manifest, &files).unwrap()
    };
    let import = |name: &str, bytes: &[u8]| plant.refused(&["import", &plant.put(name, bytes, &plant.key)]);
    let good = packed(&|_| ());
    assert!(plant.refused(&["import", &plant.put("x", &good, &stranger)]).contains("does not trust"));
    assert!(import("x", &packed(&|m| m.channel = "lab".to_owned())).contains("channel"));
    assert!(import("x", &packed(&|m| m.sequence = 4)).contains("number 5 was taken in"));
    assert!(import("x", &packed(&|m| m.sequence = 5)).contains("another bundle with number 5"));
    assert!(import("x", &packed(&|m| m.expires = Some("2026-01-01".to_owned()))).contains("expired"));
    assert!(import("x", &packed(&|m| m.minimum_version = "99.0.0".to_owned())).contains("update the station"));
    assert!(import("x", b"").contains("zstd"));
    assert!(import("x", b"no bundle at all").contains("zstd"));
    let (manifest, files) = manifest_of(6, vec![("rules/a.yar", b"rule a { condition: nowhere }".to_vec())]);
    assert!(import("x", &pack(&manifest, &files).unwrap()).contains("nowhere"));
    let mut sample = b"nothing that a rule knows".to_vec();
    signatures::bundle::mask(&mut sample);
    let rule = b"rule a { condition: false }".to_vec();
    let (manifest, files) = manifest_of(6, vec![("rules/a.yar", rule), ("samples/must-hit/a", sample)]);
    assert!(import("x", &pack(&manifest, &files).unwrap()).contains("must hit"));
    let path = plant.put("unsigned", &good, &plant.key);
    std::fs::remove_file(format!("{path}.minisig")).unwrap();
    assert!(plant.refused(&["import", &path]).contains("no signature"));
    assert!(plant.refused(&["import", "/nowhere/at/all"]).contains("there is no"));
    // Signed by the right key, and hostile all the same.
    let json = String::from_utf8(manifest.to_json().unwrap()).unwrap();
    let json = json.replace("rules/a.yar", "../../../../tmp/a");
    let out = [tar_entry("bundle.json", json.len(), b'0'), padded(json.as_bytes())].concat();
    assert!(import("traversal", &frame(&[Block::Raw(&out)])).contains("no path of a bundle"));
    let json = manifest.to_json().unwrap();
    let head = [tar_entry("bundle.json", json.len(), b'0'), padded(&json)].concat();
    let link = [head.clone(), tar_entry("rules/a.yar", 27, b'2')].concat();
    assert!(import("link", &frame(&[Block::Raw(&link)])).contains("something else"));
    let mut swollen = manifest.clone();
    swollen.files.truncate(1);
    swollen.files[0].size = 512 << 20;
    let json = swollen.to_json().unwrap();
    let head = [tar_entry("bundle.json", json.len(), b'0'), padded(&json), tar_entry("rules/a.yar", 512 << 20, b'0')];
    let bomb = frame(&[Block::Raw(&head.concat()), Block::Run(0, 2 << 30)]);
    assert!(bomb.len() < 100_000);
    assert!(import("bomb", &bomb).contains("digest"));
    let bomb = frame(&[Block::Raw(&tar_entry("bundle.json", (8 << 30) - 1, b'0')), Block::Run(0, 2 << 30)]);
    assert!(import("bomb", &bomb).contains("begin with"));
    assert_eq!(plant.in_force(), [5]);
}

/// A bundle of some size, so that there are places to cut and to flip.
fn large(sequence: u64) -> Vec<u8> {
    let mut chance = Chance(77 + sequence);
    let mut rules = String::new();
    for n in 0..300 {
        let word: String = (0..24).map(|_| char::from(b'a' + chance.below(26) as u8)).collect();
        rules.push_str(&format!("rule Made_{n} {{ strings: $a = \"{word}\" condition: $a }}\n"));
    }
    let (manifest, files) = manifest_of(sequence, vec![("rules/made.yar", rules.into_bytes())]);
    pack(&manifest, &files).unwrap()
}

#[test]
fn damaged_bundles_are_refused_wherever_the_damage_is() {
    let plant = Plant::new();
    plant.ok(&["import", &plant.bundle(1)]);
    let good = large(2);
    let path = plant.put("large.tar.zst", &good, &plant.key);
    // Cut at every 4 KiB, with the signature of the whole and with one of its own.
    for cut in (0..good.len()).step_by(4096) {
        std::fs::write(&path, &good[..cut]).unwrap();
        assert!(plant.refused(&["import", &path]).contains("does not fit"), "cut at {cut}");
        plant.refused(&["import", &plant.put("cut.tar.zst", &good[..cut], &plant.key)]);
    }
    let mut chance = Chance(0x0b_0d1e);
    let rounds = if soak() { 1000 } else { 60 };
    let (mut by_signature, mut by_reader) = (0, 0);
    for round in 0..rounds {
        let mut bytes = good.clone();
        for _ in 0..=chance.below(3) {
            let at = chance.below(bytes.len() as u64) as usize;
            match chance.below(4) {
                0 => bytes[at] ^= 1 << chance.below(8),
                1 => bytes[at] = chance.below(256) as u8,
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, chance.below(256) as u8),
            }
        }
        if bytes == good {
            continue;
        }
        if round % 2 == 0 {
            std::fs::write(&path, &bytes).unwrap();
            assert!(plant.refused(&["import", &path]).contains("does not fit"));
            by_signature += 1;
        } else {
            // The maker itself signs rubbish: then the jail and the manifest stand in the way. A flip in a bit that
            // means nothing may still say the same.
            let path = plant.put("mutant.tar.zst", &bytes, &plant.key);
            let output = plant.run(&["test", &path]);
            if output.status.code() != Some(0) {
                plant.refused(&["import", &path]);
                by_reader += 1;
            }
        }
    }
    eprintln!("{rounds} mutants: {by_signature} refused by their signature, {by_reader} signed ones by the reader");
    assert!(by_reader * 3 > rounds);
    assert_eq!(plant.in_force(), [1]);
    // Signature files are mutated as well.
    std::fs::write(&path, &good).unwrap();
    let signature = plant.key.sign(&good, "x").unwrap();
    let first_line = signature.find('\n').unwrap();
    for _ in 0..rounds / 4 {
        let mut bytes = signature.clone().into_bytes();
        let at = first_line + 1 + chance.below((bytes.len() - first_line - 2) as u64) as usize;
        bytes[at] ^= 1 << chance.below(7);
        std::fs::write(format!("{path}.minisig"), bytes).unwrap();
        plant.refused(&["import", &path]);
    }
}

#[test]
fn killed_at_any_moment_exactly_one_good_set_is_in_force() {
    let plant = Plant::new();
    plant.ok(&["import", &plant.put("1.tar.zst", &large(1), &plant.key)]);
    // What was compiled once is kept, so each of these is another set.
    let time = |number| {
        let trial = plant.put("t.tar.zst", &large(number), &plant.key);
        let started = Instant::now();
        plant.ok(&["test", &trial]);
        started.elapsed()
    };
    // The shortest of a few: other tests run beside this one.
    let mut whole = (1001..1005).map(time).min().unwrap() + Duration::from_millis(10);
    let mut chance = Chance(0x0031_11ed);
    let rounds = if soak() { 100 } else { 6 };
    let (mut number, mut killed, mut switched) = (1, 0, 0);
    for round in 0..rounds {
        let next = number + 1;
        let path = plant.put("next.tar.zst", &large(next), &plant.key);
        let mut child = plant.command(&["import", &path]).stdout(Stdio::null()).spawn().unwrap();
        // Every other kill aims at the end, where sets are renamed and switched.
        let micros = whole.as_micros() as u64;
        let (from, wide) = if round % 2 == 0 { (0, micros) } else { (micros * 3 / 4, micros / 2) };
        std::thread::sleep(Duration::from_micros(from + chance.below(wide)));
        child.kill().unwrap();
        let hit = !child.wait().unwrap().success();
        killed += usize::from(hit);
        // The machine's pace changes with what runs beside us: the aim follows it.
        whole = if hit { whole * 11 / 10 } else { whole * 3 / 4 };
        let in_force = plant.in_force();
        assert!(in_force == [number] || in_force == [next], "round {round}: {in_force:?}");
        if in_force == [next] {
            switched += 1;
        }
        // It is whole: a station starts with it. Every fourth time, since that takes a while.
        if round % 4 == 0 {
            plant.world.put("good.txt", b"nothing\n");
            let (output, lines) = plant.world.clean(&["--signatures", plant.store().to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(0), "round {round}: {}", text(&output.stderr));
            assert_eq!(line(&lines, "good.txt").verdict, Outcome::Released);
        }
        // And what was interrupted can be done again.
        plant.ok(&["import", &path]);
        assert_eq!(plant.in_force(), [next]);
        number = next;
    }
    let left: Vec<_> = files_below(&plant.store()).into_iter().filter(|(name, _)| name.contains(".part")).collect();
    assert!(left.is_empty(), "{left:?}");
    eprintln!("{killed} of {rounds} imports killed, {switched} of them after the switch");
    assert!(killed > 0, "the kills came too late to show anything");
}

#[test]
fn a_running_station_takes_a_new_set_over_and_drops_no_file() {
    let plant = Plant::new();
    plant.ok(&["import", &plant.bundle(1)]);
    let files = 300;
    let child = running(&plant, files);
    plant.ok(&["import", &plant.bundle(2)]);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1), "every file was blocked, none failed");
    let lines = common::read_report(&plant.world.at("report.jsonl"));
    assert_eq!(lines.len(), files);
    let hit = |rule: &str| {
        let has = |line: &&model::ReportLine| line.engines.iter().any(|row| row.matches.iter().any(|m| m.rule == rule));
        lines.iter().filter(has).count()
    };
    let (old, new) = (hit("Marker1"), hit("Marker2"));
    eprintln!("{old} files with the old set, {new} with the new one");
    assert!(lines.iter().all(|line| common::code(line) == Some(ReasonCode::Detection)), "no file was dropped");
    assert_eq!(old + new, files, "each file was looked at with one set");
    assert!(old > 0 && new > 0, "{old} {new}");
}

/// From then on a run is in full swing.
fn wait_for_the_first_line(plant: &Plant) {
    let journal = plant.world.at("report.jsonl.journal");
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::fs::metadata(&journal).map_or(0, |data| data.len()) == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A run over files that all hit, with the plant's store, in full swing.
fn running(plant: &Plant, files: usize) -> std::process::Child {
    for n in 0..files {
        plant.world.put(&format!("{n:03}.txt"), format!("file {n} with {MARKER}\n").as_bytes());
    }
    let report = plant.world.at("report.jsonl");
    let mut command = plant.world.sallyport();
    command.arg("clean").arg(plant.world.input()).arg("--out").arg(plant.world.out()).arg("--report").arg(&report);
    command.arg("--signatures").arg(plant.store()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_for_the_first_line(plant);
    child
}

#[test]
fn a_new_set_that_does_not_start_is_told_and_the_old_one_stays() {
    let plant = Plant::new();
    for number in [1, 2] {
        plant.ok(&["import", &plant.bundle(number)]);
    }
    let (current, aside) = (plant.store().join("current"), plant.world.at("current-of-2"));
    std::fs::copy(&current, &aside).unwrap();
    let second = text(&plant.run(&["list", "--json"]).stdout);
    let second = second.lines().map(|row| serde_json::from_str::<Value>(row).unwrap());
    let mut second = second.filter(|row| row["sequence"] == 2).map(|row| row["bundle"].as_str().unwrap().to_owned());
    let second = second.next().unwrap();
    plant.ok(&["rollback", "--reason", "a test"]);
    let rules = plant.store().join("sets").join(&second).join("rules/marker.yar");
    std::fs::write(&rules, "rule Damaged { condition: true }").unwrap();
    let child = running(&plant, 300);
    std::fs::rename(&aside, &current).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert!(said.contains("warning") && said.contains(&format!("plant number 2 ({second}) does not start")), "{said}");
    let lines = common::read_report(&plant.world.at("report.jsonl"));
    let old = |line: &model::ReportLine| line.engines.iter().any(|row| row.matches.iter().any(|m| m.rule == "Marker1"));
    assert!(lines.len() == 300 && lines.iter().all(old), "the old set stays in force");
    let warned = lines.iter().filter(|line| line.warnings.iter().any(|text| text.contains("does not start"))).count();
    assert!(warned > 0 && warned < 300, "{warned}");
    let mut audit = plant.world.sallyport();
    let recorded = text(&audit.args(["audit", "export", "--kind", "configuration"]).output().unwrap().stdout);
    assert_eq!(recorded.lines().count(), 1, "once: {recorded}");
    let record: Value = serde_json::from_str(recorded.trim()).unwrap();
    assert!(record["body"]["taken_over"] == false && record["body"]["error"].as_str().unwrap().contains("damaged"));
    // The next start, which has no old set to stay with, does not begin at all.
    let (output, _) = plant.world.clean(&["--signatures", plant.store().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
}

#[test]
fn a_key_that_is_revoked_while_files_are_in_work_holds_those_that_come_after() {
    use std::os::unix::fs::PermissionsExt;
    let plant = Plant::new();
    plant.ok(&["import", &plant.bundle(1)]);
    let (slow, policy) = (plant.world.at("slow"), plant.world.at("policy.toml"));
    std::fs::write(&slow, "#!/bin/sh\nsleep 0.2\n").unwrap();
    std::fs::set_permissions(&slow, std::fs::Permissions::from_mode(0o755)).unwrap();
    let slow = slow.to_str().unwrap();
    let text = format!(
        "zone = \"plant\"\n[engines]\nstale = \"hold\"\n[[engines.external]]\nname = \"slow\"\npath = \"{slow}\"\n\
         args = [\"{{file}}\"]\nclean = [0]\nmalicious = [1]\nparallel = 1\n[formats.txt]\n"
    );
    std::fs::write(&policy, text).unwrap();
    for n in 0..20 {
        plant.world.put(&format!("{n:02}.txt"), format!("file {n}\n").as_bytes());
    }
    let (report, out) = (plant.world.at("report.jsonl"), plant.world.out());
    let mut command = plant.world.sallyport();
    command.arg("clean").arg(plant.world.input()).args(["--jobs", "1", "--out"]).arg(&out).arg("--report").arg(&report);
    command.arg("--policy").arg(&policy).arg("--signatures").arg(plant.store()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    wait_for_the_first_line(&plant);
    plant.ok(&["trust", "revoke", &plant.key.id(), "--reason", "stolen"]);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let lines = common::read_report(&report);
    assert_eq!(lines[0].verdict, Outcome::Released);
    let last = lines.last().unwrap();
    assert_eq!((last.verdict, common::code(last)), (Outcome::Blocked, Some(ReasonCode::NotScanned)));
    assert!(last.reason.as_ref().unwrap().text.contains("should not be any more"), "{last:?}");
}

/// The figures of a large collection: compiled once, loaded once a scan jail, next to nothing a file.
#[test]
fn eight_thousand_rules_cost_a_file_next_to_nothing() {
    let plant = Plant::new();
    let count = if soak() { 8000 } else { 1000 };
    let mut chance = Chance(8000);
    let mut rules = String::new();
    for n in 0..count {
        let mut word = || (0..20).map(|_| char::from(b'a' + chance.below(26) as u8)).collect::<String>();
        let (one, two) = (word(), word());
        rules.push_str(&format!(
            "rule Made_{n} {{ strings: $a = \"{one}\" $b = \"{two}\" nocase condition: any of them }}\n"
        ));
    }
    let (manifest, files) = manifest_of(1, vec![("rules/made.yar", rules.into_bytes())]);
    let bundle = plant.put("many.tar.zst", &pack(&manifest, &files).unwrap(), &plant.key);
    let timed = |what: &mut dyn FnMut()| {
        let started = Instant::now();
        what();
        started.elapsed()
    };
    let import = timed(&mut || drop(plant.ok(&["import", &bundle])));
    for n in 0..60 {
        plant.world.put(&format!("{n}.txt"), format!("a short text, number {n}\n").as_bytes());
    }
    let store = plant.store();
    let run = |more: &[&str]| {
        let (output, lines) = plant.world.clean(more);
        assert_eq!(output.status.code(), Some(0));
        let yara = |line: &model::ReportLine| line.engines.iter().find(|row| row.engine == "yara").map(|row| row.ms);
        // Input and output are looked at: the row holds both. The first files wait for their jail to load.
        let mut ms: Vec<f64> = lines.iter().filter_map(yara).collect();
        ms.sort_by(f64::total_cmp);
        ms[ms.len() / 2]
    };
    std::fs::create_dir(plant.world.at("none")).unwrap();
    let without = run(&["--jobs", "1"]);
    std::fs::remove_dir_all(plant.world.out()).unwrap();
    let mut with = 0.0;
    let whole = timed(&mut || with = run(&["--jobs", "1", "--signatures", store.to_str().unwrap()]));
    eprintln!(
        "{count} rules: import {import:?}, whole run {whole:?}, a file {with:.2} ms against {without:.2} ms (median)"
    );
    assert!(with - without < 5.0, "a file takes {with} ms with the rules and {without} ms without");
}

/// The smallest 32-bit program with a certificate table (PE specification, "Attribute Certificate Table"). It cannot run.
fn signed_program() -> Vec<u8> {
    let mut file = vec![0u8; 0x400];
    let put = |file: &mut Vec<u8>, at: usize, bytes: &[u8]| {
        file.splice(at..at + bytes.len(), bytes.iter().copied());
    };
    put(&mut file, 0, b"MZ");
    put(&mut file, 0x3c, &0x80u32.to_le_bytes());
    put(&mut file, 0x80, b"PE\0\0\x4c\x01\x01\0");
    put(&mut file, 0x94, &0xe0u16.to_le_bytes());
    put(&mut file, 0x96, &0x0102u16.to_le_bytes());
    let optional = 0x98;
    put(&mut file, optional, &0x010bu16.to_le_bytes());
    for (at, value) in
        [(16, 0x1000u32), (28, 0x0040_0000), (32, 0x1000), (36, 0x200), (56, 0x2000), (60, 0x200), (92, 16)]
    {
        put(&mut file, optional + at, &value.to_le_bytes());
    }
    // Directory 4: where the certificates lie in the file, and their size.
    put(&mut file, optional + 96 + 4 * 8, &[0x400u32.to_le_bytes(), 24u32.to_le_bytes()].concat());
    let section = optional + 0xe0;
    put(&mut file, section, b".text\0\0\0");
    for (at, value) in [(8, 0x200u32), (12, 0x1000), (16, 0x200), (20, 0x200), (36, 0x6000_0020)] {
        put(&mut file, section + at, &value.to_le_bytes());
    }
    // WIN_CERTIFICATE: length, revision 2.0, PKCS #7, then a DER sequence with nothing of use in it.
    file.extend([24, 0, 0, 0, 0, 2, 2, 0]);
    file.extend([0x30, 0x0e, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x01, 0x00]);
    file
}

/// libyara's module for programs parses certificates: behind the jail's filters, too.
#[test]
fn a_signed_program_is_scanned_with_rules_that_look_into_it() {
    let plant = Plant::new();
    let rule = "import \"pe\" rule Signed { meta: severity = \"suspicious\" condition: pe.number_of_sections == 1 and \
                pe.data_directories[pe.IMAGE_DIRECTORY_ENTRY_SECURITY].size > 0 }";
    let (manifest, files) = manifest_of(1, vec![("rules/pe.yar", rule.as_bytes().to_vec())]);
    let bundle = plant.put("pe.tar.zst", &pack(&manifest, &files).unwrap(), &plant.key);
    plant.ok(&["import", &bundle]);
    plant.world.put("signed.exe", &signed_program());
    let (_, lines) = plant.world.clean(&["--signatures", plant.store().to_str().unwrap()]);
    let yara = line(&lines, "signed.exe").engines.iter().find(|row| row.engine == "yara").unwrap();
    assert_eq!(yara.error, None);
    assert!(yara.matches.iter().any(|found| found.rule == "Signed"), "{:?}", yara.matches);
}
