//! What the connections may do, and what is reported of a server's errors.

use lango_testkit::{Engine, TestDatabase};
use sqlx::{AssertSqlSafe, Connection as _};

use super::*;
use crate::{failure::safe_words, tests::runtime};

fn source() -> (TestDatabase, MariaDb) {
    let database = TestDatabase::fresh(Engine::MariaDb);
    database.run("CREATE TABLE residents (person_id int UNIQUE)");
    database.run("INSERT INTO residents VALUES (1)");
    let _inside = runtime().enter();
    // As its owner, who may write.
    let source = MariaDb::new(&database.owner(), Settings::default()).unwrap();
    (database, source)
}

#[test]
fn no_connection_can_write_though_the_user_may() {
    let (database, source) = source();
    for sql in [
        "INSERT INTO residents VALUES (2)",
        "DELETE FROM residents",
        "CREATE TABLE more (x int)",
        "ALTER TABLE residents ADD COLUMN x int",
        "DROP TABLE residents",
    ] {
        let refused = runtime().block_on(async {
            let mut view = source.view().await.unwrap();
            let inside = sqlx::query(AssertSqlSafe(sql)).execute(&mut *view).await.unwrap_err();
            drop(view);
            [inside, sqlx::query(AssertSqlSafe(sql)).execute(&source.pool).await.unwrap_err()]
        });
        for refused in refused {
            assert!(safe_words(&refused).contains("(25006)"), "{sql}: {}", safe_words(&refused));
        }
    }
    assert_eq!(database.integer("SELECT count(*) FROM residents"), 1);
}

#[test]
fn what_is_reported_of_an_error_holds_no_value() {
    let (_database, source) = source();
    for sql in [
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'sesame'",
        "SET lc_time_names = 'sesame'",
        "SELECT ST_GeomFromText('sesame') || JSON_EXTRACT('sesame', 'sesame') || MASTER_POS_WAIT('sesame')",
        "SELECT 9223372036854775807 + length('sesame')",
        "SELECT GEOMETRYCOLLECTION('sesame')",
    ] {
        let error = runtime().block_on(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&source.pool)).unwrap_err();
        let words = safe_words(&error);
        assert!(!words.contains("sesame"), "{sql}: {words}");
    }
}

/// A proxy that gives a transaction another connection to the server has lost what the gateway set.
#[test]
fn a_session_that_has_lost_a_setting_is_refused_before_rows_are_read() {
    let (_database, source) = source();
    for (setting, lost) in [
        ("tx_read_only", "SESSION tx_read_only = 0"),
        ("tx_isolation", "SESSION tx_isolation = 'READ-COMMITTED'"),
        ("max_statement_time in milliseconds", "SESSION max_statement_time = 0"),
        ("lock_wait_timeout", "SESSION lock_wait_timeout = 86400"),
        ("sql_mode", "SESSION sql_mode = 'ANSI_QUOTES'"),
        ("max_sort_length", "SESSION max_sort_length = 64"),
        ("time_zone", "SESSION time_zone = '+03:00'"),
        ("character_set_results", "character_set_results = latin1"),
        ("sql_select_limit", "SESSION sql_select_limit = 50"),
        ("system_versioning_asof", "SESSION system_versioning_asof = '2020-01-01 00:00:00'"),
        ("sql_auto_is_null", "SESSION sql_auto_is_null = 1"),
        ("max_recursive_iterations", "SESSION max_recursive_iterations = 10"),
        ("sql_big_selects", "SESSION sql_big_selects = 0"),
        ("div_precision_increment", "SESSION div_precision_increment = 0"),
        ("group_concat_max_len", "SESSION group_concat_max_len = 10"),
    ] {
        let refused = runtime().block_on(async {
            let mut connection = source.pool.acquire().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(format!("SET {lost}"))).execute(&mut *connection).await.unwrap();
            let begun = connection.begin_with("START TRANSACTION READ ONLY").await;
            let refused = session::read_back(&mut begun.unwrap(), source.statement_timeout).await;
            connection.close().await.unwrap();
            refused
        });
        let found = matches!(&refused, Err(SourceError::Setting { setting: found, .. }) if *found == setting);
        assert!(found, "{lost}: {refused:?}");
    }
    runtime().block_on(async { source.view().await.map(drop) }).unwrap();
}

/// A server that limits every client's rows would cut an answer short, which would be signed and charged all the same. The values
/// are so large that they hinder no other test.
#[test]
fn repro_a_limit_of_the_server_for_all_its_clients_does_not_hold_for_the_gateway() {
    let limits =
        ["sql_select_limit = 1000000", "group_concat_max_len = 2000000", "max_recursive_iterations = 900"];
    let (database, source) = source();
    limits.iter().for_each(|limit| database.run(&format!("SET GLOBAL {limit}")));
    let limit = runtime().block_on(async {
        let mut view = source.view().await.unwrap();
        let row = sqlx::query("SELECT CAST(@@sql_select_limit AS CHAR)").fetch_one(&mut *view).await.unwrap();
        catalogue::text(&row, 0).unwrap()
    });
    for limit in limits {
        database.run(&format!("SET GLOBAL {} = DEFAULT", limit.split(' ').next().unwrap()));
    }
    assert_eq!(limit, u64::MAX.to_string());
}
