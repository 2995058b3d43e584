//! The lane with jails in an attacker's hands: this program is the station and, started again, its jails, whose roles do
//! what the input says. Each ends as failed with its reason while the files beside it go on.
//!
//! It has a `main` of its own, since the jails are this same executable; it prints what libtest would.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    reason = "a test fails by panicking; clippy knows libtest's tests only"
)]

use jail::{Launcher, Roles, Room, ScanRoom};
use model::{Format, Outcome, ReasonCode, ReportLine, Stale};
use station::{Destination, Outbox, Settings, Station, StationError, inputs, roles, standard_policy};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

static ROLES: Roles = Roles {
    jobs: &[(roles::RECONSTRUCT, hostile_reconstruct), (roles::VERIFY, hostile_verify)],
    scanners: &[(roles::SCAN, hostile_scan)],
    prepare: roles::prepare,
};

/// The word after `DO:` at the start of an input.
fn order(input: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(input).ok()?.strip_prefix("DO:")?;
    text.split_whitespace().next().map(str::to_owned)
}

/// A reconstructor that was taken over by its input.
fn hostile_reconstruct(room: &mut Room<'_>) -> Result<Vec<u8>, String> {
    if zone(room).as_deref() == Some(ASLEEP) {
        room.write_output(b"all is well\n").map_err(|e| e.to_string())?;
        return Ok(made("txt"));
    }
    match order(room.input()).as_deref() {
        Some("hog") => {
            let mut held: Vec<Vec<u8>> = Vec::new();
            loop {
                held.push(vec![1; 16 << 20]);
            }
        }
        Some("spin") => loop {
            std::hint::spin_loop();
        },
        Some("crash") => std::process::abort(),
        Some("panic") => panic!("taken over"),
        Some("garbage") => Ok(b"\xff\x00 not an answer".to_vec()),
        Some("released") => Ok(br#"{"format":"txt","result":{"Err":["released",{"code":"malformed","text":"x"}]},"findings":[],"children":[],"facts":[],"identify_ms":0}"#.to_vec()),
        Some("flood") => {
            let block = vec![7; 1 << 20];
            loop {
                room.write_output(&block).map_err(|e| e.to_string())?;
            }
        }
        Some("exports") => {
            let block = vec![7; 1 << 20];
            loop {
                room.export(1, 1, "x", &block).map_err(|e| e.to_string())?;
            }
        }
        Some("early") => std::process::exit(0),
        // Claims to have made a clean text of what still holds a terminal escape: only the second reader stands in the way.
        Some("fooled") => {
            room.write_output(b"fooled \x1b[2J\n").map_err(|e| e.to_string())?;
            Ok(made("txt"))
        }
        Some("program") => {
            room.write_output(b"MZ\x90\x00 a program under the name of a picture").map_err(|e| e.to_string())?;
            Ok(made("png"))
        }
        Some("nodialect") => {
            room.write_output(b"anything").map_err(|e| e.to_string())?;
            Ok(made("pe"))
        }
        _ => roles::reconstruct_role(room),
    }
}

/// In this zone the reconstructor makes the same harmless text of everything.
const ASLEEP: &str = "asleep";

fn zone(room: &Room<'_>) -> Option<String> {
    let header: serde_json::Value = serde_json::from_slice(room.header()).ok()?;
    Some(header.get("policy")?.get("zone")?.as_str()?.to_owned())
}

fn made(format: &str) -> Vec<u8> {
    format!(r#"{{"format":"txt","result":{{"Ok":{{"format":"{format}","method":"rebuilt"}}}},"findings":[],"children":[],"facts":[],"identify_ms":0}}"#).into_bytes()
}

/// A verifier that answers what the output says.
fn hostile_verify(room: &mut Room<'_>) -> Result<Vec<u8>, String> {
    let input = room.input();
    let has = |word: &str| input.windows(word.len()).any(|w| w == word.as_bytes());
    if has("VERIFY-SILENT") {
        return Ok(Vec::new());
    }
    if has("VERIFY-CRASH") {
        std::process::abort();
    }
    let lies = has("VERIFY-OTHER");
    let honest = roles::verify_role(room)?;
    if lies {
        // A yes to another question.
        return Ok(String::from_utf8(honest)
            .map_err(|e| e.to_string())?
            .replacen("\"nonce\":", "\"nonce\":9", 1)
            .into_bytes());
    }
    Ok(honest)
}

/// A scanner that one file can kill or blind.
fn hostile_scan(room: &mut ScanRoom<'_>) -> Result<(), String> {
    let rules = room.rules().ok_or("no rules")?;
    let server = engines::Server::start(room.setup(), rules).map_err(|e| e.to_string())?;
    let ready = server.ready();
    room.serve(&ready, move |request, object| {
        let has = |word: &str| object.windows(word.len()).any(|w| w == word.as_bytes());
        if has("SCAN-CRASH") {
            std::process::abort();
        }
        if has("SCAN-GARBAGE") {
            return b"all is well".to_vec();
        }
        if has("SCAN-SHORT") {
            return engines::encode(&engines::Answer::scanned(Vec::new(), object.len() as u64 - 1));
        }
        if has("SCAN-HANG") {
            loop {
                std::hint::spin_loop();
            }
        }
        server.serve(request, object)
    })
}

struct Lane {
    dir: tempfile::TempDir,
}

impl Lane {
    /// Runs the lane over `files`, with three seconds and little memory a jail.
    fn run(files: &[(&str, &[u8])]) -> (Self, Vec<ReportLine>) {
        Self::run_with(files, Stale::Warn).expect("without a jail nothing runs")
    }

    /// The same, for a policy that does `stale` with rules that are older than it allows: by the clock of these tests
    /// they are.
    fn run_with(files: &[(&str, &[u8])], stale: Stale) -> Result<(Self, Vec<ReportLine>), StationError> {
        Self::run_in(files, stale, "plant")
    }

    fn run_in(files: &[(&str, &[u8])], stale: Stale, zone: &str) -> Result<(Self, Vec<ReportLine>), StationError> {
        let lane = Self { dir: tempfile::tempdir().unwrap() };
        let input = lane.dir.path().join("in");
        std::fs::create_dir(&input).unwrap();
        for (name, bytes) in files {
            std::fs::write(input.join(name), bytes).unwrap();
        }
        let mut policy = standard_policy();
        policy.policy.engines.stale = stale;
        policy.policy.zone = zone.to_owned();
        policy.policy.limits.seconds = 3;
        policy.policy.limits.memory_bytes = 256 << 20;
        policy.policy.limits.expanded_bytes = 32 << 20;
        let settings = Settings {
            policy,
            jobs: 2,
            spool: lane.dir.path().join("spool"),
            fixed_point: true,
            cache: None,
            launcher: Launcher::of_this_program().unwrap(),
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            signatures: None,
        };
        let station = Station::start(settings)?;
        let outbox = Outbox::open(&lane.out()).unwrap();
        let entries = inputs::collect(&[input]).unwrap();
        let to = Destination { outbox: &outbox, quarantine: None, report: None, log: None };
        let run = station.session()?.run(&entries, &to, &(), &AtomicBool::new(false));
        Ok((lane, run.lines))
    }

    fn out(&self) -> std::path::PathBuf {
        self.dir.path().join("out")
    }

    fn released(&self) -> Vec<String> {
        names(&self.out())
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn code(lines: &[ReportLine], name: &str) -> Option<ReasonCode> {
    let line = lines.iter().find(|line| line.input == name).unwrap();
    assert!(line.verdict != Outcome::Released || line.reason.is_none());
    line.reason.as_ref().map(|reason| reason.code)
}

fn a_jail_in_an_attackers_hands_fails_its_own_file_and_no_other() {
    let cases: &[(&str, &[u8], ReasonCode)] = &[
        ("crash.txt", b"DO:crash", ReasonCode::Crash),
        ("early.txt", b"DO:early", ReasonCode::Protocol),
        ("exports.txt", b"DO:exports", ReasonCode::Limit),
        ("flood.txt", b"DO:flood", ReasonCode::Limit),
        ("garbage.txt", b"DO:garbage", ReasonCode::Protocol),
        ("hog.txt", b"DO:hog", ReasonCode::Memory),
        ("panic.txt", b"DO:panic", ReasonCode::Crash),
        ("released.txt", b"DO:released", ReasonCode::Protocol),
        ("spin.txt", b"DO:spin", ReasonCode::TimeOut),
    ];
    let mut files: Vec<(&str, &[u8])> = cases.iter().map(|(name, bytes, _)| (*name, *bytes)).collect();
    files.extend([("good-1.txt", b"good\n".as_slice()), ("good-2.txt", b"also good\n")]);
    let (lane, lines) = Lane::run(&files);
    assert_eq!(lines.len(), files.len());
    for (name, _, expected) in cases {
        assert_eq!(code(&lines, name), Some(*expected), "{name}: {:?}", lines.iter().find(|l| l.input == *name));
        assert_eq!(lines.iter().find(|l| l.input == *name).unwrap().verdict, Outcome::Failed, "{name}");
    }
    assert_eq!(lane.released(), ["good-1.txt", "good-2.txt"]);
}

fn what_fools_the_reconstructor_is_stopped_by_the_second_reader() {
    let files: &[(&str, &[u8])] =
        &[("a.txt", b"DO:fooled"), ("b.txt", b"DO:program"), ("c.txt", b"DO:nodialect"), ("good.txt", b"good\n")];
    let (lane, lines) = Lane::run(files);
    for name in ["a.txt", "b.txt", "c.txt"] {
        assert_eq!(code(&lines, name), Some(ReasonCode::VerifierRejected), "{name}");
    }
    assert_eq!(lane.released(), ["good.txt"]);
}

fn a_verifier_that_does_not_say_yes_to_this_question_said_no() {
    let files: &[(&str, &[u8])] = &[
        ("crash.txt", b"VERIFY-CRASH\n"),
        ("good.txt", b"good\n"),
        ("other.txt", b"VERIFY-OTHER\n"),
        ("silent.txt", b"VERIFY-SILENT\n"),
    ];
    let (lane, lines) = Lane::run(files);
    assert_eq!(code(&lines, "crash.txt"), Some(ReasonCode::Crash));
    assert_eq!(code(&lines, "other.txt"), Some(ReasonCode::Protocol));
    assert_eq!(code(&lines, "silent.txt"), Some(ReasonCode::Protocol));
    assert_eq!(lane.released(), ["good.txt"]);
}

fn an_engine_that_dies_hangs_lies_or_reads_short_has_not_scanned() {
    let files: &[(&str, &[u8])] = &[
        ("crash.txt", b"SCAN-CRASH\n"),
        ("garbage.txt", b"SCAN-GARBAGE\n"),
        ("good-1.txt", b"good\n"),
        ("good-2.txt", b"good, too\n"),
        ("hang.txt", b"SCAN-HANG\n"),
        ("short.txt", b"SCAN-SHORT\n"),
    ];
    let (lane, lines) = Lane::run(files);
    for name in ["crash.txt", "garbage.txt", "hang.txt", "short.txt"] {
        assert_eq!(code(&lines, name), Some(ReasonCode::NotScanned), "{name}");
    }
    assert_eq!(lane.released(), ["good-1.txt", "good-2.txt"], "a lost jail is replaced");
}

fn a_detection_outweighs_a_crash() {
    let eicar = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}", "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let (lane, lines) = Lane::run(&[("a.txt", format!("DO:crash {eicar}").as_bytes())]);
    assert_eq!(code(&lines, "a.txt"), Some(ReasonCode::Detection));
    assert_eq!(lines[0].verdict, Outcome::Blocked);
    assert!(lane.released().is_empty());
}

fn old_rules_warn_hold_or_stop_as_policy_says() {
    let files: &[(&str, &[u8])] = &[("good.txt", b"good\n")];
    let (lane, _) = Lane::run_with(files, Stale::Warn).unwrap();
    assert_eq!(lane.released(), ["good.txt"]);
    let (lane, lines) = Lane::run_with(files, Stale::Hold).unwrap();
    assert_eq!(code(&lines, "good.txt"), Some(ReasonCode::NotScanned));
    assert!(lane.released().is_empty());
    let stopped = Lane::run_with(files, Stale::Stop).err().unwrap();
    assert!(matches!(stopped, StationError::Stale { .. }));
    assert_eq!(stopped.exit_status(), 1);
}

fn the_report_names_formats_only_where_a_jail_could_say() {
    let (_, lines) = Lane::run(&[("a.txt", b"DO:crash"), ("b.txt", b"good\n")]);
    assert_eq!(lines[0].format, None);
    assert_eq!(lines[1].format, Some(Format::Txt));
}

fn a_missed_canary_takes_the_station_out_of_service() {
    let refused = Lane::run_in(&[("good.txt", b"good\n")], Stale::Warn, ASLEEP).err().unwrap();
    assert!(matches!(refused, StationError::OutOfService { .. }), "{refused}");
    assert_eq!(refused.exit_status(), 3);
    assert!(refused.to_string().contains("macro.docm") || refused.to_string().contains("eicar"), "{refused}");
}

fn structure_has_not_scanned_what_crashed_its_reconstructor() {
    let (_, lines) = Lane::run(&[("a.txt", b"DO:crash"), ("b.txt", b"good\n")]);
    let verdict = |at: usize| lines[at].engines.iter().find(|row| row.engine == "structure").map(|row| row.verdict);
    assert_eq!(verdict(0), Some(model::EngineVerdict::NotScanned), "{:?}", lines[0].engines);
    assert_eq!(verdict(1), Some(model::EngineVerdict::Clean), "{:?}", lines[1].engines);
}

type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    (
        "a_jail_in_an_attackers_hands_fails_its_own_file_and_no_other",
        a_jail_in_an_attackers_hands_fails_its_own_file_and_no_other,
    ),
    (
        "what_fools_the_reconstructor_is_stopped_by_the_second_reader",
        what_fools_the_reconstructor_is_stopped_by_the_second_reader,
    ),
    (
        "a_verifier_that_does_not_say_yes_to_this_question_said_no",
        a_verifier_that_does_not_say_yes_to_this_question_said_no,
    ),
    (
        "an_engine_that_dies_hangs_lies_or_reads_short_has_not_scanned",
        an_engine_that_dies_hangs_lies_or_reads_short_has_not_scanned,
    ),
    ("old_rules_warn_hold_or_stop_as_policy_says", old_rules_warn_hold_or_stop_as_policy_says),
    ("a_missed_canary_takes_the_station_out_of_service", a_missed_canary_takes_the_station_out_of_service),
    (
        "structure_has_not_scanned_what_crashed_its_reconstructor",
        structure_has_not_scanned_what_crashed_its_reconstructor,
    ),
    ("a_detection_outweighs_a_crash", a_detection_outweighs_a_crash),
    ("the_report_names_formats_only_where_a_jail_could_say", the_report_names_formats_only_where_a_jail_could_say),
];

fn main() {
    jail::become_jail_if_asked(&ROLES);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let chosen: Vec<&Test> =
        TESTS.iter().filter(|(name, _)| wanted.is_none_or(|w| name.contains(w.as_str()))).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return;
    }
    println!("\nrunning {} tests", chosen.len());
    let mut failed = 0;
    for (name, test) in &chosen {
        let passed = std::panic::catch_unwind(AssertUnwindSafe(test)).is_ok();
        failed += usize::from(!passed);
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured\n", chosen.len() - failed);
    std::process::exit(i32::from(failed > 0) * 101);
}
