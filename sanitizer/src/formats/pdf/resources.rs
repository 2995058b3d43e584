//! Resources of a content stream (ISO 32000-1 clause 7.8.3): converted on first use, under names of ours.

use super::value::{Dict, Id, Name, Object, Val};
use super::walk::{Found, Kind, R, Scope, Walk, choice, flag, integer, number, nums_val, rect};
use crate::switches::{Filter, off};
use hayro::hayro_syntax::object::{Array, Dict as Source, Object as SourceObject, Stream};
use model::FindingAction;
use std::collections::BTreeMap;

/// The kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    ColorSpace,
    ExtGState,
    Font,
    Pattern,
    Properties,
    Shading,
    XObject,
}

impl Class {
    const fn key(self) -> &'static str {
        match self {
            Self::ColorSpace => "ColorSpace",
            Self::ExtGState => "ExtGState",
            Self::Font => "Font",
            Self::Pattern => "Pattern",
            Self::Properties => "Properties",
            Self::Shading => "Shading",
            Self::XObject => "XObject",
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::ColorSpace => 'C',
            Self::ExtGState => 'G',
            Self::Font => 'F',
            Self::Pattern => 'P',
            Self::Properties => 'O',
            Self::Shading => 'S',
            Self::XObject => 'X',
        }
    }
}

/// What a content stream has used so far.
#[derive(Debug, Default)]
pub struct Used {
    known: BTreeMap<(Class, Vec<u8>), Option<Val>>,
    entries: BTreeMap<Class, Vec<Id>>,
    ids: BTreeMap<Name, Id>,
    /// Forms, patterns and glyphs that are drawn, those within them counted too.
    pub drawn: u64,
}

impl Used {
    /// Adds an object and returns its name.
    pub fn add(&mut self, class: Class, id: Id) -> Val {
        let list = self.entries.entry(class).or_default();
        list.push(id);
        let name = Val::name(&format!("{}{}", class.letter(), list.len()));
        if let Val::Name(name) = &name {
            self.ids.insert(name.clone(), id);
        }
        name
    }

    /// The object that a name of ours stands for.
    pub fn id(&self, name: &Val) -> Option<Id> {
        match name {
            Val::Name(name) => self.ids.get(name).copied(),
            _ => None,
        }
    }

    /// The resource dictionary.
    pub fn dict(&self) -> Dict {
        let mut out = Dict::new();
        for (class, ids) in &self.entries {
            let mut entries = Dict::new();
            for (i, id) in ids.iter().enumerate() {
                entries.set(&format!("{}{}", class.letter(), i.saturating_add(1)), Val::Ref(*id));
            }
            out.set(class.key(), Val::Dict(entries));
        }
        out
    }
}

impl<'a> Walk<'a, '_, '_> {
    /// Finds and converts the resource `name` of `class`; the operand to write for it.
    pub fn resource(&mut self, class: Class, name: &[u8], scope: &Scope<'a>, used: &mut Used) -> R<Option<Val>> {
        let key = (class, name.to_vec());
        if let Some(known) = used.known.get(&key) {
            return Ok(known.clone());
        }
        let value = self.convert(class, name, scope, used)?;
        used.known.insert(key, value.clone());
        Ok(value)
    }

    fn convert(&mut self, class: Class, name: &[u8], scope: &Scope<'a>, used: &mut Used) -> R<Option<Val>> {
        if class == Class::ColorSpace
            && let b"DeviceGray" | b"DeviceRGB" | b"DeviceCMYK" | b"Pattern" = name
        {
            return Ok(Name::new(name).map(Val::Name));
        }
        let mut scopes = std::iter::once(&scope.dict).chain(&scope.outer);
        let found = scopes.find_map(|d| self.find_bytes(&d.get::<Source<'a>>(class.key())?, name));
        let Some(found) = found else { return Ok(None) };
        let id = match class {
            Class::ColorSpace => match self.space_entry(&found, Some(&scope.dict))?.map(|s| s.value) {
                Some(Val::Ref(id)) => Some(id),
                named => return Ok(named),
            },
            Class::ExtGState => self.ext_g_state(&found, scope)?,
            Class::Font => self.font(&found, scope)?,
            Class::Pattern => self.pattern(&found, scope)?,
            Class::Properties => self.optional_content(&found)?,
            Class::Shading => self.shading(&found, Some(&scope.dict))?,
            Class::XObject => self.x_object(&found, scope)?,
        };
        Ok(id.map(|id| used.add(class, id)))
    }

    fn find_bytes(&self, dict: &Source<'a>, key: &[u8]) -> Option<Found<'a>> {
        self.resolve(dict.get_raw::<SourceObject<'a>>(key)?)
    }

    /// Notes what drawing a new object costs; of a known one it is known.
    pub fn weighed(&mut self, made: Option<Id>, drawn: u64) -> Option<Id> {
        if let Some(id) = made {
            self.weights.entry(id).or_insert(drawn.saturating_add(1));
        }
        made
    }

    /// An image or a form; PostScript XObjects go (PDF-57).
    pub fn x_object(&mut self, found: &Found<'a>, scope: &Scope<'a>) -> R<Option<Id>> {
        let SourceObject::Stream(stream) = &found.object else {
            return Ok(None);
        };
        let dict = stream.dict();
        match super::walk::name(dict, "Subtype").as_deref() {
            Some(b"Image") => self.image(found, scope),
            Some(b"PS") => {
                self.found("PDF-57", FindingAction::Removed);
                Ok(None)
            }
            Some(b"Form") => self.form(found, scope, false),
            // Without a subtype: whatever its keys say.
            _ if dict.contains_key("Width") => self.image(found, scope),
            _ => self.form(found, scope, false),
        }
    }

    /// A form; `must_group` for soft masks, which need a group.
    pub fn form(&mut self, found: &Found<'a>, scope: &Scope<'a>, must_group: bool) -> R<Option<Id>> {
        let SourceObject::Stream(stream) = &found.object else {
            return Ok(None);
        };
        let dict = stream.dict().clone();
        let own = dict.get::<Source<'a>>("Resources");
        let (kind, outer) = if must_group { (Kind::SoftMaskForm, scope) } else { (Kind::Form, scope) };
        let scope_id = if own.is_some() { 0 } else { outer.id };
        let scope = own.map_or_else(|| outer.clone(), |d| self.scope(d, Some(outer)));
        let mut drawn = 0;
        let made = self.once(kind, found.id, scope_id, |walk| {
            let data = super::filters::decode(stream, walk.cx.budget)?;
            let mut out = Dict::of("XObject").with("Subtype", Val::name("Form"));
            let Some(bbox) = rect(&dict, "BBox") else {
                return Ok(None);
            };
            out.set("BBox", Val::nums(&bbox));
            out.set_some("Matrix", nums_val(&dict, "Matrix", 6));
            let mut group = walk.group(&dict, Some(&scope.dict))?;
            if must_group && group.is_none() {
                group = Some(Dict::of("Group").with("S", Val::name("Transparency")));
            }
            out.set_some("Group", group.map(Val::Dict));
            if let Some(oc) = walk.find(&dict, "OC") {
                out.set_some("OC", walk.optional_content(&oc)?.map(Val::Ref));
            }
            let mut used = Used::default();
            let content = walk.content(&data.data, &scope, &mut used, super::content::Role::Drawing)?;
            drawn = used.drawn;
            out.set("Resources", Val::Dict(used.dict()));
            walk.rest(&dict, &mut out);
            Ok(Some(super::walk::flate(out, &content)))
        })?;
        Ok(self.weighed(made, drawn))
    }

    fn pattern(&mut self, found: &Found<'a>, scope: &Scope<'a>) -> R<Option<Id>> {
        match &found.object {
            SourceObject::Stream(stream) => self.tiling(found, stream, scope),
            SourceObject::Dict(dict) => {
                let Some(shading) = self.find(dict, "Shading") else {
                    return Ok(None);
                };
                self.once(Kind::Pattern, found.id, 0, |walk| {
                    let Some(shading) = walk.shading(&shading, Some(&scope.dict))? else {
                        return Ok(None);
                    };
                    let mut out = Dict::of("Pattern").with("PatternType", Val::int(2));
                    out.set("Shading", Val::Ref(shading));
                    out.set_some("Matrix", nums_val(dict, "Matrix", 6));
                    walk.rest(dict, &mut out);
                    Ok(Some(Object::Value(Val::Dict(out))))
                })
            }
            _ => Ok(None),
        }
    }

    fn tiling(&mut self, found: &Found<'a>, stream: &Stream<'a>, outer: &Scope<'a>) -> R<Option<Id>> {
        let dict = stream.dict().clone();
        let own = dict.get::<Source<'a>>("Resources");
        let scope_id = if own.is_some() { 0 } else { outer.id };
        let scope = own.map_or_else(|| outer.clone(), |d| self.scope(d, Some(outer)));
        let mut drawn = 0;
        let made = self.once(Kind::Pattern, found.id, scope_id, |walk| {
            let data = super::filters::decode(stream, walk.cx.budget)?;
            let step = |key: &str| {
                number(&dict, key).map(super::value::bounded).filter(|n| *n != 0.0 || off(Filter::PdfTiling))
            };
            let (Some(bbox), Some(x), Some(y)) = (rect(&dict, "BBox"), step("XStep"), step("YStep")) else {
                return Ok(None);
            };
            let one_of = |key: &str, most: i64| {
                integer(&dict, key).filter(|n| (1..=most).contains(n) || off(Filter::PdfTiling)).unwrap_or(1)
            };
            let mut out = Dict::of("Pattern").with("PatternType", Val::int(1));
            out.set("PaintType", Val::int(one_of("PaintType", 2)));
            out.set("TilingType", Val::int(one_of("TilingType", 3)));
            out.set("BBox", Val::nums(&bbox));
            out.set("XStep", Val::num(x));
            out.set("YStep", Val::num(y));
            out.set_some("Matrix", nums_val(&dict, "Matrix", 6));
            let mut used = Used::default();
            let content = walk.content(&data.data, &scope, &mut used, super::content::Role::Drawing)?;
            drawn = used.drawn;
            out.set("Resources", Val::Dict(used.dict()));
            Ok(Some(super::walk::flate(out, &content)))
        })?;
        Ok(self.weighed(made, drawn))
    }

    fn ext_g_state(&mut self, found: &Found<'a>, scope: &Scope<'a>) -> R<Option<Id>> {
        let SourceObject::Dict(dict) = &found.object else {
            return Ok(None);
        };
        self.once(Kind::ExtGState, found.id, 0, |walk| {
            let mut out = Dict::new();
            for key in ["AIS", "SA", "TK", "OP", "op"] {
                out.set_some(key, flag(dict, key).map(Val::Bool));
            }
            for key in ["FL", "LW", "ML", "SM"] {
                out.set_some(key, number(dict, key).map(Val::num));
            }
            for key in ["CA", "ca"] {
                out.set_some(
                    key,
                    number(dict, key).map(|n| Val::num(if off(Filter::PdfStates) { n } else { n.clamp(0.0, 1.0) })),
                );
            }
            for (key, most) in [("LC", 2), ("LJ", 2), ("OPM", 1)] {
                out.set_some(
                    key,
                    integer(dict, key).filter(|n| (0..=most).contains(n) || off(Filter::PdfStates)).map(Val::int),
                );
            }
            out.set_some("RI", super::color::intent(dict, "RI"));
            out.set_some("BM", blend_mode(dict));
            out.set_some("D", dash(dict));
            if let Some(pair) = dict.get::<Array<'a>>("Font") {
                out.set_some("Font", walk.state_font(&pair, scope)?);
            }
            if let Some(mask) = walk.find(dict, "SMask") {
                out.set_some("SMask", walk.soft_mask(&mask, scope)?);
            }
            if ["TR", "TR2", "BG", "BG2", "UCR", "UCR2", "HT"].iter().any(|key| dict.contains_key(key)) {
                walk.found("PDF-76", FindingAction::Removed);
            }
            walk.rest(dict, &mut out);
            Ok(Some(Object::Value(Val::Dict(out))))
        })
    }

    fn state_font(&mut self, pair: &Array<'a>, scope: &Scope<'a>) -> R<Option<Val>> {
        let items = self.items(pair);
        let [font, size] = items.as_slice() else {
            return Ok(None);
        };
        let SourceObject::Number(size) = &size.object else {
            return Ok(None);
        };
        let size = Val::num(size.as_f64());
        Ok(self.font(font, scope)?.map(|font| Val::Array(vec![Val::Ref(font), size])))
    }

    fn soft_mask(&mut self, mask: &Found<'a>, scope: &Scope<'a>) -> R<Option<Val>> {
        let dict = match &mask.object {
            SourceObject::Name(n) if n.as_ref() == b"None" => return Ok(Some(Val::name("None"))),
            SourceObject::Dict(dict) => dict,
            _ => return Ok(None),
        };
        let (Some(kind), Some(group)) = (choice(dict, "S", &["Alpha", "Luminosity"]), self.find(dict, "G")) else {
            return Ok(None);
        };
        let Some(group) = self.form(&group, scope, true)? else {
            return Ok(None);
        };
        let mut out = Dict::new().with("S", kind).with("G", Val::Ref(group));
        out.set_some("BC", super::color::backdrop(dict));
        // The other form of it is the name `Identity`, which is the default.
        if let Some(transfer) = self.find(dict, "TR").filter(|f| !matches!(f.object, SourceObject::Name(_))) {
            out.set_some("TR", self.function_of(&transfer, 1, 1)?.map(Val::Ref));
        }
        Ok(Some(Val::Dict(out)))
    }

    /// An optional content group or membership dictionary (clause 8.11).
    pub fn optional_content(&mut self, found: &Found<'a>) -> R<Option<Id>> {
        let SourceObject::Dict(dict) = &found.object else {
            return Ok(None);
        };
        match super::walk::name(dict, "Type").as_deref() {
            Some(b"OCG")
                if self.layers_listed && !self.has_met(Kind::OptionalContent, found.id) && !off(Filter::PdfLayers) =>
            {
                Ok(None)
            }
            Some(b"OCG") => self.once(Kind::OptionalContent, found.id, 0, |walk| {
                let title = dict.get::<hayro::hayro_syntax::object::String<'_>>("Name");
                let title = title.map_or_else(Vec::new, |s| s.as_bytes().to_vec());
                let mut out = Dict::of("OCG").with("Name", Val::string(&title));
                walk.rest(dict, &mut out);
                Ok(Some(Object::Value(Val::Dict(out))))
            }),
            Some(b"OCMD") => self.once(Kind::OptionalContent, found.id, 0, |walk| {
                let mut out = Dict::of("OCMD");
                let groups = match walk.find(dict, "OCGs") {
                    Some(Found { object: SourceObject::Array(array), .. }) => walk.items(&array),
                    Some(one) => vec![one],
                    None => Vec::new(),
                };
                let groups = walk.groups(&groups)?;
                out.set_some("OCGs", (!groups.is_empty()).then_some(Val::Array(groups)));
                out.set_some("P", choice(dict, "P", &["AllOn", "AnyOn", "AnyOff", "AllOff"]));
                if let Some(expression) = dict.get::<Array<'a>>("VE") {
                    out.set_some("VE", walk.visibility(&expression, 0)?);
                }
                Ok(Some(Object::Value(Val::Dict(out))))
            }),
            _ => Ok(None),
        }
    }

    /// References to the optional content groups among `items`.
    pub fn groups(&mut self, items: &[Found<'a>]) -> R<Vec<Val>> {
        let mut out = Vec::new();
        for item in items {
            let SourceObject::Dict(dict) = &item.object else {
                continue;
            };
            if item.id.is_some() && super::walk::name(dict, "Type").as_deref() == Some(b"OCG") {
                out.extend(self.optional_content(item)?.map(Val::Ref));
            }
        }
        Ok(out)
    }

    fn visibility(&mut self, expression: &Array<'a>, depth: u32) -> R<Option<Val>> {
        if depth >= 8 {
            return Ok(None);
        }
        let items = self.items(expression);
        let Some((Found { object: SourceObject::Name(operator), .. }, operands)) = items.split_first() else {
            return Ok(None);
        };
        let Some(operator) = ["And", "Or", "Not"].iter().find(|o| o.as_bytes() == operator.as_ref()) else {
            return Ok(None);
        };
        let mut out = vec![Val::name(operator)];
        for operand in operands {
            match &operand.object {
                SourceObject::Array(inner) => out.extend(self.visibility(inner, depth.saturating_add(1))?),
                SourceObject::Dict(_) => out.extend(self.groups(std::slice::from_ref(operand))?),
                _ => {}
            }
        }
        Ok((out.len() > 1).then_some(Val::Array(out)))
    }
}

/// The blend modes of tables 136 and 137.
const BLEND_MODES: &[&str] = &[
    "Normal",
    "Multiply",
    "Screen",
    "Overlay",
    "Darken",
    "Lighten",
    "ColorDodge",
    "ColorBurn",
    "HardLight",
    "SoftLight",
    "Difference",
    "Exclusion",
    "Hue",
    "Saturation",
    "Color",
    "Luminosity",
];

/// A blend mode; of an array the first that is known.
fn blend_mode(dict: &Source<'_>) -> Option<Val> {
    let names: Vec<Vec<u8>> = match dict.get::<SourceObject<'_>>("BM")? {
        SourceObject::Name(n) => vec![n.as_ref().to_vec()],
        SourceObject::Array(array) => super::walk::names(&array),
        _ => return None,
    };
    names.iter().find_map(|name| {
        let name = if name == b"Compatible" { b"Normal" } else { name.as_slice() };
        let known = BLEND_MODES.iter().find(|m| m.as_bytes() == name).map(|m| Val::name(m));
        known.or_else(|| Name::new(name).filter(|_| off(Filter::PdfBlendModes)).map(Val::Name))
    })
}

fn dash(dict: &Source<'_>) -> Option<Val> {
    let pair = dict.get::<Array<'_>>("D")?;
    let mut items = super::walk::objects(&pair).into_iter();
    let (SourceObject::Array(dashes), SourceObject::Number(phase)) = (items.next()?, items.next()?) else {
        return None;
    };
    let dashes = super::walk::array_numbers(&dashes);
    let dashes: Vec<f64> = dashes.into_iter().filter(|n| *n >= 0.0).take(64).collect();
    Some(Val::Array(vec![Val::nums(&dashes), Val::num(phase.as_f64())]))
}
