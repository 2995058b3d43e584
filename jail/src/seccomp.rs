//! The system calls that a jail may make; any other ends the process.
//!
//! One line, one reason. Filters stack and the strictest answer wins, so a zygote's own filter (job calls and what forking
//! and closing a job needs) stays in force in its jobs, under the job's.

use std::collections::BTreeMap;

use rustix::process::Pid;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// When a listed call is allowed.
#[derive(Clone, Copy)]
enum When {
    /// Whatever its arguments.
    Always,
    /// Argument `.0`, masked with `.1`, is `.2`.
    Masked(u8, u64, u64),
    /// Both hold.
    Both((u8, u64, u64), (u8, u64, u64)),
}
use When::{Always, Both, Masked};

type Line = (libc::c_long, When);

/// Third argument of mmap and mprotect: no executable memory.
const NOT_EXEC: (u8, u64, u64) = (2, libc::PROT_EXEC as u64, 0);
/// Fourth argument of mmap: private only. Shared anonymous memory escapes RLIMIT_DATA, shared file mappings write.
const PRIVATE: (u8, u64, u64) = (3, libc::MAP_TYPE as u64, libc::MAP_PRIVATE as u64);
/// What fork passes to clone beside the signal: flags about thread ids in the child's memory, harmless.
const FORK_FLAGS: u64 = (libc::CLONE_CHILD_CLEARTID | libc::CLONE_CHILD_SETTID | libc::SIGCHLD) as u64;

/// A job: a single-threaded computation over mapped bytes.
const JOB: &[Line] = &[
    (libc::SYS_read, Always),                                         // descriptors it was given
    (libc::SYS_readv, Always),                                        // as read
    (libc::SYS_pread64, Always),                                      // as read, without a shared offset
    (libc::SYS_write, Always),      // output, spool, and stderr, which is the null device
    (libc::SYS_writev, Always),     // frame header, name and bytes in one call
    (libc::SYS_pwrite64, Always),   // patching a length written earlier
    (libc::SYS_lseek, Always),      // position in its own descriptors
    (libc::SYS_fstat, Always),      // size of a descriptor; no path involved
    (libc::SYS_statx, Always),      // answered ENOSYS by the second filter: std asks before read_to_end
    (libc::SYS_newfstatat, Always), // likewise, the older form
    (libc::SYS_close, Always),      // dropping a descriptor
    (libc::SYS_fcntl, Masked(1, u64::MAX, libc::F_GETFD as u64)), // std's debug builds ask before they close
    (libc::SYS_brk, Always),        // heap, bounded by RLIMIT_DATA
    (libc::SYS_mmap, Both(NOT_EXEC, PRIVATE)), // heap for large blocks, bounded by RLIMIT_DATA
    (libc::SYS_mprotect, Masked(NOT_EXEC.0, NOT_EXEC.1, NOT_EXEC.2)), // heap of further arenas
    (libc::SYS_mremap, Always),     // growing a large block; can't gain a protection
    (libc::SYS_munmap, Always),     // giving memory back
    (libc::SYS_madvise, Always),    // giving pages back
    (libc::SYS_futex, Always),      // std's locks, uncontended here
    (libc::SYS_getrandom, Always),  // seeds of hash maps
    (libc::SYS_clock_gettime, Always), // where the vDSO has no clock
    (libc::SYS_sched_yield, Always), // spinning locks
    (libc::SYS_restart_syscall, Always), // the kernel's own, after a stop and continue
    (libc::SYS_sigaltstack, Always), // std's stack for overflow handling
    (libc::SYS_rt_sigprocmask, Always), // abort blocks signals
    (libc::SYS_rt_sigreturn, Always), // return from the abort handler
    (libc::SYS_getpid, Always),     // abort
    (libc::SYS_gettid, Always),     // abort
    (libc::SYS_tgkill, Always),     // abort, on itself only: see `own_tgkill`
    (libc::SYS_exit, Always),       // the end
    (libc::SYS_exit_group, Always), // the end
];

/// A scan jail also takes objects from the station.
const SCAN_ONLY: &[Line] = &[
    (libc::SYS_recvmsg, Always), // the request and the descriptor of the object; answers go out by write
    (libc::SYS_rt_sigaction, Always), // libyara guards each scan with handlers of its own; no CPU limit to dodge here
];

/// A zygote also forks, closes and reaps jobs.
const ZYGOTE_ONLY: &[Line] = &[
    (libc::SYS_recvmsg, Always), // jobs and their descriptors; replies go out by write
    (libc::SYS_ppoll, Always),   // waiting for jobs, their ends and their time
    (libc::SYS_clone, Masked(0, !FORK_FLAGS, 0)), // fork: no thread, no shared memory, no namespace
    (libc::SYS_set_robust_list, Always), // the C library, in a forked child
    (libc::SYS_getdents64, Always), // counting its threads in an open directory
    (libc::SYS_pidfd_open, Always), // to hear of a job's end
    (libc::SYS_pidfd_send_signal, Always), // killing a job that is over time; its own descriptors only
    (libc::SYS_wait4, Always),   // reaping, with what the job used
    (libc::SYS_getppid, Always), // a child asks whether its zygote still lives
    (libc::SYS_prctl, Always),   // a child's death signal, no_new_privs
    (libc::SYS_close_range, Always), // a child closes what isn't its own
    (libc::SYS_prlimit64, Always), // a child's limits
    (libc::SYS_dup3, Always),    // a child replaces the control socket
    (libc::SYS_seccomp, Always), // a child's stricter filter
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_poll, Always), // as ppoll
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_dup2, Always), // as dup3
];

/// A compiled filter.
pub(crate) struct Filter(BpfProgram);

impl Filter {
    /// Puts the filter up, for good.
    pub(crate) fn install(&self) -> Result<(), String> {
        seccompiler::apply_filter(&self.0).map_err(|error| format!("seccomp: {error}"))
    }

    pub(crate) fn job() -> Result<Self, String> {
        allow_only(&[JOB])
    }

    pub(crate) fn scan() -> Result<Self, String> {
        allow_only(&[JOB, SCAN_ONLY])
    }

    pub(crate) fn zygote() -> Result<Self, String> {
        allow_only(&[JOB, ZYGOTE_ONLY])
    }

    /// Answers ENOSYS where std has another way. A filter of its own: in one filter the list's other entries would have
    /// to share the action, and between filters killing beats an error, so the first filter lets these through.
    pub(crate) fn not_implemented() -> Result<Self, String> {
        let calls = [libc::SYS_statx, libc::SYS_newfstatat];
        let rules = calls.into_iter().map(|call| (call, Vec::new())).collect();
        compile(rules, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS.unsigned_abs()))
    }

    /// Kills a process that sends a signal to any other: abort needs tgkill, which could reach all of our user's.
    pub(crate) fn own_tgkill(own: Pid) -> Result<Self, String> {
        let own = u64::from(own.as_raw_nonzero().get().unsigned_abs());
        let other = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own).map_err(describe)?;
        let rule = SeccompRule::new(vec![other]).map_err(describe)?;
        let rules = BTreeMap::from([(libc::SYS_tgkill, vec![rule])]);
        compile(rules, SeccompAction::Allow, SeccompAction::KillProcess)
    }
}

fn allow_only(lists: &[&[Line]]) -> Result<Filter, String> {
    let mut rules = BTreeMap::new();
    for (call, when) in lists.iter().copied().flatten() {
        rules.insert(*call, conditions(*when)?);
    }
    compile(rules, SeccompAction::KillProcess, SeccompAction::Allow)
}

fn conditions(when: When) -> Result<Vec<SeccompRule>, String> {
    let all: &[(u8, u64, u64)] = match &when {
        Always => return Ok(Vec::new()),
        Masked(arg, mask, value) => &[(*arg, *mask, *value)],
        Both(one, two) => &[*one, *two],
    };
    let all = all.iter().map(|(arg, mask, value)| {
        SeccompCondition::new(*arg, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(*mask), *value)
    });
    let all = all.collect::<Result<Vec<_>, _>>().map_err(describe)?;
    Ok(vec![SeccompRule::new(all).map_err(describe)?])
}

fn compile(
    rules: BTreeMap<libc::c_long, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    on_match: SeccompAction,
) -> Result<Filter, String> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(describe)?;
    let filter = SeccompFilter::new(rules, otherwise, on_match, arch).map_err(describe)?;
    BpfProgram::try_from(filter).map(Filter).map_err(describe)
}

fn describe(error: seccompiler::BackendError) -> String {
    format!("seccomp: {error}")
}
