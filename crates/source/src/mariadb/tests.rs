//! What the connections may do, and what is reported of a server's errors.

use lango_testkit::{Engine, TestDatabase};
use sqlx::AssertSqlSafe;

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
