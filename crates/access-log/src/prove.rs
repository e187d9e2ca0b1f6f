//! Proofs, computed from tiles: of inclusion (RFC 6962, section 2.1.1) and of consistency (section 2.1.2).
//!
//! A proof is a list of subtrees' roots, from the bottom up. Which tiles hold them is known beforehand, so that a caller may
//! fetch them all at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::{
    edge::{TileError, hashes},
    frontier::{Frontier, root},
    hash::TreeHash,
    tile::{TILE_WIDTH, TileId, TileLevel},
};

/// The proof that the entry of this index is in the tree of `size` entries. `fetch` returns the bytes of a tile.
///
/// # Errors
/// [`TileError`].
pub fn prove_inclusion<E>(
    index: u64,
    size: u64,
    fetch: impl FnMut(TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<TreeHash>, TileError<E>> {
    if index >= size {
        return Err(TileError::Beyond { wanted: index, size });
    }
    roots(inclusion(index, size), size, fetch)
}

/// The tiles that the proof of inclusion is made from.
#[must_use]
pub fn inclusion_tiles(index: u64, size: u64) -> BTreeSet<TileId> {
    if index < size { tiles(inclusion(index, size), size) } else { BTreeSet::new() }
}

/// The proof that the tree of `old_size` entries is the beginning of the tree of `size`. `fetch` returns the bytes of a tile of
/// the tree of `size`.
///
/// # Errors
/// [`TileError`].
pub fn prove_consistency<E>(
    old_size: u64,
    size: u64,
    fetch: impl FnMut(TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<TreeHash>, TileError<E>> {
    if old_size > size {
        return Err(TileError::Beyond { wanted: old_size, size });
    }
    roots(consistency(old_size, size), size, fetch)
}

/// The tiles that the proof of consistency is made from.
#[must_use]
pub fn consistency_tiles(old_size: u64, size: u64) -> BTreeSet<TileId> {
    if old_size <= size { tiles(consistency(old_size, size), size) } else { BTreeSet::new() }
}

/// The leaves of each subtree whose root is in the proof of inclusion: PATH of RFC 6962, from the bottom up.
fn inclusion(index: u64, size: u64) -> Vec<Range<u64>> {
    let (mut from, mut until, mut found) = (0, size, Vec::new());
    while until - from > 1 {
        let middle = from + split(until - from);
        if index < middle {
            found.push(middle..until);
            until = middle;
        } else {
            found.push(from..middle);
            from = middle;
        }
    }
    found.reverse();
    found
}

/// The same of the proof of consistency: SUBPROOF of RFC 6962.
fn consistency(old_size: u64, size: u64) -> Vec<Range<u64>> {
    if old_size == 0 {
        return Vec::new();
    }
    let (mut from, mut until, mut found) = (0, size, Vec::new());
    while old_size < until {
        let middle = from + split(until - from);
        if old_size <= middle {
            found.push(middle..until);
            until = middle;
        } else {
            found.push(from..middle);
            from = middle;
        }
    }
    // The old tree itself stands in no proof: its root is known.
    if from > 0 {
        found.push(from..until);
    }
    found.reverse();
    found
}

/// The largest power of two below a number above one.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// A perfect subtree: the one of this place among those of its height.
#[derive(Clone, Copy)]
struct Perfect {
    height: u32,
    place: u64,
}

/// The perfect subtrees of these leaves, which begin where a subtree as large as they are may begin.
fn perfect(leaves: Range<u64>) -> impl Iterator<Item = Perfect> {
    let mut from = leaves.start;
    std::iter::from_fn(move || {
        let height = (leaves.end - from).checked_ilog2()?;
        let found = Perfect { height, place: from >> height };
        from += 1 << height;
        Some(found)
    })
}

impl Perfect {
    /// The tile that holds its leaves, or the roots of full tiles in it, and where they begin there.
    fn held(self, size: u64) -> Option<(TileId, Range<usize>)> {
        let level = u8::try_from(self.height / 8).ok()?;
        let first = self.place << (self.height % 8);
        let id = TileId::at(TileLevel::Hashes(level), first / u64::from(TILE_WIDTH), size)?;
        let from = usize::try_from(first % u64::from(TILE_WIDTH)).ok()?;
        Some((id, from..from + (1 << (self.height % 8))))
    }
}

fn tiles(subtrees: Vec<Range<u64>>, size: u64) -> BTreeSet<TileId> {
    subtrees.into_iter().flat_map(perfect).filter_map(|subtree| Some(subtree.held(size)?.0)).collect()
}

/// The roots of these subtrees. Each tile is fetched once.
fn roots<E>(
    subtrees: Vec<Range<u64>>,
    size: u64,
    mut fetch: impl FnMut(TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<TreeHash>, TileError<E>> {
    let mut fetched = BTreeMap::new();
    for id in tiles(subtrees.clone(), size) {
        fetched.insert(id, hashes(id, &mut fetch)?);
    }
    let of_perfect = |subtree: Perfect| {
        let (id, range) = subtree.held(size)?;
        Some(Frontier::over(fetched.get(&id)?.get(range)?).root())
    };
    let of = |leaves: Range<u64>| -> Option<TreeHash> {
        let peaks: Option<Vec<TreeHash>> = perfect(leaves).map(of_perfect).collect();
        peaks.map(|peaks| root(&peaks))
    };
    let found: Option<Vec<TreeHash>> = subtrees.into_iter().map(of).collect();
    found.ok_or(TileError::Size { size })
}

#[cfg(test)]
mod tests;
