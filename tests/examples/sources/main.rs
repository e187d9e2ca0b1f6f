//! `sources ENGINE ROWS FOLDER RUNS`: what `tests/bench/sources` measures of one engine, as one JSON object; the keys are written
//! down there. FOLDER is where rows are written for the server to load, which must be able to read them.
//!
//! `sources gateway FOLDER ADDRESS`: the gateway that is measured, a process of its own.

#[path = "child.rs"]
mod child;
#[path = "naive.rs"]
mod naive;
#[path = "plain.rs"]
mod plain;
#[path = "rows.rs"]
mod rows;

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use lango_document::Document;
use lango_privacy::Dataset;
use lango_source::{Bounding, Secret};
use lango_store::{Location, Store};
use lango_testkit::{Caller, Engine, Office, Policy, Register, TestRegion, tables};
use serde_json::{Value, json};

use child::Child;
use plain::Plain;

/// The bound on the rows of a person.
const BOUND: u32 = 12;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["gateway", folder, address] => runtime.block_on(child::serve(folder.as_ref(), address)),
        [engine, rows, folder, runs] => {
            let (engine, rows, runs) = (engine_of(engine)?, rows.parse()?, runs.parse()?);
            let report = runtime
                .block_on(async { Bench::new(engine, rows, folder.as_ref()).await?.run(runs).await })?;
            println!("{report}");
            Ok(())
        }
        _ => Err("usage: sources ENGINE ROWS FOLDER RUNS".into()),
    }
}

fn engine_of(word: &str) -> Result<Engine, Failure> {
    match word {
        "sqlite" => Ok(Engine::Sqlite),
        "postgres" => Ok(Engine::Postgres),
        "mariadb" => Ok(Engine::MariaDb),
        _ => Err("ENGINE is sqlite, postgres or mariadb".into()),
    }
}

/// Persons with one row each, and visits, of which a person has several.
fn policy() -> String {
    let countries: Vec<String> =
        (0..rows::COUNTRIES).map(|at| format!("\"{}\"", rows::country(at))).collect();
    let mut text = "policy = 2\noffice = \"GHA\"\n".to_owned();
    for (table, bound) in [("residents", 1), ("visits", BOUND)] {
        text += &format!(
            r#"
[dataset.{table}]
title = "The benchmark's {table}"
kind = "flow"
source = "register"
table = "{table}"
version = "1"
unit = {{ column = "person_id", noun = "person", rows_at_most = {bound} }}
rows_below = 100_000_000

[dataset.{table}.column]
country = {{ codes = [{}] }}
sex = {{ codes = ["F", "M"] }}
age = {{ integer = [0, 99], bands = 5 }}
income = {{ amount = [0, 5_000], scale = 0 }}

[budget.{table}]
accounting = "pure"
epsilon = 100
renews = "never"

[[grant]]
id = "bench-{table}"
to = ["spiffe://ecowas.example/analyst/*"]
purpose = ["official-statistics"]
dataset = "{table}"
measures = ["persons", "rows"]
by = ["country", "sex"]
by_at_most = 2
epsilon_per_query = 2
epsilon_total = 100
publish = "office"
"#,
            countries.join(", ")
        );
    }
    text
}

struct Bench {
    engine: Engine,
    rows: u64,
    office: Office,
    analyst: Caller,
    gateway: Child,
    plain: Plain,
    visits: Dataset,
}

impl Bench {
    async fn new(engine: Engine, rows: u64, folder: &Path) -> Result<Self, Failure> {
        let world = TestRegion::new();
        let mut office = Office::prepare_on(engine, &world, "GHA", &Policy::of("GHA"), &Register::default());
        office.database.run("DROP TABLE residents");
        rows::fill(&office.database, rows, folder)?;
        let text = policy();
        office.write_policy(&text);
        let gateway = Child::start(&world, &office)?;
        office.listens_at(gateway.address);
        let plain = Plain::of(&office.database).await?;
        let policy = lango_policy::PolicySet::read(&[Document::new("bench.toml", text)])?;
        let visits = policy.datasets.into_values().find(|dataset| dataset.table == "visits");
        let visits = visits.ok_or("a dataset of visits")?;
        Ok(Self { engine, rows, office, analyst: world.analyst(), gateway, plain, visits })
    }

    /// `runs` of what takes seconds, after one that is not counted; half of them of what ranks every row.
    async fn run(mut self, runs: usize) -> Result<Value, Failure> {
        let vouched = self.pair("residents", "persons", &plain::counts("residents"), 1, runs).await?;
        let ranked = naive::ranked(self.engine, BOUND);
        let unprepared_rows =
            self.pair("visits", "rows", &plain::counts(&ranked), 0, runs.div_ceil(2)).await?;
        let unprepared_persons =
            self.pair("visits", "persons", &plain::distinct(&ranked), 0, runs.div_ceil(2)).await?;
        let checking = self.check(runs.div_ceil(2)).await?;
        let preparing = self.prepare(runs.div_ceil(2)).await?;
        let rows = self.pair("visits", "rows", &plain::counts("visits"), 1, runs).await?;
        let persons = self.pair("visits", "persons", &plain::distinct("visits"), 1, runs).await?;
        Ok(json!({
            "version": self.plain.version().await?,
            "rows": self.rows,
            "vouched": vouched,
            "unprepared_rows": unprepared_rows,
            "unprepared_persons": unprepared_persons,
            "checking": checking,
            "preparing": preparing,
            "prepared_rows": rows,
            "prepared_persons": persons,
            "gateway_peak_mb": self.gateway.peak_mb()?,
        }))
    }

    /// Seconds of a question and of the statement that it is compared with, in turns.
    async fn pair(
        &mut self,
        dataset: &str,
        measure: &str,
        sql: &str,
        unmeasured: usize,
        runs: usize,
    ) -> Result<Value, Failure> {
        let (mut gateway, mut engine) = (Vec::new(), Vec::new());
        for run in 0..unmeasured + runs {
            let asked = self.ask(dataset, measure).await?;
            let began = Instant::now();
            let (cells, total) = self.plain.read(sql).await?;
            let took = began.elapsed();
            assert_eq!(cells, 2 * rows::COUNTRIES as usize, "every cell is there");
            let (answered, sum) = asked;
            // Of the noise of a hundred cells, and of the rows past the bound.
            assert!((sum - total).abs() < total / 10 + 100_000, "{dataset} {measure}: {sum} against {total}");
            eprintln!("  {dataset} {measure}: {:.2} s, {:.2} s", answered.as_secs_f64(), took.as_secs_f64());
            if run >= unmeasured {
                gateway.push(answered.as_secs_f64());
                engine.push(took.as_secs_f64());
            }
        }
        Ok(json!({ "gateway_s": gateway, "engine_s": engine }))
    }

    /// How long a new answer takes, and the sum of its cells.
    async fn ask(&self, dataset: &str, measure: &str) -> Result<(Duration, i64), Failure> {
        static ASKED: AtomicU32 = AtomicU32::new(1);
        // Some billionths more each time, so that no answer is a stored one.
        let price = ASKED.fetch_add(1, Ordering::SeqCst);
        let question = format!(
            "lango-query 1\ndataset {dataset}\nmeasure {measure}\nby country,sex\nprice epsilon 1.{price:08}1\n"
        );
        let began = Instant::now();
        let answer = self.analyst.ask(&self.office, &question).await;
        let took = began.elapsed();
        let answer = answer.map_err(|failed| format!("{question}{}", failed.status.message()))?;
        assert!(!answer.repeated, "no answer was stored before");
        Ok((took, tables(&answer).iter().flat_map(|table| table.values()).sum()))
    }

    /// Seconds of counting what stands in the visits, as `lango dataset check` does, and of a `GROUP BY` of each column.
    async fn check(&mut self, runs: usize) -> Result<Value, Failure> {
        let source = self.office.database.source_within(Duration::from_secs(3_600));
        let (mut gateway, mut engine) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let began = Instant::now();
            for statement in plain::each_column("visits") {
                let rows = self.plain.take(&statement).await?;
                assert!(rows > 1, "{statement}");
            }
            engine.push(began.elapsed().as_secs_f64());
            let began = Instant::now();
            let found = source.survey(&self.visits).await?;
            gateway.push(began.elapsed().as_secs_f64());
            eprintln!("  checking: {:.2?} s, {:.2?} s", gateway.last(), engine.last());
            assert_eq!(found.rows, self.rows, "every row is counted");
            assert!(found.columns.values().all(|column| column.declared == self.rows), "and declared");
        }
        Ok(json!({ "gateway_s": gateway, "engine_s": engine }))
    }

    /// Seconds of preparing, and of the engine's own ranking and copying of the same rows.
    async fn prepare(&mut self, runs: usize) -> Result<Value, Failure> {
        let store = Store::open(&Location::File(self.office.store())).await?;
        let secret = store
            .bounding_secret(self.visits.name.as_str(), self.visits.version.as_str(), [1; 32], None, 0)
            .await?;
        let secret = Secret::new(secret);
        let source = self.office.database.source_within(Duration::from_secs(3_600));
        let (mut gateway, mut engine) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let began = Instant::now();
            let copied = self.plain.copy(&naive::ranked(self.engine, BOUND)).await?;
            engine.push(began.elapsed().as_secs_f64());
            let began = Instant::now();
            let rows = source.prepare(&self.visits, &secret).await?;
            gateway.push(began.elapsed().as_secs_f64());
            eprintln!("  preparing: {:?} s, {:?} s", gateway.last(), engine.last());
            assert_eq!(rows.kept, copied, "the same rows survive");
        }
        let bounding = source.bounding(&self.visits, &secret).await?;
        assert!(matches!(bounding, Bounding::Prepared { .. }), "{bounding}");
        Ok(json!({ "gateway_s": gateway, "engine_s": engine }))
    }
}
