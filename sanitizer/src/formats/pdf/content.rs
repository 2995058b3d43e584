//! Content streams (ISO 32000-1 clause 7.8.2 and annex A): read operator by operator, written anew with resources of
//! their own. What an operator refers to is converted on the way; nothing unused is taken along.

use super::color::INTENTS;
use super::lex::{Lexer, Token, is_space};
use super::resources::{Class, Used};
use super::value::{Name, Val};
use super::walk::{R, Scope, Walk};
use super::write::scalar;
use crate::switches::{Filter, off};
use model::{FindingAction, LimitKind, Refusal};

/// Ours: viewers stop somewhere between 28 and 512.
const MAX_NESTING: u32 = 512;
/// Ours: `scn` with 32 colorants and a name is the longest operand list; arrays have their own bound.
const MAX_OPERANDS: usize = 64;
/// Ours: elements of one `TJ` array.
const MAX_ARRAY: usize = 65_536;

/// Ours: forms, patterns and glyph programs drawn by one page. Maps and drawings reach some ten thousand.
const MAX_DRAWN: u64 = 1_000_000;

/// What a stream's content is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A page, form or pattern.
    Drawing,
    /// A glyph of a Type 3 font.
    Glyph,
}

#[derive(Clone, Debug)]
enum Operand {
    Num(f64),
    Str(Vec<u8>),
    Name(Vec<u8>),
    Array(Vec<Val>),
    Other,
}

/// Operand lists of operators that take numbers only.
fn numbers_wanted(operator: &[u8]) -> Option<usize> {
    Some(match operator {
        b"b" | b"B" | b"b*" | b"B*" | b"f" | b"f*" | b"n" | b"s" | b"S" | b"W" | b"W*" | b"h" | b"T*" => 0,
        b"w" | b"M" | b"i" | b"Tc" | b"Tw" | b"Tz" | b"TL" | b"Ts" | b"g" | b"G" => 1,
        b"m" | b"l" | b"Td" | b"TD" => 2,
        b"rg" | b"RG" => 3,
        b"re" | b"v" | b"y" | b"k" | b"K" => 4,
        b"c" | b"cm" | b"Tm" => 6,
        _ => return None,
    })
}

/// The pairs that must balance.
#[derive(Default)]
struct Pair {
    depth: u32,
    /// Opened past the limit: their closings are dropped as well.
    surplus: u32,
}

impl Pair {
    fn open(&mut self) -> bool {
        let fits = self.depth < MAX_NESTING;
        let counter = if fits { &mut self.depth } else { &mut self.surplus };
        *counter = counter.saturating_add(1);
        fits
    }

    fn close(&mut self) -> bool {
        if self.surplus > 0 {
            self.surplus = self.surplus.saturating_sub(1);
            return false;
        }
        match self.depth.checked_sub(1) {
            Some(less) => {
                self.depth = less;
                true
            }
            None => false,
        }
    }
}

/// A content stream while it is rewritten.
pub struct Content<'w, 'a, 'c, 'p> {
    walk: &'w mut Walk<'a, 'c, 'p>,
    scope: &'w Scope<'a>,
    used: &'w mut Used,
    role: Role,
    out: Vec<u8>,
    operands: Vec<Operand>,
    /// What a glyph of the present font draws, beyond an outline.
    glyph_weight: u64,
    states: Pair,
    texts: Pair,
    /// For each open marked-content sequence whether it was kept.
    marks: Vec<bool>,
}

impl<'a> Walk<'a, '_, '_> {
    /// Rewrites one content stream.
    pub fn content(&mut self, data: &[u8], scope: &Scope<'a>, used: &mut Used, role: Role) -> R<Vec<u8>> {
        let out = Vec::with_capacity(data.len());
        let (operands, marks) = (Vec::new(), Vec::new());
        let (states, texts) = (Pair::default(), Pair::default());
        let mut content =
            Content { walk: self, scope, used, role, out, operands, glyph_weight: 0, states, texts, marks };
        content.run(data)?;
        Ok(content.finish())
    }
}

impl<'a> Content<'_, 'a, '_, '_> {
    fn run(&mut self, data: &[u8]) -> R<()> {
        let mut lexer = Lexer::new(data);
        while let Some(token) = lexer.next() {
            match token {
                Token::Word(b"BI") => {
                    self.operands.clear();
                    self.inline_image(&mut lexer)?;
                }
                Token::Word(b"true" | b"false" | b"null") => self.push(Operand::Other),
                Token::Word(operator) => {
                    self.operator(operator)?;
                    self.operands.clear();
                }
                Token::Num(n) => self.push(Operand::Num(n)),
                Token::Str(s) => self.push(Operand::Str(s)),
                Token::Name(n) => self.push(Operand::Name(n)),
                Token::Open => {
                    let array = array(&mut lexer);
                    self.push(Operand::Array(array));
                }
                Token::DictOpen => {
                    skip_dict(&mut lexer);
                    self.push(Operand::Other);
                }
                Token::Close | Token::DictClose | Token::BraceOpen | Token::BraceClose => {}
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        while self.marks.pop().is_some_and(|kept| {
            if kept {
                self.out.extend_from_slice(b"EMC\n");
            }
            true
        }) {}
        while self.texts.depth > 0 {
            self.texts.depth = self.texts.depth.saturating_sub(1);
            self.out.extend_from_slice(b"ET\n");
        }
        while self.states.depth > 0 {
            self.states.depth = self.states.depth.saturating_sub(1);
            self.out.extend_from_slice(b"Q\n");
        }
        self.out
    }

    fn push(&mut self, operand: Operand) {
        if self.operands.len() >= MAX_OPERANDS {
            self.operands.remove(0);
        }
        self.operands.push(operand);
    }

    /// The last `n` operands, if all are numbers: viewers ignore what stands before them.
    fn nums(&self, n: usize) -> Option<Vec<f64>> {
        let start = self.operands.len().checked_sub(n)?;
        self.operands
            .get(start..)?
            .iter()
            .map(|o| match o {
                Operand::Num(n) => Some(*n),
                Operand::Str(_) | Operand::Name(_) | Operand::Array(_) | Operand::Other => None,
            })
            .collect()
    }

    fn last_name(&self) -> Option<Vec<u8>> {
        match self.operands.last() {
            Some(Operand::Name(name)) => Some(name.clone()),
            _ => None,
        }
    }

    fn emit(&mut self, operands: &[Val], operator: &[u8]) {
        for operand in operands {
            scalar(&mut self.out, operand);
            self.out.push(b' ');
        }
        self.out.extend_from_slice(operator);
        self.out.push(b'\n');
    }

    fn emit_nums(&mut self, numbers: &[f64], operator: &[u8]) {
        for n in numbers {
            super::write::number(&mut self.out, *n);
            self.out.push(b' ');
        }
        self.out.extend_from_slice(operator);
        self.out.push(b'\n');
    }

    fn operator(&mut self, operator: &[u8]) -> R<()> {
        if let Some(n) = numbers_wanted(operator) {
            let bare = off(Filter::PdfOperands).then(|| Self::all_numbers(&self.operands));
            if let Some(numbers) = bare.or_else(|| self.nums(n)) {
                self.emit_nums(&numbers, operator);
            } else {
                self.odd();
            }
            return Ok(());
        }
        match operator {
            b"F" => self.emit(&[], b"f"),
            b"q" => {
                if self.states.open() {
                    self.emit(&[], b"q");
                }
            }
            b"Q" => {
                if self.states.close() || off(Filter::PdfBalance) {
                    self.emit(&[], b"Q");
                } else {
                    self.odd();
                }
            }
            b"BT" if self.texts.depth > 0 && off(Filter::PdfBalance) => self.emit(&[], b"BT"),
            b"BT" => {
                // A second BT without ET starts the text object anew.
                if self.texts.depth > 0 {
                    self.emit(&[], b"ET");
                } else {
                    self.texts.depth = 1;
                }
                self.emit(&[], b"BT");
            }
            b"ET" => {
                if self.texts.close() {
                    self.emit(&[], b"ET");
                }
            }
            b"J" | b"j" => self.small_int(operator, 2),
            b"Tr" => self.small_int(operator, 7),
            b"d" => self.dash(),
            b"ri" => self.intent(),
            b"sc" | b"SC" => self.color(operator),
            b"scn" | b"SCN" => self.color_or_pattern(operator)?,
            b"cs" | b"CS" => self.color_space(operator)?,
            b"gs" => self.named(Class::ExtGState, operator)?,
            b"sh" => self.named(Class::Shading, operator)?,
            b"Do" => self.named(Class::XObject, operator)?,
            b"Tf" => self.font()?,
            b"Tj" | b"'" | b"\"" | b"TJ" => {
                self.draw(self.glyph_weight)?;
                match operator {
                    b"TJ" => self.show_array(),
                    b"\"" => self.show_spaced(),
                    _ => self.show(operator),
                }
            }
            b"d0" | b"d1" => self.glyph_width(operator),
            b"BMC" | b"MP" | b"DP" | b"BX" | b"EX" if off(Filter::PdfMarks) => self.whole(operator),
            b"BMC" => self.marks.push(false),
            b"BDC" => self.marked()?,
            b"EMC" => {
                if self.marks.pop() == Some(true) {
                    self.emit(&[], b"EMC");
                }
            }
            // Marked points carry nothing visible; BX and EX only ask to be lenient.
            b"MP" | b"DP" | b"BX" | b"EX" => {}
            _ if off(Filter::PdfOperators) => self.whole(operator),
            _ => self.odd(),
        }
        Ok(())
    }

    /// An operator as it came: never, but where a test switches its filter off.
    fn whole(&mut self, operator: &[u8]) {
        let operands = std::mem::take(&mut self.operands).into_iter().map(|operand| match operand {
            Operand::Num(n) => Val::num(n),
            Operand::Str(s) => Val::string(&s),
            Operand::Name(n) => Name::new(&n).map_or(Val::Null, Val::Name),
            Operand::Array(items) => Val::Array(items),
            Operand::Other => Val::Null,
        });
        let operands: Vec<Val> = operands.collect();
        self.emit(&operands, operator);
    }

    fn odd(&mut self) {
        self.walk.found("PDF-78", FindingAction::Removed);
    }

    fn small_int(&mut self, operator: &[u8], most: i64) {
        match self.nums(1).as_deref() {
            Some([n]) if (0..=most).contains(&Val::whole(*n)) || off(Filter::PdfOperandRanges) => {
                let n = Val::int(Val::whole(*n));
                self.emit(&[n], operator);
            }
            _ => self.odd(),
        }
    }

    fn dash(&mut self) {
        let [.., Operand::Array(dashes), Operand::Num(phase)] = self.operands.as_slice() else {
            return self.odd();
        };
        let dashes: Vec<Val> = dashes
            .iter()
            .filter(|v| matches!(v, Val::Num(n) if *n >= 0.0) || off(Filter::PdfOperandRanges))
            .take(64)
            .cloned()
            .collect();
        let phase = Val::num(*phase);
        self.emit(&[Val::Array(dashes), phase], b"d");
    }

    fn intent(&mut self) {
        let given = self.last_name().unwrap_or_default();
        if let Some(known) = INTENTS.iter().find(|i| i.as_bytes() == given) {
            self.emit(&[Val::name(known)], b"ri");
        } else if off(Filter::PdfOperandRanges) {
            self.whole(b"ri");
        }
    }

    fn all_numbers(operands: &[Operand]) -> Vec<f64> {
        let numbers = operands.iter().filter_map(|o| match o {
            Operand::Num(n) => Some(*n),
            Operand::Str(_) | Operand::Name(_) | Operand::Array(_) | Operand::Other => None,
        });
        let numbers: Vec<f64> = numbers.collect();
        let start = numbers.len().saturating_sub(32);
        numbers.get(start..).unwrap_or_default().to_vec()
    }

    fn color(&mut self, operator: &[u8]) {
        let numbers = Self::all_numbers(&self.operands);
        if numbers.is_empty() {
            self.odd();
        } else {
            self.emit_nums(&numbers, operator);
        }
    }

    fn color_or_pattern(&mut self, operator: &[u8]) -> R<()> {
        let Some(name) = self.last_name() else {
            self.color(operator);
            return Ok(());
        };
        let numbers = Self::all_numbers(&self.operands);
        if let Some(pattern) = self.walk.resource(Class::Pattern, &name, self.scope, self.used)? {
            self.draw(self.weight(&pattern))?;
            let mut operands: Vec<Val> = numbers.iter().map(|n| Val::num(*n)).collect();
            operands.push(pattern);
            self.emit(&operands, operator);
        }
        Ok(())
    }

    fn color_space(&mut self, operator: &[u8]) -> R<()> {
        let Some(name) = self.last_name() else {
            self.odd();
            return Ok(());
        };
        if let Some(space) = self.walk.resource(Class::ColorSpace, &name, self.scope, self.used)? {
            self.emit(&[space], operator);
        }
        Ok(())
    }

    fn named(&mut self, class: Class, operator: &[u8]) -> R<()> {
        let Some(name) = self.last_name() else {
            self.odd();
            return Ok(());
        };
        if let Some(value) = self.walk.resource(class, &name, self.scope, self.used)? {
            self.draw(self.weight(&value))?;
            self.emit(&[value], operator);
        }
        Ok(())
    }

    fn weight(&self, name: &Val) -> u64 {
        self.used.id(name).and_then(|id| self.walk.weights.get(&id)).copied().unwrap_or(1)
    }

    /// Counts what is drawn: a few forms in one another can ask for more than any viewer ever ends.
    fn draw(&mut self, weight: u64) -> R<()> {
        self.used.drawn = self.used.drawn.saturating_add(weight);
        if self.used.drawn > MAX_DRAWN && !off(Filter::PdfDrawn) {
            return Err(Refusal::Limit { limit: LimitKind::Nesting, asked: self.used.drawn, allowed: MAX_DRAWN });
        }
        Ok(())
    }

    fn font(&mut self) -> R<()> {
        let [.., Operand::Name(name), Operand::Num(size)] = self.operands.as_slice() else {
            self.odd();
            return Ok(());
        };
        let (name, size) = (name.clone(), Val::num(*size));
        if let Some(font) = self.walk.resource(Class::Font, &name, self.scope, self.used)? {
            self.glyph_weight = self.weight(&font).saturating_sub(1);
            self.emit(&[font, size], b"Tf");
        }
        Ok(())
    }

    fn show(&mut self, operator: &[u8]) {
        match self.operands.last() {
            Some(Operand::Str(text)) => {
                let text = Val::string(text);
                self.emit(&[text], operator);
            }
            _ => self.odd(),
        }
    }

    fn show_spaced(&mut self) {
        match self.operands.as_slice() {
            [.., Operand::Num(word), Operand::Num(character), Operand::Str(text)] => {
                let operands = [Val::num(*word), Val::num(*character), Val::string(text)];
                self.emit(&operands, b"\"");
            }
            _ => self.odd(),
        }
    }

    fn show_array(&mut self) {
        match self.operands.pop() {
            Some(Operand::Array(items)) => {
                let items = items.into_iter().filter(|v| matches!(v, Val::Num(_) | Val::Str(_))).collect();
                self.emit(&[Val::Array(items)], b"TJ");
            }
            Some(Operand::Str(text)) => self.emit(&[Val::Array(vec![Val::string(&text)])], b"TJ"),
            _ => self.odd(),
        }
    }

    fn glyph_width(&mut self, operator: &[u8]) {
        let n = if operator == b"d0" { 2 } else { 6 };
        match self.nums(n) {
            Some(numbers) if self.role == Role::Glyph || off(Filter::PdfGlyphs) => self.emit_nums(&numbers, operator),
            _ => self.odd(),
        }
    }

    fn marked(&mut self) -> R<()> {
        let property = match self.operands.as_slice() {
            [.., Operand::Name(tag), Operand::Name(property)] if tag == b"OC" => Some(property.clone()),
            _ => None,
        };
        let value = match property {
            Some(name) => self.walk.resource(Class::Properties, &name, self.scope, self.used)?,
            None => None,
        };
        let fits = self.marks.len() < MAX_NESTING as usize;
        self.marks.push(value.is_some() && fits);
        if let Some(value) = value.filter(|_| fits) {
            self.emit(&[Val::name("OC"), value], b"BDC");
        }
        Ok(())
    }

    /// PDF-20: an inline image becomes an XObject.
    fn inline_image(&mut self, lexer: &mut Lexer<'_>) -> R<()> {
        let mut entries: Vec<(Vec<u8>, Val)> = Vec::new();
        loop {
            match lexer.next() {
                Some(Token::Name(key)) => {
                    let Some(value) = direct(lexer, 0) else { return Ok(()) };
                    entries.push((key, value));
                }
                Some(Token::Word(b"ID")) => break,
                Some(_) => {}
                None => return Ok(()),
            }
        }
        // One white-space byte after ID.
        if lexer.rest().first().is_some_and(|b| is_space(*b)) {
            lexer.skip(1);
        }
        let image = super::images::Inline::new(entries);
        let exact = self.walk.inline_length(&image, self.scope)?;
        let rest = lexer.rest();
        let (len, skip) = inline_end(rest, exact);
        lexer.skip(skip);
        let data = rest.get(..len).unwrap_or_default();
        if let Some(id) = self.walk.inline_image(&image, data, self.scope)? {
            let name = self.used.add(Class::XObject, id);
            self.emit(&[name], b"Do");
        }
        Ok(())
    }
}

/// Where the data of an inline image ends, and how far to go on.
fn inline_end(data: &[u8], exact: Option<usize>) -> (usize, usize) {
    let is_end = |at: usize| {
        let after = at.saturating_add(2);
        data.get(at..after) == Some(b"EI") && data.get(after).is_none_or(|b| is_space(*b))
    };
    if let Some(len) = exact {
        // Up to a few bytes of white space between the data and EI.
        if let Some(gap) = (0..4usize).find(|gap| is_end(len.saturating_add(*gap))) {
            return (len, len.saturating_add(gap).saturating_add(2));
        }
    }
    let mut from = 0usize;
    while let Some(found) = data.get(from..).and_then(|d| d.windows(2).position(|w| w == b"EI")) {
        let at = from.saturating_add(found);
        if is_end(at) && looks_like_content(data, at) {
            return (at, at.saturating_add(2));
        }
        from = at.saturating_add(2);
    }
    (data.len(), data.len())
}

/// What follows a real EI is operators: printable, and a known one within reach.
fn looks_like_content(data: &[u8], at: usize) -> bool {
    let start = at.saturating_add(2);
    let tail = data.get(start..data.len().min(start.saturating_add(24))).unwrap_or_default();
    tail.iter().all(|b| is_space(*b) || (0x20..0x7f).contains(b))
}

/// A direct object of an inline image's dictionary.
fn direct(lexer: &mut Lexer<'_>, depth: u32) -> Option<Val> {
    if depth > 8 {
        return None;
    }
    Some(match lexer.next()? {
        Token::Num(n) => Val::num(n),
        Token::Str(s) => Val::string(&s),
        Token::Name(n) => Val::Name(Name::new(&n)?),
        Token::Word(b"true") => Val::Bool(true),
        Token::Word(b"false") => Val::Bool(false),
        Token::Open => {
            let mut items = Vec::new();
            loop {
                let ahead = lexer.clone();
                if lexer.next()? == Token::Close {
                    return Some(Val::Array(items));
                }
                *lexer = ahead;
                let item = direct(lexer, depth.saturating_add(1))?;
                if items.len() < 1024 {
                    items.push(item);
                }
            }
        }
        Token::DictOpen => {
            let mut dict = super::value::Dict::new();
            loop {
                match lexer.next()? {
                    Token::DictClose => return Some(Val::Dict(dict)),
                    Token::Name(key) => {
                        let value = direct(lexer, depth.saturating_add(1))?;
                        if let Some(key) = Name::new(&key) {
                            dict.set_named(key, value);
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => Val::Null,
    })
}

/// Strings and numbers up to the closing bracket; arrays in it are flattened, the rest is dropped.
fn array(lexer: &mut Lexer<'_>) -> Vec<Val> {
    let mut items = Vec::new();
    let mut depth = 1u32;
    loop {
        let before = lexer.clone();
        match lexer.next() {
            Some(Token::Num(n)) if items.len() < MAX_ARRAY => items.push(Val::num(n)),
            Some(Token::Str(s)) if items.len() < MAX_ARRAY => items.push(Val::string(&s)),
            Some(Token::Open) => depth = depth.saturating_add(1),
            Some(Token::Close) => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return items;
                }
            }
            // The bracket was forgotten: the operator counts.
            Some(Token::Word(b"TJ" | b"ET" | b"Q" | b"d")) => {
                *lexer = before;
                return items;
            }
            Some(_) => {}
            None => return items,
        }
    }
}

fn skip_dict(lexer: &mut Lexer<'_>) {
    let mut depth = 1u32;
    while depth > 0 {
        match lexer.next() {
            Some(Token::DictOpen) => depth = depth.saturating_add(1),
            Some(Token::DictClose) => depth = depth.saturating_sub(1),
            Some(_) => {}
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inline_image_ends_where_content_goes_on() {
        assert_eq!(inline_end(b"ab EI Q\n", None), (3, 5));
        assert_eq!(inline_end(b"a EI \x80\x01\x02 EI\nQ", None), (9, 11));
        assert_eq!(inline_end(b"EI \nEI Q", Some(3)), (3, 6));
    }
}
