//! Through real files: what is counted is what a reader of the rows would count, and one unit changes no more than the plan
//! says.

mod bounding;
mod engines;
mod fixture;
mod oracle;
mod real;
mod table;
mod vectors;

pub(crate) use fixture::{dataset, plan, secret};
