//! Identifiers that are spelled unlike the others: what is written in place of one.

use rusqlite::types::ValueRef;

use super::Staging;
use crate::{Finding, ImportError, value::of_identifier};

/// Letters of an identifier, counted from its end, of which it is known what stands there in others.
const PLACES: usize = 64;
/// In as many identifiers at least, and in one of this number of those that are as long, a place holds a letter by no
/// chance.
const LETTERS_LEAST: u64 = 3;
const ONE_IN: u64 = 20;

/// How identifiers with a digit and without a blank are spelled.
struct Spelling {
    /// The bytes that occur in them.
    bytes: [bool; 256],
    /// For each place, in how many it holds something else than a digit, and how many have it.
    places: [(u64, u64); PLACES],
}

impl Spelling {
    fn add(&mut self, identifier: &[u8]) {
        for (byte, (letters, all)) in identifier.iter().rev().zip(&mut self.places) {
            *letters += u64::from(!byte.is_ascii_digit());
            *all += 1;
            if let Some(occurs) = self.bytes.get_mut(usize::from(*byte)) {
                *occurs = true;
            }
        }
    }

    /// Whether an identifier without a digit is one of them, in which letters stand where others have digits: as in those that a
    /// program draws or counts in letters and digits.
    fn fits(&self, identifier: &[u8]) -> bool {
        let fits = |(byte, (letters, all)): (&u8, &(u64, u64))| {
            self.bytes.get(usize::from(*byte)) == Some(&true)
                && *letters >= LETTERS_LEAST
                && letters * ONE_IN >= *all
        };
        identifier.len() <= PLACES && identifier.iter().rev().zip(&self.places).all(fits)
    }
}

impl Staging {
    /// How many rows have an identifier without a digit or with a blank within that is not spelled as the others are, and the
    /// numbers of the first of them, in the file's order, counted from 1.
    pub(crate) fn unlike_others(&self) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_unlike_others().map_err(|error| self.failed(error))
    }

    fn try_unlike_others(&self) -> rusqlite::Result<(u64, Vec<u64>)> {
        let mut spelling = Spelling { bytes: [false; 256], places: [(0, 0); PLACES] };
        self.each_identifier(&mut |identifier| {
            if let ValueRef::Text(identifier) = identifier
                && identifier.iter().any(u8::is_ascii_digit)
                && !identifier.contains(&b' ')
            {
                spelling.add(identifier);
            }
            true
        })?;
        self.rows_with(&mut |identifier| {
            matches!(identifier, ValueRef::Text(identifier)
                if of_identifier(identifier).noted == Some(Finding::OddIdentifier) && !spelling.fits(identifier))
        })
    }
}
