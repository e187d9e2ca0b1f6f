//! Needs the private servers.

use sqlx::Connection;

use super::*;

const WORDS: [Option<&str>; 4] = [Some("d'Ivoire"), Some(r"back\slash"), Some("São, 1 % 😀"), None];

fn filled(engine: Engine) -> TestDatabase {
    let database = TestDatabase::fresh(engine);
    database.create(
        "people",
        &[("id", "TEXT PRIMARY KEY"), ("age", "INTEGER"), ("income", "BIGINT"), ("word", "TEXT")],
    );
    let row = |(number, word): (usize, &Option<&str>)| {
        vec![format!("p{number}").into(), 34.into(), (5_000_000_000 + number as i64).into(), (*word).into()]
    };
    database.insert("people", WORDS.iter().enumerate().map(row));
    database
}

/// One statement as the gateway's user would send it.
fn as_reader(database: &TestDatabase, sql: &'static str) -> Result<(), String> {
    let (engine, server) = (database.engine(), database.server());
    wait(async move {
        let done = match engine {
            Engine::MariaDb => {
                let mut connection = sqlx::MySqlConnection::connect_with(&server.mariadb().unwrap()).await;
                match &mut connection {
                    Ok(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop),
                    Err(_) => connection.map(drop),
                }
            }
            _ => {
                let mut connection = sqlx::PgConnection::connect_with(&server.postgres().unwrap()).await;
                match &mut connection {
                    Ok(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop),
                    Err(_) => connection.map(drop),
                }
            }
        };
        done.map_err(|error| error.to_string())
    })
}

#[test]
fn a_fresh_database_holds_what_was_written() {
    for engine in Engine::ALL {
        let (one, other) = (filled(engine), TestDatabase::fresh(engine));
        let found = one.rows("SELECT word, id, income FROM people ORDER BY id");
        let expected = WORDS.iter().enumerate().map(|(number, word)| {
            vec![
                word.map(str::to_owned),
                Some(format!("p{number}")),
                Some(format!("{}", 5_000_000_000 + number as i64)),
            ]
        });
        assert_eq!(found, expected.collect::<Vec<_>>(), "{engine:?}");
        // Nobody else's table is in the way.
        other.create("people", &[("id", "TEXT")]);
        assert_eq!(
            (one.integer("SELECT count(*) FROM people"), other.rows("SELECT * FROM people").len()),
            (4, 0)
        );
    }
}

#[test]
fn a_gateways_user_reads_with_tls_and_does_not_write() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let database = filled(engine);
        as_reader(&database, "SELECT id FROM people").unwrap();
        for write in ["DELETE FROM people", "DROP TABLE people", "CREATE TABLE others (id INTEGER)"] {
            let refused = as_reader(&database, write).unwrap_err();
            assert!(
                ["denied", "must be owner"].iter().any(|words| refused.contains(words)),
                "{engine:?} {refused}"
            );
        }
        assert_ne!(database.server().tls, lango_database::Tls::Off);
        let away = || as_reader(&database, "SELECT 1").is_err();
        assert!(!away());
        database.away();
        assert!(away(), "{engine:?}");
        database.back();
        assert!(!away(), "{engine:?}");
    }
}

#[test]
fn a_table_is_taken_over_from_a_file_row_by_row() {
    let file = filled(Engine::Sqlite);
    for engine in Engine::ALL {
        let database = TestDatabase::fresh(engine);
        database.take_over(file.file(), "people", &[("id", "TEXT"), ("income", "BIGINT"), ("word", "TEXT")]);
        let sql = "SELECT id, income, word FROM people ORDER BY id";
        assert_eq!(database.rows(sql), file.rows(sql), "{engine:?}");
    }
}
