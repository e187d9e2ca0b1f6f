//! The result of an import, and what it reports on the way.

/// Lines that are named for each column.
pub(crate) const FIRST: usize = 10;

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows imported, those of an interrupted run included.
    pub rows: u64,
    /// The columns of the table.
    pub columns: Vec<ImportedColumn>,
    /// The file's other columns, which were left out.
    pub left_out: Vec<String>,
    /// Whether places are lines, as in a text file, or rows.
    pub by_line: bool,
    /// Whether the unit is a key of the table.
    pub key: UnitKey,
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedColumn {
    /// Its name.
    pub name: String,
    /// The type of its values, in a word.
    pub type_name: &'static str,
    /// The values that do not read as that.
    pub unread: Unread,
}

/// Values that do not read as their column's type. They are kept as they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    /// How many.
    pub count: u64,
    /// The lines of the first ten; the rows of a Parquet file.
    pub first: Vec<u64>,
}

/// Whether the catalogue vouches for one row of each unit. The policy decides it, never the rows: a file whose rows do not allow
/// the key that the policy asks for is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKey {
    /// It does: the unit is a unique key.
    Unique,
    /// The policy allows several rows.
    NotWanted,
}

/// What an import reports on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportEvent {
    /// An interrupted import goes on after this number of rows.
    Resumed(u64),
    /// An interrupted import cannot go on, because this differs; it starts afresh.
    Afresh(&'static str),
    /// Rows were put in.
    Read {
        /// Bytes of the file that were read.
        bytes: u64,
        /// The file's size.
        of: u64,
        /// Rows so far.
        rows: u64,
    },
    /// All rows are in; the unit's key is made.
    Keying,
}

impl Unread {
    pub(crate) fn add(&mut self, line: u64) {
        self.count += 1;
        if self.first.len() < FIRST {
            self.first.push(line);
        }
    }

    pub(crate) fn absorb(&mut self, later: &Self) {
        self.count += later.count;
        let room = FIRST.saturating_sub(self.first.len());
        self.first.extend(later.first.iter().take(room));
    }
}
