//! Identifiers that are counted from the beginning again, in each file, district or area: one number for many units.

use rusqlite::types::{Value, ValueRef};

use super::{FIRST, Staging, quoted};
use crate::ImportError;

/// A count begins at the first number of all, or so near to it.
const NEAR: u64 = 20;
/// Rows, and numbers in any order, from which those of a count are no chance.
const ROWS_LEAST: u64 = 40;

impl Staging {
    /// On which rows identifiers are counted from the beginning again, if they are nothing but counts that leave few numbers out:
    /// in their order, each begins near the first of all; in another order, the small numbers stand on more rows than the large
    /// ones, for the counts do not end at one number. With the numbers of the first such rows, counted from 1.
    pub(crate) fn counted_again(&self, rows: u64) -> Result<(u64, Vec<u64>), ImportError> {
        let found = self.in_order().and_then(|found| found.map_or_else(|| self.in_any_order(rows), Ok));
        found.map_err(|error| self.failed(error))
    }

    /// `None` where the numbers are in no order of counts.
    fn in_order(&self) -> rusqlite::Result<Option<(u64, Vec<u64>)>> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let mut statement = self.connection.prepare(&format!("SELECT {unit} FROM {staging} NOT INDEXED"))?;
        let mut found = statement.query([])?;
        let (mut count, mut rows, mut number) = (0, Vec::new(), 0);
        let mut counts: Option<(Vec<u8>, u64, Count)> = None;
        while let Some(row) = found.next()? {
            number += 1;
            let Some((mark, value)) = counted(row.get_ref(0)?) else { return Ok(None) };
            let (first_mark, first, run) =
                counts.get_or_insert_with(|| (mark.clone(), value, Count::from(value)));
            if mark != *first_mark {
                return Ok(None);
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
                return Ok(None);
            }
        }
        let is_dense = counts.is_some_and(|(_, _, run)| run.is_dense()) && number >= ROWS_LEAST;
        Ok(Some(if is_dense { (count, rows) } else { (0, Vec::new()) }))
    }

    fn in_any_order(&self, rows: u64) -> rusqlite::Result<(u64, Vec<u64>)> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let none = || (0, Vec::new());
        let mut statement = self.connection.prepare(&format!(
            "SELECT {unit}, count(*) FROM {staging} WHERE {unit} IS NOT NULL GROUP BY {unit}"
        ))?;
        let mut found = statement.query([])?;
        let (mut marks, mut numbers, mut rows_of) = (Vec::new(), 0, Vec::new());
        let mut first: Option<(usize, Value)> = None;
        while let Some(row) = found.next()? {
            let Some((mark, value)) = counted(row.get_ref(0)?) else { return Ok(none()) };
            if numbers == 0 {
                marks = mark;
            } else if mark != marks {
                return Ok(none());
            }
            numbers += 1;
            // A count that leaves few numbers out comes no further.
            let place = usize::try_from(value).ok().filter(|_| value <= rows * 5 / 4 + NEAR);
            let Some(place) = place else { return Ok(none()) };
            if rows_of.len() <= place {
                rows_of.resize(place + 1, 0_u32);
            }
            if let Some(rows) = rows_of.get_mut(place) {
                *rows = rows.saturating_add(row.get(1)?);
            }
            if first.as_ref().is_none_or(|(least, _)| place < *least) {
                first = Some((place, row.get(0)?));
            }
        }
        let Some((least, first)) = first.filter(|_| numbers >= ROWS_LEAST) else { return Ok(none()) };
        let counts: Vec<u32> = rows_of.into_iter().skip(least).collect();
        let is_dense = (counts.len() as u64) * 4 <= numbers * 5 + 8;
        if !is_dense || !descends(&counts.into_iter().filter(|rows| *rows > 0).collect::<Vec<_>>()) {
            return Ok(none());
        }
        let (count, rows) =
            self.rows_of(&format!("SELECT {unit} IS ? FROM {staging} NOT INDEXED"), [first])?;
        Ok((count.saturating_sub(1), rows.into_iter().skip(1).collect()))
    }
}

/// Whether the rows of each number, in the numbers' order, become fewer, with hardly a rise: nothing else than counts that end at
/// different numbers is likely to be so.
fn descends(rows: &[u32]) -> bool {
    let rises = rows.windows(2).filter(|pair| matches!(pair, [one, next] if next > one)).count();
    let quarter = rows.len() / 4;
    let sum = |rows: &[u32]| rows.iter().map(|rows| u64::from(*rows)).sum::<u64>();
    let first = rows.get(..quarter).map_or(0, sum);
    let last = rows.get(rows.len() - quarter..).map_or(0, sum);
    rises * 20 <= rows.len() && first * 2 >= last * 3
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

    /// Whether it leaves out no more than one number in five, and a few.
    fn is_dense(&self) -> bool {
        (self.last - self.first) * 4 <= self.numbers * 5 + 8
    }
}

/// The number at the end of an identifier, below 10^15, and what stands before it.
fn counted(identifier: ValueRef<'_>) -> Option<(Vec<u8>, u64)> {
    let text = match identifier {
        ValueRef::Integer(value) => return Some((Vec::new(), u64::try_from(value).ok()?)),
        ValueRef::Text(text) => text,
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => return None,
    };
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (mark, digits) = text.split_at_checked(text.len() - digits).filter(|_| (1..=15).contains(&digits))?;
    let value = digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some((mark.to_owned(), value))
}
