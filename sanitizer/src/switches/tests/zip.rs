//! Archives.

use super::Carrier;
use super::Filter::{self, *};
use model::Format::Zip;

fn one(filter: Filter, members: &[(&str, &[u8])], mark: &[u8]) -> Carrier {
    let names: Vec<&str> = members.iter().map(|m| m.0).collect();
    Carrier::new(filter, Zip, samples::zip(members), mark).says(&format!("{names:?}"))
}

pub(super) fn carriers() -> Vec<Carrier> {
    const TEXT: &[u8] = b"harmless\n";
    let mut out = vec![
        one(ZipDuplicates, &[("A.txt", TEXT), ("a.txt", TEXT)], b"a.txt"),
        one(ZipExtensions, &[("report.pdf", TEXT)], b"report.pdf"),
        one(ZipExtensions, &[("run", TEXT)], b"\nrun\n"),
        one(ZipMembers, &[("a.txt", TEXT), ("b.txt", &samples::program_stub())], b"PE\0\0"),
        one(ZipMembers, &[("a.txt", b"x\x1b[2Jy\n")], b"\x1b"),
    ];
    for name in [
        "../../x.txt",
        "a/../../x.txt",
        "/etc/x.txt",
        "C:\\x.txt",
        "C:x.txt",
        "a\\..\\x.txt",
        "CON.txt",
        "aux/x.txt",
        "x.txt:y.txt",
        "a\u{202e}b.txt",
        "a\u{7}b.txt",
        "a\u{200b}b.txt",
        "folder /x.txt",
        "folder./x.txt",
        " x.txt",
        "a//x.txt",
        "./x.txt",
        "a<b>.txt",
        "a|b.txt",
        "a?.txt",
    ] {
        out.push(one(ZipNames, &[(name, TEXT)], format!("\n{name}\n").as_bytes()));
    }
    out.push(one(ZipNames, &[(&format!("{}.txt", "x".repeat(300)), TEXT)], &[b'x'; 300]).says("a name of 300 bytes"));
    out
}
