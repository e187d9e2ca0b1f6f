//! Tiles of height 8 and bundles of entries, as C2SP's tlog-tiles lays them out: their names, their paths, their widths.

use std::{fmt, iter, str::FromStr};

/// The hashes, or entries, of a full tile.
pub const TILE_WIDTH: u16 = 256;

/// The highest level that a path may name.
const LEVEL_MOST: u8 = 63;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileLevel {
    /// Entries: a bundle.
    Entries,
    /// Hashes of perfect subtrees of height 8 times the level; at level 0 of leaves.
    Hashes(u8),
}

/// A tile by its place and its width. It prints as its path below the log's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    level: TileLevel,
    index: u64,
    width: u16,
}

impl TileId {
    /// The tile of this place as the tree of `size` leaves has it; `None` where it has none.
    #[must_use]
    pub fn at(level: TileLevel, index: u64, size: u64) -> Option<Self> {
        let in_tiles_before = index.checked_mul(TILE_WIDTH.into())?;
        let left = nodes(level, size).checked_sub(in_tiles_before).filter(|left| *left > 0)?;
        Some(Self { level, index, width: u16::try_from(left).unwrap_or(TILE_WIDTH).min(TILE_WIDTH) })
    }

    /// The full tile of this place.
    pub(crate) const fn full(level: TileLevel, index: u64) -> Self {
        Self { level, index, width: TILE_WIDTH }
    }

    /// All tiles and bundles of the tree of `size` leaves: the bundles first, then level by level.
    pub fn of_tree(size: u64) -> impl Iterator<Item = Self> {
        Self::new_in(0, size)
    }

    /// The tiles and bundles of the tree of `size` leaves that the tree of `old_size` did not have: what is written when a tree
    /// has grown.
    pub fn new_in(old_size: u64, size: u64) -> impl Iterator<Item = Self> {
        let levels = iter::once(TileLevel::Entries).chain((0..=LEVEL_MOST).map(TileLevel::Hashes));
        levels.take_while(move |level| nodes(*level, size) > 0).flat_map(move |level| {
            let (old, new) = (nodes(level, old_size), nodes(level, size));
            let first = old / u64::from(TILE_WIDTH);
            let until = if new > old { new.div_ceil(TILE_WIDTH.into()) } else { first };
            (first..until).filter_map(move |index| Self::at(level, index, size))
        })
    }

    /// What it holds.
    #[must_use]
    pub const fn level(&self) -> TileLevel {
        self.level
    }

    /// Which tile of its level it is, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has: 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it can grow no more.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
}

/// How many entries, or perfect subtrees of a level, a tree of this size has.
fn nodes(level: TileLevel, size: u64) -> u64 {
    match level {
        TileLevel::Entries | TileLevel::Hashes(0) => size,
        TileLevel::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            TileLevel::Entries => f.write_str("tile/entries")?,
            TileLevel::Hashes(level) => write!(f, "tile/{level}")?,
        }
        let thousands =
            iter::successors(Some(self.index), |rest| Some(rest / 1_000).filter(|rest| *rest > 0));
        let groups: Vec<u64> = thousands.map(|rest| rest % 1_000).collect();
        for (position, group) in groups.iter().enumerate().rev() {
            write!(f, "/{}{group:03}", if position > 0 { "x" } else { "" })?;
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for TileId {
    type Err = TilePathError;

    /// Reads a path, and no other spelling of it.
    fn from_str(text: &str) -> Result<Self, TilePathError> {
        let id = read(text).ok_or(TilePathError)?;
        if id.to_string() == text { Ok(id) } else { Err(TilePathError) }
    }
}

/// What a path says, however it is spelled.
fn read(text: &str) -> Option<TileId> {
    let (level, place) = text.strip_prefix("tile/")?.split_once('/')?;
    let level = match level {
        "entries" => TileLevel::Entries,
        level => TileLevel::Hashes(level.parse().ok().filter(|level| *level <= LEVEL_MOST)?),
    };
    let (place, width) = match place.split_once(".p/") {
        Some((place, width)) => (place, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?),
        None => (place, TILE_WIDTH),
    };
    let mut index = 0_u64;
    for group in place.split('/') {
        let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index = index.checked_mul(1_000)?.checked_add(group)?;
    }
    Some(TileId { level, index, width })
}

/// Why a text is no path of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the path of a tile is `tile/LEVEL/INDEX` or `tile/entries/INDEX`, the index in groups as `x001/067`, `.p/WIDTH` behind"
)]
pub struct TilePathError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        for (level, index, size, path) in [
            (TileLevel::Hashes(0), 0, 256, "tile/0/000"),
            (TileLevel::Hashes(0), 1_234_067, u64::MAX, "tile/0/x001/x234/067"),
            (TileLevel::Hashes(1), 1, 70_000, "tile/1/001.p/17"),
            (TileLevel::Hashes(2), 0, 70_000, "tile/2/000.p/1"),
            (TileLevel::Entries, 273, 70_000, "tile/entries/273.p/112"),
            (TileLevel::Entries, 1_000, 256_001, "tile/entries/x001/000.p/1"),
        ] {
            let id = TileId::at(level, index, size).unwrap();
            assert_eq!((id.to_string().as_str(), path.parse()), (path, Ok(id)));
        }
        assert_eq!(TileId::at(TileLevel::Hashes(1), 0, 255), None);
        assert_eq!(TileId::at(TileLevel::Entries, 0, 0), None);
        assert_eq!(TileId::at(TileLevel::Hashes(0), u64::MAX, u64::MAX), None);
        assert_eq!(TileId::at(TileLevel::Hashes(63), 0, u64::MAX), None);
    }

    #[test]
    fn what_is_spelled_otherwise_is_no_path() {
        for text in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "/tile/0/000",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/8/0/000",
            "tile/0/x000/067",
            "tile/0/001/067",
            "tile/0/x001/x067",
            "tile/0/x001067",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/08",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/000/",
            "tile/0/+00",
            "tile/entry/000",
            "tile/0/000.p/8/",
            "tile/0/000 ",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(text.parse::<TileId>(), Err(TilePathError), "{text}");
        }
    }

    #[test]
    fn a_tree_of_seventy_thousand_has_the_tiles_that_the_specification_counts() {
        let of = |wanted: TileLevel| {
            TileId::of_tree(70_000).filter(move |id| id.level() == wanted).collect::<Vec<_>>()
        };
        let widths = |tiles: &[TileId]| {
            (tiles.iter().filter(|id| id.is_full()).count(), tiles.last().map(TileId::width))
        };
        assert_eq!(widths(&of(TileLevel::Entries)), (273, Some(112)));
        assert_eq!(widths(&of(TileLevel::Hashes(0))), (273, Some(112)));
        assert_eq!(widths(&of(TileLevel::Hashes(1))), (1, Some(17)));
        assert_eq!(widths(&of(TileLevel::Hashes(2))), (0, Some(1)));
        assert_eq!(of(TileLevel::Hashes(3)), []);
        assert_eq!(TileId::of_tree(0).count(), 0);
    }

    #[test]
    fn what_is_new_in_a_tree_is_what_the_old_one_had_not() {
        for (old, new) in [(0, 1), (1, 1), (5, 255), (255, 256), (256, 257), (300, 70_000), (65_535, 65_537)]
        {
            let had: Vec<TileId> = TileId::of_tree(old).collect();
            let expected: Vec<TileId> = TileId::of_tree(new).filter(|id| !had.contains(id)).collect();
            assert_eq!(TileId::new_in(old, new).collect::<Vec<_>>(), expected, "{old} {new}");
        }
    }
}
