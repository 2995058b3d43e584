//! What kind of text a text is: by how it begins, refined by its extension.
//!
//! An extension can only make a text more dangerous (`.bat`) or more special (`.csv`), never less: a script with a
//! shebang stays one in a `.txt`.

use super::names::{self, TextKind};
use model::Format;

/// Ours: the first characters that are looked at.
const HEAD: usize = 4096;

/// The kind of `text`, of which only the beginning is looked at, and which is called `extension` (lower case).
pub fn of(text: &str, extension: &str) -> Format {
    let mut cut = HEAD.min(text.len());
    while !text.is_char_boundary(cut) {
        cut = cut.saturating_sub(1);
    }
    let head = text.get(..cut).unwrap_or_default();
    let start = head.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let lower = start.to_ascii_lowercase();
    let by_name = names::text_kind(extension);
    if let Some(active) = active(head, &lower, by_name) {
        return active;
    }
    if let Some(markup) = markup(&lower) {
        return markup;
    }
    if let Some(other) = other(start, &lower) {
        return other;
    }
    // Mail is a mail only where it is not called a text: in a `.txt` nobody opens its attachments.
    if let Some(mail) = mail(start, &lower)
        && by_name.is_none()
    {
        return mail;
    }
    match by_name {
        Some(TextKind::Is(format)) => format,
        Some(TextKind::Plain) => Format::Txt,
        None => structured(start, &lower).unwrap_or(Format::Txt),
    }
}

/// Texts that something runs (TXT-04).
fn active(head: &str, lower: &str, by_name: Option<TextKind>) -> Option<Format> {
    const SECTIONS: &[(&str, Format)] = &[
        ("[autorun", Format::Autorun),
        ("[.shellclassinfo]", Format::Autorun),
        ("[shell]", Format::Autorun),
        ("[internetshortcut]", Format::Shortcut),
        ("[desktop entry]", Format::Shortcut),
        ("[{000214a0", Format::Shortcut),
        ("windows registry editor", Format::Autorun),
        ("regedit4", Format::Autorun),
        ("# disk descriptorfile", Format::DiskImage),
        ("<<< ", Format::DiskImage),
    ];
    const SCRIPTS: &[&str] = &[
        "<?php",
        "<?=",
        "<%",
        "@echo ",
        "@setlocal",
        "@powershell",
        "@cmd",
        "%comspec%",
        "#requires ",
        "on error resume next",
        "<job",
        "<package",
        "<scriptlet",
        "<?sct",
        "<component",
        "#!",
    ];
    if head.starts_with("#!") {
        return Some(Format::Script);
    }
    if let Some((_, format)) = SECTIONS.iter().find(|(section, _)| lower.starts_with(section)) {
        return Some(*format);
    }
    if SCRIPTS.iter().any(|script| lower.starts_with(script)) || lower.contains("<hta:application") {
        return Some(Format::Script);
    }
    // An INF file says so in its first section; a web query is `WEB` and a number.
    let setup = lower.starts_with("[version]") && lower.contains("signature=\"$") || lower.contains("signature = \"$");
    let query = lower.strip_prefix("web").and_then(|rest| rest.trim_start_matches([' ', '\r']).strip_prefix('\n'));
    if setup || query.is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit())) {
        return Some(Format::Autorun);
    }
    if markup(lower).is_some() {
        return None;
    }
    // In a file that is called a text a single word may be quoted; two are a script.
    let enough = if matches!(by_name, Some(TextKind::Plain | TextKind::Is(Format::Csv | Format::Tsv))) { 2 } else { 1 };
    (script_words(lower) >= enough).then_some(Format::Script)
}

fn script_words(lower: &str) -> usize {
    const WORDS: &[&str] = &[
        "createobject(",
        "activexobject(",
        "wscript.",
        "getobject(",
        "powershell -",
        "powershell.exe",
        "invoke-expression",
        "new-object net.webclient",
        "downloadstring(",
        "frombase64string(",
        "[reflection.assembly]",
    ];
    WORDS.iter().filter(|word| lower.contains(**word)).count()
}

/// HTML, SVG, XML and the shell's XML files.
fn markup(lower: &str) -> Option<Format> {
    // The tags that browsers take for HTML (WHATWG MIME Sniffing 7.1).
    const HTML: &[&str] = &[
        "<!doctype html",
        "<html",
        "<head",
        "<script",
        "<iframe",
        "<h1",
        "<div",
        "<font",
        "<table",
        "<a ",
        "<style",
        "<title",
        "<b>",
        "<body",
        "<br",
        "<p>",
        "<img",
        "<form",
        "<meta",
        "<object",
        "<embed",
        "<frameset",
        "<center",
    ];
    let mut rest = lower;
    let mut prolog = false;
    loop {
        rest = rest.trim_start();
        let skipped = if rest.starts_with("<?") {
            rest.split_once("?>")
        } else if rest.starts_with("<!--") {
            rest.split_once("-->")
        } else if rest.starts_with("<!doctype") && !rest.starts_with("<!doctype html") {
            let subset = rest.find('[').is_some_and(|open| rest.find('>').is_none_or(|close| open < close));
            rest.split_once(if subset { "]>" } else { ">" })
        } else {
            None
        };
        match skipped {
            Some((_, after)) => (rest, prolog) = (after, true),
            None => break,
        }
    }
    if HTML.iter().any(|tag| rest.starts_with(tag)) {
        return Some(Format::Html);
    }
    let name = rest.strip_prefix('<').filter(|r| r.starts_with(|c: char| c.is_alphabetic() || c == '_'));
    let Some(name) = name.and_then(|r| r.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next()) else {
        return (prolog || rest.starts_with("<?xml"))
            .then(|| if rest.contains("<svg") { Format::Svg } else { Format::Xml });
    };
    match name.rsplit(':').next().unwrap_or(name) {
        "svg" => Some(Format::Svg),
        "librarydescription" | "searchconnectordescription" | "persistedquery" | "pcsettings" => Some(Format::Autorun),
        _ if prolog || rest.contains("</") || rest.contains("/>") => Some(Format::Xml),
        _ => None,
    }
}

/// Formats of their own that happen to be written in letters.
fn other(start: &str, lower: &str) -> Option<Format> {
    if start.starts_with("ID;") || start.starts_with("TABLE\n0,1") || start.starts_with("TABLE\r\n0,1") {
        return Some(Format::Sylk);
    }
    let mut lines = start.lines().map(str::trim);
    let drawing = |first: &str, second: &str| (first == "0" && second == "SECTION") || first == "999";
    if start.starts_with("ISO-10303-21;") || drawing(lines.next().unwrap_or_default(), lines.next().unwrap_or_default())
    {
        return Some(Format::Cad);
    }
    let iges = start.lines().next().is_some_and(|line| line.trim_end().len() == 80 && line.get(72..73) == Some("S"));
    if iges || lower.starts_with("solid") && lower.contains("facet normal") {
        return Some(Format::Cad);
    }
    let packed = lower.starts_with("(this file must be converted with binhex")
        || lower.starts_with("=ybegin ")
        || uuencoded(lower);
    packed.then_some(Format::ArchiveOther)
}

fn uuencoded(lower: &str) -> bool {
    let mode = lower.strip_prefix("begin ").or_else(|| lower.strip_prefix("begin-base64 "));
    mode.is_some_and(|m| m.get(..3).is_some_and(|m| m.bytes().all(|b| matches!(b, b'0'..=b'7'))))
}

fn mail(start: &str, lower: &str) -> Option<Format> {
    const HEADERS: &[&str] = &[
        "from:",
        "to:",
        "subject:",
        "date:",
        "received:",
        "return-path:",
        "message-id:",
        "mime-version:",
        "delivered-to:",
        "content-type:",
        "reply-to:",
        "sender:",
        "x-",
        "dkim-signature:",
        "cc:",
        "path:",
        "newsgroups:",
    ];
    if start.starts_with("From ") && lower.contains("\nfrom:") || lower.starts_with("from -") {
        return Some(Format::Mbox);
    }
    let heads = lower.lines().take_while(|line| !line.trim().is_empty());
    let known = heads.filter(|line| HEADERS.iter().any(|h| line.starts_with(h))).count();
    let first = lower.lines().next().is_some_and(|line| HEADERS.iter().any(|h| line.starts_with(h)));
    (first && known >= 2).then_some(Format::Eml)
}

/// JSON, where no extension says that it is meant to be read as text.
fn structured(start: &str, lower: &str) -> Option<Format> {
    let inside = start.strip_prefix(['{', '[']).map(str::trim_start)?;
    let object = start.starts_with('{') && inside.starts_with(['"', '}']);
    let array = start.starts_with('[') && inside.starts_with(['{', '[', '"', ']']);
    (object || array || lower.starts_with("[-")).then_some(Format::Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_by_how_they_begin() {
        for (head, extension, format) in [
            ("hello", "txt", Format::Txt),
            ("#!/bin/sh\n", "txt", Format::Script),
            ("\u{feff}  <?PHP echo 1;", "txt", Format::Script),
            ("@ECHO OFF\r\n", "log", Format::Script),
            ("echo hi", "bat", Format::Script),
            ("x = 1", "py", Format::Script),
            ("[AutoRun]\r\nopen=a", "", Format::Autorun),
            ("\n[InternetShortcut]\nURL=", "txt", Format::Shortcut),
            ("WEB\r\n1\r\nhttp://a", "csv", Format::Autorun),
            ("web pages of 2024\n", "txt", Format::Txt),
            ("<!-- c --><HTML>", "txt", Format::Html),
            ("<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'b'>]><s:svg/>", "xml", Format::Svg),
            ("<?xml version='1.0'?><a/>", "", Format::Xml),
            ("<b@c.d> wrote:", "txt", Format::Txt),
            ("<?xml version=' '  <svg", "", Format::Svg),
            ("{\"a\":1}", "", Format::Json),
            ("{\"a\":1}", "txt", Format::Txt),
            ("a;b", "csv", Format::Csv),
            ("a\tb", "tsv", Format::Tsv),
            ("ID;P\nC;Y1", "csv", Format::Sylk),
            ("  0\nSECTION\n", "txt", Format::Cad),
            ("From: a\nTo: b\n\nhi", "", Format::Eml),
            ("From: a\nTo: b\n\nhi", "txt", Format::Txt),
            ("Set a = CreateObject(\"WScript.Shell\")\nWScript.Echo 1", "txt", Format::Script),
            ("how CreateObject() works", "txt", Format::Txt),
        ] {
            assert_eq!(of(head, extension), format, "{head:?} .{extension}");
        }
    }
}
