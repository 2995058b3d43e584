//! Scan jails: they answer, in full or not at all, and one that misbehaves is gone.

use std::time::Duration;

use jail::{JailError, JobFailure, ScanJail, ScanLimits, Sealed};

use crate::Test;
use crate::support::{eventually, jails_alive, launcher, spool, status};

pub const TESTS: &[Test] = &[
    ("scanners::a_scan_jail_answers", a_scan_jail_answers),
    ("scanners::each_misdeed_ends_the_jail", each_misdeed_ends_the_jail),
    ("scanners::a_short_object_is_never_asked_about", a_short_object_is_never_asked_about),
    ("scanners::rules_are_loaded_inside", rules_are_loaded_inside),
    ("scanners::a_scanner_that_does_not_start_is_an_error", a_scanner_that_does_not_start_is_an_error),
];

const WALL: Duration = Duration::from_secs(10);
const LIMITS: ScanLimits = ScanLimits { memory_bytes: 64 << 20, start_wall: Duration::from_secs(10) };

pub fn start(rules: &[u8]) -> ScanJail {
    let rules = Sealed::from_bytes(&spool(), rules).unwrap();
    ScanJail::start(&launcher(), "scan", b"setup/", Some(&rules), LIMITS).unwrap()
}

fn sealed(bytes: &[u8]) -> Sealed {
    Sealed::from_bytes(&spool(), bytes).unwrap()
}

fn a_scan_jail_answers() {
    let mut jail = start(b"evil");
    assert_eq!(jail.ready(), b"setup/evil");
    let object = sealed(b"some evil, more evil");
    assert_eq!(jail.ask(&object, 0, 20, b"", WALL).unwrap(), b"2 in 20");
    // Ranges need not lie on pages, and each object is read from its own start.
    assert_eq!(jail.ask(&object, 10, 10, b"", WALL).unwrap(), b"1 in 10");
    assert_eq!(jail.ask(&object, 20, 0, b"", WALL).unwrap(), b"0 in 0");
    let large = sealed(&[&[b'.'; 200_000], b"evil".as_slice()].concat());
    assert_eq!(jail.ask(&large, 150_001, 50_003, b"", WALL).unwrap(), b"1 in 50003");
    assert!(jail.last_cpu() > Duration::ZERO);
    for _ in 0..500 {
        assert_eq!(jail.ask(&object, 0, 20, b"", WALL).unwrap(), b"2 in 20");
    }
    assert_eq!(jail.asked(), 504);
    drop(jail);
    assert_eq!(jails_alive(), 0);
}

type Check = fn(&JobFailure) -> bool;

fn each_misdeed_ends_the_jail() {
    let object = sealed(b"x");
    let died: &[(&[u8], Check)] = &[
        (b"spin", |f| matches!(f, JobFailure::TimeOut(_))),
        (b"abort", |f| matches!(f, JobFailure::Crash { signal: Some(libc::SIGABRT), .. })),
        (b"panic", |f| matches!(f, JobFailure::Crash { code: Some(101), .. })),
        (b"hoard", |f| matches!(f, JobFailure::Memory(_))),
        (b"garbage", |f| matches!(f, JobFailure::Protocol(_))),
        (b"stale", |f| matches!(f, JobFailure::Protocol(text) if text.contains("another question"))),
        (b"short", |f| matches!(f, JobFailure::Protocol(text) if text.contains("fewer bytes"))),
        (b"long", |f| matches!(f, JobFailure::Crash { .. } | JobFailure::Protocol(_))),
        (b"open", |f| matches!(f, JobFailure::Crash { signal: Some(libc::SIGSYS), .. })),
        (b"tgkill", |f| matches!(f, JobFailure::Crash { signal: Some(libc::SIGSYS), .. })),
    ];
    for (request, right) in died {
        let mut jail = start(b"evil");
        assert!(jail.is_alive());
        let wall = if *request == b"spin" { Duration::from_millis(300) } else { WALL };
        let ended = jail.ask(&object, 0, 1, request, wall).unwrap_err();
        assert!(right(&ended), "{}: {ended:?}", String::from_utf8_lossy(request));
        assert!(!jail.is_alive());
        assert!(matches!(jail.ask(&object, 0, 1, b"", WALL), Err(JobFailure::Station(_))));
        // A recycled one starts afresh.
        assert_eq!(start(b"evil").ask(&object, 0, 1, b"count", WALL).unwrap(), 1_u32.to_le_bytes());
    }
    assert!(eventually(|| jails_alive() == 0));
}

fn a_short_object_is_never_asked_about() {
    for (offset, len) in [(0, 6), (6, 0), (5, 1), (u64::MAX, 2)] {
        let mut jail = start(b"evil");
        assert!(matches!(jail.ask(&sealed(b"short"), offset, len, b"", WALL), Err(JobFailure::Station(_))));
    }
}

fn rules_are_loaded_inside() {
    let jail = start(b"evil");
    let pid = jail.process_id().unwrap();
    assert_eq!((status(pid, "Seccomp"), status(pid, "NoNewPrivs")), ("2".into(), "1".into()));
}

fn a_scanner_that_does_not_start_is_an_error() {
    let quick = ScanLimits { start_wall: Duration::from_millis(300), ..LIMITS };
    assert!(matches!(ScanJail::start(&launcher(), "sulk", b"", None, quick), Err(JailError::Silent(_))));
    let refused = ScanJail::start(&launcher(), "sulk", b"refuse", None, LIMITS);
    assert!(matches!(&refused, Err(JailError::Layer(text)) if text == "these rules are not for me"), "{refused:?}");
    assert!(matches!(ScanJail::start(&launcher(), "nobody", b"", None, LIMITS), Err(JailError::Layer(_))));
    assert_eq!(jails_alive(), 0);
}
