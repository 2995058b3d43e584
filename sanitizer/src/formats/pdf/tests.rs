//! Whole files, made by hand.

use super::*;
use crate::{Host, Quiet};
use model::{ExportKind, Finding, Policy};

#[expect(clippy::arithmetic_side_effects, reason = "bound: a handful of objects")]
/// A file of `objects`, numbered from 1; the first is the catalogue.
fn file(objects: &[&str]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (i, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", i + 1).as_bytes());
    }
    let xref = out.len();
    let size = objects.len() + 1;
    out.extend_from_slice(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes());
    for offset in offsets {
        out.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    out.extend_from_slice(format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF\n").as_bytes());
    out
}

fn stream(entries: &str, data: &str) -> String {
    format!("<<{entries}/Length {}>>\nstream\n{data}\nendstream", data.len())
}

/// A page that draws `content`, whatever else its dictionary and the catalogue have.
fn page(catalog: &str, entries: &str, content: &str, more: &[&str]) -> Vec<u8> {
    let catalog = format!("<</Type/Catalog/Pages 2 0 R{catalog}>>");
    let node = format!(
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>/XObject<</I 6 0 R>>>>{entries}>>"
    );
    let content = stream("", content);
    let mut objects = vec![
        catalog.as_str(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        &node,
        &content,
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ];
    objects.extend_from_slice(more);
    file(&objects)
}

fn clean_with(input: &[u8], policy: &Policy, host: &mut dyn Host) -> (Result<Rebuilt, Refusal>, Vec<Finding>) {
    Cx::top(policy, host, |cx| {
        let result = Pdf.reconstruct(Untrusted::new(input), Format::Pdf, cx);
        (result, cx.findings().rows().to_vec())
    })
}

fn clean(input: &[u8]) -> (Vec<u8>, Vec<Finding>) {
    let (result, findings) = clean_with(input, &Policy::standard(), &mut Quiet);
    (result.unwrap().bytes, findings)
}

/// The file with every stream decoded.
fn opened(bytes: &[u8]) -> String {
    let mut out = String::from_utf8_lossy(bytes).into_owned();
    let reader = Reader::new(bytes.to_vec()).unwrap();
    for object in reader.objects() {
        if let hayro::hayro_syntax::object::Object::Stream(stream) = object {
            out.push_str(&String::from_utf8_lossy(&stream.decoded().unwrap()));
        }
    }
    out
}

#[test]
fn text_stays_and_the_output_is_a_fixed_point() {
    let input = page("", "", "BT /F 12 Tf 10 10 Td (Hi) Tj ET", &[]);
    let (output, findings) = clean(&input);
    assert!(opened(&output).contains("/F1 12 Tf\n10 10 Td\n<4869> Tj\nET\n"));
    assert_eq!(findings, []);
    assert_eq!(clean(&output).0, output);
}

#[test]
fn nothing_that_acts_survives() {
    let action = "<</S/JavaScript/JS(app.alert\\(CANARY\\))/Next<</S/Launch/F(CANARY.exe)>>>>";
    let catalog = format!("/OpenAction {action}/AA<</WC {action}>>/Names<</JavaScript<</Names[(CANARY) {action}]>>>>");
    let entries = format!(
        "/AA<</O {action}>>/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A {action}>>]/PieceInfo<</CANARY<<>>>>"
    );
    let embedded = stream("/Type/EmbeddedFile", "CANARY");
    let (output, findings) = clean(&page(&catalog, &entries, "% CANARY\nBX CANARY EX", &[&embedded]));
    let text = opened(&output);
    for gone in ["CANARY", "JavaScript", "/JS", "Launch", "/AA", "OpenAction", "PieceInfo"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    for id in ["PDF-21", "PDF-22", "PDF-34", "PDF-35", "PDF-36", "PDF-37", "PDF-42", "PDF-44", "PDF-65", "PDF-78"] {
        assert!(findings.iter().any(|f| f.id == id), "{id} is not named");
    }
}

#[test]
fn links_stay_as_policy_says() {
    let link = |uri: &str| format!("<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI({uri})>>>>");
    let entries = format!(
        "/Annots[{}{}{}]",
        link("https://a.example/"),
        link("file:///etc"),
        "<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/Dest[3 0 R/XYZ 0 0 null]>>"
    );
    let input = page("", &entries, "", &[]);
    let (output, findings) = clean(&input);
    let text = opened(&output);
    assert!(text.contains("<</S /URI/URI <68747470733a2f2f612e6578616d706c652f>>>"), "{text}");
    assert!(text.contains("/XYZ 0 0 null]") && !text.contains("66696c65"), "{text}");
    assert_eq!(findings.iter().filter(|f| f.id == "PDF-23").map(|f| f.count).sum::<u64>(), 1);
    let mut policy = Policy::standard();
    policy.formats.pdf = policy.formats.pdf.map(|p| model::PdfPolicy { links: model::Links::Remove, ..p });
    let (result, _) = clean_with(&input, &policy, &mut Quiet);
    assert!(!opened(&result.unwrap().bytes).contains("/URI"));
}

#[test]
fn form_fields_are_drawn_into_the_page() {
    let look = stream("/Type/XObject/Subtype/Form/BBox[0 0 10 10]", "0 0 5 5 re f");
    let field = "/Annots[<</Type/Annot/Subtype/Widget/FT/Tx/Rect[10 10 20 20]/AP<</N 6 0 R>>>> <</Type/Annot/Subtype/Widget/FT/Tx/V(Typed)/Rect[10 50 90 70]/DA(/H 10 Tf)>>]";
    let (output, findings) = clean(&page("/AcroForm<</Fields[]>>", field, "1 g", &[&look]));
    let text = opened(&output);
    assert!(text.contains("q\n1 g\nQ\nq\n1 0 0 1 10 10 cm\n/X1 Do\nQ\n"), "{text}");
    assert!(text.contains("<5479706564> Tj") && !text.contains("/AcroForm") && !text.contains("/Annot"), "{text}");
    assert!(findings.iter().any(|f| f.id == "PDF-52" && f.count == 2 && f.at == "page 1"));
    assert_eq!(clean(&output).0, output);
}

#[test]
fn inline_images_become_objects_and_pixels_keep_their_size() {
    let (output, _) = clean(&page("", "", "q 9 0 0 9 0 0 cm BI /W 2 /H 2 /CS /G /BPC 8 ID EI E EI Q", &[]));
    let text = opened(&output);
    assert!(text.contains("/X1 Do\nQ") && !text.contains("BI\n"), "{text}");
    assert!(text.contains("/Height 2") && text.contains("EI E"), "{text}");
    let short = stream("/Type/XObject/Subtype/Image/Width 4/Height 4/ColorSpace/DeviceGray/BitsPerComponent 8", "abc");
    let (output, _) = clean(&page("", "", "/I Do", &[&short]));
    assert!(opened(&output).contains("abc\0\0\0\0\0\0\0\0\0\0\0\0\0"));
}

#[test]
fn loops_end_and_hidden_scripts_reach_the_engines() {
    struct Listener(Vec<(ExportKind, Vec<u8>)>);
    impl Host for Listener {
        fn export(&mut self, kind: ExportKind, _: &str, _: u32, bytes: &[u8]) -> Result<(), Refusal> {
            self.0.push((kind, bytes.to_vec()));
            Ok(())
        }
        fn recognises(&self, _: &[u8], _: Format) -> bool {
            false
        }
    }
    let form = stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</I 6 0 R>>>>", "/I Do");
    let orphan = "<</S/JavaScript/JS<feff006500760069006c>>>";
    let mut listener = Listener(Vec::new());
    let input = page("", "", "/I Do", &[&form, orphan]);
    let (result, findings) = clean_with(&input, &Policy::standard(), &mut listener);
    assert!(opened(&result.unwrap().bytes).contains("/X1 Do"));
    assert_eq!(listener.0, [(ExportKind::Script, b"evil".to_vec())]);
    assert!(findings.iter().any(|f| f.id == "PDF-05"));
}

#[test]
fn forms_that_multiply_are_refused() {
    let level = |i: usize| {
        let entries = format!("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</I {i} 0 R>>>>");
        stream(&entries, &"/I Do ".repeat(10))
    };
    let levels: Vec<String> = (7..37).map(level).collect();
    let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
    let (result, _) = clean_with(&page("", "", "/I Do", &levels), &Policy::standard(), &mut Quiet);
    assert!(matches!(result, Err(Refusal::Limit { limit: model::LimitKind::Nesting, .. })), "{result:?}");
}

#[test]
fn a_flattened_page_is_a_picture_in_the_same_dialect() {
    let mut policy = Policy::standard();
    policy.formats.pdf = policy.formats.pdf.map(|p| model::PdfPolicy { action: RuleAction::Flatten, ..p });
    let input = page("", "/Rotate 90", "1 0 0 rg 0 0 100 100 re f BT /F 9 Tf (CANARY) Tj ET", &[]);
    let (result, findings) = clean_with(&input, &policy, &mut Quiet);
    let rebuilt = result.unwrap();
    assert_eq!(rebuilt.method, Method::Flattened);
    let text = opened(&rebuilt.bytes);
    assert!(text.contains("q\n0 200 -200 0 200 0 cm\n/X1 Do\nQ\n") && !text.contains("/Font"), "{text}");
    assert!(findings.iter().any(|f| f.id == "PDF-87"));
    let (second, _) = clean(&rebuilt.bytes);
    assert_eq!(second, rebuilt.bytes, "a palette is lossless");
}

/// A page that draws a form with these resources and this content; object 7 has two inputs and one output.
fn painted(resources: &str, content: &str) -> (Rebuilt, Vec<Finding>) {
    let form = stream(&format!("/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<<{resources}>>"), content);
    let two = stream("/FunctionType 4/Domain[0 1 0 1]/Range[0 1]", "{ add }");
    let (result, findings) = clean_with(&page("", "", "/I Do", &[&form, &two]), &Policy::standard(), &mut Quiet);
    (result.unwrap(), findings)
}

const ONE: &str = "<</FunctionType 2/Domain[0 1]/N 1/C0[0]/C1[1]>>";
const THREE: &str = "<</FunctionType 2/Domain[0 1]/N 1/C0[0 0 0]/C1[1 1 1]>>";

/// A stitching function of two parts.
fn stitched(first: &str, second: &str, more: &str) -> String {
    format!("<</FunctionType 3/Domain[0 1]/Functions[{first} {second}]/Bounds[.5]/Encode[0 1 0 1]{more}>>")
}

#[test]
fn a_shading_has_functions_of_its_arity_or_goes() {
    let drawn = |kind: u8, space: &str, function: &str| {
        let shading = format!("<</ShadingType {kind}/ColorSpace/{space}/Coords[0 0 9 9]/Function {function}>>");
        let (rebuilt, findings) = painted(&format!("/Shading<</S {shading}>>"), "/S sh");
        let (drawn, named) = (opened(&rebuilt.bytes).contains(" sh\n"), findings.iter().any(|f| f.id == "PDF-76"));
        assert_ne!(drawn, named, "{kind} {space} {function}");
        drawn
    };
    let three = format!("[{ONE} {ONE} {ONE}]");
    let ranged = |range: &str| THREE.replace("/N 1", &format!("/N 1/Range[{range}]"));
    assert!(drawn(2, "DeviceRGB", THREE) && drawn(2, "DeviceRGB", &three) && drawn(1, "DeviceGray", "7 0 R"));
    assert!(drawn(2, "DeviceRGB", &ranged("0 1 0 1 0 1")) && drawn(2, "DeviceRGB", &stitched(THREE, THREE, "")));
    assert!(!drawn(2, "DeviceRGB", ONE) && !drawn(2, "DeviceCMYK", &three) && !drawn(2, "DeviceGray", THREE));
    assert!(!drawn(1, "DeviceGray", ONE) && !drawn(2, "DeviceGray", "7 0 R"));
    assert!(!drawn(2, "DeviceRGB", &format!("[{ONE} {THREE} {ONE}]")));
    assert!(!drawn(2, "DeviceRGB", &ranged("0 1")));
    assert!(!drawn(2, "DeviceRGB", &stitched(THREE, ONE, "")) && !drawn(2, "DeviceGray", &stitched(ONE, "7 0 R", "")));
    assert!(!drawn(2, "DeviceGray", &stitched(ONE, ONE, "/Range[0 1 0 1]")));
    let nested = |times: usize| (0..times).fold(ONE.to_owned(), |inner, _| stitched(ONE, &inner, ""));
    assert!(drawn(2, "DeviceGray", &nested(7)) && !drawn(2, "DeviceGray", &nested(8)));
}

#[test]
fn a_mesh_whose_function_is_none_goes() {
    for (function, kept) in [(ONE, true), (THREE, false), ("null", true)] {
        let mesh = stream(
            &format!(
                "/ShadingType 4/ColorSpace/DeviceGray/BitsPerCoordinate 8/BitsPerComponent 8/BitsPerFlag 8/Decode[0 9 0 9 0 1]/Function {function}"
            ),
            "0000",
        );
        let form = stream("/Subtype/Form/BBox[0 0 99 99]/Resources<</Shading<</S 7 0 R>>>>", "/S sh");
        let (output, _) = clean(&page("", "", "/I Do", &[&form, &mesh]));
        assert_eq!(opened(&output).contains(" sh\n"), kept, "{function}");
    }
}

#[test]
fn a_page_with_a_tint_transform_of_another_arity_is_drawn() {
    let kept = |space: &str| {
        let (rebuilt, findings) = painted(&format!("/ColorSpace<</C {space}>>"), "/C cs 1 1 scn 0 0 9 9 re f");
        let kept = rebuilt.method == Method::Rebuilt;
        assert_ne!(kept, findings.iter().any(|f| f.id == "PDF-76"), "{space}");
        assert_eq!(kept, opened(&rebuilt.bytes).contains("/FunctionType"), "{space}");
        kept
    };
    assert!(kept(&format!("[/Separation/Spot/DeviceRGB {THREE}]")));
    assert!(kept("[/DeviceN[/A/B]/DeviceGray 7 0 R]"));
    assert!(!kept(&format!("[/Separation/Spot/DeviceCMYK {THREE}]")));
    assert!(!kept(&format!("[/Separation/Spot/DeviceRGB {ONE}]")));
    assert!(!kept("[/Separation/Spot/DeviceGray 7 0 R]"));
    assert!(!kept(&format!("[/DeviceN[/A/B]/DeviceGray {ONE}]")));
    assert!(!kept("[/DeviceN[/A/B/C]/DeviceGray 7 0 R]"));
}

#[test]
fn every_page_that_holds_the_unbuildable_is_drawn_and_no_other() {
    let resources = format!("/ColorSpace<</C [/Separation/Spot/DeviceRGB {ONE}]>>");
    let form = stream(&format!("/Subtype/Form/BBox[0 0 99 99]/Resources<<{resources}>>"), "/C cs 1 scn 0 0 9 9 re f");
    let leaf = |content: u8| {
        format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents {content} 0 R/Resources<</XObject<</I 6 0 R>>>>>>"
        )
    };
    let (with, without) = (leaf(4), leaf(5));
    let input = file(&[
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R 7 0 R 8 0 R]/Count 3>>",
        &with,
        &stream("", "/I Do"),
        &stream("", "0 0 9 9 re f"),
        &form,
        &without,
        &with,
    ]);
    let (_, findings) = clean(&input);
    let drawn: Vec<&str> = findings.iter().filter(|f| f.id == "PDF-87").map(|f| f.at.as_str()).collect();
    assert_eq!(drawn, ["page 1", "page 3"]);
}

#[test]
fn a_soft_mask_maps_one_value_to_one() {
    for (transfer, kept, named) in
        [(ONE, true, false), (THREE, false, true), ("7 0 R", false, true), ("/Identity", false, false)]
    {
        let resources = format!("/ExtGState<</G <</SMask<</S/Luminosity/G 8 0 R/TR {transfer}>>>>>>");
        let form = stream(&format!("/Subtype/Form/BBox[0 0 99 99]/Resources<<{resources}>>"), "/G gs 0 0 9 9 re f");
        let two = stream("/FunctionType 4/Domain[0 1 0 1]/Range[0 1]", "{ add }");
        let group = stream("/Subtype/Form/BBox[0 0 99 99]/Group<</S/Transparency>>", "0 0 9 9 re f");
        let (output, findings) = clean(&page("", "", "/I Do", &[&form, &two, &group]));
        let text = opened(&output);
        assert!(text.contains("/Luminosity"), "{text}");
        assert_eq!(text.contains("/TR "), kept, "{transfer}");
        assert_eq!(findings.iter().any(|f| f.id == "PDF-76"), named, "{transfer}");
    }
}

#[test]
fn what_nobody_can_open_is_refused() {
    assert!(matches!(clean_with(b"%PDF-1.7\n", &Policy::standard(), &mut Quiet).0, Err(Refusal::Malformed { .. })));
    let empty = file(&["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>"]);
    assert!(clean_with(&empty, &Policy::standard(), &mut Quiet).0.is_err());
}

#[test]
fn damage_never_panics() {
    let look = stream("/Type/XObject/Subtype/Form/BBox[0 0 10 10]/Group<</S/Transparency>>", "0 0 5 5 re f");
    let whole = page(
        "/Outlines<</First 7 0 R>>",
        "/Annots[<</Subtype/Link/Dest[0/Fit]/Rect[0 0 1 1]>>]",
        "/I Do BI /W 1 /H 1 /IM true ID \0 EI",
        &[&look, "<</Title(x)/Dest[3 0 R/Fit]>>"],
    );
    for cut in (0..whole.len()).step_by(7) {
        let _ = clean_with(&whole[..cut], &Policy::standard(), &mut Quiet);
        let mut broken = whole.clone();
        broken[cut] ^= 0x15;
        let _ = clean_with(&broken, &Policy::standard(), &mut Quiet);
    }
}
