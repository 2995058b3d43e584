//! What a receipt says, in order: what may be taken, what was changed in it, what was held and why, who looked, and
//! how to check all that.

use crate::{Manifest, Receipt};
use model::{Child, Finding, FindingAction, Outcome, ReportLine};

/// A piece of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Begins a part.
    Heading(String),
    /// Numbers that a person reads from a metre away.
    Tally(Vec<(Mark, usize, String)>),
    /// Labels and values.
    Facts(Vec<(String, String)>),
    /// One file.
    Entry(Entry),
    /// A sentence.
    Text(String),
    /// Lines that a program reads.
    Mono(String),
}

/// A sign that does not depend on colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// May be taken.
    Released,
    /// Was held.
    Held,
    /// Neither.
    Plain,
}

impl Mark {
    /// The sign.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Released => "\u{2713}",
            Self::Held => "\u{2717}",
            Self::Plain => "",
        }
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What became of it.
    pub mark: Mark,
    /// Its name.
    pub name: String,
    /// What there is to say.
    pub notes: Vec<String>,
    /// Digests.
    pub digests: Vec<String>,
}

/// Title of the page.
pub fn title(receipt: &Receipt) -> String {
    format!("Receipt of session {}", receipt.session)
}

/// Everything below the title.
pub fn blocks(receipt: &Receipt) -> Vec<Block> {
    let mut blocks = vec![tally(receipt)];
    if receipt.interrupted {
        let text =
            "This session was interrupted. What stands below was released and recorded before; nothing else was.";
        blocks.push(Block::Text(text.to_owned()));
    }
    blocks.push(Block::Facts(about(receipt)));
    let of = |released: bool| receipt.lines.iter().filter(move |line| (line.verdict == Outcome::Released) == released);
    if of(true).next().is_some() {
        blocks.push(Block::Heading("May be taken".to_owned()));
        blocks.extend(of(true).map(|line| Block::Entry(released(line))));
    }
    if of(false).next().is_some() {
        blocks.push(Block::Heading("Held back".to_owned()));
        let ask = receipt.contact.as_deref().unwrap_or("the security team of this site");
        blocks.push(Block::Text(format!("Ask {ask}; name the session above.")));
        blocks.extend(of(false).map(|line| Block::Entry(held(line))));
    }
    blocks.push(Block::Heading("Who looked".to_owned()));
    let engines = receipt.engines.iter().map(|engine| (engine.name.clone(), engine.rules.clone()));
    blocks.push(Block::Facts(engines.collect()));
    blocks.extend(proof(receipt));
    blocks
}

fn tally(receipt: &Receipt) -> Block {
    let count = |outcome| receipt.lines.iter().filter(|line| line.verdict == outcome).count();
    let held = |count| if count == 0 { Mark::Plain } else { Mark::Held };
    let (blocked, failed) = (count(Outcome::Blocked), count(Outcome::Failed));
    Block::Tally(vec![
        (Mark::Plain, receipt.lines.len(), "came in".to_owned()),
        (Mark::Released, count(Outcome::Released), "may be taken".to_owned()),
        (held(blocked), blocked, "blocked".to_owned()),
        (held(failed), failed, "could not be judged".to_owned()),
    ])
}

fn about(receipt: &Receipt) -> Vec<(String, String)> {
    let fixed = [
        ("Station", format!("{}, software {}", receipt.station, receipt.software)),
        ("For the zone", receipt.zone.clone()),
        ("Began", receipt.began.clone()),
        ("Ended", format!("{} (UTC; {})", receipt.ended, receipt.clock)),
        ("Policy", receipt.policy.to_string()),
    ];
    let fixed = fixed.into_iter().map(|(label, value)| (label.to_owned(), value));
    fixed.chain(receipt.visit.iter().cloned()).collect()
}

fn released(line: &ReportLine) -> Entry {
    let mut notes = Vec::new();
    let mut digests = Vec::new();
    let mut name = line.input.clone();
    if let Some(output) = &line.output {
        name.clone_from(&output.path);
        let how = match output.method {
            model::Method::Rebuilt => "built anew",
            model::Method::Flattened => "drawn as pictures",
            model::Method::Converted => "built anew in another format",
            model::Method::Passed => "passed as it is: it already had the one form that we write",
            model::Method::Original => "left the quarantine AS IT CAME IN, with the consent of two persons",
        };
        notes.push(format!("{how}, {}", bytes(output.size)));
        digests.push(format!("{} released", output.sha256));
    }
    if name != line.input {
        notes.push(format!("came in as {}", line.input));
    }
    notes.extend(changes(&line.findings));
    notes.extend(line.children.iter().flat_map(members));
    digests.extend(line.sha256.map(|digest| format!("{digest} came in")));
    Entry { mark: Mark::Released, name, notes, digests }
}

fn held(line: &ReportLine) -> Entry {
    let mut notes: Vec<String> = line.reason.iter().map(|reason| reason.text.clone()).collect();
    let matches = line.engines.iter().flat_map(|row| {
        let told = row.matches.iter().filter(|found| !found.note);
        told.map(|found| format!("{}: {} in {}", row.engine, found.rule, found.object))
    });
    notes.extend(matches.take(MOST_NOTES));
    notes.extend(changes(&line.findings));
    let digests = line.sha256.map(|digest| format!("{digest} came in")).into_iter().collect();
    Entry { mark: Mark::Held, name: line.input.clone(), notes, digests }
}

/// Ours: what a person still reads of one file; the report has the rest.
const MOST_NOTES: usize = 12;

/// What was done, a construct once: "2 removed: VBA project".
fn changes(findings: &[Finding]) -> Vec<String> {
    let mut rows: Vec<(FindingAction, &str, u64)> = Vec::new();
    for finding in findings {
        let words = if finding.construct.is_empty() { &finding.id } else { &finding.construct };
        match rows.iter_mut().find(|row| row.0 == finding.action && row.1 == words) {
            Some(row) => row.2 = row.2.saturating_add(finding.count),
            None => rows.push((finding.action, words, finding.count)),
        }
    }
    let more = rows.len().saturating_sub(MOST_NOTES);
    let mut told: Vec<String> = rows
        .into_iter()
        .take(MOST_NOTES)
        .map(|(action, words, count)| format!("{count} {}: {words}", done(action)))
        .collect();
    if more > 0 {
        told.push(format!("and {more} kinds more; see the report"));
    }
    told
}

const fn done(action: FindingAction) -> &'static str {
    match action {
        FindingAction::Removed => "removed",
        FindingAction::Neutralised => "made harmless",
        FindingAction::ReEncoded => "written anew",
        FindingAction::Kept => "kept",
        FindingAction::Blocked => "reason to hold it",
    }
}

/// Members that did not come through; those that did stand in the archive.
fn members(child: &Child) -> Vec<String> {
    let own = child.reason.as_ref().map(|reason| format!("{} was left out of it: {}", child.name, reason.text));
    own.into_iter().chain(child.children.iter().flat_map(members)).collect()
}

fn bytes(size: u64) -> String {
    match size {
        0..10_000 => format!("{size} bytes"),
        10_000..10_000_000 => format!("{} kB", size / 1000),
        _ => format!("{} MB", size / 1_000_000),
    }
}

fn proof(receipt: &Receipt) -> Vec<Block> {
    let mut blocks = vec![Block::Heading("Proof".to_owned())];
    if let Some(Manifest { folder, sequence, statement, signature }) = &receipt.manifest {
        blocks.push(Block::Facts(vec![
            ("Manifest".to_owned(), format!("{folder} on the share, number {sequence} of this station")),
            ("Its digest".to_owned(), statement.to_string()),
        ]));
        blocks.push(Block::Text("Signature over the sums of the released files:".to_owned()));
        blocks.push(Block::Mono(signature.clone()));
    }
    let text = "Checkpoint of the station's journal, also in the QR code. It pins every record before it: keep it, and \
                the journal can't be changed afterwards without showing (sallyport audit verify --checkpoint FILE).";
    blocks.push(Block::Text(text.to_owned()));
    blocks.push(Block::Mono(receipt.checkpoint.clone()));
    blocks
}
