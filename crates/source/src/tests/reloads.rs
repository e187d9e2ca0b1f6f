//! An office that empties a register and fills it again in one transaction, while questions are asked.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use lango_testkit::{Engine, TestDatabase};

use super::{
    engines::source,
    fixture::{counted_in, dataset, plan, secret},
};

const PERSONS: i64 = 50;
/// A row for each person.
const ROWS: &str = "SELECT n, 'F', 'Ho', n, '2024-01-01', n % 12 FROM generate_series(1, 50) AS n";
const COLUMNS: &str =
    "person_id bigint PRIMARY KEY, sex text, village text, income bigint, born text, age bigint";

/// Runs statements in a transaction that stays open for two seconds; returns while it sleeps.
fn open(database: &Arc<TestDatabase>, statements: &str) -> JoinHandle<()> {
    let holder = Arc::clone(database);
    let sql = format!("BEGIN; {statements}; SELECT pg_sleep(2); COMMIT");
    let held = std::thread::spawn(move || holder.run(&sql));
    let began = Instant::now();
    let sleeps =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    while database.integer(sleeps) == 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
    held
}

#[test]
fn repro_a_question_during_a_reload_in_one_transaction_saw_an_empty_register() {
    let table = format!("CREATE TABLE residents ({COLUMNS}); INSERT INTO residents {ROWS}");
    let base = table.replace("residents", "base");
    let view = format!("{base}; CREATE VIEW residents AS SELECT * FROM base");
    let stored = "CREATE MATERIALIZED VIEW residents AS SELECT * FROM base";
    let parts = format!(
        "CREATE TABLE residents ({COLUMNS}) PARTITION BY HASH (person_id); \
         CREATE TABLE one PARTITION OF residents FOR VALUES WITH (MODULUS 2, REMAINDER 0); \
         CREATE TABLE other PARTITION OF residents FOR VALUES WITH (MODULUS 2, REMAINDER 1); \
         INSERT INTO residents {ROWS}"
    );
    let again = format!("TRUNCATE residents; INSERT INTO residents {ROWS}");
    let base_again = again.replace("residents", "base");
    let anew = format!(
        "CREATE TABLE fresh ({COLUMNS}); INSERT INTO fresh {ROWS}; \
         DROP TABLE residents; ALTER TABLE fresh RENAME TO residents"
    );
    let (narrow, refresh) =
        ("ALTER TABLE residents ALTER age TYPE integer", "REFRESH MATERIALIZED VIEW residents");
    let over_stored = format!(
        "{base}; {}; CREATE VIEW residents AS SELECT * FROM stored",
        stored.replace("residents", "stored")
    );
    for (made, by_columns, reload) in [
        (&table, false, again.as_str()),
        (&table, true, &again),
        (&table, false, narrow),
        (&table, true, narrow),
        (&table, false, &anew),
        (&parts, false, &again),
        (&view, false, &base_again),
        (&format!("{base}; {stored}"), false, refresh),
        (&over_stored, false, "REFRESH MATERIALIZED VIEW stored"),
    ] {
        let database = Arc::new(TestDatabase::fresh(Engine::Postgres));
        made.split("; ").for_each(|sql| database.run(sql));
        if by_columns {
            let user = database.server().address;
            let user = user.split("://").nth(1).unwrap().split('@').next().unwrap();
            database.run(&format!("REVOKE SELECT ON residents FROM {user}"));
            database.run(&format!(
                "GRANT SELECT (person_id, sex, village, income, born, age) ON residents TO {user}"
            ));
        }
        let (source, dataset) = (source(&database), dataset(1, 1));
        let plan = plan(&dataset, &[("persons", &[""])], &[]);
        let open = open(&database, reload);
        let found =
            counted_in(&*source, &plan, secret(7)).unwrap_or_else(|error| panic!("{reload}: {error}"));
        assert_eq!(found[0].get("#0"), Some(&PERSONS), "{made} {by_columns} {reload}");
        open.join().unwrap();
    }
}
