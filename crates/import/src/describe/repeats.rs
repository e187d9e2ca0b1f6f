//! Which columns have another value on every row, in bounded memory.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

/// The most hashes that are kept, those of all columns together: as many as fill a table of 2^23 places, about 120 MB while it
/// grows.
const HASHES_MOST: usize = 7 << 20;

/// A set or map of hashes, which need not be hashed once more.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(super) type HashedState = BuildHasherDefault<Hashed>;

/// The values of each column whose values have all been different, by their keyed hashes. Where there are too many, each second
/// value is forgotten, and from then on each second one is not noted: a repeat among the others is still found.
pub(super) struct Repeats {
    /// A value is noted if this many bits of its hash are 0.
    level: u32,
    most: usize,
    kept: usize,
    columns: Vec<Option<HashSet<u64, HashedState>>>,
}

impl Repeats {
    pub(super) fn new(columns: usize) -> Self {
        Self::with_room(columns, HASHES_MOST)
    }

    fn with_room(columns: usize, most: usize) -> Self {
        Self { level: 0, most, kept: 0, columns: vec![Some(HashSet::default()); columns] }
    }

    /// Notes a value of a column.
    pub(super) fn add(&mut self, column: usize, hash: u64) {
        if !is_noted(hash, self.level) {
            return;
        }
        let Some(Some(values)) = self.columns.get_mut(column) else { return };
        if !values.insert(hash) {
            return self.drop(column);
        }
        self.kept += 1;
        if self.kept > self.most {
            self.level += 1;
            for values in self.columns.iter_mut().flatten() {
                values.retain(|hash| is_noted(*hash, self.level));
                values.shrink_to_fit();
            }
            self.kept = self.columns.iter().flatten().map(HashSet::len).sum();
        }
    }

    /// Forgets a column, which has a value twice or a row without one.
    pub(super) fn drop(&mut self, column: usize) {
        if let Some(values) = self.columns.get_mut(column).and_then(Option::take) {
            self.kept -= values.len();
        }
    }

    /// Of a column in which no value was found twice, and that was not forgotten: one in how many values were compared.
    pub(super) fn unique(&self, column: usize) -> Option<u64> {
        let unique = self.columns.get(column).is_some_and(Option::is_some);
        unique.then(|| 1_u64.checked_shl(self.level).unwrap_or(u64::MAX))
    }
}

/// By bits that neither choose a place in a table nor keep values in it apart.
fn is_noted(hash: u64, level: u32) -> bool {
    (hash >> 28).trailing_zeros() >= level
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that are all different: an odd factor permutes 64 bits.
    fn hash(n: u64) -> u64 {
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn a_column_is_unique_until_its_first_repeat_or_gap() {
        let mut repeats = Repeats::with_room(3, 100);
        for n in 0..10 {
            repeats.add(0, hash(n));
            repeats.add(1, hash(n % 9));
            repeats.add(2, hash(n));
        }
        repeats.drop(2);
        assert_eq!([0, 1, 2, 3].map(|column| repeats.unique(column)), [Some(1), None, None, None]);
        assert_eq!(repeats.kept, 10);
    }

    #[test]
    fn beyond_the_bound_a_part_of_the_values_is_compared() {
        let mut repeats = Repeats::with_room(2, 1_000);
        for n in 0..10_000 {
            repeats.add(0, hash(n));
            repeats.add(1, hash(n));
            assert!(repeats.kept <= 1_000);
        }
        assert_eq!(repeats.unique(0), Some(32));
        // Of many repeats one is found.
        for n in 9_000..10_000 {
            repeats.add(1, hash(n));
        }
        assert_eq!((repeats.unique(0), repeats.unique(1)), (Some(32), None));
    }
}
