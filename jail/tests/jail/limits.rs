//! From outside: each way to misbehave ends in its own failure, in time, and harms nobody else.

use std::time::{Duration, Instant};

use jail::{Job, JobFailure, JobLimits, Sealed};

use crate::Test;
use crate::support::{LIMITS, act, act_on, spool, still_works, zygote};

pub const TESTS: &[Test] = &[
    ("limits::an_honest_job_gives_all_it_made", an_honest_job_gives_all_it_made),
    ("limits::memory_hogs_are_stopped", memory_hogs_are_stopped),
    ("limits::endless_loops_are_stopped", endless_loops_are_stopped),
    ("limits::crashes_are_told_apart", crashes_are_told_apart),
    ("limits::garbage_is_a_protocol_error", garbage_is_a_protocol_error),
    ("limits::too_much_is_too_much", too_much_is_too_much),
    ("limits::what_outgrows_memory_goes_to_the_spool", what_outgrows_memory_goes_to_the_spool),
    ("limits::a_headers_size_is_bounded", a_headers_size_is_bounded),
    ("limits::large_inputs_are_read_from_the_spool", large_inputs_are_read_from_the_spool),
];

fn an_honest_job_gives_all_it_made() {
    let zygote = zygote();
    let done = act(&zygote, "build 1000", LIMITS).unwrap();
    assert_eq!((done.answer.as_slice(), done.exports.len()), (b"done".as_slice(), 0));
    assert_eq!(&*done.output.unwrap().map().unwrap(), [b'o'; 1000]);
    assert!(done.usage.peak_bytes > 0 && done.usage.cpu > Duration::ZERO);

    let done = act(&zygote, "export 5", LIMITS).unwrap();
    assert!(done.output.is_none());
    let seen: Vec<_> = done.exports.iter().map(|e| (e.id, e.parent, e.depth, e.kind, e.len)).collect();
    assert_eq!(seen, [(1, 0, 1, 1, 11), (2, 1, 2, 2, 5), (3, 0, 1, 3, 5)]);
    assert_eq!((done.exports[0].name.as_str(), done.exports[1].name.len()), ("outer", 512));
    let spool = done.spool.map().unwrap();
    let at = usize::try_from(done.exports[0].offset).unwrap();
    assert_eq!(&spool[at..at + 11], b"outer bytes");
}

fn memory_hogs_are_stopped() {
    let zygote = zygote();
    for hog in ["hoard", "one-huge 200000000"] {
        let ended = act(&zygote, hog, LIMITS);
        assert!(matches!(ended, Err(JobFailure::Memory(_))), "{hog}: {ended:?}");
    }
    still_works(&zygote);
}

fn endless_loops_are_stopped() {
    let zygote = zygote();
    let begin = Instant::now();
    let short = JobLimits { wall: Duration::from_millis(300), ..LIMITS };
    for act_name in ["spin", "sleep"] {
        assert!(matches!(act(&zygote, act_name, short), Err(JobFailure::TimeOut(_))));
    }
    let ended = act(&zygote, "spin", JobLimits { cpu_seconds: 1, ..LIMITS });
    assert!(matches!(ended, Err(JobFailure::CpuTime(1))), "{ended:?}");
    assert!(begin.elapsed() < Duration::from_secs(10));
    still_works(&zygote);
}

fn crashes_are_told_apart() {
    let zygote = zygote();
    for (name, number) in [("abort", libc::SIGABRT), ("segv", libc::SIGSEGV), ("overflow", libc::SIGSEGV)] {
        let ended = act(&zygote, name, LIMITS);
        let right = matches!(&ended, Err(JobFailure::Crash { signal: Some(signal), .. }) if *signal == number);
        assert!(right, "{name}: {ended:?}");
    }
    let Err(JobFailure::Crash { place: Some(place), .. }) = act(&zygote, "panic", LIMITS) else { panic!() };
    assert!(place.starts_with("panic at ") && place.contains("hostile.rs:"), "{place}");
    assert!(matches!(act(&zygote, "exit 42", LIMITS), Err(JobFailure::Crash { code: Some(42), .. })));
    let Err(JobFailure::GaveUp(text)) = act(&zygote, "give-up", LIMITS) else { panic!() };
    assert_eq!(text, "no\u{fffd} \u{fffd}thanks");
    assert!(matches!(act(&zygote, "export-nowhere", LIMITS), Err(JobFailure::GaveUp(_))));
    still_works(&zygote);
}

fn garbage_is_a_protocol_error() {
    let zygote = zygote();
    for name in ["garbage", "exit 0"] {
        let ended = act(&zygote, name, LIMITS);
        assert!(matches!(ended, Err(JobFailure::Protocol(_))), "{name}: {ended:?}");
    }
    still_works(&zygote);
}

fn too_much_is_too_much() {
    let zygote = zygote();
    for name in ["build 1048577", "export 1048577", "flood"] {
        let ended = act(&zygote, name, LIMITS);
        assert!(matches!(ended, Err(JobFailure::TooMuchOutput)), "{name}: {ended:?}");
    }
    act(&zygote, "build 1048576", LIMITS).unwrap();
    // Past the room's own count, within the file limit: the station looks at the sizes itself.
    assert!(matches!(act(&zygote, "pour 2000000", LIMITS), Err(JobFailure::TooMuchOutput)));
    let roomy = JobLimits { output_bytes: 8 << 20, ..LIMITS };
    assert!(matches!(act(&zygote, "smuggle 2000000", roomy), Err(JobFailure::TooMuchOutput)));
    assert_eq!(act(&zygote, "smuggle 1000000", roomy).unwrap().exports.len(), 1);
    assert!(matches!(act(&zygote, "long-answer 5000000", LIMITS), Err(JobFailure::GaveUp(_))));
    assert_eq!(act(&zygote, "long-answer 4000000", LIMITS).unwrap().answer.len(), 4_000_000);
}

fn what_outgrows_memory_goes_to_the_spool() {
    let zygote = zygote();
    let limits = JobLimits { output_bytes: 100 << 20, memory_bytes: 256 << 20, ..LIMITS };
    let done = act(&zygote, "build 80000000", limits).unwrap();
    assert_eq!(done.output.unwrap().len(), 80_000_000);
    assert!(matches!(act(&zygote, "build 110000000", limits), Err(JobFailure::TooMuchOutput)));
}

fn a_headers_size_is_bounded() {
    let zygote = zygote();
    let input = Sealed::from_bytes(&spool(), b"").unwrap();
    let longest = format!("echo {}", "x".repeat(jail::HEADER_MAX - 5));
    let done = act_on(&zygote, &longest, &input, LIMITS).unwrap();
    assert!(done.answer.is_empty());
    let job = Job { input: (&input).into(), header: &vec![0; jail::HEADER_MAX + 1], limits: LIMITS, spool: &spool() };
    assert!(matches!(zygote.run(job), Err(JobFailure::Station(_))));
    still_works(&zygote);
}

fn large_inputs_are_read_from_the_spool() {
    let zygote = zygote();
    let limits = JobLimits { memory_bytes: 64 << 20, ..LIMITS };
    let input = Sealed::from_bytes(&spool(), &vec![b'i'; 20 << 20]).unwrap();
    let done = act_on(&zygote, "build 100000", &input, limits).unwrap();
    assert_eq!(done.output.unwrap().len(), 100_000);
}
