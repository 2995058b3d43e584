//! Functions (ISO 32000-1 clause 7.10), each with the arity of its place: a viewer that trusts the place runs past the
//! values that a function of another arity has (PDF-76).

use super::color::MAX_COLORANTS;
use super::filters;
use super::lex::{Lexer, Token};
use super::value::{Dict, Id, Object, Val};
use super::walk::{Found, Kind, R, Walk, flate, integer, number, numbers, nums_val};
use super::write;
use crate::switches::{Filter, off};
use hayro::hayro_syntax::object::{Array, Dict as Source, Object as SourceObject, Stream};
use model::FindingAction;

/// Ours: stitching functions in each other.
const MAX_HEIGHT: u8 = 8;

/// What a place must know of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub inputs: usize,
    pub outputs: usize,
    /// 1, and one more for each stitching function around it.
    height: u8,
}

impl Shape {
    /// The stitching function of the parts before, if any, and this one (clause 7.10.4: one input, alike in outputs).
    fn stitched_to(self, whole: Option<Self>) -> Option<Self> {
        let Self { outputs, height: before, .. } = whole.unwrap_or(self);
        let height = self.height.saturating_add(1).max(before);
        let fits = self.inputs == 1 && self.outputs == outputs && height <= MAX_HEIGHT;
        (fits || off(Filter::PdfStitching)).then_some(Self { inputs: 1, outputs, height })
    }
}

/// A function of the new file.
struct Function {
    id: Id,
    shape: Shape,
}

impl<'a> Walk<'a, '_, '_> {
    /// A function of so many inputs and outputs; of any other shape, or none at all, it is a finding and gone.
    pub fn function_of(&mut self, found: &Found<'a>, inputs: usize, outputs: usize) -> R<Option<Id>> {
        let function = self.function(found)?;
        let fits = |f: &Function| (f.shape.inputs, f.shape.outputs) == (inputs, outputs);
        let function = function.filter(|f| fits(f) || off(Filter::PdfFunctionShapes));
        if function.is_none() {
            self.found("PDF-76", FindingAction::Removed);
        }
        Ok(function.map(|f| f.id))
    }

    /// A function of any shape; `None` where it is none.
    fn function(&mut self, found: &Found<'a>) -> R<Option<Function>> {
        let (dict, stream) = match &found.object {
            SourceObject::Dict(dict) => (dict.clone(), None),
            SourceObject::Stream(stream) => (stream.dict().clone(), Some(stream.clone())),
            _ => return Ok(None),
        };
        let mut shape = None;
        let id = self.once(Kind::Function, found.id, 0, |walk| {
            let made = match (integer(&dict, "FunctionType"), stream) {
                (Some(0), Some(stream)) => walk.sampled(&stream)?,
                (Some(2), _) => exponential(&dict),
                (Some(3), _) => walk.stitching(&dict)?,
                (Some(4), Some(stream)) => walk.calculator(&stream)?,
                _ => None,
            };
            Ok(made.map(|(made, object)| {
                shape = Some(made);
                object
            }))
        })?;
        let Some(id) = id else { return Ok(None) };
        if let Some(shape) = shape {
            self.shapes.insert(id, shape);
        }
        Ok(self.shapes.get(&id).map(|shape| Function { id, shape: *shape }))
    }

    /// Clause 7.10.2.
    fn sampled(&mut self, stream: &Stream<'a>) -> R<Option<(Shape, Object)>> {
        let dict = stream.dict();
        let (Some(domain), Some(range)) = (pairs(dict, "Domain"), pairs(dict, "Range")) else {
            return Ok(None);
        };
        let size: Vec<u32> = numbers(dict, "Size")
            .unwrap_or_default()
            .iter()
            .filter_map(|n| u32::try_from(Val::whole(*n)).ok())
            .filter(|n| *n > 0)
            .collect();
        let bits = integer(dict, "BitsPerSample").unwrap_or(0);
        if size.len() != domain.len() / 2 || !matches!(bits, 1 | 2 | 4 | 8 | 12 | 16 | 24 | 32) {
            return Ok(None);
        }
        let outputs = (range.len() / 2) as u64;
        let samples = size.iter().fold(outputs, |product, n| product.saturating_mul(u64::from(*n)));
        let bytes = samples.saturating_mul(u64::try_from(bits).unwrap_or(0)).div_ceil(8);
        if bytes > filters::MAX_STREAM as u64 / 4 {
            return Ok(None);
        }
        let mut data = filters::decode(stream, self.cx.budget)?.data.into_owned();
        data.resize(usize::try_from(bytes).unwrap_or(0), 0);
        let mut out = Dict::new().with("FunctionType", Val::int(0)).with("BitsPerSample", Val::int(bits));
        out.set("Domain", Val::nums(&domain));
        out.set("Range", Val::nums(&range));
        out.set("Size", Val::Array(size.iter().map(|n| Val::int(*n)).collect()));
        out.set_some("Encode", nums_val(dict, "Encode", domain.len()));
        out.set_some("Decode", nums_val(dict, "Decode", range.len()));
        Ok(Some((Shape { inputs: domain.len() / 2, outputs: range.len() / 2, height: 1 }, flate(out, &data))))
    }

    /// Clause 7.10.4.
    fn stitching(&mut self, dict: &Source<'a>) -> R<Option<(Shape, Object)>> {
        let Some(functions) = dict.get::<Array<'a>>("Functions") else {
            return Ok(None);
        };
        let mut refs = Vec::new();
        let mut whole: Option<Shape> = None;
        for item in self.items(&functions) {
            let Some(part) = self.function(&item)? else {
                return Ok(None);
            };
            let Some(joined) = part.shape.stitched_to(whole) else {
                return Ok(None);
            };
            whole = Some(joined);
            refs.push(Val::Ref(part.id));
        }
        let Some(shape) = whole else {
            return Ok(None);
        };
        let Some(range) = range(dict, shape.outputs) else {
            return Ok(None);
        };
        let k = refs.len();
        let bounds = numbers(dict, "Bounds").unwrap_or_default();
        let mut encode = numbers(dict, "Encode").unwrap_or_default();
        if bounds.len() < k.saturating_sub(1) {
            return Ok(None);
        }
        while encode.len() < k.saturating_mul(2) {
            encode.push(if encode.len().is_multiple_of(2) { 0.0 } else { 1.0 });
        }
        encode.truncate(k.saturating_mul(2));
        let mut out = Dict::new().with("FunctionType", Val::int(3)).with("Functions", Val::Array(refs));
        out.set("Domain", nums_val(dict, "Domain", 2).unwrap_or_else(|| Val::nums(&[0.0, 1.0])));
        out.set("Bounds", Val::nums(bounds.get(..k.saturating_sub(1)).unwrap_or_default()));
        out.set("Encode", Val::nums(&encode));
        out.set_some("Range", range);
        Ok(Some((shape, Object::Value(Val::Dict(out)))))
    }

    /// Clause 7.10.5.
    fn calculator(&mut self, stream: &Stream<'a>) -> R<Option<(Shape, Object)>> {
        let dict = stream.dict();
        let (Some(domain), Some(range)) = (pairs(dict, "Domain"), pairs(dict, "Range")) else {
            return Ok(None);
        };
        let code = filters::decode(stream, self.cx.budget)?;
        let Some(code) = calculator(&code.data) else {
            return Ok(None);
        };
        let out = Dict::new()
            .with("FunctionType", Val::int(4))
            .with("Domain", Val::nums(&domain))
            .with("Range", Val::nums(&range));
        Ok(Some((Shape { inputs: domain.len() / 2, outputs: range.len() / 2, height: 1 }, flate(out, &code))))
    }

    /// A function of so many inputs and outputs, or as many functions of one output each.
    pub fn functions(&mut self, dict: &Source<'a>, key: &str, inputs: usize, outputs: usize) -> R<Option<Val>> {
        let Some(found) = self.find(dict, key) else {
            return Ok(None);
        };
        let SourceObject::Array(array) = &found.object else {
            return Ok(self.function_of(&found, inputs, outputs)?.map(Val::Ref));
        };
        let items = self.items(array);
        if items.len() != outputs {
            self.found("PDF-76", FindingAction::Removed);
            return Ok(None);
        }
        let mut refs = Vec::new();
        for item in &items {
            let Some(id) = self.function_of(item, inputs, 1)? else {
                return Ok(None);
            };
            refs.push(Val::Ref(id));
        }
        Ok(Some(Val::Array(refs)))
    }
}

/// As many pairs as there are inputs or outputs.
fn pairs(dict: &Source<'_>, key: &str) -> Option<Vec<f64>> {
    numbers(dict, key).filter(|v| !v.is_empty() && v.len().is_multiple_of(2) && v.len() <= 64)
}

/// `Range` where it may be missing; `None` where it does not fit the outputs.
fn range(dict: &Source<'_>, outputs: usize) -> Option<Option<Val>> {
    match numbers(dict, "Range") {
        None => Some(None),
        Some(range) => (range.len() == outputs.saturating_mul(2)).then(|| Some(Val::nums(&range))),
    }
}

/// Clause 7.10.3.
fn exponential(dict: &Source<'_>) -> Option<(Shape, Object)> {
    let mut out = Dict::new().with("FunctionType", Val::int(2));
    out.set("Domain", nums_val(dict, "Domain", 2).unwrap_or_else(|| Val::nums(&[0.0, 1.0])));
    out.set("N", Val::num(number(dict, "N").unwrap_or(1.0)));
    let values = |key: &str, default: f64| numbers(dict, key).unwrap_or_else(|| vec![default]);
    let (c0, c1) = (values("C0", 0.0), values("C1", 1.0));
    if (c0.len() != c1.len() || c0.is_empty() || c0.len() > MAX_COLORANTS) && !off(Filter::PdfFunctionValues) {
        return None;
    }
    out.set("C0", Val::nums(&c0));
    out.set("C1", Val::nums(&c1));
    out.set_some("Range", range(dict, c0.len())?);
    Some((Shape { inputs: 1, outputs: c0.len(), height: 1 }, Object::Value(Val::Dict(out))))
}

/// Operators of table 42.
const CALCULATOR: &[&str] = &[
    "abs", "add", "and", "atan", "bitshift", "ceiling", "copy", "cos", "cvi", "cvr", "div", "dup", "eq", "exch", "exp",
    "false", "floor", "ge", "gt", "idiv", "if", "ifelse", "index", "le", "ln", "log", "lt", "mod", "mul", "ne", "neg",
    "not", "or", "pop", "roll", "round", "sin", "sqrt", "sub", "true", "truncate", "xor",
];

/// Parses a calculator function and writes it anew; `None` for anything that is none.
fn calculator(code: &[u8]) -> Option<Vec<u8>> {
    /// Ours.
    const MAX_TOKENS: usize = 65_536;
    let mut lexer = Lexer::new(code);
    let mut out = Vec::new();
    // For each open brace: how many closed blocks wait there for their `if` (one) or `ifelse` (two).
    let mut open: Vec<u8> = Vec::new();
    for _ in 0..MAX_TOKENS {
        match lexer.next()? {
            Token::BraceOpen if open.len() < 32 && open.last().is_none_or(|blocks| *blocks < 2) => {
                open.push(0);
                out.push(b'{');
            }
            Token::BraceClose if open.pop()? == 0 => {
                out.push(b'}');
                let Some(blocks) = open.last_mut() else {
                    out.push(b'\n');
                    return Some(out);
                };
                *blocks = blocks.saturating_add(1);
            }
            Token::Num(n) if open.last() == Some(&0) => write::number(&mut out, n),
            Token::Word(word) => {
                if off(Filter::PdfCalculator) && !CALCULATOR.iter().any(|op| op.as_bytes() == word) {
                    out.extend_from_slice(word);
                    out.push(b' ');
                    continue;
                }
                let known = CALCULATOR.iter().find(|op| op.as_bytes() == word)?;
                let wanted = match *known {
                    "if" => 1,
                    "ifelse" => 2,
                    _ => 0,
                };
                if std::mem::take(open.last_mut()?) != wanted && !off(Filter::PdfBranches) {
                    return None;
                }
                out.extend_from_slice(known.as_bytes());
            }
            _ => return None,
        }
        out.push(b' ');
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calculator_is_parsed_or_dropped() {
        assert_eq!(calculator(b"{ 360 mul%x\nsin{pop}if }tail").unwrap(), b"{ 360 mul sin { pop } if }\n");
        assert_eq!(calculator(b"{ (run) system }"), None);
        assert_eq!(calculator(b"{ 1 "), None);
        assert_eq!(calculator(&b"{".repeat(100)), None);
    }

    #[test]
    fn a_branch_stands_behind_its_blocks() {
        assert_eq!(calculator(b"{{1}{2{3}if}ifelse}").unwrap(), b"{ { 1 } { 2 { 3 } if } ifelse }\n");
        for bare in ["if", "ifelse", "{1}", "{1}ifelse", "{1}{2}if", "{1}{2}{3}ifelse", "{1}2 if", "{1}dup if"] {
            assert_eq!(calculator(format!("{{ {bare} }}").as_bytes()), None, "{bare}");
        }
        assert_eq!(calculator(b"if"), None);
    }
}
