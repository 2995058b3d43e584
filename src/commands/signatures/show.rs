//! `status` and `list`: what a person or a monitor reads.

use super::now;
use model::time;
use serde::Serialize;
use signatures::Signatures;
use signatures::bundle::LeftOut;
use signatures::store::{Store, StoreError, StoredSet};
use std::path::{Path, PathBuf};

/// Which signatures are in force.
#[derive(Debug, clap::Args)]
pub struct StatusArguments {
    /// Print JSON, one object a line and set.
    #[arg(long)]
    json: bool,
    /// The zone's policy, which says how old rules may be [default: as without a policy].
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    sequence: Option<u64>,
    date: String,
    age_days: Option<u64>,
    rules: Option<u32>,
    licence: String,
    source: String,
    attribution: String,
    signers: Vec<String>,
    expires: Option<String>,
    state: &'static str,
    trouble: Option<String>,
    bundle: Option<model::Digest>,
    left_out: usize,
}

fn row(set: &StoredSet, state: &'static str, trouble: Option<String>, now: u64) -> Row {
    let manifest = &set.manifest;
    Row {
        id: manifest.id.clone(),
        sequence: Some(manifest.sequence),
        date: manifest.date.clone(),
        age_days: time::age(&manifest.date, now),
        rules: Some(manifest.rules),
        licence: manifest.licence.clone(),
        source: manifest.source.clone(),
        attribution: manifest.attribution.clone(),
        signers: set.signers.clone(),
        expires: manifest.expires.clone(),
        state,
        trouble,
        bundle: Some(set.bundle),
        left_out: manifest.left_out.len(),
    }
}

fn built_in(state: &'static str, now: u64) -> Result<Row, StoreError> {
    let own = Signatures::built_in().map_err(|error| StoreError::Usage(error.to_string()))?;
    let count: usize = own.rules.sources().iter().map(|source| signatures::split::rules(&source.text).len()).sum();
    Ok(Row {
        id: own.rules.id().to_owned(),
        sequence: None,
        date: own.rules.date().to_owned(),
        age_days: time::age(own.rules.date(), now),
        rules: u32::try_from(count).ok(),
        licence: "as this program".to_owned(),
        source: "built in".to_owned(),
        attribution: String::new(),
        signers: Vec::new(),
        expires: None,
        state,
        trouble: None,
        bundle: None,
        left_out: 0,
    })
}

/// Every set with its state; the built-in rules are always in force, beside the set where there is one.
fn rows(dir: &Path) -> Result<Vec<Row>, StoreError> {
    let store = match Store::open(dir) {
        Err(StoreError::Missing(_)) => return Ok(vec![built_in("in force", now())?]),
        other => other?,
    };
    let (trust, latest) = (store.trust()?, now().max(store.state()?.latest_time));
    let current = store.current()?;
    let mut rows = vec![built_in("in force", latest)?];
    for set in store.sets()?.iter().rev() {
        let trouble = set.trouble(&trust, latest).map(|why| why.to_string());
        let state = match &current {
            Some(current) if current.set == set.bundle => "in force",
            Some(current) if current.previous == Some(set.bundle) => "previous",
            Some(_) | None => "stored",
        };
        rows.push(row(set, state, trouble, latest));
    }
    // A set that is gone but should be in force is an error, not a missing row.
    store.in_force()?;
    Ok(rows)
}

/// `status`: 1 where what is in force is too old, expired, or signed by whom nobody trusts any more.
pub fn status(arguments: &StatusArguments, dir: &Path) -> Result<u8, StoreError> {
    let policy = match &arguments.policy {
        Some(path) => station::load_policy(path).map_err(|error| StoreError::Usage(error.to_string()))?,
        None => station::standard_policy(),
    };
    let most = u64::from(policy.policy.engines.max_rule_age);
    let rows: Vec<Row> = rows(dir)?.into_iter().filter(|row| row.state == "in force").collect();
    // Where a set is in force, the built-in rules stay under it and need not be young.
    let judged = rows.last();
    let stale = judged.is_some_and(|row| row.trouble.is_some() || row.age_days.is_none_or(|age| age > most));
    print(&rows, arguments.json);
    if stale && !arguments.json {
        let why = judged.and_then(|row| row.trouble.clone());
        let why = why.unwrap_or_else(|| format!("the rules are older than {most} days"));
        println!("stale: {why}; take in a newer bundle with 'signatures import'");
    }
    Ok(u8::from(stale))
}

/// `list`.
pub fn list(dir: &Path, json: bool) -> Result<u8, StoreError> {
    print(&rows(dir)?, json);
    Ok(0)
}

fn print(rows: &[Row], json: bool) {
    for row in rows {
        if json {
            println!("{}", serde_json::json!(row));
            continue;
        }
        let number = row.sequence.map_or_else(String::new, |number| format!(" number {number}"));
        let age = row.age_days.map_or_else(|| "unknown".to_owned(), |days| format!("{days} days"));
        let rules = row.rules.map_or_else(String::new, |rules| format!(", {rules} rules"));
        println!("{}{number}: {}, of {} (age {age}){rules}", row.id, row.state, row.date);
        let by = if row.signers.is_empty() { "nobody: built in".to_owned() } else { row.signers.join(", ") };
        println!("  signed by {by}; licence: {}", if row.licence.is_empty() { "not said" } else { &row.licence });
        if let Some(day) = &row.expires {
            println!("  expires on {day}");
        }
        if let Some(trouble) = &row.trouble {
            println!("  trouble: {trouble}");
        }
    }
}

/// Ours: what a person reads; the bundle has them all.
const MOST_SHOWN: usize = 20;

/// What was broken when the bundle was made.
pub fn left_out(all: &[LeftOut]) {
    if all.is_empty() {
        return;
    }
    println!("{} left out:", all.len());
    for one in all.iter().take(MOST_SHOWN) {
        let rule = one.rule.as_ref().map_or_else(String::new, |rule| format!(" {rule}"));
        let line: String = format!("  {}{rule}: {}", one.file, one.why).chars().filter(|c| !c.is_control()).collect();
        println!("{line}");
    }
    if let Some(more) = all.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
        println!("  and {more} more (all are listed in the bundle)");
    }
}
