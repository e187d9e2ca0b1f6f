//! What day it is.

use lango_gateway::system_clock;
use time::{Date, OffsetDateTime};

use crate::failure::Failure;

/// The day (UTC).
///
/// # Errors
/// The machine's clock is beyond what a calendar holds.
pub fn today() -> Result<Date, Failure> {
    Ok(OffsetDateTime::from_unix_timestamp(system_clock()())?.date())
}
