//! Identifiers, each counted once, however many rows it stands on.

use rusqlite::types::ValueRef;

use super::{Staging, quoted};
use crate::{
    ImportError,
    findings::{Findings, RowPlace},
    value::of_identifier,
};

impl Staging {
    /// What is noted of the identifiers of these rows, which are counted from 1, and how many identifiers there are.
    pub(crate) fn of_units(&self, first: u64, last: u64) -> Result<(Findings, u64), ImportError> {
        self.try_of_units(first, last).map_err(|error| self.failed(error))
    }

    fn try_of_units(&self, first: u64, last: u64) -> rusqlite::Result<(Findings, u64)> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let rows = self.rowid().map_or_else(String::new, |rowid| {
            format!("AND {rowid} BETWEEN {} AND {}", first.cast_signed(), last.cast_signed())
        });
        let sql = format!("SELECT DISTINCT {unit} FROM {staging} WHERE {unit} IS NOT NULL {rows}");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let (mut findings, mut units) = (Findings::default(), 0);
        while let Some(row) = rows.next()? {
            units += 1;
            if let ValueRef::Text(identifier) = row.get_ref(0)? {
                let identifier = of_identifier(identifier);
                for finding in identifier.noted.into_iter().chain(identifier.also.into_iter().flatten()) {
                    findings.add(finding, RowPlace { file: 0, line: 0 });
                }
            }
        }
        Ok((findings, units))
    }
}
