//! The file from its first byte to its last (ISO 32000-1, 7.5): no byte is left to a reader's guess.

use super::value::{Dict, Reader, Value};
use crate::{Limits, Rejection};

/// Where the objects are; object n is at n - 1.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    objects: Vec<Object<'a>>,
}

#[derive(Clone, Copy)]
struct Object<'a> {
    /// Of "N 0 obj".
    at: usize,
    /// Of the value.
    value: usize,
    data: Option<&'a [u8]>,
}

/// How a stream is coded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Filter {
    Flate,
    Dct,
}

/// An object as it is handed to its check. `/Length` and `/Filter` have been taken.
pub(super) enum Loaded<'a> {
    Array(usize, Vec<Value<'a>>),
    Dict(Dict<'a>),
    Stream(Dict<'a>, Filter, &'a [u8]),
}

impl<'a> File<'a> {
    /// Reads the frame of all objects, the cross-reference table and the trailer.
    pub(super) fn read(bytes: &'a [u8], limits: &mut Limits) -> Result<Self, Rejection> {
        let mut reader = Reader::new(bytes, 0);
        reader.expect(b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n", "7.5.2: header (PDF-01, PDF-86)")?;
        let mut objects = Vec::new();
        while !reader.eat(b"xref\n") {
            limits.spend(size_of::<Object<'_>>())?;
            objects.push(object(&mut reader, objects.len().saturating_add(1), limits)?);
        }
        cross_references(&mut reader, &objects)?;
        Ok(Self { bytes, objects })
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    /// Object `id`.
    pub(super) fn load(&self, id: u32, limits: &mut Limits) -> Result<Loaded<'a>, Rejection> {
        let place = (id as usize).checked_sub(1).and_then(|index| self.objects.get(index));
        let object = place.ok_or_else(|| Rejection::new(0, format!("reference to object {id}, which is not there")))?;
        match (Reader::new(self.bytes, object.value).value(limits)?, object.data) {
            (Value::Array(elements), None) => Ok(Loaded::Array(object.at, elements)),
            (Value::Dict(dict), None) => Ok(Loaded::Dict(dict)),
            (Value::Dict(mut dict), Some(data)) => {
                dict.need("Length")?;
                let filter = match dict.need("Filter")?.name() {
                    Some(b"FlateDecode") => Filter::Flate,
                    Some(b"DCTDecode") => Filter::Dct,
                    _ => return Err(dict.reject("dialect §1: filter (PDF-16)")),
                };
                Ok(Loaded::Stream(dict, filter, data))
            }
            _ => Err(Rejection::new(object.at, "dialect §1: object that is no dictionary, stream or array")),
        }
    }
}

/// 7.3.10, 7.3.8.
fn object<'a>(reader: &mut Reader<'a>, id: usize, limits: &mut Limits) -> Result<Object<'a>, Rejection> {
    let at = reader.at();
    reader.expect(format!("{id} 0 obj\n").as_bytes(), "dialect §1: the next object, or xref")?;
    let value = reader.at();
    let parsed = reader.value(limits)?;
    reader.expect(b"\n", "dialect §1: end of line behind a value")?;
    let mut data = None;
    if reader.eat(b"stream\n") {
        let Value::Dict(dict) = parsed else {
            return Err(reader.reject("7.3.8: stream without a dictionary"));
        };
        let len = dict.get("Length").and_then(Value::int).and_then(|len| usize::try_from(len).ok());
        let (taken, _) = len
            .and_then(|len| reader.rest().split_at_checked(len))
            .ok_or_else(|| reader.reject("7.3.8.2: Length (PDF-09)"))?;
        reader.skip(taken.len());
        reader.expect(b"\nendstream\n", "7.3.8.1: endstream where Length says (PDF-09)")?;
        data = Some(taken);
    }
    reader.expect(b"endobj\n", "7.3.10: endobj")?;
    Ok(Object { at, value, data })
}

/// 7.5.4 and 7.5.5, to the last byte; the reader is behind "xref".
fn cross_references(reader: &mut Reader<'_>, objects: &[Object<'_>]) -> Result<(), Rejection> {
    let xref = reader.at().saturating_sub(5);
    let size = objects.len().saturating_add(1);
    let head = format!("0 {size}\n0000000000 65535 f \n");
    reader.expect(head.as_bytes(), "7.5.4: one section from object 0 on (PDF-03, PDF-04)")?;
    for object in objects {
        let entry = reader.rest().get(..20).unwrap_or_default();
        let (digits, tail) = entry.split_at_checked(10).unwrap_or_default();
        let offset = digits.iter().try_fold(0usize, |n, b| {
            let digit = b.is_ascii_digit().then(|| usize::from(b.wrapping_sub(b'0')))?;
            n.checked_mul(10)?.checked_add(digit)
        });
        if offset != Some(object.at) || tail != b" 00000 n \n" {
            return Err(reader.reject("7.5.4: entry of 20 bytes with the object's offset (PDF-04)"));
        }
        reader.skip(20);
    }
    let tail = format!("trailer\n<</Root 1 0 R/Size {size}>>\nstartxref\n{xref}\n%%EOF\n");
    reader.expect(tail.as_bytes(), "7.5.5: trailer of our dialect (PDF-03, PDF-14)")?;
    if reader.rest().is_empty() { Ok(()) } else { Err(reader.reject("bytes behind %%EOF (PDF-02, PDF-03)")) }
}
