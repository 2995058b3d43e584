//! `hashes`: lists of digests of files that may never pass. Runs in the station, since it reads nothing but the digest
//! that the station took itself.

use crate::{Answer, Descriptor, Detection, Engine, EngineId, Home, Provenance, Sample, Severity};
use signatures::{HashList, Signatures};

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    id: ID,
    provenance,
    home: Home::Station { open: |signatures| Box::new(Hashes { list: signatures.known_bad.clone() }) },
};

const ID: EngineId = EngineId("hashes");

/// A list of known bad digests.
#[derive(Clone, Debug)]
pub struct Hashes {
    list: HashList,
}

fn provenance(signatures: &Signatures) -> Provenance {
    of(&signatures.known_bad)
}

fn of(list: &HashList) -> Provenance {
    Provenance {
        engine: ID,
        version: env!("CARGO_PKG_VERSION"),
        rules: list.sha256(),
        rules_date: list.date().to_owned(),
    }
}

impl Engine for Hashes {
    fn id(&self) -> EngineId {
        ID
    }

    fn provenance(&self) -> Provenance {
        of(&self.list)
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
    use std::os::fd::AsFd;

    #[test]
    fn a_listed_digest_is_malicious_and_its_neighbour_is_clean() {
        let list = Signatures::built_in().unwrap().known_bad;
        let known = list.entries()[0].clone();
        let mut neighbour = *known.sha256.as_bytes();
        neighbour[31] ^= 1;
        let null = std::fs::File::open("/dev/null").unwrap();
        let engine = Hashes { list };
        let scan = |sha256| engine.scan(&Sample { sha256, len: 5, object: null.as_fd(), timeout_secs: 1 }).about(5);
        let hit = scan(known.sha256);
        assert_eq!(hit.verdict(), EngineVerdict::Malicious);
        assert_eq!(hit.detections()[0].rule, known.name);
        assert_eq!(scan(Digest::new(neighbour)).verdict(), EngineVerdict::Clean);
    }
}
