//! Plain text and tables: UTF-8 out, with nothing in it that shows differently from what it is.
//!
//! Kept: every visible character, TAB, and line ends in the file's own style (LF or CRLF; mixed ones become LF).
//! Dropped and reported: control characters (TXT-02), bidi marks, zero-width and tag characters (TXT-01), byte order
//! marks and other encodings (TXT-03), formulas and `sep=` lines of tables (CSV-01, CSV-02). Refused: bytes that are no
//! text, and a text that begins like a type that never passes (TXT-04).

mod clean;
pub mod decode;
mod sylk;
mod table;

use crate::switches::{Filter, off};
use crate::{Cx, Rebuilt, Reconstructor};
use clean::Tally;
use decode::Charset;
use model::{FindingAction, Format, Method, Refusal, Untrusted};

/// Plain text and tables.
pub struct Text;

impl Reconstructor for Text {
    fn formats(&self) -> &'static [Format] {
        &[Format::Txt, Format::Csv, Format::Tsv, Format::Sylk]
    }

    fn reconstruct(&self, input: Untrusted<'_>, format: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let bytes = input.bytes();
        let charset = decode::detect(bytes).ok_or_else(|| Refusal::malformed(0, "no encoding makes this a text"))?;
        // Three bytes of UTF-8 for one of a legacy code page is the most that decoding brings forth.
        cx.budget.spend_bytes((bytes.len() as u64).saturating_mul(if charset == Charset::Utf8(0) { 1 } else { 3 }))?;
        let decoded = decode::decode(bytes, charset);
        report_encoding(bytes, charset, cx);
        let (text, tally) = clean::clean(&decoded);
        drop(decoded);
        report_characters(&tally, cx);
        if tally.controls.saturating_mul(5) > text.len().saturating_add(4) {
            return Err(Refusal::malformed(0, "more control characters than a text has"));
        }
        let (text, format, method) = if matches!(format, Format::Csv | Format::Tsv) {
            (table::neutralise(text, format == Format::Tsv, cx)?, format, Method::Rebuilt)
        } else if format == Format::Sylk {
            (sylk::table(&text, cx)?, Format::Csv, Method::Converted)
        } else {
            (text, Format::Txt, Method::Rebuilt)
        };
        begins_like_text(&text)?;
        let text = not_sniffed(text, cx);
        Ok(Rebuilt { bytes: text.into_bytes(), format, method })
    }
}

/// A text of our own (a tombstone) that quotes names and reasons of others, clean.
pub(crate) fn plain(text: &str) -> String {
    clean::clean(text).0
}

fn report_encoding(bytes: &[u8], charset: Charset, cx: &mut Cx<'_>) {
    let from = match charset {
        Charset::Utf8(0) if std::str::from_utf8(bytes).is_ok() => return,
        Charset::Utf8(0) => "UTF-8 with invalid bytes",
        Charset::Utf8(_) => "UTF-8 with a byte order mark",
        Charset::Other(encoding, _) => encoding.name(),
        Charset::Utf32(_) => "UTF-32",
    };
    cx.found("TXT-03", FindingAction::ReEncoded, from);
}

fn report_characters(tally: &Tally, cx: &mut Cx<'_>) {
    cx.found_count("TXT-02", FindingAction::Removed, "control characters", tally.controls as u64);
    cx.found_count("TXT-02", FindingAction::Neutralised, "line separators", tally.separators as u64);
    cx.found_count("TXT-01", FindingAction::Removed, "bidi and zero-width characters", tally.hidden as u64);
}

/// What a viewer, shell or interpreter goes by, whatever the name says (TXT-04, CSV-05). The file may have begun with
/// something that was dropped, so this looks at what is written.
fn begins_like_text(text: &str) -> Result<(), Refusal> {
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
    let start = text.trim_start().as_bytes();
    let foreign = FOREIGN.iter().find(|m| start.get(..m.len()).is_some_and(|s| s.eq_ignore_ascii_case(m.as_bytes())));
    match foreign {
        Some(magic) if !off(Filter::TextStart) => {
            Err(Refusal::Ambiguous { what: format!("what begins with {:?}", magic.trim_end()).into() })
        }
        Some(_) | None => Ok(()),
    }
}

/// Readers that go by content look for a PDF in the first kilobyte (ISO 32000-1 annex H, note 13) and for a mailbox
/// at the start (RFC 4155): a space or an empty line before it keeps the text and ends the likeness (TXT-04).
fn not_sniffed(text: String, cx: &mut Cx<'_>) -> String {
    const PDF: &str = "%PDF-";
    const FIRST: usize = 1024;
    let mut text = text;
    while let Some(at) =
        memchr::memmem::find(text.as_bytes().get(..text.len().min(FIRST)).unwrap_or_default(), PDF.as_bytes())
        && !off(Filter::TextPdfHeader)
    {
        cx.found("TXT-04", FindingAction::Neutralised, "a PDF header");
        text.insert(at.saturating_add(1), ' ');
    }
    let header = |line: &str| line.split_once(':').is_some_and(|(name, _)| !name.is_empty() && !name.contains(' '));
    if text.starts_with("From ") && text.lines().nth(1).is_some_and(header) && !off(Filter::TextMailbox) {
        cx.found("TXT-04", FindingAction::Neutralised, "a mailbox header");
        let crlf = text.lines().count() > 1 && text.split('\n').next().is_some_and(|line| line.ends_with('\r'));
        text.insert_str(0, if crlf { "\r\n" } else { "\n" });
    }
    text
}

#[cfg(test)]
mod tests;
