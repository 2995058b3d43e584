//! What is particular to SpreadsheetML: sheets that go, formulas of cells, names, comment boxes, pivots.

use super::build::Target;
use super::names::{NAMES, Ns};
use super::parts::PartKind;
use super::read::{Dropped, Frag, Item, PartReader, Step, decode};
use super::transform::Transform;
use super::write::{DECLARATION, Writer};
use crate::switches::{Filter, off};
use model::Refusal;

impl Transform<'_, '_, '_, '_> {
    /// Reads the workbook for its sheets before it is written: names and numbers depend on which of them stay.
    pub(super) fn survey_sheets(&mut self, text: &str) -> Result<(), Refusal> {
        let (mut reader, mut frag) = (PartReader::new(text), Frag::default());
        let mut kept = 0u32;
        loop {
            frag.clear();
            let step = reader.next(&mut frag)?;
            if step == Step::Over {
                break;
            }
            if let (Step::Opened(el), Some(Item::Start { attributes, .. })) = (step, frag.item(0)) {
                let row = NAMES.row(el);
                if (row.ns, row.name) == (Ns::X, "sheet") {
                    let stays = frag.attribute(attributes, Ns::R, "id").is_some_and(|id| self.is_sheet(id));
                    self.b.sheets.push(stays.then_some(kept));
                    kept = kept.saturating_add(u32::from(stays));
                    if !stays {
                        let name = frag.attribute(attributes, Ns::None, "name").unwrap_or_default();
                        self.b.grammar.gone_sheets.push(name.to_lowercase());
                        self.count("OOX-05");
                    }
                }
            }
            reader.detach();
        }
        if kept == 0 {
            return Err(Refusal::unsupported("a workbook without a worksheet"));
        }
        Ok(())
    }

    pub(super) fn sheet(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { attributes, .. }) = frag.item(at) else {
            return Ok(());
        };
        if !frag.attribute(attributes, Ns::R, "id").is_some_and(|id| self.is_sheet(id)) {
            return Ok(());
        }
        if frag.attribute(attributes, Ns::None, "state").is_some_and(|s| s != "visible") {
            self.count("OOX-30");
        }
        self.plain(frag, at)
    }

    pub(super) fn book_view(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, .. }) = frag.item(at) else {
            return Ok(());
        };
        self.begin_without(frag, el, attributes, &["activeTab", "firstSheet"])?;
        for name in ["firstSheet", "activeTab"] {
            let new = frag.attribute(attributes, Ns::None, name).and_then(|old| self.new_sheet(old));
            if let (Some(new), Some(at)) = (new, super::transform::attribute(Ns::None, name)) {
                self.w.attribute(at, &new.to_string());
            }
        }
        self.w.close(el);
        Ok(())
    }

    fn new_sheet(&self, old: &str) -> Option<u32> {
        let old: usize = old.trim().parse().ok()?;
        self.b.sheets.get(old).copied().flatten()
    }

    /// A defined name: macro names go (OOX-05), numbers of sheets follow, what it says must be a formula of the book.
    pub(super) fn defined_name(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, .. }) = frag.item(at) else {
            return Ok(());
        };
        let on = |name| frag.attribute(attributes, Ns::None, name).is_some_and(|v| matches!(v, "1" | "true" | "on"));
        let name = frag.attribute(attributes, Ns::None, "name").unwrap_or_default().to_ascii_lowercase();
        let auto = is_macro_name(&name) && !off(Filter::OoxMacroNames);
        let flagged = (on("function") || on("vbProcedure") || on("xlm")) && !off(Filter::OoxMacroFlags);
        if auto || flagged {
            self.count("OOX-05");
            return Ok(());
        }
        let local = frag.attribute(attributes, Ns::None, "localSheetId");
        let new = local.and_then(|old| self.new_sheet(old));
        if local.is_some() && new.is_none() {
            self.count("OOX-05");
            return Ok(());
        }
        let flags: &[&str] =
            if off(Filter::OoxMacroFlags) { &[] } else { &["function", "vbProcedure", "xlm", "localSheetId"] };
        self.begin_without(frag, el, attributes, flags)?;
        if let (Some(new), Some(at)) = (new, super::transform::attribute(Ns::None, "localSheetId")) {
            self.w.attribute(at, &new.to_string());
        }
        if on("hidden") {
            self.count("OOX-30");
        }
        self.children(frag, at)?;
        self.w.close(el);
        Ok(())
    }

    /// A cell: its formula stays or goes, its value stays (OOX-15, OOX-16).
    pub(super) fn cell(&mut self, frag: &Frag, at: usize) -> Result<(), Refusal> {
        let Some(Item::Start { el, attributes, after, .. }) = frag.item(at) else {
            return Ok(());
        };
        self.begin(frag, el, attributes)?;
        let mut next = at.saturating_add(1);
        while next < after {
            let Some(Item::Start { el: child, after: behind, attributes, .. }) = frag.item(next) else {
                next = next.saturating_add(1);
                continue;
            };
            if NAMES.row(child).name != "f" || self.formula_stays(frag, next, attributes) {
                self.element(frag, next)?;
            }
            next = behind;
        }
        self.w.close(el);
        Ok(())
    }

    fn formula_stays(&mut self, frag: &Frag, at: usize, attributes: super::read::Span) -> bool {
        let text = match frag.item(at.saturating_add(1)) {
            Some(Item::Text(span)) => frag.str(span),
            Some(_) | None => "",
        };
        let allowed = self.b.grammar.allows(text);
        if frag.attribute(attributes, Ns::None, "t") == Some("shared") {
            let group = frag.attribute(attributes, Ns::None, "si").unwrap_or_default();
            if text.is_empty() {
                // Follows the first cell of its group.
                return self.shared.get(group).copied().unwrap_or(false);
            }
            self.shared.insert(group.to_owned(), allowed);
        }
        if !allowed {
            let reaches_out = text.contains(['|', '[', '\\']);
            self.count(if reaches_out { "OOX-15" } else { "OOX-16" });
        }
        allowed
    }

    /// Our own comment boxes and the reference to them, once, where the sheet has comments.
    pub(super) fn legacy(&mut self) -> Result<(), Refusal> {
        if self.kind != PartKind::Worksheet
            || std::mem::replace(&mut self.legacy_written, true)
            || self.comments.is_empty()
        {
            return Ok(());
        }
        let boxes = comment_boxes(&self.comments);
        self.recognise_boxes(&boxes)?;
        self.b.cx.budget.spend_bytes(boxes.len() as u64)?;
        let Some(part) = self.b.own(PartKind::CommentBoxes, self.base, boxes) else {
            return Ok(());
        };
        let number = self.relate("vmlDrawing", Target::Part(part));
        if let (Some(el), Some(at)) = (NAMES.find(Ns::X, "legacyDrawing"), super::transform::attribute(Ns::R, "id")) {
            self.w.open(el);
            self.w.attribute(at, &format!("rId{number}"));
            self.w.close(el);
        }
        Ok(())
    }

    /// Boxes of the input that are ours to the byte are no finding.
    fn recognise_boxes(&mut self, boxes: &[u8]) -> Result<(), Refusal> {
        let Some(entry) = self.sole_part("vmlDrawing") else {
            return Ok(());
        };
        if self.b.package.read(entry, self.b.cx.budget)?.as_ref() == boxes {
            self.b.see(entry);
        }
        Ok(())
    }

    /// What must stand at the end of a root element.
    pub(super) fn before_end(&mut self) -> Result<(), Refusal> {
        self.legacy()
    }

    /// The cells that a comments part speaks of.
    pub(super) fn comment_cells(&mut self, entry: usize) -> Result<Vec<String>, Refusal> {
        let bytes = self.b.package.read(entry, self.b.cx.budget)?;
        let text = decode(&bytes, self.b.cx.budget, &mut Dropped::new())?;
        let mut cells = Vec::new();
        each_start(&text, |name, frag, attributes| {
            if name == "comment" {
                cells.extend(frag.attribute(attributes, Ns::None, "ref").map(str::to_owned));
            }
        })?;
        Ok(cells)
    }

    /// Whether a pivot table or cache has its data in a sheet of this book (OOX-17).
    pub(super) fn pivot_is_local(&mut self, entry: usize) -> Result<bool, Refusal> {
        let name = self.b.package.name(entry).to_owned();
        let bytes = self.b.package.read(entry, self.b.cx.budget)?;
        let text = decode(&bytes, self.b.cx.budget, &mut Dropped::new())?;
        let (mut is_table, mut local) = (false, false);
        let relationships = self.b.relationships(&name)?;
        each_start(&text, |name, frag, attributes| match name {
            "pivotTableDefinition" => is_table = true,
            "cacheSource" => local = frag.attribute(attributes, Ns::None, "type") == Some("worksheet"),
            _ => {}
        })?;
        if !is_table {
            return Ok(local && relationships.iter().all(|r| !r.external || r.target.is_empty()));
        }
        let cache = relationships.iter().find(|r| r.standard && !r.external && r.rel == "pivotCacheDefinition");
        match cache.and_then(|r| self.b.package.resolve(&name, &r.target)) {
            Some(cache) if cache != entry => self.pivot_is_local(cache),
            Some(_) | None => Ok(false),
        }
    }
}

/// Names that Excel runs by itself, and built-in names that we don't know (OOX-05).
fn is_macro_name(name: &str) -> bool {
    const RUN: [&str; 4] = ["auto_open", "auto_close", "auto_activate", "auto_deactivate"];
    const BUILT_IN: [&str; 8] = [
        "print_area",
        "print_titles",
        "criteria",
        "extract",
        "_filterdatabase",
        "database",
        "consolidate_area",
        "sheet_title",
    ];
    let (built_in, bare) = name.strip_prefix("_xlnm.").map_or((false, name), |bare| (true, bare));
    RUN.iter().any(|run| bare.starts_with(run)) || (built_in && !BUILT_IN.contains(&bare))
}

fn each_start(text: &str, mut see: impl FnMut(&'static str, &Frag, super::read::Span)) -> Result<(), Refusal> {
    let (mut reader, mut frag) = (PartReader::new(text), Frag::default());
    loop {
        frag.clear();
        match reader.next(&mut frag)? {
            Step::Opened(el) => {
                if let Some(Item::Start { attributes, .. }) = frag.item(0) {
                    see(NAMES.row(el).name, &frag, attributes);
                }
            }
            Step::Over => return Ok(()),
            Step::Closed | Step::Text => {}
        }
        reader.detach();
    }
}

/// Row and column of a cell, from 0.
fn cell_place(cell: &str) -> Option<(u32, u32)> {
    let letters = cell.find(|c: char| c.is_ascii_digit())?;
    let (column, row) = cell.split_at_checked(letters)?;
    let mut number = 0u32;
    for c in column.chars() {
        let digit = c.to_ascii_uppercase().to_digit(36)?.checked_sub(9)?;
        number = number.checked_mul(26)?.checked_add(digit)?;
    }
    let row: u32 = row.parse().ok()?;
    (number <= 16_384 && row <= 1_048_576).then_some((row.checked_sub(1)?, number.checked_sub(1)?))
}

/// The VML that Excel wants beside comments: generated, see `docs/formats/xlsx.md`.
fn comment_boxes(cells: &[String]) -> Vec<u8> {
    let mut w = Writer::default();
    w.literal(&[], DECLARATION);
    w.literal(&[], "<xml xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><v:shapetype id=\"_x0000_t202\" coordsize=\"21600,21600\" o:spt=\"202\" path=\"m,l,21600r21600,l21600,xe\"><v:stroke joinstyle=\"miter\"/><v:path gradientshapeok=\"t\" o:connecttype=\"rect\"/></v:shapetype>");
    for (i, (row, column)) in (1u64..).zip(cells.iter().map(|c| cell_place(c).unwrap_or((0, 0)))) {
        w.literal(&[], "<v:shape id=\"_x0000_s");
        w.number(i.saturating_add(1024));
        w.literal(&[], "\" type=\"#_x0000_t202\" style=\"position:absolute;margin-left:60pt;margin-top:2pt;width:108pt;height:60pt;z-index:");
        w.number(i);
        w.literal(&[], ";visibility:hidden\" fillcolor=\"#ffffe1\" o:insetmode=\"auto\"><v:fill color2=\"#ffffe1\"/><v:path o:connecttype=\"none\"/><v:textbox style=\"mso-direction-alt:auto\"><div style=\"text-align:left\"></div></v:textbox><x:ClientData ObjectType=\"Note\"><x:MoveWithCells/><x:SizeWithCells/><x:AutoFill>False</x:AutoFill><x:Row>");
        w.number(u64::from(row));
        w.literal(&[], "</x:Row><x:Column>");
        w.number(u64::from(column));
        w.literal(&[], "</x:Column></x:ClientData></v:shape>");
    }
    w.literal(&[], "</xml>");
    w.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::cell_place;

    #[test]
    fn cells_have_their_place() {
        assert_eq!(cell_place("A1"), Some((0, 0)));
        assert_eq!(cell_place("XFD1048576"), Some((1_048_575, 16_383)));
        assert_eq!(cell_place("AB12"), Some((11, 27)));
        assert_eq!(cell_place("A0"), None);
        assert_eq!(cell_place("1"), None);
        assert_eq!(cell_place("ZZZZZZZZZ1"), None);
    }
}
