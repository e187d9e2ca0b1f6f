//! What do the offices' answers say together: tables over several offices, and who is in them.
//!
//! Architecture invariant: this crate knows no clock, file, socket, signature or policy. Everything here happens after
//! the noise, so it costs nothing and whoever holds the releases can compute it again.

mod answer;
mod combine;
mod coverage;
mod intervals;
mod table;
mod whole;

pub use answer::Answer;
pub use combine::{CombineError, combine, combine_over};
pub use coverage::{Absent, Coverage, CoverageError, Outcome};
pub use table::{Axis, Cell, Figure, OFFICE, Status, Table};
pub use whole::whole;

#[cfg(test)]
mod tests;
