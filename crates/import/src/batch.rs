//! Rows on their way from the thread that reads to the thread that inserts.

use std::ops::Range;

use lango_privacy::STORED_TEXT_BYTES_MOST;
use rusqlite::types::ValueRef;

use crate::{
    findings::{Finding, Findings, RowPlace},
    notation::Notation,
    schema::Target,
    value::{ALSO_NOTED, FieldType, Read, of_identifier, trimmed},
};

/// Rows in a batch at most.
const ROWS: u64 = 8_192;
/// Bytes of text in a batch after which it is full.
const BYTES: usize = 1 << 20;
/// Rows below a header among which its types, units or labels may stand.
const HEAD: u64 = 5;

/// How many rows a file has, and the lines of the first and the last; of a Parquet file their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FileRows {
    pub(crate) rows: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl FileRows {
    /// Counts a row, which begins on this line.
    pub(crate) fn pass(&mut self, line: u64) {
        self.rows += 1;
        self.last = line;
        if self.rows == 1 {
            self.first = line;
        }
    }
}

/// A value to insert; text and bytes lie in the batch's own heap.
#[derive(Debug, Clone)]
pub(crate) enum SqlValue {
    Null,
    Integer(i64),
    Text(Range<usize>),
    Bytes(Range<usize>),
}

/// Some rows of one file, column by column within each row.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) rows: u64,
    pub(crate) values: Vec<SqlValue>,
    pub(crate) heap: Vec<u8>,
    /// For each column, what was found among its values.
    pub(crate) findings: Vec<Findings>,
    /// The position of their file among those that are imported.
    pub(crate) file: usize,
    /// Whether each value of the row at hand is its column's name.
    repeats_header: bool,
    row: RowTraits,
}

/// What the values of a row are, but for its identifier and its open columns.
#[derive(Debug, Clone, Copy, Default)]
struct RowTraits {
    /// A code is declared, or a day is read.
    has_label: bool,
    /// A code or day is missing, unread or not declared.
    lacks_label: bool,
    has_number: bool,
    /// A value is unread or not declared.
    has_other: bool,
    is_odd: bool,
}

impl Batch {
    pub(crate) fn new(columns: usize, file: usize) -> Self {
        let findings = vec![Findings::default(); columns];
        Self {
            rows: 0,
            values: Vec::new(),
            heap: Vec::new(),
            findings,
            file,
            repeats_header: true,
            row: RowTraits::default(),
        }
    }

    /// Adds the value of a column, whose name in the file is `head`; after the last one of a row, the caller calls
    /// [`Batch::end_row`].
    pub(crate) fn add(
        &mut self,
        column: usize,
        target: &Target,
        head: &str,
        notation: &Notation,
        field: &[u8],
        line: u64,
    ) {
        self.repeats_header =
            self.repeats_header && trimmed(field).eq_ignore_ascii_case(trimmed(head.as_bytes()));
        let is_long = field.len() > STORED_TEXT_BYTES_MOST;
        // As an identifier it is none, and as a value it is none that says that there is none.
        let field = if column == 0 && is_long { &[] } else { field };
        let word = trimmed(field);
        let is_missing = !is_long && target.declared.is_missing(word);
        let mut also = [None; ALSO_NOTED];
        let (value, finding) = match target.field_type.read(field, notation) {
            // Missing as a text, and another value as what it is read as.
            Read::Integer(value, _)
                if is_missing && target.declared.of_number(value) != Some(Finding::Missing) =>
            {
                (SqlValue::Null, Some(Finding::Missing))
            }
            Read::Day(day, _) if is_missing && target.declared.of_text(&day) != Some(Finding::Missing) => {
                (SqlValue::Null, Some(Finding::Missing))
            }
            Read::Null => (SqlValue::Null, Some(Finding::Missing)),
            Read::Integer(value, noted) => {
                let declared = target.declared.of_number(value);
                if declared != Some(Finding::Missing) {
                    let huge = target.field_type.huge(value, word);
                    also = [target.field_type.grouping(word, notation), noted, huge, None, None, None];
                }
                (SqlValue::Integer(value), declared)
            }
            Read::Text(text) if column == 0 => {
                let identifier = of_identifier(text);
                also = identifier.also;
                let declared = target.declared.of_text(identifier.text);
                (SqlValue::Text(self.keep(identifier.text)), declared.or(identifier.noted))
            }
            Read::Text(text) => match target.declared.unmarked(word) {
                Some(code) => {
                    also = [Some(Finding::MarkedIdentifier), None, None, None, None, None];
                    (SqlValue::Text(self.keep(code)), target.declared.of_text(code))
                }
                None => (SqlValue::Text(self.keep(text)), target.declared.of_text(word)),
            },
            Read::Day(day, noted) => {
                let declared = target.declared.of_text(&day);
                if declared != Some(Finding::Missing) {
                    also = [
                        noted,
                        target.field_type.midnight(word, &day),
                        FieldType::origin(&day),
                        None,
                        None,
                        None,
                    ];
                }
                (SqlValue::Text(self.keep(&day)), declared)
            }
            Read::UnreadText(..) | Read::UnreadBytes(..) if is_missing => {
                (SqlValue::Null, Some(Finding::Missing))
            }
            Read::UnreadText(text, reason) => (SqlValue::Text(self.keep(text)), Some(reason)),
            Read::UnreadBytes(bytes, reason) => (SqlValue::Bytes(self.keep(bytes)), Some(reason)),
        };
        self.row.add(column, target, &value, finding);
        self.values.push(value);
        if let Some(findings) = self.findings.get_mut(column) {
            for finding in std::iter::once(finding).chain(also).flatten() {
                findings.add(finding, RowPlace { file: self.file, line });
            }
        }
    }

    /// Ends a row of this number in its file, counted from 1, which may number the columns; false if it says nothing but their
    /// names.
    pub(crate) fn end_row(&mut self, number: u64, line: u64, numbers_columns: bool) -> bool {
        self.rows += 1;
        let row = std::mem::take(&mut self.row);
        let is_of_labels = row.has_other && !row.has_label && (!row.has_number || numbers_columns);
        let has_gap = row.lacks_label && row.has_number;
        let noted = [
            (is_of_labels, Finding::LabelRow),
            (is_of_labels && number <= HEAD, Finding::FirstRow),
            (has_gap, Finding::GapRow),
            (has_gap && row.is_odd, Finding::OddGapRow),
        ];
        if let Some(findings) = self.findings.first_mut() {
            for (_, finding) in noted.into_iter().filter(|(is_so, _)| *is_so) {
                findings.add(finding, RowPlace { file: self.file, line });
            }
        }
        !std::mem::replace(&mut self.repeats_header, true)
    }

    /// Whether a row of this number in its file, counted from 1, may be one of types, units or labels below the header.
    pub(crate) fn is_head(number: u64) -> bool {
        number <= HEAD
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows >= ROWS || self.heap.len() >= BYTES
    }

    /// Its rows, each the values of all columns.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[SqlValue]> {
        self.values.chunks_exact(self.findings.len().max(1))
    }

    /// A value as SQLite takes it.
    pub(crate) fn value(&self, value: &SqlValue) -> ValueRef<'_> {
        match value {
            SqlValue::Null => ValueRef::Null,
            SqlValue::Integer(value) => ValueRef::Integer(*value),
            SqlValue::Text(range) => ValueRef::Text(self.bytes(range)),
            SqlValue::Bytes(range) => ValueRef::Blob(self.bytes(range)),
        }
    }

    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.heap.get(range.clone()).unwrap_or_default()
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.heap.len();
        self.heap.extend_from_slice(bytes);
        start..self.heap.len()
    }
}

impl RowTraits {
    fn add(&mut self, column: usize, target: &Target, value: &SqlValue, finding: Option<Finding>) {
        if column == 0 {
            self.is_odd = matches!(finding, Some(Finding::OddIdentifier | Finding::NobodyIdentifier));
            return;
        }
        let is_label = target.field_type.is_label();
        if !is_label && !target.field_type.is_number() {
            return;
        }
        let is_missing = finding == Some(Finding::Missing);
        let is_other = finding.is_some_and(|finding| finding.is_unread() || finding.is_undeclared());
        self.has_other |= is_other;
        self.has_label |= is_label && !is_missing && !is_other;
        self.lacks_label |= is_label && finding.is_some_and(Finding::is_lacking);
        self.has_number |= !is_label && !is_missing && matches!(value, SqlValue::Integer(_));
    }
}
