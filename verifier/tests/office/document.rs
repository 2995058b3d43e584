//! Small documents of our dialect, and the edits that mutants make to them: content types, relationships, lengths and
//! CRCs always follow.

use crate::zip::{self, Member};
use model::Format;
use std::collections::BTreeMap;

pub const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";
const ML: &str = "application/vnd.openxmlformats-officedocument.";
const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";
const P: &str = "xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\"";
pub const A: &str = "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\"";
const R: &str = "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
const S: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
pub const C: &str = "xmlns:c=\"http://schemas.openxmlformats.org/drawingml/2006/chart\"";

#[derive(Clone)]
pub struct Relationship {
    pub kind: String,
    pub target: String,
    pub external: bool,
}

#[derive(Clone)]
pub struct Document {
    pub format: Format,
    /// Bytes and content type; an empty type means that the extension gives it.
    pub parts: BTreeMap<String, (Vec<u8>, String)>,
    /// Extension and type.
    pub defaults: BTreeMap<String, String>,
    pub relationships: BTreeMap<String, Vec<Relationship>>,
    /// Members that no content type or relationship knows.
    pub strays: Vec<Member>,
}

impl Document {
    fn new(format: Format) -> Self {
        let defaults = [("rels", "application/vnd.openxmlformats-package.relationships+xml")];
        let defaults = defaults.map(|(e, t)| (e.to_owned(), t.to_owned())).into();
        Self { format, parts: BTreeMap::new(), defaults, relationships: BTreeMap::new(), strays: Vec::new() }
    }

    /// Adds an XML part, its type and a relationship from `source`; returns the relationship's id.
    pub fn part(&mut self, source: &str, kind: &str, name: &str, content_type: &str, root: &str) -> String {
        let bytes = format!("{DECLARATION}{root}").into_bytes();
        self.parts.insert(name.into(), (bytes, format!("{ML}{content_type}")));
        self.relate(source, kind, &relative(source, name), false)
    }

    /// Adds a part of any bytes with any content type.
    pub fn binary(&mut self, source: &str, kind: &str, name: &str, content_type: &str, bytes: &[u8]) -> String {
        self.parts.insert(name.into(), (bytes.to_vec(), content_type.into()));
        self.relate(source, kind, &relative(source, name), false)
    }

    pub fn relate(&mut self, source: &str, kind: &str, target: &str, external: bool) -> String {
        let kind = if kind.contains("://") { kind.to_owned() } else { format!("{OFFICE}{kind}") };
        let list = self.relationships.entry(source.into()).or_default();
        list.push(Relationship { kind, target: target.into(), external });
        format!("rId{}", list.len())
    }

    /// Replaces text in a part, which must be there.
    pub fn replace(&mut self, part: &str, from: &str, to: &str) {
        let (bytes, _) = self.parts.get_mut(part).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(from), "{part} has no {from}");
        *bytes = text.replacen(from, to, 1).into_bytes();
    }

    pub fn text(&self, part: &str) -> String {
        String::from_utf8(self.parts[part].0.clone()).unwrap()
    }

    pub fn members(&self) -> Vec<Member> {
        let mut types =
            format!("{DECLARATION}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">");
        for (extension, content_type) in &self.defaults {
            types += &format!("<Default Extension=\"{extension}\" ContentType=\"{content_type}\"/>");
        }
        for (name, (_, content_type)) in self.parts.iter().filter(|(_, (_, t))| !t.is_empty()) {
            types += &format!("<Override PartName=\"/{name}\" ContentType=\"{content_type}\"/>");
        }
        types += "</Types>";
        let mut members: Vec<Member> = self.parts.iter().map(|(name, (bytes, _))| Member::new(name, bytes)).collect();
        members.extend(self.relationships.iter().map(|(source, list)| relationships(source, list)));
        members.extend(self.strays.iter().cloned());
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members.insert(0, Member::new("[Content_Types].xml", types.as_bytes()));
        members
    }

    pub fn bytes(&self) -> Vec<u8> {
        zip::write(&self.members())
    }
}

fn relationships(source: &str, list: &[Relationship]) -> Member {
    let mut xml =
        format!("{DECLARATION}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">");
    for (r, n) in list.iter().zip(1..) {
        let mode = if r.external { " TargetMode=\"External\"" } else { "" };
        let target = r.target.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\n', "&#10;");
        xml += &format!("<Relationship Id=\"rId{n}\" Type=\"{}\" Target=\"{target}\"{mode}/>", r.kind);
    }
    xml += "</Relationships>";
    let name = match source.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/_rels/{file}.rels"),
        None => "_rels/.rels".to_owned(),
    };
    Member::new(&name, xml.as_bytes())
}

/// The target from one part to another, in its shortest form.
fn relative(source: &str, name: &str) -> String {
    let mut from: Vec<&str> = source.split('/').collect();
    from.pop();
    let to: Vec<&str> = name.split('/').collect();
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    format!("{}{}", "../".repeat(from.len() - same), to[same..].join("/"))
}

pub const BODY: &str = "word/document.xml";
pub const SHEET: &str = "xl/worksheets/sheet1.xml";
pub const BOOK: &str = "xl/workbook.xml";
pub const SLIDE: &str = "ppt/slides/slide1.xml";
pub const SHOW: &str = "ppt/presentation.xml";

/// A page of text with a link.
pub fn docx() -> Document {
    let mut doc = Document::new(Format::Docx);
    let text = "<w:p><w:r><w:t xml:space=\"preserve\"> KEEP </w:t></w:r></w:p><!--here-->";
    let link = "<w:p><w:hyperlink r:id=\"rId2\"><w:r><w:t>link</w:t></w:r></w:hyperlink></w:p>";
    let root =
        format!("<w:document {W} {R}><w:body>{text}{link}<w:sectPr/></w:body></w:document>").replace("<!--here-->", "");
    doc.part("", "officeDocument", BODY, "wordprocessingml.document.main+xml", &root);
    let styles = format!(
        "<w:styles {W}><w:style w:type=\"paragraph\" w:styleId=\"a\"><w:name w:val=\"Normal\"/></w:style></w:styles>"
    );
    doc.part(BODY, "styles", "word/styles.xml", "wordprocessingml.styles+xml", &styles);
    doc.relate(BODY, "hyperlink", "https://example.invalid/?a=1&b=2", true);
    let settings = format!("<w:settings {W}><w:zoom w:percent=\"100\"/></w:settings>");
    doc.part(BODY, "settings", "word/settings.xml", "wordprocessingml.settings+xml", &settings);
    doc
}

/// Two cells, a formula, a defined name, a rule and a validation.
pub fn xlsx() -> Document {
    let mut doc = Document::new(Format::Xlsx);
    let book = format!(
        "<workbook {S} {R}><sheets><sheet name=\"One\" sheetId=\"1\" r:id=\"rId1\"/></sheets><definedNames><definedName name=\"Total\">One!$A$1</definedName></definedNames></workbook>"
    );
    doc.part("", "officeDocument", BOOK, "spreadsheetml.sheet.main+xml", &book);
    let sheet = format!(
        "<worksheet {S} {R}><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\"><f>SUM(A1:A1)</f><v>1</v></c></row></sheetData>\
         <conditionalFormatting sqref=\"A1\"><cfRule type=\"expression\" priority=\"1\"><formula>A1&gt;0</formula></cfRule></conditionalFormatting>\
         <dataValidations count=\"1\"><dataValidation sqref=\"A1\"><formula1>1</formula1></dataValidation></dataValidations>\
         <hyperlinks><hyperlink ref=\"A1\" r:id=\"rId1\"/></hyperlinks></worksheet>"
    );
    doc.part(BOOK, "worksheet", SHEET, "spreadsheetml.worksheet+xml", &sheet);
    doc.relate(SHEET, "hyperlink", "mailto:a@example.invalid", true);
    doc
}

/// A slide on its layout and master, with a link to itself and one that turns the page.
pub fn pptx() -> Document {
    let mut doc = Document::new(Format::Pptx);
    let tree = "<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id=\"1\" name=\"\"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/></p:spTree></p:cSld>";
    let show = format!(
        "<p:presentation {P} {R}><p:sldMasterIdLst><p:sldMasterId id=\"2147483648\" r:id=\"rId1\"/></p:sldMasterIdLst>\
         <p:sldIdLst><p:sldId id=\"256\" r:id=\"rId2\"/></p:sldIdLst><p:sldSz cx=\"9144000\" cy=\"6858000\"/></p:presentation>"
    );
    doc.part("", "officeDocument", SHOW, "presentationml.presentation.main+xml", &show);
    let master = format!(
        "<p:sldMaster {P} {R}>{tree}<p:sldLayoutIdLst><p:sldLayoutId id=\"2147483649\" r:id=\"rId1\"/></p:sldLayoutIdLst></p:sldMaster>"
    );
    doc.part(SHOW, "slideMaster", "ppt/slideMasters/slideMaster1.xml", "presentationml.slideMaster+xml", &master);
    let shape = "<p:sp><p:nvSpPr><p:cNvPr id=\"2\" name=\"Button\"><a:hlinkClick r:id=\"\" action=\"ppaction://hlinkshowjump?jump=nextslide\"/></p:cNvPr>\
                 <p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:p><a:r><a:t>KEEP</a:t></a:r></a:p></p:txBody></p:sp>";
    let slide = format!("<p:sld {P} {A} {R}>{}</p:sld>", tree.replace("<p:grpSpPr/>", &format!("<p:grpSpPr/>{shape}")));
    doc.part(SHOW, "slide", SLIDE, "presentationml.slide+xml", &slide);
    let layout = format!("<p:sldLayout {P}>{tree}</p:sldLayout>");
    let master_name = "ppt/slideMasters/slideMaster1.xml";
    doc.part(
        master_name,
        "slideLayout",
        "ppt/slideLayouts/slideLayout1.xml",
        "presentationml.slideLayout+xml",
        &layout,
    );
    doc.relate("ppt/slideLayouts/slideLayout1.xml", "slideMaster", "../slideMasters/slideMaster1.xml", false);
    doc.relate(SLIDE, "slideLayout", "../slideLayouts/slideLayout1.xml", false);
    let theme = format!("<a:theme {A} name=\"T\"><a:themeElements/></a:theme>");
    doc.part(master_name, "theme", "ppt/theme/theme1.xml", "theme+xml", &theme);
    doc
}

/// A one-pixel picture of the PNG dialect.
pub fn png() -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        out.extend((data.len() as u32).to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        out.extend(kind);
        out.extend(data);
        out.extend(crc.sum().to_be_bytes());
    };
    chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut zlib, &[0, 128]).unwrap();
    chunk(b"IDAT", &zlib.finish().unwrap());
    chunk(b"IEND", b"");
    out
}
