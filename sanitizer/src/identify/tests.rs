use super::*;
use crate::zip_write::ZipWriter;

fn of(name: &str, bytes: &[u8]) -> Identity {
    identify(name, Untrusted::new(bytes), &Policy::standard())
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new();
    for (name, bytes) in members {
        zip.add(name, bytes).unwrap();
    }
    zip.finish().unwrap()
}

#[test]
fn programs_and_their_kin_are_refused_by_name() {
    let mut pe = b"MZ".to_vec();
    pe.resize(0x3c, 0);
    pe.extend_from_slice(&[0x40, 0, 0, 0]);
    pe.extend_from_slice(b"PE\0\0");
    for (bytes, format) in [
        (pe.as_slice(), Format::Pe),
        (b"\x7fELF\x02\x01\x01", Format::Elf),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", Format::JavaClass),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", Format::MachO),
        (b"#!/bin/sh\necho", Format::Script),
        (b"[autorun]\r\nopen=a.exe", Format::Autorun),
        (b"L\0\0\0\x01\x14\x02\0\0\0", Format::Shortcut),
        (b"%!PS-Adobe-3.0", Format::PostScript),
        (b"ITSF\x03\0\0\0", Format::Chm),
    ] {
        let identity = of("report.pdf", bytes);
        assert_eq!(identity.format, format);
        assert!(matches!(identity.refusal, Some(Refusal::BlockedType { .. })), "{format}");
    }
    assert!(matches!(of("x", &[0, 1, 2, 3, 4, 5, 6, 7]).refusal, Some(Refusal::UnknownType)));
}

#[test]
fn packages_are_told_by_their_declared_main_part() {
    let types =
        |t: &str| format!("<Types xmlns='t'><Override PartName='/word/document.xml' ContentType='{t}'/></Types>");
    let rels = |ns: &str| {
        format!(
            "<Relationships><Relationship Id='a' Type='{ns}/officeDocument' Target='word/document.xml'/></Relationships>"
        )
    };
    let main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
    for ns in [
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    ] {
        let docx = zip(&[("[Content_Types].xml", types(main).as_bytes()), ("_rels/.rels", rels(ns).as_bytes())]);
        assert_eq!(of("a.docx", &docx).format, Format::Docx);
    }
    let macros = types("application/vnd.ms-word.document.macroEnabled.main+xml");
    assert_eq!(of("a.docm", &zip(&[("[Content_Types].xml", macros.as_bytes())])).format, Format::Docm);
    assert_eq!(of("a", &zip(&[("[Content_Types].xml", b"<Types/>")])).format, Format::OoxmlOther);
    assert_eq!(of("a", &zip(&[("mimetype", b"application/vnd.oasis.opendocument.text")])).format, Format::Odf);
    assert_eq!(of("a", &zip(&[("META-INF/MANIFEST.MF", b"")])).format, Format::JavaArchive);
    assert_eq!(of("a.zip", &zip(&[("a.txt", b"")])).format, Format::Zip);
}

#[test]
fn a_name_of_another_risk_class_refuses_and_of_the_same_is_told() {
    let archive = zip(&[("a.txt", b"a")]);
    assert!(matches!(of("letter.docx", &archive).refusal, Some(Refusal::TypeMismatch { .. })));
    assert!(matches!(of("setup.exe", b"just words").refusal, Some(Refusal::TypeMismatch { .. })));
    let within = of("picture.pdf", b"just words");
    assert_eq!((within.format, within.refusal), (Format::Txt, None));
    assert_eq!(within.findings[0].0, "GEN-01");
    let mut strict = Policy::standard();
    strict.names.type_mismatch = Mismatch::Block;
    assert!(identify("picture.pdf", Untrusted::new(b"just words"), &strict).refusal.is_some());
    assert!(of("notes.unheard-of", b"just words").findings.is_empty());
}

#[test]
fn an_empty_file_is_an_empty_text() {
    assert_eq!(of("a.csv", b"").format, Format::Csv);
    assert_eq!(of("a.pdf", b"").format, Format::Txt);
    assert_eq!(of("a.pdf", b"").refusal, None);
}

#[test]
fn no_cut_makes_it_panic() {
    let archive = zip(&[("[Content_Types].xml", b"<Types/>"), ("_rels/.rels", b"<R/>")]);
    let ole = [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[9; 600]].concat();
    for bytes in [archive, ole, b"From: a\nTo: b\n\n<html>".to_vec()] {
        for cut in 0..bytes.len() {
            let _ = of("a.docx", &bytes[..cut]);
        }
    }
}
