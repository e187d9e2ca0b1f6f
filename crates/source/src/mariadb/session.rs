//! What a connection is set to, and whether a transaction has it: a proxy that gives each transaction another connection to the
//! server may have lost it.

use std::time::Duration;

use sqlx::MySqlConnection;

use super::catalogue::text;
use crate::{SourceError, failure::unavailable, server::within};

/// What every connection is set to, and the value as the server shows it. A server may have another default for each of these, or
/// another client of a proxy may have set it.
const FIXED: [(&str, &str, &str); 10] = [
    // Without the modes of strictness, which are about writing, and with backslashes as they stand; as the server orders them.
    ("sql_mode", "@@sql_mode", "NO_BACKSLASH_ESCAPES,NO_ENGINE_SUBSTITUTION"),
    // The bytes of a text by which rows are put in order.
    ("max_sort_length", "@@max_sort_length", "1024"),
    // Where moments stand before they are taken to the policy's place: one in which no hour comes twice.
    ("time_zone", "@@time_zone", "+00:00"),
    // Every row is returned: no limit, no past moment of a table with history, no row for the last number that was given out; and
    // a view that refers to itself goes on to its end, or to that of the time.
    ("sql_select_limit", "@@sql_select_limit", "18446744073709551615"),
    ("system_versioning_asof", "@@system_versioning_asof", "DEFAULT"),
    ("sql_auto_is_null", "@@sql_auto_is_null", "0"),
    ("max_recursive_iterations", "@@max_recursive_iterations", "4294967295"),
    // No statement is refused for the rows that it may read.
    ("sql_big_selects", "@@sql_big_selects", "1"),
    // What a view computes has the digits and the length that the server gives it by default.
    ("div_precision_increment", "@@div_precision_increment", "4"),
    ("group_concat_max_len", "@@group_concat_max_len", "1048576"),
];

/// Sets a connection.
pub(super) fn settings(statement_timeout: Duration) -> String {
    let fixed = FIXED.map(|(name, _, value)| {
        let is_word = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let value = if is_word { value.to_owned() } else { format!("'{value}'") };
        format!(", SESSION {name} = {value}")
    });
    let seconds = milliseconds(statement_timeout) as f64 / 1_000.0;
    format!(
        "SET SESSION max_statement_time = {seconds}, SESSION lock_wait_timeout = {}{}",
        whole_seconds(statement_timeout),
        fixed.concat()
    )
}

/// A setting with what shows it and what it must be.
type Wanted = (&'static str, &'static str, String);

fn fixed() -> impl Iterator<Item = Wanted> {
    FIXED.into_iter().map(|(name, shown, value)| (name, shown, value.to_owned()))
}

fn milliseconds(statement_timeout: Duration) -> u128 {
    statement_timeout.as_millis().max(1)
}

fn whole_seconds(statement_timeout: Duration) -> u64 {
    statement_timeout.as_secs().max(1)
}

/// Checks that a transaction has what its connection was set to; reads no row, and begins no view of them.
pub(super) async fn read_back(
    view: &mut MySqlConnection,
    statement_timeout: Duration,
) -> Result<(), SourceError> {
    let settings: [Wanted; 6] = [
        ("in_transaction", "@@in_transaction", "1".to_owned()),
        ("tx_isolation", "@@tx_isolation", "REPEATABLE-READ".to_owned()),
        ("tx_read_only", "@@tx_read_only", "1".to_owned()),
        (
            "max_statement_time in milliseconds",
            "CAST(round(@@max_statement_time * 1000) AS SIGNED)",
            milliseconds(statement_timeout).to_string(),
        ),
        ("lock_wait_timeout", "@@lock_wait_timeout", whole_seconds(statement_timeout).to_string()),
        ("character_set_results", "@@character_set_results", "utf8mb4".to_owned()),
    ];
    check(view, Some(statement_timeout), settings.into_iter().chain(fixed())).await
}

/// Checks that a connection that prepares may take its time, sees what is committed, and has the lock still.
pub(super) async fn is_preparing(connection: &mut MySqlConnection) -> Result<(), SourceError> {
    let settings: [Wanted; 3] = [
        ("max_statement_time", "CAST(round(@@max_statement_time) AS SIGNED)", "0".to_owned()),
        ("tx_isolation", "@@tx_isolation", "READ-COMMITTED".to_owned()),
        (
            "GET_LOCK",
            "CASE WHEN IS_USED_LOCK('lango dataset prepare') = CONNECTION_ID() THEN 'held' ELSE 'lost' END",
            "held".to_owned(),
        ),
    ];
    check(connection, None, settings.into_iter().chain(fixed())).await
}

async fn check(
    connection: &mut MySqlConnection,
    time: Option<Duration>,
    settings: impl Iterator<Item = Wanted>,
) -> Result<(), SourceError> {
    let settings: Vec<Wanted> = settings.collect();
    let asked: Vec<&str> = settings.iter().map(|(_, expression, _)| *expression).collect();
    // As one message, in text.
    let sql = sqlx::AssertSqlSafe(format!("SELECT {}", asked.join(", ")));
    let asking = async { sqlx::Executor::fetch_one(connection, sqlx::raw_sql(sql)).await };
    let row = match time {
        Some(time) => within(time, asking).await,
        None => asking.await,
    };
    let row = row.map_err(|error| unavailable(&error))?;
    for (place, (setting, _, asked)) in settings.into_iter().enumerate() {
        let found = text(&row, place).map_err(|error| unavailable(&error))?;
        if found != asked {
            return Err(SourceError::Setting { setting, asked, found });
        }
    }
    Ok(())
}
