//! From a jail's listing to the lane's entries. Nothing in a listing is believed that could harm the station.

use super::Listed;
use crate::inputs::{Entry, Kind, Origin};
use medium::{FileAt, Item, Listing};
use model::{Finding, FindingAction, Findings, Reason, ReasonCode};
use sanitizer::Passwords;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// Ours: all paths of a listing together; each names its folders again.
const PATHS_BYTES: usize = 256 << 20;
/// Ours: volumes that a listing can have.
const VOLUMES: usize = 64;
/// Ours: longest text of a listing, in characters.
const TEXT_CHARS: usize = 64;

/// A listing that keeps its own rules, with every text capped again.
pub(super) fn checked(mut listing: Listing, most: u64) -> Result<Listing, String> {
    let broken = |what: &str| format!("the jail's listing {what}");
    let volumes = listing.facts.volumes.len();
    // Volumes that are not read are items too, and so are the folders that stand for volumes.
    let spare = u64::try_from(VOLUMES).unwrap_or(0).saturating_mul(2);
    if u64::try_from(listing.items.len()).unwrap_or(u64::MAX) > most.saturating_add(spare) || volumes > VOLUMES {
        return Err(broken("is longer than was asked for"));
    }
    for (index, item) in listing.items.iter_mut().enumerate() {
        let known = |volume: u32| usize::try_from(volume).is_ok_and(|volume| volume < volumes.max(1));
        let before = |parent: u32| usize::try_from(parent).is_ok_and(|parent| parent < index);
        if !known(item.volume) || !item.parent.is_none_or(before) {
            return Err(broken("points to what is not in it"));
        }
        let name = item.name.bytes();
        if matches!(name, b"" | b"." | b"..") || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            return Err(broken("has a name that is none"));
        }
        if let medium::Kind::Refused(reason) = &mut item.kind {
            *reason = Reason::new(reason.code, &reason.text);
        }
    }
    for volume in &mut listing.facts.volumes {
        volume.kind = capped(&volume.kind);
        volume.label = medium::Name::Text(capped(&String::from_utf8_lossy(volume.label.bytes())));
        volume.refused = volume.refused.take().map(|reason| Reason::new(reason.code, &reason.text));
    }
    listing.facts.findings = known_findings(listing.facts.findings);
    Ok(listing)
}

fn capped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS).collect()
}

/// Findings anew, so that their words are the catalogue's.
fn known_findings(findings: Vec<Finding>) -> Vec<Finding> {
    let mut known = Findings::new();
    for finding in findings.into_iter().filter(|finding| model::vector(&finding.id).is_some()) {
        known.add_count(&finding.id, finding.action, &finding.at, finding.count);
    }
    known.into_rows()
}

fn findings_of(item: &Item) -> Vec<Finding> {
    let mut findings = Findings::new();
    for (id, action) in item.found.iter().filter(|(id, _)| model::vector(id).is_some()) {
        let count = if id == "USB-09" && *action == FindingAction::Removed { item.streams.max(1) } else { 1 };
        findings.add_count(id, *action, "the directory entry", count.into());
    }
    findings.into_rows()
}

impl Listed {
    /// One entry for whatever is on the medium and no folder, by paths below `prefix`.
    ///
    /// # Errors
    /// One sentence where the paths are longer than any medium's.
    pub fn entries(&self, prefix: &[u8]) -> Result<Vec<Entry>, String> {
        let mut paths: Vec<Vec<u8>> = Vec::with_capacity(self.listing.items.len());
        let (mut entries, mut taken, mut spent) = (Vec::new(), HashSet::new(), 0_usize);
        for item in &self.listing.items {
            let above = item.parent.and_then(|parent| paths.get(usize::try_from(parent).ok()?));
            let parts = [above.map_or(prefix, Vec::as_slice), item.name.bytes()];
            let path = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&b'/');
            spent = spent.saturating_add(path.len());
            if spent > PATHS_BYTES {
                return Err("the paths on the medium are longer than any sound one's".to_owned());
            }
            if let Some(kind) = kind_of(item) {
                let (origin, shown) = (self.origin(item), unique(&path, &mut taken));
                entries.push(Entry {
                    origin,
                    shown,
                    kind,
                    findings: findings_of(item),
                    passwords: Passwords::default(),
                });
            }
            paths.push(path);
        }
        Ok(entries)
    }

    fn origin(&self, item: &Item) -> Origin {
        let volume = usize::try_from(item.volume).ok().and_then(|index| self.listing.facts.volumes.get(index));
        let at = volume.and_then(|volume| {
            let (place, size) = (item.place.clone()?, item.size);
            Some(FileAt { start: volume.start, len: volume.size, system: volume.system?, place, size })
        });
        Origin::Medium(Arc::clone(&self.medium), at)
    }

    /// The medium in the words of the session's record.
    #[must_use]
    pub fn record(&self) -> Value {
        let facts = self.facts();
        let volumes: Vec<String> = facts.volumes.iter().map(volume_in_words).collect();
        let free = facts.volumes.iter().filter_map(|volume| volume.free).fold(0, u64::saturating_add);
        let findings: Vec<String> = facts.findings.iter().map(finding_in_words).collect();
        let mut record = json!({
            "kind": self.medium.kind(),
            "path": self.medium.path.display().to_string(),
            "size": facts.size,
            "partition_table": facts.table,
            "volumes": volumes,
            "bytes_outside_volumes": facts.outside,
            "bytes_free_in_volumes": free,
            "findings": findings,
        });
        if let (Some(usb), Value::Object(rows)) = (self.medium.usb(), &mut record) {
            rows.insert("usb".to_owned(), json!(usb));
        }
        record
    }
}

/// Entries of one name are refused, and told apart by a number all the same: each has its line.
fn unique(path: &[u8], taken: &mut HashSet<Vec<u8>>) -> Vec<u8> {
    let numbered = |number: u32| [path, format!(" ({number})").as_bytes()].concat();
    let mut candidates = std::iter::once(path.to_vec()).chain((2..=u32::MAX).map(numbered));
    candidates.find(|candidate| taken.insert(candidate.clone())).unwrap_or_default()
}

/// `None` for a folder.
fn kind_of(item: &Item) -> Option<Kind> {
    let nowhere = || Kind::Refused(Reason::new(ReasonCode::Protocol, "the jail does not say where the file lies"));
    Some(match &item.kind {
        medium::Kind::Folder => return None,
        medium::Kind::File if item.place.is_none() => nowhere(),
        medium::Kind::File => Kind::File,
        medium::Kind::Link => Kind::SymbolicLink,
        medium::Kind::Special => Kind::Special("device, pipe or socket"),
        medium::Kind::Refused(reason) => Kind::Refused(reason.clone()),
    })
}

/// A volume in one line, for people.
#[must_use]
pub fn volume_in_words(volume: &medium::Volume) -> String {
    let label = String::from_utf8_lossy(volume.label.bytes());
    let label = if label.is_empty() { String::new() } else { format!(" \u{201c}{label}\u{201d}") };
    let system = volume.system.map_or("unknown", medium::System::name);
    let what = match &volume.refused {
        Some(reason) => format!("not read: {}", reason.text),
        None => format!("{} entries in {} folders, {} deleted", volume.entries, volume.folders, volume.deleted),
    };
    format!("{system}{label}, {} bytes at {} ({}): {what}", volume.size, volume.start, volume.kind)
}

/// A finding in one line, for people.
#[must_use]
pub fn finding_in_words(finding: &Finding) -> String {
    let action = serde_json::to_value(finding.action).unwrap_or_default();
    let action = action.as_str().unwrap_or_default();
    format!("{} {action} {}\u{d7}: {} ({})", finding.id, finding.count, finding.construct, finding.at)
}
