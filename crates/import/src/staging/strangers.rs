//! Numbers that stand for other units in another file, or in another stretch of one: serial numbers that begin again, of which
//! many are left out.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher};

use rusqlite::types::ValueRef;

use super::{FIRST, Staging, copies::digest_value, counts::counted, quoted, units::divisor};
use crate::schema::Target;

/// Rows that are compared: of a larger table those of some numbers, with all rows of each.
const COMPARED: u64 = 65_536;
const COMPARED_MOST: usize = 1 << 18;
/// Numbers that two stretches share from which their rows say something.
const SHARED_LEAST: u64 = 20;
/// Numbers of a stretch, on average, from which their order is no chance.
const STRETCH_LEAST: usize = 20;
/// Stretches at most.
const STRETCHES_MOST: usize = 5_000;
/// As many times the numbers that counts share by chance are shared on purpose, as in a panel.
const TIMES_CHANCE: f64 = 2.0;
/// From which kappa on the rows of a number are one unit's: J. R. Landis and G. G. Koch, "The measurement of observer agreement
/// for categorical data", 1977, call an agreement below it fair at most.
const AGREES: f64 = 0.4;
/// Standard errors from which a difference is no chance.
const ERRORS: f64 = 3.0;

/// Rows from one beginning of the numbers to the next, or those of a file.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first_row: u64,
    least: u64,
    most: u64,
}

impl Stretch {
    fn from(first_row: u64, value: u64) -> Self {
        Self { first_row, least: value, most: value }
    }

    fn add(&mut self, value: u64) {
        (self.least, self.most) = (self.least.min(value), self.most.max(value));
    }
}

/// The stretches of a table, and the greatest number that divides what is between any two numbers.
struct Stretches {
    all: Vec<Stretch>,
    step: u64,
}

/// A row that is compared.
struct Compared {
    number: u64,
    stretch: usize,
    /// A digest of each value that is there.
    values: Vec<Option<u64>>,
}

/// How many rows of a column have a like one, and of how many.
#[derive(Debug, Default, Clone, Copy)]
struct Alike {
    rows: u64,
    of: u64,
}

impl Alike {
    fn share(self) -> f64 {
        self.rows as f64 / self.of.max(1) as f64
    }
}

impl Staging {
    /// On which rows numbers begin again that stand for other units there: numbers of two stretches (each in ascending order, or
    /// else each a file) of which no more are shared than chance has it, and of which the rows of one number agree in no declared
    /// column more than those of one number and the next. With the numbers of the first such rows, counted from 1.
    pub(super) fn strangers(&self, of_files: &[u64]) -> rusqlite::Result<(u64, Vec<u64>)> {
        let none = (0, Vec::new());
        let Some(stretches) = self.stretches(of_files)? else { return Ok(none) };
        let every = of_files.iter().sum::<u64>() / COMPARED + 1;
        let compared = self.compared(&stretches, every)?;
        let numbers: Vec<&[Compared]> = compared.chunk_by(|one, other| one.number == other.number).collect();
        let (shared, by_chance) = (shared(&numbers), by_chance(&numbers, &stretches, every));
        let are_few = (shared * every) as f64 <= by_chance * TIMES_CHANCE;
        if shared < SHARED_LEAST || !are_few || !are_strangers(&numbers, &self.schema.columns) {
            return Ok(none);
        }
        let rows = stretches.all.iter().skip(1).map(|stretch| stretch.first_row);
        Ok((stretches.all.len().saturating_sub(1) as u64, rows.take(FIRST).collect()))
    }

    /// `None` where identifiers are no numbers behind one mark, or there is only one stretch.
    fn stretches(&self, of_files: &[u64]) -> rusqlite::Result<Option<Stretches>> {
        let mut first_mark: Option<Vec<u8>> = None;
        let (mut ascending, mut files): (Vec<Stretch>, Vec<Stretch>) = (Vec::new(), Vec::new());
        let (mut row, mut numbers, mut first, mut last, mut step) = (0, 0_usize, 0, 0, 0);
        let mut next_files = of_files.iter();
        let mut file_ends = 0;
        let are_numbers = self.each_identifier(&mut |identifier| {
            row += 1;
            while row > file_ends {
                let Some(rows) = next_files.next() else { return false };
                file_ends += rows;
                if *rows > 0 {
                    files.push(Stretch { first_row: row, least: u64::MAX, most: 0 });
                }
            }
            if identifier == ValueRef::Null {
                return true;
            }
            let Some((mark, value)) = counted(identifier) else { return false };
            if mark != first_mark.get_or_insert_with(|| mark.to_owned()).as_slice() {
                return false;
            }
            if let Some(file) = files.last_mut() {
                file.add(value);
            }
            match ascending.last_mut() {
                Some(stretch) if value >= last => stretch.add(value),
                Some(_) => ascending.push(Stretch::from(row, value)),
                None => {
                    first = value;
                    ascending.push(Stretch::from(row, value));
                }
            }
            numbers += usize::from(value != last);
            step = divisor(step, value.abs_diff(first).into());
            last = value;
            // In no order, and in one file: then there is nothing to compare.
            of_files.len() > 1 || ascending.len() <= STRETCHES_MOST
        })?;
        let is_in_order = ascending.len() * STRETCH_LEAST <= numbers;
        let all = if is_in_order { ascending } else { files };
        let step = u64::try_from(step).unwrap_or(1).max(1);
        let is_so = are_numbers && (2..=STRETCHES_MOST).contains(&all.len());
        Ok(is_so.then_some(Stretches { all, step }))
    }

    /// The rows of all numbers, or of one number in some, as the size of the table lets compare; in the order of numbers and
    /// stretches.
    fn compared(&self, stretches: &Stretches, every: u64) -> rusqlite::Result<Vec<Compared>> {
        let sql = format!("SELECT * FROM {} NOT INDEXED", quoted(&self.staging));
        let mut statement = self.connection.prepare(&sql)?;
        let mut found = statement.query([])?;
        let (mut row_number, mut compared) = (0, Vec::new());
        while let Some(row) = found.next()? {
            row_number += 1;
            let Some((_, number)) = counted(row.get_ref(0)?) else { continue };
            if !hashed(|digest| digest.write_u64(number)).is_multiple_of(every) {
                continue;
            }
            let behind = stretches.all.partition_point(|stretch| stretch.first_row <= row_number);
            let mut values = Vec::new();
            for (at, target) in self.schema.columns.iter().enumerate().skip(1) {
                let (value, mut is_there) = (row.get_ref(at)?, false);
                let digest = hashed(|digest| is_there = digest_value(value, target, digest));
                values.push(is_there.then_some(digest));
            }
            compared.push(Compared { number, stretch: behind.saturating_sub(1), values });
            // One number stands on most rows, and says nothing.
            if compared.len() > COMPARED_MOST {
                return Ok(Vec::new());
            }
        }
        compared.sort_by_key(|row| (row.number, row.stretch));
        Ok(compared)
    }
}

fn hashed(add: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut digest = BuildHasherDefault::<DefaultHasher>::default().build_hasher();
    add(&mut digest);
    digest.finish()
}

/// The rows of one number, those of each stretch together.
fn by_stretch(rows: &[Compared]) -> impl Iterator<Item = &[Compared]> {
    rows.chunk_by(|one, other| one.stretch == other.stretch)
}

/// How many pairs of stretches share a number, of all numbers.
fn shared(numbers: &[&[Compared]]) -> u64 {
    let pairs = |rows: &&[Compared]| {
        let stretches = by_stretch(rows).count() as u64;
        stretches * stretches.saturating_sub(1) / 2
    };
    numbers.iter().map(pairs).sum()
}

/// How many would do so if the numbers of each stretch were drawn from its least to its most.
fn by_chance(numbers: &[&[Compared]], stretches: &Stretches, every: u64) -> f64 {
    let mut counts = vec![0_u64; stretches.all.len()];
    for part in numbers.iter().flat_map(|rows| by_stretch(rows)) {
        if let Some(count) = part.first().and_then(|row| counts.get_mut(row.stretch)) {
            *count += every;
        }
    }
    let places = |least: u64, most: u64| (most.saturating_sub(least) / stretches.step + 1) as f64;
    let all: Vec<(&Stretch, f64)> = stretches
        .all
        .iter()
        .zip(counts)
        .map(|(stretch, count)| (stretch, count as f64 / places(stretch.least, stretch.most)))
        .collect();
    let mut expected = 0.0;
    for (at, (one, of_one)) in all.iter().enumerate() {
        for (other, of_other) in all.iter().skip(at + 1) {
            let (least, most) = (one.least.max(other.least), one.most.min(other.most));
            if least <= most {
                expected += of_one * of_other * places(least, most);
            }
        }
    }
    expected
}

/// Whether the rows of one number in two stretches agree in no column, as those of a unit do in its sex or its birthplace, and
/// some column of codes or days can say so.
fn are_strangers(numbers: &[&[Compared]], columns: &[Target]) -> bool {
    let mut alike = vec![(Alike::default(), Alike::default()); columns.len().saturating_sub(1)];
    let mut before: Vec<&[Compared]> = Vec::new();
    for rows in numbers {
        let parts: Vec<&[Compared]> = by_stretch(rows).collect();
        if parts.len() < 2 {
            continue;
        }
        for (one, other) in parts.iter().zip(parts.iter().skip(1)) {
            let stretch = |part: &[Compared]| part.first().map(|row| row.stretch);
            let near = before.iter().find(|part| stretch(part) != stretch(other));
            for (at, (of_same, of_near)) in alike.iter_mut().enumerate() {
                compare(one, other, at, of_same);
                if let Some(near) = near {
                    compare(near, other, at, of_near);
                }
            }
        }
        before = parts;
    }
    let can_agree = |same: &Alike, near: &Alike| same.of.min(near.of) >= SHARED_LEAST && near.rows < near.of;
    let mut says_so = false;
    for ((same, near), target) in alike.iter().zip(columns.iter().skip(1)) {
        if can_agree(same, near) {
            if holds(*same, *near) {
                return false;
            }
            // Amounts differ from row to row, and a year from file to file, whosever they are.
            says_so |= target.field_type.is_label() && near.rows > 0;
        }
    }
    says_so
}

/// How many rows of the smaller part have a like one in the other, each one once.
fn compare(one: &[Compared], other: &[Compared], column: usize, alike: &mut Alike) {
    let values = |part: &[Compared]| {
        let values = part.iter().filter_map(|row| row.values.get(column).copied().flatten());
        let mut values: Vec<u64> = values.collect();
        values.sort_unstable();
        values.into_iter().peekable()
    };
    let (mut one, mut other) = (values(one), values(other));
    alike.of += one.len().min(other.len()) as u64;
    while let (Some(value), Some(like)) = (one.peek().copied(), other.peek().copied()) {
        alike.rows += u64::from(value == like);
        if value <= like {
            one.next();
        }
        if like <= value {
            other.next();
        }
    }
}

/// Whether the rows of one number agree on a column, by kappa and by no chance.
fn holds(same: Alike, near: Alike) -> bool {
    let more = same.share() - near.share();
    let pooled = (same.rows + near.rows) as f64 / (same.of + near.of).max(1) as f64;
    let error = (pooled * (1.0 - pooled) * (1.0 / same.of as f64 + 1.0 / near.of as f64)).sqrt();
    more > AGREES * (1.0 - near.share()) && more > ERRORS * error
}
