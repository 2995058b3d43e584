//! Office Open XML as we write it: DOCX, XLSX, PPTX and their templates and shows (ECMA-376 parts 1 to 4, transitional).
//!
//! A strict ZIP walk, a package in which every part, content type and relationship has its place (`package`), and in
//! every XML part nothing but the elements, attributes and values of closed lists (`part`, `names`). What acts, fetches
//! or embeds is on no list, so it needs no rule of its own; what names something by text does: fields, formulas, links.

mod fields;
mod formula;
mod functions;
mod kinds;
mod names;
mod package;
mod part;
mod values;
mod vml;

use crate::{Limits, Rejection};
use model::{Format, Policy};

/// Accepts a document, workbook or presentation.
pub fn verify(bytes: &[u8], format: Format, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let package = package::read(bytes, format, policy, limits)?;
    for item in package.items() {
        part::verify(&package, item, policy, limits).map_err(|rejection| rejection.inside(item.name))?;
    }
    Ok(())
}

/// Builds the tables of names and functions.
pub(super) fn prepare() {
    names::prepare();
    std::sync::LazyLock::force(&functions::FUNCTIONS);
}
