//! The catalogue row by row: each content row of a family that has a dialect is planted into a file of that dialect,
//! with lengths, CRCs and cross references right, and refused; or a reason says why it can't be.

#![allow(
    dead_code,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::unwrap_used,
    reason = "tests of small things; the writers are shared with other tests"
)]

#[path = "../office/carriers.rs"]
mod carriers;
#[path = "../office/content.rs"]
mod content;
#[path = "../office/document.rs"]
mod document;
mod files;
#[path = "../office/mutants.rs"]
mod mutants;
mod pdf;
#[path = "../../src/dialects/pdf/tests/document.rs"]
mod pdf_document;
#[path = "../office/plant.rs"]
mod plant;
mod reasons;
mod words;
#[path = "../office/zip.rs"]
mod zip;

/// What the shared writer of PDFs asks for.
mod testing {
    use std::io::Write;

    pub fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }
}

use model::{Format, Policy, Untrusted, VECTORS};
use std::collections::{BTreeMap, BTreeSet};

/// A construct in a file that is of our dialect without it.
pub(crate) struct Planted {
    pub row: String,
    pub what: String,
    pub format: Format,
    pub twin: Vec<u8>,
    pub mutant: Vec<u8>,
}

pub(crate) fn planted(row: &str, what: &str, format: Format, twin: &[u8], mutant: Vec<u8>) -> Planted {
    Planted { row: row.into(), what: what.into(), format, twin: twin.to_vec(), mutant }
}

/// What the product makes of `sample`.
pub(crate) fn cleaned(name: &str, sample: &[u8]) -> Vec<u8> {
    let cleaned = sanitizer::clean(name, Untrusted::new(sample), &Policy::standard(), &mut sanitizer::Quiet);
    cleaned.result.unwrap_or_else(|e| panic!("{name}: {e:?}")).bytes
}

fn accepts(bytes: &[u8], format: Format) -> Result<(), verifier::Rejection> {
    verifier::verify(bytes, format, &Policy::standard())
}

/// Families of the catalogue that live in a format of ours, in its names or in its parts.
const FAMILIES: [&str; 10] = ["ARC", "CSV", "FNT", "GEN", "IMG", "NAM", "OOX", "PDF", "TXT", "XML"];

/// Rows outside those families that live in one all the same.
const MORE: [&str; 1] = ["SCR-02"];

fn office() -> Vec<Planted> {
    let all = mutants::all().into_iter().map(|mutant| {
        let mut document = (mutant.base)();
        let twin = document.bytes();
        (mutant.plant)(&mut document);
        // What changes the format changes what the mutant claims to be, and its twin is what it was.
        planted(mutant.row, &mutant.what, document.format, &twin, document.bytes())
    });
    all.collect()
}

#[test]
fn every_content_row_of_the_catalogue_is_planted_and_refused_or_has_its_reason() {
    let all: Vec<Planted> = [office(), pdf::all(), files::all(), words::all()].into_iter().flatten().collect();
    let mut wrong = Vec::new();
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for p in &all {
        if let Err(rejection) = accepts(&p.twin, p.format) {
            wrong.push(format!("{} {}: the twin is refused: {rejection}", p.row, p.what));
        }
        match accepts(&p.mutant, p.format) {
            Ok(()) => wrong.push(format!("{} {}: ACCEPTED", p.row, p.what)),
            Err(rejection) => {
                println!("{} {}: {rejection}", p.row, p.what);
                *rows.entry(&p.row).or_default() += 1;
            }
        }
    }
    let content = |action: &str| matches!(action, "remove" | "neutralise" | "re-encode");
    let ours = |id: &str| MORE.contains(&id) || FAMILIES.iter().any(|family| id.starts_with(family));
    let asked: BTreeSet<&str> = VECTORS.iter().filter(|v| content(v.action) && ours(v.id)).map(|v| v.id).collect();
    let reasons: BTreeMap<&str, &str> = reasons::NOT_PLANTABLE.into_iter().collect();
    for id in &asked {
        match (rows.contains_key(id), reasons.get(id)) {
            (false, None) => wrong.push(format!("{id} has neither a mutant nor a reason")),
            (true, Some(_)) => wrong.push(format!("{id} has a reason and a mutant")),
            (false, Some(why)) => println!("not plantable: {id}: {why}"),
            (true, None) => {}
        }
    }
    wrong.extend(reasons.keys().filter(|id| !asked.contains(*id)).map(|id| format!("{id} is not asked for")));
    wrong.extend(rows.keys().filter(|id| model::vector(id).is_none()).map(|id| format!("{id} is no row")));
    let killed = asked.iter().filter(|id| rows.contains_key(*id)).count();
    println!(
        "planted: killed {killed} of {} ids; {} not plantable; {} mutants",
        asked.len() - reasons.len(),
        reasons.len(),
        all.len()
    );
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
