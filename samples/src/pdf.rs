//! PDF files written out by hand, so that a test knows each byte.

use crate::{CANARY, KEEP};

/// A one-page document with nothing to remove.
#[must_use]
pub fn pdf_plain() -> Vec<u8> {
    pdf_with("", "", &[])
}

/// A one-page document with JavaScript at opening (PDF-35, PDF-21), a launch action on the page (PDF-37, PDF-22), an
/// embedded file (PDF-44) and a link that may stay (PDF-23).
#[must_use]
pub fn pdf() -> Vec<u8> {
    let script = format!("<</S/JavaScript/JS(app.alert\\(\"{CANARY}\"\\))>>");
    let spec = format!("<</Type/Filespec/F({CANARY}.txt)/EF<</F 9 0 R>>>>");
    let stream = format!("<</Type/EmbeddedFile/Length {}>>stream\n{CANARY}\nendstream", CANARY.len());
    let link = "<</Type/Annot/Subtype/Link/Rect[72 700 200 720]/Border[0 0 0]/A<</S/URI/URI(https://keep.invalid/)>>>>";
    pdf_with(
        "/OpenAction 6 0 R/Names<</EmbeddedFiles<</Names[(a) 8 0 R]>>>>",
        "/AA<</O 7 0 R>>/Annots[10 0 R]",
        &[&script, &format!("<</S/Launch/F({CANARY}.exe)>>"), &spec, &stream, link],
    )
}

/// A one-page document whose script at opening hides behind names written with `#xx` (PDF-07).
#[must_use]
pub fn pdf_obfuscated() -> Vec<u8> {
    let script = format!("<</S/J#61vaScript/J#53(app.alert\\(\"{CANARY}\"\\))>>");
    pdf_with("/Open#41ction 6 0 R", "", &[&script])
}

/// A one-page document with `catalog` and `page` entries added, and `objects` from number 6 up.
#[must_use]
pub fn pdf_with(catalog: &str, page: &str, objects: &[&str]) -> Vec<u8> {
    let content = format!("BT /F1 18 Tf 72 700 Td ({KEEP}) Tj ET");
    let mut bodies = vec![
        format!("<</Type/Catalog/Pages 2 0 R{catalog}>>"),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R{page}>>"
        ),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    bodies.extend(objects.iter().map(|&body| body.to_owned()));
    let mut out = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (number, body) in (1u32..).zip(&bodies) {
        offsets.push(out.len());
        out.extend(format!("{number} 0 obj\n{body}\nendobj\n").bytes());
    }
    let (start, size) = (out.len(), bodies.len().saturating_add(1));
    out.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
    offsets.iter().for_each(|offset| out.extend(format!("{offset:010} 00000 n \n").bytes()));
    out.extend(format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes());
    out
}
