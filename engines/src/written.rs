//! When rules were last written, where nobody tells it but the file system.

use model::time;
use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Ours: files of one folder that are looked at.
const MOST_FILES: usize = 10_000;

/// The day on which a file was last written, or the newest of the files in a folder whose name `counts`; `None` where
/// there is none.
pub(crate) fn day(path: &Path, counts: impl Fn(&str) -> bool) -> Option<String> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_dir() {
        return second(&meta).map(time::day_of);
    }
    let files = std::fs::read_dir(path).ok()?.take(MOST_FILES).filter_map(Result::ok);
    let named = files.filter(|entry| entry.file_name().to_str().is_some_and(&counts));
    let written = named.filter_map(|entry| std::fs::metadata(entry.path()).ok()).filter(Metadata::is_file);
    written.filter_map(|meta| second(&meta)).max().map(time::day_of)
}

fn second(meta: &Metadata) -> Option<u64> {
    meta.modified().ok()?.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}
