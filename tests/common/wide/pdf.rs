//! A PDF with everything, and small ones that differ in what stands once a file.

use super::table;
use std::fmt::Write;

/// A PDF in the making; object n is at n - 1, and 1 to 3 are catalogue, page tree and first page.
struct Pdf(Vec<Vec<u8>>);

impl Pdf {
    fn new() -> Self {
        Self(vec![Vec::new(); 3])
    }

    fn add(&mut self, body: impl AsRef<[u8]>) -> usize {
        self.0.push(body.as_ref().to_vec());
        self.0.len()
    }

    fn stream(&mut self, dict: &str, data: impl AsRef<[u8]>) -> usize {
        let data = data.as_ref();
        let head = format!("<<{dict}/Length {}>>stream\n", data.len());
        self.add([head.as_bytes(), data, b"\nendstream"].concat())
    }

    fn set(&mut self, id: usize, body: String) {
        self.0[id - 1] = body.into_bytes();
    }

    fn write(self) -> Vec<u8> {
        let mut out = b"%PDF-1.7\n".to_vec();
        let mut offsets = Vec::new();
        for (number, body) in (1..).zip(&self.0) {
            offsets.push(out.len());
            out.extend(format!("{number} 0 obj\n").bytes());
            out.extend(body);
            out.extend(b"\nendobj\n");
        }
        let (start, size) = (out.len(), self.0.len() + 1);
        out.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
        offsets.iter().for_each(|offset| out.extend(format!("{offset:010} 00000 n \n").bytes()));
        out.extend(format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes());
        out
    }
}

/// Resources and content of one stream, as they come.
#[derive(Default)]
struct Drawn {
    resources: [Vec<(String, usize)>; 7],
    content: String,
}

const KINDS: [&str; 7] = ["ColorSpace", "ExtGState", "Font", "Pattern", "Properties", "Shading", "XObject"];

impl Drawn {
    fn name(&mut self, kind: &str, id: usize) -> String {
        let at = KINDS.iter().position(|k| *k == kind).unwrap();
        let name = format!("{kind}{}", self.resources[at].len());
        self.resources[at].push((name.clone(), id));
        name
    }

    /// One use of a resource: `{}` in `line` is its name.
    fn with(&mut self, kind: &str, id: usize, line: &str) {
        let name = self.name(kind, id);
        self.content += &line.replace("{}", &format!("/{name}"));
        self.content.push('\n');
    }

    fn resources(&self) -> String {
        let mut out = String::new();
        for (kind, names) in KINDS.iter().zip(&self.resources) {
            let rows: String = names.iter().map(|(name, id)| format!("/{name} {id} 0 R")).collect();
            write!(out, "/{kind}<<{rows}>>").unwrap();
        }
        format!("/Resources<<{out}>>")
    }
}

/// Functions of every kind, by inputs and outputs.
struct Functions {
    one_one: usize,
    one_three: usize,
    two_three: usize,
    all: Vec<usize>,
}

fn functions(pdf: &mut Pdf) -> Functions {
    let one_one = pdf.add("<</FunctionType 2/Domain[0 1]/N 1/C0[0]/C1[1]/Range[0 1]>>");
    let one_three = pdf.add("<</FunctionType 2/Domain[0 1]/N 1.5/C0[0 0 0]/C1[1 0.5 -1]>>");
    let mut all = vec![pdf.add(format!(
        "<</FunctionType 3/Domain[0 1]/Functions[{one_one} 0 R {one_one} 0 R]/Bounds[0.5]/Encode[0 1 0 1]/Range[0 1]>>"
    ))];
    all.push(pdf.add(format!("<</FunctionType 3/Domain[0 1]/Functions[{one_one} 0 R]/Bounds[]/Encode[0 1]>>")));
    for bits in [1usize, 2, 4, 8, 12, 16, 24, 32] {
        let dict =
            format!("/FunctionType 0/Domain[0 1]/Range[0 1]/Size[2]/BitsPerSample {bits}/Encode[0 1]/Decode[0 1]");
        all.push(pdf.stream(&dict, vec![0; (2 * bits).div_ceil(8)]));
    }
    let words: Vec<String> = table("pdf/calculator.rs", "OPERATORS");
    let program = format!("{{ {} 1.5 {{ pop }} if {{ 1 }} {{ -2 }} ifelse }}", words.join(" "));
    all.push(pdf.stream("/FunctionType 4/Domain[0 1]/Range[0 1]", program));
    let two_three = pdf.stream("/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]", "{ dup }");
    Functions { one_one, one_three, two_three, all }
}

fn colours(pdf: &mut Pdf, functions: &Functions, page: &mut Drawn) {
    let (one, three) = (functions.one_one, functions.one_three);
    let white = "/WhitePoint[0.9 1 0.8]/BlackPoint[0 0 0]";
    let spaces = [
        format!("[/CalGray<<{white}/Gamma 2.2>>]"),
        format!("[/CalRGB<<{white}/Gamma[1 2 1]/Matrix[1 0 0 0 1 0 0 0 1]>>]"),
        format!("[/Lab<<{white}/Range[-100 100 -100 100]>>]"),
        "[/Indexed/DeviceRGB 1<000000ffffff>]".into(),
        "[/Indexed/DeviceGray 0<00>]".into(),
        "[/Indexed/DeviceCMYK 0<00000000>]".into(),
        format!("[/Separation/Spot/DeviceRGB {three} 0 R]"),
        format!("[/Separation/Spot/DeviceGray {one} 0 R]"),
        format!("[/Separation/Spot[/Lab<<{white}>>]{three} 0 R]"),
        format!("[/DeviceN[/A/B]/DeviceRGB {} 0 R]", functions.two_three),
    ];
    for space in spaces {
        let id = pdf.add(&space);
        page.with("ColorSpace", id, "{} cs 0 sc {} CS 0 SC");
    }
    for (n, function) in functions.all.iter().enumerate() {
        let id = pdf.add(format!("[/Separation/Spot{n}/DeviceGray {function} 0 R]"));
        page.with("ColorSpace", id, "{} cs 1 sc");
    }
    let cell = pdf.stream(
        "/Type/Pattern/PatternType 1/PaintType 2/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9/Resources<<>>",
        "0 0 5 5 re f",
    );
    for base in ["/DeviceGray", "/DeviceRGB", "[/Indexed/DeviceRGB 0<000000>]", "/DeviceCMYK"] {
        let id = pdf.add(format!("[/Pattern{base}]"));
        let zeros = match base {
            "/DeviceRGB" => "0 0 0",
            "/DeviceCMYK" => "0 0 0 0",
            _ => "0",
        };
        let pattern = page.name("Pattern", cell);
        page.with("ColorSpace", id, &format!("{{}} cs {zeros} /{pattern} scn 0 0 9 9 re f"));
        page.with("ColorSpace", id, &format!("{{}} CS {zeros} /{pattern} SCN 0 0 9 9 re S"));
    }
    for space in ["DeviceGray", "DeviceRGB", "DeviceCMYK"] {
        let _ = writeln!(page.content, "/{space} cs 0 scn /{space} CS 0 SCN");
    }
}

fn patterns(pdf: &mut Pdf, functions: &Functions, page: &mut Drawn) {
    for tiling in 1..=3 {
        let id = pdf.stream(
            &format!("/Type/Pattern/PatternType 1/PaintType 1/TilingType {tiling}/BBox[0 0 9 9]/XStep 9/YStep 9.5/Matrix[1 0 0 1 0 0]/Resources<<>>"),
            "1 0 0 rg 0 0 5 5 re f",
        );
        page.with("Pattern", id, "/Pattern cs {} scn 0 0 9 9 re f /Pattern CS {} SCN 0 0 9 9 re S");
    }
    let common = "/Background[0 0 0]/BBox[0 0 9 9]/AntiAlias true/ColorSpace/DeviceRGB";
    let (three, one) = (functions.one_three, functions.one_one);
    let mut shadings = vec![
        pdf.add(format!("<</ShadingType 1{common}/Domain[0 1 0 1]/Matrix[1 0 0 1 0 0]/Function {} 0 R>>", functions.two_three)),
        pdf.add(format!("<</ShadingType 2{common}/Coords[0 0 1 1]/Domain[0 1]/Extend[true false]/Function {three} 0 R>>")),
        pdf.add(format!("<</ShadingType 3{common}/Coords[0 0 1 1 1 2]/Domain[0 1]/Extend[false true]/Function[{one} 0 R {one} 0 R {one} 0 R]>>")),
    ];
    let decode = "/Decode[0 1 0 1 0 1 0 1 0 1]";
    for coordinate in [1, 2, 4, 8, 12, 16, 24, 32] {
        shadings.push(pdf.stream(
            &format!("/ShadingType 4{common}/BitsPerCoordinate {coordinate}/BitsPerComponent 8/BitsPerFlag 8{decode}"),
            [0; 64],
        ));
    }
    for component in [1, 2, 4, 8, 12, 16] {
        shadings.push(pdf.stream(
            &format!(
                "/ShadingType 5{common}/BitsPerCoordinate 8/BitsPerComponent {component}/VerticesPerRow 2{decode}"
            ),
            [0; 64],
        ));
    }
    for flag in [2, 4, 8] {
        shadings.push(pdf.stream(
            &format!("/ShadingType 6{common}/BitsPerCoordinate 8/BitsPerComponent 8/BitsPerFlag {flag}{decode}"),
            [0; 64],
        ));
    }
    shadings.push(pdf.stream(
        &format!("/ShadingType 7{common}/BitsPerCoordinate 8/BitsPerComponent 8/BitsPerFlag 8/Decode[0 1 0 1 0 1]/Function {three} 0 R"),
        [0; 64],
    ));
    for shading in &shadings {
        page.with("Shading", *shading, "{} sh");
    }
    let id = pdf.add(format!("<</Type/Pattern/PatternType 2/Shading {} 0 R/Matrix[1 0 0 1 0 0]>>", shadings[1]));
    page.with("Pattern", id, "/Pattern cs {} scn 0 0 9 9 re f");
}

fn images(pdf: &mut Pdf, group: usize, page: &mut Drawn) {
    let head = "/Type/XObject/Subtype/Image/Width 2/Height 1";
    let mut all = Vec::new();
    for bits in [1usize, 2, 4, 8, 16] {
        all.push(pdf.stream(
            &format!("{head}/BitsPerComponent {bits}/ColorSpace/DeviceGray/Decode[1 0]/Interpolate true"),
            vec![0x5a; (2 * bits).div_ceil(8)],
        ));
    }
    for intent in table("pdf/paint.rs", "INTENTS") {
        all.push(pdf.stream(&format!("{head}/BitsPerComponent 8/ColorSpace/DeviceRGB/Intent/{intent}"), [7; 6]));
        let _ = writeln!(page.content, "/{intent} ri");
    }
    let stencil = pdf.stream(&format!("{head}/ImageMask true/BitsPerComponent 1"), [0x80]);
    let soft = pdf.stream(&format!("{head}/BitsPerComponent 8/ColorSpace/DeviceGray"), [9; 2]);
    let matte = pdf.stream(&format!("{head}/BitsPerComponent 8/ColorSpace/DeviceGray/Matte[0 0 0]"), [9; 2]);
    let palette = pdf.add("[/Indexed/DeviceRGB 1<000000ffffff>]");
    let rgb = format!("{head}/BitsPerComponent 8/ColorSpace/DeviceRGB");
    all.push(stencil);
    all.push(pdf.stream(&format!("{rgb}/Mask {stencil} 0 R"), [7; 6]));
    all.push(pdf.stream(&format!("{rgb}/Mask[0 1 0 1 0 1]"), [7; 6]));
    all.push(pdf.stream(&format!("{rgb}/SMask {soft} 0 R/OC {group} 0 R"), [7; 6]));
    all.push(pdf.stream(&format!("{rgb}/SMask {matte} 0 R"), [7; 6]));
    all.push(pdf.stream(&format!("{head}/BitsPerComponent 1/ColorSpace {palette} 0 R"), [0x80]));
    all.push(pdf.stream(&format!("{head}/BitsPerComponent 8/ColorSpace/DeviceCMYK"), [7; 8]));
    let jpeg = samples::jpeg();
    let size = |at: usize| u16::from_be_bytes([jpeg[at], jpeg[at + 1]]);
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    let (height, width) = (size(frame + 5), size(frame + 7));
    let space = if jpeg[frame + 9] == 1 { "DeviceGray" } else { "DeviceRGB" };
    all.push(pdf.stream(
        &format!("/Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 8/ColorSpace/{space}/Filter/DCTDecode"),
        &jpeg,
    ));
    let grey = super::grey_jpeg();
    all.push(pdf.stream(
        "/Type/XObject/Subtype/Image/Width 16/Height 16/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/DCTDecode",
        grey,
    ));
    for image in all {
        page.with("XObject", image, "{} Do");
    }
}

fn states(pdf: &mut Pdf, functions: &Functions, font: usize, page: &mut Drawn) {
    let group = |space: &str| {
        format!(
            "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Matrix[1 0 0 1 0 0]/Resources<<>>/Group<</Type/Group/S/Transparency{space}/I true/K false>>"
        )
    };
    let form = pdf.stream(&group("/CS/DeviceRGB"), "0 0 5 5 re f");
    let grey = pdf.stream(&group("/CS/DeviceGray"), "0 0 5 5 re f");
    page.with("XObject", form, "{} Do");
    let mut all = vec![
        "/AIS true/SA true/TK true/OP true/op false/OPM 1/RI/Saturation/FL 1/LW 1.5/ML 10/SM 0.1/LC 1/LJ 2/D[[1 2]0]/CA 0.5/ca 1".to_owned(),
        "/D[[]0]".to_owned(),
        "/SMask/None".to_owned(),
        format!("/Font[{font} 0 R 12]"),
        format!("/SMask<</S/Alpha/G {form} 0 R>>"),
        format!("/SMask<</S/Luminosity/G {grey} 0 R/BC[0]/TR {} 0 R>>", functions.one_one),
    ];
    all.extend(table("pdf/paint.rs", "BLEND_MODES").iter().map(|mode| format!("/BM/{mode}")));
    for state in all {
        let id = pdf.add(format!("<</Type/ExtGState{state}>>"));
        page.with("ExtGState", id, "{} gs");
    }
}

/// Every operator that needs no name.
const LINES: &str = "q 1 0 0 1 0 0 cm Q
0.5 w 1 J 1 j 10 M [1 2] 0 d [] 0 d 1 i
0 0 m 1 1 l 1 1 2 2 3 3 c 2 2 3 3 v 2 2 3 3 y h S
0 0 5 5 re s 0 0 5 5 re f 0 0 5 5 re f* 0 0 5 5 re B 0 0 5 5 re B* 0 0 5 5 re b 0 0 5 5 re b*
q 0 0 5 5 re W n Q q 0 0 5 5 re W* n Q
0 g 0 G 0 0 0 rg 0 0 0 RG 0 0 0 0 k 0 0 0 0 K
0 0 0 sc 0 0 0 SC
";

const TEXT: &str = "1 Tc 1 Tw 90 Tz 14 TL 1 Ts 3 Tr 1 0 0 1 50 50 Tm 1 1 TD 1 1 Td T* (x) Tj (x) ' 1 1 (x) \" [(x) -20 (y)] TJ [5] TJ\n";

pub fn wide() -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut page = Drawn { content: LINES.to_owned(), ..Drawn::default() };
    let functions = functions(&mut pdf);
    colours(&mut pdf, &functions, &mut page);
    patterns(&mut pdf, &functions, &mut page);
    let group = pdf.add("<</Type/OCG/Name(layer)>>");
    let other = pdf.add("<</Type/OCG/Name(other)>>");
    images(&mut pdf, group, &mut page);
    let fonts = super::fonts::all(&mut |dict, data| match data {
        Some(data) => pdf.stream(dict, data),
        None => pdf.add(dict),
    });
    states(&mut pdf, &functions, fonts[0], &mut page);
    for font in &fonts {
        let name = page.name("Font", *font);
        page.content += &format!("BT /{name} 12 Tf {TEXT}ET\n");
    }
    for member in [
        format!("/OCGs[{group} 0 R {other} 0 R]/P/AllOn"),
        format!("/OCGs {group} 0 R/P/AnyOn"),
        format!("/OCGs[{group} 0 R]/P/AnyOff"),
        format!("/OCGs[{group} 0 R]/P/AllOff"),
        format!("/VE[/And {group} 0 R[/Not {other} 0 R][/Or {group} 0 R {other} 0 R]]"),
    ] {
        let id = pdf.add(format!("<</Type/OCMD{member}>>"));
        page.with("Properties", id, "/OC {} BDC 0 0 5 5 re f EMC");
    }
    page.with("Properties", group, "/OC {} BDC 0 0 5 5 re f EMC");
    let links = links(&mut pdf);
    let outlines = outlines(&mut pdf);
    let rotated: Vec<usize> = [90, 180, 270]
        .iter()
        .map(|turn| pdf.add(format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99.5]/CropBox[0 0 50 50]/Rotate {turn}/UserUnit 2/Resources<<>>>>")))
        .collect();
    let content = pdf.stream("", &page.content);
    pdf.set(
        1,
        format!(
            "<</Type/Catalog/Pages 2 0 R/Lang(en-GB)/Outlines {outlines} 0 R/OCProperties<</OCGs[{group} 0 R {other} 0 R]/D<</BaseState/OFF/ON[{group} 0 R]/OFF[{other} 0 R]/Order[{group} 0 R[(label){other} 0 R]]>>>>/PageLabels<</Nums[0<</S/D/P(a)/St 2>>1<</S/R>>2<</S/r>>3<</S/A>>]>>>>"
        ),
    );
    let kids: String = rotated.iter().map(|id| format!(" {id} 0 R")).collect();
    pdf.set(2, format!("<</Type/Pages/Kids[3 0 R{kids}]/Count {}>>", rotated.len() + 1));
    pdf.set(
        3,
        format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Group<</Type/Group/S/Transparency/CS/DeviceRGB>>/Annots[{links}]/Contents {content} 0 R{}>>",
            page.resources()
        ),
    );
    pdf.write()
}

const VIEWS: [&str; 8] =
    ["/XYZ null 1 0", "/Fit", "/FitB", "/FitH 1", "/FitBH 1", "/FitV null", "/FitBV 1", "/FitR 0 0 1 1"];

fn links(pdf: &mut Pdf) -> String {
    let mut all: Vec<String> = VIEWS.iter().map(|view| format!("/Dest[3 0 R{view}]")).collect();
    all.extend(
        ["http://keep.invalid/", "https://keep.invalid/", "mailto:a@keep.invalid"]
            .map(|uri| format!("/A<</S/URI/URI({uri})>>")),
    );
    let looks = [
        "/Border[0 0 1[1 2]]/H/N",
        "/BS<</W 1/S/S>>/H/I",
        "/BS<</S/D/D[1 2]>>/H/O",
        "/BS<</S/B>>/H/P",
        "/BS<</S/I>>",
        "/BS<</S/U>>",
        "/C[]",
        "/C[0]",
        "/C[0 0 1]",
        "/C[0 0 0 1]",
        "/F 4/QuadPoints[0 0 1 0 0 1 1 1]",
        "/BS<</S/D/D[]>>",
        "/BS<<>>",
    ];
    all.extend(looks.map(|look| format!("{look}/Dest[3 0 R/Fit]")));
    let ids = all.iter().map(|entry| pdf.add(format!("<</Type/Annot/Subtype/Link/Rect[1 1 9 9]{entry}>>")));
    ids.map(|id| format!(" {id} 0 R")).collect()
}

fn outlines(pdf: &mut Pdf) -> usize {
    let root = pdf.0.len() + 1;
    let [first, child, last] = [root + 1, root + 2, root + 3];
    pdf.add(format!("<</Type/Outlines/First {first} 0 R/Last {last} 0 R/Count 3>>"));
    pdf.add(format!("<</Title(a)/Parent {root} 0 R/Next {last} 0 R/First {child} 0 R/Last {child} 0 R/Count 1/C[1 0 0]/F 3/Dest[3 0 R/Fit]>>"));
    pdf.add(format!("<</Title(b)/Parent {first} 0 R/A<</S/URI/URI(https://keep.invalid/)>>>>"));
    pdf.add(format!("<</Title(c)/Parent {root} 0 R/Prev {first} 0 R>>"));
    root
}

/// Small files that differ in what a file says once.
pub fn variants() -> Vec<Vec<u8>> {
    let mut catalogues: Vec<String> =
        ["SinglePage", "OneColumn", "TwoColumnLeft", "TwoColumnRight", "TwoPageLeft", "TwoPageRight"]
            .iter()
            .map(|layout| format!("/PageLayout/{layout}"))
            .collect();
    catalogues.extend(["UseNone", "UseOutlines"].map(|mode| format!("/PageMode/{mode}")));
    catalogues.extend(["L2R", "R2L"].map(|way| format!("/ViewerPreferences<</Direction/{way}>>")));
    catalogues.push("/PageLabels<</Nums[0<</S/a>>]>>".to_owned());
    catalogues.push("/OCProperties<</OCGs[6 0 R]/D<</BaseState/ON>>>>".to_owned());
    catalogues.push("/OCProperties<</OCGs[6 0 R]/D<<>>>>".to_owned());
    catalogues.iter().map(|entry| samples::pdf_with(entry, "", &["<</Type/OCG/Name(layer)>>"])).collect()
}
