//! The manifest of a session, from the lines of its report.

use super::{About, Ledger, refuse};
use crate::StationError;
use crate::outbox::Outbox;
use evidence::release::{FOLDER, MANIFEST, SUMS, SUMS_MINISIG, SUMS_SIGNATURE};
use evidence::sshsig::Purpose;
use evidence::{FileRow, Held, Release, Session, Source, StationRow, sshsig, time};
use journal::{Kind, New};
use model::{Digest, Finding, FindingAction, OutputRow, ReasonCode, ReportLine};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;

/// The body of a manifest record: everything that lies on the share, so that it can be put there again.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signed {
    pub sequence: u64,
    pub statement: Digest,
    pub folder: String,
    pub manifest: String,
    pub sums: String,
    pub signature: String,
    #[serde(default)]
    pub minisig: String,
}

/// Signs what was released and puts it on the share; the folder there, or `None` where nothing was released.
pub(super) fn publish(
    ledger: &Ledger,
    session: &str,
    about: &About,
    lines: &[ReportLine],
    outbox: &Outbox,
) -> Result<Option<String>, StationError> {
    if !lines.iter().any(|line| line.output.is_some()) {
        return Ok(None);
    }
    let signed = sign(ledger, session, about, lines)?;
    put(&signed, outbox)?;
    Ok(Some(signed.folder))
}

/// Puts the files on the share, the manifest last: without it the others say nothing.
pub(super) fn put(signed: &Signed, outbox: &Outbox) -> Result<(), StationError> {
    let folders: Vec<String> = signed.folder.split('/').map(str::to_owned).collect();
    let [sums, signature] = [(SUMS, &signed.sums), (SUMS_SIGNATURE, &signed.signature)];
    let files = [sums, signature, (SUMS_MINISIG, &signed.minisig), (MANIFEST, &signed.manifest)];
    for (name, text) in files.into_iter().filter(|(_, text)| !text.is_empty()) {
        outbox
            .put(&folders, name, text.as_bytes())
            .map_err(|error| StationError::outbox(outbox.place_name(), &error))?;
    }
    Ok(())
}

fn sign(ledger: &Ledger, session: &str, about: &About, lines: &[ReportLine]) -> Result<Signed, StationError> {
    // Two sessions that end at once must not both be number seven.
    let path = ledger.folder.join("sequence.lock");
    let lock = File::create(&path).and_then(|lock| lock.lock().map(|()| lock));
    let _lock = lock.map_err(|source| ledger.place(path, source))?;
    let last = ledger.journal.last_manifest().map_err(refuse)?;
    let last: Option<Signed> =
        last.map(|body| serde_json::from_str(&body)).transpose().map_err(|e| super::internal(&e))?;
    let sequence = last.as_ref().map_or(1, |last| last.sequence.saturating_add(1));
    let key = ledger.journal.key();
    let mut release = Release {
        station: StationRow {
            name: about.station.clone(),
            software: about.software.clone(),
            zone: about.zone.clone(),
            policy: about.policy,
            rules: about.rules.clone(),
        },
        session: Session {
            id: session.to_owned(),
            sequence,
            previous: last.map(|last| last.statement),
            time: time::format(super::now()),
            clock: about.clock,
            operator: about.operator.clone(),
            purpose: about.purpose.clone(),
        },
        files: lines.iter().filter_map(|line| file_row(line, line.output.as_ref()?)).collect(),
        held: lines.iter().filter_map(held).collect(),
        minisig: None,
    };
    let sums = release.sums();
    let comment = format!("sallyport release {sequence} of {}", about.station);
    let minisig = ledger.minisign.sign(sums.as_bytes(), &comment).map_err(|error| super::internal(&error))?;
    let digest = crate::intake::digest_of_stream(&mut minisig.as_bytes()).map_err(|error| super::internal(&error))?;
    release.minisig = Some(digest);
    let (manifest, statement) = release.seal(key).map_err(|error| super::internal(&error))?;
    let signature = sshsig::sign(key, Purpose::Release, sums.as_bytes());
    let folder = format!("{FOLDER}/{sequence:08}-{}", key.public().id());
    let signed = Signed { sequence, statement, folder, manifest, sums, signature, minisig };
    let body = serde_json::to_value(&signed).map_err(|error| super::internal(&error))?;
    ledger.journal.append(vec![New::about(Kind::Manifest, session, body)]).map_err(refuse)?;
    Ok(signed)
}

/// What a manifest says of one file; `None` for a line that has no digest, which is never released.
pub(crate) fn file_row(line: &ReportLine, output: &OutputRow) -> Option<FileRow> {
    Some(FileRow {
        path: output.path.clone(),
        sha256: output.sha256,
        size: output.size,
        format: output.format,
        method: output.method,
        source: Source {
            path: line.input.clone(),
            sha256: line.sha256?,
            size: line.size,
            format: line.format.unwrap_or(model::Format::Unknown),
        },
        findings: counts(&line.findings),
    })
}

fn counts(findings: &[Finding]) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for finding in findings {
        let name = match finding.action {
            FindingAction::Removed => "removed",
            FindingAction::Neutralised => "neutralised",
            FindingAction::ReEncoded => "re-encoded",
            FindingAction::Kept => "kept",
            FindingAction::Blocked => "blocked",
        };
        let count = counts.entry(name.to_owned()).or_default();
        *count = count.saturating_add(finding.count);
    }
    counts
}

fn held(line: &ReportLine) -> Option<Held> {
    if line.output.is_some() {
        return None;
    }
    let reason = line.reason.as_ref().map_or(ReasonCode::Internal, |reason| reason.code);
    Some(Held { path: line.input.clone(), sha256: line.sha256, verdict: line.verdict, reason })
}
