//! How are the plan's integers fetched from an office's database?
//!
//! Architecture invariant: speaks of plans and cells, so that another engine is another implementation of [`Source`].
//! What leaves this crate is [`lango_privacy::Exact`], which nothing but the noise can open.

mod count;
mod field;
mod order;
mod secret;
mod sql;
mod sqlite;
mod tally;
mod value;

use async_trait::async_trait;
use lango_privacy::{Counted, Dataset, Exact, Plan};

pub use secret::Secret;
pub use sqlite::Sqlite;

#[cfg(test)]
mod tests;

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
    ///
    /// Unless the catalogue vouches for one row per unit, only the first rows of each unit are read, in an order that is
    /// keyed with the secret of the dataset's version: the same secret always gives the same rows.
    async fn fetch(self: Box<Self>, plan: Plan, secret: Secret) -> Result<Exact<Vec<Counted>>, FetchError>;
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

/// Why nothing was fetched. Deliberately says nothing that could depend on the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source failed")]
pub struct FetchError {
    /// Whether a statement that reads rows was sent.
    pub rows_were_read: bool,
}
