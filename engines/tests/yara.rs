//! What must never read as "clean": rules that don't load, scans that don't finish, objects that are not whole.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use engines::yara::{Loaded, compile, load};
use engines::{EngineError, Home, Request, Resident, Server, Severity, decode, descriptor};
use model::{EngineVerdict, Untrusted};
use signatures::{RuleSet, Signatures, Source};
use std::time::{Duration, Instant};

fn set(text: &str) -> RuleSet {
    RuleSet::new("test", "2026-01-31", vec![Source { name: "test".to_owned(), text: text.to_owned() }]).unwrap()
}

fn loaded(text: &str) -> Loaded {
    load(&compile(&set(text)).unwrap()).unwrap()
}

#[test]
fn severity_is_what_the_rule_says_and_malicious_where_it_says_nothing() {
    let rules = loaded(
        r#"rule said { meta: severity = "suspicious" strings: $a = "needle1" condition: $a }
           rule silent { strings: $a = "needle2" condition: $a }
           rule odd { meta: severity = 3 strings: $a = "needle3" condition: $a }"#,
    );
    let worst = |object: &[u8]| rules.scan(Untrusted::new(object), 5).worst();
    assert_eq!(worst(b"a needle1 in hay"), Some(Severity::Suspicious));
    assert_eq!(worst(b"a needle2 in hay"), Some(Severity::Malicious));
    assert_eq!(worst(b"a needle3 in hay"), Some(Severity::Malicious));
    assert_eq!(rules.scan(Untrusted::new(b"hay"), 5).verdict(), EngineVerdict::Clean);
    assert_eq!(rules.scan(Untrusted::new(b""), 5).about(0).verdict(), EngineVerdict::Clean);
}

/// A rule that takes for ever is cut off in time; what the others found is kept, but the scan is none.
#[test]
fn a_time_out_is_not_scanned() {
    let rules = loaded(
        r#"rule quick { strings: $a = "needle" condition: $a }
           rule endless { strings: $a = "needle" condition: $a and for all i in (0 .. 1000000000) : (for all j in (0 .. 1000000000) : (i + j >= 0)) }"#,
    );
    let start = Instant::now();
    let answer = rules.scan(Untrusted::new(b"a needle"), 1);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(answer.error(), Some("time-out after 1 s"));
    assert_eq!(answer.verdict(), EngineVerdict::NotScanned);
    assert_ne!(answer.about(8).verdict(), EngineVerdict::Clean);
}

/// 0 is "for ever" to libyara, so it must not get there.
#[test]
fn a_scan_without_a_time_limit_is_refused() {
    let rules = loaded(r#"rule r { strings: $a = "needle" condition: $a }"#);
    for secs in [0, u32::MAX] {
        assert_eq!(rules.scan(Untrusted::new(b"hay"), secs).verdict(), EngineVerdict::NotScanned);
    }
}

#[test]
fn a_string_that_matches_without_end_is_not_scanned() {
    let rules = loaded(r#"rule flood { strings: $a = "ab" condition: #a > 2000000 }"#);
    let answer = rules.scan(Untrusted::new(&b"ab".repeat(1_500_000)), 60);
    assert_eq!(answer.verdict(), EngineVerdict::NotScanned, "{answer:?}");
}

/// Rules without anything to look for make libyara verify at every byte: such a set is refused when it is loaded.
#[test]
fn rules_that_look_at_every_byte_are_refused() {
    let compiled = compile(&set(r"rule slow { strings: $a = /[^x][^y][^z]/ condition: $a }"));
    match compiled.and_then(|c| load(&c)) {
        Err(EngineError::Load { what }) => assert!(what.contains("too slow"), "{what}"),
        other => panic!("{:?}", other.map(|l| l.rule_count())),
    }
}

#[test]
fn an_object_that_is_not_whole_is_not_scanned() {
    let compiled = compile(&set(r#"rule r { strings: $a = "needle" condition: $a }"#)).unwrap();
    let server = Server::start(b"yara", &compiled).unwrap();
    assert_eq!(server.ready(), b"yara 1");
    let ask = |len, object: &[u8]| decode(&server.serve(&Request { timeout_secs: 5, len }.encode(), object)).unwrap();
    assert_eq!(ask(8, b"a needle").verdict(), EngineVerdict::Malicious);
    assert_eq!(ask(3, b"hay").verdict(), EngineVerdict::Clean);
    assert_eq!(ask(8, b"").verdict(), EngineVerdict::NotScanned, "nothing came through");
    assert_eq!(ask(8, b"a needl").verdict(), EngineVerdict::NotScanned);
    assert_eq!(ask(2, b"hay").verdict(), EngineVerdict::NotScanned);
    let garbage = decode(&server.serve(b"hello", b"hay")).unwrap();
    assert_eq!(garbage.verdict(), EngineVerdict::NotScanned);
}

#[test]
fn only_engines_for_jails_are_served_from_a_jail() {
    let compiled = compile(&set("rule r { condition: false }")).unwrap();
    for name in [&b"hashes"[..], b"", b"YARA", b"\xff"] {
        assert!(matches!(Server::start(name, &compiled), Err(EngineError::Unknown { .. })), "{name:?}");
    }
}

#[test]
fn bad_rules_refuse_the_set_and_say_where() {
    for text in ["rule", r#"include "/etc/passwd""#, r#"import "no_such_module" rule r { condition: true }"#] {
        match compile(&set(text)) {
            Err(EngineError::Compile { what }) => assert!(what.starts_with("test: "), "{what}"),
            other => panic!("{text}: {:?}", other.map(|c| c.len())),
        }
    }
}

/// libyara itself would take some of these.
#[test]
fn compiled_rules_that_are_not_whole_are_refused() {
    let good = compile(&set(r#"rule r { strings: $a = "needle" condition: $a }"#)).unwrap();
    assert!(load(&good).is_ok());
    for cut in (0..good.len()).rev().take(2000).chain(0..64) {
        assert!(load(&good[..cut]).is_err(), "cut at {cut}");
    }
    assert!(load(&[&good[..], b"\0"].concat()).is_err());
    let mut miscounted = good.clone();
    miscounted[4] ^= 1;
    assert!(load(&miscounted).is_err());
    let empty = RuleSet::new("test", "2026-01-31", vec![Source { name: "e".to_owned(), text: String::new() }]).unwrap();
    assert!(load(&compile(&empty).unwrap()).is_err(), "a set without a rule calls everything clean");
}

#[test]
fn provenance_names_the_library_that_is_built_and_the_rules_that_are_loaded() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).unwrap();
    let signatures = Signatures::built_in().unwrap();
    let descriptor = descriptor("yara").unwrap();
    let Home::ScanJail { provenance, .. } = descriptor.home else { panic!("yara runs in a jail") };
    let provenance = provenance(&signatures);
    assert!(manifest.contains(&format!("bundled-{}", provenance.version.replace('.', "_"))), "{provenance:?}");
    assert_eq!(provenance.rules, Some(signatures.rules.sha256()));
    assert_eq!(provenance.rules_id, signatures.rules.id());
    assert_eq!(provenance.rules_date, signatures.rules.date());
    assert!(matches!(descriptor.home, Home::ScanJail { .. }));
}

/// The same rules make the same bytes: what two stations load can be compared.
#[test]
fn compiling_twice_gives_the_same_rules() {
    let rules = Signatures::built_in().unwrap().rules;
    assert_eq!(compile(&rules).unwrap(), compile(&rules).unwrap());
}
