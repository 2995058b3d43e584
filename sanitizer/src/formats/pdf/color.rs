//! Colour spaces and shadings (ISO 32000-1 clauses 8.6, 8.7.4).

use super::filters;
use super::value::{Dict, Id, Name, Object, Val};
use super::walk::{
    Found, Kind, R, Walk, array_numbers, choice, exactly, flag, flate, integer, name, names as names_of, number,
    nums_val, objects, rect,
};
use crate::switches::{Filter, off};
use hayro::hayro_syntax::object::{Array, Dict as Source, Object as SourceObject, Stream};
use model::FindingAction;

/// Ours: spaces in spaces.
const MAX_SPACE_DEPTH: u32 = 4;
/// Ours, generous: ISO 32000-1 annex C allows 32 colorants.
pub const MAX_COLORANTS: usize = 32;

/// What an image needs to know of its space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Gray,
    Rgb,
    Cmyk,
    Indexed,
    Pattern,
    Other,
}

/// A colour space of ours.
#[derive(Clone, Debug)]
pub struct Space {
    pub value: Val,
    pub components: usize,
    pub family: Family,
}

impl Space {
    /// A Device space by its number of components.
    pub fn device(components: usize) -> Option<Self> {
        let (text, family) = match components {
            1 => ("DeviceGray", Family::Gray),
            3 => ("DeviceRGB", Family::Rgb),
            4 => ("DeviceCMYK", Family::Cmyk),
            _ => return None,
        };
        Some(Self { value: Val::name(text), components, family })
    }

    fn named(text: &[u8]) -> Option<Self> {
        match text {
            b"DeviceGray" | b"G" | b"CalGray" => Self::device(1),
            b"DeviceRGB" | b"RGB" | b"CalRGB" => Self::device(3),
            b"DeviceCMYK" | b"CMYK" | b"CalCMYK" => Self::device(4),
            b"Pattern" => Some(Self { value: Val::name("Pattern"), components: 0, family: Family::Pattern }),
            _ => None,
        }
    }

    fn other(value: Val, components: usize) -> Self {
        Self { value, components, family: Family::Other }
    }
}

impl<'a> Walk<'a, '_, '_> {
    /// A colour space, direct. `resources` are asked for names that are not of the standard.
    pub fn space(&mut self, object: &SourceObject<'a>, resources: Option<&Source<'a>>) -> R<Option<Space>> {
        self.space_at(object, resources, 0)
    }

    fn space_at(&mut self, object: &SourceObject<'a>, resources: Option<&Source<'a>>, depth: u32) -> R<Option<Space>> {
        if depth > MAX_SPACE_DEPTH {
            return Ok(None);
        }
        match object {
            SourceObject::Name(n) => {
                let named = resources
                    .and_then(|r| r.get::<Source<'a>>("ColorSpace"))
                    .and_then(|d| d.get::<SourceObject<'a>>(n.as_ref()));
                match (Space::named(n.as_ref()), named) {
                    (Some(space), _) => Ok(Some(space)),
                    (None, Some(other)) => self.space_at(&other, None, depth.saturating_add(1)),
                    (None, None) => Ok(None),
                }
            }
            SourceObject::Array(array) => self.space_array(array, resources, depth.saturating_add(1)),
            // Some producers write the stream of an ICC profile where its array should be.
            SourceObject::Stream(stream) => self.icc(stream, depth),
            _ => Ok(None),
        }
    }

    fn space_array(&mut self, array: &Array<'a>, resources: Option<&Source<'a>>, depth: u32) -> R<Option<Space>> {
        let items = self.items(array);
        let at = |i: usize| items.get(i).map(|f| &f.object);
        let Some(SourceObject::Name(family)) = at(0) else {
            return Ok(None);
        };
        let dict = match at(1) {
            Some(SourceObject::Dict(d)) => Some(d),
            _ => None,
        };
        Ok(match (family.as_ref(), at(1)) {
            (b"CalGray", _) => dict.and_then(|d| calibrated(d, "CalGray", 1)).or_else(|| Space::device(1)),
            (b"CalRGB", _) => dict.and_then(|d| calibrated(d, "CalRGB", 3)).or_else(|| Space::device(3)),
            (b"Lab", _) => dict.and_then(lab),
            (b"ICCBased", Some(SourceObject::Stream(stream))) => self.icc(stream, depth)?,
            (b"Indexed" | b"I", Some(base)) => self.indexed(base, at(2), at(3), resources, depth)?,
            (b"Separation", Some(SourceObject::Name(colorant))) => {
                let colorant = Name::new(colorant.as_ref()).map(Val::Name);
                self.tinted(colorant, 1, "Separation", at(2), items.get(3), depth)?
            }
            (b"DeviceN", Some(SourceObject::Array(names))) => {
                let names: Vec<Val> = names_of(names).iter().filter_map(|n| Name::new(n).map(Val::Name)).collect();
                let n = names.len();
                let names = (n > 0 && n <= MAX_COLORANTS).then_some(Val::Array(names));
                self.tinted(names, n, "DeviceN", at(2), items.get(3), depth)?
            }
            (b"Pattern", Some(base)) => {
                self.space_at(base, resources, depth)?.filter(|b| b.family != Family::Pattern).map(|base| Space {
                    value: Val::Array(vec![Val::name("Pattern"), base.value]),
                    components: base.components,
                    family: Family::Pattern,
                })
            }
            (other, _) => Space::named(other),
        })
    }

    /// PDF-75: the profile goes, the space of as many components takes its place.
    fn icc(&mut self, stream: &Stream<'a>, depth: u32) -> R<Option<Space>> {
        let dict = stream.dict();
        self.found("PDF-75", FindingAction::ReEncoded);
        let n = integer(dict, "N").and_then(|n| usize::try_from(n).ok());
        if let Some(alternate) = dict.get::<SourceObject<'a>>("Alternate")
            && let Some(space) = self.space_at(&alternate, None, depth)?
            && n.is_none_or(|n| n == space.components)
            && matches!(space.family, Family::Other | Family::Gray | Family::Rgb | Family::Cmyk)
        {
            return Ok(Some(space));
        }
        Ok(n.and_then(Space::device))
    }

    fn indexed(
        &mut self,
        base: &SourceObject<'a>,
        high: Option<&SourceObject<'a>>,
        table: Option<&SourceObject<'a>>,
        resources: Option<&Source<'a>>,
        depth: u32,
    ) -> R<Option<Space>> {
        let Some(base) = self.space_at(base, resources, depth)? else {
            return Ok(None);
        };
        if (matches!(base.family, Family::Indexed | Family::Pattern) || base.components == 0)
            && !off(Filter::PdfBaseSpaces)
        {
            return Ok(None);
        }
        let high = match high {
            Some(SourceObject::Number(n)) => n.as_i64().clamp(0, 255),
            _ => return Ok(None),
        };
        let mut bytes = match table {
            Some(SourceObject::String(s)) => s.as_bytes().to_vec(),
            Some(SourceObject::Stream(s)) => filters::decode(s, self.cx.budget)?.data.into_owned(),
            _ => return Ok(None),
        };
        let rows = usize::try_from(high).unwrap_or(0).saturating_add(1);
        if !off(Filter::PdfPalettes) {
            bytes.resize(rows.saturating_mul(base.components), 0);
        }
        let value = Val::Array(vec![Val::name("Indexed"), base.value, Val::int(high), Val::Str(bytes)]);
        Ok(Some(Space { value, components: 1, family: Family::Indexed }))
    }

    fn tinted(
        &mut self,
        colorants: Option<Val>,
        components: usize,
        family: &str,
        alternate: Option<&SourceObject<'a>>,
        tint: Option<&Found<'a>>,
        depth: u32,
    ) -> R<Option<Space>> {
        let (Some(colorants), Some(alternate), Some(tint)) = (colorants, alternate, tint) else {
            return Ok(None);
        };
        let Some(alternate) = self.space_at(alternate, None, depth)? else {
            return Ok(None);
        };
        if matches!(alternate.family, Family::Indexed | Family::Pattern) && !off(Filter::PdfBaseSpaces) {
            return Ok(None);
        }
        let Some(tint) = self.function_of(tint, components, alternate.components)? else {
            // Without its space a colour would be read in another one: the page is drawn instead.
            self.unbuildable = Some("a tint transform that is none");
            return Ok(None);
        };
        let value = Val::Array(vec![Val::name(family), colorants, alternate.value, Val::Ref(tint)]);
        Ok(Some(Space::other(value, components)))
    }

    /// A space for a dictionary that takes a name or a reference: arrays become objects of their own.
    pub fn space_entry(&mut self, found: &Found<'a>, resources: Option<&Source<'a>>) -> R<Option<Space>> {
        let Some(space) = self.space(&found.object, resources)? else {
            return Ok(None);
        };
        if !matches!(space.value, Val::Array(_)) {
            return Ok(Some(space));
        }
        let value = space.value.clone();
        let made = self.once(Kind::ColorSpace, found.id, 0, |_| Ok(Some(Object::Value(value))))?;
        Ok(made.map(|id| Space { value: Val::Ref(id), ..space }))
    }

    /// A shading dictionary or stream.
    pub fn shading(&mut self, found: &Found<'a>, resources: Option<&Source<'a>>) -> R<Option<Id>> {
        let (dict, stream) = match &found.object {
            SourceObject::Dict(dict) => (dict.clone(), None),
            SourceObject::Stream(stream) => (stream.dict().clone(), Some(stream.clone())),
            _ => return Ok(None),
        };
        self.once(Kind::Shading, found.id, 0, |walk| {
            let Some(space) = dict.get::<SourceObject<'a>>("ColorSpace").or_else(|| dict.get("CS")) else {
                return Ok(None);
            };
            let Some(space) = walk.space(&space, resources)? else {
                return Ok(None);
            };
            if space.family == Family::Pattern {
                return Ok(None);
            }
            let kind = integer(&dict, "ShadingType").unwrap_or(0);
            let mut out = Dict::new().with("ShadingType", Val::int(kind)).with("ColorSpace", space.value);
            out.set_some("Background", nums_val(&dict, "Background", space.components));
            out.set_some("BBox", rect(&dict, "BBox").map(|r| Val::nums(&r)));
            out.set_some("AntiAlias", flag(&dict, "AntiAlias").map(Val::Bool));
            let function = walk.find(&dict, "Function");
            let has_function = function.is_some_and(|f| !matches!(f.object, SourceObject::Null(_)));
            if has_function {
                let inputs = if kind == 1 { 2 } else { 1 };
                let Some(function) = walk.functions(&dict, "Function", inputs, space.components)? else {
                    return Ok(None);
                };
                out.set("Function", function);
            }
            match (kind, stream) {
                (1..=3, _) if has_function => Ok(plain_shading(&dict, kind, out)),
                (4..=7, Some(stream)) => walk.mesh(&stream, kind, out, space.components, has_function),
                _ => Ok(None),
            }
        })
    }

    fn mesh(
        &mut self,
        stream: &Stream<'a>,
        kind: i64,
        mut out: Dict,
        components: usize,
        has_function: bool,
    ) -> R<Option<Object>> {
        let dict = stream.dict();
        let bits = |key: &str, allowed: &[i64]| {
            integer(dict, key).filter(|n| allowed.contains(n) || off(Filter::PdfMeshes)).map(Val::int)
        };
        let coordinate = bits("BitsPerCoordinate", &[1, 2, 4, 8, 12, 16, 24, 32]);
        let component = bits("BitsPerComponent", &[1, 2, 4, 8, 12, 16]);
        let (Some(coordinate), Some(component)) = (coordinate, component) else {
            return Ok(None);
        };
        out.set("BitsPerCoordinate", coordinate);
        out.set("BitsPerComponent", component);
        if kind == 5 {
            let Some(row) = integer(dict, "VerticesPerRow").filter(|n| *n >= 2 || off(Filter::PdfMeshes)) else {
                return Ok(None);
            };
            out.set("VerticesPerRow", Val::int(row));
        } else {
            let Some(flag) = bits("BitsPerFlag", &[2, 4, 8]) else {
                return Ok(None);
            };
            out.set("BitsPerFlag", flag);
        }
        let n = if has_function { 1 } else { components };
        let Some(decode) = nums_val(dict, "Decode", n.saturating_mul(2).saturating_add(4)) else {
            return Ok(None);
        };
        out.set("Decode", decode);
        let data = filters::decode(stream, self.cx.budget)?;
        Ok(Some(flate(out, &data.data)))
    }
}

impl Val {
    /// A number as a whole one, toward zero.
    pub fn whole(n: f64) -> i64 {
        match Self::num(n.trunc()) {
            #[expect(clippy::cast_possible_truncation, reason = "bound: Val::num clamps to 32 bits")]
            Self::Num(n) => n as i64,
            _ => 0,
        }
    }
}

fn white_point(dict: &Source<'_>) -> Option<Dict> {
    let white = exactly(dict, "WhitePoint", 3)?;
    let mut out = Dict::new().with("WhitePoint", Val::nums(&white));
    out.set_some("BlackPoint", nums_val(dict, "BlackPoint", 3));
    Some(out)
}

fn calibrated(dict: &Source<'_>, family: &str, components: usize) -> Option<Space> {
    let mut out = white_point(dict)?;
    if components == 1 {
        out.set_some("Gamma", number(dict, "Gamma").map(Val::num));
    } else {
        out.set_some("Gamma", nums_val(dict, "Gamma", 3));
        out.set_some("Matrix", nums_val(dict, "Matrix", 9));
    }
    Some(Space::other(Val::Array(vec![Val::name(family), Val::Dict(out)]), components))
}

fn lab(dict: &Source<'_>) -> Option<Space> {
    let mut out = white_point(dict)?;
    out.set_some("Range", nums_val(dict, "Range", 4));
    Some(Space::other(Val::Array(vec![Val::name("Lab"), Val::Dict(out)]), 3))
}

fn plain_shading(dict: &Source<'_>, kind: i64, mut out: Dict) -> Option<Object> {
    let domain = match kind {
        1 => {
            out.set_some("Matrix", nums_val(dict, "Matrix", 6));
            4
        }
        2 => {
            out.set("Coords", nums_val(dict, "Coords", 4)?);
            2
        }
        _ => {
            out.set("Coords", nums_val(dict, "Coords", 6)?);
            2
        }
    };
    out.set_some("Domain", nums_val(dict, "Domain", domain));
    if kind > 1
        && let Some(extend) = dict.get::<Array<'_>>("Extend")
    {
        let both = objects(&extend).into_iter().filter_map(|o| match o {
            SourceObject::Boolean(b) => Some(Val::Bool(b)),
            _ => None,
        });
        let both: Vec<Val> = both.collect();
        out.set_some("Extend", (both.len() == 2).then_some(Val::Array(both)));
    }
    Some(Object::Value(Val::Dict(out)))
}

/// Keys of a soft mask or group that hold a colour: `BC` has as many numbers as it has.
pub fn backdrop(dict: &Source<'_>) -> Option<Val> {
    let values = array_numbers(&dict.get::<Array<'_>>("BC")?);
    (!values.is_empty() && values.len() <= MAX_COLORANTS).then(|| Val::nums(&values))
}

/// A transparency group's attributes (clause 11.6.6).
impl<'a> Walk<'a, '_, '_> {
    /// The group of a form or page.
    pub fn group(&mut self, dict: &Source<'a>, resources: Option<&Source<'a>>) -> R<Option<Dict>> {
        let Some(group) = dict.get::<Source<'a>>("Group") else {
            return Ok(None);
        };
        if name(&group, "S").as_deref() != Some(b"Transparency") {
            return Ok(None);
        }
        let mut out = Dict::of("Group").with("S", Val::name("Transparency"));
        if let Some(space) = group.get::<SourceObject<'a>>("CS")
            && let Some(space) = self.space(&space, resources)?
            && !matches!(space.family, Family::Pattern | Family::Indexed)
        {
            out.set("CS", space.value);
        }
        out.set_some("I", flag(&group, "I").map(Val::Bool));
        out.set_some("K", flag(&group, "K").map(Val::Bool));
        Ok(Some(out))
    }
}

/// The rendering intents of table 70.
pub const INTENTS: &[&str] = &["AbsoluteColorimetric", "RelativeColorimetric", "Saturation", "Perceptual"];

/// A rendering intent.
pub fn intent(dict: &Source<'_>, key: &str) -> Option<Val> {
    choice(dict, key, INTENTS)
}
