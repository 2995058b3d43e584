//! The constructs of the catalogue: those of formulas, elements and media.

use crate::carriers::{IMAGE, commented, drawn, pictured, rename_picture};
use crate::document::{BODY, BOOK, SHEET, SLIDE, docx, pptx, xlsx};
use crate::plant::{
    Mutant, W_END, after_slide, body, cell, in_book, in_sheet, mutant, on_slide, paragraph, part, setting, whole_part,
};

const BIN: &str = "application/octet-stream";
const XML: &str = "application/xml";

pub fn all() -> Vec<Mutant> {
    let mut all = formulas();
    all.extend(elements());
    all.extend(media());
    all
}

fn formulas() -> Vec<Mutant> {
    let bad = [
        ("OOX-15", "cmd|'/c calc'!A1"),
        ("OOX-15", "[1]One!A1"),
        ("OOX-15", "'[1]One'!A1"),
        ("OOX-15", "'\\\\h\\[b.xlsx]One'!A1"),
        ("OOX-16", "WEBSERVICE(\"https://x\")"),
        ("OOX-16", "_xlfn.WEBSERVICE(A1)"),
        ("OOX-16", "FILTERXML(A1,A1)"),
        ("OOX-16", "RTD(\"x\",,1)"),
        ("OOX-16", "CALL(\"u\",\"v\")"),
        ("OOX-16", "REGISTER(\"u\")"),
        ("OOX-16", "REGISTER.ID(\"u\")"),
        ("OOX-16", "EXEC(\"cmd\")"),
        ("OOX-16", "HYPERLINK(\"file:x\")"),
        ("OOX-16", "HYPERLINK(A1)"),
        ("OOX-16", "_xlfn.IMAGE(\"https://x\")"),
        ("OOX-16", "CUBEVALUE(\"x\")"),
        ("OOX-16", "SQL.REQUEST(1)"),
        ("OOX-16", "_xlfn.ENCODEURL(A1)"),
        ("OOX-16", "_xlfn.PY(1)"),
        ("OOX-16", "_xlfn.STOCKHISTORY(1)"),
        ("OOX-16", "EVALUATE(A1)"),
        ("OOX-16", "SUM(1,EXEC (\"x\"))"),
    ];
    let mut all: Vec<Mutant> = bad.iter().map(|(row, formula)| cell(row, formula)).collect();
    let places: [(&str, &str, &str); 5] = [
        ("A1&gt;0", SHEET, "conditional format"),
        ("<formula1>1", SHEET, "validation"),
        ("One!$A$1", BOOK, "defined name"),
        ("<c:f>One!A1", "xl/charts/chart1.xml", "chart"),
        ("One!B1", "xl/drawings/drawing1.xml", "text link"),
    ];
    for (from, part, what) in places {
        for formula in ["WEBSERVICE(A1)", "[1]One!A1", "cmd|A1!B1"] {
            let prefix = from.rfind('>').map_or("", |at| &from[..=at]);
            let to = format!("{prefix}{formula}");
            all.push(mutant("OOX-38", format!("{what}: {formula}"), drawn, move |d| d.replace(part, from, &to)));
        }
    }
    all.push(part(
        "OOX-15",
        xlsx,
        "externalLink",
        "xl/externalLinks/externalLink1.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml",
        b"<x/>",
    ));
    all.push(part(
        "OOX-17",
        xlsx,
        "connections",
        "xl/connections.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.connections+xml",
        b"<x/>",
    ));
    all.push(part(
        "OOX-17",
        xlsx,
        "queryTable",
        "xl/queryTables/queryTable1.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.queryTable+xml",
        b"<x/>",
    ));
    all.push(part(
        "OOX-17",
        xlsx,
        "http://schemas.microsoft.com/office/2006/relationships/powerPivotData",
        "xl/model/item.data",
        BIN,
        b"x",
    ));
    all.push(part(
        "OOX-37",
        xlsx,
        "calcChain",
        "xl/calcChain.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml",
        b"<x/>",
    ));
    all.push(part(
        "OOX-29",
        xlsx,
        "revisionHeaders",
        "xl/revisions/revisionHeaders.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.revisionHeaders+xml",
        b"<x/>",
    ));
    all
}

fn elements() -> Vec<Mutant> {
    let ce = "xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\"";
    vec![
        paragraph("OOX-11", "<w:r><w:object/></w:r>"),
        part(
            "OOX-11",
            docx,
            "oleObject",
            "word/embeddings/oleObject1.bin",
            "application/vnd.openxmlformats-officedocument.oleObject",
            b"\xd0\xcf",
        ),
        part(
            "OOX-11",
            docx,
            "package",
            "word/embeddings/book.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            b"PK",
        ),
        in_sheet("OOX-11", "<oleObjects><oleObject shapeId=\"1\"/></oleObjects>"),
        on_slide("OOX-11", "<p:oleObj/>"),
        part("OOX-12", docx, "control", "word/activeX/activeX1.xml", "application/vnd.ms-office.activeX+xml", b"<x/>"),
        paragraph("OOX-12", "<w:r><w:control/></w:r>"),
        in_sheet("OOX-12", "<controls/>"),
        setting("OOX-19", "<w:frameset/>"),
        body("OOX-19", "<w:subDoc/>"),
        part(
            "OOX-19",
            docx,
            "webSettings",
            "word/webSettings.xml",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.webSettings+xml",
            b"<x/>",
        ),
        body("OOX-20", "<w:altChunk/>"),
        mutant("OOX-20", "an altChunk with its part", docx, |d| {
            let id = d.binary(BODY, "aFChunk", "word/afchunk.rtf", "application/rtf", b"{\\rtf1}");
            d.replace(BODY, W_END, &format!("<w:altChunk r:id=\"{id}\"/>{W_END}"));
        }),
        whole_part("OOX-21", "AlternateContent", move |t| {
            t.replace("<w:document ", &format!("<w:document {ce} "))
                .replace("<w:sectPr/>", "<mc:AlternateContent/><w:sectPr/>")
                .into()
        }),
        whole_part("OOX-21", "Ignorable", move |t| {
            t.replace("<w:document ", &format!("<w:document {ce} mc:Ignorable=\"w14\" ")).into()
        }),
        whole_part("OOX-21", "an unknown namespace", |t| {
            t.replace("<w:document ", "<w:document xmlns:v99=\"urn:v99\" ")
                .replace("<w:sectPr/>", "<v99:x/><w:sectPr/>")
                .into()
        }),
        after_slide("OOX-21", "<p:extLst><p:ext uri=\"{0}\"/></p:extLst>"),
        in_sheet("OOX-21", "<extLst><ext uri=\"{0}\"/></extLst>"),
        part(
            "OOX-22",
            xlsx,
            "printerSettings",
            "xl/printerSettings/printerSettings1.bin",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.printerSettings",
            b"x",
        ),
        part(
            "OOX-22",
            docx,
            "http://schemas.microsoft.com/office/2011/relationships/people",
            "word/people.xml",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.people+xml",
            b"<x/>",
        ),
        part(
            "OOX-22",
            docx,
            "http://schemas.microsoft.com/office/2006/relationships/keyMapCustomizations",
            "word/customizations.xml",
            "application/vnd.ms-word.keyMapCustomizations+xml",
            b"<x/>",
        ),
        part(
            "OOX-23",
            docx,
            "font",
            "word/fonts/font1.odttf",
            "application/vnd.openxmlformats-officedocument.obfuscatedFont",
            b"x",
        ),
        after_slide("OOX-26", "<p:timing><p:tnLst><p:cmd type=\"verb\" cmd=\"0\"/></p:tnLst></p:timing>"),
        after_slide("OOX-25", "<p:timing><p:tnLst><p:video/></p:tnLst></p:timing>"),
        after_slide("OOX-26", "<p:custDataLst/>"),
        mutant("OOX-26", "an action that runs a program", pptx, |d| {
            d.replace(SLIDE, "hlinkshowjump?jump=nextslide", "program")
        }),
        mutant("OOX-26", "an action that opens a file", pptx, |d| {
            d.replace(SLIDE, "hlinkshowjump?jump=nextslide", "hlinkfile")
        }),
        mutant("OOX-26", "a jump with a link", pptx, |d| {
            let id = d.relate(SLIDE, "hyperlink", "https://x.invalid/", true);
            d.replace(SLIDE, "r:id=\"\"", &format!("r:id=\"{id}\""));
        }),
        mutant("OOX-25", "a sound on a link", pptx, |d| d.replace(SLIDE, "nextslide\"", "nextslide\" endSnd=\"1\"")),
        part("OOX-27", docx, "customXml", "customXml/item1.xml", XML, b"<x/>"),
        body("OOX-27", "<w:sdt><w:sdtPr><w:dataBinding w:xpath=\"/x\"/></w:sdtPr><w:sdtContent/></w:sdt>"),
        mutant("OOX-28", "core properties", docx, |d| {
            d.binary(
                "",
                "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
                "docProps/core.xml",
                "application/vnd.openxmlformats-package.core-properties+xml",
                b"<x/>",
            );
        }),
        mutant("OOX-28", "custom properties", docx, |d| {
            drop(d.part("", "custom-properties", "docProps/custom.xml", "custom-properties+xml", "<x/>"))
        }),
        setting("OOX-28", "<w:docVars><w:docVar w:name=\"a\" w:val=\"payload\"/></w:docVars>"),
        setting("OOX-28", "<w:rsids><w:rsid w:val=\"00000001\"/></w:rsids>"),
        mutant("OOX-28", "an rsid", docx, |d| d.replace(BODY, "<w:p>", "<w:p w:rsidR=\"00000001\">")),
        paragraph("OOX-28", "<w:proofErr w:type=\"spellStart\"/>"),
        part(
            "OOX-31",
            docx,
            "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin",
            "_xmlsignatures/origin.sigs",
            "application/vnd.openxmlformats-package.digital-signature-origin",
            b"",
        ),
        whole_part("OOX-33", "a DTD", |t| t.replace("<w:document", "<!DOCTYPE x><w:document").into()),
        whole_part("OOX-33", "an entity", |t| t.replace("KEEP", "&x;").into()),
        whole_part("OOX-33", "a processing instruction", |t| {
            t.replace("<w:document", "<?mso-application x?><w:document").into()
        }),
        whole_part("OOX-33", "a comment", |t| t.replace("<w:sectPr/>", "<!-- x --><w:sectPr/>").into()),
        whole_part("OOX-33", "CDATA", |t| t.replace("KEEP", "<![CDATA[x]]>").into()),
        whole_part("OOX-33", "a byte order mark", |t| format!("\u{feff}{t}").into()),
        whole_part("OOX-33", "UTF-16", |t| t.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        whole_part("OOX-33", "bytes after the root", |t| format!("{t}<!-- -->").into()),
        whole_part("OOX-33", "text between elements", |t| t.replace("<w:body>", "<w:body>canary").into()),
        whole_part("OOX-33", "strict namespaces", |t| {
            t.replace("schemas.openxmlformats.org/wordprocessingml/2006", "purl.oclc.org/ooxml/wordprocessingml").into()
        }),
        mutant("TXT-01", "a name that reorders itself", xlsx, |d| {
            d.replace(BOOK, "name=\"One\"", "name=\"O\u{202e}ne\"")
        }),
        whole_part("TXT-02", "a control character", |t| t.replace("KEEP", "KE\u{9b}EP").into()),
        whole_part("TXT-01", "text that reorders itself", |t| t.replace("KEEP", "KE\u{202e}EP").into()),
        paragraph("OOX-39", "<w:r><w:pict/></w:r>"),
        mutant("OOX-39", "VML that is not ours", commented, |d| {
            d.replace("xl/drawings/vmlDrawing1.vml", "fillcolor", "onclick=\"x\" fillcolor")
        }),
        mutant("OOX-39", "VML with a remote picture", commented, |d| {
            d.replace(
                "xl/drawings/vmlDrawing1.vml",
                "<v:fill color2",
                "<v:imagedata src=\"http://x.invalid\"/><v:fill color2",
            );
        }),
        setting("OOX-41", "<w:saveThroughXslt w:solutionID=\"x\"/>"),
        setting("OOX-41", "<w:mailMerge><w:query w:val=\"x\"/></w:mailMerge>"),
        setting("OOX-41", "<w:attachedSchema w:val=\"x\"/>"),
        paragraph("OOX-41", "<w:smartTag w:element=\"x\"/>"),
        setting("OOX-42", "<w:documentProtection w:edit=\"readOnly\" w:hash=\"AAAA\"/>"),
        in_sheet("OOX-42", "<sheetProtection sheet=\"1\" password=\"CAFE\"/>"),
        in_book("OOX-42", "<workbookProtection workbookHashValue=\"AAAA\"/>"),
        mutant("OOX-34", "a binary workbook", xlsx, |d| {
            let (bytes, _) = d.parts.remove(BOOK).unwrap();
            d.parts.insert(
                "xl/workbook.bin".into(),
                (bytes, "application/vnd.ms-excel.sheet.binary.macroEnabled.main".into()),
            );
        }),
    ]
}

fn media() -> Vec<Mutant> {
    vec![
        mutant("OOX-24", "a metafile", pictured, |d| rename_picture(d, "word/media/image1.emf", "image/x-emf")),
        mutant("OOX-24", "an SVG", pictured, |d| rename_picture(d, "word/media/image1.svg", "image/svg+xml")),
        mutant("OOX-24", "an EPS under the name of a PNG", pictured, |d| {
            d.parts.get_mut(IMAGE).unwrap().0 = b"%!PS-Adobe-3.0 EPSF-3.0".to_vec()
        }),
        mutant("OOX-24", "a PNG with bytes after its end", pictured, |d| d.parts.get_mut(IMAGE).unwrap().0.push(0)),
        mutant("OOX-40", "a linked picture", pictured, |d| {
            d.relate(BODY, "image", "https://x.invalid/a.png", true);
            d.replace(BODY, "r:embed", "r:link=\"rId5\" r:embed");
        }),
        mutant("OOX-40", "a chart's external data", drawn, |d| {
            d.replace("xl/charts/chart1.xml", "</c:chartSpace>", "<c:externalData/></c:chartSpace>")
        }),
        mutant("OOX-25", "a film", pictured, |d| rename_picture(d, "word/media/media1.mp4", "video/mp4")),
    ]
}
