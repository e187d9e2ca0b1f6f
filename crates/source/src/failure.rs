//! What may be said of a database's error: a message that speaks of values is not passed on.

use lango_database::protection_fault;
use sqlx::{Error, mysql::MySqlDatabaseError};

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
        error.code().as_deref() == Some("42501") && error.message().contains("row-level security")
    })
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
