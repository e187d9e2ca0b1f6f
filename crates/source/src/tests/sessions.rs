//! What goes on at a server beside a question, and what is left behind there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lango_database::{Password, Server, Tls};
use lango_privacy::Plan;
use lango_testkit::{Engine, TestDatabase};
use tokio::task::JoinHandle;

use super::{
    engines::source,
    fixture::{Vector, counted_in, dataset, plan, runtime, secret},
};
use crate::{Bounding, FetchError, MariaDb, Postgres, PreparedRows, Settings, Source, Stale};

const SERVERS: [Engine; 2] = [Engine::Postgres, Engine::MariaDb];
const COLUMNS: [(&str, &str); 5] =
    [("sex", "TEXT"), ("village", "TEXT"), ("income", "BIGINT"), ("born", "TEXT"), ("age", "BIGINT")];

fn table(engine: Engine, unit: &str, units: i64, of_each: i64) -> TestDatabase {
    let database = TestDatabase::fresh(engine);
    let columns: Vec<_> = [("person_id", unit)].into_iter().chain(COLUMNS).collect();
    database.create("residents", &columns);
    let row = |row: i64| {
        vec![
            (row % units).into(),
            "F".into(),
            "Ho".into(),
            row.into(),
            "2024-01-01".into(),
            (row % 12).into(),
        ]
    };
    database.insert("residents", (0..units * of_each).map(row));
    database
}

fn with(database: &TestDatabase, server: &Server, settings: Settings) -> Arc<dyn Source> {
    let settings = Settings { prepared_schema: Some(database.prepared_schema()), ..settings };
    let _inside = runtime().enter();
    match database.engine() {
        Engine::MariaDb => Arc::new(MariaDb::new(server, settings).unwrap()),
        _ => Arc::new(Postgres::new(server, settings).unwrap()),
    }
}

fn of_all(rows: u32) -> Plan {
    plan(&dataset(rows, rows), &[("rows", &[""])], &[])
}

fn rows(source: &dyn Source, of: u32) -> i64 {
    counted_in(source, &of_all(of), secret(7)).unwrap()[0]["#0"]
}

fn bounding(source: &dyn Source, rows: u32) -> Bounding {
    runtime().block_on(source.bounding(&dataset(rows, rows), &secret(7))).unwrap()
}

#[test]
fn a_key_that_is_dropped_while_the_gateway_runs_vouches_for_nothing_any_more() {
    for engine in SERVERS {
        let database = table(engine, "BIGINT NOT NULL", 5, 1);
        database.run("CREATE UNIQUE INDEX u ON residents (person_id)");
        let source = source(&database);
        assert_eq!((bounding(&*source, 1), rows(&*source, 1)), (Bounding::Vouched, 5), "{engine:?}");
        database.run(if engine == Engine::MariaDb { "DROP INDEX u ON residents" } else { "DROP INDEX u" });
        database.run("INSERT INTO residents SELECT * FROM residents");
        assert_eq!((bounding(&*source, 1), rows(&*source, 1)), (Bounding::Unprepared, 5), "{engine:?}");
    }
}

/// The key came after the rows that the question saw.
#[test]
fn repro_a_key_that_is_made_between_opening_and_reading_vouched_for_rows_from_before() {
    for engine in SERVERS {
        let database = table(engine, "BIGINT NOT NULL", 5, 2);
        let source = source(&database);
        let session = runtime().block_on(source.open()).unwrap();
        database.run("DELETE FROM residents WHERE income >= 5");
        database.run("ALTER TABLE residents ADD CONSTRAINT u UNIQUE (person_id)");
        let mut plan = of_all(1);
        plan.margins[0].text.measurement = super::fixture::exactly(&plan.margins[0].fetch);
        let fetched = runtime().block_on(session.fetch(plan.clone(), secret(7)));
        let integers = fetched.map(|counted| lango_privacy::measure(&plan, counted).unwrap().integers);
        assert_eq!(integers, Ok(vec![5]), "{engine:?}");
    }
}

#[test]
fn the_margins_of_a_question_are_of_one_moment() {
    for engine in SERVERS {
        let database = Arc::new(table(engine, "BIGINT PRIMARY KEY", 5, 1));
        let source = source(&database);
        let plan = plan(
            &dataset(1, 1),
            &[("histogram(age)", &[""]), ("histogram(income)", &[""]), ("persons", &[""])],
            &[],
        );
        let writer = Arc::clone(&database);
        let going = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let goes = Arc::clone(&going);
        let writing = std::thread::spawn(move || {
            let mut written = 5;
            while goes.load(std::sync::atomic::Ordering::Relaxed) {
                writer.run(&format!("INSERT INTO residents VALUES ({written}, 'F', 'Ho', 1, NULL, 1)"));
                written += 1;
            }
            written
        });
        for _ in 0..40 {
            let counted = counted_in(&*source, &plan, secret(7)).unwrap();
            let sums: Vec<i64> = counted.iter().map(|margin: &Vector| margin.values().sum()).collect();
            assert!(sums.iter().all(|sum| *sum == sums[0]), "{engine:?}: {sums:?}");
        }
        going.store(false, std::sync::atomic::Ordering::Relaxed);
        assert!(
            writing.join().unwrap() > 45,
            "{engine:?}: too little was written meanwhile to show anything"
        );
    }
}

/// A lock on the table that another session holds for `seconds`.
fn lock(database: &Arc<TestDatabase>, seconds: u32) -> std::thread::JoinHandle<()> {
    let holder = Arc::clone(database);
    let sql = match database.engine() {
        Engine::MariaDb => format!("LOCK TABLES residents WRITE; DO SLEEP({seconds}); UNLOCK TABLES"),
        _ => format!("BEGIN; LOCK TABLE residents; SELECT pg_sleep({seconds}); COMMIT"),
    };
    let held = std::thread::spawn(move || holder.run(&sql));
    wait_for(|| {
        let sleeping = match database.engine() {
            Engine::MariaDb => {
                "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'DO SLEEP%' AND db = DATABASE()"
            }
            _ => {
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
            }
        };
        database.integer(sleeping) == 1
    });
    held
}

fn wait_for(is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The gateway's user.
fn user(database: &TestDatabase) -> String {
    let address = database.server().address;
    address.split("://").nth(1).unwrap().split('@').next().unwrap().to_owned()
}

/// Statements of the gateway's user that run at the server.
fn running(database: &TestDatabase) -> i64 {
    let user = user(database);
    database.integer(&match database.engine() {
        Engine::MariaDb => format!(
            "SELECT count(*) FROM information_schema.processlist WHERE user = '{user}' AND command <> 'Sleep'"
        ),
        _ => format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}' AND state = 'active'"),
    })
}

fn fetch(source: &Arc<dyn Source>, plan: Plan) -> JoinHandle<Result<(), FetchError>> {
    let source = Arc::clone(source);
    runtime().spawn(async move { source.open().await.unwrap().fetch(plan, secret(7)).await.map(drop) })
}

#[test]
fn the_server_itself_stops_what_takes_too_long_though_nobody_waits_for_it() {
    for engine in SERVERS {
        let database = Arc::new(table(engine, "BIGINT PRIMARY KEY", 5, 1));
        let settings = Settings { statement_timeout: Duration::from_secs(1), ..Settings::default() };
        let source = with(&database, &database.server(), settings);
        let held = lock(&database, 6);
        let began = Instant::now();
        let refused = runtime().block_on(source.check(&dataset(1, 1))).unwrap_err().to_string();
        let words = ["57014", "70100", "1205"];
        assert!(words.iter().any(|word| refused.contains(word)), "{engine:?}: {refused}");
        assert!(began.elapsed() < Duration::from_secs(4), "{engine:?}: {:?}", began.elapsed());
        let left = fetch(&source, of_all(1));
        wait_for(|| running(&database) == 1);
        left.abort();
        wait_for(|| running(&database) == 0);
        assert!(began.elapsed() < Duration::from_secs(6), "{engine:?}: {:?}", began.elapsed());
        held.join().unwrap();
        assert_eq!(rows(&*source, 1), 5, "{engine:?}");
    }
}

#[test]
fn a_server_that_goes_away_while_rows_are_read_fails_the_question_as_charged() {
    for engine in SERVERS {
        let database = TestDatabase::fresh(engine);
        let columns: Vec<_> = [("person_id", "BIGINT")].into_iter().chain(COLUMNS).collect();
        database.create("residents", &columns);
        database.run(&match engine {
            Engine::MariaDb => "INSERT INTO residents SELECT seq % 1000, 'F', 'Ho', seq, NULL, 1 FROM seq_1_to_200000".to_owned(),
            _ => "INSERT INTO residents SELECT i % 1000, 'F', 'Ho', i, NULL, 1 FROM generate_series(1, 200000) i".to_owned(),
        });
        let source = source(&database);
        let asked = fetch(&source, of_all(2));
        wait_for(|| {
            match engine {
            Engine::MariaDb => {
                database.integer("SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND command = 'Execute' AND info LIKE '%row_number() OVER%' AND info NOT LIKE '%processlist%'") > 0
            }
            _ => database.integer("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query_start < clock_timestamp() - interval '50 ms' AND query LIKE '%row_number() OVER%' AND wait_event IS DISTINCT FROM 'ClientRead' AND pid <> pg_backend_pid() AND datname = current_database()") > 0,
        }
        });
        database.away();
        let failed = runtime().block_on(asked).unwrap();
        assert_eq!(failed, Err(FetchError { rows_were_read: true }), "{engine:?}");
        database.back();
        assert_eq!(rows(&*source, 2), 2_000, "{engine:?}");
    }
}

/// The server shows a statement that reads rows with the trace of its question at its beginning, where none of a long statement
/// is cut away.
#[test]
fn the_server_sees_which_trace_a_statement_belongs_to() {
    let trace = lango_trace::TraceContext::new([0xab; 16], [0xcd; 8]).unwrap();
    let marked = format!("/*traceparent=''00-{}-{}-01''*/", "ab".repeat(16), "cd".repeat(8));
    for engine in SERVERS {
        let database = TestDatabase::fresh(engine);
        let columns: Vec<_> = [("person_id", "BIGINT")].into_iter().chain(COLUMNS).collect();
        database.create("residents", &columns);
        database.run(&match engine {
            Engine::MariaDb => "INSERT INTO residents SELECT seq % 1000, 'F', 'Ho', seq, NULL, 1 FROM seq_1_to_200000".to_owned(),
            _ => "INSERT INTO residents SELECT i % 1000, 'F', 'Ho', i, NULL, 1 FROM generate_series(1, 200000) i".to_owned(),
        });
        let source = source(&database);
        let shown = match engine {
            Engine::MariaDb => {
                format!("SELECT count(*) FROM information_schema.processlist WHERE info LIKE '{marked}%'")
            }
            _ => format!(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '{marked}%'"
            ),
        };
        let reading = Arc::clone(&source);
        let asked = runtime().spawn(async move {
            let mut session = reading.open().await.unwrap();
            session.carry(trace);
            session.fetch(of_all(2), secret(7)).await
        });
        wait_for(|| database.integer(&shown) > 0);
        assert!(runtime().block_on(asked).unwrap().is_ok(), "{engine:?}");
        // Nothing of it is left: the next question has none.
        assert_eq!(rows(&*source, 2), 2_000, "{engine:?}");
        assert_eq!(database.integer(&shown), 0, "{engine:?}");
    }
}

#[test]
fn a_server_that_cannot_be_reached_as_configured_is_named_with_its_cause() {
    for engine in SERVERS {
        let database = table(engine, "BIGINT PRIMARY KEY", 1, 1);
        let server = database.server();
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        lango_files::replace(&password, b"open sesame\n").unwrap();
        let elsewhere = server.address.rsplit_once('/').unwrap().0.to_owned() + "/no_such_database";
        // Another way to write 127.0.0.1, which the certificate does not name.
        let unnamed = server.address.replace("127.0.0.1", "0x7f000001");
        assert_ne!(unnamed, server.address);
        let servers = [
            (Server { password: Some(Password::File(password)), ..server.clone() }, "(28"),
            (Server { address: elsewhere, ..server.clone() }, "no_such_database"),
            // Not the authority of the server's certificate.
            (Server { tls: Tls::System, ..server.clone() }, "could not be protected"),
            (Server { address: unnamed, ..server.clone() }, "could not be protected"),
        ];
        for (server, words) in servers {
            let source = with(&database, &server, Settings::default());
            let refused = runtime().block_on(source.check(&dataset(1, 1))).unwrap_err().to_string();
            assert!(refused.contains(words) && !refused.contains("sesame"), "{engine:?}: {refused}");
            if words.contains("protected") {
                assert!(
                    refused.contains("subjectAltName") && refused.contains("`tls_authority`"),
                    "{refused}"
                );
            }
        }
    }
}

#[test]
fn no_more_connections_are_made_than_configured_and_none_keeps_what_it_was_sent() {
    for engine in SERVERS {
        let database = table(engine, "BIGINT PRIMARY KEY", 3, 1);
        let source = with(&database, &database.server(), Settings { connections: 2, ..Settings::default() });
        runtime().block_on(async {
            let first = source.open().await.unwrap();
            let _second = source.open().await.unwrap();
            let third = tokio::time::timeout(Duration::from_millis(200), source.open()).await;
            assert!(third.is_err(), "{engine:?}");
            drop(first);
            assert!(source.open().await.is_ok(), "{engine:?}");
        });
        assert_eq!(rows(&*source, 1), 3);
    }
}

#[test]
fn preparations_at_once_and_beside_questions_leave_one_that_fits() {
    for engine in SERVERS {
        let database = table(engine, "BIGINT", 50, 4);
        let source = source(&database);
        assert_eq!(rows(&*source, 2), 100);
        let prepare = || {
            let source = Arc::clone(&source);
            runtime().spawn(async move { source.prepare(&dataset(2, 2), &secret(7)).await })
        };
        let preparing = [prepare(), prepare(), prepare()];
        for _ in 0..10 {
            // A question that finds its preparation replaced under its hands has read nothing.
            match counted_in(&*source, &of_all(2), secret(7)) {
                Ok(counted) => assert_eq!(counted[0]["#0"], 100, "{engine:?}"),
                Err(failed) => assert!(!failed.rows_were_read, "{engine:?}"),
            }
        }
        for prepared in preparing {
            let rows = PreparedRows { kept: 100, all: 200 };
            assert_eq!(runtime().block_on(prepared).unwrap(), Ok(rows), "{engine:?}");
        }
        assert_eq!(
            (bounding(&*source, 2), rows(&*source, 2)),
            (Bounding::Prepared { rows: 100 }, 100),
            "{engine:?}"
        );
        assert_eq!(prepared(&database).len(), 1, "{engine:?}");
    }
}

fn prepared(database: &TestDatabase) -> Vec<String> {
    let sql = format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = '{}' AND table_name <> 'lango_preparation'",
        database.prepared_schema()
    );
    database.rows(&sql).into_iter().map(|mut row| row.remove(0).unwrap()).collect()
}

#[test]
fn a_preparation_that_is_dropped_or_does_not_fit_any_more_is_not_used() {
    for engine in SERVERS {
        let database = table(engine, "BIGINT", 50, 4);
        let source = source(&database);
        let prepare = || runtime().block_on(source.prepare(&dataset(2, 2), &secret(7)));
        prepare().unwrap();
        assert_eq!(bounding(&*source, 3), Bounding::Stale(Stale::Policy), "{engine:?}");
        let other = runtime().block_on(source.bounding(&dataset(2, 2), &secret(8)));
        assert_eq!(other, Ok(Bounding::Stale(Stale::Secret)), "{engine:?}");
        let table = prepared(&database).remove(0);
        database.run(&format!("DROP TABLE {}.{table}", database.prepared_schema()));
        assert_eq!(
            (bounding(&*source, 2), rows(&*source, 2)),
            (Bounding::Stale(Stale::Gone), 100),
            "{engine:?}"
        );
        prepare().unwrap();
        database.run("ALTER TABLE residents ADD COLUMN note int");
        assert_eq!(
            (bounding(&*source, 2), rows(&*source, 2)),
            (Bounding::Stale(Stale::Table), 100),
            "{engine:?}"
        );
    }
}

#[test]
fn repro_what_a_preparation_that_was_cut_short_left_behind_stayed() {
    let database = table(Engine::MariaDb, "BIGINT", 50, 4);
    let source = source(&database);
    let prepare = || runtime().block_on(source.prepare(&dataset(2, 2), &secret(7)));
    prepare().unwrap();
    let (schema, made) = (database.prepared_schema(), prepared(&database).remove(0));
    let (name, _) = made.rsplit_once('_').unwrap();
    // One that was cut short before it was found, one before the last was dropped, and one of somebody else's.
    for left in [format!("{name}_2"), format!("{name}_0"), format!("{name}_x")] {
        database.run(&format!("CREATE TABLE {schema}.{left} (x int)"));
    }
    assert_eq!(rows(&*source, 2), 100);
    prepare().unwrap();
    let mut kept = prepared(&database);
    kept.sort();
    assert_eq!(kept, [format!("{name}_2"), format!("{name}_x")]);
}

#[test]
fn a_server_that_has_no_connection_left_says_so() {
    let database = table(Engine::MariaDb, "BIGINT PRIMARY KEY", 1, 1);
    let user = user(&database);
    database.run(&format!("GRANT USAGE ON *.* TO {user}@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1"));
    let source = source(&database);
    let words = runtime().block_on(async {
        let _held = source.open().await.unwrap();
        source.check(&dataset(1, 1)).await.unwrap_err().to_string()
    });
    assert!(words.contains("max_user_connections") && words.contains("42000"), "{words}");
}

/// CVE-2018-1058: what other users make in a schema on the path of the gateway's user is not carried out as that user.
#[test]
fn functions_and_operators_of_other_users_are_not_carried_out() {
    let database = table(Engine::Postgres, "BIGINT", 40, 2);
    database.run("ALTER TABLE residents ALTER sex TYPE varchar, ALTER village TYPE varchar");
    let source = source(&database);
    let measures: [(&str, &[&str]); 2] = [("rows", &["sex"]), ("sum(income)", &["sex"])];
    let asked = plan(&dataset(2, 2), &measures, &[]);
    let before = counted_in(&*source, &asked, secret(7)).unwrap();
    database.run(
        "CREATE SCHEMA evil; \
         CREATE FUNCTION evil.fail() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'carried out'; END $$; \
         CREATE FUNCTION public.octet_length(varchar) RETURNS integer LANGUAGE sql AS $$ SELECT evil.fail() $$; \
         CREATE FUNCTION evil.octet_length(text) RETURNS integer LANGUAGE sql AS $$ SELECT evil.fail() $$; \
         CREATE FUNCTION evil.never(bigint, integer) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$; \
         CREATE FUNCTION evil.never(bigint, bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$; \
         CREATE OPERATOR evil.> (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = evil.never); \
         CREATE OPERATOR evil.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.never); \
         CREATE OPERATOR evil.<= (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = evil.never); \
         GRANT USAGE ON SCHEMA evil TO PUBLIC; \
         DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = evil, pg_catalog, public', current_database()); END $$",
    );
    let again = self::source(&database);
    assert_eq!(counted_in(&*again, &asked, secret(7)).unwrap(), before);
    runtime().block_on(again.check(&dataset(2, 2))).unwrap();
    runtime().block_on(again.prepare(&dataset(2, 2), &secret(7))).unwrap();
    assert_eq!(counted_in(&*again, &asked, secret(7)).unwrap(), before);
}

/// Another table does not take a table's name between what the catalogue vouches for and the reading of rows: of the one all
/// units are counted, and of the other the one that stands on 500 rows.
#[test]
fn the_table_that_was_examined_is_the_one_that_is_read() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let database = table(Engine::Postgres, "BIGINT PRIMARY KEY", 40, 1);
    database.run("CREATE TABLE others (LIKE residents)");
    database.run(
        "INSERT INTO others SELECT 1, sex, village, income, born, age FROM residents, generate_series(1, 12)",
    );
    let user = database.server().address.split("://").nth(1).unwrap().split('@').next().unwrap().to_owned();
    database.run(&format!("GRANT SELECT ON others TO {user}"));
    let source = source(&database);
    let asked = plan(&dataset(1, 1), &[("persons", &[""])], &[]);
    let done = AtomicBool::new(false);
    let (mut found, mut swaps) = (Vec::new(), 0);
    std::thread::scope(|scope| {
        let swapping = scope.spawn(|| {
            let mut swaps = 0;
            while !done.load(Ordering::Relaxed) {
                database.run(
                    "BEGIN; ALTER TABLE residents RENAME TO old; ALTER TABLE others RENAME TO residents; \
                     ALTER TABLE old RENAME TO others; COMMIT",
                );
                swaps += 1;
            }
            swaps
        });
        for _ in 0..80 {
            found.push(counted_in(&*source, &asked, secret(7)).map(|counted| counted[0]["#0"]));
        }
        done.store(true, Ordering::Relaxed);
        swaps = swapping.join().unwrap();
    });
    assert!(swaps > 80, "{swaps}");
    let counted =
        |wanted: i64| found.iter().filter(|found| matches!(found, Ok(rows) if *rows == wanted)).count();
    assert!(counted(40) > 0 && counted(1) > 0 && counted(40) + counted(1) == found.len(), "{found:?}");
}
