//! What one question may take: each attack on a gateway's memory and time, and its kind.

use std::{
    collections::BTreeSet,
    sync::LazyLock,
    time::{Duration, Instant},
};

use super::*;
use crate::{Decimal, QueryError};

/// Shares that differ, `0.000001` and on.
fn share(at: usize) -> String {
    format!("{:.6}", at as f64 / 1e6).trim_end_matches('0').to_owned()
}

/// The processor's time that the thread has used: what a busy machine adds by the clock says nothing of a plan.
fn used() -> Duration {
    let words = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = words.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| BEGUN.elapsed(), Duration::from_nanos)
}

static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Quantiles of a column, each a measure of its own.
fn quantiles(column: &str, count: usize, by: &str) -> String {
    (1..=count).map(|at| format!("measure quantile({column},{})\n{by}\n", share(at))).collect()
}

/// A wide dataset: dimensions of every size, numbers with many bins and many candidates.
fn wide() -> Dataset {
    let mut dataset = residents();
    let mut add = |name: &str, column: Column| dataset.columns.insert(name.parse().unwrap(), column);
    for at in 0..16 {
        let codes = (0..2 + at % 4).map(|key| code(&format!("K{key}"))).collect();
        add(&format!("d{at:02}"), Domain::codes(codes).unwrap().into());
    }
    add("country", Domain::codes((0..249).map(|key| code(&format!("C{key}"))).collect()).unwrap().into());
    add(
        "municipality",
        Domain::codes((0..40_000).map(|key| code(&format!("{key:05}"))).collect()).unwrap().into(),
    );
    let points: Vec<i64> = (0..100_000).map(|at| at * 7).collect();
    let amount = || Column::from(Domain::amount(0, 50_000_000, 0, None).unwrap());
    let fine = amount().with_bins(Grid::Listed(points.clone().into())).unwrap();
    add("fine", fine.with_candidates(Grid::Listed(points.into())).unwrap());
    add(
        "pay",
        amount().with_bins(Grid::Every(1_000_000)).unwrap().with_candidates(Grid::Every(10_000)).unwrap(),
    );
    add("parish", Domain::Open.into());
    dataset
}

fn planned(body: &str, account: &Accounting) -> Result<Plan, PlanRefusal> {
    compile(&query(body), &wide(), &basis(account, &[]))
}

/// All margins of at most `most` of these dimensions, as `by` lines.
fn margins(dimensions: &[&str], most: u32, count: usize) -> String {
    let mut masks: Vec<u32> =
        (0..1 << dimensions.len()).filter(|mask: &u32| mask.count_ones() <= most).collect();
    masks.sort_by_key(|mask| mask.count_ones());
    let names = |mask: u32| {
        let held = dimensions.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1);
        held.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
    };
    masks
        .into_iter()
        .take(count)
        .map(|mask| format!("{}\n", format!("by {}", names(mask)).trim_end()))
        .collect()
}

#[test]
fn a_question_of_many_quantiles_is_refused_by_its_cost() {
    // The attack: each margin lies within the bound of one, and 900 of them need 18 GB.
    let of = |count: usize| quantiles("pay", count, "by country") + "price epsilon 0.001";
    let text = format!("lango-query 1\ndataset residents\n{}\n", of(900));
    assert_eq!(
        text.parse::<Query>(),
        Err(QueryError::TooMany { line: 3 + 2 * 64, what: "measures", most: MEASURES_MOST })
    );
    // A question that comes by another way than its text.
    let mut question = query(&of(1));
    for at in 2..=900 {
        let measure = Measure::Quantile("pay".parse().unwrap(), vec![Decimal::minimal(&share(at)).unwrap()]);
        question.measures.insert(measure, BTreeSet::from([Margin::new(["country".parse().unwrap()])]));
    }
    let refused = compile(&question, &wide(), &basis(&Accounting::Pure, &[]));
    assert_eq!(refused, Err(PlanRefusal::Measures(900)));
    for (count, expected) in [
        (1, None),
        // 251 groups of twice 5,001 candidates and one.
        (2, Some(PlanRefusal::Integers(2 * 251 * 10_003))),
        (60, Some(PlanRefusal::Integers(2 * 251 * 10_003))),
    ] {
        assert_eq!(planned(&of(count), &Accounting::Pure).err(), expected, "{count} quantiles");
    }
}

#[test]
fn a_question_of_every_kind_is_refused_by_its_cost() {
    let many_shares = (1..=9).map(|at| share(at * 100_000)).collect::<Vec<_>>().join(",");
    let measures = |of: &str, by: &str| format!("measure {of}\n{}\n", by.trim_end());
    let dimensions: Vec<String> = (0..16).map(|at| format!("d{at:02}")).collect();
    let dimensions: Vec<&str> = dimensions.iter().map(String::as_str).collect();
    let under_each = |measures: &[&str], by: &str| {
        measures.iter().map(|measure| format!("measure {measure}\n{by}")).collect::<String>()
    };
    for (what, body, expected) in [
        (
            "shares of one quantile",
            measures(&format!("quantile(pay,{many_shares})"), "by country"),
            "too-many-selections",
        ),
        ("wide candidates", quantiles("fine", 26, "by"), "too-many-cells"),
        (
            "shares of wide candidates",
            measures(&format!("quantile(fine,{many_shares})"), &margins(&dimensions, 1, 3)),
            "too-many-selections",
        ),
        ("histograms", measures("histogram(fine)", "by\nby d00"), "too-many-cells"),
        (
            "histograms of many margins",
            measures("histogram(pay)", &margins(&["country", "d00", "d01"], 3, 8)),
            "too-many-cells",
        ),
        (
            "shares of a population",
            measures("share(municipality)", &margins(&dimensions, 1, 17)),
            "too-many-cells",
        ),
        ("means", measures("mean(pay)", "by country,municipality"), "too-many-cells"),
        (
            "sums of wide margins",
            measures("sum(pay)", "by municipality\nby d00,municipality\nby d01,municipality"),
            "too-many-cells",
        ),
        (
            "keys of several columns",
            "measure keys(hamlet)\nby\nmeasure keys(parish)\nby\n".to_owned(),
            "too-many-searches",
        ),
        (
            "dimensions of a measure",
            measures(
                "persons",
                "by d00,d01,d02,d03\nby d04,d05,d06,d07\nby d08,d09,d10,d11\nby d12,d13,d14,d15\nby country",
            ),
            "too-many-margins",
        ),
        ("margins of a measure", measures("persons", &margins(&dimensions[..8], 4, 65)), "too-many-margins"),
        (
            "bins beside candidates",
            measures("histogram(fine)", "by")
                + &measures("share(municipality)", "by")
                + &measures("quantile(pay,0.5)", "by country\nby d00,d01,d02"),
            "too-much-memory",
        ),
    ] {
        let begun = used();
        let refused = planned(&format!("{body}price epsilon 1"), &DELTA).map(|plan| plan.cost);
        assert_eq!(refused.map_err(|refusal| refusal.code()), Err(expected), "{what}");
        assert!((used() - begun).as_millis() < 500, "{what} took {:?}", used() - begun);
    }
    // Counted before they are read.
    for (what, body) in [
        ("measures", quantiles("pay", 7_000, "by")),
        ("margins", under_each(&["persons", "rows", "rows(pay)", "sum(pay)"], &margins(&dimensions, 2, 40))),
        ("margins", measures("rows", &"by\n".repeat(60_000))),
        ("conditions", measures("rows", "by") + &"where d00 = K0\n".repeat(10_000)),
    ] {
        let begun = used();
        let text = format!("lango-query 1\ndataset residents\n{body}price epsilon 1\n");
        let refused = text.parse::<Query>();
        assert!(
            matches!(refused, Err(QueryError::TooMany { what: found, .. }) if found == what),
            "{refused:?}"
        );
        assert!((used() - begun).as_millis() < 100, "{what} took {:?}", used() - begun);
    }
}

#[test]
fn a_plan_says_what_it_takes() {
    let cost = |body: &str| planned(&format!("{body}\nprice epsilon 1"), &DELTA).unwrap().cost;
    for (body, integers, cells, selections, weighed, codes) in [
        ("measure rows\nby", 1, 1, 0, 0, 0),
        ("measure persons\nby age,sex", 100, 100, 0, 0, 25 + 4),
        ("measure mean(pay)\nby sex", 8, 8, 0, 0, 2 + 4),
        ("measure share(sex)\nby age", 100, 100, 0, 0, 4 + 25),
        ("measure histogram(pay)\nby sex", 204, 204, 0, 0, 51 + 4),
        ("measure quantile(pay,0.25,0.5)\nby sex", 4 * 10_003, 8, 8, 8 * 5_001, 2 + 4),
        ("measure keys(hamlet)\nby", 1, 0, 0, 0, 0),
        ("measure rows\nby sex\nmeasure sum(pay)\nby\nby sex", 9, 9, 0, 0, 4),
    ] {
        let found = cost(body);
        assert_eq!(
            (found.integers, found.cells, found.selections, found.weighed, found.codes),
            (integers, cells, selections, weighed, codes),
            "{body}"
        );
        assert_eq!(Cost::of(&query(&format!("{body}\nprice epsilon 1")), &wide()), Ok(found));
        assert!(found.plan_bytes < found.memory_bytes && found.memory_bytes <= MEMORY_MOST, "{found:?}");
    }
}

#[test]
fn a_stored_plan_over_a_bound_that_came_later_is_refused_and_not_resumed() {
    let small = query("measure quantile(pay,0.5)\nby country\nprice epsilon 1");
    let plan = compile(&small, &wide(), &basis(&Accounting::Pure, &[])).unwrap();
    let mut large = small.clone();
    let again = Measure::Quantile("pay".parse().unwrap(), vec![Decimal::minimal("0.25").unwrap()]);
    large.measures.insert(again.clone(), BTreeSet::from([Margin::new(["country".parse().unwrap()])]));
    // As a gateway without these bounds has stored it.
    let mut stored = plan.text();
    stored.margins.insert(0, MarginText { measure: again, ..stored.margins[0].clone() });
    let stored: PlanText = stored.to_string().parse().unwrap();
    let refused = restore(&large, &wide(), &stored, plan.loss);
    assert_eq!(refused, Err(RestoreError::Refused(PlanRefusal::Integers(2 * 251 * 10_003))));
    assert_eq!(restore(&small, &wide(), &stored, plan.loss), Err(RestoreError::Other));
    assert_eq!(restore(&small, &wide(), &plan.text(), plan.loss), Ok(plan));
}

#[test]
fn the_dearest_legal_questions_are_planned_in_well_under_a_second() {
    let dimensions: Vec<String> = (0..7).map(|at| format!("d{at:02}")).collect();
    let dimensions: Vec<&str> = dimensions.iter().map(String::as_str).collect();
    let cube = |count| margins(&dimensions, 4, count);
    let of = |measures: &[&str], by: &str| {
        measures.iter().map(|measure| format!("measure {measure}\n{by}")).collect::<String>()
    };
    let precise = "price precision 1000000 at 0.95 on rows by";
    let fine = "price precision 50 at 0.95 on rows by";
    let four = ["persons", "rows", "rows(pay)", "sum(pay)"];
    let in_list = (0..37_000).map(|key| format!("{key:05}")).collect::<Vec<_>>().join(",");
    let cases = [
        ("two cubes of 64 margins", of(&four[..2], &cube(64)), "price epsilon 1"),
        ("two cubes of 64 margins, precisely", of(&four[..2], &cube(64)), fine),
        ("two cubes of 64 margins, roughly", of(&four[..2], &cube(64)), precise),
        ("four cubes of 32 margins, precisely", of(&four, &cube(32)), fine),
        ("four cubes of 22 margins, roughly", of(&four, &cube(22)), precise),
        ("two means of 64 margins", of(&["mean(age)", "mean(arrival_year)"], &cube(64)), "price epsilon 1"),
        (
            "63 quantiles beside a count",
            quantiles("income", 63, "by\nby sex") + &of(&["rows"], "by\n"),
            precise,
        ),
        ("a histogram of 100,000 bins", of(&["histogram(fine)"], "by\n") + &of(&["rows"], "by\n"), fine),
        (
            "a condition of 37,000 codes",
            of(&["rows"], "by\n") + &format!("where municipality in {in_list}\n"),
            fine,
        ),
        ("a search for keys", of(&["keys(hamlet)", "rows"], "by\n"), fine),
    ];
    for objective in [Objective::Sum, Objective::Largest] {
        let dataset = Dataset { objective, ..wide() };
        for account in [Accounting::Pure, DELTA] {
            for (what, body, price) in &cases {
                let question = query(&format!("{body}{price}"));
                let begun = used();
                let planned = compile(&question, &dataset, &basis(&account, &[]));
                let took = used() - begun;
                println!("{what}: {took:?} {objective:?} {account:?}");
                let admitted = account != Accounting::Pure || !body.contains("keys(");
                assert_eq!(planned.is_ok(), admitted, "{what} {account:?} {:?}", planned.err());
                assert!(took.as_millis() < 2_000, "{what} took {took:?}");
            }
        }
    }
}
