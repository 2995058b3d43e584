//! The spawner: programs of others run within limits, alone, and are gone with all that they started.

use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use jail::{Ended, Program, Ran, Sealed, Spawner};

use crate::Test;
use crate::support::{eventually, launcher, spool, status};

pub const TESTS: &[Test] = &[
    ("programs::a_program_reads_its_object_and_is_heard", a_program_reads_its_object_and_is_heard),
    ("programs::each_end_is_told_apart", each_end_is_told_apart),
    ("programs::what_it_started_ends_with_it", what_it_started_ends_with_it),
    ("programs::it_inherits_next_to_nothing", it_inherits_next_to_nothing),
    ("programs::many_run_at_once_and_the_spawner_ends_with_us", many_run_at_once_and_the_spawner_ends_with_us),
];

fn run(spawner: &Spawner, script: &str, object: &[u8]) -> Ran {
    let sealed = Sealed::from_bytes(&spool(), object).unwrap();
    let fd = sealed.reopen().unwrap();
    let args: Vec<String> = ["-c", script, "script", "{file}"].map(str::to_owned).to_vec();
    let (path, object) = (Path::new("/bin/sh"), Some(fd.as_fd()));
    let wall = Duration::from_secs(2);
    spawner.run(&Program { path, args: &args, object, wall, memory_bytes: 256 << 20, output_bytes: 64 << 10 }).unwrap()
}

fn a_program_reads_its_object_and_is_heard() {
    let spawner = Spawner::start(&launcher()).unwrap();
    let ran = run(&spawner, "cat \"$1\"; echo err >&2; exit 7", b"the object\n");
    assert_eq!(ran, Ran { ended: Ended::Status(7), output: b"the object\nerr\n".to_vec() });
    // Each reader has an offset of its own, and nobody can write.
    let ran = run(&spawner, "cat \"$1\" \"$1\"; echo x 2>/dev/null >\"$1\" && echo wrote; exit 0", b"twice\n");
    assert_eq!(ran.output, b"twice\ntwice\n");
}

fn each_end_is_told_apart() {
    let spawner = Spawner::start(&launcher()).unwrap();
    assert_eq!(run(&spawner, "kill -SEGV $$", b"").ended, Ended::Signal(libc::SIGSEGV));
    assert_eq!(run(&spawner, "while :; do :; done", b"").ended, Ended::TimedOut);
    let flood = run(&spawner, "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done", b"");
    assert_eq!((flood.ended, flood.output.len()), (Ended::Flooded, 64 << 10));
    let hog = run(&spawner, "x=x; while :; do x=$x$x; done", b"");
    assert!(!matches!(hog.ended, Ended::Status(0) | Ended::TimedOut), "{:?}", hog.ended);
    let nothing = Program {
        path: Path::new("/nonexistent/scanner"),
        args: &[],
        object: None,
        wall: Duration::from_secs(2),
        memory_bytes: 64 << 20,
        output_bytes: 4096,
    };
    let ran = spawner.run(&nothing).unwrap();
    assert_eq!(ran.ended, Ended::Status(127));
    assert!(String::from_utf8(ran.output).unwrap().contains("cannot be started"));
    assert!(spawner.run(&Program { args: &["a\0b".to_owned()], ..nothing }).is_err());
}

/// Numbers that a script printed, one a line.
fn pids(ran: &Ran) -> Vec<u32> {
    String::from_utf8_lossy(&ran.output).lines().filter_map(|line| line.trim().parse().ok()).collect()
}

fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn what_it_started_ends_with_it() {
    let spawner = Spawner::start(&launcher()).unwrap();
    for (script, ended) in [
        ("sleep 60 & echo $!; exit 0", Ended::Status(0)),
        ("sleep 60 & echo $!; sleep 60", Ended::TimedOut),
        ("(sleep 60 & echo $!; sleep 60) & echo $!; kill -SEGV $$", Ended::Signal(libc::SIGSEGV)),
    ] {
        let began = Instant::now();
        let ran = run(&spawner, script, b"");
        assert_eq!(ran.ended, ended, "{script}");
        assert!(began.elapsed() < Duration::from_secs(10), "{script}");
        let pids = pids(&ran);
        assert!(!pids.is_empty(), "{script}");
        assert!(eventually(|| !pids.iter().any(|pid| alive(*pid))), "{script}");
    }
}

fn it_inherits_next_to_nothing() {
    let spawner = Spawner::start(&launcher()).unwrap();
    let mut noisy = tempfile();
    noisy.write_all(b"not inherited").unwrap();
    let ran = run(&spawner, "for f in /proc/self/fd/*; do echo \"${f##*/}\"; done", b"");
    // Three, the object, and the folder that the shell is reading.
    assert!(pids(&ran).len() <= 5, "{:?}", String::from_utf8_lossy(&ran.output));
    let ran = run(&spawner, "/usr/bin/env; pwd; grep -E '^(CapEff|CapPrm|NoNewPrivs)' /proc/self/status", b"");
    let text = String::from_utf8(ran.output).unwrap();
    let names: Vec<&str> = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| ["PATH", "LANG", "PWD", "OLDPWD", "SHLVL", "_"].contains(name)), "{text}");
    assert!(text.contains("\n/\n"), "{text}");
    assert!(text.contains("NoNewPrivs:\t1") && text.matches("0000000000000000").count() == 2, "{text}");
}

fn tempfile() -> std::fs::File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("noisy-{}", std::process::id()));
    let file = std::fs::File::create(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

fn many_run_at_once_and_the_spawner_ends_with_us() {
    let spawner = Spawner::start(&launcher()).unwrap();
    let pid = spawner.process_id();
    assert_eq!(status(pid, "Threads"), "1");
    let began = Instant::now();
    std::thread::scope(|scope| {
        for n in 0..40_u32 {
            let spawner = &spawner;
            scope.spawn(move || {
                let ran = run(spawner, &format!("sleep 0.5; cat \"$1\"; exit {n}"), n.to_string().as_bytes());
                let ended = Ended::Status(i32::try_from(n).unwrap());
                assert_eq!(ran, Ran { ended, output: n.to_string().into_bytes() });
            });
        }
    });
    assert!(began.elapsed() < Duration::from_secs(15), "they run side by side");
    assert!(spawner.is_alive());
    drop(spawner);
    assert!(eventually(|| !alive(pid)));
}
