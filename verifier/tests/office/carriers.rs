//! Documents of our dialect with a picture, a drawing, comments.

use crate::document::{A, BODY, C, DECLARATION, Document, SHEET, docx, png, xlsx};
use crate::plant::W_END;

pub const IMAGE: &str = "word/media/image1.png";

pub fn rename_picture(d: &mut Document, name: &str, content_type: &str) {
    let part = d.parts.remove(IMAGE).unwrap();
    d.parts.insert(name.into(), part);
    d.defaults.remove("png");
    d.defaults.insert(name.rsplit('.').next().unwrap().into(), content_type.into());
    d.relationships.get_mut(BODY).unwrap()[3].target = name.trim_start_matches("word/").into();
}

/// A document with a picture.
pub fn pictured() -> Document {
    let mut d = docx();
    d.defaults.insert("png".into(), "image/png".into());
    let id = d.binary(BODY, "image", IMAGE, "", &png());
    let fill = format!(
        "<w:drawing><wp:inline><a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:pic><pic:blipFill><a:blip r:embed=\"{id}\"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing>"
    );
    d.replace(BODY, W_END, &format!("<w:p><w:r>{fill}</w:r></w:p>{W_END}"));
    let r = "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
    let wp = "xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\"";
    let pic = "xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"";
    d.replace(BODY, r, &format!("{A} {r} {wp} {pic}"));
    d
}

/// A workbook with a drawing of a shape and a chart.
pub fn drawn() -> Document {
    let mut d = xlsx();
    let xdr = "xmlns:xdr=\"http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing\"";
    let r = "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
    let drawing = "xl/drawings/drawing1.xml";
    let frame = "<xdr:graphicFrame><a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/chart\"><c:chart r:id=\"rId1\"/></a:graphicData></a:graphic></xdr:graphicFrame>";
    let anchor = format!(
        "<xdr:absoluteAnchor><xdr:sp><xdr:txBody><a:p/></xdr:txBody></xdr:sp><xdr:sp textlink=\"One!B1\"/>{frame}</xdr:absoluteAnchor>"
    );
    let id =
        d.part(SHEET, "drawing", drawing, "drawing+xml", &format!("<xdr:wsDr {A} {r} {xdr} {C}>{anchor}</xdr:wsDr>"));
    d.replace(SHEET, "</worksheet>", &format!("<drawing r:id=\"{id}\"/></worksheet>"));
    let chart = format!(
        "<c:chartSpace {C}><c:chart><c:plotArea><c:barChart><c:ser><c:val><c:numRef><c:f>One!A1</c:f></c:numRef></c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"
    );
    d.part(drawing, "chart", "xl/charts/chart1.xml", "drawingml.chart+xml", &chart);
    d
}

/// A workbook with a comment and its box.
pub fn commented() -> Document {
    let mut d = xlsx();
    let s = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    let comments = format!(
        "<comments {s}><authors><author>A</author></authors><commentList><comment ref=\"C5\" authorId=\"0\"><text><t>note</t></text></comment></commentList></comments>"
    );
    d.part(SHEET, "comments", "xl/comments1.xml", "spreadsheetml.comments+xml", &comments);
    d.defaults.insert("vml".into(), "application/vnd.openxmlformats-officedocument.vmlDrawing".into());
    let vml = concat!(
        r##"<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel"><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>"##,
        r##"<v:shape id="_x0000_s1025" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;width:108pt;height:60pt;z-index:1;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:AutoFill>False</x:AutoFill><x:Row>4</x:Row><x:Column>2</x:Column></x:ClientData></v:shape></xml>"##,
    );
    let id = d.binary(SHEET, "vmlDrawing", "xl/drawings/vmlDrawing1.vml", "", format!("{DECLARATION}{vml}").as_bytes());
    d.replace(SHEET, "</worksheet>", &format!("<legacyDrawing r:id=\"{id}\"/></worksheet>"));
    d
}
