//! Sending statements, and reading what comes back.

use sqlx::{
    AssertSqlSafe, Executor, MySql, MySqlConnection, Row, SqlSafeStr, Statement as _,
    mysql::{MySqlArguments, MySqlRow},
    query::Query,
};
use tokio_stream::StreamExt;

use super::dialect::MariaDbDialect;
use crate::{
    grouped::Cell,
    server::View,
    sql::{Bind, Dialect, Rendered, Statement},
};

impl View for MySqlConnection {
    const DIALECT: &'static dyn Dialect = &MariaDbDialect;

    async fn prepare(&mut self, sql: &Rendered) -> sqlx::Result<()> {
        let text = AssertSqlSafe(sql.text.clone()).into_sql_str();
        let statement = Executor::prepare(&mut *self, text).await?;
        // Names and types of what it tells; no row.
        statement.columns();
        Ok(())
    }

    async fn each(&mut self, statement: &Statement, mut add: impl FnMut(&[Cell]) + Send) -> sqlx::Result<()> {
        let mut rows = query(&statement.sql).fetch(&mut *self);
        let mut cells = Vec::new();
        while let Some(row) = rows.next().await {
            read(&row?, statement, &mut cells)?;
            add(&cells);
        }
        Ok(())
    }
}

/// A statement with its parameters.
pub(super) fn query(sql: &Rendered) -> Query<'static, MySql, MySqlArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.text.clone()));
    sql.binds.iter().fold(query, |query, bind| match bind {
        Bind::Text(text) => query.bind(text.clone()),
        Bind::Secret(secret) => query.bind(secret.bytes().to_vec()),
        // They stand in the statement itself: there are no arrays.
        Bind::Numbers(_) => query,
    })
}

fn read(row: &MySqlRow, statement: &Statement, cells: &mut Vec<Cell>) -> sqlx::Result<()> {
    cells.clear();
    for (position, is_text) in statement.texts().enumerate() {
        cells.push(match is_text {
            true => row.try_get_unchecked::<Option<Vec<u8>>, _>(position)?.map_or(Cell::Null, Cell::Text),
            false => row.try_get_unchecked::<Option<i64>, _>(position)?.map_or(Cell::Null, Cell::Number),
        });
    }
    Ok(())
}
