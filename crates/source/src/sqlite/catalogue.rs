//! What the file's catalogue says of a table, which is not taken on trust.

use std::collections::BTreeMap;

use lango_privacy::{Dataset, Name};
use rusqlite::{Connection, OptionalExtension};

use super::unavailable;
use crate::{
    ImportedTable, SourceError,
    columns::find_column,
    count::{UnitType, Vouched},
};

/// A table or view of the file, as far as a dataset is about it.
pub(super) struct FileTable {
    pub(super) vouched: Vouched,
    /// The unit's column, by its name in the file.
    pub(super) unit: String,
    /// The declared columns.
    pub(super) columns: BTreeMap<Name, FileColumn>,
}

/// A declared column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileColumn {
    /// Its name in the file.
    pub(super) name: String,
    /// Its whole numbers are units of `10^-scale`.
    pub(super) scale: u32,
}

impl FileTable {
    /// The name in the file of a declared column.
    pub(super) fn name<'a>(&'a self, declared: &'a Name) -> &'a str {
        self.columns.get(declared).map_or(declared.as_str(), |column| column.name.as_str())
    }

    /// In which units a declared column's whole numbers are stored.
    pub(super) fn scale(&self, declared: &Name) -> u32 {
        self.columns.get(declared).map_or(0, |column| column.scale)
    }
}

/// Checks that all that is declared is there.
pub(super) fn check(connection: &Connection, dataset: &Dataset) -> Result<FileTable, SourceError> {
    let table = &dataset.table;
    let kind = connection
        .query_row(
            "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
            [table],
            |row| row.get::<_, String>(0),
        )
        .optional();
    let kind = kind.map_err(|error| unavailable(&error))?;
    let is_view = kind.as_deref() == Some("view");
    match kind.as_deref() {
        Some("table" | "view") => {}
        Some(_) => return Err(SourceError::NotATable(table.clone())),
        None => return Err(SourceError::NoTable(table.clone())),
    }
    let listed = columns(connection, table).map_err(|error| unavailable(&error))?;
    let names: Vec<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
    let find = |column: &str| {
        let at = find_column(table, &names, column)?;
        listed.get(at).ok_or_else(|| SourceError::NoTable(table.clone()))
    };
    let (unit, unit_declared) = find(&dataset.unit.column)?;
    let mut found = BTreeMap::new();
    for (name, column) in &dataset.columns {
        let (stored, declared) = find(column.stored_name(name))?;
        let scale = stored_scale(declared);
        let kept = column.range().map_or(0, |range| range.scale);
        // Of an expression in a view nothing says in which unit it is.
        let is_of_view = is_view && declared.is_empty();
        if kept > 0 && scale.is_none() && (declared.contains("INT") || is_of_view) {
            return Err(SourceError::ColumnType {
                table: table.clone(),
                column: stored.clone(),
                found: declared.clone(),
                expected: format!(
                    "amounts with {kept} decimals, which such a column does not say that it has: import the file again if an earlier \
                     version of `lango dataset import` made the table; or name a view that reads `CAST({stored} AS REAL)`, of an \
                     imported table `CAST({stored} AS REAL) / 1{}`",
                    "0".repeat(kept as usize)
                ),
            });
        }
        found.insert(name.clone(), FileColumn { name: stored.clone(), scale: scale.unwrap_or(0) });
    }
    let one_row_per_unit = sole_keys(connection, table)?.iter().any(|key| key.eq_ignore_ascii_case(unit));
    let vouched = Vouched { unit_type: unit_type(table, unit, unit_declared)?, one_row_per_unit };
    Ok(FileTable { vouched, unit: unit.clone(), columns: found })
}

/// The names of the columns, generated ones included, and their declared types in capitals.
pub(super) fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<(String, String)>> {
    // Of a virtual table, 1 marks the columns that `*` leaves out.
    let sql = "SELECT name, upper(type) FROM pragma_table_xinfo(?) WHERE hidden <> 1";
    connection.prepare(sql)?.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The scale of a column in which `lango dataset import` keeps amounts: `FIXEDPOINT(2)` holds whole numbers of 0.01.
pub(super) fn stored_scale(declared: &str) -> Option<u32> {
    declared.strip_prefix("FIXEDPOINT(")?.strip_suffix(')')?.parse().ok().filter(|scale| *scale <= 18)
}

fn unit_type(table: &str, unit: &str, declared: &str) -> Result<UnitType, SourceError> {
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

/// The table's entry in words: its place, its columns, its keys and which data an import noted of it. A table that was made anew
/// has another place, or that of one before the last; of a view only the columns' types say that a table below it was.
pub(super) fn fingerprint(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let sql = "SELECT name || ' ' || rootpage || ' ' || sql FROM sqlite_schema WHERE type IN ('table', 'view') \
               AND name = ? COLLATE NOCASE";
    let entry: String = connection.query_row(sql, [table], |row| row.get(0))?;
    let keys = sole_keys(connection, table).unwrap_or_default();
    let columns =
        columns(connection, table)?.into_iter().map(|(name, declared)| format!("{name} {declared}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let data = noted(connection, table)?.map_or_else(String::new, |noted| format!("data {}\n", noted.data));
    Ok(format!("{entry}\ncolumns {columns}\nkeys {}\n{data}", keys.join(", ")))
}

/// What an import noted of the data that it put into a table.
pub(super) struct Noted {
    /// The dataset's version whose data they are.
    pub(super) version: String,
    /// Their fingerprint.
    pub(super) data: String,
}

/// What `lango dataset import` noted of a table's data, if it made the table.
pub(super) fn noted(connection: &Connection, table: &str) -> rusqlite::Result<Option<Noted>> {
    if !is_there(connection, "lango_imported")? {
        return Ok(None);
    }
    let sql = "SELECT version, data FROM lango_imported WHERE table_name = ?";
    let read = |row: &rusqlite::Row<'_>| Ok(Noted { version: row.get(0)?, data: row.get(1)? });
    connection.query_row(sql, [table], read).optional()
}

/// What was accepted of these tables when an import made them; those that none made are left out.
pub(super) fn imported(connection: &Connection, tables: &[String]) -> rusqlite::Result<Vec<ImportedTable>> {
    let is_accepted = is_there(connection, "lango_accepted")?;
    let mut imported = Vec::new();
    for table in tables {
        if noted(connection, table)?.is_none() {
            continue;
        }
        let mut accepted = Vec::new();
        if is_accepted {
            // An import of an earlier version knew one kind of fault.
            let names_faults =
                "SELECT count(*) FROM pragma_table_info('lango_accepted') WHERE name = 'fault'";
            let names_faults = connection.query_row(names_faults, [], |row| row.get::<_, i64>(0))? > 0;
            let fault = if names_faults { "fault" } else { "''" };
            let sql = format!(
                "SELECT column_name, {fault}, share FROM lango_accepted WHERE table_name = ? ORDER BY 1, 2"
            );
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            accepted = rows.collect::<rusqlite::Result<_>>()?;
        }
        imported.push(ImportedTable { table: table.clone(), accepted });
    }
    Ok(imported)
}

/// The views among these tables.
pub(super) fn views(connection: &Connection, tables: &[String]) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = ? COLLATE NOCASE)";
    let mut is_view = connection.prepare(sql)?;
    let mut views = Vec::new();
    for table in tables {
        if is_view.query_row([table], |row| row.get(0))? {
            views.push(table.clone());
        }
    }
    Ok(views)
}

/// Whether the file has a table of this name.
pub(super) fn is_there(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)";
    connection.query_row(sql, [table], |row| row.get(0))
}

/// Checks that a table which an import made holds the data of the policy's version: answers of a version are of its data alone.
pub(super) fn check_version(connection: &Connection, dataset: &Dataset) -> Result<(), SourceError> {
    match noted(connection, &dataset.table).map_err(|error| unavailable(&error))? {
        Some(Noted { version, .. }) if version != dataset.version.as_str() => Err(SourceError::Version {
            table: dataset.table.clone(),
            held: version,
            declared: dataset.version.to_string(),
        }),
        Some(_) | None => Ok(()),
    }
}

fn strings(connection: &Connection, sql: &str, of: &str) -> Result<Vec<String>, SourceError> {
    let read = || {
        connection.prepare(sql)?.query_map([of], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
    };
    read().map_err(|error| unavailable(&error))
}
