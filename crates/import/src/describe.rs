//! What stands in files before any table and any policy exist: their columns, and the shape of the values.
//!
//! One pass, in memory that does not grow with the files. Values leave this module only where each stands on
//! [`ROWS_SHOWN_LEAST`] rows or more.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::{BuildHasher, RandomState},
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
};

use crate::{
    FileFormat, ImportError, ImportEvent, ImportFile, RowError,
    delimited::{DelimitedRows, check_header},
    files::{changed, check_named_once, check_same_header, size, undecodable, within},
    fingerprint,
    parquet_file::ParquetRows,
    schema::folded,
    value::trimmed,
    visit::FieldVisitor,
};

mod days;
mod missing;
mod notation;
mod numbers;
mod repeats;
mod tally;
mod units;
mod values;

pub use notation::FoundNotation;
pub use values::{DistinctValues, ROWS_SHOWN_LEAST};

use repeats::Repeats;
use tally::{ColumnTally, present};

/// Rows after which the caller is shown how far the reading is.
const ROWS_BETWEEN: u64 = 8_192;

/// What stands in some files, which are one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDescription {
    /// How many rows were read.
    pub rows: u64,
    /// The columns in the order of the first file.
    pub columns: Vec<DescribedColumn>,
    /// How numbers and days are written.
    pub notation: FoundNotation,
    /// The column of the likely unit, by whose distinct values the rows of a shown value are counted too; none where each row is
    /// another unit's, or none is likely.
    pub counted_by: Option<String>,
}

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedColumn {
    /// Its name in the header.
    pub name: String,
    /// The header has the name twice, so that no policy can declare it.
    pub is_twice: bool,
    /// Rows without a value.
    pub blank: u64,
    /// What most values are.
    pub shape: ValueShape,
    /// How many values are something else, and no word that may say that a value is missing.
    pub others: u64,
    /// What may say that a value is missing, with the number of its rows, each [`ROWS_SHOWN_LEAST`] or more.
    pub missing: Vec<(String, u64)>,
    /// How many rows have a word that may say that a value is missing, however few have the same.
    pub word_rows: u64,
    /// Its numbers always have three digits behind a mark, as thousands have, and no column says that they are none.
    pub likely_thousands: bool,
    /// Where each row has a value and no two that were compared are the same: one in how many was compared, 1 if all were.
    pub unique: Option<u64>,
    /// The distinct values, words that may say that a value is missing among them.
    pub values: DistinctValues,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueShape {
    /// There is none.
    Nothing,
    /// Nested, or no text, number or day.
    Nested,
    /// Whole numbers.
    Whole {
        /// Some have zeros in front, as codes have.
        has_zeros_in_front: bool,
    },
    /// Numbers with decimals.
    Decimal {
        /// The most that one needs.
        decimals: u32,
    },
    /// Days.
    Day {
        /// Some have a time.
        has_times: bool,
    },
    /// True and false, in words or letters.
    Truth,
    /// Anything else.
    Text,
}

impl FileDescription {
    /// Reads the files once. It calls `report` with each [`ImportEvent::Read`], which may stop it.
    pub fn of(
        files: &[ImportFile],
        report: &mut dyn FnMut(ImportEvent) -> ControlFlow<()>,
    ) -> Result<Self, ImportError> {
        let of = files.iter().map(|file| size(&file.path)).sum();
        let read = Arc::new(AtomicU64::new(0));
        thread::scope(|scope| {
            let (send, receive) = channel();
            let counter = &read;
            let reader = scope.spawn(move || Reading { files, counter, send }.run());
            let mut stopped = false;
            for rows in receive {
                let bytes = read.load(Ordering::Relaxed).min(of);
                stopped = report(ImportEvent::Read { bytes, of, rows }).is_break();
                if stopped {
                    break;
                }
            }
            let done = reader.join().unwrap_or_else(|_| Err(undecodable(files)));
            if stopped { Err(ImportError::Stopped) } else { done }
        })
    }
}

/// Files on their way into a description.
struct Reading<'a> {
    files: &'a [ImportFile],
    counter: &'a Arc<AtomicU64>,
    send: Sender<u64>,
}

impl Reading<'_> {
    fn run(self) -> Result<FileDescription, ImportError> {
        let before = prints(self.files)?;
        let names = self.check()?;
        let mut tallies =
            Tallies::new(names, Progress { send: self.send, counter: self.counter, part: None });
        let mut bytes = 0;
        for (at, file) in self.files.iter().enumerate() {
            let read = OpenFile::open(file, self.counter).and_then(|open| {
                tallies.begin(open.names(), &open.flat());
                // A Parquet file is not read from its beginning to its end.
                tallies.progress.part = open.rows().map(|rows| FilePart {
                    bytes_before: bytes,
                    bytes: size(&file.path),
                    rows_before: tallies.rows,
                    rows,
                });
                open.visit(&mut tallies)
            });
            read.map_err(|error| within(self.files, at, error))?;
            bytes += size(&file.path);
        }
        if prints(self.files)? != before {
            return Err(changed(self.files));
        }
        Ok(tallies.described())
    }

    /// Reads each header and compares them; returns the columns' names.
    fn check(&self) -> Result<Vec<String>, ImportError> {
        check_named_once(self.files)?;
        let mut first: Option<(&Path, Vec<String>)> = None;
        for (at, file) in self.files.iter().enumerate() {
            let path = file.path.as_path();
            let open = match &file.format {
                FileFormat::Delimited(format) => check_header(path, format),
                FileFormat::Parquet => Ok(()),
            };
            let open = open.and_then(|()| OpenFile::open(file, &Arc::default()));
            let open = open.map_err(|error| within(self.files, at, error))?;
            match &first {
                None => first = Some((path, open.names().to_vec())),
                Some((as_in, expected)) => check_same_header((as_in, expected), (path, open.names()))?,
            }
        }
        Ok(first.map(|(_, names)| names).unwrap_or_default())
    }
}

/// What says whether these are still the same files.
fn prints(files: &[ImportFile]) -> Result<Vec<String>, ImportError> {
    files.iter().map(|file| fingerprint::of(&file.path)).collect()
}

/// An open file of either format.
enum OpenFile {
    Delimited(Box<DelimitedRows>),
    Parquet(ParquetRows),
}

impl OpenFile {
    fn open(file: &ImportFile, read: &Arc<AtomicU64>) -> Result<Self, ImportError> {
        Ok(match &file.format {
            FileFormat::Delimited(format) => {
                Self::Delimited(Box::new(DelimitedRows::open(&file.path, format, read)?))
            }
            FileFormat::Parquet => Self::Parquet(ParquetRows::open(&file.path)?),
        })
    }

    fn names(&self) -> &[String] {
        match self {
            Self::Delimited(file) => &file.names,
            Self::Parquet(file) => &file.names,
        }
    }

    /// How many rows there are, where that is known before they are read.
    fn rows(&self) -> Option<u64> {
        match self {
            Self::Delimited(_) => None,
            Self::Parquet(file) => Some(file.rows),
        }
    }

    /// The positions of the columns that can be read.
    fn flat(&self) -> Vec<usize> {
        match self {
            Self::Delimited(file) => (0..file.names.len()).collect(),
            Self::Parquet(file) => file.flat(),
        }
    }

    fn visit(self, visitor: &mut dyn FieldVisitor) -> Result<(), ImportError> {
        match self {
            Self::Delimited(file) => file.visit(visitor),
            Self::Parquet(file) => file.visit(visitor),
        }
    }
}

/// How far the reading is, for the caller.
struct Progress<'a> {
    send: Sender<u64>,
    /// A text file counts the bytes itself.
    counter: &'a AtomicU64,
    part: Option<FilePart>,
}

/// A file whose bytes are counted by its rows.
struct FilePart {
    bytes_before: u64,
    bytes: u64,
    rows_before: u64,
    rows: u64,
}

impl Progress<'_> {
    fn show(&self, rows: u64) -> Result<(), ImportError> {
        if let Some(part) = &self.part {
            let read = u128::from(rows - part.rows_before) * u128::from(part.bytes);
            let read = u64::try_from(read / u128::from(part.rows.max(1))).unwrap_or(u64::MAX);
            self.counter.store(part.bytes_before.saturating_add(read), Ordering::Relaxed);
        }
        self.send.send(rows).map_err(|_| ImportError::Stopped)
    }
}

/// All columns, while rows go by.
struct Tallies<'a> {
    names: Vec<String>,
    columns: Vec<ColumnTally>,
    repeats: Repeats,
    /// A key of its own for each run, so that no values can be made whose hashes are the same.
    hasher: RandomState,
    /// For each column of the file at hand, which column it is.
    places: Vec<usize>,
    rows: u64,
    /// How many values of the row at hand are their columns' names, and how many are not.
    repeated: usize,
    other: usize,
    progress: Progress<'a>,
}

impl<'a> Tallies<'a> {
    fn new(names: Vec<String>, progress: Progress<'a>) -> Self {
        let count = names.len();
        Self {
            columns: (0..count).map(|_| ColumnTally::new(count, true)).collect(),
            repeats: Repeats::new(count),
            hasher: RandomState::new(),
            places: Vec::new(),
            rows: 0,
            repeated: 0,
            other: 0,
            names,
            progress,
        }
    }

    /// Begins a file with the same columns, perhaps in another order.
    fn begin(&mut self, names: &[String], flat: &[usize]) {
        self.places = places(&self.names, names);
        let flat: HashSet<usize> = flat.iter().copied().collect();
        for (position, place) in self.places.iter().enumerate() {
            if let Some(column) = self.columns.get_mut(*place).filter(|_| !flat.contains(&position)) {
                column.is_not_flat();
                self.repeats.drop(*place);
            }
        }
    }

    fn described(self) -> FileDescription {
        let (notation, way) = notation::of(&self.names, &self.columns);
        let way = (way, notation.marks.len() > 1);
        let mut times: HashMap<String, usize> = HashMap::new();
        for name in &self.names {
            *times.entry(folded(name)).or_default() += 1;
        }
        let columns = self.names.iter().zip(self.columns).enumerate().map(|(at, (name, column))| {
            let unique = self.repeats.unique(at).filter(|_| self.rows > 0);
            let is_twice = times.get(&folded(name)).is_some_and(|times| *times > 1);
            DescribedColumn { is_twice, ..column.described(name.clone(), way, unique) }
        });
        FileDescription { rows: self.rows, columns: columns.collect(), notation, counted_by: None }
    }
}

/// For each column of a file, which one it is of those with these names, in whatever order: of several of one name the next.
fn places(columns: &[String], names: &[String]) -> Vec<usize> {
    let mut left: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (at, name) in columns.iter().enumerate() {
        left.entry(folded(name)).or_default().push_back(at);
    }
    let place =
        |name: &String| left.get_mut(&folded(name)).and_then(VecDeque::pop_front).unwrap_or(usize::MAX);
    names.iter().map(place).collect()
}

impl FieldVisitor for Tallies<'_> {
    fn field(&mut self, position: usize, text: &[u8], typed: bool) {
        let Some(place) = self.places.get(position).copied() else { return };
        let Some(column) = self.columns.get_mut(place) else { return };
        let value = present(text);
        let name = self.names.get(place).map(String::as_bytes).unwrap_or_default();
        let is_repeated = value.unwrap_or_default().eq_ignore_ascii_case(trimmed(name));
        *(if is_repeated { &mut self.repeated } else { &mut self.other }) += 1;
        match value {
            Some(value) => {
                let hash = self.hasher.hash_one(value);
                column.add(value, hash, typed);
                self.repeats.add(place, hash);
            }
            None => {
                column.add_blank();
                self.repeats.drop(place);
            }
        }
    }

    fn end_row(&mut self, line: u64) -> Result<ControlFlow<()>, ImportError> {
        if self.repeated > 0 && self.other == 0 {
            return Err(RowError::HeaderAgain { line, by_line: self.progress.part.is_none() }.into());
        }
        (self.repeated, self.other) = (0, 0);
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_BETWEEN) {
            self.progress.show(self.rows)?;
        }
        Ok(ControlFlow::Continue(()))
    }
}
