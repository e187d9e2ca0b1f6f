//! What a server is asked: statements of the one planner, said in each engine's dialect.
//!
//! No statement holds a value of a question as text but whole numbers, and no operator that can fail on a value: texts are
//! compared, numbers are compared and added after they were clamped, and casts stand behind the test that they succeed.

mod access;
mod bounded;
mod column_type;
mod dialect;
mod filters;
mod groups;
mod number;
mod origin;
mod pass;
mod statement;
mod survey;
mod table;
mod text;

pub(crate) use access::{AccessPath, GroupForm};
pub(crate) use bounded::{NormalType, Ranks, bounded, normal_type};
pub(crate) use column_type::{ColumnType, Made};
pub(crate) use dialect::{DAY, Dialect, Exact, OrderField, shifted};
pub(crate) use filters::is_judged;
pub(crate) use groups::{Aggregate, GroupSelect, statements};
#[cfg(test)]
pub(crate) use origin::ranks;
pub(crate) use origin::{Origin, everything};
pub(crate) use statement::{Bind, Binds, Rendered};
pub(crate) use survey::{alike, all, clocks, units, values};
#[cfg(test)]
pub(crate) use table::TableColumn;
pub(crate) use table::{CatalogueTable, Listed, Typed, time_zones, typed};
