//! Foreign text where a person reads it.

/// The text without control characters and without the marks that turn a line around (Unicode TR 36, "Trojan Source"):
/// each becomes `?`. What is shown is then in the order in which it stands, and steers no terminal.
#[must_use]
pub fn shown(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_steers_does_not_show() {
        assert_eq!(super::shown("a\u{1b}[2Jb\u{202e}fdp.exe\n"), "a?[2Jb?fdp.exe?");
        assert_eq!(super::shown("Grüße, 漢字, عربي"), "Grüße, 漢字, عربي");
    }
}
