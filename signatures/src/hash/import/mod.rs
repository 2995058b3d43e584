//! Lists of others: plain text, CSV, MISP and STIX 2.1.
//!
//! An import never fails as a whole for one bad line, and never drops one silently: what was left out is listed.

mod csv;
mod misp;
mod plain;
mod stix;

use super::{Builder, FileDigest, Purpose};
use std::io::{self, BufRead, Read};

/// Ours: longest line of a list. Public ones stay below one KiB.
const MOST_LINE_BYTES: u64 = 64 << 10;
/// Ours: what a person still reads of a list of broken lines; all are counted.
const MOST_LISTED: usize = 100;
/// Ours: a JSON file is held in memory while it is read. Public MISP events and STIX bundles stay below 100 MiB.
const MOST_JSON_BYTES: u64 = 512 << 20;

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A digest a line, then a name if there is one: what `sha256sum` writes, and most lists are.
    Plain,
    /// RFC 4180 with a header line that names the columns.
    Csv,
    /// A MISP event, search result or warning list.
    Misp,
    /// A STIX 2.1 bundle.
    Stix,
}

impl Shape {
    /// What a list looks like, by the ending of its file's name and its first bytes.
    #[must_use]
    pub fn of(file_name: &str, first: &[u8]) -> Self {
        let text = String::from_utf8_lossy(first);
        if text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
            return if text.contains("\"bundle\"") || text.contains("spec_version") { Self::Stix } else { Self::Misp };
        }
        let csv = file_name.rsplit('.').next().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        if csv { Self::Csv } else { Self::Plain }
    }
}

/// A line or object that was left out although it looks as if it were meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Number of the line, or of the object in a JSON file, from 1.
    pub at: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Entries that were taken over.
    pub added: u64,
    /// Lines and objects that are in order but not for this: other kinds of indicators, revoked ones.
    pub skipped: u64,
    /// Lines and objects that could not be used.
    pub broken: u64,
    /// The first of them.
    pub listed: Vec<Broken>,
}

impl Imported {
    fn broken(&mut self, at: u64, why: &'static str) {
        self.broken = self.broken.saturating_add(1);
        if self.listed.len() < MOST_LISTED {
            self.listed.push(Broken { at, why });
        }
    }

    fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }
}

/// Where imported entries go, and the account that is kept of them.
struct Sink<'a> {
    to: &'a mut Builder,
    done: Imported,
}

impl Sink<'_> {
    fn add(&mut self, digest: FileDigest, name: Option<&str>) {
        // The digest of no bytes at all stands in many a careless list, and would withhold every empty file.
        if self.to.purpose() == Purpose::KnownBad && is_of_nothing(&digest) {
            self.done.skip();
            return;
        }
        self.to.add(digest, name);
        self.done.added = self.done.added.saturating_add(1);
    }
}

/// Reads a list of this shape into `to`.
///
/// # Errors
/// The list can't be read, or is not of this shape at all.
pub fn import(shape: Shape, list: impl BufRead, to: &mut Builder) -> io::Result<Imported> {
    let mut sink = Sink { to, done: Imported::default() };
    match shape {
        Shape::Plain => plain::read(list, &mut sink)?,
        Shape::Csv => csv::read(list, &mut sink)?,
        Shape::Misp => misp::read(&whole(list)?, &mut sink)?,
        Shape::Stix => stix::read(&whole(list)?, &mut sink)?,
    }
    Ok(sink.done)
}

fn whole(list: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    list.take(MOST_JSON_BYTES.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_JSON_BYTES {
        return Err(not_this("a JSON list of more than 512 MiB; split it"));
    }
    Ok(bytes)
}

fn not_this(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Calls `each` with number and text of every line. Text that is no UTF-8 keeps its digests, its names get `_`.
fn each_line(mut list: impl BufRead, mut each: impl FnMut(u64, Result<&str, &'static str>)) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if list.by_ref().take(MOST_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == MOST_LINE_BYTES {
            list.skip_until(b'\n')?;
            each(number, Err("the line is longer than 64 KiB"));
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { &text };
        each(number, Ok(text.trim_end_matches(['\r', '\n'])));
    }
    Ok(())
}

/// MD5, SHA-1 and SHA-256 of zero bytes.
fn is_of_nothing(digest: &FileDigest) -> bool {
    const OF_NOTHING: [&str; 3] = [
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    OF_NOTHING.iter().any(|hex| FileDigest::from_hex(hex).as_ref() == Some(digest))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::hash::HashIndex;

    pub(in crate::hash) fn digits(byte: u8, count: usize) -> String {
        format!("{byte:02x}").repeat(count / 2)
    }

    /// The account, and what is then found for the digests asked for.
    pub(in crate::hash) fn imported(
        shape: Shape,
        purpose: Purpose,
        list: &str,
        ask: &[&str],
    ) -> (Imported, Vec<Option<String>>) {
        let mut builder = Builder::new("list", "2026-01-31", purpose).unwrap();
        let done = import(shape, list.as_bytes(), &mut builder).unwrap();
        if builder.is_empty() {
            return (done, vec![None; ask.len()]);
        }
        let index = HashIndex::in_memory(builder.to_bytes().unwrap()).unwrap();
        let found = ask.iter().map(|hex| index.find(&FileDigest::from_hex(hex).unwrap()).unwrap());
        (done, found.collect())
    }

    #[test]
    fn the_shape_is_told_by_what_is_there() {
        assert_eq!(Shape::of("a.txt", b"# x\nab"), Shape::Plain);
        assert_eq!(Shape::of("a.CSV", b"sha256,name"), Shape::Csv);
        assert_eq!(Shape::of("a", b"\n {\"Event\": {"), Shape::Misp);
        assert_eq!(Shape::of("a.json", b"{ \"type\": \"bundle\", "), Shape::Stix);
    }

    #[test]
    fn the_digest_of_an_empty_file_is_never_taken_for_bad() {
        use sha2::Digest as _;
        let of_nothing: String = sha2::Sha256::digest(b"").iter().map(|b| format!("{b:02x}")).collect();
        let (done, found) = imported(Shape::Plain, Purpose::KnownBad, &of_nothing, &[&of_nothing]);
        assert_eq!((done.added, done.skipped, found), (0, 1, vec![None]));
        let (done, _) = imported(Shape::Plain, Purpose::KnownGood, &of_nothing, &[]);
        assert_eq!(done.added, 1);
    }

    #[test]
    fn a_line_without_end_costs_no_memory_and_hides_no_other() {
        let good = digits(7, 64);
        let list = format!("{}\n{good}\n", "x".repeat(1 << 20));
        let (done, found) = imported(Shape::Plain, Purpose::KnownBad, &list, &[&good]);
        assert_eq!(done.listed, [Broken { at: 1, why: "the line is longer than 64 KiB" }]);
        assert_eq!(found, [Some("list".to_owned())]);
    }
}
