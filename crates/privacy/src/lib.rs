//! What may be asked, what it costs, and what error it will have: questions, keysets, plans, mechanisms, losses.
//!
//! Architecture invariant: this crate knows no clock, file, socket or database. It is the only user of OpenDP,
//! and [`measure`] is the only place in the system where noise is added.

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod accuracy;
mod cube;
mod dataset;
mod decimal;
mod groups;
mod layout;
mod loss;
mod measure;
mod mechanism;
mod name;
mod plan;
mod query;
mod shown_if;
mod text;

pub use accuracy::{
    Form, HistogramQuantile, Level, LevelError, NoiseSum, QuantileNoise, RatioFigure, RatioNoise, RatioTerm,
    Term, WeightedSum, rank_bound,
};
pub use cube::{Cube, Objective, Weight};
pub use dataset::{
    Column, Dataset, DatasetError, DatasetKind, DaysOfMonths, Domain, Grid, OTHER, Range, Reading,
    STORED_TEXT_BYTES_MOST, Span, TOTAL, UNKNOWN, Unit, day, folded, number, trimmed, trimmed_bytes,
};
pub use decimal::{Decimal, nano};
pub use groups::Group;
pub use layout::{Keyset, Layout, LayoutError, LayoutMargin, rows};
pub use loss::{Accounting, Loss, LossError};
pub use measure::{MEASURE_BYTES_MOST, Measure, MeasureError};
pub use mechanism::{
    Counted, Discovery, Exact, FOUND_KEYS_MOST, Measured, Measurement, Mechanism, Noise, NoiseError,
    Selection, SelectionLaw, measure, rank_scores,
};
pub use name::{Code, Name, NameError, WORD_BYTES_MOST};
pub use plan::{
    Basis, Bounds, CELLS_MOST, Cost, Fetch, FilterOn, LAYOUT_BYTES_MOST, MARGINS_MOST, MEASURES_MOST,
    MEMORY_MOST, MarginText, MeasuredColumn, PLAN_BYTES_MOST, Plan, PlanRefusal, PlanText, PlannedFilter,
    PlannedMargin, ReleasedTable, RestoreError, Sensitivity, compile, fractions, restore,
};
pub use query::{Bound, Condition, Filter, Margin, Price, Query};
pub use shown_if::ShownIf;
pub use text::{QueryError, QueryPart};
