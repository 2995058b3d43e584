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

/// Operators, two bytes as 0Cxx, and their operands; a real counts as zero.
fn dict(data: &[u8]) -> Option<Vec<(u16, Operands)>> {
    let mut entries = Vec::new();
    let mut operands = Operands::new();
    let mut bytes = data.iter().copied();
    while let Some(first) = bytes.next() {
        let first_wide = i64::from(first);
        operands.push(match first {
            12 => {
                entries.push((0x0C00 | u16::from(bytes.next()?), std::mem::take(&mut operands)));
                continue;
            }
            0..=21 => {
                entries.push((u16::from(first), std::mem::take(&mut operands)));
                continue;
            }
            28 => i64::from(i16::from_be_bytes([bytes.next()?, bytes.next()?])),
            29 => i64::from(i32::from_be_bytes([bytes.next()?, bytes.next()?, bytes.next()?, bytes.next()?])),
            30 => {
                while bytes.next()? & 0x0F != 0x0F {}
                0
            }
            32..=246 => first_wide.checked_sub(139)?,
            247..=250 => (first_wide.checked_sub(247)? << 8).checked_add(i64::from(bytes.next()?))?.checked_add(108)?,
            251..=254 => 0i64
                .checked_sub(first_wide.checked_sub(251)? << 8)?
                .checked_sub(i64::from(bytes.next()?))?
                .checked_sub(108)?,
            22..=27 | 31 | 255 => return None,
        });
    }
    operands.is_empty().then_some(entries)
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
    fn a_font_with_all_its_parts_is_sound_and_each_cut_is_not() {
        let font = small();
        assert!(is_sound(&font));
        for cut in 0..font.len() {
            assert!(!is_sound(&font[..cut]), "{cut}");
        }
    }
}
