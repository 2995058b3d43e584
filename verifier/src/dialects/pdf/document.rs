//! The catalogue, pages, links, outlines and optional content (ISO 32000-1, 7.7, 8.11, 12.3 to 12.6).

use super::graph::{Facts, Graph, Kind};
use super::value::{Dict, Value, string_bytes};
use crate::Rejection;
use model::Links;

/// Of visibility expressions and /Order.
const OC_DEPTH: u8 = 8;

/// Forms, images, patterns and glyphs that a page draws, those within others counted each time.
const DRAWINGS: u64 = 1_000_000;

impl Graph<'_, '_> {
    /// 7.7.2. Pages are marked first, so that destinations can be checked wherever they stand.
    pub(super) fn catalogue(&mut self, id: u32) -> Result<Facts, Rejection> {
        let mut dict = self.load_dict(id)?;
        dict.is("Type", "Catalog")?;
        if dict.reference("Pages")? != 2 {
            return Err(dict.reject("dialect §1: object 2 is the page tree"));
        }
        let kids = self.page_tree()?;
        dict.opt("Lang", |v| {
            let digits = v.string().filter(|d| (2..=70).contains(&d.len()))?;
            string_bytes(digits).all(|b| b.is_ascii_alphanumeric() || b == b'-').then_some(())
        })?;
        let layouts = ["SinglePage", "OneColumn", "TwoColumnLeft", "TwoColumnRight", "TwoPageLeft", "TwoPageRight"];
        dict.one_of("PageLayout", &layouts)?;
        dict.one_of("PageMode", &["UseNone", "UseOutlines"])?;
        if let Some(mut preferences) = dict.opt_dict("ViewerPreferences")? {
            preferences.check(preferences.get("Direction").is_some(), "/Direction is missing")?;
            preferences.one_of("Direction", &["L2R", "R2L"])?;
            preferences.done()?;
        }
        if let Some(labels) = dict.opt_dict("PageLabels")? {
            page_labels(labels)?;
        }
        if let Some(properties) = dict.opt_dict("OCProperties")? {
            self.oc_properties(properties)?;
        }
        for kid in kids {
            self.visit(kid, Kind::Page)?;
        }
        if let Some(outlines) = dict.opt_ref("Outlines")? {
            self.outlines(outlines)?;
        }
        dict.done()?;
        Ok(Facts::Nothing)
    }

    /// 7.7.3.2: flat.
    fn page_tree(&mut self) -> Result<Vec<u32>, Rejection> {
        self.claim(2, Kind::Pages)?;
        let mut dict = self.load_dict(2)?;
        dict.is("Type", "Pages")?;
        let kids: Vec<u32> = dict.req("Kids", |v| v.array()?.iter().map(Value::reference).collect())?;
        let count = dict.int("Count", 1..=i64::MAX)?;
        dict.check(usize::try_from(count) == Ok(kids.len()), "7.7.3.2: Count (PDF-11)")?;
        for kid in &kids {
            match self.pages.get_mut(*kid as usize) {
                Some(page @ false) => *page = true,
                _ => return Err(dict.reject("7.7.3.2: page that is there twice, or not at all (PDF-11)")),
            }
        }
        dict.done()?;
        Ok(kids)
    }

    /// 7.7.3.3.
    pub(super) fn page(&mut self, id: u32) -> Result<Facts, Rejection> {
        let mut dict = self.load_dict(id)?;
        dict.is("Type", "Page")?;
        let parent = dict.reference("Parent")?;
        dict.check(parent == 2, "7.7.3.3: Parent (PDF-11)")?;
        let media = dict.rect("MediaBox")?;
        dict.check(matches!(media.as_slice(), [x1, y1, x2, y2] if x1 < x2 && y1 < y2), "MediaBox without area")?;
        let crop = dict.opt_rect("CropBox")?;
        let inside = match (media.as_slice(), crop.as_deref()) {
            ([x1, y1, x2, y2], Some([a1, b1, a2, b2])) => a1 >= x1 && b1 >= y1 && a2 <= x2 && b2 <= y2,
            (_, crop) => crop.is_none(),
        };
        dict.check(inside, "14.11.2: CropBox beyond MediaBox")?;
        dict.opt("Rotate", |v| matches!(v.int()?, 90 | 180 | 270).then_some(()))?;
        dict.opt("UserUnit", |v| v.number().filter(|n| *n > 0.0 && *n <= 1000.0))?;
        if let Some(group) = dict.opt_dict("Group")? {
            self.group(group)?;
        }
        let contents = dict.reference("Contents")?;
        self.drawn(contents, &mut dict)?;
        dict.check(
            self.drawings <= DRAWINGS,
            "dialect §4: a page draws more than a million forms and images (PDF-77)",
        )?;
        if let Some(annots) = dict.take("Annots") {
            for annot in annots.array().filter(|a| !a.is_empty()).ok_or_else(|| dict.reject("/Annots"))? {
                let link = annot.reference().ok_or_else(|| dict.reject("/Annots: references only"))?;
                self.visit(link, Kind::Link)?;
            }
        }
        dict.done()?;
        Ok(Facts::Nothing)
    }

    /// 12.5.6.5.
    pub(super) fn link(&mut self, id: u32) -> Result<Facts, Rejection> {
        let mut dict = self.load_dict(id)?;
        dict.is("Type", "Annot")?;
        dict.is("Subtype", "Link")?;
        dict.rect("Rect")?;
        dict.opt("Border", |v| {
            let (widths, dash) = v.array()?.split_at_checked(3)?;
            let numbers = widths.iter().all(|w| w.number().is_some());
            let dashed = matches!(dash, [] | [Value::Array(_)]) && dash.iter().all(|d| d.numbers().is_some());
            (numbers && dashed).then_some(())
        })?;
        if let Some(mut style) = dict.opt_dict("BS")? {
            style.opt("W", Value::number)?;
            style.one_of("S", &["S", "D", "B", "I", "U"])?;
            style.opt_numbers("D")?;
            style.done()?;
        }
        dict.opt("C", |v| v.numbers().filter(|n| matches!(n.len(), 0 | 1 | 3 | 4)))?;
        dict.opt_int("F", 4..=4)?;
        dict.one_of("H", &["N", "I", "O", "P"])?;
        dict.opt("QuadPoints", |v| v.numbers().filter(|n| !n.is_empty() && n.len() & 7 == 0))?;
        let targets = self.target(&mut dict)?;
        dict.check(targets == 1, "dialect §2: a link has one of Dest and A")?;
        dict.done()?;
        Ok(Facts::Nothing)
    }

    /// Takes Dest and A, and says how many there were.
    fn target(&self, dict: &mut Dict<'_>) -> Result<u8, Rejection> {
        let mut targets = 0u8;
        if let Some(destination) = dict.take("Dest") {
            targets = 1;
            dict.check(self.destination(&destination), "12.3.2.2: explicit destination (PDF-40)")?;
        }
        if let Some(mut action) = dict.opt_dict("A")? {
            targets = targets.saturating_add(1);
            let web = self.policy.formats.pdf.is_some_and(|pdf| pdf.links == Links::Web);
            action.check(web, "the policy lets no link pass (PDF-23)")?;
            action.is("S", "URI")?;
            action.req("URI", |v| {
                let uri: Vec<u8> = string_bytes(v.string()?).collect();
                let starts =
                    |scheme: &str| uri.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme.as_bytes()));
                let scheme = ["http://", "https://", "mailto:"].into_iter().any(starts);
                (scheme && uri.len() <= 2048 && uri.iter().all(|b| matches!(b, 0x21..=0x7E))).then_some(())
            })?;
            action.done()?;
        }
        Ok(targets)
    }

    /// 12.3.2.2, to a page of the tree.
    fn destination(&self, value: &Value<'_>) -> bool {
        let Some([Value::Ref(page), Value::Name(view), places @ ..]) = value.array() else {
            return false;
        };
        let numbers = places.iter().filter(|p| p.number().is_some()).count();
        let loose = places.iter().all(|p| matches!(p, Value::Null) || p.number().is_some());
        let fits = match (*view, places.len()) {
            (b"XYZ", 3) | (b"FitH" | b"FitBH" | b"FitV" | b"FitBV", 1) => loose,
            (b"Fit" | b"FitB", 0) => true,
            (b"FitR", 4) => numbers == 4,
            _ => false,
        };
        fits && self.pages.get(*page as usize) == Some(&true)
    }

    /// 12.3.3. Every item is met once, so there is no cycle; the way back is compared with the way that we came.
    fn outlines(&mut self, root: u32) -> Result<(), Rejection> {
        self.claim(root, Kind::Outlines)?;
        let mut dict = self.load_dict(root)?;
        dict.is("Type", "Outlines")?;
        dict.opt_int("Count", i64::MIN..=i64::MAX)?;
        let mut levels = vec![(root, dict.reference("First")?, dict.reference("Last")?)];
        dict.done()?;
        while let Some((parent, first, last)) = levels.pop() {
            let (mut previous, mut next) = (None, Some(first));
            while let Some(id) = next {
                self.claim(id, Kind::OutlineItem)?;
                let mut item = self.load_dict(id)?;
                item.req("Title", |v| v.string().map(|_| ()))?;
                let links = (item.reference("Parent")?, item.opt_ref("Prev")?);
                item.check(links == (parent, previous), "12.3.3: Parent and Prev (PDF-12)")?;
                item.opt_int("Count", i64::MIN..=i64::MAX)?;
                item.opt_tuple("C", 3)?;
                item.opt_int("F", 1..=3)?;
                item.check(self.target(&mut item.clone())? <= 1, "dialect §2: one of Dest and A (PDF-41)")?;
                self.target(&mut item)?;
                match (item.opt_ref("First")?, item.opt_ref("Last")?) {
                    (Some(first), Some(last)) => levels.push((id, first, last)),
                    (None, None) => {}
                    _ => return Err(item.reject("12.3.3: First and Last")),
                }
                next = item.opt_ref("Next")?;
                item.check(next.is_some() || id == last, "12.3.3: Last")?;
                item.done()?;
                previous = Some(id);
            }
        }
        Ok(())
    }

    /// 8.11.4.2.
    fn oc_properties(&mut self, mut dict: Dict<'_>) -> Result<(), Rejection> {
        let groups: Vec<u32> = dict.req("OCGs", |v| v.array()?.iter().map(Value::reference).collect())?;
        for id in &groups {
            if !matches!(self.visit(*id, Kind::Property)?, Facts::Group) {
                return Err(dict.reject("8.11.4.2: OCGs"));
            }
            if let Some(listed) = self.groups.get_mut(*id as usize) {
                *listed = true;
            }
        }
        let mut config = dict.dict("D")?;
        config.one_of("BaseState", &["ON", "OFF"])?;
        for key in ["ON", "OFF"] {
            config.opt(key, |v| v.array()?.iter().all(|g| self.is_group(g)).then_some(()))?;
        }
        config.opt("Order", |v| self.order(v.array()?, 1).then_some(()))?;
        config.done()?;
        dict.done()
    }

    fn is_group(&self, value: &Value<'_>) -> bool {
        value.reference().is_some_and(|id| self.groups.get(id as usize) == Some(&true))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named is rejected")]
    fn order(&self, elements: &[Value<'_>], depth: u8) -> bool {
        depth <= OC_DEPTH
            && !elements.is_empty()
            && elements.iter().all(|element| match element {
                Value::Str(_) => true,
                Value::Array(inner) => self.order(inner, depth.saturating_add(1)),
                group => self.is_group(group),
            })
    }

    /// 8.11.2, 8.11.2.2: a group or a membership dictionary.
    pub(super) fn property(&mut self, id: u32) -> Result<Facts, Rejection> {
        let mut dict = self.load_dict(id)?;
        let kind = dict.req("Type", Value::name)?;
        if kind == b"OCG" {
            dict.req("Name", |v| v.string().map(|_| ()))?;
            dict.done()?;
            return Ok(Facts::Group);
        }
        dict.check(kind == b"OCMD", "8.11.2: OCG or OCMD")?;
        dict.opt("OCGs", |v| v.array()?.iter().all(|g| self.is_group(g)).then_some(()))?;
        dict.one_of("P", &["AllOn", "AnyOn", "AnyOff", "AllOff"])?;
        dict.opt("VE", |v| self.expression(v.array()?, 1).then_some(()))?;
        dict.done()?;
        Ok(Facts::Membership)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named is rejected")]
    fn expression(&self, elements: &[Value<'_>], depth: u8) -> bool {
        let Some((Value::Name(operator), operands)) = elements.split_first() else {
            return false;
        };
        let arity = match *operator {
            b"And" | b"Or" => !operands.is_empty(),
            b"Not" => operands.len() == 1,
            _ => false,
        };
        arity
            && depth <= OC_DEPTH
            && operands.iter().all(|operand| match operand {
                Value::Array(inner) => self.expression(inner, depth.saturating_add(1)),
                group => self.is_group(group),
            })
    }

    /// 8.11.3.3: takes OC of a form or an image.
    pub(super) fn optional_content(&mut self, dict: &mut Dict<'_>) -> Result<(), Rejection> {
        if let Some(id) = dict.opt_ref("OC")? {
            self.member(id)?;
        }
        Ok(())
    }

    /// A group that the catalogue lists, or a membership dictionary.
    pub(super) fn member(&mut self, id: u32) -> Result<(), Rejection> {
        let facts = self.visit(id, Kind::Property)?;
        if matches!(facts, Facts::Group) && self.groups.get(id as usize) != Some(&true) {
            return Err(Rejection::new(0, "8.11.4.2: group that the catalogue does not list (PDF-59)"));
        }
        Ok(())
    }
}

/// 12.4.2.
fn page_labels(mut dict: Dict<'_>) -> Result<(), Rejection> {
    let Value::Array(nums) = dict.need("Nums")? else {
        return Err(dict.reject("/Nums"));
    };
    dict.done()?;
    let (pairs, rest) = nums.as_chunks::<2>();
    dict.check(rest.is_empty(), "12.4.2: Nums are pairs")?;
    let mut before = -1i64;
    for [index, label] in pairs {
        let index = index.int().filter(|n| *n > before).ok_or_else(|| dict.reject("12.4.2: page index"))?;
        before = index;
        let Value::Dict(label) = label else {
            return Err(dict.reject("12.4.2: label"));
        };
        let mut label = label.clone();
        label.opt("P", |v| v.string().map(|_| ()))?;
        label.one_of("S", &["D", "R", "r", "A", "a"])?;
        label.opt_int("St", 1..=i64::MAX)?;
        label.done()?;
    }
    Ok(())
}
