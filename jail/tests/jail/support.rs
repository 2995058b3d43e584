//! What every test needs.

use std::path::Path;
use std::time::Duration;

use jail::{Done, Job, JobFailure, JobLimits, Launcher, Sealed, SpoolDir, Zygote};

pub fn launcher() -> Launcher {
    Launcher::of_this_program().unwrap()
}

pub fn spool() -> SpoolDir {
    SpoolDir::new(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap()
}

pub fn zygote() -> Zygote {
    Zygote::start(&launcher(), "act").unwrap()
}

pub const LIMITS: JobLimits = JobLimits {
    memory_bytes: 64 << 20,
    cpu_seconds: 10,
    wall: Duration::from_secs(20),
    output_bytes: 1 << 20,
    spool_bytes: 1 << 20,
};

/// Runs the act named `act` on `input`.
pub fn act_on(zygote: &Zygote, act: &str, input: &Sealed, limits: JobLimits) -> Result<Done, JobFailure> {
    zygote.run(Job { input: input.into(), header: act.as_bytes(), limits, spool: &spool() })
}

pub fn act(zygote: &Zygote, act: &str, limits: JobLimits) -> Result<Done, JobFailure> {
    act_on(zygote, act, &Sealed::from_bytes(&spool(), b"input").unwrap(), limits)
}

/// The zygote must be as good as before.
pub fn still_works(zygote: &Zygote) {
    assert_eq!(act(zygote, "echo", LIMITS).unwrap().answer, b"input");
}

/// Fields of /proc/PID/status.
pub fn status(pid: u32, field: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap().trim().to_owned()
}

/// Processes whose parent is `parent`, zombies included.
pub fn children(parent: u32) -> Vec<u32> {
    processes().filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn processes() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Jail processes made from this program, whoever's children they are.
pub fn jails_alive() -> usize {
    let program = std::env::current_exe().unwrap();
    let ours = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut arguments = line.split(|b| *b == 0);
        let program_matches = arguments.next() == Some(program.as_os_str().as_encoded_bytes());
        program_matches && arguments.next().is_some_and(|first| first.starts_with(b"--become"))
    };
    processes().filter(ours).count()
}

/// Waits up to five seconds for `condition`.
pub fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    (0..500).any(|_| {
        let met = condition();
        if !met {
            std::thread::sleep(Duration::from_millis(10));
        }
        met
    })
}
