//! Font dictionaries (ISO 32000-1 clause 9.5 to 9.9).

use super::cmap;
use super::content::Role;
use super::filters;
use super::programs;
use super::resources::Used;
use super::value::{Dict, Id, Name, Object, Val};
use super::walk::{
    Found, Kind, R, Scope, Walk, choice, exactly, flate, free_name, integer, name, number, numbers, nums_val, objects,
};
use crate::switches::{Filter, off};
use hayro::hayro_syntax::object::{Array, Dict as Source, Object as SourceObject, Stream, String as SourceString};
use model::FindingAction;

/// Encodings that a name may stand for (annex D).
const ENCODINGS: &[&str] = &["StandardEncoding", "MacRomanEncoding", "WinAnsiEncoding", "MacExpertEncoding"];
/// Ours: code points of a CID font, twice over.
const MAX_WIDTHS: usize = 200_000;

impl<'a> Walk<'a, '_, '_> {
    /// A font of any kind.
    pub fn font(&mut self, found: &Found<'a>, scope: &Scope<'a>) -> R<Option<Id>> {
        let SourceObject::Dict(dict) = &found.object else {
            return Ok(None);
        };
        let mut drawn = 0;
        let made = self.once(Kind::Font, found.id, 0, |walk| match name(dict, "Subtype").as_deref() {
            Some(b"Type0") => walk.composite(dict),
            Some(b"Type3") => walk.type3(dict, scope, &mut drawn),
            Some(b"TrueType") => walk.simple(dict, "TrueType"),
            Some(b"MMType1") => walk.simple(dict, "MMType1"),
            _ => walk.simple(dict, "Type1"),
        })?;
        Ok(self.weighed(made, drawn))
    }

    fn simple(&mut self, dict: &Source<'a>, kind: &str) -> R<Option<Object>> {
        let mut out = Dict::of("Font").with("Subtype", Val::name(kind));
        out.set("BaseFont", base_font(dict));
        self.codes(dict, &mut out);
        if let Some(encoding) = self.find(dict, "Encoding") {
            out.set_some("Encoding", encoding_value(&encoding.object));
        }
        if let Some(descriptor) = self.find(dict, "FontDescriptor") {
            out.set_some("FontDescriptor", self.descriptor(&descriptor)?.map(Val::Ref));
        }
        self.character_map(dict, &mut out)?;
        self.rest(dict, &mut out);
        Ok(Some(Object::Value(Val::Dict(out))))
    }

    /// `FirstChar`, `LastChar`, `Widths`: all or none of them.
    fn codes(&self, dict: &Source<'a>, out: &mut Dict) {
        let code = |key: &str| integer(dict, key).filter(|n| (0..=255).contains(n) || off(Filter::PdfCodes));
        let (Some(first), Some(last)) = (code("FirstChar"), code("LastChar")) else {
            return;
        };
        let Some(widths) = numbers(dict, "Widths").filter(|w| !w.is_empty()) else { return };
        out.set("FirstChar", Val::int(first));
        out.set("LastChar", Val::int(last));
        out.set("Widths", Val::nums(widths.get(..widths.len().min(256)).unwrap_or_default()));
    }

    fn character_map(&mut self, dict: &Source<'a>, out: &mut Dict) -> R<()> {
        let Some(found) = self.find(dict, "ToUnicode") else {
            return Ok(());
        };
        let SourceObject::Stream(stream) = &found.object else {
            return Ok(());
        };
        let id = self.once(Kind::ToUnicode, found.id, 0, |walk| {
            let data = filters::decode(stream, walk.cx.budget)?;
            Ok(cmap::parse(&data.data, cmap::Use::ToUnicode).map(|map| flate(Dict::new(), &map.write())))
        })?;
        out.set_some("ToUnicode", id.map(Val::Ref));
        Ok(())
    }

    fn composite(&mut self, dict: &Source<'a>) -> R<Option<Object>> {
        let Some(descendants) = dict.get::<Array<'a>>("DescendantFonts") else {
            return Ok(None);
        };
        let Some(descendant) = self.items(&descendants).into_iter().next() else {
            return Ok(None);
        };
        let Some(descendant) = self.descendant(&descendant)? else {
            return Ok(None);
        };
        let mut out = Dict::of("Font").with("Subtype", Val::name("Type0"));
        out.set("BaseFont", base_font(dict));
        out.set("DescendantFonts", Val::Array(vec![Val::Ref(descendant)]));
        let encoding = match self.find(dict, "Encoding") {
            Some(found) => self.cmap_entry(&found)?,
            None => None,
        };
        out.set("Encoding", encoding.unwrap_or_else(|| Val::name("Identity-H")));
        self.character_map(dict, &mut out)?;
        Ok(Some(Object::Value(Val::Dict(out))))
    }

    fn cmap_entry(&mut self, found: &Found<'a>) -> R<Option<Val>> {
        match &found.object {
            SourceObject::Name(n) if off(Filter::PdfCMapNames) => Ok(Name::new(n.as_ref()).map(Val::Name)),
            SourceObject::Name(n) => Ok(cmap::predefined(n.as_ref()).map(Val::name)),
            SourceObject::Stream(stream) => {
                let id = self.once(Kind::CMap, found.id, 0, |walk| walk.cmap(stream))?;
                Ok(id.map(Val::Ref))
            }
            _ => Ok(None),
        }
    }

    fn cmap(&mut self, stream: &Stream<'a>) -> R<Option<Object>> {
        let dict = stream.dict();
        let data = filters::decode(stream, self.cx.budget)?;
        let Some(mut map) = cmap::parse(&data.data, cmap::Use::Encoding) else {
            return Ok(None);
        };
        map.vertical |= integer(dict, "WMode") == Some(1);
        if map.uses.is_none()
            && let Some(other) = name(dict, "UseCMap")
        {
            map.uses = cmap::predefined(&other);
        }
        let system = dict.get::<Source<'a>>("CIDSystemInfo");
        let mut out = Dict::of("CMap").with("CMapName", Val::name("CMap"));
        out.set("CIDSystemInfo", system_info(system.as_ref()));
        out.set_some("WMode", map.vertical.then(|| Val::int(1)));
        Ok(Some(flate(out, &map.write())))
    }

    fn descendant(&mut self, found: &Found<'a>) -> R<Option<Id>> {
        let SourceObject::Dict(dict) = &found.object else {
            return Ok(None);
        };
        self.once(Kind::Descendant, found.id, 0, |walk| {
            let kind = match name(dict, "Subtype").as_deref() {
                Some(b"CIDFontType0") => "CIDFontType0",
                Some(b"CIDFontType2") => "CIDFontType2",
                _ => return Ok(None),
            };
            let mut out = Dict::of("Font").with("Subtype", Val::name(kind));
            out.set("BaseFont", base_font(dict));
            out.set("CIDSystemInfo", system_info(dict.get::<Source<'a>>("CIDSystemInfo").as_ref()));
            out.set_some("DW", number(dict, "DW").map(Val::num));
            out.set_some("DW2", nums_val(dict, "DW2", 2));
            for key in ["W", "W2"] {
                out.set_some(key, dict.get::<Array<'a>>(key).and_then(|a| widths(&a)));
            }
            if let Some(descriptor) = walk.find(dict, "FontDescriptor") {
                out.set_some("FontDescriptor", walk.descriptor(&descriptor)?.map(Val::Ref));
            }
            if let Some(map) = walk.find(dict, "CIDToGIDMap") {
                out.set_some("CIDToGIDMap", walk.cid_to_gid(&map)?);
            }
            Ok(Some(Object::Value(Val::Dict(out))))
        })
    }

    fn cid_to_gid(&mut self, found: &Found<'a>) -> R<Option<Val>> {
        match &found.object {
            SourceObject::Name(n) if n.as_ref() == b"Identity" => Ok(Some(Val::name("Identity"))),
            SourceObject::Stream(stream) => {
                let id = self.once(Kind::CidToGid, found.id, 0, |walk| {
                    let data = filters::decode(stream, walk.cx.budget)?;
                    let most = data.data.len().min(131_072) & !1;
                    Ok(Some(flate(Dict::new(), data.data.get(..most).unwrap_or_default())))
                })?;
                Ok(id.map(Val::Ref))
            }
            _ => Ok(None),
        }
    }

    fn descriptor(&mut self, found: &Found<'a>) -> R<Option<Id>> {
        let SourceObject::Dict(dict) = &found.object else {
            return Ok(None);
        };
        self.once(Kind::Descriptor, found.id, 0, |walk| {
            let mut out = Dict::of("FontDescriptor");
            out.set("FontName", free_name(dict, "FontName").map_or_else(|| base_font(dict), plain));
            out.set("Flags", Val::int(integer(dict, "Flags").unwrap_or(4)));
            out.set_some("FontBBox", nums_val(dict, "FontBBox", 4));
            for key in [
                "ItalicAngle",
                "Ascent",
                "Descent",
                "CapHeight",
                "XHeight",
                "StemV",
                "StemH",
                "AvgWidth",
                "MaxWidth",
                "Leading",
                "MissingWidth",
                "FontWeight",
            ] {
                out.set_some(key, number(dict, key).map(Val::num));
            }
            for key in ["FontFile", "FontFile2", "FontFile3"] {
                if let Some(file) = walk.find(dict, key)
                    && let Some((key, id)) = walk.program(&file)?
                {
                    out.set(key, Val::Ref(id));
                    break;
                }
            }
            walk.rest(dict, &mut out);
            Ok(Some(Object::Value(Val::Dict(out))))
        })
    }

    /// A font program and the key it belongs under: by what it is, not by where it stood.
    fn program(&mut self, found: &Found<'a>) -> R<Option<(&'static str, Id)>> {
        let SourceObject::Stream(stream) = &found.object else {
            return Ok(None);
        };
        let subtype = name(stream.dict(), "Subtype");
        let id = self.once(Kind::FontFile, found.id, 0, |walk| {
            let data = filters::decode(stream, walk.cx.budget)?;
            let program = programs::read(&data.data, subtype.as_deref());
            let Some(program) = program.or_else(|| programs::unread(&data.data)) else {
                walk.found("PDF-74", FindingAction::Removed);
                return Ok(None);
            };
            walk.found(program.risk, FindingAction::Kept);
            Ok(Some(flate(program.dict, &program.data)))
        })?;
        let Some(id) = id else { return Ok(None) };
        let key = match self.document.get(id) {
            Some(Object::Stream(dict, _, _)) if dict.get("Subtype").is_some() => "FontFile3",
            Some(Object::Stream(dict, _, _)) if dict.get("Length2").is_some() => "FontFile",
            _ => "FontFile2",
        };
        Ok(Some((key, id)))
    }

    fn type3(&mut self, dict: &Source<'a>, outer: &Scope<'a>, drawn: &mut u64) -> R<Option<Object>> {
        let scope = dict.get::<Source<'a>>("Resources").map_or_else(|| outer.clone(), |d| self.scope(d, Some(outer)));
        let Some(procs) = dict.get::<Source<'a>>("CharProcs") else {
            return Ok(None);
        };
        let Some(matrix) = exactly(dict, "FontMatrix", 6) else {
            return Ok(None);
        };
        let mut used = Used::default();
        let mut glyphs = Dict::new();
        let mut entries: Vec<_> = procs.entries().map(|(key, value)| (key.as_ref().to_vec(), value)).collect();
        entries.truncate(4096);
        for (key, value) in entries {
            let Some(Found { object: SourceObject::Stream(stream), .. }) = self.resolve(value) else {
                continue;
            };
            let Some(key) = Name::new(&key) else { continue };
            // Not shared between fonts: the names in a glyph are those of its font's resources.
            let data = filters::decode(&stream, self.cx.budget)?;
            let content = self.nested_content(&data.data, &scope, &mut used)?;
            let id = self.document.add(Val::Null);
            self.document.put(id, flate(Dict::new(), &content));
            glyphs.set_named(key, Val::Ref(id));
        }
        *drawn = used.drawn;
        let mut out = Dict::of("Font").with("Subtype", Val::name("Type3"));
        out.set("FontBBox", nums_val(dict, "FontBBox", 4).unwrap_or_else(|| Val::nums(&[0.0; 4])));
        out.set("FontMatrix", Val::nums(&matrix));
        out.set("CharProcs", Val::Dict(glyphs));
        let encoding = self.find(dict, "Encoding").and_then(|e| encoding_value(&e.object));
        let encoding = encoding.filter(|e| matches!(e, Val::Dict(_)));
        out.set("Encoding", encoding.unwrap_or_else(|| Val::Dict(Dict::of("Encoding"))));
        out.set("FirstChar", Val::int(0));
        out.set("LastChar", Val::int(0));
        out.set("Widths", Val::nums(&[0.0]));
        self.codes(dict, &mut out);
        out.set("Resources", Val::Dict(used.dict()));
        self.character_map(dict, &mut out)?;
        Ok(Some(Object::Value(Val::Dict(out))))
    }

    fn nested_content(&mut self, data: &[u8], scope: &Scope<'a>, used: &mut Used) -> R<Vec<u8>> {
        self.cx.budget.spend_entries(1)?;
        self.content(data, scope, used, Role::Glyph)
    }
}

fn plain(name: Name) -> Val {
    // PDF-74: a name like a path is one.
    let path = |b: u8| matches!(b, b'\\' | b'/' | b':') && !off(Filter::PdfFontNames);
    let bytes: Vec<u8> = name.bytes().iter().copied().filter(|b| !path(*b)).collect();
    Name::new(&bytes).map_or_else(|| Val::name("Font"), Val::Name)
}

fn base_font(dict: &Source<'_>) -> Val {
    free_name(dict, "BaseFont").map_or_else(|| Val::name("Font"), plain)
}

fn encoding_value(object: &SourceObject<'_>) -> Option<Val> {
    let dict = match object {
        SourceObject::Name(n) => {
            let known = ENCODINGS.iter().find(|e| e.as_bytes() == n.as_ref()).map(|e| Val::name(e));
            return known.or_else(|| Name::new(n.as_ref()).filter(|_| off(Filter::PdfEncodings)).map(Val::Name));
        }
        SourceObject::Dict(dict) => dict,
        _ => return None,
    };
    let mut out = Dict::of("Encoding");
    out.set_some("BaseEncoding", choice(dict, "BaseEncoding", ENCODINGS));
    if let Some(differences) = dict.get::<Array<'_>>("Differences") {
        // Names without a code before them have no place; those behind a code that is none neither.
        let mut placed = false;
        let mut items: Vec<Val> = Vec::new();
        for item in objects(&differences).into_iter().take(4096) {
            match item {
                SourceObject::Number(n) => {
                    placed = (0..=255).contains(&n.as_i64()) || off(Filter::PdfCodes);
                    items.extend(placed.then(|| Val::int(n.as_i64())));
                }
                SourceObject::Name(n) if placed => items.extend(Name::new(n.as_ref()).map(Val::Name)),
                _ => {}
            }
        }
        out.set_some("Differences", (!items.is_empty()).then_some(Val::Array(items)));
    }
    Some(Val::Dict(out))
}

fn system_info(dict: Option<&Source<'_>>) -> Val {
    let text = |key: &str, default: &[u8]| {
        let given = dict.and_then(|d| d.get::<SourceString<'_>>(key));
        let given: Option<Vec<u8>> = given.map(|s| s.as_bytes().iter().copied().filter(is_plain).take(32).collect());
        Val::Str(given.filter(|s| !s.is_empty()).unwrap_or_else(|| default.to_vec()))
    };
    let supplement = dict.and_then(|d| integer(d, "Supplement")).unwrap_or(0).clamp(0, 255);
    let out = Dict::new()
        .with("Registry", text("Registry", b"Adobe"))
        .with("Ordering", text("Ordering", b"Identity"))
        .with("Supplement", Val::int(supplement));
    Val::Dict(out)
}

fn is_plain(b: &u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || off(Filter::PdfCollections)
}

/// `W` and `W2`: numbers and arrays of numbers.
fn widths(array: &Array<'_>) -> Option<Val> {
    let mut left = MAX_WIDTHS;
    let mut out = Vec::new();
    for item in objects(array) {
        left = left.checked_sub(1)?;
        match item {
            SourceObject::Number(n) => out.push(Val::num(n.as_f64())),
            SourceObject::Array(inner) => {
                let inner = super::walk::array_numbers(&inner);
                left = left.checked_sub(inner.len())?;
                out.push(Val::nums(&inner));
            }
            _ => {}
        }
    }
    (!out.is_empty()).then_some(Val::Array(out))
}
