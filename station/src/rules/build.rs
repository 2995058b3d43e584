//! Making a bundle of a folder: what is broken is left out and listed, the rest is packed, and the same folder always
//! gives the same bytes.

use super::jobs::{RuleJob, is_rule_name};
use super::trial::{ENGINE, loads};
use super::workshop::{Failed, Workshop};
use model::Digest;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use signatures::bundle::{BundleFile, BundleManifest, FileKind, LeftOut, MOST_FILES, is_path, mask, pack};
use signatures::store::{Refusal, StoreError};
use signatures::{RuleSet, Source};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the file that describes a folder.
const DETAILS: &str = "bundle.toml";

/// `bundle.toml`: what the maker says about the bundle. What the command line says goes before.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Details {
    /// Name of the set.
    pub id: Option<String>,
    /// Whom it is for.
    pub channel: Option<String>,
    /// Its number.
    pub sequence: Option<u64>,
    /// Day of the newest rule.
    pub date: Option<String>,
    /// Day of the build; that of the newest rule where it is not said, so that no clock gets into the bundle.
    pub created: Option<String>,
    /// First day on which it counts no more.
    pub expires: Option<String>,
    /// Oldest version of this program that understands it.
    pub minimum_version: Option<String>,
    /// Licence of the whole.
    pub licence: String,
    /// Where it comes from.
    pub source: String,
    /// Whom to thank.
    pub attribution: String,
    /// Keys that count from this bundle on.
    pub next_keys: Vec<String>,
    /// Ids of keys that count no more.
    pub revoked_keys: Vec<String>,
    /// Files whose licence, source or attribution differ, by their path in the folder.
    pub files: BTreeMap<String, Origin>,
}

/// Where one file comes from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Origin {
    licence: Option<String>,
    source: Option<String>,
    attribution: Option<String>,
}

/// A bundle, unsigned.
#[derive(Clone, Debug)]
pub struct Built {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it says about itself.
    pub manifest: BundleManifest,
}

/// Files that will be in the bundle, by their path there; with their path in the folder.
type Files = BTreeMap<String, (Vec<u8>, String)>;

/// Makes a bundle of the folder `dir`. `said` is what the command line says.
///
/// # Errors
/// [`StoreError`]: the folder can't be read, or nothing of it can be used.
pub fn build(workshop: &Workshop, dir: &Path, said: Details) -> Result<Built, StoreError> {
    let name = dir.display().to_string();
    let details = together(read_details(dir)?, said);
    let needs =
        |what: &str, how: &str| StoreError::Usage(format!("the bundle needs {what}: say {how}, or in {DETAILS}"));
    let date = details.date.ok_or_else(|| needs("the day of its newest rule", "--date 2026-01-31"))?;
    let mut build = Build { workshop, name: &name, date: &date, files: Files::new(), left_out: Vec::new(), rules: 0 };
    for (path, bytes) in walk(dir, &mut build.left_out)? {
        build.add(&path, bytes)?;
    }
    build.drop_slow()?;
    let files = build.files.iter().map(|(path, (bytes, from))| {
        let origin = details.files.get(from).cloned().unwrap_or_default();
        let Origin { licence, source, attribution } = origin;
        let sha256 = Digest::new(Sha256::digest(bytes).into());
        BundleFile { path: path.clone(), size: bytes.len() as u64, sha256, licence, source, attribution }
    });
    build.left_out.sort();
    let manifest = BundleManifest {
        format: BundleManifest::FORMAT,
        id: details.id.ok_or_else(|| needs("a name", "--id NAME"))?,
        channel: details.channel.unwrap_or_else(|| "main".to_owned()),
        sequence: details.sequence.ok_or_else(|| needs("a number higher than the last one's", "--sequence NUMBER"))?,
        created: details.created.unwrap_or_else(|| date.clone()),
        date: date.clone(),
        expires: details.expires,
        minimum_version: details.minimum_version.unwrap_or_else(|| "0.1.0".to_owned()),
        licence: details.licence,
        source: details.source,
        attribution: details.attribution,
        next_keys: details.next_keys,
        revoked_keys: details.revoked_keys,
        rules: build.rules,
        files: files.collect(),
        left_out: build.left_out,
    };
    let contents: Vec<Vec<u8>> = build.files.into_values().map(|(bytes, _)| bytes).collect();
    let bytes = pack(&manifest, &contents).map_err(|why| StoreError::Usage(format!("{name}: {why}")))?;
    Ok(Built { bytes, manifest })
}

fn read_details(dir: &Path) -> Result<Details, StoreError> {
    let path = dir.join(DETAILS);
    match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|error| {
            StoreError::Usage(format!("{}: {}", path.display(), error.to_string().replace('\n', " ").trim()))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Details::default()),
        Err(source) => Err(StoreError::Place { verb: "read", path, source }),
    }
}

fn together(file: Details, said: Details) -> Details {
    let text = |said: String, file: String| if said.is_empty() { file } else { said };
    let list = |mut said: Vec<String>, file: Vec<String>| {
        said.extend(file);
        said
    };
    Details {
        id: said.id.or(file.id),
        channel: said.channel.or(file.channel),
        sequence: said.sequence.or(file.sequence),
        date: said.date.or(file.date),
        created: said.created.or(file.created),
        expires: said.expires.or(file.expires),
        minimum_version: said.minimum_version.or(file.minimum_version),
        licence: text(said.licence, file.licence),
        source: text(said.source, file.source),
        attribution: text(said.attribution, file.attribution),
        next_keys: list(said.next_keys, file.next_keys),
        revoked_keys: list(said.revoked_keys, file.revoked_keys),
        files: file.files,
    }
}

/// All files below `dir`, by path, in order. Links and hidden files are not followed and not looked at.
fn walk(dir: &Path, left_out: &mut Vec<LeftOut>) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let mut found = Vec::new();
    let mut open = vec![(dir.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        let place = |source| StoreError::Place { verb: "read", path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(place)? {
            let entry = entry.map_err(place)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let (path, kind) = (format!("{prefix}{name}"), entry.file_type().map_err(place)?);
            if name.starts_with('.') || path == DETAILS {
                continue;
            }
            if kind.is_dir() {
                open.push((entry.path(), format!("{path}/")));
            } else if kind.is_file() {
                found.push((path, std::fs::read(entry.path()).map_err(place)?));
            } else {
                left_out.push(LeftOut { file: path, rule: None, why: "it is a link or no file at all".to_owned() });
            }
            if found.len() > MOST_FILES {
                return Err(StoreError::Usage(format!("{} has more than {MOST_FILES} files", dir.display())));
            }
        }
    }
    found.sort();
    Ok(found)
}

struct Build<'a> {
    workshop: &'a Workshop,
    name: &'a str,
    /// Day of the newest rule.
    date: &'a str,
    files: Files,
    left_out: Vec<LeftOut>,
    rules: u32,
}

impl Build<'_> {
    /// What becomes of a file is told by its folder and its ending.
    fn add(&mut self, path: &str, mut bytes: Vec<u8>) -> Result<(), StoreError> {
        let lower = path.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
        if path.starts_with("samples/must-hit/") || path.starts_with("samples/must-not-hit/") {
            mask(&mut bytes);
            self.place(path, path, bytes);
        } else if path.starts_with("clamav/") || ends(CLAMAV) {
            let inner = path.strip_prefix("clamav/").unwrap_or(path);
            self.place(&format!("clamav/{inner}"), path, bytes);
        } else if is_rule_name(path) {
            self.rule_file(path, path, &bytes)?;
        } else if ends(&[".zip"]) {
            self.zip(path, &bytes)?;
        } else if path.starts_with("lists/") && ends(&[".txt", ".csv", ".json", ".sha256", ".sha1", ".md5"]) {
            self.list(path, &bytes)?;
        } else {
            self.leave_out(path, "it is no rule file, list, sample or database");
        }
        Ok(())
    }

    fn leave_out(&mut self, path: &str, why: &str) {
        self.left_out.push(LeftOut { file: path.to_owned(), rule: None, why: why.to_owned() });
    }

    /// A path that a bundle may have, and that nothing else has: other signs become `_`.
    fn place(&mut self, path: &str, from: &str, bytes: Vec<u8>) {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "_.-/".contains(c) { c } else { '_' };
        let mut wanted: String = path.chars().map(plain).collect();
        if !is_path(&wanted) || self.files.contains_key(&wanted) {
            let digest = Digest::new(Sha256::digest(from.as_bytes()).into()).to_string();
            let folder = wanted.rsplit_once('/').map_or("", |(folder, _)| folder);
            let folder = if is_path(folder) && folder.len() < 60 { folder } else { first_folder(folder) };
            let ending = wanted.rsplit_once('.').map_or("bin", |(_, ending)| ending);
            wanted = format!("{folder}/{}.{ending}", digest.get(..16).unwrap_or_default());
        }
        if is_path(&wanted) && !self.files.contains_key(&wanted) {
            self.files.insert(wanted, (bytes, from.to_owned()));
        } else {
            self.leave_out(from, "its path cannot be one of a bundle");
        }
    }

    /// `from` is the file of the folder, `name` what is shown: a member of a ZIP has a longer one.
    fn rule_file(&mut self, name: &str, from: &str, bytes: &[u8]) -> Result<(), StoreError> {
        match self.workshop.sifted(bytes, &RuleJob::Check(name.to_owned())) {
            Ok((text, sifted)) => {
                self.left_out.extend(sifted.left_out);
                if sifted.kept > 0 {
                    self.rules = self.rules.saturating_add(sifted.kept);
                    let inner = name.strip_prefix("rules/").unwrap_or(name);
                    let stem = inner.rsplit_once('.').map_or(inner, |(stem, _)| stem);
                    self.place(&format!("rules/{stem}.yar"), from, text);
                }
                Ok(())
            }
            Err(Failed::Input(why)) => {
                self.leave_out(name, &why);
                Ok(())
            }
            Err(Failed::Station(error)) => Err(error),
        }
    }

    fn zip(&mut self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let sealed = self.workshop.seal(bytes)?;
        let done = match self.workshop.run(&sealed, &RuleJob::Unzip) {
            Ok(done) => done,
            Err(Failed::Input(why)) => {
                self.leave_out(path, &why);
                return Ok(());
            }
            Err(Failed::Station(error)) => return Err(error),
        };
        if done.exports.is_empty() {
            self.leave_out(path, "there is no rule file in it");
        }
        for export in &done.exports {
            let bytes = self.workshop.exported(&done, export)?;
            // The name comes from outside: only its letters count, and only below our folder.
            let inner: Vec<&str> = export.name.split(['/', '\\']).filter(|part| !part.starts_with('.')).collect();
            let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
            self.rule_file(&format!("{stem}/{}", inner.join("/")), path, &bytes)?;
        }
        Ok(())
    }

    fn list(&mut self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let inner = stem.strip_prefix("lists/").unwrap_or(stem);
        let id = signatures::hash::name_of(inner).unwrap_or_else(|| "list".to_owned());
        let good = path.starts_with("lists/known-good");
        let job = RuleJob::List { name: path.to_owned(), id, date: self.date.to_owned(), good };
        match self.workshop.sifted(bytes, &job) {
            Ok((index, sifted)) => {
                self.left_out.extend(sifted.left_out);
                if sifted.kept > 0 {
                    self.place(&format!("{stem}.hashes"), path, index);
                }
                Ok(())
            }
            Err(Failed::Input(why)) => {
                self.leave_out(path, &why);
                Ok(())
            }
            Err(Failed::Station(error)) => Err(error),
        }
    }

    /// Rules compile and still may be so slow that a scan jail refuses them: then each file is tried alone.
    fn drop_slow(&mut self) -> Result<(), StoreError> {
        let paths: Vec<String> = self.files.keys().filter(|path| path.starts_with("rules/")).cloned().collect();
        if paths.is_empty() || self.load(&paths)?.is_ok() {
            return Ok(());
        }
        for path in &paths {
            if let Err(why) = self.load(std::slice::from_ref(path))? {
                self.files.remove(path);
                self.leave_out(path, &why.to_string());
            }
        }
        let left: Vec<String> = paths.into_iter().filter(|path| self.files.contains_key(path)).collect();
        self.count(&left)?;
        if left.is_empty() {
            return Ok(());
        }
        self.load(&left)?.map_err(|why| StoreError::refused(self.name, why))
    }

    /// Whether these files compile and load together.
    fn load(&self, paths: &[String]) -> Result<Result<(), Refusal>, StoreError> {
        let text = |path: &String| self.files.get(path).map(|(bytes, _)| String::from_utf8_lossy(bytes).into_owned());
        let numbered = paths.iter().enumerate();
        let sources =
            numbered.filter_map(|(n, path)| Some(Source { name: format!("f{n}"), text: text(path)? })).collect();
        let set = RuleSet::new("build", "1970-01-01", sources).map_err(|error| StoreError::Usage(error.to_string()))?;
        match self.workshop.compile(ENGINE, &set) {
            Ok(compiled) => Ok(loads(self.workshop, &compiled)?.map(|_| ())),
            Err(Failed::Input(why)) => Ok(Err(Refusal::Rules(why))),
            Err(Failed::Station(error)) => Err(error),
        }
    }

    fn count(&mut self, paths: &[String]) -> Result<(), StoreError> {
        let mut rules = 0_usize;
        for (bytes, _) in paths.iter().filter_map(|path| self.files.get(path)) {
            rules = rules.saturating_add(signatures::split::rules(&String::from_utf8_lossy(bytes)).len());
        }
        self.rules = u32::try_from(rules).unwrap_or(u32::MAX);
        Ok(())
    }
}

fn first_folder(path: &str) -> &str {
    for folder in ["samples/must-not-hit", "samples/must-hit", "clamav", "lists"] {
        if path.starts_with(folder) {
            return folder;
        }
    }
    "rules"
}

/// Endings of ClamAV's databases.
const CLAMAV: &[&str] = &[
    ".cvd", ".cld", ".hdb", ".hsb", ".hdu", ".hsu", ".mdb", ".msb", ".mdu", ".msu", ".ndb", ".ndu", ".ldb", ".ldu",
    ".cdb", ".fp", ".sfp", ".ign", ".ign2", ".idb", ".ftm", ".pdb", ".wdb", ".gdb", ".crb",
];

impl Built {
    /// How many files of a kind are in it.
    #[must_use]
    pub fn count(&self, kind: FileKind) -> usize {
        self.manifest.of_kind(kind).count()
    }
}
