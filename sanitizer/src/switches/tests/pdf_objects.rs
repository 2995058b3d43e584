//! Fonts, maps, functions, images and colours of PDF.

use super::Carrier;
use super::Filter::{self, *};
use super::pdf::{Page, drawn, font, shading, stream};

pub(super) fn carriers() -> Vec<Carrier> {
    let mut out = fonts();
    out.extend(maps());
    out.extend(functions());
    out.extend(images());
    out
}

/// A Type 1 font with these entries.
fn simple(filter: Filter, entries: &str, mark: &str) -> Carrier {
    font(filter, &format!("<</Type/Font/Subtype/Type1{entries}>>"), &[], mark)
}

/// A font with this program, its bytes in hexadecimal.
fn program(filter: Filter, bytes: &[u8], mark: &str) -> Carrier {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).chain([">".to_owned()]).collect();
    let descriptor = "<</Type/FontDescriptor/FontName/X/Flags 4/FontFile2 7 0 R>>";
    let file = stream("/Filter/ASCIIHexDecode", &hex);
    font(filter, "<</Type/Font/Subtype/TrueType/BaseFont/X/FontDescriptor 6 0 R>>", &[descriptor, &file], mark)
}

/// An sfnt of these tables.
fn sfnt(version: &[u8; 4], tables: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut out = version.to_vec();
    out.extend((tables.len() as u16).to_be_bytes());
    out.extend([0; 6]);
    let mut at = 12 + 16 * tables.len();
    for (tag, table) in tables {
        out.extend(*tag);
        out.extend([0; 4]);
        out.extend((at as u32).to_be_bytes());
        out.extend((table.len() as u32).to_be_bytes());
        at += table.len();
    }
    tables.iter().for_each(|(_, table)| out.extend(*table));
    out
}

fn fonts() -> Vec<Carrier> {
    let head = [0u8; 54];
    let sound: [(&[u8; 4], &[u8]); 3] = [(b"glyf", b"glyf"), (b"head", &head), (b"loca", b"loca")];
    let with_svg: Vec<(&[u8; 4], &[u8])> = sound.into_iter().chain([(b"SVG ", &b"<script/>"[..])]).collect();
    let cff = [&[1u8, 0, 4, 1, 0, 1, 1, 1, 9][..], b"UNSOUND"].concat();
    let composite = |info: &str| {
        let descendant = format!("<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<<{info}/Supplement 0>>>>");
        font(
            PdfCollections,
            "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[6 0 R]>>",
            &[&descendant],
            "a/b",
        )
    };
    let long = "N".repeat(130);
    vec![
        simple(PdfNames, "/BaseFont/A#00B", "/A#00B"),
        simple(PdfNames, &format!("/BaseFont/{long}"), &long).says("a name of 130 bytes"),
        simple(PdfFontNames, "/BaseFont/C:#5cx", "/C:\\x"),
        simple(PdfFontNames, "/BaseFont/#2fetc#2fx", "/#2fetc#2fx"),
        simple(PdfEncodings, "/BaseFont/X/Encoding/Evil", "/Encoding /Evil"),
        simple(PdfChoices, "/BaseFont/X/Encoding<</BaseEncoding/Evil>>", "/BaseEncoding /Evil"),
        simple(PdfCodes, "/BaseFont/X/Encoding<</Differences[999/a]>>", "[999 /a]"),
        simple(PdfCodes, "/BaseFont/X/FirstChar 0/LastChar 70000/Widths[1]", "/LastChar 70000"),
        program(PdfFontPrograms, b"#!/bin/sh evil", "#!/bin/sh evil"),
        program(PdfFontTables, &sfnt(&[0, 1, 0, 0], &with_svg), "<script/>"),
        program(PdfFontParts, &sfnt(&[0, 1, 0, 0], &[(b"glyf", b"glyf")]), "glyf"),
        program(PdfCff, &cff, "UNSOUND"),
        program(PdfCff, &sfnt(b"OTTO", &[(b"CFF ", &cff)]), "UNSOUND"),
        composite("/Registry(a/b)/Ordering(x)"),
        composite("/Registry(x)/Ordering(a/b)"),
        font(
            PdfLengths,
            "<</Type/Font/Subtype/Type1/BaseFont/X/FontDescriptor 6 0 R>>",
            &["<</Type/FontDescriptor/FontName/X/Flags 4/FontBBox[1 2]>>"],
            "/FontBBox [1 2]",
        ),
    ]
}

fn maps() -> Vec<Carrier> {
    let unicode = |filter: Filter, rows: &str, mark: &str| {
        let rows = format!("1 beginbfchar <01> <0041> endbfchar {rows}");
        font(filter, "<</Type/Font/Subtype/Type1/BaseFont/X/ToUnicode 6 0 R>>", &[&stream("", &rows)], mark)
    };
    let encoding = |filter: Filter, encoding: &str, rows: &str, mark: &str| {
        let font_dict = format!("<</Type/Font/Subtype/Type0/BaseFont/X/Encoding {encoding}/DescendantFonts[6 0 R]>>");
        let descendant =
            "<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<</Registry(A)/Ordering(I)/Supplement 0>>>>";
        font(
            filter,
            &font_dict,
            &[descendant, &stream("/Type/CMap/CMapName/X", &format!("1 begincidchar <01> 1 endcidchar {rows}"))],
            mark,
        )
    };
    let long = "0041".repeat(300);
    vec![
        unicode(PdfCMapCodes, "1 beginbfchar <0102030405> <0041> endbfchar", "<0102030405>"),
        unicode(PdfCMapTargets, &format!("1 beginbfchar <02> <{long}> endbfchar"), &long)
            .says("a character of 600 bytes"),
        unicode(PdfCMapRanges, "1 beginbfrange <20> <10> <0041> endbfrange", "<20> <10>"),
        unicode(PdfCMapRanges, "1 beginbfrange <20> <3000> <0041> endbfrange", "<20> <3000>"),
        encoding(PdfCMapNames, "/Evil", "", "/Encoding /Evil"),
        encoding(PdfCMapCids, "7 0 R", "1 begincidchar <02> 99999 endcidchar", "<02> 99999"),
    ]
}

/// An axial shading with this function.
fn function(filter: Filter, function: &str, more: &[&str], mark: &str) -> Carrier {
    let all: Vec<&str> = [function].into_iter().chain(more.iter().copied()).collect();
    shading(filter, "<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 1 1]/Function 6 0 R>>", &all, mark)
}

fn functions() -> Vec<Carrier> {
    let calculator = |code: &str| stream("/FunctionType 4/Domain[0 1]/Range[0 1]", code);
    let three = "<</FunctionType 2/Domain[0 1]/N 1/C0[0 0 0]/C1[1 1 1]>>";
    let one = "<</FunctionType 2/Domain[0 1]/N 1/C0[0]/C1[1]>>";
    let stitched = "<</FunctionType 3/Domain[0 1]/Bounds[0.5]/Encode[0 1 0 1]/Functions[7 0 R 8 0 R]>>";
    let orphan = "<</ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 1 1]/Function[6 0 R 6 0 R null]>>";
    vec![
        function(PdfFunctionShapes, three, &[], "/C0 [0 0 0]"),
        function(PdfFunctionValues, "<</FunctionType 2/Domain[0 1]/N 1/C0[0]/C1[1 1]>>", &[], "/C1 [1 1]"),
        function(PdfStitching, stitched, &[one, three], "/FunctionType 3"),
        function(PdfCalculator, &calculator("{ evil }"), &[], "{ evil"),
        function(PdfCalculator, &calculator("{ run }"), &[], "{ run"),
        function(PdfBranches, &calculator("{ 1 if }"), &[], "{ 1 if"),
        shading(PdfOrphans, orphan, &["<</FunctionType 2/Domain[0 1]/N 1/C0[0.25]/C1[1]>>"], "0.25"),
        shading(
            PdfLengths,
            "<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 1]/Function 6 0 R>>",
            &[one],
            "/Coords [0 0 1]",
        ),
        shading(
            PdfMeshes,
            &stream(
                "/ShadingType 4/ColorSpace/DeviceGray/BitsPerCoordinate 7/BitsPerComponent 8/BitsPerFlag 8/Decode[0 1 0 1 0 1]",
                "xxxx",
            ),
            &[],
            "/BitsPerCoordinate 7",
        ),
        shading(
            PdfMeshes,
            &stream(
                "/ShadingType 5/ColorSpace/DeviceGray/BitsPerCoordinate 8/BitsPerComponent 8/VerticesPerRow 0/Decode[0 1 0 1 0 1]",
                "xxxx",
            ),
            &[],
            "/VerticesPerRow 0",
        ),
    ]
}

fn images() -> Vec<Carrier> {
    let image = |filter: Filter, entries: &str, mark: &str| {
        drawn(filter, &stream(&format!("/Subtype/Image/Width 2/Height 1{entries}"), "xy"), &[], mark)
    };
    let gray = "/BitsPerComponent 8/ColorSpace/DeviceGray";
    let masked = |matte: &str| {
        let mask = stream(&format!("/Subtype/Image/Width 2/Height 1{gray}{matte}"), "xy");
        drawn(
            PdfMasks,
            &stream(&format!("/Subtype/Image/Width 2/Height 1{gray}/SMask 6 0 R"), "xy"),
            &[&mask],
            "/Matte [",
        )
    };
    let many = format!("/Matte[{}]", "0 ".repeat(40));
    let space = |filter: Filter, space: &str, mark: &str| {
        let resources = format!("/ColorSpace<</C {space}>>");
        Page { resources: &resources, content: "/C cs 0 sc 0 0 9 9 re f", ..Page::default() }.carrier(filter, mark)
    };
    vec![
        image(PdfMasks, &format!("{gray}/Mask[0]"), "/Mask [0]"),
        masked(&many),
        image(PdfSampleBits, "/BitsPerComponent 3/ColorSpace/DeviceGray", "/BitsPerComponent 3"),
        drawn(PdfSampleCounts, &stream(&format!("/Subtype/Image/Width 9/Height 9{gray}"), "xy"), &[], "")
            .says("two samples for 81"),
        image(PdfChoices, &format!("{gray}/Intent/Evil"), "/Intent /Evil"),
        space(PdfPalettes, "[/Indexed/DeviceRGB 5<00>]", ""),
        space(PdfBaseSpaces, "[/Indexed[/Indexed/DeviceGray 1<0001>]1<0001>]", "/Indexed [/Indexed"),
        space(PdfLengths, "[/CalGray<</WhitePoint[1 1]>>]", "/WhitePoint [1 1]"),
    ]
}
