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

/// A BMP of the oldest header whose pixels have no bits: rows of no bytes once made the reader panic.
fn bmp_without_bits() -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    for part in [30u32, 0, 26, 12] {
        bytes.extend(part.to_le_bytes());
    }
    for part in [1u16, 1, 1, 0] {
        bytes.extend(part.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

/// A page whose property list is a membership in a layer that the catalogue does not list: a fuzzer made one, and the
/// second reader refused what was rebuilt from it.
fn pdf_with_unlisted_layer() -> Vec<u8> {
    samples::pdf_with(
        "/OCProperties<</OCGs[]/D<<>>>>",
        // The later key counts where one stands twice: the page draws the form, and nothing else.
        "/Resources<</XObject<</X 8 0 R>>>>/Contents 9 0 R",
        &[
            "<</Type/OCMD/OCGs 7 0 R>>",
            "<</Type/OCG/Name(layer)>>",
            "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/OC 6 0 R/Length 12>>stream\n0 0 5 5 re f\nendstream",
            "<</Length 5>>stream\n/X Do\nendstream",
        ],
    )
}

/// Cases by format and name: the input, and the name it comes under.
fn cases() -> Vec<(&'static str, &'static str, &'static str, Vec<u8>)> {
    let text = samples::text();
    let stub = samples::program_stub();
    let picture = samples::png_with_text();
    let members: &[(&str, &[u8])] = &[("folder/note.txt", &text), ("setup.exe", &stub), ("folder/cover.png", &picture)];
    let slip: &[(&str, &[u8])] = &[("../../escape.txt", &text), ("con.txt", &text)];
    vec![
        ("bmp", "plain", "a.bmp", samples::bmp()),
        ("bmp", "x-no-bits-per-pixel", "a.bmp", bmp_without_bits()),
        ("csv", "formula", "a.csv", samples::table()),
        ("docx", "field", "a.docx", samples::docx()),
        ("docx", "macros-and-template", "a.docm", samples::docm()),
        ("gif", "comment", "a.gif", samples::gif()),
        ("jpeg", "exif-and-trailer", "a.jpg", samples::jpeg_with_exif()),
        ("pdf", "active", "a.pdf", samples::pdf()),
        ("pdf", "plain", "a.pdf", samples::pdf_plain()),
        ("pdf", "layer-in-no-list", "a.pdf", pdf_with_unlisted_layer()),
        ("png", "text-and-trailer", "a.png", samples::png_with_text()),
        ("pptx", "program-click", "a.pptx", samples::pptx()),
        ("tiff", "plain", "a.tif", samples::tiff()),
        ("txt", "bidi-and-escapes", "a.txt", samples::text()),
        ("webp", "plain", "a.webp", samples::webp()),
        ("xlsx", "calls-out", "a.xlsx", samples::xlsx()),
        ("zip", "members", "a.zip", samples::zip(members)),
        ("zip", "x-program-only", "a.zip", samples::zip(&[("setup.exe", &stub)])),
        ("zip", "slip", "a.zip", samples::zip(slip)),
    ]
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
