//! Text files: rows of fields, one after the other, in bounded memory.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use crate::{
    Delimited, Delimiter, ImportError,
    batch::Batch,
    input,
    notation::Notation,
    schema::{Header, TableSchema},
};

mod lines;
mod records;

use records::Records;

/// Rows below the first within which a header is searched for.
const HEADER_WITHIN: usize = 50;

/// A file whose header was read.
pub(crate) struct DelimitedFile {
    records: Records,
    pub(crate) header: Header,
    pub(crate) names: Vec<String>,
}

impl DelimitedFile {
    /// Opens a file and finds the columns in its header.
    pub(crate) fn open(
        path: &Path,
        delimited: &Delimited,
        schema: &TableSchema,
        read: &Arc<AtomicU64>,
    ) -> Result<Self, ImportError> {
        let mut records = Records::new(path, *delimited, input::open(path, delimited, read)?)?;
        if !records.next()? {
            return Err(ImportError::Empty(path.to_owned()));
        }
        let names = records.names();
        let header = schema.header(path, &names).map_err(|error| match error {
            ImportError::NoColumn { .. } => titled(path, delimited, schema, records.began()).unwrap_or(error),
            other => other,
        })?;
        records.expect(names.len());
        Ok(Self { header, names, records })
    }

    /// The lines on which these rows begin, which are counted from 1 and ascend, of those that there are; and the number of rows
    /// that were passed: all, if one of these is not there.
    pub(crate) fn lines(mut self, rows: &[u64]) -> Result<(Vec<u64>, u64), ImportError> {
        let (mut lines, mut at) = (Vec::new(), 0);
        for row in rows {
            while at < *row {
                if !self.records.next()? {
                    return Ok((lines, at));
                }
                at += 1;
            }
            lines.push(self.records.began());
        }
        Ok((lines, at))
    }

    /// Sends all rows after the first `skip`, in batches, as long as they are taken; returns the number of all rows, and the
    /// line of the last.
    pub(crate) fn send(
        mut self,
        schema: &TableSchema,
        notation: &Notation,
        file: usize,
        skip: u64,
        send: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<(u64, u64), ImportError> {
        let (mut rows, mut last) = (0, 0);
        while rows < skip && self.records.next()? {
            rows += 1;
            last = self.records.began();
        }
        let columns = schema.columns.len();
        let mut batch = Batch::new(columns, file);
        while self.records.next()? {
            last = self.records.began();
            let places = self.header.positions.iter().zip(&self.header.heads);
            for (column, (target, (position, head))) in schema.columns.iter().zip(places).enumerate() {
                batch.add(column, target, head, notation, self.records.field(*position), last);
            }
            if !batch.end_row() {
                return Err(ImportError::HeaderAgain { line: last, by_line: true });
            }
            rows += 1;
            if batch.is_full() && send(std::mem::replace(&mut batch, Batch::new(columns, file))).is_break() {
                return Ok((rows, last));
            }
        }
        // Whether it is taken or not, it is the last.
        let _ = send(batch);
        Ok((rows, last))
    }
}

/// What to do about a file that names the policy's columns further down than on the line `first`.
fn titled(path: &Path, delimited: &Delimited, schema: &TableSchema, first: u64) -> Option<ImportError> {
    let usual = delimited.delimiter.byte();
    for byte in
        [usual].into_iter().chain([b';', b',', b'\t', b'|'].into_iter().filter(|other| *other != usual))
    {
        let delimited = Delimited { delimiter: Delimiter::Said(byte), ..*delimited };
        let stream = input::open(path, &delimited, &Arc::default()).ok()?;
        let mut records = Records::new(path, delimited, stream).ok()?;
        for _ in 0..HEADER_WITHIN {
            if !records.next().unwrap_or(false) {
                break;
            }
            if records.began() > first && schema.header(path, &records.names()).is_ok() {
                let delimiter = match byte {
                    _ if byte == usual => String::new(),
                    b'\t' => " --delimiter '\\t'".to_owned(),
                    other => format!(" --delimiter '{}'", char::from(other)),
                };
                let (file, line) = (path.to_owned(), records.began());
                return Some(ImportError::Titled { file, line, delimiter });
            }
        }
    }
    None
}
