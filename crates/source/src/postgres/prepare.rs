//! Preparations: the surviving rows in a table of their own, and the page that says what each is tied to.

use std::collections::BTreeMap;

use lango_privacy::{Dataset, Name};
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};

use super::{
    catalogue::qualified,
    dialect::PostgresDialect,
    read::query,
    session::{Sessions, unnamed},
    table,
};
use crate::{
    Bounding, PreparedRows, Secret, SourceError, Stale,
    count::UnitType,
    failure::{safe_words, unavailable},
    preparation::{LINE, PAGE, Preparation, Tie, fitting, table_name},
    sql::{Binds, CatalogueTable, Dialect, NormalType, Ranks, all, bounded, normal_type},
};

/// How a dataset's rows are bounded now, and the prepared table where there is one that fits.
pub(super) async fn find(
    view: &mut PgConnection,
    schema: Option<&str>,
    dataset: &Dataset,
    table: &CatalogueTable,
    secret: &Secret,
) -> Result<(Bounding, Option<String>), SourceError> {
    if table.one_row_per_unit {
        return Ok((Bounding::Vouched, None));
    }
    let Some(schema) = schema else { return Ok((Bounding::Unprepared, None)) };
    let made = made(view, schema, dataset).await.map_err(|error| unavailable(&error))?;
    let made = match fitting(made, &Tie::of(dataset, secret, &table.fingerprint)) {
        Ok(made) => made,
        Err(bounding) => return Ok((bounding, None)),
    };
    let prepared = qualified(schema, &made.table);
    if !exists(view, &prepared).await.map_err(|error| unavailable(&error))? {
        return Ok((Bounding::Stale(Stale::Gone), None));
    }
    // Held until the view ends. If someone drops it at this moment, the question fails before a row is read, and not only when
    // the statement runs, which the connection may have prepared long ago.
    let held = execute(view, format!("LOCK TABLE {prepared} IN ACCESS SHARE MODE")).await;
    held.map_err(|error| unavailable(&error))?;
    Ok((Bounding::Prepared { rows: made.rows() }, Some(prepared)))
}

async fn exists(view: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    let row = unnamed("SELECT to_regclass($1) IS NOT NULL").bind(name).fetch_one(view).await?;
    row.try_get(0)
}

async fn made(view: &mut PgConnection, schema: &str, dataset: &Dataset) -> sqlx::Result<Option<Preparation>> {
    let page = qualified(schema, PAGE);
    if !exists(view, &page).await? {
        return Ok(None);
    }
    let sql = format!("SELECT {LINE} FROM {page} WHERE dataset = $1");
    let row = unnamed(AssertSqlSafe(sql)).bind(dataset.name.as_str()).fetch_optional(view).await?;
    let read = |row: PgRow| {
        let tie = Tie {
            version: row.try_get(0)?,
            terms: row.try_get(1)?,
            secret: row.try_get(2)?,
            table: row.try_get(3)?,
        };
        Ok(Preparation { tie, table: row.try_get(4)?, generation: row.try_get(5)?, rows: row.try_get(6)? })
    };
    row.map(read).transpose()
}

/// Writes a preparation, in one transaction: a gateway finds the old one or the new one, whole.
pub(super) async fn prepare(
    sessions: &Sessions,
    shards: &BTreeMap<String, Sessions>,
    schema: &str,
    dataset: &Dataset,
    secret: &Secret,
) -> Result<PreparedRows, SourceError> {
    let unprepared = |error: sqlx::Error| SourceError::Unprepared(safe_words(&error));
    let mut tx = sessions.write().await?;
    let page = qualified(schema, PAGE);
    // One at a time: a second one waits, and prepares anew.
    execute(&mut tx, "SELECT pg_advisory_xact_lock(hashtext('lango dataset prepare'))".to_owned())
        .await
        .map_err(unprepared)?;
    let table = table::table(&mut tx, sessions, shards, dataset).await?;
    if table.one_row_per_unit {
        return Err(SourceError::NothingToPrepare(dataset.table.clone()));
    }
    if !exists(&mut tx, &page).await.map_err(unprepared)? {
        let columns = "dataset text PRIMARY KEY, version text NOT NULL, terms text NOT NULL, secret text NOT NULL, \
                       source_table text NOT NULL, prepared_table text NOT NULL, generation bigint NOT NULL, \
                       prepared_rows bigint NOT NULL";
        execute(&mut tx, format!("CREATE TABLE {page} ({columns})")).await.map_err(unprepared)?;
    }
    let before = made(&mut tx, schema, dataset).await.map_err(unprepared)?;
    let generation = Preparation::next(before.as_ref());
    let name = table_name(dataset, generation);
    let prepared = qualified(schema, &name);
    let names: Vec<&Name> = dataset.columns.keys().collect();
    let mut binds = Binds::default();
    let survivors = bounded(&PostgresDialect, dataset, &table, &names, Ranks::All, secret, &mut binds);
    // Not an INSERT, for which no server ranks rows on several cores.
    let columns = columns(dataset, &table);
    let sql = format!("CREATE TABLE {prepared} AS SELECT {columns} FROM ({survivors}) AS survivors");
    let create = PostgresDialect.render(&sql, binds);
    let rows = query(&create).execute(&mut *tx).await.map_err(unprepared)?.rows_affected();
    let counted = query(&all(&PostgresDialect, &table).sql).fetch_one(&mut *tx).await;
    let counted: i64 = counted.and_then(|row| row.try_get(0)).map_err(unprepared)?;
    execute(&mut tx, format!("ANALYZE {prepared}")).await.map_err(unprepared)?;
    let Tie { version, terms, secret, table } = Tie::of(dataset, secret, &table.fingerprint);
    let sql = format!(
        "INSERT INTO {page} VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (dataset) DO UPDATE SET \
         ({LINE}) = (EXCLUDED.version, EXCLUDED.terms, \
         EXCLUDED.secret, EXCLUDED.source_table, EXCLUDED.prepared_table, EXCLUDED.generation, EXCLUDED.prepared_rows)"
    );
    let written = unnamed(AssertSqlSafe(sql)).bind(dataset.name.as_str()).bind(version).bind(terms);
    let written = written.bind(secret).bind(table).bind(&name).bind(generation);
    written.bind(i64::try_from(rows).unwrap_or(i64::MAX)).execute(&mut *tx).await.map_err(unprepared)?;
    if let Some(before) = before {
        // Last, because it waits for the questions that still read it.
        execute(&mut tx, format!("DROP TABLE IF EXISTS {}", qualified(schema, &before.table)))
            .await
            .map_err(unprepared)?;
    }
    tx.commit().await.map_err(unprepared)?;
    Ok(PreparedRows { kept: rows, all: counted.unsigned_abs() })
}

fn columns(dataset: &Dataset, table: &CatalogueTable) -> String {
    let unit = if table.unit_type == UnitType::Integer { "bigint" } else { "text COLLATE \"C\"" };
    let mut columns = format!("_unit::{unit} AS _unit, _rank::integer AS _rank");
    for (name, column) in &dataset.columns {
        let kind = match (normal_type(&column.domain), column.range()) {
            (NormalType::Text, _) => "text COLLATE \"C\"",
            (NormalType::Number, Some(_)) => "bigint",
            (NormalType::Number, None) => "integer",
        };
        let quoted = PostgresDialect.quoted(name.as_str());
        columns += &format!(", {quoted}::{kind} AS {quoted}");
    }
    columns
}

async fn execute(tx: &mut PgConnection, sql: String) -> sqlx::Result<()> {
    unnamed(AssertSqlSafe(sql)).execute(tx).await.map(drop)
}
