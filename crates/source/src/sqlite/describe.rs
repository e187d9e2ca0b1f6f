//! What the catalogue says of all tables.

use rusqlite::Connection;

use super::catalogue;
use crate::{ColumnDescription, SourceError, Suggested, TableDescription, sqlite::unavailable};

/// The tables of the file, with their columns.
pub(super) fn tables(connection: &Connection) -> Result<Vec<TableDescription>, SourceError> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' \
               AND name NOT LIKE 'lango~_prepar%' ESCAPE '~' AND name NOT LIKE 'lango~_import%' ESCAPE '~' \
               AND name <> 'lango_accepted' ORDER BY name";
    let names = || {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
    };
    let names = names().map_err(|error| unavailable(&error))?;
    names.into_iter().map(|name| table(connection, name)).collect()
}

fn table(connection: &Connection, name: String) -> Result<TableDescription, SourceError> {
    let keys = catalogue::sole_keys(connection, &name)?;
    let listed = catalogue::columns(connection, &name).map_err(|error| unavailable(&error))?;
    let columns = listed.into_iter().map(|(name, declared)| {
        let unique = keys.iter().any(|key| key.eq_ignore_ascii_case(&name));
        let suggested = suggested(&declared);
        ColumnDescription { name, declared, suggested, unique }
    });
    let columns = columns.collect();
    Ok(TableDescription { rows: estimate(connection, &name), name, columns })
}

/// What `ANALYZE` has left behind, if it ran.
fn estimate(connection: &Connection, table: &str) -> Option<u64> {
    let sql = "SELECT stat FROM sqlite_stat1 WHERE tbl = ? LIMIT 1";
    let stat: String = connection.query_row(sql, [table], |row| row.get(0)).ok()?;
    stat.split(' ').next()?.parse().ok()
}

/// SQLite's rules of type affinity, https://www.sqlite.org/datatype3.html, section 3.1; a declared day is one that people mean.
fn suggested(declared: &str) -> Suggested {
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    match declared {
        "DATE" => Suggested::Date,
        "" | "BLOB" => Suggested::Text,
        _ if has(&["INT"]) => Suggested::Integer,
        _ if has(&["CHAR", "CLOB", "TEXT"]) => Suggested::Text,
        _ => Suggested::Nothing,
    }
}
