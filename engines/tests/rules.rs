//! Every rule of our own has bytes that it must hit and a benign twin that it must miss.
//!
//! Samples are put together at run time from pieces, so that neither this source nor the test program is what a
//! scanner of somebody else looks for.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod samples;

use engines::yara::{Loaded, compile, load};
use engines::{Resident, Severity};
use model::Untrusted;
use samples::{SAMPLES, bytes};
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
        } else if let Some((key, value)) = line.trim().split_once(" = \"")
            && !line.trim().starts_with('$')
        {
            rules.get_mut(&name).unwrap().insert(key.to_owned(), value.trim_end_matches('"').to_owned());
        }
    }
    rules
}

#[test]
fn every_rule_hits_its_sample_and_misses_its_twin() {
    let rules = loaded();
    for sample in SAMPLES {
        let hit = hits(&rules, &bytes(sample.hit));
        assert!(hit.iter().any(|r| r == sample.rule), "{} misses its sample, {hit:?} hit", sample.rule);
        let miss = hits(&rules, &bytes(sample.miss));
        assert!(!miss.iter().any(|r| r == sample.rule), "{} hits its benign twin", sample.rule);
    }
}

#[test]
fn every_rule_has_a_sample_and_every_sample_a_rule() {
    let tested: std::collections::BTreeSet<&str> = SAMPLES.iter().map(|s| s.rule).collect();
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
    for sample in SAMPLES {
        let worst = rules.scan(Untrusted::new(&bytes(sample.hit)), 10).worst();
        assert_eq!(worst == Some(Severity::Malicious), malicious.iter().any(|m| m == sample.rule), "{}", sample.rule);
    }
}

/// The test string counts wherever it stands, not only as a file of its own.
#[test]
fn the_test_string_is_found_inside_other_bytes() {
    let rules = loaded();
    let eicar = bytes(SAMPLES.iter().find(|s| s.rule == "EICAR_Test_File").unwrap().hit);
    let wide: Vec<u8> = eicar.iter().flat_map(|b| [*b, 0]).collect();
    for text in [eicar, wide] {
        let object = [&vec![0x20; 100_000][..], &text, &[0xff; 100]].concat();
        assert_eq!(hits(&rules, &object), ["EICAR_Test_File"]);
    }
}
