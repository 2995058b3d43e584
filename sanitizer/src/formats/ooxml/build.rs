//! Builds the new package: which parts there are, what they are called, and what leads to them.

use super::formula::Grammar;
use super::link::WebAddress;
use super::media;
use super::package::{Package, Relationship};
use super::parts::{CONTENT_TYPE, Family, PartKind, REL_TYPE};
use super::transform;
use super::write::{DECLARATION, escape_attribute};
use crate::facts::is_program;
use crate::switches::{Filter, off};
use crate::zip_write::ZipWriter;
use crate::{Cx, ole};
use model::{ExportKind, Fact, FindingAction, Format, Links, Macros, Office, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// Where a new relationship leads.
#[derive(Clone, Debug)]
pub enum Target {
    /// To a part of the new package.
    Part(usize),
    /// Out, to the web.
    Web(WebAddress),
}

/// A relationship of the new package; its id is its place in the list.
#[derive(Clone, Debug)]
pub struct NewRelationship {
    /// Last word of its type.
    pub rel: &'static str,
    /// Where it leads.
    pub target: Target,
}

/// A part of the new package.
#[derive(Debug)]
pub struct NewPart {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: PartKind,
    /// Member of the input that it is made from.
    pub source: Option<usize>,
    /// Folder under which parts that it refers to are named.
    pub base: &'static str,
    /// Its bytes, once made.
    pub bytes: Vec<u8>,
    /// Its relationships, once made.
    pub relationships: Vec<NewRelationship>,
}

/// The package under construction.
pub struct Builder<'b, 'x, 'a> {
    /// Policy, budget, findings.
    pub cx: &'b mut Cx<'x>,
    /// What is read.
    pub package: &'b Package<'a>,
    /// Word, Excel or PowerPoint.
    pub family: Family,
    /// What policy says of it.
    pub policy: Office,
    /// What formulas may say.
    pub grammar: Grammar,
    /// Old number of a sheet to new.
    pub sheets: Vec<Option<u32>>,
    /// Number for the next drawing that we make ourselves.
    pub next_drawing: u64,
    parts: Vec<NewPart>,
    by_source: BTreeMap<usize, Option<usize>>,
    counters: BTreeMap<String, u32>,
    placeholder: Option<usize>,
    seen: BTreeSet<usize>,
}

impl<'b, 'x, 'a> Builder<'b, 'x, 'a> {
    /// An empty package.
    pub fn new(cx: &'b mut Cx<'x>, package: &'b Package<'a>, family: Family, policy: Office) -> Self {
        let grammar = Grammar { gone_sheets: Vec::new(), web: policy.links == Links::Web || off(Filter::OoxLinks) };
        Self {
            cx,
            package,
            family,
            policy,
            grammar,
            sheets: Vec::new(),
            next_drawing: 10_000_001,
            parts: Vec::new(),
            by_source: BTreeMap::new(),
            counters: BTreeMap::new(),
            placeholder: None,
            seen: BTreeSet::new(),
        }
    }

    /// Makes every part that can be reached from the main one, and writes the package.
    ///
    /// # Errors
    /// A part that is no XML, a spent budget, macros where policy blocks them.
    pub fn build(mut self, format: Format) -> Result<Vec<u8>, Refusal> {
        let main = self.main()?;
        self.part(PartKind::Main, main, self.family.folder());
        let mut next = 0usize;
        while let Some(part) = self.parts.get(next) {
            let (kind, source, base) = (part.kind, part.source, part.base);
            if let Some(source) = source.filter(|_| part.bytes.is_empty()) {
                let (bytes, relationships) = transform::transform(&mut self, kind, source, base)?;
                if let Some(part) = self.parts.get_mut(next) {
                    part.bytes = bytes;
                    part.relationships = relationships;
                }
            }
            next = next.saturating_add(1);
        }
        self.report_dropped()?;
        self.write(format)
    }

    fn main(&mut self) -> Result<usize, Refusal> {
        let relationships = self.relationships("")?;
        let main = relationships.iter().find(|r| r.standard && r.rel == "officeDocument" && !r.external);
        let main = main.and_then(|r| self.package.resolve("", &r.target));
        main.ok_or_else(|| Refusal::malformed(0, "OPC: the package has no main part"))
    }

    /// Relationships of a part of the input.
    ///
    /// # Errors
    /// What [`Package::relationships`] says.
    pub fn relationships(&mut self, source: &str) -> Result<Vec<Relationship>, Refusal> {
        let seen = &mut self.seen;
        self.package.relationships(source, self.cx.budget, &mut |entry| {
            seen.insert(entry);
        })
    }

    /// Marks a member of the input as accounted for.
    pub fn see(&mut self, entry: usize) {
        self.seen.insert(entry);
    }

    /// The new part of this kind for a member of the input: planned where it is new. `None` where there may be only
    /// one of the kind and it is taken.
    pub fn part(&mut self, kind: PartKind, source: usize, base: &'static str) -> Option<usize> {
        if let Some(known) = self.by_source.get(&source) {
            return known.filter(|at| self.parts.get(*at).is_some_and(|p| p.kind == kind));
        }
        let made = self.plan(kind, Some(source), base, "");
        self.by_source.insert(source, made);
        made
    }

    /// Adds a part with a name of its kind; `extension` is added to it.
    pub fn plan(
        &mut self,
        kind: PartKind,
        source: Option<usize>,
        base: &'static str,
        extension: &str,
    ) -> Option<usize> {
        let row = self.family.row(kind)?;
        let pattern = format!("{base}/{}", row.name);
        let count = self.counters.entry(pattern.clone()).or_insert(0);
        *count = count.checked_add(1)?;
        if *count > 1 && !row.name.contains('#') {
            return None;
        }
        let name = format!("{}{extension}", pattern.replacen('#', &count.to_string(), 1));
        let base = if kind == PartKind::Glossary { "word/glossary" } else { base };
        self.parts.push(NewPart { name, kind, source, base, bytes: Vec::new(), relationships: Vec::new() });
        if let Some(source) = source {
            self.seen.insert(source);
        }
        self.parts.len().checked_sub(1)
    }

    /// Adds a part whose bytes we made ourselves.
    pub fn own(&mut self, kind: PartKind, base: &'static str, bytes: Vec<u8>) -> Option<usize> {
        let at = self.plan(kind, None, base, "")?;
        self.parts.get_mut(at)?.bytes = bytes;
        Some(at)
    }

    /// The rebuilt picture of a member of the input, or the placeholder where it can't be rebuilt.
    ///
    /// # Errors
    /// A spent budget.
    pub fn picture(&mut self, source: Option<usize>, base: &'static str) -> Result<Option<usize>, Refusal> {
        let Some(source) = source else {
            return self.placeholder(base);
        };
        if let Some(known) = self.by_source.get(&source) {
            return match known {
                Some(at) if self.parts.get(*at).is_some_and(|p| p.kind == PartKind::Picture) => Ok(Some(*at)),
                Some(_) | None => self.placeholder(base),
            };
        }
        self.seen.insert(source);
        let made = match media::rebuild(self.cx, self.package, source)? {
            Some((extension, bytes)) => {
                let at = self.plan(PartKind::Picture, None, base, extension);
                if let Some(part) = at.and_then(|at| self.parts.get_mut(at)) {
                    part.bytes = bytes;
                }
                at
            }
            None => None,
        };
        self.by_source.insert(source, made);
        if made.is_some() { Ok(made) } else { self.placeholder(base) }
    }

    fn placeholder(&mut self, base: &'static str) -> Result<Option<usize>, Refusal> {
        if self.placeholder.is_none() {
            let bytes = media::placeholder(self.cx)?;
            let at = self.plan(PartKind::Picture, None, base, ".png");
            if let Some(part) = at.and_then(|at| self.parts.get_mut(at)) {
                part.bytes = bytes;
            }
            self.placeholder = at;
        }
        Ok(self.placeholder)
    }

    /// Reports what of the input has no place in the output, and hands it to the engines.
    fn report_dropped(&mut self) -> Result<(), Refusal> {
        for entry in self.package.files() {
            let name = self.package.name(entry);
            if self.seen.contains(&entry) || name.eq_ignore_ascii_case("[Content_Types].xml") {
                continue;
            }
            let bytes = self.package.read(entry, self.cx.budget)?;
            let id = dropped_row(name, &bytes);
            if matches!(id, "OOX-03" | "OOX-05") && self.policy.macros == Macros::Block {
                return Err(Refusal::Policy { rule: "macros = \"block\"".into() });
            }
            if name.to_ascii_lowercase().ends_with(".rels") {
                continue;
            }
            self.cx.export(ExportKind::Embedded, name, &bytes)?;
            self.cx.found(id, FindingAction::Removed, name);
            ole::look(&bytes, name, self.cx)?;
            if is_program(name, &bytes) {
                self.cx.fact(Fact::AttachedProgram, name);
            }
            // ECMA-376 part 1, 18.14.4: the one kind of external link that starts a program.
            if id == "OOX-15" && memchr::memmem::find(&bytes, b"ddeLink").is_some() {
                self.cx.fact(Fact::Dde, name);
            }
        }
        Ok(())
    }

    fn write(self, format: Format) -> Result<Vec<u8>, Refusal> {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let names: Vec<String> = self.parts.iter().map(|p| p.name.clone()).collect();
        let types = content_types(&self.parts, self.family, format);
        let main = names.first().map_or("", String::as_str);
        files.insert("_rels/.rels".into(), relationships_part("", [("officeDocument", main, false)].into_iter()));
        for part in self.parts {
            if !part.relationships.is_empty() {
                let (folder, leaf) = part.name.rsplit_once('/').unwrap_or(("", &part.name));
                let rows = part.relationships.iter().map(|r| match &r.target {
                    Target::Part(at) => (r.rel, names.get(*at).map_or("", String::as_str), false),
                    Target::Web(address) => (r.rel, address.as_str(), true),
                });
                files.insert(format!("{folder}/_rels/{leaf}.rels"), relationships_part(&part.name, rows));
            }
            files.insert(part.name, part.bytes);
        }
        let mut zip = ZipWriter::new();
        zip.add("[Content_Types].xml", &types)?;
        for (name, bytes) in &files {
            zip.add(name, bytes)?;
        }
        zip.finish()
    }
}

/// The catalogue row of a member that is dropped, by its name and content.
fn dropped_row(name: &str, bytes: &[u8]) -> &'static str {
    let low = name.to_ascii_lowercase();
    let rows: [(&str, &str); 32] = [
        ("vbaproject", "OOX-03"),
        ("vbadata", "OOX-03"),
        ("macrosheets/", "OOX-05"),
        ("dialogsheets/", "OOX-06"),
        ("ctrlprops/", "OOX-06"),
        ("customui", "OOX-07"),
        ("activex/", "OOX-12"),
        ("embeddings/", "OOX-11"),
        ("oleobject", "OOX-11"),
        ("externallinks/", "OOX-15"),
        ("connections.xml", "OOX-17"),
        ("querytables/", "OOX-17"),
        ("xmlmaps.xml", "OOX-17"),
        ("model/", "OOX-17"),
        ("webextensions/", "OOX-18"),
        ("websettings", "OOX-19"),
        ("afchunk", "OOX-20"),
        (".odttf", "OOX-23"),
        (".fntdata", "OOX-23"),
        ("fonts/", "OOX-23"),
        (".emf", "OOX-24"),
        (".wmf", "OOX-24"),
        ("media/image", "OOX-24"),
        ("media/", "OOX-25"),
        ("tags/", "OOX-26"),
        ("customxml/", "OOX-27"),
        ("docprops/", "OOX-28"),
        ("revisions/", "OOX-29"),
        ("persons/", "OOX-29"),
        ("_xmlsignatures/", "OOX-31"),
        ("calcchain", "OOX-37"),
        ("vmldrawing", "OOX-39"),
    ];
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) && !low.contains("vbaproject") {
        return "OOX-11";
    }
    rows.iter().find(|row| low.contains(row.0)).map_or("OOX-22", |row| row.1)
}

fn main_type(format: Format) -> &'static str {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only the nine kinds of this module come here")]
    match format.without_macros() {
        Format::Docx => "wordprocessingml.document.main+xml",
        Format::Dotx => "wordprocessingml.template.main+xml",
        Format::Xlsx => "spreadsheetml.sheet.main+xml",
        Format::Xltx => "spreadsheetml.template.main+xml",
        Format::Ppsx => "presentationml.slideshow.main+xml",
        Format::Potx => "presentationml.template.main+xml",
        _ => "presentationml.presentation.main+xml",
    }
}

fn content_types(parts: &[NewPart], family: Family, format: Format) -> Vec<u8> {
    let mut defaults = BTreeMap::from([("rels", "application/vnd.openxmlformats-package.relationships+xml")]);
    let mut overrides = BTreeMap::new();
    for part in parts {
        let extension = part.name.rsplit_once('.').map_or("", |p| p.1);
        let picture = match extension {
            "png" => Some(("png", "image/png")),
            "jpg" => Some(("jpg", "image/jpeg")),
            "gif" => Some(("gif", "image/gif")),
            "bmp" => Some(("bmp", "image/bmp")),
            "tif" => Some(("tif", "image/tiff")),
            "vml" => Some(("vml", "application/vnd.openxmlformats-officedocument.vmlDrawing")),
            _ => None,
        };
        match picture {
            Some((extension, content_type)) => {
                defaults.insert(extension, content_type);
            }
            None if part.kind == PartKind::Main => {
                overrides.insert(part.name.as_str(), main_type(format));
            }
            None => {
                overrides.insert(part.name.as_str(), family.row(part.kind).map_or("", |row| row.content_type));
            }
        }
    }
    let mut out = DECLARATION.as_bytes().to_vec();
    out.extend_from_slice(b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">");
    for (extension, content_type) in defaults {
        out.extend_from_slice(
            format!("<Default Extension=\"{extension}\" ContentType=\"{content_type}\"/>").as_bytes(),
        );
    }
    for (name, content_type) in overrides {
        let row = format!("<Override PartName=\"/{name}\" ContentType=\"{CONTENT_TYPE}{content_type}\"/>");
        out.extend_from_slice(row.as_bytes());
    }
    out.extend_from_slice(b"</Types>");
    out
}

fn relationships_part<'r>(source: &str, rows: impl Iterator<Item = (&'static str, &'r str, bool)>) -> Vec<u8> {
    let mut out = DECLARATION.as_bytes().to_vec();
    out.extend_from_slice(b"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">");
    for (number, (rel, target, external)) in (1u64..).zip(rows) {
        out.extend_from_slice(
            format!("<Relationship Id=\"rId{number}\" Type=\"{REL_TYPE}{rel}\" Target=\"").as_bytes(),
        );
        if external {
            escape_attribute(target, &mut out);
            out.extend_from_slice(b"\" TargetMode=\"External\"/>");
        } else {
            escape_attribute(&relative(source, target), &mut out);
            out.extend_from_slice(b"\"/>");
        }
    }
    out.extend_from_slice(b"</Relationships>");
    out
}

/// `target` as seen from the folder of `source`.
fn relative(source: &str, target: &str) -> String {
    let from: Vec<&str> = source.rsplit_once('/').map_or_else(Vec::new, |(folder, _)| folder.split('/').collect());
    let to: Vec<&str> = target.split('/').collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(common).map(|_| "..");
    up.chain(to.iter().skip(common).copied()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn targets_are_relative_to_the_folder_of_their_source() {
        assert_eq!(relative("", "word/document.xml"), "word/document.xml");
        assert_eq!(relative("word/document.xml", "word/media/image1.png"), "media/image1.png");
        assert_eq!(relative("ppt/slides/slide1.xml", "ppt/media/image1.png"), "../media/image1.png");
    }
}
