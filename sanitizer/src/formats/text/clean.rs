//! The characters: one pass that copies clean spans and looks closely at the rest.

use crate::switches::{Filter, off};

/// How often something was dropped or replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Control characters that were dropped.
    pub controls: usize,
    /// Form feeds and Unicode line separators that became line ends.
    pub separators: usize,
    /// Bidi, zero-width, tag characters and noncharacters.
    pub hidden: usize,
}

/// Ours: a cache line, and what the compiler turns into a few vector compares.
const BLOCK: usize = 64;

/// What becomes of a character.
enum Fate {
    Keep,
    /// A joiner: stays between two characters that are not ASCII.
    Join,
    Line,
    /// CR, alone or before LF.
    Return,
    Separator,
    Control,
    Hidden,
}

/// The text without what must not be in it. Line ends stay as they are where the file has one style, CRLF or LF.
pub fn clean(text: &str) -> (String, Tally) {
    let crlf = is_crlf(text.as_bytes());
    let mut cleaner = Cleaner { out: String::with_capacity(text.len()), crlf, joiner: None, tally: Tally::default() };
    let mut rest = text;
    while !rest.is_empty() {
        let (span, after) = rest.split_at(plain(rest.as_bytes(), crlf));
        if !span.is_empty() {
            cleaner.drop_joiner();
            cleaner.out.push_str(span);
        }
        rest = cleaner.slowly(after);
    }
    cleaner.drop_joiner();
    (cleaner.out, cleaner.tally)
}

struct Cleaner {
    out: String,
    crlf: bool,
    /// A joiner that waits for the character after it.
    joiner: Option<char>,
    tally: Tally,
}

impl Cleaner {
    /// Takes about a block of characters one by one; returns what is left.
    fn slowly<'t>(&mut self, text: &'t str) -> &'t str {
        let mut chars = text.chars();
        while text.len().saturating_sub(chars.as_str().len()) < BLOCK {
            let Some(c) = chars.next() else { break };
            match fate(c) {
                Fate::Keep => self.keep(c),
                Fate::Join if self.joiner.is_none() && self.out.chars().next_back().is_some_and(|b| !b.is_ascii()) => {
                    self.joiner = Some(c);
                }
                Fate::Join if off(Filter::TextJoiners) => self.keep(c),
                Fate::Hidden if off(Filter::TextHidden) => self.keep(c),
                Fate::Join | Fate::Hidden => self.tally.hidden = self.tally.hidden.saturating_add(1),
                Fate::Line => self.line(),
                Fate::Return if off(Filter::TextLineEnds) => self.keep(c),
                Fate::Return => {
                    if chars.as_str().starts_with('\n') {
                        chars.next();
                    }
                    self.line();
                }
                Fate::Separator if off(Filter::TextSeparators) => self.keep(c),
                Fate::Separator => {
                    self.tally.separators = self.tally.separators.saturating_add(1);
                    self.line();
                }
                Fate::Control if off(Filter::TextControls) => self.keep(c),
                Fate::Control => self.tally.controls = self.tally.controls.saturating_add(1),
            }
        }
        chars.as_str()
    }

    fn keep(&mut self, c: char) {
        if c.is_ascii() {
            self.drop_joiner();
        }
        self.out.extend(self.joiner.take());
        self.out.push(c);
    }

    fn line(&mut self) {
        self.drop_joiner();
        self.out.push_str(if self.crlf { "\r\n" } else { "\n" });
    }

    fn drop_joiner(&mut self) {
        self.tally.hidden = self.tally.hidden.saturating_add(usize::from(self.joiner.take().is_some()));
    }
}

fn fate(c: char) -> Fate {
    match c {
        ' '..='~' | '\t' => Fate::Keep,
        '\n' => Fate::Line,
        '\r' => Fate::Return,
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Fate::Separator,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Fate::Control,
        '\u{200c}' | '\u{200d}' => Fate::Join,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' => {
            Fate::Hidden
        }
        '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => Fate::Hidden,
        '\u{fdd0}'..='\u{fdef}' => Fate::Hidden,
        c if u32::from(c) & 0xfffe == 0xfffe => Fate::Hidden,
        _ => Fate::Keep,
    }
}

/// Whether every line ends in CRLF, and there is one.
fn is_crlf(bytes: &[u8]) -> bool {
    let returns = memchr::memchr_iter(b'\r', bytes).count();
    let mut pairs = 0usize;
    let mut lines = 0usize;
    for at in memchr::memchr_iter(b'\n', bytes) {
        lines = lines.saturating_add(1);
        let before = at.checked_sub(1).and_then(|b| bytes.get(b));
        pairs = pairs.saturating_add(usize::from(before == Some(&b'\r')));
        // A file in LF style is told by its first line, without counting a million.
        if pairs < lines {
            return false;
        }
    }
    lines > 0 && returns == pairs
}

/// How many bytes at the beginning are whole blocks that need no look: printable ASCII, TAB and the file's line ends.
fn plain(bytes: &[u8], crlf: bool) -> usize {
    // Where all line ends are CRLF, a CR can stand nowhere else.
    let carriage_return = if crlf { b'\r' } else { b'\n' };
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| {
        let bad = block.iter().fold(0u8, |bad, &b| {
            let fine = u8::from(b.wrapping_sub(0x20) < 0x5f)
                | u8::from(b == b'\t')
                | u8::from(b == b'\n')
                | u8::from(b == carriage_return);
            bad | (fine ^ 1)
        });
        bad == 0
    });
    // A pair of CR and LF may be cut by the end of a span, which does no harm: the LF is then only a line end again.
    let mut end = clean.count().saturating_mul(BLOCK);
    if end > 0 && bytes.get(end.saturating_sub(1)) == Some(&b'\r') {
        end = end.saturating_sub(1);
    }
    end
}
