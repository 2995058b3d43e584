//! The report and its journal.
//!
//! While a run goes, `REPORT.journal` is appended to and synced: an intent before each rename in the outbox, the whole
//! line after it. When the run has ended, the report is written in the inputs' order, renamed into place, and the
//! journal goes. A run that was killed leaves its journal; the next run over the same report reads which names were
//! intended, finds by digest which of them came to be, and carries on.

use model::ReportLine;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A report being written.
#[derive(Debug)]
pub struct Report {
    path: PathBuf,
    journal: Mutex<File>,
    /// An earlier run on this report did not end.
    resumed: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Entry<'a> {
    Intent { input: &'a str, output: &'a str, sha256: model::Digest },
    Done(&'a ReportLine),
}

impl Report {
    /// Opens the report that will lie at `path`. Nothing appears there until [`Report::finish`].
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent)?;
        }
        if path.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        let journal_path = beside(path, "journal");
        let resumed = journal_path.exists();
        let journal = File::options().create(true).append(true).open(&journal_path)?;
        Ok(Self { path: path.to_owned(), journal: Mutex::new(journal), resumed })
    }

    /// Whether an earlier run on this report did not end.
    #[must_use]
    pub const fn resumed(&self) -> bool {
        self.resumed
    }

    /// Where the report will lie.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Notes that `output` with `sha256` is about to appear in the outbox for `input`.
    ///
    /// # Errors
    /// What the system says; the file must not be released then.
    pub fn intent(&self, input: &str, output: &str, sha256: model::Digest) -> std::io::Result<()> {
        self.append(&Entry::Intent { input, output, sha256 })
    }

    /// Notes the whole line of an input that has its outcome.
    ///
    /// # Errors
    /// What the system says.
    pub fn done(&self, line: &ReportLine) -> std::io::Result<()> {
        self.append(&Entry::Done(line))
    }

    fn append(&self, entry: &Entry<'_>) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(entry)?;
        text.push(b'\n');
        let mut journal = self.journal.lock().map_err(|_| std::io::Error::other("the journal's lock is broken"))?;
        journal.write_all(&text)?;
        journal.sync_data()
    }

    /// Writes the report in the order of `lines` and removes the journal.
    ///
    /// # Errors
    /// What the system says; the journal stays then.
    pub fn finish(self, lines: &[ReportLine]) -> std::io::Result<()> {
        let part = beside(&self.path, "part");
        let mut file = std::io::BufWriter::new(File::create(&part)?);
        write_lines(&mut file, lines)?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&part, &self.path)?;
        std::fs::remove_file(beside(&self.path, "journal"))
    }
}

/// Writes `lines` as JSON lines.
///
/// # Errors
/// What the writer says.
pub fn write_lines(to: &mut impl Write, lines: &[ReportLine]) -> std::io::Result<()> {
    for line in lines {
        serde_json::to_writer(&mut *to, line)?;
        to.write_all(b"\n")?;
    }
    to.flush()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
