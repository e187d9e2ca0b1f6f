//! What is wrong at a row of a file: the line, and what to do; never a value.

use std::io;

use crate::{
    report::{FileEdge, TotalRow},
    tuning::RECORD_BYTES_MOST,
};

/// What is wrong at a row. It does not name its file, which is the only one, or is named beside it.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The header stands once more among the rows.
    #[error(
        "{place} {line} names the columns once more: the file was put together of several; remove that line, or import the parts as files of their own",
        place = if *by_line { "line" } else { "row" }
    )]
    HeaderAgain {
        /// The line, or the row of a Parquet file.
        line: u64,
        /// Which of the two.
        by_line: bool,
    },
    /// The row below the header numbers the columns.
    #[error("line {line} numbers the columns, and is part of the header: remove it")]
    Numbered {
        /// The line.
        line: u64,
    },
    /// The first or the last row is a total.
    #[error(
        "{place} {line}, the {edge} row, {what}, which no other row is like: it is a total or a note; remove it, for it would count as {unit}",
        place = if *by_line { "line" } else { "row" },
        what = match what {
            TotalRow::Nameless => "has no identifier",
            TotalRow::NoDigit => "has an identifier without a digit and fields without a value",
        },
        edge = match edge {
            FileEdge::First => "first",
            FileEdge::Last => "last",
        },
        unit = if *what == TotalRow::Nameless { "a row without a unit" } else { "one more unit" }
    )]
    Total {
        /// The line, or the row of a Parquet file.
        line: u64,
        /// Which of the two.
        by_line: bool,
        /// Whether it is the first row or the last.
        edge: FileEdge,
        /// Why it is one.
        what: TotalRow,
    },
    /// Text follows a closing quote.
    #[error(
        "line {line}: text follows the quote that ends a field: a quote within quotes is doubled (`\"\"`), and a lone one at a field's \
         start opens a field that goes on to the next; export it with such quotes (COPY .. CSV), or without any in the values"
    )]
    AfterQuote {
        /// Where the row begins.
        line: u64,
    },
    /// A quoted field holds whole rows.
    #[error(
        "line {line}: a field between quotes goes on over several lines that read as rows: a quote in its text was taken for the \
         field's; double it (`\"\"`)"
    )]
    RowsWithin {
        /// Where the row begins.
        line: u64,
    },
    /// A value stands behind the last column that has a name.
    #[error(
        "line {line}: a value stands behind the header's last name: a field that holds the delimiter stands in quotes, or the \
         column needs a name"
    )]
    Overflow {
        /// Where the row begins.
        line: u64,
    },
    /// A row has too few fields.
    #[error(
        "line {line}: {found} fields where the header has {expected}; find the missing delimiter or quote, here or just \
         before"
    )]
    TooFew {
        /// Where the row begins.
        line: u64,
        /// The row's.
        found: usize,
        /// The header's.
        expected: usize,
    },
    /// A row has too many fields.
    #[error(
        "line {line}: more fields than the {expected} of the header; a field that holds the delimiter stands in quotes"
    )]
    TooMany {
        /// Where the row begins.
        line: u64,
        /// The header's.
        expected: usize,
    },
    /// Bytes that are not in the encoding.
    #[error("line {line}: not in {encoding}; {instead}")]
    NotEncoded {
        /// The line, or the row of a Parquet file.
        line: u64,
        /// What it was read as.
        encoding: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// A row is too long.
    #[error(
        "line {line}: the row that begins here holds more than {RECORD_BYTES_MOST} bytes; find the quote that is not closed"
    )]
    TooLong {
        /// Where the row begins.
        line: u64,
    },
    /// The file ends within quotes.
    #[error("line {line}: the row that begins here has a quote that is not closed before the file ends")]
    Unclosed {
        /// Where the row begins.
        line: u64,
    },
    /// The compressed data ends early, or is not what it should be.
    #[error(
        "line {line}: the {compression} data is damaged, cut short or followed by something else ({cause}); fetch the file again"
    )]
    Damaged {
        /// The last line that could be read.
        line: u64,
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// What the decompressor says.
        cause: io::Error,
    },
}
