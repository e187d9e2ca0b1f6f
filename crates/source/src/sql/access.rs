//! Where a statement reads its rows, and the form in which it returns its groups.

use super::CatalogueTable;

/// Where the rows are read.
#[derive(Clone, Copy)]
pub(crate) enum AccessPath<'a> {
    /// In the table itself: the catalogue vouches for one row per unit.
    Direct(&'a CatalogueTable),
    /// In the bounded rows, in normal form: a preparation, or the `SELECT` that would make it.
    Bounded {
        /// Of this table.
        table: &'a CatalogueTable,
        /// In a `FROM`.
        from: &'a str,
        /// Whether they are ranked for this question, so that the texts of codes are there too.
        ranked: bool,
    },
}

impl<'a> AccessPath<'a> {
    /// The table whose rows they are.
    pub(crate) fn table(self) -> &'a CatalogueTable {
        match self {
            Self::Direct(table) | Self::Bounded { table, .. } => table,
        }
    }
}

/// The form in which a statement returns its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupForm {
    /// The value as text.
    Text,
    /// The text of an open column in normal form, which says already what is missing and what no code can name.
    Found,
    /// The value as a whole number.
    Number,
    /// The position of its key, or the stretch of days as a number; -1 for what is not declared.
    Key,
}
