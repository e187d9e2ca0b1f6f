//! Preparations: the surviving rows in a table beside the register, and the page that says what each is tied to.
//!
//! Rows are committed by batches, so that a gateway that reads the file meanwhile is not kept waiting; the table is found only
//! when its line on the page says so.

use std::{fs::File, path::Path, time::Duration};

use lango_privacy::{Dataset, Name};
use rusqlite::{Connection, OpenFlags, OptionalExtension, types::ToSqlOutput};

use super::{
    catalogue::{self, FileTable, is_there},
    row_order::{define_row_order, raw},
    statement::{FileAccess, quoted, rows},
    unavailable,
};
use crate::{
    Bounding, PreparedRows, Secret, SourceError, Stale,
    count::Vouched,
    preparation::{LINE, PAGE, Preparation, Tie, fitting, table_name},
    value::Raw,
};

/// Rows between two commits.
const BATCH: u64 = 100_000;

/// How a dataset's rows are bounded now, and how they are read.
pub(super) fn find(
    connection: &Connection,
    dataset: &Dataset,
    vouched: Vouched,
    secret: &Secret,
) -> rusqlite::Result<(Bounding, FileAccess)> {
    if vouched.one_row_per_unit {
        return Ok((Bounding::Vouched, FileAccess::Vouched));
    }
    let tie = Tie::of(dataset, secret, &catalogue::fingerprint(connection, &dataset.table)?);
    let made = match fitting(made(connection, dataset)?, &tie) {
        Ok(made) => made,
        Err(bounding) => return Ok((bounding, FileAccess::Ranked)),
    };
    if !is_there(connection, &made.table)? {
        return Ok((Bounding::Stale(Stale::Gone), FileAccess::Ranked));
    }
    Ok((Bounding::Prepared { rows: made.rows() }, FileAccess::Prepared(made.table)))
}

fn made(connection: &Connection, dataset: &Dataset) -> rusqlite::Result<Option<Preparation>> {
    if !is_there(connection, PAGE)? {
        return Ok(None);
    }
    let sql = format!("SELECT {LINE} FROM {PAGE} WHERE dataset = ?");
    let read = |row: &rusqlite::Row<'_>| {
        let tie = Tie { version: row.get(0)?, terms: row.get(1)?, secret: row.get(2)?, table: row.get(3)? };
        Ok(Preparation { tie, table: row.get(4)?, generation: row.get(5)?, rows: row.get(6)? })
    };
    connection.query_row(&sql, [dataset.name.as_str()], read).optional()
}

/// Writes a preparation: a gateway finds the old one or the new one, whole. A commit waits for the questions that are under way,
/// for `busy` at most.
pub(super) fn prepare(
    file: &Path,
    busy: Duration,
    dataset: &Dataset,
    secret: &Secret,
) -> Result<PreparedRows, SourceError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(|error| unavailable(&error))?;
    let unprepared = |error: rusqlite::Error| SourceError::Unprepared(error.to_string());
    connection.busy_timeout(busy).and_then(|()| super::tuned(&connection)).map_err(unprepared)?;
    if catalogue::check(&connection, dataset)?.vouched.one_row_per_unit {
        return Err(SourceError::NothingToPrepare(dataset.table.clone()));
    }
    let _alone = alone(file)?;
    // After the wait, of one moment, before a row is read: a table that is made anew afterwards leaves a preparation that is
    // stale.
    connection.execute_batch("BEGIN").map_err(unprepared)?;
    let table = catalogue::check(&connection, dataset)?;
    catalogue::check_version(&connection, dataset)?;
    let fingerprint = catalogue::fingerprint(&connection, &dataset.table).map_err(unprepared)?;
    connection.execute_batch("COMMIT").map_err(unprepared)?;
    let tie = Tie::of(dataset, secret, &fingerprint);
    let columns = "dataset TEXT PRIMARY KEY, version TEXT NOT NULL, terms TEXT NOT NULL, secret TEXT NOT NULL, \
                   source_table TEXT NOT NULL, prepared_table TEXT NOT NULL, generation INTEGER NOT NULL, \
                   prepared_rows INTEGER NOT NULL";
    let sql = format!("CREATE TABLE IF NOT EXISTS {PAGE} ({columns}) STRICT");
    connection.execute_batch(&sql).map_err(unprepared)?;
    let before = made(&connection, dataset).map_err(unprepared)?;
    let generation = Preparation::next(before.as_ref());
    let name = table_name(dataset, generation);
    let written = write(&connection, dataset, &table, secret, &name);
    let finished = written.and_then(|rows| {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let sql = format!("INSERT OR REPLACE INTO {PAGE} VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        let Tie { version, terms, secret, table } = &tie;
        let line = (
            dataset.name.as_str(),
            version,
            terms,
            secret,
            table,
            &name,
            generation,
            i64::try_from(rows).unwrap_or(i64::MAX),
        );
        connection.execute(&sql, line)?;
        if let Some(before) = &before {
            connection.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&before.table)))?;
        }
        connection.execute_batch("COMMIT")?;
        Ok(rows)
    });
    let kept = finished.map_err(|error| {
        // Report the first error; what is left behind is dropped by the next attempt at the latest.
        // SQLite may have rolled back by itself, and then says that there is nothing to.
        if !connection.is_autocommit() {
            drop(connection.execute_batch("ROLLBACK"));
        }
        drop(connection.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&name))));
        unprepared(error)
    })?;
    let sql = format!("SELECT count(*) FROM {}", quoted(&dataset.table));
    let all = connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(unprepared)?;
    Ok(PreparedRows { kept, all: all.unsigned_abs() })
}

/// One preparation of a register at a time: a second one waits. The system releases the lock when the process ends, however
/// it ends; the empty file beside the register stays.
pub(super) fn alone(register: &Path) -> Result<File, SourceError> {
    let mut beside = register.as_os_str().to_owned();
    beside.push("-preparing");
    let beside = Path::new(&beside);
    let made = || lango_files::make_or_open(beside);
    // A lock file of another user can be locked by a user who may read it.
    let held = File::open(beside).or_else(|_| made());
    let held = held.and_then(|file| file.lock().map(|()| file));
    held.map_err(|error| {
        let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
        let owner = if denied { "; prepare as the user who owns the register" } else { "" };
        SourceError::Unprepared(format!("{}: {error}{owner}", beside.display()))
    })
}

/// Writes the rows that survive into a table of this name; how many they are.
fn write(
    connection: &Connection,
    dataset: &Dataset,
    table: &FileTable,
    secret: &Secret,
    name: &str,
) -> rusqlite::Result<u64> {
    define_row_order(connection, dataset, table)?;
    let names: Vec<&Name> = dataset.columns.keys().collect();
    let columns: String = names.iter().map(|name| format!(", {}", quoted(name.as_str()))).collect();
    // Columns without a type keep a value as it is.
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; DROP TABLE IF EXISTS {name}; CREATE TABLE {name} (_unit, _rank INTEGER NOT NULL{columns}, \
         PRIMARY KEY (_unit, _rank)) WITHOUT ROWID",
        name = quoted(name)
    ))?;
    let places = ", ?".repeat(names.len());
    let mut insert = connection.prepare(&format!("INSERT INTO {} VALUES (?, ?{places})", quoted(name)))?;
    let mut select = connection.prepare(&rows(dataset, table, &names, &FileAccess::Ranked))?;
    let mut found = select.query([secret.bytes()])?;
    // The rows of a unit come together, and all identifiers are of one type.
    let (mut before, mut rank, mut written) = (Vec::new(), 0_u32, 0_u64);
    while let Some(row) = found.next()? {
        let identifier = raw(row.get_ref(0)?);
        if !table.vouched.unit_type.identifies(identifier) {
            continue;
        }
        let number;
        let unit: &[u8] = match identifier {
            Raw::Integer(unit) => {
                number = unit.to_be_bytes();
                &number
            }
            Raw::Text(text) => text,
            Raw::Null | Raw::Real(_) | Raw::Other(_) => continue,
        };
        rank = if rank > 0 && unit == before { rank.saturating_add(1) } else { 1 };
        before.clear();
        before.extend_from_slice(unit);
        if rank <= dataset.unit.rows_at_most {
            insert.raw_bind_parameter(1, ToSqlOutput::Borrowed(row.get_ref(0)?))?;
            insert.raw_bind_parameter(2, rank)?;
            for place in 0..names.len() {
                insert.raw_bind_parameter(place + 3, ToSqlOutput::Borrowed(row.get_ref(place + 1)?))?;
            }
            insert.raw_execute()?;
            written = written.saturating_add(1);
            if written.is_multiple_of(BATCH) {
                connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
            }
        }
    }
    drop(found);
    connection.execute_batch("COMMIT")?;
    Ok(written)
}
