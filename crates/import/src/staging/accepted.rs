//! What was accepted of the files that a table was made of, kept in the register for those who examine it later.

use super::Staging;
use crate::{UnfitValues, options::Accepted};

/// A row for each fault of a column's values that was accepted: the table's name, the column, the word of the fault (none where
/// identifiers are missing, or other values are unread or undeclared), and the share, from 0 to 1.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS lango_accepted (
    table_name TEXT NOT NULL COLLATE NOCASE,
    column_name TEXT NOT NULL COLLATE NOCASE,
    fault TEXT NOT NULL DEFAULT '',
    share REAL NOT NULL,
    PRIMARY KEY (table_name, column_name, fault)
) WITHOUT ROWID";

impl Staging {
    /// Writes down what was accepted of the table at hand instead of what was before, within the transaction at hand.
    pub(super) fn remember(&self, accepted: &[Accepted]) -> rusqlite::Result<()> {
        let is_there = self.kind_of("lango_accepted")?.is_some();
        if !is_there && accepted.is_empty() {
            return Ok(());
        }
        let names_faults = "SELECT count(*) FROM pragma_table_info('lango_accepted') WHERE name = 'fault'";
        if is_there && self.connection.query_row(names_faults, [], |row| row.get::<_, i64>(0))? == 0 {
            self.name_faults()?;
        }
        self.connection.execute_batch(CREATE)?;
        self.connection.execute("DELETE FROM lango_accepted WHERE table_name = ?", [&self.table])?;
        for Accepted { column, share, fault } in accepted {
            let sql = "REPLACE INTO lango_accepted VALUES (?, ?, ?, ?)";
            let word = fault.and_then(UnfitValues::word).unwrap_or_default();
            self.connection.execute(sql, (&self.table, column, word, share))?;
        }
        let left: i64 =
            self.connection.query_row("SELECT count(*) FROM lango_accepted", [], |row| row.get(0))?;
        if left == 0 { self.connection.execute_batch("DROP TABLE lango_accepted") } else { Ok(()) }
    }

    /// Makes the table of a version that accepted all faults of a column together into this one's.
    fn name_faults(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(&format!(
            "ALTER TABLE lango_accepted RENAME TO lango_accepted_before; {CREATE};
             INSERT INTO lango_accepted (table_name, column_name, share)
             SELECT table_name, column_name, share FROM lango_accepted_before;
             DROP TABLE lango_accepted_before"
        ))
    }
}
