//! Canaries: a few small files, made at run time, that show before each session that the lane still sees what it must
//! see. They go through the same jails, engines, second reader and release as any file; only the share is a folder of
//! the station's own.
//!
//! A canary that is missed takes the station out of service: [`Station::session`] is the only way to a run, and it asks
//! them first. An engine without rules, a scan jail that answers too early, a reconstructor that lets a macro through and
//! a limit that no longer holds are each seen by one of them.

use crate::intake::Intake;
use crate::names::{Allocator, Planned, folder_keys};
use crate::outbox::Outbox;
use crate::pipeline::{Destination, Means, Station};
use crate::scan::Roster;
use crate::{StationError, record};
use jail::Sealed;
use model::{Digest, EngineRow, Format, Outcome, Policy, ReasonCode, ReportLine, RuleAction};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What must become of a canary.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// Withheld, because each of these engines called it malicious; in a zone that does not open this container, because
    /// one of them did.
    Detected(&'static [&'static str], Option<Format>),
    /// Released as this format, with one of these constructs of the catalogue reported, and the marker gone.
    Disarmed(Format, &'static [&'static str]),
    /// Withheld for one of these reasons.
    Refused(&'static [ReasonCode]),
}

struct Canary {
    name: &'static str,
    bytes: Vec<u8>,
    expected: Expected,
}

/// What became of one canary.
#[derive(Clone, Debug)]
pub struct CanaryResult {
    /// Its file name.
    pub name: &'static str,
    /// Why it was missed; `None` where the lane did what it must.
    pub missed: Option<String>,
    /// Engines that were there and did not look at all of it, and why.
    pub not_scanned: Vec<(String, String)>,
}

/// The engines that know the EICAR test file, whatever other rules are in force: both have lists that are built in.
const KNOW_EICAR: &[&str] = &["hashes", "yara"];
const MARKER: &str = "sallyport-canary-marker";

fn canaries() -> Vec<Canary> {
    let eicar = eicar();
    let nested = zip(&[("inner.zip", &zip(&[("eicar.com", &eicar)]))]);
    let canary = |name, bytes, expected| Canary { name, bytes, expected };
    vec![
        canary("eicar.com", eicar, Expected::Detected(KNOW_EICAR, None)),
        canary("eicar-in-zip-in-zip.zip", nested, Expected::Detected(KNOW_EICAR, Some(Format::Zip))),
        canary("macro.docm", macro_document(), Expected::Disarmed(Format::Docx, &["OOX-03"])),
        canary("javascript.pdf", javascript_pdf(), Expected::Disarmed(Format::Pdf, &["PDF-21", "PDF-35"])),
        canary("bomb.png", bomb(), Expected::Refused(&[ReasonCode::Limit])),
        canary("polyglot.pdf", polyglot(), Expected::Refused(&[ReasonCode::Ambiguous])),
    ]
}

impl Station {
    /// Sends every canary through the lane, side by side, and says which were missed.
    ///
    /// # Errors
    /// [`StationError::Place`] where the station's own folder cannot be written.
    pub fn canaries(&self) -> Result<Vec<CanaryResult>, StationError> {
        self.muster().map(|(_, results)| results)
    }

    /// Who must look at every object of a session that begins now, and what became of the canaries under their eyes. An
    /// engine of others that policy does not require and that cannot look at canaries is as good as absent: it is left
    /// out, and the canaries go once more.
    pub(crate) fn muster(&self) -> Result<(Roster, Vec<CanaryResult>), StationError> {
        let roster = self.roster();
        let results = self.canaries_for(&roster)?;
        if results.iter().all(|result| result.missed.is_none()) {
            return Ok((roster, results));
        }
        let failed = results.iter().flat_map(|result| result.not_scanned.clone()).collect();
        let fewer = self.without(&roster, &failed);
        if fewer == roster {
            return Ok((roster, results));
        }
        let results = self.canaries_for(&fewer)?;
        Ok((fewer, results))
    }

    fn canaries_for(&self, roster: &Roster) -> Result<Vec<CanaryResult>, StationError> {
        // What the engines knew yesterday says nothing about whether they see today.
        let roster = roster.afresh();
        let folder = Folder::make(self.spool_base())?;
        let outbox = Outbox::open(&folder.0).map_err(|error| StationError::outbox(&folder.0, &error))?;
        let to = Destination { outbox: &outbox, quarantine: None, report: None, log: None };
        let result = |canary: &Canary| {
            let line = self.push(canary, &to, &roster);
            let rows = line.iter().flat_map(|line| &line.engines).filter(|row| !row.absent);
            let why = |row: &EngineRow| {
                let why = row.error.as_ref()?;
                Some((row.engine.clone(), format!("it did not look at the canary {}: {why}", canary.name)))
            };
            let not_scanned = rows.filter_map(why).collect();
            let missed = line.and_then(|line| judged(canary, &line, &folder.0, self.policy())).err();
            CanaryResult { name: canary.name, missed, not_scanned }
        };
        let all = canaries();
        Ok(self.threads().install(|| all.par_iter().map(result).collect()))
    }

    fn push(&self, canary: &Canary, to: &Destination<'_>, roster: &Roster) -> Result<ReportLine, String> {
        let sealed = Sealed::from_bytes(self.spool(), &canary.bytes).map_err(|error| error.to_string())?;
        let intake = Intake { sealed, digest: Digest::new(Sha256::digest(&canary.bytes).into()) };
        let plan = Planned::of(canary.name.as_bytes());
        let folders = folder_keys(std::slice::from_ref(&plan));
        let mut line = record::unjudged(canary.name.as_bytes());
        let means = Means { roster, passwords: Vec::new() };
        line.sha256 = Some(intake.digest);
        line.size = intake.sealed.len();
        if let Err((outcome, reason)) = self.judge(&mut line, &intake, &plan, &mut Allocator::new(&folders), to, &means)
        {
            record::withhold(&mut line, outcome, reason);
        }
        Ok(line)
    }
}

/// Holds what became of a canary against what must become of it. A zone that blocks the format altogether is stricter
/// than the canary asks for.
fn judged(canary: &Canary, line: &ReportLine, outbox: &Path, policy: &Policy) -> Result<(), String> {
    let code = line.reason.as_ref().map(|reason| reason.code);
    let by_policy = line.verdict == Outcome::Blocked && code == Some(ReasonCode::Policy);
    match (canary.expected, line.verdict) {
        (Expected::Detected(engines, container), Outcome::Blocked) if code == Some(ReasonCode::Detection) => {
            let closed = container.is_some_and(|format| policy.action(format) == RuleAction::Block);
            let saw = |engine: &&&str| {
                line.engines.iter().any(|row| row.engine == **engine && row.matches.iter().any(|m| m.malicious))
            };
            match engines.iter().find(|engine| !saw(engine) && !closed) {
                Some(blind) => Err(format!("the engine {blind} did not see it")),
                None => Ok(()),
            }
        }
        (Expected::Disarmed(format, ids), Outcome::Released) => disarmed(line, format, ids, outbox),
        (Expected::Refused(codes), Outcome::Blocked | Outcome::Failed)
            if code.is_some_and(|code| codes.contains(&code)) =>
        {
            Ok(())
        }
        (Expected::Detected(..) | Expected::Disarmed(..) | Expected::Refused(_), _) if by_policy => Ok(()),
        (Expected::Detected(..) | Expected::Refused(_), Outcome::Released) => Err("it was released".into()),
        (
            Expected::Detected(..) | Expected::Disarmed(..) | Expected::Refused(_),
            Outcome::Blocked | Outcome::Failed,
        ) => Err(line.reason.as_ref().map_or_else(String::new, |reason| reason.text.clone())),
    }
}

fn disarmed(line: &ReportLine, format: Format, ids: &[&str], outbox: &Path) -> Result<(), String> {
    let output = line.output.as_ref().ok_or("there is no output")?;
    if output.format != format {
        return Err(format!("it came out as {}", output.format));
    }
    if !line.findings.iter().any(|finding| ids.contains(&finding.id.as_str())) {
        return Err("what it carries was not seen".into());
    }
    let bytes = std::fs::read(outbox.join(&output.path)).map_err(|error| error.to_string())?;
    if bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes()) {
        return Err("what it carries came out again".into());
    }
    Ok(())
}

/// A folder of this station's own that goes when it is dropped.
pub(crate) struct Folder(PathBuf);

const FOLDER_PREFIX: &str = "sallyport-canaries-";

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn make(base: &Path) -> Result<Self, StationError> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        sweep(base);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("{FOLDER_PREFIX}{}-{serial}", std::process::id()));
        let place = |source| StationError::Place { what: "spool", path: path.clone(), source };
        std::fs::create_dir(&path).map_err(place)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is two harmless files, and the next session sweeps them.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Removes what stations left that were killed among their canaries.
fn sweep(base: &Path) {
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(FOLDER_PREFIX)?.split('-').next()?.parse().ok());
        if owner.is_some_and(|pid: u32| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The EICAR antivirus test file, from halves: neither this source nor the executable is one.
pub(crate) fn eicar() -> Vec<u8> {
    let mut halves = *br"X5O!P%@AP[4\PZX54(P^)7CC)7}$DHB@Q-RS@MC@QC-@MSHUHQTR-SDRS-EHKD!$G+G*";
    // The letters of the second half are kept one off, so that no compiler can put the two together.
    for byte in halves.iter_mut().skip(27) {
        if (b'@'..=b'Y').contains(byte) {
            *byte = byte.wrapping_add(1);
        }
    }
    halves.to_vec()
}

/// A document with a macro project that runs when it opens.
fn macro_document() -> Vec<u8> {
    let types = r#"<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/><Override PartName="/word/document.xml" ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></Types>"#;
    let relationships = |rows: &str| {
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}</Relationships>"#
        )
    };
    let root = relationships(
        r#"<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>"#,
    );
    let document_rels = relationships(
        r#"<Relationship Id="rId1" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="vbaProject.bin"/>"#,
    );
    let document = r#"<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>canary</w:t></w:r></w:p></w:body></w:document>"#;
    let project = format!("Attribute VB_Name = \"ThisDocument\"\r\nSub AutoOpen()\r\n' {MARKER}\r\nEnd Sub\r\n");
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", root.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/_rels/document.xml.rels", document_rels.as_bytes()),
        ("word/vbaProject.bin", project.as_bytes()),
    ])
}

fn javascript_pdf() -> Vec<u8> {
    pdf(&format!("/OpenAction<</S/JavaScript/JS(app.alert\\(\"{MARKER}\"\\))>>"))
}

/// A PDF to one reader, an archive to the next (GEN-02).
fn polyglot() -> Vec<u8> {
    [pdf(""), zip(&[("payload.txt", MARKER.as_bytes())])].concat()
}

/// One empty page; offsets and lengths are right.
fn pdf(catalog: &str) -> Vec<u8> {
    let bodies = [
        format!("<</Type/Catalog/Pages 2 0 R{catalog}>>"),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>".to_owned(),
    ];
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut table = String::from("xref\n0 4\n0000000000 65535 f \n");
    for (number, body) in (1u32..).zip(&bodies) {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend(format!("{number} 0 obj\n{body}\nendobj\n").bytes());
    }
    let start = out.len();
    out.extend(format!("{table}trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes());
    out
}

/// A picture of a few bytes that says it has eighteen thousand million million pixels.
fn bomb() -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(0x07ff_ffff_u32.to_be_bytes());
    header.extend(0x07ff_ffff_u32.to_be_bytes());
    header.extend([1, 0, 0, 0, 0]);
    // A zlib stream of one stored, empty block.
    let data = [0x78, 0x01, 0x01, 0, 0, 0xff, 0xff, 0, 0, 0, 1];
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in [(b"IHDR", &header[..]), (b"IDAT", &data), (b"IEND", &[])] {
        out.extend(u32::try_from(body.len()).unwrap_or(0).to_be_bytes());
        out.extend(kind);
        out.extend(body);
        out.extend(crc32fast::hash(&[&kind[..], body].concat()).to_be_bytes());
    }
    out
}

/// An archive of stored members (APPNOTE 4.3).
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let offset = len32(&out);
        let mut fields = Vec::new();
        // Version 2.0, no flags, stored, 1980-01-01 00:00.
        fields.extend([20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        fields.extend(crc32fast::hash(bytes).to_le_bytes());
        fields.extend(len32(bytes).to_le_bytes());
        fields.extend(len32(bytes).to_le_bytes());
        fields.extend(u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
        fields.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&fields);
        out.extend(name.bytes());
        let _ = out.write_all(bytes);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.bytes());
    }
    let (start, size, count) = (len32(&out), len32(&directory), u16::try_from(members.len()).unwrap_or(0));
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn len32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{EngineVerdict, Finding, FindingAction, Match, Method, OutputRow, Reason};

    fn canary(name: &str) -> Canary {
        canaries().into_iter().find(|canary| canary.name == name).unwrap()
    }

    fn withheld(outcome: Outcome, code: ReasonCode, engines: &[&str]) -> ReportLine {
        let mut line = record::unjudged(b"canary");
        let row = |engine: &&str| {
            let (rule, object) = ("X".into(), "the input".into());
            let found = Match {
                rule,
                object,
                malicious: true,
                note: false,
                text: None,
                score: None,
                licence: None,
                source: None,
            };
            serde_json::from_value::<EngineRow>(serde_json::json!({
                "engine": engine, "version": "1", "rules": "", "rules_date": "2026-01-31",
                "verdict": EngineVerdict::Malicious, "bytes": 1, "matches": [found], "ms": 0.0
            }))
            .unwrap()
        };
        line.engines = engines.iter().map(row).collect();
        record::withhold(&mut line, outcome, Reason::new(code, "why"));
        line
    }

    fn released(path: &str, format: Format, seen: Option<&str>) -> ReportLine {
        let mut line = record::unjudged(b"canary");
        let (sha256, method) = (Digest::new([0; 32]), Method::Rebuilt);
        record::released(&mut line, OutputRow { path: path.into(), sha256, size: 1, format, method });
        let finding = |id: &str| Finding {
            id: id.into(),
            construct: String::new(),
            action: FindingAction::Removed,
            count: 1,
            at: String::new(),
        };
        line.findings = seen.into_iter().map(finding).collect();
        line
    }

    #[test]
    fn eicar_is_eicar() {
        let known = signatures::Signatures::built_in().unwrap().hashes;
        let digest = signatures::hash::FileDigest::Sha256(Sha256::digest(eicar()).into());
        assert!(known.sets().iter().any(|set| set.find(&digest).unwrap().is_some()));
        assert!(!include_bytes!("canaries.rs").windows(8).any(|w| w == &eicar()[30..38]), "not in one piece");
    }

    #[test]
    fn a_detection_counts_only_if_every_engine_that_knows_it_saw_it() {
        let judge = |line| judged(&canary("eicar.com"), &line, Path::new("/nowhere"), &Policy::standard());
        let seen = |engines: &[&str]| withheld(Outcome::Blocked, ReasonCode::Detection, engines);
        assert_eq!(judge(seen(&["yara", "hashes"])), Ok(()));
        assert!(judge(seen(&["yara"])).unwrap_err().contains("hashes"));
        assert!(judge(seen(&["hashes", "clamd"])).unwrap_err().contains("yara"));
        for (outcome, code) in [
            (Outcome::Failed, ReasonCode::NotScanned),
            (Outcome::Failed, ReasonCode::Crash),
            (Outcome::Blocked, ReasonCode::UnknownType),
        ] {
            assert!(judge(withheld(outcome, code, &["yara", "hashes"])).is_err(), "{code:?}");
        }
        assert_eq!(judge(withheld(Outcome::Blocked, ReasonCode::Policy, &[])), Ok(()), "a stricter zone");
        assert!(judge(withheld(Outcome::Failed, ReasonCode::Policy, &[])).is_err());
        assert!(judge(released("x", Format::Txt, None)).is_err());
        let nested = canary("eicar-in-zip-in-zip.zip");
        let mut policy = Policy::standard();
        assert!(judged(&nested, &seen(&["yara"]), Path::new("/nowhere"), &policy).is_err());
        policy.default = RuleAction::Block;
        policy.formats.zip = None;
        assert_eq!(judged(&nested, &seen(&["yara"]), Path::new("/nowhere"), &policy), Ok(()), "a closed container");
    }

    #[test]
    fn a_disarmed_canary_is_the_right_format_was_seen_and_has_lost_its_marker() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("clean"), b"nothing").unwrap();
        std::fs::write(dir.path().join("still"), format!("xx{MARKER}yy")).unwrap();
        let judge = |line: &ReportLine| judged(&canary("macro.docm"), line, dir.path(), &Policy::standard());
        assert_eq!(judge(&released("clean", Format::Docx, Some("OOX-03"))), Ok(()));
        assert!(judge(&released("clean", Format::Docm, Some("OOX-03"))).is_err());
        assert!(judge(&released("clean", Format::Docx, None)).is_err());
        assert!(judge(&released("still", Format::Docx, Some("OOX-03"))).is_err());
        assert!(judge(&released("missing", Format::Docx, Some("OOX-03"))).is_err());
        assert!(judge(&withheld(Outcome::Failed, ReasonCode::TimeOut, &[])).is_err());
    }

    #[test]
    fn a_bomb_that_crashes_the_jail_was_not_refused() {
        let judge = |outcome, code| {
            judged(&canary("bomb.png"), &withheld(outcome, code, &[]), Path::new("/nowhere"), &Policy::standard())
        };
        assert_eq!(judge(Outcome::Failed, ReasonCode::Limit), Ok(()));
        assert!(judge(Outcome::Failed, ReasonCode::Memory).is_err());
        assert!(judge(Outcome::Failed, ReasonCode::Crash).is_err());
    }
}
