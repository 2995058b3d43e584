//! Objects (ISO 32000-1, 7.3), each in the one form that we write: anything that could be said in another way is rejected.

use crate::{Limits, Rejection};

/// Arrays and dictionaries in each other. The dialect needs a dozen.
const DEPTH: u8 = 24;

/// A value. Names and strings are held as they stand, because they stand in one form only.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    /// Without the slash.
    Name(&'a [u8]),
    /// Pairs of hexadecimal digits.
    Str(&'a [u8]),
    Array(Vec<Value<'a>>),
    Dict(Dict<'a>),
    Ref(u32),
}

/// A dictionary, from which the checks take what they know; what is left has no place.
#[derive(Debug, Clone, Default)]
pub(super) struct Dict<'a> {
    pub(super) at: usize,
    pub(super) entries: Vec<(&'a [u8], Value<'a>)>,
}

/// A place in canonical text: an object, a content stream, a calculator function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.data.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    pub(super) fn reject(&self, rule: &str) -> Rejection {
        Rejection::new(self.at, rule)
    }

    pub(super) fn skip(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }

    /// Steps over `bytes` if they are next.
    #[inline]
    pub(super) fn eat(&mut self, bytes: &[u8]) -> bool {
        let found = self.rest().starts_with(bytes);
        if found {
            self.skip(bytes.len());
        }
        found
    }

    /// Exactly these bytes.
    #[inline]
    pub(super) fn expect(&mut self, bytes: &[u8], rule: &str) -> Result<(), Rejection> {
        if self.eat(bytes) { Ok(()) } else { Err(self.reject(rule)) }
    }

    /// The next bytes for which `test` holds.
    #[inline]
    pub(super) fn run(&mut self, test: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let len = rest.iter().position(|b| !test(*b)).unwrap_or(rest.len());
        self.skip(len);
        rest.get(..len).unwrap_or_default()
    }

    /// 7.3.3: an integer below 2^31, or a real with one to six places and no zero at the end.
    pub(super) fn number(&mut self) -> Result<Value<'a>, Rejection> {
        let start = *self;
        let bad = || start.reject("dialect §1: number in its one form");
        let minus = self.eat(b"-");
        let whole = self.run(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 10 || (whole.len() > 1 && whole.starts_with(b"0")) {
            return Err(bad());
        }
        let digits = |bytes: &[u8]| {
            bytes.iter().fold(0i64, |n, b| n.wrapping_mul(10).wrapping_add(i64::from(b.wrapping_sub(b'0'))))
        };
        let int = digits(whole);
        if int >= 1 << 31 {
            return Err(bad());
        }
        if !self.eat(b".") {
            if minus && int == 0 {
                return Err(bad());
            }
            return Ok(Value::Int(if minus { int.wrapping_neg() } else { int }));
        }
        let places = self.run(|b| b.is_ascii_digit());
        if places.is_empty() || places.len() > 6 || places.ends_with(b"0") {
            return Err(bad());
        }
        let scale = places.iter().fold(1i64, |n, _| n.wrapping_mul(10));
        let scaled = int.wrapping_mul(scale).wrapping_add(digits(places));
        #[expect(clippy::cast_precision_loss, reason = "bound: below 2^31 * 10^6 < 2^52")]
        let real = scaled as f64 / scale as f64;
        Ok(Value::Real(if minus { -real } else { real }))
    }

    /// 7.3.5: a name, without its slash.
    pub(super) fn name(&mut self) -> Result<&'a [u8], Rejection> {
        self.expect(b"/", "dialect §1: name expected")?;
        let start = *self;
        let raw = self.run(|b| regular(b) || b == b'#');
        let mut rest = raw;
        let mut len = 0usize;
        while let [first, behind @ ..] = rest {
            len = len.saturating_add(1);
            rest = behind;
            if *first != b'#' {
                continue;
            }
            let (Some(pair), true) = (rest.get(..2), rest.len() >= 2) else {
                return Err(start.reject("dialect §1: name: # without two digits"));
            };
            let byte = hex_pair(pair).ok_or_else(|| start.reject("dialect §1: name: # without two digits"))?;
            if byte == 0 || regular(byte) {
                return Err(start.reject("dialect §1: name: escape that is not needed (PDF-07)"));
            }
            rest = rest.get(2..).unwrap_or_default();
        }
        if len == 0 || len > 127 {
            return Err(start.reject("dialect §1: name of 1 to 127 bytes"));
        }
        Ok(raw)
    }

    /// 7.3.4.3: a hexadecimal string, its digits.
    pub(super) fn string(&mut self) -> Result<&'a [u8], Rejection> {
        let start = *self;
        self.expect(b"<", "dialect §1: string expected")?;
        let digits = self.run(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if digits.len() & 1 == 1 || digits.len() > 2 * 65_535 || !self.eat(b">") {
            return Err(start.reject("dialect §1: string of lower-case pairs, at most 65535 bytes"));
        }
        Ok(digits)
    }

    /// Any value.
    pub(super) fn value(&mut self, limits: &mut Limits) -> Result<Value<'a>, Rejection> {
        self.nested(limits, 0)
    }

    fn nested(&mut self, limits: &mut Limits, depth: u8) -> Result<Value<'a>, Rejection> {
        limits.spend(size_of::<Value<'_>>())?;
        if depth > DEPTH {
            return Err(self.reject("dialect §1: nested too deep"));
        }
        match self.peek() {
            Some(b'/') => self.name().map(Value::Name),
            Some(b'<') if self.eat(b"<<") => self.dict(limits, depth).map(Value::Dict),
            Some(b'<') => self.string().map(Value::Str),
            Some(b'[') => self.array(limits, depth).map(Value::Array),
            Some(b'-' | b'0'..=b'9') => self.number_or_reference(),
            _ if self.eat(b"true") => Ok(Value::Bool(true)),
            _ if self.eat(b"false") => Ok(Value::Bool(false)),
            _ if self.eat(b"null") => Ok(Value::Null),
            _ => Err(self.reject("dialect §1: value expected")),
        }
    }

    fn number_or_reference(&mut self) -> Result<Value<'a>, Rejection> {
        let number = self.number()?;
        // Behind an integer in an array there is "0 R", or another element that is no keyword.
        if let Value::Int(id @ 1..) = number
            && self.eat(b" 0 R")
        {
            return u32::try_from(id).map(Value::Ref).map_err(|_| self.reject("reference"));
        }
        Ok(number)
    }

    fn array(&mut self, limits: &mut Limits, depth: u8) -> Result<Vec<Value<'a>>, Rejection> {
        self.expect(b"[", "array")?;
        let mut elements = Vec::new();
        while !self.eat(b"]") {
            if !elements.is_empty() {
                self.expect(b" ", "dialect §1: one space between elements")?;
            }
            elements.push(self.nested(limits, depth.saturating_add(1))?);
        }
        Ok(elements)
    }

    /// Behind `<<`.
    fn dict(&mut self, limits: &mut Limits, depth: u8) -> Result<Dict<'a>, Rejection> {
        let mut dict = Dict { at: self.at, entries: Vec::new() };
        while !self.eat(b">>") {
            let key = self.name()?;
            if let Some((before, _)) = dict.entries.last()
                && !ascends(before, key)
            {
                return Err(self.reject("dialect §1: keys are unique and ascend (PDF-08)"));
            }
            self.expect(b" ", "dialect §1: one space between key and value")?;
            let value = self.nested(limits, depth.saturating_add(1))?;
            if !may_be_empty(key, &value) {
                return Err(self.reject("dialect §2: empty dictionary or array"));
            }
            dict.entries.push((key, value));
        }
        Ok(dict)
    }
}

/// Whether `value` has something in it, or is one of those that need not.
fn may_be_empty(key: &[u8], value: &Value<'_>) -> bool {
    match value {
        Value::Dict(dict) if dict.entries.is_empty() => matches!(key, b"Resources" | b"D" | b"BS" | b"CharProcs"),
        Value::Array(elements) if elements.is_empty() => matches!(key, b"C" | b"Bounds" | b"D"),
        // It stands in destinations only, which are arrays.
        Value::Null => false,
        Value::Dict(_) | Value::Array(_) | Value::Bool(_) | Value::Int(_) | Value::Real(_) => true,
        Value::Name(_) | Value::Str(_) | Value::Ref(_) => true,
    }
}

/// Bytes that stand for themselves in a name.
#[inline]
const fn regular(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E)
        && !matches!(byte, b'#' | b'%' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/')
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |b: &u8| match b {
        b'0'..=b'9' => Some(b.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(b.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let [high, low] = pair else { return None };
    Some(digit(high)? << 4 | digit(low)?)
}

/// The bytes of a string.
pub(super) fn string_bytes(digits: &[u8]) -> impl Iterator<Item = u8> {
    digits.chunks(2).filter_map(hex_pair)
}

/// The bytes of a name.
fn name_bytes(raw: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = raw;
    std::iter::from_fn(move || match rest {
        [b'#', a, b, behind @ ..] => {
            rest = behind;
            hex_pair(&[*a, *b])
        }
        [first, behind @ ..] => {
            rest = behind;
            Some(*first)
        }
        [] => None,
    })
}

fn ascends(before: &[u8], after: &[u8]) -> bool {
    name_bytes(before).lt(name_bytes(after))
}

impl<'a> Value<'a> {
    pub(super) const fn number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "bound: below 2^31")]
            Value::Int(n) => Some(*n as f64),
            Value::Real(x) => Some(*x),
            Value::Null | Value::Bool(_) | Value::Name(_) | Value::Str(_) | Value::Array(_) | Value::Dict(_) => None,
            Value::Ref(_) => None,
        }
    }

    pub(super) const fn int(&self) -> Option<i64> {
        if let Value::Int(n) = self { Some(*n) } else { None }
    }

    pub(super) const fn name(&self) -> Option<&'a [u8]> {
        if let Value::Name(name) = self { Some(name) } else { None }
    }

    pub(super) const fn string(&self) -> Option<&'a [u8]> {
        if let Value::Str(digits) = self { Some(digits) } else { None }
    }

    pub(super) const fn reference(&self) -> Option<u32> {
        if let Value::Ref(id) = self { Some(*id) } else { None }
    }

    pub(super) fn array(&self) -> Option<&[Value<'a>]> {
        if let Value::Array(elements) = self { Some(elements) } else { None }
    }

    /// An array of numbers.
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        self.array()?.iter().map(Value::number).collect()
    }
}

impl<'a> Dict<'a> {
    pub(super) fn reject(&self, rule: impl Into<String>) -> Rejection {
        Rejection::new(self.at, rule)
    }

    /// Rejects unless `holds`.
    pub(super) fn check(&self, holds: bool, rule: &str) -> Result<(), Rejection> {
        if holds { Ok(()) } else { Err(self.reject(rule)) }
    }

    /// What `key` has, without taking it.
    pub(super) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.entries.iter().find(|(k, _)| *k == key.as_bytes()).map(|(_, value)| value)
    }

    /// Takes `key`, if it is there.
    pub(super) fn take(&mut self, key: &str) -> Option<Value<'a>> {
        let place = self.entries.iter().position(|(k, _)| *k == key.as_bytes())?;
        Some(self.entries.remove(place).1)
    }

    /// Takes `key`, which must be there.
    pub(super) fn need(&mut self, key: &str) -> Result<Value<'a>, Rejection> {
        self.take(key).ok_or_else(|| self.reject(format!("/{key} is missing")))
    }

    fn typed<T>(&mut self, key: &str, read: impl Fn(&Value<'a>) -> Option<T>) -> Result<Option<T>, Rejection> {
        let Some(value) = self.take(key) else { return Ok(None) };
        read(&value).map(Some).ok_or_else(|| self.reject(format!("/{key}: value of the wrong type or range")))
    }

    /// The value of `key` if `read` understands it; an error if it does not.
    pub(super) fn opt<T>(&mut self, key: &str, read: impl Fn(&Value<'a>) -> Option<T>) -> Result<Option<T>, Rejection> {
        self.typed(key, read)
    }

    /// As [`Dict::opt`], and the key must be there.
    pub(super) fn req<T>(&mut self, key: &str, read: impl Fn(&Value<'a>) -> Option<T>) -> Result<T, Rejection> {
        self.typed(key, read)?.ok_or_else(|| self.reject(format!("/{key} is missing")))
    }

    /// `key` is this name.
    pub(super) fn is(&mut self, key: &str, name: &str) -> Result<(), Rejection> {
        self.req(key, |v| (v.name()? == name.as_bytes()).then_some(()))
    }

    /// `key`, if there, is one of these names.
    pub(super) fn one_of(&mut self, key: &str, names: &[&str]) -> Result<Option<&'a [u8]>, Rejection> {
        self.typed(key, |v| v.name().filter(|name| names.iter().any(|n| n.as_bytes() == *name)))
    }

    pub(super) fn opt_bool(&mut self, key: &str) -> Result<Option<bool>, Rejection> {
        self.typed(key, |v| if let Value::Bool(b) = v { Some(*b) } else { None })
    }

    pub(super) fn opt_int(
        &mut self,
        key: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<i64>, Rejection> {
        self.typed(key, |v| v.int().filter(|n| range.contains(n)))
    }

    pub(super) fn int(&mut self, key: &str, range: std::ops::RangeInclusive<i64>) -> Result<i64, Rejection> {
        self.opt_int(key, range)?.ok_or_else(|| self.reject(format!("/{key} is missing")))
    }

    pub(super) fn int_of(&mut self, key: &str, values: &[i64]) -> Result<i64, Rejection> {
        self.req(key, |v| v.int().filter(|n| values.contains(n)))
    }

    pub(super) fn opt_numbers(&mut self, key: &str) -> Result<Option<Vec<f64>>, Rejection> {
        self.typed(key, Value::numbers)
    }

    /// An array of `len` numbers, if it is there.
    pub(super) fn opt_tuple(&mut self, key: &str, len: usize) -> Result<Option<Vec<f64>>, Rejection> {
        self.typed(key, |v| v.numbers().filter(|n| n.len() == len))
    }

    pub(super) fn tuple(&mut self, key: &str, len: usize) -> Result<Vec<f64>, Rejection> {
        self.opt_tuple(key, len)?.ok_or_else(|| self.reject(format!("/{key} is missing")))
    }

    /// 7.9.5, the lower left corner first.
    pub(super) fn opt_rect(&mut self, key: &str) -> Result<Option<Vec<f64>>, Rejection> {
        self.typed(key, |v| v.numbers().filter(|r| matches!(r.as_slice(), [x1, y1, x2, y2] if x1 <= x2 && y1 <= y2)))
    }

    pub(super) fn rect(&mut self, key: &str) -> Result<Vec<f64>, Rejection> {
        self.opt_rect(key)?.ok_or_else(|| self.reject(format!("/{key} is missing")))
    }

    pub(super) fn opt_ref(&mut self, key: &str) -> Result<Option<u32>, Rejection> {
        self.typed(key, Value::reference)
    }

    pub(super) fn reference(&mut self, key: &str) -> Result<u32, Rejection> {
        self.req(key, Value::reference)
    }

    pub(super) fn opt_dict(&mut self, key: &str) -> Result<Option<Dict<'a>>, Rejection> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Dict(dict)) => Ok(Some(dict)),
            Some(_) => Err(self.reject(format!("/{key} is not a dictionary"))),
        }
    }

    pub(super) fn dict(&mut self, key: &str) -> Result<Dict<'a>, Rejection> {
        self.opt_dict(key)?.ok_or_else(|| self.reject(format!("/{key} is missing")))
    }

    /// Nothing may be left: a key that no rule has taken is not in the dialect.
    pub(super) fn done(&self) -> Result<(), Rejection> {
        match self.entries.first() {
            None => Ok(()),
            Some((key, _)) => Err(self.reject(format!("/{}: key that has no place here", key.escape_ascii()))),
        }
    }
}
