//! Plain text: UTF-8 without anything that shows differently from what it is (TXT-01..04).
//!
//! Line ends are LF or CRLF, tabulators stay, every other control character is out, and so is what reorders, hides or
//! breaks lines behind the reader's back. The first bytes are not those of a type that never passes.

use crate::{Limits, Rejection};
use model::{Format, Policy};

/// Accepts plain text.
pub fn verify(bytes: &[u8], _format: Format, _policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    limits.spend(bytes.len())?;
    characters(bytes)?;
    beginning(bytes)
}

/// The characters of text and tables alike.
pub(super) fn characters(bytes: &[u8]) -> Result<&str, Rejection> {
    let text = std::str::from_utf8(bytes).map_err(|e| Rejection::new(e.valid_up_to(), "text is UTF-8 (TXT-03)"))?;
    one_style(bytes)?;
    let mut at = 0usize;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        at = at.saturating_add(plain_ascii(rest.as_bytes()));
        at = at.saturating_add(slow_run(text, at)?);
    }
    Ok(text)
}

/// Line ends are all LF or all CRLF: no program shows other lines than the next one does. That a CR stands before LF
/// only is seen to character by character.
fn one_style(bytes: &[u8]) -> Result<(), Rejection> {
    let count = |wanted: u8| bytes.iter().filter(|b| **b == wanted).count();
    let returns = count(b'\r');
    if returns == 0 || returns == count(b'\n') {
        return Ok(());
    }
    Err(Rejection::new(0, "line ends are of one style (TXT-02)"))
}

/// Ours: a cache line, and what the compiler turns into a few vector compares.
const BLOCK: usize = 64;

/// How many bytes at the beginning are whole blocks of printable ASCII, TAB, LF, and CR before LF.
fn plain_ascii(bytes: &[u8]) -> usize {
    let next = bytes.get(1..).unwrap_or_default();
    let blocks = bytes.as_chunks::<BLOCK>().0.iter().zip(next.as_chunks::<BLOCK>().0);
    blocks.take_while(|(block, next)| is_plain(block, next)).count().saturating_mul(BLOCK)
}

fn is_plain(block: &[u8; BLOCK], next: &[u8; BLOCK]) -> bool {
    let bad = block.iter().zip(next).fold(0u8, |bad, (&b, &next)| {
        let printable = u8::from(b.wrapping_sub(0x20) < 0x5f);
        let tab_or_line = u8::from(b == 9) | u8::from(b == 10) | (u8::from(b == 13) & u8::from(next == 10));
        bad | ((printable | tab_or_line) ^ 1)
    });
    bad == 0
}

/// Reads about a block from `at` character by character; returns how many bytes that were.
fn slow_run(text: &str, at: usize) -> Result<usize, Rejection> {
    let mut before = text.get(..at).and_then(|t| t.chars().next_back());
    let mut chars = text.get(at..).unwrap_or_default().char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        let after = chars.peek().map(|&(_, c)| c);
        allowed(c, before, after).map_err(|rule| Rejection::new(at.saturating_add(offset), rule))?;
        before = Some(c);
        let end = offset.saturating_add(c.len_utf8());
        if end >= BLOCK {
            return Ok(end);
        }
    }
    Ok(text.len().saturating_sub(at))
}

/// Whether `c` may stand between these neighbours.
fn allowed(c: char, before: Option<char>, after: Option<char>) -> Result<(), &'static str> {
    match c {
        '\t' | '\n' => Ok(()),
        '\r' if after == Some('\n') => Ok(()),
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => Err("no control character (TXT-02)"),
        ' '..='~' => Ok(()),
        '\u{200c}' | '\u{200d}' if joins(before) && joins(after) => Ok(()),
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' => Err(HIDDEN),
        '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}' => Err(HIDDEN),
        '\u{e0000}'..='\u{e007f}' => Err(HIDDEN),
        '\u{2028}' | '\u{2029}' => Err("no Unicode line separator (TXT-02)"),
        '\u{fdd0}'..='\u{fdef}' => Err(NONCHARACTER),
        c if u32::from(c) & 0xfffe == 0xfffe => Err(NONCHARACTER),
        _ => Ok(()),
    }
}

const HIDDEN: &str = "no character that reorders or hides text (TXT-01)";
const NONCHARACTER: &str = "no noncharacter (Unicode 23.7)";

/// Joiners have a meaning between letters of Persian or Indic scripts and in emoji, none beside ASCII or one another.
fn joins(neighbour: Option<char>) -> bool {
    neighbour.is_some_and(|c| !c.is_ascii() && !matches!(c, '\u{200c}' | '\u{200d}'))
}

/// What a viewer, shell or interpreter takes for its own by the first bytes, whatever the name says (TXT-04, CSV-05).
const FOREIGN: &[&str] = &[
    "#!",
    "MZ",
    "%PDF",
    "{\\rtf",
    "<?php",
    "ID;P",
    "%!PS",
    "[autorun]",
    "[InternetShortcut]",
    "[Shell]",
    "@echo",
    "GIF87a",
    "GIF89a",
    "WEB\n1\n",
    "WEB\r\n1\r\n",
    "TABLE\n0,1\n",
    "TABLE\r\n0,1\r\n",
];

/// The beginning is not that of a type that never passes.
pub(super) fn beginning(bytes: &[u8]) -> Result<(), Rejection> {
    let start = bytes.trim_ascii_start();
    let is = |magic: &&&str| start.get(..magic.len()).is_some_and(|s| s.eq_ignore_ascii_case(magic.as_bytes()));
    match FOREIGN.iter().find(is) {
        Some(magic) => Err(Rejection::new(0, format!("text does not begin like another type: {magic:?} (TXT-04)"))),
        None => no_header_within(bytes),
    }
}

/// Readers of PDF take a header anywhere in the first kilobyte (ISO 32000-1, annex H), and a mailbox begins with a
/// line of its own before headers (RFC 4155): a text that they would take for one is not of our dialect.
fn no_header_within(bytes: &[u8]) -> Result<(), Rejection> {
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    if let Some(at) = head.windows(5).position(|window| window == b"%PDF-") {
        return Err(Rejection::new(at, "no PDF header in the first kilobyte of a text (TXT-04)"));
    }
    let mut lines = bytes.split(|b| *b == b'\n');
    let from = lines.next().is_some_and(|line| line.starts_with(b"From "));
    let header = |line: &[u8]| {
        line.split(|b| *b == b':').next().is_some_and(|n| !n.is_empty() && n.len() < line.len() && !n.contains(&b' '))
    };
    if from && lines.next().is_some_and(header) {
        return Err(Rejection::new(0, "a text does not begin like a mailbox (TXT-04)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &[u8]) -> bool {
        let policy = Policy::standard();
        verify(text, Format::Txt, &policy, &mut Limits::of(&policy)).is_ok()
    }

    #[test]
    fn a_text_that_another_reader_would_open_is_refused() {
        assert!(!accepts(b"notes\n%PDF-1.4\n"));
        assert!(accepts(b"notes\n% PDF-1.4\n"));
        assert!(!accepts(b"From a@b.invalid\nSubject: x\n"));
        assert!(accepts(b"\nFrom a@b.invalid\nSubject: x\n"));
        assert!(accepts(b"From here on\nall is text\n"));
    }

    #[test]
    fn text_as_people_write_it_is_accepted() {
        let long = "0123456789\t\r\n".repeat(40);
        for text in
            ["", "a", "Grüße\r\nсвіт\r\n図面\t1", "می\u{200c}خواهم", "👩\u{200d}🔧", "a\n\nb", "x #! y %PDF", &long]
        {
            assert!(accepts(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn every_hidden_or_control_character_is_refused_wherever_it_stands() {
        let planted = [
            "\0",
            "\x07",
            "\x08",
            "\x0b",
            "\x0c",
            "\x1b",
            "\x7f",
            "\u{85}",
            "\u{9b}",
            "\r",
            "\u{202e}",
            "\u{2066}",
            "\u{200e}",
            "\u{200f}",
            "\u{61c}",
            "\u{200b}",
            "\u{2060}",
            "\u{2064}",
            "\u{feff}",
            "\u{e0041}",
            "\u{2028}",
            "\u{2029}",
            "\u{fff9}",
            "\u{180e}",
            "\u{fffe}",
            "\u{1ffff}",
            "\u{fdd0}",
            "\u{200d}",
        ];
        for bad in planted {
            for before in [0, 1, 63, 64, 65, 127, 128, 200] {
                for after in [0, 1, 63, 64, 200] {
                    let text = format!("{}{bad}{}", "a".repeat(before), "b".repeat(after));
                    assert!(!accepts(text.as_bytes()), "{bad:?} after {before}, before {after}");
                }
            }
        }
    }

    #[test]
    fn a_joiner_joins_and_line_ends_are_of_one_style() {
        assert!(accepts("é\u{200d}é".as_bytes()) && accepts(b"a\r\nb\r\n") && accepts(b"a\nb\n"));
        assert!(!accepts("é\u{200c}\u{200c}é".as_bytes()) && !accepts("é\u{200d}\u{200c}é".as_bytes()));
        assert!(!accepts(b"a\r\nb\n") && !accepts(b"a\nb\r\n"));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_refused() {
        for bad in [&b"\xff"[..], b"a\xc0\x80", b"\xed\xa0\x80", b"M\xfcller", b"\xff\xfea\0"] {
            assert!(!accepts(bad), "{bad:?}");
        }
    }

    #[test]
    fn text_that_begins_like_another_type_is_refused() {
        for magic in FOREIGN {
            assert!(
                !accepts(magic.as_bytes()) && !accepts(format!(" \n{}x", magic.to_lowercase()).as_bytes()),
                "{magic:?}"
            );
        }
    }
}
