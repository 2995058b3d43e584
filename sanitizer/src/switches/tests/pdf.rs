//! PDF files written out by hand.

use super::Carrier;
use super::Filter::{self, *};
use model::{Format, Links, Policy};

/// A file of `objects`, numbered from 1; the first is the catalogue.
pub(super) fn file(objects: &[String]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(objects) {
        offsets.push(out.len());
        out.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let (xref, size) = (out.len(), objects.len() + 1);
    out.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
    offsets.iter().for_each(|offset| out.extend(format!("{offset:010} 00000 n \n").bytes()));
    out.extend(format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF\n").bytes());
    out
}

pub(super) fn stream(entries: &str, data: &str) -> String {
    format!("<<{entries}/Length {}>>\nstream\n{data}\nendstream", data.len())
}

/// A page: entries of the catalogue and of the page, resources, content; `more` are objects from 5 up.
#[derive(Default)]
pub(super) struct Page<'p> {
    pub catalog: &'p str,
    pub entries: &'p str,
    pub resources: &'p str,
    pub content: &'p str,
    pub more: &'p [&'p str],
}

impl Page<'_> {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let area = if self.entries.contains("MediaBox") { "" } else { "/MediaBox[0 0 200 200]" };
        let mut objects = vec![
            format!("<</Type/Catalog/Pages 2 0 R{}>>", self.catalog),
            "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
            format!("<</Type/Page/Parent 2 0 R{area}/Contents 4 0 R/Resources<<{}>>{}>>", self.resources, self.entries),
            stream("", self.content),
        ];
        objects.extend(self.more.iter().map(|object| (*object).to_owned()));
        file(&objects)
    }

    pub(super) fn carrier(&self, filter: Filter, mark: &str) -> Carrier {
        Carrier::new(filter, Format::Pdf, self.bytes(), mark)
    }
}

/// What a page draws.
pub(super) fn content(filter: Filter, content: &str, mark: &str) -> Carrier {
    Page { content, ..Page::default() }.carrier(filter, mark)
}

/// An entry of the page.
fn page(filter: Filter, entries: &str, mark: &str) -> Carrier {
    Page { entries, ..Page::default() }.carrier(filter, mark)
}

fn catalog(filter: Filter, catalog: &str, mark: &str) -> Carrier {
    Page { catalog, ..Page::default() }.carrier(filter, mark)
}

fn link(filter: Filter, inside: &str, mark: &str) -> Carrier {
    page(filter, &format!("/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]{inside}>>]"), mark)
}

/// A font that a text is shown in.
pub(super) fn font(filter: Filter, font: &str, more: &[&str], mark: &str) -> Carrier {
    let all: Vec<&str> = [font].into_iter().chain(more.iter().copied()).collect();
    let shown = Page { resources: "/Font<</F 5 0 R>>", content: "BT /F 9 Tf (a) Tj ET", more: &all, ..Page::default() };
    shown.carrier(filter, mark)
}

/// An XObject that is drawn.
pub(super) fn drawn(filter: Filter, object: &str, more: &[&str], mark: &str) -> Carrier {
    let all: Vec<&str> = [object].into_iter().chain(more.iter().copied()).collect();
    Page { resources: "/XObject<</X 5 0 R>>", content: "/X Do", more: &all, ..Page::default() }.carrier(filter, mark)
}

/// A graphics state that is set.
fn state(filter: Filter, entries: &str, mark: &str) -> Carrier {
    let resources = format!("/ExtGState<</G<<{entries}>>>>");
    Page { resources: &resources, content: "/G gs", ..Page::default() }.carrier(filter, mark)
}

/// A shading that is painted.
pub(super) fn shading(filter: Filter, entries: &str, more: &[&str], mark: &str) -> Carrier {
    let all: Vec<&str> = [entries].into_iter().chain(more.iter().copied()).collect();
    Page { resources: "/Shading<</S 5 0 R>>", content: "/S sh", more: &all, ..Page::default() }.carrier(filter, mark)
}

pub(super) fn carriers() -> Vec<Carrier> {
    let mut out = actions();
    out.extend(keys());
    out.extend(document());
    out.extend(operators());
    out.extend(graphics());
    out.extend(super::pdf_objects::carriers());
    out
}

fn actions() -> Vec<Carrier> {
    let mut out = Vec::new();
    for action in [
        "/S/JavaScript/JS(app.alert(1))",
        "/S/Launch/F(calc.exe)",
        "/S/GoToR/F(x.pdf)/D[0/Fit]",
        "/S/GoToE/T<</R/C>>",
        "/S/SubmitForm/F(http://x.invalid/)",
        "/S/ImportData/F(x.fdf)",
        "/S/Named/N/Print",
        "/S/Rendition/OP 0",
        "/S/Hide/T(x)",
        "/S/Sound",
        "/S/Thread/D 0",
        "/S/RichMediaExecute",
        "/S/SetOCGState/State[/ON]",
        "/S/ResetForm",
        "/S/Unknown",
    ] {
        let mark = action.split('/').nth(2).unwrap();
        let mark = mark.split(['<', '(']).next().unwrap();
        out.push(link(PdfActions, &format!("/A<<{action}>>"), &format!("/S /{mark}")));
        let outlines = "/Outlines<</First 5 0 R/Last 5 0 R/Count 1>>";
        let item = format!("<</Title(x)/A<<{action}>>>>");
        let marked = Page { catalog: outlines, more: &[&item], ..Page::default() };
        out.push(marked.carrier(PdfActions, &format!("/S /{mark}")));
    }
    for kind in [
        "FileAttachment/FS<</F(x.exe)>>",
        "RichMedia",
        "3D",
        "Screen",
        "Movie/Movie<</F(x)>>",
        "Sound",
        "Text/Contents(x)",
        "Widget/FT/Tx/T(x)",
        "Popup",
        "Redact",
    ] {
        let name = kind.split('/').next().unwrap();
        let entries = format!("/Annots[<</Type/Annot/Subtype/{kind}/Rect[0 0 9 9]>>]");
        out.push(page(PdfAnnotations, &entries, &format!("/Subtype /{name}")));
    }
    for uri in ["file:///c:/x", "javascript:x", "ftp://x.invalid/", "x.exe", "ms-msdt:/id", "http:x"] {
        out.push(link(PdfSchemes, &format!("/A<</S/URI/URI({uri})>>"), uri));
    }
    for uri in ["http://x.invalid/a b", "http://x.invalid/a\\rb", "http://x.invalid/\\377"] {
        let mark = uri.replace("\\rb", "\rb").replace("\\377", "");
        out.push(link(PdfAddresses, &format!("/A<</S/URI/URI({uri})>>"), if uri.ends_with('7') { "" } else { &mark }));
    }
    let text = |policy: &mut Policy| {
        policy.formats.pdf = policy.formats.pdf.map(|p| model::PdfPolicy { links: Links::Text, ..p });
    };
    out.push(link(PdfLinks, "/A<</S/URI/URI(http://x.invalid/)>>", "http://x.invalid/").under(text));
    let goto = "/Dest[3 0 R/Fit]";
    out.push(link(PdfLinkLook, &format!("{goto}/C[1 0]"), "/C [1 0]"));
    out.push(link(PdfLinkLook, &format!("{goto}/QuadPoints[1 2 3]"), "/QuadPoints [1 2 3]"));
    out.push(link(PdfChoices, &format!("{goto}/H/Evil"), "/H /Evil"));
    out
}

fn keys() -> Vec<Carrier> {
    let mut out = Vec::new();
    for entry in [
        "/OpenAction<</S/JavaScript/JS(x)>>",
        "/AA<</WC<</S/Launch/F(x)>>>>",
        "/AcroForm<</Fields[]/XFA(x)>>",
        "/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(x)>>]>>>>",
        "/Names<</EmbeddedFiles<</Names[(a)<</F(x)>>]>>>>",
        "/Metadata 5 0 R",
        "/URI<</Base(http://x.invalid/)>>",
        "/Perms<<>>",
        "/Collection<<>>",
        "/AF[]",
        "/Threads[]",
        "/StructTreeRoot<<>>",
        "/MarkInfo<<>>",
        "/SpiderInfo<<>>",
        "/Extensions<<>>",
        "/PieceInfo<<>>",
        "/Legal<<>>",
        "/Requirements[]",
        "/OutputIntents[]",
        "/DSS<<>>",
        "/Evil(x)",
    ] {
        let name = entry.split(['<', '[', '(', ' ']).next().unwrap();
        let whole = Page { catalog: entry, more: &[&stream("/Type/Metadata/Subtype/XML", "<x/>")], ..Page::default() };
        out.push(whole.carrier(PdfKeys, name).says(entry));
    }
    for entry in [
        "/AA<</O<</S/JavaScript/JS(x)>>>>",
        "/Metadata 5 0 R",
        "/PieceInfo<<>>",
        "/Thumb 5 0 R",
        "/B[]",
        "/Trans<<>>",
        "/PresSteps<<>>",
        "/Dur 1",
        "/Tabs/S",
        "/AF[]",
        "/StructParents 1",
        "/LastModified(x)",
        "/Evil(x)",
    ] {
        let name = entry.split(['<', '[', '(', ' ']).next().unwrap();
        let mark = if entry == "/Tabs/S" { "/Tabs /S" } else { name };
        let whole = Page { entries: entry, more: &[&stream("", "x")], ..Page::default() };
        out.push(whole.carrier(PdfKeys, mark).says(entry));
    }
    let goto = "/Dest[3 0 R/Fit]";
    for entry in ["/AA<<>>", "/PA<</S/URI/URI(x)>>", "/Contents(x)", "/NM(x)", "/AP<<>>", "/Evil(x)"] {
        // Written, a string stands in angles; the page has a key of that name too.
        let mark = if entry.ends_with("(x)") { entry.replace("(x)", " <") } else { entry.replace("<<>>", "") };
        let mark = mark.split("<<").next().unwrap();
        out.push(link(PdfKeys, &format!("{goto}{entry}"), mark).says(entry));
    }
    out.push(link(PdfKeys, "/A<</S/URI/URI(http://x.invalid/)/Next<</S/Launch/F(x)>>>>", "/Next"));
    out.push(link(PdfKeys, "/A<</S/URI/URI(http://x.invalid/)/IsMap true>>", "/IsMap"));
    let outlines = "/Outlines<</First 5 0 R/Last 5 0 R/Count 1>>";
    out.push(
        Page { catalog: outlines, more: &["<</Title(x)/SE<<>>/Evil(x)>>"], ..Page::default() }
            .carrier(PdfKeys, "/Evil"),
    );
    for entry in ["/TR/Identity", "/HTP[0 0]", "/BG2/Default", "/HT/Default", "/Evil(x)"] {
        out.push(
            state(
                PdfKeys,
                entry,
                entry
                    .split_inclusive('/')
                    .nth(1)
                    .unwrap()
                    .trim_end_matches('/')
                    .split('(')
                    .next()
                    .unwrap()
                    .split('[')
                    .next()
                    .unwrap(),
            )
            .says(entry),
        );
    }
    for entry in ["/Ref<</F(x)>>", "/OPI<<>>", "/PS(x)", "/Metadata 6 0 R", "/PieceInfo<<>>", "/Evil(x)"] {
        let form = stream(&format!("/Type/XObject/Subtype/Form/BBox[0 0 9 9]{entry}"), "0 0 9 9 re f");
        out.push(drawn(PdfKeys, &form, &[&stream("", "x")], entry.split(['<', '(', ' ']).next().unwrap()).says(entry));
        let image =
            stream(&format!("/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray{entry}"), "x");
        out.push(drawn(PdfKeys, &image, &[&stream("", "x")], entry.split(['<', '(', ' ']).next().unwrap()).says(entry));
    }
    out.push(font(PdfKeys, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Evil(x)>>", &[], "/Evil"));
    out.push(font(
        PdfKeys,
        "<</Type/Font/Subtype/Type1/BaseFont/X/FontDescriptor 6 0 R>>",
        &["<</Type/FontDescriptor/FontName/X/Flags 4/CharSet(x)/Evil(x)>>"],
        "/Evil",
    ));
    let layers = "/OCProperties<</OCGs[5 0 R]/D<<>>>>";
    out.push(
        Page { catalog: layers, more: &["<</Type/OCG/Name(x)/Usage<<>>/Evil(x)>>"], ..Page::default() }
            .carrier(PdfKeys, "/Evil"),
    );
    out
}

fn document() -> Vec<Carrier> {
    let layer = Page {
        catalog: "/OCProperties<</OCGs[6 0 R]/D<<>>>>",
        resources: "/Properties<</L 5 0 R>>",
        content: "/OC /L BDC 0 0 9 9 re f EMC",
        more: &["<</Type/OCG/Name(unlisted)>>", "<</Type/OCG/Name(listed)>>"],
        ..Page::default()
    };
    vec![
        catalog(PdfChoices, "/PageMode/FullScreen", "/PageMode /FullScreen"),
        catalog(PdfChoices, "/PageMode/UseAttachments", "/PageMode /UseAttachments"),
        catalog(PdfChoices, "/PageLayout/Evil", "/PageLayout /Evil"),
        catalog(PdfChoices, "/ViewerPreferences<</Direction/Evil>>", "/Direction /Evil"),
        catalog(PdfLanguage, "/Lang(<script>)", "<script>"),
        catalog(PdfLabels, "/PageLabels<</Nums[0<</S/D/St -5>>]>>", "/St -5"),
        page(PdfBoxes, "/MediaBox[0 0 100 100]/CropBox[-500 -500 5000 5000]", "/CropBox [-500"),
        page(PdfRotation, "/Rotate 45", "/Rotate 45"),
        page(PdfUserUnit, "/UserUnit -4", "/UserUnit -4"),
        page(PdfUserUnit, "/UserUnit 100000", "/UserUnit 100000"),
        page(PdfNumbers, "/MediaBox[0 0 99999999999 200]", "99999999999"),
        layer.carrier(PdfLayers, "unlisted"),
    ]
}

fn operators() -> Vec<Carrier> {
    let long = format!("BT ({}) Tj ET", "x".repeat(70_000));
    vec![
        content(PdfOperators, "(x) Evil", "Evil"),
        content(PdfOperators, "/Name PS", "/Name PS"),
        content(PdfMarks, "/Span BMC EMC", "/Span BMC"),
        content(PdfMarks, "/Tag MP", "/Tag MP"),
        content(PdfMarks, "BX EX", "BX\n"),
        content(PdfBalance, "Q 0 0 9 9 re f", "Q\n0 0"),
        content(PdfBalance, "BT BT ET", "BT\nBT"),
        content(PdfOperands, "w", "w\n"),
        content(PdfOperands, "1 2 3 4 5 m", "1 2 3 4 5 m"),
        content(PdfOperands, "1 0 0 cm", "1 0 0 cm"),
        content(PdfOperandRanges, "77 J", "77 J"),
        content(PdfOperandRanges, "BT 9 Tr ET", "9 Tr"),
        content(PdfOperandRanges, "[-3] 0 d", "[-3] 0 d"),
        content(PdfOperandRanges, "/Evil ri", "/Evil ri"),
        content(PdfGlyphs, "5 0 d0", "5 0 d0"),
        content(PdfNumbers, "99999999999 0 m", "99999999999"),
        content(PdfStrings, &long, "").says("a string of 70,000 bytes"),
    ]
}

fn graphics() -> Vec<Carrier> {
    let tiling = |entries: &str| {
        let object = stream(&format!("/PatternType 1/BBox[0 0 9 9]{entries}"), "0 0 9 9 re f");
        let painted = Page {
            resources: "/Pattern<</P 5 0 R>>",
            content: "/Pattern cs /P scn 0 0 9 9 re f",
            more: &[&object],
            ..Page::default()
        };
        let mark = entries.split_inclusive(|c: char| c.is_ascii_digit()).next().unwrap().to_owned();
        painted.carrier(PdfTiling, &mark)
    };
    vec![
        state(PdfStates, "/CA 7", "/CA 7"),
        state(PdfStates, "/ca -1", "/ca -1"),
        state(PdfStates, "/LC 9", "/LC 9"),
        state(PdfStates, "/OPM 5", "/OPM 5"),
        state(PdfBlendModes, "/BM/Evil", "/BM /Evil"),
        state(PdfChoices, "/RI/Evil", "/RI /Evil"),
        tiling("/XStep 0/YStep 9/PaintType 1/TilingType 1"),
        tiling("/PaintType 7/XStep 9/YStep 9/TilingType 1"),
        tiling("/TilingType 9/XStep 9/YStep 9/PaintType 1"),
        drawn(PdfLengths, &stream("/Subtype/Form/BBox[0 0 9 9]/Matrix[1 0 0]", ""), &[], "/Matrix [1 0 0]"),
        drawn(PdfCycles, &stream("/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>", "/X Do"), &[], "")
            .says("a form that draws itself"),
        drawing_without_end(),
    ]
}

/// Forms that draw one another ten times each, seven deep.
fn drawing_without_end() -> Carrier {
    let forms: Vec<String> = (0..7)
        .map(|n| {
            stream(
                &format!("/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X {} 0 R>>>>", n + 6),
                &"/X Do ".repeat(10),
            )
        })
        .chain([stream("/Subtype/Form/BBox[0 0 9 9]", "0 0 9 9 re f")])
        .collect();
    let all: Vec<&str> = forms.iter().map(String::as_str).collect();
    Page { resources: "/XObject<</X 5 0 R>>", content: "/X Do", more: &all, ..Page::default() }
        .carrier(PdfDrawn, "")
        .says("ten million drawings")
}
