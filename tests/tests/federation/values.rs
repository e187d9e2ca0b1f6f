//! Whatever stands in a column, a question about it does not fail: an error would reveal that it stands there.

use lango_testkit::{Engine, Office, Policy, Register, TestDatabase, TestGrant, TestRegion, persons};

/// A table: its columns, how each is declared, and the oddest values that it can then hold, as literals.
type ColumnValues = [(&'static str, &'static str, &'static [&'static str]); 8];

/// Every type that SQLite stores, at its ends, in any column.
const ANYTHING: &[&str] = &[
    "NULL",
    "''",
    "' '",
    "x''",
    "x'ff00fe'",
    "CAST(x'ff41c328' AS TEXT)",
    "CAST(x'4100' AS TEXT)",
    "9223372036854775807",
    "-9223372036854775808",
    "1e308",
    "-1e308",
    "9e999",
    "-9e999",
    "0.1",
    "'9223372036854775808'",
    "'1e999'",
    "'0x10'",
    "zeroblob(100000)",
    "printf('%.*c', 100000, 'x')",
    "char(0x10FFFF)",
    "'_O'",
    "'_T'",
];
/// Of texts on a server.
const TEXTS: &[&str] = &[
    "NULL",
    "''",
    "' '",
    "'a'",
    "'A'",
    "'a '",
    "'\t'",
    "'\n'",
    "'_O'",
    "'_T'",
    "'%'",
    "'1e999'",
    "'0x10'",
    "'9223372036854775808'",
    "'2024-02-31'",
    "'\u{10FFFF}'",
    "'\u{FEFF}'",
    "'e\u{301}'",
    "repeat('\u{1F600}', 64)",
];
const INTEGERS: &[&str] = &["NULL", "0", "-1", "2147483647", "-2147483648"];
const BIGINTS: &[&str] = &["NULL", "0", "-1", "9223372036854775807", "-9223372036854775808"];
const SMALLINTS: &[&str] = &["NULL", "0", "2024", "32767", "-32768"];
const SHORT: &[&str] = &["NULL", "''", "' '", "'F'", "'f'", "'ſ'"];

const OF_SQLITE: &[ColumnValues] = &[[
    ("person_id", "TEXT", ANYTHING),
    ("country_of_birth", "TEXT", ANYTHING),
    ("sex", "TEXT", ANYTHING),
    ("age", "INTEGER", ANYTHING),
    ("education", "TEXT", ANYTHING),
    ("arrival_year", "INTEGER", ANYTHING),
    ("income", "BIGINT", ANYTHING),
    ("born", "TEXT", ANYTHING),
]];
const OF_BOTH_SERVERS: ColumnValues = [
    ("person_id", "TEXT", TEXTS),
    ("country_of_birth", "TEXT", TEXTS),
    ("sex", "TEXT", TEXTS),
    ("age", "INTEGER", INTEGERS),
    ("education", "TEXT", TEXTS),
    ("arrival_year", "INTEGER", INTEGERS),
    ("income", "BIGINT", BIGINTS),
    ("born", "TEXT", TEXTS),
];
const OF_POSTGRES: &[ColumnValues] = &[
    OF_BOTH_SERVERS,
    [
        ("person_id", "NUMERIC(18,0)", &["NULL", "0", "'NaN'", "999999999999999999", "-999999999999999999"]),
        ("country_of_birth", "CHAR(4)", SHORT),
        ("sex", "VARCHAR(1)", SHORT),
        ("age", "NUMERIC(18,0)", &["NULL", "0", "'NaN'", "999999999999999999", "-999999999999999999"]),
        ("education", "BOOLEAN", &["NULL", "TRUE", "FALSE"]),
        ("arrival_year", "SMALLINT", SMALLINTS),
        ("income", "NUMERIC(18,0)", &["NULL", "0", "'NaN'", "999999999999999999", "-999999999999999999"]),
        ("born", "DATE", &["NULL", "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'"]),
    ],
    [
        ("person_id", "BIGINT", BIGINTS),
        ("country_of_birth", "TEXT COLLATE \"C\"", TEXTS),
        ("sex", "UUID", &["NULL", "'00000000-0000-0000-0000-000000000000'"]),
        ("age", "SMALLINT", SMALLINTS),
        ("education", "TEXT", TEXTS),
        ("arrival_year", "BIGINT", BIGINTS),
        ("income", "INTEGER", INTEGERS),
        ("born", "DATE", &["'0001-01-01 BC'", "'0001-01-01'", "'9999-12-31'", "'10000-01-01'"]),
    ],
];
const OF_MARIADB: &[ColumnValues] = &[
    OF_BOTH_SERVERS,
    [
        ("person_id", "DECIMAL(18,0)", &["NULL", "0", "999999999999999999", "-999999999999999999"]),
        ("country_of_birth", "CHAR(4)", SHORT),
        ("sex", "VARCHAR(9) CHARACTER SET latin1", &["NULL", "''", "'é'", "x'8d'", "x'00'"]),
        ("age", "BIGINT UNSIGNED", &["NULL", "0", "9223372036854775808", "18446744073709551615"]),
        // The last is none of its words, and kept as the empty one.
        ("education", "ENUM('primary', 'higher')", &["NULL", "'primary'", "'HIGHER'", "'none'"]),
        ("arrival_year", "TINYINT", &["NULL", "0", "127", "-128"]),
        ("income", "DECIMAL(18,0)", &["NULL", "0", "999999999999999999", "-999999999999999999"]),
        ("born", "DATE", &["NULL", "'0000-00-00'", "'2024-00-00'", "'2024-02-31'", "'9999-12-31'"]),
    ],
    [
        ("person_id", "BIGINT UNSIGNED", &["NULL", "0", "9223372036854775808", "18446744073709551615"]),
        ("country_of_birth", "VARCHAR(64) COLLATE utf8mb4_bin", TEXTS),
        ("sex", "MEDIUMTEXT", &["NULL", "''", "repeat('x', 100000)", "x'4100'"]),
        ("age", "MEDIUMINT", &["NULL", "8388607", "-8388608"]),
        ("education", "VARCHAR(64) CHARACTER SET utf16", TEXTS),
        ("arrival_year", "SMALLINT UNSIGNED", &["NULL", "0", "65535"]),
        ("income", "BIGINT UNSIGNED", &["NULL", "0", "9223372036854775808", "18446744073709551615"]),
        ("born", "VARCHAR(64)", TEXTS),
    ],
];

/// Makes the table, and puts every value of every column into it: in a unit of its own, and in one unit.
fn fill(database: &TestDatabase, held: &ColumnValues) {
    // What may be kept is asked for, and not what may be written by default.
    let lax =
        if database.engine() == Engine::MariaDb { "SET sql_mode = 'ALLOW_INVALID_DATES'; " } else { "" };
    database.run("DROP TABLE residents");
    database.create("residents", &held.map(|(name, declared, _)| (name, declared)));
    let most = held.iter().map(|(.., values)| values.len()).max().unwrap();
    let mut rows = Vec::new();
    for number in 0..most {
        let row = held.map(|(.., values)| values[number % values.len()]);
        let mut alike = row;
        alike[0] = held[0].2[1];
        rows.extend([row, alike].map(|row| format!("INSERT INTO residents VALUES ({})", row.join(", "))));
    }
    database.run(&format!("{lax}{}", rows.join("; ")));
}

#[tokio::test]
async fn no_value_makes_a_question_fail() {
    let world = TestRegion::new();
    let by = r#"["country_of_birth", "sex", "age", "education", "arrival_year", "born"]"#;
    let policy = Policy::of("GHA").grants([TestGrant { by: by.into(), ..TestGrant::default() }]);
    let born = "born = { date = [2023-12-30, 2024-03-01], bands = \"month\" }\nincome = {";
    let text = policy.text().replace("income = {", born);
    let tables = match Engine::under_test() {
        Engine::Sqlite => OF_SQLITE,
        Engine::Postgres => OF_POSTGRES,
        Engine::MariaDb => OF_MARIADB,
    };
    for (number, held) in tables.iter().enumerate() {
        let mut office = Office::prepare(&world, "GHA", &policy, &Register::default());
        office.write_policy(&text);
        fill(&office.database, held);
        office.up().await.unwrap();
        let analyst = world.analyst();
        for measure in [
            "persons",
            "rows",
            "rows(income)",
            "sum(income)",
            "mean(income)",
            "quantile(income,0.5)",
            "histogram(income)",
        ] {
            for body in [
                "by",
                "by age,country_of_birth",
                "by born,education,sex",
                "by sex\nwhere age from 0 to 110\nwhere arrival_year = 2024",
                "by\nwhere born from 2024-01-01 to 2024-01-31",
            ] {
                let question = persons(body, "0.1").replace("measure persons", &format!("measure {measure}"));
                let answer = analyst.ask(&office, &question).await;
                assert!(answer.is_ok(), "table {number}: {question}: {answer:?}");
            }
        }
        office.down().await;
    }
}
