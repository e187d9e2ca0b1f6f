//! Whether a file ends in a row that is no unit's: the total of a report, or a note below it.

use rusqlite::{OptionalExtension, types::ValueRef};

use super::{Staging, quoted};
use crate::{ImportError, value::FieldType};

impl Staging {
    /// Whether the last of these rows, which are counted from 1 and all of one file, is no unit's: whether it is the only one
    /// without an identifier (`Some(false)`), but for others next to it, or the only one whose identifier has no digit, where a
    /// number stands beside a code or day that is missing or not declared (`Some(true)`). No list of words is needed for that,
    /// in whatever language a total is called one.
    pub(crate) fn total_row(&self, first: u64, last: u64) -> Result<Option<bool>, ImportError> {
        self.try_total_row(first.cast_signed(), last.cast_signed()).map_err(|error| self.failed(error))
    }

    fn try_total_row(&self, first: i64, last: i64) -> rusqlite::Result<Option<bool>> {
        let Some(rowid) = self.rowid().filter(|_| first < last) else { return Ok(None) };
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let sql = format!("SELECT * FROM {staging} WHERE {rowid} = ?");
        let named = self.connection.query_row(&sql, [last], |row| self.is_total(row)).optional()?.flatten();
        let (rows, like_it) = match named {
            None => return Ok(None),
            // Those next to it without an identifier belong to it.
            Some(false) => {
                let sql = format!(
                    "SELECT {rowid} FROM {staging} WHERE {rowid} BETWEEN ? AND ? AND {unit} IS NOT NULL
                     ORDER BY {rowid} DESC LIMIT 1"
                );
                let found = self.connection.query_row(&sql, [first, last], |row| row.get(0)).optional()?;
                let Some(before) = found else { return Ok(None) };
                ([first, before], format!("{unit} IS NULL"))
            }
            Some(true) => ([first, last - 1], format!("{unit} IS NULL OR {unit} NOT GLOB '*[0-9]*'")),
        };
        let sql =
            format!("SELECT EXISTS (SELECT 1 FROM {staging} WHERE {rowid} BETWEEN ? AND ? AND ({like_it}))");
        let others: bool = self.connection.query_row(&sql, rows, |row| row.get(0))?;
        Ok(named.filter(|_| !others))
    }

    /// Whether a row may be a total by itself, and whether it has an identifier then.
    fn is_total(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<bool>> {
        match row.get_ref(0)? {
            ValueRef::Null => return Ok(Some(false)),
            ValueRef::Text(unit) | ValueRef::Blob(unit) if !unit.iter().any(u8::is_ascii_digit) => {}
            _ => return Ok(None),
        }
        let (mut number, mut gap) = (false, false);
        for (at, target) in self.schema.columns.iter().enumerate().skip(1) {
            let value = row.get_ref(at)?;
            match (&target.field_type, value) {
                (FieldType::Number { .. }, ValueRef::Integer(_)) => number = true,
                (FieldType::Word | FieldType::Day, ValueRef::Null) => gap = true,
                (FieldType::Word | FieldType::Day, ValueRef::Text(text)) => {
                    gap |= target.declared.of_text(text).is_some();
                }
                _ => {}
            }
        }
        Ok((number && gap).then_some(true))
    }

    /// A name of the rows' own numbers that no column has.
    fn rowid(&self) -> Option<&'static str> {
        let is_column =
            |name: &&str| self.schema.columns.iter().any(|target| target.name.eq_ignore_ascii_case(name));
        ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_column(name))
    }
}
