//! Small records that only this station can have written: a line with an HMAC-SHA256 by the station's key, then JSON.
//!
//! The key is a file of the store that its owner alone can read. It tells our own writing from a damaged disk and from
//! a file that somebody copied in; against the station's own user or the administrator it is no defence.

use hmac::{Hmac, KeyInit, Mac};
use model::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The station's key.
#[derive(Clone)]
pub struct StationKey([u8; 32]);

impl StationKey {
    /// A new one, from the kernel.
    pub(crate) fn new() -> std::io::Result<Self> {
        let mut key = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut key)?;
        Ok(Self(key))
    }

    pub(crate) fn read(path: &Path) -> std::io::Result<Self> {
        let mut key = [0; 33];
        let mut file = File::open(path)?;
        let mut len = 0_usize;
        while let n @ 1.. = file.read(key.get_mut(len..).unwrap_or_default())? {
            len = len.saturating_add(n);
        }
        match key.first_chunk::<32>() {
            Some(key) if len == 32 => Ok(Self(*key)),
            Some(_) | None => Err(std::io::Error::other("it is no key of 32 bytes")),
        }
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn mac(&self, purpose: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(&(purpose.len() as u64).to_le_bytes());
        mac.update(purpose.as_bytes());
        mac.update(body);
        Some(mac)
    }

    /// The code over `body`, for one purpose only.
    #[must_use]
    pub fn seal(&self, purpose: &str, body: &[u8]) -> Option<Digest> {
        self.mac(purpose, body).map(|mac| Digest::new(mac.finalize().into_bytes().into()))
    }

    /// Whether `code` is this key's over `body`; takes the same time for every wrong one.
    #[must_use]
    pub fn sealed(&self, purpose: &str, body: &[u8], code: &Digest) -> bool {
        self.mac(purpose, body).is_some_and(|mac| mac.verify_slice(code.as_bytes()).is_ok())
    }

    pub(crate) fn to_record(&self, purpose: &str, value: &impl Serialize) -> std::io::Result<Vec<u8>> {
        let mut body = serde_json::to_vec_pretty(value)?;
        body.push(b'\n');
        let code = self.seal(purpose, &body).ok_or_else(|| std::io::Error::other("no HMAC"))?;
        Ok([format!("{code}\n").as_bytes(), &body].concat())
    }

    /// `None` where it is no record of ours for this purpose.
    pub(crate) fn of_record<T: DeserializeOwned>(&self, purpose: &str, record: &[u8]) -> Option<T> {
        let (code, body) = record.split_at_checked(65)?;
        let code = Digest::from_hex(std::str::from_utf8(code).ok()?.strip_suffix('\n')?)?;
        if !self.sealed(purpose, body, &code) {
            return None;
        }
        serde_json::from_slice(body).ok()
    }
}

/// Writes a file that is there whole or not at all, whatever happens: written beside, synced, renamed, folder synced.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let mut file = File::options().write(true).create(true).truncate(true).mode(mode).open(&part)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        // The disk may be full: what is half there must not stay. The first error is the one to tell.
        let _ = std::fs::remove_file(&part);
    }
    written?;
    sync_folder(path.parent().unwrap_or_else(|| Path::new("/")))
}

/// Makes what was renamed in a folder last through a power cut.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_only_as_it_was_written_by_this_key_for_this_purpose() {
        let (key, other) = (StationKey::new().unwrap(), StationKey::new().unwrap());
        let record = key.to_record("state", &vec![1, 2, 3]).unwrap();
        assert_eq!(key.of_record::<Vec<u32>>("state", &record), Some(vec![1, 2, 3]));
        assert_eq!(key.of_record::<Vec<u32>>("trust", &record), None);
        assert_eq!(other.of_record::<Vec<u32>>("state", &record), None);
        for at in 0..record.len() {
            let mut record = record.clone();
            record[at] ^= 1;
            assert_eq!(key.of_record::<Vec<u32>>("state", &record), None, "byte {at}");
            assert_eq!(key.of_record::<Vec<u32>>("state", &record[..at]), None, "cut at {at}");
        }
    }
}
