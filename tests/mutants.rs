//! Damaged files, by seeded chance: no reader panics, and whatever the first one still rebuilds, the second accepts.
//!
//! The same assertions as the fuzz targets, on mutants of real and generated files, so that `make test` needs no fuzzer.
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

use common::{Chance, corpus, soak};
use model::{Format, Policy, Untrusted};
use sanitizer::Quiet;
use std::panic::AssertUnwindSafe;

/// Seeds: our samples, and small real files of the folders that are rebuilt.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds: Vec<(String, Vec<u8>)> =
        samples::demo_stick().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    seeds.extend([("a.tif".into(), samples::tiff()), ("a.webp".into(), samples::webp())]);
    let Some(corpus) = corpus() else { return seeds };
    let folders = [
        "archive",
        "image/bmp",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "image/webp",
        "ooxml",
        "pdf",
        "text/csv",
        "text/txt",
    ];
    let every = if soak() { 1 } else { 4 };
    for folder in folders {
        let files = common::files_below(&corpus.join(folder));
        let small = files.into_iter().filter(|(_, bytes)| bytes.len() < 24 << 10).step_by(every);
        seeds.extend(small.map(|(name, bytes)| (format!("{folder}/{name}"), bytes)));
    }
    seeds
}

fn mutate(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=chance.below(3) {
        let len = out.len().max(1) as u64;
        let at = usize::try_from(chance.below(len)).unwrap();
        let run = usize::try_from(chance.below(64)).unwrap();
        match chance.below(6) {
            0 => out.truncate(at),
            1 => out.iter_mut().skip(at).take(1).for_each(|b| *b ^= 1 << chance.below(8)),
            2 => out.iter_mut().skip(at).take(4).for_each(|b| *b = [0, 1, 0x7f, 0xff][(chance.below(4)) as usize]),
            3 => {
                let copy: Vec<u8> = out.iter().skip(at).take(run).copied().collect();
                let to = usize::try_from(chance.below(len)).unwrap().min(out.len());
                out.splice(to..to, copy);
            }
            4 => {
                let end = at.saturating_add(run).min(out.len());
                out.drain(at.min(end)..end);
            }
            _ => out.iter_mut().skip(at).take(run).for_each(|b| *b = chance.below(256) as u8),
        }
    }
    out
}

fn policy() -> Policy {
    let mut policy = Policy::standard();
    policy.limits.expanded_bytes = 96 << 20;
    policy.limits.pixels = 8_000_000;
    policy.limits.entries = 20_000;
    policy
}

#[test]
fn no_mutant_makes_a_reader_panic_or_gets_past_the_second_one() {
    let policy = policy();
    let rounds = if soak() { 400 } else { 6 };
    let (mut tried, mut rebuilt, mut defects) = (0usize, 0usize, Vec::new());
    for (name, seed) in seeds() {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ seed.len() as u64);
        for round in 0..rounds {
            let mutant = mutate(&seed, &mut chance);
            tried += 1;
            let run = AssertUnwindSafe(|| {
                let cleaned = sanitizer::clean(&name, Untrusted::new(&mutant), &policy, &mut Quiet);
                let made = cleaned.result.ok()?;
                let verdict = verifier::verify(&made.bytes, made.format, &policy);
                Some((made.format, verdict))
            });
            match std::panic::catch_unwind(run) {
                Ok(None) => {}
                Ok(Some((_, Ok(())))) => rebuilt += 1,
                Ok(Some((format, Err(rejection)))) => defects.push(format!("{name} #{round}: {format}: {rejection}")),
                Err(_) => defects.push(format!("{name} #{round}: panic in a reader of untrusted bytes")),
            }
            let format = Format::ALL.iter().find(|f| name.ends_with(f.extension()));
            let look = AssertUnwindSafe(|| format.map(|f| verifier::verify(&mutant, *f, &policy).is_ok()));
            if std::panic::catch_unwind(look).is_err() {
                defects.push(format!("{name} #{round}: panic in the verifier"));
            }
        }
    }
    eprintln!("{tried} mutants, {rebuilt} of them still rebuilt and accepted");
    assert!(rebuilt * 10 > tried, "too few mutants come through to say anything");
    assert!(defects.is_empty(), "{} defects:\n{}", defects.len(), defects.join("\n"));
}
