//! STIX 2.1 bundles.
//!
//! A known-bad set takes digests from the patterns of `indicator` objects and from the files that `malware` objects name
//! as samples; other files of a bundle were only observed. A known-good set takes every `file` object. What is revoked,
//! and indicators that are labelled benign, are skipped.

use super::{Sink, not_this};
use crate::hash::{Algorithm, FileDigest, Purpose};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

mod pattern;

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "type")]
    kind: String,
    objects: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    revoked: bool,
    #[serde(default)]
    indicator_types: Vec<String>,
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    pattern_type: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(default)]
    sample_refs: Vec<String>,
}

pub(super) fn read(json: &[u8], sink: &mut Sink<'_>) -> io::Result<()> {
    let refused = || not_this("it is no STIX 2.1 bundle");
    let bundle: Bundle = serde_json::from_slice(json).map_err(|_| refused())?;
    if bundle.kind != "bundle" {
        return Err(refused());
    }
    let mut objects = Vec::new();
    for (value, number) in bundle.objects.into_iter().zip(1_u64..) {
        match serde_json::from_value::<Object>(value) {
            Ok(object) => objects.push((number, object)),
            Err(_) => sink.done.broken(number, "it is no STIX object"),
        }
    }
    let samples: BTreeSet<&str> = objects
        .iter()
        .filter(|(_, object)| object.kind == "malware" && !object.revoked)
        .flat_map(|(_, object)| object.sample_refs.iter().map(String::as_str))
        .collect();
    let bad = sink.to.purpose() == Purpose::KnownBad;
    for (number, object) in &objects {
        match object.kind.as_str() {
            "indicator" if bad => indicator(*number, object, sink),
            "file" if !bad || samples.contains(object.id.as_str()) => file(*number, object, sink),
            _ => sink.done.skip(),
        }
    }
    Ok(())
}

fn indicator(number: u64, object: &Object, sink: &mut Sink<'_>) {
    let benign = object.indicator_types.iter().any(|kind| kind == "benign");
    if object.revoked || benign || object.pattern_type != "stix" {
        return sink.done.skip();
    }
    match pattern::digests(&object.pattern) {
        Ok(digests) if digests.is_empty() => sink.done.skip(),
        Ok(digests) => digests.into_iter().for_each(|digest| sink.add(digest, Some(&object.name))),
        Err(why) => sink.done.broken(number, why),
    }
}

fn file(number: u64, object: &Object, sink: &mut Sink<'_>) {
    let known = object.hashes.iter().filter_map(|(kind, hex)| Some((algorithm(kind)?, hex)));
    match known.max_by_key(|(algorithm, _)| *algorithm) {
        None => sink.done.skip(),
        Some((algorithm, hex)) => match FileDigest::of_kind(algorithm, hex) {
            Some(digest) => sink.add(digest, Some(&object.name)),
            None => sink.done.broken(number, "a digest is not of the kind that its key says"),
        },
    }
}

/// The hash-algorithm-ov vocabulary (STIX 2.1, 10.7), and how it is commonly misspelt.
fn algorithm(kind: &str) -> Option<Algorithm> {
    let letters: String = kind.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    match letters.as_str() {
        "MD5" => Some(Algorithm::Md5),
        "SHA1" => Some(Algorithm::Sha1),
        "SHA256" => Some(Algorithm::Sha256),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::hash::Purpose::{KnownBad, KnownGood};
    use crate::hash::import::Shape;
    use crate::hash::import::tests::{digits, imported};

    #[test]
    fn indicators_and_samples_are_bad_and_what_was_only_seen_is_not() {
        let (a, b, c, d) = (digits(0xa1, 64), digits(0xb2, 40), digits(0xc3, 32), digits(0xd4, 64));
        let bundle = format!(
            r#"{{"type":"bundle","id":"bundle--1","objects":[
            {{"type":"indicator","spec_version":"2.1","name":"Bad doc","pattern_type":"stix",
              "pattern":"[file:hashes.'SHA-256' = '{a}' OR file:hashes.MD5 = '{c}']"}},
            {{"type":"indicator","revoked":true,"pattern_type":"stix","pattern":"[file:hashes.'SHA-256' = '{d}']"}},
            {{"type":"indicator","pattern_type":"stix","pattern":"[file:hashes.MD5 = "}},
            {{"type":"malware","name":"X","sample_refs":["file--1"]}},
            {{"type":"file","id":"file--1","name":"x.exe","hashes":{{"SHA-1":"{b}","SSDEEP":"3:x:y"}}}},
            {{"type":"file","id":"file--2","name":"notepad.exe","hashes":{{"SHA-256":"{d}"}}}}]}}"#
        );
        let (done, found) = imported(Shape::Stix, KnownBad, &bundle, &[&a, &b, &c, &d]);
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(found, [name("Bad_doc"), name("x.exe"), name("Bad_doc"), None]);
        assert_eq!((done.added, done.broken, done.listed[0].at), (3, 1, 3));
        let (_, found) = imported(Shape::Stix, KnownGood, &bundle, &[&a, &b, &d]);
        assert_eq!(found, [None, name("x.exe"), name("notepad.exe")]);
    }
}
