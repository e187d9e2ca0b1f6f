//! Behind PgBouncer, which gives one connection to the server to many clients, one after another.

use std::{sync::Arc, time::Duration};

use lango_privacy::{Dataset, Domain, Plan, measure};
use lango_testkit::{Engine, PoolMode, Pooler, TestDatabase, residents};

use super::fixture::{exactly, plan, runtime, secret};
use crate::{Bounding, Postgres, Settings, Source, SourceError};

/// Two columns of the same codes, which must not change places.
fn dataset() -> Dataset {
    let codes = || Domain::codes(["BEN", "TGO"].iter().map(|code| code.parse().unwrap()).collect()).unwrap();
    residents((1, 1), [("birth", codes().into()), ("citizenship", codes().into())])
}

/// A table of 1,000 persons: 900 are born in TGO, 100 are citizens of it.
fn database(unit: &str) -> TestDatabase {
    let database = TestDatabase::fresh(Engine::Postgres);
    database.run(&format!("CREATE TABLE residents (person_id {unit}, birth text, citizenship text)"));
    database.run(
        "INSERT INTO residents SELECT i, CASE WHEN i <= 900 THEN 'TGO' ELSE 'BEN' END, \
         CASE WHEN i <= 100 THEN 'TGO' ELSE 'BEN' END FROM generate_series(1, 1000) i",
    );
    database
}

fn source(database: &TestDatabase, pooler: &Pooler, settings: Settings) -> Arc<Postgres> {
    let _inside = runtime().enter();
    Arc::new(Postgres::new(&pooler.to(database.server()), settings).unwrap())
}

async fn counted(source: Arc<Postgres>, plan: Plan) -> Vec<i64> {
    let fetched = source.open().await.unwrap().fetch(plan.clone(), secret(7)).await.unwrap();
    measure(&plan, fetched).unwrap().integers
}

/// Persons in BEN, in TGO, elsewhere and unknown, and in all.
fn question(column: &str) -> (Plan, Vec<i64>) {
    let mut plan = plan(&dataset(), &[("persons", &[column])], &[]);
    for margin in &mut plan.margins {
        margin.text.measurement = exactly(&margin.fetch);
    }
    let expected = if column == "birth" { vec![100, 900, 0, 0] } else { vec![900, 100, 0, 0] };
    (plan, expected)
}

const MODES: [PoolMode; 2] = [PoolMode::Session, PoolMode::Transaction];

#[test]
fn repro_64_questions_at_once_are_each_answered_of_their_own_column() {
    for unit in ["integer PRIMARY KEY", "integer"] {
        let database = database(unit);
        for (mode, connections, more) in [
            (PoolMode::Session, 16, ""),
            (PoolMode::Transaction, 3, ""),
            (PoolMode::Transaction, 5, "server_round_robin = 1"),
        ] {
            let pooler = Pooler::start(&database, mode, connections, more);
            // Two gateways, or two sources of one, whose connections the pooler mixes.
            let sources = [0, 1]
                .map(|_| source(&database, &pooler, Settings { connections: 8, ..Settings::default() }));
            let asked: Vec<_> = (0..64)
                .map(|number| {
                    let column = if number % 3 == 0 { "birth" } else { "citizenship" };
                    let (plan, expected) = question(column);
                    (runtime().spawn(counted(Arc::clone(&sources[number / 2 % 2]), plan)), expected)
                })
                .collect();
            for (answer, expected) in asked {
                assert_eq!(runtime().block_on(answer).unwrap(), expected, "{mode:?} {unit}");
            }
        }
    }
}

#[test]
fn the_gateways_settings_hold_and_are_left_to_nobody() {
    let database = database("integer PRIMARY KEY");
    for mode in MODES {
        let pooler = Pooler::start(&database, mode, 1, "");
        let settings =
            Settings { statement_timeout: Duration::from_secs(1), connections: 1, ..Settings::default() };
        let source = source(&database, &pooler, settings.clone());
        let examined = runtime().block_on(source.examine(&["residents"])).unwrap();
        assert_eq!(examined.statement_timeout_ms, Some(1_000), "{mode:?}");
        let locked = "BEGIN; LOCK TABLE residents; SELECT pg_sleep(3); COMMIT";
        let database = &database;
        std::thread::scope(|scope| {
            let holder = scope.spawn(|| database.run(locked));
            let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
            while database.integer(sleeping) == 0 {
                std::thread::sleep(Duration::from_millis(10));
            }
            let refused = runtime().block_on(source.check(&dataset())).unwrap_err().to_string();
            assert!(refused.contains("57014"), "{mode:?}: {refused}");
            holder.join().unwrap();
        });
        let (plan, expected) = question("birth");
        assert_eq!(runtime().block_on(counted(Arc::clone(&source), plan)), expected, "{mode:?}");
        drop(source);
        // Another client of the same connection to the server finds what the server gives, and may write.
        let client = another(database, &pooler);
        let left = "SELECT current_setting('statement_timeout'), current_setting('default_transaction_read_only'), \
                    current_setting('transaction_read_only'), current_setting('row_security'), current_setting('extra_float_digits')";
        let expected = ["0", "off", "off", "on", "1"].map(str::to_owned);
        assert_eq!(client(left), expected, "{mode:?}");
        assert_eq!(client("SELECT count(*)::text FROM pg_prepared_statements"), ["0"], "{mode:?}");
    }
}

/// Another client of the pooler, as the gateway's user, which leaves there what it sets.
fn another(database: &TestDatabase, pooler: &Pooler) -> impl Fn(&'static str) -> Vec<String> + use<> {
    use sqlx::{Connection, PgConnection, Row};
    let options = pooler.to(database.server()).postgres().unwrap().extra_float_digits(None);
    move |sql| {
        runtime().block_on(async {
            let mut client = PgConnection::connect_with(&options).await.unwrap();
            let rows = sqlx::raw_sql(sql).fetch_all(&mut client).await.unwrap();
            client.close().await.unwrap();
            let row = rows.last();
            row.map(|row| (0..row.len()).map(|at| row.try_get_unchecked(at).unwrap()).collect())
                .unwrap_or_default()
        })
    }
}

/// Whatever another client of the pooler leaves on a connection, a question means the same.
#[test]
fn what_another_client_left_on_the_servers_connection_changes_nothing() {
    let database = database("integer PRIMARY KEY");
    database.run("CREATE SCHEMA other; CREATE TABLE other.residents (person_id integer PRIMARY KEY, birth text, citizenship text)");
    let user = database.server().address.split("://").nth(1).unwrap().split('@').next().unwrap().to_owned();
    database
        .run(&format!("GRANT USAGE ON SCHEMA other TO {user}; GRANT SELECT ON other.residents TO {user}"));
    let pooler = Pooler::start(&database, PoolMode::Transaction, 1, "");
    let client = another(&database, &pooler);
    let source = source(&database, &pooler, Settings { connections: 1, ..Settings::default() });
    for left in [
        "SET search_path = other, public",
        "SET statement_timeout = '1ms'",
        "SET default_transaction_read_only = on",
        "SET standard_conforming_strings = off",
        "SET lock_timeout = '1ms'",
        "SET DateStyle = 'German'",
        "PREPARE sqlx_s_1 AS SELECT 1",
    ] {
        client(left);
        for column in ["birth", "citizenship"] {
            let (plan, expected) = question(column);
            assert_eq!(runtime().block_on(counted(Arc::clone(&source), plan)), expected, "{left}");
        }
    }
    client("RESET ALL");
    client("CREATE TEMPORARY TABLE residents (person_id integer PRIMARY KEY, birth text, citizenship text)");
    let refused = runtime().block_on(source.check(&dataset()));
    assert_eq!(refused, Err(SourceError::NoTable("residents".to_owned())));
}

#[test]
fn a_dataset_is_prepared_examined_and_identified_through_a_pooler() {
    for mode in MODES {
        let database = database("integer");
        // One more than the source keeps, for an examination has a connection of its own.
        let pooler = Pooler::start(&database, mode, 3, "");
        let settings = Settings {
            prepared_schema: Some(database.prepared_schema()),
            connections: 2,
            ..Settings::default()
        };
        let source = source(&database, &pooler, settings);
        runtime().block_on(async {
            let prepared = source.prepare(&dataset(), &secret(7)).await.unwrap();
            assert_eq!(prepared.kept, 1_000, "{mode:?}");
            assert_eq!(
                source.bounding(&dataset(), &secret(7)).await,
                Ok(Bounding::Prepared { rows: 1_000 }),
                "{mode:?}"
            );
            let direct = super::engines::source(&database);
            assert_eq!(source.identify("residents").await, direct.identify("residents").await, "{mode:?}");
            assert_eq!(source.describe().await, direct.describe().await, "{mode:?}");
            let examined = source.examine(&["residents"]).await.unwrap();
            assert_eq!((examined.may_prepare, examined.may_change.len()), (Some(true), 0), "{mode:?}");
        });
        let (plan, expected) = question("birth");
        assert_eq!(runtime().block_on(counted(source, plan)), expected, "{mode:?}");
    }
}

#[test]
fn a_pooler_that_tears_transactions_apart_is_refused_before_rows_are_read() {
    let database = database("integer PRIMARY KEY");
    let pooler = Pooler::start(&database, PoolMode::Statement, 2, "");
    let source = source(&database, &pooler, Settings::default());
    let refused = runtime().block_on(source.check(&dataset())).unwrap_err().to_string();
    assert!(refused.contains("transaction blocks not allowed in statement pooling mode"), "{refused}");
    assert!(runtime().block_on(source.open()).is_err());
}
