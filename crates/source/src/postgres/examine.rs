//! Who answers, and what the gateway's user may do there.

use sqlx::{Connection, PgConnection, PgPool, Row};

use super::dialect::PostgresDialect;
use crate::{Examination, SourceError, failure::unavailable, server, sql::Dialect};

pub(super) async fn examine(
    pool: &PgPool,
    schema: Option<&str>,
    tables: &[&str],
) -> Result<Examination, SourceError> {
    let mut connection = server::connect(pool.connect_options().as_ref()).await?;
    let found = inspect(&mut connection, schema, tables).await.map_err(|error| unavailable(&error));
    drop(connection.close().await);
    found
}

async fn inspect(
    connection: &mut PgConnection,
    schema: Option<&str>,
    tables: &[&str],
) -> sqlx::Result<Examination> {
    let sql = "SELECT current_setting('server_version')::text, (SELECT version::text FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl), \
               (SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout')";
    let row = sqlx::query(sql).fetch_one(&mut *connection).await?;
    let (version, tls): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    let timeout: i64 = row.try_get(2)?;
    let mut may_change = Vec::new();
    for table in tables {
        let quoted = table.split('.').map(|part| PostgresDialect.quoted(part)).collect::<Vec<_>>().join(".");
        let sql = "SELECT coalesce(has_table_privilege(to_regclass($1)::oid, 'INSERT, UPDATE, DELETE, TRUNCATE'), false)";
        let row = sqlx::query(sql).bind(quoted).fetch_one(&mut *connection).await?;
        if row.try_get(0)? {
            may_change.push((*table).to_owned());
        }
    }
    let may_prepare = match schema {
        None => None,
        Some(schema) => {
            let sql = "SELECT coalesce(has_schema_privilege(to_regnamespace($1)::oid, 'CREATE'), false)";
            let quoted = PostgresDialect.quoted(schema);
            Some(sqlx::query(sql).bind(quoted).fetch_one(&mut *connection).await?.try_get(0)?)
        }
    };
    Ok(Examination {
        engine: format!("PostgreSQL {version}"),
        tls,
        statement_timeout_ms: u64::try_from(timeout).ok(),
        may_change,
        may_prepare,
    })
}
