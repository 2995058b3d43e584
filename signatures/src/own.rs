//! The rules and lists that are built into the executable: a rule file is a file in `rules/` and a line here.

use crate::hash::import::{Shape, import};
use crate::hash::{Builder, HashIndex, Purpose};
use crate::manifest::Manifest;
use crate::{RuleSet, SignatureError, Source};

macro_rules! rule_files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../rules/", $name, ".yar")))),*]
    };
}

const RULES: &[(&str, &str)] = rule_files![
    "archives",
    "documents",
    "executables",
    "loaders",
    "macros",
    "mail",
    "objects",
    "packers",
    "plant",
    "scripts",
    "settings",
    "shortcuts",
    "test",
    "web",
];

pub(crate) fn rules() -> Result<RuleSet, SignatureError> {
    let manifest = Manifest::parse(include_str!("../rules/manifest.toml"))?;
    let sources = RULES.iter().map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() });
    RuleSet::new(&manifest.id, &manifest.date, sources.collect())
}

/// Through the importer, like everybody else's lists; a line of ours that is not right refuses the whole.
pub(crate) fn known_bad() -> Result<HashIndex, SignatureError> {
    let refused = |what: String| SignatureError::HashIndex { what };
    let manifest = Manifest::parse(include_str!("../lists/manifest.toml"))?;
    let mut builder = Builder::new(&manifest.id, &manifest.date, Purpose::KnownBad)?;
    let list = include_bytes!("../lists/known-bad.txt");
    let done = import(Shape::Plain, list.as_slice(), &mut builder).map_err(|error| refused(error.to_string()))?;
    if let Some(broken) = done.listed.first() {
        return Err(refused(format!("line {}: {}", broken.at, broken.why)));
    }
    Ok(HashIndex::in_memory(builder.to_bytes().map_err(|error| refused(error.to_string()))?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::FileDigest;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_file_of_the_folder_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let found: BTreeSet<String> = files
            .filter(|path| path.extension().is_some_and(|e| e == "yar"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let built_in: BTreeSet<String> = rules().unwrap().sources().iter().map(|s| s.name.clone()).collect();
        assert_eq!(found, built_in);
    }

    #[test]
    fn the_test_file_that_everybody_knows_is_on_the_list() {
        use sha2::{Digest as _, Sha256};
        // In pieces: this source must not itself be the test file.
        let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EI", "CAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
        let list = known_bad().unwrap();
        for ending in ["", "\n", "\r\n"] {
            let digest = FileDigest::Sha256(Sha256::digest(format!("{eicar}{ending}")).into());
            assert!(list.find(&digest).unwrap().is_some(), "{digest} is missing");
        }
    }
}
