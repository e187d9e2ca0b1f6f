//! Parquet files, column by column; read without Arrow, whose tables are not needed here.

use std::{
    fs::File,
    ops::{ControlFlow, Range},
    path::{Path, PathBuf},
};

use parquet::{
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
};

use crate::{
    ImportError,
    batch::Batch,
    notation::Notation,
    schema::{Header, TableSchema},
    tuning::RECORD_BYTES_MOST,
};

mod column;
mod text;

use column::ColumnDecoder;
use text::Writing;

/// Rows that are decoded at once.
const CHUNK: usize = 4_096;

/// A file whose footer was read.
pub(crate) struct ParquetFile {
    path: PathBuf,
    file: SerializedFileReader<File>,
    writings: Vec<Writing>,
    pub(crate) header: Header,
    pub(crate) names: Vec<String>,
    pub(crate) rows: u64,
}

impl ParquetFile {
    /// Opens a file and finds the columns in its schema.
    pub(crate) fn open(path: &Path, schema: &TableSchema) -> Result<Self, ImportError> {
        let failed = |cause| ImportError::File { file: path.to_owned(), cause };
        check_magic(path)?;
        let file = File::open(path).map_err(failed)?;
        let file = SerializedFileReader::new(file).map_err(|error| damaged(path, &error))?;
        let stored = file.metadata().file_metadata().schema_descr_ptr();
        // A nested column is named by its whole path, which is no name of a policy.
        let names: Vec<String> = stored.columns().iter().map(|column| column.path().string()).collect();
        let header = match schema.header(path, &names) {
            Err(ImportError::NoColumn { column, .. }) if is_nested(&names, &column) => {
                return Err(ImportError::NotFlat { file: path.to_owned(), column });
            }
            header => header?,
        };
        let mut writings = Vec::new();
        for (target, position) in schema.columns.iter().zip(&header.positions) {
            let found = stored.columns().get(*position).filter(|column| column.max_rep_level() == 0);
            let writing = found.and_then(|column| Writing::of(column));
            let not_flat = || ImportError::NotFlat { file: path.to_owned(), column: target.name.clone() };
            writings.push(writing.ok_or_else(not_flat)?);
        }
        let rows = u64::try_from(file.metadata().file_metadata().num_rows()).unwrap_or(0);
        Ok(Self { path: path.to_owned(), file, writings, header, names, rows })
    }

    /// Sends all rows after the first `skip`, in batches, as long as they are taken; returns the number of all rows, and that of
    /// the last. `notation` is for columns of text.
    pub(crate) fn send(
        self,
        schema: &TableSchema,
        notation: &Notation,
        file: usize,
        skip: u64,
        send: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<(u64, u64), ImportError> {
        let failed = |error: ParquetError| damaged(&self.path, &error);
        let mut row = 0;
        for group in 0..self.file.num_row_groups() {
            let group = self.file.get_row_group(group).map_err(failed)?;
            let mut left = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
            if row + left <= skip {
                row += left;
                continue;
            }
            let readers = self.header.positions.iter().zip(&self.writings);
            let readers = readers.map(|(position, writing)| {
                Ok(ColumnDecoder::new(group.get_column_reader(*position)?, *writing))
            });
            let mut columns = readers.collect::<Result<Vec<_>, ParquetError>>().map_err(failed)?;
            while left > 0 {
                let count = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
                for column in &mut columns {
                    column.decode(count).map_err(failed)?;
                }
                let skipped = usize::try_from(skip.saturating_sub(row)).unwrap_or(count).min(count);
                let mut batch = Batch::new(schema.columns.len(), file);
                self.add(schema, notation, &columns, &mut batch, row, skipped..count)?;
                if batch.rows > 0 && send(batch).is_break() {
                    return Ok((self.rows, self.rows));
                }
                row += count as u64;
                left -= count as u64;
            }
        }
        Ok((self.rows, self.rows))
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
                text.clear();
                column.write(row, &mut text);
                if !text.is_ascii() && std::str::from_utf8(&text).is_err() {
                    let instead = "say what it is in by exporting it as text";
                    return Err(ImportError::NotEncoded { line: number, encoding: "UTF-8", instead });
                }
                if text.len() > RECORD_BYTES_MOST {
                    return Err(ImportError::TooLong { line: number });
                }
                let notation = if column.is_text() { notation } else { &stored };
                batch.add(at, target, head, notation, &text, number);
            }
            if !batch.end_row() {
                return Err(ImportError::HeaderAgain { line: number, by_line: false });
            }
        }
        Ok(())
    }
}

fn is_nested(header: &[String], column: &str) -> bool {
    header
        .iter()
        .any(|path| path.split_once('.').is_some_and(|(first, _)| first.eq_ignore_ascii_case(column)))
}

fn check_magic(path: &Path) -> Result<(), ImportError> {
    use std::io::Read;
    let failed = |cause| ImportError::File { file: path.to_owned(), cause };
    let mut head = Vec::new();
    File::open(path).map_err(failed)?.take(4).read_to_end(&mut head).map_err(failed)?;
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
