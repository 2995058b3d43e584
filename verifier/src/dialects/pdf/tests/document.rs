//! A writer of PDFs of our dialect, by hand: objects by name, keys sorted, lengths and offsets computed. Whatever is
//! planted into it comes out with its frame right, so that only the rule that it breaks can reject it.

use crate::testing::zlib;
use std::collections::BTreeMap;
use std::fmt::Write;

#[derive(Clone, Default)]
pub struct Object {
    name: String,
    pub keys: BTreeMap<String, String>,
    /// Instead of a dictionary.
    pub array: Option<String>,
    /// As they stand in the file.
    pub data: Option<Vec<u8>>,
}

#[derive(Clone, Default)]
pub struct Document(pub Vec<Object>);

impl Document {
    /// An object of `Key value|Key value`, where `@name` is a reference.
    pub fn dict(&mut self, name: &str, keys: &str) -> &mut Object {
        let pairs = keys.split('|').filter(|pair| !pair.is_empty());
        let keys =
            pairs.map(|pair| pair.split_once(' ').expect(pair)).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        self.0.push(Object { name: name.to_owned(), keys, ..Object::default() });
        self.0.last_mut().unwrap()
    }

    pub fn array(&mut self, name: &str, array: &str) {
        self.dict(name, "").array = Some(array.to_owned());
    }

    pub fn stream(&mut self, name: &str, keys: &str, data: impl AsRef<[u8]>) {
        let keys = format!("{keys}|Filter /FlateDecode");
        self.dict(name, &keys).data = Some(zlib(data.as_ref()));
    }

    pub fn object(&mut self, name: &str) -> &mut Object {
        self.0.iter_mut().find(|o| o.name == name).unwrap_or_else(|| panic!("no object {name}"))
    }

    pub fn set(&mut self, name: &str, key: &str, value: &str) {
        self.object(name).keys.insert(key.to_owned(), value.to_owned());
    }

    pub fn remove(&mut self, name: &str, key: &str) {
        self.object(name).keys.remove(key).expect(key);
    }

    pub fn data(&mut self, name: &str, data: impl AsRef<[u8]>) {
        self.object(name).data = Some(zlib(data.as_ref()));
    }

    fn resolve(&self, text: &str) -> String {
        let mut out = String::new();
        let mut parts = text.split('@');
        out.push_str(parts.next().unwrap());
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            let place = self.0.iter().position(|o| o.name == name).unwrap_or_else(|| panic!("no object {name}"));
            write!(out, "{} 0 R{rest}", place + 1).unwrap();
        }
        out
    }

    pub fn write(&self) -> Vec<u8> {
        let mut bytes = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec();
        let mut offsets = Vec::new();
        for (index, object) in self.0.iter().enumerate() {
            offsets.push(bytes.len());
            let mut keys = object.keys.clone();
            if let Some(data) = &object.data {
                keys.entry("Length".to_owned()).or_insert_with(|| data.len().to_string());
            }
            let pairs: String = keys.iter().map(|(k, v)| format!("/{k} {v}")).collect();
            let value = object.array.clone().unwrap_or_else(|| format!("<<{pairs}>>"));
            bytes.extend(format!("{} 0 obj\n{}\n", index + 1, self.resolve(&value)).bytes());
            if let Some(data) = &object.data {
                bytes.extend([b"stream\n", data.as_slice(), b"\nendstream\n"].concat());
            }
            bytes.extend(b"endobj\n");
        }
        finish(&mut bytes, &offsets, "");
        bytes
    }
}

/// Cross-reference table and trailer; `more` is for the trailer's dictionary.
pub fn finish(bytes: &mut Vec<u8>, offsets: &[usize], more: &str) {
    let start = bytes.len();
    let entries: String = offsets.iter().map(|at| format!("{at:010} 00000 n \n")).collect();
    let size = offsets.len() + 1;
    let text = format!(
        "xref\n0 {size}\n0000000000 65535 f \n{entries}trailer\n<<{more}/Root 1 0 R/Size {size}>>\nstartxref\n{start}\n%%EOF\n"
    );
    bytes.extend(text.bytes());
}

/// One empty page.
pub fn small() -> Document {
    let mut d = Document::default();
    d.dict("cat", "Type /Catalog|Pages @pages");
    d.dict("pages", "Type /Pages|Count 1|Kids [@page]");
    d.dict("page", "Type /Page|Parent @pages|MediaBox [0 0 612 792]|Resources <<>>|Contents @content");
    d.stream("content", "", "");
    d
}

const CMAP_HEAD: &str =
    "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /CMap def\n/CMapType ";
const CMAP_TAIL: &str = "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n";

pub fn cmap(kind: u8, body: &str) -> String {
    format!("{CMAP_HEAD}{kind} def\n{body}{CMAP_TAIL}")
}

pub const PAGE: &str = "q\n1 0 0 1 0.5 -2 cm\n/G1 gs\n/C1 cs\n0.1 0.2 scn\n0 0 10 10 re\nf\n/Pattern cs\n/P1 scn\n\
    0 0 1 1 re\nf*\n/P2 SCN\n/S1 sh\n/S2 sh\n/X1 Do\n/X2 Do\n/X3 Do\n[1 2] 0 d\n/Perceptual ri\n/OC /O1 BDC\nBT\n/F1 12 Tf\n\
    <68> Tj\n[<68> -120 <69>] TJ\n/F2 9.5 Tf\n<0001> '\n/F3 1 Tf\n1 2 <00> \"\nET\nEMC\nQ\n/C2 CS\n1 SC\n/C3 cs\n";

/// Every type of object once.
pub fn full() -> Document {
    let mut d = Document::default();
    d.dict(
        "cat",
        "Type /Catalog|Pages @pages|Lang <656e2d4742>|OCProperties <</D <</BaseState /ON/OFF [@ocg]/Order [<61> [@ocg]]>>\
         /OCGs [@ocg]>>|Outlines @outlines|PageLabels <</Nums [0 <</P <41>/S /r/St 3>> 1 <<>>]>>|PageLayout /OneColumn|\
         PageMode /UseOutlines|ViewerPreferences <</Direction /R2L>>",
    );
    d.dict("pages", "Type /Pages|Count 2|Kids [@page @page2]");
    d.dict(
        "page",
        "Type /Page|Parent @pages|MediaBox [0 0 612 792]|CropBox [1 1 600 700]|Rotate 90|UserUnit 1.5|Contents @content|\
         Group <</CS /DeviceRGB/I true/K false/S /Transparency/Type /Group>>|Annots [@link @web]|\
         Resources <</ColorSpace <</C1 @devicen/C2 @separation/C3 @lab>>/ExtGState <</G1 @state>>\
         /Font <</F1 @font/F2 @font0/F3 @font3>>/Pattern <</P1 @tiling/P2 @shaded>>/Properties <</O1 @ocmd>>\
         /Shading <</S1 @axial/S2 @mesh>>/XObject <</X1 @form/X2 @image/X3 @photo>>>>",
    );
    d.dict("page2", "Type /Page|Parent @pages|MediaBox [0 0 612 792]|Resources <<>>|Contents @content2");
    d.stream("content", "", PAGE);
    d.stream("content2", "", "0 0 m\n1 1 l\nS\n");
    d.dict("ocg", "Type /OCG|Name <6c61796572>");
    d.dict("ocmd", "Type /OCMD|OCGs [@ocg]|P /AnyOn|VE [/Not [/Or @ocg @ocg]]");
    links_and_outlines(&mut d);
    paint(&mut d);
    fonts(&mut d);
    d
}

fn links_and_outlines(d: &mut Document) {
    d.dict("link", "Type /Annot|Subtype /Link|Rect [0 0 9 9]|Border [0 0 1 [3 2]]|C [1 0 0]|F 4|H /I|Dest [@page2 /XYZ null 5 0]|BS <</D [3]/S /D/W 1>>");
    d.dict(
        "web",
        "Type /Annot|Subtype /Link|Rect [0 0 9 9]|QuadPoints [0 0 9 0 0 9 9 9]|A <</S /URI/URI <68747470733a2f2f612e62>>>",
    );
    d.dict("outlines", "Type /Outlines|First @item1|Last @item2|Count 2");
    d.dict("item1", "Title <61>|Parent @outlines|Next @item2|First @item3|Last @item3|Count -1|C [1 0 0.5]|F 3");
    d.dict("item2", "Title <62>|Parent @outlines|Prev @item1|Dest [@page /FitR 0 0 1 1]");
    d.dict("item3", "Title <63>|Parent @item1|A <</S /URI/URI <687474703a2f2f61>>>");
}

fn paint(d: &mut Document) {
    d.array("devicen", "[/DeviceN [/a /b] /DeviceRGB @calculator]");
    d.array("separation", "[/Separation /spot [/CalRGB <</Gamma [1 1 1]/WhitePoint [1 1 1]>>] @stitching]");
    d.array("lab", "[/Lab <</Range [-1 1 -1 1]/WhitePoint [0.9 1 1]>>]");
    d.array("indexed", "[/Indexed /DeviceRGB 1 <000000ffffff>]");
    d.stream(
        "calculator",
        "FunctionType 4|Domain [0 1 0 1]|Range [0 1 0 1 0 1]",
        "{ dup 0.5 gt { pop } { exch } ifelse { 1 } if }\n",
    );
    d.dict("stitching", "FunctionType 3|Domain [0 1]|Functions [@power @power]|Bounds [0.5]|Encode [0 1 0 1]");
    d.dict("power", "FunctionType 2|Domain [0 1]|N 1|C0 [0 0 0]|C1 [1 1 1]");
    d.stream("sampled", "FunctionType 0|Domain [0 1]|Range [0 1]|Size [3]|BitsPerSample 4", [1, 2]);
    d.dict(
        "state",
        "BM /Multiply|CA 0.5|D [[1] 0]|Font [@font 12]|LC 1|SMask <</BC [0 0 0]/G @masked/S /Luminosity/TR @sampled>>",
    );
    let group = "Group <</CS /DeviceGray/S /Transparency/Type /Group>>";
    d.stream("masked", &format!("Type /XObject|Subtype /Form|BBox [0 0 1 1]|Resources <<>>|{group}"), "0 g\n");
    d.stream(
        "form",
        "Type /XObject|Subtype /Form|BBox [0 0 1 1]|Matrix [1 0 0 1 0 0]|OC @ocg|Resources <</XObject <</X1 @image>>>>",
        "/X1 Do\n",
    );
    let image = "Type /XObject|Subtype /Image|Width 3|Height 2";
    d.stream("image", &format!("{image}|BitsPerComponent 1|ColorSpace @indexed|Decode [0 1]|Mask @stencil"), [0, 0]);
    d.stream("stencil", &format!("{image}|BitsPerComponent 1|ImageMask true|Interpolate true"), [0, 0]);
    d.dict(
        "photo",
        &format!("{image}|BitsPerComponent 8|ColorSpace /DeviceRGB|Filter /DCTDecode|SMask @soft|Intent /Perceptual"),
    )
    .data = Some(photograph(3, 2));
    d.stream("soft", &format!("{image}|BitsPerComponent 8|ColorSpace /DeviceGray|Matte [0 0 0]"), [0; 6]);
    d.stream(
        "tiling",
        "Type /Pattern|PatternType 1|PaintType 1|TilingType 2|BBox [0 0 1 1]|XStep 1|YStep -1|Resources <<>>",
        "1 g\n",
    );
    d.dict("shaded", "Type /Pattern|PatternType 2|Shading @radial|Matrix [1 0 0 1 0 0]");
    d.dict(
        "axial",
        "ShadingType 2|ColorSpace /DeviceRGB|Coords [0 0 1 1]|Function @power|Extend [true false]|Background [0 0 0]",
    );
    d.dict(
        "radial",
        "ShadingType 3|ColorSpace [/CalGray <</WhitePoint [1 1 1]>>]|Coords [0 0 1 1 1 2]|Function [@sampled]",
    );
    d.stream(
        "mesh",
        "ShadingType 4|ColorSpace /DeviceRGB|BitsPerCoordinate 8|BitsPerComponent 8|BitsPerFlag 8|Decode [0 1 0 1 0 1 0 1 0 1]",
        [0; 12],
    );
}

fn fonts(d: &mut Document) {
    d.dict(
        "font",
        "Type /Font|Subtype /TrueType|BaseFont /A+B#20c|FirstChar 32|LastChar 33|Widths [500 0.5]|FontDescriptor @fd2|ToUnicode @unicode|\
         Encoding <</BaseEncoding /WinAnsiEncoding/Differences [32 /a /b 40 /c]/Type /Encoding>>",
    );
    d.dict("fd2", "Type /FontDescriptor|FontName /A|Flags 4|FontBBox [0 0 1 1]|Ascent 700|StemV 80|FontFile2 @sfnt");
    let program = sfnt(&[(b"glyf", &[0; 12]), (b"head", &[1; 54]), (b"loca", &[0; 6])]);
    d.stream("sfnt", &format!("Length1 {}", program.len()), program);
    d.stream("unicode", "", cmap(2, "1 begincodespacerange\n<00> <ff>\nendcodespacerange\n1 beginbfchar\n<20> <0041>\nendbfchar\n1 beginbfrange\n<21> <22> <0042>\nendbfrange\n"));
    d.dict("font0", "Type /Font|Subtype /Type0|BaseFont /A|Encoding @cmap|DescendantFonts [@cid]");
    d.stream(
        "cmap",
        "Type /CMap|CMapName /CMap|WMode 1|CIDSystemInfo <</Ordering <61>/Registry <62>/Supplement 0>>",
        cmap(1, "/WMode 1 def\n/H usecmap\n1 begincidrange\n<0000> <00ff> 0\nendcidrange\n1 begincidchar\n<01> 7\nendcidchar\n"),
    );
    d.dict(
        "cid",
        "Type /Font|Subtype /CIDFontType0|BaseFont /A|CIDSystemInfo <</Ordering <61>/Registry <62>/Supplement 0>>|DW 1000|\
         W [1 [500 600] 7 9 250]|DW2 [880 -1000]|FontDescriptor @fd3|CIDToGIDMap @gids",
    );
    d.stream("gids", "", [0, 0, 0, 1]);
    d.dict("fd3", "Type /FontDescriptor|FontName /A|Flags 4|FontFile3 @cff");
    d.stream("cff", "Subtype /CIDFontType0C", cff());
    d.dict(
        "font3",
        "Type /Font|Subtype /Type3|FontBBox [0 0 1 1]|FontMatrix [0.001 0 0 0.001 0 0]|CharProcs <</a @glyph>>|FirstChar 0|LastChar 0|\
         Widths [1]|Encoding <</Differences [0 /a]/Type /Encoding>>|Resources <</Font <</F1 @type1>>>>",
    );
    d.stream("glyph", "", "1 0 0 0 1 1 d1\nBT\n/F1 1 Tf\nET\n");
    d.dict("type1", "Type /Font|Subtype /Type1|BaseFont /T|Encoding /StandardEncoding|FontDescriptor @fd1");
    d.dict("fd1", "Type /FontDescriptor|FontName /T|Flags 4|FontFile @pfa");
    d.stream("pfa", "Length1 26|Length2 4|Length3 0", b"%!PS-AdobeFont-1.0\neexec \n\x01\x02\x03\x04");
}

/// A JPEG of our dialect.
fn photograph(width: u16, height: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, 92);
    encoder.set_density(jpeg_encoder::PixelDensity::dpi(72));
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_2_0);
    let pixels = vec![100; usize::from(width) * usize::from(height) * 3];
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

/// A font of these tables, sums and all.
pub fn sfnt(tables: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let sum = |data: &[u8]| {
        let word = |w: &[u8]| w.iter().chain(&[0; 4]).take(4).fold(0u32, |n, b| n << 8 | u32::from(*b));
        data.chunks(4).fold(0u32, |n, w| n.wrapping_add(word(w)))
    };
    let count = tables.len() as u16;
    let log = count.ilog2() as u16;
    let mut head = vec![0, 1, 0, 0];
    for field in [count, 16 << log, log, count * 16 - (16 << log)] {
        head.extend(field.to_be_bytes());
    }
    let (mut body, mut adjustment) = (Vec::new(), 0);
    for (tag, table) in tables {
        let mut table = table.to_vec();
        let at = 12 + 16 * tables.len() + body.len();
        if *tag == b"head" {
            table[8..12].fill(0);
            adjustment = at + 8;
        }
        let fields = [sum(&table), at as u32, table.len() as u32];
        head.extend(*tag);
        head.extend(fields.iter().flat_map(|f| f.to_be_bytes()));
        body.extend(&table);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    head.extend(body);
    if adjustment != 0 {
        let value = 0xB1B0_AFBAu32.wrapping_sub(sum(&head));
        head[adjustment..adjustment + 4].copy_from_slice(&value.to_be_bytes());
    }
    head
}

/// The smallest CFF: one glyph, which ends.
pub fn cff() -> Vec<u8> {
    let mut cff = vec![1, 0, 4, 1, 0, 1, 1, 1, 2, b'A', 0, 1, 1, 1, 7, 29, 0, 0, 0, 25, 17];
    cff.extend([0, 0, 0, 0, 0, 1, 1, 1, 2, 14]);
    cff
}
