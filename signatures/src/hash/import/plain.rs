//! A digest a line, then perhaps a name, with blanks, tabs, `,`, `;` or the `*` of `sha256sum` between them. Lines that
//! begin with `#` or `;` are comments.

use super::{Sink, each_line};
use crate::hash::FileDigest;
use std::io::{self, BufRead};

pub(super) fn read(list: impl BufRead, sink: &mut Sink<'_>) -> io::Result<()> {
    each_line(list, |number, line| match line.map(str::trim) {
        Ok(line) if line.is_empty() || line.starts_with(['#', ';']) => {}
        Ok(line) => match entry(line) {
            Some((digest, name)) => sink.add(digest, name),
            None => sink.done.broken(number, "it does not begin with an MD5, SHA-1 or SHA-256 digest"),
        },
        Err(why) => sink.done.broken(number, why),
    })
}

fn entry(line: &str) -> Option<(FileDigest, Option<&str>)> {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(line.len());
    let (digest, rest) = line.split_at_checked(end)?;
    if !rest.is_empty() && !rest.starts_with([' ', '\t', ',', ';']) {
        return None;
    }
    let name = rest.trim_start_matches([' ', '\t', ',', ';', '*']);
    Some((FileDigest::from_hex(digest)?, (!name.is_empty()).then_some(name)))
}

#[cfg(test)]
mod tests {
    use crate::hash::Purpose::KnownBad;
    use crate::hash::import::tests::{digits, imported};
    use crate::hash::import::{Broken, Shape};

    #[test]
    fn lines_of_many_habits_are_understood_and_others_are_listed() {
        let (a, b, c, d) = (digits(0xa1, 64), digits(0xb2, 40), digits(0xc3, 32), digits(0xd4, 64));
        let list = format!("\u{feff}# list\r\n{a}\r\n{b} *setup.exe\n\n{c}, Bad:One\n{d}:x\nhello\n{d} é\n");
        let (done, found) = imported(Shape::Plain, KnownBad, &list, &[&a, &b, &c, &d]);
        let names = ["list", "setup.exe", "Bad_One", "list"].map(|name| Some(name.to_owned()));
        assert_eq!(found, names);
        let why = "it does not begin with an MD5, SHA-1 or SHA-256 digest";
        assert_eq!(done.listed, [Broken { at: 6, why }, Broken { at: 7, why }]);
        assert_eq!((done.added, done.broken), (4, 2));
    }
}
