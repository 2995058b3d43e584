//! What passes between the station and a scan jail. The jail is not trusted, so an answer is parsed strictly: every
//! field has one form, every list its order, and nothing may follow.
//!
//! Request: `SYQ1`, time-out in seconds (u32), length of the object (u64). Answer: `SYA2`, bytes read (u64), length and
//! text of the reason for not having scanned (u8; 0 where it did), number of detections (u8), and for each its severity
//! (u8), length and text of its name (u8), what its author says: score (u8; 255 for none), length and text (u8; 0 for
//! none) of its licence and of its source. Integers are little-endian. The verdict is not sent, it follows.

use crate::answer::{
    Answer, Detection, MAX_DETECTIONS, MAX_META_BYTES, MAX_NAME_BYTES, MAX_REASON_BYTES, RuleMeta, Severity,
};

const REQUEST: [u8; 4] = *b"SYQ1";
const ANSWER: [u8; 4] = *b"SYA2";

/// Stands for a rule without a score.
const NO_SCORE: u8 = u8::MAX;

/// Longest answer there can be: it must fit into one message of the jail's protocol.
const MAX_ANSWER_BYTES: usize =
    4 + 8 + 1 + MAX_REASON_BYTES + 1 + MAX_DETECTIONS * (5 + MAX_NAME_BYTES + 2 * MAX_META_BYTES);
const _: () = assert!(MAX_ANSWER_BYTES <= 64 * 1024);
const _: () = assert!(MAX_NAME_BYTES < 256 && MAX_REASON_BYTES < 256 && MAX_META_BYTES < 256);

/// What the station asks about an object that it hands over as a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Seconds that the scan may take; 0 is not allowed, since libyara takes it for "for ever".
    pub timeout_secs: u32,
    /// Bytes of the object.
    pub len: u64,
}

/// A message that breaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// It ends too early.
    #[error("message ends too early")]
    Short,
    /// Something follows its end.
    #[error("bytes after the end of the message")]
    Trailing,
    /// A field has a value that it can't have.
    #[error("bad {field}")]
    Field {
        /// The field.
        field: &'static str,
    },
}

impl Request {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&REQUEST[..], &self.timeout_secs.to_le_bytes(), &self.len.to_le_bytes()].concat()
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`WireError`] on everything that [`Request::encode`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader(bytes);
        reader.magic(REQUEST)?;
        let request =
            Self { timeout_secs: u32::from_le_bytes(reader.array()?), len: u64::from_le_bytes(reader.array()?) };
        reader.end()?;
        if request.timeout_secs == 0 {
            return Err(WireError::Field { field: "time-out" });
        }
        Ok(request)
    }
}

/// An answer as bytes. [`Answer`] keeps the caps, so this can't fail.
#[must_use]
pub fn encode(answer: &Answer) -> Vec<u8> {
    let mut out = ANSWER.to_vec();
    out.extend(answer.bytes_read().to_le_bytes());
    text(&mut out, answer.error().unwrap_or(""));
    out.push(u8::try_from(answer.detections().len()).unwrap_or(u8::MAX));
    for detection in answer.detections() {
        out.push(match detection.severity {
            Severity::Note => 3,
            Severity::Suspicious => 1,
            Severity::Malicious => 2,
        });
        text(&mut out, &detection.rule);
        out.push(detection.meta.score.unwrap_or(NO_SCORE));
        text(&mut out, detection.meta.licence.as_deref().unwrap_or(""));
        text(&mut out, detection.meta.source.as_deref().unwrap_or(""));
    }
    out
}

/// A length that does not fit is written as a length that no reader takes.
fn text(out: &mut Vec<u8>, text: &str) {
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text.as_bytes());
}

/// An answer from bytes.
///
/// # Errors
/// [`WireError`] on everything that [`encode`] does not write. The caller ends the jail: it broke the protocol.
pub fn decode(bytes: &[u8]) -> Result<Answer, WireError> {
    let mut reader = Reader(bytes);
    reader.magic(ANSWER)?;
    let bytes_read = u64::from_le_bytes(reader.array()?);
    let reason = reader.reason()?;
    let detections = reader.detections()?;
    reader.end()?;
    Ok(match reason {
        Some(why) => Answer::not_scanned(why, detections, bytes_read),
        None => Answer::scanned(detections, bytes_read),
    })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(WireError::Short)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(WireError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    fn magic(&mut self, magic: [u8; 4]) -> Result<(), WireError> {
        if self.array()? == magic { Ok(()) } else { Err(WireError::Field { field: "magic" }) }
    }

    fn text(&mut self, field: &'static str) -> Result<&'a str, WireError> {
        let [len] = self.array()?;
        std::str::from_utf8(self.take(usize::from(len))?).map_err(|_| WireError::Field { field })
    }

    fn reason(&mut self) -> Result<Option<&'a str>, WireError> {
        let why = self.text("reason")?;
        if why.is_empty() {
            return Ok(None);
        }
        let plain = why.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        if why.len() > MAX_REASON_BYTES || !plain || why.trim().is_empty() {
            return Err(WireError::Field { field: "reason" });
        }
        Ok(Some(why))
    }

    fn detections(&mut self) -> Result<Vec<Detection>, WireError> {
        let [count] = self.array()?;
        if usize::from(count) > MAX_DETECTIONS {
            return Err(WireError::Field { field: "number of detections" });
        }
        let mut out: Vec<Detection> = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let severity = match self.array()? {
                [3] => Severity::Note,
                [1] => Severity::Suspicious,
                [2] => Severity::Malicious,
                _ => return Err(WireError::Field { field: "severity" }),
            };
            let name = self.text("name")?;
            let detection = Detection::new(name, severity).ok_or(WireError::Field { field: "name" })?;
            let detection = detection.with(self.meta()?);
            if out.last().is_some_and(|last| last.rule >= detection.rule) {
                return Err(WireError::Field { field: "order of the names" });
            }
            out.push(detection);
        }
        Ok(out)
    }

    fn meta(&mut self) -> Result<RuleMeta, WireError> {
        let [score] = self.array()?;
        let (licence, source) = (self.text("licence")?, self.text("source")?);
        let given = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        let meta = RuleMeta::new(Some(score).filter(|s| *s != NO_SCORE).map(i64::from), given(licence), given(source));
        // The one form of each is what it comes out as.
        let score_kept = meta.score.unwrap_or(NO_SCORE) == score;
        let texts_kept =
            meta.licence.as_deref().unwrap_or("") == licence && meta.source.as_deref().unwrap_or("") == source;
        if score_kept && texts_kept { Ok(meta) } else { Err(WireError::Field { field: "what the rule's author says" }) }
    }

    fn end(&self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(rule: &str, severity: Severity) -> Detection {
        Detection::new(rule, severity).unwrap()
    }

    fn answers() -> Vec<Answer> {
        let meta = RuleMeta::new(Some(75), Some("MIT"), Some("https://example.org/rules"));
        let two = vec![hit("A.b-c_1", Severity::Malicious).with(meta), hit("Z", Severity::Suspicious)];
        let long = "m".repeat(MAX_META_BYTES);
        let long = RuleMeta::new(Some(100), Some(&long), Some(&long));
        let full =
            (0..MAX_DETECTIONS).map(|i| hit(&format!("{i:0128}"), Severity::Suspicious).with(long.clone())).collect();
        vec![
            Answer::scanned(vec![], 0),
            Answer::scanned(two.clone(), u64::MAX),
            Answer::not_scanned("time-out after 1 s", two, 17),
            Answer::not_scanned(&"x".repeat(999), full, 1),
        ]
    }

    #[test]
    fn answers_and_requests_go_both_ways() {
        for answer in answers() {
            let bytes = encode(&answer);
            assert!(bytes.len() <= MAX_ANSWER_BYTES);
            assert_eq!(decode(&bytes), Ok(answer));
        }
        let request = Request { timeout_secs: 3, len: 1 << 40 };
        assert_eq!(Request::decode(&request.encode()), Ok(request));
        assert!(Request::decode(&Request { timeout_secs: 0, len: 1 }.encode()).is_err());
    }

    #[test]
    fn there_is_one_form_and_nothing_else_is_taken() {
        for answer in answers() {
            let bytes = encode(&answer);
            for cut in 0..bytes.len() {
                assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
            }
            assert_eq!(decode(&[&bytes[..], b"\0"].concat()), Err(WireError::Trailing));
            for at in 0..bytes.len() {
                for flip in [1, 0x80] {
                    let mut bytes = bytes.clone();
                    bytes[at] ^= flip;
                    // What is still taken is another answer in its one form.
                    if let Ok(other) = decode(&bytes) {
                        assert_eq!(encode(&other), bytes, "byte {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn answers_beyond_the_caps_are_refused() {
        let head = |n: u8| [&b"SYA2\0\0\0\0\0\0\0\0\0"[..], &[n]].concat();
        let row =
            |severity: u8, name: &[u8]| [&[severity, u8::try_from(name.len()).unwrap()], name, b"\xff\0\0"].concat();
        let whole = |rows: &[Vec<u8>]| [head(u8::try_from(rows.len()).unwrap()), rows.concat()].concat();
        assert!(decode(&whole(&[row(2, b"a"), row(1, b"b")])).is_ok());
        assert!(decode(&whole(&[row(2, b"b"), row(1, b"a")])).is_err(), "out of order");
        assert!(decode(&whole(&[row(2, b"a"), row(1, b"a")])).is_err(), "twice");
        assert!(decode(&whole(&[row(0, b"a")])).is_err() && decode(&whole(&[row(4, b"a")])).is_err(), "severity");
        for name in [&b""[..], b"a b", b"\xff", b"a\0", &[b'x'; 129]] {
            assert!(decode(&whole(&[row(1, name)])).is_err(), "{name:?}");
        }
        for meta in [&b"\x65\0\0"[..], b"\xff\x01\n\0", b"\xff\x01 \0", b"\xff\0\x02\xc3\xa9"] {
            assert!(decode(&[&head(1)[..], b"\x01\x01a", meta].concat()).is_err(), "{meta:?}");
        }
        let many: Vec<Vec<u8>> = (0..=MAX_DETECTIONS).map(|i| row(1, format!("{i:03}").as_bytes())).collect();
        assert!(decode(&whole(&many)).is_err(), "too many");
        assert!(decode(b"").is_err() && decode(&[0xff; 4096]).is_err(), "noise");
    }
}
