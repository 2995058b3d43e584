//! Names that are safe on every file system an outbound share may sit on.
//!
//! Rules: NAM-01 bidi controls, NAM-02 double extensions by spaces, NAM-03 reserved device names, NAM-04 separators,
//! NAM-05 alternate data streams, NAM-08 control characters and shell characters, NAM-09 CLSID extensions, NAM-10
//! over-long components, NAM-11 names that a program loads by itself.

/// A name made safe, and which catalogue rows had to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeName {
    /// The safe name.
    pub name: String,
    /// Catalogue ids of what was changed; empty where the name was safe as it was.
    pub changed: Vec<&'static str>,
}

/// Ours: leaves room for a number on a clash and for our extension under the 255 bytes of ext4 and the 255 UTF-16
/// units of NTFS.
const COMPONENT_BYTES: usize = 200;

/// Makes one path component safe. Never returns an empty name, `.` or `..`.
#[must_use]
pub fn safe_component(name: &str) -> SafeName {
    let mut changed = Vec::new();
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match unsafe_char(c) {
            None => out.push(c),
            Some((id, replacement)) => {
                note(&mut changed, id);
                out.extend(replacement);
            }
        }
    }
    let trimmed = out.trim_start_matches([' ', '~', '-']).trim_end_matches([' ', '.', '\u{a0}', '\u{3000}']);
    if trimmed.len() != out.len() {
        note(&mut changed, "NAM-02");
    }
    let mut safe = collapse_spaces(trimmed, &mut changed);
    if is_reserved(&safe) {
        note(&mut changed, "NAM-03");
        safe.insert(0, '_');
    }
    if is_auto_loaded(&safe) {
        note(&mut changed, "NAM-11");
        safe.insert(0, '_');
    }
    if safe.len() > COMPONENT_BYTES {
        note(&mut changed, "NAM-10");
        safe = shorten(&safe);
    }
    if safe.is_empty() {
        note(&mut changed, "NAM-04");
        safe.push_str("unnamed");
    }
    SafeName { name: safe, changed }
}

/// A safe name with the extension of what was written: `report.docm` becomes `report.docx`. An extension that means
/// the same (`jpeg` for `jpg`, `text` for `txt`) stays as the author wrote it when `same` says so.
#[must_use]
pub fn safe_extension(name: &str, extension: &str, same: &[&str]) -> String {
    let (stem, ext) = match name.rsplit_once('.') {
        Some((stem, ext)) if !stem.is_empty() => (stem, Some(ext)),
        Some(_) | None => (name, None),
    };
    match ext {
        Some(ext) if ext.eq_ignore_ascii_case(extension) || same.iter().any(|s| ext.eq_ignore_ascii_case(s)) => {
            name.to_owned()
        }
        Some(ext) if looks_like_extension(ext) => format!("{stem}.{extension}"),
        Some(_) | None => format!("{name}.{extension}"),
    }
}

/// Ours: an extension is at most eight letters or digits; `report 2.11 final` has none.
fn looks_like_extension(ext: &str) -> bool {
    (1..=8).contains(&ext.len())
        && ext.chars().all(|c| c.is_ascii_alphanumeric())
        && ext.chars().any(|c| c.is_ascii_alphabetic())
}

fn note(changed: &mut Vec<&'static str>, id: &'static str) {
    if !changed.contains(&id) {
        changed.push(id);
    }
}

/// Which catalogue row forbids this character, and what takes its place.
fn unsafe_char(c: char) -> Option<(&'static str, Option<char>)> {
    match c {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
            Some(("NAM-01", None))
        }
        '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' => {
            Some(("NAM-01", None))
        }
        '/' | '\\' => Some(("NAM-04", Some('_'))),
        ':' => Some(("NAM-05", Some('_'))),
        '\u{2028}' | '\u{2029}' => Some(("NAM-08", None)),
        c if c.is_control() => Some(("NAM-08", None)),
        '<' | '>' | '"' | '|' | '?' | '*' | '`' | '$' | ';' | '%' | '&' | '!' => Some(("NAM-08", Some('_'))),
        '{' | '}' => Some(("NAM-09", Some('_'))),
        '\u{fffd}' => Some(("NAM-12", Some('_'))),
        _ => None,
    }
}

/// NAM-02: a run of spaces hides the true extension off the screen.
fn collapse_spaces(name: &str, changed: &mut Vec<&'static str>) -> String {
    let mut out = String::with_capacity(name.len());
    let mut spaces = 0usize;
    for c in name.chars() {
        spaces = if c.is_whitespace() { spaces.saturating_add(1) } else { 0 };
        if spaces > 2 {
            note(changed, "NAM-02");
        } else {
            out.push(if c.is_whitespace() { ' ' } else { c });
        }
    }
    out
}

/// NAM-03: device names of DOS and Windows, with any extension, superscript digits too.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    if ["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$", "CLOCK_", "CONIN_", "CONOUT_"].contains(&&*stem) {
        return true;
    }
    ["COM", "LPT"].iter().any(|port| {
        stem.strip_prefix(port).is_some_and(|rest| {
            let mut digits = rest.chars();
            matches!(digits.next(), Some('0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}')) && digits.next().is_none()
        })
    })
}

/// NAM-11: files that a shell, server or interpreter picks up by their name alone.
fn is_auto_loaded(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "desktop.ini",
        "autorun.inf",
        "folder.htt",
        "web.config",
        "__init__.py",
        "sitecustomize.py",
        "usercustomize.py",
        "conftest.py",
        "normal.dotm",
        "personal.xlsb",
        "thumbs.db",
    ];
    name.starts_with('.') || NAMES.iter().any(|auto| name.eq_ignore_ascii_case(auto))
}

/// NAM-10: cuts the stem, keeps the extension, never cuts a character.
fn shorten(name: &str) -> String {
    let (stem, ext) = match name.rsplit_once('.') {
        Some((stem, ext)) if looks_like_extension(ext) => (stem, format!(".{ext}")),
        Some(_) | None => (name, String::new()),
    };
    let room = COMPONENT_BYTES.saturating_sub(ext.len());
    let mut cut = room.min(stem.len());
    while !stem.is_char_boundary(cut) {
        cut = cut.saturating_sub(1);
    }
    let stem = stem.get(..cut).unwrap_or_default().trim_end_matches([' ', '.']);
    format!("{stem}{ext}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(name: &str) -> String {
        let once = safe_component(name);
        assert_eq!(safe_component(&once.name), SafeName { name: once.name.clone(), changed: vec![] }, "{name:?}");
        once.name
    }

    #[test]
    fn names_that_are_safe_stay_as_they_are() {
        for name in ["report.pdf", "Prüfbericht 2024 (v2).docx", "図面.png", "a.b.c.txt", "x-y_z~1.csv"] {
            assert_eq!(safe(name), name);
        }
    }

    #[test]
    fn every_trick_of_the_catalogue_is_undone() {
        assert_eq!(safe("photo\u{202e}gpj.exe"), "photogpj.exe");
        assert_eq!(safe("../../etc/passwd"), "_.._.._etc_passwd");
        assert_eq!(safe(".."), "unnamed");
        assert_eq!(safe("con.txt"), "_con.txt");
        assert_eq!(safe("COM\u{b9}.log"), "_COM\u{b9}.log");
        assert_eq!(safe("a.txt:stream"), "a.txt_stream");
        assert_eq!(safe("invoice.pdf          .exe"), "invoice.pdf  .exe");
        assert_eq!(safe("trailing. . "), "trailing");
        assert_eq!(safe("-rf"), "rf");
        assert_eq!(safe(".bashrc"), "_.bashrc");
        assert_eq!(safe("a\u{1b}[31mb\n"), "a[31mb");
        assert_eq!(
            safe("folder.{0002DF01-0000-0000-C000-000000000046}"),
            "folder._0002DF01-0000-0000-C000-000000000046_"
        );
        assert!(safe(&"ü".repeat(400)).len() <= COMPONENT_BYTES);
        assert!(safe(&format!("{}.docx", "n".repeat(400))).ends_with(".docx"));
    }

    #[test]
    fn the_extension_is_that_of_what_was_written() {
        assert_eq!(safe_extension("a.docm", "docx", &[]), "a.docx");
        assert_eq!(safe_extension("a.JPEG", "jpg", &["jpeg", "jpe"]), "a.JPEG");
        assert_eq!(safe_extension("README", "txt", &[]), "README.txt");
        assert_eq!(safe_extension("v2.11", "txt", &[]), "v2.11.txt");
        assert_eq!(safe_extension("picture.exe", "png", &[]), "picture.png");
    }
}
