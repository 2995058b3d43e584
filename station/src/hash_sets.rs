//! Opening the files of hash sets: the front of each is copied into sealed memory, mapped and shared by all threads; the
//! rest stays in the file and is read after a hit only.

use jail::{Sealed, SealedMap, SpoolDir};
use signatures::hash::{Front, HEADER_LEN, HashIndex, HashIndexError, front_len};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Opens the set in `file`, which the caller knows to be the one that was imported.
///
/// The file may be replaced under its name while the set is in use. Somebody who changes it in place changes no answer
/// that says "not in the set": that one comes from the sealed copy alone. A hit is then an error, and an error is never
/// clean.
///
/// # Errors
/// [`HashIndexError`] where it is no set or can't be read.
pub fn open(spool: &SpoolDir, file: File) -> Result<HashIndex, HashIndexError> {
    let unread = |error: std::io::Error| HashIndexError::Read { error: error.to_string() };
    let mut header = [0; HEADER_LEN];
    file.read_exact_at(&mut header, 0).map_err(unread)?;
    let sealed = Sealed::head_of(spool, &file, front_len(&header)?).map_err(unread)?;
    let front: SealedMap = sealed.map().map_err(unread)?;
    let front: Front = Arc::new(front);
    HashIndex::open(front, Arc::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use signatures::hash::{Builder, FileDigest, Purpose};

    fn digest(n: u32) -> FileDigest {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        bytes[16..].copy_from_slice(&n.to_be_bytes());
        FileDigest::Sha1(bytes)
    }

    #[test]
    fn a_set_in_a_file_answers_and_a_file_changed_under_it_is_an_error_and_never_clean() {
        let dir = tempfile::tempdir().unwrap();
        let spool = SpoolDir::new(dir.path()).unwrap();
        let mut builder = Builder::new("set", "2026-01-31", Purpose::KnownBad).unwrap();
        (0..5_000).for_each(|n| builder.add(digest(n), None));
        let path = dir.path().join("set");
        builder.write(File::create(&path).unwrap()).unwrap();
        let index = open(&spool, File::open(&path).unwrap()).unwrap();
        index.check_whole().unwrap();
        for n in 0..5_000 {
            assert_eq!(index.find(&digest(n)).unwrap().as_deref(), Some("set"));
            assert_eq!(index.find(&digest(n + 5_000)).unwrap(), None);
        }
        let len = std::fs::metadata(&path).unwrap().len();
        std::fs::write(&path, vec![0; usize::try_from(len).unwrap()]).unwrap();
        assert!(index.find(&digest(7)).is_err());
        assert_eq!(index.find(&digest(7_000)).unwrap(), None, "what was not in the set still is not");
        assert!(index.check_whole().is_err());
        assert!(open(&spool, File::open(&path).unwrap()).is_err());
        std::fs::write(&path, b"short").unwrap();
        assert!(open(&spool, File::open(&path).unwrap()).is_err());
    }
}
