//! The golden cases.

/// A BMP of the oldest header whose pixels have no bits: rows of no bytes once made the reader panic.
fn bmp_without_bits() -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    for part in [30u32, 0, 26, 12] {
        bytes.extend(part.to_le_bytes());
    }
    for part in [1u16, 1, 1, 0] {
        bytes.extend(part.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

/// A page whose property list is a membership in a layer that the catalogue does not list: a fuzzer made one, and the
/// second reader refused what was rebuilt from it.
fn pdf_with_unlisted_layer() -> Vec<u8> {
    samples::pdf_with(
        "/OCProperties<</OCGs[]/D<<>>>>",
        // The later key counts where one stands twice: the page draws the form, and nothing else.
        "/Resources<</XObject<</X 8 0 R>>>>/Contents 9 0 R",
        &[
            "<</Type/OCMD/OCGs 7 0 R>>",
            "<</Type/OCG/Name(layer)>>",
            "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/OC 6 0 R/Length 12>>stream\n0 0 5 5 re f\nendstream",
            "<</Length 5>>stream\n/X Do\nendstream",
        ],
    )
}

/// Cases by format and name: the input, and the name it comes under. Those that begin with `x-` are refused.
pub fn cases() -> Vec<(&'static str, &'static str, &'static str, Vec<u8>)> {
    let text = samples::text();
    let stub = samples::program_stub();
    let picture = samples::png_with_text();
    let members: &[(&str, &[u8])] = &[("folder/note.txt", &text), ("setup.exe", &stub), ("folder/cover.png", &picture)];
    let slip: &[(&str, &[u8])] = &[("../../escape.txt", &text), ("con.txt", &text)];
    let mut cases = vec![
        ("bmp", "plain", "a.bmp", samples::bmp()),
        ("bmp", "x-no-bits-per-pixel", "a.bmp", bmp_without_bits()),
        ("csv", "formula", "a.csv", samples::table()),
        ("docx", "field", "a.docx", samples::docx()),
        ("docx", "macros-and-template", "a.docm", samples::docm()),
        ("gif", "comment", "a.gif", samples::gif()),
        ("jpeg", "exif-and-trailer", "a.jpg", samples::jpeg_with_exif()),
        ("pdf", "active", "a.pdf", samples::pdf()),
        ("pdf", "plain", "a.pdf", samples::pdf_plain()),
        ("pdf", "layer-in-no-list", "a.pdf", pdf_with_unlisted_layer()),
        ("png", "text-and-trailer", "a.png", samples::png_with_text()),
        ("pptx", "program-click", "a.pptx", samples::pptx()),
        ("tiff", "plain", "a.tif", samples::tiff()),
        ("txt", "bidi-and-escapes", "a.txt", samples::text()),
        ("webp", "plain", "a.webp", samples::webp()),
        ("xlsx", "calls-out", "a.xlsx", samples::xlsx()),
        ("zip", "members", "a.zip", samples::zip(members)),
        ("zip", "x-program-only", "a.zip", samples::zip(&[("setup.exe", &stub)])),
        ("zip", "slip", "a.zip", samples::zip(slip)),
    ];
    cases.extend(super::wide::all());
    cases
}
