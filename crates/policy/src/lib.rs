//! Who may ask what: policy files, read, checked and decided by.
//!
//! Architecture invariant: pure. Knows no clock, file, socket or database; every decision is a function of its
//! arguments, and whatever no grant allows is denied.

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod authorize;
mod check;
mod declare;
pub mod document;
mod file;
mod trial;

pub use authorize::{Asked, Denial, DenialCode, Granted};
pub use check::{Budget, Grant, PolicySet, Renewal, Validity};
pub use document::{DocumentError, Position};
pub use trial::{Trial, TrialFailure};
