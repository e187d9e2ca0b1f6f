//! Rows that hold the sum of the numbers above them: the totals of a report's parts, among the rows of units.

use rusqlite::types::ValueRef;

use super::{FIRST, Staging, ends::NUMBERS_LEAST, quoted};
use crate::ImportError;

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

impl Staging {
    /// How many of these rows, which are counted from 1 and all of one file, hold the sum of the numbers between the sum before
    /// them and themselves, and the numbers of the first of them. One sum is a chance, unless the row lacks a code or a day,
    /// another of its numbers is a sum too, or its column has another sum. One in the last row alone is found by
    /// [`Staging::edge_row`].
    pub(crate) fn subtotals(&self, first: u64, last: u64) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_subtotals(first.cast_signed(), last.cast_signed()).map_err(|error| self.failed(error))
    }

    fn try_subtotals(&self, first: i64, last: i64) -> rusqlite::Result<(u64, Vec<u64>)> {
        let none = (0, Vec::new());
        let numbers = self.schema.columns.iter().skip(1).filter(|target| target.field_type.is_number());
        let numbers: Vec<String> = numbers.map(|target| quoted(&target.name)).collect();
        let Some(rowid) = self.rowid().filter(|_| !numbers.is_empty()) else { return Ok(none) };
        let staging = quoted(&self.staging);
        let sql = format!(
            "SELECT {rowid}, {} FROM {staging} NOT INDEXED WHERE {rowid} BETWEEN ? AND ?",
            numbers.join(", ")
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([first, last])?;
        let mut sums = vec![Sum::default(); numbers.len()];
        let mut found: Vec<(i64, usize)> = Vec::new();
        while let Some(row) = rows.next()? {
            for (column, sum) in sums.iter_mut().enumerate() {
                if let ValueRef::Integer(number) = row.get_ref(column + 1)?
                    && sum.pass(number)
                {
                    found.push((row.get(0)?, column));
                }
            }
        }
        let (mut count, mut first_rows, mut before) = (0, Vec::new(), None);
        for (row, column) in &found {
            let is_sure = found.iter().any(|other| (other.0 == *row) != (other.1 == *column))
                || self.lacks_label(rowid, *row)?;
            if is_sure && before != Some(*row) && (*row, found.len()) != (last, 1) {
                count += 1;
                if first_rows.len() < FIRST {
                    first_rows.push(row.unsigned_abs());
                }
            }
            before = Some(*row);
        }
        Ok(if first_rows == [last.unsigned_abs()] { none } else { (count, first_rows) })
    }

    /// Whether a row lacks a code or a day.
    fn lacks_label(&self, rowid: &str, row: i64) -> rusqlite::Result<bool> {
        let sql = format!("SELECT * FROM {} WHERE {rowid} = ?", quoted(&self.staging));
        self.connection.query_row(&sql, [row], |row| Ok(self.labels(row)?.lacks_one))
    }
}
