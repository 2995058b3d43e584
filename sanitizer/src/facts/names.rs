//! Names that deceive.

use super::Fact;
use crate::identify::extension;

/// Endings of what runs when it is opened (T1204.002).
const RUNS: [&str; 32] = [
    "bat", "chm", "cmd", "com", "cpl", "dll", "exe", "hta", "inf", "jar", "js", "jse", "lnk", "msc", "msi", "msp",
    "pif", "ps1", "ps1xml", "psm1", "reg", "scf", "scr", "sct", "url", "vb", "vbe", "vbs", "ws", "wsc", "wsf", "wsh",
];
/// Endings of what people take for harmless.
const SHOWS: [&str; 28] = [
    "bmp", "csv", "doc", "docm", "docx", "gif", "htm", "html", "jpeg", "jpg", "md", "mp3", "mp4", "odt", "pdf", "png",
    "ppt", "pptx", "rtf", "svg", "tif", "tiff", "txt", "wav", "webp", "xls", "xlsm", "xlsx",
];
/// Characters that turn the direction of writing (UAX 9).
const TURNS: [char; 9] =
    ['\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'];

/// Whether a file of this ending runs when it is opened.
pub fn runs(extension: &str) -> bool {
    RUNS.contains(&extension)
}

/// What the name of a file or member shows.
pub fn look(name: &str) -> Vec<Fact> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut facts = Vec::new();
    let plain: String = last.chars().filter(|c| !TURNS.contains(c)).collect();
    if last.contains('\u{202e}') || last.contains('\u{202d}') {
        facts.push(Fact::ReversedName);
    }
    let end = extension(&plain);
    // `report.pdf.exe`, and `report.pdf        .exe`, whose end no window shows.
    let before = plain.trim_end_matches([' ', '.']).rsplit_once('.').map_or("", |(before, _)| before);
    if runs(&end) && SHOWS.contains(&extension(before).as_str()) {
        facts.push(Fact::DoubleExtension);
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_deceive_are_told_from_names_that_do_not() {
        assert_eq!(look("a/report.pdf.exe"), [Fact::DoubleExtension]);
        assert_eq!(look("report.PDF      .Js"), [Fact::DoubleExtension]);
        assert_eq!(look("report\u{202e}fdp.exe"), [Fact::ReversedName]);
        for fine in ["report.pdf", "setup.exe", "v1.2.exe", "a.tar.gz", "notes.txt.pdf", "x.pdf.d/setup.exe", "", "."] {
            assert_eq!(look(fine), [], "{fine}");
        }
    }
}
