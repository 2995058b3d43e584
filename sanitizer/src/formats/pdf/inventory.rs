//! What else is in the file: every object is looked at, page by page, and what the rebuilt file will not have is named
//! after the catalogue. Nothing here decides what is kept; the walk does that.

use super::filters;
use super::links::safe_uri;
use super::walk::{Found, R, Walk, name};
use crate::facts::{self, script};
use hayro::hayro_syntax::Pdf as Reader;
use hayro::hayro_syntax::object::{
    Dict as Source, MaybeRef, Object as SourceObject, ObjectIdentifier, Stream, String as SourceString,
};
use model::FindingAction::{self, Neutralised, ReEncoded, Removed};
use model::{ExportKind, Fact, Links};
use std::collections::BTreeSet;

/// Ours: direct objects in one another.
const MAX_DEPTH: u32 = 64;

/// Keys that go wherever they stand.
const KEYS: &[(&str, &str)] = &[
    ("AF", "PDF-45"),
    ("AlternatePresentations", "PDF-83"),
    ("Collection", "PDF-46"),
    ("DPartRoot", "PDF-80"),
    ("DSS", "PDF-67"),
    ("IDS", "PDF-66"),
    ("Legal", "PDF-67"),
    ("Metadata", "PDF-64"),
    ("OPI", "PDF-55"),
    ("PA", "PDF-40"),
    ("Perms", "PDF-67"),
    ("PieceInfo", "PDF-65"),
    ("PresSteps", "PDF-43"),
    ("RC", "PDF-53"),
    ("RV", "PDF-53"),
    ("Renditions", "PDF-83"),
    ("Requirements", "PDF-43"),
    ("RichMediaContent", "PDF-48"),
    ("SeparationInfo", "PDF-80"),
    ("SpiderInfo", "PDF-66"),
    ("Templates", "PDF-83"),
    ("Thumb", "PDF-63"),
    ("URLS", "PDF-66"),
    ("XFA", "PDF-51"),
];

/// Actions by their `S`.
const ACTIONS: &[(&str, &str)] = &[
    ("GoTo3DView", "PDF-27"),
    ("GoToDp", "PDF-27"),
    ("GoToE", "PDF-25"),
    ("GoToR", "PDF-24"),
    ("Hide", "PDF-30"),
    ("ImportData", "PDF-29"),
    ("JavaScript", "PDF-21"),
    ("Launch", "PDF-22"),
    ("Movie", "PDF-32"),
    ("Named", "PDF-30"),
    ("Rendition", "PDF-32"),
    ("ResetForm", "PDF-30"),
    ("RichMediaExecute", "PDF-32"),
    ("SetOCGState", "PDF-31"),
    ("Sound", "PDF-32"),
    ("SubmitForm", "PDF-28"),
    ("Thread", "PDF-27"),
    ("Trans", "PDF-32"),
];

/// Annotations that carry what is not drawn.
const ANNOTATIONS: &[(&str, &str)] = &[
    ("3D", "PDF-49"),
    ("FileAttachment", "PDF-44"),
    ("Movie", "PDF-50"),
    ("PrinterMark", "PDF-80"),
    ("RichMedia", "PDF-48"),
    ("Screen", "PDF-50"),
    ("Sound", "PDF-50"),
    ("TrapNet", "PDF-80"),
];

/// Where an object was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Page,
    Elsewhere,
}

struct Inventory<'w, 'a, 'c, 'p> {
    walk: &'w mut Walk<'a, 'c, 'p>,
    seen: BTreeSet<ObjectIdentifier>,
    /// Referred to and not yet looked at. A list, since chains of objects are as long as the sender likes.
    todo: Vec<ObjectIdentifier>,
    reach: Reach,
}

impl<'a> Walk<'a, '_, '_> {
    /// Names what is in the file and will not be in ours, and hands scripts and embedded files to the engines.
    pub fn inventory(&mut self, reader: &'a Reader, catalog: &Source<'a>) -> R<()> {
        self.frame_findings(reader.data().as_ref());
        let mut inventory = Inventory { walk: self, seen: BTreeSet::new(), todo: Vec::new(), reach: Reach::Page };
        let root = inventory.walk.xref.root_id();
        inventory.seen.insert(root);
        for page in reader.pages().iter() {
            inventory.seen.extend(page.raw().obj_id());
        }
        for (i, page) in reader.pages().iter().enumerate() {
            inventory.walk.place = format!("page {}", i.saturating_add(1));
            inventory.dict(page.raw(), 0)?;
            inventory.drain()?;
        }
        // What pages inherit; the pages themselves have been.
        inventory.walk.place = String::from("pages");
        if let Some(tree) = catalog.get_raw::<SourceObject<'a>>("Pages") {
            inventory.value(tree, 0)?;
            inventory.drain()?;
        }
        inventory.walk.place = String::from("document");
        inventory.reach = Reach::Elsewhere;
        inventory.catalog(catalog);
        inventory.dict(catalog, 0)?;
        inventory.drain()?;
        inventory.walk.place = String::from("unreferenced object");
        for object in reader.objects() {
            inventory.orphan(object)?;
            inventory.drain()?;
        }
        self.place = String::new();
        if has_info(reader) {
            self.cx.found("PDF-64", Removed, "Info");
        }
        Ok(())
    }

    /// What the bytes around the objects tell.
    fn frame_findings(&mut self, data: &[u8]) {
        let head = data.get(..data.len().min(1024)).unwrap_or_default();
        let find = |needle: &[u8]| memchr::memmem::find(head, needle);
        if find(b"%PDF-") != Some(0) {
            self.cx.found("PDF-01", Removed, "before the header");
        }
        let linearized = find(b"/Linearized").is_some();
        if linearized {
            self.cx.found("PDF-82", Removed, "");
        }
        let ends = memchr::memmem::find_iter(data, b"startxref").count();
        let revisions = ends.saturating_sub(usize::from(linearized));
        if revisions > 1 {
            self.cx.found_count("PDF-03", ReEncoded, "", revisions.saturating_sub(1) as u64);
        }
        let end = memchr::memmem::rfind(data, b"%%EOF").and_then(|at| data.get(at.saturating_add(5)..));
        if end.is_none_or(|tail| tail.iter().any(|b| !super::lex::is_space(*b))) {
            self.cx.found("PDF-02", Removed, "after the end mark");
        }
        if let Some(name) = obfuscated_name(data) {
            self.cx.found("PDF-07", Neutralised, name);
            self.cx.fact(Fact::ObfuscatedName, name);
        }
        if memchr::memmem::find(data, b"/ObjStm").is_some() {
            self.cx.found("PDF-06", ReEncoded, "");
        }
        if is_encrypted(data) && self.cx.findings().rows().iter().all(|row| row.id != "PDF-14") {
            self.cx.found("PDF-14", Neutralised, "empty user password");
        }
    }
}

impl<'a> Inventory<'_, 'a, '_, '_> {
    fn found(&mut self, id: &'static str, action: FindingAction) {
        self.walk.found(id, action);
    }

    fn catalog(&mut self, catalog: &Source<'a>) {
        match catalog.get::<SourceObject<'a>>("OpenAction") {
            Some(SourceObject::Dict(action)) if name(&action, "S").as_deref() != Some(b"GoTo") => {
                self.found("PDF-35", Removed);
                let spot = self.walk.place.clone();
                self.walk.cx.fact(Fact::Automatic, &spot);
            }
            Some(SourceObject::Dict(_) | SourceObject::Array(_)) => self.found("PDF-35", Neutralised),
            _ => {}
        }
        let odd_mode = name(catalog, "PageMode").is_some_and(|m| m == b"FullScreen" || m == b"UseAttachments");
        if odd_mode {
            self.found("PDF-68", Removed);
        }
        if catalog.contains_key("StructTreeRoot") {
            self.found("PDF-79", Removed);
        }
        if let Some(names) = catalog.get::<Source<'a>>("Names")
            && names.contains_key("JavaScript")
        {
            self.found("PDF-42", Removed);
        }
        if let Some(layers) = catalog.get::<Source<'a>>("OCProperties")
            && let Some(default) = layers.get::<Source<'a>>("D")
            && default.contains_key("AS")
        {
            self.found("PDF-59", Neutralised);
        }
    }

    fn value(&mut self, value: MaybeRef<SourceObject<'a>>, depth: u32) -> R<()> {
        match value {
            MaybeRef::Ref(reference) => {
                let id = ObjectIdentifier::from(reference);
                if self.seen.insert(id) {
                    self.todo.push(id);
                }
                Ok(())
            }
            MaybeRef::NotRef(object) => self.object(Found { id: None, object }, depth.saturating_add(1)),
        }
    }

    fn drain(&mut self) -> R<()> {
        while let Some(id) = self.todo.pop() {
            if let Some(object) = self.walk.xref.get::<SourceObject<'a>>(id) {
                self.object(Found { id: Some(id), object }, 0)?;
            }
        }
        Ok(())
    }

    fn object(&mut self, found: Found<'a>, depth: u32) -> R<()> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        match found.object {
            SourceObject::Dict(dict) => self.dict(&dict, depth),
            SourceObject::Array(array) => {
                for item in array.raw_iter() {
                    self.value(item, depth)?;
                }
                Ok(())
            }
            SourceObject::Stream(stream) => {
                self.stream(&stream)?;
                self.dict(stream.dict(), depth)
            }
            _ => Ok(()),
        }
    }

    fn dict(&mut self, dict: &Source<'a>, depth: u32) -> R<()> {
        let kind = name(dict, "Type").unwrap_or_default();
        // Tags are left out as a whole, and are many: one finding for all.
        if kind != b"StructElem" {
            self.keys(dict, &kind)?;
        }
        for (key, value) in dict.entries() {
            if matches!(key.as_ref(), b"Parent" | b"P") {
                continue;
            }
            // A destination or field may lead to another page; that page has its own turn.
            self.value(value, depth)?;
        }
        Ok(())
    }

    fn keys(&mut self, dict: &Source<'a>, kind: &[u8]) -> R<()> {
        for (key, id) in KEYS {
            if dict.contains_key(key) {
                self.found(id, Removed);
            }
        }
        if dict.contains_key("AA") {
            let id = match kind {
                b"Catalog" => "PDF-36",
                b"Page" => "PDF-37",
                _ if dict.contains_key("Subtype") => "PDF-39",
                _ => "PDF-38",
            };
            self.found(id, Removed);
        }
        if kind == b"Page" && (dict.contains_key("Trans") || dict.contains_key("Dur")) {
            self.found("PDF-68", Removed);
        }
        if kind == b"Sig" || dict.contains_key("ByteRange") {
            self.found("PDF-67", Removed);
        }
        if let Some(subtype) = name(dict, "Subtype") {
            let known = ANNOTATIONS.iter().find(|(s, _)| s.as_bytes() == subtype);
            if let Some((_, id)) = known.filter(|_| dict.contains_key("Rect")) {
                self.found(id, Removed);
            }
            if subtype == b"Form" && dict.contains_key("Ref") {
                self.found("PDF-56", Removed);
            }
        }
        self.action(dict)?;
        self.files(dict, kind)
    }

    fn action(&mut self, dict: &Source<'a>) -> R<()> {
        if let Some(script) = dict.get::<SourceObject<'a>>("JS") {
            self.script(&script)?;
        }
        let Some(action) = name(dict, "S") else { return Ok(()) };
        if action == b"URI" && dict.contains_key("URI") {
            self.uri(dict);
        } else if let Some((_, id)) = ACTIONS.iter().find(|(s, _)| s.as_bytes() == action) {
            self.found(id, Removed);
        } else if name(dict, "Type").as_deref() == Some(b"Action") && action != b"GoTo" {
            self.found("PDF-33", Removed);
        } else {
            return Ok(());
        }
        if dict.contains_key("Next") {
            self.found("PDF-34", Removed);
        }
        Ok(())
    }

    fn uri(&mut self, dict: &Source<'a>) {
        let uri = dict.get::<SourceString<'a>>("URI");
        let safe = uri.and_then(|u| safe_uri(u.as_bytes())).is_some();
        let links = self.walk.cx.policy.formats.pdf.map_or(Links::Text, |p| p.links);
        match (links, safe) {
            (Links::Web, true) => {}
            (Links::Web | Links::Remove, _) => self.found("PDF-23", Removed),
            (Links::Text, _) => self.found("PDF-23", Neutralised),
        }
    }

    fn script(&mut self, script: &SourceObject<'a>) -> R<()> {
        let text = match script {
            SourceObject::String(s) => s.as_bytes().to_vec(),
            SourceObject::Stream(s) => filters::decode(s, self.walk.cx.budget)?.data.into_owned(),
            _ => return Ok(()),
        };
        self.walk.cx.budget.spend_bytes(text.len() as u64)?;
        let place = format!("script, {}", self.walk.place);
        let text = readable(&text);
        let spot = self.walk.place.clone();
        script::facts(&text).into_iter().for_each(|fact| self.walk.cx.fact(fact, &spot));
        self.walk.cx.export(ExportKind::Script, &place, &text)
    }

    /// File specifications and what is embedded in them.
    fn files(&mut self, dict: &Source<'a>, kind: &[u8]) -> R<()> {
        if kind == b"Filespec" || kind == b"F" && dict.contains_key("F") {
            self.found("PDF-47", Removed);
        }
        let Some(embedded) = dict.get::<Source<'a>>("EF") else {
            return Ok(());
        };
        self.found("PDF-44", Removed);
        let title = dict.get::<SourceString<'a>>("UF").or_else(|| dict.get::<SourceString<'a>>("F"));
        let title = title.map_or_else(Vec::new, |t| readable(t.as_bytes()));
        let title = String::from_utf8_lossy(&title).into_owned();
        for (_, value) in embedded.entries() {
            if let MaybeRef::Ref(reference) = &value
                && !self.seen.insert(ObjectIdentifier::from(*reference))
            {
                continue;
            }
            if let Some(Found { object: SourceObject::Stream(stream), .. }) = self.walk.resolve(value) {
                self.export(&stream, ExportKind::Embedded, &title)?;
            }
        }
        Ok(())
    }

    /// Streams that no page draws are scanned by themselves: they are not in the output.
    fn stream(&mut self, stream: &Stream<'a>) -> R<()> {
        let dict = stream.dict();
        let is_file =
            matches!(dict.get::<SourceObject<'a>>("F"), Some(SourceObject::String(_) | SourceObject::Dict(_)));
        if is_file || dict.contains_key("FFilter") || dict.contains_key("FDecodeParms") {
            self.found("PDF-15", Removed);
        }
        let kind = name(dict, "Type").unwrap_or_default();
        if kind == b"EmbeddedFile" {
            self.found("PDF-44", Removed);
            return self.export(stream, ExportKind::Embedded, "embedded file");
        }
        let drawn = dict.contains_key("Width") || matches!(name(dict, "Subtype").as_deref(), Some(b"Form" | b"Image"));
        if self.reach == Reach::Page && kind != b"Metadata" || drawn || is_file {
            return Ok(());
        }
        let place = format!("stream {}, {}", stream.obj_id().obj_number, self.walk.place);
        self.export(stream, ExportKind::Stream, &place)
    }

    fn export(&mut self, stream: &Stream<'a>, kind: ExportKind, title: &str) -> R<()> {
        let decoded = filters::decode(stream, self.walk.cx.budget)?;
        if kind == ExportKind::Embedded {
            if facts::is_program(title, &decoded.data) {
                self.walk.cx.fact(Fact::AttachedProgram, title);
            }
            crate::ole::look(&decoded.data, title, self.walk.cx)?;
        }
        self.walk.cx.export(kind, title, &decoded.data)
    }

    fn orphan(&mut self, object: SourceObject<'a>) -> R<()> {
        let dict = match &object {
            SourceObject::Dict(dict) => dict.clone(),
            SourceObject::Stream(stream) => stream.dict().clone(),
            _ => return Ok(()),
        };
        let Some(id) = dict.obj_id() else { return Ok(()) };
        let kind = name(&dict, "Type").unwrap_or_default();
        let frame = matches!(kind.as_slice(), b"XRef" | b"ObjStm" | b"Pages")
            || ["Linearized", "Producer", "CreationDate", "Creator", "ModDate", "Title", "Author"]
                .iter()
                .any(|k| dict.contains_key(k))
            // Hint streams of a linearized file hold offsets under S.
            || super::walk::integer(&dict, "S").is_some()
            // The dictionary of the encryption that was undone.
            || dict.contains_key("O") && dict.contains_key("U");
        if !self.seen.insert(id) || frame {
            return Ok(());
        }
        self.found("PDF-05", Removed);
        self.object(Found { id: Some(id), object }, 0)
    }
}

/// Whether a trailer may name an encryption dictionary.
pub fn is_encrypted(data: &[u8]) -> bool {
    let whole = |at: usize| data.get(at.saturating_add(8)).is_some_and(|b| !b.is_ascii_alphanumeric());
    memchr::memmem::find_iter(data, b"/Encrypt").any(whole)
}

/// Names of actions that somebody may want to hide from a search.
const HIDDEN: [&str; 10] = [
    "AA",
    "AcroForm",
    "EmbeddedFile",
    "EmbeddedFiles",
    "JBIG2Decode",
    "JS",
    "JavaScript",
    "Launch",
    "OpenAction",
    "RichMedia",
];

/// An action's name of which letters are written as `#xx` (ISO 32000-1, 7.3.5): needless, and a search does not find it.
fn obfuscated_name(data: &[u8]) -> Option<&'static str> {
    memchr::memchr_iter(b'#', data).find_map(|at| {
        let begin = data.get(at.saturating_sub(40)..at)?.iter().rposition(|b| *b == b'/')?;
        let begin = at.saturating_sub(40).saturating_add(begin).saturating_add(1);
        let name = plain_name(data.get(begin..begin.saturating_add(60).min(data.len()))?);
        HIDDEN.into_iter().find(|hidden| hidden.as_bytes() == name)
    })
}

/// A name up to its end, with `#xx` undone.
fn plain_name(text: &[u8]) -> Vec<u8> {
    let mut name = Vec::new();
    let mut rest = text;
    while let Some((first, after)) =
        rest.split_first().filter(|(first, _)| first.is_ascii_alphanumeric() || **first == b'#')
    {
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match code.filter(|_| *first == b'#') {
            Some(code) => {
                name.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                name.push(*first);
                rest = after;
            }
        }
    }
    name
}

/// UTF-16 text as UTF-8, so that rules written for text meet it.
fn readable(text: &[u8]) -> Vec<u8> {
    match text {
        [0xFE, 0xFF, rest @ ..] => {
            let units = rest.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
            let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            text.into_bytes()
        }
        _ => text.to_vec(),
    }
}

fn has_info(reader: &Reader) -> bool {
    let info = reader.metadata();
    [&info.author, &info.creator, &info.keywords, &info.producer, &info.subject, &info.title]
        .iter()
        .any(|entry| entry.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_named_here_is_in_the_catalogue() {
        for (_, id) in KEYS.iter().chain(ACTIONS).chain(ANNOTATIONS) {
            assert!(model::vector(id).is_some(), "{id}");
        }
    }

    #[test]
    fn names_written_with_codes_are_seen() {
        assert_eq!(obfuscated_name(b"<< /S /J#61vaScript /JS (x) >>"), Some("JavaScript"));
        assert_eq!(obfuscated_name(b"<< /#4f#70enAction 5 0 R >>"), Some("OpenAction"));
        for plain in [&b"<< /S /JavaScript >>"[..], b"/Lime#20Green /S", b"#", b"/#", b"/J#", b"/J#6", b"####/JS"] {
            assert_eq!(obfuscated_name(plain), None);
        }
    }

    #[test]
    fn utf_16_scripts_are_read_as_text() {
        assert_eq!(readable(b"\xFE\xFF\0a\0p\0p"), b"app");
    }
}
