//! Days that are all in one month, as they are if day and month were exchanged in days that begin months.

use lango_privacy::DaysOfMonths;
use rusqlite::types::ValueRef;

use super::{FIRST, Staging, quoted};
use crate::ImportError;

impl Staging {
    /// How many of the days of a column, in these rows, which are counted from 1, are on the first twelve of one month, where
    /// nearly all are; with the numbers of the first rows of such.
    pub(crate) fn in_one_month(
        &self,
        column: &str,
        first: u64,
        last: u64,
    ) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_in_one_month(column, first, last).map_err(|error| self.failed(error))
    }

    fn try_in_one_month(&self, column: &str, first: u64, last: u64) -> rusqlite::Result<(u64, Vec<u64>)> {
        let none = (0, Vec::new());
        let Some(rowid) = self.rowid() else { return Ok(none) };
        let (column, staging) = (quoted(column), quoted(&self.staging));
        let rows = format!("{rowid} BETWEEN {} AND {}", first.cast_signed(), last.cast_signed());
        let sql = format!("SELECT {column} FROM {staging} NOT INDEXED WHERE {rows}");
        let mut statement = self.connection.prepare(&sql)?;
        let (mut found, mut days) = (statement.query([])?, DaysOfMonths::default());
        while let Some(row) = found.next()? {
            if let ValueRef::Text(day) = row.get_ref(0)? {
                days.add(day, 1);
            }
        }
        let Some((month, count)) = days.in_one_month() else { return Ok(none) };
        let sql = format!(
            "SELECT {rowid} FROM {staging} NOT INDEXED WHERE {rows} AND {column} GLOB '????-{month:02}-??'
             AND substr({column}, 9) BETWEEN '01' AND '12' LIMIT {FIRST}"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))?;
        Ok((count, rows.collect::<Result<_, _>>()?))
    }
}
