//! Which data of which version the register's tables hold, kept for the next import and for those who examine the register.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{Staging, failed};
use crate::ImportError;

/// A row for each table that was imported: its dataset and version, and a fingerprint of the files and of how they were read.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS lango_imported (
    table_name TEXT PRIMARY KEY COLLATE NOCASE,
    dataset TEXT NOT NULL,
    version TEXT NOT NULL,
    data TEXT NOT NULL
) WITHOUT ROWID";

/// The data of a dataset's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportedData {
    pub(crate) dataset: String,
    pub(crate) version: String,
    /// The fingerprint of the files and of how they are read; not of what the policy declares of them.
    pub(crate) data: String,
}

impl ImportedData {
    /// What a register holds in a table, if it is known and the table is there. A register that is not there holds nothing.
    pub(crate) fn of(register: &Path, table: &str) -> Result<Option<Self>, ImportError> {
        if !register.exists() {
            return Ok(None);
        }
        // It only reads; but where an import was killed, the one who opens the register next must be able to undo its journal.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let found = Connection::open_with_flags(register, flags).and_then(|connection| {
            connection.busy_timeout(super::BUSY_TIMEOUT)?;
            let both = "SELECT count(*) = 2 FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
                        AND (name = 'lango_imported' OR name = ? COLLATE NOCASE)";
            if !connection.query_row(both, [table], |row| row.get(0))? {
                return Ok(None);
            }
            let sql = "SELECT dataset, version, data FROM lango_imported WHERE table_name = ?";
            let row = |row: &rusqlite::Row<'_>| {
                Ok(Self { dataset: row.get(0)?, version: row.get(1)?, data: row.get(2)? })
            };
            connection.query_row(sql, [table], row).optional()
        });
        found.map_err(|error| failed(register, error))
    }
}

impl Staging {
    /// Writes down which data the table at hand holds, within the transaction at hand.
    pub(super) fn note(&self, imported: &ImportedData) -> rusqlite::Result<()> {
        self.connection.execute_batch(CREATE)?;
        let ImportedData { dataset, version, data } = imported;
        let sql = "REPLACE INTO lango_imported VALUES (?, ?, ?, ?)";
        self.connection.execute(sql, (&self.table, dataset, version, data))?;
        Ok(())
    }
}
