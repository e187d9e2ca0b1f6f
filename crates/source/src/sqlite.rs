//! SQLite: the register in a file, opened read only.

use std::{path::PathBuf, sync::Arc, time::Duration, time::Instant};

use async_trait::async_trait;
use lango_privacy::{Dataset, Exact, Plan};
use rusqlite::{Connection, OpenFlags, OptionalExtension, types::ValueRef};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use crate::{
    FetchError, Session, Source, SourceError,
    tally::{Tally, Value},
};

mod sql;

/// Queries at once; each holds a thread and a connection.
const QUERIES_MOST: usize = 4;
/// Virtual machine steps between two looks at the clock.
const STEPS_BETWEEN_CHECKS: i32 = 100_000;

/// A register in an SQLite file.
pub struct Sqlite {
    file: PathBuf,
    statement_timeout: Duration,
    queries: Arc<Semaphore>,
}

impl Sqlite {
    /// The register in this file; a statement is stopped after `statement_timeout`.
    pub fn new(file: impl Into<PathBuf>, statement_timeout: Duration) -> Self {
        Self { file: file.into(), statement_timeout, queries: Arc::new(Semaphore::new(QUERIES_MOST)) }
    }

    async fn connect(&self) -> Result<Open, SourceError> {
        let closed = |_| SourceError::Unavailable("the gateway is stopping".to_owned());
        let permit = Arc::clone(&self.queries).acquire_owned().await.map_err(closed)?;
        let (file, timeout) = (self.file.clone(), self.statement_timeout);
        let opened = spawn_blocking(move || open(&file, timeout)).await;
        let connection =
            opened.map_err(|_| SourceError::Unavailable("the attempt was cut short".to_owned()))?;
        Ok(Open { connection: connection.map_err(|error| unavailable(&error))?, timeout, _permit: permit })
    }
}

/// The message of a failed opening; SQLite's own words speak of the file, not of its rows.
fn unavailable(error: &rusqlite::Error) -> SourceError {
    SourceError::Unavailable(error.to_string())
}

struct Open {
    connection: Connection,
    timeout: Duration,
    _permit: OwnedSemaphorePermit,
}

fn open(file: &PathBuf, timeout: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(timeout.min(Duration::from_secs(10)))?;
    connection.pragma_update(None, "query_only", true)?;
    // Sorting groups in memory keeps what the office counts off the disk.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -8_192)?;
    // Reading the schema takes the shared lock, so that all that follows is of one moment.
    connection.execute_batch("BEGIN")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

#[async_trait]
impl Source for Sqlite {
    async fn check(&self, dataset: &Dataset) -> Result<(), SourceError> {
        let open = self.connect().await?;
        let dataset = dataset.clone();
        let checked = spawn_blocking(move || check(&open.connection, &dataset).map(drop)).await;
        checked.map_err(|_| SourceError::Unavailable("the check was cut short".to_owned()))?
    }

    async fn open(&self) -> Result<Box<dyn Session>, SourceError> {
        Ok(Box::new(self.connect().await?))
    }
}

#[async_trait]
impl Session for Open {
    async fn fetch(self: Box<Self>, plan: Plan) -> Result<Exact<Vec<Vec<i64>>>, FetchError> {
        let lost = FetchError { rows_were_read: true };
        spawn_blocking(move || fetch(&self.connection, self.timeout, &plan)).await.map_err(|_| lost)?
    }
}

/// Checks the catalogue; the unit column's type if all is well.
fn check(connection: &Connection, dataset: &Dataset) -> Result<UnitType, SourceError> {
    let (table, unit) = (&dataset.table, &dataset.unit.column);
    let kind = connection
        .query_row(
            "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
            [table],
            |row| row.get::<_, String>(0),
        )
        .optional();
    match kind.map_err(|error| unavailable(&error))?.as_deref() {
        Some("table") => {}
        Some(_) => return Err(SourceError::NotATable(table.clone())),
        None => return Err(SourceError::NoTable(table.clone())),
    }
    let columns = strings(connection, "SELECT name FROM pragma_table_info(?)", table)?;
    let declared = dataset.columns.keys().map(lango_privacy::Name::as_str).chain([unit.as_str()]);
    let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    for column in declared {
        if !columns.iter().any(|name| is(name, column)) {
            return Err(SourceError::NoColumn { table: table.clone(), column: column.to_owned() });
        }
    }
    if !sole_keys(connection, table)?.iter().any(|key| is(key, unit)) {
        return Err(SourceError::NotUnique { table: table.clone(), column: unit.clone() });
    }
    let sql = "SELECT upper(type) FROM pragma_table_info(?1) WHERE lower(name) = lower(?2)";
    let declared: rusqlite::Result<String> = connection.query_row(sql, [table, unit], |row| row.get(0));
    let declared = declared.map_err(|error| unavailable(&error))?;
    // SQLite's rules of type affinity, https://www.sqlite.org/datatype3.html, section 3.1.
    match ["INT", "CHAR", "CLOB", "TEXT"].into_iter().find(|word| declared.contains(word)) {
        Some("INT") => Ok(UnitType::Integer),
        Some(_) => Ok(UnitType::Text),
        None => Err(SourceError::UnitType { table: table.clone(), column: unit.clone() }),
    }
}

/// The one type of an identifier. A key tells `7`, `'7'` and `x'37'` apart, so rows of another type are dropped, as those
/// with NULL are: a unit in them would be counted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnitType {
    Integer,
    Text,
}

/// The columns that are unique by themselves: a primary key of one column, or a full unique index on one column.
/// NULL units, which SQLite lets repeat, are dropped by every query.
fn sole_keys(connection: &Connection, table: &str) -> Result<Vec<String>, SourceError> {
    let primary = strings(connection, "SELECT name FROM pragma_table_info(?) WHERE pk > 0", table)?;
    let mut keys = if primary.len() == 1 { primary } else { Vec::new() };
    let sql = "SELECT name FROM pragma_index_list(?) WHERE \"unique\" = 1 AND partial = 0";
    for index in strings(connection, sql, table)? {
        // An expression has no name, so an index on one yields none; a key compared otherwise than byte by byte is
        // stricter still, so its collation does not matter.
        let sql = "SELECT coalesce(name, '') FROM pragma_index_xinfo(?) WHERE key = 1";
        if let [column] = strings(connection, sql, &index)?.as_slice() {
            keys.push(column.clone());
        }
    }
    Ok(keys)
}

fn strings(connection: &Connection, sql: &str, of: &str) -> Result<Vec<String>, SourceError> {
    let read = || {
        connection.prepare(sql)?.query_map([of], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
    };
    read().map_err(|error| unavailable(&error))
}

fn fetch(
    connection: &Connection,
    timeout: Duration,
    plan: &Plan,
) -> Result<Exact<Vec<Vec<i64>>>, FetchError> {
    // Preparing reads the schema only: a table that is gone, or no longer has its key, is found before any row is read.
    let unread = |_| FetchError { rows_were_read: false };
    let unit_type = check(connection, &plan.dataset).map_err(|_| FetchError { rows_were_read: false })?;
    let mut statements = Vec::new();
    for margin in &plan.margins {
        let rendered = sql::count_units(plan, unit_type, &margin.by);
        statements.push((margin, connection.prepare(&rendered.text).map_err(unread)?, rendered.values));
    }
    let deadline = Instant::now() + timeout;
    let stop = move || Instant::now() >= deadline;
    connection.progress_handler(STEPS_BETWEEN_CHECKS, Some(stop)).map_err(unread)?;
    let read = FetchError { rows_were_read: true };
    let mut margins = Vec::with_capacity(statements.len());
    for (margin, mut statement, values) in statements {
        let mut tally = Tally::new(&plan.dataset, &plan.layout, &margin.by);
        let dimensions = margin.by.len();
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(|_| read)?;
        while let Some(row) = rows.next().map_err(|_| read)? {
            let mut group = Vec::with_capacity(dimensions);
            for position in 0..dimensions {
                group.push(value(row.get_ref(position).map_err(|_| read)?));
            }
            tally.add(&group, row.get(dimensions).map_err(|_| read)?);
        }
        margins.push(tally.into_cells());
    }
    Ok(Exact::new(margins))
}

fn value(value: ValueRef<'_>) -> Value<'_> {
    match value {
        ValueRef::Null => Value::Missing,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Text(text) => Value::Text(text),
        ValueRef::Real(_) | ValueRef::Blob(_) => Value::Undeclared,
    }
}

#[cfg(test)]
mod tests;
