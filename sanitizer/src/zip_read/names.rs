//! Names of members: UTF-8 where the flag or the bytes say so, else code page 437 (APPNOTE D.1).

/// Code page 437, 0x80 to 0xff (Unicode's CP437.TXT).
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Decodes a name. Many writers put UTF-8 without saying so; where that is not what the bytes are, a Windows tool
/// wrote its own code page, and which one only the text can tell.
pub fn decode(raw: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(raw) {
        return text.to_owned();
    }
    for encoding in [encoding_rs::SHIFT_JIS, encoding_rs::GBK, encoding_rs::EUC_KR] {
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(raw)
            && !text.contains(|c: char| c.is_control() || ('\u{e000}'..'\u{f900}').contains(&c))
            && text.chars().filter(|c| !c.is_ascii()).all(is_east_asian)
            && text.chars().filter(|c| !c.is_ascii()).count() >= 2
        {
            return text.into_owned();
        }
    }
    raw.iter().map(|b| if b.is_ascii() { *b as char } else { cp437(*b) }).collect()
}

fn cp437(byte: u8) -> char {
    CP437.chars().nth(usize::from(byte & 0x7f)).unwrap_or('_')
}

/// `text` in code page 437; `None` where it has letters of others.
pub fn to_cp437(text: &str) -> Option<Vec<u8>> {
    let high = |c| CP437.chars().position(|known| known == c).and_then(|at| u8::try_from(at).ok()).map(|at| at | 0x80);
    text.chars().map(|c| if c.is_ascii() { u8::try_from(c).ok() } else { high(c) }).collect()
}

/// Kana, ideographs, Hangul: a European name decoded as one of these encodings would give a stray mixture.
const fn is_east_asian(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// The name as a case-insensitive, normalising file system compares it (NAM-06). Simple folding: what it misses is
/// made unique again by the names that the outbox gives.
pub fn fold(name: &str) -> String {
    name.trim_end_matches('/')
        .split('/')
        .map(|part| part.trim_end_matches([' ', '.']).to_lowercase())
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_their_writers_meant_them() {
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(decode("grün.txt".as_bytes()), "grün.txt");
        assert_eq!(decode(b"gr\x81n.txt"), "grün.txt");
        assert_eq!(to_cp437("grün").as_deref(), Some(&b"gr\x81n"[..]));
        assert_eq!(to_cp437("你"), None);
        assert_eq!(decode(b"\xc4\xe3\xba\xc3.txt"), "你好.txt");
        assert_eq!(fold("Doc.PDF /"), "doc.pdf");
    }
}
