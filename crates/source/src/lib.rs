//! How are the plan's integers fetched from an office's database?
//!
//! Architecture invariant: speaks of plans and cells, so that another engine is another implementation of [`Source`].
//! What leaves this crate is [`lango_privacy::Exact`], which nothing but the noise can open.

mod sqlite;
mod tally;

use async_trait::async_trait;
use lango_privacy::{Dataset, Exact, Plan};

pub use sqlite::Sqlite;

/// An office's database, read only.
#[async_trait]
pub trait Source: Send + Sync {
    /// Checks what a dataset declares against the database's catalogue, which is not taken on trust; reads no row.
    async fn check(&self, dataset: &Dataset) -> Result<(), SourceError>;

    /// Opens one consistent view of the data; reads no row.
    async fn open(&self) -> Result<Box<dyn Session>, SourceError>;
}

/// One consistent view of the data, for one plan.
#[async_trait]
pub trait Session: Send {
    /// Fetches the integers of the plan's margins, in the layout's order.
    async fn fetch(self: Box<Self>, plan: Plan) -> Result<Exact<Vec<Vec<i64>>>, FetchError>;
}

/// Why a source cannot serve a dataset. Speaks of the catalogue, never of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It cannot be opened.
    #[error("the source cannot be opened: {0}")]
    Unavailable(String),
    /// The table is not there.
    #[error("the source has no table `{0}`")]
    NoTable(String),
    /// It is a view, whose keys no catalogue vouches for.
    #[error("`{0}` is not a table: name the table itself, whose keys the catalogue knows")]
    NotATable(String),
    /// A column is not there.
    #[error("table `{table}` has no column `{column}`")]
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The unit column may hold one identifier in several types, so that its key does not make it unique.
    #[error(
        "column `{column}` of table `{table}` is declared neither as whole numbers nor as text: an identifier needs one type"
    )]
    UnitType {
        /// The table.
        table: String,
        /// The unit column.
        column: String,
    },
    /// One row per unit is declared, or all that is supported, and the catalogue does not vouch for it.
    #[error(
        "column `{column}` of table `{table}` is not by itself a primary or unique key in the catalogue: \
         this version serves tables with one row per unit only"
    )]
    NotUnique {
        /// The table.
        table: String,
        /// The unit column.
        column: String,
    },
}

/// Why nothing was fetched. Deliberately says nothing that could depend on the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source failed")]
pub struct FetchError {
    /// Whether a statement that reads rows was sent.
    pub rows_were_read: bool,
}
