//! The rows of a text, cut into fields.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::{lines::LineCounter, quotes::Quotes};
use crate::{
    Compression, Delimited, Delimiter, Encoding, ImportError, RowError,
    input::{IsUtf8, NotEncoded},
    tuning::RECORD_BYTES_MOST,
};

/// Bytes that are read at once.
const CHUNK: usize = 128 << 10;
/// Bytes that are there, if the text has them, when its first line is read.
const HEAD: usize = 64;
/// The most columns that a file may have.
const COLUMNS_MOST: usize = 32_767;

/// The rows of a text.
pub(super) struct Records {
    path: PathBuf,
    delimited: Delimited,
    stream: Box<dyn Read + Send>,
    reader: csv_core::Reader,
    raw: Vec<u8>,
    at: usize,
    filled: usize,
    /// The line at hand, and where the row at hand began.
    lines: LineCounter,
    began: u64,
    quotes: Quotes,
    /// How many fields each row has; unknown before the header.
    expected: Option<usize>,
    record: Vec<u8>,
    ends: Vec<usize>,
    /// How many fields the row at hand has, and how many bytes they have together.
    fields: usize,
    bytes: usize,
}

impl Records {
    /// The rows below the lines that are to be left out. A first line `sep=;` is none of them, and says the delimiter.
    pub(super) fn new(
        path: &Path,
        delimited: Delimited,
        stream: Box<dyn Read + Send>,
    ) -> Result<Self, ImportError> {
        let mut this = Self {
            path: path.to_owned(),
            delimited,
            stream,
            reader: csv_core::Reader::new(),
            raw: vec![0; CHUNK],
            at: 0,
            filled: 0,
            lines: LineCounter::new(),
            began: 1,
            quotes: Quotes::new(delimited.delimiter.byte()),
            expected: None,
            record: vec![0; RECORD_BYTES_MOST],
            ends: vec![0; COLUMNS_MOST],
            fields: 0,
            bytes: 0,
        };
        let mut delimiter = delimited.delimiter;
        let mut skip = delimited.skip_lines;
        while let Some(line) = this.line_ahead()? {
            if let Some(said) = separator(line) {
                if let Delimiter::Usual(_) = delimiter {
                    delimiter = Delimiter::Said(said);
                }
                skip = skip.max(1);
            }
            if skip == 0 {
                break;
            }
            this.skip_line()?;
            skip -= 1;
        }
        this.quotes = Quotes::new(delimiter.byte());
        this.reader = ReaderBuilder::new().delimiter(delimiter.byte()).build();
        Ok(this)
    }

    /// From now on every row has this number of fields.
    pub(super) fn expect(&mut self, fields: usize) {
        self.expected = Some(fields);
        // Room for one more, so that a row that has more is noticed.
        self.ends.truncate(fields + 1);
    }

    /// A field of the row at hand.
    pub(super) fn field(&self, position: usize) -> &[u8] {
        let end_of = |position: usize| self.ends.get(position).copied().unwrap_or_default();
        let start = position.checked_sub(1).map_or(0, end_of);
        self.record.get(start..end_of(position)).unwrap_or_default()
    }

    /// The fields of the row at hand, as the names of columns.
    pub(super) fn names(&self) -> Vec<String> {
        (0..self.fields).map(|at| String::from_utf8_lossy(self.field(at)).into_owned()).collect()
    }

    /// The line on which the row at hand begins.
    pub(super) fn began(&self) -> u64 {
        self.began
    }

    /// Reads the next row that is not blank, nor made of nothing but delimiters, as spreadsheets write below a table; false at
    /// the end.
    pub(super) fn next(&mut self) -> Result<bool, ImportError> {
        while self.next_of_any()? {
            if self.bytes > 0 || self.fields < 2 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn next_of_any(&mut self) -> Result<bool, ImportError> {
        if !self.begin()? {
            return Ok(false);
        }
        self.began = self.lines.line();
        self.quotes.begin();
        let (mut bytes, mut fields) = (0, 0);
        loop {
            let ended = !self.fill()?;
            // A file may end without a line break. If even one does not end the row, it is within quotes.
            let input = if ended { b"\n" } else { self.raw.get(self.at..self.filled).unwrap_or_default() };
            let record = self.record.get_mut(bytes..).unwrap_or_default();
            let ends = self.ends.get_mut(fields..).unwrap_or_default();
            let (result, read, written, more) = self.reader.read_record(input, record, ends);
            if !ended {
                let passed = input.get(..read).unwrap_or_default();
                self.lines.pass(passed);
                if !self.quotes.pass(passed) {
                    return Err(RowError::AfterQuote { line: self.began }.into());
                }
                self.at += read;
            }
            bytes += written;
            fields += more;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::InputEmpty if !ended => {}
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {
                    return Err(RowError::Unclosed { line: self.began }.into());
                }
                ReadRecordResult::OutputFull => return Err(RowError::TooLong { line: self.began }.into()),
                ReadRecordResult::OutputEndsFull => {
                    let expected = self.expected.unwrap_or(COLUMNS_MOST);
                    return Err(RowError::TooMany { line: self.began, expected }.into());
                }
            }
        }
        (self.fields, self.bytes) = (fields, bytes);
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
        if self.lines.line() > self.began + 1
            && let Some(expected) = self.expected
            && (0..self.fields).any(|at| self.quotes.hold_a_row(self.field(at), at, expected))
        {
            return Err(RowError::RowsWithin { line: self.began }.into());
        }
        match self.expected {
            Some(expected) if self.fields < expected => {
                Err(RowError::TooFew { line: self.began, found: self.fields, expected }.into())
            }
            Some(expected) if self.fields > expected => {
                Err(RowError::TooMany { line: self.began, expected }.into())
            }
            _ => Ok(()),
        }
    }

    /// Goes to where a row begins, past the line breaks before it; false at the end.
    fn begin(&mut self) -> Result<bool, ImportError> {
        while self.fill()? {
            let rest = self.raw.get(self.at..self.filled).unwrap_or_default();
            let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.lines.pass(rest.get(..blank).unwrap_or_default());
            let begins = blank < rest.len();
            self.at += blank;
            if begins {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The text from where the next line begins: a whole `sep=;`, if that is what it holds. `None` at the end.
    fn line_ahead(&mut self) -> Result<Option<&[u8]>, ImportError> {
        self.raw.copy_within(self.at..self.filled, 0);
        (self.at, self.filled) = (0, self.filled - self.at);
        while self.filled < HEAD && self.read_more()? {}
        // The second half of the break before belongs to the line before.
        if self.lines.is_within_break() && self.raw.first() == Some(&b'\n') && self.filled > 0 {
            self.lines.pass(b"\n");
            self.at = 1;
        }
        let text = self.raw.get(self.at..self.filled).unwrap_or_default();
        Ok(if text.is_empty() { None } else { Some(text) })
    }

    /// Goes past the line at hand, whatever it holds.
    fn skip_line(&mut self) -> Result<(), ImportError> {
        while self.fill()? {
            let rest = self.raw.get(self.at..self.filled).unwrap_or_default();
            let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let skipped = end.map_or(rest.len(), |at| at + 1);
            self.lines.pass(rest.get(..skipped).unwrap_or_default());
            self.at += skipped;
            if end.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Reads more if there is nothing left; false at the end.
    fn fill(&mut self) -> Result<bool, ImportError> {
        if self.at < self.filled {
            return Ok(true);
        }
        self.at = 0;
        self.filled = 0;
        self.read_more()
    }

    /// Reads more behind what there is; false at the end.
    fn read_more(&mut self) -> Result<bool, ImportError> {
        match self.stream.read(self.raw.get_mut(self.filled..).unwrap_or_default()) {
            Ok(count) => {
                self.filled += count;
                Ok(count > 0)
            }
            Err(error) if error.get_ref().is_some_and(|inner| inner.is::<NotEncoded>()) => {
                Err(not_encoded(self.lines.line(), self.delimited.encoding))
            }
            Err(error) if error.get_ref().is_some_and(|inner| inner.is::<IsUtf8>()) => {
                Err(ImportError::NotAsSaid {
                    file: self.path.clone(),
                    said: format!("text in {}", self.delimited.encoding.name()),
                    is: "text in UTF-8",
                    instead: "leave --encoding out".to_owned(),
                })
            }
            Err(cause) => {
                let (line, compression) = (self.lines.line(), self.delimited.compression);
                Err(match compression {
                    Compression::Plain => ImportError::File { file: self.path.clone(), cause },
                    compression => RowError::Damaged { line, compression: compression.word(), cause }.into(),
                })
            }
        }
    }
}

/// The delimiter that a text's first line says, if it is nothing but `sep=` and that.
fn separator(text: &[u8]) -> Option<u8> {
    let end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let line = text.get(..end)?;
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let (word, said) = line.split_at_checked(4)?;
    match said {
        b"\\t" if word.eq_ignore_ascii_case(b"sep=") => Some(b'\t'),
        [byte] if word.eq_ignore_ascii_case(b"sep=") && Delimiter::may_be(*byte) => Some(*byte),
        _ => None,
    }
}

fn not_encoded(line: u64, encoding: Encoding) -> ImportError {
    let instead = if encoding == Encoding::UTF_8 {
        "export it in UTF-8, or say what it is in: --encoding latin-1 (of Windows), macintosh, utf-16le; of the code pages of DOS (437, \
         850) only ibm866 is read"
    } else {
        "export it in UTF-8, or say another --encoding"
    };
    RowError::NotEncoded { line, encoding: encoding.name(), instead }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that arrives in two pieces, and then in pieces of a size.
    struct Pieces {
        left: std::collections::VecDeque<Vec<u8>>,
    }

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some(piece) = self.left.pop_front() else { return Ok(0) };
            let count = (&piece[..]).read(buffer)?;
            assert_eq!(count, piece.len());
            Ok(count)
        }
    }

    /// The rows with their lines, or the error that ends them.
    fn rows(text: &[u8], skip_lines: u64, split: usize, size: usize) -> Vec<String> {
        let (head, tail) = text.split_at(split);
        let pieces = std::iter::once(head).chain(tail.chunks(size)).filter(|piece| !piece.is_empty());
        let stream = Pieces { left: pieces.map(<[u8]>::to_vec).collect() };
        let delimited = Delimited { skip_lines, ..Delimited::usual(b',', Compression::Plain) };
        let mut records = match Records::new(Path::new("a.csv"), delimited, Box::new(stream)) {
            Ok(records) => records,
            Err(error) => return vec![error.to_string()],
        };
        let mut rows = Vec::new();
        loop {
            match records.next() {
                Ok(true) => rows.push(format!("{} {:?}", records.began(), records.names())),
                Ok(false) => return rows,
                Err(error) => return [rows, vec![error.to_string()]].concat(),
            }
            records.expect(records.fields);
        }
    }

    #[test]
    fn rows_are_the_same_however_their_bytes_arrive() {
        let text = "sep=;\nA title\n\nid;name\n1;\"New\n\nTown\"\n;\n\n2;C\u{f4}te\n\"\";\"\"\n3;\u{20ac}\u{1f600}\n4;x;y\n";
        let expected = [
            r#"4 ["id", "name"]"#,
            r#"5 ["1", "New\n\nTown"]"#,
            r#"10 ["2", "C\u{f4}te"]"#,
            r#"12 ["3", "\u{20ac}\u{1f600}"]"#,
            "line 13: more fields than the 2 of the header; a field that holds the delimiter stands in quotes",
        ]
        .map(|row| row.replace("\\u{f4}", "\u{f4}").replace("\\u{20ac}\\u{1f600}", "\u{20ac}\u{1f600}"));
        for end in ["\n", "\r\n", "\r"] {
            let text = text.replace('\n', end);
            let expected = expected.clone().map(|row| row.replace("\\n", &end.escape_debug().to_string()));
            for split in 0..=text.len() {
                for size in [1, 2, 3, 7, 1_000] {
                    let found = rows(text.as_bytes(), 3, split, size);
                    assert_eq!(found, expected, "{end:?} split at {split}, {size}");
                }
            }
        }
    }
}
