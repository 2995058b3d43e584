//! Formulas (ECMA-376 part 1, 18.17): read token by token, every function on the allow-list, no reference out of the
//! workbook, no service (OOX-15, OOX-16, OOX-38).

use super::functions;
use super::values::Links;

/// Accepts one formula without its leading `=`.
pub(super) fn check(formula: &str, links: Links) -> Result<(), String> {
    let mut rest = formula;
    let mut before = Token::Other;
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            '"' => (Token::Other, string(rest)?.len()),
            '\'' => (Token::Name, sheet(rest)?),
            '[' => (Token::Other, columns(rest, before)?),
            '|' => return Err("a service reference (OOX-15)".into()),
            '\\' | '`' | ']' => return Err(format!("{c} outside a text (OOX-15)")),
            '#' if before != Token::Name => (Token::Other, error(rest)),
            c if c.is_alphabetic() || c == '_' => (Token::Name, name(rest, links)?),
            c if c.is_ascii_digit() => (Token::Other, number(rest)),
            c if c.is_control() && c != '\n' && c != '\t' && c != '\r' => return Err("a control character".into()),
            c => (Token::Other, c.len_utf8()),
        };
        before = token;
        rest = rest.get(length.max(1)..).ok_or("a formula ends early")?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Name,
    Other,
}

/// A text with its quotes; a doubled quote is one of it.
fn string(rest: &str) -> Result<&str, String> {
    let length = quoted(rest, '"').ok_or("a text without its closing quote")?;
    let text = rest.get(..length).unwrap_or_default();
    if is_alarming(text) { Err(format!("the text {text} reads like a call (OOX-38)")) } else { Ok(text) }
}

/// A text that is a command once it is pasted or written to a table: a service with its topic, or a call.
fn is_alarming(text: &str) -> bool {
    const CALLS: [&str; 9] =
        ["CALL", "DDE", "EVALUATE", "EXEC", "FILTERXML", "REGISTER", "REGISTER.ID", "RTD", "WEBSERVICE"];
    let called = |before: &str| {
        let before = before.trim_end();
        let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '.')).map_or(0, |at| at.saturating_add(1));
        let word = before.get(start..).unwrap_or_default();
        CALLS.iter().any(|call| call.eq_ignore_ascii_case(word))
    };
    let service = text.contains('|') && text.contains('\'');
    service || text.match_indices('(').any(|(at, _)| text.get(..at).is_some_and(called))
}

/// Length of what stands in this quote, with both of its ends.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at.checked_add(1);
        }
    }
    None
}

/// `'Sheet name'`, which is of this workbook: no path, no book.
fn sheet(rest: &str) -> Result<usize, String> {
    let length = quoted(rest, '\'').ok_or("a sheet name without its closing quote")?;
    let name = rest.get(..length).unwrap_or_default();
    if name.contains(['[', ']', '|', '\\', '/']) {
        return Err(format!("a reference to another workbook: {name} (OOX-15)"));
    }
    Ok(length)
}

/// `[column]` of a table, which follows the table's name; a book's name stands where nothing is before it.
fn columns(rest: &str, before: Token) -> Result<usize, String> {
    let mut depth = 0usize;
    let mut chars = rest.char_indices();
    let end = loop {
        match chars.next().ok_or("a bracket is not closed")? {
            (_, '[') => depth = depth.saturating_add(1),
            (at, ']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break at.saturating_add(1);
                }
            }
            // 18.17.2.6: an apostrophe escapes a bracket in a column's name.
            (_, '\'') => drop(chars.next()),
            _ => {}
        }
    };
    let follows = rest.get(end..).and_then(|rest| rest.chars().next());
    let book = before != Token::Name || follows.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '!' | '\''));
    if book { Err("a reference to another workbook (OOX-15)".into()) } else { Ok(end) }
}

/// A name: of a cell, a sheet, something defined, or a function where a bracket follows.
fn name(rest: &str, links: Links) -> Result<usize, String> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '?' | '$');
    let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at_checked(length).ok_or("a name")?;
    let arguments = after.trim_start();
    // A cell and a blank before a bracket are an intersection of ranges.
    let intersection = arguments.len() != after.len() && is_cell(name);
    if !arguments.starts_with('(') || intersection {
        return Ok(length);
    }
    if !functions::is_allowed(name) {
        return Err(format!("function {name} (OOX-16)"));
    }
    if name.eq_ignore_ascii_case("HYPERLINK") {
        hyperlink(arguments.get(1..).unwrap_or_default(), links)?;
    }
    Ok(length)
}

fn is_cell(name: &str) -> bool {
    let bare = name.trim_start_matches('$');
    let letters = bare.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(bare.len());
    let digits = bare.get(letters..).unwrap_or_default().trim_start_matches('$');
    (1..=3).contains(&letters) && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// HYPERLINK's first argument is one text, and leads to the web or into the workbook (OOX-10).
fn hyperlink(arguments: &str, links: Links) -> Result<(), String> {
    let arguments = arguments.trim_start();
    if !arguments.starts_with('"') {
        return Err("HYPERLINK with a computed target (OOX-16)".into());
    }
    let target = string(arguments)?;
    let ends = arguments.get(target.len()..).unwrap_or_default().trim_start().starts_with([',', ')']);
    let bare = target.trim_matches('"');
    if ends && (bare.starts_with('#') || links.allow_written(bare)) {
        Ok(())
    } else {
        Err(format!("HYPERLINK to {target} (OOX-10)"))
    }
}

/// `#REF!`, `#N/A` and their like.
fn error(rest: &str) -> usize {
    const ERRORS: [&str; 9] =
        ["#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#GETTING_DATA", "#SPILL!"];
    ERRORS.iter().find(|error| rest.starts_with(**error)).map_or(1, |error| error.len())
}

/// A number, or a row: digits, a point, an exponent.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from.saturating_add(rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count())
    };
    let end = digits(0);
    match bytes.get(end..) {
        Some([b'e' | b'E', b'+' | b'-', d, ..]) if d.is_ascii_digit() => digits(end.saturating_add(2)),
        Some([b'e' | b'E', d, ..]) if d.is_ascii_digit() => digits(end.saturating_add(1)),
        Some(_) | None => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_of_plants_are_accepted() {
        for formula in [
            "SUM(A1:B2)*1.5E-3",
            "'My sheet'!$A$1+Sheet2!B2",
            "IF(A1=\"a|b [x] \\\\\",1,2)",
            "Table1[[#All],[Col 1]]",
            "SUM(Table1[Col])",
            "SUM(Table1[T | \\ C])",
            "HYPERLINK(\"mailto:a@b.invalid?subject=x y\")",
            "_xlfn.XLOOKUP(A1,B:B,C:C)",
            "#REF!",
            "A1#",
            "{1,2;3,4}",
            "SUM(A1:B2 (A1:A2))",
            "HYPERLINK(\"https://example.invalid/\",\"x\")",
            "HYPERLINK(\"#Sheet1!A1\")",
            "",
            "50",
            "Größe*2",
            "LOG10(5)",
            "@Table1[@Col]",
            "-A1&\"x\"\"y\"",
            "1:5",
            "Sheet1!Table1[Col]",
            "#N/A",
            "Sheet1!#REF!",
            "A1=#DIV/0!",
        ] {
            assert_eq!(check(formula, Links::WEB), Ok(()), "{formula}");
        }
    }

    #[test]
    fn formulas_that_fetch_call_or_leave_the_workbook_are_refused() {
        for formula in [
            "WEBSERVICE(\"https://x\")",
            "_xlfn.WEBSERVICE(A1)",
            "webservice (A1)",
            "1+CALL(\"u\",\"v\")",
            "cmd|'/c calc'!A0",
            "A1|B1",
            "[1]Sheet1!A1",
            "'[1]Sheet 1'!A1",
            "SUM([Book.xlsx]Sheet1!A1)",
            "'C:\\x\\[b.xlsx]S'!A1",
            "'http://x/[b]S'!A1",
            "EXEC(\"x\")",
            "Foo[1]Sheet1!A1",
            "HYPERLINK(\"file:x\")",
            "HYPERLINK(A1)",
            "HYPERLINK(\"https://x\"&A1)",
            "\\\\h\\s",
            "MyUdf(1)",
            "REGISTER.ID(1)",
            "IF(1,RTD(1),2)",
            "\"open",
            "'open",
            "[open",
            "X![1]Y",
            "HYPERLINK(\"\\\\h\\s\")",
            "A1`B1",
            "A1]",
            "IF(1,\"CALL (x\",2)",
            "\"=cmd|'/c calc'!A0\"",
        ] {
            assert!(check(formula, Links::WEB).is_err(), "{formula}");
        }
    }
}
