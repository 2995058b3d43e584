//! What jobs and scanners of these tests do, by the words of their header.

use jail::{Roles, Room, ScanRoom};

pub const ROLES: Roles = Roles { jobs: &[("act", act)], scanners: &[("scan", scan), ("sulk", sulk)], prepare: |_| {} };

fn act(room: &mut Room<'_>) -> Result<Vec<u8>, String> {
    let header = String::from_utf8(room.header().to_vec()).map_err(|e| e.to_string())?;
    let mut words = header.split(' ');
    let word = words.next().unwrap_or_default();
    let number = words.next().and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
    match word {
        "echo" => return Ok(room.input().to_vec()),
        "build" => {
            for chunk in vec![b'o'; number].chunks(1 << 20) {
                room.write_output(chunk).map_err(|e| e.to_string())?;
            }
        }
        "export" => {
            let outer = room.export(1, 1, "outer", b"outer bytes").map_err(|e| e.to_string())?;
            let inner = room.export(2, 2, &"é".repeat(400), b"inner").map_err(|e| e.to_string())?;
            let next = room.export(3, 1, "next", &vec![b'x'; number]).map_err(|e| e.to_string())?;
            assert_eq!((outer, inner, next), (1, 2, 3));
        }
        "export-nowhere" => {
            return room.export(1, 3, "", b"").map(|_| Vec::new()).map_err(|e| e.to_string());
        }
        "long-answer" => return Ok(vec![0; number]),
        "give-up" => return Err("no\u{202e} \u{7}thanks".into()),
        "panic" => panic!("with a message that is not told"),
        "abort" => std::process::abort(),
        "segv" => raise_fault(),
        "overflow" => return Ok(vec![deep(0)]),
        "exit" => unsafe { libc::_exit(i32::try_from(number).unwrap_or(0)) },
        "spin" => loop {
            std::hint::spin_loop();
        },
        "sleep" => wait_forever(),
        "hoard" => hoard(),
        "one-huge" => return Ok(vec![1; number]),
        "garbage" => everywhere(b"garbage that is no frame"),
        "pour" => everywhere(&vec![b'p'; number]),
        "smuggle" => everywhere(&frame(number)),
        "flood" => loop {
            everywhere(&[b'f'; 1 << 16]);
        },
        "recall" => return Ok(behind_the_header(room.header())),
        call => return Err(format!("the kernel allowed {call}: {}", raw_call(call, number))),
    }
    Ok(b"done".to_vec())
}

fn raise_fault() {
    unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
}

fn deep(n: u64) -> u8 {
    let block = std::hint::black_box([u8::try_from(n % 251).unwrap(); 4096]);
    block[7].wrapping_add(if n == u64::MAX { 0 } else { deep(n + 1) }).wrapping_add(block[9])
}

fn wait_forever() {
    let word = 0_u32;
    unsafe { libc::syscall(libc::SYS_futex, &raw const word, libc::FUTEX_WAIT, 0, 0) };
}

fn hoard() {
    let mut kept = Vec::new();
    loop {
        kept.push(std::hint::black_box(vec![1_u8; 100_000]));
    }
}

/// Writes past the room, into every descriptor there is.
fn everywhere(bytes: &[u8]) {
    for fd in 0..64 {
        unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
    }
}

/// An export that the room didn't count.
fn frame(len: usize) -> Vec<u8> {
    let magic = u64::from_le_bytes(*b"SPFRAME1");
    let numbers = [magic, 0, 1, 0, 1, 0, 0, len as u64];
    [numbers.map(u64::to_le_bytes).as_flattened(), &vec![0; len]].concat()
}

/// Answers the station in the scan jail's stead.
fn forge(nonce: u64, seen: u64) {
    let numbers = [nonce, seen, 0].map(u64::to_le_bytes);
    unsafe { libc::write(0, numbers.as_flattened().as_ptr().cast(), 24) };
}

/// Looks behind its own header, where an earlier and longer one may have left something.
fn behind_the_header(header: &[u8]) -> Vec<u8> {
    let behind = unsafe { std::slice::from_raw_parts(header.as_ptr(), 30_000) };
    vec![u8::from(behind.windows(6).any(|w| w == b"secret"))]
}

/// Calls that no job may make. Getting back is the failure.
fn raw_call(call: &str, other: usize) -> i64 {
    let path = c"/etc/passwd".as_ptr();
    let null = std::ptr::null::<u8>();
    let other = i64::try_from(other).unwrap();
    use libc::syscall as call_kernel;
    unsafe {
        match call {
            #[cfg(target_arch = "x86_64")]
            "open" => call_kernel(libc::SYS_open, path, libc::O_RDONLY),
            "openat" => call_kernel(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_RDONLY),
            "openat2" => call_kernel(libc::SYS_openat2, libc::AT_FDCWD, path, null, 0),
            "socket" => call_kernel(libc::SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0),
            "socket-udp" => call_kernel(libc::SYS_socket, libc::AF_INET, libc::SOCK_DGRAM, 0),
            "socketpair" => call_kernel(libc::SYS_socketpair, libc::AF_UNIX, libc::SOCK_STREAM, 0, null),
            "connect" => call_kernel(libc::SYS_connect, 1, null, 0),
            "sendto" => call_kernel(libc::SYS_sendto, 1, null, 0, 0, null, 0),
            "sendmsg" => call_kernel(libc::SYS_sendmsg, 1, null, 0),
            "recvmsg" => call_kernel(libc::SYS_recvmsg, 0, null, 0),
            "execve" => call_kernel(libc::SYS_execve, c"/bin/true".as_ptr(), null, null),
            "execveat" => call_kernel(libc::SYS_execveat, 0, c"".as_ptr(), null, null, libc::AT_EMPTY_PATH),
            #[cfg(target_arch = "x86_64")]
            "fork" => call_kernel(libc::SYS_fork),
            #[cfg(target_arch = "x86_64")]
            "vfork" => call_kernel(libc::SYS_vfork),
            "clone" => call_kernel(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0),
            "clone3" => call_kernel(libc::SYS_clone3, null, 0),
            "ptrace" => call_kernel(libc::SYS_ptrace, libc::PTRACE_ATTACH, other, 0, 0),
            "kill" => call_kernel(libc::SYS_kill, other, 0),
            "tgkill" => call_kernel(libc::SYS_tgkill, other, other, 0),
            "tkill" => call_kernel(libc::SYS_tkill, other, 0),
            "pidfd_open" => call_kernel(libc::SYS_pidfd_open, other, 0),
            "pidfd_getfd" => call_kernel(libc::SYS_pidfd_getfd, 0, 0, 0),
            "process_vm_writev" => call_kernel(libc::SYS_process_vm_writev, other, null, 0, null, 0, 0),
            "unlinkat" => call_kernel(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0),
            "ftruncate" => call_kernel(libc::SYS_ftruncate, 4, 0),
            "fcntl-dup" => call_kernel(libc::SYS_fcntl, 1, libc::F_DUPFD, 10),
            "fcntl-seal" => call_kernel(libc::SYS_fcntl, 4, libc::F_ADD_SEALS, 1),
            "ioctl" => call_kernel(libc::SYS_ioctl, 1, libc::TIOCSTI, null),
            "prctl" => call_kernel(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0),
            "prlimit" => call_kernel(libc::SYS_prlimit64, 0, libc::RLIMIT_DATA, null, null),
            "io_uring" => call_kernel(libc::SYS_io_uring_setup, 1, null),
            "bpf" => call_kernel(libc::SYS_bpf, 0, null, 0),
            "unshare" => call_kernel(libc::SYS_unshare, libc::CLONE_NEWUSER),
            "mount" => call_kernel(libc::SYS_mount, null, null, null, 0, null),
            "memfd" => call_kernel(libc::SYS_memfd_create, path, 0),
            "mmap-exec" => {
                call_kernel(libc::SYS_mmap, null, 4096, libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANON, -1, 0)
            }
            "mmap-shared" => {
                call_kernel(libc::SYS_mmap, null, 4096, libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANON, -1, 0)
            }
            "mprotect-exec" => call_kernel(libc::SYS_mprotect, null, 4096, libc::PROT_READ | libc::PROT_EXEC),
            "rt_sigaction" => call_kernel(libc::SYS_rt_sigaction, libc::SIGXCPU, null, null, 8),
            "setitimer" => call_kernel(libc::SYS_setitimer, 0, null, null),
            unknown => panic!("no act named {unknown}"),
        }
    }
}

fn scan(room: &mut ScanRoom<'_>) -> Result<(), String> {
    let rules = room.rules().unwrap_or_default().to_vec();
    let setup = room.setup().to_vec();
    let mut ready = setup.clone();
    ready.extend_from_slice(&rules);
    let mut count = 0_u32;
    room.serve(&ready, |request, bytes| {
        count += 1;
        match request {
            b"spin" => loop {
                std::hint::spin_loop();
            },
            b"abort" => std::process::abort(),
            b"panic" => panic!(),
            b"hoard" => hoard(),
            b"garbage" => everywhere(b"garbage"),
            b"stale" => forge(0, 1),
            b"short" => forge(1, 0),
            b"long" => return vec![0; 70_000],
            b"tgkill" => _ = raw_call("tgkill", 1),
            b"open" => _ = raw_call("openat", 0),
            b"count" => return count.to_le_bytes().to_vec(),
            _ => {}
        }
        let hits = bytes.windows(rules.len().max(1)).filter(|window| *window == rules).count();
        format!("{hits} in {}", bytes.len()).into_bytes()
    })
}

/// A scanner that never becomes ready.
fn sulk(room: &mut ScanRoom<'_>) -> Result<(), String> {
    if room.setup() == b"refuse" {
        return Err("these rules are not for me".into());
    }
    wait_forever();
    Ok(())
}
