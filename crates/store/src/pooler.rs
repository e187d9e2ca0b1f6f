//! A connection to PostgreSQL that is the store's own, from its settings to its locks.
//!
//! Behind a pooler such as PgBouncer a connection's settings are refused or lost, and each transaction may be carried out on
//! another connection to the server, where a prepared statement of the same name may be somebody else's. Charges would rest on
//! that, so a store refuses poolers: by settings that are not kept, by a connection that changes, and by a lock that is not held.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection as _, PgConnection, Row, postgres::PgConnectOptions};

use crate::{DatabaseError, PoolerSign};

/// The lock of the one who writes. Its halves are how the server lists it.
const LOCK: i64 = 7_809_640_931_846_219;
/// Settings that a connection asks for when it is made, with what is shown of each.
pub(crate) const SETTINGS: [(&str, &str); 4] = [
    ("statement_timeout", "1min"),
    ("lock_timeout", "20s"),
    ("idle_in_transaction_session_timeout", "15s"),
    // Every statement is answered from an index. A plan that was made while a table was empty must not read all of it later.
    ("enable_seqscan", "off"),
];

/// A connection, and the server's process that serves it.
pub(crate) struct OwnConnection {
    pub(crate) connection: PgConnection,
    process: i32,
}

impl OwnConnection {
    /// Connects; refuses a pooler that the connection alone gives away.
    pub(crate) async fn make(options: &PgConnectOptions) -> Result<Self, DatabaseError> {
        let mut connection = options.connect().await.map_err(refused)?;
        let asked: Vec<String> = SETTINGS.iter().map(|(name, _)| format!("SHOW {name}")).collect();
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(asked.join("; "))).fetch_all(&mut connection).await?;
        for (place, (name, shown)) in SETTINGS.iter().enumerate() {
            let found: Option<String> = rows.get(place).map(|row| row.try_get_unchecked(0)).transpose()?;
            if found.as_deref() != Some(*shown) {
                return Err(DatabaseError::Pooler(PoolerSign::Setting(name)));
            }
        }
        let process = process(&mut connection).await?;
        Ok(Self { connection, process })
    }

    /// Begins the one kind of transaction that writes. The lock is taken by a statement of its own, and every later one sees what
    /// was committed before it was granted: under any isolation but this one they would not.
    pub(crate) async fn begin(&mut self) -> Result<(), DatabaseError> {
        let sql = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE; SELECT pg_advisory_xact_lock({LOCK}); \
             SELECT pg_backend_pid()::text, EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() \
             AND granted AND classid::bigint = {} AND objid::bigint = {} AND objsubid = 1)::text",
            LOCK >> 32,
            LOCK & 0xffff_ffff
        );
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(&mut self.connection).await?;
        let row = rows.last().ok_or(sqlx::Error::RowNotFound)?;
        let (process, held): (String, String) = (row.try_get_unchecked(0)?, row.try_get_unchecked(1)?);
        if process != self.process.to_string() {
            return Err(DatabaseError::Pooler(PoolerSign::Connection));
        }
        if held != "true" {
            return Err(DatabaseError::Pooler(PoolerSign::Lock));
        }
        Ok(())
    }

    /// Refuses a pooler that gives a connection to the server to another client after a transaction: while another one is inside
    /// a transaction, this one must be where it was.
    pub(crate) async fn check(
        &mut self,
        options: &PgConnectOptions,
        time_max: Duration,
    ) -> Result<(), DatabaseError> {
        let making = tokio::time::timeout(time_max, Self::make(options)).await;
        let mut other = making.unwrap_or(Err(DatabaseError::TimedOut))?;
        sqlx::raw_sql("BEGIN").execute(&mut other.connection).await?;
        let there = process(&mut other.connection).await?;
        // It would wait for the connection that the other one has.
        let here = tokio::time::timeout(time_max, process(&mut self.connection)).await;
        let here = here.map_err(|_| DatabaseError::Pooler(PoolerSign::Connection))??;
        other.connection.close().await?;
        if here != self.process || there != other.process || here == there {
            return Err(DatabaseError::Pooler(PoolerSign::Connection));
        }
        Ok(())
    }
}

async fn process(connection: &mut PgConnection) -> sqlx::Result<i32> {
    let row = sqlx::query("SELECT pg_backend_pid()").persistent(false).fetch_one(connection).await?;
    row.try_get(0)
}

/// A server of PostgreSQL's own takes every setting that a connection begins with; PgBouncer names the one that it does not know.
fn refused(error: sqlx::Error) -> DatabaseError {
    let text = error.as_database_error().map(|error| error.message().to_owned()).unwrap_or_default();
    if text.contains("unsupported startup parameter") {
        return DatabaseError::Pooler(PoolerSign::Startup);
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use lango_testkit::{PoolMode, Pooler, TestDatabase};

    use crate::{DatabaseError, Examined, Location, PoolerSign, Store, StoreError};

    /// Behind a pooler neither a store's settings nor its locks would be its own.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_behind_a_pooler_is_refused_by_a_sentence_that_names_it() {
        let database = TestDatabase::fresh(lango_testkit::Engine::Postgres);
        let direct = Location::Postgres { server: database.owner(), connections: 2 };
        Store::create(&direct).await.unwrap();
        Store::open(&direct).await.unwrap().close().await;
        let ignored = "ignore_startup_parameters = options, extra_float_digits";
        // The server keeps the settings itself; only the connections give the pooler away.
        let settings = super::SETTINGS.map(|(name, shown)| {
            format!(
                "ALTER DATABASE {} SET {name} = '{shown}'",
                database.rows("SELECT current_database()")[0][0].clone().unwrap()
            )
        });
        for (mode, more, kept, expected) in [
            (PoolMode::Transaction, "", false, PoolerSign::Startup),
            (PoolMode::Session, "", false, PoolerSign::Startup),
            (PoolMode::Transaction, ignored, false, PoolerSign::Setting("statement_timeout")),
            (PoolMode::Session, ignored, false, PoolerSign::Setting("statement_timeout")),
            (PoolMode::Transaction, ignored, true, PoolerSign::Connection),
        ] {
            if kept {
                settings.iter().for_each(|sql| database.run(sql));
            }
            for connections in [1, 4] {
                let pooler = Pooler::start(&database, mode, connections, more);
                let behind = Location::Postgres { server: pooler.to(database.owner()), connections: 2 };
                for refused in [Store::open(&behind).await.err(), Examined::open(&behind).await.err()] {
                    let error = refused.unwrap();
                    assert!(error.to_string().contains("PgBouncer"), "{error}");
                    let found = match error {
                        StoreError::Database(DatabaseError::Pooler(found)) => found,
                        error => panic!("{mode:?} {more}: {error}"),
                    };
                    assert_eq!(found, expected, "{mode:?} {more}");
                }
            }
        }
    }
}
