//! Who this station is: a name and a key of its own, made at the first start.

use crate::StationError;
use evidence::StationKey;
use rustix::rand::{GetRandomFlags, getrandom};
use signatures::keys::{self, LockedKey, SigningKey};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// The private key; mode 0600.
const KEY: &str = "station.key";
/// The public one in PEM, for `openssl` and `sallyport-verify`.
const PUBLIC: &str = "station.pub";
/// The public one for `ssh-keygen -Y verify`.
const SIGNERS: &str = "allowed_signers";
/// A key for minisign alone, whose signatures have no domain: it must not be the other one. Mode 0600.
const MINISIGN: &str = "minisign.key";
/// Its public half, for `minisign -V`.
const MINISIGN_PUBLIC: &str = "minisign.pub";
/// The name, where it is not that of the machine.
const NAME: &str = "station.name";

/// Name and key.
#[derive(Debug)]
pub struct Identity {
    /// Letters, digits, `.` and `-`.
    pub name: String,
    /// Signs manifests and checkpoints.
    pub key: StationKey,
    /// Signs the sums once more, for sites that check with minisign.
    pub minisign: SigningKey,
}

impl Identity {
    /// Reads the identity that lies in `folder`, or makes one there.
    ///
    /// # Errors
    /// [`StationError::Place`] where the folder cannot be used or the key in it is none.
    pub fn open(folder: &Path) -> Result<Self, StationError> {
        let place = |source| StationError::Place { what: "state", path: folder.to_owned(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(place)?;
        let path = folder.join(KEY);
        if !path.exists() {
            make(folder, KEY, &new_key().map_err(place)?).map_err(place)?;
        }
        let text = std::fs::read_to_string(&path).map_err(place)?;
        let key = StationKey::from_pem(&text).map_err(|error| place(std::io::Error::other(error.to_string())))?;
        let name = plain(&std::fs::read_to_string(folder.join(NAME)).unwrap_or_else(|_| machine()));
        for (file, text) in [(PUBLIC, key.public().to_pem()), (SIGNERS, key.public().to_allowed_signer(&name))] {
            let path = folder.join(file);
            if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
                continue;
            }
            std::fs::write(&path, text).map_err(place)?;
        }
        Ok(Self { name, key, minisign: minisign(folder).map_err(place)? })
    }
}

fn new_key() -> std::io::Result<String> {
    let mut seed = [0u8; 32];
    let got = getrandom(&mut seed, GetRandomFlags::empty())?;
    if got != seed.len() {
        return Err(std::io::Error::other("the system gave too little chance for a key"));
    }
    Ok(StationKey::from_seed(&seed).to_pem())
}

fn minisign(folder: &Path) -> std::io::Result<SigningKey> {
    let path = folder.join(MINISIGN);
    if !path.exists() {
        make(folder, MINISIGN, &keys::generate(None).map_err(std::io::Error::other)?.secret)?;
    }
    let key = LockedKey::new(std::fs::read_to_string(&path)?).open().map_err(std::io::Error::other)?;
    let key = key.ok_or_else(|| std::io::Error::other(format!("{MINISIGN} has a password; the station has none")))?;
    let public = key.public().map_err(std::io::Error::other)?;
    let public = format!("untrusted comment: minisign public key {}\n{}\n", key.id(), public.to_base64());
    let path = folder.join(MINISIGN_PUBLIC);
    if std::fs::read_to_string(&path).ok().as_ref() != Some(&public) {
        std::fs::write(&path, public)?;
    }
    Ok(key)
}

/// Makes a key file that only its owner reads, unless there is one. Two stations that start at once must not each have a
/// key of their own: whoever links first is it.
///
/// # Errors
/// What the system says; nothing half then lies under the name.
pub(crate) fn make(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    let part = folder.join(format!(".{name}-{}", std::process::id()));
    // Left by a station that was killed here and had our number.
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&part, folder.join(name));
    std::fs::remove_file(&part)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => std::fs::File::open(folder)?.sync_all(),
    }
}

fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default()
}

fn plain(name: &str) -> String {
    let kept: String =
        name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).take(64).collect();
    if kept.is_empty() { "sallyport".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_station_keeps_its_identity_to_itself() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("state");
        let first = Identity::open(&folder).unwrap();
        assert_eq!(Identity::open(&folder).unwrap().key.public(), first.key.public());
        let mode = std::fs::metadata(folder.join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(folder.join(NAME), "gate 3/plant\n").unwrap();
        assert_eq!(Identity::open(&folder).unwrap().name, "gate3plant");
        assert!(std::fs::read_to_string(folder.join(SIGNERS)).unwrap().starts_with("gate3plant namespaces="));
        std::fs::write(folder.join(KEY), "no key").unwrap();
        assert!(Identity::open(&folder).is_err(), "a damaged key is not made anew in silence");
    }
}
