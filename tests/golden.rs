//! Golden cases: what each sample becomes, down to the byte. `UPDATE_GOLDEN=1` writes them anew after a change that was
//! meant.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and computes on values of its own"
)]

mod common;

use common::cases::cases;
use model::{Finding, Format, Method, Policy, ReasonCode, Untrusted};
use sanitizer::{Cleaned, Quiet, RECONSTRUCTORS};
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::path::{Path, PathBuf};

/// What is kept of a case: everything that a report would say, and the digest of the new file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Golden {
    format: Format,
    made: Option<Made>,
    refused: Option<ReasonCode>,
    findings: Vec<(String, model::FindingAction, u64, String)>,
    children: Vec<(String, Format, Option<Method>, Option<ReasonCode>)>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    format: Format,
    method: Method,
    sha256: String,
    bytes: usize,
}

fn golden_of(cleaned: &Cleaned) -> Golden {
    let finding = |f: &Finding| (f.id.clone(), f.action, f.count, f.at.clone());
    let made = cleaned.result.as_ref().ok().map(|rebuilt| Made {
        format: rebuilt.format,
        method: rebuilt.method,
        sha256: sha2::Sha256::digest(&rebuilt.bytes).iter().map(|b| format!("{b:02x}")).collect(),
        bytes: rebuilt.bytes.len(),
    });
    let child = |c: &model::Child| (c.name.clone(), c.format, c.method, c.reason.as_ref().map(|r| r.code));
    Golden {
        format: cleaned.format,
        made,
        refused: cleaned.result.as_ref().err().map(|refusal| refusal.reason().1.code),
        findings: cleaned.findings.iter().map(finding).collect(),
        children: cleaned.children.iter().map(child).collect(),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn every_sample_becomes_what_it_became_before() {
    let policy = Policy::standard();
    for (format, case, name, input) in cases() {
        let cleaned = sanitizer::clean(name, Untrusted::new(&input), &policy, &mut Quiet);
        let refused = case.starts_with("x-");
        assert_eq!(cleaned.result.is_err(), refused, "{format}/{case}: {:?}", cleaned.result.as_ref().err());
        if let Ok(rebuilt) = &cleaned.result {
            let verdict = verifier::verify(&rebuilt.bytes, rebuilt.format, &policy);
            assert_eq!(verdict, Ok(()), "{format}/{case}: the second reader refuses it");
            let canary = samples::CANARY.as_bytes();
            assert!(!rebuilt.bytes.windows(canary.len()).any(|w| w == canary), "{format}/{case}: canary");
        }
        let golden = golden_of(&cleaned);
        let path = root().join("tests/golden").join(format).join(format!("{case}.json"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, serde_json::to_string_pretty(&golden).unwrap() + "\n").unwrap();
        }
        let kept: Golden = serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default())
            .unwrap_or_else(|e| panic!("{}: {e}; UPDATE_GOLDEN=1 writes it", path.display()));
        assert_eq!(golden, kept, "{format}/{case}");
    }
}

/// The verifier refuses every hostile original: it must never be the sanitizer's accomplice.
#[test]
fn no_hostile_original_is_of_our_dialect() {
    let policy = Policy::standard();
    for (family, case, name, input) in cases() {
        if case == "plain" {
            continue;
        }
        let format = sanitizer::identify(name, Untrusted::new(&input), &policy).format;
        assert!(verifier::verify(&input, format, &policy).is_err(), "{family}/{case}");
    }
}

/// A new format brings its companions: a dialect, a page, a fuzz target, golden cases.
#[test]
fn every_reconstructor_has_its_companions() {
    for format in RECONSTRUCTORS.iter().flat_map(|r| r.formats()).filter(|f| f.without_macros() == **f) {
        let page = match format.id() {
            "dotx" => "docx",
            "xltx" => "xlsx",
            "ppsx" | "potx" => "pptx",
            "tsv" | "sylk" => "csv",
            "empty" => "txt",
            id => id,
        };
        for companion in
            [format!("docs/formats/{page}.md"), format!("fuzz/fuzz_targets/{page}.rs"), format!("tests/golden/{page}")]
        {
            assert!(root().join(&companion).exists(), "{format}: {companion} is missing");
        }
        assert!(
            verifier::supports(*format) || ["empty", "sylk"].contains(&format.id()),
            "{format}: nothing verifies it"
        );
    }
}
