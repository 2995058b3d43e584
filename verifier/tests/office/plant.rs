//! How a construct is planted: into the text, a sheet, a slide, or as a part with its type and relationship.

use crate::document::{BODY, BOOK, Document, SHEET, SHOW, SLIDE, docx, pptx, xlsx};
use model::Format;

type Edit = Box<dyn Fn(&mut Document)>;

/// Row of the catalogue, what is planted, into what, and how.
pub struct Mutant {
    pub row: &'static str,
    pub what: String,
    pub base: fn() -> Document,
    pub plant: Edit,
}

/// Where the text of a document ends.
pub const W_END: &str = "<w:sectPr/>";

pub fn mutant(
    row: &'static str,
    what: impl Into<String>,
    base: fn() -> Document,
    plant: impl Fn(&mut Document) + 'static,
) -> Mutant {
    Mutant { row, what: what.into(), base, plant: Box::new(plant) }
}

/// Into the body of the text.
pub fn body(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), docx, move |d| d.replace(BODY, W_END, &format!("{xml}{W_END}")))
}

pub fn paragraph(row: &'static str, xml: &str) -> Mutant {
    body(row, &format!("<w:p>{xml}</w:p>"))
}

pub fn field(row: &'static str, instruction: &str) -> Mutant {
    let runs: String = instruction
        .split('~')
        .map(|piece| format!("<w:r><w:instrText xml:space=\"preserve\">{piece}</w:instrText></w:r>"))
        .collect();
    let run = |kind| format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>");
    paragraph(row, &format!("{}{runs}{}<w:r><w:t>x</w:t></w:r>{}", run("begin"), run("separate"), run("end")))
}

pub fn simple_field(row: &'static str, instruction: &str) -> Mutant {
    paragraph(row, &format!("<w:fldSimple w:instr=\"{instruction}\"><w:r><w:t>x</w:t></w:r></w:fldSimple>"))
}

pub fn setting(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), docx, move |d| {
        d.replace("word/settings.xml", "</w:settings>", &format!("{xml}</w:settings>"))
    })
}

pub fn cell(row: &'static str, formula: &str) -> Mutant {
    let formula = formula.replace('&', "&amp;").replace('<', "&lt;");
    mutant(row, formula.clone(), xlsx, move |d| d.replace(SHEET, "SUM(A1:A1)", &formula))
}

pub fn in_sheet(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), xlsx, move |d| d.replace(SHEET, "</worksheet>", &format!("{xml}</worksheet>")))
}

pub fn in_book(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), xlsx, move |d| d.replace(BOOK, "</workbook>", &format!("{xml}</workbook>")))
}

pub fn on_slide(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), pptx, move |d| d.replace(SLIDE, "</p:spTree>", &format!("{xml}</p:spTree>")))
}

pub fn after_slide(row: &'static str, xml: &str) -> Mutant {
    let xml = xml.to_owned();
    mutant(row, xml.clone(), pptx, move |d| d.replace(SLIDE, "</p:sld>", &format!("{xml}</p:sld>")))
}

/// A part with its type and an implicit relationship from the main part.
pub fn part(
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
pub fn external(row: &'static str, kind: &'static str) -> Mutant {
    mutant(row, format!("external {kind}"), docx, move |d| {
        drop(d.relate(BODY, kind, "https://cdr-test.invalid/x", true))
    })
}

/// Another target for the link that is there.
pub fn target(row: &'static str, target: &'static str) -> Mutant {
    mutant(row, format!("link to {target}"), docx, move |d| {
        d.relationships.get_mut(BODY).unwrap()[1].target = target.into()
    })
}

pub fn whole_part(row: &'static str, what: &'static str, edit: impl Fn(String) -> Vec<u8> + 'static) -> Mutant {
    mutant(row, what, docx, move |d| {
        let text = d.text(BODY);
        d.parts.get_mut(BODY).unwrap().0 = edit(text);
    })
}
