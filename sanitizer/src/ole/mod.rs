//! OLE2 compound files, read to show engines what is inside: macro source, packaged files. Nothing of them is ever
//! written, so what can't be read is skipped; the file itself is exported whole beside it.

mod cfb;
mod native;
mod vba;

pub use cfb::{Compound, MAGIC, Stream};
pub use vba::{Module, decompress};

use crate::Cx;
use crate::facts::{Fact, vba as calls};
use model::{ExportKind, Refusal};

/// Hands macro source and packaged files inside the compound file `bytes` to the engines, and notes what they show.
/// `place` is how the report calls the file.
///
/// # Errors
/// [`Refusal::Limit`] where the budget is spent.
pub fn look(bytes: &[u8], place: &str, cx: &mut Cx<'_>) -> Result<(), Refusal> {
    let Some(file) = Compound::open(bytes, cx.budget)? else {
        return Ok(());
    };
    let found = vba::modules(&file, cx.budget)?;
    for module in &found.modules {
        let title = if place.is_empty() { module.name.clone() } else { format!("{place}: {}", module.name) };
        cx.export(ExportKind::Script, &title, module.source.as_bytes())?;
        if module.stomped {
            cx.fact(Fact::VbaStomped, &title);
        }
        calls::look(&module.source, &title, cx);
    }
    if !found.modules.is_empty() {
        cx.fact(Fact::Vba, place);
    }
    if found.unread {
        cx.fact(Fact::VbaUnread, place);
    }
    for stream in file.streams().iter().filter(|stream| stream.name.eq_ignore_ascii_case("\u{1}Ole10Native")) {
        let data = file.read(stream, cx.budget)?;
        let Some(package) = native::package(&data) else { continue };
        cx.fact(Fact::OlePackage, place);
        if native::is_program(&package) {
            cx.fact(Fact::OlePackageProgram, place);
        }
        let title = format!("{place}: package {}", package.label);
        cx.export(ExportKind::Embedded, &title, package.data)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
