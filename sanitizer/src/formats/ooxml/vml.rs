//! VML in Word documents (ECMA-376 Part 4, clause 19): text boxes and pictures become DrawingML, the rest goes
//! (OOX-39, OOX-11).

use super::names::{NAMES, Ns};
use super::parts::PartKind;
use super::read::{Frag, Item};
use super::transform::Transform;
use model::Refusal;

/// English Metric Units in a point.
const EMU: f64 = 12_700.0;

/// Width and height in EMU.
type Size = (u64, u64);

/// Ours: what a shape without a size gets.
const DEFAULT: Size = (2_540_000, 1_270_000);

impl Transform<'_, '_, '_, '_> {
    /// `w:pict` and `w:object`: each text box and picture in it as a drawing in the line.
    pub(super) fn vml(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, after, .. }) = frag.item(at) else {
            return Ok(());
        };
        self.count(if NAMES.row(el).name == "object" { "OOX-11" } else { "OOX-39" });
        let mut size = DEFAULT;
        let mut title = String::new();
        let mut next = at.saturating_add(1);
        while next < after {
            let Some(Item::Start { el, attributes, after: behind, .. }) = frag.item(next) else {
                next = next.saturating_add(1);
                continue;
            };
            let row = NAMES.row(el);
            match (row.ns, row.name) {
                // Word wrote the drawing itself beside or inside.
                (Ns::W, "drawing") => {
                    self.element(frag, next)?;
                    next = behind;
                    continue;
                }
                (Ns::W, "txbxContent") => {
                    self.text_box(frag, next, size)?;
                    next = behind;
                    continue;
                }
                (Ns::V, "imagedata") => {
                    if let Some(id) = frag.attribute(attributes, Ns::R, "id") {
                        let id = self.follow(id, &[PartKind::Picture])?;
                        self.picture(id, size, &title)?;
                    }
                }
                (Ns::V, "textbox") => {}
                (Ns::V, _) => {
                    size = frag.attribute(attributes, Ns::None, "style").and_then(style_size).unwrap_or(DEFAULT);
                    frag.attribute(attributes, Ns::None, "alt").unwrap_or_default().clone_into(&mut title);
                }
                _ => {}
            }
            next = next.saturating_add(1);
        }
        Ok(())
    }

    /// Up to the graphic's data: extent and a name of ours.
    fn inline(&mut self, size: Size, title: &str) -> u64 {
        let number = self.b.next_drawing;
        self.b.next_drawing = number.saturating_add(1);
        let w = &mut self.w;
        w.literal(
            &[Ns::W, Ns::Wp, Ns::A],
            "<w:drawing><wp:inline distT=\"0\" distB=\"0\" distL=\"0\" distR=\"0\"><wp:extent cx=\"",
        );
        w.number(size.0);
        w.literal(&[], "\" cy=\"");
        w.number(size.1);
        w.literal(&[], "\"/><wp:docPr id=\"");
        w.number(number);
        w.literal(&[], "\" name=\"Object ");
        w.number(number);
        if !title.is_empty() {
            w.literal(&[], "\" descr=\"");
            w.quoted(title);
        }
        w.literal(&[], "\"/><a:graphic><a:graphicData uri=\"");
        number
    }

    fn rectangle(&mut self, size: Size) {
        let w = &mut self.w;
        w.literal(&[], "<a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"");
        w.number(size.0);
        w.literal(&[], "\" cy=\"");
        w.number(size.1);
        w.literal(&[], "\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom>");
    }

    fn text_box(&mut self, frag: &Frag, content: usize, size: Size) -> Result<(), Refusal> {
        self.inline(size, "");
        self.w.literal(&[Ns::Wps], "http://schemas.microsoft.com/office/word/2010/wordprocessingShape\"><wps:wsp><wps:cNvSpPr txBox=\"1\"/><wps:spPr>");
        self.rectangle(size);
        self.w.literal(&[], "</wps:spPr><wps:txbx>");
        self.element(frag, content)?;
        self.w.literal(&[], "</wps:txbx><wps:bodyPr/></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing>");
        Ok(())
    }

    fn picture(&mut self, id: Option<String>, size: Size, title: &str) -> Result<(), Refusal> {
        let id = match id {
            Some(id) => id,
            None => {
                let Some(part) = self.b.picture(None, self.base)? else {
                    return Ok(());
                };
                format!("rId{}", self.relate("image", super::build::Target::Part(part)))
            }
        };
        let number = self.inline(size, title);
        let w = &mut self.w;
        w.literal(
            &[Ns::Pic, Ns::R],
            "http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:pic><pic:nvPicPr><pic:cNvPr id=\"",
        );
        w.number(number);
        w.literal(&[], "\" name=\"Picture ");
        w.number(number);
        w.literal(&[], "\"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed=\"");
        w.quoted(&id);
        w.literal(&[], "\"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr>");
        self.rectangle(size);
        self.w.literal(&[], "</pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing>");
        Ok(())
    }
}

/// Width and height out of a shape's style (CSS), where both are lengths.
fn style_size(style: &str) -> Option<Size> {
    let property = |wanted: &str| {
        style.split(';').find_map(|pair| {
            let (name, value) = pair.split_once(':')?;
            (name.trim() == wanted).then(|| length(value.trim())).flatten()
        })
    };
    Some((property("width")?, property("height")?))
}

fn length(value: &str) -> Option<u64> {
    let unit = value.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = value.split_at_checked(unit)?;
    let points = match unit {
        "pt" => 1.0,
        "in" => 72.0,
        "cm" => 72.0 / 2.54,
        "mm" => 7.2 / 2.54,
        "px" => 0.75,
        _ => return None,
    };
    let emu = number.trim().parse::<f64>().ok()? * points * EMU;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bound: checked on this line")]
    (1.0..1e9).contains(&emu).then_some(emu as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_shapes_are_read() {
        assert_eq!(style_size("position:absolute;width:100pt;height:1in"), Some((1_270_000, 914_400)));
        assert_eq!(style_size("width:100;height:1in"), None);
        assert_eq!(style_size("width:1e300pt;height:-1in"), None);
    }
}
