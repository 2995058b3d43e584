//! Destinations, links, outlines, page labels, optional content: what hangs on the catalogue and points at pages
//! (ISO 32000-1 clauses 12.3, 12.4.2, 12.5.6.5, 8.11.4).

use super::value::{Dict, Id, Object, Val};
use super::walk::{Found, R, Walk, array_numbers, choice, integer, name, number, numbers, objects, rect};
use crate::switches::{Filter, off};
use hayro::hayro_syntax::object::{
    Array, Dict as Source, MaybeRef, Object as SourceObject, ObjectIdentifier, String as SourceString,
};
use model::Links;
use std::collections::{BTreeMap, BTreeSet};

/// Ours: nodes of one tree of names, numbers or bookmarks.
const MAX_NODES: usize = 50_000;
/// Ours: bookmarks in bookmarks.
const MAX_OUTLINE_DEPTH: usize = 24;

/// Named destinations.
#[derive(Default)]
pub struct Destinations<'a>(BTreeMap<Vec<u8>, SourceObject<'a>>);

/// An item of an outline.
struct Item {
    entries: Dict,
    open: bool,
    kids: Vec<Item>,
}

impl<'a> Walk<'a, '_, '_> {
    /// Reads the named destinations: the name tree, and the dictionary of PDF 1.1.
    pub fn destinations(&self, catalog: &Source<'a>) -> Destinations<'a> {
        let mut out = Destinations::default();
        if let Some(names) = catalog.get::<Source<'a>>("Names")
            && let Some(root) = self.find(&names, "Dests")
        {
            for (key, value) in self.tree(root, "Names") {
                if let SourceObject::String(key) = key {
                    out.0.insert(key.as_bytes().to_vec(), value.object);
                }
            }
        }
        if let Some(dests) = catalog.get::<Source<'a>>("Dests") {
            for (key, value) in dests.entries().take(MAX_NODES) {
                if let Some(value) = self.resolve(value) {
                    out.0.insert(key.as_ref().to_vec(), value.object);
                }
            }
        }
        out
    }

    /// The pairs of a name or number tree, in order.
    fn tree(&self, root: Found<'a>, leaf: &str) -> Vec<(SourceObject<'a>, Found<'a>)> {
        let mut seen = BTreeSet::new();
        let mut todo = vec![root];
        let mut out = Vec::new();
        let mut nodes = 0usize;
        while let Some(node) = todo.pop() {
            nodes = nodes.saturating_add(1);
            if nodes > MAX_NODES || out.len() > MAX_NODES || node.id.is_some_and(|id| !seen.insert(id)) {
                continue;
            }
            let SourceObject::Dict(dict) = &node.object else {
                continue;
            };
            if let Some(pairs) = dict.get::<Array<'a>>(leaf) {
                for pair in self.items(&pairs).chunks(2) {
                    if let [key, value] = pair {
                        out.push((key.object.clone(), value.clone()));
                    }
                }
            }
            if let Some(kids) = dict.get::<Array<'a>>("Kids") {
                todo.extend(self.items(&kids).into_iter().rev());
            }
        }
        out
    }

    /// A destination as an array of ours; `None` where it leads nowhere in this document.
    fn destination(&self, object: &SourceObject<'a>, dests: &Destinations<'a>) -> Option<Val> {
        let named = match object {
            SourceObject::Name(n) => dests.0.get(n.as_ref()),
            SourceObject::String(s) => dests.0.get(s.as_bytes()),
            other => Some(other),
        }?;
        let array = match named {
            SourceObject::Array(array) => array.clone(),
            SourceObject::Dict(dict) => dict.get::<Array<'a>>("D")?,
            _ => return None,
        };
        let page = match array.raw_iter().next()? {
            MaybeRef::Ref(reference) => *self.pages.get(&ObjectIdentifier::from(reference))?,
            MaybeRef::NotRef(SourceObject::Number(n)) => *self.page_ids.get(usize::try_from(n.as_i64()).ok()?)?,
            MaybeRef::NotRef(_) => return None,
        };
        let rest: Vec<SourceObject<'a>> = objects(&array).into_iter().skip(1).take(5).collect();
        let (kind, wanted) = match rest.first() {
            Some(SourceObject::Name(n)) => match n.as_ref() {
                b"XYZ" => ("XYZ", 3),
                b"FitH" => ("FitH", 1),
                b"FitV" => ("FitV", 1),
                b"FitBH" => ("FitBH", 1),
                b"FitBV" => ("FitBV", 1),
                b"FitR" => ("FitR", 4),
                b"FitB" => ("FitB", 0),
                _ => ("Fit", 0),
            },
            _ => ("Fit", 0),
        };
        let mut out = vec![Val::Ref(page), Val::name(kind)];
        for i in 1..=wanted {
            out.push(match rest.get(i) {
                Some(SourceObject::Number(n)) => Val::num(n.as_f64()),
                _ if kind == "FitR" => Val::num(0.0),
                _ => Val::Null,
            });
        }
        Some(Val::Array(out))
    }

    /// `Dest` or `A` of a link or bookmark, as the one entry that ours has.
    fn target(&mut self, dict: &Source<'a>, dests: &Destinations<'a>) -> Option<(&'static str, Val)> {
        if let Some(dest) = dict.get::<SourceObject<'a>>("Dest") {
            return self.destination(&dest, dests).map(|d| ("Dest", d));
        }
        let action = dict.get::<Source<'a>>("A")?;
        match name(&action, "S").as_deref() {
            Some(b"GoTo") => {
                let dest = action.get::<SourceObject<'a>>("D")?;
                self.destination(&dest, dests).map(|d| ("Dest", d))
            }
            Some(b"URI") => {
                let uri = action.get::<SourceString<'a>>("URI")?;
                let links = self.cx.policy.formats.pdf.map_or(Links::Text, |p| p.links);
                let safe = safe_uri(uri.as_bytes());
                match (links, safe) {
                    (links, Some(uri)) if links == Links::Web || off(Filter::PdfLinks) => {
                        let mut out = Dict::new().with("S", Val::name("URI")).with("URI", Val::Str(uri));
                        self.rest(&action, &mut out);
                        Some(("A", Val::Dict(out)))
                    }
                    // The inventory names it.
                    (Links::Web | Links::Remove | Links::Text, _) => None,
                }
            }
            _ => self.whole(Filter::PdfActions, &action).map(|action| ("A", action)),
        }
    }

    /// A link annotation.
    pub fn link(&mut self, dict: &Source<'a>, dests: &Destinations<'a>) -> R<Option<Dict>> {
        let Some(rect) = rect(dict, "Rect") else {
            return Ok(None);
        };
        let Some((key, target)) = self.target(dict, dests) else {
            return Ok(None);
        };
        let mut out = Dict::of("Annot").with("Subtype", Val::name("Link")).with("Rect", Val::nums(&rect));
        out.set(key, target);
        out.set_some("Border", border(dict));
        out.set_some("BS", dict.get::<Source<'a>>("BS").map(|d| border_style(&d)));
        let color = numbers(dict, "C").filter(|c| matches!(c.len(), 0 | 1 | 3 | 4) || off(Filter::PdfLinkLook));
        out.set_some("C", color.map(|c| Val::nums(&c)));
        out.set_some("F", (integer(dict, "F").unwrap_or(0) & 4 != 0).then(|| Val::int(4)));
        out.set_some("H", choice(dict, "H", &["N", "I", "O", "P"]));
        let quads = numbers(dict, "QuadPoints")
            .filter(|q| !q.is_empty() && q.len().is_multiple_of(8) || off(Filter::PdfLinkLook));
        out.set_some("QuadPoints", quads.filter(|q| q.len() <= 8192).map(|q| Val::nums(&q)));
        self.rest(dict, &mut out);
        Ok(Some(out))
    }

    /// The outline; `None` where there is none, or nothing in it.
    pub fn outlines(&mut self, catalog: &Source<'a>, dests: &Destinations<'a>) -> R<Option<Id>> {
        let Some(root) = catalog.get::<Source<'a>>("Outlines") else {
            return Ok(None);
        };
        let mut seen = BTreeSet::new();
        let items = self.outline_items(&root, dests, &mut seen, 0);
        if items.is_empty() {
            return Ok(None);
        }
        self.cx.budget.spend_entries(seen.len() as u64)?;
        let id = self.document.reserve();
        let mut out = Dict::of("Outlines");
        self.write_items(id, &items, &mut out);
        let shown = visible(&items);
        out.set("Count", Val::size(shown));
        self.document.put(id, Object::Value(Val::Dict(out)));
        Ok(Some(id))
    }

    fn outline_items(
        &mut self,
        parent: &Source<'a>,
        dests: &Destinations<'a>,
        seen: &mut BTreeSet<ObjectIdentifier>,
        depth: usize,
    ) -> Vec<Item> {
        let mut items = Vec::new();
        let mut next = self.find(parent, "First");
        while let Some(Found { id: Some(id), object: SourceObject::Dict(dict) }) = next {
            if depth >= MAX_OUTLINE_DEPTH || seen.len() >= MAX_NODES || !seen.insert(id) {
                break;
            }
            let title = dict.get::<SourceString<'a>>("Title");
            let title = title.map_or_else(Vec::new, |t| t.as_bytes().to_vec());
            let mut entries = Dict::new().with("Title", Val::string(&title));
            if let Some((key, target)) = self.target(&dict, dests) {
                entries.set(key, target);
            }
            let color = numbers(&dict, "C").filter(|c| c.len() == 3);
            entries.set_some("C", color.map(|c| Val::nums(&c)));
            entries.set_some("F", integer(&dict, "F").filter(|f| (1..=3).contains(f)).map(Val::int));
            self.rest(&dict, &mut entries);
            let kids = self.outline_items(&dict, dests, seen, depth.saturating_add(1));
            let open = integer(&dict, "Count").unwrap_or(0) > 0;
            items.push(Item { entries, open, kids });
            next = self.find(&dict, "Next");
        }
        items
    }

    /// Writes one level and links its ends into `parent`.
    fn write_items(&mut self, parent: Id, items: &[Item], into: &mut Dict) {
        let ids: Vec<Id> = items.iter().map(|_| self.document.reserve()).collect();
        into.set_some("First", ids.first().map(|id| Val::Ref(*id)));
        into.set_some("Last", ids.last().map(|id| Val::Ref(*id)));
        for (i, (item, id)) in items.iter().zip(&ids).enumerate() {
            let mut out = item.entries.clone().with("Parent", Val::Ref(parent));
            out.set_some("Prev", i.checked_sub(1).and_then(|p| ids.get(p)).map(|id| Val::Ref(*id)));
            out.set_some("Next", ids.get(i.saturating_add(1)).map(|id| Val::Ref(*id)));
            if !item.kids.is_empty() {
                self.write_items(*id, &item.kids, &mut out);
                let n = Val::size(visible(&item.kids));
                let n = match n {
                    Val::Num(n) if !item.open => Val::num(-n),
                    other => other,
                };
                out.set("Count", n);
            }
            self.document.put(*id, Object::Value(Val::Dict(out)));
        }
    }

    /// Page labels as a tree of one node.
    pub fn page_labels(&self, catalog: &Source<'a>) -> Option<Val> {
        let root = self.find(catalog, "PageLabels")?;
        let mut labels = BTreeMap::new();
        for (key, value) in self.tree(root, "Nums") {
            let (SourceObject::Number(page), SourceObject::Dict(dict)) = (key, value.object) else {
                continue;
            };
            let mut label = Dict::new();
            label.set_some("S", choice(&dict, "S", &["D", "R", "r", "A", "a"]));
            label.set_some("P", dict.get::<SourceString<'a>>("P").map(|p| Val::string(p.as_bytes())));
            label.set_some("St", integer(&dict, "St").filter(|n| *n >= 1 || off(Filter::PdfLabels)).map(Val::int));
            if page.as_i64() >= 0 {
                labels.insert(page.as_i64(), Val::Dict(label));
            }
        }
        let nums: Vec<Val> = labels.into_iter().flat_map(|(page, label)| [Val::int(page), label]).collect();
        (!nums.is_empty()).then(|| Val::Dict(Dict::new().with("Nums", Val::Array(nums))))
    }

    /// The default configuration of optional content; the others go, and so do its usage events (PDF-59).
    pub fn layers(&mut self, catalog: &Source<'a>) -> R<Option<Val>> {
        let properties = catalog.get::<Source<'a>>("OCProperties");
        let groups = match &properties {
            Some(properties) => self.group_list(properties, "OCGs")?,
            None => Vec::new(),
        };
        self.layers_listed = true;
        let Some(properties) = properties else { return Ok(None) };
        if groups.is_empty() {
            return Ok(None);
        }
        let mut out = Dict::new();
        if let Some(default) = properties.get::<Source<'a>>("D") {
            out.set_some("BaseState", choice(&default, "BaseState", &["ON", "OFF"]));
            for key in ["ON", "OFF"] {
                let list = self.group_list(&default, key)?;
                out.set_some(key, (!list.is_empty()).then_some(Val::Array(list)));
            }
            if let Some(order) = default.get::<Array<'a>>("Order") {
                let order = self.order(&order, 0)?;
                out.set_some("Order", (!order.is_empty()).then_some(Val::Array(order)));
            }
        }
        Ok(Some(Val::Dict(Dict::new().with("OCGs", Val::Array(groups)).with("D", Val::Dict(out)))))
    }

    fn group_list(&mut self, dict: &Source<'a>, key: &str) -> R<Vec<Val>> {
        match dict.get::<Array<'a>>(key) {
            Some(array) => {
                let items = self.items(&array);
                self.groups(items.get(..items.len().min(MAX_NODES)).unwrap_or_default())
            }
            None => Ok(Vec::new()),
        }
    }

    fn order(&mut self, array: &Array<'a>, depth: u32) -> R<Vec<Val>> {
        let mut out = Vec::new();
        if depth >= 8 {
            return Ok(out);
        }
        for item in self.items(array) {
            match &item.object {
                SourceObject::Dict(_) => out.extend(self.groups(std::slice::from_ref(&item))?),
                SourceObject::String(s) => out.push(Val::string(s.as_bytes())),
                SourceObject::Array(inner) => {
                    let inner = self.order(inner, depth.saturating_add(1))?;
                    if !inner.is_empty() {
                        out.push(Val::Array(inner));
                    }
                }
                _ => {}
            }
        }
        Ok(out)
    }
}

/// Items that show when this level is open.
fn visible(items: &[Item]) -> usize {
    items.iter().fold(0usize, |n, item| {
        let below = if item.open { visible(&item.kids) } else { 0 };
        n.saturating_add(1).saturating_add(below)
    })
}

fn border(dict: &Source<'_>) -> Option<Val> {
    let array = dict.get::<Array<'_>>("Border")?;
    let mut items = objects(&array).into_iter();
    let mut out = Vec::new();
    for _ in 0..3 {
        match items.next()? {
            SourceObject::Number(n) => out.push(Val::num(n.as_f64().max(0.0))),
            _ => return None,
        }
    }
    if let Some(SourceObject::Array(dashes)) = items.next() {
        let dashes: Vec<f64> = array_numbers(&dashes).into_iter().filter(|n| *n >= 0.0).take(64).collect();
        out.push(Val::nums(&dashes));
    }
    Some(Val::Array(out))
}

fn border_style(dict: &Source<'_>) -> Val {
    let mut out = Dict::new();
    out.set_some("W", number(dict, "W").map(|w| Val::num(w.max(0.0))));
    out.set_some("S", choice(dict, "S", &["S", "D", "B", "I", "U"]));
    let dashes = numbers(dict, "D").map(|d| d.into_iter().filter(|n| *n >= 0.0).take(64).collect::<Vec<f64>>());
    out.set_some("D", dashes.map(|d| Val::nums(&d)));
    Val::Dict(out)
}

/// A web or mail address as plain ASCII; `None` for every other scheme (PDF-23).
pub fn safe_uri(uri: &[u8]) -> Option<Vec<u8>> {
    const MOST: usize = 2048;
    let uri = uri.trim_ascii();
    let lower: Vec<u8> = uri.iter().take(8).map(u8::to_ascii_lowercase).collect();
    let web = [b"http://".as_slice(), b"https://", b"mailto:"].iter().any(|scheme| lower.starts_with(scheme));
    if !web && !off(Filter::PdfSchemes) {
        return None;
    }
    let mut out = Vec::with_capacity(uri.len());
    for b in uri {
        match b {
            // Line ends in an address are a trick or a slip; neither belongs there.
            b if off(Filter::PdfAddresses) => out.push(*b),
            0..=0x1f | 0x7f => {}
            0x21..=0x7e => out.push(*b),
            0x20 | 0x80..=0xff => {
                out.push(b'%');
                super::write::hex(&mut out, &[*b]);
            }
        }
    }
    (out.len() <= MOST || off(Filter::PdfAddresses)).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::safe_uri;

    #[test]
    fn only_web_and_mail_addresses_stay() {
        assert_eq!(safe_uri(b" HTTP://a.example/x y\n"), Some(b"HTTP://a.example/x%20y".to_vec()));
        assert_eq!(safe_uri(b"mailto:a@b.example"), Some(b"mailto:a@b.example".to_vec()));
        for bad in ["javascript:alert(1)", "file:///etc/passwd", "\\\\host\\share", "http:x", "vnd.x:http://", ""] {
            assert_eq!(safe_uri(bad.as_bytes()), None, "{bad}");
        }
    }
}
