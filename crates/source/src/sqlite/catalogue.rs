//! What the file's catalogue says of a table, which is not taken on trust.

use lango_privacy::{Dataset, Name};
use rusqlite::{Connection, OptionalExtension};

use super::unavailable;
use crate::{
    SourceError,
    count::{UnitType, Vouched},
};

/// Checks that all that is declared is there.
pub(super) fn check(connection: &Connection, dataset: &Dataset) -> Result<Vouched, SourceError> {
    let (table, unit) = (&dataset.table, &dataset.unit.column);
    let kind = connection
        .query_row(
            "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
            [table],
            |row| row.get::<_, String>(0),
        )
        .optional();
    match kind.map_err(|error| unavailable(&error))?.as_deref() {
        Some("table") => {}
        Some(_) => return Err(SourceError::NotATable(table.clone())),
        None => return Err(SourceError::NoTable(table.clone())),
    }
    let columns = strings(connection, "SELECT name FROM pragma_table_info(?)", table)?;
    let declared = dataset.columns.keys().map(Name::as_str).chain([unit.as_str()]);
    let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    for column in declared {
        if !columns.iter().any(|name| is(name, column)) {
            return Err(SourceError::NoColumn { table: table.clone(), column: column.to_owned() });
        }
    }
    let one_row_per_unit = sole_keys(connection, table)?.iter().any(|key| is(key, unit));
    Ok(Vouched { unit_type: unit_type(connection, table, unit)?, one_row_per_unit })
}

fn unit_type(connection: &Connection, table: &str, unit: &str) -> Result<UnitType, SourceError> {
    let sql = "SELECT upper(type) FROM pragma_table_info(?1) WHERE lower(name) = lower(?2)";
    let declared: rusqlite::Result<String> = connection.query_row(sql, [table, unit], |row| row.get(0));
    let declared = declared.map_err(|error| unavailable(&error))?;
    // SQLite's rules of type affinity, https://www.sqlite.org/datatype3.html, section 3.1.
    match ["INT", "CHAR", "CLOB", "TEXT"].into_iter().find(|word| declared.contains(word)) {
        Some("INT") => Ok(UnitType::Integer),
        Some(_) => Ok(UnitType::Text),
        None => Err(SourceError::UnitType { table: table.to_owned(), column: unit.to_owned() }),
    }
}

/// The columns that are unique by themselves: a primary key of one column, or a full unique index on one column.
/// NULL units, which SQLite lets repeat, are dropped by every query.
pub(super) fn sole_keys(connection: &Connection, table: &str) -> Result<Vec<String>, SourceError> {
    let primary = strings(connection, "SELECT name FROM pragma_table_info(?) WHERE pk > 0", table)?;
    let mut keys = if primary.len() == 1 { primary } else { Vec::new() };
    let sql = "SELECT name FROM pragma_index_list(?) WHERE \"unique\" = 1 AND partial = 0";
    for index in strings(connection, sql, table)? {
        // An expression has no name, so an index on one yields none; a key compared otherwise than byte by byte is
        // stricter still, so its collation does not matter.
        let sql = "SELECT coalesce(name, '') FROM pragma_index_xinfo(?) WHERE key = 1";
        if let [column] = strings(connection, sql, &index)?.as_slice() {
            keys.push(column.clone());
        }
    }
    Ok(keys)
}

/// The table's entry in words: its place, its columns and its keys. A table that was made anew has another place.
pub(super) fn fingerprint(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let sql = "SELECT name || ' ' || rootpage || ' ' || sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";
    let entry: String = connection.query_row(sql, [table], |row| row.get(0))?;
    let keys = sole_keys(connection, table).unwrap_or_default();
    Ok(format!("{entry}\nkeys {}\n", keys.join(", ")))
}

fn strings(connection: &Connection, sql: &str, of: &str) -> Result<Vec<String>, SourceError> {
    let read = || {
        connection.prepare(sql)?.query_map([of], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
    };
    read().map_err(|error| unavailable(&error))
}
