//! One connection to an SFTP server: requests out, answers in, each within its time.
//!
//! The transport is the system's `ssh`, told to ask nobody, to know the server's key beforehand, and to do nothing but
//! run the subsystem: no agent, no forwarding, no configuration of a person.

use super::wire::{Attributes, BLOCK, Fields, PACKET_MAX, Packet, broken, kind, refusal};
use crate::Server;
use jail::Attached;
use model::SharePolicy;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// Requests of one round of reading or writing: 256 KiB are on their way at once.
const WINDOW: u64 = 8;

/// A connection.
#[derive(Debug)]
pub struct Connection {
    program: Attached,
    inbox: Vec<u8>,
    next: u32,
    wait: Duration,
    /// `fsync@openssh.com` is offered.
    fsync: bool,
    /// `statvfs@openssh.com` is offered.
    statvfs: bool,
}

struct Answer {
    kind: u8,
    /// What follows the request's number.
    body: Vec<u8>,
}

impl Connection {
    /// Starts `ssh` and greets the server.
    pub fn open(server: &Server, policy: &SharePolicy) -> io::Result<Self> {
        let program = Attached::start(&policy.ssh, &arguments(server, policy)?)
            .map_err(|e| crate::error(e.kind(), format!("{} does not start: {e}", policy.ssh.display())))?;
        let wait = Duration::from_secs(u64::from(policy.seconds.max(1)));
        let mut made = Self { program, inbox: Vec::new(), next: 1, wait, fsync: false, statvfs: false };
        made.greet().map_err(|error| made.explained(error))?;
        Ok(made)
    }

    /// What `ssh` complained of tells more than that its output ended.
    fn explained(&mut self, error: io::Error) -> io::Error {
        let said = self.program.complaints();
        if said.is_empty() {
            return error;
        }
        // These do not go away by themselves: nobody need try again.
        let refused = [
            "Permission denied",
            "Host key verification failed",
            "host key is known",
            "unprotected",
            "bad permissions",
        ];
        let kind =
            if refused.iter().any(|word| said.contains(word)) { ErrorKind::PermissionDenied } else { error.kind() };
        crate::error(kind, format!("ssh says: {said}"))
    }

    fn greet(&mut self) -> io::Result<()> {
        self.send(&Packet::new(kind::INIT).int(3).bytes())?;
        let packet = self.packet()?;
        let mut fields = Fields(&packet);
        if fields.byte()? != kind::VERSION || fields.int()? < 3 {
            return Err(broken("it does not speak version 3"));
        }
        while !fields.0.is_empty() {
            let (name, _value) = (fields.text()?, fields.text()?);
            self.fsync |= name == b"fsync@openssh.com";
            self.statvfs |= name == b"statvfs@openssh.com";
        }
        Ok(())
    }

    fn poll(&self, fd: BorrowedFd<'_>, flags: PollFlags, deadline: Instant) -> io::Result<()> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            match rustix::event::poll(&mut [PollFd::from_borrowed_fd(fd, flags)], Some(&timeout)) {
                Ok(0) => {
                    let text = format!("the SFTP server was silent for {} s", self.wait.as_secs());
                    return Err(crate::error(ErrorKind::TimedOut, text));
                }
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.wait).unwrap_or(now)
    }

    fn gone(&mut self) -> io::Error {
        self.explained(crate::error(ErrorKind::ConnectionAborted, "the connection to the SFTP server was lost"))
    }

    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(self.program.input(), bytes) {
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(Errno::AGAIN) => self.poll(self.program.input(), PollFlags::OUT, self.deadline())?,
                Err(Errno::INTR) => {}
                Err(Errno::PIPE) => return Err(self.gone()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The next packet, without its length.
    fn packet(&mut self) -> io::Result<Vec<u8>> {
        let head = self.exactly(4)?;
        let len = Fields(&head).int()?;
        if len == 0 || len > PACKET_MAX {
            return Err(broken("a packet's length"));
        }
        self.exactly(usize::try_from(len).unwrap_or(0))
    }

    fn exactly(&mut self, n: usize) -> io::Result<Vec<u8>> {
        let mut block = vec![0; 64 * 1024];
        while self.inbox.len() < n {
            match rustix::io::read(self.program.output(), &mut block) {
                Ok(0) => return Err(self.gone()),
                Ok(read) => self.inbox.extend_from_slice(block.get(..read).unwrap_or_default()),
                Err(Errno::AGAIN) => self.poll(self.program.output(), PollFlags::IN, self.deadline())?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let rest = self.inbox.split_off(n);
        Ok(std::mem::replace(&mut self.inbox, rest))
    }

    /// Sends requests and waits for all their answers, which come back in the requests' order.
    fn ask_all(&mut self, requests: Vec<(u8, Packet)>) -> io::Result<Vec<Answer>> {
        let (mut numbers, mut waiting) = (Vec::new(), BTreeMap::new());
        for (kind, body) in requests {
            let number = self.next;
            self.next = self.next.wrapping_add(1);
            let fields = body.bytes();
            let mut packet = Packet::new(kind).int(number).bytes();
            packet.extend_from_slice(fields.get(5..).unwrap_or_default());
            let len = u32::try_from(packet.len().saturating_sub(4)).unwrap_or(u32::MAX);
            if let Some(head) = packet.get_mut(..4) {
                head.copy_from_slice(&len.to_be_bytes());
            }
            self.send(&packet)?;
            numbers.push(number);
            waiting.insert(number, None);
        }
        for _ in 0..numbers.len() {
            let packet = self.packet()?;
            let mut fields = Fields(&packet);
            let (kind, number) = (fields.byte()?, fields.int()?);
            match waiting.get_mut(&number) {
                Some(slot @ None) => *slot = Some(Answer { kind, body: fields.0.to_vec() }),
                Some(Some(_)) | None => return Err(broken("an answer to nothing")),
            }
        }
        let answers = numbers.iter().map(|number| waiting.remove(number).flatten());
        answers.collect::<Option<Vec<Answer>>>().ok_or_else(|| broken("an answer is missing"))
    }

    fn ask(&mut self, kind: u8, body: Packet) -> io::Result<Answer> {
        self.ask_all(vec![(kind, body)])?.pop().ok_or_else(|| broken("an answer is missing"))
    }

    /// A request that is answered by a status alone.
    fn order(&mut self, kind: u8, body: Packet) -> io::Result<()> {
        self.ask(kind, body)?.status()
    }

    pub fn look(&mut self, path: &str, follow: bool) -> io::Result<Option<Attributes>> {
        let asked = if follow { kind::STAT } else { kind::LSTAT };
        match self.ask(asked, Packet::new(0).text(path))?.fields(kind::ATTRS) {
            Ok(body) => Fields(&body).attributes().map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The absolute path of `path`, which may be below the account's home.
    pub fn real_path(&mut self, path: &str) -> io::Result<String> {
        let body = self.ask(kind::REALPATH, Packet::new(0).text(path))?.fields(kind::NAME)?;
        let mut fields = Fields(&body);
        if fields.int()? != 1 {
            return Err(broken("a path is not one"));
        }
        let real = std::str::from_utf8(fields.text()?).map_err(|_| broken("a path is not UTF-8"))?;
        if real.starts_with('/') { Ok(real.to_owned()) } else { Err(broken("a path is not absolute")) }
    }

    fn open_file(&mut self, path: &str, flags: u32) -> io::Result<Vec<u8>> {
        let body = Packet::new(0).text(path).int(flags).permissions(0o644);
        let body = self.ask(kind::OPEN, body)?.fields(kind::HANDLE)?;
        Fields(&body).handle()
    }

    pub fn create(&mut self, path: &str) -> io::Result<Vec<u8>> {
        use super::wire::open;
        match self.open_file(path, open::WRITE | open::CREATE | open::EXCLUSIVE) {
            Err(error) => Err(self.reason(error, path, true)),
            made => made,
        }
    }

    pub fn open_to_read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        self.open_file(path, super::wire::open::READ)
    }

    pub fn close(&mut self, handle: &[u8]) -> io::Result<()> {
        self.order(kind::CLOSE, Packet::new(0).text(handle))
    }

    /// Writes all of `bytes` at `offset`; `path` is what the handle is of.
    pub fn write(&mut self, handle: &[u8], path: &str, mut offset: u64, bytes: &[u8]) -> io::Result<()> {
        let block = usize::try_from(BLOCK).unwrap_or(usize::MAX);
        let round = block.saturating_mul(usize::try_from(WINDOW).unwrap_or(1));
        for part in bytes.chunks(round) {
            let mut requests = Vec::new();
            for piece in part.chunks(block) {
                requests.push((kind::WRITE, Packet::new(0).text(handle).long(offset).text(piece)));
                offset = offset.saturating_add(piece.len() as u64);
            }
            for answer in self.ask_all(requests)? {
                if let Err(error) = answer.status() {
                    return Err(self.reason(error, path, false));
                }
            }
        }
        Ok(())
    }

    /// What the server gives from `offset` on, without a gap; nothing at the end.
    pub fn read(&mut self, handle: &[u8], offset: u64) -> io::Result<Vec<u8>> {
        let at = |n: u64| offset.saturating_add(n.saturating_mul(u64::from(BLOCK)));
        let request = |n| (kind::READ, Packet::new(0).text(handle).long(at(n)).int(BLOCK));
        let mut read = Vec::new();
        for answer in self.ask_all((0..WINDOW).map(request).collect())? {
            let body = match answer.fields(kind::DATA) {
                Ok(body) => body,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            };
            let bytes = Fields(&body).text()?;
            if bytes.len() as u64 > u64::from(BLOCK) || bytes.is_empty() {
                return Err(broken("a block's length"));
            }
            read.extend_from_slice(bytes);
            // What follows a short block would leave a gap; the next round asks for it again.
            if (bytes.len() as u64) < u64::from(BLOCK) {
                break;
            }
        }
        Ok(read)
    }

    /// To the server's disk, where it offers that.
    pub fn sync(&mut self, handle: &[u8], path: &str) -> io::Result<()> {
        if !self.fsync {
            return Ok(());
        }
        let asked = self.order(kind::EXTENDED, Packet::new(0).text("fsync@openssh.com").text(handle));
        asked.map_err(|error| self.reason(error, path, false))
    }

    /// Version 3's rename refuses to replace (section 6.5).
    pub fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let asked = self.order(kind::RENAME, Packet::new(0).text(from).text(to));
        asked.map_err(|error| self.reason(error, to, true))
    }

    pub fn remove(&mut self, path: &str) -> io::Result<()> {
        self.order(kind::REMOVE, Packet::new(0).text(path))
    }

    pub fn make_folder(&mut self, path: &str) -> io::Result<()> {
        let asked = self.order(kind::MKDIR, Packet::new(0).text(path).permissions(0o755));
        asked.map_err(|error| self.reason(error, path, true))
    }

    /// Names and attributes of what lies in a folder, but `.` and `..`.
    pub fn list(&mut self, path: &str) -> io::Result<Vec<(String, Attributes)>> {
        let body = self.ask(kind::OPENDIR, Packet::new(0).text(path))?.fields(kind::HANDLE)?;
        let handle = Fields(&body).handle()?;
        let mut all = Vec::new();
        let end = loop {
            let body = match self.ask(kind::READDIR, Packet::new(0).text(&handle))?.fields(kind::NAME) {
                Ok(body) => body,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break Ok(()),
                Err(error) => break Err(error),
            };
            let mut fields = Fields(&body);
            for _ in 0..fields.int()? {
                let (name, _line, attributes) = (fields.text()?, fields.text()?, fields.attributes()?);
                // A name that is not UTF-8 is none of ours.
                if let Ok(name) = std::str::from_utf8(name)
                    && !matches!(name, "." | "..")
                    && !name.contains('/')
                {
                    all.push((name.to_owned(), attributes));
                }
            }
        };
        self.close(&handle)?;
        end.map(|()| all)
    }

    /// Version 3 has one word, "Failure", for a full disk, a read-only one and a name that is taken. What it was is
    /// found by asking.
    fn reason(&mut self, error: io::Error, path: &str, names: bool) -> io::Error {
        if error.kind() != ErrorKind::Other {
            return error;
        }
        if names && matches!(self.look(path, false), Ok(Some(_))) {
            return crate::error(ErrorKind::AlreadyExists, "the name is taken");
        }
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
        match self.room(if folder.is_empty() { "/" } else { folder }) {
            Ok(Some(Room { read_only: true, .. })) => {
                crate::error(ErrorKind::ReadOnlyFilesystem, "the server's disk is read-only")
            }
            Ok(Some(Room { free, .. })) if free < u64::from(BLOCK).saturating_mul(WINDOW) => {
                crate::error(ErrorKind::StorageFull, "No space left on the server's disk")
            }
            Ok(_) | Err(_) => error,
        }
    }

    fn room(&mut self, path: &str) -> io::Result<Option<Room>> {
        if !self.statvfs {
            return Ok(None);
        }
        let asked = Packet::new(0).text("statvfs@openssh.com").text(path);
        let body = self.ask(kind::EXTENDED, asked)?.fields(kind::EXTENDED_REPLY)?;
        let mut fields = Fields(&body);
        let mut numbers = [0u64; 10];
        for number in &mut numbers {
            *number = fields.long()?;
        }
        let [_bsize, unit, _blocks, _bfree, available, _files, _ffree, inodes, _fsid, flags] = numbers;
        let free = if inodes == 0 { 0 } else { unit.saturating_mul(available) };
        Ok(Some(Room { free, read_only: flags & 1 != 0 }))
    }
}

/// What `statvfs@openssh.com` says.
struct Room {
    free: u64,
    read_only: bool,
}

impl Answer {
    fn status(self) -> io::Result<()> {
        if self.kind == kind::STATUS { refusal(Fields(&self.body)) } else { Err(broken("another kind of answer")) }
    }

    /// The fields of an answer of this kind; what a status says instead is an error.
    fn fields(self, wanted: u8) -> io::Result<Vec<u8>> {
        if self.kind == wanted {
            return Ok(self.body);
        }
        self.status().and_then(|()| Err(broken("a status where there should be more")))
    }
}

fn arguments(server: &Server, policy: &SharePolicy) -> io::Result<Vec<String>> {
    let invalid = |text: String| crate::error(ErrorKind::InvalidInput, text);
    let place = |what: &str, path: Option<&Path>| {
        let path = path.ok_or_else(|| {
            invalid(format!("the policy does not say [share] {what}, which SFTP needs; see docs/shares.md"))
        })?;
        let text = path.to_str().filter(|text| text.starts_with('/') && !text.contains(['"', '\n', '\\', '$']));
        if !path.is_file() {
            return Err(crate::error(ErrorKind::NotFound, format!("[share] {what}: {} is not there", path.display())));
        }
        // ssh expands `%` in paths.
        text.map(|text| text.replace('%', "%%"))
            .ok_or_else(|| invalid(format!("[share] {what} must be a plain absolute path")))
    };
    let key = place("key", policy.key.as_deref())?;
    let known_hosts = place("known_hosts", policy.known_hosts.as_deref())?;
    let options = [
        "BatchMode=yes".to_owned(),
        "StrictHostKeyChecking=yes".to_owned(),
        format!("UserKnownHostsFile=\"{known_hosts}\""),
        "GlobalKnownHostsFile=none".to_owned(),
        "UpdateHostKeys=no".to_owned(),
        "VerifyHostKeyDNS=no".to_owned(),
        format!("IdentityFile=\"{key}\""),
        "IdentitiesOnly=yes".to_owned(),
        "IdentityAgent=none".to_owned(),
        "PreferredAuthentications=publickey".to_owned(),
        "ForwardAgent=no".to_owned(),
        "ForwardX11=no".to_owned(),
        "ClearAllForwardings=yes".to_owned(),
        "ControlMaster=no".to_owned(),
        "ControlPath=none".to_owned(),
        "PermitLocalCommand=no".to_owned(),
        "EscapeChar=none".to_owned(),
        "LogLevel=ERROR".to_owned(),
        format!("ConnectTimeout={}", policy.seconds.max(1)),
        "ServerAliveInterval=10".to_owned(),
        "ServerAliveCountMax=3".to_owned(),
    ];
    let mut words: Vec<String> = vec!["-F".into(), "none".into(), "-T".into()];
    words.extend(options.into_iter().flat_map(|option| ["-o".to_owned(), option]));
    words.extend(["-p".into(), server.port.unwrap_or(22).to_string(), "-l".into(), server.user.clone()]);
    words.extend(["-s".into(), "--".into(), server.host.clone(), "sftp".into()]);
    Ok(words)
}
