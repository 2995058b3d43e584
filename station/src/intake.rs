//! Intake: a file is copied once and hashed while it is copied; everything after reads the sealed copy (GEN-13).

use crate::inputs::{Entry, Kind, Origin, open_below};
use jail::{Growing, Sealed, SpoolDir};
use model::{Digest, Reason, ReasonCode};
use rustix::fs::{FileType, OFlags};
use sha2::{Digest as _, Sha256};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// A sealed copy of an input.
#[derive(Debug)]
pub struct Intake {
    /// The bytes, which nobody can change any more.
    pub sealed: Sealed,
    /// Their SHA-256, taken while they were copied.
    pub digest: Digest,
}

/// Why an entry could not be taken in.
#[derive(Debug)]
pub enum IntakeError {
    /// The entry's own fault, or its medium's: an outcome of that entry.
    Entry(Reason),
    /// The station's spool failed: no later entry will fare better.
    Station(String),
}

/// Takes in one entry; `most` is the policy's size limit in bytes.
///
/// # Errors
/// [`IntakeError`] that says whose fault it is.
pub fn take_in(entry: &Entry, spool: &SpoolDir, most: u64) -> Result<Intake, IntakeError> {
    let refuse = |code, text: &str| Err(IntakeError::Entry(Reason::new(code, text)));
    match &entry.kind {
        Kind::File => {}
        Kind::SymbolicLink => return refuse(ReasonCode::SymbolicLink, "symbolic links are never followed"),
        Kind::Special(what) => return refuse(ReasonCode::SpecialFile, &format!("a {what} is no file")),
        Kind::Unreadable(why) => return refuse(ReasonCode::Unreadable, why),
        Kind::Refused(reason) => return Err(IntakeError::Entry(reason.clone())),
    }
    match &entry.origin {
        Origin::Folder(root, path) => from_folder(root, path, spool, most),
        Origin::Medium(_, None) => {
            refuse(ReasonCode::Protocol, "the medium's listing does not say where the file lies")
        }
        Origin::Medium(medium, Some(file)) => {
            let sealed = medium.read(file, spool, most)?;
            let digest = digest_of(&sealed);
            let digest = digest.map_err(|e| IntakeError::Station(format!("the spool cannot be read: {e}")))?;
            Ok(Intake { sealed, digest })
        }
    }
}

fn from_folder(root: &OwnedFd, path: &Path, spool: &SpoolDir, most: u64) -> Result<Intake, IntakeError> {
    let refuse = |code, text: &str| Err(IntakeError::Entry(Reason::new(code, text)));
    let unreadable = |error: &dyn std::fmt::Display| {
        IntakeError::Entry(Reason::new(ReasonCode::Unreadable, &format!("the file cannot be read: {error}")))
    };
    let fd = open_below(root, path, OFlags::empty()).map_err(|e| unreadable(&e))?;
    let before = rustix::fs::fstat(&fd).map_err(|e| unreadable(&e))?;
    if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
        return refuse(ReasonCode::Changed, "the file became something else while it was read");
    }
    let promised = u64::try_from(before.st_size).unwrap_or(0);
    if promised > most {
        return refuse(ReasonCode::Limit, &format!("input bytes limit: {promised} asked, {most} allowed"));
    }
    let mut source = std::fs::File::from(fd);
    let (sealed, digest, copied) = copy(&mut source, spool, promised, most, &unreadable)?;
    let after = rustix::fs::fstat(&source).map_err(|e| unreadable(&e))?;
    let same_time = (before.st_mtime, before.st_mtime_nsec) == (after.st_mtime, after.st_mtime_nsec);
    if copied != promised || after.st_size != before.st_size || !same_time {
        return refuse(ReasonCode::Changed, "the file changed while it was read; copy it again");
    }
    Ok(Intake { sealed, digest })
}

fn copy(
    source: &mut impl Read,
    spool: &SpoolDir,
    promised: u64,
    most: u64,
    unreadable: &dyn Fn(&dyn std::fmt::Display) -> IntakeError,
) -> Result<(Sealed, Digest, u64), IntakeError> {
    let station = |e: std::io::Error| IntakeError::Station(format!("the spool cannot be written: {e}"));
    let mut copy = Growing::create(spool, promised).map_err(station)?;
    let mut hash = Sha256::new();
    let mut block = vec![0u8; 128 * 1024];
    let mut copied = 0u64;
    loop {
        let n = match source.read(&mut block) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(&error)),
        };
        copied = copied.saturating_add(n as u64);
        if copied > most {
            let text = format!("input bytes limit: {copied} asked, {most} allowed");
            return Err(IntakeError::Entry(Reason::new(ReasonCode::Limit, &text)));
        }
        let bytes = block.get(..n).unwrap_or_default();
        hash.update(bytes);
        copy.write_all(bytes).map_err(station)?;
    }
    let sealed = copy.seal().map_err(station)?;
    Ok((sealed, Digest::new(hash.finalize().into()), copied))
}

/// SHA-256 of sealed bytes, read through a description of our own.
///
/// # Errors
/// What reading says.
pub fn digest_of(sealed: &Sealed) -> std::io::Result<Digest> {
    digest_of_stream(&mut sealed.reader())
}

/// SHA-256 of all that `from` still gives.
///
/// # Errors
/// What reading says.
pub(crate) fn digest_of_stream(from: &mut impl Read) -> std::io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut block = vec![0u8; 128 * 1024];
    loop {
        let n = from.read(&mut block)?;
        if n == 0 {
            return Ok(Digest::new(hash.finalize().into()));
        }
        hash.update(block.get(..n).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::collect;

    #[test]
    fn what_the_source_becomes_after_intake_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.txt");
        std::fs::write(&file, "first").unwrap();
        let spool = SpoolDir::new(dir.path()).unwrap();
        let entry = &collect(std::slice::from_ref(&file)).unwrap()[0];
        let intake = take_in(entry, &spool, 100).unwrap();
        std::fs::write(&file, "second").unwrap();
        let mut read = String::new();
        intake.sealed.reader().read_to_string(&mut read).unwrap();
        assert_eq!(read, "first");
        assert_eq!(digest_of(&intake.sealed).unwrap(), intake.digest);
    }

    #[test]
    fn a_source_that_tells_another_size_than_it_gives_is_refused() {
        /// A stick whose second read differs: it promises less than it hands out.
        struct Liar(u8);
        impl Read for Liar {
            fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
                self.0 -= 1;
                out[..10].fill(b'x');
                Ok(if self.0 == 0 { 0 } else { 10 })
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let spool = SpoolDir::new(dir.path()).unwrap();
        let error = |e: &dyn std::fmt::Display| IntakeError::Station(e.to_string());
        let (sealed, _, copied) = copy(&mut Liar(5), &spool, 10, 1000, &error).unwrap();
        assert_eq!((sealed.len(), copied), (40, 40), "the caller compares this with what was promised");
        assert!(matches!(copy(&mut Liar(50), &spool, 10, 100, &error), Err(IntakeError::Entry(_))));
    }

    #[test]
    fn links_pipes_and_oversized_files_have_a_reason_each() {
        let dir = tempfile::tempdir().unwrap();
        let spool_dir = tempfile::tempdir().unwrap();
        let spool = SpoolDir::new(spool_dir.path()).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("b"), "12345").unwrap();
        let entries = collect(&[dir.path().to_owned()]).unwrap();
        let codes: Vec<ReasonCode> = entries
            .iter()
            .map(|entry| match take_in(entry, &spool, 4) {
                Err(IntakeError::Entry(reason)) => reason.code,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(codes, [ReasonCode::SymbolicLink, ReasonCode::Limit]);
    }
}
