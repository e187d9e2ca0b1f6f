//! Where a store is kept, and how a connection to it is made so that nothing it acknowledges is lost.

use std::{
    fmt, fs,
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use lango_database::{Server, ServerError};
use sqlx::{
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    DatabaseError, StoreError,
    engine::{Connection, Options, Run},
    pooler::SETTINGS,
    statement::statement,
    wal::log_of,
};

/// How many readers of a file there are at once.
const READERS: u32 = 4;

/// Where a store is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In an SQLite file.
    File(PathBuf),
    /// In a database of a PostgreSQL server, which several gateways may share.
    Postgres {
        /// The server.
        server: Server,
        /// How many connections there may be at once: one writes, the others read. At least two are made.
        connections: u32,
    },
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres { server, .. } => f.write_str(&server.address),
        }
    }
}

impl Location {
    /// How a connection is made, and how many may read at once. Never makes a file.
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
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // A charge must outlive a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // The writer does it itself: see `guard`.
        .pragma("wal_autocheckpoint", "0")
        .busy_timeout(Duration::from_secs(20))
}

fn session(options: PgConnectOptions) -> PgConnectOptions {
    let settings = SETTINGS.into_iter().chain([
        // A gateway that vanishes must not keep the lock from the others.
        ("tcp_keepalives_idle", "10s"),
        ("tcp_keepalives_interval", "5s"),
        ("tcp_keepalives_count", "3"),
    ]);
    options.options(settings)
}

/// Makes the file that a store will be in, and its folder, for nobody else to read: SQLite gives the files beside it the same
/// rights.
pub(crate) fn make_file(path: &Path) -> Result<(), StoreError> {
    let failed = |path: &Path, error| StoreError::Files { path: path.to_owned(), error };
    let log = log_of(path);
    let is_blank = fs::metadata(path).map_or(true, |file| file.len() == 0);
    if is_blank && fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        // Of a store whose main file is gone; SQLite would delete it.
        return Err(StoreError::Exists { place: log.display().to_string() });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut folders = fs::DirBuilder::new();
    folders.recursive(true).mode(0o700).create(folder).map_err(|error| failed(folder, error))?;
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        // What is in it is found out when it is opened.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(failed(path, error)),
    }
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, error))
}

statement! {
    /// Makes commits durable whatever the server's default is.
    Durable = "SELECT set_config('synchronous_commit', 'on', false) \
        WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
}

statement! {
    /// Settings of the server that no session can change.
    SwitchedOff = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name"
}

/// Makes a connection's commits durable whatever the server's default is.
pub(crate) async fn harden(connection: &mut Connection) -> Result<(), DatabaseError> {
    if let Connection::Postgres(_) = connection {
        connection.optional(Durable.into()).await?;
    }
    Ok(())
}

/// Settings of the server, switched off, without which a power cut may undo charges, and which no session can change.
pub(crate) async fn undurable(connection: &mut Connection) -> Result<Vec<String>, DatabaseError> {
    if let Connection::Sqlite(_) = connection {
        return Ok(Vec::new());
    }
    let rows = connection.all(SwitchedOff.into()).await?;
    rows.iter().map(|row| row.get("name")).collect()
}

/// Writes them to the log.
pub(crate) async fn warn(connection: &mut Connection) -> Result<(), DatabaseError> {
    for setting in undurable(connection).await? {
        tracing::warn!(
            setting,
            "the store's server has this off: a power cut may undo charges. Switch it on"
        );
    }
    Ok(())
}
