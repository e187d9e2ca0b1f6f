//! Identifiers of an area's number and one within it, that begin from the first area again: in each file or district. A number
//! alone is one of an area, too, in the order of texts.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;

use super::{
    FIRST, Staging,
    counts::{NEAR, ROWS_LEAST, is_dense, number},
    quoted,
};

/// Numbers in an identifier at most.
const NUMBERS: usize = 4;
/// Units from which those that stand there again are no chance.
const UNITS_LEAST: u64 = 10;
/// Areas of a count at most: there are fewer than their units.
const AREAS: usize = 65_536;
/// Digits of a number at most.
const DIGITS: usize = 15;

impl Staging {
    /// On which rows identifiers of several numbers begin from the first again, though they are in order and leave few areas out
    /// before that row and behind it, and half of those behind it or more stand on a row before it too. With the numbers of the
    /// first such rows, counted from 1.
    pub(super) fn areas_again(&self) -> rusqlite::Result<(u64, Vec<u64>)> {
        let (mut number, mut readings): (u64, Option<Vec<Areas>>) = (0, None);
        let are_in_order = self.each_identifier(&mut |identifier| {
            number += 1;
            let ValueRef::Text(identifier) = identifier else { return identifier == ValueRef::Null };
            let readings = readings.get_or_insert_with(|| Areas::all(identifier));
            readings.retain_mut(|reading| reading.pass(identifier, number));
            !readings.is_empty()
        })?;
        if !are_in_order {
            return Ok((0, Vec::new()));
        }
        // That which explains them best.
        let best = readings.unwrap_or_default().into_iter().min_by_key(|reading| reading.begun);
        let begun = best.filter(|reading| reading.begun > 0 && reading.is_dense());
        let Some(areas) = begun.filter(|_| number >= ROWS_LEAST) else { return Ok((0, Vec::new())) };
        let sql = format!("SELECT count(DISTINCT {}) FROM {}", quoted(&self.unit), quoted(&self.staging));
        let units: i64 = self.connection.query_row(&sql, [], |row| row.get(0))?;
        let (again, later) = (areas.identifiers.saturating_sub(units.unsigned_abs()), areas.of_later());
        Ok(if again * 2 >= later && again >= UNITS_LEAST {
            (areas.begun, areas.rows)
        } else {
            (0, Vec::new())
        })
    }
}

/// How an identifier is cut into numbers.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// At each mark or letter between them.
    Marks,
    /// Behind the first digits, as many as this.
    Behind(usize),
}

type Numbers = [u64; NUMBERS];

/// The areas of identifiers that are cut in one way, as long as they are in order.
#[derive(Debug)]
struct Areas {
    cut: Cut,
    /// Whether their order is that of texts, `1-10` before `1-2`.
    is_by_text: bool,
    /// What the first identifier is, with a 0 in place of each number; with each of its digits where they are cut.
    shape: Vec<u8>,
    first: Numbers,
    last: Option<(Numbers, Vec<u8>)>,
    /// Since the last beginning.
    areas: BTreeSet<u64>,
    /// Identifiers, each counted once between two beginnings.
    identifiers: u64,
    of_first: Option<u64>,
    begun: u64,
    rows: Vec<u64>,
}

impl Areas {
    /// The ways to cut the first identifier.
    fn all(first: &[u8]) -> Vec<Self> {
        let digits = first.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let groups = first.chunk_by(|one, other| one.is_ascii_digit() == other.is_ascii_digit());
        let groups = groups.filter(|group| group.first().is_some_and(u8::is_ascii_digit)).count();
        let marks = (1..=NUMBERS).contains(&groups).then_some(Cut::Marks);
        let is_one = groups == 1 && digits <= DIGITS;
        let cuts = (1..digits).filter(|_| is_one).map(Cut::Behind);
        let ways = marks.into_iter().chain(cuts).flat_map(|cut| [(cut, false), (cut, true)]);
        let ways = ways.filter(|(cut, is_by_text)| matches!(cut, Cut::Marks) || !is_by_text);
        ways.filter_map(|(cut, is_by_text)| Self::of(first, cut, is_by_text)).collect()
    }

    fn of(first: &[u8], cut: Cut, is_by_text: bool) -> Option<Self> {
        let mut shape: Vec<u8> =
            first.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect();
        if matches!(cut, Cut::Marks) {
            shape.dedup_by(|one, other| *one == b'0' && *other == b'0');
        }
        let numbers = numbers(first, &shape, cut)?;
        Some(Self {
            cut,
            is_by_text,
            shape,
            first: numbers,
            last: None,
            areas: BTreeSet::new(),
            identifiers: 0,
            of_first: None,
            begun: 0,
            rows: Vec::new(),
        })
    }

    /// Passes over the identifier of a row of this number; false if it is not in such an order.
    fn pass(&mut self, identifier: &[u8], row: u64) -> bool {
        let Some(numbers) = numbers(identifier, &self.shape, self.cut) else { return false };
        let ascends = match &self.last {
            None => true,
            Some((last, _)) if *last == numbers => return true,
            Some((_, text)) if self.is_by_text => identifier > text.as_slice(),
            Some((last, _)) => numbers > *last,
        };
        if !ascends {
            if !self.is_dense() || !is_near(&numbers, &self.first) {
                return false;
            }
            self.of_first.get_or_insert(self.identifiers);
            self.areas.clear();
            self.begun += 1;
            if self.rows.len() < FIRST {
                self.rows.push(row);
            }
        }
        self.identifiers += 1;
        self.areas.insert(area(&numbers));
        let (last, text) = self.last.get_or_insert_default();
        *last = numbers;
        text.clear();
        text.extend_from_slice(identifier);
        self.areas.len() <= AREAS
    }

    /// Whether the areas since the last beginning leave out no more than one number in five, and a few.
    fn is_dense(&self) -> bool {
        match (self.areas.first(), self.areas.last()) {
            (Some(first), Some(last)) => is_dense(*first, *last, self.areas.len() as u64),
            (None, _) | (_, None) => false,
        }
    }

    /// Identifiers behind the first beginning.
    fn of_later(&self) -> u64 {
        self.identifiers - self.of_first.unwrap_or(self.identifiers)
    }
}

fn area(numbers: &Numbers) -> u64 {
    let [area, ..] = numbers;
    *area
}

fn is_near(numbers: &Numbers, first: &Numbers) -> bool {
    numbers.iter().zip(first).all(|(number, first)| number.abs_diff(*first) <= NEAR)
}

/// The numbers of an identifier of this shape, 0 in place of those that it has not.
fn numbers(identifier: &[u8], shape: &[u8], cut: Cut) -> Option<Numbers> {
    let mut numbers = Numbers::default();
    let mut rest = identifier;
    match cut {
        Cut::Marks => {
            let mut of_shape = numbers.iter_mut();
            for mark in shape {
                rest = if *mark == b'0' {
                    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    let (part, after) =
                        rest.split_at_checked(digits).filter(|_| (1..=DIGITS).contains(&digits))?;
                    *of_shape.next()? = number(part);
                    after
                } else {
                    rest.strip_prefix(&[*mark])?
                };
            }
            rest.is_empty().then_some(numbers)
        }
        Cut::Behind(count) => {
            let mark = shape.iter().take_while(|byte| **byte != b'0').count();
            let (before, digits) =
                identifier.split_at_checked(mark).filter(|_| identifier.len() == shape.len())?;
            let is_like = shape.starts_with(before) && digits.iter().all(u8::is_ascii_digit);
            let (area, within) = digits.split_at_checked(count).filter(|_| is_like)?;
            let [first, second, ..] = &mut numbers;
            (*first, *second) = (number(area), number(within));
            Some(numbers)
        }
    }
}
