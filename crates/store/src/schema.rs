//! Opening the store: its schema, and who writes and who reads.

use std::sync::Arc;

use crate::{
    Location,
    engine::{Connection, Pool, Run, Statement},
    location::{harden, warn},
    writer::{Write, Writer},
};

/// The schema that this version reads and writes.
pub(crate) const SCHEMA: i64 = 2;

/// The one that an empty store begins with.
const FIRST: i64 = 1;

/// The first schema, and the steps from each to the next, taken in the transaction that opens the store.
struct Steps {
    first: &'static str,
    next: [(i64, &'static str); 1],
    /// Whether there is a schema.
    exists: &'static str,
}

static SQLITE: Steps = Steps {
    first: concat!(include_str!("../migrations/sqlite/1.sql"), "INSERT INTO schema_version VALUES (1);"),
    next: [(1, include_str!("../migrations/sqlite/2.sql"))],
    exists: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'",
};

static POSTGRES: Steps = Steps {
    first: concat!(include_str!("../migrations/postgres/1.sql"), "INSERT INTO schema_version VALUES (1);"),
    next: [(1, include_str!("../migrations/postgres/2.sql"))],
    exists: "SELECT 'schema_version' AS name WHERE to_regclass('schema_version') IS NOT NULL",
};

/// The gateway's durable memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    pool: Pool,
}

/// Why the store cannot serve. No message holds a count or an identifier of a person.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error("the store's database failed: {0}")]
    Database(#[from] DatabaseError),
    /// The server cannot be reached as it is configured.
    #[error("the store's server cannot be used: {0}")]
    Server(#[from] lango_database::ServerError),
    /// The database was written by another version.
    #[error(
        "the store has schema {found}, this version reads {SCHEMA}: run the version that wrote it, or restore its backup"
    )]
    Schema {
        /// As found.
        found: i64,
    },
    /// A row that this version would not have written.
    #[error("the store holds a damaged {0}: restore it from a backup")]
    Damaged(&'static str),
    /// A reservation was asked to do what reservations never do.
    #[error(transparent)]
    Transition(#[from] lango_ledger::TransitionError),
    /// The store was closed meanwhile.
    #[error("the store is closed")]
    Closed,
}

/// How the database failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DatabaseError {
    /// It said so, or the connection to it did.
    #[error("{0}")]
    Failed(Arc<sqlx::Error>),
    /// It said nothing for too long.
    #[error("it does not answer")]
    TimedOut,
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(Arc::new(error))
    }
}

impl Store {
    /// Opens the store, and makes or brings up to date its tables.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        let (options, readers) = location.options()?;
        let mut connection = options.connect().await?;
        harden(&mut connection).await?;
        warn(&mut connection).await?;
        migrate(&mut connection).await?;
        let pool = options.pool(readers);
        Ok(Self { writer: Writer::start(options, connection), pool })
    }

    /// Changes the store, and returns when the change is durable.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Outcome, StoreError> {
        self.writer.write(write).await
    }

    /// Sees what was durable when it is asked.
    pub(crate) fn reader(&self) -> Pool {
        self.pool.clone()
    }

    /// Closes the store: waits for what is under way, and leaves one file.
    pub async fn close(&self) {
        self.writer.close().await;
        self.pool.close().await;
    }
}

fn steps(connection: &Connection) -> &'static Steps {
    match connection {
        Connection::Sqlite(_) => &SQLITE,
        Connection::Postgres(_) => &POSTGRES,
    }
}

/// The number of the schema that is there; `None` where there is none.
pub(crate) async fn version(connection: &mut Connection) -> Result<Option<i64>, DatabaseError> {
    if connection.optional(Statement::new(steps(connection).exists)).await?.is_none() {
        return Ok(None);
    }
    connection.one(Statement::new("SELECT version FROM schema_version")).await?.get("version").map(Some)
}

/// Takes the steps that are missing, or none: a connection that fails on the way undoes them when it is dropped.
async fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let steps = steps(connection);
    connection.begin().await?;
    let mut found = match version(connection).await? {
        Some(found) => found,
        None => {
            connection.raw(steps.first).await?;
            FIRST
        }
    };
    for (from, sql) in steps.next {
        if found == from {
            connection.raw(sql).await?;
            let update = Statement::new("UPDATE schema_version SET version = $1").bind(from + 1);
            connection.all(update).await?;
            found = from + 1;
        }
    }
    if found != SCHEMA {
        return Err(StoreError::Schema { found });
    }
    connection.raw("COMMIT").await?;
    Ok(())
}

#[cfg(test)]
mod tests;
