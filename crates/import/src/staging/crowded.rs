//! One identifier for many units: what stands for "not known", and numbers that are counted from the beginning again.

use rusqlite::types::ValueRef;

use super::{FIRST, Staging, quoted};
use crate::{ImportError, value::is_digits};

/// As many times the rows that a unit may have are no unit's, if they are one in a hundred of all rows.
const TIMES: u32 = 10;
/// As many times the rows that a unit may have are no unit's, whatever part of all rows they are.
const TIMES_ALONE: u32 = 100;
/// A count begins at the first number of all, or so near to it.
const NEAR: u64 = 20;
/// Rows from which numbers in the order of a count are no chance.
const ROWS_LEAST: u64 = 40;

impl Staging {
    /// How many rows have an identifier that stands on more rows than one unit's could be: on ten times as many as the policy
    /// allows and one in a hundred of all, on a hundred times as many, or on twice as many where it is 0, negative, or one digit
    /// again and again (`9999`). With the numbers of the first of them, in the file's order, counted from 1.
    pub(crate) fn crowded(&self, rows: u64) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_crowded(rows).map_err(|error| self.failed(error))
    }

    fn try_crowded(&self, rows: u64) -> rusqlite::Result<(u64, Vec<u64>)> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let most = u64::from(self.rows_at_most);
        let much = (most * u64::from(TIMES)).max(rows / 100);
        let sql = format!(
            "SELECT {unit}, CAST({unit} AS TEXT), count(*) AS n FROM {staging} WHERE {unit} IS NOT NULL
             GROUP BY {unit} HAVING n > {}",
            most * 2
        );
        let is_crowded = |row: &rusqlite::Row<'_>| {
            let stands_for_nobody = row.get_ref(1)?.as_bytes().is_ok_and(is_nobody);
            let rows = row.get::<_, i64>(2)?.unsigned_abs();
            Ok::<_, rusqlite::Error>(stands_for_nobody || rows > much || rows > most * u64::from(TIMES_ALONE))
        };
        let mut crowded = Vec::new();
        let mut statement = self.connection.prepare(&sql)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            // More than a hundred cannot be one in a hundred rows each; of the others the first are enough.
            if crowded.len() < 200 && is_crowded(row)? {
                crowded.push(row.get::<_, rusqlite::types::Value>(0)?);
            }
        }
        if crowded.is_empty() {
            return Ok((0, Vec::new()));
        }
        let marks = vec!["?"; crowded.len()].join(", ");
        let sql = format!("SELECT {unit} IN ({marks}) FROM {staging} NOT INDEXED");
        self.rows_of(&sql, rusqlite::params_from_iter(crowded))
    }

    /// Whether all identifiers have one length and no blank, as those have that a program draws or digests: one of them without a
    /// digit is no word then.
    pub(crate) fn are_of_one_length(&self) -> Result<bool, ImportError> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let sql = format!(
            "SELECT min(length({unit})) = max(length({unit})) AND min(length({unit})) > 5 AND NOT max({unit} GLOB '* *') FROM {staging}"
        );
        let found = self.connection.query_row(&sql, [], |row| row.get::<_, Option<bool>>(0));
        Ok(found.map_err(|error| self.failed(error))? == Some(true))
    }

    /// On which rows identifiers are counted from the beginning again, if they are nothing but counts: numbers that do not
    /// descend and leave few out, until they begin again near the first of all. With the numbers of the first such rows, counted
    /// from 1.
    pub(crate) fn counted_again(&self) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_counted_again().map_err(|error| self.failed(error))
    }

    fn try_counted_again(&self) -> rusqlite::Result<(u64, Vec<u64>)> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let mut statement = self.connection.prepare(&format!("SELECT {unit} FROM {staging} NOT INDEXED"))?;
        let mut found = statement.query([])?;
        let none = (0, Vec::new());
        let (mut count, mut rows, mut number) = (0, Vec::new(), 0);
        let mut counts: Option<(Vec<u8>, u64, Count)> = None;
        while let Some(row) = found.next()? {
            number += 1;
            let Some((mark, value)) = counted(row.get_ref(0)?) else { return Ok(none) };
            let (first_mark, first, run) =
                counts.get_or_insert_with(|| (mark.clone(), value, Count::from(value)));
            if mark != *first_mark {
                return Ok(none);
            }
            if value >= run.last {
                run.add(value);
            } else if run.is_dense() && value.abs_diff(*first) <= NEAR {
                *run = Count::from(value);
                count += 1;
                if rows.len() < FIRST {
                    rows.push(number);
                }
            } else {
                return Ok(none);
            }
        }
        let is_dense = counts.is_some_and(|(_, _, run)| run.is_dense());
        Ok(if is_dense && number >= ROWS_LEAST { (count, rows) } else { none })
    }
}

/// Numbers that do not descend.
struct Count {
    first: u64,
    last: u64,
    numbers: u64,
}

impl Count {
    fn from(first: u64) -> Self {
        Self { first, last: first, numbers: 1 }
    }

    fn add(&mut self, value: u64) {
        self.numbers += u64::from(value > self.last);
        self.last = value;
    }

    /// Whether it leaves out no more than one number in five, and a few.
    fn is_dense(&self) -> bool {
        (self.last - self.first) * 4 <= self.numbers * 5 + 8
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

/// The number at the end of an identifier, below 10^15, and what stands before it.
fn counted(identifier: ValueRef<'_>) -> Option<(Vec<u8>, u64)> {
    let text = match identifier {
        ValueRef::Integer(value) => return Some((Vec::new(), u64::try_from(value).ok()?)),
        ValueRef::Text(text) => text,
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => return None,
    };
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (mark, digits) = text.split_at_checked(text.len() - digits).filter(|_| (1..=15).contains(&digits))?;
    let value = digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some((mark.to_owned(), value))
}
