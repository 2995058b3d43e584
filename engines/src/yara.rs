//! `yara`: libyara 4.5 with rules that are compiled in the station and loaded in a scan jail.
//!
//! libyara is C, and its compiled rules are bytecode with addresses in it: [`load`] belongs into a jail whose filters are
//! closed, nowhere else. [`compile`] reads only rule texts that the station authenticated. Rule texts have no `include`.
//!
//! Severity comes from a rule's metadata: `severity = "suspicious"`, or `"malicious"`, which is also what a rule without
//! it is. A time-out, a limit or any error of libyara is "not scanned", with the detections that were made by then.

use crate::{Answer, Descriptor, Detection, EngineError, EngineId, Home, Provenance, Resident, RuleMeta, Severity};
use ::yara::{
    CallbackMsg, CallbackReturn, Compiler, Error, MetadataValue, Rule, Rules, ScanFlags, Yara, YaraErrorKind,
};
use model::Untrusted;
use signatures::{RuleSet, Signatures};

pub(crate) const DESCRIPTOR: Descriptor =
    Descriptor { id: ID, home: Home::ScanJail { provenance, compile, load: |compiled| Ok(Box::new(load(compiled)?)) } };

const ID: &str = "yara";

/// libyara's version; a test compares it with what the workspace builds.
const VERSION: &str = "4.5.5";

/// Leads compiled rules: magic, number of rules (u32), length of what follows (u64). libyara itself takes a file that
/// ends early in its table of addresses for whole, and then jumps into nothing.
const MAGIC: [u8; 4] = *b"SYR1";

/// libyara complains that rules are too slow only about objects beyond 200,000 bytes.
const PROBE_BYTES: usize = 256 * 1024;

fn provenance(signatures: &Signatures) -> Provenance {
    Provenance {
        engine: EngineId::fixed(ID),
        version: VERSION.to_owned(),
        rules_id: signatures.rules.id().to_owned(),
        rules: Some(signatures.rules.sha256()),
        rules_date: signatures.rules.date().to_owned(),
    }
}

/// Compiles all rules of a set, each file in a namespace of its own.
///
/// # Errors
/// [`EngineError::Compile`] with the file and the line. One bad rule refuses the set.
pub fn compile(set: &RuleSet) -> Result<Vec<u8>, EngineError> {
    let failed = |what: String| EngineError::Compile { what };
    let mut compiler = Compiler::new().map_err(|e| failed(e.to_string()))?;
    // `include` would open files.
    compiler.disable_include_directive();
    for source in set.sources() {
        compiler = compiler
            .add_rules_str_with_namespace(&source.text, &source.name)
            .map_err(|e| failed(format!("{}: {e}", source.name)))?;
    }
    let mut rules = compiler.compile_rules().map_err(|e| failed(e.to_string()))?;
    let count = u32::try_from(rules.get_rules().len()).map_err(|e| failed(e.to_string()))?;
    let mut body = Vec::new();
    rules.save_to_stream(&mut body).map_err(|e| failed(e.to_string()))?;
    Ok([&MAGIC[..], &count.to_le_bytes(), &(body.len() as u64).to_le_bytes(), &body].concat())
}

/// Rules in memory, ready to scan.
pub struct Loaded {
    rules: Rules,
    count: u32,
}

/// Loads what [`compile`] made. Only inside a scan jail.
///
/// # Errors
/// [`EngineError::Load`] where the bytes are not whole, hold no rule, or hold rules that make libyara look at every byte
/// of every object.
pub fn load(compiled: &[u8]) -> Result<Loaded, EngineError> {
    let failed = |what: &str| EngineError::Load { what: what.to_owned() };
    let (head, body) = compiled.split_first_chunk::<16>().ok_or_else(|| failed("no header"))?;
    let [m0, m1, m2, m3, c0, c1, c2, c3, len @ ..] = *head;
    let count = u32::from_le_bytes([c0, c1, c2, c3]);
    if [m0, m1, m2, m3] != MAGIC || u64::from_le_bytes(len) != body.len() as u64 {
        return Err(failed("not whole"));
    }
    let mut rules = Rules::load_from_stream(body).map_err(|e| failed(&e.to_string()))?;
    if count == 0 || usize::try_from(count).ok() != Some(rules.get_rules().len()) {
        return Err(failed("the number of rules is wrong"));
    }
    // One match a string is enough for a verdict. No handler for faults: a fault must end the jail, not an answer.
    rules.set_flags(ScanFlags::FAST_MODE | ScanFlags::NO_TRYCATCH | ScanFlags::REPORT_RULES_MATCHING);
    // Copies of what matched are of no use to us. The setting is global and lasts as long as rules are loaded.
    Yara::new().and_then(|yara| yara.set_configuration_max_match_data(0)).map_err(|e| failed(&e.to_string()))?;
    let loaded = Loaded { rules, count };
    match loaded.scan(Untrusted::new(&vec![0; PROBE_BYTES]), 10).error() {
        None => Ok(loaded),
        Some(why) => Err(failed(&format!("a scan of zeros failed: {why}"))),
    }
}

impl Resident for Loaded {
    fn rule_count(&self) -> u32 {
        self.count
    }

    fn scan(&self, object: Untrusted<'_>, timeout_secs: u32) -> Answer {
        // libyara takes 0 for "for ever".
        let Some(timeout) = i32::try_from(timeout_secs).ok().filter(|secs| *secs > 0) else {
            return Answer::not_scanned("a time-out of 1 to 2147483647 seconds is needed", Vec::new(), 0);
        };
        let mut detections = Vec::new();
        let mut stopped = None;
        let result = self.rules.scan_mem_callback(object.bytes(), timeout, |message| match message {
            CallbackMsg::RuleMatching(rule) => match detection(&rule) {
                Some(found) => {
                    detections.push(found);
                    CallbackReturn::Continue
                }
                None => stop(&mut stopped, "a rule that matched has no proper name"),
            },
            CallbackMsg::TooManyMatches(_) => stop(&mut stopped, "a string matched too often"),
            // The binding knows every message of libyara but "too slow".
            CallbackMsg::UnknownMsg => stop(&mut stopped, "the rules are too slow for this object"),
            CallbackMsg::RuleNotMatching(_)
            | CallbackMsg::ImportModule(_)
            | CallbackMsg::ModuleImported(_)
            | CallbackMsg::ConsoleLog(_)
            | CallbackMsg::ScanFinished => CallbackReturn::Continue,
        });
        let read = object.len() as u64;
        match (stopped, result) {
            (None, Ok(())) => Answer::scanned(detections, read),
            (Some(why), _) => Answer::not_scanned(why, detections, 0),
            (None, Err(error)) if error.kind == YaraErrorKind::ScanTimeout => {
                Answer::not_scanned(&format!("time-out after {timeout} s"), detections, 0)
            }
            (None, Err(error)) => Answer::not_scanned(&Error::from(error).to_string(), detections, 0),
        }
    }
}

/// Remembers why, and has libyara return an error.
fn stop(stopped: &mut Option<&'static str>, why: &'static str) -> CallbackReturn {
    stopped.get_or_insert(why);
    CallbackReturn::Error
}

fn detection(rule: &Rule<'_>) -> Option<Detection> {
    let severity = match value(rule, "severity") {
        Some(MetadataValue::String("suspicious")) => Severity::Suspicious,
        // Missing, or a word that we don't know: the worse.
        None | Some(MetadataValue::String(_) | MetadataValue::Integer(_) | MetadataValue::Boolean(_)) => {
            Severity::Malicious
        }
    };
    Detection::new(rule.identifier, severity).map(|detection| detection.with(meta(rule)))
}

/// What public rule sets say about a rule, under the names that they use for it.
fn meta(rule: &Rule<'_>) -> RuleMeta {
    let text = |keys: &[&str]| {
        keys.iter().find_map(|key| match value(rule, key) {
            Some(MetadataValue::String(text)) => Some(*text),
            None | Some(MetadataValue::Integer(_) | MetadataValue::Boolean(_)) => None,
        })
    };
    let score = match value(rule, "score") {
        Some(MetadataValue::Integer(score)) => Some(*score),
        None | Some(MetadataValue::String(_) | MetadataValue::Boolean(_)) => None,
    };
    let licence = text(&["licence", "license", "license_url"]);
    RuleMeta::new(score, licence, text(&["source", "source_url", "reference"]))
}

fn value<'a, 'r>(rule: &'a Rule<'r>, key: &str) -> Option<&'a MetadataValue<'r>> {
    rule.metadatas.iter().find(|meta| meta.identifier == key).map(|meta| &meta.value)
}
