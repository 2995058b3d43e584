//! ZIP archives that are right but for one thing (ARC-*).

use crate::read;
use crate::zip::{Around, Member, write, write_around};
use model::Format;

fn two() -> Vec<Member> {
    vec![
        Member::new("a.txt", b"hello hello hello"),
        Member::stored("folder/", b""),
        Member::stored("folder/b.csv", b"1,2\n"),
    ]
}

fn verdict(members: &[Member]) -> bool {
    read(&write(members), Format::Zip).is_ok()
}

#[test]
fn archives_as_we_write_them_are_accepted() {
    assert!(verdict(&two()) && verdict(&[]));
    let inner = write(&two());
    assert!(verdict(&[Member::stored("inner.zip", &inner), Member::new("virus.exe.withheld.txt", b"why")]));
    assert!(verdict(&[Member::new("Pr\u{fc}fung 1.TXT", b"")]));
}

type Wrong = fn(&mut Member);

#[test]
fn every_field_that_is_not_as_we_write_it_is_refused() {
    let wrongs: [(&str, Wrong); 24] = [
        ("ARC-05 name differs", |m| m.local_name = Some(b"b.txt".to_vec())),
        ("ARC-05 data descriptor", |m| m.flags |= 8),
        ("ARC-06 encrypted", |m| m.flags |= 1),
        ("ARC-05 strong encryption", |m| m.flags |= 0x40),
        ("ARC-05 no UTF-8 flag", |m| m.flags = 0),
        ("ARC-09 method", |m| m.method = 12),
        ("ARC-09 stored with deflated bytes", |m| m.method = 0),
        ("ARC-14 crc", |m| m.crc ^= 1),
        ("ARC-05 size", |m| m.size += 1),
        ("ARC-05 size", |m| m.size -= 1),
        ("ARC-05 bytes after the stream", |m| m.packed.push(0)),
        ("ARC-14 stream cut", |m| m.packed.truncate(5)),
        ("ARC-12 time", |m| m.time += 1),
        ("ARC-12 unix mode", |m| m.attributes = 0o100_777 << 16),
        ("ARC-02 symbolic link", |m| m.attributes = 0o120_777 << 16),
        ("ARC-12 hidden", |m| m.attributes = 2),
        ("ARC-12 made by unix", |m| m.made_by = 0x0314),
        ("ARC-05 version", |m| m.needed = 45),
        ("ARC-11 extra", |m| m.extra = vec![0x75, 0x70, 0, 0]),
        ("ARC-11 central extra", |m| m.central_extra = vec![0x75, 0x70, 0, 0]),
        ("ARC-11 comment", |m| m.comment = b"c".to_vec()),
        ("ARC-05 gap", |m| m.gap = b"canary".to_vec()),
        ("TXT-02 content", |m| *m = Member::new("a.txt", b"\x1b[31m")),
        ("TXT-04 content", |m| *m = Member::new("a.txt", b"#!/bin/sh\n")),
    ];
    for (what, wrong) in wrongs {
        let mut members = two();
        wrong(&mut members[0]);
        assert!(!verdict(&members), "{what}");
    }
}

#[test]
fn names_that_leave_clash_or_run_are_refused() {
    let names = [
        "../a.txt",
        "/a.txt",
        "c:/a.txt",
        "a\\b.txt",
        "a/../b.txt",
        "a//b.txt",
        "./a.txt",
        "con.txt",
        "a\u{202e}txt.txt",
        "a\u{7}.txt",
        "a .txt /b.txt",
        "-a.txt",
        ".a.txt",
        "a.txt:b.txt",
        "a.exe",
        "a",
        "a.docm",
        "a.zip.",
        "a.xlsb",
        "\u{feff}a.txt",
        "x/desktop.ini",
        "a.txt.",
        "A.TXT",
        "a.txt/b.txt",
        "folder",
        "a.lnk",
    ];
    for name in names {
        let mut members = two();
        members.push(Member::new(name, b"x"));
        assert!(!verdict(&members), "{name:?}");
    }
    let mut members = two();
    members.push(Member { name: b"\xff.txt".to_vec(), ..Member::new("x.txt", b"x") });
    assert!(!verdict(&members));
}

#[test]
fn archives_with_two_readings_are_refused() {
    let whole = write(&two());
    let around = |around: Around| read(&write_around(&two(), &around), Format::Zip).is_ok();
    assert!(!around(Around { before: b"MZ".to_vec(), ..Around::default() }), "prefix");
    assert!(!around(Around { before_directory: b"x".to_vec(), ..Around::default() }), "gap before the directory");
    assert!(!around(Around { comment: b"c".to_vec(), ..Around::default() }), "comment");
    assert!(!around(Around { after: b"x".to_vec(), ..Around::default() }), "suffix");
    assert!(!around(Around { hide_last: true, ..Around::default() }), "a member that the directory does not have");
    assert!(!around(Around { comment: write(&[]), ..Around::default() }), "an end record in the comment");
    assert!(read(&[whole.clone(), whole.clone()].concat(), Format::Zip).is_err(), "two archives");
    for at in 0..whole.len() {
        assert!(read(&whole[..at], Format::Zip).is_err(), "cut at {at}");
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        // Names are free, so a flip in both places of one would pass; one flip never does.
        assert!(read(&flipped, Format::Zip).is_err(), "flip at {at}");
    }
}

#[test]
fn archives_in_archives_end_at_the_depth_of_the_policy() {
    let nested = |depth| (0..depth).fold(write(&two()), |inner, _| write(&[Member::new("a.zip", &inner)]));
    assert!(read(&nested(7), Format::Zip).is_ok());
    assert!(read(&nested(8), Format::Zip).is_err());
}
