//! The last release of each station that was seen and found well.

use model::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// By the id of the station's key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(pub BTreeMap<String, Last>);

/// The last release of one station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// Its number.
    pub sequence: u64,
    /// Digest of its statement.
    pub statement: Digest,
}

impl State {
    /// Reads a state file; one that is not there is a beginning.
    ///
    /// # Errors
    /// One sentence where it is damaged: to begin anew is a person's decision.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(format!("the state {} cannot be read: {error}", path.display())),
        };
        let damaged = |error| format!("the state {} is damaged ({error}); remove it to begin anew", path.display());
        serde_json::from_slice(&text).map_err(damaged)
    }

    /// Writes it beside itself first, so that a power cut leaves the old one.
    ///
    /// # Errors
    /// One sentence.
    pub fn save(&self, path: &Path) -> Result<(), String> {
        let write = || -> std::io::Result<()> {
            let part = path.with_extension("part");
            let mut file = std::fs::File::create(&part)?;
            serde_json::to_writer(&mut file, self)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            std::fs::rename(&part, path)
        };
        write().map_err(|error| format!("the state {} cannot be written: {error}", path.display()))
    }
}
