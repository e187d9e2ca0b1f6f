//! Between rows and values: unsigned amounts as SQLite's signed integers, cells as words.

use lango_ledger::{Balance, State};
use lango_privacy::Loss;
use sqlx::{Row, sqlite::SqliteRow};

use crate::StoreError;

/// An amount for SQLite. Amounts are far below 2^63: an account's limit is at most 10^11, and balances stop there.
pub(crate) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn unsigned(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Damaged("amount"))
}

pub(crate) fn loss(row: &SqliteRow) -> Result<Loss, StoreError> {
    let pure = row.try_get::<Option<i64>, _>("pure_nano")?;
    Ok(Loss {
        pure_nano: pure.map(u64::try_from).transpose().map_err(|_| StoreError::Damaged("amount"))?,
        rho_nano: unsigned(row, "rho_nano")?,
        delta_e18: unsigned(row, "delta_e18")?,
    })
}

pub(crate) fn balance(row: &SqliteRow) -> Result<Balance, StoreError> {
    let Loss { pure_nano, rho_nano, delta_e18 } = loss(row)?;
    Ok(Balance { pure_nano, rho_nano, delta_e18 })
}

pub(crate) fn state(row: &SqliteRow) -> Result<State, StoreError> {
    State::of_word(row.try_get("state")?).ok_or(StoreError::Damaged("reservation"))
}

/// Little-endian 64-bit words, as digests take them.
pub(crate) fn words(cells: &[i64]) -> Vec<u8> {
    cells.iter().flat_map(|cell| cell.to_le_bytes()).collect()
}

pub(crate) fn cells(words: &[u8]) -> Result<Vec<i64>, StoreError> {
    let (words, rest) = words.as_chunks::<8>();
    if rest.is_empty() {
        Ok(words.iter().map(|word| i64::from_le_bytes(*word)).collect())
    } else {
        Err(StoreError::Damaged("release"))
    }
}
