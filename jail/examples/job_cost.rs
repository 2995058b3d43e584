//! What a jail costs: processor time of an empty job, in the station, the zygote and the job together.
//!
//! `cargo run --release -p jail --example job_cost [JOBS]`

#![expect(clippy::arithmetic_side_effects, reason = "a tool for developers, with numbers of its own making")]

use std::time::{Duration, Instant};

use jail::{Job, JobLimits, Launcher, Roles, ScanJail, ScanLimits, Sealed, SpoolDir, Zygote};

const ROLES: Roles = Roles {
    jobs: &[("empty", |room| Ok(room.input().get(..1).unwrap_or_default().to_vec()))],
    scanners: &[("empty", |room| room.serve(b"", |_, bytes| bytes.get(..1).unwrap_or_default().to_vec()))],
    prepare: |_| {},
};

type Anything = Result<(), Box<dyn std::error::Error>>;

fn main() -> Anything {
    jail::become_jail_if_asked(&ROLES);
    let jobs = std::env::args().nth(1).map_or(Ok(2000), |n| n.parse::<u32>())?;
    let here = std::env::current_exe()?;
    let spool = SpoolDir::new(here.parent().ok_or("no folder")?)?;
    let launcher = Launcher::of_this_program()?;
    let limits = JobLimits {
        memory_bytes: 512 << 20,
        cpu_seconds: 60,
        wall: Duration::from_secs(60),
        output_bytes: 64 << 20,
        spool_bytes: 64 << 20,
    };
    let zygote = Zygote::start(&launcher, "empty")?;
    for size in [1_usize, 1 << 20, 20 << 20] {
        let input = Sealed::from_bytes(&spool, &vec![b'x'; size])?;
        let mut inside = Duration::ZERO;
        measure(&format!("job, {size} bytes"), jobs, zygote.process_id(), || {
            inside += zygote.run(Job { input: (&input).into(), header: b"header", limits, spool: &spool })?.usage.cpu;
            Ok(())
        })?;
        println!("    of that in the job's process: {:?}", inside.checked_div(jobs).unwrap_or_default());
    }
    let scan = ScanLimits { memory_bytes: 512 << 20, start_wall: Duration::from_secs(20) };
    let mut scanner = ScanJail::start(&launcher, "empty", b"", None, scan)?;
    let input = Sealed::from_bytes(&spool, b"x")?;
    let pid = scanner.process_id().ok_or("no scan jail")?;
    measure("question to a scan jail", jobs, pid, || Ok(_ = scanner.ask(&input, 0, 1, b"", limits.wall)?))
}

fn measure(what: &str, jobs: u32, jail: u32, mut job: impl FnMut() -> Anything) -> Anything {
    let (begin, before) = (Instant::now(), cpu_of("self")? + cpu_of(&jail.to_string())?);
    for _ in 0..jobs {
        job()?;
    }
    let spent = cpu_of("self")? + cpu_of(&jail.to_string())? - before;
    println!("{what}: {:?} of processor time, {:?} by the clock", spent / jobs, begin.elapsed() / jobs);
    Ok(())
}

/// User and system time of a process and of its reaped children, from /proc; ticks of 10 ms.
fn cpu_of(process: &str) -> Result<Duration, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("unreadable stat")?;
    let ticks = fields.split(' ').skip(11).take(4).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks.saturating_mul(10)))
}
