//! Pictures of a document: rebuilt by the picture reconstructors, or replaced by a placeholder of our own (OOX-24).

use super::package::Package;
use crate::switches::{Filter, off};
use crate::{Cx, spoils_the_container};
use model::{ExportKind, FindingAction, Format, Refusal, Untrusted};

/// The rebuilt picture and its extension; `None` where it can't be rebuilt.
///
/// # Errors
/// A refusal that spoils the whole document.
pub fn rebuild(
    cx: &mut Cx<'_>,
    package: &Package<'_>,
    entry: usize,
) -> Result<Option<(&'static str, Vec<u8>)>, Refusal> {
    let name = package.name(entry);
    let bytes = package.read(entry, cx.budget)?;
    if off(Filter::OoxPictures) {
        return Ok(Some((".png", bytes.into_owned())));
    }
    match cx.part(name, Untrusted::new(&bytes), ExportKind::Embedded) {
        Ok(rebuilt) => {
            if let Some(extension) = extension(rebuilt.format) {
                return Ok(Some((extension, rebuilt.bytes)));
            }
        }
        Err(refusal) if spoils_the_container(&refusal) => return Err(refusal),
        Err(_) => {}
    }
    cx.found("OOX-24", FindingAction::Removed, name);
    Ok(None)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "Office shows these five; all else gets the placeholder")]
fn extension(format: Format) -> Option<&'static str> {
    match format {
        Format::Png => Some(".png"),
        Format::Jpeg => Some(".jpg"),
        Format::Gif => Some(".gif"),
        Format::Bmp => Some(".bmp"),
        Format::Tiff => Some(".tif"),
        Format::Webp if off(Filter::OoxPictureKinds) => Some(".webp"),
        _ => None,
    }
}

/// Ours: large enough to be seen as a grey field with a frame.
const SIDE: u32 = 32;

/// A grey field with a darker frame, in the PNG dialect of this build.
///
/// # Errors
/// Where the picture can't be written, which is our own mistake.
pub fn placeholder(cx: &mut Cx<'_>) -> Result<Vec<u8>, Refusal> {
    let internal = |_| Refusal::internal("ooxml: placeholder");
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let last = SIDE.saturating_sub(1);
    let edge = |at: u32| at == 0 || at == last;
    let pixels: Vec<u8> =
        (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| if edge(x) || edge(y) { 0x80 } else { 0xd8 })).collect();
    let mut writer = encoder.write_header().map_err(internal)?;
    writer.write_image_data(&pixels).map_err(internal)?;
    writer.finish().map_err(internal)?;
    // Once through the PNG reconstructor, so that it is that dialect's picture and not a second one.
    match cx.part("placeholder.png", Untrusted::new(&bytes), ExportKind::Embedded) {
        Ok(rebuilt) if rebuilt.format == Format::Png => Ok(rebuilt.bytes),
        Ok(_) | Err(_) => Ok(bytes),
    }
}
