//! Workbooks and presentations, and every element that the tables drop.

use super::Carrier;
use super::Filter::{self, *};
use super::package::{BODY, BOOK, Package, SHEET, SLIDE};
use crate::formats::ooxml::dropped_elements;
use model::Format;

fn xlsx(filter: Filter, package: &Package, mark: &str) -> Carrier {
    Carrier::new(filter, Format::Xlsx, package.bytes(), mark)
}

fn formula(filter: Filter, text: &str) -> Carrier {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    xlsx(filter, &Package::xlsx().with(SHEET, "SUM(B1:B1)", &text), &format!("<f>{text}</f>"))
}

fn slide(filter: Filter, package: &Package, mark: &str) -> Carrier {
    Carrier::new(filter, Format::Pptx, package.bytes(), mark)
}

pub(super) fn carriers() -> Vec<Carrier> {
    let mut out = formulas();
    out.extend(books());
    out.extend(slides());
    out.extend(elements());
    out
}

fn formulas() -> Vec<Carrier> {
    let mut out = Vec::new();
    let all: [(Filter, &[&str]); 6] = [
        (
            OoxFunctions,
            &[
                "WEBSERVICE(A1)",
                "CALL(A1)",
                "RTD(A1)",
                "_xlfn.STOCKHISTORY(A1)",
                "EXEC(A1)",
                "MyMacro(1)",
                "REGISTER.ID(A1)",
                "_xll.Foo()",
                "_xlfn.IMAGE(A1)",
                "FILTERXML(A1,B1)",
                "EVALUATE(A1)",
                "CUBEVALUE(A1)",
            ],
        ),
        (OoxFormulaBooks, &["[1]Sheet1!A1", "[x.xlsx]Sheet1!A1", "SUM([1]S!A1)"]),
        (OoxFormulaSheets, &["'[1]Sheet 1'!A1", "'\\\\host\\[a.xlsx]S'!A1", "'c:/x'!A1", "'a|b'!A1"]),
        (OoxFormulaSigns, &["cmd|A0", "MSEXCEL|x!A1", "A1\\B1", "A1`B1"]),
        (OoxFormulaStrings, &["IF(1,\"CALL(x\",2)", "\"=cmd|'/c calc'!A0\"", "\"DDE(x\""]),
        (
            OoxFormulaLinks,
            &["HYPERLINK(A1)", "HYPERLINK(\"file:///x\")", "HYPERLINK(\"http://x\"&A1)", "HYPERLINK(\"\")"],
        ),
    ];
    for (filter, formulas) in all {
        out.extend(formulas.iter().map(|text| formula(filter, text)));
    }
    out.push(formula(OoxLinks, "HYPERLINK(\"https://x.invalid/\")").under(|policy| {
        policy.formats.excel = policy.formats.excel.map(|p| model::Office { links: model::Links::Text, ..p });
    }));
    out
}

fn books() -> Vec<Carrier> {
    let name = |attributes: &str| {
        format!("<definedNames><definedName name={attributes}>Pumps!$A$1</definedName></definedNames>")
    };
    let book = |filter: Filter, attributes: &str| {
        xlsx(filter, &Package::xlsx().holding(BOOK, &name(attributes)), &format!("name={attributes}"))
    };
    let mut out = Vec::new();
    for run in ["\"Auto_Open\"", "\"auto_close1\"", "\"_xlnm.Auto_Open\"", "\"_xlnm.Unknown\"", "\"AUTO_ACTIVATE\""] {
        out.push(book(OoxMacroNames, run));
    }
    for flag in ["\"x\" function=\"1\"", "\"x\" vbProcedure=\"1\"", "\"x\" xlm=\"1\""] {
        out.push(book(OoxMacroFlags, flag));
    }
    for location in ["http://x.invalid/", "\\\\host\\x", "cmd|x", "javascript:x"] {
        let link = format!("<hyperlinks><hyperlink ref=\"A1\" location=\"{location}\"/></hyperlinks>");
        out.push(xlsx(OoxLocations, &Package::xlsx().holding(SHEET, &link), location));
    }
    out.push(pivot());
    out
}

/// A pivot table over a connection.
fn pivot() -> Carrier {
    const X: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
    let cache = format!(
        "<pivotCacheDefinition {X}><cacheSource type=\"external\" connectionId=\"1\"/><cacheFields count=\"0\"/></pivotCacheDefinition>"
    );
    let table = format!("<pivotTableDefinition {X} name=\"p\" cacheId=\"1\"/>");
    let package = Package::xlsx()
        .adding("xl/pivotCache/pivotCacheDefinition1.xml", cache)
        .adding("xl/pivotTables/pivotTable1.xml", table)
        .relating(BOOK, "rId7", "pivotCacheDefinition", "pivotCache/pivotCacheDefinition1.xml", false)
        .relating(SHEET, "rId7", "pivotTable", "../pivotTables/pivotTable1.xml", false)
        .relating(
            "xl/pivotTables/pivotTable1.xml",
            "rId1",
            "pivotCacheDefinition",
            "../pivotCache/pivotCacheDefinition1.xml",
            false,
        )
        .with(BOOK, "</workbook>", "<pivotCaches><pivotCache cacheId=\"1\" r:id=\"rId7\"/></pivotCaches></workbook>");
    xlsx(OoxPivots, &package, "type=\"external\"")
}

fn slides() -> Vec<Carrier> {
    let mut out = vec![slide(OoxActions, &Package::pptx(), "ppaction://program")];
    for action in [
        "ppaction://macro?name=x",
        "ppaction://ole?verb=0",
        "ppaction://hlinkfile",
        "ppaction://media",
        "ppaction://customshow?id=1",
        "ppaction://hlinkshowjump?jump=x",
    ] {
        out.push(slide(OoxActions, &Package::pptx().with(SLIDE, "ppaction://program", action), action));
    }
    for verb in ["<p:cmd type=\"verb\" cmd=\"0\"/>", "<p:audio/>", "<p:video/>"] {
        let timing = format!(
            "<p:timing><p:tnLst><p:par><p:cTn id=\"1\"><p:childTnLst>{verb}</p:childTnLst></p:cTn></p:par></p:tnLst></p:timing></p:sld>"
        );
        let mark = verb.get(..5).unwrap();
        out.push(slide(OoxTiming, &Package::pptx().with(SLIDE, "</p:sld>", &timing), mark));
    }
    out
}

/// Each element that the tables name only to drop it, or to drop what is around its content.
fn elements() -> Vec<Carrier> {
    let mut out = Vec::new();
    for (prefix, uri, name, wrapper) in dropped_elements() {
        let filter = if wrapper { OoxWrappers } else { OoxElements };
        let (tag, names) = if prefix.is_empty() {
            (name.to_owned(), String::new())
        } else {
            (format!("{prefix}:{name}"), format!(" xmlns:{prefix}=\"{uri}\""))
        };
        let xml = format!("<{tag}{names}/>");
        let mark = format!("<{tag}/>");
        out.push(match prefix {
            "" | "xdr" => xlsx(filter, &Package::xlsx().holding(SHEET, &xml), &mark),
            "p" | "a" => slide(filter, &Package::pptx().holding(SLIDE, &xml), &mark),
            _ => Carrier::new(filter, Format::Docx, Package::docx().holding(BODY, &xml).bytes(), mark),
        });
    }
    out
}
