//! One module a dialect, one line each in [`dialect`].

use crate::{Limits, Rejection};
use model::{Format, Policy};

mod bmp;
mod csv;
mod gif;
mod jpeg;
mod ooxml;
mod pdf;
mod picture;
mod png;
mod text;
mod tiff;
mod webp;
mod zip;

/// A reader of one dialect.
pub type Dialect = fn(&[u8], Format, &Policy, &mut Limits) -> Result<(), Rejection>;

/// The reader for `format`, or `None` where we write no such format.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "what has no dialect is rejected by the only caller")]
pub fn dialect(format: Format) -> Option<Dialect> {
    Some(match format {
        Format::Csv | Format::Tsv => csv::verify,
        Format::Docx | Format::Dotx | Format::Xlsx | Format::Xltx | Format::Pptx | Format::Ppsx | Format::Potx => {
            ooxml::verify
        }
        Format::Pdf => pdf::verify,
        Format::Txt => text::verify,
        Format::Zip => zip::verify,
        Format::Bmp => bmp::verify,
        Format::Gif => gif::verify,
        Format::Jpeg => jpeg::verify,
        Format::Png => png::verify,
        Format::Tiff => tiff::verify,
        Format::Webp => webp::verify,
        _ => return None,
    })
}

/// Reads `bytes` with the dialect of `format`; containers call this for their members.
///
/// # Errors
/// The first [`Rejection`]; a format without a dialect is one.
pub fn verify(bytes: &[u8], format: Format, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let reader = dialect(format).ok_or_else(|| Rejection::new(0, format!("no dialect for {format}")))?;
    reader(bytes, format, policy, limits)
}

/// Builds the tables of the dialects that have some.
pub(crate) fn prepare() {
    ooxml::prepare();
}
