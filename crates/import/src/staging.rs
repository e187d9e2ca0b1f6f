//! The staging table: in the same file, filled batch by batch, it takes the old table's name at the end.
//!
//! `docs/decisions/0014-importing.md` says why it is in the same file.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OptionalExtension, types::ValueRef};

use crate::{
    ImportError, Tuning, UnitKey, batch::Batch, findings::FIRST, options::Accepted, schema::TableSchema,
};

mod accepted;
mod alike;
mod areas;
mod copies;
mod counts;
mod crowded;
mod ends;
mod holding;
mod imported;
mod months;
mod progress;
mod searches;
mod spelling;
mod strangers;
mod sums;
mod units;
mod zeros;

pub(crate) use ends::EdgeRow;
pub(crate) use imported::ImportedData;
pub(crate) use progress::Progress;
pub(crate) use searches::Searches;

/// A query of a gateway may hold the register for as long as its statements may run.
const BUSY_TIMEOUT: Duration = Duration::from_secs(120);

/// Units that stand on several rows.
pub(crate) struct Repeated {
    /// How many there are.
    pub(crate) units: u64,
    /// The numbers of the first rows of such units, in the file's order, counted from 1.
    pub(crate) rows: Vec<u64>,
}

/// The staging table of a dataset.
pub(crate) struct Staging {
    connection: Connection,
    register: PathBuf,
    /// The dataset's table, and the staging table.
    table: String,
    staging: String,
    unit: String,
    rows_at_most: u32,
    create: String,
    insert: String,
    schema: TableSchema,
}

impl Staging {
    /// Opens the register, and makes it if it is not there.
    pub(crate) fn open(register: &Path, schema: &TableSchema, tuning: &Tuning) -> Result<Self, ImportError> {
        // SQLite gives the journal the register's mode.
        lango_files::make_or_open(register)
            .map_err(|cause| ImportError::Folder { file: register.to_owned(), cause })?;
        let connection = Connection::open(register).map_err(|error| failed(register, error))?;
        let this = Self::on(connection, register, schema, tuning)?;
        match this.kind_of(&this.table).map_err(|error| this.failed(error))?.as_deref() {
            Some("table") | None => Ok(this),
            Some(_) => Err(ImportError::NotATable { register: this.register, table: this.table }),
        }
    }

    /// A staging table in a temporary file of its own, which is gone with this; the register is only named in errors.
    pub(crate) fn temporary(
        register: &Path,
        schema: &TableSchema,
        tuning: &Tuning,
    ) -> Result<Self, ImportError> {
        let connection = Connection::open("").map_err(|error| failed(register, error))?;
        Self::on(connection, register, schema, tuning)
    }

    fn on(
        connection: Connection,
        register: &Path,
        schema: &TableSchema,
        tuning: &Tuning,
    ) -> Result<Self, ImportError> {
        let staging = format!("lango_importing_{}", schema.table);
        let columns: Vec<String> = schema
            .columns
            .iter()
            .map(|target| format!("{} {}", quoted(&target.name), target.field_type.sql()))
            .collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let this = Self {
            create: format!("CREATE TABLE {} ({})", quoted(&staging), columns.join(", ")),
            insert: format!("INSERT INTO {} VALUES ({marks})", quoted(&staging)),
            connection,
            register: register.to_owned(),
            table: schema.table.clone(),
            staging,
            unit: schema.unit().to_owned(),
            rows_at_most: schema.rows_at_most,
            schema: schema.clone(),
        };
        this.settle(tuning).map_err(|error| this.failed(error))?;
        Ok(this)
    }

    /// How many rows a statement says yes of, which says it of each in the order in which they were put in, as a table without
    /// key is read; and the numbers of the first of them, counted from 1.
    fn rows_of(&self, sql: &str, with: impl rusqlite::Params) -> rusqlite::Result<(u64, Vec<u64>)> {
        let mut statement = self.connection.prepare(sql)?;
        let mut found = statement.query(with)?;
        let (mut count, mut rows, mut number) = (0, Vec::new(), 0);
        while let Some(row) = found.next()? {
            number += 1;
            if row.get::<_, Option<bool>>(0)? == Some(true) {
                count += 1;
                if rows.len() < FIRST {
                    rows.push(number);
                }
            }
        }
        Ok((count, rows))
    }

    /// Shows the identifier of each row, in the order in which they were put in, as long as it is said to go on; whether it was
    /// so to the end.
    fn each_identifier(&self, see: &mut dyn FnMut(ValueRef<'_>) -> bool) -> rusqlite::Result<bool> {
        let sql = format!("SELECT {} FROM {} NOT INDEXED", quoted(&self.unit), quoted(&self.staging));
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if !see(row.get_ref(0)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many rows have an identifier of which this is true, and the numbers of the first of them, counted from 1.
    fn rows_with(&self, is_so: &mut dyn FnMut(ValueRef<'_>) -> bool) -> rusqlite::Result<(u64, Vec<u64>)> {
        let (mut count, mut rows, mut number) = (0, Vec::new(), 0);
        self.each_identifier(&mut |identifier| {
            number += 1;
            if is_so(identifier) {
                count += 1;
                if rows.len() < FIRST {
                    rows.push(number);
                }
            }
            true
        })?;
        Ok((count, rows))
    }

    fn settle(&self, tuning: &Tuning) -> rusqlite::Result<()> {
        self.connection.busy_timeout(BUSY_TIMEOUT)?;
        // The tables of others are left alone: nothing is deleted row by row for their keys, and no view is rewritten.
        self.connection.pragma_update(None, "foreign_keys", false)?;
        self.connection.pragma_update(None, "legacy_alter_table", true)?;
        // What is sorted for the unit's key goes to temporary files, on two threads.
        self.connection.pragma_update(None, "temp_store", "FILE")?;
        self.connection.pragma_update(None, "cache_size", -32_768)?;
        self.connection.pragma_update(None, "threads", 2)?;
        if let Some(pages) = tuning.pages_most {
            self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        }
        Ok(())
    }

    fn kind_of(&self, name: &str) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE";
        self.connection.query_row(sql, [name], |row| row.get(0)).optional()
    }

    /// Puts the rows of a batch into the transaction at hand, or a new one.
    pub(crate) fn insert(&self, batch: &Batch) -> Result<(), ImportError> {
        self.try_insert(batch).map_err(|error| self.failed(error))
    }

    fn try_insert(&self, batch: &Batch) -> rusqlite::Result<()> {
        if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        let mut statement = self.connection.prepare(&self.insert)?;
        for row in batch.rows() {
            for (at, value) in row.iter().enumerate() {
                let value = rusqlite::types::ToSqlOutput::Borrowed(batch.value(value));
                statement.raw_bind_parameter(at + 1, value)?;
            }
            statement.raw_execute()?;
        }
        Ok(())
    }

    /// Makes the unit's column a unique key, if the policy says that it is one; rows without unit do not count. Sorting once,
    /// after all rows are in, is much faster than keeping a key while they come.
    pub(crate) fn key(&self) -> Result<Result<UnitKey, Repeated>, ImportError> {
        if self.rows_at_most > 1 {
            return Ok(Ok(UnitKey::NotWanted));
        }
        self.try_key().map_err(|error| self.failed(error))
    }

    fn try_key(&self) -> rusqlite::Result<Result<UnitKey, Repeated>> {
        let exists = "SELECT count(*) FROM pragma_index_list(?)";
        if self.connection.query_row(exists, [&self.staging], |row| row.get::<_, i64>(0))? > 0 {
            return Ok(Ok(UnitKey::Unique));
        }
        // Each of its threads sorts as much in memory as the cache may hold.
        self.connection.pragma_update(None, "cache_size", -12_288)?;
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let name = quoted(&self.free_name()?);
        match self.connection.execute_batch(&format!("CREATE UNIQUE INDEX {name} ON {staging} ({unit})")) {
            Ok(()) => Ok(Ok(UnitKey::Unique)),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Ok(Err(self.repeated()?))
            }
            Err(error) => Err(error),
        }
    }

    /// Which rows keep the unit from being a key.
    fn repeated(&self) -> rusqlite::Result<Repeated> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let units = format!(
            "SELECT {unit} FROM {staging} WHERE {unit} IS NOT NULL GROUP BY {unit} HAVING count(*) > 1"
        );
        let count: i64 =
            self.connection.query_row(&format!("SELECT count(*) FROM ({units})"), [], |row| row.get(0))?;
        // A table without key is read in the order in which its rows were put in, which is the file's.
        let sql = format!("SELECT {unit} IN ({units}) FROM {staging} NOT INDEXED");
        let mut statement = self.connection.prepare(&sql)?;
        let mut found = statement.query([])?;
        let (mut rows, mut number) = (Vec::new(), 0);
        while let Some(row) = found.next()? {
            number += 1;
            if row.get::<_, Option<bool>>(0)? == Some(true) {
                rows.push(number);
            }
            if rows.len() == FIRST {
                break;
            }
        }
        Ok(Repeated { units: count.unsigned_abs(), rows })
    }

    /// A name for the key: that of the old table's key is taken as long as the old table is there.
    fn free_name(&self) -> rusqlite::Result<String> {
        let taken = "SELECT count(*) FROM sqlite_schema WHERE name = ? COLLATE NOCASE";
        let mut name = format!("{}_unit", self.table);
        for number in 2.. {
            if self.connection.query_row(taken, [&name], |row| row.get::<_, i64>(0))? == 0 {
                break;
            }
            name = format!("{}_unit_{number}", self.table);
        }
        Ok(name)
    }

    /// In one transaction, the new table takes the place and the name of the old one, and the register remembers which data it
    /// holds and what was accepted of them.
    pub(crate) fn take_the_name(
        &self,
        imported: &ImportedData,
        accepted: &[Accepted],
    ) -> Result<(), ImportError> {
        let (table, staging) = (quoted(&self.table), quoted(&self.staging));
        let renamed = format!("DROP TABLE IF EXISTS {table}; ALTER TABLE {staging} RENAME TO {table}");
        self.in_one_transaction(&|| {
            self.connection.execute_batch(&renamed)?;
            self.note(imported)?;
            self.remember(accepted)?;
            self.forget()
        })
    }

    /// Removes the rows that are in so far; SQLite uses the room again.
    pub(crate) fn discard(&self) -> Result<(), ImportError> {
        self.in_one_transaction(&|| {
            self.connection.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&self.staging)))?;
            self.forget()
        })
    }

    fn in_one_transaction(&self, change: &dyn Fn() -> rusqlite::Result<()>) -> Result<(), ImportError> {
        self.roll_back();
        let all = || {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            change()?;
            self.connection.execute_batch("COMMIT")
        };
        all().map_err(|error| {
            self.roll_back();
            self.failed(error)
        })
    }

    /// Undoes what is not committed.
    pub(crate) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // If it fails, the journal undoes it when the file is opened next.
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }

    fn failed(&self, error: rusqlite::Error) -> ImportError {
        failed(&self.register, error)
    }
}

/// SQLite's words speak of the file and of tables and columns, never of a value.
fn failed(register: &Path, cause: rusqlite::Error) -> ImportError {
    let register = register.to_owned();
    match cause.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ImportError::Full(register),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ImportError::Busy(register),
        _ => ImportError::Register { register, cause },
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
