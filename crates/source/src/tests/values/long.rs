//! Texts of any length, which anyone may have written in a register.

use lango_privacy::{Column, Domain, Name, Reading, Span};
use lango_testkit::Engine;

use super::{UNITS, by_every_access, codes, declared, held, read, recode, vector};
use crate::tests::{engines::source, fixture::runtime};

#[test]
fn long_texts_are_undeclared_and_distinguished_beyond_what_is_sorted() {
    let (long, longer) = ("x".repeat(5_000), format!("{}y", "x".repeat(5_000)));
    let columns = [
        ("born", Column::from(Domain::date("2020-01-01".into(), "2024-12-31".into(), Span::Year).unwrap())),
        ("sex", Domain::codes(vec!["F".parse().unwrap()]).unwrap().into()),
        ("village", Domain::Open.into()),
    ];
    let asked: [(&str, &[&str]); 4] = [
        ("keys(village)", &[""]),
        ("persons", &["born", "sex"]),
        ("rows(sex)", &[""]),
        ("rows(village)", &[""]),
    ];
    let rows: Vec<String> = [&long, &longer, &long]
        .iter()
        .enumerate()
        .map(|(at, text)| format!("{at}, '{text}', '{text}', '{text}'"))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    for unit in UNITS {
        let counted = Engine::ALL.map(|engine| {
            let text = if engine == Engine::MariaDb { "mediumtext" } else { "text" };
            let database = held(engine, &format!("{unit}, born {text}, sex {text}, village {text}"), &rows);
            by_every_access(&database, &declared(columns.clone(), 2), &asked, &[])
        });
        assert_eq!(counted[0][1], vector(&[("_O#0", 3)]));
        assert!(counted.iter().all(|other| *other == counted[0]), "{counted:?}");
    }
}

/// What stands for a long text in a statement is no text of a policy's, whatever the policy says of `_O`.
#[test]
fn repro_a_text_that_is_too_long_was_what_a_policy_says_of_the_text_that_stood_for_it() {
    let missing = |texts: &[&str]| Reading { missing: super::texts(texts), ..Reading::default() };
    let to_man = |text: &str| Reading { recode: recode(&[(text, "M")]), ..Reading::default() };
    let born = Domain::date("2020-01-01".into(), "2024-12-31".into(), Span::Year).unwrap();
    let columns = [
        ("born", read(born, missing(&["_O"]))),
        ("code", read(codes(&["F", "M"]), to_man("_O"))),
        ("income", read(Domain::amount(0, 100, 0, None).unwrap(), missing(&["_O"]))),
        ("letter", read(codes(&["F", "M"]), Reading { ignores_case: true, ..to_man("_o") })),
        ("sex", read(codes(&["F", "M"]), missing(&["_O"]))),
        ("village", read(Domain::Open, missing(&["_O"]))),
    ];
    let names = columns.each_ref().map(|(name, _)| *name);
    let (single, several) = (declared(columns.clone(), 1), declared(columns, 2));
    let asked: [(&str, &[&str]); 8] = [
        ("keys(village)", &[""]),
        ("persons", &["born", "code", "letter", "sex"]),
        ("rows(born)", &[""]),
        ("rows(code)", &[""]),
        ("rows(income)", &[""]),
        ("rows(sex)", &[""]),
        ("rows(village)", &[""]),
        ("sum(income)", &[""]),
    ];
    let blanks = " ".repeat(8_191);
    let written: Vec<String> =
        ["x".repeat(8_193), "_".repeat(8_193), format!("{blanks}  F"), "\u{e9}".repeat(4_097)]
            .into_iter()
            .chain(["_O", "F", &format!("F{blanks}"), "_U", "_T", &"y".repeat(65), "7"].map(str::to_owned))
            .map(|text| format!("'{text}'"))
            .chain(["NULL".to_owned()])
            .collect();
    let expected = [
        vector(&[("7", 1), ("F", 2), ("_O", 7)]),
        vector(&[("_O#0", 10), ("_U#0", 2)]),
        vector(&[("F#0", 2), ("M#0", 1), ("_O#0", 8), ("_U#0", 1)]),
        vector(&[("F#0", 2), ("M#0", 1), ("_O#0", 8), ("_U#0", 1)]),
        vector(&[("F#0", 2), ("_O#0", 8), ("_U#0", 2)]),
        vector(&[("#0", 10)]),
        vector(&[("#0", 11)]),
        vector(&[("#0", 1)]),
        vector(&[("#0", 10)]),
        vector(&[("#0", 10)]),
        vector(&[("#0", 7)]),
    ];
    let mut sampled = Vec::new();
    for (engine, text) in [
        (Engine::Sqlite, "text"),
        (Engine::Postgres, "text"),
        (Engine::Postgres, "varchar(9000)"),
        (Engine::MariaDb, "mediumtext"),
        (Engine::MariaDb, "longtext COLLATE utf8mb4_bin"),
        (Engine::MariaDb, "mediumtext CHARACTER SET latin1"),
    ] {
        // A row of each unit, or three, of which two are read.
        for (unit, dataset, units) in [
            ("int PRIMARY KEY", &single, written.len()),
            ("int", &single, written.len()),
            ("int", &several, 4),
        ] {
            let of = format!("{engine:?} {text} {unit} {units}");
            let columns: String = names.map(|name| format!(", {name} {text}")).concat();
            let row =
                |(at, text): (usize, &String)| format!("{}{}", at % units, format!(", {text}").repeat(6));
            let rows: Vec<String> = written.iter().enumerate().map(row).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let held = held(engine, &format!("person_id {unit}{columns}"), &rows);
            let counted = by_every_access(&held, dataset, &asked, &[]);
            if units == written.len() {
                assert_eq!(counted, expected, "{of}");
            } else {
                sampled.push((of.clone(), counted));
            }
            for (filter, persons) in [("sex in _U", 2), ("code in M", 1), ("letter in _O", 8)] {
                let counted = by_every_access(&held, &single, &[("persons", &[""])], &[filter]);
                if units == written.len() {
                    assert_eq!(counted, [vector(&[("#0", persons)])], "{of} {filter}");
                }
            }
            let survey = runtime().block_on(source(&held.database).survey(dataset)).unwrap();
            for (name, declared, missing) in [("code", 3, 1), ("letter", 3, 1), ("sex", 2, 2)] {
                let column = &survey.columns[&name.parse::<Name>().unwrap()];
                let found = (column.declared, column.missing, column.undeclared);
                assert_eq!(found, (declared, missing, 8), "{of} {name}");
                let first = column.frequent.first().unwrap();
                assert_eq!(first, &("a text of more than 8192 bytes".to_owned(), 4), "{of} {name}");
            }
        }
    }
    let (_, first) = &sampled[0];
    for (of, counted) in &sampled {
        assert_eq!(counted, first, "{of}");
    }
}

/// A server puts texts in order by their beginnings alone.
#[test]
fn texts_that_begin_alike_are_distinguished_beyond_what_is_sorted() {
    let blanks = " ".repeat(3_000);
    let columns = [("sex", codes(&["F", "M"])), ("village", Domain::Open.into())];
    let asked: [(&str, &[&str]); 2] = [("keys(village)", &[""]), ("persons", &["sex"])];
    for engine in Engine::ALL {
        let text = if engine == Engine::MariaDb { "mediumtext" } else { "text" };
        for unit in UNITS {
            let rows: Vec<String> = ["F", "M", "F", "x", "M", "M"]
                .iter()
                .enumerate()
                .map(|(at, text)| format!("{at}, '{blanks}{text}', '{blanks}{text}'"))
                .collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let held = held(engine, &format!("{unit}, sex {text}, village {text}"), &rows);
            let counted = by_every_access(&held, &declared(columns.clone(), 1), &asked, &[]);
            let expected = [[("F", 2), ("M", 3), ("x", 1)], [("F#0", 2), ("M#0", 3), ("_O#0", 1)]];
            assert_eq!(counted, expected.map(|cells| vector(&cells)), "{engine:?} {unit}");
        }
    }
}
