//! `sallyport audit …`: reading the journal, and what may be done to it.

use crate::commands::clean::state_home;
use clap::{Args, Subcommand};
use evidence::{PublicKey, time};
use journal::{Kind, Query, Record, Verified};
use model::Digest;
use serde_json::json;
use station::{Collector, Ledger};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

/// Verify, search, export and prune the station's journal.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The station's own folder [default: sallyport in the XDG state folder].
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the journal through: every record that was changed, removed, moved or cut off is named. Exit status 1 then.
    Verify {
        /// A checkpoint from outside the station (a receipt, a log); those beside the journal count too.
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// The station's public key, where its own copy is not to be trusted.
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
        /// Print one JSON object instead of words.
        #[arg(long)]
        json: bool,
    },
    /// Print records as JSON lines.
    Export(Selection),
    /// Print what the journal says of a file: give its SHA-256, as it came in or as it went out.
    Search {
        /// SHA-256 in hexadecimal.
        digest: String,
    },
    /// Take the bodies of old records; their digests stay, and a signed gap record says why.
    Prune {
        /// Days; younger records stay.
        #[arg(long, value_name = "DAYS")]
        older_than: u32,
        /// Which kinds: job, file, session-begin, … Repeat for more.
        #[arg(long = "kind", value_name = "KIND", required = true, value_parser = kind)]
        kinds: Vec<Kind>,
        /// Only of sessions of this retention class (`sallyport clean --retention`).
        #[arg(long, value_name = "CLASS")]
        class: Option<String>,
        /// The reason, for the record.
        #[arg(long)]
        why: String,
    },
    /// Erase a person's name; the chain holds, and that a name was erased is recorded.
    EraseName {
        /// As it was given.
        name: String,
        /// The reason, for the record.
        #[arg(long)]
        why: String,
    },
    /// Write the receipt of a session again, from what the journal says.
    Receipt {
        /// The session's id.
        session: String,
        /// The folder to write it to.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Sign the journal as it is now and print the checkpoint, to be kept outside the station.
    Checkpoint {
        /// Send it to a syslog collector as well: udp://HOST:PORT, tcp://HOST:PORT or unix:///dev/log.
        #[arg(long, value_name = "URL")]
        syslog: Option<Collector>,
    },
}

#[derive(Debug, Args)]
struct Selection {
    /// Only this session.
    #[arg(long)]
    session: Option<String>,
    /// Only this kind.
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// Not before, like 2026-01-31T00:00:00Z.
    #[arg(long, value_parser = moment)]
    since: Option<String>,
    /// Before, like 2026-01-31T00:00:00Z.
    #[arg(long, value_parser = moment)]
    until: Option<String>,
}

fn kind(name: &str) -> Result<Kind, String> {
    let known = || Kind::ALL.map(|(_, name)| name).join(", ");
    Kind::of(name).ok_or_else(|| format!("there is no such kind; known: {}", known()))
}

fn moment(text: &str) -> Result<String, String> {
    time::parse(text).map(time::format).ok_or_else(|| "write it like 2026-01-31T00:00:00Z".to_owned())
}

/// Runs it; the exit status is that of the contract.
pub fn run(arguments: &Arguments) -> ExitCode {
    let state = arguments.state.clone().unwrap_or_else(state_home);
    let done = match &arguments.command {
        Command::Verify { checkpoint, trust, json } => return verify(&state, checkpoint, trust.as_deref(), *json),
        Command::Export(selection) => export(&state, &selection.query()),
        Command::Search { digest } => match Digest::from_hex(digest) {
            Some(digest) => export(&state, &Query { digest: Some(digest), ..Query::default() }),
            None => return refuse(2, "a SHA-256 has 64 hexadecimal digits"),
        },
        Command::Prune { older_than, kinds, class, why } => prune(&state, *older_than, kinds, class.as_deref(), why),
        Command::EraseName { name, why } => erase(&state, name, why),
        Command::Receipt { session, out } => receipt(&state, session, out),
        Command::Checkpoint { syslog } => checkpoint(&state, syslog.as_ref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => refuse(3, &message),
    }
}

fn refuse(status: u8, message: &str) -> ExitCode {
    tell!("sallyport: {message}");
    ExitCode::from(status)
}

impl Selection {
    fn query(&self) -> Query {
        Query {
            session: self.session.clone(),
            kind: self.kind,
            since: self.since.clone(),
            until: self.until.clone(),
            ..Query::default()
        }
    }
}

fn verify(state: &Path, checkpoints: &[PathBuf], trust: Option<&Path>, as_json: bool) -> ExitCode {
    let read =
        |path: &PathBuf| std::fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()));
    let own = state.join("station.pub");
    let checked = checkpoints.iter().map(read).collect::<Result<Vec<_>, _>>().and_then(|notes| {
        let key = trusted(trust.unwrap_or(&own))?;
        journal::verify(&state.join("journal"), &key, &notes).map_err(|error| error.to_string())
    });
    match checked {
        Ok(verified) => {
            // Whoever reads our output may close it early; what was found stands in the status.
            let _ = if as_json { print_json(&verified) } else { print_words(&verified) };
            ExitCode::from(u8::from(!verified.faults.is_empty()))
        }
        Err(message) => refuse(2, &message),
    }
}

fn trusted(path: &Path) -> Result<PublicKey, String> {
    let keys = sallyport_verify::trusted(path)?;
    keys.first().copied().ok_or_else(|| format!("{} holds no key", path.display()))
}

fn print_words(verified: &Verified) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for fault in &verified.faults {
        match fault.seq {
            0 => writeln!(out, "  \u{2717} {}", fault.text)?,
            seq => writeln!(out, "  \u{2717} record {seq}: {}", fault.text)?,
        }
    }
    let verdict = if verified.faults.is_empty() { "the journal is whole" } else { "the journal is NOT whole" };
    writeln!(
        out,
        "{verdict}: {} records read, {} of them pruned, held against {} checkpoints, {} faults",
        verified.records,
        verified.pruned,
        verified.checkpoints,
        verified.faults.len()
    )
}

fn print_json(verified: &Verified) -> std::io::Result<()> {
    let fault = |fault: &journal::Fault| json!({ "record": fault.seq, "text": fault.text });
    let faults: Vec<_> = verified.faults.iter().map(fault).collect();
    let (records, pruned, checkpoints) = (verified.records, verified.pruned, verified.checkpoints);
    let object = json!({ "records": records, "pruned": pruned, "checkpoints": checkpoints, "faults": faults });
    writeln!(std::io::stdout().lock(), "{object}")
}

fn export(state: &Path, query: &Query) -> Result<(), String> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut closed = Ok(());
    let each = |record: Record| {
        closed = writeln!(out, "{}", as_json(&record));
        closed.is_ok()
    };
    query.run(&state.join("journal"), each).map_err(|error| error.to_string())?;
    match closed.and_then(|()| out.flush()) {
        // Whoever reads our output may close it early.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn as_json(record: &Record) -> serde_json::Value {
    let body: Option<serde_json::Value> = record.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
    json!({
        "seq": record.seq, "time": record.time, "kind": record.kind, "session": record.session,
        "input": record.input, "output": record.output, "digest": record.digest, "body": body,
    })
}

fn open(state: &Path) -> Result<Ledger, String> {
    if !state.join("journal").is_dir() {
        return Err(format!("there is no journal in {}; name the station's folder with --state", state.display()));
    }
    Ledger::open(state).map_err(|error| error.to_string())
}

fn prune(state: &Path, days: u32, kinds: &[Kind], class: Option<&str>, why: &str) -> Result<(), String> {
    let now = time::seconds(SystemTime::now());
    let before = time::format(now.saturating_sub(u64::from(days).saturating_mul(86_400)));
    let pruned = open(state)?.journal().prune(kinds, &before, class, why).map_err(|error| error.to_string())?;
    match pruned {
        Some(pruned) => println!("{} bodies of records {} to {} were pruned", pruned.bodies, pruned.from, pruned.to),
        None => println!("nothing is that old"),
    }
    Ok(())
}

fn erase(state: &Path, name: &str, why: &str) -> Result<(), String> {
    if open(state)?.journal().erase(name, why).map_err(|error| error.to_string())? {
        println!("the name is erased");
        return Ok(());
    }
    Err("the journal knows nobody of that name".to_owned())
}

fn receipt(state: &Path, session: &str, out: &Path) -> Result<(), String> {
    let files = open(state)?.receipt_of(session).map_err(|error| error.to_string())?;
    std::fs::create_dir_all(out).map_err(|error| format!("{} cannot be made: {error}", out.display()))?;
    for (name, bytes) in files {
        let path = out.join(name);
        std::fs::write(&path, bytes).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn checkpoint(state: &Path, syslog: Option<&Collector>) -> Result<(), String> {
    let (checkpoint, note) = open(state)?.journal().checkpoint().map_err(|error| error.to_string())?;
    print!("{note}");
    let sent = syslog.map_or(Ok(()), |collector| collector.send(&checkpoint, &note));
    sent.map_err(|error| format!("the checkpoint did not get to its collector: {error}"))
}
