//! Tables as text (RFC 4180): the characters of plain text, one separator, quotes in pairs, and no cell that a
//! spreadsheet would take for a formula (CSV-01, CSV-02).

use super::text;
use crate::{Limits, Rejection};
use model::{Format, Policy};

/// What separates cells; a `.tsv` has TAB only.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// Accepts a table of text.
pub fn verify(bytes: &[u8], format: Format, _policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    limits.spend(bytes.len())?;
    text::characters(bytes)?;
    text::beginning(bytes)?;
    separator_line(bytes)?;
    let candidates = if format == Format::Tsv { b"\t".as_slice() } else { &SEPARATORS };
    let mut first = None;
    for &separator in candidates {
        match table(bytes, separator, format == Format::Tsv) {
            Ok(()) => return Ok(()),
            Err(rejection) => first = first.or(Some(rejection)),
        }
    }
    Err(first.unwrap_or_else(|| Rejection::new(0, "no separator")))
}

/// CSV-02: `sep=;` in the first line makes Excel read another table than everybody else.
fn separator_line(bytes: &[u8]) -> Result<(), Rejection> {
    let line = bytes.trim_ascii_start();
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    match line.get(..4) {
        Some(start) if start.eq_ignore_ascii_case(b"sep=") => Err(Rejection::new(0, "no sep= line (CSV-02)")),
        Some(_) | None => Ok(()),
    }
}

/// Reads the whole table with one separator.
fn table(bytes: &[u8], separator: u8, tabs_only: bool) -> Result<(), Rejection> {
    let mut at = 0usize;
    while at < bytes.len() {
        at = cell(bytes, at, separator, tabs_only)?;
    }
    Ok(())
}

/// Reads one cell and the separator or line end after it; returns where the next one begins.
///
/// Excel takes the separator from the country it runs in, so a cell that would begin at another separator is looked at
/// as well (CSV-02).
fn cell(bytes: &[u8], at: usize, separator: u8, tabs_only: bool) -> Result<usize, Rejection> {
    let rest = bytes.get(at..).unwrap_or_default();
    if let [b'"', quoted @ ..] = rest {
        return quoted_cell(quoted, at, separator);
    }
    let ends = |&b: &u8| b == separator || b == b'\n';
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    let content = rest.get(..length).unwrap_or_default();
    if content.contains(&b'"') {
        return Err(Rejection::new(at, "RFC 4180 2.5: a quote only in a quoted cell"));
    }
    harmless(content, at)?;
    if !tabs_only {
        let mut parts = content.split(|b| SEPARATORS.contains(b)).skip(1);
        parts.try_for_each(|part| harmless(part, at))?;
    }
    Ok(at.saturating_add(length).saturating_add(1))
}

/// Reads from after the opening quote.
fn quoted_cell(quoted: &[u8], at: usize, separator: u8) -> Result<usize, Rejection> {
    let mut end = 0usize;
    loop {
        let rest = quoted.get(end..).unwrap_or_default();
        let quote = rest.iter().position(|&b| b == b'"');
        let quote = quote.ok_or_else(|| Rejection::new(at, "RFC 4180 2.5: the closing quote is missing"))?;
        end = end.saturating_add(quote);
        match quoted.get(end.saturating_add(1)..).unwrap_or_default() {
            [b'"', ..] => end = end.saturating_add(2),
            [] | [b'\n', ..] | [b'\r', b'\n', ..] => break,
            [b, ..] if *b == separator => break,
            _ => {
                return Err(Rejection::new(at, "RFC 4180 2.5: a separator or line end after the closing quote"));
            }
        }
    }
    harmless(quoted.get(..end).unwrap_or_default(), at)?;
    let crlf = usize::from(quoted.get(end.saturating_add(1)) == Some(&b'\r'));
    // The opening quote, the closing quote, and the separator or line end.
    Ok(at.saturating_add(end).saturating_add(3).saturating_add(crlf))
}

/// CSV-01: no spreadsheet takes this cell for a formula.
fn harmless(content: &[u8], at: usize) -> Result<(), Rejection> {
    let shown = skip_blank(content);
    if !is_trigger(shown) || is_value(shown.trim_ascii_end()) {
        return Ok(());
    }
    Err(Rejection::new(at, "a cell does not begin like a formula (CSV-01)"))
}

fn skip_blank(content: &[u8]) -> &[u8] {
    let mut rest = content;
    loop {
        rest = match rest {
            [b' ' | b'"' | b'\r' | b'\n', more @ ..] | [0xc2, 0xa0, more @ ..] | [0xe3, 0x80, 0x80, more @ ..] => more,
            _ => return rest,
        };
    }
}

/// Whether a cell begins with `=`, `+`, `-`, `@`, TAB or a full-width twin.
const fn is_trigger(cell: &[u8]) -> bool {
    matches!(
        cell,
        [b'=' | b'+' | b'-' | b'@' | b'\t', ..]
            | [0xef, 0xbc, 0x9d | 0x8b | 0x8d, ..] // U+FF1D, U+FF0B, U+FF0D
            | [0xef, 0xbc, 0xa0, ..] // U+FF20
    )
}

/// A signed number, percentage, amount of money, date or time: signs, digits and what stands between them, with at
/// most one currency or exponent. Nothing of it can name a function, a cell or a service.
fn is_value(cell: &[u8]) -> bool {
    let Ok(cell) = std::str::from_utf8(cell) else {
        return false;
    };
    let unsigned = cell.strip_prefix(['+', '-']).unwrap_or("=");
    let unsigned = unsigned.trim_start_matches(CURRENCY).trim_start();
    let unsigned = unsigned.trim_end_matches(['%', '\u{2030}']).trim_end_matches(CURRENCY).trim_end();
    let mut digits = false;
    let mut exponents = 0u8;
    let mut before = ' ';
    for c in unsigned.chars() {
        match c {
            '0'..='9' => digits = true,
            '.' | ',' | ':' | '/' | '\'' | '\u{a0}' | '\u{202f}' | ' '
                if before.is_ascii_digit() || c == '.' || c == ',' => {}
            'e' | 'E' if before.is_ascii_digit() || before == '.' => exponents = exponents.saturating_add(1),
            '+' | '-' if matches!(before, 'e' | 'E') => {}
            _ => return false,
        }
        before = c;
    }
    digits && exponents <= 1 && !matches!(before, 'e' | 'E')
}

const CURRENCY: [char; 5] = ['$', '\u{20ac}', '\u{a3}', '\u{a5}', ' '];

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(format: Format, table: &str) -> bool {
        let policy = Policy::standard();
        verify(table.as_bytes(), format, &policy, &mut Limits::of(&policy)).is_ok()
    }

    #[test]
    fn tables_as_plants_export_them_are_accepted() {
        for table in [
            "",
            "a,b\r\n1,2\r\n",
            "Tag;Wert\nT1;-1,5\nT2;+3\n",
            "x\t-1e-3\t12:30:00\n",
            "\"a, \"\"b\"\"\",c\n",
            "-1.5",
            "-$1,234.50,+5 %",
            "'=1+1,'-x\n",
            "a|b\n",
            "\"multi\nline\",x\n",
            "2024-01-01,1E5,0007\n",
            "-5:30,\n,,\n",
        ] {
            assert!(accepts(Format::Csv, table), "{table:?}");
        }
        assert!(accepts(Format::Tsv, "a\t-1\t\"b\tc\"\n"));
    }

    #[test]
    fn formulas_are_refused_under_every_quoting_and_separator() {
        for trigger in [
            "=1+1",
            "+A1",
            "-A1",
            "@SUM(A1)",
            "＝1",
            "＋A",
            "－A",
            "＠A",
            "=cmd|'/c calc'!A1",
            "-2+3+cmd|' /C calc'!A0",
            "+1+1",
            "-1-1",
        ] {
            for cell in [trigger.to_owned(), format!("\"{trigger}\""), format!(" {trigger}"), format!("\" {trigger}\"")]
            {
                for separator in [",", ";", "\t", "|"] {
                    assert!(
                        !accepts(Format::Csv, &format!("a{separator}{cell}{separator}b\n")),
                        "{cell:?} {separator:?}"
                    );
                }
                assert!(!accepts(Format::Csv, &cell) && !accepts(Format::Tsv, &format!("x\n{cell}\n")), "{cell:?}");
            }
        }
        assert!(!accepts(Format::Csv, "\"\tx\",1"));
    }

    #[test]
    fn quotes_and_separators_have_one_reading() {
        for table in ["\"a", "\"a\"b,c", "a\"b,c", "\"a\";=1+1,\"b\"", "sep=;\na;b", "ID;PWXL;N;E", "a,\"b\";\"c\""] {
            assert!(!accepts(Format::Csv, table), "{table:?}");
        }
    }
}
