//! `clamd`: ClamAV's daemon over its Unix socket (clamd(8), "COMMANDS").
//!
//! The object goes over as a descriptor (`zFILDES`), as a stream where the daemon does not take that. "OK" is worth
//! something only if the daemon looked at all bytes: objects beyond its limits are not sent at all, and every answer that
//! speaks of a limit, an error or nothing that we know is "not scanned".
//!
//! What the daemon unpacks for itself is its own affair: members reach it as objects of their own.

use crate::clamd_conf::{Conf, day_of_lists};
use crate::{Answer, Descriptor, Detection, Engine, EngineId, Home, MAX_NAME_BYTES, Provenance, Sample, Severity};
use model::{ClamdMode, ClamdPolicy};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags};
use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    id: ID,
    home: Home::Outside {
        open: |policy, _| {
            Ok(match policy.clamd.mode {
                ClamdMode::Auto => vec![Box::new(Clamd::new(&policy.clamd)?)],
                ClamdMode::Off => Vec::new(),
            })
        },
    },
};

const ID: &str = "clamd";
/// Ours: the daemon answers in one line.
const MOST_ANSWER: usize = 4096;
/// Ours: a daemon that does not say `PONG` within this time is not there.
const CHECK_WALL: Duration = Duration::from_secs(5);
/// Ours: part of a stream.
const CHUNK: usize = 128 * 1024;
/// Detections that tell a person something and are no malware by themselves. ClamAV reports them only after all
/// signatures had their turn, unless `HeuristicScanPrecedence` is on.
const SUSPICIOUS: &[&str] = &[
    "PUA.",
    "Heuristics.Broken.",
    "Heuristics.Encrypted.",
    "Heuristics.OLE2.ContainsMacros",
    "Heuristics.Phishing.",
    "Heuristics.Structured.",
];
const LIMITS: &str = "Heuristics.Limits.Exceeded";

/// ClamAV's daemon.
#[derive(Debug)]
pub struct Clamd {
    socket: PathBuf,
    conf: Conf,
    parallel: u32,
    /// What it said about itself last.
    said: RwLock<Version>,
}

/// An answer to `VERSION`: `ClamAV 1.4.3/27500/Mon Nov 23 08:31:06 2026`, without the rest where no database has a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Version {
    engine: String,
    database: String,
    date: String,
}

/// A way that an object is handed over, and how answers to it begin.
#[derive(Clone, Copy)]
enum Way {
    Descriptor,
    Stream,
}

impl Clamd {
    /// The daemon that `policy` speaks of, whether it runs or not.
    ///
    /// # Errors
    /// The policy names a socket that is no absolute path.
    pub fn new(policy: &ClamdPolicy) -> Result<Self, String> {
        let conf = Conf::read(policy.config.as_ref());
        let socket = conf.socket_or(policy.socket.as_deref());
        if !socket.is_absolute() {
            return Err("clamd: `socket` must be an absolute path".to_owned());
        }
        // A socket that the file does not speak of belongs to a daemon with limits that we don't know.
        let conf = if conf.socket.as_deref().is_none_or(|known| known != socket) { Conf::default() } else { conf };
        Ok(Self { socket, conf, parallel: policy.parallel, said: RwLock::default() })
    }

    fn connect(&self, deadline: Instant) -> io::Result<UnixStream> {
        let flags = SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, rustix::net::SocketType::STREAM, flags, None)?;
        // Before connecting: that waits too, where the daemon's queue is full.
        set_socket_timeout(&socket, Timeout::Send, Some(left(deadline)?))?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(&self.socket)?)?;
        Ok(socket.into())
    }

    fn ask(&self, command: &[u8], deadline: Instant) -> io::Result<Vec<u8>> {
        let mut stream = self.connect(deadline)?;
        stream.write_all(command)?;
        answer(&mut stream, deadline)
    }

    /// Hands `file` over in one of the two ways and gives the daemon's line.
    fn hand_over(&self, way: Way, file: &File, len: u64, deadline: Instant) -> io::Result<Vec<u8>> {
        let mut stream = self.connect(deadline)?;
        match way {
            Way::Descriptor => send_descriptor(stream.as_fd(), file.as_fd())?,
            Way::Stream => {
                // An answer that comes before the end (a limit) is read all the same; the write then fails.
                if let Err(error) = send_stream(&mut stream, file, len, deadline) {
                    return answer(&mut stream, deadline).map_err(|_| error);
                }
            }
        }
        answer(&mut stream, deadline)
    }

    fn look(&self, sample: &Sample<'_>) -> Result<Option<Detection>, String> {
        if sample.len > self.conf.object_bytes {
            let most = self.conf.object_bytes;
            return Err(format!("{} bytes are more than clamd's limits let it see ({most})", sample.len));
        }
        let file = File::from(sample.object.open().map_err(|error| error.to_string())?);
        let began = Instant::now();
        let deadline = began.checked_add(Duration::from_secs(u64::from(sample.timeout_secs))).unwrap_or(began);
        let said = self.hand_over(Way::Descriptor, &file, sample.len, deadline).map_err(|e| sentence(&e))?;
        let read = match self.read(&said, Way::Descriptor) {
            Err(why) if why.retry && sample.len <= self.conf.stream_bytes => {
                let said = self.hand_over(Way::Stream, &file, sample.len, deadline).map_err(|e| sentence(&e))?;
                self.read(&said, Way::Stream)
            }
            read => read,
        };
        let found = read.map_err(|why| why.text)?;
        if found.is_none() && began.elapsed() >= Duration::from_millis(self.conf.scan_millis) {
            return Err("clamd's own time limit (MaxScanTime) ran out".to_owned());
        }
        Ok(found)
    }

    /// Reads the daemon's line about an object. There is no other way to "found nothing" than the two words it is made of.
    fn read(&self, said: &[u8], way: Way) -> Result<Option<Detection>, Unread> {
        let garbage = || Unread { text: "clamd gave an answer that cannot be read".to_owned(), retry: false };
        let line = std::str::from_utf8(said).map_err(|_| garbage())?;
        if line.contains(char::is_control) {
            return Err(garbage());
        }
        if let Some(error) = line.strip_suffix(" ERROR") {
            let limit = error.contains("limit exceeded");
            return Err(Unread { text: format!("clamd: {error}"), retry: matches!(way, Way::Descriptor) && !limit });
        }
        if line == "UNKNOWN COMMAND" {
            return Err(Unread { text: format!("clamd: {line}"), retry: matches!(way, Way::Descriptor) });
        }
        let (about, verdict) = line.split_once(": ").ok_or_else(garbage)?;
        let to_us = match way {
            Way::Stream => about == "stream",
            Way::Descriptor => about
                .strip_prefix("fd[")
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())),
        };
        match (to_us, verdict, verdict.strip_suffix(" FOUND")) {
            (true, "OK", _) => Ok(None),
            (true, _, Some(name)) if name.starts_with(LIMITS) => {
                Err(Unread { text: format!("a limit of clamd was met: {name}"), retry: false })
            }
            (true, _, Some(name)) => self.detection(name).map(Some).ok_or_else(garbage),
            (_, _, _) => Err(garbage()),
        }
    }

    fn detection(&self, name: &str) -> Option<Detection> {
        let suspicious = !self.conf.heuristics_first && SUSPICIOUS.iter().any(|prefix| name.starts_with(prefix));
        let plain = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
        // With `ExtendedDetectionInfo`, digest and size of the object follow in brackets.
        let name = name.split_once('(').map_or(name, |(name, _)| name);
        let name: String = name.chars().map(plain).take(MAX_NAME_BYTES).collect();
        Detection::new(&name, if suspicious { Severity::Suspicious } else { Severity::Malicious })
    }

    fn version(&self) -> Version {
        self.said.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Why an answer is no scan, and whether the other way of handing over may still bring one.
struct Unread {
    text: String,
    retry: bool,
}

impl Engine for Clamd {
    fn provenance(&self) -> Provenance {
        let Version { engine, database, date } = self.version();
        Provenance { engine: EngineId::fixed(ID), version: engine, rules_id: database, rules: None, rules_date: date }
    }

    fn check(&self) -> Result<(), String> {
        let deadline = Instant::now().checked_add(CHECK_WALL).unwrap_or_else(Instant::now);
        let there = |error: io::Error| {
            format!(
                "clamd does not answer at {}: {}; is clamav-daemon running?",
                self.socket.display(),
                sentence(&error)
            )
        };
        if self.ask(b"zPING\0", deadline).map_err(there)? != b"PONG" {
            return Err(format!("what listens at {} is not clamd", self.socket.display()));
        }
        let said = self.ask(b"zVERSION\0", deadline).map_err(there)?;
        let mut version = Version::parse(&said).ok_or("clamd's version cannot be read")?;
        if version.database.is_empty() && version.date.is_empty() {
            let lists = self.conf.databases.as_deref().and_then(day_of_lists);
            version.date = lists.unwrap_or_default();
        }
        *self.said.write().unwrap_or_else(PoisonError::into_inner) = version;
        Ok(())
    }

    fn parallel(&self) -> u32 {
        self.parallel.max(1)
    }

    /// The database's number, asked for each time: freshclam may have replaced it. Without one (lists of the site's own),
    /// nobody could tell a changed database from the old one.
    fn cache_key(&self) -> Option<String> {
        self.check().ok()?;
        let Version { engine, database, date } = self.version();
        (!database.is_empty()).then(|| format!("{engine}/{database}/{date}/{:?}", self.conf))
    }

    fn scan(&self, sample: &Sample<'_>) -> Answer {
        match self.look(sample) {
            Ok(found) => Answer::scanned(found.into_iter().collect(), sample.len),
            Err(why) => Answer::not_scanned(&why, Vec::new(), 0),
        }
    }
}

impl Version {
    fn parse(said: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(said).ok()?.strip_prefix("ClamAV ")?;
        let mut parts = line.splitn(3, '/');
        let plain =
            |text: &str| text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b));
        let engine = parts.next().filter(|text| !text.is_empty() && plain(text))?.to_owned();
        let database = parts.next().unwrap_or_default();
        if !plain(database) {
            return None;
        }
        let date = parts.next().and_then(date).unwrap_or_default();
        Some(Self { engine, database: database.to_owned(), date })
    }
}

/// `Mon Nov 23 08:31:06 2026` as `2026-11-23`.
fn date(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_whitespace().skip(1);
    let (month, day, _time, year) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)?.checked_add(1)?;
    let (day, year): (u8, u16) = (day.parse().ok()?, year.parse().ok()?);
    ((1..=31).contains(&day) && (1990..=9999).contains(&year)).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn sentence(error: &io::Error) -> String {
    if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
        return "time-out: clamd did not answer".to_owned();
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "clamd closed the connection before it had answered".to_owned();
    }
    error.to_string()
}

/// The command, then a byte that carries the descriptor.
fn send_descriptor(socket: BorrowedFd<'_>, file: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds = [file];
    if !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::Error::other("no room for a descriptor"));
    }
    if rustix::net::send(socket, b"zFILDES\0", SendFlags::NOSIGNAL)? != 8 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    match rustix::net::sendmsg(socket, &[IoSlice::new(&[0])], &mut ancillary, SendFlags::NOSIGNAL)? {
        1 => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}

/// Chunks, each led by its length, and a length of none at the end.
fn send_stream(stream: &mut UnixStream, file: &File, len: u64, deadline: Instant) -> io::Result<()> {
    stream.write_all(b"zINSTREAM\0")?;
    let mut block = vec![0; CHUNK];
    let mut done = 0_u64;
    while done < len {
        let rest = usize::try_from(len.saturating_sub(done)).unwrap_or(usize::MAX).min(CHUNK);
        let part = block.get_mut(..rest).ok_or(io::ErrorKind::InvalidInput)?;
        file.read_exact_at(part, done)?;
        stream.set_write_timeout(Some(left(deadline)?))?;
        stream.write_all(&u32::try_from(rest).unwrap_or(0).to_be_bytes())?;
        stream.write_all(part)?;
        done = done.saturating_add(rest as u64);
    }
    stream.write_all(&[0; 4])
}

/// One line up to its NUL; a line that is cut short, too long or followed by more is none.
fn answer(stream: &mut UnixStream, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut said = Vec::new();
    let mut block = [0; 512];
    loop {
        stream.set_read_timeout(Some(left(deadline)?))?;
        let read = match stream.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        said.extend_from_slice(block.get(..read).unwrap_or_default());
        if let Some((0, line)) = said.split_last().map(|(last, line)| (*last, line.len())) {
            said.truncate(line);
            let one = !said.contains(&0);
            return if one { Ok(said) } else { Err(io::Error::other("clamd said more than it was asked")) };
        }
        if said.len() > MOST_ANSWER || said.contains(&0) {
            return Err(io::Error::other("clamd said more than it was asked"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clamd() -> Clamd {
        Clamd { socket: "/x".into(), conf: Conf::default(), parallel: 1, said: RwLock::default() }
    }

    #[test]
    fn versions_and_their_dates() {
        let parse = |said: &str| Version::parse(said.as_bytes()).map(|v| (v.engine, v.database, v.date));
        let three = |a: &str, b: &str, c: &str| Some((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(parse("ClamAV 1.4.3/27500/Mon Nov  3 08:31:06 2026"), three("1.4.3", "27500", "2026-11-03"));
        assert_eq!(parse("ClamAV 1.4.3"), three("1.4.3", "", ""));
        assert_eq!(parse("ClamAV 1.4.3/27500/yesterday"), three("1.4.3", "27500", ""));
        for bad in ["", "PONG", "ClamAV ", "ClamAV a b", "ClamAV 1/\u{1b}[2J/x"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_two_words_mean_nothing_found() {
        let clamd = clamd();
        let clean = |said: &str, way| matches!(clamd.read(said.as_bytes(), way), Ok(None));
        assert!(clean("fd[12]: OK", Way::Descriptor) && clean("stream: OK", Way::Stream));
        for said in [
            "OK",
            "fd[12]: ok",
            "fd[12]: OK ",
            "fd[]: OK",
            "fd[x]: OK",
            "stream: OK",
            "fd[12]: OK\nfd[13]: X FOUND",
            "",
            "fd[12]: ",
            "fd[12]: OK ERROR",
            "fd[12]: lstat() failed: No such file. ERROR",
            ": OK",
            "UNKNOWN COMMAND",
            "INSTREAM size limit exceeded. ERROR",
            "fd[12]: Heuristics.Limits.Exceeded.MaxFileSize FOUND",
            "fd[12]:  FOUND",
        ] {
            assert!(clamd.read(said.as_bytes(), Way::Descriptor).is_err(), "{said}");
        }
        assert!(clamd.read(b"fd[12]: \xff FOUND", Way::Descriptor).is_err());
    }

    #[test]
    fn names_are_tamed_and_hints_are_no_malware() {
        let mut clamd = clamd();
        let found = |clamd: &Clamd, said: &str| clamd.read(said.as_bytes(), Way::Stream).ok().flatten().unwrap();
        let bad = found(&clamd, "stream: {HEX}Win.Test EICAR(44d88612fea8a8f36de82e1278abb02f:68) FOUND");
        assert_eq!((bad.rule.as_str(), bad.severity), ("_HEX_Win.Test_EICAR", Severity::Malicious));
        let hint = "stream: Heuristics.OLE2.ContainsMacros.VBA FOUND";
        assert_eq!(found(&clamd, hint).severity, Severity::Suspicious);
        clamd.conf.heuristics_first = true;
        assert_eq!(found(&clamd, hint).severity, Severity::Malicious, "the signatures had no turn");
    }
}
