//! Reads a file in one thread, inserts its rows in another, and gives the new table its name at the end.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use lango_privacy::Dataset;

use crate::{
    FileFormat, ImportError, ImportEvent, ImportReport, ImportedColumn, Tuning,
    batch::Batch,
    delimited, fingerprint,
    lock::ImportLock,
    parquet_file,
    schema::{Places, TableSchema},
    staging::{Progress, Repeated, Staging},
};

/// Batches between the two threads: little memory, and neither waits for the other's slow moments.
const BATCHES_WAITING: usize = 4;
/// A transaction's text: what is changed stays in SQLite's cache, so that readers of the register wait for commits only.
const TRANSACTION_BYTES: usize = 12 << 20;

/// What to import where.
#[derive(Debug, Clone, Copy)]
pub struct ImportJob<'a> {
    /// The file that an office exported.
    pub file: &'a Path,
    /// What it holds.
    pub format: FileFormat,
    /// The SQLite file of the dataset's source; made if it is not there.
    pub register: &'a Path,
    /// What the policy declares of it.
    pub dataset: &'a Dataset,
    /// The sizes of its transactions and of the register.
    pub tuning: Tuning,
}

/// An open file of either format.
enum OpenFile {
    Delimited(Box<delimited::DelimitedFile>),
    Parquet(parquet_file::ParquetFile),
}

impl OpenFile {
    fn open(
        import: &ImportJob<'_>,
        schema: &TableSchema,
        read: &Arc<AtomicU64>,
    ) -> Result<Self, ImportError> {
        Ok(match &import.format {
            FileFormat::Delimited(format) => {
                Self::Delimited(Box::new(delimited::DelimitedFile::open(import.file, format, schema, read)?))
            }
            FileFormat::Parquet => Self::Parquet(parquet_file::ParquetFile::open(import.file, schema)?),
        })
    }

    fn places(&self) -> &Places {
        match self {
            Self::Delimited(file) => &file.places,
            Self::Parquet(file) => &file.places,
        }
    }

    /// How many rows there are, where that is known before they are read.
    fn rows(&self) -> Option<u64> {
        match self {
            Self::Delimited(_) => None,
            Self::Parquet(file) => Some(file.rows),
        }
    }

    /// The lines on which these rows begin, which are counted from 1 and ascend; of a Parquet file the rows themselves.
    fn lines(self, rows: &[u64]) -> Result<Vec<u64>, ImportError> {
        match self {
            Self::Delimited(file) => file.lines(rows),
            Self::Parquet(_) => Ok(rows.to_vec()),
        }
    }

    fn send(
        self,
        schema: &TableSchema,
        skip: u64,
        send: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<(), ImportError> {
        match self {
            Self::Delimited(file) => file.send(schema, skip, send),
            Self::Parquet(file) => file.send(schema, skip, send),
        }
    }
}

impl ImportJob<'_> {
    /// Imports the file. It calls `report` with each event; `report` may stop it. After that, and wherever the error says so,
    /// the next run goes on after the last transaction.
    pub fn run(
        &self,
        report: &mut dyn FnMut(ImportEvent) -> ControlFlow<()>,
    ) -> Result<ImportReport, ImportError> {
        let file = fingerprint::of(self.file)?;
        let schema = TableSchema::of(self.dataset);
        let read = Arc::new(AtomicU64::new(0));
        // A file that cannot be read leaves a register as it is, or not made.
        let open = OpenFile::open(self, &schema, &read)?;
        let left_out = open.places().left_out.clone();
        let _lock = ImportLock::take(self.register)?;
        let staging = Staging::open(self.register, &schema, &self.tuning)?;
        let done = self.stage(&staging, &schema, open, &file, &read, report);
        if let Err(error) = &done {
            staging.roll_back();
            if !error.may_go_on() {
                // The error at hand says more than an error in clearing up would; the next run clears up again.
                drop(staging.discard());
            }
        }
        let (progress, key) = done?;
        let columns = schema.columns.iter().zip(progress.unread);
        let imported = columns.map(|(target, unread)| ImportedColumn {
            name: target.name.clone(),
            type_name: target.field_type.word(),
            unread,
        });
        let by_line = self.format != FileFormat::Parquet;
        Ok(ImportReport { rows: progress.rows, columns: imported.collect(), left_out, by_line, key })
    }

    fn stage(
        &self,
        staging: &Staging,
        schema: &TableSchema,
        open: OpenFile,
        file: &str,
        read: &Arc<AtomicU64>,
        report: &mut dyn FnMut(ImportEvent) -> ControlFlow<()>,
    ) -> Result<(Progress, crate::UnitKey), ImportError> {
        let reading = format!("{}\n{}", self.format.describe(), schema.describe());
        let (mut progress, event) = staging.resume(file, &reading, schema.columns.len())?;
        if let Some(event) = event {
            notify(report, event)?;
        }
        if !progress.complete {
            let of = std::fs::metadata(self.file).map_or(0, |metadata| metadata.len());
            let rows = open.rows();
            let bytes = move |progress: &Progress| match rows {
                Some(rows) => (u128::from(of) * u128::from(progress.rows) / u128::from(rows.max(1))) as u64,
                None => read.load(Ordering::Relaxed),
            };
            let mut on_progress = |progress: &Progress| {
                notify(report, ImportEvent::Read { bytes: bytes(progress), of, rows: progress.rows })
            };
            self.fill(staging, schema, open, &mut progress, &mut on_progress)?;
            if progress.rows == 0 {
                return Err(ImportError::NoRows(self.file.to_owned()));
            }
            if fingerprint::of(self.file)? != file {
                return Err(ImportError::Changed(self.file.to_owned()));
            }
            progress.complete = true;
            staging.commit(&progress)?;
        }
        notify(report, ImportEvent::Keying)?;
        let key = match staging.key()? {
            Ok(key) => key,
            Err(Repeated { units, rows }) => {
                return Err(ImportError::Repeated {
                    file: self.file.to_owned(),
                    column: schema.unit().to_owned(),
                    units,
                    lines: OpenFile::open(self, schema, read)?.lines(&rows)?,
                    by_line: self.format != FileFormat::Parquet,
                });
            }
        };
        staging.take_the_name()?;
        Ok((progress, key))
    }

    /// Reads in a thread of its own what this thread inserts.
    fn fill(
        &self,
        staging: &Staging,
        schema: &TableSchema,
        open: OpenFile,
        progress: &mut Progress,
        on_progress: &mut dyn FnMut(&Progress) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        thread::scope(|scope| {
            let (send, receive) = sync_channel(BATCHES_WAITING);
            let skip = progress.rows;
            let reader = scope.spawn(move || {
                // The inserting thread closes the channel when it fails.
                open.send(schema, skip, &mut |batch| match send.send(batch) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                })
            });
            let inserted = self.insert(staging, receive, progress, on_progress);
            // A library that gives up on a damaged file by a panic is no reason to do the same.
            let read = reader.join().unwrap_or_else(|_| {
                Err(ImportError::Parquet {
                    file: self.file.to_owned(),
                    cause: "it cannot be decoded".to_owned(),
                })
            });
            inserted.and(read)
        })
    }

    fn insert(
        &self,
        staging: &Staging,
        batches: Receiver<Batch>,
        progress: &mut Progress,
        on_progress: &mut dyn FnMut(&Progress) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let (mut rows, mut bytes) = (0, 0);
        for batch in batches {
            staging.insert(&batch)?;
            progress.rows += batch.rows;
            for (unread, later) in progress.unread.iter_mut().zip(&batch.unread) {
                unread.absorb(later);
            }
            rows += batch.rows;
            bytes += batch.heap.len();
            if rows >= self.tuning.transaction_rows || bytes >= TRANSACTION_BYTES {
                staging.commit(progress)?;
                (rows, bytes) = (0, 0);
            }
            on_progress(progress)?;
        }
        Ok(())
    }
}

fn notify(
    report: &mut dyn FnMut(ImportEvent) -> ControlFlow<()>,
    event: ImportEvent,
) -> Result<(), ImportError> {
    match report(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ImportError::Stopped),
    }
}
