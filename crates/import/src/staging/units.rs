//! Identifiers, each counted once, however many rows it stands on.

use rusqlite::types::ValueRef;

use super::{Staging, counts::is_dense, quoted};
use crate::{
    ImportError,
    findings::{Findings, RowPlace},
    value::{is_digits, of_identifier},
};

/// The identifiers of some rows.
#[derive(Debug, Default)]
pub(crate) struct OfUnits {
    /// What is noted of them.
    pub(crate) findings: Findings,
    /// How many there are.
    pub(crate) units: u64,
    /// The rows on which they stand.
    rows: u64,
    /// Where all are numbers, the least and the largest, and the greatest number that divides what is between any two.
    numbers: Option<(u128, u128, u128)>,
}

impl OfUnits {
    /// Whether they are numbers in steps of 10, 100 or another number that no float has, that leave few out, and hardly any of
    /// which stands on two rows, as those do that were rounded.
    pub(crate) fn are_steps(&self) -> bool {
        self.numbers.is_some_and(|(least, most, step)| {
            let last = u64::try_from((most - least) / step.max(1)).unwrap_or(u64::MAX / 8);
            !step.is_power_of_two() && step > 1 && is_dense(0, last, self.units) && self.rows < self.units * 2
        })
    }

    fn add(&mut self, identifier: &[u8]) {
        let noted = of_identifier(identifier);
        for finding in noted.noted.into_iter().chain(noted.also.into_iter().flatten()) {
            self.findings.add(finding, RowPlace { file: 0, line: 0 });
        }
        let number = std::str::from_utf8(identifier).ok().filter(|text| is_digits(text.as_bytes()));
        let number = number.and_then(|text| text.parse().ok());
        self.numbers = match (number, self.numbers) {
            (Some(number), None) if self.units == 0 => Some((number, number, 0)),
            (Some(number), Some((least, most, step))) => {
                Some((least.min(number), most.max(number), divisor(step, number.abs_diff(least))))
            }
            (None, _) | (_, None) => None,
        };
        self.units += 1;
    }
}

/// The greatest number that divides both; of 0 and another the other.
pub(super) fn divisor(one: u128, other: u128) -> u128 {
    if other == 0 { one } else { divisor(other, one % other) }
}

impl Staging {
    /// The identifiers of these rows, which are counted from 1.
    pub(crate) fn of_units(&self, first: u64, last: u64) -> Result<OfUnits, ImportError> {
        self.try_of_units(first, last).map_err(|error| self.failed(error))
    }

    fn try_of_units(&self, first: u64, last: u64) -> rusqlite::Result<OfUnits> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let rows = self.rowid().map_or_else(String::new, |rowid| {
            format!("AND {rowid} BETWEEN {} AND {}", first.cast_signed(), last.cast_signed())
        });
        let sql =
            format!("SELECT {unit}, count(*) FROM {staging} WHERE {unit} IS NOT NULL {rows} GROUP BY {unit}");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut found = OfUnits::default();
        while let Some(row) = rows.next()? {
            found.rows += row.get::<_, i64>(1)?.unsigned_abs();
            match row.get_ref(0)? {
                ValueRef::Text(identifier) | ValueRef::Blob(identifier) => found.add(identifier),
                ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Null => {}
            }
        }
        Ok(found)
    }
}
