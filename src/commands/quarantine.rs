//! `sallyport quarantine …`: what is held, who asks for it, who agrees, and how it leaves.

mod show;

use crate::commands::clean::{self, state_home};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Subcommand};
use evidence::StationKey;
use evidence::sshsig::{self, Purpose};
use model::shown as plain;
use station::quarantine::{Action, Identities, Quarantine, QuarantineError, Reclean, Wanted, keygen};
use station::{Address, Destination, Ledger, LoadedPolicy, Run, Station, StationError, Visit};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Ours: a key, a signature or a statement is no longer.
const MOST_FILE_BYTES: u64 = 64 << 10;

/// Look at what is held, and let it out with the consent of those who may give it.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The quarantine [default: quarantine in the station's own folder].
    #[arg(long, value_name = "DIR", global = true)]
    quarantine: Option<PathBuf>,
    /// The zone's policy (TOML): who may approve, for how long things are kept.
    #[arg(long, value_name = "FILE", global = true)]
    policy: Option<PathBuf>,
    /// The station's own folder: its key and its journal [default: sallyport in the XDG state folder].
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what is held, oldest first. Exit status 1 where an item is damaged.
    List(show::List),
    /// Show an item, whether it is whole, its history and its requests.
    Show(show::Show),
    /// Ask for an item. Prints the text that those who approve sign.
    Request {
        /// The item's id, or how it begins.
        item: String,
        /// Why, for those who approve and for the record.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Who asks [default: the login name].
        #[arg(long = "as", value_name = "NAME")]
        by: Option<String>,
        /// Ask for the original as it is, not for a cleaned copy. Always takes two who approve.
        #[arg(long)]
        original: bool,
        /// Hours until the request expires [default, and at most: what policy says].
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        hours: Option<u32>,
        /// Write the text to be signed here.
        #[arg(long, value_name = "FILE")]
        statement: Option<PathBuf>,
    },
    /// Approve a request: with a key at hand, or with a signature made elsewhere.
    Approve {
        /// The request's id, or that of the item where one request for it is open.
        request: String,
        /// A private Ed25519 key without password (OpenSSH or PKCS #8).
        #[arg(long, value_name = "FILE", required_unless_present = "signature")]
        key: Option<PathBuf>,
        /// What `ssh-keygen -Y sign -n sallyport-approval` made of the request's text.
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        signature: Option<PathBuf>,
        /// Who approves; refused where the key is another person's.
        #[arg(long = "as", value_name = "NAME")]
        by: Option<String>,
    },
    /// Clean an item again and release the rebuilt copy, once enough have approved.
    Release {
        /// The item's id, or how it begins.
        item: String,
        /// The security team's age identity.
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
        /// The outbox.
        #[arg(long, value_name = "SHARE", value_parser = OsStringValueParser::new().try_map(|text| Address::of(&text)))]
        out: Address,
        /// Release the original as it came in: two must have approved that, and engines must find nothing.
        #[arg(long)]
        original: bool,
        /// Who releases, for the record.
        #[arg(long, value_name = "NAME")]
        operator: Option<String>,
        /// The signature store.
        #[arg(long, value_name = "DIR")]
        signatures: Option<PathBuf>,
        /// Put a receipt of the session on the share.
        #[arg(long)]
        receipt: bool,
        /// Print the report to standard output, and nothing else.
        #[arg(long)]
        json: bool,
    },
    /// Clean items again under the rules and the policy of today and say which would pass; nothing is released.
    Reclean {
        /// Ids [default: all].
        items: Vec<String>,
        /// The security team's age identity.
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
        /// The signature store.
        #[arg(long, value_name = "DIR")]
        signatures: Option<PathBuf>,
        /// Print one JSON object an item.
        #[arg(long)]
        json: bool,
    },
    /// Delete items; each leaves a record and a tombstone.
    Purge {
        /// Ids of items that go whatever their age.
        #[arg(required_unless_present = "expired")]
        items: Vec<String>,
        /// What is older than the policy's retention, and not asked for.
        #[arg(long, conflicts_with = "items")]
        expired: bool,
        /// Why, for the record.
        #[arg(long, value_name = "TEXT", required_unless_present = "expired")]
        reason: Option<String>,
    },
    /// Hold quarantine and journal against each other, and read every item through. Exit status 1 where they disagree.
    Check,
    /// Make an age identity for the security team; the recipient for the policy is printed.
    Keygen {
        /// The file to write; keep it off the station.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Runs it; the exit status is that of the contract.
pub fn run(arguments: &Arguments) -> ExitCode {
    match dispatch(arguments) {
        Ok(status) => status,
        Err(error) => {
            tell!("sallyport: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}

fn dispatch(arguments: &Arguments) -> Result<ExitCode, StationError> {
    if let Command::Keygen { file } = &arguments.command {
        return make_key(file);
    }
    let policy = match &arguments.policy {
        Some(path) => station::load_policy(path)?,
        None => station::standard_policy(),
    };
    let state = arguments.state.clone().unwrap_or_else(state_home);
    let folder = arguments.quarantine.clone().unwrap_or_else(|| state.join("quarantine"));
    if !state.join("journal").is_dir() {
        let text = format!("there is no journal in {}; name the station's folder with --state", state.display());
        return Err(QuarantineError::Usage(text).into());
    }
    let ledger = Ledger::open(&state)?;
    let quarantine = Quarantine::existing(&folder, &policy, &ledger)?;
    let held = Held { quarantine: &quarantine, ledger: &ledger, policy: &policy };
    match &arguments.command {
        Command::List(list) => list.run(&quarantine),
        Command::Show(show) => show.run(&quarantine, &policy),
        Command::Request { item, reason, by, original, hours, statement } => {
            let action = if *original { Action::Original } else { Action::Rebuilt };
            let by = by.clone().or_else(login).ok_or_else(|| usage("say who asks with --as"))?;
            held.request(item, &Wanted { action, reason: reason.clone(), by, hours: *hours }, statement.as_deref())
        }
        Command::Approve { request, key, signature, by } => {
            held.approve(request, key.as_deref(), signature.as_deref(), by.as_deref())
        }
        Command::Release { item, identity, out, original, operator, signatures, receipt, json } => {
            let leaving = Leaving { item, identity, out, operator: operator.clone(), receipt: *receipt, json: *json };
            held.release(&leaving, *original, signatures.clone())
        }
        Command::Reclean { items, identity, signatures, json } => {
            held.reclean(items, identity, signatures.clone(), *json)
        }
        Command::Purge { items, expired, reason } => held.purge(items, *expired, reason.as_deref().unwrap_or_default()),
        Command::Check => check(&quarantine),
        Command::Keygen { .. } => Ok(ExitCode::SUCCESS),
    }
}

fn usage(text: &str) -> StationError {
    QuarantineError::Usage(text.to_owned()).into()
}

fn login() -> Option<String> {
    ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
}

/// A small file that a person named.
fn read(path: &Path) -> Result<String, StationError> {
    let mut text = String::new();
    let file = std::fs::File::open(path).and_then(|file| file.take(MOST_FILE_BYTES).read_to_string(&mut text));
    file.map_err(|error| usage(&format!("{} cannot be read: {error}", path.display())))?;
    Ok(text)
}

/// A new file; one that is there already is not written over.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), StationError> {
    let written = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| usage(&format!("{} cannot be written: {error}", path.display())))
}

fn make_key(file: &Path) -> Result<ExitCode, StationError> {
    let (identity, recipient) = keygen();
    write_new(file, &identity, 0o600)?;
    println!("{recipient}");
    tell!(
        "sallyport: keep {} off the station; put the line above into the policy: [quarantine] recipients = [\"…\"]",
        file.display()
    );
    Ok(ExitCode::SUCCESS)
}

fn check(quarantine: &Quarantine<'_>) -> Result<ExitCode, StationError> {
    let faults = quarantine.audit()?;
    for fault in &faults {
        println!("  \u{2717} {}", plain(fault));
    }
    println!(
        "{}",
        if faults.is_empty() { "quarantine and journal agree" } else { "quarantine and journal do NOT agree" }
    );
    Ok(ExitCode::from(u8::from(!faults.is_empty())))
}

/// What every act works on.
struct Held<'a> {
    quarantine: &'a Quarantine<'a>,
    ledger: &'a Ledger,
    policy: &'a LoadedPolicy,
}

struct Leaving<'a> {
    item: &'a str,
    identity: &'a Path,
    out: &'a Address,
    operator: Option<String>,
    receipt: bool,
    json: bool,
}

impl Held<'_> {
    fn request(&self, item: &str, wanted: &Wanted, statement: Option<&Path>) -> Result<ExitCode, StationError> {
        let item = self.quarantine.find(item)?;
        self.quarantine.check(&item)?;
        let request = self.quarantine.request(&item, wanted)?;
        if let Some(path) = statement {
            write_new(path, &request.statement(), 0o644)?;
        }
        println!("request {} until {}; what is to be signed:\n", request.id, request.expires);
        print!("{}", plain_lines(&request.statement()));
        Ok(ExitCode::SUCCESS)
    }

    fn approve(
        &self,
        request: &str,
        key: Option<&Path>,
        signature: Option<&Path>,
        by: Option<&str>,
    ) -> Result<ExitCode, StationError> {
        let signature = match (key, signature) {
            (Some(key), _) => {
                let text = self.quarantine.find_request(request)?.statement();
                let key = StationKey::read(&read(key)?).map_err(|error| usage(&error.to_string()))?;
                sshsig::sign(&key, Purpose::Approval, text.as_bytes())
            }
            (None, Some(signature)) => read(signature)?,
            (None, None) => return Err(usage("give --key or --signature")),
        };
        let approved = self.quarantine.approve(request, &signature, by)?;
        let now = if approved.have >= approved.need { "it may be released" } else { "another person must approve" };
        println!("request {}: {} of {} approvals; {now}", approved.request, approved.have, approved.need);
        Ok(ExitCode::SUCCESS)
    }

    fn release(
        &self,
        leaving: &Leaving<'_>,
        original: bool,
        signatures: Option<PathBuf>,
    ) -> Result<ExitCode, StationError> {
        let action = if original { Action::Original } else { Action::Rebuilt };
        let item = self.quarantine.find(leaving.item)?;
        let granted = self.quarantine.granted(&item, action)?;
        let request = granted.request();
        let identities = Identities::read(leaving.identity)?;
        let station = Station::start(clean::settings(self.policy.clone(), None, signatures)?)?;
        let session = station.session()?;
        let outbox = clean::open_outbox(leaving.out, self.policy)?;
        let visit = Visit {
            operator: leaving.operator.clone().or_else(login),
            approver: request.approved_by(&self.policy.policy.quarantine).into_iter().next(),
            purpose: Some(request.reason.clone()),
            medium: Some(serde_json::json!({ "kind": "quarantine", "item": item.item, "request": request.id })),
            retention: None,
            receipt: leaving.receipt,
        };
        let rules = station.rule_dates().into_iter().collect();
        for recovered in self.ledger.recover(&self.policy.policy.share)?.iter().filter(|_| !leaving.json) {
            tell!("sallyport: {}", clean::in_words(recovered));
        }
        let log = self.ledger.begin(&visit, self.policy, rules, &outbox)?;
        let to = Destination { outbox: &outbox, quarantine: None, report: None, log: Some(&log) };
        let released = if original {
            self.quarantine.release_original(&item, &identities, &session, &to, &log)
        } else {
            self.quarantine.release(&item, &identities, &session, &to, &log)
        };
        let run = match released {
            Ok(released) => released.run,
            Err(error) => {
                // The session that was begun ends, with nothing in it.
                log.end(&Run { lines: Vec::new() }, &outbox)?;
                return Err(error.into());
            }
        };
        let ended = log.end(&run, &outbox);
        let printed = if leaving.json {
            clean::print_json(&run)
        } else {
            clean::print_summary(&run, leaving.out, None, ended.as_ref().ok())
        };
        // Whoever reads our output may close it early.
        let _ = printed;
        ended.map(|_| clean::exit_status(&run, 0))
    }

    fn reclean(
        &self,
        ids: &[String],
        identity: &Path,
        signatures: Option<PathBuf>,
        json: bool,
    ) -> Result<ExitCode, StationError> {
        let listing = self.quarantine.list()?;
        let items = match ids {
            [] => listing.items,
            ids => ids.iter().map(|id| self.quarantine.find(id)).collect::<Result<_, _>>()?,
        };
        let identities = Identities::read(identity)?;
        let station = Station::start(clean::settings(self.policy.clone(), None, signatures)?)?;
        let session = station.session()?;
        let mut out = std::io::stdout().lock();
        let mut held = 0usize;
        self.quarantine.reclean(&items, &identities, &session, &mut |item, reclean| {
            held = held.saturating_add(usize::from(!reclean.passes()));
            // Whoever reads our output may close it early.
            let _ =
                if json { show::recleaned_json(&mut out, reclean) } else { show::recleaned(&mut out, item, reclean) };
        })?;
        for damaged in listing.damaged.iter().filter(|_| ids.is_empty()) {
            tell!("sallyport: {damaged}");
            held = held.saturating_add(1);
        }
        Ok(ExitCode::from(u8::from(held > 0)))
    }

    fn purge(&self, ids: &[String], expired: bool, why: &str) -> Result<ExitCode, StationError> {
        if expired {
            let gone = self.quarantine.purge_expired()?;
            gone.iter().for_each(|gone| println!("{} is purged ({} bytes)", gone.item, gone.size));
            println!("{} items were older than {} days", gone.len(), self.policy.policy.quarantine.retention);
            return Ok(ExitCode::SUCCESS);
        }
        if why.trim().is_empty() {
            return Err(usage("say why with --reason"));
        }
        for id in ids {
            let gone = self.quarantine.purge(id, why)?;
            println!("{} is purged ({} bytes)", gone.item, gone.size);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// As it is but for what a terminal would obey.
fn plain_lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", plain(line))).collect()
}

/// Whether an item would pass today.
trait Passes {
    fn passes(&self) -> bool;
}

impl Passes for Reclean {
    fn passes(&self) -> bool {
        self.line.as_ref().is_ok_and(|line| line.verdict == model::Outcome::Released)
    }
}
