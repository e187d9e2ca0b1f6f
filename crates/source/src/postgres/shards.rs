//! A table in partitions on other servers: which parts it has, and whether each server's own catalogue vouches for one row
//! per unit.

use std::collections::BTreeMap;

use lango_privacy::Dataset;
use sqlx::{PgConnection, PgPool, Row};

use super::catalogue::{columns, qualified, sole_keys};
use crate::{
    SourceError,
    count::UnitType,
    failure::unavailable,
    sql::{ColumnType, Listed},
};

/// A partition: where it is read here, and where it lies.
struct Part {
    from: String,
    /// The foreign server and the table's name there; an ordinary table of this server has none.
    remote: Option<(String, String)>,
    oid: i64,
}

/// The parts of a partitioned table, if each of them has units of its own, one row each: the table is partitioned by a hash of
/// the unit column, so that a unit lives in one part, and every part's own catalogue vouches for one row per unit.
pub(super) async fn parts(
    view: &mut PgConnection,
    shards: &BTreeMap<String, PgPool>,
    oid: i64,
    dataset: &Dataset,
    unit_type: UnitType,
) -> Result<Option<Vec<String>>, SourceError> {
    if !hashed_by_unit(view, oid, &dataset.unit.column).await? {
        return Ok(None);
    }
    let mut told = Vec::new();
    for part in partitions(view, oid).await? {
        let vouched = match &part.remote {
            None => sole_keys(view, part.oid).await?.contains(&dataset.unit.column),
            Some((server, table)) => match shards.get(server) {
                Some(pool) => vouched_there(pool, table, dataset, unit_type).await?,
                None => false,
            },
        };
        if !vouched {
            return Ok(None);
        }
        told.push(part.from);
    }
    Ok(Some(told).filter(|parts| !parts.is_empty()))
}

async fn hashed_by_unit(view: &mut PgConnection, oid: i64, unit: &str) -> Result<bool, SourceError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] \
               WHERE p.partrelid = $1::oid AND p.partstrat = 'h' AND p.partnatts = 1 AND a.attname = $2)";
    let row = sqlx::query(sql).bind(oid).bind(unit).fetch_one(view).await;
    row.and_then(|row| row.try_get(0)).map_err(|error| unavailable(&error))
}

/// The partitions; one that is partitioned itself, or is neither here nor a foreign table, is none that can be vouched for.
async fn partitions(view: &mut PgConnection, oid: i64) -> Result<Vec<Part>, SourceError> {
    let sql = "SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text, s.srvname::text, \
               coalesce((SELECT option_value FROM pg_options_to_table(f.ftoptions) WHERE option_name = 'schema_name'), n.nspname)::text, \
               coalesce((SELECT option_value FROM pg_options_to_table(f.ftoptions) WHERE option_name = 'table_name'), c.relname)::text \
               FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
               LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver \
               WHERE i.inhparent = $1::oid ORDER BY c.relname";
    let rows = sqlx::query(sql).bind(oid).fetch_all(view).await.map_err(|error| unavailable(&error))?;
    let read = |row: &sqlx::postgres::PgRow| -> sqlx::Result<Part> {
        let (schema, name, kind): (String, String, String) =
            (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let (server, there): (Option<String>, String) = (row.try_get(4)?, row.try_get(5)?);
        let remote = match kind.as_str() {
            "r" => None,
            _ => Some((server.unwrap_or_default(), qualified(&there, &row.try_get::<String, _>(6)?))),
        };
        Ok(Part { from: qualified(&schema, &name), remote, oid: row.try_get(0)? })
    };
    rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
}

/// Whether a shard's own catalogue says that its table is one, with one row per unit.
async fn vouched_there(
    pool: &PgPool,
    table: &str,
    dataset: &Dataset,
    unit_type: UnitType,
) -> Result<bool, SourceError> {
    let mut there = pool.acquire().await.map_err(|error| unavailable(&error))?;
    let sql = "SELECT c.oid::bigint FROM pg_class c WHERE c.oid = to_regclass($1) AND c.relkind = 'r' \
               AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid)";
    let found = sqlx::query(sql).bind(table).fetch_optional(&mut *there).await;
    let Some(row) = found.map_err(|error| unavailable(&error))? else { return Ok(false) };
    let oid: i64 = row.try_get(0).map_err(|error| unavailable(&error))?;
    let unit = &dataset.unit.column;
    let columns = columns(&mut there, oid).await?;
    let same_type = columns.iter().any(|(Listed { name, kind, .. }, ..)| {
        let integer = matches!(kind, Some(ColumnType::Integer | ColumnType::Decimal(0)));
        let text = matches!(kind, Some(ColumnType::Text { .. } | ColumnType::Word));
        name == unit && if unit_type == UnitType::Integer { integer } else { text }
    });
    Ok(same_type && sole_keys(&mut there, oid).await?.contains(unit))
}
