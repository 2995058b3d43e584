//! The constructs of the catalogue, planted into documents of ours with everything around them right.

use crate::document::{A, BODY, BOOK, C, DECLARATION, Document, SHEET, SHOW, SLIDE, docx, png, pptx, xlsx};
use crate::zip::Member;
use model::Format;

type Edit = Box<dyn Fn(&mut Document)>;

/// Row of the catalogue, what is planted, into what, and how.
pub struct Mutant {
    pub row: &'static str,
    pub what: String,
    pub base: fn() -> Document,
    pub plant: Edit,
}

fn mutant(
    row: &'static str,
    what: impl Into<String>,
    base: fn() -> Document,
    plant: impl Fn(&mut Document) + 'static,
) -> Mutant {
    Mutant {
        row,
        what: what.into(),
        base,
        plant: Box::new(plant),
    }
}

const W_END: &str = "<w:sectPr/>";

/// Into the body of the text.
fn body(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), docx, move |d| {
        d.replace(BODY, W_END, &format!("{xml}{W_END}"))
    })
}

fn paragraph(row: &'static str, xml: &str) -> Mutant {
    body(row, &format!("<w:p>{xml}</w:p>"))
}

fn field(row: &'static str, instruction: &str) -> Mutant {
    let runs: String = instruction
        .split('~')
        .map(|piece| format!("<w:r><w:instrText xml:space=\"preserve\">{piece}</w:instrText></w:r>"))
        .collect();
    let run = |kind| format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>");
    paragraph(
        row,
        &format!(
            "{}{runs}{}<w:r><w:t>x</w:t></w:r>{}",
            run("begin"),
            run("separate"),
            run("end")
        ),
    )
}

fn simple_field(row: &'static str, instruction: &str) -> Mutant {
    paragraph(
        row,
        &format!("<w:fldSimple w:instr=\"{instruction}\"><w:r><w:t>x</w:t></w:r></w:fldSimple>"),
    )
}

fn setting(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), docx, move |d| {
        d.replace("word/settings.xml", "</w:settings>", &format!("{xml}</w:settings>"))
    })
}

fn cell(row: &'static str, formula: &str) -> Mutant {
    let formula = formula.replace('&', "&amp;").replace('<', "&lt;");
    mutant(row, formula.clone(), xlsx, move |d| {
        d.replace(SHEET, "SUM(A1:A1)", &formula)
    })
}

fn in_sheet(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), xlsx, move |d| {
        d.replace(SHEET, "</worksheet>", &format!("{xml}</worksheet>"))
    })
}

fn in_book(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), xlsx, move |d| {
        d.replace(BOOK, "</workbook>", &format!("{xml}</workbook>"))
    })
}

fn on_slide(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), pptx, move |d| {
        d.replace(SLIDE, "</p:spTree>", &format!("{xml}</p:spTree>"))
    })
}

fn after_slide(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), pptx, move |d| {
        d.replace(SLIDE, "</p:sld>", &format!("{xml}</p:sld>"))
    })
}

/// A part with its type and an implicit relationship from the main part.
fn part(
    row: &'static str,
    base: fn() -> Document,
    kind: &'static str,
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
) -> Mutant {
    mutant(row, format!("part {name}"), base, move |d| {
        let main = if d.format == Format::Docx {
            BODY
        } else if d.format == Format::Xlsx {
            BOOK
        } else {
            SHOW
        };
        d.binary(main, kind, name, content_type, bytes);
    })
}

/// An external relationship that nothing names, of the main part.
fn external(row: &'static str, kind: &'static str) -> Mutant {
    mutant(row, format!("external {kind}"), docx, move |d| {
        drop(d.relate(BODY, kind, "https://cdr-test.invalid/x", true))
    })
}

/// Another target for the link that is there.
fn target(row: &'static str, target: &'static str) -> Mutant {
    mutant(row, format!("link to {target}"), docx, move |d| {
        d.relationships.get_mut(BODY).unwrap()[1].target = target.into()
    })
}

fn whole_part(row: &'static str, what: &'static str, edit: impl Fn(String) -> Vec<u8> + 'static) -> Mutant {
    mutant(row, what, docx, move |d| {
        let text = d.text(BODY);
        d.parts.get_mut(BODY).unwrap().0 = edit(text);
    })
}

const XML: &str = "application/xml";
const BIN: &str = "application/octet-stream";

pub fn all() -> Vec<Mutant> {
    let mut all = package();
    all.extend(macros());
    all.extend(links_and_fields());
    all.extend(formulas());
    all.extend(elements());
    all.extend(media());
    all
}

fn package() -> Vec<Mutant> {
    vec![
        mutant("OOX-01", "a member that no one knows", docx, |d| {
            d.strays.push(Member::new("word/canary.bin", b"x"))
        }),
        mutant("OOX-01", "a folder entry", docx, |d| {
            d.strays.push(Member::stored("word/", b""))
        }),
        mutant("OOX-01", "a part twice", docx, |d| {
            d.strays.push(Member::new(BODY, b"x"))
        }),
        mutant("OOX-01", "a part in another case", docx, |d| {
            d.strays.push(Member::new("WORD/document.xml", b"x"))
        }),
        mutant("OOX-02", "a main type with macros", docx, |d| {
            d.parts.get_mut(BODY).unwrap().1 = "application/vnd.ms-word.document.macroEnabled.main+xml".into();
        }),
        mutant("OOX-02", "a default for bin", docx, |d| {
            drop(d.defaults.insert("bin".into(), BIN.into()))
        }),
        mutant("OOX-02", "a part without its type", docx, |d| {
            d.parts.get_mut("word/styles.xml").unwrap().1.clear()
        }),
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
            *footer = (
                ftr.into(),
                "application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml".into(),
            );
            d.relationships.get_mut(BODY).unwrap().pop();
        }),
        mutant("OOX-22", "a relationship that nothing names", docx, |d| {
            drop(d.relate(BODY, "hyperlink", "https://x.invalid/", true))
        }),
        mutant("OOX-22", "a relationship to nothing", docx, |d| {
            drop(d.relate(BODY, "footnotes", "footnotes.xml", false))
        }),
        mutant("OOX-22", "an id that leads nowhere", docx, |d| {
            d.replace(BODY, "rId2", "rId9")
        }),
        mutant("OOX-22", "an id of another type", docx, |d| {
            d.replace(BODY, "rId2", "rId1")
        }),
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
        in_book(
            "OOX-05",
            "<definedNames><definedName name=\"_xlnm.Auto_Open\">One!$A$1</definedName></definedNames>",
        ),
        in_book(
            "OOX-05",
            "<definedNames><definedName name=\"Auto_Open1\">One!$A$1</definedName></definedNames>",
        ),
        in_book(
            "OOX-05",
            "<definedNames><definedName name=\"x\" xlm=\"1\">One!$A$1</definedName></definedNames>",
        ),
        in_book(
            "OOX-05",
            "<definedNames><definedName name=\"x\" vbProcedure=\"1\">One!$A$1</definedName></definedNames>",
        ),
        in_book(
            "OOX-05",
            "<definedNames><definedName name=\"x\" function=\"1\">One!$A$1</definedName></definedNames>",
        ),
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
            d.relate(
                "word/settings.xml",
                "attachedTemplate",
                "\\\\cdr-test.invalid\\t.dotm",
                true,
            );
            d.replace(
                "word/settings.xml",
                "</w:settings>",
                "<w:attachedTemplate w:val=\"rId1\"/></w:settings>",
            );
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
        mutant("OOX-10", "a link on another element's relationship", docx, |d| {
            d.replace(BODY, "r:id=\"rId2\"", "r:id=\"\"")
        }),
        mutant("OOX-10", "a location that leads out", xlsx, |d| {
            d.replace(
                SHEET,
                "<hyperlink ref=\"A1\" ",
                "<hyperlink ref=\"A1\" location=\"file://h/s\" ",
            )
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
    all.extend(codes.iter().flat_map(|code| {
        [
            field("OOX-14", &format!("{code} x")),
            simple_field("OOX-14", &format!(" {code} x")),
        ]
    }));
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
            all.push(mutant("OOX-38", format!("{what}: {formula}"), drawn, move |d| {
                d.replace(part, from, &to)
            }));
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
        part(
            "OOX-12",
            docx,
            "control",
            "word/activeX/activeX1.xml",
            "application/vnd.ms-office.activeX+xml",
            b"<x/>",
        ),
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
            t.replace("<w:document ", &format!("<w:document {ce} mc:Ignorable=\"w14\" "))
                .into()
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
        after_slide(
            "OOX-26",
            "<p:timing><p:tnLst><p:cmd type=\"verb\" cmd=\"0\"/></p:tnLst></p:timing>",
        ),
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
        mutant("OOX-25", "a sound on a link", pptx, |d| {
            d.replace(SLIDE, "nextslide\"", "nextslide\" endSnd=\"1\"")
        }),
        part("OOX-27", docx, "customXml", "customXml/item1.xml", XML, b"<x/>"),
        body(
            "OOX-27",
            "<w:sdt><w:sdtPr><w:dataBinding w:xpath=\"/x\"/></w:sdtPr><w:sdtContent/></w:sdt>",
        ),
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
            drop(d.part(
                "",
                "custom-properties",
                "docProps/custom.xml",
                "custom-properties+xml",
                "<x/>",
            ))
        }),
        setting(
            "OOX-28",
            "<w:docVars><w:docVar w:name=\"a\" w:val=\"payload\"/></w:docVars>",
        ),
        setting("OOX-28", "<w:rsids><w:rsid w:val=\"00000001\"/></w:rsids>"),
        mutant("OOX-28", "an rsid", docx, |d| {
            d.replace(BODY, "<w:p>", "<w:p w:rsidR=\"00000001\">")
        }),
        paragraph("OOX-28", "<w:proofErr w:type=\"spellStart\"/>"),
        part(
            "OOX-31",
            docx,
            "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin",
            "_xmlsignatures/origin.sigs",
            "application/vnd.openxmlformats-package.digital-signature-origin",
            b"",
        ),
        whole_part("OOX-33", "a DTD", |t| {
            t.replace("<w:document", "<!DOCTYPE x><w:document").into()
        }),
        whole_part("OOX-33", "an entity", |t| t.replace("KEEP", "&x;").into()),
        whole_part("OOX-33", "a processing instruction", |t| {
            t.replace("<w:document", "<?mso-application x?><w:document").into()
        }),
        whole_part("OOX-33", "a comment", |t| {
            t.replace("<w:sectPr/>", "<!-- x --><w:sectPr/>").into()
        }),
        whole_part("OOX-33", "CDATA", |t| t.replace("KEEP", "<![CDATA[x]]>").into()),
        whole_part("OOX-33", "a byte order mark", |t| format!("\u{feff}{t}").into()),
        whole_part("OOX-33", "UTF-16", |t| {
            t.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }),
        whole_part("OOX-33", "bytes after the root", |t| format!("{t}<!-- -->").into()),
        whole_part("OOX-33", "text between elements", |t| {
            t.replace("<w:body>", "<w:body>canary").into()
        }),
        whole_part("OOX-33", "strict namespaces", |t| {
            t.replace(
                "schemas.openxmlformats.org/wordprocessingml/2006",
                "purl.oclc.org/ooxml/wordprocessingml",
            )
            .into()
        }),
        mutant("TXT-01", "a name that reorders itself", xlsx, |d| {
            d.replace(BOOK, "name=\"One\"", "name=\"O\u{202e}ne\"")
        }),
        whole_part("TXT-02", "a control character", |t| {
            t.replace("KEEP", "KE\u{9b}EP").into()
        }),
        whole_part("TXT-01", "text that reorders itself", |t| {
            t.replace("KEEP", "KE\u{202e}EP").into()
        }),
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
        mutant("OOX-24", "a metafile", pictured, |d| {
            rename_picture(d, "word/media/image1.emf", "image/x-emf")
        }),
        mutant("OOX-24", "an SVG", pictured, |d| {
            rename_picture(d, "word/media/image1.svg", "image/svg+xml")
        }),
        mutant("OOX-24", "an EPS under the name of a PNG", pictured, |d| {
            d.parts.get_mut(IMAGE).unwrap().0 = b"%!PS-Adobe-3.0 EPSF-3.0".to_vec()
        }),
        mutant("OOX-24", "a PNG with bytes after its end", pictured, |d| {
            d.parts.get_mut(IMAGE).unwrap().0.push(0)
        }),
        mutant("OOX-40", "a linked picture", pictured, |d| {
            d.relate(BODY, "image", "https://x.invalid/a.png", true);
            d.replace(BODY, "r:embed", "r:link=\"rId5\" r:embed");
        }),
        mutant("OOX-40", "a chart's external data", drawn, |d| {
            d.replace(
                "xl/charts/chart1.xml",
                "</c:chartSpace>",
                "<c:externalData/></c:chartSpace>",
            )
        }),
        mutant("OOX-25", "a film", pictured, |d| {
            rename_picture(d, "word/media/media1.mp4", "video/mp4")
        }),
    ]
}

const IMAGE: &str = "word/media/image1.png";

fn rename_picture(d: &mut Document, name: &str, content_type: &str) {
    let part = d.parts.remove(IMAGE).unwrap();
    d.parts.insert(name.into(), part);
    d.defaults.remove("png");
    d.defaults
        .insert(name.rsplit('.').next().unwrap().into(), content_type.into());
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
    let id = d.part(
        SHEET,
        "drawing",
        drawing,
        "drawing+xml",
        &format!("<xdr:wsDr {A} {r} {xdr} {C}>{anchor}</xdr:wsDr>"),
    );
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
    d.part(
        SHEET,
        "comments",
        "xl/comments1.xml",
        "spreadsheetml.comments+xml",
        &comments,
    );
    d.defaults.insert(
        "vml".into(),
        "application/vnd.openxmlformats-officedocument.vmlDrawing".into(),
    );
    let vml = concat!(
        r##"<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel"><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>"##,
        r##"<v:shape id="_x0000_s1025" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;width:108pt;height:60pt;z-index:1;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:AutoFill>False</x:AutoFill><x:Row>4</x:Row><x:Column>2</x:Column></x:ClientData></v:shape></xml>"##,
    );
    let id = d.binary(
        SHEET,
        "vmlDrawing",
        "xl/drawings/vmlDrawing1.vml",
        "",
        format!("{DECLARATION}{vml}").as_bytes(),
    );
    d.replace(
        SHEET,
        "</worksheet>",
        &format!("<legacyDrawing r:id=\"{id}\"/></worksheet>"),
    );
    d
}

/// Benign twins: what a document may hold in the same places.
pub fn twins() -> Vec<Mutant> {
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
        cell(
            "OOX-16",
            "HYPERLINK(\"https://x.invalid/\",\"x\")&IF(A1<2,\"a|b\",\"[1]\")",
        ),
        setting(
            "OOX-42",
            "<w:documentProtection w:edit=\"readOnly\" w:enforcement=\"1\"/>",
        ),
        paragraph(
            "OOX-29",
            "<w:ins w:id=\"1\" w:author=\"A\"><w:r><w:t>x</w:t></w:r></w:ins><w:del w:id=\"2\"><w:r><w:delText>y</w:delText></w:r></w:del>",
        ),
        paragraph("OOX-30", "<w:r><w:rPr><w:vanish/></w:rPr><w:t>x</w:t></w:r>"),
        body(
            "OOX-27",
            "<w:sdt><w:sdtPr><w:alias w:val=\"x\"/></w:sdtPr><w:sdtContent><w:p/></w:sdtContent></w:sdt>",
        ),
    ]
}
