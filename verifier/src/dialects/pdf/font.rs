//! Fonts and what hangs on them (ISO 32000-1, 9.5 to 9.10).

use super::cmap;
use super::content::Used;
use super::graph::{Facts, Graph, Kind};
use super::program;
use super::value::{Dict, Value, string_bytes};
use crate::Rejection;

const ENCODINGS: [&str; 4] = ["StandardEncoding", "MacRomanEncoding", "WinAnsiEncoding", "MacExpertEncoding"];

impl Graph<'_, '_> {
    /// 9.6, 9.7.6.
    pub(super) fn font(&mut self, id: u32) -> Result<Facts, Rejection> {
        let mut dict = self.load_dict(id)?;
        dict.is("Type", "Font")?;
        match dict.req("Subtype", Value::name)? {
            b"Type1" | b"MMType1" | b"TrueType" => self.simple(&mut dict)?,
            b"Type0" => self.composite(&mut dict)?,
            b"Type3" => self.type3(&mut dict)?,
            _ => return Err(dict.reject("9.5: type of font")),
        }
        if let Some(id) = dict.opt_ref("ToUnicode")? {
            self.visit(id, Kind::ToUnicode)?;
        }
        dict.done()?;
        Ok(Facts::Nothing)
    }

    /// 9.6.2.
    fn simple(&mut self, dict: &mut Dict<'_>) -> Result<(), Rejection> {
        dict.req("BaseFont", font_name)?;
        match dict.take("Encoding") {
            None => {}
            Some(Value::Name(name)) => {
                dict.check(ENCODINGS.iter().any(|e| e.as_bytes() == name), "9.6.6: Encoding")?;
            }
            Some(Value::Dict(encoding)) => differences(encoding)?,
            Some(_) => return Err(dict.reject("9.6.6: Encoding")),
        }
        dict.opt_int("FirstChar", 0..=255)?;
        dict.opt_int("LastChar", 0..=255)?;
        dict.opt_numbers("Widths")?;
        self.described(dict)
    }

    fn described(&mut self, dict: &mut Dict<'_>) -> Result<(), Rejection> {
        if let Some(id) = dict.opt_ref("FontDescriptor")? {
            self.visit(id, Kind::Descriptor)?;
        }
        Ok(())
    }

    /// 9.7.6.1.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named is rejected")]
    fn composite(&mut self, dict: &mut Dict<'_>) -> Result<(), Rejection> {
        dict.req("BaseFont", font_name)?;
        match dict.need("Encoding")? {
            Value::Name(name) => dict.check(cmap::predefined(name), "9.7.5.2: predefined CMap (PDF-73)")?,
            Value::Ref(id) => {
                self.visit(id, Kind::CMap)?;
            }
            _ => return Err(dict.reject("9.7.6.1: Encoding")),
        }
        let descendant = dict.req("DescendantFonts", |v| match v.array()? {
            [Value::Ref(id)] => Some(*id),
            _ => None,
        })?;
        self.visit(descendant, Kind::CidFont)?;
        Ok(())
    }

    /// 9.7.4.
    pub(super) fn cid_font(&mut self, id: u32) -> Result<Facts, Rejection> {
        let mut dict = self.load_dict(id)?;
        dict.is("Type", "Font")?;
        dict.req("Subtype", |v| matches!(v.name()?, b"CIDFontType0" | b"CIDFontType2").then_some(()))?;
        dict.req("BaseFont", font_name)?;
        system_info(dict.dict("CIDSystemInfo")?)?;
        self.described(&mut dict)?;
        dict.opt("DW", Value::number)?;
        dict.opt_tuple("DW2", 2)?;
        for key in ["W", "W2"] {
            dict.opt(key, |v| v.array()?.iter().all(|e| e.number().is_some() || e.numbers().is_some()).then_some(()))?;
        }
        match dict.take("CIDToGIDMap") {
            None | Some(Value::Name(b"Identity")) => {}
            Some(Value::Ref(id)) => {
                self.visit(id, Kind::GlyphMap)?;
            }
            Some(_) => return Err(dict.reject("9.7.4.2: CIDToGIDMap")),
        }
        dict.done()?;
        Ok(Facts::Nothing)
    }

    /// 9.6.5.
    fn type3(&mut self, dict: &mut Dict<'_>) -> Result<(), Rejection> {
        dict.tuple("FontBBox", 4)?;
        dict.tuple("FontMatrix", 6)?;
        differences(dict.dict("Encoding")?)?;
        dict.int("FirstChar", 0..=255)?;
        dict.int("LastChar", 0..=255)?;
        dict.req("Widths", Value::numbers)?;
        let mut used = Used::default();
        for (_, glyph) in dict.dict("CharProcs")?.entries {
            let id = glyph.reference().ok_or_else(|| dict.reject("9.6.5: CharProcs"))?;
            if let Facts::Content(index) = self.visit(id, Kind::Glyph)?
                && let Some(of_glyph) = self.used.get(index)
            {
                used.join(of_glyph);
            }
        }
        self.resources(&used, dict)
    }

    /// 9.8.
    pub(super) fn descriptor(&mut self, id: u32) -> Result<Facts, Rejection> {
        let mut dict = self.load_dict(id)?;
        dict.is("Type", "FontDescriptor")?;
        dict.req("FontName", font_name)?;
        dict.req("Flags", Value::int)?;
        dict.opt_tuple("FontBBox", 4)?;
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
            dict.opt(key, Value::number)?;
        }
        let files = [("FontFile", Kind::FontFile), ("FontFile2", Kind::FontFile2), ("FontFile3", Kind::FontFile3)];
        let mut programs = 0u8;
        for (key, kind) in files {
            if let Some(id) = dict.opt_ref(key)? {
                programs = programs.saturating_add(1);
                self.visit(id, kind)?;
            }
        }
        dict.check(programs <= 1, "9.8.1: one font program")?;
        dict.done()?;
        Ok(Facts::Nothing)
    }

    /// 9.9.
    pub(super) fn program(&mut self, id: u32, kind: Kind) -> Result<Facts, Rejection> {
        let (mut dict, data) = self.load_stream(id)?;
        let data = self.inflate(data)?;
        let len = |n: i64| usize::try_from(n).unwrap_or_default();
        if kind == Kind::FontFile {
            let mut lens = [0usize; 3];
            for (key, slot) in ["Length1", "Length2", "Length3"].into_iter().zip(&mut lens) {
                *slot = len(dict.int(key, 0..=i64::MAX)?);
            }
            program::type1(&data, lens)?;
        } else if kind == Kind::FontFile2 {
            let stated = len(dict.int("Length1", 0..=i64::MAX)?);
            dict.check(stated == data.len(), "9.9: Length1")?;
            program::sfnt(&data, false)?;
        } else {
            match dict.req("Subtype", Value::name)? {
                b"Type1C" | b"CIDFontType0C" => program::cff(&data)?,
                b"OpenType" => program::sfnt(&data, true)?,
                _ => return Err(dict.reject("9.9: Subtype of FontFile3")),
            }
        }
        dict.done()?;
        Ok(Facts::Nothing)
    }

    /// 9.7.5.3.
    pub(super) fn cmap(&mut self, id: u32) -> Result<Facts, Rejection> {
        let (mut dict, data) = self.load_stream(id)?;
        dict.is("Type", "CMap")?;
        dict.is("CMapName", "CMap")?;
        system_info(dict.dict("CIDSystemInfo")?)?;
        let vertical = dict.opt_int("WMode", 1..=1)?.is_some();
        dict.done()?;
        cmap::encoding(&self.inflate(data)?, vertical)?;
        Ok(Facts::Nothing)
    }

    /// 9.10.3.
    pub(super) fn unicode_map(&mut self, id: u32) -> Result<Facts, Rejection> {
        let (dict, data) = self.load_stream(id)?;
        dict.done()?;
        cmap::to_unicode(&self.inflate(data)?)?;
        Ok(Facts::Nothing)
    }

    /// 9.7.4.2: two bytes a CID.
    pub(super) fn glyph_map(&mut self, id: u32) -> Result<Facts, Rejection> {
        let (dict, data) = self.load_stream(id)?;
        dict.done()?;
        let len = self.inflate(data)?.len();
        dict.check(len <= 131_072 && len & 1 == 0, "dialect §2: length of CIDToGIDMap")?;
        Ok(Facts::Nothing)
    }
}

/// 9.6.6.2.
fn differences(mut dict: Dict<'_>) -> Result<(), Rejection> {
    dict.is("Type", "Encoding")?;
    dict.one_of("BaseEncoding", &ENCODINGS)?;
    dict.opt("Differences", |v| {
        let elements = v.array()?;
        let led = matches!(elements.first(), Some(Value::Int(_)));
        let sound = |e: &Value<'_>| matches!(e, Value::Int(0..=255) | Value::Name(_));
        (led && elements.iter().all(sound)).then_some(())
    })?;
    dict.done()
}

/// A name that viewers look for in folders of fonts: nothing in it leads elsewhere (PDF-74).
fn font_name(value: &Value<'_>) -> Option<()> {
    let name = value.name()?;
    let leads = name.iter().any(|b| matches!(b, b'\\' | b':')) || name.windows(3).any(|w| w == b"#2f");
    (!leads).then_some(())
}

/// 9.7.3. Registry and Ordering are names of files in many viewers.
fn system_info(mut dict: Dict<'_>) -> Result<(), Rejection> {
    for key in ["Registry", "Ordering"] {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        dict.req(key, |v| string_bytes(v.string()?).all(plain).then_some(()))?;
    }
    dict.req("Supplement", Value::int)?;
    dict.done()
}
