//! What an engine says about one byte string.

use model::EngineVerdict;

/// More rules than this on one object is a fault of the rules or an attack on the report, not a finding.
pub const MAX_DETECTIONS: usize = 64;
/// Longest name of a rule or list entry.
pub const MAX_NAME_BYTES: usize = 128;
/// Longest licence or source of a rule.
pub const MAX_META_BYTES: usize = 160;
/// Longest reason for not having scanned.
pub const MAX_REASON_BYTES: usize = 200;

/// How bad a detection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Told in the report and no detection: the answer stays clean.
    Note,
    /// A person should see it; what reconstruction removes is no more than this.
    Suspicious,
    /// Known bad: must not pass in any form.
    Malicious,
}

/// A rule or list entry that matched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Detection {
    /// Its name: `[A-Za-z0-9_.-]`, at most [`MAX_NAME_BYTES`].
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What its author says about it.
    pub meta: RuleMeta,
    /// What it means, in a sentence, where the engine tells. Never sent by a jail.
    pub sentence: Option<String>,
}

/// What a rule's author says about it, where the engine tells. For people; nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleMeta {
    /// How sure the author is, 0 to 100.
    pub score: Option<u8>,
    /// The rule's licence.
    pub licence: Option<String>,
    /// Where the rule comes from.
    pub source: Option<String>,
}

impl RuleMeta {
    /// A score that is one, and texts as a report may show them: printable ASCII, [`MAX_META_BYTES`] at most.
    #[must_use]
    pub fn new(score: Option<i64>, licence: Option<&str>, source: Option<&str>) -> Self {
        let text = |text: Option<&str>| {
            let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
            text.map(|t| t.trim().chars().map(plain).take(MAX_META_BYTES).collect()).filter(|t: &String| !t.is_empty())
        };
        let score = score.and_then(|score| u8::try_from(score).ok()).filter(|score| *score <= 100);
        Self { score, licence: text(licence), source: text(source) }
    }
}

impl Detection {
    /// The same with what the rule's author says about it.
    #[must_use]
    pub fn with(mut self, meta: RuleMeta) -> Self {
        self.meta = meta;
        self
    }

    /// A detection by `rule`; `None` where that is no name that a report may show.
    #[must_use]
    pub fn new(rule: &str, severity: Severity) -> Option<Self> {
        let fits = (1..=MAX_NAME_BYTES).contains(&rule.len());
        let plain = rule.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        (fits && plain).then(|| Self { rule: rule.to_owned(), severity, meta: RuleMeta::default(), sentence: None })
    }
}

/// One engine's answer about one byte string. Its verdict follows from its parts, so an answer that says "clean" beside
/// an error or a detection can't be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    detections: Vec<Detection>,
    bytes_read: u64,
    error: Option<String>,
}

impl Answer {
    /// The engine looked at `bytes_read` bytes and that was all of them, as far as it knows.
    #[must_use]
    pub fn scanned(detections: Vec<Detection>, bytes_read: u64) -> Self {
        Self::of(detections, bytes_read, None)
    }

    /// The engine did not look at everything. What it had found by then is kept.
    #[must_use]
    pub fn not_scanned(why: &str, detections: Vec<Detection>, bytes_read: u64) -> Self {
        Self::of(detections, bytes_read, Some(reason(why)))
    }

    fn of(mut detections: Vec<Detection>, bytes_read: u64, mut error: Option<String>) -> Self {
        // Worst first within a name, then one row a name: what matched twice counts as the worse.
        detections
            .sort_by(|a, b| a.rule.cmp(&b.rule).then(b.severity.cmp(&a.severity)).then_with(|| a.meta.cmp(&b.meta)));
        detections.dedup_by(|later, earlier| later.rule == earlier.rule);
        if detections.len() > MAX_DETECTIONS {
            detections.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.rule.cmp(&b.rule)));
            detections.truncate(MAX_DETECTIONS);
            detections.sort();
            error.get_or_insert_with(|| format!("more than {MAX_DETECTIONS} rules matched"));
        }
        Self { detections, bytes_read, error }
    }

    /// Holds the answer against the size of what was handed over: fewer bytes read, or more, is not a scan of it.
    #[must_use]
    pub fn about(mut self, len: u64) -> Self {
        if self.bytes_read != len && self.error.is_none() {
            self.error = Some(format!("read {} of {len} bytes", self.bytes_read));
        }
        self
    }

    /// The verdict on this byte string.
    #[must_use]
    pub fn verdict(&self) -> EngineVerdict {
        match (&self.error, self.worst()) {
            (Some(_), _) => EngineVerdict::NotScanned,
            (None, Some(Severity::Malicious)) => EngineVerdict::Malicious,
            (None, Some(Severity::Suspicious)) => EngineVerdict::Suspicious,
            (None, Some(Severity::Note) | None) => EngineVerdict::Clean,
        }
    }

    /// The worst detection, also of a scan that was not finished.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.detections.iter().map(|detection| detection.severity).max()
    }

    /// What matched: each name once, in the order of the names.
    #[must_use]
    pub fn detections(&self) -> &[Detection] {
        &self.detections
    }

    /// Bytes that the engine says it has read.
    #[must_use]
    pub const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Why this is no scan; `None` where it is one.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

/// A reason in the form that passes between processes: printable ASCII, short, never empty.
fn reason(why: &str) -> String {
    let text: String =
        why.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).take(MAX_REASON_BYTES).collect();
    if text.trim().is_empty() { "no reason given".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(rule: &str, severity: Severity) -> Detection {
        Detection::new(rule, severity).unwrap()
    }

    #[test]
    fn a_scan_of_everything_that_found_nothing_is_the_only_clean() {
        assert_eq!(Answer::scanned(vec![], 7).about(7).verdict(), EngineVerdict::Clean);
        for read in [0, 6, 8] {
            assert_eq!(Answer::scanned(vec![], read).about(7).verdict(), EngineVerdict::NotScanned, "{read}");
        }
        assert_eq!(Answer::not_scanned("", vec![], 7).about(7).verdict(), EngineVerdict::NotScanned);
        let bad = Answer::scanned(vec![hit("a", Severity::Suspicious), hit("b", Severity::Malicious)], 7);
        assert_eq!(bad.verdict(), EngineVerdict::Malicious);
    }

    #[test]
    fn too_many_detections_are_no_scan_and_the_worst_stays() {
        let mut many: Vec<Detection> = (0..100).map(|i| hit(&format!("r{i:03}"), Severity::Suspicious)).collect();
        many.push(hit("z", Severity::Malicious));
        let answer = Answer::scanned(many, 1);
        assert_eq!(answer.verdict(), EngineVerdict::NotScanned);
        assert_eq!((answer.detections().len(), answer.worst()), (MAX_DETECTIONS, Some(Severity::Malicious)));
    }

    #[test]
    fn a_name_that_matched_twice_counts_as_the_worse() {
        let answer = Answer::scanned(vec![hit("a", Severity::Suspicious), hit("a", Severity::Malicious)], 1);
        assert_eq!(answer.detections(), [hit("a", Severity::Malicious)]);
    }

    #[test]
    fn names_and_reasons_are_safe_to_show() {
        for bad in ["", "a b", "a\n", "é", &"x".repeat(129)] {
            assert_eq!(Detection::new(bad, Severity::Malicious), None, "{bad}");
        }
        let meta = RuleMeta::new(Some(101), Some("a\nb"), Some(&"é".repeat(999)));
        assert_eq!((meta.score, meta.licence.as_deref()), (None, Some("a?b")));
        assert_eq!(meta.source.map(|source| source.len()), Some(MAX_META_BYTES));
        assert_eq!(RuleMeta::new(Some(0), Some(" "), None), RuleMeta { score: Some(0), ..RuleMeta::default() });
        let answer = Answer::not_scanned(&format!("\x1b[2J{}", "x".repeat(1000)), vec![], 0);
        assert_eq!(answer.error().map(|e| (e.len(), e.starts_with("?[2J"))), Some((MAX_REASON_BYTES, true)));
    }
}
