//! `hashes`: sets of digests of files that may never pass, and of files that somebody vouches for. Runs in the station,
//! since it reads nothing but the digests that the station took itself.

use crate::{Answer, Descriptor, Detection, Engine, EngineId, Home, Provenance, Sample, Severity};
use signatures::HashSets;
use signatures::hash::{Algorithm, FileDigest, HashIndex, Purpose};

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    id: ID,
    home: Home::Station { open: |signatures| Box::new(Hashes { sets: signatures.hashes.clone() }) },
};

const ID: &str = "hashes";

/// What stands before the name of an entry of a known-good set.
const KNOWN_GOOD: &str = "known-good.";

/// Sets of digests.
#[derive(Clone, Debug)]
pub struct Hashes {
    sets: HashSets,
}

impl Engine for Hashes {
    fn provenance(&self) -> Provenance {
        let ids: Vec<&str> = self.sets.sets().iter().map(HashIndex::id).collect();
        Provenance {
            engine: EngineId::fixed(ID),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules_id: ids.join(" "),
            rules: Some(self.sets.sha256()),
            rules_date: self.sets.date().to_owned(),
        }
    }

    /// Digests cover all bytes, so all bytes count as read.
    fn scan(&self, sample: &Sample<'_>) -> Answer {
        let mut found = Vec::new();
        let mut error = None;
        for set in self.sets.sets() {
            match look_up(set, sample) {
                Ok(detections) => found.extend(detections),
                // The other sets are asked all the same: a detection counts beside a failure.
                Err(why) => error = error.or(Some(why)),
            }
        }
        match error {
            None => Answer::scanned(found, sample.len),
            Some(why) => Answer::not_scanned(&why, found, sample.len),
        }
    }
}

/// Asks one set for each digest that it has entries of.
fn look_up(set: &HashIndex, sample: &Sample<'_>) -> Result<Vec<Detection>, String> {
    let mut found = Vec::new();
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| set.count(*algorithm) > 0) {
        let digest = match algorithm {
            Algorithm::Md5 => sample.md5.map(FileDigest::Md5),
            Algorithm::Sha1 => sample.sha1.map(FileDigest::Sha1),
            Algorithm::Sha256 => Some(sample.sha256.into()),
        };
        let digest =
            digest.ok_or_else(|| format!("the set {} needs a {algorithm} digest, none was taken", set.id()))?;
        if let Some(name) = set.find(&digest).map_err(|error| format!("the set {}: {error}", set.id()))? {
            found.push(detection(set.purpose(), &name)?);
        }
    }
    Ok(found)
}

fn detection(purpose: Purpose, name: &str) -> Result<Detection, String> {
    let detection = match purpose {
        Purpose::KnownBad => Detection::new(name, Severity::Malicious),
        Purpose::KnownGood => Detection::new(&format!("{KNOWN_GOOD}{name}"), Severity::Note),
    };
    // A set checks its names; should that ever differ from here, the file still does not pass.
    detection.ok_or_else(|| "an entry has no proper name".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Digest, EngineVerdict};
    use signatures::hash::Builder;

    struct Unread;

    impl crate::Object for Unread {
        fn open(&self) -> std::io::Result<std::os::fd::OwnedFd> {
            panic!("digests are enough")
        }
    }

    fn set(purpose: Purpose, entries: &[(FileDigest, &str)]) -> HashIndex {
        let mut builder = Builder::new("set", "2026-01-31", purpose).unwrap();
        entries.iter().for_each(|(digest, name)| builder.add(*digest, Some(name)));
        HashIndex::in_memory(builder.to_bytes().unwrap()).unwrap()
    }

    fn scan(sets: Vec<HashIndex>, sha256: u8, others: Option<([u8; 16], [u8; 20])>) -> Answer {
        let (md5, sha1) = others.unzip();
        let sha256 = Digest::new([sha256; 32]);
        let sample = Sample { sha256, md5, sha1, len: 5, object: &Unread, timeout_secs: 1 };
        Hashes { sets: HashSets::new(sets) }.scan(&sample).about(5)
    }

    fn rules(answer: &Answer) -> Vec<&str> {
        answer.detections().iter().map(|detection| detection.rule.as_str()).collect()
    }

    #[test]
    fn a_listed_digest_is_malicious_and_its_neighbour_is_clean() {
        let bad = || set(Purpose::KnownBad, &[(FileDigest::Sha256([7; 32]), "Bad")]);
        let hit = scan(vec![bad()], 7, None);
        assert_eq!((hit.verdict(), rules(&hit)), (EngineVerdict::Malicious, vec!["Bad"]));
        assert_eq!(scan(vec![bad()], 8, None).verdict(), EngineVerdict::Clean);
    }

    #[test]
    fn weaker_digests_count_too_and_one_that_was_not_taken_is_no_scan() {
        let bad =
            || set(Purpose::KnownBad, &[(FileDigest::Md5([5; 16]), "by-md5"), (FileDigest::Sha1([6; 20]), "by-sha1")]);
        let hit = scan(vec![bad()], 1, Some(([5; 16], [6; 20])));
        assert_eq!((hit.verdict(), rules(&hit)), (EngineVerdict::Malicious, vec!["by-md5", "by-sha1"]));
        assert_eq!(scan(vec![bad()], 1, Some(([6; 16], [5; 20]))).verdict(), EngineVerdict::Clean);
        assert_eq!(scan(vec![bad()], 1, None).verdict(), EngineVerdict::NotScanned);
    }

    #[test]
    fn known_good_is_told_and_overrules_nothing() {
        let good = || set(Purpose::KnownGood, &[(FileDigest::Sha256([7; 32]), "Vendor")]);
        let bad = || set(Purpose::KnownBad, &[(FileDigest::Sha256([7; 32]), "Bad")]);
        let told = scan(vec![good()], 7, None);
        assert_eq!((told.verdict(), rules(&told)), (EngineVerdict::Clean, vec!["known-good.Vendor"]));
        let both = scan(vec![good(), bad()], 7, None);
        assert_eq!((both.verdict(), rules(&both)), (EngineVerdict::Malicious, vec!["Bad", "known-good.Vendor"]));
    }

    #[test]
    fn a_set_that_is_damaged_is_no_scan_and_hides_no_detection() {
        use signatures::hash::{Front, front_len};
        use std::sync::Arc;
        let mut builder = Builder::new("broken", "2026-01-31", Purpose::KnownBad).unwrap();
        builder.add(FileDigest::Sha256([7; 32]), None);
        let mut bytes = builder.to_bytes().unwrap();
        let at = usize::try_from(front_len(&bytes).unwrap()).unwrap();
        let front: Front = Arc::new(bytes[..at].to_vec());
        bytes[at] ^= 1;
        let broken = || HashIndex::open(front.clone(), Arc::new(bytes.clone())).unwrap();
        assert_eq!(scan(vec![broken()], 7, None).verdict(), EngineVerdict::NotScanned);
        let bad = set(Purpose::KnownBad, &[(FileDigest::Sha256([7; 32]), "Bad")]);
        let both = scan(vec![broken(), bad], 7, None);
        assert_eq!((both.verdict(), both.worst()), (EngineVerdict::NotScanned, Some(Severity::Malicious)));
    }
}
