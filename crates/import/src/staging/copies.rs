//! Rows that stand in the files twice: in a copy of a file, however it is packed or ordered, in what was appended once more, or
//! by a join that doubled them.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher},
};

use rusqlite::types::ValueRef;

use super::{FIRST, Staging, quoted};
use crate::ImportError;

/// Rows of a table that are compared with one another: of a larger one those whose digest is a multiple of some number, so that
/// of a row that stands there twice both are compared, or none.
const COMPARED: u64 = 65_536;
/// Rows one behind the other that stand elsewhere in the same order, or files' rows that are another's, from which it is no
/// chance.
const ROWS_LEAST: u64 = 40;
/// Different rows from which all of them standing there several times is no chance.
const DIFFERENT_LEAST: usize = 20;
/// Distances between like rows that are kept apart.
const DISTANCES_MOST: usize = 1 << 20;

/// Rows that stand in the files twice.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Copies {
    /// The position of a file that holds the rows of another, and that one's.
    pub(crate) file: Option<(usize, usize)>,
    /// How many rows there are beside the ones that they are like, as those that were compared let expect.
    pub(crate) rows: u64,
    /// The numbers of the first of them, counted from 1.
    pub(crate) first: Vec<u64>,
}

/// Rows that are all alike.
struct Alike {
    /// The number of them.
    count: u64,
    /// The last so far, and its file.
    last: u64,
    file: usize,
}

/// Rows that repeat others.
#[derive(Default)]
struct Repeats {
    count: u64,
    first: Vec<u64>,
}

impl Repeats {
    fn add(&mut self, row: u64) {
        self.count += 1;
        if self.first.len() < FIRST {
            self.first.push(row);
        }
    }
}

/// The rows of one file.
#[derive(Default)]
struct OfFile {
    /// The sum of all digests: the same for the same rows in any order.
    sum: u64,
    compared: u64,
    /// Compared rows that are an earlier file's, by that one.
    others: HashMap<usize, Repeats>,
}

/// What a comparison of rows comes to.
#[derive(Default)]
struct Compared {
    rows: HashMap<u64, Alike, BuildHasherDefault<DefaultHasher>>,
    of_files: Vec<OfFile>,
    /// Rows that repeat another, by how far behind it they are.
    distances: HashMap<u64, Repeats>,
    all: Repeats,
}

impl Staging {
    /// Which rows of files with these numbers of rows stand there twice. A row is one with all of its declared columns.
    pub(crate) fn copies(&self, of_files: &[u64]) -> Result<Copies, ImportError> {
        let every = of_files.iter().sum::<u64>() / COMPARED + 1;
        let compared = self.compared(of_files, every).map_err(|error| self.failed(error))?;
        Ok(compared.copies(of_files, every))
    }

    fn compared(&self, of_files: &[u64], every: u64) -> rusqlite::Result<Compared> {
        let sql = format!("SELECT * FROM {} NOT INDEXED", quoted(&self.staging));
        let mut statement = self.connection.prepare(&sql)?;
        let columns = statement.column_count();
        let mut found = statement.query([])?;
        let mut compared = Compared::default();
        let mut number = 0;
        for (file, rows) in of_files.iter().enumerate() {
            compared.of_files.push(Default::default());
            for _ in 0..*rows {
                let Some(row) = found.next()? else { return Ok(compared) };
                number += 1;
                let digest = digest(row, columns)?;
                if let Some(of_file) = compared.of_files.get_mut(file) {
                    of_file.sum = of_file.sum.wrapping_add(digest);
                }
                if digest.is_multiple_of(every) {
                    compared.add(digest, number, file);
                }
            }
        }
        Ok(compared)
    }
}

impl Compared {
    fn add(&mut self, digest: u64, row: u64, file: usize) {
        let Some(of_file) = self.of_files.get_mut(file) else { return };
        of_file.compared += 1;
        let Some(alike) = self.rows.get_mut(&digest) else {
            self.rows.insert(digest, Alike { count: 1, last: row, file });
            return;
        };
        let distance = row - alike.last;
        if self.distances.len() < DISTANCES_MOST || self.distances.contains_key(&distance) {
            self.distances.entry(distance).or_default().add(row);
        }
        if alike.file != file {
            of_file.others.entry(alike.file).or_default().add(row);
        }
        self.all.add(row);
        alike.count += 1;
        alike.last = row;
        alike.file = file;
    }

    fn copies(self, of_files: &[u64], every: u64) -> Copies {
        let rows_of = |file: usize| of_files.get(file).copied().unwrap_or_default();
        let rows: u64 = of_files.iter().sum();
        let mut repeats: Vec<Repeats> = Vec::new();
        let mut sums: HashMap<(u64, u64), usize> = HashMap::new();
        for (file, of_file) in self.of_files.into_iter().enumerate().filter(|(file, _)| rows_of(*file) > 0) {
            if let Some(other) = sums.insert((rows_of(file), of_file.sum), file) {
                return Copies { file: Some((file, other)), ..Copies::default() };
            }
            let is_much = |found: &Repeats| found.count * 10 >= of_file.compared * 9;
            let others = of_file.others.into_values();
            repeats.extend(others.filter(|found| is_much(found) && found.count * every >= ROWS_LEAST));
        }
        // What was appended once more is as far behind as it is long. Next to one another, a unit's rows may be alike.
        let block = self.distances.into_iter().filter(|(distance, _)| *distance >= ROWS_LEAST);
        let block = block.map(|(_, found)| found).max_by_key(|found| found.count);
        repeats.extend(block.filter(|found| found.count * every >= ROWS_LEAST.max(rows / 100)));
        let times = self.rows.values().fold(0, |times, alike| gcd(times, alike.count));
        if times > 1 && self.rows.len() >= DIFFERENT_LEAST {
            repeats.push(self.all);
        }
        let most = repeats.into_iter().max_by_key(|found| found.count).unwrap_or_default();
        Copies { file: None, rows: (most.count * every).min(rows), first: most.first }
    }
}

/// A digest of a row's values and their types, the same for the same values.
fn digest(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<u64> {
    let mut digest = BuildHasherDefault::<DefaultHasher>::default().build_hasher();
    for at in 0..columns {
        let (tag, bytes) = match row.get_ref(at)? {
            ValueRef::Null => (0, &[][..]),
            ValueRef::Integer(value) => {
                digest.write_u8(1);
                digest.write_i64(value);
                continue;
            }
            ValueRef::Real(value) => {
                digest.write_u8(2);
                digest.write_u64(value.to_bits());
                continue;
            }
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(bytes) => (4, bytes),
        };
        digest.write_u8(tag);
        digest.write_usize(bytes.len());
        digest.write(bytes);
    }
    Ok(digest.finish())
}

fn gcd(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { gcd(other, one % other) }
}
