//! The quarantine: the original of what was withheld, under its digest, and a tombstone for the person who looks.

use jail::Sealed;
use model::{Digest, Reason};
use rustix::fs::{CWD, Mode, OFlags};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A folder that only the station's user may read.
#[derive(Debug)]
pub struct Quarantine {
    path: PathBuf,
}

impl Quarantine {
    /// Opens (and makes, where missing, with mode 0700) the quarantine at `path`.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let probe = path.join(format!(".probe-{}", std::process::id()));
        std::fs::write(&probe, b"")?;
        std::fs::remove_file(&probe)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Keeps the original of `shown`, which was withheld for `reason`. The same bytes are kept once.
    ///
    /// # Errors
    /// What the system says.
    pub fn keep(&self, original: &Sealed, digest: Digest, shown: &str, reason: &Reason) -> std::io::Result<()> {
        // Not the original's extension: nothing here must open on a double click.
        let file = self.path.join(format!("{digest}.quarantined"));
        if !file.exists() {
            let part = self.path.join(format!(".{digest}-{}.part", std::process::id()));
            write_private(&part, &mut original.reader())?;
            std::fs::rename(&part, &file)?;
        }
        let shown: String = shown.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        let code = format!("{:?}", reason.code);
        let note = format!(
            "Withheld: {shown}\nSHA-256:  {digest}\nWhy:      {} ({code})\n\nThe file beside this note is the original, \
             as it came in. Do not open it here.\nAsk the person who is responsible for this station.\n",
            reason.text
        );
        write_private(&self.path.join(format!("{digest}.withheld.txt")), &mut note.as_bytes())
    }
}

fn write_private(path: &Path, from: &mut impl Read) -> std::io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut to = std::fs::File::from(rustix::fs::openat(CWD, path, flags, Mode::RUSR | Mode::WUSR)?);
    let mut block = vec![0u8; 128 * 1024];
    loop {
        let n = from.read(&mut block)?;
        if n == 0 {
            return to.sync_all();
        }
        to.write_all(block.get(..n).unwrap_or_default())?;
    }
}
