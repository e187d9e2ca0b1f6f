//! Rows on their way from the thread that reads to the thread that inserts.

use std::ops::Range;

use crate::{
    report::Unread,
    value::{FieldType, Read},
};

/// The most that one row may hold: what an unclosed quote swallows before it is found out.
pub(crate) const RECORD_BYTES_MOST: usize = 1 << 20;
/// Rows in a batch at most.
const ROWS: u64 = 8_192;
/// Bytes of text in a batch after which it is full.
const BYTES: usize = 1 << 20;

/// A value to insert; text and bytes lie in the batch's own heap.
#[derive(Debug, Clone)]
pub(crate) enum SqlValue {
    Null,
    Integer(i64),
    Text(Range<usize>),
    Bytes(Range<usize>),
}

/// Some rows, column by column within each row.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) rows: u64,
    pub(crate) values: Vec<SqlValue>,
    pub(crate) heap: Vec<u8>,
    /// For each column, the values that do not read as its type.
    pub(crate) unread: Vec<Unread>,
}

impl Batch {
    pub(crate) fn new(columns: usize) -> Self {
        Self { rows: 0, values: Vec::new(), heap: Vec::new(), unread: vec![Unread::default(); columns] }
    }

    /// Adds the value of a column; after the last one of a row, the caller calls [`Batch::end_row`].
    pub(crate) fn add(&mut self, column: usize, field_type: &FieldType, field: &[u8], line: u64) {
        let value = match field_type.read(field) {
            Read::Null => SqlValue::Null,
            Read::Integer(value) => SqlValue::Integer(value),
            Read::Text(text) => SqlValue::Text(self.keep(text)),
            Read::UnreadText(text) => {
                self.not_read(column, line);
                SqlValue::Text(self.keep(text))
            }
            Read::UnreadBytes(bytes) => {
                self.not_read(column, line);
                SqlValue::Bytes(self.keep(bytes))
            }
        };
        self.values.push(value);
    }

    pub(crate) fn end_row(&mut self) {
        self.rows += 1;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows >= ROWS || self.heap.len() >= BYTES
    }

    /// The bytes of a value.
    pub(crate) fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.heap.get(range.clone()).unwrap_or_default()
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.heap.len();
        self.heap.extend_from_slice(bytes);
        start..self.heap.len()
    }

    fn not_read(&mut self, column: usize, line: u64) {
        if let Some(unread) = self.unread.get_mut(column) {
            unread.add(line);
        }
    }
}
