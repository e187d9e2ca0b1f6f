//! Sending statements, and reading what comes back.

use sqlx::{
    AssertSqlSafe, Executor, MySql, MySqlConnection, Row, SqlSafeStr, Statement as _,
    mysql::{MySqlArguments, MySqlRow},
    query::Query,
};
use tokio_stream::StreamExt;

use super::dialect::MariaDbDialect;
use crate::{
    grouped::ServerValue,
    server::View,
    sql::{Bind, Dialect, GroupSelect, Rendered},
};

impl View for MySqlConnection {
    const DIALECT: &'static dyn Dialect = &MariaDbDialect;

    async fn prepare(&mut self, sql: &Rendered) -> sqlx::Result<()> {
        let text = AssertSqlSafe(sql.text.clone()).into_sql_str();
        let statement = Executor::prepare(&mut *self, text).await?;
        // Names and types of the result; no row.
        statement.columns();
        Ok(())
    }

    async fn each(
        &mut self,
        statement: &GroupSelect,
        mut add: impl FnMut(&[ServerValue]) + Send,
    ) -> sqlx::Result<()> {
        let mut rows = query(&statement.sql).fetch(&mut *self);
        let mut values = Vec::new();
        while let Some(row) = rows.next().await {
            read(&row?, statement, &mut values)?;
            add(&values);
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

fn read(row: &MySqlRow, statement: &GroupSelect, values: &mut Vec<ServerValue>) -> sqlx::Result<()> {
    values.clear();
    for (position, is_text) in statement.texts().enumerate() {
        values.push(match is_text {
            true => row
                .try_get_unchecked::<Option<Vec<u8>>, _>(position)?
                .map_or(ServerValue::Null, ServerValue::Text),
            false => row
                .try_get_unchecked::<Option<i64>, _>(position)?
                .map_or(ServerValue::Null, ServerValue::Number),
        });
    }
    Ok(())
}
