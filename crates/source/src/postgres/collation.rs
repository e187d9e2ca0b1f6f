//! Indexes over texts that were built under another version of a collation than the server has now. Their entries may lie in
//! another order than the server searches for them in: a unique one may hold a value twice, and a scan of one need not bring
//! equal values together.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::session::unnamed;
use crate::OutdatedIndex;

/// The first version that records the version of a database's own collation.
const DATABASE_COLLATIONS: u32 = 15_00_00;

/// A table's indexes whose first column is of an outdated collation, with that column's name.
pub(super) async fn outdated(
    view: &mut PgConnection,
    oid: i64,
) -> sqlx::Result<Vec<(String, OutdatedIndex)>> {
    let has_versions = view.server_version_num().is_none_or(|version| version >= DATABASE_COLLATIONS);
    // Collations of C and POSIX have no version, and neither has what was made before versions were recorded.
    let sql = if has_versions {
        "SELECT column_name, index_name, collation_name, recorded, coalesce(actual, '') FROM (\
         SELECT a.attname::text AS column_name, i.indexrelid::regclass::text AS index_name, \
         CASE WHEN c.collprovider = 'd' THEN d.datcollate::text ELSE c.collname::text END AS collation_name, \
         CASE WHEN c.collprovider = 'd' THEN d.datcollversion ELSE c.collversion END::text AS recorded, \
         CASE WHEN c.collprovider = 'd' THEN pg_database_collation_actual_version(d.oid) \
              ELSE pg_collation_actual_version(c.oid) END::text AS actual \
         FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
         JOIN pg_collation c ON c.oid = i.indcollation[0] JOIN pg_database d ON d.datname = current_database() \
         WHERE i.indrelid = $1::oid) AS indexes WHERE recorded <> coalesce(actual, '') ORDER BY 1, 2"
    } else {
        "SELECT column_name, index_name, collation_name, recorded, coalesce(actual, '') FROM (\
         SELECT a.attname::text AS column_name, i.indexrelid::regclass::text AS index_name, c.collname::text AS collation_name, \
         c.collversion::text AS recorded, pg_collation_actual_version(c.oid)::text AS actual \
         FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
         JOIN pg_collation c ON c.oid = i.indcollation[0] \
         WHERE i.indrelid = $1::oid AND c.collprovider <> 'd') AS indexes WHERE recorded <> coalesce(actual, '') ORDER BY 1, 2"
    };
    let rows = unnamed(sql).bind(oid).fetch_all(view).await?;
    let read = |row: &PgRow| {
        let [index, collation, recorded, actual] =
            [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
        Ok((row.try_get(0)?, OutdatedIndex { index, collation, recorded, actual }))
    };
    rows.iter().map(read).collect()
}

/// Keeps the transaction from reading rows in the order of an index.
pub(super) async fn avoid_indexes(view: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off")
        .execute(view)
        .await
        .map(drop)
}
