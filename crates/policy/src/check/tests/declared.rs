//! What a policy declares is what the set holds.

use std::{collections::BTreeMap, time::Duration};

use lango_privacy::{Domain, Grid, Objective};

use super::*;
use crate::{AccessRequest, Renewal};

#[test]
fn every_key_of_the_design_is_read() {
    let set = read(GOOD).unwrap();
    assert_eq!(set.office, "GHA");
    let residents = set.datasets.values().next().unwrap();
    assert_eq!(residents.columns.len(), 4);
    let Domain::Codes(countries) = &residents.columns[&"country_of_birth".parse::<Name>().unwrap()].domain
    else {
        panic!()
    };
    assert_eq!(countries.len(), 249);
    assert_eq!(set.grants[0].epsilon_total_nano, 4_000_000_000);
    assert_eq!(set.run_trials(), []);
}

/// A dataset of several rows per unit, every kind of column, and a grant of every measure.
const MOVEMENTS: &str = r#"policy = 2
office = "GHA"

[dataset.movements]
title   = "Border movements, July 2023 to June 2024"
kind    = "flow"
source  = "register"
table   = "border_movements"
version = "2024-07-01"
unit    = { column = "family_id", noun = "family", plural = "families", rows_at_most = 12, cells_at_most = 3 }
rows_below  = 50_000_000
split       = "largest"
bounds_drop = "about 4 % of the rows, from a count of 2023"

[dataset.movements.column]
date    = { date = [2023-07-01, 2024-06-30], bands = "month" }
purpose = { codes = ["work", "trade"] }
post    = { open = true }
age     = { integer = [0, 110], bands = 5, candidates = [15, 25, 65] }
fee     = { amount = [0, 50_000.00], scale = 2, typical = 25, bins = [0, 10, 100], candidates = 1.00 }

[budget.movements]
accounting = "zcdp"
delta      = 1e-6
epsilon    = 8.0
renews     = "yearly"

[[grant]]
id        = "all"
to        = ["spiffe://ecowas.example/analyst/*"]
purpose   = ["official-statistics"]
dataset   = "movements"
measures  = ["families", "rows", "rows(fee)", "sum(fee)", "mean(fee)", "share(purpose)", "quantile(fee)", "quantile(age,0.25,0.5)",
             "histogram(fee)", "keys(post)"]
by        = ["date", "purpose"]
by_at_most = 2
epsilon_per_query = 1.0
epsilon_total     = 4.0
delta_per_query   = 1e-9
publish   = "office"
"#;

#[test]
fn every_kind_of_column_and_measure_is_declared_and_granted() {
    let set = read(MOVEMENTS).unwrap();
    let movements = &set.datasets[&"movements".parse::<Name>().unwrap()];
    assert_eq!((movements.unit.plural.as_str(), movements.cells_at_most()), ("families", 3));
    assert_eq!((movements.rows_below(), movements.objective), (50_000_000, Objective::Largest));
    let fee = &movements.columns[&"fee".parse::<Name>().unwrap()];
    assert_eq!((fee.typical, fee.bins.clone()), (Some(2_500), Some(Grid::Listed([0, 1_000, 10_000].into()))));
    assert_eq!(fee.candidates, Some(Grid::Every(100)));
    let date = &movements.columns[&"date".parse::<Name>().unwrap()];
    assert_eq!(date.domain.keyset().unwrap().len(), 12 + 2);
    assert_eq!(set.grants[0].delta_per_query_e18, 1_000_000_000);

    let asked =
        AccessRequest { principal: &awa(), purpose: None, on: None, epsilon_nano: Some(1_500_000_000) };
    let precise = "price precision 50 at 0.95 on rows by";
    for (body, price, code) in [
        ("measure families\nby date,purpose", "price epsilon 1", None),
        ("measure persons\nby date", "price epsilon 1", Some("measure-not-granted")),
        ("measure median(fee)\nby date", "price epsilon 1", None),
        ("measure quantile(age,0.25)\nby date", "price epsilon 1", None),
        ("measure quantile(age,0.25,0.75)\nby date", "price epsilon 1", Some("measure-not-granted")),
        ("measure share(purpose)\nby date", "price epsilon 1", None),
        ("measure share(purpose)\nby date\nwhere age = 7", "price epsilon 1", Some("filter-not-granted")),
        ("measure rows\nby", precise, Some("epsilon-per-query-exceeded")),
    ] {
        let query = format!("lango-query 1\ndataset movements\n{body}\n{price}\n").parse().unwrap();
        let found = set.authorize(&asked, &query).err().map(|denial| denial.code().as_str());
        assert_eq!(found, code, "{body}");
    }
    let by_one = read(&MOVEMENTS.replace("by_at_most = 2", "by_at_most = 1")).unwrap();
    let query = "lango-query 1\ndataset movements\nmeasure share(purpose)\nby date\nprice epsilon 1\n"
        .parse()
        .unwrap();
    let denied = by_one.authorize(&asked, &query).unwrap_err();
    assert_eq!(denied.code().as_str(), "too-many-dimensions", "a share groups by its dimension");
    let error = mistake(&MOVEMENTS.replace("delta_per_query   = 1e-9\n", ""));
    assert!(error.contains("`keys(post)` spends delta: say how much with `delta_per_query`"), "{error}");
    let error = mistake(&MOVEMENTS.replace("delta_per_query   = 1e-9", "delta_per_query = 1e-5"));
    assert!(error.contains("at most the `delta` of the budget"), "{error}");
}

#[test]
fn a_period_is_named_by_the_calendar() {
    let day = time::macros::date!(2026 - 11 - 23);
    for (renewal, period, since) in [
        (Renewal::Never, "", 0),
        (Renewal::Monthly, "2026-11", 1_793_491_200),
        (Renewal::Quarterly, "2026-Q4", 1_790_812_800),
        (Renewal::Yearly, "2026", 1_767_225_600),
    ] {
        assert_eq!((renewal.period(day).as_str(), renewal.since(day)), (period, since));
    }
}

#[test]
fn a_dataset_answers_on_a_grid_only_if_its_table_says_so_and_its_terms_stay() {
    let residents = "residents".parse::<Name>().unwrap();
    let terms = |set: &PolicySet| {
        let dataset = &set.datasets[&residents];
        dataset.terms(dataset.columns.keys(), &set.budget(&residents).unwrap().account)
    };
    let at_once = read(GOOD).unwrap();
    assert!(at_once.answer_grids.is_empty());
    for ms in [1, 2_000, 120_000] {
        let key = format!("table   = \"residents\"\nanswer_grid_ms = {ms}");
        let set = read(&GOOD.replacen("table   = \"residents\"", &key, 1)).unwrap();
        assert_eq!(set.answer_grids, BTreeMap::from([(residents.clone(), Duration::from_millis(ms))]));
        assert_eq!(terms(&set), terms(&at_once));
    }
}
