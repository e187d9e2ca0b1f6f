//! What may be said of a database's error: a message that speaks of values is not passed on.

use lango_database::protection_fault;
use sqlx::{Error, mysql::MySqlDatabaseError, postgres::PgDatabaseError};

use crate::{FetchError, SourceError, settings::CONNECTION_WAIT};

/// The error in words that hold no value of a row.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the driver may add errors: what is not known is not passed on"
)]
pub(crate) fn safe_words(error: &Error) -> String {
    if let Some(why) = protection_fault(error) {
        return format!("the connection could not be protected: {why}");
    }
    match error {
        Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            // Classes of SQLSTATE whose messages speak of names, rights and the server, and of no row.
            let harmless = ["08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58", "70"];
            if harmless.iter().any(|class| code.starts_with(class)) {
                format!("{} ({code})", database.message())
            } else {
                // MariaDB's one code for most of what is its own; its number says which.
                match database.try_downcast_ref::<MySqlDatabaseError>() {
                    Some(error) => format!("the database refused with code {code}, error {}", error.number()),
                    None => format!("the database refused with code {code}"),
                }
            }
        }
        Error::PoolTimedOut => format!(
            "in {} s no connection was made or became free: see that the server runs at this address, and that it has connections left",
            CONNECTION_WAIT.as_secs()
        ),
        Error::Io(error) => format!("the connection was lost: {error}"),
        Error::Configuration(error) => format!("the connection's settings are wrong: {error}"),
        Error::PoolClosed | Error::WorkerCrashed => "the gateway is stopping".to_owned(),
        _ => "the server's answer could not be read".to_owned(),
    }
}

pub(crate) fn unavailable(error: &Error) -> SourceError {
    match protection_fault(error) {
        Some(why) => SourceError::Unprotected(why),
        None if is_row_security(error) => SourceError::RowSecurityBehind(safe_words(error)),
        None => SourceError::Unavailable(safe_words(error)),
    }
}

/// Whether a server refused to leave out rows: of a table behind a view, which the catalogue does not show before.
fn is_row_security(error: &Error) -> bool {
    let database = error.as_database_error();
    database.is_some_and(|error| {
        let routine = error.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::routine);
        refuses_rows(&error.code().unwrap_or_default(), routine, error.message())
    })
}

/// By the routine that raised the error, for the server's words are in the language of its `lc_messages`. Another server's error
/// comes through `postgres_fdw` with its words alone.
fn refuses_rows(code: &str, routine: Option<&str>, message: &str) -> bool {
    code == "42501" && (routine == Some("check_enable_rls") || message.contains("row-level security"))
}

/// A failure of a question. It goes to the log; the asker learns nothing of it.
pub(crate) fn failed(error: &Error, rows_were_read: bool) -> FetchError {
    tracing::error!(cause = safe_words(error), rows_were_read, "a statement failed");
    FetchError { rows_were_read }
}

/// As [`failed`], of an error of the catalogue's.
pub(crate) fn unfit(error: &SourceError) -> FetchError {
    tracing::error!(cause = %error, rows_were_read = false, "the source does not fit the policy");
    FetchError { rows_were_read: false }
}

#[cfg(test)]
mod tests {
    use super::refuses_rows;

    #[test]
    fn a_refusal_to_leave_out_rows_is_known_in_every_language() {
        let english = "query would be affected by row-level security policy for table \"t\"";
        let french =
            "la requ\u{ea}te serait affect\u{e9}e par une politique de s\u{e9}curit\u{e9} au niveau ligne";
        for (code, routine, message, expected) in [
            ("42501", Some("check_enable_rls"), english, true),
            ("42501", Some("check_enable_rls"), french, true),
            ("42501", Some("pgfdw_report_error"), english, true),
            ("42501", Some("aclcheck_error"), "permission denied for table t", false),
            ("42501", None, french, false),
            ("42P01", Some("check_enable_rls"), english, false),
        ] {
            assert_eq!(refuses_rows(code, routine, message), expected, "{code} {routine:?} {message}");
        }
    }
}
