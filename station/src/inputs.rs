//! What there is to clean: every directory entry below what was named becomes exactly one [`Entry`], in a stable order.
//!
//! Nothing is opened here but folders. Symbolic links are never followed: an entry that is one, or a device, socket or
//! pipe, is listed as what it is and gets its own outcome.

use crate::StationError;
use crate::medium::{Listed, Medium};
use medium::FileAt;
use model::{Finding, Reason};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags};
use sanitizer::Passwords;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a directory entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A symbolic link.
    SymbolicLink,
    /// A socket, device or pipe.
    Special(&'static str),
    /// A folder or entry that could not be looked at.
    Unreadable(String),
    /// An entry of a medium, or a volume of it, that is not read.
    Refused(Reason),
}

/// Where an entry comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The folder that was given (or the one that holds the file that was given), opened once; and the raw path below it.
    Folder(Arc<OwnedFd>, PathBuf),
    /// A medium, and where on it the file lies, if it is one.
    Medium(Arc<Medium>, Option<FileAt>),
}

/// One directory entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it comes from.
    pub origin: Origin,
    /// Raw path as the report names it: prefixed where several inputs were given.
    pub shown: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// What was handed over for this one; tried before those of the session.
    pub passwords: Passwords,
    /// What its directory entry says of it already.
    pub findings: Vec<Finding>,
}

/// Lists everything on the media, several of them prefixed as folders are.
///
/// # Errors
/// [`StationError::Medium`] where a listing cannot be used.
pub fn collect_media(media: &[Listed]) -> Result<Vec<Entry>, StationError> {
    let (mut entries, mut prefixes) = (Vec::new(), Vec::new());
    for medium in media {
        let prefix = if media.len() == 1 { Vec::new() } else { unique_prefix(medium.path(), &prefixes) };
        let refuse = |why| StationError::Medium { path: medium.path().to_owned(), why };
        entries.extend(medium.entries(&prefix).map_err(refuse)?);
        prefixes.push(prefix);
    }
    Ok(entries)
}

/// Ours: deeper trees than this are no tree that a person made; a loop of mounts is one.
const MOST_FOLDERS_DEEP: usize = 64;

/// Lists everything below `inputs`, each folder in byte order.
///
/// # Errors
/// [`StationError::Input`] where something that was named is not there.
pub fn collect(inputs: &[PathBuf]) -> Result<Vec<Entry>, StationError> {
    let mut entries = Vec::new();
    let mut prefixes: Vec<Vec<u8>> = Vec::new();
    for input in inputs {
        let prefix = match inputs {
            [_] => Vec::new(),
            _ => unique_prefix(input, &prefixes),
        };
        collect_one(input, &prefix, &mut entries)?;
        prefixes.push(prefix);
    }
    Ok(entries)
}

/// Several inputs: each is prefixed by its last component, numbered on a clash.
fn unique_prefix(input: &Path, taken: &[Vec<u8>]) -> Vec<u8> {
    let base = input.canonicalize().ok().and_then(|p| p.file_name().map(|n| n.as_bytes().to_vec()));
    let base = base.unwrap_or_else(|| b"input".to_vec());
    let mut candidate = base.clone();
    let mut number = 2u32;
    while taken.contains(&candidate) {
        candidate = [&base[..], format!(" ({number})").as_bytes()].concat();
        number = number.saturating_add(1);
    }
    candidate
}

fn collect_one(input: &Path, prefix: &[u8], entries: &mut Vec<Entry>) -> Result<(), StationError> {
    let refuse = |source: std::io::Error| StationError::Input { path: input.to_owned(), source };
    let meta = std::fs::symlink_metadata(input).map_err(refuse)?;
    if meta.is_dir() {
        let root = Arc::new(open_folder(input).map_err(|e| refuse(e.into()))?);
        walk(&root, Path::new(""), prefix, 0, entries);
        return Ok(());
    }
    // A file: its folder is the root, so that the same way of opening serves both.
    let name = input.file_name().ok_or_else(|| refuse(std::io::ErrorKind::InvalidInput.into()))?;
    let parent = input.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = Arc::new(open_folder(parent).map_err(|e| refuse(e.into()))?);
    let shown = if prefix.is_empty() { name.as_bytes().to_vec() } else { prefix.to_vec() };
    let kind = match rustix::fs::statat(&*root, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => kind_of(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Special("folder")),
        Err(error) => return Err(refuse(error.into())),
    };
    entries.push(Entry {
        origin: Origin::Folder(root, PathBuf::from(name)),
        shown,
        kind,
        findings: Vec::new(),
        passwords: Passwords::default(),
    });
    Ok(())
}

fn open_folder(path: &Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Opens `path` below `root` without following any link on the way.
///
/// # Errors
/// What the system says.
pub fn open_below(root: &OwnedFd, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)
}

fn walk(root: &Arc<OwnedFd>, folder: &Path, prefix: &[u8], deep: usize, entries: &mut Vec<Entry>) {
    let shown_of = |path: &Path| -> Vec<u8> {
        let parts = [prefix, path.as_os_str().as_bytes()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&b'/')
    };
    let mut unreadable = |why: String| {
        let (origin, shown) = (Origin::Folder(Arc::clone(root), folder.to_owned()), shown_of(folder));
        entries.push(Entry {
            origin,
            shown,
            kind: Kind::Unreadable(why),
            findings: Vec::new(),
            passwords: Passwords::default(),
        });
    };
    if deep > MOST_FOLDERS_DEEP {
        return unreadable(format!("folders are nested more than {MOST_FOLDERS_DEEP} deep"));
    }
    let children = match list(root, folder) {
        Ok(children) => children,
        Err(error) => return unreadable(format!("the folder cannot be read: {error}")),
    };
    for (name, kind) in children {
        let path = folder.join(&name);
        match kind {
            Some(kind) => {
                let (shown, origin) = (shown_of(&path), Origin::Folder(Arc::clone(root), path));
                entries.push(Entry { origin, shown, kind, findings: Vec::new(), passwords: Passwords::default() });
            }
            None => walk(root, &path, prefix, deep.saturating_add(1), entries),
        }
    }
}

/// The entries of a folder in byte order; `None` stands for a folder.
fn list(root: &OwnedFd, folder: &Path) -> rustix::io::Result<Vec<(OsString, Option<Kind>)>> {
    let fd = open_below(root, folder, OFlags::DIRECTORY)?;
    let mut found = Vec::new();
    for entry in Dir::read_from(&fd)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let name = OsString::from_vec(name.to_vec());
        let mut file_type = entry.file_type();
        // Not every file system tells the type in its directory.
        if file_type == FileType::Unknown
            && let Ok(stat) = rustix::fs::statat(&fd, &name, AtFlags::SYMLINK_NOFOLLOW)
        {
            file_type = FileType::from_raw_mode(stat.st_mode);
        }
        found.push((name, kind_of(file_type)));
    }
    found.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    Ok(found)
}

/// `None` for a folder.
fn kind_of(file_type: FileType) -> Option<Kind> {
    Some(match file_type {
        FileType::Directory => return None,
        FileType::RegularFile => Kind::File,
        FileType::Symlink => Kind::SymbolicLink,
        FileType::Fifo => Kind::Special("pipe"),
        FileType::Socket => Kind::Special("socket"),
        FileType::CharacterDevice => Kind::Special("character device"),
        FileType::BlockDevice => Kind::Special("block device"),
        FileType::Unknown => Kind::Unreadable("what it is cannot be told".into()),
    })
}

/// Refuses an outbox that lies inside an input, or an input that lies inside the outbox: cleaned files would be taken
/// in again, or the tree would be written over.
///
/// # Errors
/// [`StationError::OutboxInsideInput`]; [`StationError::Input`] where an input is not there.
pub fn refuse_overlap(inputs: &[PathBuf], outbox: &Path) -> Result<(), StationError> {
    let outbox_real = real_path(outbox);
    for input in inputs {
        let real = input.canonicalize().map_err(|source| StationError::Input { path: input.clone(), source })?;
        if outbox_real.starts_with(&real) || (real.is_dir() && real.starts_with(&outbox_real)) {
            return Err(StationError::OutboxInsideInput { outbox: outbox.to_owned(), input: input.clone() });
        }
    }
    Ok(())
}

/// The real path of something that may not exist yet: that of its nearest ancestor, and the rest.
fn real_path(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in absolute.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            return real.join(absolute.strip_prefix(ancestor).unwrap_or(Path::new("")));
        }
    }
    absolute
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(entries: &[Entry]) -> Vec<String> {
        entries.iter().map(|e| String::from_utf8_lossy(&e.shown).into_owned()).collect()
    }

    #[test]
    fn every_entry_is_listed_once_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("b")).unwrap();
        std::fs::write(at("b/2.txt"), "2").unwrap();
        std::fs::write(at("a.txt"), "1").unwrap();
        std::os::unix::fs::symlink("/etc", at("c")).unwrap();
        rustix::fs::mkfifoat(CWD, at("d"), Mode::RWXU).unwrap();
        let entries = collect(&[dir.path().to_owned()]).unwrap();
        assert_eq!(shown(&entries), ["a.txt", "b/2.txt", "c", "d"]);
        assert_eq!(entries[2].kind, Kind::SymbolicLink);
        assert_eq!(entries[3].kind, Kind::Special("pipe"));
        let Origin::Folder(root, path) = &entries[2].origin else { panic!("not of a folder") };
        assert!(open_below(root, path, OFlags::empty()).is_err());
    }

    #[test]
    fn several_inputs_keep_apart_by_their_last_component() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["x/stick", "y/stick"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
            std::fs::write(dir.path().join(folder).join("f"), "1").unwrap();
        }
        let entries = collect(&[dir.path().join("x/stick"), dir.path().join("y/stick")]).unwrap();
        assert_eq!(shown(&entries), ["stick/f", "stick (2)/f"]);
        assert!(collect(&[dir.path().join("nowhere")]).is_err());
    }
}
