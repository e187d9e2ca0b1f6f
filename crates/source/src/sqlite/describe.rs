//! What the catalogue says of all tables.

use rusqlite::Connection;

use super::catalogue;
use crate::{ColumnDescription, SourceError, Suggested, TableDescription, sqlite::unavailable};

/// The decimals of an amount whose type does not say how many it has, as for a float of a server.
const SCALE: u32 = 2;
/// The most decimals that an amount can have.
const SCALE_MOST: u32 = 18;

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

/// SQLite's rules of type affinity, https://www.sqlite.org/datatype3.html, section 3.1; a declared day or scale is what
/// people mean by it. A column may hold anything, so any can be declared.
fn suggested(declared: &str) -> Suggested {
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    let begins = |words: &[&str]| words.iter().any(|word| declared.starts_with(word));
    match catalogue::stored_scale(declared) {
        Some(scale) => Suggested::Amount(scale),
        None if has(&["INT"]) => Suggested::Integer,
        None if has(&["CHAR", "CLOB", "TEXT"]) => Suggested::Text,
        None if has(&["REAL", "FLOA", "DOUB"]) => Suggested::Amount(SCALE),
        None if begins(&["DEC", "NUM"]) => Suggested::Amount(decimals(declared).unwrap_or(SCALE)),
        None if begins(&["DATE", "TIMESTAMP"]) => Suggested::Date,
        None => Suggested::Text,
    }
}

/// The digits after the point of `DECIMAL(9, 2)`, none of `DECIMAL(9)`; `None` where the type does not say.
fn decimals(declared: &str) -> Option<u32> {
    let (_, arguments) = declared.strip_suffix(')')?.split_once('(')?;
    let scale = arguments.split_once(',').map_or("0", |(_, scale)| scale);
    scale.trim().parse().ok().filter(|scale| *scale <= SCALE_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_mean_by_a_type_is_suggested() {
        for (types, expected) in [
            (&["INTEGER", "BIGINT", "UNSIGNED BIG INT"][..], Suggested::Integer),
            (&["TEXT", "VARCHAR(9)", "CLOB", "", "BLOB", "UUID", "STRING", "BOOLEAN"], Suggested::Text),
            (&["REAL", "DOUBLE", "DOUBLE PRECISION", "FLOAT", "NUMERIC", "DECIMAL"], Suggested::Amount(2)),
            (&["DECIMAL(12,4)", "NUMERIC(12, 4)", "FIXEDPOINT(4)"], Suggested::Amount(4)),
            (&["DECIMAL(5)", "NUMERIC(5,0)"], Suggested::Amount(0)),
            (&["DATE", "DATETIME", "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"], Suggested::Date),
        ] {
            for declared in types {
                assert_eq!(suggested(declared), expected, "{declared}");
            }
        }
    }
}
