//! How times are printed.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Unix seconds as `2026-01-31T00:00:00Z`; a time beyond the calendar is printed as the number it is.
pub(crate) fn utc(unix: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| unix.to_string())
}
