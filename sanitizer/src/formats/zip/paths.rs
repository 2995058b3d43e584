//! Names in the new archive: relative, safe component by component, and unique for a file system that folds case and
//! normalises (ARC-01, ARC-07, ARC-08, NAM-06).

use crate::Cx;
use crate::switches::{Filter, off};
use model::{FindingAction, Format, safe_component, safe_extension};
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization;

/// What has a name already.
#[derive(Debug, Default)]
pub struct Paths {
    /// Folded paths of files and folders.
    taken: BTreeSet<String>,
    /// Safe paths of folders by their folded original.
    folders: BTreeMap<String, String>,
}

/// The last component of a member's name, as a name to compare with its content; still hostile.
pub fn leaf(name: &str) -> String {
    name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(name).to_owned()
}

impl Paths {
    /// The safe path of a folder, without a slash at its end, and whether it is a new one.
    pub fn folder(&mut self, name: &str, cx: &mut Cx<'_>) -> (String, bool) {
        let before = self.folders.len();
        let path = self.chain(&components(name, cx), cx);
        (path, self.folders.len() > before)
    }

    /// The safe path of a file, with the extension of what it became.
    pub fn file(&mut self, name: &str, format: Format, cx: &mut Cx<'_>) -> String {
        self.place(name, cx, |leaf| {
            if off(Filter::ZipExtensions) {
                return leaf.to_owned();
            }
            safe_extension(leaf, format.extension(), same_extensions(format))
        })
        .0
    }

    /// The path of the text that takes a file's place, and the name that the text calls the file by.
    pub fn tombstone(&mut self, name: &str, cx: &mut Cx<'_>) -> (String, String) {
        self.place(name, cx, |leaf| format!("{leaf}.withheld.txt"))
    }

    fn place(&mut self, name: &str, cx: &mut Cx<'_>, rename: impl Fn(&str) -> String) -> (String, String) {
        let mut parts = components(name, cx);
        let last = parts.pop().unwrap_or_default();
        let folder = self.chain(&parts, cx);
        let safe = safe(&last, cx);
        // The new extension may make a name too long again, or one that is reserved.
        let renamed = rename(&safe);
        let renamed = if off(Filter::ZipNames) { renamed } else { safe_component(&renamed).name };
        let path = self.unique(&folder, &renamed);
        if path != join(&folder, &renamed) {
            cx.found("ARC-07", FindingAction::Neutralised, name);
        }
        self.taken.insert(fold(&path));
        (path, safe)
    }

    /// The safe path of a chain of folders, each made once.
    fn chain(&mut self, parts: &[String], cx: &mut Cx<'_>) -> String {
        let (mut original, mut path) = (String::new(), String::new());
        for part in parts {
            original = join(&original, part);
            let key = fold(&original);
            if let Some(known) = self.folders.get(&key) {
                path.clone_from(known);
                continue;
            }
            let name = safe(part, cx);
            path = self.unique(&path, &name);
            self.taken.insert(fold(&path));
            self.folders.insert(key, path.clone());
        }
        path
    }

    /// `folder/name`, numbered where that is taken.
    fn unique(&self, folder: &str, name: &str) -> String {
        let path = join(folder, name);
        if !self.taken.contains(&fold(&path)) || off(Filter::ZipDuplicates) {
            return path;
        }
        let (stem, ext) = match name.rsplit_once('.') {
            Some((stem, ext)) if !stem.is_empty() => (stem, format!(".{ext}")),
            Some(_) | None => (name, String::new()),
        };
        // There are fewer members than numbers.
        (2u64..)
            .map(|n| {
                let tail = format!(" ({n}){ext}");
                join(folder, &format!("{}{tail}", shortened(stem, tail.len())))
            })
            .find(|path| !self.taken.contains(&fold(path)))
            .unwrap_or(path)
    }
}

/// The stem cut so that the tail fits under what a safe component may have.
fn shortened(stem: &str, tail: usize) -> &str {
    const COMPONENT_BYTES: usize = 200;
    let mut end = stem.len().min(COMPONENT_BYTES.saturating_sub(tail));
    while !stem.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    stem.get(..end).unwrap_or_default().trim_end_matches([' ', '.'])
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn fold(path: &str) -> String {
    path.nfkc().flat_map(char::to_lowercase).collect()
}

/// The components of a member's name. A backslash separates too, as it does on Windows; what leads out of the archive
/// (`..`, a root, a drive) is left away and reported (ARC-01).
fn components(name: &str, cx: &mut Cx<'_>) -> Vec<String> {
    if off(Filter::ZipNames) {
        return vec![name.to_owned()];
    }
    let mut parts: Vec<&str> = name.split(['/', '\\']).collect();
    let rooted = parts.len() > 1 && parts.first().is_some_and(|first| first.is_empty() || drive(first));
    let climbs = parts.iter().any(|part| part.trim() == "..");
    if rooted || climbs {
        cx.found("ARC-01", FindingAction::Neutralised, name);
        if parts.first().is_some_and(|first| drive(first)) {
            parts.remove(0);
        }
    }
    parts.into_iter().filter(|part| !matches!(part.trim(), "" | "." | "..")).map(str::to_owned).collect()
}

fn drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

fn safe(part: &str, cx: &mut Cx<'_>) -> String {
    if off(Filter::ZipNames) {
        return part.to_owned();
    }
    let made = safe_component(part);
    for id in made.changed {
        cx.found(id, FindingAction::Neutralised, part);
    }
    made.name
}

/// Extensions that mean the same as ours and that the second reader knows as such.
const fn same_extensions(format: Format) -> &'static [&'static str] {
    if matches!(format, Format::Jpeg) {
        &["jpeg", "jpe", "jfif"]
    } else if matches!(format, Format::Tiff) {
        &["tiff"]
    } else if matches!(format, Format::Txt) {
        &["log"]
    } else if matches!(format, Format::Bmp) {
        &["dib"]
    } else {
        &[]
    }
}
