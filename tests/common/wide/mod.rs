//! Documents that have everything which the second reader lists: each element with each of its attributes, each function,
//! each field. They are made from its own lists, so that a name which we never write is one that no golden output needs.
#![allow(clippy::arithmetic_side_effects, reason = "offsets and sizes of files that the test makes itself")]

mod excel;
mod fonts;
mod pdf;
mod pictures;
mod point;
mod word;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const MAIN: &str = "application/vnd.openxmlformats-officedocument.";
const DRAWING: &str = "http://schemas.openxmlformats.org/drawingml/2006";

/// What the second reader's file has: its text.
pub fn source(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("verifier/src/dialects").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The words of a table in the second reader's source.
pub fn table(file: &str, name: &str) -> Vec<String> {
    let text = source(file);
    let (_, rest) = text.split_once(&format!("const {name}: ")).unwrap();
    let (table, _) = rest.split_once(";\n").unwrap();
    let table = table.split_once('=').unwrap().1;
    table.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Prefix and URI of each namespace.
fn spaces() -> Vec<(String, String)> {
    let rows = source("ooxml/names.rs");
    let rows = rows.lines().filter(|line| line.trim_start().starts_with("(\"") && line.contains("schemas."));
    rows.map(|row| {
        let mut texts = row.split('"').skip(1).step_by(2);
        (texts.next().unwrap().to_owned(), texts.next().unwrap().to_owned())
    })
    .collect()
}

/// Declarations of all namespaces.
pub fn declared() -> String {
    let one = |(prefix, uri): &(String, String)| match prefix.as_str() {
        "" => format!(r#" xmlns="{uri}""#),
        prefix => format!(r#" xmlns:{prefix}="{uri}""#),
    };
    spaces().iter().map(one).collect()
}

/// The elements of a list: name, mark of its content, attributes with their marks.
fn elements(list: &str) -> Vec<(String, char, Vec<String>)> {
    let split = |word: &str| match word.chars().last() {
        Some(mark @ ('$' | '=' | '%')) => (word.trim_end_matches(mark).to_owned(), mark),
        _ => (word.to_owned(), ' '),
    };
    let text = source(&format!("ooxml/names/{list}.txt"));
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let mut words = line.split_whitespace();
            let (name, mark) = split(words.next().unwrap());
            (name, mark, words.map(str::to_owned).collect())
        })
        .collect()
}

/// Values that an attribute needs to mean something.
fn value(name: &str, mark: char) -> &'static str {
    match (name, mark) {
        ("uri", _) => "http://schemas.microsoft.com/office/word",
        ("type" | "val" | "fldCharType", _) => "none",
        (_, '=') => "A1",
        (_, '%') => "PAGE",
        (_, '$') => "x",
        _ => "1",
    }
}

/// Every element of a list but `without`, one behind the other, with all attributes that name no other part.
pub fn flat(list: &str, without: &[&str]) -> String {
    let prefix = match list {
        "s" => String::new(),
        other => format!("{other}:"),
    };
    let own = if list == "w" || list == "m" { prefix.clone() } else { String::new() };
    let mut out = String::new();
    for (name, mark, attributes) in elements(list) {
        if without.contains(&name.as_str()) {
            continue;
        }
        let mut written = BTreeMap::new();
        for attribute in &attributes {
            let mark = attribute.chars().last().filter(|c| "$=%".contains(*c)).unwrap_or(' ');
            let bare = attribute.trim_end_matches(['$', '=', '%']);
            let value = value(bare, mark);
            let (bare, value) = match bare.split_once(':') {
                Some(("r", _)) => continue,
                Some(("xml", "space")) => (bare.to_owned(), "preserve"),
                Some(_) => (bare.to_owned(), value),
                None => (format!("{own}{bare}"), value),
            };
            written.insert(bare, value);
        }
        let attributes: String = written.iter().map(|(name, value)| format!(r#" {name}="{value}""#)).collect();
        let text = match mark {
            '$' => "x",
            '=' => "1",
            _ => "",
        };
        write!(out, "<{prefix}{name}{attributes}>{text}</{prefix}{name}>").unwrap();
    }
    out
}

/// A part of a package, and its relationships (type and target), numbered `rId1` and on; those with a scheme lead outside.
pub struct Part {
    path: &'static str,
    content_type: String,
    bytes: Vec<u8>,
    relationships: Vec<(&'static str, &'static str)>,
}

/// An XML part with this root (name and attributes) and content.
pub fn xml(
    path: &'static str,
    content_type: &str,
    root: &str,
    content: &str,
    relationships: &[(&'static str, &'static str)],
) -> Part {
    let name = root.split(' ').next().unwrap();
    let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    Part {
        path,
        content_type: format!("{MAIN}{content_type}+xml"),
        bytes: format!("{head}<{root}{}>{content}</{name}>", declared()).into_bytes(),
        relationships: relationships.to_vec(),
    }
}

/// A picture of each kind that an Office document may have.
pub fn pictures(folder: &str) -> Vec<Part> {
    let one = |at: &'static str, kind: &str, bytes: Vec<u8>| Part {
        path: at,
        content_type: format!("image/{kind}"),
        bytes,
        relationships: Vec::new(),
    };
    let [png, jpg, gif, bmp, tif] =
        ["1.png", "2.jpg", "3.gif", "4.bmp", "5.tif"].map(|n| &*format!("{folder}/media/image{n}").leak());
    vec![
        one(png, "png", samples::png()),
        one(jpg, "jpeg", samples::jpeg()),
        one(gif, "gif", samples::gif()),
        one(bmp, "bmp", samples::bmp()),
        one(tif, "tiff", samples::tiff()),
    ]
}

/// The package of these parts, the first of which is the main one.
pub fn package(parts: &[Part]) -> Vec<u8> {
    let ids: Vec<String> = (1..=64).map(|n| format!("rId{n}")).collect();
    let listed: Vec<(&str, &str, Vec<u8>)> =
        parts.iter().map(|p| (p.path, p.content_type.as_str(), p.bytes.clone())).collect();
    let mut relationships: Vec<(&str, Vec<samples::Relationship<'_>>)> =
        vec![("", vec![("rId1", "officeDocument", parts[0].path, false)])];
    for part in parts.iter().filter(|p| !p.relationships.is_empty()) {
        let rows = part.relationships.iter().zip(&ids);
        relationships
            .push((part.path, rows.map(|((kind, to), id)| (id.as_str(), *kind, *to, to.contains(':'))).collect()));
    }
    let borrowed: Vec<(&str, &[samples::Relationship<'_>])> =
        relationships.iter().map(|(part, rows)| (*part, rows.as_slice())).collect();
    samples::package(&listed, &borrowed)
}

/// A picture as DrawingML has it.
pub fn blip(id: &str) -> String {
    format!(
        r#"<a:graphic><a:graphicData uri="{DRAWING}/picture"><pic:pic><pic:blipFill><a:blip r:embed="{id}" cstate="print"/></pic:blipFill></pic:pic></a:graphicData></a:graphic>"#
    )
}

/// A graphic of this kind.
pub fn graphic(kind: &str, content: &str) -> String {
    let base =
        if kind.starts_with("wordprocessing") { "http://schemas.microsoft.com/office/word/2010" } else { DRAWING };
    format!(r#"<a:graphic><a:graphicData uri="{base}/{kind}">{content}</a:graphicData></a:graphic>"#)
}

/// The parts of a chart, in `folder`.
pub fn chart(path: &'static str, override_path: &'static str, shapes: &'static str) -> Vec<Part> {
    let content = format!(r#"{}<c:userShapes r:id="rId2"/>"#, flat("c", &["chart", "userShapes", "chartSpace"]));
    let up: [&'static str; 2] =
        [override_path, shapes].map(|p| &*format!("../{}", p.split_once('/').unwrap().1).leak());
    vec![
        xml(path, "drawingml.chart", "c:chartSpace", &content, &[("themeOverride", up[0]), ("chartUserShapes", up[1])]),
        xml(override_path, "themeOverride", "a:themeOverride", "", &[]),
        xml(shapes, "drawingml.chartshapes", "c:userShapes", &flat("cdr", &[]), &[]),
    ]
}

/// The four parts of a diagram.
pub fn diagram(folder: &str) -> Vec<Part> {
    let at = |name: &str| -> &'static str { format!("{folder}/diagrams/{name}1.xml").leak() };
    let without = ["relIds", "dataModel", "layoutDef", "styleDef", "colorsDef"];
    vec![
        xml(at("data"), "drawingml.diagramData", "dgm:dataModel", &flat("dgm", &without), &[]),
        xml(
            at("layout"),
            "drawingml.diagramLayout",
            r#"dgm:layoutDef uniqueId="u" minVer="12.0" defStyle="x""#,
            r#"<dgm:shape r:blip="rId1"/><dgm:shape r:blip=""/>"#,
            &[("image", "../media/image1.png")],
        ),
        xml(at("quickStyle"), "drawingml.diagramStyle", r#"dgm:styleDef uniqueId="u" minVer="12.0""#, "", &[]),
        xml(at("colors"), "drawingml.diagramColors", r#"dgm:colorsDef uniqueId="u" minVer="12.0""#, "", &[]),
    ]
}

pub const DIAGRAM: &str = r#"<dgm:relIds r:dm="rId1" r:lo="rId2" r:qs="rId3" r:cs="rId4"/>"#;

/// All of them, by name.
pub fn all() -> Vec<(&'static str, &'static str, &'static str, Vec<u8>)> {
    vec![
        ("docx", "every-name", "a.docx", word::docx()),
        ("xlsx", "every-name", "a.xlsx", excel::xlsx()),
        ("pptx", "every-name", "a.pptx", point::pptx()),
        ("pdf", "every-key", "a.pdf", pdf::wide()),
        ("zip", "every-member", "a.zip", zip()),
    ]
}

/// A grey photograph of 16 by 16.
pub fn grey_jpeg() -> Vec<u8> {
    let mut out = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut out, 90);
    encoder.encode(&[127; 256], 16, 16, jpeg_encoder::ColorType::Luma).unwrap();
    out
}

/// An archive with one of everything that is small.
fn zip() -> Vec<u8> {
    let mut members: Vec<(String, Vec<u8>)> = Vec::new();
    for (n, bytes) in pdf::variants().into_iter().enumerate() {
        members.push((format!("pdf/{n}.pdf"), bytes));
    }
    members.extend(pictures::all());
    members.extend(texts());
    members.extend(["dotx", "xltx", "ppsx", "potx"].map(|kind| (format!("office/a.{kind}"), template(kind))));
    members.push(("empty/".to_owned(), Vec::new()));
    let borrowed: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    samples::zip(&borrowed)
}

/// A small template or show: a document whose main part says that it is one.
fn template(kind: &str) -> Vec<u8> {
    let head =
        |main: &str, root: &str, content: &str, path: &'static str| package(&[xml(path, main, root, content, &[])]);
    match kind {
        "dotx" => head("wordprocessingml.template.main", "w:document", "<w:body/>", "word/document.xml"),
        "xltx" => package(&[
            xml(
                "xl/workbook.xml",
                "spreadsheetml.template.main",
                "workbook",
                r#"<sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets>"#,
                &[("worksheet", "worksheets/sheet1.xml")],
            ),
            xml("xl/worksheets/sheet1.xml", "spreadsheetml.worksheet", "worksheet", "<sheetData/>", &[]),
        ]),
        "ppsx" => point::small("presentationml.slideshow.main"),
        _ => point::small("presentationml.template.main"),
    }
}

/// Texts and tables: what may stand in a cell, at its beginning, between its quotes.
fn texts() -> Vec<(String, Vec<u8>)> {
    let signed = "-1.5,+2,\"-3 000,00\",-1e5,-1E+5,-2e-3,-12:30,-1/2,-1'000,-1\u{a0}000,-1\u{202f}000,-.5,-$5,-5%\n";
    let quoted = "\"a\"\"b\",\"c\"\r\n \"x\n";
    vec![
        ("text/a.csv".into(), signed.into()),
        ("text/b.csv".into(), quoted.replace(" \"x", "\"x\"").into()),
        ("text/c.csv".into(), "a;b\n\"=1;2\";c\n".into()),
        ("text/d.csv".into(), "\"last\"".into()),
        ("text/e.csv".into(), " \u{a0}\u{3000}-1,\" \r\n-2\"\n".into()),
        ("text/a.tsv".into(), "a\tb\n1\t-2\n".into()),
        (
            "text/a.txt".into(),
            "tab\there \u{915}\u{94d}\u{200d}\u{937} \u{645}\u{6cc}\u{200c}\u{62e}\u{648}\r\n".into(),
        ),
        ("text/b.text".into(), "text\n".into()),
        ("text/c.log".into(), "text\n".into()),
    ]
}
