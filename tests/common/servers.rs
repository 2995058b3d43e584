//! Real servers of an outbound share on the loopback, each with a private configuration: OpenSSH's for SFTP, Samba's
//! for SMB; and a relay before them that a test can slow, stop and cut.
#![expect(clippy::disallowed_methods, reason = "the test plays the administrator who starts servers")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A port that nobody has now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "no server came up on port {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn missing(program: &str, package: &str) -> bool {
    let there = Path::new(program).exists();
    if !there {
        eprintln!("\n*** NOT TESTED: {program} is missing (Debian: install {package}) ***\n");
    }
    !there
}

/// What the tests ask of a server, whichever it speaks.
pub trait Server {
    /// The address of its share, by way of `port`.
    fn address_by(&self, port: u16) -> String;
    fn port(&self) -> u16;
    /// The folder on this machine that the share shows.
    fn folder(&self) -> PathBuf;
    /// The lines of the policy's `[share]`.
    fn policy(&self) -> String;
    fn start(&mut self);
    /// Killed without a word, and every session with it.
    fn kill(&mut self);
    /// Wrong credentials for [`Server::policy`], with a word that the refusal must say.
    fn strangers(&self) -> Vec<(String, &'static str)>;
    /// From now on nothing can be written, by the server's own configuration.
    fn make_read_only(&mut self);
    /// From now on the share is a new, small disk; root alone can do that.
    fn make_small(&mut self, kib: u32);

    fn address(&self) -> String {
        self.address_by(self.port())
    }
}

/// Every server that this machine has.
pub fn all() -> Vec<Box<dyn Server>> {
    let mut all: Vec<Box<dyn Server>> = Vec::new();
    if let Some(sftp) = Sftp::new() {
        all.push(Box::new(sftp));
    }
    if let Some(smb) = Smb::new() {
        all.push(Box::new(smb));
    }
    all
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The processes below one, itself first.
fn family(of: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    let below = children.split_whitespace().flat_map(|child| family(child.parse().unwrap()));
    std::iter::once(of).chain(below).collect()
}

/// Ends a server that the test has started, and all that serves its sessions.
fn kill_family(child: &mut Child) {
    let family: Vec<String> = family(child.id()).iter().map(u32::to_string).collect();
    let _ = Command::new("kill").arg("-KILL").args(family).stderr(Stdio::null()).status();
    let _ = child.wait();
}

/// A server's program, on a small disk of its own over `folder` where one is asked for.
fn program(path: &str, small_disk_kib: Option<u32>, folder: &str) -> Command {
    let mut command = match small_disk_kib {
        None => Command::new(path),
        Some(kib) => {
            let mut command = Command::new("unshare");
            let script = format!("mount -t tmpfs -o size={kib}k tmpfs \"$1\" || exit 99; shift; exec \"$@\"");
            command.args(["-m", "sh", "-c", &script, "sh", folder, path]);
            command
        }
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Where a process sees `folder`.
fn seen_by(child: Option<&Child>, folder: PathBuf) -> PathBuf {
    match child {
        Some(child) => PathBuf::from(format!("/proc/{}/root{}", child.id(), folder.display())),
        None => folder,
    }
}

fn user() -> String {
    String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap().trim().to_owned()
}

/// OpenSSH's server, as the user that runs the test.
pub struct Sftp {
    dir: tempfile::TempDir,
    port: u16,
    read_only: bool,
    small_disk_kib: Option<u32>,
    child: Option<Child>,
}

impl Sftp {
    pub fn new() -> Option<Self> {
        if missing("/usr/sbin/sshd", "openssh-server") || missing("/usr/bin/ssh", "openssh-client") {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        for name in ["host", "user", "stranger"] {
            let mut keygen = Command::new("ssh-keygen");
            run(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(dir.path().join(name)));
        }
        std::fs::create_dir(dir.path().join("share")).unwrap();
        std::fs::copy(dir.path().join("user.pub"), dir.path().join("authorized")).unwrap();
        // Where root runs the test, sshd wants this folder; nothing is ever in it.
        let _ = std::fs::create_dir_all("/run/sshd");
        let mut server = Self { dir, port: free_port(), read_only: false, small_disk_kib: None, child: None };
        server.start();
        Some(server)
    }

    fn at(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn policy_with(&self, user_key: &str, host_key: &str) -> String {
        // Whatever the port: a relay has its own.
        let line = std::fs::read_to_string(self.at(&format!("{host_key}.pub"))).unwrap();
        let known = self.at(&format!("known-{host_key}"));
        std::fs::write(&known, format!("[127.0.0.1]:* {line}")).unwrap();
        format!("key = \"{}\"\nknown_hosts = \"{known}\"\n", self.at(user_key))
    }
}

impl Server for Sftp {
    fn address_by(&self, port: u16) -> String {
        format!("sftp://{}@127.0.0.1:{port}{}", user(), self.at("share"))
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn folder(&self) -> PathBuf {
        seen_by(self.child.as_ref().filter(|_| self.small_disk_kib.is_some()), self.dir.path().join("share"))
    }

    fn policy(&self) -> String {
        self.policy_with("user", "host")
    }

    fn start(&mut self) {
        let subsystem = if self.read_only { "internal-sftp -R" } else { "internal-sftp" };
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nAllowUsers {}\nPermitRootLogin \
             prohibit-password\nSubsystem sftp {subsystem}\nDisableForwarding yes\n",
            self.port,
            self.at("host"),
            self.at("authorized"),
            user()
        );
        std::fs::write(self.at("sshd_config"), config).unwrap();
        let mut sshd = program("/usr/sbin/sshd", self.small_disk_kib, &self.at("share"));
        self.child = Some(sshd.args(["-D", "-e", "-f", &self.at("sshd_config")]).spawn().unwrap());
        wait_for(self.port);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            kill_family(&mut child);
        }
    }

    fn strangers(&self) -> Vec<(String, &'static str)> {
        let good = self.policy();
        vec![
            (self.policy_with("stranger", "host"), "Permission denied"),
            (self.policy_with("user", "stranger"), "Host key verification failed"),
            (good.lines().next().unwrap().to_owned(), "known_hosts"),
        ]
    }

    fn make_read_only(&mut self) {
        self.kill();
        self.read_only = true;
        self.start();
    }

    fn make_small(&mut self, kib: u32) {
        self.kill();
        self.small_disk_kib = Some(kib);
        self.start();
    }
}

impl Drop for Sftp {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Samba's file server, with one account and one share.
pub struct Smb {
    dir: tempfile::TempDir,
    port: u16,
    read_only: bool,
    small_disk_kib: Option<u32>,
    child: Option<Child>,
}

impl Smb {
    pub fn new() -> Option<Self> {
        if missing("/usr/sbin/smbd", "samba") {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        for name in ["share", "state"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let mut server = Self { dir, port: free_port(), read_only: false, small_disk_kib: None, child: None };
        server.configure();
        server.write_secret("password", "correct horse");
        server.write_secret("wrong", "battery staple");
        let mut add = Command::new("smbpasswd");
        add.args(["-c", &server.at("smb.conf"), "-s", "-a", &user()]).stdin(Stdio::piped());
        let mut add = add.stdout(Stdio::null()).spawn().unwrap();
        add.stdin.take().unwrap().write_all(b"correct horse\ncorrect horse\n").unwrap();
        assert!(add.wait().unwrap().success());
        server.start();
        Some(server)
    }

    fn at(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn write_secret(&self, name: &str, text: &str) {
        std::fs::write(self.at(name), text).unwrap();
        std::fs::set_permissions(self.at(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn configure(&self) {
        let state = self.at("state");
        let config = format!(
            "[global]\nserver role = standalone server\nsecurity = user\nsmb ports = {}\ninterfaces = lo\n\
             bind interfaces only = yes\nprivate dir = {state}\nstate directory = {state}\nlock directory = {state}\n\
             cache directory = {state}\npid directory = {state}\nncalrpc dir = {state}/ncalrpc\nlog file = {state}/log\n\
             passdb backend = tdbsam:{state}/passdb.tdb\nserver signing = mandatory\ndisable spoolss = yes\n\
             load printers = no\nmap to guest = never\n\
             [outbound]\npath = {}\nread only = {}\nforce user = {}\n",
            self.port,
            self.at("share"),
            if self.read_only { "yes" } else { "no" },
            user(),
        );
        std::fs::write(self.at("smb.conf"), config).unwrap();
    }
}

impl Server for Smb {
    fn address_by(&self, port: u16) -> String {
        format!("smb://{}@127.0.0.1:{port}/outbound", user())
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn folder(&self) -> PathBuf {
        seen_by(self.child.as_ref().filter(|_| self.small_disk_kib.is_some()), self.dir.path().join("share"))
    }

    fn policy(&self) -> String {
        format!("password_file = \"{}\"\n", self.at("password"))
    }

    fn start(&mut self) {
        self.configure();
        let mut smbd = program("/usr/sbin/smbd", self.small_disk_kib, &self.at("share"));
        self.child = Some(smbd.args(["-F", "--no-process-group", "-s", &self.at("smb.conf")]).spawn().unwrap());
        wait_for(self.port);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            kill_family(&mut child);
        }
    }

    fn strangers(&self) -> Vec<(String, &'static str)> {
        vec![
            (format!("password_file = \"{}\"\n", self.at("wrong")), "LOGON_FAILURE"),
            (format!("password_file = \"{}\"\n", self.at("smb.conf")), "chmod 600"),
            (String::new(), "password_file"),
        ]
    }

    fn make_read_only(&mut self) {
        self.kill();
        self.read_only = true;
        self.start();
    }

    fn make_small(&mut self, kib: u32) {
        self.kill();
        self.small_disk_kib = Some(kib);
        self.start();
    }
}

impl Drop for Smb {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Stands before a server and lets a test be a bad network.
pub struct Relay {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    server: AtomicU64,
    /// Bytes that went up so far.
    up: AtomicU64,
    /// Once so many went up, every connection is cut; 0 is never.
    cut_after: AtomicU64,
    cuts: AtomicU64,
    /// Nothing goes through, and nothing is closed.
    silent: AtomicBool,
    /// Microseconds before each block.
    delay: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Relay {
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        shared.server.store(server.into(), Ordering::Relaxed);
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                of_thread.join(client);
            }
        });
        Self { port, shared }
    }

    pub fn up(&self) -> u64 {
        self.shared.up.load(Ordering::Relaxed)
    }

    /// Cuts all connections once, when `bytes` more went up.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.cut_after.store(self.up() + bytes.max(1), Ordering::Relaxed);
    }

    /// Cuts nothing any more.
    pub fn forget_to_cut(&self) {
        self.shared.cut_after.store(0, Ordering::Relaxed);
    }

    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::Relaxed)
    }

    pub fn silence(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::Relaxed);
    }

    pub fn delay(&self, each: Duration) {
        self.shared.delay.store(each.as_micros().try_into().unwrap(), Ordering::Relaxed);
    }
}

impl Shared {
    fn join(self: &Arc<Self>, client: TcpStream) {
        let port: u16 = self.server.load(Ordering::Relaxed).try_into().unwrap();
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
        let mut open = self.open.lock().unwrap();
        open.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
        for (from, to, up) in
            [(client.try_clone().unwrap(), server.try_clone().unwrap(), true), (server, client, false)]
        {
            let shared = Arc::clone(self);
            std::thread::spawn(move || shared.carry(from, to, up));
        }
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream, up: bool) {
        let mut block = [0u8; 4096];
        while let Ok(n @ 1..) = from.read(&mut block) {
            while self.silent.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_micros(self.delay.load(Ordering::Relaxed)));
            let mut n = n;
            let mut cut = false;
            if up {
                let before = self.up.fetch_add(n as u64, Ordering::Relaxed);
                let limit = self.cut_after.load(Ordering::Relaxed);
                if limit != 0 && before + n as u64 >= limit {
                    n = usize::try_from(limit.saturating_sub(before)).unwrap().min(n);
                    cut = true;
                }
            }
            if to.write_all(&block[..n]).is_err() {
                break;
            }
            if cut {
                self.cut_after.store(0, Ordering::Relaxed);
                self.cuts.fetch_add(1, Ordering::Relaxed);
                for stream in self.open.lock().unwrap().drain(..) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
