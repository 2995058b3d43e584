//! Programs of others: run by the spawner, on a descriptor or on a private copy.

use engines::{Ended, FILE, Order, Ran, Runner};
use jail::{Launcher, Program, Spawner, SpoolDir};
use model::FileAs;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The station's spawner: started when it is first needed, and again when it is gone.
pub(super) struct Programs {
    launcher: Launcher,
    spool: SpoolDir,
    spawner: Mutex<Option<Arc<Spawner>>>,
    next: AtomicU64,
}

impl Programs {
    pub(super) fn new(launcher: &Launcher, spool: &SpoolDir) -> Self {
        let (launcher, spool) = (launcher.clone(), spool.clone());
        Self { launcher, spool, spawner: Mutex::new(None), next: AtomicU64::new(0) }
    }

    fn spawner(&self) -> Result<Arc<Spawner>, String> {
        let mut spawner = self.spawner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(living) = spawner.as_ref().filter(|spawner| spawner.is_alive()) {
            return Ok(Arc::clone(living));
        }
        let fresh = Spawner::start(&self.launcher).map_err(|error| error.to_string())?;
        Ok(Arc::clone(spawner.insert(Arc::new(fresh))))
    }
}

impl Runner for Programs {
    fn run(&self, order: Order<'_>) -> Result<Ran, String> {
        let spawner = self.spawner()?;
        let copy = match (order.file, &order.object) {
            (FileAs::Copy, Some(object)) => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                Some(Copy::make(self.spool.path(), number, object).map_err(|error| error.to_string())?)
            }
            (FileAs::Copy, None) | (FileAs::Descriptor, _) => None,
        };
        let args: Vec<String> = match &copy {
            Some(copy) => order.args.iter().map(|arg| arg.replace(FILE, &copy.0.to_string_lossy())).collect(),
            None => order.args.iter().map(|arg| arg.replace(FILE, jail::OBJECT)).collect(),
        };
        let ran = spawner.run(&Program {
            path: order.program,
            args: &args,
            object: order.object.as_ref().map(AsFd::as_fd).filter(|_| copy.is_none()),
            wall: Duration::from_secs(u64::from(order.seconds)),
            memory_bytes: order.memory_bytes,
            output_bytes: order.output_bytes,
        });
        let ran = ran.map_err(|error| format!("it could not be run: {error}"))?;
        Ok(Ran { ended: ended(ran.ended), output: ran.output })
    }
}

fn ended(how: jail::Ended) -> Ended {
    match how {
        jail::Ended::Status(status) => Ended::Status(status),
        jail::Ended::Signal(signal) => Ended::Signal(signal),
        jail::Ended::TimedOut => Ended::TimedOut,
        jail::Ended::Flooded => Ended::Flooded,
    }
}

/// A file in the station's private folder that goes when it is dropped.
struct Copy(PathBuf);

impl Copy {
    fn make(folder: &Path, number: u64, object: &OwnedFd) -> io::Result<Self> {
        let copy = Self(folder.join(format!("object-{number}")));
        let mut file = File::options().write(true).create_new(true).mode(0o400).open(&copy.0)?;
        let len = io::copy(&mut File::from(object.try_clone()?), &mut file)?;
        // A part of an object must not be scanned and called whole.
        if u64::try_from(rustix::fs::fstat(object)?.st_size) == Ok(len) {
            Ok(copy)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It lies in a folder of this station alone, which is swept when the station is gone.
        let _ = std::fs::remove_file(&self.0);
    }
}
