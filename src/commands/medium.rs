//! `sallyport medium show`: what is on a stick or an image of one, without mounting it and without taking anything in.

use crate::places;
use jail::Launcher;
use medium::{Item, Kind, Listing};
use model::shown;
use station::{Listed, LoadedPolicy, Medium, StationError, finding_in_words, volume_in_words};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Look at media without mounting them.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Partitions, volumes, findings and the tree of a block device or an image file.
    Show(Show),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// A block device, or an image of one.
    medium: PathBuf,
    /// The zone's policy (TOML), for its limits.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print one JSON object instead of words.
    #[arg(long)]
    json: bool,
}

/// Runs it: 0 all of it can be read, 1 not all, 2 there is no such medium, 3 station fault.
pub fn run(arguments: &Arguments) -> ExitCode {
    let Command::Show(show) = &arguments.command;
    let policy = show.policy.as_deref().map_or_else(|| Ok(station::standard_policy()), station::load_policy);
    match policy.and_then(|policy| list(&show.medium, &policy)) {
        Err(error) => {
            tell!("sallyport: {error}");
            ExitCode::from(error.exit_status())
        }
        Ok(listed) => {
            // Whoever reads our output may close it early: that is no fault of ours.
            let _ = if show.json { print_json(&listed) } else { print_words(&listed) };
            let refused = |item: &Item| !matches!(item.kind, Kind::File | Kind::Folder);
            ExitCode::from(u8::from(listed.listing().items.iter().any(refused)))
        }
    }
}

/// Opens a medium and lists what is on it.
pub(crate) fn list(path: &Path, policy: &LoadedPolicy) -> Result<Listed, StationError> {
    let launcher = Launcher::of_this_program().map_err(|error| StationError::Jail(error.to_string()))?;
    let limits = &policy.policy.limits;
    Medium::open(path, &launcher, &places::cache_home().join("sallyport"), limits)?.list(limits.entries)
}

fn print_json(listed: &Listed) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, listed.listing())?;
    out.write_all(b"\n")
}

fn print_words(listed: &Listed) -> std::io::Result<()> {
    let (mut out, facts) = (std::io::stdout().lock(), listed.facts());
    writeln!(out, "{}: {} bytes, partition table: {:?}", listed.path().display(), facts.size, facts.table)?;
    for (number, volume) in (1..).zip(&facts.volumes) {
        writeln!(out, "volume {number}: {}", shown(&volume_in_words(volume)))?;
    }
    writeln!(out, "{} bytes lie outside of volumes and are not read", facts.outside)?;
    for finding in &facts.findings {
        writeln!(out, "  {}", shown(&finding_in_words(finding)))?;
    }
    print_tree(&mut out, listed.listing())
}

fn print_tree(out: &mut impl Write, listing: &Listing) -> std::io::Result<()> {
    let mut depths: Vec<usize> = Vec::with_capacity(listing.items.len());
    for item in &listing.items {
        let above = item.parent.and_then(|parent| depths.get(usize::try_from(parent).ok()?));
        let depth = above.map_or(0, |depth| depth.saturating_add(1));
        depths.push(depth);
        let name = String::from_utf8_lossy(item.name.bytes());
        writeln!(out, "{}{}{}", "  ".repeat(depth.saturating_add(1)), shown(&name), told(item))?;
    }
    Ok(())
}

fn told(item: &Item) -> String {
    let mut told = match &item.kind {
        Kind::Folder => "/".to_owned(),
        Kind::File => format!("  {} bytes", item.size),
        Kind::Link => "  link, not followed".to_owned(),
        Kind::Special => "  device, pipe or socket".to_owned(),
        Kind::Refused(reason) => format!("  \u{2717} {}", shown(&reason.text)),
    };
    for (is, word) in [(item.hidden, "hidden"), (item.system, "system"), (item.streams > 0, "has alternate streams")] {
        if is {
            told.push_str(", ");
            told.push_str(word);
        }
    }
    told
}
