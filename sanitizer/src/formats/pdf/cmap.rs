//! CMaps (ISO 32000-1 clause 9.7.5 and 9.10.3, Adobe technical note 5014): ranges are read and written anew.

use super::lex::{Lexer, Token};
use super::write::hex;
use crate::switches::{Filter, off};
use std::io::Write;

/// Ours: every code of two bytes, and some.
const MAX_ROWS: usize = 70_000;
/// A section has at most this many rows (note 5014).
const SECTION: usize = 100;

/// The CMaps of table 118.
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

/// A predefined CMap by its name.
pub fn predefined(name: &[u8]) -> Option<&'static str> {
    PREDEFINED.iter().copied().find(|p| p.as_bytes() == name)
}

/// What a CMap is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Codes to characters.
    ToUnicode,
    /// Codes to CIDs.
    Encoding,
}

/// A code: one to four bytes.
type Code = Vec<u8>;

/// A CMap of ours.
#[derive(Debug)]
pub struct CMap {
    kind: Use,
    pub vertical: bool,
    pub uses: Option<&'static str>,
    spaces: Vec<(Code, Code)>,
    chars: Vec<(Code, Vec<u8>)>,
    ranges: Vec<(Code, Code, Vec<u8>)>,
    cid_chars: Vec<(Code, u32)>,
    cid_ranges: Vec<(Code, Code, u32)>,
    notdef_ranges: Vec<(Code, Code, u32)>,
}

/// Reads a CMap; `None` where there is not even a row.
pub fn parse(data: &[u8], kind: Use) -> Option<CMap> {
    let mut map = CMap {
        kind,
        vertical: false,
        uses: None,
        spaces: Vec::new(),
        chars: Vec::new(),
        ranges: Vec::new(),
        cid_chars: Vec::new(),
        cid_ranges: Vec::new(),
        notdef_ranges: Vec::new(),
    };
    let mut lexer = Lexer::new(data);
    let mut last: Option<Token<'_>> = None;
    let mut before: Option<Token<'_>> = None;
    while let Some(token) = lexer.next() {
        match &token {
            Token::Word(b"begincodespacerange") => map.spaces(&mut lexer),
            Token::Word(b"beginbfchar") if kind == Use::ToUnicode => map.bf_chars(&mut lexer),
            Token::Word(b"beginbfrange") if kind == Use::ToUnicode => map.bf_ranges(&mut lexer),
            Token::Word(b"begincidchar") if kind == Use::Encoding => map.cid_chars(&mut lexer),
            Token::Word(b"begincidrange") if kind == Use::Encoding => {
                let rows = cid_ranges(&mut lexer);
                map.cid_ranges.extend(rows);
            }
            Token::Word(b"beginnotdefrange") if kind == Use::Encoding => {
                let rows = cid_ranges(&mut lexer);
                map.notdef_ranges.extend(rows);
            }
            Token::Word(b"usecmap") if kind == Use::Encoding => {
                if let Some(Token::Name(name)) = &last {
                    map.uses = predefined(name);
                }
            }
            Token::Word(b"def") if kind == Use::Encoding => {
                if let (Some(Token::Name(key)), Some(Token::Num(n))) = (&before, &last) {
                    map.vertical |= key == b"WMode" && *n == 1.0;
                }
            }
            _ => {}
        }
        before = last.replace(token);
        if map.rows() > MAX_ROWS {
            return None;
        }
    }
    (map.rows() > 0 || map.uses.is_some()).then_some(map)
}

fn code(bytes: Vec<u8>) -> Option<Code> {
    ((1..=4).contains(&bytes.len()) || off(Filter::PdfCMapCodes)).then_some(bytes)
}

fn target(bytes: Vec<u8>) -> Option<Vec<u8>> {
    // One byte is what some producers write for Latin; readers take it for U+00xx.
    match bytes.as_slice() {
        [] => None,
        [one] => Some(vec![0, *one]),
        more if more.len() > 512 && !off(Filter::PdfCMapTargets) => None,
        _ => Some(bytes),
    }
}

impl CMap {
    fn rows(&self) -> usize {
        [self.chars.len(), self.ranges.len(), self.cid_chars.len(), self.cid_ranges.len(), self.notdef_ranges.len()]
            .iter()
            .fold(0usize, |sum, n| sum.saturating_add(*n))
    }

    fn spaces(&mut self, lexer: &mut Lexer<'_>) {
        while more(lexer) {
            let (low, high) = (lexer.next(), lexer.next());
            let (Some(Token::Str(low)), Some(Token::Str(high))) = (low, high) else {
                continue;
            };
            if let (Some(low), Some(high)) = (code(low), code(high))
                && low.len() == high.len()
                && self.spaces.len() < SECTION
            {
                self.spaces.push((low, high));
            }
        }
    }

    fn bf_chars(&mut self, lexer: &mut Lexer<'_>) {
        while more(lexer) {
            let (from, to) = (lexer.next(), lexer.next());
            let (Some(Token::Str(from)), Some(Token::Str(to))) = (from, to) else {
                continue;
            };
            if let (Some(from), Some(to)) = (code(from), target(to)) {
                self.chars.push((from, to));
            }
        }
    }

    fn bf_ranges(&mut self, lexer: &mut Lexer<'_>) {
        while more(lexer) {
            let (low, high) = (lexer.next(), lexer.next());
            let to = lexer.next();
            let (Some(Token::Str(low)), Some(Token::Str(high))) = (low, high) else {
                continue;
            };
            let (Some(low), Some(high)) = (code(low), code(high)) else {
                continue;
            };
            match to {
                Some(Token::Str(to)) if low.len() == high.len() && low <= high || off(Filter::PdfCMapRanges) => {
                    self.ranges.extend(target(to).map(|to| (low, high, to)));
                }
                Some(Token::Open) => self.bf_list(low, lexer),
                _ => {}
            }
        }
    }

    /// `<lo> <hi> [a b c]`: a character each.
    fn bf_list(&mut self, low: Code, lexer: &mut Lexer<'_>) {
        let mut at = low;
        while let Some(Token::Str(to)) = lexer.next() {
            if let Some(to) = target(to)
                && self.chars.len() < MAX_ROWS
            {
                self.chars.push((at.clone(), to));
            }
            let Some(next) = successor(&at) else { return };
            at = next;
        }
    }

    fn cid_chars(&mut self, lexer: &mut Lexer<'_>) {
        while more(lexer) {
            let (from, to) = (lexer.next(), lexer.next());
            let (Some(Token::Str(from)), Some(Token::Num(to))) = (from, to) else {
                continue;
            };
            if let (Some(from), Some(to)) = (code(from), cid(to)) {
                self.cid_chars.push((from, to));
            }
        }
    }

    /// The CMap in our one form (`docs/formats/pdf.md` §4).
    pub fn write(&self) -> Vec<u8> {
        let mut out = b"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /CMap def\n".to_vec();
        let kind = if self.kind == Use::ToUnicode { 2 } else { 1 };
        // Writing into memory cannot fail.
        let _ = writeln!(out, "/CMapType {kind} def");
        if self.vertical {
            out.extend_from_slice(b"/WMode 1 def\n");
        }
        if let Some(name) = self.uses {
            let _ = writeln!(out, "/{name} usecmap");
        }
        sections(&mut out, "codespacerange", &self.spaces, |out, (low, high)| row(out, &[low, high], None));
        sections(&mut out, "bfchar", &self.chars, |out, (from, to)| row(out, &[from, to], None));
        sections(&mut out, "bfrange", &self.ranges, |out, (low, high, to)| row(out, &[low, high, to], None));
        sections(&mut out, "cidchar", &self.cid_chars, |out, (from, cid)| row(out, &[from], Some(*cid)));
        let range = |out: &mut Vec<u8>, (low, high, cid): &(Code, Code, u32)| row(out, &[low, high], Some(*cid));
        sections(&mut out, "cidrange", &self.cid_ranges, range);
        sections(&mut out, "notdefrange", &self.notdef_ranges, range);
        out.extend_from_slice(b"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
        out
    }
}

fn cid(n: f64) -> Option<u32> {
    u32::try_from(super::value::Val::whole(n)).ok().filter(|n| *n <= 65_535 || off(Filter::PdfCMapCids))
}

fn cid_ranges(lexer: &mut Lexer<'_>) -> Vec<(Code, Code, u32)> {
    let mut out = Vec::new();
    while more(lexer) {
        let (low, high) = (lexer.next(), lexer.next());
        let to = lexer.next();
        let (Some(Token::Str(low)), Some(Token::Str(high)), Some(Token::Num(to))) = (low, high, to) else {
            continue;
        };
        if let (Some(low), Some(high), Some(to)) = (code(low), code(high), cid(to))
            && low.len() == high.len()
            && low <= high
        {
            out.push((low, high, to));
        }
    }
    out
}

/// Whether another row comes; steps over the `end…` word where not.
fn more(lexer: &mut Lexer<'_>) -> bool {
    let mut ahead = lexer.clone();
    match ahead.next() {
        Some(Token::Word(w)) if w.starts_with(b"end") => {
            *lexer = ahead;
            false
        }
        Some(_) => true,
        None => false,
    }
}

fn successor(code: &[u8]) -> Option<Code> {
    let mut next = code.to_vec();
    for b in next.iter_mut().rev() {
        let (sum, carry) = b.overflowing_add(1);
        *b = sum;
        if !carry {
            return Some(next);
        }
    }
    None
}

fn row(out: &mut Vec<u8>, strings: &[&Vec<u8>], cid: Option<u32>) {
    for (i, s) in strings.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        out.push(b'<');
        hex(out, s);
        out.push(b'>');
    }
    if let Some(cid) = cid {
        let _ = write!(out, " {cid}");
    }
    out.push(b'\n');
}

fn sections<T>(out: &mut Vec<u8>, name: &str, rows: &[T], one: impl Fn(&mut Vec<u8>, &T)) {
    for section in rows.chunks(SECTION) {
        let _ = writeln!(out, "{} begin{name}", section.len());
        section.iter().for_each(|row| one(out, row));
        let _ = writeln!(out, "end{name}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cmap_written_by_us_reads_back_as_itself() {
        let source = b"/X /Y usecmap 1 begincodespacerange <00> <ff> endcodespacerange
            2 beginbfchar <01> <0041> <02> <42> endbfchar 1 beginbfrange <03> <05> [<0043> <0044> <0045>] endbfrange
            1 beginbfrange <10><20><0061> endbfrange (x) run";
        let map = parse(source, Use::ToUnicode).unwrap();
        let text = String::from_utf8(map.write()).unwrap();
        assert!(
            text.contains("5 beginbfchar\n<01> <0041>\n<02> <0042>\n<03> <0043>\n<04> <0044>\n<05> <0045>\n"),
            "{text}"
        );
        assert!(!text.contains("run"));
        assert_eq!(parse(text.as_bytes(), Use::ToUnicode).unwrap().write(), text.as_bytes());
    }

    #[test]
    fn an_encoding_keeps_its_direction_and_its_base() {
        let map = parse(b"/GB-EUC-H usecmap /WMode 1 def 1 begincidrange <8140> <8160> 7 endcidrange", Use::Encoding);
        let text = String::from_utf8(map.unwrap().write()).unwrap();
        assert!(text.contains("/CMapType 1 def\n/WMode 1 def\n/GB-EUC-H usecmap\n1 begincidrange\n<8140> <8160> 7\n"));
    }
}
