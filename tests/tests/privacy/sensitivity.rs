//! Does one unit change what is counted by no more than plans claim? Random tables, bounds and questions, through the product's
//! SQL, with all rows of one unit and without them.

use std::collections::{BTreeMap, BTreeSet};

use lango_privacy::{
    Accounting, Counted, Decimal, Fetch, Measure, Measurement, Plan, PlannedMargin, rank_scores,
};
use lango_testkit::Engine;

use crate::{
    counting,
    report::{each, print},
    seeds::{Seeds, times},
    sql::SqlTable,
    table::{self, Row, plan},
};

/// Values of each column: declared, undeclared, missing, beyond the bounds.
const VALUES: [&[&str]; 6] = [
    &["0", "2", "4", "5", "7", "9", "10", "-3", "x", "NULL"],
    &["-900", "-901", "400", "5000", "0", "200", "NULL"],
    &["0", "1000", "1001", "499", "500", "-7", "many", "", "NULL"],
    &["A", "B", "a", " ", "NULL"],
    &["F", "M", "f", "", "NULL"],
    &["north", "south", "São, 1 %", "v", "w", "", "NULL"],
];

/// Only SQLite keeps a text in a column of numbers; the oddest that a server keeps there stand at the ends of its type.
fn value(seeds: &mut Seeds, values: &[&str]) -> Option<String> {
    let value = match *seeds.one(values) {
        "x" | "many" if Engine::under_test().is_typed() => "9223372036854775807",
        "" if Engine::under_test().is_typed() && values.contains(&"many") => "-9223372036854775808",
        value => value,
    };
    Some(value.to_owned()).filter(|value| value != "NULL")
}
const MEASURES: [&str; 15] = [
    "persons",
    "rows",
    "rows(income)",
    "rows(sex)",
    "rows(village)",
    "sum(income)",
    "sum(balance)",
    "mean(income)",
    "mean(balance)",
    "share(sex)",
    "quantile(age,0,0.25,0.5,1)",
    "quantile(balance,0.3)",
    "histogram(income)",
    "histogram(age)",
    "keys(village)",
];
const MARGINS: [&str; 6] = ["", "sex", "age", "region", "age,sex", "age,region,sex"];
const CONDITIONS: [&str; 6] = [
    "",
    "",
    "where sex = F\n",
    "where age from 2 to 7\n",
    "where region in A,_O\n",
    "where income from 1 to 999\n",
];

/// On rows and on cells of a unit; the last drops nothing.
const BOUNDS: [u32; 6] = [1, 2, 3, 4, ROWS_MOST, ROWS_MOST];
const ROWS_MOST: u32 = 6;

/// A random unit's rows: often more than any bound, and often all alike, which is where bounds are reached.
fn rows(unit: i64, count: u32, seeds: &mut Seeds) -> Vec<Row> {
    let alike = seeds.between(0, 1) == 0;
    let mut row = || Row { unit, values: VALUES.iter().map(|values| value(seeds, values)).collect() };
    let first = row();
    (0..count).map(|_| if alike { first.clone() } else { row() }).collect()
}

/// A question of a measure with random margins, conditions and bounds.
fn random_plan(measure: &str, seeds: &mut Seeds) -> Plan {
    let dataset = table::dataset(*seeds.one(&BOUNDS), *seeds.one(&BOUNDS));
    let condition = seeds.one(&CONDITIONS);
    if measure == "keys(village)" {
        let account = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };
        return plan(
            &format!("measure keys(village)\nby\n{condition}price epsilon 1"),
            &dataset,
            &account,
            &[],
        );
    }
    let mut by: Vec<&str> = (0..seeds.between(1, 3)).map(|_| *seeds.one(&MARGINS)).collect();
    by.retain(|by| measure != "share(sex)" || !by.contains("sex"));
    if by.is_empty() {
        by.push("");
    }
    let by: String = by.iter().map(|by| format!("{}\n", format!("by {by}").trim_end())).collect();
    plan(&format!("measure {measure}\n{by}{condition}price epsilon 3"), &dataset, &Accounting::Pure, &[])
}

/// What is counted, a norm, and how much of its claim a change uses up: 1 is all of it.
type Used = (&'static str, &'static str, f64);

fn used(plan: &Plan, margin: &PlannedMargin, with: &Counted, without: &Counted) -> Vec<Used> {
    let changes: Vec<u64> = match (with, without) {
        (Counted::Cells(with), Counted::Cells(without)) => {
            assert_eq!(with.len(), without.len());
            with.iter().zip(without).map(|(with, without)| with.abs_diff(*without)).collect()
        }
        (Counted::Keys(with), Counted::Keys(without)) => {
            assert!(without.keys().all(|key| with.contains_key(key)), "a row less makes no key");
            with.iter().map(|(key, units)| units.abs_diff(without.get(key).copied().unwrap_or(0))).collect()
        }
        _ => panic!("a margin is counted in one way"),
    };
    let (claim, kind) = (margin.sensitivity, kind(&margin.fetch));
    let whole =
        |over: fn(u128) -> u128| changes.iter().map(|change| over((*change).into())).sum::<u128>() as f64;
    let mut used = vec![
        (kind, "l0", whole(|change| change.min(1)) / claim.l0 as f64),
        (kind, "l1", whole(|change| change) / claim.l1 as f64),
        (kind, "l2", whole(|change| change * change) / claim.l2_squared as f64),
        (kind, "linf", changes.iter().max().copied().unwrap_or(0) as f64 / claim.linf as f64),
    ];
    let (measurement, measure) = (&margin.text.measurement, &margin.text.measure);
    if let (Measurement::Selection(selection), Measure::Quantile(_, shares)) = (measurement, measure) {
        let shares = fractions(shares);
        let changes: Vec<u64> =
            shares.iter().map(|share| moved(plan, margin, with, without, *share)).collect();
        for ((p, d), change) in shares.iter().copied().zip(&changes) {
            used.push((kind, "scores", *change as f64 / (claim.linf * p.max(d - p)) as f64));
        }
        // Permute and flip: 2 change / scale for each share.
        let epsilon = 2.0 * changes.iter().sum::<u64>() as f64 / selection.scale;
        assert!(
            epsilon <= margin.text.price_nano as f64 / 1e9 * (1.0 + 1e-12),
            "{epsilon} {:?}",
            margin.text
        );
    }
    used
}

/// By how much the scores of a share move: the scores of all groups together, for one group's price pays for all.
fn moved(plan: &Plan, margin: &PlannedMargin, with: &Counted, without: &Counted, share: (u64, u64)) -> u64 {
    let (Counted::Cells(with), Counted::Cells(without)) = (with, without) else {
        panic!("ranks are in cells")
    };
    let width = margin.fetch.width(&plan.dataset);
    let groups = with.chunks_exact(width).zip(without.chunks_exact(width));
    let move_of = |(with, without): (&[i64], &[i64])| {
        let (with, without) = (rank_scores(with, share), rank_scores(without, share));
        with.iter().zip(without).map(|(with, without)| with.abs_diff(without)).max().unwrap()
    };
    groups.map(move_of).sum()
}

/// Shares of two decimals in hundredths, divided by what divides them all.
fn fractions(shares: &[Decimal]) -> Vec<(u64, u64)> {
    fn gcd(a: u64, b: u64) -> u64 {
        if b == 0 { a } else { gcd(b, a % b) }
    }
    let parts = |share: &Decimal| (share.as_str().parse::<f64>().unwrap() * 100.0).round() as u64;
    let divisor = shares.iter().map(parts).fold(100, gcd);
    shares.iter().map(|share| (parts(share) / divisor, 100 / divisor)).collect()
}

#[test]
fn one_unit_changes_what_is_counted_by_no_more_than_the_plan_claims() {
    let cases: Vec<usize> = (0..times(50 * MEASURES.len())).collect();
    let checked = each(&cases, |case| check(*case));
    assert!(checked.iter().any(|(_, plain)| *plain), "some are counted by the plain reading too");
    let mut most: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for (kind, norm, used) in checked.into_iter().flat_map(|(used, _)| used) {
        let most = most.entry((kind, norm)).or_default();
        *most = most.max(used);
    }
    let kinds: BTreeSet<&str> = most.keys().map(|(kind, _)| *kind).collect();
    let lines = kinds.into_iter().map(|kind| {
        let figure = |norm| most.get(&(kind, norm)).map(|used| format!("{used:.2}")).unwrap_or_default();
        [kind.to_owned(), figure("l0"), figure("l1"), figure("l2"), figure("linf"), figure("scores")]
    });
    print(["largest change / claim", "l0", "l1", "l2", "linf", "scores"], &lines.collect::<Vec<_>>());
    for (what, used) in most {
        assert_eq!(
            used, 1.0,
            "{what:?}: a claim that is never reached is not tight, or the tables are too tame"
        );
    }
}

/// What a random question's margins use up of their claims, and whether the plain reading has counted it too.
fn check(case: usize) -> (Vec<Used>, bool) {
    let seeds = &mut Seeds::of(&format!("sensitivity {case}"));
    let plan = random_plan(MEASURES[case % MEASURES.len()], seeds);
    let all: Vec<Row> =
        (0..8).flat_map(|unit| rows(unit, ROWS_MOST - unit as u32 % ROWS_MOST, seeds)).collect();
    let table = SqlTable::of(&all, seeds.bytes());
    let with = table.count(&plan);
    let without = table.without(0).count(&plan);
    // Which rows a bound drops is the secret's affair; where it drops none, the plain reading must agree.
    let plain = plan.filters.is_empty() && plan.dataset.cells_at_most() == ROWS_MOST;
    assert!(
        !plain || counting::count(&plan, &all) == with,
        "case {case}: the SQL counts otherwise than the plain reading"
    );
    let margins = plan.margins.iter().zip(with.iter().zip(&without));
    let used: Vec<Used> =
        margins.flat_map(|(margin, (with, without))| used(&plan, margin, with, without)).collect();
    assert!(used.iter().all(|(.., used)| *used <= 1.0), "case {case}: {used:?} {}", plan.text());
    (used, plain)
}

fn kind(fetch: &Fetch) -> &'static str {
    match fetch {
        Fetch::Units => "units",
        Fetch::UnitsBy(_) => "units by key",
        Fetch::Rows => "rows",
        Fetch::RowsOf(_) => "rows of a column",
        Fetch::Sum { .. } => "sums",
        Fetch::Pair { .. } => "pairs of sums",
        Fetch::Bins { .. } => "bins",
        Fetch::Ranks { .. } => "ranks and scores",
        Fetch::Keys(_) => "keys",
    }
}
