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

/// The distinct values of a column with the number of their rows, as long as they are few. It shows none that stands on fewer
/// rows than [`ROWS_SHOWN_LEAST`].
#[derive(Clone, PartialEq, Eq)]
pub struct DistinctValues {
    counted: HashMap<u64, Counted, HashedState>,
    most: usize,
    more: bool,
}

#[derive(Clone, PartialEq, Eq)]
struct Counted {
    rows: u64,
    /// Unless it is too long.
    text: Option<Box<str>>,
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
        Self { counted: HashMap::default(), most, more: false }
    }

    /// Counts a value, which is not blank.
    pub(super) fn add(&mut self, hash: u64, value: &[u8]) {
        if self.more {
            return;
        }
        if let Some(counted) = self.counted.get_mut(&hash) {
            counted.rows += 1;
        } else if self.counted.len() < self.most {
            let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= BYTES_MOST);
            self.counted.insert(hash, Counted { rows: 1, text: text.map(Into::into) });
        } else {
            self.more = true;
            self.counted = HashMap::default();
        }
    }

    /// How many there are, or the number that there are more than.
    pub fn count(&self) -> Result<usize, usize> {
        if self.more { Err(self.most) } else { Ok(self.counted.len()) }
    }

    /// The values that stand on enough rows to be shown, in the order of the alphabet, with the number of their rows; none
    /// where there are too many values.
    pub fn shown(&self) -> Vec<(&str, u64)> {
        let shown = self.counted.values().filter(|counted| counted.rows >= ROWS_SHOWN_LEAST);
        let mut shown: Vec<(&str, u64)> =
            shown.filter_map(|counted| Some((counted.text.as_deref()?, counted.rows))).collect();
        shown.sort_unstable();
        shown
    }

    /// How many distinct values, and how many rows with one, are among some texts; `None` where there are too many values.
    pub fn among(&self, is_among: impl Fn(&str) -> bool) -> Option<(usize, u64)> {
        let found = self.counted.values().filter(|counted| counted.text.as_deref().is_some_and(&is_among));
        (!self.more).then(|| found.fold((0, 0), |(count, rows), counted| (count + 1, rows + counted.rows)))
    }
}
