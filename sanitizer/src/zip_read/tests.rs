use super::*;
use crate::zip_write::ZipWriter;
use model::Limits;

fn sample() -> Vec<u8> {
    let mut zip = ZipWriter::new();
    zip.add("a.txt", &b"alpha ".repeat(50)).unwrap();
    zip.add_dir("d").unwrap();
    zip.add_stored("d/b.txt", b"beta").unwrap();
    zip.finish().unwrap()
}

fn open(bytes: &[u8]) -> Result<Archive<'_>, Refusal> {
    Archive::open(bytes, &mut Budget::new(&Limits::default()))
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

/// Place of the `n`th occurrence.
fn nth(bytes: &[u8], needle: &[u8], n: usize) -> usize {
    bytes.windows(needle.len()).enumerate().filter(|(_, w)| *w == needle).nth(n).unwrap().0
}

#[test]
fn our_own_archives_are_read_without_an_oddity() {
    let bytes = sample();
    let archive = open(&bytes).unwrap();
    assert!(archive.oddities().is_empty());
    assert_eq!(archive.notes(), Notes::default());
    let mut budget = Budget::new(&Limits::default());
    let read: Vec<_> =
        archive.entries().iter().map(|e| (e.kind, archive.read(e, &mut budget).unwrap().len())).collect();
    assert_eq!(read, [(Kind::File, 300), (Kind::Folder, 0), (Kind::File, 4)]);
}

#[test]
fn bytes_before_and_after_are_seen_and_a_second_archive_is_refused() {
    let bytes = sample();
    let ids = |b: &[u8]| open(b).map(|a| a.oddities().iter().map(|o| o.0).collect::<Vec<_>>());
    assert_eq!(ids(&[b"stub".as_slice(), &bytes].concat()).unwrap(), ["GEN-04"]);
    assert_eq!(ids(&[&bytes, b"tail".as_slice()].concat()).unwrap(), ["GEN-03"]);
    assert!(matches!(ids(&[bytes.as_slice(), &bytes].concat()), Err(Refusal::Ambiguous { .. })));
}

#[test]
fn a_local_header_that_says_otherwise_is_refused() {
    for (offset, value) in [(30, b"b"), (8, b"\x63"), (14, b"\x01"), (22, b"\x01"), (6, b"\x01")] {
        let mut bytes = sample();
        put(&mut bytes, offset, value);
        assert!(matches!(open(&bytes), Err(Refusal::Ambiguous { .. })), "offset {offset}");
    }
}

#[test]
fn two_members_of_one_name_are_refused_in_a_package() {
    let two = |a: &str, b: &str| {
        let mut zip = ZipWriter::new();
        zip.add(a, b"1").unwrap();
        zip.add(b, b"2").unwrap();
        zip.finish().unwrap()
    };
    assert!(open(&two("a.txt", "a.txt")).is_err());
    assert!(open(&two("a.pdf ", "a.pdf /a.pdf .cmd")).is_err());
    assert!(open(&two("a.txt", "A.txt")).is_err());
    assert!(open(&two("a.txt", "b.txt")).is_ok());
    assert_eq!(Archive::open_any(&two("a", "a"), &mut Budget::new(&Limits::default())).unwrap().entries().len(), 2);
}

#[test]
fn counts_directories_and_sizes_that_lie_are_refused() {
    let mut bytes = sample();
    let end = bytes.len() - 22;
    put(&mut bytes, end + 8, &[2, 0, 2, 0]);
    assert!(open(&bytes).is_err(), "fewer members than listed");

    let mut bytes = sample();
    let second = nth(&bytes, b"PK\x01\x02", 2);
    put(&mut bytes, second + 42, &[0, 0, 0, 0]);
    assert!(open(&bytes).is_err(), "two members on one local header");

    let mut bytes = sample();
    let first = nth(&bytes, b"PK\x01\x02", 0);
    put(&mut bytes, first + 24, &[0, 0, 0, 0x40]);
    put(&mut bytes, 22, &[0, 0, 0, 0x40]);
    assert!(matches!(open(&bytes), Err(Refusal::Limit { .. })), "a gigabyte out of nothing");
}

#[test]
fn damaged_data_is_not_handed_out() {
    let mut bytes = sample();
    put(&mut bytes, 36, b"\xff\xff");
    let archive = open(&bytes).unwrap();
    let mut budget = Budget::new(&Limits::default());
    assert!(archive.read(&archive.entries()[0], &mut budget).is_err());
}

#[test]
fn no_cut_and_no_flipped_byte_makes_it_panic() {
    let bytes = sample();
    let mut budget = Budget::new(&Limits::default());
    for at in 0..bytes.len() {
        assert!(open(&bytes[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut bent = bytes.clone();
            bent[at] ^= 1 << bit;
            if let Ok(archive) = open(&bent) {
                for entry in archive.entries() {
                    let _ = archive.read(entry, &mut budget);
                }
            }
        }
    }
}
