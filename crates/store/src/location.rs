//! Where a store is kept, and how a connection to it is made so that nothing it acknowledges is lost.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use lango_database::{Server, ServerError};
use sqlx::{
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    DatabaseError,
    engine::{Connection, Options, Run, Statement},
};

/// How many may read a file at once.
const READERS: u32 = 4;

/// Where a store is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In an SQLite file, which is made if it is not there.
    File(PathBuf),
    /// In a database of a PostgreSQL server, which several gateways may share.
    Postgres {
        /// The server.
        server: Server,
        /// How many connections there may be at once: one writes, the others read. At least two are made.
        connections: u32,
    },
}

impl Location {
    /// How a connection is made, and how many may read at once.
    pub(crate) fn options(&self) -> Result<(Options, u32), ServerError> {
        Ok(match self {
            Self::File(path) => (Options::Sqlite(Box::new(file(path))), READERS),
            Self::Postgres { server, connections } => {
                let readers = connections.saturating_sub(1).max(1);
                (Options::Postgres(Box::new(session(server.postgres()?))), readers)
            }
        })
    }
}

fn file(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A charge must outlive a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(20))
}

fn session(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        // A gateway that vanishes must not keep the lock from the others.
        ("idle_in_transaction_session_timeout", "15s"),
        ("tcp_keepalives_idle", "10s"),
        ("tcp_keepalives_interval", "5s"),
        ("tcp_keepalives_count", "3"),
        ("lock_timeout", "20s"),
        ("statement_timeout", "60s"),
        // Every statement is answered from an index. A plan that was made while a table was empty must not read all of it later.
        ("enable_seqscan", "off"),
    ])
}

/// Makes a connection's commits durable whatever the server's default is.
pub(crate) async fn harden(connection: &mut Connection) -> Result<(), DatabaseError> {
    if let Connection::Postgres(_) = connection {
        let sql = "SELECT set_config('synchronous_commit', 'on', false) \
                   WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')";
        connection.optional(Statement::new(sql)).await?;
    }
    Ok(())
}

/// Settings of the server, switched off, without which a power cut may undo charges, and which no session can change.
pub(crate) async fn undurable(connection: &mut Connection) -> Result<Vec<String>, DatabaseError> {
    if let Connection::Sqlite(_) = connection {
        return Ok(Vec::new());
    }
    let sql = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name";
    let rows = connection.all(Statement::new(sql)).await?;
    rows.iter().map(|row| row.get("name")).collect()
}

/// Tells the log of them.
pub(crate) async fn warn(connection: &mut Connection) -> Result<(), DatabaseError> {
    for setting in undurable(connection).await? {
        tracing::warn!(
            setting,
            "the store's server has this off: a power cut may undo charges. Switch it on"
        );
    }
    Ok(())
}
