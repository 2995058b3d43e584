//! The names that the output can have: namespaces, elements and attributes of ECMA-376, out of the tables in `names/`.
//!
//! A line of a table is `ATTRIBUTES : ELEMENTS`; lines add up. Marks behind a name say what it holds: nothing (a
//! token; for an element no text), `$` text, `>` a relationship id, `=` a formula, `%` a field instruction, `&` a
//! namespace that we know. `! ID : ELEMENTS` are dropped whole and reported as that row of the catalogue, `-` dropped
//! in silence, `~ ID` dropped while their content stays.

use super::hooks::{Hook, hook};
use crate::switches::{Filter, off};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A namespace of the output, in the order in which a root declares them. `V` is only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ns {
    X,
    W,
    P,
    A,
    R,
    M,
    Wp,
    Pic,
    Xdr,
    C,
    Cdr,
    Dgm,
    Lc,
    Wps,
    Wpg,
    Wpc,
    V,
    /// Markup compatibility: resolved while reading.
    Mc,
    /// `xml:space`.
    Xml,
    /// Attributes without a prefix.
    None,
}

/// Prefix and URI, in the order of the enumeration; the last row is the first that no output has.
const URIS: [(Ns, &str, &str); 18] = [
    (Ns::X, "", "http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
    (Ns::W, "w", "http://schemas.openxmlformats.org/wordprocessingml/2006/main"),
    (Ns::P, "p", "http://schemas.openxmlformats.org/presentationml/2006/main"),
    (Ns::A, "a", "http://schemas.openxmlformats.org/drawingml/2006/main"),
    (Ns::R, "r", "http://schemas.openxmlformats.org/officeDocument/2006/relationships"),
    (Ns::M, "m", "http://schemas.openxmlformats.org/officeDocument/2006/math"),
    (Ns::Wp, "wp", "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"),
    (Ns::Pic, "pic", "http://schemas.openxmlformats.org/drawingml/2006/picture"),
    (Ns::Xdr, "xdr", "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"),
    (Ns::C, "c", "http://schemas.openxmlformats.org/drawingml/2006/chart"),
    (Ns::Cdr, "cdr", "http://schemas.openxmlformats.org/drawingml/2006/chartDrawing"),
    (Ns::Dgm, "dgm", "http://schemas.openxmlformats.org/drawingml/2006/diagram"),
    (Ns::Lc, "lc", "http://schemas.openxmlformats.org/drawingml/2006/lockedCanvas"),
    (Ns::Wps, "wps", "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"),
    (Ns::Wpg, "wpg", "http://schemas.microsoft.com/office/word/2010/wordprocessingGroup"),
    (Ns::Wpc, "wpc", "http://schemas.microsoft.com/office/word/2010/wordprocessingCanvas"),
    (Ns::V, "v", "urn:schemas-microsoft-com:vml"),
    (Ns::Mc, "mc", "http://schemas.openxmlformats.org/markup-compatibility/2006"),
];

/// URIs that an attribute may hold: what a graphic is, whose compatibility setting it is.
const KNOWN_URIS: [&str; 6] = [
    "http://schemas.openxmlformats.org/drawingml/2006/table",
    "http://schemas.openxmlformats.org/presentationml/2006/ole",
    "http://schemas.microsoft.com/office/word",
    "http://schemas.openxmlformats.org/drawingml/2006/compatibility",
    "http://schemas.openxmlformats.org/drawingml/2006/picture",
    "http://schemas.openxmlformats.org/drawingml/2006/ole",
];

const STRICT: &str = "http://purl.oclc.org/ooxml/";
const TRANSITIONAL: &str = "http://schemas.openxmlformats.org/";

impl Ns {
    /// The namespace with this URI, transitional or strict.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        let uri = uri.trim();
        let same = |known: &str| match uri.strip_prefix(STRICT) {
            Some(strict) => known.strip_prefix(TRANSITIONAL).is_some_and(|k| k.replacen("/2006", "", 1) == strict),
            None => known == uri,
        };
        URIS.iter().find(|row| same(row.2)).map(|row| row.0)
    }

    /// Prefix and URI of a namespace that a root may declare.
    #[must_use]
    pub fn declaration(self) -> Option<(&'static str, &'static str)> {
        URIS.iter().find(|row| row.0 == self && self < Self::V).map(|row| (row.1, row.2))
    }

    /// Every namespace that a root may declare, in order.
    pub fn declared() -> impl Iterator<Item = Self> {
        URIS.iter().map(|row| row.0).filter(|ns| *ns < Self::V)
    }
}

/// The URI as we write it, `None` where we don't know it.
#[must_use]
pub fn known_uri(uri: &str) -> Option<&'static str> {
    if let Some(ns) = Ns::from_uri(uri) {
        return ns.declaration().map(|d| d.1);
    }
    let same = |known: &str| match uri.strip_prefix(STRICT) {
        Some(strict) => known.strip_prefix(TRANSITIONAL).is_some_and(|k| k.replacen("/2006", "", 1) == strict),
        None => known == uri,
    };
    KNOWN_URIS.iter().copied().find(|known| same(known))
}

/// What an attribute or element holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Token,
    Uri,
    Text,
    Relationship,
    Formula,
    Instruction,
}

impl Kind {
    fn split(name: &'static str) -> (&'static str, Option<Self>) {
        for (mark, kind) in [
            ('$', Self::Text),
            ('>', Self::Relationship),
            ('=', Self::Formula),
            ('%', Self::Instruction),
            ('&', Self::Uri),
        ] {
            if let Some(bare) = name.strip_suffix(mark) {
                return (bare, Some(kind));
            }
        }
        (name, None)
    }
}

/// What becomes of an element that the tables know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is written.
    Kept,
    /// It goes with everything in it; reported under the id, if there is one.
    Dropped(Option<&'static str>),
    /// It goes and its content stays.
    Unwrapped(&'static str),
}

/// An element of the tables.
#[derive(Debug)]
pub struct Element {
    /// Its namespace.
    pub ns: Ns,
    /// Its local name.
    pub name: &'static str,
    /// Its name as written, with our prefix.
    pub qname: String,
    /// What text it holds, if any.
    pub text: Option<Kind>,
    /// What becomes of it.
    pub fate: Fate,
    /// What the transformation does beyond writing it.
    pub hook: Hook,
    attributes: Vec<(At, Kind)>,
}

impl Element {
    /// What the attribute holds here; `None` where the element may not have it.
    #[must_use]
    pub fn attribute(&self, at: At) -> Option<Kind> {
        let found = self.attributes.binary_search_by_key(&at, |a| a.0).ok();
        let found = found.and_then(|found| self.attributes.get(found)).map(|a| a.1);
        found.or_else(|| off(Filter::OoxAttributes).then_some(Kind::Text))
    }
}

/// An element's place in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct El(u16);

/// An attribute name's place in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At(u16);

/// All names.
pub struct Names {
    elements: Vec<Element>,
    by_name: HashMap<(Ns, &'static str), El>,
    attributes: Vec<(Ns, &'static str, String)>,
    attribute_by_name: HashMap<(Ns, &'static str), At>,
}

/// The tables, parsed once a process.
pub static NAMES: LazyLock<Names> = LazyLock::new(Names::new);

const TABLES: [(Ns, &str); 16] = [
    (Ns::X, include_str!("names/x.txt")),
    (Ns::W, include_str!("names/w.txt")),
    (Ns::P, include_str!("names/p.txt")),
    (Ns::A, include_str!("names/a.txt")),
    (Ns::M, include_str!("names/m.txt")),
    (Ns::Wp, include_str!("names/wp.txt")),
    (Ns::Pic, include_str!("names/pic.txt")),
    (Ns::Xdr, include_str!("names/xdr.txt")),
    (Ns::C, include_str!("names/c.txt")),
    (Ns::Cdr, include_str!("names/cdr.txt")),
    (Ns::Dgm, include_str!("names/dgm.txt")),
    (Ns::Lc, include_str!("names/lc.txt")),
    (Ns::Wps, include_str!("names/wps.txt")),
    (Ns::Wpg, include_str!("names/wpg.txt")),
    (Ns::Wpc, include_str!("names/wpc.txt")),
    (Ns::V, include_str!("names/v.txt")),
];

impl Names {
    fn new() -> Self {
        let mut names = Self {
            elements: Vec::new(),
            by_name: HashMap::new(),
            attributes: Vec::new(),
            attribute_by_name: HashMap::new(),
        };
        for (ns, table) in TABLES {
            for line in table.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
                names.line(ns, line);
            }
        }
        names
    }

    fn line(&mut self, ns: Ns, line: &'static str) {
        let (left, right) = line.split_once(": ").unwrap_or((line, ""));
        let mut words = left.split_whitespace().peekable();
        let fate = match words.peek().copied() {
            Some("!") => Fate::Dropped(words.nth(1)),
            Some("-") => Fate::Dropped(None),
            Some("~") => Fate::Unwrapped(words.nth(1).unwrap_or_default()),
            Some(_) | None => Fate::Kept,
        };
        let attributes: Vec<(At, Kind)> =
            if fate == Fate::Kept { words.map(|word| self.attribute(ns, word)).collect() } else { Vec::new() };
        for word in right.split_whitespace() {
            let (name, text) = Kind::split(word);
            let el = self.element(ns, name);
            let Some(element) = self.elements.get_mut(usize::from(el.0)) else {
                continue;
            };
            element.fate = fate;
            element.text = element.text.or(text);
            for (at, kind) in &attributes {
                match element.attributes.binary_search_by_key(at, |a| a.0) {
                    Ok(known) => {
                        if let Some(slot) = element.attributes.get_mut(known) {
                            slot.1 = slot.1.max(*kind);
                        }
                    }
                    Err(place) => element.attributes.insert(place, (*at, *kind)),
                }
            }
        }
    }

    fn element(&mut self, ns: Ns, name: &'static str) -> El {
        if let Some(known) = self.by_name.get(&(ns, name)) {
            return *known;
        }
        let el = El(u16::try_from(self.elements.len()).unwrap_or(u16::MAX));
        let prefix = ns.declaration().map_or("", |d| d.0);
        let qname = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}:{name}") };
        let (text, fate, attributes) = (None, Fate::Kept, Vec::new());
        self.elements.push(Element { ns, name, qname, text, fate, hook: hook(ns, name), attributes });
        self.by_name.insert((ns, name), el);
        el
    }

    fn attribute(&mut self, ns: Ns, word: &'static str) -> (At, Kind) {
        let (name, kind) = Kind::split(word);
        let (ns, name) = match name.split_once(':') {
            Some(("r", local)) => (Ns::R, local),
            Some((_, local)) => (Ns::Xml, local),
            None if matches!(ns, Ns::W | Ns::M) => (ns, name),
            None => (Ns::None, name),
        };
        let at = *self.attribute_by_name.entry((ns, name)).or_insert_with(|| {
            let at = At(u16::try_from(self.attributes.len()).unwrap_or(u16::MAX));
            let prefix = if ns == Ns::Xml { Some("xml") } else { ns.declaration().map(|d| d.0) };
            let qname = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}:{name}"));
            self.attributes.push((ns, name, qname));
            at
        });
        (at, kind.unwrap_or(Kind::Token))
    }

    /// The element with this name.
    #[must_use]
    pub fn find(&self, ns: Ns, name: &str) -> Option<El> {
        self.by_name.get(&(ns, name)).copied()
    }

    /// The attribute name; `Ns::None` for one without a prefix.
    #[must_use]
    pub fn find_attribute(&self, ns: Ns, name: &str) -> Option<At> {
        self.attribute_by_name.get(&(ns, name)).copied()
    }

    /// The row of an element.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "an El is only made by `element`, together with its row")]
    pub fn row(&self, el: El) -> &Element {
        &self.elements[usize::from(el.0)]
    }

    /// Namespace, local name and written name of an attribute.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "an At is only made by `attribute`, together with its row")]
    pub fn attribute_row(&self, at: At) -> &(Ns, &'static str, String) {
        &self.attributes[usize::from(at.0)]
    }
}

/// Prefix, namespace and name of each element that the tables drop, and whether its content stays.
#[cfg(test)]
pub(crate) fn dropped_elements() -> Vec<(&'static str, &'static str, &'static str, bool)> {
    let gone = NAMES.elements.iter().filter(|el| el.fate != Fate::Kept);
    gone.filter_map(|el| {
        let (prefix, uri) = el.ns.declaration()?;
        Some((prefix, uri, el.name, matches!(el.fate, Fate::Unwrapped(_))))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_say_what_they_look_like() {
        let row = |ns, name| NAMES.row(NAMES.find(ns, name).unwrap());
        assert_eq!(row(Ns::W, "t").text, Some(Kind::Text));
        assert_eq!(row(Ns::W, "altChunk").fate, Fate::Dropped(Some("OOX-20")));
        assert_eq!(row(Ns::W, "smartTag").fate, Fate::Unwrapped("OOX-41"));
        assert_eq!(row(Ns::X, "row").qname, "row");
        let embed = NAMES.find_attribute(Ns::R, "embed").unwrap();
        assert_eq!(row(Ns::A, "blip").attribute(embed), Some(Kind::Relationship));
        assert_eq!(row(Ns::A, "t").attribute(embed), None);
    }

    #[test]
    fn strict_names_are_the_transitional_ones() {
        assert_eq!(Ns::from_uri("http://purl.oclc.org/ooxml/wordprocessingml/main"), Some(Ns::W));
        assert_eq!(Ns::from_uri("http://purl.oclc.org/ooxml/officeDocument/relationships"), Some(Ns::R));
        assert_eq!(known_uri("http://purl.oclc.org/ooxml/drawingml/chart"), Ns::C.declaration().map(|d| d.1));
        assert_eq!(known_uri("http://example.invalid/"), None);
    }
}
