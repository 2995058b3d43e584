//! What runs in a medium's jail, and the words that it and the station have in common.

use jail::{JobFailure, Room};
use medium::{FileAt, Limits, ReadAt};
use model::Reason;
use serde::{Deserialize, Serialize};

/// Role of the zygote whose jobs read a medium.
pub(crate) const MEDIUM: &str = "medium";

/// What a job is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediumJob {
    pub nonce: u64,
    pub asked: Asked,
}

/// What it is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Asked {
    /// The listing becomes the output, as JSON.
    Walk(Limits),
    /// The file's bytes become the output.
    Read(FileAt),
}

/// What it answers, once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediumAnswer {
    pub nonce: u64,
    pub outcome: Result<(), Reason>,
}

impl MediumAnswer {
    /// Reads an answer against the question, and caps its text.
    pub(crate) fn read(answer: &[u8], nonce: u64) -> Result<Result<(), Reason>, JobFailure> {
        let protocol = |what: &str| JobFailure::Protocol(format!("the medium jail's answer {what}"));
        let answer: Self = serde_json::from_slice(answer).map_err(|_| protocol("is not one"))?;
        if answer.nonce != nonce {
            return Err(protocol("is to another question"));
        }
        Ok(answer.outcome.map_err(|reason| Reason::new(reason.code, &reason.text)))
    }
}

/// The medium as the jail was given it.
struct Given(jail::Medium);

impl ReadAt for Given {
    fn size(&self) -> u64 {
        self.0.len()
    }

    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> std::io::Result<()> {
        self.0.read_exact_at(buffer, at)
    }
}

/// Runs in a medium's jail: a read-only descriptor in, a listing or one file out.
///
/// # Errors
/// A text where the station's header is not one or the output cannot be written.
pub(crate) fn medium_role(room: &mut Room) -> Result<Vec<u8>, String> {
    let job: MediumJob = serde_json::from_slice(room.header()).map_err(|e| e.to_string())?;
    let given = Box::new(Given(room.take_medium().ok_or("the jail was given no medium")?));
    let outcome = match job.asked {
        Asked::Walk(limits) => {
            let listing = medium::look(given, limits);
            let bytes = serde_json::to_vec(&listing).map_err(|e| e.to_string())?;
            room.write_output(&bytes).map_err(|e| e.to_string())?;
            Ok(())
        }
        Asked::Read(file) => {
            let mut unwritten = None;
            let outcome = medium::read(given, &file, &mut |bytes| {
                room.write_output(bytes).map_err(|error| {
                    let reason = Reason::new(model::ReasonCode::Station, "the spool cannot be written");
                    unwritten = Some(error);
                    reason
                })
            });
            match unwritten {
                Some(error) => return Err(error.to_string()),
                None => outcome,
            }
        }
    };
    serde_json::to_vec(&MediumAnswer { nonce: job.nonce, outcome }).map_err(|e| e.to_string())
}
