//! `sallyport`: cleans files from the command line. Reads arguments, hands over to the station.
#![forbid(unsafe_code)]
#![warn(clippy::print_stderr)]

#[macro_use]
mod say;

mod commands;
mod places;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Content disarm and reconstruction: only rebuilt, verified and scanned files come out.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Clean files and folders into an outbox.
    Clean(Box<commands::clean::Arguments>),
    /// Build, check, take in and roll back signature bundles.
    Signatures(commands::signatures::Arguments),
    /// Look at a stick or an image of one, without mounting it.
    Medium(commands::medium::Arguments),
    /// Say whether this station may be trusted now.
    Doctor(commands::doctor::Arguments),
    /// Verify, search, export and prune the journal.
    Audit(commands::audit::Arguments),
    /// Look at what is held, and let it out with the consent of those who may give it.
    Quarantine(Box<commands::quarantine::Arguments>),
    /// Check released files against their signed manifests.
    Verify(sallyport_verify::Arguments),
    /// Put a session's files into one file, for a data diode or a stick.
    Pack(commands::package::Pack),
    /// Check such a file and publish what is in it.
    Unpack(commands::package::Unpack),
}

fn main() -> ExitCode {
    // Before anything else, while the process is small and has one thread: a jail is this same executable, started
    // with a control socket instead of arguments from a person.
    jail::become_jail_if_asked(&station::roles::ROLES);
    match Arguments::parse().command {
        Command::Clean(arguments) => commands::clean::run(&arguments),
        Command::Signatures(arguments) => commands::signatures::run(&arguments),
        Command::Medium(arguments) => commands::medium::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
        Command::Audit(arguments) => commands::audit::run(&arguments),
        Command::Quarantine(arguments) => commands::quarantine::run(&arguments),
        Command::Verify(arguments) => sallyport_verify::run(&arguments),
        Command::Pack(arguments) => commands::package::pack(&arguments),
        Command::Unpack(arguments) => commands::package::unpack(&arguments),
    }
}
