//! How far an import is, kept beside its rows and committed with them.

use rusqlite::OptionalExtension;

use super::{Staging, quoted};
use crate::{Finding, Findings, ImportError, ImportEvent, RowPlace, batch::Batch, report::FilePart};

/// How far an import is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Rows that are in.
    pub(crate) rows: u64,
    /// Whether these are all.
    pub(crate) complete: bool,
    /// What each file is to the table, so far.
    pub(crate) parts: Vec<FilePart>,
    /// The first of them that is another now than when it was written last.
    changed_from: usize,
}

impl Progress {
    /// None yet, of this number of files and columns.
    fn none(files: usize, columns: usize) -> Self {
        let part = FilePart { rows: 0, findings: vec![Findings::default(); columns] };
        Self { parts: vec![part; files], ..Self::default() }
    }

    /// Adds a batch that was put in, of the file of the last one or a later file.
    pub(crate) fn absorb(&mut self, batch: &Batch) {
        self.rows += batch.rows;
        let Some(part) = self.parts.get_mut(batch.file) else { return };
        part.rows += batch.rows;
        for (findings, later) in part.findings.iter_mut().zip(&batch.findings) {
            findings.absorb(later);
        }
    }

    /// Notes something of the identifier on a line, unless it is noted there.
    pub(crate) fn note(&mut self, file: usize, finding: Finding, line: u64) {
        let place = RowPlace { file, line };
        let findings = self.parts.get_mut(file).and_then(|part| part.findings.first_mut());
        if let Some(findings) = findings.filter(|findings| !findings.of(finding).first.contains(&place)) {
            self.changed_from = self.changed_from.min(file);
            findings.add(finding, place);
        }
    }

    /// Forgets the first rows of a file that were noted, where they are not unlike its others: most of them are so, or more than
    /// one in a hundred beyond the first.
    pub(crate) fn settle_first_rows(&mut self, file: usize) {
        let is_only = self.parts.len() == 1;
        let Some(part) = self.parts.get_mut(file) else { return };
        let Some(findings) = part.findings.first_mut() else { return };
        let count = |finding| findings.of(finding).count;
        let (all, first) = (count(Finding::LabelRow), count(Finding::FirstRow));
        // Of few rows one is too many to be undeclared, and that says more.
        let are_few = is_only && part.rows < ROWS_LEAST;
        if are_few || first * 2 > part.rows || (all - first) * 100 > part.rows {
            findings.forget(Finding::FirstRow);
            self.changed_from = self.changed_from.min(file);
        }
    }

    fn is_of(&self, files: usize, columns: usize) -> bool {
        self.parts.len() == files && self.parts.iter().all(|part| part.findings.len() == columns)
    }
}

/// Rows of a file from which one of them is one in twenty, or fewer.
const ROWS_LEAST: u64 = 20;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS lango_import (
    table_name TEXT PRIMARY KEY COLLATE NOCASE,
    file TEXT NOT NULL,
    reading TEXT NOT NULL,
    rows INTEGER NOT NULL,
    complete INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS lango_import_file (
    table_name TEXT COLLATE NOCASE,
    position INTEGER,
    rows INTEGER NOT NULL,
    findings TEXT NOT NULL,
    PRIMARY KEY (table_name, position)
) WITHOUT ROWID";

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
        let progress = Progress::none(files, columns);
        self.in_one_transaction(&|| {
            self.connection
                .execute_batch(&format!("DROP TABLE IF EXISTS {}; {CREATE}", quoted(&self.staging)))?;
            self.connection.execute_batch(&self.create)?;
            self.connection.execute("DELETE FROM lango_import_file WHERE table_name = ?", [&self.table])?;
            let sql = "REPLACE INTO lango_import VALUES (?, ?, ?, 0, 0)";
            self.connection.execute(sql, (&self.table, file, reading))?;
            self.write_parts(&progress)
        })?;
        Ok((progress, differs.map(ImportEvent::Afresh)))
    }

    /// What an interrupted import left: the file, its reading and how far it is.
    fn kept(&self) -> rusqlite::Result<Option<(String, String, Progress)>> {
        for table in ["lango_import", "lango_import_file", &self.staging] {
            if self.kind_of(table)?.is_none() {
                return Ok(None);
            }
        }
        let sql = "SELECT rows, findings FROM lango_import_file WHERE table_name = ? ORDER BY position";
        let mut parts = self.connection.prepare(sql)?;
        let part = |row: &rusqlite::Row<'_>| {
            Ok(FilePart {
                rows: row.get::<_, i64>(0)?.unsigned_abs(),
                findings: decoded(&row.get::<_, String>(1)?),
            })
        };
        let parts: Vec<FilePart> = parts.query_map([&self.table], part)?.collect::<Result<_, _>>()?;
        let sql = "SELECT file, reading, rows, complete FROM lango_import WHERE table_name = ?";
        let kept = self.connection.query_row(sql, [&self.table], |row| {
            let (rows, complete) = (row.get::<_, i64>(2)?.unsigned_abs(), row.get(3)?);
            Ok((row.get(0)?, row.get(1)?, Progress { rows, complete, parts, changed_from: 0 }))
        });
        kept.optional()
    }

    /// Writes what was found in the files from the first on that was changed.
    fn write_parts(&self, progress: &Progress) -> rusqlite::Result<()> {
        let sql = "REPLACE INTO lango_import_file VALUES (?, ?, ?, ?)";
        let mut write = self.connection.prepare(sql)?;
        for (position, part) in progress.parts.iter().enumerate().skip(progress.changed_from) {
            let position = i64::try_from(position).unwrap_or(i64::MAX);
            write.execute((&self.table, position, part.rows.cast_signed(), encoded(&part.findings)))?;
        }
        Ok(())
    }

    /// Makes what was put in durable, together with how far it is.
    pub(crate) fn commit(&self, progress: &mut Progress) -> Result<(), ImportError> {
        let all = || {
            if self.connection.is_autocommit() {
                self.connection.execute_batch("BEGIN IMMEDIATE")?;
            }
            let sql = "UPDATE lango_import SET rows = ?, complete = ? WHERE table_name = ?";
            self.connection.execute(sql, (progress.rows.cast_signed(), progress.complete, &self.table))?;
            self.write_parts(progress)?;
            self.connection.execute_batch("COMMIT")
        };
        all().map_err(|error| self.failed(error))?;
        // The files before the one at hand will not change any more.
        let begun = progress.parts.iter().rposition(|part| part.rows > 0);
        progress.changed_from = begun.unwrap_or_default();
        Ok(())
    }

    /// Deletes the record of how far it is, within the transaction at hand.
    pub(super) fn forget(&self) -> rusqlite::Result<()> {
        if self.kind_of("lango_import")?.is_none() {
            return Ok(());
        }
        for table in ["lango_import", "lango_import_file"] {
            let sql = format!("DELETE FROM {table} WHERE table_name = ?");
            self.connection.execute(&sql, [&self.table])?;
        }
        let left: i64 =
            self.connection.query_row("SELECT count(*) FROM lango_import", [], |row| row.get(0))?;
        if left > 0 {
            return Ok(());
        }
        self.connection.execute_batch("DROP TABLE lango_import; DROP TABLE lango_import_file")
    }
}

/// What was found in a file, as text: a line for each column.
fn encoded(findings: &[Findings]) -> String {
    findings.iter().map(Findings::encoded).collect::<Vec<_>>().join("\n")
}

/// What [`encoded`] wrote; nothing if another version wrote it.
fn decoded(text: &str) -> Vec<Findings> {
    text.split('\n').map(Findings::decoded).collect::<Option<_>>().unwrap_or_default()
}
