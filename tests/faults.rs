//! Disks that fail at a step: full, read-only, broken or gone, under the share, the journal or the quarantine. Whatever
//! the step, nothing lies on the share that the journal does not know, the run says what happened, and the next run
//! without the fault ends as if nothing had been.
//!
//! The faults are the kernel's answers to the real program, changed by `strace` on their way back.
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

use common::{Chance, World, files_below, soak};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What changes a disk, or tells that it holds what was written.
const CALLS: [&str; 15] = [
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "renameat2",
    "renameat",
    "rename",
    "linkat",
    "link",
    "unlinkat",
    "unlink",
    "mkdirat",
    "mkdir",
    "ftruncate",
];

/// What a run writes to, and the folders and files in it whose names are known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Outbox,
    Journal,
    Quarantine,
}

impl Place {
    fn root(self, world: &World) -> PathBuf {
        match self {
            Self::Outbox => world.out(),
            Self::Journal => world.at(".local/state/sallyport"),
            Self::Quarantine => world.at("quarantine"),
        }
    }

    /// A place that stays away is known to `strace` by these.
    fn known(self, world: &World) -> Vec<PathBuf> {
        let below: &[&str] = match self {
            Self::Outbox => &["", "sub", "sallyport-manifests", "sallyport-receipts"],
            Self::Journal => {
                &["", "sessions", "journal", "journal/journal.db", "journal/journal.db-wal", "sequence.lock"]
            }
            Self::Quarantine => &["", "lock", "gone"],
        };
        below.iter().map(|name| self.root(world).join(name).components().collect()).collect()
    }
}

/// Three files that may pass and one that is withheld and kept.
fn stick() -> World {
    let world = World::new();
    world.put("a.txt", b"line one\n");
    world.put("c.png", &samples::png_with_text());
    world.put("sub/b.txt", &samples::text());
    world.put("tool.exe", &samples::program_stub());
    world
}

const ARGUMENTS: [&str; 4] = ["--jobs", "1", "--receipt", "--quarantine"];

fn clean(world: &World) -> Output {
    let quarantine = Place::Quarantine.root(world);
    world.clean(&[&ARGUMENTS[..], &[quarantine.to_str().unwrap()]].concat()).0
}

/// The same under `strace`; its log comes back.
fn clean_traced(world: &World, more: &[String]) -> (Output, String) {
    let log = world.at("strace.log");
    let sallyport = world.sallyport();
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-q", "-e", "signal=none", "-e"]).arg(format!("trace={}", CALLS.join(",")));
    command.arg("-o").arg(&log).args(more).arg(sallyport.get_program());
    for (name, value) in sallyport.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.arg("clean").arg(world.input()).arg("--out").arg(world.out());
    command.args(ARGUMENTS).arg(Place::Quarantine.root(world));
    let output = command.output().unwrap();
    (output, std::fs::read_to_string(log).unwrap_or_default())
}

/// A call of a thread, by its number among the thread's calls of this name: what `strace` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    call: &'static str,
    number: usize,
}

struct Baseline {
    steps: BTreeMap<Place, BTreeSet<Step>>,
    released: BTreeMap<String, Vec<u8>>,
}

/// `thread name(…` of a line; `None` where a call only returns.
fn call_of(line: &str) -> Option<(&str, &'static str)> {
    let (thread, rest) = line.split_once(' ')?;
    let name = rest.trim_start().split_once('(')?.0;
    Some((thread, CALLS.into_iter().find(|call| *call == name)?))
}

/// The steps of an undisturbed run; `None` (said loudly) where this machine cannot trace.
fn baseline() -> Option<&'static Baseline> {
    static BASELINE: OnceLock<Option<Baseline>> = OnceLock::new();
    let known = BASELINE.get_or_init(|| {
        let tried = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
        if !tried.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let world = stick();
        let (output, log) = clean_traced(&world, &[]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let mut steps: BTreeMap<Place, BTreeSet<Step>> = BTreeMap::new();
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in log.lines() {
            let Some((thread, call)) = call_of(line) else { continue };
            let number = counts.entry((thread, call)).or_default();
            *number += 1;
            if let Some(place) = place_of(&world, line) {
                steps.entry(place).or_default().insert(Step { call, number: *number });
            }
        }
        assert_eq!(steps.len(), 3, "each place is written to");
        Some(Baseline { steps, released: world.released().into_iter().collect() })
    });
    if known.is_none() {
        eprintln!(
            "\n*** NOT TESTED: strace is missing or may not trace here; faults at each step were not tried ***\n"
        );
    }
    known.as_ref()
}

fn place_of(world: &World, line: &str) -> Option<Place> {
    let places = [Place::Outbox, Place::Journal, Place::Quarantine];
    places.into_iter().find(|place| line.contains(place.root(world).to_str().unwrap()))
}

/// What the journal says of each released path, as one text; empty where there is no journal yet.
fn records(world: &World) -> String {
    let out = world.sallyport().args(["audit", "export"]).output().unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn is_ours(path: &str) -> bool {
    path.split('/').any(|name| name.starts_with(".sallyport-"))
}

/// After the faulted run: it says what happened, and what lies on the share is whole and recorded.
fn assert_nothing_unrecorded(world: &World, baseline: &Baseline, output: &Output, what: &str) {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("panicked"), "{what}: {said}");
    match output.status.code() {
        Some(0 | 1) => {}
        Some(3) => {
            // What the system says, or which disk to look at.
            let names_the_fault = |line: &str| line.contains("os error") || line.contains("check the disk");
            let complaint = said.lines().any(|line| {
                line.trim_start().starts_with('✗') && names_the_fault(line)
                    || line.starts_with("sallyport:") && !line.contains("the policy names no recipient")
            });
            assert!(complaint, "{what}: no sentence says why: {said}");
        }
        other => panic!("{what}: status {other:?}: {said}"),
    }
    let records = records(world);
    for (path, bytes) in world.released().iter().filter(|(path, _)| !is_ours(path)) {
        assert_eq!(baseline.released.get(path), Some(bytes), "{what}: {path} is partial or stray");
        assert!(records.contains(&format!("{path:?}")), "{what}: {path} lies on the share and no record knows it");
    }
}

/// After a run without the fault: everything is there, once, and all records agree.
fn assert_whole_again(world: &World, baseline: &Baseline, what: &str) {
    let output = clean(world);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{what}: the next run: {said}");
    let released: BTreeMap<String, Vec<u8>> = world.released().into_iter().collect();
    assert_eq!(released.keys().collect::<Vec<_>>(), baseline.released.keys().collect::<Vec<_>>(), "{what}");
    assert!(released == baseline.released, "{what}: other bytes");
    let stray: Vec<String> =
        files_below(&world.out()).into_iter().map(|(name, _)| name).filter(|n| is_ours(n)).collect();
    assert!(stray.is_empty(), "{what}: left on the share: {stray:?}");
    world.assert_records_and_files_agree(&world.out(), what);
    let quarantine = |command: &str| {
        let mut act = world.sallyport();
        act.args(["quarantine", command]).arg("--quarantine").arg(Place::Quarantine.root(world)).output().unwrap()
    };
    let checked = quarantine("check");
    assert!(checked.status.success(), "{what}: {checked:?}");
    let listed = quarantine("list");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("tool.exe"), "{what}: the original is lost: {listed:?}");
    let entries = std::fs::read_dir(Place::Quarantine.root(world)).unwrap().map(|entry| entry.unwrap().file_name());
    let half: Vec<_> = entries.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(half.is_empty(), "{what}: half in the quarantine: {half:?}");
}

/// One faulted run and one after it; whether the fault was met in the place.
fn round(place: Place, baseline: &Baseline, world: &World, more: &[String]) -> bool {
    let (output, log) = clean_traced(world, more);
    let hit = log.lines().any(|line| line.contains("(INJECTED)") && place_of(world, line) == Some(place));
    let what = format!("{place:?} {}", more.last().map_or("", String::as_str));
    // The number may also be that of a message in another thread: a person who cannot be told is another matter.
    let mute = |line: &str| line.contains("(INJECTED)") && ["write(1<", "write(2<"].iter().any(|to| line.contains(to));
    let muted = log.lines().any(mute);
    if !muted {
        assert_nothing_unrecorded(world, baseline, &output, &what);
    }
    assert_whole_again(world, baseline, &what);
    hit && !muted
}

/// Faults that each test meets outside a full campaign, and runs in which it tries to.
const SAMPLE: usize = 2;
const TRIES: usize = 8;

/// Some of all in a seeded order; all of them in a full campaign.
fn sample<T: Copy>(all: &[T], seed: u64) -> Vec<T> {
    if soak() {
        return all.to_vec();
    }
    let mut chance = Chance(seed);
    (0..TRIES).map(|_| all[usize::try_from(chance.below(all.len() as u64)).unwrap()]).collect()
}

/// `error` once, at each step of the place.
fn once(place: Place, error: &str, seed: u64) {
    let Some(baseline) = baseline() else { return };
    let steps: Vec<Step> = baseline.steps[&place].iter().copied().collect();
    let runs = sample(&steps, seed).into_iter().map(|Step { call, number }| {
        let fault = format!("inject={call}:error={error}:when={number}");
        move || round(place, baseline, &stick(), &["-e".to_owned(), fault])
    });
    campaign(&format!("{error} once in {place:?} ({} steps)", steps.len()), runs);
}

/// `error` from a step on (one of the first `calls` of each name), for all that is done in the place's folders: it is gone and stays away.
fn gone(place: Place, error: &str, calls: usize, seed: u64) {
    let Some(baseline) = baseline() else { return };
    let numbers: Vec<usize> = (1..=calls).collect();
    let runs = sample(&numbers, seed).into_iter().map(|number| {
        move || {
            let world = stick();
            let mut more = only_in(place, &world);
            more.extend(["-e".to_owned(), format!("inject={}:error={error}:when={number}+", CALLS.join(","))]);
            round(place, baseline, &world, &more)
        }
    });
    campaign(&format!("{error} from then on in {place:?}"), runs);
}

/// Goes on after a run that failed its checks, so that one campaign tells all of them.
fn campaign<R: FnOnce() -> bool>(what: &str, rounds: impl Iterator<Item = R>) {
    let (mut runs, mut hits, mut failed) = (0, 0, 0);
    for round in rounds {
        runs += 1;
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(round)) {
            Ok(hit) => hits += usize::from(hit),
            Err(_) => failed += 1,
        }
        // The numbers of a thread's calls differ a little from run to run: a sample is of faults that were met.
        if !soak() && hits == SAMPLE {
            break;
        }
    }
    eprintln!("{what}: {runs} runs, {hits} met the fault there and passed, {failed} failed");
    assert_eq!(failed, 0, "{what}: see above");
    assert!(hits >= SAMPLE, "{what}: too few faults were met: {hits} of {runs}");
}

/// Arguments that narrow `strace` to what is known of a place.
fn only_in(place: Place, world: &World) -> Vec<String> {
    let path = |path: PathBuf| ["-P".to_owned(), path.to_str().unwrap().to_owned()];
    place.known(world).into_iter().flat_map(path).collect()
}

/// A place that takes its time changes nothing.
fn slow(place: Place) {
    let Some(baseline) = baseline() else { return };
    let world = stick();
    let mut more = only_in(place, &world);
    more.extend(["-e".to_owned(), format!("inject={}:delay_enter=15ms", CALLS.join(","))]);
    let (output, _) = clean_traced(&world, &more);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(world.released().into_iter().collect::<BTreeMap<_, _>>() == baseline.released);
    world.assert_records_and_files_agree(&world.out(), "slow");
    assert_whole_again(&world, baseline, "slow");
}

macro_rules! faults {
    ($($name:ident: $how:ident($($argument:expr),*);)*) => {
        $(#[test]
        fn $name() {
            $how($($argument),*);
        })*
    };
}

faults! {
    a_full_outbox_at_each_step: once(Place::Outbox, "ENOSPC", 11);
    a_read_only_outbox_at_each_step: once(Place::Outbox, "EROFS", 12);
    a_broken_outbox_at_each_step: once(Place::Outbox, "EIO", 13);
    an_outbox_that_vanishes_at_each_step: gone(Place::Outbox, "ESTALE", 24, 14);
    a_slow_outbox: slow(Place::Outbox);
    a_full_journal_at_each_step: once(Place::Journal, "ENOSPC", 21);
    a_read_only_journal_at_each_step: once(Place::Journal, "EROFS", 22);
    a_broken_journal_at_each_step: once(Place::Journal, "EIO", 23);
    a_journal_that_vanishes_at_each_step: gone(Place::Journal, "ESTALE", 24, 24);
    a_slow_journal: slow(Place::Journal);
    a_full_quarantine_at_each_step: once(Place::Quarantine, "ENOSPC", 31);
    a_read_only_quarantine_at_each_step: once(Place::Quarantine, "EROFS", 32);
    a_broken_quarantine_at_each_step: once(Place::Quarantine, "EIO", 33);
    a_quarantine_that_vanishes_at_each_step: gone(Place::Quarantine, "ESTALE", 8, 34);
    a_slow_quarantine: slow(Place::Quarantine);
}
