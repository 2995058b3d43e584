//! The closed lists: for every namespace the elements that may occur, their attributes, and what these may hold.
//!
//! `names/*.txt` have one element a line, from the schemas of ECMA-376 (transitional) without what acts, links or hides:
//! `name attribute attribute…`. Attributes stand for those of the element's own namespace in WordprocessingML and Office
//! Math, for unqualified ones elsewhere; other prefixes are written out. `$` marks free text, `=` a formula, `%` a field
//! instruction; `r:` attributes are relationship ids; everything else is a token.

use crate::xml::Ns;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

/// What an attribute or the text of an element may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Nothing,
    Token,
    Text,
    Formula,
    Field,
    Relationship,
}

/// One element of the closed lists.
pub(super) struct Element {
    pub content: Holds,
    pub attributes: Vec<(Ns, &'static str, Holds)>,
}

/// Prefix, URI and list of each namespace, in the order in which a root declares them.
const SPACES: [(&str, &str, &str); 16] = [
    ("", "http://schemas.openxmlformats.org/spreadsheetml/2006/main", include_str!("names/s.txt")),
    ("w", "http://schemas.openxmlformats.org/wordprocessingml/2006/main", include_str!("names/w.txt")),
    ("p", "http://schemas.openxmlformats.org/presentationml/2006/main", include_str!("names/p.txt")),
    ("a", "http://schemas.openxmlformats.org/drawingml/2006/main", include_str!("names/a.txt")),
    ("r", "http://schemas.openxmlformats.org/officeDocument/2006/relationships", ""),
    ("m", "http://schemas.openxmlformats.org/officeDocument/2006/math", include_str!("names/m.txt")),
    ("wp", "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing", include_str!("names/wp.txt")),
    ("pic", "http://schemas.openxmlformats.org/drawingml/2006/picture", include_str!("names/pic.txt")),
    ("xdr", "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing", include_str!("names/xdr.txt")),
    ("c", "http://schemas.openxmlformats.org/drawingml/2006/chart", include_str!("names/c.txt")),
    ("cdr", "http://schemas.openxmlformats.org/drawingml/2006/chartDrawing", include_str!("names/cdr.txt")),
    ("dgm", "http://schemas.openxmlformats.org/drawingml/2006/diagram", include_str!("names/dgm.txt")),
    ("lc", "http://schemas.openxmlformats.org/drawingml/2006/lockedCanvas", include_str!("names/lc.txt")),
    ("wps", "http://schemas.microsoft.com/office/word/2010/wordprocessingShape", include_str!("names/wps.txt")),
    ("wpg", "http://schemas.microsoft.com/office/word/2010/wordprocessingGroup", include_str!("names/wpg.txt")),
    ("wpc", "http://schemas.microsoft.com/office/word/2010/wordprocessingCanvas", include_str!("names/wpc.txt")),
];

pub(super) const S: Ns = Ns(2);
pub(super) const W: Ns = Ns(3);
pub(super) const P: Ns = Ns(4);
pub(super) const A: Ns = Ns(5);
pub(super) const R: Ns = Ns(6);
pub(super) const M: Ns = Ns(7);
pub(super) const XDR: Ns = Ns(10);
pub(super) const C: Ns = Ns(11);
pub(super) const DGM: Ns = Ns(13);

/// The namespace that a root may declare with this prefix.
pub(super) fn namespace(prefix: &str, uri: &str) -> Option<Ns> {
    let at = SPACES.iter().position(|(p, u, _)| *p == prefix && *u == uri)?;
    number(at)
}

fn number(at: usize) -> Option<Ns> {
    u8::try_from(at).ok()?.checked_add(S.0).map(Ns)
}

/// What the lists say about an element; `None` where they do not have it.
pub(super) fn element(ns: Ns, local: &str) -> Option<&'static Element> {
    let space = LISTS.get(usize::from(ns.0.checked_sub(S.0)?))?;
    space.get(local)
}

type List = HashMap<&'static str, Element, BuildHasherDefault<Fnv>>;

static LISTS: LazyLock<Vec<List>> = LazyLock::new(|| {
    let numbered = SPACES.iter().enumerate().filter_map(|(at, (_, _, text))| Some((number(at)?, text)));
    numbered.map(|(ns, text)| text.lines().filter_map(|line| row(ns, line)).collect()).collect()
});

/// Builds the lists.
pub(super) fn prepare() {
    LazyLock::force(&LISTS);
}

fn row(ns: Ns, line: &'static str) -> Option<(&'static str, Element)> {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let (name, holds) = mark(words.next().filter(|word| !word.starts_with('#'))?);
    let content = if holds == Holds::Token { Holds::Nothing } else { holds };
    Some((name, Element { content, attributes: words.map(|word| attribute(ns, word)).collect() }))
}

fn attribute(ns: Ns, word: &'static str) -> (Ns, &'static str, Holds) {
    let (name, holds) = mark(word);
    let own = if ns == W || ns == M { ns } else { Ns::NONE };
    match name.split_once(':') {
        None => (own, name, holds),
        Some(("r", local)) => (R, local, Holds::Relationship),
        Some(("w", local)) => (W, local, holds),
        Some((_, local)) => (Ns::XML, local, holds),
    }
}

fn mark(word: &'static str) -> (&'static str, Holds) {
    match word.split_at_checked(word.len().saturating_sub(1)) {
        Some((name, "$")) => (name, Holds::Text),
        Some((name, "=")) => (name, Holds::Formula),
        Some((name, "%")) => (name, Holds::Field),
        Some(_) | None => (word, Holds::Token),
    }
}

/// FNV-1a: the keys are our own short names, so nobody can choose them to collide.
#[derive(Default)]
struct Fnv(u64);

impl Hasher for Fnv {
    /// The map looks at the top bits, which short keys alone would leave alike.
    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_read_as_they_are_meant() {
        let hyperlink = element(W, "hyperlink").unwrap();
        assert!(hyperlink.attributes.contains(&(R, "id", Holds::Relationship)));
        assert!(hyperlink.attributes.contains(&(W, "anchor", Holds::Text)));
        assert_eq!(element(S, "f").unwrap().content, Holds::Formula);
        assert_eq!(element(W, "p").unwrap().content, Holds::Nothing);
        assert_eq!(namespace("dgm", "http://schemas.openxmlformats.org/drawingml/2006/diagram"), Some(DGM));
        assert_eq!(namespace("x", "http://schemas.openxmlformats.org/drawingml/2006/diagram"), None);
    }

    #[test]
    fn what_acts_or_fetches_is_on_no_list() {
        let w = [
            "altChunk",
            "subDoc",
            "control",
            "object",
            "pict",
            "attachedTemplate",
            "mailMerge",
            "frame",
            "frameset",
            "dataBinding",
            "docVars",
            "embedRegular",
            "saveThroughXslt",
            "entryMacro",
            "exitMacro",
            "rsid",
            "smartTag",
            "customXml",
            "contentPart",
            "movie",
            "fldData",
        ];
        let s = [
            "oleObject",
            "control",
            "externalReference",
            "connection",
            "ddeLink",
            "webPublishItem",
            "customPr",
            "extLst",
            "smartTag",
            "queryTable",
            "metadata",
        ];
        let p = [
            "oleObj",
            "control",
            "cmd",
            "audio",
            "video",
            "tags",
            "custData",
            "snd",
            "embeddedFont",
            "extLst",
            "htmlPubPr",
            "contentPart",
        ];
        let a = ["audioFile", "videoFile", "wavAudioFile", "quickTimeFile", "audioCd", "snd", "extLst"];
        for (ns, names) in [(W, &w[..]), (S, &s), (P, &p), (A, &a), (C, &["externalData", "extLst"])] {
            for name in names {
                assert!(element(ns, name).is_none(), "{name}");
            }
        }
        let forbidden = [
            "macro",
            "link",
            "vbProcedure",
            "xlm",
            "function",
            "hashValue",
            "password",
            "rsidR",
            "invalidUrl",
            "refreshOnLoad",
            "codeName",
        ];
        for (ns, name) in LISTS.iter().flat_map(|list| list.values()).flat_map(|e| &e.attributes).map(|a| (a.0, a.1)) {
            assert!(!forbidden.contains(&name), "{ns:?} {name}");
        }
    }
}
