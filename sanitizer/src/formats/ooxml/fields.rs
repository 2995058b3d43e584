//! Fields of Word (ECMA-376 Part 1, clause 17.16): which instructions may stay (OOX-13, OOX-14).

use super::link::WebAddress;
use super::names::Ns;
use super::read::{Frag, Item, PartReader, Step};
use model::Refusal;
use std::collections::HashSet;

/// Instructions that only look at the document itself.
const ALLOWED: [&str; 46] = [
    "ADVANCE",
    "AUTHOR",
    "AUTONUM",
    "AUTONUMLGL",
    "AUTONUMOUT",
    "BIBLIOGRAPHY",
    "BIDIOUTLINE",
    "CITATION",
    "COMMENTS",
    "CREATEDATE",
    "DATE",
    "DOCPROPERTY",
    "EDITTIME",
    "EQ",
    "FORMCHECKBOX",
    "FORMDROPDOWN",
    "FORMTEXT",
    "HYPERLINK",
    "INDEX",
    "KEYWORDS",
    "LASTSAVEDBY",
    "LISTNUM",
    "NOTEREF",
    "NUMCHARS",
    "NUMPAGES",
    "NUMWORDS",
    "PAGE",
    "PAGEREF",
    "PRINTDATE",
    "REF",
    "REVNUM",
    "SAVEDATE",
    "SECTION",
    "SECTIONPAGES",
    "SEQ",
    "SHAPE",
    "STYLEREF",
    "SUBJECT",
    "SYMBOL",
    "TA",
    "TC",
    "TIME",
    "TITLE",
    "TOA",
    "TOC",
    "XE",
];

/// What must not start any piece of an instruction, however the pieces are put together.
const FORBIDDEN: [&str; 12] = [
    "DDE",
    "DDEAUTO",
    "INCLUDETEXT",
    "INCLUDEPICTURE",
    "INCLUDE",
    "IMPORT",
    "LINK",
    "EMBED",
    "MACROBUTTON",
    "DATABASE",
    "RD",
    "HTMLACTIVEX",
];

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_uppercase()
}

/// Whether a field with this whole instruction may stay. `web` says whether addresses may.
#[must_use]
pub fn may_stay(instruction: &str, web: bool) -> bool {
    let code = first_word(instruction);
    if ALLOWED.binary_search(&code.as_str()).is_err() {
        return false;
    }
    if instruction
        .chars()
        .any(|c| c == '|' || (c.is_control() && !c.is_whitespace()))
    {
        return false;
    }
    if code != "HYPERLINK" {
        return !instruction.contains("://") && !instruction.contains("\\\\\\\\");
    }
    let rest = instruction
        .trim_start()
        .get(code.len()..)
        .unwrap_or_default()
        .trim_start();
    if rest.starts_with('\\') {
        // Only switches: a place in this document (\l "bookmark").
        return rest.split_whitespace().next() == Some("\\l") && !rest.contains("://");
    }
    let target = match rest.strip_prefix(['"', '\u{201c}', '\u{201d}']) {
        Some(quoted) => quoted.split(['"', '\u{201c}', '\u{201d}']).next(),
        None => rest.split_whitespace().next(),
    };
    web && target.and_then(WebAddress::parse).is_some()
}

/// Which elements of a part must go because of the fields they belong to, by serial number; and how many fields.
#[derive(Debug, Default)]
pub struct Doomed {
    /// Serial numbers of elements.
    pub serials: HashSet<u32>,
    /// Fields that lost their instruction.
    pub fields: u64,
    /// Hyperlink fields among them.
    pub links: u64,
}

#[derive(Default)]
struct Field {
    in_result: bool,
    pieces: Vec<String>,
    nested: bool,
    /// `fldChar` and `instrText` of its own.
    own: Vec<u32>,
    /// Everything else in its instruction: goes with it.
    inside: Vec<u32>,
}

/// Reads a part for its fields alone.
///
/// # Errors
/// What [`PartReader::next`] says.
pub fn judge(text: &str, web: bool) -> Result<Doomed, Refusal> {
    let mut doomed = Doomed::default();
    if !["fldChar", "instrText", "delInstrText"]
        .iter()
        .any(|name| text.contains(name))
    {
        return Ok(doomed);
    }
    let (mut reader, mut frag) = (PartReader::new(text), Frag::default());
    let mut stack: Vec<Field> = Vec::new();
    let mut instruction: Option<u32> = None;
    loop {
        frag.clear();
        match reader.next(&mut frag)? {
            Step::Opened(_) => {
                instruction = None;
                let Some(Item::Start {
                    el, attributes, serial, ..
                }) = frag.item(0)
                else {
                    continue;
                };
                let row = super::names::NAMES.row(el);
                match (row.ns, row.name) {
                    (Ns::W, "fldChar") => {
                        let kind = frag.attribute(attributes, Ns::W, "fldCharType").unwrap_or_default();
                        turn(kind, serial, &mut stack, &mut doomed, web);
                    }
                    (Ns::W, "instrText" | "delInstrText") => {
                        instruction = Some(serial);
                        match stack.last_mut().filter(|f| !f.in_result) {
                            Some(field) => field.own.push(serial),
                            None => {
                                doomed.serials.insert(serial);
                            }
                        }
                    }
                    (Ns::W, "p") => stack
                        .iter_mut()
                        .filter(|f| !f.in_result)
                        .for_each(|f| f.pieces.push(String::new())),
                    (Ns::W, "t" | "delText" | "tab" | "br" | "sym" | "drawing" | "pict" | "object") => {
                        stack
                            .iter_mut()
                            .filter(|f| !f.in_result)
                            .for_each(|f| f.inside.push(serial));
                    }
                    _ => {}
                }
            }
            Step::Text => {
                let Some(Item::Text(span)) = frag.item(0) else { continue };
                if instruction.is_some()
                    && let Some(field) = stack.last_mut().filter(|f| !f.in_result)
                {
                    match field.pieces.last_mut() {
                        Some(piece) => piece.push_str(frag.str(span)),
                        None => field.pieces.push(frag.str(span).to_owned()),
                    }
                }
            }
            Step::Closed => instruction = None,
            Step::Over => break,
        }
        reader.detach();
    }
    // A field without its end: nobody knows what it would run into.
    for field in stack {
        doomed.serials.extend(field.own);
    }
    Ok(doomed)
}

fn turn(kind: &str, serial: u32, stack: &mut Vec<Field>, doomed: &mut Doomed, web: bool) {
    match kind {
        "begin" => {
            if let Some(outer) = stack.last_mut().filter(|f| !f.in_result) {
                outer.nested = true;
                outer.pieces.push(String::new());
            }
            stack.push(Field {
                own: vec![serial],
                ..Field::default()
            });
        }
        "separate" => match stack.last_mut() {
            Some(field) => {
                field.own.push(serial);
                field.in_result = true;
            }
            None => {
                doomed.serials.insert(serial);
            }
        },
        "end" => match stack.pop() {
            Some(mut field) => {
                field.own.push(serial);
                finish(field, stack, doomed, web);
            }
            None => {
                doomed.serials.insert(serial);
            }
        },
        _ => {
            doomed.serials.insert(serial);
        }
    }
}

fn finish(field: Field, stack: &mut [Field], doomed: &mut Doomed, web: bool) {
    let whole = field.pieces.concat();
    let link = first_word(&whole) == "HYPERLINK";
    let forbidden = field
        .pieces
        .iter()
        .any(|piece| FORBIDDEN.contains(&first_word(piece).as_str()));
    let stays = may_stay(&whole, web) && !forbidden && !(link && field.nested);
    if let Some(outer) = stack.last_mut().filter(|f| !f.in_result) {
        outer.inside.extend(field.own.iter().chain(&field.inside));
        outer.pieces.push(String::new());
    }
    if !stays {
        doomed.serials.extend(field.own);
        doomed.serials.extend(field.inside);
        let count = if link { &mut doomed.links } else { &mut doomed.fields };
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_that_reach_out_go() {
        assert!(ALLOWED.is_sorted());
        for good in [
            "PAGE",
            " page \\* MERGEFORMAT ",
            "TOC \\o \"1-3\"",
            "HYPERLINK \"http://a.example/\"",
            "HYPERLINK \\l \"x\"",
        ] {
            assert!(may_stay(good, true), "{good}");
        }
        for bad in [
            "",
            "DDEAUTO c:\\\\x",
            "HYPERLINK \"file:///x\"",
            "HYPERLINK x",
            "IF 1",
            "= 1",
            "QUOTE 1",
            "INCLUDEPICTURE \"http://x\"",
        ] {
            assert!(!may_stay(bad, true), "{bad}");
        }
        assert!(!may_stay("HYPERLINK \"http://a.example/\"", false));
    }

    #[test]
    fn an_instruction_split_over_runs_and_paragraphs_is_read_as_one() {
        let part = |body: &str| {
            format!(
                "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
            )
        };
        let split = part(
            "<w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText>DDE</w:instrText></w:r><w:r><w:instrText>AUTO x</w:instrText></w:r>\
             <w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>seen</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r></w:p>",
        );
        let doomed = judge(&split, true).unwrap();
        assert_eq!((doomed.fields, doomed.serials.len()), (1, 5));
        let fine = split.replace("DDE<", "PA<").replace("AUTO x", "GE");
        assert!(judge(&fine, true).unwrap().serials.is_empty());
        let stray = part("<w:p><w:r><w:instrText>DDE x</w:instrText></w:r></w:p>");
        assert_eq!(judge(&stray, true).unwrap().serials.len(), 1);
    }
}
