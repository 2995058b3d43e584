//! What the reconstructor met and what it did about it.

use crate::vector;
use serde::{Deserialize, Serialize};

/// What was done about a construct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingAction {
    /// It is not in the output.
    Removed,
    /// Its visible content stays, its behaviour does not.
    Neutralised,
    /// It was decoded and written anew.
    ReEncoded,
    /// Policy lets it stay; it is named so that a person can see it.
    Kept,
    /// Because of it there is no output.
    Blocked,
}

/// One construct of the catalogue, as met in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Catalogue id (`data/vectors.tsv`).
    pub id: String,
    /// The construct in words.
    pub construct: String,
    /// What was done.
    pub action: FindingAction,
    /// How often, at this place.
    pub count: u64,
    /// Where: a page, a part, a chunk. Empty where the whole file is meant.
    #[serde(rename = "where")]
    pub at: String,
}

/// A list of findings that a hostile file cannot blow up: the same construct, action and place only count up, and
/// past [`Findings::MOST`] distinct rows a construct is counted without its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Ours: what a person would still read, and what keeps an answer of a jail well under a mebibyte.
    pub const MOST: usize = 256;
    /// Ours: a place is a page, a part or a chunk; longer texts are the file's own words.
    const PLACE_CHARS: usize = 120;

    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one sighting of the construct `id` at `place`.
    ///
    /// An id that the catalogue does not hold is our own mistake; it is kept, with an empty description, so that
    /// nothing found is ever lost.
    pub fn add(&mut self, id: &str, action: FindingAction, place: &str) {
        self.add_count(id, action, place, 1);
    }

    /// Adds `count` sightings at once.
    pub fn add_count(&mut self, id: &str, action: FindingAction, place: &str, count: u64) {
        if count == 0 {
            return;
        }
        let place: String = place.chars().filter(|c| !c.is_control()).take(Self::PLACE_CHARS).collect();
        let full = self.0.len() >= Self::MOST;
        let same = |f: &Finding| f.id == id && f.action == action;
        if let Some(known) = self.0.iter_mut().find(|f| same(f) && f.at == place) {
            known.count = known.count.saturating_add(count);
        } else if let Some(elsewhere) = self.0.iter_mut().find(|f| full && same(f)) {
            elsewhere.count = elsewhere.count.saturating_add(count);
        } else {
            let construct = vector(id).map_or_else(String::new, |v| v.words().to_owned());
            let at = if full { String::from("and elsewhere") } else { place };
            self.0.push(Finding { id: id.to_owned(), construct, action, count, at });
        }
    }

    /// The rows, in the order of their first sighting.
    #[must_use]
    pub fn rows(&self) -> &[Finding] {
        &self.0
    }

    /// Takes the rows out.
    #[must_use]
    pub fn into_rows(self) -> Vec<Finding> {
        self.0
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sightings_of_one_construct_at_one_place_are_counted() {
        let mut findings = Findings::new();
        findings.add("PDF-21", FindingAction::Removed, "page 3");
        findings.add("PDF-21", FindingAction::Removed, "page 3");
        findings.add("PDF-21", FindingAction::Removed, "page 4");
        let counts: Vec<u64> = findings.rows().iter().map(|f| f.count).collect();
        assert_eq!(counts, [2, 1]);
    }

    #[test]
    fn a_hostile_file_cannot_make_the_list_grow_for_ever() {
        let mut findings = Findings::new();
        for page in 0..10_000 {
            findings.add("PDF-21", FindingAction::Removed, &format!("page {page}"));
        }
        assert_eq!(findings.rows().len(), Findings::MOST);
        assert_eq!(findings.rows().iter().map(|f| f.count).sum::<u64>(), 10_000);
    }
}
