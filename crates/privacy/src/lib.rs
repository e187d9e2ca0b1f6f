//! What may be asked, what it costs, and what error it will have: questions, keysets, plans, mechanisms, losses.
//!
//! Architecture invariant: this crate knows no clock, file, socket or database. It is the only user of OpenDP,
//! and [`measure`] is the only place in the system where noise is added.

mod accuracy;
mod cube;
mod dataset;
mod decimal;
mod layout;
mod loss;
mod mechanism;
mod name;
mod plan;
mod query;
mod text;

pub use accuracy::{Level, LevelError, NoiseSum};
pub use cube::{Cube, Objective, Weight};
pub use dataset::{Column, Dataset, DatasetError, Domain, Kind, OTHER, TOTAL, UNKNOWN, Unit};
pub use decimal::{Decimal, nano};
pub use layout::{Keyset, Layout, LayoutError, LayoutMargin, rows};
pub use loss::{Accounting, Loss, LossError};
pub use mechanism::{Exact, MeasureError, Mechanism, Noise, measure};
pub use name::{Code, Name, NameError};
pub use plan::{
    Bounds, FilterOn, Plan, PlanRefusal, PlanText, PlannedFilter, PlannedMargin, compile, restore,
};
pub use query::{Bound, Condition, Filter, Margin, Measure, Price, Query};
pub use text::QueryError;
