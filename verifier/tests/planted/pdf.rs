//! Constructs in PDFs: keys in each kind of object, objects, and the frame of a file that we have cleaned.

use crate::pdf_document::{Document, full, sfnt};
use crate::{Planted, cleaned, planted};
use model::Format::Pdf;

/// Row, object, key, value.
const KEYS: &str = include_str!("../../src/dialects/pdf/tests/keys.txt");

pub fn all() -> Vec<Planted> {
    let twin = full().write();
    let lines = KEYS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut all: Vec<Planted> = lines
        .map(|line| {
            let fields: Vec<&str> = line.splitn(4, ' ').collect();
            let [row, object, key, value] = fields[..] else { panic!("{line}") };
            let mut d = full();
            match (key, value) {
                (key, "-") => d.remove(object, key),
                ("=", array) => d.object(object).array = Some(array.to_owned()),
                _ => d.set(object, key, value),
            }
            planted(row, line, Pdf, &twin, d.write())
        })
        .collect();
    let mut object = |row: &str, what: &str, edit: &dyn Fn(&mut Document)| {
        let mut d = full();
        edit(&mut d);
        all.push(planted(row, what, Pdf, &twin, d.write()));
    };
    object("PDF-05", "an orphan", &|d| _ = d.dict("x", "JS <61>|S /JavaScript"));
    object("PDF-06", "an object stream", &|d| d.stream("x", "Type /ObjStm|N 1|First 4", "9 0 <<>>"));
    object("PDF-82", "linearisation", &|d| _ = d.dict("x", "Linearized 1|L 9|H [1 2]|O 3|E 4|N 1|T 5"));
    object("PDF-13", "a document as content", &|d| d.data("content", full().write()));
    object("FNT-02", "a font with a table that draws", &|d| {
        let tables: [(&[u8; 4], &[u8]); 4] =
            [(b"SVG ", &[0; 4]), (b"glyf", &[0; 12]), (b"head", &[1; 54]), (b"loca", &[0; 6])];
        let font = sfnt(&tables);
        d.set("sfnt", "Length1", &font.len().to_string());
        d.data("sfnt", font);
    });
    all.extend(frames());
    all
}

/// Of a file that we have cleaned: what stands before, behind and between its objects.
fn frames() -> Vec<Planted> {
    let twin = cleaned("a.pdf", &samples::pdf());
    let at = twin.windows(6).rposition(|w| w == b"\nxref\n").unwrap() + 1;
    let (body, tail) = twin.split_at(at);
    let mut update = twin.clone();
    update.extend(b"1 0 obj\n<</OpenAction <</JS <61>/S /JavaScript>>/Pages 2 0 R/Type /Catalog>>\nendobj\n");
    update.extend(
        format!(
            "xref\n1 1\n{:010} 00000 n \ntrailer\n<</Prev {at}/Root 1 0 R/Size 2>>\nstartxref\n{}\n%%EOF\n",
            twin.len(),
            update.len()
        )
        .bytes(),
    );
    let hybrid = String::from_utf8(tail.to_vec()).unwrap().replace(">>\nstartxref", "/XRefStm 9>>\nstartxref");
    let length = twin.windows(8).position(|w| w == b"/Length ").unwrap();
    let digit = length + 8;
    let mut lie = twin.clone();
    lie[digit] = if lie[digit] == b'9' { b'8' } else { lie[digit] + 1 };
    vec![
        planted("PDF-01", "junk before the header", Pdf, &twin, [b"MZ\n", &twin[..]].concat()),
        planted("PDF-02", "objects behind the end", Pdf, &twin, [&twin[..], b"9 0 obj\n<<>>\nendobj\n"].concat()),
        planted("PDF-03", "an update", Pdf, &twin, update),
        planted("PDF-04", "a hybrid reference", Pdf, &twin, [body, hybrid.as_bytes()].concat()),
        planted("PDF-09", "a length that lies", Pdf, &twin, lie),
    ]
}
