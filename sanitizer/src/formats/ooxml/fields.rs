//! Fields of Word (ECMA-376 Part 1, clause 17.16): which instructions may stay (OOX-13, OOX-14).

use super::link::WebAddress;
use super::names::Ns;
use super::read::{Frag, Item, PartReader, Step};
use super::values::looks_active;
use crate::switches::{Filter, off};
use model::{LimitKind, Refusal};
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

/// Ours: Word itself nests twenty.
const MAX_NESTED: usize = 64;
/// Ours: characters, well past the longest code and the blanks before it.
const HEAD: usize = 256;

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}')
}

/// The first word, in capitals; a switch or a quote ends it too.
fn first_word(text: &str) -> String {
    let text = text.trim_start();
    let word = text.split(|c: char| c.is_whitespace() || c == '\\' || is_quote(c)).next();
    word.unwrap_or_default().to_uppercase()
}

fn is_allowed(word: &str) -> bool {
    ALLOWED.binary_search(&word).is_ok() || off(Filter::OoxFieldCodes)
}

/// Whether a field with this whole instruction may stay. `web` says whether addresses may.
#[must_use]
pub fn may_stay(instruction: &str, web: bool) -> bool {
    let code = first_word(instruction);
    if !is_allowed(&code) || instruction.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return false;
    }
    if code == "HYPERLINK" {
        let arguments = instruction.trim_start().get(code.len()..).unwrap_or_default();
        return off(Filter::OoxFieldLinks) || hyperlink(arguments, web);
    }
    off(Filter::OoxFieldAddresses) || !instruction.contains("://") && !instruction.contains("\\\\\\\\")
}

/// Arguments of HYPERLINK (17.16.5.25): addresses of the web, a place in this document (`\l`), a tip (`\o`), a frame
/// (`\t`), and switches without a value.
fn hyperlink(arguments: &str, web: bool) -> bool {
    let mut rest = arguments.trim_start();
    let mut any = false;
    while !rest.is_empty() {
        if let Some(switch) = rest.strip_prefix('\\') {
            let Some(letter) = switch.chars().next() else {
                return false;
            };
            let after = switch.get(letter.len_utf8()..).unwrap_or_default();
            match letter.to_ascii_lowercase() {
                'm' | 'n' | 'h' => rest = after.trim_start(),
                'l' | 'o' | 't' | 's' => {
                    let (value, after) = argument(after.trim_start());
                    if looks_active(value) || value.starts_with('\\') {
                        return false;
                    }
                    rest = after;
                }
                _ => return false,
            }
        } else {
            let (value, after) = argument(rest);
            if !web || !WebAddress::is_canonical(value) {
                return false;
            }
            rest = after;
        }
        any = true;
    }
    any
}

/// A quoted or bare argument, and what follows it.
fn argument(text: &str) -> (&str, &str) {
    match text.strip_prefix(is_quote) {
        Some(quoted) => {
            let (value, after) = quoted.split_once(is_quote).unwrap_or((quoted, ""));
            (value, after.trim_start())
        }
        None => {
            let end = text.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(text.len());
            let (value, after) = text.split_at_checked(end).unwrap_or((text, ""));
            (value, after.trim_start())
        }
    }
}

/// Which elements of a part must go because of the fields they belong to, by serial number; and how many fields.
#[derive(Debug, Default)]
pub struct Doomed {
    /// Serial numbers of elements.
    pub serials: HashSet<u32>,
    /// Fields that lost their instruction.
    pub fields: u64,
    /// Hyperlink fields that did.
    pub links: u64,
    /// DDE fields that did.
    pub dde: u64,
}

#[derive(Default)]
struct Field {
    in_result: bool,
    /// Start of the instruction so far: enough to know its first word.
    head: String,
    pieces: Vec<String>,
    /// It has a field inside where none may be.
    spoilt: bool,
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
    if !["fldChar", "instrText", "delInstrText"].iter().any(|name| text.contains(name)) {
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
                let Some(Item::Start { el, attributes, serial, .. }) = frag.item(0) else {
                    continue;
                };
                let row = super::names::NAMES.row(el);
                match (row.ns, row.name) {
                    (Ns::W, "fldChar") => {
                        let kind = frag.attribute(attributes, Ns::W, "fldCharType").unwrap_or_default();
                        turn(kind, serial, &mut stack, &mut doomed, web)?;
                    }
                    (Ns::W, "instrText" | "delInstrText") => {
                        instruction = Some(serial);
                        match stack.last_mut().filter(|f| !f.in_result) {
                            Some(field) => field.own.push(serial),
                            None if off(Filter::OoxFieldStrays) => {}
                            None => {
                                doomed.serials.insert(serial);
                            }
                        }
                    }
                    (Ns::W, "p") => {
                        stack.iter_mut().filter(|f| !f.in_result).for_each(|f| f.pieces.push(String::new()))
                    }
                    (Ns::W, "t" | "delText" | "tab" | "br" | "sym" | "drawing" | "pict" | "object") => {
                        stack.iter_mut().filter(|f| !f.in_result).for_each(|f| f.inside.push(serial));
                    }
                    _ => {}
                }
            }
            Step::Text => {
                let Some(Item::Text(span)) = frag.item(0) else { continue };
                if instruction.is_some()
                    && let Some(field) = stack.last_mut().filter(|f| !f.in_result)
                {
                    let room = HEAD.saturating_sub(field.head.chars().count());
                    field.head.extend(frag.str(span).chars().take(room));
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
    for field in stack.into_iter().filter(|_| !off(Filter::OoxFieldEnds)) {
        doomed.serials.extend(field.own);
    }
    Ok(doomed)
}

fn turn(kind: &str, serial: u32, stack: &mut Vec<Field>, doomed: &mut Doomed, web: bool) -> Result<(), Refusal> {
    match kind {
        "begin" => {
            if let Some(outer) = stack.last_mut().filter(|f| !f.in_result) {
                // A nested field may only stand in an argument: what it yields must not become the instruction.
                let word = first_word(&outer.head);
                let complete = outer.head.trim_start().len() > word.len();
                outer.spoilt |=
                    (!complete || !is_allowed(&word) || word == "HYPERLINK") && !off(Filter::OoxFieldNesting);
                outer.pieces.push(String::new());
            }
            if stack.len() >= MAX_NESTED {
                let (limit, allowed) = (LimitKind::Nesting, MAX_NESTED as u64);
                return Err(Refusal::Limit { limit, asked: allowed.saturating_add(1), allowed });
            }
            stack.push(Field { own: vec![serial], ..Field::default() });
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
    Ok(())
}

fn finish(field: Field, stack: &mut [Field], doomed: &mut Doomed, web: bool) {
    let whole = field.pieces.concat();
    // However a reader joins the pieces, none of them may start another instruction.
    let mut later = field.pieces.iter().skip_while(|piece| piece.is_empty()).skip(1).map(|piece| first_word(piece));
    let forbidden = later.any(|word| word.starts_with(char::is_alphabetic) && !is_allowed(&word));
    let stays = may_stay(&whole, web) && (!forbidden || off(Filter::OoxFieldPieces)) && !field.spoilt;
    if let Some(outer) = stack.last_mut().filter(|f| !f.in_result) {
        outer.inside.extend(field.own.iter().chain(&field.inside));
        outer.pieces.push(String::new());
    }
    if !stays {
        doomed.serials.extend(field.own);
        doomed.serials.extend(field.inside);
        let count = match first_word(&whole).as_str() {
            "HYPERLINK" => &mut doomed.links,
            "DDE" | "DDEAUTO" => &mut doomed.dde,
            _ => &mut doomed.fields,
        };
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
            "HYPERLINK \"http://a.example/\" \\o \"tip\" \\h",
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
        assert_eq!((doomed.dde, doomed.serials.len()), (1, 5));
        let fine = split.replace("DDE<", "PA<").replace("AUTO x", "GE");
        assert!(judge(&fine, true).unwrap().serials.is_empty());
        let stray = part("<w:p><w:r><w:instrText>DDE x</w:instrText></w:r></w:p>");
        assert_eq!(judge(&stray, true).unwrap().serials.len(), 1);
    }
}
