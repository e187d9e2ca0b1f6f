//! Is what is promised of privacy true? Audits that try to distinguish neighbouring tables by what is released.
//!
//! Neighbouring tables, questions and what is compared come from fixed seeds; the noise is the product's own, from the
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

// Right code fails once in 10,000 runs or more rarely: all statements fail together at most as often as each does in sum
// (Bonferroni). What must be caught, and is missed, is no false alarm; draws are many enough that it is as rare.
const _: () = {
    let statements = audits::AUDITS.len() + noise::STATEMENTS + accounts::STATEMENTS;
    assert!(statements as f64 * ALPHA <= 1e-4);
};
