//! One identifier for many units: what stands for "not known".

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use rusqlite::types::ValueRef;

use super::Staging;
use crate::{ImportError, value::is_digits};

/// As many times the rows that a unit may have are no unit's, if they are one in a hundred of all rows.
const TIMES: u32 = 10;
/// As many times the rows that a unit may have are no unit's, whatever part of all rows they are.
const TIMES_ALONE: u32 = 100;

/// Places for identifiers at most: 128 MiB.
const PLACES_MOST: usize = 1 << 26;

impl Staging {
    /// How many rows have an identifier that stands on more rows than one unit's could be: on ten times as many as the policy
    /// allows and one in a hundred of all, on a hundred times as many, or on twice as many where it is 0, negative, or one digit
    /// again and again (`9999`); and on more than the policy allows where all others together would be most of the rows. With the
    /// numbers of the first of them, in the file's order, counted from 1.
    pub(crate) fn crowded(&self, rows: u64) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_crowded(rows).map_err(|error| self.failed(error))
    }

    fn try_crowded(&self, rows: u64) -> rusqlite::Result<(u64, Vec<u64>)> {
        let most = u64::from(self.rows_at_most);
        // More than the one, or than the other, in a register of any size.
        let much = (most * u64::from(TIMES)).max(rows / 100).min(most * u64::from(TIMES_ALONE));
        // Few identifiers share a place with others, so that few but crowded ones are counted one by one.
        let (mut places, mut has_nobody) = (Places::of(rows), false);
        self.each_identifier(&mut |identifier| {
            with_text(identifier, &mut |text| {
                places.add(text);
                has_nobody |= is_nobody(text);
            });
            true
        })?;
        // So few units that most rows are beyond those that each may have: the column is hardly theirs.
        let are_all = places.kept(most) * 2 < places.all();
        if !are_all && !has_nobody && places.most() <= much {
            return Ok((0, Vec::new()));
        }
        let much = if are_all { most } else { much };
        let limit = |identifier: &[u8]| if is_nobody(identifier) { much.min(most * 2) } else { much };
        let mut counted: HashMap<Vec<u8>, u64> = HashMap::new();
        self.each_identifier(&mut |identifier| {
            with_text(identifier, &mut |text| {
                if places.rows(text) > limit(text) {
                    *counted.entry(text.to_owned()).or_default() += 1;
                }
            });
            true
        })?;
        counted.retain(|identifier, rows| *rows > limit(identifier));
        if counted.is_empty() {
            return Ok((0, Vec::new()));
        }
        self.rows_with(&mut |identifier| {
            let mut is_crowded = false;
            with_text(identifier, &mut |text| is_crowded = counted.contains_key(text));
            is_crowded
        })
    }
}

/// On how many rows the identifiers stand that share a place: never fewer than one of them does.
struct Places {
    rows: Vec<u16>,
    added: u64,
    digests: RandomState,
}

impl Places {
    /// Twice as many as there are rows.
    fn of(rows: u64) -> Self {
        let places = usize::try_from(rows).unwrap_or(usize::MAX).saturating_mul(2).clamp(1, PLACES_MOST);
        Self { rows: vec![0; places], added: 0, digests: RandomState::new() }
    }

    fn place(&self, identifier: &[u8]) -> usize {
        let digest = self.digests.hash_one(identifier);
        usize::try_from(digest % self.rows.len() as u64).unwrap_or_default()
    }

    fn add(&mut self, identifier: &[u8]) {
        self.added += 1;
        let place = self.place(identifier);
        if let Some(rows) = self.rows.get_mut(place) {
            *rows = rows.saturating_add(1);
        }
    }

    fn rows(&self, identifier: &[u8]) -> u64 {
        self.rows.get(self.place(identifier)).map_or(0, held)
    }

    /// The rows of all.
    fn all(&self) -> u64 {
        self.added
    }

    /// How many rows are left where each unit has this number of rows at most, or a few less.
    fn kept(&self, most: u64) -> u64 {
        self.rows.iter().map(|rows| held(rows).min(most)).sum()
    }

    fn most(&self) -> u64 {
        self.rows.iter().map(held).max().unwrap_or_default()
    }
}

/// Rows of a place; what two bytes do not hold may be any number.
fn held(rows: &u16) -> u64 {
    if *rows == u16::MAX { u64::MAX } else { u64::from(*rows) }
}

/// Shows an identifier as a text, unless there is none.
fn with_text(identifier: ValueRef<'_>, see: &mut dyn FnMut(&[u8])) {
    match identifier {
        ValueRef::Text(text) | ValueRef::Blob(text) => see(text),
        ValueRef::Integer(number) => see(number.to_string().as_bytes()),
        ValueRef::Real(number) => see(number.to_string().as_bytes()),
        ValueRef::Null => {}
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
