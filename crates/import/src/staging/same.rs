//! Whether two files hold the same rows, however they are packed.

use super::{Staging, quoted};
use crate::ImportError;

impl Staging {
    /// Whether this number of rows from one on, counted from 1, are the same as those from another on, in their order.
    pub(crate) fn same_rows(&self, one: u64, other: u64, count: u64) -> Result<bool, ImportError> {
        self.try_same_rows(one, other, count).map_err(|error| self.failed(error))
    }

    fn try_same_rows(&self, one: u64, other: u64, count: u64) -> rusqlite::Result<bool> {
        let Some(rowid) = self.rowid().filter(|_| count > 0) else { return Ok(false) };
        let staging = quoted(&self.staging);
        let values = |of: &str| {
            let names = self.schema.columns.iter().map(|target| format!("{of}.{}", quoted(&target.name)));
            names.collect::<Vec<_>>().join(", ")
        };
        let sql = format!(
            "SELECT NOT EXISTS (
                SELECT 1 FROM {staging} AS one JOIN {staging} AS other ON other.{rowid} = one.{rowid} + ?
                WHERE one.{rowid} BETWEEN ? AND ? AND ({}) IS NOT ({})
            )",
            values("one"),
            values("other")
        );
        let parameters = [other - one, one, one + count - 1].map(u64::cast_signed);
        self.connection.query_row(&sql, parameters, |row| row.get(0))
    }
}
