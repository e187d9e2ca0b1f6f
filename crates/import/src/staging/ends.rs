//! Whether a file begins or ends with a row that is no unit's: the total of a report, or a note below it.

use rusqlite::{OptionalExtension, types::ValueRef};

use super::{Staging, quoted};
use crate::{FileEdge, Finding, ImportError, TotalRow};

/// Rows at a file's edge of which several may be totals and notes.
const FOOT: i64 = 5;
/// Rows next to it whose numbers a sum of all reaches, and those of them with a number other than 0 from which it is no chance.
const NEAR: i64 = 1_000;
pub(super) const NUMBERS_LEAST: i64 = 5;
/// Rows of a file from which one that has neither code nor day is unlike the others.
const ROWS_LEAST: i64 = 20;

/// What a file's first or last row is, if it is not as the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EdgeRow {
    /// No unit's.
    Total(TotalRow),
    /// It has neither a code nor a day, or holds the sum of the numbers of the others: that may be a unit's too.
    Unlike,
}

/// Which codes, days and numbers a row has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Labels {
    pub(super) has_number: bool,
    /// A code or a day is missing or not declared.
    pub(super) lacks_one: bool,
    /// There are such columns, and none has a value.
    pub(super) lacks_all: bool,
}

/// Rows of a file, the first and the last of them, and the one at its edge.
#[derive(Debug, Clone, Copy)]
struct EdgeOf {
    edge: FileEdge,
    first: i64,
    last: i64,
}

impl EdgeOf {
    /// The row at the edge.
    fn row(self) -> i64 {
        match self.edge {
            FileEdge::First => self.first,
            FileEdge::Last => self.last,
        }
    }

    /// The rows but this number of those at the edge, and of them at most the number that is nearest to it.
    fn others(self, apart: i64, most: i64) -> [i64; 2] {
        match self.edge {
            FileEdge::First => [self.first + apart, self.last.min((self.first + apart).saturating_add(most))],
            FileEdge::Last => [self.first.max((self.last - apart).saturating_sub(most)), self.last - apart],
        }
    }
}

impl Staging {
    /// Whether the first or the last of these rows, which are counted from 1 and all of one file, is no unit's: whether it alone
    /// is so, but for others near it. No list of words is needed for that, in whatever language a total is called one.
    pub(crate) fn edge_row(
        &self,
        edge: FileEdge,
        first: u64,
        last: u64,
    ) -> Result<Option<EdgeRow>, ImportError> {
        let rows = EdgeOf { edge, first: first.cast_signed(), last: last.cast_signed() };
        self.try_edge_row(rows).map_err(|error| self.failed(error))
    }

    fn try_edge_row(&self, rows: EdgeOf) -> rusqlite::Result<Option<EdgeRow>> {
        let Some(rowid) = self.rowid().filter(|_| rows.first < rows.last) else { return Ok(None) };
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let sql = format!("SELECT * FROM {staging} WHERE {rowid} = ?");
        let found = self.connection.query_row(&sql, [rows.row()], |row| self.is_total(row));
        let found = found.optional()?.flatten();
        let (others, like_it) = match found {
            None => return self.sum(rowid, rows),
            // Where rows are in the order of their identifiers, those of nobody may be the first.
            Some(EdgeRow::Total(TotalRow::Nameless)) if rows.edge == FileEdge::First => return Ok(None),
            // Those next to it without an identifier belong to it.
            Some(EdgeRow::Total(TotalRow::Nameless)) => {
                let sql = format!(
                    "SELECT max({rowid}) FROM {staging} WHERE {rowid} BETWEEN ? AND ? AND {unit} IS NOT NULL"
                );
                let named = self.connection.query_row(&sql, [rows.first, rows.last], |row| row.get(0))?;
                let Some(before) = named else { return Ok(None) };
                ([rows.first, before], format!("{unit} IS NULL"))
            }
            Some(EdgeRow::Total(TotalRow::NoDigit)) => {
                (rows.others(FOOT, i64::MAX), format!("{unit} IS NULL OR {unit} NOT GLOB '*[0-9]*'"))
            }
            Some(EdgeRow::Unlike) if rows.last - rows.first < ROWS_LEAST => return self.sum(rowid, rows),
            Some(EdgeRow::Unlike) => {
                let gaps = self.schema.columns.iter().skip(1).filter(|target| target.field_type.is_label());
                let gaps: Vec<_> = gaps.map(|target| format!("{} IS NULL", quoted(&target.name))).collect();
                (rows.others(FOOT, i64::MAX), gaps.join(" AND "))
            }
        };
        let sql =
            format!("SELECT EXISTS (SELECT 1 FROM {staging} WHERE {rowid} BETWEEN ? AND ? AND ({like_it}))");
        let others: bool = self.connection.query_row(&sql, others, |row| row.get(0))?;
        if others { self.sum(rowid, rows) } else { Ok(found) }
    }

    /// Whether a number of the row at the edge is the sum of those of the others.
    fn sum(&self, rowid: &str, rows: EdgeOf) -> rusqlite::Result<Option<EdgeRow>> {
        let staging = quoted(&self.staging);
        let numbers = self.schema.columns.iter().skip(1).filter(|target| target.field_type.is_number());
        for number in numbers.map(|target| quoted(&target.name)) {
            let value =
                format!("SELECT {number} FROM {staging} WHERE {rowid} = ? AND typeof({number}) = 'integer'");
            let value: Option<i64> =
                self.connection.query_row(&value, [rows.row()], |row| row.get(0)).optional()?;
            let Some(value) = value.filter(|value| *value > 0) else { continue };
            // In floating point, for whole numbers might overflow; up to 2^53 the sum is exact.
            let sql = format!(
                "SELECT total({number}), count(nullif({number}, 0)) FROM {staging}
                 WHERE {rowid} BETWEEN ? AND ? AND typeof({number}) = 'integer'"
            );
            let sum = |most: i64| -> rusqlite::Result<(f64, i64)> {
                self.connection.query_row(&sql, rows.others(1, most), |row| Ok((row.get(0)?, row.get(1)?)))
            };
            // Each number, and the sum, may have been rounded.
            let is_most = |sum: f64, count: i64| sum <= value as f64 + count as f64 / 2.0;
            let is_sum = |sum: f64, count: i64| (sum - value as f64).abs() <= count as f64 / 2.0;
            // Most rows are no sum, by those next to them alone.
            let (of_some, count) = sum(NEAR)?;
            if is_most(of_some, count) && count >= NUMBERS_LEAST {
                let (of_all, count) = sum(i64::MAX)?;
                if is_sum(of_all, count) {
                    return Ok(Some(EdgeRow::Unlike));
                }
            }
        }
        Ok(None)
    }

    /// What a row may be by itself.
    fn is_total(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<EdgeRow>> {
        let has_digit = match row.get_ref(0)? {
            ValueRef::Null => return Ok(Some(EdgeRow::Total(TotalRow::Nameless))),
            ValueRef::Text(unit) | ValueRef::Blob(unit) => unit.iter().any(u8::is_ascii_digit),
            ValueRef::Integer(_) | ValueRef::Real(_) => true,
        };
        let labels = self.labels(row)?;
        Ok(if !has_digit && labels.has_number && labels.lacks_one {
            Some(EdgeRow::Total(TotalRow::NoDigit))
        } else if labels.lacks_all {
            Some(EdgeRow::Unlike)
        } else {
            None
        })
    }

    /// Which codes, days and numbers a row has.
    pub(super) fn labels(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Labels> {
        let (mut labels, mut nulls, mut found) = (0, 0, Labels::default());
        for (at, target) in self.schema.columns.iter().enumerate().skip(1) {
            let value = row.get_ref(at)?;
            found.has_number |= target.field_type.is_number() && matches!(value, ValueRef::Integer(_));
            if target.field_type.is_label() {
                labels += 1;
                nulls += u32::from(value == ValueRef::Null);
                found.lacks_one |= match value {
                    ValueRef::Null => true,
                    ValueRef::Text(text) => target.finding(text).is_some_and(Finding::is_lacking),
                    ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => false,
                };
            }
        }
        found.lacks_all = labels > 0 && nulls == labels;
        Ok(found)
    }

    /// A name of the rows' own numbers that no column has.
    pub(super) fn rowid(&self) -> Option<&'static str> {
        let is_column =
            |name: &&str| self.schema.columns.iter().any(|target| target.name.eq_ignore_ascii_case(name));
        ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_column(name))
    }
}
