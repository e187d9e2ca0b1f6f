//! A database that a test has for itself: a new file, or a new database on a private server.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use lango_database::Server;
use lango_source::{Source, Sqlite};
use rusqlite::{Connection, types::ValueRef};
use tempfile::TempDir;

use crate::{Engine, Value, background::wait};

mod host;
mod private;

pub use host::Host;
use private::Private;

/// How long a gateway's statement may take in tests.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);
/// Rows of one statement.
const ROWS_AT_ONCE: usize = 1_000;

/// A database of one test; dropping this value deletes it.
pub struct TestDatabase {
    engine: Engine,
    place: Place,
}

enum Place {
    File { path: PathBuf, _folder: Option<TempDir> },
    Private(Private),
}

impl TestDatabase {
    /// A new one without a table.
    pub fn fresh(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("register.sqlite");
                Self { engine, place: Place::File { path, _folder: Some(folder) } }
            }
            Engine::Postgres => Self::on(&Host::postgres()),
            Engine::MariaDb => Self::on(&Host::mariadb()),
        }
    }

    /// A new one on one of the private servers.
    pub fn on(host: &Host) -> Self {
        Self { engine: host.engine(), place: Place::Private(Private::make(host)) }
    }

    /// The same, except that SQLite's is this file, which is not removed.
    pub(crate) fn fresh_or(engine: Engine, path: &Path) -> Self {
        match engine {
            Engine::Sqlite => Self { engine, place: Place::File { path: path.to_owned(), _folder: None } },
            _ => Self::fresh(engine),
        }
    }

    /// Its engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Its name on its server, which is also that of the gateway's user.
    pub(crate) fn name(&self) -> &str {
        match &self.place {
            Place::File { .. } => panic!("a file has no name on a server"),
            Place::Private(private) => private.name(),
        }
    }

    /// Makes a table; see [`Engine::create`].
    pub fn create(&self, table: &str, columns: &[(&str, &str)]) {
        self.run(&self.engine.create(table, columns));
    }

    /// Adds rows, with a value for every column, to a table.
    pub fn insert(&self, table: &str, rows: impl IntoIterator<Item = Vec<Value>>) {
        let rows: Vec<_> = rows.into_iter().collect();
        let statements = rows.chunks(ROWS_AT_ONCE).map(|rows| self.engine.insert(table, rows));
        match &self.place {
            Place::File { path, .. } => {
                let sql: Vec<_> = statements.collect();
                open(path).execute_batch(&format!("BEGIN; {}; COMMIT", sql.join("; "))).unwrap();
            }
            Place::Private(_) => statements.for_each(|sql| self.run(&sql)),
        }
    }

    /// Carries out statements as the database's owner. A failure is the test's.
    pub fn run(&self, sql: &str) {
        match &self.place {
            Place::File { path, .. } => {
                open(path).execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}"))
            }
            Place::Private(private) => wait(private.run(sql)),
        }
    }

    /// The same for a test whose own tasks have to go on meanwhile.
    pub async fn run_async(&self, sql: &str) {
        match &self.place {
            Place::File { .. } => self.run(sql),
            Place::Private(private) => {
                crate::background::runtime().spawn(private.run(sql)).await.unwrap();
            }
        }
    }

    /// The rows that a statement returns, as text.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        match &self.place {
            Place::File { path, .. } => rows_of(&open(path), sql).unwrap(),
            Place::Private(private) => wait(private.rows(sql)),
        }
    }

    /// The one whole number that a statement returns.
    pub fn integer(&self, sql: &str) -> i64 {
        let rows = self.rows(sql);
        let number = |row: &Vec<Option<String>>| row.first()?.as_ref()?.parse().ok();
        rows.first().and_then(number).unwrap_or_else(|| panic!("{sql}: {rows:?}"))
    }

    /// Takes over a table from an SQLite file with all its rows; its columns are of the types declared here.
    pub fn take_over(&self, file: &Path, table: &str, columns: &[(&str, &str)]) {
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let rows = rows_of(&open(file), &format!("SELECT {} FROM {table}", names.join(", "))).unwrap();
        self.create(table, columns);
        let value = |(value, (_, declared)): (Option<String>, &(&str, &str))| match value {
            Some(text) if !declared.contains("TEXT") => Value::Integer(text.parse().unwrap()),
            value => value.into(),
        };
        self.insert(table, rows.into_iter().map(|row| row.into_iter().zip(columns).map(value).collect()));
    }

    /// Shuts the gateway's user out and ends its connections, or takes the file away; it comes back by [`Self::back`].
    pub fn away(&self) {
        match &self.place {
            Place::File { path, .. } => std::fs::rename(path, path.with_extension("away")).unwrap(),
            Place::Private(private) => private.shut_out(),
        }
    }

    /// Undoes [`Self::away`].
    pub fn back(&self) {
        match &self.place {
            Place::File { path, .. } => std::fs::rename(path.with_extension("away"), path).unwrap(),
            Place::Private(private) => private.let_in(),
        }
    }

    /// Ends every connection to a PostgreSQL database, of every user.
    pub async fn interrupt(&self) {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name()
        );
        self.administer(sql).await;
    }

    /// Refuses every connection to a PostgreSQL database, or admits them again.
    pub async fn admit(&self, admit: bool) {
        self.administer(format!("ALTER DATABASE {} ALLOW_CONNECTIONS {admit}", self.name())).await;
    }

    async fn administer(&self, sql: String) {
        let Place::Private(private) = &self.place else { panic!("a file has no server") };
        let administering = private.administer(vec![sql]);
        crate::background::runtime().spawn(administering).await.unwrap();
    }

    /// How a gateway reaches it, as a user who may read its tables and no more. An SQLite file has no server.
    pub fn server(&self) -> Server {
        match &self.place {
            Place::File { .. } => panic!("a file is reached by its path"),
            Place::Private(private) => private.server(),
        }
    }

    /// How an administrator reaches it, as its owner.
    pub fn owner(&self) -> Server {
        match &self.place {
            Place::File { .. } => panic!("a file is reached by its path"),
            Place::Private(private) => private.owner(),
        }
    }

    /// Where the gateway's user may make tables on its server.
    pub fn prepared_schema(&self) -> String {
        match &self.place {
            Place::File { .. } => panic!("a file has no schemas"),
            Place::Private(private) => private.prepared_schema(),
        }
    }

    /// The file of an SQLite database.
    pub fn file(&self) -> &Path {
        match &self.place {
            Place::File { path, .. } => path,
            Place::Private(_) => panic!("this is about SQLite's file, and the engine is {:?}", self.engine),
        }
    }

    /// It as a gateway reads it.
    pub fn source(&self) -> Box<dyn Source> {
        self.source_within(STATEMENT_TIMEOUT)
    }

    /// The same, with a statement timeout.
    pub fn source_within(&self, statement_timeout: Duration) -> Box<dyn Source> {
        match &self.place {
            Place::File { path, .. } => Box::new(Sqlite::new(path, statement_timeout)),
            Place::Private(private) => private.source(statement_timeout),
        }
    }
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection.pragma_update(None, "synchronous", "OFF").unwrap();
    connection
}

fn rows_of(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<Vec<Option<String>>>> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => Some(value.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(_) => panic!("tests write no bytes"),
    };
    let rows = statement.query_map([], |row| (0..columns).map(|at| Ok(text(row.get_ref(at)?))).collect())?;
    rows.collect()
}

#[cfg(test)]
mod tests;
