//! Making a store and opening it: its schema, and which connections write and read.

use std::{path::PathBuf, sync::Arc};

use crate::{
    AnchorError, Location,
    engine::{Connection, Pool, Run},
    guard,
    location::{harden, make_file, warn},
    statement::statement,
    writer::{Write, Writer},
};

/// The schema that this version reads and writes.
pub(crate) const SCHEMA: i64 = 3;

/// The one that an empty store begins with.
const FIRST: i64 = 1;

/// The first one with a guard.
pub(crate) const GUARDED: i64 = 3;

/// The first schema, and the steps from each to the next, taken in the transaction that makes or opens the store.
struct Steps {
    first: &'static str,
    next: [(i64, &'static str); 2],
}

static SQLITE: Steps = Steps {
    first: concat!(include_str!("../migrations/sqlite/1.sql"), "INSERT INTO schema_version VALUES (1);"),
    next: [(1, include_str!("../migrations/sqlite/2.sql")), (2, include_str!("../migrations/sqlite/3.sql"))],
};

static POSTGRES: Steps = Steps {
    first: concat!(include_str!("../migrations/postgres/1.sql"), "INSERT INTO schema_version VALUES (1);"),
    next: [
        (1, include_str!("../migrations/postgres/2.sql")),
        (2, include_str!("../migrations/postgres/3.sql")),
    ],
};

statement! {
    /// A row if there is a schema, in SQLite.
    SqliteSchema = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'"
}

statement! {
    /// A row if there is a schema, in PostgreSQL.
    PostgresSchema = "SELECT 'schema_version' AS name WHERE to_regclass('schema_version') IS NOT NULL"
}

statement! {
    /// The schema's number.
    SchemaVersion = "SELECT version FROM schema_version"
}

statement! {
    /// Another number for it.
    SetSchemaVersion { version } = "UPDATE schema_version SET version = :version"
}

statement! {
    /// Which store this is, and a name for one that opens it now.
    SqliteIdentity = "SELECT identity, randomblob(16) AS opened_by FROM store_identity"
}

statement! {
    /// Which store this is, and a name for one that opens it now.
    PostgresIdentity = "SELECT identity, decode(replace(gen_random_uuid()::text, '-', ''), 'hex') AS opened_by FROM store_identity"
}

/// The gateway's durable memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    pool: Pool,
    identity: [u8; 16],
    /// Which of the gateways that share the store this is: new at every start.
    opened_by: [u8; 16],
}

/// Why the store cannot serve. No message holds a count or an identifier of a person.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused to read, or the store cannot be opened.
    #[error("the store's database failed: {0}")]
    Database(#[from] DatabaseError),
    /// The database refused a transaction.
    #[error("the store's database failed in `{transaction}`: {error}")]
    Transaction {
        /// The transaction's name.
        transaction: &'static str,
        /// What the database says.
        error: DatabaseError,
    },
    /// There is no store.
    #[error(
        "the store {place} does not exist: make it with `lango ledger create --config FILE`. If there was one, its charges are \
             missing: docs/OPERATIONS.md"
    )]
    Missing {
        /// Where it should be.
        place: String,
    },
    /// There is a store already, or what is left of one.
    #[error("{place} is there already: a ledger is never made in the place of another")]
    Exists {
        /// What is there.
        place: String,
    },
    /// The main file lacks what its log held.
    #[error(
        "the store {place} lacks its log, {place}-wal, which holds its last charges: put both back together, or restore the store as \
             docs/OPERATIONS.md says"
    )]
    LogLost {
        /// The main file.
        place: String,
    },
    /// The anchor does not hold.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The policy would give budget back.
    #[error("{0}")]
    Pools(#[from] lango_ledger::PoolsError),
    /// A file cannot be made, read or written.
    #[error("{path}: {error}")]
    Files {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
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
    /// Makes a store where there is none.
    pub async fn create(location: &Location) -> Result<(), StoreError> {
        if let Location::File(path) = location {
            make_file(path)?;
        }
        let mut connection = location.options()?.0.connect().await?;
        harden(&mut connection).await?;
        connection.begin().await?;
        if version(&mut connection).await?.is_some() {
            return Err(StoreError::Exists { place: location.to_string() });
        }
        connection.raw(steps(&connection).first).await?;
        migrate(&mut connection, FIRST).await?;
        connection.raw("COMMIT").await?;
        Ok(connection.close().await?)
    }

    /// Opens the store, and brings its tables up to date. Never makes one.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        let missing = || StoreError::Missing { place: location.to_string() };
        let log_is_gone = match location {
            Location::File(path) if !path.exists() => return Err(missing()),
            Location::File(path) => guard::log_is_gone(path),
            Location::Postgres { .. } => false,
        };
        let (options, readers) = location.options()?;
        let mut connection = options.connect().await?;
        harden(&mut connection).await?;
        warn(&mut connection).await?;
        connection.begin().await?;
        let found = version(&mut connection).await?.ok_or_else(missing)?;
        if log_is_gone && (GUARDED..=SCHEMA).contains(&found) && guard::is_unequal(&mut connection).await? {
            return Err(StoreError::LogLost { place: location.to_string() });
        }
        migrate(&mut connection, found).await?;
        connection.raw("COMMIT").await?;
        guard::checkpoint(&mut connection).await?;
        let row = match &connection {
            Connection::Sqlite(_) => connection.one(SqliteIdentity.into()).await?,
            Connection::Postgres(_) => connection.one(PostgresIdentity.into()).await?,
        };
        let bytes =
            |column| row.get::<Vec<u8>>(column)?.try_into().map_err(|_| StoreError::Damaged("identity"));
        let (identity, opened_by) = (bytes("identity")?, bytes("opened_by")?);
        let pool = options.pool(readers);
        Ok(Self { writer: Writer::start(options, connection), pool, identity, opened_by })
    }

    /// Which store this is.
    pub fn identity(&self) -> [u8; 16] {
        self.identity
    }

    pub(crate) fn opened_by(&self) -> [u8; 16] {
        self.opened_by
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
    let schema = match connection {
        Connection::Sqlite(_) => connection.optional(SqliteSchema.into()).await?,
        Connection::Postgres(_) => connection.optional(PostgresSchema.into()).await?,
    };
    if schema.is_none() {
        return Ok(None);
    }
    connection.one(SchemaVersion.into()).await?.get("version").map(Some)
}

/// Takes the steps that are missing, or none: a connection that fails on the way undoes them when it is dropped.
async fn migrate(connection: &mut Connection, mut found: i64) -> Result<(), StoreError> {
    for (from, sql) in steps(connection).next {
        if found == from {
            connection.raw(sql).await?;
            found = from + 1;
            connection.all(SetSchemaVersion { version: found.into() }.into()).await?;
        }
    }
    if found == SCHEMA { Ok(()) } else { Err(StoreError::Schema { found }) }
}

#[cfg(test)]
mod tests;
