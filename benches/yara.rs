//! libyara in our engine beside the command line `yara`, on the same rules and the same files.
//!
//! `cargo bench --bench yara [-- FOLDER...]` (default: the corpus beside the project). Prints MB per second of wall time
//! and of CPU time, with one thread and with one a core. CPU time is that of the kernel's own count for this process or
//! for its children; it holds loading the rules and reading the files on both sides. The command line gets rules that
//! its own `yarac` compiled, so that neither side compiles while it is measured.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement on files that the developer chose"
)]

use engines::Resident;
use engines::yara::{compile, load};
use model::Untrusted;
use rayon::prelude::*;
use signatures::Signatures;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Repetitions; the quickest counts, since the machine may be busy.
const RUNS: usize = 5;

fn main() {
    let given: Vec<PathBuf> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).map(PathBuf::from).collect();
    let folders = if given.is_empty() { vec![PathBuf::from("../shared/corpus")] } else { given };
    let version = Command::new("yara").arg("--version").output();
    let Ok(version) = version else {
        return println!("*** NOT MEASURED: no `yara` here (Debian: apt install yara) ***");
    };
    let Some(folder) = folders.first().filter(|folder| folder.is_dir()) else {
        return println!("*** NOT MEASURED: name a folder of files: cargo bench --bench yara -- FOLDER ***");
    };
    let mut paths = Vec::new();
    files(folder, &mut paths);
    let megabytes = paths.iter().map(|path| path.metadata().unwrap().len()).sum::<u64>() as f64 / 1e6;
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (compile(&Signatures::built_in().unwrap().rules).unwrap(), compiled(dir.path()));
    println!("{} files, {megabytes:.1} MB; yara {}", paths.len(), String::from_utf8_lossy(&version.stdout).trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in [1, cores] {
        let us = best(megabytes, false, || scan(&ours, &paths, threads));
        let cli = best(megabytes, true, || command_line(&theirs, folder, threads));
        println!(
            "{threads} thread(s), MB/s wall and MB/CPU-s: ours {:.0} {:.0}, yara {:.0} {:.0}; ratio {:.2} per CPU second",
            us.0,
            us.1,
            cli.0,
            cli.1,
            us.1 / cli.1
        );
    }
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

/// Our rules, compiled by `yarac`.
fn compiled(dir: &Path) -> PathBuf {
    let to = dir.join("rules.yarc");
    let mut command = Command::new("yarac");
    for source in Signatures::built_in().unwrap().rules.sources() {
        let path = dir.join(format!("{}.yar", source.name));
        std::fs::write(&path, &source.text).unwrap();
        command.arg(format!("{}:{}", source.name, path.display()));
    }
    assert!(command.arg(&to).status().unwrap().success());
    to
}

fn scan(compiled: &[u8], paths: &[PathBuf], threads: usize) {
    let rules = load(compiled).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let found: usize = pool.install(|| {
        let one = |path: &PathBuf| {
            let object = std::fs::read(path).unwrap();
            let answer = rules.scan(Untrusted::new(&object), 60);
            assert_eq!(answer.error(), None);
            answer.detections().len()
        };
        paths.par_iter().map(one).sum()
    });
    assert!(std::hint::black_box(found) < usize::MAX);
}

fn command_line(rules: &Path, folder: &Path, threads: usize) {
    let mut command = Command::new("yara");
    command.args(["--fast-scan", "--recursive", "--compiled-rules", &format!("--threads={threads}")]);
    let status = command.arg(rules).arg(folder).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.unwrap().success());
}

/// MB/s by the wall clock and by CPU time, of the run that took the least CPU time.
fn best(megabytes: f64, children: bool, work: impl Fn()) -> (f64, f64) {
    let mut best = (0.0, 0.0);
    for _ in 0..RUNS {
        let (before, started) = (cpu_seconds(children), Instant::now());
        work();
        let wall = started.elapsed().as_secs_f64();
        let rate = megabytes / (cpu_seconds(children) - before).max(0.01);
        if rate > best.1 {
            best = (megabytes / wall, rate);
        }
    }
    best
}

/// CPU seconds of this process, or of its children that were waited for (proc(5): utime and stime, cutime and cstime,
/// in ticks of 10 ms).
fn cpu_seconds(children: bool) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let at = if children { 13 } else { 11 };
    (fields[at].parse::<f64>().unwrap() + fields[at + 1].parse::<f64>().unwrap()) / 100.0
}
