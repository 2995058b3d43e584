//! Every rule of our own has bytes that it must hit and a benign twin that it must miss.
//!
//! Samples are put together at run time from pieces, so that neither this source nor the test program is what a
//! scanner of somebody else looks for.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod samples;

use engines::yara::{Loaded, compile, load};
use engines::{Resident, Severity};
use model::Untrusted;
use samples::{all, bytes};
use signatures::Signatures;
use std::collections::BTreeMap;

fn loaded() -> Loaded {
    load(&compile(&Signatures::built_in().unwrap().rules).unwrap()).unwrap()
}

fn hits(rules: &Loaded, object: &[u8]) -> Vec<String> {
    let answer = rules.scan(Untrusted::new(object), 10).about(object.len() as u64);
    assert_eq!(answer.error(), None);
    answer.detections().iter().map(|d| d.rule.clone()).collect()
}

/// Names of all rules, with their `meta` lines, as the texts say.
fn rules_of_the_folder() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut rules = BTreeMap::new();
    let mut name = String::new();
    for line in Signatures::built_in().unwrap().rules.sources().iter().flat_map(|source| source.text.lines()) {
        if let Some(rule) = line.strip_prefix("rule ") {
            name = rule.to_owned();
            assert!(rules.insert(name.clone(), BTreeMap::new()).is_none(), "{name} is there twice");
        } else if let Some((key, value)) = line.trim().split_once(" = ")
            && !line.trim().starts_with('$')
        {
            rules.get_mut(&name).unwrap().insert(key.to_owned(), value.trim_matches('"').to_owned());
        }
    }
    rules
}

#[test]
fn every_rule_hits_its_sample_and_misses_its_twin() {
    let rules = loaded();
    let mut wrong = Vec::new();
    for sample in all() {
        if !hits(&rules, &bytes(sample.hit)).iter().any(|r| r == sample.rule) {
            wrong.push(format!("{} misses its sample", sample.rule));
        }
        if hits(&rules, &bytes(sample.miss)).iter().any(|r| r == sample.rule) {
            wrong.push(format!("{} hits its benign twin", sample.rule));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_has_a_sample_and_every_sample_a_rule() {
    let tested: std::collections::BTreeSet<&str> = all().map(|s| s.rule).collect();
    let rules = rules_of_the_folder();
    assert_eq!(rules.keys().map(String::as_str).collect::<Vec<_>>(), tested.into_iter().collect::<Vec<_>>());
    assert_eq!(usize::try_from(loaded().rule_count()), Ok(rules.len()));
}

#[test]
fn every_rule_says_what_it_is_about() {
    let date = Signatures::built_in().unwrap().rules.date().to_owned();
    for (name, meta) in rules_of_the_folder() {
        let field = |key: &str| meta.get(key).unwrap_or_else(|| panic!("{name} has no {key}")).as_str();
        assert!(!field("description").is_empty(), "{name}");
        assert!(["malicious", "suspicious"].contains(&field("severity")), "{name}");
        assert!(model::vector(field("vector")).is_some(), "{name}: no construct {}", field("vector"));
        assert!(field("attack").split(',').all(|id| id.starts_with('T')), "{name}");
        assert_eq!(field("licence"), "MIT OR Apache-2.0", "{name}");
        assert_eq!(field("author"), "Sallyport", "{name}");
        assert_eq!(field("source"), "own", "{name}");
        assert!(field("score").parse::<u8>().is_ok_and(|score| score <= 100), "{name}");
        // A malicious one counts more than any that is only suspicious.
        assert_eq!(field("severity") == "malicious", field("score").parse::<u8>().unwrap() >= 90, "{name}");
        assert_eq!(field("date").len(), "2026-01-31".len(), "{name}");
        assert!(field("date") <= date.as_str(), "{name} is newer than the manifest says");
    }
}

/// Reconstruction saves documents with macros, links and objects in them; a "malicious" would withhold those.
#[test]
fn only_known_bad_is_malicious() {
    let malicious: Vec<String> = rules_of_the_folder()
        .into_iter()
        .filter(|(_, meta)| meta.get("severity").is_some_and(|s| s == "malicious"))
        .map(|(name, _)| name)
        .collect();
    assert!(
        malicious.iter().all(|name| name == "EICAR_Test_File" || name.ends_with("_Exploit")),
        "{malicious:?}: malicious is for the test file and for known exploits"
    );
    let rules = loaded();
    for sample in all() {
        let worst = rules.scan(Untrusted::new(&bytes(sample.hit)), 10).worst();
        assert_eq!(worst == Some(Severity::Malicious), malicious.iter().any(|m| m == sample.rule), "{}", sample.rule);
    }
}

/// The test string counts wherever it stands, not only as a file of its own.
#[test]
fn the_test_string_is_found_inside_other_bytes() {
    let rules = loaded();
    let eicar = bytes(all().find(|s| s.rule == "EICAR_Test_File").unwrap().hit);
    let wide: Vec<u8> = eicar.iter().flat_map(|b| [*b, 0]).collect();
    for text in [eicar, wide] {
        let object = [&vec![0x20; 100_000][..], &text, &[0xff; 100]].concat();
        assert_eq!(hits(&rules, &object), ["EICAR_Test_File"]);
    }
}

/// What a file of the corpus holds that a rule may hit: it acts, reaches for something, or is built to deceive.
const ACTIVE: &[&str] = &[
    "aa",
    "attachment",
    "contains-exec",
    "dde",
    "embedded",
    "eicar",
    "event-handler",
    "exec-command",
    "external-action",
    "external-dtd",
    "external-stream",
    "formula-injection",
    "hta",
    "javascript",
    "javascript-uri",
    "launch",
    "macro",
    "objupdate",
    "ole-link",
    "openaction",
    "polyglot",
    "remote-template",
    "script",
    "script-event",
    "traversal",
    "user-mcode",
    "xfa",
    "xlm",
    "xss",
    "xxe",
];

/// A rule that hits what plants send each other every day is worth nothing.
#[test]
fn no_rule_hits_a_valid_file_without_active_content() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let Ok(index) = std::fs::read_to_string(corpus.join("INDEX.tsv")) else {
        eprintln!("\n*** NOT TESTED: the corpus of real files is not beside the project ({}) ***\n", corpus.display());
        return;
    };
    let rules = loaded();
    let mut looked_at: u32 = 0;
    let mut wrong = Vec::new();
    for line in index.lines().skip(1) {
        let (path, tags) = (line.split('\t').next().unwrap(), line.rsplit('\t').next().unwrap());
        let tags: Vec<&str> = tags.split([',', ' ']).collect();
        // Some files say it by their name only.
        let named = ACTIVE.iter().any(|word| word.len() > 4 && path.contains(word));
        if named || !tags.contains(&"valid") || tags.iter().any(|tag| ACTIVE.contains(tag)) {
            continue;
        }
        looked_at = looked_at.saturating_add(1);
        let found = hits(&rules, &std::fs::read(corpus.join(path)).unwrap());
        if !found.is_empty() {
            wrong.push(format!("{path} ({}): {found:?}", tags.join(",")));
        }
    }
    assert!(looked_at > 1000, "{looked_at} files are too few to say anything");
    assert!(wrong.is_empty(), "{wrong:#?}");
    eprintln!("{looked_at} valid files without active content: no hit");
}
