//! The files of an import: one after the other, each of its own format, all with the same columns.

use std::{
    collections::HashSet,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    FileFormat, ImportError, ImportFile,
    batch::{Batch, FileRows},
    delimited::DelimitedFile,
    findings::{FIRST, RowPlace},
    fingerprint,
    notation::Notation,
    parquet_file::ParquetFile,
    report::NamedFile,
    schema::{TableSchema, folded},
};

/// What lies beside parts that may be of rows that are gone: the logs of Delta Lake and Hudi.
const VERSIONED: [&str; 2] = ["_delta_log", ".hoodie"];

/// What Hadoop and Spark write to until a job has ended.
const UNFINISHED: &str = "_temporary";

/// The parts of a table that was written as a folder: its `.parquet` files, in the order of their names. Names that begin
/// with `_` or `.` are a writer's own, and hold no part; a file of any other name may be a part that would be missed, and is an
/// error. A path that is no folder is its own and only part.
pub fn parts(path: &Path) -> Result<Vec<PathBuf>, ImportError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |cause| ImportError::File { file: path.to_owned(), cause };
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if VERSIONED.contains(&name.as_str()) {
            return Err(ImportError::Versioned { folder: path.to_owned(), within: name });
        }
        if name.starts_with(['_', '.']) {
            let within = if entry.is_dir() { set_aside(&entry).map_err(failed)? } else { None };
            match within {
                Some(within) => return Err(ImportError::SetAside { folder: path.to_owned(), within }),
                None => continue,
            }
        }
        if entry.is_dir() {
            return Err(ImportError::FolderWithin { folder: path.to_owned(), within: name });
        }
        if !is_parquet(&entry) {
            return Err(ImportError::NotAPart { folder: path.to_owned(), within: name });
        }
        parts.push(entry);
    }
    if parts.is_empty() {
        return Err(ImportError::NoParts(path.to_owned()));
    }
    parts.sort();
    Ok(parts)
}

/// The folder of a job that has not ended, or a Parquet file, at or below a path: rows that are in no part.
fn set_aside(path: &Path) -> std::io::Result<Option<PathBuf>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !path.symlink_metadata()?.is_dir() {
        // Beside each file some systems keep one of its attributes.
        return Ok((is_parquet(path) && !name.starts_with("._")).then(|| path.to_owned()));
    }
    if name == UNFINISHED {
        return Ok(Some(path.to_owned()));
    }
    for entry in std::fs::read_dir(path)? {
        if let Some(found) = set_aside(&entry?.path())? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}

/// An open file of either format.
enum OpenFile {
    Delimited(Box<DelimitedFile>),
    Parquet(ParquetFile),
}

/// The files of an import.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Files<'a> {
    files: &'a [ImportFile],
    schema: &'a TableSchema,
}

impl<'a> Files<'a> {
    pub(crate) fn new(files: &'a [ImportFile], schema: &'a TableSchema) -> Self {
        Self { files, schema }
    }

    /// The table that they become.
    pub(crate) fn schema(self) -> &'a TableSchema {
        self.schema
    }

    /// What says whether these are still the same files.
    pub(crate) fn fingerprint(self) -> Result<String, ImportError> {
        let prints = self.files.iter().map(|file| fingerprint::of(&file.path));
        Ok(prints.collect::<Result<Vec<_>, _>>()?.join("\n"))
    }

    /// A digest of all that they hold.
    pub(crate) fn content(self) -> Result<String, ImportError> {
        let contents = self.files.iter().map(|file| fingerprint::content(&file.path));
        Ok(contents.collect::<Result<Vec<_>, _>>()?.join("\n"))
    }

    /// How they are read, in words, and the same for the same reading.
    pub(crate) fn describe(self) -> String {
        self.files.iter().map(|file| file.format.describe()).collect::<Vec<_>>().join("\n")
    }

    /// The size of all.
    pub(crate) fn bytes(self) -> u64 {
        self.files.iter().map(|file| size(&file.path)).sum()
    }

    pub(crate) fn names(self) -> Vec<NamedFile> {
        let named = |file: &ImportFile| NamedFile {
            path: file.path.clone(),
            by_line: file.format != FileFormat::Parquet,
        };
        self.files.iter().map(named).collect()
    }

    /// Finds the columns in each file's header, and compares the headers; returns the names of the columns that are left out.
    pub(crate) fn check(self) -> Result<Vec<String>, ImportError> {
        check_named_once(self.files)?;
        let mut first: Option<(&Path, Vec<String>, Vec<String>)> = None;
        for (at, file) in self.files.iter().enumerate() {
            let path = file.path.as_path();
            let open =
                OpenFile::open(file, self.schema, &Arc::default()).map_err(|error| self.within(at, error))?;
            let (names, left_out) = open.names();
            match &first {
                None => first = Some((path, names.to_vec(), left_out.to_vec())),
                Some((as_in, expected, _)) => check_same_header((as_in, expected), (path, names))?,
            }
        }
        Ok(first.map(|(.., left_out)| left_out).unwrap_or_default())
    }

    /// Sends all rows after the first `skip`, in batches, as long as they are taken; counts the bytes that it has read.
    pub(crate) fn send(
        self,
        notation: &Notation,
        skip: u64,
        read: &Arc<AtomicU64>,
        send: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<Vec<FileRows>, ImportError> {
        let (mut of_files, mut skip, mut before, mut stopped) = (Vec::new(), skip, 0, false);
        for (at, file) in self.files.iter().enumerate() {
            let open = OpenFile::open(file, self.schema, read).map_err(|error| self.within(at, error))?;
            // A text file counts the bytes itself.
            let (bytes, of) = (size(&file.path), open.rows());
            let mut rows = skip;
            let sent = open.send(self.schema, notation, at, skip, &mut |batch| {
                rows += batch.rows;
                if let Some(of) = of {
                    let part = u128::from(bytes) * u128::from(rows) / u128::from(of.max(1));
                    read.store(before + part as u64, Ordering::Relaxed);
                }
                let taken = send(batch);
                stopped = taken.is_break();
                taken
            });
            let ends = sent.map_err(|error| self.within(at, error))?;
            if stopped {
                break;
            }
            before += bytes;
            if of.is_some() {
                read.store(before, Ordering::Relaxed);
            }
            skip = skip.saturating_sub(ends.rows);
            of_files.push(ends);
        }
        Ok(of_files)
    }

    /// Where these rows are, which are counted from 1 through all files and ascend.
    pub(crate) fn places(self, rows: &[u64]) -> Result<Vec<RowPlace>, ImportError> {
        let (mut places, mut before) = (Vec::new(), 0);
        for (at, file) in self.files.iter().enumerate() {
            let wanted: Vec<u64> = rows.iter().skip(places.len()).map(|row| row - before).collect();
            if wanted.is_empty() {
                break;
            }
            let open = OpenFile::open(file, self.schema, &Arc::default())?;
            let (lines, passed) = open.lines(&wanted).map_err(|error| self.within(at, error))?;
            places.extend(lines.into_iter().map(|line| RowPlace { file: at, line }));
            before += passed;
        }
        Ok(places)
    }

    /// An error with the file that it is of, where there are several.
    pub(crate) fn within(self, at: usize, error: ImportError) -> ImportError {
        within(self.files, at, error)
    }
}

/// An error with the file that it is of, where there are several.
pub(crate) fn within(files: &[ImportFile], at: usize, error: ImportError) -> ImportError {
    match (files, files.get(at)) {
        ([_, _, ..], Some(file)) if !error.names_its_file() => {
            ImportError::InFile { file: file.path.clone(), error: Box::new(error) }
        }
        _ => error,
    }
}

/// Refuses a file that is named twice.
pub(crate) fn check_named_once(files: &[ImportFile]) -> Result<(), ImportError> {
    let mut named = HashSet::new();
    let mut is_named = |file: &&ImportFile| file.path.canonicalize().is_ok_and(|path| !named.insert(path));
    match files.iter().find(|file| is_named(file)) {
        Some(file) => Err(ImportError::NamedTwice(file.path.clone())),
        None => Ok(()),
    }
}

/// Refuses a file whose columns are not those of the first, in whatever order.
pub(crate) fn check_same_header(
    (as_in, expected): (&Path, &[String]),
    (file, names): (&Path, &[String]),
) -> Result<(), ImportError> {
    let (expected, names) = (sorted(expected), sorted(names));
    // Both are in order.
    let lacks =
        |of: &[String], other: &[String]| of.iter().find(|name| other.binary_search(name).is_err()).cloned();
    let differs = lacks(&expected, &names).or_else(|| lacks(&names, &expected));
    let differs = differs.or_else(|| (names.len() != expected.len()).then(String::new));
    match differs {
        Some(column) => {
            Err(ImportError::OtherHeader { file: file.to_owned(), as_in: as_in.to_owned(), column })
        }
        None => Ok(()),
    }
}

impl OpenFile {
    fn open(file: &ImportFile, schema: &TableSchema, read: &Arc<AtomicU64>) -> Result<Self, ImportError> {
        Ok(match &file.format {
            FileFormat::Delimited(format) => {
                Self::Delimited(Box::new(DelimitedFile::open(&file.path, format, schema, read)?))
            }
            FileFormat::Parquet => Self::Parquet(ParquetFile::open(&file.path, schema)?),
        })
    }

    /// The names of its columns, and of those that are left out.
    fn names(&self) -> (&[String], &[String]) {
        match self {
            Self::Delimited(file) => (file.names(), &file.header.left_out),
            Self::Parquet(file) => (file.names(), &file.header.left_out),
        }
    }

    /// How many rows there are, where that is known before they are read.
    fn rows(&self) -> Option<u64> {
        match self {
            Self::Delimited(_) => None,
            Self::Parquet(file) => Some(file.rows()),
        }
    }

    /// The lines on which these rows of the file begin, which are counted from 1 and ascend, of those that the file has; of a
    /// Parquet file the rows themselves. With the number of rows that were passed.
    fn lines(self, rows: &[u64]) -> Result<(Vec<u64>, u64), ImportError> {
        match self {
            Self::Delimited(file) => file.lines(rows),
            Self::Parquet(file) => {
                Ok((rows.iter().copied().filter(|row| *row <= file.rows()).collect(), file.rows()))
            }
        }
    }

    fn send(
        self,
        schema: &TableSchema,
        notation: &Notation,
        at: usize,
        skip: u64,
        send: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<FileRows, ImportError> {
        match self {
            Self::Delimited(file) => file.send(schema, notation, at, skip, send),
            Self::Parquet(file) => file.send(schema, notation, at, skip, send),
        }
    }
}

/// That one of the files is another now than when reading it began.
pub(crate) fn changed(files: &[ImportFile]) -> ImportError {
    ImportError::Changed(paths(files).into())
}

/// That the thread that read the files gave up: a library that does so by a panic on a damaged file is no reason to do the same.
pub(crate) fn undecodable(files: &[ImportFile]) -> ImportError {
    if files.iter().any(|file| file.format == FileFormat::Parquet) {
        // The library stops so at some damaged files.
        return ImportError::Parquet { file: paths(files).into(), cause: "it cannot be decoded".to_owned() };
    }
    ImportError::ReaderFailed(paths(files))
}

/// The first of them, and how many more there are.
fn paths(files: &[ImportFile]) -> String {
    let named: Vec<_> = files.iter().take(FIRST).map(|file| file.path.display().to_string()).collect();
    let more = files.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

pub(crate) fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Columns' names without what does not matter in them.
fn sorted(names: &[String]) -> Vec<String> {
    let mut sorted: Vec<String> = names.iter().map(|name| folded(name)).collect();
    sorted.sort();
    sorted
}
