//! Lines on pages: from the top down, broken where the page ends.

use super::font::{Face, Fonts};
use super::{FAINT, HEIGHT, INK, WIDTH, ink};
use crate::compose::Mark;
use pdf_writer::{Content, Name, Str};

/// Left and right margin, in points.
pub const LEFT: f32 = 48.0;
/// Upper margin.
pub const TOP: f32 = 48.0;
/// Lower margin; the foot stands in it.
const BOTTOM: f32 = 48.0;
/// Where values of facts begin.
const VALUES: f32 = 108.0;
/// Line height by size.
const LEADING: f32 = 1.35;

/// Red, green and blue, 0 to 1.
#[derive(Clone, Copy)]
pub struct Ink(pub f32, pub f32, pub f32);

/// Pages that are being filled.
pub struct Pages {
    done: Vec<Content>,
    open: Content,
    /// Base of the last line, in points from the foot.
    y: f32,
}

impl Pages {
    pub fn new() -> Self {
        Self { done: Vec::new(), open: Content::new(), y: HEIGHT - TOP }
    }

    pub fn count(&self) -> usize {
        self.done.len().saturating_add(1)
    }

    pub fn finish(mut self) -> Vec<Content> {
        self.done.push(self.open);
        self.done
    }

    pub fn content(&mut self) -> &mut Content {
        &mut self.open
    }

    /// Turns the page unless there is this much room.
    pub fn need(&mut self, room: f32) {
        if self.y - room < BOTTOM {
            self.done.push(std::mem::replace(&mut self.open, Content::new()));
            self.y = HEIGHT - TOP;
        }
    }

    pub fn space(&mut self, points: f32) {
        self.y -= points;
    }

    /// What follows stands below `y`.
    pub fn keep_below(&mut self, y: f32) {
        self.y = self.y.min(y);
    }

    /// A line across the page.
    pub fn rule(&mut self) {
        self.space(8.0);
        let Ink(r, g, b) = INK;
        self.open.set_fill_rgb(r, g, b).rect(LEFT, self.y, WIDTH - 2.0 * LEFT, 1.0).fill_nonzero();
        self.space(6.0);
    }

    /// Text in lines as wide as the page, less `indent` on the left and `keep` on the right.
    #[expect(clippy::too_many_arguments, reason = "how a line looks is these six")]
    pub fn paragraph(
        &mut self,
        fonts: &mut Fonts,
        face: Face,
        size: f32,
        ink: Ink,
        indent: f32,
        keep: f32,
        text: &str,
    ) {
        for part in broken(fonts, face, size, WIDTH - 2.0 * LEFT - indent - keep, text) {
            self.need(size * LEADING);
            self.space(size * LEADING);
            line(&mut self.open, fonts, face, size, ink, (LEFT + indent, self.y), &part);
        }
    }

    /// A label and, beside it, its value.
    pub fn fact(&mut self, fonts: &mut Fonts, label: &str, value: &str) {
        const SIZE: f32 = 9.5;
        let step = SIZE * LEADING;
        let values = broken(fonts, Face::Regular, SIZE, WIDTH - 2.0 * LEFT - VALUES, value);
        let mut labels = broken(fonts, Face::Bold, SIZE, VALUES - 8.0, label).into_iter();
        let mut values = values.into_iter();
        loop {
            let (label, value) = (labels.next(), values.next());
            if label.is_none() && value.is_none() {
                break;
            }
            self.need(step);
            self.space(step);
            let (label, value) = (label.unwrap_or_default(), value.unwrap_or_default());
            line(&mut self.open, fonts, Face::Bold, SIZE, INK, (LEFT, self.y), &label);
            line(&mut self.open, fonts, Face::Regular, SIZE, INK, (LEFT + VALUES, self.y), &value);
        }
    }

    /// Numbers side by side, each above its words.
    pub fn tally(&mut self, fonts: &mut Fonts, numbers: &[(Mark, usize, String)]) {
        self.need(60.0);
        self.space(28.0);
        let mut x = LEFT;
        for (mark, count, words) in numbers {
            let number = format!("{} {count}", mark.sign());
            line(&mut self.open, fonts, Face::Bold, 24.0, ink(*mark), (x, self.y), number.trim_start());
            line(&mut self.open, fonts, Face::Regular, 10.0, FAINT, (x, self.y - 15.0), words);
            x += (WIDTH - 2.0 * LEFT) / 4.0;
        }
        self.space(28.0);
    }
}

/// One line of text at `(x, y)`.
pub fn line(content: &mut Content, fonts: &mut Fonts, face: Face, size: f32, ink: Ink, at: (f32, f32), text: &str) {
    if text.is_empty() {
        return;
    }
    let glyphs = fonts.glyphs(face, text);
    let Ink(r, g, b) = ink;
    content.set_fill_rgb(r, g, b);
    content.begin_text().set_font(Name(face.name()), size).set_text_matrix([1.0, 0.0, 0.0, 1.0, at.0, at.1]);
    content.show(Str(&glyphs)).end_text();
}

/// Breaks a text into lines of at most `width` points: between words, and within one that is longer than a line.
fn broken(fonts: &Fonts, face: Face, size: f32, width: f32, text: &str) -> Vec<String> {
    let text = model::shown(text);
    let measure = |text: &str| fonts.width(face, text) * size;
    let mut lines = Vec::new();
    let mut open = String::new();
    let mut used = 0.0;
    for word in text.split_inclusive(' ') {
        let long = measure(word.trim_end());
        if used + long > width && !open.is_empty() {
            lines.push(std::mem::take(&mut open));
            used = 0.0;
        }
        if long <= width {
            open.push_str(word);
            used += measure(word);
            continue;
        }
        for c in word.chars() {
            let step = measure(c.encode_utf8(&mut [0; 4]));
            if used + step > width {
                lines.push(std::mem::take(&mut open));
                used = 0.0;
            }
            open.push(c);
            used += step;
        }
    }
    if !open.is_empty() {
        lines.push(open);
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}
