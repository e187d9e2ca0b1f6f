//! What a plan counts, fetched through the product's own SQL.

use std::{path::Path, time::Duration};

use lango_privacy::{Counted, Discovery, Exact, Measurement, Mechanism, Noise, Plan, measure};
use lango_source::{Secret, Source, Sqlite};
use rusqlite::{Connection, params_from_iter, types::Value};
use tempfile::TempDir;

use crate::table::{COLUMNS, Row};

/// A table in a file of its own.
pub struct Table {
    folder: TempDir,
    /// What its rows are ordered by within each unit.
    secret: [u8; 32],
}

impl Table {
    /// The table of these rows, in this order.
    pub fn of(rows: &[Row], secret: [u8; 32]) -> Self {
        let table = Self { folder: TempDir::new().unwrap(), secret };
        let connection = Connection::open(table.file()).unwrap();
        let columns = COLUMNS.map(|column| match column {
            "region" | "sex" | "village" => format!("{column} TEXT"),
            number => format!("{number} INTEGER"),
        });
        let sql = format!("CREATE TABLE movements (person_id INTEGER, {})", columns.join(", "));
        connection.execute_batch(&format!("PRAGMA synchronous = OFF; {sql}; BEGIN")).unwrap();
        let sql = "INSERT INTO movements VALUES (?, ?, ?, ?, ?, ?, ?)";
        let mut insert = connection.prepare(sql).unwrap();
        for row in rows {
            let values = row.values.iter().map(|value| value.clone().map_or(Value::Null, Value::Text));
            insert.execute(params_from_iter([Value::Integer(row.unit)].into_iter().chain(values))).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        table
    }

    fn file(&self) -> impl AsRef<Path> {
        self.folder.path().join("register.sqlite")
    }

    /// Drops all rows of a unit.
    pub fn without(self, unit: i64) -> Self {
        let connection = Connection::open(self.file()).unwrap();
        connection.execute("DELETE FROM movements WHERE person_id = ?", [unit]).unwrap();
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
            let told = || margin.values.iter().flatten().map(ToString::to_string);
            if keys {
                Counted::Keys(told().zip(counted.iter().copied()).collect())
            } else {
                Counted::Cells(counted.to_vec())
            }
        });
        counted.collect()
    }

    fn fetch(&self, plan: &Plan) -> Exact<Vec<Counted>> {
        let source = Sqlite::new(self.file().as_ref(), Duration::from_secs(60));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            source.check(&plan.dataset).await.unwrap();
            source.open().await.unwrap().fetch(plan.clone(), Secret::new(self.secret)).await.unwrap()
        })
    }
}
