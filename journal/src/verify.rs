//! Reading the whole journal against itself and against checkpoints.

use crate::record::{self, Fields};
use crate::store::{CHECKPOINTS, GENESIS, Journal, read_tree};
use crate::{JournalError, Kind};
use evidence::merkle::{Tree, leaf};
use evidence::{Checkpoint, PublicKey};
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;
use std::path::Path;

/// What a journal that was read through says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records that were read.
    pub records: u64,
    /// Of them without their body.
    pub pruned: u64,
    /// Checkpoints that were held against it.
    pub checkpoints: u64,
    /// What is wrong, in the order of the records; empty where all is well.
    pub faults: Vec<Fault>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Number of the record where it shows; 0 for the journal as a whole.
    pub seq: u64,
    /// In words.
    pub text: String,
}

/// Ours: after so many the rest says nothing new.
const MOST_FAULTS: usize = 100;

/// Reads the journal in `folder` from its first record to its last: numbers, chain, digests, gaps, the tree, the
/// checkpoints beside it and those in `more` (notes from outside).
///
/// # Errors
/// [`JournalError`] where it cannot be read at all; damage inside is a [`Fault`].
pub fn verify(folder: &Path, key: &PublicKey, more: &[String]) -> Result<Verified, JournalError> {
    let connection = Journal::read(folder)?;
    let mut faults = Faults(Vec::new());
    let checkpoints = checkpoints(folder, key, more, &mut faults)?;
    let mut walk = Walk { tree: Tree::default(), previous: GENESIS, pruned: Vec::new(), gaps: Vec::new() };
    let mut statement =
        connection.prepare("SELECT seq, time, kind, session, input, output, body, digest FROM records ORDER BY seq")?;
    let mut rows = statement.query([])?;
    loop {
        match rows.next() {
            Ok(Some(row)) => walk.record(row, &checkpoints, &mut faults),
            Ok(None) => break,
            Err(error) => {
                faults.add(walk.tree.size().saturating_add(1), format!("the database is torn here: {error}"));
                break;
            }
        }
    }
    let read = walk.tree.size();
    for (size, checkpoint) in checkpoints.range(read.saturating_add(1)..) {
        faults.add(0, format!("cut off: a checkpoint of {} knows {size} records, there are {read}", checkpoint.time));
    }
    match read_tree(&connection) {
        Ok(tree) if tree == walk.tree => {}
        Ok(_) | Err(_) => faults.add(0, "the tree that the journal goes on from is not that of its records".into()),
    }
    walk.unexplained(key, &mut faults);
    let (pruned, checkpoints) = (walk.pruned.len() as u64, checkpoints.len() as u64);
    Ok(Verified { records: read, pruned, checkpoints, faults: faults.0 })
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, seq: u64, text: String) {
        if self.0.len() < MOST_FAULTS {
            self.0.push(Fault { seq, text });
        }
    }
}

/// By their size; of two with one size that differ, one is a lie.
fn checkpoints(
    folder: &Path,
    key: &PublicKey,
    more: &[String],
    faults: &mut Faults,
) -> Result<BTreeMap<u64, Checkpoint>, JournalError> {
    let folder = folder.join(CHECKPOINTS);
    let io = |source| JournalError::Io { path: folder.clone(), source };
    let mut notes: Vec<String> = more.to_vec();
    for entry in std::fs::read_dir(&folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|e| e == "note") {
            match std::fs::read_to_string(&path) {
                Ok(note) => notes.push(note),
                Err(error) => faults.add(0, format!("the checkpoint {} cannot be read: {error}", path.display())),
            }
        }
    }
    let mut by_size: BTreeMap<u64, Checkpoint> = BTreeMap::new();
    for note in notes {
        match Checkpoint::open(&note, key) {
            Ok(checkpoint) => {
                let known = by_size.entry(checkpoint.size).or_insert_with(|| checkpoint.clone());
                if known.root != checkpoint.root {
                    faults.add(0, format!("two checkpoints over {} records do not agree", checkpoint.size));
                }
            }
            Err(error) => faults.add(0, error.to_string()),
        }
    }
    Ok(by_size)
}

struct Walk {
    tree: Tree,
    previous: [u8; 32],
    /// Numbers of the records without a body.
    pruned: Vec<u64>,
    /// Bodies of the gap records.
    gaps: Vec<(u64, String)>,
}

impl Walk {
    fn record(&mut self, row: &rusqlite::Row<'_>, checkpoints: &BTreeMap<u64, Checkpoint>, faults: &mut Faults) {
        let expected = self.tree.size().saturating_add(1);
        let Some((seq, stored)) = self.hashed(row, expected, faults) else {
            faults.add(expected, "the record is torn".into());
            // Its place is taken all the same, so that the records after it are not all called wrong.
            self.tree.push(leaf(&self.previous));
            return;
        };
        if seq != expected {
            faults.add(expected, format!("the record after {} has the number {seq}", expected.saturating_sub(1)));
        }
        self.previous = stored;
        self.tree.push(leaf(&stored));
        if let Some(checkpoint) = checkpoints.get(&self.tree.size())
            && checkpoint.root != self.tree.root()
        {
            faults.add(seq, format!("up to here it is not what the checkpoint of {} signed", checkpoint.time));
        }
    }

    /// Number and stored digest of a record, whose digest is computed anew where its body is there.
    fn hashed(&mut self, row: &rusqlite::Row<'_>, expected: u64, faults: &mut Faults) -> Option<(u64, [u8; 32])> {
        let text = |column: usize| row.get_ref(column).ok().and_then(|value| value.as_str().ok());
        let blob = |column: usize| match row.get_ref(column).ok()? {
            ValueRef::Null => Some(None),
            ValueRef::Blob(bytes) => Some(Some(bytes)),
            ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => None,
        };
        let seq = u64::try_from(row.get_ref(0).ok()?.as_i64().ok()?).ok()?;
        let (time, kind, session) = (text(1)?, text(2)?, text(3)?);
        let (input, output) = (blob(4)?, blob(5)?);
        let stored = <[u8; 32]>::try_from(blob(7)??).ok()?;
        match row.get_ref(6).ok()? {
            ValueRef::Text(body) => {
                let fields = Fields { seq, time, kind, session, input, output, body };
                if record::digest(&fields, &self.previous) != stored {
                    faults.add(expected, "the record was changed, or is not where it was written".into());
                }
                if kind == Kind::Gap.name() {
                    self.gaps.push((seq, String::from_utf8_lossy(body).into_owned()));
                }
            }
            ValueRef::Null => self.pruned.push(seq),
            ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => return None,
        }
        Some((seq, stored))
    }

    /// A body may be missing only where a later gap record, signed by the station, says so.
    fn unexplained(&self, key: &PublicKey, faults: &mut Faults) {
        let gaps: Vec<(u64, u64, u64)> = self
            .gaps
            .iter()
            .filter_map(|(seq, body)| match crate::prune::read(body, key) {
                Some((from, to)) => Some((*seq, from, to)),
                None => {
                    faults.add(*seq, "a gap record that the station did not sign".into());
                    None
                }
            })
            .collect();
        for pruned in &self.pruned {
            if !gaps.iter().any(|(seq, from, to)| (from..=to).contains(&pruned) && pruned < seq) {
                faults.add(*pruned, "its body is gone and no gap record says why".into());
            }
        }
    }
}
