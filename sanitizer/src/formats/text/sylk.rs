//! SYLK tables (Microsoft's "SYLK file format", 1986): the values of their cells, written as CSV.
//!
//! Kept: the constants of `C` records, in their places. Dropped: expressions (`E`, CSV-05: they run), formats, names
//! and everything else. Refused: what is no closed list of records, and a sheet larger than the limits.

use super::table;
use crate::Cx;
use crate::switches::{Filter, off};
use model::{FindingAction, LimitKind, Refusal};
use std::collections::BTreeMap;

/// Ours: the largest sheet that a SYLK program knew has 65,536 rows of 256 columns.
const MOST_ROWS: u32 = 65_536;
const MOST_COLUMNS: u32 = 256;

/// Reads the records of `text` and writes their values.
pub fn table(text: &str, cx: &mut Cx<'_>) -> Result<String, Refusal> {
    let mut cells: BTreeMap<(u32, u32), String> = BTreeMap::new();
    let (mut row, mut column) = (1u32, 1u32);
    let mut lines = text.lines();
    if !lines.next().is_some_and(|line| line.trim_start().starts_with("ID;")) {
        return Err(Refusal::unsupported("a table of this kind"));
    }
    for line in lines {
        let mut fields = fields(line);
        let kind = fields.next().unwrap_or_default();
        if kind == "E" {
            break;
        }
        if kind != "C" {
            continue;
        }
        let mut value = None;
        for field in fields {
            let Some((letter, rest)) = field.split_at_checked(1) else { continue };
            match letter {
                "Y" => row = place(rest, MOST_ROWS)?,
                "X" => column = place(rest, MOST_COLUMNS)?,
                "K" => value = Some(constant(rest)),
                "E" | "M" | "R" => cx.found("CSV-05", FindingAction::Removed, "expression"),
                _ => {}
            }
        }
        if let Some(value) = value {
            cx.budget.spend_entries(1)?;
            cells.insert((row, column), value);
        }
    }
    cx.found("CSV-05", FindingAction::ReEncoded, "SYLK written as CSV");
    write(&cells, cx)
}

/// Fields are separated by single semicolons; a doubled one is a character.
fn fields(line: &str) -> impl Iterator<Item = String> {
    let joined = line.replace(";;", "\u{0}");
    joined.split(';').map(|field| field.replace('\u{0}', ";")).collect::<Vec<_>>().into_iter()
}

fn place(number: &str, most: u32) -> Result<u32, Refusal> {
    let n: u32 = number.trim().parse().map_err(|_| Refusal::malformed(0, "SYLK: a cell without a place"))?;
    if n == 0 || n > most {
        return Err(Refusal::Limit { limit: LimitKind::Entries, asked: n.into(), allowed: most.into() });
    }
    Ok(n)
}

/// A number as it stands, a text without its quotes.
fn constant(value: &str) -> String {
    value.strip_prefix('"').map_or(value, |v| v.strip_suffix('"').unwrap_or(v)).to_owned()
}

fn write(cells: &BTreeMap<(u32, u32), String>, cx: &mut Cx<'_>) -> Result<String, Refusal> {
    let mut out = String::new();
    let (mut row, mut column) = (1u32, 1u32);
    for ((y, x), value) in cells {
        let (down, right) =
            (y.saturating_sub(row), if *y > row { x.saturating_sub(1) } else { x.saturating_sub(column) });
        cx.budget.spend_bytes(u64::from(down).saturating_add(right.into()).saturating_add(value.len() as u64))?;
        out.extend(std::iter::repeat_n('\n', down as usize));
        out.extend(std::iter::repeat_n(',', right as usize));
        (row, column) = (*y, *x);
        let special = value.contains([',', ';', '\t', '|', '"', '\n']);
        let formula = table::is_formula(value) && !off(Filter::SylkFormulas);
        if formula {
            cx.found("CSV-01", FindingAction::Neutralised, "cells");
        }
        let value = if formula { format!("'{value}") } else { value.clone() };
        out.push_str(&if special { table::enclose(&value) } else { value });
    }
    if !out.is_empty() {
        out.push('\n');
    }
    Ok(out)
}
