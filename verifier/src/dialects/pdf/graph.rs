//! The walk over the objects: each is read once, as the type that its slot has.

use super::content::Used;
use super::file::{File, Filter, Loaded};
use super::value::{Dict, Value};
use crate::inflate::{zlib, zlib_to};
use crate::{Limits, Rejection};
use model::Policy;

/// References followed one inside the other: 24 drawings, and what stands between two of them.
const DEPTH: u32 = 160;
/// Forms, tiling patterns and Type 3 fonts in each other.
const NESTED: u32 = 24;
/// Decoded bytes that are held at once.
const HELD: usize = 256 << 20;

/// What a slot asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Catalogue,
    Pages,
    Page,
    Link,
    Outlines,
    OutlineItem,
    /// OCG or OCMD.
    Property,
    Content,
    Glyph,
    /// Form or image.
    XObject,
    Pattern,
    Shading,
    Function,
    ExtGState,
    Colour,
    Font,
    CidFont,
    Descriptor,
    FontFile,
    FontFile2,
    FontFile3,
    CMap,
    ToUnicode,
    /// CIDToGIDMap.
    GlyphMap,
}

/// What the slot's owner may want to know of an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Facts {
    Nothing,
    Group,
    Membership,
    Form {
        group: bool,
    },
    Tiling,
    Image(Picture),
    Colour(Space),
    Function(Shape),
    /// Where its [`Used`] is.
    Content(usize),
}

/// Of a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Functions in functions, itself included.
    pub(super) height: u8,
}

/// Of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture {
    pub(super) stencil: bool,
    /// May be a soft mask.
    pub(super) plain_grey: bool,
    /// Entries of Matte.
    pub(super) matte: Option<usize>,
}

/// Of a colour space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Space {
    Grey,
    Rgb,
    Pattern,
    Indexed,
    /// Another, with so many components.
    Of(usize),
}

impl Space {
    /// 0 for a pattern.
    pub(super) const fn components(self) -> usize {
        match self {
            Self::Grey | Self::Indexed => 1,
            Self::Rgb => 3,
            Self::Pattern => 0,
            Self::Of(n) => n,
        }
    }
}

#[derive(Clone, Copy)]
enum State {
    Unseen,
    Open,
    Done { kind: Kind, facts: Facts, height: u32, drawings: u64 },
}

pub(super) struct Graph<'a, 'l> {
    file: File<'a>,
    pub(super) policy: &'l Policy,
    pub(super) limits: &'l mut Limits,
    states: Vec<State>,
    depth: u32,
    /// The tallest drawing that the object under check has reached so far.
    height: u32,
    /// What the content of the object under check draws, when its resources have been read.
    pub(super) drawings: u64,
    /// By number: a page of the tree.
    pub(super) pages: Vec<bool>,
    /// By number: a group that the catalogue lists.
    pub(super) groups: Vec<bool>,
    /// Of content streams.
    pub(super) used: Vec<Used>,
}

impl<'a, 'l> Graph<'a, 'l> {
    pub(super) fn new(file: File<'a>, policy: &'l Policy, limits: &'l mut Limits) -> Self {
        let len = file.len().saturating_add(1);
        Self {
            file,
            policy,
            limits,
            states: vec![State::Unseen; len],
            depth: 0,
            height: 0,
            drawings: 0,
            pages: vec![false; len],
            groups: vec![false; len],
            used: Vec::new(),
        }
    }

    /// Everything, from object 1.
    pub(super) fn walk(mut self) -> Result<(), Rejection> {
        self.visit(1, Kind::Catalogue)?;
        match self.states.iter().skip(1).position(|state| matches!(state, State::Unseen)) {
            None => Ok(()),
            Some(index) => Err(Rejection::new(0, format!("object {} is not used (PDF-05)", index.saturating_add(1)))),
        }
    }

    /// The object `id` is of `kind`, wherever else it is used too.
    pub(super) fn visit(&mut self, id: u32, kind: Kind) -> Result<Facts, Rejection> {
        match self.states.get(id as usize).copied() {
            Some(State::Unseen) => {}
            Some(State::Open) => return Err(Rejection::new(0, format!("object {id} contains itself (PDF-12)"))),
            Some(State::Done { kind: before, facts, height, .. }) if before == kind => {
                self.height = self.height.max(height);
                return Ok(facts);
            }
            Some(State::Done { kind: before, .. }) => {
                return Err(Rejection::new(0, format!("object {id} is used as {before:?} and as {kind:?}")));
            }
            None => {
                return Err(Rejection::new(0, format!("reference to object {id}, which is not there")));
            }
        }
        if self.depth >= DEPTH {
            return Err(Rejection::new(0, "objects nested too deep (PDF-77)"));
        }
        self.set(id, State::Open);
        self.depth = self.depth.saturating_add(1);
        let outside = std::mem::take(&mut self.height);
        let outer_drawings = std::mem::take(&mut self.drawings);
        let facts = self.object(id, kind).map_err(|rejection| rejection.inside(&format!("{id} {kind:?}")))?;
        let draws = matches!(facts, Facts::Form { .. } | Facts::Tiling) || (kind == Kind::Font && self.height > 0);
        let height = self.height.saturating_add(u32::from(draws));
        if height > NESTED {
            return Err(Rejection::new(0, "drawings nested more than 24 deep (PDF-77)"));
        }
        self.height = outside.max(height);
        self.depth = self.depth.saturating_sub(1);
        let drawings = std::mem::replace(&mut self.drawings, outer_drawings);
        self.set(id, State::Done { kind, facts, height, drawings });
        Ok(facts)
    }

    /// What an object draws that has been visited.
    pub(super) fn drawings_of(&self, id: u32) -> u64 {
        if let Some(State::Done { drawings, .. }) = self.states.get(id as usize) { *drawings } else { 0 }
    }

    /// Marks an object that its owner reads itself. It may be claimed once.
    pub(super) fn claim(&mut self, id: u32, kind: Kind) -> Result<(), Rejection> {
        match self.states.get(id as usize) {
            Some(State::Unseen) => {
                self.set(id, State::Done { kind, facts: Facts::Nothing, height: 0, drawings: 0 });
                Ok(())
            }
            Some(State::Open | State::Done { .. }) => {
                Err(Rejection::new(0, format!("object {id} stands in two places (PDF-11, PDF-12)")))
            }
            None => Err(Rejection::new(0, format!("reference to object {id}, which is not there"))),
        }
    }

    fn set(&mut self, id: u32, state: State) {
        if let Some(slot) = self.states.get_mut(id as usize) {
            *slot = state;
        }
    }

    fn object(&mut self, id: u32, kind: Kind) -> Result<Facts, Rejection> {
        match kind {
            Kind::Catalogue => self.catalogue(id),
            Kind::Pages | Kind::Outlines | Kind::OutlineItem => Err(Rejection::new(0, "slot of the catalogue only")),
            Kind::Page => self.page(id),
            Kind::Link => self.link(id),
            Kind::Property => self.property(id),
            Kind::Content => self.content(id, false),
            Kind::Glyph => self.content(id, true),
            Kind::XObject => self.x_object(id),
            Kind::Pattern => self.pattern(id),
            Kind::Shading => self.shading(id),
            Kind::Function => self.function(id),
            Kind::ExtGState => self.ext_gstate(id),
            Kind::Colour => self.colour_object(id),
            Kind::Font => self.font(id),
            Kind::CidFont => self.cid_font(id),
            Kind::Descriptor => self.descriptor(id),
            Kind::FontFile | Kind::FontFile2 | Kind::FontFile3 => self.program(id, kind),
            Kind::CMap => self.cmap(id),
            Kind::ToUnicode => self.unicode_map(id),
            Kind::GlyphMap => self.glyph_map(id),
        }
    }

    /// An object that is a dictionary or a stream.
    pub(super) fn load(&mut self, id: u32) -> Result<Loaded<'a>, Rejection> {
        self.file.load(id, self.limits)
    }

    /// An object that is a dictionary.
    pub(super) fn load_dict(&mut self, id: u32) -> Result<Dict<'a>, Rejection> {
        match self.load(id)? {
            Loaded::Dict(dict) => Ok(dict),
            Loaded::Stream(dict, ..) => Err(dict.reject("a stream where a dictionary belongs")),
            Loaded::Array(at, _) => Err(Rejection::new(at, "an array where a dictionary belongs")),
        }
    }

    /// An object that is an array.
    pub(super) fn load_array(&mut self, id: u32) -> Result<(usize, Vec<Value<'a>>), Rejection> {
        match self.load(id)? {
            Loaded::Array(at, elements) => Ok((at, elements)),
            Loaded::Stream(dict, ..) | Loaded::Dict(dict) => Err(dict.reject("not the array that belongs here")),
        }
    }

    /// An object that is a Flate stream; its data as they stand.
    pub(super) fn load_stream(&mut self, id: u32) -> Result<(Dict<'a>, &'a [u8]), Rejection> {
        match self.load(id)? {
            Loaded::Stream(dict, Filter::Flate, data) => Ok((dict, data)),
            Loaded::Stream(dict, Filter::Dct, _) => Err(dict.reject("dialect §1: DCTDecode of what is no image")),
            Loaded::Dict(dict) => Err(dict.reject("a dictionary where a stream belongs")),
            Loaded::Array(at, _) => Err(Rejection::new(at, "an array where a stream belongs")),
        }
    }

    /// One zlib stream, and nothing behind it.
    pub(super) fn inflate(&mut self, data: &[u8]) -> Result<Vec<u8>, Rejection> {
        let (out, taken) = zlib(data, HELD, self.limits)?;
        if taken == data.len() { Ok(out) } else { Err(Rejection::new(taken, "bytes behind the zlib stream")) }
    }

    /// One zlib stream of exactly `len` bytes, which nobody has to hold.
    pub(super) fn inflate_len(&mut self, data: &[u8], len: u64) -> Result<(), Rejection> {
        let mut left = len;
        let taken = zlib_to(data, self.limits, &mut |chunk| {
            left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| Rejection::new(0, "more samples than declared (PDF-17)"))?;
            Ok(())
        })?;
        if left != 0 {
            return Err(Rejection::new(0, "fewer samples than declared (PDF-17)"));
        }
        if taken == data.len() { Ok(()) } else { Err(Rejection::new(taken, "bytes behind the zlib stream")) }
    }
}
