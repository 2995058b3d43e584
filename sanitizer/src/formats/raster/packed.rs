//! Samples of 1, 2 or 4 bits, packed into bytes from the high bit on, each row on its own.

/// Bytes of a row of `width` pixels of `bits` bits.
pub(crate) const fn row_bytes(width: u32, bits: usize) -> usize {
    (width as usize).saturating_mul(bits).div_ceil(8)
}

/// One byte a sample. `bits` is 1, 2 or 4; other depths are already bytes.
pub(crate) fn unpack(rows: &[u8], width: u32, bits: usize) -> Vec<u8> {
    let row = row_bytes(width, bits).max(1);
    let mut out = Vec::with_capacity(rows.len().saturating_mul(8).checked_div(bits).unwrap_or(0));
    let shifts: &[u32] = match bits {
        1 => &[7, 6, 5, 4, 3, 2, 1, 0],
        2 => &[6, 4, 2, 0],
        4 => &[4, 0],
        _ => return rows.to_vec(),
    };
    let mask = mask(bits);
    for line in rows.chunks_exact(row) {
        let samples = line.iter().flat_map(|&byte| shifts.iter().map(move |&s| byte.wrapping_shr(s) & mask));
        out.extend(samples.take(width as usize));
    }
    out
}

/// The reverse of [`unpack`]; the bits that fill a row are 0.
pub(crate) fn pack(samples: &[u8], width: u32, bits: usize) -> Vec<u8> {
    let per_byte = match bits {
        1 => 8,
        2 => 4,
        4 => 2,
        _ => return samples.to_vec(),
    };
    let mask = mask(bits);
    let mut out = Vec::with_capacity(samples.len().div_ceil(per_byte));
    for line in samples.chunks_exact((width as usize).max(1)) {
        for group in line.chunks(per_byte) {
            let mut byte = 0u8;
            for i in 0..per_byte {
                byte = byte.wrapping_shl(u32::try_from(bits).unwrap_or(0)) | (group.get(i).unwrap_or(&0) & mask);
            }
            out.push(byte);
        }
    }
    out
}

const fn mask(bits: usize) -> u8 {
    match bits {
        1 => 1,
        2 => 3,
        4 => 15,
        _ => 255,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_goes_both_ways_and_clears_the_filling_bits() {
        for (bits, width, packed) in
            [(1, 3, [0b1010_0000u8, 0b0110_0000]), (2, 3, [0b1101_1000, 0b0001_1000]), (4, 1, [0x90, 0x30])]
        {
            let samples = unpack(&packed, width, bits);
            assert_eq!(samples.len(), 2 * width as usize);
            assert_eq!(pack(&samples, width, bits), packed);
        }
        assert_eq!(pack(&unpack(&[0b1011_1111], 3, 1), 3, 1), [0b1010_0000]);
    }
}
