use crate::zip_read::Archive;
use crate::zip_write::ZipWriter;
use crate::{Cleaned, Quiet, clean};
use model::{Budget, Format, Policy, Reason, ReasonCode, Refusal, Untrusted, WithheldMember};

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new();
    for (name, bytes) in members {
        if name.ends_with('/') { zip.add_dir(name) } else { zip.add(name, bytes) }.unwrap();
    }
    zip.finish().unwrap()
}

fn cleaned(bytes: &[u8]) -> Cleaned {
    clean("a.zip", Untrusted::new(bytes), &Policy::standard(), &mut Quiet)
}

/// The members of the cleaned archive. Cleaning it again must give the same bytes.
fn members(bytes: &[u8]) -> Vec<(String, String)> {
    let once = cleaned(bytes).result.unwrap();
    let again = cleaned(&once.bytes);
    assert_eq!(again.result.unwrap().bytes, once.bytes, "not a fixed point");
    let mut budget = Budget::new(&Policy::standard().limits);
    let archive = Archive::open(&once.bytes, &mut budget).unwrap();
    let text = |e| String::from_utf8_lossy(&archive.read(e, &mut budget).unwrap()).into_owned();
    archive
        .entries()
        .iter()
        .map(|e| e.name.clone())
        .zip(archive.entries().iter().map(text).collect::<Vec<_>>())
        .collect()
}

fn names(bytes: &[u8]) -> Vec<String> {
    members(bytes).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn members_are_cleaned_and_folders_stay() {
    let archive = zip(&[("docs/", b""), ("docs/Lies mich.txt", b"a\0b\xef\xbb\xbf"), ("t.csv", b"=1,2\n")]);
    let expected = [("docs/", ""), ("docs/Lies mich.txt", "ab"), ("t.csv", "'=1,2\n")];
    assert_eq!(members(&archive), expected.map(|(n, t)| (n.to_owned(), t.to_owned())));
    let children = cleaned(&archive).children;
    assert_eq!(children.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["Lies mich.txt", "t.csv"]);
}

#[test]
fn names_become_safe_relative_and_unique() {
    let archive = zip(&[
        ("../../etc/passwd", b"a"),
        ("C:\\temp\\b.txt", b"b"),
        ("con.txt", b"c"),
        ("x.txt", b"d"),
        ("X.TXT", b"e"),
        ("x (2).txt", b"f"),
        ("r\u{202e}txt.md", b"g"),
        ("Dir/a.txt", b"h"),
        ("dir/b.txt", b"i"),
        ("e\u{301}.txt", b"j"),
        ("é.txt", b"k"),
        ("é.txt", b"k2"),
        ("note", b"l"),
        ("note.txt/m.txt", b"m"),
    ]);
    let expected = [
        "etc/passwd.txt",
        "temp/b.txt",
        "_con.txt",
        "x.txt",
        "X (2).TXT",
        "x (2) (2).txt",
        "rtxt.txt",
        "Dir/a.txt",
        "Dir/b.txt",
        "e\u{301}.txt",
        "é (2).txt",
        "é (3).txt",
        "note.txt",
        "note (2).txt/m.txt",
    ];
    assert_eq!(names(&archive), expected);
}

#[test]
fn what_can_not_be_cleaned_leaves_a_tombstone_or_withholds_the_archive() {
    let archive = zip(&[
        ("ok.txt", b"fine"),
        ("run.bat", b"del *"),
        (&format!("{}.exe", "n".repeat(250)), b"\x7fELF\x02\x01\x01\0"),
    ]);
    let made = members(&archive);
    assert_eq!(made[1].0, "run.bat.withheld.txt");
    assert!(made[1].1.contains("\"run.bat\"") && made[1].1.contains("script may not pass"), "{}", made[1].1);
    assert!(made[2].0.len() <= 200 && made[2].0.ends_with(".txt"));
    let children = cleaned(&archive).children;
    assert_eq!(children.iter().map(|c| c.reason.is_some()).collect::<Vec<_>>(), [false, true, true]);

    let mut strict = Policy::standard();
    strict.formats.zip.as_mut().unwrap().withheld_member = WithheldMember::Block;
    assert!(clean("a.zip", Untrusted::new(&archive), &strict, &mut Quiet).result.is_err());
    assert!(matches!(cleaned(&zip(&[("run.bat", b"del *")])).result, Err(Refusal::BlockedType { .. })));
    assert!(cleaned(&zip(&[])).result.is_ok(), "an empty archive is one");
}

#[test]
fn encrypted_members_have_an_outcome_too() {
    let mut archive = zip(&[("a.txt", b"fine"), ("b.txt", b"secret")]);
    // Bit 0 of both headers of the second member.
    let local = archive.windows(4).rposition(|w| w == b"PK\x03\x04").unwrap();
    let central = archive.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    archive[local + 6] |= 1;
    archive[central + 8] |= 1;
    let cleaned = cleaned(&archive);
    assert_eq!(cleaned.children.len(), 2);
    assert!(matches!(&cleaned.children[1].reason, Some(Reason { code: ReasonCode::Encrypted, .. })));
    assert!(names(&archive).contains(&"b.txt.withheld.txt".to_owned()));
}

#[test]
fn archives_in_archives_are_cleaned_and_end_at_the_limit() {
    let mut nested = zip(&[("a.csv", b"=1\n")]);
    let inner = members(&zip(&[("in.zip", &nested)]));
    assert_eq!(inner[0].0, "in.zip");
    for _ in 0..Policy::standard().limits.depth {
        nested = zip(&[("in.zip", &nested)]);
    }
    assert!(matches!(cleaned(&nested).result, Err(Refusal::Limit { .. })));
}

#[test]
fn no_flipped_byte_makes_it_panic_or_leaves_the_dialect() {
    let bytes = zip(&[("d/", b""), ("d/a.txt", b"alpha alpha alpha alpha alpha"), ("b.csv", b"=1,2\n")]);
    for at in 0..bytes.len() {
        for bit in [0, 3, 7] {
            let mut bent = bytes.clone();
            bent[at] ^= 1 << bit;
            let Cleaned { format, result: Ok(made), .. } = cleaned(&bent) else { continue };
            assert_eq!(format, Format::Zip);
            assert_eq!(cleaned(&made.bytes).result.unwrap().bytes, made.bytes, "byte {at} bit {bit}");
        }
    }
}
