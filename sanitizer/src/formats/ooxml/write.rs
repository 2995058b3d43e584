//! Writes canonical XML from our own names, settled values and decoded text; see `docs/formats/ooxml.md`.

use super::names::{At, El, NAMES, Ns};

/// What every part starts with.
pub const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// Writes one part.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    /// Offset behind the root's name: declarations and attributes go here.
    root_name_end: Option<usize>,
    tag_open: bool,
    used: u32,
}

/// A place in a [`Writer`]'s output.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    len: usize,
    tag_open: bool,
    used: u32,
}

impl Writer {
    fn mark(&mut self, ns: Ns) {
        self.used |= 1u32.checked_shl(ns as u32).unwrap_or(0);
    }

    /// Opens an element. The first one is the root.
    pub fn open(&mut self, el: El) {
        self.shut();
        let row = NAMES.row(el);
        self.mark(row.ns);
        self.out.push(b'<');
        self.out.extend_from_slice(row.qname.as_bytes());
        if self.root_name_end.is_none() {
            self.root_name_end = Some(self.out.len());
        }
        self.tag_open = true;
    }

    /// Adds an attribute to the element just opened.
    pub fn attribute(&mut self, at: At, value: &str) {
        let row = NAMES.attribute_row(at);
        if row.0 < Ns::V {
            self.mark(row.0);
        }
        self.out.push(b' ');
        self.out.extend_from_slice(row.2.as_bytes());
        self.out.extend_from_slice(b"=\"");
        escape_attribute(value, &mut self.out);
        self.out.push(b'"');
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.shut();
        escape_text(text, &mut self.out);
    }

    /// Closes the element.
    pub fn close(&mut self, el: El) {
        if std::mem::take(&mut self.tag_open) {
            self.out.extend_from_slice(b"/>");
            return;
        }
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(NAMES.row(el).qname.as_bytes());
        self.out.push(b'>');
    }

    fn shut(&mut self) {
        if std::mem::take(&mut self.tag_open) {
            self.out.push(b'>');
        }
    }

    /// Adds markup of our own, which uses the namespaces `of`.
    pub fn literal(&mut self, of: &[Ns], markup: &'static str) {
        self.shut();
        of.iter().for_each(|ns| self.mark(*ns));
        self.out.extend_from_slice(markup.as_bytes());
    }

    /// Adds a number inside markup of our own.
    pub fn number(&mut self, value: u64) {
        self.out.extend_from_slice(value.to_string().as_bytes());
    }

    /// Adds a text inside an attribute of markup of our own.
    pub fn quoted(&mut self, value: &str) {
        escape_attribute(value, &mut self.out);
    }

    /// A place to come back to with [`Writer::undo`].
    #[must_use]
    pub const fn here(&self) -> Place {
        Place { len: self.out.len(), tag_open: self.tag_open, used: self.used }
    }

    /// Takes back everything since `place`.
    pub fn undo(&mut self, place: Place) {
        self.out.truncate(place.len);
        self.tag_open = place.tag_open;
        self.used = place.used;
    }

    /// Whether the element just opened has no content yet.
    #[must_use]
    pub const fn is_bare(&self) -> bool {
        self.tag_open
    }

    /// The bytes as they are: for a part that is markup of our own from its first byte.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// The part, with its declaration and the namespaces that it uses.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut head = Vec::with_capacity(self.out.len().saturating_add(1024));
        head.extend_from_slice(DECLARATION.as_bytes());
        let (name, rest) = self.out.split_at_checked(self.root_name_end.unwrap_or(0)).unwrap_or_default();
        head.extend_from_slice(name);
        for ns in Ns::declared() {
            let used = self.used & 1u32.checked_shl(ns as u32).unwrap_or(0) != 0;
            let Some((prefix, uri)) = ns.declaration().filter(|_| used) else {
                continue;
            };
            head.extend_from_slice(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
            head.extend_from_slice(prefix.as_bytes());
            head.extend_from_slice(b"=\"");
            head.extend_from_slice(uri.as_bytes());
            head.push(b'"');
        }
        head.extend_from_slice(rest);
        head
    }
}

/// Adds `text`, escaped for element content.
pub fn escape_text(text: &str, out: &mut Vec<u8>) {
    escape(text, out, |b| match b {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

/// Adds `text`, escaped for a value in double quotes.
pub fn escape_attribute(text: &str, out: &mut Vec<u8>) {
    escape(text, out, |b| match b {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

fn escape(text: &str, out: &mut Vec<u8>, special: impl Fn(u8) -> Option<&'static str>) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| special(*b).is_some()) {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or_default();
        out.extend_from_slice(plain);
        let Some((byte, after)) = tail.split_first() else { break };
        out.extend_from_slice(special(*byte).unwrap_or_default().as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest);
}
