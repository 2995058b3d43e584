//! What the allow-lists of keys, actions and annotations keep back, copied as it is: for the test that switches them off.

use super::value::{Dict, Name, Val};
use super::walk::{Walk, flate};
use crate::switches::{Filter, off};
use hayro::hayro_syntax::object::{Dict as Source, MaybeRef, Object};

/// Ours: a carrier is not deep.
const MAX_DEPTH: u32 = 8;
/// What the writer sets, and what would lead back.
const OWN: [&[u8]; 6] = [b"Filter", b"Length", b"DecodeParms", b"Parent", b"P", b"Kids"];

impl<'a> Walk<'a, '_, '_> {
    /// Entries that ours has no use for.
    pub fn rest(&mut self, source: &Source<'a>, out: &mut Dict) {
        if off(Filter::PdfKeys) {
            self.entries(source, out, 0);
        }
    }

    /// A dictionary as it came.
    pub fn whole(&mut self, filter: Filter, source: &Source<'a>) -> Option<Val> {
        let mut out = Dict::new();
        off(filter).then(|| self.entries(source, &mut out, 0))?;
        Some(Val::Dict(out))
    }

    fn entries(&mut self, source: &Source<'a>, out: &mut Dict, depth: u32) {
        for (key, value) in source.entries() {
            let known = out.entries().any(|(name, _)| name.bytes() == key.as_ref());
            if known || OWN.contains(&key.as_ref()) {
                continue;
            }
            if let (Some(key), Some(value)) = (Name::new(key.as_ref()), self.copy(value, depth)) {
                out.set_named(key, value);
            }
        }
    }

    fn copy(&mut self, value: MaybeRef<Object<'a>>, depth: u32) -> Option<Val> {
        let object = self.resolve(value)?.object;
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match object {
            Object::Boolean(b) => Val::Bool(b),
            Object::Number(n) => Val::num(n.as_f64()),
            Object::String(s) => Val::string(s.as_bytes()),
            Object::Name(n) => Val::Name(Name::new(n.as_ref())?),
            Object::Array(items) => Val::Array(items.raw_iter().filter_map(|i| self.copy(i, depth + 1)).collect()),
            Object::Dict(dict) => {
                let mut out = Dict::new();
                self.entries(&dict, &mut out, depth + 1);
                Val::Dict(out)
            }
            Object::Stream(stream) => {
                let mut out = Dict::new();
                self.entries(stream.dict(), &mut out, depth + 1);
                let id = self.document.reserve();
                let data = stream.decoded().ok()?;
                self.document.put(id, flate(out, &data));
                Val::Ref(id)
            }
            _ => Val::Null,
        })
    }
}
