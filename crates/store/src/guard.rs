//! The guard of an SQLite store against the loss of its write-ahead log.
//!
//! What was charged last stands only in the log beside the main file, `ledger.sqlite-wal`. Without it the main file opens as if
//! nothing were wrong, at the state of the last checkpoint: charges are gone. So every checkpoint is made between two writes. The
//! first, which reaches the main file, raises `armed`; the second, which stays in the log, raises `confirmed` to the same number.
//! A main file alone has the two unequal, whatever became of its log. They are equal again when SQLite itself brings the whole
//! log into the main file, which it does when the last program closes the store in good order.
//!
//! Unequal as read through a log that holds something is a gateway that was killed between the two writes: nothing is lost then.
//! Nor is it where the log was begun anew and the second write, its first, was not finished. A log that holds nothing else has
//! lost charges.
//!
//! An older copy of the main file, put back beside a newer log, is read with that log. So a store whose log holds something is
//! read through before it is opened: pages that do not fit together, or a gap among the records, show that.

use std::{path::Path, time::Duration};

use sqlx::sqlite::SqliteConnectOptions;

use crate::{
    DatabaseError, Location, StoreError,
    engine::{Connection, Options, Run},
    statement::statement,
    version::{GUARDED, SCHEMA, version},
    wal::{self, WalContents, log_of},
};

/// How often, and how long after one another, a store is read before its log counts as lost: another gateway may be writing to
/// it.
const READINGS: u32 = 3;
const BETWEEN_READINGS: Duration = Duration::from_millis(50);

statement! {
    /// The first write.
    Arm = "UPDATE log_guard SET armed = armed + 1 RETURNING armed"
}

statement! {
    /// As much of the log as no reader needs, into the main file.
    Checkpoint = "PRAGMA wal_checkpoint(PASSIVE)"
}

statement! {
    /// The second write. Another gateway may have armed anew meanwhile, and confirms that itself.
    Confirm { armed } = "UPDATE log_guard SET confirmed = :armed WHERE confirmed < :armed"
}

statement! {
    /// At the end of a connection, in case a checkpoint failed between its writes.
    ConfirmAll = "UPDATE log_guard SET confirmed = armed WHERE confirmed < armed"
}

statement! {
    /// How the guard stands.
    Guard = "SELECT armed, confirmed FROM log_guard"
}

statement! {
    /// Whether all pages are whole, and indexes hold what their tables do.
    Integrity = "PRAGMA integrity_check(1)"
}

statement! {
    /// Access records are numbered without a gap.
    RecordsInARow = "SELECT count(*) AS records, coalesce(max(sequence), 0) AS last FROM access_record"
}

/// A file that is read without changing it or the files beside it: what a writer finds useless it deletes. One that nobody else
/// uses is read without the files that SQLite would make.
pub(crate) fn unchanged(path: &Path) -> SqliteConnectOptions {
    let is_in_use = log_of(path).exists();
    SqliteConnectOptions::new().filename(path).read_only(true).immutable(!is_in_use)
}

/// How the log beside a main file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogState {
    /// It holds what the main file lacks, or there is nothing that it would have to hold.
    Whole,
    /// The main file lacks what it held.
    Lost,
    /// It is of another copy of the main file.
    OfAnother,
}

impl LogState {
    /// Refuses all but a whole one. `place` is the main file.
    pub(crate) fn check(self, place: &Location) -> Result<(), StoreError> {
        match self {
            Self::Whole => Ok(()),
            Self::Lost => Err(StoreError::LogLost { place: place.to_string() }),
            Self::OfAnother => Err(StoreError::LogOfAnother { place: place.to_string() }),
        }
    }
}

/// How the log beside a main file stands. To be asked before it is opened for writing.
pub(crate) async fn log_state(path: &Path) -> Result<LogState, StoreError> {
    for reading in 1..=READINGS {
        if !reads_as_lost(path).await? {
            return Ok(if is_of_another(path).await? { LogState::OfAnother } else { LogState::Whole });
        }
        if reading < READINGS {
            tokio::time::sleep(BETWEEN_READINGS).await;
        }
    }
    Ok(LogState::Lost)
}

/// Whether pages of the main file and of the log contradict each other, as where an older copy was put back beside a newer log.
/// Only what a log holds can be of another copy, so a store that was closed in good order is not read through.
async fn is_of_another(path: &Path) -> Result<bool, StoreError> {
    if log_contents(path)? == WalContents::Nothing {
        return Ok(false);
    }
    let mut connection = Options::Sqlite(Box::new(unchanged(path))).connect().await?;
    let contradicts = match connection.one(Integrity.into()).await {
        Ok(row) => row.get::<String>("integrity_check")? != "ok",
        Err(error) if error.is_of_a_statement() => true,
        Err(error) => return Err(error.into()),
    };
    let has_gaps = !contradicts && is_guarded(&mut connection).await? && {
        let records = connection.one(RecordsInARow.into()).await?;
        records.get::<i64>("records")? != records.get::<i64>("last")?
    };
    connection.close().await?;
    Ok(contradicts || has_gaps)
}

async fn reads_as_lost(path: &Path) -> Result<bool, StoreError> {
    let mut connection = Options::Sqlite(Box::new(unchanged(path))).connect().await?;
    let is_unequal = is_guarded(&mut connection).await? && {
        let guard = connection.one(Guard.into()).await?;
        guard.get::<i64>("armed")? != guard.get::<i64>("confirmed")?
    };
    connection.close().await?;
    Ok(is_unequal && log_contents(path)? == WalContents::Nothing)
}

fn log_contents(path: &Path) -> Result<WalContents, StoreError> {
    let log = log_of(path);
    wal::read(&log).map_err(|error| StoreError::Files { path: log, error })
}

/// Whether a store is of a version that has the guard, and that this program knows.
async fn is_guarded(connection: &mut Connection) -> Result<bool, StoreError> {
    Ok(version(connection).await?.is_some_and(|found| (GUARDED..=SCHEMA).contains(&found)))
}

/// A checkpoint between two writes. Belongs between transactions.
pub(crate) async fn checkpoint(connection: &mut Connection) -> Result<(), DatabaseError> {
    if let Connection::Postgres(_) = connection {
        return Ok(());
    }
    let armed: i64 = connection.one(Arm.into()).await?.get("armed")?;
    connection.all(Checkpoint.into()).await?;
    connection.all(Confirm { armed: armed.into() }.into()).await?;
    Ok(())
}

/// Before a connection ends in good order.
pub(crate) async fn confirm(connection: &mut Connection) -> Result<(), DatabaseError> {
    if let Connection::Sqlite(_) = connection {
        connection.all(ConfirmAll.into()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
