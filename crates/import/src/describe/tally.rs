//! What is counted of a column while its values go by.

use super::{
    DescribedColumn, ValueShape,
    days::DayTally,
    missing::{MissingWords, apart},
    numbers::NumberTally,
    values::{DistinctValues, ROWS_SHOWN_LEAST},
};
use crate::value::trimmed;

/// The share of a column's values that must be of one shape for the column to be: others are mistakes.
const SHAPED_PER_CENT: u64 = 95;
/// The fewest values of eight digits that are taken for days, if all of them can be days.
const DAYS_WITHOUT_MARKS_LEAST: u64 = 20;

const TRUTHS: &[&str] = &["true", "false", "t", "f", "yes", "no", "y", "n", "oui", "non"];

/// The values of a column, as far as they were read.
pub(super) struct ColumnTally {
    blank: u64,
    /// Neither blank nor a word that says that a value is missing.
    present: u64,
    words: MissingWords,
    pub(super) numbers: NumberTally,
    pub(super) days: DayTally,
    values: DistinctValues,
    is_flat: bool,
}

/// The shape of most values, as far as it does not depend on how numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoughShape {
    Numbers,
    Days,
    Other,
}

impl ColumnTally {
    /// For a column of a file that has this number of them; `is_flat` unless it cannot be read.
    pub(super) fn new(columns: usize, is_flat: bool) -> Self {
        Self {
            blank: 0,
            present: 0,
            words: MissingWords::default(),
            numbers: NumberTally::default(),
            days: DayTally::default(),
            values: DistinctValues::new(columns),
            is_flat,
        }
    }

    pub(super) fn add_blank(&mut self) {
        self.blank += 1;
    }

    /// Counts a value that is not blank, without the blanks around it.
    pub(super) fn add(&mut self, value: &[u8], hash: u64, typed: bool) {
        self.values.add(hash, value);
        if self.words.add(value) {
            return;
        }
        self.present += 1;
        self.numbers.add(value, typed);
        self.days.add(value, typed);
    }

    /// Makes a column unreadable, which is nested in a later file.
    pub(super) fn is_not_flat(&mut self) {
        self.is_flat = false;
    }

    pub(super) fn rough_shape(&self) -> RoughShape {
        let (days, numbers) = (self.days.most(false), self.most_numbers());
        let all_are_days = days == self.present && self.present >= DAYS_WITHOUT_MARKS_LEAST;
        if self.is_most(self.days.most(true)) || (all_are_days && self.is_flat) {
            RoughShape::Days
        } else if self.is_most(numbers) {
            RoughShape::Numbers
        } else {
            RoughShape::Other
        }
    }

    /// Whether its values are days in two notations.
    pub(super) fn has_mixed_days(&self) -> bool {
        self.is_flat && self.is_most(self.days.with_marks()) && self.days.are_mixed()
    }

    fn most_numbers(&self) -> u64 {
        self.numbers.counts().into_iter().max().unwrap_or(0)
    }

    fn is_most(&self, count: u64) -> bool {
        count > 0 && count >= (self.present * SHAPED_PER_CENT).div_ceil(100)
    }

    /// What a column is whose numbers are written in one of the ways of numbers; `is_open` where others fit the file as well.
    pub(super) fn described(
        self,
        name: String,
        (way, is_open): (usize, bool),
        unique: Option<u64>,
    ) -> DescribedColumn {
        let rough = self.rough_shape();
        // A column whose numbers are written in another way than the others' is described as it is written.
        let (counts, most) = (self.numbers.counts(), self.most_numbers());
        let way = if counts.get(way) == Some(&most) || !self.numbers.has_marks() {
            way
        } else {
            counts.iter().position(|count| *count == most).unwrap_or(way)
        };
        let shape = match rough {
            _ if !self.is_flat => ValueShape::Nested,
            _ if self.present == 0 => ValueShape::Nothing,
            RoughShape::Days => ValueShape::Day { has_times: self.days.has_times },
            RoughShape::Numbers => match self.numbers.decimals(way) {
                0 => ValueShape::Whole { has_zeros_in_front: self.numbers.has_zeros_in_front },
                decimals => ValueShape::Decimal { decimals },
            },
            RoughShape::Other if self.are_truths() => ValueShape::Truth,
            RoughShape::Other => ValueShape::Text,
        };
        let read = match rough {
            RoughShape::Days => self.days.most(false),
            RoughShape::Numbers => counts.get(way).copied().unwrap_or(most),
            RoughShape::Other => self.present,
        };
        let likely_thousands = is_open
            && rough == RoughShape::Numbers
            && self.numbers.has_marks()
            && counts.get(way) == Some(&most);
        let word_rows = self.words.counted().map(|(_, rows)| rows).sum();
        let words = self.words.counted().map(|(word, rows)| (word.to_owned(), rows));
        let (for_none, others) = self.numbers.for_none(way);
        let for_none = apart(&for_none, others).map(|(number, rows)| (number.to_string(), rows));
        let for_none = for_none.filter(|_| rough == RoughShape::Numbers);
        let missing = words.chain(for_none).filter(|(_, rows)| *rows >= ROWS_SHOWN_LEAST).collect();
        DescribedColumn {
            name,
            blank: self.blank,
            shape,
            others: self.present - read,
            missing,
            word_rows,
            likely_thousands,
            unique,
            values: self.values,
            is_twice: false,
        }
    }

    fn are_truths(&self) -> bool {
        let truth = |text: &str| TRUTHS.iter().any(|truth| truth.eq_ignore_ascii_case(text));
        self.values.among(truth).is_some_and(|(count, rows)| rows == self.present && count <= 4)
    }
}

/// A value without the blanks around it, unless nothing is left.
pub(super) fn present(field: &[u8]) -> Option<&[u8]> {
    Some(trimmed(field)).filter(|value| !value.is_empty())
}
