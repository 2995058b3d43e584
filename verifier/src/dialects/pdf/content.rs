//! Content streams (ISO 32000-1, 7.8.2 and annex A): one operator a line, of a closed list, each with its operands.

use super::value::{Reader, Value};
use crate::Rejection;
use std::collections::BTreeMap;

/// `q` in `q`, `BDC` in `BDC`.
const DEPTH: u32 = 512;
/// `scn` with 32 components and a pattern.
const OPERANDS: usize = 33;

/// The kinds of named resources, in the order of their letters.
pub(super) const KINDS: [(&str, u8); 7] = [
    ("ColorSpace", b'C'),
    ("ExtGState", b'G'),
    ("Font", b'F'),
    ("Pattern", b'P'),
    ("Properties", b'O'),
    ("Shading", b'S'),
    ("XObject", b'X'),
];

/// The numbers of the names that a stream uses, by the kinds above, and how often each of them draws: patterns that are
/// chosen, XObjects, and what is shown in a font.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Used(pub(super) [BTreeMap<u32, u64>; 7]);

impl Used {
    pub(super) fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            for (number, times) in theirs {
                let known = mine.entry(*number).or_default();
                *known = (*known).max(*times);
            }
        }
    }
}

/// The number of a name that is one letter and a number.
pub(super) fn numbered(name: &[u8], letter: u8) -> Option<u32> {
    let (first, digits) = name.split_first()?;
    let sound = *first == letter && (1..=6).contains(&digits.len()) && !digits.starts_with(b"0");
    let number = digits.iter().try_fold(0u32, |n, b| {
        let digit = b.is_ascii_digit().then(|| u32::from(b.wrapping_sub(b'0')))?;
        n.checked_mul(10)?.checked_add(digit)
    });
    number.filter(|_| sound)
}

/// An operand.
#[derive(Clone, Copy, Debug)]
enum Operand<'a> {
    Int(i64),
    Real,
    Name(&'a [u8]),
    Str,
    /// Numbers, none of them below zero.
    Numbers,
    /// An array with strings.
    Mixed,
}

impl Operand<'_> {
    const fn is_number(self) -> bool {
        matches!(self, Operand::Int(_) | Operand::Real)
    }
}

/// What is open.
#[derive(Default)]
struct Open {
    states: u32,
    texts: u32,
    marks: u32,
    /// The font, and those that `Q` brings back.
    font: Option<u32>,
    fonts: Vec<Option<u32>>,
}

impl Open {
    fn save(&mut self) {
        self.fonts.push(self.font);
    }

    fn restore(&mut self) {
        self.font = self.fonts.pop().flatten();
    }
}

/// A whole stream; `glyph` is one of a Type 3 font.
pub(super) fn check(data: &[u8], glyph: bool) -> Result<Used, Rejection> {
    let mut reader = Reader::new(data, 0);
    let mut used = Used::default();
    let mut open = Open::default();
    let mut operands: Vec<Operand<'_>> = Vec::with_capacity(OPERANDS);
    while let Some(first) = reader.peek() {
        if first.is_ascii_alphabetic() || matches!(first, b'\'' | b'"') {
            let start = reader;
            let operator = reader.run(|b| b != b'\n');
            reader.expect(b"\n", "dialect §4: line feed behind an operator")?;
            line(operator, &operands, glyph, &mut used, &mut open).map_err(|rule| {
                start.reject(&format!(
                    "{rule}: {}",
                    operator.get(..operator.len().min(12)).unwrap_or_default().escape_ascii()
                ))
            })?;
            operands.clear();
        } else {
            if operands.len() >= OPERANDS {
                return Err(reader.reject("dialect §4: too many operands"));
            }
            operands.push(operand(&mut reader)?);
            reader.expect(b" ", "dialect §4: one space behind an operand")?;
        }
    }
    if !operands.is_empty() {
        return Err(reader.reject("7.8.2: operands without an operator"));
    }
    if open.states != 0 || open.texts != 0 || open.marks != 0 {
        return Err(reader.reject("dialect §4: q, BT or BDC left open (PDF-78)"));
    }
    Ok(used)
}

#[inline]
fn operand<'a>(reader: &mut Reader<'a>) -> Result<Operand<'a>, Rejection> {
    match reader.peek() {
        Some(b'/') => reader.name().map(Operand::Name),
        Some(b'<') => reader.string().map(|_| Operand::Str),
        Some(b'[') => array(reader),
        _ => number(reader),
    }
}

#[inline]
fn number<'a>(reader: &mut Reader<'_>) -> Result<Operand<'a>, Rejection> {
    Ok(if let Value::Int(n) = reader.number()? { Operand::Int(n) } else { Operand::Real })
}

fn array<'a>(reader: &mut Reader<'_>) -> Result<Operand<'a>, Rejection> {
    reader.expect(b"[", "array")?;
    let mut kind = Operand::Numbers;
    let mut first = true;
    while !reader.eat(b"]") {
        if !first {
            reader.expect(b" ", "dialect §1: one space between elements")?;
        }
        first = false;
        if reader.peek() == Some(b'<') {
            reader.string()?;
            kind = Operand::Mixed;
        } else {
            // A dash has no length below zero (8.4.3.6); of a text's offsets every sign is right.
            if reader.number()?.number().is_some_and(|n| n < 0.0) {
                kind = Operand::Mixed;
            }
        }
    }
    Ok(kind)
}

fn line(
    operator: &[u8],
    operands: &[Operand<'_>],
    glyph: bool,
    used: &mut Used,
    open: &mut Open,
) -> Result<(), &'static str> {
    let wrong = "annex A: operands";
    let numbers = operands.iter().all(|o| o.is_number());
    let holds = match operator {
        b"q" => {
            open.save();
            return enter(&mut open.states, operands.is_empty());
        }
        b"Q" => {
            open.restore();
            return leave(&mut open.states, operands.is_empty());
        }
        b"BT" => return enter(&mut open.texts, operands.is_empty()),
        b"ET" => return leave(&mut open.texts, operands.is_empty()),
        b"EMC" => return leave(&mut open.marks, operands.is_empty()),
        b"BDC" => {
            let [Operand::Name(b"OC"), Operand::Name(name)] = operands else {
                return Err(wrong);
            };
            resource(used, "Properties", name, 0)?;
            return enter(&mut open.marks, true);
        }
        b"T*" | b"h" | b"n" | b"S" | b"s" | b"f" | b"f*" | b"B" | b"B*" | b"b" | b"b*" | b"W" | b"W*" => {
            operands.is_empty()
        }
        b"w" | b"M" | b"i" | b"Tc" | b"Tw" | b"Tz" | b"TL" | b"Ts" | b"g" | b"G" => numbers && operands.len() == 1,
        b"m" | b"l" | b"Td" | b"TD" => numbers && operands.len() == 2,
        b"rg" | b"RG" => numbers && operands.len() == 3,
        b"re" | b"v" | b"y" | b"k" | b"K" => numbers && operands.len() == 4,
        b"c" | b"cm" | b"Tm" => numbers && operands.len() == 6,
        b"d0" => glyph && numbers && operands.len() == 2,
        b"d1" => glyph && numbers && operands.len() == 6,
        b"J" | b"j" => matches!(operands, [Operand::Int(0..=2)]),
        b"Tr" => matches!(operands, [Operand::Int(0..=7)]),
        b"d" => matches!(operands, [Operand::Numbers, phase] if phase.is_number()),
        b"ri" => {
            matches!(operands, [Operand::Name(name)] if super::paint::INTENTS.iter().any(|i| i.as_bytes() == *name))
        }
        b"sc" | b"SC" => numbers && (1..=32).contains(&operands.len()),
        b"scn" | b"SCN" => match operands.split_last() {
            Some((Operand::Name(name), tints)) => {
                resource(used, "Pattern", name, 1)?;
                tints.iter().all(|o| o.is_number()) && tints.len() <= 32
            }
            Some(_) => numbers && operands.len() <= 32,
            None => false,
        },
        b"cs" | b"CS" => match operands {
            [Operand::Name(b"DeviceGray" | b"DeviceRGB" | b"DeviceCMYK" | b"Pattern")] => true,
            [Operand::Name(name)] => return resource(used, "ColorSpace", name, 0),
            _ => false,
        },
        b"gs" => return named(used, "ExtGState", operands),
        b"sh" => return named(used, "Shading", operands),
        b"Do" => match operands {
            [Operand::Name(name)] => return resource(used, "XObject", name, 1),
            _ => false,
        },
        b"Tf" => match operands {
            [Operand::Name(name), size] if size.is_number() => {
                open.font = numbered(name, b'F');
                return resource(used, "Font", name, 0);
            }
            _ => false,
        },
        b"Tj" | b"'" => shows(used, open) && matches!(operands, [Operand::Str]),
        b"\"" => {
            shows(used, open) && matches!(operands, [word, char, Operand::Str] if word.is_number() && char.is_number())
        }
        b"TJ" => shows(used, open) && matches!(operands, [Operand::Numbers | Operand::Mixed]),
        _ => return Err("dialect §4: operator that is not of our list (PDF-78)"),
    };
    if holds { Ok(()) } else { Err(wrong) }
}

fn enter(open: &mut u32, sound: bool) -> Result<(), &'static str> {
    *open = open.saturating_add(1);
    if sound && *open <= DEPTH { Ok(()) } else { Err("dialect §4: operands, or more than 512 deep") }
}

fn leave(open: &mut u32, sound: bool) -> Result<(), &'static str> {
    *open =
        open.checked_sub(1).filter(|_| sound).ok_or("dialect §4: operands, or closed before it was opened (PDF-78)")?;
    Ok(())
}

fn named(used: &mut Used, kind: &str, operands: &[Operand<'_>]) -> Result<(), &'static str> {
    let [Operand::Name(name)] = operands else {
        return Err("annex A: operands");
    };
    resource(used, kind, name, 0)
}

/// A show operator draws once what the glyphs of its font draw.
fn shows(used: &mut Used, open: &Open) -> bool {
    if let (Some(number), [_, _, fonts, ..]) = (open.font, &mut used.0)
        && let Some(times) = fonts.get_mut(&number)
    {
        *times = times.saturating_add(1);
    }
    true
}

fn resource(used: &mut Used, kind: &str, name: &[u8], times: u64) -> Result<(), &'static str> {
    let slots = KINDS.iter().zip(used.0.iter_mut());
    for ((key, letter), slot) in slots {
        if *key == kind {
            let drawn = slot.entry(numbered(name, *letter).ok_or("dialect §2: name of a resource")?).or_default();
            *drawn = drawn.saturating_add(times);
        }
    }
    Ok(())
}
