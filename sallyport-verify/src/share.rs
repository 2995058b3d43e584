//! What lies on a share: every entry once, nothing followed.

use model::Digest;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Ours: deeper than any tree that a station releases.
const MOST_FOLDERS_DEEP: usize = 128;
const O_NOFOLLOW: i32 = 0o400_000;
const O_NONBLOCK: i32 = 0o4_000;

/// One entry of a share that is no folder.
pub enum Entry {
    /// A regular file.
    File(PathBuf),
    /// Something else: a link, a device, a name that is no text.
    Odd(&'static str),
}

/// Lists everything below `root` by its path with `/` between the parts.
///
/// # Errors
/// What the system says about a folder that cannot be listed: half a list would hide what is extra.
pub fn list(root: &Path) -> io::Result<BTreeMap<String, Entry>> {
    let mut found = BTreeMap::new();
    let mut open = vec![(root.to_owned(), String::new(), 0usize)];
    while let Some((folder, prefix, depth)) = open.pop() {
        if depth > MOST_FOLDERS_DEEP {
            return Err(io::Error::other(format!("{prefix:?} is nested too deep")));
        }
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, entry.file_name());
            let shown = format!("{prefix}{}", name.to_string_lossy());
            match (kind.is_dir(), kind.is_file(), name.to_str()) {
                (true, _, Some(_)) => open.push((entry.path(), format!("{shown}/"), depth.saturating_add(1))),
                (_, true, Some(_)) => drop(found.insert(shown, Entry::File(entry.path()))),
                (_, _, None) => drop(found.insert(shown, Entry::Odd("its name is no UTF-8"))),
                (false, false, Some(_)) if kind.is_symlink() => drop(found.insert(shown, Entry::Odd("it is a link"))),
                (false, false, Some(_)) => drop(found.insert(shown, Entry::Odd("it is no file"))),
            }
        }
    }
    Ok(found)
}

/// Size and SHA-256 of a file.
///
/// # Errors
/// What the system says.
pub fn digest(path: &Path) -> io::Result<(u64, Digest)> {
    let mut file = open(path)?;
    let (mut hash, mut block, mut size) = (Sha256::new(), vec![0; 256 * 1024], 0u64);
    loop {
        match file.read(&mut block)? {
            0 => return Ok((size, Digest::new(hash.finalize().into()))),
            n => {
                hash.update(block.get(..n).unwrap_or_default());
                size = size.saturating_add(n as u64);
            }
        }
    }
}

/// A small file as a whole, at most `most` bytes of it.
///
/// # Errors
/// What the system says, or that it is larger.
pub fn read_small(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(io::Error::other("it is too large")) } else { Ok(bytes) }
}

/// Whoever can write to the share may have put a pipe or a link where a file was a moment ago.
pub fn open(path: &Path) -> io::Result<std::fs::File> {
    let file = std::fs::OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file")) }
}
