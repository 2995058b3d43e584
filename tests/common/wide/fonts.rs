//! Fonts of every kind, with programs that have a frame and no glyphs worth the name.

use super::table;

const DESCRIPTOR: &str = "/Type/FontDescriptor/FontName/F/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0/Ascent 800/Descent -200/CapHeight 700/XHeight 500/StemV 80/StemH 80/AvgWidth 500/MaxWidth 1000/Leading 0/MissingWidth 500/FontWeight 400";
const SYSTEM: &str = "/CIDSystemInfo<</Registry(Ad-o_be)/Ordering(Identity)/Supplement 0>>";

/// Adds an object: a dictionary, or a stream with data.
type Add<'a> = dyn FnMut(&str, Option<&[u8]>) -> usize + 'a;

/// Every font; the first is a plain one.
pub fn all(add: &mut Add<'_>) -> Vec<usize> {
    let mut fonts = vec![add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", None)];
    let unicode = add("", Some(&to_unicode()));
    let type1 = [b"%!PS-AdobeFont-1.0: F\n/F def\ncurrentfile eexec\n".as_slice(), &[0x9c; 64]].concat();
    let zeros = [b"0".repeat(512), b"\ncleartomark\n".to_vec()].concat();
    let mut programs = vec![
        ("Type1", "FontFile", String::new(), type1.clone()),
        ("MMType1", "FontFile", String::new(), [type1, zeros.clone()].concat()),
        ("TrueType", "FontFile2", String::new(), sfnt(*b"\0\x01\0\0", false)),
        ("TrueType", "FontFile2", String::new(), sfnt(*b"true", false)),
        ("Type1", "FontFile3", "/Subtype/Type1C".into(), cff(false)),
        ("TrueType", "FontFile3", "/Subtype/OpenType".into(), sfnt(*b"OTTO", true)),
    ];
    programs.push((
        "Type1",
        "FontFile",
        String::new(),
        [b"%!F\neexec\n".as_slice(), &[0x9c; 8], &zeros[..512], b"\n"].concat(),
    ));
    let encodings = table("pdf/font.rs", "ENCODINGS");
    let named = encodings.iter().map(|name| format!("/Encoding/{name}"));
    let mut encoded: Vec<String> = named.collect();
    encoded.push("/Encoding<</Type/Encoding/BaseEncoding/WinAnsiEncoding/Differences[65/A/a#20b 0/space]>>".into());
    encoded.push("/Encoding<</Type/Encoding>>".into());
    encoded.push(String::new());
    for ((subtype, key, dict, program), encoding) in programs.iter().zip(encoded.iter().cycle()) {
        let file = add(dict, Some(program));
        let descriptor = add(&format!("<<{DESCRIPTOR}/{key} {file} 0 R>>"), None);
        fonts.push(add(
            &format!("<</Type/Font/Subtype/{subtype}/BaseFont/F{encoding}/FirstChar 65/LastChar 66/Widths[500 500.5]/FontDescriptor {descriptor} 0 R/ToUnicode {unicode} 0 R>>"),
            None,
        ));
    }
    fonts.extend(composite(add));
    let glyph = |width: &str| format!("{width} 0 0 5 5 re f");
    let plain = add("", Some(glyph("10 0 0 0 9 9 d1").as_bytes()));
    let coloured = add("", Some(glyph("10 0 d0").as_bytes()));
    fonts.push(add(
        &format!("<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[0.1 0 0 0.1 0 0]/CharProcs<</A {plain} 0 R/B#20b {coloured} 0 R>>/Encoding<</Type/Encoding/Differences[120/A/B#20b]>>/FirstChar 120/LastChar 121/Widths[10 10]/Resources<<>>>>"),
        None,
    ));
    fonts.push(add(
        "<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[0.1 0 0 0.1 0 0]/CharProcs<<>>/Encoding<</Type/Encoding/Differences[]>>/FirstChar 0/LastChar 0/Widths[10]/Resources<<>>>>",
        None,
    ));
    fonts
}

fn composite(add: &mut Add<'_>) -> Vec<usize> {
    let file = add("/Subtype/CIDFontType0C", Some(&cff(true)));
    let descriptor = add(&format!("<<{DESCRIPTOR}/FontFile3 {file} 0 R>>"), None);
    let map = add("", Some(&[0, 1, 0, 2]));
    let rest = [
        "/W[1[500 500.5]3 4 600]/DW 1000/DW2[880 -1000]/W2[1[-1000 500 880]]/CIDToGIDMap/Identity".to_owned(),
        format!("/CIDToGIDMap {map} 0 R/W[]/W2[1 2 -1000 500 880]"),
        "/W2[]".to_owned(),
        "/W[1[]]".to_owned(),
    ];
    let mut descendants = Vec::new();
    for (kind, rest) in ["CIDFontType0", "CIDFontType2", "CIDFontType2", "CIDFontType2"].iter().zip(&rest) {
        descendants.push(add(
            &format!("<</Type/Font/Subtype/{kind}/BaseFont/F{SYSTEM}/FontDescriptor {descriptor} 0 R{rest}>>"),
            None,
        ));
    }
    let mut encodings: Vec<String> = table("pdf/cmap.rs", "PREDEFINED").iter().map(|name| format!("/{name}")).collect();
    for (n, extra) in ["", "/WMode 1"].iter().enumerate() {
        let cmap = add(&format!("/Type/CMap/CMapName/CMap{SYSTEM}{extra}"), Some(&encoding(n == 1)));
        encodings.push(format!(" {cmap} 0 R"));
    }
    let fonts = encodings.iter().zip(descendants.iter().cycle());
    fonts
        .map(|(encoding, descendant)| {
            add(
                &format!(
                    "<</Type/Font/Subtype/Type0/BaseFont/F/Encoding{encoding}/DescendantFonts[{descendant} 0 R]>>"
                ),
                None,
            )
        })
        .collect()
}

fn cmap(head: &str, sections: &str) -> Vec<u8> {
    format!("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /CMap def\n{head}{sections}endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n").into_bytes()
}

fn to_unicode() -> Vec<u8> {
    cmap(
        "/CMapType 2 def\n",
        "1 begincodespacerange\n<00> <ff>\nendcodespacerange\n1 beginbfchar\n<41> <0041>\nendbfchar\n1 beginbfrange\n<42> <43> <0042>\nendbfrange\n",
    )
}

fn encoding(vertical: bool) -> Vec<u8> {
    let head = if vertical { "/CMapType 1 def\n/WMode 1 def\n/Identity-H usecmap\n" } else { "/CMapType 1 def\n" };
    cmap(
        head,
        "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n1 begincidchar\n<0041> 1\nendcidchar\n1 begincidrange\n<0042> <0043> 2\nendcidrange\n1 beginnotdefrange\n<0000> <001f> 1\nendnotdefrange\n",
    )
}

/// An sfnt with every table that is kept.
fn sfnt(version: [u8; 4], outlines: bool) -> Vec<u8> {
    let tags = table("pdf/program.rs", "TABLES");
    let skip = if outlines { "glyf" } else { "CFF " };
    let tags: Vec<&String> = tags.iter().filter(|tag| *tag != skip).collect();
    let mut out = version.to_vec();
    out.extend(u16::try_from(tags.len()).unwrap().to_be_bytes());
    out.extend([0; 6]);
    let (mut body, start) = (Vec::new(), 12 + 16 * tags.len());
    for tag in tags {
        let data = if tag == "CFF " { cff(false) } else { vec![1; 54] };
        out.extend(tag.bytes());
        out.extend([0; 4]);
        out.extend(u32::try_from(start + body.len()).unwrap().to_be_bytes());
        out.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    [out, body].concat()
}

fn index(objects: &[&[u8]]) -> Vec<u8> {
    let mut out = u16::try_from(objects.len()).unwrap().to_be_bytes().to_vec();
    if objects.is_empty() {
        return out;
    }
    out.push(2);
    let mut offset = 1u16;
    out.extend(offset.to_be_bytes());
    for object in objects {
        offset += u16::try_from(object.len()).unwrap();
        out.extend(offset.to_be_bytes());
    }
    objects.iter().for_each(|object| out.extend(*object));
    out
}

/// A DICT operand of three bytes.
fn operand(n: usize) -> Vec<u8> {
    [vec![28], u16::try_from(n).unwrap().to_be_bytes().to_vec()].concat()
}

/// A Compact Font Format program with each kind of operand and each offset (Adobe technical note 5176).
fn cff(cid: bool) -> Vec<u8> {
    let glyphs = index(&[&[14], &[14]]);
    let private = [operand(6), vec![19, 0x8b, 20]].concat();
    let subrs = index(&[&[11]]);
    let fonts = index(&[&[0x8b, 2]]);
    let names = index(&[b"F"]);
    let top = |at: usize| {
        let mut top = if cid { vec![0x8b, 0x8b, 0x8b, 12, 30] } else { Vec::new() };
        // Each size of an integer, and a real.
        top.extend([0x8b, 247, 0, 251, 0, 29, 0, 0, 1, 0, 5, 30, 0x1a, 0x5f, 12, 2, 0x8d, 12, 6]);
        let place = |n: usize, operator: &[u8]| [operand(n), operator.to_vec()].concat();
        top.extend(place(at, &[17]));
        let at = at + glyphs.len();
        top.extend([operand(private.len()), operand(at), vec![18]].concat());
        let at = at + private.len() + subrs.len();
        if cid {
            top.extend([place(at, &[12, 36]), place(at + fonts.len(), &[12, 37])].concat());
        } else {
            top.extend([place(at + fonts.len(), &[15]), place(at + fonts.len(), &[16])].concat());
        }
        top
    };
    let rest = [index(&[]), index(&[])].concat();
    let head = |at: usize| [vec![1, 0, 4, 2], names.clone(), index(&[&top(at)]), rest.clone()].concat();
    let at = head(0).len();
    [head(at), glyphs.clone(), private.clone(), subrs.clone(), fonts.clone(), vec![0; 4]].concat()
}
