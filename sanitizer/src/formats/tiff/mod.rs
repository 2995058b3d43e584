//! TIFF: all pages, rebuilt from samples.
//!
//! Source: TIFF 6.0, its Technical Notes, BigTIFF. Kept, dropped, refused and our dialect: `docs/formats/tiff.md`.
//! Directories and samples are read by our own code, so that every offset, count and size is checked before it is used.

mod chunks;
mod colour;
mod fax;
mod ifd;
mod page;
mod write;

use crate::{Cx, Rebuilt, Reconstructor};
use ifd::{Directory, File};
use model::{FindingAction, Format, Refusal, Untrusted};
use page::Page;
use write::Writer;

/// TIFF pictures.
pub struct Tiff;

impl Reconstructor for Tiff {
    fn formats(&self) -> &'static [Format] {
        &[Format::Tiff]
    }

    fn reconstruct(&self, input: Untrusted<'_>, _: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let (file, directories) = File::open(input.bytes())?;
        let mut writer = Writer::new();
        for (number, directory) in directories.iter().enumerate() {
            cx.budget.spend_entries(1)?;
            let page = Page::read(&file, directory)?;
            report(directory, number, cx);
            let samples = chunks::decode(&file, &page, file.raw(directory, 347), cx.budget)?;
            let out = colour::convert(&page, samples, file.raw(directory, 34_675), cx.budget)?;
            cx.budget.spend_bytes(out.data.len() as u64)?;
            writer.page(&out)?;
        }
        Ok(Rebuilt::new(writer.finish(), Format::Tiff))
    }
}

fn report(directory: &Directory, number: usize, cx: &mut Cx<'_>) {
    for tag in directory.tags() {
        let (id, what) = match tag {
            700 | 33_723 | 34_377 | 34_665 | 34_853 | 37_724 => ("IMG-02", "metadata"),
            34_675 => ("IMG-20", "ICC profile"),
            330 => ("IMG-12", "sub-directories"),
            // Descriptive texts: document, image, make, model, page name, software, date, artist, host, copyright.
            269..=272 | 285 | 305 | 306 | 315 | 316 | 33_432 => ("GEN-15", "descriptive text"),
            // 32768 on is for private use; those of the specification's own supplements say how pixels are stored.
            32_768.. => ("IMG-12", "private tag"),
            _ => continue,
        };
        cx.found(id, FindingAction::Removed, &format!("page {}, {what}", number.saturating_add(1)));
    }
}

#[cfg(test)]
mod tests;
