//! One part of the input becomes one part of the output: element by element, each by its hook.

use super::build::{Builder, NewRelationship, Target};
use super::fields::{self, Doomed};
use super::hooks::Hook;
use super::link::WebAddress;
use super::names::{At, El, Kind, NAMES, Ns};
use super::package::Relationship;
use super::parts::{Family, PartKind, implicit};
use super::read::{Dropped, Frag, Item, PartReader, Span, Step, decode};
use super::write::Writer;
use crate::switches::{Filter, off};
use model::{Comments, FindingAction, Refusal};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// State while one part is made.
pub struct Transform<'t, 'b, 'x, 'a> {
    /// The package under construction.
    pub b: &'t mut Builder<'b, 'x, 'a>,
    /// What is written.
    pub w: Writer,
    pub(super) kind: PartKind,
    pub(super) base: &'static str,
    pub(super) place: String,
    incoming: Vec<Relationship>,
    by_id: HashMap<String, usize>,
    mapped: BTreeMap<String, Option<usize>>,
    links: BTreeMap<String, Option<usize>>,
    outgoing: Vec<NewRelationship>,
    doomed: Doomed,
    pub(super) shared: BTreeMap<String, bool>,
    /// Cells with comments, where the sheet has any.
    pub(super) comments: Vec<String>,
    pub(super) legacy_written: bool,
    pub(super) dropped: Dropped,
}

/// Makes the part of `kind` out of the member `source`.
///
/// # Errors
/// XML that is not well-formed, another root than the kind has, a spent budget.
pub fn transform(
    b: &mut Builder<'_, '_, '_>,
    kind: PartKind,
    source: usize,
    base: &'static str,
) -> Result<(Vec<u8>, Vec<NewRelationship>), Refusal> {
    let place = b.package.name(source).to_owned();
    let incoming = b.relationships(&place)?;
    let bytes = b.package.read(source, b.cx.budget)?;
    let mut dropped = Dropped::new();
    let text = decode(&bytes, b.cx.budget, &mut dropped)?;
    // The output is about as long as the input; the fragment on the way is short.
    b.cx.budget.spend_bytes(text.len() as u64)?;
    let web = b.grammar.web;
    let doomed = if b.family == Family::Word { fields::judge(&text, web)? } else { Doomed::default() };
    let mut t = Transform {
        b,
        w: Writer::default(),
        kind,
        base,
        place,
        incoming,
        by_id: HashMap::new(),
        mapped: BTreeMap::new(),
        links: BTreeMap::new(),
        outgoing: Vec::new(),
        doomed,
        shared: BTreeMap::new(),
        comments: Vec::new(),
        legacy_written: false,
        dropped,
    };
    t.index_relationships()?;
    if kind == PartKind::Main && t.b.family == Family::Excel {
        t.survey_sheets(&text)?;
    }
    t.implicit_relationships()?;
    t.run(&text)?;
    t.report();
    Ok((t.w.finish(), t.outgoing))
}

/// Elements that are written as they come, their children one by one.
fn streams(ns: Ns, name: &str) -> bool {
    matches!((ns, name), (Ns::W, "body") | (Ns::X, "sheetData"))
}

impl Transform<'_, '_, '_, '_> {
    fn run(&mut self, text: &str) -> Result<(), Refusal> {
        let mut reader = PartReader::new(text);
        let mut frag = Frag::default();
        let mut open: Vec<El> = Vec::new();
        let expected = self.b.family.row(self.kind).map(|row| (row.root_ns(self.b.family), row.root));
        loop {
            frag.clear();
            match reader.next(&mut frag)? {
                Step::Opened(el) => {
                    let row = NAMES.row(el);
                    if open.is_empty() && expected != Some((row.ns, row.name)) && !off(Filter::OoxRoot) {
                        return Err(Refusal::malformed(0, format!("{}: another root element", self.place)));
                    }
                    if open.is_empty() || (open.len() == 1 && streams(row.ns, row.name)) {
                        let Some(Item::Start { attributes, .. }) = frag.item(0) else {
                            continue;
                        };
                        self.begin(&frag, el, attributes)?;
                        open.push(el);
                        reader.detach();
                        continue;
                    }
                    let mut depth = 1u32;
                    while depth > 0 {
                        match reader.next(&mut frag)? {
                            Step::Opened(_) => depth = depth.saturating_add(1),
                            Step::Closed => depth = depth.saturating_sub(1),
                            Step::Text => {}
                            Step::Over => return Err(Refusal::internal("ooxml: the reader lost count")),
                        }
                    }
                    self.element(&frag, 0)?;
                }
                Step::Closed => {
                    let Some(el) = open.pop() else { continue };
                    if open.is_empty() {
                        self.before_end()?;
                    }
                    self.w.close(el);
                }
                Step::Text => {}
                Step::Over => break,
            }
        }
        for (id, count) in reader.dropped {
            let total = self.dropped.entry(id).or_default();
            *total = total.saturating_add(count);
        }
        Ok(())
    }

    fn report(&mut self) {
        for at in 0..self.incoming.len() {
            let out = self.incoming.get(at).filter(|r| r.external).map(|r| r.rel.as_str());
            match out {
                Some("hyperlink") | None => {}
                Some("image") => self.count("OOX-40"),
                Some("attachedTemplate") => self.count("OOX-08"),
                Some(_) => self.count("OOX-09"),
            }
        }
        let Doomed { fields, links, dde, .. } = self.doomed;
        for (id, count) in [("OOX-13", dde), ("OOX-14", fields), ("OOX-10", links)] {
            let total = self.dropped.entry(id).or_default();
            *total = total.saturating_add(count);
        }
        for (id, count) in std::mem::take(&mut self.dropped) {
            let action = match id {
                "OOX-21" | "OOX-10" | "OOX-16" | "OOX-38" | "OOX-42" => FindingAction::Neutralised,
                "OOX-30" | "OOX-29" => FindingAction::Kept,
                "OOX-33" | "OOX-39" => FindingAction::ReEncoded,
                _ => FindingAction::Removed,
            };
            self.b.cx.found_count(id, action, &self.place, count);
        }
    }

    pub(super) fn count(&mut self, id: &'static str) {
        let total = self.dropped.entry(id).or_default();
        *total = total.saturating_add(1);
    }

    fn implicit_relationships(&mut self) -> Result<(), Refusal> {
        let mut once = BTreeSet::new();
        for at in 0..self.incoming.len() {
            let Some(r) = self.incoming.get(at).filter(|r| r.standard && !r.external) else {
                continue;
            };
            let Some(row) = self.b.family.by_rel(&r.rel) else {
                continue;
            };
            let known = implicit(self.kind, row.kind) || off(Filter::OoxSilentParts);
            let more = row.kind != PartKind::PivotTable && !off(Filter::OoxSecondPart);
            if !known || (more && !once.insert(row.kind)) {
                continue;
            }
            let Some(entry) = self.b.package.resolve(&self.place, &r.target) else {
                continue;
            };
            let comments = matches!(
                row.kind,
                PartKind::WordComments | PartKind::SheetComments | PartKind::SlideComments | PartKind::CommentAuthors
            );
            if comments && self.b.policy.comments == Comments::Remove && !off(Filter::OoxComments) {
                self.count("OOX-29");
                continue;
            }
            let Some(part) = self.b.part(row.kind, entry, self.base) else {
                continue;
            };
            if row.kind == PartKind::SheetComments {
                self.comments = self.comment_cells(entry)?;
            }
            self.outgoing.push(NewRelationship { rel: row.rel, target: Target::Part(part) });
        }
        Ok(())
    }

    /// Makes relationships findable by id, without those to pivots over data outside the book (OOX-17).
    fn index_relationships(&mut self) -> Result<(), Refusal> {
        let mut keep = Vec::with_capacity(self.incoming.len());
        for r in std::mem::take(&mut self.incoming) {
            let pivot = r.standard && !r.external && matches!(r.rel.as_str(), "pivotTable" | "pivotCacheDefinition");
            let entry = self.b.package.resolve(&self.place, &r.target).filter(|_| pivot);
            match entry {
                Some(entry) if !self.pivot_is_local(entry)? && !off(Filter::OoxPivots) => self.count("OOX-17"),
                Some(_) | None => keep.push(r),
            }
        }
        for (at, r) in keep.iter().enumerate() {
            self.by_id.entry(r.id.clone()).or_insert(at);
        }
        self.incoming = keep;
        Ok(())
    }

    fn incoming(&self, id: &str) -> Option<&Relationship> {
        self.by_id.get(id).and_then(|at| self.incoming.get(*at))
    }

    /// The member that the first relationship of a type leads to.
    pub(super) fn sole_part(&self, rel: &str) -> Option<usize> {
        let r = self.incoming.iter().find(|r| r.standard && !r.external && r.rel == rel)?;
        self.b.package.resolve(&self.place, &r.target)
    }

    /// The member of the input and the kind of part that an id leads to.
    fn leads(&self, id: &str, to: &[PartKind]) -> Option<(PartKind, &'static str, usize)> {
        let r = self.incoming(id).filter(|r| r.standard && !r.external)?;
        let row = self.b.family.by_rel(&r.rel)?;
        let fits = to.contains(&row.kind) || off(Filter::OoxTargets);
        let entry = self.b.package.resolve(&self.place, &r.target).filter(|_| fits)?;
        Some((row.kind, row.rel, entry))
    }

    /// Whether a relationship leads to a sheet that stays.
    pub(super) fn is_sheet(&self, id: &str) -> bool {
        self.leads(id, &[PartKind::Worksheet, PartKind::Chartsheet]).is_some()
    }

    /// The new id for a relationship of the input to a part; `None` where it leads nowhere that we keep.
    pub(super) fn follow(&mut self, id: &str, to: &[PartKind]) -> Result<Option<String>, Refusal> {
        // The kind is asked first: an id that was followed from elsewhere may be of another.
        let Some((kind, rel, entry)) = self.leads(id, to) else {
            return Ok(None);
        };
        if let Some(known) = self.mapped.get(id) {
            return Ok(known.map(|at| format!("rId{at}")));
        }
        let part = if kind == PartKind::Picture {
            self.b.picture(Some(entry), self.base)?
        } else {
            self.b.part(kind, entry, self.base)
        };
        let new = part.map(|part| self.relate(rel, Target::Part(part)));
        self.mapped.insert(id.to_owned(), new);
        Ok(new.map(|at| format!("rId{at}")))
    }

    /// Adds a relationship; its number.
    pub(super) fn relate(&mut self, rel: &'static str, target: Target) -> usize {
        self.outgoing.push(NewRelationship { rel, target });
        self.outgoing.len()
    }

    /// The new id for a link out, `None` where it may not stay.
    pub(super) fn link_out(&mut self, id: &str) -> Option<String> {
        if let Some(known) = self.links.get(id) {
            return known.map(|at| format!("rId{at}"));
        }
        let r = self.incoming(id).filter(|r| r.standard && r.external && r.rel == "hyperlink")?;
        let address = WebAddress::parse(&r.target).filter(|_| self.b.grammar.web);
        let new = address.map(|address| self.relate("hyperlink", Target::Web(address)));
        self.links.insert(id.to_owned(), new);
        new.map(|at| format!("rId{at}"))
    }

    /// Writes an element with everything in it, by its hook.
    pub(super) fn element(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, after, serial }) = frag.item(at) else {
            return Ok(());
        };
        if self.doomed.serials.contains(&serial) {
            return Ok(());
        }
        let row = NAMES.row(el);
        match row.hook {
            Hook::None => self.plain(frag, at),
            Hook::Refers { to, required } => {
                // A chart's own `c:chart` has content; the one that refers to a chart part has none.
                let content = after > at.saturating_add(2);
                if required && !content && !self.all_lead(frag, attributes, to) {
                    self.count("OOX-22");
                    return Ok(());
                }
                self.plain(frag, at)
            }
            Hook::Graphic => {
                if super::links::is_graphic(frag.attribute(attributes, Ns::None, "uri").unwrap_or_default()) {
                    return self.plain(frag, at);
                }
                self.count("OOX-22");
                Ok(())
            }
            Hook::Blip => self.blip(frag, at),
            Hook::Link => self.link(frag, at),
            Hook::WordLink => self.word_link(frag, at),
            Hook::SheetLink => self.sheet_link(frag, at),
            Hook::SimpleField => {
                let instruction = frag.attribute(attributes, Ns::W, "instr").unwrap_or_default();
                if fields::may_stay(instruction, self.b.grammar.web) {
                    return self.plain(frag, at);
                }
                let dde = instruction.trim_start().get(..3).is_some_and(|code| code.eq_ignore_ascii_case("DDE"));
                self.count(if dde { "OOX-13" } else { "OOX-14" });
                self.children(frag, at)
            }
            Hook::Vml if off(Filter::OoxVml) => self.plain(frag, at),
            Hook::Vml => self.vml(frag, at),
            Hook::Frame => self.frame(frag, at),
            Hook::Timing => {
                let mut verbs = ["cmd", "audio", "video"].iter().flat_map(|name| frag.find_all(at, after, Ns::P, name));
                if verbs.next().is_some() && !off(Filter::OoxTiming) {
                    self.count("OOX-26");
                    return Ok(());
                }
                self.plain(frag, at)
            }
            Hook::Never if off(Filter::OoxTiming) => self.plain(frag, at),
            Hook::Never => {
                self.count("OOX-26");
                Ok(())
            }
            Hook::Cell => self.cell(frag, at),
            Hook::Sheet => self.sheet(frag, at),
            Hook::DefinedName => self.defined_name(frag, at),
            Hook::BookView => self.book_view(frag, at),
            Hook::Legacy => self.legacy(),
            Hook::AfterLegacy => {
                self.legacy()?;
                if row.name == "picture" && !self.all_lead(frag, attributes, &[PartKind::Picture]) {
                    return Ok(());
                }
                self.unless_empty(frag, at, row.name != "picture")
            }
            Hook::CommentMark => {
                if self.b.policy.comments == Comments::Remove && !off(Filter::OoxComments) {
                    self.count("OOX-29");
                    return Ok(());
                }
                self.plain(frag, at)
            }
            Hook::Hidden => {
                if is_hidden(frag, attributes, row.name) {
                    self.count("OOX-30");
                }
                let lost = row.name == "sld"
                    && frag.attribute(attributes, Ns::R, "id").is_some()
                    && !self.all_lead(frag, attributes, &[PartKind::Slide]);
                if lost { Ok(()) } else { self.plain(frag, at) }
            }
            Hook::NeedsChild => self.unless_empty(frag, at, true),
        }
    }

    fn unless_empty(&mut self, frag: &Frag, at: usize, wants_child: bool) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, .. }) = frag.item(at) else {
            return Ok(());
        };
        let place = self.w.here();
        self.begin(frag, el, attributes)?;
        self.children(frag, at)?;
        if wants_child && self.w.is_bare() {
            self.w.undo(place);
        } else {
            self.w.close(el);
        }
        Ok(())
    }

    /// Whether every relationship that the element names leads to a part of these kinds.
    pub(super) fn all_lead(&self, frag: &Frag, attributes: Span, to: &[PartKind]) -> bool {
        let mut ids = frag.attributes(attributes).filter(|(at, _)| NAMES.attribute_row(*at).0 == Ns::R).peekable();
        ids.peek().is_some() && ids.all(|(_, id)| self.leads(id, to).is_some())
    }

    /// Writes an element as it is.
    pub(super) fn plain(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, .. }) = frag.item(at) else {
            return Ok(());
        };
        self.begin(frag, el, attributes)?;
        self.children(frag, at)?;
        self.w.close(el);
        Ok(())
    }

    /// Writes what is inside an element.
    pub(super) fn children(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, after, .. }) = frag.item(at) else {
            return Ok(());
        };
        let holds = NAMES.row(el).text;
        let mut next = at.saturating_add(1);
        while next < after {
            match frag.item(next) {
                Some(Item::Start { after, .. }) => {
                    self.element(frag, next)?;
                    next = after;
                    continue;
                }
                Some(Item::Text(span)) => self.text(holds, frag.str(span)),
                Some(Item::End) | None => {}
            }
            next = next.saturating_add(1);
        }
        Ok(())
    }

    fn text(&mut self, holds: Option<Kind>, text: &str) {
        match holds {
            Some(Kind::Formula) if !self.b.grammar.allows(text) => {
                self.count("OOX-38");
                self.w.text("#REF!");
            }
            Some(_) => self.w.text(text),
            None if off(Filter::OoxText) => self.w.text(text),
            None => {}
        }
    }

    /// Opens an element with those of its attributes that stay.
    pub(super) fn begin(&mut self, frag: &Frag, el: El, attributes: Span) -> Result<(), Refusal> {
        self.begin_without(frag, el, attributes, &[])
    }

    pub(super) fn begin_without(
        &mut self,
        frag: &Frag,
        el: El,
        attributes: Span,
        without: &[&str],
    ) -> Result<(), Refusal> {
        let row = NAMES.row(el);
        self.w.open(el);
        for (at, value) in frag.attributes(attributes) {
            if without.contains(&NAMES.attribute_row(at).1) {
                continue;
            }
            match row.attribute(at) {
                Some(Kind::Relationship) => {
                    if let Some(new) = self.follow(value, row.hook.targets())? {
                        self.w.attribute(at, &new);
                    }
                }
                Some(Kind::Formula) if !self.b.grammar.allows(value) => self.count("OOX-38"),
                Some(_) => self.w.attribute(at, value),
                None => {}
            }
        }
        Ok(())
    }
}

/// The attribute of the tables with this name.
pub fn attribute(ns: Ns, name: &str) -> Option<At> {
    NAMES.find_attribute(ns, name)
}

fn is_hidden(frag: &Frag, attributes: Span, name: &str) -> bool {
    let on = |value: &str| matches!(value, "1" | "true" | "on");
    match name {
        "row" | "col" => frag.attribute(attributes, Ns::None, "hidden").is_some_and(on),
        "sld" => frag.attribute(attributes, Ns::None, "show").is_some_and(|v| !on(v)),
        _ => frag.attribute(attributes, Ns::W, "val").is_none_or(on),
    }
}
