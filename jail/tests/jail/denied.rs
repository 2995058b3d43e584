//! From inside: what a job asks of the kernel in vain.

use jail::{JailError, JobFailure, Launcher, Zygote};

use crate::Test;
use crate::support::{LIMITS, act, launcher, spool, status, still_works, zygote};

pub const TESTS: &[Test] = &[
    ("denied::every_dangerous_call_ends_the_job", every_dangerous_call_ends_the_job),
    ("denied::the_walls_are_up", the_walls_are_up),
    ("denied::probe_finds_the_layers", probe_finds_the_layers),
    ("denied::landlock_abi_1_is_enough", landlock_abi_1_is_enough),
    ("denied::no_landlock_no_jail", no_landlock_no_jail),
    ("denied::unknown_role_is_refused", unknown_role_is_refused),
    ("denied::a_program_that_is_no_jail_is_refused", a_program_that_is_no_jail_is_refused),
];

const CALLS: &[&str] = &[
    "openat",
    "openat2",
    "socket",
    "socket-udp",
    "socketpair",
    "connect",
    "sendto",
    "sendmsg",
    "recvmsg",
    "execve",
    "execveat",
    "clone",
    "clone3",
    "ptrace",
    "kill",
    "tgkill",
    "tkill",
    "pidfd_open",
    "pidfd_getfd",
    "process_vm_writev",
    "unlinkat",
    "ftruncate",
    "fcntl-dup",
    "fcntl-seal",
    "ioctl",
    "prctl",
    "prlimit",
    "io_uring",
    "bpf",
    "unshare",
    "mount",
    "memfd",
    "mmap-exec",
    "mmap-shared",
    "mprotect-exec",
    "rt_sigaction",
    "setitimer",
    #[cfg(target_arch = "x86_64")]
    "open",
    #[cfg(target_arch = "x86_64")]
    "fork",
    #[cfg(target_arch = "x86_64")]
    "vfork",
];

fn every_dangerous_call_ends_the_job() {
    let zygote = zygote();
    for call in CALLS {
        let ended = act(&zygote, &format!("{call} {}", std::process::id()), LIMITS);
        assert!(matches!(ended, Err(JobFailure::Crash { signal: Some(libc::SIGSYS), .. })), "{call}: {ended:?}");
    }
    still_works(&zygote);
}

fn the_walls_are_up() {
    let zygote = zygote();
    let field = |name| status(zygote.process_id(), name);
    assert_eq!((field("NoNewPrivs"), field("Seccomp"), field("Threads")), ("1".into(), "2".into(), "1".into()));
    assert_eq!(field("CapEff"), "0000000000000000");
    assert_eq!(field("CapPrm"), "0000000000000000");
    assert!(zygote.sandbox().landlock_abi >= 1);
}

fn probe_finds_the_layers() {
    let sandbox = jail::probe(&launcher(), &spool()).unwrap();
    println!("Landlock ABI {}", sandbox.landlock_abi);
}

fn landlock_abi_1_is_enough() {
    let launcher = Launcher { landlock_abi_at_most: Some(1), ..launcher() };
    assert_eq!(jail::probe(&launcher, &spool()).unwrap().landlock_abi, 1);
    let zygote = Zygote::start(&launcher, "act").unwrap();
    assert_eq!(zygote.sandbox().landlock_abi, 1);
    still_works(&zygote);
    let ended = act(&zygote, "openat", LIMITS);
    assert!(matches!(ended, Err(JobFailure::Crash { signal: Some(libc::SIGSYS), .. })));
}

fn no_landlock_no_jail() {
    let launcher = Launcher { landlock_abi_at_most: Some(0), ..launcher() };
    let refused = Zygote::start(&launcher, "act");
    assert!(matches!(&refused, Err(JailError::Layer(text)) if text.contains("Landlock")), "{refused:?}");
}

fn unknown_role_is_refused() {
    assert!(matches!(Zygote::start(&launcher(), "nobody"), Err(JailError::Layer(_))));
}

fn a_program_that_is_no_jail_is_refused() {
    assert!(matches!(Zygote::start(&Launcher::new("/bin/true".into()), "act"), Err(JailError::Silent(_))));
    assert!(matches!(Zygote::start(&Launcher::new("/nonexistent".into()), "act"), Err(JailError::Spawn(_))));
}
