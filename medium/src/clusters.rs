//! Which clusters are in use, and by how many: what FAT and exFAT have in common.

use crate::source::{damaged, too_much};
use model::Reason;

/// Ours: 2^28 clusters, the most that FAT32 can count and 32 MiB of bits.
const MOST: u32 = 1 << 28;

/// One bit a cluster: met once, and met again.
pub(crate) struct Clusters {
    count: u32,
    met: Vec<u64>,
    again: Vec<u64>,
    crossed: bool,
}

impl Clusters {
    pub(crate) fn new(count: u32) -> Result<Self, Reason> {
        if count > MOST {
            return Err(too_much("the volume has more than 2^28 clusters"));
        }
        let words = usize::try_from(count.div_ceil(64)).unwrap_or(0);
        Ok(Self { count, met: vec![0; words], again: Vec::new(), crossed: false })
    }

    /// Whether the volume has a cluster of this number (2 is the first).
    pub(crate) fn has(&self, cluster: u32) -> bool {
        cluster.checked_sub(2).is_some_and(|index| index < self.count)
    }

    /// Marks a cluster as part of a file or folder. One that is part of two is an error, and is remembered.
    pub(crate) fn meet(&mut self, cluster: u32) -> Result<(), Reason> {
        let (word, bit) = place(cluster);
        let slot = self.met.get_mut(word).ok_or_else(|| damaged("a chain of clusters leaves the volume"))?;
        if *slot & bit == 0 {
            *slot |= bit;
            return Ok(());
        }
        if self.again.is_empty() {
            self.again = vec![0; self.met.len()];
        }
        if let Some(slot) = self.again.get_mut(word) {
            *slot |= bit;
        }
        self.crossed = true;
        Err(damaged("its clusters belong to something else too, or go in a circle"))
    }

    /// Whether any cluster was met twice.
    pub(crate) const fn crossed(&self) -> bool {
        self.crossed
    }

    /// Whether this one was.
    pub(crate) fn shared(&self, cluster: u32) -> bool {
        let (word, bit) = place(cluster);
        self.again.get(word).is_some_and(|slot| slot & bit != 0)
    }
}

fn place(cluster: u32) -> (usize, u64) {
    let index = cluster.saturating_sub(2);
    (usize::try_from(index >> 6).unwrap_or(usize::MAX), 1_u64.checked_shl(index & 63).unwrap_or(0))
}

/// Appends a range of bytes, to the last one where it continues that.
pub(crate) fn append(ranges: &mut Vec<(u64, u64)>, start: u64, len: u64) {
    match ranges.last_mut() {
        Some((begins, have)) if begins.checked_add(*have) == Some(start) => *have = have.saturating_add(len),
        _ => ranges.push((start, len)),
    }
}
