//! Every fetch against the oracle over random tables, and the sensitivities that plans claim, through the real SQL.

use lango_privacy::Sensitivity;
use rusqlite::Connection;

use super::{
    fixture::{Vector, counted, dataset, file, plan, secret},
    oracle::{self, CONDITIONS, Passes},
    table::{Drawn, write},
};

/// Every measure, by margins of none, one and two dimensions.
pub(super) const ASKED: [(&str, &[&str]); 13] = [
    ("histogram(age)", &["", "sex"]),
    ("histogram(income)", &["", "age"]),
    ("keys(village)", &[""]),
    ("mean(age)", &["", "born,sex"]),
    ("mean(income)", &["sex"]),
    ("persons", &["", "age", "age,sex", "born", "sex"]),
    ("quantile(income,0.25,0.5)", &["", "sex"]),
    ("rows", &["", "age,sex"]),
    ("rows(age)", &["sex"]),
    ("rows(born)", &[""]),
    ("rows(village)", &["sex"]),
    ("share(sex)", &["", "age"]),
    ("sum(income)", &["", "born,sex"]),
];

/// Two conditions at most, of different columns.
pub(super) fn conditions(drawn: &mut Drawn) -> Vec<(&'static str, &'static str, Passes)> {
    let mut chosen: Vec<(&str, &str, Passes)> = Vec::new();
    for _ in 0..drawn.below(3) {
        let one = CONDITIONS[drawn.below(CONDITIONS.len())];
        if chosen.iter().all(|(column, ..)| *column != one.0) {
            chosen.push(one);
        }
    }
    chosen
}

#[test]
fn what_is_counted_is_what_a_reader_of_the_rows_would_count() {
    for seed in 0..120 {
        let mut drawn = Drawn::of(seed);
        let integers = seed % 2 == 0;
        let table = drawn.table(integers, 40);
        let (rows_at_most, cells_at_most) = (1 + drawn.below(5), 1 + drawn.below(5));
        let conditions = conditions(&mut drawn);
        let filters: Vec<&str> = conditions.iter().map(|(_, text, _)| *text).collect();
        let plan = plan(&dataset(rows_at_most as u32, cells_at_most as u32), &ASKED, &filters);
        let folder = write(&table, if integers { "INTEGER" } else { "TEXT" });
        let found = counted(&file(&folder), &plan, secret(7)).unwrap();
        for (margin, found) in plan.margins.iter().zip(found) {
            let (measure, by) = (margin.text.measure.to_string(), margin.text.by.to_string());
            let expected =
                oracle::counted(&table, (rows_at_most, cells_at_most), (&measure, &by), &conditions, 7);
            assert_eq!(found, expected, "seed {seed}: {measure} by {by} where {filters:?}");
        }
    }
}

/// By how much two vectors differ, in the four norms.
fn distance(a: &Vector, b: &Vector) -> Sensitivity {
    let places: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let at = |vector: &Vector, place: &String| vector.get(place).copied().unwrap_or(0);
    let differences: Vec<u64> = places.into_iter().map(|place| at(a, place).abs_diff(at(b, place))).collect();
    Sensitivity {
        l0: differences.iter().filter(|difference| **difference != 0).count() as u64,
        l1: differences.iter().sum(),
        l2_squared: differences.iter().map(|difference| u128::from(*difference).pow(2)).sum(),
        linf: differences.iter().copied().max().unwrap_or(0),
    }
}

#[test]
fn one_unit_changes_no_more_than_the_plan_claims() {
    let mut attained = [false; 4];
    for seed in 1_000..1_045 {
        let mut drawn = Drawn::of(seed);
        let table = drawn.table(true, 40);
        let (rows_at_most, cells_at_most) = (1 + drawn.below(4), 1 + drawn.below(4));
        let conditions = conditions(&mut drawn);
        let filters: Vec<&str> = conditions.iter().map(|(_, text, _)| *text).collect();
        let plan = plan(&dataset(rows_at_most as u32, cells_at_most as u32), &ASKED, &filters);
        let whole = counted(&file(&write(&table, "INTEGER")), &plan, secret(7)).unwrap();
        let mut units: Vec<&String> = table.iter().filter_map(|row| row.unit.as_ref()).collect();
        units.sort();
        units.dedup();
        for unit in units {
            let folder = write(&table, "INTEGER");
            let connection = Connection::open(file(&folder)).unwrap();
            connection
                .execute(
                    "DELETE FROM residents WHERE typeof(person_id) = 'integer' AND person_id = ?",
                    [unit],
                )
                .unwrap();
            drop(connection);
            let without = counted(&file(&folder), &plan, secret(7)).unwrap();
            for (margin, (whole, without)) in plan.margins.iter().zip(whole.iter().zip(&without)) {
                let (found, claimed) = (distance(whole, without), margin.sensitivity);
                let of = format!("seed {seed}, unit {unit}: {} by {}", margin.text.measure, margin.text.by);
                assert!(found.l0 <= claimed.l0, "{of}: l0 {found:?} {claimed:?}");
                assert!(found.l1 <= claimed.l1, "{of}: l1 {found:?} {claimed:?}");
                assert!(found.l2_squared <= claimed.l2_squared, "{of}: l2 {found:?} {claimed:?}");
                assert!(found.linf <= claimed.linf, "{of}: linf {found:?} {claimed:?}");
                if rows_at_most > 1 {
                    let all = [
                        found.l0 == claimed.l0,
                        found.l1 == claimed.l1,
                        found.l2_squared == claimed.l2_squared,
                        found.linf == claimed.linf,
                    ];
                    attained.iter_mut().zip(all).for_each(|(attained, now)| *attained |= now);
                }
            }
        }
    }
    // The tables are varied enough to reach each bound.
    assert_eq!(attained, [true; 4]);
}
