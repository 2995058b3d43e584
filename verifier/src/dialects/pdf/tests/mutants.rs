//! The constructs of the catalogue, planted into a document of ours with every length and offset right.

use super::document::{Document, PAGE, cff, cmap, finish, full, sfnt, small};
use crate::testing::{accept, read, zlib};
use model::Format::Pdf;
use std::collections::BTreeSet;

/// Row, object, key, value: put into `full()`, in the place of what was there, if anything was.
const KEYS: &str = include_str!("keys.txt");

/// Object, key, value: what those places may have.
const BENIGN: &str = include_str!("benign.txt");

/// Row, and lines put behind the content of the first page.
const CONTENT: &[(&str, &str)] = &[
    ("PDF-20", "BI\n/W 1 /H 1 /BPC 8 /CS /G ID x EI"),
    ("PDF-20", "EI"),
    ("PDF-57", "/X9 PS"),
    ("PDF-78", "BX\nfoo\nEX"),
    ("PDF-78", "foo"),
    ("PDF-78", "q"),
    ("PDF-78", "Q"),
    ("PDF-78", "BT"),
    ("PDF-78", "ET"),
    ("PDF-78", "/OC /O1 BDC"),
    ("PDF-78", "EMC"),
    ("PDF-78", "/Span <</ActualText <61>>> BDC\nEMC"),
    ("PDF-61", "/Span <</ActualText <61>>> BDC\nEMC"),
    ("PDF-61", "/Span BMC\nEMC"),
    ("PDF-78", "/Tag MP"),
    ("PDF-78", "/Tag /O1 DP"),
    ("PDF-78", "1 w 2"),
    ("PDF-78", "1 2 w"),
    ("PDF-78", "w"),
    ("PDF-78", "/A w"),
    ("PDF-78", "1 0 0 1 0 cm"),
    ("PDF-78", "<61> TJ"),
    ("PDF-78", "[<61>] Tj"),
    ("PDF-78", "3 J"),
    ("PDF-78", "1.5 J"),
    ("PDF-60", "8 Tr"),
    ("PDF-78", "/F9 1 Tf"),
    ("PDF-78", "/X1 gs"),
    ("PDF-78", "/DeviceN cs"),
    ("PDF-78", "/Vivid ri"),
    ("PDF-78", "1 0 d0"),
    ("PDF-78", "1 0 0 0 0 0 d1"),
    ("PDF-78", "[/a] 0 d"),
    ("PDF-78", "[3 -1] 0 d"),
    ("PDF-78", "true w"),
    ("PDF-78", "null w"),
    ("PDF-78", "1 0 R w"),
    ("PDF-78", "<</A 1>> w"),
    ("PDF-78", "1 w 1 w"),
    ("PDF-78", "1  w"),
    ("PDF-78", "1\tw"),
    ("PDF-78", "1 w\r"),
    ("PDF-78", "1 w "),
    ("PDF-81", "% comment"),
    ("PDF-81", "1 w % comment"),
    ("PDF-81", "\n1 w"),
    ("PDF-07", "(a) Tj"),
    ("PDF-07", "<6> Tj"),
    ("PDF-07", "<6A> Tj"),
    ("PDF-07", "<61 62> Tj"),
    ("PDF-07", "/#44eviceGray cs"),
    ("PDF-85", "1e308 w"),
    ("PDF-85", "2147483648 w"),
    ("PDF-85", "-2147483648 w"),
    ("PDF-85", "99999999999999999999 w"),
    ("PDF-85", "0.0000001 w"),
    ("PDF-85", "+1 w"),
    ("PDF-85", "--1 w"),
    ("PDF-85", "01 w"),
    ("PDF-85", "-0 w"),
    ("PDF-85", "1. w"),
    ("PDF-85", ".5 w"),
    ("PDF-85", "1.50 w"),
    ("PDF-85", "16#FF w"),
];

/// Row, a piece of the file, and what stands there instead; offsets are not put right, so for what offsets don't see.
const BYTES: &[(&str, &str, &str)] = &[
    ("PDF-86", "%PDF-1.7", "%PDF-9.9"),
    ("PDF-86", "%PDF-1.7", "%PDF-1.4"),
    ("PDF-03", "/Root 1 0 R", "/Prev 9/Root 1 0 R"),
    ("PDF-04", "/Root 1 0 R", "/Root 1 0 R/XRefStm 9"),
    ("PDF-04", "/Size 5", "/Size 6"),
    ("PDF-04", " 00000 n \n", " 00001 n \n"),
    ("PDF-04", " 00000 n \n", " 00000 f \n"),
    ("PDF-04", " 00000 n \n", " 00000 n\r\n"),
    ("PDF-04", "65535 f", "00000 f"),
    ("PDF-04", "startxref\n", "startxref\n1"),
    ("PDF-04", "startxref\n", "startxref\n0"),
    ("PDF-04", "0 5\n", "0 1\n"),
    ("PDF-14", "<</Root", "<</Encrypt 4 0 R/Root"),
    ("PDF-64", "<</Root", "<</Info 4 0 R/Root"),
    ("PDF-67", "<</Root", "<</ID [<00> <00>]/Root"),
    ("PDF-02", "%%EOF\n", "%%EOF"),
    ("PDF-02", "%%EOF\n", "%%EOF\n\n"),
    ("PDF-02", "%%EOF\n", "%%EOF\n5 0 obj\n<<>>\nendobj\n"),
    ("PDF-02", "%%EOF\n", "%%EOF\nPK\u{3}\u{4}"),
];

/// Row, an object and its number in `small()`, or a piece of it, and what stands there instead; offsets are put right.
const FRAME: &[(&str, &str, &str)] = &[
    ("PDF-10", "3 0 obj", "3 0 OBJ"),
    ("PDF-10", "3 0 obj", "5 0 obj"),
    ("PDF-10", "3 0 obj", "03 0 obj"),
    ("PDF-10", "3 0 obj\n", "3 0 obj "),
    ("PDF-85", "3 0 obj", "3 65536 obj"),
    ("PDF-85", "3 0 obj", "2147483651 0 obj"),
    ("PDF-10", "endobj\n", ""),
    ("PDF-10", "endobj\n", "endobj\n\n"),
    ("PDF-81", "endobj\n", "endobj\n% comment\n"),
    ("PDF-81", "<</Count", "<<%c\n/Count"),
    ("PDF-81", "<</Count", "<< /Count"),
    ("PDF-81", "/Count 1", "/Count  1"),
    ("PDF-81", "/Count 1", "/Count\n1"),
    ("PDF-81", "/Count 1", "/Count 1\0"),
    ("PDF-07", "/Count", "/C#6funt"),
    ("PDF-08", "/Count 1", "/Count 1/Count 1"),
    ("PDF-08", "/Count 1", "/Count 1/Count 9"),
    ("PDF-11", "/Count 1", "/Count 2"),
    ("PDF-11", "/Count 1", "/Count 0"),
    ("PDF-11", "/Count 1", "/Count -1"),
    ("PDF-09", "/Length 8", "/Length 7"),
    ("PDF-09", "/Length 8", "/Length 9"),
    ("PDF-09", "/Length 8", "/Length 4 0 R"),
    ("PDF-09", "/Length 8", "/Length -1"),
    ("PDF-09", "/Length 8", "/Length 2147483647"),
    ("PDF-09", "/Length 8", "/Len 8"),
    ("PDF-09", "/Length 8", "/Length 8/Length 8"),
    ("PDF-09", "\nstream\n", "\nstream\r\n"),
    ("PDF-09", "\nstream\n", " stream\n"),
    ("PDF-09", "\nstream\n", "\nstream\r"),
    ("PDF-09", "\nendstream", "\r\nendstream"),
    ("PDF-09", "\nendstream", "endstream"),
    ("PDF-16", "/FlateDecode", "/LZWDecode"),
    ("PDF-16", "/FlateDecode", "/ASCIIHexDecode"),
    ("PDF-16", "/FlateDecode", "/Fl"),
    ("PDF-16", "/FlateDecode", "/Crypt"),
    ("PDF-16", "/FlateDecode", "[/FlateDecode]"),
    ("PDF-16", "/FlateDecode", "[/ASCII85Decode /FlateDecode]"),
    ("PDF-16", "/Filter /FlateDecode", ""),
    ("PDF-20", "/FlateDecode", "/DCTDecode"),
    ("PDF-20", "/FlateDecode", "/CCITTFaxDecode"),
    ("PDF-18", "/FlateDecode", "/JBIG2Decode"),
    ("PDF-19", "/FlateDecode", "/JPXDecode"),
    ("PDF-15", "/Filter /FlateDecode", "/F <61>/Filter /FlateDecode"),
    ("PDF-15", "/Filter /FlateDecode", "/FFilter /FlateDecode/Filter /FlateDecode"),
    ("PDF-17", "/Filter /FlateDecode", "/DecodeParms <</Columns 9/Predictor 12>>/Filter /FlateDecode"),
    ("PDF-12", "/Parent 2 0 R", "/Parent 3 0 R"),
    ("PDF-11", "[3 0 R]", "[3 0 R 3 0 R]"),
    ("PDF-11", "[3 0 R]", "[2 0 R]"),
    ("PDF-11", "[3 0 R]", "[9 0 R]"),
    ("PDF-11", "[3 0 R]", "[3 1 R]"),
    ("PDF-11", "[3 0 R]", "[0 0 R]"),
];

struct Tally {
    made: u32,
    living: Vec<String>,
    rows: BTreeSet<String>,
}

impl Tally {
    fn try_one(&mut self, row: &str, what: &str, bytes: &[u8]) {
        self.made += 1;
        self.rows.insert(row.to_owned());
        match read(bytes, Pdf) {
            Ok(()) => self.living.push(format!("{row} {what}")),
            Err(rejection) => {
                if std::env::var_os("PDF_MUTANTS").is_some() {
                    println!("{row} {what}: {}", rejection.rule);
                }
            }
        }
    }
}

/// What `text` makes of `bytes` by replacing `from`, with xref right again.
fn reframed(document: &Document, from: &str, to: &str) -> Vec<u8> {
    let bytes = document.write();
    let body = bytes.windows(6).rposition(|w| w == b"\nxref\n").unwrap() + 1;
    let mut body = replaced(&bytes[..body], from, to);
    let mut offsets = vec![];
    for number in 1..=document.0.len() {
        let head = format!("\n{number} ");
        let place = |tail: &str| {
            body.windows(head.len() + tail.len()).position(|w| w == [head.as_bytes(), tail.as_bytes()].concat())
        };
        offsets.push(place("0 obj").or_else(|| place("0 OBJ")).map_or(0, |at| at + 1));
    }
    finish(&mut body, &offsets, "");
    body
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at =
        bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap_or_else(|| panic!("{from:?} is not there"));
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

fn planted(edit: impl FnOnce(&mut Document)) -> Vec<u8> {
    let mut document = full();
    edit(&mut document);
    document.write()
}

fn lines(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// `full()` with "object key value" done to it.
fn changed(line: &str) -> Vec<u8> {
    let fields: Vec<&str> = line.splitn(3, ' ').collect();
    let [object, key, value] = fields.as_slice() else { panic!("{line}") };
    planted(|d| match (*key, *value) {
        (key, "-") => d.remove(object, key),
        ("=", array) => d.object(object).array = Some(array.to_owned()),
        _ => d.set(object, key, value),
    })
}

fn keys(tally: &mut Tally) {
    for line in lines(KEYS) {
        let (row, change) = line.split_once(' ').unwrap();
        tally.try_one(row, line, &changed(change));
    }
}

#[test]
fn benign_twins_are_accepted() {
    for line in lines(BENIGN) {
        // An object that is left over by the change is found last, when all others have been accepted.
        if let Err(rejection) = read(&changed(line), Pdf) {
            assert!(rejection.rule.contains("is not used"), "{line}: {rejection}");
        }
    }
    for lines in [
        "1 w",
        "/DeviceCMYK CS\n0 0 0 1 SC",
        "BT\n3 Tr\n[] TJ\n<> Tj\nET",
        "-0.5 0.000001 m\n2147483647 -2147483647 l\nn",
    ] {
        accept(&planted(|d| d.data("content", format!("{PAGE}{lines}\n"))), Pdf);
    }
    let deep = format!("{}{PAGE}{}", "q\n".repeat(511), "Q\n".repeat(511));
    accept(&planted(|d| d.data("content", deep)), Pdf);
    accept(&planted(|d| d.data("calculator", "{ { { true } if } { 1.5 -2 } ifelse }\n")), Pdf);
    accept(&planted(|d| d.data("unicode", cmap(2, ""))), Pdf);
}

fn streams(tally: &mut Tally) {
    let mut data = |row: &str, object: &str, data: &[u8]| {
        let name = format!("{object} {:?}", data.get(..data.len().min(60)).unwrap().escape_ascii().to_string());
        tally.try_one(row, &name, &planted(|d| d.data(object, data)));
    };
    for (row, lines) in CONTENT {
        data(row, "content", format!("{PAGE}{lines}\n").as_bytes());
    }
    data("PDF-78", "content", PAGE.trim_end().as_bytes());
    data("PDF-78", "content", format!("{}{PAGE}{}", "q\n".repeat(513), "Q\n".repeat(513)).as_bytes());
    data("PDF-72", "glyph", b"BT\n/F1 1 Tf\nET\n/F2 1 Tf\n");
    data("PDF-72", "glyph", b"0 0 m\n");
    data("PDF-13", "content", &small().write());
    data("PDF-13", "gids", &small().write()[..3]);
    data("PDF-17", "image", &[0; 3]);
    data("PDF-17", "image", &[0; 1]);
    data("PDF-17", "soft", &[0; 4000]);
    data("PDF-76", "sampled", &[1]);
    data("PDF-76", "sampled", &[1, 2, 3]);
    for program in [
        "{ }",
        "{  }\n",
        "{ foo }\n",
        "{ 1 } { }\n",
        "{ { } }\n",
        "{ { } ifelse }\n",
        "{ { } { } if }\n",
        "{ if }\n",
        "{ (x) run }\n",
        "{ 1 }\n{ 1 }\n",
        "{ systemdict }\n",
        "{ 1 /a }\n",
        "1\n",
        "",
        "{ % x\n }\n",
        "{ 1e9 }\n",
        "{ loop }\n",
    ] {
        data("PDF-76", "calculator", program.as_bytes());
    }
    data("PDF-76", "calculator", format!("{{ {}{}}}\n", "{ ".repeat(40), "} if ".repeat(40)).as_bytes());
    for body in [
        "1 beginbfchar\n<20> <0041>\n<21> <0041>\nendbfchar\n",
        "2 beginbfchar\n<20> <0041>\nendbfchar\n",
        "1 beginbfchar\n<20> /a\nendbfchar\n",
        "1 begincidchar\n<20> 1\nendcidchar\n",
        "1 beginbfrange\n<21> <20> <0041>\nendbfrange\n",
        "/H usecmap\n",
        "0 beginbfchar\nendbfchar\n",
        "101 beginbfchar\n<20> <0041>\nendbfchar\n",
        "1 beginbfrange\n<20> <2021> <0041>\nendbfrange\n",
        "1 beginbfrange\n<20> <21> [<0041> <0042>]\nendbfrange\n",
        "(x) run\n",
        "1 beginbfchar\n<0000000000> <0041>\nendbfchar\n",
        "1 beginbfchar\n<20> <41>\nendbfchar\n",
        "%!PS\n",
    ] {
        data("PDF-73", "unicode", cmap(2, body).as_bytes());
    }
    let bomb = "100 beginbfchar\n".to_owned() + &"<20> <0041>\n".repeat(100) + "endbfchar\n";
    data("PDF-73", "unicode", cmap(2, &bomb.repeat(701)).as_bytes());
    data("PDF-73", "unicode", cmap(1, "").as_bytes());
    for body in [
        "/WMode 1 def\n/Other usecmap\n",
        "/H usecmap\n",
        "/WMode 1 def\n1 begincidchar\n<20> 65536\nendcidchar\n",
        "/WMode 0 def\n",
    ] {
        data("PDF-73", "cmap", cmap(1, body).as_bytes());
    }
    for (at, value) in [
        (0, 2),
        (2, 3),
        (3, 0),
        (3, 5),
        (5, 2),
        (6, 0),
        (7, 2),
        (8, 0),
        (8, 200),
        (11, 2),
        (15, 12),
        (17, 1),
        (19, 200),
        (20, 16),
        (27, 9),
    ] {
        let mut font = cff();
        font[at] = value;
        data("PDF-71", "cff", &font);
    }
    data("PDF-71", "cff", b"OTTO");
    data("PDF-71", "cff", &[]);
    data("PDF-69", "pfa", b"%!PS-AdobeFont-1.0\nexecut \n\x01\x02\x03\x04");
    data("PDF-69", "pfa", b"%?PS-AdobeFont-1.0\neexec \n\x01\x02\x03\x04");
    data("PDF-69", "pfa", b"%!PS-AdobeFont-1.0\neexec \n\x01\x02\x03\x04\x05");
    tally.try_one("PDF-09", "behind zlib", &planted(|d| d.object("content").data.as_mut().unwrap().push(0)));
    tally.try_one("PDF-17", "two zlib", &planted(|d| d.object("image").data.as_mut().unwrap().extend(zlib(&[0, 0]))));
    tally.try_one("PDF-20", "behind EOI", &planted(|d| d.object("photo").data.as_mut().unwrap().push(0)));
    tally.try_one("PDF-20", "no JPEG", &planted(|d| d.object("photo").data = Some(b"\xFF\xD8\xFF".to_vec())));
    tally.try_one("PDF-09", "not compressed", &planted(|d| d.object("content2").data = Some(b"0 0 m\n".to_vec())));
}

fn true_type(tally: &mut Tally) {
    let good: [(&[u8; 4], &[u8]); 3] = [(b"glyf", &[0; 12]), (b"head", &[1; 54]), (b"loca", &[0; 6])];
    let mut font = |what: &str, bytes: Vec<u8>| {
        let bytes = planted(|d| {
            d.set("sfnt", "Length1", &bytes.len().to_string());
            d.data("sfnt", &bytes);
        });
        tally.try_one("PDF-70", what, &bytes);
    };
    for tag in [b"SVG ", b"CBDT", b"COLR", b"sbix", b"name", b"EBDT", b"GSUB", b"post"] {
        font(&format!("table {}", tag.escape_ascii()), sfnt(&[good[0], good[1], (tag, &[0; 4]), good[2]]));
    }
    font("twice", sfnt(&[good[0], good[0], good[1]]));
    font("no glyf", sfnt(&good[1..]));
    font("no loca", sfnt(&good[..2]));
    for at in 0..12 + 3 * 16 + 12 {
        let mut bytes = sfnt(&good);
        bytes[at] ^= 1;
        font(&format!("byte {at}"), bytes);
    }
    font("longer", [sfnt(&good), vec![0; 4]].concat());
    font("shorter", sfnt(&good)[..60].to_vec());
    font("collection", b"ttcf\0\x01\0\0\0\0\0\x01\0\0\0\x10".to_vec());
}

/// Objects that have no place, are reached in two ways, or contain themselves.
fn graphs(tally: &mut Tally) {
    let mut graph = |row: &str, what: &str, edit: fn(&mut Document)| tally.try_one(row, what, &planted(edit));
    graph("PDF-05", "orphan dictionary", |d| {
        d.dict("x", "JS <61>|S /JavaScript");
    });
    graph("PDF-05", "orphan stream", |d| d.stream("x", "Type /EmbeddedFile", "MZ"));
    graph("PDF-06", "object stream", |d| d.stream("x", "Type /ObjStm|N 1|First 4", "9 0 <<>>"));
    graph("PDF-06", "cross-reference stream", |d| d.stream("x", "Type /XRef|W [1 1 1]|Size 3|Root @cat", "abcdef"));
    graph("PDF-82", "linearisation dictionary", |d| {
        d.dict("x", "Linearized 1|L 9|H [1 2]|O 3|E 4|N 1|T 5");
    });
    graph("PDF-11", "second page tree", |d| {
        d.dict("x", "Type /Pages|Count 1|Kids [@page]");
    });
    graph("PDF-11", "nested page tree", |d| {
        d.dict("x", "Type /Pages|Count 1|Kids [@page2]|Parent @pages");
        d.set("pages", "Kids", "[@page @x]");
    });
    graph("PDF-11", "pages elsewhere", |d| {
        d.dict("x", "Type /Pages|Count 2|Kids [@page @page2]");
        d.set("cat", "Pages", "@x");
    });
    graph("PDF-12", "form in itself", |d| {
        d.set("form", "Resources", "<</XObject <</X1 @form>>>>");
    });
    graph("PDF-12", "soft mask in its state", |d| {
        d.set("masked", "Resources", "<</ExtGState <</G1 @state>>>>");
        d.data("masked", "/G1 gs\n");
    });
    graph("PDF-12", "pattern in itself", |d| {
        d.set("tiling", "Resources", "<</Pattern <</P1 @tiling>>>>");
        d.data("tiling", "/P1 scn\n");
    });
    graph("PDF-72", "glyph shows its font", |d| d.set("font3", "Resources", "<</Font <</F1 @font3>>>>"));
    graph("PDF-12", "function in itself", |d| d.set("stitching", "Functions", "[@power @stitching]"));
    graph("PDF-12", "mask of itself", |d| d.set("soft", "SMask", "@soft"));
    graph("PDF-12", "outline loop", |d| d.set("item2", "Next", "@item1"));
    graph("PDF-12", "outline child loop", |d| {
        d.set("item3", "First", "@item1");
        d.set("item3", "Last", "@item1");
    });
    graph("PDF-76", "functions 9 deep", |d| {
        for n in 0..9 {
            let below = if n == 8 { "@power".to_owned() } else { format!("@n{}", n + 1) };
            d.dict(
                &format!("n{n}"),
                &format!("FunctionType 3|Domain [0 1]|Functions [{below}]|Bounds []|Encode [0 1]"),
            );
        }
        d.set("stitching", "Functions", "[@power @n0]");
    });
    graph("PDF-77", "forms 40 deep", |d| {
        for n in 0..40 {
            let below = if n == 39 { "@image".to_owned() } else { format!("@n{}", n + 1) };
            d.stream(
                &format!("n{n}"),
                &format!("Type /XObject|Subtype /Form|BBox [0 0 1 1]|Resources <</XObject <</X1 {below}>>>>"),
                "/X1 Do\n",
            );
        }
        d.set("form", "Resources", "<</XObject <</X1 @n0>>>>");
    });
    graph("PDF-77", "forms drawn eight times each, eight deep", |d| {
        for n in 0..8 {
            let below = if n == 7 { "@image".to_owned() } else { format!("@n{}", n + 1) };
            let keys = format!("Type /XObject|Subtype /Form|BBox [0 0 1 1]|Resources <</XObject <</X1 {below}>>>>");
            d.stream(&format!("n{n}"), &keys, "/X1 Do\n".repeat(8));
        }
        d.set("form", "Resources", "<</XObject <</X1 @n0>>>>");
    });
    graph("PDF-72", "glyph that draws, shown again and again", |d| {
        d.set("font3", "Resources", "<</XObject <</X1 @image>>>>");
        d.data("glyph", "1 0 d0\n".to_owned() + &"/X1 Do\n".repeat(2000));
        d.data("content", PAGE.replace("/F3 1 Tf\n", &("/F3 1 Tf\n".to_owned() + &"<00> Tj\n".repeat(600))));
    });
    graph("PDF-59", "group that is not listed", |d| {
        d.dict("x", "Type /OCG|Name <61>");
        d.set("form", "OC", "@x");
    });
    graph("PDF-44", "embedded file", |d| {
        d.stream("x", "Type /EmbeddedFile", "MZ");
        d.set("cat", "Names", "<</EmbeddedFiles <</Names [<61> <</EF <</F @x>>/F <61>/Type /Filespec>>]>>>>");
    });
    graph("PDF-44", "file attachment", |d| {
        d.stream("x", "Type /EmbeddedFile", "MZ");
        d.dict("y", "Type /Annot|Subtype /FileAttachment|Rect [0 0 1 1]|FS <</EF <</F @x>>/F <61>/Type /Filespec>>");
        d.set("page", "Annots", "[@link @web @y]");
    });
    graph("PDF-48", "rich media", |d| {
        d.stream("x", "Type /EmbeddedFile", "FWS");
        d.dict("y", "Type /Annot|Subtype /RichMedia|Rect [0 0 1 1]|RichMediaContent <</Assets <</Names [<61> @x]>>>>");
        d.set("page", "Annots", "[@link @web @y]");
    });
    graph("PDF-21", "JavaScript in a stream", |d| {
        d.stream("x", "", "app.alert(1)");
        d.set("web", "A", "<</JS @x/S /JavaScript>>");
    });
    graph("PDF-64", "metadata", |d| {
        d.stream("x", "Type /Metadata|Subtype /XML", "<!DOCTYPE a>");
        d.set("cat", "Metadata", "@x");
    });
    graph("PDF-75", "ICC profile", |d| {
        d.stream("x", "N 3|Alternate /DeviceRGB", "acsp");
        d.object("lab").array = Some("[/ICCBased @x]".to_owned());
    });
    graph("PDF-57", "PostScript XObject", |d| {
        d.stream("x", "Type /XObject|Subtype /PS", "showpage");
        d.set("form", "Resources", "<</XObject <</X1 @x>>>>");
    });
    graph("PDF-85", "deep array", |d| d.set("item3", "Dest", &("[".repeat(500) + &"]".repeat(500))));
}

/// Through the file's own frame.
fn files(tally: &mut Tally) {
    for (row, from, to) in BYTES {
        tally.try_one(row, &format!("{from:?} -> {to:?}"), &replaced(&small().write(), from, to));
    }
    for (row, from, to) in FRAME {
        tally.try_one(row, &format!("{from:?} -> {to:?}"), &reframed(&small(), from, to));
    }
    let good = small().write();
    tally.try_one("PDF-01", "junk before", &[b"\xEF\xBB\xBF", good.as_slice()].concat());
    tally.try_one("PDF-01", "junk before", &[b"MZ\n", good.as_slice()].concat());
    tally.try_one("PDF-01", "second header", &[b"%PDF-1.7\n", good.as_slice()].concat());
    tally.try_one("PDF-03", "twice", &[good.as_slice(), &good].concat());
    let mut update = good.clone();
    let at = update.len();
    update.extend(b"1 0 obj\n<</OpenAction <</JS <61>/S /JavaScript>>/Pages 2 0 R/Type /Catalog>>\nendobj\n");
    let xref = update.len();
    let old = good.windows(5).rposition(|w| w == b"xref\n").unwrap();
    update.extend(
        format!("xref\n1 1\n{at:010} 00000 n \ntrailer\n<</Prev {old}/Root 1 0 R/Size 5>>\nstartxref\n{xref}\n%%EOF\n")
            .bytes(),
    );
    tally.try_one("PDF-03", "incremental update", &update);
    tally.try_one("PDF-54", "FDF", &replaced(&good, "%PDF-1.7", "%FDF-1.2"));
}

#[test]
fn every_mutant_is_killed() {
    accept(&full().write(), Pdf);
    accept(&reframed(&small(), "/Count 1", "/Count 1"), Pdf);
    let mut tally = Tally { made: 0, living: Vec::new(), rows: BTreeSet::new() };
    keys(&mut tally);
    streams(&mut tally);
    true_type(&mut tally);
    graphs(&mut tally);
    files(&mut tally);
    let missing: Vec<String> =
        (1..=86).map(|n| format!("PDF-{n:02}")).filter(|row| !tally.rows.contains(row)).collect();
    println!(
        "{} killed of {} made, rows without a mutant: {missing:?}",
        tally.made as usize - tally.living.len(),
        tally.made
    );
    assert!(tally.living.is_empty(), "alive: {:#?}", tally.living);
}
