//! The right edge of a tree: the tiles that are not full yet. Appending to it makes tiles.

use crate::{
    frontier::{Frontier, SIZE_MOST, root},
    hash::TreeHash,
    tile::{TILE_WIDTH, TileId, TileLevel},
};

/// A tree of which only the partial tiles are held, one at each level: at most 8 kB for each factor of 256 in its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TileEdge {
    size: u64,
    /// The hashes of the partial tile of each level, which may be none.
    levels: Vec<Vec<TreeHash>>,
}

impl TileEdge {
    /// The partial tiles of the tree of `size` leaves: what [`TileEdge::open`] has to be given.
    pub fn tiles(size: u64) -> impl Iterator<Item = TileId> {
        let levels = (0..8).map(TileLevel::Hashes);
        let last = move |level| {
            let shift = match level {
                TileLevel::Hashes(level) => 8 * u32::from(level),
                TileLevel::Entries => 0,
            };
            TileId::at(level, (size >> shift) / u64::from(TILE_WIDTH), size)
        };
        levels.filter_map(last)
    }

    /// The edge of the tree of `size` leaves whose partial tiles are kept. Whether they are the tree's shows where
    /// [`TileEdge::root`] is compared with a root that is known.
    ///
    /// # Errors
    /// [`TileError`] where a tile cannot be fetched or is not as wide as it should be.
    pub fn open<E>(size: u64, fetch: impl FnMut(TileId) -> Result<Vec<u8>, E>) -> Result<Self, TileError<E>> {
        if size > SIZE_MOST {
            return Err(TileError::Size { size });
        }
        let (mut levels, mut fetch) = (Vec::new(), fetch);
        for id in Self::tiles(size) {
            let TileLevel::Hashes(level) = id.level() else { continue };
            levels.resize(usize::from(level), Vec::new());
            levels.push(hashes(id, &mut fetch)?);
        }
        Ok(Self { size, levels })
    }

    /// Adds a leaf at the end. What becomes a full tile by that is added to `full` with its bytes.
    pub fn append(&mut self, leaf: TreeHash, full: &mut Vec<(TileId, Vec<u8>)>) {
        self.size += 1;
        let mut carried = leaf;
        let mut span = self.size;
        for level in 0.. {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { return };
            hashes.push(carried);
            if hashes.len() < usize::from(TILE_WIDTH) {
                return;
            }
            span /= u64::from(TILE_WIDTH);
            full.push((TileId::full(TileLevel::Hashes(level), span - 1), TreeHash::tile(hashes)));
            carried = Frontier::over(hashes).root();
            hashes.clear();
        }
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The partial tiles with their bytes.
    pub fn partial(&self) -> impl Iterator<Item = (TileId, Vec<u8>)> {
        let bytes = |id: TileId| match id.level() {
            TileLevel::Hashes(level) => {
                self.levels.get(usize::from(level)).map(|hashes| TreeHash::tile(hashes))
            }
            TileLevel::Entries => None,
        };
        Self::tiles(self.size).filter_map(move |id| Some((id, bytes(id)?)))
    }

    /// The roots of its perfect subtrees, as [`Frontier::of`] takes them.
    #[must_use]
    pub fn peaks(&self) -> Vec<TreeHash> {
        self.levels.iter().rev().flat_map(|hashes| Frontier::over(hashes).peaks().to_vec()).collect()
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> TreeHash {
        root(&self.peaks())
    }
}

/// The root over the hashes of a tile; `None` where the bytes are no whole number of hashes.
#[must_use]
pub fn tile_root(tile: &[u8]) -> Option<TreeHash> {
    TreeHash::all_of(tile).ok().map(|hashes| Frontier::over(&hashes).root())
}

/// The hashes of a tile, fetched.
pub(crate) fn hashes<E>(
    id: TileId,
    fetch: &mut impl FnMut(TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<TreeHash>, TileError<E>> {
    let bytes = fetch(id).map_err(|cause| TileError::Fetch { tile: id, cause })?;
    let hashes = TreeHash::all_of(&bytes).ok().filter(|hashes| hashes.len() == usize::from(id.width()));
    hashes.ok_or(TileError::Width { tile: id, bytes: bytes.len() })
}

/// Why tiles say nothing of a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError<E> {
    /// It could not be fetched.
    #[error("`{tile}` cannot be read")]
    Fetch {
        /// Which.
        tile: TileId,
        /// Why.
        cause: E,
    },
    /// It is not as wide as its tree has it.
    #[error("`{tile}` has {bytes} bytes instead of {}", 32 * u32::from(tile.width()))]
    Width {
        /// Which.
        tile: TileId,
        /// Its length.
        bytes: usize,
    },
    /// There is no such tree.
    #[error("no tree has {size} leaves: 2^63 - 1 are the most")]
    Size {
        /// The size.
        size: u64,
    },
    /// The proof is of something that is not in the tree.
    #[error("a tree of {size} entries proves nothing of {wanted}")]
    Beyond {
        /// The entry, or the earlier size.
        wanted: u64,
        /// The tree's size.
        size: u64,
    },
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, convert::Infallible};

    use super::*;
    use crate::fixture::{Tree, leaf, leaves, mth};

    #[test]
    fn appending_makes_the_tiles_of_the_definition() {
        for size in [0, 1, 2, 255, 256, 257, 511, 512, 1_000, 65_535, 65_536, 65_537] {
            let tree = Tree::new(size);
            assert_eq!(tree.edge.root(), mth(&leaves(size)), "{size}");
            let expected: Vec<TileId> =
                TileId::of_tree(size).filter(|id| id.level() != TileLevel::Entries).collect();
            assert_eq!(tree.tiles.keys().copied().collect::<Vec<_>>(), expected, "{size}");
            for (id, bytes) in &tree.tiles {
                let TileLevel::Hashes(level) = id.level() else { panic!("{id}") };
                let span = 256_u64.pow(level.into());
                let of = |at: u64| mth(&(at * span..(at + 1) * span).map(leaf).collect::<Vec<_>>());
                let first = id.index() * 256;
                let hashes: Vec<TreeHash> = (first..first + u64::from(id.width())).map(of).collect();
                assert_eq!(TreeHash::all_of(bytes), Ok(hashes), "{id} of {size}");
            }
        }
    }

    #[test]
    fn an_edge_is_opened_from_its_partial_tiles_and_goes_on() {
        for size in [0, 1, 255, 256, 300, 65_535, 65_536, 66_000] {
            let tree = Tree::new(size);
            let kept: BTreeMap<TileId, Vec<u8>> = tree.edge.partial().collect();
            assert_eq!(kept.keys().copied().collect::<Vec<_>>(), TileEdge::tiles(size).collect::<Vec<_>>());
            let mut opened = TileEdge::open(size, |id| Ok::<_, Infallible>(kept[&id].clone())).unwrap();
            assert_eq!((opened.size(), opened.root()), (size, tree.edge.root()));
            assert_eq!(Frontier::of(size, opened.peaks()).unwrap().root(), tree.edge.root());
            let (mut edge, mut full, mut again) = (tree.edge, Vec::new(), Vec::new());
            for number in size..size + 300 {
                edge.append(leaf(number), &mut full);
                opened.append(leaf(number), &mut again);
            }
            assert_eq!((opened.root(), again), (edge.root(), full));
        }
    }

    #[test]
    fn what_is_no_tile_opens_nothing() {
        let opened = TileEdge::open(3, |_| Ok::<_, Infallible>(vec![0; 95]));
        let tile = TileId::at(TileLevel::Hashes(0), 0, 3).unwrap();
        assert_eq!(opened, Err(TileError::Width { tile, bytes: 95 }));
        assert_eq!(TileEdge::open(3, |_| Err("gone")), Err(TileError::Fetch { tile, cause: "gone" }));
        assert_eq!(TileEdge::open(1 << 63, |_| Err("gone")), Err(TileError::Size { size: 1 << 63 }));
    }
}
