//! Field instructions (ECMA-376 part 1, 17.16): an allow-list of first words, pieces joined over runs and paragraphs
//! (OOX-13, OOX-14).

use super::values::{Links, looks_active};

/// Fields that show something of the document itself, or a link that is checked.
const ALLOWED: [&str; 46] = [
    "PAGE",
    "PAGEREF",
    "NUMPAGES",
    "SECTION",
    "SECTIONPAGES",
    "DATE",
    "TIME",
    "CREATEDATE",
    "SAVEDATE",
    "PRINTDATE",
    "EDITTIME",
    "AUTHOR",
    "TITLE",
    "SUBJECT",
    "KEYWORDS",
    "COMMENTS",
    "LASTSAVEDBY",
    "NUMWORDS",
    "NUMCHARS",
    "REVNUM",
    "TOC",
    "TC",
    "TOA",
    "TA",
    "XE",
    "INDEX",
    "REF",
    "NOTEREF",
    "STYLEREF",
    "SEQ",
    "LISTNUM",
    "AUTONUM",
    "AUTONUMLGL",
    "AUTONUMOUT",
    "BIBLIOGRAPHY",
    "CITATION",
    "SYMBOL",
    "EQ",
    "ADVANCE",
    "FORMTEXT",
    "FORMCHECKBOX",
    "FORMDROPDOWN",
    "BIDIOUTLINE",
    "SHAPE",
    "DOCPROPERTY",
    "HYPERLINK",
];

/// Fields that fetch or run something: a reader that takes a paragraph's piece of an instruction for a whole one must not
/// find one of these either.
const FETCHING: [&str; 10] =
    ["DDE", "DDEAUTO", "INCLUDETEXT", "INCLUDEPICTURE", "IMPORT", "LINK", "EMBED", "MACROBUTTON", "DATABASE", "RD"];

/// The complex fields that are open at one place of a part.
pub(super) struct Fields {
    open: Vec<Open>,
    links: Links,
}

#[derive(Default)]
struct Open {
    instruction: String,
    /// Text since the last field character or paragraph: a reader that does not join would begin here.
    piece: String,
    result: bool,
}

impl Fields {
    /// None is open yet.
    pub const fn new(links: Links) -> Self {
        Self { open: Vec::new(), links }
    }

    /// A `w:fldChar`.
    pub fn character(&mut self, kind: &str) -> Result<(), String> {
        self.boundary()?;
        let links = self.links;
        match kind {
            "begin" => {
                if let Some(outer) = self.open.last().filter(|outer| !outer.result) {
                    before_nested(&outer.instruction)?;
                }
                self.open.push(Open::default());
                Ok(())
            }
            "separate" => {
                let open = self.open.last_mut().ok_or("a separator without its field")?;
                // A second one changes nothing: what follows is result all the same.
                if std::mem::replace(&mut open.result, true) { Ok(()) } else { instruction(&open.instruction, links) }
            }
            "end" => {
                let open = self.open.pop().ok_or("an end without its field")?;
                if open.result { Ok(()) } else { instruction(&open.instruction, links) }
            }
            other => Err(format!("fldCharType {other:?}")),
        }
    }

    /// A `w:instrText` or `w:delInstrText`.
    pub fn text(&mut self, text: &str) -> Result<(), String> {
        let open = self.open.last_mut().filter(|open| !open.result).ok_or("an instruction outside a field (OOX-13)")?;
        open.instruction.push_str(text);
        open.piece.push_str(text);
        Ok(())
    }

    /// A paragraph begins or ends, or a field character stands here.
    pub fn boundary(&mut self) -> Result<(), String> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        let piece = std::mem::take(&mut open.piece);
        let word = first_word(&piece);
        // The whole instruction is measured against the allow-list when it ends.
        match FETCHING.iter().find(|code| code.eq_ignore_ascii_case(word)) {
            Some(code) => Err(format!("a piece of an instruction begins with {code} (OOX-13)")),
            None => Ok(()),
        }
    }

    /// The part is at its end.
    pub fn finish(mut self) -> Result<(), String> {
        self.boundary()?;
        // Where a field does not end, everything after it is its result or its instruction, as a reader likes.
        match self.open.first() {
            Some(open) => Err(format!("a field without its end: {:?} (OOX-14)", first_word(&open.instruction))),
            None => Ok(()),
        }
    }
}

/// A nested field may only stand in an argument of a field that cannot open anything: the first word is complete, and a
/// link's target is not computed.
fn before_nested(outer: &str) -> Result<(), String> {
    let word = first_word(outer);
    let complete = outer.trim_start().len() > word.len();
    if complete && is_allowed(word) && !word.eq_ignore_ascii_case("HYPERLINK") {
        Ok(())
    } else {
        Err(format!("a field nested in the instruction {word:?} (OOX-14)"))
    }
}

/// A whole instruction.
pub(super) fn instruction(text: &str, links: Links) -> Result<(), String> {
    let word = first_word(text);
    if !is_allowed(word) {
        return Err(format!("field {word:?} (OOX-13, OOX-14)"));
    }
    if word.eq_ignore_ascii_case("HYPERLINK") {
        return hyperlink(text, links);
    }
    // A backslash is written twice in an instruction (17.16.2), so four of them begin a path to a server.
    if text.contains("://") || text.contains(r"\\\\") {
        return Err(format!("an address in a {word} field (OOX-14)"));
    }
    Ok(())
}

fn is_allowed(word: &str) -> bool {
    ALLOWED.iter().any(|allowed| allowed.eq_ignore_ascii_case(word))
}

/// The first word, which also ends at a switch or a quote.
fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '\\' | '"' | '\u{201c}' | '\u{201d}'));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// The first argument that no switch takes is the target, a later one is nothing and must look it; `\l` leads into this
/// document, `\o` is shown, `\t` names a window (17.16.5.25, OOX-10).
fn hyperlink(text: &str, links: Links) -> Result<(), String> {
    let arguments = arguments(text);
    let mut rest = arguments.iter().skip(1);
    let mut target = false;
    while let Some(argument) = rest.next() {
        match argument {
            Argument::Switch(switch @ ('l' | 'o' | 't' | 's')) => match rest.next() {
                Some(Argument::Value(value)) if looks_active(value) => {
                    return Err(format!("HYPERLINK \\{switch} {value:?} (OOX-10)"));
                }
                Some(_) | None => {}
            },
            Argument::Switch('m' | 'n' | 'h' | '*') => {}
            Argument::Switch(other) => return Err(format!("HYPERLINK has no switch {other:?}")),
            Argument::Value(value) if !target && links.allow_written(value) => target = true,
            Argument::Value(value) if target && !looks_active(value) => {}
            Argument::Value(value) => return Err(format!("HYPERLINK to {value:?} (OOX-10)")),
        }
    }
    Ok(())
}

enum Argument {
    Switch(char),
    Value(String),
}

/// 17.16.2: words and quoted texts; a backslash outside quotes makes a switch, inside it escapes.
fn arguments(text: &str) -> Vec<Argument> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        if c == '\\' {
            found.push(Argument::Switch(chars.next().unwrap_or(' ').to_ascii_lowercase()));
            continue;
        }
        let quoted = is_quote(c);
        let mut value = if quoted { String::new() } else { String::from(c) };
        while let Some(c) = chars.next_if(|&c| if quoted { true } else { !c.is_whitespace() && !is_quote(c) }) {
            if quoted && is_quote(c) {
                break;
            }
            value.push(c);
        }
        found.push(Argument::Value(value));
    }
    found
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_document_are_accepted() {
        for text in [
            " PAGE ",
            "page \\* MERGEFORMAT",
            "TOC \\o \"1-3\" \\h",
            "HYPERLINK \"https://example.invalid/\" \\o \"tip\"",
            "HYPERLINK \\l \"_Toc1\"",
            "hyperlink \"HTTPS://x.invalid/a b\" \\l \"c d\"",
            "DATE\\@ \"yyyy\"",
            "HYPERLINK \"mailto:a@b.invalid\"",
            "SEQ Figure \\* ARABIC",
            "FORMTEXT",
        ] {
            assert_eq!(instruction(text, Links::WEB), Ok(()), "{text}");
        }
    }

    #[test]
    fn fields_that_fetch_or_run_are_refused() {
        for word in [
            "DDE",
            "DDEAUTO",
            "INCLUDETEXT",
            "INCLUDEPICTURE",
            "IMPORT",
            "LINK",
            "EMBED",
            "RD",
            "DATABASE",
            "AUTOTEXT",
            "MERGEFIELD",
            "ASK",
            "FILLIN",
            "SET",
            "IF",
            "QUOTE",
            "MACROBUTTON",
            "GOTOBUTTON",
            "PRINT",
            "HTMLACTIVEX",
            "CONTROL",
            "ADDIN",
            "PRIVATE",
            "DISPLAYBARCODE",
            "=",
            "",
            "\u{201c}DDE",
        ] {
            assert!(instruction(&format!(" {word} \"c:\\\\x\""), Links::WEB).is_err(), "{word}");
        }
        for target in [
            "\"file:///x\"",
            "\"\\\\\\\\h\\\\s\"",
            "\\\\\\\\h\\\\s",
            "javascript:x",
            "\"https://x\" \"file:x\"",
            "HTTP:x",
            "\"https://x\\\\y\"",
            "x.exe",
            "\\l \"http://x\"",
            "\"https://x\" \\t \"\\\\\\\\h\"",
        ] {
            assert!(instruction(&format!("HYPERLINK {target}"), Links::WEB).is_err(), "{target}");
        }
    }

    #[test]
    fn an_instruction_is_joined_and_cannot_be_computed() {
        let run = |steps: &[&str]| {
            let mut fields = Fields::new(Links::WEB);
            for step in steps {
                match *step {
                    "begin" | "separate" | "end" => fields.character(step)?,
                    "p" => fields.boundary()?,
                    text => fields.text(text)?,
                }
            }
            fields.finish()
        };
        assert!(run(&["begin", "PA", "GE", "separate", "end"]).is_ok());
        assert!(run(&["begin", "TOC \\o", "p", "more", "separate", "separate", "end"]).is_ok());
        assert!(run(&["begin", "PAGE", "separate", "separate", "DDE x", "end"]).is_err());
        assert!(run(&["begin", " REF a ", "begin", "PAGE", "end", " \\h", "end"]).is_ok());
        assert!(run(&["begin", "D", "DE", "AUTO c:\\x", "end"]).is_err());
        assert!(run(&["begin", "begin", "PAGE", "end", "DDE x", "end"]).is_err());
        assert!(run(&["begin", "PAGE ", "p", "DDE x", "end"]).is_err(), "a reader that begins anew with a paragraph");
        assert!(run(&["begin", "HYPERLINK ", "begin", "PAGE", "end", "end"]).is_err());
        assert!(run(&["begin", "DDE x"]).is_err() && run(&["begin", "PAGE"]).is_err(), "a field that is never closed");
        assert!(run(&["begin", "INDEX http://x", "end"]).is_err() && run(&["begin", r"REF \\\\h\\s", "end"]).is_err());
        assert!(
            run(&["PAGE"]).is_err()
                && run(&["end"]).is_err()
                && run(&["begin", "PAGE", "separate", "DDE", "end"]).is_err()
        );
    }
}
