//! What the connections may do, and what is reported of a server's errors.

use lango_testkit::{Engine, TestDatabase};
use sqlx::AssertSqlSafe;

use super::{session::unnamed, *};
use crate::{failure::safe_words, tests::runtime};

fn source() -> (TestDatabase, Postgres) {
    let database = TestDatabase::fresh(Engine::Postgres);
    database.run("CREATE TABLE residents (person_id int UNIQUE)");
    database.run("GRANT ALL ON residents TO public; GRANT CREATE ON SCHEMA public TO public");
    let _inside = runtime().enter();
    let source = Postgres::new(&database.server(), Settings::default()).unwrap();
    (database, source)
}

#[test]
fn no_connection_can_write_though_the_user_may() {
    let (_database, source) = source();
    for sql in [
        "INSERT INTO public.residents VALUES (1)",
        "CREATE TABLE public.more (x int)",
        "DROP TABLE public.residents",
    ] {
        let refused = runtime().block_on(async {
            let mut view = source.view().await.unwrap();
            unnamed(AssertSqlSafe(sql)).execute(&mut *view).await.unwrap_err()
        });
        let refused = safe_words(&refused);
        assert!(refused.contains("(25006)") || sql.contains("DROP"), "{sql}: {refused}");
    }
}

#[test]
fn what_is_reported_of_an_error_holds_no_value() {
    let (database, source) = source();
    database.run("CREATE TYPE mood AS ENUM ('glad')");
    for sql in [
        "SELECT 'sesame'::int",
        "SELECT 'sesame'::date",
        "SELECT 'sesame'::public.mood",
        "SELECT convert_from('sesame\\xff'::bytea, 'UTF8')",
        "SELECT to_timestamp('sesame', 'YYYY')",
        "DO $$ BEGIN RAISE EXCEPTION 'sesame'; END $$",
        "SELECT 1 / length('')",
    ] {
        let error = runtime().block_on(async {
            let mut view = source.view().await.unwrap();
            unnamed(AssertSqlSafe(sql)).execute(&mut *view).await.unwrap_err()
        });
        let words = safe_words(&error);
        assert!(
            words.starts_with("the database refused with code ") && !words.contains("sesame"),
            "{sql}: {words}"
        );
    }
}

/// What a refusal is known by, whatever the language of the server's words.
#[test]
fn a_refusal_to_leave_out_rows_names_the_routine_that_raised_it() {
    let (database, source) = source();
    database.run("ALTER TABLE residents ENABLE ROW LEVEL SECURITY");
    let refused = runtime().block_on(async {
        let mut view = source.view().await.unwrap();
        unnamed("SELECT * FROM public.residents").execute(&mut *view).await.unwrap_err()
    });
    let refused = refused.as_database_error().unwrap();
    let routine = refused.downcast_ref::<sqlx::postgres::PgDatabaseError>().routine();
    assert_eq!((refused.code().as_deref(), routine), (Some("42501"), Some("check_enable_rls")));
}
