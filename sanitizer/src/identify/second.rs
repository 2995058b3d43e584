//! A second format in the file: mitra's stacks, parasites and cavities (GEN-02), bytes before the header (GEN-04).
//!
//! Only places that readers really start from are looked at: the end record of ZIP, the first kilobyte for PDF, the
//! fixed offsets of tar, ISO 9660 and DICOM, and the signatures that self-extractors search for.

use super::{Identity, magic};
use crate::zip_read::Archive;
use memchr::memmem;
use model::{Budget, FindingAction, Format, Policy, Refusal};

/// Whether the file ends as a ZIP archive that opens.
pub fn has_zip(bytes: &[u8], policy: &Policy) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(70_000)..).unwrap_or_default();
    memmem::find(tail, b"PK\x05\x06").is_some() && Archive::open(bytes, &mut Budget::new(&policy.limits)).is_ok()
}

/// Notes or refuses what else the file is.
pub fn look(bytes: &[u8], policy: &Policy, identity: &mut Identity) {
    let format = identity.format;
    if format.is_picture() {
        if script_header(bytes, format) {
            refuse(identity, "a script that begins with the picture's signature");
            return;
        }
        for what in seconds(bytes, format, policy) {
            identity.findings.push(("GEN-02", FindingAction::ReEncoded, format!("also {what}")));
        }
    } else if format == Format::Pdf {
        if !bytes.starts_with(b"%") {
            identity.findings.push(("GEN-04", FindingAction::Removed, "bytes before %PDF-".to_owned()));
        }
        document(bytes, format, policy, identity);
    } else if format == Format::Zip || format.is_ooxml() {
        // Members may hold anything; what stands outside of them is the archive reader's business.
        let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
        let tail = bytes.get(bytes.len().saturating_sub(1024)..).unwrap_or_default();
        let pdf = memmem::find(head, b"%PDF-").is_some() && memmem::find(tail, b"startxref").is_some();
        if pdf {
            refuse(identity, "a PDF document");
        }
    }
}

/// A document or archive that claims the file as a whole next to the first: refused.
fn document(bytes: &[u8], format: Format, policy: &Policy, identity: &mut Identity) {
    if let Some(what) = seconds(bytes, format, policy).into_iter().next() {
        refuse(identity, what);
    }
}

fn refuse(identity: &mut Identity, what: &'static str) {
    identity.findings.push(("GEN-02", FindingAction::Blocked, format!("also {what}")));
    identity.refusal.get_or_insert(Refusal::Ambiguous { what: what.into() });
}

/// `GIF89a=1/*…`, `BM=…`: what should be sizes is source text.
fn script_header(bytes: &[u8], format: Format) -> bool {
    if !matches!(format, Format::Gif | Format::Bmp) {
        return false;
    }
    let after = if format == Format::Gif { 6 } else { 2 };
    let head = bytes.get(after..bytes.len().min(32)).unwrap_or_default();
    let operator = head.trim_ascii_start();
    (operator.starts_with(b"=") || operator.starts_with(b"/*") || operator.starts_with(b"//"))
        && bytes.contains(&b';')
        && head.iter().all(|b| matches!(b, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
}

fn seconds(bytes: &[u8], format: Format, policy: &Policy) -> Vec<&'static str> {
    let mut found = Vec::new();
    let has = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|b| b.starts_with(magic));
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    if has_zip(bytes, policy) {
        found.push("a ZIP archive");
    }
    if format != Format::Pdf && memmem::find(head, b"%PDF-").is_some() {
        found.push("a PDF document");
    }
    if has(257, b"ustar") {
        found.push("a tar archive");
    }
    if magic::is_optical(bytes) {
        found.push("a disk image");
    }
    if has(128, b"DICM") {
        found.push("a DICOM picture");
    }
    // Compressed data holds six chosen bytes once in 280 TB.
    for (magic, what) in [(&b"Rar!\x1a\x07"[..], "a RAR archive"), (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive")] {
        if memmem::find(bytes, magic).is_some() {
            found.push(what);
        }
    }
    if format.is_picture() && (memmem::find(head, b"<script").is_some() || memmem::find(head, b"<html").is_some()) {
        found.push("an HTML page");
    }
    found
}
