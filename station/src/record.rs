//! The line of one input while it is being written. It starts as failed and must earn anything better.

use crate::names::shown;
use crate::scan::Scanned;
use model::{EngineRow, Outcome, OutputRow, Reason, ReasonCode, ReportLine, Timings};

/// A line that says "failed: not judged yet".
pub(crate) fn unjudged(shown_path: &[u8]) -> ReportLine {
    let (input, input_bytes) = shown(shown_path);
    ReportLine {
        input,
        input_bytes,
        sha256: None,
        size: 0,
        format: None,
        verdict: Outcome::Failed,
        reason: Some(Reason::new(ReasonCode::Internal, "the file was not judged")),
        output: None,
        findings: Vec::new(),
        engines: Vec::new(),
        warnings: Vec::new(),
        children: Vec::new(),
        ms: Timings::default(),
        cpu_ms: 0.0,
        peak_bytes: 0,
    }
}

/// A line for an entry that was not opened, since the journal could not be written.
pub(crate) fn unrecorded(shown_path: &[u8], error: &crate::StationError) -> ReportLine {
    let mut line = unjudged(shown_path);
    withhold(&mut line, Outcome::Failed, Reason::new(ReasonCode::Station, &error.to_string()));
    line
}

/// Notes why an input was withheld. A later, worse reason does not overwrite the first.
pub(crate) fn withhold(line: &mut ReportLine, outcome: Outcome, reason: Reason) {
    line.verdict = match outcome {
        Outcome::Blocked => Outcome::Blocked,
        Outcome::Failed | Outcome::Released => Outcome::Failed,
    };
    line.reason = Some(reason);
    line.output = None;
}

/// The one place that calls a line released: it asks for the file that lies in the outbox.
pub(crate) fn released(line: &mut ReportLine, output: OutputRow) {
    line.verdict = Outcome::Released;
    line.reason = None;
    line.output = Some(output);
}

/// Takes over what the engines said.
pub(crate) fn engines(line: &mut ReportLine, scanned: &Scanned) {
    line.engines = scanned.rows.clone();
}

/// Outcome and reason where a scan does not let a file pass; `None` where it does.
pub(crate) fn scan_refusal(scanned: &Scanned) -> Option<(Outcome, Reason)> {
    if scanned.is_malicious() {
        let names = |row: &EngineRow| {
            let bad = row.matches.iter().filter(|found| found.malicious);
            bad.map(|m| format!("{} ({}) in {}", m.rule, row.engine, m.object)).collect::<Vec<_>>()
        };
        let all: Vec<String> = scanned.rows.iter().flat_map(names).collect();
        let text = format!("known to be malicious: {}", all.join(", "));
        return Some((Outcome::Blocked, Reason::new(ReasonCode::Detection, &text)));
    }
    let (engine, why) = scanned.not_scanned.first()?;
    let text = format!("the engine {engine} did not scan all of it: {why}");
    Some((Outcome::Failed, Reason::new(ReasonCode::NotScanned, &text)))
}

/// The kind of a jail's failure, in the words of the report.
pub(crate) fn jail_failure(failure: &jail::JobFailure) -> (Outcome, Reason) {
    use jail::JobFailure as F;
    let code = match failure {
        F::Crash { .. } => ReasonCode::Crash,
        F::TimeOut(_) | F::CpuTime(_) => ReasonCode::TimeOut,
        F::Memory(_) => ReasonCode::Memory,
        F::TooMuchOutput => ReasonCode::Limit,
        F::GaveUp(_) => ReasonCode::Internal,
        F::Protocol(_) => ReasonCode::Protocol,
        F::Station(_) => ReasonCode::Station,
    };
    (Outcome::Failed, Reason::new(code, &failure.to_string()))
}

/// Whether this line speaks of a fault of the station itself.
pub(crate) fn is_station_fault(line: &ReportLine) -> bool {
    let code = line.reason.as_ref().map(|reason| reason.code);
    matches!(code, Some(ReasonCode::Station | ReasonCode::Undecided))
}

/// Whether nobody knows yet if its file lies on the share: its job has no outcome then, and stays open.
pub(crate) fn is_undecided(line: &ReportLine) -> bool {
    line.reason.as_ref().is_some_and(|reason| reason.code == ReasonCode::Undecided)
}
