//! Values at the edges of every type that a column may have: the same integers wherever an engine can hold them, and never an
//! error.

use std::collections::{BTreeMap, BTreeSet};

use lango_privacy::{Code, Column, Dataset, Reading};
use lango_testkit::{Engine, TestDatabase};

use super::{
    engines::source,
    fixture::{Vector, counted_in, dataset, plan, runtime, secret},
};
use crate::{Bounding, SourceError};

mod identifiers;
mod long;
mod numbers;
mod persons;
mod texts;

/// Of a dataset with these columns.
fn declared(columns: impl IntoIterator<Item = (&'static str, Column)>, rows_at_most: u32) -> Dataset {
    let columns = columns.into_iter().map(|(name, column)| (name.parse().unwrap(), column)).collect();
    Dataset { columns, ..dataset(rows_at_most, rows_at_most) }
}

/// A table of residents, and whether their identifiers are a key of it.
struct HeldRows {
    database: TestDatabase,
    keyed: bool,
}

/// The counts by every access path: vouched for where the unit is a key, else ranked and prepared. All are the same.
fn by_every_access(
    held: &HeldRows,
    dataset: &Dataset,
    asked: &[(&str, &[&str])],
    filters: &[&str],
) -> Vec<Vector> {
    let source = source(&held.database);
    let of = format!("{:?}", held.database.engine());
    runtime().block_on(source.check(dataset)).unwrap_or_else(|error| panic!("{of}: {error}"));
    let counted = |dataset: &Dataset, access: &str| {
        let found = counted_in(&*source, &plan(dataset, asked, filters), secret(7));
        found.unwrap_or_else(|error| panic!("{of} {access}: {error}"))
    };
    let bounding = |dataset: &Dataset| runtime().block_on(source.bounding(dataset, &secret(7))).unwrap();
    let prepared = runtime().block_on(source.prepare(dataset, &secret(7)));
    if held.keyed {
        assert_eq!(prepared, Err(SourceError::NothingToPrepare(dataset.table.clone())), "{of}");
        assert_eq!(bounding(dataset), Bounding::Vouched, "{of}");
        return counted(dataset, "vouched for");
    }
    let rows = prepared.unwrap_or_else(|error| panic!("{of}: {error}")).kept;
    assert_eq!(bounding(dataset), Bounding::Prepared { rows }, "{of}");
    // The same rows under a name under which nothing was prepared.
    let unprepared = Dataset { name: "unprepared".parse().unwrap(), ..dataset.clone() };
    assert_eq!(bounding(&unprepared), Bounding::Unprepared, "{of}");
    let ranked = counted(&unprepared, "ranked");
    assert_eq!(counted(dataset, "prepared"), ranked, "{of}");
    ranked
}

fn vector(cells: &[(&str, i64)]) -> Vector {
    cells.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
}

fn held(engine: Engine, columns: &str, rows: &[&str]) -> HeldRows {
    let database = TestDatabase::fresh(engine);
    if engine == Engine::MariaDb {
        // Zero dates may have been written by an older server.
        database.run("SET SESSION sql_mode = ''");
    }
    database.run(&format!("CREATE TABLE residents ({columns})"));
    for row in rows {
        let sql = format!("INSERT INTO residents VALUES ({row})");
        // One connection of several: the mode goes with the statement.
        let sql =
            if engine == Engine::MariaDb { format!("SET STATEMENT sql_mode = '' FOR {sql}") } else { sql };
        database.run(&sql);
    }
    let unit = columns.split(", ").next().unwrap();
    HeldRows { database, keyed: unit.ends_with("KEY") || unit.ends_with("UNIQUE") }
}

const UNITS: [&str; 2] = ["person_id int PRIMARY KEY", "person_id int"];

/// A column that is read otherwise than it stands.
fn read(column: impl Into<Column>, reading: Reading) -> Column {
    column.into().with_reading(reading).unwrap()
}

fn texts(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn recode(pairs: &[(&str, &str)]) -> BTreeMap<String, Code> {
    pairs.iter().map(|(text, code)| ((*text).to_owned(), code.parse().unwrap())).collect()
}

fn codes(codes: &[&str]) -> Column {
    lango_privacy::Domain::codes(codes.iter().map(|code| code.parse().unwrap()).collect()).unwrap().into()
}
