//! A folder of a server that is reached over SSH.

mod client;
mod wire;

use crate::line::Line;
use crate::local::Naming;
use crate::steps::Steps;
use crate::temporary;
use crate::{Folder, Found, Server, Share, Upload};
use client::Connection;
use model::SharePolicy;
use std::io::{self, ErrorKind, Read, Write};
use wire::{Attributes, Kind};

/// Such a folder, and one connection to its server that all share.
#[derive(Debug)]
pub struct Sftp {
    server: Server,
    policy: SharePolicy,
    /// The root's path there.
    root: String,
    line: Line<Connection>,
}

impl Sftp {
    /// Connects, proves that the root can be written, and clears leftovers.
    ///
    /// # Errors
    /// What `ssh` or the server says.
    pub fn open(server: &Server, policy: &SharePolicy) -> io::Result<Self> {
        let (server, policy) = (server.clone(), policy.clone());
        let mut sftp = Self { server, policy, root: String::new(), line: Line::new() };
        let path = sftp.server.path.clone();
        let root = match path.strip_prefix("~/") {
            Some(below) => below.to_owned(),
            None => format!("/{path}"),
        };
        sftp.root = sftp.with(|line| line.real_path(&root))?;
        match sftp.with(|line| line.look(&sftp.root, true))? {
            Some(Attributes { kind: Kind::Folder, .. }) => {}
            Some(_) | None => {
                let text = format!("{root} is no folder on the server; have it made");
                return Err(crate::error(ErrorKind::NotFound, text));
            }
        }
        let now = sftp.probe()?;
        sftp.clear_leftovers(now)?;
        Ok(sftp)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> io::Result<T>) -> io::Result<T> {
        self.line.with(None, || Connection::open(&self.server, &self.policy), work).map(|(value, _)| value)
    }

    /// Writes a file of our own; when that was, by the server's clock.
    fn probe(&self) -> io::Result<u32> {
        let path = format!("{}/{}", self.root, temporary::new());
        self.with(|line| {
            let handle = line.create(&path)?;
            line.close(&handle)?;
            let made = line.look(&path, false);
            line.remove(&path)?;
            Ok(made?.and_then(|made| made.modified).unwrap_or(0))
        })
    }

    fn clear_leftovers(&self, now: u32) -> io::Result<()> {
        temporary::clear(
            &self.root,
            &mut |folder| {
                let entry = |(name, found): (String, Attributes)| temporary::Entry {
                    name,
                    folder: found.kind == Kind::Folder,
                    age_seconds: found.modified.map_or(0, |then| now.saturating_sub(then).into()),
                };
                Ok(self.with(|line| line.list(folder))?.into_iter().map(entry).collect())
            },
            &mut |path| self.with(|line| line.remove(path)),
        )
    }
}

impl Share for Sftp {
    fn folder<'s>(&'s self, folders: &[String], make: bool) -> io::Result<Option<Box<dyn Folder + 's>>> {
        let is_folder = |path: &str| {
            let found = self.with(|line| line.look(path, false))?;
            Ok(found.map(|found| found.kind == Kind::Folder))
        };
        let make_folder = |path: &str| self.with(|line| line.make_folder(path));
        let steps = Steps {
            place: "on the server",
            below: |path: &str, name: &str| format!("{path}/{name}"),
            is_folder,
            make_folder,
        };
        let Some(path) = steps.descend(&self.root, folders, make)? else { return Ok(None) };
        Ok(Some(Box::new(SftpFolder { sftp: self, path })))
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

struct SftpFolder<'s> {
    sftp: &'s Sftp,
    path: String,
}

impl SftpFolder<'_> {
    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    fn open<'f>(
        &'f self,
        path: String,
        how: impl FnOnce(&mut Connection, &str) -> io::Result<Vec<u8>>,
    ) -> io::Result<Handle<'f>> {
        let sftp = self.sftp;
        let connect = || Connection::open(&sftp.server, &sftp.policy);
        let (handle, generation) = sftp.line.with(None, connect, |line| how(line, &path))?;
        Ok(Handle { sftp, path, handle, generation, offset: 0, closed: false })
    }
}

impl Folder for SftpFolder<'_> {
    fn create<'f>(&'f self, name: &str) -> io::Result<Box<dyn Upload + 'f>> {
        Ok(Box::new(self.open(self.at(name), |line, path| line.create(path))?))
    }

    fn look<'f>(&'f self, name: &str) -> io::Result<Found<'f>> {
        let path = self.at(name);
        Ok(match self.sftp.with(|line| line.look(&path, false))? {
            None => Found::Nothing,
            Some(Attributes { kind: Kind::File, .. }) => {
                let handle = self.open(path, |line, path| line.open_to_read(path))?;
                Found::File(Box::new(Reader { handle, block: Vec::new(), at: 0 }))
            }
            Some(_) => Found::Other,
        })
    }

    fn give_name(&self, from: &str, to: &str) -> io::Result<()> {
        self.sftp.with(|line| line.rename(&self.at(from), &self.at(to)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.sftp.with(|line| line.remove(&self.at(name)))
    }

    /// SFTP has no word for it: the server's file system orders the rename behind the file's own sync, or does not.
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// An open file of one connection.
struct Handle<'s> {
    sftp: &'s Sftp,
    path: String,
    handle: Vec<u8>,
    generation: u64,
    offset: u64,
    closed: bool,
}

impl Handle<'_> {
    fn with<T>(&self, work: impl FnOnce(&mut Connection, &Self) -> io::Result<T>) -> io::Result<T> {
        let never = || Err(ErrorKind::NotConnected.into());
        self.sftp.line.with(Some(self.generation), never, |line| work(line, self)).map(|(value, _)| value)
    }

    fn close(&mut self) -> io::Result<()> {
        self.closed = true;
        self.with(|line, file| line.close(&file.handle))
    }
}

impl Drop for Handle<'_> {
    fn drop(&mut self) {
        if !self.closed {
            // Whatever was written or read is of no use any more.
            let _ = self.close();
        }
    }
}

impl Write for Handle<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|line, file| line.write(&file.handle, &file.path, file.offset, bytes))?;
        self.offset = self.offset.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Upload for Handle<'_> {
    fn finish(&mut self) -> io::Result<()> {
        self.with(|line, file| line.sync(&file.handle, &file.path))?;
        self.close()
    }
}

/// Reads a file from its beginning.
struct Reader<'s> {
    handle: Handle<'s>,
    block: Vec<u8>,
    at: usize,
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.block.len() {
            let file = &mut self.handle;
            self.block = file.with(|line, file| line.read(&file.handle, file.offset))?;
            file.offset = file.offset.saturating_add(self.block.len() as u64);
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
