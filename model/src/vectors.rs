//! The catalogue of constructs (`data/vectors.tsv`): every finding names one of these ids.

use std::sync::LazyLock;

/// One row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vector {
    /// Stable id: `PDF-21`.
    pub id: &'static str,
    /// Family of formats the construct lives in.
    pub format: &'static str,
    /// What the construct is, in the catalogue's words.
    pub construct: &'static str,
    /// What the catalogue asks for: remove, neutralise, re-encode, block or allow-list.
    pub action: &'static str,
    /// MITRE ATT&CK technique ids, comma separated.
    pub attack_ids: &'static str,
}

/// All rows, sorted by id.
pub static VECTORS: LazyLock<Vec<Vector>> = LazyLock::new(|| {
    let mut rows: Vec<Vector> = include_str!("../data/vectors.tsv").lines().skip(1).filter_map(row).collect();
    rows.sort_by_key(|row| row.id);
    rows
});

fn row(line: &'static str) -> Option<Vector> {
    let mut cells = line.split('\t');
    Some(Vector {
        id: cells.next()?,
        format: cells.next()?,
        construct: cells.next()?,
        action: cells.next()?,
        attack_ids: cells.next().unwrap_or(""),
    })
}

/// Words for people where the catalogue's own begin with something else than what is mostly met, which whoever reads the
/// first words takes for what was found.
const PLAIN: &[(&str, &str)] = &[
    ("OOX-34", "container of a kind that holds macros (docm, xlsm, pptm, templates, add-ins, xlsb)"),
    ("TXT-04", "text that another program takes for a script, a program or another format"),
];

impl Vector {
    /// What the construct is, in the words that a report shows.
    #[must_use]
    pub fn words(&self) -> &'static str {
        PLAIN.iter().find(|(id, _)| *id == self.id).map_or(self.construct, |(_, words)| words)
    }
}

/// The row with this id.
#[must_use]
pub fn vector(id: &str) -> Option<&'static Vector> {
    let at = VECTORS.binary_search_by_key(&id, |row| row.id).ok()?;
    VECTORS.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_catalogue_is_a_row_with_its_own_id() {
        let lines = include_str!("../data/vectors.tsv").lines().count() - 1;
        assert_eq!(VECTORS.len(), lines);
        assert!(VECTORS.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(vector("PDF-21").map(|v| v.action), Some("remove"));
        assert_eq!(vector("PDF-999"), None);
    }

    #[test]
    fn people_read_words_that_do_not_mislead() {
        for (id, words) in PLAIN {
            let row = vector(id).unwrap();
            assert!(row.words() == *words && row.construct != *words, "{id}");
        }
        let mut findings = crate::Findings::new();
        findings.add("OOX-34", crate::FindingAction::Neutralised, "docm");
        let words = &findings.into_rows()[0].construct;
        // A summary shows what stands before the brackets.
        assert!(words.starts_with("container of a kind that holds macros ("), "{words}");
        assert_eq!(vector("PDF-21").unwrap().words(), vector("PDF-21").unwrap().construct);
    }
}
