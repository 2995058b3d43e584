//! One part: XML of closed lists, a picture of its dialect, or the generated boxes of comments.

use super::fields::{self, Fields};
use super::kinds::{self, Content};
use super::names::{self, A, DGM, Element, Holds, S, W};
use super::package::{DECLARATION, Item, Package};
use super::values::Links;
use super::{formula, values, vml};
use crate::xml::{Attribute, Event, Ns, Reader, unescape};
use crate::{Limits, Rejection};
use model::{Format, Policy};

/// Accepts the part.
pub(super) fn verify(
    package: &Package<'_>,
    item: &Item<'_>,
    policy: &Policy,
    limits: &mut Limits,
) -> Result<(), Rejection> {
    let bytes = item.content(limits)?;
    match item.kind.content {
        Content::Xml(ns, root) => xml(item, &bytes, (ns, root), package.links),
        Content::Vml => vml::verify(package, item, &bytes, limits),
        Content::Picture => {
            let extension = item.name.rsplit('.').next().unwrap_or_default();
            let format = Format::ALL.iter().copied().find(|f| f.is_picture() && f.extension() == extension);
            let format = format.ok_or_else(|| Rejection::new(0, "a picture of another kind (OOX-24)"))?;
            crate::dialects::verify(&bytes, format, policy, limits)
        }
    }
}

fn xml(item: &Item<'_>, bytes: &[u8], root: (Ns, &str), links: Links) -> Result<(), Rejection> {
    if !bytes.starts_with(DECLARATION) {
        return Err(Rejection::new(0, "the XML declaration and a line feed first"));
    }
    characters(bytes)?;
    let mut walk =
        Walk { item, used: vec![false; item.relationships.len()], fields: Fields::new(links), links, open: Vec::new() };
    let mut reader = Reader::new(bytes, names::namespace)?;
    loop {
        let event = reader.next()?;
        let step = match event {
            Event::Start(n, local) if walk.open.is_empty() && (n, local) != root => {
                Err(format!("the root element is {}", root.1))
            }
            Event::Start(ns, local) => walk.start(ns, local, reader.attributes()),
            Event::End => walk.end(),
            Event::Text(text) => walk.text(text),
            Event::Eof => break,
        };
        step.map_err(|rule| reader.reject(rule))?;
    }
    walk.finish().map_err(|rule| Rejection::new(bytes.len(), rule))
}

/// Control characters that XML allows and text that reorders itself are nowhere in a part.
fn characters(bytes: &[u8]) -> Result<(), Rejection> {
    let text = std::str::from_utf8(bytes).map_err(|e| Rejection::new(e.valid_up_to(), "XML is UTF-8"))?;
    let bad = if text.is_ascii() {
        text.find('\x7f')
    } else {
        text.find(|c| values::is_bidi(c) || matches!(c, '\x7f'..='\u{9f}'))
    };
    match bad {
        Some(at) => Err(Rejection::new(at, "no control character and none that reorders text (TXT-01)")),
        None => Ok(()),
    }
}

struct Walk<'w> {
    item: &'w Item<'w>,
    /// Which relationships an element has named.
    used: Vec<bool>,
    fields: Fields,
    links: Links,
    open: Vec<Open>,
}

/// An element that is open.
struct Open {
    holds: Holds,
    paragraph: bool,
}

impl Walk<'_> {
    fn start(&mut self, ns: Ns, local: &str, attributes: &[Attribute<'_>]) -> Result<(), String> {
        let unknown = || format!("element {local} is not on the list (OOX-21)");
        let element = names::element(ns, local).ok_or_else(unknown)?;
        if self.open.last().is_some_and(|parent| parent.holds != Holds::Nothing) {
            return Err(format!("{local} inside an element of text"));
        }
        let paragraph = ns == W && local == "p";
        if paragraph {
            self.fields.boundary()?;
        }
        for attribute in attributes {
            self.attribute(ns, local, element, attribute)?;
        }
        match (ns, local) {
            (A, "hlinkClick" | "hlinkHover" | "hlinkMouseOver") => self.link(attributes)?,
            // OOX-17: the data of a pivot table is in the book.
            (S, "cacheSource")
                if self.item.kind.relationship == "pivotCacheDefinition"
                    && value(attributes, Ns::NONE, "type") != "worksheet" =>
            {
                return Err("a pivot table over data outside of the book (OOX-17)".into());
            }
            (W, "fldChar") => self.fields.character(value(attributes, W, "fldCharType"))?,
            _ => {}
        }
        self.open.push(Open { holds: element.content, paragraph });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        if self.open.pop().is_some_and(|open| open.paragraph) { self.fields.boundary() } else { Ok(()) }
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.open.last().map_or(Holds::Nothing, |open| open.holds) {
            Holds::Text => Ok(()),
            Holds::Formula => formula::check(&unescape(text), self.links),
            Holds::Field => self.fields.text(&unescape(text)),
            Holds::Nothing | Holds::Token | Holds::Relationship => Err("text where none may stand".into()),
        }
    }

    fn attribute(&mut self, ns: Ns, local: &str, element: &Element, attribute: &Attribute<'_>) -> Result<(), String> {
        let Attribute { ns: space, local: name, value } = *attribute;
        if space == Ns::XML && !matches!(value, "preserve" | "default") {
            return Err(format!("{local}/@xml:{name} holds neither of its two values"));
        }
        let listed = element.attributes.iter().find(|(n, l, _)| *n == space && *l == name);
        let holds = listed.map(|(_, _, holds)| *holds);
        let fits = match holds {
            None => return Err(format!("attribute {name} of {local} is not on the list (OOX-21)")),
            Some(Holds::Relationship) => return self.relationship(ns, local, name, value),
            Some(Holds::Formula) => {
                return formula::check(&unescape(value), self.links).map_err(|rule| format!("{local}/@{name}: {rule}"));
            }
            Some(Holds::Field) => return fields::instruction(&unescape(value), self.links),
            Some(Holds::Text) => text_value(ns, local, name, &unescape(value)),
            Some(Holds::Token | Holds::Nothing) if is_long(name) => values::is_long_token(&unescape(value)),
            Some(Holds::Token | Holds::Nothing) => values::is_token(&unescape(value)),
        };
        if fits {
            Ok(())
        } else {
            Err(format!("{local}/@{name} holds {:?}", value.chars().take(80).collect::<String>()))
        }
    }

    /// An id that the part's relationships have, of a type that fits the element.
    fn relationship(&mut self, ns: Ns, local: &str, name: &str, id: &str) -> Result<(), String> {
        let optional = ns == A && local.starts_with("hlink") || ns == DGM && local == "shape";
        if id.is_empty() && optional {
            return Ok(());
        }
        let at = place(id).ok_or_else(|| format!("relationship id {id:?}"))?;
        let relationship = self.item.relationships.get(at).ok_or_else(|| format!("{id} leads nowhere"))?;
        if !kinds::named_by(ns, local, name).contains(&relationship.name.as_str()) {
            return Err(format!("{local} names a {} ({id})", relationship.name));
        }
        if let Some(used) = self.used.get_mut(at) {
            *used = true;
        }
        Ok(())
    }

    /// OOX-26: an action goes with what it needs and nothing else.
    fn link(&self, attributes: &[Attribute<'_>]) -> Result<(), String> {
        let action = value(attributes, Ns::NONE, "action");
        let target = place(value(attributes, names::R, "id")).and_then(|at| self.item.relationships.get(at));
        let fits = match target.map(|r| r.name.as_str()) {
            Some("hyperlink") => action.is_empty(),
            Some(_) => action == "ppaction://hlinksldjump",
            None => action.is_empty() || values::is_jump(action),
        };
        if fits { Ok(()) } else { Err(format!("action {action:?} (OOX-26)")) }
    }

    fn finish(self) -> Result<(), String> {
        self.fields.finish()?;
        let unused =
            self.item.relationships.iter().zip(&self.used).zip(1..).find(|((r, used), _)| !r.implicit && !**used);
        if let Some(((relationship, _), n)) = unused {
            return Err(format!("nothing names rId{n}, a {} (OOX-22)", relationship.name));
        }
        // What nothing names there is one of, pivot tables aside: of two themes readers may take either.
        let mut silent: Vec<&str> = self
            .item
            .relationships
            .iter()
            .zip(&self.used)
            .filter(|(_, used)| !**used)
            .map(|(r, _)| r.name.as_str())
            .filter(|name| *name != "pivotTable")
            .collect();
        silent.sort_unstable();
        match silent.windows(2).find(|pair| pair.first() == pair.last()) {
            Some(pair) => Err(format!("one {} and no more", pair.first().unwrap_or(&""))),
            None => Ok(()),
        }
    }
}

/// The place of a relationship by its id.
fn place(id: &str) -> Option<usize> {
    let digits = id.strip_prefix("rId")?;
    let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse::<usize>().ok().filter(|_| canonical)?.checked_sub(1)
}

fn value<'a>(attributes: &[Attribute<'a>], ns: Ns, local: &str) -> &'a str {
    attributes.iter().find(|a| a.ns == ns && a.local == local).map_or("", |a| a.value)
}

/// Lists of ranges and points may be long.
fn is_long(name: &str) -> bool {
    matches!(name, "sqref" | "ref" | "spans" | "path" | "ptsTypes" | "rAng")
}

/// Free text, with what a few attributes must not say.
fn text_value(ns: Ns, element: &str, name: &str, value: &str) -> bool {
    match (ns, element, name) {
        (A, "graphicData", "uri") => values::is_graphic(value),
        (S, "definedName", "name") => values::is_quiet_name(value),
        // A place in this book: nothing that Excel would take for a path.
        (S, "hyperlink", "location") => !value.contains('|') && !values::looks_active(value),
        // A place in this document.
        (W, "hyperlink", "anchor") => !values::looks_active(value),
        (W, "compatSetting", "uri") => values::is_settings_owner(value),
        _ => true,
    }
}
