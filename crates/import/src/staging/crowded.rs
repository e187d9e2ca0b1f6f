//! One identifier for many units: what stands for "not known".

use rusqlite::functions::FunctionFlags;

use super::{Staging, quoted};
use crate::{ImportError, value::is_digits};

/// As many times the rows that a unit may have are no unit's, if they are one in a hundred of all rows.
const TIMES: u32 = 10;
/// As many times the rows that a unit may have are no unit's, whatever part of all rows they are.
const TIMES_ALONE: u32 = 100;

impl Staging {
    /// How many rows have an identifier that stands on more rows than one unit's could be: on ten times as many as the policy
    /// allows and one in a hundred of all, on a hundred times as many, or on twice as many where it is 0, negative, or one digit
    /// again and again (`9999`). With the numbers of the first of them, in the file's order, counted from 1.
    pub(crate) fn crowded(&self, rows: u64) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_crowded(rows).map_err(|error| self.failed(error))
    }

    fn try_crowded(&self, rows: u64) -> rusqlite::Result<(u64, Vec<u64>)> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        self.connection.create_scalar_function("lango_is_nobody", 1, flags, |text| {
            Ok(text.get_raw(0).as_bytes().is_ok_and(is_nobody))
        })?;
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let most = u64::from(self.rows_at_most);
        // More than the one, or than the other, in a register of any size.
        let much = (most * u64::from(TIMES)).max(rows / 100).min(most * u64::from(TIMES_ALONE));
        let crowded = format!(
            "SELECT {unit} FROM {staging} WHERE {unit} IS NOT NULL GROUP BY {unit}
             HAVING count(*) > {much} OR (count(*) > {} AND lango_is_nobody(CAST({unit} AS TEXT)))",
            most * 2
        );
        if !self.connection.prepare(&crowded)?.exists([])? {
            return Ok((0, Vec::new()));
        }
        let sql = format!(
            "WITH crowded AS MATERIALIZED ({crowded})
            SELECT {unit} IN (SELECT * FROM crowded) FROM {staging} NOT INDEXED"
        );
        self.rows_of(&sql, [])
    }
}

/// Whether an identifier is one that programs and forms have for nobody.
fn is_nobody(identifier: &[u8]) -> bool {
    match identifier {
        b"0" => true,
        [b'-', rest @ ..] => is_digits(rest),
        [first, rest @ ..] => {
            rest.len() >= 3 && first.is_ascii_digit() && rest.iter().all(|digit| digit == first)
        }
        [] => false,
    }
}
