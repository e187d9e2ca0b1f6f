//! Failures that users of other systems have reported, tried here: each test names the report.

use std::{fs, path::Path};

use lango_document::Document;
use lango_policy::PolicySet;
use lango_privacy::{
    Accounting, Basis, Column, Counted, Dataset, Domain, Measurement, Mechanism, Noise, Plan, compile,
};

use crate::{
    audit::product,
    seeds::times,
    sql::SqlTable,
    table::{self, Row, plan},
};

fn pure(question: &str, dataset: &Dataset) -> Plan {
    plan(question, dataset, &Accounting::Pure, &[])
}

fn cells(counted: &[Counted]) -> Vec<i64> {
    counted
        .iter()
        .flat_map(|counted| match counted {
            Counted::Cells(cells) => cells.clone(),
            Counted::Keys(_) => panic!("no keys are searched for"),
        })
        .collect()
}

/// smartnoise-sdk#202: an average was charged for less than its sum and its count reveal.
#[test]
fn an_average_costs_what_it_reveals() {
    for rows_at_most in [1, 3] {
        let dataset = table::dataset(rows_at_most, 1);
        let plan = pure("measure mean(income)\nby\nby sex\nprice epsilon 1", &dataset);
        let mut revealed = 0.0;
        for margin in &plan.margins {
            let Measurement::Noise(noise) = margin.text.measurement else {
                panic!("a mean is made from noisy sums")
            };
            // What both sums reveal together: the width of the bounds for each row, whatever its value is.
            let both = u64::from(rows_at_most) * 1_000;
            let epsilon = noise.epsilon(both).unwrap();
            assert!((noise.scale * epsilon / both as f64 - 1.0).abs() < 1e-9, "{noise}");
            revealed += epsilon;
        }
        let charged = plan.loss.pure_nano.unwrap() as f64 / 1e9;
        assert_eq!(charged, 1.0);
        assert!(
            revealed <= charged && revealed > 0.999_999 * charged,
            "{revealed} revealed, {charged} charged"
        );
    }
}

/// smartnoise-sdk#534, opendp#1964: groups in which nobody is were left out, and groups that were released gave persons away.
#[test]
fn every_declared_key_has_a_cell_in_an_empty_table_too() {
    let dataset = table::dataset(2, 2);
    let question = "measure mean(income)\nby sex\nmeasure persons\nby age,sex\nmeasure quantile(age,0.5)\nby region\n\
                    measure share(sex)\nby region\nprice epsilon 1";
    let plan = pure(question, &dataset);
    let counted = SqlTable::of(&[], [0; 32]).count(&plan);
    assert!(cells(&counted).iter().all(|count| *count == 0));
    let empty = product(&plan, counted).unwrap();
    // sex F, M, _O, _U; age 0-4, 5-9, _O, _U; region A, _O, _U: two sums by sex, units by both, a median and four shares.
    assert_eq!(empty.integers.len(), 2 * 4 + 4 * 4 + 3 + 4 * 3);
    let rows: Vec<Row> = (1..=9).map(|unit| Row::read(unit, "5 0 10 A F v")).collect();
    let filled = product(&plan, SqlTable::of(&rows, [0; 32]).count(&plan)).unwrap();
    assert_eq!(filled.layout, empty.layout, "which cells there are does not depend on the rows");
}

/// janus#3346: a count of few with negative noise came out near 2^64.
#[test]
fn a_count_of_nobody_may_be_negative_and_is_never_large() {
    let dataset = table::dataset(1, 1);
    let plan = pure("measure persons\nby sex\nmeasure sum(balance)\nby sex\nprice epsilon 1", &dataset);
    let counted = SqlTable::of(&[], [0; 32]).count(&plan);
    let drawn: Vec<i64> =
        (0..times(200)).flat_map(|_| product(&plan, counted.clone()).unwrap().integers).collect();
    // Each is below 0 with probability 0.4: of 800 counts a hundred and more are, but once in 10^50 runs.
    assert!(drawn.iter().filter(|noisy| **noisy < 0).count() > 100);
    // Scales are 2 and 1,800: e^-60 beyond.
    assert!(drawn.iter().all(|noisy| noisy.abs() < 60 * 1_800));
}

/// smartnoise-sdk#568: one bound on a unit's rows dropped what a bound on its groups was meant to.
#[test]
fn rows_and_cells_are_bounded_apart() {
    // Unit 1 has three rows in three cells, unit 2 three in one.
    let rows = ["5 0 10 A F v", "5 0 10 A M v", "5 0 10 A X v"].map(|row| Row::read(1, row));
    let rows: Vec<Row> = rows.into_iter().chain(["5 0 10 A F v"; 3].map(|row| Row::read(2, row))).collect();
    for (rows_at_most, cells_at_most, rows_read, persons_by_cell) in
        [(1, 1, 2, 2), (2, 1, 4, 2), (3, 1, 6, 2), (3, 2, 6, 3), (3, 3, 6, 4), (1, 3, 2, 2), (9, 9, 6, 4)]
    {
        let dataset = table::dataset(rows_at_most, cells_at_most);
        let plan = pure("measure persons\nby sex\nmeasure rows\nby\nprice epsilon 1", &dataset);
        let counted = SqlTable::of(&rows, [3; 32]).count(&plan);
        let sums: Vec<i64> =
            counted.iter().map(|margin| cells(std::slice::from_ref(margin)).iter().sum()).collect();
        assert_eq!(sums, [persons_by_cell, rows_read], "{rows_at_most} rows, {cells_at_most} cells");
    }
}

/// opendp's documentation of floating-point sums, and arXiv 2207.10635: the order of rows or their magnitude changed a sum by
/// more than its sensitivity.
#[test]
fn a_sum_is_exact_whatever_the_order_and_the_magnitude_of_its_rows() {
    const MOST: i64 = 9_007_199_254_741;
    let mut dataset = table::dataset(1, 1);
    let income = Column::from(Domain::amount(0, MOST, 0, None).unwrap());
    dataset.columns.insert(table::name("income"), income);
    dataset.rows_below = Some(1 << 18);
    let plan = pure("measure sum(income)\nby\nprice epsilon 1", &dataset);
    let row = |unit: i64, income: i64| Row::read(unit, &format!("5 0 {income} A F v"));
    let mut rows: Vec<Row> = (0..1_000).map(|unit| row(unit, MOST)).chain([row(1_000, 1)]).collect();
    // Odd and above 2^53: no float, and 1 is lost where floats are added in this order.
    let exact = 1_000 * MOST + 1;
    assert_ne!(exact as f64 as i64, exact);
    assert_eq!(cells(&SqlTable::of(&rows, [0; 32]).count(&plan)), [exact]);
    rows.reverse();
    assert_eq!(cells(&SqlTable::of(&rows, [0; 32]).count(&plan)), [exact]);
    assert_eq!(cells(&SqlTable::of(&rows, [0; 32]).without(1_000).count(&plan)), [exact - 1]);
}

/// opendp#2640, smartnoise-sdk#367: quantiles of small groups were missing or empty.
#[test]
fn a_quantile_of_nobody_is_one_of_the_candidates() {
    let plan = pure("measure quantile(age,0.25,0.5)\nby sex\nprice epsilon 1", &table::dataset(1, 1));
    let chosen = product(&plan, SqlTable::of(&[], [0; 32]).count(&plan)).unwrap().integers;
    assert_eq!(chosen.len(), 2 * 4);
    assert!(chosen.iter().all(|value| [2, 7].contains(value)), "{chosen:?}");
}

/// smartnoise-sdk#317: where bounds were missing the noise was for none.
#[test]
fn nothing_is_counted_or_summed_without_bounds() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/households.toml");
    let text = fs::read_to_string(file).unwrap();
    let read = |text: &str| PolicySet::read(&[Document::new("policy.toml", text)]).map(drop);
    read(&text).unwrap();
    for (with, without, refusal) in [
        (", rows_at_most = 8", "", "a unit needs `rows_at_most`"),
        ("rows_at_most = 8", "rows_at_most = 0", "a bound is at least 1"),
        ("cells_at_most = 1", "cells_at_most = 0", "a bound is at least 1"),
        ("amount = [0, 2_000_000], ", "", "a column is one of"),
        ("amount = [0, 2_000_000]", "amount = [0]", "is two values, the lowest and the highest, and not 1"),
        (
            "amount = [0, 2_000_000]",
            "amount = [2_000_000, 0]",
            "the lower bound 2000000 is above the upper bound 0",
        ),
        ("integer = [0, 110], ", "", "a column is one of"),
    ] {
        assert!(text.contains(with), "{with}");
        let refused = read(&text.replace(with, without)).unwrap_err().to_string();
        assert!(refused.contains(refusal), "{without}: {refused}");
    }
    // Neither can a column be summed that has no bounds because it holds no numbers.
    let dataset = table::dataset(1, 1);
    let basis = Basis { account: &Accounting::Pure, delta_e18: 0, terms_digest: [0; 32], released: &[] };
    for measure in ["sum(village)", "mean(sex)", "quantile(village,0.5)", "histogram(region)"] {
        let query = format!("lango-query 1\ndataset movements\nmeasure {measure}\nby\nprice epsilon 1\n");
        let refused = compile(&query.parse().unwrap(), &dataset, &basis).unwrap_err();
        assert_eq!(refused.code(), "not-a-number", "{measure}");
    }
}

/// A noise of no scale would be none; nobody can ask for it.
#[test]
fn no_price_buys_silence() {
    let plan = pure("measure persons\nby\nprice epsilon 100", &table::dataset(1, 1));
    let Measurement::Noise(Noise { mechanism: Mechanism::DiscreteLaplace, scale }) =
        plan.margins[0].text.measurement
    else {
        panic!("a pure account buys Laplace noise")
    };
    assert!(scale >= 0.005, "{scale}");
}
