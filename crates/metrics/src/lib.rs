//! What does a server show of itself to those who run it? Counts, times and ages, as Prometheus reads them.
//!
//! Numbers leave the office more easily than a log does: they are scraped onward, kept for years and drawn on walls. So nothing
//! here may say more than those see who ask. A number changes when a request comes, when its answer has left, when a peer is
//! turned away, or once a minute, and at no moment between; how long a call takes that may read rows is in none of them; and no
//! label is a person's, a dataset's or a value's.
//!
//! Architecture invariant: knows no principal, dataset, question or row. A label is a value of a closed set: a method that the
//! server has, or a variant of an enum.

mod label;
mod listener;
mod shown;

pub use label::{CallTime, Door, MemberAnswer, MemberState, Method};
pub use listener::keep;
pub use shown::{Call, LogStanding, Metrics, Standing};
