//! What is searched for while rows are put in, so that no second pass over them is needed.

use std::convert::Infallible;

use rusqlite::types::ValueRef;

use super::{Staging, months::Months, quoted, sums::Sums};
use crate::{ImportError, batch::Batch, report::FilePart};

/// The searches that pass over all rows once, as they are put in.
#[derive(Debug)]
pub(crate) struct Searches {
    pub(crate) sums: Sums,
    pub(crate) months: Months,
    file: usize,
}

impl Searches {
    /// Passes over the rows of a batch.
    pub(crate) fn pass(&mut self, batch: &Batch) {
        if batch.rows == 0 || self.need_nothing() {
            return;
        }
        self.begin(batch.file);
        for row in batch.rows() {
            let Ok(()) = self.pass_row::<Infallible>(|column| {
                Ok(row.get(column).map_or(ValueRef::Null, |value| batch.value(value)))
            });
        }
    }

    /// Passes over a row, whose value in a column, by its position, is asked for.
    fn pass_row<'a, E>(&mut self, value_in: impl Fn(usize) -> Result<ValueRef<'a>, E>) -> Result<(), E> {
        self.sums.pass_row(&value_in)?;
        self.months.pass_row(&value_in)
    }

    fn begin(&mut self, file: usize) {
        if file != self.file {
            self.sums.begin();
            self.months.begin(file);
            self.file = file;
        }
    }

    fn need_nothing(&self) -> bool {
        self.sums.need_nothing() && self.months.need_nothing()
    }
}

impl Staging {
    /// The searches, after the rows that an interrupted import put in.
    pub(crate) fn searches(&self, of_files: &[FilePart]) -> Result<Searches, ImportError> {
        let columns = &self.schema.columns;
        let mut searches =
            Searches { sums: Sums::of(columns), months: Months::of(columns, of_files.len()), file: 0 };
        self.go_on(&mut searches, of_files).map_err(|error| self.failed(error))?;
        Ok(searches)
    }

    fn go_on(&self, searches: &mut Searches, of_files: &[FilePart]) -> rusqlite::Result<()> {
        if searches.need_nothing() || of_files.iter().all(|part| part.rows == 0) {
            return Ok(());
        }
        // A table without key is read in the order in which its rows were put in.
        let mut statement =
            self.connection.prepare(&format!("SELECT * FROM {} NOT INDEXED", quoted(&self.staging)))?;
        let mut rows = statement.query([])?;
        for (file, part) in of_files.iter().enumerate().filter(|(_, part)| part.rows > 0) {
            searches.begin(file);
            for _ in 0..part.rows {
                let Some(row) = rows.next()? else { return Ok(()) };
                searches.pass_row(|column| row.get_ref(column))?;
            }
        }
        Ok(())
    }
}
