//! Text files: rows of fields, one after the other, in bounded memory.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use crate::{
    Delimited, Delimiter, ImportError, RowError,
    batch::{Batch, FileRows},
    input,
    notation::Notation,
    schema::{Header, TableSchema},
    value::trimmed,
    visit::FieldVisitor,
};

mod headed;
mod lines;
mod quotes;
mod records;

pub(crate) use headed::check_header;
use records::Records;

/// Columns from which a row of 1, 2, 3 and so on numbers them, and one of C1, C2, C3.
const NUMBERED_LEAST: usize = 4;
const MARKED_LEAST: usize = 3;
/// Rows below the first within which a header is searched for.
const HEADER_WITHIN: usize = 50;

/// The rows of a file below its header.
pub(crate) struct DelimitedRows {
    records: Records,
    pub(crate) names: Vec<String>,
    /// How many columns there are up to the last that has a name.
    named: usize,
}

impl DelimitedRows {
    /// Opens a file and reads its header.
    pub(crate) fn open(
        path: &Path,
        delimited: &Delimited,
        read: &Arc<AtomicU64>,
    ) -> Result<Self, ImportError> {
        let mut records = Records::new(path, *delimited, input::open(path, delimited, read)?)?;
        if !records.next()? {
            return Err(ImportError::Empty(path.to_owned()));
        }
        let names = records.names();
        records.expect(names.len());
        let named = names.iter().rposition(|name| !name.trim().is_empty()).map_or(0, |last| last + 1);
        Ok(Self { records, names, named })
    }

    /// Reads the next row; false at the end. A header that ends in delimiters has room for what a delimiter within a field has
    /// shifted, so a value there is an error.
    pub(crate) fn next(&mut self) -> Result<bool, ImportError> {
        let is_there = self.records.next()?;
        if is_there
            && (self.named..self.names.len()).any(|position| !trimmed(self.field(position)).is_empty())
        {
            return Err(RowError::Overflow { line: self.line() }.into());
        }
        Ok(is_there)
    }

    /// A field of the row at hand.
    pub(crate) fn field(&self, position: usize) -> &[u8] {
        self.records.field(position)
    }

    /// Whether the row at hand numbers the columns from 0 or 1 on, as statistical tables do below their names: `1`, `(2)`, `C3`;
    /// and whether that is no chance.
    fn numbers_columns(&self) -> Option<bool> {
        let first = trimmed(self.field(0));
        let at = first.iter().position(u8::is_ascii_digit)?;
        let (before, rest) = first.split_at_checked(at)?;
        let (from, after) = rest.split_first().filter(|(digit, _)| matches!(digit, b'0' | b'1'))?;
        let from = usize::from(from - b'0');
        let is_number = |position: usize| {
            let inner = trimmed(self.field(position)).strip_prefix(before);
            let inner = inner.and_then(|field| field.strip_suffix(after));
            inner == Some((from + position).to_string().as_bytes())
        };
        let is_marked = !(before.is_empty() && after.is_empty());
        let least = if is_marked { MARKED_LEAST } else { NUMBERED_LEAST };
        (0..self.named).all(is_number).then_some(self.named >= least)
    }

    /// Sends each field of each row to a visitor.
    pub(crate) fn visit(mut self, visitor: &mut dyn FieldVisitor) -> Result<(), ImportError> {
        while self.next()? {
            for position in 0..self.names.len() {
                visitor.field(position, self.field(position), false);
            }
            if visitor.end_row(self.line())?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The line on which the row at hand begins; the header's before the first.
    pub(crate) fn line(&self) -> u64 {
        self.records.began()
    }
}

/// A file in whose header the columns were found.
pub(crate) struct DelimitedFile {
    rows: DelimitedRows,
    pub(crate) header: Header,
}

impl DelimitedFile {
    /// Opens a file and finds the columns in its header.
    pub(crate) fn open(
        path: &Path,
        delimited: &Delimited,
        schema: &TableSchema,
        read: &Arc<AtomicU64>,
    ) -> Result<Self, ImportError> {
        let rows = DelimitedRows::open(path, delimited, read)?;
        let header = schema.header(path, &rows.names).map_err(|error| match error {
            ImportError::NoColumn { .. } => titled(path, delimited, schema, rows.line()).unwrap_or(error),
            other => other,
        })?;
        Ok(Self { rows, header })
    }

    /// The names of its columns.
    pub(crate) fn names(&self) -> &[String] {
        &self.rows.names
    }

    /// The lines on which these rows begin, which are counted from 1 and ascend, of those that there are; and the number of rows
    /// that were passed: all, if one of these is not there.
    pub(crate) fn lines(mut self, rows: &[u64]) -> Result<(Vec<u64>, u64), ImportError> {
        let (mut lines, mut at) = (Vec::new(), 0);
        for row in rows {
            while at < *row {
                if !self.rows.next()? {
                    return Ok((lines, at));
                }
                at += 1;
            }
            lines.push(self.rows.line());
        }
        Ok((lines, at))
    }

    /// Sends all rows after the first `skip`, in batches, as long as they are taken.
    pub(crate) fn send(
        mut self,
        schema: &TableSchema,
        notation: &Notation,
        file: usize,
        skip: u64,
        send: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<FileRows, ImportError> {
        let mut passed = FileRows::default();
        while passed.rows < skip && self.rows.next()? {
            passed.pass(self.rows.line());
        }
        let columns = schema.columns.len();
        let mut batch = Batch::new(columns, file);
        while self.rows.next()? {
            passed.pass(self.rows.line());
            let FileRows { rows, last, .. } = passed;
            let numbers = if Batch::is_head(rows) { self.rows.numbers_columns() } else { None };
            if numbers == Some(true) {
                return Err(RowError::Numbered { line: last }.into());
            }
            let places = self.header.positions.iter().zip(&self.header.heads);
            for (column, (target, (position, head))) in schema.columns.iter().zip(places).enumerate() {
                batch.add(column, target, head, notation, self.rows.field(*position), last);
            }
            if !batch.end_row(rows, last, numbers.is_some()) {
                return Err(RowError::HeaderAgain { line: last, by_line: true }.into());
            }
            if batch.is_full() && send(std::mem::replace(&mut batch, Batch::new(columns, file))).is_break() {
                return Ok(passed);
            }
        }
        // Whether it is taken or not, it is the last.
        let _ = send(batch);
        Ok(passed)
    }
}

/// What to do about a file that names the policy's columns further down than on the line `first`.
fn titled(path: &Path, delimited: &Delimited, schema: &TableSchema, first: u64) -> Option<ImportError> {
    let is_header = |names: &[String], _: Option<&[String]>| schema.header(path, names).is_ok();
    let (line, delimiter) = header_below(path, delimited, &is_header).filter(|(line, _)| *line > first)?;
    Some(titled_at(path, delimited, line, delimiter))
}

/// Whether a row is a header, by its fields and those of the row below it.
type IsHeader<'a> = &'a dyn Fn(&[String], Option<&[String]>) -> bool;

/// The first row that is a header by its fields and those of the row below it: its line, and the delimiter by which it is one.
fn header_below(path: &Path, delimited: &Delimited, is_header: IsHeader<'_>) -> Option<(u64, u8)> {
    let usual = delimited.delimiter.byte();
    let others = [b';', b',', b'\t', b'|'].into_iter().filter(|other| *other != usual);
    [usual].into_iter().chain(others).find_map(|byte| {
        let delimited = Delimited { delimiter: Delimiter::Said(byte), ..*delimited };
        let stream = input::open(path, &delimited, &Arc::default()).ok()?;
        let mut records = Records::new(path, delimited, stream).ok()?;
        let mut above: Option<(u64, Vec<String>)> = None;
        for _ in 0..=HEADER_WITHIN {
            let more = records.next().unwrap_or(false);
            let names = more.then(|| records.names());
            if let Some((line, _)) = above.filter(|(_, above)| is_header(above, names.as_deref())) {
                return Some((line, byte));
            }
            above = Some((records.began(), names?));
        }
        None
    })
}

fn titled_at(path: &Path, delimited: &Delimited, line: u64, delimiter: u8) -> ImportError {
    let delimiter = match delimiter {
        byte if byte == delimited.delimiter.byte() => String::new(),
        b'\t' => " --delimiter '\\t'".to_owned(),
        other => format!(" --delimiter '{}'", char::from(other)),
    };
    ImportError::Titled { file: path.to_owned(), line, delimiter }
}
