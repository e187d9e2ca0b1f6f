//! How are the plan's integers fetched from an office's database?
//!
//! Architecture invariant: speaks of plans and cells, so that another engine is another implementation of [`Source`].
//! What leaves this crate is [`lango_privacy::Exact`], which only the noise can open.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

mod columns;
mod count;
mod description;
mod examination;
mod failure;
mod field;
mod grouped;
mod invented;
mod mariadb;
mod moments;
mod order;
mod postgres;
mod preparation;
mod secret;
mod server;
mod settings;
mod sql;
mod sqlite;
mod survey;
mod tally;
mod value;

use async_trait::async_trait;
use lango_privacy::{Counted, Dataset, Exact, Plan};
use lango_trace::TraceContext;

pub use description::{ColumnDescription, Suggested, TableDescription};
pub use examination::{Behind, Examination, ImportedTable, Mixing, MixingView, OutdatedIndex, ReadTable};
pub use invented::Invented;
pub use mariadb::MariaDb;
pub use moments::SurveyedMoments;
pub use postgres::Postgres;
pub use preparation::{Bounding, PreparedRows, Stale};
pub use secret::Secret;
pub use settings::{RowSecurity, Settings};
pub use sqlite::Sqlite;
pub use survey::{ColumnSurvey, Survey, UndeclaredReason};

/// An office's database, read only.
#[async_trait]
pub trait Source: Send + Sync {
    /// Checks what a dataset declares against the database's catalogue, which is not taken on trust; reads no row.
    async fn check(&self, dataset: &Dataset) -> Result<(), SourceError>;

    /// Which rows those of a table are, by what the source reaches and not by its name: two sources that reach one table have one
    /// answer. Another table over the same rows, such as a view or a copy, is another one; [`Examination::behind`] has what a
    /// view reads. Reads no row.
    async fn identify(&self, table: &str) -> Result<ReachedTable, SourceError>;

    /// Opens one consistent view of the data; reads no row.
    async fn open(&self) -> Result<Box<dyn Session>, SourceError>;

    /// How a dataset's rows would be bounded for a question asked now; reads no row.
    async fn bounding(&self, dataset: &Dataset, secret: &Secret) -> Result<Bounding, SourceError>;

    /// Writes down the rows that survive a dataset's bounds, all or none, and deletes an earlier preparation of it; returns
    /// how many they are. A source writes nothing else; it writes this in a place of its own.
    async fn prepare(&self, dataset: &Dataset, secret: &Secret) -> Result<PreparedRows, SourceError>;

    /// The fingerprint that an import noted of the data in a table; none on servers. Reads no row of the table.
    async fn data(&self, table: &str) -> Result<Option<String>, SourceError>;

    /// What the catalogue says of the tables that there are; reads no row.
    async fn describe(&self) -> Result<Vec<TableDescription>, SourceError>;

    /// Whether the office has said that row-level security of the source chooses the rows that its gateway reads. So says the
    /// configuration, not the data.
    fn filters_rows(&self) -> bool;

    /// Counts what stands in a dataset's table as its policy reads it, for the office's own eyes: reads every row, writes
    /// nothing.
    async fn survey(&self, dataset: &Dataset) -> Result<Survey, SourceError>;

    /// How many identifiers of a dataset's table differ from another one in the case of letters or in blanks alone; `None` where
    /// they are numbers. For the office's own eyes: reads the identifier of every row.
    async fn alike(&self, dataset: &Dataset) -> Result<Option<u64>, SourceError>;

    /// Finds which server answers, and what the user may do to these tables; opens a new connection, reads no row and writes
    /// nothing.
    async fn examine(&self, tables: &[&str]) -> Result<Examination, SourceError>;
}

/// One consistent view of the data, for one plan.
#[async_trait]
pub trait Session: Send {
    /// Marks the statements that are to read rows with the trace of their question: in a comment at their beginning, where
    /// those who watch the database see it. It changes nothing that is read.
    fn carry(&mut self, trace: TraceContext);

    /// Fetches the integers of the plan's margins, in the layout's order.
    ///
    /// Unless the catalogue vouches for one row per unit, only the first rows of each unit are read, in an order that is
    /// keyed with the secret of the dataset's version: the same secret always gives the same rows.
    async fn fetch(self: Box<Self>, plan: Plan, secret: Secret) -> Result<Exact<Vec<Counted>>, FetchError>;
}

/// Which table a source reaches by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedTable {
    /// The same at every start, whatever an import puts in its place.
    pub lasting: String,
    /// The same by whatever name it is reached at this moment, hard links of a file included.
    pub now: String,
}

impl ReachedTable {
    /// One that a server has one name for.
    pub(crate) fn of_server(name: String) -> Self {
        Self { now: name.clone(), lasting: name }
    }
}

/// Why a source cannot serve a dataset. Speaks of the catalogue, never of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It cannot be opened.
    #[error("the source cannot be opened: {0}")]
    Unavailable(String),
    /// The connection would not be safe.
    #[error("the connection to the source could not be protected: {0}")]
    Unprotected(String),
    /// The table is not there.
    #[error("the source has no table `{0}`")]
    NoTable(String),
    /// Others rewrite it without end.
    #[error(
        "table `{0}` was emptied or rewritten again each time a view of it was begun: ask when the office has loaded it"
    )]
    Rewritten(String),
    /// It is an index, a sequence or the like.
    #[error("`{0}` is neither a table nor a view")]
    NotATable(String),
    /// A table is not there, as far as an engine says that hides what its user may not read.
    #[error(
        "the source has no table `{0}`, or the gateway's user lacks SELECT on it: the server does not say which of the two"
    )]
    NoTableShown(String),
    /// A column is not there.
    #[error("table `{table}` has no column `{column}`: it has {there}; say which with `from = \"NAME\"`")]
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The columns that there are.
        there: String,
    },
    /// Several columns have the name but for the case of its letters.
    #[error("table `{table}` has several columns `{column}`: {there}; say which with `from = \"NAME\"`")]
    SeveralColumns {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Those that there are.
        there: String,
    },
    /// A column is not there, as far as an engine says that hides what its user may not read.
    #[error(
        "table `{table}` has no column `{column}`, or the gateway's user lacks SELECT on it: the server does not say which of the \
         two, and shows {there}"
    )]
    NoColumnShown {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The columns that the server shows.
        there: String,
    },
    /// The gateway's user may not read the table, or some columns of it.
    #[error("the gateway's user may not read {}", unread(table, columns))]
    NoSelect {
        /// The table.
        table: String,
        /// The columns; none where it may not read any.
        columns: Vec<String>,
    },
    /// Row-level security hides rows.
    #[error(
        "row-level security chooses which rows of table `{table}` the gateway's user is given, so answers would be about those alone: \
         give the user BYPASSRLS, or say `row_security = \"filters\"` for the source if the office wants this, which \
         analysts then see"
    )]
    RowSecurity {
        /// The table.
        table: String,
    },
    /// Row-level security hides rows of a table behind a view, or from a function that a view calls.
    #[error(
        "row-level security chooses rows behind the dataset's view ({0}): give who owns the view or the function BYPASSRLS, or say \
         `row_security = \"filters\"` for the source if the office wants answers about those rows alone, which analysts then see"
    )]
    RowSecurityBehind(String),
    /// Another server may hide rows.
    #[error(
        "table `{table}` is read from the foreign server `{server}`, whose own rules may leave rows out unseen: with `postgres_fdw`, ALTER \
         SERVER {server} OPTIONS (ADD options '-c row_security=off'), so that it raises an error instead; or say `row_security = \
         \"filters\"` for the source if the office wants answers about the rows that the server gives, which analysts then see"
    )]
    ForeignRows {
        /// The table.
        table: String,
        /// The foreign server's name.
        server: String,
    },
    /// A rule of row-level security depends on other rows.
    #[error(
        "the policy `{policy}` of row-level security on table `{table}` holds a query: one person's rows could decide on another's. \
         Write it of the row's own values"
    )]
    RowPolicy {
        /// The table.
        table: String,
        /// The policy's name.
        policy: String,
    },
    /// A transaction is not as it was begun.
    #[error(
        "the server has `{setting}` at `{found}` in a transaction that set it to `{asked}`: if a pooler or proxy stands in front of it, \
         it must carry out a transaction's statements on one connection; or connect to the server itself"
    )]
    Setting {
        /// The setting.
        setting: &'static str,
        /// As the transaction set it.
        asked: String,
        /// As the server has it.
        found: String,
    },
    /// A column's type can never hold what is declared.
    #[error(
        "column `{column}` of table `{table}` is `{found}`; the policy's declaration of it needs {expected}"
    )]
    ColumnType {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// As the database declares it.
        found: String,
        /// What would do.
        expected: String,
    },
    /// A column compares texts in a way that takes different ones for the same.
    #[error(
        "column `{column}` of table `{table}` has a nondeterministic collation, which takes different texts for the same: use another one"
    )]
    Collation {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The identifier is longer than what the engine brings together whole.
    #[error(
        "column `{column}` of table `{table}` may hold identifiers of more than 255 characters: declare it shorter, or make it a key"
    )]
    UnitLength {
        /// The table.
        table: String,
        /// The unit column.
        column: String,
    },
    /// An import put the data of another version into the table.
    #[error(
        "table `{table}` holds the data of version `{held}`, and the policy says `{declared}`: import the data of that version, or \
         correct `version`"
    )]
    Version {
        /// The table.
        table: String,
        /// The version that the import noted.
        held: String,
        /// The policy's.
        declared: String,
    },
    /// Text could not be read without errors that depend on it.
    #[error("the database's encoding is {0}: move it to one in UTF-8")]
    Encoding(String),
    /// The engine behind the table keeps no snapshot.
    #[error("table `{table}` is kept by {engine}, which gives no consistent view: convert it to InnoDB")]
    Snapshot {
        /// The table.
        table: String,
        /// The engine.
        engine: String,
    },
    /// More parameters than a statement can have.
    #[error(
        "the code lists of dataset `{dataset}` have {codes} codes in all, more than the {most} that can be put in one statement"
    )]
    Codes {
        /// The dataset.
        dataset: String,
        /// How many there are.
        codes: usize,
        /// The most.
        most: usize,
    },
    /// The server cannot say which day it is at a place.
    #[error(
        "the server knows no time zone `{0}`: correct `time_zone`, or load the server's table of time zones (MariaDB: \
         `mariadb-tzinfo-to-sql /usr/share/zoneinfo`)"
    )]
    TimeZone(String),
    /// A name that no database should have.
    #[error("the name `{}` holds control characters", .0.escape_debug())]
    Identifier(String),
    /// Nothing is to be prepared.
    #[error("the catalogue vouches for one row per unit in table `{0}`: there is nothing to prepare")]
    NothingToPrepare(String),
    /// There is no place for a preparation.
    #[error(
        "the source has no `prepared_schema`: name a schema in the configuration where the gateway may make tables"
    )]
    NoPreparedSchema,
    /// The preparation could not be written.
    #[error("the preparation could not be written: {0}")]
    Unprepared(String),
    /// The unit column may hold one identifier in several types, and would be several units.
    #[error(
        "column `{column}` of table `{table}` is declared neither as whole numbers nor as text: an identifier needs one type"
    )]
    UnitType {
        /// The table.
        table: String,
        /// The unit column.
        column: String,
    },
}

fn unread(table: &str, columns: &[String]) -> String {
    match columns {
        [] => format!("table `{table}`: grant it SELECT there"),
        columns => {
            let named: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
            format!(
                "{} of table `{table}`: grant it SELECT on the table, or on what the policy declares",
                named.join(", ")
            )
        }
    }
}

/// Why nothing was fetched. Deliberately says nothing that could depend on the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source failed")]
pub struct FetchError {
    /// Whether a statement that reads rows was sent.
    pub rows_were_read: bool,
}

#[cfg(test)]
mod tests;
