//! What engines look at: a range of sealed bytes.

use jail::{Sealed, SpoolDir};
use model::Digest;
use sha2::{Digest as _, Sha256};
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

pub(super) fn digest_of_range(object: &Object<'_>) -> std::io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut block = vec![0u8; usize::try_from(object.len.min(128 * 1024)).unwrap_or(0)];
    let mut done = 0u64;
    while done < object.len {
        let left = object.len.saturating_sub(done);
        let n = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let part = block.get_mut(..n).unwrap_or_default();
        object.sealed.read_exact_at(part, object.offset.saturating_add(done))?;
        hash.update(&*part);
        done = done.saturating_add(n as u64);
    }
    Ok(Digest::new(hash.finalize().into()))
}
