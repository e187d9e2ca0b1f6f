//! What a view reads, through however many views.

use lango_testkit::{Engine, TestDatabase};

use super::{engines::source, fixture::runtime};
use crate::{Behind, ReachedTable};

fn of(database: &TestDatabase, table: &str) -> Option<Behind> {
    let mut behind = runtime().block_on(source(database).examine(&[table])).unwrap().behind;
    assert!(behind.len() < 2, "{behind:?}");
    behind.pop()
}

fn reached(database: &TestDatabase, table: &str) -> ReachedTable {
    runtime().block_on(source(database).identify(table)).unwrap()
}

/// A server shows the definition of a view to those who have SHOW VIEW on it.
fn show_views(database: &TestDatabase) {
    if database.engine() == Engine::MariaDb {
        let name = database.rows("SELECT DATABASE()")[0][0].clone().unwrap();
        database.run(&format!("GRANT SHOW VIEW ON {name}.* TO {name}@'127.0.0.1'"));
    }
}

#[test]
fn what_a_view_reads_is_known_as_the_tables_of_datasets_are() {
    for engine in Engine::ALL {
        let database = TestDatabase::fresh(engine);
        for table in ["residents", "visitors", "codes"] {
            database.run(&format!("CREATE TABLE {table} (person_id int PRIMARY KEY, sex varchar(9))"));
        }
        show_views(&database);
        for (query, expected) in [
            ("SELECT person_id FROM residents", &["residents"][..]),
            ("SELECT 'from visitors' AS x FROM residents AS visitors WHERE sex = 'it''s'", &["residents"]),
            ("SELECT r.person_id FROM residents r JOIN codes c ON c.sex = r.sex", &["codes", "residents"]),
            ("SELECT r.person_id FROM residents r, codes c, visitors v", &["codes", "residents", "visitors"]),
            (
                "SELECT 1 AS x FROM residents WHERE EXISTS (SELECT 1 FROM visitors)",
                &["residents", "visitors"],
            ),
            ("SELECT person_id FROM residents UNION ALL SELECT 1 FROM codes", &["codes", "residents"]),
            ("SELECT x.person_id FROM (SELECT person_id FROM residents) AS x", &["residents"]),
            ("WITH x AS (SELECT person_id FROM residents) SELECT person_id FROM x", &["residents"]),
            ("SELECT count(*) AS n FROM residents", &["residents"]),
        ] {
            database.run(&format!("CREATE VIEW shown AS {query}"));
            database.run("CREATE VIEW outer_view AS SELECT * FROM shown");
            for (table, more) in [("shown", None), ("outer_view", Some("shown"))] {
                let found = of(&database, table).unwrap();
                let mut reads: Vec<_> = found.reads.iter().map(|read| read.reached.clone()).collect();
                let mut all: Vec<_> =
                    expected.iter().copied().chain(more).map(|table| reached(&database, table)).collect();
                let by_name = |a: &ReachedTable, b: &ReachedTable| a.lasting.cmp(&b.lasting);
                reads.sort_by(by_name);
                all.sort_by(by_name);
                assert_eq!(reads, all, "{engine:?} {table} {query}");
                assert!(found.unseen.is_empty(), "{engine:?} {table} {query}");
            }
            database.run("DROP VIEW outer_view");
            database.run("DROP VIEW shown");
        }
        assert_eq!(of(&database, "residents"), None, "{engine:?}");
    }
}

#[test]
fn a_name_that_needs_quotation_marks_is_the_same_table() {
    for engine in Engine::ALL {
        let database = TestDatabase::fresh(engine);
        let quoted = |name: &str| match engine {
            Engine::MariaDb => format!("`{}`", name.replace('`', "``")),
            Engine::Sqlite | Engine::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
        };
        show_views(&database);
        for name in ["Wave 2", "from", "odd`name", "odd\"name", "Wöchentlich"] {
            database.run(&format!("CREATE TABLE {} (person_id int PRIMARY KEY)", quoted(name)));
            database.run(&format!("CREATE VIEW shown AS SELECT person_id AS \u{e9} FROM {}", quoted(name)));
            let found = of(&database, "shown").unwrap();
            let reads: Vec<_> = found.reads.into_iter().map(|read| read.reached).collect();
            assert_eq!(reads, [reached(&database, name)], "{engine:?} {name}");
            database.run("DROP VIEW shown");
        }
    }
}

#[test]
fn a_materialised_view_and_a_table_in_partitions_are_of_the_rows_of_others() {
    let database = TestDatabase::fresh(Engine::Postgres);
    database.run("CREATE TABLE residents (person_id int) PARTITION BY RANGE (person_id)");
    database.run("CREATE TABLE residents_0 PARTITION OF residents FOR VALUES FROM (0) TO (10)");
    database.run("CREATE MATERIALIZED VIEW kept AS SELECT * FROM residents");
    for (table, expected) in
        [("residents", &["public.residents_0"][..]), ("kept", &["public.residents", "public.residents_0"])]
    {
        let found = of(&database, table).unwrap();
        let names: Vec<_> = found.reads.iter().map(|read| read.name.as_str()).collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn a_view_whose_definition_the_server_does_not_show_is_named() {
    let database = TestDatabase::fresh(Engine::MariaDb);
    database.run("CREATE TABLE residents (person_id int PRIMARY KEY)");
    database.run("CREATE VIEW shown AS SELECT * FROM residents");
    let name = database.rows("SELECT DATABASE()")[0][0].clone().unwrap();
    let unseen = of(&database, "shown").unwrap();
    assert_eq!((unseen.reads, unseen.unseen), (Vec::new(), vec![format!("{name}.shown")]));
    show_views(&database);
    assert!(of(&database, "shown").unwrap().unseen.is_empty());
}
