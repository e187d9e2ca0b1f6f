//! What the servers' catalogues say of a table: what is refused, in which words, and what is not believed.

use lango_testkit::{Engine, TestDatabase};

use super::{
    engines::source,
    fixture::{dataset, runtime, secret},
};
use crate::{Bounding, SourceError};

const MORE: &str = "sex varchar(9), village varchar(64), income bigint, born varchar(10), age int";

fn made(engine: Engine, sql: &str) -> TestDatabase {
    let database = TestDatabase::fresh(engine);
    // Statement by statement: MariaDB may take several at once, and reports the first one's failure alone.
    sql.split(';').map(str::trim).filter(|sql| !sql.is_empty()).for_each(|sql| database.run(sql));
    database
}

fn bounding(database: &TestDatabase) -> Result<Bounding, SourceError> {
    runtime().block_on(source(database).bounding(&dataset(3, 3), &secret(7)))
}

#[test]
fn one_row_per_unit_is_believed_of_a_full_key_that_binds_every_row_and_of_nothing_else() {
    let with = |declared: &str, after: &str| {
        format!("CREATE TABLE residents (person_id {declared}, {MORE}) {after}")
    };
    let postgres = [
        (with("text PRIMARY KEY", ""), true),
        (with("bigint UNIQUE", ""), true),
        (with("uuid PRIMARY KEY", ""), true),
        (with("numeric(18,0) UNIQUE", ""), true),
        (with("text", "; CREATE UNIQUE INDEX u ON residents (person_id)"), true),
        (with("text", "; CREATE UNIQUE INDEX u ON residents (person_id) INCLUDE (age)"), true),
        (with("text", "; CREATE INDEX u ON residents (person_id)"), false),
        (with("text", "; CREATE UNIQUE INDEX u ON residents (person_id) WHERE age > 3"), false),
        (with("text", "; CREATE UNIQUE INDEX u ON residents (lower(person_id))"), false),
        (with("text", "; CREATE UNIQUE INDEX u ON residents (person_id, age)"), false),
        (with("text UNIQUE DEFERRABLE", ""), false),
        (with("text UNIQUE DEFERRABLE INITIALLY DEFERRED", ""), false),
        (
            with(
                "text",
                "; CREATE UNIQUE INDEX u ON residents (person_id); UPDATE pg_index SET indisvalid = false WHERE \
                 indexrelid = 'u'::regclass",
            ),
            false,
        ),
        (with("text PRIMARY KEY", "; CREATE TABLE more () INHERITS (residents)"), false),
        (
            with(
                "bigint PRIMARY KEY",
                "PARTITION BY HASH (person_id); CREATE TABLE part PARTITION OF residents FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
            ),
            true,
        ),
        (
            with(
                "bigint",
                "PARTITION BY HASH (person_id); CREATE TABLE part PARTITION OF residents (PRIMARY KEY (person_id)) FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
            ),
            false,
        ),
    ];
    let mariadb = [
        (with("varchar(40) PRIMARY KEY", ""), true),
        (with("bigint UNIQUE", ""), true),
        (with("bigint unsigned UNIQUE", ""), true),
        (with("uuid PRIMARY KEY", ""), true),
        (with("varchar(400) PRIMARY KEY", ""), true),
        (with("varchar(40)", "; CREATE INDEX u ON residents (person_id)"), false),
        (with("varchar(40), UNIQUE (person_id(10))", ""), false),
        (with("varchar(40), UNIQUE (person_id, age)", ""), false),
        (
            with("bigint, f date, u date, PERIOD FOR p (f, u), UNIQUE (person_id, p WITHOUT OVERLAPS)", ""),
            false,
        ),
        (with("bigint PRIMARY KEY", "WITH SYSTEM VERSIONING"), true),
        // Another than its columns' key, and one whose texts are only compared by their hashes.
        (with("bigint, x bigint AS (person_id + 1), UNIQUE (x)", ""), false),
    ];
    for (engine, tables) in [(Engine::Postgres, &postgres[..]), (Engine::MariaDb, &mariadb[..])] {
        for (sql, vouched) in tables {
            // `uuid` and `numeric` units are of one type too.
            let found = bounding(&made(engine, sql));
            let expected = if *vouched { Bounding::Vouched } else { Bounding::Unprepared };
            assert_eq!(found, Ok(expected), "{engine:?}: {sql}");
        }
    }
}

#[test]
fn what_cannot_be_served_is_named_with_what_to_do() {
    let with = |declared: &str| format!("CREATE TABLE residents ({declared})");
    let all = |engine| {
        let text = if engine == Engine::MariaDb { "varchar(64)" } else { "text" };
        let typed = |column: &str, kind: &str| {
            let columns = [
                ("person_id", "bigint"),
                ("sex", text),
                ("village", text),
                ("income", "bigint"),
                ("born", "date"),
                ("age", "int"),
            ];
            let columns =
                columns.map(|(name, own)| format!("{name} {}", if name == column { kind } else { own }));
            with(&columns.join(", "))
        };
        let view = typed("", "").replace("TABLE residents", "TABLE base");
        let mut all = vec![
            ("CREATE TABLE visas (x int)".to_owned(), "has no table `residents`"),
            (
                with(&format!("person_id bigint, {}", MORE.replace("income", "wages"))),
                "table `residents` has no column `income`",
            ),
            (with(&format!("id bigint, {MORE}")), "table `residents` has no column `person_id`"),
            (
                typed("person_id", "double precision"),
                "column `person_id` of table `residents` is declared neither",
            ),
            (
                typed("age", "date"),
                "column `age` of table `residents` is `date`; the policy's declaration of it needs numbers",
            ),
            (typed("born", "int"), "needs days (`date`), moments (`timestamp`), or text"),
            (typed("sex", "timestamp"), "needs text, or numbers"),
        ];
        if engine == Engine::Postgres {
            all.extend([
                (format!("{view}; CREATE SEQUENCE residents"), "`residents` is neither a table nor a view"),
                (typed("born", "timestamptz"), "needs a `time_zone` beside it"),
                (typed("age", "money"), "column `age` of table `residents` is `money`"),
                (typed("age", "boolean"), "needs numbers of any type"),
                (typed("sex", "json"), "column `sex` of table `residents` is `json`"),
                (typed("sex", "bytea"), "column `sex` of table `residents` is `bytea`"),
                (
                    format!(
                        "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); {}",
                        typed("sex", "text COLLATE loose")
                    ),
                    "column `sex` of table `residents` has a nondeterministic collation",
                ),
            ]);
        } else {
            all.extend([
                (format!("{} ENGINE = MyISAM", typed("", "")), "convert it to InnoDB"),
                (format!("{} ENGINE = Aria", typed("", "")), "convert it to InnoDB"),
                (typed("person_id", "varchar(256)"), "declare it shorter, or make it a key"),
                (typed("person_id", "varchar(64) CHARACTER SET cp1250"), "the database's encoding is cp1250"),
                (typed("sex", "blob"), "column `sex` of table `residents` is `blob`"),
                (typed("sex", "set('F','M')"), "column `sex` of table `residents` is `set"),
                (typed("age", "float"), "column `age` of table `residents` is `float`"),
                (typed("born", "timestamp NULL"), "needs a `time_zone` beside it"),
            ]);
        }
        all
    };
    for engine in [Engine::Postgres, Engine::MariaDb] {
        for (sql, words) in all(engine) {
            let database = made(engine, &sql);
            let checked = runtime().block_on(source(&database).check(&dataset(3, 3)));
            let checked = checked.expect_err(&sql).to_string();
            assert!(checked.contains(words), "{engine:?}: {sql}: {checked}");
        }
    }
}

#[test]
fn odd_names_are_names_and_nothing_more() {
    for (engine, quote) in [(Engine::Postgres, '"'), (Engine::MariaDb, '`')] {
        for name in [
            "person id",
            "p'id",
            "p\"id",
            "p`id",
            "p\\id",
            "p;--",
            "pé北😀".trim_end_matches('😀'),
            "select",
            "$1",
            "?",
        ] {
            let quoted = format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")));
            let database = TestDatabase::fresh(engine);
            database.run(&format!("CREATE TABLE residents ({quoted} int, {MORE})"));
            database
                .run("INSERT INTO residents VALUES (1, 'F', NULL, 1, NULL, 1), (1, 'M', NULL, 1, NULL, 1)");
            let mut dataset = dataset(1, 1);
            dataset.unit.column = name.into();
            let source = source(&database);
            runtime()
                .block_on(source.check(&dataset))
                .unwrap_or_else(|error| panic!("{engine:?} {name}: {error}"));
            let prepared = runtime().block_on(source.prepare(&dataset, &secret(7))).unwrap();
            assert_eq!(prepared.kept, 1, "{engine:?} {name}");
        }
        let mut dataset = dataset(1, 1);
        dataset.unit.column = "a\u{1}1\u{1}".into();
        let database = TestDatabase::fresh(engine);
        database.run(&format!("CREATE TABLE residents (x int, {MORE})"));
        let checked = runtime().block_on(source(&database).check(&dataset));
        assert_eq!(checked, Err(SourceError::Identifier("a\u{1}1\u{1}".into())), "{engine:?}");
    }
}

#[test]
fn a_table_is_known_by_what_is_reached_and_not_by_names() {
    for engine in Engine::ALL {
        let tables = "CREATE TABLE residents (person_id varchar(9) PRIMARY KEY); CREATE TABLE others (person_id varchar(9) PRIMARY KEY)";
        let (one, other) = (made(engine, tables), made(engine, tables));
        let identified = |database: &TestDatabase, table: &str| {
            runtime().block_on(source(database).identify(table)).unwrap()
        };
        let residents = identified(&one, "residents");
        // Another connection to the same table, and every other table there is.
        assert_eq!(identified(&one, "residents"), residents);
        for (database, table) in [(&one, "others"), (&other, "residents")] {
            assert_ne!(identified(database, table), residents, "{engine:?} {table}");
        }
        if engine == Engine::Postgres {
            // A name is quoted as where rows are read: capitals and blanks are letters of it.
            one.run("CREATE TABLE \"Residents\" (person_id text); CREATE TABLE \"Wave 2\" (person_id text)");
            for table in ["Residents", "Wave 2"] {
                assert_eq!(identified(&one, table), identified(&one, &format!("public.{table}")));
                assert_ne!(identified(&one, table), residents);
            }
            assert_ne!(identified(&one, "Residents"), identified(&one, "Wave 2"));
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_is_one_register_by_whichever_path_it_is_reached() {
    use std::{os::unix::fs::symlink, time::Duration};

    let folder = tempfile::tempdir().unwrap();
    let [file, link, hard] =
        ["register.sqlite", "another.sqlite", "third.sqlite"].map(|name| folder.path().join(name));
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE residents (a)").unwrap();
    symlink(&file, &link).unwrap();
    let up = folder.path().join("down/../register.sqlite");
    std::fs::create_dir(folder.path().join("down")).unwrap();
    let identified = |path: &std::path::Path, table: &str| {
        let source = crate::Sqlite::new(path, Duration::from_secs(5));
        runtime().block_on(crate::Source::identify(&source, table)).unwrap()
    };
    for path in [&link, &up] {
        assert_eq!(identified(path, "Residents"), identified(&file, "residents"));
    }
    std::fs::hard_link(&file, &hard).unwrap();
    assert_eq!(identified(&hard, "residents").now, identified(&file, "residents").now);
    // What an import puts in its place lasts as the same.
    let before = identified(&file, "residents");
    std::fs::copy(&file, &hard).unwrap();
    std::fs::rename(&hard, &file).unwrap();
    assert_eq!(identified(&file, "residents").lasting, before.lasting);
}
