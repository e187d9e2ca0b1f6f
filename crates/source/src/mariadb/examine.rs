//! Who answers, and what the gateway's user may do there. Rights that come by a role are not seen.

use sqlx::{Connection, MySqlConnection, MySqlPool, Row, mysql::MySqlRow};

use super::{behind::behind, catalogue::text, place::Place};
use crate::{Examination, MixingView, SourceError, failure::unavailable, server};

/// The grantee of the connection's user, as the catalogue writes it.
const SELF: &str = "concat('''', replace(CURRENT_USER(), '@', '''@'''), '''')";
const CHANGES: &str = "('INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER')";

pub(super) async fn examine(
    pool: &MySqlPool,
    schema: Option<&str>,
    tables: &[&str],
) -> Result<Examination, SourceError> {
    let mut connection = server::connect(pool.connect_options().as_ref()).await?;
    let found = inspect(&mut connection, schema, tables).await.map_err(|error| unavailable(&error));
    drop(connection.close().await);
    let mut found = found?;
    // The pool sets the time as it makes a connection.
    let read = sqlx::query("SELECT CAST(@@max_statement_time * 1000 AS SIGNED)").fetch_one(pool).await;
    let timeout = read.and_then(|row| row.try_get_unchecked::<i64, _>(0));
    found.statement_timeout_ms = u64::try_from(timeout.map_err(|error| unavailable(&error))?).ok();
    Ok(found)
}

async fn inspect(
    connection: &mut MySqlConnection,
    schema: Option<&str>,
    tables: &[&str],
) -> sqlx::Result<Examination> {
    let version = text(&sqlx::query("SELECT VERSION()").fetch_one(&mut *connection).await?, 0)?;
    let tls =
        text(&sqlx::query("SHOW SESSION STATUS LIKE 'Ssl_version'").fetch_one(&mut *connection).await?, 1)?;
    let mut may_change = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT (SELECT count(*) FROM information_schema.user_privileges WHERE grantee = {SELF} AND privilege_type IN {CHANGES}) + \
             (SELECT count(*) FROM information_schema.schema_privileges WHERE grantee = {SELF} AND coalesce(?, DATABASE()) LIKE table_schema \
              AND privilege_type IN {CHANGES}) + \
             (SELECT count(*) FROM information_schema.table_privileges WHERE grantee = {SELF} AND table_schema = coalesce(?, DATABASE()) \
              AND table_name = ? AND privilege_type IN {CHANGES})"
        );
        let (schema, name) =
            table.split_once('.').map_or((None, *table), |(schema, name)| (Some(schema), name));
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(schema).bind(schema).bind(name);
        let row = query.fetch_one(&mut *connection).await?;
        if count(&row)? > 0 {
            may_change.push((*table).to_owned());
        }
    }
    let place = Place::of(connection).await?;
    let mut views = Vec::new();
    for table in tables {
        views.extend(behind(connection, &place, table).await?);
    }
    // What views do with rows stands in their text alone.
    let mixing = views.iter().map(|view| MixingView { table: view.table.clone(), by: None }).collect();
    let may_prepare = match schema {
        None => None,
        Some(schema) => {
            let sql = format!(
                "SELECT (SELECT count(*) FROM information_schema.schemata WHERE schema_name = ?) > 0 AND \
                 (SELECT count(*) FROM information_schema.user_privileges WHERE grantee = {SELF} AND privilege_type = 'CREATE') + \
                 (SELECT count(*) FROM information_schema.schema_privileges WHERE grantee = {SELF} AND ? LIKE table_schema \
                  AND privilege_type = 'CREATE') > 0"
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(schema).bind(schema);
            Some(count(&query.fetch_one(&mut *connection).await?)? > 0)
        }
    };
    Ok(Examination {
        engine: format!("MariaDB {version}"),
        tls: Some(tls).filter(|tls| !tls.is_empty()),
        statement_timeout_ms: None,
        may_change,
        outdated: Vec::new(),
        called: Vec::new(),
        may_prepare,
        imported: Vec::new(),
        mixing,
        behind: views,
    })
}

fn count(row: &MySqlRow) -> sqlx::Result<i64> {
    row.try_get_unchecked(0)
}
