//! Values at the edges of every type that a column may have: the same integers wherever an engine can hold them, and never an
//! error.

use lango_privacy::{Column, Dataset, Domain, Grid, Reading, Span};
use lango_testkit::{Engine, TestDatabase};

use super::{
    engines::source,
    fixture::{Vector, counted_in, dataset, plan, runtime, secret},
};
use crate::PreparedRows;

/// Of a dataset with these columns.
fn declared(columns: impl IntoIterator<Item = (&'static str, Column)>, rows_at_most: u32) -> Dataset {
    let columns = columns.into_iter().map(|(name, column)| (name.parse().unwrap(), column)).collect();
    Dataset { columns, ..dataset(rows_at_most, rows_at_most) }
}

/// The counts by every access path: vouched for where the unit is a key, else ranked and prepared. All are the same.
fn by_every_access(
    database: &TestDatabase,
    dataset: &Dataset,
    asked: &[(&str, &[&str])],
    filters: &[&str],
) -> Vec<Vector> {
    let plan = plan(dataset, asked, filters);
    let source = source(database);
    let of = format!("{:?}", database.engine());
    runtime().block_on(source.check(dataset)).unwrap_or_else(|error| panic!("{of}: {error}"));
    let first = counted_in(&*source, &plan, secret(7)).unwrap_or_else(|error| panic!("{of}: {error}"));
    if runtime().block_on(source.prepare(dataset, &secret(7))).is_ok() {
        assert_eq!(counted_in(&*source, &plan, secret(7)).unwrap(), first, "{of} prepared");
    }
    first
}

fn vector(cells: &[(&str, i64)]) -> Vector {
    cells.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
}

fn held(engine: Engine, columns: &str, rows: &[&str]) -> TestDatabase {
    let database = TestDatabase::fresh(engine);
    if engine == Engine::MariaDb {
        // Zero dates may have been written by an older server.
        database.run("SET SESSION sql_mode = ''");
    }
    database.run(&format!("CREATE TABLE residents ({columns})"));
    for row in rows {
        let sql = format!("INSERT INTO residents VALUES ({row})");
        // One connection of several: the mode goes with the statement.
        let sql =
            if engine == Engine::MariaDb { format!("SET STATEMENT sql_mode = '' FOR {sql}") } else { sql };
        database.run(&sql);
    }
    database
}

const UNITS: [&str; 2] = ["person_id int PRIMARY KEY", "person_id int"];

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

#[test]
fn repro_columns_named_unit_and_rank_stood_twice_beside_a_rows_unit_and_rank() {
    let codes = || Column::from(Domain::codes(["a", "b"].map(|code| code.parse().unwrap()).into()).unwrap());
    let dataset = declared([("rank", codes()), ("unit", codes())], 2);
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::MariaDb] {
        let columns = "person_id int, rank varchar(9), unit varchar(9)";
        let database = held(engine, columns, &["1, 'a', 'b'", "1, 'b', 'b'", "2, 'a', 'a'"]);
        let asked: [(&str, &[&str]); 3] = [("persons", &["unit"]), ("rows", &["rank"]), ("rows", &["unit"])];
        let counted = by_every_access(&database, &dataset, &asked, &[]);
        let expected = [[("a#0", 1), ("b#0", 1)], [("a#0", 2), ("b#0", 1)], [("a#0", 1), ("b#0", 2)]];
        assert_eq!(counted, expected.map(|cells| vector(&cells)), "{engine:?}");
        // Read of what was ranked alone, too: not by their keys.
        let rows = by_every_access(&database, &dataset, &asked[1..], &[]);
        assert_eq!(rows, counted[1..], "{engine:?}");
    }
}

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

/// Two people, whose numbers differ only past the signed ones.
#[test]
fn repro_identifiers_past_the_signed_numbers_were_one_unit() {
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    let rows = [
        "18446744073709551615, 1",
        "18446744073709551615, 2",
        "18446744073709551614, 3",
        "9223372036854775807, 4",
        "9223372036854775808, 5",
        "7, 6",
    ];
    let database = held(Engine::MariaDb, "person_id bigint unsigned, age int", &rows);
    let counted =
        by_every_access(&database, &declared([("age", age)], 1), &[("persons", &[""]), ("rows", &[""])], &[]);
    assert_eq!(counted, [vector(&[("#0", 5)]), vector(&[("#0", 5)])]);
}

#[test]
fn repro_an_identifier_that_is_no_number_was_a_unit_and_kept_a_preparation_from_being_made() {
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    for key in ["UNIQUE", "", "NOT NULL"] {
        let rows = ["1, 1", "'NaN', 2", "2, 3"];
        let database = held(Engine::Postgres, &format!("person_id numeric(18,0) {key}, age int"), &rows);
        let dataset = declared([("age", age.clone())], 1);
        let counted = by_every_access(&database, &dataset, &[("persons", &[""]), ("rows", &[""])], &[]);
        assert_eq!(counted, [vector(&[("#0", 2)]), vector(&[("#0", 2)])], "{key}");
        if key != "UNIQUE" {
            assert_eq!(
                runtime().block_on(source(&database).prepare(&dataset, &secret(7))),
                Ok(PreparedRows { kept: 2, all: 3 })
            );
        }
    }
}

#[test]
fn repro_a_domain_that_forbids_null_holds_it_all_the_same() {
    let database = TestDatabase::fresh(Engine::Postgres);
    for sql in [
        "CREATE DOMAIN number AS int NOT NULL",
        "CREATE TABLE residents (person_id number UNIQUE, age int)",
        "INSERT INTO residents VALUES (1, 1)",
        "INSERT INTO residents VALUES ((SELECT person_id FROM residents WHERE false), 2), ((SELECT person_id FROM residents WHERE false), 3)",
    ] {
        database.run(sql);
    }
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    let counted = by_every_access(&database, &declared([("age", age)], 1), &[("rows", &[""])], &[]);
    assert_eq!(counted, [vector(&[("#0", 1)])]);
}

#[test]
fn texts_are_the_same_only_byte_by_byte() {
    let sex = Column::from(Domain::codes(["F", "M", "a"].map(|code| code.parse().unwrap()).into()).unwrap());
    let texts = [
        "F",
        "f",
        "F ",
        "F  ",
        " F",
        "É",
        "é",
        "e",
        "a",
        "A",
        "à",
        "it''s",
        "\"",
        "`",
        "F\n",
        "F\t",
        "\u{1}1\u{1}",
        "😀",
        "%",
        "_O",
    ];
    let columns = [("sex", sex), ("village", Domain::Open.into())];
    let asked: [(&str, &[&str]); 4] =
        [("keys(village)", &[""]), ("persons", &["sex"]), ("rows", &[""]), ("rows(sex)", &[""])];
    // As text the unit is the text itself.
    let rows: Vec<String> = texts.iter().map(|text| format!("'{text}', '{text}', '{text}'")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let counted = |engine, unit: &str, text: &str| {
        let database = held(engine, &format!("person_id {unit}, sex {text}, village {text}"), &rows);
        by_every_access(&database, &declared(columns.clone(), 1), &asked, &[])
    };
    let expected = counted(Engine::Sqlite, "text", "text");
    assert_eq!(expected[2], vector(&[("#0", texts.len() as i64)]));
    // Blanks around a code do not count.
    assert_eq!(expected[1], vector(&[("F#0", 6), ("a#0", 1), ("_O#0", texts.len() as i64 - 7)]));
    assert_eq!(counted(Engine::Postgres, "text", "text"), expected);
    assert_eq!(counted(Engine::Postgres, "text PRIMARY KEY", "varchar(80)"), expected);
    for collation in [
        "utf8mb4_general_ci",
        "utf8mb4_unicode_nopad_ci",
        "utf8mb4_bin",
        "utf8mb4_nopad_bin",
        "uca1400_ai_ci",
    ] {
        let of = |length: u32| format!("varchar({length}) COLLATE {collation}");
        assert_eq!(counted(Engine::MariaDb, &of(20), &of(80)), expected, "{collation}");
    }
    let latin: Vec<&str> = rows.iter().copied().filter(|row| !row.contains('😀')).collect();
    let kind = "varchar(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci";
    let database = held(Engine::MariaDb, &format!("person_id {kind}, sex {kind}, village {kind}"), &latin);
    let plain = held(Engine::Sqlite, "person_id text, sex text, village text", &latin);
    let of = |database: &TestDatabase| by_every_access(database, &declared(columns.clone(), 1), &asked, &[]);
    assert_eq!(of(&database), of(&plain), "latin1");
    let filtered = |database: &TestDatabase| {
        by_every_access(database, &declared(columns.clone(), 1), &[("persons", &["sex"])], &["sex in F,a"])
    };
    assert_eq!(filtered(&database), [vector(&[("F#0", 6), ("a#0", 1)])]);
}

#[test]
fn every_letter_of_a_latin_column_is_another_unit() {
    let database = TestDatabase::fresh(Engine::MariaDb);
    database.run("CREATE TABLE residents (person_id varchar(2) CHARACTER SET latin1 COLLATE latin1_swedish_ci, age int)");
    for byte in 0..=255u8 {
        database.run(&format!("INSERT INTO residents VALUES (CONVERT(X'{byte:02X}' USING latin1), 1)"));
    }
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    let counted = by_every_access(&database, &declared([("age", age)], 1), &[("rows", &[""])], &[]);
    // All but the blanks: six of ASCII's and the no-break space.
    assert_eq!(counted, [vector(&[("#0", 249)])]);
}

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

#[test]
fn enumerations_truth_values_and_uuids_are_codes_and_identifiers() {
    let codes = |codes: &[&str]| {
        Column::from(Domain::codes(codes.iter().map(|code| code.parse().unwrap()).collect()).unwrap())
    };
    let id = "c0ffee00-0000-4000-8000-000000000001";
    let asked: [(&str, &[&str]); 2] = [("persons", &["sex"]), ("rows(sex)", &[""])];
    let filters = |values: &'static str| -> Vec<&'static str> { vec![values] };
    for key in ["PRIMARY KEY", ""] {
        let database = TestDatabase::fresh(Engine::Postgres);
        database.run("CREATE TYPE s AS ENUM ('M', 'F', '')");
        database.run(&format!("CREATE TABLE residents (person_id uuid {key}, sex s, ok boolean)"));
        for (number, row) in ["'F', true", "'M', false", "'', NULL"].into_iter().enumerate() {
            database.run(&format!(
                "INSERT INTO residents VALUES ('c0ffee00-0000-4000-8000-00000000000{number}', {row})"
            ));
        }
        let dataset = declared([("ok", codes(&["true", "false"])), ("sex", codes(&["F", "X"]))], 1);
        let counted = by_every_access(&database, &dataset, &asked, &[]);
        assert_eq!(counted, [vector(&[("F#0", 1), ("_O#0", 1), ("_U#0", 1)]), vector(&[("#0", 2)])], "{key}");
        let counted = by_every_access(&database, &dataset, &[("persons", &["sex"])], &filters("ok in true"));
        assert_eq!(counted, [vector(&[("F#0", 1)])], "{key}");

        let database = TestDatabase::fresh(Engine::MariaDb);
        database.run(&format!(
            "CREATE TABLE residents (person_id uuid {key}, sex enum('M','F',''), village uuid, age date)"
        ));
        for (number, row) in ["'F'", "'M'", "''"].into_iter().enumerate() {
            database.run(&format!("INSERT INTO residents VALUES ('c0ffee00-0000-4000-8000-00000000000{number}', {row}, '{id}', '2024-01-01')"));
        }
        let dataset = declared(
            [
                ("age", codes(&["2024-01-01", "X"])),
                ("sex", codes(&["F", "X"])),
                ("village", codes(&[id, "X"])),
            ],
            1,
        );
        let counted = by_every_access(&database, &dataset, &asked, &[]);
        assert_eq!(counted, [vector(&[("F#0", 1), ("_O#0", 1), ("_U#0", 1)]), vector(&[("#0", 2)])], "{key}");
        for filter in
            ["village in c0ffee00-0000-4000-8000-000000000001,X", "age in X,2024-01-01", "sex in F,X"]
        {
            let counted = by_every_access(&database, &dataset, &[("persons", &["sex"])], &[filter]);
            assert_eq!(counted[0].get("F#0"), Some(&1), "{filter} {key}");
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
fn long_code_lists_and_empty_tables_are_nothing_special() {
    let many: Vec<String> = (0..5_000).map(|number| format!("c{number}")).collect();
    let sex = Domain::codes(many.iter().map(|code| code.parse().unwrap()).collect()).unwrap();
    let dataset = declared([("sex", sex.into())], 1);
    let filter = format!("sex in {}", many[1..].join(","));
    for engine in Engine::ALL {
        let text = if engine == Engine::MariaDb { "varchar(40)" } else { "text" };
        for unit in UNITS {
            let columns = format!("{unit}, sex {text}");
            let database = held(engine, &columns, &["1, 'c0'", "2, 'c4999'", "3, 'c5000'"]);
            let counted = by_every_access(&database, &dataset, &[("persons", &["sex"])], &[]);
            assert_eq!(counted, [vector(&[("c0#0", 1), ("c4999#0", 1), ("_O#0", 1)])], "{engine:?}");
            let counted = by_every_access(&database, &dataset, &[("persons", &["sex"])], &[&filter]);
            assert_eq!(counted, [vector(&[("c4999#0", 1)])], "{engine:?}");
            let counted = by_every_access(
                &held(engine, &columns, &[]),
                &dataset,
                &[("persons", &["", "sex"]), ("rows", &[""])],
                &[],
            );
            assert_eq!(counted, [vector(&[]), vector(&[]), vector(&[])], "{engine:?}");
        }
        let nobody =
            held(engine, &format!("person_id int UNIQUE, sex {text}"), &["NULL, 'c0'", "NULL, 'c1'"]);
        let counted = by_every_access(&nobody, &dataset, &[("persons", &[""]), ("rows", &[""])], &[]);
        assert_eq!(counted, [vector(&[]), vector(&[])], "{engine:?}");
    }
}

/// A column that is read otherwise than it stands.
fn read(column: impl Into<Column>, reading: Reading) -> Column {
    column.into().with_reading(reading).unwrap()
}

fn texts(texts: &[&str]) -> std::collections::BTreeSet<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn recode(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, lango_privacy::Code> {
    pairs.iter().map(|(text, code)| ((*text).to_owned(), code.parse().unwrap())).collect()
}

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
    let codes =
        |list: &[&str]| Domain::codes(list.iter().map(|code| code.parse().unwrap()).collect()).unwrap();
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
    let dataset = declared(columns, 1);
    let several = declared(
        dataset
            .columns
            .iter()
            .map(|(name, column)| (name.as_str().to_owned(), column.clone()))
            .map(|(name, column)| (Box::leak(name.into_boxed_str()) as &'static str, column)),
        2,
    );
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
    let mut all = Vec::new();
    for (engine, types) in tables {
        for (unit, dataset) in [("int PRIMARY KEY", &dataset), ("int", &several)] {
            let rows: Vec<String> = persons
                .iter()
                .enumerate()
                .map(|(at, (sex, age, income, arrived))| {
                    let values =
                        [sex, age, income, arrived].into_iter().zip(&types).map(|(value, (_, literal))| {
                            if *value == "NULL" { "NULL".to_owned() } else { literal(value) }
                        });
                    let values: Vec<String> = values.collect();
                    format!("{at}, {}", values.join(", "))
                })
                .collect();
            let quote = if engine == Engine::MariaDb { '`' } else { '"' };
            let [sex, age, income, arrived] = types.map(|(name, _)| name);
            let columns = format!(
                "person_id {unit}, {quote}SEX \u{e0} l'\u{e9}tat civil{quote} {sex}, age {age}, income {income}, arrived {arrived}"
            );
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let database = held(engine, &columns, &rows);
            let counted = by_every_access(&database, dataset, &asked, &[]);
            assert_eq!(counted.get(..expected.len()), Some(&expected[..]), "{engine:?} {types:?} {unit}");
            let women = by_every_access(
                &database,
                dataset,
                &[("persons", &["sex"])],
                &["sex in F,_U", "arrived from 2022-01-01 to 2024-12-31"],
            );
            assert_eq!(women, [vector(&[("F#0", 3), ("_U#0", 1)])], "{engine:?} {types:?} {unit}");
            let aged = by_every_access(&database, dataset, &[("persons", &[""])], &["age in 0,14,_O,_U"]);
            assert_eq!(aged, [vector(&[("#0", 5)])], "{engine:?} {types:?} {unit}");
            all.push(counted);
        }
    }
    assert!(all.windows(2).all(|two| two[0] == two[1]));
}
