//! Benign carriers of hostile constructs, made at run time: inert, deterministic, and never stored.
//!
//! Each function makes one file that holds one or more constructs of the catalogue (`model/data/vectors.tsv`), with
//! something to keep beside it. Targets are `*.invalid` only, programs are stubs that cannot run, and the EICAR test
//! string is put together from halves so that no file of the repository trips a scanner.
#![forbid(unsafe_code)]

mod locked_office;
mod locked_zip;
mod office;
pub mod ole;
mod pdf;
mod pictures;

pub use locked_office::{Scheme, office_locked};
pub use locked_zip::{Lock, zip_locked};
pub use office::{Relationship, docm, docm_with, docx, package, pptx, xlsx};
pub use pdf::{pdf, pdf_obfuscated, pdf_plain, pdf_with};
pub use pictures::{bmp, gif, jpeg, jpeg_with_exif, png, png_with_text, tiff, webp};

use std::io::Write;

/// Text that a cleaned file must still show.
pub const KEEP: &str = "KEEP-turbine-4711";
/// Text that a cleaned file must not hold anywhere, in any layer.
pub const CANARY: &str = "CDRX-canary-0badcafe";

/// The EICAR antivirus test string, from halves.
#[must_use]
pub fn eicar() -> Vec<u8> {
    let halves = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}", "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
    halves.concat().into_bytes()
}

/// A Windows program that cannot run: an MZ header that points to a PE header without sections.
#[must_use]
pub fn program_stub() -> Vec<u8> {
    let mut stub = vec![0u8; 0x100];
    stub.splice(..2, *b"MZ");
    stub.splice(0x3c..0x40, 0x80u32.to_le_bytes());
    stub.splice(0x80..0x84, *b"PE\0\0");
    stub
}

/// The head of a Windows shortcut, with nowhere to go.
#[must_use]
pub fn shortcut_stub() -> Vec<u8> {
    let mut stub = vec![0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    stub.resize(0x4c, 0);
    stub
}

/// Plain text with bidi controls (TXT-01) and terminal escapes (TXT-02).
#[must_use]
pub fn text() -> Vec<u8> {
    format!("Maintenance notes for {KEEP}\r\nAccess \u{202e}level\u{202c}: user\r\n\u{1b}[2JPressure 4.2 bar\r\n")
        .into_bytes()
}

/// A table with a formula cell (CSV-01) among numbers that must stay as they are.
#[must_use]
pub fn table() -> Vec<u8> {
    format!("tag,value,note\n{KEEP},-12.5,ok\nP-102,+3.20,\"=cmd|'/c calc'!A1\"\nP-103,1e-3,\"a, b\"\n").into_bytes()
}

/// A ZIP archive of `members`, in their order. Names are taken as they are: a test may want an unsafe one.
#[must_use]
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        if writer.start_file(*name, options).is_ok() {
            // Writing into memory does not fail; a member that is missing would show in the test that asked for it.
            let _ = writer.write_all(bytes);
        }
    }
    writer.finish().map(std::io::Cursor::into_inner).unwrap_or_default()
}

/// The files of the demo stick: path and bytes.
#[must_use]
pub fn demo_stick() -> Vec<(&'static str, Vec<u8>)> {
    let inner = [("manual/cover.png", png_with_text()), ("manual/readme.txt", text()), ("setup.exe", program_stub())];
    let members: Vec<(&str, &[u8])> = inner.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    vec![
        ("reports/inspection.pdf", pdf()),
        ("reports/letter.docm", docm()),
        ("reports/measurements.csv", table()),
        ("reports/pumps.xlsx", xlsx()),
        ("reports/training.pptx", pptx()),
        ("pictures/site.jpg", jpeg_with_exif()),
        ("pictures/diagram.png", png_with_text()),
        ("pictures/blinker.gif", gif()),
        ("pictures/logo.bmp", bmp()),
        ("notes.txt", text()),
        ("invoice\u{202e}fdp.txt", b"A name that reads backwards.\n".to_vec()),
        ("vendor-delivery.zip", zip(&members)),
        ("setup.exe", program_stub()),
        ("Documents.lnk", shortcut_stub()),
        ("test-virus.txt", eicar()),
    ]
}
