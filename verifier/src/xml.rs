//! Tokenizer of the one way in which we write XML (XML 1.0 fifth edition, Namespaces 1.0).
//!
//! UTF-8; nothing but elements, attributes and text: no document type, no processing instruction, no comment, no CDATA
//! (OOX-33). Names are ASCII, attributes stand after single spaces in double quotes, four of the five named entities and
//! references to TAB, LF and CR are all there is. Namespaces are declared on the root, before its attributes, each with
//! the one prefix that the caller's closed list gives it, in the order of that list, and each is used.

use crate::Rejection;
use std::borrow::Cow;

/// A namespace of the caller's closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ns(pub u8);

impl Ns {
    /// Of attributes without a prefix.
    pub const NONE: Self = Self(0);
    /// Of the prefix `xml`.
    pub const XML: Self = Self(1);

    /// Namespaces are numbered below 64.
    const fn bit(self) -> u64 {
        1u64.unbounded_shl(self.0 as u32)
    }
}

/// What the reader met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A start tag, or an empty-element tag whose `End` follows; [`Reader::attributes`] holds its attributes.
    Start(Ns, &'a str),
    /// The end of the element that was opened last.
    End,
    /// Text as it stands in the file; [`unescape`] decodes it.
    Text(&'a str),
    /// The root element was closed and the file is at its end.
    Eof,
}

/// One attribute; namespace declarations are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    pub ns: Ns,
    pub local: &'a str,
    /// As it stands in the file; [`unescape`] decodes it.
    pub value: &'a str,
}

/// The one declaration that a file may begin with.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
/// Ours: real documents stay under 100; the recursion of consumers is what deep nesting attacks.
const DEEPEST: usize = 256;
/// Ours: the largest element of ECMA-376, pivotTableDefinition, has under 80.
const MOST_ATTRIBUTES: usize = 128;

/// The caller's closed list: the namespace that this prefix and URI name.
pub(crate) type Namespaces = fn(prefix: &str, uri: &str) -> Option<Ns>;

/// Reads one file, event by event.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    namespaces: Namespaces,
    /// Names of the open elements, with their prefixes.
    open: Vec<&'a str>,
    bound: Vec<(&'a str, Ns)>,
    /// A bit for each namespace that a name was of.
    used: u64,
    attributes: Vec<Attribute<'a>>,
    /// Prefix, local name and value of the attributes of the tag being read, before prefixes can be looked up.
    raw: Vec<(&'a str, &'a str, &'a str)>,
    /// An empty-element tag was read; its end is still to be told.
    ending: bool,
    ended: bool,
}

impl<'a> Reader<'a> {
    /// Checks encoding and characters of the whole file and reads the declaration.
    pub fn new(bytes: &'a [u8], namespaces: Namespaces) -> Result<Self, Rejection> {
        let text = std::str::from_utf8(bytes).map_err(|e| Rejection::new(e.valid_up_to(), "XML is UTF-8"))?;
        characters(text)?;
        let mut at = 0;
        if let Some(rest) = text.strip_prefix(DECLARATION) {
            at = text.len().saturating_sub(rest.strip_prefix('\n').unwrap_or(rest).len());
        }
        let reader = Self {
            text,
            at,
            namespaces,
            open: Vec::new(),
            bound: Vec::new(),
            used: 0,
            attributes: Vec::new(),
            raw: Vec::new(),
            ending: false,
            ended: false,
        };
        if reader.rest().first() == Some(&b'<') { Ok(reader) } else { Err(reader.reject("the root element first")) }
    }

    /// The attributes of the last start tag.
    pub fn attributes(&self) -> &[Attribute<'a>] {
        &self.attributes
    }

    /// A rejection here.
    pub fn reject(&self, rule: impl Into<String>) -> Rejection {
        Rejection::new(self.at, rule)
    }

    /// The next event.
    pub fn next(&mut self) -> Result<Event<'a>, Rejection> {
        if self.ending {
            self.ending = false;
            self.close();
            return Ok(Event::End);
        }
        match self.rest() {
            [] if self.ended => self.all_used(),
            _ if self.ended => Err(self.reject("nothing after the root element")),
            [b'<', b'/', ..] => self.end_tag(),
            [b'<', ..] => self.start_tag(),
            [] => Err(self.reject("an element is not closed")),
            _ => self.text_run(),
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn close(&mut self) {
        self.open.pop();
        self.ended = self.open.is_empty();
    }

    fn text_run(&mut self) -> Result<Event<'a>, Rejection> {
        let from = self.at;
        let rest = self.rest();
        let length = rest.iter().position(|&b| b == b'<').ok_or_else(|| self.reject("text ends with a tag"))?;
        self.at = from.saturating_add(length);
        let text = self.slice(from, self.at);
        references(text).map_err(|rule| Rejection::new(from, rule))?;
        if text.contains("]]>") {
            return Err(Rejection::new(from, "XML 2.4: no ]]> in text"));
        }
        Ok(Event::Text(text))
    }

    fn end_tag(&mut self) -> Result<Event<'a>, Rejection> {
        let name = self.open.last().copied().unwrap_or_default();
        let rest = self.rest().get(2..).unwrap_or_default();
        match rest.strip_prefix(name.as_bytes()) {
            Some([b'>', ..]) if !name.is_empty() => {
                self.at = self.at.saturating_add(name.len()).saturating_add(3);
                self.close();
                Ok(Event::End)
            }
            Some(_) | None => Err(self.reject("XML 3, WFC: an end tag closes the element that is open")),
        }
    }

    fn start_tag(&mut self) -> Result<Event<'a>, Rejection> {
        if self.open.len() >= DEEPEST {
            return Err(self.reject("elements nested too deep"));
        }
        self.at = self.at.saturating_add(1);
        let from = self.at;
        let (prefix, local) = self.name()?;
        let open = self.slice(from, self.at);
        self.raw.clear();
        while let [b' ', ..] = self.rest() {
            self.at = self.at.saturating_add(1);
            self.attribute()?;
        }
        match self.rest() {
            [b'>', ..] => self.at = self.at.saturating_add(1),
            [b'/', b'>', ..] => {
                self.at = self.at.saturating_add(2);
                self.ending = true;
            }
            _ => return Err(self.reject("a tag ends with > or />")),
        }
        self.open.push(open);
        self.resolve_attributes()?;
        Ok(Event::Start(self.resolve(prefix)?, local))
    }

    /// A name of ASCII letters, digits, `_`, `-` and `.`, with or without a prefix.
    fn name(&mut self) -> Result<(&'a str, &'a str), Rejection> {
        let from = self.at;
        let first = self.ncname()?;
        if self.rest().first() != Some(&b':') {
            return Ok(("", first));
        }
        self.at = self.at.saturating_add(1);
        let prefix = self.slice(from, self.at.saturating_sub(1));
        Ok((prefix, self.ncname()?))
    }

    fn ncname(&mut self) -> Result<&'a str, Rejection> {
        let from = self.at;
        let rest = self.rest();
        let inside = |&b: &u8| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        let length = rest.iter().position(inside).unwrap_or(rest.len());
        match rest.first() {
            Some(b) if b.is_ascii_alphabetic() || *b == b'_' => {
                self.at = from.saturating_add(length);
                Ok(self.slice(from, self.at))
            }
            Some(_) | None => Err(self.reject("a name of ASCII letters (no comment, CDATA, PI or DTD: OOX-33)")),
        }
    }

    /// Reads `name="value"`; a namespace declaration is bound, anything else noted.
    fn attribute(&mut self) -> Result<(), Rejection> {
        let (prefix, local) = self.name()?;
        let [b'=', b'"', rest @ ..] = self.rest() else {
            return Err(self.reject("an attribute is name=\"value\""));
        };
        let length = rest.iter().position(|&b| matches!(b, b'"' | b'<')).unwrap_or(rest.len());
        let from = self.at.saturating_add(2);
        self.at = from.saturating_add(length);
        if self.rest().first() != Some(&b'"') {
            return Err(self.reject("XML 2.3: a value ends with its quote and has no <"));
        }
        let value = self.slice(from, self.at);
        references(value).map_err(|rule| Rejection::new(from, rule))?;
        self.at = self.at.saturating_add(1);
        match (prefix, local) {
            ("", "xmlns") => self.bind("", value),
            ("xmlns", prefix) => self.bind(prefix, value),
            _ if self.raw.len() >= MOST_ATTRIBUTES => Err(self.reject("too many attributes")),
            _ => {
                self.raw.push((prefix, local, value));
                Ok(())
            }
        }
    }

    fn bind(&mut self, prefix: &'a str, uri: &str) -> Result<(), Rejection> {
        let known = (self.namespaces)(prefix, uri);
        let ns = known.ok_or_else(|| self.reject(format!("xmlns:{prefix}={uri:?} is not in the list (OOX-21)")))?;
        let in_order = self.bound.last().is_none_or(|(_, last)| *last < ns);
        if !self.open.is_empty() || !self.raw.is_empty() || !in_order || prefix.starts_with("xml") {
            return Err(self.reject("namespaces are declared once, on the root, before its attributes, in order"));
        }
        self.bound.push((prefix, ns));
        Ok(())
    }

    fn all_used(&self) -> Result<Event<'a>, Rejection> {
        match self.bound.iter().find(|(_, ns)| self.used & ns.bit() == 0) {
            Some((prefix, _)) => Err(self.reject(format!("the namespace of {prefix:?} is declared and not used"))),
            None => Ok(Event::Eof),
        }
    }

    fn resolve(&mut self, prefix: &str) -> Result<Ns, Rejection> {
        if prefix == "xml" {
            return Ok(Ns::XML);
        }
        // Two empty prefixes are not handed to memcmp: its vector form is slow on addresses that nothing is at.
        let same = |p: &str| p.len() == prefix.len() && (p.is_empty() || p == prefix);
        let bound = self.bound.iter().find(|(p, _)| same(p)).map(|(_, ns)| *ns);
        let ns = bound.ok_or_else(|| self.reject("Namespaces 5: a prefix is declared"))?;
        self.used |= ns.bit();
        Ok(ns)
    }

    fn resolve_attributes(&mut self) -> Result<(), Rejection> {
        self.attributes.clear();
        let raw = std::mem::take(&mut self.raw);
        for &(prefix, local, value) in &raw {
            let ns = if prefix.is_empty() { Ns::NONE } else { self.resolve(prefix)? };
            if self.attributes.iter().any(|a| a.local == local && a.ns == ns) {
                return Err(self.reject("Namespaces 6.3: attributes are unique"));
            }
            self.attributes.push(Attribute { ns, local, value });
        }
        self.raw = raw;
        Ok(())
    }
}

/// XML 2.2, and no CR: a line end is LF, a CR that is meant is a reference.
fn characters(text: &str) -> Result<(), Rejection> {
    let control = |&b: &u8| b < 0x20 && b != b'\t' && b != b'\n';
    let (blocks, tail) = text.as_bytes().as_chunks::<64>();
    // No short cut inside a block, so that it becomes a few vector instructions.
    let any = |block: &[u8]| block.iter().fold(false, |bad, b| bad | control(b));
    if blocks.iter().any(|block| any(block)) || any(tail) {
        let at = text.bytes().position(|b| control(&b)).unwrap_or(0);
        return Err(Rejection::new(at, "XML 2.2: no control character"));
    }
    match if text.is_ascii() { None } else { text.find(['\u{fffe}', '\u{ffff}', '\u{feff}']) } {
        Some(at) => Err(Rejection::new(at, "XML 2.2: no U+FFFE, U+FFFF, and no BOM")),
        None => Ok(()),
    }
}

/// Every `&` begins one of the references that we write.
fn references(text: &str) -> Result<(), &'static str> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('&') {
        let (_, length) = reference(after).ok_or("XML 4.1: only &lt; &gt; &amp; &quot; &#9; &#10; &#13;")?;
        rest = after.get(length..).unwrap_or_default();
    }
    Ok(())
}

/// The character that the reference after a `&` stands for, and its length with the semicolon.
fn reference(after: &str) -> Option<(char, usize)> {
    const KNOWN: [(&str, char); 7] =
        [("lt;", '<'), ("gt;", '>'), ("amp;", '&'), ("quot;", '"'), ("#9;", '\t'), ("#10;", '\n'), ("#13;", '\r')];
    KNOWN.iter().find(|(name, _)| after.starts_with(name)).map(|(name, c)| (*c, name.len()))
}

/// Decodes the references of a text or value that a [`Reader`] returned.
pub(crate) fn unescape(raw: &str) -> Cow<'_, str> {
    let Some((before, mut rest)) = raw.split_once('&') else {
        return Cow::Borrowed(raw);
    };
    let mut out = String::with_capacity(raw.len());
    out.push_str(before);
    loop {
        if let Some((c, length)) = reference(rest) {
            out.push(c);
            rest = rest.get(length..).unwrap_or_default();
        }
        match rest.split_once('&') {
            Some((before, after)) => {
                out.push_str(before);
                rest = after;
            }
            None => {
                out.push_str(rest);
                return Cow::Owned(out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespaces(prefix: &str, uri: &str) -> Option<Ns> {
        [("", "urn:a"), ("b", "urn:b")].iter().zip(2..).find(|(known, _)| **known == (prefix, uri)).map(|(_, n)| Ns(n))
    }

    fn read(xml: &str) -> Result<Vec<String>, Rejection> {
        let mut reader = Reader::new(xml.as_bytes(), namespaces)?;
        let mut seen = Vec::new();
        loop {
            match reader.next()? {
                Event::Start(ns, local) => {
                    let attributes =
                        reader.attributes().iter().map(|a| format!(" {}:{}={}", a.ns.0, a.local, unescape(a.value)));
                    seen.push(format!("<{}:{local}{}>", ns.0, attributes.collect::<String>()));
                }
                Event::End => seen.push("/".into()),
                Event::Text(text) => seen.push(unescape(text).into_owned()),
                Event::Eof => return Ok(seen),
            }
        }
    }

    #[test]
    fn elements_attributes_and_text_come_out_with_their_namespaces() {
        let xml = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<r xmlns="urn:a" xmlns:b="urn:b" x="1" b:x="&lt;&#10;"><b:i/>a&amp;b<i xml:space="preserve"></i></r>"#;
        assert_eq!(read(xml).unwrap().concat(), "<2:r 0:x=1 3:x=<\n><3:i>/a&b<2:i 1:space=preserve>//");
    }

    #[test]
    fn everything_that_is_not_how_we_write_xml_is_refused() {
        for bad in [
            "",
            " ",
            "text",
            "<r/>",
            "<r xmlns=\"urn:c\"/>",
            "<r xmlns=\"urn:a\">",
            "<r xmlns=\"urn:a\"/>x",
            "<r xmlns=\"urn:a\"/><r/>",
            "<!DOCTYPE r><r xmlns=\"urn:a\"/>",
            "<?xml version=\"1.0\"?><r xmlns=\"urn:a\"/>",
            "\u{feff}<r xmlns=\"urn:a\"/>",
            "<r xmlns=\"urn:a\"><!-- c --></r>",
            "<r xmlns=\"urn:a\"><?pi?></r>",
            "<r xmlns=\"urn:a\"><![CDATA[x]]></r>",
            "<r xmlns=\"urn:a\">&nbsp;</r>",
            "<r xmlns=\"urn:a\">&#65;</r>",
            "<r xmlns=\"urn:a\">&lt</r>",
            "<r xmlns=\"urn:a\">]]></r>",
            "<r xmlns=\"urn:a\">\u{1}</r>",
            "<r xmlns=\"urn:a\">\r</r>",
            "<r xmlns=\"urn:a\">\u{ffff}</r>",
            "<r xmlns=\"urn:a\" x='1'/>",
            "<r xmlns=\"urn:a\" x=\"1\" x=\"2\"/>",
            "<r xmlns=\"urn:a\" x=\"<\"/>",
            "<r xmlns=\"urn:a\"  x=\"1\"/>",
            "<r xmlns=\"urn:a\"x=\"1\"/>",
            "<r xmlns=\"urn:a\"><s></r></s>",
            "<b:r xmlns=\"urn:a\"/>",
            "<r xmlns=\"urn:a\" xmlns=\"urn:a\"/>",
            "<r xmlns=\"urn:a\" b:x=\"1\"/>",
            "<r xmlns=\"urn:a\" xmlns:p=\"urn:b\" xmlns:q=\"urn:b\" p:x=\"\" q:x=\"\"/>",
            "<r xmlns=\"urn:a\" xmlns:xmlx=\"urn:b\"/>",
            "</r>",
            "<r",
            "<r xmlns=\"urn:a\" xmlns:b=\"urn:b\"/>",
            "<a:r xmlns:a=\"urn:a\"/>",
            "<r xmlns=\"urn:a\"><b:s xmlns:b=\"urn:b\"/></r>",
            "<r x=\"\" xmlns=\"urn:a\"/>",
            "<b:r xmlns:b=\"urn:b\" xmlns=\"urn:a\"><s/></b:r>",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        let deep = format!("<r xmlns=\"urn:a\">{}", "<r>".repeat(100_000));
        assert!(read(&deep).is_err());
    }

    #[test]
    fn no_truncation_or_flip_makes_it_panic() {
        let xml = r#"<r xmlns="urn:a" xmlns:b="urn:b" x="&lt;"><b:i/>ü&amp;b<i xml:space="preserve"> </i></r>"#;
        for at in 0..xml.len() {
            for bit in 0..8 {
                let mut bytes = xml.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let mut reader = Reader::new(&bytes, namespaces);
                while let Ok(Ok(event)) = reader.as_mut().map(Reader::next) {
                    if event == Event::Eof {
                        break;
                    }
                }
            }
            let cut = &xml.as_bytes()[..at];
            assert!(
                Reader::new(cut, namespaces)
                    .and_then(|mut r| {
                        for _ in 0..100 {
                            if r.next()? == Event::Eof {
                                return Ok(());
                            }
                        }
                        Ok(())
                    })
                    .is_err()
            );
        }
    }
}
