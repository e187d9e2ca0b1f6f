//! Who may ask what: policy files, read, checked and decided by.
//!
//! Architecture invariant: pure. Knows no clock, file, socket or database; every decision is a function of its
//! arguments, and whatever no grant allows is denied.

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod authorize;
mod budget;
mod check;
mod communities;
mod declare;
mod file;
mod lists;
mod trial;
mod within;

pub use authorize::{AccessRequest, Denial, DenialCode, DenialReason, Granted};
pub use budget::{Budget, Pool, Renewal};
pub use check::{Grant, PolicySet, Validity};
pub use lists::CountryCodes;
pub use trial::{Trial, TrialFailure};
