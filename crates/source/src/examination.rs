//! What the gateway can find out about a source before a question: which server answers, and what the gateway's user may do.

use crate::ReachedTable;

/// The result of an examination of a source; no row was read and nothing was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Examination {
    /// The engine and its version.
    pub engine: String,
    /// The version of TLS; none on a socket or on this machine. A file has no connection.
    pub tls: Option<String>,
    /// After how many milliseconds the server itself stops a statement; none if the server does not.
    pub statement_timeout_ms: Option<u64>,
    /// The tables asked about that the gateway's user may change, which it never needs to.
    pub may_change: Vec<String>,
    /// Indexes of these tables over texts that were built under another version of a collation than the server has now.
    pub outdated: Vec<OutdatedIndex>,
    /// The functions that views among these tables call, other than the server's own: what they read stands in no catalogue.
    pub called: Vec<String>,
    /// Whether it may make tables where preparations are kept; none where the configuration names no such place.
    pub may_prepare: Option<bool>,
    /// What an import of the gateway's own noted of the tables asked about; none on servers.
    pub imported: Vec<ImportedTable>,
    /// The views among the tables asked about in which one unit's row may decide on another's.
    pub mixing: Vec<MixingView>,
    /// What the tables asked about read rows of, besides their own; those that read none are left out.
    pub behind: Vec<Behind>,
}

/// An index whose entries may lie in another order than the server searches for them in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutdatedIndex {
    /// Its name, qualified where that is needed.
    pub index: String,
    /// The collation of its first column.
    pub collation: String,
    /// The version that the database has recorded.
    pub recorded: String,
    /// The version that the server has now; empty if it has none.
    pub actual: String,
}

/// What an import noted of a table that it made.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedTable {
    /// The table.
    pub table: String,
    /// The faults of columns that were accepted: the column, the word of the fault (none where values were unread, undeclared or
    /// missing), and the share that was, from 0 to 1.
    pub accepted: Vec<(String, String, f64)>,
}

/// A view in which one unit's row may decide on another's, so that no bound on a unit's rows holds for what is below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixingView {
    /// The table asked about.
    pub table: String,
    /// What it does with rows, or a view does that it reads; none where the catalogue has its definition as text alone.
    pub by: Option<Vec<Mixing>>,
}

/// What a table asked about is read through: a view, or a table that others are parts of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The table asked about.
    pub table: String,
    /// The tables and views that it reads, through however many views.
    pub reads: Vec<ReadTable>,
    /// The views among them, it itself included, whose definitions the server does not show to the gateway's user.
    pub unseen: Vec<String>,
}

/// A table that another one reads rows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTable {
    /// Its name, as the catalogue has it.
    pub name: String,
    /// Which rows those are, as [`crate::Source::identify`] says it of the table of a dataset.
    pub reached: ReachedTable,
}

/// What brings rows of several units together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mixing {
    /// A query within an expression, such as `EXISTS`.
    Subquery,
    /// A join.
    Join,
    /// A window function.
    Window,
    /// An aggregate, or a grouping.
    Aggregate,
    /// `DISTINCT`, or a set operation that leaves rows out.
    Distinct,
    /// `LIMIT` or `OFFSET`.
    Limit,
}
