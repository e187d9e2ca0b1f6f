//! Rows that stand in the files twice: in a copy of a file, however it is packed or ordered, in what was appended once more or
//! exported page by page, and by a join that doubled them.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher},
};

use rusqlite::types::ValueRef;

use super::{FIRST, Staging, quoted};
use crate::{Finding, ImportError, schema::Target};

/// Rows of a table that are compared with one another: of a larger one those whose digest is a multiple of some number, so that
/// of rows that are alike all are compared, or none.
const COMPARED: u64 = 65_536;

/// Rows of one file that are like one before them, in this file or in an earlier one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Copies {
    /// How many there are, as those that were compared let expect.
    pub(crate) rows: u64,
    /// How many of them stand as far behind the one that they are like as most do, and not near it: a part of the rows that
    /// stands there once more, in the same order.
    pub(crate) in_block: u64,
    /// The numbers of the first of them, counted from 1 through all files.
    pub(crate) first: Vec<u64>,
}

impl Staging {
    /// Of each of the files with these numbers of rows, those that are like one before them in all declared columns.
    pub(crate) fn copies(&self, of_files: &[u64]) -> Result<Vec<Copies>, ImportError> {
        self.try_copies(of_files).map_err(|error| self.failed(error))
    }

    fn try_copies(&self, of_files: &[u64]) -> rusqlite::Result<Vec<Copies>> {
        // A unit's own rows stand beside one another.
        let near = u64::from(self.rows_at_most);
        let every = of_files.iter().sum::<u64>() / COMPARED + 1;
        let sql = format!("SELECT * FROM {} NOT INDEXED", quoted(&self.staging));
        let mut statement = self.connection.prepare(&sql)?;
        let mut found = statement.query([])?;
        let mut seen: HashMap<u64, u64, BuildHasherDefault<DefaultHasher>> = HashMap::default();
        let (mut number, mut copies) = (0, Vec::new());
        for rows in of_files {
            let (mut of_file, mut behind) = (Copies::default(), HashMap::<u64, u64>::new());
            for _ in 0..*rows {
                let Some(row) = found.next()? else { break };
                number += 1;
                let digest = digest(row, &self.schema.columns)?;
                let before = match seen.entry(digest) {
                    _ if !digest.is_multiple_of(every) => continue,
                    Entry::Vacant(entry) => {
                        entry.insert(number);
                        continue;
                    }
                    Entry::Occupied(entry) => *entry.get(),
                };
                of_file.rows += every;
                if number - before > near {
                    *behind.entry(number - before).or_default() += every;
                }
                if of_file.first.len() < FIRST {
                    of_file.first.push(number);
                }
            }
            of_file.rows = of_file.rows.min(*rows);
            of_file.in_block = behind.into_values().max().unwrap_or_default().min(*rows);
            copies.push(of_file);
        }
        Ok(copies)
    }
}

/// A digest of a row's values as the policy reads them: the same for the same code, in whatever words, and for all that are
/// missing.
fn digest(row: &rusqlite::Row<'_>, columns: &[Target]) -> rusqlite::Result<u64> {
    let mut digest = BuildHasherDefault::<DefaultHasher>::default().build_hasher();
    for (at, target) in columns.iter().enumerate() {
        digest_value(row.get_ref(at)?, target, &mut digest);
    }
    Ok(digest.finish())
}

/// Adds a value to a digest as the policy reads it; whether it is there.
pub(super) fn digest_value(value: ValueRef<'_>, target: &Target, digest: &mut DefaultHasher) -> bool {
    let declared = &target.declared;
    let (tag, bytes) = match value {
        ValueRef::Integer(value) if declared.of_number(value) != Some(Finding::Missing) => {
            digest.write_u8(1);
            digest.write_i64(value);
            return true;
        }
        ValueRef::Real(value) => {
            digest.write_u8(2);
            digest.write_u64(value.to_bits());
            return true;
        }
        ValueRef::Text(text) if !declared.is_missing(text) => match declared.code(text) {
            Some(code) => {
                digest.write_u8(5);
                digest.write_usize(code);
                return true;
            }
            None => (3, text),
        },
        ValueRef::Blob(bytes) => (4, bytes),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Text(_) => (0, &[][..]),
    };
    digest.write_u8(tag);
    digest.write_usize(bytes.len());
    digest.write(bytes);
    tag != 0
}
