//! The distinct values of a column, as long as they are few.

use std::{collections::HashMap, fmt};

use super::repeats::HashedState;

/// The fewest rows of a value that is shown: one that stands on fewer may be somebody's alone.
pub const ROWS_SHOWN_LEAST: u64 = 20;

/// The most distinct values of a column that are counted.
const VALUES_MOST: usize = 1_000;
/// The same where the file has a great many columns, and the most of all columns together in a file that has fewer.
const VALUES_LEAST: usize = 64;
const VALUES_TOGETHER: usize = 200_000;
/// The most bytes of a value that can be a code or mean one.
const BYTES_MOST: usize = 256;
/// The parts of the values of which the number is estimated: an estimate errs by about 7 %.
const PARTS: usize = 256;

/// The distinct values of a column with the number of their rows, as long as they are few. It shows none that stands on fewer
/// rows than [`ROWS_SHOWN_LEAST`], or, where units were counted, for fewer units.
#[derive(Clone, PartialEq, Eq)]
pub struct DistinctValues {
    counted: HashMap<u64, Counted, HashedState>,
    most: usize,
    more: bool,
    /// For each part of the values, by their hashes, the most zeros that a hash begins with, and one more.
    zeros: Box<[u8; PARTS]>,
}

#[derive(Clone, PartialEq, Eq)]
struct Counted {
    rows: u64,
    /// Unless it is too long.
    text: Option<Box<str>>,
    /// As many units as it must stand for, where those were counted.
    is_shared: bool,
}

impl fmt::Debug for DistinctValues {
    /// Shows no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinctValues({} of {}, more: {})", self.counted.len(), self.most, self.more)
    }
}

impl DistinctValues {
    /// For a column of a file that has this number of them.
    pub(super) fn new(columns: usize) -> Self {
        let most = (VALUES_TOGETHER / columns.max(1)).clamp(VALUES_LEAST, VALUES_MOST);
        Self { counted: HashMap::default(), most, more: false, zeros: Box::new([0; PARTS]) }
    }

    /// Counts a value, which is not blank.
    pub(super) fn add(&mut self, hash: u64, value: &[u8]) {
        let zeros = (hash | 0xff).leading_zeros() as u8 + 1;
        if let Some(most) = self.zeros.get_mut(hash as usize % PARTS) {
            *most = zeros.max(*most);
        }
        if self.more {
            return;
        }
        if let Some(counted) = self.counted.get_mut(&hash) {
            counted.rows += 1;
        } else if self.counted.len() < self.most {
            let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= BYTES_MOST);
            self.counted.insert(hash, Counted { rows: 1, text: text.map(Into::into), is_shared: true });
        } else {
            self.more = true;
            self.counted = HashMap::default();
        }
    }

    /// How many there are, or the number that there are more than.
    pub fn count(&self) -> Result<usize, usize> {
        if self.more { Err(self.most) } else { Ok(self.counted.len()) }
    }

    /// About how many there are, also where they are too many to count (Flajolet et al. 2007, HyperLogLog).
    pub fn about(&self) -> u64 {
        let parts = PARTS as f64;
        let sum: f64 = self.zeros.iter().map(|zeros| 0.5_f64.powi(i32::from(*zeros))).sum();
        let estimate = 0.7213 / (1.0 + 1.079 / parts) * parts * parts / sum;
        self.count().map_or_else(|least| (estimate as u64).max(least as u64), |count| count as u64)
    }

    /// The values that stand on enough rows to be shown, in the order of the alphabet, with the number of their rows; none
    /// where there are too many values.
    pub fn shown(&self) -> Vec<(&str, u64)> {
        let shown = self.counted.values();
        let shown = shown.filter(|counted| counted.rows >= ROWS_SHOWN_LEAST && counted.is_shared);
        let mut shown: Vec<(&str, u64)> =
            shown.filter_map(|counted| Some((counted.text.as_deref()?, counted.rows))).collect();
        shown.sort_unstable();
        shown
    }

    /// Shows from now on, of the values that it shows, only those of which this is true.
    pub(super) fn keep_shown(&mut self, is_kept: impl Fn(&str) -> bool) {
        for counted in self.counted.values_mut() {
            counted.is_shared &= counted.text.as_deref().is_some_and(&is_kept);
        }
    }

    /// How many distinct values, and how many rows with one, are among some texts; `None` where there are too many values.
    pub fn among(&self, is_among: impl Fn(&str) -> bool) -> Option<(usize, u64)> {
        let found = self.counted.values().filter(|counted| counted.text.as_deref().is_some_and(&is_among));
        (!self.more).then(|| found.fold((0, 0), |(count, rows), counted| (count + 1, rows + counted.rows)))
    }
}
