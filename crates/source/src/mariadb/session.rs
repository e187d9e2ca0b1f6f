//! What a connection is set to, and whether a transaction has it: a proxy that gives each transaction another connection to the
//! server may have lost it.

use std::time::Duration;

use sqlx::MySqlConnection;

use super::catalogue::text;
use crate::{SourceError, failure::unavailable, server::within};

/// Without the modes of strictness, which are about writing, and with backslashes as they stand; as the server orders them.
const MODES: &str = "NO_BACKSLASH_ESCAPES,NO_ENGINE_SUBSTITUTION";
/// The bytes of a text by which rows are put in order.
const SORT_LENGTH: u32 = 1_024;

/// Where moments stand before they are taken to the policy's place: one in which no hour comes twice.
const TIME_ZONE: &str = "+00:00";

/// Sets a connection.
pub(super) fn settings(statement_timeout: Duration) -> String {
    let seconds = milliseconds(statement_timeout) as f64 / 1_000.0;
    format!(
        "SET SESSION max_statement_time = {seconds}, SESSION lock_wait_timeout = {}, SESSION sql_mode = '{MODES}', \
         SESSION max_sort_length = {SORT_LENGTH}, SESSION time_zone = '{TIME_ZONE}'",
        whole_seconds(statement_timeout)
    )
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
    let settings = [
        ("in_transaction", "@@in_transaction", "1".to_owned()),
        ("tx_isolation", "@@tx_isolation", "REPEATABLE-READ".to_owned()),
        ("tx_read_only", "@@tx_read_only", "1".to_owned()),
        (
            "max_statement_time in milliseconds",
            "CAST(round(@@max_statement_time * 1000) AS SIGNED)",
            milliseconds(statement_timeout).to_string(),
        ),
        ("lock_wait_timeout", "@@lock_wait_timeout", whole_seconds(statement_timeout).to_string()),
        ("sql_mode", "@@sql_mode", MODES.to_owned()),
        ("max_sort_length", "@@max_sort_length", SORT_LENGTH.to_string()),
        ("time_zone", "@@time_zone", TIME_ZONE.to_owned()),
        ("character_set_results", "@@character_set_results", "utf8mb4".to_owned()),
    ];
    check(view, Some(statement_timeout), &settings).await
}

/// Checks that a connection that prepares may take its time, sees what is committed, and has the lock still.
pub(super) async fn is_preparing(connection: &mut MySqlConnection) -> Result<(), SourceError> {
    let settings = [
        ("max_statement_time", "CAST(round(@@max_statement_time) AS SIGNED)", "0".to_owned()),
        ("tx_isolation", "@@tx_isolation", "READ-COMMITTED".to_owned()),
        ("sql_mode", "@@sql_mode", MODES.to_owned()),
        ("time_zone", "@@time_zone", TIME_ZONE.to_owned()),
        (
            "GET_LOCK",
            "CASE WHEN IS_USED_LOCK('lango dataset prepare') = CONNECTION_ID() THEN 'held' ELSE 'lost' END",
            "held".to_owned(),
        ),
    ];
    check(connection, None, &settings).await
}

async fn check(
    connection: &mut MySqlConnection,
    time: Option<Duration>,
    settings: &[(&'static str, &'static str, String)],
) -> Result<(), SourceError> {
    let asked: Vec<&str> = settings.iter().map(|(_, expression, _)| *expression).collect();
    // As one message, in text.
    let sql = sqlx::AssertSqlSafe(format!("SELECT {}", asked.join(", ")));
    let asking = async { sqlx::Executor::fetch_one(connection, sqlx::raw_sql(sql)).await };
    let row = match time {
        Some(time) => within(time, asking).await,
        None => asking.await,
    };
    let row = row.map_err(|error| unavailable(&error))?;
    for (place, (setting, _, asked)) in settings.iter().enumerate() {
        let found = text(&row, place).map_err(|error| unavailable(&error))?;
        if found != *asked {
            return Err(SourceError::Setting { setting, asked: asked.clone(), found });
        }
    }
    Ok(())
}
