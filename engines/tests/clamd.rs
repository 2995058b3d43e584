//! clamd: a real daemon with a small database of our own, and fake ones that answer wrongly, slowly or not at all.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "helpers of tests")]

use engines::{Answer, Clamd, Engine, Object, Sample};
use model::{ClamdMode, ClamdPolicy, Digest, EngineVerdict};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

struct OnDisk(PathBuf);

impl Object for OnDisk {
    fn open(&self) -> std::io::Result<OwnedFd> {
        File::open(&self.0).map(OwnedFd::from)
    }
}

fn clamd(socket: &Path, config: &Path) -> Clamd {
    let (socket, config) = (socket.to_str().unwrap().to_owned(), config.to_str().unwrap().to_owned());
    Clamd::new(&ClamdPolicy { mode: ClamdMode::Auto, socket: Some(socket), config, parallel: 2 }).unwrap()
}

fn scan(clamd: &Clamd, dir: &Path, bytes: &[u8], timeout_secs: u32) -> Answer {
    let path = dir.join("object");
    std::fs::write(&path, bytes).unwrap();
    let (sha256, len) = (Digest::new([0; 32]), bytes.len() as u64);
    let object = OnDisk(path);
    clamd.scan(&Sample { sha256, md5: None, sha1: None, len, object: &object, timeout_secs }).about(len)
}

/// clamd in the foreground with its own folder; killed at the end.
struct Daemon {
    dir: tempfile::TempDir,
    process: std::process::Child,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const HASHED: &[u8] = b"an object that only the hash list knows\n";
const MD5: &str = "33abdaa1730f728f6aeeea05717b887c";

impl Daemon {
    /// `None`, loudly, where clamd is not installed.
    #[expect(clippy::disallowed_methods, reason = "the test starts the daemon that the engine talks to")]
    fn start(more: &str) -> Option<Self> {
        let Some(program) = ["/usr/sbin/clamd", "/usr/bin/clamd"].into_iter().find(|path| Path::new(path).exists())
        else {
            eprintln!("\n*** NOT TESTED: clamd is missing; install clamav-daemon to test with a real one ***\n");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("db")).unwrap();
        let marker = "636c616d642d66696e64732d746869732d6d61726b6572";
        std::fs::write(at("db/own.ndb"), format!("Own.Marker-1:0:*:{marker}\n")).unwrap();
        std::fs::write(at("db/own.hdb"), format!("{MD5}:{}:Own.Hashed-1\n", HASHED.len())).unwrap();
        let logical = "Own.Logical-1;Engine:81-255,Target:0;0&1;66697273742d68616c66;7365636f6e642d68616c66\n";
        std::fs::write(at("db/own.ldb"), logical).unwrap();
        let conf = format!(
            "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\nTemporaryDirectory {}\nLogFile {}\n{more}",
            at("socket").display(),
            at("db").display(),
            dir.path().display(),
            at("log").display(),
        );
        std::fs::write(at("clamd.conf"), conf).unwrap();
        let mut command = std::process::Command::new(program);
        command.arg("--config-file").arg(at("clamd.conf"));
        let process = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        let daemon = Self { dir, process };
        let deadline = Instant::now() + Duration::from_secs(60);
        while daemon.engine().check().is_err() {
            let log = || std::fs::read_to_string(daemon.dir.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "clamd does not come up: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(daemon)
    }

    fn engine(&self) -> Clamd {
        clamd(&self.dir.path().join("socket"), &self.dir.path().join("clamd.conf"))
    }

    fn scan(&self, bytes: &[u8]) -> Answer {
        scan(&self.engine(), self.dir.path(), bytes, 20)
    }
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.detections().iter().map(|d| d.rule.as_str()).collect()
}

#[test]
fn a_real_daemon_hits_and_misses() {
    let Some(daemon) = Daemon::start("AlertExceedsMax yes\n") else { return };
    let hit = daemon.scan(b"some clamd-finds-this-marker text");
    assert_eq!((hit.verdict(), names(&hit)), (EngineVerdict::Malicious, vec!["Own.Marker-1.UNOFFICIAL"]), "{hit:?}");
    assert_eq!(names(&daemon.scan(HASHED)), ["Own.Hashed-1.UNOFFICIAL"]);
    let old = std::time::UNIX_EPOCH + Duration::from_secs(19_782 * 86_400);
    for name in ["own.ndb", "own.hdb", "own.ldb"] {
        File::options().write(true).open(daemon.dir.path().join("db").join(name)).unwrap().set_modified(old).unwrap();
    }
    let day = || {
        let engine = daemon.engine();
        engine.check().unwrap();
        engine.provenance().rules_date
    };
    assert_eq!(day(), "2024-02-29", "lists of the site's own are as old as the newest of them");
    std::fs::write(daemon.dir.path().join("db/daily.cvd"), b"damaged, so the daemon has not loaded it").unwrap();
    assert_eq!(day(), "", "beside a database that it should tell of, they say nothing");
    std::fs::remove_file(daemon.dir.path().join("db/daily.cvd")).unwrap();
    assert_eq!(names(&daemon.scan(b"first-half and second-half")), ["Own.Logical-1.UNOFFICIAL"]);
    for benign in [&b"some clamd-finds-this-marke text"[..], b"first-half alone", b"", &vec![b'x'; 1 << 20]] {
        assert_eq!(daemon.scan(benign), Answer::scanned(vec![], benign.len() as u64));
    }
    let engine = daemon.engine();
    engine.check().unwrap();
    let provenance = engine.provenance();
    assert!(provenance.version.split('.').count() >= 2, "{provenance:?}");
    assert_eq!(engine.cache_key(), None, "lists of one's own have no number by which a change could be told");
}

#[test]
fn what_a_real_daemons_limits_hide_is_not_scanned() {
    let Some(daemon) = Daemon::start("MaxFileSize 64K\nMaxScanSize 1M\nStreamMaxLength 32K\n") else { return };
    let mut large = vec![b'x'; 100 << 10];
    large.extend(b"clamd-finds-this-marker");
    assert_eq!(daemon.scan(&large).verdict(), EngineVerdict::NotScanned);
    // What the daemon itself would say: without its configuration we ask it, and our own limit is 25 MiB.
    let blind = clamd(&daemon.dir.path().join("socket"), Path::new("/nonexistent"));
    let said = scan(&blind, daemon.dir.path(), &large, 20);
    assert_eq!(said.verdict(), EngineVerdict::Clean, "why the limits must be known: {said:?}");
    let huge = vec![b'x'; (25 << 20) + 1];
    assert_eq!(scan(&blind, daemon.dir.path(), &huge, 20).verdict(), EngineVerdict::NotScanned);
}

#[test]
fn a_daemon_that_goes_is_not_scanned_and_one_that_comes_back_is_asked_again() {
    let Some(mut daemon) = Daemon::start("") else { return };
    let engine = daemon.engine();
    let dir = daemon.dir.path().to_path_buf();
    assert_eq!(scan(&engine, &dir, b"text", 5).verdict(), EngineVerdict::Clean);
    daemon.process.kill().unwrap();
    daemon.process.wait().unwrap();
    assert_eq!(scan(&engine, &dir, b"text", 5).verdict(), EngineVerdict::NotScanned);
    assert!(engine.check().unwrap_err().contains("is clamav-daemon running?"));
}

type Says = fn(&str, &mut UnixStream);

/// Something that listens where clamd should and treats every command as `says` does.
fn fake(says: Says) -> (tempfile::TempDir, Clamd) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let config = dir.path().join("clamd.conf");
    std::fs::write(&config, format!("LocalSocket {}\nMaxFileSize 1M\nStreamMaxLength 1K\n", socket.display())).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut command = Vec::new();
                let mut byte = [0];
                while stream.read(&mut byte).unwrap_or(0) == 1 && byte != [0] {
                    command.push(byte[0]);
                }
                says(&String::from_utf8_lossy(&command), &mut stream);
            });
        }
    });
    let clamd = clamd(&socket, &config);
    (dir, clamd)
}

#[test]
fn answers_that_are_none_are_not_scanned() {
    let liars: &[(&str, Says)] = &[
        ("closes at once", |_, _| {}),
        ("half a line", |_, s| drop(s.write_all(b"fd[9]: OK"))),
        ("two answers", |_, s| drop(s.write_all(b"fd[9]: OK\0fd[10]: OK\0"))),
        ("a number of nothing", |_, s| drop(s.write_all(b"fd[]: OK\0"))),
        ("just OK", |_, s| drop(s.write_all(b"OK\0"))),
        ("noise", |_, s| drop(s.write_all(&[0xff; 600]))),
        ("a flood", |_, s| while s.write_all(&[b'x'; 4096]).is_ok() {}),
        ("an error", |_, s| drop(s.write_all(b"fd[9]: Can't allocate memory ERROR\0"))),
        ("a limit", |_, s| drop(s.write_all(b"fd[9]: Heuristics.Limits.Exceeded.MaxScanSize FOUND\0"))),
        ("another object", |_, s| drop(s.write_all(b"/tmp/other: OK\0"))),
        ("nothing", |_, _| std::thread::sleep(Duration::from_secs(3))),
        ("a drip", |_, s| {
            for byte in b"fd[9]: OK\0".iter().cycle().take(30) {
                if *byte == 0 || s.write_all(&[*byte]).is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(300));
            }
        }),
    ];
    for (what, says) in liars {
        let (dir, clamd) = fake(*says);
        let began = Instant::now();
        let answer = scan(&clamd, dir.path(), b"text", 1);
        assert_eq!(answer.verdict(), EngineVerdict::NotScanned, "{what}: {answer:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        assert!(clamd.check().is_err(), "{what} is not clamd");
    }
}

#[test]
fn an_object_goes_as_a_stream_where_descriptors_are_not_taken() {
    let says: Says = |command, stream| match command {
        "FILDES" | "zFILDES" => drop(stream.write_all(b"fd[-1]: No file descriptor received. ERROR\0")),
        "zINSTREAM" => {
            let mut all = Vec::new();
            loop {
                let mut len = [0; 4];
                stream.read_exact(&mut len).unwrap();
                let len = u32::from_be_bytes(len);
                if len == 0 {
                    break;
                }
                let mut part = vec![0; len as usize];
                stream.read_exact(&mut part).unwrap();
                all.extend(part);
            }
            let said: &[u8] = if all == b"streamed" { b"stream: Whole FOUND\0" } else { b"stream: OK\0" };
            drop(stream.write_all(said));
        }
        other => panic!("{other}"),
    };
    let (dir, clamd) = fake(says);
    assert_eq!(names(&scan(&clamd, dir.path(), b"streamed", 5)), ["Whole"]);
    assert_eq!(scan(&clamd, dir.path(), b"other", 5).verdict(), EngineVerdict::Clean);
    let too_long = scan(&clamd, dir.path(), &[b'x'; 2000], 5);
    assert_eq!(too_long.verdict(), EngineVerdict::NotScanned, "beyond StreamMaxLength");
    let beyond = scan(&clamd, dir.path(), &vec![b'x'; (1 << 20) + 1], 5);
    assert!(beyond.error().unwrap().contains("limits"), "{beyond:?}");
}

#[test]
fn nobody_there_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let clamd = clamd(&dir.path().join("none"), Path::new("/nonexistent"));
    assert!(clamd.check().unwrap_err().contains("is clamav-daemon running?"));
    assert_eq!(scan(&clamd, dir.path(), b"text", 1).verdict(), EngineVerdict::NotScanned);
    let wrong = ClamdPolicy { socket: Some("relative".into()), ..ClamdPolicy::default() };
    assert!(Clamd::new(&wrong).is_err());
}
