//! Through real files: what is counted is what a reader of the rows would count, and one unit changes no more than the plan
//! says.

mod behind;
mod bounding;
mod catalogues;
mod engines;
mod fixture;
mod kinds;
mod mixing;
mod oracle;
mod pooled;
mod readings;
mod real;
mod reloads;
mod rights;
mod sessions;
mod statements;
mod table;
mod values;
mod vectors;

pub(crate) use bounding::families;
pub(crate) use fixture::{dataset, plan, runtime, secret};
