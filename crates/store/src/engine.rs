//! The two databases behind one face: the rows that a statement returns, and a connection or pool that runs it.

use std::time::Duration;

use sqlx::{
    ColumnIndex, ConnectOptions, Connection as _, Decode, PgPool, Postgres, Row as _, Sqlite,
    SqliteConnection, SqlitePool, Type,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgRow},
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use crate::{
    DatabaseError,
    pooler::OwnConnection,
    statement::{BoundStatement, Together, Value},
};

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

/// A row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// One connection of either database.
pub(crate) enum Connection {
    Sqlite(Box<SqliteConnection>),
    Postgres(OwnConnection),
}

/// The connections that read.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs a statement: a connection, or a pool of them.
pub(crate) trait Run: Send {
    fn fetch(
        &mut self,
        sql: &'static str,
        values: Vec<Value<'_>>,
    ) -> impl Future<Output = Result<Vec<Row>, DatabaseError>> + Send;

    async fn all(&mut self, statement: BoundStatement<'_>) -> Result<Vec<Row>, DatabaseError> {
        self.fetch(statement.sql(), statement.values).await
    }

    async fn optional(&mut self, statement: BoundStatement<'_>) -> Result<Option<Row>, DatabaseError> {
        Ok(self.all(statement).await?.pop())
    }

    async fn one(&mut self, statement: BoundStatement<'_>) -> Result<Row, DatabaseError> {
        Ok(self.optional(statement).await?.ok_or(sqlx::Error::RowNotFound)?)
    }
}

/// The statement as one of the two libraries takes it.
macro_rules! query {
    ($sql:expr, $values:expr, $database:ty) => {
        $values.into_iter().fold(sqlx::query::<$database>($sql), |query, value| match value {
            Value::Integer(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
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
                Self::Postgres(options) => Connection::Postgres(OwnConnection::make(options).await?),
            })
        };
        within(CONNECT_TIME_MAX, connecting).await
    }

    /// Connections for this number of readers at once; none is made before it is needed.
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
            Self::Postgres(own) => sqlx::raw_sql(sql).execute(&mut own.connection).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Carries out all of them, and returns the last one's rows.
    pub(crate) async fn together(
        &mut self,
        together: &'static Together,
        statements: Vec<BoundStatement<'_>>,
    ) -> Result<Vec<Row>, DatabaseError> {
        if let Self::Postgres(_) = self {
            let sql = together.sql(&statements);
            let values = statements.into_iter().flat_map(|statement| statement.values).collect();
            return self.fetch(sql, values).await;
        }
        let mut rows = Vec::new();
        for statement in statements {
            rows = self.all(statement).await?;
        }
        Ok(rows)
    }

    /// Refuses a server behind a pooler; see [`OwnConnection::check`].
    pub(crate) async fn check(&mut self, options: &Options) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(own) => match options {
                Options::Postgres(options) => own.check(options, CONNECT_TIME_MAX).await,
                Options::Sqlite(_) => Ok(()),
            },
        }
    }

    /// Ends the connection in good order, so that an SQLite store is one file again.
    pub(crate) async fn close(self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(connection) => connection.close().await?,
            Self::Postgres(own) => own.connection.close().await?,
        }
        Ok(())
    }
}

impl Run for Connection {
    async fn fetch(&mut self, sql: &'static str, values: Vec<Value<'_>>) -> Result<Vec<Row>, DatabaseError> {
        Ok(match self {
            Self::Sqlite(connection) => {
                let rows = query!(sql, values, Sqlite).fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(own) => {
                let rows = query!(sql, values, Postgres).fetch_all(&mut own.connection).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }
}

impl Run for Pool {
    async fn fetch(&mut self, sql: &'static str, values: Vec<Value<'_>>) -> Result<Vec<Row>, DatabaseError> {
        let reading = async {
            Ok(match self {
                Self::Sqlite(pool) => {
                    let rows = query!(sql, values, Sqlite).fetch_all(&*pool).await?;
                    rows.into_iter().map(Row::Sqlite).collect()
                }
                Self::Postgres(pool) => {
                    let rows = query!(sql, values, Postgres).fetch_all(&*pool).await?;
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

/// A connection to a file. The first one turns its journal around, and SQLite does not wait for another that does the same, as it
/// does for every other lock.
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
