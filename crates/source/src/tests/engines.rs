//! The same rows on every engine, by every access path: the same integers.

use std::sync::Arc;

use lango_testkit::{Engine, TestDatabase, Value};
use rusqlite::types::Value as Sql;

use super::{
    fixture::{counted_in, dataset, plan, runtime, secret},
    oracle,
    table::{Drawn, Row, typed},
    vectors::{ASKED, conditions},
};
use crate::{Bounding, MariaDb, Postgres, Settings, Source, Sqlite};

/// How the columns are declared.
const DECLARED: [(&str, &str); 5] =
    [("age", "BIGINT"), ("born", "TEXT"), ("income", "BIGINT"), ("sex", "TEXT"), ("village", "TEXT")];

/// A table in a database of its own on an engine, with a source that reads it.
pub(super) struct TestTable {
    pub(super) database: TestDatabase,
    pub(super) source: Arc<dyn Source>,
}

/// The source of a database.
pub(super) fn source(database: &TestDatabase) -> Arc<dyn Source> {
    let settings = || Settings { prepared_schema: Some(database.prepared_schema()), ..Settings::default() };
    match database.engine() {
        Engine::Sqlite => Arc::new(Sqlite::new(database.file(), std::time::Duration::from_secs(60))),
        Engine::Postgres => {
            let _inside = runtime().enter();
            Arc::new(Postgres::new(&database.server(), settings()).unwrap())
        }
        Engine::MariaDb => {
            let _inside = runtime().enter();
            Arc::new(MariaDb::new(&database.server(), settings()).unwrap())
        }
    }
}

impl TestTable {
    fn of(engine: Engine, unit: &str, table: &[Row]) -> Self {
        let database = TestDatabase::fresh(engine);
        let mut columns = vec![("person_id", unit)];
        columns.extend(DECLARED);
        // Longer than what testkit's text can hold: a name may be too long to be a code.
        let sql = engine.create("residents", &columns).replace("VARCHAR(64)", "VARCHAR(255)");
        database.run(&sql);
        let value = |stored: &Sql| match stored {
            Sql::Null => Value::Null,
            Sql::Integer(value) => Value::Integer(*value),
            Sql::Text(text) => Value::Text(text.clone()),
            other => panic!("{other:?}"),
        };
        let rows = table.iter().map(|row| {
            let stored = [&row.stored_unit].into_iter().chain(row.cells.iter().map(|cell| &cell.stored));
            stored.map(value).collect()
        });
        database.insert("residents", rows);
        let source = source(&database);
        Self { database, source }
    }
}

/// Asks random questions of a random table, on every engine and by every access path that is left open; returns their number.
fn compare(seed: u64, unit: &str, questions: usize) -> usize {
    let mut asked_of_all = 0;
    let mut drawn = Drawn::of(seed);
    let integers = !unit.contains("TEXT");
    let mut table = typed(&drawn.table(integers, 60));
    let vouched = unit.contains("UNIQUE");
    if vouched {
        let mut seen = std::collections::BTreeSet::new();
        table.retain(|row| row.unit.is_none() || seen.insert(row.unit.clone()));
    }
    let held = Engine::ALL.map(|engine| TestTable::of(engine, unit, &table));
    let bounds = (1 + drawn.below(5), 1 + drawn.below(5));
    let dataset = dataset(bounds.0 as u32, bounds.1 as u32);
    for access in ["ranked", "prepared"] {
        for _ in 0..questions {
            let asked: Vec<_> = ASKED.iter().filter(|_| drawn.below(3) > 0).copied().collect();
            if asked.is_empty() {
                continue;
            }
            let conditions = conditions(&mut drawn);
            let filters: Vec<&str> = conditions.iter().map(|(_, text, _)| *text).collect();
            let plan = plan(&dataset, &asked, &filters);
            let expected: Vec<_> = plan
                .margins
                .iter()
                .map(|margin| {
                    let (measure, by) = (margin.text.measure.to_string(), margin.text.by.to_string());
                    oracle::counted(&table, bounds, (&measure, &by), &conditions, 7)
                })
                .collect();
            asked_of_all += 1;
            for held in &held {
                let found = counted_in(&*held.source, &plan, secret(7));
                let found =
                    found.unwrap_or_else(|error| panic!("{:?} seed {seed}: {error}", held.database.engine()));
                for ((margin, found), expected) in plan.margins.iter().zip(found).zip(&expected) {
                    let engine = held.database.engine();
                    let of = format!(
                        "{engine:?} {access} seed {seed}: {} by {} where {filters:?}",
                        margin.text.measure, margin.text.by
                    );
                    assert_eq!(found, *expected, "{of}");
                }
            }
        }
        if vouched {
            break;
        }
        for held in &held {
            let rows = runtime().block_on(held.source.prepare(&dataset, &secret(7))).unwrap().kept;
            let bounding = runtime().block_on(held.source.bounding(&dataset, &secret(7))).unwrap();
            assert_eq!(bounding, Bounding::Prepared { rows }, "{:?}", held.database.engine());
        }
    }
    asked_of_all
}

#[test]
fn every_engine_counts_what_a_reader_of_the_rows_would_count_by_every_road() {
    let units = ["BIGINT", "TEXT", "BIGINT UNIQUE", "TEXT UNIQUE", "INTEGER"].into_iter().cycle();
    let asked: usize = (0..25).zip(units).map(|(seed, unit)| compare(seed, unit, 52)).sum();
    // Each of several measures.
    assert!(asked > 2_000, "{asked}");
}
