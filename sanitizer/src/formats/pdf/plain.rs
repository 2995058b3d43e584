//! An encrypted PDF as it was before, for the engines alone: every object with its strings and streams deciphered, and
//! streams as packed as they were. Nothing of it is ever released.

use super::walk::R;
use crate::Cx;
use hayro::hayro_syntax::Pdf as Reader;
use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Object, ObjectIdentifier};
use model::ExportKind;

/// Ours: direct objects in one another.
const MAX_DEPTH: u32 = 64;

/// Hands the whole file to the engines, deciphered.
///
/// # Errors
/// Where the budget or the spool has no room for it.
pub fn export(reader: &Reader, cx: &mut Cx<'_>) -> R<()> {
    let mut out = Plain { bytes: b"%PDF-1.7\n".to_vec() };
    let xref = reader.xref();
    for object in reader.objects() {
        let before = out.bytes.len();
        let Some(id) = id_of(&object) else { continue };
        out.text(&format!("{} {} obj\n", id.obj_number, id.gen_number));
        out.object(&object, 0);
        out.text("\nendobj\n");
        cx.budget.spend_bytes(out.bytes.len().saturating_sub(before) as u64)?;
    }
    let root = xref.root_id();
    out.text(&format!("trailer\n<</Root {} {} R>>\nstartxref\n0\n%%EOF\n", root.obj_number, root.gen_number));
    cx.export(ExportKind::Embedded, "the document, deciphered", &out.bytes)
}

/// Objects that nothing tells the number of are numbers and texts by themselves: no engine needs them.
fn id_of(object: &Object<'_>) -> Option<ObjectIdentifier> {
    match object {
        Object::Dict(dict) => dict.obj_id(),
        Object::Stream(stream) => Some(stream.obj_id()),
        _ => None,
    }
}

struct Plain {
    bytes: Vec<u8>,
}

impl Plain {
    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn object(&mut self, object: &Object<'_>, depth: u32) {
        if depth > MAX_DEPTH {
            return self.text("null");
        }
        match object {
            Object::Null(_) => self.text("null"),
            Object::Boolean(value) => self.text(if *value { "true" } else { "false" }),
            Object::Number(number) => self.text(&number.as_f64().to_string()),
            Object::String(text) => self.string(text.as_bytes()),
            Object::Name(name) => self.name(name.as_ref()),
            Object::Dict(dict) => self.dict(dict, depth),
            Object::Array(array) => self.array(array, depth),
            Object::Stream(stream) => {
                self.dict(stream.dict(), depth);
                self.text("\nstream\n");
                self.bytes.extend_from_slice(&stream.raw_data());
                self.text("\nendstream");
            }
        }
    }

    fn value(&mut self, value: &MaybeRef<Object<'_>>, depth: u32) {
        match value {
            MaybeRef::Ref(reference) => self.text(&format!("{} {} R", reference.obj_number, reference.gen_number)),
            MaybeRef::NotRef(object) => self.object(object, depth.saturating_add(1)),
        }
    }

    fn dict(&mut self, dict: &Dict<'_>, depth: u32) {
        self.text("<<");
        for (key, value) in dict.entries() {
            self.name(key.as_ref());
            self.text(" ");
            self.value(&value, depth);
        }
        self.text(">>");
    }

    fn array(&mut self, array: &Array<'_>, depth: u32) {
        self.text("[");
        for item in array.raw_iter() {
            self.value(&item, depth);
            self.text(" ");
        }
        self.text("]");
    }

    /// As a text, so that rules written for text meet it.
    fn string(&mut self, text: &[u8]) {
        self.text("(");
        for byte in text {
            if matches!(byte, b'(' | b')' | b'\\') {
                self.text("\\");
            }
            self.bytes.push(*byte);
        }
        self.text(")");
    }

    fn name(&mut self, name: &[u8]) {
        self.text("/");
        for byte in name {
            if byte.is_ascii_alphanumeric() || b"_-.+:".contains(byte) {
                self.bytes.push(*byte);
            } else {
                self.text(&format!("#{byte:02x}"));
            }
        }
    }
}
