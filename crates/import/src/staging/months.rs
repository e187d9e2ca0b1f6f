//! Days that are all in one month, as they are if day and month were exchanged in days that begin months.

use lango_privacy::DaysOfMonths;
use rusqlite::types::ValueRef;

use super::{FIRST, Staging, quoted};
use crate::{ImportError, schema::Target};

/// The search for such columns.
#[derive(Debug)]
pub(crate) struct Months {
    /// The positions of the columns of days.
    days: Vec<usize>,
    /// For each file, the days of each of these columns.
    of_files: Vec<Vec<DaysOfMonths>>,
    file: usize,
}

impl Months {
    pub(super) fn of(columns: &[Target], files: usize) -> Self {
        let days = columns.iter().enumerate().skip(1);
        let days: Vec<usize> =
            days.filter(|(_, target)| target.field_type.is_day()).map(|(at, _)| at).collect();
        Self { of_files: vec![vec![DaysOfMonths::default(); days.len()]; files], days, file: 0 }
    }

    pub(super) fn need_nothing(&self) -> bool {
        self.days.is_empty()
    }

    pub(super) fn pass_row<'a, E>(
        &mut self,
        value_in: &impl Fn(usize) -> Result<ValueRef<'a>, E>,
    ) -> Result<(), E> {
        let Some(of_file) = self.of_files.get_mut(self.file) else { return Ok(()) };
        for (days, column) in of_file.iter_mut().zip(&self.days) {
            if let ValueRef::Text(day) = value_in(*column)? {
                days.add(day, 1);
            }
        }
        Ok(())
    }

    pub(super) fn begin(&mut self, file: usize) {
        self.file = file;
    }

    /// The days of a column in a file, or in all.
    fn days(&self, column: usize, file: Option<usize>) -> DaysOfMonths {
        let mut days = DaysOfMonths::default();
        let Some(at) = self.days.iter().position(|position| *position == column) else { return days };
        for (number, of_file) in self.of_files.iter().enumerate() {
            if file.is_none_or(|file| file == number) {
                of_file.get(at).into_iter().for_each(|of_column| days.absorb(of_column));
            }
        }
        days
    }
}

impl Staging {
    /// How many of the days of a column, by its position, in a file or in all, whose rows are these, counted from 1, are on the
    /// first twelve of one month, where nearly all are; with the numbers of the first rows of such.
    pub(crate) fn in_one_month(
        &self,
        months: &Months,
        (column, name): (usize, &str),
        file: Option<usize>,
        (first, last): (u64, u64),
    ) -> Result<(u64, Vec<u64>), ImportError> {
        match months.days(column, file).in_one_month() {
            Some((month, count)) => {
                let rows = self.first_in_month(name, month, first, last);
                Ok((count, rows.map_err(|error| self.failed(error))?))
            }
            None => Ok((0, Vec::new())),
        }
    }

    /// No rows where no name of the rows' own numbers is free.
    fn first_in_month(
        &self,
        column: &str,
        month: usize,
        first: u64,
        last: u64,
    ) -> rusqlite::Result<Vec<u64>> {
        let Some(rowid) = self.rowid() else { return Ok(Vec::new()) };
        let (column, staging) = (quoted(column), quoted(&self.staging));
        let sql = format!(
            "SELECT {rowid} FROM {staging} NOT INDEXED WHERE {rowid} BETWEEN ? AND ?
             AND {column} GLOB '????-{month:02}-??' AND substr({column}, 9) BETWEEN '01' AND '12' LIMIT {FIRST}"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([first.cast_signed(), last.cast_signed()], |row| {
            Ok(row.get::<_, i64>(0)?.unsigned_abs())
        })?;
        rows.collect()
    }
}
