//! The guard of an SQLite store against the loss of its write-ahead log.
//!
//! What was charged last stands only in the log beside the main file, `ledger.sqlite-wal`. Without it the main file opens as if nothing
//! were wrong, at the state of the last checkpoint: charges are gone. So every checkpoint is made between two writes. The first, which
//! reaches the main file, raises `armed`; the second, which stays in the log, raises `confirmed` to the same number. A main file alone
//! has the two unequal, whatever became of its log. They are equal again when SQLite itself brings the whole log into the main file,
//! which it does when the last program closes the store in good order.
//!
//! Unequal with a log that is there is a gateway that was killed between the two writes: nothing is lost then.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    DatabaseError,
    engine::{Connection, Run},
    statement::statement,
};

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

/// The log of a store's main file.
pub(crate) fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Whether a main file is alone. To be asked before it is opened, which makes an empty log.
pub(crate) fn log_is_gone(path: &Path) -> bool {
    fs::metadata(log_of(path)).map_or(true, |log| log.len() == 0)
}

/// Whether the main file lacks what its log held.
pub(crate) async fn is_unequal(connection: &mut Connection) -> Result<bool, DatabaseError> {
    if let Connection::Postgres(_) = connection {
        return Ok(false);
    }
    let guard = connection.one(Guard.into()).await?;
    Ok(guard.get::<i64>("armed")? != guard.get::<i64>("confirmed")?)
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
