//! Opening the store, and its transaction boundary.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, Row, Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// The schema that this version reads and writes.
const SCHEMA: i64 = 2;

/// The steps from each schema to the next, taken in the transaction that opens the store.
const STEPS: [(i64, &str); 1] = [(1, include_str!("../migrations/2.sql"))];

/// Where a store is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In an SQLite file, which is made if it is not there.
    File(PathBuf),
    /// In a database of a PostgreSQL server, which several gateways may share.
    Postgres {
        /// The server.
        server: lango_database::Server,
        /// How many connections there may be at once.
        connections: u32,
    },
}

/// The gateway's durable memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

/// Why the store cannot serve. No message holds a count or an identifier of a person.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error("the store's database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The database was written by another version.
    #[error(
        "the store has schema {found}, this version reads {SCHEMA}: run the version that wrote it, or restore its backup"
    )]
    Schema {
        /// As found.
        found: i64,
    },
    /// The place is a server.
    #[error("the store is kept in a file: a server is not served yet")]
    NoServer,
    /// A row that this version would not have written.
    #[error("the store holds a damaged {0}: restore it from a backup")]
    Damaged(&'static str),
    /// A reservation was asked to do what reservations never do.
    #[error(transparent)]
    Transition(#[from] lango_ledger::TransitionError),
}

impl Store {
    /// Opens the store at a place.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::File(path) => Self::open_file(path).await,
            Location::Postgres { .. } => Err(StoreError::NoServer),
        }
    }

    async fn open_file(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A charge must outlive a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(20));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        let store = Self { pool };
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let mut tx = self.transact("migrate").await?;
        let tables =
            sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'");
        if tables.fetch_optional(&mut *tx).await?.is_none() {
            let sql = concat!(include_str!("../migrations/1.sql"), "INSERT INTO schema_version VALUES (1);");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
        }
        let version = "SELECT version FROM schema_version";
        let mut found: i64 = sqlx::query(version).fetch_one(&mut *tx).await?.try_get(0)?;
        for (from, sql) in STEPS {
            if found == from {
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
                sqlx::query("UPDATE schema_version SET version = ?").bind(from + 1).execute(&mut *tx).await?;
                found = from + 1;
            }
        }
        if found != SCHEMA {
            return Err(StoreError::Schema { found });
        }
        tx.commit().await?;
        Ok(())
    }

    /// Begins the one kind of transaction that writes: it holds the write lock from its start, so that what it reads
    /// cannot change before it writes. Dropped without a commit, it leaves nothing behind.
    pub(crate) async fn transact(
        &self,
        name: &'static str,
    ) -> Result<Transaction<'static, Sqlite>, StoreError> {
        tracing::trace!(name, "transaction");
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    pub(crate) fn reader(&self) -> &SqlitePool {
        &self.pool
    }

    /// Closes the store: waits for what is under way, and leaves one file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
