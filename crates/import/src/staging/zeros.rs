//! Identifiers that lost the zeros in front of them in a part of the rows: one unit under two identifiers.

use rusqlite::{functions::FunctionFlags, types::ValueRef};

use super::{Staging, quoted};
use crate::ImportError;

/// Rows from which identifiers that differ in zeros alone are no chance.
const ROWS_LEAST: u64 = 10;

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
        self.shorter_ones(&of_digits, &|identifier| format!("ltrim({identifier}, '0')"))
    }

    /// The same of identifiers of letters, marks and digits, with the zeros of each of their numbers, where ten rows and more
    /// have such: `P8` and `P0008`, `EA1/H8` and `EA01/H008`.
    pub(crate) fn lost_inner_zeros(&self) -> Result<(u64, Vec<u64>), ImportError> {
        let found = self.try_lost_inner_zeros().map_err(|error| self.failed(error))?;
        Ok(if found.0 < ROWS_LEAST { (0, Vec::new()) } else { found })
    }

    fn try_lost_inner_zeros(&self) -> rusqlite::Result<(u64, Vec<u64>)> {
        let mut lengths = (usize::MAX, 0);
        self.each_identifier(&mut |identifier| {
            if let ValueRef::Text(text) = identifier {
                lengths = (lengths.0.min(text.len()), lengths.1.max(text.len()));
            }
            true
        })?;
        // All of one length have their zeros.
        if lengths.0 >= lengths.1 {
            return Ok((0, Vec::new()));
        }
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        self.connection.create_scalar_function("lango_unpadded", 1, flags, |text| {
            Ok(text.get_raw(0).as_bytes().map(unpadded).unwrap_or_default())
        })?;
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let of_numbers = format!("{staging} WHERE {unit} GLOB '*[0-9]*'");
        self.shorter_ones(&of_numbers, &|identifier| format!("lango_unpadded({identifier})"))
    }

    /// Rows of which the identifier is shorter than another one that is the same but for its zeros.
    fn shorter_ones(
        &self,
        rows: &str,
        without: &dyn Fn(&str) -> String,
    ) -> rusqlite::Result<(u64, Vec<u64>)> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let (of_all, of_row) = (without(&unit), without(&format!("{staging}.{unit}")));
        let sql = format!(
            "WITH widest AS MATERIALIZED (
                SELECT {of_all} AS number, max(length({unit})) AS width FROM {rows}
                GROUP BY 1 HAVING min(length({unit})) < max(length({unit}))
            )
            SELECT length({staging}.{unit}) < widest.width FROM {staging} NOT INDEXED
            LEFT JOIN widest ON widest.number = {of_row}"
        );
        self.rows_of(&sql, [])
    }
}

/// An identifier without the zeros in front of each of its numbers. A point stands between a number and its decimals, of which
/// none is left out.
fn unpadded(identifier: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(identifier.len());
    let mut before = None;
    for (at, byte) in identifier.iter().enumerate() {
        let is_in_front =
            !before.is_some_and(|byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
        let is_followed = identifier.get(at + 1).is_some_and(u8::is_ascii_digit);
        if *byte == b'0' && is_in_front && is_followed {
            continue;
        }
        found.push(*byte);
        before = Some(*byte);
    }
    found
}
