//! Images (ISO 32000-1 clause 8.9): decoded to samples and written anew.

use super::codecs::{self, Samples};
use super::color::{Family, Space, intent};
use super::filters::{self, Kind as Codec, Parms};
use super::value::{Coding, Dict, Id, Object, Val};
use super::walk::{Found, Kind, R, Scope, Walk, array_numbers, flag, flate, integer, numbers};
use crate::formats::raster::{self, Colour, Pixels, Sampling};
use crate::switches::{Filter, off};
use hayro::hayro_syntax::object::{Dict as Source, Object as SourceObject, Stream};
use model::{Budget, FindingAction};
use std::borrow::Cow;

/// What the image stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A picture.
    Base,
    /// The soft mask of another.
    SoftMask,
    /// The stencil mask of another.
    Stencil,
}

/// What an image dictionary says, from either kind of dictionary.
struct Header {
    width: u32,
    height: u32,
    bits: u32,
    stencil: bool,
    space: Option<Space>,
    decode: Option<Vec<f64>>,
    interpolate: Option<bool>,
}

impl<'a> Walk<'a, '_, '_> {
    /// An image XObject.
    pub fn image(&mut self, found: &Found<'a>, scope: &Scope<'a>) -> R<Option<Id>> {
        self.image_as(found, scope, Part::Base)
    }

    fn image_as(&mut self, found: &Found<'a>, scope: &Scope<'a>, part: Part) -> R<Option<Id>> {
        let SourceObject::Stream(stream) = &found.object else {
            return Ok(None);
        };
        let kind = match part {
            Part::Base => Kind::Image,
            Part::SoftMask => Kind::SoftMask,
            Part::Stencil => Kind::StencilMask,
        };
        self.once(kind, found.id, 0, |walk| walk.image_object(stream, scope, part))
    }

    fn image_object(&mut self, stream: &Stream<'a>, scope: &Scope<'a>, part: Part) -> R<Option<Object>> {
        let dict = stream.dict();
        let Some(mut header) = self.header(dict, scope, part)? else {
            return Ok(None);
        };
        if header.bits > 0 && !header.stencil {
            self.cx.budget.spend_pixels(header.width, header.height, 1)?;
        }
        let decoded = filters::decode(stream, self.cx.budget)?;
        if decoded.unknown {
            self.found("PDF-16", FindingAction::Removed);
            return Ok(None);
        }
        let was_jpeg = matches!(decoded.picture, Some((Codec::Dct, _)));
        let Some(samples) = self.samples(decoded.data, decoded.picture, &mut header)? else {
            return Ok(None);
        };
        let mut out = Dict::of("XObject").with("Subtype", Val::name("Image"));
        let mut color_key = false;
        if part == Part::Base {
            let in_data = integer(dict, "SMaskInData").unwrap_or(0) == 1;
            color_key = self.masks(dict, scope, &samples, in_data, header.stencil, &mut out)?;
            if let Some(oc) = self.find(dict, "OC") {
                out.set_some("OC", self.optional_content(&oc)?.map(Val::Ref));
            }
        }
        if part == Part::SoftMask {
            let matte = numbers(dict, "Matte").filter(|m| !m.is_empty() && m.len() <= 32 || off(Filter::PdfMasks));
            out.set_some("Matte", matte.map(|m| Val::nums(&m)));
        }
        if dict.contains_key("Alternates") {
            self.found("PDF-58", FindingAction::Removed);
        }
        out.set_some("Intent", intent(dict, "Intent"));
        self.rest(dict, &mut out);
        Ok(Some(self.image_stream(out, header, samples, was_jpeg && !color_key)?))
    }

    fn header(&mut self, dict: &Source<'a>, scope: &Scope<'a>, part: Part) -> R<Option<Header>> {
        let size = |long: &str, short: &str| {
            integer(dict, long).or_else(|| integer(dict, short)).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
        };
        let (Some(width), Some(height)) = (size("Width", "W"), size("Height", "H")) else {
            return Ok(None);
        };
        let stencil = part == Part::Stencil || (part == Part::Base && flag(dict, "ImageMask") == Some(true));
        let space = match self.find(dict, "ColorSpace").or_else(|| self.find(dict, "CS")) {
            Some(found) if !stencil => {
                self.space_entry(&found, Some(&scope.dict))?.filter(|s| s.family != Family::Pattern)
            }
            _ => None,
        };
        let space = if part == Part::SoftMask { Space::device(1) } else { space };
        let bits = if stencil { Some(1) } else { size("BitsPerComponent", "BPC") };
        let (bits, decode) = (bits.unwrap_or(8), numbers(dict, "Decode"));
        let interpolate = flag(dict, "Interpolate");
        Ok(Some(Header { width, height, bits, stencil, space, decode, interpolate }))
    }

    /// Bare samples; `header` follows what the codec says.
    fn samples(
        &mut self,
        data: Cow<'_, [u8]>,
        picture: Option<(Codec, Parms)>,
        header: &mut Header,
    ) -> R<Option<Samples>> {
        let Some((kind, parms)) = picture else {
            let components = header.space.as_ref().map_or(1, |s| s.components);
            if !matches!(header.bits, 1 | 2 | 4 | 8 | 16) && !off(Filter::PdfSampleBits)
                || components == 0
                || (header.space.is_none() && !header.stencil)
            {
                return Ok(None);
            }
            let bytes = u32::try_from(components).unwrap_or(u32::MAX).saturating_mul(header.bits.div_ceil(8));
            self.cx.budget.spend_pixels(header.width, header.height, bytes)?;
            let (width, height, bits) = (header.width, header.height, header.bits);
            return Ok(Samples {
                width,
                height,
                components,
                bits,
                data: data.into_owned(),
                alpha: None,
                quarter: false,
            }
            .exact());
        };
        let id = match kind {
            Codec::Jbig2 => "PDF-18",
            Codec::Jpx => "PDF-19",
            _ => "PDF-20",
        };
        let made = codecs::decode(kind, &data, &parms, header.width, header.height, self.cx.budget)?;
        let Some(mut samples) = made else {
            self.found(id, FindingAction::Removed);
            return Ok(None);
        };
        self.found(id, FindingAction::ReEncoded);
        if header.stencil && samples.bits != 1 {
            samples = threshold(samples);
        }
        header.width = samples.width;
        header.height = samples.height;
        header.bits = samples.bits;
        if header.stencil {
            return Ok((samples.components == 1).then_some(samples));
        }
        if header.space.as_ref().is_none_or(|s| s.components != samples.components) {
            header.space = Space::device(samples.components);
            header.decode = None;
        }
        Ok(header.space.is_some().then_some(samples))
    }

    /// `SMask` and `Mask`; whether there is a colour key, which pixels must meet exactly.
    fn masks(
        &mut self,
        dict: &Source<'a>,
        scope: &Scope<'a>,
        samples: &Samples,
        alpha_in_data: bool,
        stencil: bool,
        out: &mut Dict,
    ) -> R<bool> {
        if stencil {
            return Ok(false);
        }
        if let Some(mask) = self.find(dict, "SMask")
            && let Some(id) = self.image_as(&mask, scope, Part::SoftMask)?
        {
            out.set("SMask", Val::Ref(id));
            return Ok(false);
        }
        if alpha_in_data && let Some(alpha) = &samples.alpha {
            let id = self.document.reserve();
            let mask = gray_image(samples.width, samples.height, alpha);
            self.document.put(id, mask);
            out.set("SMask", Val::Ref(id));
            return Ok(false);
        }
        match self.find(dict, "Mask") {
            Some(Found { object: SourceObject::Array(key), .. }) => {
                let key: Vec<Val> =
                    array_numbers(&key).into_iter().map(|n| Val::int(Val::whole(n).clamp(0, 65_535))).collect();
                let fits = key.len() == samples.components.saturating_mul(2) || off(Filter::PdfMasks);
                out.set_some("Mask", fits.then_some(Val::Array(key)));
                Ok(fits)
            }
            Some(mask) => {
                out.set_some("Mask", self.image_as(&mask, scope, Part::Stencil)?.map(Val::Ref));
                Ok(false)
            }
            None => Ok(false),
        }
    }

    fn image_stream(&mut self, mut out: Dict, header: Header, samples: Samples, may_be_jpeg: bool) -> R<Object> {
        out.set("Width", Val::int(samples.width));
        out.set("Height", Val::int(samples.height));
        out.set("BitsPerComponent", Val::int(samples.bits));
        let family = header.space.as_ref().map_or(Family::Other, |s| s.family);
        match header.space {
            Some(space) if !header.stencil => out.set("ColorSpace", space.value),
            _ => out.set("ImageMask", Val::Bool(true)),
        }
        let wanted = samples.components.saturating_mul(2);
        let decode = header.decode.filter(|d| d.len() >= wanted);
        out.set_some("Decode", decode.and_then(|d| d.get(..wanted).map(Val::nums)));
        out.set_some("Interpolate", header.interpolate.filter(|i| *i).map(Val::Bool));
        if may_be_jpeg
            && matches!(family, Family::Gray | Family::Rgb)
            && let Some(jpeg) = encode_jpeg(&samples, self.cx.budget)?
        {
            return Ok(Object::Stream(out, Coding::Dct, jpeg));
        }
        Ok(flate(out, &samples.data))
    }

    /// How many bytes the data of an inline image without filters has.
    pub fn inline_length(&mut self, image: &Inline, scope: &Scope<'a>) -> R<Option<usize>> {
        if image.get("Filter", "F").is_some() {
            return Ok(None);
        }
        let Some(header) = self.inline_header(image, scope)? else {
            return Ok(None);
        };
        let components = header.space.as_ref().map_or(1, |s| s.components);
        let row = Samples::row(header.width, components, header.bits);
        Ok(row.and_then(|row| row.checked_mul(header.height as usize)))
    }

    fn inline_header(&mut self, image: &Inline, scope: &Scope<'a>) -> R<Option<Header>> {
        let (Some(width), Some(height)) = (image.size("Width", "W"), image.size("Height", "H")) else {
            return Ok(None);
        };
        let stencil = image.flag("ImageMask", "IM").unwrap_or(false);
        let bits = if stencil { 1 } else { image.size("BitsPerComponent", "BPC").unwrap_or(8) };
        let space = match image.get("ColorSpace", "CS") {
            Some(value) if !stencil => self.inline_space(value, scope)?,
            _ => None,
        };
        let decode = match image.get("Decode", "D") {
            Some(Val::Array(items)) => Some(items.iter().map(number).collect()),
            _ => None,
        };
        let interpolate = image.flag("Interpolate", "I");
        Ok(Some(Header { width, height, bits, stencil, space, decode, interpolate }))
    }

    fn inline_space(&mut self, value: &Val, scope: &Scope<'a>) -> R<Option<Space>> {
        match value {
            Val::Name(name) => self.named_space(name.bytes(), scope),
            Val::Array(items) => {
                let [Val::Name(kind), Val::Name(base), Val::Num(high), table] = items.as_slice() else {
                    return match items.as_slice() {
                        [Val::Name(only)] => self.named_space(only.bytes(), scope),
                        _ => Ok(None),
                    };
                };
                if !matches!(kind.bytes(), b"Indexed" | b"I") {
                    return Ok(None);
                }
                let Some(base) = self.named_space(base.bytes(), scope)? else {
                    return Ok(None);
                };
                let Val::Str(table) = table else { return Ok(None) };
                let high = Val::whole(*high).clamp(0, 255);
                let mut table = table.clone();
                let rows = usize::try_from(high).unwrap_or(0).saturating_add(1);
                table.resize(rows.saturating_mul(base.components), 0);
                if matches!(base.family, Family::Indexed | Family::Pattern) || matches!(base.value, Val::Ref(_)) {
                    return Ok(None);
                }
                let value = Val::Array(vec![Val::name("Indexed"), base.value, Val::int(high), Val::Str(table)]);
                Ok(Some(Space { value, components: 1, family: Family::Indexed }))
            }
            _ => Ok(None),
        }
    }

    fn named_space(&mut self, name: &[u8], scope: &Scope<'a>) -> R<Option<Space>> {
        let components = match name {
            b"DeviceGray" | b"G" => 1,
            b"DeviceRGB" | b"RGB" => 3,
            b"DeviceCMYK" | b"CMYK" => 4,
            _ => {
                let named = scope.dict.get::<Source<'a>>("ColorSpace");
                let found = named.and_then(|d| d.get_raw::<SourceObject<'a>>(name)).and_then(|raw| self.resolve(raw));
                return match found {
                    Some(found) => self.space_entry(&found, Some(&scope.dict)),
                    None => Ok(None),
                };
            }
        };
        Ok(Space::device(components))
    }

    /// An inline image as an XObject.
    pub fn inline_image(&mut self, image: &Inline, data: &[u8], scope: &Scope<'a>) -> R<Option<Id>> {
        self.cx.budget.spend_entries(1)?;
        let Some(mut header) = self.inline_header(image, scope)? else {
            return Ok(None);
        };
        let Some(filters) = image.filters() else {
            return Ok(None);
        };
        let decoded = filters::undo(Cow::Borrowed(data), filters, self.cx.budget)?;
        if decoded.unknown {
            return Ok(None);
        }
        self.found("PDF-20", FindingAction::ReEncoded);
        let was_jpeg = matches!(decoded.picture, Some((Codec::Dct, _)));
        let Some(samples) = self.samples(decoded.data, decoded.picture, &mut header)? else {
            return Ok(None);
        };
        if let Some(Space { value: Val::Array(_), .. }) = &header.space {
            header.space = header.space.map(|space| {
                let id = self.document.add(space.value);
                Space { value: Val::Ref(id), ..space }
            });
        }
        let out = Dict::of("XObject").with("Subtype", Val::name("Image"));
        let object = self.image_stream(out, header, samples, was_jpeg)?;
        let id = self.document.reserve();
        self.document.put(id, object);
        Ok(Some(id))
    }
}

fn number(value: &Val) -> f64 {
    match value {
        Val::Num(n) => *n,
        _ => 0.0,
    }
}

fn threshold(samples: Samples) -> Samples {
    let width = samples.width as usize;
    let step = samples.components.max(1);
    let mut data = Vec::new();
    for row in samples.data.chunks(width.saturating_mul(step).max(1)) {
        for eight in row.chunks(step.saturating_mul(8)) {
            let bits = eight.chunks(step).enumerate().fold(0u8, |byte, (i, pixel)| {
                let on = pixel.first().is_some_and(|v| *v >= 128);
                byte | u8::from(on) << 7usize.saturating_sub(i)
            });
            data.push(bits);
        }
    }
    Samples { components: 1, bits: 1, data, ..samples }
}

/// An 8-bit grey image of ours.
pub fn gray_image(width: u32, height: u32, data: &[u8]) -> Object {
    let mut out = Dict::of("XObject").with("Subtype", Val::name("Image"));
    out.set("Width", Val::int(width));
    out.set("Height", Val::int(height));
    out.set("BitsPerComponent", Val::int(8));
    out.set("ColorSpace", Val::name("DeviceGray"));
    flate(out, data)
}

/// A JPEG in our dialect; `None` where the samples are none for it.
///
/// # Errors
/// [`model::Refusal::Limit`] where the budget is spent.
pub fn encode_jpeg(samples: &Samples, budget: &mut Budget) -> R<Option<Vec<u8>>> {
    let colour = match samples.components {
        1 => Colour::Grey,
        3 => Colour::Rgb,
        _ => return Ok(None),
    };
    if samples.bits != 8 || samples.width > 65_535 || samples.height > 65_535 {
        return Ok(None);
    }
    let sampling = if samples.quarter { Sampling::Quarter } else { Sampling::Full };
    let pixels = Pixels::new8(samples.width, samples.height, colour, samples.data.clone())?;
    raster::encode_jpeg(&pixels, sampling, budget).map(Some)
}

/// The dictionary of an inline image.
pub struct Inline(Vec<(Vec<u8>, Val)>);

impl Inline {
    /// Wraps the entries as they stood.
    pub const fn new(entries: Vec<(Vec<u8>, Val)>) -> Self {
        Self(entries)
    }

    fn get(&self, long: &str, short: &str) -> Option<&Val> {
        let is = |key: &[u8]| key == long.as_bytes() || key == short.as_bytes();
        self.0.iter().find(|(key, _)| is(key)).map(|(_, value)| value)
    }

    fn size(&self, long: &str, short: &str) -> Option<u32> {
        match self.get(long, short)? {
            Val::Num(n) => u32::try_from(Val::whole(*n)).ok().filter(|n| *n > 0),
            _ => None,
        }
    }

    fn flag(&self, long: &str, short: &str) -> Option<bool> {
        match self.get(long, short)? {
            Val::Bool(b) => Some(*b),
            _ => None,
        }
    }

    fn filters(&self) -> Option<Vec<(Codec, Parms)>> {
        let names: Vec<&Val> = match self.get("Filter", "F") {
            None => Vec::new(),
            Some(Val::Array(items)) => items.iter().collect(),
            Some(one) => vec![one],
        };
        let parms: Vec<&Val> = match self.get("DecodeParms", "DP") {
            None => Vec::new(),
            Some(Val::Array(items)) => items.iter().collect(),
            Some(one) => vec![one],
        };
        let mut out = Vec::new();
        for (i, name) in names.iter().enumerate().take(5) {
            let Val::Name(name) = name else { return None };
            let parms = match parms.get(i) {
                Some(Val::Dict(dict)) => inline_parms(dict),
                _ => Parms::default(),
            };
            out.push((Codec::named(name.bytes())?, parms));
        }
        (out.len() <= 4).then_some(out)
    }
}

fn inline_parms(dict: &Dict) -> Parms {
    let int = |key: &str| match dict.get(key) {
        Some(Val::Num(n)) => Some(Val::whole(*n)),
        _ => None,
    };
    let size = |key: &str| int(key).and_then(|n| u32::try_from(n).ok());
    let flag = |key: &str, default: bool| match dict.get(key) {
        Some(Val::Bool(b)) => *b,
        _ => default,
    };
    Parms {
        predictor: int("Predictor").unwrap_or(1),
        colors: size("Colors").map_or(1, |n| n as usize),
        bits: size("BitsPerComponent").map_or(8, |n| n as usize),
        columns: size("Columns"),
        early_change: int("EarlyChange").unwrap_or(1) != 0,
        k: int("K").unwrap_or(0),
        black_is_1: flag("BlackIs1", false),
        byte_align: flag("EncodedByteAlign", false),
        end_of_line: flag("EndOfLine", false),
        end_of_block: flag("EndOfBlock", true),
        globals: None,
        color_transform: int("ColorTransform"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_picture_becomes_a_stencil_at_half() {
        let samples = Samples {
            width: 9,
            height: 1,
            components: 1,
            bits: 8,
            data: vec![0, 255, 0, 0, 0, 0, 0, 200, 255],
            alpha: None,
            quarter: false,
        };
        assert_eq!(threshold(samples).data, [0x41, 0x80]);
    }
}
