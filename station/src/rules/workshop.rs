//! The station's side of the jails of signatures.

use super::jobs::{RuleJob, SIGNATURES, Sifted};
use jail::{Done, Job, JobFailure, JobLimits, Launcher, Sealed, SpoolDir, Zygote};
use signatures::RuleSet;
use signatures::bundle::{MOST_BUNDLE_BYTES, MOST_EXPANDED_BYTES, MOST_FILE_BYTES};
use signatures::store::{Refusal, StoreError};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

/// Ours: a file of a bundle is held whole, with what zstd needs, and libyara takes 600 MB to compile 9,000 rules.
const MEMORY_BYTES: u64 = 2 << 30;
/// Ours: 9,000 rules compile in six seconds on a busy core; a collection with broken rules is compiled many times.
const SECONDS: u32 = 600;

/// A place to read bundles and to compile rules: a zygote, whose jobs are jails.
pub struct Workshop {
    launcher: Launcher,
    zygote: Zygote,
    spool: SpoolDir,
}

/// Why a bundle could not be taken.
#[derive(Debug)]
pub enum ReceiveError {
    /// Where it came from gave it no further.
    Source(std::io::Error),
    /// The station could not keep it.
    Station(StoreError),
}

/// Why a job brought nothing.
pub(crate) enum Failed {
    /// The input is at fault: one clause.
    Input(String),
    /// The station is.
    Station(StoreError),
}

impl Workshop {
    /// Starts the zygote. `spool` is a folder of the station's user.
    ///
    /// # Errors
    /// [`StoreError`] where the sandbox does not stand or the folder can't be written.
    pub fn start(launcher: &Launcher, spool: &Path) -> Result<Self, StoreError> {
        let place = |source| StoreError::Place { verb: "written", path: spool.to_owned(), source };
        let spool = std::fs::create_dir_all(spool).and_then(|()| SpoolDir::new(spool)).map_err(place)?;
        Self::with(launcher, spool)
    }

    pub(crate) fn with(launcher: &Launcher, spool: SpoolDir) -> Result<Self, StoreError> {
        let zygote = Zygote::start(launcher, SIGNATURES).map_err(|error| StoreError::Jail(error.to_string()))?;
        Ok(Self { launcher: launcher.clone(), zygote, spool })
    }

    pub(crate) fn spool(&self) -> &SpoolDir {
        &self.spool
    }

    pub(crate) fn launcher(&self) -> &Launcher {
        &self.launcher
    }

    /// Seals bytes of ours.
    pub(crate) fn seal(&self, bytes: &[u8]) -> Result<Sealed, StoreError> {
        Sealed::from_bytes(&self.spool, bytes).map_err(|source| self.spooled(source))
    }

    /// Takes a copy of a file; more than a bundle may have is refused.
    pub(crate) fn take(&self, path: &Path) -> Result<Result<Sealed, Refusal>, StoreError> {
        let unread = |source| StoreError::Place { verb: "read", path: path.to_owned(), source };
        if !path.exists() {
            return Err(StoreError::Usage(format!("there is no file {}; check the path", path.display())));
        }
        let file = std::fs::File::open(path).map_err(unread)?;
        let data = file.metadata().map_err(unread)?;
        if !data.is_file() {
            return Err(StoreError::Usage(format!("{} is no file; give the bundle itself", path.display())));
        }
        match self.receive(&mut &file, data.len()) {
            Ok(taken) => Ok(taken),
            Err(ReceiveError::Source(source)) => Err(unread(source)),
            Err(ReceiveError::Station(error)) => Err(error),
        }
    }

    /// Takes a copy of what `source` gives, which says that it has `announced` bytes (0 where it does not say); more
    /// than a bundle may have is refused.
    ///
    /// # Errors
    /// [`ReceiveError`], by whose fault it is.
    pub fn receive(&self, source: &mut dyn Read, announced: u64) -> Result<Result<Sealed, Refusal>, ReceiveError> {
        let too_large = |size| Ok(Err(Refusal::TooLarge { size, most: MOST_BUNDLE_BYTES }));
        if announced > MOST_BUNDLE_BYTES {
            return too_large(announced);
        }
        let ours = |error| ReceiveError::Station(self.spooled(error));
        let mut growing = jail::Growing::create(&self.spool, announced).map_err(ours)?;
        let mut block = vec![0; 128 * 1024];
        let mut taken = 0_u64;
        loop {
            let read = match source.read(&mut block) {
                Ok(0) => return growing.seal().map(Ok).map_err(ours),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                read => read.map_err(ReceiveError::Source)?,
            };
            taken = taken.saturating_add(read as u64);
            if taken > MOST_BUNDLE_BYTES {
                return too_large(taken);
            }
            growing.write_all(block.get(..read).unwrap_or_default()).map_err(ours)?;
        }
    }

    fn spooled(&self, source: std::io::Error) -> StoreError {
        StoreError::Place { verb: "written", path: self.spool.path().to_owned(), source }
    }

    pub(crate) fn run(&self, input: &Sealed, job: &RuleJob) -> Result<Done, Failed> {
        let header = serde_json::to_vec(job).map_err(|e| Failed::Station(StoreError::Jail(e.to_string())))?;
        let limits = JobLimits {
            memory_bytes: MEMORY_BYTES,
            cpu_seconds: u64::from(SECONDS),
            wall: Duration::from_secs(u64::from(SECONDS)),
            output_bytes: MOST_FILE_BYTES,
            spool_bytes: MOST_EXPANDED_BYTES,
        };
        let done = self.zygote.run(Job { input: input.into(), header: &header, limits, spool: &self.spool });
        done.map_err(|failure| match failure {
            JobFailure::GaveUp(text) => Failed::Input(text),
            JobFailure::Station(error) => Failed::Station(StoreError::Jail(error.to_string())),
            JobFailure::Crash { .. }
            | JobFailure::TimeOut(_)
            | JobFailure::CpuTime(_)
            | JobFailure::Memory(_)
            | JobFailure::TooMuchOutput
            | JobFailure::Protocol(_) => Failed::Input(failure.to_string()),
        })
    }

    /// What a job wrote.
    pub(crate) fn output(&self, done: &Done) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        if let Some(output) = &done.output {
            output.reader().read_to_end(&mut bytes).map_err(|source| self.spooled(source))?;
        }
        Ok(bytes)
    }

    /// One object that a job exported.
    pub(crate) fn exported(&self, done: &Done, export: &jail::Export) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; usize::try_from(export.len).unwrap_or(0)];
        done.spool.read_exact_at(&mut bytes, export.offset).map_err(|source| self.spooled(source))?;
        Ok(bytes)
    }

    /// What a job says it kept and left out.
    pub(crate) fn sifted(&self, input: &[u8], job: &RuleJob) -> Result<(Vec<u8>, Sifted), Failed> {
        let done = self.run(&self.seal(input).map_err(Failed::Station)?, job)?;
        let answer = serde_json::from_slice(&done.answer);
        let answer = answer.map_err(|_| Failed::Input("the jail that read it gave no answer".to_owned()))?;
        Ok((self.output(&done).map_err(Failed::Station)?, answer))
    }

    /// Compiles rules with the compiler of `engine`.
    pub(crate) fn compile(&self, engine: &str, set: &RuleSet) -> Result<Vec<u8>, Failed> {
        let input = self.seal(&set.to_bytes()).map_err(Failed::Station)?;
        let done = self.run(&input, &RuleJob::Compile(engine.to_owned()))?;
        self.output(&done).map_err(Failed::Station)
    }
}

impl Failed {
    /// As an error about a bundle or folder of this name.
    pub(crate) fn of(self, name: &str, refusal: impl FnOnce(String) -> Refusal) -> StoreError {
        match self {
            Self::Input(why) => StoreError::refused(name, refusal(why)),
            Self::Station(error) => error,
        }
    }
}
