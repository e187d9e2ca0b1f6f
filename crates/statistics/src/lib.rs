//! What do the offices' answers say together: tables over several offices, and who is in them.
//!
//! Architecture invariant: this crate knows no clock, file, socket, signature or policy. Everything here happens after
//! the noise, so it costs nothing, and anyone who holds the releases can compute it again.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

mod add;
mod combine;
mod content;
mod coverage;
mod error;
mod estimate;
mod figures;
mod foreseen;
mod hidden;
mod hide;
mod intervals;
mod noises;
mod quantiles;
mod release;
mod rounded;
mod sheet;
mod table;
mod whole;

pub use combine::{combine, combine_over, combine_within};
pub use coverage::{Absent, Coverage, CoverageError, Outcome};
pub use error::{CELLS_MOST, CombineError};
pub use foreseen::{FORESEEN_OF, Foreseen, Planned, Uncertainty, foresee};
pub use hidden::Hidden;
pub use hide::hide;
pub use quantiles::quantile_from_histogram;
pub use release::OfficeRelease;
pub use rounded::in_whole_numbers;
pub use table::{Axis, Cell, CombinedTable, Figure, OFFICE, Status};
pub use whole::whole;

#[cfg(test)]
mod tests;
