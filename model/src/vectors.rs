//! The catalogue of constructs (`data/vectors.tsv`): every finding names one of these ids.

use std::sync::LazyLock;

/// One row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vector {
    /// Stable id: `PDF-21`.
    pub id: &'static str,
    /// Family of formats the construct lives in.
    pub format: &'static str,
    /// What the construct is, in words a report shows.
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
}
