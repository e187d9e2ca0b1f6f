//! What the server's catalogue says of a table, which is not taken on trust.

use lango_privacy::Dataset;
use sqlx::{
    AssertSqlSafe, MySqlConnection, Row,
    mysql::{MySqlDatabaseError, MySqlRow},
};

use super::dialect::{MariaDbDialect, place};
use crate::{
    SourceError,
    count::UnitType,
    failure::unavailable,
    sql::{CatalogueTable, ColumnType, Dialect, Listed, Made, time_zones, typed},
};

/// A column as `information_schema` has it.
pub(super) struct SchemaColumn {
    pub(super) listed: Listed,
    pub(super) not_null: bool,
    /// The most characters of a text.
    length: Option<u64>,
    charset: String,
}

/// Checks that all that is declared is there.
pub(super) async fn table(
    view: &mut MySqlConnection,
    dataset: &Dataset,
) -> Result<CatalogueTable, SourceError> {
    let named = named(&dataset.table)?;
    let sql = "SELECT table_schema, table_name, table_type, coalesce(engine, ''), coalesce(CAST(create_time AS CHAR), '') \
               FROM information_schema.tables WHERE table_schema = coalesce(?, DATABASE()) AND table_name = ?";
    let found = sqlx::query(sql).bind(named.0).bind(named.1).fetch_optional(&mut *view).await;
    let row = found.map_err(|error| unavailable(&error))?;
    let row = row.ok_or_else(|| SourceError::NoTableShown(dataset.table.clone()))?;
    let text = |place| text(&row, place).map_err(|error| unavailable(&error));
    let (schema, name, kind, engine, made) = (text(0)?, text(1)?, text(2)?, text(3)?, text(4)?);
    if !["BASE TABLE", "SYSTEM VERSIONED", "VIEW"].contains(&kind.as_str()) {
        return Err(SourceError::NotATable(dataset.table.clone()));
    }
    if engine != "InnoDB" && kind != "VIEW" {
        return Err(SourceError::Snapshot { table: dataset.table.clone(), engine });
    }
    hold(view, &qualified(&schema, &name)).await.map_err(|error| match is_denied(&error) {
        true => SourceError::NoSelect { table: dataset.table.clone(), columns: Vec::new() },
        false => unavailable(&error),
    })?;
    let columns = columns(view, &schema, &name).await.map_err(|error| unavailable(&error))?;
    let listed: Vec<Listed> = columns.iter().map(|column| column.listed.clone()).collect();
    let typed = typed(&MariaDbDialect, dataset, &listed).map_err(as_shown)?;
    for zone in time_zones(dataset) {
        let sql = "SELECT CONVERT_TZ('2024-01-01 00:00:00', '+00:00', ?) IS NULL";
        let row = sqlx::query(sql).bind(place(zone)).fetch_one(&mut *view).await;
        let unknown: sqlx::Result<i64> = row.and_then(|row| row.try_get_unchecked(0));
        if unknown.map_err(|error| unavailable(&error))? != 0 {
            return Err(SourceError::TimeZone(zone.to_owned()));
        }
    }
    let unit = columns.iter().find(|column| column.listed.name == typed.unit.name);
    let (not_null, length) = unit.map_or((false, None), |unit| (unit.not_null, unit.length));
    let charset = unit.map(|unit| unit.charset.clone()).unwrap_or_default();
    let unit_type = typed.unit_type;
    let keys = sole_keys(view, &schema, &name).await.map_err(|error| unavailable(&error))?;
    let vouched = keys.iter().any(|key| same(key, &typed.unit.name));
    // Sorting compares a limited number of bytes, and a unit's rows must come together.
    if !vouched && unit_type == UnitType::Text && length.is_some_and(|length| length > 255) {
        let (table, column) = (dataset.table.clone(), typed.unit.name.clone());
        return Err(SourceError::UnitLength { table, column });
    }
    // What UTF-8 has no letter for becomes a question mark, and two units would be one.
    let whole = ["", "ascii", "latin1", "ucs2", "utf16", "utf16le", "utf32", "utf8", "utf8mb3", "utf8mb4"];
    if !vouched && !whole.contains(&charset.as_str()) {
        return Err(SourceError::Encoding(charset));
    }
    let mut fingerprint = format!("{schema} {name} {made}\n");
    for Listed { name, declared, .. } in &listed {
        fingerprint += &format!("column {name} {declared}\n");
    }
    fingerprint += &format!("keys {}\n", keys.join(", "));
    if kind == "VIEW" {
        // Nothing where the gateway's user lacks SHOW VIEW.
        let definition = definition(view, &schema, &name).await;
        fingerprint += &definition.map_err(|error| unavailable(&error))?.unwrap_or_default();
    }
    Ok(CatalogueTable {
        from: qualified(&schema, &name),
        unit: typed.unit,
        unit_type,
        unit_not_null: not_null,
        one_row_per_unit: vouched,
        columns: typed.columns,
        shards: Vec::new(),
        fingerprint,
    })
}

/// A view's definition; empty where the gateway's user lacks SHOW VIEW, and none where it is no view that the user may read.
pub(super) async fn definition(
    view: &mut MySqlConnection,
    schema: &str,
    name: &str,
) -> sqlx::Result<Option<String>> {
    let sql = "SELECT coalesce(view_definition, '') FROM information_schema.views WHERE table_schema = ? AND table_name = ?";
    let row = sqlx::query(sql).bind(schema).bind(name).fetch_optional(view).await?;
    row.map(|row| text(&row, 0)).transpose()
}

/// Until the transaction ends nobody changes the table's columns or keys. Reads no row, and so begins no view of them.
pub(super) async fn hold(view: &mut MySqlConnection, from: &str) -> sqlx::Result<()> {
    sqlx::query(AssertSqlSafe(format!("SELECT 1 FROM {from} LIMIT 0"))).execute(view).await.map(drop)
}

/// A column that the catalogue does not list may be one that the user may not read.
fn as_shown(error: SourceError) -> SourceError {
    if let SourceError::NoColumn { table, column, there } = error {
        SourceError::NoColumnShown { table, column, there }
    } else {
        error
    }
}

/// Whether the server refused because SELECT is missing.
fn is_denied(error: &sqlx::Error) -> bool {
    // ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR.
    let number = |error: &MySqlDatabaseError| [1142, 1143].contains(&error.number());
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
        .is_some_and(number)
}

pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", MariaDbDialect.quoted(schema), MariaDbDialect.quoted(name))
}

/// The database, if the policy names one, and the table.
fn named(table: &str) -> Result<(Option<&str>, &str), SourceError> {
    if table.chars().any(char::is_control) {
        return Err(SourceError::Identifier(table.to_owned()));
    }
    Ok(table.split_once('.').map_or((None, table), |(schema, name)| (Some(schema), name)))
}

/// Column names do not differ by the case of their letters.
fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Texts of the catalogue, some of which the server returns as binary strings.
pub(super) fn text(row: &MySqlRow, place: usize) -> sqlx::Result<String> {
    let bytes: Vec<u8> = row.try_get_unchecked(place)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) async fn columns(
    view: &mut MySqlConnection,
    schema: &str,
    table: &str,
) -> sqlx::Result<Vec<SchemaColumn>> {
    let sql = "SELECT column_name, column_type, data_type, is_nullable, CAST(coalesce(numeric_precision, 0) AS SIGNED), \
               CAST(coalesce(numeric_scale, 0) AS SIGNED), CAST(character_maximum_length AS SIGNED), coalesce(collation_name, ''), coalesce(character_set_name, '') \
               FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position";
    let rows = sqlx::query(sql).bind(schema).bind(table).fetch_all(view).await?;
    let read = |row: &MySqlRow| {
        let (name, declared, data) = (text(row, 0)?, text(row, 1)?, text(row, 2)?);
        let (precision, scale): (i64, i64) = (row.try_get_unchecked(4)?, row.try_get_unchecked(5)?);
        let (kind, made) = kind(&data, &declared, (precision, scale), &text(row, 7)?);
        let length: Option<i64> = row.try_get_unchecked(6)?;
        let is_short = length.is_some_and(|length| length <= 2_048);
        Ok(SchemaColumn {
            listed: Listed { name, declared, kind, made, is_short },
            not_null: text(row, 3)? == "NO",
            charset: text(row, 8)?,
            length: length.and_then(|length| u64::try_from(length).ok()),
        })
    };
    rows.iter().map(read).collect()
}

fn kind(
    data: &str,
    declared: &str,
    (precision, scale): (i64, i64),
    collation: &str,
) -> (Option<ColumnType>, Made) {
    let decimal = u32::try_from(scale).ok().filter(|_| precision <= 18).map(ColumnType::Decimal);
    let kind = match data {
        // Their texts have zeros in front.
        "tinyint" | "smallint" | "mediumint" | "int" if declared.contains("zerofill") => {
            return (Some(ColumnType::Integer), Made::AsNumber);
        }
        "bigint" if declared.contains("unsigned") => ColumnType::Unsigned,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => ColumnType::Integer,
        // Their texts are bytes, or of no column's type.
        "bit" if precision < 64 => return (Some(ColumnType::Integer), Made::AsNumber),
        "year" => return (Some(ColumnType::Integer), Made::AsNumber),
        "decimal" => decimal.unwrap_or(ColumnType::Numeric),
        "double" => ColumnType::Float,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
            // Any other takes a text and one with spaces after it for the same, or letters of two cases.
            let utf8 = ["utf8", "ascii"].iter().any(|set| collation.starts_with(set));
            ColumnType::Text { bytewise: collation.contains("nopad_bin"), utf8 }
        }
        "enum" | "uuid" => ColumnType::Word,
        "date" => ColumnType::Day,
        "datetime" => ColumnType::Moment,
        "timestamp" => return (Some(ColumnType::Moment), Made::AtPlace),
        _ => return (None, Made::AsIs),
    };
    (Some(kind), Made::AsIs)
}

/// The columns that are unique by themselves, in full length.
pub(super) async fn sole_keys(
    view: &mut MySqlConnection,
    schema: &str,
    table: &str,
) -> sqlx::Result<Vec<String>> {
    let sql = "SELECT min(column_name) FROM information_schema.statistics WHERE table_schema = ? AND table_name = ? \
               AND non_unique = 0 AND index_type = 'BTREE' GROUP BY index_name HAVING count(*) = 1 AND max(sub_part) IS NULL \
               ORDER BY 1";
    let rows = sqlx::query(sql).bind(schema).bind(table).fetch_all(view).await?;
    rows.iter().map(|row| text(row, 0)).collect()
}
