//! Plain SQL without any privacy, by the client that the gateway uses.

use lango_testkit::{Engine, TestDatabase};
use rusqlite::Connection;
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, Row};
use tokio_stream::StreamExt;

use crate::{Failure, naive};

/// Rows by country and sex.
pub(crate) fn counts(from: &str) -> String {
    format!("SELECT country, sex, count(*) FROM {from} GROUP BY country, sex")
}

/// Persons by country and sex.
pub(crate) fn distinct(from: &str) -> String {
    format!("SELECT country, sex, count(DISTINCT person_id) FROM {from} GROUP BY country, sex")
}

/// What stands in each column, and how many persons have how many rows.
pub(crate) fn each_column(from: &str) -> Vec<String> {
    let columns = ["country", "sex", "age", "income"];
    let mut statements =
        columns.map(|column| format!("SELECT {column}, count(*) FROM {from} GROUP BY {column}")).to_vec();
    statements.push(format!(
        "SELECT n, count(*) FROM (SELECT count(*) AS n FROM {from} GROUP BY person_id) AS persons GROUP BY n"
    ));
    statements
}

/// One connection.
pub(crate) enum Plain {
    Sqlite(Box<Connection>),
    Postgres(Box<PgConnection>),
    MariaDb(Box<MySqlConnection>),
}

impl Plain {
    /// As the database's owner, over the TLS that gateways use.
    pub(crate) async fn of(database: &TestDatabase) -> Result<Self, Failure> {
        Ok(match database.engine() {
            Engine::Sqlite => {
                let connection = Connection::open(database.file())?;
                naive::define(&connection)?;
                connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA temp_store = FILE")?;
                Self::Sqlite(Box::new(connection))
            }
            Engine::Postgres => {
                let options = database.owner().postgres()?;
                Self::Postgres(Box::new(PgConnection::connect_with(&options).await?))
            }
            Engine::MariaDb => {
                let options = database.owner().mariadb()?;
                Self::MariaDb(Box::new(MySqlConnection::connect_with(&options).await?))
            }
        })
    }

    /// How many cells a statement finds, and the sum of their counts.
    pub(crate) async fn read(&mut self, sql: &str) -> Result<(usize, i64), Failure> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let (mut cells, mut total) = (0, 0);
        let mut add = |country: String, sex: String, count: i64| {
            assert!(!country.is_empty() && !sex.is_empty());
            cells += 1;
            total += count;
        };
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql)?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    add(row.get(0)?, row.get(1)?, row.get(2)?);
                }
            }
            Self::Postgres(connection) => {
                let mut rows = query.fetch(&mut **connection);
                while let Some(row) = rows.next().await.transpose()? {
                    let count: String = row.try_get_unchecked(2)?;
                    add(row.try_get(0)?, row.try_get(1)?, count.parse()?);
                }
            }
            Self::MariaDb(connection) => {
                let mut rows = query.fetch(&mut **connection);
                while let Some(row) = rows.next().await.transpose()? {
                    let count: String = row.try_get_unchecked(2)?;
                    add(row.try_get(0)?, row.try_get(1)?, count.parse()?);
                }
            }
        }
        Ok((cells, total))
    }

    /// Carries a statement out and takes each of its rows; how many those are.
    pub(crate) async fn take(&mut self, sql: &str) -> Result<usize, Failure> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        Ok(match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql)?;
                let mut rows = statement.query([])?;
                let mut taken = 0;
                while rows.next()?.is_some() {
                    taken += 1;
                }
                taken
            }
            Self::Postgres(connection) => query.fetch_all(&mut **connection).await?.len(),
            Self::MariaDb(connection) => query.fetch_all(&mut **connection).await?.len(),
        })
    }

    /// Copies what stands in a `FROM` into a table, which is dropped again; how many rows those are.
    pub(crate) async fn copy(&mut self, from: &str) -> Result<u64, Failure> {
        let create = format!("CREATE TABLE copied AS SELECT * FROM {from}");
        let drop = "DROP TABLE copied";
        match self {
            Self::Sqlite(connection) => {
                connection.execute_batch(&create)?;
                let rows: i64 =
                    connection.query_row("SELECT max(rowid) FROM copied", [], |row| row.get(0))?;
                connection.execute_batch(drop)?;
                Ok(rows.try_into()?)
            }
            Self::Postgres(connection) => {
                let done = sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut **connection).await?;
                sqlx::raw_sql(drop).execute(&mut **connection).await?;
                Ok(done.rows_affected())
            }
            Self::MariaDb(connection) => {
                let done = sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut **connection).await?;
                sqlx::raw_sql(drop).execute(&mut **connection).await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Of the engine.
    pub(crate) async fn version(&mut self) -> Result<String, Failure> {
        Ok(match self {
            Self::Sqlite(_) => rusqlite::version().to_owned(),
            Self::Postgres(connection) => {
                sqlx::query_scalar("SHOW server_version").fetch_one(&mut **connection).await?
            }
            Self::MariaDb(connection) => {
                sqlx::query_scalar("SELECT version()").fetch_one(&mut **connection).await?
            }
        })
    }
}
