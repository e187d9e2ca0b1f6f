//! Preparations: the surviving rows in a table of their own, and the page that says what each is tied to.
//!
//! Making a table ends a transaction here, so a preparation is made under a name of its own, and found only when its line on
//! the page says so.

use lango_privacy::{Dataset, Name};
use sqlx::{AssertSqlSafe, MySqlConnection, MySqlPool, Row};

use super::{
    catalogue::{self, qualified, text},
    dialect::MariaDbDialect,
    read::query,
    session,
};
use crate::{
    Bounding, PreparedRows, Secret, SourceError, Stale,
    count::UnitType,
    failure::{safe_words, unavailable},
    preparation::{LINE, PAGE, Preparation, Tie, fitting, is_of, table_name},
    sql::{Binds, CatalogueTable, Dialect, NormalType, Ranks, all, bounded, normal_type},
};

/// How a dataset's rows are bounded now, and the prepared table where there is one that fits.
pub(super) async fn find(
    view: &mut MySqlConnection,
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
    if !exists(view, schema, &made.table).await.map_err(|error| unavailable(&error))? {
        return Ok((Bounding::Stale(Stale::Gone), None));
    }
    // Held until the view ends. If someone drops it at this moment, the question fails before a row is read.
    let prepared = qualified(schema, &made.table);
    catalogue::hold(view, &prepared).await.map_err(|error| unavailable(&error))?;
    Ok((Bounding::Prepared { rows: made.rows() }, Some(prepared)))
}

async fn exists(view: &mut MySqlConnection, schema: &str, table: &str) -> sqlx::Result<bool> {
    let sql = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?";
    Ok(sqlx::query(sql).bind(schema).bind(table).fetch_optional(view).await?.is_some())
}

async fn made(
    view: &mut MySqlConnection,
    schema: &str,
    dataset: &Dataset,
) -> sqlx::Result<Option<Preparation>> {
    if !exists(view, schema, PAGE).await? {
        return Ok(None);
    }
    let sql = format!("SELECT {LINE} FROM {} WHERE dataset = ?", qualified(schema, PAGE));
    let row = sqlx::query(AssertSqlSafe(sql)).bind(dataset.name.as_str()).fetch_optional(view).await?;
    let Some(row) = row else { return Ok(None) };
    let (version, terms, secret, table) = (text(&row, 0)?, text(&row, 1)?, text(&row, 2)?, text(&row, 3)?);
    Ok(Some(Preparation {
        tie: Tie { version, terms, secret, table },
        table: text(&row, 4)?,
        generation: row.try_get_unchecked(5)?,
        rows: row.try_get_unchecked(6)?,
    }))
}

/// Writes a preparation: a gateway finds the old one or the new one, whole.
pub(super) async fn prepare(
    pool: &MySqlPool,
    schema: &str,
    dataset: &Dataset,
    secret: &Secret,
) -> Result<PreparedRows, SourceError> {
    let unprepared = |error: sqlx::Error| SourceError::Unprepared(safe_words(&error));
    let mut connection = pool.acquire().await.map_err(|error| unavailable(&error))?.detach();
    // It has no time limit, and it reads the table without locking its rows. One at a time: a second one waits. The
    // connection is this one's own; its locks and settings end with it.
    for sql in [
        "SET SESSION max_statement_time = 0",
        "SET SESSION lock_wait_timeout = 31536000",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
        "DO GET_LOCK('lango dataset prepare', 31536000)",
    ] {
        execute(&mut connection, sql.to_owned()).await.map_err(unprepared)?;
    }
    session::is_preparing(&mut connection).await?;
    let table = catalogue::table(&mut connection, dataset).await?;
    if table.one_row_per_unit {
        return Err(SourceError::NothingToPrepare(dataset.table.clone()));
    }
    let page = qualified(schema, PAGE);
    let columns = "dataset varchar(64) COLLATE utf8mb4_bin PRIMARY KEY, version varchar(64) NOT NULL, terms char(64) NOT NULL, \
                   secret char(64) NOT NULL, source_table char(64) NOT NULL, prepared_table varchar(64) NOT NULL, \
                   generation bigint NOT NULL, prepared_rows bigint NOT NULL";
    let sql = format!("CREATE TABLE IF NOT EXISTS {page} ({columns}) ENGINE = InnoDB CHARACTER SET utf8mb4");
    execute(&mut connection, sql).await.map_err(unprepared)?;
    let before = made(&mut connection, schema, dataset).await.map_err(unprepared)?;
    let generation = Preparation::next(before.as_ref());
    let name = table_name(dataset, generation);
    let prepared = qualified(schema, &name);
    // Drop what interrupted attempts left behind: no unused table keeps rows of persons.
    let kept = before.as_ref().map(|made| made.table.as_str());
    for left in others(&mut connection, schema, dataset, kept).await.map_err(unprepared)? {
        execute(&mut connection, format!("DROP TABLE IF EXISTS {}", qualified(schema, &left)))
            .await
            .map_err(unprepared)?;
    }
    let filled = fill(&mut connection, &prepared, dataset, &table, secret).await;
    let rows = match filled {
        Ok(rows) => rows,
        Err(error) => {
            // Report the first error.
            drop(execute(&mut connection, format!("DROP TABLE IF EXISTS {prepared}")).await);
            return Err(unprepared(error));
        }
    };
    let Tie { version, terms, secret, table: source_table } = Tie::of(dataset, secret, &table.fingerprint);
    session::is_preparing(&mut connection).await?;
    let sql = format!("REPLACE INTO {page} VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    let written = sqlx::query(AssertSqlSafe(sql)).bind(dataset.name.as_str()).bind(version).bind(terms);
    let written = written.bind(secret).bind(source_table).bind(&name).bind(generation);
    let written = written.bind(i64::try_from(rows).unwrap_or(i64::MAX));
    written.execute(&mut connection).await.map_err(unprepared)?;
    if let Some(before) = before {
        execute(&mut connection, format!("DROP TABLE IF EXISTS {}", qualified(schema, &before.table)))
            .await
            .map_err(unprepared)?;
    }
    let counted = query(&all(&MariaDbDialect, &table).sql).persistent(false).fetch_one(&mut connection).await;
    let counted: i64 = counted.and_then(|row| row.try_get_unchecked(0)).map_err(unprepared)?;
    Ok(PreparedRows { kept: rows, all: counted.unsigned_abs() })
}

/// The dataset's prepared tables but the one that is kept.
async fn others(
    connection: &mut MySqlConnection,
    schema: &str,
    dataset: &Dataset,
    kept: Option<&str>,
) -> sqlx::Result<Vec<String>> {
    let sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = ?";
    let rows = sqlx::query(sql).bind(schema).fetch_all(connection).await?;
    let names: Vec<String> = rows.iter().map(|row| text(row, 0)).collect::<sqlx::Result<_>>()?;
    Ok(names.into_iter().filter(|name| is_of(dataset, name) && Some(name.as_str()) != kept).collect())
}

async fn fill(
    connection: &mut MySqlConnection,
    prepared: &str,
    dataset: &Dataset,
    table: &CatalogueTable,
    secret: &Secret,
) -> sqlx::Result<u64> {
    let sql = format!("CREATE TABLE {prepared} ({}) ENGINE = InnoDB", columns(dataset, table));
    execute(connection, sql).await?;
    let names: Vec<&Name> = dataset.columns.keys().collect();
    let mut binds = Binds::default();
    let survivors = bounded(&MariaDbDialect, dataset, table, &names, Ranks::All, secret, &mut binds);
    let named: Vec<String> = names.iter().map(|name| MariaDbDialect.quoted(name.as_str())).collect();
    let named =
        ["_unit".to_owned(), "_rank".to_owned()].into_iter().chain(named).collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO {prepared} ({named}) SELECT {named} FROM ({survivors}) AS survivors");
    let insert = MariaDbDialect.render(&sql, binds);
    let rows = query(&insert).persistent(false).execute(&mut *connection).await?.rows_affected();
    execute(connection, format!("ANALYZE TABLE {prepared}")).await?;
    Ok(rows)
}

fn columns(dataset: &Dataset, table: &CatalogueTable) -> String {
    let unit = if table.unit_type == UnitType::Integer { "bigint" } else { "varbinary(1020)" };
    let mut columns = format!("_unit {unit} NOT NULL, _rank integer NOT NULL");
    for (name, column) in &dataset.columns {
        let kind = match (normal_type(&column.domain), column.range()) {
            (NormalType::Text, _) => "varbinary(64)",
            (NormalType::Number, Some(_)) => "bigint",
            (NormalType::Number, None) => "integer",
        };
        columns += &format!(", {} {kind}", MariaDbDialect.quoted(name.as_str()));
    }
    // Rows lie in the order of their units: distinct ones are counted without bringing them together.
    columns + ", PRIMARY KEY (_unit, _rank)"
}

async fn execute(connection: &mut MySqlConnection, sql: String) -> sqlx::Result<()> {
    sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(connection).await.map(drop)
}
