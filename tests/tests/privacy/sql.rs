//! What a plan counts, fetched through the product's own SQL on the engine under test.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use lango_privacy::{Counted, Discovery, Exact, Measurement, Mechanism, Noise, Plan, measure};
use lango_source::{Secret, Source};
use lango_testkit::{Engine, TestDatabase, Value, wait};

use crate::table::{COLUMNS, Row};

/// A table of its own.
pub struct SqlTable {
    place: Place,
    name: String,
    /// What its rows are ordered by within each unit.
    secret: [u8; 32],
}

/// A database, and how a gateway reads it.
#[derive(Clone)]
struct Place {
    database: Arc<TestDatabase>,
    source: Arc<dyn Source>,
}

impl Place {
    fn fresh(engine: Engine) -> Self {
        let database = TestDatabase::fresh(engine);
        Self { source: database.source().into(), database: Arc::new(database) }
    }

    /// A file for every table; one database for all tables on a server, where it takes longest to make.
    fn of_engine(engine: Engine) -> Self {
        static SHARED: OnceLock<Place> = OnceLock::new();
        match engine {
            Engine::Sqlite => Self::fresh(engine),
            _ => SHARED.get_or_init(|| Self::fresh(engine)).clone(),
        }
    }
}

impl SqlTable {
    /// The table of these rows, in this order.
    pub fn of(rows: &[Row], secret: [u8; 32]) -> Self {
        static TABLES: AtomicUsize = AtomicUsize::new(0);
        let engine = Engine::under_test();
        let name = format!("movements_{}", TABLES.fetch_add(1, Ordering::Relaxed));
        let table = Self { place: Place::of_engine(engine), name, secret };
        let columns = COLUMNS.map(|column| match column {
            "region" | "sex" | "village" => (column, "TEXT"),
            number => (number, "BIGINT"),
        });
        let columns = [&[("person_id", "BIGINT")], columns.as_slice()].concat();
        let database = &table.place.database;
        database.create(&table.name, &columns);
        let value = |(value, (_, declared)): (&Option<String>, &(&str, &str))| match value {
            // SQLite makes a number of a text that is one; a server needs a cast.
            Some(text) if engine.is_typed() && *declared != "TEXT" => {
                Value::Integer(text.parse().unwrap_or_else(|_| panic!("{text} is no number")))
            }
            value => value.clone().into(),
        };
        let row = |row: &Row| {
            let values = row.values.iter().zip(&columns[1..]).map(value);
            [Value::Integer(row.unit)].into_iter().chain(values).collect()
        };
        database.insert(&table.name, rows.iter().map(row));
        table
    }

    /// Drops all rows of a unit.
    pub fn without(self, unit: i64) -> Self {
        self.place.database.run(&format!("DELETE FROM {} WHERE person_id = {unit}", self.name));
        self
    }

    /// What the plan fetches, in plain sight.
    ///
    /// Only the noise opens what was fetched, so it is read through noise that is none: at a scale of 0.005 anything but 0 has
    /// a probability below 1e-80.
    pub fn count(&self, plan: &Plan) -> Vec<Counted> {
        let mut silent = plan.clone();
        for margin in &mut silent.margins {
            let none = |mechanism| Noise { mechanism, scale: 0.005 };
            margin.text.measurement = match margin.text.measurement {
                Measurement::Discovery(_) => Measurement::Discovery(Discovery {
                    noise: none(Mechanism::DiscreteGaussian),
                    threshold: 1,
                }),
                _ => Measurement::Noise(none(Mechanism::DiscreteLaplace)),
            };
        }
        let measured = measure(&silent, self.fetch(plan)).unwrap();
        let mut rest = measured.integers.as_slice();
        let margins = plan.margins.iter().zip(measured.layout.margins());
        let counted = margins.map(|(planned, margin)| {
            let keys = matches!(planned.text.measurement, Measurement::Discovery(_));
            let width = if keys { margin.width() } else { planned.fetch.width(&plan.dataset) };
            let (counted, others) = rest.split_at(plan.layout.cells_of(&margin.by) * width);
            rest = others;
            let found = || margin.values.iter().flatten().map(ToString::to_string);
            if keys {
                Counted::Keys(found().zip(counted.iter().copied()).collect())
            } else {
                Counted::Cells(counted.to_vec())
            }
        });
        counted.collect()
    }

    fn fetch(&self, plan: &Plan) -> Exact<Vec<Counted>> {
        let (source, secret) = (Arc::clone(&self.place.source), Secret::new(self.secret));
        let mut plan = plan.clone();
        plan.dataset.table.clone_from(&self.name);
        wait(async move {
            source.check(&plan.dataset).await.unwrap();
            source.open().await.unwrap().fetch(plan, secret).await.unwrap()
        })
    }
}

impl Drop for SqlTable {
    fn drop(&mut self) {
        // A file goes by itself.
        if self.place.database.engine() != Engine::Sqlite {
            self.place.database.run(&format!("DROP TABLE {}", self.name));
        }
    }
}
