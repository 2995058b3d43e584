//! Comma-separated values (RFC 4180) with a header line, which may stand in a comment. Of several digests in a row,
//! which are of one file, the strongest is taken. A field holds no line break.

use super::{Sink, each_line, not_this};
use crate::hash::{Algorithm, FileDigest};
use std::io::{self, BufRead};

/// Which columns are of use.
#[derive(Debug, Default)]
struct Columns {
    digests: Vec<(usize, Algorithm)>,
    name: Option<usize>,
}

pub(super) fn read(list: impl BufRead, sink: &mut Sink<'_>) -> io::Result<()> {
    let mut columns: Option<Columns> = None;
    let mut lost = false;
    each_line(list, |number, line| {
        let line = match line.map(str::trim) {
            Ok(line) if !line.is_empty() => line,
            Ok(_) => return,
            Err(why) => return sink.done.broken(number, why),
        };
        let Some(known) = &columns else {
            columns = header(line.trim_start_matches('#'));
            // Rows before the header can't be read; a header that never comes refuses the list.
            lost |= columns.is_none() && !line.starts_with('#');
            return;
        };
        if !line.starts_with('#') {
            row(line, known, number, sink);
        }
    })?;
    if lost || columns.is_none() {
        return Err(not_this("its first line has no column called md5, sha1 or sha256"));
    }
    Ok(())
}

fn header(line: &str) -> Option<Columns> {
    let mut columns = Columns::default();
    let mut best_name = usize::MAX;
    for (at, field) in fields(line)?.iter().enumerate() {
        let letters = field.chars().filter(char::is_ascii_alphanumeric);
        let word: String = letters.map(|c| c.to_ascii_lowercase()).collect();
        match word.strip_suffix("hash").unwrap_or(&word) {
            "md5" => columns.digests.push((at, Algorithm::Md5)),
            "sha1" => columns.digests.push((at, Algorithm::Sha1)),
            "sha256" => columns.digests.push((at, Algorithm::Sha256)),
            _ => {
                // The name of a family says more than that of a file.
                let rank = NAMES.iter().position(|name| *name == word).unwrap_or(usize::MAX);
                if rank < best_name {
                    (best_name, columns.name) = (rank, Some(at));
                }
            }
        }
    }
    columns.digests.sort_by_key(|(_, algorithm)| std::cmp::Reverse(*algorithm));
    (!columns.digests.is_empty()).then_some(columns)
}

/// What a column of names is called, the best first.
const NAMES: [&str; 10] =
    ["signature", "malware", "family", "threat", "detection", "label", "description", "name", "filename", "comment"];

fn row(line: &str, columns: &Columns, number: u64, sink: &mut Sink<'_>) {
    let Some(fields) = fields(line) else {
        return sink.done.broken(number, "a quotation mark is not closed");
    };
    let field = |at: usize| fields.get(at).map(|field| field.trim()).filter(|field| !NOTHING.contains(field));
    for (at, algorithm) in &columns.digests {
        let Some(text) = field(*at) else { continue };
        let Some(digest) = FileDigest::of_kind(*algorithm, text) else {
            return sink.done.broken(number, "a digest has another length or digit than its column says");
        };
        return sink.add(digest, columns.name.and_then(field));
    }
    sink.done.broken(number, "there is no digest in it");
}

/// What stands for nothing in public lists.
const NOTHING: [&str; 5] = ["", "n/a", "N/A", "NULL", "-"];

/// The fields of a line; `None` where a quotation mark is not closed.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        // Some lists put a blank behind the comma.
        let begin = rest.trim_start_matches([' ', '\t']);
        let (field, after) = if let Some(quoted) = begin.strip_prefix('"') {
            unquoted(quoted)?
        } else {
            let end = begin.find(',').unwrap_or(begin.len());
            let (field, after) = begin.split_at_checked(end)?;
            (field.to_owned(), after)
        };
        fields.push(field);
        let after = after.trim_start_matches(|c| c != ',');
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some(fields),
        }
    }
}

/// The text up to the closing quotation mark (two of them stand for one), and what follows.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::hash::Purpose::{KnownBad, KnownGood};
    use crate::hash::import::tests::{digits, imported};
    use crate::hash::import::{Broken, Shape, import};

    #[test]
    fn columns_are_found_by_their_names_and_the_strongest_digest_is_taken() {
        let (a, b, c) = (digits(0xa1, 64), digits(0xb2, 40), digits(0xc3, 32));
        let list = format!(
            "# made by somebody\n# \"first_seen\",\"sha256_hash\",\"md5_hash\",\"sha1_hash\",\"file_name\",\"signature\"\n\
             \"2026-01-01\", \"{a}\", \"{c}\", \"n/a\", \"x \"\"y\"\", z.exe\", \"Bad One\"\n\
             \"2026-01-01\", \"\", \"\", \"{b}\", \"x.exe\", \"n/a\"\n"
        );
        let (done, found) = imported(Shape::Csv, KnownBad, &list, &[&a, &b, &c]);
        assert_eq!(found, [Some("Bad_One".to_owned()), Some("list".to_owned()), None]);
        assert_eq!((done.added, done.broken), (2, 0));
    }

    #[test]
    fn the_national_software_reference_library_is_read() {
        let (a, c) = (digits(0xA1, 40).to_uppercase(), digits(0xc3, 32));
        let list = format!("\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\"\r\n\"{a}\",\"{c}\",\"00000000\",\"a.dll\"\r\n");
        let (_, found) = imported(Shape::Csv, KnownGood, &list, &[&a, &c]);
        assert_eq!(found, [Some("a.dll".to_owned()), None]);
    }

    #[test]
    fn rows_that_are_not_right_are_listed_and_a_list_without_header_is_refused() {
        let a = digits(0xa1, 64);
        let list = format!("name,sha256\nx,{}\n\"x,{a}\nx,\n\"o\"k,{a}\n", &a[1..]);
        let (done, found) = imported(Shape::Csv, KnownBad, &list, &[&a]);
        let broken: Vec<u64> = done.listed.iter().map(|Broken { at, .. }| *at).collect();
        assert_eq!((broken, found), (vec![2, 3, 4], vec![Some("o".to_owned())]));
        for list in ["", "# nothing\n", "a,b\nc,d\n", &format!("{a},x\nsha256,name\n")] {
            let mut builder = crate::hash::Builder::new("x", "2026-01-31", KnownBad).unwrap();
            assert!(import(Shape::Csv, list.as_bytes(), &mut builder).is_err(), "{list}");
        }
    }
}
