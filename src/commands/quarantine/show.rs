//! What a person sees of the quarantine.

use super::{Passes, plain_lines};
use clap::Args;
use model::shown as plain;
use serde_json::{Value, json};
use station::quarantine::{Item, Quarantine, QuarantineError, Reclean, Request};
use station::{LoadedPolicy, StationError};
use std::io::Write;
use std::process::ExitCode;

/// Which items.
#[derive(Debug, Args)]
pub struct List {
    /// Only with this reason: detection, encrypted, …
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Only of this session.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only what has this in its name.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Only what was kept at this time or later, like 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Print one JSON object an item.
    #[arg(long)]
    json: bool,
}

/// One item.
#[derive(Debug, Args)]
pub struct Show {
    /// The item's id, or how it begins.
    item: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

fn code(item: &Item) -> String {
    match serde_json::to_value(item.reason.code) {
        Ok(Value::String(code)) => code,
        Ok(_) | Err(_) => String::new(),
    }
}

/// Whoever reads our output may close it early.
fn told(written: std::io::Result<()>) -> Result<(), StationError> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(StationError::Place { what: "standard output", path: "-".into(), source: error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

impl List {
    /// Lists them.
    pub fn run(&self, quarantine: &Quarantine<'_>) -> Result<ExitCode, StationError> {
        let listing = quarantine.list()?;
        let fits = |item: &&Item| {
            self.reason.as_ref().is_none_or(|reason| *reason == code(item))
                && self.session.as_ref().is_none_or(|session| *session == item.session)
                && self.name.as_ref().is_none_or(|name| item.name.contains(name.as_str()))
                && self.since.as_ref().is_none_or(|since| item.kept >= *since)
        };
        let mut out = std::io::stdout().lock();
        for item in listing.items.iter().filter(fits) {
            let mut row = || -> std::io::Result<()> {
                if self.json {
                    return writeln!(out, "{}", serde_json::to_value(item)?);
                }
                let name = plain(&item.name);
                writeln!(out, "{}  {}  {:>12}  {:<16}  {name}", item.item, item.kept, item.size, code(item))
            };
            told(row())?;
        }
        for damaged in &listing.damaged {
            tell!("sallyport: {damaged}");
        }
        Ok(ExitCode::from(u8::from(!listing.damaged.is_empty())))
    }
}

impl Show {
    /// Shows it.
    pub fn run(&self, quarantine: &Quarantine<'_>, policy: &LoadedPolicy) -> Result<ExitCode, StationError> {
        let item = quarantine.find(&self.item)?;
        let whole = quarantine.check(&item);
        let requests: Vec<Request> =
            quarantine.requests(item.sha256)?.into_iter().filter(|request| request.item == item.item).collect();
        let events = quarantine.events(item.sha256)?;
        if self.json {
            let request = |request: &Request| {
                let by = request.approved_by(&policy.policy.quarantine);
                json!({ "request": request.id, "action": request.action, "expires": request.expires, "zone": request.zone,
                    "used": request.used, "approvals": by.len(), "statement": request.statement() })
            };
            let event = |event: &station::quarantine::Event| json!({ "record": event.seq, "time": event.time, "event": event.event });
            let object = json!({
                "item": serde_json::to_value(&item).unwrap_or_default(),
                "whole": whole.is_ok(),
                "requests": requests.iter().map(request).collect::<Vec<_>>(),
                "events": events.iter().map(event).collect::<Vec<_>>(),
            });
            told(writeln!(std::io::stdout().lock(), "{object}"))?;
        } else {
            told(words(&item, &whole, &requests, policy))?;
        }
        Ok(ExitCode::from(u8::from(whole.is_err())))
    }
}

fn words(
    item: &Item,
    whole: &Result<(), QuarantineError>,
    requests: &[Request],
    policy: &LoadedPolicy,
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let state = whole.as_ref().err().map_or_else(|| "whole".to_owned(), ToString::to_string);
    let opens = if item.station_key { "this station's own key".to_owned() } else { item.recipients.join(", ") };
    let rows = [
        ("item", item.item.clone()),
        ("name", item.name.clone()),
        ("sha256", item.sha256.to_string()),
        ("bytes", item.size.to_string()),
        ("kept", item.kept.clone()),
        ("session", item.session.clone()),
        ("zone", item.zone.clone()),
        ("why", format!("{} ({})", item.reason.text, code(item))),
        ("findings", item.findings.join(", ")),
        ("detections", item.detections.join(", ")),
        ("can be opened by", opens),
        ("state", state),
    ];
    for (what, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "{what:<17} {}", plain(value))?;
    }
    for request in requests {
        let by = request.approved_by(&policy.policy.quarantine);
        let used = if request.used { ", used" } else { "" };
        writeln!(out, "\n{} approvals of this request hold{used}; what is signed:\n", by.len())?;
        write!(out, "{}", plain_lines(&request.statement()))?;
    }
    Ok(())
}

/// One line an item.
pub fn recleaned(out: &mut impl Write, item: &Item, reclean: &Reclean) -> std::io::Result<()> {
    let name = plain(&item.name);
    let why = match &reclean.line {
        Ok(line) => line.reason.as_ref().map(|reason| reason.text.clone()).unwrap_or_default(),
        Err(error) => error.to_string(),
    };
    if reclean.passes() {
        return writeln!(out, "  \u{2713} {} {name}: would pass now", reclean.item);
    }
    writeln!(out, "  \u{2717} {} {name}: {}", reclean.item, plain(&why))
}

/// One object an item.
pub fn recleaned_json(out: &mut impl Write, reclean: &Reclean) -> std::io::Result<()> {
    let (line, error) = match &reclean.line {
        Ok(line) => (serde_json::to_value(line)?, None),
        Err(error) => (Value::Null, Some(error.to_string())),
    };
    let object = json!({ "item": reclean.item, "passes": reclean.passes(), "line": line, "error": error });
    writeln!(out, "{object}")
}
