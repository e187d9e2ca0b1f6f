//! Identifiers that are counted from the beginning again, in each file, district or area: one number for many units.

use rusqlite::types::ValueRef;

use super::{FIRST, Staging};
use crate::ImportError;

/// A count begins at the first number of all, or so near to it.
pub(super) const NEAR: u64 = 20;
/// Rows, and numbers in any order, from which those of a count are no chance.
pub(super) const ROWS_LEAST: u64 = 40;
/// From which agreement of its rows on an identifier is one unit's: of two units that share it, half of the pairs of rows are
/// one's.
const HOLDS: f64 = 0.8;
/// Numbers from here on count nothing.
const NUMBER_MOST: u64 = 1_000_000_000_000_000;

impl Staging {
    /// On which rows identifiers are counted from the beginning again, if they are nothing but counts that leave few numbers out,
    /// and the rows of one number are not one unit's, as in a panel they are: in their order, each begins near the first of all;
    /// in another order, the small numbers stand on more rows than the large ones, for the counts do not end at one number. With
    /// the numbers of the first such rows, counted from 1. Numbers of areas and of what is in them are found by
    /// [`Staging::areas_again`], and counts that leave many numbers out by [`Staging::strangers`]; it takes the rows of each
    /// file.
    pub(crate) fn counted_again(&self, of_files: &[u64]) -> Result<(u64, Vec<u64>), ImportError> {
        let found = self.dense_again().and_then(|found| match found {
            (0, _) => self.strangers(of_files),
            found => Ok(found),
        });
        found.map_err(|error| self.failed(error))
    }

    fn dense_again(&self) -> rusqlite::Result<(u64, Vec<u64>)> {
        let (found, is_clear) = match self.in_order()? {
            Some(found) => (found, true),
            None => match self.in_any_order()? {
                ((0, _), _) => (self.areas_again()?, true),
                found => found,
            },
        };
        if found.0 == 0 {
            return Ok(found);
        }
        // Small numbers may be those of units that came first: rows that contradict one another show that they are not.
        let is_refuted = match self.holding()? {
            Some(holding) => holding > HOLDS,
            None => !is_clear,
        };
        Ok(if is_refuted { (0, Vec::new()) } else { found })
    }

    /// `None` where the numbers are in no order of counts. Rows without identifier are passed over.
    fn in_order(&self) -> rusqlite::Result<Option<(u64, Vec<u64>)>> {
        let (mut count, mut rows, mut number) = (0, Vec::new(), 0);
        let mut counts: Option<(Vec<u8>, u64, Count)> = None;
        let are_in_order = self.each_identifier(&mut |identifier| {
            number += 1;
            if identifier == ValueRef::Null {
                return true;
            }
            let Some((mark, value)) = counted(identifier) else { return false };
            let (first_mark, first, run) =
                counts.get_or_insert_with(|| (mark.to_owned(), value, Count::from(value)));
            if mark != *first_mark {
                return false;
            }
            if value >= run.last {
                run.add(value);
            } else if run.is_dense() && value.abs_diff(*first) <= NEAR {
                *run = Count::from(value);
                count += 1;
                if rows.len() < FIRST {
                    rows.push(number);
                }
            } else {
                return false;
            }
            true
        })?;
        if !are_in_order {
            return Ok(None);
        }
        let is_dense = counts.is_some_and(|(_, _, run)| run.is_dense()) && number >= ROWS_LEAST;
        Ok(Some(if is_dense { (count, rows) } else { (0, Vec::new()) }))
    }

    /// With whether the rows become fewer with hardly a rise, which is no chance.
    fn in_any_order(&self) -> rusqlite::Result<((u64, Vec<u64>), bool)> {
        let none = ((0, Vec::new()), false);
        let Some((first, last)) = self.ends_of_numbers()? else { return Ok(none) };
        let rows = self.rows_of_numbers(first, last)?;
        let numbers = rows.iter().filter(|rows| **rows > 0).count();
        let count = Count { first, last, numbers: numbers as u64 };
        if !count.is_dense() || count.numbers < ROWS_LEAST {
            return Ok(none);
        }
        let (quarter, mut at, mut before) = (numbers / 4, 0, u16::MAX);
        let (mut rises, mut in_first, mut in_last) = (0, 0, 0);
        for rows in rows.into_iter().filter(|rows| *rows > 0) {
            rises += u64::from(rows > before);
            in_first += if at < quarter { u64::from(rows) } else { 0 };
            in_last += if at >= numbers - quarter { u64::from(rows) } else { 0 };
            (before, at) = (rows, at + 1);
        }
        // Half as many rows again stand on the first quarter of the numbers as on the last.
        if in_first * 2 < in_last * 3 {
            return Ok(none);
        }
        let mut has_begun = false;
        let begun = self.rows_with(&mut |identifier| {
            let is_first = counted(identifier).is_some_and(|(_, value)| value == first);
            is_first && std::mem::replace(&mut has_begun, true)
        })?;
        Ok((begun, rises * 20 <= count.numbers))
    }

    /// The least and the largest number, if all identifiers are numbers behind one mark, and enough to leave few out.
    fn ends_of_numbers(&self) -> rusqlite::Result<Option<(u64, u64)>> {
        let (mut first_mark, mut rows, mut ends) = (None, 0, (u64::MAX, 0));
        let are_numbers = self.each_identifier(&mut |identifier| {
            if identifier == ValueRef::Null {
                return true;
            }
            let Some((mark, value)) = counted(identifier) else { return false };
            if mark != first_mark.get_or_insert_with(|| mark.to_owned()).as_slice() {
                return false;
            }
            rows += 1;
            ends = (ends.0.min(value), ends.1.max(value));
            true
        })?;
        let (first, last) = ends;
        Ok(Some(ends).filter(|_| are_numbers && rows > 0 && is_dense(first, last, rows)))
    }

    /// For each number from the first to the last on how many rows it stands, up to what two bytes hold.
    fn rows_of_numbers(&self, first: u64, last: u64) -> rusqlite::Result<Vec<u16>> {
        let mut rows = vec![0_u16; usize::try_from(last - first).unwrap_or(usize::MAX).saturating_add(1)];
        self.each_identifier(&mut |identifier| {
            let at = counted(identifier).and_then(|(_, value)| usize::try_from(value - first).ok());
            if let Some(rows) = at.and_then(|at| rows.get_mut(at)) {
                *rows = rows.saturating_add(1);
            }
            true
        })?;
        Ok(rows)
    }
}

/// Numbers that do not descend.
struct Count {
    first: u64,
    last: u64,
    numbers: u64,
}

impl Count {
    fn from(first: u64) -> Self {
        Self { first, last: first, numbers: 1 }
    }

    fn add(&mut self, value: u64) {
        self.numbers += u64::from(value > self.last);
        self.last = value;
    }

    fn is_dense(&self) -> bool {
        is_dense(self.first, self.last, self.numbers)
    }
}

/// Whether some numbers leave out no more than one number in five, and a few.
pub(super) fn is_dense(first: u64, last: u64, numbers: u64) -> bool {
    (last - first) * 4 <= numbers * 5 + 8
}

/// The number at the end of an identifier, below 10^15, and what stands before it.
pub(super) fn counted(identifier: ValueRef<'_>) -> Option<(&[u8], u64)> {
    let text = match identifier {
        ValueRef::Integer(value) => {
            return Some((&[], u64::try_from(value).ok().filter(|value| *value < NUMBER_MOST)?));
        }
        ValueRef::Text(text) => text,
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => return None,
    };
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (mark, digits) = text.split_at_checked(text.len() - digits).filter(|_| (1..=15).contains(&digits))?;
    Some((mark, number(digits)))
}

/// The number that digits write.
pub(super) fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
}
