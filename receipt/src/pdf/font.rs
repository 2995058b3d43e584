//! The two fonts: which letters are used, how wide they are, and the cut-down files that go into the PDF.

use super::{PdfError, packed};
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Name, Pdf, Rect, Ref, Str};
use std::collections::BTreeMap;
use subsetter::GlyphRemapper;

static REGULAR: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/DejaVuSans-Bold.ttf");

/// What is drawn for a letter that the font does not have; the HTML receipt has the letter.
const MISSING: char = '\u{25a1}';

/// Which font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// For text.
    Regular,
    /// For names and headings.
    Bold,
}

impl Face {
    pub const ALL: [Self; 2] = [Self::Regular, Self::Bold];

    /// Its name in the resources of a page.
    pub const fn name(self) -> &'static [u8] {
        match self {
            Self::Regular => b"R",
            Self::Bold => b"B",
        }
    }

    /// Six letters and a plus mark a font that is cut down (ISO 32000-1, 9.6.4).
    const fn base(self) -> &'static [u8] {
        match self {
            Self::Regular => b"SALLYA+DejaVuSans",
            Self::Bold => b"SALLYB+DejaVuSans-Bold",
        }
    }
}

struct Font {
    bytes: &'static [u8],
    face: ttf_parser::Face<'static>,
    used: GlyphRemapper,
    /// Letter of each used glyph, by its new number.
    letters: BTreeMap<u16, (char, f32)>,
}

impl Font {
    fn load(bytes: &'static [u8]) -> Result<Self, PdfError> {
        let face = ttf_parser::Face::parse(bytes, 0).map_err(|error| PdfError(error.to_string()))?;
        Ok(Self { bytes, face, used: GlyphRemapper::new(), letters: BTreeMap::new() })
    }

    fn glyph(&self, letter: char) -> (char, ttf_parser::GlyphId) {
        let known = |letter| self.face.glyph_index(letter).map(|glyph| (letter, glyph));
        known(letter).or_else(|| known(MISSING)).unwrap_or((MISSING, ttf_parser::GlyphId(0)))
    }

    /// Width in ems.
    fn width(&self, glyph: ttf_parser::GlyphId) -> f32 {
        f32::from(self.face.glyph_hor_advance(glyph).unwrap_or(0)) / f32::from(self.face.units_per_em())
    }

    fn use_letter(&mut self, letter: char) -> u16 {
        let (letter, glyph) = self.glyph(letter);
        let number = self.used.remap(glyph.0);
        let width = self.width(glyph);
        self.letters.entry(number).or_insert((letter, width));
        number
    }
}

/// Both fonts, with what was drawn in them so far.
pub struct Fonts {
    regular: Font,
    bold: Font,
}

impl Fonts {
    pub fn load() -> Result<Self, PdfError> {
        Ok(Self { regular: Font::load(REGULAR)?, bold: Font::load(BOLD)? })
    }

    const fn of(&self, face: Face) -> &Font {
        match face {
            Face::Regular => &self.regular,
            Face::Bold => &self.bold,
        }
    }

    /// Width of a text, in ems.
    pub fn width(&self, face: Face, text: &str) -> f32 {
        let font = self.of(face);
        text.chars().map(|letter| font.width(font.glyph(letter).1)).sum()
    }

    /// The text in glyph numbers of two bytes, which are used from now on.
    pub fn glyphs(&mut self, face: Face, text: &str) -> Vec<u8> {
        let font = match face {
            Face::Regular => &mut self.regular,
            Face::Bold => &mut self.bold,
        };
        text.chars().flat_map(|letter| font.use_letter(letter).to_be_bytes()).collect()
    }

    /// The font with its descendant, descriptor, program and the way back to text (ISO 32000-1, 9.7 and 9.10.3).
    pub fn write(&self, pdf: &mut Pdf, face: Face, ids: [Ref; 5]) -> Result<(), PdfError> {
        let [outer, inner, descriptor, program, to_unicode] = ids;
        let font = self.of(face);
        let system = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
        pdf.type0_font(outer)
            .base_font(Name(face.base()))
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(inner)
            .to_unicode(to_unicode);
        let mut cid = pdf.cid_font(inner);
        cid.subtype(CidFontType::Type2).base_font(Name(face.base())).system_info(system);
        cid.font_descriptor(descriptor).default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = cid.widths();
        for (number, (_, width)) in &font.letters {
            widths.consecutive(*number, [width * 1000.0]);
        }
        drop(widths);
        drop(cid);
        let scale = |value: i16| f32::from(value) * 1000.0 / f32::from(font.face.units_per_em());
        let bounds = font.face.global_bounding_box();
        pdf.font_descriptor(descriptor)
            .name(Name(face.base()))
            .flags(FontFlags::NON_SYMBOLIC)
            .bbox(Rect::new(scale(bounds.x_min), scale(bounds.y_min), scale(bounds.x_max), scale(bounds.y_max)))
            .italic_angle(0.0)
            .ascent(scale(font.face.ascender()))
            .descent(scale(font.face.descender()))
            .cap_height(scale(font.face.capital_height().unwrap_or_else(|| font.face.ascender())))
            .stem_v(80.0)
            .font_file2(program);
        let cut = subsetter::subset(font.bytes, 0, &font.used).map_err(|error| PdfError(error.to_string()))?;
        let length = i32::try_from(cut.len()).unwrap_or(i32::MAX);
        pdf.stream(program, &packed(&cut)?).filter(Filter::FlateDecode).pair(Name(b"Length1"), length);
        let mut cmap = UnicodeCmap::new(Name(b"Letters"), system);
        for (number, (letter, _)) in &font.letters {
            cmap.pair(*number, *letter);
        }
        pdf.stream(to_unicode, &packed(&cmap.finish())?).filter(Filter::FlateDecode);
        Ok(())
    }
}
