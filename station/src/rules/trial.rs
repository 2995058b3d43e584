//! The trial: new rules must find what they were made for, leave alone what they must, and know the test file that
//! everybody knows. In a scan jail like those that files are scanned in, before anything is switched.

use super::workshop::Workshop;
use crate::canaries::eicar;
use engines::{Answer, Request, Severity};
use jail::{ScanJail, ScanLimits, Sealed};
use model::Digest;
use sha2::{Digest as _, Sha256};
use signatures::Signatures;
use signatures::bundle::FileKind;
use signatures::hash::Purpose;
use signatures::store::{Refusal, StoreError, StoredSet};
use std::time::{Duration, Instant};

/// Ours: as for a scan jail of the station.
const MEMORY_BYTES: u64 = 2 << 30;
/// Ours: loading 9,000 rules on a busy core, with room.
const LOAD_WALL: Duration = Duration::from_secs(60);
/// Ours: all samples together; rules that take longer would hold up every file.
const TRIAL_WALL: Duration = Duration::from_secs(120);
const SAMPLE_SECONDS: u32 = 20;

/// The engine whose rules a bundle brings.
pub(super) const ENGINE: &str = "yara";

/// Whether compiled rules load at all.
pub(super) fn loads(workshop: &Workshop, compiled: &[u8]) -> Result<Result<ScanJail, Refusal>, StoreError> {
    let rules = workshop.seal(compiled)?;
    let limits = ScanLimits { memory_bytes: MEMORY_BYTES, start_wall: LOAD_WALL };
    let jail = ScanJail::start(workshop.launcher(), crate::roles::SCAN, ENGINE.as_bytes(), Some(&rules), limits);
    Ok(jail.map_err(|error| Refusal::Rules(format!("they do not load: {error}"))))
}

/// Tries `signatures`, which hold the rules and lists of `set`, as `compiled`.
pub(super) fn trial(
    workshop: &Workshop,
    set: &StoredSet,
    signatures: &Signatures,
    compiled: &[u8],
) -> Result<Result<(), Refusal>, StoreError> {
    let jail = match loads(workshop, compiled)? {
        Ok(jail) => jail,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let deadline = Instant::now().checked_add(TRIAL_WALL).unwrap_or_else(Instant::now);
    let mut bench = Bench { jail, signatures, deadline };
    if let Err(why) = bench.malicious(&workshop.seal(&eicar())?) {
        return Ok(Err(Refusal::Trial(format!("the EICAR test file: {why}"))));
    }
    for file in set.manifest.files.iter() {
        let must_hit = match file.kind() {
            Some(FileKind::MustHit) => true,
            Some(FileKind::MustNotHit) => false,
            Some(FileKind::Rules | FileKind::List | FileKind::ClamAv) | None => continue,
        };
        let sample = set.read(&file.path)?;
        let digest = Digest::new(Sha256::digest(&sample).into());
        let told = bench.told(&workshop.seal(&sample)?, digest);
        let wrong = match told {
            Err(why) => Some(why),
            Ok(names) if must_hit => missing(&file.path, &names),
            Ok(names) => (!names.is_empty()).then(|| format!("it must not hit, and {} did", names.join(", "))),
        };
        if let Some(why) = wrong {
            return Ok(Err(Refusal::Trial(format!("{}: {why}", file.path))));
        }
    }
    Ok(Ok(()))
}

/// `samples/must-hit/RULE/name` must be hit by this rule, `samples/must-hit/name` by any.
fn missing(path: &str, names: &[String]) -> Option<String> {
    let inner = path.strip_prefix("samples/must-hit/").unwrap_or(path);
    match inner.split_once('/') {
        Some((rule, _)) if !names.iter().any(|name| name == rule) => Some(format!("{rule} must hit and did not")),
        None if names.is_empty() => Some("a rule or list must hit and none did".to_owned()),
        Some(_) | None => None,
    }
}

struct Bench<'a> {
    jail: ScanJail,
    signatures: &'a Signatures,
    deadline: Instant,
}

impl Bench<'_> {
    fn ask(&mut self, sample: &Sealed) -> Result<Answer, String> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(format!("the samples took more than {} s", TRIAL_WALL.as_secs()));
        }
        let request = Request { len: sample.len(), timeout_secs: SAMPLE_SECONDS }.encode();
        let wall = left.min(Duration::from_secs(u64::from(SAMPLE_SECONDS.saturating_add(5))));
        let answer = self.jail.ask(sample, 0, sample.len(), &request, wall).map_err(|error| error.to_string())?;
        let answer = engines::decode(&answer).map_err(|error| error.to_string())?.about(sample.len());
        match answer.error() {
            None => Ok(answer),
            Some(why) => Err(why.to_owned()),
        }
    }

    fn malicious(&mut self, sample: &Sealed) -> Result<(), String> {
        let answer = self.ask(sample)?;
        let bad = answer.detections().iter().any(|detection| detection.severity == Severity::Malicious);
        if bad { Ok(()) } else { Err("no rule calls it malicious".to_owned()) }
    }

    /// Names of all that hit.
    fn told(&mut self, sample: &Sealed, digest: Digest) -> Result<Vec<String>, String> {
        let answer = self.ask(sample)?;
        let told = answer.detections().iter().filter(|detection| detection.severity != Severity::Note);
        let mut names: Vec<String> = told.map(|detection| detection.rule.clone()).collect();
        for set in self.signatures.hashes.sets().iter().filter(|set| set.purpose() == Purpose::KnownBad) {
            names.extend(set.find(&digest.into()).map_err(|error| error.to_string())?);
        }
        Ok(names)
    }
}
