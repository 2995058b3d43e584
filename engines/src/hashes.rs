//! `hashes`: lists of digests of files that may never pass. Runs in the station, since it reads nothing but the digest
//! that the station took itself.

use crate::{Answer, Descriptor, Detection, Engine, EngineId, Home, Provenance, Sample, Severity};
use signatures::HashList;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    id: ID,
    home: Home::Station { open: |signatures| Box::new(Hashes { list: signatures.known_bad.clone() }) },
};

const ID: &str = "hashes";

/// A list of known bad digests.
#[derive(Clone, Debug)]
pub struct Hashes {
    list: HashList,
}

impl Engine for Hashes {
    fn provenance(&self) -> Provenance {
        Provenance {
            engine: EngineId::fixed(ID),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules_id: self.list.id().to_owned(),
            rules: Some(self.list.sha256()),
            rules_date: self.list.date().to_owned(),
        }
    }

    /// The digest covers all bytes, so all bytes count as read.
    fn scan(&self, sample: &Sample<'_>) -> Answer {
        let Some(entry) = self.list.find(sample.sha256) else {
            return Answer::scanned(Vec::new(), sample.len);
        };
        match Detection::new(&entry.name, Severity::Malicious) {
            Some(detection) => Answer::scanned(vec![detection], sample.len),
            // The list checks its names; should that ever differ from here, the file still does not pass.
            None => Answer::not_scanned("an entry of the list has no proper name", Vec::new(), sample.len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Digest, EngineVerdict};
    use signatures::Signatures;

    struct Unread;

    impl crate::Object for Unread {
        fn open(&self) -> std::io::Result<std::os::fd::OwnedFd> {
            panic!("the digest is enough")
        }
    }

    #[test]
    fn a_listed_digest_is_malicious_and_its_neighbour_is_clean() {
        let list = Signatures::built_in().unwrap().known_bad;
        let known = list.entries()[0].clone();
        let mut neighbour = *known.sha256.as_bytes();
        neighbour[31] ^= 1;
        let engine = Hashes { list };
        let scan = |sha256| engine.scan(&Sample { sha256, len: 5, object: &Unread, timeout_secs: 1 }).about(5);
        let hit = scan(known.sha256);
        assert_eq!(hit.verdict(), EngineVerdict::Malicious);
        assert_eq!(hit.detections()[0].rule, known.name);
        assert_eq!(scan(Digest::new(neighbour)).verdict(), EngineVerdict::Clean);
    }
}
