//! The constructs of the catalogue, planted into documents of ours with everything around them right: those of the
//! package, macros, links and fields.

use crate::carriers::drawn;
use crate::document::{BODY, DECLARATION, SHEET, SLIDE, docx, pptx, xlsx};
use crate::plant::{
    Mutant, body, cell, external, field, in_book, in_sheet, mutant, paragraph, part, setting, simple_field, target,
};
use crate::zip::Member;

const BIN: &str = "application/octet-stream";
const XML: &str = "application/xml";

pub fn all() -> Vec<Mutant> {
    let mut all = package();
    all.extend(macros());
    all.extend(links_and_fields());
    all.extend(crate::content::all());
    all
}

fn package() -> Vec<Mutant> {
    vec![
        mutant("OOX-01", "a member that no one knows", docx, |d| d.strays.push(Member::new("word/canary.bin", b"x"))),
        mutant("OOX-01", "a folder entry", docx, |d| d.strays.push(Member::stored("word/", b""))),
        mutant("OOX-01", "a part twice", docx, |d| d.strays.push(Member::new(BODY, b"x"))),
        mutant("OOX-01", "a part in another case", docx, |d| d.strays.push(Member::new("WORD/document.xml", b"x"))),
        mutant("OOX-02", "a main type with macros", docx, |d| {
            d.parts.get_mut(BODY).unwrap().1 = "application/vnd.ms-word.document.macroEnabled.main+xml".into();
        }),
        mutant("OOX-02", "a default for bin", docx, |d| drop(d.defaults.insert("bin".into(), BIN.into()))),
        mutant("OOX-02", "a part without its type", docx, |d| d.parts.get_mut("word/styles.xml").unwrap().1.clear()),
        mutant("OOX-02", "a part of another type", docx, |d| {
            d.parts.get_mut("word/styles.xml").unwrap().1 = d.parts[BODY].1.clone();
        }),
        mutant("OOX-02", "a template as a document", docx, |d| {
            d.replace("word/styles.xml", "", "");
            let main = d.parts.get_mut(BODY).unwrap();
            main.1 = main.1.replace("document.main", "template.main");
        }),
        mutant("OOX-22", "a part that is not reached", docx, |d| {
            d.binary(BODY, "footer", "word/footer1.xml", "", b"");
            let ftr = format!(
                "{DECLARATION}<w:ftr xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"/>"
            );
            let footer = d.parts.get_mut("word/footer1.xml").unwrap();
            *footer = (ftr.into(), "application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml".into());
            d.relationships.get_mut(BODY).unwrap().pop();
        }),
        mutant("OOX-22", "a relationship that nothing names", docx, |d| {
            drop(d.relate(BODY, "hyperlink", "https://x.invalid/", true))
        }),
        mutant("OOX-22", "a relationship to nothing", docx, |d| {
            drop(d.relate(BODY, "footnotes", "footnotes.xml", false))
        }),
        mutant("OOX-22", "an id that leads nowhere", docx, |d| d.replace(BODY, "rId2", "rId9")),
        mutant("OOX-22", "an id of another type", docx, |d| d.replace(BODY, "rId2", "rId1")),
        mutant("OOX-44", "the root of an XPS file", docx, |d| {
            d.relationships.get_mut("").unwrap()[0].kind =
                "http://schemas.microsoft.com/xps/2005/06/fixedrepresentation".into();
        }),
        mutant("OOX-01", "a target that climbs out", docx, |d| {
            d.relationships.get_mut(BODY).unwrap()[0].target = "../../styles.xml".into()
        }),
        mutant("OOX-01", "a target from the root", docx, |d| {
            d.relationships.get_mut(BODY).unwrap()[0].target = "/word/styles.xml".into()
        }),
        mutant("OOX-01", "a target by a detour", docx, |d| {
            d.relationships.get_mut(BODY).unwrap()[0].target = "../word/styles.xml".into()
        }),
    ]
}

fn macros() -> Vec<Mutant> {
    vec![
        part(
            "OOX-03",
            docx,
            "http://schemas.microsoft.com/office/2006/relationships/vbaProject",
            "word/vbaProject.bin",
            "application/vnd.ms-office.vbaProject",
            b"\xd0\xcf",
        ),
        part(
            "OOX-03",
            xlsx,
            "http://schemas.microsoft.com/office/2006/relationships/vbaProject",
            "xl/vbaProject.bin",
            "application/vnd.ms-office.vbaProject",
            b"\xd0\xcf",
        ),
        part(
            "OOX-03",
            docx,
            "http://schemas.microsoft.com/office/2006/relationships/wordVbaData",
            "word/vbaData.xml",
            "application/vnd.ms-word.vbaData+xml",
            b"<x/>",
        ),
        part(
            "OOX-05",
            xlsx,
            "http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet",
            "xl/macrosheets/sheet1.xml",
            "application/vnd.ms-excel.macrosheet+xml",
            b"<x/>",
        ),
        in_book("OOX-05", "<definedNames><definedName name=\"_xlnm.Auto_Open\">One!$A$1</definedName></definedNames>"),
        in_book("OOX-05", "<definedNames><definedName name=\"Auto_Open1\">One!$A$1</definedName></definedNames>"),
        in_book("OOX-05", "<definedNames><definedName name=\"x\" xlm=\"1\">One!$A$1</definedName></definedNames>"),
        in_book(
            "OOX-05",
            "<definedNames><definedName name=\"x\" vbProcedure=\"1\">One!$A$1</definedName></definedNames>",
        ),
        in_book("OOX-05", "<definedNames><definedName name=\"x\" function=\"1\">One!$A$1</definedName></definedNames>"),
        part(
            "OOX-06",
            xlsx,
            "dialogsheet",
            "xl/dialogsheets/sheet1.xml",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.dialogsheet+xml",
            b"<x/>",
        ),
        mutant("OOX-06", "a shape with a macro", drawn, |d| {
            d.replace("xl/drawings/drawing1.xml", "<xdr:sp>", "<xdr:sp macro=\"[0]!Run\">")
        }),
        mutant("OOX-06", "an action that runs a macro", pptx, |d| {
            d.replace(SLIDE, "hlinkshowjump?jump=nextslide", "macro?name=Run")
        }),
        part(
            "OOX-07",
            docx,
            "http://schemas.microsoft.com/office/2006/relationships/ui/extensibility",
            "customUI/customUI.xml",
            XML,
            b"<customUI/>",
        ),
        part(
            "OOX-18",
            xlsx,
            "http://schemas.microsoft.com/office/2011/relationships/webextensiontaskpanes",
            "xl/webextensions/taskpanes.xml",
            "application/vnd.ms-office.webextensiontaskpanes+xml",
            b"<x/>",
        ),
        body(
            "OOX-36",
            "<w:p><w:r><w:fldChar w:fldCharType=\"begin\"><w:ffData><w:name w:val=\"x\"/><w:entryMacro w:val=\"Run\"/></w:ffData></w:fldChar></w:r></w:p>",
        ),
        body(
            "OOX-36",
            "<w:p><w:r><w:fldChar w:fldCharType=\"begin\"><w:ffData><w:exitMacro w:val=\"Run\"/></w:ffData></w:fldChar></w:r></w:p>",
        ),
    ]
}

fn links_and_fields() -> Vec<Mutant> {
    let mut all = vec![
        mutant("OOX-08", "an attached template", docx, |d| {
            d.relate("word/settings.xml", "attachedTemplate", "\\\\cdr-test.invalid\\t.dotm", true);
            d.replace("word/settings.xml", "</w:settings>", "<w:attachedTemplate w:val=\"rId1\"/></w:settings>");
        }),
        mutant("OOX-10", "a link in a remote chart", docx, |d| {
            drop(d.relate("word/styles.xml", "hyperlink", "https://x.invalid", true))
        }),
        simple_field("OOX-13", "DDEAUTO c:\\\\cmd.exe"),
        field("OOX-13", "DDE~AUTO c:\\\\cmd.exe"),
        field("OOX-13", "D~D~E cmd"),
        field("OOX-14", "MACROBUTTON x"),
        paragraph(
            "OOX-14",
            "<w:r><w:fldChar w:fldCharType=\"begin\"/><w:delInstrText>IMPORT x</w:delInstrText><w:fldChar w:fldCharType=\"end\"/></w:r>",
        ),
        paragraph("OOX-14", "<w:r><w:instrText>DDE x</w:instrText></w:r>"),
        field("OOX-10", "HYPERLINK \"file:///c:/x\""),
        simple_field("OOX-10", "HYPERLINK &quot;\\\\\\\\h\\\\s&quot;"),
        simple_field("OOX-10", "HYPERLINK \\l &quot;http://x.invalid/&quot;"),
        field("OOX-14", "INDEX http://x.invalid/"),
        simple_field("OOX-14", "REF \\\\\\\\h\\\\s"),
        paragraph(
            "OOX-14",
            "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r>",
        ),
        paragraph("OOX-10", "<w:hyperlink w:anchor=\"http://x.invalid/\"/>"),
        paragraph("OOX-33", "<w:r><w:t xml:space=\"other\">x</w:t></w:r>"),
        setting(
            "OOX-22",
            "<w:compat><w:compatSetting w:name=\"a\" w:uri=\"http://x.invalid/\" w:val=\"1\"/></w:compat>",
        ),
        setting("OOX-14", "<w:updateFields w:val=\"1\"/>"),
        cell("OOX-38", "IF(1,\"CALL (x\",2)"),
        cell("OOX-15", "A1`B1"),
        target("OOX-10", "https:///x"),
        in_sheet("OOX-10", "<hyperlinks><hyperlink ref=\"A1\" location=\"cmd|x\"/></hyperlinks>"),
        mutant("OOX-10", "a link on another element's relationship", docx, |d| {
            d.replace(BODY, "r:id=\"rId2\"", "r:id=\"\"")
        }),
        mutant("OOX-10", "a location that leads out", xlsx, |d| {
            d.replace(SHEET, "<hyperlink ref=\"A1\" ", "<hyperlink ref=\"A1\" location=\"file://h/s\" ")
        }),
    ];
    let codes = [
        "INCLUDETEXT",
        "INCLUDEPICTURE",
        "IMPORT",
        "LINK",
        "EMBED",
        "RD",
        "DATABASE",
        "AUTOTEXT",
        "AUTOTEXTLIST",
        "MERGEFIELD",
        "NEXTIF",
        "ASK",
        "FILLIN",
        "SET",
        "IF",
        "COMPARE",
        "GOTOBUTTON",
        "PRINT",
        "HTMLACTIVEX",
        "CONTROL",
        "ADDIN",
        "PRIVATE",
        "DISPLAYBARCODE",
        "BARCODE",
        "QUOTE",
        "USERNAME",
        "TEMPLATE",
        "FILENAME",
        "=",
    ];
    all.extend(
        codes
            .iter()
            .flat_map(|code| [field("OOX-14", &format!("{code} x")), simple_field("OOX-14", &format!(" {code} x"))]),
    );
    let kinds = [
        "oleObject",
        "package",
        "image",
        "externalLink",
        "externalLinkPath",
        "frame",
        "subDocument",
        "slide",
        "slideMaster",
        "slideUpdateUrl",
        "officeDocument",
        "worksheet",
        "video",
        "audio",
        "http://schemas.microsoft.com/office/2007/relationships/media",
        "stylesheet",
        "customXml",
        "attachedTemplate",
        "mailMergeSource",
        "transform",
    ];
    all.extend(kinds.map(|kind| external("OOX-09", kind)));
    let targets = [
        "javascript:x",
        "vbscript:x",
        "data:text/html,x",
        "file:///c:/x",
        "\\\\h\\s",
        "//h/s",
        "mhtml:http://x!y",
        "ms-word:ofe|u|http://x",
        "search-ms:query=x",
        "smb://h/s",
        "ldap://h",
        "vnd.sun.star.script:x",
        "res://x",
        "mk:@x",
        "its:x",
        "jar:http://x",
        "tel:1",
        "callto:x",
        "chrome://x",
        "about:blank",
        "HTTP://x",
        " https://x",
        "https://x y",
        "https://x\ny",
        "https://x\"y",
        "https://x\\y",
        "ftp://x",
        "other.docx",
        "#mark",
        "",
    ];
    all.extend(targets.map(|t| target("GEN-20", t)));
    all
}
