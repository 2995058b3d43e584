//! What can go wrong, told apart by whose doing it is. Every one of these means: the file is not judged, nothing is released.

use std::io;
use std::time::Duration;

/// A jail could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JailError {
    /// The process could not be started.
    #[error("the jail process can't be started: {0}")]
    Spawn(#[source] io::Error),
    /// The process said which protection it could not put up.
    #[error("the jail can't be closed: {0}")]
    Layer(String),
    /// The process ended or fell silent before it was ready.
    #[error("the jail process gave no sign of being ready: {0}")]
    Silent(String),
}

/// A job gave no result. Not `non_exhaustive`: a new kind of failure must stop the build where outcomes are decided.
#[derive(Debug, thiserror::Error)]
pub enum JobFailure {
    /// The process died of a signal, or left with a status that is not one of ours.
    #[error("{}", crash_text(*.signal, *.code, .place.as_deref()))]
    Crash {
        /// The signal that killed it.
        signal: Option<i32>,
        /// Its exit status, where no signal did.
        code: Option<i32>,
        /// Where it panicked, by its own account: a hint for developers, printable ASCII only.
        place: Option<String>,
    },
    /// More wall-clock time than the limit.
    #[error("time-out: no result within {} s", .0.as_secs_f32())]
    TimeOut(Duration),
    /// More processor time than the limit.
    #[error("processor time limit: more than {0} s needed")]
    CpuTime(u64),
    /// More memory than the limit.
    #[error("memory limit: more than {} MiB needed", .0 >> 20)]
    Memory(u64),
    /// More output, or more exported objects, than the limit.
    #[error("output limit: the job wrote more than it may")]
    TooMuchOutput,
    /// The job ended in order but said that it has no result. Text from the job: short, without control characters.
    #[error("the job gave up: {0}")]
    GaveUp(String),
    /// The process did something that the protocol doesn't know.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// The station's own side failed.
    #[error("station fault: {0}")]
    Station(#[from] io::Error),
}

fn crash_text(signal: Option<i32>, code: Option<i32>, place: Option<&str>) -> String {
    match (signal, code, place) {
        (_, _, Some(place)) => format!("crash: {place}"),
        (Some(libc::SIGSYS), _, None) => "crash: killed for a system call that jails may not make".into(),
        (Some(signal), _, None) => format!("crash: killed by signal {signal}"),
        (None, Some(code), None) => format!("crash: ended with status {code}"),
        (None, None, None) => "crash".into(),
    }
}

/// Makes text that came out of a jail fit for logs: one short line of printable ASCII.
pub(crate) fn tame(text: &[u8]) -> String {
    text.iter().take(200).map(|b| if (0x20..0x7f).contains(b) { char::from(*b) } else { '?' }).collect()
}

/// As [`tame`] for UTF-8 text meant for people: 512 bytes, control and format characters replaced.
pub(crate) fn tame_utf8(text: &[u8]) -> String {
    let shown = String::from_utf8_lossy(text.get(..text.len().min(512)).unwrap_or_default());
    shown.chars().map(|c| if c.is_control() || is_format(c) { '\u{fffd}' } else { c }).collect()
}

/// Bidirectional marks and other invisible characters that change how the rest of a line reads.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_clear_sentence() {
        let crash = JobFailure::Crash { signal: Some(libc::SIGSYS), code: None, place: None };
        assert_eq!(crash.to_string(), "crash: killed for a system call that jails may not make");
        assert_eq!(JobFailure::Memory(64 << 20).to_string(), "memory limit: more than 64 MiB needed");
    }

    #[test]
    fn text_from_a_jail_cannot_play_with_the_terminal() {
        assert_eq!(tame(b"a\x1b[31m\xff"), "a?[31m?");
        assert_eq!(tame_utf8("a\u{202e}\u{7}é".as_bytes()), "a\u{fffd}\u{fffd}é");
    }
}
