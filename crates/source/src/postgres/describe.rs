//! What the catalogue says of all tables.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::{
    catalogue::{columns, sole_keys},
    session::{on_usual_path, unnamed},
};
use crate::{
    ColumnDescription, Suggested, TableDescription,
    sql::{ColumnType, Listed, Made},
};

/// The tables outside the server's own schemas, with their columns.
pub(super) async fn tables(view: &mut PgConnection) -> Result<Vec<TableDescription>, crate::SourceError> {
    let sql = "SELECT c.oid::bigint, c.relname::text, n.nspname::text, c.reltuples::float8 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
               AND n.nspname !~ '^pg_toast' AND c.relname !~ '^lango_prepar' \
               AND has_table_privilege(c.oid, 'SELECT') ORDER BY n.nspname, c.relname";
    let unavailable = |error: sqlx::Error| crate::failure::unavailable(&error);
    let visible = visible(view).await.map_err(unavailable)?;
    let rows = unnamed(sql).fetch_all(&mut *view).await.map_err(unavailable)?;
    let mut tables = Vec::new();
    for row in rows {
        let (oid, name): (i64, String) =
            (row.try_get(0).map_err(unavailable)?, row.try_get(1).map_err(unavailable)?);
        let schema: String = row.try_get(2).map_err(unavailable)?;
        let name = if visible.contains(&oid.to_string()) { name } else { format!("{schema}.{name}") };
        let estimate: f64 = row.try_get(3).map_err(unavailable)?;
        let keys = sole_keys(view, oid).await?;
        let labels = labels(view, oid).await.map_err(unavailable)?;
        let described = columns(view, oid).await?.into_iter().map(|(listed, ..)| {
            let Listed { name, declared, kind, made, .. } = listed;
            let listed: Vec<String> =
                labels.iter().filter(|(column, _)| *column == name).map(|(_, label)| label.clone()).collect();
            let suggested = match (kind, declared.as_str()) {
                _ if !listed.is_empty() => Suggested::Codes(listed),
                (Some(ColumnType::Word), "boolean") => Suggested::Codes(vec!["true".into(), "false".into()]),
                (Some(ColumnType::Integer | ColumnType::Unsigned), _) => Suggested::Integer,
                (Some(ColumnType::Decimal(scale)), _) => Suggested::Amount(scale),
                (Some(ColumnType::Text { .. } | ColumnType::Word), _) => Suggested::Text,
                (Some(ColumnType::Numeric | ColumnType::Float), _) => Suggested::Amount(2),
                (Some(ColumnType::Moment), _) if made == Made::AtPlace => Suggested::Moment,
                (Some(ColumnType::Day | ColumnType::Moment), _) => Suggested::Date,
                (None, _) => Suggested::Nothing,
            };
            let unique = keys.contains(&name);
            ColumnDescription { name, declared, suggested, unique }
        });
        let columns = described.collect();
        // Never analysed: the catalogue does not know.
        let rows = (estimate >= 0.0).then_some(estimate as u64);
        tables.push(TableDescription { name, rows, columns });
    }
    Ok(tables)
}

/// What the server finds by its name alone on its user's path. The statement itself finds nothing there but the server's own.
async fn visible(view: &mut PgConnection) -> sqlx::Result<BTreeSet<String>> {
    let sql = on_usual_path(
        "SELECT c.oid::pg_catalog.text FROM pg_catalog.pg_class AS c WHERE pg_catalog.pg_table_is_visible(c.oid)",
    );
    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(view).await?;
    rows.iter().map(|row| row.try_get_unchecked(0)).collect()
}

/// The labels of the columns that are enumerations, in their order.
async fn labels(view: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<(String, String)>> {
    let sql = "SELECT a.attname::text, e.enumlabel::text FROM pg_attribute a JOIN pg_enum e ON e.enumtypid = a.atttypid \
               WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum, e.enumsortorder";
    let rows = unnamed(sql).bind(oid).fetch_all(view).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
