//! Types and relations that registers are made of beyond plain tables of plain columns.

use lango_privacy::{Code, Column, Domain, Reading};
use lango_testkit::{Engine, Host, TestDatabase, residents};

use super::{
    engines::source,
    fixture::{Vector, counted_in, dataset, plan, runtime, secret},
};
use crate::{Bounding, SourceError};

fn codes(codes: &[&str]) -> Column {
    Domain::codes(codes.iter().map(|code| code.parse::<Code>().unwrap()).collect()).unwrap().into()
}

fn made(engine: Engine, sql: &[&str]) -> TestDatabase {
    let database = TestDatabase::fresh(engine);
    sql.iter().for_each(|sql| database.run(sql));
    database
}

/// How rows are bounded, and the persons by one column.
fn counted(database: &TestDatabase, column: Column) -> Result<(Bounding, Vector), SourceError> {
    let columns = [("kind".parse().unwrap(), column)].into();
    let dataset = lango_privacy::Dataset { columns, ..dataset(1, 1) };
    let source = source(database);
    runtime().block_on(source.check(&dataset))?;
    let bounding = runtime().block_on(source.bounding(&dataset, &secret(7)))?;
    let plan = plan(&dataset, &[("persons", &["kind"])], &[]);
    let direct = counted_in(&*source, &plan, secret(7)).unwrap();
    let prepared = runtime().block_on(source.prepare(&dataset, &secret(7)));
    if bounding == Bounding::Vouched {
        assert_eq!(prepared, Err(SourceError::NothingToPrepare(dataset.table.clone())));
    } else {
        let rows = prepared.unwrap().kept;
        let bounding = runtime().block_on(source.bounding(&dataset, &secret(7))).unwrap();
        assert_eq!(bounding, Bounding::Prepared { rows });
        assert_eq!(counted_in(&*source, &plan, secret(7)).unwrap(), direct, "prepared");
    }
    Ok((bounding, direct.into_iter().next().unwrap()))
}

fn vector(cells: &[(&str, i64)]) -> Vector {
    cells.iter().map(|(key, count)| (format!("{key}#0"), *count)).collect()
}

#[test]
fn every_type_that_can_be_read_is_and_others_are_named() {
    let years = || Column::from(Domain::integer(2000, 2030, 10).unwrap());
    let truths = || codes(&["true", "false"]);
    let letters = || codes(&["a", "b"]);
    let bits = || codes(&["0", "1"]);
    let yes = [("0", 1), ("1", 2)];
    for (engine, before, kind, values, column, expected) in [
        (
            Engine::Postgres,
            "",
            "citext",
            ["'a'", "'A'", "'b'"],
            letters(),
            &[("a", 1), ("b", 1), ("_O", 1)][..],
        ),
        (Engine::Postgres, "", "name", ["'a'", "' a'", "'b'"], letters(), &[("a", 2), ("b", 1)]),
        (Engine::Postgres, "", "\"char\"", ["'a'", "'a'", "'c'"], letters(), &[("a", 2), ("_O", 1)]),
        (Engine::Postgres, "", "bit(1)", ["B'0'", "B'1'", "B'1'"], bits(), &yes),
        (
            Engine::Postgres,
            "",
            "boolean",
            ["true", "false", "NULL"],
            truths(),
            &[("true", 1), ("false", 1), ("_U", 1)],
        ),
        (
            Engine::Postgres,
            "CREATE DOMAIN word AS varchar(9); CREATE DOMAIN letter AS word CHECK (VALUE <> 'z')",
            "letter",
            ["'a'", "'b'", "'c '"],
            letters(),
            &[("a", 1), ("b", 1), ("_O", 1)],
        ),
        (
            Engine::Postgres,
            "CREATE DOMAIN money2 AS numeric(9,0); CREATE DOMAIN year2 AS money2",
            "year2",
            ["2024", "2009", "'NaN'"],
            years(),
            &[("2020-2029", 1), ("2000-2009", 1), ("_U", 1)],
        ),
        (
            Engine::Postgres,
            "",
            "numeric",
            ["2024.5", "'NaN'", "1e30"],
            years(),
            &[("2020-2029", 1), ("_U", 1), ("_O", 1)],
        ),
        (
            Engine::Postgres,
            "",
            "float4",
            ["2019.5", "'-Infinity'", "'NaN'"],
            years(),
            &[("2020-2029", 1), ("_O", 1), ("_U", 1)],
        ),
        (Engine::MariaDb, "", "bit(1)", ["b'0'", "b'1'", "b'1'"], bits(), &yes),
        (
            Engine::MariaDb,
            "",
            "year",
            ["2024", "2009", "NULL"],
            years(),
            &[("2020-2029", 1), ("2000-2009", 1), ("_U", 1)],
        ),
        (
            Engine::MariaDb,
            "",
            "enum('a','b')",
            ["'a'", "'b'", "NULL"],
            letters(),
            &[("a", 1), ("b", 1), ("_U", 1)],
        ),
        (
            Engine::MariaDb,
            "",
            "decimal(40,3)",
            ["2024.500", "1e30", "NULL"],
            years(),
            &[("2020-2029", 1), ("_O", 1), ("_U", 1)],
        ),
    ] {
        for unit in ["int PRIMARY KEY", "int"] {
            let extension =
                if kind == "citext" { "CREATE EXTENSION IF NOT EXISTS citext" } else { "SELECT 1" };
            let mut sql =
                vec![if engine == Engine::Postgres { extension.to_owned() } else { "DO 1".to_owned() }];
            sql.extend(before.split("; ").filter(|sql| !sql.is_empty()).map(str::to_owned));
            sql.push(format!("CREATE TABLE residents (person_id {unit}, kind {kind})"));
            sql.extend(
                values
                    .iter()
                    .enumerate()
                    .map(|(at, value)| format!("INSERT INTO residents VALUES ({at}, {value})")),
            );
            let database = made(engine, &sql.iter().map(String::as_str).collect::<Vec<_>>());
            let found = counted(&database, column.clone())
                .unwrap_or_else(|error| panic!("{engine:?} {kind}: {error}"));
            assert_eq!(found.1, vector(expected), "{engine:?} {kind} {unit}");
            let keyed = unit.ends_with("KEY");
            assert_eq!(found.0 == Bounding::Vouched, keyed, "{engine:?} {kind} {unit}");
        }
    }
    for (engine, kind, column, words) in [
        (
            Engine::Postgres,
            "json",
            letters(),
            "is `json`; the policy's declaration of it needs text, whole numbers",
        ),
        (Engine::Postgres, "money", years(), "is `money`; the policy's declaration of it needs numbers"),
        (Engine::Postgres, "interval", years(), "is `interval`"),
        (Engine::MariaDb, "float", years(), "is `float`"),
        (Engine::MariaDb, "bit(64)", bits(), "is `bit(64)`"),
        (Engine::MariaDb, "time", letters(), "is `time`"),
    ] {
        let database =
            made(engine, &[&format!("CREATE TABLE residents (person_id int PRIMARY KEY, kind {kind})")]);
        let refused = counted(&database, column).unwrap_err().to_string();
        assert!(refused.contains(words), "{engine:?} {kind}: {refused}");
    }
}

/// Of a database that was moved from another one, in whose numbers a program kept the codes.
#[test]
fn codes_are_read_from_numbers_of_every_type_alike() {
    let whole = ["566", "204", "560", "566", "NULL", "-0"];
    let decimal = ["566.0", "204", "560.00", "566.00", "NULL", "12.5"];
    for (engine, kind, values) in [
        (Engine::Sqlite, "real", decimal),
        (Engine::Sqlite, "numeric", decimal),
        (Engine::Postgres, "bigint", whole),
        (Engine::Postgres, "numeric", decimal),
        (Engine::Postgres, "numeric(3,0)", whole),
        (Engine::Postgres, "numeric(5,2)", decimal),
        (Engine::Postgres, "numeric(38,2)", decimal),
        (Engine::Postgres, "float8", decimal),
        (Engine::Postgres, "real", decimal),
        (Engine::MariaDb, "bigint unsigned", whole),
        (Engine::MariaDb, "decimal(3,0)", whole),
        (Engine::MariaDb, "decimal(5,2)", decimal),
        (Engine::MariaDb, "decimal(40,3)", decimal),
        (Engine::MariaDb, "decimal(40,0)", whole),
        (Engine::MariaDb, "double", decimal),
        (Engine::MariaDb, "double(9,2)", decimal),
    ] {
        for unit in ["int PRIMARY KEY", "int"] {
            let rows = values.iter().enumerate().map(|(at, value)| format!("({at}, {value})"));
            let insert = format!("INSERT INTO residents VALUES {}", rows.collect::<Vec<_>>().join(", "));
            let table = format!("CREATE TABLE residents (person_id {unit}, kind {kind})");
            let (_, found) =
                counted(&made(engine, &[&table, &insert]), codes(&["204", "560", "566"])).unwrap();
            let expected = vector(&[("204", 1), ("560", 1), ("566", 2), ("_O", 1), ("_U", 1)]);
            assert_eq!(found, expected, "{engine:?} {kind} {unit}");
        }
    }
}

/// A group has the text of one of its rows, whichever the server came to first.
#[test]
fn repro_values_that_a_server_takes_for_the_same_were_read_as_the_first_of_them() {
    for (engine, kind, values) in [
        (Engine::Sqlite, "", ["-1e-300 * 1e-300", "0.0", "'0'", "1.0"]),
        (Engine::Sqlite, "real", ["-1e-300 * 1e-300", "0.0", "'0'", "1.0"]),
        (Engine::Postgres, "float8", ["'-0'", "0", "'-0'", "1"]),
        (Engine::Postgres, "float4", ["'-0'", "0", "'-0'", "1"]),
        (Engine::Postgres, "numeric", ["-0.00", "0", "0.000", "1.0"]),
        (Engine::Postgres, "numeric(5,2)", ["-0.001", "0", "0.001", "1.0"]),
        (Engine::Postgres, "char(3)", ["'0'", "'0 '", "'0  '", "'1'"]),
        (Engine::Postgres, "bpchar", ["'0'", "'0 '", "'0  '", "'1'"]),
        (Engine::Postgres, "citext", ["' 0'", "'0'", "'0 '", "'1'"]),
        (Engine::Postgres, "name", ["' 0'", "'0'", "'0 '", "'1'"]),
        (Engine::MariaDb, "double", ["-1e-300 * 1e-300", "0", "'-0'", "1"]),
        (Engine::MariaDb, "double(9,2)", ["-1e-300 * 1e-300", "0", "'-0.001'", "1"]),
        (Engine::MariaDb, "decimal(5,2)", ["'-0.00'", "0", "-0.001", "1"]),
        (Engine::MariaDb, "decimal(40,3)", ["'-0.00'", "0", "-0.0001", "1"]),
        (Engine::MariaDb, "decimal(5,0)", ["'-0'", "0", "-0.1", "1"]),
        (Engine::MariaDb, "varchar(9)", ["' 0'", "'0'", "'0 '", "'1'"]),
        (Engine::MariaDb, "char(9)", ["' 0'", "'0'", "'0 '", "'1'"]),
    ] {
        let orders = [[0, 1, 2, 3], [1, 0, 2, 3], [3, 2, 1, 0]];
        for (unit, order) in
            ["int PRIMARY KEY", "int"].into_iter().flat_map(|unit| orders.map(|order| (unit, order)))
        {
            let rows = order.iter().enumerate().map(|(id, at)| format!("({id}, {})", values[*at]));
            let insert = format!("INSERT INTO residents VALUES {}", rows.collect::<Vec<_>>().join(", "));
            let table = format!("CREATE TABLE residents (person_id {unit}, kind {kind})");
            let extension =
                if kind == "citext" { "CREATE EXTENSION citext" } else { "DROP TABLE IF EXISTS none" };
            let (_, found) =
                counted(&made(engine, &[extension, &table, &insert]), codes(&["0", "1"])).unwrap();
            assert_eq!(found, vector(&[("0", 3), ("1", 1)]), "{engine:?} {kind} {unit} {order:?}");
        }
    }
}

#[test]
fn generated_columns_and_views_are_read_and_a_view_is_never_vouched_for() {
    let base = "CREATE TABLE base (person_id integer PRIMARY KEY, sex varchar(9))";
    let rows = "INSERT INTO base VALUES (1, 'a'), (2, 'b'), (3, 'a')";
    let view = "CREATE VIEW residents AS SELECT person_id, sex AS kind FROM base";
    let generated = |how: &str| {
        format!(
            "CREATE TABLE residents (person_id integer PRIMARY KEY, sex varchar(9), kind varchar(9) GENERATED ALWAYS AS (lower(sex)) {how})"
        )
    };
    let fill = "INSERT INTO residents (person_id, sex) VALUES (1, 'A'), (2, 'B'), (3, 'a')";
    let materialized = "CREATE MATERIALIZED VIEW residents AS SELECT person_id, sex AS kind FROM base";
    let key = "CREATE UNIQUE INDEX u ON residents (person_id)";
    let grant = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO public";
    for (engine, sql, vouched) in [
        (Engine::Sqlite, vec![base, rows, view], false),
        (Engine::Sqlite, vec![&generated("VIRTUAL"), fill], true),
        (Engine::Sqlite, vec![&generated("STORED"), fill], true),
        (Engine::Postgres, vec![base, rows, view, grant], false),
        (Engine::Postgres, vec![base, rows, materialized, grant], false),
        (Engine::Postgres, vec![base, rows, materialized, key, grant], true),
        (Engine::Postgres, vec![&generated("STORED"), fill], true),
        (Engine::MariaDb, vec![base, rows, view], false),
        (Engine::MariaDb, vec![&generated("VIRTUAL"), fill], true),
    ] {
        let database = made(engine, &sql);
        let (bounding, persons) = counted(&database, codes(&["a", "b"])).unwrap();
        assert_eq!(persons, vector(&[("a", 2), ("b", 1)]), "{engine:?} {sql:?}");
        assert_eq!(bounding == Bounding::Vouched, vouched, "{engine:?} {sql:?}");
    }
}

#[test]
fn the_day_of_a_moment_is_that_of_the_policys_place() {
    let born = |zone: &str| {
        let reading = Reading { time_zone: Some(zone.to_owned()), ..Reading::default() };
        let days = Domain::date("2023-01-01".into(), "2023-12-31".into(), lango_privacy::Span::Day).unwrap();
        Column::from(days).with_reading(reading).unwrap()
    };
    let table = "CREATE TABLE residents (person_id integer PRIMARY KEY, kind timestamptz)";
    let rows = "INSERT INTO residents VALUES (1, '2023-06-30 23:30:00+00'), (2, 'infinity'), (3, NULL), \
                (4, '294276-12-31 23:59:59+00'), (5, '4714-11-24 00:00:00+00 BC')";
    let database = made(Engine::Postgres, &[table, rows]);
    for (zone, day) in
        [("Africa/Accra", "2023-06-30"), ("Africa/Nairobi", "2023-07-01"), ("UTC", "2023-06-30")]
    {
        let found = counted(&database, born(zone)).unwrap();
        assert_eq!(found.1, vector(&[(day, 1), ("_O", 3), ("_U", 1)]), "{zone}");
    }
    let unknown = counted(&database, born("Africa/Atlantis"));
    assert_eq!(unknown.unwrap_err(), SourceError::TimeZone("Africa/Atlantis".into()));
    let table = "CREATE TABLE residents (person_id integer PRIMARY KEY, kind timestamp NULL)";
    let rows = "SET STATEMENT time_zone = '+00:00' FOR INSERT INTO residents VALUES (1, '2023-06-30 23:30:00'), (2, NULL)";
    let database = made(Engine::MariaDb, &[table, rows]);
    assert_eq!(counted(&database, born("UTC")).unwrap().1, vector(&[("2023-06-30", 1), ("_U", 1)]));
    // Whether the server has a table of time zones is its administrator's choice.
    let unknown = counted(&database, born("Africa/Atlantis"));
    assert_eq!(unknown.unwrap_err(), SourceError::TimeZone("Africa/Atlantis".into()));
}

#[test]
fn what_stands_in_a_table_is_counted_alike_on_every_engine() {
    let reading = Reading { missing: ["NA".to_owned()].into(), ..Reading::default() };
    let sex = codes(&["F", "M"]).with_reading(reading).unwrap();
    let age = Column::from(Domain::integer(0, 110, 10).unwrap());
    let columns = [("age", age), ("sex", sex)].map(|(name, column)| (name.parse().unwrap(), column)).into();
    let dataset = lango_privacy::Dataset { columns, ..dataset(1, 1) };
    let rows = [
        "('a', 'F', 30)",
        "('a', ' F', 200)",
        "('A', 'f', -1)",
        "('b ', 'NA', NULL)",
        "('b', 'x', 7)",
        "(' ', 'M', 8)",
        "(NULL, 'x', 110)",
        "('a', NULL, 0)",
    ];
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::MariaDb] {
        let insert = format!("INSERT INTO residents VALUES {}", rows.join(", "));
        let table = "CREATE TABLE residents (person_id varchar(9), sex varchar(9), age int)";
        let database = made(engine, &[table, &insert]);
        let survey = runtime().block_on(source(&database).survey(&dataset)).unwrap();
        assert_eq!((survey.rows, survey.identified(), survey.alike), (8, 6, 4), "{engine:?}");
        assert_eq!(runtime().block_on(source(&database).alike(&dataset)), Ok(Some(4)), "{engine:?}");
        assert_eq!(survey.units, [(1, 3), (3, 1)].into(), "{engine:?}");
        let [age, sex] =
            ["age", "sex"].map(|name| &survey.columns[&name.parse::<lango_privacy::Name>().unwrap()]);
        assert_eq!(
            (age.declared, age.missing, age.undeclared, age.below, age.above),
            (5, 1, 0, 1, 1),
            "{engine:?}"
        );
        assert_eq!((sex.declared, sex.missing, sex.undeclared), (3, 2, 3), "{engine:?}");
        assert_eq!(sex.frequent, [("x".to_owned(), 2), ("f".to_owned(), 1)], "{engine:?}");
    }
}

/// An office that keeps days as moments in UTC has those of the day before. An import refuses such files.
#[test]
fn moments_at_midnight_of_another_place_are_seen_in_a_survey() {
    let born = Column::from(
        Domain::date("2000-01-01".into(), "2000-12-31".into(), lango_privacy::Span::Month).unwrap(),
    );
    let dataset = residents((1, 1), [("born", born)]);
    for (engine, moment) in [
        (Engine::Sqlite, "text"),
        (Engine::Postgres, "text"),
        (Engine::Postgres, "timestamp"),
        (Engine::MariaDb, "datetime(3)"),
    ] {
        for (clock, expected) in [("23:00:00", true), ("00:00:00", false), ("12:00:00", false)] {
            let clocks = (0..30).map(|n| if n == 7 { "15:03:00" } else { clock });
            let rows = clocks.enumerate().map(|(n, clock)| format!("('p{n}', '2000-05-01 {clock}')"));
            let insert =
                format!("INSERT INTO residents VALUES {}, ('q', NULL)", rows.collect::<Vec<_>>().join(", "));
            let table = format!("CREATE TABLE residents (person_id varchar(9), born {moment})");
            let database = made(engine, &[&table, &insert]);
            let survey = runtime().block_on(source(&database).survey(&dataset)).unwrap();
            let moments = survey.columns.values().next().unwrap().moments;
            let of = (moments.are_of_another_place(), moments.all());
            assert_eq!(of, (expected, 30), "{engine:?} {moment} {clock}");
        }
    }
}

/// What a person could have somebody write about them must fail no question, and slow none down.
#[test]
fn numbers_and_blanks_of_any_length_are_read_without_an_error() {
    let age = Column::from(Domain::integer(0, 110, 10).unwrap());
    let long = [
        "9".repeat(200_000),
        format!("0.{}", "5".repeat(200_000)),
        format!("7{}", "e999"),
        "1e-999".to_owned(),
        format!(" 7{}8 ", " ".repeat(60_000)),
        format!("{}7{}", "\u{a0}\t".repeat(20_000), "\u{a0} ".repeat(20_000)),
        // Short enough to be read.
        format!("{}7{}", "\u{a0}\t".repeat(1_000), "\u{a0} ".repeat(1_000)),
    ];
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::MariaDb] {
        for unit in ["int PRIMARY KEY", "int"] {
            let text = if engine == Engine::MariaDb { "longtext" } else { "text" };
            let database =
                made(engine, &[&format!("CREATE TABLE residents (person_id {unit}, kind {text})")]);
            for (at, value) in long.iter().enumerate() {
                database.run(&format!("INSERT INTO residents VALUES ({at}, '{value}')"));
            }
            let begun = std::time::Instant::now();
            let (_, found) = counted(&database, age.clone()).unwrap();
            assert_eq!(found, vector(&[("0-9", 2), ("_O", 5)]), "{engine:?} {unit}");
            assert!(begun.elapsed().as_secs() < 30, "{engine:?} {unit}: {:?}", begun.elapsed());
        }
    }
}

/// A text that is too long to be read is no identifier either, wherever it stands.
#[test]
fn a_very_long_identifier_is_no_units_and_a_blank_of_any_alphabet_is_blank() {
    let letters = || codes(&["a", "b"]);
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let table = "CREATE TABLE residents (person_id text, kind text)";
        let rows = format!(
            "INSERT INTO residents VALUES ('{}', 'a'), ('{}', 'a'), ('p', 'b')",
            "x".repeat(8_193),
            "x".repeat(8_192)
        );
        let database = made(engine, &[table, &rows]);
        assert_eq!(counted(&database, letters()).unwrap().1, vector(&[("a", 1), ("b", 1)]), "{engine:?}");
    }
    let table = "CREATE TABLE residents (person_id int PRIMARY KEY, kind varchar(9) CHARACTER SET cp850)";
    let rows = "INSERT INTO residents VALUES (1, CONVERT(X'C2A0' USING utf8mb4)), (2, 'a')";
    let database = made(Engine::MariaDb, &[table, rows]);
    assert_eq!(counted(&database, letters()).unwrap().1, vector(&[("a", 1), ("_U", 1)]));
}

/// The other server keeps to its own table's conditions, which may be fewer.
#[test]
fn a_foreign_table_s_word_that_no_unit_is_missing_is_not_taken() {
    let host = Host::postgres();
    let database = TestDatabase::on(&host);
    let found = database.rows("SELECT current_database()::text, current_user::text");
    let [Some(name), Some(owner)] = found[0].as_slice() else { panic!("{found:?}") };
    let (port, password) = (host.port(), host.password());
    database.run("CREATE EXTENSION postgres_fdw");
    database.run(&format!(
        "CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw \
         OPTIONS (host '127.0.0.1', port '{port}', dbname '{name}', options '-c row_security=off')"
    ));
    for (user, there) in [("CURRENT_USER", owner), (name.as_str(), name)] {
        database.run(&format!(
            "CREATE USER MAPPING FOR {user} SERVER here OPTIONS (user '{there}', password '{password}')"
        ));
    }
    database.run("CREATE TABLE there (person_id bigint, kind text)");
    database.run("INSERT INTO there VALUES (1, 'a'), (2, 'b'), (NULL, 'b'), (NULL, 'a')");
    database.run(
        "CREATE FOREIGN TABLE residents (person_id bigint NOT NULL, kind text) SERVER here OPTIONS (table_name 'there')",
    );
    let (bounding, found) = counted(&database, codes(&["a", "b"])).unwrap();
    assert_ne!(bounding, Bounding::Vouched);
    assert_eq!(found, vector(&[("a", 1), ("b", 1)]));
}
