//! The Merkle tree of RFC 6962, section 2.1, over records of a journal.

use sha2::{Digest as _, Sha256};

/// A node of the tree.
pub type Hash = [u8; 32];

/// Hash of one leaf.
#[must_use]
pub fn leaf(record: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(record).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A tree that grows leaf by leaf and holds one hash a level: the roots of its complete subtrees, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds one leaf, given by its [`leaf`] hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut size = self.size;
        // Every one-bit at the end of the size is a complete subtree of that height, which the new one completes.
        while size & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node(&left, &hash);
            size >>= 1;
        }
        self.peaks.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            Some(last) => peaks.fold(*last, |right, left| node(left, &right)),
            None => Sha256::digest(b"").into(),
        }
    }

    /// The complete subtrees' roots, largest first: what must be kept to go on from here.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Goes on from what [`Tree::peaks`] gave; `None` where there are not as many as a tree of this size has.
    #[must_use]
    pub fn resume(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (usize::try_from(size.count_ones()).ok()? == peaks.len()).then_some(Self { size, peaks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Straight from the definition.
    fn slow(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [one] => *one,
            many => {
                let half = many.len().next_power_of_two() / 2;
                node(&slow(&many[..half]), &slow(&many[half..]))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_at_every_size() {
        let mut tree = Tree::default();
        let mut leaves = Vec::new();
        assert_eq!(tree.root(), slow(&leaves));
        for n in 0..70u8 {
            tree.push(leaf(&[n]));
            leaves.push(leaf(&[n]));
            assert_eq!(tree.root(), slow(&leaves), "{n}");
            assert_eq!(Tree::resume(tree.size(), tree.peaks().to_vec()).unwrap(), tree);
        }
        assert!(Tree::resume(3, vec![[0; 32]]).is_none());
    }

    /// RFC 6962's empty tree, and the second test vector of its reference implementations: one empty leaf.
    #[test]
    fn known_values() {
        let hex = |hash: Hash| hash.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(Tree::default().root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex(leaf(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }
}
