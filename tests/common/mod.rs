//! What the end-to-end tests share: the real program, run as a person runs it.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod cases;
pub mod plant;
pub mod servers;
pub mod wide;

use model::ReportLine;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A private world for one test: a home, an input folder, an outbox.
pub struct World {
    pub dir: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(world.input()).unwrap();
        world
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn input(&self) -> PathBuf {
        self.at("in")
    }

    pub fn out(&self) -> PathBuf {
        self.at("out")
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.input().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// `sallyport` with a home of its own.
    #[expect(clippy::disallowed_methods, reason = "the test plays the person who starts the program")]
    pub fn sallyport(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sallyport"));
        command.env("HOME", self.dir.path()).env_remove("XDG_CACHE_HOME");
        // A developer's proxy is not meant for servers of the tests.
        for proxy in ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            command.env_remove(proxy);
        }
        // Said outright: root's own store would else be the machine's.
        command.env("XDG_STATE_HOME", self.at(".local/state")).env_remove("STATE_DIRECTORY");
        command
    }

    /// Cleans the input folder into the outbox with `more` arguments; the report comes back.
    pub fn clean(&self, more: &[&str]) -> (Output, Vec<ReportLine>) {
        let report = self.at("report.jsonl");
        let mut command = self.sallyport();
        command.arg("clean").arg(self.input()).arg("--out").arg(self.out()).arg("--report").arg(&report).args(more);
        let output = command.output().unwrap();
        (output, read_report(&report))
    }

    /// Every file below the outbox but the manifests and receipts, with its bytes, by its path.
    pub fn released(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = files_below(&self.out());
        let ours = |name: &str| name.starts_with("sallyport-manifests/") || name.starts_with("sallyport-receipts/");
        files.retain(|(name, _)| !ours(name));
        files
    }

    /// The journal is whole, every session in it has ended, and every file on the share is in a manifest that the station
    /// signed: no file without record, no record without file.
    pub fn assert_records_and_files_agree(&self, share: &Path, what: &str) {
        let audit = self.sallyport().args(["audit", "verify"]).output().unwrap();
        assert!(audit.status.success(), "{what}: {}", String::from_utf8_lossy(&audit.stdout));
        let out = self.sallyport().args(["audit", "export"]).output().unwrap();
        let records: Vec<serde_json::Value> =
            String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |kind: &str| -> Vec<&str> {
            let kind = records.iter().filter(|record| record["kind"] == kind);
            kind.map(|record| record["session"].as_str().unwrap()).collect()
        };
        let (mut begun, mut ended) = (of("session-begin"), of("session-end"));
        begun.sort_unstable();
        ended.sort_unstable();
        assert_eq!(begun, ended, "{what}: sessions that began and that ended");
        for record in records.iter().filter(|record| record["kind"] == "session-end") {
            let count = |key: &str| record["body"][key].as_u64().unwrap();
            assert_eq!(count("seen"), count("released") + count("blocked") + count("failed"), "{what}: {record}");
            let session = &record["session"];
            let files = records.iter().filter(|other| other["kind"] == "file" && other["session"] == *session).count();
            assert_eq!(files as u64, count("seen"), "{what}: every entry has its outcome, once");
        }
        let mut verify = self.sallyport();
        verify.arg("verify").arg(share).arg("--trust").arg(self.at(".local/state/sallyport/station.pub"));
        let checked = verify.output().unwrap();
        assert!(checked.status.success(), "{what}: {}", String::from_utf8_lossy(&checked.stdout));
    }
}

pub fn read_report(path: &Path) -> Vec<ReportLine> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

pub fn files_below(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(dir).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The line of one input.
pub fn line<'a>(lines: &'a [ReportLine], input: &str) -> &'a ReportLine {
    let mut found = lines.iter().filter(|line| line.input == input);
    let line = found.next().unwrap_or_else(|| panic!("no line for {input}"));
    assert!(found.next().is_none(), "two lines for {input}");
    line
}

pub fn code(line: &ReportLine) -> Option<model::ReasonCode> {
    line.reason.as_ref().map(|reason| reason.code)
}

/// The real files that a developer's machine and CI have beside the project; said loudly where they are missing.
pub fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("\n*** NOT TESTED: the corpus of real files is not beside the project ({}) ***\n", path.display());
    None
}

/// A small generator of repeatable chance (xorshift64*).
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n.max(1)
    }
}

/// Whether the full campaigns run (`make soak`) or a seeded sample of each.
pub fn soak() -> bool {
    std::env::var_os("SALLYPORT_SOAK").is_some()
}
