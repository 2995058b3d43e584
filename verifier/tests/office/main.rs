//! The second reader against documents and archives that are right but for one thing.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests of small things"
)]

mod archives;
mod carriers;
mod content;
mod document;
mod mutants;
mod plant;
mod twins;
mod zip;

use model::{Format, Policy, vector};
use std::collections::BTreeMap;

fn read(bytes: &[u8], format: Format) -> Result<(), verifier::Rejection> {
    verifier::verify(bytes, format, &Policy::standard())
}

#[test]
fn every_construct_of_the_catalogue_is_refused_and_its_benign_twin_is_not() {
    for twin in twins::all() {
        let mut document = (twin.base)();
        (twin.plant)(&mut document);
        let answer = read(&document.bytes(), document.format);
        assert!(answer.is_ok(), "{} {}: {}", twin.row, twin.what, answer.unwrap_err());
    }
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let mut alive = Vec::new();
    for mutant in mutants::all() {
        assert!(vector(mutant.row).is_some(), "{} is no row of the catalogue", mutant.row);
        let mut document = (mutant.base)();
        (mutant.plant)(&mut document);
        *rows.entry(mutant.row).or_default() += 1;
        match read(&document.bytes(), document.format) {
            Ok(()) => alive.push(format!("{} {}", mutant.row, mutant.what)),
            Err(why) => println!("{} {}: {why}", mutant.row, mutant.what),
        }
    }
    let made: usize = rows.values().sum();
    println!("mutants killed / made: {} / {made} in {} rows", made - alive.len(), rows.len());
    assert!(alive.is_empty(), "accepted: {alive:#?}");
}

#[test]
fn no_flip_or_cut_of_a_document_makes_the_reader_panic_and_no_cut_passes() {
    for document in [document::docx(), carriers::commented()] {
        let bytes = document.bytes();
        for at in 0..bytes.len() {
            assert!(read(&bytes[..at], document.format).is_err(), "cut at {at}");
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(read(&flipped, document.format).is_err(), "flip at {at}");
        }
        assert!(read(&[&bytes[..], b"\0"].concat(), document.format).is_err());
    }
}

#[test]
fn no_flip_inside_a_part_makes_the_reader_panic() {
    for base in [document::docx, carriers::drawn, carriers::commented, document::pptx] {
        let whole = base();
        for name in whole.parts.keys() {
            let length = whole.parts[name].0.len();
            for at in (0..length).step_by(7) {
                let mut document = whole.clone();
                let bytes = &mut document.parts.get_mut(name).unwrap().0;
                bytes[at] ^= 1 << (at % 7);
                let _ = read(&document.bytes(), document.format);
                document.parts.get_mut(name).unwrap().0.truncate(at);
                assert!(read(&document.bytes(), document.format).is_err(), "{name} cut at {at}");
            }
        }
    }
}

#[test]
fn what_the_policy_forbids_is_refused_though_it_is_of_the_dialect() {
    let mut policy = Policy::standard();
    policy.formats.word = policy.formats.word.map(|p| model::Office { links: model::Links::Text, ..p });
    policy.formats.excel = policy.formats.excel.map(|p| model::Office { comments: model::Comments::Remove, ..p });
    assert!(verifier::verify(&document::docx().bytes(), Format::Docx, &policy).is_err(), "a link");
    assert!(verifier::verify(&carriers::commented().bytes(), Format::Xlsx, &policy).is_err(), "a comment");
    let mut field = document::docx();
    field.relationships.get_mut(document::BODY).unwrap().remove(1);
    field.replace(document::BODY, " r:id=\"rId2\"", " w:anchor=\"x\"");
    field.replace(
        document::BODY,
        " xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"",
        "",
    );
    assert!(verifier::verify(&field.bytes(), Format::Docx, &policy).is_ok(), "no link out");
    let simple = "<w:p><w:fldSimple w:instr=\"HYPERLINK &quot;https://x.invalid/&quot;\"/></w:p><w:sectPr/>";
    field.replace(document::BODY, "<w:sectPr/>", simple);
    assert!(verifier::verify(&field.bytes(), Format::Docx, &policy).is_err(), "a link in a field");
    assert!(verifier::verify(&field.bytes(), Format::Docx, &Policy::standard()).is_ok());
}
