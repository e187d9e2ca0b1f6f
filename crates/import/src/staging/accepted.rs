//! What was accepted of the files that a table was made of, kept in the register for those who examine it later.

use super::Staging;
use crate::options::Accepted;

/// A row for each column of which values were unread, undeclared, missing or unlike the others, and accepted: the table's name,
/// the column, and the share that was accepted, from 0 to 1.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS lango_accepted (
    table_name TEXT NOT NULL COLLATE NOCASE,
    column_name TEXT NOT NULL COLLATE NOCASE,
    share REAL NOT NULL,
    PRIMARY KEY (table_name, column_name)
) WITHOUT ROWID";

impl Staging {
    /// Writes down what was accepted of the table at hand instead of what was before, within the transaction at hand.
    pub(super) fn remember(&self, accepted: &[Accepted]) -> rusqlite::Result<()> {
        if self.kind_of("lango_accepted")?.is_none() && accepted.is_empty() {
            return Ok(());
        }
        self.connection.execute_batch(CREATE)?;
        self.connection.execute("DELETE FROM lango_accepted WHERE table_name = ?", [&self.table])?;
        for Accepted { column, share } in accepted {
            let sql = "REPLACE INTO lango_accepted VALUES (?, ?, ?)";
            self.connection.execute(sql, (&self.table, column, share))?;
        }
        let left: i64 =
            self.connection.query_row("SELECT count(*) FROM lango_accepted", [], |row| row.get(0))?;
        if left == 0 { self.connection.execute_batch("DROP TABLE lango_accepted") } else { Ok(()) }
    }
}
