//! The same persons in tables of every kind.

use lango_privacy::{Domain, Reading, Span};
use lango_testkit::Engine;

use super::{by_every_access, codes, declared, held, read, recode, texts, vector};

/// What an office may write for the same persons: each engine's types for a column, and how its values are literals of them.
#[test]
fn the_same_persons_give_the_same_integers_whatever_types_hold_them() {
    let sex = Reading {
        from: Some("Sex \u{e0} l'\u{e9}tat civil".into()),
        recode: recode(&[("1", "M"), ("female", "F"), ("2", "F")]),
        missing: texts(&["NA", "9"]),
        ignores_case: true,
        ..Reading::default()
    };
    let missing = |list: &[&str]| Reading { missing: texts(list), ..Reading::default() };
    let arrived = Reading { time_zone: Some("UTC".into()), ..missing(&["1900-01-01"]) };
    let bloc = Reading {
        recode: recode(&[("f", "X"), ("FEMALE", "X"), ("2", "X")]),
        derived_from: Some("sex".parse().unwrap()),
        ..sex.clone()
    };
    let columns = [
        ("age", read(Domain::bands(0, 99, vec![0, 15, 65]).unwrap(), missing(&["99", "NA"]))),
        (
            "arrived",
            read(Domain::date("2020-01-01".into(), "2024-12-31".into(), Span::Year).unwrap(), arrived),
        ),
        ("bloc", read(codes(&["X"]), bloc)),
        ("income", read(Domain::amount(0, 500_000, 2, None).unwrap(), missing(&["-1", "9999999"]))),
        ("sex", read(codes(&["F", "M"]), sex)),
    ];
    let (single, several) = (declared(columns.clone(), 1), declared(columns, 2));
    let asked: [(&str, &[&str]); 6] = [
        ("mean(income)", &[""]),
        ("persons", &["age", "arrived", "bloc", "sex"]),
        ("rows", &["age,sex"]),
        ("rows(age)", &[""]),
        ("rows(sex)", &[""]),
        ("sum(income)", &["sex"]),
    ];
    // Sex, age, income, arrived; NULL where a list says so.
    let persons = [
        ("1", "30", "1000.19", "2023-07-01"),
        ("Female", "14", "0.125", "2023-12-31"),
        ("F", "15", "0.375", "2024-01-01"),
        ("m", "64", "1000.005", "1900-01-01"),
        ("2", "65", "-1", "2020-01-01"),
        ("NA", "99", "9999999", "2019-12-31"),
        ("9", "98", "7000", "2024-12-31"),
        ("x", "100", "12", "2024-02-29"),
        ("NULL", "NULL", "NULL", "NULL"),
        ("F", "0", "0.015", "2022-05-05"),
    ];
    type Literal = fn(&str) -> String;
    let quoted: Literal = |text| format!("'{text}'");
    let padded: Literal = |text| format!("' {text}\t'");
    let plain: Literal = |text| text.to_owned();
    let moment: Literal = |day| format!("'{day} 23:59:59'");
    let zoned: Literal = |day| format!("'{day} 23:59:59+00'");
    let tables: [(Engine, [(&str, Literal); 4]); 9] = [
        (Engine::Sqlite, [("TEXT", padded), ("TEXT", padded), ("TEXT", padded), ("TEXT", moment)]),
        (Engine::Sqlite, [("TEXT", quoted), ("REAL", plain), ("REAL", plain), ("TEXT", quoted)]),
        (Engine::Sqlite, [("", quoted), ("DECIMAL(3,0)", plain), ("DECIMAL(12,4)", plain), ("DATE", quoted)]),
        (Engine::Postgres, [("text", padded), ("text", padded), ("text", padded), ("text", moment)]),
        (
            Engine::Postgres,
            [("varchar(9)", quoted), ("float8", plain), ("float8", plain), ("timestamp", moment)],
        ),
        (
            Engine::Postgres,
            [("char(9)", quoted), ("smallint", plain), ("numeric", plain), ("timestamptz", zoned)],
        ),
        (
            Engine::Postgres,
            [("name", quoted), ("numeric(5,2)", plain), ("numeric(20,4)", plain), ("date", quoted)],
        ),
        (
            Engine::MariaDb,
            [
                ("varchar(20)", padded),
                ("varchar(20)", padded),
                ("varchar(20)", padded),
                ("varchar(20)", moment),
            ],
        ),
        (
            Engine::MariaDb,
            [("varchar(9)", quoted), ("double", plain), ("double", plain), ("datetime", moment)],
        ),
    ];
    let expected = [
        // The mean's pair: what lies above the lower bound, and below the upper one.
        vector(&[("#0", 100_019 + 12 + 38 + 100_000 + 500_000 + 1_200 + 2), ("#1", 7 * 500_000 - 701_271)]),
        vector(&[("0-14#0", 2), ("15-64#0", 3), ("65-99#0", 2), ("_O#0", 1), ("_U#0", 2)]),
        vector(&[("2020#0", 1), ("2022#0", 1), ("2023#0", 2), ("2024#0", 3), ("_O#0", 1), ("_U#0", 2)]),
        vector(&[("X#0", 4), ("_O#0", 3), ("_U#0", 3)]),
        vector(&[("F#0", 4), ("M#0", 2), ("_O#0", 1), ("_U#0", 3)]),
    ];
    let rows = |types: &[(&str, Literal); 4], units: usize| -> Vec<String> {
        let row = |(at, (sex, age, income, arrived)): (usize, &(&str, &str, &str, &str))| {
            let values = [sex, age, income, arrived].into_iter().zip(types);
            let values = values.map(|(value, (_, literal))| match *value {
                "NULL" => "NULL".to_owned(),
                value => literal(value),
            });
            format!("{}, {}", at % units, values.collect::<Vec<_>>().join(", "))
        };
        persons.iter().enumerate().map(row).collect()
    };
    let mut sampled = Vec::new();
    for (engine, types) in tables {
        // A row of each unit, or three or four, of which two are read.
        for (unit, dataset, units) in [
            ("int PRIMARY KEY", &single, persons.len()),
            ("int", &single, persons.len()),
            ("int", &several, 3),
        ] {
            let quote = if engine == Engine::MariaDb { '`' } else { '"' };
            let [sex, age, income, arrived] = types.map(|(name, _)| name);
            let columns = format!(
                "person_id {unit}, {quote}SEX \u{e0} l'\u{e9}tat civil{quote} {sex}, age {age}, income {income}, arrived {arrived}"
            );
            let rows = rows(&types, units);
            let held = held(engine, &columns, &rows.iter().map(String::as_str).collect::<Vec<_>>());
            let mut counted = by_every_access(&held, dataset, &asked, &[]);
            let filters = ["sex in F,_U", "arrived from 2022-01-01 to 2024-12-31"];
            counted.extend(by_every_access(&held, dataset, &[("persons", &["sex"])], &filters));
            let filters = ["age in 0,14,_O,_U"];
            counted.extend(by_every_access(&held, dataset, &[("persons", &[""])], &filters));
            let of = format!("{engine:?} {types:?} {unit} {units}");
            if units < persons.len() {
                assert_eq!(counted[5].values().sum::<i64>(), 6, "{of}");
                sampled.push((of, counted));
            } else {
                assert_eq!(counted[..expected.len()], expected, "{of}");
                let filtered = [vector(&[("F#0", 3), ("_U#0", 1)]), vector(&[("#0", 5)])];
                assert_eq!(counted[counted.len() - 2..], filtered, "{of}");
            }
        }
    }
    let (_, first) = &sampled[0];
    for (of, counted) in &sampled {
        assert_eq!(counted, first, "{of}");
    }
}
