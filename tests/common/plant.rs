//! A maker of bundles and a station that takes them.

use super::{World, files_below};
use serde_json::Value;
use signatures::bundle::{BundleFile, BundleManifest, pack};
use signatures::keys::{LockedKey, SigningKey, generate};
use std::path::PathBuf;
use std::process::{Command, Output};

/// A maker of bundles and a station.
pub struct Plant {
    pub world: World,
    pub key: SigningKey,
}

pub const MARKER: &str = "sallyport-test-marker";

impl Plant {
    pub fn new() -> Self {
        let plant = Self::trusting_nobody();
        std::fs::write(plant.world.at("maker.pub"), plant.key.public().unwrap().to_base64()).unwrap();
        let key = plant.world.at("maker.pub");
        plant.ok(&["trust", "add", key.to_str().unwrap()]);
        plant
    }

    pub fn trusting_nobody() -> Self {
        Self { world: World::new(), key: new_key() }
    }

    pub fn store(&self) -> PathBuf {
        self.world.at("store")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.sallyport();
        command.arg("signatures").arg("--store").arg(self.store()).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Refused with exit status 2, one sentence, and no trace in the store.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let before = files_below(&self.store());
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.starts_with("sallyport: ") && said.lines().count() == 1 && said.len() < 700, "{said}");
        assert_eq!(text(&output.stdout), "");
        assert!(files_below(&self.store()) == before, "{arguments:?} left a trace");
        said
    }

    /// Writes a bundle and its signature; gives its path.
    pub fn put(&self, name: &str, bytes: &[u8], key: &SigningKey) -> String {
        let path = self.world.at(name);
        std::fs::write(&path, bytes).unwrap();
        let signature = key.sign(bytes, "test").unwrap();
        std::fs::write(self.world.at(&format!("{name}.minisig")), signature).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn bundle(&self, sequence: u64) -> String {
        let (manifest, files) = content(sequence);
        self.put(&format!("b{sequence}.tar.zst"), &pack(&manifest, &files).unwrap(), &self.key)
    }

    /// Numbers of the sets in force, as `status` says.
    pub fn in_force(&self) -> Vec<u64> {
        let output = self.run(&["status", "--json"]);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", text(&output.stderr));
        let rows = text(&output.stdout);
        let rows = rows.lines().map(|row| serde_json::from_str::<Value>(row).unwrap());
        rows.filter_map(|row| row["sequence"].as_u64()).collect()
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn new_key() -> SigningKey {
    LockedKey::new(generate(None).unwrap().secret).open().unwrap().unwrap()
}

/// Today, so that no test grows old.
pub fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    model::time::day_of(now.as_secs())
}

pub fn content(sequence: u64) -> (BundleManifest, Vec<Vec<u8>>) {
    let rule = format!("rule Marker{sequence} {{ strings: $a = \"{MARKER}\" condition: $a }}");
    manifest_of(sequence, vec![("rules/marker.yar", rule.into_bytes())])
}

pub fn manifest_of(sequence: u64, files: Vec<(&str, Vec<u8>)>) -> (BundleManifest, Vec<Vec<u8>>) {
    let file = |(path, bytes): &(&str, Vec<u8>)| {
        use sha2::{Digest as _, Sha256};
        let sha256 = model::Digest::new(Sha256::digest(bytes).into());
        let size = bytes.len() as u64;
        BundleFile { path: (*path).to_owned(), size, sha256, licence: None, source: None, attribution: None }
    };
    let manifest = BundleManifest {
        format: BundleManifest::FORMAT,
        id: "plant".to_owned(),
        channel: "main".to_owned(),
        sequence,
        date: today(),
        created: today(),
        expires: None,
        minimum_version: "0.1.0".to_owned(),
        licence: "MIT".to_owned(),
        source: "test".to_owned(),
        attribution: "test".to_owned(),
        next_keys: vec![],
        revoked_keys: vec![],
        rules: 1,
        files: files.iter().map(file).collect(),
        left_out: vec![],
    };
    (manifest, files.into_iter().map(|(_, bytes)| bytes).collect())
}
