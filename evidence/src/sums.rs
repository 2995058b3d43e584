//! `SHA256SUMS`, as sha256sum(1) reads it: digest, two blanks, name. A name with a backslash or a line break is escaped,
//! and its line begins with a backslash.

use crate::EvidenceError;
use model::Digest;
use std::collections::BTreeMap;

/// The list of `files`: name below the folder that `sha256sum -c` is run in, and digest.
#[must_use]
pub fn write(files: &BTreeMap<String, Digest>) -> String {
    let line = |(name, digest): (&String, &Digest)| {
        let escaped = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        let mark = if escaped == *name { "" } else { "\\" };
        format!("{mark}{digest}  {escaped}\n")
    };
    files.iter().map(line).collect()
}

/// Reads what [`write`] writes.
///
/// # Errors
/// [`EvidenceError::Form`] on any other line, and on a name that stands twice.
pub fn read(text: &str) -> Result<BTreeMap<String, Digest>, EvidenceError> {
    let mut files = BTreeMap::new();
    for (number, line) in (1usize..).zip(text.split_terminator('\n')) {
        let refuse = || EvidenceError::form("SHA256SUMS", format!("line {number} is not a digest and a name"));
        let (escaped, rest) = line.strip_prefix('\\').map_or((false, line), |rest| (true, rest));
        let (digest, name) = rest.split_once("  ").ok_or_else(refuse)?;
        let digest =
            Digest::from_hex(digest).filter(|_| digest.bytes().all(|b| !b.is_ascii_uppercase())).ok_or_else(refuse)?;
        let name = if escaped { unescaped(name).ok_or_else(refuse)? } else { name.to_owned() };
        if name.is_empty() || files.insert(name, digest).is_some() {
            return Err(refuse());
        }
    }
    if write(&files) == text { Ok(files) } else { Err(EvidenceError::form("SHA256SUMS", "the lines are not in order")) }
}

fn unescaped(name: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_go_both_ways_and_have_one_form() {
        let files: BTreeMap<String, Digest> = [("a b/c.txt", 1), ("back\\slash", 2), ("line\nbreak", 3)]
            .map(|(n, d)| (n.to_owned(), Digest::new([d; 32])))
            .into();
        let text = write(&files);
        assert_eq!(read(&text), Ok(files));
        assert_eq!(read(""), Ok(BTreeMap::new()));
        let a = Digest::new([1; 32]);
        for bad in [
            format!("{a} x\n"),
            format!("{a}  \n"),
            format!("{a}  x\n{a}  x\n"),
            format!("{a}  x"),
            format!("{a}  b\n{a}  a\n"),
            "x\n".into(),
        ] {
            assert!(read(&bad).is_err(), "{bad:?}");
        }
    }
}
