//! The switches of the mutated second reader (this file is not part of the product's).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// The arm that is switched off; none is 0.
pub static OFF: AtomicUsize = AtomicUsize::new(0);
/// Whether an arm was met.
pub static MET: [AtomicBool; ARMS + 1] = [const { AtomicBool::new(false) }; ARMS + 1];

pub fn on(arm: usize) -> bool {
    MET[arm].store(true, Relaxed);
    OFF.load(Relaxed) != arm
}

/// No arm is left for this value.
pub fn refused() -> ! {
    panic!("refused")
}

fn is_on(arm: usize) -> bool {
    OFF.load(Relaxed) != arm
}

pub fn text(arm: usize, word: &'static str) -> &'static str {
    if is_on(arm) { word } else { "\0" }
}

pub fn bytes<const N: usize>(arm: usize, word: &'static [u8; N]) -> &'static [u8; N] {
    if is_on(arm) { word } else { const { &[0; N] } }
}

pub fn number(arm: usize, number: i64) -> i64 {
    if is_on(arm) { number } else { i64::MIN }
}

/// Words, the first of which is arm `base`.
pub fn list(base: usize, words: &'static str) -> &'static str {
    let on = words.split_whitespace().enumerate().filter(|(n, _)| is_on(base + n)).map(|(_, word)| word);
    on.collect::<Vec<_>>().join(" ").leak()
}

/// Lines of words; a line goes with its first word.
pub fn lines(base: usize, text: &'static str) -> &'static str {
    let (mut arm, mut out) = (base, String::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        for (n, word) in line.split_whitespace().enumerate() {
            arm += 1;
            if is_on(arm - 1) {
                out.push_str(word);
                out.push(' ');
            } else if n == 0 {
                out.push('#');
            }
        }
        out.push('\n');
    }
    out.leak()
}
