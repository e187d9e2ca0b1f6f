//! Rows that hold the sum of the numbers above them: the totals of a report's parts, among the rows of units.

use rusqlite::types::ValueRef;

use super::{FIRST, Staging, ends::NUMBERS_LEAST, quoted};
use crate::{ImportError, schema::Target};

/// The numbers of a column since its last sum.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    sum: i128,
    /// Those that are not 0.
    count: i64,
}

impl Sum {
    /// Adds a number; true if it is the sum of those before it, and then the next sum begins.
    fn pass(&mut self, number: i64) -> bool {
        if number > 0 && self.count >= NUMBERS_LEAST && i128::from(number) == self.sum {
            *self = Self::default();
            return true;
        }
        self.sum += i128::from(number);
        self.count += i64::from(number != 0);
        false
    }
}

/// The search for such rows.
#[derive(Debug)]
pub(crate) struct Sums {
    /// The positions of the columns of numbers.
    numbers: Vec<usize>,
    of_file: Vec<Sum>,
    /// Rows so far.
    rows: u64,
    /// The numbers of rows that hold a sum, counted from 1 through all files, each with the column that does.
    found: Vec<(u64, usize)>,
}

impl Sums {
    pub(super) fn of(columns: &[Target]) -> Self {
        let numbers = columns.iter().enumerate().skip(1);
        let numbers: Vec<usize> =
            numbers.filter(|(_, target)| target.field_type.is_number()).map(|(at, _)| at).collect();
        Self { of_file: vec![Sum::default(); numbers.len()], numbers, rows: 0, found: Vec::new() }
    }

    pub(super) fn need_nothing(&self) -> bool {
        self.numbers.is_empty()
    }

    pub(super) fn pass_row<'a, E>(
        &mut self,
        value_in: &impl Fn(usize) -> Result<ValueRef<'a>, E>,
    ) -> Result<(), E> {
        self.rows += 1;
        for (sum, column) in self.of_file.iter_mut().zip(&self.numbers) {
            if let ValueRef::Integer(number) = value_in(*column)?
                && sum.pass(number)
            {
                self.found.push((self.rows, *column));
            }
        }
        Ok(())
    }

    /// A sum is one of numbers of its own file.
    pub(super) fn begin(&mut self) {
        self.of_file.fill(Sum::default());
    }
}

impl Staging {
    /// How many of these rows, which are counted from 1 and all of one file, hold the sum of the numbers between the sum before
    /// them and themselves, and the numbers of the first of them. One sum is a chance, unless the row lacks a code or a day,
    /// another of its numbers is a sum too, or its column has another sum. One in the last row alone is found by
    /// [`Staging::edge_row`].
    pub(crate) fn subtotals(
        &self,
        sums: &Sums,
        first: u64,
        last: u64,
    ) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_subtotals(sums, first, last).map_err(|error| self.failed(error))
    }

    fn try_subtotals(&self, sums: &Sums, first: u64, last: u64) -> rusqlite::Result<(u64, Vec<u64>)> {
        let from = |row| sums.found.partition_point(|(found, _)| *found < row);
        let found = sums.found.get(from(first)..from(last + 1)).unwrap_or_default();
        let (mut count, mut first_rows, mut before) = (0, Vec::new(), None);
        for (row, column) in found {
            let is_sure = found.iter().any(|other| (other.0 == *row) != (other.1 == *column))
                || self.lacks_label(*row)?;
            if is_sure && before != Some(*row) && (*row, found.len()) != (last, 1) {
                count += 1;
                if first_rows.len() < FIRST {
                    first_rows.push(*row);
                }
            }
            before = Some(*row);
        }
        Ok(if first_rows == [last] { (0, Vec::new()) } else { (count, first_rows) })
    }

    /// Whether a row lacks a code or a day; false where no name of the rows' own numbers is free.
    fn lacks_label(&self, row: u64) -> rusqlite::Result<bool> {
        let Some(rowid) = self.rowid() else { return Ok(false) };
        let sql = format!("SELECT * FROM {} WHERE {rowid} = ?", quoted(&self.staging));
        self.connection.query_row(&sql, [row.cast_signed()], |row| Ok(self.labels(row)?.lacks_one))
    }
}
