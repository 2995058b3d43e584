//! Pages (ISO 32000-1 clause 7.7.3): boxes, content, and annotations drawn into it.

use super::content::Role;
use super::filters;
use super::links::Destinations;
use super::resources::{Class, Used};
use super::value::{Dict, Id, Object, Val, bounded};
use super::walk::{Found, R, Scope, Walk, exactly, flate, integer, name, number, rect};
use super::write::scalar;
use crate::switches::{Filter, off};
use hayro::hayro_syntax::object::{Array, Dict as Source, Object as SourceObject};
use hayro::hayro_syntax::page::Page;
use model::{FindingAction, Forms};

/// What viewers take where a page has no box: US Letter.
const LETTER: [f64; 4] = [0.0, 0.0, 612.0, 792.0];
/// Ours: levels of the page tree that attributes are inherited through.
const MAX_LEVELS: usize = 64;
/// Ours: annotations of one page.
const MAX_ANNOTATIONS: usize = 20_000;

/// An attribute of a page or of a node above it.
fn inherited<'a, T>(page: &Source<'a>, read: impl Fn(&Source<'a>) -> Option<T>) -> Option<T> {
    let mut node = page.clone();
    for _ in 0..MAX_LEVELS {
        if let Some(value) = read(&node) {
            return Some(value);
        }
        node = node.get::<Source<'a>>("Parent")?;
    }
    None
}

fn has_area(r: &[f64; 4]) -> bool {
    let [x0, y0, x1, y1] = *r;
    x1 - x0 > 0.0 && y1 - y0 > 0.0
}

/// The boxes of a page: what it is, and what of it is shown.
pub fn boxes(page: &Source<'_>) -> ([f64; 4], Option<[f64; 4]>) {
    let media = inherited(page, |d| rect(d, "MediaBox")).filter(has_area).unwrap_or(LETTER);
    let crop = inherited(page, |d| rect(d, "CropBox")).map(|crop| intersect(&crop, &media)).filter(has_area);
    (media, crop.filter(|crop| *crop != media))
}

fn intersect(a: &[f64; 4], b: &[f64; 4]) -> [f64; 4] {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a, *b);
    if off(Filter::PdfBoxes) { *a } else { [a0.max(b0), a1.max(b1), a2.min(b2), a3.min(b3)] }
}

/// `Rotate` as one of four quarters.
pub fn rotation(page: &Source<'_>) -> i64 {
    let degrees = inherited(page, |d| integer(d, "Rotate")).unwrap_or(0).rem_euclid(360);
    if degrees.checked_rem(90) == Some(0) || off(Filter::PdfRotation) { degrees } else { 0 }
}

/// The part of a page dictionary that does not depend on how its content came about.
pub fn frame(page: &Source<'_>) -> Dict {
    let (media, crop) = boxes(page);
    let mut out = Dict::of("Page").with("MediaBox", Val::nums(&media));
    out.set_some("CropBox", crop.map(|c| Val::nums(&c)));
    let rotation = rotation(page);
    out.set_some("Rotate", (rotation != 0).then(|| Val::int(rotation)));
    let unit = number(page, "UserUnit").filter(|u| *u > 0.0 && *u <= 1000.0 && *u != 1.0 || off(Filter::PdfUserUnit));
    out.set_some("UserUnit", unit.map(Val::num));
    out
}

impl<'a> Walk<'a, '_, '_> {
    /// Rebuilds one page.
    pub fn page(&mut self, page: &Page<'a>, parent: Id, dests: &Destinations<'a>) -> R<Object> {
        let dict = page.raw().clone();
        let mut out = frame(&dict).with("Parent", Val::Ref(parent));
        let resources = inherited(&dict, |d| d.get::<Source<'a>>("Resources")).unwrap_or_default();
        let scope = self.scope(resources, None);
        let mut used = Used::default();
        let data = self.page_data(&dict)?;
        let mut content = self.content(&data, &scope, &mut used, Role::Drawing)?;
        drop(data);
        let (links, drawn) = self.annotations(&dict, &scope, dests, &mut used)?;
        if !drawn.is_empty() {
            content.splice(0..0, *b"q\n");
            content.extend_from_slice(b"Q\n");
            content.extend_from_slice(&drawn);
        }
        out.set_some("Group", self.group(&dict, Some(&scope.dict))?.map(Val::Dict));
        let id = self.document.reserve();
        self.document.put(id, flate(Dict::new(), &content));
        out.set("Contents", Val::Ref(id));
        out.set("Resources", Val::Dict(used.dict()));
        self.rest(&dict, &mut out);
        out.set_some("Annots", (!links.is_empty()).then_some(Val::Array(links)));
        Ok(Object::Value(Val::Dict(out)))
    }

    fn page_data(&mut self, dict: &Source<'a>) -> R<Vec<u8>> {
        let streams = match self.find(dict, "Contents") {
            Some(Found { object: SourceObject::Array(array), .. }) => self.items(&array),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        let mut data = Vec::new();
        for stream in streams {
            let SourceObject::Stream(stream) = &stream.object else {
                continue;
            };
            let decoded = filters::decode(stream, self.cx.budget)?;
            if decoded.picture.is_some() || decoded.unknown {
                self.found("PDF-16", FindingAction::Removed);
                continue;
            }
            data.extend_from_slice(&decoded.data);
            data.push(b'\n');
            if data.len() > filters::MAX_STREAM {
                let (limit, asked) = (model::LimitKind::ExpandedBytes, data.len() as u64);
                return Err(model::Refusal::Limit { limit, asked, allowed: filters::MAX_STREAM as u64 });
            }
        }
        Ok(data)
    }

    /// Links as annotations; of all others the appearance, as content.
    fn annotations(
        &mut self,
        page: &Source<'a>,
        scope: &Scope<'a>,
        dests: &Destinations<'a>,
        used: &mut Used,
    ) -> R<(Vec<Val>, Vec<u8>)> {
        let (mut links, mut drawn) = (Vec::new(), Vec::new());
        let Some(array) = page.get::<Array<'a>>("Annots") else {
            return Ok((links, drawn));
        };
        for item in self.items(&array).into_iter().take(MAX_ANNOTATIONS) {
            let SourceObject::Dict(dict) = &item.object else {
                continue;
            };
            if let Some(annotation) = self.whole(Filter::PdfAnnotations, dict) {
                links.push(Val::Ref(self.document.add(annotation)));
                continue;
            }
            match name(dict, "Subtype").as_deref() {
                Some(b"Link") => match self.link(dict, dests)? {
                    Some(link) => links.push(Val::Ref(self.document.add(Val::Dict(link)))),
                    None if is_visible(dict) => self.link_border(dict, &mut drawn),
                    None => {}
                },
                Some(b"Popup") | None => {}
                Some(kind) => {
                    if kind == b"Widget" && self.cx.policy.formats.pdf.is_some_and(|p| p.forms == Forms::Remove) {
                        self.found("PDF-52", FindingAction::Removed);
                        continue;
                    }
                    if is_visible(dict)
                        && (self.appearance(dict, scope, used, &mut drawn)?
                            || !dict.contains_key("AP")
                                && self.drawn_appearance(kind, dict, scope, used, &mut drawn)?)
                    {
                        let id = if kind == b"Widget" { "PDF-52" } else { "PDF-84" };
                        self.found(id, FindingAction::Neutralised);
                    }
                }
            }
        }
        Ok((links, drawn))
    }

    /// Draws an annotation's normal appearance as clause 12.5.5 says; whether there was one.
    fn appearance(&mut self, dict: &Source<'a>, scope: &Scope<'a>, used: &mut Used, out: &mut Vec<u8>) -> R<bool> {
        let (Some(rect), Some(found)) = (rect(dict, "Rect"), self.normal_appearance(dict)) else {
            return Ok(false);
        };
        let SourceObject::Stream(stream) = &found.object else {
            return Ok(false);
        };
        let form = stream.dict();
        let Some(bbox) = super::walk::rect(form, "BBox") else {
            return Ok(false);
        };
        let matrix = exactly(form, "Matrix", 6).unwrap_or_else(|| vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        let Some(placed) = place(&bbox, &matrix, &rect) else {
            return Ok(false);
        };
        let Some(id) = self.form(&found, scope, false)? else {
            return Ok(false);
        };
        let layer = match self.find(dict, "OC") {
            Some(oc) => self.optional_content(&oc)?.map(|id| used.add(Class::Properties, id)),
            None => None,
        };
        let operand = used.add(Class::XObject, id);
        if let Some(layer) = &layer {
            line(out, &[Val::name("OC"), layer.clone()], "BDC");
        }
        line(out, &[], "q");
        line(out, &placed.map(Val::num), "cm");
        line(out, &[operand], "Do");
        line(out, &[], "Q");
        if layer.is_some() {
            line(out, &[], "EMC");
        }
        Ok(true)
    }

    fn normal_appearance(&self, dict: &Source<'a>) -> Option<Found<'a>> {
        let found = self.find(&dict.get::<Source<'a>>("AP")?, "N")?;
        match &found.object {
            SourceObject::Stream(_) => Some(found),
            SourceObject::Dict(states) => {
                let state = name(dict, "AS").or_else(|| name(dict, "V"))?;
                self.resolve(states.get_raw::<SourceObject<'a>>(&state)?)
            }
            _ => None,
        }
    }
}

/// Not hidden, and shown on a screen.
fn is_visible(annotation: &Source<'_>) -> bool {
    const HIDDEN_OR_NO_VIEW: i64 = 2 | 32;
    integer(annotation, "F").unwrap_or(0) & HIDDEN_OR_NO_VIEW == 0
}

fn line(out: &mut Vec<u8>, operands: &[Val], operator: &str) {
    for operand in operands {
        scalar(out, operand);
        out.push(b' ');
    }
    out.extend_from_slice(operator.as_bytes());
    out.push(b'\n');
}

/// Algorithm 8.1: the matrix that takes the transformed box of an appearance onto the annotation's rectangle.
fn place(bbox: &[f64; 4], matrix: &[f64], rect: &[f64; 4]) -> Option<[f64; 6]> {
    let [a, b, c, d, e, f] = *matrix else { return None };
    let [x0, y0, x1, y1] = *bbox;
    let corners = [(x0, y0), (x0, y1), (x1, y0), (x1, y1)];
    let corners = corners.map(|(x, y)| (a * x + c * y + e, b * x + d * y + f));
    let fold = |pick: fn(f64, f64) -> f64, of: fn(&(f64, f64)) -> f64| corners.iter().map(of).reduce(pick);
    let (left, right) = (fold(f64::min, |p| p.0)?, fold(f64::max, |p| p.0)?);
    let (low, high) = (fold(f64::min, |p| p.1)?, fold(f64::max, |p| p.1)?);
    let (width, height) = (right - left, high - low);
    if !(width > 0.0 && height > 0.0) {
        return None;
    }
    let [r0, r1, r2, r3] = *rect;
    let (sx, sy) = ((r2 - r0) / width, (r3 - r1) / height);
    Some([sx, 0.0, 0.0, sy, r0 - left * sx, r1 - low * sy].map(bounded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appearance_is_scaled_onto_its_rectangle() {
        let identity = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let placed = place(&[0.0, 0.0, 10.0, 20.0], &identity, &[100.0, 100.0, 110.0, 110.0]);
        assert_eq!(placed, Some([1.0, 0.0, 0.0, 0.5, 100.0, 100.0]));
        assert_eq!(place(&[0.0; 4], &identity, &[0.0, 0.0, 1.0, 1.0]), None);
    }
}
