//! CMaps (ISO 32000-1, 9.7.5, 9.10.3): not PostScript any more, but lines of a fixed frame.

use super::value::Reader;
use crate::Rejection;

/// Rows of all sections.
const ROWS: u32 = 70_000;

/// Table 118, and the identities.
const PREDEFINED: &[&str] = &[
    "GB-EUC-H",
    "GB-EUC-V",
    "GBpc-EUC-H",
    "GBpc-EUC-V",
    "GBK-EUC-H",
    "GBK-EUC-V",
    "GBKp-EUC-H",
    "GBKp-EUC-V",
    "GBK2K-H",
    "GBK2K-V",
    "UniGB-UCS2-H",
    "UniGB-UCS2-V",
    "UniGB-UTF16-H",
    "UniGB-UTF16-V",
    "B5pc-H",
    "B5pc-V",
    "HKscs-B5-H",
    "HKscs-B5-V",
    "ETen-B5-H",
    "ETen-B5-V",
    "ETenms-B5-H",
    "ETenms-B5-V",
    "CNS-EUC-H",
    "CNS-EUC-V",
    "UniCNS-UCS2-H",
    "UniCNS-UCS2-V",
    "UniCNS-UTF16-H",
    "UniCNS-UTF16-V",
    "83pv-RKSJ-H",
    "90ms-RKSJ-H",
    "90ms-RKSJ-V",
    "90msp-RKSJ-H",
    "90msp-RKSJ-V",
    "90pv-RKSJ-H",
    "Add-RKSJ-H",
    "Add-RKSJ-V",
    "EUC-H",
    "EUC-V",
    "Ext-RKSJ-H",
    "Ext-RKSJ-V",
    "H",
    "V",
    "UniJIS-UCS2-H",
    "UniJIS-UCS2-V",
    "UniJIS-UCS2-HW-H",
    "UniJIS-UCS2-HW-V",
    "UniJIS-UTF16-H",
    "UniJIS-UTF16-V",
    "KSC-EUC-H",
    "KSC-EUC-V",
    "KSCms-UHC-H",
    "KSCms-UHC-V",
    "KSCms-UHC-HW-H",
    "KSCms-UHC-HW-V",
    "KSCpc-EUC-H",
    "UniKS-UCS2-H",
    "UniKS-UCS2-V",
    "UniKS-UTF16-H",
    "UniKS-UTF16-V",
    "Identity-H",
    "Identity-V",
];

pub(super) fn predefined(name: &[u8]) -> bool {
    PREDEFINED.iter().any(|p| p.as_bytes() == name)
}

/// What a row has behind its codes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    None,
    Utf16,
    Cid,
}

/// Name, codes in a row, and what follows them.
type Section = (&'static str, u8, Target);

const CODE_SPACE: Section = ("codespacerange", 2, Target::None);
const UNICODE: [Section; 2] = [("bfchar", 1, Target::Utf16), ("bfrange", 2, Target::Utf16)];
const CIDS: [Section; 3] = [("cidchar", 1, Target::Cid), ("cidrange", 2, Target::Cid), ("notdefrange", 2, Target::Cid)];

/// 9.10.3.
pub(super) fn to_unicode(text: &[u8]) -> Result<(), Rejection> {
    let mut reader = Reader::new(text, 0);
    head(&mut reader, b"2")?;
    sections(&mut reader, &UNICODE)
}

/// 9.7.5.4.
pub(super) fn encoding(text: &[u8], vertical: bool) -> Result<(), Rejection> {
    let mut reader = Reader::new(text, 0);
    head(&mut reader, b"1")?;
    if vertical {
        reader.expect(b"/WMode 1 def\n", "9.7.5.3: WMode as in the dictionary")?;
    }
    if reader.peek() == Some(b'/') {
        let name = reader.name()?;
        if !predefined(name) {
            return Err(reader.reject("9.7.5.2: usecmap of a predefined CMap (PDF-73)"));
        }
        reader.expect(b" usecmap\n", "dialect §4: usecmap")?;
    }
    sections(&mut reader, &CIDS)
}

fn head(reader: &mut Reader<'_>, kind: &[u8]) -> Result<(), Rejection> {
    let frame: &[u8] =
        b"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /CMap def\n/CMapType ";
    reader.expect(frame, "dialect §4: head of a CMap")?;
    reader.expect(kind, "dialect §4: CMapType")?;
    reader.expect(b" def\n", "dialect §4: head of a CMap")
}

fn sections(reader: &mut Reader<'_>, kinds: &[Section]) -> Result<(), Rejection> {
    let mut left = ROWS;
    let mut spaces = true;
    while reader.peek().is_some_and(|b| b.is_ascii_digit()) {
        let count = reader.number()?.int().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=100).contains(n));
        let count = count.ok_or_else(|| reader.reject("dialect §4: 1 to 100 rows"))?;
        left = left.checked_sub(count).ok_or_else(|| reader.reject("dialect §4: rows of a CMap (PDF-73)"))?;
        reader.expect(b" begin", "dialect §4: begin of a section")?;
        let word = reader.run(|b| b.is_ascii_lowercase());
        let section = if word == CODE_SPACE.0.as_bytes() && spaces {
            CODE_SPACE
        } else {
            spaces = false;
            let found = kinds.iter().find(|(name, ..)| name.as_bytes() == word);
            *found.ok_or_else(|| reader.reject("dialect §4: section of a CMap"))?
        };
        reader.expect(b"\n", "dialect §4: line")?;
        for _row in 0..count {
            row(reader, section)?;
        }
        reader.expect(b"end", "dialect §4: end of a section")?;
        reader.expect(word, "dialect §4: end of a section")?;
        reader.expect(b"\n", "dialect §4: line")?;
    }
    let tail: &[u8] = b"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n";
    reader.expect(tail, "dialect §4: tail of a CMap")?;
    if reader.rest().is_empty() { Ok(()) } else { Err(reader.reject("bytes behind the CMap")) }
}

fn row(reader: &mut Reader<'_>, (_, codes, target): Section) -> Result<(), Rejection> {
    let low = reader.string()?;
    let mut sound = (2..=8).contains(&low.len());
    if codes == 2 {
        reader.expect(b" ", "dialect §4: space in a row")?;
        let high = reader.string()?;
        // A code space is a box, byte by byte; a range of codes runs in order.
        sound &= high.len() == low.len() && (target == Target::None || low <= high);
    }
    if target != Target::None {
        reader.expect(b" ", "dialect §4: space in a row")?;
    }
    match target {
        Target::None => {}
        Target::Utf16 => sound &= matches!(reader.string()?.len(), 4..=1024),
        Target::Cid => sound &= reader.number()?.int().is_some_and(|cid| (0..=65_535).contains(&cid)),
    }
    if !sound {
        return Err(reader.reject("dialect §4: row of a CMap"));
    }
    reader.expect(b"\n", "dialect §4: line")
}
