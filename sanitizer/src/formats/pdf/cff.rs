//! The frame of a Compact Font Format program (Adobe technical note 5176): whether every INDEX and DICT that a reader
//! follows lies inside the data. Charstrings are not looked into.

type Operands = Vec<i64>;

/// Whether `data` is one font whose offsets all lead somewhere.
pub fn is_sound(data: &[u8]) -> bool {
    check(data).is_some()
}

fn check(data: &[u8]) -> Option<()> {
    let header = usize::from(*data.get(2)?);
    if *data.first()? != 1 || header < 4 || !(1..=4).contains(data.get(3)?) {
        return None;
    }
    let (names, at) = index(data, header)?;
    let (tops, at) = index(data, at)?;
    let (_, at) = index(data, at)?;
    index(data, at)?;
    let ([_], [top]) = (names.as_slice(), tops.as_slice()) else { return None };
    let mut glyphs = 0;
    for (operator, operands) in dict(top)? {
        match (operator, operands.as_slice()) {
            // CharStrings, FDArray.
            (17 | 0x0C24, [offset]) => {
                let (found, _) = index(data, usize::try_from(*offset).ok()?)?;
                if operator == 17 {
                    glyphs = found.len();
                } else {
                    found.iter().try_for_each(|font| font_dict(data, font))?;
                }
            }
            (18, [size, offset]) => private(data, *size, *offset)?,
            // charset and Encoding: small numbers name predefined ones.
            (15 | 16, [0..=2]) => {}
            (15 | 16 | 0x0C25, [offset]) => {
                data.get(usize::try_from(*offset).ok()?)?;
            }
            (15..=18 | 0x0C24 | 0x0C25, _) => return None,
            // CharstringType.
            (0x0C06, kind) if kind != [2] => return None,
            _ => {}
        }
    }
    (glyphs > 0).then_some(())
}

fn font_dict(data: &[u8], font: &[u8]) -> Option<()> {
    for (operator, operands) in dict(font)? {
        if let (18, [size, offset]) = (operator, operands.as_slice()) {
            private(data, *size, *offset)?;
        }
    }
    Some(())
}

fn private(data: &[u8], size: i64, offset: i64) -> Option<()> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    for (operator, operands) in dict(data.get(start..end)?)? {
        if operator == 19 {
            let [subrs] = operands.as_slice() else { return None };
            index(data, usize::try_from(offset.checked_add(*subrs)?).ok()?)?;
        }
    }
    Some(())
}

/// The objects of the INDEX at `at`, and where it ends.
fn index(data: &[u8], at: usize) -> Option<(Vec<&[u8]>, usize)> {
    let count = usize::from(u16::from_be_bytes(*data.get(at..)?.first_chunk::<2>()?));
    let after_count = at.checked_add(2)?;
    if count == 0 {
        return Some((Vec::new(), after_count));
    }
    let size = usize::from(*data.get(after_count)?);
    if !(1..=4).contains(&size) {
        return None;
    }
    let first = after_count.checked_add(1)?;
    let start = first.checked_add(count.checked_add(1)?.checked_mul(size)?)?;
    let offsets = data.get(first..start)?.chunks_exact(size);
    let mut offsets = offsets.map(|o| o.iter().fold(0usize, |n, b| n << 8 | usize::from(*b)));
    // Offsets count from the byte before the data.
    let base = start.checked_sub(1)?;
    let mut from = offsets.next().filter(|o| *o == 1)?;
    let mut objects = Vec::with_capacity(count);
    for to in offsets {
        objects.push(data.get(base.checked_add(from)?..base.checked_add(to)?)?);
        from = to;
    }
    Some((objects, base.checked_add(from)?))
}

/// What can stand in a DICT (note 5176, clause 4).
enum Item {
    /// An operator; those of two bytes as 0Cxx.
    Operator(u16),
    /// A number; a real counts as zero, since no offset is one.
    Operand(i64),
}

/// The operators of a DICT, each with the operands before it.
fn dict(mut data: &[u8]) -> Option<Vec<(u16, Operands)>> {
    let mut entries = Vec::new();
    let mut pending = Operands::new();
    while !data.is_empty() {
        let (item, rest) = item(data)?;
        data = rest;
        match item {
            Item::Operand(number) => pending.push(number),
            Item::Operator(operator) => entries.push((operator, std::mem::take(&mut pending))),
        }
    }
    // Operands that no operator takes are a DICT cut short.
    pending.is_empty().then_some(entries)
}

/// The item that `data` begins with, and what follows it.
fn item(data: &[u8]) -> Option<(Item, &[u8])> {
    let (lead, rest) = data.split_first()?;
    let (value, rest) = match *lead {
        12 => {
            let (second, rest) = rest.split_first()?;
            return Some((Item::Operator(u16::from_be_bytes([12, *second])), rest));
        }
        operator @ 0..=21 => return Some((Item::Operator(u16::from(operator)), rest)),
        28 => rest.split_first_chunk().map(|(b, rest)| (i64::from(i16::from_be_bytes(*b)), rest))?,
        29 => rest.split_first_chunk().map(|(b, rest)| (i64::from(i32::from_be_bytes(*b)), rest))?,
        30 => (0, behind_real(rest)?),
        small @ 32..=246 => (i64::from(small).saturating_sub(139), rest),
        lead @ 247..=254 => {
            let (low, rest) = rest.split_first()?;
            let high = i64::from(lead.saturating_sub(247) & 3);
            let size = high.saturating_mul(256).saturating_add(i64::from(*low)).saturating_add(108);
            (if lead < 251 { size } else { size.saturating_neg() }, rest)
        }
        22..=27 | 31 | 255 => return None,
    };
    Some((Item::Operand(value), rest))
}

/// What follows a real: its digits are nibbles, and the last one is F, in the low half of a byte.
fn behind_real(data: &[u8]) -> Option<&[u8]> {
    let last = data.iter().position(|byte| byte >> 4 == 0xF || byte & 0xF == 0xF)?;
    let (digits, rest) = data.split_at_checked(last.saturating_add(1))?;
    digits.last().filter(|byte| **byte & 0xF == 0xF).map(|_| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One font, one glyph, a Private DICT with local subroutines.
    fn small() -> Vec<u8> {
        let mut font = vec![1, 0, 4, 1, 0, 1, 1, 1, 2, b'F'];
        // CharStrings at 36, Private of 2 bytes at 41: numbers as 28 hi lo.
        let top = [28, 0, 36, 17, 28, 0, 2, 28, 0, 42, 18];
        font.extend_from_slice(&[0, 1, 1, 1, 12]);
        font.extend_from_slice(&top);
        font.extend_from_slice(&[0, 0, 0, 0]);
        font.resize(36, 0);
        font.extend_from_slice(&[0, 1, 1, 1, 2, 14, 141, 19, 0, 0]);
        font
    }

    #[test]
    fn numbers_are_those_of_the_note_s_examples() {
        let number = |bytes: &[u8]| match item(bytes) {
            Some((Item::Operand(number), [])) => number,
            _ => panic!("{bytes:?}"),
        };
        assert_eq!([number(&[0x8b]), number(&[0xef]), number(&[0x27])], [0, 100, -100]);
        assert_eq!([number(&[0xfa, 0x7c]), number(&[0xfe, 0x7c])], [1000, -1000]);
        assert_eq!([number(&[0x1c, 0x27, 0x10]), number(&[0x1c, 0xd8, 0xf0])], [10_000, -10_000]);
        assert_eq!([number(&[0x1d, 0, 1, 0x86, 0xa0]), number(&[0x1d, 0xff, 0xfe, 0x79, 0x60])], [100_000, -100_000]);
        assert_eq!(number(&[0x1e, 0xe2, 0xa2, 0x5f]), 0);
        assert!(item(&[0x1e, 0xe2, 0xf5]).is_none() && item(&[0x1e, 0x12]).is_none() && item(&[31]).is_none());
    }

    #[test]
    fn a_font_with_all_its_parts_is_sound_and_each_cut_is_not() {
        let font = small();
        assert!(is_sound(&font));
        for cut in 0..font.len() {
            assert!(!is_sound(&font[..cut]), "{cut}");
        }
    }
}
