//! Identifiers that are counted from the beginning again, in each file, district or area: one number for many units.

use rusqlite::{OptionalExtension, functions::FunctionFlags, types::ValueRef};

use super::{FIRST, Staging, quoted};
use crate::ImportError;

/// A count begins at the first number of all, or so near to it.
pub(super) const NEAR: u64 = 20;
/// Rows, and numbers in any order, from which those of a count are no chance.
pub(super) const ROWS_LEAST: u64 = 40;
/// From which agreement of its rows on an identifier is one unit's: of two units that share it, half of the pairs of rows are
/// one's.
const HOLDS: f64 = 0.8;
/// Numbers from here on count nothing.
const NUMBER_MOST: u64 = 1_000_000_000_000_000;

impl Staging {
    /// On which rows identifiers are counted from the beginning again, if they are nothing but counts that leave few numbers out,
    /// and the rows of one number are not one unit's, as in a panel they are: in their order, each begins near the first of all;
    /// in another order, the small numbers stand on more rows than the large ones, for the counts do not end at one number. With
    /// the numbers of the first such rows, counted from 1. Numbers of areas and of what is in them are found by
    /// [`Staging::areas_again`].
    pub(crate) fn counted_again(&self) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_counted_again().map_err(|error| self.failed(error))
    }

    fn try_counted_again(&self) -> rusqlite::Result<(u64, Vec<u64>)> {
        let (found, is_clear) = match self.in_order()? {
            Some(found) => (found, true),
            None => match self.in_any_order()? {
                ((0, _), _) => (self.areas_again()?, true),
                found => found,
            },
        };
        if found.0 == 0 {
            return Ok(found);
        }
        // Small numbers may be those of units that came first: rows that contradict one another show that they are not.
        let is_refuted = match self.holding()? {
            Some(holding) => holding > HOLDS,
            None => !is_clear,
        };
        Ok(if is_refuted { (0, Vec::new()) } else { found })
    }

    /// `None` where the numbers are in no order of counts. Rows without identifier are passed over.
    fn in_order(&self) -> rusqlite::Result<Option<(u64, Vec<u64>)>> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let mut statement = self.connection.prepare(&format!("SELECT {unit} FROM {staging} NOT INDEXED"))?;
        let mut found = statement.query([])?;
        let (mut count, mut rows, mut number) = (0, Vec::new(), 0);
        let mut counts: Option<(Vec<u8>, u64, Count)> = None;
        while let Some(row) = found.next()? {
            number += 1;
            let identifier = row.get_ref(0)?;
            if identifier == ValueRef::Null {
                continue;
            }
            let Some((mark, value)) = counted(identifier) else { return Ok(None) };
            let (first_mark, first, run) =
                counts.get_or_insert_with(|| (mark.to_owned(), value, Count::from(value)));
            if mark != *first_mark {
                return Ok(None);
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
                return Ok(None);
            }
        }
        let is_dense = counts.is_some_and(|(_, _, run)| run.is_dense()) && number >= ROWS_LEAST;
        Ok(Some(if is_dense { (count, rows) } else { (0, Vec::new()) }))
    }

    /// With whether the rows become fewer with hardly a rise, which is no chance.
    fn in_any_order(&self) -> rusqlite::Result<((u64, Vec<u64>), bool)> {
        let none = Ok(((0, Vec::new()), false));
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let identifiers = format!("{staging} NOT INDEXED WHERE {unit} IS NOT NULL");
        let first = format!("SELECT {unit} FROM {identifiers} LIMIT 1");
        let mark = self
            .connection
            .query_row(&first, [], |row| Ok(counted(row.get_ref(0)?).map(|(mark, _)| mark.to_owned())));
        let Some(mark) = mark.optional()?.flatten() else { return none };
        self.connection.create_scalar_function(
            "lango_number",
            1,
            FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
            move |identifier| {
                let number = counted(identifier.get_raw(0)).filter(|(other, _)| *other == mark);
                Ok(number.map(|(_, number)| number.cast_signed()))
            },
        )?;
        // Most identifiers are no numbers behind one mark, and then nothing is sorted.
        let other = format!("SELECT 1 FROM {identifiers} AND lango_number({unit}) IS NULL");
        if self.connection.prepare(&other)?.exists([])? {
            return none;
        }
        let by_number =
            format!("SELECT lango_number({unit}) AS number, count(*) AS n FROM {identifiers} GROUP BY 1");
        let sql = format!("SELECT min(number), max(number), count(*) FROM ({by_number})");
        let numbers = self.connection.query_row(&sql, [], |row| {
            let [first, last, numbers] =
                [row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?].map(i64::unsigned_abs);
            Ok(Count { first, last, numbers })
        })?;
        if !numbers.is_dense() || numbers.numbers < ROWS_LEAST {
            return none;
        }
        let mut statement = self.connection.prepare(&format!("{by_number} ORDER BY 1"))?;
        let mut found = statement.query([])?;
        let (quarter, mut at, mut before) = (numbers.numbers / 4, 0, u64::MAX);
        let (mut rises, mut in_first, mut in_last) = (0, 0, 0);
        while let Some(row) = found.next()? {
            let rows = row.get::<_, i64>(1)?.unsigned_abs();
            rises += u64::from(rows > before);
            in_first += if at < quarter { rows } else { 0 };
            in_last += if at >= numbers.numbers - quarter { rows } else { 0 };
            (before, at) = (rows, at + 1);
        }
        // Half as many rows again stand on the first quarter of the numbers as on the last.
        if in_first * 2 < in_last * 3 {
            return none;
        }
        let sql = format!("SELECT lango_number({unit}) = ? FROM {staging} NOT INDEXED");
        let (count, rows) = self.rows_of(&sql, [numbers.first.cast_signed()])?;
        let found = (count.saturating_sub(1), rows.into_iter().skip(1).collect());
        Ok((found, rises * 20 <= numbers.numbers))
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

    fn is_dense(&self) -> bool {
        is_dense(self.first, self.last, self.numbers)
    }
}

/// Whether some numbers leave out no more than one number in five, and a few.
pub(super) fn is_dense(first: u64, last: u64, numbers: u64) -> bool {
    (last - first) * 4 <= numbers * 5 + 8
}

/// The number at the end of an identifier, below 10^15, and what stands before it.
fn counted(identifier: ValueRef<'_>) -> Option<(&[u8], u64)> {
    let text = match identifier {
        ValueRef::Integer(value) => {
            return Some((&[], u64::try_from(value).ok().filter(|value| *value < NUMBER_MOST)?));
        }
        ValueRef::Text(text) => text,
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => return None,
    };
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (mark, digits) = text.split_at_checked(text.len() - digits).filter(|_| (1..=15).contains(&digits))?;
    Some((mark, digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))))
}
