//! The closed list of parts: names, content types, relationships and roots (docs/formats: ooxml, docx, xlsx, pptx).

use super::names::{A, C, DGM, P, S, W, XDR};
use crate::xml::Ns;

/// Which of the three a document is; a part of all three is in no one's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Word,
    Excel,
    PowerPoint,
}

impl Family {
    /// The folder of its parts.
    pub const fn root(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Excel => "xl",
            Self::PowerPoint => "ppt",
        }
    }
}

/// What the bytes of a part are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// XML with this root element.
    Xml(Ns, &'static str),
    /// A picture of the dialect that the extension names.
    Picture,
    /// The generated boxes of comments.
    Vml,
}

/// One kind of part.
#[derive(Debug)]
pub(super) struct Kind {
    /// `None`: of every family.
    pub family: Option<Family>,
    /// Path under the family's folder; `#` stands for a number from 1.
    pub path: &'static str,
    /// Last segment of the type of a relationship to it.
    pub relationship: &'static str,
    /// Content type after [`CONTENT_TYPE`]; empty where a `Default` gives it.
    pub content_type: &'static str,
    pub content: Content,
}

/// What every relationship type begins with.
pub(super) const RELATIONSHIP: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";
/// What every content type of an XML part begins with.
pub(super) const CONTENT_TYPE: &str = "application/vnd.openxmlformats-officedocument.";

const fn kind(
    family: Option<Family>,
    path: &'static str,
    relationship: &'static str,
    content_type: &'static str,
    root: (Ns, &'static str),
) -> Kind {
    Kind { family, path, relationship, content_type, content: Content::Xml(root.0, root.1) }
}

const fn picture(path: &'static str) -> Kind {
    Kind { family: None, path, relationship: "image", content_type: "", content: Content::Picture }
}

const WORD: Option<Family> = Some(Family::Word);
const EXCEL: Option<Family> = Some(Family::Excel);
const POINT: Option<Family> = Some(Family::PowerPoint);

/// All of them. The main part's content type depends on the format and is in `package.rs`.
#[rustfmt::skip]
pub(super) static KINDS: &[Kind] = &[
    kind(None, "theme/theme#.xml", "theme", "theme+xml", (A, "theme")),
    kind(None, "theme/themeOverride#.xml", "themeOverride", "themeOverride+xml", (A, "themeOverride")),
    kind(None, "charts/chart#.xml", "chart", "drawingml.chart+xml", (C, "chartSpace")),
    kind(None, "drawings/userShapes#.xml", "chartUserShapes", "drawingml.chartshapes+xml", (C, "userShapes")),
    kind(None, "diagrams/data#.xml", "diagramData", "drawingml.diagramData+xml", (DGM, "dataModel")),
    kind(None, "diagrams/layout#.xml", "diagramLayout", "drawingml.diagramLayout+xml", (DGM, "layoutDef")),
    kind(None, "diagrams/quickStyle#.xml", "diagramQuickStyle", "drawingml.diagramStyle+xml", (DGM, "styleDef")),
    kind(None, "diagrams/colors#.xml", "diagramColors", "drawingml.diagramColors+xml", (DGM, "colorsDef")),
    picture("media/image#.png"),
    picture("media/image#.jpg"),
    picture("media/image#.gif"),
    picture("media/image#.bmp"),
    picture("media/image#.tif"),

    kind(WORD, "document.xml", "officeDocument", "", (W, "document")),
    kind(WORD, "styles.xml", "styles", "wordprocessingml.styles+xml", (W, "styles")),
    kind(WORD, "numbering.xml", "numbering", "wordprocessingml.numbering+xml", (W, "numbering")),
    kind(WORD, "settings.xml", "settings", "wordprocessingml.settings+xml", (W, "settings")),
    kind(WORD, "fontTable.xml", "fontTable", "wordprocessingml.fontTable+xml", (W, "fonts")),
    kind(WORD, "footnotes.xml", "footnotes", "wordprocessingml.footnotes+xml", (W, "footnotes")),
    kind(WORD, "endnotes.xml", "endnotes", "wordprocessingml.endnotes+xml", (W, "endnotes")),
    kind(WORD, "comments.xml", "comments", "wordprocessingml.comments+xml", (W, "comments")),
    kind(WORD, "glossary/document.xml", "glossaryDocument", "wordprocessingml.document.glossary+xml", (W, "glossaryDocument")),
    kind(WORD, "glossary/styles.xml", "styles", "wordprocessingml.styles+xml", (W, "styles")),
    kind(WORD, "glossary/numbering.xml", "numbering", "wordprocessingml.numbering+xml", (W, "numbering")),
    kind(WORD, "glossary/settings.xml", "settings", "wordprocessingml.settings+xml", (W, "settings")),
    kind(WORD, "glossary/fontTable.xml", "fontTable", "wordprocessingml.fontTable+xml", (W, "fonts")),
    kind(WORD, "glossary/footnotes.xml", "footnotes", "wordprocessingml.footnotes+xml", (W, "footnotes")),
    kind(WORD, "glossary/endnotes.xml", "endnotes", "wordprocessingml.endnotes+xml", (W, "endnotes")),
    kind(WORD, "glossary/comments.xml", "comments", "wordprocessingml.comments+xml", (W, "comments")),
    kind(WORD, "header#.xml", "header", "wordprocessingml.header+xml", (W, "hdr")),
    kind(WORD, "footer#.xml", "footer", "wordprocessingml.footer+xml", (W, "ftr")),

    kind(EXCEL, "workbook.xml", "officeDocument", "", (S, "workbook")),
    kind(EXCEL, "styles.xml", "styles", "spreadsheetml.styles+xml", (S, "styleSheet")),
    kind(EXCEL, "sharedStrings.xml", "sharedStrings", "spreadsheetml.sharedStrings+xml", (S, "sst")),
    kind(EXCEL, "worksheets/sheet#.xml", "worksheet", "spreadsheetml.worksheet+xml", (S, "worksheet")),
    kind(EXCEL, "chartsheets/sheet#.xml", "chartsheet", "spreadsheetml.chartsheet+xml", (S, "chartsheet")),
    kind(EXCEL, "drawings/drawing#.xml", "drawing", "drawing+xml", (XDR, "wsDr")),
    kind(EXCEL, "tables/table#.xml", "table", "spreadsheetml.table+xml", (S, "table")),
    kind(EXCEL, "comments#.xml", "comments", "spreadsheetml.comments+xml", (S, "comments")),
    Kind { family: EXCEL, path: "drawings/vmlDrawing#.vml", relationship: "vmlDrawing", content_type: "", content: Content::Vml },
    kind(EXCEL, "pivotTables/pivotTable#.xml", "pivotTable", "spreadsheetml.pivotTable+xml", (S, "pivotTableDefinition")),
    kind(EXCEL, "pivotCache/pivotCacheDefinition#.xml", "pivotCacheDefinition", "spreadsheetml.pivotCacheDefinition+xml", (S, "pivotCacheDefinition")),
    kind(EXCEL, "pivotCache/pivotCacheRecords#.xml", "pivotCacheRecords", "spreadsheetml.pivotCacheRecords+xml", (S, "pivotCacheRecords")),

    kind(POINT, "presentation.xml", "officeDocument", "", (P, "presentation")),
    kind(POINT, "presProps.xml", "presProps", "presentationml.presProps+xml", (P, "presentationPr")),
    kind(POINT, "viewProps.xml", "viewProps", "presentationml.viewProps+xml", (P, "viewPr")),
    kind(POINT, "tableStyles.xml", "tableStyles", "presentationml.tableStyles+xml", (A, "tblStyleLst")),
    kind(POINT, "commentAuthors.xml", "commentAuthors", "presentationml.commentAuthors+xml", (P, "cmAuthorLst")),
    kind(POINT, "slides/slide#.xml", "slide", "presentationml.slide+xml", (P, "sld")),
    kind(POINT, "slideLayouts/slideLayout#.xml", "slideLayout", "presentationml.slideLayout+xml", (P, "sldLayout")),
    kind(POINT, "slideMasters/slideMaster#.xml", "slideMaster", "presentationml.slideMaster+xml", (P, "sldMaster")),
    kind(POINT, "notesSlides/notesSlide#.xml", "notesSlide", "presentationml.notesSlide+xml", (P, "notes")),
    kind(POINT, "notesMasters/notesMaster#.xml", "notesMaster", "presentationml.notesMaster+xml", (P, "notesMaster")),
    kind(POINT, "handoutMasters/handoutMaster#.xml", "handoutMaster", "presentationml.handoutMaster+xml", (P, "handoutMaster")),
    kind(POINT, "comments/comment#.xml", "comments", "presentationml.comments+xml", (P, "cmLst")),
];

/// The kind that a path under the family's folder is of, and its number where it has one.
pub(super) fn of(family: Family, path: &str) -> Option<(&'static Kind, Option<usize>)> {
    let ours = KINDS.iter().filter(|kind| kind.family.is_none_or(|f| f == family));
    ours.filter_map(|kind| numbered(kind.path, path).map(|n| (kind, n))).next()
}

/// Whether `path` is the pattern: `Some(None)` for a fixed name, `Some(Some(n))` for a numbered one.
fn numbered(pattern: &str, path: &str) -> Option<Option<usize>> {
    let Some((before, after)) = pattern.split_once('#') else {
        return (pattern == path).then_some(None);
    };
    let digits = path.strip_prefix(before)?.strip_suffix(after)?;
    let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| canonical).map(Some)
}

/// Whether a part at `source` (under the family's folder) has this relationship without naming it by id.
pub(super) fn is_implicit(family: Family, source: &str, relationship: &str) -> bool {
    let folder = source.split_once('/').map_or(source, |(folder, _)| folder);
    let implicit: &[&str] = match (family, folder) {
        (Family::Word, "document.xml") => &[
            "styles",
            "numbering",
            "settings",
            "fontTable",
            "theme",
            "footnotes",
            "endnotes",
            "comments",
            "glossaryDocument",
        ],
        (Family::Word, "glossary") if source == "glossary/document.xml" => {
            &["styles", "numbering", "settings", "fontTable", "theme", "footnotes", "endnotes", "comments"]
        }
        (Family::Excel, "workbook.xml") => &["styles", "sharedStrings", "theme"],
        (Family::Excel, "worksheets") => &["comments", "pivotTable"],
        (Family::Excel, "pivotTables") => &["pivotCacheDefinition"],
        (Family::PowerPoint, "presentation.xml") => {
            &["presProps", "viewProps", "tableStyles", "commentAuthors", "theme"]
        }
        (Family::PowerPoint, "slides") => &["slideLayout", "notesSlide", "comments", "themeOverride"],
        (Family::PowerPoint, "slideLayouts") => &["slideMaster", "themeOverride"],
        (Family::PowerPoint, "slideMasters" | "handoutMasters" | "notesMasters") => &["theme"],
        (Family::PowerPoint, "notesSlides") => &["notesMaster", "slide", "themeOverride"],
        (_, "charts") => &["themeOverride"],
        _ => &[],
    };
    implicit.contains(&relationship)
}

/// The relationship types that an `r:` attribute may name.
pub(super) fn named_by(ns: Ns, element: &str, attribute: &str) -> &'static [&'static str] {
    match (ns, element, attribute) {
        (W, "hyperlink", "id") | (S, "hyperlink", "id") => &["hyperlink"],
        (W, "headerReference", "id") => &["header"],
        (W, "footerReference", "id") => &["footer"],
        (A, "blip", "embed") | (S, "picture", "id") | (DGM, "shape", "blip") => &["image"],
        (A, "hlinkClick" | "hlinkHover" | "hlinkMouseOver", "id") => &["hyperlink", "slide"],
        (P, "sldId" | "sld", "id") => &["slide"],
        (P, "sldMasterId", "id") => &["slideMaster"],
        (P, "notesMasterId", "id") => &["notesMaster"],
        (P, "handoutMasterId", "id") => &["handoutMaster"],
        (P, "sldLayoutId", "id") => &["slideLayout"],
        (S, "sheet", "id") => &["worksheet", "chartsheet"],
        (S, "drawing", "id") => &["drawing"],
        (S, "legacyDrawing", "id") => &["vmlDrawing"],
        (S, "tablePart", "id") => &["table"],
        (S, "pivotCache", "id") => &["pivotCacheDefinition"],
        (S, "pivotCacheDefinition", "id") => &["pivotCacheRecords"],
        (C, "chart", "id") => &["chart"],
        (C, "userShapes", "id") => &["chartUserShapes"],
        (DGM, "relIds", "dm") => &["diagramData"],
        (DGM, "relIds", "lo") => &["diagramLayout"],
        (DGM, "relIds", "qs") => &["diagramQuickStyle"],
        (DGM, "relIds", "cs") => &["diagramColors"],
        _ => &[],
    }
}
