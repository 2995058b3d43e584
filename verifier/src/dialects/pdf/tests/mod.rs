mod document;
mod mutants;

use crate::testing::{accept, read, torture};
use document::{full, small};
use model::Format::Pdf;

#[test]
fn documents_of_the_dialect_are_accepted() {
    accept(&small().write(), Pdf);
    accept(&full().write(), Pdf);
}

/// A policy that lets no link pass takes the same document without them only.
#[test]
fn links_are_the_policys() {
    let mut policy = model::Policy::standard();
    if let Some(pdf) = &mut policy.formats.pdf {
        pdf.links = model::Links::Text;
    }
    let document = full();
    let rejection = crate::verify(&document.write(), Pdf, &policy).unwrap_err();
    assert!(rejection.rule.contains("the policy lets no link pass"), "{rejection}");
    let mut without = document;
    without.remove("web", "A");
    without.set("web", "Dest", "[@page /Fit]");
    without.remove("item3", "A");
    assert_eq!(crate::verify(&without.write(), Pdf, &policy), Ok(()));
}

/// What a file brings forth is counted, text and streams.
#[test]
fn limits_are_spent() {
    let mut policy = model::Policy::standard();
    policy.limits.expanded_bytes = 4000;
    let rejection = crate::verify(&full().write(), Pdf, &policy).unwrap_err();
    assert!(rejection.rule.contains("expands past the limit"), "{rejection}");
}

#[test]
fn no_mutation_panics_and_no_frame_bends() {
    // What may change is content: digits of a number, say, that means as much as another.
    let passed = torture(&small().write(), Pdf);
    assert!(passed < 80, "{passed} flips pass");
    let whole = full().write();
    for cut in (0..whole.len()).step_by(97) {
        assert!(read(&whole[..cut], Pdf).is_err(), "cut at {cut}");
    }
    let mut passed = 0;
    let flips = (0..whole.len() * 8).step_by(61);
    let made = flips.len();
    for bit in flips {
        let mut wrong = whole.clone();
        wrong[bit / 8] ^= 1 << (bit & 7);
        passed += usize::from(read(&wrong, Pdf).is_ok());
    }
    assert!(passed * 5 < made, "{passed} of {made} flips pass");
}
