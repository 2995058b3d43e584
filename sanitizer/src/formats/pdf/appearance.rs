//! Annotations without an appearance of their own: drawn plainly, as viewers do (ISO 32000-1 clauses 12.5.6, 12.7.3.3).
//!
//! What is drawn goes into the page's content; the annotation itself does not stay. Text is written with the form's
//! font where it is a simple one, else with Helvetica, in the single-byte encoding of both.

use super::lex::{Lexer, Token};
use super::resources::{Class, Used};
use super::value::{Dict, Object, Val};
use super::walk::{Found, R, Scope, Walk, array_numbers, integer, name, number, numbers, objects, rect};
use super::write::scalar;
use hayro::hayro_syntax::object::{Array, Dict as Source, Object as SourceObject, String as SourceString};

/// Ours: characters of one field.
const MAX_TEXT: usize = 20_000;
/// Ours: points of one drawn annotation.
const MAX_POINTS: usize = 20_000;
const MULTI_LINE: i64 = 1 << 12;
const PASSWORD: i64 = 1 << 13;
const PUSH_BUTTON: i64 = 1 << 16;
const COMBO: i64 = 1 << 17;
const COMB: i64 = 1 << 24;

/// Widths of Helvetica's printable ASCII, in thousandths (Adobe's metrics of the standard 14 fonts).
const HELVETICA: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];

/// Operators under construction.
#[derive(Default)]
struct Ink(Vec<u8>);

impl Ink {
    fn op(&mut self, operands: &[f64], operator: &str) {
        for n in operands {
            super::write::number(&mut self.0, *n);
            self.0.push(b' ');
        }
        self.0.extend_from_slice(operator.as_bytes());
        self.0.push(b'\n');
    }

    fn with(&mut self, operands: &[Val], operator: &str) {
        for operand in operands {
            scalar(&mut self.0, operand);
            self.0.push(b' ');
        }
        self.op(&[], operator);
    }

    fn rectangle(&mut self, r: &[f64; 4]) {
        let [x0, y0, x1, y1] = *r;
        self.op(&[x0, y0, x1 - x0, y1 - y0], "re");
    }

    /// Sets a colour of 1, 3 or 4 components; whether there was one.
    fn color(&mut self, color: Option<&[f64]>, stroke: bool) -> bool {
        let Some(color) = color else { return false };
        let operator = match (color.len(), stroke) {
            (1, false) => "g",
            (1, true) => "G",
            (3, false) => "rg",
            (3, true) => "RG",
            (4, false) => "k",
            (4, true) => "K",
            _ => return false,
        };
        self.op(color, operator);
        true
    }

    fn path(&mut self, points: &[f64]) {
        for (i, point) in points.as_chunks::<2>().0.iter().take(MAX_POINTS).enumerate() {
            self.op(point, if i == 0 { "m" } else { "l" });
        }
    }
}

/// The default appearance of a field or free text.
struct Style {
    font: Option<Vec<u8>>,
    size: f64,
    color: Vec<f64>,
}

fn style(text: &[u8]) -> Style {
    let mut out = Style { font: None, size: 0.0, color: vec![0.0] };
    let mut lexer = Lexer::new(text);
    let mut operands = Vec::new();
    let mut last_name = None;
    while let Some(token) = lexer.next() {
        match token {
            Token::Num(n) => operands.push(n),
            Token::Name(n) => last_name = Some(n),
            Token::Word(b"Tf") => {
                out.font = last_name.take();
                out.size = operands.last().copied().unwrap_or(0.0).clamp(0.0, 1000.0);
                operands.clear();
            }
            Token::Word(b"g" | b"rg" | b"k") => out.color = std::mem::take(&mut operands),
            _ => operands.clear(),
        }
    }
    out
}

/// An attribute of a field or of a field above it.
fn of_field<'a, T>(field: &Source<'a>, read: impl Fn(&Source<'a>) -> Option<T>) -> Option<T> {
    let mut node = field.clone();
    for _ in 0..16 {
        if let Some(value) = read(&node) {
            return Some(value);
        }
        node = node.get::<Source<'a>>("Parent")?;
    }
    None
}

fn text_of(object: &SourceObject<'_>) -> Option<Vec<u8>> {
    match object {
        SourceObject::String(s) => Some(latin(s.as_bytes())),
        SourceObject::Name(n) => Some(n.as_ref().to_vec()),
        _ => None,
    }
}

/// Text as single bytes of WinAnsiEncoding, near enough; what it has not becomes a question mark.
fn latin(text: &[u8]) -> Vec<u8> {
    let text = text.get(..text.len().min(MAX_TEXT)).unwrap_or_default();
    match text {
        [0xFE, 0xFF, rest @ ..] => {
            rest.as_chunks::<2>().0.iter().map(|pair| u8::try_from(u16::from_be_bytes(*pair)).unwrap_or(b'?')).collect()
        }
        _ => text.to_vec(),
    }
}

fn width(text: &[u8], size: f64) -> f64 {
    let thousandths: f64 = text
        .iter()
        .map(|b| usize::from(*b).checked_sub(32).and_then(|i| HELVETICA.get(i)).map_or(556.0, |w| f64::from(*w)))
        .sum();
    thousandths * size / 1000.0
}

/// Lines that fit into `most` points, broken at spaces.
fn wrapped(text: &[u8], size: f64, most: f64) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for paragraph in text.split(|b| matches!(b, b'\r' | b'\n')) {
        let mut line: Vec<u8> = Vec::new();
        for word in paragraph.split(|b| *b == b' ') {
            let mut longer = line.clone();
            if !longer.is_empty() {
                longer.push(b' ');
            }
            longer.extend_from_slice(word);
            if line.is_empty() || width(&longer, size) <= most {
                line = longer;
            } else {
                lines.push(std::mem::replace(&mut line, word.to_vec()));
            }
        }
        lines.push(line);
    }
    lines
}

impl<'a> Walk<'a, '_, '_> {
    /// The border of a link whose target went: it is part of what the page looks like.
    pub fn link_border(&mut self, dict: &Source<'a>, out: &mut Vec<u8>) {
        let Some(rect) = rect(dict, "Rect") else { return };
        let line = border_width(dict);
        if line <= 0.0 {
            return;
        }
        let mut ink = Ink::default();
        ink.op(&[], "q");
        let color = numbers(dict, "C").filter(|c| matches!(c.len(), 1 | 3 | 4));
        ink.color(color.as_deref(), true);
        ink.op(&[line], "w");
        ink.rectangle(&rect);
        ink.op(&[], "S");
        ink.op(&[], "Q");
        out.extend_from_slice(&ink.0);
    }

    /// Draws an annotation that has no appearance; whether there was anything to draw.
    pub fn drawn_appearance(
        &mut self,
        kind: &[u8],
        dict: &Source<'a>,
        scope: &Scope<'a>,
        used: &mut Used,
        out: &mut Vec<u8>,
    ) -> R<bool> {
        let Some(rect) = rect(dict, "Rect") else {
            return Ok(false);
        };
        let mut ink = Ink::default();
        let done = match kind {
            b"Widget" => self.field(dict, &rect, scope, used, &mut ink)?,
            b"FreeText" => self.free_text(dict, &rect, scope, used, &mut ink)?,
            _ => markup(kind, dict, &rect, &mut ink),
        };
        if !done {
            return Ok(false);
        }
        let mut state = Ink::default();
        state.op(&[], "q");
        let opacity = number(dict, "CA").unwrap_or(1.0).clamp(0.0, 1.0);
        if opacity < 1.0 || kind == b"Highlight" {
            let mut entries = Dict::new().with("CA", Val::num(opacity)).with("ca", Val::num(opacity));
            if kind == b"Highlight" {
                entries.set("BM", Val::name("Multiply"));
            }
            let id = self.document.add(Val::Dict(entries));
            state.with(&[used.add(Class::ExtGState, id)], "gs");
        }
        ink.op(&[], "Q");
        out.extend_from_slice(&state.0);
        out.extend_from_slice(&ink.0);
        Ok(true)
    }

    fn field(
        &mut self,
        dict: &Source<'a>,
        rect: &[f64; 4],
        scope: &Scope<'a>,
        used: &mut Used,
        ink: &mut Ink,
    ) -> R<bool> {
        let line = field_frame(dict, rect, ink);
        let flags = of_field(dict, |d| integer(d, "Ff")).unwrap_or(0);
        let kind = of_field(dict, |d| name(d, "FT")).unwrap_or_default();
        let value = of_field(dict, |d| d.get::<SourceObject<'a>>("V"));
        let style = self.field_style(dict);
        let text = match kind.as_slice() {
            b"Tx" => value.as_ref().and_then(text_of),
            b"Ch" if flags & COMBO != 0 => value.as_ref().and_then(text_of),
            b"Ch" => of_field(dict, |d| d.get::<Array<'a>>("Opt")).map(|options| options_text(&options)),
            b"Btn" if flags & PUSH_BUTTON != 0 => {
                let look = dict.get::<Source<'a>>("MK");
                look.and_then(|d| d.get::<SourceString<'a>>("CA")).map(|s| latin(s.as_bytes()))
            }
            _ => None,
        };
        let Some(mut text) = text.filter(|t| !t.is_empty()) else {
            return Ok(true);
        };
        if flags & PASSWORD != 0 && kind == b"Tx" {
            text.fill(b'*');
        }
        let font = self.text_font(&style, scope, used)?;
        let centred = kind == b"Btn";
        let quad = if centred { 1 } else { of_field(dict, |d| integer(d, "Q")).unwrap_or(0) };
        let lines = kind == b"Tx" && flags & MULTI_LINE != 0 || kind == b"Ch" && flags & COMBO == 0;
        let cells = of_field(dict, |d| integer(d, "MaxLen")).filter(|n| *n > 0 && flags & COMB != 0);
        let page = Text { rect, line, style: &style, font, quad };
        match (lines, cells) {
            (true, _) => page.block(&text, ink),
            (false, Some(cells)) => page.comb(&text, cells, ink),
            (false, None) => page.single(&text, ink),
        }
        Ok(true)
    }

    fn interactive_form(&self) -> Option<Source<'a>> {
        self.xref.get::<Source<'a>>(self.xref.root_id())?.get::<Source<'a>>("AcroForm")
    }

    fn field_style(&self, dict: &Source<'a>) -> Style {
        let read = |d: &Source<'a>| d.get::<SourceString<'a>>("DA").map(|s| s.as_bytes().to_vec());
        let text = of_field(dict, read).or_else(|| self.interactive_form().as_ref().and_then(read));
        style(&text.unwrap_or_default())
    }

    /// The font that a default appearance names, if one byte is one character in it; else Helvetica.
    fn text_font(&mut self, style: &Style, scope: &Scope<'a>, used: &mut Used) -> R<Val> {
        if let Some(font) = &style.font {
            let fonts = |d: &Source<'a>| d.get::<Source<'a>>("Font");
            let form = self.interactive_form().and_then(|f| f.get::<Source<'a>>("DR")).and_then(|d| fonts(&d));
            let found = form.and_then(|d| d.get_raw::<SourceObject<'a>>(font)).and_then(|raw| self.resolve(raw));
            if let Some(Found { object: SourceObject::Dict(dict), .. }) = &found
                && matches!(name(dict, "Subtype").as_deref(), Some(b"Type1" | b"TrueType"))
                && let Some(found) = &found
                && let Some(id) = self.font(found, scope)?
            {
                return Ok(used.add(Class::Font, id));
            }
        }
        let base = match style.font.as_deref() {
            Some(b"ZaDb") => Dict::of("Font").with("BaseFont", Val::name("ZapfDingbats")),
            _ => {
                Dict::of("Font").with("BaseFont", Val::name("Helvetica")).with("Encoding", Val::name("WinAnsiEncoding"))
            }
        };
        let id = self.document.reserve();
        self.document.put(id, Object::Value(Val::Dict(base.with("Subtype", Val::name("Type1")))));
        Ok(used.add(Class::Font, id))
    }

    fn free_text(
        &mut self,
        dict: &Source<'a>,
        rect: &[f64; 4],
        scope: &Scope<'a>,
        used: &mut Used,
        ink: &mut Ink,
    ) -> R<bool> {
        let line = border_width(dict);
        let color = numbers(dict, "C");
        if ink.color(color.as_deref(), false) {
            ink.rectangle(rect);
            ink.op(&[], "f");
        }
        if line > 0.0 {
            ink.op(&[line], "w");
            ink.rectangle(&inset(rect, line / 2.0));
            ink.op(&[], "S");
        }
        let Some(text) = dict.get::<SourceString<'a>>("Contents").map(|s| latin(s.as_bytes())) else {
            return Ok(true);
        };
        let mut style = self.field_style(dict);
        if style.size == 0.0 {
            style.size = 10.0;
        }
        let font = self.text_font(&style, scope, used)?;
        let quad = integer(dict, "Q").unwrap_or(0);
        Text { rect, line: line * 2.0, style: &style, font, quad }.block(&text, ink);
        Ok(true)
    }
}

/// A text to be set into a box.
struct Text<'t> {
    rect: &'t [f64; 4],
    line: f64,
    style: &'t Style,
    font: Val,
    quad: i64,
}

impl Text<'_> {
    fn start(&self, size: f64, ink: &mut Ink) {
        ink.rectangle(self.rect);
        ink.op(&[], "W");
        ink.op(&[], "n");
        ink.op(&[], "BT");
        ink.color(Some(&self.style.color), false);
        ink.with(&[self.font.clone(), Val::num(size)], "Tf");
    }

    fn x(&self, text: &[u8], size: f64) -> f64 {
        let [x0, _, x1, _] = *self.rect;
        match self.quad {
            1 => x0 + (x1 - x0 - width(text, size)) / 2.0,
            2 => x1 - self.line - 2.0 - width(text, size),
            _ => x0 + self.line + 2.0,
        }
    }

    fn at(&self, x: f64, y: f64, text: &[u8], ink: &mut Ink) {
        ink.op(&[1.0, 0.0, 0.0, 1.0, x, y], "Tm");
        ink.with(&[Val::string(text)], "Tj");
    }

    fn single(&self, text: &[u8], ink: &mut Ink) {
        let [x0, y0, x1, y1] = *self.rect;
        let mut size = self.style.size;
        if size == 0.0 {
            let room = x1 - x0 - 2.0 * self.line - 4.0;
            let wide = room / width(text, 1.0).max(0.001);
            size = (0.67 * (y1 - y0)).min(wide).clamp(1.0, 144.0).floor();
        }
        self.start(size, ink);
        self.at(self.x(text, size), f64::midpoint(y0, y1) - 0.4 * size, text, ink);
        ink.op(&[], "ET");
    }

    fn block(&self, text: &[u8], ink: &mut Ink) {
        let [x0, y0, x1, y1] = *self.rect;
        let size = if self.style.size == 0.0 { 12.0 } else { self.style.size };
        self.start(size, ink);
        let mut y = y1 - 3.0;
        for line in wrapped(text, size, x1 - x0 - 2.0 * self.line - 4.0) {
            y -= size;
            if y + size < y0 {
                break;
            }
            self.at(self.x(&line, size), y, &line, ink);
        }
        ink.op(&[], "ET");
    }

    fn comb(&self, text: &[u8], cells: i64, ink: &mut Ink) {
        let [x0, y0, x1, y1] = *self.rect;
        let cells = i32::try_from(cells).map_or(1.0, f64::from);
        let cell = (x1 - x0) / cells;
        let size = if self.style.size == 0.0 { (0.67 * (y1 - y0)).clamp(1.0, 144.0) } else { self.style.size };
        self.start(size, ink);
        let mut left = x0;
        for b in text {
            self.at(left + (cell - width(&[*b], size)) / 2.0, f64::midpoint(y0, y1) - 0.4 * size, &[*b], ink);
            left += cell;
            if left > x1 {
                break;
            }
        }
        ink.op(&[], "ET");
    }
}

fn options_text(options: &Array<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for option in objects(options).into_iter().take(200) {
        let shown = match &option {
            SourceObject::Array(pair) => objects(pair).get(1).and_then(text_of),
            other => text_of(other),
        };
        if !out.is_empty() {
            out.push(b'\n');
        }
        out.extend_from_slice(&shown.unwrap_or_default());
    }
    out
}

/// The width of the border: of `BS`, else of `Border`, else one.
fn border_width(dict: &Source<'_>) -> f64 {
    if let Some(style) = dict.get::<Source<'_>>("BS") {
        return number(&style, "W").unwrap_or(1.0);
    }
    match dict.get::<Array<'_>>("Border") {
        Some(border) => array_numbers(&border).get(2).copied().unwrap_or(1.0),
        None => 1.0,
    }
}

fn inset(r: &[f64; 4], by: f64) -> [f64; 4] {
    let [x0, y0, x1, y1] = *r;
    [x0 + by, y0 + by, x1 - by, y1 - by]
}

/// Background and border of a field (`MK`); the border's width.
fn field_frame(dict: &Source<'_>, rect: &[f64; 4], ink: &mut Ink) -> f64 {
    let Some(look) = dict.get::<Source<'_>>("MK") else {
        return 0.0;
    };
    if ink.color(numbers(&look, "BG").as_deref(), false) {
        ink.rectangle(rect);
        ink.op(&[], "f");
    }
    let has_border = dict.contains_key("BS") || dict.contains_key("Border");
    let line = if has_border { border_width(dict) } else { 0.0 };
    if line <= 0.0 || !ink.color(numbers(&look, "BC").as_deref(), true) {
        return 0.0;
    }
    ink.op(&[line], "w");
    let [x0, y0, x1, _] = *rect;
    if dict.get::<Source<'_>>("BS").and_then(|b| name(&b, "S")).as_deref() == Some(b"U") {
        ink.op(&[x0, y0 + line / 2.0], "m");
        ink.op(&[x1, y0 + line / 2.0], "l");
    } else {
        ink.rectangle(&inset(rect, line / 2.0));
    }
    ink.op(&[], "S");
    line
}

/// Markup annotations and drawings.
fn markup(kind: &[u8], dict: &Source<'_>, rect: &[f64; 4], ink: &mut Ink) -> bool {
    let color = numbers(dict, "C");
    let line = border_width(dict);
    let quads = || numbers(dict, "QuadPoints").unwrap_or_default();
    match kind {
        b"Highlight" => {
            if !ink.color(color.as_deref(), false) {
                return false;
            }
            for [x1, y1, x2, y2, x3, y3, x4, y4] in quads().as_chunks::<8>().0.iter().take(MAX_POINTS) {
                ink.path(&[*x1, *y1, *x2, *y2, *x4, *y4, *x3, *y3]);
                ink.op(&[], "h");
            }
            ink.op(&[], "f");
        }
        b"Underline" | b"Squiggly" | b"StrikeOut" => {
            ink.color(color.as_deref(), true);
            for [x1, y1, x2, y2, x3, y3, x4, y4] in quads().as_chunks::<8>().0.iter().take(MAX_POINTS) {
                let t = if kind == b"StrikeOut" { 0.45 } else { 0.07 };
                let between = |low: f64, high: f64| low + (high - low) * t;
                ink.op(&[((y1 - y3).abs() / 16.0).clamp(0.5, 4.0)], "w");
                ink.path(&[between(*x3, *x1), between(*y3, *y1), between(*x4, *x2), between(*y4, *y2)]);
                ink.op(&[], "S");
            }
        }
        b"Square" | b"Circle" => {
            let stroke = ink.color(color.as_deref(), true) && line > 0.0;
            let fill = ink.color(numbers(dict, "IC").as_deref(), false);
            ink.op(&[line], "w");
            let shape = inset(rect, line / 2.0);
            if kind == b"Square" {
                ink.rectangle(&shape);
            } else {
                ellipse(&shape, ink);
            }
            ink.op(&[], paint(stroke, fill));
        }
        b"Line" | b"PolyLine" | b"Polygon" => {
            let Some(points) = numbers(dict, if kind == b"Line" { "L" } else { "Vertices" }) else {
                return false;
            };
            let stroke = ink.color(color.as_deref(), true) && line > 0.0;
            let fill = kind == b"Polygon" && ink.color(numbers(dict, "IC").as_deref(), false);
            ink.op(&[line], "w");
            ink.path(&points);
            if kind == b"Polygon" {
                ink.op(&[], "h");
            }
            ink.op(&[], paint(stroke, fill));
        }
        b"Ink" => {
            let Some(list) = dict.get::<Array<'_>>("InkList") else {
                return false;
            };
            ink.color(color.as_deref(), true);
            ink.op(&[line], "w");
            for stroke in objects(&list).into_iter().take(1000) {
                let SourceObject::Array(stroke) = stroke else { continue };
                ink.path(&array_numbers(&stroke));
                ink.op(&[], "S");
            }
        }
        _ => return false,
    }
    true
}

const fn paint(stroke: bool, fill: bool) -> &'static str {
    match (stroke, fill) {
        (true, true) => "B",
        (true, false) => "S",
        (false, true) => "f",
        (false, false) => "n",
    }
}

/// Four Bézier arcs.
fn ellipse(r: &[f64; 4], ink: &mut Ink) {
    const K: f64 = 0.552_284_75;
    let [x0, y0, x1, y1] = *r;
    let (cx, cy) = (f64::midpoint(x0, x1), f64::midpoint(y0, y1));
    let (a, b) = ((x1 - x0) / 2.0, (y1 - y0) / 2.0);
    ink.op(&[x1, cy], "m");
    ink.op(&[x1, cy + K * b, cx + K * a, y1, cx, y1], "c");
    ink.op(&[cx - K * a, y1, x0, cy + K * b, x0, cy], "c");
    ink.op(&[x0, cy - K * b, cx - K * a, y0, cx, y0], "c");
    ink.op(&[cx + K * a, y0, x1, cy - K * b, x1, cy], "c");
    ink.op(&[], "h");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_appearances_are_read() {
        let style = style(b"0.5 0 0 rg /Helv 12 Tf");
        assert_eq!((style.font.as_deref(), style.size, style.color.len()), (Some(&b"Helv"[..]), 12.0, 3));
    }

    #[test]
    fn text_is_broken_at_spaces() {
        assert_eq!(wrapped(b"aaaa bbbb cc\rd", 10.0, 40.0), [b"aaaa".to_vec(), b"bbbb cc".to_vec(), b"d".to_vec()]);
    }
}
