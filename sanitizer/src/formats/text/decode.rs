//! Which encoding a text is in, or that it is no text at all.
//!
//! A byte order mark decides; then UTF-16 without one (by its zero bytes), UTF-8 where all bytes are valid, and last
//! the legacy code pages of PLC tools and offices, guessed the way browsers do (TXT-03).

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// How the bytes become characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, after this many bytes of mark.
    Utf8(usize),
    /// Anything that `encoding_rs` decodes, after this many bytes of mark.
    Other(&'static Encoding, usize),
    /// UTF-32 with a mark; big-endian where true.
    Utf32(bool),
}

/// Ours: as much of a file as is looked at to tell text from data, at its start, middle and end.
const SAMPLE: usize = 64 << 10;

/// The encoding; `None` where the bytes are no text.
#[must_use]
pub fn detect(bytes: &[u8]) -> Option<Charset> {
    let charset = match bytes {
        [0xef, 0xbb, 0xbf, ..] => Charset::Utf8(3),
        [0xff, 0xfe, 0, 0, ..] if bytes.len().is_multiple_of(4) => Charset::Utf32(false),
        [0, 0, 0xfe, 0xff, ..] if bytes.len().is_multiple_of(4) => Charset::Utf32(true),
        [0xff, 0xfe, ..] => Charset::Other(UTF_16LE, 2),
        [0xfe, 0xff, ..] => Charset::Other(UTF_16BE, 2),
        _ => unmarked(bytes)?,
    };
    let plausible = samples(bytes).all(|sample| match charset {
        Charset::Utf8(_) => few_controls(sample, 20),
        Charset::Other(encoding, _) if encoding != UTF_16LE && encoding != UTF_16BE => few_controls(sample, 100),
        Charset::Other(..) | Charset::Utf32(_) => true,
    });
    plausible.then_some(charset)
}

/// Decodes all of `bytes`. What is invalid becomes U+FFFD; a mark is not part of the text.
#[must_use]
pub fn decode(bytes: &[u8], charset: Charset) -> Cow<'_, str> {
    match charset {
        Charset::Utf8(skip) => String::from_utf8_lossy(bytes.get(skip..).unwrap_or_default()),
        Charset::Other(encoding, skip) => encoding.decode_without_bom_handling(bytes.get(skip..).unwrap_or_default()).0,
        Charset::Utf32(big) => Cow::Owned(utf32(bytes.get(4..).unwrap_or_default(), big)),
    }
}

/// The first characters of a text, for looking at: a cut character at the end does no harm.
#[must_use]
pub fn head(bytes: &[u8], charset: Charset) -> Cow<'_, str> {
    decode(bytes.get(..SAMPLE.min(bytes.len())).unwrap_or_default(), charset)
}

fn utf32(bytes: &[u8], big: bool) -> String {
    let (units, _) = bytes.as_chunks::<4>();
    let unit = |b: &[u8; 4]| if big { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) };
    units.iter().map(|b| char::from_u32(unit(b)).unwrap_or('\u{fffd}')).collect()
}

fn unmarked(bytes: &[u8]) -> Option<Charset> {
    if let Some(encoding) = zeros_of_utf16(bytes.get(..SAMPLE.min(bytes.len()))?) {
        return bytes.len().is_multiple_of(2).then_some(Charset::Other(encoding, 0));
    }
    if std::str::from_utf8(bytes).is_ok() {
        return Some(Charset::Utf8(0));
    }
    // A guess from a whole large file costs more than it tells.
    let sample = bytes.get(..bytes.len().min(SAMPLE.saturating_mul(8))).unwrap_or_default();
    // Text that is UTF-8 but for a stray byte: more than nine of ten sequences are whole.
    if mostly_utf8(sample) {
        return Some(Charset::Utf8(0));
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    let (text, _) = encoding.decode_without_bom_handling(sample);
    let (mut all, mut odd) = (0usize, 0usize);
    for c in text.chars() {
        all = all.saturating_add(1);
        let strange = matches!(c, '\u{80}'..='\u{9f}' | '\u{fffd}' | '\u{e000}'..='\u{f8ff}');
        odd = odd.saturating_add(usize::from(strange));
    }
    (odd.saturating_mul(50) <= all && encoding != UTF_8).then_some(Charset::Other(encoding, 0))
}

fn mostly_utf8(sample: &[u8]) -> bool {
    let (mut whole, mut broken) = (0usize, 0usize);
    for chunk in sample.utf8_chunks() {
        whole = whole.saturating_add(chunk.valid().chars().filter(|c| !c.is_ascii()).count());
        broken = broken.saturating_add(usize::from(!chunk.invalid().is_empty()));
    }
    whole >= broken.saturating_mul(10)
}

/// European text in UTF-16 has a zero in every other byte, and none between them.
fn zeros_of_utf16(sample: &[u8]) -> Option<&'static Encoding> {
    let (pairs, _) = sample.as_chunks::<2>();
    let zeros = |odd: bool| pairs.iter().filter(|[a, b]| if odd { *b == 0 } else { *a == 0 }).count();
    let (first, second) = (zeros(false), zeros(true));
    let most = |n: usize| n.saturating_mul(10) >= pairs.len().saturating_mul(4) && n > 1;
    match (first, second) {
        (0, n) if most(n) => Some(UTF_16LE),
        (n, 0) if most(n) => Some(UTF_16BE),
        (_, _) => None,
    }
}

fn samples(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let len = bytes.len();
    let starts = [0, (len / 2).saturating_sub(SAMPLE / 2), len.saturating_sub(SAMPLE)];
    starts.into_iter().filter_map(move |start| bytes.get(start..len.min(start.saturating_add(SAMPLE))))
}

/// At most one control character in `in_every` bytes, one for free, layout and terminal escapes aside.
fn few_controls(sample: &[u8], in_every: usize) -> bool {
    let bad = sample.iter().filter(|b| matches!(b, 0..=7 | 0x0b | 0x0e..=0x19 | 0x1c..=0x1f | 0x7f)).count();
    bad.saturating_sub(1).saturating_mul(in_every) <= sample.len() && bad.saturating_mul(2) <= sample.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        detect(bytes).map(|charset| decode(bytes, charset).into_owned())
    }

    #[test]
    fn texts_of_many_encodings_are_read() {
        let text = "Ventil geöffnet, Überdruck\r\n";
        let utf16 =
            |big: bool| text.encode_utf16().flat_map(move |u| if big { u.to_be_bytes() } else { u.to_le_bytes() });
        let marked: Vec<u8> = [0xfe, 0xff].into_iter().chain(utf16(true)).collect();
        let utf32: Vec<u8> = "\u{feff}".chars().chain(text.chars()).flat_map(|c| (c as u32).to_le_bytes()).collect();
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        for bytes in [text.as_bytes().to_vec(), marked, utf16(false).collect(), utf32, latin] {
            assert_eq!(read(&bytes).as_deref(), Some(text));
        }
        let (japanese, _, _) = encoding_rs::SHIFT_JIS.encode("温度が高すぎます。バルブを閉じてください。");
        assert_eq!(read(&japanese).as_deref(), Some("温度が高すぎます。バルブを閉じてください。"));
        let (russian, _, _) = encoding_rs::WINDOWS_1251.encode("Насос остановлен, давление в норме");
        assert_eq!(read(&russian).as_deref(), Some("Насос остановлен, давление в норме"));
    }

    #[test]
    fn data_is_no_text() {
        let noise: Vec<u8> = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert_eq!(detect(&noise), None);
        assert_eq!(detect(&[0; 64]), None);
    }
}
