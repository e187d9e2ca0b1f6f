//! Numbers and days at the ends of what their types hold.

use lango_privacy::{Column, Domain, Grid, Span};
use lango_testkit::Engine;

use super::{UNITS, by_every_access, declared, held, vector};

#[test]
fn numbers_at_the_ends_of_64_bits_are_clamped_and_added_without_overflow() {
    // As wide as a plan may be: what is added up is shifted by the lower bound.
    let wide = Domain::amount(-(1 << 22), 1 << 22, 0, None).unwrap();
    let income =
        Column::from(wide).with_typical(5).unwrap().with_bins(Grid::Listed([-(1 << 22), 0].into())).unwrap();
    let columns = [
        ("age", Domain::integer(i64::MAX - 9, i64::MAX, 5).unwrap().into()),
        ("income", income.with_candidates(Grid::Every(1 << 20)).unwrap()),
    ];
    let dataset = declared(columns, 1);
    let numbers = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 9, i64::MAX - 1, i64::MAX];
    let rows: Vec<String> =
        numbers.iter().enumerate().map(|(at, number)| format!("{at}, {number}, {number}")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let asked: [(&str, &[&str]); 5] = [
        ("histogram(income)", &[""]),
        ("mean(income)", &[""]),
        ("persons", &["age"]),
        ("quantile(income,0.5)", &[""]),
        ("sum(income)", &[""]),
    ];
    for unit in UNITS {
        let counted = Engine::ALL.map(|engine| {
            by_every_access(
                &held(engine, &format!("{unit}, age bigint, income bigint"), &rows),
                &dataset,
                &asked,
                &[],
            )
        });
        assert_eq!(counted[0][0], vector(&[("#0", 3), ("#1", 5)]));
        assert_eq!(counted[0][2].get("_O#0"), Some(&5));
        assert_eq!(counted[1], counted[0], "PostgreSQL {unit}");
        assert_eq!(counted[2], counted[0], "MariaDB {unit}");
    }
    let least = Domain::integer(i64::MIN, i64::MIN + 1_999, 1_000).unwrap();
    for unit in UNITS {
        let counted = Engine::ALL.map(|engine| {
            let database = held(
                engine,
                &format!("{unit}, age bigint"),
                &["1, -9223372036854775808", "2, 9223372036854775807", "3, NULL", "4, -9223372036854774000"],
            );
            let dataset = declared([("age", least.clone().into())], 1);
            by_every_access(&database, &dataset, &[("persons", &["age"])], &[])
        });
        assert!(counted.iter().all(|other| *other == counted[0]), "{counted:?}");
    }
}

/// Which row of a unit is read depends on what stands in it.
#[test]
fn minus_zero_stands_in_the_row_order_as_zero() {
    let columns =
        [("age", Column::from(Domain::codes(["0", "1"].map(|code| code.parse().unwrap()).into()).unwrap()))];
    let asked: [(&str, &[&str]); 1] = [("persons", &["age"])];
    let counted = Engine::ALL.map(|engine| {
        let minus = if engine == Engine::Postgres { "'-0'" } else { "-1e-300 * 1e-300" };
        ["0", minus].map(|zero| {
            let rows: Vec<String> =
                (0..40).flat_map(|id| [format!("{id}, {zero}"), format!("{id}, 1")]).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let database = held(engine, "person_id int, age double precision", &rows);
            by_every_access(&database, &declared(columns.clone(), 1), &asked, &[])
        })
    });
    assert_eq!(counted[0][0][0].values().sum::<i64>(), 40);
    assert_eq!(counted[0][0][0].len(), 2, "all rows of one kind show nothing: {counted:?}");
    for found in counted.iter().flatten() {
        assert_eq!(found, &counted[0][0]);
    }
}

#[test]
fn unsigned_numbers_meet_negative_bounds_without_an_error() {
    let columns = [
        ("age", Column::from(Domain::integer(-9, 9, 10).unwrap())),
        (
            "income",
            Column::from(Domain::amount(-5, 5, 0, None).unwrap()).with_candidates(Grid::Every(5)).unwrap(),
        ),
    ];
    let asked: [(&str, &[&str]); 5] = [
        ("persons", &["age"]),
        ("quantile(income,0.5)", &[""]),
        ("rows(age)", &[""]),
        ("rows(income)", &[""]),
        ("sum(income)", &["age"]),
    ];
    for unit in UNITS {
        for kind in ["bigint unsigned", "int unsigned", "tinyint unsigned"] {
            let most = if kind.starts_with("big") { "18446744073709551615" } else { "255" };
            let rows = [
                "1, 0, 0".to_owned(),
                format!("2, {most}, {most}"),
                "3, NULL, NULL".into(),
                "4, 3, 4".into(),
            ];
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let database = held(Engine::MariaDb, &format!("{unit}, age {kind}, income {kind}"), &rows);
            let counted = by_every_access(&database, &declared(columns.clone(), 1), &asked, &[]);
            assert_eq!(
                counted[0],
                vector(&[("-9..0#0", 1), ("1-9#0", 1), ("_O#0", 1), ("_U#0", 1)]),
                "{kind}"
            );
            assert_eq!(counted[4], vector(&[("1-9#0", 4), ("_O#0", 5)]), "{kind}");
        }
    }
}

#[test]
fn amounts_are_counted_in_the_policys_scale() {
    let column = || {
        Column::from(Domain::amount(-500, 500, 2, None).unwrap()).with_candidates(Grid::Every(250)).unwrap()
    };
    let asked: [(&str, &[&str]); 3] =
        [("quantile(income,0.5)", &[""]), ("rows(income)", &[""]), ("sum(income)", &[""])];
    for unit in UNITS {
        for (engine, more) in [(Engine::Postgres, Some("5, 'NaN'")), (Engine::MariaDb, None)] {
            let rows =
                ["1, 1.25", "2, -1.26", "3, 9999999999999999.99", "4, NULL", "6, -9999999999999999.99"];
            let rows: Vec<&str> = rows.into_iter().chain(more).collect();
            let database = held(engine, &format!("{unit}, income numeric(18,2)"), &rows);
            let counted = by_every_access(&database, &declared([("income", column())], 1), &asked, &[]);
            assert_eq!(counted[1], vector(&[("#0", 4)]), "{engine:?}");
            assert_eq!(counted[2], vector(&[("#0", -1)]), "{engine:?}");
        }
    }
}

#[test]
fn days_before_and_after_the_calendar_of_four_digits_are_undeclared() {
    let born = Column::from(Domain::date("0001-01-01".into(), "9999-12-31".into(), Span::Year).unwrap());
    let dataset = declared([("born", born)], 1);
    let days = ["'0001-01-01'", "'9999-12-31'", "'2024-02-29'", "NULL"];
    let odd = [
        (Engine::Postgres, vec!["'infinity'", "'-infinity'", "'0001-12-31 BC'", "'10000-01-01'"]),
        (Engine::MariaDb, vec!["'0000-00-00'", "'2024-00-00'", "'2024-02-31'", "'0000-01-01'"]),
    ];
    for (engine, odd) in odd {
        for unit in UNITS {
            let rows: Vec<String> =
                days.iter().chain(&odd).enumerate().map(|(at, day)| format!("{at}, {day}")).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let database = held(engine, &format!("{unit}, born date"), &rows);
            let asked: [(&str, &[&str]); 2] = [("persons", &["born"]), ("rows(born)", &[""])];
            let counted = by_every_access(&database, &dataset, &asked, &[]);
            let years = vector(&[("0001#0", 1), ("2024#0", 1), ("9999#0", 1), ("_O#0", 4), ("_U#0", 1)]);
            assert_eq!(counted, [years, vector(&[("#0", 7)])], "{engine:?}");
            let between = by_every_access(
                &database,
                &dataset,
                &[("persons", &[""])],
                &["born from 0001-01-01 to 9999-12-31"],
            );
            assert_eq!(between, [vector(&[("#0", 3)])], "{engine:?}");
        }
    }
}
