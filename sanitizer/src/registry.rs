//! The one place to touch: a new format is a module, a line here, and the companions that the test below asks for.

use crate::{Reconstructor, formats};
use model::Format;

/// Every reconstructor.
pub static RECONSTRUCTORS: &[&dyn Reconstructor] = &[
    &formats::text::Text,
    &formats::bmp::Bmp,
    &formats::gif::Gif,
    &formats::jpeg::Jpeg,
    &formats::pdf::Pdf,
    &formats::png::Png,
    &formats::ooxml::Ooxml,
    &formats::zip::Zip,
    &formats::tiff::Tiff,
    &formats::webp::Webp,
];

/// The reconstructor that takes files of `format`.
#[must_use]
pub fn reconstructor(format: Format) -> Option<&'static dyn Reconstructor> {
    RECONSTRUCTORS.iter().copied().find(|r| r.formats().contains(&format))
}
