//! Texts and tables.

use super::Carrier;
use super::Filter::{self, *};
use model::Format::{self, Csv, Sylk, Txt};

pub(super) fn carriers() -> Vec<Carrier> {
    let one = |filter: Filter, format: Format, text: &str, mark: &str| Carrier::new(filter, format, text, mark);
    let mut out = vec![
        one(TextJoiners, Txt, "pay\u{200d}load\n", "\u{200d}"),
        one(TextJoiners, Txt, "é\u{200c}\u{200c}é\n", "\u{200c}\u{200c}"),
        one(TextLineEnds, Txt, "a\rb\n", "a\rb"),
        one(TextLineEnds, Txt, "a\r\nb\nc\r\n", "a\r\nb\n").says("two styles of line ends"),
        one(TextLineEnds, Csv, "a,b\rc,d\n", "b\rc"),
        one(TextPdfHeader, Txt, "see %PDF-1.4 here\n", "%PDF-"),
        one(TextMailbox, Txt, "From a\r\nSubject: b\r\n", "").says("a mailbox header"),
        one(CsvSeparatorLine, Csv, "sep=;\r\na;b\r\n", "sep=;"),
        one(CsvSeparatorLine, Csv, "\"SEP=|\"\na|b\n", "SEP=|"),
        one(CsvQuotes, Csv, "x\n5\" pipe,x\n", "\n5\" pipe").says("a quote inside of a cell"),
        one(CsvQuotes, Csv, "\"a\"b,c\n", "\"a\"b"),
        one(CsvQuotes, Csv, "a,\"open\n=1,b\n", "a,\"open\n=1,b\n"),
        one(SylkFormulas, Sylk, "ID;PWXL\nC;Y1;X1;K1\nC;X2;K=cmd|' /C calc'!A0\nE\n", ",\"=cmd|"),
        one(SylkFormulas, Sylk, "ID;PWXL\nC;Y1;X2;K\"@SUM(1)\"\nE\n", ",@SUM(1)"),
    ];
    for start in
        ["#!/bin/sh\n", "MZ\n", "%PDF 1\n", "{\\rtf1}\n", "<?php\n", "ID;P\n", "[autorun]\n", "@echo off\n", "GIF89a\n"]
    {
        out.push(one(TextStart, Txt, start, start.trim_end()));
    }
    for c in ['\0', '\u{8}', '\u{1b}', '\u{7f}', '\u{9b}'] {
        out.push(one(TextControls, Txt, &format!("Pressure {c}[2J 4.2 bar\n"), &c.to_string()).says(&format!("{c:?}")));
        out.push(one(TextControls, Csv, &format!("a,Pressure {c} 4\n"), &c.to_string()).says(&format!("{c:?}")));
    }
    for c in
        ['\u{202e}', '\u{2066}', '\u{200b}', '\u{200f}', '\u{feff}', '\u{61c}', '\u{e0041}', '\u{fffe}', '\u{fdd0}']
    {
        out.push(one(TextHidden, Txt, &format!("Access {c}level\n"), &c.to_string()).says(&format!("{c:?}")));
        out.push(one(TextHidden, Csv, &format!("a,le{c}vel\n"), &c.to_string()).says(&format!("{c:?}")));
    }
    for c in ['\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'] {
        out.push(one(TextSeparators, Txt, &format!("a{c}b\n"), &c.to_string()).says(&format!("{c:?}")));
    }
    for formula in ["=1+1", "+A1", "-A1", "@SUM(A1)", "＝1", "\t1", " =1", "-2+3+cmd|' /C calc'!A0"] {
        out.push(one(CsvFormulas, Csv, &format!("x,\"{formula}\",y\n"), &format!(",\"{formula}")));
        // A bare TAB separates cells where it is read as a formula's beginning.
        if formula.starts_with('\t') {
            continue;
        }
        out.push(one(CsvFormulas, Csv, &format!("x,{formula},y\n"), &format!(",{formula}")));
        out.push(one(CsvInnerFormulas, Csv, &format!("a,b;{formula},c\n"), &format!(";{formula}")));
    }
    out
}
