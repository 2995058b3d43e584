//! DOCX, XLSX and PPTX, with their macro and template kinds (ECMA-376, ISO/IEC 29500).
//!
//! The package is read part by part along its relationships, each part through the tables of names, and a new package
//! is written from what came out. `docs/formats/ooxml.md` and its three companions say what is kept, dropped and
//! converted, and what the output looks like to the byte.

mod build;
mod fields;
mod formula;
mod hooks;
mod link;
mod links;
mod media;
mod names;
mod package;
mod parts;
mod read;
mod sheet;
mod transform;
mod values;
mod vml;
mod write;

#[cfg(test)]
pub(crate) use names::dropped_elements;

/// Builds the tables of names and functions.
pub(crate) fn prepare() {
    std::sync::LazyLock::force(&names::NAMES);
    formula::prepare();
}

#[cfg(test)]
mod tests;

use crate::{Cx, Rebuilt, Reconstructor};
use model::{FindingAction, Format, Refusal, Untrusted};
use parts::Family;

/// The three families of Office Open XML.
pub struct Ooxml;

impl Reconstructor for Ooxml {
    fn formats(&self) -> &'static [Format] {
        &[
            Format::Docx,
            Format::Docm,
            Format::Dotx,
            Format::Dotm,
            Format::Xlsx,
            Format::Xlsm,
            Format::Xltx,
            Format::Xltm,
            Format::Pptx,
            Format::Pptm,
            Format::Ppsx,
            Format::Ppsm,
            Format::Potx,
            Format::Potm,
        ]
    }

    fn reconstruct(&self, input: Untrusted<'_>, format: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let family = if format.is_word() {
            Family::Word
        } else if format.is_excel() {
            Family::Excel
        } else {
            Family::PowerPoint
        };
        let policy = cx.policy.office(format).ok_or_else(|| Refusal::internal("ooxml: no policy"))?;
        let package = package::Package::open(input.bytes(), cx.budget)?;
        for (id, action, place) in package.archive().oddities() {
            cx.found(id, *action, place);
        }
        let output = format.without_macros();
        if output != format {
            cx.found("OOX-34", FindingAction::Neutralised, format.id());
        }
        let bytes = build::Builder::new(cx, &package, family, policy).build(output)?;
        Ok(Rebuilt::new(bytes, output))
    }
}
