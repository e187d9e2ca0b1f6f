//! The way of a file into the register: read in one thread, inserted in another, renamed at the end.

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
    Event, Format, Held, ImportError, Report,
    batch::Batch,
    delimited, fingerprint,
    lock::Lock,
    parquet_file,
    shape::{Places, Shape},
    staging::{Repeated, Staging, State},
};

/// Batches between the two threads: little memory, and neither waits for the other's slow moments.
const BATCHES_WAITING: usize = 4;
/// A transaction's text: what is changed stays in SQLite's cache, so that readers of the register wait for commits only.
const TRANSACTION_BYTES: usize = 12 << 20;

/// What to import where.
#[derive(Debug, Clone, Copy)]
pub struct Import<'a> {
    /// The file that an office exported.
    pub file: &'a Path,
    /// What it holds.
    pub format: Format,
    /// The SQLite file of the dataset's source; made if it is not there.
    pub register: &'a Path,
    /// What the policy declares of it.
    pub dataset: &'a Dataset,
    /// How, where it matters.
    pub tuning: Tuning,
}

/// How an import is done. Only tests have reason to change it.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Rows of a transaction.
    pub transaction_rows: u64,
    /// The most pages that the register may have, as if the disk were full then.
    pub pages_most: Option<u32>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { transaction_rows: 250_000, pages_most: None }
    }
}

/// An open file of either kind.
enum Table {
    Delimited(Box<delimited::Table>),
    Parquet(parquet_file::Table),
}

impl Table {
    fn open(import: &Import<'_>, shape: &Shape, read: &Arc<AtomicU64>) -> Result<Self, ImportError> {
        Ok(match &import.format {
            Format::Delimited(told) => {
                Self::Delimited(Box::new(delimited::Table::open(import.file, told, shape, read)?))
            }
            Format::Parquet => Self::Parquet(parquet_file::Table::open(import.file, shape)?),
        })
    }

    fn places(&self) -> &Places {
        match self {
            Self::Delimited(table) => &table.places,
            Self::Parquet(table) => &table.places,
        }
    }

    /// How many rows there are, where that is known before they are read.
    fn rows(&self) -> Option<u64> {
        match self {
            Self::Delimited(_) => None,
            Self::Parquet(table) => Some(table.rows),
        }
    }

    /// The lines on which these rows begin, which are counted from 1 and ascend; of a Parquet file the rows themselves.
    fn lines(self, rows: &[u64]) -> Result<Vec<u64>, ImportError> {
        match self {
            Self::Delimited(table) => table.lines(rows),
            Self::Parquet(_) => Ok(rows.to_vec()),
        }
    }

    fn send(
        self,
        shape: &Shape,
        skip: u64,
        send: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<(), ImportError> {
        match self {
            Self::Delimited(table) => table.send(shape, skip, send),
            Self::Parquet(table) => table.send(shape, skip, send),
        }
    }
}

impl Import<'_> {
    /// Imports the file. `tell` hears how it goes, and may stop it; then, and wherever the error says so, the next run goes
    /// on after the last transaction.
    pub fn run(&self, tell: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<Report, ImportError> {
        let file = fingerprint::of(self.file)?;
        let shape = Shape::of(self.dataset);
        let read = Arc::new(AtomicU64::new(0));
        // A file that cannot be read leaves a register as it is, or not made.
        let table = Table::open(self, &shape, &read)?;
        let left_out = table.places().left_out.clone();
        let _lock = Lock::take(self.register)?;
        let staging = Staging::open(self.register, &shape, &self.tuning)?;
        let done = self.stage(&staging, &shape, table, &file, &read, tell);
        if let Err(error) = &done {
            staging.roll_back();
            if !error.may_go_on() {
                // The error at hand says more than one of clearing up; the next run clears up again.
                drop(staging.discard());
            }
        }
        let (state, key) = done?;
        let columns = shape.columns.iter().zip(state.unread);
        let held = columns.map(|(target, unread)| Held {
            name: target.name.clone(),
            kind: target.kind.word(),
            unread,
        });
        let by_line = self.format != Format::Parquet;
        Ok(Report { rows: state.rows, columns: held.collect(), left_out, by_line, key })
    }

    fn stage(
        &self,
        staging: &Staging,
        shape: &Shape,
        table: Table,
        file: &str,
        read: &Arc<AtomicU64>,
        tell: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(State, crate::Key), ImportError> {
        let reading = format!("{}\n{}", self.format.describe(), shape.describe());
        let (mut state, event) = staging.resume(file, &reading, shape.columns.len())?;
        if let Some(event) = event {
            told(tell, event)?;
        }
        if !state.complete {
            let of = std::fs::metadata(self.file).map_or(0, |metadata| metadata.len());
            let rows = table.rows();
            let bytes = move |state: &State| match rows {
                Some(rows) => (u128::from(of) * u128::from(state.rows) / u128::from(rows.max(1))) as u64,
                None => read.load(Ordering::Relaxed),
            };
            let mut heard =
                |state: &State| told(tell, Event::Read { bytes: bytes(state), of, rows: state.rows });
            self.fill(staging, shape, table, &mut state, &mut heard)?;
            if state.rows == 0 {
                return Err(ImportError::NoRows(self.file.to_owned()));
            }
            if fingerprint::of(self.file)? != file {
                return Err(ImportError::Changed(self.file.to_owned()));
            }
            state.complete = true;
            staging.commit(&state)?;
        }
        told(tell, Event::Keying)?;
        let key = match staging.key()? {
            Ok(key) => key,
            Err(Repeated { units, rows }) => {
                return Err(ImportError::Repeated {
                    file: self.file.to_owned(),
                    column: shape.unit().to_owned(),
                    units,
                    lines: Table::open(self, shape, read)?.lines(&rows)?,
                    by_line: self.format != Format::Parquet,
                });
            }
        };
        staging.take_the_name()?;
        Ok((state, key))
    }

    /// Reads in a thread of its own what this thread inserts.
    fn fill(
        &self,
        staging: &Staging,
        shape: &Shape,
        table: Table,
        state: &mut State,
        heard: &mut dyn FnMut(&State) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        thread::scope(|scope| {
            let (send, receive) = sync_channel(BATCHES_WAITING);
            let skip = state.rows;
            let reader = scope.spawn(move || {
                // Whoever inserts has hung up when it fails.
                table.send(shape, skip, &mut |batch| match send.send(batch) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                })
            });
            let inserted = self.insert(staging, receive, state, heard);
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
        state: &mut State,
        heard: &mut dyn FnMut(&State) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let (mut rows, mut bytes) = (0, 0);
        for batch in batches {
            staging.insert(&batch)?;
            state.rows += batch.rows;
            for (unread, later) in state.unread.iter_mut().zip(&batch.unread) {
                unread.absorb(later);
            }
            rows += batch.rows;
            bytes += batch.heap.len();
            if rows >= self.tuning.transaction_rows || bytes >= TRANSACTION_BYTES {
                staging.commit(state)?;
                (rows, bytes) = (0, 0);
            }
            heard(state)?;
        }
        Ok(())
    }
}

fn told(tell: &mut dyn FnMut(Event) -> ControlFlow<()>, event: Event) -> Result<(), ImportError> {
    match tell(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ImportError::Stopped),
    }
}
