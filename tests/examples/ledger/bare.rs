//! The same writes by a program that decides nothing: no question to the database but what a write itself needs, and the records
//! numbered by the client.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use lango_store::Location;
use sqlx::{
    Database, PgPool, Row, SqlitePool, Transaction,
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{AT, CLIENTS, LAYOUT, PLAN, QUERY, Sample, rate};

/// Away from the store's own numbers, which are positive: counts down.
static SEQUENCE: AtomicI64 = AtomicI64::new(-1);

const RESERVATION: &str = "INSERT INTO reservation (query_digest, dataset_version, terms_digest, query, dataset, pool, rows_from, grant_id, period, \
     plan, pure_nano, rho_nano, delta_e18, reserved_at, state) \
     VALUES ($1, '1', $2, $3, 'residents', 'residents', 'register/residents', $4, '2026', $5, 1, 0, 0, $6, 'pending') RETURNING id";
const RECORD: &str = "INSERT INTO access_record (sequence, at, principal, purpose, request_digest, query_digest, dataset, decision, \
     reason, rule, policy_digest, pure_nano, rho_nano, delta_e18, release_id) \
     VALUES ($1, $2, 'spiffe://ecowas.example/analyst/awa', 'official-statistics', $3, $3, 'residents', $4, '', $5, $6, 1, 0, 0, $7)";
/// The pool first: a transaction that takes them in another order waits for ever.
const ACCOUNTS: &str = "INSERT INTO account (pool, holder, period, pure_nano, rho_nano, delta_e18) \
     VALUES ('residents', '', '2026', 1, 0, 0), ('residents', $1, '2026', 1, 0, 0) \
     ON CONFLICT (pool, holder) DO UPDATE SET pure_nano = account.pure_nano + 1";
const SPENT: &str = "UPDATE reservation SET state = 'spent' WHERE id = $1";
const RELEASE: &str = "INSERT INTO release (release_id, reservation_id, layout, cells, released_at) VALUES ($1, $2, $3, $4, $5)";

#[derive(Clone)]
pub enum Bare {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Bare {
    pub async fn open(location: &Location) -> Self {
        match location {
            // One connection that the clients take in turn: several would only wait for one another's lock.
            Location::File(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(Duration::from_secs(20));
                Self::Sqlite(pool(1).connect_with(options).await.unwrap())
            }
            Location::Postgres { server, .. } => {
                Self::Postgres(pool(CLIENTS as u32).connect_with(server.postgres().unwrap()).await.unwrap())
            }
        }
    }

    /// Charges a second.
    pub async fn rate(&self, time: Duration) -> f64 {
        match self.clone() {
            Self::Sqlite(pool) => {
                rate(time, move || {
                    let pool = pool.clone();
                    async move {
                        let sample = Sample::next();
                        let id =
                            reserve_sqlite(pool.begin_with("BEGIN IMMEDIATE").await.unwrap(), &sample).await;
                        settle_sqlite(pool.begin_with("BEGIN IMMEDIATE").await.unwrap(), &sample, id).await;
                    }
                })
                .await
            }
            Self::Postgres(pool) => {
                rate(time, move || {
                    let pool = pool.clone();
                    async move {
                        let sample = Sample::next();
                        let id = reserve_postgres(pool.begin().await.unwrap(), &sample).await;
                        settle_postgres(pool.begin().await.unwrap(), &sample, id).await;
                    }
                })
                .await
            }
        }
    }
}

fn pool<D: Database>(connections: u32) -> PoolOptions<D> {
    // Without the library's question whether a connection still lives.
    PoolOptions::new()
        .max_connections(connections)
        .min_connections(connections)
        .acquire_timeout(Duration::from_secs(60))
        .test_before_acquire(false)
}

/// What both databases can do with the statements above.
macro_rules! transactions {
    ($database:ty, $reserve:ident, $settle:ident) => {
        async fn $reserve(mut transaction: Transaction<'static, $database>, sample: &Sample) -> i64 {
            let reservation = sqlx::query(RESERVATION)
                .bind(&sample.digest[..])
                .bind(&[9_u8; 32][..])
                .bind(QUERY)
                .bind(&sample.grant)
                .bind(PLAN)
                .bind(AT);
            let id = reservation.fetch_one(&mut *transaction).await.unwrap().get("id");
            let record = sqlx::query(RECORD)
                .bind(SEQUENCE.fetch_sub(1, Ordering::Relaxed))
                .bind(AT)
                .bind(&sample.digest[..])
                .bind("reserved")
                .bind(&sample.grant)
                .bind(&[7_u8; 32][..])
                .bind(None::<&[u8]>);
            record.execute(&mut *transaction).await.unwrap();
            // Last, so that the rows that all clients share are locked for the shortest time.
            sqlx::query(ACCOUNTS).bind(&sample.grant).execute(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
            id
        }

        async fn $settle(mut transaction: Transaction<'static, $database>, sample: &Sample, id: i64) {
            sqlx::query(SPENT).bind(id).execute(&mut *transaction).await.unwrap();
            let words: Vec<u8> = sample.cells().into_iter().flat_map(i64::to_le_bytes).collect();
            let release = sqlx::query(RELEASE).bind(&sample.release_id[..]).bind(id).bind(LAYOUT);
            release.bind(&words[..]).bind(AT).execute(&mut *transaction).await.unwrap();
            let record = sqlx::query(RECORD)
                .bind(SEQUENCE.fetch_sub(1, Ordering::Relaxed))
                .bind(AT)
                .bind(&sample.digest[..])
                .bind("released")
                .bind(&sample.grant)
                .bind(&[7_u8; 32][..])
                .bind(Some(&sample.release_id[..]));
            record.execute(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
        }
    };
}
transactions!(sqlx::Sqlite, reserve_sqlite, settle_sqlite);
transactions!(sqlx::Postgres, reserve_postgres, settle_postgres);
