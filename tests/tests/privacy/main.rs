//! Is what is promised of privacy true? Audits that try to tell neighbouring tables apart by what is released.
//!
//! Neighbouring tables, questions and what is looked at come from fixed seeds; the noise is the product's own, from the
//! operating system, so that what is audited is what is shipped. `LANGO_LONG=1` takes fresh seeds and ten times the draws.

mod accounts;
mod audit;
mod audits;
mod broken;
mod counting;
mod failures;
mod noise;
mod report;
mod seeds;
mod sensitivity;
mod sql;
mod statistics;
mod table;

/// The probability with which one statement about right code may fail.
const ALPHA: f64 = 1e-6;
/// How many such statements the suite makes at most, so that it fails once in 10,000 runs of right code or more rarely.
const STATEMENTS_MOST: usize = 100;
