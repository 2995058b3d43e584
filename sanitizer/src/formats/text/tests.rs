use crate::{Cx, Quiet, Reconstructor};
use model::{Format, Policy, Refusal, Untrusted};

fn with_ids(bytes: &[u8], format: Format) -> (Result<Vec<u8>, Refusal>, Vec<String>) {
    Cx::top(&Policy::standard(), &mut Quiet, |cx| {
        let made = super::Text.reconstruct(Untrusted::new(bytes), format, cx).map(|r| r.bytes);
        (made, cx.findings().rows().iter().map(|f| f.id.clone()).collect())
    })
}

/// Rebuilds, and checks that doing it again changes nothing and finds nothing.
fn made(bytes: &[u8], format: Format) -> String {
    let once = with_ids(bytes, format).0.unwrap();
    let (again, found) = with_ids(&once, format);
    assert_eq!(again.as_ref(), Ok(&once), "not a fixed point");
    assert!(found.is_empty(), "{found:?}");
    String::from_utf8(once).unwrap()
}

#[test]
fn innocent_texts_and_tables_stay_as_they_are() {
    let long = "Zeile mit Wörtern, und noch mehr davon in einer langen Reihe\r\n".repeat(50);
    for text in ["", "a", "Grüße\r\nсвіт\r\n", "a\n\n\tb\n", "می\u{200c}خواهم", "👩\u{200d}🔧", &long]
    {
        assert_eq!(made(text.as_bytes(), Format::Txt), text);
    }
    for table in [
        "a,b\r\n1,-2\r\n",
        "\"a, b\",\"c \"\"d\"\"\"\n",
        "T;-1,5\nU;+3\n",
        "\"multi\nline\",x\n",
        "Tag\t-1e-3\n",
        ",,\n",
        "a|b\n",
        "+49 123 456;x\n",
    ] {
        assert_eq!(made(table.as_bytes(), Format::Csv), table);
    }
}

#[test]
fn what_hides_or_reorders_is_dropped_wherever_it_stands() {
    for bad in [
        '\0',
        '\u{8}',
        '\u{1b}',
        '\u{7f}',
        '\u{9b}',
        '\u{202e}',
        '\u{2066}',
        '\u{200b}',
        '\u{200d}',
        '\u{feff}',
        '\u{e0041}',
        '\u{fffe}',
    ] {
        for before in [0, 1, 63, 64, 130] {
            let (head, tail) = ("a".repeat(before), "b".repeat(70));
            assert_eq!(
                made(format!("{head}x{bad}{tail}").as_bytes(), Format::Txt),
                format!("{head}x{tail}"),
                "{bad:?}"
            );
        }
    }
    assert_eq!(made("a\u{2028}b\u{c}c\u{85}d\n".as_bytes(), Format::Txt), "a\nb\nc\nd\n");
    assert_eq!(made("é\u{200d}\u{200d}é\u{200d}x".as_bytes(), Format::Txt), "é\u{200d}éx");
}

#[test]
fn line_ends_get_one_style() {
    assert_eq!(made(b"a\r\nb\nc\rd", Format::Txt), "a\nb\nc\nd");
    assert_eq!(made(b"a\rb\r", Format::Txt), "a\nb\n");
    let crlf = format!("{}\r\n{}\r\n", "x".repeat(63), "y".repeat(62));
    assert_eq!(made(crlf.as_bytes(), Format::Txt), crlf);
}

#[test]
fn encodings_become_utf8_and_are_told() {
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("né;=1+1\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(made(&utf16, Format::Csv), "né;'=1+1\r\n");
    assert_eq!(with_ids(&utf16, Format::Csv).1, ["TXT-03", "CSV-01"]);
    assert_eq!(made(b"\xef\xbb\xbfa", Format::Txt), "a");
    assert_eq!(made(b"caf\xe9 d\xe9j\xe0 vu, na\xefve", Format::Txt), "café déjà vu, naïve");
}

#[test]
fn formulas_get_an_apostrophe_under_every_quoting_and_separator() {
    for formula in ["=1+1", "+A1", "-A1", "@SUM(A1)", "＝1", "\t1", "-2+3+cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"] {
        for separator in [',', ';', '|'] {
            let quoted = made(format!("x{separator}\"{formula}\"{separator}y\n").as_bytes(), Format::Csv);
            assert!(quoted.starts_with(&format!("x{separator}\"'")), "{quoted:?}");
            let bare = made(format!("x{separator} {formula}{separator}y\n").as_bytes(), Format::Csv);
            assert!(bare.starts_with(&format!("x{separator}' ")), "{bare:?}");
        }
    }
    assert_eq!(made(b"a,b;=1;c,d\n", Format::Csv), "a,b;'=1;c,d\n", "a formula for a reader in another country");
    assert_eq!(made(b"a,\"b;=1\",c\n", Format::Csv), "a,\"b;'=1\",c\n");
    assert_eq!(made(b"a\t=1\t-x;-y\n", Format::Tsv), "a\t'=1\t'-x;-y\n");
}

#[test]
fn quoting_is_made_whole_and_the_separator_line_goes() {
    assert_eq!(made(b"sep=;\r\na;b\r\n", Format::Csv), "a;b\r\n");
    assert_eq!(made(b"\"sep=|\"\na|=b,c\n", Format::Csv), "a|'=b,c\n");
    assert_eq!(made(b"5\" pipe,x\n", Format::Csv), "\"5\"\" pipe\",x\n");
    assert_eq!(made(b"\"a\"b,c\n", Format::Csv), "\"ab\",c\n");
    assert_eq!(made(b"a,\"open\n=1,b\n", Format::Csv), "a,\"open\n=1,'b\"\n".replace("'b", "b"));
}

#[test]
fn sylk_comes_out_as_the_values_of_its_cells() {
    let (made, found) =
        with_ids(b"ID;PWXL\nC;Y1;X2;K\"a;;b\"\nC;X3;K=cmd;Ecmd|' /C calc'!A0\nC;Y3;X1;K-5\nE\n", Format::Sylk);
    assert_eq!(String::from_utf8(made.unwrap()).unwrap(), ",\"a;b\",'=cmd\n\n-5\n");
    assert!(found.iter().any(|id| id == "CSV-05"));
    assert!(with_ids(b"ID;P\nC;Y99999999;X1;K1\n", Format::Sylk).0.is_err());
}

#[test]
fn what_is_no_text_or_begins_like_another_type_is_refused() {
    let noise: Vec<u8> = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert!(with_ids(&noise, Format::Txt).0.is_err());
    for start in [
        "\u{200b}#!/bin/sh",
        "\u{200b}\u{3000}ID;P",
        " [AutoRun]",
        "M\u{200b}Z\u{90}",
        "%PDF-1.4",
        "{\\rtf1",
        "ID\u{feff};P",
    ] {
        assert!(matches!(with_ids(start.as_bytes(), Format::Txt).0, Err(Refusal::Ambiguous { .. })), "{start:?}");
    }
}

#[test]
fn what_readers_sniff_for_is_broken_up() {
    assert_eq!(made(b"see %PDF-1.4 %PDF-", Format::Txt), "see % PDF-1.4 % PDF-");
    assert_eq!(made(b"From a\r\nSubject: b\r\n", Format::Txt), "\r\nFrom a\r\nSubject: b\r\n");
    assert_eq!(made(b"From here\non", Format::Txt), "From here\non");
}

#[test]
fn no_bytes_make_it_panic_and_all_it_makes_is_a_fixed_point() {
    let mut state = 7u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize
    };
    let alphabet = [
        b"\"",
        b",",
        b";",
        b"\n",
        b"\r",
        b"=",
        b"a",
        b"-",
        b" ",
        b"\t",
        b"1",
        "\u{200d}".as_bytes(),
        "é".as_bytes(),
        b"\xff",
        b"\0",
    ];
    for round in 0..20_000 {
        let bytes: Vec<u8> = (0..next() % 40).flat_map(|_| alphabet[next() % alphabet.len()].to_vec()).collect();
        let format = [Format::Csv, Format::Tsv, Format::Txt][round % 3];
        let Ok(once) = with_ids(&bytes, format).0 else { continue };
        let (again, _) = with_ids(&once, format);
        assert_eq!(again, Ok(once), "{:?}", String::from_utf8_lossy(&bytes));
    }
}
