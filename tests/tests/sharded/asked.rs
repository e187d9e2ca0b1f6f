//! A register with a column of every kind, the questions that are asked of it, and what comes out.

use std::time::Duration;

use lango_privacy::{
    Accounting, Basis, Column, Dataset, Discovery, Domain, Fetch, Grid, Measurement, Mechanism, Noise, Plan,
    Query, Reading, Span, compile, measure,
};
use lango_source::{Postgres, Secret, Settings, Source};
use lango_testkit::{Cluster, Host, TestDatabase, Value, residents};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

pub const COLUMNS: [(&str, &str); 7] = [
    ("person_id", "BIGINT PRIMARY KEY"),
    ("age", "INTEGER"),
    ("balance", "NUMERIC(12,2)"),
    ("born", "DATE"),
    ("income", "BIGINT"),
    ("registered", "TEXT"),
    ("sex", "TEXT"),
];

/// Every measure, under conditions of every kind.
pub const QUESTIONS: [&str; 7] = [
    "measure persons\nby\nby age,sex\nby born",
    "measure histogram(income)\nby sex\nmeasure quantile(balance,0.5)\nby",
    "measure rows(balance)\nby\nmeasure share(sex)\nby age\nmeasure sum(balance)\nby sex\nmeasure sum(income)\nby born",
    "measure mean(income)\nby sex\nwhere age from 2 to 60",
    "measure persons\nby sex\nwhere born from 1990-01-01 to 2010-12-31",
    "measure persons\nby age\nwhere registered from 2021-03-01 to 2022-06-30",
    "measure persons\nby born\nwhere sex = F",
];

pub fn dataset(rows_at_most: u32) -> Dataset {
    let date =
        |from: &str, until: &str, by| Column::from(Domain::date(from.into(), until.into(), by).unwrap());
    let amount = |low, high, scale| Column::from(Domain::amount(low, high, scale, None).unwrap());
    let codes = ["F", "M"].map(|code| code.parse().unwrap()).into();
    // What stands for a text that is too long to be read is not this one.
    let reading = Reading { missing: ["_O".to_owned()].into(), ..Reading::default() };
    let sex = Column::from(Domain::codes(codes).unwrap()).with_reading(reading).unwrap();
    let columns = [
        ("age", Domain::integer(0, 99, 10).unwrap().into()),
        ("balance", amount(-500, 10_000, 2).with_candidates(Grid::Every(500)).unwrap()),
        ("born", date("1960-01-01", "2020-12-31", Span::Year)),
        ("income", amount(0, 5_000, 0).with_bins(Grid::Listed([0, 10, 1_000].into())).unwrap()),
        ("registered", date("2020-01-01", "2023-12-31", Span::Month)),
        ("sex", sex),
    ];
    residents((rows_at_most, rows_at_most), columns)
}

/// Rows with values that are declared, undeclared, out of bounds and missing; `of_each` for each unit.
pub fn rows(units: i64, of_each: i64) -> Vec<Vec<Value>> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut one = |of: &[Value]| of[(random.next_u64() % of.len() as u64) as usize].clone();
    let numbers =
        |of: &[i64]| of.iter().map(|number| Value::from(*number)).chain([Value::Null]).collect::<Vec<_>>();
    let texts =
        |of: &[&str]| of.iter().map(|text| Value::from(*text)).chain([Value::Null]).collect::<Vec<_>>();
    let age = numbers(&[0, 9, 10, 42, 60, 61, 99, 100, -1]);
    let balance = texts(&["-6", "-5.00", "0", "0.01", "12.34", "99.99", "100", "1e9", "NaN"]);
    let born = texts(&[
        "1960-01-01",
        "1989-12-31",
        "1990-01-01",
        "2010-12-31",
        "2021-01-01",
        "infinity",
        "0044-03-15 BC",
    ]);
    let income = numbers(&[0, 9, 10, 999, 1_000, 5_000, i64::MIN, i64::MAX]);
    let long = "x".repeat(9_000);
    let registered =
        texts(&["2021-03-01", "2022-06-30", "2022-07-01", "2019-12-31", "2021-02-30", " ", "soon", &long]);
    let sex = texts(&["F", "M", "f", "F ", "", "é", "_O", &long]);
    let row = |row| {
        vec![
            Value::Integer(row % units),
            one(&age),
            one(&balance),
            one(&born),
            one(&income),
            one(&registered),
            one(&sex),
        ]
    };
    (0..units * of_each).map(row).collect()
}

/// A table of these rows over three servers, and the same in one.
pub fn both(unit: &str, rows: &[Vec<Value>]) -> (Cluster, TestDatabase) {
    let columns = COLUMNS.map(|(name, words)| (name, if name == "person_id" { unit } else { words }));
    let (cluster, single) = (Cluster::fresh(), TestDatabase::on(&Host::postgres()));
    cluster.create("residents", "person_id", &columns);
    cluster.head.insert("residents", rows.to_vec());
    single.create("residents", &columns);
    single.insert("residents", rows.to_vec());
    (cluster, single)
}

fn settings(database: &TestDatabase) -> Settings {
    Settings { prepared_schema: Some(database.prepared_schema()), ..Settings::default() }
}

/// What a gateway reads that knows no shards.
pub fn plain(database: &TestDatabase) -> Postgres {
    Postgres::new(&database.server(), settings(database)).unwrap()
}

/// What a gateway reads that knows these of the shards.
pub fn sharded(cluster: &Cluster, known: usize) -> Postgres {
    let servers = cluster.shard_servers().into_iter().take(known);
    servers.fold(plain(&cluster.head), |source, (name, server)| {
        source.with_shard(&name, &server, Duration::from_secs(60)).unwrap()
    })
}

pub fn secret() -> Secret {
    Secret::new([7; 32])
}

pub fn planned(question: &str, dataset: &Dataset) -> Plan {
    let query: Query =
        format!("lango-query 1\ndataset {}\n{question}\nprice epsilon 100\n", dataset.name).parse().unwrap();
    let account = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };
    let basis = Basis { account: &account, delta_e18: 1_000_000_000, terms_digest: [0; 32], released: &[] };
    let mut plan = compile(&query, dataset, &basis).unwrap_or_else(|refusal| panic!("{question}: {refusal}"));
    // A noise that is 0 but once in 10^55 draws.
    for margin in &mut plan.margins {
        let noise = |mechanism| Noise { mechanism, scale: 1.0 / 128.0 };
        margin.text.measurement = match margin.fetch {
            Fetch::Keys(_) => {
                Measurement::Discovery(Discovery { noise: noise(Mechanism::DiscreteGaussian), threshold: 1 })
            }
            _ => Measurement::Noise(noise(Mechanism::DiscreteLaplace)),
        };
    }
    plan
}

/// The integers of every question.
pub async fn answers(source: &Postgres, dataset: &Dataset) -> Vec<Vec<i64>> {
    let mut measured = Vec::new();
    for question in QUESTIONS {
        let plan = planned(question, dataset);
        let session = source.open().await.unwrap();
        let fetched = session.fetch(plan.clone(), secret()).await;
        let fetched = fetched.unwrap_or_else(|error| panic!("{question}: {error}"));
        measured.push(measure(&plan, fetched).unwrap().integers);
    }
    measured
}
