//! The rows of a file, field by field, to something that keeps none of them.

use std::ops::ControlFlow;

use crate::ImportError;

/// What is done with each field of each row.
pub(crate) trait FieldVisitor {
    /// Takes the field of a row at hand that stands at this position in the file. `typed` where the file itself says that it is
    /// a number or a day, which no notation changes.
    fn field(&mut self, position: usize, text: &[u8], typed: bool);

    /// Ends a row, which begins on this line or, of a Parquet file, has this number; whether more are wanted.
    fn end_row(&mut self, line: u64) -> Result<ControlFlow<()>, ImportError>;
}
