//! Checks what a station released, on the plant's side of the share: `sallyport-verify` and `sallyport verify`.
//!
//! A share holds the released files and, in a folder of its own, a signed manifest a session
//! ([`evidence::release::FOLDER`]). Every file must be covered by a manifest that a trusted key signed, have its digest,
//! and be meant for this zone; what a manifest names must be there; a station's manifests must follow one another.
#![forbid(unsafe_code)]

mod check;
mod package;
mod share;
mod state;

pub use check::{Checked, Options, Problem, ProblemKind, check};
pub use package::{PackageError, pack, unpack};
pub use state::State;

use clap::Parser;
use evidence::PublicKey;
use model::{shown, time};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

/// Check released files: signatures, digests, age, zone, gaps, missing and extra files.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    /// The share, or a copy of it.
    pub dir: PathBuf,
    /// Whom to trust: the station's public key in PEM, or a file of allowed signers.
    #[arg(long, value_name = "FILE")]
    pub trust: PathBuf,
    /// The zone that the files must be meant for.
    #[arg(long)]
    pub zone: Option<String>,
    /// Days after which a release is too old.
    #[arg(long, value_name = "DAYS")]
    pub max_age: Option<u32>,
    /// Remember the last release of each station here, so that gaps show although older ones were cleared away.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Do not complain of files that a manifest names and that were taken away.
    #[arg(long)]
    pub ignore_missing: bool,
    /// Print one JSON object instead of words.
    #[arg(long)]
    pub json: bool,
}

/// Runs the check and prints what it found. Exit status: 0 all is well, 1 something is not, 2 usage.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    match checked(arguments) {
        Ok(checked) => {
            let printed = if arguments.json { print_json(&checked) } else { print_words(&checked) };
            // Whoever reads our output may close it early; what was found stands in the status.
            drop(printed);
            ExitCode::from(u8::from(!checked.problems.is_empty()))
        }
        Err(message) => {
            // A log on a full disk must not turn the status into a panic's.
            let _ = writeln!(std::io::stderr(), "sallyport-verify: {message}");
            ExitCode::from(2)
        }
    }
}

fn checked(arguments: &Arguments) -> Result<Checked, String> {
    let trusted = trusted(&arguments.trust)?;
    let state = arguments.state.as_deref().map(State::load).transpose()?;
    let options = Options {
        trusted,
        zone: arguments.zone.clone(),
        max_age_days: arguments.max_age,
        ignore_missing: arguments.ignore_missing,
        now: time::seconds(SystemTime::now()),
        state: state.unwrap_or_default(),
    };
    let checked = check(&arguments.dir, &options).map_err(|error| {
        format!("{} cannot be read: {error}; check the path and the permissions", arguments.dir.display())
    })?;
    if let (Some(path), true) = (&arguments.state, checked.problems.is_empty()) {
        checked.state.save(path)?;
    }
    Ok(checked)
}

/// The keys in a file that says whom to trust.
///
/// # Errors
/// One sentence that says what to do.
pub fn trusted(path: &std::path::Path) -> Result<Vec<PublicKey>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the trusted keys {} cannot be read: {error}", path.display()))?;
    let keys = PublicKey::read_trusted(&text)
        .map_err(|error| format!("{}: {error}; ask the station's keeper for its public key", path.display()))?;
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

fn print_json(checked: &Checked) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, checked)?;
    out.write_all(b"\n")
}

fn print_words(checked: &Checked) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for problem in &checked.problems {
        writeln!(out, "  \u{2717} {}", shown(&problem.to_string()))?;
    }
    let verdict = if checked.problems.is_empty() { "all is well" } else { "NOT all is well" };
    writeln!(
        out,
        "{verdict}: {} files in {} releases checked, {} problems",
        checked.files,
        checked.releases,
        checked.problems.len()
    )
}
