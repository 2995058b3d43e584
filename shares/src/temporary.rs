//! Names of files that are being written: hidden, told from anything a person would write, and saying who writes them.
//!
//! `.sallyport-MACHINE-PROCESS-SERIAL.part`. On a share without locks a leftover is told from a file that is being
//! written by its writer: one of this machine whose process is gone will never go on.

use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = ".sallyport-";
const SUFFIX: &str = ".part";
/// Ours: a writer elsewhere that has not written for so long, by the server's clock, is gone. The longest pause of a
/// living one is a step's time-out.
const ABANDONED_SECONDS: u64 = 3600;

/// Whether `name` is one of ours.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// A new name.
pub(crate) fn new() -> String {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    format!("{PREFIX}{}-{}-{serial}{SUFFIX}", machine(), std::process::id())
}

/// Whether the file `name`, last written `age_seconds` ago, was left behind.
pub(crate) fn is_abandoned(name: &str, age_seconds: u64) -> bool {
    let Some(inner) = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX)) else { return false };
    let mut words = inner.split('-');
    let (writer, process) = (words.next(), words.next().and_then(|word| word.parse::<u32>().ok()));
    let here = machine() != UNKNOWN && writer == Some(machine());
    match process {
        // An earlier process with our number: we have written nothing yet when we look.
        Some(process) if here && process == std::process::id() => true,
        Some(process) if here => !Path::new(&format!("/proc/{process}")).exists() || age_seconds > ABANDONED_SECONDS,
        Some(_) | None => age_seconds > ABANDONED_SECONDS,
    }
}

/// What a server says lies in a folder.
pub(crate) struct Entry {
    pub name: String,
    /// A real folder, no link to one.
    pub folder: bool,
    /// How long ago it was last written, by the server's clock.
    pub age_seconds: u64,
}

/// Ours: folders in folders that are searched for leftovers.
const DEPTH: u8 = 64;

/// Removes what was left behind, in the whole tree below `root`.
pub(crate) fn clear(
    root: &str,
    list: &mut dyn FnMut(&str) -> io::Result<Vec<Entry>>,
    remove: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let mut open = vec![(root.to_owned(), 0u8)];
    while let Some((folder, deep)) = open.pop() {
        for entry in list(&folder)? {
            let path = if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
            if entry.folder && deep < DEPTH {
                open.push((path, deep.saturating_add(1)));
            } else if is_abandoned(&entry.name, entry.age_seconds) {
                match remove(&path) {
                    Ok(()) => {}
                    // Another station was quicker, or its writer still has it open.
                    Err(error) if !crate::is_lost(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(())
}

const UNKNOWN: &str = "0";

/// Eight digits that tell this machine from others (not its id, which is nobody's business).
fn machine() -> &'static str {
    static MACHINE: OnceLock<String> = OnceLock::new();
    MACHINE.get_or_init(|| match std::fs::read("/etc/machine-id") {
        Ok(id) if !id.is_empty() => {
            let digest = Sha256::new().chain_update(b"sallyport share").chain_update(&id).finalize();
            digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
        }
        Ok(_) | Err(_) => UNKNOWN.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leftover_is_told_from_what_is_being_written() {
        assert!(is_temporary(&new()) && new() != new());
        let by = |machine: &str, process: u32| format!("{PREFIX}{machine}-{process}-7{SUFFIX}");
        let gone = 0x7fff_fffe;
        assert!(is_abandoned(&by("elsewhere", 1), 2 * ABANDONED_SECONDS));
        assert!(!is_abandoned(&by("elsewhere", gone), 10));
        assert!(!is_abandoned("mine.part", 2 * ABANDONED_SECONDS));
        if machine() != UNKNOWN {
            assert!(is_abandoned(&by(machine(), gone), 0));
            assert!(!is_abandoned(&by(machine(), 1), 0), "process 1 lives");
        }
    }
}
