//! Constructs in texts, tables, archives, their names, and the XML of documents.

use crate::document::{BODY, docx};
use crate::zip::{Member, write};
use crate::{Planted, cleaned, planted};
use model::Format::{Csv, Docx, Txt, Zip};

pub fn all() -> Vec<Planted> {
    [words(), archives(), xml()].into_iter().flatten().collect()
}

fn words() -> Vec<Planted> {
    let text = cleaned("a.txt", b"valve 1 opens\nvalve 2 closes\n");
    let table = cleaned("a.csv", b"tag,value\nP1,4\n");
    let behind = |twin: &[u8], more: &[u8]| [twin, more].concat();
    vec![
        planted("TXT-01", "an override", Txt, &text, behind(&text, "a\u{202e}b".as_bytes())),
        planted("TXT-02", "an escape", Txt, &text, behind(&text, b"\x1b[31m")),
        planted("TXT-03", "no UTF-8", Txt, &text, behind(&text, b"M\xfcller")),
        planted("TXT-03", "a mark of byte order", Txt, &text, behind(b"\xef\xbb\xbf", &text)),
        planted("SCR-02", "an interpreter's line", Txt, &text, behind(b"#!/bin/sh\n", &text)),
        planted("CSV-01", "a formula", Csv, &table, behind(&table, b"=cmd|'/c x'!A1,1\n")),
        planted("CSV-02", "a separator's line", Csv, &table, behind(b"sep=;\n", &table)),
        planted("CSV-02", "a quote that stays open", Csv, &table, behind(&table, b"\"a,1\n")),
        planted("CSV-03", "a NUL", Csv, &table, behind(&table, b"a\0,1\n")),
        planted("CSV-06", "a literal as formula", Csv, &table, behind(&table, b"\"=\"\"0123\"\"\",1\n")),
    ]
}

type Wrong = fn(&mut Member);

fn archives() -> Vec<Planted> {
    let two = || vec![Member::new("a.txt", b"hello hello hello"), Member::stored("b.csv", b"1,2\n")];
    let twin = write(&two());
    let mut all = Vec::new();
    let wrongs: [(&str, &str, Wrong); 6] = [
        ("ARC-02", "a symbolic link", |m| m.attributes = 0o120_777 << 16),
        ("ARC-11", "a comment", |m| m.comment = b"c".to_vec()),
        ("ARC-11", "an extra field", |m| m.extra = vec![0x75, 0x70, 0, 0]),
        ("ARC-12", "a time", |m| m.time += 1),
        ("ARC-12", "a program's mode", |m| m.attributes = 0o100_777 << 16),
        ("ARC-13", "a nested archive that is none of ours", |m| *m = Member::new("a.zip", b"PK\x05\x06")),
    ];
    for (row, what, wrong) in wrongs {
        let mut members = two();
        wrong(&mut members[0]);
        all.push(planted(row, what, Zip, &twin, write(&members)));
    }
    let long = format!("{}.txt", "a".repeat(260));
    let names = [
        ("ARC-08", "con.txt"),
        ("ARC-15", "a.txt.gz"),
        ("NAM-01", "a\u{202e}txt.txt"),
        ("NAM-02", "a.exe   .txt "),
        ("NAM-03", "nul.txt"),
        ("NAM-05", "a.txt:b.txt"),
        ("NAM-08", "a\u{7}.txt"),
        ("NAM-08", "-a.txt"),
        ("NAM-09", "a.lnk"),
        ("NAM-10", long.as_str()),
    ];
    for (row, name) in names {
        let members = [two(), vec![Member::new(name, b"x")]].concat();
        all.push(planted(row, name, Zip, &twin, write(&members)));
    }
    let raw = Member { name: b"\xff.txt".to_vec(), ..Member::new("x.txt", b"x") };
    all.push(planted("NAM-12", "no UTF-8", Zip, &twin, write(&[two(), vec![raw]].concat())));
    all
}

fn xml() -> Vec<Planted> {
    let twin = docx().bytes();
    let edits: [(&str, &str, &str); 9] = [
        ("XML-01", "<w:document ", "<!DOCTYPE x SYSTEM \"http://x.invalid/d\"><w:document "),
        ("XML-03", "<w:document ", "<?xml-stylesheet href=\"x\"?><w:document "),
        (
            "XML-03",
            "<w:document ",
            "<w:document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"a b\" ",
        ),
        ("XML-05", "KEEP", "KE&#1;EP"),
        ("XML-06", "<w:sectPr/>", "<w:p xmlns:w=\"urn:x\"/><w:sectPr/>"),
        ("XML-07", "<w:sectPr/>", "<!-- x --><w:sectPr/>"),
        ("XML-08", "<w:sectPr/>", "<x xmlns=\"urn:x\">AAEAAAD</x><w:sectPr/>"),
        ("XML-10", "<w:sectPr/>", "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/><w:sectPr/>"),
        (
            "XML-11",
            "<w:sectPr/>",
            "<w:p xmlns:xlink=\"http://www.w3.org/1999/xlink\" xlink:href=\"file:///x\"/><w:sectPr/>",
        ),
    ];
    let mut all = Vec::new();
    for (row, from, to) in edits {
        let mut d = docx();
        d.replace(BODY, from, to);
        all.push(planted(row, to, Docx, &twin, d.bytes()));
    }
    let parts = [
        (
            "GEN-09",
            "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin",
            "_xmlsignatures/origin.sigs",
            "application/vnd.openxmlformats-package.digital-signature-origin",
        ),
        (
            "GEN-12",
            "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail",
            "docProps/thumbnail.jpeg",
            "image/jpeg",
        ),
        (
            "OOX-04",
            "http://schemas.microsoft.com/office/2006/relationships/vbaProject",
            "word/vbaProject.bin",
            "application/vnd.ms-office.vbaProject",
        ),
    ];
    for (row, kind, name, content_type) in parts {
        let mut d = docx();
        d.binary(if row == "OOX-04" { BODY } else { "" }, kind, name, content_type, b"\xd0\xcf\x11\xe0");
        all.push(planted(row, name, Docx, &twin, d.bytes()));
    }
    all
}
