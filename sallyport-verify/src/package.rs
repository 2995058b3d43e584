//! A `.sallyport` package: the files of one session in one file, for a data diode, a stick or a mail. It is a tar
//! archive: manifest, sums, signature, then the files in the manifest's order. Whoever unpacks knows from the first
//! member what must follow, and takes nothing else.

use crate::share;
use evidence::release::{FOLDER, MANIFEST, SUMS, SUMS_MINISIG, SUMS_SIGNATURE};
use evidence::sshsig::Purpose;
use evidence::{PublicKey, Release};
use model::Digest;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Why a package is not made or not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The share or the package cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The manifest is refused.
    #[error(transparent)]
    Evidence(#[from] evidence::EvidenceError),
    /// A file is not what the manifest says.
    #[error("{name} is not what was released; ask for the package again")]
    Changed {
        /// Its path.
        name: String,
    },
    /// The package does not have its form.
    #[error("this is no whole package: {what}; ask for it again")]
    Form {
        /// What is wrong.
        what: String,
    },
}

fn at(path: &Path) -> impl Fn(io::Error) -> PackageError {
    let path = path.to_owned();
    move |source| PackageError::Io { path: path.clone(), source }
}

fn form(what: impl Into<String>) -> PackageError {
    PackageError::Form { what: what.into() }
}

/// Packs the session whose manifest lies in `folder` (a path below the share at `share`) into `to`.
///
/// # Errors
/// [`PackageError`]; `to` is then not there.
pub fn pack(share: &Path, folder: &str, trusted: &[PublicKey], to: &Path) -> Result<Release, PackageError> {
    let envelope_at = share.join(folder).join(MANIFEST);
    let envelope = share::read_small(&envelope_at, evidence::dsse::MOST_BYTES as u64).map_err(at(&envelope_at))?;
    let (release, ..) = Release::open(&envelope, trusted)?;
    let part = to.with_extension("sallyport-part");
    let packed =
        write(share, folder, &envelope, &release, &part).and_then(|()| std::fs::rename(&part, to).map_err(at(to)));
    if packed.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    packed.map(|()| release)
}

fn write(share: &Path, folder: &str, envelope: &[u8], release: &Release, part: &Path) -> Result<(), PackageError> {
    let mut tar = tar::Builder::new(std::fs::File::create(part).map_err(at(part))?);
    append(&mut tar, MANIFEST, envelope.len() as u64, envelope).map_err(at(part))?;
    for name in [SUMS, SUMS_SIGNATURE].into_iter().chain(release.minisig.map(|_| SUMS_MINISIG)) {
        let path = share.join(folder).join(name);
        let bytes = share::read_small(&path, 64 << 20).map_err(at(&path))?;
        append(&mut tar, name, bytes.len() as u64, bytes.as_slice()).map_err(at(part))?;
    }
    for file in &release.files {
        let path = share.join(&file.path);
        let mut hashed = Hashed { from: share::open(&path).map_err(at(&path))?.take(file.size), hash: Sha256::new() };
        append(&mut tar, &file.path, file.size, &mut hashed).map_err(at(part))?;
        if Digest::new(hashed.hash.finalize().into()) != file.sha256 {
            return Err(PackageError::Changed { name: file.path.clone() });
        }
    }
    tar.into_inner().and_then(|file| file.sync_all()).map_err(at(part))
}

/// Nothing but name and size: the same session packs to the same bytes.
fn append(tar: &mut tar::Builder<impl Write>, name: &str, size: u64, bytes: impl Read) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    tar.append_data(&mut header, name, bytes)
}

struct Hashed<R> {
    from: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(block)?;
        self.hash.update(block.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// Checks the package at `from` and publishes its files below the share `to`, each under a temporary name first. No file
/// there is replaced: the same bytes are already there, or the package is refused.
///
/// # Errors
/// [`PackageError`]; then no file of the package lies under its final name, unless the fault came between two names, in
/// which case the files that were named are whole and their manifest is missing.
pub fn unpack(from: &Path, trusted: &[PublicKey], to: &Path) -> Result<Release, PackageError> {
    let mut archive = tar::Archive::new(share::open(from).map_err(at(from))?);
    let mut entries = archive.entries().map_err(at(from))?;
    let mut member = |name: &str, size: Option<u64>| -> Result<tar::Entry<'_, std::fs::File>, PackageError> {
        let entry = entries.next().ok_or_else(|| form(format!("it ends before {name}")))?.map_err(at(from))?;
        let named = *entry.path_bytes() == *name.as_bytes();
        if !named || entry.header().entry_type() != tar::EntryType::Regular {
            return Err(form(format!("{name} is not where it must be")));
        }
        if size.is_some_and(|size| size != entry.size()) {
            return Err(PackageError::Changed { name: name.to_owned() });
        }
        Ok(entry)
    };
    let small = |entry: tar::Entry<'_, std::fs::File>, most: u64| {
        let mut bytes = Vec::new();
        entry.take(most).read_to_end(&mut bytes).map_err(at(from)).map(|_| bytes)
    };
    let envelope = small(member(MANIFEST, None)?, evidence::dsse::MOST_BYTES as u64)?;
    let (release, _, key) = Release::open(&envelope, trusted)?;
    let sums = small(member(SUMS, Some(release.sums().len() as u64))?, 64 << 20)?;
    let signature = small(member(SUMS_SIGNATURE, None)?, 4096)?;
    let minisig = release.minisig.map(|_| small(member(SUMS_MINISIG, None)?, 4096)).transpose()?;
    let digest = minisig.as_ref().map(|bytes| Digest::new(Sha256::digest(bytes).into()));
    if digest != release.minisig {
        return Err(PackageError::Changed { name: SUMS_MINISIG.to_owned() });
    }
    let text = String::from_utf8(signature.clone()).map_err(|_| form("the signature is no text"))?;
    if sums != release.sums().as_bytes() || evidence::sshsig::verify(&text, Purpose::Release, &sums)? != key {
        return Err(form("sums and manifest do not say the same"));
    }
    let staging = Staging::make(to)?;
    for (number, file) in release.files.iter().enumerate() {
        let path = staging.0.join(number.to_string());
        let mut hashed = Hashed { from: member(&file.path, Some(file.size))?, hash: Sha256::new() };
        let mut out = std::fs::File::create_new(&path).map_err(at(&path))?;
        io::copy(&mut hashed, &mut out).and_then(|_| out.sync_all()).map_err(at(&path))?;
        if Digest::new(hashed.hash.finalize().into()) != file.sha256 {
            return Err(PackageError::Changed { name: file.path.clone() });
        }
    }
    if entries.next().is_some() {
        return Err(form("something follows the last file"));
    }
    publish(&release, &staging, to)?;
    let folder = to.join(FOLDER).join(format!("{:08}-{}", release.session.sequence, key.id()));
    std::fs::create_dir_all(&folder).map_err(at(&folder))?;
    // The manifest last: until it is there, the files are nobody's.
    let minisig = minisig.as_ref().map(|bytes| (SUMS_MINISIG, bytes));
    let files = [(SUMS, &sums), (SUMS_SIGNATURE, &signature)].into_iter().chain(minisig);
    for (name, bytes) in files.chain([(MANIFEST, &envelope)]) {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(at(&path))?;
    }
    Ok(release)
}

fn publish(release: &Release, staging: &Staging, to: &Path) -> Result<(), PackageError> {
    // All names are looked at before the first is taken.
    for file in &release.files {
        let path = to.join(&file.path);
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(&path)(error)),
            Ok(_) => match share::digest(&path) {
                Ok((_, digest)) if digest == file.sha256 => {}
                Ok(_) | Err(_) => {
                    let taken = io::Error::new(io::ErrorKind::AlreadyExists, "another file has this name");
                    return Err(at(&path)(taken));
                }
            },
        }
    }
    for (number, file) in release.files.iter().enumerate() {
        let path = to.join(&file.path);
        let folder = path.parent().unwrap_or(to);
        std::fs::create_dir_all(folder).map_err(at(folder))?;
        match std::fs::hard_link(staging.0.join(number.to_string()), &path) {
            Ok(()) => {}
            // Looked at above, or the same path twice in one package: the same bytes.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // A share without hard links (FAT, some SMB): looked at above, and nobody else writes here.
            Err(_) => std::fs::rename(staging.0.join(number.to_string()), &path).map_err(at(&path))?,
        }
    }
    Ok(())
}

/// A folder for files that have no name yet; goes when it is dropped.
struct Staging(PathBuf);

impl Staging {
    fn make(share: &Path) -> Result<Self, PackageError> {
        std::fs::create_dir_all(share).map_err(at(share))?;
        let path = share.join(format!(".sallyport-unpack-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(at(&path))?;
        Ok(Self(path))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
