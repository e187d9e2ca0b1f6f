//! A folder with a file, a register and a dataset, and what an import of the one makes of the other.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use lango_privacy::{Column, Dataset, DatasetKind, Domain, Objective, Span, Unit};
use rusqlite::{Connection, types::Value};

use crate::{
    Delimited, Encoding, FileFormat, Finding, ImportError, ImportEvent, ImportFile, ImportJob, ImportOptions,
    ImportReport, Tuning,
};

/// A folder that is gone at the end.
pub(super) struct Office {
    folder: tempfile::TempDir,
    pub(super) dataset: Dataset,
    pub(super) options: ImportOptions,
    pub(super) tuning: Tuning,
}

pub(super) const HEADER: &str = "person_id,sex,age,income,born,village\n";

/// Persons `GHA0`, `GHA1` and so on as lines of a file.
pub(super) fn lines(persons: std::ops::Range<u32>) -> String {
    persons.map(|n| format!("GHA{n},F,{},{n}.25,2000-01-01,Tema\n", n % 100)).collect()
}

/// A dataset with a column of each type.
pub(super) fn dataset(rows_at_most: u32) -> Dataset {
    let columns: [(&str, Domain); 5] = [
        ("sex", Domain::codes(vec!["F".parse().unwrap(), "M".parse().unwrap()]).unwrap()),
        ("age", Domain::integer(0, 110, 5).unwrap()),
        ("income", Domain::amount(0, 5_000_000, 2, None).unwrap()),
        ("born", Domain::date("1900-01-01".into(), "2024-12-31".into(), Span::Year).unwrap()),
        ("village", Domain::Open),
    ];
    Dataset {
        name: "residents".parse().unwrap(),
        title: "Residents".into(),
        kind: DatasetKind::Stock,
        source: "register".into(),
        table: "residents".into(),
        version: "1".parse().unwrap(),
        unit: Unit {
            column: "person_id".into(),
            noun: "person".parse().unwrap(),
            plural: "persons".parse().unwrap(),
            rows_at_most,
            cells_at_most: rows_at_most,
        },
        rows_below: None,
        objective: Objective::Sum,
        bounds_drop: None,
        columns: columns.map(|(name, domain)| (name.parse().unwrap(), Column::from(domain))).into(),
    }
}

impl Office {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            dataset: dataset(1),
            // Most tests import many files one after the other.
            options: ImportOptions { same_version: true, ..ImportOptions::default() },
            tuning: Tuning::default(),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn register(&self) -> PathBuf {
        self.path("register.sqlite")
    }

    pub(super) fn open(&self) -> Connection {
        Connection::open(self.register()).unwrap()
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(super) fn import_as(
        &self,
        file: &Path,
        format: FileFormat,
        report: &mut dyn FnMut(ImportEvent) -> ControlFlow<()>,
    ) -> Result<ImportReport, ImportError> {
        self.import_files(&[ImportFile { path: file.to_owned(), format }], report)
    }

    pub(super) fn import_files(
        &self,
        files: &[ImportFile],
        report: &mut dyn FnMut(ImportEvent) -> ControlFlow<()>,
    ) -> Result<ImportReport, ImportError> {
        let (register, dataset, options, tuning) =
            (&self.register(), &self.dataset, &self.options, self.tuning);
        ImportJob { files, register, dataset, options, tuning }.run(report)
    }

    /// Imports several files as one table, each as its name says.
    pub(super) fn import_all(&self, files: &[PathBuf]) -> Result<ImportReport, ImportError> {
        let named = |path: &PathBuf| Ok(ImportFile { path: path.clone(), format: FileFormat::of(path)? });
        let files = files.iter().map(named).collect::<Result<Vec<_>, ImportError>>()?;
        self.import_files(&files, &mut |_| ControlFlow::Continue(()))
    }

    /// With a share of a column's values accepted, or of those with a fault: `person_id:zeros`.
    pub(super) fn accepting(mut self, what: &str, share: f64) -> Self {
        let (column, fault) =
            what.split_once(':').map_or((what, None), |(column, word)| (column, Some(word)));
        let fault = fault.map(|word| word.parse().unwrap());
        self.options.accepted.push(crate::Accepted { column: column.to_owned(), share, fault });
        self
    }

    /// Imports a file as its name says.
    pub(super) fn import(&self, file: &Path) -> Result<ImportReport, ImportError> {
        self.import_as(file, FileFormat::of(file)?, &mut |_| ControlFlow::Continue(()))
    }

    pub(super) fn import_in(&self, file: &Path, encoding: &str) -> Result<ImportReport, ImportError> {
        let encoding = Encoding::named(encoding).unwrap();
        self.import_text(file, |delimited| delimited.encoding = encoding)
    }

    /// Imports a text file that is read otherwise than its name says.
    pub(super) fn import_text(
        &self,
        file: &Path,
        change: impl FnOnce(&mut Delimited),
    ) -> Result<ImportReport, ImportError> {
        let FileFormat::Delimited(mut delimited) = FileFormat::of(file)? else { panic!("no text") };
        change(&mut delimited);
        self.import_as(file, FileFormat::Delimited(delimited), &mut |_| ControlFlow::Continue(()))
    }

    /// Imports until at least this number of rows are in, and stops then; returns the events.
    pub(super) fn interrupt(&self, file: &Path, rows_at_least: u64) -> Vec<ImportEvent> {
        let mut events = Vec::new();
        let stopped = self.import_as(file, FileFormat::of(file).unwrap(), &mut |event| {
            events.push(event);
            match event {
                ImportEvent::Read { rows, .. } if rows >= rows_at_least => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        assert!(matches!(stopped, Err(ImportError::Stopped)), "{stopped:?}");
        events
    }

    /// All rows of the table, in the order in which they were put in.
    pub(super) fn rows(&self) -> Vec<Vec<Value>> {
        let connection = self.open();
        let mut select = connection.prepare("SELECT * FROM residents ORDER BY rowid").unwrap();
        let columns = select.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
        select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// The names of everything in the register but what it remembers of its imports.
    pub(super) fn objects(&self) -> Vec<String> {
        let connection = self.open();
        let sql = "SELECT name FROM sqlite_schema WHERE name NOT IN ('lango_imported', 'lango_accepted') ORDER BY name";
        let mut select = connection.prepare(sql).unwrap();
        select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// What keeps an import from leaving half of itself: nothing but the table and its key.
    pub(super) fn is_tidy(&self) -> bool {
        !self.path("register.sqlite-importing").exists()
            && !self.path("register.sqlite-journal").exists()
            && (!self.register().exists()
                || self
                    .objects()
                    .iter()
                    .all(|name| ["residents", "residents_unit", "residents_unit_2"].contains(&&**name)))
    }
}

/// What was found of a column: each finding that is true of a value, with the number of values and the lines of the first.
pub(super) fn found(report: &ImportReport, column: &str) -> Vec<(Finding, u64, Vec<u64>)> {
    let column = report.columns.iter().find(|found| found.name == column).unwrap();
    let lines = |first: &[crate::RowPlace]| first.iter().map(|place| place.line).collect();
    column
        .findings
        .found()
        .map(|(finding, counted)| (finding, counted.count, lines(&counted.first)))
        .collect()
}

/// Whether two reports say the same of files in different folders.
pub(super) fn like(one: &ImportReport, other: &ImportReport) -> bool {
    let unnamed = |report: &ImportReport| ImportReport { files: Vec::new(), ..report.clone() };
    unnamed(one) == unnamed(other)
}

/// How many values of all columns are unread or undeclared.
pub(super) fn unfit(report: &ImportReport) -> u64 {
    report.columns.iter().map(|column| column.findings.not_declared()).sum()
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
