mod document;

use crate::testing::{accept, torture};
use document::{full, small};
use model::Format::Pdf;

#[test]
fn documents_of_the_dialect_are_accepted() {
    accept(&small().write(), Pdf);
    accept(&full().write(), Pdf);
}

#[test]
fn no_mutation_panics_and_no_frame_bends() {
    // What may change is content: digits of a number, say, that means as much as another.
    let passed = torture(&small().write(), Pdf);
    assert!(passed < 80, "{passed} flips pass");
}
