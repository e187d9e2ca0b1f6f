//! Sending statements, and reading what comes back.

use sqlx::{
    AssertSqlSafe, Executor, PgConnection, Row, SqlSafeStr, Statement as _,
    postgres::{PgArguments, PgRow, PgTypeInfo},
    query::Query,
};
use tokio_stream::StreamExt;

use super::dialect::PostgresDialect;
use crate::{
    SourceError,
    failure::unavailable,
    grouped::ServerValue,
    server::View,
    sql::{Bind, Dialect, GroupSelect, Rendered},
};

impl View for PgConnection {
    const DIALECT: &'static dyn Dialect = &PostgresDialect;

    async fn prepare(&mut self, sql: &Rendered) -> sqlx::Result<()> {
        let types: Vec<PgTypeInfo> = sql.binds.iter().map(type_of).collect();
        let statement = self.prepare_with(AssertSqlSafe(sql.text.clone()).into_sql_str(), &types).await?;
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

/// How the server would carry out these statements.
pub(super) async fn explain(
    view: &mut PgConnection,
    statements: Vec<GroupSelect>,
) -> Result<Vec<String>, SourceError> {
    let mut lines = Vec::new();
    for GroupSelect { sql, .. } in statements {
        let text = format!("EXPLAIN (VERBOSE, COSTS OFF) {}", sql.text);
        let rows = query(&Rendered { text, ..sql }).persistent(false).fetch_all(&mut *view).await;
        for row in rows.map_err(|error| unavailable(&error))? {
            lines.push(row.try_get(0).map_err(|error| unavailable(&error))?);
        }
    }
    Ok(lines)
}

fn type_of(bind: &Bind) -> PgTypeInfo {
    match bind {
        Bind::Text(_) => PgTypeInfo::with_name("TEXT"),
        Bind::Numbers(_) => PgTypeInfo::with_name("INT8[]"),
        Bind::Secret(_) => PgTypeInfo::with_name("BYTEA"),
    }
}

/// A statement with its parameters.
pub(super) fn query(sql: &Rendered) -> Query<'static, sqlx::Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.text.clone()));
    sql.binds.iter().fold(query, |query, bind| match bind {
        Bind::Text(text) => query.bind(text.clone()),
        Bind::Numbers(numbers) => query.bind(numbers.to_vec()),
        Bind::Secret(secret) => query.bind(secret.bytes().to_vec()),
    })
}

fn read(row: &PgRow, statement: &GroupSelect, values: &mut Vec<ServerValue>) -> sqlx::Result<()> {
    values.clear();
    for (position, is_text) in statement.texts().enumerate() {
        values.push(match is_text {
            true => row
                .try_get_unchecked::<Option<String>, _>(position)?
                .map_or(ServerValue::Null, |text| ServerValue::Text(text.into())),
            false => row
                .try_get_unchecked::<Option<i64>, _>(position)?
                .map_or(ServerValue::Null, ServerValue::Number),
        });
    }
    Ok(())
}
