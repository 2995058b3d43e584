//! Little numbers and names out of sectors. What lies beyond the end reads as 0: callers hold whole structures.

/// The `N` bytes at `at`, zeros where there are none.
pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
}

pub(crate) fn u8_at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

/// UTF-16 as UTF-8; half a surrogate pair as the three bytes that the same rule would give it, which are no UTF-8, so that
/// two names that differ stay two names.
pub(crate) fn from_utf16(units: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut name = Vec::new();
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(c) => name.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                let low = |bits: u16| 0x80 | u8::try_from(bits & 0x3f).unwrap_or(0);
                name.extend([0xe0 | u8::try_from(unit >> 12).unwrap_or(0), low(unit >> 6), low(unit)]);
            }
        }
    }
    name
}

/// UTF-16, little or big endian, up to the first NUL.
pub(crate) fn utf16_name(bytes: &[u8], big_endian: bool) -> Vec<u8> {
    let unit = |pair: &[u8; 2]| if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
    from_utf16(bytes.as_chunks::<2>().0.iter().map(unit).take_while(|unit| *unit != 0))
}

/// A text field of a fixed size, without the spaces or NULs that fill it.
pub(crate) fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| !matches!(b, 0 | b' ')).map_or(0, |last| last.saturating_add(1));
    bytes.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_apart_even_where_they_are_no_text() {
        assert_eq!(utf16_name(b"\xfc\x00\x3d\xd8\x00\xde\x00\x00x\x00", false), "ü😀".as_bytes());
        let lone = [from_utf16([0xd800]), from_utf16([0xd801]), from_utf16([0xdc00])];
        assert_eq!(lone[0], [0xed, 0xa0, 0x80]);
        assert!(lone[0] != lone[1] && lone[1] != lone[2] && std::str::from_utf8(&lone[2]).is_err());
    }

    #[test]
    fn beyond_the_end_is_nothing() {
        assert_eq!((u16_at(b"\x01", 0), u32_at(b"", 9), u64_at(b"abc", usize::MAX)), (0, 0, 0));
        assert_eq!(trimmed(b"A B  \0 "), b"A B");
    }
}
