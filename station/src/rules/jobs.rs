//! What the jails of signatures do. Third parties wrote the bytes that they read, signed or not.

use jail::Room;
use serde::{Deserialize, Serialize};
use signatures::RuleSet;
use signatures::bundle::{LeftOut, MOST_FILE_BYTES, MOST_FILES};
use signatures::hash::import::{Broken, Shape, import};
use signatures::hash::{Builder, Purpose};
use std::io::{Cursor, Read};

/// Role of the zygote whose jobs read bundles and rules.
pub(crate) const SIGNATURES: &str = "signatures";

/// What such a job is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum RuleJob {
    /// A bundle: exports its files, answers `bundle.json`.
    Unpack,
    /// Rule files ([`RuleSet::to_bytes`]): writes what the named engine's compiler makes of them.
    Compile(String),
    /// A rule file of this name: writes what is left of it, answers [`Sifted`].
    Check(String),
    /// A ZIP: exports the rule files in it.
    Unzip,
    /// A list of digests: writes an index of them, answers [`Sifted`].
    List {
        /// Its file name.
        name: String,
        /// Name of the index.
        id: String,
        /// Its date.
        date: String,
        /// Whether its files are known to be good.
        good: bool,
    },
}

/// What was kept of a file, and what not.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sifted {
    pub kept: u32,
    pub left_out: Vec<LeftOut>,
}

/// Ours: what one file can say about what is left out.
const MOST_LEFT_OUT: usize = 500;

/// Runs in a jail.
///
/// # Errors
/// One clause that says what is wrong with the input.
pub fn signatures_role(room: &mut Room<'_>) -> Result<Vec<u8>, String> {
    match serde_json::from_slice(room.header()).map_err(|error| error.to_string())? {
        RuleJob::Unpack => unpack(room),
        RuleJob::Compile(engine) => compile(room, &engine),
        RuleJob::Check(name) => {
            let text = String::from_utf8_lossy(room.input()).into_owned();
            let checked = engines::check(&text);
            room.write_output(checked.text.as_bytes()).map_err(|error| error.to_string())?;
            sifted(&name, checked.rules, checked.left_out)
        }
        RuleJob::Unzip => unzip(room),
        RuleJob::List { name, id, date, good } => {
            let purpose = if good { Purpose::KnownGood } else { Purpose::KnownBad };
            list(room, (&name, &id, &date, purpose))
        }
    }
}

fn sifted(file: &str, kept: usize, left_out: Vec<(Option<String>, String)>) -> Result<Vec<u8>, String> {
    let more = left_out.len().saturating_sub(MOST_LEFT_OUT);
    let row = |(rule, why)| LeftOut { file: file.to_owned(), rule, why };
    let mut rows: Vec<LeftOut> = left_out.into_iter().take(MOST_LEFT_OUT).map(row).collect();
    if more > 0 {
        rows.push(row((None, format!("and {more} more"))));
    }
    let kept = u32::try_from(kept).map_err(|error| error.to_string())?;
    serde_json::to_vec(&Sifted { kept, left_out: rows }).map_err(|error| error.to_string())
}

fn unpack(room: &mut Room<'_>) -> Result<Vec<u8>, String> {
    let (input, outlet) = room.split();
    signatures::bundle::unpack(input, signatures::VERSION, &mut |path, bytes| {
        outlet.export(0, 1, path, bytes).map(|_| ()).map_err(|error| error.to_string())
    })
}

fn compile(room: &mut Room<'_>, engine: &str) -> Result<Vec<u8>, String> {
    let set = RuleSet::from_bytes(room.input()).map_err(|error| error.to_string())?;
    let descriptor = engines::descriptor(engine).ok_or("there is no such engine")?;
    let engines::Home::ScanJail { compile, .. } = descriptor.home else {
        return Err("this engine has no compiler".to_owned());
    };
    let compiled = compile(&set).map_err(|error| error.to_string())?;
    room.write_output(&compiled).map_err(|error| error.to_string())?;
    Ok(Vec::new())
}

fn unzip(room: &mut Room<'_>) -> Result<Vec<u8>, String> {
    let (input, outlet) = room.split();
    let mut archive = zip::ZipArchive::new(Cursor::new(input)).map_err(|error| error.to_string())?;
    if archive.len() > MOST_FILES {
        return Err(format!("it has more than {MOST_FILES} members"));
    }
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(|error| error.to_string())?;
        let name = member.name().map_err(|error| error.to_string())?.into_owned();
        if !is_rule_name(&name) {
            continue;
        }
        let mut bytes = Vec::new();
        member.take(MOST_FILE_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        outlet.export(0, 1, &name, &bytes).map_err(|error| error.to_string())?;
    }
    Ok(Vec::new())
}

/// Whether a file of this name holds YARA rules.
pub(crate) fn is_rule_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".yar", ".yara"].iter().any(|ending| lower.ends_with(ending))
}

/// A list of digests in any shape that there is an import for becomes an index.
fn list(room: &mut Room<'_>, (name, id, date, purpose): (&str, &str, &str, Purpose)) -> Result<Vec<u8>, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut builder = Builder::new(id, date, purpose).map_err(|error| error.to_string())?;
    let input = room.input();
    let shape = Shape::of(name, input.get(..input.len().min(4096)).unwrap_or_default());
    let done = import(shape, input, &mut builder).map_err(text)?;
    let row = |broken: &Broken| (Some(format!("entry {}", broken.at)), broken.why.to_owned());
    let mut left_out: Vec<_> = done.listed.iter().map(row).collect();
    let more = done.broken.saturating_sub(done.listed.len() as u64);
    if more > 0 {
        left_out.push((None, format!("and {more} more entries")));
    }
    if done.skipped > 0 {
        left_out.push((None, format!("{} entries are of another kind", done.skipped)));
    }
    let kept = builder.len();
    if kept > 0 {
        let index = builder.to_bytes().map_err(text)?;
        room.write_output(&index).map_err(text)?;
    } else {
        left_out.push((None, "there is no digest in it".to_owned()));
    }
    sifted(name, kept, left_out)
}
