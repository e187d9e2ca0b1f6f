//! Text files: rows of fields, one after the other, in bounded memory.

use std::{
    io::Read,
    ops::ControlFlow,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use csv_core::{ReadRecordResult, ReaderBuilder};

use crate::{
    Delimited, Encoding, ImportError,
    batch::{Batch, RECORD_BYTES_MOST},
    input::{self, NotEncoded},
    schema::{Places, TableSchema},
};

/// Bytes that are read at once.
const CHUNK: usize = 128 << 10;
/// The most columns that a file may have.
const COLUMNS_MOST: usize = 32_767;

/// A file whose header was read.
pub(crate) struct DelimitedFile {
    records: Records,
    pub(crate) places: Places,
}

impl DelimitedFile {
    /// Opens a file and finds the columns in its header.
    pub(crate) fn open(
        path: &Path,
        delimited: &Delimited,
        schema: &TableSchema,
        read: &Arc<AtomicU64>,
    ) -> Result<Self, ImportError> {
        let mut records = Records::new(path, *delimited, input::open(path, delimited, read)?);
        if !records.next()? {
            return Err(ImportError::Empty(path.to_owned()));
        }
        let header: Vec<String> =
            (0..records.fields).map(|at| String::from_utf8_lossy(records.field(at)).into_owned()).collect();
        records.expect(header.len());
        Ok(Self { places: schema.places(path, &header)?, records })
    }

    /// The lines on which these rows begin, which are counted from 1 and ascend.
    pub(crate) fn lines(mut self, rows: &[u64]) -> Result<Vec<u64>, ImportError> {
        let mut lines = Vec::new();
        let mut at = 0;
        for row in rows {
            while at < *row && self.records.next()? {
                at += 1;
            }
            lines.push(self.records.began);
        }
        Ok(lines)
    }

    /// Sends all rows after the first `skip`, in batches, as long as they are taken.
    pub(crate) fn send(
        mut self,
        schema: &TableSchema,
        skip: u64,
        send: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<(), ImportError> {
        for _ in 0..skip {
            if !self.records.next()? {
                break;
            }
        }
        let columns = schema.columns.len();
        let mut batch = Batch::new(columns);
        while self.records.next()? {
            for (column, (target, position)) in schema.columns.iter().zip(&self.places.positions).enumerate()
            {
                batch.add(column, &target.field_type, self.records.field(*position), self.records.began);
            }
            batch.end_row();
            if batch.is_full() && send(std::mem::replace(&mut batch, Batch::new(columns))).is_break() {
                return Ok(());
            }
        }
        // Whether it is taken or not, it is the last.
        let _ = send(batch);
        Ok(())
    }
}

/// The rows of a text.
struct Records {
    path: std::path::PathBuf,
    delimited: Delimited,
    stream: Box<dyn Read + Send>,
    reader: csv_core::Reader,
    raw: Vec<u8>,
    at: usize,
    filled: usize,
    /// The line at hand, and where the row at hand began.
    line: u64,
    began: u64,
    /// How many fields each row has; unknown before the header.
    expected: Option<usize>,
    record: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

impl Records {
    fn new(path: &Path, delimited: Delimited, stream: Box<dyn Read + Send>) -> Self {
        Self {
            path: path.to_owned(),
            delimited,
            stream,
            reader: ReaderBuilder::new().delimiter(delimited.delimiter).build(),
            raw: vec![0; CHUNK],
            at: 0,
            filled: 0,
            line: 1,
            began: 1,
            expected: None,
            record: vec![0; RECORD_BYTES_MOST],
            ends: vec![0; COLUMNS_MOST],
            fields: 0,
        }
    }

    /// From now on every row has this number of fields.
    fn expect(&mut self, fields: usize) {
        self.expected = Some(fields);
        // Room for one more, so that a row that has more is noticed.
        self.ends.truncate(fields + 1);
    }

    /// A field of the row at hand.
    fn field(&self, position: usize) -> &[u8] {
        let end_of = |position: usize| self.ends.get(position).copied().unwrap_or_default();
        let start = position.checked_sub(1).map_or(0, end_of);
        self.record.get(start..end_of(position)).unwrap_or_default()
    }

    /// Reads the next row that is not blank; false at the end.
    fn next(&mut self) -> Result<bool, ImportError> {
        if !self.begin()? {
            return Ok(false);
        }
        self.began = self.line;
        let (mut bytes, mut fields) = (0, 0);
        loop {
            let ended = !self.fill()?;
            // A file may end without a line break. If even one does not end the row, it is within quotes.
            let input = if ended { b"\n" } else { self.raw.get(self.at..self.filled).unwrap_or_default() };
            let record = self.record.get_mut(bytes..).unwrap_or_default();
            let ends = self.ends.get_mut(fields..).unwrap_or_default();
            let (result, read, written, more) = self.reader.read_record(input, record, ends);
            self.line += breaks(input.get(..read).unwrap_or_default());
            if !ended {
                self.at += read;
            }
            bytes += written;
            fields += more;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::InputEmpty if !ended => {}
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {
                    return Err(ImportError::Unclosed { line: self.began });
                }
                ReadRecordResult::OutputFull => return Err(ImportError::TooLong { line: self.began }),
                ReadRecordResult::OutputEndsFull => {
                    let expected = self.expected.unwrap_or(COLUMNS_MOST);
                    return Err(ImportError::TooMany { line: self.began, expected });
                }
            }
        }
        self.fields = fields;
        self.check(bytes)?;
        Ok(true)
    }

    /// Checks the encoding and the number of fields of the row at hand.
    fn check(&self, bytes: usize) -> Result<(), ImportError> {
        let text = self.record.get(..bytes).unwrap_or_default();
        // Other encodings were decoded already.
        let is_text = self.delimited.encoding != Encoding::UTF_8
            || text.is_ascii()
            || (0..self.fields).all(|field| std::str::from_utf8(self.field(field)).is_ok());
        if !is_text {
            return Err(not_encoded(self.began, self.delimited.encoding));
        }
        match self.expected {
            Some(expected) if self.fields < expected => {
                Err(ImportError::TooFew { line: self.began, found: self.fields, expected })
            }
            Some(expected) if self.fields > expected => {
                Err(ImportError::TooMany { line: self.began, expected })
            }
            _ => Ok(()),
        }
    }

    /// Goes to where a row begins, past the line breaks before it; false at the end.
    fn begin(&mut self) -> Result<bool, ImportError> {
        while self.fill()? {
            let rest = self.raw.get(self.at..self.filled).unwrap_or_default();
            let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.line += breaks(rest.get(..blank).unwrap_or_default());
            self.at += blank;
            if blank < rest.len() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads more if there is nothing left; false at the end.
    fn fill(&mut self) -> Result<bool, ImportError> {
        if self.at < self.filled {
            return Ok(true);
        }
        self.at = 0;
        self.filled = 0;
        match self.stream.read(&mut self.raw) {
            Ok(filled) => self.filled = filled,
            Err(error) if error.get_ref().is_some_and(|inner| inner.is::<NotEncoded>()) => {
                return Err(not_encoded(self.line, self.delimited.encoding));
            }
            Err(cause) => {
                let (line, compression) = (self.line, self.delimited.compression);
                return Err(match compression {
                    crate::Compression::Plain => ImportError::File { file: self.path.clone(), cause },
                    compression => ImportError::Damaged { line, compression: compression.word(), cause },
                });
            }
        }
        Ok(self.filled > 0)
    }
}

fn breaks(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

fn not_encoded(line: u64, encoding: Encoding) -> ImportError {
    let instead = if encoding == Encoding::UTF_8 {
        "say what it is in, for example --encoding latin-1"
    } else {
        "say another --encoding"
    };
    ImportError::NotEncoded { line, encoding: encoding.name(), instead }
}
