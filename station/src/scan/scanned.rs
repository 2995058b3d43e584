//! What all engines said. The verdict of a scan is a pair: the worst detection, and who did not look. An ordering of the
//! two would let one hide the other.

use super::Object;
use engines::{Answer, Detection, Provenance, Severity};
use model::{EngineRow, EngineVerdict, Match};

/// What all engines said about one object or several.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// One row an engine, in the registry's order.
    pub rows: Vec<EngineRow>,
    /// Engines that did not look at all bytes, and why.
    pub not_scanned: Vec<(String, String)>,
}

impl Scanned {
    /// Whether any engine calls anything malicious, whatever the others did.
    #[must_use]
    pub fn is_malicious(&self) -> bool {
        self.rows.iter().any(|row| row.verdict == EngineVerdict::Malicious || row.matches.iter().any(|m| m.malicious))
    }

    /// These rows, and who of them did not look although it was there.
    #[must_use]
    pub fn of(rows: Vec<EngineRow>) -> Self {
        let missing = |row: &EngineRow| row.error.clone().map(|why| (row.engine.clone(), why));
        let not_scanned = rows.iter().filter(|row| !row.absent).filter_map(missing).collect();
        Self { rows, not_scanned }
    }

    /// Takes over what was said about another object of the same input.
    pub fn absorb(&mut self, other: Self) {
        for row in other.rows {
            match self.rows.iter_mut().find(|known| known.engine == row.engine) {
                Some(known) => merge(known, row),
                None => self.rows.push(row),
            }
        }
        self.not_scanned.extend(other.not_scanned);
    }

    /// [`Scanned::absorb`] for folds.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.absorb(other);
        self
    }
}

/// Ours: matches that one row lists; a person reads the first few.
const MOST_MATCHES: usize = 64;

/// `bytes` stays that of the first object, the input: what was exported from it is counted in its own right.
fn merge(known: &mut EngineRow, row: EngineRow) {
    known.verdict = known.verdict.max(row.verdict);
    known.ms += row.ms;
    // Only of engines that were not there when the session began: at times they are now.
    known.absent |= row.absent;
    known.error = known.error.take().or(row.error);
    for found in row.matches {
        if !known.matches.contains(&found) {
            known.matches.push(found);
        }
    }
    // What withholds a file is never crowded out by what does not.
    known.matches.sort_by_key(|found| (!found.malicious, found.note));
    known.matches.truncate(MOST_MATCHES);
}

/// The row of one engine about one object.
pub(super) fn row_of(provenance: Provenance, answer: &Answer, object: &Object<'_>, ms: f64) -> EngineRow {
    let matched = |detection: &Detection| Match {
        rule: detection.rule.clone(),
        object: object.name.to_owned(),
        malicious: detection.severity == Severity::Malicious,
        note: detection.severity == Severity::Note,
        text: detection.sentence.clone(),
        score: detection.meta.score,
        licence: detection.meta.licence.clone(),
        source: detection.meta.source.clone(),
    };
    EngineRow {
        engine: provenance.engine.to_string(),
        version: provenance.version,
        rules_id: provenance.rules_id,
        rules: provenance.rules.map_or_else(String::new, |digest| digest.to_string()),
        rules_date: provenance.rules_date,
        verdict: answer.verdict(),
        absent: false,
        error: answer.error().map(str::to_owned),
        bytes: answer.bytes_read(),
        matches: answer.detections().iter().map(matched).collect(),
        ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Digest;

    fn row(matches: Vec<(String, bool)>) -> EngineRow {
        let matched = |(rule, malicious)| Match {
            rule,
            object: "x".into(),
            malicious,
            note: false,
            text: None,
            score: None,
            licence: None,
            source: None,
        };
        let id = engines::EngineId::fixed("test");
        let rules = Some(Digest::new([0; 32]));
        let provenance =
            Provenance { engine: id, version: "1".into(), rules_id: "r".into(), rules, rules_date: String::new() };
        let spool = jail::SpoolDir::new(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
        let sealed = jail::Sealed::from_bytes(&spool, b"").unwrap();
        let object = Object { sealed: &sealed, offset: 0, len: 0, name: "x" };
        let matches = matches.into_iter().map(matched).collect();
        EngineRow { matches, ..row_of(provenance, &Answer::scanned(Vec::new(), 0), &object, 1.0) }
    }

    #[test]
    fn many_suspicious_matches_do_not_crowd_out_a_malicious_one() {
        let many = (0..MOST_MATCHES).map(|n| (format!("s{n}"), false)).collect();
        let mut all = Scanned { rows: vec![row(many)], not_scanned: Vec::new() };
        all.absorb(Scanned { rows: vec![row(vec![("bad".into(), true)])], not_scanned: Vec::new() });
        assert!(all.is_malicious());
        assert_eq!((all.rows.len(), all.rows[0].matches.len()), (1, MOST_MATCHES));
    }
}
