//! What is drawn: resources, forms, images, patterns, shadings and graphics states (ISO 32000-1, 7.8.3, 8.4 to 8.10, 11).

use super::content::{self, KINDS, Used, numbered};
use super::file::{Filter, Loaded};
use super::graph::{Facts, Graph, Kind, Picture, Space};
use super::value::{Dict, Value};
use crate::Rejection;
use crate::dialects::{jpeg, picture};
use model::Format;

/// 8.6.5.8.
pub(super) const INTENTS: [&str; 4] = ["AbsoluteColorimetric", "RelativeColorimetric", "Saturation", "Perceptual"];

/// 11.3.5.
const BLEND_MODES: [&str; 16] = [
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

impl Graph<'_, '_> {
    /// A content stream, kept as the names that it uses.
    pub(super) fn content(&mut self, id: u32, glyph: bool) -> Result<Facts, Rejection> {
        let (dict, data) = self.load_stream(id)?;
        dict.done()?;
        self.content_data(data, glyph)
    }

    fn content_data(&mut self, data: &[u8], glyph: bool) -> Result<Facts, Rejection> {
        let used = content::check(&self.inflate(data)?, glyph)?;
        self.used.push(used);
        Ok(Facts::Content(self.used.len().saturating_sub(1)))
    }

    /// Takes Resources, which name what the content stream `id` uses and no more.
    pub(super) fn drawn(&mut self, id: u32, dict: &mut Dict<'_>) -> Result<(), Rejection> {
        let facts = self.visit(id, Kind::Content)?;
        self.resources_of(facts, dict)
    }

    fn resources_of(&mut self, content: Facts, dict: &mut Dict<'_>) -> Result<(), Rejection> {
        let Facts::Content(index) = content else {
            return Err(dict.reject("content stream"));
        };
        let used = self.used.get(index).cloned().unwrap_or_default();
        self.resources(&used, dict)
    }

    /// 7.8.3: takes Resources. What the content draws, forms in forms counted each time, is then in `drawings`.
    pub(super) fn resources(&mut self, used: &Used, dict: &mut Dict<'_>) -> Result<(), Rejection> {
        let mut resources = dict.dict("Resources")?;
        let mut drawings = 0u64;
        for ((key, letter), numbers) in KINDS.iter().zip(&used.0) {
            let names = resources.opt_dict(key)?.unwrap_or_default();
            let rule = || dict.reject(format!("7.8.3: {key} names what the content uses, and no more"));
            if names.entries.len() != numbers.len() {
                return Err(rule());
            }
            let dense = numbers.last_key_value().is_none_or(|(last, _)| *last as usize == numbers.len());
            dict.check(dense, "dialect §2: resources are numbered from 1")?;
            for (name, value) in &names.entries {
                let times = numbered(name, *letter).and_then(|n| numbers.get(&n)).ok_or_else(rule)?;
                let id = value.reference().ok_or_else(|| dict.reject("7.8.3: resource by reference"))?;
                self.resource(id, key)?;
                let once = self.drawings_of(id).saturating_add(u64::from(*key != "Font"));
                drawings = drawings.saturating_add(times.saturating_mul(once));
            }
        }
        self.drawings = drawings;
        resources.done()
    }

    fn resource(&mut self, id: u32, key: &str) -> Result<(), Rejection> {
        let kind = match key {
            "ColorSpace" => Kind::Colour,
            "ExtGState" => Kind::ExtGState,
            "Font" => Kind::Font,
            "Pattern" => Kind::Pattern,
            "Shading" => Kind::Shading,
            "XObject" => Kind::XObject,
            _ => return self.member(id),
        };
        if let Facts::Image(Picture { matte: Some(_), .. }) = self.visit(id, kind)? {
            return Err(Rejection::new(0, "11.6.5.3: Matte in what is drawn as an image"));
        }
        Ok(())
    }

    /// 8.8: a form or an image.
    pub(super) fn x_object(&mut self, id: u32) -> Result<Facts, Rejection> {
        let (mut dict, filter, data) = match self.load(id)? {
            Loaded::Stream(dict, filter, data) => (dict, filter, data),
            Loaded::Dict(dict) => return Err(dict.reject("8.8: XObject is a stream")),
            Loaded::Array(at, _) => return Err(Rejection::new(at, "8.8: XObject is a stream")),
        };
        dict.is("Type", "XObject")?;
        match dict.req("Subtype", Value::name)? {
            b"Form" if filter == Filter::Flate => self.form(dict, data),
            b"Image" => self.image(dict, filter, data),
            _ => Err(dict.reject("8.8: Form or Image (PDF-57)")),
        }
    }

    /// 8.10.2.
    fn form(&mut self, mut dict: Dict<'_>, data: &[u8]) -> Result<Facts, Rejection> {
        dict.rect("BBox")?;
        dict.opt_tuple("Matrix", 6)?;
        self.optional_content(&mut dict)?;
        let group = dict.opt_dict("Group")?;
        let facts = Facts::Form { group: group.is_some() };
        if let Some(group) = group {
            self.group(group)?;
        }
        let content = self.content_data(data, false)?;
        self.resources_of(content, &mut dict)?;
        dict.done()?;
        Ok(facts)
    }

    /// 11.6.6.
    pub(super) fn group(&mut self, mut dict: Dict<'_>) -> Result<(), Rejection> {
        dict.is("Type", "Group")?;
        dict.is("S", "Transparency")?;
        if let Some(space) = dict.take("CS")
            && matches!(self.direct_colour(dict.at, &space)?, Space::Pattern | Space::Indexed)
        {
            return Err(dict.reject("11.6.6: CS"));
        }
        dict.opt_bool("I")?;
        dict.opt_bool("K")?;
        dict.done()
    }

    /// 8.9.5.
    fn image(&mut self, mut dict: Dict<'_>, filter: Filter, data: &[u8]) -> Result<Facts, Rejection> {
        let side = |n: i64| u32::try_from(n).unwrap_or_default();
        let width = side(dict.int("Width", 1..=i64::from(u32::MAX))?);
        let height = side(dict.int("Height", 1..=i64::from(u32::MAX))?);
        picture::canvas(width, height, self.policy)?;
        let stencil = dict.opt_bool("ImageMask")?;
        dict.check(stencil != Some(false), "dialect §2: ImageMask is true")?;
        let space = if stencil.is_some() {
            Space::Grey
        } else {
            let space = dict.need("ColorSpace")?;
            self.colour_or_ref(dict.at, &space)?
        };
        let stencil = stencil.is_some();
        let bits = dict.int_of("BitsPerComponent", if stencil { &[1] } else { &[1, 2, 4, 8, 16] })?;
        let components = space.components();
        dict.check(components != 0, "8.9.5.1: image in Pattern")?;
        dict.opt_tuple("Decode", components.saturating_mul(2))?;
        dict.opt_bool("Interpolate")?;
        dict.one_of("Intent", &INTENTS)?;
        self.optional_content(&mut dict)?;
        let masked = self.masks(&mut dict, components, stencil)?;
        let matte = dict.opt_numbers("Matte")?.map(|m| m.len());
        dict.done()?;
        let bits_of_pixel = u32::try_from(components.saturating_mul(usize::try_from(bits).unwrap_or_default()));
        let bits_of_pixel = bits_of_pixel.map_err(|_| dict.reject("8.9.5: components"))?;
        let row = picture::row_bytes(width, bits_of_pixel)? as u64;
        match filter {
            Filter::Flate => self.inflate_len(data, row.saturating_mul(u64::from(height)))?,
            Filter::Dct => {
                let known = matches!(space, Space::Grey | Space::Rgb) && bits == 8 && !stencil;
                dict.check(known, "dialect §2: DCT in DeviceGray or DeviceRGB, of 8 bits")?;
                self.photograph(data, width, height, components)?;
            }
        }
        let plain_grey = !stencil && !masked && space == Space::Grey;
        dict.check(matte.is_none() || plain_grey, "11.6.5.3: Matte in a soft-mask image only")?;
        Ok(Facts::Image(Picture { stencil, plain_grey, matte }))
    }

    /// Takes Mask and SMask; whether there was one.
    fn masks(&mut self, dict: &mut Dict<'_>, components: usize, stencil: bool) -> Result<bool, Rejection> {
        let (mask, soft) = (dict.take("Mask"), dict.opt_ref("SMask")?);
        let some = mask.is_some() || soft.is_some();
        dict.check(!stencil || !some, "8.9.6.2: a stencil mask has no mask")?;
        match mask {
            None => {}
            Some(Value::Ref(id)) => {
                let facts = self.visit(id, Kind::XObject)?;
                let sound = matches!(facts, Facts::Image(Picture { stencil: true, .. }));
                dict.check(sound, "8.9.6.3: Mask is an image mask")?;
            }
            Some(ranges) => {
                let ints = ranges
                    .array()
                    .is_some_and(|r| r.len() == components.saturating_mul(2) && r.iter().all(|n| n.int().is_some()));
                dict.check(ints, "8.9.6.4: Mask by colour key")?;
            }
        }
        if let Some(id) = soft {
            let facts = self.visit(id, Kind::XObject)?;
            let sound = matches!(facts, Facts::Image(Picture { plain_grey: true, matte, .. })
                if matte.is_none_or(|n| n == components));
            dict.check(sound, "11.6.5.3: SMask is an image in DeviceGray without a mask")?;
        }
        Ok(some)
    }

    /// DCT data are a JPEG of our dialect, with the size that the dictionary says.
    fn photograph(&mut self, data: &[u8], width: u32, height: u32, components: usize) -> Result<(), Rejection> {
        jpeg::verify(data, Format::Jpeg, self.policy, self.limits).map_err(|r| r.inside("DCTDecode"))?;
        // SOF0 stands behind SOI and APP0, so the size is at byte 25: the dialect has no other order.
        let Some([h1, h2, w1, w2, count]) = data.get(25..30) else {
            return Err(Rejection::new(0, "DCTDecode: SOF0"));
        };
        let size = (u32::from(u16::from_be_bytes([*w1, *w2])), u32::from(u16::from_be_bytes([*h1, *h2])));
        if size != (width, height) || usize::from(*count) != components {
            return Err(Rejection::new(25, "DCTDecode: the JPEG is of another size or colour space (PDF-20)"));
        }
        Ok(())
    }

    /// 8.7.
    pub(super) fn pattern(&mut self, id: u32) -> Result<Facts, Rejection> {
        match self.load(id)? {
            Loaded::Stream(mut dict, Filter::Flate, data) => {
                dict.is("Type", "Pattern")?;
                dict.int_of("PatternType", &[1])?;
                dict.int_of("PaintType", &[1, 2])?;
                dict.int_of("TilingType", &[1, 2, 3])?;
                dict.rect("BBox")?;
                for step in ["XStep", "YStep"] {
                    dict.req(step, |v| v.number().filter(|n| *n != 0.0))?;
                }
                dict.opt_tuple("Matrix", 6)?;
                let content = self.content_data(data, false)?;
                self.resources_of(content, &mut dict)?;
                dict.done()?;
                Ok(Facts::Tiling)
            }
            Loaded::Dict(mut dict) => {
                dict.is("Type", "Pattern")?;
                dict.int_of("PatternType", &[2])?;
                dict.opt_tuple("Matrix", 6)?;
                let shading = dict.reference("Shading")?;
                dict.done()?;
                self.visit(shading, Kind::Shading)?;
                Ok(Facts::Nothing)
            }
            Loaded::Stream(dict, Filter::Dct, _) => Err(dict.reject("8.7: filter of a pattern")),
            Loaded::Array(at, _) => Err(Rejection::new(at, "8.7: pattern")),
        }
    }

    /// 8.7.4.5.
    pub(super) fn shading(&mut self, id: u32) -> Result<Facts, Rejection> {
        let (mut dict, mesh) = match self.load(id)? {
            Loaded::Dict(dict) => (dict, None),
            Loaded::Stream(dict, Filter::Flate, data) => (dict, Some(data)),
            Loaded::Stream(dict, Filter::Dct, _) => return Err(dict.reject("8.7.4.5: filter of a shading")),
            Loaded::Array(at, _) => return Err(Rejection::new(at, "8.7.4.5: shading")),
        };
        let space = dict.need("ColorSpace")?;
        let space = self.direct_colour(dict.at, &space)?;
        dict.check(space != Space::Pattern, "8.7.4.3: ColorSpace of a shading")?;
        dict.opt_tuple("Background", space.components())?;
        dict.opt_rect("BBox")?;
        dict.opt_bool("AntiAlias")?;
        let function = dict.take("Function");
        if let Some(function) = &function {
            let coordinates = if dict.get("ShadingType").and_then(Value::int) == Some(1) { 2 } else { 1 };
            self.functions(dict.at, function, coordinates, space.components())?;
        }
        let kind = dict.int_of("ShadingType", if mesh.is_some() { &[4, 5, 6, 7] } else { &[1, 2, 3] })?;
        dict.check(kind > 3 || function.is_some(), "/Function is missing")?;
        match kind {
            1 => {
                dict.opt_tuple("Domain", 4)?;
                dict.opt_tuple("Matrix", 6)?;
            }
            2 | 3 => {
                dict.tuple("Coords", if kind == 2 { 4 } else { 6 })?;
                dict.opt_tuple("Domain", 2)?;
                dict.opt("Extend", |v| matches!(v.array()?, [Value::Bool(_), Value::Bool(_)]).then_some(()))?;
            }
            _ => self.mesh(&mut dict, kind, if function.is_some() { 1 } else { space.components() }, mesh)?,
        }
        dict.done()?;
        Ok(Facts::Nothing)
    }

    fn mesh(&mut self, dict: &mut Dict<'_>, kind: i64, colours: usize, data: Option<&[u8]>) -> Result<(), Rejection> {
        dict.int_of("BitsPerCoordinate", &[1, 2, 4, 8, 12, 16, 24, 32])?;
        dict.int_of("BitsPerComponent", &[1, 2, 4, 8, 12, 16])?;
        if kind == 5 {
            dict.int("VerticesPerRow", 2..=i64::MAX)?;
        } else {
            dict.int_of("BitsPerFlag", &[2, 4, 8])?;
        }
        dict.tuple("Decode", colours.saturating_mul(2).saturating_add(4))?;
        self.inflate(data.unwrap_or_default()).map(|_| ())
    }

    /// 8.4.5.
    pub(super) fn ext_gstate(&mut self, id: u32) -> Result<Facts, Rejection> {
        let mut dict = self.load_dict(id)?;
        for key in ["AIS", "SA", "TK", "OP", "op"] {
            dict.opt_bool(key)?;
        }
        dict.one_of("BM", &BLEND_MODES)?;
        for key in ["CA", "ca"] {
            dict.opt(key, |v| v.number().filter(|n| (0.0..=1.0).contains(n)))?;
        }
        for key in ["FL", "LW", "ML", "SM"] {
            dict.opt(key, Value::number)?;
        }
        for key in ["LC", "LJ"] {
            dict.opt_int(key, 0..=2)?;
        }
        dict.opt_int("OPM", 0..=1)?;
        dict.one_of("RI", &INTENTS)?;
        dict.opt("D", |v| match v.array()? {
            [dashes, phase] => dashes.numbers().and(phase.number()),
            _ => None,
        })?;
        let font = dict.opt("Font", |v| match v.array()? {
            [Value::Ref(font), size] => size.number().map(|_| *font),
            _ => None,
        })?;
        if let Some(font) = font {
            self.visit(font, Kind::Font)?;
        }
        match dict.take("SMask") {
            None | Some(Value::Name(b"None")) => {}
            Some(Value::Dict(mask)) => self.soft_mask(mask)?,
            Some(_) => return Err(dict.reject("11.6.5.2: SMask")),
        }
        dict.done()?;
        Ok(Facts::Nothing)
    }

    /// 11.6.5.2.
    fn soft_mask(&mut self, mut dict: Dict<'_>) -> Result<(), Rejection> {
        dict.check(dict.get("S").is_some(), "/S is missing")?;
        dict.one_of("S", &["Alpha", "Luminosity"])?;
        dict.opt_numbers("BC")?;
        if let Some(function) = dict.opt_ref("TR")? {
            self.transform(function, 1, 1)?;
        }
        let form = dict.reference("G")?;
        let facts = self.visit(form, Kind::XObject)?;
        dict.check(matches!(facts, Facts::Form { group: true }), "11.6.5.2: G is a transparency group")?;
        dict.done()
    }
}
