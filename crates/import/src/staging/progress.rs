//! How far an import is, kept beside its rows and committed with them.

use rusqlite::OptionalExtension;

use super::{Staging, quoted};
use crate::{Findings, ImportError, ImportEvent, report::FilePart};

/// How far an import is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Rows that are in.
    pub(crate) rows: u64,
    /// Whether these are all.
    pub(crate) complete: bool,
    /// What each file is to the table, so far.
    pub(crate) parts: Vec<FilePart>,
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS lango_import (
    table_name TEXT PRIMARY KEY COLLATE NOCASE,
    file TEXT NOT NULL,
    reading TEXT NOT NULL,
    rows INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    unread TEXT NOT NULL
)";

impl Staging {
    /// Goes on with an interrupted import of the same file, read the same way, or starts afresh; and says which, if there
    /// was one.
    pub(crate) fn resume(
        &self,
        file: &str,
        reading: &str,
        files: usize,
        columns: usize,
    ) -> Result<(Progress, Option<ImportEvent>), ImportError> {
        let kept = self.kept().map_err(|error| self.failed(error))?;
        let differs = match kept {
            None => None,
            Some((kept_file, ..)) if kept_file != file => Some("the file"),
            Some((_, kept_reading, _)) if kept_reading != reading => {
                Some("how the file is read, or what the policy declares of the dataset")
            }
            // A version of the program that noted other things of a file left what cannot be gone on with.
            Some((.., progress)) if !progress.is_of(files, columns) => Some("the program"),
            Some((.., progress)) => {
                let event = ImportEvent::Resumed(progress.rows);
                return Ok((progress, Some(event)));
            }
        };
        let part = FilePart { rows: 0, findings: vec![Findings::default(); columns] };
        let progress = Progress { parts: vec![part; files], ..Progress::default() };
        self.in_one_transaction(&|| {
            self.connection
                .execute_batch(&format!("DROP TABLE IF EXISTS {}; {CREATE}", quoted(&self.staging)))?;
            self.connection.execute_batch(&self.create)?;
            let sql = "REPLACE INTO lango_import VALUES (?, ?, ?, 0, 0, ?)";
            self.connection.execute(sql, (&self.table, file, reading, encoded(&progress.parts)))?;
            Ok(())
        })?;
        Ok((progress, differs.map(ImportEvent::Afresh)))
    }

    /// What an interrupted import left: the file, its reading and how far it is.
    fn kept(&self) -> rusqlite::Result<Option<(String, String, Progress)>> {
        if self.kind_of("lango_import")?.is_none() || self.kind_of(&self.staging)?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT file, reading, rows, complete, unread FROM lango_import WHERE table_name = ?";
        let kept = self.connection.query_row(sql, [&self.table], |row| {
            let progress = Progress {
                rows: row.get::<_, i64>(2)?.unsigned_abs(),
                complete: row.get(3)?,
                parts: decoded(&row.get::<_, String>(4)?),
            };
            Ok((row.get(0)?, row.get(1)?, progress))
        });
        kept.optional()
    }

    /// Makes what was put in durable, together with how far it is.
    pub(crate) fn commit(&self, progress: &Progress) -> Result<(), ImportError> {
        let all = || {
            if self.connection.is_autocommit() {
                self.connection.execute_batch("BEGIN IMMEDIATE")?;
            }
            let sql = "UPDATE lango_import SET rows = ?, complete = ?, unread = ? WHERE table_name = ?";
            self.connection.execute(
                sql,
                (progress.rows.cast_signed(), progress.complete, encoded(&progress.parts), &self.table),
            )?;
            self.connection.execute_batch("COMMIT")
        };
        all().map_err(|error| self.failed(error))
    }

    /// Deletes the record of how far it is, within the transaction at hand.
    pub(super) fn forget(&self) -> rusqlite::Result<()> {
        if self.kind_of("lango_import")?.is_none() {
            return Ok(());
        }
        self.connection.execute("DELETE FROM lango_import WHERE table_name = ?", [&self.table])?;
        let left: i64 =
            self.connection.query_row("SELECT count(*) FROM lango_import", [], |row| row.get(0))?;
        if left == 0 { self.connection.execute_batch("DROP TABLE lango_import") } else { Ok(()) }
    }
}

impl Progress {
    fn is_of(&self, files: usize, columns: usize) -> bool {
        self.parts.len() == files && self.parts.iter().all(|part| part.findings.len() == columns)
    }
}

/// What was found, as text: a line for each file, in it the number of rows and then a part for each column.
fn encoded(parts: &[FilePart]) -> String {
    let part = |part: &FilePart| {
        let findings = part.findings.iter().map(|findings| format!("|{}", findings.encoded()));
        format!("{}{}", part.rows, findings.collect::<String>())
    };
    parts.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// What [`encoded`] wrote; nothing if another version wrote it.
fn decoded(text: &str) -> Vec<FilePart> {
    let part = |line: &str| {
        let mut parts = line.split('|');
        let rows = parts.next()?.parse().ok()?;
        Some(FilePart { rows, findings: parts.map(Findings::decoded).collect::<Option<_>>()? })
    };
    text.lines().map(part).collect::<Option<_>>().unwrap_or_default()
}
