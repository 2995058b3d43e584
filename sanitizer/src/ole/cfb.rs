//! The compound file itself ([MS-CFB]): sectors, tables, directory. Every chain is as long as the table that holds it at
//! most, every table as long as the file.

use crate::zip_read::{u16_at, u32_at};
use model::{Budget, Refusal};
use std::collections::BTreeSet;

/// First bytes of every compound file (2.2).
pub const MAGIC: &[u8; 8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// Sector numbers from here on are marks (2.1).
const MARKS: u32 = 0xffff_fffa;
/// Ours: directory entries that are read; large documents have some thousand.
const MOST_ENTRIES: usize = 1 << 16;
/// Streams shorter than this lie in the mini stream (2.2).
const MINI_CUTOFF: u64 = 4096;
const MINI_SECTOR: usize = 64;

/// A stream of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// Number of the storage it lies in.
    pub storage: usize,
    start: u32,
    size: u64,
}

/// An open compound file.
pub struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    mini: Vec<u8>,
    streams: Vec<Stream>,
}

struct Entry {
    name: String,
    kind: u8,
    left: u32,
    right: u32,
    child: u32,
    start: u32,
    size: u64,
}

impl<'a> Compound<'a> {
    /// Opens `bytes`; `None` where this is no compound file or one that can't be read.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the budget is spent.
    pub fn open(bytes: &'a [u8], budget: &mut Budget) -> Result<Option<Self>, Refusal> {
        let Some(shift) = u16_at(bytes, 30).filter(|s| bytes.starts_with(MAGIC) && matches!(s, 9 | 12)) else {
            return Ok(None);
        };
        let sector = 1_usize << shift;
        let mut file =
            Self { bytes, sector, fat: Vec::new(), mini_fat: Vec::new(), mini: Vec::new(), streams: Vec::new() };
        budget.spend_bytes(bytes.len() as u64 / 64)?;
        file.fat = file.allocation_table();
        let word = |at| u32_at(bytes, at).unwrap_or(MARKS);
        let directory = file.chain(word(48), MOST_ENTRIES.saturating_mul(128) as u64, budget)?;
        let entries: Vec<Entry> = directory.chunks_exact(128).filter_map(entry).collect();
        file.mini_fat = numbers(&file.chain(word(60), bytes.len() as u64, budget)?).collect();
        if let Some(root) = entries.first() {
            file.mini = file.chain(root.start, root.size, budget)?;
        }
        budget.spend_entries(entries.len() as u64)?;
        file.streams = streams(&entries);
        Ok(Some(file))
    }

    /// All streams, storage by storage, and those that no storage names.
    #[must_use]
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// The bytes of a stream: fewer than its size where its chain is broken.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the budget is spent.
    pub fn read(&self, stream: &Stream, budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
        if stream.size >= MINI_CUTOFF {
            return self.chain(stream.start, stream.size, budget);
        }
        let piece = |number: usize| {
            let start = number.checked_mul(MINI_SECTOR)?;
            self.mini.get(start..start.checked_add(MINI_SECTOR)?.min(self.mini.len()))
        };
        follow(&self.mini_fat, stream.start, stream.size, piece, budget)
    }

    /// The table of sectors (2.3), by way of the header's list and the chain of further lists (2.5).
    fn allocation_table(&self) -> Vec<u32> {
        let most = self.bytes.len().checked_div(self.sector).unwrap_or(0).saturating_add(1);
        let mut tables: Vec<u32> = numbers(self.bytes.get(76..512).unwrap_or_default()).collect();
        let mut next = u32_at(self.bytes, 68).unwrap_or(MARKS);
        let mut seen = BTreeSet::new();
        while next < MARKS && seen.insert(next) && tables.len() <= most {
            let Some((list, last)) = self.piece(next).and_then(<[u8]>::split_last_chunk::<4>) else { break };
            tables.extend(numbers(list));
            next = u32::from_le_bytes(*last);
        }
        let tables = tables.into_iter().filter(|table| *table < MARKS).take(most);
        let all = tables.flat_map(|table| numbers(self.piece(table).unwrap_or_default()).collect::<Vec<_>>());
        all.take(most.saturating_mul(2)).collect()
    }

    fn piece(&self, number: u32) -> Option<&'a [u8]> {
        let start = usize::try_from(number).ok()?.checked_add(1)?.checked_mul(self.sector)?;
        // The last sector of a file may be cut short.
        self.bytes.get(start..start.checked_add(self.sector)?.min(self.bytes.len()))
    }

    fn chain(&self, start: u32, size: u64, budget: &mut Budget) -> Result<Vec<u8>, Refusal> {
        let piece = |number: usize| self.piece(u32::try_from(number).ok()?);
        follow(&self.fat, start, size, piece, budget)
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number))
}

/// Collects the pieces of a chain, at most `size` bytes and each piece once at most.
fn follow<'b>(
    table: &[u32],
    start: u32,
    size: u64,
    piece: impl Fn(usize) -> Option<&'b [u8]>,
    budget: &mut Budget,
) -> Result<Vec<u8>, Refusal> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut out = Vec::new();
    let mut at = start;
    for _ in 0..table.len() {
        let number = usize::try_from(at).unwrap_or(usize::MAX);
        let Some(bytes) = piece(number).filter(|bytes| at < MARKS && !bytes.is_empty() && out.len() < size) else {
            break;
        };
        let bytes = bytes.get(..bytes.len().min(size.saturating_sub(out.len()))).unwrap_or_default();
        budget.spend_bytes(bytes.len() as u64)?;
        out.extend_from_slice(bytes);
        at = table.get(number).copied().unwrap_or(MARKS);
    }
    Ok(out)
}

/// A directory entry (2.6.1); `None` where it is unused.
fn entry(bytes: &[u8]) -> Option<Entry> {
    let len = usize::from(u16_at(bytes, 64)?).saturating_sub(2).min(62);
    let units = bytes.get(..len)?.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    let name = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some(Entry {
        name,
        kind: *bytes.get(66)?,
        left: u32_at(bytes, 68)?,
        right: u32_at(bytes, 72)?,
        child: u32_at(bytes, 76)?,
        start: u32_at(bytes, 116)?,
        // The upper half is not reliable in version 3 files.
        size: u64::from(u32_at(bytes, 120)?),
    })
}

/// Streams with the storage that holds them. Entries that no storage leads to come last, as one storage: hiding a stream
/// is no way past the engines.
fn streams(entries: &[Entry]) -> Vec<Stream> {
    const STORAGE: u8 = 1;
    const STREAM: u8 = 2;
    let mut streams = Vec::new();
    let mut seen = BTreeSet::from([0]);
    let mut add = |at: usize, storage: usize| {
        if let Some(entry) = entries.get(at).filter(|entry| entry.kind == STREAM) {
            streams.push(Stream { name: entry.name.clone(), storage, start: entry.start, size: entry.size });
        }
    };
    let child = |entry: &Entry| entry.child;
    let mut todo: Vec<(u32, usize)> = entries.first().map(|root| (child(root), 0)).into_iter().collect();
    while let Some((number, storage)) = todo.pop() {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(entry) = entries.get(at).filter(|_| seen.insert(at)) else { continue };
        add(at, storage);
        todo.extend([(entry.left, storage), (entry.right, storage)]);
        if entry.kind == STORAGE {
            todo.push((entry.child, at));
        }
    }
    let lost = entries.len();
    (0..entries.len()).filter(|at| !seen.contains(at)).for_each(|at| add(at, lost));
    streams
}
