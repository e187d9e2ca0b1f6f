//! Who answers, and what the gateway's user may do there.

use sqlx::{Connection, PgConnection, Row};

use super::{
    behind::{functions, mixing, read},
    catalogue::{HeldTable, held},
    collation::outdated,
    dialect::PostgresDialect,
    place::Place,
    session::{Sessions, unnamed},
};
use crate::{Behind, Examination, MixingView, ReadTable, SourceError, failure::unavailable, sql::Dialect};

pub(super) async fn examine(
    sessions: &Sessions,
    schema: Option<&str>,
    tables: &[&str],
) -> Result<Examination, SourceError> {
    let mut connection = sessions.connect().await?;
    let mut view = sessions.read_on(&mut connection).await?;
    let found = inspect(&mut view, schema, tables).await.map_err(|error| unavailable(&error));
    drop(view);
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
    let row = unnamed(sql).fetch_one(&mut *connection).await?;
    let (version, tls): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    let timeout: i64 = row.try_get(2)?;
    let (mut may_change, mut outdated_indexes, mut called) = (Vec::new(), Vec::new(), Vec::new());
    let (mut mixing_views, mut behind) = (Vec::new(), Vec::new());
    let place = Place::of(connection).await?;
    for table in tables {
        let Some(HeldTable { oid, .. }) = held(connection, table).await? else { continue };
        let sql = "SELECT has_table_privilege($1::oid, 'INSERT, UPDATE, DELETE, TRUNCATE')";
        let row = unnamed(sql).bind(oid).fetch_one(&mut *connection).await?;
        if row.try_get::<Option<bool>, _>(0)? == Some(true) {
            may_change.push((*table).to_owned());
        }
        let by = mixing(connection, oid).await?;
        if !by.is_empty() {
            mixing_views.push(MixingView { table: (*table).to_owned(), by: Some(by) });
        }
        let read = read(connection, oid).await?.into_iter();
        let reads: Vec<ReadTable> =
            read.map(|(oid, name)| ReadTable { name, reached: place.reached(&oid.to_string()) }).collect();
        if !reads.is_empty() {
            behind.push(Behind { table: (*table).to_owned(), reads, unseen: Vec::new() });
        }
        outdated_indexes.extend(outdated(connection, oid).await?.into_iter().map(|(_, index)| index));
        called.extend(functions(connection, oid).await?);
    }
    called.sort();
    called.dedup();
    let may_prepare = match schema {
        None => None,
        Some(schema) => {
            let sql = "SELECT coalesce(has_schema_privilege(to_regnamespace($1)::oid, 'CREATE'), false)";
            let quoted = PostgresDialect.quoted(schema);
            Some(unnamed(sql).bind(quoted).fetch_one(&mut *connection).await?.try_get(0)?)
        }
    };
    Ok(Examination {
        engine: format!("PostgreSQL {version}"),
        tls,
        statement_timeout_ms: u64::try_from(timeout).ok(),
        may_change,
        outdated: outdated_indexes,
        called,
        may_prepare,
        imported: Vec::new(),
        mixing: mixing_views,
        behind,
    })
}
