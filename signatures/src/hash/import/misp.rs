//! MISP JSON: an event, a list of events, the answer to a search for attributes, or a warning list.
//!
//! Taken are attributes that hold a digest of a whole file. Those that are deleted, or (for known-bad sets) not marked
//! for detection (`to_ids`), are skipped. Of several digests in one `file` object the strongest is taken.

use super::{Sink, not_this};
use crate::hash::{Algorithm, FileDigest, Purpose};
use serde::Deserialize;
use std::io;

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Event {
        #[serde(rename = "Event")]
        event: Event,
    },
    Events(Vec<Wrapped>),
    Answer {
        response: Answer,
    },
    WarningList {
        list: Vec<String>,
        #[serde(default)]
        name: String,
    },
    Bare(Event),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Events(Vec<Wrapped>),
    Attributes(Event),
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "Event")]
    event: Event,
}

/// An event, or anything else that holds attributes.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    info: String,
    #[serde(rename = "Attribute")]
    attributes: Option<Vec<Attribute>>,
    #[serde(rename = "Object")]
    objects: Option<Vec<Object>>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    deleted: bool,
    #[serde(rename = "Attribute", default)]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "type")]
    kind: String,
    value: serde_json::Value,
    #[serde(default)]
    to_ids: Option<bool>,
    #[serde(default)]
    deleted: bool,
}

pub(super) fn read(json: &[u8], sink: &mut Sink<'_>) -> io::Result<()> {
    let document = serde_json::from_slice(json).map_err(|_| not_this("it is no MISP event, search or warning list"))?;
    let mut reader = Reader { sink, number: 0 };
    match document {
        Document::Event { event }
        | Document::Bare(event)
        | Document::Answer { response: Answer::Attributes(event) } => {
            if event.attributes.is_none() && event.objects.is_none() {
                return Err(not_this("it is no MISP event: it has neither attributes nor objects"));
            }
            reader.event(&event);
        }
        Document::Events(events) | Document::Answer { response: Answer::Events(events) } => {
            events.iter().for_each(|wrapped| reader.event(&wrapped.event));
        }
        Document::WarningList { list, name } => list.iter().for_each(|text| reader.listed(text, &name)),
    }
    Ok(())
}

struct Reader<'a, 'b> {
    sink: &'a mut Sink<'b>,
    /// Attributes, objects and entries read so far.
    number: u64,
}

impl Reader<'_, '_> {
    fn event(&mut self, event: &Event) {
        for attribute in event.attributes.iter().flatten() {
            self.one_of(std::slice::from_ref(attribute), &event.info);
        }
        for object in event.objects.iter().flatten() {
            if object.deleted {
                self.number = self.number.saturating_add(1);
                self.sink.done.skip();
            } else {
                self.one_of(&object.attributes, &event.info);
            }
        }
    }

    /// Attributes of one file: the strongest digest of them is taken.
    fn one_of(&mut self, attributes: &[Attribute], name: &str) {
        self.number = self.number.saturating_add(1);
        let bad = self.sink.to.purpose() == Purpose::KnownBad;
        let meant = |attribute: &&Attribute| !attribute.deleted && (!bad || attribute.to_ids != Some(false));
        let mut best = None;
        for attribute in attributes.iter().filter(meant) {
            match digest_of(attribute) {
                Some(Ok(digest)) => best = best.max(Some(digest)),
                Some(Err(why)) => self.sink.done.broken(self.number, why),
                None => {}
            }
        }
        match best {
            Some(digest) => self.sink.add(digest, Some(name)),
            None => self.sink.done.skip(),
        }
    }

    fn listed(&mut self, text: &str, name: &str) {
        self.number = self.number.saturating_add(1);
        match FileDigest::from_hex(text.trim()) {
            Some(digest) => self.sink.add(digest, Some(name)),
            None => self.sink.done.skip(),
        }
    }
}

/// The digest of an attribute; `None` for other kinds of attributes.
fn digest_of(attribute: &Attribute) -> Option<Result<FileDigest, &'static str>> {
    let algorithm = match attribute.kind.as_str() {
        "md5" | "filename|md5" | "malware-sample" => Algorithm::Md5,
        "sha1" | "filename|sha1" => Algorithm::Sha1,
        "sha256" | "filename|sha256" => Algorithm::Sha256,
        _ => return None,
    };
    let value = attribute.value.as_str().unwrap_or_default();
    let digest = value.rsplit('|').next().unwrap_or_default().trim();
    Some(FileDigest::of_kind(algorithm, digest).ok_or("its value is not a digest of the kind that its type says"))
}

#[cfg(test)]
mod tests {
    use crate::hash::Purpose::{KnownBad, KnownGood};
    use crate::hash::import::tests::{digits, imported};
    use crate::hash::import::{Shape, import};

    #[test]
    fn attributes_and_objects_of_an_event_are_taken_over() {
        let (a, b, c, d) = (digits(0xa1, 64), digits(0xb2, 40), digits(0xc3, 32), digits(0xd4, 32));
        let event = format!(
            r#"{{"Event":{{"info":"Some campaign","uuid":"x",
            "Attribute":[{{"type":"filename|sha256","value":"a|b.exe|{a}","to_ids":true}},
                         {{"type":"md5","value":"{d}","to_ids":false}},
                         {{"type":"sha1","value":"{c}","to_ids":true}},
                         {{"type":"ip-dst","value":"192.0.2.1","to_ids":true}}],
            "Object":[{{"name":"file","Attribute":[{{"type":"md5","value":"{c}"}},{{"type":"sha1","value":"{b}"}}]}}]}}}}"#
        );
        let (done, found) = imported(Shape::Misp, KnownBad, &event, &[&a, &b, &c, &d]);
        let name = Some("Some_campaign".to_owned());
        assert_eq!(found, [name.clone(), name.clone(), None, None]);
        assert_eq!((done.added, done.broken, done.listed[0].at), (2, 1, 3));
        let answer = format!(r#"{{"response":[{event}]}}"#);
        assert_eq!(imported(Shape::Misp, KnownBad, &answer, &[&a]).1, [name]);
    }

    #[test]
    fn a_warning_list_makes_a_known_good_set() {
        let a = digits(0xa1, 32);
        let list = format!(r#"{{"name":"Common files","type":"string","version":3,"list":["{a}","example.org"]}}"#);
        let (done, found) = imported(Shape::Misp, KnownGood, &list, &[&a]);
        assert_eq!((done.added, done.skipped, found), (1, 1, vec![Some("Common_files".to_owned())]));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for json in ["", "{}", "[1]", "\"x\"", &"[".repeat(100_000)] {
            let mut builder = crate::hash::Builder::new("x", "2026-01-31", KnownBad).unwrap();
            assert!(import(Shape::Misp, json.as_bytes(), &mut builder).is_err(), "{}", json.len());
        }
    }
}
