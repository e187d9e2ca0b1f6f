//! Checking a whole log as a fold over its bundles: entries are read strictly, tiles and root are derived from them again, and
//! compared with the tiles that are kept and with a checkpoint. What is held meanwhile is one bundle and the tree's edge.

use crate::{
    bundle::{self, BundleError},
    checkpoint::Checkpoint,
    edge::TileEdge,
    entry::{EntryError, LogEntry},
    hash::TreeHash,
    tile::{TILE_WIDTH, TileId, TileLevel},
};

/// The hashes of a bundle's entries, each of which this version of Lango would have written so. It needs nothing of the bundles
/// before, so that several may be checked at a time.
///
/// # Errors
/// [`FsckFault::Bundle`], [`FsckFault::Entry`].
pub fn check_bundle(bundle: TileId, bytes: &[u8]) -> Result<Vec<TreeHash>, FsckFault> {
    check_entries(bundle, bytes, |entry| LogEntry::read(entry).map(drop))
}

/// The entries of a bundle, each read as [`check_bundle`] reads it, with its hash.
///
/// # Errors
/// [`FsckFault::Bundle`], [`FsckFault::Entry`].
pub fn read_bundle(bundle: TileId, bytes: &[u8]) -> Result<Vec<(TreeHash, LogEntry)>, FsckFault> {
    read_entries(bundle, bytes, LogEntry::read)
}

/// The hashes of a bundle's entries, whatever they are: of a log that is not of Lango's.
///
/// # Errors
/// [`FsckFault::Bundle`].
pub fn hash_bundle(bundle: TileId, bytes: &[u8]) -> Result<Vec<TreeHash>, FsckFault> {
    check_entries(bundle, bytes, |_| Ok(()))
}

fn check_entries(
    bundle: TileId,
    bytes: &[u8],
    check: impl Fn(&[u8]) -> Result<(), EntryError>,
) -> Result<Vec<TreeHash>, FsckFault> {
    let hashes = read_entries(bundle, bytes, check)?;
    Ok(hashes.into_iter().map(|(hash, ())| hash).collect())
}

fn read_entries<T>(
    bundle: TileId,
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T, EntryError>,
) -> Result<Vec<(TreeHash, T)>, FsckFault> {
    let entries =
        bundle::entries(bytes, bundle.width()).map_err(|cause| FsckFault::Bundle { bundle, cause })?;
    let first = bundle.index().saturating_mul(TILE_WIDTH.into());
    let hash = |(entry, index): (&[u8], u64)| match read(entry) {
        Ok(read) => Ok((TreeHash::of_leaf(entry), read)),
        Err(cause) => Err(FsckFault::Entry { index, cause }),
    };
    entries.into_iter().zip(first..).map(hash).collect()
}

/// A check that is under way.
#[derive(Debug, Clone, Default)]
pub struct Fsck {
    edge: TileEdge,
    tiles: u64,
}

/// A log that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedLog {
    /// Entries, all read and hashed.
    pub entries: u64,
    /// Tiles of hashes, all derived again and equal to those that are kept.
    pub tiles: u64,
}

impl Fsck {
    /// Takes the hashes of the next entries. `kept` returns the bytes of a tile as the log keeps it, `None` where it does not.
    ///
    /// # Errors
    /// [`FsckFault`] of the first tile that differs.
    pub fn take<E>(
        &mut self,
        leaves: &[TreeHash],
        mut kept: impl FnMut(TileId) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), FsckError<E>> {
        let mut full = Vec::new();
        leaves.iter().for_each(|leaf| self.edge.append(*leaf, &mut full));
        full.into_iter().try_for_each(|(tile, derived)| self.compare(tile, &derived, &mut kept))
    }

    /// Compares what remains with the checkpoint: the partial tiles, the size, the root.
    ///
    /// # Errors
    /// [`FsckFault`] of the first of them that differs.
    pub fn finish<E>(
        mut self,
        checkpoint: &Checkpoint,
        mut kept: impl FnMut(TileId) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<CheckedLog, FsckError<E>> {
        let entries = self.edge.size();
        if entries != checkpoint.size {
            return Err(FsckFault::Size { entries, size: checkpoint.size }.into());
        }
        let partial: Vec<(TileId, Vec<u8>)> = self.edge.partial().collect();
        partial.into_iter().try_for_each(|(tile, derived)| self.compare(tile, &derived, &mut kept))?;
        let derived = self.edge.root();
        if derived == checkpoint.root {
            Ok(CheckedLog { entries, tiles: self.tiles })
        } else {
            Err(FsckFault::Root { size: entries, derived, signed: checkpoint.root }.into())
        }
    }

    fn compare<E>(
        &mut self,
        tile: TileId,
        derived: &[u8],
        kept: &mut impl FnMut(TileId) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), FsckError<E>> {
        let kept = kept(tile).map_err(|cause| FsckError::Fetch { tile, cause })?;
        let kept = kept.ok_or(FsckFault::Missing { tile })?;
        if kept == derived {
            self.tiles += 1;
            return Ok(());
        }
        let hashes = derived.chunks(32).zip(kept.chunks(32)).zip(0_u64..);
        let differs = hashes.into_iter().find(|((derived, kept), _)| derived != kept).map(|(_, at)| at);
        let at =
            differs.unwrap_or_else(|| u64::try_from(kept.len().min(derived.len()) / 32).unwrap_or(u64::MAX));
        let first = tile.index().saturating_mul(TILE_WIDTH.into()).saturating_add(at);
        Err(match tile.level() {
            TileLevel::Hashes(0) => FsckFault::Leaf { index: first, tile },
            TileLevel::Hashes(_) | TileLevel::Entries => FsckFault::Tile { tile, hash: at },
        }
        .into())
    }
}

/// Why a check came to no end, or to a bad one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FsckError<E> {
    /// A tile could not be read.
    #[error("`{tile}` cannot be read")]
    Fetch {
        /// Which.
        tile: TileId,
        /// Why.
        cause: E,
    },
    /// The log does not hold.
    #[error(transparent)]
    Log(#[from] FsckFault),
}

/// What is wrong with a log: the first fault, by the order of its entries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FsckFault {
    /// A bundle is none.
    #[error("`{bundle}`: {cause}")]
    Bundle {
        /// Which.
        bundle: TileId,
        /// Why.
        cause: BundleError,
    },
    /// An entry is none.
    #[error("entry {index}: {cause}")]
    Entry {
        /// Which, from 0.
        index: u64,
        /// Why.
        cause: EntryError,
    },
    /// An entry, or the hash that is kept of it, was changed.
    #[error("entry {index} does not have the hash that `{tile}` keeps of it")]
    Leaf {
        /// Which entry, from 0.
        index: u64,
        /// The tile.
        tile: TileId,
    },
    /// A tile above the leaves was changed.
    #[error("hash {hash} of `{tile}` is not that of the tiles below it")]
    Tile {
        /// Which.
        tile: TileId,
        /// Which of its hashes, from 0.
        hash: u64,
    },
    /// A tile is not there.
    #[error("`{tile}` is missing")]
    Missing {
        /// Which.
        tile: TileId,
    },
    /// Entries are missing, or there are more than the checkpoint signs.
    #[error("there are {entries} entries, and the checkpoint signs {size}")]
    Size {
        /// How many there are.
        entries: u64,
        /// How many are signed.
        size: u64,
    },
    /// The log is another one than what was signed.
    #[error("the root of the {size} entries is {derived}, and the checkpoint signs {signed}")]
    Root {
        /// How many entries there are.
        size: u64,
        /// Their root.
        derived: TreeHash,
        /// The root that was signed.
        signed: TreeHash,
    },
}

#[cfg(test)]
mod tests;
