//! Benign twins: what a document may hold in the same places.

use crate::carriers::{commented, drawn, pictured};
use crate::document::{BODY, SLIDE, docx, pptx, xlsx};
use crate::plant::{Mutant, W_END, body, cell, field, in_book, mutant, paragraph, setting, simple_field, target};
use model::Format;

pub fn all() -> Vec<Mutant> {
    vec![
        mutant("OOX-01", "as it is", docx, |_| {}),
        mutant("OOX-01", "as it is", xlsx, |_| {}),
        mutant("OOX-01", "as it is", pptx, |_| {}),
        mutant("OOX-24", "a picture", pictured, |_| {}),
        mutant("OOX-38", "a drawing with a chart", drawn, |_| {}),
        mutant("OOX-39", "comments with their boxes", commented, |_| {}),
        mutant("OOX-22", "a footer that is named", docx, |d| {
            let root = "<w:ftr xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:p/></w:ftr>";
            let id = d.part(BODY, "footer", "word/footer1.xml", "wordprocessingml.footer+xml", root);
            d.replace(
                BODY,
                W_END,
                &format!("<w:sectPr><w:footerReference r:id=\"{id}\" w:type=\"default\"/></w:sectPr>"),
            );
        }),
        mutant("OOX-02", "a template", docx, |d| {
            d.format = Format::Dotx;
            let main = d.parts.get_mut(BODY).unwrap();
            main.1 = main.1.replace("document.main", "template.main");
        }),
        in_book(
            "OOX-05",
            "<definedNames><definedName name=\"_xlnm.Print_Area\" localSheetId=\"0\">One!$A$1</definedName></definedNames>",
        ),
        mutant("OOX-26", "a jump to a slide", pptx, |d| {
            let id = d.relate(SLIDE, "slide", "slide1.xml", false);
            d.replace(
                SLIDE,
                "r:id=\"\" action=\"ppaction://hlinkshowjump?jump=nextslide\"",
                &format!("r:id=\"{id}\" action=\"ppaction://hlinksldjump\""),
            );
        }),
        mutant("OOX-10", "a link on a shape", pptx, |d| {
            let id = d.relate(SLIDE, "hyperlink", "https://x.invalid/", true);
            d.replace(
                SLIDE,
                "r:id=\"\" action=\"ppaction://hlinkshowjump?jump=nextslide\"",
                &format!("r:id=\"{id}\" tooltip=\"t\""),
            );
        }),
        target("GEN-20", "mailto:a@b.invalid?subject=x%20y"),
        field("OOX-13", "PA~GE \\* MERGEFORMAT"),
        field("OOX-14", "TOC \\o \"1-3\" \\h \\z"),
        simple_field("OOX-10", "HYPERLINK &quot;https://x.invalid/&quot;"),
        cell("OOX-16", "HYPERLINK(\"https://x.invalid/\",\"x\")&IF(A1<2,\"a|b\",\"[1]\")"),
        setting("OOX-42", "<w:documentProtection w:edit=\"readOnly\" w:enforcement=\"1\"/>"),
        paragraph(
            "OOX-29",
            "<w:ins w:id=\"1\" w:author=\"A\"><w:r><w:t>x</w:t></w:r></w:ins><w:del w:id=\"2\"><w:r><w:delText>y</w:delText></w:r></w:del>",
        ),
        paragraph("OOX-30", "<w:r><w:rPr><w:vanish/></w:rPr><w:t>x</w:t></w:r>"),
        body("OOX-27", "<w:sdt><w:sdtPr><w:alias w:val=\"x\"/></w:sdtPr><w:sdtContent><w:p/></w:sdtContent></w:sdt>"),
    ]
}
