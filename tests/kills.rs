//! Power cuts: a run killed at any moment leaves no partial file under a final name, and the next run ends as if
//! nothing had happened.
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

use common::{Chance, World, soak};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn stick(world: &World) {
    for (name, bytes) in samples::demo_stick() {
        world.put(name, &bytes);
    }
    for n in 0..12 {
        world.put(&format!("more/{n}.txt"), &samples::text());
        world.put(&format!("more/{n}.png"), &samples::png_with_text());
        world.put(&format!("more/clash.{n}.txt"), format!("file {n}\n").as_bytes());
    }
}

#[test]
fn a_run_killed_at_random_moments_leaves_nothing_partial_and_the_next_one_completes() {
    let reference = World::new();
    stick(&reference);
    let started = Instant::now();
    let (_, lines) = reference.clean(&[]);
    let whole = started.elapsed();
    let expected: BTreeMap<String, Vec<u8>> = reference.released().into_iter().collect();
    assert!(expected.len() > 30);
    let mut chance = Chance(0x5a11_1907);
    let wanted = if soak() { 500 } else { 12 };
    let (mut interrupted, mut round) = (0, 0u32);
    while interrupted < wanted {
        round += 1;
        assert!(round < 2 * wanted, "the kills come too late: {interrupted} of {round} runs interrupted");
        let world = World::new();
        stick(&world);
        // Every other outbox gets receipts as well.
        let receipt: &[&str] = if round % 2 == 0 { &["--receipt"] } else { &[] };
        // Up to three kills on one outbox, then a run to the end.
        for _ in 0..=chance.below(2) {
            let report = world.at("report.jsonl");
            let mut command = world.sallyport();
            command.arg("clean").arg(world.input()).arg("--out").arg(world.out()).arg("--report").arg(&report);
            let mut child = command.args(receipt).stdout(std::process::Stdio::null()).spawn().unwrap();
            let micros = u64::try_from(whole.as_micros()).unwrap();
            std::thread::sleep(Duration::from_micros(chance.below(micros)));
            child.kill().unwrap();
            interrupted += u32::from(!child.wait().unwrap().success());
            for (name, bytes) in world.released() {
                let leaf = name.rsplit('/').next().unwrap();
                if leaf.starts_with(".sallyport-") {
                    continue;
                }
                assert_eq!(expected.get(&name), Some(&bytes), "round {round}: {name} is partial or stray");
            }
        }
        let (_, again) = world.clean(receipt);
        let released: BTreeMap<String, Vec<u8>> = world.released().into_iter().collect();
        assert_eq!(released.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "round {round}");
        assert!(released == expected, "round {round}: other bytes");
        let outcomes =
            |lines: &[model::ReportLine]| lines.iter().map(|l| (l.input.clone(), l.verdict)).collect::<Vec<_>>();
        assert_eq!(outcomes(&again), outcomes(&lines), "round {round}");
        world.assert_records_and_files_agree(&world.out(), &format!("round {round}"));
    }
    eprintln!("{interrupted} runs interrupted over {round} outboxes");
}

#[test]
fn an_interrupt_ends_the_run_with_its_status_and_a_line_for_every_file() {
    let world = World::new();
    stick(&world);
    for n in 0..200 {
        world.put(&format!("many/{n}.png"), &samples::png_with_text());
    }
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let report = world.at("report.jsonl");
        let mut command = world.sallyport();
        command.arg("clean").arg(world.input()).arg("--out").arg(world.out()).arg("--report").arg(&report);
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        // Once the first file is out, the run is in full swing.
        let deadline = Instant::now() + Duration::from_secs(60);
        while world.released().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        kill(signal, child.id());
        assert_eq!(child.wait().unwrap().code(), Some(status));
        let lines = common::read_report(&report);
        assert_eq!(lines.len(), samples::demo_stick().len() + 36 + 200);
        assert!(world.released().iter().all(|(name, _)| !name.contains(".part")));
        std::fs::remove_dir_all(world.out()).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "the test plays the person at the keyboard")]
fn kill(signal: &str, pid: u32) {
    let sent = std::process::Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().unwrap();
    assert!(sent.success());
}
