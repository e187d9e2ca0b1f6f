//! Verifying proofs, as RFC 9162 does in its sections 2.1.3.2 and 2.1.4.2. Nothing of a tree is needed but its root.

use crate::hash::TreeHash;

/// Verifies that the leaf of this hash stands at `index` in the tree of `size` leaves with this root. The proof begins at the
/// leaf.
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion(
    leaf: TreeHash,
    index: u64,
    size: u64,
    root: TreeHash,
    proof: &[TreeHash],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Beyond { index, size });
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Long);
        }
        if node & 1 == 1 || node == last {
            hash = TreeHash::of_node(sibling, &hash);
            // A node without a sibling on its right rises until it has one on its left.
            let rises = if node & 1 == 0 { node.trailing_zeros() } else { 0 };
            (node, last) = (node >> rises, last >> rises);
        } else {
            hash = TreeHash::of_node(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match (last, hash == root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        (_, _) => Err(ProofError::Short),
    }
}

/// Verifies that the tree of `old_size` leaves with root `old_root` is the beginning of the tree of `size` leaves with this root.
/// The tree without leaves is the beginning of every tree, and its proof is empty, as is that between equal trees.
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    old_size: u64,
    old_root: TreeHash,
    size: u64,
    root: TreeHash,
    proof: &[TreeHash],
) -> Result<(), ProofError> {
    if old_size > size {
        return Err(ProofError::Shrunk { old_size, size });
    }
    if old_size == 0 || old_size == size {
        let expected = if old_size == 0 { TreeHash::EMPTY } else { root };
        return match (proof, old_root == expected) {
            ([], true) => Ok(()),
            ([], false) => Err(ProofError::OldRoot),
            (_, _) => Err(ProofError::Long),
        };
    }
    let (mut node, mut last) = (old_size - 1, size - 1);
    let rises = node.trailing_ones();
    (node, last) = (node >> rises, last >> rises);
    // The old tree is perfect: its root begins the walk and stands in no proof.
    let (first, rest) = match (old_size.is_power_of_two(), proof) {
        (true, rest) => (old_root, rest),
        (false, [first, rest @ ..]) => (*first, rest),
        (false, []) => return Err(ProofError::Short),
    };
    let (mut old, mut new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Long);
        }
        if node & 1 == 1 || node == last {
            (old, new) = (TreeHash::of_node(sibling, &old), TreeHash::of_node(sibling, &new));
            let rises = if node & 1 == 0 { node.trailing_zeros() } else { 0 };
            (node, last) = (node >> rises, last >> rises);
        } else {
            new = TreeHash::of_node(&new, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match (last, old == old_root, new == root) {
        (0, true, true) => Ok(()),
        (0, false, _) => Err(ProofError::OldRoot),
        (0, true, false) => Err(ProofError::Root),
        (_, _, _) => Err(ProofError::Short),
    }
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The tree has no such entry.
    #[error("entry {index} is not in a tree of {size} entries, which counts from 0")]
    Beyond {
        /// The entry.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// What is called the later tree is smaller.
    #[error("a tree of {size} entries cannot continue one of {old_size}")]
    Shrunk {
        /// The earlier size.
        old_size: u64,
        /// The later size.
        size: u64,
    },
    /// Hashes are missing.
    #[error("the proof has too few hashes")]
    Short,
    /// Hashes are left over.
    #[error("the proof has too many hashes")]
    Long,
    /// The proof leads to another root.
    #[error("the proof does not lead to the root")]
    Root,
    /// The proof is not of the earlier tree.
    #[error("the proof does not lead to the earlier root")]
    OldRoot,
}
