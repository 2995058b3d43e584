//! What leads somewhere: pictures, links and frames (OOX-10, OOX-11, OOX-26, OOX-40).

use super::build::Target;
use super::hooks::Hook;
use super::names::{NAMES, Ns};
use super::parts::PartKind;
use super::read::{Frag, Item};
use super::transform::{Transform, attribute};
use super::values;
use crate::switches::{Filter, off};
use model::Refusal;

impl Transform<'_, '_, '_, '_> {
    pub(super) fn blip(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, .. }) = frag.item(at) else {
            return Ok(());
        };
        let embed = frag.attribute(attributes, Ns::R, "embed").filter(|id| !id.is_empty());
        let link = frag.attribute(attributes, Ns::R, "link").filter(|id| !id.is_empty());
        self.begin_without(frag, el, attributes, &["embed", "link"])?;
        if embed.is_some() || link.is_some() {
            let known = match embed {
                Some(id) => self.follow(id, &[PartKind::Picture])?,
                None => None,
            };
            let id = match known {
                Some(id) => Some(id),
                None => {
                    let part = self.b.picture(None, self.base)?;
                    part.map(|part| format!("rId{}", self.relate("image", Target::Part(part))))
                }
            };
            if let (Some(id), Some(at)) = (id, attribute(Ns::R, "embed")) {
                self.w.attribute(at, &id);
            }
        }
        self.children(frag, at)?;
        self.w.close(el);
        Ok(())
    }

    /// `a:hlinkClick` and its kin: out to the web, to a slide, or a show command (OOX-10, OOX-26).
    pub(super) fn link(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, .. }) = frag.item(at) else {
            return Ok(());
        };
        let id = frag.attribute(attributes, Ns::R, "id").unwrap_or_default();
        let action = raw_action(frag.attribute(attributes, Ns::None, "action").unwrap_or_default());
        let new = match action {
            Action::None if id.is_empty() => Some(String::new()),
            Action::None => self.link_out(id),
            Action::Slide => self.follow(id, &[PartKind::Slide])?,
            Action::Show => Some(String::new()),
            Action::Other => None,
        };
        let Some(new) = new else {
            self.count(if action == Action::Other { "OOX-26" } else { "OOX-10" });
            return Ok(());
        };
        self.begin_without(frag, el, attributes, &["id"])?;
        if let Some(at) = attribute(Ns::R, "id") {
            self.w.attribute(at, &new);
        }
        self.children(frag, at)?;
        self.w.close(el);
        Ok(())
    }

    pub(super) fn word_link(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, .. }) = frag.item(at) else {
            return Ok(());
        };
        let anchor = frag.attribute(attributes, Ns::W, "anchor").unwrap_or_default();
        let without: &[&str] =
            if values::looks_active(anchor) && !off(Filter::OoxAnchors) { &["id", "anchor"] } else { &["id"] };
        let new = match frag.attribute(attributes, Ns::R, "id") {
            None if without.len() == 1 => Some(String::new()),
            None => None,
            Some(id) => self.link_out(id),
        };
        let Some(new) = new else {
            self.count("OOX-10");
            return self.children(frag, at);
        };
        self.begin_without(frag, el, attributes, without)?;
        if let (Some(at), false) = (attribute(Ns::R, "id"), new.is_empty()) {
            self.w.attribute(at, &new);
        }
        self.children(frag, at)?;
        self.w.close(el);
        Ok(())
    }

    pub(super) fn sheet_link(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, .. }) = frag.item(at) else {
            return Ok(());
        };
        let id = frag.attribute(attributes, Ns::R, "id");
        let location = frag.attribute(attributes, Ns::None, "location").unwrap_or_default();
        // A place in this book: a sheet, a name, a range.
        let inside = !location.contains('|') && !values::looks_active(location) || off(Filter::OoxLocations);
        let new = match id {
            Some(id) => self.link_out(id),
            None => (inside && !location.is_empty()).then(String::new),
        };
        let Some(new) = new else {
            self.count("OOX-10");
            return Ok(());
        };
        let without: &[&str] = if inside { &["id"] } else { &["id", "location"] };
        self.begin_without(frag, el, attributes, without)?;
        if let (Some(at), false) = (attribute(Ns::R, "id"), new.is_empty()) {
            self.w.attribute(at, &new);
        }
        self.w.close(el);
        Ok(())
    }

    /// A frame around a graphic: it stays where the graphic is one that we know and leads somewhere.
    pub(super) fn frame(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, after, .. }) = frag.item(at) else {
            return Ok(());
        };
        if NAMES.row(el).ns == Ns::P
            && let Some(pic) = frag.find_all(at, after, Ns::P, "pic").next()
        {
            // The preview of an OLE object takes its place (OOX-11).
            return self.element(frag, pic);
        }
        for data in frag.find_all(at, after, Ns::A, "graphicData") {
            let Some(Item::Start { attributes, .. }) = frag.item(data) else {
                continue;
            };
            let uri = frag.attribute(attributes, Ns::None, "uri").unwrap_or_default();
            if uri.ends_with("/ole") && NAMES.row(el).ns == Ns::P {
                self.count("OOX-11");
                return self.stand_in(frag, at, after);
            }
            if !is_graphic(uri) {
                self.count(if uri.ends_with("/ole") { "OOX-11" } else { "OOX-22" });
                return Ok(());
            }
        }
        for inner in at..after {
            let Some(Item::Start { el, attributes, .. }) = frag.item(inner) else {
                continue;
            };
            if let Hook::Refers { to, required: true } = NAMES.row(el).hook
                && !self.all_lead(frag, attributes, to)
            {
                self.count("OOX-22");
                return Ok(());
            }
        }
        self.plain(frag, at)
    }

    /// An OLE object of a slide without a preview that we could keep: a grey field in its place.
    fn stand_in(&mut self, frag: &Frag, at: usize, after: usize) -> Result<(), Refusal> {
        let value = |ns: Ns, element: &'static str, name: &str| {
            let found = frag.find_all(at, after, ns, element).find_map(|inner| match frag.item(inner) {
                Some(Item::Start { attributes, .. }) => frag.attribute(attributes, Ns::None, name),
                Some(Item::Text(_) | Item::End) | None => None,
            });
            found.unwrap_or("0").to_owned()
        };
        let (id, name) = (value(Ns::P, "cNvPr", "id"), value(Ns::P, "cNvPr", "name"));
        let place =
            [("off", "x"), ("off", "y"), ("ext", "cx"), ("ext", "cy")].map(|(of, which)| value(Ns::A, of, which));
        let Some(part) = self.b.picture(None, self.base)? else {
            return Ok(());
        };
        let picture = format!("rId{}", self.relate("image", Target::Part(part)));
        let w = &mut self.w;
        w.literal(&[Ns::P, Ns::A, Ns::R], "<p:pic><p:nvPicPr><p:cNvPr id=\"");
        w.quoted(&id);
        w.literal(&[], "\" name=\"");
        w.quoted(&name);
        w.literal(&[], "\"/><p:cNvPicPr/><p:nvPr/></p:nvPicPr><p:blipFill><a:blip r:embed=\"");
        w.quoted(&picture);
        w.literal(&[], "\"/><a:stretch><a:fillRect/></a:stretch></p:blipFill><p:spPr><a:xfrm><a:off x=\"");
        let [x, y, width, height] = &place;
        w.quoted(x);
        w.literal(&[], "\" y=\"");
        w.quoted(y);
        w.literal(&[], "\"/><a:ext cx=\"");
        w.quoted(width);
        w.literal(&[], "\" cy=\"");
        w.quoted(height);
        w.literal(&[], "\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></p:spPr></p:pic>");
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    None,
    Slide,
    Show,
    Other,
}

/// What an action of a link does ([MS-OE376] 2.1.1363): jumps inside the show are all that stays.
fn raw_action(action: &str) -> Action {
    if action.is_empty() {
        return Action::None;
    }
    if off(Filter::OoxActions) {
        return Action::Show;
    }
    match action.strip_prefix("ppaction://") {
        Some("hlinksldjump") => Action::Slide,
        Some("noaction") => Action::Show,
        Some(other) => match other.strip_prefix("hlinkshowjump?jump=") {
            Some("firstslide" | "lastslide" | "nextslide" | "previousslide" | "endshow" | "lastslideviewed") => {
                Action::Show
            }
            Some(_) | None => Action::Other,
        },
        None => Action::Other,
    }
}

/// Whether a graphic is of a kind that we write.
pub(super) fn is_graphic(uri: &str) -> bool {
    let kinds = [Ns::C, Ns::Dgm, Ns::Lc, Ns::Pic, Ns::Wps, Ns::Wpg, Ns::Wpc];
    uri == "http://schemas.openxmlformats.org/drawingml/2006/table"
        || off(Filter::OoxGraphics)
        || kinds.iter().any(|ns| ns.declaration().is_some_and(|d| d.1 == uri))
}
