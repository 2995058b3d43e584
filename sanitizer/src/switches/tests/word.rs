//! Word documents: fields, links, parts, characters.

use super::Carrier;
use super::Filter::{self, *};
use super::package::{BODY, Package};
use model::{Comments, Format, Links, Policy};

const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";

fn docx(filter: Filter, package: &Package, mark: &str) -> Carrier {
    Carrier::new(filter, Format::Docx, package.bytes(), mark)
}

/// XML in the body.
fn body(filter: Filter, xml: &str, mark: &str) -> Carrier {
    docx(filter, &Package::docx().holding(BODY, xml), mark)
}

/// A part of the main one.
fn part(package: Package, kind: &str, name: &str, xml: &str) -> Package {
    package.adding(&format!("word/{name}"), xml).relating(BODY, "rId90", kind, name, false)
}

fn settings(filter: Filter, xml: &str, mark: &str) -> Carrier {
    let settings = format!("<w:settings {W}>{xml}</w:settings>");
    docx(filter, &part(Package::docx(), "settings", "settings.xml", &settings), mark)
}

/// A complex field; `~` cuts its instruction into runs, `|` into paragraphs.
fn field(filter: Filter, instruction: &str, mark: &str) -> Carrier {
    let run = |text: &str| format!("<w:r><w:instrText>{text}</w:instrText></w:r>");
    let pieces: Vec<String> = instruction.split('|').map(|p| p.split('~').map(run).collect()).collect();
    let character = |kind: &str| format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>");
    let (begin, middle, end) = (character("begin"), character("separate"), character("end"));
    let inside = pieces.join("</w:p><w:p>");
    body(filter, &format!("<w:p>{begin}{inside}{middle}<w:r><w:t>shown</w:t></w:r>{end}</w:p>"), mark)
}

fn simple_field(filter: Filter, instruction: &str, mark: &str) -> Carrier {
    body(
        filter,
        &format!("<w:p><w:fldSimple w:instr=\"{instruction}\"><w:r><w:t>shown</w:t></w:r></w:fldSimple></w:p>"),
        mark,
    )
}

fn without_links(policy: &mut Policy) {
    policy.formats.word = policy.formats.word.map(|p| model::Office { links: Links::Text, ..p });
}

pub(super) fn carriers() -> Vec<Carrier> {
    let mut out = [fields(), links(), names(), parts()].into_iter().flatten().collect::<Vec<Carrier>>();
    for c in ["\u{202e}", "\u{2066}", "&#1;", "\u{7f}", "\u{9b}", "\u{fffe}"] {
        let raw = if c == "&#1;" { "\u{1}" } else { c };
        out.push(body(OoxCharacters, &format!("<w:p><w:r><w:t>a{c}b</w:t></w:r></w:p>"), &format!("a{raw}b")));
        let named = format!("<w:p><w:bookmarkStart w:id=\"1\" w:name=\"a{c}b\"/><w:bookmarkEnd w:id=\"1\"/></w:p>");
        out.push(body(OoxCharacters, &named, &format!("a{raw}b")));
    }
    out
}

fn fields() -> Vec<Carrier> {
    let mut out = Vec::new();
    for code in [
        "DDEAUTO c:\\\\x y",
        "DDE x",
        "INCLUDETEXT x.docx",
        "INCLUDEPICTURE x.png",
        "IMPORT x",
        "QUOTE 65",
        "IF 1 = 1",
        "MACROBUTTON m x",
        "DATABASE \\d x",
        "LINK Excel.Sheet x",
        "RD x",
        "FILLIN x",
        "AUTOTEXT x",
        "GOTOBUTTON x y",
        "PRINT 27",
        "USERINITIALS",
        "EMBED x",
        "HTMLACTIVEX x",
        "ADDIN x",
        "ASK a b",
        "SET a b",
    ] {
        out.push(simple_field(OoxFieldCodes, code, code));
        out.push(field(OoxFieldCodes, code, code));
    }
    out.push(field(OoxFieldCodes, "DDE~AUTO c:\\\\x", "<w:instrText>AUTO c:"));
    for target in [
        "\"file:///c:/x\"",
        "\"javascript:x\"",
        "\\\\\\\\host\\\\x",
        "x.docx",
        "\\l \"http://x.invalid/\"",
        "\"https://x.invalid/\" \\z x",
        "\\t \"\\\\\\\\host\"",
    ] {
        let instruction = format!("HYPERLINK {}", target.replace('"', "&quot;"));
        let written = format!("HYPERLINK {target}");
        out.push(simple_field(OoxFieldLinks, &instruction, &instruction));
        out.push(field(OoxFieldLinks, &instruction, &written));
    }
    for instruction in ["INDEX http://x.invalid/", "REF \\\\\\\\host\\\\share", "TOC file://x", "DOCPROPERTY x://y"] {
        out.push(simple_field(OoxFieldAddresses, instruction, instruction));
        out.push(field(OoxFieldAddresses, instruction, instruction));
    }
    let begin = "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>";
    let end = "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>";
    let text = |t: &str| format!("<w:r><w:instrText>{t}</w:instrText></w:r>");
    let inner = format!("{begin}{}{end}", text("SEQ nested"));
    out.push(
        body(OoxFieldNesting, &format!("<w:p>{begin}{inner}{}{end}</w:p>", text("PAGE")), "SEQ nested")
            .says("a field before the code of its outer one"),
    );
    let link = text("HYPERLINK &quot;https://x.invalid/&quot; ");
    out.push(
        body(OoxFieldNesting, &format!("<w:p>{begin}{link}{inner}{end}</w:p>"), "SEQ nested")
            .says("a field that is a link's target"),
    );
    out.push(field(OoxFieldPieces, "PAGE |DDEAUTO x", "DDEAUTO x").says("a second paragraph with a code of its own"));
    out.push(body(OoxFieldStrays, &format!("<w:p>{}</w:p>", text("DDE stray")), "DDE stray"));
    out.push(body(OoxFieldEnds, &format!("<w:p>{begin}{}</w:p>", text("PAGE open")), "PAGE open"));
    out
}

fn links() -> Vec<Carrier> {
    let mut out = Vec::new();
    for target in [
        "file:///c:/x.exe",
        "javascript:alert(1)",
        "\\\\host\\share",
        "ms-msdt:/id",
        "data:text/html,x",
        "http:x",
        "https:///x",
        "ftp://x.invalid/",
        "search-ms:q",
        "//host/x",
        "http://x.invalid/a\u{200b}b",
        "https://x.invalid/a b",
        "vbscript:x",
        " https://x.invalid/",
        "x.exe",
        "https://x.invalid/<x>",
    ] {
        let link = "<w:p><w:hyperlink r:id=\"rId91\"><w:r><w:t>there</w:t></w:r></w:hyperlink></w:p>";
        let package = Package::docx().holding(BODY, link).relating(BODY, "rId91", "hyperlink", target, true);
        let mark = format!("Target=\"{}\"", target.replace('<', "&lt;").replace('>', "&gt;"));
        out.push(docx(OoxAddresses, &package, &mark));
    }
    for anchor in ["http://x.invalid/", "\\\\host\\x", "javascript:x", "file:x"] {
        let link = format!("<w:p><w:hyperlink w:anchor=\"{anchor}\"><w:r><w:t>there</w:t></w:r></w:hyperlink></w:p>");
        out.push(body(OoxAnchors, &link, anchor));
    }
    out.push(docx(OoxLinks, &Package::docx(), "https://keep.invalid/").under(without_links).says("a link"));
    let simple = "HYPERLINK &quot;https://x.invalid/&quot;";
    out.push(simple_field(OoxLinks, simple, simple).under(without_links));
    let note = "<w:p><w:commentRangeStart w:id=\"0\"/><w:r><w:t>x</w:t></w:r><w:commentRangeEnd w:id=\"0\"/><w:r><w:commentReference w:id=\"0\"/></w:r></w:p>";
    let comments = format!("<w:comments {W}><w:comment w:id=\"0\" w:author=\"A\"><w:p/></w:comment></w:comments>");
    let no_comments = |policy: &mut Policy| {
        policy.formats.word = policy.formats.word.map(|p| model::Office { comments: Comments::Remove, ..p });
    };
    let package = part(Package::docx().holding(BODY, note), "comments", "comments.xml", &comments);
    out.push(docx(OoxComments, &package, "commentReference").under(no_comments));
    out
}

fn names() -> Vec<Carrier> {
    let run = |inner: &str| format!("<w:p><w:r>{inner}</w:r></w:p>");
    let mut out = vec![
        body(OoxTextElements, &run("<w:t>a<w:tab/>b</w:t>"), "a<w:tab/>b"),
        body(OoxText, "<w:p>loose words</w:p>", "loose words"),
        body(
            OoxAttributeTwice,
            "<w:p><w:pPr><w:jc w:val=\"left\" w:val=\"right\"/></w:pPr></w:p>",
            "w:val=\"left\" w:val",
        ),
        body(OoxSpace, &run("<w:t xml:space=\"other\">x</w:t>"), "xml:space=\"other\""),
        body(
            OoxVml,
            &run("<w:pict><v:shape xmlns:v=\"urn:schemas-microsoft-com:vml\" alt=\"x\"/></w:pict>"),
            "<w:pict><",
        ),
        body(OoxVml, &run("<w:object/>"), "<w:object/>"),
        settings(
            OoxUris,
            "<w:compat><w:compatSetting w:name=\"a\" w:uri=\"http://x.invalid/\" w:val=\"1\"/></w:compat>",
            "http://x.invalid/",
        ),
    ];
    for (element, attribute) in
        [("w:p", "r:id=\"rId2\""), ("w:t", "w:instr=\"DDE x\""), ("w:tbl", "w:anchor=\"http://x.invalid/\"")]
    {
        let inner = if element == "w:t" {
            run(&format!("<w:t {attribute}>x</w:t>"))
        } else {
            format!("<{element} {attribute}/>")
        };
        out.push(body(OoxAttributes, &inner, attribute));
    }
    for value in ["http://x.invalid/", "\\\\host\\x", "javascript:x", "a|b", "ms-msdt:x", "&lt;x", "//host/x", "file:x"]
    {
        out.push(body(OoxTokens, &format!("<w:p><w:pPr><w:jc w:val=\"{value}\"/></w:pPr></w:p>"), value));
    }
    for uri in [
        "http://schemas.openxmlformats.org/presentationml/2006/ole",
        "http://schemas.openxmlformats.org/drawingml/2006/ole",
        "http://schemas.microsoft.com/office/word",
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    ] {
        let graphic = format!(
            "<w:drawing><wp:inline><wp:extent cx=\"1\" cy=\"1\"/><wp:docPr id=\"9\" name=\"x\"/><a:graphic><a:graphicData uri=\"{uri}\"/></a:graphic></wp:inline></w:drawing>"
        );
        out.push(body(OoxGraphics, &run(&graphic), &format!("uri=\"{uri}\"")));
    }
    out
}

fn parts() -> Vec<Carrier> {
    let footer = format!("<w:ftr {W}><w:p><w:r><w:t>FOOT</w:t></w:r></w:p></w:ftr>");
    let theme = |name: &str| {
        format!("<a:theme xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" name=\"{name}\"/>")
    };
    let header = |kind: &str| format!("<w:sectPr><w:{kind}Reference w:type=\"default\" r:id=\"rId90\"/></w:sectPr>");
    let misled = part(
        Package::docx().holding(BODY, &format!("<w:p><w:pPr>{}</w:pPr></w:p>", header("header"))),
        "footer",
        "footer1.xml",
        &footer,
    );
    let twice = part(Package::docx(), "theme", "theme/theme1.xml", &theme("one"))
        .adding("word/theme/theme2.xml", theme("two"))
        .relating(BODY, "rId92", "theme", "theme/theme2.xml", false);
    let root = part(Package::docx(), "settings", "settings.xml", &format!("<w:styles {W}/>"));
    let image = "word/media/image1.png";
    let webp = Package::docx().adding(image, samples::webp());
    let bare = format!("<w:document {W}><w:body><w:p><w:r><w:t>x</w:t></w:r></w:p><w:sectPr/></w:body></w:document>");
    let silent = part(Package::docx().adding(BODY, bare).unrelated(BODY), "footer", "footer1.xml", &footer);
    vec![
        docx(OoxSilentParts, &silent, "FOOT").says("a footer that nothing names"),
        docx(OoxTargets, &misled, "FOOT").says("a footer as a header"),
        docx(OoxSecondPart, &twice, "name=\"two\"").says("a second theme"),
        docx(OoxRoot, &root, "<w:styles").says("styles as settings"),
        docx(OoxPictures, &Package::docx().adding(image, samples::png_with_text()), "tEXt")
            .says("a picture with a text in it"),
        docx(OoxPictures, &Package::docx().adding(image, samples::program_stub()), "PE\0\0")
            .says("a program as a picture"),
        docx(OoxPictureKinds, &webp, ".webp").says("a WebP picture"),
    ]
}
