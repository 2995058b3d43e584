//! A Word document with everything.

use super::{blip, chart, diagram, flat, graphic, package, pictures, table, xml};

/// Names that have a place of their own below, or are roots.
const OWN: [&str; 11] = [
    "instrText",
    "delInstrText",
    "fldChar",
    "fldSimple",
    "document",
    "body",
    "hyperlink",
    "headerReference",
    "footerReference",
    "p",
    "drawing",
];

/// A drawing of a graphic.
fn drawing(graphic: &str) -> String {
    format!(r#"<w:p><w:r><w:drawing><wp:inline>{graphic}</wp:inline></w:drawing></w:r></w:p>"#)
}

fn fields() -> String {
    let mut out = String::new();
    for word in table("ooxml/fields.rs", "ALLOWED") {
        let text = if word == "HYPERLINK" {
            r"HYPERLINK &quot;https://keep.invalid/&quot; \l x \o &quot;tip&quot; \t w \s y \m \n \h \* x"
        } else {
            word.as_str()
        };
        out += &format!(
            r#"<w:p><w:fldSimple w:instr=" {text} " w:fldLock="1" w:dirty="1"><w:r><w:t>x</w:t></w:r></w:fldSimple></w:p>"#
        );
    }
    let char = |kind: &str| format!(r#"<w:r><w:fldChar w:fldCharType="{kind}" w:fldLock="1" w:dirty="0"/></w:r>"#);
    let text = |name: &str, text: &str| format!(r#"<w:r><w:{name} xml:space="preserve">{text}</w:{name}></w:r>"#);
    let (begin, separate, end) = (char("begin"), char("separate"), char("end"));
    let nested = format!(
        r#"{begin}{}{begin}{}{end}{}{end}"#,
        text("instrText", " REF x "),
        text("instrText", "PAGE"),
        text("instrText", r" \h")
    );
    let deleted = format!(r#"{begin}{}{separate}{end}"#, text("delInstrText", "PAGE"));
    let twice = format!(r#"{begin}{}{separate}{separate}<w:r><w:t>x</w:t></w:r>{end}"#, text("instrText", "PAGE"));
    out + &format!("<w:p>{nested}</w:p><w:p><w:del>{deleted}</w:del></w:p><w:p>{twice}</w:p>")
}

pub fn docx() -> Vec<u8> {
    let mut body: String = ["m", "wp", "pic", "wps", "wpg", "wpc", "lc"].iter().map(|list| flat(list, &[])).collect();
    body += &flat("a", &["blip", "graphicData", "hlinkClick", "hlinkHover", "hlinkMouseOver"]);
    body += &flat("w", &OWN);
    for n in 5..10 {
        body += &drawing(&blip(&format!("rId{n}")));
    }
    body += &drawing(&graphic("chart", r#"<c:chart r:id="rId10"/>"#));
    body += &drawing(&graphic("diagram", super::DIAGRAM));
    body += &drawing(&graphic("wordprocessingShape", "<wps:wsp/>"));
    body += &drawing(&graphic("wordprocessingGroup", "<wpg:wgp/>"));
    body += &drawing(&graphic("wordprocessingCanvas", "<wpc:wpc/>"));
    body += &drawing(&graphic("lockedCanvas", "<lc:lockedCanvas/>"));
    body += r#"<w:p><w:hyperlink r:id="rId11" w:tgtFrame="x" w:tooltip="&lt;&gt;&quot;&#9;&#10;&#13;" w:docLocation="x" w:history="1" w:anchor="x"><w:r><w:t>x</w:t></w:r></w:hyperlink></w:p>"#;
    body += &fields();
    body += r#"<w:p><w:hyperlink r:id="rId14"><w:r><w:t xml:space="default">&lt;&gt;&amp;&#13;</w:t></w:r></w:hyperlink></w:p>"#;
    body += r#"<w:sectPr><w:headerReference r:id="rId12" w:type="default"/><w:footerReference r:id="rId13" w:type="default"/></w:sectPr>"#;
    let mut relationships = vec![
        ("diagramData", "diagrams/data1.xml"),
        ("diagramLayout", "diagrams/layout1.xml"),
        ("diagramQuickStyle", "diagrams/quickStyle1.xml"),
        ("diagramColors", "diagrams/colors1.xml"),
        ("image", "media/image1.png"),
        ("image", "media/image2.jpg"),
        ("image", "media/image3.gif"),
        ("image", "media/image4.bmp"),
        ("image", "media/image5.tif"),
        ("chart", "charts/chart1.xml"),
        ("hyperlink", "https://keep.invalid/"),
        ("header", "header1.xml"),
        ("footer", "footer1.xml"),
        ("hyperlink", "http://keep.invalid/"),
        ("theme", "theme/theme1.xml"),
        ("glossaryDocument", "glossary/document.xml"),
    ];
    let shared = [
        ("styles", "styles.xml", "styles"),
        ("numbering", "numbering.xml", "numbering"),
        ("settings", "settings.xml", "settings"),
        ("fontTable", "fontTable.xml", "fonts"),
        ("footnotes", "footnotes.xml", "footnotes"),
        ("endnotes", "endnotes.xml", "endnotes"),
        ("comments", "comments.xml", "comments"),
    ];
    let own: Vec<(&str, &str)> = shared.iter().map(|(kind, file, _)| (*kind, *file)).collect();
    relationships.extend(&own);
    let body = format!("<w:body>{body}</w:body>");
    let mut parts = vec![
        xml(
            "word/document.xml",
            "wordprocessingml.document.main",
            r#"w:document w:conformance="transitional""#,
            &body,
            &relationships,
        ),
        xml(
            "word/glossary/document.xml",
            "wordprocessingml.document.glossary",
            "w:glossaryDocument",
            "<w:docParts/>",
            &[own.as_slice(), &[("theme", "../theme/theme1.xml")]].concat(),
        ),
        xml("word/header1.xml", "wordprocessingml.header", "w:hdr", "<w:p/>", &[]),
        xml("word/footer1.xml", "wordprocessingml.footer", "w:ftr", "<w:p/>", &[]),
        xml("word/theme/theme1.xml", "theme", r#"a:theme name="t""#, "", &[]),
    ];
    for (kind, file, root) in shared {
        for folder in ["word", "word/glossary"] {
            let path: &'static str = format!("{folder}/{file}").leak();
            parts.push(xml(path, &format!("wordprocessingml.{kind}"), &format!("w:{root}"), "", &[]));
        }
    }
    parts.extend(pictures("word"));
    parts.extend(diagram("word"));
    parts.extend(chart("word/charts/chart1.xml", "word/theme/themeOverride1.xml", "word/drawings/userShapes1.xml"));
    package(&parts)
}
