//! The two databases behind one face: a statement with its values, the rows it returns, and a connection or pool that
//! runs it. Statements have `$1`, `$2`, .. for their values, which both understand.

use std::{sync::OnceLock, time::Duration};

use sqlx::{
    ColumnIndex, ConnectOptions, Connection as _, Decode, PgConnection, PgPool, Postgres, Row as _, Sqlite,
    SqliteConnection, SqlitePool, Type,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgRow},
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use crate::DatabaseError;

/// How long a connection may take.
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a question to the database may take: longer than the server lets a statement run, so that it is the server who
/// ends it wherever it can be reached.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(70);

/// How a connection is made.
#[derive(Debug, Clone)]
pub(crate) enum Options {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

/// A value of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Integer(Option<i64>),
    Text(Option<&'a str>),
    Bytes(Option<&'a [u8]>),
}

/// A statement with its values.
pub(crate) struct Statement<'a> {
    pub(crate) sql: &'static str,
    pub(crate) values: Vec<Value<'a>>,
}

/// Statements that write and need nothing of one another, with one list of values for all of them. PostgreSQL carries them out
/// as one, which spares the way there and back; the order must not matter.
pub(crate) struct Writes {
    parts: &'static [&'static str],
    joined: OnceLock<String>,
}

/// A row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// One connection of either database.
pub(crate) enum Connection {
    Sqlite(Box<SqliteConnection>),
    Postgres(PgConnection),
}

/// The connections that read.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Whatever runs a statement.
pub(crate) trait Run: Send {
    fn all(
        &mut self,
        statement: Statement<'_>,
    ) -> impl Future<Output = Result<Vec<Row>, DatabaseError>> + Send;

    async fn optional(&mut self, statement: Statement<'_>) -> Result<Option<Row>, DatabaseError> {
        Ok(self.all(statement).await?.pop())
    }

    async fn one(&mut self, statement: Statement<'_>) -> Result<Row, DatabaseError> {
        Ok(self.optional(statement).await?.ok_or(sqlx::Error::RowNotFound)?)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Some(value))
    }
}

impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> Statement<'a> {
    pub(crate) fn new(sql: &'static str) -> Self {
        Self { sql, values: Vec::new() }
    }

    /// With the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value<'a>>) -> Self {
        self.values.push(value.into());
        self
    }
}

impl Writes {
    pub(crate) const fn new(parts: &'static [&'static str]) -> Self {
        Self { parts, joined: OnceLock::new() }
    }

    /// One statement that carries out all of them and returns the last one's rows.
    fn joined(&'static self) -> &'static str {
        self.joined.get_or_init(|| {
            let (last, others) = self.parts.split_last().unwrap_or((&"", &[]));
            let part = |(number, part)| format!("part{number} AS ({part})");
            let others: Vec<String> = others.iter().enumerate().map(part).collect();
            format!("WITH {} {last}", others.join(", "))
        })
    }
}

/// The statement as one of the two libraries takes it.
macro_rules! query {
    ($statement:expr, $database:ty) => {
        $statement.values.into_iter().fold(sqlx::query::<$database>($statement.sql), |query, value| {
            match value {
                Value::Integer(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            }
        })
    };
}

impl Row {
    /// The value of a column.
    pub(crate) fn get<T>(&self, column: &'static str) -> Result<T, DatabaseError>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
        &'static str: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }
}

impl Options {
    /// A new connection.
    pub(crate) async fn connect(&self) -> Result<Connection, DatabaseError> {
        let connecting = async {
            Ok(match self {
                Self::Sqlite(options) => Connection::Sqlite(Box::new(unlocked(options).await?)),
                Self::Postgres(options) => Connection::Postgres(options.connect().await?),
            })
        };
        within(CONNECT_TIME_MAX, connecting).await
    }

    /// Connections for so many who read at once; none is made before it is needed.
    pub(crate) fn pool(&self, connections: u32) -> Pool {
        match self {
            Self::Sqlite(options) => {
                let pool = PoolOptions::new().max_connections(connections).acquire_timeout(CONNECT_TIME_MAX);
                Pool::Sqlite(pool.connect_lazy_with(SqliteConnectOptions::clone(options)))
            }
            Self::Postgres(options) => {
                let pool = PoolOptions::new().max_connections(connections).acquire_timeout(CONNECT_TIME_MAX);
                Pool::Postgres(pool.connect_lazy_with(PgConnectOptions::clone(options)))
            }
        }
    }
}

impl Connection {
    /// Runs statements that take no values.
    pub(crate) async fn raw(&mut self, sql: &'static str) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(sql).execute(&mut **connection).await.map(|_| ())?,
            Self::Postgres(connection) => sqlx::raw_sql(sql).execute(connection).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Carries out all of them, and returns the last one's rows.
    pub(crate) async fn together(
        &mut self,
        writes: &'static Writes,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        if let Self::Postgres(_) = self {
            return self.all(Statement { sql: writes.joined(), values: values.to_vec() }).await;
        }
        let mut rows = Vec::new();
        for sql in writes.parts {
            rows = self.all(Statement { sql, values: values.to_vec() }).await?;
        }
        Ok(rows)
    }

    /// Ends the connection in good order, so that an SQLite store is one file again.
    pub(crate) async fn close(self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(connection) => connection.close().await?,
            Self::Postgres(connection) => connection.close().await?,
        }
        Ok(())
    }
}

impl Run for Connection {
    async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<Row>, DatabaseError> {
        Ok(match self {
            Self::Sqlite(connection) => {
                let rows = query!(statement, Sqlite).fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(connection) => {
                let rows = query!(statement, Postgres).fetch_all(connection).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }
}

impl Run for Pool {
    async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<Row>, DatabaseError> {
        let reading = async {
            Ok(match self {
                Self::Sqlite(pool) => {
                    let rows = query!(statement, Sqlite).fetch_all(&*pool).await?;
                    rows.into_iter().map(Row::Sqlite).collect()
                }
                Self::Postgres(pool) => {
                    let rows = query!(statement, Postgres).fetch_all(&*pool).await?;
                    rows.into_iter().map(Row::Postgres).collect()
                }
            })
        };
        within(TIME_MAX, reading).await
    }
}

impl Pool {
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A connection to a file. Whoever opens an empty one turns its journal around, and SQLite does not wait for another who does
/// the same, as it does for every other lock.
async fn unlocked(options: &SqliteConnectOptions) -> Result<SqliteConnection, DatabaseError> {
    loop {
        match options.connect().await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("5") => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            connected => return Ok(connected?),
        }
    }
}

/// What a future returns, or that it took too long.
pub(crate) async fn within<T>(
    time: Duration,
    future: impl Future<Output = Result<T, DatabaseError>>,
) -> Result<T, DatabaseError> {
    tokio::time::timeout(time, future).await.unwrap_or(Err(DatabaseError::TimedOut))
}
