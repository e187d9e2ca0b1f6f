//! What day it is, and what day a text says.

use lango_gateway::system_clock;
use time::{Date, OffsetDateTime, macros::format_description};

use crate::failure::Failure;

/// The day (UTC).
///
/// # Errors
/// The machine's clock is beyond what a calendar holds.
pub fn today() -> Result<Date, Failure> {
    Ok(OffsetDateTime::from_unix_timestamp(system_clock()())?.date())
}

/// The day of a text such as 2026-07-01.
///
/// # Errors
/// The form, in words.
pub fn day(text: &str) -> Result<Date, String> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| "a day as year-month-day, such as 2026-07-01".to_owned())
}
