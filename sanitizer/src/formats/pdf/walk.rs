//! The walk from the input's object graph to our own types: what every part of it shares.

use super::functions::Shape;
use super::value::{Coding, Document, Id, Name, Object, Val};
use super::write::deflate;
use crate::Cx;
use crate::switches::{Filter, off};
use hayro::hayro_syntax::object::{self as source, Array, Dict, MaybeRef, Number, ObjectIdentifier};
use hayro::hayro_syntax::xref::XRef;
use model::{FindingAction, Refusal};
use std::collections::BTreeMap;

/// Ours: how deep functions, colour spaces, outlines and the like may nest.
pub const MAX_DEPTH: u32 = 24;

/// What a source object is read as. The same object may be read as two things; each gets an object of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    ColorSpace,
    ExtGState,
    Font,
    Descendant,
    Descriptor,
    FontFile,
    CidToGid,
    ToUnicode,
    CMap,
    Function,
    Image,
    SoftMask,
    StencilMask,
    Form,
    SoftMaskForm,
    OptionalContent,
    Pattern,
    Shading,
}

/// The resources that names in a content stream refer to. `id` tells scopes apart for forms without their own.
#[derive(Clone)]
pub struct Scope<'a> {
    pub dict: Dict<'a>,
    /// Those around it, the nearest first: viewers look there for what is missing.
    pub outer: Vec<Dict<'a>>,
    pub id: u32,
}

type Key = (Kind, u32, i32, u32);

/// A result that can only fail for the whole file.
pub type R<T> = Result<T, Refusal>;

/// A value of the input and, where it was referred to, the number it has there.
#[derive(Clone)]
pub struct Found<'a> {
    pub id: Option<ObjectIdentifier>,
    pub object: source::Object<'a>,
}

/// The state of one walk.
pub struct Walk<'a, 'c, 'p> {
    pub xref: &'a XRef,
    pub cx: &'c mut Cx<'p>,
    pub document: Document,
    /// Where we are, for findings.
    pub place: String,
    /// Pages of the input and the objects they become.
    pub pages: BTreeMap<ObjectIdentifier, Id>,
    /// The same, by their index.
    pub page_ids: Vec<Id>,
    /// How much is drawn when an object is: itself, and all that it draws in turn.
    pub weights: BTreeMap<Id, u64>,
    /// Inputs and outputs of the functions made so far.
    pub shapes: BTreeMap<Id, Shape>,
    /// Set where the page at hand holds what our types cannot express: it is drawn instead.
    pub unbuildable: Option<&'static str>,
    /// Set once the catalogue's list of optional content groups has been walked: a group that is met only later is in
    /// no list, so no configuration can speak of it (8.11.4.2), and what it held is simply shown.
    pub layers_listed: bool,
    memo: BTreeMap<Key, Option<Id>>,
    /// Of these, what no page that holds them can be built with.
    spoilt: BTreeMap<Key, &'static str>,
    depth: u32,
    scopes: u32,
}

impl<'a, 'c, 'p> Walk<'a, 'c, 'p> {
    /// A walk that has found nothing yet.
    pub fn new(xref: &'a XRef, cx: &'c mut Cx<'p>) -> Self {
        Self {
            xref,
            cx,
            document: Document::default(),
            place: String::new(),
            pages: BTreeMap::new(),
            page_ids: Vec::new(),
            weights: BTreeMap::new(),
            shapes: BTreeMap::new(),
            unbuildable: None,
            layers_listed: false,
            memo: BTreeMap::new(),
            spoilt: BTreeMap::new(),
            depth: 0,
            scopes: 0,
        }
    }

    /// Names a construct at the place where we are.
    pub fn found(&mut self, id: &'static str, action: FindingAction) {
        self.cx.found(id, action, &self.place);
    }

    /// Opens a scope of its own, within `outer`.
    pub fn scope(&mut self, dict: Dict<'a>, outer: Option<&Scope<'a>>) -> Scope<'a> {
        self.scopes = self.scopes.saturating_add(1);
        let outer = outer.map_or_else(Vec::new, |o| {
            std::iter::once(&o.dict).chain(&o.outer).take(MAX_DEPTH as usize).cloned().collect()
        });
        Scope { dict, outer, id: self.scopes }
    }

    /// Whether this source object has been met as a `kind` already, outside of any scope.
    pub fn has_met(&self, kind: Kind, id: Option<ObjectIdentifier>) -> bool {
        id.is_some_and(|id| self.memo.contains_key(&(kind, id.obj_number, id.gen_number, 0)))
    }

    /// Converts a source object once. While it is being converted it is nothing: a cycle ends there.
    pub fn once(
        &mut self,
        kind: Kind,
        id: Option<ObjectIdentifier>,
        scope: u32,
        make: impl FnOnce(&mut Self) -> R<Option<Object>>,
    ) -> R<Option<Id>> {
        let key = id.map(|id| (kind, id.obj_number, id.gen_number, scope));
        if let Some(key) = key {
            if let Some(known) = self.memo.get(&key) {
                self.unbuildable = self.unbuildable.or(self.spoilt.get(&key).copied());
                return Ok(*known);
            }
            self.memo.insert(key, None);
        }
        if self.depth >= MAX_DEPTH {
            self.found("PDF-12", FindingAction::Removed);
            let why = "objects nested too deep";
            self.unbuildable = Some(why);
            self.spoilt.extend(key.map(|key| (key, why)));
            return Ok(None);
        }
        self.cx.budget.spend_entries(1)?;
        let out = self.document.reserve();
        if let Some(key) = key.filter(|_| off(Filter::PdfCycles)) {
            self.memo.insert(key, Some(out));
        }
        self.depth = self.depth.saturating_add(1);
        let outside = self.unbuildable.take();
        let made = make(self);
        self.depth = self.depth.saturating_sub(1);
        if let (Some(key), Some(why)) = (key, self.unbuildable) {
            self.spoilt.insert(key, why);
        }
        self.unbuildable = outside.or(self.unbuildable);
        let result = made?.map(|object| {
            self.document.put(out, object);
            out
        });
        if let Some(key) = key {
            self.memo.insert(key, result);
        }
        Ok(result)
    }

    /// An entry of a dictionary with the number it was referred to by.
    pub fn find(&self, dict: &Dict<'a>, key: &str) -> Option<Found<'a>> {
        self.resolve(dict.get_raw::<source::Object<'a>>(key)?)
    }

    /// Follows a reference.
    pub fn resolve(&self, value: MaybeRef<source::Object<'a>>) -> Option<Found<'a>> {
        match value {
            MaybeRef::NotRef(object) => Some(Found { id: None, object }),
            MaybeRef::Ref(reference) => {
                let id = ObjectIdentifier::from(reference);
                let object = self.xref.get::<source::Object<'a>>(id)?;
                Some(Found { id: Some(id), object })
            }
        }
    }

    /// The items of an array.
    pub fn items(&self, array: &Array<'a>) -> Vec<Found<'a>> {
        array.raw_iter().filter_map(|item| self.resolve(item)).collect()
    }
}

/// What an allow-list leaves behind stays behind.
#[cfg(not(test))]
impl<'a> Walk<'a, '_, '_> {
    /// Entries that ours has no use for.
    pub const fn rest(&mut self, _: &Dict<'a>, _: &mut super::value::Dict) {
        const { assert!(!off(Filter::PdfKeys), "no switch in the product") }
    }

    /// A dictionary as it came.
    pub const fn whole(&mut self, _: Filter, _: &Dict<'a>) -> Option<Val> {
        None
    }
}

/// A stream of the new file.
pub fn flate(dict: super::value::Dict, bytes: &[u8]) -> Object {
    Object::Stream(dict, Coding::Flate, deflate(bytes))
}

/// A number.
pub fn number(dict: &Dict<'_>, key: &str) -> Option<f64> {
    dict.get::<Number>(key).map(|n| n.as_f64()).filter(|n| n.is_finite())
}

/// An integer; a real is cut.
pub fn integer(dict: &Dict<'_>, key: &str) -> Option<i64> {
    dict.get::<Number>(key).map(|n| n.as_i64())
}

/// `true` or `false`.
pub fn flag(dict: &Dict<'_>, key: &str) -> Option<bool> {
    dict.get::<bool>(key)
}

/// A name's bytes.
pub fn name(dict: &Dict<'_>, key: &str) -> Option<Vec<u8>> {
    dict.get::<source::Name<'_>>(key).map(|n| n.as_ref().to_vec())
}

/// A name, if it is one of `allowed`.
pub fn choice(dict: &Dict<'_>, key: &str, allowed: &[&str]) -> Option<Val> {
    let given = name(dict, key)?;
    let known = allowed.iter().find(|a| a.as_bytes() == given).map(|a| Val::name(a));
    known.or_else(|| Name::new(&given).filter(|_| off(Filter::PdfChoices)).map(Val::Name))
}

/// A free name.
pub fn free_name(dict: &Dict<'_>, key: &str) -> Option<Name> {
    Name::new(&name(dict, key)?)
}

/// All numbers of an array.
pub fn numbers(dict: &Dict<'_>, key: &str) -> Option<Vec<f64>> {
    dict.get::<Array<'_>>(key).map(|a| array_numbers(&a))
}

/// The items of an array, resolved; what cannot be is null, so that places stay. (The reader's own iterator ends there.)
pub fn objects<'a>(array: &Array<'a>) -> Vec<source::Object<'a>> {
    let mut items = array.flex_iter();
    let null = source::Object::Null(source::Null);
    array.raw_iter().map(|_| items.next::<source::Object<'a>>().unwrap_or_else(|| null.clone())).collect()
}

/// The names in an array.
pub fn names(array: &Array<'_>) -> Vec<Vec<u8>> {
    let names = objects(array).into_iter().filter_map(|o| match o {
        source::Object::Name(name) => Some(name.as_ref().to_vec()),
        _ => None,
    });
    names.collect()
}

/// All numbers of an array, in place of anything else a zero.
pub fn array_numbers(array: &Array<'_>) -> Vec<f64> {
    objects(array)
        .into_iter()
        .map(|o| match o {
            source::Object::Number(n) => n.as_f64(),
            _ => 0.0,
        })
        .collect()
}

/// Exactly `n` numbers.
pub fn exactly(dict: &Dict<'_>, key: &str, n: usize) -> Option<Vec<f64>> {
    numbers(dict, key).filter(|v| v.len() == n || off(Filter::PdfLengths))
}

/// Exactly `n` numbers as a value.
pub fn nums_val(dict: &Dict<'_>, key: &str, n: usize) -> Option<Val> {
    exactly(dict, key, n).map(|v| Val::nums(&v))
}

/// A rectangle with its corners in order.
pub fn rect(dict: &Dict<'_>, key: &str) -> Option<[f64; 4]> {
    let v: [f64; 4] = numbers(dict, key)?.get(..4)?.try_into().ok()?;
    let [a, b, c, d] = v.map(super::value::bounded);
    Some([a.min(c), b.min(d), a.max(c), b.max(d)])
}
