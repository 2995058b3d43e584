//! Our own types for a PDF: what the writer can write, and nothing else.
//!
//! A value holds no span of the input. Numbers, strings and names are bounded here, once, so that no other place has
//! to think of it (ISO 32000-1 clause 7.3 and annex C; `docs/formats/pdf.md` §1).

use crate::switches::{Filter, off};
use std::collections::BTreeMap;

/// Longest string, in bytes. ISO 32000-1 annex C.
pub const MAX_STRING: usize = 65_535;
/// Longest name, in bytes. ISO 32000-1 annex C.
pub const MAX_NAME: usize = 127;

/// An object of the new file: an index, not yet the number it will be written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub usize);

/// A name without its slash: 1 to 127 bytes, none of them zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(Vec<u8>);

impl Name {
    /// A name from the input, `None` where it is empty or too long. Zero bytes go.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if off(Filter::PdfNames) {
            return Some(Self(bytes.to_vec()));
        }
        let bytes: Vec<u8> = bytes.iter().copied().filter(|b| *b != 0).take(MAX_NAME).collect();
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// The bytes, without escapes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// `null`: only in destinations.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; written as an integer where it is one.
    Num(f64),
    /// A string, at most [`MAX_STRING`] bytes.
    Str(Vec<u8>),
    /// A name.
    Name(Name),
    /// An array.
    Array(Vec<Val>),
    /// A dictionary.
    Dict(Dict),
    /// A reference to another object of the new file.
    Ref(Id),
}

impl Val {
    /// A name that we spell out ourselves.
    pub fn name(text: &str) -> Self {
        Self::Name(Name(text.as_bytes().to_vec()))
    }

    /// An integer that fits.
    pub fn int(n: impl Into<i64>) -> Self {
        let n: i64 = n.into();
        const MOST: i64 = i32::MAX as i64;
        let bounded = n.clamp(-MOST, MOST);
        Self::Num(i32::try_from(bounded).map_or(0.0, f64::from))
    }

    /// A size or count.
    pub fn size(n: usize) -> Self {
        Self::int(i64::try_from(n).unwrap_or(i64::MAX))
    }

    /// A number, bounded to what the dialect can say.
    pub fn num(n: f64) -> Self {
        Self::Num(bounded(n))
    }

    /// An array of numbers.
    pub fn nums(numbers: &[f64]) -> Self {
        Self::Array(numbers.iter().map(|n| Self::num(*n)).collect())
    }

    /// A string, cut where it is too long.
    pub fn string(bytes: &[u8]) -> Self {
        let most = if off(Filter::PdfStrings) { bytes.len() } else { bytes.len().min(MAX_STRING) };
        Self::Str(bytes.get(..most).unwrap_or_default().to_vec())
    }
}

/// A finite number within ±(2^31 − 1), rounded to six decimals.
pub fn bounded(n: f64) -> f64 {
    const MOST: f64 = 2_147_483_647.0;
    if n.is_nan() {
        return 0.0;
    }
    let n = if off(Filter::PdfNumbers) { n } else { n.clamp(-MOST, MOST) };
    let n = (n * 1e6).round() / 1e6;
    if n == 0.0 { 0.0 } else { n }
}

/// A dictionary: its keys are unique and in order by construction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dict(BTreeMap<Name, Val>);

impl Dict {
    /// An empty dictionary.
    pub fn new() -> Self {
        Self::default()
    }

    /// A dictionary with a `Type`.
    pub fn of(kind: &str) -> Self {
        Self::new().with("Type", Val::name(kind))
    }

    /// Adds an entry.
    pub fn with(mut self, key: &str, value: Val) -> Self {
        self.set(key, value);
        self
    }

    /// Adds an entry.
    pub fn set(&mut self, key: &str, value: Val) {
        self.0.insert(Name(key.as_bytes().to_vec()), value);
    }

    /// Adds an entry where there is a value.
    pub fn set_some(&mut self, key: &str, value: Option<Val>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    /// Adds an entry under a name of the input.
    pub fn set_named(&mut self, key: Name, value: Val) {
        self.0.insert(key, value);
    }

    /// Entries in the order of their keys.
    pub fn entries(&self) -> impl Iterator<Item = (&Name, &Val)> {
        self.0.iter()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Val> {
        self.0.iter().find(|(name, _)| name.0 == key.as_bytes()).map(|(_, v)| v)
    }
}

/// How a stream's bytes are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// One zlib stream.
    Flate,
    /// A JPEG that we encoded.
    Dct,
}

/// An object of the new file.
#[derive(Clone, Debug)]
pub enum Object {
    /// A dictionary or an array.
    Value(Val),
    /// A stream, already encoded.
    Stream(Dict, Coding, Vec<u8>),
}

/// The new file while it grows.
#[derive(Debug, Default)]
pub struct Document {
    objects: Vec<Option<Object>>,
}

impl Document {
    /// Takes the next number. What is never [`Document::put`] is never written.
    pub fn reserve(&mut self) -> Id {
        self.objects.push(None);
        Id(self.objects.len().saturating_sub(1))
    }

    /// Fills a reserved number.
    pub fn put(&mut self, id: Id, object: Object) {
        if let Some(slot) = self.objects.get_mut(id.0) {
            *slot = Some(object);
        }
    }

    /// Adds a dictionary or array.
    pub fn add(&mut self, value: Val) -> Id {
        let id = self.reserve();
        self.put(id, Object::Value(value));
        id
    }

    /// The object with this number.
    pub fn get(&self, id: Id) -> Option<&Object> {
        self.objects.get(id.0)?.as_ref()
    }

    /// Takes an object out.
    pub fn take(&mut self, id: Id) -> Option<Object> {
        self.objects.get_mut(id.0)?.take()
    }

    /// Numbers given out so far.
    pub fn len(&self) -> usize {
        self.objects.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_bounded_and_never_minus_zero() {
        assert_eq!(bounded(f64::NAN), 0.0);
        assert_eq!(bounded(f64::INFINITY), 2_147_483_647.0);
        assert!(bounded(-0.0).is_sign_positive());
        assert!(bounded(-0.000_000_1).is_sign_positive());
        assert_eq!(bounded(1.234_567_89), 1.234_568);
    }

    #[test]
    fn a_name_is_never_empty_and_holds_no_zero() {
        assert_eq!(Name::new(b"\0"), None);
        assert_eq!(Name::new(b"A\0B").unwrap().bytes(), b"AB");
        assert_eq!(Name::new(&[b'x'; 500]).unwrap().bytes().len(), MAX_NAME);
    }
}
