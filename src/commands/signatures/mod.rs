//! `sallyport signatures …`: the life of rules, from a folder of them to what is in force.

mod fetch;
mod keys;
mod make;
mod show;

use crate::places;
use clap::Subcommand;
use jail::Launcher;
use model::time;
use signatures::store::{Act, Store, StoreError, StoredSet};
use station::rules::{self, Imported, Mode, Offered, Workshop};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

/// Build, check, take in and roll back signature bundles.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The signature store [default: the person's, root's or the service's].
    #[arg(long, global = true, value_name = "DIR")]
    store: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Which signatures are in force, and how old. Exit status 1 where they are stale.
    Status(show::StatusArguments),
    /// All sets of the store.
    List {
        /// Print JSON, one object a line.
        #[arg(long)]
        json: bool,
    },
    /// Check a bundle, try it, take it in and put it in force.
    Import {
        /// The bundle; its .minisig files lie beside it.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Take it in only; `activate` puts it in force later.
        #[arg(long)]
        no_activate: bool,
    },
    /// Take in the newest bundle of a folder, or the bundle at an address.
    Update(fetch::Arguments),
    /// Check and try a bundle without changing anything.
    Test {
        /// The bundle; its .minisig files lie beside it.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a set of the store in force.
    Activate {
        /// Its number [default: the highest].
        #[arg(value_name = "NUMBER")]
        number: Option<u64>,
    },
    /// Go back to an older set. The reason is recorded.
    Rollback {
        /// Its number [default: the set that was in force before].
        #[arg(long, value_name = "NUMBER")]
        to: Option<u64>,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Make a bundle of a folder of rules, lists, samples and databases.
    Build(Box<make::Arguments>),
    /// Make a key pair to sign bundles with.
    Keygen(keys::KeygenArguments),
    /// Whose bundles this station takes.
    #[command(subcommand)]
    Trust(keys::TrustCommand),
}

/// Runs it; the exit status is that of the contract.
pub fn run(arguments: &Arguments) -> ExitCode {
    let dir = arguments.store.clone().unwrap_or_else(places::signature_store);
    match dispatch(&arguments.command, &dir) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            tell!("sallyport: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}

fn dispatch(command: &Command, dir: &Path) -> Result<u8, StoreError> {
    match command {
        Command::Status(arguments) => show::status(arguments, dir),
        Command::List { json } => show::list(dir, *json),
        Command::Import { file, no_activate } => {
            let mode = if *no_activate { Mode::Keep } else { Mode::Activate };
            let (store, workshop) = (Store::open(dir)?, workshop()?);
            let imported = rules::import(&store, &workshop, &Offered::at(&workshop, file)?, &act(), mode)?;
            tell(&imported);
            Ok(0)
        }
        Command::Update(arguments) => fetch::update(arguments, dir),
        Command::Test { file } => {
            let (store, workshop) = (Store::open(dir)?, workshop()?);
            let tested = rules::import(&store, &workshop, &Offered::at(&workshop, file)?, &act(), Mode::Test)?;
            println!("{} is good: signed by {}", named(&tested.set), tested.set.signers.join(", "));
            show::left_out(&tested.set.manifest.left_out);
            Ok(0)
        }
        Command::Activate { number } => {
            let set = rules::activate(&Store::open(dir)?, &workshop()?, *number, &act())?;
            println!("{} is in force", named(&set));
            Ok(0)
        }
        Command::Rollback { to, reason } => {
            let set = rules::rollback(&Store::open(dir)?, &workshop()?, *to, &act(), reason)?;
            println!("{} is in force again", named(&set));
            Ok(0)
        }
        Command::Build(arguments) => make::build(arguments),
        Command::Keygen(arguments) => keys::keygen(arguments),
        Command::Trust(command) => keys::trust(command, dir),
    }
}

fn tell(imported: &Imported) {
    let state = if imported.in_force { "in force" } else { "in the store; 'signatures activate' puts it in force" };
    println!("{} is {state}", named(&imported.set));
    show::left_out(&imported.set.manifest.left_out);
}

fn named(set: &StoredSet) -> String {
    let manifest = &set.manifest;
    format!("{} number {} ({} rules, of {})", manifest.id, manifest.sequence, manifest.rules, manifest.date)
}

fn workshop() -> Result<Workshop, StoreError> {
    let launcher = Launcher::of_this_program().map_err(|error| StoreError::Jail(error.to_string()))?;
    Workshop::start(&launcher, &places::cache_home().join("sallyport"))
}

/// Who does this, and when.
fn act() -> Act {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default();
    let user: String = user.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
    let uid = rustix::process::getuid().as_raw();
    Act { who: if user.is_empty() { format!("uid {uid}") } else { format!("{user} (uid {uid})") }, now: now() }
}

fn now() -> u64 {
    time::seconds(SystemTime::now())
}

fn unread(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + '_ {
    |error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return StoreError::Usage(format!("there is no {}; check the path", path.display()));
        }
        StoreError::Place { verb: "read", path: path.to_owned(), source: error }
    }
}

fn unwritten(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + '_ {
    |source| StoreError::Place { verb: "written", path: path.to_owned(), source }
}
