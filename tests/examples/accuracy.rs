//! `accuracy REGISTER [ADDRESS]`: what `tests/bench/accuracy` measures of Lango, as one JSON object; the keys are written down
//! there. With the address of a PostgreSQL server that holds the same register, what is measured of it there, and nothing else.
//!
//! The register is asked through a gateway on a socket; errors over many releases, cubes, medians and noise by what the
//! gateway calls.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use lango_database::{Password, Server, Tls};
use lango_privacy::{
    Accounting, Basis, Bounds, Code, Column, Cost, Counted, Cube, Dataset, DatasetKind, Domain, Exact, Fetch,
    Grid, Keyset, Layout, LayoutMargin, Loss, Margin, MarginText, Measure, Measurement, Mechanism, Name,
    Noise, Objective, Plan, PlannedMargin, Query, Sensitivity, Unit, compile, measure,
};
use lango_source::{Postgres, Secret, Settings, Source, Sqlite};
use lango_testkit::{Engine, Office, Policy, Register, TestRegion};
use serde_json::{Value, json};

/// Warm runs of the two questions.
const WARM_RUNS: usize = 5;
/// Releases over which errors are averaged.
const RELEASES: usize = 400;
/// Draws of each cube.
const CUBES: usize = 400;
/// Epsilon 1 at delta 1e-6, in billionths.
const DELTA_E18: u64 = 1_000_000_000_000;
/// The sizes and margins of the cube that is asked for.
const SIZES: [usize; 3] = [50, 2, 18];
const MARGINS: [u32; 5] = [0b000, 0b001, 0b010, 0b011, 0b111];
const NAMES: [&str; 3] = ["origin", "sex", "age"];

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let begun = Instant::now();
    let register = PathBuf::from(std::env::args().nth(1).ok_or("usage: accuracy REGISTER [ADDRESS]")?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(address) = std::env::args().nth(2) {
        let report = runtime.block_on(of_register(&register, Some(address), begun))?;
        println!("{}", json!({ "register": report }));
        return Ok(());
    }
    let report = json!({
        "versions": { "lango": env!("CARGO_PKG_VERSION"), "sqlite": rusqlite::version() },
        "register": runtime.block_on(of_register(&register, None, begun))?,
        "cubes": { "zcdp": of_cube(Mechanism::DiscreteGaussian)?, "pure": of_cube(Mechanism::DiscreteLaplace)? },
        "medians": of_medians()?,
        "noise": of_noise()?,
        "planning": of_planning()?,
    });
    println!("{report}");
    Ok(())
}

/// The benchmark's register as an office would declare it.
fn policy(origins: &[String]) -> String {
    let origins: Vec<String> = origins.iter().map(|origin| format!("\"{origin}\"")).collect();
    format!(
        r#"policy = 2
office = "GHA"

[dataset.residents]
title = "The benchmark's register"
kind = "stock"
source = "register"
table = "residents"
version = "1"
unit = {{ column = "person_id", noun = "person", rows_at_most = 1 }}
rows_below = 10_000_000

[dataset.residents.column]
country_of_birth = {{ codes = [{}] }}
sex = {{ codes = ["F", "M"] }}
age = {{ integer = [0, 89], bands = 5 }}
income = {{ amount = [0, 100_000], scale = 0 }}

[budget.residents]
accounting = "pure"
epsilon = 100
renews = "never"

[[grant]]
id = "bench"
to = ["spiffe://ecowas.example/analyst/*"]
purpose = ["official-statistics"]
dataset = "residents"
measures = ["persons", "mean(income)"]
by = ["country_of_birth", "sex"]
by_at_most = 2
epsilon_per_query = 1
epsilon_total = 100
publish = "office"
"#,
        origins.join(", ")
    )
}

/// Counts by country of birth and sex and mean income by country of birth, at this epsilon for both.
fn question(epsilon: &str) -> String {
    format!(
        "lango-query 1\ndataset residents\nmeasure mean(income)\nby country_of_birth\n\
         measure persons\nby country_of_birth,sex\nprice epsilon {epsilon}\n"
    )
}

/// Rows of the register by one statement.
fn rows(register: &Path, sql: &str) -> Result<Vec<(String, String, f64, f64)>, Failure> {
    let connection =
        rusqlite::Connection::open_with_flags(register, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare(sql)?;
    let read = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok(read.collect::<rusqlite::Result<_>>()?)
}

/// The register as a gateway reads it: in the file, or on a server whose password the environment holds.
fn source(register: &Path, address: Option<&str>) -> Result<Box<dyn Source>, Failure> {
    let statement_timeout = Duration::from_secs(60);
    let Some(address) = address else { return Ok(Box::new(Sqlite::new(register, statement_timeout))) };
    let server = Server {
        address: address.to_owned(),
        password: Some(Password::Environment("LANGO_TEST_POSTGRES_PASSWORD".to_owned())),
        tls: Tls::Authority(std::env::var("LANGO_TEST_AUTHORITY")?.into()),
    };
    Ok(Box::new(Postgres::new(&server, Settings { statement_timeout, ..Settings::default() })?))
}

async fn of_register(register: &Path, address: Option<String>, begun: Instant) -> Result<Value, Failure> {
    let truth = rows(
        register,
        "SELECT country_of_birth, sex, CAST(count(*) AS REAL), CAST(sum(income) AS REAL) FROM residents GROUP BY 1, 2",
    )?;
    let mut origins: Vec<String> = truth.iter().map(|(origin, ..)| origin.clone()).collect();
    origins.dedup();
    let text = policy(&origins);

    // Reading the truth has warmed the file, not the gateway.
    let spent_on_truth = begun.elapsed();
    let world = TestRegion::new();
    let policy = Policy::of("GHA");
    let mut office = Office::prepare_on(Engine::Sqlite, &world, "GHA", &policy, &Register::default());
    office.write_policy(&text);
    office.up_on(source(register, address.as_deref())?).await?;
    let analyst = world.analyst();
    let ask = async |epsilon: &str| {
        let answered = analyst.ask(&office, &question(epsilon)).await;
        answered.map_err(|failed| Failure::from(failed.status.message().to_owned()))
    };
    let first = ask("1").await?;
    let cold = begun.elapsed() - spent_on_truth;
    let mut warm = Vec::new();
    for run in 1..=WARM_RUNS {
        let started = Instant::now();
        // A billionth less each time, so that no answer is a stored one.
        let answer = ask(&format!("0.99999999{}", 9 - run)).await?;
        warm.push(started.elapsed().as_secs_f64());
        assert!(!answer.repeated, "no answer was stored before");
    }
    let peak_mb = peak_mb()?;
    warm.sort_by(f64::total_cmp);

    let documents = [lango_document::Document::new("bench.toml", text)];
    let policy = lango_policy::PolicySet::read(&documents)?;
    let dataset = policy.datasets.values().next().ok_or("a dataset")?;
    let basis = Basis { account: &Accounting::Pure, delta_e18: 0, terms_digest: [0; 32], released: &[] };
    let plan = compile(&question("1").parse()?, dataset, &basis)?;
    let counts: BTreeMap<(&str, &str), f64> =
        truth.iter().map(|(origin, sex, count, _)| ((origin.as_str(), sex.as_str()), *count)).collect();
    let means: BTreeMap<&str, (f64, f64)> = origins
        .iter()
        .map(|origin| {
            let of: Vec<_> = truth.iter().filter(|(of, ..)| of == origin).collect();
            let count: f64 = of.iter().map(|(.., count, _)| count).sum();
            (origin.as_str(), (of.iter().map(|(.., sum)| sum).sum::<f64>() / count, count))
        })
        .collect();
    let mut errors = Errors::default();
    let source = source(register, address.as_deref())?;
    for _ in 0..RELEASES {
        let session = source.open().await?;
        let counted = session.fetch(plan.clone(), Secret::new([0; 32])).await?;
        let measured = measure(&plan, counted)?;
        errors.add(&measured.layout, &measured.integers, &counts, &means);
    }
    let [mean_noise, count_noise] =
        [0, 1].map(|at| plan.margins.get(at).and_then(|margin| margin.text.measurement.noise()));
    let (mean_noise, count_noise) = mean_noise.zip(count_noise).ok_or("two noises")?;
    // To first order the mean by the pair errs by ((high - m) Z1 - (m - low) Z2) / (W n); the expected magnitude of a weighted
    // difference of two Laplace noises of scale b is b (u^2 + u v + v^2) / (u + v) at weights u, v.
    let by_pair = means.values().map(|(mean, count)| {
        let (u, v) = ((100_000.0 - mean) / 100_000.0, mean / 100_000.0);
        mean_noise.scale * (u * u + u * v + v * v) / (u + v) / count
    });
    let p = (-1.0 / count_noise.scale).exp();
    Ok(json!({
        "epsilon_charged": first.charged.pure_nano.unwrap_or(0) as f64 / 1e9,
        "cold_s": cold.as_secs_f64(),
        "warm_s": warm.get(WARM_RUNS / 2),
        "warm_runs": WARM_RUNS,
        "peak_mb": peak_mb,
        "releases": RELEASES,
        "count_error": errors.count / (RELEASES * counts.len()) as f64,
        "count_error_expected": 2.0 * p / (1.0 - p * p),
        "mean_error": errors.mean / (RELEASES * means.len()) as f64,
        "mean_error_expected": by_pair.sum::<f64>() / means.len() as f64,
        "mean_error_relative": errors.relative / (RELEASES * means.len()) as f64,
    }))
}

/// Sums of absolute errors.
#[derive(Default)]
struct Errors {
    count: f64,
    mean: f64,
    relative: f64,
}

impl Errors {
    fn add(
        &mut self,
        layout: &Layout,
        integers: &[i64],
        counts: &BTreeMap<(&str, &str), f64>,
        means: &BTreeMap<&str, (f64, f64)>,
    ) {
        let mut rest = integers.iter().map(|integer| *integer as f64);
        for margin in layout.margins() {
            let axes: Vec<_> = layout.axes(&margin.by).map(|(_, keyset)| keyset).collect();
            for key in lango_privacy::rows(&axes) {
                let mut next = || rest.next().unwrap_or_default();
                let found: Vec<f64> = (0..margin.width()).map(|_| next()).collect();
                match (key.as_slice(), found.as_slice()) {
                    ([origin], [above, below]) => {
                        if let Some((mean, _)) = means.get(origin.as_str()) {
                            let error = (100_000.0 * above / (above + below) - mean).abs();
                            self.mean += error;
                            self.relative += error / mean;
                        }
                    }
                    ([origin, sex], [count]) => {
                        if let Some(truth) = counts.get(&(origin.as_str(), sex.as_str())) {
                            self.count += (count - truth).abs();
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn keyset(keys: usize) -> Keyset {
    Keyset::new((0..keys).map(|key| Code::of_integer(key as i64)).collect())
}

fn dataset(columns: impl IntoIterator<Item = (&'static str, Column)>) -> Dataset {
    Dataset {
        name: name("bench"),
        title: String::new(),
        kind: DatasetKind::Stock,
        source: String::new(),
        table: String::new(),
        version: Code::of_integer(1),
        unit: Unit {
            column: String::new(),
            noun: name("person"),
            plural: name("persons"),
            rows_at_most: 1,
            cells_at_most: 1,
        },
        rows_below: None,
        objective: Objective::Sum,
        bounds_drop: None,
        columns: columns.into_iter().map(|(column, domain)| (name(column), domain)).collect(),
    }
}

/// The noise that a share of epsilon 1 buys for a margin in which a person has one cell.
fn noise(mechanism: Mechanism, rho: f64, share: f64) -> Noise {
    let scale = match mechanism {
        Mechanism::DiscreteLaplace => 1.0 / share,
        Mechanism::DiscreteGaussian => (0.5 / (rho * share)).sqrt(),
    };
    Noise { mechanism, scale }
}

fn of_cube(mechanism: Mechanism) -> Result<Value, Failure> {
    let rho = Accounting::Zcdp { delta_e18: DELTA_E18 }.amount_of(1_000_000_000)? as f64 / 1e9;
    let cube = Cube::new(SIZES.to_vec(), MARGINS.to_vec()).ok_or("a cube")?;
    let shares = cube.shares(&|_, share| noise(mechanism, rho, share).variance(), Objective::Sum);
    let noises: Vec<Noise> = shares.iter().map(|share| noise(mechanism, rho, *share)).collect();
    let variances: Vec<f64> = noises.iter().map(Noise::variance).collect();
    let sized = |mask: u32| SIZES.iter().enumerate().filter(move |(at, _)| mask >> at & 1 == 1);
    let cells: Vec<usize> = MARGINS.iter().map(|mask| sized(*mask).map(|(_, size)| size).product()).collect();
    let computed: f64 = cube
        .cell_variances(&variances)
        .iter()
        .zip(&cells)
        .map(|(variance, cells)| variance * *cells as f64)
        .sum();

    let by = |mask: u32| Margin::new(sized(mask).filter_map(|(at, _)| NAMES.get(at)).map(|text| name(text)));
    let keysets = NAMES.iter().zip(SIZES).map(|(text, size)| (name(text), keyset(size))).collect();
    let margins =
        MARGINS.iter().map(|mask| LayoutMargin { measure: Measure::persons(), by: by(*mask), values: None });
    let one = Sensitivity { l0: 1, l1: 1, l2_squared: 1, linf: 1 };
    let planned = MARGINS.iter().zip(&noises).map(|(mask, noise)| PlannedMargin {
        text: MarginText {
            measure: Measure::persons(),
            by: by(*mask),
            measurement: Measurement::Noise(*noise),
            sensitivity: 1,
            price_nano: 1,
        },
        fetch: Fetch::Units,
        sensitivity: one,
    });
    let plan = Plan {
        dataset: dataset([]),
        filters: Vec::new(),
        layout: Layout::new(keysets, margins.collect())?,
        margins: planned.collect(),
        earlier: Vec::new(),
        loss: Loss::pure(1),
        terms_digest: [0; 32],
        cost: Cost::default(),
    };
    // A table's dimensions stand in name order: age, origin, sex. The cube takes them so.
    let named = Cube::new(vec![SIZES[2], SIZES[0], SIZES[1]], vec![0b000, 0b010, 0b100, 0b110, 0b111])
        .ok_or("a cube")?;
    let mut totals = Vec::new();
    for _ in 0..CUBES {
        let nothing = Exact::new(cells.iter().map(|cells| Counted::Cells(vec![0; *cells])).collect());
        let mut rest = measure(&plan, nothing)?.integers.into_iter().map(|integer| integer as f64);
        let tables: Vec<Vec<f64>> = cells.iter().map(|cells| rest.by_ref().take(*cells).collect()).collect();
        let estimates = named.consistent(&variances, &tables);
        totals.push(estimates.iter().flatten().map(|error| error * error).sum::<f64>());
    }
    let mean = totals.iter().sum::<f64>() / CUBES as f64;
    let spread = totals.iter().map(|total| (total - mean).powi(2)).sum::<f64>() / (CUBES - 1) as f64;
    let variances: HashMap<String, f64> = MARGINS
        .iter()
        .zip(&variances)
        .map(|(mask, variance)| {
            let names: Vec<&str> = sized(*mask).filter_map(|(at, _)| NAMES.get(at).copied()).collect();
            (names.join(","), *variance)
        })
        .collect();
    Ok(json!({
        "variances": variances, "computed": computed, "simulated": mean,
        "standard_error": (spread / CUBES as f64).sqrt(),
    }))
}

/// Rank errors of medians of one group at epsilon 0.5.
fn of_medians() -> Result<Vec<Value>, Failure> {
    let mut medians = Vec::new();
    for rows in [100, 1_000, 10_000, 100_000] {
        // Every value once, ten candidates from one to the next around the middle and a thousand coarse ones beside.
        let high = 10 * rows;
        let coarse = (0..=high).step_by((high as usize / 1_000).max(1));
        let fine = (high / 2 - 2_000).max(0)..=(high / 2 + 2_000).min(high);
        let candidates: std::collections::BTreeSet<i64> = coarse.chain(fine).collect();
        let column = Column::from(Domain::amount(0, high, 0, None)?);
        let column = column.with_candidates(Grid::Listed(candidates.into_iter().collect()))?;
        medians.push(of_median("untied", (0..rows).map(|row| 10 * row + 3).collect(), column)?);
    }
    for rows in [10_000, 100_000] {
        // Whole ages of a young population: age a has weight 90 - a.
        let column = Column::from(Domain::integer(0, 89, 1)?);
        let ages = (0..90i64).flat_map(|age| std::iter::repeat_n(age, (rows * (90 - age) / 4_095) as usize));
        let mut ages: Vec<i64> = ages.collect();
        ages.resize(rows as usize, 0);
        medians.push(of_median("ages", ages, column)?);
    }
    Ok(medians)
}

fn of_median(data: &str, values: Vec<i64>, column: Column) -> Result<Value, Failure> {
    let dataset = dataset([("value", column)]);
    let query: Query =
        "lango-query 1\ndataset bench\nmeasure quantile(value,0.5)\nby\nprice epsilon 0.5\n".parse()?;
    let basis = Basis { account: &Accounting::Pure, delta_e18: 0, terms_digest: [0; 32], released: &[] };
    let plan = compile(&query, &dataset, &basis)?;
    let candidates = plan.margins.first().map(|margin| margin.fetch.candidates()).unwrap_or_default();
    let mut ranks = vec![0i64; 2 * candidates.len() + 1];
    for value in &values {
        let slot = match candidates.binary_search(value) {
            Ok(at) => 2 * at + 1,
            Err(at) => 2 * at,
        };
        ranks[slot] += 1;
    }
    let half = values.len() as f64 / 2.0;
    let mut errors = Vec::new();
    for _ in 0..RELEASES {
        let measured = measure(&plan, Exact::new(vec![Counted::Cells(ranks.clone())]))?;
        let chosen = *measured.integers.first().ok_or("a median")?;
        let below = values.iter().filter(|value| **value < chosen).count() as f64;
        let at_most = values.iter().filter(|value| **value <= chosen).count() as f64;
        errors.push((below - half).max(half - at_most).max(0.0));
    }
    errors.sort_by(f64::total_cmp);
    Ok(json!({
        "data": data, "rows": values.len(), "releases": RELEASES,
        "rank_error": errors.iter().sum::<f64>() / RELEASES as f64,
        "rank_error_p95": errors.get(RELEASES * 95 / 100),
    }))
}

/// A dataset whose one question has 100,000 cells.
fn wide() -> Result<(Dataset, Query, usize), Failure> {
    let codes = |count: i64| Domain::codes((0..count).map(Code::of_integer).collect()).map(Column::from);
    let dataset = dataset([("origin", codes(498)?), ("district", codes(198)?)]);
    let query =
        "lango-query 1\ndataset bench\nmeasure persons\nby district,origin\nprice epsilon 1\n".parse()?;
    Ok((dataset, query, 500 * 200))
}

fn of_noise() -> Result<Value, Failure> {
    let (dataset, query, cells) = wide()?;
    let mut slowest: f64 = 0.0;
    for account in [Accounting::Pure, Accounting::Zcdp { delta_e18: DELTA_E18 }] {
        let basis = Basis { account: &account, delta_e18: 0, terms_digest: [0; 32], released: &[] };
        let plan = compile(&query, &dataset, &basis)?;
        let mut times = Vec::new();
        for _ in 0..3 {
            let nothing = Exact::new(vec![Counted::Cells(vec![0; cells])]);
            let started = Instant::now();
            measure(&plan, nothing)?;
            times.push(started.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        slowest = slowest.max(times[1]);
    }
    Ok(json!({ "cells": cells, "s": slowest }))
}

fn of_planning() -> Result<Value, Failure> {
    let (dataset, query, cells) = wide()?;
    let mut slowest: f64 = 0.0;
    for account in [Accounting::Pure, Accounting::Zcdp { delta_e18: DELTA_E18 }] {
        let basis = Basis { account: &account, delta_e18: 0, terms_digest: [0; 32], released: &[] };
        let mut times = Vec::new();
        for _ in 0..21 {
            let started = Instant::now();
            let plan = compile(&query, &dataset, &basis)?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            assert_eq!(plan.layout.integers(), cells);
            assert_eq!(plan.text().bounds, Bounds::of(&dataset));
        }
        times.sort_by(f64::total_cmp);
        slowest = slowest.max(times[10]);
    }
    Ok(json!({ "cells": cells, "ms": slowest }))
}

/// The most memory that this process has had resident.
fn peak_mb() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1_000.0)
}
