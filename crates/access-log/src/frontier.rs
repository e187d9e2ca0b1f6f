//! The frontier of a tree: the roots of its perfect subtrees, from the largest to the smallest. It is all that is needed to
//! append, and to say what the root is.

use crate::hash::TreeHash;

/// The most leaves of a tree: sizes are signed 64-bit numbers for many who read them.
pub(crate) const SIZE_MOST: u64 = i64::MAX as u64;

/// A tree of which only the roots of perfect subtrees are known: one for each bit of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<TreeHash>,
}

impl Frontier {
    /// The frontier that was kept: the roots from the largest subtree to the smallest.
    ///
    /// # Errors
    /// [`FrontierError`] where there are not as many as the size has bits.
    pub fn of(size: u64, peaks: Vec<TreeHash>) -> Result<Self, FrontierError> {
        let right = usize::try_from(size.count_ones()).is_ok_and(|bits| bits == peaks.len());
        if right && size <= SIZE_MOST {
            Ok(Self { size, peaks })
        } else {
            Err(FrontierError { size, hashes: peaks.len() })
        }
    }

    /// The frontier of perfect trees of one height, in order.
    pub(crate) fn over(hashes: &[TreeHash]) -> Self {
        let mut frontier = Self::default();
        hashes.iter().for_each(|hash| frontier.append(*hash));
        frontier
    }

    /// Adds a leaf at the end.
    pub fn append(&mut self, leaf: TreeHash) {
        let mut hash = leaf;
        // Each subtree that is as large as what has come becomes one with it.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = TreeHash::of_node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, from the largest to the smallest: what is kept of a frontier.
    #[must_use]
    pub fn peaks(&self) -> &[TreeHash] {
        &self.peaks
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> TreeHash {
        root(&self.peaks)
    }
}

/// The root of the tree whose perfect subtrees have these roots, from the largest to the smallest.
pub(crate) fn root(peaks: &[TreeHash]) -> TreeHash {
    let folded = peaks.iter().rev().copied().reduce(|right, left| TreeHash::of_node(&left, &right));
    folded.unwrap_or(TreeHash::EMPTY)
}

/// Why hashes are not a frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} leaves has a subtree for each bit of its size, and {hashes} hashes are kept")]
pub struct FrontierError {
    /// The size.
    pub size: u64,
    /// How many hashes there are.
    pub hashes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{leaf, mth};

    #[test]
    fn the_root_is_that_of_the_definition_at_every_size() {
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root(), TreeHash::EMPTY);
        let mut leaves = Vec::new();
        for n in 0..600 {
            leaves.push(leaf(n));
            frontier.append(leaf(n));
            assert_eq!(frontier.root(), mth(&leaves), "{n}");
            let kept = Frontier::of(frontier.size(), frontier.peaks().to_vec());
            assert_eq!(kept.as_ref(), Ok(&frontier));
        }
    }

    #[test]
    fn a_frontier_has_a_hash_for_each_bit() {
        let hashes = vec![leaf(0), leaf(1)];
        assert!(Frontier::of(3, hashes.clone()).is_ok());
        for size in [0, 1, 2, 4, 7, u64::MAX] {
            assert_eq!(Frontier::of(size, hashes.clone()), Err(FrontierError { size, hashes: 2 }));
        }
        assert!(Frontier::of(1 << 63, vec![leaf(0)]).is_err());
    }
}
