//! `bundle.json`: what a bundle says about itself.

use super::{MOST_EXPANDED_BYTES, MOST_FILE_BYTES, MOST_FILES, MOST_MANIFEST_BYTES};
use crate::keys::PublicKey;
use crate::manifest::is_name;
use model::{Digest, time};
use serde::{Deserialize, Serialize};

/// The only form so far.
const FORMAT: u32 = 1;
/// Ours: a name of a ustar header has 100 bytes.
const MOST_PATH_BYTES: usize = 100;
/// Ours: licence, source and attribution are lines for a person.
const MOST_TEXT_BYTES: usize = 1_000;
/// Ours: keys that one bundle may bring or revoke.
const MOST_KEYS: usize = 16;

/// What a bundle says about itself. Dates are `YYYY-MM-DD`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleManifest {
    /// 1.
    pub format: u32,
    /// Name of the set.
    pub id: String,
    /// Whom it is for: a station takes bundles of its own channel only.
    pub channel: String,
    /// Counts up with every bundle of a channel.
    pub sequence: u64,
    /// Day of the newest rule: the age is measured by it.
    pub date: String,
    /// Day on which it was built.
    pub created: String,
    /// First day on which it counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Oldest version of this program that understands it.
    pub minimum_version: String,
    /// Licence of the whole.
    pub licence: String,
    /// Where it comes from.
    pub source: String,
    /// Whom to thank.
    pub attribution: String,
    /// Keys that count from this bundle on (base64).
    pub next_keys: Vec<String>,
    /// Ids of keys that count no more from this bundle on.
    pub revoked_keys: Vec<String>,
    /// How many rules are in it.
    pub rules: u32,
    /// Its files, in the order of their paths.
    pub files: Vec<BundleFile>,
    /// What was broken, and is therefore not in it.
    pub left_out: Vec<LeftOut>,
}

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleFile {
    /// Path with `/`, below one of the folders of [`FileKind`].
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Digest of the bytes as they are in the bundle.
    pub sha256: Digest,
    /// Where it differs from the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Where it differs from the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where it differs from the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
}

/// A rule or file that was broken when the bundle was built.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The file.
    pub file: String,
    /// The rule; none where the whole file is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What is wrong with it.
    pub why: String,
}

/// What a file is for, by its first folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `rules/*.yar`.
    Rules,
    /// `lists/*`.
    List,
    /// `samples/must-hit/*`, masked.
    MustHit,
    /// `samples/must-not-hit/*`, masked.
    MustNotHit,
    /// `clamav/*`: databases for clamd.
    ClamAv,
}

impl BundleFile {
    /// What it is for; none where its folder is not one of ours.
    #[must_use]
    pub fn kind(&self) -> Option<FileKind> {
        let folders = [
            ("rules/", FileKind::Rules),
            ("lists/", FileKind::List),
            ("samples/must-hit/", FileKind::MustHit),
            ("samples/must-not-hit/", FileKind::MustNotHit),
            ("clamav/", FileKind::ClamAv),
        ];
        folders.iter().find(|(folder, _)| self.path.starts_with(folder)).map(|(_, kind)| *kind)
    }
}

/// Whether `path` is one that a bundle may have: plain names between slashes, none hidden, 100 bytes at most.
#[must_use]
pub fn is_path(path: &str) -> bool {
    path.len() <= MOST_PATH_BYTES && path.split('/').all(|part| is_name(part) && !part.starts_with('.'))
}

#[derive(Deserialize)]
struct Head {
    format: u32,
    minimum_version: String,
}

impl BundleManifest {
    /// Number of the form that this build writes and reads.
    pub const FORMAT: u32 = FORMAT;

    /// Reads `bundle.json` and checks all that can be checked without the files.
    ///
    /// # Errors
    /// One clause that says what is wrong.
    pub fn parse(bytes: &[u8], own_version: &str) -> Result<Self, String> {
        if bytes.len() > MOST_MANIFEST_BYTES {
            return Err(format!("bundle.json is larger than {MOST_MANIFEST_BYTES} bytes"));
        }
        let json = |error: serde_json::Error| format!("bundle.json can't be read: {error}");
        // A newer form may have fields that this version doesn't know: say that, not which field.
        let head: Head = serde_json::from_slice(bytes).map_err(json)?;
        let needed = version(&head.minimum_version).ok_or("its minimum version is none")?;
        if head.format != FORMAT || Some(needed) > version(own_version) {
            let needed = &head.minimum_version;
            return Err(format!(
                "it needs version {needed} of sallyport and this is {own_version}; update the station"
            ));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(json)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// As it is written into a bundle: one form for one content.
    ///
    /// # Errors
    /// What [`BundleManifest::parse`] would say.
    pub fn to_json(&self) -> Result<Vec<u8>, String> {
        self.check()?;
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        json.push(b'\n');
        if json.len() > MOST_MANIFEST_BYTES {
            return Err(format!("bundle.json is larger than {MOST_MANIFEST_BYTES} bytes"));
        }
        Ok(json)
    }

    /// Sum of the sizes of all files.
    #[must_use]
    pub fn expanded_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size))
    }

    /// The files of one kind.
    pub fn of_kind(&self, kind: FileKind) -> impl Iterator<Item = &BundleFile> {
        self.files.iter().filter(move |file| file.kind() == Some(kind))
    }

    fn check(&self) -> Result<(), String> {
        for (what, name) in [("id", &self.id), ("channel", &self.channel)] {
            if !is_name(name) {
                return Err(format!("its {what} {name:?} is no name: use letters, digits, '_', '.' and '-'"));
            }
        }
        let dates = [("date", Some(&self.date)), ("created", Some(&self.created)), ("expires", self.expires.as_ref())];
        for (what, day) in dates {
            if let Some(day) = day.filter(|day| time::days(day).is_none()) {
                return Err(format!("its {what} {day:?} is no day: write it like 2026-01-31"));
            }
        }
        if version(&self.minimum_version).is_none() {
            return Err("its minimum version is none: write it like 1.2.3".to_owned());
        }
        if self.sequence == 0 {
            return Err("its sequence is 0: the first bundle of a channel is number 1".to_owned());
        }
        let texts = [&self.licence, &self.source, &self.attribution];
        if texts.into_iter().any(|text| !is_text(text)) {
            return Err(format!("licence, source and attribution are lines of at most {MOST_TEXT_BYTES} bytes"));
        }
        self.check_keys()?;
        self.check_files()
    }

    fn check_keys(&self) -> Result<(), String> {
        if self.next_keys.len().max(self.revoked_keys.len()) > MOST_KEYS {
            return Err(format!("it brings or revokes more than {MOST_KEYS} keys"));
        }
        for key in &self.next_keys {
            PublicKey::parse(key).map_err(|error| format!("next key: {error}"))?;
        }
        let is_id =
            |id: &String| id.len() == 16 && id.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
        match self.revoked_keys.iter().find(|id| !is_id(id)) {
            Some(id) => Err(format!("revoked key {id:?}: an id is 16 digits 0-9 A-F")),
            None => Ok(()),
        }
    }

    fn check_files(&self) -> Result<(), String> {
        if self.files.len() > MOST_FILES {
            return Err(format!("it has more than {MOST_FILES} files"));
        }
        for file in &self.files {
            let path = &file.path;
            if !is_path(path) || file.kind().is_none() {
                return Err(format!("it has a file {path:?}, which is no path of a bundle"));
            }
            if file.size > MOST_FILE_BYTES {
                return Err(format!("{path} is larger than {MOST_FILE_BYTES} bytes"));
            }
            let own = [&file.licence, &file.source, &file.attribution];
            if own.into_iter().flatten().any(|text| !is_text(text)) {
                return Err(format!("{path}: licence, source and attribution are lines of {MOST_TEXT_BYTES} bytes"));
            }
        }
        if let Some([_, file]) = self.files.array_windows::<2>().find(|[a, b]| a.path >= b.path) {
            return Err(format!("its files are not in the order of their paths, each once: {}", file.path));
        }
        if self.expanded_bytes() > MOST_EXPANDED_BYTES {
            return Err(format!("its files are more than {MOST_EXPANDED_BYTES} bytes together"));
        }
        if self.of_kind(FileKind::Rules).chain(self.of_kind(FileKind::List)).next().is_none() {
            return Err("it has neither rules nor lists".to_owned());
        }
        Ok(())
    }
}

fn is_text(text: &str) -> bool {
    text.len() <= MOST_TEXT_BYTES && !text.chars().any(char::is_control)
}

/// Three numbers with points between.
fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn file(path: &str, bytes: &[u8]) -> BundleFile {
        use sha2::{Digest as _, Sha256};
        let sha256 = Digest::new(Sha256::digest(bytes).into());
        BundleFile {
            path: path.into(),
            size: bytes.len() as u64,
            sha256,
            licence: None,
            source: None,
            attribution: None,
        }
    }

    pub fn manifest(files: Vec<BundleFile>) -> BundleManifest {
        BundleManifest {
            format: FORMAT,
            id: "test".into(),
            channel: "main".into(),
            sequence: 1,
            date: "2026-01-31".into(),
            created: "2026-02-01".into(),
            expires: None,
            minimum_version: "0.1.0".into(),
            licence: "MIT".into(),
            source: "here".into(),
            attribution: "nobody".into(),
            next_keys: vec![],
            revoked_keys: vec![],
            rules: 1,
            files,
            left_out: vec![],
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let good = manifest(vec![file("lists/a", b"1"), file("rules/b.yar", b"2")]);
        assert_eq!(BundleManifest::parse(&good.to_json().unwrap(), "0.1.0"), Ok(good.clone()));
        let bad: Vec<fn(&mut BundleManifest)> = vec![
            |m| m.files.clear(),
            |m| m.files.reverse(),
            |m| m.files[1].path = "rules/../../etc/passwd".into(),
            |m| m.files[1].path = "/rules/b".into(),
            |m| m.files[1].path = "rules/.hidden".into(),
            |m| m.files[1].path = "rules//b".into(),
            |m| m.files[1].path = "zzz/b".into(),
            |m| m.files[1].path = format!("rules/{}", "b".repeat(100)),
            |m| m.files[1].size = u64::MAX,
            |m| m.files[1].size = MOST_FILE_BYTES + 1,
            |m| m.sequence = 0,
            |m| m.id = "a b".into(),
            |m| m.channel = String::new(),
            |m| m.date = "2026-02-30".into(),
            |m| m.expires = Some("never".into()),
            |m| m.licence = "a\nb".into(),
            |m| m.next_keys = vec!["x".into()],
            |m| m.revoked_keys = vec!["x".into()],
            |m| m.minimum_version = "1.0".into(),
        ];
        for (at, spoil) in bad.iter().enumerate() {
            let mut manifest = good.clone();
            spoil(&mut manifest);
            let json = serde_json::to_vec(&manifest).unwrap();
            assert!(manifest.to_json().is_err() && BundleManifest::parse(&json, "0.1.0").is_err(), "case {at}");
        }
    }

    #[test]
    fn a_newer_form_asks_for_an_update() {
        let mut newer = manifest(vec![file("rules/b.yar", b"2")]);
        newer.minimum_version = "0.2.0".into();
        let json = newer.to_json().unwrap();
        assert!(BundleManifest::parse(&json, "0.1.9").unwrap_err().contains("update the station"));
        assert!(BundleManifest::parse(&json, "0.2.0").is_ok() && BundleManifest::parse(&json, "1.0.0").is_ok());
        let other = br#"{"format":2,"minimum_version":"0.1.0","new":1}"#;
        assert!(BundleManifest::parse(other, "0.1.0").unwrap_err().contains("update the station"));
    }
}
