//! Whole packages through the reconstructor: what stays, what goes, and that a second pass changes nothing.

use super::*;
use crate::zip_read::Archive;
use crate::zip_write::ZipWriter;
use crate::{Host, Quiet};
use model::{Budget, ExportKind, Findings, Limits, Policy};
use std::collections::BTreeMap;

const REL: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PNG_1X1: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82";

/// Namespaces that the bodies below use.
fn ns() -> String {
    format!(
        "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" xmlns:r=\"{REL}\" \
         xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\" \
         xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\" xmlns:v=\"urn:schemas-microsoft-com:vml\" \
         xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\" xmlns:q=\"urn:unknown\" \
         xmlns:wps=\"http://schemas.microsoft.com/office/word/2010/wordprocessingShape\""
    )
}

struct Parts(BTreeMap<String, Vec<u8>>);

impl Parts {
    fn new(main: &str, body: &str) -> Self {
        let mut parts = Self(BTreeMap::new());
        parts.add("[Content_Types].xml", "<Types/>");
        parts.add("_rels/.rels", rels(&[("rId1", "officeDocument", main, false)]));
        parts.add(main, body);
        parts
    }

    fn word(body: &str) -> Self {
        Self::new("word/document.xml", &format!("<w:document {}><w:body>{body}</w:body></w:document>", ns()))
    }

    fn add(&mut self, name: &str, content: impl AsRef<[u8]>) -> &mut Self {
        self.0.insert(name.to_owned(), content.as_ref().to_vec());
        self
    }

    fn zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new();
        for (name, bytes) in &self.0 {
            zip.add(name, bytes).unwrap();
        }
        zip.finish().unwrap()
    }
}

fn rels(rows: &[(&str, &str, &str, bool)]) -> String {
    let mut out =
        String::from("<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">");
    for (id, kind, target, external) in rows {
        let target = target.trim_start_matches("word/").replace("document.xml", "word/document.xml");
        let mode = if *external { " TargetMode=\"External\"" } else { "" };
        out.push_str(&format!("<Relationship Id=\"{id}\" Type=\"{REL}/{kind}\" Target=\"{target}\"{mode}/>"));
    }
    out + "</Relationships>"
}

fn run_with(bytes: &[u8], format: Format, host: &mut dyn Host) -> (Result<Rebuilt, Refusal>, Findings) {
    let policy = Policy::standard();
    Cx::top(&policy, host, |cx| (Ooxml.reconstruct(Untrusted::new(bytes), format, cx), cx.findings().clone()))
}

fn run(bytes: &[u8], format: Format) -> (Result<Rebuilt, Refusal>, Findings) {
    run_with(bytes, format, &mut Quiet)
}

fn unzip(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut budget = Budget::new(&Limits::default());
    let archive = Archive::open(bytes, &mut budget).unwrap();
    let text = |e| String::from_utf8_lossy(&archive.read(e, &mut budget.clone()).unwrap()).into_owned();
    archive.entries().iter().map(|e| (e.name.clone(), text(e))).collect()
}

/// The new parts; checks on the way that a second pass gives the same bytes.
fn clean(parts: &Parts, format: Format) -> (BTreeMap<String, String>, Vec<String>) {
    let (result, findings) = run(&parts.zip(), format);
    let rebuilt = result.unwrap();
    let again = run(&rebuilt.bytes, rebuilt.format).0.unwrap();
    assert_eq!(unzip(&again.bytes), unzip(&rebuilt.bytes));
    assert!(again.bytes == rebuilt.bytes, "a second pass changed the archive");
    (unzip(&rebuilt.bytes), findings.rows().iter().map(|f| f.id.clone()).collect())
}

fn document(body: &str) -> (String, Vec<String>) {
    let (parts, ids) = clean(&Parts::word(body), Format::Docx);
    (parts["word/document.xml"].clone(), ids)
}

#[test]
fn text_stays_and_what_the_tables_lack_goes() {
    let (xml, ids) = document(
        "<?pi x?><!-- CANARY1 --><w:p w:rsidR=\"CANARY2\"><w:r q:x=\"CANARY3\"><w:t xml:space=\"preserve\"> a &amp; &lt;b&gt;\u{202e} </w:t></w:r>\
         <q:wrap>CANARY4<w:r><w:t>kept</w:t></w:r></q:wrap><w:r><![CDATA[CANARY5]]></w:r><w:altChunk r:id=\"rId9\"/></w:p>",
    );
    assert!(xml.contains("<w:p><w:r><w:t xml:space=\"preserve\"> a &amp; &lt;b&gt; </w:t></w:r><w:r><w:t>kept</w:t></w:r><w:r/></w:p>"), "{xml}");
    assert!(!xml.contains("CANARY") && !xml.contains("q:"));
    assert!(["OOX-20", "OOX-21", "OOX-22", "OOX-33"].iter().all(|id| ids.iter().any(|i| i == id)), "{ids:?}");
}

#[test]
fn a_branch_is_taken_only_where_all_it_asks_for_is_known() {
    let branch = |requires: &str| {
        document(&format!(
            "<w:p><mc:AlternateContent><mc:Choice Requires=\"{requires}\"><w:r><w:t>choice</w:t></w:r></mc:Choice>\
             <mc:Fallback><w:r><w:t>fallback</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>"
        ))
        .0
    };
    assert!(branch("wps").contains("choice") && !branch("wps").contains("fallback"));
    assert!(branch("q wps").contains("fallback") && !branch("q").contains("choice"));
    assert!(!branch("wps").contains("mc:"));
}

#[test]
fn fields_lose_what_they_do_and_keep_what_they_show() {
    let field = |code: &str| {
        let run = |inner: &str| format!("<w:r>{inner}</w:r>");
        let (begin, rest) = code.split_at(code.len() / 2);
        let parts = [
            "<w:fldChar w:fldCharType=\"begin\"/>".to_owned(),
            format!("<w:instrText>{begin}</w:instrText>"),
            format!("<w:instrText>{rest}</w:instrText>"),
            "<w:fldChar w:fldCharType=\"separate\"/>".into(),
            "<w:t>shown</w:t>".into(),
            "<w:fldChar w:fldCharType=\"end\"/>".into(),
        ];
        document(&format!("<w:p>{}</w:p>", parts.iter().map(|p| run(p)).collect::<String>())).0
    };
    assert!(field("PAGE \\* MERGEFORMAT").contains("w:instrText"));
    for code in ["DDEAUTO c:\\\\x", "INCLUDETEXT http://x", "HYPERLINK \"file:///x\""] {
        let xml = field(code);
        assert!(xml.contains("shown") && !xml.contains("instrText") && !xml.contains("fldChar"), "{xml}");
    }
    let (simple, _) = document("<w:p><w:fldSimple w:instr=\"LINK x\"><w:r><w:t>shown</w:t></w:r></w:fldSimple></w:p>");
    assert!(simple.contains("shown") && !simple.contains("fldSimple"));
}

#[test]
fn links_lead_to_the_web_or_lose_their_target() {
    let link = |target: &str| {
        let mut parts = Parts::word("<w:p><w:hyperlink r:id=\"rId7\"><w:r><w:t>text</w:t></w:r></w:hyperlink></w:p>");
        parts.add("word/_rels/document.xml.rels", rels(&[("rId7", "hyperlink", target, true)]));
        let (out, _) = clean(&parts, Format::Docx);
        assert!(out["word/document.xml"].contains("text"));
        out.get("word/_rels/document.xml.rels").cloned()
    };
    assert!(
        link("HTTPS://example.org/ä").unwrap().contains("Target=\"https://example.org/ä\" TargetMode=\"External\"")
    );
    for bad in ["file:///c:/x.exe", "\\\\host\\share", "javascript:x", "ms-word:ofe|u|http://x"] {
        assert_eq!(link(bad), None, "{bad}");
    }
}

#[test]
fn an_id_cannot_be_lent_from_a_link_to_a_picture() {
    let mut parts = Parts::word(
        "<w:p><w:hyperlink r:id=\"rId7\"><w:r><w:t>x</w:t></w:r></w:hyperlink><w:r><w:drawing><a:graphic><a:graphicData \
         uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:pic><pic:blipFill><a:blip r:embed=\"rId7\" r:link=\"rId8\"/>\
         </pic:blipFill></pic:pic></a:graphicData></a:graphic></w:drawing></w:r></w:p>",
    );
    let rows = [("rId7", "hyperlink", "http://a.example/", true), ("rId8", "image", "http://a.example/x.png", true)];
    parts.add("word/_rels/document.xml.rels", rels(&rows));
    let (out, ids) = clean(&parts, Format::Docx);
    assert!(out["word/document.xml"].contains("<a:blip r:embed=\"rId2\"/>"), "{}", out["word/document.xml"]);
    assert!(out["word/_rels/document.xml.rels"].contains("Target=\"media/image1.png\""));
    assert!(ids.contains(&"OOX-40".to_owned()));
}

#[test]
fn old_drawings_become_new_ones() {
    let mut parts = Parts::word(
        "<w:p><w:r><w:pict><v:shape style=\"width:100pt;height:1in\"><v:textbox><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p>\
         </w:txbxContent></v:textbox></v:shape><v:shape style=\"width:10pt;height:10pt\"><v:imagedata r:id=\"rId1\"/></v:shape></w:pict></w:r></w:p>",
    );
    parts.add("word/_rels/document.xml.rels", rels(&[("rId1", "image", "media/a.png", false)]));
    parts.add("word/media/a.png", PNG_1X1);
    let (out, _) = clean(&parts, Format::Docx);
    let xml = &out["word/document.xml"];
    assert!(
        xml.contains("<wps:txbx><w:txbxContent><w:p><w:r><w:t>boxed")
            && xml.contains("<wp:extent cx=\"1270000\" cy=\"914400\"/>")
    );
    assert!(xml.contains("<pic:blipFill><a:blip r:embed=\"rId1\"/>") && !xml.contains("v:"));
}

/// Sees what is handed to the engines.
#[derive(Default)]
struct Spy(Vec<(String, Vec<u8>)>);

impl Host for Spy {
    fn export(&mut self, _: ExportKind, name: &str, _: u32, bytes: &[u8]) -> Result<(), Refusal> {
        self.0.push((name.to_owned(), bytes.to_vec()));
        Ok(())
    }

    fn recognises(&self, _: &[u8], _: Format) -> bool {
        false
    }
}

#[test]
fn parts_without_a_place_go_and_are_scanned() {
    let mut parts = Parts::word("<w:p><w:r><w:t>body</w:t></w:r></w:p>");
    let rows = [
        ("rId1", "vbaProject", "vbaProject.bin", false),
        ("rId2", "attachedTemplate", "http://a.example/t.dotm", true),
        ("rId3", "aFChunk", "afchunk.mht", false),
        ("rId4", "oleObject", "embeddings/oleObject1.bin", false),
        ("rId5", "styles", "styles.xml", false),
    ];
    parts.add("word/_rels/document.xml.rels", rels(&rows));
    parts.add(
        "word/styles.xml",
        format!("<w:styles {}><w:style w:styleId=\"a\" w:type=\"paragraph\"/></w:styles>", ns()),
    );
    let dropped = [
        "word/vbaProject.bin",
        "word/afchunk.mht",
        "word/embeddings/oleObject1.bin",
        "customXml/item1.xml",
        "docProps/core.xml",
        "x/y.bin",
    ];
    for name in dropped {
        parts.add(name, "CANARY");
    }
    let mut spy = Spy::default();
    let (result, findings) = run_with(&parts.zip(), Format::Docm, &mut spy);
    let rebuilt = result.unwrap();
    assert_eq!(rebuilt.format, Format::Docx);
    let out = unzip(&rebuilt.bytes);
    let names: Vec<&str> = out.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["[Content_Types].xml", "_rels/.rels", "word/_rels/document.xml.rels", "word/document.xml", "word/styles.xml"]
    );
    assert!(
        out.values().all(|text| !text.contains("CANARY") && !text.contains("macro") && !text.contains("a.example"))
    );
    for name in dropped {
        assert!(spy.0.iter().any(|(n, bytes)| n == name && bytes == b"CANARY"), "{name} was not scanned");
        assert!(findings.rows().iter().any(|f| f.at == name), "{name} was not reported");
    }
}

const X: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

fn book() -> Parts {
    let mut parts = Parts::new(
        "xl/workbook.xml",
        &format!(
            "<workbook xmlns=\"{X}\" xmlns:r=\"{REL}\"><bookViews><workbookView activeTab=\"1\"/></bookViews><sheets><sheet name=\"Macro1\" sheetId=\"1\" \
             r:id=\"rId1\"/><sheet name=\"Data\" sheetId=\"2\" r:id=\"rId2\"/></sheets><definedNames><definedName name=\"_xlnm.Auto_Open\">Macro1!$A$1</definedName>\
             <definedName name=\"Fine\" localSheetId=\"1\">Data!$A$1</definedName><definedName name=\"Bad\">[1]S!A1</definedName></definedNames></workbook>"
        ),
    );
    parts.add("_rels/.rels", rels(&[("rId1", "officeDocument", "xl/workbook.xml", false)]));
    parts.add(
        "xl/_rels/workbook.xml.rels",
        rels(&[
            ("rId1", "xlMacrosheet", "macrosheets/sheet1.xml", false),
            ("rId2", "worksheet", "worksheets/sheet1.xml", false),
        ]),
    );
    parts.add("xl/macrosheets/sheet1.xml", "<x/>");
    parts.add("xl/worksheets/_rels/sheet1.xml.rels", rels(&[("rId1", "comments", "../comments1.xml", false)]));
    parts.add("xl/comments1.xml", format!("<comments xmlns=\"{X}\"><authors><author>A</author></authors><commentList><comment ref=\"B3\" authorId=\"0\"><text><t>note</t></text></comment></commentList></comments>"));
    parts.add(
        "xl/worksheets/sheet1.xml",
        format!(
            "<worksheet xmlns=\"{X}\"><sheetData><row r=\"1\"><c r=\"A1\"><f>SUM(1,2)</f><v>3</v></c><c r=\"A2\"><f>WEBSERVICE(\"http://x\")</f><v>4</v></c>\
             <c r=\"A3\"><f t=\"shared\" si=\"0\" ref=\"A3:A4\">cmd|'/c calc'!A0</f><v>5</v></c><c r=\"A4\"><f t=\"shared\" si=\"0\"/><v>6</v></c></row></sheetData>\
             <dataValidations><dataValidation sqref=\"A1\"><formula1>Macro1!A1</formula1></dataValidation></dataValidations></worksheet>"
        ),
    );
    parts
}

#[test]
fn sheets_keep_values_and_lose_what_reaches_out() {
    let (out, ids) = clean(&book(), Format::Xlsm);
    let sheet = &out["xl/worksheets/sheet1.xml"];
    assert!(sheet.contains("<c r=\"A1\"><f>SUM(1,2)</f><v>3</v></c><c r=\"A2\"><v>4</v></c><c r=\"A3\"><v>5</v></c><c r=\"A4\"><v>6</v></c>"), "{sheet}");
    assert!(
        sheet.contains("<formula1>#REF!</formula1>") && sheet.ends_with("<legacyDrawing r:id=\"rId2\"/></worksheet>")
    );
    let workbook = &out["xl/workbook.xml"];
    assert!(workbook.contains("<workbookView activeTab=\"0\"/>") && !workbook.contains("Macro1"), "{workbook}");
    assert!(workbook.contains("<definedName name=\"Fine\" localSheetId=\"0\">Data!$A$1</definedName><definedName name=\"Bad\">#REF!</definedName>"));
    assert!(out["xl/drawings/vmlDrawing1.vml"].contains("<x:Row>2</x:Row><x:Column>1</x:Column>"));
    assert!(["OOX-05", "OOX-15", "OOX-16", "OOX-38"].iter().all(|id| ids.iter().any(|i| i == id)), "{ids:?}");
}

#[test]
fn damaged_packages_are_refused_and_never_panic() {
    let good = book().zip();
    for end in (0..good.len()).step_by(97) {
        assert!(run(&good[..end], Format::Xlsx).0.is_err());
    }
    let xml = "<w:p><w:r><w:t>a</w:t></w:r></w:p>";
    let whole = format!("<w:document {}><w:body>{xml}</w:body></w:document>", ns());
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)).step_by(7) {
        assert!(run(&Parts::new("word/document.xml", &whole[..end]).zip(), Format::Docx).0.is_err(), "cut at {end}");
    }
    let deep = format!("<w:document {}><w:body>{}", ns(), "<w:p>".repeat(5000));
    assert!(matches!(run(&Parts::new("word/document.xml", &deep).zip(), Format::Docx).0, Err(Refusal::Limit { .. })));
    let nested = "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>".repeat(1000);
    assert!(matches!(
        run(&Parts::word(&format!("<w:p>{nested}</w:p>")).zip(), Format::Docx).0,
        Err(Refusal::Limit { .. })
    ));
    let entity = format!(
        "<!DOCTYPE x [<!ENTITY e \"a\">]><w:document {}><w:body><w:p><w:r><w:t>&e;</w:t></w:r></w:p></w:body></w:document>",
        ns()
    );
    assert!(run(&Parts::new("word/document.xml", &entity).zip(), Format::Docx).0.is_err());
}

#[test]
fn every_byte_may_be_wrong_without_a_panic() {
    let body = format!(
        "<w:document {}><w:body><w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r><w:r>\
         <w:pict><v:shape style=\"width:1pt;height:1pt\"/></w:pict></w:r></w:p></w:body></w:document>",
        ns()
    );
    let from = body.find("<w:body>").unwrap();
    for at in (from..body.len()).step_by(3) {
        for byte in [b'<', b'"', b'&', b'0'] {
            let mut bytes = body.clone().into_bytes();
            bytes[at] = byte;
            let (result, _) =
                run(&Parts::new("word/document.xml", &String::from_utf8(bytes).unwrap()).zip(), Format::Docx);
            if let Ok(rebuilt) = result {
                assert_eq!(run(&rebuilt.bytes, Format::Docx).0.unwrap().bytes, rebuilt.bytes, "byte {at}");
            }
        }
    }
}

#[test]
fn an_object_on_a_slide_leaves_a_field_in_its_place() {
    let slide = format!(
        "<p:sld {}><p:cSld><p:spTree><p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id=\"4\" name=\"Obj\"/></p:nvGraphicFramePr><p:xfrm>\
         <a:off x=\"1\" y=\"2\"/><a:ext cx=\"3\" cy=\"4\"/></p:xfrm><a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/presentationml/2006/ole\">\
         <p:oleObj spid=\"x\" r:id=\"rId3\"/></a:graphicData></a:graphic></p:graphicFrame></p:spTree></p:cSld><p:timing><p:cmd/></p:timing></p:sld>",
        ns()
    );
    let show = format!(
        "<p:presentation {}><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId1\"/></p:sldIdLst></p:presentation>",
        ns()
    );
    let mut parts = Parts::new("ppt/presentation.xml", &show);
    parts.add("ppt/_rels/presentation.xml.rels", rels(&[("rId1", "slide", "slides/slide1.xml", false)]));
    parts.add("ppt/slides/slide1.xml", slide);
    let (out, ids) = clean(&parts, Format::Pptm);
    let xml = &out["ppt/slides/slide1.xml"];
    assert!(xml.contains("<p:pic>") && xml.contains("<a:ext cx=\"3\" cy=\"4\"/>"), "{xml}");
    assert!(!xml.contains("oleObj") && !xml.contains("timing") && ids.contains(&"OOX-26".to_owned()));
}
