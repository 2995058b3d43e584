//! `sallyport clean INPUT... --out DIR`: the headless batch.

use crate::places;
use clap::builder::{OsStringValueParser, TypedValueParser};
use jail::Launcher;
use model::{Outcome, ReportLine, shown};
use signal_hook::consts::{SIGINT, SIGTERM};
use station::{
    Address, Destination, Ended, Ledger, Listed, LoadedPolicy, Outbox, Passwords, Progress, Quarantine, Recovered,
    Report, Run, Settings, Station, StationError, Visit,
};
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

/// Files and folders in, cleaned files out.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Files and folders to clean. The tree is kept under the outbox; links are not followed.
    #[arg(required_unless_present = "medium", conflicts_with = "medium", value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Clean what is on this block device, or in this image of one, without mounting it. May be said several times.
    #[arg(long, value_name = "PATH")]
    medium: Vec<PathBuf>,
    /// The outbox, where only rebuilt, verified and scanned files appear: a folder, `sftp://user@host[:port]/path`, or
    /// `smb://[domain;]user@host[:port]/share[/path]`; the policy's `[share]` says how to sign in.
    #[arg(long, value_name = "SHARE", value_parser = OsStringValueParser::new().try_map(|text| Address::of(&text)))]
    out: Address,
    /// Write the report here, one JSON object a line and input.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The zone's policy (TOML). Without one, all that can be rebuilt is, and the rest is blocked.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Open what is encrypted with the passwords in this file, one a line; `-` reads them from standard input. They are
    /// tried before those of the policy. A file must be readable by its owner alone.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Keep the originals of withheld files here, encrypted to the policy's recipients.
    #[arg(long, value_name = "DIR")]
    quarantine: Option<PathBuf>,
    /// The signature store, whose set is in force beside the built-in rules [default: the person's, root's or the
    /// service's, where there is one].
    #[arg(long, value_name = "DIR")]
    signatures: Option<PathBuf>,
    /// Keep what engines said here between runs, and do not ask again about the same bytes, rules, policy and program.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// How many files to work on side by side [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// The station's own folder: its key and its journal [default: sallyport in the XDG state folder].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Who brings the files, for the record.
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Who approves, where the zone asks for two.
    #[arg(long, value_name = "NAME")]
    approver: Option<String>,
    /// Why: purpose or work order, for the record.
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// How long the record is to be kept: a class that `sallyport audit prune --class` names [default: standard].
    #[arg(long, value_name = "CLASS")]
    retention: Option<String>,
    /// Put a receipt of the session on the share: HTML and PDF, signed. `sallyport audit receipt` makes one later.
    #[arg(long)]
    receipt: bool,
    /// Print the report to standard output, and nothing else.
    #[arg(long)]
    json: bool,
    /// Rebuild also what is our own dialect already (to measure and to test; off, such files pass as they are).
    #[arg(long, hide = true)]
    no_fixed_point: bool,
}

/// Runs it; the exit status is that of the contract.
pub fn run(arguments: &Arguments) -> ExitCode {
    let stop = Arc::new(AtomicBool::new(false));
    let signal = Arc::new(AtomicUsize::new(0));
    if let Err(error) = watch_signals(&stop, &signal) {
        tell!("sallyport: signals cannot be caught: {error}");
        return ExitCode::from(3);
    }
    match clean(arguments, &stop) {
        Err(error) => {
            tell!("sallyport: {error}");
            ExitCode::from(error.exit_status())
        }
        Ok(run) => exit_status(&run, signal.load(Ordering::Relaxed)),
    }
}

/// The first signal lets the files in work end; the second one ends at once (no file has a partial one's name).
fn watch_signals(stop: &Arc<AtomicBool>, signal: &Arc<AtomicUsize>) -> std::io::Result<()> {
    for (number, status) in [(SIGINT, 130), (SIGTERM, 143)] {
        signal_hook::flag::register_conditional_shutdown(number, status, Arc::clone(stop))?;
        signal_hook::flag::register_usize(number, Arc::clone(signal), usize::try_from(status).unwrap_or(0))?;
        signal_hook::flag::register(number, Arc::clone(stop))?;
    }
    Ok(())
}

pub(crate) fn exit_status(run: &Run, signal: usize) -> ExitCode {
    let summary = run.summary();
    ExitCode::from(match signal {
        0 if summary.station_faults > 0 => 3,
        0 if summary.released == summary.inputs => 0,
        0 => 1,
        caught => u8::try_from(caught).unwrap_or(130),
    })
}

fn clean(arguments: &Arguments, stop: &AtomicBool) -> Result<Run, StationError> {
    let policy = match &arguments.policy {
        Some(path) => station::load_policy(path)?,
        None => station::standard_policy(),
    };
    let passwords = arguments.password_file.as_deref().map(passwords).transpose()?.unwrap_or_default();
    let media = arguments.medium.iter().map(|path| super::medium::list(path, &policy));
    let media: Vec<Listed> = media.collect::<Result<_, _>>()?;
    let entries = match media.as_slice() {
        [] => station::inputs::collect(&arguments.inputs)?,
        media => station::inputs::collect_media(media)?,
    };
    if let Some(folder) = arguments.out.folder() {
        station::inputs::refuse_overlap(&arguments.inputs, folder)?;
    }
    let ledger = Ledger::open(&arguments.state.clone().unwrap_or_else(state_home))?;
    let station = start(arguments, policy.clone())?;
    let mut session = station.session()?;
    session.hand_over(passwords);
    let outbox = open_outbox(&arguments.out, &policy)?;
    let quarantine = arguments.quarantine.as_deref().map(|path| Quarantine::open(path, &policy, &ledger));
    let quarantine = quarantine.transpose()?;
    let report = match (&arguments.report, arguments.json) {
        (Some(path), _) => Some(open_report(path)?),
        (None, true) => None,
        (None, false) => Some(open_report(&default_report())?),
    };
    let people = !arguments.json;
    if people && report.as_ref().is_some_and(Report::resumed) {
        tell!("sallyport: an earlier run on this report did not end; carrying on");
    }
    let warned = session.warnings();
    warn(&warned, people);
    if let Some(warning) = quarantine.as_ref().and_then(Quarantine::warning) {
        warn(&[warning.to_owned()], people);
    }
    for recovered in ledger.recover(&policy.policy.share)?.iter().filter(|_| people) {
        tell!("sallyport: {}", in_words(recovered));
    }
    let log = ledger.begin(&visit(arguments, &media), &policy, station.rule_dates().into_iter().collect(), &outbox)?;
    let progress = Bar { shown: people && std::io::stderr().is_terminal() };
    let to = Destination { outbox: &outbox, quarantine: quarantine.as_ref(), report: report.as_ref(), log: Some(&log) };
    let run = session.run(&entries, &to, &progress, stop);
    progress.clear();
    let later: Vec<String> = session.warnings().into_iter().filter(|warning| !warned.contains(warning)).collect();
    warn(&later, people);
    // The report is written whatever becomes of the manifest: a session that cannot be closed is closed by the next start.
    let ended = log.end(&run, &outbox);
    if let Some(why) = ended.as_ref().ok().and_then(|ended| ended.unsent.as_ref()).filter(|_| people) {
        tell!("sallyport: warning: the checkpoint did not get to its collector: {why}; the next one says the same");
    }
    let report_path = report.as_ref().map(|report| report.path().to_owned());
    if let Some(report) = report {
        let path = report.path().to_owned();
        report.finish(&run.lines).map_err(|source| StationError::Place { what: "report", path, source })?;
    }
    let printed = if arguments.json {
        print_json(&run)
    } else {
        print_summary(&run, &arguments.out, report_path.as_deref(), ended.as_ref().ok())
    };
    match printed {
        // Whoever reads our output may close it early: that is no fault of the station.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(StationError::Place { what: "standard output", path: PathBuf::from("-"), source: error })
        }
        Ok(()) | Err(_) => ended.map(|_| run),
    }
}

fn passwords(path: &Path) -> Result<Passwords, StationError> {
    if path != Path::new("-") {
        return station::read_passwords(path);
    }
    let refuse = |message: String| StationError::Passwords { path: path.to_owned(), message };
    // Its own descriptor, since the buffer of the standard library is never wiped.
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().map_err(|error| refuse(error.to_string()))?;
    station::passwords_from(std::fs::File::from(stdin)).map_err(refuse)
}

fn start(arguments: &Arguments, policy: LoadedPolicy) -> Result<Station, StationError> {
    let usual = settings(policy, arguments.jobs, arguments.signatures.clone())?;
    let (fixed_point, cache) = (!arguments.no_fixed_point, arguments.cache.clone());
    Station::start(Settings { fixed_point, cache, ..usual })
}

/// A station as a person starts one from the command line.
pub(crate) fn settings(
    policy: LoadedPolicy,
    jobs: Option<u16>,
    signatures: Option<PathBuf>,
) -> Result<Settings, StationError> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Ok(Settings {
        policy,
        jobs: jobs.map_or(cores, usize::from),
        spool: places::cache_home().join("sallyport"),
        fixed_point: true,
        launcher: Launcher::of_this_program().map_err(|error| StationError::Jail(error.to_string()))?,
        cache: None,
        now: SystemTime::now(),
        signatures: places::signature_store_or(signatures),
    })
}

fn warn(warnings: &[String], people: bool) {
    for warning in warnings.iter().filter(|_| people) {
        tell!("sallyport: warning: {}", shown(warning));
    }
}

fn visit(arguments: &Arguments, media: &[Listed]) -> Visit {
    let inputs: Vec<String> = arguments.inputs.iter().map(|input| input.display().to_string()).collect();
    let medium = match media {
        [] => serde_json::json!({ "kind": "folder", "paths": inputs }),
        [medium] => medium.record(),
        several => serde_json::json!({ "media": several.iter().map(Listed::record).collect::<Vec<_>>() }),
    };
    Visit {
        operator: arguments.operator.clone(),
        approver: arguments.approver.clone(),
        purpose: arguments.purpose.clone(),
        medium: Some(medium),
        retention: arguments.retention.clone(),
        receipt: arguments.receipt,
    }
}

pub(crate) fn in_words(recovered: &Recovered) -> String {
    match &recovered.left {
        Some(why) => format!("an earlier session, {}, stays open: {why}", recovered.session),
        None => format!(
            "an earlier session, {}, did not end: {} of its files had been released, {} were not judged",
            recovered.session, recovered.released, recovered.failed
        ),
    }
}

fn open_report(path: &Path) -> Result<Report, StationError> {
    Report::open(path).map_err(|source| StationError::Place { what: "report", path: path.to_owned(), source })
}

/// Without `--report` the last report still lies where a person can find it (XDG base directories).
fn default_report() -> PathBuf {
    state_home().join("last-report.jsonl")
}

pub(crate) fn state_home() -> PathBuf {
    places::state_home().join("sallyport")
}

/// Progress for a person, on a terminal only.
struct Bar {
    shown: bool,
}

impl Progress for Bar {
    fn finished(&self, done: usize, total: usize, line: &ReportLine) {
        if self.shown {
            let name: String = line.input.chars().filter(|c| !c.is_control()).take(60).collect();
            tell_here!("\r\x1b[K{done}/{total} {name}");
        }
    }
}

impl Bar {
    fn clear(&self) {
        if self.shown {
            tell_here!("\r\x1b[K");
        }
    }
}

pub(crate) fn print_json(run: &Run) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in &run.lines {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

pub(crate) fn open_outbox(address: &Address, policy: &LoadedPolicy) -> Result<Outbox, StationError> {
    Outbox::at(address, &policy.policy.share).map_err(|error| StationError::outbox(address.to_string(), &error))
}

/// In this order: what may be taken, what was changed in it, what was held and why.
pub(crate) fn print_summary(
    run: &Run,
    outbox: &Address,
    report: Option<&Path>,
    ended: Option<&Ended>,
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let summary = run.summary();
    let withheld = summary.blocked.saturating_add(summary.failed);
    writeln!(out, "{} of {} files may be taken from {outbox}", summary.released, summary.inputs)?;
    for line in run.lines.iter().filter(|line| line.verdict == Outcome::Released) {
        if let Some(output) = &line.output {
            writeln!(out, "  \u{2713} {}{}", shown(&output.path), changes(line))?;
        }
    }
    if withheld > 0 {
        writeln!(out, "{withheld} held back:")?;
    }
    for line in run.lines.iter().filter(|line| line.verdict != Outcome::Released) {
        let why = line.reason.as_ref().map_or("", |reason| &reason.text);
        writeln!(out, "  \u{2717} {}: {}", shown(&line.input), shown(why))?;
    }
    if let Some(report) = report {
        writeln!(out, "Report: {}", report.display())?;
    }
    if let Some(manifest) = ended.and_then(|ended| ended.manifest.as_ref()) {
        writeln!(out, "Manifest: {}", outbox.join(manifest))?;
    }
    match ended.map(|ended| (&ended.session, &ended.receipt)) {
        Some((_, Some(receipt))) => writeln!(out, "Receipt: {}", outbox.join(receipt))?,
        Some((session, None)) => writeln!(out, "Session: {session}")?,
        None => {}
    }
    out.flush()
}

/// What was taken out of a released file, in a few words.
fn changes(line: &ReportLine) -> String {
    let named = |finding: &model::Finding| match finding.action {
        model::FindingAction::Removed | model::FindingAction::Neutralised => Some(finding.construct.clone()),
        model::FindingAction::ReEncoded | model::FindingAction::Kept | model::FindingAction::Blocked => None,
    };
    let mut seen: Vec<String> = Vec::new();
    for construct in line.findings.iter().filter_map(named) {
        let short = short(&shown(&construct));
        if !seen.contains(&short) {
            seen.push(short);
        }
    }
    let held = line.children.iter().filter(|child| child.verdict != Outcome::Released).count();
    if held > 0 {
        seen.push(format!("{held} of {} members held back", line.children.len()));
    }
    match seen.len() {
        0 => String::new(),
        1..=3 => format!("  (taken out: {})", seen.join("; ")),
        more => format!(
            "  (taken out: {}; and {} more)",
            seen.get(..3).unwrap_or_default().join("; "),
            more.saturating_sub(3)
        ),
    }
}

/// A construct's words up to where the catalogue begins to list variants.
fn short(construct: &str) -> String {
    let end = construct.char_indices().find(|(at, c)| *at > 12 && matches!(c, '(' | ',' | ';'));
    let clause = end.and_then(|(at, _)| construct.get(..at)).unwrap_or(construct);
    clause.trim().chars().take(70).collect()
}
