//! The writer: our own types in, one revision with a plain cross-reference table out (`docs/formats/pdf.md` §1).

use super::value::{Coding, Dict, Document, Id, Name, Object, Val};
use crate::switches::{Filter, off};
use flate2::{Compression, write::ZlibEncoder};
use std::collections::BTreeSet;
use std::io::Write;

/// Ours: level 6 is zlib's own choice between time and size.
const LEVEL: u32 = 6;

/// Compresses the decoded bytes of a stream.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::new(LEVEL));
    // Writing into memory cannot fail; an empty stream would be caught by the verifier.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Writes what is reachable from the catalogue, numbered from 1: the catalogue, the page tree, then the rest as a
/// breadth-first walk meets it, so that the numbers follow from the file alone and not from how it came about.
/// `None` where the catalogue is missing or an object refers to one that was never filled: our own mistake.
pub fn write(mut document: Document, catalog: Id, pages: Id) -> Option<Vec<u8>> {
    let order = reachable(&document, [catalog, pages])?;
    let mut numbers = vec![0usize; document.len()];
    for (number, id) in order.iter().enumerate() {
        *numbers.get_mut(id.0)? = number.checked_add(1)?;
    }
    let mut out = Writer { bytes: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(), numbers };
    let mut offsets = Vec::with_capacity(order.len());
    for (number, id) in order.iter().enumerate() {
        offsets.push(out.bytes.len());
        // Taken out, so that the file is held once and a half and not twice.
        out.object(number.checked_add(1)?, &document.take(*id)?);
    }
    let xref = out.bytes.len();
    let size = order.len().checked_add(1)?;
    out.text(&format!("xref\n0 {size}\n0000000000 65535 f \n"));
    for offset in offsets {
        out.text(&format!("{offset:010} 00000 n \n"));
    }
    let root = out.number(catalog);
    out.text(&format!("trailer\n<</Root {root} 0 R/Size {size}>>\nstartxref\n{xref}\n%%EOF\n"));
    Some(out.bytes)
}

fn reachable(document: &Document, first: [Id; 2]) -> Option<Vec<Id>> {
    let mut order: Vec<Id> = first.to_vec();
    let mut seen: BTreeSet<Id> = first.into_iter().collect();
    let mut at = 0usize;
    let mut met = Vec::new();
    while let Some(id) = order.get(at) {
        match document.get(*id)? {
            Object::Value(value) => references(value, &mut met),
            Object::Stream(dict, _, _) => dict.entries().for_each(|(_, value)| references(value, &mut met)),
        }
        order.extend(met.drain(..).filter(|id| seen.insert(*id)));
        at = at.saturating_add(1);
    }
    if off(Filter::PdfOrphans) {
        order.extend((0..document.len()).map(Id).filter(|id| document.get(*id).is_some() && !seen.contains(id)));
    }
    Some(order)
}

fn references(value: &Val, into: &mut Vec<Id>) {
    match value {
        Val::Ref(id) => into.push(*id),
        Val::Array(items) => items.iter().for_each(|item| references(item, into)),
        Val::Dict(dict) => dict.entries().for_each(|(_, value)| references(value, into)),
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::Str(_) | Val::Name(_) => {}
    }
}

struct Writer {
    bytes: Vec<u8>,
    numbers: Vec<usize>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn number(&self, id: Id) -> usize {
        self.numbers.get(id.0).copied().unwrap_or(0)
    }

    fn object(&mut self, number: usize, object: &Object) {
        self.text(&format!("{number} 0 obj\n"));
        match object {
            Object::Value(value) => self.value(value),
            Object::Stream(dict, coding, data) => {
                let filter = match coding {
                    Coding::Flate => "FlateDecode",
                    Coding::Dct => "DCTDecode",
                };
                let dict = dict.clone().with("Filter", Val::name(filter)).with("Length", Val::size(data.len()));
                self.dict(&dict);
                self.text("\nstream\n");
                self.bytes.extend_from_slice(data);
                self.text("\nendstream");
            }
        }
        self.text("\nendobj\n");
    }

    fn value(&mut self, value: &Val) {
        match value {
            Val::Ref(id) => {
                let number = self.number(*id);
                self.text(&format!("{number} 0 R"));
            }
            Val::Array(items) => {
                self.bytes.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.bytes.push(b' ');
                    }
                    self.value(item);
                }
                self.bytes.push(b']');
            }
            Val::Dict(dict) => self.dict(dict),
            Val::Null | Val::Bool(_) | Val::Num(_) | Val::Str(_) | Val::Name(_) => scalar(&mut self.bytes, value),
        }
    }

    fn dict(&mut self, dict: &Dict) {
        self.text("<<");
        for (key, value) in dict.entries() {
            name(&mut self.bytes, key);
            self.bytes.push(b' ');
            self.value(value);
        }
        self.text(">>");
    }
}

/// Writes a value that holds no other; arrays of scalars too, for content streams. References and dictionaries
/// cannot stand there and write nothing.
pub fn scalar(out: &mut Vec<u8>, value: &Val) {
    match value {
        Val::Null => out.extend_from_slice(b"null"),
        Val::Bool(true) => out.extend_from_slice(b"true"),
        Val::Bool(false) => out.extend_from_slice(b"false"),
        Val::Num(n) => number(out, *n),
        Val::Str(bytes) => string(out, bytes),
        Val::Name(n) => name(out, n),
        Val::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b' ');
                }
                scalar(out, item);
            }
            out.push(b']');
        }
        Val::Dict(_) | Val::Ref(_) => {}
    }
}

/// An integer, or up to six decimals without a trailing zero.
pub fn number(out: &mut Vec<u8>, n: f64) {
    let n = super::value::bounded(n);
    if n.fract() == 0.0 {
        // Writing into memory cannot fail.
        let _ = write!(out, "{n:.0}");
        return;
    }
    let start = out.len();
    let _ = write!(out, "{n:.6}");
    while out.len() > start && out.last() == Some(&b'0') {
        out.pop();
    }
}

/// Hexadecimal: one form for every string, and nothing in it can be taken for a token.
pub fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'<');
    hex(out, bytes);
    out.push(b'>');
}

/// Lower-case pairs.
pub fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len().saturating_mul(2));
    for b in bytes {
        for nibble in [b >> 4, b & 15] {
            out.push(if nibble < 10 { b'0'.wrapping_add(nibble) } else { b'a'.wrapping_add(nibble.wrapping_sub(10)) });
        }
    }
}

/// A name with its slash; what is not a regular printable byte as `#xx`.
pub fn name(out: &mut Vec<u8>, name: &Name) {
    out.push(b'/');
    for b in name.bytes() {
        match b {
            b'#' | b'%' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | 0..=0x20 | 0x7f..=0xff => {
                out.push(b'#');
                hex(out, &[*b]);
            }
            0x21..=0x7e => out.push(*b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Val) -> String {
        let mut out = Vec::new();
        scalar(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_value_has_one_form() {
        assert_eq!(written(&Val::num(-1.5)), "-1.5");
        assert_eq!(written(&Val::num(3.0)), "3");
        assert_eq!(written(&Val::num(0.000_000_4)), "0");
        assert_eq!(written(&Val::num(-0.123_456_7)), "-0.123457");
        assert_eq!(written(&Val::num(1e300)), "2147483647");
        assert_eq!(written(&Val::string(b"(\\)\x00")), "<285c2900>");
        assert_eq!(written(&Val::Name(Name::new(b"A B#(\xe9").unwrap())), "/A#20B#23#28#e9");
    }

    #[test]
    fn only_what_the_catalogue_reaches_is_written() {
        let mut document = Document::default();
        let catalog = document.reserve();
        document.add(Val::string(b"orphan"));
        let kept = document.add(Val::Dict(Dict::of("Pages")));
        document.put(catalog, Object::Value(Val::Dict(Dict::of("Catalog").with("Pages", Val::Ref(kept)))));
        let bytes = write(document, catalog, kept).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("<</Pages 2 0 R/Type /Catalog>>"), "{text}");
        let xref = text.replace("%\u{fffd}\u{fffd}\u{fffd}\u{fffd}", "%____").find("xref\n0 3\n").unwrap();
        assert!(text.ends_with(&format!("trailer\n<</Root 1 0 R/Size 3>>\nstartxref\n{xref}\n%%EOF\n")), "{text}");
        assert!(!text.contains("6f727068616e"));
    }
}
