//! Identifiers that lost the zeros in front of them in a part of the rows: one unit under two identifiers.

use super::{Staging, quoted};
use crate::ImportError;

impl Staging {
    /// How many identifiers of digits are another one without zeros in front of it, and the numbers of the first rows of such,
    /// in the file's order, counted from 1.
    pub(crate) fn lost_zeros(&self) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_lost_zeros().map_err(|error| self.failed(error))
    }

    fn try_lost_zeros(&self) -> rusqlite::Result<(u64, Vec<u64>)> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let of_digits = format!("{staging} WHERE {unit} NOT GLOB '*[^0-9]*'");
        // Of two that differ in zeros the longer one begins with 0. Where none is shorter than those, nothing is sorted.
        let zeros = format!("CASE WHEN {unit} GLOB '0*' THEN length({unit}) END");
        let sql = format!("SELECT max({zeros}) > min(length({unit})) FROM {of_digits}");
        if self.connection.query_row(&sql, [], |row| row.get::<_, Option<bool>>(0))? != Some(true) {
            return Ok((0, Vec::new()));
        }
        let sql = format!(
            "WITH widest AS MATERIALIZED (
                SELECT ltrim({unit}, '0') AS number, max(length({unit})) AS width FROM {of_digits}
                GROUP BY 1 HAVING min(length({unit})) < max(length({unit}))
            )
            SELECT length({staging}.{unit}) < widest.width FROM {staging} NOT INDEXED
            LEFT JOIN widest ON widest.number = ltrim({staging}.{unit}, '0')"
        );
        self.rows_of(&sql, [])
    }
}
