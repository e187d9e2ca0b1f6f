//! The rows: the same on every engine, drawn once for each size.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use lango_testkit::{Engine, TestDatabase};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use rusqlite::Connection;

use crate::Failure;

pub(crate) const COUNTRIES: u32 = 50;

/// The code of a country.
pub(crate) fn country(at: u32) -> String {
    format!("C{at:02}")
}

/// Puts `visits`, of which a person has four in the mean, and `residents`, of one row for each person, into a database.
pub(crate) fn fill(database: &TestDatabase, rows: u64, folder: &Path) -> Result<(), Failure> {
    for (table, unit) in [("visits", "BIGINT NOT NULL"), ("residents", "BIGINT PRIMARY KEY")] {
        let file = drawn(folder, table, rows)?;
        let columns = [
            ("person_id", unit),
            ("country", "TEXT NOT NULL"),
            ("sex", "TEXT NOT NULL"),
            ("age", "INTEGER NOT NULL"),
            ("income", "BIGINT NOT NULL"),
        ];
        database.create(table, &columns);
        let path = file.display();
        match database.engine() {
            Engine::Sqlite => insert(database.file(), table, &file)?,
            Engine::Postgres => {
                database.run(&format!("COPY {table} FROM '{path}'"));
                database.run(&format!("VACUUM (ANALYZE) {table}"));
            }
            Engine::MariaDb => {
                database.run(&format!("LOAD DATA INFILE '{path}' INTO TABLE {table}"));
                database.run(&format!("ANALYZE TABLE {table}"));
            }
        }
    }
    Ok(())
}

/// A file of one row a line, columns apart by tabs.
fn drawn(folder: &Path, table: &str, rows: u64) -> Result<PathBuf, Failure> {
    let file = folder.join(format!("{table}-{rows}.tsv"));
    if !file.exists() {
        let mut draw = ChaCha20Rng::seed_from_u64(rows);
        let units = if table == "visits" { units(&mut draw, rows) } else { (1..=rows).collect() };
        let part = file.with_extension("part");
        let mut out = BufWriter::new(File::create(&part)?);
        for unit in units {
            let bits = draw.next_u64();
            let (place, age, income) = (bits & 0xffff, bits >> 16 & 0xffff, bits >> 32 & 0xffff);
            let country = country(u32::try_from(place % u64::from(COUNTRIES))?);
            let sex = if bits >> 63 == 0 { "F" } else { "M" };
            writeln!(out, "{unit}\t{country}\t{sex}\t{}\t{}", age % 100, income % 5_000)?;
        }
        out.flush()?;
        fs::rename(part, &file)?;
    }
    Ok(file)
}

/// Persons of geometrically many rows, four in the mean, in an order that brings no person's rows together.
fn units(draw: &mut ChaCha20Rng, rows: u64) -> Vec<u64> {
    let mut units = Vec::new();
    let mut unit = 0;
    for row in 0..rows {
        // Three times in four, another one of the same person.
        if row == 0 || draw.next_u32() < u32::MAX / 4 {
            unit += 1;
        }
        units.push(unit);
    }
    for last in (1..units.len()).rev() {
        let other = draw.next_u64() % (last as u64 + 1);
        units.swap(last, other as usize);
    }
    units
}

fn insert(database: &Path, table: &str, rows: &Path) -> Result<(), Failure> {
    let connection = Connection::open(database)?;
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")?;
    let mut insert = connection.prepare(&format!("INSERT INTO {table} VALUES (?, ?, ?, ?, ?)"))?;
    for line in BufReader::new(File::open(rows)?).lines() {
        insert.execute(rusqlite::params_from_iter(line?.split('\t')))?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}
