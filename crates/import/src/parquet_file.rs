//! Parquet files, column by column; read without Arrow, whose tables are not needed here.

use std::{
    fs::File,
    ops::{ControlFlow, Range},
    path::{Path, PathBuf},
};

use parquet::{
    errors::ParquetError,
    file::{
        metadata::RowGroupMetaData,
        reader::{FileReader, SerializedFileReader},
    },
};

use crate::{
    ImportError, RowError,
    batch::{Batch, FileRows},
    notation::Notation,
    open::opened,
    schema::{Header, TableSchema, is},
    tuning::{PAGES_BYTES_MOST, RECORD_BYTES_MOST},
    value::FieldType,
    visit::FieldVisitor,
};

mod column;
mod pages;
mod text;

use column::ColumnDecoder;
use pages::Pages;
use text::Writing;

/// Rows that are decoded at once.
const CHUNK: usize = 4_096;
/// Bytes of texts that are decoded at once, where each may take as much as its page.
const TEXTS_BYTES: u64 = 64 << 20;
/// Rows that are added before a batch is seen to be full.
const ROWS_ADDED: usize = 16;

/// The rows of a file whose footer was read.
pub(crate) struct ParquetRows {
    path: PathBuf,
    file: SerializedFileReader<File>,
    /// The same, for the headers of its pages.
    headers: File,
    pub(crate) names: Vec<String>,
    pub(crate) rows: u64,
}

/// A file in whose schema the columns were found.
pub(crate) struct ParquetFile {
    rows: ParquetRows,
    /// The position of each of the table's columns, and how its values are text.
    columns: Vec<(usize, Writing)>,
    pub(crate) header: Header,
}

/// What becomes of some rows of a chunk: those before it, and which of the chunk's.
type EachChunk<'a> =
    &'a mut dyn FnMut(&[ColumnDecoder], u64, Range<usize>) -> Result<ControlFlow<()>, ImportError>;

impl ParquetRows {
    /// Opens a file and reads the names of its columns.
    pub(crate) fn open(path: &Path) -> Result<Self, ImportError> {
        check_magic(path)?;
        let file = opened(path)?;
        let headers = file.try_clone().map_err(|cause| ImportError::File { file: path.to_owned(), cause })?;
        let file = SerializedFileReader::new(file).map_err(|error| damaged(path, &error))?;
        let stored = file.metadata().file_metadata().schema_descr_ptr();
        // A nested column is named by its whole path, which is no name of a policy.
        let names: Vec<String> = stored.columns().iter().map(|column| column.path().string()).collect();
        let rows = u64::try_from(file.metadata().file_metadata().num_rows()).unwrap_or(0);
        Ok(Self { path: path.to_owned(), file, headers, names, rows })
    }

    /// How the values of a column are text; `None` where they are nested, or no text, number or day.
    fn writing(&self, position: usize) -> Option<Writing> {
        let stored = self.file.metadata().file_metadata().schema_descr();
        let found = stored.columns().get(position).filter(|column| column.max_rep_level() == 0);
        found.and_then(|column| Writing::of(column))
    }

    /// The positions of the columns that are text, numbers or days.
    pub(crate) fn flat(&self) -> Vec<usize> {
        let flat = |position: &usize| self.writing(*position).is_some();
        (0..self.names.len()).filter(flat).collect()
    }

    /// Sends each field of the columns that are text, numbers or days to a visitor.
    pub(crate) fn visit(&self, visitor: &mut dyn FieldVisitor) -> Result<(), ImportError> {
        let columns: Vec<(usize, Writing)> =
            self.flat().into_iter().filter_map(|at| Some((at, self.writing(at)?.on_its_clock()))).collect();
        let mut text = Vec::new();
        self.decode(&columns, 0, &mut |decoders, before, rows| {
            for row in rows {
                let number = before + row as u64 + 1;
                for (decoder, (position, _)) in decoders.iter().zip(&columns) {
                    write(decoder, row, number, false, &mut text)?;
                    visitor.field(*position, &text, !decoder.is_text());
                }
                if visitor.end_row(number)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// How many rows of a row group are decoded at once, so that they take little memory; refuses one whose pages take too much.
    fn rows_at_once(
        &self,
        group: &RowGroupMetaData,
        columns: &[(usize, Writing)],
    ) -> Result<usize, ImportError> {
        let (mut all, mut largest, mut rows) = (0_u64, (0, 0), CHUNK as u64);
        for (position, _) in columns {
            let Some(chunk) = group.columns().get(*position) else { continue };
            let pages = Pages::of(&self.headers, chunk).map_err(|error| damaged(&self.path, &error))?;
            all = all.saturating_add(pages.bytes);
            largest = largest.max((pages.bytes, *position));
            if pages.repeat_beginnings {
                rows = rows.min(TEXTS_BYTES / pages.bytes.max(1)).max(1);
            }
        }
        if all > PAGES_BYTES_MOST {
            let (bytes, position) = largest;
            let column = self.names.get(position).cloned().unwrap_or_default();
            return Err(ImportError::LargePages { file: self.path.clone(), column, bytes, all });
        }
        Ok(usize::try_from(rows).unwrap_or(CHUNK))
    }

    /// Decodes all rows of some columns after the first `skip`, a chunk at a time, as long as they are taken.
    fn decode(
        &self,
        columns: &[(usize, Writing)],
        skip: u64,
        each: EachChunk<'_>,
    ) -> Result<(), ImportError> {
        let failed = |error: ParquetError| damaged(&self.path, &error);
        let mut row = 0;
        for group in 0..self.file.num_row_groups() {
            let group = self.file.get_row_group(group).map_err(failed)?;
            let mut left = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
            if row + left <= skip {
                row += left;
                continue;
            }
            let most = self.rows_at_once(group.metadata(), columns)?;
            let decoders = columns.iter().map(|(position, writing)| {
                Ok(ColumnDecoder::new(group.get_column_reader(*position)?, *writing))
            });
            let mut decoders = decoders.collect::<Result<Vec<_>, ParquetError>>().map_err(failed)?;
            while left > 0 {
                let count = most.min(usize::try_from(left).unwrap_or(most));
                for decoder in &mut decoders {
                    decoder.decode(count).map_err(failed)?;
                }
                let skipped = usize::try_from(skip.saturating_sub(row)).unwrap_or(count).min(count);
                if each(&decoders, row, skipped..count)?.is_break() {
                    return Ok(());
                }
                row += count as u64;
                left -= count as u64;
            }
        }
        Ok(())
    }
}

impl ParquetFile {
    /// Opens a file and finds the columns in its schema.
    pub(crate) fn open(path: &Path, schema: &TableSchema) -> Result<Self, ImportError> {
        let rows = ParquetRows::open(path)?;
        let header = match schema.header(path, &rows.names) {
            Err(ImportError::NoColumn { column, .. }) if is_nested(&rows.names, &column) => {
                return Err(ImportError::NotFlat { file: path.to_owned(), column });
            }
            header => header?,
        };
        let mut columns = Vec::new();
        for (target, position) in schema.columns.iter().zip(&header.positions) {
            let not_flat = || ImportError::NotFlat { file: path.to_owned(), column: target.name.clone() };
            let writing = rows.writing(*position).ok_or_else(not_flat)?;
            let at_place = matches!(target.field_type, FieldType::Day { place: Some(_) });
            columns.push((*position, if at_place { writing } else { writing.on_its_clock() }));
        }
        Ok(Self { rows, columns, header })
    }

    /// The names of its columns.
    pub(crate) fn names(&self) -> &[String] {
        &self.rows.names
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.rows
    }

    /// Sends all rows after the first `skip`, in batches, as long as they are taken; `notation` is for columns of
    /// text.
    pub(crate) fn send(
        self,
        schema: &TableSchema,
        notation: &Notation,
        file: usize,
        skip: u64,
        send: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<FileRows, ImportError> {
        self.rows.decode(&self.columns, skip, &mut |decoders, before, rows| {
            // A chunk's rows may be of any length: a few at a time, so that a batch ends where it is full.
            let mut batch = Batch::new(schema.columns.len(), file);
            let mut begin = rows.start;
            while begin < rows.end {
                let end = rows.end.min(begin + ROWS_ADDED);
                self.add(schema, notation, decoders, &mut batch, before, begin..end)?;
                begin = end;
                if batch.is_full() {
                    let full = std::mem::replace(&mut batch, Batch::new(schema.columns.len(), file));
                    if send(full).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            Ok(if batch.rows > 0 { send(batch) } else { ControlFlow::Continue(()) })
        })?;
        Ok(FileRows { rows: self.rows(), first: 1, last: self.rows() })
    }

    /// Adds these rows of a chunk to a batch; rows are counted from 1, as lines are.
    fn add(
        &self,
        schema: &TableSchema,
        notation: &Notation,
        columns: &[ColumnDecoder],
        batch: &mut Batch,
        before: u64,
        rows: Range<usize>,
    ) -> Result<(), ImportError> {
        // What the file itself calls a number or a day is written in one way, whatever the office writes in texts.
        let stored = Notation::default();
        let mut text = Vec::new();
        for row in rows {
            let number = before + row as u64 + 1;
            let targets = schema.columns.iter().zip(&self.header.heads);
            for (at, (column, (target, head))) in columns.iter().zip(targets).enumerate() {
                write(column, row, number, at == 0, &mut text)?;
                // A whole number is no day but as an office writes days with digits alone.
                let is_day = matches!(target.field_type, FieldType::Day { .. }) && column.is_whole();
                let notation = if column.is_text() || is_day { notation } else { &stored };
                batch.add(at, target, head, notation, &text, number);
            }
            if !batch.end_row(number, number, false) {
                return Err(RowError::HeaderAgain { line: number, by_line: false }.into());
            }
        }
        Ok(())
    }
}

/// Writes the value of a row of a chunk as text, in place of what stands there.
fn write(
    column: &ColumnDecoder,
    row: usize,
    number: u64,
    identifies: bool,
    text: &mut Vec<u8>,
) -> Result<(), ImportError> {
    text.clear();
    if identifies {
        column.write_identifier(row, text);
    } else {
        column.write(row, text);
    }
    if !text.is_ascii() && std::str::from_utf8(text).is_err() {
        let instead = "say what it is in by exporting it as text";
        return Err(RowError::NotEncoded { line: number, encoding: "UTF-8", instead }.into());
    }
    if text.len() > RECORD_BYTES_MOST {
        return Err(RowError::TooLong { line: number }.into());
    }
    Ok(())
}

fn is_nested(header: &[String], column: &str) -> bool {
    header.iter().any(|path| path.split_once('.').is_some_and(|(first, _)| is(first, column)))
}

fn check_magic(path: &Path) -> Result<(), ImportError> {
    use std::io::Read;
    let failed = |cause| ImportError::File { file: path.to_owned(), cause };
    let mut head = Vec::new();
    opened(path)?.take(4).read_to_end(&mut head).map_err(failed)?;
    if head.is_empty() {
        return Err(ImportError::Empty(path.to_owned()));
    }
    if head != b"PAR1" {
        let (is, _) = crate::format::known(&head).unwrap_or(("something else", ""));
        let instead = "give it the name that says what it is".to_owned();
        return Err(ImportError::NotAsSaid {
            file: path.to_owned(),
            said: "Parquet".to_owned(),
            is,
            instead,
        });
    }
    Ok(())
}

fn damaged(path: &Path, error: &ParquetError) -> ImportError {
    ImportError::Parquet { file: path.to_owned(), cause: error.to_string() }
}
