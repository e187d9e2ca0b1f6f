//! Where a statement reads its rows, and what its groups are told as.

use super::Table;

/// Where the rows are read.
#[derive(Clone, Copy)]
pub(crate) enum Road<'a> {
    /// In the table itself: the catalogue vouches for one row per unit.
    Direct(&'a Table),
    /// In the bounded rows, in normal form: a preparation, or the `SELECT` that would make it.
    Bounded {
        /// In a `FROM`.
        from: &'a str,
        /// Whether they are ranked for this question, so that the texts of codes are there too.
        ranked: bool,
    },
}

/// What a statement's group is told as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The value as text.
    Text,
    /// The value as a whole number.
    Number,
    /// The position of its key, or the stretch of days as a number; -1 for what is not declared.
    Key,
}
