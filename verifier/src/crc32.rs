//! CRC-32 of ISO 3309, as PNG (annex D) and ZIP (APPNOTE 4.4.7) use it: sixteen bytes a step ("slicing by 16").

const TABLES: [[u32; 256]; 16] = tables();

#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "bound: constant loops at compile time")]
#[expect(clippy::cast_possible_truncation, reason = "bound: index < 256")]
const fn tables() -> [[u32; 256]; 16] {
    let mut tables = [[0u32; 256]; 16];
    let mut i = 0usize;
    while i < 256 {
        let mut c = i as u32;
        let mut bit = 0;
        while bit < 8 {
            c = if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 };
            bit += 1;
        }
        tables[0][i] = c;
        i += 1;
    }
    let mut t = 1;
    while t < 16 {
        let mut i = 0;
        while i < 256 {
            let before = tables[t - 1][i];
            tables[t][i] = tables[0][(before & 0xFF) as usize] ^ (before >> 8);
            i += 1;
        }
        t += 1;
    }
    tables
}

/// The CRC of `bytes`.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    crc32_of(&[bytes])
}

/// The CRC of `parts` one after another.
#[expect(clippy::indexing_slicing, reason = "bound: each index is a byte, or below 16 in a block of 16")]
pub(crate) fn crc32_of(parts: &[&[u8]]) -> u32 {
    let mut crc = !0u32;
    for part in parts {
        let (blocks, rest) = part.as_chunks::<16>();
        for block in blocks {
            let mut mixed = *block;
            for (byte, old) in mixed.iter_mut().zip(crc.to_le_bytes()) {
                *byte ^= old;
            }
            crc = 0;
            for (table, byte) in TABLES.iter().rev().zip(mixed) {
                crc ^= table[usize::from(byte)];
            }
        }
        for byte in rest {
            crc = TABLES[0][usize::from(crc.to_le_bytes()[0] ^ *byte)] ^ (crc >> 8);
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_whatever_the_cut() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
        let long: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let one_by_one = long.chunks(1).collect::<Vec<_>>();
        assert_eq!(crc32(&long), crc32_of(&one_by_one));
        assert_eq!(crc32_of(&[&long[..333], &long[333..]]), crc32(&long));
    }
}
