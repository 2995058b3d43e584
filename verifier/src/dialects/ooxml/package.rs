//! The package: content types, relationships, and that every part is named, typed and reached (OPC; OOX-01, OOX-02).

use super::kinds::{self, CONTENT_TYPE, Family, Kind, RELATIONSHIP};
use super::values::Links;
use crate::xml::{Event, Ns, Reader, unescape};
use crate::zip::{self, Member};
use crate::{Limits, Rejection};
use model::{Comments, Format, Policy};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What every XML part begins with.
pub(super) const DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const TYPES: &str = "[Content_Types].xml";
const ROOT: &str = "_rels/.rels";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/";

/// A part and its relationships.
pub(super) struct Item<'a> {
    pub name: &'a str,
    pub kind: &'static Kind,
    pub relationships: Vec<Relationship>,
    member: Member<'a>,
}

impl<'a> Item<'a> {
    /// The bytes of the part.
    pub fn content(&self, limits: &mut Limits) -> Result<Cow<'a, [u8]>, Rejection> {
        self.member.content(limits)
    }
}

/// One relationship; the id is its place in the list, from 1.
pub(super) struct Relationship {
    /// Last segment of the type.
    pub name: String,
    /// Place of the target among the items; `None` outside the package.
    pub target: Option<usize>,
    /// The source has it without naming it by id.
    pub implicit: bool,
}

/// The parts of a document, each with its place proved.
pub(super) struct Package<'a> {
    /// Which links its parts may have.
    pub links: Links,
    items: Vec<Item<'a>>,
}

impl<'a> Package<'a> {
    pub fn items(&self) -> &[Item<'a>] {
        &self.items
    }

    pub fn get(&self, at: usize) -> Option<&Item<'a>> {
        self.items.get(at)
    }

    /// The part that has a relationship to `item`.
    pub fn source_of(&self, item: &Item<'_>) -> Option<&Item<'a>> {
        let at = self.items.iter().position(|other| other.name == item.name)?;
        self.items.iter().find(|source| source.relationships.iter().any(|r| r.target == Some(at)))
    }
}

/// Reads the package and proves its shape.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    format: Format,
    policy: &Policy,
    limits: &mut Limits,
) -> Result<Package<'a>, Rejection> {
    let family = family(format).ok_or_else(|| Rejection::new(0, format!("no dialect for {format}")))?;
    let mut members = zip::walk(bytes, policy.limits.entries)?.into_iter();
    let types = members.next().filter(|m| m.name == TYPES);
    let types = types.ok_or_else(|| Rejection::new(0, "[Content_Types].xml first"))?;
    let mut relationships = BTreeMap::new();
    let mut items: Vec<Item<'a>> = Vec::new();
    let mut last = "";
    for member in members {
        let (name, offset) = (member.name, member.offset);
        if name <= last {
            return Err(Rejection::new(offset, "parts are sorted by name"));
        }
        last = name;
        if let Some(source) = source_of(name) {
            relationships.insert(source, member);
            continue;
        }
        let kind = kind_of(family, name, format, policy);
        let kind = kind.ok_or_else(|| Rejection::new(offset, format!("{name}: no part of ours (OOX-22)")))?;
        items.push(Item { name, kind, relationships: Vec::new(), member });
    }
    content_types(&types.content(limits)?, format, &items)?;
    relate(&mut items, relationships, family, format, policy, limits)?;
    Ok(Package { links: Links::of(policy, format), items })
}

const fn family(format: Format) -> Option<Family> {
    if format.is_word() {
        Some(Family::Word)
    } else if format.is_excel() {
        Some(Family::Excel)
    } else if format.is_powerpoint() {
        Some(Family::PowerPoint)
    } else {
        None
    }
}

/// Content type of the main part; kinds with macros have none (OOX-02, OOX-34).
#[expect(clippy::wildcard_enum_match_arm, reason = "a format without a main type is rejected")]
const fn main_type(format: Format) -> Option<&'static str> {
    Some(match format {
        Format::Docx => "wordprocessingml.document.main+xml",
        Format::Dotx => "wordprocessingml.template.main+xml",
        Format::Xlsx => "spreadsheetml.sheet.main+xml",
        Format::Xltx => "spreadsheetml.template.main+xml",
        Format::Pptx => "presentationml.presentation.main+xml",
        Format::Ppsx => "presentationml.slideshow.main+xml",
        Format::Potx => "presentationml.template.main+xml",
        _ => return None,
    })
}

/// The part whose relationships `name` holds; the package itself is "".
fn source_of(name: &str) -> Option<String> {
    if name == ROOT {
        return Some(String::new());
    }
    let (folder, file) = name.strip_suffix(".rels")?.split_once("/_rels/")?;
    Some(format!("{folder}/{file}"))
}

fn kind_of(family: Family, name: &str, format: Format, policy: &Policy) -> Option<&'static Kind> {
    let path = name.strip_prefix(family.root())?.strip_prefix('/')?;
    let kind = kinds::of(family, path)?.0;
    let comments = matches!(kind.relationship, "comments" | "commentAuthors" | "vmlDrawing");
    let allowed = policy.office(format).is_some_and(|office| office.comments == Comments::Keep);
    (allowed || !comments).then_some(kind)
}

/// `[Content_Types].xml` says exactly what the parts need: defaults by extension, then overrides by name (OOX-02).
fn content_types(bytes: &[u8], format: Format, items: &[Item<'_>]) -> Result<(), Rejection> {
    let main = main_type(format).ok_or_else(|| Rejection::new(0, format!("no dialect for {format} (OOX-34)")))?;
    let mut defaults: BTreeMap<&str, &str> = BTreeMap::new();
    defaults.insert("rels", "application/vnd.openxmlformats-package.relationships+xml");
    let mut overrides = Vec::new();
    for item in items {
        if item.kind.relationship == "officeDocument" {
            overrides.push((item.name, main));
        } else if item.kind.content_type.is_empty() {
            let extension = item.name.rsplit('.').next().unwrap_or_default();
            defaults.insert(extension, default_type(extension));
        } else {
            overrides.push((item.name, item.kind.content_type));
        }
    }
    let defaults = defaults.iter().map(|(extension, content_type)| {
        vec![("Extension", (*extension).to_owned()), ("ContentType", (*content_type).to_owned())]
    });
    let overrides = overrides.iter().map(|(name, content_type)| {
        vec![("PartName", format!("/{name}")), ("ContentType", format!("{CONTENT_TYPE}{content_type}"))]
    });
    let expected = defaults.map(|d| ("Default", d)).chain(overrides.map(|o| ("Override", o)));
    let found = flat(bytes, content_types_namespace, "Types")?;
    let expected: Vec<Row<'_>> = expected.collect();
    let differs = found.len() != expected.len() || found.iter().zip(&expected).any(|(f, e)| !same(f, e));
    if differs {
        return Err(Rejection::new(0, "content types are those of the parts, in order (OOX-02)").inside(TYPES));
    }
    Ok(())
}

fn default_type(extension: &str) -> &'static str {
    match extension {
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "gif" => "image/gif",
        "bmp" => "image/bmp",
        "tif" => "image/tiff",
        _ => "application/vnd.openxmlformats-officedocument.vmlDrawing",
    }
}

fn content_types_namespace(prefix: &str, uri: &str) -> Option<Ns> {
    (prefix.is_empty() && uri.strip_prefix(PACKAGE) == Some("content-types")).then_some(Ns(2))
}

fn relationships_namespace(prefix: &str, uri: &str) -> Option<Ns> {
    (prefix.is_empty() && uri.strip_prefix(PACKAGE) == Some("relationships")).then_some(Ns(2))
}

/// An empty element and its attributes.
type Row<'a> = (&'a str, Vec<(&'a str, String)>);

fn same(a: &Row<'_>, b: &Row<'_>) -> bool {
    a.0 == b.0 && a.1.len() == b.1.len() && b.1.iter().all(|pair| a.1.contains(pair))
}

/// A root that holds nothing but empty elements.
fn flat<'a>(bytes: &'a [u8], namespaces: fn(&str, &str) -> Option<Ns>, root: &str) -> Result<Vec<Row<'a>>, Rejection> {
    if !bytes.starts_with(DECLARATION) {
        return Err(Rejection::new(0, "the XML declaration and a line feed first"));
    }
    let mut reader = Reader::new(bytes, namespaces)?;
    let begins = reader.next()? == Event::Start(Ns(2), root) && reader.attributes().is_empty();
    if !begins {
        return Err(reader.reject(format!("the root element is {root}")));
    }
    let mut rows = Vec::new();
    loop {
        match reader.next()? {
            Event::Start(Ns(2), local) => {
                let attributes = reader.attributes();
                if attributes.iter().any(|a| a.ns != Ns::NONE) {
                    return Err(reader.reject("attributes without a prefix"));
                }
                let pairs = attributes.iter().map(|a| (a.local, unescape(a.value).into_owned())).collect();
                rows.push((local, pairs));
                if reader.next()? != Event::End {
                    return Err(reader.reject("empty elements only"));
                }
            }
            Event::End if reader.next()? == Event::Eof => return Ok(rows),
            Event::Start(..) | Event::Text(_) | Event::End | Event::Eof => {
                return Err(reader.reject("empty elements only"));
            }
        }
    }
}

/// Reads every `.rels`, and proves that each part is reached from the package.
fn relate(
    items: &mut [Item<'_>],
    mut relationships: BTreeMap<String, Member<'_>>,
    family: Family,
    format: Format,
    policy: &Policy,
    limits: &mut Limits,
) -> Result<(), Rejection> {
    let places: BTreeMap<&str, (usize, &'static Kind)> =
        items.iter().enumerate().map(|(at, item)| (item.name, (at, item.kind))).collect();
    let links = Links::of(policy, format);
    let scope = Scope { places: &places, family, links };
    let root = relationships.remove("").ok_or_else(|| Rejection::new(0, "the package has relationships"))?;
    let root = list(&scope, "", &root, limits)?;
    let [Relationship { name, target: Some(main), .. }] = root.as_slice() else {
        return Err(Rejection::new(0, "the package has one relationship, to the main part").inside(ROOT));
    };
    if name != "officeDocument" {
        return Err(Rejection::new(0, "the package has one relationship, to the main part (OOX-44)").inside(ROOT));
    }
    let mut lists = Vec::new();
    for item in items.iter() {
        let member = relationships.remove(item.name);
        lists.push(member.map_or_else(|| Ok(Vec::new()), |member| list(&scope, item.name, &member, limits))?);
    }
    if let Some((source, member)) = relationships.first_key_value() {
        return Err(Rejection::new(member.offset, format!("relationships of {source}, which is not there")));
    }
    for (item, list) in items.iter_mut().zip(lists) {
        item.relationships = list;
    }
    reached(items, *main)
}

struct Scope<'s> {
    places: &'s BTreeMap<&'s str, (usize, &'static Kind)>,
    family: Family,
    links: Links,
}

/// Reads one `.rels`.
fn list(
    scope: &Scope<'_>,
    source: &str,
    member: &Member<'_>,
    limits: &mut Limits,
) -> Result<Vec<Relationship>, Rejection> {
    let bytes = member.content(limits)?;
    let rows = flat(&bytes, relationships_namespace, "Relationships").map_err(|r| r.inside(member.name))?;
    let at = |rule: &str| Rejection::new(member.offset, rule).inside(member.name);
    if rows.is_empty() {
        return Err(at("a part without relationships has no .rels"));
    }
    let numbered = rows.iter().zip(1usize..);
    numbered.map(|(row, n)| relationship(scope, source, row, n).map_err(|rule| at(&rule))).collect()
}

fn relationship(scope: &Scope<'_>, source: &str, row: &Row<'_>, n: usize) -> Result<Relationship, String> {
    let get = |name: &str| row.1.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
    let (Some(id), Some(relationship), Some(target)) = (get("Id"), get("Type"), get("Target")) else {
        return Err("a relationship has Id, Type and Target".into());
    };
    let external = get("TargetMode");
    if row.0 != "Relationship" || row.1.len() != 3usize.saturating_add(usize::from(external.is_some())) {
        return Err("a relationship has Id, Type, Target and TargetMode".into());
    }
    if id != format!("rId{n}") {
        return Err(format!("relationships are numbered without a gap: {id}"));
    }
    let name =
        relationship.strip_prefix(RELATIONSHIP).ok_or_else(|| format!("relationship type {relationship} (OOX-22)"))?;
    let path = source.split_once('/').map_or(source, |(_, path)| path);
    if let Some(mode) = external {
        let allowed = mode == "External" && name == "hyperlink" && scope.links.allow(target);
        return if allowed {
            Ok(Relationship { name: name.into(), target: None, implicit: false })
        } else {
            Err(format!("no external {name} to {target:?} (OOX-08, OOX-09, OOX-10)"))
        };
    }
    let (at, kind) = resolve(scope, source, target).ok_or_else(|| format!("{target:?} is no part"))?;
    if kind.relationship != name {
        return Err(format!("a {name} is not at {target:?}"));
    }
    let implicit = source.is_empty() || kinds::is_implicit(scope.family, path, name);
    Ok(Relationship { name: name.into(), target: Some(at), implicit })
}

/// The part at a relative target, written in its one normalised way.
fn resolve(scope: &Scope<'_>, source: &str, target: &str) -> Option<(usize, &'static Kind)> {
    let mut folders: Vec<&str> = source.split('/').collect();
    folders.pop();
    let mut rest = target;
    while let Some(up) = rest.strip_prefix("../") {
        folders.pop()?;
        rest = up;
    }
    let climbed = source.split('/').count().saturating_sub(1).saturating_sub(folders.len());
    let back = source.split('/').nth(folders.len());
    // `../charts/x` from `charts/` goes up in vain: there is a shorter way to write it.
    if climbed > 0 && back.is_some_and(|folder| rest.split('/').next() == Some(folder) && rest.contains('/')) {
        return None;
    }
    let name = folders.iter().copied().chain([rest]).collect::<Vec<_>>().join("/");
    scope.places.get(name.as_str()).copied()
}

/// Every part is reached from the main part (OOX-22).
fn reached(items: &[Item<'_>], main: usize) -> Result<(), Rejection> {
    let mut seen = vec![false; items.len()];
    let mut waiting = vec![main];
    while let Some(at) = waiting.pop() {
        let Some(flag) = seen.get_mut(at) else { continue };
        if !std::mem::replace(flag, true) {
            let targets = items.get(at).into_iter().flat_map(|item| &item.relationships);
            waiting.extend(targets.filter_map(|r| r.target));
        }
    }
    match items.iter().zip(&seen).find(|(_, seen)| !**seen) {
        Some((item, _)) => Err(Rejection::new(item.member.offset, format!("{} is not reached (OOX-22)", item.name))),
        None => Ok(()),
    }
}
