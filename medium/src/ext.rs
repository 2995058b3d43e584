//! ext2, ext3 and ext4, through the crate `ext4-view`; the journal is replayed in memory.

use crate::listing::{Kind, Place};
use crate::source::{Sink, Source, damaged};
use crate::system::{Entry, FileSystem, Folder, Notes};
use ext4_view::{Ext4, Ext4Error, Ext4Read, FileType, PathBuf};
use model::{FindingAction, Findings, Reason, ReasonCode};

/// Ours: a piece of a file on its way.
const PIECE: usize = 512 << 10;

pub(crate) struct Ext {
    fs: Ext4,
    source: Source,
}

struct Reader(Source);

impl Ext4Read for Reader {
    fn read(&mut self, at: u64, to: &mut [u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync + 'static>> {
        self.0.read(to, at).map_err(|reason| reason.text.into())
    }
}

fn refuse(error: &Ext4Error) -> Reason {
    if let Ext4Error::Incompatible(what) = error {
        return Reason::new(ReasonCode::UnsupportedFeature, &format!("an ext volume with what is not read: {what}"));
    }
    if matches!(error, Ext4Error::Encrypted) {
        return Reason::new(ReasonCode::Encrypted, "encrypted by its file system");
    }
    damaged(&error.to_string())
}

impl Ext {
    pub(crate) fn open(source: Source) -> Result<Self, Reason> {
        let fs = Ext4::load(Box::new(Reader(source.clone()))).map_err(|e| refuse(&e))?;
        Ok(Self { fs, source })
    }
}

fn path_of(place: &Place) -> Result<PathBuf, Reason> {
    let Place::Ext(path) = place else { return Err(damaged("a place of another file system")) };
    PathBuf::try_from(path.bytes()).map_err(|_| damaged("a path that is none"))
}

fn entry(found: &ext4_view::DirEntry) -> Entry {
    let name = found.file_name().as_ref().to_vec();
    let hidden = name.starts_with(b".");
    let looked = || {
        let meta = found.metadata().map_err(|e| refuse(&e))?;
        let told = found.file_type().map_err(|e| refuse(&e))?;
        if told == meta.file_type() {
            Ok(meta)
        } else {
            Err(damaged("a folder and an inode disagree on what a file is"))
        }
    };
    let meta = match looked() {
        Ok(meta) => meta,
        Err(reason) => return Entry::refused(name, reason),
    };
    let mut entry = Entry::new(
        name,
        match meta.file_type() {
            FileType::Regular => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            FileType::BlockDevice | FileType::CharacterDevice | FileType::Fifo | FileType::Socket => Kind::Special,
        },
    );
    match entry.kind {
        Kind::Link | Kind::Special => entry.found.push(("USB-24", FindingAction::Blocked)),
        Kind::File if meta.mode() & 0o6000 != 0 => entry.found.push(("USB-24", FindingAction::Neutralised)),
        Kind::File | Kind::Folder | Kind::Refused(_) => {}
    }
    entry.size = if entry.kind == Kind::File { meta.len() } else { 0 };
    entry.hidden = hidden;
    entry.place = Some(Place::Ext(found.path().as_ref().to_vec().into()));
    entry
}

impl FileSystem for Ext {
    fn root(&self) -> Place {
        Place::Ext(b"/".to_vec().into())
    }

    fn list(&mut self, place: &Place, folder: &mut Folder) -> Result<(), Reason> {
        for found in self.fs.read_dir(path_of(place)?.as_path()).map_err(|e| refuse(&e))? {
            let found = found.map_err(|e| refuse(&e))?;
            if !matches!(found.file_name().as_ref(), b"." | b"..") {
                folder.push(entry(&found))?;
            }
        }
        Ok(())
    }

    fn stream(&mut self, place: &Place, size: u64, sink: Sink<'_>) -> Result<(), Reason> {
        let path = path_of(place)?;
        let meta = self.fs.symlink_metadata(path.as_path()).map_err(|e| refuse(&e))?;
        if meta.file_type() != FileType::Regular || meta.len() != size {
            return Err(damaged("a file became something else"));
        }
        let mut file = self.fs.open(path.as_path()).map_err(|e| refuse(&e))?;
        let mut buffer = vec![0; PIECE];
        let mut filled = 0;
        loop {
            let count = file.read_bytes(buffer.get_mut(filled..).unwrap_or_default()).map_err(|e| refuse(&e))?;
            filled = filled.saturating_add(count);
            if count == 0 || filled == buffer.len() {
                sink(buffer.get(..filled).unwrap_or_default())?;
                filled = 0;
            }
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn notes(&mut self) -> Notes {
        let mut findings = Findings::new();
        if self.source.array::<1024>(0).is_ok_and(|boot| boot.iter().any(|byte| *byte != 0)) {
            findings.add("USB-13", FindingAction::Removed, "boot sectors of the volume");
        }
        let label = self.fs.label().as_bytes().iter().copied().take_while(|byte| *byte != 0).collect();
        Notes { label, free: None, deleted: 0, findings }
    }

    fn folds_case(&self) -> bool {
        false
    }
}
