//! Tables as text (RFC 4180): cells that a spreadsheet would take for formulas get an apostrophe (CSV-01), quotes are
//! closed, the `sep=` line goes (CSV-02). What is canonical already is not touched, and a number stays a number.

use crate::Cx;
use crate::switches::{Filter, off};
use memchr::{memchr, memchr2};
use model::{FindingAction, Refusal};
use std::borrow::Cow;

/// What separates cells, in the order in which a tie is decided.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// Ours: how far into the file the separator is looked for.
const ROWS_TO_COUNT: usize = 20;

/// Ours: how often a table is read anew because closing its quotes made another separator the likely one.
const READINGS: usize = 4;

/// Makes a table harmless. `text` is clean already: UTF-8, one style of line ends.
pub fn neutralise(text: String, tabs_only: bool, cx: &mut Cx<'_>) -> Result<String, Refusal> {
    let mut text = text;
    for _ in 0..READINGS {
        let (made, settled) = once(text, tabs_only, cx);
        if settled {
            return Ok(made);
        }
        text = made;
    }
    Err(Refusal::Ambiguous { what: "a table with another separator (CSV-02)".into() })
}

/// One reading. Settled where the next one would take the same separator: nothing but quotes can change that.
fn once(text: String, tabs_only: bool, cx: &mut Cx<'_>) -> (String, bool) {
    let (body, told) = without_separator_lines(&text);
    let cut = body.len() != text.len();
    if cut {
        cx.found("CSV-02", FindingAction::Removed, "sep= line");
    }
    let used = if tabs_only { b'\t' } else { told.unwrap_or_else(|| separator(body)) };
    let mut table = Table { body, separator: used, tabs_only, out: String::new(), copied: 0, formulas: 0, quotes: 0 };
    let mut at = 0usize;
    while at < body.len() {
        at = table.cell(at);
    }
    cx.found_count("CSV-01", FindingAction::Neutralised, "cells", table.formulas);
    cx.found_count("CSV-02", FindingAction::ReEncoded, "quoting", table.quotes);
    let Table { mut out, copied, quotes, .. } = table;
    if copied == 0 && !cut {
        return (text, true);
    }
    out.push_str(body.get(copied..).unwrap_or_default());
    let line_gone = without_separator_lines(&out).0.len() == out.len();
    let settled = line_gone && (tabs_only || quotes == 0 && !cut || separator(&out) == used);
    (out, settled)
}

/// Skips first lines like `sep=;` and tells the separator that they name.
fn without_separator_lines(text: &str) -> (&str, Option<u8>) {
    let (mut body, mut told) = (text, None);
    loop {
        let line = body.trim_ascii_start();
        let bare = line.strip_prefix('"').unwrap_or(line);
        let says = bare.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("sep=")) && !off(Filter::CsvSeparatorLine);
        let Some(value) = bare.get(4..).filter(|_| says) else {
            return (body, told);
        };
        let named = value.bytes().next().filter(|b| SEPARATORS.contains(b));
        told = told.or(named);
        body = line.split_once('\n').map_or("", |(_, rest)| rest);
    }
}

/// The separator that the first row has most of, outside of quotes; the next rows where it has none. A quote opens a
/// cell only at its start, as everywhere else.
fn separator(body: &str) -> u8 {
    let mut counts = [0usize; 4];
    let (mut quoted, mut starts, mut rows) = (false, true, 0usize);
    for byte in body.bytes() {
        if quoted {
            // A doubled quote closes and opens again at once.
            quoted = byte != b'"';
            starts = !quoted;
            continue;
        }
        if byte == b'\n' {
            rows = rows.saturating_add(1);
            if counts != [0; 4] || rows == ROWS_TO_COUNT {
                break;
            }
        }
        quoted = byte == b'"' && starts;
        let mut separates = false;
        for (count, separator) in counts.iter_mut().zip(SEPARATORS) {
            *count = count.saturating_add(usize::from(byte == separator));
            separates |= byte == separator;
        }
        starts = separates || byte == b'\n';
    }
    // `max_by_key` takes the last of equals, so the order is turned round; with no separator at all that is a comma.
    counts.iter().zip(SEPARATORS).rev().max_by_key(|(count, _)| **count).map_or(b',', |(_, separator)| separator)
}

struct Table<'t> {
    body: &'t str,
    separator: u8,
    tabs_only: bool,
    out: String,
    /// How much of `body` is in `out`.
    copied: usize,
    formulas: u64,
    quotes: u64,
}

impl Table<'_> {
    /// Reads the cell at `at` and returns where the next one begins.
    fn cell(&mut self, at: usize) -> usize {
        let body = self.body;
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with('"') {
            return self.quoted(at);
        }
        let length = memchr2(self.separator, b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let content = rest.get(..length).unwrap_or_default();
        let content = if rest.as_bytes().get(length) == Some(&b'\n') {
            content.strip_suffix('\r').unwrap_or(content)
        } else {
            content
        };
        let end = at.saturating_add(content.len());
        let guarded = self.guard(content);
        if memchr(b'"', content.as_bytes()).is_some() && !off(Filter::CsvQuotes) {
            self.quotes = self.quotes.saturating_add(1);
            self.replace(at, end, &enclose(&guarded));
        } else if let Cow::Owned(guarded) = &guarded {
            self.replace(at, end, guarded);
        }
        at.saturating_add(length).saturating_add(1)
    }

    /// A cell that begins with a quote. What stands between its closing quote and the separator belongs to it, as in
    /// Excel; a quote that is never closed takes the rest of the file.
    fn quoted(&mut self, at: usize) -> usize {
        let body = self.body;
        let open = at.saturating_add(1);
        let Some(close) = closing(body, open) else {
            if off(Filter::CsvQuotes) {
                return body.len();
            }
            let rest = body.get(open..).unwrap_or_default();
            let content = rest.trim_end_matches(['\n', '\r']);
            self.quotes = self.quotes.saturating_add(1);
            let cell = enclose(&self.guard(&content.replace("\"\"", "\"")));
            self.replace(at, open.saturating_add(content.len()), &cell);
            return body.len();
        };
        let inside = body.get(open..close).unwrap_or_default();
        let after = body.get(close.saturating_add(1)..).unwrap_or_default();
        let length = memchr2(self.separator, b'\n', after.as_bytes()).unwrap_or(after.len());
        let tail = after.get(..length).unwrap_or_default();
        let line_end = after.as_bytes().get(length) == Some(&b'\n');
        let tail = if line_end { tail.strip_suffix('\r').unwrap_or(tail) } else { tail };
        let end = close.saturating_add(1).saturating_add(tail.len());
        if !tail.is_empty() && !off(Filter::CsvQuotes) {
            self.quotes = self.quotes.saturating_add(1);
            let cell = format!("{}{tail}", inside.replace("\"\"", "\""));
            let cell = enclose(&self.guard(&cell));
            self.replace(at, end, &cell);
        } else if let Cow::Owned(guarded) = self.guard(inside) {
            // Doubled quotes are still doubled in here, and an apostrophe does not change that.
            self.replace(at, end, &format!("\"{guarded}\""));
        }
        close.saturating_add(1).saturating_add(length).saturating_add(1)
    }

    /// The cell with an apostrophe wherever a spreadsheet would begin a formula: at its start, and, since Excel takes
    /// the separator from the country it runs in, after each of the other separators.
    fn guard<'c>(&mut self, content: &'c str) -> Cow<'c, str> {
        if !self.may_trigger(content) {
            return Cow::Borrowed(content);
        }
        let mut out = String::with_capacity(content.len().saturating_add(1));
        let mut changed = false;
        let mut at = 0usize;
        while let Some(rest) = content.get(at..) {
            // The cell itself is judged as a whole, each part after another separator up to the next one.
            let end = if self.tabs_only { None } else { rest.bytes().position(|b| SEPARATORS.contains(&b)) };
            let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let judged = if at == 0 { content } else { part };
            let filter = if at == 0 { Filter::CsvFormulas } else { Filter::CsvInnerFormulas };
            if (is_formula(judged) || at == 0 && is_formula(part)) && !off(filter) {
                out.push('\'');
                changed = true;
            }
            let stop = end.map_or(rest.len(), |end| end.saturating_add(1));
            out.push_str(rest.get(..stop).unwrap_or_default());
            if end.is_none() {
                break;
            }
            at = at.saturating_add(stop);
        }
        self.formulas = self.formulas.saturating_add(u64::from(changed));
        if changed { Cow::Owned(out) } else { Cow::Borrowed(content) }
    }

    /// A quick no for most cells: no trigger at the start and no other separator inside.
    fn may_trigger(&self, content: &str) -> bool {
        let first = content.bytes().next().unwrap_or(b'x');
        let start = !first.is_ascii_alphanumeric();
        start || !self.tabs_only && content.bytes().any(|b| SEPARATORS.contains(&b) || b >= 0x80)
    }

    fn replace(&mut self, from: usize, to: usize, with: &str) {
        self.out.push_str(self.body.get(self.copied..from).unwrap_or_default());
        self.out.push_str(with);
        self.copied = to;
    }
}

/// Place of the quote that closes a cell whose content starts at `open`.
fn closing(body: &str, open: usize) -> Option<usize> {
    let bytes = body.as_bytes();
    let mut at = open;
    loop {
        let quote = memchr(b'"', bytes.get(at..)?)?.checked_add(at)?;
        if bytes.get(quote.checked_add(1)?) != Some(&b'"') {
            return Some(quote);
        }
        at = quote.checked_add(2)?;
    }
}

/// The cell in quotes.
pub fn enclose(content: &str) -> String {
    format!("\"{}\"", content.replace('"', "\"\""))
}

/// Whether a spreadsheet would take this for a formula: it begins, after blanks and quotes, with a sign that starts
/// one, in any width, and is no plain value.
pub fn is_formula(cell: &str) -> bool {
    // TAB starts a formula itself in old spreadsheets, so it is not skipped.
    let shown = cell.trim_start_matches(|c: char| (c.is_whitespace() && c != '\t') || c == '"');
    let trigger = matches!(
        shown.chars().next(),
        Some(
            '=' | '+'
                | '-'
                | '@'
                | '\t'
                | '＝'
                | '＋'
                | '－'
                | '＠'
                | '﹢'
                | '﹣'
                | '﹦'
                | '﹫'
                | '⁺'
                | '⁼'
                | '₊'
                | '₌'
                | '⩵'
                | '⩶'
        )
    );
    trigger && !is_value(shown.trim_end())
}

/// A signed number, percentage, telephone number, date or time: a sign, digits, and single marks between them.
fn is_value(cell: &str) -> bool {
    let Some(unsigned) = cell.strip_prefix(['+', '-']) else { return false };
    let unsigned = unsigned.trim_start_matches(' ').trim_end_matches('%').trim_end();
    let mut before = ' ';
    let mut exponent = false;
    for c in unsigned.chars() {
        let fits = match c {
            '0'..='9' => true,
            '.' | ',' => before != 'e',
            ':' | '/' | ' ' | '\u{a0}' | '\u{202f}' => before.is_ascii_digit(),
            'e' | 'E' => (before.is_ascii_digit() || before == '.') && !std::mem::replace(&mut exponent, true),
            '+' | '-' => before == 'e',
            _ => false,
        };
        if !fits {
            return false;
        }
        before = c.to_ascii_lowercase();
    }
    before != 'e' && unsigned.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_formulas() {
        for value in [
            "-5",
            "+3.2",
            "-1,234.50",
            "-1.234,50",
            "+49 123 456",
            "-1e-3",
            "-5:30",
            "+12/31/2024",
            "-5 %",
            "1",
            "a",
            "",
            "-.5",
        ] {
            assert!(!is_formula(value), "{value:?}");
        }
        for formula in [
            "=1",
            "+A1",
            "-A1",
            "@x",
            "\t1",
            " =1",
            "\"=1",
            "＝1",
            "-1-1",
            "-1+cmd|' /C calc'!A0",
            "-",
            "-e5",
            "+1e",
            "﹦1",
        ] {
            assert!(is_formula(formula), "{formula:?}");
        }
    }

    #[test]
    fn the_separator_is_the_one_the_first_line_has_most_of() {
        assert_eq!(separator("a;b,c;d\n"), b';');
        assert_eq!(separator("[Data]\na\tb\n"), b'\t');
        assert_eq!(separator("a,b;c\n"), b',');
        assert_eq!(separator("\"a;b;c\",d\n"), b',');
    }
}
