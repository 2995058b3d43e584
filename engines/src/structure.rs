//! `structure`: our own static analysis. The format code notes facts while it takes a file apart (macros that run by
//! themselves, names that deceive, packed programs), inside the reconstruct jail; here their weights are added up, file
//! by file. It reads no byte and knows no signature.
//!
//! What reconstruction removes is `suspicious` at most: a macro that goes is no reason to withhold the rest. `malicious`
//! are only combinations that no honest file has.

use crate::{Answer, Descriptor, Detection, EngineId, Home, Provenance, RuleMeta, Severity};
use model::{Child, Digest, Fact, Facts, Finding};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const DESCRIPTOR: Descriptor = Descriptor { id: ID, home: Home::Facts { provenance, judge } };

const ID: &str = "structure";

/// A file whose facts weigh this much is suspicious.
const SUSPICIOUS: u32 = 30;

/// A combination that no honest file has: its name, the facts that must all be there, and those of which one must.
struct Combination {
    name: &'static str,
    all: &'static [Fact],
    any: &'static [Fact],
    sentence: &'static str,
}

const COMBINATIONS: &[Combination] = &[
    Combination {
        name: "macro-dropper",
        all: &[Fact::VbaAutoRun, Fact::VbaDownload],
        any: &[Fact::VbaPowerShell],
        sentence: "A macro that runs by itself fetches a file and hands it to a program that runs what it is given.",
    },
    Combination {
        name: "macro-downloader",
        all: &[Fact::VbaAutoRun, Fact::VbaDownload, Fact::VbaShell],
        any: &[Fact::VbaObfuscated, Fact::VbaEnvironment],
        sentence: "A macro that runs by itself fetches a file into a hidden place and starts it.",
    },
    Combination {
        name: "macro-injector",
        all: &[Fact::VbaAutoRun, Fact::VbaDeclare, Fact::VbaInject],
        any: &[],
        sentence: "A macro that runs by itself puts code into memory and starts it.",
    },
    Combination {
        name: "pdf-dropper",
        all: &[Fact::AttachedProgram],
        any: &[Fact::Launch, Fact::JavaScriptReach],
        sentence: "A program is attached, and an action of the document opens it.",
    },
];

/// What was noted about one input and its members, as the engine sees it.
#[derive(Clone, Debug)]
pub struct Noted<'a> {
    /// Facts of the reconstruct job.
    pub facts: &'a Facts,
    /// Findings of the input.
    pub findings: &'a [Finding],
    /// Members, with findings of their own.
    pub children: &'a [Child],
    /// Size of the input in bytes.
    pub len: u64,
}

/// What is said about one file: the input (empty) or a member by its path.
pub type Judged = (String, Answer);

fn provenance() -> Provenance {
    Provenance {
        engine: EngineId::fixed(ID),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rules_id: "built in".to_owned(),
        rules: Some(table()),
        // Its knowledge is its code, which has a version and no date.
        rules_date: String::new(),
    }
}

/// Stands for the table of facts: the name, weight and words of each, folded into 32 bytes. Tells tables apart, and
/// protects nothing.
fn table() -> Digest {
    let mut lanes = [0xcbf2_9ce4_8422_2325_u64, 0x8422_2325_cbf2_9ce4, 0x9ce4_8422_2325_cbf2, 0x2325_cbf2_9ce4_8422];
    let rows = Fact::ALL.iter().map(|fact| format!("{} {} {}", fact.id(), fact.weight(), fact.sentence()));
    let rows = rows.chain(COMBINATIONS.iter().map(|c| format!("{} {:?} {:?}", c.name, c.all, c.any)));
    for byte in rows.flat_map(String::into_bytes) {
        for lane in &mut lanes {
            *lane = (*lane ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(lanes.iter().flat_map(|lane| lane.to_be_bytes())).for_each(|(to, from)| *to = from);
    Digest::new(bytes)
}

/// Judges each file by itself: what is harmless in two files of an archive does not become harmful by lying together.
fn judge(noted: &Noted<'_>) -> Vec<Judged> {
    let mut files: BTreeMap<String, BTreeMap<Fact, String>> = BTreeMap::from([(String::new(), BTreeMap::new())]);
    let mut note = |file: &str, fact: Fact, at: &str| {
        files.entry(file.to_owned()).or_default().entry(fact).or_insert_with(|| at.to_owned());
    };
    for seen in noted.facts.rows() {
        note(&seen.file, seen.fact, &seen.at);
    }
    by_findings("", noted.findings, noted.children, &mut note);
    files.into_iter().map(|(file, facts)| (file, answer(&facts, noted.len))).collect()
}

fn by_findings(file: &str, findings: &[Finding], children: &[Child], note: &mut dyn FnMut(&str, Fact, &str)) {
    for finding in findings {
        if let Some(fact) = Fact::of_finding(&finding.id) {
            note(file, fact, &finding.at);
        }
    }
    for child in children {
        let path = if file.is_empty() { child.name.clone() } else { format!("{file}/{}", child.name) };
        by_findings(&path, &child.findings, &child.children, note);
    }
}

fn answer(facts: &BTreeMap<Fact, String>, len: u64) -> Answer {
    let seen: BTreeSet<Fact> = facts.keys().copied().collect();
    let weight: u32 = seen.iter().map(|fact| u32::from(fact.weight())).sum();
    let severity = if weight >= SUSPICIOUS { Severity::Suspicious } else { Severity::Note };
    let met = COMBINATIONS.iter().filter(|combination| {
        combination.all.iter().all(|fact| seen.contains(fact))
            && (combination.any.is_empty() || combination.any.iter().any(|fact| seen.contains(fact)))
    });
    let combined = met.filter_map(|c| told(c.name, Severity::Malicious, 100, c.sentence.to_owned()));
    let single = facts.iter().filter_map(|(fact, at)| {
        let place = if at.is_empty() { String::new() } else { format!(" In: {at}.") };
        let sentence = format!("{}{place} ({})", fact.sentence(), fact.attack_ids());
        told(&fact.id(), severity, fact.weight(), sentence)
    });
    Answer::scanned(combined.chain(single).collect(), len)
}

fn told(rule: &str, severity: Severity, score: u8, sentence: String) -> Option<Detection> {
    let meta = RuleMeta { score: Some(score), ..RuleMeta::default() };
    Some(Detection { sentence: Some(sentence), ..Detection::new(rule, severity)?.with(meta) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{EngineVerdict, FindingAction, Findings};

    fn judged(facts: &[(Fact, &str)], findings: &[&str]) -> Vec<(String, EngineVerdict)> {
        let mut list = Facts::default();
        facts.iter().for_each(|(fact, file)| list.add(*fact, file, "somewhere", 1));
        let mut rows = Findings::new();
        findings.iter().for_each(|id| rows.add(id, FindingAction::Removed, ""));
        let noted = Noted { facts: &list, findings: rows.rows(), children: &[], len: 9 };
        judge(&noted).into_iter().map(|(file, answer)| (file, answer.about(9).verdict())).collect()
    }

    fn verdict(facts: &[Fact]) -> EngineVerdict {
        let facts: Vec<(Fact, &str)> = facts.iter().map(|fact| (*fact, "")).collect();
        judged(&facts, &[])[0].1
    }

    #[test]
    fn facts_add_up_and_only_a_combination_is_malicious() {
        assert_eq!(verdict(&[]), EngineVerdict::Clean);
        assert_eq!(verdict(&[Fact::Vba, Fact::VbaAutoRun, Fact::VbaCreateObject]), EngineVerdict::Clean);
        assert_eq!(verdict(&[Fact::Vba, Fact::VbaAutoRun, Fact::VbaShell]), EngineVerdict::Suspicious);
        assert_eq!(verdict(&[Fact::VbaAutoRun, Fact::VbaDownload, Fact::VbaShell]), EngineVerdict::Suspicious);
        let downloader = [Fact::VbaAutoRun, Fact::VbaDownload, Fact::VbaShell, Fact::VbaEnvironment];
        assert_eq!(verdict(&downloader), EngineVerdict::Malicious);
        assert_eq!(verdict(&[Fact::VbaAutoRun, Fact::VbaDeclare, Fact::VbaInject]), EngineVerdict::Malicious);
        assert_eq!(verdict(&[Fact::Launch]), EngineVerdict::Suspicious);
        assert_eq!(verdict(&[Fact::Launch, Fact::AttachedProgram]), EngineVerdict::Malicious);
    }

    #[test]
    fn files_are_judged_one_by_one() {
        let apart = [(Fact::VbaAutoRun, "a.docm"), (Fact::VbaDownload, "b.docm"), (Fact::VbaPowerShell, "c.docm")];
        assert!(judged(&apart, &[]).iter().all(|(_, verdict)| *verdict == EngineVerdict::Clean));
        let together = apart.map(|(fact, _)| (fact, "a.docm"));
        let wanted = [(String::new(), EngineVerdict::Clean), ("a.docm".to_owned(), EngineVerdict::Malicious)];
        assert_eq!(judged(&together, &[]), wanted);
    }

    #[test]
    fn findings_count_as_facts() {
        assert_eq!(judged(&[], &["PDF-22"])[0].1, EngineVerdict::Suspicious);
        assert_eq!(judged(&[], &["PDF-64", "PDF-44"])[0].1, EngineVerdict::Clean);
    }

    #[test]
    fn every_detection_says_where_and_why() {
        let mut facts = Facts::default();
        facts.add(Fact::VbaShell, "", "Module1", 3);
        let noted = Noted { facts: &facts, findings: &[], children: &[], len: 0 };
        let detection = judge(&noted)[0].1.detections()[0].clone();
        assert_eq!((detection.rule.as_str(), detection.severity), ("vba-shell", Severity::Note));
        assert_eq!(detection.sentence.unwrap(), "A macro starts a program. In: Module1. (T1059.005,T1137.001)");
        for combination in COMBINATIONS {
            assert!(Detection::new(combination.name, Severity::Malicious).is_some(), "{}", combination.name);
        }
    }
}
