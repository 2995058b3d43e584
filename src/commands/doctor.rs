//! `sallyport doctor`: may this station be trusted now? Starts everything that a session needs, sends the canaries
//! through the lane, and says in a line each what is well and what is not.

use crate::commands::clean::{settings, state_home};
use crate::places;
use clap::builder::{OsStringValueParser, TypedValueParser};
use model::{Stale, time};
use serde_json::json;
use station::{Address, EngineHealth, Ledger, LoadedPolicy, Outbox, State, Station, StationError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

/// Ours: what a session of a full stick may need beside the share.
const LEAST_FREE_BYTES: u64 = 1 << 30;

/// Check the station: sandbox, engines, rules, canaries, journal, share, disk, clock.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The zone's policy (TOML).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The signature store [default: the station's own, where there is one].
    #[arg(long, value_name = "DIR")]
    signatures: Option<PathBuf>,
    /// The station's own folder [default: sallyport in the XDG state folder].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// An outbound share to look at, too.
    #[arg(long, value_name = "SHARE", value_parser = OsStringValueParser::new().try_map(|text| Address::of(&text)))]
    out: Option<Address>,
    /// Print one JSON object instead of words.
    #[arg(long)]
    json: bool,
}

/// How a thing is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Well,
    /// Works, and a person should look at it.
    Note,
    /// Policy says no: exit status 1.
    Refused,
    /// The station is out of order: exit status 3.
    Broken,
}

impl Grade {
    const fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Note => "note",
            Self::Refused => "refused",
            Self::Broken => "broken",
        }
    }

    const fn mark(self) -> char {
        match self {
            Self::Well => '\u{2713}',
            Self::Note => '!',
            Self::Refused | Self::Broken => '\u{2717}',
        }
    }
}

struct Row {
    what: String,
    grade: Grade,
    text: String,
}

fn row(what: &str, grade: Grade, text: impl Into<String>) -> Row {
    Row { what: what.to_owned(), grade, text: text.into() }
}

/// Runs it: 0 all is well, 1 policy says no, 2 usage, 3 the station is out of order.
pub fn run(arguments: &Arguments) -> ExitCode {
    let policy = match &arguments.policy {
        Some(path) => station::load_policy(path),
        None => Ok(station::standard_policy()),
    };
    let policy = match policy {
        Ok(policy) => policy,
        Err(error) => {
            tell!("sallyport: {error}");
            return ExitCode::from(error.exit_status());
        }
    };
    let mut rows = vec![row("policy", Grade::Well, format!("zone {}, {}", policy.policy.zone, policy.digest))];
    let spool = places::cache_home().join("sallyport");
    match settings(policy.clone(), None, arguments.signatures.clone()).and_then(Station::start) {
        Ok(station) => examine(&station, &policy, &mut rows),
        Err(error) => rows.push(row("station", grade_of(&error), error.to_string())),
    }
    let state = arguments.state.clone().unwrap_or_else(state_home);
    rows.extend(journal(&state));
    rows.extend(arguments.out.as_ref().map(|out| share(out, &policy)));
    rows.extend([("spool", spool.as_path()), ("state", &state)].map(|(what, path)| disk(what, path)));
    let worst = rows.iter().map(|row| row.grade).max().unwrap_or(Grade::Broken);
    // Whoever reads our output may close it early; what was found stands in the status.
    let _ = if arguments.json { print_json(&rows, worst) } else { print_words(&rows, worst) };
    ExitCode::from(match worst {
        Grade::Well | Grade::Note => 0,
        Grade::Refused => 1,
        Grade::Broken => 3,
    })
}

fn grade_of(error: &StationError) -> Grade {
    match error.exit_status() {
        1 | 2 => Grade::Refused,
        _ => Grade::Broken,
    }
}

fn examine(station: &Station, policy: &LoadedPolicy, rows: &mut Vec<Row>) {
    rows.push(row("sandbox", Grade::Well, format!("Landlock ABI {}, seccomp, no network", station.landlock_abi())));
    match station.canaries() {
        Ok(results) => {
            for result in results {
                let (grade, text) = match result.missed {
                    None => (Grade::Well, "as it must be".to_owned()),
                    Some(why) => (Grade::Broken, why),
                };
                rows.push(row(&format!("canary {}", result.name), grade, text));
            }
        }
        Err(error) => rows.push(row("canaries", Grade::Broken, error.to_string())),
    }
    rows.extend(station.hold().map(|why| row("signatures", Grade::Refused, why.text)));
    rows.extend(station.warnings().into_iter().map(|why| row("signatures", Grade::Note, why)));
    // After the canaries, so that each engine has been asked something.
    rows.extend(station.health().iter().map(|health| engine(health, policy)));
    let now = now();
    let ahead = station.rule_dates().into_iter().find(|(_, date)| date.as_str() > &*time::format(now));
    rows.push(match ahead {
        None => row("clock", Grade::Well, time::format(now)),
        Some((engine, date)) => row("clock", Grade::Note, format!("behind the rules of {engine}, which are of {date}")),
    });
}

fn engine(health: &EngineHealth, policy: &LoadedPolicy) -> Row {
    let required = policy.policy.engines.required.contains(&health.engine);
    let missing = if required { Grade::Broken } else { Grade::Note };
    let state = match health.state {
        State::Ready => Grade::Well,
        State::Starting | State::Degraded | State::Down => missing,
    };
    let old = health.state == State::Ready
        && health.tells_age
        && time::age_days(&health.rules_date, now()) > u64::from(policy.policy.engines.max_rule_age);
    let age = match (old, policy.policy.engines.stale) {
        (false, _) => Grade::Well,
        (true, Stale::Warn) => Grade::Note,
        (true, Stale::Hold | Stale::Stop) => Grade::Refused,
    };
    let word = match health.state {
        State::Ready => "ready",
        State::Starting => "not asked yet",
        State::Degraded => "degraded",
        State::Down => "not there",
    };
    let mut text = word.to_owned();
    if !health.version.is_empty() {
        text.push_str(&format!(", version {}, rules {} of {}", health.version, health.rules_id, health.rules_date));
    }
    if old {
        text.push_str(&format!("; the policy allows {} days: update them", policy.policy.engines.max_rule_age));
    }
    if let Some(why) = &health.reason {
        text.push_str(&format!("; {why}"));
    }
    row(&format!("engine {}", health.engine), state.max(age), text)
}

fn now() -> u64 {
    time::seconds(SystemTime::now())
}

fn journal(state: &Path) -> Vec<Row> {
    let ledger = match Ledger::open(state) {
        Ok(ledger) => ledger,
        Err(error) => return vec![row("journal", Grade::Broken, error.to_string())],
    };
    let journal = ledger.journal();
    let open = match journal.open_sessions() {
        Ok(open) => open,
        Err(error) => return vec![row("journal", Grade::Broken, error.to_string())],
    };
    let words = format!("station {}, key {}", ledger.name(), journal.key().public().id());
    let mut rows = vec![row("journal", Grade::Well, words)];
    if !open.is_empty() {
        let text =
            format!("{} did not end; the next `sallyport clean` ends what no other station holds", open.join(", "));
        rows.push(row("sessions", Grade::Note, text));
    }
    match journal.latest_time() {
        Ok(Some(latest)) => {
            if latest > time::format(now()) {
                rows.push(row("clock", Grade::Note, format!("behind the journal, whose last record is of {latest}")));
            }
        }
        Ok(None) => {}
        Err(error) => rows.push(row("journal", Grade::Broken, error.to_string())),
    }
    rows
}

fn share(address: &Address, policy: &LoadedPolicy) -> Row {
    match Outbox::at(address, &policy.policy.share) {
        Ok(outbox) => row("share", Grade::Well, format!("{address} can be written ({:?})", outbox.naming())),
        Err(error) => row("share", Grade::Broken, format!("{address}: {error}")),
    }
}

fn disk(what: &str, path: &Path) -> Row {
    let what = format!("disk of the {what}");
    match rustix::fs::statvfs(path) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let grade = if free < LEAST_FREE_BYTES { Grade::Note } else { Grade::Well };
            row(&what, grade, format!("{} MiB free", free >> 20))
        }
        Err(error) => row(&what, Grade::Note, format!("{}: {error}", path.display())),
    }
}

fn print_words(rows: &[Row], worst: Grade) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for Row { what, grade, text } in rows {
        writeln!(out, "  {} {what}: {text}", grade.mark())?;
    }
    let verdict = match worst {
        Grade::Well => "the station is well",
        Grade::Note => "the station works; look at what is marked",
        Grade::Refused => "policy keeps the station from working",
        Grade::Broken => "the station is OUT OF SERVICE",
    };
    writeln!(out, "{verdict}")
}

fn print_json(rows: &[Row], worst: Grade) -> std::io::Result<()> {
    let checks: Vec<_> =
        rows.iter().map(|row| json!({ "what": row.what, "state": row.grade.word(), "text": row.text })).collect();
    writeln!(std::io::stdout().lock(), "{}", json!({ "state": worst.word(), "checks": checks }))
}
