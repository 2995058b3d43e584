//! Reads one XML part (XML 1.0, Namespaces 1.0) into a flat list of our own names and decoded text.
//!
//! Only elements and attributes of the tables come out. `mc:AlternateContent` (ECMA-376 Part 3) is resolved on the
//! way: the first branch that asks for nothing but namespaces of ours, else the fallback. Comments, processing
//! instructions and a DTD's declarations are dropped; a reference to an entity that only a DTD could define is an
//! error. What is dropped is counted by catalogue row.

use super::names::{At, El, Fate, Kind, NAMES, Ns};
use super::values;
use crate::switches::{Filter, off};
use model::{Budget, LimitKind, Refusal};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Ours: Word nests tables and text boxes about thirty deep at worst; a stack of this many is small.
const MAX_DEPTH: usize = 200;

/// A span of [`Frag`]'s text.
pub type Span = (u32, u32);

/// One item of a fragment.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// An element: which, where its attributes are, the place behind its end, and its number in the part.
    Start {
        /// Which element.
        el: El,
        /// Range in the attribute list.
        attributes: Span,
        /// Index of the item behind its end.
        after: usize,
        /// Number of the element in its part, counted from 0.
        serial: u32,
    },
    /// Decoded text.
    Text(Span),
    /// End of the innermost open element.
    End,
}

/// A run of items with their attributes and text: reused from fragment to fragment.
#[derive(Debug, Default)]
pub struct Frag {
    items: Vec<Item>,
    attributes: Vec<(At, Span)>,
    text: String,
}

impl Frag {
    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.items.clear();
        self.attributes.clear();
        self.text.clear();
    }

    /// The item at `at`.
    #[must_use]
    pub fn item(&self, at: usize) -> Option<Item> {
        self.items.get(at).copied()
    }

    /// The text of a span.
    #[must_use]
    pub fn str(&self, span: Span) -> &str {
        self.text.get(span.0 as usize..span.1 as usize).unwrap_or_default()
    }

    /// Attributes of an element.
    pub fn attributes(&self, range: Span) -> impl Iterator<Item = (At, &str)> {
        let slice = self.attributes.get(range.0 as usize..range.1 as usize).unwrap_or_default();
        slice.iter().map(|(at, span)| (*at, self.str(*span)))
    }

    /// The attribute with this name.
    #[must_use]
    pub fn attribute(&self, range: Span, ns: Ns, name: &str) -> Option<&str> {
        self.attributes(range).find_map(|(at, value)| {
            let row = NAMES.attribute_row(at);
            (row.0 == ns && row.1 == name).then_some(value)
        })
    }

    /// Indices of the elements in `from..to` with this name, at any depth.
    pub fn find_all(&self, from: usize, to: usize, ns: Ns, name: &'static str) -> impl Iterator<Item = usize> {
        let wanted = NAMES.find(ns, name);
        (from..to).filter(move |at| matches!(self.item(*at), Some(Item::Start { el, .. }) if Some(el) == wanted))
    }
}

/// What [`PartReader::next`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An element was opened; its item is the last but its attributes are there.
    Opened(El),
    /// The innermost element was closed.
    Closed,
    /// Text was added.
    Text,
    /// The part is over.
    Over,
}

enum Open {
    Kept {
        item: Option<usize>,
        el: El,
    },
    /// Unknown, unwrapped, or a branch that was taken.
    Through,
    Alternate {
        taken: bool,
    },
}

/// What was dropped on the way: counts by catalogue row.
pub type Dropped = BTreeMap<&'static str, u64>;

/// Remembers what a name with its prefix meant, until a prefix changes its meaning: most names come again and again.
struct Memo<T>([Option<(String, T)>; 64]);

impl<T: Copy> Memo<T> {
    const fn new() -> Self {
        Self([const { None }; 64])
    }

    /// Names of one length rarely share their last two letters.
    fn slot(name: &str) -> usize {
        let mut last = name.bytes().rev();
        let mut mix = || usize::from(last.next().unwrap_or(0));
        (mix() ^ mix().wrapping_mul(5) ^ name.len().wrapping_mul(11)) & 63
    }

    fn find(&self, name: &str) -> Option<T> {
        let (known, meaning) = self.0.get(Self::slot(name))?.as_ref()?;
        (known == name).then_some(*meaning)
    }

    fn keep(&mut self, name: &str, meaning: T) {
        if let Some(slot) = self.0.get_mut(Self::slot(name)) {
            *slot = Some((name.to_owned(), meaning));
        }
    }

    fn forget(&mut self) {
        self.0.fill_with(|| None);
    }
}

/// Reads a part.
pub struct PartReader<'a> {
    elements: Memo<El>,
    attributes: Memo<(Ns, Option<At>)>,
    inner: Reader<&'a [u8]>,
    bindings: Vec<(usize, String, Option<Ns>)>,
    open: Vec<Open>,
    empty: bool,
    serial: u32,
    seen_root: bool,
    /// What was dropped so far.
    pub dropped: Dropped,
}

fn broken(at: u64, rule: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::malformed(at, rule)
}

/// Decodes a part to UTF-8: by byte order mark, else by declaration, else as it stands (XML 1.0, appendix F).
///
/// # Errors
/// [`Refusal::Malformed`] for bytes that are not of their encoding.
pub fn decode<'a>(bytes: &'a [u8], budget: &mut Budget, dropped: &mut Dropped) -> Result<Cow<'a, str>, Refusal> {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    if !utf16 && let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text.trim_start_matches('\u{feff}')));
    }
    budget.spend_bytes((bytes.len() as u64).saturating_mul(3))?;
    let count = dropped.entry("OOX-33").or_default();
    *count = count.saturating_add(1);
    let encoding = match bytes {
        [0xff, 0xfe, ..] => encoding_rs::UTF_16LE,
        [0xfe, 0xff, ..] => encoding_rs::UTF_16BE,
        _ => declared_encoding(bytes).ok_or_else(|| broken(0, "XML 1.0, 4.3.3: the part is not UTF-8"))?,
    };
    let (text, _, bad) = encoding.decode(bytes);
    if bad {
        return Err(broken(0, "XML 1.0, 4.3.3: bytes that are not of the declared encoding"));
    }
    Ok(Cow::Owned(text.into_owned()))
}

fn declared_encoding(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let head = bytes.get(..bytes.len().min(200))?;
    let at = head.windows(9).position(|w| w == b"encoding=")?;
    let rest = head.get(at.checked_add(10)?..)?;
    let end = rest.iter().position(|b| matches!(b, b'"' | b'\''))?;
    encoding_rs::Encoding::for_label(rest.get(..end)?)
}

impl<'a> PartReader<'a> {
    /// A reader of the decoded part.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let mut inner = Reader::from_str(text);
        let config = inner.config_mut();
        config.check_end_names = true;
        config.allow_dangling_amp = false;
        Self {
            inner,
            elements: Memo::new(),
            attributes: Memo::new(),
            bindings: Vec::new(),
            open: Vec::new(),
            empty: false,
            serial: 0,
            seen_root: false,
            dropped: Dropped::new(),
        }
    }

    fn at(&self) -> u64 {
        self.inner.buffer_position()
    }

    fn drop_one(&mut self, id: &'static str) {
        let count = self.dropped.entry(id).or_default();
        *count = count.saturating_add(1);
    }

    /// Reads on, adding what it finds to `frag`, until something was opened, closed or added.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for XML that is not well-formed, [`Refusal::Limit`] for nesting.
    pub fn next(&mut self, frag: &mut Frag) -> Result<Step, Refusal> {
        loop {
            if std::mem::take(&mut self.empty) {
                if let Some(step) = self.close(frag) {
                    return Ok(step);
                }
                continue;
            }
            let event = self.inner.read_event().map_err(|e| broken(self.at(), format!("XML 1.0: {e}")))?;
            let step = match event {
                Event::Start(start) => self.start(&start, frag)?,
                Event::Empty(start) => {
                    self.empty = true;
                    self.start(&start, frag)?
                }
                Event::End(_) => self.close(frag),
                Event::Text(text) => self.text(&text, frag)?,
                Event::CData(text) => {
                    self.drop_one("OOX-33");
                    self.text(&text, frag)?
                }
                Event::GeneralRef(name) => self.reference(&name, frag)?,
                Event::Comment(_) | Event::PI(_) => None,
                Event::Decl(_) if !self.seen_root => None,
                Event::Decl(_) => return Err(broken(self.at(), "XML 1.0, 2.8: a declaration after the root")),
                Event::DocType(_) => {
                    self.drop_one("OOX-33");
                    None
                }
                Event::Eof if self.open.is_empty() && self.seen_root => return Ok(Step::Over),
                Event::Eof => return Err(broken(self.at(), "XML 1.0, 2.1: the part ends inside an element")),
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    /// Handles a start tag. Where the whole element is dropped, reads to its end.
    fn start(&mut self, start: &BytesStart<'_>, frag: &mut Frag) -> Result<Option<Step>, Refusal> {
        if self.open.is_empty() && std::mem::replace(&mut self.seen_root, true) {
            return Err(broken(self.at(), "XML 1.0, 2.1: one root element"));
        }
        if self.open.len() >= MAX_DEPTH {
            let allowed = MAX_DEPTH as u64;
            return Err(Refusal::Limit { limit: LimitKind::Nesting, asked: allowed.saturating_add(1), allowed });
        }
        self.bind(start)?;
        let name = start.name().0;
        let el = match self.elements.find(name) {
            Some(el) => el,
            None => {
                let (prefix, local) = name.split_once(':').unwrap_or(("", name));
                let ns = self.resolve(prefix);
                if ns == Some(Ns::Mc) {
                    return self.compatibility(start, local);
                }
                let Some(el) = ns.and_then(|ns| NAMES.find(ns, local)) else {
                    // Unknown: what we know inside it stays, if it is content of ours (OOX-21, OOX-22).
                    self.drop_one(if ns.is_some() { "OOX-22" } else { "OOX-21" });
                    self.open.push(Open::Through);
                    return Ok(None);
                };
                self.elements.keep(name, el);
                el
            }
        };
        if self.holds_text().is_some() && !off(Filter::OoxTextElements) {
            // Text elements have no children.
            self.drop_one("OOX-22");
            return self.skip();
        }
        match NAMES.row(el).fate {
            Fate::Dropped(_) if off(Filter::OoxElements) => self.keep(start, el, frag).map(Some),
            Fate::Unwrapped(_) if off(Filter::OoxWrappers) => self.keep(start, el, frag).map(Some),
            Fate::Kept => self.keep(start, el, frag).map(Some),
            Fate::Unwrapped(id) => {
                self.drop_one(id);
                self.open.push(Open::Through);
                Ok(None)
            }
            Fate::Dropped(id) => {
                if let Some(id) = id {
                    self.drop_one(id);
                }
                self.skip()
            }
        }
    }

    /// Reads to the end of the element whose start tag was just read.
    fn skip(&mut self) -> Result<Option<Step>, Refusal> {
        self.open.push(Open::Through);
        if std::mem::take(&mut self.empty) {
            self.unbind();
            self.open.pop();
            return Ok(None);
        }
        let mut depth = 1usize;
        while depth > 0 {
            let event = self.inner.read_event().map_err(|e| broken(self.at(), format!("XML 1.0: {e}")))?;
            match event {
                Event::Start(_) => depth = depth.saturating_add(1),
                Event::End(_) => depth = depth.saturating_sub(1),
                Event::Eof => return Err(broken(self.at(), "XML 1.0, 2.1: the part ends inside an element")),
                Event::Empty(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_) => {}
            }
        }
        self.unbind();
        self.open.pop();
        Ok(None)
    }

    /// `mc:AlternateContent`, `mc:Choice`, `mc:Fallback` (ECMA-376 Part 3, clause 10.2).
    fn compatibility(&mut self, start: &BytesStart<'_>, local: &str) -> Result<Option<Step>, Refusal> {
        let inside = match self.open.last() {
            Some(Open::Alternate { taken }) => Some(*taken),
            Some(Open::Kept { .. } | Open::Through) | None => None,
        };
        let take = match (local, inside) {
            ("AlternateContent", None) => {
                self.drop_one("OOX-21");
                self.open.push(Open::Alternate { taken: false });
                return Ok(None);
            }
            ("Choice", Some(false)) => self.understands(start)?,
            ("Fallback", Some(taken)) => !taken,
            _ => false,
        };
        if !take {
            return self.skip();
        }
        if let Some(Open::Alternate { taken }) = self.open.last_mut() {
            *taken = true;
        }
        self.open.push(Open::Through);
        Ok(None)
    }

    fn understands(&self, choice: &BytesStart<'_>) -> Result<bool, Refusal> {
        for attribute in choice.attributes().with_checks(false) {
            let attribute = attribute.map_err(|e| broken(self.at(), format!("XML 1.0, 3.1: {e}")))?;
            if attribute.key.0 == "Requires" {
                let ours = |prefix: &str| self.resolve(prefix).is_some_and(|ns| ns < Ns::V);
                return Ok(!attribute.value.trim().is_empty() && attribute.value.split_whitespace().all(ours));
            }
        }
        Ok(false)
    }

    fn keep(&mut self, start: &BytesStart<'_>, el: El, frag: &mut Frag) -> Result<Step, Refusal> {
        let row = NAMES.row(el);
        let first = span_end(frag.attributes.len())?;
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|e| broken(self.at(), format!("XML 1.0, 3.1: {e}")))?;
            let name = attribute.key.0;
            let (ns, at) = match self.attributes.find(name) {
                Some(known) => known,
                None => {
                    let found = self.attribute_name(name);
                    self.attributes.keep(name, found);
                    found
                }
            };
            let Some((at, kind)) = at.and_then(|at| row.attribute(at).map(|kind| (at, kind))) else {
                if let Some(id) = telling(name, &attribute.value) {
                    self.drop_one(id);
                }
                continue;
            };
            if frag.attributes.get(first as usize..).unwrap_or_default().iter().any(|a| a.0 == at)
                && !off(Filter::OoxAttributeTwice)
            {
                return Err(broken(self.at(), "XML 1.0, 3.1: an attribute twice"));
            }
            let from = span_end(frag.text.len())?;
            let before = frag.text.len();
            values::unescape_into(&attribute.value, &mut frag.text)
                .ok_or_else(|| broken(self.at(), "XML 1.0, 4.1: a reference to an unknown entity"))?;
            let space = ns == Ns::Xml
                && !matches!(frag.text.get(before..), Some("preserve" | "default"))
                && !off(Filter::OoxSpace);
            if space || !values::settle(kind, NAMES.attribute_row(at).1, &mut frag.text, before) {
                frag.text.truncate(before);
                self.drop_one(match kind {
                    Kind::Instruction | Kind::Text | Kind::Relationship => "OOX-10",
                    Kind::Token | Kind::Uri | Kind::Formula => "OOX-22",
                });
                continue;
            }
            frag.attributes.push((at, (from, span_end(frag.text.len())?)));
        }
        let attributes = (first, span_end(frag.attributes.len())?);
        let serial = self.serial;
        self.serial = self.serial.saturating_add(1);
        let item = frag.items.len();
        frag.items.push(Item::Start { el, attributes, after: usize::MAX, serial });
        self.open.push(Open::Kept { item: Some(item), el });
        Ok(Step::Opened(el))
    }

    fn attribute_name(&self, name: &str) -> (Ns, Option<At>) {
        let (ns, local) = match name.split_once(':') {
            Some(("xmlns", _)) => return (Ns::None, None),
            Some(("xml", local)) => (Some(Ns::Xml), local),
            Some((prefix, local)) => (self.resolve(prefix), local),
            None => (Some(Ns::None), name),
        };
        match ns {
            Some(ns) => (ns, NAMES.find_attribute(ns, local)),
            None => (Ns::None, None),
        }
    }

    fn close(&mut self, frag: &mut Frag) -> Option<Step> {
        self.unbind();
        match self.open.pop() {
            Some(Open::Kept { item, .. }) => {
                let behind = frag.items.len().saturating_add(1);
                if let Some(Item::Start { after, .. }) = item.and_then(|item| frag.items.get_mut(item)) {
                    *after = behind;
                }
                frag.items.push(Item::End);
                Some(Step::Closed)
            }
            Some(Open::Through | Open::Alternate { .. }) | None => None,
        }
    }

    /// Forgets that open elements have items: called where `frag` is cleared between them.
    pub fn detach(&mut self) {
        for open in &mut self.open {
            if let Open::Kept { item, .. } = open {
                *item = None;
            }
        }
    }

    fn holds_text(&self) -> Option<Kind> {
        match self.open.last() {
            Some(Open::Kept { el, .. }) => NAMES.row(*el).text,
            Some(Open::Through | Open::Alternate { .. }) | None => None,
        }
    }

    fn text(&mut self, raw: &str, frag: &mut Frag) -> Result<Option<Step>, Refusal> {
        if self.holds_text().is_none() && (self.open.is_empty() || !off(Filter::OoxText)) {
            if !raw.trim().is_empty() {
                if self.open.is_empty() {
                    return Err(broken(self.at(), "XML 1.0, 2.1: text outside the root"));
                }
                self.drop_one("OOX-22");
            }
            return Ok(None);
        }
        let from = frag.text.len();
        values::push_text(raw, &mut frag.text);
        self.push_span(from, frag)
    }

    fn reference(&mut self, name: &str, frag: &mut Frag) -> Result<Option<Step>, Refusal> {
        let unknown = || broken(0, "XML 1.0, 4.1: a reference to an unknown entity");
        let c = values::entity(name).ok_or_else(unknown)?;
        if self.holds_text().is_none() {
            return Ok(None);
        }
        let from = frag.text.len();
        if values::allowed(c) {
            frag.text.push(c);
        }
        self.push_span(from, frag)
    }

    /// Adds the text since `from`, to the text before it where the two touch.
    fn push_span(&mut self, from: usize, frag: &mut Frag) -> Result<Option<Step>, Refusal> {
        let (from, to) = (span_end(from)?, span_end(frag.text.len())?);
        match frag.items.last_mut() {
            Some(Item::Text(span)) if span.1 == from => span.1 = to,
            Some(_) | None => frag.items.push(Item::Text((from, to))),
        }
        Ok(Some(Step::Text))
    }

    fn bind(&mut self, start: &BytesStart<'_>) -> Result<(), Refusal> {
        let raw = start.attributes_raw();
        if !raw.contains("xmlns") {
            return Ok(());
        }
        let depth = self.open.len();
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|e| broken(self.at(), format!("XML 1.0, 3.1: {e}")))?;
            let prefix = match attribute.key.0.split_once(':') {
                Some(("xmlns", prefix)) => prefix,
                None if attribute.key.0 == "xmlns" => "",
                Some(_) | None => continue,
            };
            let ns = Ns::from_uri(&attribute.value);
            self.bindings.push((depth, prefix.to_owned(), ns));
            self.forget_names();
        }
        Ok(())
    }

    fn unbind(&mut self) {
        let depth = self.open.len().saturating_sub(1);
        while self.bindings.last().is_some_and(|b| b.0 >= depth) {
            self.bindings.pop();
            self.forget_names();
        }
    }

    fn forget_names(&mut self) {
        self.elements.forget();
        self.attributes.forget();
    }

    fn resolve(&self, prefix: &str) -> Option<Ns> {
        self.bindings.iter().rev().find(|b| b.1 == prefix).and_then(|b| b.2)
    }
}

/// The catalogue row of an attribute that is dropped, where it deserves one: hashes of passwords, macros of shapes.
fn telling(name: &str, value: &str) -> Option<&'static str> {
    let local = name.rsplit(':').next().unwrap_or(name);
    match local {
        "hash" | "hashValue" | "password" | "revisionsPassword" | "workbookPassword" | "workbookHashValue" => {
            Some("OOX-42")
        }
        "macro" if !value.is_empty() => Some("OOX-06"),
        _ => None,
    }
}

fn span_end(at: usize) -> Result<u32, Refusal> {
    u32::try_from(at).map_err(|_| Refusal::unsupported("an XML fragment of 4 GiB"))
}
