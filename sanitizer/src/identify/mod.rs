//! What a file is, by its content. The name is only compared (GEN-01).
//!
//! Signatures first, then the packages that share one (ZIP, OLE2), then text, then what `infer` knows, else unknown.
//! The formats that are rebuilt are also searched for a second format (GEN-02 to GEN-04). A rebuilt picture holds
//! nothing but pixels, so bytes that were hung onto it are a finding; where a whole second document or archive stands
//! in the file, nobody can say which one the sender meant, and the file is refused.

mod magic;
mod names;
mod ole;
mod package;
mod second;
mod text;

pub use names::extension;

use crate::{formats::text::decode, registry};
use model::{FindingAction, Format, Mismatch, Policy, Refusal, RiskClass, Untrusted};

/// What the content is, what else was seen, and whether that alone refuses the file.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The format by content.
    pub format: Format,
    /// Catalogue rows met while looking: id, action, place.
    pub findings: Vec<(&'static str, FindingAction, String)>,
    /// Set where the file may not be rebuilt whatever the policy says: blocked types, unknown content, polyglots that
    /// a reader could take for something of another risk class.
    pub refusal: Option<Refusal>,
}

/// Looks at `input` and compares with `name`.
#[must_use]
pub fn identify(name: &str, input: Untrusted<'_>, policy: &Policy) -> Identity {
    let bytes = input.bytes();
    let extension = names::extension(name);
    let format = look(bytes, &extension, policy);
    let mut identity = Identity { format, findings: Vec::new(), refusal: None };
    if let Some(refusal) = never(format) {
        identity.refusal = Some(refusal);
    } else if registry::reconstructor(format).is_some() && !bytes.is_empty() {
        compare(&extension, policy, &mut identity);
        second::look(bytes, policy, &mut identity);
    }
    identity
}

/// The format by content alone; the extension only tells kinds of text apart.
fn look(bytes: &[u8], extension: &str, policy: &Policy) -> Format {
    if bytes.is_empty() {
        return empty(extension);
    }
    if is_zip(bytes) {
        return package::of(bytes, policy);
    }
    if [&b"%PDF"[..], b"%FDF-", b"%XDP-"].iter().any(|m| bytes.starts_with(m)) {
        return Format::Pdf;
    }
    match magic::of(bytes) {
        Some(Format::OleOther) => return ole::of(bytes),
        Some(format) => return format,
        None => {}
    }
    if let Some(charset) = decode::detect(bytes) {
        // A PDF may start late (ISO 32000-1 annex H, note 13); a text that quotes its header has no end mark.
        let damaged = extension == "pdf" && memchr::memmem::find(bytes, b"obj").is_some();
        if damaged || delayed_pdf(bytes) {
            return Format::Pdf;
        }
        return text::of(&decode::head(bytes, charset), extension);
    }
    if delayed_pdf(bytes) {
        return Format::Pdf;
    }
    if second::has_zip(bytes, policy) {
        return package::of(bytes, policy);
    }
    magic::inferred(bytes).unwrap_or(Format::Unknown)
}

/// An empty file is harmless and common: it comes out as an empty text.
fn empty(extension: &str) -> Format {
    match names::text_kind(extension) {
        Some(names::TextKind::Is(table @ (Format::Csv | Format::Tsv))) => table,
        Some(names::TextKind::Is(_) | names::TextKind::Plain) | None => Format::Txt,
    }
}

/// A member, the end of an empty archive, or the mark of a split one (APPNOTE 8.5.4).
fn is_zip(bytes: &[u8]) -> bool {
    [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04"].iter().any(|m| bytes.starts_with(m))
}

fn delayed_pdf(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    let tail = bytes.get(bytes.len().saturating_sub(2048)..).unwrap_or_default();
    memchr::memmem::find(head, b"%PDF-").is_some() && memchr::memmem::find(tail, b"startxref").is_some()
}

/// What is refused by the name of what it is.
fn never(format: Format) -> Option<Refusal> {
    match format.risk_class() {
        RiskClass::Executable | RiskClass::Script => Some(Refusal::BlockedType { what: format.words() }),
        RiskClass::Unknown => Some(Refusal::UnknownType),
        RiskClass::Archive | RiskClass::Document if format == Format::DiskImage => {
            Some(Refusal::BlockedType { what: format.words() })
        }
        RiskClass::Archive | RiskClass::Document => None,
    }
}

/// GEN-01: a finding within a risk class, a refusal across classes or where policy says so.
fn compare(extension: &str, policy: &Policy, identity: &mut Identity) {
    let promised = names::promised(extension);
    let Some(first) = promised.first() else { return };
    if promised.contains(&identity.format) {
        return;
    }
    let across = promised.iter().all(|p| p.risk_class() != identity.format.risk_class());
    let block = across || policy.names.type_mismatch == Mismatch::Block;
    let action = if block { FindingAction::Blocked } else { FindingAction::Neutralised };
    let place = format!("named .{extension}, content is {}", identity.format.words());
    identity.findings.push(("GEN-01", action, place));
    if block {
        let (content, name) = (identity.format.words(), first.words());
        identity.refusal = Some(Refusal::TypeMismatch { content, name });
    }
}

#[cfg(test)]
mod tests;
