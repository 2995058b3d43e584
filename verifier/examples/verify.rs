//! Reads files with the dialect that their extension names, and says which are not of it: `verify FILE...`.
use model::{Format, Policy};
use std::io::Write;

fn main() -> std::io::Result<()> {
    let policy = Policy::standard();
    let (mut files, mut rejected) = (0u32, 0u32);
    let mut out = std::io::stdout().lock();
    for path in std::env::args_os().skip(1).map(std::path::PathBuf::from) {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        let Some(format) = Format::ALL.iter().find(|f| f.extension() == extension || f.id() == extension) else {
            writeln!(out, "{}: no format has this extension", path.display())?;
            continue;
        };
        let bytes = std::fs::read(&path)?;
        let start = std::time::Instant::now();
        let verdict = verifier::verify(&bytes, *format, &policy);
        let ms = start.elapsed().as_secs_f64() * 1e3;
        files = files.saturating_add(1);
        if let Err(rejection) = verdict {
            rejected = rejected.saturating_add(1);
            writeln!(out, "{}: {rejection} ({ms:.1} ms)", path.display())?;
        }
    }
    writeln!(out, "{files} read, {rejected} rejected")
}
