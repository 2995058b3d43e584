//! Which elements need more than being written: references to other parts, formulas' neighbours, things converted.

use super::names::Ns;
use super::parts::PartKind;

/// What the transformation does beyond writing an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Nothing.
    None,
    /// It refers to a part of one of these kinds; it goes where the reference leads nowhere and `required` says so.
    Refers {
        /// Kinds of part that may be meant.
        to: &'static [PartKind],
        /// Whether it means nothing without.
        required: bool,
    },
    /// `a:graphicData`: of a kind that we write.
    Graphic,
    /// A picture: always has one, ours if need be.
    Blip,
    /// A link of DrawingML.
    Link,
    /// `w:hyperlink`.
    WordLink,
    /// `x:hyperlink`.
    SheetLink,
    /// `w:fldSimple`.
    SimpleField,
    /// `w:pict`, `w:object`.
    Vml,
    /// A graphic that must hold something we know.
    Frame,
    /// `p:timing`.
    Timing,
    /// It is never written, and an animation that has it goes (OOX-26).
    Never,
    /// `x:c`: a cell.
    Cell,
    /// `x:sheet` of the workbook.
    Sheet,
    /// `x:definedName`.
    DefinedName,
    /// `x:workbookView`: counts sheets.
    BookView,
    /// `x:legacyDrawing`: replaced by ours.
    Legacy,
    /// A place before which our own `legacyDrawing` must stand.
    AfterLegacy,
    /// Comment marks: policy.
    CommentMark,
    /// Hidden things are reported.
    Hidden,
    /// The element goes where it is left empty (its schema wants children).
    NeedsChild,
}

impl Hook {
    /// Kinds of part that a relationship of the element may lead to.
    #[must_use]
    pub const fn targets(self) -> &'static [PartKind] {
        match self {
            Self::Refers { to, .. } => to,
            Self::AfterLegacy => &[PartKind::Picture],
            Self::Hidden => &[PartKind::Slide],
            Self::Sheet => &[PartKind::Worksheet, PartKind::Chartsheet],
            Self::None
            | Self::Graphic
            | Self::Blip
            | Self::Link
            | Self::WordLink
            | Self::SheetLink
            | Self::SimpleField
            | Self::Vml
            | Self::Frame
            | Self::Timing
            | Self::Never
            | Self::Cell
            | Self::DefinedName
            | Self::BookView
            | Self::Legacy
            | Self::CommentMark
            | Self::NeedsChild => &[],
        }
    }
}

/// The hook of an element.
#[must_use]
pub fn hook(ns: Ns, name: &str) -> Hook {
    use PartKind as K;
    const fn must(to: &'static [PartKind]) -> Hook {
        Hook::Refers { to, required: true }
    }
    match (ns, name) {
        (Ns::W, "headerReference") => must(&[K::Header]),
        (Ns::W, "footerReference") => must(&[K::Footer]),
        (Ns::W, "hyperlink") => Hook::WordLink,
        (Ns::W, "fldSimple") => Hook::SimpleField,
        (Ns::W, "pict" | "object") => Hook::Vml,
        (Ns::W, "drawing") | (Ns::P | Ns::Xdr | Ns::A, "graphicFrame") => Hook::Frame,
        (Ns::W, "commentRangeStart" | "commentRangeEnd" | "commentReference") => Hook::CommentMark,
        (Ns::W, "vanish" | "specVanish" | "webHidden") | (Ns::P, "sld") | (Ns::X, "row" | "col") => Hook::Hidden,
        (Ns::A, "graphicData") => Hook::Graphic,
        (Ns::A, "blip") => Hook::Blip,
        (Ns::A, "hlinkClick" | "hlinkHover" | "hlinkMouseOver") => Hook::Link,
        (Ns::C, "chart") => must(&[K::Chart]),
        (Ns::C, "userShapes") => must(&[K::UserShapes]),
        (Ns::Dgm, "relIds") => must(&[K::DiagramData, K::DiagramLayout, K::DiagramStyle, K::DiagramColors]),
        (Ns::Dgm, "shape") => Hook::Refers { to: &[K::Picture], required: false },
        (Ns::P, "sldMasterId") => must(&[K::SlideMaster]),
        (Ns::P, "sldId" | "sld1") => must(&[K::Slide]),
        (Ns::P, "sldLayoutId") => must(&[K::SlideLayout]),
        (Ns::P, "notesMasterId") => must(&[K::NotesMaster]),
        (Ns::P, "handoutMasterId") => must(&[K::HandoutMaster]),
        (Ns::P, "timing") => Hook::Timing,
        (Ns::P, "cmd" | "audio" | "video") => Hook::Never,
        (Ns::P, "notesMasterIdLst" | "handoutMasterIdLst" | "custShowLst")
        | (Ns::X, "hyperlinks" | "definedNames" | "pivotCaches" | "dataRefs") => Hook::NeedsChild,
        (Ns::X, "c") => Hook::Cell,
        (Ns::X, "sheet") => Hook::Sheet,
        (Ns::X, "definedName") => Hook::DefinedName,
        (Ns::X, "workbookView") => Hook::BookView,
        (Ns::X, "hyperlink") => Hook::SheetLink,
        (Ns::X, "pivotCache") => must(&[K::PivotCache]),
        (Ns::X, "pivotCacheDefinition") => Hook::Refers { to: &[K::PivotRecords], required: false },
        (Ns::X, "drawing") => must(&[K::Drawing]),
        (Ns::X, "legacyDrawing") => Hook::Legacy,
        (Ns::X, "picture" | "tableParts") => Hook::AfterLegacy,
        (Ns::X, "tablePart") => must(&[K::Table]),
        _ => Hook::None,
    }
}
