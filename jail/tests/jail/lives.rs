//! Births and deaths: many jobs at once, no zombies, nobody outlives whom he serves.

use std::io::BufRead;
use std::process::{Command, Stdio};
use std::time::Duration;

use jail::{JobFailure, JobLimits, Sealed};
use rustix::process::{Pid, Signal, kill_process};

use crate::Test;
use crate::support::{
    LIMITS, act, act_on, children, eventually, jails_alive, launcher, spool, status, still_works, zygote,
};

pub const TESTS: &[Test] = &[
    ("lives::many_jobs_at_once_good_and_bad", many_jobs_at_once_good_and_bad),
    ("lives::dropping_a_zygote_ends_its_process", dropping_a_zygote_ends_its_process),
    ("lives::a_killed_zygote_is_a_station_fault", a_killed_zygote_is_a_station_fault),
    ("lives::jobs_die_with_their_zygote", jobs_die_with_their_zygote),
    ("lives::stopping_ends_all_jobs_at_once", stopping_ends_all_jobs_at_once),
    ("lives::all_die_with_the_station", all_die_with_the_station),
    ("lives::a_jail_survives_the_thread_that_asked_for_it", a_jail_survives_the_thread_that_asked_for_it),
    ("lives::nothing_of_one_job_reaches_the_next", nothing_of_one_job_reaches_the_next),
];

fn many_jobs_at_once_good_and_bad() {
    let zygote = zygote();
    let spool = spool();
    let short = JobLimits { wall: Duration::from_millis(500), ..LIMITS };
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (zygote, spool) = (&zygote, &spool);
            scope.spawn(move || {
                for round in 0..40 {
                    let text = format!("thread {thread} round {round}");
                    let input = Sealed::from_bytes(spool, text.as_bytes()).unwrap();
                    let done = act_on(zygote, "echo", &input, LIMITS).unwrap();
                    assert_eq!(done.answer, text.as_bytes());
                    match (thread, round % 8) {
                        (0, 0) => assert!(matches!(act(zygote, "sleep", short), Err(JobFailure::TimeOut(_)))),
                        (1, 0) => assert!(matches!(act(zygote, "hoard", LIMITS), Err(JobFailure::Memory(_)))),
                        (2, 0) => assert!(matches!(act(zygote, "segv", LIMITS), Err(JobFailure::Crash { .. }))),
                        (3, 0) => assert!(matches!(act(zygote, "garbage", LIMITS), Err(JobFailure::Protocol(_)))),
                        (4, 0) => assert!(matches!(act(zygote, "flood", LIMITS), Err(JobFailure::TooMuchOutput))),
                        _ => {}
                    }
                }
            });
        }
    });
    let pid = zygote.process_id();
    assert_eq!(children(pid), [], "zombies");
    assert_eq!(status(pid, "Threads"), "1");
    let resident: u64 = status(pid, "VmRSS").trim_end_matches(" kB").parse().unwrap();
    println!("zygote: {resident} KiB resident");
    assert!(resident < 20_000);
    assert!(zygote.is_alive());
}

fn dropping_a_zygote_ends_its_process() {
    let zygote = zygote();
    assert!(zygote.is_alive());
    drop(zygote);
    assert_eq!(jails_alive(), 0);
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
}

fn a_killed_zygote_is_a_station_fault() {
    let zygote = zygote();
    kill(zygote.process_id());
    for _ in 0..3 {
        assert!(matches!(act(&zygote, "echo", LIMITS), Err(JobFailure::Station(_))));
    }
    assert!(eventually(|| !zygote.is_alive()));
}

fn jobs_die_with_their_zygote() {
    let zygote = zygote();
    std::thread::scope(|scope| {
        let job = scope.spawn(|| act(&zygote, "sleep", LIMITS));
        assert!(eventually(|| children(zygote.process_id()).len() == 1));
        kill(zygote.process_id());
        assert!(matches!(job.join().unwrap(), Err(JobFailure::Station(_))));
    });
    drop(zygote);
    assert!(eventually(|| jails_alive() == 0), "an orphan is left");
}

fn stopping_ends_all_jobs_at_once() {
    let zygote = zygote();
    std::thread::scope(|scope| {
        let jobs = [0; 3].map(|_| scope.spawn(|| act(&zygote, "spin", LIMITS)));
        assert!(eventually(|| children(zygote.process_id()).len() == 3));
        zygote.stop();
        for job in jobs {
            assert!(matches!(job.join().unwrap(), Err(JobFailure::Station(_))));
        }
    });
    assert!(!zygote.is_alive());
    assert!(eventually(|| jails_alive() == 0));
}

pub const DOOMED_STATION: &str = "--doomed-station";

/// A station that starts an endless job and a scan jail in an endless loop, says so, and waits to be killed.
pub fn doomed_station() -> ! {
    let zygote = zygote();
    let mut scan = crate::scanners::start(b"");
    std::thread::scope(|scope| {
        scope.spawn(|| act(&zygote, "spin", LIMITS));
        scope.spawn(|| scan.ask(&Sealed::from_bytes(&spool(), b"x").unwrap(), 0, 1, b"spin", LIMITS.wall));
        assert!(eventually(|| jails_alive() == 3));
        println!("doomed");
    });
    std::process::exit(1)
}

#[expect(clippy::disallowed_methods, reason = "a second station, to be killed")]
fn all_die_with_the_station() {
    let mut command = Command::new(launcher().executable);
    let mut station = command.arg(DOOMED_STATION).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(station.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "doomed\n");
    station.kill().unwrap();
    station.wait().unwrap();
    assert!(eventually(|| jails_alive() == 0), "an orphan is left");
}

fn a_jail_survives_the_thread_that_asked_for_it() {
    let zygote = std::thread::spawn(zygote).join().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    still_works(&zygote);
}

fn nothing_of_one_job_reaches_the_next() {
    let zygote = zygote();
    act(&zygote, &format!("echo {}", "secret".repeat(5000)), LIMITS).unwrap();
    assert_eq!(act(&zygote, "recall", LIMITS).unwrap().answer, [0]);
}
