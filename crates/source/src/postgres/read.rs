//! Sending statements, and reading what comes back.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{
    AssertSqlSafe, PgConnection, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tokio_stream::StreamExt;

use super::{dialect::PostgresDialect, session::unnamed};
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
        // By the server's own command, which reads no row, under a name that lives as long as this message. The driver would keep
        // a name on the connection, which may be another one's behind a pooler.
        static STATEMENTS: AtomicU64 = AtomicU64::new(0);
        let number = STATEMENTS.fetch_add(1, Ordering::Relaxed);
        let name = format!("lango_{}_{number}", std::process::id());
        let types: Vec<&str> = sql.binds.iter().map(type_of).collect();
        let types = if types.is_empty() { String::new() } else { format!(" ({})", types.join(", ")) };
        let text = format!("PREPARE {name}{types} AS {}; DEALLOCATE {name}", sql.text);
        sqlx::raw_sql(AssertSqlSafe(text)).execute(self).await.map(drop)
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
        let rows = query(&Rendered { text, ..sql }).fetch_all(&mut *view).await;
        for row in rows.map_err(|error| unavailable(&error))? {
            lines.push(row.try_get(0).map_err(|error| unavailable(&error))?);
        }
    }
    Ok(lines)
}

/// Has the server plan a statement, which shows what it would refuse when it carries it out; reads no row.
pub(super) async fn plan(view: &mut PgConnection, sql: Rendered) -> Result<(), SourceError> {
    let text = format!("EXPLAIN (COSTS OFF) {}", sql.text);
    let planned = query(&Rendered { text, ..sql }).execute(view).await;
    planned.map(drop).map_err(|error| unavailable(&error))
}

fn type_of(bind: &Bind) -> &'static str {
    match bind {
        Bind::Text(_) => "text",
        Bind::Numbers(_) => "bigint[]",
        Bind::Secret(_) => "bytea",
    }
}

/// A statement with its parameters.
pub(super) fn query(sql: &Rendered) -> Query<'static, sqlx::Postgres, PgArguments> {
    let query = unnamed(AssertSqlSafe(sql.text.clone()));
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
