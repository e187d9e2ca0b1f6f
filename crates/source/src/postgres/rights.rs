//! What the server keeps from the gateway's user: tables and columns without SELECT, and rows by row-level security.

use lango_privacy::Dataset;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{behind::silent_server, catalogue::Relation, session::unnamed};
use crate::{RowSecurity, SourceError, failure::unavailable, sql::Typed};

/// Refuses a table that the gateway's user may not read, or of which it may not read something that is declared.
pub(super) async fn may_read(
    view: &mut PgConnection,
    relation: &Relation,
    dataset: &Dataset,
    typed: &Typed,
) -> Result<(), SourceError> {
    let columns = unread(view, relation.oid).await.map_err(|error| unavailable(&error))?;
    let Some(columns) = columns else {
        return Err(SourceError::NoSelect { table: dataset.table.clone(), columns: Vec::new() });
    };
    let mut columns: Vec<String> =
        typed.names().filter(|name| columns.iter().any(|column| column == name)).map(str::to_owned).collect();
    columns.sort();
    columns.dedup();
    if columns.is_empty() {
        return Ok(());
    }
    Err(SourceError::NoSelect { table: dataset.table.clone(), columns })
}

/// The columns that it may not read; none where it may read no column.
async fn unread(view: &mut PgConnection, oid: i64) -> sqlx::Result<Option<Vec<String>>> {
    let sql = "SELECT a.attname::text, has_column_privilege(a.attrelid, a.attnum, 'SELECT') FROM pg_attribute a \
               WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped";
    let rows = unnamed(sql).bind(oid).fetch_all(view).await?;
    let (mut unread, mut is_any_read) = (Vec::new(), false);
    for row in &rows {
        match row.try_get(1)? {
            true => is_any_read = true,
            false => unread.push(row.try_get(0)?),
        }
    }
    Ok(is_any_read.then_some(unread))
}

/// The rules by which row-level security chooses the rows that the gateway's user is given, where it does: they are part of
/// what a preparation was made from. Refuses a table whose rows are chosen unless the office says that this is meant, and
/// rules that depend on more than the row itself.
///
/// The rules of another server are not to be seen: where one is behind the table, it must be set to raise an error instead.
///
/// The rules of a partition or of a child do not count where it is read through its parent. Those of a table behind a view are
/// found when the server prepares a statement.
pub(super) async fn row_security(
    view: &mut PgConnection,
    relation: &Relation,
    dataset: &Dataset,
    wanted: RowSecurity,
) -> Result<Option<String>, SourceError> {
    let table = || dataset.table.clone();
    if wanted == RowSecurity::Refused
        && let Some(server) = silent_server(view, relation.oid).await.map_err(|error| unavailable(&error))?
    {
        return Err(SourceError::ForeignRows { table: table(), server });
    }
    if !is_filtered(view, relation.oid).await.map_err(|error| unavailable(&error))? {
        return Ok(None);
    }
    match wanted {
        RowSecurity::Refused => Err(SourceError::RowSecurity { table: table() }),
        RowSecurity::Filters => {
            let policies = policies(view, relation.oid).await.map_err(|error| unavailable(&error))?;
            if let Some((policy, ..)) = policies.iter().find(|(_, _, is_query)| *is_query) {
                return Err(SourceError::RowPolicy { table: table(), policy: policy.clone() });
            }
            Ok(Some(policies.into_iter().map(|(name, text, _)| format!("{name} {text}\n")).collect()))
        }
    }
}

/// Whether row-level security chooses the rows of a table that the connection's user is given.
pub(super) async fn is_filtered(view: &mut PgConnection, oid: i64) -> sqlx::Result<bool> {
    unnamed("SELECT row_security_active($1::oid)").bind(oid).fetch_one(view).await?.try_get(0)
}

/// The policies for reading: their names, all that they say, and whether they hold a query of their own.
async fn policies(view: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<(String, String, bool)>> {
    let sql = "SELECT polname::text, concat_ws(' ', polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid)), \
               coalesce(polqual::text LIKE '%{SUBLINK %', false) \
               FROM pg_policy WHERE polrelid = $1::oid AND polcmd IN ('r', '*') ORDER BY polname";
    let rows = unnamed(sql).bind(oid).fetch_all(view).await?;
    let read = |row: &PgRow| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    rows.iter().map(read).collect()
}
