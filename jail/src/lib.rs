//! Where untrusted bytes are read: processes without files, network, or a way to start others.
//!
//! Two kinds of jail. A **zygote** forks a fresh process for every job (reconstruct, verify), so nothing of one file can
//! reach the next. A **scan jail** lives long, because loading scanning rules costs more than scanning. Both are our own
//! executable, started again with a hidden argument ([`become_jail_if_asked`]) and closed before they see a foreign byte.
//!
//! A third kind of process is no jail: the **spawner** starts programs of others (scanners of the site) that must be outside,
//! each with limits and a process group of its own. It is ours, small and single-threaded, so that the station never forks.
//!
//! Layers, all of them required: `no_new_privs`, no capabilities, Landlock (every right the kernel's ABI knows, ABI 1 at
//! least), a seccomp allow-list, resource limits, an empty environment, descriptors only, and a wall clock kept outside.
//! A missing layer is an error at the start, never a warning.
//!
//! This crate knows no format and no policy. It is the only one with `unsafe`: the module `sys`, and the three places that
//! promise it sealed bytes to map.
//!
//! ```text
//! station ---control socket---> zygote --fork--> job: input (read), output and spool (write), nothing else
//!    ^  \--job: descriptors, header, reply socket-/  |
//!    \-----------reply: how it ended, what it used --/      then the station seals output and spool, and reads the frames
//! ```

mod attached;
mod client;
mod failure;
mod frames;
mod inside;
mod landlocked;
mod launch;
mod room;
mod scan;
mod scan_room;
mod sealed;
mod seccomp;
mod spawn;
mod spawner;
#[expect(unsafe_code, reason = "system calls that no safe wrapper offers")]
mod sys;
mod wire;
mod zygote;

pub use attached::Attached;
pub use client::{Done, Input, Job, JobLimits, Usage, Zygote};
pub use failure::{JailError, JobFailure};
pub use frames::{ANSWER_MAX, Export, NAME_MAX};
pub use inside::{JobFn, Roles, ScanFn, become_jail_if_asked};
pub use launch::{Launcher, Sandbox, probe};
pub use room::{Medium, Outlet, Room};
pub use scan::{ScanJail, ScanLimits};
pub use scan_room::ScanRoom;
pub use sealed::{Growing, Sealed, SealedMap, SealedReader, SpoolDir};
pub use spawn::{Ended, OBJECT, Program, Ran, Spawner};
pub use wire::HEADER_MAX;
