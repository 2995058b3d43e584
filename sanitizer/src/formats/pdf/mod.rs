//! PDF: the object graph walked through a typed allow-list into a fresh document.
//!
//! Source: ISO 32000-1:2008 (PDF 1.7), with what PDF 2.0 adds where real files use it. `hayro-syntax` reads; everything
//! that is written is one of our own types ([`value`]) and goes through our own writer ([`write`]). What is kept, dropped
//! and refused, and the closed grammar of the output, is in `docs/formats/pdf.md`.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an allow-list: what is not named is dropped, and a new kind of object or token shall be too"
)]

mod appearance;
mod cff;
mod cmap;
mod codecs;
mod color;
mod content;
mod filters;
mod flatten;
mod fonts;
mod functions;
mod images;
mod inventory;
#[cfg(test)]
mod leak;
mod lex;
mod links;
mod pages;
mod plain;
mod programs;
mod resources;
#[cfg(test)]
mod tests;
mod value;
mod walk;
mod write;

use crate::switches::{Filter, off};
use crate::{Cx, Rebuilt, Reconstructor};
use hayro::RenderCache;
use hayro::hayro_syntax::object::Dict as Source;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf as Reader, PdfData};
use model::{Fact, FindingAction, Format, Locked, Method, Refusal, RuleAction, Untrusted};
use value::{Dict, Document, Id, Object, Val};
use walk::{Walk, choice};

/// The reconstructor of PDF.
pub struct Pdf;

impl Reconstructor for Pdf {
    fn formats(&self) -> &'static [Format] {
        &[Format::Pdf]
    }

    fn reconstruct(&self, input: Untrusted<'_>, _format: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let Opened { reader, by_password } = open(input, cx)?;
        if by_password {
            cx.found("PDF-14", FindingAction::Removed, "opened with a password");
            cx.fact(Fact::Encrypted, "");
        }
        if by_password || inventory::is_encrypted(input.bytes()) {
            plain::export(&reader, cx)?;
        }
        cx.budget.spend_entries(reader.len() as u64 / OBJECTS_AN_ENTRY)?;
        let Built { document, catalog, pages, method } = rebuild(&reader, cx)?;
        drop(reader);
        let bytes = write::write(document, catalog, pages)
            .ok_or_else(|| Refusal::internal("pdf: an object was never filled"))?;
        Ok(Rebuilt { bytes, format: Format::Pdf, method })
    }
}

/// Ours: an object that the cross-reference table names costs little until it is used; using it is paid for by itself.
const OBJECTS_AN_ENTRY: u64 = 8;

struct Opened {
    reader: Reader,
    /// Whether it took one of the passwords that were handed over; the empty one opens many.
    by_password: bool,
}

fn open(input: Untrusted<'_>, cx: &mut Cx<'_>) -> Result<Opened, Refusal> {
    let data = PdfData::from(input.bytes().to_vec());
    let (opened, by_password) = match tried(&data, "")? {
        Some(reader) => (Some(reader), false),
        None => (with_passwords(&data, cx)?, true),
    };
    let reader = opened.ok_or_else(|| cx.keys.locked())?;
    if reader.pages().is_empty() {
        return Err(Refusal::malformed(0, "ISO 32000-1 7.7.3: there is no page"));
    }
    Ok(Opened { reader, by_password })
}

/// Ours: a try reads the cross-reference table anew, and hashes some hundred times at most (ISO 32000-2, 7.6.4).
const TRY: u64 = 10_000;
/// Ours: bytes of the file that stand for a round of hashing.
const BYTES_A_ROUND: u64 = 64;

fn with_passwords(data: &PdfData, cx: &mut Cx<'_>) -> Result<Option<Reader>, Refusal> {
    let cost = TRY.saturating_add(data.as_ref().len() as u64 / BYTES_A_ROUND);
    let (keys, budget) = (cx.keys, &mut *cx.budget);
    keys.find(|password| {
        budget.spend_key_iterations(cost)?;
        tried(data, password.text())
    })
}

/// The file, where the password is right; `None` where it is not.
fn tried(data: &PdfData, password: &str) -> Result<Option<Reader>, Refusal> {
    match Reader::new_with_password(data.clone(), password) {
        Ok(reader) => Ok(Some(reader)),
        Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => Ok(None),
        Err(LoadPdfError::Decryption(DecryptionError::UnsupportedAlgorithm)) => {
            Err(Refusal::Encrypted(Locked::method("not the standard security handler of PDF")))
        }
        Err(LoadPdfError::Decryption(_)) => Err(Refusal::malformed(0, "ISO 32000-1 7.6.1: the encryption dictionary")),
        Err(LoadPdfError::Invalid) => {
            Err(Refusal::malformed(0, "ISO 32000-1 7.5: no cross-reference table, and none can be made"))
        }
    }
}

/// The new document, ready to be written.
struct Built {
    document: Document,
    catalog: Id,
    pages: Id,
    method: Method,
}

fn rebuild(reader: &Reader, cx: &mut Cx<'_>) -> Result<Built, Refusal> {
    let policy = cx.policy.formats.pdf.unwrap_or_default();
    let cache = RenderCache::new();
    let mut method = Method::Rebuilt;
    let xref = reader.xref();
    let catalog = xref.get::<Source<'_>>(xref.root_id()).unwrap_or_default();
    let mut walk = Walk::new(xref, cx);
    walk.inventory(reader, &catalog)?;
    let (catalog_id, pages_id) = (walk.document.reserve(), walk.document.reserve());
    for page in reader.pages().iter() {
        let id = walk.document.reserve();
        walk.page_ids.push(id);
        if let Some(source) = page.raw().obj_id() {
            walk.pages.entry(source).or_insert(id);
        }
    }
    let mut out = Dict::of("Catalog").with("Pages", Val::Ref(pages_id));
    let dests = walk.destinations(&catalog);
    // Layers first: a viewer lists them in the order of their numbers.
    out.set_some("OCProperties", walk.layers(&catalog)?);
    let ids = walk.page_ids.clone();
    for (i, (page, id)) in reader.pages().iter().zip(&ids).enumerate() {
        walk.place = format!("page {}", i.saturating_add(1));
        let mut object = walk.page(page, pages_id, &dests)?;
        let unbuildable = walk.unbuildable.take();
        if unbuildable.is_some() || policy.action == RuleAction::Flatten {
            if let Some(why) = unbuildable
                && !policy.flatten_when_unrebuildable
            {
                return Err(Refusal::unsupported(format!("{why}, {}", walk.place)));
            }
            object = walk.flat_page(page, pages_id, &cache)?;
            walk.found("PDF-87", FindingAction::ReEncoded);
            method = Method::Flattened;
        }
        walk.document.put(*id, object);
    }
    walk.place = String::new();
    out.set_some("Outlines", walk.outlines(&catalog, &dests)?.map(Val::Ref));
    out.set_some("PageLabels", walk.page_labels(&catalog));
    out.set_some("PageLayout", choice(&catalog, "PageLayout", LAYOUTS));
    out.set_some("PageMode", choice(&catalog, "PageMode", &["UseNone", "UseOutlines"]));
    out.set_some("Lang", language(&catalog));
    if let Some(preferences) = catalog.get::<Source<'_>>("ViewerPreferences") {
        let direction = choice(&preferences, "Direction", &["L2R", "R2L"]);
        out.set_some("ViewerPreferences", direction.map(|d| Val::Dict(Dict::new().with("Direction", d))));
    }
    walk.rest(&catalog, &mut out);
    let kids = ids.iter().map(|id| Val::Ref(*id)).collect();
    let tree = Dict::of("Pages").with("Count", Val::size(ids.len())).with("Kids", Val::Array(kids));
    walk.document.put(pages_id, Object::Value(Val::Dict(tree)));
    walk.document.put(catalog_id, Object::Value(Val::Dict(out)));
    Ok(Built { document: walk.document, catalog: catalog_id, pages: pages_id, method })
}

const LAYOUTS: &[&str] = &["SinglePage", "OneColumn", "TwoColumnLeft", "TwoColumnRight", "TwoPageLeft", "TwoPageRight"];

fn language(catalog: &Source<'_>) -> Option<Val> {
    let text = catalog.get::<hayro::hayro_syntax::object::String<'_>>("Lang")?;
    let text: Vec<u8> = text
        .as_bytes()
        .iter()
        .copied()
        .filter(|b| b.is_ascii_alphanumeric() || *b == b'-' || off(Filter::PdfLanguage))
        .take(35)
        .collect();
    (!text.is_empty()).then_some(Val::Str(text))
}
