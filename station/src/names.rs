//! Names of outputs: safe, unique on a case-insensitive share, and the same whatever the order of work.
//!
//! Two inputs can only clash where their safe paths agree up to case and extension. Such inputs form a group; groups
//! are cleaned side by side, the members of one group one after the other, so that a number on a name never depends on
//! which file was ready first.

use model::{Format, safe_component, safe_extension};
use std::collections::{BTreeMap, HashSet};

/// The safe path of one input, before its extension is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Safe folders, from the outbox down.
    pub folders: Vec<String>,
    /// Safe file name with the extension it came with.
    pub name: String,
    /// Catalogue rows that had to be applied.
    pub changed: Vec<&'static str>,
}

impl Planned {
    /// Makes the path that the report shows safe, component by component.
    #[must_use]
    pub fn of(shown: &[u8]) -> Self {
        let text = String::from_utf8_lossy(shown);
        let mut changed = Vec::new();
        let mut safe: Vec<String> = Vec::new();
        for component in text.split('/').filter(|c| !c.is_empty()) {
            let made = safe_component(component);
            changed.extend(made.changed.into_iter().filter(|id| !changed.contains(id)).collect::<Vec<_>>());
            safe.push(made.name);
        }
        let name = safe.pop().unwrap_or_else(|| "unnamed".into());
        Self { folders: safe, name, changed }
    }

    /// The name with the extension of what was written, and a number where `number` is above one.
    #[must_use]
    pub fn numbered(&self, format: Format, number: u32) -> String {
        let name = safe_extension(&self.name, format.extension(), same_extensions(format));
        if number <= 1 {
            return name;
        }
        match name.rsplit_once('.') {
            Some((stem, ext)) => format!("{stem} ({number}).{ext}"),
            None => format!("{name} ({number})"),
        }
    }

    fn key_of(&self, name: &str) -> String {
        let mut key = self.folders.join("/");
        key.push('/');
        key.push_str(name);
        key.to_lowercase()
    }

    /// What two inputs that could clash have in common.
    fn group_key(&self) -> String {
        let stem = self.name.rsplit_once('.').map_or(&*self.name, |(stem, _)| stem);
        // An extension that is not one of ours stays part of the name, so the shortest stem decides; and a number
        // that we would give may be there already.
        let stem = stem.split('.').next().unwrap_or(stem);
        self.key_of(without_numbers(stem))
    }
}

/// `report (2) (3)` is `report`.
fn without_numbers(stem: &str) -> &str {
    let mut stem = stem;
    while let Some((shorter, number)) = stem.strip_suffix(')').and_then(|s| s.rsplit_once(" (")) {
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            break;
        }
        stem = shorter;
    }
    stem
}

/// Extensions that mean the same as ours and stay as the author wrote them.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other format has the one extension that Format names")]
const fn same_extensions(format: Format) -> &'static [&'static str] {
    match format {
        Format::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
        Format::Tiff => &["tif", "tiff"],
        Format::Txt => &["txt", "text", "log", "md"],
        Format::Csv => &["csv"],
        Format::Tsv => &["tsv", "tab"],
        Format::Bmp => &["bmp", "dib"],
        Format::Png => &["png", "apng"],
        _ => &[],
    }
}

/// Groups of inputs (indices into `planned`) that must be cleaned one after the other.
#[must_use]
pub fn groups(planned: &[Planned]) -> Vec<Vec<usize>> {
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, plan) in planned.iter().enumerate() {
        by_key.entry(plan.group_key()).or_default().push(index);
    }
    let mut groups: Vec<Vec<usize>> = by_key.into_values().collect();
    groups.sort();
    groups
}

/// Names that no file may take: the folders of the tree.
#[must_use]
pub fn folder_keys(planned: &[Planned]) -> HashSet<String> {
    let mut keys = HashSet::new();
    for plan in planned {
        let mut key = String::new();
        for folder in &plan.folders {
            key.push('/');
            key.push_str(&folder.to_lowercase());
            keys.insert(key.trim_start_matches('/').to_owned());
        }
    }
    keys
}

/// Gives out the names of one group.
#[derive(Debug)]
pub struct Allocator<'a> {
    folders: &'a HashSet<String>,
    taken: HashSet<String>,
}

impl<'a> Allocator<'a> {
    /// An allocator for one group; `folders` are the names of all folders.
    #[must_use]
    pub fn new(folders: &'a HashSet<String>) -> Self {
        Self { folders, taken: HashSet::new() }
    }

    /// The next name for `plan` from `number` up that nothing of this run has. The number that was used comes back, so
    /// that the caller can ask for the next one where the outbox holds another file of that name.
    pub fn next(&mut self, plan: &Planned, format: Format, from: u32) -> (String, u32) {
        let mut number = from.max(1);
        loop {
            let name = plan.numbered(format, number);
            let key = plan.key_of(&name);
            if !self.folders.contains(key.trim_start_matches('/')) && self.taken.insert(key) {
                return (name, number);
            }
            number = number.saturating_add(1);
        }
    }
}

/// A path for the report: UTF-8 as it is; bytes that are not, as `%XX`, with the raw bytes in base64 beside it.
#[must_use]
pub fn shown(raw: &[u8]) -> (String, Option<String>) {
    match std::str::from_utf8(raw) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => {
            let mut text = String::new();
            for chunk in raw.utf8_chunks() {
                text.push_str(chunk.valid());
                chunk.invalid().iter().for_each(|b| text.push_str(&format!("%{b:02X}")));
            }
            (text, Some(base64(raw)))
        }
    }
}

/// RFC 4648 §4, with padding. A dozen lines are less than a dependency.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (i, shift) in [18u32, 12, 6, 0].into_iter().enumerate() {
            let digit = DIGITS.get((group >> shift & 63) as usize).copied().unwrap_or(b'=');
            out.push(if i <= chunk.len() { digit as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(paths: &[&str]) -> Vec<Planned> {
        paths.iter().map(|p| Planned::of(p.as_bytes())).collect()
    }

    #[test]
    fn names_that_clash_on_a_case_insensitive_share_both_survive() {
        let planned = plan(&["a/Report.docm", "A/report.DOCX", "other.txt"]);
        let groups = groups(&planned);
        assert_eq!(groups, [vec![0, 1], vec![2]]);
        let folders = folder_keys(&planned);
        let mut names = Allocator::new(&folders);
        assert_eq!(names.next(&planned[0], Format::Docx, 1).0, "Report.docx");
        assert_eq!(names.next(&planned[1], Format::Docx, 1).0, "report (2).DOCX");
    }

    #[test]
    fn a_file_never_takes_the_name_of_a_folder() {
        let planned = plan(&["notes", "notes.txt/inner.txt"]);
        let folders = folder_keys(&planned);
        assert_eq!(Allocator::new(&folders).next(&planned[0], Format::Txt, 1).0, "notes (2).txt");
    }

    #[test]
    fn a_numbered_name_that_exists_as_an_input_is_in_the_same_group() {
        let planned = plan(&["a.txt", "A.txt", "a (2).txt"]);
        let folders = folder_keys(&planned);
        let mut names = Allocator::new(&folders);
        let given: Vec<String> = planned.iter().map(|p| names.next(p, Format::Txt, 1).0).collect();
        assert_eq!(given.iter().map(|n| n.to_lowercase()).collect::<HashSet<_>>().len(), 3, "{given:?}");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_shown_and_kept() {
        assert_eq!(shown(b"caf\xe9.txt"), ("caf%E9.txt".into(), Some("Y2Fm6S50eHQ=".into())));
        assert_eq!(shown("café%41".as_bytes()), ("café%41".into(), None));
        assert_eq!(base64(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
    }
}
