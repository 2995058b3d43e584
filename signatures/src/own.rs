//! The rules and lists that are built into the executable: a rule file is a file in `rules/` and a line here.

use crate::manifest::Manifest;
use crate::{HashList, RuleSet, SignatureError, Source};

macro_rules! rule_files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../rules/", $name, ".yar")))),*]
    };
}

const RULES: &[(&str, &str)] = rule_files!["documents", "executables", "macros", "scripts", "shortcuts", "test", "web"];

pub(crate) fn rules() -> Result<RuleSet, SignatureError> {
    let manifest = Manifest::parse(include_str!("../rules/manifest.toml"))?;
    let sources = RULES.iter().map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() });
    RuleSet::new(&manifest.id, &manifest.date, sources.collect())
}

pub(crate) fn known_bad() -> Result<HashList, SignatureError> {
    let manifest = Manifest::parse(include_str!("../lists/manifest.toml"))?;
    HashList::parse(&manifest, include_str!("../lists/known-bad.txt"))
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let digest = model::Digest::new(Sha256::digest(format!("{eicar}{ending}")).into());
            assert!(list.find(digest).is_some(), "{digest} is missing");
        }
    }
}
