//! The kinds of part that a package may have: a closed list with their relationship, content type and name.

use super::names::Ns;

/// A kind of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartKind {
    Main,
    Styles,
    Numbering,
    Settings,
    FontTable,
    Theme,
    ThemeOverride,
    Footnotes,
    Endnotes,
    WordComments,
    Glossary,
    Header,
    Footer,
    Picture,
    Chart,
    UserShapes,
    DiagramData,
    DiagramLayout,
    DiagramStyle,
    DiagramColors,
    SharedStrings,
    Worksheet,
    Chartsheet,
    Drawing,
    Table,
    SheetComments,
    CommentBoxes,
    PivotTable,
    PivotCache,
    PivotRecords,
    PresProps,
    ViewProps,
    TableStyles,
    CommentAuthors,
    Slide,
    SlideLayout,
    SlideMaster,
    NotesSlide,
    NotesMaster,
    HandoutMaster,
    SlideComments,
}

/// Which application a package belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Word,
    Excel,
    PowerPoint,
}

impl Family {
    /// Folder of its parts.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Excel => "xl",
            Self::PowerPoint => "ppt",
        }
    }
}

/// How a part of one kind is reached and named.
pub struct KindRow {
    /// The kind.
    pub kind: PartKind,
    /// Last word of the relationship type.
    pub rel: &'static str,
    /// Content type after the vendor tree's common start.
    pub content_type: &'static str,
    /// Name under the family's folder; `#` is the number.
    pub name: &'static str,
    /// Local name of its root element.
    pub root: &'static str,
}

const fn row(
    kind: PartKind,
    rel: &'static str,
    content_type: &'static str,
    name: &'static str,
    root: &'static str,
) -> KindRow {
    KindRow { kind, rel, content_type, name, root }
}

/// Common start of the content types.
pub const CONTENT_TYPE: &str = "application/vnd.openxmlformats-officedocument.";
/// Common start of the relationship types.
pub const REL_TYPE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";
/// The same in Strict documents.
pub const STRICT_REL_TYPE: &str = "http://purl.oclc.org/ooxml/officeDocument/relationships/";

const WORD: [KindRow; 13] = [
    row(PartKind::Styles, "styles", "wordprocessingml.styles+xml", "styles.xml", "styles"),
    row(PartKind::Numbering, "numbering", "wordprocessingml.numbering+xml", "numbering.xml", "numbering"),
    row(PartKind::Settings, "settings", "wordprocessingml.settings+xml", "settings.xml", "settings"),
    row(PartKind::FontTable, "fontTable", "wordprocessingml.fontTable+xml", "fontTable.xml", "fonts"),
    row(PartKind::Footnotes, "footnotes", "wordprocessingml.footnotes+xml", "footnotes.xml", "footnotes"),
    row(PartKind::Endnotes, "endnotes", "wordprocessingml.endnotes+xml", "endnotes.xml", "endnotes"),
    row(PartKind::WordComments, "comments", "wordprocessingml.comments+xml", "comments.xml", "comments"),
    row(
        PartKind::Glossary,
        "glossaryDocument",
        "wordprocessingml.document.glossary+xml",
        "glossary/document.xml",
        "glossaryDocument",
    ),
    row(PartKind::Header, "header", "wordprocessingml.header+xml", "header#.xml", "hdr"),
    row(PartKind::Footer, "footer", "wordprocessingml.footer+xml", "footer#.xml", "ftr"),
    row(PartKind::Theme, "theme", "theme+xml", "theme/theme#.xml", "theme"),
    row(PartKind::Picture, "image", "", "media/image#", ""),
    row(PartKind::Main, "officeDocument", "", "document.xml", "document"),
];

const EXCEL: [KindRow; 15] = [
    row(PartKind::Styles, "styles", "spreadsheetml.styles+xml", "styles.xml", "styleSheet"),
    row(PartKind::SharedStrings, "sharedStrings", "spreadsheetml.sharedStrings+xml", "sharedStrings.xml", "sst"),
    row(PartKind::Worksheet, "worksheet", "spreadsheetml.worksheet+xml", "worksheets/sheet#.xml", "worksheet"),
    row(PartKind::Chartsheet, "chartsheet", "spreadsheetml.chartsheet+xml", "chartsheets/sheet#.xml", "chartsheet"),
    row(PartKind::Drawing, "drawing", "drawing+xml", "drawings/drawing#.xml", "wsDr"),
    row(PartKind::Table, "table", "spreadsheetml.table+xml", "tables/table#.xml", "table"),
    row(PartKind::SheetComments, "comments", "spreadsheetml.comments+xml", "comments#.xml", "comments"),
    row(PartKind::CommentBoxes, "vmlDrawing", "vmlDrawing", "drawings/vmlDrawing#.vml", ""),
    row(
        PartKind::PivotTable,
        "pivotTable",
        "spreadsheetml.pivotTable+xml",
        "pivotTables/pivotTable#.xml",
        "pivotTableDefinition",
    ),
    row(
        PartKind::PivotCache,
        "pivotCacheDefinition",
        "spreadsheetml.pivotCacheDefinition+xml",
        "pivotCache/pivotCacheDefinition#.xml",
        "pivotCacheDefinition",
    ),
    row(
        PartKind::PivotRecords,
        "pivotCacheRecords",
        "spreadsheetml.pivotCacheRecords+xml",
        "pivotCache/pivotCacheRecords#.xml",
        "pivotCacheRecords",
    ),
    row(PartKind::Theme, "theme", "theme+xml", "theme/theme#.xml", "theme"),
    row(PartKind::Picture, "image", "", "media/image#", ""),
    row(PartKind::Main, "officeDocument", "", "workbook.xml", "workbook"),
    row(PartKind::UserShapes, "chartUserShapes", "drawingml.chartshapes+xml", "drawings/userShapes#.xml", "userShapes"),
];

const POWERPOINT: [KindRow; 14] = [
    row(PartKind::PresProps, "presProps", "presentationml.presProps+xml", "presProps.xml", "presentationPr"),
    row(PartKind::ViewProps, "viewProps", "presentationml.viewProps+xml", "viewProps.xml", "viewPr"),
    row(PartKind::TableStyles, "tableStyles", "presentationml.tableStyles+xml", "tableStyles.xml", "tblStyleLst"),
    row(
        PartKind::CommentAuthors,
        "commentAuthors",
        "presentationml.commentAuthors+xml",
        "commentAuthors.xml",
        "cmAuthorLst",
    ),
    row(PartKind::Slide, "slide", "presentationml.slide+xml", "slides/slide#.xml", "sld"),
    row(
        PartKind::SlideLayout,
        "slideLayout",
        "presentationml.slideLayout+xml",
        "slideLayouts/slideLayout#.xml",
        "sldLayout",
    ),
    row(
        PartKind::SlideMaster,
        "slideMaster",
        "presentationml.slideMaster+xml",
        "slideMasters/slideMaster#.xml",
        "sldMaster",
    ),
    row(PartKind::NotesSlide, "notesSlide", "presentationml.notesSlide+xml", "notesSlides/notesSlide#.xml", "notes"),
    row(
        PartKind::NotesMaster,
        "notesMaster",
        "presentationml.notesMaster+xml",
        "notesMasters/notesMaster#.xml",
        "notesMaster",
    ),
    row(
        PartKind::HandoutMaster,
        "handoutMaster",
        "presentationml.handoutMaster+xml",
        "handoutMasters/handoutMaster#.xml",
        "handoutMaster",
    ),
    row(PartKind::SlideComments, "comments", "presentationml.comments+xml", "comments/comment#.xml", "cmLst"),
    row(PartKind::Theme, "theme", "theme+xml", "theme/theme#.xml", "theme"),
    row(PartKind::Picture, "image", "", "media/image#", ""),
    row(PartKind::Main, "officeDocument", "", "presentation.xml", "presentation"),
];

/// What any of the three may have.
const COMMON: [KindRow; 7] = [
    row(PartKind::ThemeOverride, "themeOverride", "themeOverride+xml", "theme/themeOverride#.xml", "themeOverride"),
    row(PartKind::Chart, "chart", "drawingml.chart+xml", "charts/chart#.xml", "chartSpace"),
    row(PartKind::UserShapes, "chartUserShapes", "drawingml.chartshapes+xml", "drawings/userShapes#.xml", "userShapes"),
    row(PartKind::DiagramData, "diagramData", "drawingml.diagramData+xml", "diagrams/data#.xml", "dataModel"),
    row(PartKind::DiagramLayout, "diagramLayout", "drawingml.diagramLayout+xml", "diagrams/layout#.xml", "layoutDef"),
    row(
        PartKind::DiagramStyle,
        "diagramQuickStyle",
        "drawingml.diagramStyle+xml",
        "diagrams/quickStyle#.xml",
        "styleDef",
    ),
    row(PartKind::DiagramColors, "diagramColors", "drawingml.diagramColors+xml", "diagrams/colors#.xml", "colorsDef"),
];

impl KindRow {
    /// Namespace of the root element.
    #[must_use]
    pub fn root_ns(&self, family: Family) -> Ns {
        let start = self.content_type.split('.').next().unwrap_or_default();
        match (self.kind, start) {
            (PartKind::TableStyles, _) => Ns::A,
            (PartKind::Main, _) => match family {
                Family::Word => Ns::W,
                Family::Excel => Ns::X,
                Family::PowerPoint => Ns::P,
            },
            (PartKind::Drawing, _) => Ns::Xdr,
            (PartKind::Chart | PartKind::UserShapes, _) => Ns::C,
            (_, "wordprocessingml") => Ns::W,
            (_, "spreadsheetml") => Ns::X,
            (_, "presentationml") => Ns::P,
            (_, "drawingml") => Ns::Dgm,
            (_, _) => Ns::A,
        }
    }
}

impl Family {
    fn rows(self) -> impl Iterator<Item = &'static KindRow> {
        let own: &'static [KindRow] = match self {
            Self::Word => &WORD,
            Self::Excel => &EXCEL,
            Self::PowerPoint => &POWERPOINT,
        };
        own.iter().chain(&COMMON)
    }

    /// The kind of part that a relationship of this type leads to, by the type's last word.
    #[must_use]
    pub fn by_rel(self, rel: &str) -> Option<&'static KindRow> {
        self.rows().find(|row| row.rel == rel)
    }

    /// The row of a kind.
    #[must_use]
    pub fn row(self, kind: PartKind) -> Option<&'static KindRow> {
        self.rows().find(|row| row.kind == kind)
    }
}

/// Whether a part of kind `from` has its relationship to one of kind `to` without naming it in its XML.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "a kind without a line refers to nothing in silence")]
pub const fn implicit(from: PartKind, to: PartKind) -> bool {
    use PartKind as K;
    match from {
        K::Main | K::Glossary => matches!(
            to,
            K::Styles
                | K::Numbering
                | K::Settings
                | K::FontTable
                | K::Theme
                | K::Footnotes
                | K::Endnotes
                | K::WordComments
                | K::Glossary
                | K::SharedStrings
                | K::PresProps
                | K::ViewProps
                | K::TableStyles
                | K::CommentAuthors
        ),
        K::Chart => matches!(to, K::ThemeOverride),
        K::Worksheet => matches!(to, K::SheetComments | K::PivotTable),
        K::PivotTable => matches!(to, K::PivotCache),
        K::Slide => matches!(to, K::SlideLayout | K::NotesSlide | K::SlideComments | K::ThemeOverride),
        K::SlideLayout => matches!(to, K::SlideMaster | K::ThemeOverride),
        K::SlideMaster | K::NotesMaster | K::HandoutMaster => matches!(to, K::Theme),
        K::NotesSlide => matches!(to, K::NotesMaster | K::Slide | K::ThemeOverride),
        _ => false,
    }
}
