//! What engines look at: a range of sealed bytes.

use jail::{Sealed, SpoolDir};
use md5::Md5;
use model::Digest;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use signatures::HashSets;
use signatures::hash::Algorithm;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Mutex;

/// Something to look at: a range of sealed bytes.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// The sealed bytes.
    pub sealed: &'a Sealed,
    /// Where the object begins in them.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// What the report calls it.
    pub name: &'a str,
}

/// An object as engines outside the jails get it: in a file that holds its bytes and no others. Where it is a part of
/// something larger, that file is made when the first engine asks.
pub(super) struct Alone<'a> {
    object: &'a Object<'a>,
    spool: &'a SpoolDir,
    copy: Mutex<Option<Sealed>>,
}

impl<'a> Alone<'a> {
    pub(super) fn new(object: &'a Object<'a>, spool: &'a SpoolDir) -> Self {
        Self { object, spool, copy: Mutex::new(None) }
    }
}

impl engines::Object for Alone<'_> {
    fn open(&self) -> io::Result<OwnedFd> {
        let Object { sealed, offset, len, .. } = *self.object;
        if offset == 0 && len == sealed.len() {
            return sealed.reopen();
        }
        let mut copy = self.copy.lock().map_err(|_| io::Error::other("copying the object failed"))?;
        let copy = match copy.as_mut() {
            Some(copy) => copy,
            None => copy.insert(sealed.part(self.spool, offset, len)?),
        };
        copy.reopen()
    }
}

/// Digests beside SHA-256 that an engine asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    md5: bool,
    sha1: bool,
}

impl Wanted {
    pub(super) fn by(sets: &HashSets) -> Self {
        Self { md5: sets.need(Algorithm::Md5), sha1: sets.need(Algorithm::Sha1) }
    }
}

/// Digests of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digests {
    pub sha256: Digest,
    pub md5: Option<[u8; 16]>,
    pub sha1: Option<[u8; 20]>,
}

/// Takes all digests that are wanted and not `known`, in one pass over the bytes, or in none.
pub(super) fn digests(object: &Object<'_>, known: Option<Digest>, wanted: Wanted) -> io::Result<Digests> {
    let mut sha256 = known.is_none().then(Sha256::new);
    let mut md5 = wanted.md5.then(Md5::new);
    let mut sha1 = wanted.sha1.then(Sha1::new);
    if sha256.is_some() || md5.is_some() || sha1.is_some() {
        each_block(object, |block| {
            sha256.iter_mut().for_each(|hash| hash.update(block));
            md5.iter_mut().for_each(|hash| hash.update(block));
            sha1.iter_mut().for_each(|hash| hash.update(block));
        })?;
    }
    let taken = sha256.map(|hash| Digest::new(hash.finalize().into()));
    let sha256 = known.or(taken).ok_or_else(|| io::Error::other("no digest was taken"))?;
    let (md5, sha1) = (md5.map(|hash| hash.finalize().into()), sha1.map(|hash| hash.finalize().into()));
    Ok(Digests { sha256, md5, sha1 })
}

fn each_block(object: &Object<'_>, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut block = vec![0u8; usize::try_from(object.len.min(128 * 1024)).unwrap_or(0)];
    let mut done = 0u64;
    while done < object.len {
        let left = object.len.saturating_sub(done);
        let n = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let part = block.get_mut(..n).unwrap_or_default();
        object.sealed.read_exact_at(part, object.offset.saturating_add(done))?;
        each(part);
        done = done.saturating_add(n as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_of_the_object_and_only_those_wanted_are_taken() {
        let spool = SpoolDir::new(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
        let sealed = Sealed::from_bytes(&spool, b"xxabcxx").unwrap();
        let object = Object { sealed: &sealed, offset: 2, len: 3, name: "abc" };
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        // RFC 1321, A.5, and FIPS 180-4's examples.
        let all = digests(&object, None, Wanted { md5: true, sha1: true }).unwrap();
        assert_eq!(hex(&all.md5.unwrap()), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hex(&all.sha1.unwrap()), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(all.sha256.to_string().starts_with("ba7816bf"));
        let known = Digest::new([7; 32]);
        let one = digests(&object, Some(known), Wanted::default()).unwrap();
        assert_eq!(one, Digests { sha256: known, md5: None, sha1: None });
    }
}
