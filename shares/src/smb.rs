//! A Windows share (SMB 2 and 3), spoken to without mounting it.
//!
//! Sessions are signed, and a guest's session is refused (the client library does both for an account with a name).
//! A file that is being written is open for nobody else.

use crate::line::Line;
use crate::local::Naming;
use crate::steps::Steps;
use crate::temporary;
use crate::{Folder, Found, Server, Share, Upload};
use model::SharePolicy;
use smb2::client::Connection;
use smb2::types::SessionId;
use smb2::{ClientConfig, ErrorKind as Smb2Kind, FileInfo, FileReader, FileWriter, RenameOptions, SmbClient, Tree};
use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// The usual port.
const PORT: u16 = 445;
/// Ours: bytes of one read; the library splits what is more than the server takes at once.
const BLOCK: u64 = 1 << 20;
/// `STATUS_MEDIA_WRITE_PROTECTED`.
const WRITE_PROTECTED: u32 = 0xC000_00A2;
/// `STATUS_QUOTA_EXCEEDED`.
const QUOTA_EXCEEDED: u32 = 0xC000_0044;
/// Windows's clock ticks in 100 ns.
const TICKS_A_SECOND: u64 = 10_000_000;

/// Such a share, and one session with its server.
pub struct Smb {
    server: Server,
    policy: SharePolicy,
    /// The share's name, and the root below it; may be empty.
    share: String,
    root: String,
    runtime: Runtime,
    line: Line<Session>,
    /// The last session: the server ends it when the next one begins, and lets go of what it had open.
    last: Mutex<Option<SessionId>>,
}

#[derive(Clone)]
struct Session {
    connection: Connection,
    tree: Arc<Tree>,
    /// Keeps the connection's tasks.
    _client: Arc<SmbClient>,
}

impl std::fmt::Debug for Smb {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Smb").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Smb {
    /// Connects, proves that the root can be written, and clears leftovers.
    ///
    /// # Errors
    /// What the server says.
    pub fn open(server: &Server, policy: &SharePolicy) -> io::Result<Self> {
        let (share, root) = server.path.split_once('/').unwrap_or((&server.path, ""));
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("smb").enable_all().build()?;
        let smb = Self {
            server: server.clone(),
            policy: policy.clone(),
            share: share.to_owned(),
            root: root.to_owned(),
            runtime,
            line: Line::new(),
            last: Mutex::new(None),
        };
        if !root.is_empty() && smb.look(root)?.is_none_or(|found| !found.is_directory) {
            return Err(crate::error(ErrorKind::NotFound, format!("{root} is no folder of the share; have it made")));
        }
        let now = smb.probe()?;
        smb.clear_leftovers(now)?;
        Ok(smb)
    }

    fn connect(&self) -> io::Result<Session> {
        let wait = Duration::from_secs(u64::from(self.policy.seconds.max(1)));
        let path = self.policy.password_file.as_deref().ok_or_else(|| {
            let text = "the policy does not say [share] password_file, which SMB needs; see docs/shares.md";
            crate::error(ErrorKind::InvalidInput, text)
        })?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let config = ClientConfig {
            addr: self.server.host_port(PORT),
            timeout: wait,
            username: self.server.user.clone(),
            password: password(path)?,
            domain: self.server.domain.clone(),
            auto_reconnect: false,
            compression: false,
            dfs_enabled: false,
            response_timeout: Some(wait),
            previous_session_id: *last,
            ..ClientConfig::default()
        };
        let work = async {
            let mut client = SmbClient::connect(config).await?;
            let tree = client.connect_share(&self.share).await?;
            Ok(Session { connection: client.connection().clone(), tree: Arc::new(tree), _client: Arc::new(client) })
        };
        let session = self.runtime.block_on(work).map_err(|error| said(&error))?;
        *last = Some(session._client.session_id());
        Ok(session)
    }

    /// Does `work` in the session there is, or in a new one.
    fn with<T, F: Future<Output = smb2::Result<T>>>(&self, work: impl FnOnce(Session) -> F) -> io::Result<T> {
        let (session, generation) = self.line.with(None, || self.connect(), |session| Ok(session.clone()))?;
        self.done(generation, self.runtime.block_on(work(session)))
    }

    fn done<T>(&self, generation: u64, result: smb2::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let error = said(&error);
            if crate::is_lost(&error) {
                self.line.lost(generation);
            }
            error
        })
    }

    fn look(&self, path: &str) -> io::Result<Option<FileInfo>> {
        match self.with(async |mut s: Session| s.tree.stat(&mut s.connection, path).await) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.with(async |mut s: Session| s.tree.delete_file(&mut s.connection, path).await)
    }

    fn create(&self, path: String) -> io::Result<Writer<'_>> {
        let (session, generation) = self.line.with(None, || self.connect(), |session| Ok(session.clone()))?;
        let made = session.tree.create_file_writer_exclusive(session.connection.clone(), &path);
        let writer = Some(self.done(generation, self.runtime.block_on(made))?);
        Ok(Writer { smb: self, generation, writer })
    }

    /// Writes a file of our own; when that was, by the server's clock.
    fn probe(&self) -> io::Result<u64> {
        let path = below(&self.root, &temporary::new());
        self.create(path.clone())?.finish()?;
        let made = self.look(&path);
        self.remove(&path)?;
        Ok(made?.map_or(0, |made| made.modified.0))
    }

    fn clear_leftovers(&self, now: u64) -> io::Result<()> {
        let list = async |mut s: Session, folder: &str| s.tree.list_directory(&mut s.connection, folder).await;
        temporary::clear(
            &self.root,
            &mut |folder| {
                let found = self.with(|session| list(session, folder))?;
                let listed = found.into_iter().filter(|entry| !matches!(&*entry.name, "." | ".."));
                let entry = |entry: smb2::DirectoryEntry| temporary::Entry {
                    folder: entry.is_directory && !entry.is_link(),
                    age_seconds: now.saturating_sub(entry.modified.0).checked_div(TICKS_A_SECOND).unwrap_or(0),
                    name: entry.name,
                };
                Ok(listed.map(entry).collect())
            },
            &mut |path| self.remove(path),
        )
    }
}

impl Share for Smb {
    fn folder<'s>(&'s self, folders: &[String], make: bool) -> io::Result<Option<Box<dyn Folder + 's>>> {
        let is_folder = |path: &str| {
            let found = self.look(path)?;
            Ok(found.map(|found| found.is_directory && !found.is_link()))
        };
        let make_folder =
            |path: &str| self.with(async |mut s: Session| s.tree.create_directory(&mut s.connection, path).await);
        let Some(path) =
            (Steps { place: "of the share", below, is_folder, make_folder }).descend(&self.root, folders, make)?
        else {
            return Ok(None);
        };
        Ok(Some(Box::new(SmbFolder { smb: self, path })))
    }

    fn temporary_name(&self) -> String {
        temporary::new()
    }

    fn naming(&self) -> Naming {
        Naming::NoReplace
    }

    fn comes_back(&self) -> bool {
        self.line.comes_back()
    }
}

struct SmbFolder<'s> {
    smb: &'s Smb,
    path: String,
}

impl Folder for SmbFolder<'_> {
    fn create<'f>(&'f self, name: &str) -> io::Result<Box<dyn Upload + 'f>> {
        Ok(Box::new(self.smb.create(below(&self.path, name))?))
    }

    fn look<'f>(&'f self, name: &str) -> io::Result<Found<'f>> {
        let (smb, path) = (self.smb, below(&self.path, name));
        match smb.look(&path)? {
            None => Ok(Found::Nothing),
            Some(found) if found.is_directory || found.is_link() => Ok(Found::Other),
            Some(_) => {
                let (session, generation) = smb.line.with(None, || smb.connect(), |session| Ok(session.clone()))?;
                let opened = session.tree.open_file_reader(session.connection.clone(), &path);
                let reader = Some(smb.done(generation, smb.runtime.block_on(opened))?);
                Ok(Found::File(Box::new(Reader { smb, generation, reader, offset: 0, block: Vec::new(), at: 0 })))
            }
        }
    }

    fn give_name(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (below(&self.path, from), below(&self.path, to));
        let options = RenameOptions::new().replace_if_exists(false);
        self.smb.with(async |mut s: Session| s.tree.rename_with(&mut s.connection, &from, &to, options).await)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.smb.remove(&below(&self.path, name))
    }

    /// SMB has no word for it: when the server wrote the name down is its own business.
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A file that is being written, open for nobody else.
struct Writer<'s> {
    smb: &'s Smb,
    generation: u64,
    /// Gone when it was finished.
    writer: Option<FileWriter>,
}

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let writer = self.writer.as_mut().ok_or(ErrorKind::InvalidInput)?;
        self.smb.done(self.generation, self.smb.runtime.block_on(writer.write_chunk(bytes)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Upload for Writer<'_> {
    /// Flushed to the server's disk and closed.
    fn finish(&mut self) -> io::Result<()> {
        let writer = self.writer.take().ok_or(ErrorKind::InvalidInput)?;
        self.smb.done(self.generation, self.smb.runtime.block_on(writer.finish())).map(drop)
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // Closed before anybody removes it: nobody can while it is open.
            let _ = self.smb.runtime.block_on(writer.abort());
        }
    }
}

/// Reads a file from its beginning.
struct Reader<'s> {
    smb: &'s Smb,
    generation: u64,
    /// Gone when it was closed.
    reader: Option<FileReader>,
    offset: u64,
    block: Vec<u8>,
    at: usize,
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.block.len() {
            let Some(reader) = &self.reader else { return Ok(0) };
            let read = self.smb.runtime.block_on(reader.read_at(self.offset, BLOCK));
            self.block = self.smb.done(self.generation, read)?;
            self.offset = self.offset.saturating_add(self.block.len() as u64);
            self.at = 0;
        }
        let left = self.block.get(self.at..).unwrap_or_default();
        let n = left.len().min(out.len());
        if let (Some(out), Some(left)) = (out.get_mut(..n), left.get(..n)) {
            out.copy_from_slice(left);
        }
        self.at = self.at.saturating_add(n);
        Ok(n)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = self.smb.runtime.block_on(reader.close());
        }
    }
}

/// The first line of a file that nobody else may read.
fn password(path: &Path) -> io::Result<String> {
    let refuse = |kind, why: &str| crate::error(kind, format!("[share] password_file {}: {why}", path.display()));
    let known = std::fs::metadata(path).map_err(|error| refuse(error.kind(), &error.to_string()))?;
    let ours = known.uid() == 0 || known.uid() == rustix::process::geteuid().as_raw();
    if !known.is_file() || !ours || known.permissions().mode() & 0o077 != 0 {
        return Err(refuse(
            ErrorKind::PermissionDenied,
            "it must be the station's own and for nobody else (chmod 600)",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.kind(), &error.to_string()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        Some(_) | None => Err(refuse(ErrorKind::InvalidInput, "its first line must be the password")),
    }
}

/// An error of the client library, as one of ours.
fn said(error: &smb2::Error) -> io::Error {
    let kind = match (error.status().map(|status| status.0), error) {
        (Some(WRITE_PROTECTED), _) => ErrorKind::ReadOnlyFilesystem,
        (Some(QUOTA_EXCEEDED), _) => ErrorKind::QuotaExceeded,
        (_, smb2::Error::Io(error)) => error.kind(),
        _ => kind(error.kind()),
    };
    let full = if kind == ErrorKind::StorageFull { "No space left on the server's disk: " } else { "" };
    crate::error(kind, format!("{full}the SMB server says: {}", crate::tame(error.to_string().as_bytes())))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all that has no meaning of its own here")]
const fn kind(kind: Smb2Kind) -> ErrorKind {
    match kind {
        Smb2Kind::AuthRequired
        | Smb2Kind::SigningRequired
        | Smb2Kind::GuestSessionRefused
        | Smb2Kind::SignatureInvalid
        | Smb2Kind::AccessDenied => ErrorKind::PermissionDenied,
        Smb2Kind::NotFound => ErrorKind::NotFound,
        Smb2Kind::AlreadyExists => ErrorKind::AlreadyExists,
        Smb2Kind::SharingViolation => ErrorKind::ResourceBusy,
        Smb2Kind::IsADirectory => ErrorKind::IsADirectory,
        Smb2Kind::NotADirectory => ErrorKind::NotADirectory,
        Smb2Kind::DiskFull => ErrorKind::StorageFull,
        Smb2Kind::ConnectionLost | Smb2Kind::SessionExpired => ErrorKind::ConnectionAborted,
        Smb2Kind::TimedOut => ErrorKind::TimedOut,
        Smb2Kind::InvalidName => ErrorKind::InvalidFilename,
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, "hunter2\nmore\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let told = password(&path).unwrap_err().to_string();
        assert!(told.contains("chmod 600") && !told.contains("hunter2"), "{told}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(password(&path).unwrap(), "hunter2");
        std::fs::write(&path, "\n").unwrap();
        assert!(password(&path).is_err());
        assert!(password(&dir.path().join("missing")).is_err());
    }
}
