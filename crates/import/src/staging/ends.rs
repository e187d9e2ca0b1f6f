//! Whether a file ends in a row that is no unit's: the total of a report, or a note below it.

use rusqlite::{OptionalExtension, types::ValueRef};

use super::{Staging, quoted};
use crate::{ImportError, TotalRow};

/// Rows at a file's end of which several may be totals and notes.
const FOOT: i64 = 5;
/// Rows before the last whose numbers a sum of all reaches, and those of them with a number other than 0 from which it is no
/// chance.
const BEFORE: i64 = 1_000;
const NUMBERS_LEAST: i64 = 5;
/// Rows of a file from which one that has neither code nor day is unlike the others.
const ROWS_LEAST: i64 = 20;

/// What a file's last row is, if it is not as the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastRow {
    /// No unit's.
    Total(TotalRow),
    /// It has neither a code nor a day, or holds the sum of the numbers above it: that may be a unit's too.
    Unlike,
}

impl Staging {
    /// Whether the last of these rows, which are counted from 1 and all of one file, is no unit's: whether it alone is so, but
    /// for others near it. No list of words is needed for that, in whatever language a total is called one.
    pub(crate) fn last_row(&self, first: u64, last: u64) -> Result<Option<LastRow>, ImportError> {
        self.try_last_row(first.cast_signed(), last.cast_signed()).map_err(|error| self.failed(error))
    }

    fn try_last_row(&self, first: i64, last: i64) -> rusqlite::Result<Option<LastRow>> {
        let Some(rowid) = self.rowid().filter(|_| first < last) else { return Ok(None) };
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let sql = format!("SELECT * FROM {staging} WHERE {rowid} = ?");
        let found = self.connection.query_row(&sql, [last], |row| self.is_total(row)).optional()?.flatten();
        let (rows, like_it) = match found {
            None => return self.sum(rowid, first, last),
            // Those next to it without an identifier belong to it.
            Some(LastRow::Total(TotalRow::Nameless)) => {
                let sql = format!(
                    "SELECT {rowid} FROM {staging} WHERE {rowid} BETWEEN ? AND ? AND {unit} IS NOT NULL
                     ORDER BY {rowid} DESC LIMIT 1"
                );
                let found = self.connection.query_row(&sql, [first, last], |row| row.get(0)).optional()?;
                let Some(before) = found else { return Ok(None) };
                ([first, before], format!("{unit} IS NULL"))
            }
            Some(LastRow::Total(TotalRow::NoDigit)) => {
                ([first, last - FOOT], format!("{unit} IS NULL OR {unit} NOT GLOB '*[0-9]*'"))
            }
            Some(LastRow::Unlike) if last - first < ROWS_LEAST => return self.sum(rowid, first, last),
            Some(LastRow::Unlike) => {
                let gaps = self.schema.columns.iter().skip(1).filter(|target| target.field_type.is_label());
                let gaps: Vec<_> = gaps.map(|target| format!("{} IS NULL", quoted(&target.name))).collect();
                ([first, last - FOOT], gaps.join(" AND "))
            }
        };
        let sql =
            format!("SELECT EXISTS (SELECT 1 FROM {staging} WHERE {rowid} BETWEEN ? AND ? AND ({like_it}))");
        let others: bool = self.connection.query_row(&sql, rows, |row| row.get(0))?;
        if others { self.sum(rowid, first, last) } else { Ok(found) }
    }

    /// Whether a number of the last of these rows is the sum of those before it.
    fn sum(&self, rowid: &str, first: i64, last: i64) -> rusqlite::Result<Option<LastRow>> {
        let staging = quoted(&self.staging);
        let numbers = self.schema.columns.iter().skip(1).filter(|target| !target.field_type.is_label());
        for number in numbers.map(|target| quoted(&target.name)) {
            let value =
                format!("SELECT {number} FROM {staging} WHERE {rowid} = ? AND typeof({number}) = 'integer'");
            let value: Option<i64> =
                self.connection.query_row(&value, [last], |row| row.get(0)).optional()?;
            let Some(value) = value.filter(|value| *value > 0) else { continue };
            // In floating point, for whole numbers might overflow; up to 2^53 the sum is exact.
            let sql = format!(
                "SELECT total({number}), count(nullif({number}, 0)) FROM {staging}
                 WHERE {rowid} BETWEEN ? AND ? AND typeof({number}) = 'integer'"
            );
            let sum = |first: i64| -> rusqlite::Result<(f64, i64)> {
                self.connection.query_row(&sql, [first, last - 1], |row| Ok((row.get(0)?, row.get(1)?)))
            };
            // Most rows are no sum, by those next to them alone.
            let (of_some, count) = sum(first.max(last - BEFORE))?;
            if of_some <= value as f64 && count >= NUMBERS_LEAST && sum(first)?.0 == value as f64 {
                return Ok(Some(LastRow::Unlike));
            }
        }
        Ok(None)
    }

    /// What a row may be by itself.
    fn is_total(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<LastRow>> {
        let has_digit = match row.get_ref(0)? {
            ValueRef::Null => return Ok(Some(LastRow::Total(TotalRow::Nameless))),
            ValueRef::Text(unit) | ValueRef::Blob(unit) => unit.iter().any(u8::is_ascii_digit),
            ValueRef::Integer(_) | ValueRef::Real(_) => true,
        };
        let (mut number, mut gap, mut labels, mut nulls) = (false, false, 0, 0);
        for (at, target) in self.schema.columns.iter().enumerate().skip(1) {
            let value = row.get_ref(at)?;
            number |= !target.field_type.is_label() && matches!(value, ValueRef::Integer(_));
            if target.field_type.is_label() {
                labels += 1;
                nulls += u32::from(value == ValueRef::Null);
                gap |= match value {
                    ValueRef::Null => true,
                    ValueRef::Text(text) => target.declared.of_text(text).is_some(),
                    ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => false,
                };
            }
        }
        Ok(if !has_digit && number && gap {
            Some(LastRow::Total(TotalRow::NoDigit))
        } else if labels > 0 && nulls == labels {
            Some(LastRow::Unlike)
        } else {
            None
        })
    }

    /// A name of the rows' own numbers that no column has.
    pub(super) fn rowid(&self) -> Option<&'static str> {
        let is_column =
            |name: &&str| self.schema.columns.iter().any(|target| target.name.eq_ignore_ascii_case(name));
        ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_column(name))
    }
}
